package hubspot

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// of returns a record as it is now.
func (s *stand) of(kind, id string) map[string]string {
	s.Helper()
	for _, o := range s.a.All(kind) {
		if o.ID == id {
			v := maps.Clone(o.Properties)
			for _, p := range []string{"createdate", "hs_object_id", modified} {
				delete(v, p)
			}
			return v
		}
	}
	s.Fatalf("there is no %s %s", kind, id)
	return nil
}

func TestRecordsThatPeopleTiedToADealAreNotFilled(t *testing.T) {
	s := newStand(t)
	ref := s.push(again(intake.Ref{}, 1, with(intake.FieldCompanyDomain, ""), with(intake.FieldCountry, ""), with(intake.FieldContactPhone, "")))
	company := s.add(companies, map[string]string{"name": "Another"}, deals+"/"+ref.ID)
	person := s.add(contacts, map[string]string{"email": "lou@another.example"}, deals+"/"+ref.ID)
	s.a.Unlink(deals, ref.ID, companies, ref.Parts[partCompany])
	s.a.Unlink(deals, ref.ID, contacts, ref.Parts[partContact])
	for revision := 2; revision < 5; revision++ {
		ref = s.push(again(ref, revision))
		if v := s.of(companies, company); len(v) != 1 {
			t.Errorf("after revision %d their company is %v", revision, v)
		}
		if v := s.of(contacts, person); len(v) != 1 {
			t.Errorf("after revision %d their contact is %v", revision, v)
		}
	}
	if ref.Parts[partCompany] != company || ref.Parts[partContact] != person {
		t.Errorf("the deal is of company %s and contact %s; the reference has %v", company, person, ref.Parts)
	}
	before := len(s.Server.Requests())
	s.push(again(ref, 5))
	if n := len(s.Server.Requests()) - before; n != 2 {
		t.Errorf("%v", s.calls(before))
	}
}

func TestACaseWithoutACompanyLeavesTheOneThatPeopleGaveItsDeal(t *testing.T) {
	s := newStand(t)
	nobody := []func(intake.Lead){with(intake.FieldCompanyName, ""), with(intake.FieldCompanyDomain, ""), with(intake.FieldContactEmail, "")}
	ref := s.push(again(intake.Ref{}, 1, nobody...))
	company := s.add(companies, map[string]string{"name": "Theirs", "domain": "theirs.example"}, deals+"/"+ref.ID)
	ref = s.push(again(ref, 2, nobody...))
	if v := s.of(companies, company); len(v) != 2 {
		t.Errorf("their company is %v", v)
	}
	ref = s.push(again(ref, 3))
	if got := s.a.Linked(deals, ref.ID, companies); len(got) != 1 || got[0] != company {
		t.Errorf("somebody gave the deal company %s; it is of %v", company, got)
	}
}

func TestWhatIsLearntLaterGoesToThePersonAndCompanyThatTheCaseNamesNow(t *testing.T) {
	s := newStand(t)
	ref := s.push(again(intake.Ref{}, 1, with(intake.FieldContactPhone, ""), with(intake.FieldCountry, "")))
	jo, acme := ref.Parts[partContact], ref.Parts[partCompany]
	now := []func(intake.Lead){with(intake.FieldContactEmail, "ann@acme2.example"), with(intake.FieldCompanyDomain, "acme2.example")}
	ref = s.push(again(ref, 2, append(slices.Clone(now), with(intake.FieldContactPhone, ""), with(intake.FieldCountry, ""))...))
	ann, other := ref.Parts[partContact], ref.Parts[partCompany]
	if ann == jo || other == acme {
		t.Fatalf("%v", ref.Parts)
	}
	for revision := 3; revision < 5; revision++ {
		ref = s.push(again(ref, revision, now...))
		if ref.Parts[partContact] != ann || ref.Parts[partCompany] != other {
			t.Errorf("revision %d: the reference has %v, want contact %s and company %s", revision, ref.Parts, ann, other)
		}
	}
	if v := s.of(contacts, jo); v["phone"] != "" {
		t.Errorf("the one before is %v", v)
	}
	if v := s.of(contacts, ann); v["phone"] == "" {
		t.Errorf("the one of now is %v", v)
	}
	if v := s.of(companies, acme); v["country"] != "" {
		t.Errorf("the company before is %v", v)
	}
	if v := s.of(companies, other); v["country"] != "DE" {
		t.Errorf("the company of now is %v", v)
	}
}

