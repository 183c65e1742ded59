package webform

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"leadgate/intake"
)

// The names of the inputs that are no field of a lead.
const (
	inputName   = "submitter_name"
	inputEmail  = "submitter_email"
	inputOpened = "opened"
	inputTrap   = "website_url" // people don't see it
)

// field is one question of the form.
type field struct {
	Name string
	// Kind is how it is asked: text, email, tel, url, long, choice, country, product or tick.
	Kind     string
	Value    string
	Required bool
	// Hint says that there are words that help with it.
	Hint bool
	// Wrong is the code of what is wrong with Value; "" for nothing.
	Wrong string
	// Autocomplete is what a browser may fill in: only what is the visitor's own.
	Autocomplete string
	Choices      []choice
	Max          int
}

type choice struct {
	Value, Text string
	Picked      bool
}

// hinted are the questions that need a word more.
var hinted = []string{
	string(intake.FieldCompanyDomain), string(intake.FieldProblem), string(intake.FieldTargetRevenue), string(intake.FieldContactPhone),
	string(intake.FieldServicesNeeded), string(intake.FieldCompetingVendors), inputEmail,
}

// group is a part of the form.
type group struct {
	Name   string
	Fields []field
}

// groups of the form, in the order of their questions.
var groupsOf = map[intake.Field]string{
	intake.FieldCompanyName: "company", intake.FieldCompanyDomain: "company", intake.FieldCountry: "company",
	intake.FieldContactName: "contact", intake.FieldContactEmail: "contact", intake.FieldContactRole: "contact", intake.FieldContactPhone: "contact",
}

var kindsOf = map[intake.Field]string{
	intake.FieldCompanyDomain: "url", intake.FieldCountry: "country", intake.FieldContactEmail: "email", intake.FieldContactPhone: "tel",
	intake.FieldProblem: "long", intake.FieldSolutionFit: "long", intake.FieldStage: "choice", intake.FieldKind: "choice",
	intake.FieldConsent: "tick",
}

const (
	maxShort = 200
	maxLong  = 4000
)

// asked are the fields of a lead that the form asks for: the required ones in the order of
// people, then those of Config.Fields in theirs.
func (f *Form) asked() (fields, required []intake.Field) {
	required = f.gateway.Published().Required
	for _, name := range intake.Fields() {
		if slices.Contains(required, name) && name != intake.FieldConsent {
			fields = append(fields, name)
		}
	}
	for _, name := range f.c.Fields {
		if !slices.Contains(fields, name) && name != intake.FieldConsent {
			fields = append(fields, name)
		}
	}
	return fields, required
}

// groups are the questions with what was typed and what is wrong with it.
func (f *Form) groups(lang string, in input, wrong map[string]string) []group {
	all := []group{{Name: "company"}, {Name: "contact"}, {Name: "opportunity"}, {Name: "you"}}
	at := func(name string) *group {
		return &all[max(0, slices.IndexFunc(all, func(g group) bool { return g.Name == name }))]
	}
	fields, required := f.asked()
	for _, name := range fields {
		q := field{
			Name: string(name), Kind: cmp.Or(kindsOf[name], "text"), Value: in.values[string(name)], Wrong: wrong[string(name)],
			Required: slices.Contains(required, name), Max: maxShort, Hint: slices.Contains(hinted, string(name)),
		}
		switch {
		case q.Kind == "long":
			q.Max = maxLong
		case name == intake.FieldStage:
			q.Choices = choices(intake.Stages())
		case name == intake.FieldKind:
			q.Choices = choices(intake.Kinds())
		case name == intake.FieldCountry:
			q.Choices = countries(lang)
		case name == intake.FieldProductInterest && len(f.c.Products) > 0:
			q.Kind, q.Choices = "product", choices(f.c.Products)
		}
		q.pick()
		g := at(cmp.Or(groupsOf[name], "opportunity"))
		g.Fields = append(g.Fields, q)
	}
	// A contact is one person, and a company one thing: the name stands first, whatever is required.
	for _, g := range all[:2] {
		slices.SortStableFunc(g.Fields, func(a, b field) int {
			return cmp.Compare(slices.Index(intake.Fields(), intake.Field(a.Name)), slices.Index(intake.Fields(), intake.Field(b.Name)))
		})
	}
	you := at("you")
	for _, q := range []field{
		{Name: inputName, Kind: "text", Autocomplete: "name", Max: maxShort},
		{Name: inputEmail, Kind: "email", Autocomplete: "email", Required: true, Max: maxShort},
	} {
		q.Value, q.Wrong, q.Hint = in.values[q.Name], wrong[q.Name], slices.Contains(hinted, q.Name)
		you.Fields = append(you.Fields, q)
	}
	return slices.DeleteFunc(all, func(g group) bool { return len(g.Fields) == 0 })
}

// pick marks the choices that were made.
func (q *field) pick() {
	picked := strings.Split(q.Value, intake.ListSeparator)
	q.Choices = slices.Clone(q.Choices)
	for i, c := range q.Choices {
		q.Choices[i].Picked = slices.Contains(picked, c.Value)
	}
}

func choices(values []string) []choice {
	var all []choice
	for _, v := range values {
		all = append(all, choice{Value: v})
	}
	return all
}

// noCountries have a code that is reserved in ISO 3166-1 for other uses.
var noCountries = []string{"AC", "CP", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN"}

var (
	countriesMu sync.Mutex
	countriesIn = make(map[string][]choice)
)

// countries are the countries of ISO 3166-1 by their names in a language.
func countries(lang string) []choice {
	countriesMu.Lock()
	defer countriesMu.Unlock()
	if all := countriesIn[lang]; all != nil {
		return all
	}
	tag := language.Make(lang)
	names := display.Regions(tag)
	var all []choice
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			r, err := language.ParseRegion(code)
			if err != nil || !r.IsCountry() || r.String() != code || r.Canonicalize() != r || slices.Contains(noCountries, code) {
				continue
			}
			if r.IsPrivateUse() && code != "XK" { // Kosovo, as everybody writes it
				continue
			}
			if name := names.Name(r); name != "" && !strings.Contains(name, "?") {
				all = append(all, choice{Value: code, Text: name})
			}
		}
	}
	order := collate.New(tag)
	slices.SortFunc(all, func(a, b choice) int { return order.CompareString(a.Text, b.Text) })
	countriesIn[lang] = all
	return all
}
