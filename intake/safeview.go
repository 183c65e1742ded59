package intake

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// SafeView is all that the bearer of a status link learns of a case. Adding a field here is a
// decision about disclosure. Every field is there in JSON, with null for a time that is none.
type SafeView struct {
	Case string `json:"case_number"`
	// Company is the prospect as its partner typed it.
	Company string      `json:"company"`
	Stage   PublicStage `json:"stage"`
	// Owner is the vendor's person whom the partner can ask.
	Owner      string          `json:"owner"`
	Protection ProtectionState `json:"protection_status"`
	// Until is the end of protection, nil if there is none or no end is set.
	Until *time.Time `json:"protection_end"`
	Next  NextStep   `json:"next_step"`
	// Due is until when the next step has to be taken, by whoever it is up to.
	Due *time.Time `json:"due"`
	// Deal is what the vendor's sales say of it, nil for nothing.
	Deal *DealFacts `json:"deal"`
}

// PublicStage is a Status as partners see it: a key for words.
type PublicStage string

// stages are the stages by status. That a hold is a provisional one is told by its protection.
var stages = map[Status]PublicStage{
	StatusQuarantined: "received",
	StatusSubmitted:   "pending",
	StatusNeedsInfo:   "waiting_for_you",
	StatusInReview:    "in_review",
	StatusProvisional: "approved",
	StatusProtected:   "approved",
	StatusLocked:      "approved",
	StatusDeclined:    "declined",
	StatusWaitlisted:  "waitlisted",
	StatusExpired:     "expired",
	StatusWon:         "won",
	StatusLost:        "closed",
	StatusAppeal:      "appeal",
	StatusWithdrawn:   "withdrawn",
	StatusMerged:      "merged",
}

// Stage is what partners see of a status; "" if they see nothing.
func (s Status) Stage() PublicStage { return stages[s] }

// PublicStages is the full set, in the order of Statuses.
func PublicStages() []PublicStage {
	var all []PublicStage
	seen := make(map[PublicStage]bool)
	for _, s := range Statuses() {
		if stage := stages[s]; stage != "" && !seen[stage] {
			seen[stage] = true
			all = append(all, stage)
		}
	}
	return all
}

// ProtectionState says whether the account is held for the partner.
type ProtectionState string

// The states of a protection.
const (
	ProtectionNone        ProtectionState = "none"
	ProtectionProvisional ProtectionState = "provisional" // until a next step is shown
	ProtectionFull        ProtectionState = "protected"
	ProtectionLocked      ProtectionState = "locked" // a meeting was held, no end for now
	ProtectionEnded       ProtectionState = "ended"
)

// ProtectionStates is the full set.
func ProtectionStates() []ProtectionState {
	return []ProtectionState{ProtectionNone, ProtectionProvisional, ProtectionFull, ProtectionLocked, ProtectionEnded}
}

// NextStep says what comes next: a key for words.
type NextStep string

// The next steps.
const (
	NextConfirm  NextStep = "confirm"        // the partner confirms that he wrote
	NextDecision NextStep = "decision"       // the vendor decides
	NextAnswer   NextStep = "answer"         // the partner answers
	NextShow     NextStep = "show_next_step" // the partner shows a next step with the prospect
	NextMeeting  NextStep = "meeting"        // the first meeting is held
	NextDeal     NextStep = "deal"           // the deal is worked on
	NextTurn     NextStep = "turn"           // the account becomes free
	NextAppeal   NextStep = "appeal"         // the partner can contest the decision
	NextPlan     NextStep = "appeal_plan"    // the vendor decides on the appeal
	NextNothing  NextStep = "nothing"
)

// NextSteps is the full set.
func NextSteps() []NextStep {
	return []NextStep{
		NextConfirm, NextDecision, NextAnswer, NextShow, NextMeeting, NextDeal, NextTurn,
		NextAppeal, NextPlan, NextNothing,
	}
}

// StatusByLink is what a partner's link shows. The error is ErrLinkInvalid (also for a case
// that is not there or was erased, and for a link of staff), ErrLinkExpired or ErrLinkRevoked.
func (g *Gateway) StatusByLink(ctx context.Context, token string) (v SafeView, err error) {
	grant, err := g.readLink(token, "")
	if err != nil {
		return SafeView{}, err
	}
	if grant.Act != "" {
		return SafeView{}, ErrLinkInvalid
	}
	err = g.store.View(ctx, func(tx Tx) error {
		r, err := tx.Case(grant.Case)
		if errors.Is(err, ErrNotFound) || err == nil && r.Status == StatusErased {
			return ErrLinkInvalid
		}
		if err != nil {
			return err
		}
		if grant.Links != r.Links {
			return ErrLinkRevoked
		}
		p, err := partner(tx, r.Partner)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		v = g.safeView(&r, p)
		return nil
	})
	return v, err
}

func (g *Gateway) safeView(r *Registration, p Partner) SafeView {
	contact := g.policy.Contact()
	v := SafeView{
		Case: r.Number, Stage: stages[r.Status], Protection: ProtectionNone,
		Company: cmp.Or(r.Lead[FieldCompanyName], r.Lead[FieldCompanyDomain]),
		Owner:   cmp.Or(p.Manager.Name, p.Manager.Email, contact.Name, contact.Email),
	}
	switch r.Status {
	case StatusProvisional:
		v.Protection, v.Until = ProtectionProvisional, instant(r.Protection.End)
	case StatusProtected:
		v.Protection, v.Until = ProtectionFull, instant(r.Protection.End)
	case StatusLocked:
		v.Protection = ProtectionLocked
	case StatusExpired:
		v.Protection, v.Until = ProtectionEnded, instant(r.Protection.End)
	}
	var due time.Time
	v.Next, due = g.next(r, p)
	v.Due = instant(due)
	if d := r.dealFacts(); d != (DealFacts{}) {
		v.Deal = &d
	}
	return v
}

// next returns what comes next, and until when.
func (g *Gateway) next(r *Registration, p Partner) (NextStep, time.Time) {
	switch r.Status {
	case StatusQuarantined:
		if !r.ConfirmBy.IsZero() && !r.Confirmed {
			return NextConfirm, r.ConfirmBy
		}
		return NextDecision, time.Time{}
	case StatusSubmitted, StatusInReview:
		return NextDecision, r.DecisionDue
	case StatusNeedsInfo:
		return NextAnswer, r.AnswerDue
	case StatusProvisional:
		return NextShow, r.Protection.End
	case StatusProtected:
		return NextMeeting, r.Protection.End
	case StatusLocked:
		return NextDeal, time.Time{}
	case StatusWaitlisted:
		return NextTurn, r.Turn
	case StatusAppeal:
		return NextPlan, r.Appeal.Plan
	case StatusDeclined, StatusExpired:
		within := g.policy.Terms(p).Appeal.Within
		by := g.policy.End(r.Since, within)
		if within != (Span{}) && r.Appeal.Opened.IsZero() && g.now().Before(by) {
			return NextAppeal, by
		}
	}
	return NextNothing, time.Time{}
}

// instant is nil for no time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
