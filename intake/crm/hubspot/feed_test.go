package hubspot

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// feed reads on from where it was.
func (s *stand) feed(cursor *string) []intake.Change {
	s.Helper()
	all, next, err := s.h.Changes(s.Context(), *cursor)
	if err != nil {
		s.Fatal(err)
	}
	*cursor = next
	return all
}

func (s *stand) set(kind, id string, pairs ...string) {
	s.Helper()
	v := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
	if err := s.a.Set(kind, id, v); err != nil {
		s.Fatal(err)
	}
}

func (s *stand) add(kind string, v map[string]string, to ...string) string {
	s.Helper()
	id, err := s.a.Add(kind, v, to...)
	if err != nil {
		s.Fatal(err)
	}
	return id
}

func TestTheFeedTellsWhatADealSays(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	ref := s.push(crmtest.Sample(1, 1))
	s.set(deals, ref.ID, "hubspot_owner_id", s.a.Person("Kim Sales"), "dealstage", "contractsent", "amount", "99000.5", "deal_currency_code", "CHF",
		"closedate", "2027-03-30T22:00:00Z", "hs_next_step", "Send it", "notes_last_contacted", "2026-11-23T11:00:00Z")
	all := s.feed(&cursor)
	if len(all) != 1 || all[0].Case != "LG-2026-000001-X" || all[0].At.IsZero() {
		t.Fatalf("%+v", all)
	}
	for name, want := range map[string]string{
		intake.ChangeStatus: "open", intake.ChangeOwner: "Kim Sales", intake.ChangeContact: "kim.sales@vendor.example", intake.ChangeStage: "Contract sent",
		intake.ChangeAmount: "99000.5 CHF", intake.ChangeClose: "2027-03-31", intake.ChangeNextStep: "Send it", intake.ChangeActivity: "2026-11-23T11:00:00Z",
	} {
		if got := all[0].Fields[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if more := s.feed(&cursor); len(more) != 0 {
		t.Errorf("told again: %+v", more)
	}
}

func TestStagesMeanWhatTheMappingTheDealOrThePipelineSays(t *testing.T) {
	lines := pipelines{{ID: "default", Stages: []stage{
		{ID: "won", Metadata: map[string]string{"isClosed": "true", "probability": "1.0"}},
		{ID: "lost", Metadata: map[string]string{"isClosed": "true", "probability": "0.0"}},
		{ID: "half", Metadata: map[string]string{"isClosed": "false", "probability": "0.5"}},
	}}}
	c := &Connector{config: Config{Mapping: Mapping{Stages: map[string]string{"signed": intake.DealWon, "parked": intake.DealLost, "reopened": intake.DealOpen}}}}
	for _, x := range []struct{ stage, closed, won, want string }{
		{"signed", "false", "false", "won"},
		{"parked", "false", "false", "lost"},
		{"reopened", "true", "true", "open"},
		{"any", "true", "true", "won"},
		{"any", "true", "false", "lost"},
		{"any", "false", "false", "open"},
		{"won", "", "", "won"},
		{"lost", "", "", "lost"},
		{"half", "", "", "open"},
		{"unknown", "", "", "open"},
	} {
		d := &object{Properties: map[string]string{"dealstage": x.stage, "pipeline": "default", "hs_is_closed": x.closed, "hs_is_closed_won": x.won}}
		if got := c.outcome(lines, d); got != x.want {
			t.Errorf("%+v: %s", x, got)
		}
	}
}

func TestAChangeThatASearchFindsLateIsToldAndNothingTwice(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	one, two := s.push(crmtest.Sample(1, 1)), s.push(crmtest.Sample(2, 1))
	s.feed(&cursor)
	s.a.Freeze()
	s.set(deals, one.ID, "hs_next_step", "late")
	for range 3 {
		if all := s.feed(&cursor); len(all) != 0 {
			t.Fatalf("%+v", all)
		}
		s.a.Pass(3 * time.Minute)
	}
	s.a.Thaw()
	s.set(deals, two.ID, "hs_next_step", "soon")
	all := s.feed(&cursor)
	if len(all) != 2 || all[0].Fields[intake.ChangeNextStep] != "late" {
		t.Errorf("%+v", all)
	}
	at := cursor
	for range 3 {
		if all := s.feed(&cursor); len(all) != 0 || cursor != at {
			t.Errorf("%+v; the cursor went from %s to %s", all, at, cursor)
		}
	}
}

func TestManyChangesAtOnceAreReadToTheirEnd(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	const n = maxFresh + 300
	for i := range n {
		s.add(deals, map[string]string{caseProperty: fmt.Sprintf("LG-2026-%06d-X", i), "dealstage": "contractsent", "pipeline": "default"})
	}
	told := make(map[string]int)
	for range 5 {
		for _, ch := range s.feed(&cursor) {
			told[ch.Case]++
		}
	}
	if len(told) != n {
		t.Errorf("%d of %d were told", len(told), n)
	}
	for number, times := range told {
		if times > 1 {
			t.Errorf("%s was told %d times", number, times)
			break
		}
	}
}

// TestAChangeWhileAFeedIsReadHidesNoOther: what changes between two pages moves to the end, and what
// comes after it moves up.
func TestAChangeWhileAFeedIsReadHidesNoOther(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	const n = 2*pageRows + 10
	var ids []string
	for i := range n {
		ids = append(ids, s.add(deals, map[string]string{caseProperty: fmt.Sprintf("LG-2026-%06d-X", i), "dealstage": "contractsent", "pipeline": "default"}))
	}
	s.a.Pass(time.Hour) // none of it is read a second time
	searches := 0
	s.a.Before(func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "deals/search") {
			if searches++; searches == 2 {
				for _, id := range ids[:20] {
					_ = s.a.Set(deals, id, map[string]string{"hs_next_step": "at once"})
				}
			}
		}
	})
	told := make(map[string]bool)
	for range 3 {
		for _, ch := range s.feed(&cursor) {
			told[ch.Case] = true
		}
	}
	if len(told) != n {
		t.Errorf("%d of %d were told", len(told), n)
	}
}

