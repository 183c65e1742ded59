package chat

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/templates"
)

func TestALineIsReadAsItWasMeant(t *testing.T) {
	lead := func(company, domain, contact, email string) Line {
		l := make(intake.Lead)
		for f, v := range map[intake.Field]string{
			intake.FieldCompanyName: company, intake.FieldCompanyDomain: domain, intake.FieldContactName: contact, intake.FieldContactEmail: email,
		} {
			if v != "" {
				l[f] = v
			}
		}
		return Line{Wish: WishRegister, Lead: l}
	}
	raw := func(email, text string) Line {
		l := lead("", "", "", email)
		l.Lead[intake.FieldProblem] = text
		return l
	}
	ask := func(v intake.Verb, number, words string) Line {
		return Line{Wish: WishCommand, Command: intake.Command{Verb: v, Case: number, Words: words}}
	}
	for name, tt := range map[string]struct {
		text string
		want Line
	}{
		"nothing at all":                              {"", lead("", "", "", "")},
		"all four":                                    {"Acme acme.com Jane jane@acme.com", lead("Acme", "acme.com", "Jane", "jane@acme.com")},
		"with the word before":                        {"register Acme acme.com Jane jane@acme.com", lead("Acme", "acme.com", "Jane", "jane@acme.com")},
		"a company of several words":                  {"Acme Tools GmbH acme.com Jane Doe jane@acme.com", lead("Acme Tools GmbH", "acme.com", "Jane Doe", "jane@acme.com")},
		"a company in quotation marks":                {`"Acme & Sons, Ltd." acme.com "Jane Doe" jane@acme.com`, lead("Acme & Sons, Ltd.", "acme.com", "Jane Doe", "jane@acme.com")},
		"curly and German marks":                      {"“Acme Ltd” acme.com „Jane Doe“ jane@acme.com", lead("Acme Ltd", "acme.com", "Jane Doe", "jane@acme.com")},
		"an apostrophe within a name":                 {"Acme acme.com Pat O'Neill pat@acme.com", lead("Acme", "acme.com", "Pat O'Neill", "pat@acme.com")},
		"a company that is called like a domain":      {"Booking.com booking.com Jane jane@booking.com", lead("Booking.com", "booking.com", "Jane", "jane@booking.com")},
		"links as Slack sends them":                   {"Acme <http://acme.com|acme.com> Jane <mailto:jane@acme.com|jane@acme.com>", lead("Acme", "acme.com", "Jane", "jane@acme.com")},
		"a link that shows something else":            {"Acme <http://evil.example|acme.com> Jane <mailto:eve@evil.example|jane@acme.com>", lead("Acme", "http://evil.example", "Jane", "eve@evil.example")},
		"escaped characters":                          {"A&amp;B acme.com", lead("A&B", "acme.com", "", "")},
		"a person and a channel are no words":         {"<@U1> Acme acme.com <#C1|general>", lead("Acme", "acme.com", "", "")},
		"only a domain":                               {"acme.com", lead("", "acme.com", "", "")},
		"an address of the web":                       {"Acme https://www.acme.co.uk/x?y Jane", lead("Acme", "https://www.acme.co.uk/x?y", "Jane", "")},
		"only an address":                             {"jane@acme.com", lead("", "", "", "jane@acme.com")},
		"a quoted company and no domain":              {`"Acme Ltd" Jane Doe jane@acme.com`, lead("Acme Ltd", "", "Jane Doe", "jane@acme.com")},
		"words without a domain":                      {"Acme wants backups", raw("", "Acme wants backups")},
		"names that can't be told apart":              {"Acme Jane Doe jane@acme.com", raw("jane@acme.com", "Acme Jane Doe jane@acme.com")},
		"an abbreviation is no domain":                {"Acme S.p.A. acme.it", lead("Acme S.p.A.", "acme.it", "", "")},
		"help":                                        {"help", ask(intake.VerbHelp, "", "")},
		"help in German":                              {"Hilfe", ask(intake.VerbHelp, "", "")},
		"the state of a case":                         {"status lg-2026-000123-k", ask(intake.VerbStatus, "LG-2026-000123-K", "")},
		"a request with a reason":                     {"EXTEND the meeting is in May", ask(intake.VerbExtend, "", "the meeting is in May")},
		"the list":                                    {"List", Line{Wish: WishList}},
		"the list in German":                          {"liste", Line{Wish: WishList}},
		"a company called Status":                     {"STATUS AG status.example", lead("STATUS AG", "status.example", "", "")},
		"a company called List":                       {"List AG list.example", lead("List AG", "list.example", "", "")},
		"what comes after the address is the context": {"Acme acme.com Jane jane@acme.com needs backups", Line{Wish: WishRegister, Lead: intake.Lead{intake.FieldCompanyName: "Acme", intake.FieldCompanyDomain: "acme.com", intake.FieldContactName: "Jane", intake.FieldContactEmail: "jane@acme.com", intake.FieldProblem: "needs backups"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Read(tt.text)
			if got.Wish == WishRegister && len(got.Lead) == 0 {
				got.Lead = intake.Lead{}
			}
			if !reflect.DeepEqual(got, tt.want) && !(got.Wish == tt.want.Wish && maps.Equal(got.Lead, tt.want.Lead) && got.Command == tt.want.Command) {
				t.Errorf("%q\n got %+v\nwant %+v", tt.text, got, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"Acme acme.com Jane jane@acme.com", `"a`, "<x|", "„“", "@", "a@", "register"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := Read(s)
		if l.Lead[intake.FieldConsent] != "" || !slices.Contains(Wishes(), l.Wish) {
			t.Fatalf("%q: %+v", s, l)
		}
		for _, v := range l.Lead {
			if v == "" {
				t.Fatalf("%q: an empty value: %+v", s, l)
			}
		}
	})
}

// examiner finds what it is told to find.
type examiner struct{ found []intake.Problem }

func (e examiner) Examine(_ context.Context, _, _ string, l intake.Lead) (intake.Lead, []intake.Problem, error) {
	clean, problems := intake.Clean(identity.Default(), l)
	return clean, append(problems, e.found...), nil
}

func good() map[string]string {
	return map[string]string{
		"company_name": "Acme", "company_domain": "https://www.acme.example/x", "contact_name": "Jane", "contact_email": "jane@acme.example",
		"problem": "Backups take too long.", "stage": intake.StageEvaluation, "consent": "yes",
	}
}

func TestWhatIsWrongWithAFormIsToldAtItsQuestions(t *testing.T) {
	for name, tt := range map[string]struct {
		partner string
		change  map[string]string
		found   []intake.Problem
		want    []string // question and code
	}{
		"nothing":                                 {"alpha", nil, nil, nil},
		"no domain and no consent":                {"alpha", map[string]string{"company_domain": "localhost", "consent": ""}, nil, []string{"company_domain invalid_domain", "consent consent_required"}},
		"nothing was typed":                       {"alpha", map[string]string{"company_name": " ", "stage": ""}, nil, []string{"company_name missing_field", "stage missing_field"}},
		"what the form does not ask can wait":     {"alpha", nil, []intake.Problem{{Field: intake.FieldContactRole, Code: intake.ProblemMissing}}, nil},
		"what is wrong with no question is told":  {"alpha", nil, []intake.Problem{{Field: intake.FieldCountry, Code: intake.ProblemConflict}}, []string{"company_name conflicting_values"}},
		"of a stranger the address is asked":      {"", map[string]string{NameEmail: "nobody"}, nil, []string{"submitter_email invalid_value"}},
		"a stranger who leaves the address out":   {"", nil, nil, []string{"submitter_email missing_field"}},
		"a stranger who gives an address":         {"", map[string]string{NameEmail: "bob@alpha.example"}, nil, nil},
		"what is too long is not cut off quietly": {"", map[string]string{NameEmail: "bob@alpha.example", "company_name": strings.Repeat("x", 300)}, nil, []string{"company_name too_long"}},
	} {
		for _, locale := range []string{"en", "de-AT"} {
			t.Run(name+" in "+locale, func(t *testing.T) {
				f := NewForm(FormOptions{Locale: locale, AskEmail: tt.partner == ""})
				values := good()
				maps.Copy(values, tt.change)
				a, problems, err := Checker{Gateway: examiner{tt.found}, Identity: identity.Default()}.Check(t.Context(), f, tt.partner, "", values)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range problems {
					got = append(got, string(p.Field)+" "+p.Code)
					if _, asked := f.Question(string(p.Field)); !asked || p.Message == "" {
						t.Errorf("nobody can be told %+v", p)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if len(tt.want) == 0 && (a.Lead[intake.FieldCompanyDomain] != "acme.example" || a.Evidence[intake.FieldConsent] == "") {
					t.Errorf("%+v", a)
				}
			})
		}
	}
}

func TestAFormTakesACountryAndARevenueAsPeopleWriteThem(t *testing.T) {
	read := extract.New(identity.Default(), extract.Options{}).Value
	for name, tt := range map[string]struct {
		f           intake.Field
		given, want string
	}{
		"a country by its name":         {intake.FieldCountry, "Germany", "DE"},
		"a country in another language": {intake.FieldCountry, "Deutschland", "DE"},
		"a country by its code":         {intake.FieldCountry, "DE", "DE"},
		"no country":                    {intake.FieldCountry, "Narnia", ""},
		"a revenue with a sign":         {intake.FieldTargetRevenue, "120.000 €", "120000 EUR"},
		"a revenue by its code":         {intake.FieldTargetRevenue, "120000 EUR", "120000 EUR"},
		"a revenue without a currency":  {intake.FieldTargetRevenue, "120000", ""},
		"what is stored as it is typed": {intake.FieldContactRole, "Head of IT, Germany", "Head of IT, Germany"},
	} {
		t.Run(name, func(t *testing.T) {
			f := NewForm(FormOptions{Locale: "en", More: []intake.Field{tt.f}})
			values := good()
			values[string(tt.f)] = tt.given
			a, problems, err := Checker{Gateway: examiner{}, Identity: identity.Default(), Read: read}.Check(t.Context(), f, "alpha", "", values)
			if err != nil || len(problems) > 0 != (tt.want == "") || a.Lead[tt.f] != tt.want {
				t.Errorf("%q is %q, %+v, %v", tt.given, a.Lead[tt.f], problems, err)
			}
		})
	}
}

func TestAFormAsksForTheMinimumInWords(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		f := NewForm(FormOptions{Locale: lang, More: []intake.Field{intake.FieldCountry, intake.FieldStage, intake.FieldConsent}, AskEmail: true})
		var names []string
		for _, q := range f.Questions {
			names = append(names, q.Name)
			if q.Label == "" || q.Max < 1 || q.Kind == KindChoice != (len(q.Options) > 1) {
				t.Errorf("%s: %+v", lang, q)
			}
			if asked := slices.Contains(Minimum(), intake.Field(q.Name)) || q.Name == NameEmail; asked != q.Required {
				t.Errorf("%s: %s is required: %v", lang, q.Name, q.Required)
			}
		}
		want := []string{"company_name", "company_domain", "contact_name", "contact_email", "problem", "stage", "country", NameEmail, "consent"}
		if !slices.Equal(names, want) {
			t.Errorf("%s: %q", lang, names)
		}
	}
	var en, de []string
	en, de = slices.Sorted(maps.Keys(phrases["en"])), slices.Sorted(maps.Keys(phrases["de"]))
	if !slices.Equal(en, de) {
		t.Errorf("the languages have different phrases:\n%q\n%q", en, de)
	}
	if got := Say("de-CH", "received", "{2}", "Acme"); got != "{2}: Wir haben Ihre Registrierung von Acme." {
		t.Error(got)
	}
}

func TestWhoSpeaksIsDecidedBySurestFirst(t *testing.T) {
	of := func(by By, partner string) Claim { return Claim{By: by, Partner: partner, Of: string(by)} }
	for name, tt := range map[string]struct {
		claims []Claim
		want   Speaker
	}{
		"nothing is known":               {[]Claim{of(ByChannel, ""), of(ByTeam, "")}, Speaker{Strength: intake.StrengthUnverified, How: "nothing tells for whom the person speaks"}},
		"the channel":                    {[]Claim{of(ByEmail, "a"), of(ByChannel, "a")}, Speaker{Partner: "a", By: ByChannel, Strength: intake.StrengthVerified, How: "channel"}},
		"the workspace":                  {[]Claim{of(ByTeam, "a"), of(ByChannel, "")}, Speaker{Partner: "a", By: ByTeam, Strength: intake.StrengthVerified, How: "team"}},
		"the address alone proves less":  {[]Claim{of(ByEmail, "a")}, Speaker{Partner: "a", By: ByEmail, Strength: intake.StrengthDomain, How: "email"}},
		"channel and workspace disagree": {[]Claim{of(ByChannel, "a"), of(ByTeam, "b")}, Speaker{Strength: intake.StrengthUnverified, Disputed: true, How: "channel is of a, but team is of b"}},
		"workspace and address disagree": {[]Claim{of(ByEmail, "b"), of(ByTeam, "a")}, Speaker{Strength: intake.StrengthUnverified, Disputed: true, How: "team is of a, but email is of b"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Speaks(tt.claims...); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func message(kind intake.MessageKind, s intake.Status) intake.Message {
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	return intake.Message{ID: "LG-2026-000001-K.1", Kind: kind, At: at, Facts: intake.Facts{
		Case: "LG-2026-000001-K", Program: "Vendor", Company: "Acme", Status: s, Zone: "UTC", Received: at, Due: at.Add(48 * time.Hour),
		StatusLink: "https://partners.vendor.example/status/x", Note: "A word of ours.",
		Missing: []intake.Problem{{Field: intake.FieldContactRole, Code: intake.ProblemMissing}}, Contact: intake.Contact{Name: "Mia", Email: "mia@vendor.example"},
	}}
}

func TestTheCardInAChannelTellsNothingOfARefusal(t *testing.T) {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range intake.MessageKinds() {
		for _, s := range []intake.Status{intake.StatusDeclined, intake.StatusInReview, intake.StatusWaitlisted, intake.StatusProvisional} {
			for _, alone := range []bool{true, false} {
				m := message(kind, s)
				c, tracked, err := Tracked(words, m, alone)
				if err != nil || !tracked || c.Case != m.Facts.Case || c.Badge == "" {
					t.Fatalf("%s %s: %+v, %v", kind, s, c, err)
				}
				refused := s == intake.StatusDeclined || s == intake.StatusWaitlisted
				if shown := strings.Contains(c.Text()+c.Badge, templates.StatusWord("en", s)); refused && shown != (alone && kind != intake.MessagePassedOn) {
					t.Errorf("%s %s, alone %v: the card says\n%s", kind, s, alone, c.Text())
				}
				if !alone && (refused || Discreet(kind)) && (strings.Contains(c.Text(), "A word of ours") || strings.Contains(c.Text(), "status/x")) {
					t.Errorf("%s %s: all read\n%s", kind, s, c.Text())
				}
			}
		}
	}
}

func TestACardSaysNothingTwice(t *testing.T) {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	m := message(intake.MessageApproved, intake.StatusProvisional)
	for name, make := range map[string]func() (Card, error){
		"what is told": func() (Card, error) { return CardOf(words, m) },
		"what stays":   func() (Card, error) { c, _, err := Tracked(words, m, true); return c, err },
	} {
		c, err := make()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Rest() {
			if f.Value == c.Case || f.Value == c.Badge || f.Value == m.Facts.Company {
				t.Errorf("%s: %+v beside %q, %q, %q", name, f, c.Case, c.Badge, c.Title)
			}
		}
		if len(c.Rest()) == len(c.Facts) || !strings.Contains(c.Text(), m.Facts.Case) {
			t.Errorf("%s: %+v\n%s", name, c.Facts, c.Text())
		}
	}
}

func TestACardTellsADateOnceAndItsNumberInOneLine(t *testing.T) {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	for lang, due := range map[string]string{"en": "We decide by", "de": "Wir entscheiden bis"} {
		m := message(intake.MessageStatus, intake.StatusInReview)
		m.Facts.Case, m.Facts.Locale = "LG-2026-000001-K\r\nX-Injected: yes", lang
		c, err := CardOf(words, m)
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.Join(c.Lines, "\n")
		for _, f := range c.Rest() {
			shown += "\n" + f.Label + " " + f.Value
		}
		if strings.Count(shown, due) != 1 || strings.Count(c.Text(), due) != 1 {
			t.Errorf("%s: it is told when we decide by\n%s\nand in the text by\n%s", lang, shown, c.Text())
		}
		if strings.ContainsAny(c.Case, "\r\n") {
			t.Errorf("%q", c.Case)
		}
	}
}

func TestTheFormAsksByTheNamesThatTheCardShows(t *testing.T) {
	for _, lang := range []string{"en", "de"} {
		for _, q := range NewForm(FormOptions{Locale: lang, More: intake.Fields()}).Questions {
			if want := templates.Label(lang, intake.Field(q.Name)); q.Label != want {
				t.Errorf("%s: %s is called %q, and %q in a card", lang, q.Name, q.Label, want)
			}
		}
		if got := Busy(lang, 110*time.Minute+time.Second); !strings.Contains(got, " 111 ") || strings.Contains(got, "m0s") {
			t.Error(got)
		}
		if got := Busy(lang, time.Millisecond); !strings.Contains(got, " 1 ") {
			t.Error(got)
		}
	}
}

func TestACardHasWhatToFillIn(t *testing.T) {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := CardOf(words, message(intake.MessageNeedsInfo, intake.StatusNeedsInfo))
	if err != nil || len(c.Asks) != 1 || c.Tone != ToneAction || len(c.Fields) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	f := AnswerForm("de", c.Fields)
	if len(f.Questions) != 1 || f.Questions[0].Name != "contact_role" || f.Questions[0].Hint == "" {
		t.Errorf("%+v", f)
	}
	if text := c.Text(); !strings.Contains(text, "LG-2026-000001-K") || !strings.Contains(text, "Contact role") {
		t.Error(text)
	}
}

func TestAStaffCardOffersWhatCanBeDecided(t *testing.T) {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	m := message(intake.StaffQueued, intake.StatusInReview)
	m.Facts.Case = ""
	m.Brief = &intake.Brief{Partner: "Alpha", Registration: &intake.Registration{Number: "LG-2026-000001-K", Revision: 4, Status: intake.StatusInReview, Lead: intake.Lead{intake.FieldCompanyName: "Acme"}}, Links: []intake.BriefLink{{Act: intake.ActApprove, URL: "https://partners.vendor.example/desk/secret"}}}
	c, err := StaffCardOf(words, m)
	if err != nil || c.Number != "LG-2026-000001-K" || c.Revision != 4 || len(c.Acts) != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	if strings.Contains(c.Text(), "secret") {
		t.Error("the link of one person is in the card that several read")
	}
}
