package mailbox

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"leadgate/channels"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/channels/oauth"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

// Channel is the name of the channel, whatever the mailboxes are called.
const Channel = "email"

// Deps are what a mailbox is given.
type Deps struct {
	// Key signs what answers are known by: their Message-IDs, and the addresses that bounces
	// and answers to them come to.
	Key       []byte
	Extractor *extract.Extractor
	// Identity tells the domains of companies from those that anybody can have an address at;
	// the lists that come with the program if nil.
	Identity *identity.Lists
	Renderer Renderer
	// Lists takes in lists of prospects that are attached; if nil, a table is read as far as a
	// mail is, and workbooks are not.
	Lists Lists
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // discarded if nil
	// RootCAs are who servers' certificates are checked against; the system's if nil.
	RootCAs *x509.CertPool
	// Tokens keeps refresh tokens that servers replace; the process alone if nil.
	Tokens oauth.Memory
	// SpoolDir is where mail lies while it is read; os.TempDir if empty.
	SpoolDir string
}

const minKey = 16 // bytes

// Mailbox is one mailbox of the e-mail channel.
type Mailbox struct {
	cfg       Config
	deps      Deps
	own       ownAddresses
	proof     *senderauth.Checker
	tokens    tokens
	transport transport
	imap      *fetcher
	junk      *fetcher // nil without a junk folder
	direct    *receiver
	canary    *canary
	sending   sending
	copies    *copies // nil without a sent folder
	// imapTokens are what all connections to the IMAP account log in with; nil for a password.
	imapTokens *oauth.Source
	// forged counts tokens that look like ours and are not. plainReturn says that the server
	// takes no return path but the address of the mailbox, plusWorks that mail to an address
	// with a tag of ours has come in.
	forged      atomic.Uint64
	plainReturn atomic.Bool
	plusWorks   atomic.Bool
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
	if len(deps.Key) < minKey || deps.Extractor == nil || deps.Renderer == nil {
		return nil, fmt.Errorf("mailbox %q: needs a key of 16 bytes or more, an extractor and a renderer", cfg.Name)
	}
	cfg = cfg.withDefaults()
	deps.Now = orNow(deps.Now)
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	deps.Log = deps.Log.With("channel", Channel, "mailbox", cfg.Name)
	if deps.SpoolDir == "" {
		deps.SpoolDir = os.TempDir()
	}
	if deps.Identity == nil {
		deps.Identity = identity.Default()
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
	m.transport = outbox(cfg.Outbox)
	if cfg.SMTP != nil {
		m.transport = &submission{cfg: *cfg.SMTP, roots: deps.RootCAs, tokens: deps.tokenSource(cfg.SMTP.OAuth)}
	}
	m.canary = &canary{
		every: cfg.Canary.Every, address: cfg.Address, mailbox: cfg.Name, domain: domain, key: deps.Key,
		transport: m.transport, now: deps.Now, log: deps.Log,
	}
	if cfg.IMAP != nil {
		m.watch(*cfg.IMAP)
	}
	if cfg.Direct != nil {
		m.direct = &receiver{m: m, cfg: *cfg.Direct}
	}
	if cfg.SenderProof.Mode == senderauth.ModeNone {
		deps.Log.Warn("senders are believed as written: anybody can claim to be a partner", "sender_proof", "none")
	}
	return m, nil
}

// watch prepares what is done with the IMAP account, each over a connection of its own.
func (m *Mailbox) watch(cfg IMAP) {
	m.imapTokens = m.deps.tokenSource(cfg.OAuth)
	m.imap = newFetcher(m, cfg)
	if cfg.JunkFolder != "" {
		junk := cfg
		junk.Folder = cfg.JunkFolder
		m.junk = newFetcher(m, junk)
		m.junk.junk = true
	}
	if cfg.SentFolder != "" {
		m.copies = newCopies(m.transport, cfg.SentFolder, m.imap.login, m.deps.Log)
		m.transport = m.copies
	}
}

// tokenSource returns nil without a configuration: we log in by password.
func (d Deps) tokenSource(cfg *oauth.Config) *oauth.Source {
	if cfg == nil {
		return nil
	}
	return oauth.New(*cfg, oauth.Options{Now: d.Now, Memory: d.Tokens})
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

// Name is the name of the channel.
func (m *Mailbox) Name() string { return Channel }

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
	for _, f := range []*fetcher{m.imap, m.junk} {
		if f != nil {
			g.Go(func() error { return f.run(ctx, sink) })
		}
	}
	if m.copies != nil {
		g.Go(func() error { return m.copies.run(ctx) })
	}
	g.Go(func() error { return m.canary.run(ctx) })
	if m.direct != nil {
		g.Go(func() error { return m.direct.run(ctx, sink) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Mailbox is the name of this mailbox, as configured.
func (m *Mailbox) Mailbox() string { return m.cfg.Name }

// Fetches reports whether the mailbox is an IMAP account that mail is fetched from.
func (m *Mailbox) Fetches() bool { return m.imap != nil }

// ForgedTokens is how often mail came with a token that looks like one of ours and is not:
// cut short on its way, of a key that is gone, or made up. Such mail is taken for new.
func (m *Mailbox) ForgedTokens() uint64 { return m.forged.Load() }

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
