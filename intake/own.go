package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// OwnCase is what a partner's program learns of one of its cases: what the page behind a link
// shows, and what the partner said itself.
type OwnCase struct {
	SafeView
	// Reference is what the partner calls it, "" if it never said.
	Reference string `json:"reference"`
	// StatusLink leads to the page of the case; "" without pages.
	StatusLink string `json:"status_link"`
	// Status is for who acts on the case. It is not shown.
	Status Status `json:"-"`
}

// OwnCase returns a case of a partner. ErrNotFound is the one answer to what is no number, the
// number of no case, of an erased one, and of a case of somebody else.
func (g *Gateway) OwnCase(ctx context.Context, partnerID, number string) (OwnCase, error) {
	return g.viewOwn(ctx, partnerID, number, func(*Registration, Partner) {})
}

// ReceivedCase returns a case of a partner as it was when it came in, so that who registers
// learns at once that it was taken in and nothing of what a check has found since.
func (g *Gateway) ReceivedCase(ctx context.Context, partnerID, number string) (OwnCase, error) {
	return g.viewOwn(ctx, partnerID, number, func(r *Registration, p Partner) {
		promised := r.Claim
		if r.Parent != "" { // a deal has the claim of its lead
			promised = r.Accepted
		}
		r.Status, r.DecisionDue = StatusSubmitted, g.policy.End(promised, g.policy.Terms(p).Decision)
	})
}

func (g *Gateway) viewOwn(ctx context.Context, partnerID, number string, as func(*Registration, Partner)) (own OwnCase, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		p, err := partner(tx, partnerID)
		if err != nil {
			return err
		}
		r, err := g.ownCase(tx, partnerID, number)
		if err != nil {
			return err
		}
		as(&r, p)
		own = g.own(&r, p)
		return nil
	})
	return own, err
}

// StatusMessage is what a partner would be told of one of its cases if it asked, for channels that
// show it themselves: it is not sent, and is to nobody. ErrNotFound as from OwnCase.
func (g *Gateway) StatusMessage(ctx context.Context, partnerID, number string) (m Message, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		r, err := g.ownCase(tx, partnerID, number)
		if err != nil {
			return err
		}
		c := &change{Tx: tx, g: g, at: g.stamp()}
		m = Message{ID: r.Number, Kind: MessageStatus, At: c.at}
		if m.Facts, err = c.facts(&r); err != nil {
			return err
		}
		m.Facts.Due, err = c.dueIn(&r, m)
		return err
	})
	return m, err
}

// ownCase returns a case by number if it is a partner's; ErrNotFound.
func (g *Gateway) ownCase(tx Cases, partnerID, number string) (Registration, error) {
	canonical, _ := g.numbers.Parse(number) // "" is the number of no case
	r, err := tx.Case(canonical)
	if err == nil && (r.Partner != partnerID || r.Status == StatusErased) {
		return Registration{}, ErrNotFound
	}
	return r, err
}

func (g *Gateway) own(r *Registration, p Partner) OwnCase {
	own := OwnCase{SafeView: g.safeView(r, p), Reference: r.Reference, Status: r.Status}
	if g.links != nil {
		own.StatusLink = g.links.Status(StatusGrant(r, g.now()))
	}
	return own
}

// OwnCases returns up to limit cases of a partner, newest first: those after one of its cases,
// if that is not "". It is the number to go on after, "" at the end. ErrNotFound if after is no
// case of the partner.
func (g *Gateway) OwnCases(ctx context.Context, partnerID, after string, limit int) (all []OwnCase, next string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		all, next = nil, ""
		p, err := partner(tx, partnerID)
		if err != nil {
			return err
		}
		q := CaseQuery{Partner: partnerID, Limit: limit}
		if after != "" {
			canonical, _ := g.numbers.Parse(after)
			r, err := tx.Case(canonical)
			if err == nil && r.Partner != partnerID { // an erased one is a place in the list
				err = ErrNotFound
			}
			if err != nil {
				return err
			}
			q.Before = r.Seq
		}
		cases, err := tx.ListCases(q)
		if err != nil {
			return err
		}
		for i := range cases {
			if cases[i].Status != StatusErased {
				all = append(all, g.own(&cases[i], p))
			}
		}
		if len(cases) == limit {
			next = cases[limit-1].Number
		}
		return nil
	})
	return all, next, err
}

