package templates

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

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
	r, err := s.Render(sample(intake.MessageKnown, intake.StatusLocked, ""))
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
		"de/phrases.tmpl", `{{define "known.opening"}}Das haben wir schon.{{end}}`,
		"de-at/phrases.tmpl", `{{define "keep"}}Servus.{{end}}`,
	)})
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string][3]bool{ // German opening, Austrian closing, English closing
		"de": {true, false, true}, "de-AT": {true, true, false}, "de_AT": {true, true, false}, "de-CH": {true, false, true},
		"en": {false, false, true}, "fr": {false, false, true}, "": {false, false, true}, "de-at-1996": {true, true, false},
		"../etc": {false, false, true}, "EN-gb": {false, false, true},
	} {
		m := sample(intake.MessageKnown, intake.StatusLocked, "")
		m.Facts.Locale = tag
		r, err := s.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{r.Text, r.HTML} {
			got := [3]bool{strings.Contains(text, "Das haben wir schon."), strings.Contains(text, "Servus."), strings.Contains(text, "leave the case number")}
			if got != want {
				t.Errorf("%q: %v, want %v\n%s", tag, got, want, text)
			}
		}
	}
}

// TestEveryBuiltInFileIsOneThatIsRead finds files left behind.
func TestEveryBuiltInFileIsOneThatIsRead(t *testing.T) {
	if _, err := tagsOf(builtin); err != nil {
		t.Error(err)
	}
	for tag := range locales {
		for _, name := range fileNames(tag) {
			if _, err := fs.Stat(builtin, tag+"/"+name); err != nil {
				t.Error(err)
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
		for _, s := range intake.Stages() {
			if l.values[s] == "" {
				t.Errorf("%s: there is no word for stage %s", tag, s)
			}
		}
		for _, c := range []string{
			intake.ProblemMissing, intake.ProblemInvalid, intake.ProblemInvalidDomain, intake.ProblemNotCompanyDomain,
			intake.ProblemFreeMail, intake.ProblemOwnDomain, intake.ProblemConsent, intake.ProblemTooLong,
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

func TestLabelsAndStatusWords(t *testing.T) {
	if got := Label("de-AT", intake.FieldCompanyDomain); got != "Company domain" {
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
