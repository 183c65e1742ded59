package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

func confirming(s *rules.Spec) { s.ConfirmUnproven = true }

// forged is a mail that claims to come from an address and can't prove it.
func (w *world) forged(from string, l intake.Lead) intake.Submission {
	s := w.submission(from, l)
	s.Sender.Strength = intake.StrengthUnverified
	return s
}

func TestAnUnprovenPartnerConfirmsByAnAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		sent := w.forged("ana@alpha.example", acme())
		r := w.accept(sent)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusQuarantined)
		m := w.wantMessages(intake.MessageConfirm)[0]
		if m.Facts.Company != "" || len(m.Facts.Fields) != 0 || m.To.Address != "ana@alpha.example" {
			w.Errorf("the question tells %+v", m)
		}
		w.pass(time.Hour)
		yes := w.forged("ana@alpha.example", nil)
		yes.Case, yes.Text = r.Case, "yes"
		w.accept(yes)
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusProvisional)
		if got.Partner != "alpha" || got.Strength != intake.StrengthVerified || !got.Claim.Equal(sent.ReceivedAt.UTC().Truncate(time.Microsecond)) {
			w.Errorf("case %+v", got)
		}
		w.wantMessages(intake.MessageConfirm, intake.MessageApproved)

		thanks := w.forged("ana@alpha.example", nil) // the thread stays open to the same address
		thanks.Case, thanks.Text = r.Case, "thanks!"
		if again := w.accept(thanks); again.Case != r.Case {
			w.Errorf("receipt %+v", again)
		}
	}, confirming)
}

func TestNobodyElseConfirms(t *testing.T) {
	for name, tt := range map[string]struct {
		from  string
		token bool
		after time.Duration
	}{
		"another address with the token":   {from: "bob@alpha.example", token: true},
		"the address without the token":    {from: "ana@alpha.example"},
		"the address with the token, late": {from: "ana@alpha.example", token: true, after: 80 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.accept(w.forged("ana@alpha.example", acme()))
				w.pass(tt.after)
				s := w.forged(tt.from, nil)
				s.Text = "yes"
				if s.CaseHint = r.Case; tt.token {
					s.Case = r.Case
				}
				w.accept(s)
				w.pass(time.Second)
				w.wantStatus(r.Case, intake.StatusQuarantined)
				w.wantMessages(intake.MessageConfirm)
			}, confirming)
		})
	}
}

func TestConfirmationIsAskedOnlyOfPartnersAndOnceAWeek(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accept(w.forged("x@stranger.example", acme()))
		elsewhere := w.forged("ana@alpha.example", acme())
		elsewhere.Reply.Address = "eve@evil.example"
		w.accept(elsewhere)
		for range 5 {
			w.accept(w.forged("ana@alpha.example", acme()))
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageConfirm)
	}, confirming)
	inWorld(t, func(w *world) {
		w.accept(w.forged("ana@alpha.example", acme()))
		w.pass(time.Second)
		w.wantMessages() // the policy does not say so
	})
}
