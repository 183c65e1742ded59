package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"leadgate/intake"
)

const (
	accountsPage = 2000
	// maxList bounds a whole list in one request: 100,000 accounts have some 30 MB.
	maxList = 256 << 20
)

// Checked is a list in the form in which it would be stored, and what is wrong with it.
type (
	CheckedPartners struct {
		Partners []intake.Partner    `json:"partners"`
		Faults   []intake.EntryFault `json:"faults,omitempty"`
	}
	CheckedAccounts struct {
		Accounts []intake.Account    `json:"accounts"`
		Faults   []intake.EntryFault `json:"faults,omitempty"`
	}
)

// FormLink is a partner's own link to the form, or one for the partner's pages.
type FormLink struct {
	URL string `json:"url"`
	// Lists is the page for lists of prospects behind the same link; "" for the partner's pages.
	Lists   string    `json:"lists,omitempty"`
	Expires time.Time `json:"expires"`
}

// directory serves the partners and the account lists.
func (b Backend) directory(mux *http.ServeMux) {
	handle := func(pattern string, fn func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxList)
			answer(w, r, fn)
		})
	}
	handle("GET /v1/partners", func(r *http.Request) (any, error) { return b.Gateway.Partners(r.Context()) })
	handle("GET /v1/partners/{id}", func(r *http.Request) (any, error) {
		return b.Gateway.Partner(r.Context(), r.PathValue("id"))
	})
	handle("POST /v1/partners/{id}/form-link", func(r *http.Request) (any, error) {
		purpose := intake.Purpose(r.URL.Query().Get("for"))
		url, expires, err := b.Gateway.FormLink(r.Context(), r.PathValue("id"), purpose)
		l := FormLink{URL: url, Expires: expires}
		if err == nil && purpose == intake.PurposeForm {
			l.Lists = intake.UploadLink(url)
		}
		return l, noPartner(r.PathValue("id"), err)
	})
	handle("DELETE /v1/partners/{id}/form-link", func(r *http.Request) (any, error) {
		return struct{}{}, noPartner(r.PathValue("id"), b.Gateway.RevokeFormLinks(r.Context(), r.PathValue("id")))
	})
	handle("GET /v1/partners/{id}/reference", func(r *http.Request) (any, error) {
		return b.Gateway.PartnerReference(r.Context(), r.PathValue("id"), r.URL.Query().Get("program"))
	})
	handle("POST /v1/partners", b.putPartners)
	handle("POST /v1/partners/check", b.checkPartners)
	handle("GET /v1/accounts", func(r *http.Request) (any, error) {
		return b.Gateway.Accounts(r.Context(), r.URL.Query().Get("after"), accountsPage)
	})
	handle("GET /v1/accounts/{domain}", func(r *http.Request) (any, error) {
		return b.Gateway.Account(r.Context(), r.PathValue("domain"))
	})
	handle("DELETE /v1/accounts/{domain}", func(r *http.Request) (any, error) {
		return struct{}{}, b.Gateway.RemoveAccount(r.Context(), r.PathValue("domain"))
	})
	handle("POST /v1/accounts/{domain}/confirm-renewal", b.confirmRenewal)
	handle("POST /v1/accounts", b.putAccounts)
	handle("POST /v1/accounts/check", b.checkAccounts)
}

// noPartner is err, in plain words if it is that there is no partner of the id.
func noPartner(id string, err error) error {
	if errors.Is(err, intake.ErrNotFound) {
		return &refusal{words: fmt.Sprintf("there is no partner %q", id), notFound: true}
	}
	return err
}

func (b Backend) checkPartners(r *http.Request) (any, error) {
	var partners []intake.Partner
	if err := read(r, &partners); err != nil {
		return nil, err
	}
	clean, faults, err := b.Gateway.CheckPartners(r.Context(), partners)
	return CheckedPartners{clean, faults}, err
}

func (b Backend) putPartners(r *http.Request) (any, error) {
	var partners []intake.Partner
	if err := read(r, &partners); err != nil {
		return nil, err
	}
	clean, faults, err := b.Gateway.CheckPartners(r.Context(), partners)
	if err != nil {
		return nil, err
	}
	if err := refused("partner", faults, func(i int) string { return partners[i].ID }); err != nil {
		return nil, err
	}
	return clean, b.Gateway.PutPartners(r.Context(), clean)
}

// refused tells faults by the place and the name of the entry; nil if there are none.
func refused(noun string, faults []intake.EntryFault, name func(int) string) error {
	var all []error
	for _, f := range faults {
		all = append(all, fmt.Errorf("%s %d (%s): %w", noun, f.Entry+1, name(f.Entry), &f))
	}
	if err := errors.Join(all...); err != nil {
		return &intake.ErrInput{Problem: err.Error()}
	}
	return nil
}

