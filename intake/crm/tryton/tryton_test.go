package tryton

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/crmtest/trytond"
)

func TestConformance(t *testing.T) {
	w := newWorld(t)
	crmtest.Run(t, crmtest.Harness{
		Stages:  []string{"Lead", "Opportunity"},
		Without: []crmtest.Fault{crmtest.Answer410, crmtest.Answer422, crmtest.MultiStatus},
		New:     func(r crmtest.Reporter) crmtest.System { return w.system(r) },
		Impatient: func(r crmtest.Reporter) crmtest.System {
			return w.system(r, func(c *Config) { c.Timeout = 50 * time.Millisecond })
		},
	})
}

// TestTwoWritersLeaveOne has two processes push one case, and holds each creation until both are
// about to make it.
func TestTwoWritersLeaveOne(t *testing.T) {
	w := newWorld(t)
	to, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	inner := httputil.NewSingleHostReverseProxy(to)
	inner.Transport = transport
	var mu sync.Mutex
	arrived := make(map[string]int)
	meet := map[string]chan struct{}{"model.party.party.create": make(chan struct{}), "model.sale.opportunity.create": make(chan struct{})}
	s := crmtest.NewServer(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(b))
		var call struct{ Method string }
		_ = json.Unmarshal(b, &call)
		if both := meet[call.Method]; both != nil {
			mu.Lock()
			if arrived[call.Method]++; arrived[call.Method] == 2 {
				close(both)
			}
			mu.Unlock()
			select {
			case <-both:
			case <-t.Context().Done():
			case <-time.After(5 * time.Second): // the other does not come
			}
		}
		inner.ServeHTTP(rw, r)
	}))
	before := counted(t, w)
	rec := crmtest.Sample(1, 1)
	refs, errs := make([]intake.Ref, 2), make([]error, 2)
	var both sync.WaitGroup
	for i := range refs {
		c := w.connect(t, s.URL)
		both.Go(func() { refs[i], errs[i] = c.Push(t.Context(), rec) })
	}
	both.Wait()
	for i, err := range errs { // one that came second may be told to come again, and is repeated by the queue
		if intake.IsPermanent(err) || intake.IsUnauthorized(err) {
			t.Errorf("writer %d: %v", i+1, err)
		}
	}
	if arrived["model.party.party.create"] < 2 || arrived["model.sale.opportunity.create"] < 2 {
		t.Fatalf("the writers did not meet: %v", arrived)
	}
	rec.Registration.CRM = map[string]intake.Ref{"erp": refs[0]}
	ref, err := w.connect(t, s.URL).Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := counted(t, w), [3]int{before[0] + 1, before[1] + 1, before[2] + 1}; got != want {
		t.Errorf("companies, contacts, deals %v, want %v; errors %v", got, want, errs)
	}
	records, err := w.records()
	if err != nil || len(records) != 1 || records[0].Revision != 1 {
		t.Errorf("records %+v, %v; reference %+v", records, err, ref)
	}
}

func counted(t *testing.T, w *world) [3]int {
	t.Helper()
	a, b, c, err := people{w}.Count()
	if err != nil {
		t.Fatal(err)
	}
	return [3]int{a, b, c}
}

