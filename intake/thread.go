package intake

import (
	"errors"
	"slices"
	"strings"

	"leadgate/intake/identity"
)

var errStranger = errors.New("sender is not of the case's partner")

// continued finds the case that the submission belongs to: the one whose thread it answers,
// the one whose number its sender may use, or the live case of its partner about the same
// account. Threaded says that it was the thread or the number.
func (a *acceptance) continued(c *change, speaker string, proven bool) (_ *Registration, threaded bool, _ error) {
	numbers, err := a.named(c, speaker, proven)
	if err != nil {
		return nil, false, err
	}
	for _, number := range numbers {
		if number == "" {
			continue
		}
		r, err := c.Case(number)
		if errors.Is(err, ErrNotFound) || err == nil && r.Status == StatusErased {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if r.Status == StatusMerged {
			if r, err = c.Case(r.MergedInto); err != nil {
				return nil, false, err
			}
			if r.Status == StatusErased {
				continue
			}
		}
		if proven && r.Partner == speaker || a.goesOn(&r) {
			return &r, true, nil
		}
		if number == a.s.Case {
			return nil, false, errStranger
		}
	}
	if !proven {
		return nil, false, nil
	}
	r, err := a.ownCase(c, speaker)
	return r, false, err
}

// maxParts is how many parts of one account a partner can claim; what comes beyond joins one of
// his cases, for a person to see to.
const maxParts = 20

// ownCase returns the live case of the speaker about the account that the submission is about;
// nil if there is none. Where the policy lets partners share accounts, another part of it is
// another case.
func (a *acceptance) ownCase(c *change, speaker string) (*Registration, error) {
	scope := c.g.policy.Scope(a.s.Lead)
	for _, named := range a.domains() {
		domains, err := accountDomains(c, named)
		if err != nil {
			return nil, err
		}
		for _, domain := range domains {
			cases, err := c.CasesByKey(keyDomain+domain, maxRivals)
			if err != nil {
				return nil, err
			}
			own := slices.DeleteFunc(cases, func(r Registration) bool { return r.Partner != speaker || !r.Strength.Proven() })
			for i := range own {
				if r := &own[i]; scope == "" || r.Scope == "" || scope == r.Scope || len(own) >= maxParts {
					return r, nil
				}
			}
		}
	}
	return nil, nil
}

// domains returns the accounts that the submission may be about: the one that it names, and
// if it names none, those of the people who are invited to a meeting.
func (a *acceptance) domains() []string {
	if d := a.s.Lead[FieldCompanyDomain]; d != "" {
		return []string{d}
	}
	var out []string
	if a.s.Lead.Empty() {
		for _, m := range a.s.Meetings {
			for _, address := range m.Attendees {
				if _, domain, ok := strings.Cut(strings.ToLower(address), "@"); ok && !slices.Contains(out, domain) && len(out) < 20 {
					out = append(out, domain)
				}
			}
		}
	}
	return out
}

// leadFor returns what the submission tells. What stands inside a quotation of ours can only
// answer what r asks.
func (a *acceptance) leadFor(r *Registration, threaded bool) Lead {
	if !a.s.Inline {
		return a.s.Lead
	}
	answers := make(Lead)
	if r != nil && threaded && r.Status == StatusNeedsInfo {
		for _, f := range problemFields(r.Problems) {
			answers[f] = a.s.Lead[f]
		}
	}
	return answers
}

// sure returns what of a lead was given in so many words, not read out of sentences.
func (a *acceptance) sure(l Lead) Lead {
	l = l.Clone()
	for _, f := range a.s.Weak {
		delete(l, f)
	}
	return l
}

// otherCompany reports whether a reply in the thread of r registers another prospect, or the
// same one anew after r came to its end. One value that differs is a correction, as long as r
// is not decided; a name beside another domain or another firm's contact is somebody else.
func (a *acceptance) otherCompany(c *change, r *Registration, l Lead) bool {
	sure := a.sure(l)
	domain := differ(l[FieldCompanyDomain], r.Lead[FieldCompanyDomain])
	contact := differ(domainOf(l[FieldContactEmail]), domainOf(r.Lead[FieldContactEmail]))
	if !r.Status.Live() {
		return sure[FieldCompanyName] != "" || sure[FieldCompanyDomain] != "" ||
			l[FieldCompanyName] != "" && (l[FieldCompanyDomain] != "" || l[FieldContactEmail] != "")
	}
	if l[FieldCompanyName] == "" {
		return domain && contact
	}
	grade, _ := identity.CompareNames(c.g.ids.Name(l[FieldCompanyName]), c.g.ids.Name(r.Lead[FieldCompanyName]), "", "")
	another := grade == identity.GradeNone && r.Lead[FieldCompanyName] != ""
	return another && (domain || contact || sure[FieldCompanyName] != "" && !r.Status.Undecided())
}

// differ reports whether two values are known and not the same.
func differ(a, b string) bool { return a != "" && b != "" && !strings.EqualFold(a, b) }

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// goesOn reports whether an unproven sender may add to r: he has confirmed it, and answers in
// its thread.
func (a *acceptance) goesOn(r *Registration) bool {
	return r.Confirmed && r.Number == a.s.Case && strings.EqualFold(r.Contact, a.s.Sender.Address)
}
