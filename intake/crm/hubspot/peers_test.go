package hubspot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest/npm"
	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// Versions of peers that Node 20 runs.
const (
	library = "@hubspot/api-client@13.5.0"
	prism   = "@stoplight/prism-cli@5.14.2"
)

// TestHubSpotsOwnLibraryTakesTheAccountForOne drives the account of the tests by the library that
// HubSpot gives to programmers.
func TestHubSpotsOwnLibraryTakesTheAccountForOne(t *testing.T) {
	dir := npm.Require(t, library)
	a := prepared(t)
	a.Person("Kim Sales")
	a.Refresh("the-refresh-token")
	s := crmtest.NewServer(t, a)
	cmd := exec.CommandContext(t.Context(), "node", "testdata/drive.cjs", dir, s.URL, hubspottest.Token)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	have := make(map[string]string)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var step struct {
			Name string          `json:"name"`
			Out  json.RawMessage `json:"out"`
		}
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		have[step.Name] = string(step.Out)
	}
	for name, words := range map[string][]string{
		"company":             {`"leadgate_domain":"acme.example"`, `"createdAt":"20`},
		"same company":        {`"refused":400`, "CONFLICTING_UNIQUE_VALUE"},
		"contact":             {`"email":"jo@acme.example"`},
		"same contact":        {`"refused":409`, "Existing ID: ", `"CONFLICT"`},
		"deal":                {`"amount":"12"`},
		"same case":           {`"refused":400`},
		"unknown property":    {`"refused":400`, "PROPERTY_DOESNT_EXIST"},
		"wrong option":        {`"refused":400`, "INVALID_OPTION"},
		"by case":             {`"hs_is_closed":"false"`, `"deal_to_company"`},
		"by name":             {`"refused":400`},
		"update":              {`"amount":"13"`},
		"batch":               {`"status":"COMPLETE"`, `"amount":"13"`, `"numErrors":1`, "LG-2"},
		"upsert old":          {`"_new":false`},
		"upsert new":          {`"_new":true`},
		"search":              {`"total":1`, `"name":"Acme"`},
		"wrong search":        {`"refused":400`},
		"associate":           {`"status":"COMPLETE"`},
		"associated":          {`"toObjectId":"`, "NO_ASSOCIATIONS_FOUND"},
		"properties":          {`"hasUniqueValue":true`},
		"pipelines":           {`["default",5,{"isClosed":"true","probability":"1.0"}]`},
		"owners":              {`[["Kim",true]]`},
		"note":                {`"hs_note_body":"hello"`},
		"note without a time": {"hs_timestamp"},
		"merge":               {`"id":"`},
		"merged":              {`"leadgate_case":"LG-1"`},
		"deleted":             {`"refused":404`},
		"token":               {`"accessToken":"access-token-1"`},
		"nobody":              {`"refused":401`},
	} {
		for _, w := range words {
			if !strings.Contains(have[name], w) {
				t.Errorf("%s: %s; want %s", name, have[name], w)
			}
		}
	}
}

// contract is Prism between us and an account: it holds what passes to what the library's models say,
// both ways.
type contract struct {
	url string

	mu     sync.Mutex
	calls  map[string]int
	broken []string
}

// newContract starts one for as long as the test takes.
func newContract(t *testing.T, upstream http.Handler) *contract {
	t.Helper()
	dir := npm.Require(t, library, prism)
	doc := filepath.Join(t.TempDir(), "openapi.json")
	if out, err := exec.CommandContext(t.Context(), "node", "testdata/openapi.cjs", dir, doc).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	account := httptest.NewServer(upstream)
	t.Cleanup(account.Close)
	at := "127.0.0.1:" + strconv.Itoa(freePort(t))
	_, port, _ := strings.Cut(at, ":")
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "node_modules", ".bin", "prism"), "proxy", "--errors", "--host", "127.0.0.1", "--port", port, doc, account.URL)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
	})
	transport := &http.Transport{DisableKeepAlives: true}
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(log.Name())
			t.Fatalf("prism does not answer: %v\n%s", err, b)
		}
		time.Sleep(50 * time.Millisecond) // until the process listens
	}
	c := &contract{calls: make(map[string]int)}
	to := &url.URL{Scheme: "http", Host: at}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport, proxy.ModifyResponse = transport, c.look
	s := crmtest.NewServer(t, proxy)
	c.url = s.URL
	return c
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// look notes a call, and what Prism has against it or its answer.
func (c *contract) look(r *http.Response) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	c.mu.Lock()
	defer c.mu.Unlock()
	name := r.Request.Method + " " + shape(r.Request.URL.Path)
	c.calls[name]++
	if strings.Contains(string(b), "stoplight.io/prism") || r.Header.Get("sl-violations") != "" {
		c.broken = append(c.broken, fmt.Sprintf("%s: %d %s %s", name, r.StatusCode, r.Header.Get("sl-violations"), b))
	}
	return nil
}

