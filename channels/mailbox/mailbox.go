package mailbox

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"leadgate/channels"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// channelName is the name of the channel, whatever the mailboxes are called.
const channelName = "email"

// Deps are what a mailbox is given.
type Deps struct {
	// Key signs the Message-IDs of answers; it stays the same for the life of the store.
	Key       []byte
	Extractor *extract.Extractor
	Renderer  Renderer
	Now       func() time.Time // time.Now if nil
	Log       *slog.Logger     // discarded if nil
	// RootCAs are who servers' certificates are checked against; the system's if nil.
	RootCAs *x509.CertPool
	// SpoolDir is where mail lies while it is read; os.TempDir if empty.
	SpoolDir string
}

// Mailbox is one mailbox of the e-mail channel.
type Mailbox struct {
	cfg       Config
	deps      Deps
	own       ownAddresses
	proof     *senderauth.Checker
	tokens    tokens
	transport transport
	imap      *fetcher
	direct    *receiver
}

var (
	_ channels.Channel = (*Mailbox)(nil)
	_ channels.Runner  = (*Mailbox)(nil)
)

// New returns a mailbox. It opens nothing; see Listen and Run.
func New(cfg Config, deps Deps) (*Mailbox, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("mailbox %q: %w", cfg.Name, err)
	}
	if len(deps.Key) < 16 || deps.Extractor == nil || deps.Renderer == nil {
		return nil, fmt.Errorf("mailbox %q: needs a key of 16 bytes or more, an extractor and a renderer", cfg.Name)
	}
	cfg = cfg.withDefaults()
	deps.Now = orNow(deps.Now)
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	deps.Log = deps.Log.With("channel", channelName, "mailbox", cfg.Name)
	if deps.SpoolDir == "" {
		deps.SpoolDir = os.TempDir()
	}
	proof, err := senderauth.New(cfg.SenderProof)
	if err != nil {
		return nil, fmt.Errorf("mailbox %q: %w", cfg.Name, err)
	}
	_, domain, _ := strings.Cut(cfg.Address, "@")
	m := &Mailbox{
		cfg: cfg, deps: deps,
		own:    newOwnAddresses(append([]string{cfg.Address}, cfg.OwnAddresses...)),
		proof:  proof,
		tokens: tokens{key: deps.Key, domain: domain},
	}
	if cfg.SMTP != nil {
		m.transport = &submission{cfg: *cfg.SMTP, roots: deps.RootCAs}
	} else {
		m.transport = outbox(cfg.Outbox)
	}
	if cfg.IMAP != nil {
		m.imap = newFetcher(m, *cfg.IMAP)
	}
	if cfg.Direct != nil {
		m.direct = &receiver{m: m, cfg: *cfg.Direct}
	}
	if cfg.SenderProof.Mode == senderauth.ModeNone {
		deps.Log.Warn("senders are believed as written: anybody can claim to be a partner", "sender_proof", "none")
	}
	return m, nil
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// Name is the name of the channel.
func (m *Mailbox) Name() string { return channelName }

// Addrs returns where direct delivery listens, after Listen; nil if it does not.
func (m *Mailbox) Addrs() []string {
	if m.direct == nil {
		return nil
	}
	return m.direct.addrs()
}

// Listen opens the listener of direct delivery, so that its address is known before Run.
// Run calls it if it was not called. Without direct delivery it does nothing.
func (m *Mailbox) Listen() error {
	if m.direct == nil {
		return nil
	}
	return m.direct.listen()
}

// Run takes mail in until ctx is done.
func (m *Mailbox) Run(ctx context.Context, sink intake.Sink) error {
	if err := m.Listen(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if m.imap != nil {
		g.Go(func() error { return m.imap.run(ctx, sink) })
	}
	if m.direct != nil {
		g.Go(func() error { return m.direct.run(ctx, sink) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Health says whether mail comes in.
type Health struct {
	// LastSuccess is when the folder was last seen to hold nothing more to do; zero if never.
	LastSuccess time.Time
	// Problem says what is wrong now, without secrets; empty if nothing is.
	Problem string
}

// Health returns the state of the IMAP account. With direct delivery alone it is empty.
func (m *Mailbox) Health() Health {
	if m.imap == nil {
		return Health{}
	}
	return m.imap.health()
}

// ownAddresses are the addresses of a mailbox, lower case.
type ownAddresses map[string]bool

func newOwnAddresses(list []string) ownAddresses {
	own := make(ownAddresses)
	for _, a := range list {
		own[strings.ToLower(a)] = true
	}
	return own
}

// has reports whether address is an own one, with or without a "+tag" (RFC 5233).
func (o ownAddresses) has(address string) bool {
	address = strings.ToLower(address)
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return false
	}
	local, _, _ := strings.Cut(address[:i], "+")
	return o[address] || o[local+address[i:]]
}
