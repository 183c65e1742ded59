package templates

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"leadgate/intake"
)

var update = flag.Bool("update", false, "write the golden files anew")

// set is the built-in set, parsed once.
var set = sync.OnceValue(func() *Set {
	s, err := New(Options{Program: "Vendor"})
	if err != nil {
		panic(err)
	}
	return s
})

func render(t testing.TB, m intake.Message) Rendered {
	t.Helper()
	r, err := set().Render(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// usual is the status in which a kind is mostly sent.
var usual = map[intake.MessageKind]intake.Status{
	intake.MessageReceived:   intake.StatusInReview,
	intake.MessageNeedsInfo:  intake.StatusNeedsInfo,
	intake.MessageCompleted:  intake.StatusInReview,
	intake.MessageApproved:   intake.StatusProvisional,
	intake.MessageDeclined:   intake.StatusDeclined,
	intake.MessageWaitlisted: intake.StatusWaitlisted,
	intake.MessageKnown:      intake.StatusProtected,
	intake.MessageStatus:     intake.StatusProtected,
	intake.MessageChanged:    intake.StatusInReview,
	intake.MessageRequested:  intake.StatusProvisional,
	intake.MessageExtended:   intake.StatusProvisional,
	intake.MessageExpired:    intake.StatusExpired,
	intake.MessageClosed:     intake.StatusWithdrawn,
	intake.MessageWithdrawn:  intake.StatusWithdrawn,
	intake.MessageConfirm:    intake.StatusQuarantined,

	intake.MessageAnswerReminder: intake.StatusNeedsInfo,
	intake.MessageLate:           intake.StatusInReview,
	intake.MessageStepReminder:   intake.StatusProvisional,
	intake.MessageProtected:      intake.StatusProtected,
	intake.MessageLocked:         intake.StatusLocked,
	intake.MessageWindowReminder: intake.StatusProtected,
	intake.MessageNotExtended:    intake.StatusProtected,
	intake.MessageIdle:           intake.StatusProtected,
	intake.MessageWon:            intake.StatusWon,
	intake.MessageLost:           intake.StatusLost,
	intake.MessageReopened:       intake.StatusLocked,
	intake.MessageDeal:           intake.StatusProtected,
	intake.MessageAppealDecided:  intake.StatusDeclined,
	intake.MessageConflict:       intake.StatusInReview,
	intake.MessageRevoked:        intake.StatusDeclined,
	intake.MessageElevated:       intake.StatusInReview,
	intake.MessageTurn:           intake.StatusSubmitted,
	intake.MessageOffboarding:    intake.StatusProtected,
	intake.MessageGiven:          intake.StatusProtected,
	intake.MessagePassedOn:       intake.StatusProtected,

	intake.StaffQueued:    intake.StatusInReview,
	intake.StaffNextStep:  intake.StatusProvisional,
	intake.StaffDecision:  intake.StatusInReview,
	intake.StaffIdle:      intake.StatusProtected,
	intake.StaffConflict:  intake.StatusInReview,
	intake.StaffRequest:   intake.StatusProtected,
	intake.StaffTrouble:   intake.StatusInReview,
	intake.StaffCRM:       intake.StatusProtected,
	intake.StaffConfirmBy: intake.StatusProtected,
}

// goldens are messages as they are really sent.
func goldens() map[string]intake.Message {
	list := make(map[string]intake.Message)
	for _, kind := range allKinds() {
		m := sample(kind, usual[kind], "")
		m.Facts.Question, m.Facts.Note = "", ""
		switch kind {
		case intake.MessageChanged:
			m.Facts.Until = time.Time{}
		case intake.MessageApproved:
			m.Facts.Meeting = time.Time{}
		case intake.MessageLate:
			m.Facts.Until = time.Time{}
		case intake.MessageLocked:
			m.Facts.Meeting = m.At.Add(-2 * time.Hour)
		case intake.MessageNotExtended:
			m.Facts.Note, m.Facts.Due = "There has been no meeting in three months.", time.Time{}
		case intake.MessageAppealDecided:
			m.Facts.Note, m.Facts.Reason = "The invitation that you sent us is from after the decision.", intake.ReasonProtectedByOther
		case intake.MessageConflict:
			m.Facts.Until = time.Time{}
		case intake.MessageWindowReminder:
			m.Facts.Until, m.Facts.Meeting = m.At.Add(7*24*time.Hour), time.Time{}
		case intake.MessageRevoked:
			m.Facts.Note, m.Facts.Reason = "The contact told us that nobody had asked for consent.", intake.ReasonRevoked
		}
		if !usual[kind].Undecided() && kind != intake.MessageNotExtended {
			m.Facts.Due = m.Facts.Due.AddDate(0, 0, 14)
		}
		list[string(kind)] = m
	}
	list["received-from-nobody-known"] = sample(intake.MessageReceived, intake.StatusQuarantined, intake.ReasonUnverified)
	question := sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonQuestion)
	question.Facts.Missing = nil
	question.Facts.Question = "Which of the two companies do you mean?\n\nThe one in Hamburg or the one in Graz?"
	list["needs-info-question"] = question
	list["approved-protected"] = sample(intake.MessageApproved, intake.StatusProtected, "")
	list["approved-locked"] = sample(intake.MessageApproved, intake.StatusLocked, "")
	noHold := sample(intake.MessageRequested, intake.StatusDeclined, "")
	noHold.Facts.Due, noHold.Facts.Until = time.Time{}, time.Time{}
	list["requested-without-a-hold"] = noHold
	appeal := sample(intake.MessageRequested, intake.StatusAppeal, "")
	appeal.Request, appeal.Facts.Until = intake.VerbAppeal, time.Time{}
	list["requested-appeal"] = appeal
	list["declined-territory"] = sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonOutsideTerritory)
	list["declined-existing-deal"] = sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonExistingDeal)
	final := sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonCertification)
	final.Facts.AppealBy = time.Time{}
	list["declined-without-an-appeal"] = final
	list["expired-no-next-step"] = sample(intake.MessageExpired, intake.StatusExpired, intake.ReasonNoNextStep)
	list["known-merged"] = sample(intake.MessageKnown, intake.StatusMerged, "")
	list["status-declined"] = sample(intake.MessageStatus, intake.StatusDeclined, intake.ReasonQuota)
	overturned := sample(intake.MessageAppealDecided, intake.StatusProvisional, "")
	overturned.Facts.Note = ""
	list["appeal-decided-approved"] = overturned
	held := sample(intake.MessageConflict, intake.StatusProtected, "")
	list["conflict-about-a-hold"] = held
	asked := sample(intake.MessageConflict, intake.StatusNeedsInfo, "")
	asked.Facts.Until = time.Time{}
	list["conflict-while-we-ask"] = asked
	met := sample(intake.MessageApproved, intake.StatusLocked, "")
	met.Facts.Meeting = met.At.Add(-2 * time.Hour)
	list["approved-locked-after-the-meeting"] = met
	unmet := sample(intake.MessageLocked, intake.StatusLocked, "")
	unmet.Facts.Meeting = time.Time{}
	list["locked-without-a-meeting"] = unmet
	choice := sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonScopeNeeded)
	choice.Facts.Question, choice.Facts.Missing = "", []intake.Problem{{
		Field: intake.FieldProductInterest, Code: string(intake.ReasonScopeNeeded),
		Message: "Several partners can work with one company here; which part is it about? Choose of: Backup, Security, Vault",
	}}
	list["needs-info-choice"] = choice
	agreed := sample(intake.MessageRules, "", "")
	agreed.Request, agreed.Facts.Case = intake.VerbAgree, ""
	list["rules-agreed"] = agreed
	lost := sample(intake.MessageHelp, "", "")
	lost.Request, lost.Facts.Case = intake.VerbStatus, ""
	list["help-for-a-number-not-found"] = lost
	quiet := sample(intake.MessageDigest, "", "")
	quiet.Week.Yours, quiet.Week.Ending, quiet.Week.Open, quiet.Week.More = quiet.Week.Yours[:1], nil, nil, 0
	quiet.Week.Decided = quiet.Week.Decided[1:2]
	list["digest-of-one"] = quiet
	over := sample(intake.MessageDigest, "", "")
	over.Week = &intake.Week{Decided: over.Week.Decided[2:]}
	list["digest-of-decisions"] = over
	weekly := sample(intake.MessageHelp, "", "")
	weekly.Facts.Weekly, weekly.Facts.Case = true, ""
	list["help-with-a-digest"] = weekly
	turn := sample(intake.StaffQueued, intake.StatusInReview, "")
	turn.Brief.Registration.Turn, turn.Brief.Registration.Advice = turn.At.Add(72*time.Hour), intake.OutcomeApprove
	list["staff-queued-from-the-waiting-list"] = turn
	gone := sample(intake.MessageOffboarding, intake.StatusWithdrawn, intake.ReasonOffboarded)
	gone.Facts.Until = time.Time{}
	list["offboarding-withdrawn"] = gone
	late := sample(intake.StaffDecision, intake.StatusInReview, "")
	late.Brief.Percent = 100
	list["staff-decision-late"] = late
	back, still := sample(intake.StaffOutage, "", ""), sample(intake.StaffOutage, "", "")
	back.Brief.Outage.Until = back.At.Add(-2 * time.Minute)
	still.Brief.Outage.Again = true
	list["staff-outage-over"], list["staff-outage-goes-on"] = back, still
	crm, works := sample(intake.StaffOutage, "", ""), sample(intake.StaffOutage, "", "")
	crm.Brief.Outage.Name, crm.Brief.Outage.Problem = intake.CRMCondition+"hubspot", "HubSpot does not know the token any more"
	works.Brief.Outage.Name, works.Brief.Outage.Until = intake.CRMCondition+"hubspot", works.At.Add(-2*time.Minute)
	list["staff-outage-crm"], list["staff-outage-crm-over"] = crm, works
	return list
}