func TestWhatTheMappingFilledIsEmptiedWithTheCase(t *testing.T) {
	mapped := func(c *Config) {
		c.Mapping.Fields = Objects{Deals: map[string]string{"problem": "description", "contact_email": "industry", "contact_name": "hs_next_step"}}
	}
	s := newStand(t, mapped)
	rec := again(intake.Ref{}, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	ref := s.push(rec)
	s.set(deals, ref.ID, "hs_next_step", "Call Kim")
	rec = again(ref, 2)
	rec.Registration.Lead, rec.Registration.Status = intake.Lead{}, intake.StatusErased
	ref = s.push(rec)
	v := s.of(deals, ref.ID)
	if v["description"] != "" || v["industry"] != "" || v["amount"] != "" || v["hs_next_step"] != "Call Kim" {
		t.Errorf("%v", v)
	}
}

func TestNoWordsOfAPartnerChooseTheContact(t *testing.T) {
	s := newStand(t, func(c *Config) {
		c.Mapping.Fields = Objects{Contacts: map[string]string{"product_interest": "interest"}}
	})
	stranger := s.add(contacts, map[string]string{"email": "stranger@else.example"})
	s.a.Define(contacts, hubspottest.Property{Name: "interest", Type: "enumeration", Options: []string{"vault"}})
	_, err := s.h.Push(t.Context(), again(intake.Ref{}, 1, with(intake.FieldProductInterest, "Contact already exists. Existing ID: "+stranger)))
	if !intake.IsPermanent(err) {
		t.Errorf("%v", err)
	}
	if v := s.of(contacts, stranger); len(v) != 1 || len(s.a.Linked(contacts, stranger, companies)) != 0 {
		t.Errorf("somebody else is %v, of company %v", v, s.a.Linked(contacts, stranger, companies))
	}
	// A conflict that names somebody without the address.
	s = newStand(t)
	stranger = s.add(contacts, map[string]string{"email": "stranger@else.example"})
	s.a.Meet(hubspottest.Answer{Status: 409, On: "POST /crm/objects/2026-09/contacts", Body: fmt.Sprintf(
		`{"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: %s","correlationId":"c0ffee"}`, stranger)})
	if _, err := s.h.Push(t.Context(), again(intake.Ref{}, 1)); !intake.IsConflicting(err) {
		t.Errorf("%v", err)
	}
	if v := s.of(contacts, stranger); len(v) != 1 {
		t.Errorf("somebody else is %v", v)
	}
}

func TestAContactIsKnownByAFurtherAddress(t *testing.T) {
	s := newStand(t)
	id := s.add(contacts, map[string]string{"email": "jo@private.example", moreEmails: "j@acme1.example;jo@acme1.example"})
	s.a.Meet(hubspottest.Answer{Status: 409, On: "POST /crm/objects/2026-09/contacts", Body: fmt.Sprintf(
		`{"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: %s","correlationId":"c0ffee"}`, id)})
	ref := s.push(crmtest.Sample(1, 1))
	if v := s.of(contacts, id); ref.Parts[partContact] != id || v["email"] != "jo@private.example" || v["lastname"] != "Doe" {
		t.Errorf("%v, %v", ref.Parts, v)
	}
}

func TestANoteIsMadeThoughPeopleDeletedCompanyOrContact(t *testing.T) {
	for _, pushed := range []bool{true, false} {
		s := newStand(t)
		rec := crmtest.Sample(1, 1)
		ref := s.push(rec)
		s.a.Delete(contacts, ref.Parts[partContact])
		s.a.Delete(companies, ref.Parts[partCompany])
		if pushed {
			if ref = s.push(again(ref, 2)); len(ref.Parts) > 0 {
				t.Errorf("the reference has %v", ref.Parts)
			}
		}
		for n, text := range []string{"", "They want it."} {
			note := intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: n + 2, At: time.Now()}, From: "bo@northwind.example", Text: text}
			if err := s.h.Note(t.Context(), ref, note); err != nil {
				t.Errorf("after a push %t: %v", pushed, err)
			}
		}
		if n := timeline(s.a, rec.Registration.Number); n != 2 {
			t.Errorf("after a push %t there are %d notes", pushed, n)
		}
	}
}

