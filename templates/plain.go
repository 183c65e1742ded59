package templates

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"leadgate/intake"
)

// Plain is what a message says without its layout, for channels that have one of their own.
// Everything in it is one line of visible characters, not escaped for any markup.
type Plain struct {
	Title string
	// Lines are paragraphs.
	Lines []string
	// Fields are the facts of the case, and what was understood.
	Fields []PlainField
	// Asks are what the partner has to fill in.
	Asks []PlainAsk
	// Buttons are what can be opened.
	Buttons []PlainButton
}

// PlainField is a fact and its name.
type PlainField struct{ Label, Value string }

// PlainAsk is a field to fill in, and why.
type PlainAsk struct{ Label, Why, Example string }

// PlainButton opens a page.
type PlainButton struct{ Words, URL string }

// Plain puts a message into words as Render does, from the same view and the same sentences.
// An operator's own phrases are in it; his own order of them is not. The receipt is not: it is
// for a mail or a file.
func (s *Set) Plain(m intake.Message) (Plain, error) {
	l, tag, err := s.letter(m)
	if err == nil && toStaff(m.Kind) && m.Brief == nil {
		err = errNoBrief
	}
	if err != nil {
		return Plain{}, intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
	}
	var p Plain
	if w := (plainWriter{letter: l, plain: &p}); toStaff(m.Kind) {
		w.staff(m.Kind, newStaffView(m, s.program, tag))
		err = w.err
	} else {
		w.partner(m.Kind, newView(m, s.program, tag))
		err = w.err
	}
	if err != nil {
		return Plain{}, intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
	}
	return p, nil
}

// plainWriter collects a Plain; the first error stays.
type plainWriter struct {
	letter *letter
	plain  *Plain
	err    error
}

// phrase is a sentence of the locale as one line; "" if there is none of the name.
func (w *plainWriter) phrase(name string, view any) string {
	if w.err != nil || w.letter.text.Lookup(name) == nil {
		return ""
	}
	var b bytes.Buffer
	w.err = w.letter.text.ExecuteTemplate(&b, name, view)
	return line(b.String(), maxSaid)
}

func (w *plainWriter) say(lines ...string) {
	for _, l := range lines {
		if l != "" {
			w.plain.Lines = append(w.plain.Lines, l)
		}
	}
}

func (w *plainWriter) field(label, value string) {
	if value != "" {
		w.plain.Fields = append(w.plain.Fields, PlainField{label, value})
	}
}

// fields are values, with the words that they were read from by the phrase for those.
func (w *plainWriter) fields(all []fieldView, words string) {
	for _, f := range all {
		if f.Words != "" {
			f.Value += " (" + w.phrase(words, f.Words) + ")"
		}
		w.field(f.Label, f.Value)
	}
}

func (w *plainWriter) button(words, url string) {
	if url != "" {
		w.plain.Buttons = append(w.plain.Buttons, PlainButton{words, url})
	}
}

func (w *plainWriter) partner(kind intake.MessageKind, v view) {
	name, p := string(kind), w.plain
	p.Title = w.phrase("subject."+name, v)
	w.say(w.phrase(name+".opening", v), w.phrase(name+".reason", v))
	w.say(v.Question...)
	if len(v.Note) > 0 {
		w.say(w.phrase("note", v))
		w.say(v.Note...)
	}
	if v.Rules != nil {
		w.rules(*v.Rules)
	}
	if v.Import != nil {
		w.imported(*v.Import)
	}
	if v.Rules == nil || v.Rules.Version != "" {
		agree := ""
		if v.Request != string(intake.VerbAgree) {
			agree = w.phrase(name+".agree", v)
		}
		if v.Rules == nil || agree != "" {
			next := ""
			if v.Import == nil || v.Import.Mend {
				next = w.phrase(name+".next", v)
			}
			w.say(next, w.phrase(name+".due", v), agree)
		}
	}
	if v.Week != nil {
		w.week(v.Week)
	}
	if kind == intake.MessageHelp {
		for _, c := range []string{"commands", "status", "withdraw", "extend", "appeal", "rules", "agree"} {
			w.say(w.phrase("help."+c, v))
		}
		if v.Weekly {
			w.say(w.phrase("help.digest", v))
		}
	}
	for _, c := range v.Cases {
		value := c.Company + " " + w.phrase("summary.state", c)
		if c.Missing != "" {
			value += ". " + w.phrase("summary.missing", c)
		}
		w.field(c.Case, line(value, maxLong))
	}
	for _, f := range v.Fill {
		w.say(line(f, maxLong))
	}
	for _, f := range v.Faults {
		w.say(w.phrase("summary.fault", f))
	}
	if v.Case != "" {
		w.field(w.phrase("label.case", v), v.Case)
		w.field(w.phrase("label.company", v), v.Company)
		w.field(w.phrase("label.state", v), v.Word)
	}
	if v.DueIs != "" {
		w.field(w.phrase("label.due", v), v.Due)
	}
	w.field(w.phrase("label.appeal", v), v.AppealBy)
	if d := v.Deal; d != nil {
		w.field(w.phrase("label.deal.stage", v), d.Stage)
		w.field(w.phrase("label.deal.owner", v), d.Owner)
		w.field(w.phrase("label.deal.close", v), d.Close)
		w.field(w.phrase("label.deal.next", v), d.Next)
	}
	w.fields(v.Fields, "words")
	w.field(w.phrase("label.contact", v), v.Contact)
	for _, a := range v.Asks {
		p.Asks = append(p.Asks, PlainAsk{a.Label, a.Why, a.Example})
	}
	w.say(v.Remarks...)
	w.button(w.phrase("label.link", v), v.StatusLink)
	if kind == intake.MessageConfirm {
		w.button(w.phrase("confirm.link", v), v.ConfirmLink)
	}
	if kind == intake.MessageHelp || kind == intake.MessageRules {
		w.button(w.phrase("rules.link", v), v.RulesLink)
	}
}

