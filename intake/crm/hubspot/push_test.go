package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// stand is a connector to an account, for one test.
type stand struct {
	*testing.T
	crmtest.System
	a *hubspottest.Account
	h *Connector
}

func newStand(t *testing.T, change ...func(*Config)) *stand {
	s, a := system(t, change...)
	return &stand{t, s, a, s.CRM.(*Connector)}
}

func (s *stand) push(rec intake.Record) intake.Ref {
	s.Helper()
	ref, err := s.h.Push(s.Context(), rec)
	if err != nil {
		s.Fatal(err)
	}
	return ref
}

// again is a further revision of the first case after ref.
func again(ref intake.Ref, revision int, change ...func(intake.Lead)) intake.Record {
	rec := crmtest.Sample(1, revision)
	rec.Registration.CRM = map[string]intake.Ref{"hubspot": ref}
	for _, f := range change {
		f(rec.Registration.Lead)
	}
	return rec
}

func with(f intake.Field, v string) func(intake.Lead) { return func(l intake.Lead) { l[f] = v } }

// calls are the methods and paths that were called since from.
func (s *stand) calls(from int) (all []string) {
	for _, r := range s.Server.Requests()[from:] {
		path, _, _ := strings.Cut(r.Path, "?")
		all = append(all, r.Method+" "+shape(path))
	}
	return all
}

func (s *stand) want(c, n, d int) {
	s.Helper()
	if x, y, z := len(s.a.All(companies)), len(s.a.All(contacts)), len(s.a.All(deals)); x != c || y != n || z != d {
		s.Errorf("there are %d companies, %d contacts, %d deals; want %d, %d, %d", x, y, z, c, n, d)
	}
}

func TestARegistrationTakesFewCalls(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Mapping = Mapping{} })
	s.push(crmtest.Sample(9, 1)) // what is read once in a while
	first := len(s.Server.Requests())
	t.Logf("the first one after a start: %d calls\n%s", first, strings.Join(s.calls(0), "\n"))
	step := func(what string, limit int, f func()) {
		before := len(s.Server.Requests())
		f()
		n := len(s.Server.Requests()) - before
		t.Logf("%s: %d calls\n%s", what, n, strings.Join(s.calls(before), "\n"))
		if n > limit {
			t.Errorf("%s takes %d calls, want %d", what, n, limit)
		}
	}
	rec := crmtest.Sample(1, 1)
	var ref intake.Ref
	note := func(n int) func() {
		return func() {
			if err := s.h.Note(t.Context(), ref, intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: n, At: time.Now()}}); err != nil {
				t.Error(err)
			}
		}
	}
	step("a case that is new", 4, func() { ref = s.push(rec) })
	step("its note", 1, note(1))
	step("a decision", 2, func() { ref = s.push(again(ref, 2)) })
	step("its note", 1, note(2))
	step("the note again", 2, note(2))
	step("another case of the company and contact", 5, func() {
		two := crmtest.Sample(2, 1)
		two.Registration.Lead[intake.FieldCompanyDomain] = "acme1.example"
		two.Registration.Lead[intake.FieldContactEmail] = "jo@acme1.example"
		s.push(two)
	})
	_, cursor, err := s.h.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	step("a look at what people did, which is nothing", 2, func() { _, _, err = s.h.Changes(t.Context(), cursor) })
	step("a comparison of a hundred cases", 1, func() {
		var all []intake.Record
		for n := range 100 {
			all = append(all, crmtest.Sample(n+1, 1))
		}
		_, err = s.h.Compare(t.Context(), all)
	})
	if err != nil {
		t.Error(err)
	}
	if first > 6 {
		t.Errorf("the first one takes %d calls", first)
	}
}

