package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// noon is when the cases of these tests are judged: a Monday, 12:00 in Brussels.
var noon = time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC)

func ago(d int) time.Time { return noon.AddDate(0, 0, -d) }

// changes to a case and to the policy, by what they mean.
type (
	given func(*intake.Case)
	ruled func(*Spec)
)

func lead(f intake.Field, v string) given {
	return func(c *intake.Case) { c.Registration.Lead[f] = v }
}

func with(change func(*intake.Rival)) given {
	return func(c *intake.Case) {
		v := rival(func(v *intake.Rival) { v.Claim = c.Registration.Claim.Add(-time.Hour) })
		if change(&v); !v.Earlier {
			v.Claim = c.Registration.Claim.Add(time.Hour)
		}
		c.Rivals = append(c.Rivals, v)
	}
}

func known(change func(*intake.Known)) given {
	return func(c *intake.Case) { change(&c.Known) }
}

func match(kind intake.MatchKind, change func(*intake.Match)) given {
	return func(c *intake.Case) {
		m := intake.Match{CRM: "hub", Kind: kind, Ref: intake.Ref{ID: "77"}, Activity: noon}
		change(&m)
		c.Matches = append(c.Matches, m)
	}
}

func partnerIs(change func(*intake.Partner)) given {
	return func(c *intake.Case) { change(&c.Partner) }
}

func all(changes ...given) given {
	return func(c *intake.Case) {
		for _, change := range changes {
			change(c)
		}
	}
}

var nothing given = func(*intake.Case) {}

func metAt(t time.Time) given {
	return func(c *intake.Case) { c.Registration.Meeting, c.Registration.Met = t, true }
}

func judged(t *testing.T, rule ruled, change given) intake.Decision {
	t.Helper()
	c := complete()
	c.Registration.Claim = noon.Add(-time.Minute)
	c.Registration.Strength = intake.StrengthDomain
	change(&c)
	if rule == nil {
		rule = func(*Spec) {}
	}
	return policy(t, rule).Judge(noon, c)
}

func withoutCompany(domain string) given {
	return all(lead(intake.FieldCompanyDomain, ""), lead(intake.FieldContactEmail, "joe@"+domain))
}

