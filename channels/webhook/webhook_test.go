package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"leadgate/channels/channeltest"
	"leadgate/channels/payload"
	"leadgate/intake"
	"leadgate/intake/signature"
)

const secret = "a-secret-of-a-test-0123"

// mac is what the schemes with t= and v1= sign, made without the code under test.
func mac(secret, t string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "%s.%s", t, body)
	return hex.EncodeToString(m.Sum(nil))
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeDesk knows the partners alpha and beta, references to them, and some cases.
type fakeDesk struct {
	mu    sync.Mutex
	cases []intake.Registration
	limit int // requests that are let in; 0 for any number
	seen  int
	err   error
}

func (d *fakeDesk) Admit(context.Context, intake.Admission) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen++; d.limit > 0 && d.seen > d.limit {
		return &intake.LimitError{After: 90 * time.Second}
	}
	return d.err
}

// Named takes "signed:alpha" and "signed:case:LG-1" for references, and "signed:alpha:msp" for
// one that counts in one programme.
func (d *fakeDesk) Named(ctx context.Context, value, program string) (intake.Named, error) {
	ref, signed := strings.CutPrefix(value, "signed:")
	if number, ok := strings.CutPrefix(ref, "case:"); ok && signed {
		r, err := d.CaseOf(ctx, number)
		return intake.Named{Partner: r.Partner, Case: number, Signed: true}, err
	}
	id, forProgram, _ := strings.Cut(ref, ":")
	switch {
	case signed && forProgram != "" && forProgram != program:
		return intake.Named{}, intake.ErrReferenceProgram
	case id == "forged":
		return intake.Named{}, intake.ErrReferenceInvalid
	case id == "alpha" || id == "beta":
		return intake.Named{Partner: id, Signed: signed}, nil
	}
	return intake.Named{}, nil
}

func (d *fakeDesk) AnswerTo(_ context.Context, partner, address string, s intake.Strength) (string, error) {
	switch {
	case partner == "":
		return "", nil
	case strings.HasSuffix(address, "@"+partner+".example"):
		return address, nil
	case s.Proven():
		return "desk@" + partner + ".example", nil
	}
	return "", nil
}

func (d *fakeDesk) CasesOfContact(_ context.Context, address string) ([]intake.Registration, error) {
	var found []intake.Registration
	for _, r := range d.cases {
		if r.Lead[intake.FieldContactEmail] == address {
			found = append(found, r)
		}
	}
	return found, nil
}

func (d *fakeDesk) CaseOf(_ context.Context, number string) (intake.Registration, error) {
	for _, r := range d.cases {
		if r.Number == number {
			return r, nil
		}
	}
	if strings.HasPrefix(number, "LG-2026-") { // of the sink
		return intake.Registration{Number: number, Partner: "alpha", Status: intake.StatusSubmitted}, nil
	}
	return intake.Registration{}, intake.ErrNotFound
}

// wire is a source behind a real listener.
type wire struct {
	*testing.T
	desk  *fakeDesk
	sink  *channeltest.Sink
	hooks *Hooks
	cfg   Config
	at    string
	now   time.Time
}

// plain is a source of a partner's own program.
func plain() Config {
	return Config{
		Name: "orders", Scheme: signature.SchemeLeadgate, Secret: secret,
		Mapping: payload.Mapping{
			Partner: "alpha",
			Fields: map[intake.Field]payload.Pointers{
				intake.FieldCompanyName: {"/company"}, intake.FieldContactName: {"/contact/first", "/contact/last"},
				intake.FieldContactEmail: {"/contact/email"}, intake.FieldConsent: {"/agreed"},
				intake.FieldTargetRevenue: {"/amount", "/currency"}, intake.FieldProductInterest: {"/products"}, intake.FieldStage: {"/stage"},
			},
			Values:         map[intake.Field]map[string]string{intake.FieldStage: {"Just met": intake.StageNewIntro}},
			Constants:      map[intake.Field]string{intake.FieldKind: intake.KindLead},
			SubmitterEmail: payload.Pointers{"/rep"},
		},
	}
}

// claiming is a source that passes on what visitors type.
func claiming() Config {
	c := plain()
	c.Partner, c.PartnerPointer, c.Program = "", payload.Pointers{"/leadgate_partner_id"}, "msp"
	return c
}