// TestANoteOfAnotherProcessIsLookedFor: one process pushed, another one pushed and noted since, and was
// gone before it could say so.
func TestANoteOfAnotherProcessIsLookedFor(t *testing.T) {
	s := newStand(t)
	rec := crmtest.Sample(1, 1)
	rec.Registration.Events = 2
	ref := s.push(rec)
	other := s.Again()
	rec = again(ref, 2)
	rec.Registration.Events = 4
	ref, err := other.Push(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	n := intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: 4, At: time.Now()}}
	for _, crm := range []intake.CRM{other, s.h} {
		if err := crm.Note(t.Context(), ref, n); err != nil {
			t.Fatal(err)
		}
	}
	if got := timeline(s.a, rec.Registration.Number); got != 1 {
		t.Errorf("%d notes", got)
	}
}

func TestACompanyThatASearchStillFindsAndIsGoneIsTriedAgain(t *testing.T) {
	s := newStand(t)
	id := s.add(companies, map[string]string{"name": "Acme", "domain": "acme1.example"})
	s.a.Freeze()
	s.a.Delete(companies, id)
	_, err := s.h.Push(t.Context(), crmtest.Sample(1, 1))
	if _, later := intake.RetryDelay(err); err == nil || intake.IsPermanent(err) || !later {
		t.Errorf("%v", err)
	}
	s.a.Thaw()
	s.push(crmtest.Sample(1, 1))
	s.want(1, 1, 1)
}