func TestEachDecisionRule(t *testing.T) {
	const (
		approve, review, ask = intake.OutcomeApprove, intake.OutcomeReview, intake.OutcomeAsk
		waitlist, decline    = intake.OutcomeWaitlist, intake.OutcomeDecline
		merge                = intake.OutcomeMerge
	)
	own := func(v *intake.Rival) { v.Partner = "alpha" }
	split := func(s *Spec) { s.Split = intake.FieldProductInterest }
	group := func(s *Spec) { s.GroupScope = GroupWhole }
	certified := func(s *Spec) { s.CertifiedProducts = []string{"Vault"} }
	territory := func(codes ...string) given {
		return partnerIs(func(p *intake.Partner) { p.Territories = codes })
	}
	vault := lead(intake.FieldProductInterest, "Backup; vault")
	holds := func(until string) given {
		return all(vault, partnerIs(func(p *intake.Partner) {
			p.Certifications = []intake.Certification{{Product: "Vault", Until: until}}
		}))
	}
	claimed := func(at string) given {
		return func(c *intake.Case) {
			v, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			c.Registration.Claim = v
		}
	}
	for _, c := range []struct {
		name    string
		rule    ruled
		given   given
		outcome intake.Outcome
		reason  intake.Reason
	}{
		// One's own cases.
		{"a second registration of the same company by the same partner is merged", nil, with(own), merge, intake.ReasonDuplicateOwn},
		{"it is merged even if another person of the partner names another contact", nil, all(with(own), lead(intake.FieldContactEmail, "bob@acme.example"), lead(intake.FieldContactName, "Bob")), merge, intake.ReasonDuplicateOwn},
		{"it is not merged into a case about another part of the account", split, all(lead(intake.FieldProductInterest, "Backup"), with(func(v *intake.Rival) { own(v); v.Scope = "security" })), approve, ""},
		{"it is merged into a case about the same part, however that is written", split, all(lead(intake.FieldProductInterest, "security;  Backup "), with(func(v *intake.Rival) { own(v); v.Scope = "backup; security" })), merge, intake.ReasonDuplicateOwn},
		{"a person joins two of one's own whose parts overlap", split, all(lead(intake.FieldProductInterest, "Backup; Security"), with(func(v *intake.Rival) { own(v); v.Scope = "security" })), review, intake.ReasonDuplicateOwn},
		{"what has ended is not merged into", nil, with(func(v *intake.Rival) { own(v); v.Status = intake.StatusExpired }), approve, ""},
		{"what cools off can't be registered again", nil, func(c *intake.Case) {
			c.Past = []intake.Past{{Number: "LG-1", Status: intake.StatusDeclined, Reason: intake.ReasonNotEligible, Cooling: noon.Add(time.Hour)}}
		}, decline, intake.ReasonCoolingOff},
		{"what has cooled off can", nil, func(c *intake.Case) {
			c.Past = []intake.Past{{Status: intake.StatusDeclined, Cooling: noon}}
		}, approve, ""},
		{"what was declined for something that is put right now can at once", nil, func(c *intake.Case) {
			c.Past = []intake.Past{{Status: intake.StatusDeclined, Reason: intake.ReasonMissingField, At: ago(1)}}
		}, approve, ""},
		{"a deal is no duplicate of the lead that it came from", nil, all(lead(intake.FieldKind, intake.KindDeal), lead(intake.FieldTargetRevenue, "50000 EUR"), with(func(v *intake.Rival) { own(v); v.Lead = true })), approve, ""},
		{"a deal whose lead is named by its number is no duplicate either", nil, func(c *intake.Case) {
			c.Registration.Parent = "LG-2026-000002-Y"
			with(own)(c)
		}, approve, ""},

		// Blocked accounts.
		{"a blocked domain is declined", nil, lead(intake.FieldCompanyDomain, "blocked.example"), decline, intake.ReasonBlocked},
		{"an account that our list blocks is declined", nil, known(func(k *intake.Known) { k.Account.Blocked = "sanctions" }), decline, intake.ReasonBlocked},
		{"a blocked country is declined", func(s *Spec) { s.BlockedCountries = []string{"KP"} }, lead(intake.FieldCountry, "KP"), decline, intake.ReasonBlocked},
		{"a record of a blocked account under another domain is declined", nil, all(match(intake.MatchAccount, func(*intake.Match) {}), known(func(k *intake.Known) {
			k.Alike = []intake.Alike{{Account: intake.Account{Blocked: "sanctions", CRM: []string{"77"}}}}
		})), decline, intake.ReasonBlocked},
		{"the name of a blocked account alone is for a person", nil, known(func(k *intake.Known) {
			k.Alike = []intake.Alike{{Account: intake.Account{Name: "Acme", Blocked: "sanctions"}, Evidence: "same name and country"}}
		}), review, intake.ReasonBlocked},
		{"a contact at a blocked account is for a person", nil, lead(intake.FieldContactEmail, "joe@blocked.example"), review, intake.ReasonBlocked},
		{"a record found without a domain to find it by declines nobody", nil, all(withoutCompany("gmail.com"), func(c *intake.Case) { c.Registration.Asks = 1 }, match(intake.MatchAccount, func(*intake.Match) {}), known(func(k *intake.Known) {
			k.Alike = []intake.Alike{{Account: intake.Account{Blocked: "sanctions", CRM: []string{"77"}}}}
		})), review, intake.ReasonFreeMailOnly},

		// Customers, renewals, deals of direct sales.
		{"a customer by our list is looked at", nil, known(func(k *intake.Known) { k.Account.Customer = true }), review, intake.ReasonExistingCustomer},
		{"a customer by the CRM is looked at", nil, match(intake.MatchCustomer, func(*intake.Match) {}), review, intake.ReasonExistingCustomer},
		{"a customer whom a case of another made one is looked at", nil, match(intake.MatchCustomer, func(m *intake.Match) { m.Case = "LG-2026-000009-Z" }), review, intake.ReasonExistingCustomer},
		{"the partner who serves a customer goes on with it", nil, known(func(k *intake.Known) { k.Account.Customer, k.Account.Incumbent = true, "alpha" }), approve, ""},
		{"the partner of the last deal won goes on with it", nil, match(intake.MatchCustomer, func(m *intake.Match) { m.Partner = "alpha" }), approve, ""},
		{"our list counts more than the partner of the last deal won", nil, all(match(intake.MatchCustomer, func(m *intake.Match) { m.Partner = "alpha" }), known(func(k *intake.Known) { k.Account.Incumbent = "beta" })), review, intake.ReasonExistingCustomer},
		{"an account that another partner serves is looked at", nil, known(func(k *intake.Known) { k.Account.Incumbent = "beta" }), review, intake.ReasonIncumbent},
		{"the partner who serves an account is not put behind one who registered it", nil, all(with(func(*intake.Rival) {}), known(func(k *intake.Known) { k.Account.Customer, k.Account.Incumbent = true, "alpha" })), review, intake.ReasonContested},
		{"a deal of direct sales is looked at", nil, match(intake.MatchOpenDeal, func(m *intake.Match) { m.Activity = ago(180) }), review, intake.ReasonExistingDeal},
		{"a deal that nobody touched for long is no obstacle", nil, match(intake.MatchOpenDeal, func(m *intake.Match) { m.Activity = ago(200) }), approve, ""},
		{"a deal of which the age is not known is looked at", nil, match(intake.MatchOpenDeal, func(m *intake.Match) { m.Activity = time.Time{} }), review, intake.ReasonExistingDeal},
		{"a fresh deal behind one that nobody touched counts", nil, all(match(intake.MatchOpenDeal, func(m *intake.Match) { m.Activity = ago(200) }), match(intake.MatchOpenDeal, func(*intake.Match) {})), review, intake.ReasonExistingDeal},
		{"a deal of direct sales is declined if the policy says so", func(s *Spec) { s.DirectDeal = decline }, match(intake.MatchOpenDeal, func(*intake.Match) {}), decline, intake.ReasonExistingDeal},
		{"a deal of another partner is looked at even then", func(s *Spec) { s.DirectDeal = decline }, match(intake.MatchOpenDeal, func(m *intake.Match) { m.Partner = "beta" }), review, intake.ReasonExistingDeal},
		{"a deal that carries this partner is fine", nil, match(intake.MatchOpenDeal, func(m *intake.Match) { m.Partner = "alpha" }), approve, ""},
		{"a contact of direct sales a short while ago is looked at if the policy says so", func(s *Spec) { s.RecentContact = days(180) }, known(func(k *intake.Known) { k.Account.Contacted = ago(170) }), review, intake.ReasonRecentContact},
		{"one of long ago is not", func(s *Spec) { s.RecentContact = days(180) }, known(func(k *intake.Known) { k.Account.Contacted = ago(190) }), approve, ""},
		{"without a word about it in the policy, no contact is", nil, known(func(k *intake.Known) { k.Account.Contacted = noon }), approve, ""},

		// Territories and named accounts.
		{"a country outside of the partner's territories is looked at", nil, all(territory("DE", "AT", "CH"), lead(intake.FieldCountry, "FR")), review, intake.ReasonOutsideTerritory},
		{"it is declined if the policy says so", func(s *Spec) { s.Territory = decline }, all(territory("DE"), lead(intake.FieldCountry, "FR")), decline, intake.ReasonOutsideTerritory},
		{"a country inside is fine", nil, all(territory("de", "AT"), lead(intake.FieldCountry, "DE")), approve, ""},
		{"a country that is left out is outside", nil, all(territory("-FR"), lead(intake.FieldCountry, "FR")), review, intake.ReasonOutsideTerritory},
		{"all but what is left out is inside", nil, all(territory("-FR"), lead(intake.FieldCountry, "DE")), approve, ""},
		{"a country of which only a part is inside is looked at", func(s *Spec) { s.Territory = decline }, all(territory("DE-BY"), lead(intake.FieldCountry, "DE")), review, intake.ReasonOutsideTerritory},
		{"a country of which a part is left out is looked at", nil, all(territory("DE", "-DE-BY"), lead(intake.FieldCountry, "DE")), review, intake.ReasonOutsideTerritory},
		{"an unknown country is asked for where partners have territories", func(s *Spec) { s.Territories = true }, nothing, ask, intake.ReasonCountryNeeded},
		{"the ending of a domain is no evidence of the country", func(s *Spec) { s.Territories = true }, all(territory("AT"), lead(intake.FieldCompanyDomain, "acme.de")), ask, intake.ReasonCountryNeeded},
		{"an unknown country of a partner with territories is looked at where it is not asked for", func(s *Spec) { s.Territory = decline }, all(territory("AT"), lead(intake.FieldCompanyDomain, "acme.at")), review, intake.ReasonOutsideTerritory},
		{"a named account of another partner is looked at", nil, known(func(k *intake.Known) { k.Named = []string{"beta"} }), review, intake.ReasonNamedAccount},
		{"a named account of one's own is fine", nil, known(func(k *intake.Known) { k.Named = []string{"alpha"} }), approve, ""},
		{"a named account of both is looked at", nil, known(func(k *intake.Known) { k.Named = []string{"alpha", "beta"} }), review, intake.ReasonNamedAccount},

		// Certifications.
		{"a product that takes a certification is looked at without one", certified, vault, review, intake.ReasonCertification},
		{"one without an end is valid", certified, holds(""), approve, ""},
		{"one is valid on its last day", certified, all(holds("2026-09-30"), claimed("2026-09-30T21:59:59Z")), approve, ""},
		{"and no more on the next, as days are in the programme's zone", certified, all(holds("2026-09-30"), claimed("2026-09-30T22:00:00Z")), review, intake.ReasonCertification},
		{"one that ended after the claim was valid", certified, all(holds("2026-09-30"), claimed("2026-09-15T10:00:00Z")), approve, ""},
		{"one whose end is no day is none", certified, holds("next year"), review, intake.ReasonCertification},
		{"another product's is of no use", func(s *Spec) { s.CertifiedProducts = []string{"Backup", "Vault"} }, holds(""), review, intake.ReasonCertification},
		{"a product is asked for if the policy says so", func(s *Spec) { certified(s); s.AskProduct = true }, nothing, ask, intake.ReasonProductNeeded},
		{"else no product is no obstacle", certified, nothing, approve, ""},

		// Other partners.
		{"what another partner holds is waited for", nil, with(func(v *intake.Rival) { v.Status = intake.StatusProtected }), waitlist, intake.ReasonProtectedByOther},
		{"what is found by an alias of the domain is the same account", nil, with(func(v *intake.Rival) { v.Evidence = "acme.io is an alias" }), waitlist, intake.ReasonProtectedByOther},
		{"who met the company before the holder claimed it contests", nil, all(with(func(*intake.Rival) {}), metAt(ago(3))), review, intake.ReasonContested},
		{"who met it later does not", nil, all(with(func(*intake.Rival) {}), metAt(noon.Add(-time.Second))), waitlist, intake.ReasonProtectedByOther},
		{"a meeting that is not held yet does not count", nil, all(with(func(v *intake.Rival) { v.Claim = noon.Add(48 * time.Hour) }), metAt(noon.Add(24*time.Hour))), waitlist, intake.ReasonProtectedByOther},
		{"a meeting that was only arranged does not count", nil, all(with(func(*intake.Rival) {}), func(c *intake.Case) { c.Registration.Meeting = ago(3) }), waitlist, intake.ReasonProtectedByOther},
		{"two undecided claims contest", nil, with(func(v *intake.Rival) { v.Status = intake.StatusInReview }), review, intake.ReasonContested},
		{"of two at the same moment the later stored is put behind a holder", nil, with(func(v *intake.Rival) { v.Claim = noon.Add(-time.Minute) }), waitlist, intake.ReasonProtectedByOther},
		{"and contests an undecided one", nil, with(func(v *intake.Rival) { v.Status = intake.StatusNeedsInfo }), review, intake.ReasonContested},
		{"while the earlier stored is not stopped by one that is not checked yet", nil, with(func(v *intake.Rival) { v.Status, v.Earlier = intake.StatusSubmitted, false }), approve, ""},
		{"two who claim different parts are both approved", split, all(lead(intake.FieldProductInterest, "Backup"), with(func(v *intake.Rival) { v.Scope = "security" })), approve, ""},
		{"two whose parts overlap are not", split, all(lead(intake.FieldProductInterest, "Backup; Vault"), with(func(v *intake.Rival) { v.Scope = "vault" })), waitlist, intake.ReasonProtectedByOther},
		{"one who claims the whole is in the way of every part", split, all(lead(intake.FieldProductInterest, "Backup"), with(func(*intake.Rival) {})), waitlist, intake.ReasonProtectedByOther},
		{"parts mean nothing where accounts are not shared", nil, all(lead(intake.FieldProductInterest, "Backup"), with(func(v *intake.Rival) { v.Scope = "security" })), waitlist, intake.ReasonProtectedByOther},
		{"a missing part is asked for", split, with(func(*intake.Rival) {}), ask, intake.ReasonScopeNeeded},
		{"a part that nobody knows is asked for", func(s *Spec) { split(s); s.Scopes = []string{"Backup"} }, lead(intake.FieldProductInterest, "Back-up"), ask, intake.ReasonScopeNeeded},
		{"a known part is taken in any spelling", func(s *Spec) { split(s); s.Scopes = []string{"Cloud Backup"} }, lead(intake.FieldProductInterest, "cloud  backup"), approve, ""},

		// Groups and similar names.
		{"a company of a group of which another holds one is looked at", nil, with(func(v *intake.Rival) { v.Grade = identity.GradeRelated }), review, intake.ReasonRelatedAccount},
		{"it is waited for if a claim is to the whole group", group, with(func(v *intake.Rival) { v.Grade = identity.GradeRelated }), waitlist, intake.ReasonProtectedByOther},
		{"one's own company of a group is never merged", group, with(func(v *intake.Rival) { own(v); v.Grade = identity.GradeRelated }), approve, ""},
		{"a company whose parent is a customer is looked at", nil, known(func(k *intake.Known) { k.Group = []intake.Account{{Domain: "parent.example", Customer: true}} }), review, intake.ReasonRelatedAccount},
		{"a company whose parent is blocked is looked at", nil, known(func(k *intake.Known) { k.Group = []intake.Account{{Blocked: "sanctions"}} }), review, intake.ReasonRelatedAccount},
		{"a company whose parent another serves is looked at", nil, known(func(k *intake.Known) { k.Group = []intake.Account{{Incumbent: "beta"}} }), review, intake.ReasonRelatedAccount},
		{"a company whose parent this partner serves is fine", nil, known(func(k *intake.Known) { k.Group = []intake.Account{{Customer: true, Incumbent: "alpha"}} }), approve, ""},
		{"a blocked parent blocks the whole group if a claim is to all of it", group, known(func(k *intake.Known) { k.Group = []intake.Account{{Blocked: "sanctions"}} }), decline, intake.ReasonBlocked},
		{"a group of which nothing is known is fine", nil, known(func(k *intake.Known) { k.Group = []intake.Account{{Domain: "parent.example"}} }), approve, ""},
		{"probably the same name is looked at", nil, with(func(v *intake.Rival) { v.Grade = identity.GradeProbable }), review, intake.ReasonSimilarAccount},
		{"perhaps the same name is looked at", nil, with(func(v *intake.Rival) { v.Grade = identity.GradePossible }), review, intake.ReasonSimilarAccount},
		{"a name of our list is looked at", nil, known(func(k *intake.Known) {
			k.Alike = []intake.Alike{{Account: intake.Account{Name: "Acme Inc.", Domain: "acme.com"}}}
		}), review, intake.ReasonSimilarAccount},
		{"a similar name that has ended is not looked at", nil, with(func(v *intake.Rival) { v.Grade, v.Status = identity.GradeProbable, intake.StatusDeclined }), approve, ""},

		// Domains.
		{"a contact at a mail provider and no domain is asked for it", nil, withoutCompany("gmail.com"), ask, intake.ReasonFreeMailOnly},
		{"asked once, it is for a person", nil, all(withoutCompany("gmail.com"), func(c *intake.Case) { c.Registration.Asks = 1 }), review, intake.ReasonFreeMailOnly},
		{"a domain that is a mail provider's is asked about once too", nil, all(withoutCompany("gmail.com"), func(c *intake.Case) {
			c.Registration.Asks = 1
			c.Registration.Problems = []intake.Problem{{Field: intake.FieldCompanyDomain, Code: intake.ProblemFreeMail}}
		}), review, intake.ReasonFreeMailOnly},
		{"a domain that is none is asked for again", nil, all(withoutCompany("gmail.com"), func(c *intake.Case) {
			c.Registration.Asks = 1
			c.Registration.Problems = []intake.Problem{{Field: intake.FieldCompanyDomain, Code: intake.ProblemInvalidDomain}}
		}), ask, intake.ReasonMissingField},
		{"without a domain a blocked country is declined all the same", func(s *Spec) { s.BlockedCountries = []string{"KP"} }, all(withoutCompany("gmail.com"), lead(intake.FieldCountry, "KP"), func(c *intake.Case) { c.Registration.Asks = 1 }), decline, intake.ReasonBlocked},
		{"a contact of another company is accepted", nil, lead(intake.FieldContactEmail, "jane@agency.example"), approve, ""},
		{"a contact at the partner's own domain is asked about", nil, lead(intake.FieldContactEmail, "jane@mail.alpha.example"), ask, intake.ReasonMissingField},
		{"a contact at our own domain is asked about", nil, lead(intake.FieldContactEmail, "jane@eu.vendor.example"), ask, intake.ReasonMissingField},
		{"a look-alike domain is looked at", nil, lead(intake.FieldCompanyDomain, "xn--cme-5cd.com"), review, intake.ReasonHomograph},

		// The CRM, the partner, the quota.
		{"nothing is approved while a CRM can't be asked", nil, func(c *intake.Case) { c.Unreachable = []string{"hub"} }, review, intake.ReasonCRMUnverified},
		{"a suspended partner is declined", nil, partnerIs(func(p *intake.Partner) { p.Status = intake.PartnerSuspended }), decline, intake.ReasonPartnerInactive},
		{"one who leaves later is not", nil, partnerIs(func(p *intake.Partner) { p.Status, p.StatusFrom = intake.PartnerOffboarded, noon.Add(time.Second) }), approve, ""},
		{"one who leaves now is", nil, partnerIs(func(p *intake.Partner) { p.Status, p.StatusFrom = intake.PartnerOffboarding, noon }), decline, intake.ReasonPartnerInactive},
		{"one who joins later is", nil, partnerIs(func(p *intake.Partner) { p.StatusFrom = noon.Add(time.Second) }), decline, intake.ReasonPartnerInactive},
		{"a deal says what it is worth where the policy wants that", func(s *Spec) { s.DealFields = []intake.Field{intake.FieldTargetRevenue} }, lead(intake.FieldKind, intake.KindDeal), ask, intake.ReasonMissingField},
		{"and else it does not have to", nil, lead(intake.FieldKind, intake.KindDeal), approve, ""},
		{"a lead does not have to", nil, lead(intake.FieldKind, intake.KindLead), approve, ""},
		{"without consent nothing is approved", nil, lead(intake.FieldConsent, ""), ask, intake.ReasonConsentRequired},
		{"with a no it is not either", nil, lead(intake.FieldConsent, intake.ConsentNo), ask, intake.ReasonConsentRequired},
		{"a missing field is asked for", nil, lead(intake.FieldProblem, ""), ask, intake.ReasonMissingField},
		{"a partner at the quota is looked at", nil, func(c *intake.Case) { c.Partner.Quota, c.Holds = 5, 5 }, review, intake.ReasonQuota},
		{"a partner below it is not", nil, func(c *intake.Case) { c.Partner.Quota, c.Holds = 5, 4 }, approve, ""},
		{"a partner without one has no end", nil, func(c *intake.Case) { c.Holds = 1000 }, approve, ""},
		{"the lead that becomes a deal goes on to hold the one that it holds", nil, func(c *intake.Case) {
			c.Partner.Quota, c.Holds = 5, 5
			with(func(v *intake.Rival) { own(v); v.Lead = true })(c)
		}, approve, ""},

		// What is worst decides.
		{"a duplicate of one's own is worse than a blocked account", nil, all(lead(intake.FieldCompanyDomain, "blocked.example"), with(own)), merge, intake.ReasonDuplicateOwn},
		{"a blocked account is worse than one that is held", nil, all(lead(intake.FieldCompanyDomain, "blocked.example"), with(func(*intake.Rival) {})), decline, intake.ReasonBlocked},
		{"what is held is worse than what is looked at", nil, all(known(func(k *intake.Known) { k.Account.Customer = true }), with(func(*intake.Rival) {})), waitlist, intake.ReasonProtectedByOther},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := judged(t, c.rule, c.given)
			if d.Outcome != c.outcome || d.Reason != c.reason {
				t.Errorf("%s (%s), want %s (%s): %+v", d.Outcome, d.Reason, c.outcome, c.reason, d.Findings)
			}
			if d.Outcome == intake.OutcomeAsk && (len(d.Problems) == 0 || d.Problems[0].Code == "") {
				t.Errorf("asks without a question: %+v", d.Problems)
			}
			if (d.Reason == intake.ReasonContested) != (len(d.Order) > 1) {
				t.Errorf("order %v", d.Order)
			}
		})
	}
}

