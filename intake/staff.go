package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// minRationale is how many characters a person has to give as the reason of a refusal.
const minRationale = 10

// Verdict is what a member of staff decides on a case.
type Verdict struct {
	By string // who decides
	// Reason is the code of a refusal; ReasonNotEligible if empty.
	Reason Reason
	// Rationale is for the record and never shown to partners. A refusal needs one.
	Rationale string
	// Message goes to the partner, in a question's case it is the question.
	Message string

	act StaffAct // what role it takes; empty for what every member of staff but a viewer may
}

// ErrInput is what a staff action was given that it can't work with.
type ErrInput struct{ Problem string }

func (e *ErrInput) Error() string { return e.Problem }

// Approve grants the hold; *HeldError if another case has it, *IllegalTransition if the case
// is not in a state to be approved, ErrNotFound. Against the policy's advice, or while
// another partner's claim stands against it, it needs a rationale.
func (g *Gateway) Approve(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActApprove
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		for _, f := range r.Findings {
			against := f.Outcome == OutcomeDecline || f.Outcome == OutcomeWaitlist || f.Reason == ReasonContested
			if against && utf8.RuneCountInString(v.Rationale) < minRationale {
				return &ErrInput{fmt.Sprintf("the policy found %s (%s); to approve it all the same, say why in a rationale of at least %d characters", f.Reason, f.Evidence, minRationale)}
			}
		}
		if err := c.mayPrefer(r); err != nil {
			return err
		}
		r.PartnerNote, r.Rationale = v.Message, v.Rationale
		return c.approve(r, e)
	})
}

// Amend puts what staff know in the place of what the partner wrote, and has a case that
// waited for it checked again. The account of a case that holds one can't be changed.
func (g *Gateway) Amend(ctx context.Context, number string, lead Lead, v Verdict) (Registration, error) {
	clean, problems := Clean(g.ids, lead)
	if len(problems) > 0 {
		return Registration{}, &ErrInput{fmt.Sprintf("%s: %s", problems[0].Field, problems[0].Message)}
	}
	if clean.Empty() {
		return Registration{}, &ErrInput{fmt.Sprintf("nothing to change; fields are %v", Fields())}
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if !r.Status.Live() || (r.Status.Holds() && clean[FieldCompanyDomain] != "" && clean[FieldCompanyDomain] != r.Lead[FieldCompanyDomain]) {
			return &ErrInput{fmt.Sprintf("what a case that is %s is about can't be changed", r.Status)}
		}
		if split := c.g.policy.Published().Split; r.Status.Holds() && split != "" && clean[split] != "" && clean[split] != r.Lead[split] {
			return &ErrInput{fmt.Sprintf("the case holds a part of the account by %s, which can't be changed now", split)}
		}
		was := *r
		was.Lead = r.Lead.Clone()
		changed := c.absorb(r, clean, nil, Fields()...)
		elsewhere := differ(was.Lead[FieldCompanyDomain], r.Lead[FieldCompanyDomain])
		if elsewhere {
			if err := c.claimAnew(r, c.at); err != nil {
				return err
			}
		}
		if err := c.record(r, Event{Kind: EventAmended, Actor: e.Actor, Fields: changed}); err != nil {
			return err
		}
		switch r.Status {
		case StatusNeedsInfo:
			r.Problems, r.Question = nil, ""
			c.unpause(r)
			if err := c.move(r, StatusSubmitted, e); err != nil {
				return err
			}
			return c.check(r)
		case StatusQuarantined, StatusSubmitted:
			return nil
		}
		if elsewhere || was.Scope != r.Scope {
			if err := c.judgeAnew(r, e); err != nil {
				return err
			}
			if err := c.release(&was); err != nil {
				return err
			}
		}
		return c.push(r)
	})
}