func open(t *testing.T, cfg Config) *wire {
	t.Helper()
	w := &wire{T: t, desk: &fakeDesk{}, sink: channeltest.NewSink(), cfg: cfg, now: time.Unix(1795404000, 0)}
	var err error
	w.hooks, err = New([]Config{cfg}, Deps{Desk: w.desk, URL: "https://gateway.example/", Mail: "email", Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	w.hooks.Mount(e.Group(""), w.sink)
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	w.at = srv.URL
	return w
}

// answer is what a source got.
type answer struct {
	status  int
	header  http.Header
	Results []result `json:"results"`
	Error   string   `json:"error"`
	body    string
}

// post calls the source with a good signature.
func (w *wire) post(body string) answer {
	w.Helper()
	stamp := fmt.Sprint(w.now.Unix())
	h := map[signature.Scheme]string{signature.SchemeLeadgate: "Leadgate-Signature", signature.SchemeCalendly: "Calendly-Webhook-Signature"}[w.cfg.Scheme]
	return w.send(body, h, "t="+stamp+",v1="+mac(secret, stamp, []byte(body)))
}

func (w *wire) send(body string, headers ...string) answer {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.at+Path+w.cfg.Name, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if err := json.Unmarshal(b, &a); err != nil {
		w.Fatalf("%s: %v", b, err)
	}
	return a
}

func (w *wire) want(a answer, status, accepted, asides int) channeltest.State {
	w.Helper()
	s := w.sink.State()
	if a.status != status || len(s.Accepted) != accepted || len(s.Asides) != asides {
		w.Errorf("answered %d %s; %d accepted and %d aside, want %d, %d and %d", a.status, a.body, len(s.Accepted), len(s.Asides), status, accepted, asides)
	}
	return s
}

const lead = `{"company":"Acme GmbH","contact":{"first":"Jane","last":"Doe","email":"jane@acme.example"},"agreed":true,
 "amount":120000,"currency":"EUR","products":["Edge","Core"],"stage":"just met","rep":"ana@alpha.example"}`

func TestAPayloadBecomesARegistrationOfThePartnerWhoseSourceItIs(t *testing.T) {
	w := open(t, plain())
	a := w.post(lead)
	s := w.want(a, 200, 1, 0)
	sub := s.Accepted[0]
	for f, want := range map[intake.Field]string{
		intake.FieldCompanyName: "Acme GmbH", intake.FieldContactName: "Jane Doe", intake.FieldConsent: intake.ConsentYes,
		intake.FieldTargetRevenue: "120000 EUR", intake.FieldProductInterest: "Edge; Core", intake.FieldStage: intake.StageNewIntro, intake.FieldKind: intake.KindLead,
	} {
		if sub.Lead[f] != want {
			t.Errorf("%s is %q, want %q", f, sub.Lead[f], want)
		}
	}
	if sub.Channel != Channel || sub.Partner != "alpha" || sub.Sender.Strength != intake.StrengthVerified || sub.Sender.Address != "ana@alpha.example" {
		t.Errorf("sender %+v of %s", sub.Sender, sub.Partner)
	}
	if sub.Reply.Channel != "email" || sub.Reply.Address != "ana@alpha.example" {
		t.Errorf("answers go to %+v", sub.Reply)
	}
	if sub.Key == "" || !sub.ReceivedAt.Equal(w.now) || string(w.sink.Raw(sub.Raw)) != lead {
		t.Errorf("incomplete: %+v", sub)
	}
	if len(a.Results) != 1 || a.Results[0].Case == "" {
		t.Errorf("told %s", a.body)
	}
	if again := w.post(lead); again.status != 200 || !again.Results[0].Known || again.Results[0].Case != a.Results[0].Case {
		t.Errorf("a duplicate is told %d %s", again.status, again.body)
	}
	w.want(a, 200, 1, 0)
}

func TestWhomAHiddenFieldNames(t *testing.T) {
	for _, c := range []struct {
		name, ref, rep   string
		status           int
		accepted, asides int
		partner          string
		strength         intake.Strength
		reply            string
	}{
		{"an unsigned one is a claim", "alpha", "ana@alpha.example", 200, 1, 0, "", intake.StrengthUnverified, "ana@alpha.example"},
		{"an unsigned one brings nobody else an answer", "alpha", "eve@evil.example", 200, 1, 0, "", intake.StrengthUnverified, ""},
		{"a signed one is the partner", "signed:alpha", "ana@alpha.example", 200, 1, 0, "alpha", intake.StrengthVerified, "ana@alpha.example"},
		{"a signed one is answered to the partner, not to a stranger", "signed:alpha", "eve@evil.example", 200, 1, 0, "alpha", intake.StrengthVerified, "desk@alpha.example"},
		{"one signed for this programme is the partner", "signed:alpha:msp", "", 200, 1, 0, "alpha", intake.StrengthVerified, "desk@alpha.example"},
		{"one signed for another programme is refused and kept", "signed:alpha:referral", "", 401, 0, 1, "", "", ""},
		{"a forged one is refused and kept", "forged", "", 401, 0, 1, "", "", ""},
		{"none at all is nobody", "", "ana@alpha.example", 200, 1, 0, "", intake.StrengthUnverified, ""},
		{"a stranger is nobody", "gamma", "", 200, 1, 0, "", intake.StrengthUnverified, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, claiming())
			body := fmt.Sprintf(`{"company":"Acme GmbH","rep":%q,"leadgate_partner_id":%q}`, c.rep, c.ref)
			s := w.want(w.post(body), c.status, c.accepted, c.asides)
			if c.accepted == 1 {
				sub := s.Accepted[0]
				if sub.Partner != c.partner || sub.Sender.Strength != c.strength || sub.Reply.Address != c.reply {
					t.Errorf("partner %q, %s, answered to %q", sub.Partner, sub.Sender.Strength, sub.Reply.Address)
				}
			} else if string(w.sink.Raw(s.Asides[0].Raw)) != body {
				t.Error("it was not kept")
			}
		})
	}
}

