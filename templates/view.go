package templates

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

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
	// Request is what was asked for, or what a message about no case answers; Who decides on
	// it by name, "" if no person is known.
	Request string
	Who     string
	Fields  []fieldView
	Asks    []askView
	// Remarks are problems that no line can be filled in for.
	Remarks  []string
	Question []string
	Note     []string
	// Due is a deadline, and DueIs says whose: "decision", "plan" for when we say how it goes on,
	// "answer" or "step", or "turn" for an account that is kept until then; "" if there is none.
	Due   string
	DueIs string
	// Until is the end of the hold, Left how far it is to the moment that a reminder is about:
	// "tomorrow", "in 3 days".
	Until    string
	Left     string
	Received string
	// Meeting is when the first meeting is or was, AppealBy until when the decision can be
	// contested; "" if it can't.
	Meeting  string
	AppealBy string
	// Met says that the time of the first meeting has come and that it counts as held.
	Met bool
	// Was is the code of the state before.
	Was string
	// Extensions is how often the hold can still be prolonged, Days by how many days at most.
	Extensions int
	Days       int
	// Related is the number of another case of the partner, Percent the share in a deal.
	Related string
	Percent int
	// Deal is what sales say of it; nil for nothing.
	Deal *dealView
	// StatusLink is the page of the case, RulesLink that of the rules.
	StatusLink string
	RulesLink  string
	// ConfirmLink is the page on which an unproven sender confirms; Typed says that his address
	// was typed into a form.
	ConfirmLink string
	Typed       bool
	// Receipt has lines that stay as they are.
	Receipt string
	Rules   *rulesView
	Contact string // name and address
	// Cases and Faults are what a summary tells, Fill the lines to answer it with.
	Cases  []caseView
	Faults []faultView
	Fill   []string
	// Week is what a digest tells, Weekly says that the programme sends one.
	Week   *weekView
	Weekly bool
	// Import is what became of a file of rows.
	Import *importView
	// Notice is the code of what was wrong with a mail; Ask has the lines of a whole
	// registration where one is wanted.
	Notice string
}

// dealView is what sales say of a case. Close is a day.
type dealView struct{ Owner, Stage, Close, Next string }

// deal shows what a partner may know of it; nil for nothing.
func (l *locale) deal(f intake.DealFacts) *dealView {
	v := dealView{Owner: line(f.Owner, maxShort), Stage: line(f.Stage, maxShort), Next: line(f.NextStep, maxLong)}
	if t, err := time.Parse(time.DateOnly, f.Close); err == nil {
		v.Close = l.day(t, time.UTC)
	}
	if v == (dealView{}) {
		return nil
	}
	return &v
}

// caseView is one case of several; Missing are the labels of what it waits for, Unclear says
// what was given for it and can't be used.
type caseView struct {
	Case, Company, Word, Due, DueIs, Until, Missing string

	Unclear []string
	Fields  []fieldView
}

// faultView is a row that can't be registered, or a case number that is nobody's here.
type faultView struct {
	Row              int
	Case, Label, Why string
}

// importView is what became of a file of rows, in numbers. Mend says that sending it again, once
// it is corrected or to its end, brings something.
type importView struct {
	Name, State, Link string

	Rows, Accepted, Merged, Unchanged, NeedsInfo, Rejected, LeftOut, Left int

	// Fault says why the file can't be read, or not further, and Place where.
	Fault, Place string

	Mend, Again, Attached bool

	// How its cases stand. The Approved are held until Held; with Several ends, the first of them.
	Decided, Several bool

	Approved, Waitlisted, InReview, Declined int

	Held string

	// Standing says that the message is a later one, of which the rest is empty in the first.
	Standing bool

	Waiting, Lapsed, Late, Ending, Expired int
	// Due is until when the first of those that wait does so, Until that of the holds that end.
	Due, Until string
}

