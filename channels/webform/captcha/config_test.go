package captcha

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestFaultsOfTheConfiguration(t *testing.T) {
	with := func(k Kind, change func(*Config)) Config {
		c := testConfig(k, "")
		if change != nil {
			change(&c)
		}
		return c
	}
	for name, tt := range map[string]struct {
		config Config
		want   []string // beginnings of all faults
	}{
		"nothing set is ALTCHA":          {Config{}, nil},
		"reCAPTCHA v2":                   {with(KindRecaptchaV2, nil), nil},
		"reCAPTCHA v3":                   {with(KindRecaptchaV3, nil), nil},
		"Enterprise":                     {with(KindRecaptchaEnterprise, nil), nil},
		"Turnstile":                      {with(KindTurnstile, nil), nil},
		"hCaptcha":                       {with(KindHCaptcha, nil), nil},
		"Friendly Captcha":               {with(KindFriendly, nil), nil},
		"a provider that is none":        {with("recaptcha", nil), []string{`provider "recaptcha": is none of [altcha `}},
		"no captcha in public":           {Config{Provider: KindOff}, []string{`provider "off": is for pages that this machine alone`}},
		"all keys missing, told at once": {Config{Provider: KindRecaptchaEnterprise}, []string{"site_key: is missing", "secret: is missing", "hostnames: is missing", `project "": want`}},
		"an empty secret":                {with(KindTurnstile, func(c *Config) { c.Secret = "" }), []string{"secret: is missing"}},
		"a secret with a blank":          {with(KindTurnstile, func(c *Config) { c.Secret += " " }), []string{"secret: has blanks"}},
		"one key for both":               {with(KindTurnstile, func(c *Config) { c.Secret = c.SiteKey }), []string{"secret: is the same as site_key"}},
		"test keys of reCAPTCHA":         {with(KindRecaptchaV2, googleTest), []string{"site_key: is one that the provider publishes for tests", "secret: is one that"}},
		"a test secret alone":            {with(KindRecaptchaV3, func(c *Config) { site := c.SiteKey; googleTest(c); c.SiteKey = site }), []string{"secret: is one that"}},
		"test keys of Turnstile":         {with(KindTurnstile, turnstileTest), []string{"site_key: is one that", "secret: is one that"}},
		"test keys of hCaptcha":          {with(KindHCaptcha, hcaptchaTest), []string{"site_key: is one that", "secret: is one that"}},
		"test keys that are meant":       {with(KindRecaptchaV2, func(c *Config) { googleTest(c); c.TestKeys = true; c.Hostnames = nil }), nil},
		"test keys meant that are none":  {with(KindRecaptchaV2, func(c *Config) { c.TestKeys = true }), []string{"test_keys: the keys are none"}},
		"no hosts":                       {with(KindHCaptcha, func(c *Config) { c.Hostnames = nil }), []string{"hostnames: is missing"}},
		"hosts that are none": {with(KindHCaptcha, func(c *Config) {
			c.Hostnames = []string{"https://a.example", "a.example:8", "*.a.example", "", "b.example"}
		}), []string{"hostnames[0] ", "hostnames[1] ", "hostnames[2] ", "hostnames[3] "}},
		"hosts in all forms":                {with(KindHCaptcha, func(c *Config) { c.Hostnames = []string{"A.Example.", "localhost", "192.0.2.1", "2001:db8::1"} }), nil},
		"a project that is none":            {with(KindRecaptchaEnterprise, func(c *Config) { c.Project = "a/../b" }), []string{`project "a/../b": want`}},
		"an action that is none":            {with(KindRecaptchaV3, func(c *Config) { c.Action = "register lead" }), []string{`action "register lead": want`}},
		"a score above all":                 {with(KindRecaptchaV3, func(c *Config) { c.MinScore = 1.1 }), []string{"min_score: want 0 to 1"}},
		"a score that is no number":         {with(KindRecaptchaV3, func(c *Config) { c.MinScore = math.NaN() }), []string{"min_score: want 0 to 1"}},
		"an address in the clear":           {with(KindFriendly, func(c *Config) { c.URL = "http://eu.frcapi.com" }), []string{`url "http://eu.frcapi.com": must begin with https://`}},
		"an address of ours in the clear":   {with(KindFriendly, func(c *Config) { c.URL = "http://127.0.0.1:8080/" }), nil},
		"a host that looks like us":         {with(KindFriendly, func(c *Config) { c.URL = "http://127.0.0.1.evil.example" }), []string{"url "}},
		"an address with a path":            {with(KindRecaptchaV2, func(c *Config) { c.URL = "https://www.recaptcha.net/recaptcha/api/siteverify" }), []string{"url "}},
		"a password in an address":          {with(KindRecaptchaV2, func(c *Config) { c.URL = "https://u:hunter2@www.recaptcha.net" }), []string{`url "https://u:xxxxx@www.recaptcha.net": want`}},
		"an address that is none":           {with(KindRecaptchaV2, func(c *Config) { c.URL = "www.recaptcha.net" }), []string{"url "}},
		"a widget in the clear":             {with(KindRecaptchaV2, func(c *Config) { c.WidgetURL = "http://www.recaptcha.net" }), []string{"widget_url "}},
		"a time-out that is too long":       {with(KindTurnstile, func(c *Config) { c.Timeout = 5 * time.Second }), []string{"timeout 5s: want"}},
		"a time-out that is too short":      {with(KindTurnstile, func(c *Config) { c.Timeout = time.Millisecond }), []string{"timeout 1ms: want"}},
		"ways that are none":                {Config{OnOutage: "pass", WithoutToken: "pass"}, []string{`on_outage "pass": want`, `without_token "pass": want`}},
		"work that is none":                 {Config{MaxNumber: 10}, []string{"max_number 10: want"}},
		"work without an end":               {Config{MaxNumber: math.MaxInt64}, []string{"max_number "}},
		"what ALTCHA does nothing with":     {with(KindAltcha, func(c *Config) { c.URL, c.MinScore, c.Action = "https://a.example", 0.5, "x" }), []string{"site_key: does nothing", "secret: does nothing", "hostnames: does nothing", "url: does nothing", "action: does nothing", "min_score: does nothing"}},
		"what the checkbox does nothing by": {with(KindRecaptchaV2, func(c *Config) { c.MinScore, c.Action, c.Project, c.MaxNumber = 0.5, "x", "project", 5000 }), []string{"project: does nothing", "action: does nothing", "min_score: does nothing", "max_number: does nothing"}},
		"a widget that Turnstile has not":   {with(KindTurnstile, func(c *Config) { c.WidgetURL = "https://a.example" }), []string{"widget_url: does nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			faults := tt.config.Validate(Public)
			if len(faults) != len(tt.want) {
				t.Fatalf("faults %q, want %q", faults, tt.want)
			}
			for i, f := range faults {
				if !strings.HasPrefix(f.Error(), tt.want[i]) || strings.Contains(f.Error(), ourSecret) || strings.Contains(f.Error(), "hunter2") {
					t.Errorf("fault %q, want %q", f, tt.want[i])
				}
				if !keyed.MatchString(f.Error()) {
					t.Errorf("fault %q does not begin with its key", f)
				}
			}
			if g, err := New(tt.config, altchaOptions(&clock{})); (err != nil) != (len(faults) > 0) {
				t.Errorf("a gate of it: %v", err)
			} else if g != nil {
				_ = g.Close()
			}
		})
	}
}

