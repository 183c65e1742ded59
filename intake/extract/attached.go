package extract

import (
	"strings"

	"leadgate/intake"
)

// readAttached reads tables and calendars that came along.
func (e *Extractor) readAttached(res *Result, m *mail) {
	for _, a := range m.in.Tables {
		leads, faults := readTable(e, a)
		if len(leads) == 0 && len(faults) == 0 {
			leads = e.readPairs(a, m)
		}
		res.Leads = append(res.Leads, leads...)
		res.Faults = append(res.Faults, faults...)
	}
	for _, a := range m.in.Calendars {
		res.Meetings = append(res.Meetings, readCalendar(a)...)
	}
}

// readPairs reads a file of two columns, label and value, as the lines of one lead.
func (e *Extractor) readPairs(a Attachment, m *mail) []Lead {
	var b strings.Builder
	pairs := 0
	for raw := range strings.Lines(clip(normalise(decodeText(a)), maxNewBytes)) {
		for _, mark := range []string{";", "\t", ","} {
			label, value, ok := strings.Cut(strings.TrimSpace(raw), mark)
			if _, known := e.dict.label(fold(strings.Trim(label, `"`)), false); ok && known {
				pairs++
				b.WriteString(strings.Trim(label, `"`) + ": " + strings.Trim(value, `"`) + "\n")
				break
			}
		}
	}
	if pairs < 3 {
		return nil
	}
	inner := &mail{in: m.in, doc: split(b.String(), Input{}, e.dict), sender: m.sender}
	found := e.readLabels(inner.doc, inner.doc.lines)
	for f := range found {
		for i := range found[f] {
			found[f][i].at, found[f][i].method = span{}, byTable
		}
	}
	if l := e.merge(found, inner); len(l.Fields) > 0 {
		return []Lead{l}
	}
	return nil
}

// readCards notes what attached business cards say. Of several nothing is taken: whose is
// it?
func (e *Extractor) readCards(m *mail, out candidates) {
	var cards []intake.Lead
	for _, a := range m.in.Cards {
		if l, ok := readCard(e, a); ok && e.outsiderCard(l, m) {
			cards = append(cards, l)
		}
	}
	if len(cards) != 1 {
		return
	}
	for _, f := range intake.Fields() {
		out.add(f, candidate{value: cards[0][f], words: cutRunes(cards[0][f], maxEvidence), score: scoreCard, method: byCard})
	}
}

// outsiderCard reports whether a card can be the prospect's: partners attach their own.
func (e *Extractor) outsiderCard(l intake.Lead, m *mail) bool {
	addr := l[intake.FieldContactEmail]
	return addr == "" && !m.sender.is(l[intake.FieldContactName]) || addr != "" && e.outsider(addr, m)
}

// readMessages reads the mails that were attached whole: their author is a contact, as in a
// forward, and their text tells of the prospect.
func (e *Extractor) readMessages(m *mail) candidates {
	out := make(candidates)
	e.readCards(m, out)
	for i, f := range m.in.Forwarded {
		if i == 5 {
			break
		}
		in := Input{Subject: f.Subject, Text: f.Text, HTML: f.HTML, SenderDomain: m.in.SenderDomain, SenderAddress: m.in.SenderAddress}
		inner := &mail{in: in, doc: split(e.source(in), Input{Subject: f.Subject, SenderName: f.FromName}, e.dict), sender: m.sender}
		found := e.readForward(inner)
		for j := range inner.doc.lines {
			if l := &inner.doc.lines[j]; l.region == fresh {
				l.region = forwarded
			}
		}
		if addr, ok := address(f.FromAddress); ok && e.outsider(addr, m) {
			p := person{name: personName(f.FromName), address: addr, words: strings.TrimSpace(f.FromName + " <" + addr + ">")}
			e.readPerson(found, p, scoreForward, byForward)
			e.readSignature(found, inner, inner.doc.lines, p)
		}
		found.addAll(e.readBlock(inner, inner.doc.readable(), found))
		for f := range found {
			for j := range found[f] {
				found[f][j].at = span{}
			}
		}
		out.addAll(found)
	}
	return out
}