// shape is a path without what is different each time.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.ContainsAny(p, "0123456789@") && p != "2026-09" {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

func (c *contract) take() (calls map[string]int, broken []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls, broken = c.calls, c.broken
	c.calls, c.broken = make(map[string]int), nil
	return calls, broken
}

// TestEveryCallIsOneThatHubSpotsModelsKnow makes all calls that the connector can make.
func TestEveryCallIsOneThatHubSpotsModelsKnow(t *testing.T) {
	a := hubspottest.New()
	c := newContract(t, a)
	ctx := t.Context()
	h := connect(t, c.url, func(c *Config) {
		c.Mapping = Mapping{Owner: "kim.sales@vendor.example", Fields: Objects{Deals: map[string]string{"problem": "description"}}}
	})
	a.Person("Kim Sales")
	must := func(err error) {
		t.Helper()
		if err != nil {
			_, broken := c.take()
			t.Fatalf("%v\n%s", err, strings.Join(broken, "\n"))
		}
	}
	lacks, err := h.Verify(ctx)
	must(err)
	if len(lacks) < 20 {
		t.Errorf("of an empty account %d things lack", len(lacks))
	}
	_, err = h.Prepare(ctx, false)
	must(err)
	a.DropOptions(deals, prefix+"status")
	_, err = h.Prepare(ctx, false)
	must(err)
	if lacks, err = h.Verify(ctx); err != nil || len(lacks) > 0 {
		t.Errorf("after setting up there lacks %+v, %v", lacks, err)
	}
	_, cursor, err := h.Changes(ctx, "")
	must(err)
	rec := crmtest.Sample(1, 1)
	a.Freeze()
	ref, err := h.Push(ctx, rec)
	must(err)
	rec.Registration.CRM = map[string]intake.Ref{h.Name(): ref}
	rec.Registration.Revision, rec.Registration.Status = 2, intake.StatusProvisional
	rec.Registration.Protection = intake.Protection{Start: time.Now(), End: time.Now().Add(time.Hour)}
	_, err = h.Push(ctx, rec)
	must(err)
	rec.Registration.CRM = nil
	a.Unlink(deals, ref.ID, companies, ref.Parts[partCompany])
	a.Unlink(deals, ref.ID, contacts, ref.Parts[partContact])
	for range 2 { // adopts all that is there, by what is unique and by a search
		_, err = h.Push(ctx, rec)
		must(err)
		a.Thaw()
	}
	for n := range 4 {
		note := intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: n%2 + 1, At: time.Now(), Kind: intake.EventJoined}}
		if n%2 == 1 {
			note.From, note.Subject, note.Text = "bo@northwind.example", "Re: Acme", "They <b>want</b> it"
		}
		must(h.Note(ctx, ref, note))
	}
	company, _ := a.Add(companies, map[string]string{"name": "Umbrella", "domain": "umbrella.example"})
	_, _ = a.Add(deals, map[string]string{"dealname": "direct", "dealstage": "qualifiedtobuy", "pipeline": "default"}, companies+"/"+company)
	person, _ := a.Add(contacts, map[string]string{"email": "ann@acme1.example"}, deals+"/"+ref.ID)
	meeting, _ := a.Add(meetings, map[string]string{"hs_timestamp": stamp(time.Now()), meetingStart: stamp(time.Now().Add(time.Hour))}, contacts+"/"+person)
	_ = a.Set(deals, ref.ID, map[string]string{"hubspot_owner_id": a.Person("Lou Sales"), "amount": "12.5"})
	changes, _, err := h.Changes(ctx, cursor)
	must(err)
	if len(changes) != 3 {
		t.Errorf("the feed has %+v", changes)
	}
	for _, lead := range []intake.Lead{rec.Registration.Lead, {intake.FieldCompanyName: "Umbrella"}, {intake.FieldCompanyDomain: "nobody.example"}} {
		_, err = h.Lookup(ctx, lead)
		must(err)
	}
	_, err = h.Compare(ctx, []intake.Record{rec, crmtest.Sample(2, 1)})
	must(err)
	gone, _ := a.Add(deals, map[string]string{caseProperty: "LG-9"})
	a.Delete(deals, gone)
	_, err = h.Reread(ctx, []string{"deal/" + ref.ID, "deal/" + gone, "meeting/" + meeting})
	must(err)

	calls, broken := c.take()
	for _, b := range broken {
		t.Error(b)
	}
	var all []string
	for name, n := range calls {
		all = append(all, fmt.Sprintf("%3d %s", n, name))
	}
	slices.Sort(all)
	t.Logf("%d kinds of calls:\n%s", len(all), strings.Join(all, "\n"))
	for _, name := range []string{
		"PUT /crm/objects/2026-09/deals/*/associations/default/companies/*", "PUT /crm/objects/2026-09/deals/*/associations/default/contacts/*",
		"GET /crm/objects/2026-09/companies/*", "POST /crm/objects/2026-09/emails", "GET /crm/owners/2026-09/*", "PATCH /crm/properties/2026-09/deals/leadgate_status",
	} {
		if calls[name] == 0 {
			t.Errorf("%s was not called", name)
		}
	}
	if len(all) < 45 {
		t.Errorf("%d kinds of calls were made; some are missing", len(all))
	}
}