func TestAllThatIsTiedToARecordIsRead(t *testing.T) {
	s := newStand(t)
	s.a.Page(3)
	company := s.add(companies, map[string]string{"name": "Acme", "domain": "acme1.example"})
	for range 7 {
		s.add(deals, map[string]string{"dealname": "direct", "dealstage": "contractsent", "pipeline": "default"}, companies+"/"+company)
	}
	all, err := s.h.Lookup(t.Context(), intake.Lead{intake.FieldCompanyDomain: "acme1.example"})
	open := 0
	for _, m := range all {
		if m.Kind == intake.MatchOpenDeal {
			open++
		}
	}
	if err != nil || open != 7 {
		t.Errorf("%d of 7 deals are found, %v", open, err)
	}
	rec := crmtest.Sample(1, 1)
	ref := s.push(rec)
	for range 2 {
		for n := range 7 {
			if err := s.Again().Note(t.Context(), ref, intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: n + 1, At: time.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := timeline(s.a, rec.Registration.Number); n != 7 {
		t.Errorf("%d notes", n)
	}
}

func TestARefreshTokenThatIsReplacedIsUsed(t *testing.T) {
	now := time.Now()
	s := newStand(t, withOAuth, func(c *Config) { c.Now = func() time.Time { return now } })
	s.a.Refresh("refresh-secret")
	s.a.Rotate()
	for n := range 3 {
		if _, err := s.h.Push(t.Context(), crmtest.Sample(n+1, 1)); err != nil {
			t.Fatalf("after %d tokens: %v", n, err)
		}
		now = now.Add(time.Hour)
	}
}

func TestWhatAPushReadOnceIsReadAgainAfterARefusal(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Mapping = Mapping{Owner: "kim.sales@vendor.example"} })
	s.a.Person("Kim Sales")
	s.push(crmtest.Sample(1, 1))
	s.a.Require(deals, "industry")
	if _, err := s.h.Push(t.Context(), crmtest.Sample(2, 1)); !intake.IsPermanent(err) {
		t.Fatal(err)
	}
	s.a.Require(deals, "")
	before := len(s.Server.Requests())
	s.push(crmtest.Sample(2, 1))
	if calls := strings.Join(s.calls(before), " "); !strings.Contains(calls, "/pipelines/") || !strings.Contains(calls, "/owners/") {
		t.Errorf("what HubSpot refused may come of what was read before: %s", calls)
	}
}

// TestSearchesStayBelowTheLimitOfASecond: HubSpot takes five of an account within any second.
func TestSearchesStayBelowTheLimitOfASecond(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Searches = 0 })
	if _, err := s.h.details(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var at []time.Time
	s.a.Before(func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/search") {
			at = append(at, time.Now())
		}
	})
	var all sync.WaitGroup
	for range 9 {
		all.Go(func() {
			if _, err := s.h.Lookup(t.Context(), intake.Lead{intake.FieldCompanyName: "Acme"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := 5; i < len(at); i++ {
		if d := at[i].Sub(at[i-5]); d < 900*time.Millisecond {
			t.Errorf("six searches within %v", d)
		}
	}
	if len(at) != 9 {
		t.Errorf("%d searches", len(at))
	}
}

func TestAPropertyOfAnotherTypeIsNamedBeforeAPushMeetsIt(t *testing.T) {
	s := newStand(t, func(c *Config) {
		c.Mapping.Fields = Objects{
			Deals: map[string]string{
				"problem": "a_choice", "partner": "a_number", "status": "all_statuses", "partner_type": "a_choice", "submitted_at": "a_day",
				"attribution_percent": "a_number", "protection_end": "a_day", "reason": "description", "channel": "computed",
			},
		}
	})
	for name, p := range map[string]hubspottest.Property{
		"a_choice": {Type: "enumeration", Options: []string{"x"}}, "a_number": {Type: "number"}, "a_day": {Type: "date"},
		"all_statuses": {Type: "enumeration"}, "computed": {Type: "string", ReadOnly: true},
	} {
		p.Name = name
		if name == "all_statuses" {
			p.Options = strs(intake.Statuses())
		}
		s.a.Define(deals, p)
	}
	lacks, err := s.h.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, l := range lacks {
		said = append(said, l.What)
	}
	slices.Sort(said)
	want := []string{
		"deal property a_choice for partner_type, with its options",
		"deal property a_choice for problem, of type string",
		"deal property a_day for submitted_at, of type datetime",
		"deal property a_number for partner, of type string",
		"deal property computed for channel, that can be written",
	}
	if !slices.Equal(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}

func TestACompanyWithVeryManyDealsIsLookedUpInFewCalls(t *testing.T) {
	s := newStand(t)
	company := s.add(companies, map[string]string{"name": "Acme", "domain": "acme1.example"})
	deal := func(stage string) string {
		return s.add(deals, map[string]string{"dealname": "direct", "dealstage": stage, "pipeline": "default"}, companies+"/"+company)
	}
	old, won := deal("contractsent"), deal("closedwon")
	for range 1200 {
		deal("closedlost")
	}
	s.a.Freeze()
	recent := deal("contractsent")
	for _, page := range []int{500, 2000} {
		s.a.Page(page)
		before := len(s.Server.Requests())
		all, err := s.h.Lookup(t.Context(), intake.Lead{intake.FieldCompanyDomain: "acme1.example"})
		if err != nil {
			t.Fatal(err)
		}
		var open []string
		customer := false
		for _, m := range all {
			if m.Kind == intake.MatchOpenDeal {
				open = append(open, m.Ref.ID)
			}
			customer = customer || m.Kind == intake.MatchCustomer && m.Ref.ID == won
		}
		if !slices.Contains(open, old) || !customer {
			t.Errorf("the open deals are %v, want %s; customer: %t", open, old, customer)
		}
		if page > 500 && !slices.Contains(open, recent) {
			t.Errorf("the open deals are %v, without %s, which no search knows yet", open, recent)
		}
		if n := len(s.Server.Requests()) - before; n > 8 {
			t.Errorf("%d calls", n)
		}
	}
}

func TestACaseThatHasEndedOrThatNobodyHasProvenIsADealAndNoMore(t *testing.T) {
	for _, st := range []intake.Status{intake.StatusQuarantined, intake.StatusDeclined, intake.StatusWithdrawn} {
		s := newStand(t)
		rec := crmtest.Sample(1, 1)
		rec.Registration.Status = st
		ref := s.push(rec)
		s.want(0, 0, 1)
		rec = again(ref, 2)
		rec.Registration.Status = st
		s.push(rec)
		s.want(0, 0, 1)
		s.push(again(ref, 3)) // it is proven, or was decided anew
		s.want(1, 1, 1)
		// What is there already is tied, and not filled.
		s = newStand(t)
		company := s.add(companies, map[string]string{"name": "Acme", "domain": "acme1.example"})
		person := s.add(contacts, map[string]string{"email": "jo@acme1.example"})
		rec = crmtest.Sample(1, 1)
		rec.Registration.Status = st
		for range 2 {
			ref = s.push(rec)
			rec.Registration.CRM = map[string]intake.Ref{"hubspot": ref}
			if v, w := s.of(companies, company), s.of(contacts, person); len(v) != 2 || len(w) != 1 || !slices.Equal(s.a.Linked(deals, ref.ID, companies), []string{company}) {
				t.Errorf("%s: the company is %v, the contact %v, the deal is of %v", st, v, w, s.a.Linked(deals, ref.ID, companies))
			}
		}
	}
}

func TestAnErasedCaseThatIsNotThereIsNotMade(t *testing.T) {
	s := newStand(t)
	rec := crmtest.Sample(1, 2)
	rec.Registration.Lead, rec.Registration.Status = intake.Lead{}, intake.StatusErased
	note := intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: 2, To: intake.StatusErased, At: time.Now()}}
	ref := s.push(rec)
	if err := s.h.Note(t.Context(), ref, note); err != nil {
		t.Error(err)
	}
	s.want(0, 0, 0)
	s.push(crmtest.Sample(1, 1))
	s.push(rec) // of which nothing was known to be there
	if v := s.a.All(deals)[0].Properties; v["leadgate_company_name"] != "" || v["leadgate_status"] != "erased" {
		t.Errorf("%v", v)
	}
}

func TestADealIsClosedWithItsCaseUnlessPeopleMovedIt(t *testing.T) {
	ends := func(c *Config) { c.Mapping.Ends = map[string]string{"declined": "closedlost", "expired": "closedlost"} }
	as := func(ref intake.Ref, revision int, st intake.Status) intake.Record {
		rec := again(ref, revision)
		rec.Registration.Status = st
		return rec
	}
	s := newStand(t, ends)
	var cursor string
	s.feed(&cursor)
	ref := s.push(crmtest.Sample(1, 1))
	stage := func(want string) {
		t.Helper()
		if got := s.of(deals, ref.ID)["dealstage"]; got != want {
			t.Errorf("the deal is in %s, want %s", got, want)
		}
	}
	ref = s.push(as(ref, 2, intake.StatusDeclined))
	stage("closedlost")
	for _, ch := range s.feed(&cursor) {
		if v, told := ch.Fields[intake.ChangeStatus]; told && v != intake.DealOpen {
			t.Errorf("our own move is told as %s", v)
		}
	}
	ref = s.push(as(ref, 3, intake.StatusProvisional)) // an appeal
	stage("appointmentscheduled")
	s.set(deals, ref.ID, "dealstage", "contractsent")
	ref = s.push(as(ref, 4, intake.StatusExpired))
	stage("contractsent")
	s.set(deals, ref.ID, "dealstage", "closedlost")
	all := s.feed(&cursor)
	if len(all) != 1 {
		t.Errorf("%+v", all)
	}
	// One that was declined at once begins where it ends.
	s = newStand(t, ends)
	ref = s.push(as(intake.Ref{}, 1, intake.StatusDeclined))
	stage("closedlost")
	ref = s.push(as(ref, 2, intake.StatusInReview))
	stage("appointmentscheduled")
	// Without the mapping nothing moves.
	s = newStand(t)
	ref = s.push(as(intake.Ref{}, 1, intake.StatusDeclined))
	stage("appointmentscheduled")
	// Moved by people after a case ended is told when the case lives again.
	s = newStand(t, ends)
	cursor = ""
	s.feed(&cursor)
	ref = s.push(crmtest.Sample(1, 1))
	s.set(deals, ref.ID, "dealstage", "closedlost")
	all = s.feed(&cursor)
	if len(all) != 1 || all[0].Fields[intake.ChangeStatus] != intake.DealLost {
		t.Errorf("%+v", all)
	}
}
