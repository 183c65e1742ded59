package templates

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestAMessageToStaffWithoutABriefIsPermanent(t *testing.T) {
	m := sample(intake.StaffQueued, intake.StatusInReview, "")
	m.Brief = nil
	_, err := set().Render(m)
	_, plainErr := set().Plain(m)
	if !intake.IsPermanent(err) || !intake.IsPermanent(plainErr) {
		t.Errorf("%v, %v", err, plainErr)
	}
}

// TestABriefChangesNothingForPartners: what staff are told has no way into what a partner reads.
func TestABriefChangesNothingForPartners(t *testing.T) {
	for _, kind := range intake.MessageKinds() {
		with := sample(kind, usual[kind], "")
		without := with
		with.Brief = markedBrief()
		if render(t, with) != render(t, without) {
			t.Errorf("%s differs", kind)
		}
	}
}

// What a partner writes of a next step counts only once it is noted: staff are told to.
func TestStaffReadThatAReplyMayTellOfANextStepAndHowToNoteIt(t *testing.T) {
	for tag, wanted := range map[string][]string{
		"en": {"A partner writes:", "which is held for them", "leadgate cases progress LG-2026-000123-K", "We meet on Tuesday.", "the first meeting was held"},
		"de": {"Ein Partner schreibt:", "für diesen Partner geschützt", "leadgate cases progress LG-2026-000123-K", "We meet on Tuesday.", "erste Treffen stattgefunden hat"},
	} {
		m := in(tag, sample(intake.StaffRequest, usual[intake.StaffRequest], ""))
		b := *m.Brief
		r := *b.Registration
		r.Requests, b.Why, b.Said = nil, "", "We meet on Tuesday."
		b.Registration, b.Links = &r, []intake.BriefLink{{Act: intake.ActProgress, URL: "https://partners.vendor.example/desk/x"}}
		m.Brief = &b
		said := render(t, m)
		plain := strings.Join(strings.Fields(said.Subject+" "+said.Text), " ")
		for _, want := range wanted {
			if !strings.Contains(plain, want) {
				t.Errorf("%s: does not say %q:\n%s", tag, want, said.Text)
			}
		}
		if strings.Contains(plain, "has a request") || strings.Contains(plain, "eine Bitte") {
			t.Errorf("%s: says that they ask for something:\n%s", tag, said.Text)
		}
	}
}

// TestStaffReadWhatTheyNeedToDecide, in text, page and plain, in each language.
func TestStaffReadWhatTheyNeedToDecide(t *testing.T) {
	due := map[string]string{"en": "Tuesday 24 November 2026", "de": "Dienstag, 24. November 2026"}
	for kind, wanted := range map[intake.MessageKind][]string{
		intake.StaffQueued:    {"Acme Inc. of example.com", "www.ACME.example", "LG-2026-000101-C", "/desk/approve-", "/desk/decline-", "/desk/ask-", "due"},
		intake.StaffNextStep:  {"acme.example", "/desk/progress-", "https://crm.vendor.example/deals/77"},
		intake.StaffDecision:  {"80 %", "due", "/desk/approve-"},
		intake.StaffIdle:      {"12 October", "/desk/release-"},
		intake.StaffConflict:  {"C-7", "acme.example", "LG-2026-000101-C", "deal 77 of Ann Seller", "due"},
		intake.StaffRequest:   {"January", "/desk/extend-", "/desk/refuse_extension-", "/desk/acknowledge-"},
		intake.StaffTrouble:   {"refused by the mail server"},
		intake.StaffCRM:       {"was deleted there", "leadgate crm replay LG-2026-000123-K"},
		intake.StaffConfirmBy: {"pia@vendor.example", "never agreed", "/desk/revoke-"},
		intake.StaffDigest:    {"LG-2026-000124-P", "LG-2026-000101-C"},
		intake.StaffOutage:    {"mailbox partners", "does not let us in", "23"},
		intake.StaffRenewals:  {"acme.example", "31", "Partner GmbH", "partner-two", "leadgate accounts confirm-renewal acme.example"},
		intake.StaffProbe:     {"24", "17", "70 %", "LG-2026-000124-P, LG-2026-000123-K"},
	} {
		for _, tag := range languages() {
			m := in(tag, sample(kind, usual[kind], ""))
			r := render(t, m)
			p, err := set().Plain(m)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wanted {
				if w == "due" {
					w = due[tag]
				}
				for part, text := range map[string]string{"text": strings.Join(strings.Fields(r.Text), " "), "page": r.HTML, "plain": fmt.Sprintf("%+v", p)} {
					if !strings.Contains(text, w) {
						t.Errorf("%s, %s: %q is not in the %s\n%s", tag, kind, w, part, text)
					}
				}
			}
		}
	}
}

