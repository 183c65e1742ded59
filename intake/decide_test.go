package intake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

func TestACompetitorComesOntoTheWaitingListAndLearnsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		lead := acme()
		lead[intake.FieldCompanyName], lead[intake.FieldContactEmail] = "ACME", "max@acme.example"
		lead[intake.FieldContactName] = "Max Weber"
		second := w.submit("tom@beta.example", lead)
		w.wantStatus(second.Case, intake.StatusWaitlisted)
		m := w.wantMessages(intake.MessageApproved, intake.MessageWaitlisted)[1]
		b, err := json.Marshal(m)
		if err != nil {
			w.Fatal(err)
		}
		for _, secret := range []string{"alpha", "Alpha", "ana@", "Jane", "jane@", "Acme GmbH", "Jo", w.cases()[1].Number} {
			if strings.Contains(string(b), secret) {
				w.Errorf("the competitor's message holds %q: %s", secret, b)
			}
		}
	})
}

// The older claim wins even if its check comes last, as when the younger one's is quicker.
func TestTheYoungerClaimWaitsForTheOlderOne(t *testing.T) {
	inWorld(t, func(w *world) {
		release := make(chan struct{})
		first := true
		w.crm.set(func() {
			w.crm.lookup = func(intake.Lead) ([]intake.Match, error) {
				if first {
					first = false
					<-release
				}
				return nil, nil
			}
		})
		older := w.accept(w.submission("ana@alpha.example", acme()))
		synctest.Wait() // now its look-up hangs
		younger := w.accept(w.submission("tom@beta.example", acme()))
		w.pass(time.Second)
		w.wantStatus(younger.Case, intake.StatusSubmitted)
		close(release)
		w.pass(time.Second)
		w.wantStatus(older.Case, intake.StatusProvisional)
		w.wantStatus(younger.Case, intake.StatusWaitlisted)
	})
}

func TestAnOlderClaimThatComesLateIsForAPerson(t *testing.T) {
	inWorld(t, func(w *world) {
		w.pass(time.Hour)
		holder := w.submit("tom@beta.example", acme())
		late := w.submission("ana@alpha.example", acme())
		late.ReceivedAt = late.ReceivedAt.Add(-5 * time.Minute)
		receipt := w.accept(late)
		w.pass(time.Second)
		w.wantStatus(holder.Case, intake.StatusProvisional)
		if r := w.wantStatus(receipt.Case, intake.StatusInReview); r.Reason != intake.ReasonContested || r.Advice != intake.OutcomeReview {
			w.Errorf("reason %s, advice %s", r.Reason, r.Advice)
		}
		_, err := w.gateway.Approve(w.Context(), receipt.Case, intake.Verdict{By: "mia"})
		var input *intake.ErrInput
		if !errors.As(err, &input) {
			w.Errorf("approving a contested claim without a rationale gives %v", err)
		}
		_, err = w.gateway.Approve(w.Context(), receipt.Case, intake.Verdict{By: "mia", Rationale: "It was there first."})
		var held *intake.HeldError
		if !errors.As(err, &held) || held.Holder != holder.Case {
			w.Errorf("approving it too gives %v", err)
		}
	})
}

