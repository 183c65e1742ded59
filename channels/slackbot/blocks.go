package slackbot

import (
	"encoding/json"
	"strings"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/templates"
)

// The names of what people press and send.
const (
	actionRegister = "register"
	actionAnswer   = "answer"
	actionOpen     = "open" // a page; nothing is to be done
	actionStaff    = "staff:"

	callbackRegister = "register"
	callbackAnswer   = "answer"
	callbackStaff    = "staff"
	actionValue      = "value" // of every input
)

// metadata is what a modal carries: where it was opened. These are names that Slack gave itself, so that
// Slack reads nothing new in it.
type metadata struct {
	Team    string `json:"t,omitempty"` // of the installation
	Channel string `json:"c,omitempty"`
	// Reply is where answers can be posted for half an hour.
	Reply string `json:"r,omitempty"`
	Case  string `json:"n,omitempty"`
	// Asks says that the form asked for an address.
	Asks bool `json:"a,omitempty"`
	// Act, Revision and Message are what staff decide on.
	Act      intake.StaffAct `json:"d,omitempty"`
	Revision int             `json:"v,omitempty"`
	// Shown is the revision that the form on which they decide has shown.
	Shown   int    `json:"s,omitempty"`
	Message string `json:"m,omitempty"`
}

func (m metadata) String() string {
	text, err := json.Marshal(m)
	if err == nil && len(text) > maxMetadata { // an address for answers that is none of Slack's
		m.Reply = ""
		text, err = json.Marshal(m)
	}
	if err != nil {
		panic(err) // texts and a number
	}
	return string(text)
}

func readMetadata(text string) (m metadata, err error) {
	err = json.Unmarshal([]byte(text), &m)
	return m, err
}

// modal is a form as Slack takes it, with what is known already.
func modal(f chat.Form, callback, title, submit string, m metadata, known intake.Lead, intro string) slack.ModalViewRequest {
	v := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, Title: plain(title, maxTitle), Submit: plain(submit, maxTitle),
		Close: plain(chat.Say(f.Locale, "form.close"), maxTitle), PrivateMetadata: m.String(),
	}
	if intro != "" {
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, section(intro))
	}
	for _, q := range f.Questions {
		if len(v.Blocks.BlockSet) == maxViewBlocks {
			break
		}
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, question(f, q, known[intake.Field(q.Name)]))
	}
	return v
}

func registration(f chat.Form, m metadata, known intake.Lead, intro string) slack.ModalViewRequest {
	return modal(f, callbackRegister, chat.Say(f.Locale, "form.title"), chat.Say(f.Locale, "form.submit"), m, known, intro)
}

// question is an input. Its block is named by the question, which is where what is wrong is told.
func question(f chat.Form, q chat.Question, known string) slack.Block {
	label, hint := q.Label, q.Hint
	var element slack.BlockElement
	switch q.Kind {
	case chat.KindConsent:
		label = q.Options[0].Words // what is agreed to is longer than an option may be
		o := slack.NewOptionBlockObject(cut(q.Options[0].Value, maxOptionValue), plain(yes(f.Locale), maxOption), nil)
		element = slack.NewCheckboxGroupsBlockElement(actionValue, o)
	case chat.KindChoice:
		var options []*slack.OptionBlockObject
		var picked *slack.OptionBlockObject
		for _, o := range q.Options {
			option := slack.NewOptionBlockObject(cut(o.Value, maxOptionValue), plain(o.Words, maxOption), nil)
			if options = append(options, option); o.Value == known {
				picked = option
			}
		}
		s := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, actionValue, options...)
		s.InitialOption = picked
		element = s
	default:
		most := min(q.Max, maxInput)
		in := &slack.PlainTextInputBlockElement{
			Type: slack.METPlainTextInput, ActionID: actionValue, MaxLength: most, Multiline: q.Kind == chat.KindLong, InitialValue: cut(known, most),
		}
		if q.Example != "" {
			in.Placeholder = plain(q.Example, maxPlaceholder)
		}
		element = in
	}
	block := slack.NewInputBlock(cut(q.Name, maxID), plain(label, maxLabel), nil, element)
	if hint != "" {
		block.Hint = plain(hint, maxHint)
	}
	block.Optional = !q.Required
	return block
}

func yes(locale string) string {
	w := templates.Word(locale, intake.ConsentYes)
	return strings.ToUpper(w[:1]) + w[1:]
}

