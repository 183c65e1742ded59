package salesforce

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
)

// read reads the feed once.
func (w *world) changes(t *testing.T, cursor string) ([]intake.Change, string) {
	t.Helper()
	all, next, err := w.Changes(t.Context(), cursor)
	if err != nil {
		t.Fatalf("feed: %v", err)
	}
	return all, next
}

// held is an event at the opportunity of a case.
func (w *world) meet(t *testing.T, what string, from, to time.Duration) string {
	t.Helper()
	id, err := w.org.Create("Event", map[string]any{
		"WhatId": what, "Subject": "Discovery",
		"StartDateTime": w.now().Add(from).UTC().Format(time.RFC3339), "EndDateTime": w.now().Add(to).UTC().Format(time.RFC3339),
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func fieldsOf(all []intake.Change, number string) map[string]string {
	out := make(map[string]string)
	for _, c := range all {
		if c.Case == number {
			for k, v := range c.Fields {
				out[k] = v
			}
		}
	}
	return out
}

func TestTheFirstMeetingIsToldAndWhenItIsOver(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	rec.Registration.Claim = w.now()
	ref := mustPush(t, w.Salesforce, rec)
	_, cursor := w.changes(t, "")
	number := rec.Registration.Number
	w.meet(t, ref.Parts[partOpportunity], -49*time.Hour, -48*time.Hour) // before the partner came
	second := w.meet(t, ref.Parts[partOpportunity], 3*time.Hour, 4*time.Hour)
	first := w.meet(t, ref.ID, 1*time.Hour, 2*time.Hour)
	want := w.now().Add(time.Hour).UTC().Format(time.RFC3339)[:16]
	all, cursor := w.changes(t, cursor)
	if f := fieldsOf(all, number); !strings.HasPrefix(f[intake.ChangeMeeting], want) || f[intake.ChangeHeld] != "" {
		t.Errorf("%v, want the meeting at %s", f, want)
	}
	w.ahead = 150 * time.Minute
	all, cursor = w.changes(t, cursor)
	if f := fieldsOf(all, number); !strings.HasPrefix(f[intake.ChangeMeeting], want) || f[intake.ChangeHeld] != "true" {
		t.Errorf("after its end: %v", f)
	}
	for _, id := range []string{first, second} {
		if err := w.org.Delete("Event", id); err != nil {
			t.Fatal(err)
		}
	}
	all, _ = w.changes(t, cursor)
	if f := fieldsOf(all, number); f[intake.ChangeMeeting] != "" || len(f) == 0 {
		t.Errorf("after it was called off: %v", f)
	}
}

func TestWhatIsDeletedIsToldAsGone(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	_, cursor := w.changes(t, "")
	ref := mustPush(t, w.Salesforce, rec)
	for _, x := range []struct{ object, id string }{{objOpportunity, ref.Parts[partOpportunity]}, {objRegistration, ref.ID}} {
		_, cursor = w.changes(t, cursor)
		if err := w.org.Delete(x.object, x.id); err != nil {
			t.Fatal(err)
		}
		all, _ := w.changes(t, cursor)
		if !slices.ContainsFunc(all, func(c intake.Change) bool { return c.Gone && c.Case == rec.Registration.Number }) {
			t.Errorf("%s was deleted; the feed says %+v", x.object, all)
		}
	}
}

func TestADealThatSomebodyTiesToTheRegistrationCounts(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	_, cursor := w.changes(t, "")
	deal, err := people{w.org}.Deal(ref.Parts[partAccount], "Ours since spring")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.org.Update(objRegistration, ref.ID, map[string]any{"Opportunity__c": deal}); err != nil {
		t.Fatal(err)
	}
	if err := w.org.Update(objOpportunity, deal, map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	all, _ := w.changes(t, cursor)
	if f := fieldsOf(all, rec.Registration.Number); f[intake.ChangeStatus] != intake.DealWon {
		t.Errorf("%+v", all)
	}
}

// Sales have a deal of their own, tie the registration to it and end ours as the second of two.
func TestWhatBecomesOfADealThatACaseIsNoLongerTiedToIsNotTold(t *testing.T) {
	for name, end := range map[string]func(w *world, ours string) error{
		"it is lost": func(w *world, ours string) error {
			return w.org.Update(objOpportunity, ours, map[string]any{"StageName": "Closed Lost"})
		},
		"it is deleted": func(w *world, ours string) error { return w.org.Delete(objOpportunity, ours) },
	} {
		t.Run(name, func(t *testing.T) {
			w, rec := newWorld(t), crmtest.Sample(1, 1)
			ref := mustPush(t, w.Salesforce, rec)
			theirs, err := people{w.org}.Deal(ref.Parts[partAccount], "Ours since spring")
			if err != nil {
				t.Fatal(err)
			}
			_, cursor := w.changes(t, "")
			if err := w.org.Update(objRegistration, ref.ID, map[string]any{"Opportunity__c": theirs}); err != nil {
				t.Fatal(err)
			}
			if err := end(w, ref.Parts[partOpportunity]); err != nil {
				t.Fatal(err)
			}
			all, _ := w.changes(t, cursor)
			if f := fieldsOf(all, rec.Registration.Number); f[intake.ChangeStatus] != intake.DealOpen {
				t.Errorf("the deal of the case is open; the feed says %+v", all)
			}
			for _, c := range all {
				if c.Gone || c.Fields[intake.ChangeStatus] == intake.DealLost {
					t.Errorf("the feed tells %+v", c)
				}
			}
		})
	}
}

func TestADealToWhichTwoCasesAreTiedIsToldOfBoth(t *testing.T) {
	w := newWorld(t)
	one, two := crmtest.Sample(1, 1), crmtest.Sample(2, 1)
	first, second := mustPush(t, w.Salesforce, one), mustPush(t, w.Salesforce, two)
	deal := first.Parts[partOpportunity]
	if err := w.org.Update(objRegistration, second.ID, map[string]any{"Opportunity__c": deal}); err != nil {
		t.Fatal(err)
	}
	w.ahead = time.Minute
	_, cursor := w.changes(t, "")
	if err := w.org.Update(objOpportunity, deal, map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	all, _ := w.changes(t, cursor)
	for _, r := range []intake.Record{one, two} {
		if f := fieldsOf(all, r.Registration.Number); f[intake.ChangeStatus] != intake.DealWon {
			t.Errorf("of %s the feed says %+v", r.Registration.Number, f)
		}
	}
}

func TestARecordThatWasMadeAgainIsNotToldAsGone(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	_, cursor := w.changes(t, "")
	if err := w.org.Delete(objRegistration, ref.ID); err != nil {
		t.Fatal(err)
	}
	all, cursor := w.changes(t, cursor)
	if !slices.ContainsFunc(all, func(c intake.Change) bool { return c.Gone }) {
		t.Fatalf("it was deleted; the feed says %+v", all)
	}
	mustPush(t, w.Salesforce, rec) // staff want it again
	if err := w.org.Update(objOpportunity, ref.Parts[partOpportunity], map[string]any{"StageName": "Qualification"}); err != nil {
		t.Fatal(err)
	}
	all, _ = w.changes(t, cursor)
	for _, c := range all {
		if c.Gone {
			t.Errorf("it is there again; the feed says %+v", c)
		}
	}
}

func TestADealThatSomebodyTiesJustBeforeAPushOfOursIsTold(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	won, err := people{w.org}.Deal(ref.Parts[partAccount], "Ours since spring")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.org.Update(objOpportunity, won, map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	w.ahead = 10 * time.Minute
	_, cursor := w.changes(t, "")
	if err := w.org.Update(objRegistration, ref.ID, map[string]any{"Opportunity__c": won}); err != nil {
		t.Fatal(err)
	}
	mustPush(t, w.Salesforce, next(rec, ref)) // so that we write the registration last
	all, _ := w.changes(t, cursor)
	if f := fieldsOf(all, rec.Registration.Number); f[intake.ChangeStatus] != intake.DealWon {
		t.Errorf("the feed says %+v", all)
	}
}

// A bulk load changes more than a reading takes, and commits part of it late.
func TestWhatIsCommittedLateInAnEndlessReadingIsTold(t *testing.T) {
	w := newWorld(t)
	_, cursor := w.changes(t, "")
	company, _ := people{w.org}.Company("Umbrella AG", "umbrella.example")
	w.ahead = time.Minute
	for i := range 1100 {
		if _, err := (people{w.org}).Deal(company, fmt.Sprint("deal ", i)); err != nil {
			t.Fatal(err)
		}
	}
	w.ahead = 2 * time.Minute
	_, cursor = w.changes(t, cursor)
	w.ahead = 30 * time.Second // what is committed now bears the stamp of before all these
	late, err := people{w.org}.Deal(company, "late")
	if err != nil {
		t.Fatal(err)
	}
	w.ahead = 2 * time.Minute
	told := make(map[string]bool)
	for range 6 {
		var all []intake.Change
		all, cursor = w.changes(t, cursor)
		for _, c := range all {
			told[c.Deal.Ref.ID] = true
		}
	}
	if !told[late] {
		t.Error("it is not told")
	}
}

func TestWhatSomebodyChangedJustBeforeAPushOfOursIsTold(t *testing.T) {
	w, rec := newWorld(t), crmtest.Sample(1, 1)
	_, cursor := w.changes(t, "")
	ref := mustPush(t, w.Salesforce, rec)
	_, cursor = w.changes(t, cursor)
	if err := w.org.Update(objOpportunity, ref.Parts[partOpportunity], map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	rec = next(rec, ref)
	rec.Registration.Lead[intake.FieldCompanyName] = "Acme Renamed" // so that we write last
	mustPush(t, w.Salesforce, rec)
	all, _ := w.changes(t, cursor)
	if !slices.ContainsFunc(all, func(c intake.Change) bool { return !c.Own && c.Fields[intake.ChangeStatus] == intake.DealWon }) {
		t.Errorf("%+v", all)
	}
}

func TestWhatWasCommittedLateAndWhatIsMuchIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.org.Batch(120) // answers come in parts
	_, cursor := w.changes(t, "")
	company, _ := people{w.org}.Company("Umbrella AG", "umbrella.example")
	const many = 1300 // more than a reading takes
	for i := range many {
		if _, err := (people{w.org}).Deal(company, fmt.Sprint("deal ", i)); err != nil {
			t.Fatal(err)
		}
	}
	told := make(map[string]int)
	take := func(all []intake.Change) {
		for _, c := range all {
			told[c.Deal.Ref.ID]++
		}
	}
	for range 3 {
		var all []intake.Change
		all, cursor = w.changes(t, cursor)
		take(all)
	}
	w.ahead = 10 * time.Minute
	var all []intake.Change
	all, cursor = w.changes(t, cursor)
	take(all)
	w.ahead = 6 * time.Minute // what is committed now bears the stamp of four minutes ago
	if _, err := (people{w.org}).Deal(company, "late"); err != nil {
		t.Fatal(err)
	}
	w.ahead = 10 * time.Minute
	for range 2 {
		all, cursor = w.changes(t, cursor)
		take(all)
	}
	if len(told) != many+1 {
		t.Errorf("%d deals were told, want %d", len(told), many+1)
	}
	for id, n := range told {
		if n != 1 {
			t.Errorf("%s was told %d times", id, n)
		}
	}
	if len(cursor) > 40_000 {
		t.Errorf("the cursor has %d bytes", len(cursor))
	}
}

func TestWhenTheCallsRunOutTheFeedIsReadRarely(t *testing.T) {
	w := newWorld(t)
	_, cursor := w.changes(t, "")
	for _, c := range []struct {
		used  int
		after time.Duration
		want  int
	}{
		{100, 30 * time.Second, 1},
		{12200, 30 * time.Second, 1}, // which tells that more than four fifths are used
		{12200, 30 * time.Second, 0},
		{12200, 5 * time.Minute, 1},
		{14400, 6 * time.Minute, 1},
		{14400, 6 * time.Minute, 0},
		{14400, 31 * time.Minute, 1},
	} {
		w.org.Use(c.used)
		w.ahead += c.after
		n := len(w.server.Requests())
		_, cursor = w.changes(t, cursor)
		if have := len(w.calls(n)); have != c.want {
			t.Errorf("%d calls are used, %v later the feed makes %d, want %d", c.used, c.after, have, c.want)
		}
	}
}

func TestACursorOfOthersIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []string{"x", "{}", `{"v":9}`} {
		if _, _, err := w.Changes(t.Context(), c); !intake.IsPermanent(err) {
			t.Errorf("%s: %v", c, err)
		}
	}
}

const hookToken = "a-path-that-nobody-guesses"

func outbound(org, typ string, ids ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>` + org + `</OrganizationId><ActionId>04k000000000001AAA</ActionId><SessionId xsi:nil="true"/><EnterpriseUrl>https://x</EnterpriseUrl><PartnerUrl>https://x</PartnerUrl>`)
	for i, id := range ids {
		fmt.Fprintf(&b, `<Notification><Id>04l00000000000%dAAA</Id><sObject xsi:type="sf:%s" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>%s</sf:Id><sf:StageName>Closed Won</sf:StageName></sObject></Notification>`, i, typ, id)
	}
	return b.String() + `</notifications></soapenv:Body></soapenv:Envelope>`
}

func TestAnOutboundMessageIsAHintAndNoMore(t *testing.T) {
	const org = "00D000000000001EAA"
	w, rec := newWorld(t, func(c *Config) { c.Hook = Hook{Token: hookToken, Organization: org[:15]} }), crmtest.Sample(1, 1)
	ref := mustPush(t, w.Salesforce, rec)
	deal := ref.Parts[partOpportunity]
	ask := func(query, body string) ([]string, error) {
		r, _ := http.NewRequest(http.MethodPost, "https://partners.vendor.example/hooks/crm/salesforce?"+query, nil)
		return w.Hints("", r, []byte(body))
	}
	good := outbound(org, "Opportunity", deal, deal)
	hints, err := ask("token="+hookToken, good)
	if err != nil || len(hints) != 1 {
		t.Fatalf("%v, %v", hints, err)
	}
	all, err := w.Reread(t.Context(), hints)
	if f := fieldsOf(all, rec.Registration.Number); err != nil || f[intake.ChangeStatus] != intake.DealOpen {
		t.Errorf("what the message says is believed: %v, %v", f, err)
	}
	event := w.meet(t, deal, time.Hour, 2*time.Hour)
	for typ, id := range map[string]string{"Event": event, objRegistration: ref.ID} {
		hints, err := ask("token="+hookToken, outbound(org, typ, id))
		if err != nil || len(hints) != 1 {
			t.Errorf("%s: %v, %v", typ, hints, err)
		}
		if _, err := w.Reread(t.Context(), hints); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
	for name, c := range map[string][2]string{
		"no token":                 {"", good},
		"another token":            {"token=" + hookToken + "x", good},
		"two tokens":               {"token=" + hookToken + "&token=x", good},
		"another org":              {"token=" + hookToken, outbound("00D000000000002EAA", "Opportunity", deal)},
		"no org":                   {"token=" + hookToken, strings.Replace(good, org, "", 1)},
		"a DTD":                    {"token=" + hookToken, strings.Replace(good, "<soapenv:Envelope", `<!DOCTYPE x [<!ENTITY a "b">]><soapenv:Envelope`, 1)},
		"an entity":                {"token=" + hookToken, strings.Replace(good, "Closed Won", "&xxe;", 1)},
		"a processing instruction": {"token=" + hookToken, strings.Replace(good, "<notifications", "<?x y?><notifications", 1)},
		"depth":                    {"token=" + hookToken, strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)},
		"a hundred and one":        {"token=" + hookToken, outbound(org, "Opportunity", slices.Repeat([]string{deal}, 101)...)},
		"size":                     {"token=" + hookToken, good + strings.Repeat(" ", maxMessage)},
		"no XML":                   {"token=" + hookToken, "{}"},
		"an end too many":          {"token=" + hookToken, good + "</a>"},
	} {
		if hints, err := ask(c[0], c[1]); err == nil {
			t.Errorf("%s: %v is taken", name, hints)
		} else if strings.Contains(err.Error(), hookToken) {
			t.Errorf("%s: the error holds the token", name)
		}
	}
	if hints, err := ask("token="+hookToken, outbound(org, "Opportunity", "006' OR Id != '", "' OR 1=1")); err != nil || len(hints) > 0 {
		t.Errorf("ids that are none: %v, %v", hints, err)
	}
	media, body := w.HintAnswer()
	if !strings.HasPrefix(media, "text/xml") || !strings.Contains(string(body), `<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>`) {
		t.Errorf("%s %s", media, body)
	}
}

func TestVerifyNamesAllThatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*world)
		what  string
	}{
		{"an object", func(w *world) { w.org.Drop(objEvent) }, "object " + objEvent},
		{"a field, or the right to see it", func(w *world) { w.org.Hide(objRegistration, "Status__c") }, "Partner_Registration__c.Status__c"},
		{"a field of the standard", func(w *world) { w.org.Hide(objAccount, "Website") }, "Account.Website"},
		{"an external id", func(w *world) { w.org.Loosen(objAccount, keyAccount) }, "Account.Leadgate_Domain__c is no unique external id"},
		{"a required field", func(w *world) { w.org.Require(objAccount, "Industry") }, "Industry"},
		{"a stage", func(w *world) { w.c.Stage = "Nowhere" }, `stage "Nowhere"`},
		{"a mapped stage", func(w *world) { w.c.Mapping.Stages = map[string]string{"Ghost": "won"} }, `stage "Ghost"`},
		{"a mapped field", func(w *world) { w.c.Mapping.Account = map[string]string{"country": "Land__c"} }, "Account.Land__c"},
		{"the currency", func(w *world) { w.c.Currency = "" }, "currency"},
		{"credentials", func(w *world) { w.org.Secret = "new" }, "credentials"},
		{"the version", func(w *world) { w.c.APIVersion = "99.0" }, "API version 99.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.name == "a required field" {
				w.org.Show(objAccount, "Industry")
			}
			c.spoil(w)
			lacks, err := w.Verify(t.Context())
			if err != nil || len(lacks) == 0 || !strings.Contains(lacks[0].What, c.what) || lacks[0].Mend == "" {
				t.Errorf("%+v, %v", lacks, err)
			}
			if w.org.Writes() > 0 {
				t.Error("it writes")
			}
		})
	}
}

