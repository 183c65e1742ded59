// Package demo is a whole gateway on one machine: the vendor "Northwind Cloud", ten
// partners, direct mail from this machine, answers into a directory, the embedded ledger as
// CRM, and a page that shows what happened. Nothing leaves the machine.
package demo

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"leadgate/channels/mailbox"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/cmd/internal/config"
	"leadgate/cmd/internal/directory"
	"leadgate/intake"
	"leadgate/rules"
)

// Vendor and Address are the company of the demo and where its partners write to.
const (
	Vendor  = "Northwind Cloud"
	Address = "partners@northwind.example"
)

// OutboxDir and TryDir are the directories for outgoing mail and for mails to try.
const (
	OutboxDir = "outbox"
	TryDir    = "try"
)

// Listeners are the addresses on which the demo listens, host:port; port 0 takes any. Links lead
// to HTTP, and there are none without it.
type Listeners struct{ HTTP, SMTP string }

// Config returns the configuration of the demo in a directory.
func Config(dir string, l Listeners) config.Config {
	c := config.Default()
	c.Program, c.Data = Vendor, dir
	c.Admin.Listen = "127.0.0.1:0"
	c.Log.Level = "warn"
	if host, port, err := net.SplitHostPort(l.HTTP); err == nil {
		c.Pages.URL = "http://" + net.JoinHostPort(cmp.Or(host, "localhost"), port)
		c.API.Enabled = true
	}
	c.Form.Enabled = c.Pages.On()
	c.Policy = rules.Default()
	c.Policy.Version = "demo"
	c.Policy.Mode = intake.ModeAuto
	c.Policy.Required = rules.RequiredShort
	c.Policy.Timezone = "Europe/Brussels"
	c.Policy.Contact = rules.Contact{Name: "Mia Lund", Email: "mia.lund@northwind.example"}
	c.Policy.OwnDomains = []string{"northwind.example"}
	c.Policy.BlockedDomains = []string{"blocked.example"}
	// Whoever tries things out sends many mails from one address.
	c.Budget = intake.Budget{AddressHour: 1000, AddressDay: 1000, DomainHour: 1000, CaseDay: 1000, Hour: 1_000_000, StaffHour: 1000}
	c.Mailboxes = []mailbox.Config{{
		Name: "partners", Address: Address, FromName: Vendor + " partner desk",
		Direct: &mailbox.Direct{Listen: l.SMTP, Protocol: "smtp"},
		SenderProof: senderauth.Config{
			Mode: "trusted-networks", TrustedNetworks: []string{"127.0.0.0/8", "::1/128"},
		},
		Outbox: filepath.Join(dir, OutboxDir),
	}}
	return c
}

//go:embed partners.csv
var partnersCSV string

//go:embed leads.csv
var leadsCSV string

//go:embed pages/register.eml
var registerMail string

//go:embed pages/competitor.eml
var competitorMail string

//go:embed pages/incomplete.eml
var incompleteMail string

// Partners returns the ten partners of the demo.
func Partners() ([]intake.Partner, error) { return directory.ReadCSV(strings.NewReader(partnersCSV)) }

// Seed puts the partners into a gateway that has none, so that what was changed by hand
// stays.
func Seed(ctx context.Context, g *intake.Gateway) error {
	have, err := g.Partners(ctx)
	if err != nil || len(have) > 0 {
		return err
	}
	partners, err := Partners()
	if err != nil {
		return fmt.Errorf("demo partners: %w", err)
	}
	for i := range partners {
		clean, faults := g.CleanPartner(partners[i])
		if len(faults) > 0 {
			return fmt.Errorf("demo partner %s: %w", partners[i].ID, faults[0])
		}
		partners[i] = clean
	}
	return g.PutPartners(ctx, partners)
}

// Is reports whether a directory is one that the demo has made.
func Is(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, TryDir))
	return err == nil
}

// Try is a mail to try, and what should come of it.
type Try struct{ File, From, Says string }

// WriteTries writes the mails to try into dir and returns them.
func WriteTries(dir string) ([]Try, error) {
	tries := []struct {
		Try
		mail string
	}{
		{Try{"register.eml", "ana@brightpath.example", "a registration: approved, with a case number"}, registerMail},
		{Try{"competitor.eml", "tom@kestrel-it.example", "a competing partner, same prospect: on the waiting list"}, competitorMail},
		{Try{"incomplete.eml", "ana@brightpath.example", "half a registration: asked for what is missing"}, incompleteMail},
	}
	if err := os.MkdirAll(filepath.Join(dir, TryDir), 0o700); err != nil {
		return nil, err
	}
	var written []Try
	for _, t := range tries {
		t.File = filepath.Join(dir, TryDir, t.File)
		mail := strings.ReplaceAll(strings.ReplaceAll(t.mail, "\r\n", "\n"), "\n", "\r\n")
		if err := os.WriteFile(t.File, []byte(mail), 0o600); err != nil {
			return nil, err
		}
		written = append(written, t.Try)
	}
	list := filepath.Join(dir, TryDir, List)
	return written, os.WriteFile(list, []byte(leadsCSV), 0o600)
}

// List is the file below TryDir with a list of prospects, some of which are to be corrected, and
// ListPartner whose it is.
const (
	List        = "leads.csv"
	ListPartner = "brightpath"
)
