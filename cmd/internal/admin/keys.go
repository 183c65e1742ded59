package admin

import (
	"context"
	"net/http"
	"net/url"

	"leadgate/intake"
)

// NewKey says which key to make; Expires is its last day (2027-12-31), "" for no end.
type NewKey struct {
	Name    string `json:"name"`
	Expires string `json:"expires,omitempty"`
	By      string `json:"by"`
}

// MintedKey is a new key with its token, which is told this once.
type MintedKey struct {
	intake.APIKey
	Token string `json:"token"`
}

// keys serves the keys of partners' programs.
func (b Backend) keys(handle func(string, func(*http.Request) (any, error))) {
	handle("POST /v1/partners/{id}/keys", func(r *http.Request) (any, error) {
		var n NewKey
		if err := read(r, &n); err != nil {
			return nil, err
		}
		k, token, err := b.Gateway.MintAPIKey(r.Context(), r.PathValue("id"), n.Name, n.Expires, n.By)
		return MintedKey{k, token}, err
	})
	handle("GET /v1/keys", func(r *http.Request) (any, error) {
		all, err := b.Gateway.APIKeys(r.Context(), r.URL.Query().Get("partner"))
		return append([]intake.APIKey{}, all...), err
	})
	handle("POST /v1/keys/{id}/revoke", func(r *http.Request) (any, error) {
		var d Decision
		if err := read(r, &d); err != nil {
			return nil, err
		}
		return b.Gateway.RevokeAPIKey(r.Context(), r.PathValue("id"), d.By)
	})
}

// MintKey makes a key of a partner.
func (c *Client) MintKey(ctx context.Context, partnerID string, n NewKey) (k MintedKey, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/partners/"+url.PathEscape(partnerID)+"/keys", n, &k)
	return k, err
}

// Keys returns the keys of a partner, or of all if that is "".
func (c *Client) Keys(ctx context.Context, partnerID string) (all []intake.APIKey, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/keys?partner="+url.QueryEscape(partnerID), nil, &all)
	return all, err
}

// RevokeKey ends a key.
func (c *Client) RevokeKey(ctx context.Context, id, by string) (k intake.APIKey, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/keys/"+url.PathEscape(id)+"/revoke", Decision{By: by}, &k)
	return k, err
}
