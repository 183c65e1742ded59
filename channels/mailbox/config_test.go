package mailbox

import (
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/channels/oauth"
)

func TestConfigIsReadFromYAML(t *testing.T) {
	const text = `
name: partners
address: partners@vendor.example
from_name: Vendor
own_addresses: [leads@vendor.example]
imap: {host: imap.vendor.example, username: u, password: p, poll: 30s}
direct: {listen: ":0", protocol: lmtp, trusted_networks: [10.0.0.0/8], max_size: 1000}
sender_proof: {mode: authentication-results, authserv_id: mx.vendor.example}
smtp: {host: smtp.vendor.example, tls: starttls, username: u, password: p, hello: me.example}
max_size: 2000
`
	var c Config
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	full := c.withDefaults()
	if full.IMAP.Port != 993 || full.IMAP.Poll != 30*time.Second || full.IMAP.Folder != "INBOX" || full.SMTP.Port != 587 || full.Direct.MaxSize != 1000 {
		t.Errorf("IMAP %+v, SMTP port %d, direct %+v", full.IMAP.Port, full.SMTP.Port, full.Direct)
	}
	if c.IMAP.Port != 0 || c.SMTP.Port != 0 {
		t.Error("filling in the defaults changed the original")
	}
}

func TestValidateReturnsAllFaultsAtOnce(t *testing.T) {
	c := Config{
		Name: "a:b", Address: "not an address", FromName: "a\nb", OwnAddresses: []string{"x"},
		IMAP:        &IMAP{Host: "imap.vendor.example", TLS: TLSNone, Poll: time.Millisecond, Folder: "A", ProcessedFolder: "A"},
		Direct:      &Direct{Listen: "nonsense", Protocol: "uucp", TLSCert: "x", TrustedNetworks: []string{"10.0.0.1"}},
		SenderProof: senderauth.Config{Mode: senderauth.ModeResults, TrustedNetworks: []string{"x"}},
		SMTP:        &SMTP{TLS: "ssl", Username: "u", Hello: "a b", Port: 99999}, Outbox: "dir", MaxSize: -1,
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"name", `address "not an address"`, `address "x"`, "from_name", "exactly one", "max_size", "imap.tls none", "imap.username", "imap.poll", "imap.folder",
		"direct.listen", "direct.protocol", "direct.tls_cert", "direct.trusted_networks", "smtp.host", "smtp.tls", "smtp.password: set it or smtp.oauth", "smtp.hello", "smtp.port", "authserv_id", "sender_proof.trusted_networks",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	for _, c := range []Config{
		{Name: "a", Address: testAddress, Outbox: "x"},
		{Name: "a", Address: testAddress, Direct: &Direct{Listen: ":0"}},
		{Name: "a", Address: testAddress, Outbox: "x", IMAP: &IMAP{Host: "h", Username: "u", Password: "p"}, SenderProof: senderauth.Config{Mode: senderauth.ModeNetworks}},
		{Name: "a", Address: testAddress, Outbox: "x", Direct: &Direct{Listen: ":0"}, SenderProof: senderauth.Config{Mode: "dkim"}},
	} {
		if c.Validate() == nil {
			t.Errorf("no fault in %+v", c)
		}
	}
}

func TestWaysToLogInAndFolders(t *testing.T) {
	tokens := &oauth.Config{TokenCommand: oauth.Command{"print-a-token"}}
	base := func() Config {
		return Config{
			Name: "a", Address: testAddress,
			IMAP: &IMAP{Host: "imap.vendor.example", Username: "u", Password: "p"},
			SMTP: &SMTP{Host: "smtp.vendor.example", Username: "u", Password: "p"},
		}
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string // no fault if empty
	}{
		"passwords":                     {func(*Config) {}, ""},
		"tokens":                        {func(c *Config) { c.IMAP.Password, c.IMAP.OAuth, c.SMTP.Password, c.SMTP.OAuth = "", tokens, "", tokens }, ""},
		"submission without a login":    {func(c *Config) { c.SMTP.Username, c.SMTP.Password = "", "" }, ""},
		"both ways":                     {func(c *Config) { c.IMAP.OAuth = tokens }, "imap.password: set it or imap.oauth"},
		"no way":                        {func(c *Config) { c.IMAP.Password = "" }, "imap.password: set it or imap.oauth"},
		"both ways to submit":           {func(c *Config) { c.SMTP.OAuth = tokens }, "smtp.password: set it or smtp.oauth"},
		"tokens for nobody":             {func(c *Config) { c.SMTP.Username, c.SMTP.Password, c.SMTP.OAuth = "", "", tokens }, "smtp.username: must be set"},
		"faulty tokens":                 {func(c *Config) { c.IMAP.Password, c.IMAP.OAuth = "", &oauth.Config{} }, "imap.oauth.token_url: must be set"},
		"a poll that is too slow":       {func(c *Config) { c.IMAP.Poll = 5 * time.Minute }, "imap.poll 5m0s: must be at least 1s and at most 4m0s"},
		"junk and sent folders":         {func(c *Config) { c.IMAP.JunkFolder, c.IMAP.SentFolder = "Junk", "Sent" }, ""},
		"answers among new mail":        {func(c *Config) { c.IMAP.SentFolder = "INBOX" }, `imap.sent_folder "INBOX"`},
		"answers among junk":            {func(c *Config) { c.IMAP.JunkFolder, c.IMAP.SentFolder = "J", "J" }, `imap.sent_folder "J"`},
		"filed mail among junk":         {func(c *Config) { c.IMAP.JunkFolder = "Set aside" }, `imap.junk_folder "Set aside"`},
		"a canary":                      {func(c *Config) { c.Canary.Every = 15 * time.Minute }, ""},
		"too many canaries":             {func(c *Config) { c.Canary.Every = time.Second }, "canary.every 1s: must be at least 1m0s"},
		"a canary that can't come back": {func(c *Config) { c.SMTP, c.Outbox, c.Canary.Every = nil, "x", time.Hour }, "canary.every: needs smtp"},
	} {
		t.Run(name, func(t *testing.T) {
			c := base()
			tt.change(&c)
			err := c.Validate()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestPlainConnectionsAreForThisMachine(t *testing.T) {
	at := func(host string) Config {
		return Config{Name: "a", Address: testAddress, Outbox: "x", IMAP: &IMAP{Host: host, TLS: TLSNone, Username: "u", Password: "p"}}
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "localhost.evil.example": false, "10.0.0.1": false, "imap.example": false} {
		if err := at(host).Validate(); (err == nil) != want {
			t.Errorf("%s: %v", host, err)
		}
	}
	c := at("10.0.0.1")
	c.IMAP.Insecure = true
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	ok := Config{Name: "a", Address: testAddress, Outbox: "x", Direct: &Direct{Listen: ":0"}}
	for _, d := range []Deps{{}, {Key: []byte("short"), Extractor: testExtractor(), Renderer: testRenderer}, {Key: testKey, Renderer: testRenderer}} {
		if _, err := New(ok, d); err == nil {
			t.Errorf("no error for %+v", d)
		}
	}
}
