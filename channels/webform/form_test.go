package webform

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	altcha "github.com/altcha-org/altcha-lib-go"
	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
)

const testKey = "0123456789abcdef0123456789abcdef"

// bench is a form with a gateway behind it, in virtual time.
type bench struct {
	*testing.T
	gateway *intake.Gateway
	form    *Form
	echo    *echo.Echo
	mails   *mails
	refused map[string]int
	visitor string // address of the visitor
}

// mails is the channel that answers go to.
type mails struct {
	mu  sync.Mutex
	all []intake.Message
}

func (m *mails) Reply(_ context.Context, msg intake.Message) (json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, msg)
	return nil, nil
}

func (m *mails) to(address string) (kinds []intake.MessageKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range m.all {
		if msg.To.Address == address {
			kinds = append(kinds, msg.Kind)
		}
	}
	return kinds
}

// set changes how the form of a bench is made.
type set func(*Config, *Deps)

func onBench(t *testing.T, fn func(b *bench), sets ...set) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sets...)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.gateway.Run(ctx) }()
		fn(b)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func newBench(t *testing.T, sets ...set) *bench {
	t.Helper()
	ids := identity.Default()
	spec := rules.Default()
	spec.Mode, spec.Required = intake.ModeAuto, rules.RequiredShort
	spec.Contact = rules.Contact{Name: "Mia", Email: "mia@vendor.example"}
	policy := must(rules.New(spec, ids))(t)
	links := must(intake.NewLinks("https://partners.vendor.example", []byte(testKey)))(t)
	b := &bench{T: t, mails: &mails{}, refused: make(map[string]int), visitor: "192.0.2.1:1234"}
	b.gateway = must(intake.New(intake.Options{
		Store: memstore.New(), Policy: policy, Identity: ids, Numbers: must(intake.NewNumbering("LG", []byte("0123456789abcdef")))(t),
		Program: "Vendor", Links: links,
	}))(t)
	b.gateway.Register("email", b.mails)
	err := b.gateway.PutPartners(t.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}, Subdomains: []string{"alpha.example"}},
		{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	site := must(pages.New(pages.Options{Program: "Vendor", URL: "https://partners.vendor.example", Now: time.Now}))(t)
	c := Config{Enabled: true, Captcha: captcha.Config{MaxNumber: 1000}, Limits: Limits{Minute: 1000}}
	d := Deps{
		Site: site, Gateway: b.gateway, Identity: ids, Read: extract.New(ids, extract.Options{}).Value, Key: []byte(testKey),
		Answers: "email", Contact: "mia@vendor.example", Refused: func(why string) { b.refused[why]++ },
	}
	for _, s := range sets {
		s(&c, &d)
	}
	if d.Gate == nil {
		d.Gate = must(captcha.New(c.Captcha, captcha.Options{Key: []byte(testKey), ChallengeURL: PathChallenge, AssetsURL: PathCaptcha}))(t)
	}
	b.form = must(New(c, d))(t)
	b.echo = echo.New()
	b.echo.IPExtractor = echo.ExtractIPDirect()
	if err := b.form.MountAssets(b.echo); err != nil {
		t.Fatal(err)
	}
	b.form.Mount(site.Mount(b.echo), b.gateway)
	return b
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// answer is what the form answered.
type answer struct {
	*http.Response
	body string
}

func (b *bench) do(req *http.Request) answer {
	b.Helper()
	req.RemoteAddr = b.visitor
	rec := httptest.NewRecorder()
	b.echo.ServeHTTP(rec, req)
	res := rec.Result()
	body := must(io.ReadAll(res.Body))(b.T)
	return answer{res, string(body)}
}

func (b *bench) get(path string) answer {
	b.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, "https://partners.vendor.example"+path, nil))
}

var openedField = regexp.MustCompile(`name="opened" value="([^"]+)"`)

// opened opens the form as a person does, who takes a minute to fill it in.
func (b *bench) opened(path string) string {
	b.Helper()
	got := b.get(path)
	m := openedField.FindStringSubmatch(got.body)
	if got.StatusCode != http.StatusOK || m == nil {
		b.Fatalf("GET %s: %d\n%s", path, got.StatusCode, got.body)
	}
	time.Sleep(time.Minute)
	return m[1]
}

