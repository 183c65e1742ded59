package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// session is what the org let us in with.
type session struct {
	token    string
	instance string // where to call: https://northwind.my.salesforce.com
	user     string // the id of who we are there; "" if it was not told
}

// login returns the session that there is. If old is not nil, it was refused, and another is made,
// once for all who come with it.
func (s *Salesforce) login(ctx context.Context, old *session) (*session, error) {
	select {
	case s.gate <- struct{}{}:
		defer func() { <-s.gate }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if have := s.session.Load(); have != nil && have != old {
		return have, nil
	}
	fresh, err := s.mint(ctx)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	s.session.Store(fresh)
	return fresh, nil
}

// mint asks for a session: OAuth 2.0 client credentials (RFC 6749, 4.4) or JWT bearer (RFC 7523, 2.1).
func (s *Salesforce) mint(ctx context.Context) (*session, error) {
	form := url.Values{}
	if s.key == nil {
		form.Set("grant_type", "client_credentials")
		form.Set("client_id", s.c.ClientID)
		form.Set("client_secret", s.c.ClientSecret)
	} else {
		assertion, err := s.assertion()
		if err != nil {
			return nil, err
		}
		form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		form.Set("assertion", assertion)
	}
	var out struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
		ID       string `json:"id"`
	}
	_, err := s.door.Do(ctx, remote.Call{
		Method: http.MethodPost, Path: "/services/oauth2/token", Out: &out,
		Form: []byte(form.Encode()), Type: "application/x-www-form-urlencoded",
	})
	if err != nil {
		return nil, err
	}
	if out.Token == "" {
		return nil, errors.New("the answer holds no token")
	}
	out.Instance = strings.TrimSuffix(out.Instance, "/")
	if err := remote.CheckURL(out.Instance, s.c.AllowPrivate); err != nil {
		return nil, fmt.Errorf("the instance_url of the answer %w", err)
	}
	fresh := &session{token: out.Token, instance: out.Instance}
	if user := out.ID[strings.LastIndexByte(out.ID, '/')+1:]; isID(user) {
		fresh.user = user
	}
	return fresh, nil
}

// assertion is a JWT that is good for three minutes.
func (s *Salesforce) assertion() (string, error) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": s.c.ClientID, "sub": s.c.Username, "aud": s.c.Audience, "exp": s.c.Now().Add(3 * time.Minute).Unix(),
	}).SignedString(s.key)
	if err != nil {
		return "", intake.Permanent(errors.New("the private key cannot sign"))
	}
	return signed, nil
}

// doorFault is the error of a token answer, an object {"error", "error_description"}.
func (s *Salesforce) doorFault(a remote.Answer) error {
	var said struct {
		Error string `json:"error"`
		Words string `json:"error_description"`
	}
	_ = json.Unmarshal(a.Body, &said)
	switch {
	case a.Status == http.StatusBadRequest && oauthCode(said.Error), a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		words := "Salesforce does not let us in"
		if oauthCode(said.Error) {
			words += fmt.Sprintf(": %s: %s", said.Error, remote.Words(said.Words))
		}
		return intake.Unauthorized(errors.New(words + "; " + s.doorAdvice(said.Error)))
	case a.Status >= 300 && a.Status < 400, a.Status == http.StatusNotFound:
		return intake.Unauthorized(fmt.Errorf("login_url answered %d; it has to be the My Domain of the org, as in https://northwind.my.salesforce.com", a.Status))
	}
	return statusError(a.Status)
}

// oauthCode reports whether s is an error code of OAuth (RFC 6749, 5.2) or one made like these.
func oauthCode(s string) bool {
	return s != "" && len(s) < 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == "" && strings.Contains(s, "_")
}

func (s *Salesforce) doorAdvice(code string) string {
	switch {
	case s.key != nil:
		return "check client_id, username, the certificate of the External Client App, and that the user is pre-authorized"
	case code == "invalid_grant" || code == "unsupported_grant_type":
		return "turn on the client credentials flow of the External Client App and name its run-as user"
	}
	return "check client_id and client_secret of the External Client App"
}