// languages are those that are built in.
func languages() []string { return slices.Sorted(maps.Keys(locales)) }

// in is m for a partner of another language.
func in(tag string, m intake.Message) intake.Message {
	m.Facts.Locale = tag
	return m
}

func TestGolden(t *testing.T) {
	for _, tag := range languages() {
		for name, m := range goldens() {
			t.Run(tag+"/"+name, func(t *testing.T) {
				r := render(t, in(tag, m))
				got := fmt.Sprintf("Subject: %s\n\n%s\n-- page --\n%s", r.Subject, r.Text, r.HTML)
				file := filepath.Join("testdata", tag, name+".golden")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("differs from %s; run with -update if that is meant\n%s", file, got)
				}
			})
		}
	}
}

// TestEveryKindStatusAndReasonRenders goes through the whole product of kinds and statuses,
// and that with the reasons where the kind can tell one, in every language.
func TestEveryKindStatusAndReasonRenders(t *testing.T) {
	t.Parallel()
	for _, tag := range languages() {
		for _, kind := range allKinds() {
			for _, status := range append(intake.Statuses(), "", "unheard of") {
				for _, reason := range append(intake.Reasons(), "", "unheard of") {
					if reason != "" && (!tells(kind) || tag != fallback && status != usual[kind]) {
						continue
					}
					m := in(tag, sample(kind, status, reason))
					checkMessage(t, m, render(t, m))
				}
				m := in(tag, bare(kind, status))
				checkMessage(t, m, render(t, m))
			}
		}
	}
}