// solved is a token of ALTCHA as the widget makes it.
func (b *bench) solved() string {
	b.Helper()
	var c altcha.Challenge
	if err := json.Unmarshal([]byte(b.get(PathChallenge).body), &c); err != nil {
		b.Fatal(err)
	}
	s, err := altcha.SolveChallenge(c.Challenge, c.Salt, altcha.Algorithm(c.Algorithm), int(c.MaxNumber), 0, nil)
	if err != nil || s == nil {
		b.Fatalf("not solved: %v", err)
	}
	p := must(json.Marshal(altcha.Payload{Algorithm: c.Algorithm, Challenge: c.Challenge, Number: int64(s.Number), Salt: c.Salt, Signature: c.Signature}))(b.T)
	return base64.StdEncoding.EncodeToString(p)
}

// filled is a form that was filled in, opened a minute ago.
func (b *bench) filled(path string) url.Values {
	b.Helper()
	return url.Values{
		"opened": {b.opened(path)}, "altcha": {b.solved()}, "company_name": {"Acme GmbH"}, "company_domain": {"acme.example"},
		"contact_name": {"Jane Doe"}, "contact_email": {"jane@acme.example"}, "problem": {"They lose a day a week to reporting."},
		"submitter_name": {"Ana"}, "submitter_email": {"ana@alpha.example"}, "consent": {"yes"},
	}
}

func (b *bench) post(path string, v url.Values, headers ...string) answer {
	b.Helper()
	req := httptest.NewRequest(http.MethodPost, "https://partners.vendor.example"+path, strings.NewReader(v.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.do(req)
}

// with is v with other values; an empty one is left out.
func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, vs := range v {
		out[k] = vs
	}
	for i := 0; i < len(pairs); i += 2 {
		if out.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			out.Del(pairs[i])
		}
	}
	return out
}

func (b *bench) cases() []intake.Registration {
	b.Helper()
	all, err := b.gateway.Cases(context.Background(), intake.CaseQuery{Limit: 1000})
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// wantCases checks how many cases there are and returns the newest.
func (b *bench) wantCases(n int) intake.Registration {
	b.Helper()
	all := b.cases()
	if len(all) != n {
		b.Fatalf("%d cases, want %d: %+v", len(all), n, all)
	}
	if n == 0 {
		return intake.Registration{}
	}
	return all[0]
}

// taken follows the answer to the page of what came in.
func (b *bench) taken(a answer) answer {
	b.Helper()
	at := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(at, intake.PathDone) {
		b.Fatalf("%d to %q\n%s", a.StatusCode, at, faultsOf(a.body))
	}
	done := b.get(at)
	if done.StatusCode != http.StatusOK {
		b.Fatalf("the page after it: %d", done.StatusCode)
	}
	return done
}

// refusedWith checks that the form came back with what was typed.
func (b *bench) refusedWith(a answer, status int, v url.Values) {
	b.Helper()
	if a.StatusCode != status || !strings.Contains(a.body, "<title>Error: ") || !strings.Contains(a.body, `id="faults"`) {
		b.Fatalf("%d, want %d\n%s", a.StatusCode, status, a.body)
	}
	for _, name := range []string{"company_name", "contact_email", "submitter_email"} {
		if typed := v.Get(name); typed != "" && !strings.Contains(a.body, `value="`+typed+`"`) {
			b.Errorf("%s was lost", name)
		}
	}
	if was := v.Get("opened"); was != "" && strings.Contains(a.body, was) {
		b.Error("it is the same form, which can be sent once")
	}
}

var tags = regexp.MustCompile(`<[^>]*>`)

// faultsOf are the words of the error summary.
func faultsOf(body string) string {
	_, body, _ = strings.Cut(body, `id="faults"`)
	body, _, _ = strings.Cut(body, "<form")
	return strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
}

// partnersPath is the form behind a partner's own link.
func (b *bench) partnersPath(id string) string { return b.linkPath(id, intake.PurposeForm) }

func (b *bench) linkPath(id string, purpose intake.Purpose) string {
	b.Helper()
	link, _, err := b.gateway.FormLink(b.Context(), id, purpose)
	if err != nil {
		b.Fatal(err)
	}
	u := must(url.Parse(link))(b.T)
	return u.RequestURI()
}

func (b *bench) lastLink() string {
	b.Helper()
	b.mails.mu.Lock()
	defer b.mails.mu.Unlock()
	for i := len(b.mails.all) - 1; i >= 0; i-- {
		if l := b.mails.all[i].Facts.ConfirmLink; l != "" {
			return must(url.Parse(l))(b.T).RequestURI()
		}
	}
	b.Fatal("no link was mailed")
	return ""
}

func confirmation(v ...string) url.Values {
	return url.Values{"say": {"mine"}, "case": v}
}

func fmtCase(r intake.Registration) string { return fmt.Sprintf("%s %s", r.Number, r.Status) }