// keyed is how the configuration of the whole gateway finds the line of a fault.
var keyed = regexp.MustCompile(`^([a-z_][a-z_.\[\]0-9]*)(?:: (.*)| (["0-9-].*))$`)

func googleTest(c *Config) {
	c.SiteKey, c.Secret = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI", "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"
}

func turnstileTest(c *Config) {
	c.SiteKey, c.Secret = "1x00000000000000000000AA", "2x0000000000000000000000000000000AA"
}

func hcaptchaTest(c *Config) {
	c.SiteKey, c.Secret = "10000000-ffff-ffff-ffff-000000000001", "0x0000000000000000000000000000000000000000"
}

func TestPublishedTestKeysAreKnown(t *testing.T) {
	for _, key := range []string{
		"1x00000000000000000000AA", "2x00000000000000000000AB", "1x00000000000000000000BB", "2x00000000000000000000BB", "3x00000000000000000000FF",
		"1x0000000000000000000000000000000AA", "2x0000000000000000000000000000000AA", "3x0000000000000000000000000000000AA",
		"10000000-ffff-ffff-ffff-000000000001", "20000000-ffff-ffff-ffff-000000000002", "30000000-ffff-ffff-ffff-000000000003",
		"0x0000000000000000000000000000000000000000",
	} {
		if !isTestKey(key) {
			t.Errorf("%s is not known", key)
		}
	}
	for _, key := range []string{"0x4AAAAAAADnPIDROrmt1Wwj", "0x0000000000000000000000000000000000000001", "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhJ", ""} {
		if isTestKey(key) {
			t.Errorf("%q is taken for one", key)
		}
	}
}

