package hubspot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// early is how long before its end a token of OAuth is not used any more.
const early = time.Minute

// tokens hold the one of OAuth that is good now.
type tokens struct {
	turn chan struct{} // one asks for a new one at a time

	mu    sync.Mutex
	value string
	until time.Time
	used  int    // how many were had
	next  string // the refresh token that came with the last one; "" for the one of Config
}

func (t *tokens) current(now time.Time) (value string, n int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.value, t.used, t.value != "" && now.Before(t.until)
}

func (c *Connector) authorize(ctx context.Context, req *http.Request) error {
	token := c.config.Token
	if c.config.OAuth != nil {
		var err error
		if token, err = c.token(ctx); err != nil {
			return err
		}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// token returns one of OAuth, a new one if there is none that is good.
func (c *Connector) token(ctx context.Context) (string, error) {
	value, n, ok := c.tokens.current(c.config.Now())
	if ok {
		return value, nil
	}
	return c.refresh(ctx, n)
}

// renew gets another token in the place of one that HubSpot did not take.
func (c *Connector) renew(ctx context.Context) error {
	_, n, _ := c.tokens.current(c.config.Now())
	_, err := c.refresh(ctx, n)
	return err
}

// refresh gets the token that comes after the n-th, unless somebody has done so meanwhile.
// https://developers.hubspot.com/docs/api-reference/auth-oauth-v1/guide
func (c *Connector) refresh(ctx context.Context, n int) (string, error) {
	select {
	case c.tokens.turn <- struct{}{}:
		defer func() { <-c.tokens.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if value, used, ok := c.tokens.current(c.config.Now()); ok && used > n {
		return value, nil
	}
	o := c.config.OAuth
	form := url.Values{
		"grant_type": {"refresh_token"}, "client_id": {o.ClientID}, "client_secret": {o.ClientSecret},
		"refresh_token": {cmp.Or(c.tokens.next, o.RefreshToken)},
	}
	var got struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int    `json:"expires_in"`
	}
	_, err := c.door.Do(ctx, remote.Call{
		Method: http.MethodPost, Path: c.path("oauth", "/token"), Form: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Out: &got,
	})
	switch {
	case intake.IsPermanent(err):
		return "", intake.Unauthorized(fmt.Errorf("HubSpot gives no token for the refresh token: install the app again: %w", err))
	case err != nil:
		return "", fmt.Errorf("get a token: %w", err)
	case got.AccessToken == "":
		return "", errors.New("get a token: the answer has none")
	}
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	c.tokens.value, c.tokens.used, c.tokens.next = got.AccessToken, c.tokens.used+1, got.RefreshToken
	c.tokens.until = c.config.Now().Add(time.Duration(got.ExpiresIn)*time.Second - early)
	return got.AccessToken, nil
}
