package chat

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/templates"
)

// Kind is how a question is asked.
type Kind string

// The kinds.
const (
	KindText    Kind = "text"
	KindLong    Kind = "long"   // several lines
	KindChoice  Kind = "choice" // one of Question.Options
	KindConsent Kind = "consent"
)

// Kinds is the full set.
func Kinds() []Kind { return []Kind{KindText, KindLong, KindChoice, KindConsent} }

// NameEmail is the name of the one question that is about no field of a lead: the work e-mail
// address of who fills the form in. It is asked where nothing else tells whose registration it is.
const NameEmail = "submitter_email"

// Question is one of a form.
type Question struct {
	// Name is that of a field, or NameEmail. It is what an adapter names the input by.
	Name     string
	Label    string
	Hint     string
	Example  string
	Kind     Kind
	Options  []Option
	Required bool
	// Max is how many characters an answer can have.
	Max int
}

// Option is one of a choice.
type Option struct{ Value, Words string }

// Form is the questions of a registration, in their order.
type Form struct {
	Locale    string // a built-in language
	Questions []Question
	consent   string
}

// Minimum are the fields that a form in a chat always asks for, all of them required. What the
// policy requires beside them is asked for in the conversation, once the case is there.
func Minimum() []intake.Field {
	return []intake.Field{
		intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactName, intake.FieldContactEmail,
		intake.FieldProblem, intake.FieldStage, intake.FieldConsent,
	}
}

// FormOptions say how a form differs from the usual one.
type FormOptions struct {
	Locale string
	// More are fields to ask for beside those of Minimum; they can be left empty.
	More []intake.Field
	// AskEmail asks for the address of who fills it in.
	AskEmail bool
	// Consent takes the place of what is agreed to.
	Consent string
}

// NewForm returns the form of a registration.
func NewForm(o FormOptions) Form {
	lang := templates.Language(o.Locale)
	f := Form{Locale: lang, consent: o.Consent}
	if f.consent == "" {
		f.consent = say(lang, "consent")
	}
	fields := Minimum()
	last := len(fields) - 1 // consent
	for _, name := range o.More {
		if !slices.Contains(fields, name) {
			fields = slices.Insert(fields, last, name)
			last++
		}
	}
	for _, name := range fields {
		f.Questions = append(f.Questions, f.question(name, slices.Contains(Minimum(), name)))
	}
	if o.AskEmail {
		q := Question{Name: NameEmail, Label: say(lang, "email"), Hint: say(lang, "email.hint"), Kind: KindText, Required: true, Max: maxEmail}
		f.Questions = slices.Insert(f.Questions, len(f.Questions)-1, q)
	}
	return f
}

// AnswerForm asks for what a case waits for: the fields of problems that are known.
func AnswerForm(locale string, asked []intake.Problem) Form {
	f := Form{Locale: templates.Language(locale)}
	f.consent = say(f.Locale, "consent")
	for _, p := range asked {
		if templates.Label(f.Locale, p.Field) != "" && !slices.ContainsFunc(f.Questions, func(q Question) bool { return q.Name == string(p.Field) }) {
			q := f.question(p.Field, false)
			q.Hint = templates.Explain(f.Locale, p)
			f.Questions = append(f.Questions, q)
		}
	}
	return f
}

// maxEmail is the longest address (RFC 5321, section 4.5.3.1).
const maxEmail = 254

func (f Form) question(name intake.Field, required bool) Question {
	q := Question{
		Name: string(name), Label: templates.Label(f.Locale, name), Hint: templates.Why(f.Locale, name), Example: templates.Example(f.Locale, name),
		Kind: KindText, Required: required, Max: intake.MaxRunes(name),
	}
	options := func(values []string) {
		q.Kind, q.Example = KindChoice, ""
		for _, v := range values {
			q.Options = append(q.Options, Option{Value: v, Words: upper(templates.Word(f.Locale, v))})
		}
	}
	switch name {
	case intake.FieldProblem, intake.FieldSolutionFit:
		q.Kind = KindLong
	case intake.FieldStage:
		options(intake.Stages())
		q.Hint = ""
	case intake.FieldKind:
		options(intake.Kinds())
	case intake.FieldConsent:
		q.Kind, q.Example, q.Hint = KindConsent, "", ""
		q.Options = []Option{{Value: intake.ConsentYes, Words: f.consent}}
	}
	return q
}

func upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(r)) + s[n:]
}

// Question returns a question by name.
func (f Form) Question(name string) (Question, bool) {
	for _, q := range f.Questions {
		if q.Name == name {
			return q, true
		}
	}
	return Question{}, false
}

// Examiner tells what is wrong with a lead of a partner; a Gateway.
type Examiner interface {
	Examine(ctx context.Context, partnerID, number string, l intake.Lead) (intake.Lead, []intake.Problem, error)
}

var _ Examiner = (*intake.Gateway)(nil)