func TestMoreThanASearchGivesAtOnceIsReadNonetheless(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	s.a.Deep(9 * pageRows)
	at := stamp(time.Now().Add(time.Minute))
	const n, same = 10 * pageRows, 7 * pageRows
	for i := range n {
		id := s.add(deals, map[string]string{caseProperty: fmt.Sprintf("LG-2026-%06d-X", i), "dealstage": "contractsent", "pipeline": "default"})
		if i < same {
			s.a.Date(deals, id, at)
		}
	}
	told := make(map[string]int)
	for range 6 {
		for _, ch := range s.feed(&cursor) {
			told[ch.Case]++
		}
	}
	twice := 0
	for _, times := range told {
		if times > 1 {
			twice++
		}
	}
	if len(told) != n || twice > 0 {
		t.Errorf("%d of %d were told, %d twice", len(told), n, twice)
	}
}

// TestALateChangeIsToldAmongManyOthers: it comes to be found after others that are younger were read.
func TestALateChangeIsToldAmongManyOthers(t *testing.T) {
	s := newStand(t)
	ref := s.push(crmtest.Sample(1, 1))
	var cursor string
	s.feed(&cursor)
	s.a.Pass(15 * time.Minute)
	s.feed(&cursor)
	s.set(deals, ref.ID, "hs_next_step", "late")
	s.a.Hide(deals, ref.ID)
	for i := range maxFresh + 100 {
		s.add(deals, map[string]string{caseProperty: fmt.Sprintf("LG-2027-%06d-X", i), "dealstage": "contractsent", "pipeline": "default"})
	}
	s.feed(&cursor)
	s.a.Show(deals, ref.ID)
	var late []intake.Change
	for range 2 {
		for _, ch := range s.feed(&cursor) {
			if ch.Fields[intake.ChangeNextStep] == "late" {
				late = append(late, ch)
			}
		}
	}
	if len(late) != 1 {
		t.Errorf("%+v", late)
	}
}