// TestWhoRelaysWhatVisitorsTypeIsNotRefusedForIt: Calendly and HubSpot switch a webhook off that
// refuses too much, and visitors could bring that about.
func TestWhoRelaysWhatVisitorsTypeIsNotRefusedForIt(t *testing.T) {
	cfg := claiming()
	cfg.Scheme = signature.SchemeCalendly
	w := open(t, cfg)
	w.want(w.post(`{"company":"Acme GmbH","leadgate_partner_id":"forged"}`), 200, 0, 1)
}

func TestABatchIsOneEffectForEachEvent(t *testing.T) {
	cfg := plain()
	cfg.Scheme, cfg.ID = signature.SchemeHubSpot, payload.Pointers{"/portalId", "/eventId"}
	cfg.Fields = map[intake.Field]payload.Pointers{intake.FieldCompanyName: {"/propertyValue"}}
	cfg.Filter = map[string]payload.Pointers{"/subscriptionType": {"object.propertyChange"}}
	w := open(t, cfg)
	event := func(id int, kind, value string, attempt int) string {
		return fmt.Sprintf(`{"eventId":%d,"portalId":62515,"subscriptionType":%q,"propertyName":"name","propertyValue":%q,"attemptNumber":%d}`, id, kind, value, attempt)
	}
	post := func(events ...string) answer {
		t.Helper()
		body := "[" + strings.Join(events, ",") + "]"
		r := signature.Request{Method: "POST", URL: "https://gateway.example" + Path + "orders", Body: []byte(body)}
		ms := fmt.Sprint(w.now.UnixMilli())
		sum, err := signature.Of(signature.SchemeHubSpot).Sum(r, secret, ms)
		if err != nil {
			t.Fatal(err)
		}
		return w.send(body, "X-HubSpot-Signature-v3", base64Of(sum), "X-HubSpot-Request-Timestamp", ms)
	}
	const change = "object.propertyChange"
	a := post(event(1, change, "Acme", 0), event(2, change, "Contoso", 0), event(1, change, "Acme", 1))
	w.want(a, 200, 2, 0)
	if len(a.Results) != 3 || a.Results[0].Known || a.Results[1].Known || !a.Results[2].Known {
		t.Errorf("told %s", a.body)
	}
	w.want(post(event(2, change, "Contoso", 3), event(3, "object.deletion", "", 0), `"no object"`), 200, 2, 1)
}

func TestWhatASourceIsAnswered(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct {
		name   string
		body   string
		change func(w *wire)
		status int
		asides int
	}{
		{"no JSON", "company=Acme", nil, 400, 1},
		{"half of it", `{"company":"Acme"`, nil, 400, 1},
		{"two documents", lead + lead, nil, 400, 1},
		{"not UTF-8", "{\"company\":\"\xff\"}", nil, 400, 1},
		{"too deep", deep, nil, 400, 1},
		{"a word", `"Acme"`, nil, 400, 1},
		{"nothing of what is mapped", `{"hello":"world"}`, nil, 200, 1},
		{"an empty list", `[]`, nil, 200, 0},
		{"too large", `{"company":"` + strings.Repeat("A", defaultMaxBody) + `"}`, nil, 413, 0},
		{"too often", lead, func(w *wire) { w.desk.limit, w.desk.seen = 1, 1 }, 429, 0},
		{"a full store", lead, func(w *wire) { w.desk.err = intake.ErrFull }, 503, 0},
		{"a store that fails", lead, func(w *wire) { w.sink.FailNext(1) }, 503, 0},
		{"a store that fails on what can't be read", "{", func(w *wire) { w.sink.FailNext(1) }, 503, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, plain())
			if c.change != nil {
				c.change(w)
			}
			a := w.post(c.body)
			s := w.want(a, c.status, 0, c.asides)
			if wait := a.header.Get("Retry-After"); (c.status == 429 || c.status == 503) != (wait != "") {
				t.Errorf("Retry-After: %q", wait)
			}
			if c.asides > 0 && string(w.sink.Raw(s.Asides[0].Raw)) != c.body {
				t.Error("the payload was not kept")
			}
			if c.asides > 0 {
				w.want(w.post(c.body), c.status, 0, c.asides) // again
			}
		})
	}
}