// TestAfterACrashBetweenAnyTwoCallsThereIsOneOfEach has searches find nothing that was made since, as
// they do for a while.
func TestAfterACrashBetweenAnyTwoCallsThereIsOneOfEach(t *testing.T) {
	rec := crmtest.Sample(1, 1)
	for _, fault := range []crmtest.Fault{crmtest.CommitThenReset, crmtest.Reset, crmtest.CommitThen500, crmtest.Answer500, crmtest.MultiStatus} {
		for _, late := range []bool{true, false} {
			for step := range 7 {
				s := newStand(t)
				if late {
					s.a.Freeze()
				}
				for again := range 2 { // and a crash in the repeat
					s.Server.Script(append(make([]crmtest.Fault, step+again), fault)...)
					_, _ = s.CRM.Push(t.Context(), rec)
					s.Server.Script()
					s.CRM = s.Again()
				}
				ref, err := s.CRM.Push(t.Context(), rec)
				if err != nil {
					t.Fatalf("%s at call %d: %v", fault, step+1, err)
				}
				s.want(1, 1, 1)
				if got := s.a.Linked(deals, ref.ID, companies); len(got) != 1 || got[0] != ref.Parts[partCompany] {
					t.Errorf("%s at call %d: the deal is of companies %v, the reference says %v", fault, step+1, got, ref.Parts)
				}
				if got := s.a.Linked(deals, ref.ID, contacts); len(got) != 1 || got[0] != ref.Parts[partContact] {
					t.Errorf("%s at call %d: the deal is of contacts %v", fault, step+1, got)
				}
			}
		}
	}
}

func TestACaseIsADealWithWhatIsKnown(t *testing.T) {
	s := newStand(t, func(c *Config) {
		c.Zone = time.FixedZone("far west", -8*3600)
		c.Mapping = Mapping{
			Owner:    "kim.sales@vendor.example",
			Fields:   Objects{Deals: map[string]string{"problem": "description"}, Companies: map[string]string{"product_interest": "industry"}},
			Defaults: Objects{Deals: map[string]string{"hs_next_step": "Call them"}, Companies: map[string]string{"lifecyclestage": "lead"}},
		}
	})
	kim, lou := s.a.Person("Kim Sales"), s.a.Person("Lou Sales")
	rec := crmtest.Sample(1, 1)
	g := &rec.Registration
	g.Lead[intake.FieldKind] = intake.KindDeal
	g.Protection = intake.Protection{Start: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), End: time.Date(2027, 3, 1, 7, 59, 59, 0, time.UTC)}
	g.Attribution = []intake.Attribution{{Partner: "other", Role: intake.RoleInfluenced, Percent: 30}, {Partner: g.Partner, Role: intake.RoleSourced, Percent: 70}}
	g.Conflict = "C-1"
	ref := s.push(rec)
	two := crmtest.Sample(2, 1)
	two.Partner.Executive.Email = "Lou.Sales@vendor.example"
	s.push(two)
	d, c, n := s.a.All(deals), s.a.All(companies)[0].Properties, s.a.All(contacts)[0].Properties
	v := d[0].Properties
	for name, want := range map[string]string{
		"dealname": "Acme 1 GmbH – Northwind Partners", "amount": "120000", "pipeline": "default", "dealstage": "appointmentscheduled",
		"hubspot_owner_id": kim, "description": "Backups take longer than the night.", "hs_next_step": "Call them",
		"leadgate_case": g.Number, "leadgate_status": "in_review", "leadgate_partner": "Northwind Partners", "leadgate_partner_type": "reseller",
		"leadgate_attribution": "sourced", "leadgate_attribution_percent": "70", "leadgate_conflict_status": "active",
		"leadgate_protection_start": "2026-11-01", "leadgate_protection_end": "2027-02-28", "leadgate_rev": "1",
		"leadgate_submitted_at": "2026-11-23T09:30:00.123Z", "leadgate_target_revenue": "120000 EUR",
	} {
		if v[name] != want {
			t.Errorf("%s of the deal is %q, want %q", name, v[name], want)
		}
	}
	if got := d[1].Properties["hubspot_owner_id"]; got != lou {
		t.Errorf("the deal of a partner with an executive is owned by %s, want %s", got, lou)
	}
	for name, want := range map[string]string{"name": "Acme 1 GmbH", "domain": "acme1.example", "leadgate_domain": "acme1.example", "country": "DE", "industry": "Vault", "lifecyclestage": "lead"} {
		if c[name] != want {
			t.Errorf("%s of the company is %q, want %q", name, c[name], want)
		}
	}
	for name, want := range map[string]string{"firstname": "Jo", "lastname": "Doe", "jobtitle": "Head of IT", "phone": "+49 30 1234567", "email": "jo@acme1.example"} {
		if n[name] != want {
			t.Errorf("%s of the contact is %q, want %q", name, n[name], want)
		}
	}
	if want := "https://app-eu1.hubspot.com/contacts/6215/record/0-3/" + ref.ID; ref.URL != want {
		t.Errorf("the deal is at %s, want %s", ref.URL, want)
	}
}