func TestDealsThatAreNotThereAnyMoreAreGone(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Secret = "s" })
	var cursor string
	s.feed(&cursor)
	one, two, three := s.push(crmtest.Sample(1, 1)), s.push(crmtest.Sample(2, 1)), s.push(crmtest.Sample(3, 1))
	s.feed(&cursor)
	s.a.Events()
	if err := s.a.Merge(deals, two.ID, one.ID); err != nil {
		t.Fatal(err)
	}
	gone := func(all []intake.Change) (numbers []string) {
		for _, ch := range all {
			if ch.Gone {
				numbers = append(numbers, ch.Case)
			}
		}
		return numbers
	}
	if got := gone(s.feed(&cursor)); !slices.Equal(got, []string{"LG-2026-000001-X"}) {
		t.Errorf("the feed says of the merge that %v are gone", got)
	}
	s.a.Delete(deals, three.ID)
	if got := gone(s.feed(&cursor)); len(got) != 0 {
		t.Errorf("the feed cannot know, and says that %v are gone", got)
	}
	hints := s.call(s.a.Events(), "s")
	all, err := s.h.Reread(t.Context(), hints)
	if err != nil {
		t.Fatal(err)
	}
	got := gone(all)
	slices.Sort(got)
	if !slices.Equal(got, []string{"LG-2026-000001-X", "LG-2026-000003-X"}) {
		t.Errorf("read again because of %v: %v are gone, of %+v", hints, got, all)
	}
	rec := crmtest.Sample(3, 1)
	rec.Registration.CRM = map[string]intake.Ref{"hubspot": three}
	if found, err := s.h.Compare(t.Context(), []intake.Record{rec}); err != nil || len(found) != 1 || found[0].ID != "" || found[0].Case != rec.Registration.Number {
		t.Errorf("the comparison says %+v, %v", found, err)
	}
}

func TestMeetingsOfADealOrOfItsContactAreTold(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	ref := s.push(crmtest.Sample(1, 1))
	s.feed(&cursor)
	start := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	at := func(days int) string { return stamp(start.AddDate(0, 0, days)) }
	want := func(what, meeting, held string) {
		t.Helper()
		all := s.feed(&cursor)
		if len(all) != 1 || all[0].Case != "LG-2026-000001-X" || all[0].Fields[intake.ChangeMeeting] != meeting || all[0].Fields[intake.ChangeHeld] != held {
			t.Errorf("%s: %+v, want meeting %q held %q", what, all, meeting, held)
		}
	}
	day := func(days int) string { return start.AddDate(0, 0, days).Format(time.RFC3339) }
	other := s.add(contacts, map[string]string{"email": "stranger@acme1.example"})
	s.add(meetings, map[string]string{"hs_timestamp": at(0), meetingStart: at(0)}, contacts+"/"+other)
	if all := s.feed(&cursor); len(all) != 0 {
		t.Errorf("a meeting of somebody else: %+v", all)
	}
	s.add(meetings, map[string]string{"hs_timestamp": at(0), meetingStart: stamp(start.AddDate(-1, 0, 0)), meetingOutcome: outcomeCompleted}, contacts+"/"+ref.Parts[partContact])
	if all := s.feed(&cursor); len(all) != 0 {
		t.Errorf("a meeting of a year ago: %+v", all)
	}
	one := s.add(meetings, map[string]string{"hs_timestamp": at(0), meetingStart: at(3)}, contacts+"/"+ref.Parts[partContact])
	want("booked by the contact", day(3), "")
	two := s.add(meetings, map[string]string{"hs_timestamp": at(0), meetingStart: at(1), meetingOutcome: "SCHEDULED"}, deals+"/"+ref.ID)
	want("another one, earlier", day(1), "")
	s.set(meetings, two, meetingOutcome, outcomeCanceled)
	want("that is called off", day(3), "")
	s.set(meetings, one, meetingOutcome, outcomeNoShow)
	want("and nobody came to the first", "", "")
	s.set(meetings, one, meetingOutcome, "SCHEDULED", meetingStart, at(5))
	want("it has a new date", day(5), "")
	s.set(meetings, one, meetingOutcome, outcomeCompleted)
	want("it was held", day(5), "true")
}

func TestDealsOfDirectSalesAreToldWhileTheyAreOpen(t *testing.T) {
	s := newStand(t)
	var cursor string
	s.feed(&cursor)
	company := s.add(companies, map[string]string{"name": "Umbrella", "domain": "umbrella.example"})
	open := s.add(deals, map[string]string{"dealname": "direct", "dealstage": "contractsent", "pipeline": "default"}, companies+"/"+company)
	s.add(deals, map[string]string{"dealname": "old", "dealstage": "closedlost", "pipeline": "default"}, companies+"/"+company)
	s.add(deals, map[string]string{"dealname": "of nobody", "dealstage": "contractsent", "pipeline": "default"})
	all := s.feed(&cursor)
	if len(all) != 1 || all[0].Deal == nil || all[0].Deal.Ref.ID != open || all[0].Account[intake.FieldCompanyName] != "Umbrella" ||
		!strings.HasSuffix(all[0].Deal.Ref.URL, "/record/0-3/"+open) {
		t.Errorf("%+v", all)
	}
}