// TestWhoseOpportunityIsThatOfTheCase is the choice among several with one reference.
func TestWhoseOpportunityIsThatOfTheCase(t *testing.T) {
	const us = 7
	made := func(id, creator, writer int, state string) *opportunity {
		return &opportunity{ID: id, Creator: creator, Writer: writer, State: state}
	}
	for name, c := range map[string]struct {
		all   []*opportunity
		keep  int
		extra []int
		bad   bool
	}{
		"none":                          {},
		"ours":                          {all: []*opportunity{made(3, us, us, "won")}, keep: 3},
		"one that people made":          {all: []*opportunity{made(3, 1, 0, "lead")}, keep: 3},
		"two that people made":          {all: []*opportunity{made(3, 1, 0, "lead"), made(4, 1, 0, "lead")}, bad: true},
		"ours and a copy":               {all: []*opportunity{made(3, us, 1, "lead"), made(4, 1, 0, "lead")}, keep: 3},
		"ours after one of people":      {all: []*opportunity{made(3, 1, 0, "lead"), made(4, us, 0, "lead")}, keep: 4},
		"two of ours":                   {all: []*opportunity{made(3, us, 0, "lead"), made(4, us, us, "lead")}, keep: 3, extra: []int{4}},
		"two of ours, one worked on":    {all: []*opportunity{made(3, us, 0, "lead"), made(4, us, 1, "lead")}, bad: true},
		"two of ours, one further":      {all: []*opportunity{made(3, us, 0, "lead"), made(4, us, us, "opportunity")}, bad: true},
		"three of ours, the first used": {all: []*opportunity{made(3, us, 1, "won"), made(4, us, 0, "lead"), made(5, us, 0, "lead")}, keep: 3, extra: []int{4, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			keep, extra, err := choose(c.all, us)
			if (err != nil) != c.bad || err != nil && !intake.IsConflicting(err) {
				t.Fatalf("error %v", err)
			}
			var got []int
			for _, o := range extra {
				got = append(got, o.ID)
			}
			if id := 0; keep != nil && keep.ID != c.keep || keep == nil && c.keep != id || !slices.Equal(got, c.extra) {
				t.Errorf("kept %+v, took away %v; want %d, %v", keep, got, c.keep, c.extra)
			}
		})
	}
}

