package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
	"leadgate/channels/oauth"
	"leadgate/intake"
)

const (
	testClientSecret = "client-secret-7c1"
	testRefreshToken = "refresh-token-9b2"
)

func tokensFrom(i *mailserver.Identity) *oauth.Config {
	return &oauth.Config{TokenURL: i.Endpoint, ClientID: "leadgate", ClientSecret: testClientSecret, RefreshToken: testRefreshToken}
}

// leaksNothing looks for what must never be logged or shown.
func leaksNothing(t *testing.T, words ...string) {
	t.Helper()
	for _, text := range words {
		for _, secret := range []string{"access-token-", testClientSecret, testRefreshToken, testPassword} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is shown in:\n%s", secret, text)
			}
		}
	}
}

func TestATokenOpensTheMailboxWhateverTheServerCallsIt(t *testing.T) {
	for name, mechanisms := range map[string]string{"as Outlook": "xoauth2", "as the standard": "oauthbearer", "as Gmail": "xoauth2 oauthbearer"} {
		t.Run(name, func(t *testing.T) {
			user := "token@vendor.example"
			identity := mailserver.StartIdentity(t, user)
			d := mailserver.StartDovecot(t, identity.Dovecot(t, mechanisms))
			sink := channeltest.NewSink()
			cfg := dovecotAccount(d, user)
			cfg.Password, cfg.OAuth = "", tokensFrom(identity)
			box, logs := newTestMailbox(t, Config{IMAP: cfg})
			runBox(t, box, sink)
			deliverTo(t, d, user, leadMail(1, "lead"))
			accepted(t, sink, 1, 20*time.Second)
			if n := len(identity.Requests()); n != 1 {
				t.Errorf("%d tokens were asked for", n)
			}
			leaksNothing(t, logs.String(), fmt.Sprint(box.Health()))
		})
	}
}

// A token that is no good any more is replaced once; when there is no other, somebody is
// told, and when there is one again it goes on by itself.
func TestARefusedTokenIsReplacedAndALastingRefusalIsTold(t *testing.T) {
	user := "token@vendor.example"
	identity := mailserver.StartIdentity(t, user)
	d := mailserver.StartDovecot(t, identity.Dovecot(t, "xoauth2 oauthbearer"))
	sink := channeltest.NewSink()
	cfg := dovecotAccount(d, user)
	cfg.Password, cfg.OAuth = "", tokensFrom(identity)
	box, logs := newTestMailbox(t, Config{IMAP: cfg})
	runBox(t, box, sink)
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })

	identity.Revoke() // in the middle of IDLE; the server then ends the session
	d.SignalIMAP(t, syscall.SIGKILL)
	deliverTo(t, d, user, leadMail(1, "lead"))
	accepted(t, sink, 1, 20*time.Second)
	if n := len(identity.Requests()); n != 2 {
		t.Errorf("%d tokens were asked for, want 2", n)
	}

	identity.Refuse(true)
	identity.Revoke()
	d.SignalIMAP(t, syscall.SIGKILL)
	eventually(t, "the health says so", 20*time.Second, func() bool { return box.Health().State == StateAuthFailed })
	h := box.Health()
	if !strings.Contains(h.Problem, "invalid_grant consent was withdrawn") {
		t.Errorf("%+v", h)
	}
	identity.Refuse(false)
	deliverTo(t, d, user, leadMail(2, "lead"))
	accepted(t, sink, 2, 20*time.Second)
	leaksNothing(t, logs.String(), h.Problem)
}

func TestAServerThatTakesNoTokensIsNamed(t *testing.T) {
	identity := mailserver.StartIdentity(t, testAddress)
	server := newIMAPServer(t, allCaps...)
	r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imapTokens = oauth.New(*tokensFrom(identity), oauth.Options{}) })
	eventually(t, "the health says so", 10*time.Second, func() bool { return r.box.Health().State == StateAuthFailed })
	if p := r.box.Health().Problem; !strings.Contains(p, "neither XOAUTH2 nor OAUTHBEARER") {
		t.Error(p)
	}
}

