package config

import (
	"fmt"
	"log/slog"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/channels/api"
	"leadgate/channels/csvdrop"
	"leadgate/channels/mailbox"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/channels/meetings"
	"leadgate/channels/slackbot"
	"leadgate/channels/teamsbot"
	"leadgate/channels/webform"
	hooks "leadgate/channels/webhook"
	"leadgate/intake"
	"leadgate/intake/crm/hubspot"
	"leadgate/intake/crm/salesforce"
	"leadgate/intake/crm/tryton"
	"leadgate/intake/crm/webhook"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/templates"
)

// Config is the configuration of one gateway.
type Config struct {
	// Program is the vendor's name, as partners read it.
	Program string `yaml:"program"`
	// Data is the directory of the store, the spool and the admin socket.
	Data string `yaml:"data"`
	// CasePrefix begins every case number.
	CasePrefix string `yaml:"case_prefix"`
	Log        Log    `yaml:"log"`
	Admin      Admin  `yaml:"admin"`
	Alerts     Alerts `yaml:"alerts"`
	Pages      Pages  `yaml:"pages"`
	// Form is the public form, which stands with the pages.
	Form webform.Config `yaml:"form"`
	// API serves partners' programs, beside the pages.
	API api.Config `yaml:"api"`
	// Staff are who may decide through links; empty for whoever is sent one.
	Staff []intake.Staff `yaml:"staff"`
	// StaffLocale is the language in which staff are written to.
	StaffLocale string `yaml:"staff_locale"`
	// PartnerDigest tells partners of their cases once a week.
	PartnerDigest bool `yaml:"partner_digest"`
	// Templates is a directory of texts that replace the built-in ones, or empty.
	Templates string     `yaml:"templates"`
	Identity  Identity   `yaml:"identity"`
	Policy    rules.Spec `yaml:"policy"`
	// PolicyFile is a file with the policy, in the place of Policy.
	PolicyFile string `yaml:"policy_file"`
	// Budget bounds the answers that go out by themselves.
	Budget    intake.Budget    `yaml:"budget"`
	Mailboxes []mailbox.Config `yaml:"mailboxes"`
	// Slack is an app there, by which partners register and are answered.
	Slack slackbot.Config `yaml:"slack"`
	// Teams is the bot in Microsoft Teams.
	Teams teamsbot.Config `yaml:"teams"`
	// Webhooks are programs that call us, Meetings are forms that we read.
	Webhooks []hooks.Config    `yaml:"webhooks"`
	Meetings []meetings.Config `yaml:"meetings"`
	Lists    Lists             `yaml:"lists"`
	CRM      CRM               `yaml:"crm"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // json or text
}

// Admin is the listener for probes and metrics; not for the public.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Alerts say when staff are told of what is about no case. What the policy knows is there.
type Alerts struct {
	// DownAfter is for how long a way in has to be down; 0 for never.
	DownAfter time.Duration `yaml:"down_after"`
}

// Identity names files of the operator's own additions to the built-in lists, one entry a
// line.
type Identity struct {
	FreeMail    string `yaml:"free_mail"`
	SharedHosts string `yaml:"shared_hosts"`
	LegalForms  string `yaml:"legal_forms"`
	Suffixes    string `yaml:"suffixes"`
}

// CRM says which systems of record are written to.
type CRM struct {
	// Every is how often what people do there is read.
	Every time.Duration `yaml:"every"`
	// Ledger keeps the records in the store itself.
	Ledger     bool                `yaml:"ledger"`
	Webhooks   []webhook.Config    `yaml:"webhooks"`
	Tryton     []tryton.Config     `yaml:"tryton"`
	Salesforce []salesforce.Config `yaml:"salesforce"`
	HubSpot    []hubspot.Config    `yaml:"hubspot"`
}

// Default returns the values of what a file leaves out.
func Default() Config {
	return Config{
		CasePrefix: "LG",
		Log:        Log{Level: "info", Format: "text"},
		Admin:      Admin{Listen: "127.0.0.1:9464"},
		Alerts:     Alerts{DownAfter: 15 * time.Minute},
		Lists:      Lists{Page: csvdrop.DefaultPageConfig()},
		API:        api.Default(),
		Slack:      slackbot.Default(),
		Policy:     rules.Default(),
		Budget:     intake.DefaultBudget(),
		CRM:        CRM{Every: intake.DefaultPullEvery, Ledger: true},

		PartnerDigest: true,
	}
}

// Load reads a file. Relative paths in it count from the file's directory. The error is of
// type Faults if the file could be read.
func Load(path string) (Config, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, err
	}
	doc, faults := decode(src, dir, &c)
	if doc.top == nil {
		return Config{}, faults
	}
	c.anchor(dir)
	if c.PolicyFile != "" {
		faults = append(faults, c.readPolicy(doc)...)
	}
	told := faults
	for _, f := range c.Validate() {
		if slices.ContainsFunc(told, func(t Fault) bool { return t.Path == f.Path+"_file" }) {
			continue // nothing else is wrong with a secret that could not be read
		}
		f.Line = doc.line(f.Path)
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return Config{}, faults.sorted()
	}
	return c, nil
}

// readPolicy puts what the policy's file says in the place of Policy.
func (c *Config) readPolicy(doc document) Faults {
	if doc.has("policy") {
		return Faults{{Line: doc.line("policy_file"), Path: "policy_file", Problem: "is given beside policy; keep one of them"}}
	}
	ids, faults := c.Identity.lists()
	if len(faults) > 0 {
		return nil // told with the lists
	}
	spec, err := LoadPolicy(c.PolicyFile, ids)
	if err != nil {
		c.Policy.Contact = rules.Contact{Name: "-", Email: "unread@policy.invalid"} // told already
		return Faults{{Line: doc.line("policy_file"), Path: "policy_file", Problem: fmt.Sprintf("%s:\n%v", c.PolicyFile, err)}}
	}
	c.Policy = spec
	return nil
}

// LoadPolicy reads a policy from a file of its own, or from the configuration of a gateway
// that has it inside. The error is of type Faults if the file could be read.
func LoadPolicy(path string, ids *identity.Lists) (rules.Spec, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return rules.Spec{}, err
	}
	if whole, _ := decode(src, filepath.Dir(path), new(any)); whole.has("mailboxes") {
		c, err := Load(path)
		return c.Policy, err
	}
	s := rules.Default()
	doc, faults := decode(src, filepath.Dir(path), &s)
	if doc.top == nil {
		return s, faults
	}
	for _, err := range s.Validate(ids) {
		f := inside("", err)
		f.Line = doc.line(f.Path)
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return s, faults.sorted()
	}
	return s, nil
}

// anchor makes relative paths absolute.
func (c *Config) anchor(dir string) {
	paths := []*string{
		&c.Data, &c.PolicyFile, &c.Templates, &c.Identity.FreeMail, &c.Identity.SharedHosts,
		&c.Identity.LegalForms, &c.Identity.Suffixes, &c.Pages.Brand.Logo, &c.Lists.Folder.Path,
	}
	for i := range c.Mailboxes {
		paths = append(paths, &c.Mailboxes[i].Outbox)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// Validate returns all that is wrong with the values.
func (c Config) Validate() Faults {
	var faults Faults
	fault := func(path, format string, a ...any) {
		faults = append(faults, Fault{Path: path, Problem: fmt.Sprintf(format, a...)})
	}
	if strings.TrimSpace(c.Program) == "" {
		fault("program", "is missing: the name of your company, as partners know it")
	}
	if c.Data == "" {
		fault("data", "is missing: the directory in which the gateway keeps everything")
	}
	if _, err := intake.NewNumbering(c.CasePrefix, make([]byte, 32)); err != nil {
		fault("case_prefix", "%v", err)
	}
	if _, err := c.Log.level(); err != nil {
		fault("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if !slices.Contains([]string{"json", "text"}, c.Log.Format) {
		fault("log.format", "%q is neither json nor text", c.Log.Format)
	}
	if c.Alerts.DownAfter < 0 {
		fault("alerts.down_after", "%s: want a time like 15m, or 0 for never", c.Alerts.DownAfter)
	}
	faults = append(faults, c.Pages.validate()...)
	faults = append(faults, c.validateForm()...)
	faults = append(faults, c.validateAPI()...)
	faults = append(faults, c.validateSlack()...)
	faults = append(faults, validateStaff(c.Staff)...)
	ids, listFaults := c.Identity.lists()
	faults = append(faults, listFaults...)
	for _, err := range c.Policy.Validate(ids) {
		f := inside("policy", err)
		_, wrong := mail.ParseAddress(c.Policy.Contact.Email)
		if f.Path == "policy.contact" && c.Policy.Contact.Email != "" && wrong != nil {
			fault("policy.contact.email", "%q is not an address like mia@vendor.example", c.Policy.Contact.Email)
			if c.Policy.Contact.Name != "" {
				continue // nothing else is wrong with the contact
			}
		}
		faults = append(faults, f)
	}
	for key, n := range map[string]int{
		"address_hour": c.Budget.AddressHour, "address_day": c.Budget.AddressDay, "domain_hour": c.Budget.DomainHour,
		"case_day": c.Budget.CaseDay, "hour": c.Budget.Hour, "staff_hour": c.Budget.StaffHour,
	} {
		if n < 1 {
			fault("budget."+key, "%d: want 1 or more", n)
		}
	}
	if len(c.Mailboxes) == 0 {
		fault("mailboxes", "is missing: without one, nothing can reach the gateway")
	}
	names := make(map[string]bool)
	for i, m := range c.Mailboxes {
		at := fmt.Sprintf("mailboxes[%d]", i)
		for _, err := range unjoin(m.Validate()) {
			faults = append(faults, inside(at, err))
		}
		if names[m.Name] {
			fault(at+".name", "%q is the name of another mailbox", m.Name)
		}
		names[m.Name] = true
	}
	faults = append(faults, c.validateListeners()...)
	faults = append(faults, c.validateSources()...)
	faults = append(faults, c.validateLists()...)
	faults = append(faults, c.validateTeams()...)
	faults = append(faults, c.CRM.validate()...)
	return faults
}

// Warnings returns what is no fault and yet worth a second look, each with its key.
func (c Config) Warnings() []string {
	var warnings []string
	for i, m := range c.Mailboxes {
		at := fmt.Sprintf("mailboxes[%d].sender_proof: ", i)
		switch m.SenderProof.Mode {
		case senderauth.ModeNone:
			warnings = append(warnings, at+"senders are believed as written; anybody can speak for any partner")
		case senderauth.ModeUnset:
			warnings = append(warnings, at+"every sender is unverified: nothing is ever answered")
		case senderauth.ModeDirect:
			if m.IMAP != nil {
				warnings = append(warnings, at+"mode direct judges who delivers to us; mail that is fetched from "+m.IMAP.Host+" has its DKIM signature alone to prove it")
			}
		}
		if m.SenderProof.Microsoft && m.IMAP != nil && !exchangeOnline(m.IMAP.Host) {
			warnings = append(warnings, at+"microsoft believes a header that only Exchange Online takes off strangers' mail, and "+m.IMAP.Host+" is not known to be that; anybody can speak for any partner if it is not")
		}
	}
	warnings = append(warnings, c.slackWarnings()...)
	if c.Teams.Enabled && c.Pages.On() && !c.Pages.secure() {
		warnings = append(warnings, "teams: pages.url is not at https://, where alone Teams calls and an app can be made for")
	}
	return append(warnings, c.Pages.warnings()...)
}

// exchangeOnline reports whether a host is one where Exchange Online serves mailboxes:
// https://learn.microsoft.com/exchange/mail-flow-best-practices/pop3-and-imap4
func exchangeOnline(host string) bool {
	for _, suffix := range []string{".office365.com", ".office.com", ".office365.us", ".partner.outlook.cn"} {
		if strings.HasSuffix("."+strings.ToLower(strings.TrimSuffix(host, ".")), suffix) {
			return true
		}
	}
	return false
}

// Lists returns the identity lists with the operator's additions.
func (i Identity) Lists() (*identity.Lists, error) {
	ids, faults := i.lists()
	if len(faults) > 0 {
		return nil, faults
	}
	return ids, nil
}

func (i Identity) lists() (*identity.Lists, Faults) {
	ids := identity.Default()
	var faults Faults
	for _, l := range []struct{ key, list, path string }{
		{"free_mail", "free-mail", i.FreeMail},
		{"shared_hosts", "shared-hosts", i.SharedHosts},
		{"legal_forms", "legal-forms", i.LegalForms},
		{"suffixes", "suffixes", i.Suffixes},
	} {
		if l.path == "" {
			continue
		}
		err := extend(ids, l.list, l.path)
		if err != nil {
			faults = append(faults, Fault{Path: "identity." + l.key, Problem: err.Error()})
		}
	}
	return ids, faults
}

func extend(ids *identity.Lists, list, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := ids.Extend(list, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Logger returns the logger that the configuration asks for.
func (l Log) Logger(w *os.File) *slog.Logger {
	level, err := l.level()
	if err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func (l Log) level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(l.Level))
	return level, err
}

// TemplateOptions are what the message templates are made of.
func (c Config) TemplateOptions() templates.Options {
	o := templates.Options{Program: c.Program}
	if c.Templates != "" {
		o.Overrides = os.DirFS(c.Templates)
	}
	return o
}

// keyed matches the errors of sections: `key: problem` and `key "value": problem`.
var keyed = regexp.MustCompile(`^([a-z_][a-z_.\[\]0-9]*)(?:: (.*)| (["0-9-].*))$`)

// inside makes a fault of an error of the section at path.
func inside(path string, err error) Fault {
	m := keyed.FindStringSubmatch(err.Error())
	if m == nil {
		return Fault{Path: path, Problem: err.Error()}
	}
	return Fault{Path: join(path, m[1]), Problem: m[2] + m[3]}
}

// unjoin takes errors.Join apart.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}
