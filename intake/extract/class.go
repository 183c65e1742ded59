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
	labels, strong := 0, 0
	for f, ev := range l.Evidence {
		if labelRank(ev.Method) == 0 || ev.Method == byAnswer {
			continue
		}
		labels++
		if leadOnly[f] && f != intake.FieldTargetRevenue && f != intake.FieldKind {
			strong++
		}
	}
	if strong == 1 && l.Fields[intake.FieldCompanyName] != "" && l.Fields[intake.FieldContactEmail] == "" && l.Fields[intake.FieldCompanyDomain] == "" {
		if e.otherBusiness(m) {
			res.Leads = nil
			return ClassNotALead // who asks about an invoice names his own company
		}
	}
	if strong > 0 || len(m.in.Cards) > 0 || len(m.in.Tables) > 0 || len(m.doc.messages) > 0 {
		return ClassLead
	}
	talk := e.talkOf(m)
	if e.colleague(m, &l) {
		talk.business, talk.between = talk.business+1, talk.between+1
	}
	switch f := l.Fields; {
	case introduces(f) && (talk.between < 2 || talk.intent > 0 || f[intake.FieldConsent] != ""):
		return ClassLead
	case talk.business > 0 && talk.intent == 0, talk.business > 1 && (f[intake.FieldContactName] == "" || f[intake.FieldContactEmail] == ""):
		res.Leads = nil
		return ClassNotALead
	case reachable(f), talk.intent > 0 && names(f), labels > 0:
		return ClassLead
	}
	res.Leads = nil // a sentence that sounds like a need, and nobody who has it
	return ClassUnclear
}

// introduces reports whether a lead says who somebody is and what about him: so much stands in
// no mail about other things, whatever words it has.
func introduces(l intake.Lead) bool {
	if l[intake.FieldContactName] == "" || l[intake.FieldContactEmail] == "" {
		return false
	}
	if l[intake.FieldCompanyName] == "" {
		return l[intake.FieldContactRole] != "" && (l[intake.FieldProblem] != "" || l[intake.FieldConsent] != "")
	}
	return l[intake.FieldProblem] != "" || l[intake.FieldContactRole] != "" || l[intake.FieldConsent] != ""
}

// reachable reports whether a lead says whom of which company somebody may call or write to, or
// at least which company it is and where.
func reachable(l intake.Lead) bool {
	company := l[intake.FieldCompanyName] != "" || l[intake.FieldCompanyDomain] != ""
	switch person := l[intake.FieldContactName] != ""; {
	case l[intake.FieldContactEmail] != "":
		return company || person
	case person:
		return company && (l[intake.FieldContactRole] != "" || l[intake.FieldContactPhone] != "")
	}
	return l[intake.FieldCompanyName] != "" && l[intake.FieldCompanyDomain] != ""
}

// colleague reports whether the contact is one of the writer's own people: "our new colleague
// Fiona Walsh", for whom he wants an account or a course.
func (e *Extractor) colleague(m *mail, l *Lead) bool {
	first := firstWord(fold(l.Fields[intake.FieldContactName]))
	if first == "" {
		return false
	}
	for _, s := range sentences(m.doc.fresh()) {
		for i := range s.words {
			n := proseWords().of("owncolleague").at(&s, i)
			if n == 0 {
				continue
			}
			for i += n; i < len(s.words) && proseWords().title[s.words[i].key]; i++ {
			}
			if i < len(s.words) && s.words[i].capital && s.words[i].key == first {
				return true
			}
		}
	}
	return false
}

// otherBusiness reports whether a mail has words of other business and none of a
// registration.
func (e *Extractor) otherBusiness(m *mail) bool {
	t := e.talkOf(m)
	return t.business > 0 && t.intent == 0
}

// talk counts what the sentences of a mail are about.
type talk struct {
	intent   int // a registration
	business int // other business
	// between is other business between the writer and us; what a prospect has with his
	// invoices and events may be his need.
	between int
}

// talkOf counts what subject and new text are about.
func (e *Extractor) talkOf(m *mail) talk {
	var t talk
	if s := newSentenceOf(&line{body: clip(strings.Join(strings.Fields(normalise(bareSubject(m.in.Subject))), " "), 300)}); s != nil {
		t.count(s)
		if t.business > 0 && t.intent == 0 {
			t.business++
		}
	}
	var lines []line
	for _, l := range m.doc.lines {
		if l.region == fresh {
			lines = append(lines, l)
		}
	}
	for _, s := range sentences(lines) {
		t.count(&s)
	}
	return t
}

func (t *talk) count(s *sentence) {
	d, own := proseWords(), 0
	for _, of := range d.kinds["business"] {
		if !of.in(s) {
			continue
		}
		t.business++
		switch of.value {
		case "event", "news", "price": // where people meet, and what a lead is asked for
		default:
			own++
		}
	}
	if asks(s) || d.of("ours").in(s) || d.of("addressee").in(s) || d.of("self").at(s, 0) > 0 {
		t.between += own
	}
	if d.of("enter").in(s) || !asks(s) && d.of("register").in(s) {
		t.intent++
	}
	for _, of := range d.kinds["consent"] {
		if of.in(s) {
			t.intent++
		}
	}
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
