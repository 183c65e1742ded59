package salesforce

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
)

// calls are the API calls since n, the log-in left out.
func (w *world) calls(n int) (all []string) {
	for _, q := range w.server.Requests()[n:] {
		if q.Path != "/services/oauth2/token" {
			all = append(all, q.Method+" "+strings.TrimPrefix(q.Path, "/services/data/v68.0/"))
		}
	}
	return all
}

func (w *world) counts(t *testing.T, want [4]int) {
	t.Helper()
	have := [4]int{len(w.org.All(objAccount)), len(w.org.All(objContact)), len(w.org.All(objRegistration)), len(w.org.All(objOpportunity))}
	if have != want {
		t.Errorf("accounts, contacts, registrations, opportunities: %v, want %v", have, want)
	}
}

func next(rec intake.Record, ref intake.Ref) intake.Record {
	rec.Registration.Revision++
	rec.Registration.Lead = rec.Registration.Lead.Clone()
	rec.Registration.CRM = map[string]intake.Ref{"salesforce": ref}
	return rec
}

func mustPush(t *testing.T, s *Salesforce, rec intake.Record) intake.Ref {
	t.Helper()
	ref, err := s.Push(t.Context(), rec)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	return ref
}

func noteOf(rec intake.Record, n int) intake.Note {
	return intake.Note{Event: intake.Event{Case: rec.Registration.Number, N: n, Kind: intake.EventMoved, At: time.Now(), Actor: "policy"}}
}

func TestARegistrationTakesFewCalls(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	for _, step := range []struct {
		name string
		do   func(intake.Ref) intake.Ref
		want int
	}{
		{"a new registration: company, contact, deal, registration", func(ref intake.Ref) intake.Ref { return mustPush(t, w.Salesforce, rec) }, 2},
		{"its first entry of the timeline", func(ref intake.Ref) intake.Ref {
			if err := w.Note(t.Context(), ref, noteOf(rec, 1)); err != nil {
				t.Error(err)
			}
			return ref
		}, 1},
		{"a decision", func(ref intake.Ref) intake.Ref {
			rec = next(rec, ref)
			rec.Registration.Status = intake.StatusProvisional
			return mustPush(t, w.Salesforce, rec)
		}, 1},
		{"a field that the partner added", func(ref intake.Ref) intake.Ref {
			rec = next(rec, ref)
			rec.Registration.Lead[intake.FieldContactRole] = "CIO"
			return mustPush(t, w.Salesforce, rec)
		}, 2},
		{"a look-up", func(ref intake.Ref) intake.Ref {
			if _, err := w.Lookup(t.Context(), rec.Registration.Lead); err != nil {
				t.Error(err)
			}
			return ref
		}, 1},
	} {
		n := len(w.server.Requests())
		ref := step.do(rec.Registration.CRM["salesforce"])
		if rec.Registration.CRM == nil {
			rec.Registration.CRM = map[string]intake.Ref{}
		}
		rec.Registration.CRM["salesforce"] = ref
		calls := w.calls(n)
		t.Logf("%d API calls for %s: %s", len(calls), step.name, strings.Join(calls, ", "))
		if len(calls) != step.want {
			t.Errorf("%s takes %d calls, want %d", step.name, len(calls), step.want)
		}
	}
	_, cursor, err := w.Changes(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.server.Requests())
	if _, _, err := w.Changes(t.Context(), cursor); err != nil || len(w.calls(n)) != 1 {
		t.Errorf("the feed takes %v, %v; want one call", w.calls(n), err)
	}
	t.Logf("%d API call for a reading of the feed", len(w.calls(n)))
	w.counts(t, [4]int{1, 1, 1, 1})
}

