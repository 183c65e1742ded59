package intake_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/intake"
)

func lead(name, domain, mail string) intake.Lead {
	l := acme()
	l[intake.FieldCompanyName], l[intake.FieldContactEmail] = name, mail
	if domain == "" {
		delete(l, intake.FieldCompanyDomain)
	} else {
		l[intake.FieldCompanyDomain] = domain
	}
	return l
}

func (w *world) morePartners() {
	for _, id := range []string{"gamma", "delta"} {
		if err := w.gateway.PutPartners(w.Context(), []intake.Partner{{ID: id, Name: id, Status: intake.PartnerActive, Motion: "referral", Domains: []string{id + ".example"}}}); err != nil {
			w.Fatal(err)
		}
	}
}

func TestAFloodOfUnprovenClaimsHidesNobodysHold(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := 0; i < 500; i++ {
			s := w.submission(fmt.Sprintf("x%d@evil.example", i), acme())
			s.Sender.Strength = intake.StrengthUnverified
			w.accept(s)
		}
		w.pass(time.Second)
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", acme())
		w.pass(time.Minute)
		ra, rb := w.story(a.Case).Registration, w.story(b.Case).Registration
		if ra.Status.Holds() && rb.Status.Holds() {
			t.Errorf("TWO HOLDERS: %s %s", ra.Partner, rb.Partner)
		}
	})
}

func TestAFloodOfUnprovenNamesHidesNoSimilarAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := 0; i < 21; i++ {
			s := w.submission(fmt.Sprintf("x%d@evil.example", i), lead("Acme GmbH", fmt.Sprintf("d%d.example", i), fmt.Sprintf("q@d%d.example", i)))
			s.Sender.Strength = intake.StrengthUnverified
			w.accept(s)
		}
		w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", lead("Acme GmbH", "acme-group.example", "j@acme-group.example"))
		if r := w.story(b.Case).Registration; r.Status != intake.StatusInReview {
			t.Errorf("similar account not seen: %s", r.Status)
		}
	})
}

func TestACaseWithoutADomainIsNotApproved(t *testing.T) {
	inWorld(t, func(w *world) {
		b := w.submit("tom@beta.example", lead("Acme", "", "boss@agency.example"))
		for range 3 {
			reply := w.submission("tom@beta.example", intake.Lead{intake.FieldCompanyDomain: "bad..x"})
			reply.Case = b.Case
			w.accept(reply)
			w.pass(time.Second)
		}
		w.wantStatus(b.Case, intake.StatusInReview)
		var input *intake.ErrInput
		if _, err := w.gateway.Approve(w.Context(), b.Case, intake.Verdict{By: "mia"}); !errors.As(err, &input) {
			t.Fatalf("approving it gives %v", err)
		}
		a := w.submit("ana@alpha.example", lead("Zenith Software", "acme.example", "jane@acme.example"))
		w.wantStatus(a.Case, intake.StatusProvisional)
		reply := w.submission("tom@beta.example", intake.Lead{intake.FieldCompanyDomain: "acme.example"})
		reply.Case = b.Case
		w.accept(reply)
		w.pass(time.Second)
		ra, rb := w.story(a.Case).Registration, w.story(b.Case).Registration
		if ra.Status.Holds() && rb.Status.Holds() && ra.Lead[intake.FieldCompanyDomain] == rb.Lead[intake.FieldCompanyDomain] {
			t.Error("TWO HOLDERS of acme.example")
		}
	})
}

func TestACompleteMailAfterAQuestionIsNotLost(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", without(acme(), intake.FieldCompanyDomain))
		w.wantStatus(a.Case, intake.StatusNeedsInfo)
		b := w.submit("ana@alpha.example", acme())
		w.pass(time.Second)
		w.wantStatus(b.Case, intake.StatusProvisional)
	})
}

func TestAnOlderMailThatIsAssignedLateBecomesPartOfTheHoldingCase(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		s.Sender.Strength = intake.StrengthUnverified
		q := w.accept(s)
		w.pass(time.Hour)
		a := w.submit("ana@alpha.example", acme())
		w.wantStatus(a.Case, intake.StatusProvisional)
		if _, err := w.gateway.Assign(w.Context(), q.Case, "alpha", intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.pass(24 * time.Hour)
		if r := w.story(q.Case).Registration; r.Status == intake.StatusSubmitted {
			t.Errorf("stuck in submitted: %+v", w.story(q.Case).Tasks)
		}
	})
}