func section(text string) slack.Block {
	return slack.NewSectionBlock(plain(text, maxSection), nil, nil)
}

// tones are signs before the word for a state, so that no state is told by a word alone.
var tones = map[chat.Tone]string{
	chat.TonePending: "⏳", chat.ToneAction: "✏️", chat.ToneGood: "✅", chat.ToneBad: "⛔", chat.ToneOver: "▪️",
}

// card lays a card out. Nothing in it is markup.
func card(c chat.Card, buttons ...slack.BlockElement) []slack.Block {
	return cardOf(c, c.Case, buttons)
}

// cardOf is card with the number of the case that it is about.
func cardOf(c chat.Card, number string, buttons []slack.BlockElement) []slack.Block {
	blocks := []slack.Block{slack.NewHeaderBlock(plain(c.Title, maxHeader))}
	if c.Badge != "" {
		blocks = append(blocks, slack.NewContextBlock("", plain(tones[c.Tone]+" "+c.Badge+" · "+number, maxFact)))
	}
	for _, l := range c.Lines {
		blocks = append(blocks, section(l))
	}
	for _, a := range c.Asks {
		blocks = append(blocks, section(strings.TrimSpace(a.Label+": "+a.Why)))
	}
	for facts := c.Rest(); len(facts) > 0; {
		n := min(len(facts), maxFacts)
		var fields []*slack.TextBlockObject
		for _, f := range facts[:n] {
			fields = append(fields, plain(f.Label+"\n"+f.Value, maxFact))
		}
		blocks = append(blocks, slack.NewSectionBlock(nil, fields, nil))
		facts = facts[n:]
	}
	if len(c.Asks) > 0 && c.Case != "" {
		buttons = append([]slack.BlockElement{button(actionAnswer, chat.Say(c.Locale, "answer"), c.Case, slack.StylePrimary)}, buttons...)
	}
	for _, l := range c.Links {
		if len(l.URL) <= maxURL {
			b := button(actionOpen, l.Words, "", slack.StyleDefault)
			b.URL = l.URL
			buttons = append(buttons, b)
		}
	}
	if len(buttons) > maxActions {
		buttons = buttons[:maxActions]
	}
	if len(blocks) > maxBlocks-1 { // the buttons count too
		blocks = append(blocks[:maxBlocks-2], section("…"))
	}
	if len(buttons) > 0 {
		unique(buttons)
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	return blocks
}

// unique gives each button of a block a name of its own, as Slack wants it.
func unique(buttons []slack.BlockElement) {
	seen := make(map[string]int)
	for _, e := range buttons {
		if b, is := e.(*slack.ButtonBlockElement); is {
			if n := seen[b.ActionID]; n > 0 {
				b.ActionID += ":" + string(rune('0'+n%10)) + string(rune('a'+n/10))
			}
			seen[b.ActionID]++
		}
	}
}

func button(action, words, value string, style slack.Style) *slack.ButtonBlockElement {
	b := slack.NewButtonBlockElement(action, cut(value, maxButtonValue), plain(words, maxButton))
	b.Style = style
	return b
}

// invitation is the message with the button that opens the form, for who can't type the command.
func (b *Bot) invitation(locale string, known intake.Lead) (text string, blocks []slack.Block) {
	text = chat.Say(locale, "register.how")
	value := ""
	if len(known) > 0 {
		if begun, err := json.Marshal(known); err == nil && len([]rune(string(begun))) <= maxButtonValue {
			value = string(begun)
		}
	}
	return text, []slack.Block{section(text), slack.NewActionBlock("", button(actionRegister, chat.Say(locale, "register"), value, slack.StylePrimary))}
}

// done is the modal after a form was sent.
func done(locale, text, link string) slack.ModalViewRequest {
	v := slack.ModalViewRequest{Type: slack.VTModal, CallbackID: "done", Title: plain(chat.Say(locale, "form.title"), maxTitle), Close: plain("OK", maxTitle)}
	v.Blocks.BlockSet = []slack.Block{section(text)}
	if link != "" && len(link) <= maxURL {
		open := button(actionOpen, chat.Say(locale, "page"), "", slack.StyleDefault)
		open.URL = link
		v.Blocks.BlockSet = append(v.Blocks.BlockSet, slack.NewActionBlock("", open))
	}
	return v
}