func TestACompanyThatWasJustMadeIsLookedUp(t *testing.T) {
	s := newStand(t)
	s.add(deals, map[string]string{"dealname": "of others", "dealstage": "contractsent", "pipeline": "default"},
		companies+"/"+s.add(companies, map[string]string{"name": "Near", "domain": "near.example", moreDomains: "acme1.example.com;notacme1.example"}))
	s.a.Freeze()
	s.push(crmtest.Sample(1, 1))
	lead := intake.Lead{intake.FieldCompanyDomain: "acme1.example"}
	all, err := s.h.Lookup(t.Context(), lead)
	if err != nil || len(all) != 2 || all[0].Kind != intake.MatchOpenDeal || all[0].Case != "LG-2026-000001-X" || all[0].Partner != "northwind" {
		t.Errorf("%+v, %v", all, err)
	}
	s.a.Thaw()
	s.set(companies, s.a.All(companies)[1].ID, lifecycle, "customer")
	if all, err = s.h.Lookup(t.Context(), lead); err != nil || len(all) != 2 || all[1].Kind != intake.MatchCustomer {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err = s.h.Lookup(t.Context(), intake.Lead{intake.FieldCompanyName: "acme 1 gmbh"}); err != nil || len(all) != 1 || all[0].Kind != intake.MatchAccount {
		t.Errorf("by name: %+v, %v", all, err)
	}
}

// call returns the hints of a webhook.
func (s *stand) call(body []byte, secret string) []string {
	s.Helper()
	const u = "https://gateway.example/hooks/crm/hubspot"
	hints, err := s.h.Hints(u, signed(u, body, secret, time.Now()), body)
	if err != nil {
		s.Error(err)
	}
	return hints
}

// signed is a request as HubSpot signs it, made without the code under test.
func signed(u string, body []byte, secret string, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "POST%s%s%d", u, body, at.UnixMilli())
	r.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	r.Header.Set("X-HubSpot-Request-Timestamp", fmt.Sprint(at.UnixMilli()))
	return r
}

func TestAWebhookIsAHintToWhatIsReadAgain(t *testing.T) {
	s := newStand(t, func(c *Config) { c.Secret, c.PreviousSecret = "new", "old" })
	ref := s.push(crmtest.Sample(1, 1))
	s.a.Events()
	s.set(deals, ref.ID, "dealstage", "contractsent")
	s.set(deals, ref.ID, "dealstage", "closedwon")
	body := s.a.Events() // the latest first, and one twice
	for _, secret := range []string{"new", "old"} {
		if hints := s.call(body, secret); !slices.Equal(hints, []string{"deal/" + ref.ID}) {
			t.Errorf("%v", hints)
		}
	}
	all, err := s.h.Reread(t.Context(), []string{"deal/" + ref.ID})
	if err != nil || len(all) != 1 || all[0].Fields[intake.ChangeStatus] != intake.DealWon {
		t.Errorf("%+v, %v", all, err)
	}
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"in the new form":      {`[{"subscriptionType":"object.propertyChange","objectTypeId":"0-3","objectId":7}]`, []string{"deal/7"}},
		"an id as a string":    {`[{"subscriptionType":"object.deletion","objectTypeId":"0-3","objectId":"7"}]`, []string{"deal/7"}},
		"a meeting":            {`[{"subscriptionType":"object.creation","objectTypeId":"0-47","objectId":8}]`, []string{"meeting/8"}},
		"a merge":              {`[{"subscriptionType":"deal.merge","objectId":1,"primaryObjectId":1,"mergedObjectIds":[2,3],"newObjectId":1}]`, []string{"deal/1", "deal/2", "deal/3"}},
		"a company":            {`[{"subscriptionType":"company.deletion","objectId":7}]`, nil},
		"what is no list":      {`{}`, nil},
		"an id that is a path": {`[{"subscriptionType":"deal.deletion","objectId":"../1"}]`, nil},
	} {
		if hints := s.call([]byte(c.body), "new"); !slices.Equal(hints, c.want) {
			t.Errorf("%s: %v", name, hints)
		}
	}
	const u = "https://gateway.example/hooks/crm/hubspot"
	for name, r := range map[string]*http.Request{
		"another secret": signed(u, body, "wrong", time.Now()), "too old": signed(u, body, "new", time.Now().Add(-6*time.Minute)),
		"another body": signed(u, []byte("[]"), "new", time.Now()), "from the future": signed(u, body, "new", time.Now().Add(2*time.Minute)),
		"another address": signed(u+"/x", body, "new", time.Now()), "no signature": httptest.NewRequest(http.MethodPost, "/", nil),
		"an empty secret": signed(u, body, "", time.Now()),
	} {
		if hints, err := s.h.Hints(u, r, body); err == nil || len(hints) > 0 {
			t.Errorf("%s: %v", name, hints)
		}
	}
	if _, err := newStand(t).h.Hints(u, signed(u, body, "", time.Now()), body); err == nil {
		t.Error("a connector without a secret takes a call")
	}
}

