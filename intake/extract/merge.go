package extract

import (
	"fmt"
	"slices"
	"strings"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// merge makes a lead of the candidates: of each field the surest value, if it is sure enough
// and no other is nearly as sure.
func (e *Extractor) merge(found candidates, m *mail) Lead {
	l := Lead{Fields: make(intake.Lead), Evidence: make(map[intake.Field]Evidence)}
	for _, f := range intake.Fields() {
		if f != intake.FieldContactPhone {
			e.decide(&l, f, found[f])
		}
	}
	e.dropForeign(&l, m)
	if addr := l.Fields[intake.FieldContactEmail]; addr != "" && len(found[intake.FieldCompanyDomain]) == 0 {
		e.deriveDomain(&l, m)
	}
	e.decide(&l, intake.FieldContactPhone, phones(found[intake.FieldContactPhone], l.Fields, m.in.SenderDomain))
	return l
}

// decide chooses the value of one field, or notes that there are two.
func (e *Extractor) decide(l *Lead, f intake.Field, of []candidate) {
	top, second := candidate{}, candidate{}
	for _, c := range of {
		switch {
		case c.score > top.score:
			top, second = c, top
		case c.score > second.score:
			second = c
		}
	}
	if top.score < keep {
		return
	}
	if second.score >= keep && top.score-second.score < tooClose && !isText(f) {
		l.Problems = append(l.Problems, intake.Problem{
			Field: f, Code: intake.ProblemConflict,
			Message: fmt.Sprintf("%q and %q are given; which one is right?", cutRunes(top.value, 80), cutRunes(second.value, 80)),
		})
		return
	}
	l.set(f, top)
}

func (l *Lead) set(f intake.Field, c candidate) {
	value := tidy(f, c.value)
	if value == "" {
		return
	}
	words := cutRunes(c.words, maxEvidence)
	l.Fields[f] = value
	l.Evidence[f] = Evidence{Words: words, Start: c.at.start, End: c.at.end, Score: round(c.score), Method: c.method}
}

func (l *Lead) drop(f intake.Field) {
	delete(l.Fields, f)
	delete(l.Evidence, f)
}

// round keeps two decimals, so that a score is written the same everywhere.
func round(f float64) float64 { return float64(int(f*100+.5)) / 100 }

// tidy brings a value into the form in which leads are kept.
func tidy(f intake.Field, v string) string {
	if isText(f) {
		return v
	}
	if f == intake.FieldContactRole {
		v, _, _ = strings.Cut(v, " | ") // behind it comes where that is
	}
	return short(v)
}

// dropForeign takes out the sender, who is never the prospect: his own address and whatever
// is of our own domains or of a partner's.
func (e *Extractor) dropForeign(l *Lead, m *mail) {
	if d := l.Fields[intake.FieldCompanyDomain]; d != "" && l.Evidence[intake.FieldCompanyDomain].Method != byLabel && e.foreign(d, m) {
		l.drop(intake.FieldCompanyDomain)
	}
	if a := l.Fields[intake.FieldContactEmail]; a != "" && strings.EqualFold(a, m.in.SenderAddress) {
		l.drop(intake.FieldContactEmail)
	}
}

// foreign reports whether a registrable domain can't be the prospect's: it is the sender's, or
// made of his own name, ours or a partner's.
func (e *Extractor) foreign(key string, m *mail) bool {
	label, _, _ := strings.Cut(key, ".")
	if own := strings.ReplaceAll(m.sender.name, " ", ""); len(own) > 5 && own == strings.ReplaceAll(label, "-", "") {
		return true
	}
	return key == m.in.SenderDomain || e.opts.OwnDomain(key) || e.opts.PartnerDomain(key)
}

// deriveDomain takes the company's domain from the contact's address.
func (e *Extractor) deriveDomain(l *Lead, m *mail) {
	from := l.Evidence[intake.FieldContactEmail]
	addr := l.Fields[intake.FieldContactEmail]
	key, ok := e.companyOf(addr, m.in.SenderDomain)
	if !ok {
		return
	}
	l.set(intake.FieldCompanyDomain, candidate{
		value: key, words: from.Words, at: span{from.Start, from.End}, score: from.Score * .95, method: byAddress,
	})
}

// companyOf returns the registrable domain of an address if it can be the prospect's: no
// mail provider, not the sender's, no partner's and not our own.
func (e *Extractor) companyOf(addr, sender string) (string, bool) {
	d, err := e.ids.Domain(addr[strings.LastIndexByte(addr, '@')+1:])
	if err != nil || d.FreeMail || d.Key == sender || e.opts.OwnDomain(d.Key) || e.opts.PartnerDomain(d.Key) {
		return "", false
	}
	return d.Key, true
}

// phones brings numbers into E.164, read with the habits of the prospect's country, or else of
// the sender's; what is no number there is left out. What may be the number of something else
// must be in use where the prospect is, and so must what is read with the sender's habits.
func phones(of []candidate, lead intake.Lead, sender string) []candidate {
	out := make(candidates)
	region := lead[intake.FieldCountry]
	if region == "" {
		region = countryOfDomain(lead[intake.FieldCompanyDomain])
	}
	if region == "" {
		region = countryOfDomain(domainOf("@" + lead[intake.FieldContactEmail]))
	}
	for _, c := range of {
		read, in := identity.Phone, region
		if in == "" {
			in = countryOfDomain(sender)
		}
		if c.bare || region == "" {
			read = identity.AssignedPhone
		}
		if e164, ok := read(c.value, in); ok {
			c.value = e164
			out.add(intake.FieldContactPhone, c)
		}
	}
	return out[intake.FieldContactPhone]
}

// generic are country endings that are used by everybody.
var generic = []string{"ai", "co", "fm", "gg", "io", "me", "sh", "so", "to", "tv", "cc", "ws", "eu", "ag"}

// countryOfDomain returns the country that a domain's ending stands for, "" if for none.
func countryOfDomain(domain string) string {
	end := domain[strings.LastIndexByte(domain, '.')+1:]
	switch {
	case len(end) != 2 || slices.Contains(generic, end):
		return ""
	case end == "uk":
		return "GB"
	}
	return strings.ToUpper(end)
}
