package intake_test

import (
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// twoOpen has a partner register two prospects in one mail, and leaves what the leads lack
// open. It returns the receipts and the summary.
func (w *world) twoOpen(lacks ...intake.Field) ([]intake.Receipt, intake.Message) {
	w.Helper()
	var receipts []intake.Receipt
	for i, name := range []string{"umbra", "vandelay"} {
		lead := acme()
		lead[intake.FieldCompanyName], lead[intake.FieldCompanyDomain], lead[intake.FieldContactEmail] = name, name+".example", "x@"+name+".example"
		if i < len(lacks) {
			delete(lead, lacks[i])
		}
		s := w.submission("ana@alpha.example", lead)
		s.Batch = intake.Batch{ID: "batch", Size: 2}
		receipts = append(receipts, w.accept(s))
	}
	w.pass(time.Second)
	all := w.channel.messages()
	return receipts, all[len(all)-1]
}

// reply is an answer to a summary, or a part of one.
func (w *world) reply(to intake.Message, l intake.Lead, change func(*intake.Submission)) intake.Receipt {
	w.Helper()
	s := w.submission("ana@alpha.example", l)
	s.Answers, s.Text = to.ID, "an answer"
	if change != nil {
		change(&s)
	}
	r := w.accept(s)
	w.pass(time.Second)
	return r
}

func TestAPlainAnswerToASummaryGoesToTheOneCaseThatWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		cases, summary := w.twoOpen(intake.FieldConsent)
		w.reply(summary, intake.Lead{intake.FieldConsent: intake.ConsentYes}, nil)
		w.wantStatus(cases[0].Case, intake.StatusProvisional)
		w.wantMessages(intake.MessageSummary, intake.MessageApproved)
	})
}

func TestAnAnswerToASummaryGoesToTheCompanyThatItNames(t *testing.T) {
	inWorld(t, func(w *world) {
		cases, summary := w.twoOpen(intake.FieldConsent, intake.FieldConsent)
		w.reply(summary, intake.Lead{intake.FieldCompanyName: "Vandelay", intake.FieldConsent: intake.ConsentYes}, nil)
		w.wantStatus(cases[0].Case, intake.StatusNeedsInfo)
		w.wantStatus(cases[1].Case, intake.StatusProvisional)
	})
}

func TestAnAnswerToASummaryThatFitsSeveralCasesIsAskedWhichItMeans(t *testing.T) {
	inWorld(t, func(w *world) {
		cases, summary := w.twoOpen(intake.FieldConsent, intake.FieldConsent)
		r := w.reply(summary, intake.Lead{intake.FieldConsent: intake.ConsentYes}, nil)
		if w.aside(r.Aside).Reason != intake.AsideNoLead {
			w.Errorf("receipt %+v", r)
		}
		m := w.wantMessages(intake.MessageSummary, intake.MessageSummary)[1]
		if len(m.Cases) != 2 || len(cases) != 2 || m.To.Address != "ana@alpha.example" {
			w.Errorf("told %+v", m)
		}
		w.reply(summary, nil, func(s *intake.Submission) { s.Sender.Address, s.Reply.Address = "eve@beta.example", "eve@beta.example" })
		w.wantMessages(intake.MessageSummary, intake.MessageSummary, intake.MessageNotice) // another partner learns nothing
	})
}

// TestLinesWithCaseNumbersGoToTheirCases, and those with a number that is another's are told
// of like those with one that nobody has.
func TestLinesWithCaseNumbersGoToTheirCases(t *testing.T) {
	inWorld(t, func(w *world) {
		theirs := acme()
		theirs[intake.FieldCompanyDomain] = "theirs.example"
		foreign := w.submit("eve@beta.example", theirs)
		cases, summary := w.twoOpen(intake.FieldConsent, intake.FieldConsent)
		for i, number := range []string{cases[0].Case, cases[1].Case, foreign.Case, "LG-2026-000000-0"} {
			w.reply(summary, intake.Lead{intake.FieldConsent: intake.ConsentYes, intake.FieldContactRole: "CFO"}, func(s *intake.Submission) {
				s.Answers, s.About, s.CaseHint = "", number, number
				s.Batch = intake.Batch{ID: "answers", Size: 4}
				s.Key = s.Key + string(rune('a'+i))
			})
		}
		for _, r := range cases {
			w.wantStatus(r.Case, intake.StatusProvisional)
		}
		if got := w.story(foreign.Case).Registration; got.Lead[intake.FieldContactRole] == "CFO" || got.Submissions != 1 {
			w.Errorf("another partner's case was changed: %+v", got.Lead)
		}
		m := w.wantMessages(intake.MessageApproved, intake.MessageSummary, intake.MessageSummary)[2]
		if len(m.Cases) != 2 || len(m.Faults) != 2 || m.Faults[0].Problem != m.Faults[1].Problem {
			w.Errorf("told %+v", m)
		}
	})
}

func TestOneLineAboutAnotherPartnersCaseIsAnsweredLikeOneAboutNoCase(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		for _, number := range []string{r.Case, "LG-2026-000000-0"} {
			w.reply(intake.Message{}, intake.Lead{intake.FieldContactRole: "CFO"}, func(s *intake.Submission) {
				s.Sender.Address, s.Reply.Address = "eve@beta.example", "eve@beta.example"
				s.About, s.CaseHint = number, number
			})
		}
		all := w.wantMessages(intake.MessageApproved, intake.MessageHelp, intake.MessageHelp)
		if all[1].Facts.Case != "" || w.story(r.Case).Registration.Lead[intake.FieldContactRole] != "CTO" {
			w.Errorf("told %+v", all[1])
		}
	})
}

// TestANumberThatAnybodyCanTypeProvesNothing: it confirms no case in quarantine and opens none.
func TestANumberThatAnybodyCanTypeProvesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		s.Sender.Strength = intake.StrengthUnverified
		r := w.accept(s)
		forged := w.submission("ana@alpha.example", intake.Lead{intake.FieldCompanyName: "Acme"})
		forged.Sender.Strength, forged.About, forged.CaseHint = intake.StrengthUnverified, r.Case, r.Case
		w.accept(forged)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusQuarantined)
		w.wantMessages()
	})
}

func TestWhatWasGivenAndIsNotClearIsNamedInTheQuestion(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", without(acme(), intake.FieldStage))
		s.Unclear = map[intake.Field]string{intake.FieldStage: "first call held", intake.FieldCountry: "nowhere"}
		w.accept(s)
		w.pass(time.Second)
		m := w.wantMessages(intake.MessageNeedsInfo)[0]
		want := intake.Problem{Field: intake.FieldStage, Code: intake.ProblemInvalid, Given: "first call held"}
		if len(m.Facts.Missing) != 1 || m.Facts.Missing[0] != want {
			w.Errorf("asks for %+v", m.Facts.Missing)
		}
	}, full)
}

func TestTheWordsOfAFieldAreCutBetweenWords(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		s.Evidence = map[intake.Field]string{intake.FieldContactName: strings.Repeat("Berichterstattung ", 40)}
		r := w.accept(s)
		if words := w.story(r.Case).Registration.Evidence[intake.FieldContactName]; !strings.HasSuffix(words, " Berichterstattung…") {
			w.Errorf("kept %q", words)
		}
	})
}
