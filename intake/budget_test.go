package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestAnAddressGetsSixAnswersAnHourAndTheRestInOneSummary(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 21 {
			w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
		}
		if got := w.channel.messages(); len(got) != 6 || len(w.cases()) != 21 {
			w.Fatalf("%d answers to %d cases", len(got), len(w.cases()))
		}
		if got := w.log.String(); strings.Count(got, "level=WARN") != 2 || strings.Count(got, "address=ana@alpha.example") != 1 || strings.Contains(got, "level=ERROR") || !strings.Contains(got, "will come in one summary") || !strings.Contains(got, "address=jo@vendor.example") {
			w.Errorf("staff are told:\n%s", got)
		}
		held := 0
		for _, r := range w.cases() {
			if got := notes(w.story(r.Number), intake.EventHeld); len(got) == 1 && strings.HasPrefix(got[0], "approved "+r.Number) {
				held++
			}
		}
		if held != 15 {
			w.Errorf("%d of 15 cases say that their answer is held back", held)
		}
		w.submit("bob@alpha.example", named("Bob's", "bobs.example")) // others are not held up
		w.pass(2 * time.Hour)
		got := w.channel.messages()
		if len(got) != 8 || got[7].Kind != intake.MessageSummary || len(got[7].Cases) != 15 {
			w.Fatalf("%d messages, the last a %s of %d cases", len(got), got[len(got)-1].Kind, len(got[len(got)-1].Cases))
		}
		w.submit("ana@alpha.example", named("Late", "late.example")) // there is room again
		if got := w.channel.messages(); len(got) != 9 {
			w.Errorf("%d messages", len(got))
		}
	}, budgeted)
}

func TestARobotThatAnswersEachMailDrawsOneAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("tickets@alpha.example", nil)
		for i := 0; i < 100; i++ { // without any header, without our number, each time anew
			s := w.submission("tickets@alpha.example", nil)
			s.Text = fmt.Sprintf("Ticket #%d received", i)
			w.accept(s)
			w.pass(time.Minute)
		}
		w.wantMessages(intake.MessageNotice)
	}, budgeted)
}

func TestARobotInTheThreadDrawsOneAnswerMore(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("tickets@alpha.example", without(acme(), intake.FieldProblem))
		for i := 0; i < 100; i++ {
			s := w.submission("tickets@alpha.example", nil)
			s.Text, s.Case = fmt.Sprintf("Ticket #%d received", i), first.Case
			w.accept(s)
			w.pass(time.Minute)
		}
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageReceived)
	}, budgeted)
}

func TestWhatStaffDecideIsNotHeldBack(t *testing.T) {
	inWorld(t, func(w *world) {
		var numbers []string
		for i := range 10 {
			numbers = append(numbers, w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i))).Case)
		}
		for _, n := range numbers {
			if _, err := w.gateway.Approve(w.Context(), n, intake.Verdict{By: "mia"}); err != nil {
				w.Fatal(err)
			}
		}
		w.pass(time.Minute)
		approved := 0
		for _, m := range w.channel.messages() {
			if m.Kind == intake.MessageApproved {
				approved++
			}
		}
		if approved != 10 {
			w.Errorf("%d of 10 decisions were told", approved)
		}
	}, budgeted, assist)
}

func TestTheWholeGatewayWaitsWhenTheHourIsUsedUp(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 350 { // many addresses of many domains would be needed for one budget each
			s := w.submission(fmt.Sprintf("p%d@alpha.example", i), named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
			s.Reply.Address = fmt.Sprintf("p@d%d.example", i)
			w.accept(s)
		}
		w.pass(time.Minute)
		if n := len(w.channel.messages()); n != 300 {
			w.Errorf("%d answers in the first hour, want 300", n)
		}
		w.pass(2 * time.Hour)
		if n := len(w.channel.messages()); n != 350 {
			w.Errorf("%d answers in the end, want 350", n)
		}
	}, budgeted)
}

func TestAForgedMailDoesNotStopTheSummary(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 10 {
			w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
		}
		spam := named("Buy now", "spam.example")
		w.accept(w.forged("ana@alpha.example", spam))
		w.pass(24 * time.Hour)
		told := map[string]bool{}
		for _, m := range w.channel.messages() {
			told[m.Facts.Case] = true
			for _, f := range m.Cases {
				told[f.Case] = true
				if strings.Contains(f.Company, "Buy now") {
					t.Errorf("the address is told %q of a mail that it did not write", f.Company)
				}
			}
		}
		for _, r := range w.cases() {
			if r.Partner == "alpha" && !told[r.Number] {
				t.Errorf("Ana was never told of %s (%s), which is %s", r.Number, r.Lead[intake.FieldCompanyName], r.Status)
			}
		}
	}, budgeted, confirming)
}

func TestTheSummaryTellsNothingOfAForgedMail(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 7 {
			w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
		}
		w.accept(w.forged("ana@alpha.example", named("Buy now at spam", "spam.example")))
		w.pass(time.Second)
		w.submit("ana@alpha.example", named("Last", "last.example"))
		w.pass(24 * time.Hour)
		for _, m := range w.channel.messages() {
			for _, f := range m.Cases {
				if strings.Contains(f.Company, "Buy now") {
					t.Errorf("the address is told %q, status %s, of a mail that it did not write", f.Company, f.Status)
				}
			}
		}
	}, budgeted, confirming)
}
