package templates

import (
	"html"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"leadgate/intake"
)

func files(pairs ...string) fstest.MapFS {
	m := make(fstest.MapFS)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

func TestAnOverrideTakesEffect(t *testing.T) {
	s, err := New(Options{Overrides: files("en/known.txt.tmpl", "Hello again.\n{{.Case}} {{.Contact}}\n")})
	if err != nil {
		t.Fatal(err)
	}
	m := sample(intake.MessageKnown, intake.StatusLocked, "")
	m.Facts.Receipt = ""
	r, err := s.Render(m)
	if err != nil {
		t.Fatal(err)
	}
	if r.Text != "Hello again.\nLG-2026-000123-K Pia Manager, pia@vendor.example\n" {
		t.Errorf("%q", r.Text)
	}
	if r.HTML != "" {
		t.Error("the built-in page says something else than the text")
	}
	other, err := s.Render(sample(intake.MessageExpired, intake.StatusExpired, ""))
	if err != nil || other.HTML == "" {
		t.Errorf("other kinds lost their page: %v", err)
	}
}

func TestAnOverriddenPhraseIsInTextAndPage(t *testing.T) {
	s, err := New(Options{Overrides: files("en/phrases.tmpl", `{{define "keep"}}Cheers & thanks{{end}}{{define "subject.known"}}Again{{end}}`)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Render(sample(intake.MessageKnown, intake.StatusLocked, ""))
	if err != nil || !strings.Contains(r.Text, "Cheers & thanks") || !strings.Contains(r.HTML, "Cheers & thanks") && !strings.Contains(r.HTML, "Cheers &amp; thanks") || r.Subject != "Again" {
		t.Errorf("%v %+v", err, r)
	}
}

func TestABrokenOverrideIsAnErrorThatNamesFileAndLine(t *testing.T) {
	t.Parallel()
	good := "{{.Case}} {{.Contact}} "
	for name, c := range map[string]struct{ file, text, want string }{
		"syntax":             {"en/approved.txt.tmpl", "ok\n{{if}}\n", "en/approved.txt.tmpl:2"},
		"unclosed":           {"en/approved.txt.tmpl", "ok\n\n{{if .Case}}", "en/approved.txt.tmpl:3"},
		"unknown field":      {"en/approved.txt.tmpl", good + "\n\n{{.Casse}}", "en/approved.txt.tmpl:3"},
		"seldom taken way":   {"en/declined.txt.tmpl", good + "\n{{if eq .Reason \"territory\"}}{{.Nope}}{{end}}", "en/declined.txt.tmpl:2"},
		"seldom status":      {"en/known.txt.tmpl", good + "\n{{if eq .Status \"lost\"}}{{.Nope}}{{end}}", "en/known.txt.tmpl:2"},
		"unknown function":   {"en/known.txt.tmpl", "{{env \"HOME\"}}", "en/known.txt.tmpl:1"},
		"unknown phrase":     {"en/known.txt.tmpl", good + "{{template \"nope\" .}}", "en/known.txt.tmpl:1"},
		"phrase":             {"en/phrases.tmpl", "\n{{define \"keep\"}}{{.Nope}}{{end}}", "en/phrases.tmpl:2"},
		"page":               {"en/known.html.tmpl", "x", "unread"},
		"layout":             {"layout.html.tmpl", "\n\n{{end}}", "layout.html.tmpl:3"},
		"no case number":     {"en/known.txt.tmpl", "{{.Contact}}", "en/known.txt.tmpl:1"},
		"no contact":         {"en/known.txt.tmpl", "{{.Case}}", "en/known.txt.tmpl:1"},
		"no line to fill in": {"en/needs_info.txt.tmpl", good, "en/needs_info.txt.tmpl:1"},
		"misspelt file":      {"en/aproved.txt.tmpl", good, "en/aproved.txt.tmpl"},
		"misspelt directory": {"EN/approved.txt.tmpl", good, "EN/approved.txt.tmpl"},
		"too deep":           {"en/old/approved.txt.tmpl", good, "en/old/approved.txt.tmpl"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(Options{Overrides: files(c.file, c.text)})
			if c.want == "unread" {
				if err != nil { // a page alone goes with no text of its own
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || s != nil {
				t.Fatal("it is accepted")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "override") && !strings.Contains(err.Error(), "built-in") {
				t.Errorf("%v does not name %s", err, c.want)
			}
		})
	}
}

func TestAPageInAnUnsafePlaceIsRefused(t *testing.T) {
	_, err := New(Options{Overrides: files(
		"en/known.txt.tmpl", "{{.Case}} {{.Contact}}",
		"en/known.html.tmpl", "{{define \"content\"}}\n<a href={{.Case}} {{.Contact}}>{{if .Due}}<b {{end}}{{end}}",
	)})
	if err == nil || !strings.Contains(err.Error(), "en/known.html.tmpl:") {
		t.Errorf("%v", err)
	}
}

func TestOverridesMayBeADirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "en"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"en/expired.txt.tmpl": "Over. {{.Case}} {{.Contact}}", "README": "notes of the operator", ".gitignore": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(Options{Overrides: os.DirFS(dir)})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := s.Render(sample(intake.MessageExpired, intake.StatusExpired, "")); err != nil || !strings.HasPrefix(r.Text, "Over. LG-") {
		t.Errorf("%v %v", r, err)
	}
	if _, err := New(Options{Overrides: os.DirFS(filepath.Join(dir, "missing"))}); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestALocaleFallsBack(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Overrides: files(
		"fr/phrases.tmpl", `{{define "known.opening"}}Nous l'avons.{{end}}`,
		"fr-ca/phrases.tmpl", `{{define "keep"}}Bienvenue.{{end}}`,
	)})
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string][3]bool{ // French opening, Canadian closing, English closing
		"fr": {true, false, true}, "fr-CA": {true, true, false}, "fr_CA": {true, true, false}, "fr-CH": {true, false, true},
		"en": {false, false, true}, "it": {false, false, true}, "": {false, false, true}, "fr-ca-1996": {true, true, false},
		"../etc": {false, false, true}, "EN-gb": {false, false, true}, "de": {false, false, false},
	} {
		m := sample(intake.MessageKnown, intake.StatusLocked, "")
		m.Facts.Locale = tag
		r, err := s.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{r.Text, html.UnescapeString(r.HTML)} {
			got := [3]bool{strings.Contains(text, "Nous l'avons."), strings.Contains(text, "Bienvenue."), strings.Contains(text, "leave the case number")}
			if got != want {
				t.Errorf("%q: %v, want %v\n%s", tag, got, want, text)
			}
		}
	}
}

// TestAnEnglishOverrideLeavesGermanAlone: German partners do not read what was written for
// English ones.
func TestAnEnglishOverrideLeavesGermanAlone(t *testing.T) {
	s, err := New(Options{Overrides: files(
		"en/known.txt.tmpl", "Hello again. {{.Case}} {{.Contact}}", "en/phrases.tmpl", `{{define "keep"}}Cheers{{end}}`,
		"fr/phrases.tmpl", `{{define "keep"}}Merci{{end}}`, "de/lost.txt.tmpl", "Schade. {{.Case}} {{.Contact}}",
		"de/staff_idle.txt.tmpl", "Still ruht {{.Case}}. {{range .Links}}{{.URL}} {{end}}",
	)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tag  string
		kind intake.MessageKind
		want string
	}{
		{"en", intake.MessageKnown, "Hello again."},
		{"fr", intake.MessageKnown, "Hello again."},
		{"de", intake.MessageKnown, "Diese Registrierung haben wir schon"},
		{"de-AT", intake.MessageKnown, "Diese Registrierung haben wir schon"},
		{"de-AT", intake.MessageLost, "Schade."},
		{"en", intake.MessageLost, "Cheers"},
		{"de", intake.StaffIdle, "Still ruht"},
		{"en", intake.StaffIdle, "Nothing has happened"},
	} {
		r, err := s.Render(in(c.tag, sample(c.kind, usual[c.kind], "")))
		if err != nil || !strings.Contains(r.Text, c.want) {
			t.Errorf("%s, %s: %v, %q is not in\n%s", c.tag, c.kind, err, c.want, r.Text)
		}
	}
}

// TestEveryBuiltInFileIsOneThatIsRead finds files left behind.
func TestEveryBuiltInFileIsOneThatIsRead(t *testing.T) {
	var want []string
	for _, name := range append(fileNames(""), fileNames("en")...) {
		switch {
		case name == phrasesFile:
			for tag := range locales {
				want = append(want, tag+"/"+name)
			}
		case slices.Contains(fileNames(""), name):
			want = append(want, name)
		default:
			want = append(want, kindsDir+"/"+name)
		}
	}
	var have []string
	err := fs.WalkDir(builtin, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			have = append(have, name)
		}
		return err
	})
	slices.Sort(want)
	slices.Sort(have)
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("%v: there are\n%v, want\n%v", err, have, want)
	}
}