func TestTestKeysPassWhatTheProvidersTestsSay(t *testing.T) {
	p := newPeer(t, KindRecaptchaV2)
	p.secret = "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"
	s := goodToken()
	s.host = "testkey.google.com"
	p.knows("token", s)
	c := testConfig(KindRecaptchaV2, p.URL)
	googleTest(&c)
	c.TestKeys, c.Hostnames = true, nil
	if d := open(t, c, Options{}).Decide(t.Context(), check("token")); d.Action != ActionPass {
		t.Errorf("%s", describe(d))
	}
	if w := c.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "test_keys: ") {
		t.Errorf("warnings %q", w)
	}
}

func TestWhatIsWorthASecondLook(t *testing.T) {
	for name, tt := range map[string]struct {
		config Config
		want   string
	}{
		"nothing":                {Config{}, ""},
		"an outage for ALTCHA":   {Config{OnOutage: OutageOpen}, ""},
		"an outage that is open": {Config{Provider: KindTurnstile, OnOutage: OutageOpen}, "on_outage: "},
		"no captcha":             {Config{Provider: KindOff}, "provider: "},
	} {
		w := tt.config.Warnings()
		if (len(w) == 0) != (tt.want == "") || len(w) > 0 && !strings.HasPrefix(w[0], tt.want) {
			t.Errorf("%s: %q, want %q", name, w, tt.want)
		}
	}
}

func TestTheKeysOfAFileAreTheFieldsOfTheConfiguration(t *testing.T) {
	const text = `
provider: recaptcha-enterprise
site_key: a
secret: b
project: vendor-forms
hostnames: [partners.vendor.example]
action: lead
min_score: 0.7
url: https://a.example
widget_url: https://www.recaptcha.net
timeout: 3s
max_number: 1000
on_outage: closed
without_token: refuse
test_keys: true
`
	var c Config
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	want := Config{
		Provider: KindRecaptchaEnterprise, SiteKey: "a", Secret: "b", Project: "vendor-forms",
		Hostnames: []string{"partners.vendor.example"}, Action: "lead", MinScore: 0.7, URL: "https://a.example",
		WidgetURL: "https://www.recaptcha.net", Timeout: 3 * time.Second, MaxNumber: 1000,
		OnOutage: OutageClosed, WithoutToken: TokenlessRefuse, TestKeys: true,
	}
	type bare Config // which prints
	if fmt.Sprintf("%+v", bare(c)) != fmt.Sprintf("%+v", bare(want)) {
		t.Errorf("%+v", bare(c))
	}
	for _, shown := range []string{fmt.Sprint(want), fmt.Sprintf("%#v", want), slog.AnyValue(want).Resolve().String()} {
		if shown != "captcha recaptcha-enterprise" {
			t.Errorf("shown as %q", shown)
		}
	}
}