// Decline refuses a case. A hold that was granted is not declined but revoked; see Revoke.
func (g *Gateway) Decline(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActDecline
	if v.Reason == "" {
		v.Reason = ReasonNotEligible
	}
	if err := v.refuses(); err != nil {
		return Registration{}, err
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Status.Holds() {
			return &ErrInput{fmt.Sprintf("the case is %s; a hold that was granted is revoked, by two persons, or released if nothing happens", r.Status)}
		}
		r.PartnerNote, r.Rationale = v.Message, v.Rationale
		return c.decline(r, e)
	})
}

// refuses checks what a refusal has to have.
func (v Verdict) refuses() error {
	if !slices.Contains(DeclineReasons(), v.Reason) {
		return &ErrInput{fmt.Sprintf("reason %q: want one of %v", v.Reason, DeclineReasons())}
	}
	if utf8.RuneCountInString(v.Rationale) < minRationale {
		return &ErrInput{fmt.Sprintf("a refusal needs a rationale of at least %d characters; it stays with staff", minRationale)}
	}
	return nil
}

// Waitlist puts a case on the waiting list of its account.
func (g *Gateway) Waitlist(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActWaitlist
	v.Reason = ReasonProtectedByOther
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		var held *HeldError
		if err := c.mayHold(r); err == nil {
			return &ErrInput{"nobody holds the account, so there is nothing to wait for"}
		} else if !errors.As(err, &held) {
			return err
		}
		r.PartnerNote = v.Message
		return c.waitlist(r, e)
	})
}

// Ask puts a question to the partner; the case waits for the answer.
func (g *Gateway) Ask(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActAsk
	if utf8.RuneCountInString(v.Message) < minRationale {
		return Registration{}, &ErrInput{fmt.Sprintf("the question has fewer than %d characters", minRationale)}
	}
	v.Reason = ReasonQuestion
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		r.Question, r.Problems = v.Message, nil
		return c.ask(r, e)
	})
}

// Assign names the partner of a quarantined case, which vouches for its sender, and starts
// the checks. An empty partner is the one of the sender's address.
func (g *Gateway) Assign(ctx context.Context, number, partnerID string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		id := partnerID
		if id == "" {
			var err error
			if id, err = partnerOf(c, r.Contact); err != nil {
				return err
			}
			if id == "" {
				return &ErrInput{fmt.Sprintf("whose registration is it? %s is no partner's address; name the partner", r.Contact)}
			}
		}
		p, err := partner(c, id)
		if errors.Is(err, ErrNotFound) {
			return &ErrInput{fmt.Sprintf("no partner has the id %q", id)}
		}
		if err != nil {
			return err
		}
		if c.at.After(c.g.policy.End(r.Accepted, c.g.policy.Terms(p).Confirm)) {
			r.Claim = c.at // whoever vouches late does not date the claim back
		}
		r.Partner, r.Strength = p.ID, StrengthOperator
		e.Trigger = TriggerConfirm
		if err := c.move(r, StatusSubmitted, e); err != nil {
			return err
		}
		return c.check(r)
	})
}

// Dismiss ends a quarantined case that nobody vouches for. Its sender is told nothing.
func (g *Gateway) Dismiss(ctx context.Context, number string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Status != StatusQuarantined {
			return &ErrInput{fmt.Sprintf("the case is %s; only what is quarantined can be dismissed", r.Status)}
		}
		e.Reason = r.Reason // why it was in quarantine is why it ends
		return c.move(r, StatusWithdrawn, e)
	})
}

// Seen notes that a person has read what was unread of a case, and answered what was asked
// for in another way.
func (g *Gateway) Seen(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActSeen
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		return c.record(r, Event{Kind: EventSeen, Actor: e.Actor})
	})
}