func newImport(f *intake.ImportFacts, tag string, at *time.Location) *importView {
	if f == nil {
		f = &intake.ImportFacts{}
	}
	n := f.Counts
	v := &importView{
		Name: line(f.Name, maxShort), State: string(f.State), Link: link(f.Link),
		Rows: n.Rows, Accepted: n.Accepted, Merged: n.Merged, Unchanged: n.Unchanged, NeedsInfo: n.NeedsInfo,
		Rejected: n.Rejected, LeftOut: n.LeftOut, Left: f.Left, Mend: n.NeedsInfo+n.Rejected+n.LeftOut+f.Left > 0,
		Again: f.Again, Attached: f.Attached,
	}
	if d := f.Decided; d != nil {
		v.Approved, v.Waitlisted, v.InReview, v.Declined = d.Approved, d.Waitlisted, d.InReview, d.Declined
		v.Decided = d.Approved+d.Waitlisted+d.InReview+d.Declined > 0
		v.Held, v.Several = localeFor(tag).moment(d.Until, at), !d.Until.Equal(d.Last)
	}
	if s := f.Standing; s != nil {
		v.Standing, v.Waiting, v.Lapsed, v.Late, v.Due = true, s.Waiting, s.Lapsed, s.Late, localeFor(tag).moment(s.Due, at)
		v.Ending, v.Expired, v.Until = s.Ending, s.Expired, localeFor(tag).moment(s.Until, at)
		v.Mend = s.Waiting+s.Lapsed > 0
	}
	if f.Cause != nil {
		v.Fault, v.Place = line(Fault(tag, *f.Cause), maxLong), line(localeFor(tag).places.Replace(f.Place), maxShort)
		if first, n := utf8.DecodeRuneInString(v.Fault); v.Place == "" && n > 0 { // it begins a sentence
			v.Fault = string(unicode.ToUpper(first)) + v.Fault[n:]
		}
	}
	return v
}

// fieldView is a field as it was understood; Words are those of the partner if they differ.
type fieldView struct{ Label, Value, Words string }

// askView is a field to fill in. Line is the label with its colon and a blank.
type askView struct{ Label, Line, Why, Example string }

// newView takes from a message what its kind may say to a partner. It does not look at the
// Brief.
func newView(m intake.Message, program, tag string) view {
	f, l, at := m.Facts, localeFor(tag), location(m.Facts.Zone)
	v := view{
		Lang: tag, Case: line(f.Case, maxShort), Program: line(f.Program, maxShort),
		Company: line(f.Company, maxShort), Status: string(f.Status), Word: StatusWord(tag, f.Status),
		Unproven: f.Status == intake.StatusQuarantined, Class: string(classOf(f.Reason)),
		Question: lines(f.Question), Note: lines(f.Note),
		Due: l.moment(f.Due, at), Until: l.moment(f.Until, at), Received: l.moment(f.Received, at),
		Meeting: l.moment(f.Meeting, at), AppealBy: l.moment(f.AppealBy, at),
		Contact: contact(f.Contact), Who: line(f.Contact.Name, maxShort), Request: string(m.Request),
		Was: string(f.Was), Extensions: max(0, f.Extensions), Days: max(0, f.Days), Left: l.left(m, at),
		Related: line(f.Related, maxShort), Percent: percent(f.Percent),
		StatusLink: inLanguage(f.StatusLink, f.Locale, tag), RulesLink: inLanguage(f.RulesLink, f.Locale, tag), Receipt: verbatim(f.Receipt),
	}
	if m.Kind == intake.MessageConfirm {
		v.ConfirmLink, v.Typed = inLanguage(f.ConfirmLink, f.Locale, tag), f.Typed
	}
	v.Met = f.Status == intake.StatusLocked && !f.Meeting.IsZero() && !f.Meeting.After(m.At)
	v.Deal = l.deal(f.Deal)
	v.settle(f.Status)
	if v.Program == "" {
		v.Program = line(program, maxShort)
	}
	if v.Class == string(classOwn) {
		v.Reason = string(f.Reason)
	}
	if v.Due != "" {
		v.DueIs = dueIs(m.Kind, f.Status)
	}
	v.Asks, v.Remarks = l.asks(f.Missing)
	v.Fields = l.fields(told(m))
	v.withhold(m.Kind)
	switch m.Kind {
	case intake.MessageSummary:
		v.Cases, v.Faults = l.cases(m.Cases), l.faults(m.Faults)
		v.Asks, v.Fill = l.askedOf(m.Cases), l.fill(m.Cases)
	case intake.MessageImported:
		v.Import = newImport(m.Import, tag, at)
	case intake.MessageNotice, intake.MessageHelp:
		v.Notice = string(m.Notice)
		v.Asks, v.Weekly = l.blank(), f.Weekly
	case intake.MessageDigest:
		v.Week, v.Fill = l.week(m, tag, at), l.fillWeek(m.Week)
	case intake.MessageRules:
		v.Rules = l.rules(f.Rules)
	}
	v.Request = answers(m, v.Request)
	if v.Title = short(v.Company, maxTitle); v.Title == "" {
		v.Title = v.Case
	}
	if v.Title == "" {
		v.Title = v.Program
	}
	return v
}

// settle empties what does not go with the state of the case: an end where the hold has none,
// an appeal where nothing was decided against.
func (v *view) settle(s intake.Status) {
	if !s.Holds() && s != intake.StatusExpired || s == intake.StatusLocked {
		v.Until = ""
	}
	if !s.Holds() {
		v.Meeting, v.Extensions, v.Days = "", 0, 0
	}
	if s.Holds() || s.Undecided() {
		v.AppealBy = ""
	}
	if s.Undecided() && v.Class != string(classOwn) {
		v.Class = "" // what kind of obstacle there is would tell whether there is one
	}
}

