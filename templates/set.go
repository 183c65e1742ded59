package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"leadgate/intake"
)

//go:embed en *.tmpl
var builtin embed.FS

const (
	phrasesFile = "phrases.tmpl"
	textLayout  = "layout.txt.tmpl"
	htmlLayout  = "layout.html.tmpl"
)

// Options are what New needs to know.
type Options struct {
	// Overrides holds files that replace built-in ones of the same name, such as
	// os.DirFS("/etc/leadgate/templates") with en/approved.txt.tmpl; nil for none. Locales
	// that are not built in may be added.
	Overrides fs.FS
	// Program is the vendor's name for messages that do not bring it.
	Program string
}

// Rendered is a message in words.
type Rendered struct {
	// Subject is one line.
	Subject string
	// Text has lines of up to 76 characters, unless a word or a line to fill in is longer,
	// separated by "\n".
	Text string
	// HTML is a whole page without anything to load, or "" where the operator wrote a text
	// of his own and no page.
	HTML string
}

// Set holds the templates of all locales. It is safe for concurrent use.
type Set struct {
	program string
	locales map[string]map[intake.MessageKind]*letter
}

// letter is the templates of one kind in one locale.
type letter struct {
	name string // of the text's file
	from string // where that came from
	text *texttemplate.Template
	page *htmltemplate.Template // nil if there is none
}

// New parses and tries all templates. An error names the file and the line.
func New(o Options) (*Set, error) {
	if o.Overrides == nil {
		o.Overrides = noFiles{}
	}
	tags, err := tagsOf(o.Overrides)
	if err != nil {
		return nil, err
	}
	s := &Set{program: o.Program, locales: make(map[string]map[intake.MessageKind]*letter)}
	sources := sources{{"override", o.Overrides}, {"built-in", builtin}}
	for _, tag := range tags {
		letters := make(map[intake.MessageKind]*letter)
		for _, kind := range intake.MessageKinds() {
			if letters[kind], err = sources.letter(tag, kind); err != nil {
				return nil, err
			}
		}
		s.locales[tag] = letters
	}
	if o.Overrides == (noFiles{}) {
		return s, nil // the built-in ones are tried by the tests, not at every start
	}
	if err := s.try(tags); err != nil {
		return nil, err
	}
	return s, nil
}

// noFiles is a directory with nothing in it.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// tagsOf lists the locales that have files, and refuses files that nothing would read: most
// likely their names are misspelt.
func tagsOf(overrides fs.FS) ([]string, error) {
	tags := []string{fallback}
	err := fs.WalkDir(overrides, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil && name == "." && errors.Is(err, fs.ErrNotExist) {
			return fs.SkipAll
		}
		if err != nil {
			return fmt.Errorf("templates: override %s: %w", name, err)
		}
		if d.IsDir() || path.Ext(name) != ".tmpl" {
			return nil
		}
		dir, file := path.Split(name)
		dir = strings.TrimSuffix(dir, "/")
		if !slices.Contains(fileNames(dir), file) || dir != strings.ToLower(dir) {
			return fmt.Errorf("templates: override %s: there is no such template; directories are lower-case locales, files %s",
				name, strings.Join(fileNames("en"), ", "))
		}
		if dir != "" && !slices.Contains(tags, dir) {
			tags = append(tags, dir)
		}
		return nil
	})
	return tags, err
}

// fileNames lists the files that a directory can have.
func fileNames(dir string) []string {
	if dir == "" {
		return []string{textLayout, htmlLayout}
	}
	if strings.Contains(dir, "/") {
		return nil
	}
	names := []string{phrasesFile}
	for _, k := range intake.MessageKinds() {
		names = append(names, string(k)+".txt.tmpl", string(k)+".html.tmpl")
	}
	return names
}

// source is a place that files come from.
type source struct {
	name string
	fsys fs.FS
}

// sources are in order of preference.
type sources []source

// file is one that was found.
type file struct {
	source source
	name   string
	text   string
}

