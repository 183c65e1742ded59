package extract

import (
	"strings"

	"leadgate/intake"
)

// classify says what a message is to a reader who does not know who sent it.
func (e *Extractor) classify(res *Result, m *mail) Class {
	if len(res.Leads) > 1 {
		return ClassMulti
	}
	_, reply := subjectKind(m.in.Subject)
	continues := answersUs(m.in.Subject, m.doc) || res.Inline
	if len(res.Leads) == 1 {
		l := res.Leads[0].Fields
		if continues && (res.Inline || !registers(m, l)) || reply && m.doc.quotes() && !names(l) {
			return ClassReply
		}
		return e.lead(res, m)
	}
	switch {
	case continues, reply && m.doc.quotes():
		return ClassReply
	case len(res.Meetings) > 0:
		return ClassUnclear
	case e.otherBusiness(m), strings.TrimSpace(res.New) == "" && strings.TrimSpace(bareSubject(m.in.Subject)) == "":
		return ClassNotALead
	}
	return ClassUnclear
}

// names reports whether a lead says of which company it is: with less than that an answer goes
// on with what was quoted.
func names(l intake.Lead) bool {
	return l[intake.FieldCompanyName] != "" || l[intake.FieldCompanyDomain] != "" || l[intake.FieldContactEmail] != ""
}

// registers reports whether a lead is a new one in an answer to a mail of ours: it names
// another company than the one that the subject and the quotation are about.
func registers(m *mail, l intake.Lead) bool {
	name := l[intake.FieldCompanyName]
	if name == "" || l[intake.FieldContactEmail] == "" && l[intake.FieldContactName] == "" {
		return false
	}
	bare := bareName(name)
	if strings.Contains(" "+fold(m.in.Subject)+" ", " "+bare+" ") {
		return false
	}
	for i := range m.doc.lines {
		if l := &m.doc.lines[i]; l.region == quoted && strings.Contains(" "+fold(clip(l.body, maxShort))+" ", " "+bare+" ") {
			return false
		}
	}
	first := firstWord(bare)
	return !strings.Contains(" "+fold(m.in.Subject)+" ", " "+first+" ")
}

// lead tells a lead from a mail about other things that only mentions some data.
func (e *Extractor) lead(res *Result, m *mail) Class {
	l := res.Leads[0]
	strong := 0
	for f, ev := range l.Evidence {
		if leadOnly[f] && f != intake.FieldTargetRevenue && f != intake.FieldKind && (ev.Method == byLabel || ev.Method == byTable || ev.Method == byNextLine) {
			strong++
		}
	}
	if strong == 1 && l.Fields[intake.FieldCompanyName] != "" && l.Fields[intake.FieldContactEmail] == "" && l.Fields[intake.FieldCompanyDomain] == "" {
		if business, intent := e.business(m); business > 0 && intent == 0 {
			res.Leads = nil
			return ClassNotALead // who asks about an invoice names his own company
		}
	}
	if strong > 0 || len(m.in.Cards) > 0 || len(m.in.Tables) > 0 || len(m.doc.messages) > 0 {
		return ClassLead
	}
	f := l.Fields
	who := f[intake.FieldContactName] != "" && f[intake.FieldContactEmail] != ""
	if who && f[intake.FieldCompanyName] != "" && (f[intake.FieldProblem] != "" || f[intake.FieldContactRole] != "" || f[intake.FieldConsent] != "") {
		return ClassLead
	}
	business, intent := e.business(m)
	if business > 0 && intent == 0 || business > 1 && !who {
		res.Leads = nil
		return ClassNotALead
	}
	return ClassLead
}

// otherBusiness reports whether a mail has words of other business and none of a
// registration.
func (e *Extractor) otherBusiness(m *mail) bool {
	business, intent := e.business(m)
	return business > 0 && intent == 0
}

// business counts the sentences that speak of other business, and of a registration.
func (e *Extractor) business(m *mail) (business, intent int) {
	count := func(s *sentence) {
		for _, of := range proseWords().kinds["business"] {
			if of.in(s) {
				business++
			}
		}
		if proseWords().of("register").in(s) {
			intent++
		}
		for _, of := range proseWords().kinds["consent"] {
			if of.in(s) {
				intent++
			}
		}
	}
	if s := newSentenceOf(&line{body: clip(strings.Join(strings.Fields(normalise(bareSubject(m.in.Subject))), " "), 300)}); s != nil {
		count(s)
		if business > 0 && intent == 0 {
			business++
		}
	}
	var lines []line
	for _, l := range m.doc.lines {
		if l.region == fresh {
			lines = append(lines, l)
		}
	}
	for _, s := range sentences(lines) {
		count(&s)
	}
	return business, intent
}

// quotes reports whether something is quoted in a mail.
func (d *document) quotes() bool {
	for i := range d.lines {
		if d.lines[i].region == quoted {
			return true
		}
	}
	return false
}