// TestTheFeedTellsWhatWasCommittedLate has a change appear that bears an older time than one that
// was told already.
func TestTheFeedTellsWhatWasCommittedLate(t *testing.T) {
	w := newWorld(t)
	s := w.system(t)
	first, late := crmtest.Sample(1, 1), crmtest.Sample(2, 1)
	for _, r := range []intake.Record{first, late} {
		if _, err := s.CRM.Push(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	read := func(cursor string) (cases []string, next string) {
		t.Helper()
		changes, next, err := s.CRM.Changes(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			cases = append(cases, c.Case)
		}
		return cases, next
	}
	_, cursor := read("")
	if err := (people{w}).Set(first.Registration.Number, crmtest.PeopleDealName, "By hand"); err != nil {
		t.Fatal(err)
	}
	cases, cursor := read(cursor)
	if !slices.Equal(cases, []string{first.Registration.Number}) {
		t.Fatalf("the feed tells of %v", cases)
	}
	err := w.SQL(`update sale_opportunity set state = 'lost', write_uid = 1, write_date = (select datetime(max(write_date), '-60 seconds') from sale_opportunity) where reference = '` + late.Registration.Number + `'`)
	if err != nil {
		t.Fatal(err)
	}
	cases, cursor = read(cursor)
	if !slices.Equal(cases, []string{late.Registration.Number}) {
		t.Errorf("after a late commit the feed tells of %v", cases)
	}
	if cases, _ = read(cursor); len(cases) > 0 {
		t.Errorf("the feed tells again of %v", cases)
	}
}

// TestACopyThatSomebodyMadeIsNotTheRecordOfTheCase copies an opportunity, reference and all, and
// loses the copy.
func TestACopyThatSomebodyMadeIsNotTheRecordOfTheCase(t *testing.T) {
	w := newWorld(t)
	s := w.system(t)
	rec := crmtest.Sample(1, 1)
	ref, err := s.CRM.Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	_, cursor, err := s.CRM.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := people{w}.opportunity(rec.Registration.Number)
	if err != nil {
		t.Fatal(err)
	}
	var copied []int
	if err := w.Call(&copied, "sale.opportunity.copy", []int{id}); err != nil {
		t.Fatal(err)
	}
	if err := w.Call(nil, "sale.opportunity.lost", copied); err != nil {
		t.Fatal(err)
	}
	changes, _, err := s.CRM.Changes(t.Context(), cursor)
	if err != nil || len(changes) > 0 {
		t.Errorf("the copy was lost; the feed says %+v, %v", changes, err)
	}
	rec.Registration.Revision, rec.Registration.CRM = 2, map[string]intake.Ref{"erp": ref}
	again, err := s.CRM.Push(t.Context(), rec)
	if err != nil || again.ID != ref.ID {
		t.Errorf("the second push went to %q, the first to %q: %v", again.ID, ref.ID, err)
	}
	if n := counted(t, w)[2]; n != 2 {
		t.Errorf("%d opportunities, want that of the case and the copy", n)
	}
}

func TestAnOpportunityThatSomebodyDeletedIsNotMadeAgain(t *testing.T) {
	w := newWorld(t)
	s := w.system(t)
	rec := crmtest.Sample(1, 1)
	ref, err := s.CRM.Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := people{w}.opportunity(rec.Registration.Number)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Call(nil, "sale.opportunity.delete", []int{id}); err != nil {
		t.Fatal(err)
	}
	rec.Registration.Revision, rec.Registration.CRM = 2, map[string]intake.Ref{"erp": ref}
	if _, err := s.CRM.Push(t.Context(), rec); !intake.IsGone(err) || !strings.Contains(err.Error(), ref.ID) || counted(t, w)[2] != 0 {
		t.Errorf("after it was deleted: %v, %d opportunities", err, counted(t, w)[2])
	}
	rec.Registration.CRM = nil // staff want it again
	if _, err := s.CRM.Push(t.Context(), rec); err != nil || counted(t, w)[2] != 1 {
		t.Errorf("made again: %v, %d opportunities", err, counted(t, w)[2])
	}
}

func TestWhatAPartnerWroteOfAnErasedCaseIsInNoNote(t *testing.T) {
	w := newWorld(t)
	s := w.system(t)
	rec := crmtest.Sample(1, 1)
	ref, err := s.CRM.Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 12 {
		if err := s.CRM.Note(t.Context(), ref, intake.Note{
			Event: intake.Event{Case: rec.Registration.Number, N: n + 1, At: time.Now(), Kind: intake.EventJoined},
			From:  "bo@northwind.example", Subject: "About Jane", Text: "Jane is on holiday\nFrom: May on she is there.",
		}); err != nil {
			t.Fatal(err)
		}
	}
	rec.Registration.Revision, rec.Registration.CRM = 2, map[string]intake.Ref{"erp": ref}
	rec.Registration.Lead, rec.Registration.Contact, rec.Registration.Status = intake.Lead{}, "", intake.StatusErased
	if _, err := s.CRM.Push(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	rows, err := w.read("ir.note", []any{}, "message")
	if err != nil || len(rows) != 13 {
		t.Fatal(len(rows), err)
	}
	for _, r := range rows {
		if text := trytond.Text(r["message"]); strings.Contains(text, "Jane") || strings.Contains(text, "bo@") || strings.Contains(text, "May") {
			t.Errorf("a note says %s", text)
		}
	}
}

// TestADeletionWhileTheFeedIsReadHidesNothing has somebody delete an opportunity between two pages.
func TestADeletionWhileTheFeedIsReadHidesNothing(t *testing.T) {
	w := newWorld(t)
	to, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	inner := httputil.NewSingleHostReverseProxy(to)
	inner.Transport = transport
	var made []int
	var once sync.Once
	s := crmtest.NewServer(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(rw, r)
		if len(made) > 0 {
			once.Do(func() {
				if err := w.Call(nil, "sale.opportunity.delete", made[:1]); err != nil {
					t.Error(err)
				}
			})
		}
	}))
	c := w.connect(t, s.URL)
	_, cursor, err := c.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	company, err := people{w}.Company("Umbrella AG", "umbrella.example")
	if err != nil {
		t.Fatal(err)
	}
	party, _ := strconv.Atoi(company)
	var all []m
	for i := range page + 2 {
		all = append(all, m{"party": party, "company": 1, "description": fmt.Sprint("deal ", i)})
	}
	if err := w.Call(&made, "sale.opportunity.create", all); err != nil {
		t.Fatal(err)
	}
	changes, _, err := c.Changes(t.Context(), cursor)
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool)
	for _, ch := range changes {
		told[ch.Deal.Ref.ID] = true
	}
	for _, id := range made[1:] {
		if !told[strconv.Itoa(id)] {
			t.Errorf("opportunity %d is not told", id)
		}
	}
}

