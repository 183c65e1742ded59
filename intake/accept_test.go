package intake_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestCompleteRegistrationIsApprovedPushedAndAnswered(t *testing.T) {
	inWorld(t, func(w *world) {
		receipt := w.submit("ana@alpha.example", acme())
		r := w.wantStatus(receipt.Case, intake.StatusProvisional)
		m := w.wantMessages(intake.MessageApproved)[0]
		if m.To.Address != "ana@alpha.example" || m.Facts.Case != receipt.Case || m.Facts.Company != "Acme GmbH" {
			w.Errorf("the answer is %+v", m)
		}
		if m.Facts.Contact.Email != "jo@vendor.example" || !m.Facts.Until.Equal(r.Protection.End) {
			w.Errorf("the answer names contact %v and end %v", m.Facts.Contact, m.Facts.Until)
		}
		if got := w.crm.records[receipt.Case]; got.Status != intake.StatusProvisional {
			w.Errorf("the CRM has %+v", got)
		}
		if r.CRM["fake"].ID != "rec-"+receipt.Case {
			w.Errorf("reference %+v", r.CRM)
		}
		if open := w.story(receipt.Case).Tasks; len(open) != 1 || open[0].Lane != intake.LaneTimer {
			w.Errorf("still to do: %+v, want the end of the protection alone", open)
		}
	})
}

func TestTheSameDeliveryGivesTheSameReceiptAndNoSecondAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		first := w.accept(s)
		again := w.accept(s)
		if again.Case != first.Case || !again.Known || first.Known {
			w.Errorf("receipts %+v and %+v", first, again)
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageApproved)
	})
}

func TestTheSameContentAgain(t *testing.T) {
	for _, c := range []struct {
		name       string
		deliberate bool
		after      time.Duration
		change     func(*intake.Submission)
		cases      int
		messages   []intake.MessageKind
	}{
		{name: "redelivered by a machine is not answered again", cases: 1, messages: []intake.MessageKind{intake.MessageApproved}},
		{
			name: "sent by a person is answered with the case that there is", deliberate: true, cases: 1,
			messages: []intake.MessageKind{intake.MessageApproved, intake.MessageKnown},
		},
		{
			name: "through a channel that tells it itself is not answered again", deliberate: true, cases: 1,
			change:   func(s *intake.Submission) { s.Told = true },
			messages: []intake.MessageKind{intake.MessageApproved},
		},
		{
			name: "with a forged sender is not answered", deliberate: true, cases: 1,
			change:   func(s *intake.Submission) { s.Sender.Strength = intake.StrengthUnverified },
			messages: []intake.MessageKind{intake.MessageApproved},
		},
		{
			name: "after the case has expired and a month has passed is a new case", after: 31 * 24 * time.Hour, cases: 2,
			messages: []intake.MessageKind{intake.MessageApproved, intake.MessageStepReminder, intake.MessageStepReminder, intake.MessageExpired, intake.MessageApproved},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.submission("ana@alpha.example", acme())
				s.Content, s.Deliberate = "c1", c.deliberate
				first := w.accept(s)
				w.pass(time.Second + c.after)
				s.Key = "another delivery"
				s.ReceivedAt = time.Now()
				if c.change != nil {
					c.change(&s)
				}
				again := w.accept(s)
				w.pass(time.Second)
				if got := len(w.cases()); got != c.cases || (again.Case == first.Case) != (c.cases == 1) {
					w.Errorf("%d cases, receipts %+v and %+v", got, first, again)
				}
				w.wantMessages(c.messages...)
			})
		})
	}
}