func TestAnAmountIsWrittenForDealsInTheCurrencyOfTheAccount(t *testing.T) {
	for _, c := range []struct{ revenue, kind, want string }{
		{"120000 EUR", intake.KindDeal, "120000"},
		{"120000 EUR", intake.KindLead, ""},
		{"120000 EUR", "", ""},
		{"120000 USD", intake.KindDeal, ""},
		{"", intake.KindDeal, ""},
	} {
		if got := amount(intake.Lead{intake.FieldTargetRevenue: c.revenue, intake.FieldKind: c.kind}, "EUR"); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAContactWhoIsThereIsAdoptedAndFilledWhereEmpty(t *testing.T) {
	s := newStand(t)
	id, err := s.a.Add(contacts, map[string]string{"email": "jo@acme1.example", "firstname": "Joanna", "lastname": "Doe-Smith"})
	if err != nil {
		t.Fatal(err)
	}
	ref := s.push(again(intake.Ref{}, 1, with(intake.FieldContactPhone, "")))
	s.want(1, 1, 1)
	v := s.a.All(contacts)[0].Properties
	if v["firstname"] != "Joanna" || v["lastname"] != "Doe-Smith" || v["jobtitle"] != "Head of IT" {
		t.Errorf("the contact is %v", v)
	}
	if ref.Parts[partContact] != id || len(s.a.Linked(contacts, id, companies)) != 1 {
		t.Errorf("the reference has %v; the contact is of companies %v", ref.Parts, s.a.Linked(contacts, id, companies))
	}
	if err := s.a.Set(contacts, id, map[string]string{"jobtitle": "", "firstname": ""}); err != nil {
		t.Fatal(err)
	}
	s.push(again(ref, 2, with(intake.FieldContactRole, "CTO")))
	if v := s.a.All(contacts)[0].Properties; v["jobtitle"] != "" || v["firstname"] != "" || v["phone"] == "" {
		t.Errorf("somebody emptied title and first name, and the contact is %v", v)
	}
}

func TestWhatComesToBeKnownOfContactAndCompanyIsFilledOnce(t *testing.T) {
	s := newStand(t)
	ref := s.push(again(intake.Ref{}, 1, with(intake.FieldContactPhone, ""), with(intake.FieldCountry, "")))
	ref = s.push(again(ref, 2))
	if c, n := s.a.All(companies)[0].Properties, s.a.All(contacts)[0].Properties; c["country"] != "DE" || n["phone"] == "" {
		t.Errorf("%v %v", c, n)
	}
	before := len(s.Server.Requests())
	s.push(again(ref, 3, with(intake.FieldContactPhone, "+49 1"), with(intake.FieldCountry, "FR")))
	if n := len(s.Server.Requests()) - before; n != 2 {
		t.Errorf("what was filled is looked at again: %v", s.calls(before))
	}
}

func TestACompanyIsFoundByAnyOfItsDomains(t *testing.T) {
	for name, v := range map[string]map[string]string{
		"its own":      {"name": "By hand", "domain": "acme1.example"},
		"with www":     {"name": "By hand", "domain": "www.acme1.example"},
		"a further":    {"name": "By hand", "domain": "acme.example", moreDomains: "old.example;acme1.example"},
		"in uppercase": {"name": "By hand", "domain": "ACME1.example"},
	} {
		s := newStand(t)
		if _, err := s.a.Add(companies, v); err != nil {
			t.Fatal(err)
		}
		_, _ = s.a.Add(companies, map[string]string{"name": "Near", "domain": "notacme1.example", moreDomains: "acme1.example.com"})
		s.push(crmtest.Sample(1, 1))
		s.want(2, 1, 1)
		if c := s.a.All(companies)[0].Properties; c["name"] != "By hand" || c[domainProperty] != "acme1.example" {
			t.Errorf("%s: %v", name, c)
		}
	}
}

func TestACompanyWithoutADomainGetsItOnceItIsKnown(t *testing.T) {
	bare := with(intake.FieldCompanyDomain, "")
	s := newStand(t)
	ref := s.push(again(intake.Ref{}, 1, bare))
	s.push(again(intake.Ref{}, 1, bare)) // what was remembered is lost
	s.want(1, 1, 1)
	if c := s.a.All(companies)[0].Properties; c[domainProperty] != "LG-2026-000001-X" || c["domain"] != "" {
		t.Errorf("the company is %v", c)
	}
	s.push(again(ref, 2))
	s.want(1, 1, 1)
	if c := s.a.All(companies)[0].Properties; c[domainProperty] != "acme1.example" || c["domain"] != "acme1.example" {
		t.Errorf("the company is %v", c)
	}
	// There is a company of the domain.
	s = newStand(t)
	ref = s.push(again(intake.Ref{}, 1, bare))
	id, _ := s.a.Add(companies, map[string]string{"name": "Acme", "domain": "acme1.example"})
	ref = s.push(again(ref, 2))
	if !slices.Contains(s.a.Linked(deals, ref.ID, companies), id) || ref.Parts[partCompany] != id {
		t.Errorf("the deal is of %v, the reference has %v, the company is %s", s.a.Linked(deals, ref.ID, companies), ref.Parts, id)
	}
	// Somebody tied the deal to another company.
	s = newStand(t)
	ref = s.push(again(intake.Ref{}, 1, bare))
	id, _ = s.a.Add(companies, map[string]string{"name": "Another"}, deals+"/"+ref.ID)
	s.a.Unlink(deals, ref.ID, companies, ref.Parts[partCompany])
	s.push(again(ref, 2))
	if got := s.a.Linked(deals, ref.ID, companies); len(got) != 1 || got[0] != id {
		t.Errorf("somebody tied the deal to %s; it is of %v", id, got)
	}
	if c := s.a.All(companies)[1].Properties; c[domainProperty] != "" || c["domain"] != "" {
		t.Errorf("their company is %v", c)
	}
}

func TestADealWhoseReferenceWasLostIsTiedToWhatItLacks(t *testing.T) {
	s := newStand(t)
	ref := s.push(crmtest.Sample(1, 1))
	s.a.Unlink(deals, ref.ID, companies, ref.Parts[partCompany])
	s.a.Unlink(deals, ref.ID, contacts, ref.Parts[partContact])
	theirs := s.add(contacts, map[string]string{"email": "theirs@acme1.example"}, deals+"/"+ref.ID)
	s.push(crmtest.Sample(1, 1))
	if got := s.a.Linked(deals, ref.ID, companies); len(got) != 1 || got[0] != ref.Parts[partCompany] {
		t.Errorf("the deal is of companies %v", got)
	}
	if got := s.a.Linked(deals, ref.ID, contacts); len(got) != 1 || got[0] != theirs {
		t.Errorf("somebody tied the deal to contact %s; it has %v", theirs, got)
	}
}

// TestAnAnswerThatIsNoneIsAFailure: 207 with a body that holds nothing of what was asked for.
func TestAnAnswerThatIsNoneIsAFailure(t *testing.T) {
	for _, body := range []string{`{}`, `{"status":"error","results":[]}`, `null`} {
		for step := range 6 {
			s := newStand(t, func(c *Config) { c.Mapping = Mapping{} })
			answers := []string{"/details", "companies/search", "POST /crm/objects/2026-09/companies", "/contacts", "/pipelines/", "POST /crm/objects/2026-09/deals"}
			if step == 2 { // the search is a POST, too
				s.a.Meet(hubspottest.Answer{Status: 200, Body: `{"total":0,"results":[]}`, On: "companies/search"})
			}
			s.a.Meet(hubspottest.Answer{Status: http.StatusMultiStatus, Body: body, On: answers[step]})
			if ref, err := s.h.Push(t.Context(), crmtest.Sample(1, 1)); err == nil || intake.IsPermanent(err) {
				t.Errorf("%s to %s: %+v, %v", body, answers[step], ref, err)
			}
		}
		s := newStand(t)
		s.push(crmtest.Sample(1, 1))
		s.a.Meet(hubspottest.Answer{Status: 200, Body: body, On: "deals/batch/read"})
		if found, err := s.h.Compare(t.Context(), []intake.Record{crmtest.Sample(1, 1)}); err == nil {
			t.Errorf("%s to a batch: %+v", body, found)
		}
	}
}

func TestALeadWithoutCompanyOrAddressIsADealAlone(t *testing.T) {
	s := newStand(t)
	nobody := []func(intake.Lead){with(intake.FieldCompanyName, ""), with(intake.FieldCompanyDomain, ""), with(intake.FieldContactEmail, "")}
	ref := s.push(again(intake.Ref{}, 1, nobody...))
	s.want(0, 0, 1)
	ref = s.push(again(ref, 2))
	s.want(1, 1, 1)
	s.push(again(ref, 3, with(intake.FieldContactEmail, "ann@acme1.example")))
	s.want(1, 2, 1)
	if got := s.a.Linked(deals, ref.ID, contacts); len(got) != 2 {
		t.Errorf("the contact is another one now; the deal has %v", got)
	}
}

func TestADealThatPeopleDeletedIsNotMadeAgainByItself(t *testing.T) {
	s := newStand(t)
	ref := s.push(crmtest.Sample(1, 1))
	s.a.Delete(deals, ref.ID)
	_, err := s.h.Push(t.Context(), again(ref, 2))
	if !intake.IsGone(err) {
		t.Errorf("%v", err)
	}
	s.want(1, 1, 0)
	s.push(again(intake.Ref{}, 2)) // as after that
	s.want(1, 1, 1)
}

func TestADealThatWasMadeOneWithAnotherIsItOrIsNot(t *testing.T) {
	s := newStand(t)
	one, two := s.push(crmtest.Sample(1, 1)), s.push(crmtest.Sample(2, 1))
	if err := s.a.Merge(deals, two.ID, one.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.h.Push(t.Context(), again(one, 2)); !intake.IsGone(err) {
		t.Errorf("the deal of the first case is that of the second now: %v", err)
	}
	if v := s.a.All(deals)[0].Properties; v[caseProperty] != "LG-2026-000002-X" || v[revProperty] != "1" {
		t.Errorf("the deal of the second case is %v", v)
	}
	direct, _ := s.a.Add(deals, map[string]string{"dealname": "direct"})
	if err := s.a.Merge(deals, two.ID, direct); err != nil {
		t.Fatal(err)
	}
	rec := crmtest.Sample(2, 3)
	rec.Registration.CRM = map[string]intake.Ref{"hubspot": two}
	if ref := s.push(rec); ref.ID != two.ID {
		t.Errorf("%+v", ref)
	}
}

func TestAnOldVersionOfTheAPIIsCalledWhereItStands(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Version = legacyVersion })
	s.a.Freeze()
	s.push(crmtest.Sample(1, 1))
	s.CRM = s.Again()
	s.a.Unlink(deals, s.a.All(deals)[0].ID, companies, s.a.All(companies)[0].ID)
	s.push(crmtest.Sample(1, 1))
	if _, err := s.h.Lookup(t.Context(), crmtest.Sample(1, 1).Registration.Lead); err != nil {
		t.Error(err)
	}
	for _, r := range s.Server.Requests() {
		if strings.Contains(r.Path, "/2026") || !strings.Contains(r.Path, "/v3") && !strings.Contains(r.Path, "/v4/") {
			t.Error(r.Path)
		}
	}
}

func TestNotesAreMadeOnceAndShowNoMarkupOfOthers(t *testing.T) {
	s := newStand(t)
	rec := crmtest.Sample(1, 1)
	rec.Registration.Events = 3
	ref := s.push(rec)
	number := rec.Registration.Number
	reply := intake.Note{
		Event: intake.Event{Case: number, N: 3, At: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Kind: intake.EventJoined, Actor: "partner:northwind"},
		From:  "bo@northwind.example", Subject: "Re: Acme\r\nBcc: x", Text: "[" + number + " #9] [" + number + " #4]\n<img src=x onerror=alert(1)> & more",
	}
	for range 3 {
		for _, crm := range []intake.CRM{s.CRM, s.Again()} {
			if err := crm.Note(t.Context(), ref, reply); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := s.a.All(emails)
	if len(all) != 1 || len(s.a.All(notes)) != 0 {
		t.Fatalf("%d e-mails, %d notes", len(all), len(s.a.All(notes)))
	}
	v := all[0].Properties
	for name, want := range map[string]string{
		"hs_email_direction": "INCOMING_EMAIL", "hs_email_subject": "Re: Acme Bcc: x", "hs_timestamp": "2026-11-23T10:00:00.000Z",
		"hs_email_html":    "[" + number + " #3]<br>[" + number + " #9] [" + number + " #4]<br>&lt;img src=x onerror=alert(1)&gt; &amp; more",
		"hs_email_headers": `{"bcc":[],"cc":[],"from":{"email":"bo@northwind.example"},"to":[]}`,
	} {
		if v[name] != want {
			t.Errorf("%s is %q, want %q", name, v[name], want)
		}
	}
	for kind, id := range map[string]string{deals: ref.ID, companies: ref.Parts[partCompany], contacts: ref.Parts[partContact]} {
		if got := s.a.Linked(emails, all[0].ID, kind); len(got) != 1 || got[0] != id {
			t.Errorf("the e-mail is on %s %v, want %s", kind, got, id)
		}
	}
	// A partner who writes the mark of a later event does not keep it out.
	later := intake.Note{Event: intake.Event{Case: number, N: 4, At: time.Now()}, From: reply.From, Text: "later"}
	if err := s.Again().Note(t.Context(), ref, later); err != nil || len(s.a.All(emails)) != 2 {
		t.Errorf("%v, %d e-mails", err, len(s.a.All(emails)))
	}
}

// TestANoteThatMayHaveBeenMadeIsLookedFor: the answer to the note was lost, the case changed, and the
// push that comes before the repeat writes something new.
func TestANoteThatMayHaveBeenMadeIsLookedFor(t *testing.T) {
	s := newStand(t)
	rec := crmtest.Sample(1, 1)
	rec.Registration.Events = 2
	ref := s.push(rec)
	n := intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: 2, At: time.Now()}}
	s.Server.Script(crmtest.CommitThenReset)
	if err := s.h.Note(t.Context(), ref, n); err == nil {
		t.Fatal("no error")
	}
	for _, c := range []*Connector{s.h, s.Again().(*Connector)} {
		next := again(ref, 2)
		next.Registration.Events = 5
		ref, err := c.Push(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Note(t.Context(), ref, n); err != nil {
			t.Fatal(err)
		}
	}
	if got := timeline(s.a, rec.Registration.Number); got != 1 {
		t.Errorf("%d notes", got)
	}
}

func TestFaultsAreSortedAndSaidInWords(t *testing.T) {
	const canary = `"message":"` + crmtest.BodyCanary + `"`
	body := func(category, message, more string) string {
		return fmt.Sprintf(`{"status":"error","category":%q,"message":%q,"correlationId":"c0ffee"%s}`, category, message, more)
	}
	for _, c := range []struct {
		name   string
		status int
		header string
		body   string
		class  string
		wait   time.Duration
		words  []string
	}{
		{"a property that is required", 400, "", body("VALIDATION_ERROR", `Property values were not valid: [{"isValid":false,"message":"property industry is required","error":"REQUIRED_FIELD","name":"industry"}]`, ""), "permanent", 0, []string{"HubSpot refused: property industry is required", "c0ffee"}},
		{"a property by its context", 400, "", body("VALIDATION_ERROR", "no", `,"errors":[{"message":"is required","code":"REQUIRED","context":{"propertyName":["hs_lead"]}}]`), "permanent", 0, []string{"property hs_lead: is required"}},
		{"a body that is not HubSpot's", 400, "", "{" + canary + "}", "permanent", 0, []string{"HubSpot answered 400"}},
		{"a conflict", 409, "", body("CONFLICT", "Deal exists", ""), "conflict", 0, []string{"Deal exists"}},
		{"a token that is not known", 401, "", body("INVALID_AUTHENTICATION", "no", ""), "unauthorized", 0, nil},
		{"a scope that is missing", 403, "", body("MISSING_SCOPES", "This app hasn't been granted all required scopes", `,"errors":[{"message":"x","context":{"requiredGranularScopes":["crm.objects.deals.write"]}}]`), "unauthorized", 0, []string{"needed: scope crm.objects.deals.write"}},
		{"a record that somebody works on", 423, "", body("LOCKED", "locked", ""), "retry", 2 * time.Second, nil},
		{"the limit of ten seconds", 429, "", body("RATE_LIMITS", "You have reached your ten_secondly_rolling limit.", `,"policyName":"TEN_SECONDLY_ROLLING"`), "retry", 10 * time.Second, nil},
		{"the limit of a second", 429, "", body("RATE_LIMITS", "You have reached your secondly limit.", `,"policyName":"SECONDLY"`), "retry", time.Second, nil},
		{"the limit of a day", 429, "", body("RATE_LIMITS", "You have reached your daily limit.", `,"policyName":"DAILY"`), "retry", 6*time.Hour + 30*time.Minute, []string{"limit DAILY"}},
		{"a limit with a time", 429, "33", body("RATE_LIMITS", "no", `,"policyName":"DAILY"`), "retry", 33 * time.Second, nil},
		{"an account that is being moved", 477, "7200", "{}", "retry", 2 * time.Hour, nil},
		{"an account that is moved for long", 477, "999999", "{}", "retry", 24 * time.Hour, nil},
		{"a failure", 502, "", "<html>" + crmtest.BodyCanary, "retry", 0, nil},
		{"a time-out of Cloudflare", 524, "", "", "retry", 0, nil},
		{"no TLS behind it", 525, "", "", "permanent", 0, nil},
		{"a wrong media type", 415, "", "", "permanent", 0, nil},
		{"a redirect", 302, "", "", "permanent", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 11, 23, 16, 30, 0, 0, time.UTC) // half past five in Berlin
			s := newStand(t, func(c *Config) { c.Now = func() time.Time { return now } })
			if _, err := s.h.details(t.Context()); err != nil {
				t.Fatal(err)
			}
			header := map[string]string{}
			if c.header != "" {
				header["Retry-After"] = c.header
			}
			for range 3 { // what a conflict has looked up fails too
				s.a.Meet(hubspottest.Answer{Status: c.status, Header: header, Body: c.body})
			}
			_, err := s.h.Push(t.Context(), crmtest.Sample(1, 1))
			class := "retry"
			switch {
			case err == nil:
				class = "none"
			case intake.IsUnauthorized(err):
				class = "unauthorized"
			case intake.IsConflicting(err):
				class = "conflict"
			case intake.IsPermanent(err):
				class = "permanent"
			}
			wait, _ := intake.RetryDelay(err)
			if class != c.class || wait != c.wait {
				t.Errorf("%s, %v: %v", class, wait, err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%v; want %q", err, w)
				}
			}
			if strings.Contains(fmt.Sprint(err), crmtest.BodyCanary) {
				t.Error(err)
			}
		})
	}
}