// Of a short domain there are many that hold it: "x.co" is in "https://netflix.com".
func TestThePartyOfAShortDomainIsFoundAmongMany(t *testing.T) {
	w := newWorld(t)
	var all []m
	for i := range maxMechanisms + 1 {
		all = append(all, m{"name": fmt.Sprint("Other ", i), "contact_mechanisms": []any{[]any{"create", []m{{"type": "website", "value": fmt.Sprintf("https://company%dx.com", i)}}}}})
	}
	if err := w.Call(nil, "party.party.create", all); err != nil {
		t.Fatal(err)
	}
	byHand, err := people{w}.Company("X by hand", "x.co")
	if err != nil {
		t.Fatal(err)
	}
	rec := crmtest.Sample(1, 1)
	rec.Registration.Lead[intake.FieldCompanyDomain] = "x.co"
	ref, err := w.connect(t, w.URL).Push(t.Context(), rec)
	if err != nil || ref.Parts["company"] != byHand {
		t.Errorf("the company is %s, want %s: %v", ref.Parts["company"], byHand, err)
	}
}

// TestARegistrationTakesFewCalls counts the calls of a case from its first push on.
func TestARegistrationTakesFewCalls(t *testing.T) {
	w := newWorld(t)
	w.session = nil
	s := w.proxy(t)
	c := w.connect(t, s.URL)
	step := func(name string, most int, f func() error) {
		t.Helper()
		before := len(s.Requests())
		if err := f(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all := methods(s)[before:]
		t.Logf("%s: %d calls: %s", name, len(all), strings.Join(all, ", "))
		if len(all) > most {
			t.Errorf("%s takes %d calls, want %d at most", name, len(all), most)
		}
	}
	var ref intake.Ref
	push := func(n, revision int) func() error {
		return func() (err error) {
			rec := crmtest.Sample(n, revision)
			rec.Registration.CRM = map[string]intake.Ref{"erp": ref}
			ref, err = c.Push(t.Context(), rec)
			return err
		}
	}
	note := func(n, event int) func() error {
		return func() error {
			return c.Note(t.Context(), ref, intake.Note{Event: intake.Event{Case: crmtest.Sample(n, 1).Registration.Number, N: event, At: time.Now()}})
		}
	}
	var at string
	step("start the feed", 6, func() (err error) { _, at, err = c.Changes(t.Context(), ""); return err })
	step("the first registration, with a new company", 10, push(1, 1))
	ref = intake.Ref{}
	step("a registration with a new company", 9, push(2, 1))
	step("its note", 3, note(2, 1))
	step("a revision", 3, push(2, 2))
	step("the same again", 2, push(2, 2))
	step("a look-up", 3, func() error { _, err := c.Lookup(t.Context(), crmtest.Sample(2, 1).Registration.Lead); return err })
	step("the feed with news", 4, func() (err error) { _, at, err = c.Changes(t.Context(), at); return err })
	step("the feed without", 1, func() (err error) { _, at, err = c.Changes(t.Context(), at); return err })
}

// TestASessionThatRanOutIsOpenedAgain ends the session on the server.
func TestASessionThatRanOutIsOpenedAgain(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	s := w.proxy(t)
	c := w.connect(t, s.URL, func(c *Config) { c.Now = func() time.Time { return now } })
	if _, err := c.Lookup(t.Context(), crmtest.Sample(1, 1).Registration.Lead); err != nil {
		t.Fatal(err)
	}
	if err := c.raw(t.Context(), c.client, nil, "common.db.logout"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	before := len(s.Requests())
	if _, err := c.Push(t.Context(), crmtest.Sample(1, 1)); err != nil {
		t.Fatal(err)
	}
	logins := 0
	for _, m := range methods(s)[before:] {
		if m == "common.db.login" {
			logins++
		}
	}
	if logins != 1 {
		t.Errorf("logged in %d times, want once: %v", logins, methods(s)[before:])
	}
}

func TestAWrongPasswordIsARefusalOfOurselves(t *testing.T) {
	w := newWorld(t)
	w.session = nil
	for name, change := range map[string]func(*Config){
		"password": func(c *Config) { c.Password = "wrong-password-that-is-secret" },
		"database": func(c *Config) { c.Database = "nonesuch" },
	} {
		c := w.connect(t, w.URL, change)
		_, err := c.Push(t.Context(), crmtest.Sample(1, 1))
		if !intake.IsUnauthorized(err) || !strings.Contains(err.Error(), "check") || strings.Contains(err.Error(), "that-is-secret") {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
}

func TestVerifyNamesWhatLacks(t *testing.T) {
	w := newWorld(t)
	c := w.connect(t, w.URL, func(c *Config) {
		c.Mapping = Mapping{
			Owner: "Nobody", Fields: map[string]string{"status": "leadgate_status", "partner": "conversion_probability"},
			Stages: map[string]string{"won": "won", "signed": "won"}, Defaults: map[string]any{"source": "partner"},
		}
	})
	lacks, err := c.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lacks {
		if got = append(got, l.What); l.Mend == "" {
			t.Errorf("%s: nothing is said to mend it", l.What)
		}
	}
	want := []string{
		"employee Nobody", "field conversion_probability of sale.opportunity, of type char or text",
		"field leadgate_status of sale.opportunity, of type char or text", "field source of sale.opportunity",
		"state signed of sale.opportunity",
	}
	if !slices.Equal(got, want) {
		t.Errorf("lacks\n%q, want\n%q", got, want)
	}
	if err := w.Call(nil, "res.user.write", []int{w.session.user}, m{"groups": []any{[]any{"remove", []int{12, 14}}}}); err != nil {
		t.Fatal(err)
	}
	lacks, err = w.connect(t, w.URL).Verify(t.Context())
	if err != nil || !slices.ContainsFunc(lacks, func(l intake.Lack) bool { return l.What == "right to create sale.opportunity" }) {
		t.Errorf("without rights: %+v, %v", lacks, err)
	}
	if _, err := w.connect(t, w.URL).Push(t.Context(), crmtest.Sample(1, 1)); !intake.IsUnauthorized(err) || intake.IsPermanent(err) {
		t.Errorf("a push without rights: %v", err)
	}
}

// TestAMappedFieldIsAlwaysOurs writes the status into the comment's neighbour, a field of text.
func TestAMappedFieldIsAlwaysOurs(t *testing.T) {
	w := newWorld(t)
	s := w.system(t, func(c *Config) { c.Mapping.Fields = map[string]string{"status": "lost_reason"} })
	rec := crmtest.Sample(1, 1)
	ref, err := s.CRM.Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		t.Helper()
		rows, err := w.read("sale.opportunity", []any{}, "lost_reason")
		if err != nil || len(rows) != 1 {
			t.Fatal(err, rows)
		}
		return trytond.Text(rows[0]["lost_reason"])
	}
	if got := read(); got != "in_review" {
		t.Errorf("after the first push: %q", got)
	}
	id, _, err := people{w}.opportunity(rec.Registration.Number)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Call(nil, "sale.opportunity.write", []int{id}, m{"lost_reason": "by hand"}); err != nil {
		t.Fatal(err)
	}
	rec.Registration.CRM = map[string]intake.Ref{"erp": ref}
	if d, err := s.CRM.(intake.Comparer).Compare(t.Context(), []intake.Record{rec}); err != nil || len(d) != 1 || d[0].Field != "lost_reason" || d[0].Stays != "" {
		t.Errorf("differences %+v, %v", d, err)
	}
	if _, err := s.CRM.Push(t.Context(), rec); err != nil || read() != "in_review" {
		t.Errorf("after the second push: %q, %v", read(), err)
	}
}

// Another currency stands in the sheet alone, so that no number is taken for another.
func TestAnAmountIsWrittenInTheCurrencyOfTheCompany(t *testing.T) {
	deal := func(revenue string) intake.Lead {
		return intake.Lead{intake.FieldTargetRevenue: revenue, intake.FieldKind: intake.KindDeal}
	}
	for name, c := range map[string]struct {
		lead intake.Lead
		want string
	}{
		"of the company":   {deal("120000.50 EUR"), "120000.5"},
		"another currency": {deal("120000 USD"), ""},
		"none":             {deal(""), ""},
		"a lead":           {intake.Lead{intake.FieldTargetRevenue: "120000 EUR"}, ""},
	} {
		if got := canonical(amount(c.lead, "EUR")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestASheetIsReadAsItWasWritten(t *testing.T) {
	r := crmtest.Sample(1, 3)
	for _, v := range []string{"a\nb", "a\n\n  b: c\n", "status: won", "x\r\ny", " lead and trail ", "[LG-1 state]"} {
		r.Registration.Lead[intake.FieldProblem] = v
		s := &sheet{lines: parseSheet(sheetOf(r).text(r.Registration.Number))}
		if got := s.value("problem"); got != v {
			t.Errorf("%q became %q", v, got)
		}
		if s.revision() != 3 || s.value("status") != "in_review" {
			t.Errorf("%q: revision %d, status %q", v, s.revision(), s.value("status"))
		}
	}
}

func TestWhatAFieldIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		have, want, wrote string
		write             bool
		stays             string
		after             string
	}{
		"empty":                      {"", "a", "", true, "", brief("a")},
		"nothing to say":             {"b", "", "", false, "", foreign},
		"the same":                   {"a", "a", "", false, "", brief("a")},
		"as we wrote it":             {"a", "b", brief("a"), true, "", brief("b")},
		"changed by hand":            {"c", "b", brief("a"), false, "changed there by hand", brief("a")},
		"emptied by hand":            {"", "b", brief("a"), false, "emptied there by hand", brief("a")},
		"there before":               {"c", "b", "", false, "was there before", foreign},
		"there before and since":     {"d", "b", foreign, false, "was there before", foreign},
		"there before, then emptied": {"", "b", foreign, false, "emptied there by hand", foreign},
	} {
		t.Run(name, func(t *testing.T) {
			f := field{have: c.have, want: c.want}
			write, stays := f.fate(c.wrote)
			if after := f.remember(c.wrote, write); write != c.write || stays != c.stays || after != c.after {
				t.Errorf("written %t, %q, remembered %q", write, stays, after)
			}
		})
	}
}

func TestAnErrorOfTrytonHasAClass(t *testing.T) {
	for raw, want := range map[string]string{
		`["UserError",["A value is required for field \"Employee\".","",null]]`: `permanent Tryton refuses: A value is required for field "Employee".`,
		`["UserError",["You are not allowed to access \"Party\".","",null]]`:    `refused Tryton refuses: You are not allowed to access "Party". Give the user the groups that it needs.`,
		`["UserWarning",["w1","Sure?","really"]]`:                               "permanent Tryton refuses: a person would be warned: w1 Sure? really",
		`["ConcurrencyException","Records were modified in the meanwhile"]`:     "again somebody changed the record at the same moment",
		`["database is locked",""]`:                                             "again Tryton failed in m: database is locked",
		`{"odd":1}`:                                                             "again Tryton failed in m: ",
	} {
		err := refusal("m", json.RawMessage(raw))
		class := "again "
		if intake.IsPermanent(err) {
			class = "permanent "
		} else if intake.IsUnauthorized(err) {
			class = "refused "
		}
		if got := class + err.Error(); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestAHostIsReadFromWhatPeopleWrite(t *testing.T) {
	for _, c := range []struct{ kind, value, want string }{
		{"website", "https://www.Acme.example/about?x", "acme.example"},
		{"website", "acme.example", "acme.example"},
		{"website", "shop.acme.example/", "shop.acme.example"},
		{"website", "://", ""},
		{"email", "Jo@Acme.example", "acme.example"},
		{"phone", "+49", ""},
	} {
		if got := (mechanism{Type: c.kind, Value: c.value}).domain(); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.value, got, c.want)
		}
	}
}