// TestTheTokenOfOAuthIsAskedForInAFormThatHubSpotTakes is apart, for a token of that kind.
func TestTheTokenOfOAuthIsAskedForInAFormThatHubSpotTakes(t *testing.T) {
	a := prepared(t)
	a.Refresh("refresh-secret")
	c := newContract(t, a)
	h := connect(t, c.url, withOAuth)
	if _, err := h.Push(t.Context(), crmtest.Sample(1, 1)); err != nil {
		t.Error(err)
	}
	calls, broken := c.take()
	if len(broken) > 0 || calls["POST /oauth/2026-09/token"] != 1 {
		t.Errorf("%v %v", calls, broken)
	}
}

// TestTheContractIsHeldToBothSides: one that lets everything pass proves nothing.
func TestTheContractIsHeldToBothSides(t *testing.T) {
	c := newContract(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":1}`)
	}))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	send := func(method, path, body string) []string {
		req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer x")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_, broken := c.take()
		return broken
	}
	for _, x := range []struct{ what, method, path, body string }{
		{"an answer of another form", "GET", "/crm/objects/2026-09/deals/1", ""},
		{"a number for a value", "PATCH", "/crm/objects/2026-09/deals/1", `{"properties":{"amount":1}}`},
		{"a search of another form", "POST", "/crm/objects/2026-09/deals/search", `{"filterGroups":{}}`},
		{"no properties", "POST", "/crm/objects/2026-09/deals", `{"associations":[]}`},
		{"an unknown field", "POST", "/crm/objects/2026-09/deals", `{"properties":{},"associations":[],"more":1}`},
		{"an unknown path", "GET", "/crm/objects/2026-09", ""},
		{"an option without an order", "PATCH", "/crm/properties/2026-09/deals/x", `{"options":[{"label":"a","value":"a","hidden":false}]}`},
	} {
		if len(send(x.method, x.path, x.body)) == 0 {
			t.Errorf("%s passes", x.what)
		}
	}
}

// TestASignatureOfHubSpotsOwnLibraryIsTaken signs by the library, for a connector to prove.
func TestASignatureOfHubSpotsOwnLibraryIsTaken(t *testing.T) {
	dir := npm.Require(t, library)
	now := time.UnixMilli(1795404000000)
	cmd := exec.CommandContext(t.Context(), "node", "testdata/sign.cjs", dir)
	var in bytes.Buffer
	type vector struct {
		Method    string `json:"method"`
		URL       string `json:"url"`
		Body      string `json:"body"`
		Secret    string `json:"secret"`
		Timestamp int64  `json:"timestamp"`
	}
	var all []vector
	for _, u := range []string{"https://gateway.example/hooks/crm/hubspot", "https://gateway.example/hooks/crm/hubspot?a=b/c&d=%C3%BC"} {
		for _, body := range []string{`[]`, `[{"subscriptionType":"deal.propertyChange","objectId":7,"propertyValue":"Müller – ☂ \u00e9"}]`} {
			all = append(all, vector{"POST", u, body, "one-secret", now.UnixMilli()}, vector{"POST", u, body, "the-secret-before", now.UnixMilli()})
		}
	}
	for _, v := range all {
		b, _ := json.Marshal(v)
		in.Write(append(b, '\n'))
	}
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	h := connect(t, "http://127.0.0.1:1", func(c *Config) {
		c.Secret, c.PreviousSecret, c.Now = "one-secret", "the-secret-before", func() time.Time { return now }
	})
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%d signatures", len(lines))
	}
	for i, v := range all {
		var sig string
		if err := json.Unmarshal([]byte(lines[i]), &sig); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(context.Background(), v.Method, "/", nil)
		r.Header.Set("X-HubSpot-Signature-v3", sig)
		r.Header.Set("X-HubSpot-Request-Timestamp", fmt.Sprint(v.Timestamp))
		// HubSpot undoes some escapes before it signs an address; the library leaves that to who calls it.
		hints, err := h.Hints(strings.Replace(v.URL, "b/c", "b%2Fc", 1), r, []byte(v.Body))
		if err != nil || (len(hints) == 1) != strings.Contains(v.Body, "objectId") {
			t.Errorf("%+v: %v, %v", v, hints, err)
		}
		if _, err := h.Hints(v.URL+"x", r, []byte(v.Body)); err == nil {
			t.Errorf("%+v: it is good for another address", v)
		}
	}
}

func withOAuth(c *Config) {
	c.Token, c.OAuth = "", &OAuth{ClientID: "id", ClientSecret: "client-secret", RefreshToken: "refresh-secret"}
}