func TestVerdicts(t *testing.T) {
	lead := func(change func(intake.Lead)) intake.Lead {
		l := acme()
		change(l)
		return l
	}
	for _, c := range []struct {
		name   string
		from   string
		lead   intake.Lead
		match  []intake.Match
		status intake.Status
		reason intake.Reason
		option option
	}{
		{name: "a clean one is approved", lead: acme(), status: intake.StatusProvisional},
		{name: "a clean one waits for a person in assist mode", lead: acme(), status: intake.StatusInReview, option: assist},
		{name: "a role is needed where the policy says full", lead: without(acme(), intake.FieldContactRole), status: intake.StatusNeedsInfo, reason: intake.ReasonMissingField, option: full},
		{name: "a blocked account is declined", lead: lead(func(l intake.Lead) { l[intake.FieldCompanyDomain] = "shop.blocked.example" }), status: intake.StatusDeclined, reason: intake.ReasonBlocked},
		{name: "a partner that has left is declined", from: "x@gone.example", lead: acme(), status: intake.StatusDeclined, reason: intake.ReasonPartnerInactive},
		{name: "the vendor is not the prospect", lead: lead(func(l intake.Lead) { l[intake.FieldCompanyDomain] = "vendor.example" }), status: intake.StatusNeedsInfo, reason: intake.ReasonMissingField},
		{name: "the partner is not the contact", lead: lead(func(l intake.Lead) { l[intake.FieldContactEmail] = "ana@alpha.example" }), status: intake.StatusNeedsInfo, reason: intake.ReasonMissingField},
		{name: "a mail provider is no company", lead: lead(func(l intake.Lead) { l[intake.FieldCompanyDomain] = "gmail.com" }), status: intake.StatusNeedsInfo, reason: intake.ReasonMissingField},
		{name: "consent refused is asked for", lead: lead(func(l intake.Lead) { l[intake.FieldConsent] = intake.ConsentNo }), status: intake.StatusNeedsInfo, reason: intake.ReasonConsentRequired},
		{name: "a contact elsewhere is noted and approved", lead: lead(func(l intake.Lead) { l[intake.FieldContactEmail] = "jane@agency.example" }), status: intake.StatusProvisional},
		{name: "an open deal of direct sales is for a person", lead: acme(), match: []intake.Match{{CRM: "fake", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "77"}}}, status: intake.StatusInReview, reason: intake.ReasonExistingDeal},
		{name: "the partner's own deal is no obstacle", lead: acme(), match: []intake.Match{{CRM: "fake", Kind: intake.MatchOpenDeal, Partner: "alpha"}}, status: intake.StatusProvisional},
		{name: "a customer is for a person", lead: acme(), match: []intake.Match{{CRM: "fake", Kind: intake.MatchCustomer}}, status: intake.StatusInReview, reason: intake.ReasonExistingCustomer},
		{name: "a look-alike domain is for a person", lead: lead(func(l intake.Lead) { l[intake.FieldCompanyDomain] = "аcme.com" }), status: intake.StatusInReview, reason: intake.ReasonHomograph},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := []option{}
			if c.option != nil {
				options = append(options, c.option)
			}
			inWorld(t, func(w *world) {
				w.crm.set(func() { w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return c.match, nil } })
				from := c.from
				if from == "" {
					from = "ana@alpha.example"
				}
				receipt := w.submit(from, c.lead)
				if r := w.wantStatus(receipt.Case, c.status); r.Reason != c.reason {
					w.Errorf("reason %q, want %q; findings %+v", r.Reason, c.reason, r.Findings)
				}
				if n := len(w.channel.messages()); n != 1 {
					w.Errorf("%d messages, want 1", n)
				}
			}, options...)
		})
	}
}

func TestASimilarNameUnderAnotherDomainIsForAPerson(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		lead := acme()
		lead[intake.FieldCompanyDomain], lead[intake.FieldContactEmail] = "acme-group.example", "j@acme-group.example"
		second := w.submit("tom@beta.example", lead)
		if r := w.wantStatus(second.Case, intake.StatusInReview); r.Reason != intake.ReasonSimilarAccount {
			w.Errorf("reason %s", r.Reason)
		}
	})
}

func TestACRMThatIsDownDelaysNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.crm.set(func() {
			w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return nil, errDown }
			w.crm.push = func(intake.Record) error { return errDown }
		})
		receipt := w.submit("ana@alpha.example", acme())
		r := w.wantStatus(receipt.Case, intake.StatusInReview)
		if r.Reason != intake.ReasonCRMUnverified {
			w.Errorf("reason %s", r.Reason)
		}
		w.wantMessages(intake.MessageReceived)
		w.pass(6 * time.Hour)
		w.wantStatus(receipt.Case, intake.StatusInReview)
		if w.crm.pushes > 6*60+8 {
			w.Errorf("%d pushes in 6 hours of outage, want one a minute at most", w.crm.pushes)
		}
		w.crm.set(func() { w.crm.lookup, w.crm.push = nil, nil })
		w.pass(2 * time.Hour)
		w.wantStatus(receipt.Case, intake.StatusProvisional)
		w.wantMessages(intake.MessageReceived, intake.MessageApproved)
		if got := w.crm.records[receipt.Case].Status; got != intake.StatusProvisional {
			w.Errorf("the CRM has %q", got)
		}
		for note, n := range w.crm.notes {
			if n != 1 {
				w.Errorf("note %s was made %d times", note, n)
			}
		}
	})
}

func TestAnAnswerIsRetriedAsTheSameMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		var tried []intake.Message
		w.channel.fail = func(m intake.Message) error {
			tried = append(tried, m)
			if len(tried) < 4 {
				return errDown
			}
			return nil
		}
		w.submit("ana@alpha.example", acme())
		w.pass(time.Hour)
		w.wantMessages(intake.MessageApproved)
		if len(tried) != 4 {
			w.Fatalf("%d attempts, want 4", len(tried))
		}
		first, _ := json.Marshal(tried[0])
		last, _ := json.Marshal(tried[3])
		if string(first) != string(last) {
			w.Errorf("the message changed between attempts:\n%s\n%s", first, last)
		}
	})
}