var action = regexp.MustCompile(`\{\{.*?\}\}|<[^>]*>`)

// TestTheFilesOfKindsHoldNoWords: they serve all languages.
func TestTheFilesOfKindsHoldNoWords(t *testing.T) {
	for _, name := range append(fileNames("en"), fileNames("")...) {
		if name == phrasesFile {
			continue
		}
		if !slices.Contains(fileNames(""), name) {
			name = kindsDir + "/" + name
		}
		text, err := builtin.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if rest := action.ReplaceAllString(string(text), ""); strings.ContainsFunc(rest, unicode.IsLetter) {
			t.Errorf("%s has words: %q", name, strings.Fields(rest))
		}
	}
}

// phrasesOf are the sentences of a built-in language by their names.
func phrasesOf(t *testing.T, tag string) map[string]string {
	t.Helper()
	text, err := builtin.ReadFile(tag + "/" + phrasesFile)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for part := range strings.SplitSeq(string(text), `{{define "`) {
		if name, body, ok := strings.Cut(part, `"}}`); ok {
			if all[name] != "" {
				t.Errorf("%s: %s is defined twice", tag, name)
			}
			all[name] = body
		}
	}
	return all
}

// TestNoSentenceIsMissingInALanguage: a missing one would be said in English.
func TestNoSentenceIsMissingInALanguage(t *testing.T) {
	english := phrasesOf(t, "en")
	for tag := range locales {
		own := phrasesOf(t, tag)
		for name, text := range english {
			if own[name] == "" {
				t.Errorf("%s: %s is missing", tag, name)
			}
			words := action.ReplaceAllString(text, "")
			if tag != "en" && name != "label.partner" && strings.ContainsFunc(words, unicode.IsLetter) && own[name] == text {
				t.Errorf("%s: %s is in English", tag, name)
			}
		}
		for name := range own {
			if english[name] == "" {
				t.Errorf("%s: nothing says %s", tag, name)
			}
		}
	}
}

