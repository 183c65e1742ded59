package templates

import (
	"slices"
	"strings"

	"leadgate/intake"
)

// view is all that a template can see of a message. Every string in it is one line of
// visible characters.
type view struct {
	Lang    string
	Subject string // set for the page alone
	Case    string
	Program string
	// Company is the prospect as the partner typed it, Title what a subject names.
	Company string
	Title   string
	Status  string // the code, to choose by
	Word    string // the public word, to show
	// Unproven says that the sender is not known yet: nothing that was sent is repeated.
	Unproven bool
	// Reason is the code if the partner may know it, else ""; Class says what of it to tell.
	Reason string
	Class  string
	Fields []fieldView
	Asks   []askView
	// Remarks are problems that no line can be filled in for.
	Remarks  []string
	Question []string
	Note     []string
	// Due is a deadline, and DueIs says whose: "decision", "answer" or "step"; "" if there
	// is none.
	Due      string
	DueIs    string
	Until    string
	Received string
	Contact  string // name and address
	// Cases and Faults are what a summary tells.
	Cases  []caseView
	Faults []faultView
	// Notice is the code of what was wrong with a mail; Ask has the lines of a whole
	// registration where one is wanted.
	Notice string
}

// caseView is one case of several; Missing are the labels of what it waits for.
type caseView struct{ Case, Company, Word, Due, DueIs, Until, Missing string }

// faultView is a row that can't be registered.
type faultView struct {
	Row        int
	Label, Why string
}

// fieldView is a field as it was understood; Words are those of the partner if they differ.
type fieldView struct{ Label, Value, Words string }

// askView is a field to fill in. Line is the label with its colon and a blank.
type askView struct{ Label, Line, Why, Example string }

// newView takes from a message what its kind may say.
func newView(m intake.Message, program, tag string) view {
	f, l := m.Facts, localeFor(tag)
	v := view{
		Lang: tag, Case: line(f.Case, maxShort), Program: line(f.Program, maxShort),
		Company: line(f.Company, maxShort), Status: string(f.Status), Word: StatusWord(tag, f.Status),
		Unproven: f.Status == intake.StatusQuarantined, Class: string(classOf(f.Reason)),
		Question: lines(f.Question), Note: lines(f.Note),
		Due: l.moment(f.Due, f.Zone), Until: l.moment(f.Until, f.Zone), Received: l.moment(f.Received, f.Zone),
		Contact: contact(f.Contact),
	}
	if v.Program == "" {
		v.Program = line(program, maxShort)
	}
	if v.Class == string(classOwn) {
		v.Reason = string(f.Reason)
	}
	if v.Due != "" {
		v.DueIs = dueIs(m.Kind, f.Status)
	}
	v.Fields = l.fields(f.Fields)
	v.Asks, v.Remarks = l.asks(f.Missing)
	v.withhold(m.Kind)
	switch m.Kind {
	case intake.MessageSummary:
		v.Cases, v.Faults = l.cases(m.Cases), l.faults(m.Faults)
	case intake.MessageNotice, intake.MessageHelp:
		v.Notice = string(m.Notice)
		v.Asks = l.blank()
	}
	if v.Title = short(v.Company, maxTitle); v.Title == "" {
		v.Title = v.Case
	}
	return v
}

// withhold empties what a message of the kind has no business to say, so that no override
// says it. An unproven sender reads nothing of what was sent in his name.
func (v *view) withhold(kind intake.MessageKind) {
	if v.Unproven || kind == intake.MessageConfirm {
		*v = view{
			Lang: v.Lang, Case: v.Case, Program: v.Program, Status: v.Status, Word: v.Word,
			Unproven: true, Class: string(classGeneric), Contact: v.Contact,
		}
	}
	if kind != intake.MessageNeedsInfo {
		v.Question, v.Asks, v.Remarks = nil, nil, nil
	}
	if kind != intake.MessageApproved && kind != intake.MessageDeclined {
		v.Note = nil
	}
	if kind != intake.MessageReceived && kind != intake.MessageApproved {
		v.Fields = nil
	}
	if kind == intake.MessageDeclined || kind == intake.MessageWaitlisted {
		v.Until, v.Received = "", ""
	}
	if !about(kind) {
		*v = view{Lang: v.Lang, Program: v.Program, Contact: v.Contact}
	}
	if kind == intake.MessageClosed || kind == intake.MessageWithdrawn {
		v.Due, v.DueIs, v.Until, v.Received = "", "", "", ""
	}
	if kind != intake.MessageDeclined && kind != intake.MessageExpired {
		v.Reason, v.Class = "", ""
	}
}