func TestTheSignaturesThatHubSpotPublishedAreTaken(t *testing.T) {
	for ms, sig := range map[int64]string{
		1693657560000: "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=", // of its library for Python
		1700000300000: "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=", // and for Ruby
	} {
		s := newStand(t, func(c *Config) {
			c.Secret, c.Now = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", func() time.Time { return time.UnixMilli(ms) }
		})
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("X-HubSpot-Signature-v3", sig)
		r.Header.Set("X-HubSpot-Request-Timestamp", fmt.Sprint(ms))
		if _, err := s.h.Hints("https://www.example.com/webhook_uri", r, []byte(`{'example_field':'example_value'}`)); err != nil {
			t.Errorf("%d: %v", ms, err)
		}
	}
}

func TestOwnersAreReadOnceAnHour(t *testing.T) {
	now := time.Now()
	s := newStand(t, func(c *Config) { c.Now = func() time.Time { return now } })
	kim := s.a.Person("Kim Sales")
	read := func() (lists, one int) {
		for _, c := range s.calls(0) {
			switch {
			case strings.HasSuffix(c, "/owners/2026-09"):
				lists++
			case strings.Contains(c, "/owners/"):
				one++
			}
		}
		return lists, one
	}
	get := func(id, want string) {
		t.Helper()
		o, err := s.h.owner(t.Context(), id)
		if err != nil || o.name() != want {
			t.Errorf("%s is %q, %v", id, o.name(), err)
		}
	}
	get(kim, "Kim Sales")
	get(kim, "Kim Sales")
	lou := s.a.Person("Lou Sales") // came since
	get(lou, "Lou Sales")
	get(lou, "Lou Sales")
	get("99", "")
	get("99", "")
	if lists, one := read(); lists != 1 || one != 3 {
		t.Errorf("%d lists and %d owners were read", lists, one)
	}
	now = now.Add(time.Hour + time.Second)
	get(kim, "Kim Sales")
	if lists, _ := read(); lists != 2 {
		t.Errorf("%d lists after an hour", lists)
	}
}

func TestACursorOfSomethingElseIsRefused(t *testing.T) {
	s := newStand(t)
	for _, c := range []string{"x", "{}", `{"v":2}`} {
		if _, next, err := s.h.Changes(t.Context(), c); !intake.IsPermanent(err) || next != c {
			t.Errorf("%s: %v", c, err)
		}
	}
	var p cursor
	at := ""
	s.feed(&at)
	if err := json.Unmarshal([]byte(at), &p); err != nil || time.Since(p.Since) > time.Minute {
		t.Errorf("the feed begins at %v, %v", p.Since, err)
	}
}