// What came to its end can be registered anew, in the same words too; but by a person, not by a
// machine that delivers again, and not by what came before the end.
func TestWhatIsOverIsRegisteredAnewByTheSameWords(t *testing.T) {
	lose := func(w *world, number string) string {
		w.meets(number, time.Now(), true)
		return must(w, "close")(w.gateway.Close(w.Context(), number, intake.DealLost, mia)).Number
	}
	decline := func(w *world, number string) string {
		w.revoke(number)
		return number
	}
	withdraw := says(intake.VerbWithdraw)
	for _, c := range []struct {
		name   string
		end    move
		change func(*intake.Submission)
		is     intake.Status
		anew   bool
	}{
		{"withdrawn", withdraw, nil, intake.StatusWithdrawn, true},
		{"expired", passing(days(15)), nil, intake.StatusExpired, true},
		{"lost", lose, nil, intake.StatusLost, true},
		{"declined, and to be registered again later", decline, nil, intake.StatusDeclined, false},
		{"still held", passing(time.Hour), nil, intake.StatusProvisional, false},
		{"withdrawn, and delivered again by a machine", withdraw, func(s *intake.Submission) { s.Deliberate = false }, intake.StatusWithdrawn, false},
		{"withdrawn after it came", withdraw, func(s *intake.Submission) { s.ReceivedAt = s.ReceivedAt.Add(-time.Hour) }, intake.StatusWithdrawn, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.submission("ana@alpha.example", acme())
				s.Content, s.Deliberate = "the same words", true
				first := w.accept(s)
				w.pass(time.Second)
				c.end(w, first.Case)
				w.pass(time.Minute)
				w.wantStatus(first.Case, c.is)
				s.Key, s.ReceivedAt = "mail:again", time.Now()
				if c.change != nil {
					c.change(&s)
				}
				again := w.accept(s)
				w.pass(time.Second)
				if anew := again.Case != first.Case; anew != c.anew || again.Known == c.anew {
					w.Errorf("answered %+v, and before that %+v", again, first)
				}
				s.Key = "mail:once more"
				if last := w.accept(s); last.Case != again.Case || !last.Known {
					w.Errorf("once more, answered %+v", last)
				}
			})
		})
	}
}

func TestASecondMailOfThePartnerAboutTheAccountJoinsTheCase(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", without(acme(), intake.FieldContactRole))
		before := w.story(first.Case).Registration
		w.pass(time.Hour)
		lead := acme()
		lead[intake.FieldCompanyName] = "ACME Germany"
		lead[intake.FieldCompanyDomain] = "https://WWW.acme.example/about"
		second := w.submit("bob@alpha.example", lead)
		if second.Case != first.Case || !second.Known {
			w.Fatalf("receipts %+v and %+v", first, second)
		}
		r := w.wantStatus(first.Case, intake.StatusProvisional)
		if !r.Claim.Equal(before.Claim) || r.Submissions != 2 {
			w.Errorf("claim %v and %d submissions, want %v and 2", r.Claim, r.Submissions, before.Claim)
		}
		if r.Lead[intake.FieldContactRole] != "CTO" || r.Lead[intake.FieldCompanyName] != "Acme GmbH" {
			w.Errorf("lead %v: want the empty field filled and the others kept", r.Lead)
		}
		m := w.wantMessages(intake.MessageApproved, intake.MessageChanged)[1]
		if m.To.Address != "bob@alpha.example" {
			w.Errorf("answered to %s", m.To.Address)
		}
		if w.crm.records[first.Case].Lead[intake.FieldContactRole] != "CTO" {
			w.Error("the CRM was not told of the new field")
		}
	})
}

func TestWhatIsMissingIsAskedForAndTheReplyCompletesTheCase(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", intake.Lead{
			intake.FieldCompanyName: "Acme", intake.FieldCompanyDomain: "acme..example", intake.FieldConsent: intake.ConsentNo,
		})
		r := w.wantStatus(first.Case, intake.StatusNeedsInfo)
		m := w.wantMessages(intake.MessageNeedsInfo)[0]
		want := []intake.Problem{
			{Field: intake.FieldCompanyDomain, Code: intake.ProblemInvalidDomain},
			{Field: intake.FieldContactEmail, Code: intake.ProblemMissing},
			{Field: intake.FieldProblem, Code: intake.ProblemMissing},
			{Field: intake.FieldConsent, Code: intake.ProblemConsent},
		}
		for i, p := range m.Facts.Missing {
			if len(m.Facts.Missing) != len(want) || p.Field != want[i].Field || p.Code != want[i].Code {
				w.Fatalf("asked for %+v, want %+v", m.Facts.Missing, want)
			}
		}
		if !m.Facts.Due.Equal(r.AnswerDue) || r.AnswerDue.IsZero() {
			w.Errorf("due %v, answer due %v", m.Facts.Due, r.AnswerDue)
		}

		w.pass(24 * time.Hour)
		reply := w.submission("ana@alpha.example", without(acme(), intake.FieldCompanyName))
		reply.Case = first.Case
		if again := w.accept(reply); again.Case != first.Case {
			w.Fatalf("the reply became case %s", again.Case)
		}
		w.pass(time.Second)
		after := w.wantStatus(first.Case, intake.StatusProvisional)
		if !after.Claim.Equal(r.Claim) {
			w.Errorf("claim moved from %v to %v", r.Claim, after.Claim)
		}
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageApproved)
		if len(after.Problems) != 0 {
			w.Errorf("problems left: %v", after.Problems)
		}
	})
}

