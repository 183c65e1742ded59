package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/emersion/go-sasl"
)

// Refused says that somebody does not want us: the token endpoint, the token command, or
// the mail server, which was shown a token. Asking again soon is of no use.
type Refused struct {
	By     string
	Status string
	Detail string
}

func (e *Refused) Error() string {
	words := fmt.Sprintf("the %s refuses: %s", e.By, e.Status)
	if e.Detail != "" {
		words += " (" + e.Detail + ")"
	}
	return words
}

// XOAuth2 is the name of the mechanism of Google and Microsoft that came before OAUTHBEARER.
const XOAuth2 = "XOAUTH2"

// ErrNoMechanism says that a server takes no tokens.
var ErrNoMechanism = errors.New("the server offers neither XOAUTH2 nor OAUTHBEARER here; allow OAuth for this account on the server, or set a password in place of oauth")

// Mechanism returns how a token is shown to a server: by XOAUTH2 if it has that, because not
// every server has the other.
func Mechanism(offers func(name string) bool, username, access, host string, port int) (sasl.Client, error) {
	switch {
	case offers(XOAuth2):
		return &shown{sasl: &xoauth2{username, access}}, nil
	case offers(sasl.OAuthBearer):
		return &shown{sasl: sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: username, Token: access, Host: host, Port: port})}, nil
	}
	return nil, ErrNoMechanism
}

// xoauth2 is the client's side of XOAUTH2: one message, user=U^Aauth=Bearer T^A^A.
type xoauth2 struct{ username, access string }

func (x *xoauth2) Start() (string, []byte, error) {
	return XOAuth2, []byte("user=" + x.username + "\x01auth=Bearer " + x.access + "\x01\x01"), nil
}

func (*xoauth2) Next([]byte) ([]byte, error) { return nil, nil }

// shown is a mechanism of one message, to which a challenge is the answer that the token is
// no good. The connection is then to be closed: there is no agreed way to go on.
type shown struct{ sasl sasl.Client }

func (s *shown) Start() (string, []byte, error) { return s.sasl.Start() }

func (*shown) Next(challenge []byte) ([]byte, error) {
	var said struct {
		Status any    `json:"status"`
		Scope  string `json:"scope"`
	}
	refused := &Refused{By: "mail server", Status: "no reason given"}
	if json.Unmarshal(challenge, &said) == nil && said.Status != nil {
		refused.Status = clean(fmt.Sprint(said.Status))
		if said.Scope != "" {
			refused.Detail = "it wants the scope " + clean(said.Scope)
		}
	}
	return nil, refused
}

// clean makes one short line of what others wrote.
func clean(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}
