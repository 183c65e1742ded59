package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// short is what a vendor needs to know whom it is about, whom to call and why.
var short = []intake.Field{
	intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldProblem,
}

// full adds what makes a registration judgeable without a call.
var full = append(slices.Clone(short), intake.FieldContactName, intake.FieldContactRole, intake.FieldStage)

func partnerActive(_ time.Time, c intake.Case) intake.Finding {
	if c.Partner.Status == intake.PartnerActive {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeDecline, Reason: intake.ReasonPartnerInactive,
		Evidence: "the partner is " + string(c.Partner.Status),
	}
}

// requiredFields asks for what is missing or was given in a form that can't be used.
func (p *Policy) requiredFields(_ time.Time, c intake.Case) intake.Finding {
	required := full
	if p.spec.Required == RequiredShort {
		required = short
	}
	var problems []intake.Problem
	for _, f := range intake.Fields() {
		if c.Registration.Lead[f] != "" {
			continue
		}
		i := slices.IndexFunc(c.Registration.Problems, func(q intake.Problem) bool {
			return q.Field == f && q.Code != intake.ProblemMissing && q.Code != intake.ProblemConsent
		})
		switch {
		case i >= 0:
			problems = append(problems, c.Registration.Problems[i])
		case slices.Contains(required, f):
			problems = append(problems, intake.Problem{Field: f, Code: intake.ProblemMissing})
		}
	}
	if len(problems) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{Outcome: intake.OutcomeAsk, Reason: intake.ReasonMissingField, Problems: problems}
}

// consent: nobody is called who did not agree to it.
func consent(_ time.Time, c intake.Case) intake.Finding {
	if c.Registration.Lead[intake.FieldConsent] == intake.ConsentYes {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeAsk, Reason: intake.ReasonConsentRequired,
		Problems: []intake.Problem{{Field: intake.FieldConsent, Code: intake.ProblemConsent}},
	}
}

// notTheProspect: the vendor and the partner are not the company that is registered.
func (p *Policy) notTheProspect(_ time.Time, c intake.Case) intake.Finding {
	lead := c.Registration.Lead
	_, contact, _ := strings.Cut(lead[intake.FieldContactEmail], "@")
	var problems []intake.Problem
	for _, at := range []struct {
		field  intake.Field
		domain string
	}{{intake.FieldCompanyDomain, lead[intake.FieldCompanyDomain]}, {intake.FieldContactEmail, contact}} {
		if at.domain == "" || !(p.own[at.domain] || slices.Contains(c.Partner.Domains, at.domain)) {
			continue
		}
		problems = append(problems, intake.Problem{
			Field: at.field, Code: intake.ProblemOwnDomain,
			Message: fmt.Sprintf("%s is yours or ours; whose is the prospect's?", at.domain),
		})
	}
	if len(problems) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{Outcome: intake.OutcomeAsk, Reason: intake.ReasonMissingField, Problems: problems}
}

func (p *Policy) blockedAccount(_ time.Time, c intake.Case) intake.Finding {
	domain := c.Registration.Lead[intake.FieldCompanyDomain]
	if !p.blocked[domain] {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeDecline, Reason: intake.ReasonBlocked,
		Evidence: domain + " is on the list of blocked accounts",
	}
}

// duplicateOwn: the same partner has an older live case of the account, or holds it.
func duplicateOwn(_ time.Time, c intake.Case) intake.Finding {
	v, found := certain(c, func(v intake.Rival) bool {
		return v.Partner == c.Registration.Partner && (v.Earlier || v.Status.Holds())
	})
	if !found {
		return intake.Finding{}
	}
	return finding(intake.OutcomeMerge, intake.ReasonDuplicateOwn, v)
}

// protectedByOther: registered beats unregistered. If the newcomer's claim is the older
// one, as when its mail lay unread while the other was approved, a person decides.
func protectedByOther(_ time.Time, c intake.Case) intake.Finding {
	v, found := certain(c, func(v intake.Rival) bool {
		return v.Partner != c.Registration.Partner && v.Status.Holds()
	})
	switch {
	case !found:
		return intake.Finding{}
	case !v.Earlier:
		return finding(intake.OutcomeReview, intake.ReasonContested, v)
	}
	return finding(intake.OutcomeWaitlist, intake.ReasonProtectedByOther, v)
}