func TestANewGateTellsAllFaultsAtOnce(t *testing.T) {
	_, err := New(Config{Provider: KindFriendly}, Options{})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("error %v", err)
	}
	if g, err := New(Config{Provider: KindOff}, Options{}); err == nil || g != nil {
		t.Error("no captcha in public, and nobody said that the pages are not")
	}
}

func TestAConfigurationIsNotChanged(t *testing.T) {
	c := testConfig(KindHCaptcha, "")
	c.Hostnames = []string{"A.Example."}
	open(t, c, Options{})
	if c.Hostnames[0] != "A.Example." || c.Timeout != 0 {
		t.Errorf("hostnames %v, timeout %v", c.Hostnames, c.Timeout)
	}
}

func TestWhatAPageNeeds(t *testing.T) {
	for _, tt := range []struct {
		kind                   Kind
		field, script, element string
		policy                 string
	}{
		{
			KindRecaptchaV2, "g-recaptcha-response", "https://www.google.com/recaptcha/api.js",
			`<div class="g-recaptcha" data-sitekey="site-key-of-the-vendor"></div>`,
			"connect-src https://www.google.com/recaptcha/; frame-src https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/; script-src https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
		},
		{
			KindRecaptchaV3, "g-recaptcha-response", "https://www.google.com/recaptcha/api.js?render=site-key-of-the-vendor",
			`<input data-action="register" data-captcha="recaptcha-v3" data-sitekey="site-key-of-the-vendor" name="g-recaptcha-response" type="hidden">`,
			"connect-src https://www.google.com/recaptcha/; frame-src https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/; script-src https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
		},
		{
			KindRecaptchaEnterprise, "g-recaptcha-response", "https://www.google.com/recaptcha/enterprise.js?render=site-key-of-the-vendor",
			`<input data-action="register" data-captcha="recaptcha-enterprise" data-sitekey="site-key-of-the-vendor" name="g-recaptcha-response" type="hidden">`,
			"connect-src https://www.google.com/recaptcha/; frame-src https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/; script-src https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
		},
		{
			KindTurnstile, "cf-turnstile-response", "https://challenges.cloudflare.com/turnstile/v0/api.js",
			`<div class="cf-turnstile" data-action="register" data-sitekey="site-key-of-the-vendor"></div>`,
			"frame-src https://challenges.cloudflare.com; script-src https://challenges.cloudflare.com",
		},
		{
			KindHCaptcha, "h-captcha-response", "https://js.hcaptcha.com/1/api.js?recaptchacompat=off",
			`<div class="h-captcha" data-sitekey="site-key-of-the-vendor"></div>`,
			"connect-src https://hcaptcha.com https://*.hcaptcha.com; frame-src https://hcaptcha.com https://*.hcaptcha.com; script-src https://hcaptcha.com https://*.hcaptcha.com; style-src https://hcaptcha.com https://*.hcaptcha.com",
		},
		{
			KindFriendly, "frc-captcha-response", "https://cdn.jsdelivr.net/npm/@friendlycaptcha/sdk@1.0.2/site.min.js",
			`<div class="frc-captcha" data-api-endpoint="https://global.frcapi.com" data-sitekey="site-key-of-the-vendor"></div>`,
			"frame-src https://global.frcapi.com; script-src https://cdn.jsdelivr.net/npm/@friendlycaptcha/sdk@1.0.2/site.min.js",
		},
	} {
		w := open(t, testConfig(tt.kind, ""), Options{}).Widget()
		if w.Provider != tt.kind || w.Field != tt.field || len(w.Scripts) != 1 || w.Scripts[0].URL != tt.script || string(w.Element.HTML()) != tt.element || header(w.Policy) != tt.policy {
			t.Errorf("%s:\n%+v\n%s\n%s", tt.kind, w, w.Element.HTML(), header(w.Policy))
		}
		if !w.ThirdParty || w.Privacy == "" || (w.Execute != "") != kinds[tt.kind].score {
			t.Errorf("%s: third party %t, privacy %q, execute %q", tt.kind, w.ThirdParty, w.Privacy, w.Execute)
		}
	}
	w := open(t, Config{}, altchaOptions(&clock{})).Widget()
	if w.ThirdParty || w.Privacy != "" || w.Field != "altcha" ||
		w.Scripts[0] != (Script{URL: "/assets/altcha/altcha.js", Module: true}) || !slices.Equal(w.Styles, []string{"/assets/altcha/altcha.css"}) ||
		w.Element.HTML() != `<altcha-widget auto="onfocus" challengeurl="/register/challenge" hidefooter="" hidelogo="" maxnumber="50000" name="altcha"></altcha-widget>` ||
		header(w.Policy) != "connect-src 'self'; script-src 'self'; style-src 'self'; worker-src 'self'" {
		t.Errorf("%+v\n%s\n%s", w, w.Element.HTML(), header(w.Policy))
	}
}