func TestWhateverAnswerIsLostEachRecordIsThereOnce(t *testing.T) {
	rec := crmtest.Sample(1, 1)
	for lost := range 3 { // the log-in, what reads, what writes
		for _, fault := range []crmtest.Fault{crmtest.CommitThenReset, crmtest.Reset, crmtest.CommitThen500} {
			w := newWorld(t)
			w.server.Script(append(make([]crmtest.Fault, lost), fault)...)
			if _, err := w.Push(t.Context(), rec); err == nil {
				t.Fatalf("request %d met %s: no error", lost+1, fault)
			}
			mustPush(t, w.again(t), rec)
			w.counts(t, [4]int{1, 1, 1, 1})
			if n := len(w.org.All("OpportunityContactRole")); n != 1 {
				t.Errorf("%d contact roles", n)
			}
		}
	}
}

func TestTwoGatewaysAtOnceMakeOneOfEach(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	var group sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		s := w.again(t)
		group.Go(func() { _, errs[i] = s.Push(context.Background(), rec) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	w.counts(t, [4]int{1, 1, 1, 1})
}

func TestNothingIsDoneIfOneOfTheWritesFails(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	w.org.Require(objOpportunity, "NextStep")
	_, err := w.Push(t.Context(), rec)
	if !intake.IsPermanent(err) || !strings.Contains(err.Error(), "NextStep") || !strings.Contains(err.Error(), "mapping.defaults") {
		t.Errorf("%v", err)
	}
	w.counts(t, [4]int{})
	w.config.Mapping.Defaults = map[string]map[string]string{objOpportunity: {"NextStep": "Call"}}
	mustPush(t, w.again(t), rec)
	w.counts(t, [4]int{1, 1, 1, 1})
}

func TestWhatADuplicateRuleNamesIsAdopted(t *testing.T) {
	rec := crmtest.Sample(1, 1)
	rule := func(w *world, object string, ids ...string) {
		w.org.DuplicateRule(object, func(map[string]any) []string { return ids })
	}
	t.Run("an account without a website", func(t *testing.T) {
		w := newWorld(t)
		id, _ := w.org.Create(objAccount, map[string]any{"Name": "ACME"})
		rule(w, objAccount, id)
		if ref := mustPush(t, w.Salesforce, rec); ref.Parts[partAccount] != id {
			t.Errorf("%v", ref.Parts)
		}
		w.counts(t, [4]int{1, 1, 1, 1})
		if a := w.org.All(objAccount)[0]; a["Name"] != "ACME" || a[keyAccount] != "acme1.example" || a["Website"] != "acme1.example" {
			t.Errorf("%v", a)
		}
	})
	t.Run("not one with another website", func(t *testing.T) {
		w := newWorld(t)
		id, _ := w.org.Create(objAccount, map[string]any{"Name": "ACME", "Website": "other.example"})
		rule(w, objAccount, id)
		_, err := w.Push(t.Context(), rec)
		if !intake.IsConflicting(err) || !strings.Contains(err.Error(), id) {
			t.Errorf("%v", err)
		}
		w.counts(t, [4]int{1, 0, 0, 0})
	})
	t.Run("not one of two", func(t *testing.T) {
		w := newWorld(t)
		a, _ := w.org.Create(objAccount, map[string]any{"Name": "ACME"})
		b, _ := w.org.Create(objAccount, map[string]any{"Name": "Acme"})
		rule(w, objAccount, a, b)
		if _, err := w.Push(t.Context(), rec); !intake.IsConflicting(err) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a contact without an address", func(t *testing.T) {
		w := newWorld(t)
		id, _ := w.org.Create(objContact, map[string]any{"LastName": "Doe"})
		rule(w, objContact, id)
		if ref := mustPush(t, w.Salesforce, rec); ref.Parts[partContact] != id {
			t.Errorf("%v", ref.Parts)
		}
		w.counts(t, [4]int{1, 1, 1, 1})
		if c := w.org.All(objContact)[0]; c["Email"] != "jo@acme1.example" || c["AccountId"] != w.org.All(objAccount)[0]["Id"] {
			t.Errorf("%v", c)
		}
	})
}

func TestTheAccountIsFoundAmongThoseThatLookAlike(t *testing.T) {
	rec := crmtest.Sample(1, 1)
	for _, c := range []struct {
		name, website string
		same          bool
	}{
		{"by its website", "http://www.acme1.example/about", true},
		{"by a host below", "shop.acme1.example", true},
		{"not by a longer name", "notacme1.example", false},
		{"not by a name before another", "acme1.example.com", false},
		{"not by a path", "portal.example/acme1.example", false},
	} {
		w := newWorld(t)
		id, _ := w.org.Create(objAccount, map[string]any{"Name": "There", "Website": c.website})
		if ref := mustPush(t, w.Salesforce, rec); (ref.Parts[partAccount] == id) != c.same {
			t.Errorf("%s: %v", c.name, ref.Parts)
		}
	}
	w := newWorld(t)
	id, _ := w.org.Create(objAccount, map[string]any{"Name": "There"})
	_, _ = w.org.Create(objContact, map[string]any{"LastName": "Roe", "Email": "roe@acme1.example", "AccountId": id})
	if ref := mustPush(t, w.Salesforce, rec); ref.Parts[partAccount] != id {
		t.Errorf("by the address of somebody who works there: %v", ref.Parts)
	}
}

// Of a short domain there are many that hold it: "x.co" is in "https://netflix.com".
func TestTheAccountOfAShortDomainIsFoundAmongMany(t *testing.T) {
	w := newWorld(t)
	for i := range 250 {
		if _, err := w.org.Create(objAccount, map[string]any{"Name": fmt.Sprint("Other ", i), "Website": fmt.Sprintf("https://company%dx.com", i)}); err != nil {
			t.Fatal(err)
		}
	}
	id, err := w.org.Create(objAccount, map[string]any{"Name": "X by hand", "Website": "http://www.x.co/en"})
	if err != nil {
		t.Fatal(err)
	}
	rec := crmtest.Sample(1, 1)
	rec.Registration.Lead[intake.FieldCompanyDomain] = "x.co"
	found, err := w.Lookup(t.Context(), rec.Registration.Lead)
	if err != nil || len(found) != 1 || found[0].Ref.ID != id {
		t.Errorf("the look-up finds %+v, %v", found, err)
	}
	if ref := mustPush(t, w.Salesforce, rec); ref.Parts[partAccount] != id || len(w.org.All(objAccount)) != 251 {
		t.Errorf("the account is %s, want %s; there are %d", ref.Parts[partAccount], id, len(w.org.All(objAccount)))
	}
}

func TestSeveralRecordsBehindAnExternalIDAreAConflict(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	w.org.Loosen(objRegistration, keyRegistration)
	for range 2 {
		if _, err := w.org.Create(objRegistration, map[string]any{keyRegistration: rec.Registration.Number}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Push(t.Context(), rec)
	if !intake.IsConflicting(err) || !strings.Contains(err.Error(), "more than one") {
		t.Errorf("%v", err)
	}
	rec.Registration.CRM = map[string]intake.Ref{"salesforce": {ID: "a00000000000001AAA", Wrote: map[string]string{wroteAll: w.offers(rec).digest()}}}
	if _, err := w.Push(t.Context(), rec); !intake.IsConflicting(err) {
		t.Errorf("300: %v", err)
	}
}

func TestErrorsAreSortedAndSayWhatToDo(t *testing.T) {
	rec := crmtest.Sample(1, 1)
	for _, c := range []struct {
		name  string
		spoil func(*world)
		is    func(error) bool
		words string
	}{
		{"a row that is locked is retried", func(w *world) { w.org.Lock(1) }, func(err error) bool { return !intake.IsPermanent(err) && !intake.IsUnauthorized(err) }, "UNABLE_TO_LOCK_ROW"},
		{"used-up calls wait", func(w *world) { w.org.Use(15000) }, func(err error) bool { d, ok := intake.RetryDelay(err); return ok && d == 15*time.Minute }, "24 hours"},
		{"a secret that is wrong is Unauthorized", func(w *world) { w.org.Secret = "new" }, intake.IsUnauthorized, "client_secret"},
		{"a field that is not there is permanent", func(w *world) { w.org.Hide(objRegistration, "Rev__c") }, intake.IsPermanent, "leadgate crm verify"},
		{"an object that is not there is permanent", func(w *world) { w.org.Drop(objRegistration) }, intake.IsPermanent, "examples/salesforce"},
		{"a stage that is not there is permanent", func(w *world) { w.c.Stage = "Nowhere" }, intake.IsPermanent, "Nowhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(w)
			_, err := w.Push(t.Context(), rec)
			if !c.is(err) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v", err)
			}
			w.counts(t, [4]int{})
		})
	}
}

func TestASessionThatEndsIsMadeAnewOnceForAll(t *testing.T) {
	w := newWorld(t)
	mustPush(t, w.Salesforce, crmtest.Sample(1, 1))
	w.org.Expire()
	before := w.org.Minted()
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := w.Push(context.Background(), crmtest.Sample(i+1, 1)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := w.org.Minted() - before; n != 1 {
		t.Errorf("%d sessions were made, want one", n)
	}
	w.counts(t, [4]int{20, 20, 20, 20})
}

func TestAJWTIsTakenAndItsKeyIsNotShown(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	w := newWorld(t, func(c *Config) { c.ClientSecret, c.PrivateKey, c.Username = "", private, "leadgate@vendor.example" })
	w.org.Key, w.org.Username = &key.PublicKey, "leadgate@vendor.example"
	mustPush(t, w.Salesforce, crmtest.Sample(1, 1))
	w.org.Username = "somebody@vendor.example"
	_, err = w.again(t).Push(t.Context(), crmtest.Sample(2, 1))
	if !intake.IsUnauthorized(err) || !strings.Contains(err.Error(), "pre-authorized") || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("%v", err)
	}
	if s := fmt.Sprintf("%v %+v %#v", w.config, w.config, w.config); strings.Contains(s, "PRIVATE") {
		t.Error("the key is shown")
	}
}

func TestTheOrgIsCalledWhereTheTokenSays(t *testing.T) {
	w := newWorld(t)
	for _, instance := range []string{"http://169.254.169.254", "ftp://127.0.0.1", "https://user:pw@example.com", "not a url"} {
		w.org.Instance = instance
		if _, err := w.again(t).Push(t.Context(), crmtest.Sample(1, 1)); err == nil || !strings.Contains(err.Error(), "instance_url") {
			t.Errorf("%s: %v", instance, err)
		}
	}
	other := newWorld(t)
	w.org.Instance = other.server.URL // a server that does not know the session: it is asked, and not the door
	n := len(other.server.Requests())
	_, err := w.again(t).Push(t.Context(), crmtest.Sample(1, 1))
	if !intake.IsUnauthorized(err) || len(other.server.Requests()) == n {
		t.Errorf("%v", err)
	}
}

func TestWhatAPersonDeletedIsNotMadeAgain(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	if err := w.org.Delete(objOpportunity, ref.Parts[partOpportunity]); err != nil {
		t.Fatal(err)
	}
	rec = next(rec, ref)
	rec.Registration.Lead[intake.FieldContactRole] = "CIO"
	ref = mustPush(t, w.Salesforce, rec)
	w.counts(t, [4]int{1, 1, 1, 0})
	rec = next(rec, ref)
	if err := w.org.Delete(objRegistration, ref.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Push(t.Context(), rec); !intake.IsGone(err) {
		t.Errorf("the registration was deleted: %v", err)
	}
	w.counts(t, [4]int{1, 1, 0, 0})
	rec.Registration.CRM = nil // staff want it again
	if again := mustPush(t, w.Salesforce, rec); again.ID == ref.ID {
		t.Error("the registration is that which was deleted")
	}
	w.counts(t, [4]int{1, 1, 1, 1})
}

func TestWhatPeopleTieTheRegistrationToStays(t *testing.T) {
	w, rec := newWorld(t), sampleDeal()
	ref := mustPush(t, w.Salesforce, rec)
	parent, _ := w.org.Create(objAccount, map[string]any{"Name": "Acme Holding"})
	theirs, _ := people{w.org}.Deal(parent, "Theirs")
	boss, _ := w.org.Create(objContact, map[string]any{"LastName": "Boss"})
	if err := w.org.Update(objRegistration, ref.ID, map[string]any{"Account__c": parent, "Opportunity__c": theirs, "Contact__c": boss}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // with what is remembered, and without
		rec = next(rec, ref)
		rec.Registration.Lead[intake.FieldContactRole] = fmt.Sprint("role ", i)
		rec.Registration.Lead[intake.FieldTargetRevenue] = fmt.Sprint(1000+i, " EUR")
		if i == 2 {
			rec.Registration.CRM = nil
		}
		ref = mustPush(t, w.again(t), rec)
		r := w.org.All(objRegistration)[0]
		if r["Account__c"] != parent || r["Opportunity__c"] != theirs || r["Contact__c"] != boss {
			t.Errorf("push %d ties it to %v, %v, %v", i+1, r["Account__c"], r["Opportunity__c"], r["Contact__c"])
		}
	}
	for _, a := range w.org.All(objAccount) {
		if a["Id"] == parent && (a["Website"] != nil || a[keyAccount] != nil) {
			t.Errorf("the account of theirs is filled: %v", a)
		}
	}
	for _, o := range w.org.All(objOpportunity) {
		if o["Id"] == theirs && (o["Name"] != "Theirs" || o["Amount"] != nil) {
			t.Errorf("the deal of theirs is filled: %v", o)
		}
	}
	w.counts(t, [4]int{2, 2, 1, 2})
}

func TestAContactThatStaffAmendIsTiedToTheRegistration(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	rec = next(rec, mustPush(t, w.Salesforce, rec))
	rec.Registration.Lead[intake.FieldContactEmail], rec.Registration.Lead[intake.FieldContactName] = "kim@acme1.example", "Kim Roe"
	ref := mustPush(t, w.Salesforce, rec)
	if r := w.org.All(objRegistration)[0]; r["Contact__c"] != ref.Parts[partContact] || len(w.org.All(objContact)) != 2 {
		t.Errorf("%v, %v", r["Contact__c"], ref.Parts)
	}
}

func TestAnOlderRevisionThatComesLateByAnotherReplicaChangesNothing(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	two := next(rec, ref)
	two.Registration.Status = intake.StatusProvisional
	three := next(two, ref)
	three.Registration.Status = intake.StatusDeclined
	mustPush(t, w.again(t), three)
	late := mustPush(t, w.again(t), two) // it knows nothing of the third
	if late.Revision != 3 {
		t.Errorf("the reference names revision %d, there is 3", late.Revision)
	}
	if r := w.org.All(objRegistration)[0]; r["Status__c"] != "declined" {
		t.Errorf("%v", r["Status__c"])
	}
}

func TestACaseThatNobodyHasProvenIsARegistrationAndNoMore(t *testing.T) {
	for _, st := range []intake.Status{intake.StatusQuarantined, intake.StatusDeclined, intake.StatusWithdrawn, intake.StatusErased} {
		w, rec := newWorld(t), crmtest.Sample(1, 1)
		rec.Registration.Status = st
		mustPush(t, w.Salesforce, rec)
		w.counts(t, [4]int{0, 0, 1, 0})
	}
	w, rec := newWorld(t, func(c *Config) { c.Opportunity = OpportunityApproved }), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	w.counts(t, [4]int{1, 1, 1, 0})
	rec = next(rec, ref)
	rec.Registration.Status = intake.StatusProvisional
	mustPush(t, w.Salesforce, rec)
	w.counts(t, [4]int{1, 1, 1, 1})
}

func TestLeadsWithoutADomainOrAnAddressAreThereOnce(t *testing.T) {
	for _, drop := range [][]intake.Field{
		{intake.FieldCompanyDomain},
		{intake.FieldContactEmail},
		{intake.FieldContactEmail, intake.FieldContactName},
		{intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldContactName},
		{intake.FieldCompanyName},
	} {
		w, rec := newWorld(t), crmtest.Sample(1, 1)
		for _, f := range drop {
			delete(rec.Registration.Lead, f)
		}
		mustPush(t, w.Salesforce, rec)
		mustPush(t, w.again(t), rec)
		contacts := 1
		if rec.Registration.Lead[intake.FieldContactEmail] == "" && rec.Registration.Lead[intake.FieldContactName] == "" {
			contacts = 0
		}
		w.counts(t, [4]int{1, contacts, 1, 1})
	}
}

func TestWhatAPartnerWroteIsInTheTimelineAndInTheTasksOnce(t *testing.T) {
	w, rec := newWorld(t, func(c *Config) { c.Tasks = true }), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	n := noteOf(rec, 7)
	n.From, n.Subject, n.Text = "bo@northwind.example", "Re: LG-1", "They meet on Monday."
	for range 3 {
		if err := w.again(t).Note(t.Context(), ref, n); err != nil {
			t.Fatal(err)
		}
	}
	events, tasks := w.org.All(objEvent), w.org.All("Task")
	if len(events) != 1 || events[0]["Body__c"] != n.Text || events[0]["Direction__c"] != "in" || events[0]["Registration__c"] != ref.ID {
		t.Errorf("%v", events)
	}
	if len(tasks) != 1 || tasks[0]["WhatId"] != ref.Parts[partOpportunity] || !strings.Contains(str(tasks[0]["Description"]), n.Text) {
		t.Errorf("%v", tasks)
	}
	if err := w.org.Delete(objOpportunity, ref.Parts[partOpportunity]); err != nil {
		t.Fatal(err)
	}
	n.Event.N++
	if err := w.Note(t.Context(), ref, n); err != nil || len(w.org.All(objEvent)) != 2 {
		t.Errorf("the deal is gone: %v", err)
	}
}

// sampleDeal is a complete record of a deal.
func sampleDeal() intake.Record {
	rec := crmtest.Sample(1, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	return rec
}

func TestWhatAPartnerWroteOfAnErasedCaseIsInNoTimeline(t *testing.T) {
	w, rec := newWorld(t, func(c *Config) { c.Tasks = true }), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	const words = "Jane is on holiday until May."
	for n := range 30 { // more than fit into one call
		if err := w.Note(t.Context(), ref, intake.Note{
			Event: intake.Event{Case: rec.Registration.Number, N: n + 1, At: w.now(), Kind: intake.EventJoined},
			From:  "bo@northwind.example", Subject: "About Jane", Text: words,
		}); err != nil {
			t.Fatal(err)
		}
	}
	byHand, err := w.org.Create("Task", map[string]any{"WhatId": ref.Parts[partOpportunity], "Subject": "Partner: call them", "Status": "Completed"})
	if err != nil {
		t.Fatal(err)
	}
	rec = next(rec, ref)
	rec.Registration.Lead, rec.Registration.Contact, rec.Registration.Status = intake.Lead{}, "", intake.StatusErased
	mustPush(t, w.Salesforce, rec)
	tasks := 0
	for _, object := range []string{objRegistration, objEvent, "Task"} {
		for _, r := range w.org.All(object) {
			if text := fmt.Sprint(r); strings.Contains(text, "Jane") || strings.Contains(text, "bo@") {
				t.Errorf("%s still has %s", object, text)
			}
			if object == "Task" && r["Id"] == byHand && r["Subject"] != "Partner: call them" {
				t.Errorf("a task of people's is %v", r)
			}
			if object == "Task" {
				tasks++
			}
		}
	}
	if n, _ := w.notes(rec.Registration.Number); n != 30 || tasks != 31 {
		t.Errorf("%d events and %d tasks are left", n, tasks)
	}
}