func TestAfterThreeQuestionsAPersonTakesOver(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", without(acme(), intake.FieldConsent))
		for _, wrong := range []string{"maybe", "perhaps", "hm"} {
			reply := w.submission("ana@alpha.example", intake.Lead{intake.FieldConsent: wrong})
			reply.Case = first.Case
			w.accept(reply)
			w.pass(time.Second)
		}
		w.wantStatus(first.Case, intake.StatusInReview)
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageNeedsInfo, intake.MessageNeedsInfo, intake.MessageReceived)
	})
}

func TestRepliesInTheThread(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   string
		lead   intake.Lead
		hint   bool
		joined bool // else it is a case of its own, or nothing
		aside  bool
		cases  int
		extra  []intake.MessageKind
	}{
		{name: "thanks is attached and not answered", from: "ana@alpha.example", joined: true, cases: 1},
		{name: "a colleague may go on with it", from: "bob@alpha.example", joined: true, cases: 1},
		{
			name: "another prospect is another case", from: "ana@alpha.example", cases: 2,
			lead:  intake.Lead{intake.FieldCompanyDomain: "other.example", intake.FieldCompanyName: "Other"},
			extra: []intake.MessageKind{intake.MessageNeedsInfo},
		},
		{name: "a stranger is set aside", from: "eve@beta.example", aside: true, cases: 1},
		{name: "a stranger with a lead is set aside as well", from: "eve@beta.example", lead: acme(), aside: true, cases: 1},
		{name: "the number in the subject does for the same partner", from: "ana@alpha.example", hint: true, joined: true, cases: 1},
		{
			name: "the number in the subject does nothing for another partner", from: "eve@beta.example", hint: true, aside: true, cases: 1,
			extra: []intake.MessageKind{intake.MessageNotice},
		},
		{name: "nobody known, with the number in the subject, is set aside", from: "x@stranger.example", hint: true, aside: true, cases: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				first := w.submit("ana@alpha.example", acme())
				before := w.story(first.Case).Registration
				reply := w.submission(c.from, c.lead)
				reply.Text = "thanks!"
				if c.hint {
					reply.CaseHint = strings.ToLower(first.Case)
				} else {
					reply.Case = first.Case
				}
				receipt := w.accept(reply)
				w.pass(time.Second)
				if (receipt.Case == first.Case) != c.joined || (receipt.Aside != "") != c.aside {
					w.Errorf("receipt %+v", receipt)
				}
				after := w.story(first.Case).Registration
				if !c.joined && after.Revision != before.Revision {
					w.Error("the case was touched")
				}
				if after.Status != before.Status || !after.Claim.Equal(before.Claim) {
					w.Errorf("the case is %s, and was %s", after.Status, before.Status)
				}
				if n := len(w.cases()); n != c.cases {
					w.Errorf("%d cases, want %d", n, c.cases)
				}
				for _, m := range w.wantMessages(append([]intake.MessageKind{intake.MessageApproved}, c.extra...)...)[1:] {
					if told := fmt.Sprintf("%+v", m); strings.Contains(told, first.Case) || c.aside && strings.Contains(strings.ToLower(told), "acme") {
						w.Errorf("%s is told of the case: %s", m.To.Address, told)
					}
				}
			})
		})
	}
}

func TestSendersWhoAreNobodyOrUnproven(t *testing.T) {
	for _, c := range []struct {
		name     string
		from     string
		strength intake.Strength
		lead     intake.Lead
		reason   intake.Reason // of the quarantine; "" = set aside
	}{
		{"an unknown sender with a lead is quarantined", "x@stranger.example", intake.StrengthVerified, acme(), intake.ReasonUnknownPartner},
		{"an unknown sender without a lead is set aside", "x@stranger.example", intake.StrengthVerified, nil, ""},
		{"a partner's address without proof is quarantined", "ana@alpha.example", intake.StrengthUnverified, acme(), intake.ReasonUnverified},
		{"a partner's address without proof or strength is quarantined", "ana@alpha.example", "", acme(), intake.ReasonUnverified},
		{"a sub-domain of a partner is not the partner", "ana@mail.alpha.example", intake.StrengthVerified, acme(), intake.ReasonUnknownPartner},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				s := w.submission(c.from, c.lead)
				s.Sender.Strength = c.strength
				receipt := w.accept(s)
				w.pass(time.Second)
				if c.reason == "" {
					if receipt.Case != "" || receipt.Aside == "" {
						w.Errorf("receipt %+v, want it set aside", receipt)
					}
				} else if r := w.wantStatus(receipt.Case, intake.StatusQuarantined); r.Reason != c.reason || r.Partner != "" {
					w.Errorf("reason %s, partner %q", r.Reason, r.Partner)
				}
				w.wantMessages()
				if w.crm.pushes != 0 {
					w.Error("it was pushed to the CRM")
				}

				// and it stands in nobody's way
				other := w.submit("tom@beta.example", acme())
				w.wantStatus(other.Case, intake.StatusProvisional)
			})
		})
	}
}