func TestWhoIsNotTheSourceLeavesNothingBehind(t *testing.T) {
	w := open(t, plain())
	stamp := fmt.Sprint(w.now.Unix())
	for name, sig := range map[string]string{
		"no signature":   "",
		"another secret": "t=" + stamp + ",v1=" + mac("another-secret-of-16", stamp, []byte(lead)),
		"another body":   "t=" + stamp + ",v1=" + mac(secret, stamp, []byte("{}")),
		"too old":        "t=1795403600,v1=" + mac(secret, "1795403600", []byte(lead)),
	} {
		if a := w.send(lead, "Leadgate-Signature", sig); a.status != 401 || a.Error != "the signature is not good" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if s := w.sink.State(); s.Attempts != 0 || w.desk.seen != 0 {
		t.Errorf("%d attempts, %d counted", s.Attempts, w.desk.seen)
	}
	if h := w.hooks.Health()[0]; h.Refused != 4 || h.Problem == "" {
		t.Errorf("health %+v", h)
	}
	w.post(lead)
	if h := w.hooks.Health()[0]; h.Refused != 0 || h.Problem != "" || !h.LastSuccess.Equal(w.now) {
		t.Errorf("health %+v", h)
	}
}

func TestWithoutASourceThereIsNoPage(t *testing.T) {
	w := open(t, plain())
	for _, path := range []string{"/hooks/other", "/hooks/", "/hooks/orders/more"} {
		resp, err := http.Post(w.at+path, "application/json", strings.NewReader(lead))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
}

func TestARequestIsAcknowledgedOnlyOnceItIsStored(t *testing.T) {
	w := open(t, plain())
	release := w.sink.Hold()
	defer release()
	done := make(chan answer, 1)
	go func() { done <- w.post(lead) }()
	if _, err := w.sink.Wait(t.Context(), func(s channeltest.State) bool { return s.Attempts == 1 }); err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-done:
		t.Errorf("answered %d while nothing was stored", a.status)
	default:
	}
	release()
	w.want(<-done, 200, 1, 0)
}

func TestWhatWasNotStoredIsStoredOnceWhenItComesAgain(t *testing.T) {
	w := open(t, plain())
	w.sink.FailNext(1)
	w.want(w.post(lead), 503, 0, 0)
	w.want(w.post(lead), 200, 1, 0)
	w.now = w.now.Add(20 * 24 * time.Hour) // and signed anew
	w.want(w.post(lead), 200, 1, 0)
}

func TestAnEventWithAnIDIsKnownByItWhateverItSays(t *testing.T) {
	cfg := plain()
	cfg.ID = payload.Pointers{"/id"}
	w := open(t, cfg)
	w.want(w.post(`{"id":7,"company":"Acme"}`), 200, 1, 0)
	w.want(w.post(`{"id":7,"company":"Acme Inc"}`), 200, 1, 0)
	w.want(w.post(`{"id":8,"company":"Acme Inc"}`), 200, 2, 0)
	w.want(w.post(`{"company":"Acme Inc"}`), 200, 3, 0)
}

func TestASilentPeerDoesNotKeepTheListenerFromStopping(t *testing.T) {
	w := open(t, plain())
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.at, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST /hooks/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil { // it says no more
		t.Fatal(err)
	}
	answered, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answered, []byte("HTTP/1.1 400")) {
		t.Errorf("answered %q, %v", answered, err)
	}
	w.want(answer{}, 0, 0, 0)
}

func TestWhatWasSetAsideCanBeTakenInAfterAll(t *testing.T) {
	w := open(t, claiming())
	body := `{"company":"Acme GmbH","leadgate_partner_id":"signed:alpha:referral"}`
	a := w.want(w.post(body), 401, 0, 1).Asides[0]
	subs, err := w.hooks.Reread(t.Context(), a, strings.NewReader(body))
	if err != nil || len(subs) != 1 || subs[0].Lead[intake.FieldCompanyName] != "Acme GmbH" || subs[0].Sender.Strength != intake.StrengthOperator {
		t.Errorf("read %+v, %v", subs, err)
	}
	if _, err := w.hooks.Reread(t.Context(), a, strings.NewReader("{")); err == nil {
		t.Error("what can't be read is read")
	}
}

