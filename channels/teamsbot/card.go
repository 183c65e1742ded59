package teamsbot

import (
	"encoding/json"
	"strings"

	"leadgate/channels/chat"
	"leadgate/intake"
)

// A card is an Adaptive Card of version 1.5, the newest that Teams shows everywhere:
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
//
// What people typed stands in RichTextBlocks, whose text is no Markdown; only our own words stand
// in TextBlocks.
const (
	cardSchema  = "http://adaptivecards.io/schemas/adaptive-card.json"
	cardVersion = "1.5"
	maxTyped    = 4000
	// maxCard is the most bytes of a card: a message may have 28 KB with all that is in it.
	// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
	maxCard = 20 << 10
	maxHead = 300
)

type object = map[string]any

// The verbs of buttons.
const (
	verbRegister = "register"
	verbAnswer   = "answer"
	verbOpen     = "open" // asks for a new form
)

// The names of data that a button brings along.
const (
	dataVerb  = "leadgate_verb"
	dataDraft = "leadgate_draft"
	dataCase  = "leadgate_case"
)

func adaptive(body []any, actions []any) json.RawMessage {
	card := object{
		"type": "AdaptiveCard", "$schema": cardSchema, "version": cardVersion, "body": body,
		"msteams": object{"width": "Full"},
	}
	if len(actions) > 0 {
		card["actions"] = actions
	}
	b, err := json.Marshal(card)
	if err != nil {
		panic(err) // maps, lists and texts
	}
	return b
}

// words is a paragraph of our own.
func words(text string, more object) object {
	t := object{"type": "TextBlock", "text": text, "wrap": true}
	for k, v := range more {
		t[k] = v
	}
	return t
}

func heading(text string) object {
	return object{
		"type": "RichTextBlock", "inlines": []any{object{"type": "TextRun", "text": clip(text, maxHead), "size": "Large", "weight": "Bolder"}},
	}
}