// contested: another partner's claim to the account is undecided, and either older or
// before a person already; or it is older and waits for the account to be free.
func contested(_ time.Time, c intake.Case) intake.Finding {
	v, found := certain(c, func(v intake.Rival) bool {
		if v.Partner == c.Registration.Partner {
			return false
		}
		switch v.Status {
		case intake.StatusInReview, intake.StatusAppeal:
			return true
		}
		return v.Earlier && (v.Status.Undecided() || v.Status == intake.StatusWaitlisted)
	})
	if !found {
		return intake.Finding{}
	}
	return finding(intake.OutcomeReview, intake.ReasonContested, v)
}

// existingDeal: the CRM knows a deal or a customer that no registration of ours made.
func existingDeal(_ time.Time, c intake.Case) intake.Finding {
	for _, m := range c.Matches {
		if m.Case != "" || (m.Partner != "" && m.Partner == c.Registration.Partner) {
			continue
		}
		f := intake.Finding{Outcome: intake.OutcomeReview, Evidence: fmt.Sprintf("%s %s in %s", m.Kind, m.Ref.ID, m.CRM)}
		switch m.Kind {
		case intake.MatchOpenDeal:
			f.Reason = intake.ReasonExistingDeal
			return f
		case intake.MatchCustomer:
			f.Reason = intake.ReasonExistingCustomer
			return f
		}
	}
	return intake.Finding{}
}

// crmReachable: what could not be looked up is never approved unseen.
func crmReachable(_ time.Time, c intake.Case) intake.Finding {
	if len(c.Unreachable) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonCRMUnverified,
		Evidence: "could not ask " + strings.Join(c.Unreachable, ", "),
	}
}

// similarAccount: what may be the same company under another domain is for a person.
func similarAccount(_ time.Time, c intake.Case) intake.Finding {
	for _, v := range c.Rivals {
		if v.Partner != c.Registration.Partner && v.Grade != identity.GradeCertain {
			return finding(intake.OutcomeReview, intake.ReasonSimilarAccount, v)
		}
	}
	return intake.Finding{}
}

// lookAlike: a domain that mixes scripts or imitates another is never matched by itself.
func lookAlike(ids *identity.Lists) func(time.Time, intake.Case) intake.Finding {
	return func(_ time.Time, c intake.Case) intake.Finding {
		domain := c.Registration.Lead[intake.FieldCompanyDomain]
		if domain == "" || !ids.Suspect(domain) {
			return intake.Finding{}
		}
		return intake.Finding{
			Outcome: intake.OutcomeReview, Reason: intake.ReasonHomograph,
			Evidence: domain + " mixes look-alike letters",
		}
	}
}

// contactDomain notes a contact of another company; it does not stand in the way.
func contactDomain(ids *identity.Lists) func(time.Time, intake.Case) intake.Finding {
	return func(_ time.Time, c intake.Case) intake.Finding {
		lead := c.Registration.Lead
		_, host, found := strings.Cut(lead[intake.FieldContactEmail], "@")
		d, err := ids.Domain(host)
		if !found || err != nil || d.FreeMail || lead[intake.FieldCompanyDomain] == "" || d.Key == lead[intake.FieldCompanyDomain] {
			return intake.Finding{}
		}
		return intake.Finding{
			Outcome: intake.OutcomeApprove, Reason: intake.ReasonContactDomain,
			Evidence: fmt.Sprintf("the contact is at %s, the company at %s", d.Key, lead[intake.FieldCompanyDomain]),
		}
	}
}

// certain returns the first rival that is certainly about the same account and fits.
func certain(c intake.Case, fits func(intake.Rival) bool) (intake.Rival, bool) {
	for _, v := range c.Rivals {
		if v.Grade == identity.GradeCertain && fits(v) {
			return v, true
		}
	}
	return intake.Rival{}, false
}

func finding(o intake.Outcome, r intake.Reason, v intake.Rival) intake.Finding {
	return intake.Finding{
		Outcome: o, Reason: r, Case: v.Number,
		Evidence: fmt.Sprintf("case %s of partner %s (%s): %s", v.Number, v.Partner, v.Status, v.Evidence),
	}
}