// Retry takes up what was given up of a case: answers and pushes that failed for good, as it
// seemed, before what was wrong was mended. It returns how many tasks that were.
func (g *Gateway) Retry(ctx context.Context, number string) (revived int, err error) {
	canonical, ok := g.numbers.Parse(number)
	if !ok {
		return 0, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
	}
	err = g.update(ctx, func(c *change) (err error) {
		if _, err := c.Case(canonical); err != nil {
			return err
		}
		revived, err = c.takeUp(canonical, func(Lane) bool { return true })
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("case %s: %w", canonical, err)
	}
	return revived, nil
}

// takeUp takes up what was given up of a case in some lanes, and returns how many tasks that were.
func (c *change) takeUp(number string, in func(Lane) bool) (revived int, err error) {
	open, err := c.Open(number)
	if err != nil {
		return 0, err
	}
	for _, t := range open {
		if !t.Parked || !in(t.Lane) {
			continue
		}
		if err := c.Revive(t.Key, c.at); err != nil {
			return 0, err
		}
		revived++
		c.wakeAfter(t.Lane)
	}
	return revived, nil
}

func (g *Gateway) staff(ctx context.Context, number string, v Verdict, act func(*change, *Registration, Event) error) (Registration, error) {
	person, err := g.person(v.By)
	if err != nil {
		return Registration{}, err
	}
	v.By = person.Name
	canonical, ok := g.numbers.Parse(number)
	if !ok {
		return Registration{}, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
	}
	v.Message = cleanText(v.Message, FieldProblem)
	var r Registration
	err = g.update(ctx, func(c *change) (err error) {
		if r, err = c.Case(canonical); err != nil {
			return err
		}
		if !person.may(v.act, &r) {
			return &ErrInput{fmt.Sprintf("the role of %s does not permit it", person.Name)}
		}
		if r.Status == StatusAppeal && slices.Contains(r.Appeal.Deciders, "staff:"+v.By) {
			return &ErrInput{"you made the decision that is appealed; somebody else has to look at it"}
		}
		r.Unread, r.Requests = 0, nil
		return act(c, &r, Event{Trigger: TriggerStaff, Actor: "staff:" + v.By, Reason: v.Reason})
	})
	if errors.Is(err, ErrNotFound) {
		return Registration{}, fmt.Errorf("case %s: %w", canonical, err)
	}
	return r, err
}

// Cases lists cases, newest first; see Cases.ListCases.
func (g *Gateway) Cases(ctx context.Context, q CaseQuery) (cases []Registration, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		cases, err = tx.ListCases(q)
		return err
	})
	return cases, err
}

// Dossier is the whole story of a case, for staff.
type Dossier struct {
	Registration Registration `json:"registration"`
	Partner      Partner      `json:"partner"`
	Submissions  []Submission `json:"submissions"`
	Events       []Event      `json:"events"`
	// Tasks is what is still to be done.
	Tasks []Task `json:"tasks,omitempty"`
	// Chain is empty if the history is whole, else what is wrong with it.
	Chain string `json:"chain,omitempty"`
}

// Dossier returns the story of a case; ErrNotFound, *ErrInput.
func (g *Gateway) Dossier(ctx context.Context, number string) (Dossier, error) {
	canonical, ok := g.numbers.Parse(number)
	if !ok {
		return Dossier{}, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
	}
	var d Dossier
	err := g.store.View(ctx, func(tx Tx) (err error) {
		d = Dossier{}
		if d.Registration, err = tx.Case(canonical); err != nil {
			return err
		}
		if d.Partner, err = partner(tx, d.Registration.Partner); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if d.Events, err = tx.Events(canonical); err != nil {
			return err
		}
		if d.Tasks, err = tx.Open(canonical); err != nil {
			return err
		}
		for n := 1; n <= d.Registration.Submissions; n++ {
			var s Submission
			if err := getJSON(tx, spaceSubmission, submissionKey(&d.Registration, n), &s); err != nil {
				return err
			}
			d.Submissions = append(d.Submissions, s)
		}
		return nil
	})
	if err != nil {
		return Dossier{}, fmt.Errorf("case %s: %w", canonical, err)
	}
	if err := VerifyChain(d.Registration, d.Events); err != nil {
		d.Chain = err.Error()
	}
	return d, nil
}

// Depth tells how much work waits in each lane.
func (g *Gateway) Depth(ctx context.Context) (depth map[Lane]Depth, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		depth, err = tx.Depth()
		return err
	})
	return depth, err
}
