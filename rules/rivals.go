package rules

import (
	"fmt"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// rivals returns the other cases that count against this one or for it: not the lead of which it
// is the deal, not what claims another part of the account, and not what has ended.
func (p *Policy) rivals(c intake.Case) []intake.Rival {
	r := c.Registration
	scope := p.Scope(r.Lead)
	var out []intake.Rival
	for _, v := range c.Rivals {
		kin := v.Lead || v.Number != "" && (v.Number == r.Parent || v.Number == r.Child)
		live := v.Status.Claims() || v.Status == intake.StatusWaitlisted
		if !kin && live && intake.ScopesOverlap(scope, v.Scope) {
			out = append(out, v)
		}
	}
	return out
}

// contenders returns the cases of other partners about certainly the same account; about one of
// the same group too, if a claim is to all of it.
func (p *Policy) contenders(c intake.Case) []intake.Rival {
	var out []intake.Rival
	for _, v := range p.rivals(c) {
		same := v.Grade == identity.GradeCertain || v.Grade == identity.GradeRelated && p.spec.GroupScope == GroupWhole
		if same && v.Partner != c.Registration.Partner {
			out = append(out, v)
		}
	}
	return out
}

func first(rivals []intake.Rival, fits func(intake.Rival) bool) (intake.Rival, bool) {
	for _, v := range rivals {
		if fits(v) {
			return v, true
		}
	}
	return intake.Rival{}, false
}

// duplicateOwn: the same partner has an older live case of the account, or holds it. The contact
// does not matter. If the two are about different parts of it that overlap, neither has the data
// of the other, and a person joins them.
func (p *Policy) duplicateOwn(_ time.Time, c intake.Case) intake.Finding {
	v, found := first(p.rivals(c), func(v intake.Rival) bool {
		return v.Partner == c.Registration.Partner && v.Grade == identity.GradeCertain && (v.Earlier || v.Status.Holds())
	})
	switch {
	case !found:
		return intake.Finding{}
	case p.spec.Split != "" && v.Scope != p.Scope(c.Registration.Lead):
		return finding(intake.OutcomeReview, intake.ReasonDuplicateOwn, v)
	}
	return finding(intake.OutcomeMerge, intake.ReasonDuplicateOwn, v)
}

// protectedByOther: registered beats unregistered, unless something in the hierarchy speaks for
// the newcomer: then a person decides. An older claim does, as when its mail lay unread while
// the other was approved.
func (p *Policy) protectedByOther(now time.Time, c intake.Case) intake.Finding {
	v, found := first(p.contenders(c), func(v intake.Rival) bool { return v.Status.Holds() })
	if !found {
		return intake.Finding{}
	}
	why := ""
	switch met := held(c.Registration); {
	case !v.Earlier:
		why = "this claim is the older one"
	case !met.IsZero() && !met.After(now) && met.Before(v.Claim):
		why = "this partner met the company before that claim, at " + p.moment(met)
	case c.Registration.Partner != "" && incumbent(c) == c.Registration.Partner:
		why = "this partner serves the company already"
	default:
		return finding(intake.OutcomeWaitlist, intake.ReasonProtectedByOther, v)
	}
	f := finding(intake.OutcomeReview, intake.ReasonContested, v)
	f.Evidence += "; " + why + "; " + p.ranking(now, c).String()
	return f
}

// contested: another partner's claim to the account is undecided, and either older or
// before a person already; or it is older and waits for the account to be free.
func (p *Policy) contested(now time.Time, c intake.Case) intake.Finding {
	v, found := first(p.contenders(c), func(v intake.Rival) bool {
		switch v.Status {
		case intake.StatusInReview, intake.StatusAppeal:
			return true
		}
		return v.Earlier && (v.Status.Undecided() || v.Status == intake.StatusWaitlisted)
	})
	if !found {
		return intake.Finding{}
	}
	f := finding(intake.OutcomeReview, intake.ReasonContested, v)
	f.Evidence += "; " + p.ranking(now, c).String()
	return f
}

// coolingOff: what was declined is not registered again at once. Who could have put right what
// it was declined for has no such time to wait.
func coolingOff(now time.Time, c intake.Case) intake.Finding {
	for _, past := range c.Past {
		if past.Cooling.After(now) {
			return intake.Finding{
				Outcome: intake.OutcomeDecline, Reason: intake.ReasonCoolingOff, Case: past.Number,
				Evidence: fmt.Sprintf("case %s was %s (%s) and can be registered again after %s UTC", past.Number, past.Status, past.Reason, past.Cooling.UTC().Format(time.DateTime)),
			}
		}
	}
	return intake.Finding{}
}

// quota: the partner holds as many accounts as were agreed. The lead that becomes a deal goes on
// to hold the one that it holds.
func quota(_ time.Time, c intake.Case) intake.Finding {
	holds := c.Holds
	if _, raised := first(c.Rivals, func(v intake.Rival) bool { return v.Lead && v.Status.Holds() }); raised {
		holds--
	}
	if c.Partner.Quota < 1 || holds < c.Partner.Quota {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonQuota,
		Evidence: fmt.Sprintf("the partner holds %d accounts of %d", holds, c.Partner.Quota),
	}
}

func finding(o intake.Outcome, r intake.Reason, v intake.Rival) intake.Finding {
	return intake.Finding{
		Outcome: o, Reason: r, Case: v.Number,
		Evidence: fmt.Sprintf("case %s of partner %s (%s): %s", v.Number, v.Partner, v.Status, v.Evidence),
	}
}

// day and moment are how times are told to staff: in the programme's zone.
func (p *Policy) day(t time.Time) string    { return t.In(p.zone).Format(time.DateOnly) }
func (p *Policy) moment(t time.Time) string { return t.In(p.zone).Format("2006-01-02 15:04 MST") }