// plain is a paragraph of texts that others have written; the first may be a label of ours.
func plain(label, text string) object {
	var runs []any
	if label != "" {
		runs = append(runs, object{"type": "TextRun", "text": label + ": ", "weight": "Bolder"})
	}
	return object{"type": "RichTextBlock", "inlines": append(runs, object{"type": "TextRun", "text": text})}
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// draft is a form on its way: what was typed, and what is wrong with it.
type draft struct {
	form chat.Form
	// id stays the same for as long as the form is open anywhere.
	id     string
	verb   string
	number string // the case that is added to
	title  string
	behalf string // the name of the partner, "" if it is not known
	values map[string]string
	wrong  []intake.Problem
	// trouble is what is wrong with the whole.
	trouble string
	// dialog says that it stands in a dialog, which knows no Action.Execute.
	dialog bool
}

// card is the form, with all that was typed.
func (d draft) card() json.RawMessage {
	body := []any{heading(d.title)}
	if d.behalf != "" {
		body = append(body, plain("", chat.Say(d.form.Locale, "behalf", d.behalf)))
	}
	if d.trouble != "" {
		body = append(body, object{"type": "Container", "style": "attention", "items": []any{plain("", d.trouble)}})
	}
	if len(d.wrong) > 0 {
		items := []any{words(say(d.form.Locale, "problems"), object{"weight": "Bolder"})}
		for _, p := range d.wrong {
			label := ""
			if q, ok := d.form.Question(string(p.Field)); ok && q.Kind != chat.KindConsent {
				label = q.Label
			}
			items = append(items, plain(label, p.Message))
		}
		body = append(body, object{"type": "Container", "style": "attention", "items": items})
	}
	for _, q := range d.form.Questions {
		body = append(body, d.input(q))
	}
	return adaptive(body, []any{d.button()})
}

// input is a question. What Teams checks itself is the same as what we check.
func (d draft) input(q chat.Question) object {
	in := object{"id": q.Name, "label": q.Label, "isRequired": q.Required}
	if q.Required {
		in["errorMessage"] = chat.Say(d.form.Locale, "missing."+string(q.Kind))
	}
	v := clip(d.values[q.Name], maxTyped)
	switch q.Kind {
	case chat.KindConsent:
		in["type"], in["label"] = "Input.Toggle", chat.Say(d.form.Locale, "consent.label")
		in["title"], in["wrap"] = q.Options[0].Words, true
		in["valueOn"], in["valueOff"], in["value"] = q.Options[0].Value, "", v
		if v != q.Options[0].Value {
			in["value"] = ""
		}
		return in
	case chat.KindChoice:
		in["type"], in["style"] = "Input.ChoiceSet", "compact"
		var choices []any
		for _, o := range q.Options {
			choices = append(choices, object{"title": o.Words, "value": o.Value})
		}
		in["choices"] = choices
	default:
		in["type"], in["maxLength"], in["isMultiline"] = "Input.Text", q.Max, q.Kind == chat.KindLong
		switch q.Name {
		case chat.NameEmail, string(intake.FieldContactEmail):
			in["style"] = "Email"
		case string(intake.FieldContactPhone):
			in["style"] = "Tel"
		}
		if q.Example != "" {
			in["placeholder"] = q.Example
		}
	}
	if v != "" {
		in["value"] = v
	}
	return in
}

// button sends the form. Clients that know no Action.Execute send it as a message.
func (d draft) button() object {
	title := chat.Say(d.form.Locale, "form.submit")
	if d.verb == verbAnswer {
		title = chat.Say(d.form.Locale, "answer.submit")
	}
	data := object{dataVerb: d.verb, dataDraft: d.id}
	if d.number != "" {
		data[dataCase] = d.number
	}
	submit := object{"type": "Action.Submit", "title": title, "data": data}
	if d.dialog {
		return submit
	}
	return object{"type": "Action.Execute", "title": title, "verb": d.verb, "data": data, "fallback": submit}
}

// openButton asks for a new form by a message, so that the card that it is on stays.
func openButton(locale string) object {
	return object{"type": "Action.Submit", "title": chat.Say(locale, "register"), "data": object{dataVerb: verbOpen}}
}

// note is a card of a few lines.
func note(title string, lines ...string) json.RawMessage {
	return adaptive(noteBody(title, lines), nil)
}

func noteBody(title string, lines []string) []any {
	body := []any{heading(title)}
	for _, l := range lines {
		if l != "" {
			body = append(body, plain("", l))
		}
	}
	return body
}

// styles are those of containers, by tone.
var styles = map[chat.Tone]string{
	chat.TonePending: "accent", chat.ToneAction: "warning", chat.ToneGood: "good", chat.ToneBad: "attention", chat.ToneOver: "emphasis",
}

// caseCard shows a card of package chat. ask is the form for what is missing, nil for none. Texts
// are cut where a message could not hold them.
func caseCard(c chat.Card, ask *draft) json.RawMessage {
	var card json.RawMessage
	for _, most := range []int{4000, 500, 120} {
		if card = caseCardOf(c, ask, most); len(card) <= maxCard {
			break
		}
	}
	return card
}

func caseCardOf(c chat.Card, ask *draft, most int) json.RawMessage {
	var body []any
	if c.Badge != "" {
		body = append(body, object{
			"type": "Container", "style": styles[c.Tone], "items": []any{words(c.Badge, object{"weight": "Bolder"})},
		})
	}
	body = append(body, heading(c.Title))
	if c.Case != "" && !strings.Contains(c.Title, c.Case) {
		body = append(body, words(c.Case, object{"isSubtle": true, "spacing": "None"}))
	}
	for _, l := range c.Lines {
		body = append(body, plain("", clip(l, most)))
	}
	for _, f := range c.Rest() {
		fact := plain(f.Label, clip(f.Value, most))
		fact["spacing"] = "Small"
		body = append(body, fact)
	}
	var actions []any
	if ask != nil {
		for _, q := range ask.form.Questions {
			if q.Hint != "" {
				body = append(body, plain(q.Label, q.Hint))
			}
			body = append(body, ask.input(q))
		}
		actions = append(actions, ask.button())
	} else {
		for _, a := range c.Asks {
			body = append(body, plain(a.Label, clip(a.Why, most)))
		}
	}
	return adaptive(body, append(actions, linkButtons(c)...))
}

func linkButtons(c chat.Card) (actions []any) {
	for _, l := range c.Links {
		if strings.HasPrefix(l.URL, "https://") || strings.HasPrefix(l.URL, "http://") {
			actions = append(actions, object{"type": "Action.OpenUrl", "title": clip(l.Words, 60), "url": l.URL})
		}
	}
	return actions
}