func TestARefusalThatCouldNotBeLookedIntoIsRetried(t *testing.T) {
	for _, kind := range kinds() {
		s := newStand(t)
		s.a.Freeze()
		s.push(crmtest.Sample(1, 1))
		s.a.Meet(hubspottest.Answer{Status: 502, On: "GET /crm/objects/2026-09/" + kind})
		_, err := s.Again().Push(t.Context(), crmtest.Sample(1, 1))
		if err == nil || intake.IsPermanent(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestACaseThatWasErasedLeavesNothingOfItsLead(t *testing.T) {
	s := newStand(t)
	ref := s.push(crmtest.Sample(1, 1))
	rec := again(ref, 2)
	rec.Registration.Lead, rec.Registration.Status = intake.Lead{}, intake.StatusErased
	ref = s.push(rec)
	if len(ref.Wrote) > 0 {
		t.Errorf("hashes of what was there are kept: %v", ref.Wrote)
	}
	writes := s.a.Writes()
	rec.Registration.CRM["hubspot"] = ref
	if s.push(rec); s.a.Writes() != writes {
		t.Error("it is written again")
	}
	v := s.a.All(deals)[0].Properties
	for name, value := range v {
		if strings.Contains(value, "cme") || strings.Contains(value, "Doe") {
			t.Errorf("%s is %q", name, value)
		}
	}
	if v["dealname"] != "LG-2026-000001-X – Northwind Partners" || v[prefix+"status"] != "erased" {
		t.Errorf("%v", v)
	}
}

func TestALimitKeepsAllCallsFromBeingMade(t *testing.T) {
	now := time.Now()
	s := newStand(t, func(c *Config) { c.Now = func() time.Time { return now } })
	s.a.Meet(hubspottest.Answer{Status: 429, Body: `{"policyName":"TEN_SECONDLY_ROLLING"}`})
	if _, err := s.h.Push(t.Context(), crmtest.Sample(1, 1)); err == nil {
		t.Fatal("no error")
	}
	before := len(s.Server.Requests())
	_, err := s.h.Lookup(t.Context(), crmtest.Sample(1, 1).Registration.Lead)
	if d, ok := intake.RetryDelay(err); !ok || d != 10*time.Second || len(s.Server.Requests()) != before {
		t.Errorf("%v, %v", err, s.calls(before))
	}
	now = now.Add(11 * time.Second)
	s.push(crmtest.Sample(1, 1))
}

func TestABatchThatFailedInPartIsAFailure(t *testing.T) {
	s := newStand(t)
	s.push(crmtest.Sample(1, 1))
	const form = `{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":%q,"message":"cannot","context":{},"links":{},"errors":[]}]}`
	for category, permanent := range map[string]bool{"INTERNAL_ERROR": false, "VALIDATION_ERROR": true} {
		s.a.Meet(hubspottest.Answer{Status: http.StatusMultiStatus, Body: fmt.Sprintf(form, category), On: "deals/batch/read"})
		_, err := s.h.Compare(t.Context(), []intake.Record{crmtest.Sample(1, 1)})
		if err == nil || intake.IsPermanent(err) != permanent || !strings.Contains(err.Error(), "cannot") {
			t.Errorf("%s: %v", category, err)
		}
	}
	s.a.Meet(hubspottest.Answer{Status: http.StatusMultiStatus, Body: fmt.Sprintf(form, "OBJECT_NOT_FOUND"), On: "deals/batch/read"})
	if found, err := s.h.Compare(t.Context(), []intake.Record{crmtest.Sample(1, 1)}); err != nil || len(found) != 1 || found[0].ID != "" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestATokenOfOAuthIsKeptUntilItEnds(t *testing.T) {
	now := time.Now()
	s := newStand(t, withOAuth, func(c *Config) { c.Now = func() time.Time { return now } })
	s.a.Refresh("refresh-secret")
	tokens := func() (n int) {
		for _, c := range s.calls(0) {
			if strings.HasSuffix(c, "/token") {
				n++
			}
		}
		return n
	}
	s.push(crmtest.Sample(1, 1))
	s.push(crmtest.Sample(2, 1))
	if n := tokens(); n != 1 {
		t.Errorf("%d tokens for two pushes", n)
	}
	now = now.Add(29*time.Minute + time.Second) // a minute before its end
	s.push(crmtest.Sample(3, 1))
	if n := tokens(); n != 2 {
		t.Errorf("%d tokens after the first one's end", n)
	}
	s.a.Revoke("access-token-2")
	s.push(crmtest.Sample(4, 1))
	if n := tokens(); n != 3 {
		t.Errorf("%d tokens after one was not taken", n)
	}
	s.a.Revoke("access-token-3")
	s.a.Refresh("another")
	_, err := s.h.Push(t.Context(), crmtest.Sample(5, 1))
	if !intake.IsUnauthorized(err) || strings.Contains(err.Error(), "refresh-secret") || strings.Contains(err.Error(), "client-secret") {
		t.Errorf("the refresh token is not taken: %v", err)
	}
}

func TestPushesThatStopAreToldSo(t *testing.T) {
	s := newStand(t, withOAuth)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.h.Push(ctx, crmtest.Sample(1, 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