func TestACRMThatIsDownIsNotCalledAChannel(t *testing.T) {
	for tag, want := range map[string]string{"en": `The CRM "hubspot"`, "de": "Das CRM „hubspot“"} {
		for _, over := range []bool{false, true} {
			m := in(tag, sample(intake.StaffOutage, "", ""))
			m.Brief.Outage.Name = intake.CRMCondition + "hubspot"
			if over {
				m.Brief.Outage.Until = m.At
			}
			r := render(t, m)
			text := strings.Join(strings.Fields(r.Text), " ")
			if !strings.Contains(text, want) || strings.Contains(strings.ToLower(r.Text), "channel") || strings.Contains(r.Text, "Kanal") {
				t.Errorf("%s: it reads\n%s\n%s", tag, r.Subject, r.Text)
			}
		}
	}
}

func TestWhatWasGatheredIsNotCalledTheWeek(t *testing.T) {
	for tag, want := range map[string][2]string{"en": {"More registrations", "leadgate cases list"}, "de": {"Weitere Registrierungen", "leadgate cases list"}} {
		m := in(tag, sample(intake.StaffDigest, "", ""))
		m.Brief.Gathered = true
		m.Brief.Digest = []intake.DigestLine{{Name: intake.DigestPending, Count: 290, Cases: []string{"LG-2026-000124-P"}}}
		r := render(t, m)
		for _, w := range []string{want[1], "290", "LG-2026-000124-P"} {
			if !strings.Contains(r.Text, w) || !strings.Contains(r.HTML, w) {
				t.Errorf("%s: %q is not in\n%s", tag, w, r.Text)
			}
		}
		if !strings.Contains(r.Subject, want[0]) || strings.Contains(r.Subject+r.Text, "week") || strings.Contains(r.Subject+r.Text, "Woche") {
			t.Errorf("%s: it reads\n%s\n%s", tag, r.Subject, r.Text)
		}
	}
}

func TestStaffReadOfAListWhoseItIsAndWhereItsCasesAre(t *testing.T) {
	for tag, label := range map[string]string{"en": "Approved, to take on", "de": "Zugesagt, zu übernehmen"} {
		m := in(tag, sample(intake.StaffDigest, "", ""))
		m.Brief.Gathered, m.Brief.Partner = true, "Brightpath"
		m.Brief.Import = &intake.ImportFacts{ID: "18ad1d54a571b89c6590", Name: "leads.csv", Counts: intake.ImportCounts{Rows: 1000, Accepted: 970}}
		m.Brief.Digest = []intake.DigestLine{{Name: intake.DigestApproved, Count: 970, Cases: []string{"LG-2026-000124-P"}}}
		r := render(t, m)
		for _, w := range []string{"Brightpath", "leads.csv", "1000", "imports result 18ad1d54a571b89c6590", label, "970", "LG-2026-000124-P"} {
			if !strings.Contains(strings.Join(strings.Fields(r.Text), " "), w) || !strings.Contains(r.HTML, w) {
				t.Errorf("%s: %q is not in\n%s", tag, w, r.Text)
			}
		}
		if !strings.Contains(r.Subject, "leads.csv") {
			t.Errorf("%s: the subject is %q", tag, r.Subject)
		}
	}
}

// TestAnActWithoutWordsIsNoButton: a link that nobody can tell what it does is not shown.
func TestAnActWithoutWordsIsNoButton(t *testing.T) {
	m := sample(intake.StaffQueued, intake.StatusInReview, "")
	m.Brief.Links = []intake.BriefLink{{Act: "of the future", URL: "https://partners.vendor.example/x"}, {Act: intake.ActSeen, URL: "javascript:alert(1)"}}
	if v := newStaffView(m, "", "en"); len(v.Links) != 0 {
		t.Errorf("%v", v.Links)
	}
}

// TestWhatDoesNotGoWithTheStateIsNotSaid: no end of a hold that has none, no appeal where
// nothing was decided.
func TestWhatDoesNotGoWithTheStateIsNotSaid(t *testing.T) {
	for _, s := range intake.Statuses() {
		v := newView(sample(intake.MessageStatus, s, ""), "", "en")
		holds := s == intake.StatusProvisional || s == intake.StatusProtected
		if got := v.Until != ""; got != (holds || s == intake.StatusExpired) {
			t.Errorf("%s: until %q", s, v.Until)
		}
		if v.AppealBy != "" && (s.Holds() || s.Undecided()) {
			t.Errorf("%s: an appeal by %q", s, v.AppealBy)
		}
		if v.Meeting != "" && !s.Holds() {
			t.Errorf("%s: a meeting on %q", s, v.Meeting)
		}
	}
}

func TestADecisionIsLateOnlyAtItsEnd(t *testing.T) {
	for percent, want := range map[int]string{50: "50 % of the time", 80: "80 % of the time", 100: "is late", 0: "is due"} {
		m := sample(intake.StaffDecision, intake.StatusInReview, "")
		m.Brief.Percent = percent
		if r := render(t, m); !strings.Contains(r.Text, want) {
			t.Errorf("%d: %q is not in\n%s", percent, want, r.Text)
		}
	}
}