// TestNoWordIsMissingInALanguage compares the locales, map by map, with the English one, which
// the tests below hold to the full sets.
func TestNoWordIsMissingInALanguage(t *testing.T) {
	want := reflect.ValueOf(*english)
	for tag, l := range locales {
		got := reflect.ValueOf(*l)
		for i := range want.NumField() {
			name, a, b := want.Type().Field(i).Name, want.Field(i), got.Field(i)
			switch {
			case name == "zones", name == "faulty": // held to the codes by package csvdrop
			case a.Kind() == reflect.Map:
				for _, k := range a.MapKeys() {
					if e := b.MapIndex(k); !e.IsValid() || e.IsZero() != a.MapIndex(k).IsZero() {
						t.Errorf("%s: %s has no word for %v", tag, name, k)
					}
				}
				if a.Len() != b.Len() {
					t.Errorf("%s: %s has %d words, want %d", tag, name, b.Len(), a.Len())
				}
			case a.Kind() == reflect.Array:
				for j := range b.Len() {
					if b.Index(j).IsZero() {
						t.Errorf("%s: %s has nothing at %d", tag, name, j)
					}
				}
			case b.IsZero():
				t.Errorf("%s: %s is empty", tag, name)
			}
		}
	}
}

// TestLocalesAreComplete holds every language to the full sets.
func TestLocalesAreComplete(t *testing.T) {
	for tag, l := range locales {
		labels := make(map[string]intake.Field)
		for _, f := range intake.Fields() {
			label := l.labels[f]
			if label == "" || l.why[f] == "" || l.examples[f] == "" {
				t.Errorf("%s: words for %s are missing", tag, f)
			}
			if strings.ContainsAny(label, ":\n") || labels[label] != "" {
				t.Errorf("%s: the label %q of %s can't be read back", tag, label, f)
			}
			labels[label] = f
		}
		for _, s := range intake.Statuses() {
			if l.statuses[s] == "" {
				t.Errorf("%s: there is no word for %s", tag, s)
			}
		}
		for _, s := range slices.Concat(intake.Stages(), intake.Kinds(), []string{intake.ConsentYes, intake.ConsentNo}) {
			if l.values[s] == "" {
				t.Errorf("%s: there is no word for the value %s", tag, s)
			}
		}
		wordsFor(t, tag, l.outcomes, intake.Outcomes())
		wordsFor(t, tag, l.reasons, intake.Reasons())
		wordsFor(t, tag, l.requests, intake.Verbs())
		wordsFor(t, tag, l.acts, intake.StaffActs())
		wordsFor(t, tag, l.evidence, intake.EvidenceKinds())
		wordsFor(t, tag, l.units, intake.Units())
		wordsFor(t, tag, l.conflicts, []intake.ConflictType{intake.ConflictHorizontal, intake.ConflictVertical, intake.ConflictMultiChannel})
		wordsFor(t, tag, l.digest, append(intake.DigestNames(), intake.DigestApproved))
		for _, c := range []string{
			intake.ProblemMissing, intake.ProblemInvalid, intake.ProblemInvalidDomain, intake.ProblemNotCompanyDomain,
			intake.ProblemFreeMail, intake.ProblemOwnDomain, intake.ProblemConsent, intake.ProblemTooLong,
			intake.ProblemTooShort, intake.ProblemUnknownCase, intake.ProblemConflict,
		} {
			if _, ok := l.problems[c]; !ok {
				t.Errorf("%s: there is no sentence for %s", tag, c)
			}
		}
		if slices.Contains(l.weekdays[:], "") || slices.Contains(l.months[:], "") || l.form == "" {
			t.Errorf("%s: words for dates are missing", tag)
		}
	}
}