func TestAnOldQuestionAnsweredLateBecomesPartOfTheHoldingCase(t *testing.T) {
	inWorld(t, func(w *world) {
		q := w.submit("ana@alpha.example", lead("Acme", "", "other@agency.example"))
		w.wantStatus(q.Case, intake.StatusNeedsInfo)
		w.pass(time.Hour)
		a := w.submit("bob@alpha.example", acme())
		w.wantStatus(a.Case, intake.StatusProvisional)
		reply := w.submission("ana@alpha.example", intake.Lead{intake.FieldCompanyDomain: "acme.example"})
		reply.Case = q.Case
		w.accept(reply)
		w.pass(24 * time.Hour)
		if r := w.story(q.Case).Registration; r.Status == intake.StatusSubmitted {
			t.Errorf("stuck in submitted: %+v", w.story(q.Case).Tasks)
		}
	})
}

func TestTheWaitingListGoesOnAfterARefusalAndIsNotOvertaken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.morePartners()
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", acme())
		c := w.submit("x@gamma.example", acme())
		w.crm.set(func() {
			w.crm.lookup = func(intake.Lead) ([]intake.Match, error) {
				return []intake.Match{{CRM: "fake", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "7"}}}, nil
			}
		})
		w.revoke(a.Case)
		w.pass(time.Minute)
		w.wantStatus(b.Case, intake.StatusInReview)
		w.crm.set(func() { w.crm.lookup = nil })
		if _, err := w.gateway.Decline(w.Context(), b.Case, intake.Verdict{By: "mia", Rationale: "declined for a reason"}); err != nil {
			t.Fatal(err)
		}
		d := w.accept(w.submission("y@delta.example", acme()))
		w.pass(time.Minute)
		w.wantStatus(c.Case, intake.StatusProvisional)
		w.wantStatus(d.Case, intake.StatusWaitlisted)
	})
}

func TestNobodyWaitsForAnAccountThatIsNotNamed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", without(acme(), intake.FieldCompanyDomain))
		w.pass(60 * 24 * time.Hour)
		if w.story(b.Case).Registration.Status == intake.StatusWaitlisted {
			t.Error("stuck on the waiting list of nobody")
		}
	})
}

func TestAConsultantsOtherClientIsAnotherCase(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", lead("Acme GmbH", "acme.example", "pat@consultant.example"))
		b := w.submit("ana@alpha.example", lead("Zeta Bank", "", "pat@consultant.example"))
		w.pass(time.Second)
		if r := w.story(b.Case).Registration; r.Status == intake.StatusMerged {
			t.Error("Zeta Bank was merged into Acme")
		}
	})
}

func TestAForgedCopyThatComesFirstDoesNotSwallowTheGenuineMail(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		s.Content, s.Deliberate = "c1", true
		s.Sender.Strength = intake.StrengthUnverified
		w.accept(s)
		w.pass(time.Second)
		p := w.submission("ana@alpha.example", acme())
		p.Content, p.Deliberate = "c1", true
		w.accept(p)
		w.pass(time.Hour)
		if len(w.channel.messages()) == 0 {
			t.Error("the proven mail is swallowed: no case, no answer")
		}
		o := w.submit("tom@beta.example", acme())
		w.pass(time.Minute)
		if w.story(o.Case).Registration.Status.Holds() {
			t.Error("the rival got the account although the partner's proven claim is older")
		}
	})
}

func TestTheCRMIsAskedAboutTheLeadThatIsDecided(t *testing.T) {
	inWorld(t, func(w *world) {
		q := w.submit("ana@alpha.example", lead("Acme", "", "other@agency.example"))
		release := make(chan struct{})
		var first atomic.Bool
		first.Store(true)
		w.crm.set(func() {
			w.crm.lookup = func(l intake.Lead) ([]intake.Match, error) {
				if first.Swap(false) {
					<-release
				}
				if l[intake.FieldCompanyDomain] == "acme.example" {
					return []intake.Match{{CRM: "fake", Kind: intake.MatchCustomer}}, nil
				}
				return nil, nil
			}
		})
		r1 := w.submission("ana@alpha.example", intake.Lead{intake.FieldContactRole: "CFO"})
		r1.Case = q.Case
		w.accept(r1)
		w.pass(time.Second)
		r2 := w.submission("ana@alpha.example", intake.Lead{intake.FieldCompanyDomain: "acme.example"})
		r2.Case = q.Case
		w.accept(r2)
		close(release)
		w.pass(time.Minute)
		if w.story(q.Case).Registration.Status.Holds() {
			t.Error("approved an existing customer: CRM was asked about another lead")
		}
	})
}

func TestWaitingForARivalAsksTheCRMRarely(t *testing.T) {
	inWorld(t, func(w *world) {
		n := 0
		w.crm.set(func() {
			w.crm.lookup = func(l intake.Lead) ([]intake.Match, error) {
				n++
				if l[intake.FieldContactRole] == "boom" {
					panic("x")
				}
				return nil, nil
			}
		})
		l := acme()
		l[intake.FieldContactRole] = "boom"
		w.submit("ana@alpha.example", l)
		w.submit("tom@beta.example", acme())
		w.pass(10 * time.Minute)
		if n > 40 {
			t.Errorf("the CRM was asked %d times in ten minutes", n)
		}
	})
}