func (b Backend) checkAccounts(r *http.Request) (any, error) {
	var l intake.AccountList
	if err := read(r, &l); err != nil {
		return nil, err
	}
	clean, faults, err := b.Gateway.CheckAccounts(r.Context(), l)
	return CheckedAccounts{clean.Accounts, faults}, err
}

func (b Backend) confirmRenewal(r *http.Request) (any, error) {
	var d Decision
	if err := read(r, &d); err != nil {
		return nil, err
	}
	return b.Gateway.ConfirmRenewal(r.Context(), r.PathValue("domain"), d.By)
}

func (b Backend) putAccounts(r *http.Request) (any, error) {
	var l intake.AccountList
	if err := read(r, &l); err != nil {
		return nil, err
	}
	return struct{}{}, b.Gateway.PutAccounts(r.Context(), l)
}

// Partners returns the directory.
func (c *Client) Partners(ctx context.Context) (all []intake.Partner, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/partners", nil, &all)
	return all, err
}

// Partner returns a partner by id.
func (c *Client) Partner(ctx context.Context, id string) (p intake.Partner, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/partners/"+url.PathEscape(id), nil, &p)
	return p, err
}

// FormLink makes a partner's own link to the form, or one for the partner's pages.
func (c *Client) FormLink(ctx context.Context, id string, purpose intake.Purpose) (l FormLink, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/partners/"+url.PathEscape(id)+"/form-link?for="+url.QueryEscape(string(purpose)), nil, &l)
	return l, err
}

// RevokeFormLinks ends all links of a partner to the form.
func (c *Client) RevokeFormLinks(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/v1/partners/"+url.PathEscape(id)+"/form-link", nil, &struct{}{})
}

// PartnerReference returns a signed reference to a partner, in a programme or, if that is empty,
// in all.
func (c *Client) PartnerReference(ctx context.Context, id, program string) (ref string, err error) {
	at := "/v1/partners/" + url.PathEscape(id) + "/reference"
	if program != "" {
		at += "?program=" + url.QueryEscape(program)
	}
	err = c.call(ctx, http.MethodGet, at, nil, &ref)
	return ref, err
}

// CheckPartners returns what PutPartners would store, or all that keeps it from that.
func (c *Client) CheckPartners(ctx context.Context, partners []intake.Partner) (clean []intake.Partner, faults []intake.EntryFault, err error) {
	var res CheckedPartners
	err = c.call(ctx, http.MethodPost, "/v1/partners/check", partners, &res)
	return res.Partners, res.Faults, err
}

// PutPartners adds or replaces partners, all or none.
func (c *Client) PutPartners(ctx context.Context, partners []intake.Partner) (stored []intake.Partner, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/partners", partners, &stored)
	return stored, err
}

// Accounts returns all accounts of the lists, by domain.
func (c *Client) Accounts(ctx context.Context) ([]intake.Account, error) {
	all := []intake.Account{}
	for after := ""; ; {
		var page []intake.Account
		if err := c.call(ctx, http.MethodGet, "/v1/accounts?after="+url.QueryEscape(after), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < accountsPage {
			return all, nil
		}
		after = page[len(page)-1].Domain
	}
}

// Account returns the account of a domain or an alias.
func (c *Client) Account(ctx context.Context, domain string) (a intake.Account, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/accounts/"+url.PathEscape(domain), nil, &a)
	return a, err
}

// RemoveAccount takes an account from the lists.
func (c *Client) RemoveAccount(ctx context.Context, domain string) error {
	return c.call(ctx, http.MethodDelete, "/v1/accounts/"+url.PathEscape(domain), nil, &struct{}{})
}

// ConfirmRenewal notes that the contract of an account goes on.
func (c *Client) ConfirmRenewal(ctx context.Context, domain, by string) (a intake.Account, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/accounts/"+url.PathEscape(domain)+"/confirm-renewal", Decision{By: by}, &a)
	return a, err
}

// CheckAccounts returns what PutAccounts would store, or all that keeps it from that.
func (c *Client) CheckAccounts(ctx context.Context, l intake.AccountList) (clean []intake.Account, faults []intake.EntryFault, err error) {
	var res CheckedAccounts
	err = c.call(ctx, http.MethodPost, "/v1/accounts/check", l, &res)
	return res.Accounts, res.Faults, err
}

// PutAccounts stores a list; nothing of it if it has a fault.
func (c *Client) PutAccounts(ctx context.Context, l intake.AccountList) error {
	return c.call(ctx, http.MethodPost, "/v1/accounts", l, &struct{}{})
}