func TestAnAnswerThatCannotBeDeliveredIsGivenUpAndShown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.channel.fail = func(intake.Message) error { return intake.Permanent(errors.New("no such mailbox")) }
		receipt := w.submit("ana@alpha.example", acme())
		d := w.story(receipt.Case)
		parked := slices.ContainsFunc(d.Tasks, func(t intake.Task) bool {
			return t.Lane == intake.LaneNotify && t.Parked && strings.Contains(t.Cause, "no such mailbox")
		})
		noted := slices.ContainsFunc(d.Events, func(e intake.Event) bool { return e.Kind == intake.EventUndelivered })
		if !parked || !noted {
			w.Errorf("parked %v, noted %v: %+v", parked, noted, d.Tasks)
		}
		if w.crm.records[receipt.Case].Number == "" {
			w.Error("the CRM did not get the case")
		}
	})
}

func TestAPanicOfAnAdapterHurtsOnlyItsTask(t *testing.T) {
	inWorld(t, func(w *world) {
		w.crm.set(func() {
			w.crm.push = func(r intake.Record) error {
				if r.Registration.Lead[intake.FieldCompanyDomain] == "acme.example" {
					panic("broken adapter")
				}
				return nil
			}
		})
		bad := w.submit("ana@alpha.example", acme())
		lead := acme()
		lead[intake.FieldCompanyDomain], lead[intake.FieldCompanyName], lead[intake.FieldContactEmail] = "other.example", "Other", "o@other.example"
		good := w.submit("ana@alpha.example", lead)
		w.pass(24 * time.Hour)
		if w.crm.records[good.Case].Number == "" {
			w.Error("the other case did not get through")
		}
		tasks := w.story(bad.Case).Tasks
		if !slices.ContainsFunc(tasks, func(t intake.Task) bool { return t.Parked }) {
			w.Errorf("the task goes on for ever: %+v", tasks)
		}
	})
}

func TestStaffDecide(t *testing.T) {
	inWorld(t, func(w *world) {
		by := intake.Verdict{By: "mia"}
		receipt := w.submit("ana@alpha.example", acme())
		w.wantStatus(receipt.Case, intake.StatusInReview)

		_, err := w.gateway.Decline(w.Context(), receipt.Case, by)
		var input *intake.ErrInput
		if !errors.As(err, &input) {
			w.Errorf("a refusal without a rationale gives %v", err)
		}
		if _, err := w.gateway.Approve(w.Context(), receipt.Case, intake.Verdict{}); !errors.As(err, &input) {
			w.Errorf("a decision by nobody gives %v", err)
		}
		if _, err := w.gateway.Approve(w.Context(), "LG-2026-000000-0", by); err == nil {
			w.Error("a case that does not exist was approved")
		}

		question := intake.Verdict{By: "mia", Message: "Which plant is it about?"}
		if _, err := w.gateway.Ask(w.Context(), receipt.Case, question); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.wantStatus(receipt.Case, intake.StatusNeedsInfo)
		reply := w.submission("ana@alpha.example", nil)
		reply.Case, reply.Text = receipt.Case, "The one in Ghent."
		w.accept(reply)
		w.pass(time.Second)
		w.wantStatus(receipt.Case, intake.StatusInReview)
		if got := w.story(receipt.Case).Submissions[1].Text; got != "The one in Ghent." {
			w.Errorf("staff read %q", got)
		}

		if _, err := w.gateway.Approve(w.Context(), receipt.Case, intake.Verdict{By: "mia", Message: "Good luck!"}); err != nil {
			w.Fatal(err)
		}
		_, err = w.gateway.Approve(w.Context(), receipt.Case, by)
		var illegal *intake.IllegalTransition
		if !errors.As(err, &illegal) {
			w.Errorf("approving twice gives %v", err)
		}
		if _, err := w.gateway.Decline(w.Context(), receipt.Case, intake.Verdict{By: "mia", Rationale: "The customer objected."}); err == nil || !strings.Contains(err.Error(), "revoked, by two persons") {
			w.Errorf("declining a hold gives %v", err)
		}
		w.revoke(receipt.Case)
		got := w.wantMessages(intake.MessageReceived, intake.MessageNeedsInfo, intake.MessageCompleted, intake.MessageApproved, intake.MessageRevoked)
		if got[1].Facts.Question != question.Message || got[3].Facts.Note != "Good luck!" {
			w.Errorf("question %q, note %q", got[1].Facts.Question, got[3].Facts.Note)
		}
		for _, m := range got {
			b, _ := json.Marshal(m)
			if strings.Contains(string(b), "objected") {
				w.Error("the rationale reached the partner")
			}
		}
	}, assist)
}

