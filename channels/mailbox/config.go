package mailbox

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/channels/oauth"
)

// Config describes one mailbox. Secrets are resolved already: they hold the value, not the
// name of a file.
type Config struct {
	// Name is unique among the mailboxes and stable: it is part of stored keys.
	Name string `yaml:"name"`
	// Address is the one that partners write to and that answers come from.
	Address string `yaml:"address"`
	// FromName is shown beside Address in answers.
	FromName string `yaml:"from_name"`
	// OwnAddresses are further addresses of this mailbox: aliases that mail is taken in for
	// and that no mail is believed to come from. Address is always one of them.
	OwnAddresses []string          `yaml:"own_addresses"`
	IMAP         *IMAP             `yaml:"imap"`
	Direct       *Direct           `yaml:"direct"`
	SenderProof  senderauth.Config `yaml:"sender_proof"`
	// SMTP and Outbox are where answers go; exactly one is set.
	SMTP   *SMTP  `yaml:"smtp"`
	Outbox string `yaml:"outbox"`
	// MaxSize is the size in bytes above which a mail is not read; 35 MB if 0.
	MaxSize int64  `yaml:"max_size"`
	Canary  Canary `yaml:"canary"`
	// ReturnPath is where bounces of answers go; verp if empty, but address if Address has a
	// plus already.
	ReturnPath ReturnPath `yaml:"return_path"`
	// ReplyToken gives each answer a Reply-To of its own, partners+r.TOKEN@domain, so that a
	// reply finds its case even if a mail program drops all that tells the thread. The mail
	// server has to deliver mail to such addresses; if nil, it is done once mail to one of them
	// has come in.
	ReplyToken *bool `yaml:"reply_token"`
	// TreatAsHuman are senders, addresses or domains, whose mail is answered although it looks
	// like that of a program or a list.
	TreatAsHuman []string `yaml:"treat_as_human"`
}

// TLS says how a connection is protected.
type TLS string

// The kinds of protection. TLSNone is refused but for loopback addresses, unless the
// configuration says insecure.
const (
	TLSImplicit TLS = "implicit"
	TLSStart    TLS = "starttls"
	TLSNone     TLS = "none"
)

// IMAP is the account that mail is fetched from.
type IMAP struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port"` // 993 with implicit TLS, else 143, if 0
	TLS      TLS    `yaml:"tls"`  // implicit if empty
	Username string `yaml:"username"`
	// Password or OAuth is what we log in with.
	Password string        `yaml:"password"`
	OAuth    *oauth.Config `yaml:"oauth"`
	// Folder is read; INBOX if empty. The others are created if missing.
	Folder          string `yaml:"folder"`
	ProcessedFolder string `yaml:"processed_folder"` // Processed if empty
	AsideFolder     string `yaml:"aside_folder"`     // "Set aside" if empty
	// JunkFolder is where the server puts spam. It is read as well, and what lies there is
	// never answered; it is left there, marked. Not read if empty.
	JunkFolder string `yaml:"junk_folder"`
	// SentFolder is where a copy of each answer goes; no copies if empty.
	SentFolder string `yaml:"sent_folder"`
	// Poll is how often the folder is looked at on a server that does not push; 60 s if 0.
	Poll time.Duration `yaml:"poll"`
	// Insecure allows TLSNone to any host: password and mail travel in the clear.
	Insecure bool `yaml:"insecure"`
}

// Protocol is what mail is delivered by.
type Protocol string

// The protocols of direct delivery.
const (
	ProtocolSMTP Protocol = "smtp"
	ProtocolLMTP Protocol = "lmtp"
)

// Direct is the listener that a mail server delivers to.
type Direct struct {
	// Listen is host:port, or unix:PATH.
	Listen   string   `yaml:"listen"`
	Protocol Protocol `yaml:"protocol"` // smtp if empty
	// TrustedNetworks may connect (CIDR); if empty, everybody who reaches Listen.
	TrustedNetworks []string `yaml:"trusted_networks"`
	MaxSize         int64    `yaml:"max_size"` // bytes; Config.MaxSize if 0
	TLSCert         string   `yaml:"tls_cert"` // file; with TLSKey offers STARTTLS
	TLSKey          string   `yaml:"tls_key"`  // file
}