func (w *plainWriter) imported(n importView) {
	if n.Fault != "" {
		w.say(w.phrase("imported.fault", n))
	}
	type counted struct {
		count int
		name  string
	}
	lines := []counted{{n.Accepted, "accepted"}, {n.Merged, "merged"}, {n.NeedsInfo, "needs_info"}, {n.Rejected, "rejected"}, {n.LeftOut, "left_out"}, {n.Left, "left"}}
	if n.Standing {
		lines = []counted{{n.Waiting, "waiting"}, {n.Lapsed, "lapsed"}, {n.Late, "late"}, {n.Ending, "ending"}, {n.Expired, "expired"}}
	}
	if n.Decided && !n.Standing {
		lines = append(lines, counted{n.Approved, "approved"}, counted{n.Waitlisted, "waitlisted"}, counted{n.InReview, "in_review"}, counted{n.Declined, "declined"})
	}
	for _, line := range lines {
		if line.count > 0 {
			w.say(w.phrase("imported."+line.name, n))
		}
	}
	if n.Attached {
		w.say(w.phrase("imported.attached", n))
	}
	result := "imported.result"
	if n.Attached {
		result = "imported.page"
	}
	w.button(w.phrase(result, n), n.Link)
}

func (w *plainWriter) rules(r rulesView) {
	w.say(r.Terms...)
	for _, t := range r.Tiers {
		w.say(w.phrase("rules.tier", t))
		w.say(t.Terms...)
		if len(t.Terms) == 0 {
			w.say(w.phrase("rules.tier.same", t))
		}
	}
	w.say(w.phrase("rules.days", r), w.phrase("rules.order", r))
	for _, first := range []string{"incumbent", "named", "meeting", "certified", "proof", "earlier"} {
		w.say(w.phrase("rules.order."+first, r))
	}
}

func (w *plainWriter) staff(kind intake.MessageKind, v staffView) {
	name := string(kind)
	w.plain.Title = w.phrase("subject."+name, v)
	w.say(w.phrase(name+".opening", v))
	w.say(v.Why...)
	if len(v.Question) > 0 {
		w.say(w.phrase("staff.question", v))
		w.say(v.Question...)
	}
	if len(v.Said) > 0 {
		w.say(w.phrase("staff.said", v))
		w.say(v.Said...)
	}
	switch kind {
	case intake.StaffQueued, intake.StaffDecision, intake.StaffConfirmBy:
		for _, f := range v.Findings {
			w.say(w.phrase("staff.finding", f))
		}
	}
	if c := v.Conflict; c != nil {
		for _, e := range c.Evidence {
			w.say(w.phrase("staff.evidence", e))
		}
		w.say(w.phrase("conflict.how", v))
		for _, next := range c.Commands {
			w.say(w.phrase("conflict."+next.Verb, v) + ": " + next.Line)
		}
		w.field(w.phrase("label.between", v), c.Type)
		w.field(w.phrase("label.order", v), strings.Join(c.Cases, ", "))
		w.field(w.phrase("label.deals", v), strings.Join(c.Deals, ", "))
	}
	for _, f := range []struct{ label, value string }{
		{"label.case", v.Case},
		{"label.partner", v.Partner},
		{"label.staff.company", v.Company},
		{"label.state", v.Word},
		{"label.received", v.Received},
		{"label.until", v.Until},
		{"label.staff.due", v.Due},
	} {
		w.field(w.phrase(f.label, v), f.value)
	}
	switch kind {
	case intake.StaffQueued, intake.StaffNextStep:
		w.fields(v.Fields, "staff.words")
	}
	for _, d := range v.Digest {
		w.field(d.Label, line(strconv.Itoa(d.Count)+" "+d.Cases, maxSaid))
	}
	for _, r := range v.Renewals {
		w.field(r.Account, w.phrase("staff_renewals.line", r))
	}
	if len(v.Renewals) > 0 {
		w.say(w.phrase("staff_renewals.how", v) + " " + v.Renewals[0].Command)
	}
	if v.Probe != nil {
		w.say(w.phrase("staff_probe.next", v))
		w.field(w.phrase("label.newest", v), v.Probe.Cases)
	}
	for _, b := range append(v.Links, v.Records...) {
		w.button(b.Words, b.URL)
	}
}