// Checker checks what was typed into forms.
type Checker struct {
	Gateway  Examiner
	Identity *identity.Lists
	// Read reads a value as people write it, "Germany", "120.000 €"; "" if it is none of the field.
	// Nil takes values as they were typed.
	Read func(f intake.Field, given string) string
}

// inWords are the fields whose values are stored in another way than people write them.
var inWords = []intake.Field{intake.FieldCountry, intake.FieldTargetRevenue}

func (c Checker) read(f intake.Field, given string) string {
	if c.Read == nil || !slices.Contains(inWords, f) {
		return given
	}
	return cmp.Or(c.Read(f, given), given)
}

// Answers are what was typed into a form, as it would be stored.
type Answers struct {
	Lead intake.Lead
	// Evidence has what was agreed to, word for word.
	Evidence map[intake.Field]string
	// Email is the address of who filled it in, "" if that was not asked.
	Email string
}

// Check returns the answers in values, which has them by the name of the question, and all that is
// wrong with them in the words of the form: the Field of a problem is the name of the question. What
// the policy requires and the form does not ask is no problem here. partner is whose registration
// it is, "" if that is not known; number is the case that it is added to, "" for a new one.
func (c Checker) Check(ctx context.Context, f Form, partner, number string, values map[string]string) (Answers, []intake.Problem, error) {
	a := Answers{Lead: make(intake.Lead), Evidence: make(map[intake.Field]string)}
	for _, q := range f.Questions {
		v := strings.TrimSpace(strings.ToValidUTF8(values[q.Name], "\uFFFD"))
		switch {
		case q.Name == NameEmail:
			a.Email = v
		case v != "":
			a.Lead[intake.Field(q.Name)] = c.read(intake.Field(q.Name), v)
		}
	}
	if a.Lead[intake.FieldConsent] != "" {
		a.Evidence[intake.FieldConsent] = f.consent
	}
	clean, found, err := c.examine(ctx, partner, number, a.Lead)
	if err != nil {
		return Answers{}, nil, err
	}
	a.Lead = clean
	problems := f.missing(values)
	if p, wrong := f.wrongEmail(a.Email); wrong {
		problems = append(problems, p)
	} else if a.Email != "" {
		address, err := identity.Email(a.Email)
		if err == nil {
			a.Email = address.String()
		}
	}
	for _, p := range found {
		q, asked := f.Question(string(p.Field))
		switch {
		case slices.ContainsFunc(problems, func(o intake.Problem) bool { return o.Field == p.Field }):
		case asked:
			p.Message = f.explain(p, q)
			problems = append(problems, p)
		case p.Code == intake.ProblemMissing || p.Code == intake.ProblemConsent || p.Code == intake.ProblemTooShort:
		case len(f.Questions) > 0: // about the whole
			p.Message, p.Field = templates.Explain(f.Locale, p), intake.Field(f.Questions[0].Name)
			problems = append(problems, p)
		}
	}
	f.sort(problems)
	return a, problems, nil
}

// examine is what the gateway finds or, of nobody's lead, what can be found without it.
func (c Checker) examine(ctx context.Context, partner, number string, l intake.Lead) (intake.Lead, []intake.Problem, error) {
	if partner != "" {
		return c.Gateway.Examine(ctx, partner, number, l)
	}
	var long []intake.Problem
	for f, v := range l {
		if utf8.RuneCountInString(v) > intake.MaxRunes(f) {
			long = append(long, intake.Problem{Field: f, Code: intake.ProblemTooLong})
		}
	}
	clean, problems := intake.Clean(c.Identity, l)
	return clean, append(long, problems...), nil
}

// missing are the required questions without an answer.
func (f Form) missing(values map[string]string) (all []intake.Problem) {
	for _, q := range f.Questions {
		if !q.Required || strings.TrimSpace(values[q.Name]) != "" {
			continue
		}
		code := intake.ProblemMissing
		if q.Kind == KindConsent {
			code = intake.ProblemConsent
		}
		all = append(all, intake.Problem{Field: intake.Field(q.Name), Code: code, Message: say(f.Locale, "missing."+string(q.Kind))})
	}
	return all
}

func (f Form) wrongEmail(given string) (intake.Problem, bool) {
	if _, err := identity.Email(given); given == "" || err == nil {
		return intake.Problem{}, false
	}
	return intake.Problem{Field: NameEmail, Code: intake.ProblemInvalid, Message: say(f.Locale, "email.wrong")}, true
}

func (f Form) explain(p intake.Problem, q Question) string {
	if q.Kind == KindConsent {
		return say(f.Locale, "missing.consent")
	}
	if words := templates.Explain(f.Locale, p); words != "" {
		return words
	}
	return say(f.Locale, "missing.text")
}

// sort puts problems in the order of the questions.
func (f Form) sort(problems []intake.Problem) {
	at := func(p intake.Problem) int {
		return slices.IndexFunc(f.Questions, func(q Question) bool { return q.Name == string(p.Field) })
	}
	slices.SortStableFunc(problems, func(a, b intake.Problem) int { return at(a) - at(b) })
}
