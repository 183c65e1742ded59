package templates

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"time"

	"leadgate/intake"
)

// try renders every template with sample facts: every status and every reason for every
// kind, and facts that are as good as empty.
func (s *Set) try(tags []string) error {
	for _, tag := range tags {
		for _, kind := range intake.MessageKinds() {
			if err := s.tryKind(tag, kind, s.locales[tag][kind]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Set) tryKind(tag string, kind intake.MessageKind, l *letter) error {
	for _, m := range samples(kind) {
		m.Facts.Locale = tag
		r, err := l.render(kind, newView(m, s.program, tag))
		if err != nil {
			return fmt.Errorf("templates: %s %s: with status %s: %w", l.from, l.name, m.Facts.Status, err)
		}
		if err := l.complete(m, r); err != nil {
			return fmt.Errorf("templates: %s %s:1: with status %s: %w", l.from, l.name, m.Facts.Status, err)
		}
	}
	return nil
}

// complete checks that a message says what every message must.
func (l *letter) complete(m intake.Message, r Rendered) error {
	if r.Subject == "" {
		return errors.New("the subject is empty")
	}
	wanted := []string{m.Facts.Contact.Email}
	if about(m.Kind) {
		wanted = append(wanted, m.Facts.Case)
	}
	for _, f := range m.Cases {
		wanted = append(wanted, f.Case)
	}
	if m.Kind == intake.MessageNeedsInfo && m.Facts.Status != intake.StatusQuarantined {
		for _, p := range m.Facts.Missing {
			wanted = append(wanted, "\n"+Label(m.Facts.Locale, p.Field)+": \n")
		}
	}
	for _, w := range wanted {
		if !strings.Contains(r.Text, w) {
			return fmt.Errorf("the text does not contain %q", w)
		}
		if w = strings.Trim(w, "\n: "); r.HTML != "" && !strings.Contains(html.UnescapeString(r.HTML), w) {
			return fmt.Errorf("the page does not contain %q", w)
		}
	}
	return nil
}

// samples returns messages of a kind that between them take every way through a template.
func samples(kind intake.MessageKind) []intake.Message {
	var list []intake.Message
	for _, status := range intake.Statuses() {
		list = append(list, sample(kind, status, ""), bare(kind, status))
	}
	for _, notice := range intake.Notices() {
		m := sample(kind, "", "")
		m.Notice = notice
		list = append(list, m)
	}
	for _, status := range intake.Statuses() {
		m := sample(kind, status, "")
		m.Request = intake.VerbAppeal
		list = append(list, m)
	}
	for _, reason := range intake.Reasons() {
		list = append(list, sample(kind, intake.StatusDeclined, reason))
	}
	return list
}

// sample is a message with everything in it.
func sample(kind intake.MessageKind, status intake.Status, reason intake.Reason) intake.Message {
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	m := intake.Message{ID: "LG-2026-000123-K.4", Kind: kind, At: at, Facts: intake.Facts{
		Case: "LG-2026-000123-K", Program: "Vendor", Company: "Acme GmbH", Status: status, Reason: reason,
		Fields: []intake.FieldFact{
			{Field: intake.FieldCompanyName, Value: "Acme GmbH"},
			{Field: intake.FieldCompanyDomain, Value: "acme.example", Words: "www.ACME.example"},
		},
		Missing: []intake.Problem{
			{Field: intake.FieldContactEmail, Code: intake.ProblemMissing},
			{Field: intake.FieldCompanyDomain, Code: intake.ProblemFreeMail},
		},
		Question: "Which office is it?", Note: "See you at the summit.",
		Due: at.Add(31 * time.Hour), Zone: "Europe/Berlin", Until: at.Add(90 * 24 * time.Hour), Received: at,
		Contact: intake.Contact{Name: "Pia Manager", Email: "pia@vendor.example"},
	}}
	switch kind {
	case intake.MessageRequested:
		m.Request = intake.VerbExtend
	case intake.MessageChanged:
		m.Changed = []intake.Field{intake.FieldCompanyDomain}
	case intake.MessageSummary:
		other := m.Facts
		other.Case, other.Company, other.Status = "LG-2026-000124-P", "Contoso Ltd", intake.StatusNeedsInfo
		m.Cases = []intake.Facts{m.Facts, other}
		m.Faults = []intake.RowFault{{Row: 4, Problem: intake.Problem{Field: intake.FieldCompanyName, Code: intake.ProblemMissing}}}
	case intake.MessageNotice:
		m.Notice = intake.NoticeNoLead
	}
	return m
}

// bare is a message with as little in it as there can be.
func bare(kind intake.MessageKind, status intake.Status) intake.Message {
	return intake.Message{ID: "LG-2026-000123-K.4", Kind: kind, Facts: intake.Facts{
		Case: "LG-2026-000123-K", Status: status, Contact: intake.Contact{Email: "pia@vendor.example"},
	}}
}
