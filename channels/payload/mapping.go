package payload

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"leadgate/intake"
)

// Mapping says where in a payload the things are that make a registration.
type Mapping struct {
	// Partner is the id of the one to whom the source belongs, with all that it sends. Without
	// it PartnerPointer leads to a reference that we have signed or, as a mere claim, to an id, a
	// code or a domain; of several, the first that is filled in counts.
	Partner        string   `yaml:"partner"`
	PartnerPointer Pointers `yaml:"partner_pointer"`
	// Program is the programme that the source is for, ProgramPointer leads to it: a reference
	// that was signed for another one is refused.
	Program        string   `yaml:"program"`
	ProgramPointer Pointers `yaml:"program_pointer"`
	// SubmitterEmail and SubmitterName lead to the person of the partner.
	SubmitterEmail Pointers `yaml:"submitter_email"`
	SubmitterName  Pointers `yaml:"submitter_name"`
	// Fields leads to the values of the lead. Those of several pointers are joined by a space,
	// those of a list are its entries.
	Fields map[intake.Field]Pointers `yaml:"fields"`
	// Values replaces what is found: stage: {"Just met": new_intro}.
	Values map[intake.Field]map[string]string `yaml:"values"`
	// Constants are values of every registration.
	Constants map[intake.Field]string `yaml:"constants"`
	// Text leads to words for staff to read.
	Text Pointers `yaml:"text"`
}

// Validate returns all faults at once, nil if there are none.
func (m Mapping) Validate() []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for key, p := range map[string]Pointers{
		"partner_pointer": m.PartnerPointer, "program_pointer": m.ProgramPointer,
		"submitter_email": m.SubmitterEmail, "submitter_name": m.SubmitterName, "text": m.Text,
	} {
		if err := p.Check(); err != nil {
			fault("%s: %w", key, err)
		}
	}
	if m.Partner != "" && len(m.PartnerPointer) > 0 {
		faults = append(faults, errors.New("partner_pointer: is given beside partner; keep one of them"))
	}
	if m.Program != "" && !intake.IsProgram(m.Program) {
		fault("program: use lower-case letters, digits and hyphens")
	}
	if m.Program != "" && len(m.ProgramPointer) > 0 {
		faults = append(faults, errors.New("program_pointer: is given beside program; keep one of them"))
	}
	known := func(key string, f intake.Field) bool {
		if slices.Contains(intake.Fields(), f) {
			return true
		}
		fault("%s.%s: there is no such field; there are %v", key, f, intake.Fields())
		return false
	}
	for _, f := range slices.Sorted(maps.Keys(m.Fields)) {
		if err := m.Fields[f].Check(); known("fields", f) && err != nil {
			fault("fields.%s: %w", f, err)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(m.Values)) {
		if !known("values", f) {
			continue
		}
		for _, word := range slices.Sorted(maps.Keys(m.Values[f])) {
			if v := m.Values[f][word]; !oneOf(f, v) {
				fault("values.%s: %q becomes %q; want one of %v", f, word, v, choices[f])
			}
		}
	}
	for _, f := range slices.Sorted(maps.Keys(m.Constants)) {
		if v := m.Constants[f]; known("constants", f) && !oneOf(f, v) {
			fault("constants.%s: %q; want one of %v", f, v, choices[f])
		}
	}
	return faults
}

// choices are the values of the fields that have a few.
var choices = map[intake.Field][]string{
	intake.FieldStage: intake.Stages(), intake.FieldKind: intake.Kinds(), intake.FieldConsent: {intake.ConsentYes, intake.ConsentNo},
}

// oneOf reports whether a field can have a value, or be empty.
func oneOf(f intake.Field, v string) bool {
	return v == "" || choices[f] == nil || slices.Contains(choices[f], v)
}

// lists are the fields that hold several entries.
var lists = []intake.Field{intake.FieldServicesNeeded, intake.FieldProductInterest, intake.FieldCompetingVendors}

// Lead returns what a payload says of a prospect, and the words that each value was read from.
func (m Mapping) Lead(doc any) (intake.Lead, map[intake.Field]string) {
	lead, words := make(intake.Lead), make(map[intake.Field]string)
	for _, f := range intake.Fields() {
		given := m.Fields[f].Texts(doc)
		if len(given) == 0 {
			if v := m.Constants[f]; v != "" {
				lead[f] = v
			}
			continue
		}
		words[f] = strings.Join(given, " ")
		for i, v := range given {
			given[i] = m.value(f, v)
		}
		separator := " "
		if slices.Contains(lists, f) {
			separator = intake.ListSeparator
		}
		lead[f] = strings.Join(given, separator)
	}
	return lead, words
}

// value is what a word of the form means to us.
func (m Mapping) value(f intake.Field, given string) string {
	for word, v := range m.Values[f] {
		if strings.EqualFold(strings.TrimSpace(word), given) {
			return v
		}
	}
	if f == intake.FieldConsent { // what check boxes send
		switch strings.ToLower(given) {
		case "true", "1", "checked", "on":
			return intake.ConsentYes
		case "false", "0", "unchecked", "off":
			return intake.ConsentNo
		}
		return strings.ToLower(given)
	}
	return given
}

// Says reports whether a lead says whom it is about.
func Says(l intake.Lead) bool {
	for _, f := range []intake.Field{intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldContactName} {
		if l[f] != "" {
			return true
		}
	}
	return false
}

// Names reports whether a lead says both whom it is about and whom to talk to.
func Names(l intake.Lead) bool {
	company := l[intake.FieldCompanyName] != "" || l[intake.FieldCompanyDomain] != ""
	return company && (l[intake.FieldContactEmail] != "" || l[intake.FieldContactName] != "")
}

// WithDefaults returns the mapping with those of another for what it leaves out.
func (m Mapping) WithDefaults(d Mapping) Mapping {
	if m.Partner == "" && len(m.PartnerPointer) == 0 {
		m.PartnerPointer = d.PartnerPointer
	}
	if m.Program == "" && len(m.ProgramPointer) == 0 {
		m.ProgramPointer = d.ProgramPointer
	}
	if len(m.SubmitterEmail) == 0 {
		m.SubmitterEmail = d.SubmitterEmail
	}
	if len(m.SubmitterName) == 0 {
		m.SubmitterName = d.SubmitterName
	}
	if len(m.Text) == 0 {
		m.Text = d.Text
	}
	fields := maps.Clone(d.Fields)
	if fields == nil {
		fields = make(map[intake.Field]Pointers)
	}
	maps.Copy(fields, m.Fields)
	m.Fields = fields
	return m
}
