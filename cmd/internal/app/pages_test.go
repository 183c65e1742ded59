package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/rules"
)

// office is a running gateway with pages, and a case to decide.
type office struct {
	*testing.T
	app  *App
	cfg  config.Config
	at   string // http://127.0.0.1:port
	log  *lockedBuffer
	name string // of the case
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openOffice(t *testing.T, change ...func(*config.Config)) *office {
	t.Helper()
	c := testConfig(t.TempDir())
	c.Program, c.Policy.Timezone = "Northwind Cloud", "Europe/Brussels"
	c.Policy.Tiers = map[string]rules.Tier{"gold": {Window: intake.Span{Value: 120, Unit: intake.Days}}}
	c.Policy.BlockedDomains = []string{"blocked.example"}
	c.Pages = config.Pages{Listen: "127.0.0.1:0", URL: "https://partners.vendor.example/desk", TrustedProxies: []string{"127.0.0.0/8"}}
	c.Staff = []intake.Staff{
		{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}},
		{Name: "jo", Email: "jo@vendor.example", Roles: []intake.Role{intake.RoleRevOps}},
		{Name: "vic", Email: "vic@vendor.example", Roles: []intake.Role{intake.RoleViewer}},
	}
	for _, fn := range change {
		fn(&c)
	}
	o := &office{T: t, cfg: c, log: &lockedBuffer{}}
	var err error
	o.app, err = Open(c, slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, o.app)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	o.at = "http://" + o.app.pagesOn.Addr().String()
	p := intake.Partner{ID: "brightpath", Name: "Brightpath BV", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"brightpath.example"}, Manager: intake.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}}
	if err := o.app.Gateway().PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	o.name = o.register("1", "Contoso <b>&</b> Söhne GmbH", "contoso-soehne.example")
	return o
}