// about reports whether a message of the kind is about one case.
func about(kind intake.MessageKind) bool {
	return kind != intake.MessageSummary && kind != intake.MessageNotice && kind != intake.MessageHelp
}

// cases shows what a summary tells of each case.
func (l *locale) cases(all []intake.Facts) []caseView {
	var out []caseView
	for _, f := range all {
		c := caseView{
			Case: line(f.Case, maxShort), Company: line(f.Company, maxShort), Word: l.statuses[f.Status],
			Due: l.moment(f.Due, f.Zone),
		}
		if f.Status.Holds() {
			c.Until = l.moment(f.Until, f.Zone)
		}
		if c.Word == "" {
			c.Word = l.statuses[intake.StatusSubmitted]
		}
		if f.Status.Undecided() && c.Due != "" {
			c.DueIs = dueIs(intake.MessageSummary, f.Status)
		}
		if f.Status == intake.StatusNeedsInfo {
			asks, _ := l.asks(f.Missing)
			var labels []string
			for _, a := range asks {
				labels = append(labels, a.Label)
			}
			c.Missing = strings.Join(labels, ", ")
		}
		if f.Status == intake.StatusQuarantined {
			c.Company = ""
		}
		out = append(out, c)
	}
	return out
}

// faults shows the rows that can't be registered, and why.
func (l *locale) faults(all []intake.RowFault) []faultView {
	var out []faultView
	for _, f := range all {
		out = append(out, faultView{Row: f.Row, Label: l.labels[f.Problem.Field], Why: l.problem(f.Problem)})
	}
	return out
}

// blank lists the lines of a whole registration.
func (l *locale) blank() []askView {
	var out []askView
	for _, f := range []intake.Field{
		intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactName, intake.FieldContactEmail,
		intake.FieldContactRole, intake.FieldProblem, intake.FieldStage, intake.FieldConsent,
	} {
		out = append(out, askView{Label: l.labels[f], Line: l.labels[f] + ": ", Example: l.examples[f]})
	}
	return out
}

func dueIs(kind intake.MessageKind, s intake.Status) string {
	switch {
	case kind == intake.MessageNeedsInfo || s == intake.StatusNeedsInfo || s == intake.StatusDeclined:
		return "answer"
	case s.Holds():
		return "step"
	case s.Undecided():
		return "decision"
	}
	return ""
}

func (l *locale) fields(facts []intake.FieldFact) []fieldView {
	var out []fieldView
	for _, f := range facts {
		label, value := l.labels[f.Field], l.value(f.Field, f.Value)
		if label == "" || value == "" {
			continue
		}
		words := line(f.Words, maxShort)
		if strings.EqualFold(words, value) || strings.EqualFold(words, f.Value) {
			words = ""
		}
		out = append(out, fieldView{Label: label, Value: value, Words: words})
	}
	return out
}

func (l *locale) value(f intake.Field, v string) string {
	if word := l.values[v]; word != "" && f == intake.FieldStage {
		return word
	}
	return line(v, maxLong)
}

// asks makes one line to fill in for each field, whatever is wrong with it, and a remark of
// each problem that concerns no field.
func (l *locale) asks(problems []intake.Problem) (asks []askView, remarks []string) {
	for _, p := range problems {
		label := l.labels[p.Field]
		known := slices.ContainsFunc(asks, func(a askView) bool { return a.Label == label })
		switch {
		case known:
		case label != "":
			why := strings.TrimSpace(l.problem(p) + " " + l.why[p.Field])
			asks = append(asks, askView{Label: label, Line: label + ": ", Why: why, Example: l.examples[p.Field]})
		case l.problem(p) != "":
			remarks = append(remarks, l.problem(p))
		}
	}
	return asks, remarks
}

// problem is the sentence for a code, or the words that came with one that has none.
func (l *locale) problem(p intake.Problem) string {
	if s, ok := l.problems[p.Code]; ok {
		return s
	}
	return line(p.Message, maxLong)
}

func contact(c intake.Contact) string {
	name, email := line(c.Name, maxShort), line(c.Email, maxShort)
	switch {
	case name == "":
		return email
	case email == "":
		return name
	}
	return name + ", " + email
}
