package salesforce

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/channels/channeltest/npm"
	"leadgate/intake"
)

// Versions of peers that Node 20 runs.
const (
	jsforce = "@jsforce/jsforce-node@3.10.16"
	parser  = "@jetstreamapp/soql-parser-js@6.3.1"
)

// TestSalesforcesOwnClientTakesTheOrgForOne drives the org of the tests by the client that Salesforce's
// command line uses.
func TestSalesforcesOwnClientTakesTheOrgForOne(t *testing.T) {
	dir := npm.Require(t, jsforce)
	w := newWorld(t)
	w.org.Loosen(objOpportunity, keyOpportunity)
	for range 2 {
		if _, err := w.org.Create(objOpportunity, map[string]any{"Name": "x", "StageName": "Prospecting", "CloseDate": "2027-01-01", keyOpportunity: "LG-2"}); err != nil {
			t.Fatal(err)
		}
	}
	known, _ := w.org.Create(objContact, map[string]any{"LastName": "Doe"})
	w.org.DuplicateRule(objContact, func(map[string]any) []string { return []string{known} })
	resp, err := http.PostForm(w.server.URL+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {w.org.ClientID}, "client_secret": {w.org.Secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer resp.Body.Close()
	var session struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&session); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "testdata/drive.cjs", dir, w.server.URL, session.Token)
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
		"create":        {`"success":true`, `"id":"001`},
		"upsert new":    {`"created":true`},
		"upsert old":    {`"created":false`},
		"query":         {`"totalSize":1`, `"Name":"O'Brien"`, `"Owner":{"Name":"Leadgate Integration"`},
		"malformed":     {"MALFORMED_QUERY"},
		"unknown field": {"INVALID_FIELD"},
		"update":        {`"success":true`},
		"retrieve":      {`"Website":"x_y.example"`},
		"several":       {"MULTIPLE_CHOICES"},
		"duplicate":     {"DUPLICATES_DETECTED"},
		"required":      {"REQUIRED_FIELD_MISSING"},
		"describe":      {`"Case_Number__c"`, `"Wrote__c"`},
		"composite":     {`"httpStatusCode":201`, `"referenceId":"reg"`},
		"rolled back":   {"PROCESSING_HALTED", "FIELD_CUSTOM_VALIDATION_EXCEPTION", olderRevision},
		"ten":           {`"totalSize":0`},
		"deleted":       {`"success":true`},
		"query all":     {`"IsDeleted":true`},
		"gone":          {"ENTITY_IS_DELETED"},
		"limits":        {`"apiUsage":{`, `"limit":15000`},
		"stale session": {"INVALID_SESSION_ID"},
	} {
		for _, word := range words {
			if !strings.Contains(have[name], word) {
				t.Errorf("%s: %s; want %s", name, have[name], word)
			}
		}
	}
}

// asked are the queries that a gateway sends in its life about a case of a lead.
func asked(t *testing.T, domain, email string) []string {
	t.Helper()
	w := newWorld(t, func(c *Config) { c.Currency = "EUR" })
	_, cursor := w.changes(t, "")
	rec := sampleDeal()
	if domain != "" {
		rec.Registration.Lead[intake.FieldCompanyDomain], rec.Registration.Lead[intake.FieldContactEmail] = domain, email
		rec.Registration.Number = "LG-" + email
	}
	id, _ := w.org.Create(objAccount, map[string]any{"Name": "There"})
	w.org.DuplicateRule(objAccount, func(map[string]any) []string { return []string{id} })
	_, _ = w.Push(t.Context(), rec) // an address may be one that the org refuses
	if _, err := w.Lookup(t.Context(), rec.Registration.Lead); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Compare(t.Context(), []intake.Record{rec}); err != nil {
		t.Fatal(err)
	}
	company, _ := people{w.org}.Company("Umbrella", "umbrella.example")
	deal, _ := people{w.org}.Deal(company, "x")
	event := w.meet(t, deal, time.Hour, 2*time.Hour)
	_, cursor = w.changes(t, cursor)
	for range 201 {
		_, _ = people{w.org}.Deal(company, "many")
	}
	_, _ = w.changes(t, cursor)
	if _, err := w.Reread(t.Context(), []string{"Opportunity:" + deal, "Event:" + event, objRegistration + ":" + deal, "Opportunity:' OR Id != '"}); err != nil {
		t.Fatal(err)
	}
	all := w.org.Queries()
	slices.Sort(all)
	return all
}

// TestNoNameMakesAQueryAskForMore has every query read by a parser of SOQL that others wrote: with
// hostile names it has as many conditions as with a harmless one.
func TestNoNameMakesAQueryAskForMore(t *testing.T) {
	dir := npm.Require(t, parser)
	count := func(queries []string) []int {
		in, _ := json.Marshal(queries)
		cmd := exec.CommandContext(t.Context(), "node", "testdata/conditions.cjs", dir)
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.Output()
		var n []int
		if err != nil || json.Unmarshal(out, &n) != nil || len(n) != len(queries) {
			t.Fatalf("%v: %s", err, out)
		}
		for i, c := range n {
			if c < 0 {
				t.Errorf("the parser refuses %s", queries[i])
			}
		}
		slices.Sort(n)
		return n
	}
	if bad := count([]string{"SELECT Id FROM Account WHERE a = 'x' OR Name != ''"}); bad[0] != 2 {
		t.Fatalf("the counting does not count: %v", bad)
	}
	harmless := asked(t, "", "")
	want := count(harmless)
	if len(harmless) < 15 {
		t.Errorf("%d queries: not all were sent", len(harmless))
	}
	for _, name := range []string{
		"x' OR Name != '", `x\' OR Name != \'`, `\`, "a\nb' OR Id != '\r\t", "%' OR Website LIKE '%", "x') OR (Name != '", "' LIMIT 1 --", "\u2028'\x00", "o'brien.example", "株式会社'例",
	} {
		have := asked(t, strings.ToLower(name), name+"@x.example")
		// A lead that the org refuses is not read again after a duplicate rule; the queries that are
		// left have to be among those of the harmless one.
		if n := count(have); !subset(n, want) {
			t.Errorf("%q: conditions %v, with a harmless name %v", name, n, want)
		}
	}
}

func subset(small, large []int) bool {
	left := slices.Clone(large)
	for _, n := range small {
		i := slices.Index(left, n)
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return len(small) > 0
}
