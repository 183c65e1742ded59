package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// claimant is one side of a conflict, with what the hierarchy looks at.
type claimant struct {
	number    string
	incumbent bool
	named     bool
	met       time.Time // zero if the first meeting was not held, or not in time
	certified bool
	strength  int
	claim     time.Time
}

// step is one line of the published hierarchy; before is negative if a comes first by it.
type step struct {
	name   string
	before func(a, b claimant) int
}

// hierarchy is who comes first, the weightiest reason first. The older claim, which comes last,
// is the order in which claimants are put before it is asked.
var hierarchy = []step{
	{"serves the company already", func(a, b claimant) int { return yes(a.incumbent) - yes(b.incumbent) }},
	{"has it as a named account", func(a, b claimant) int { return yes(a.named) - yes(b.named) }},
	{"met the company first", func(a, b claimant) int {
		if a.met.IsZero() || b.met.IsZero() {
			return yes(!a.met.IsZero()) - yes(!b.met.IsZero())
		}
		return a.met.Compare(b.met)
	}},
	{"is certified for the product", func(a, b claimant) int { return yes(a.certified) - yes(b.certified) }},
	{"is the better proven sender", func(a, b claimant) int { return b.strength - a.strength }},
}

// yes puts what is so before what is not.
func yes(so bool) int {
	if so {
		return -1
	}
	return 0
}

// ranking is the claimants of an account in the order of the hierarchy.
type ranking []claimant

// ranking orders the case among its contenders. It is advice: people decide conflicts.
func (p *Policy) ranking(now time.Time, c intake.Case) ranking {
	r := c.Registration
	self := p.claimant(c, r.Number, r.Partner, r.Strength, r.Claim, c.Partner.Certifications)
	self.met = p.counting(held(r), now, r.Claim, p.Terms(c.Partner).Window)
	var all, later ranking
	for _, v := range p.contenders(c) {
		side := p.claimant(c, v.Number, v.Partner, v.Strength, v.Claim, v.Certified)
		side.met = p.counting(v.Met, now, v.Claim, p.spec.Window)
		if v.Earlier {
			all = append(all, side)
		} else {
			later = append(later, side)
		}
	}
	all = append(append(all, self), later...)
	slices.SortStableFunc(all, func(a, b claimant) int {
		for _, s := range hierarchy {
			if before := s.before(a, b); before != 0 {
				return before
			}
		}
		return 0
	})
	return all
}

func (p *Policy) claimant(c intake.Case, number, partner string, strength intake.Strength, claim time.Time, held []intake.Certification) claimant {
	return claimant{
		number: number, incumbent: partner != "" && incumbent(c) == partner,
		named:     slices.Contains(c.Known.Named, partner),
		certified: len(p.lacking(p.needed(c.Registration.Lead), held, claim)) == 0,
		strength:  slices.Index(intake.Strengths(), strength), claim: claim,
	}
}

// held is when the partner of a case first met the company, zero if that was not proven.
func held(r intake.Registration) time.Time {
	if !r.Met {
		return time.Time{}
	}
	return r.Meeting
}

// counting returns a first meeting if it counts: it was held, and not after the window that the
// claim would have had.
func (p *Policy) counting(met, now, claim time.Time, window intake.Span) time.Time {
	if met.IsZero() || met.After(now) || !claim.IsZero() && met.After(p.End(claim, window)) {
		return time.Time{}
	}
	return met
}

func (all ranking) numbers() []string {
	var out []string
	for _, side := range all {
		out = append(out, side.number)
	}
	return out
}

// String says who comes first and by what, for staff.
func (all ranking) String() string {
	if len(all) < 2 {
		return ""
	}
	text := fmt.Sprintf("in the order of the hierarchy: %s; %s %s", strings.Join(all.numbers(), ", "), all[0].number, reasonFirst(all[0], all[1]))
	if met := slices.MinFunc(all, hierarchy[2].before); all[0].incumbent && !met.incumbent && !met.met.IsZero() {
		text += fmt.Sprintf(", but %s met the company first: a person must decide", met.number)
	}
	return text
}

func reasonFirst(a, b claimant) string {
	for _, s := range hierarchy {
		if s.before(a, b) != 0 {
			return s.name
		}
	}
	if !a.claim.IsZero() && a.claim.Equal(b.claim) {
		return "claimed at the same moment and was stored first"
	}
	return "claimed it first"
}