// find returns the first of the named files, the name counting more than the source.
func (s sources) find(names ...string) (file, error) {
	for _, name := range names {
		for _, src := range s {
			b, err := fs.ReadFile(src.fsys, name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return file{}, fmt.Errorf("templates: %s %s: %w", src.name, name, err)
			}
			return file{src, name, string(b)}, nil
		}
	}
	return file{}, fmt.Errorf("templates: %s: %w", names[0], fs.ErrNotExist)
}

// phrases returns the phrase files for a locale, the least specific first: what a later one
// defines replaces what an earlier one does.
func (s sources) phrases(tag string) ([]file, error) {
	var found []file
	for _, t := range chain(tag) {
		for _, src := range s {
			f, err := sources{src}.find(path.Join(t, phrasesFile))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found = append(found, f)
		}
	}
	slices.Reverse(found)
	return found, nil
}

// letter parses the templates of one kind for one locale.
func (s sources) letter(tag string, kind intake.MessageKind) (*letter, error) {
	phrases, err := s.phrases(tag)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range chain(tag) {
		names = append(names, path.Join(t, string(kind)+".txt.tmpl"))
	}
	text, err := s.find(names...)
	if err != nil {
		return nil, err
	}
	l := &letter{name: text.name, from: text.source.name}
	if l.text, err = s.parseText(phrases, text); err != nil {
		return nil, err
	}
	page, err := sources{text.source}.find(strings.TrimSuffix(text.name, ".txt.tmpl") + ".html.tmpl")
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	l.page, err = s.parsePage(phrases, page)
	return l, err
}

func (s sources) parseText(phrases []file, text file) (*texttemplate.Template, error) {
	frame, err := s.find(textLayout)
	if err != nil {
		return nil, err
	}
	t := texttemplate.New("")
	for _, f := range append(append([]file{frame}, phrases...), text) {
		if _, err := t.New(f.name).Parse(f.text); err != nil {
			return nil, fmt.Errorf("templates: %s: %w", f.source.name, err)
		}
	}
	return t, nil
}

func (s sources) parsePage(phrases []file, page file) (*htmltemplate.Template, error) {
	frame, err := s.find(htmlLayout)
	if err != nil {
		return nil, err
	}
	t := htmltemplate.New("")
	for _, f := range append(append([]file{frame}, phrases...), page) {
		if _, err := t.New(f.name).Parse(f.text); err != nil {
			return nil, fmt.Errorf("templates: %s: %w", f.source.name, err)
		}
	}
	return t, nil
}

// Render puts a message into words, in its locale or the nearest that there is. The same
// message gives the same words. It fails on a kind that does not exist, and where a
// template fails in a way that New could not foresee; both are permanent.
func (s *Set) Render(m intake.Message) (Rendered, error) {
	for _, tag := range chain(m.Facts.Locale) {
		letters, ok := s.locales[tag]
		if !ok {
			continue
		}
		l := letters[m.Kind]
		if l == nil {
			break
		}
		r, err := l.render(m.Kind, newView(m, s.program, tag))
		if err != nil {
			return Rendered{}, intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
		}
		return r, nil
	}
	return Rendered{}, intake.Permanent(fmt.Errorf("message %s: there are no words for the kind %q", m.ID, m.Kind))
}

func (l *letter) render(kind intake.MessageKind, v view) (Rendered, error) {
	var subject, text, page bytes.Buffer
	if err := l.text.ExecuteTemplate(&subject, "subject."+string(kind), v); err != nil {
		return Rendered{}, err
	}
	if err := l.text.ExecuteTemplate(&text, l.name, v); err != nil {
		return Rendered{}, err
	}
	r := Rendered{Subject: line(subject.String(), maxShort), Text: layout(text.String())}
	if l.page == nil {
		return r, nil
	}
	v.Subject = r.Subject
	if err := l.page.ExecuteTemplate(&page, "page", v); err != nil {
		return Rendered{}, err
	}
	r.HTML = page.String()
	return r, nil
}
