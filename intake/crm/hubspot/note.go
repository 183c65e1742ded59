package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"sync"

	"leadgate/intake"
)

// maxNoted is how many cases are remembered of which it is known what was noted.
const maxNoted = 10_000

// noted remembers up to which event notes of a case may have been written, by anybody. A deal has the
// number of events that its case had at the last push; a note of a later one has not been tried yet,
// for each note comes after a push. So only a repeat has to look whether it is one. What was pushed by
// another process may have been noted by it too.
type noted struct {
	mu    sync.Mutex
	cases map[string]span
}

// span are the events of a case of which no note was tried: those after the first number, up to the
// second, with which we pushed it.
type span struct{ after, to int }

// begin notes the number of events that the deal of a case had before a push of ours, and has since.
func (n *noted) begin(number string, before, since int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cases == nil || len(n.cases) >= maxNoted {
		n.cases = make(map[string]span)
	}
	n.cases[number] = span{max(n.cases[number].after, before), since}
}

// first reports whether a note of an event was never tried before; from now on it was.
func (n *noted) first(number string, event int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.cases[number]
	if event <= s.after || event > s.to {
		return false
	}
	n.cases[number] = span{event, s.to}
	return true
}

// Note adds an event to the timeline of the deal, its company and contact: what the partner wrote as
// an e-mail that came in, all else as a note. Each begins with the number of case and event, by which
// a repeat finds it.
func (c *Connector) Note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	if err := c.note(ctx, ref, n); err != nil {
		return c.fail("note", "case "+n.Event.Case, err)
	}
	return nil
}

func (c *Connector) note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	if ref.ID == "" && n.Event.To == intake.StatusErased {
		return nil // it was never there
	}
	if ref.ID == "" {
		return intake.Permanent(errors.New("the case has no deal"))
	}
	number := n.Event.Case
	mark := fmt.Sprintf("[%s #%d]", number, n.Event.N)
	kind, body := notes, "hs_note_body"
	properties := map[string]string{"hs_timestamp": stamp(n.Event.At)}
	to := associate(nil, ref.ID, noteToDeal)
	if n.Text == "" {
		properties[body] = mark + " " + noteText(n.Event)
		to = associate(associate(to, ref.Parts[partCompany], noteToCompany), ref.Parts[partContact], noteToContact)
	} else {
		kind, body = emails, "hs_email_html"
		to = associate(associate(associate(nil, ref.ID, emailToDeal), ref.Parts[partCompany], emailToCompany), ref.Parts[partContact], emailToContact)
		properties[body] = mark + "<br>" + markup(n.Text)
		properties["hs_email_direction"], properties["hs_email_status"] = "INCOMING_EMAIL", "SENT"
		properties["hs_email_subject"] = line(n.Subject, 990)
		properties["hs_email_headers"] = headers(n.From)
	}
	properties[body] = cut(properties[body], maxValue)
	if !c.noted.first(number, n.Event.N) {
		there, err := c.marked(ctx, ref.ID, kind, body, mark)
		if err != nil || there {
			return err
		}
	}
	_, err := c.create(ctx, kind, properties, to)
	if r := refused(err); r != nil && r.Category != "" && (taken(err) || missing(err)) && len(to) > 1 {
		_, err = c.create(ctx, kind, properties, to[:1]) // people may have deleted the company or the contact
	}
	return err
}

// headers are what HubSpot reads the sender of an e-mail from.
func headers(from string) string {
	b, err := json.Marshal(map[string]any{"from": map[string]string{"email": from}, "to": []any{}, "cc": []any{}, "bcc": []any{}})
	if err != nil { // strings alone
		return ""
	}
	return string(b)
}

var tags = regexp.MustCompile(`<[^>]*>`)

// marked reports whether a deal has a note or an e-mail that begins with a mark. What a partner wrote
// comes after it, and counts for nothing.
func (c *Connector) marked(ctx context.Context, deal, kind, body, mark string) (bool, error) {
	of, err := c.links(ctx, deals, []string{deal}, kind)
	if err != nil {
		return false, err
	}
	all, err := c.readAll(ctx, kind, of[deal], "", []string{body})
	if err != nil {
		return false, err
	}
	for _, o := range all {
		if strings.HasPrefix(strings.TrimSpace(tags.ReplaceAllString(o.Properties[body], "")), mark) {
			return true, nil
		}
	}
	return false, nil
}

// noteText tells of an event in words for staff, as HTML.
func noteText(e intake.Event) string {
	lines := []string{fmt.Sprintf("%s, %s", e.Kind, e.At.UTC().Format("2006-01-02 15:04 UTC"))}
	if e.Actor != "" {
		lines[0] += ", by " + e.Actor
	}
	if e.From != e.To {
		lines = append(lines, fmt.Sprintf("%s → %s", e.From, e.To))
	}
	if e.Reason != "" {
		lines = append(lines, fmt.Sprintf("reason: %s", e.Reason))
	}
	if e.Note != "" {
		lines = append(lines, e.Note)
	}
	return markup(strings.Join(lines, "\n"))
}

// markup is a text as HTML that says the same and no more: HubSpot shows what it is given.
func markup(s string) string {
	return strings.ReplaceAll(html.EscapeString(strings.ReplaceAll(s, "\r\n", "\n")), "\n", "<br>")
}
