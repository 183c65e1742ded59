package tryton

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// sheet is the note that holds what is the case's own: a line "name: value" each; further lines of
// a value begin with two blanks. Nobody but us writes it.
type sheet struct {
	remark
	lines []line
}

type line struct{ name, value string }

var errGone = errors.New("the opportunity that was just made is gone")

func sheetMark(number string) string { return "[" + number + " state]" }

// sheetOf is what the sheet of a case says. Names are published; what is for staff only is not
// among them.
func sheetOf(r intake.Record) *sheet {
	g, s := r.Registration, &sheet{}
	add := func(name, value string) { s.lines = append(s.lines, line{name, value}) }
	add("status", string(g.Status))
	add("reason", string(g.Reason))
	add("revision", strconv.Itoa(g.Revision))
	add("programme", r.Program)
	add("partner", r.Partner.Name)
	add("partner_id", g.Partner)
	add("partner_motion", r.Partner.Motion)
	add("partner_tier", r.Partner.Tier)
	add("submitted_by", g.Contact)
	add("channel", g.Channel)
	add("claim_time", stamp(g.Claim))
	add("decision_due", stamp(g.DecisionDue))
	add("decided_at", stamp(g.Decided))
	add("protection_start", stamp(g.Protection.Start))
	add("protection_end", stamp(g.Protection.End))
	add("conflict", g.Conflict)
	add("attribution", attribution(g.Attribution))
	add("parent", g.Parent)
	add("merged_into", g.MergedInto)
	add("first_meeting", stamp(g.Meeting))
	add("last_activity", stamp(g.Activity))
	for _, f := range intake.Fields() {
		add(string(f), g.Lead[f])
	}
	return s
}

// sheetNames are the names that a sheet can have.
func sheetNames() (names []string) {
	for _, l := range sheetOf(intake.Record{}).lines {
		names = append(names, l.name)
	}
	return names
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func attribution(all []intake.Attribution) string {
	var out []string
	for _, a := range all {
		out = append(out, fmt.Sprintf("%s %s %d %%", a.Partner, a.Role, a.Percent))
	}
	return strings.Join(out, "; ")
}

func (s *sheet) value(name string) string {
	for _, l := range s.lines {
		if l.name == name {
			return l.value
		}
	}
	return ""
}

func (s *sheet) revision() int {
	n, _ := strconv.Atoi(s.value("revision"))
	return n
}

// text is the sheet as it is written. What is empty is left out.
func (s *sheet) text(number string) string {
	b := []byte(sheetMark(number) + " written by Leadgate; changes here are overwritten")
	for _, l := range s.lines {
		if l.value != "" {
			b = append(b, "\n"+l.name+": "+strings.ReplaceAll(l.value, "\n", "\n  ")...)
		}
	}
	return string(b)
}

// parseSheet reads what text wrote.
func parseSheet(text string) (lines []line) {
	for i, row := range strings.Split(text, "\n") {
		if rest, more := strings.CutPrefix(row, "  "); more && len(lines) > 0 {
			lines[len(lines)-1].value += "\n" + rest
			continue
		}
		if name, value, ok := strings.Cut(row, ": "); ok && i > 0 {
			lines = append(lines, line{name, value})
		}
	}
	return lines
}

// sheet returns the sheet of an opportunity, nil if it has none.
func (c *Connector) sheet(ctx context.Context, id int, number string) (*sheet, error) {
	all, err := c.notes(ctx, id, sheetMark(number), fewNotes)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if len(all) > 1 { // two processes wrote the first one at the same moment
		var extra []int
		for _, n := range all[1:] {
			extra = append(extra, n.ID)
		}
		if err := c.call(ctx, nil, "ir.note.delete", extra); err != nil {
			return nil, err
		}
	}
	return &sheet{remark: all[0], lines: parseSheet(all[0].Message)}, nil
}

// writeSheet brings the sheet to what the case says.
func (c *Connector) writeSheet(ctx context.Context, id int, r intake.Record, have *sheet) error {
	number := r.Registration.Number
	text := sheetOf(r).text(number)
	if have == nil {
		return c.call(ctx, nil, "ir.note.create", []values{{"resource": resource(id), "message": text}})
	}
	if slices.Equal(parseSheet(text), have.lines) {
		return nil
	}
	return c.callAt(ctx, map[string]string{fmt.Sprintf("ir.note,%d", have.ID): have.Stamp}, nil,
		"ir.note.write", []int{have.ID}, values{"message": text})
}