// wordsFor looks for a word for each of a full set.
func wordsFor[K comparable, V any](t *testing.T, tag string, words map[K]V, all []K) {
	t.Helper()
	for _, k := range all {
		if v, ok := words[k]; !ok || reflect.ValueOf(v).IsZero() {
			t.Errorf("%s: there is no word for %v", tag, k)
		}
	}
	if len(words) != len(all) {
		t.Errorf("%s: %d words for %d of %T", tag, len(words), len(all), all)
	}
}

func TestLabelsAndStatusWords(t *testing.T) {
	if got := Label("de-AT", intake.FieldCompanyDomain); got != "Firmendomain" {
		t.Errorf("label %q", got)
	}
	if got := Label("en", "nope"); got != "" {
		t.Errorf("label of no field: %q", got)
	}
	for s, want := range map[intake.Status]string{
		intake.StatusSubmitted: "Pending", intake.StatusInReview: "Submitted for review", intake.StatusProvisional: "Approved",
		intake.StatusLocked: "Approved", intake.StatusLost: "Closed", "nope": "Pending",
	} {
		if got := StatusWord("en", s); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestOptionsAreNotChanged(t *testing.T) {
	overrides := files("en/known.txt.tmpl", "{{.Case}} {{.Contact}}")
	before := maps.Clone(overrides)
	if _, err := New(Options{Overrides: overrides}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(before, overrides) {
		t.Error("the overrides were changed")
	}
}