func TestAServerThatDoesNotWantUsIsLeftAloneForAMinute(t *testing.T) {
	f := &fetcher{times: defaultIMAPTimes()}
	refused := fmt.Errorf("log in at x: %w", &loginRefused{errors.New("NO")})
	for name, tt := range map[string]struct {
		err      error
		wait     time.Duration
		min, max time.Duration
	}{
		"a lost connection":             {io.ErrUnexpectedEOF, time.Second, time.Second / 2, time.Second},
		"a password that is refused":    {refused, time.Second, time.Minute, 75 * time.Second},
		"again and again":               {refused, 5 * time.Minute, 150 * time.Second, 5 * time.Minute},
		"a token that is refused":       {&tokenRefused{"x", &oauth.Refused{}}, time.Second, time.Minute, 75 * time.Second},
		"a token that nobody gives":     {fmt.Errorf("log in: %w", &oauth.Refused{}), time.Second, time.Minute, 75 * time.Second},
		"a token endpoint that is down": {errors.New("ask for a token: the endpoint answers 503"), time.Second, time.Second / 2, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				if got := f.pause(tt.err, tt.wait); got < tt.min || got > tt.max {
					t.Fatalf("waits %v, want %v to %v", got, tt.min, tt.max)
				}
			}
		})
	}
}

// A server that is busy has nothing against us.
func TestARefusalThatWillPassIsNoRefusal(t *testing.T) {
	for code, want := range map[imap.ResponseCode]bool{"": true, imap.ResponseCodeAuthenticationFailed: true, imap.ResponseCodeUnavailable: false, imap.ResponseCodeInUse: false, imap.ResponseCodeLimit: false} {
		if got := saysNo(fmt.Errorf("login: %w", &imap.Error{Type: imap.StatusResponseTypeNo, Code: code})); got != want {
			t.Errorf("NO [%s] is lasting: %v, want %v", code, got, want)
		}
	}
	if saysNo(&imap.Error{Type: imap.StatusResponseTypeBad}) || saysNo(io.EOF) {
		t.Error("what is no NO is taken for one")
	}
}

// tokenSubmission is a mail server that takes tokens of a provider.
type tokenSubmission struct {
	sinkSession
	identity *mailserver.Identity
	tried    *atomic.Int32
}

func (*tokenSubmission) AuthMechanisms() []string { return []string{oauth.XOAuth2} }
func (s *tokenSubmission) Auth(string) (sasl.Server, error) {
	return &tokenServer{s.identity, s.tried}, nil
}

// tokenServer is the server's side of XOAUTH2.
type tokenServer struct {
	identity *mailserver.Identity
	tried    *atomic.Int32
}

func (s *tokenServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte{}, false, nil
	}
	s.tried.Add(1)
	_, access, _ := strings.Cut(string(response), "auth=Bearer ")
	if s.identity.Good(strings.TrimRight(access, "\x01")) {
		return nil, true, nil
	}
	return []byte(`{"status":"401","schemes":"bearer"}`), false, nil
}

func TestAnswersAreSubmittedWithAToken(t *testing.T) {
	identity := mailserver.StartIdentity(t, testAddress)
	sink := &smtpSink{t: t}
	var tried atomic.Int32
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &tokenSubmission{sinkSession{s: sink}, identity, &tried}, nil
	}))
	server.AllowInsecureAuth = true
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	defer func() { l.Close(); server.Close(); <-done }()
	host, port := hostPort(l.Addr().String())
	box, logs := newTestMailbox(t, Config{SMTP: &SMTP{Host: host, Port: port, TLS: TLSNone, Username: testAddress, OAuth: tokensFrom(identity)}})
	for i, prepare := range []func(){func() {}, func() {}, identity.Revoke} {
		prepare()
		if _, err := box.Reply(t.Context(), testMessage()); err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
	}
	if sent, asked := len(sink.all()), len(identity.Requests()); sent != 3 || asked != 2 || tried.Load() != 4 {
		t.Errorf("%d sent with %d tokens in %d logins", sent, asked, tried.Load())
	}
	identity.Revoke()
	identity.Refuse(true)
	_, err = box.Reply(t.Context(), testMessage())
	if err == nil || intake.IsPermanent(err) || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a lasting refusal is %v", err)
	}
	leaksNothing(t, logs.String(), fmt.Sprint(err))
}

// runBox runs a mailbox, impatient, until the test ends.
func runBox(t *testing.T, box *Mailbox, sink intake.Sink) {
	t.Helper()
	if box.imap != nil {
		quick(box)
	}
	if box.junk != nil {
		box.junk.times = box.imap.times
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx, sink) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// accepted waits until the sink has taken n registrations.
func accepted(t *testing.T, sink *channeltest.Sink, n int, limit time.Duration) channeltest.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	s, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) >= n })
	if err != nil {
		t.Fatalf("%d of %d were taken in: %v", len(sink.State().Accepted), n, err)
	}
	return s
}