// TestTheBuiltInTemplatesPassTheTrial to which those of an operator are put at start.
func TestTheBuiltInTemplatesPassTheTrial(t *testing.T) {
	for _, tag := range languages() {
		for _, kind := range allKinds() {
			if err := set().tryKind(tag, kind, set().locales[tag][kind]); err != nil {
				t.Error(err)
			}
		}
	}
}

// tells reports whether messages of a kind can give a reason.
func tells(kind intake.MessageKind) bool {
	return says[kind]&saysReason != 0
}

// checkMessage looks for what every message must say and how.
func checkMessage(t *testing.T, m intake.Message, r Rendered) {
	t.Helper()
	what := fmt.Sprintf("%s, %s, %s, %s", m.Facts.Locale, m.Kind, m.Facts.Status, m.Facts.Reason)
	wanted := []string{m.Facts.Contact.Email}
	switch {
	case m.Kind == intake.StaffDigest || toStaff(m.Kind) && m.Brief.Registration == nil:
		wanted = nil
	case toStaff(m.Kind):
		wanted = []string{m.Facts.Case, "Acme GmbH", m.Brief.Partner}
	case about(m.Kind):
		wanted = append(wanted, m.Facts.Case, StatusWord(m.Facts.Locale, m.Facts.Status))
		if m.Facts.Status != intake.StatusQuarantined && m.Kind != intake.MessageConfirm {
			wanted = append(wanted, m.Facts.Company, m.Facts.StatusLink)
		}
	}
	for _, f := range m.Cases {
		wanted = append(wanted, f.Case, StatusWord(m.Facts.Locale, f.Status))
	}
	for _, w := range wanted {
		if !strings.Contains(r.Text, w) || !strings.Contains(r.HTML, w) {
			t.Fatalf("%s: %q is not in\n%s\n%s", what, w, r.Text, r.HTML)
		}
	}
	if r.Subject == "" || strings.ContainsAny(r.Subject, "\r\n") || utf8.RuneCountInString(r.Subject) > maxShort {
		t.Fatalf("%s: subject %q", what, r.Subject)
	}
	text, _, _ := strings.Cut(r.Text, m.Facts.Receipt)
	for l := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(l) > width && strings.Contains(l, " ") {
			t.Fatalf("%s: the line is too long: %q", what, l)
		}
	}
	if strings.Contains(text, "\n\n\n") || strings.Contains(r.Text, "\n \n") || strings.Contains(r.Text, "  .") || strings.Contains(r.Text+r.HTML, "<no value>") || !strings.HasSuffix(r.Text, "\n") {
		t.Fatalf("%s: untidy\n%s", what, r.Text)
	}
}