func TestStaffNameThePartnerOfAQuarantinedCase(t *testing.T) {
	inWorld(t, func(w *world) {
		receipt := w.submit("x@stranger.example", acme())
		_, err := w.gateway.Assign(w.Context(), receipt.Case, "nobody", intake.Verdict{By: "mia"})
		var input *intake.ErrInput
		if !errors.As(err, &input) {
			w.Errorf("an unknown partner gives %v", err)
		}
		if _, err := w.gateway.Assign(w.Context(), receipt.Case, "alpha", intake.Verdict{By: "mia"}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		r := w.wantStatus(receipt.Case, intake.StatusProvisional)
		if r.Partner != "alpha" || r.Strength != intake.StrengthOperator {
			w.Errorf("partner %q, strength %s", r.Partner, r.Strength)
		}
		w.wantMessages(intake.MessageApproved)
	})
}

func TestSettingAsideTwiceKeepsOne(t *testing.T) {
	inWorld(t, func(w *world) {
		a := intake.Aside{Key: "k", Channel: "email", Reason: intake.AsideRobot, From: "robot@x.example", Subject: "away\r\nBcc: y@x.example", ReceivedAt: time.Now()}
		first, err := w.gateway.SetAside(w.Context(), a)
		if err != nil {
			w.Fatal(err)
		}
		again, err := w.gateway.SetAside(w.Context(), a)
		if err != nil || again.Aside != first.Aside || !again.Known {
			w.Errorf("%+v then %+v, %v", first, again, err)
		}
		list, err := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Subject != "away Bcc: y@x.example" {
			w.Errorf("set aside: %+v, %v", list, err)
		}
	})
}

func TestPayloadsAreKeptWhole(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, size := range []int{0, 1, 512<<10 - 1, 512 << 10, 512<<10 + 1, 1_500_000} {
			body := bytes.Repeat([]byte("leadgate"), size/8+1)[:size]
			raw, err := w.gateway.Keep(w.Context(), notSeekable{bytes.NewReader(body)})
			if err != nil {
				w.Fatal(err)
			}
			seekable, err := w.gateway.Keep(w.Context(), bytes.NewReader(body))
			if err != nil || seekable != raw || raw.Size != int64(size) {
				w.Errorf("size %d: %+v and %+v, %v", size, raw, seekable, err)
			}
			var back bytes.Buffer
			if err := w.gateway.Raw(w.Context(), raw, &back); err != nil || !bytes.Equal(back.Bytes(), body) {
				w.Errorf("size %d does not come back: %v", size, err)
			}
		}
		damaged := intake.Raw{SHA256: strings.Repeat("0", 64), Size: 3}
		if err := w.gateway.Raw(w.Context(), damaged, &bytes.Buffer{}); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("a payload that is not there gives %v", err)
		}
	})
}

func TestAReplyCorrectsWhatWasUnderstood(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", acme())
		reply := w.submission("ana@alpha.example", intake.Lead{
			intake.FieldContactRole: "CFO", intake.FieldCompanyDomain: "acme.example",
		})
		reply.Case = first.Case
		w.accept(reply)
		w.pass(time.Second)
		r := w.wantStatus(first.Case, intake.StatusProvisional)
		if r.Lead[intake.FieldContactRole] != "CFO" || w.crm.records[first.Case].Lead[intake.FieldContactRole] != "CFO" {
			w.Errorf("role %q here, %q in the CRM", r.Lead[intake.FieldContactRole], w.crm.records[first.Case].Lead[intake.FieldContactRole])
		}
		m := w.wantMessages(intake.MessageApproved, intake.MessageChanged)[1]
		if !slices.Equal(m.Changed, []intake.Field{intake.FieldContactRole}) {
			w.Errorf("told that %v changed", m.Changed)
		}
	})
}

func TestAQuestionThatIsNotAnsweredInTimeClosesTheCase(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", without(acme(), intake.FieldConsent))
		due := w.wantStatus(first.Case, intake.StatusNeedsInfo).AnswerDue
		w.pass(time.Until(due) - time.Second)
		w.wantStatus(first.Case, intake.StatusNeedsInfo)
		w.pass(2 * time.Second)
		w.wantStatus(first.Case, intake.StatusWithdrawn)
		m := w.wantMessages(intake.MessageNeedsInfo, intake.MessageAnswerReminder, intake.MessageAnswerReminder, intake.MessageClosed)[3]
		if !m.Unprompted {
			w.Error("the message passes for an answer to a mail")
		}
	})
}
