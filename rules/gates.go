package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// The gates look at what the partner is and wrote, and at nothing else. What they ask for is
// asked for before anything is told of others.

// short is what a vendor needs to know whom it is about, whom to call and why.
var short = []intake.Field{
	intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldProblem,
}

// full adds what makes a registration judgeable without a call.
var full = append(slices.Clone(short), intake.FieldContactName, intake.FieldContactRole, intake.FieldStage)

// required are the fields that a registration can't do without, consent aside.
func (p *Policy) required() []intake.Field {
	list := slices.Clone(full)
	if p.spec.Required == RequiredShort {
		list = slices.Clone(short)
	}
	if p.spec.Territories {
		list = append(list, intake.FieldCountry)
	}
	if p.spec.Split != "" && !slices.Contains(list, p.spec.Split) {
		list = append(list, p.spec.Split)
	}
	if p.spec.AskProduct && !slices.Contains(list, intake.FieldProductInterest) {
		list = append(list, intake.FieldProductInterest)
	}
	return list
}

// partnerActive: the state of a partner counts from its day on. One that is on the way out, or
// not in yet, registers nothing new.
func partnerActive(now time.Time, c intake.Case) intake.Finding {
	status, from := c.Partner.Status, c.Partner.StatusFrom
	counts := !from.After(now)
	if (status == intake.PartnerActive) == counts {
		return intake.Finding{}
	}
	evidence := "the partner is " + string(status)
	if !counts {
		evidence += " from " + from.UTC().Format(time.DateTime) + " UTC on only"
	}
	return intake.Finding{Outcome: intake.OutcomeDecline, Reason: intake.ReasonPartnerInactive, Evidence: evidence}
}

// requiredFields asks for what is missing or was given in a form that can't be used.
func (p *Policy) requiredFields(_ time.Time, c intake.Case) intake.Finding {
	required := full
	if p.spec.Required == RequiredShort {
		required = short
	}
	if c.Registration.Lead[intake.FieldKind] == intake.KindDeal {
		required = append(slices.Clone(required), p.spec.DealFields...)
	}
	var problems []intake.Problem
	for _, f := range intake.Fields() {
		if c.Registration.Lead[f] != "" || f == intake.FieldCompanyDomain && p.mailProviderOnly(c) {
			continue
		}
		if problem, given := unusable(c, f); given {
			problems = append(problems, problem)
		} else if slices.Contains(required, f) {
			problems = append(problems, intake.Problem{Field: f, Code: intake.ProblemMissing})
		}
	}
	if len(problems) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{Outcome: intake.OutcomeAsk, Reason: intake.ReasonMissingField, Problems: problems}
}

// unusable returns what is wrong with what was given for a field.
func unusable(c intake.Case, f intake.Field) (intake.Problem, bool) {
	i := slices.IndexFunc(c.Registration.Problems, func(q intake.Problem) bool {
		return q.Field == f && q.Code != intake.ProblemMissing && q.Code != intake.ProblemConsent && !slices.Contains(ownCodes, q.Code)
	})
	if i < 0 {
		return intake.Problem{}, false
	}
	return c.Registration.Problems[i], true
}

// ownCodes are the codes of what the rules themselves ask for: no fault of what was given.
var ownCodes = []string{
	string(intake.ReasonCountryNeeded), string(intake.ReasonProductNeeded),
	string(intake.ReasonScopeNeeded), string(intake.ReasonCondition),
}