func TestWhatDoesNotStandInTheWayIsNoted(t *testing.T) {
	for name, c := range map[string]struct {
		given given
		want  intake.Reason
		words string
	}{
		"a deal without activity":      {match(intake.MatchOpenDeal, func(m *intake.Match) { m.Activity = ago(200) }), intake.ReasonStaleDeal, "without activity since 2026-03-19"},
		"a deal of this partner":       {match(intake.MatchOpenDeal, func(m *intake.Match) { m.Partner = "alpha" }), intake.ReasonExistingDeal, "names this partner"},
		"a customer of this partner":   {known(func(k *intake.Known) { k.Account.Customer, k.Account.Incumbent = true, "alpha" }), intake.ReasonIncumbent, "served by this partner"},
		"a contract that ends soon":    {known(func(k *intake.Known) { k.Account.Incumbent, k.Account.Renewal = "alpha", noon.AddDate(0, 0, 60) }), intake.ReasonIncumbent, "ends on 2026-12-04, within 90 days"},
		"a named account of one's own": {known(func(k *intake.Known) { k.Named = []string{"alpha"} }), intake.ReasonNamedAccount, "of this partner"},
		"a contact at an agency":       {lead(intake.FieldContactEmail, "jane@agency.example"), intake.ReasonContactDomain, "agency.example"},
		"two names of our list compare": {known(func(k *intake.Known) {
			k.Alike = []intake.Alike{{Account: intake.Account{Name: "Acme Inc.", Domain: "acme.com"}}}
		}), intake.ReasonSimilarAccount, "Acme GmbH (acme.example, country unknown) beside Acme Inc. (acme.com, country unknown)"},
	} {
		d := judged(t, nil, c.given)
		if len(d.Findings) != 1 || d.Findings[0].Reason != c.want || !strings.Contains(d.Findings[0].Evidence, c.words) {
			t.Errorf("%s: %+v", name, d.Findings)
		}
	}
	late := known(func(k *intake.Known) { k.Account.Incumbent, k.Account.Renewal = "alpha", noon.AddDate(0, 0, 91) })
	if d := judged(t, nil, late); len(d.Findings) != 1 || strings.Contains(d.Findings[0].Evidence, "ends on") {
		t.Errorf("a contract that ends later: %+v", d.Findings)
	}
	for name, given := range map[string]given{
		"a contact at an alias of the company": all(lead(intake.FieldContactEmail, "jane@acme-group.example"), known(func(k *intake.Known) { k.Account.Aliases = []string{"acme-group.example"} })),
		"a contract of nobody's":               known(func(k *intake.Known) { k.Account.Renewal = noon.AddDate(0, 0, 60) }),
	} {
		if d := judged(t, nil, given); len(d.Findings) != 0 {
			t.Errorf("%s: %+v", name, d.Findings)
		}
	}
}