// SMTP is the server that answers are submitted to.
type SMTP struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port"` // 465 with implicit TLS, else 587, if 0
	TLS      TLS    `yaml:"tls"`  // implicit if empty
	Username string `yaml:"username"`
	// Password or OAuth is what we log in with; neither without a username.
	Password string        `yaml:"password"`
	OAuth    *oauth.Config `yaml:"oauth"`
	// Hello is the name that we greet with; localhost if empty.
	Hello string `yaml:"hello"`
	// Insecure allows TLSNone to any host.
	Insecure bool `yaml:"insecure"`
}

const (
	defaultMaxSize = 35 << 20
	defaultPoll    = time.Minute
	// maxPoll is short enough for a dead connection to be noticed within five minutes.
	maxPoll   = 4 * time.Minute
	minCanary = time.Minute
)

// withDefaults returns a copy in which every default is filled in.
func (c Config) withDefaults() Config {
	c.MaxSize = or(c.MaxSize, defaultMaxSize)
	c = c.withReturn()
	if c.IMAP != nil {
		i := *c.IMAP
		i.TLS = or(i.TLS, TLSImplicit)
		i.Port = or(i.Port, map[bool]int{true: 993, false: 143}[i.TLS == TLSImplicit])
		i.Folder = or(i.Folder, "INBOX")
		i.ProcessedFolder = or(i.ProcessedFolder, "Processed")
		i.AsideFolder = or(i.AsideFolder, "Set aside")
		i.Poll = or(i.Poll, defaultPoll)
		c.IMAP = &i
	}
	if c.Direct != nil {
		d := *c.Direct
		d.Protocol = or(d.Protocol, ProtocolSMTP)
		d.MaxSize = or(d.MaxSize, c.MaxSize)
		c.Direct = &d
		if len(c.SenderProof.TrustedNetworks) == 0 {
			c.SenderProof.TrustedNetworks = d.TrustedNetworks
		}
	}
	if c.SMTP != nil {
		s := *c.SMTP
		s.TLS = or(s.TLS, TLSImplicit)
		s.Port = or(s.Port, map[bool]int{true: 465, false: 587}[s.TLS == TLSImplicit])
		s.Hello = or(s.Hello, "localhost")
		c.SMTP = &s
	}
	return c
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// faults collects everything that is wrong with a configuration.
type faults []error

func (f *faults) addf(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// Validate returns all faults at once, joined, each with the key that it is about.
func (c Config) Validate() error {
	c = c.withDefaults()
	var f faults
	if c.Name == "" || strings.ContainsAny(c.Name, ": \t\r\n") {
		f.addf("name %q: want a word without colons", c.Name)
	}
	for _, a := range append([]string{c.Address}, c.OwnAddresses...) {
		if !isAddress(a) {
			f.addf("address %q: want local@domain", a)
		}
	}
	if strings.ContainsAny(c.FromName, "\r\n") {
		f.addf("from_name: must be one line")
	}
	if c.IMAP == nil && c.Direct == nil {
		f.addf("imap or direct: one of them must be set, or no mail comes in")
	}
	if (c.SMTP == nil) == (c.Outbox == "") {
		f.addf("smtp or outbox: exactly one of them must be set")
	}
	if c.MaxSize < 0 {
		f.addf("max_size %d: must not be negative", c.MaxSize)
	}
	c.IMAP.validate(&f)
	c.Direct.validate(&f)
	c.SMTP.validate(&f)
	c.Canary.validate(&f, c.SMTP != nil)
	c.validateReturn(&f)
	validateHumans(&f, c.TreatAsHuman)
	for _, err := range c.SenderProof.Validate(c.Direct != nil) {
		f.addf("sender_proof.%w", err)
	}
	return errors.Join(f...)
}

func (i *IMAP) validate(f *faults) {
	if i == nil {
		return
	}
	validateServer(f, "imap", i.Host, i.Port, i.TLS, i.Insecure)
	if i.Username == "" {
		f.addf("imap.username: must be set")
	}
	validateLogin(f, "imap", i.Password, i.OAuth)
	if i.Poll < time.Second || i.Poll > maxPoll {
		f.addf("imap.poll %s: must be at least 1s and at most %s", i.Poll, maxPoll)
	}
	i.validateFolders(f)
}

// validateFolders sees to it that nothing that we put into a folder is taken for new mail.
func (i *IMAP) validateFolders(f *faults) {
	if i.Folder == i.ProcessedFolder || i.Folder == i.AsideFolder {
		f.addf("imap.folder %q: must differ from the folders that mail is filed in", i.Folder)
	}
	if i.JunkFolder != "" && slices.Contains([]string{i.Folder, i.ProcessedFolder, i.AsideFolder}, i.JunkFolder) {
		f.addf("imap.junk_folder %q: must differ from the other folders", i.JunkFolder)
	}
	if i.SentFolder != "" && (i.SentFolder == i.Folder || i.SentFolder == i.JunkFolder) {
		f.addf("imap.sent_folder %q: must differ from the folders that are read", i.SentFolder)
	}
}

// validateLogin wants one way to log in.
func validateLogin(f *faults, key, password string, tokens *oauth.Config) {
	if (password == "") == (tokens == nil) {
		f.addf("%s.password: set it or %s.oauth, one of them", key, key)
	}
	if tokens == nil {
		return
	}
	for _, err := range tokens.Validate() {
		f.addf("%s.oauth.%w", key, err)
	}
}

func (c Canary) validate(f *faults, submits bool) {
	switch {
	case c.Every == 0:
	case c.Every < minCanary:
		f.addf("canary.every %s: must be at least %s", c.Every, minCanary)
	case !submits:
		f.addf("canary.every: needs smtp; what lies in an outbox does not come back by itself")
	}
}

func (d *Direct) validate(f *faults) {
	if d == nil {
		return
	}
	if _, path, ok := strings.Cut(d.Listen, "unix:"); !ok || path == "" {
		if _, _, err := net.SplitHostPort(d.Listen); err != nil {
			f.addf("direct.listen %q: want host:port or unix:PATH", d.Listen)
		}
	}
	if d.Protocol != ProtocolSMTP && d.Protocol != ProtocolLMTP {
		f.addf("direct.protocol %q: want smtp or lmtp", d.Protocol)
	}
	if (d.TLSCert == "") != (d.TLSKey == "") {
		f.addf("direct.tls_cert and direct.tls_key: set both or neither")
	}
	if _, err := senderauth.ParseNetworks(d.TrustedNetworks); err != nil {
		f.addf("direct.trusted_networks: %w", err)
	}
}

func (s *SMTP) validate(f *faults) {
	if s == nil {
		return
	}
	validateServer(f, "smtp", s.Host, s.Port, s.TLS, s.Insecure)
	switch {
	case s.Username != "":
		validateLogin(f, "smtp", s.Password, s.OAuth)
	case s.Password != "" || s.OAuth != nil:
		f.addf("smtp.username: must be set to log in")
	}
	if strings.ContainsAny(s.Hello, " \t\r\n") {
		f.addf("smtp.hello %q: must be a host name", s.Hello)
	}
}

func validateServer(f *faults, key, host string, port int, protection TLS, insecure bool) {
	if host == "" {
		f.addf("%s.host: must be set", key)
	}
	if port < 1 || port > 65535 {
		f.addf("%s.port %d: want 1 to 65535", key, port)
	}
	switch protection {
	case TLSImplicit, TLSStart:
	case TLSNone:
		if !insecure && !oauth.IsLoopback(host) {
			f.addf("%s.tls none: %s is not this machine, so the password would travel in the clear; use implicit or starttls, or set insecure: true", key, host)
		}
	default:
		f.addf("%s.tls %q: want implicit, starttls or none", key, protection)
	}
}

// isAddress reports whether s is an address as it stands in an envelope, without a name and
// without quotes.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}