func TestWhatIsMissingIsNamedAndMade(t *testing.T) {
	a := hubspottest.New()
	server := crmtest.NewServer(t, a)
	h := connect(t, server.URL, func(c *Config) {
		c.Mapping = Mapping{
			Pipeline: "partners", Stage: "new", Stages: map[string]string{"signed": "won", "closedwon": "won"}, Owner: "nobody@vendor.example",
			Ends:     map[string]string{"declined": "partner_declined", "expired": "closedlost"},
			Fields:   Objects{Deals: map[string]string{"problem": "their_problem"}},
			Defaults: Objects{Companies: map[string]string{"their_default": "x"}},
		}
	})
	said := func() string {
		t.Helper()
		lacks, err := h.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, l := range lacks {
			if l.Mend == "" {
				t.Errorf("nothing mends %s", l.What)
			}
			all = append(all, fmt.Sprintf("%s %t", l.What, l.Setup))
		}
		return strings.Join(all, "\n")
	}
	first := said()
	for _, what := range []string{
		"deal property leadgate_case true", "deal property leadgate_status true", "company property leadgate_domain true", "deal property their_problem false",
		"company property their_default false", "pipeline partners of deals false", "stage signed of deals false", "stage partner_declined of deals, for what is declined false", "owner nobody@vendor.example false",
	} {
		if !strings.Contains(first, what) {
			t.Errorf("%q is not said:\n%s", what, first)
		}
	}
	if strings.Contains(first, "closedwon") {
		t.Error(first)
	}
	before := a.Writes()
	would, err := h.Prepare(t.Context(), true)
	if err != nil || a.Writes() != before {
		t.Fatalf("a dry run wrote %d times, %v", a.Writes()-before, err)
	}
	made, err := h.Prepare(t.Context(), false)
	if err != nil || !slices.Equal(made, would) || len(made) != len(own)+3 || made[0] != "deal property group leadgate" {
		t.Errorf("%v, %v; it was to be %v", made, err, would)
	}
	if made, err := h.Prepare(t.Context(), false); err != nil || len(made) != 0 {
		t.Errorf("made again: %v, %v", made, err)
	}
	if again := said(); strings.Contains(again, prefix) {
		t.Errorf("after that there lacks %s", again)
	}
	a.DropProperty(deals, eventsProperty)
	a.DropOptions(deals, prefix+"status")
	if again := said(); !strings.Contains(again, "deal property leadgate_events true") || !strings.Contains(again, "options submitted, needs_info") {
		t.Error(again)
	}
	if made, err := h.Prepare(t.Context(), false); err != nil || len(made) != 2 {
		t.Errorf("%v, %v", made, err)
	}
	if again := said(); strings.Contains(again, prefix) {
		t.Error(again)
	}
	a.Define(deals, hubspottest.Property{Name: caseProperty, Type: "string", Group: group})
	a.Define(deals, hubspottest.Property{Name: revProperty, Type: "string", Group: group})
	if again := said(); !strings.Contains(again, "deal property leadgate_case of type string with unique values false") || !strings.Contains(again, "deal property leadgate_rev of type number false") {
		t.Error(again)
	}
	a.Deny(hubspottest.Token, "crm.objects.deals.write", "crm.objects.owners.read", "crm.schemas.contacts.read", "crm.objects.notes.read")
	again := said()
	for _, scope := range []string{"crm.objects.deals.write", "crm.objects.owners.read", "crm.schemas.contacts.read", "crm.objects.notes.read"} {
		if !strings.Contains(again, "scope "+scope+" false") {
			t.Errorf("scope %s is not said to be missing:\n%s", scope, again)
		}
	}
	a.Revoke(hubspottest.Token)
	if _, err := h.Verify(t.Context()); !intake.IsUnauthorized(err) {
		t.Errorf("%v", err)
	}
}

func TestAComparisonSaysWhatAPushWouldMend(t *testing.T) {
	s := newStand(t)
	rec := crmtest.Sample(1, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	ref := s.push(rec)
	rec.Registration.CRM = map[string]intake.Ref{"hubspot": ref}
	s.set(deals, ref.ID, prefix+"status", "won", "dealname", "By hand", "amount", "1")
	before := s.a.Writes()
	found, err := s.h.Compare(t.Context(), []intake.Record{rec})
	if err != nil || s.a.Writes() != before {
		t.Fatalf("%v, %d writes", err, s.a.Writes()-before)
	}
	have := make(map[string]intake.Difference)
	for _, d := range found {
		have[d.Field] = d
	}
	if d := have[prefix+"status"]; len(found) != 3 || d.There != "won" || d.Ours != "in_review" || d.Stays != "" || d.ID != ref.ID || d.Object != "deal" {
		t.Errorf("%+v", found)
	}
	if have["dealname"].Stays == "" || have["amount"].There != "1" || have["amount"].Stays == "" {
		t.Errorf("%+v", found)
	}
	s.push(rec)
	if found, err = s.h.Compare(t.Context(), []intake.Record{rec}); err != nil || len(found) != 2 {
		t.Errorf("after a push: %+v, %v", found, err)
	}
}
