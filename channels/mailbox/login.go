package mailbox

import (
	"context"
	"errors"
	"slices"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/oauth"
)

// tokenRefused says that a server did not take a token. Another one may do.
type tokenRefused struct {
	access string
	err    error
}

func (e *tokenRefused) Error() string { return e.err.Error() }
func (e *tokenRefused) Unwrap() error { return e.err }

// loginRefused says that the server knows us and does not want us: a person must act, and
// trying often may lock the account.
type loginRefused struct{ err error }

func (e *loginRefused) Error() string { return e.err.Error() }
func (e *loginRefused) Unwrap() error { return e.err }

// refusesUs reports whether err is about who we are, not about the connection.
func refusesUs(err error) bool {
	var login *loginRefused
	var token *oauth.Refused
	return errors.As(err, &login) || errors.As(err, &token)
}

// login authenticates and remembers what the server can do: asked again later, the library
// might find nothing and fall back to what loses mail.
func (s *session) login(ctx context.Context) error {
	if s.client.State() == imap.ConnStateNotAuthenticated {
		show := s.showPassword
		if s.tokens != nil {
			access, err := s.tokens.Token(ctx)
			if err != nil {
				return err
			}
			show = func() error { return s.showToken(access) }
		}
		if err := s.within(s.times.login, "login", show); err != nil {
			return err
		}
	}
	return s.within(s.times.login, "capabilities", func() error {
		if s.caps = s.client.Caps(); s.caps == nil {
			return errors.New("the server does not say what it can do")
		}
		return nil
	})
}

var errNoPasswords = errors.New("the server takes no passwords here (LOGINDISABLED); the password was not sent. Set imap.tls to implicit or starttls, or imap.oauth")

func (s *session) showPassword() error {
	if s.client.Caps().Has(imap.CapLoginDisabled) {
		return errNoPasswords
	}
	err := s.client.Login(s.cfg.Username, s.cfg.Password).Wait()
	if saysNo(err) {
		return &loginRefused{err}
	}
	return err
}

func (s *session) showToken(access string) error {
	offers := func(name string) bool { return s.client.Caps().Has(imap.AuthCap(name)) }
	mechanism, err := oauth.Mechanism(offers, s.cfg.Username, access, s.cfg.Host, s.cfg.Port)
	if err != nil {
		return &loginRefused{err}
	}
	err = s.client.Authenticate(mechanism)
	var refused *oauth.Refused
	if errors.As(err, &refused) || saysNo(err) {
		return &tokenRefused{access, &loginRefused{err}}
	}
	return err
}

// saysNo reports whether an answer is a NO that is meant to last: some servers also say NO
// while they start or are busy (RFC 5530).
func saysNo(err error) bool {
	var status *imap.Error
	passing := []imap.ResponseCode{imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug}
	return errors.As(err, &status) && status.Type == imap.StatusResponseTypeNo && !slices.Contains(passing, status.Code)
}