// Submitter returns an address as it is written to, if it speaks for a partner: it is one of a
// contact, or on one of the partner's domains. *ErrInput if it is no address, ErrNotFound.
func (g *Gateway) Submitter(ctx context.Context, partnerID, address string) (string, error) {
	clean, err := cleanAddress(address)
	if err != nil || len(clean) > maxAddress {
		return "", &ErrInput{"it is not an e-mail address"}
	}
	err = g.store.View(ctx, func(tx Tx) error {
		id, err := partnerOf(tx, clean)
		if err == nil && id != partnerID {
			return ErrNotFound
		}
		return err
	})
	return clean, err
}

// ErrCaseOver: the case has come to its end, and nothing can be added to it.
var ErrCaseOver = errors.New("the case is over")

// Examine returns a lead of a partner as it would be stored, and all that a registration of it
// would be asked for or could not be read: if there is nothing it is complete. With the number
// of a case it is an addition to that: ErrNotFound if it is none of the partner's, ErrCaseOver;
// and a lead about another company is a problem.
//
// It looks at nothing of anybody else's.
func (g *Gateway) Examine(ctx context.Context, partnerID, number string, l Lead) (Lead, []Problem, error) {
	long := tooLong(l)
	clean, wrong := Clean(g.ids, l)
	problems := append(long, slices.DeleteFunc(wrong, func(p Problem) bool { return problemOf(long, p.Field) })...)
	err := g.store.View(ctx, func(tx Tx) error {
		p, err := partner(tx, partnerID)
		if err != nil {
			return err
		}
		found := g.asks(p, clean, wrong)
		if number != "" {
			if found, err = g.asksOfAddition(tx, p, number, clean); err != nil {
				return err
			}
		}
		for _, f := range found {
			if f.Field == "" || !problemOf(problems, f.Field) {
				problems = append(problems, f)
			}
		}
		return nil
	})
	return clean, problems, err
}

func problemOf(problems []Problem, f Field) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Field == f })
}

// asks are what the policy would ask for if a partner registered a lead.
func (g *Gateway) asks(p Partner, clean Lead, wrong []Problem) []Problem {
	now := g.stamp()
	verdict := g.policy.Judge(now, Case{Partner: p, Registration: Registration{
		Partner: p.ID, Status: StatusSubmitted, Strength: StrengthVerified, Claim: now, Accepted: now, Since: now,
		Lead: clean, Problems: wrong, Identity: AccountKeys(g.ids, clean), Scope: g.policy.Scope(clean),
	}})
	var all []Problem
	for _, f := range verdict.Findings {
		if f.Outcome != OutcomeAsk {
			continue
		}
		for _, q := range f.Problems {
			// A company without a domain of its own can't mend that. It is asked about once, as
			// by mail, and then a person looks at it.
			if q.Code == ProblemFreeMail && !problemOf(wrong, q.Field) {
				continue
			}
			if !problemOf(all, q.Field) {
				all = append(all, q)
			}
		}
	}
	return all
}

// asksOfAddition are what keeps a lead from being added to a case of a partner.
func (g *Gateway) asksOfAddition(tx Tx, p Partner, number string, clean Lead) ([]Problem, error) {
	r, err := g.ownCase(tx, p.ID, number)
	if err == nil && r.Status == StatusMerged {
		r, err = g.ownCase(tx, p.ID, r.MergedInto)
	}
	if err != nil {
		return nil, err
	}
	if !r.Status.Live() {
		return nil, ErrCaseOver
	}
	if clean.Empty() {
		return []Problem{{Code: ProblemMissing, Message: "there is nothing to add"}}, nil
	}
	a := &acceptance{s: Submission{Lead: clean}}
	if !a.otherCompany(&change{Tx: tx, g: g}, &r, clean) {
		return nil, nil
	}
	var all []Problem
	for _, f := range []Field{FieldCompanyName, FieldCompanyDomain, FieldContactEmail} {
		if differ(clean[f], r.Lead[f]) {
			all = append(all, Problem{Field: f, Code: ProblemConflict, Message: "the case is about another company; register this one by itself"})
		}
	}
	return all, nil
}

// tooLong are the values that would be cut off.
func tooLong(l Lead) []Problem {
	var all []Problem
	for _, f := range Fields() {
		if limit := MaxRunes(f); utf8.RuneCountInString(strings.TrimSpace(l[f])) > limit {
			all = append(all, Problem{Field: f, Code: ProblemTooLong, Message: fmt.Sprintf("has more than %d characters", limit)})
		}
	}
	return all
}

// MaxRunes is how many characters a field can have; what is longer is cut off.
func MaxRunes(f Field) int {
	if longField(f) {
		return maxLongRunes
	}
	return maxShortRunes
}