func TestThePageLoadsNothing(t *testing.T) {
	for name, m := range goldens() {
		page := strings.ToLower(render(t, m).HTML)
		page = regexp.MustCompile(`<a href="https://(partners|crm)\.vendor\.example/[a-z0-9/_-]+"`).ReplaceAllString(page, "<a")
		page = strings.ReplaceAll(page, " https://crm.vendor.example/deals/77<", "<")
		for _, bad := range []string{"http:", "https:", "src=", "href=", "url(", "<script", "<img", "<link", "@import", "<form", "background"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %q", name, bad)
			}
		}
		if !strings.Contains(page, `name="color-scheme" content="light dark"`) {
			t.Errorf("%s: the page does not say that it can be dark", name)
		}
	}
}

func TestAnUnprovenSenderReadsNothingOfWhatWasSent(t *testing.T) {
	for _, kind := range intake.MessageKinds() {
		for _, reason := range intake.Reasons() {
			if !tells(kind) && reason != intake.ReasonUnverified || kind == intake.MessageRules {
				continue // the rules are for everybody
			}
			m := sample(kind, intake.StatusQuarantined, reason)
			for i := range m.Cases {
				m.Cases[i].Status = intake.StatusQuarantined
			}
			if m.Week != nil {
				for _, list := range [][]intake.WeekCase{m.Week.Yours, m.Week.Ending, m.Week.Open, m.Week.Decided} {
					for i := range list {
						list[i].Stage = intake.StatusQuarantined.Stage()
					}
				}
			}
			if m.Import != nil {
				m.Import.Decided = nil // no list of his is read
			}
			m.Notice = intake.NoticeTooLarge // the other notices give examples
			if kind == intake.MessageConfirm {
				m.Facts.Due = time.Time{} // until when it can be confirmed is ours to tell
			}
			r := render(t, m)
			for _, word := range []string{"Acme", "acme", "Which office", "summit", "2026,", "2027", "/status/", "receipt"} {
				if strings.Contains(r.Subject+r.Text+r.HTML, word) {
					t.Errorf("%s: %q is in\n%s", kind, word, r.Text)
				}
			}
		}
	}
}

func TestTheSameMessageGivesTheSameWords(t *testing.T) {
	for name, m := range goldens() {
		if a, b := render(t, m), render(t, m); a != b {
			t.Errorf("%s differs from itself", name)
		}
	}
}

