package chat

import (
	"slices"
	"strings"

	"leadgate/intake"
	"leadgate/templates"
)

// Tone says at a glance whose turn it is, or how it ended.
type Tone string

// The tones.
const (
	TonePending Tone = "pending" // the vendor's turn
	ToneAction  Tone = "action"  // the partner's turn
	ToneGood    Tone = "good"
	ToneBad     Tone = "bad"
	ToneOver    Tone = "over"
)

// Tones is the full set.
func Tones() []Tone { return []Tone{TonePending, ToneAction, ToneGood, ToneBad, ToneOver} }

// ToneOf is the tone of a state.
func ToneOf(s intake.Status) Tone {
	switch s {
	case intake.StatusNeedsInfo, intake.StatusQuarantined:
		return ToneAction
	case intake.StatusProvisional, intake.StatusProtected, intake.StatusLocked, intake.StatusWon:
		return ToneGood
	case intake.StatusDeclined:
		return ToneBad
	case intake.StatusExpired, intake.StatusLost, intake.StatusWithdrawn, intake.StatusMerged, intake.StatusErased:
		return ToneOver
	}
	return TonePending
}

// Card is what a message says, in parts that a chat program can lay out. Every part is one line of
// visible characters without any markup.
type Card struct {
	// Locale is a built-in language.
	Locale string
	// Case is the number; "" in what is about no case or several.
	Case string
	// Badge is the word for the state, "" without a case.
	Badge string
	Tone  Tone
	Title string
	Lines []string
	// Facts are values and their names, Asks what the partner has to fill in.
	Facts []templates.PlainField
	Asks  []templates.PlainAsk
	// Links open pages; the page of the case is among them.
	Links []templates.PlainButton
	// Fields are what Asks ask for, for AnswerForm.
	Fields []intake.Problem
}

// Words puts messages into words; a templates.Set.
type Words interface {
	Plain(intake.Message) (templates.Plain, error)
}

var _ Words = (*templates.Set)(nil)

// CardOf is the card of a message.
func CardOf(w Words, m intake.Message) (Card, error) {
	p, err := w.Plain(m)
	if err != nil {
		return Card{}, err
	}
	c := Card{
		Locale: templates.Language(m.Facts.Locale), Case: strings.Join(strings.Fields(m.Facts.Case), " "), Title: p.Title, Lines: p.Lines,
		Facts: p.Fields, Asks: p.Asks, Links: p.Buttons, Tone: TonePending,
	}
	if m.Facts.Case != "" && m.Brief == nil {
		c.Badge, c.Tone = templates.StatusWord(c.Locale, m.Facts.Status), ToneOf(m.Facts.Status)
	}
	if len(c.Asks) > 0 {
		c.Fields = m.Facts.Missing
	}
	return c, nil
}

// Rest are the facts that a layout with badge, case number and title does not say already.
func (c Card) Rest() []templates.PlainField {
	if c.Badge == "" {
		return c.unsaid()
	}
	return slices.DeleteFunc(c.unsaid(), func(f templates.PlainField) bool {
		return f.Value == c.Case || f.Value == c.Badge || f.Value == c.Title || strings.HasSuffix(c.Title, ": "+f.Value)
	})
}

// unsaid are the facts that no line says in the same words: "We decide by Monday …".
func (c Card) unsaid() []templates.PlainField {
	return slices.DeleteFunc(slices.Clone(c.Facts), func(f templates.PlainField) bool {
		return slices.ContainsFunc(c.Lines, func(l string) bool { return strings.Contains(l, f.Label+" "+f.Value) })
	})
}

// Text is all of a card as plain text: what a notification and a screen reader tell.
func (c Card) Text() string {
	lines := []string{c.Title}
	lines = append(lines, c.Lines...)
	for _, f := range c.unsaid() {
		lines = append(lines, f.Label+": "+f.Value)
	}
	for _, a := range c.Asks {
		lines = append(lines, strings.TrimSpace(a.Label+": "+a.Why))
	}
	for _, l := range c.Links {
		lines = append(lines, l.Words+": "+l.URL)
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

// Discreet reports whether a message is for the person who registered alone, where others read
// along: what was refused, and what was asked of him.
func Discreet(kind intake.MessageKind) bool {
	switch kind {
	case intake.MessageNeedsInfo, intake.MessageAnswerReminder, intake.MessageDeclined, intake.MessageWaitlisted,
		intake.MessageRevoked, intake.MessageAppealDecided, intake.MessageNotExtended, intake.MessageConfirm:
		return true
	}
	return false
}

// DiscreetStatus reports whether a state is one of which others who read along are told nothing.
func DiscreetStatus(s intake.Status) bool {
	return s == intake.StatusDeclined || s == intake.StatusWaitlisted || s == intake.StatusQuarantined
}

// Tracked is the card that stays in a conversation and shows how a case stands. Where others read
// along it tells nothing of a refusal. The second result is false for a message about no case.
func Tracked(w Words, m intake.Message, alone bool) (Card, bool, error) {
	if m.Facts.Case == "" || m.Brief != nil {
		return Card{}, false, nil
	}
	state := m
	if m.Kind != intake.MessagePassedOn { // how it stands is no longer this partner's to know
		state.Kind = intake.MessageStatus
	}
	c, err := CardOf(w, state)
	if err != nil {
		return Card{}, false, err
	}
	if c.Title = m.Facts.Company; m.Kind == intake.MessagePassedOn {
		return Card{Locale: c.Locale, Case: c.Case, Title: c.Title, Tone: ToneOver, Badge: Say(c.Locale, "passed"), Lines: c.Lines}, true, nil
	}
	if alone || !Discreet(m.Kind) && !DiscreetStatus(m.Facts.Status) {
		return c, true, nil
	}
	// What stands in the card may be more than its state.
	quiet := Card{Locale: c.Locale, Case: c.Case, Title: c.Title, Tone: TonePending, Badge: Say(c.Locale, "quiet"), Lines: []string{Say(c.Locale, "quiet.how")}}
	return quiet, true, nil
}

// StaffCard is a card for staff, and what they may do about its case.
type StaffCard struct {
	Card
	Number string
	// Revision is the state of the case that the card shows.
	Revision int
	Acts     []Act
}

// Act is one thing that staff can do.
type Act struct {
	Act   intake.StaffAct
	Words string
}

// Decisions are the acts that a staff card offers, in their order.
func Decisions() []intake.StaffAct {
	return []intake.StaffAct{intake.ActApprove, intake.ActDecline, intake.ActAsk}
}

// StaffCardOf is the card of a message to staff. What can be done about it is what the message has
// links for.
func StaffCardOf(w Words, m intake.Message) (StaffCard, error) {
	c, err := CardOf(w, m)
	if err != nil {
		return StaffCard{}, err
	}
	s := StaffCard{Card: c}
	if m.Brief == nil || m.Brief.Registration == nil {
		return s, nil
	}
	r := m.Brief.Registration
	s.Number, s.Revision = r.Number, r.Revision
	s.Badge, s.Tone = templates.StatusWord(c.Locale, r.Status), ToneOf(r.Status)
	offered := m.Kind == intake.StaffQueued || m.Kind == intake.StaffDecision
	for _, act := range Decisions() {
		if words := templates.Act(c.Locale, act); offered && words != "" {
			s.Acts = append(s.Acts, Act{Act: act, Words: words})
		}
	}
	// The links are those of one person; a card is read by several.
	s.Links = nil
	return s, nil
}