// TestEverySentenceOfTheRulesIsUsed and none has a gap that nothing fills.
func TestEverySentenceOfTheRulesIsUsed(t *testing.T) {
	for tag, l := range locales {
		p := sampleRules()
		said := l.sentences(p.Terms)
		for _, tier := range p.Tiers {
			said = append(said, l.sentences(tier)...)
		}
		all := strings.Join(said, "\n")
		for key, sentence := range l.terms {
			start, _, _ := strings.Cut(sentence, "{")
			if !strings.Contains(all, start) {
				t.Errorf("%s: %s is not said", tag, key)
			}
		}
		if strings.ContainsAny(all, "{}") {
			t.Errorf("%s: %s", tag, all)
		}
	}
	if got := english.sentences(intake.Terms{}); len(got) != 4 {
		t.Errorf("without a clock: %q", got)
	}
}

func TestSpansAreCounted(t *testing.T) {
	for _, c := range []struct {
		span   intake.Span
		en, de string
	}{
		{intake.Span{Value: 1, Unit: intake.Hours}, "1 hour", "1 Stunde"},
		{intake.Span{Value: 72, Unit: intake.Hours}, "72 hours", "72 Stunden"},
		{intake.Span{Value: 1, Unit: intake.Days}, "1 day", "1 Tag"},
		{intake.Span{Value: 1, Unit: intake.BusinessDays}, "1 business day", "1 Arbeitstag"},
		{intake.Span{Value: 2, Unit: intake.BusinessDays}, "2 business days", "2 Arbeitstagen"},
	} {
		if en, de := english.span(c.span), german.span(c.span); en != c.en || de != c.de {
			t.Errorf("%v: %q and %q", c.span, en, de)
		}
	}
	if got := german.list([]intake.Span{{Value: 7, Unit: intake.Days}, {Value: 1, Unit: intake.Days}}); got != "7 Tagen und 1 Tag" {
		t.Errorf("%q", got)
	}
}

// TestAMessageAboutNoCaseNamesNone: a partner who leaves may have no registration.
func TestAMessageAboutNoCaseNamesNone(t *testing.T) {
	m := sample(intake.MessageOffboarding, "", "")
	m.Facts.Case, m.Facts.Company, m.Facts.Until, m.Facts.StatusLink = "", "", time.Time{}, ""
	for _, tag := range languages() {
		r := render(t, in(tag, m))
		for _, bad := range []string{"Case number", "Vorgangsnummer", "registration of", "Registrierung von"} {
			if strings.Contains(r.Text+r.HTML, bad) {
				t.Errorf("%q is in\n%s", bad, r.Text)
			}
		}
	}
}

func TestStaffReadWhatThePartnerWroteAndWhoProposed(t *testing.T) {
	for _, tag := range languages() {
		queued := render(t, in(tag, sample(intake.StaffQueued, intake.StatusInReview, ""))).Text
		for _, w := range []string{"They run both of our products.", "Which of our products do they run?"} {
			if strings.Count(queued, w) != 1 {
				t.Errorf("%s: %q is not said once in\n%s", tag, w, queued)
			}
		}
		second := render(t, in(tag, sample(intake.StaffConfirmBy, intake.StatusProtected, ""))).Text
		for _, w := range []string{"pia@vendor.example", "The contact never agreed."} {
			if strings.Count(second, w) != 1 {
				t.Errorf("%s: %q is not said once in\n%s", tag, w, second)
			}
		}
	}
	text := strings.Join(strings.Fields(render(t, goldens()["staff-queued-from-the-waiting-list"]).Text), " ")
	if !strings.Contains(text, "comes from the waiting list") || !strings.Contains(text, "The rules recommend: approve.") {
		t.Errorf("%s", text)
	}
}

func TestLinksAreSpokenOfOnlyWhereThereAreSome(t *testing.T) {
	m := sample(intake.StaffConflict, intake.StatusInReview, "")
	m.Brief.Links, m.Brief.Conflict.Account, m.Brief.Conflict.Type = nil, "", ""
	for _, tag := range languages() {
		r := render(t, in(tag, m))
		text, _, _ := strings.Cut(r.Text, "What to do")
		for _, bad := range []string{"in your name", "in Ihrem Namen", "about  ", ": \n", " ."} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q is in\n%s", tag, bad, r.Text)
			}
		}
		for _, w := range []string{"conflicts show C-7", "conflicts acknowledge C-7", "conflicts resolve C-7"} {
			if !strings.Contains(r.Text, w) || !strings.Contains(r.HTML, w) {
				t.Errorf("%s: %q is not in\n%s", tag, w, r.Text)
			}
		}
	}
}