// companyDomain: some companies have no domain of their own. Who writes for one of them is asked
// for it once; then a person finds out who it is by name and country.
func (p *Policy) companyDomain(_ time.Time, c intake.Case) intake.Finding {
	lead := c.Registration.Lead
	if !p.mailProviderOnly(c) {
		return intake.Finding{}
	}
	if c.Registration.Asks > 0 {
		return intake.Finding{
			Outcome: intake.OutcomeReview, Reason: intake.ReasonFreeMailOnly,
			Evidence: fmt.Sprintf("has no domain: known by name and country alone: %s, %s", lead[intake.FieldCompanyName], or(lead[intake.FieldCountry], "country unknown")),
		}
	}
	problem, given := unusable(c, intake.FieldCompanyDomain)
	if !given {
		_, host, _ := strings.Cut(lead[intake.FieldContactEmail], "@")
		problem = intake.Problem{
			Field: intake.FieldCompanyDomain, Code: intake.ProblemFreeMail,
			Message: host + " is a mail provider; what is the company's own domain?",
		}
	}
	return intake.Finding{Outcome: intake.OutcomeAsk, Reason: intake.ReasonFreeMailOnly, Problems: []intake.Problem{problem}}
}

// mailProviderOnly reports whether all that is known of the company's domain is that the contact
// has an address with a mail provider.
func (p *Policy) mailProviderOnly(c intake.Case) bool {
	lead := c.Registration.Lead
	if problem, given := unusable(c, intake.FieldCompanyDomain); given && problem.Code != intake.ProblemFreeMail {
		return false
	}
	_, host, found := strings.Cut(lead[intake.FieldContactEmail], "@")
	d, err := p.ids.Domain(host)
	return lead[intake.FieldCompanyDomain] == "" && found && err == nil && d.FreeMail
}

// countryNeeded: with territories, nothing can be judged without the country. The ending of a
// domain does not tell it.
func (p *Policy) countryNeeded(_ time.Time, c intake.Case) intake.Finding {
	if !p.spec.Territories || c.Registration.Lead[intake.FieldCountry] != "" {
		return intake.Finding{}
	}
	if _, given := unusable(c, intake.FieldCountry); given {
		return intake.Finding{} // asked for already
	}
	return ask(intake.ReasonCountryNeeded, intake.FieldCountry, "Partners register by country here; in which one is the company?")
}

// productNeeded: whether a certification is needed depends on the product.
func (p *Policy) productNeeded(_ time.Time, c intake.Case) intake.Finding {
	if !p.spec.AskProduct || c.Registration.Lead[intake.FieldProductInterest] != "" {
		return intake.Finding{}
	}
	return ask(intake.ReasonProductNeeded, intake.FieldProductInterest, "Some products take a certification; which ones is it about?")
}

// scopeNeeded: with accounts that are shared, who else has a claim depends on the part.
func (p *Policy) scopeNeeded(_ time.Time, c intake.Case) intake.Finding {
	if p.spec.Split == "" {
		return intake.Finding{}
	}
	scope := p.Scope(c.Registration.Lead)
	unknown := slices.DeleteFunc(strings.Split(scope, intake.ListSeparator), func(s string) bool { return len(p.scopes) == 0 || p.scopes[s] })
	if scope != "" && len(unknown) == 0 {
		return intake.Finding{}
	}
	message := "Several partners can work with one company here; which part is it about?"
	if len(p.spec.Scopes) > 0 {
		message += " Choose of: " + strings.Join(p.spec.Scopes, ", ")
	}
	return ask(intake.ReasonScopeNeeded, p.spec.Split, message)
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
		if at.domain == "" || !p.ours(at.domain, c.Partner) {
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

// ours reports whether a host is the vendor's or the partner's.
func (p *Policy) ours(host string, partner intake.Partner) bool {
	if slices.Contains(partner.Domains, host) {
		return true
	}
	d, err := p.ids.Domain(host)
	return p.own[host] || err == nil && !d.FreeMail && (p.own[d.Key] || slices.Contains(partner.Domains, d.Key))
}

// ask asks for one field with words of its own.
func ask(reason intake.Reason, f intake.Field, message string) intake.Finding {
	return intake.Finding{
		Outcome: intake.OutcomeAsk, Reason: reason,
		Problems: []intake.Problem{{Field: f, Code: string(reason), Message: message}},
	}
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}