func header(p Policy) string {
	var parts []string
	for directive, sources := range p {
		parts = append(parts, directive+" "+strings.Join(sources, " "))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

func TestOtherOriginsOfAProviderAreForBrowsersToo(t *testing.T) {
	for _, tt := range []struct {
		kind        Kind
		url, widget string
		want        string
	}{
		{KindRecaptchaV2, "https://www.recaptcha.net", "", "https://www.recaptcha.net"},
		{KindRecaptchaV3, "https://www.recaptcha.net/", "", "https://www.recaptcha.net"},
		{KindRecaptchaV3, "https://proxy.vendor.example", "", "https://www.google.com"},
		{KindRecaptchaEnterprise, "", "https://www.recaptcha.net", "https://www.recaptcha.net"},
		{KindFriendly, "https://eu.frcapi.com", "", "https://eu.frcapi.com"},
		{KindFriendly, "https://eu.frcapi.com", "https://captcha.vendor.example", "https://captcha.vendor.example"},
	} {
		c := testConfig(tt.kind, tt.url)
		c.WidgetURL = tt.widget
		w := open(t, c, Options{}).Widget()
		if !strings.HasPrefix(w.Policy["frame-src"][0], tt.want) || !strings.HasPrefix(w.Scripts[0].URL+w.Element.Attrs["data-api-endpoint"], map[bool]string{true: friendlyScript}[tt.kind == KindFriendly]+tt.want) {
			t.Errorf("%s at %q: %+v", tt.kind, tt.url, w)
		}
	}
}

func TestWhatIsInAnElementIsEscaped(t *testing.T) {
	c := testConfig(KindRecaptchaV2, "")
	c.SiteKey = `"><script>alert(1)</script>`
	if got := open(t, c, Options{}).Widget().Element.HTML(); strings.Contains(string(got), "<script>") || strings.Count(string(got), `"`) != 4 {
		t.Errorf("%s", got)
	}
	c = testConfig(KindRecaptchaV3, "")
	c.SiteKey = "a&b=c"
	if got := open(t, c, Options{}).Widget().Scripts[0].URL; !strings.HasSuffix(got, "render=a%26b%3Dc") {
		t.Errorf("%s", got)
	}
}

func TestTheWidgetInTheHouseIsTheOneThatItsNoteNames(t *testing.T) {
	const dir = "../assets/altcha/"
	note, err := os.ReadFile(dir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"altcha.js", "altcha.css", "worker.js"} {
		b, err := os.ReadFile(dir + file)
		if err != nil {
			t.Fatal(err)
		}
		if row := fmt.Sprintf("| `%s` | `%x` |", file, sha256.Sum256(b)); !strings.Contains(string(note), row) {
			t.Errorf("the note does not have %s", row)
		}
	}
	for file, words := range map[string]string{"LICENSE.txt": "Permission is hereby granted", "LICENSE-svelte.txt": "Svelte Contributors"} {
		if b, err := os.ReadFile(dir + file); err != nil || !strings.Contains(string(b), words) {
			t.Errorf("%s: %v", file, errors.Join(err))
		}
	}
}
