package directory

import (
	"errors"
	"fmt"
	"net/mail"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"leadgate/intake"
)

// cell is a value that CSV has as one text and YAML as more.
type cell interface {
	text() string
	read(text string) error
}

func textOf(v reflect.Value) string {
	if c, ok := v.Addr().Interface().(cell); ok {
		return c.text()
	}
	switch v := v.Interface().(type) {
	case int:
		if v == 0 {
			return ""
		}
		return strconv.Itoa(v)
	case bool:
		if !v {
			return ""
		}
		return "yes"
	}
	return v.String()
}

func setText(v reflect.Value, text string) error {
	if c, ok := v.Addr().Interface().(cell); ok {
		return c.read(text)
	}
	text = strings.TrimSpace(text)
	switch to := v.Addr().Interface().(type) {
	case *int:
		if text == "" {
			return nil
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q: want a whole number", text)
		}
		*to = n
	case *bool:
		switch strings.ToLower(text) {
		case "yes", "true", "1":
			*to = true
		case "", "no", "false", "0":
		default:
			return fmt.Errorf("%q: want yes or no", text)
		}
	case *string:
		*to = text
	}
	return nil
}

// words are values without blanks, such as domains.
type words []string

func (w *words) text() string { return strings.Join(*w, " ") }

func (w *words) read(text string) error {
	if list := strings.FieldsFunc(text, separates); len(list) > 0 {
		*w = list
	}
	return nil
}

func separates(r rune) bool { return r == ';' || r == ',' || unicode.IsSpace(r) }

// people are contacts: Ana Silva <ana@x.example> [CTO] (left); …
type people []personRow

type personRow struct {
	Name   string `yaml:"name,omitempty"`
	Email  string `yaml:"email"`
	Role   string `yaml:"role,omitempty"`
	Status string `yaml:"status,omitempty"`
}

func (p *people) text() string {
	var all []string
	for _, c := range *p {
		s := c.Email
		if c.Name != "" {
			s = quotedName(c.Name) + " <" + c.Email + ">"
		}
		if c.Role != "" {
			s += " [" + c.Role + "]"
		}
		if c.Status != "" {
			s += " (" + c.Status + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

// quotedName is a name as it can stand before an address.
func quotedName(name string) string {
	plain := func(r rune) bool { return r == ' ' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	if !strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

func (p *people) read(text string) error {
	var wrong []error
	for _, entry := range splitQuoted(text) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		c, err := readPerson(entry)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		*p = append(*p, c)
	}
	return errors.Join(wrong...)
}

func readPerson(entry string) (c personRow, err error) {
	rest := entry
	for status := range strings.FieldsSeq("(" + intake.ContactLeft + ") (" + intake.ContactBounced + ")") {
		if before, found := strings.CutSuffix(rest, status); found {
			rest, c.Status = strings.TrimSpace(before), strings.Trim(status, "()")
			break
		}
	}
	if before, found := strings.CutSuffix(rest, "]"); found {
		if i := strings.LastIndexByte(before, '['); i >= 0 {
			rest, c.Role = before[:i], before[i+1:]
		}
	}
	a, err := mail.ParseAddress(rest)
	if err != nil {
		return c, fmt.Errorf("%q is not like Ana Silva <ana@x.example> [CTO]", entry)
	}
	c.Name, c.Email = a.Name, a.Address
	return c, nil
}

// splitQuoted splits at semicolons that are not within double quotes.
func splitQuoted(s string) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++ // what it escapes ends nothing
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			parts, start = append(parts, s[start:i]), i+1
		}
	}
	return append(parts, s[start:])
}

// namedList are named accounts: acme.example 2026-01-01..2026-12-31; …
type namedList []namedRow

type namedRow struct {
	Domain string `yaml:"domain"`
	From   string `yaml:"from,omitempty"`
	To     string `yaml:"to,omitempty"`
}

func (n *namedList) text() string {
	var all []string
	for _, a := range *n {
		s := a.Domain
		if a.From != "" || a.To != "" {
			s += " " + a.From + ".." + a.To
		}
		all = append(all, s)
	}
	return strings.Join(all, "; ")
}

func (n *namedList) read(text string) error {
	var wrong []error
	for entry := range strings.SplitSeq(text, ";") {
		domain, days, given := strings.Cut(strings.TrimSpace(entry), " ")
		if domain == "" {
			continue
		}
		from, to, two := strings.Cut(strings.TrimSpace(days), "..")
		if given && !two {
			wrong = append(wrong, fmt.Errorf("%q is not like acme.example 2026-01-01..2026-12-31", strings.TrimSpace(entry)))
		}
		*n = append(*n, namedRow{domain, from, to})
	}
	return errors.Join(wrong...)
}

// certList are certifications: Data Platform | expert | 2026-09-30; …
type certList []certRow

type certRow struct {
	Product string `yaml:"product"`
	Level   string `yaml:"level,omitempty"`
	Until   string `yaml:"until,omitempty"`
}

func (l *certList) text() string {
	var all []string
	for _, c := range *l {
		all = append(all, strings.TrimRight(c.Product+" | "+c.Level+" | "+c.Until, " |"))
	}
	return strings.Join(all, "; ")
}

func (l *certList) read(text string) error {
	var wrong []error
	for entry := range strings.SplitSeq(text, ";") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		parts := strings.Split(entry, "|")
		if len(parts) > 3 {
			wrong = append(wrong, fmt.Errorf("%q is not like Data Platform | expert | 2026-09-30", entry))
			continue
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		parts = append(parts, "", "")
		*l = append(*l, certRow{parts[0], parts[1], parts[2]})
	}
	return errors.Join(wrong...)
}

// momentText is a time as it is written: a day if it is the beginning of one in UTC.
func momentText(t time.Time) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

// readMoment reads what momentText writes.
func readMoment(text, field string, wrong *faults) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	wrong.add(field, "%q: want a day like 2026-01-31, or a time like 2026-01-31T09:00:00Z", text)
	return time.Time{}
}