// register takes in a complete registration and waits until it is in review.
func (o *office) register(key, company, domain string) string {
	o.Helper()
	receipt, err := o.app.Gateway().Accept(o.Context(), intake.Submission{
		Key: key, Channel: "email", ReceivedAt: time.Now(),
		Sender: intake.Sender{Address: "ana@brightpath.example", Strength: intake.StrengthDomain}, Subject: "New lead", Text: "Company: " + company + "\nThey lose a day a week.",
		Lead: intake.Lead{
			intake.FieldCompanyName: company, intake.FieldCompanyDomain: domain,
			intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@" + domain, intake.FieldContactRole: "CTO",
			intake.FieldProblem: "They lose a day a week to manual reporting.", intake.FieldStage: intake.StageNewIntro, intake.FieldConsent: intake.ConsentYes,
		},
		Evidence: map[intake.Field]string{intake.FieldProblem: "They lose a day a week."},
	})
	if err != nil {
		o.Fatal(err)
	}
	for o.is(receipt.Case).Status != intake.StatusInReview {
		if o.Context().Err() != nil {
			o.Fatal("it never came into review")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return receipt.Case
}

func (o *office) is(number string) intake.Registration { return o.story(number).Registration }

func (o *office) story(number string) intake.Dossier {
	o.Helper()
	d, err := o.app.Gateway().Dossier(context.WithoutCancel(o.Context()), number)
	if err != nil {
		o.Fatal(err)
	}
	return d
}

// desk and status are paths of pages about a case as it is now.
func (o *office) desk(number string, act intake.StaffAct, by string) string {
	r := o.is(number)
	return o.path(o.app.Links().Desk(intake.DeskGrant(&r, act, by, time.Now())))
}

func (o *office) status(number string) string {
	r := o.is(number)
	return o.path(o.app.Links().Status(intake.StatusGrant(&r, time.Now())))
}

func (o *office) path(link string) string {
	o.Helper()
	path, ok := strings.CutPrefix(link, o.cfg.Pages.URL)
	if !ok {
		o.Fatalf("%s is not below the address of the pages", link)
	}
	return path
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (o *office) do(method, path string, form url.Values, header ...string) (*http.Response, string) {
	o.Helper()
	req, err := http.NewRequestWithContext(o.Context(), method, o.at+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	return resp, string(b)
}

func (o *office) want(what string, resp *http.Response, body string, status int, words ...string) {
	o.Helper()
	if resp.StatusCode != status {
		o.Errorf("%s: %s, want %d\n%s", what, resp.Status, status, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			o.Errorf("%s: does not say %q:\n%s", what, w, body)
		}
	}
}

var shown = regexp.MustCompile(`name="shown" value="(\d+)"`)

func TestStaffDecideOnAPageThatOnlySendingItsFormActsOn(t *testing.T) {
	o := openOffice(t)
	path := o.desk(o.name, intake.ActDecline, "mia")
	for _, method := range []string{"GET", "HEAD", "GET"} {
		resp, body := o.do(method, path, nil)
		o.want(method, resp, body, 200)
		if method == "GET" {
			o.want(method, resp, body, 200, "Decline <bdi>Contoso &lt;b&gt;&amp;&lt;/b&gt; Söhne GmbH</bdi>", "Brightpath BV", "They lose a day a week.", "Choose a reason")
		}
	}
	for _, e := range o.story(o.name).Events {
		if strings.HasPrefix(e.Actor, "staff:") {
			t.Fatalf("looking at it did something: %+v", e)
		}
	}
	_, body := o.do("GET", path, nil)
	m := shown.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the form does not say what was shown:\n%s", body)
	}
	f := url.Values{"reason": {"existing_deal"}, "rationale": {"short"}, "message": {"Sorry </textarea><script>alert(1)</script>"}, "shown": {m[1]}}
	resp, body := o.do("POST", path, f)
	o.want("a short rationale", resp, body, 422, "<title>Error: ", "at least 10 characters", `href="#rationale"`, `value="existing_deal" selected`, ">short</textarea>", "&lt;/textarea&gt;&lt;script&gt;")
	f.Set("rationale", "We have talked to them since May.")
	f.Set("reason", "burn_them")
	resp, body = o.do("POST", path, f)
	o.want("a reason that is none", resp, body, 422, "Choose a reason.", "We have talked to them since May.")
	f.Set("reason", "existing_deal")
	for name, header := range map[string][]string{
		"from another site":        {"Sec-Fetch-Site", "cross-site"},
		"from another subdomain":   {"Sec-Fetch-Site", "same-site"},
		"from an old browser":      {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		"from who knows what":      {"Sec-Fetch-Site", ""},
		"from a page without name": {"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		resp, body = o.do("POST", path, f, header...)
		o.want(name, resp, body, 403, "Nothing was changed")
	}
	big := url.Values{"message": {strings.Repeat("x", 70<<10)}}
	resp, body = o.do("POST", path, big)
	o.want("too much", resp, body, 413, "too much text")
	if r := o.is(o.name); r.Status != intake.StatusInReview {
		t.Fatalf("the case is %s", r.Status)
	}

	resp, body = o.do("POST", path, f)
	o.want("the decision", resp, body, 303)
	if to := resp.Header.Get("Location"); to != "/desk"+path {
		t.Errorf("it leads to %q", to)
	}
	r := o.is(o.name)
	if r.Status != intake.StatusDeclined || r.Reason != intake.ReasonExistingDeal || r.Rationale != "We have talked to them since May." {
		t.Errorf("the case is %s (%s), %q", r.Status, r.Reason, r.Rationale)
	}
	resp, body = o.do("GET", path, nil)
	o.want("afterwards", resp, body, 200, "Done: ", "mia, staff", "direct sales has an open deal")
	resp, body = o.do("POST", path, f)
	o.want("once more", resp, body, 409, "Done: ", "can't be used again")
	other := o.desk(o.name, intake.ActApprove, "mia")
	resp, body = o.do("POST", other, url.Values{})
	o.want("what the table does not have", resp, body, 409, "The case is “declined” now.")
}

// The links of messages name whoever they were sent to by address; what is done is recorded by
// name.
func TestALinkThatNamesAnAddressSaysThatItsOwnDecisionIsDone(t *testing.T) {
	o := openOffice(t)
	for act, number := range map[intake.StaffAct]string{
		intake.ActApprove: o.name, intake.ActDecline: o.register("2", "Fabrikam", "fabrikam.example"),
	} {
		path := o.desk(number, act, "Mia@vendor.example")
		other := o.desk(number, act, "jo@vendor.example")
		f := url.Values{"reason": {"existing_deal"}, "rationale": {"We have talked to them since May."}}
		resp, body := o.do("POST", path, f)
		o.want(string(act), resp, body, 303)
		resp, body = o.do("GET", path, nil)
		o.want(string(act)+", afterwards", resp, body, 200, "Done: ", "mia, staff", "Your decision is recorded")
		resp, body = o.do("POST", path, f)
		o.want(string(act)+", a double click", resp, body, 409, "Done: ", "can't be used again")
		resp, body = o.do("GET", other, nil)
		o.want(string(act)+", another's link", resp, body, 200, "Decided meanwhile", "Nothing was changed by it")
	}
}

func TestADeskPageSaysWhatHappenedInTheMeantime(t *testing.T) {
	o := openOffice(t)
	path := o.desk(o.name, intake.ActApprove, "mia")
	viewer := o.desk(o.name, intake.ActApprove, "vic")
	resp, body := o.do("GET", viewer, nil)
	o.want("a viewer", resp, body, 200, "Your role does not permit")
	if strings.Contains(body, "<form") {
		t.Error("a viewer is shown a form")
	}
	resp, body = o.do("POST", viewer, url.Values{"shown": {"1000"}})
	o.want("a viewer decides", resp, body, 403, "Your role does not permit")
	resp, body = o.do("POST", o.desk(o.name, intake.ActRelease, "mia"), url.Values{})
	if resp.StatusCode < 400 || resp.StatusCode > 501 {
		t.Errorf("an act that may not be there yet: %s\n%s", resp.Status, body)
	}
	resp, body = o.do("GET", o.desk(o.name, intake.ActApprove, "left"), nil)
	o.want("who has left", resp, body, 404)
	_, err := o.app.Gateway().Accept(t.Context(), intake.Submission{
		Key: "2", Channel: "email", ReceivedAt: time.Now(), Case: o.name,
		Sender: intake.Sender{Address: "ana@brightpath.example", Strength: intake.StrengthDomain},
		Lead:   intake.Lead{intake.FieldContactPhone: "+49 30 1234567"},
	})
	if err != nil {
		t.Fatal(err)
	}
	old := url.Values{"message": {"Welcome aboard"}}
	resp, body = o.do("POST", path, old)
	o.want("what was not shown", resp, body, 409, "has changed since you opened the page", "New since this link was sent", "Welcome aboard")
	m := shown.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no form:\n%s", body)
	}
	old.Set("shown", m[1])
	resp, body = o.do("POST", path, old)
	o.want("what was shown", resp, body, 303)
	late := o.desk(o.name, intake.ActExtend, "mia")
	if _, err := o.app.Gateway().Withdraw(t.Context(), o.name, intake.Verdict{By: "jo"}); err != nil {
		t.Fatal(err)
	}
	resp, body = o.do("POST", late, url.Values{"days": {"5"}})
	o.want("overtaken", resp, body, 409, "Decided meanwhile", "jo, staff", "Nothing was changed by it")
}

func TestAPartnerSeesHowACaseStands(t *testing.T) {
	o := openOffice(t)
	path := o.status(o.name)
	resp, body := o.do("GET", path, nil)
	o.want("in English", resp, body, 200, `<html lang="en">`, o.name, "Contoso &lt;b&gt;&amp;&lt;/b&gt; Söhne GmbH", "Submitted for review", "Mia Lund", "We decide", "CET")
	for _, secret := range []string{"Jane", "jane@", "CTO", "manual reporting", "brightpath", "contoso-soehne.example", "policy"} {
		if strings.Contains(strings.ToLower(body), strings.ToLower(secret)) {
			t.Errorf("it tells of %q", secret)
		}
	}
	resp, body = o.do("GET", path, nil, "Accept-Language", "de-AT,en;q=0.5")
	o.want("in German", resp, body, 200, `<html lang="de">`, "Liegt zur Entscheidung vor", "Ihr Ansprechpartner")
	resp, body = o.do("GET", path+"?lang=en", nil, "Accept-Language", "de")
	o.want("in the language asked for", resp, body, 200, "Submitted for review")
	resp, body = o.do("POST", path, url.Values{})
	if resp.StatusCode != 404 && resp.StatusCode != 405 {
		t.Errorf("a form to it: %s %s", resp.Status, body)
	}
}

// Whichever way a link is not good, the answer is the same to the byte.
func TestEveryLinkThatIsNotGoodGetsOneAnswer(t *testing.T) {
	o := openOffice(t)
	r := o.is(o.name)
	unknown := r
	unknown.Number = "LG-2026-000000-0"
	long := time.Now().Add(-2 * intake.LinkLife)
	status, desk := o.status(o.name), o.desk(o.name, intake.ActApprove, "mia")
	revoked := o.status(o.name)
	admins := admin.Local(o.app.AdminHandler())
	if _, err := admins.Decide(t.Context(), "unlink", o.name, admin.Decision{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	_, first := o.do("GET", "/status/x", nil)
	if !strings.Contains(first, "This link does not work") {
		t.Errorf("it says\n%s", first)
	}
	for name, path := range map[string]string{
		"revoked":          revoked,
		"cut off":          status[:len(status)-1],
		"of staff":         strings.Replace(desk, "/desk/", "/status/", 1),
		"of a partner":     strings.Replace(status, "/status/", "/desk/", 1),
		"expired":          o.path(o.app.Links().Status(intake.StatusGrant(&r, long))),
		"expired, desk":    o.path(o.app.Links().Desk(intake.DeskGrant(&r, intake.ActApprove, "mia", long))),
		"no case of ours":  o.path(o.app.Links().Status(intake.StatusGrant(&unknown, time.Now()))),
		"no case, desk":    o.path(o.app.Links().Desk(intake.DeskGrant(&unknown, intake.ActApprove, "mia", time.Now()))),
		"nobody of ours":   o.desk(o.name, intake.ActApprove, "left"),
		"nothing at all":   "/desk/%20",
		"somebody's words": "/status/" + url.PathEscape(`"><script>alert(1)</script>`),
	} {
		resp, body := o.do("GET", path, nil)
		if resp.StatusCode != 404 || body != first {
			t.Errorf("%s: %s\n%s", name, resp.Status, body)
		}
		if !strings.HasPrefix(path, "/desk/") {
			continue
		}
		if resp, body = o.do("POST", path, url.Values{}); resp.StatusCode != 404 || body != first {
			t.Errorf("%s, posted: %s\n%s", name, resp.Status, body)
		}
	}
	resp, body := o.do("GET", o.status(o.name), nil)
	o.want("a new link", resp, body, 200)
}

func TestEverybodyMayReadTheRules(t *testing.T) {
	o := openOffice(t)
	resp, body := o.do("GET", "/rules", nil)
	o.want("in English", resp, body, 200, "2 business days", "90 days", "Company name", "Partners of the tier gold", "120 days")
	resp, body = o.do("GET", "/rules?lang=de", nil)
	o.want("in German", resp, body, 200, "2 Arbeitstage", "90 Tage", "Firmenname", "Partner der Stufe gold", "120 Tage")
	resp, body = o.do("GET", "/rules.json", nil)
	var p intake.Published
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 200 || p.Hash == "" || p.Terms.Window.Value != 90 {
		t.Errorf("%s: %v\n%s", resp.Status, err, body)
	}
}

func TestPagesCannotBeFramedScriptedCachedOrToldAbout(t *testing.T) {
	o := openOffice(t)
	for path, status := range map[string]int{
		o.status(o.name): 200, o.desk(o.name, intake.ActApprove, "mia"): 200, "/status/x": 404, "/desk/x": 404,
		"/rules": 200, "/rules.json": 200, "/nothing": 404, "/": 404, "/livez": 404, "/assets/pages.css": 200,
	} {
		resp, body := o.do("GET", path, nil)
		h := resp.Header
		if resp.StatusCode != status {
			t.Errorf("%s: %s", path, resp.Status)
		}
		policy := "base-uri 'none'; default-src 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self'; style-src 'self'"
		if strings.HasPrefix(path, "/assets/") {
			policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
		}
		for key, want := range map[string]string{
			"Content-Security-Policy":   policy,
			"Referrer-Policy":           "no-referrer",
			"X-Content-Type-Options":    "nosniff",
			"X-Robots-Tag":              "noindex, nofollow",
			"Strict-Transport-Security": "max-age=31536000",
			"Set-Cookie":                "",
		} {
			if h.Get(key) != want {
				t.Errorf("%s: %s is %q, want %q", path, key, h.Get(key), want)
			}
		}
		public := strings.HasPrefix(path, "/rules") || strings.HasPrefix(path, "/assets")
		if noStore := h.Get("Cache-Control") == "no-store"; noStore == public {
			t.Errorf("%s: Cache-Control is %q", path, h.Get("Cache-Control"))
		}
		html := strings.HasPrefix(h.Get("Content-Type"), "text/html")
		for _, bad := range []string{"<script", "<style", " style=", " onclick", "javascript:", "http://", "https://"} {
			if html && strings.Contains(body, bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
	}
}

// The log of every outcome, a failing store among them, holds no token.
func TestNoTokenIsLogged(t *testing.T) {
	o := openOffice(t)
	status, desk := o.status(o.name), o.desk(o.name, intake.ActDecline, "mia")
	for _, path := range []string{status, desk, status + "x", desk + "x", status + "/more", desk + "/more"} {
		o.do("GET", path, nil)
		o.do("POST", path, url.Values{"reason": {"x"}})
		o.do("PUT", path, nil)
	}
	if err := o.app.store.Close(); err != nil {
		t.Fatal(err)
	}
	resp, body := o.do("GET", status, nil)
	o.want("without a store", resp, body, 500, "Something went wrong")
	o.do("GET", desk, nil)
	o.do("POST", desk, url.Values{})
	log := o.log.String()
	if !strings.Contains(log, "page failed") {
		t.Errorf("a page that failed was not logged:\n%s", log)
	}
	for _, path := range []string{status, desk} {
		token := path[strings.LastIndexByte(path, '/')+1:]
		if strings.Contains(log, token) || strings.Contains(log, token[:20]) {
			t.Errorf("the log holds the token of %s:\n%s", path, log)
		}
	}
}

func TestAVisitorWhoAsksTooOftenWaits(t *testing.T) {
	o := openOffice(t)
	knock := func(from string) *http.Response {
		resp, _ := o.do("GET", "/status/x", nil, "X-Forwarded-For", from)
		return resp
	}
	limited := 0
	for i := range 40 {
		resp := knock(fmt.Sprintf("2001:db8:1:1::%x", i+1)) // one customer's network
		if resp.StatusCode == 429 {
			limited++
			if resp.Header.Get("Retry-After") == "" {
				t.Error("no word of how long")
			}
		}
	}
	if limited < 5 || limited > 10 {
		t.Errorf("%d of 40 were limited", limited)
	}
	if resp := knock("2001:db8:1:2::1"); resp.StatusCode != 404 {
		t.Errorf("the neighbour gets %s", resp.Status)
	}
	if resp := knock("9.9.9.9, 2001:db8:1:1::1"); resp.StatusCode != 429 {
		t.Errorf("who makes up an address of his own gets %s", resp.Status)
	}
}

func TestWithoutATrustedProxyWhatVisitorsSayOfThemselvesIsNoMatter(t *testing.T) {
	o := openOffice(t, func(c *config.Config) { c.Pages.TrustedProxies = nil })
	last := 0
	for i := range 35 {
		resp, _ := o.do("GET", "/status/x", nil, "X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i))
		last = resp.StatusCode
	}
	if last != 429 {
		t.Errorf("the last of many gets %d", last)
	}
}

func TestWithoutPagesThereIsNoListenerAndNoLink(t *testing.T) {
	o := open(t, testConfig(t.TempDir()))
	stop := run(t, o)
	if o.Links() != nil || o.pages != nil {
		t.Error("there are pages")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// With LEADGATE_SHOW_PAGES=DIR the pages are served to be looked at in a browser: urls.json in
// DIR says where, and a file named stop there ends it.
func TestPagesAreServedToBeLookedAt(t *testing.T) {
	dir := os.Getenv("LEADGATE_SHOW_PAGES")
	if dir == "" {
		t.Skip("set LEADGATE_SHOW_PAGES to a directory")
	}
	o := openOffice(t, func(c *config.Config) { c.Pages.URL = "https://partners.vendor.example" })
	done := o.desk(o.name, intake.ActApprove, "mia")
	o.do("POST", done, url.Values{"shown": {"1000"}})
	second := o.register("9", "Fabrikam Präzisionsmaschinenbau und Anlagentechnik Gesellschaft mbH", "fabrikam.example")
	decline := o.desk(second, intake.ActDecline, "mia")
	blocked := o.register("10", "Blocked Industries", "blocked.example")
	urls := map[string]string{
		"against": o.desk(blocked, intake.ActApprove, "mia"), "viewer": o.desk(blocked, intake.ActApprove, "vic"),
		"status": o.status(o.name), "status-de": o.status(o.name) + "?lang=de", "review": o.status(second),
		"rules": "/rules", "rules-de": "/rules?lang=de", "desk": decline, "extend": o.desk(o.name, intake.ActExtend, "mia"), "done": done, "gone": "/status/x",
		"ask": o.desk(second, intake.ActAsk, "mia"),
	}
	b, err := json.Marshal(map[string]any{"at": o.at, "urls": urls})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "urls.json"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "stop")); err == nil || t.Context().Err() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