func TestTheWaitingListMovesUp(t *testing.T) {
	free := map[string]func(*world, string){
		"when the hold expires": func(w *world, _ string) { w.pass(15 * 24 * time.Hour) },
		"when staff revoke the hold": func(w *world, holder string) {
			w.revoke(holder)
		},
	}
	for name, end := range free {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				holder := w.submit("ana@alpha.example", acme())
				next := w.submit("tom@beta.example", acme())
				w.wantStatus(next.Case, intake.StatusWaitlisted)
				end(w, holder.Case)
				if r := w.story(holder.Case).Registration; r.Status.Live() {
					w.Errorf("the holder is %s", r.Status)
				}
				w.wantStatus(next.Case, intake.StatusProvisional)
			})
		})
	}
}

func TestAHoldEndsWithItsLastDayInTheProgrammesZone(t *testing.T) {
	inWorld(t, func(w *world) { // the bubble's clock begins at 2000-01-01 00:00 UTC, 01:00 in Brussels
		receipt := w.submit("ana@alpha.example", acme())
		end := w.story(receipt.Case).Registration.Protection.End
		zone, err := time.LoadLocation("Europe/Brussels")
		if err != nil {
			w.Fatal(err)
		}
		if got := end.In(zone).Format("2006-01-02 15:04:05"); got != "2000-01-15 23:59:59" {
			w.Fatalf("held until %s", got)
		}
		w.pass(time.Until(end) - time.Millisecond)
		w.wantStatus(receipt.Case, intake.StatusProvisional)
		w.pass(2 * time.Second)
		w.wantStatus(receipt.Case, intake.StatusExpired)
	})
}

// Two partners register the same prospects at the same time. Of each pair exactly one holds
// the account in the end, and the other waits for it.
func raceForProspects(t *testing.T, w *world, prospects, atOnce int) {
	t.Helper()
	type claim struct{ from, domain string }
	claims := make(chan claim)
	done := make(chan error)
	for range atOnce {
		go func() {
			for c := range claims {
				lead := acme()
				lead[intake.FieldCompanyName], lead[intake.FieldCompanyDomain] = "Company "+c.domain, c.domain
				lead[intake.FieldContactEmail] = "boss@" + c.domain
				s := intake.Submission{
					Key: c.from + c.domain, Channel: "email", ReceivedAt: time.Now(), Lead: lead,
					Sender: intake.Sender{Address: c.from, Strength: intake.StrengthDomain},
				}
				_, err := w.gateway.Accept(t.Context(), s)
				done <- err
			}
		}()
	}
	go func() {
		for i := range prospects {
			pair := []claim{{"ana@alpha.example", fmt.Sprintf("p%d.example", i)}, {"tom@beta.example", fmt.Sprintf("p%d.example", i)}}
			if i%2 == 1 {
				slices.Reverse(pair)
			}
			claims <- pair[0]
			claims <- pair[1]
		}
		close(claims)
	}()
	for range 2 * prospects {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func checkRace(w *world, prospects int) {
	w.Helper()
	holders, waiting := make(map[string]string), 0
	won := make(map[string]int)
	for _, r := range w.cases() {
		domain := r.Lead[intake.FieldCompanyDomain]
		switch {
		case r.Status.Holds() && holders[domain] != "":
			w.Errorf("%s is held by %s and by %s", domain, holders[domain], r.Number)
		case r.Status.Holds():
			holders[domain] = r.Number
			won[r.Partner]++
		case r.Status == intake.StatusWaitlisted:
			waiting++
		default:
			w.Errorf("case %s of %s is %s (%s)", r.Number, domain, r.Status, r.Reason)
		}
	}
	if len(holders) != prospects || waiting != prospects {
		w.Errorf("%d prospects have a holder and %d cases wait, want %d of each", len(holders), waiting, prospects)
	}
	w.Logf("won: %v", won)
}

func TestTwoPartnersRaceForProspectsAndEachHasOneWinner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runWorld(t, memstore.New(), func(w *world) {
			raceForProspects(t, w, 200, 8)
			w.pass(3 * time.Minute)
			checkRace(w, 200)
		})
	})
}