// The published hierarchy, each line deciding where those above it do not.
func TestAConflictIsOrderedByTheHierarchy(t *testing.T) {
	const self, other = "LG-2026-000001-X", "LG-2026-000002-Y"
	contest := func(change func(*intake.Rival)) given {
		return with(func(v *intake.Rival) { v.Status = intake.StatusInReview; change(v) })
	}
	certified := func(s *Spec) { s.CertifiedProducts = []string{"Vault"} }
	certificate := []intake.Certification{{Product: "vault"}}
	vault := lead(intake.FieldProductInterest, "Vault")
	same := func(*intake.Rival) {}
	for _, c := range []struct {
		name  string
		rule  ruled
		given given
		first string
		words string
	}{
		{"the older claim comes first", nil, contest(same), other, other + " claimed it first"},
		{"the younger claim comes second", nil, contest(func(v *intake.Rival) { v.Earlier = false }), self, self + " claimed it first"},
		{"of two at one moment the one stored first comes first", nil, contest(func(v *intake.Rival) { v.Claim = noon.Add(-time.Minute) }), other, "at the same moment and was stored first"},
		{"the better proven sender comes before the older claim", nil, all(contest(same), func(c *intake.Case) { c.Registration.Strength = intake.StrengthVerified }), self, "better proven"},
		{"the certified one comes before the better proven", certified, all(vault, contest(func(v *intake.Rival) { v.Strength = intake.StrengthOperator }), partnerIs(func(p *intake.Partner) { p.Certifications = certificate })), self, "certified"},
		{"the rival's certification counts as well", certified, all(vault, contest(func(v *intake.Rival) { v.Earlier, v.Certified = false, certificate })), other, "certified"},
		{"a certification for what it is not about does not count", nil, all(vault, contest(func(v *intake.Rival) { v.Earlier, v.Certified = false, certificate })), self, "claimed it first"},
		{"who met the company comes before the certified one", certified, all(vault, metAt(ago(1)), contest(func(v *intake.Rival) { v.Certified = certificate })), self, "met the company first"},
		{"of two who met it the earlier comes first", nil, all(metAt(ago(1)), contest(func(v *intake.Rival) { v.Earlier, v.Met = false, ago(2) })), other, "met the company first"},
		{"a meeting that is still to come does not count", nil, all(metAt(noon.Add(time.Hour)), contest(same)), other, "claimed it first"},
		{"a meeting after the window does not count", nil, all(func(c *intake.Case) { c.Registration.Claim = ago(120) }, metAt(ago(20)), contest(same)), other, "claimed it first"},
		{"who has it as a named account comes before who met it", nil, all(known(func(k *intake.Known) { k.Named = []string{"alpha"} }), contest(func(v *intake.Rival) { v.Met = ago(2) })), self, "named account"},
		{"who serves the company comes before who has it as a named account", nil, all(known(func(k *intake.Known) { k.Named, k.Account.Incumbent = []string{"beta"}, "alpha" }), contest(same)), self, "serves the company"},
		{"if the one who serves it is not the one who met it first, a person is told", nil, all(known(func(k *intake.Known) { k.Account.Incumbent = "alpha" }), contest(func(v *intake.Rival) { v.Met = ago(2) })), self, "but " + other + " met the company first: a person must decide"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := judged(t, c.rule, c.given)
			if len(d.Order) != 2 || d.Order[0] != c.first || !slices.Contains(d.Order, self) || !slices.Contains(d.Order, other) {
				t.Errorf("order %v, want %s first", d.Order, c.first)
			}
			i := slices.IndexFunc(d.Findings, func(f intake.Finding) bool { return f.Reason == intake.ReasonContested })
			if i < 0 || !strings.Contains(d.Findings[i].Evidence, c.words) {
				t.Errorf("findings %+v do not say %q", d.Findings, c.words)
			}
			if strings.Contains(c.words, "must decide") != strings.Contains(d.Findings[i].Evidence, "must decide") {
				t.Errorf("evidence %q", d.Findings[i].Evidence)
			}
			if d.Acts {
				t.Error("a conflict decides itself")
			}
		})
	}
}

func TestNobodyElseIsInTheOrderOfAConflict(t *testing.T) {
	d := judged(t, nil, all(
		with(func(v *intake.Rival) { v.Status = intake.StatusInReview }),
		with(func(v *intake.Rival) { v.Number, v.Status, v.Earlier = "LG-3", intake.StatusWaitlisted, false }),
		with(func(v *intake.Rival) { v.Number, v.Grade = "LG-4", identity.GradePossible }),
		with(func(v *intake.Rival) { v.Number, v.Status = "LG-5", intake.StatusDeclined }),
	))
	if want := []string{"LG-2026-000002-Y", "LG-2026-000001-X", "LG-3"}; !slices.Equal(d.Order, want) {
		t.Errorf("order %v, want %v", d.Order, want)
	}
}