// What the package deploys and what the connector asks for by Verify are the same.
func TestThePackageHoldsWhatIsUsedAndNothingElse(t *testing.T) {
	used := make(map[string]bool)
	for _, n := range newWorld(t).needs() {
		for _, f := range append(n.writes, n.key) {
			if strings.HasSuffix(f, "__c") {
				used[n.object+"."+f] = true
			}
		}
	}
	files, err := filepath.Glob(source + "/force-app/main/default/objects/*/fields/*.field-meta.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		f := filepath.Base(filepath.Dir(filepath.Dir(name))) + "." + strings.TrimSuffix(filepath.Base(name), ".field-meta.xml")
		if !used[f] {
			t.Errorf("%s is deployed and not used", f)
		}
		delete(used, f)
	}
	for f := range used {
		t.Errorf("%s is used and not deployed", f)
	}
}

func FuzzAnOutboundMessageGivesIDsAndNothingElse(f *testing.F) {
	const org = "00D000000000001EAA"
	f.Add(outbound(org, "Opportunity", "006000000000001AAA"))
	f.Add(outbound(org, objRegistration, "a00000000000001AAA", "x' OR Id != '"))
	f.Add(`<!DOCTYPE a [<!ENTITY b "c">]><Envelope>&b;</Envelope>`)
	f.Fuzz(func(t *testing.T, body string) {
		m, err := readMessage([]byte(body))
		if err == nil && !isID(m.organization) {
			t.Errorf("organization %q", m.organization)
		}
		for _, id := range m.records {
			if !isID(id) {
				t.Errorf("record %q", id)
			}
		}
	})
}
