package senderauth

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// Envelope is how a message came. The zero value is a message that was fetched from our own
// account.
type Envelope struct {
	// Direct says that it was handed over by SMTP or LMTP.
	Direct bool
	// IP is the delivering peer's; invalid for a local socket.
	IP netip.Addr
	// Hello and MailFrom are what the peer said; MailFrom is empty for <>.
	Hello, MailFrom string
}

// peer names who delivered a message, for staff.
func (e Envelope) peer() string {
	if !e.IP.IsValid() {
		return "a local socket"
	}
	return e.IP.String()
}

// Verdict is how well the sender is proven.
type Verdict struct {
	Strength intake.Strength
	// How names the evidence, or what was missing, for staff: "dmarc=pass by mx.example".
	How string
	// Temporary says that the DNS did not answer: the sender is unverified now, and may be
	// proven by a later check of the same mail.
	Temporary bool
}

func proven(how string) Verdict     { return Verdict{Strength: intake.StrengthDomain, How: how} }
func unverified(how string) Verdict { return Verdict{Strength: intake.StrengthUnverified, How: how} }

// Options are what a checker is given besides its configuration.
type Options struct {
	Resolver Resolver // this machine's if nil
}

// Checker judges mails. It is safe for concurrent use.
type Checker struct {
	cfg      Config
	trusted  []netip.Prefix
	border   border
	resolver Resolver
}

// New returns a checker that asks this machine's DNS; the error names what is wrong with cfg.
func New(cfg Config) (*Checker, error) { return NewWithOptions(cfg, Options{}) }

// NewWithOptions returns a checker; the error names what is wrong with cfg.
func NewWithOptions(cfg Config, o Options) (*Checker, error) {
	trusted, err := ParseNetworks(cfg.TrustedNetworks)
	if err != nil {
		return nil, fmt.Errorf("trusted_networks: %w", err)
	}
	b, err := newBorder(cfg)
	if err != nil {
		return nil, err
	}
	if o.Resolver == nil {
		o.Resolver = system{net.DefaultResolver}
	}
	return &Checker{cfg: cfg, trusted: trusted, border: b, resolver: o.Resolver}, nil
}

// Check returns how well it is proven that m comes from its first From address. raw is the
// whole message as it came; its position is of no account, before and after. It can be cut
// off anywhere: what needs the rest proves nothing then. A verdict takes ten seconds at
// most, besides reading raw.
func (c *Checker) Check(ctx context.Context, m *mailparse.Parsed, raw io.ReadSeeker, e Envelope) (v Verdict) {
	defer func() { // a mail is never the end of the program
		if r := recover(); r != nil {
			v = unverified(fmt.Sprintf("the check gave up on it (%T)", r))
		}
	}()
	if len(m.From) == 0 {
		return unverified("the mail has no From")
	}
	switch c.cfg.Mode {
	case ModeNone:
		return proven("From believed as written (sender_proof: none)")
	case ModeNetworks:
		if e.Direct && c.trusts(e) {
			return proven("delivered by " + e.peer() + " (trusted network)")
		}
		return unverified("not delivered by a trusted network")
	}
	switch {
	case m.Damaged:
		return unverified(errDamaged.Error())
	case c.cfg.Mode == ModeResults:
		return c.checkResults(ctx, m, raw, e)
	case c.cfg.Mode == ModeDirect:
		return c.checkOurselves(ctx, m, raw, e)
	}
	return unverified("no sender_proof is configured")
}

// checkResults asks the border's results, and where they leave it open our own check.
func (c *Checker) checkResults(ctx context.Context, m *mailparse.Parsed, raw io.ReadSeeker, e Envelope) Verdict {
	if name := twice(m.Header); name != "" {
		return unverified(errTwice(name).Error())
	}
	f := finding{standingOpen, "delivered by " + e.peer() + ", whose header is not believed"}
	if !e.Direct || c.trusts(e) {
		f = c.border.judge(m.Header, m.From[0].Domain())
	}
	switch {
	case f.standing == standingProven:
		return proven(f.how)
	case f.standing == standingRefuted || !c.cfg.VerifyDKIM:
		return unverified(f.how)
	}
	v := c.checkOurselves(ctx, m, raw, e)
	v.How = f.how + "; " + v.How
	return v
}

// trusts reports whether a delivering peer is one that proves or checks senders: one in the
// networks, or on this machine if none are configured.
func (c *Checker) trusts(e Envelope) bool {
	if !e.IP.IsValid() || len(c.trusted) == 0 && e.IP.IsLoopback() {
		return true
	}
	return Contains(c.trusted, e.IP)
}