func TestAConfigurationTellsAllItsFaults(t *testing.T) {
	err := Config{
		Name: "Not A Name", Scheme: "md5", Secret: "short", Header: "X", Tolerance: 2 * time.Hour, MaxBody: 1 << 30, Rate: -1,
		Filter: map[string]payload.Pointers{"event": {"a"}}, Elements: "list", ID: payload.Pointers{"~"},
		Meeting: Meeting{UID: payload.Pointers{"/~2"}},
		Mapping: payload.Mapping{
			Partner: "alpha", PartnerPointer: payload.Pointers{"partner"}, Program: "A B",
			Fields: map[intake.Field]payload.Pointers{"company": {"/company"}, intake.FieldCompanyName: {"company"}},
			Values: map[intake.Field]map[string]string{"shoe": {}}, Constants: map[intake.Field]string{"hat": "x"},
		},
	}.Validate()
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"name: ", "scheme \"md5\"", "secret: has fewer", "header: ", "tolerance: ", "max_body: ", "rate: ", "filter: ", "elements: ", "id: ",
		"meeting.uid: ", "partner_pointer: is given beside", "partner_pointer: \"partner\" does not begin", "program: ",
		"fields.company: there is no such field", "fields.company_name: ", "values.shoe: ", "constants.hat: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	for _, c := range []Config{plain(), claiming(), {Name: "c", Scheme: signature.SchemeCalendly, Secret: secret}} {
		if err := c.Validate(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", plain(), plain(), plain()); strings.Contains(text, secret) {
		t.Errorf("%s shows the secret", text)
	}
}

// A signature names no source: what one partner's program has signed would be good at the path of
// another's.
func TestTwoSourcesHaveNoSecretInCommon(t *testing.T) {
	const other, standard = "another-secret-of-16", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	named := func(s signature.Scheme, secret, previous string) Config {
		c := plain()
		c.Scheme, c.Secret, c.PreviousSecret = s, secret, previous
		return c
	}
	for _, c := range []struct {
		name   string
		a, b   Config
		shares bool
	}{
		{"two secrets", named(signature.SchemeLeadgate, secret, ""), named(signature.SchemeLeadgate, other, ""), false},
		{"one secret", named(signature.SchemeLeadgate, secret, ""), named(signature.SchemeLeadgate, secret, ""), true},
		{"under two schemes", named(signature.SchemeLeadgate, secret, ""), named(signature.SchemeBearer, secret, ""), true},
		{"one that gives way", named(signature.SchemeLeadgate, other, secret), named(signature.SchemeLeadgate, secret, ""), true},
		{"two that give way", named(signature.SchemeLeadgate, other, secret), named(signature.SchemeLeadgate, "one-more-secret-of-16", secret), true},
		{"one key of the standard", named(signature.SchemeStandard, standard, ""), named(signature.SchemeStandard, standard, ""), true},
		{"an app of HubSpot, which signs the path too", named(signature.SchemeHubSpot, secret, ""), named(signature.SchemeHubSpot, secret, ""), false},
		{"that of an app of HubSpot elsewhere", named(signature.SchemeHubSpot, secret, ""), named(signature.SchemeLeadgate, secret, ""), true},
	} {
		c.b.Name, c.b.Partner = "beta-orders", "beta"
		_, err := New([]Config{c.a, c.b}, Deps{Desk: &fakeDesk{}, URL: "https://gateway.example"})
		if (err != nil) != c.shares {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			continue
		}
		for _, name := range []string{c.a.Name, c.b.Name} {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v\ndoes not name %s", c.name, err, name)
			}
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret", c.name)
		}
	}
}

// Before its signature is read a request can be anybody's, and as slow as its sender likes.
func TestASourceWorksOnSoManyRequestsAtATime(t *testing.T) {
	w := open(t, plain())
	working := func() int { return len(w.hooks.sources[0].working) }
	var slow net.Conn
	for n := range maxAtATime {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.at, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "POST /hooks/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		for working() <= n {
			runtime.Gosched()
		}
		slow = conn
	}
	a := w.post(lead)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("answered %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	if h := w.hooks.Health()[0]; h.Problem == "" {
		t.Errorf("health %+v", h)
	}
	slow.Close()
	for working() == maxAtATime {
		runtime.Gosched()
	}
	w.want(w.post(lead), 200, 1, 0)
}