// inLanguage is the link to a page of ours in the language of the message, if the partner's is
// known; else the browser says which.
func inLanguage(to, locale, tag string) string {
	if to = link(to); to == "" || locale == "" || strings.ContainsAny(to, "?#") {
		return to
	}
	return to + "?lang=" + url.QueryEscape(tag)
}

// answers is the request that a message answers. One about no case answers an agreement to the
// rules, or what was asked about a registration that is not found.
func answers(m intake.Message, about string) string {
	switch {
	case m.Kind == intake.MessageRules && m.Request == intake.VerbAgree:
		return string(m.Request)
	case m.Kind == intake.MessageHelp && m.Facts.Case == "" && m.Request != intake.VerbHelp && slices.Contains(intake.Verbs(), m.Request):
		return string(m.Request)
	}
	return about
}

func percent(n int) int { return min(max(0, n), 100) }

// withhold empties what a message of the kind has no business to say, so that no override
// says it. An unproven sender reads nothing of what was sent in his name.
func (v *view) withhold(kind intake.MessageKind) {
	if v.Unproven || kind == intake.MessageConfirm {
		due := ""
		if kind == intake.MessageConfirm { // until when it can be confirmed is told to whoever may
			due = v.Due
		}
		*v = view{
			Lang: v.Lang, Case: v.Case, Program: v.Program, Status: v.Status, Word: v.Word,
			Unproven: true, Class: string(classGeneric), Contact: v.Contact, ConfirmLink: v.ConfirmLink, Typed: v.Typed, Due: due,
		}
	}
	if !about(kind) {
		*v = view{Lang: v.Lang, Program: v.Program, Contact: v.Contact, RulesLink: v.RulesLink}
		return
	}
	full := *v
	*v = view{
		Lang: full.Lang, Program: full.Program, Contact: full.Contact, Case: full.Case, Company: full.Company,
		Status: full.Status, Word: full.Word, Unproven: full.Unproven,
		StatusLink: full.StatusLink, RulesLink: full.RulesLink, ConfirmLink: full.ConfirmLink, Typed: full.Typed,
	}
	for _, p := range []struct {
		part part
		keep func()
	}{
		{saysFields, func() { v.Fields = full.Fields }},
		{saysAsks, func() { v.Asks, v.Remarks = full.Asks, full.Remarks }},
		{saysQuestion, func() { v.Question = full.Question }},
		{saysNote, func() { v.Note = full.Note }},
		{saysDue, func() { v.Due, v.DueIs, v.Left = full.Due, full.DueIs, full.Left }},
		{saysUntil, func() { v.Until, v.Left = full.Until, full.Left }},
		{saysReceived, func() { v.Received = full.Received }},
		{saysMeeting, func() { v.Meeting, v.Met = full.Meeting, full.Met }},
		{saysAppealBy, func() { v.AppealBy = full.AppealBy }},
		{saysExtensions, func() { v.Extensions, v.Days = full.Extensions, full.Days }},
		{saysRelated, func() { v.Related = full.Related }},
		{saysPercent, func() { v.Percent = full.Percent }},
		{saysReceipt, func() { v.Receipt = full.Receipt }},
		{saysReason, func() { v.Reason, v.Class = full.Reason, full.Class }},
		{saysRequest, func() { v.Request, v.Who = full.Request, full.Who }},
		{saysWas, func() { v.Was = full.Was }},
		{saysDeal, func() { v.Deal = full.Deal }},
	} {
		if says[kind]&p.part != 0 {
			p.keep()
		}
	}
}

// told are the fields that a message shows: those that were changed where it is about that,
// and none that it asks for, so that none stands there twice.
func told(m intake.Message) []intake.FieldFact {
	if m.Kind == intake.MessageChanged {
		return slices.DeleteFunc(slices.Clone(m.Facts.Fields), func(f intake.FieldFact) bool {
			return !slices.Contains(m.Changed, f.Field)
		})
	}
	return understood(m.Facts)
}

// understood are the fields of a case that are not asked for.
func understood(f intake.Facts) []intake.FieldFact {
	if f.Status != intake.StatusNeedsInfo {
		return f.Fields
	}
	return slices.DeleteFunc(slices.Clone(f.Fields), func(fact intake.FieldFact) bool {
		return slices.ContainsFunc(f.Missing, func(p intake.Problem) bool { return p.Field == fact.Field })
	})
}

// about reports whether a message of the kind is about one case.
func about(kind intake.MessageKind) bool {
	switch kind {
	case intake.MessageSummary, intake.MessageImported, intake.MessageNotice, intake.MessageHelp, intake.MessageRules,
		intake.MessageDigest, intake.MessageDigestOff, intake.MessageDigestOn:
		return false
	}
	return true
}