func TestAnUnknownKindIsPermanent(t *testing.T) {
	_, err := set().Render(sample("poem", intake.StatusInReview, ""))
	if !intake.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

func TestTheProgramOfTheSetStandsIn(t *testing.T) {
	m := sample(intake.MessageKnown, intake.StatusLocked, "")
	m.Facts.Program = ""
	if r := render(t, m); !strings.Contains(r.Text, "\n\nVendor\n") {
		t.Errorf("%s", r.Text)
	}
}

func TestRenderingAtOnceIsSafe(t *testing.T) {
	var group sync.WaitGroup
	for _, m := range goldens() {
		group.Go(func() {
			if _, err := set().Render(m); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestLinesToFillIn are what the reader of replies knows how to read.
func TestLinesToFillIn(t *testing.T) {
	m := sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonMissingField)
	m.Facts.Missing = nil
	for _, f := range intake.Fields() {
		m.Facts.Missing = append(m.Facts.Missing,
			intake.Problem{Field: f, Code: intake.ProblemInvalid}, intake.Problem{Field: f, Code: intake.ProblemTooLong})
	}
	m.Facts.Missing = append(m.Facts.Missing, intake.Problem{Code: "odd", Message: "Something else is odd."})
	r := render(t, m)
	for _, f := range intake.Fields() {
		if n := strings.Count(r.Text, "\n"+Label("en", f)+": \n"); n != 1 {
			t.Errorf("%s: %d lines to fill in, want 1", f, n)
		}
		if n := strings.Count(r.HTML, "<div>"+Label("en", f)+": </div>"); n != 1 {
			t.Errorf("%s: %d lines to fill in on the page, want 1", f, n)
		}
		for l := range strings.SplitSeq(r.Text, "\n") {
			label, value, ok := strings.Cut(strings.TrimLeft(l, "- "), ":")
			if ok && label == Label("en", f) && value != " " {
				t.Errorf("%q reads like an answer", l)
			}
		}
	}
	if !strings.Contains(r.Text, "- Something else is odd.") {
		t.Errorf("a problem without a field is missing in\n%s", r.Text)
	}
}

// TestAValueThatCannotBeUsedIsNamed: it is not asked for as if nothing had been given, and the
// choices stand beside it.
func TestAValueThatCannotBeUsedIsNamed(t *testing.T) {
	m := sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonMissingField)
	m.Facts.Missing = []intake.Problem{
		{Field: intake.FieldStage, Code: intake.ProblemInvalid, Given: "first call held"},
		{Field: intake.FieldProblem, Code: intake.ProblemTooShort, Given: "backup"},
		{Field: intake.FieldCountry, Code: intake.ProblemInvalid},
	}
	summary := sample(intake.MessageSummary, "", "")
	summary.Cases[1].Missing = m.Facts.Missing
	for _, m := range []intake.Message{m, summary} {
		text := strings.Join(strings.Fields(render(t, m).Text), " ")
		for _, w := range []string{
			`We could not make sense of "first call held".`, "Choose new introduction, discovery scheduled, or evaluation.",
			`To act on it we need more than "backup"; one sentence is enough.`, "We could not make sense of what you gave.",
		} {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q:\n%s", m.Kind, w, text)
			}
		}
	}
}

func TestWordsAreCutBetweenWords(t *testing.T) {
	m := sample(intake.MessageReceived, intake.StatusInReview, "")
	m.Facts.Fields[1].Words = strings.Repeat("reporting ", 30)
	text := strings.Join(strings.Fields(render(t, m).Text), " ")
	if !strings.Contains(text, `reporting…"`) {
		t.Errorf("cut within a word, or not marked:\n%s", text)
	}
}

func TestTheNewValuesOfACorrectionAreShownAndNoOthers(t *testing.T) {
	m := sample(intake.MessageChanged, intake.StatusInReview, "")
	if r := render(t, m); !strings.Contains(r.Text, "Company domain: acme.example") || strings.Contains(r.Text, "Company name: ") {
		t.Errorf("%s", r.Text)
	}
}

// A hold can be without an end for another reason than a meeting, and a meeting can lie ahead.
func TestNoMeetingIsSaidToHaveBeenHeldBeforeItsTime(t *testing.T) {
	for _, kind := range []intake.MessageKind{intake.MessageApproved, intake.MessageLocked, intake.MessageProtected, intake.MessageStatus, intake.MessageGiven} {
		for name, meeting := range map[string]time.Duration{"none": 0, "ahead": 24 * time.Hour} {
			m := sample(kind, intake.StatusLocked, "")
			if m.Facts.Meeting = m.At.Add(meeting); meeting == 0 {
				m.Facts.Meeting = time.Time{}
			}
			en, de := render(t, m).Text, render(t, in("de", m)).Text
			if strings.Contains(en, "meeting was held") || strings.Contains(en, "called it off") || !strings.Contains(strings.Join(strings.Fields(en), " "), "protected for you without an end for now") {
				t.Errorf("%s, %s:\n%s", kind, name, en)
			}
			if strings.Contains(de, "stattgefunden.") || strings.Contains(de, "abgesagt") || !strings.Contains(de, "vorerst") {
				t.Errorf("%s, %s:\n%s", kind, name, de)
			}
		}
	}
}

func TestAChoiceIsAskedForWithoutAnotherExample(t *testing.T) {
	m := goldens()["needs-info-choice"]
	for tag, want := range map[string]string{
		"en": "Which of our products is it about? Choose of: Backup, Security, Vault.", "de": "Zur Wahl stehen: Backup, Security, Vault.",
	} {
		if text := strings.Join(strings.Fields(render(t, in(tag, m)).Text), " "); !strings.Contains(text, want) || strings.Contains(text, "Suite") || strings.Contains(text, "can work with") {
			t.Errorf("%s", text)
		}
	}
}

// The day that is promised to who is in a dispute, or contests a decision, is that of a plan.
func TestADayOfAPlanIsNotCalledOneOfADecision(t *testing.T) {
	for _, name := range []string{"conflict", "conflict-about-a-hold", "conflict-while-we-ask", "requested-appeal"} {
		text := strings.Join(strings.Fields(render(t, goldens()[name]).Text), " ")
		if strings.Contains(text, "decide by") || strings.Contains(text, "decides on it") || !strings.Contains(text, "By Tuesday 24 November 2026, 17:30 CET (UTC+1) we tell you how") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestANumberThatIsNotFoundIsSpokenOfOnlyWhereThereWasOne(t *testing.T) {
	with, without := goldens()["help-for-a-number-not-found"], goldens()["help"]
	const words = "If you meant a registration"
	if !strings.HasPrefix(render(t, with).Text, words) || strings.Contains(render(t, without).Text, words) {
		t.Errorf("%s\n%s", render(t, with).Text, render(t, without).Text)
	}
}

func TestALinkOpensThePageInTheLanguageOfThePartner(t *testing.T) {
	m := sample(intake.MessageReceived, intake.StatusInReview, "")
	if text := render(t, m).Text; strings.Contains(text, "lang=") {
		t.Errorf("a language that nobody named:\n%s", text)
	}
	if text := render(t, in("de", m)).Text; !strings.Contains(text, "/status/AbCdEf0123456789?lang=de\n") {
		t.Errorf("%s", text)
	}
}

func TestAMessageAboutAFileNamesItsResultOnceAndBeginsASentenceAsOne(t *testing.T) {
	m := sample(intake.MessageImported, "", "")
	m.Import = &intake.ImportFacts{Name: "leads.csv", State: intake.ImportDone, Link: "https://partners.vendor.example/i/x", Attached: true, Counts: intake.ImportCounts{Rows: 1, Accepted: 1}}
	if text := render(t, in("en", m)).Text; strings.Count(text, "row by row") != 1 || !strings.Contains(text, "on a page, too") {
		t.Errorf("%s", text)
	}
	m.Import = &intake.ImportFacts{Name: "leads.csv", State: intake.ImportFailed, Cause: &intake.RowProblem{Problem: intake.Problem{Code: "no_rows", Message: "there are no rows below the one that names the columns"}}}
	if text := render(t, in("en", m)).Text; !strings.Contains(text, "\nThere are no rows below") {
		t.Errorf("%s", text)
	}
	m.Import.Place = "row 7"
	if text := render(t, in("en", m)).Text; !strings.Contains(text, "In row 7: there are no rows") {
		t.Errorf("%s", text)
	}
}
