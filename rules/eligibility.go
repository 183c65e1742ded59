package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// territory: the country is outside of where the partner registers. Where only a part of it is
// inside, a person has to look, for a lead says no more than the country.
func (p *Policy) territory(_ time.Time, c intake.Case) intake.Finding {
	country := c.Registration.Lead[intake.FieldCountry]
	if len(c.Partner.Territories) == 0 {
		return intake.Finding{}
	}
	f := intake.Finding{Outcome: intake.OutcomeReview, Reason: intake.ReasonOutsideTerritory}
	theirs := strings.Join(c.Partner.Territories, ", ")
	switch {
	case country == "":
		f.Evidence = "the country is not known; the partner's territories are " + theirs
	case covers(c.Partner.Territories, country) == outside:
		f.Outcome, f.Evidence = p.spec.Territory, fmt.Sprintf("%s is outside of the partner's territories %s", country, theirs)
	case covers(c.Partner.Territories, country) == partly:
		f.Evidence = fmt.Sprintf("only a part of %s is in the partner's territories %s", country, theirs)
	default:
		return intake.Finding{}
	}
	return f
}

// coverage is how much of a country is in some territories.
type coverage int

const (
	outside coverage = iota
	partly
	inside
)

// covers tells how much of a place is in territories: ISO 3166-1 codes of countries or -2 codes
// of their parts, with "-" before what is left out. A code of a part counts more than that of its
// country; if nothing but exceptions is listed, all else is inside.
func covers(territories []string, place string) coverage {
	listed, rest := make(map[string]coverage), inside
	for _, t := range territories {
		if !strings.HasPrefix(t, "-") {
			listed[strings.ToUpper(t)], rest = inside, outside
		}
	}
	for _, t := range territories { // what is left out is so even if it is listed too
		if code, out := strings.CutPrefix(t, "-"); out {
			listed[strings.ToUpper(code)] = outside
		}
	}
	country, _, part := strings.Cut(strings.ToUpper(place), "-")
	whole, found := listed[country]
	if !found {
		whole = rest
	}
	if own, found := listed[strings.ToUpper(place)]; part && found {
		return own
	}
	for code, in := range listed {
		if !part && in != whole && strings.HasPrefix(code, country+"-") {
			return partly
		}
	}
	return whole
}

// certification: the partner may sell the product only with a certification, which has to be
// valid on the day of the claim.
func (p *Policy) certification(_ time.Time, c intake.Case) intake.Finding {
	lacks := p.lacking(p.needed(c.Registration.Lead), c.Partner.Certifications, c.Registration.Claim)
	if len(lacks) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonCertification,
		Evidence: fmt.Sprintf("on %s the partner was not certified for %s", p.day(c.Registration.Claim), strings.Join(lacks, ", ")),
	}
}

// needed are the products of a lead that take a certification.
func (p *Policy) needed(l intake.Lead) []string {
	var out []string
	for _, product := range l.List(intake.FieldProductInterest) {
		if w := word(product); p.certified[w] && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// lacking are the products for which no certification was valid on the day of a claim.
func (p *Policy) lacking(products []string, held []intake.Certification, claim time.Time) []string {
	return slices.DeleteFunc(slices.Clone(products), func(product string) bool {
		return slices.ContainsFunc(held, func(h intake.Certification) bool {
			return word(h.Product) == product && p.valid(h, claim)
		})
	})
}

// valid compares days as they are in the programme's zone; an end that is no day is none that
// can be relied on.
func (p *Policy) valid(h intake.Certification, claim time.Time) bool {
	if h.Until == "" {
		return true
	}
	_, err := time.Parse(time.DateOnly, h.Until)
	return err == nil && p.day(claim) <= h.Until
}