// cases shows what a summary tells of each case.
func (l *locale) cases(all []intake.Facts) []caseView {
	var out []caseView
	for _, f := range all {
		at := location(f.Zone)
		c := caseView{
			Case: line(f.Case, maxShort), Company: line(f.Company, maxShort), Word: l.statuses[f.Status],
			Due: l.moment(f.Due, at),
		}
		if f.Status.Holds() && f.Status != intake.StatusLocked {
			c.Until = l.moment(f.Until, at)
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
			c.Unclear = l.unclear(f.Missing)
		}
		c.Fields = l.fields(understood(f))
		if f.Status == intake.StatusQuarantined {
			c.Company, c.Due, c.Fields = "", "", nil
		}
		out = append(out, c)
	}
	return out
}

// unclear says of each field that is asked for what is wrong with what was given.
func (l *locale) unclear(problems []intake.Problem) []string {
	var out []string
	for _, p := range problems {
		if why := l.problem(p); why != "" { // without its label, which would read like an answer
			out = append(out, why)
		}
	}
	return out
}

// askedOf lists what several cases are asked for, each once.
func (l *locale) askedOf(all []intake.Facts) []askView {
	var missing []intake.Problem
	for _, f := range all {
		for _, p := range f.Missing {
			if f.Status == intake.StatusNeedsInfo {
				missing = append(missing, intake.Problem{Field: p.Field, Code: intake.ProblemMissing})
			}
		}
	}
	asks, _ := l.asks(missing)
	return asks
}

// fill lists the lines to answer a summary with: the number of a case and the label of what
// it waits for. If none waits for anything, one line shows how to correct a case.
func (l *locale) fill(all []intake.Facts) []string {
	var out []string
	for _, f := range all {
		if f.Status != intake.StatusNeedsInfo {
			continue
		}
		asks, _ := l.asks(f.Missing)
		for _, a := range asks {
			out = append(out, line(f.Case, maxShort)+" "+a.Line)
		}
	}
	if len(out) == 0 && len(all) > 0 {
		out = append(out, line(all[0].Case, maxShort)+" "+l.labels[intake.FieldContactRole]+": ")
	}
	return out
}

// faults shows the rows that can't be registered, and why.
func (l *locale) faults(all []intake.RowFault) []faultView {
	var out []faultView
	for _, f := range all {
		out = append(out, faultView{Row: f.Row, Case: line(f.Case, maxShort), Label: l.labels[f.Problem.Field], Why: l.problem(f.Problem)})
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
	switch kind {
	case intake.MessageNeedsInfo, intake.MessageAnswerReminder, intake.MessageIdle:
		return "answer"
	case intake.MessageLate:
		return "decision"
	case intake.MessageConflict:
		return "plan"
	case intake.MessageTurn:
		return "turn"
	}
	switch {
	case kind == intake.MessageRequested && s == intake.StatusAppeal:
		return "plan"
	case s == intake.StatusNeedsInfo:
		return "answer"
	case s == intake.StatusProvisional:
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
	switch f {
	case intake.FieldStage, intake.FieldConsent, intake.FieldKind:
		if word := l.values[v]; word != "" {
			return word
		}
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
			asks = append(asks, l.ask(p, label))
		case l.problem(p) != "":
			remarks = append(remarks, l.problem(p))
		}
	}
	return asks, remarks
}

// choices stands before what can be chosen of in the words of a problem.
const choices = "Choose of:"

// ask is the line for a field. Where there is a choice, it is said behind the question, and no
// example that may not be among it.
func (l *locale) ask(p intake.Problem, label string) askView {
	a := askView{Label: label, Line: label + ": "}
	if _, of, found := strings.Cut(p.Message, choices); found {
		of = strings.TrimSuffix(line(of, maxLong), ".")
		a.Why = strings.TrimSpace(l.why[p.Field] + " " + strings.ReplaceAll(l.choose, "{of}", of))
		return a
	}
	a.Why, a.Example = strings.TrimSpace(l.problem(p)+" "+l.why[p.Field]), l.examples[p.Field]
	return a
}

// problem is the sentence for a code, or the words that came with one that has none.
func (l *locale) problem(p intake.Problem) string {
	if s, ok := l.problems[p.Code]; ok {
		return strings.ReplaceAll(s, "{given}", l.quoted(p.Given))
	}
	return line(p.Message, maxLong)
}

// quoted is what somebody gave, between quotation marks; a word for it if it is empty.
func (l *locale) quoted(given string) string {
	if g := line(given, maxShort); g != "" {
		return l.quotes[0] + g + l.quotes[1]
	}
	return l.given
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
