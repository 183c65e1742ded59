package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"leadgate/intake"
)

//go:embed en de kinds *.tmpl
var builtin embed.FS

const (
	phrasesFile = "phrases.tmpl"
	ours        = "built-in"
	kindsDir    = "kinds" // of what is built in, for all languages
	textLayout  = "layout.txt.tmpl"
	htmlLayout  = "layout.html.tmpl"
)

// Options are what New needs to know.
type Options struct {
	// Overrides holds files that take the place of built-in ones, such as
	// os.DirFS("/etc/leadgate/templates") with de/phrases.tmpl and en/approved.txt.tmpl; nil for
	// none. Locales that are not built in may be added.
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
	// foreign says that something in it is not built in.
	foreign bool
	text    *texttemplate.Template
	page    *htmltemplate.Template // nil if there is none
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
	sources := sources{{"override", o.Overrides}, {ours, builtin}}
	for _, tag := range tags {
		common, err := sources.common(tag)
		if err != nil {
			return nil, err
		}
		letters := make(map[intake.MessageKind]*letter)
		for _, kind := range allKinds() {
			if letters[kind], err = sources.letter(tag, kind, common); err != nil {
				return nil, err
			}
		}
		s.locales[tag] = letters
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
	tags := slices.Sorted(maps.Keys(locales))
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

// allKinds are those to partners and those to staff.
func allKinds() []intake.MessageKind { return append(intake.MessageKinds(), intake.StaffKinds()...) }

// fileNames lists the files that a directory can have.
func fileNames(dir string) []string {
	if dir == "" {
		return []string{textLayout, htmlLayout}
	}
	if strings.Contains(dir, "/") {
		return nil
	}
	names := []string{phrasesFile}
	for _, k := range allKinds() {
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

// common is the layouts and the phrases of a locale, which all its letters share.
type common struct {
	text    *texttemplate.Template
	page    *htmltemplate.Template
	foreign bool
}

func (s sources) common(tag string) (c common, err error) {
	phrases, err := s.phrases(tag)
	if err != nil {
		return c, err
	}
	text, err := s.find(textLayout)
	if err != nil {
		return c, err
	}
	page, err := s.find(htmlLayout)
	if err != nil {
		return c, err
	}
	c.text, c.page = texttemplate.New(""), htmltemplate.New("")
	for _, f := range append([]file{text}, phrases...) {
		if _, err := c.text.New(f.name).Parse(f.text); err != nil {
			return c, fmt.Errorf("templates: %s: %w", f.source.name, err)
		}
	}
	for _, f := range append([]file{text, page}, phrases...) {
		c.foreign = c.foreign || f.source.name != ours
	}
	for _, f := range append([]file{page}, phrases...) {
		if _, err := c.page.New(f.name).Parse(f.text); err != nil {
			return c, fmt.Errorf("templates: %s: %w", f.source.name, err)
		}
	}
	return c, nil
}

// text finds the text of a kind: an operator's for the locale or one that is wider, but none
// that is in another language than ours would be.
func (s sources) text(tag string, kind intake.MessageKind) (file, error) {
	var names []string
	for _, t := range chain(tag) {
		names = append(names, path.Join(t, string(kind)+".txt.tmpl"))
		if locales[t] != nil {
			break
		}
	}
	return s.find(append(names, path.Join(kindsDir, string(kind)+".txt.tmpl"))...)
}

// letter parses the templates of one kind for one locale.
func (s sources) letter(tag string, kind intake.MessageKind, c common) (*letter, error) {
	text, err := s.text(tag, kind)
	if err != nil {
		return nil, err
	}
	l := &letter{name: text.name, from: text.source.name, foreign: c.foreign || text.source.name != ours}
	if l.text, err = c.text.Clone(); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	if _, err := l.text.New(text.name).Parse(text.text); err != nil {
		return nil, fmt.Errorf("templates: %s: %w", text.source.name, err)
	}
	page, err := sources{text.source}.find(strings.TrimSuffix(text.name, ".txt.tmpl") + ".html.tmpl")
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, err
	}
	if l.page, err = c.page.Clone(); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	if _, err := l.page.New(page.name).Parse(page.text); err != nil {
		return nil, fmt.Errorf("templates: %s: %w", page.source.name, err)
	}
	return l, nil
}

// letter returns the templates for a message, and the locale that they are of.
func (s *Set) letter(m intake.Message) (*letter, string, error) {
	for _, tag := range chain(m.Facts.Locale) {
		if l := s.locales[tag][m.Kind]; l != nil {
			return l, tag, nil
		}
	}
	return nil, "", fmt.Errorf("there are no words for the kind %q", m.Kind)
}

// Render puts a message into words, in its locale or the nearest that there is. The same
// message gives the same words. It fails on a kind that does not exist, on a message to staff
// without a Brief, and where a template fails in a way that New could not foresee; all are
// permanent.
func (s *Set) Render(m intake.Message) (Rendered, error) {
	l, tag, err := s.letter(m)
	if err != nil {
		return Rendered{}, intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
	}
	r, err := l.write(m, s.program, tag)
	if err != nil {
		return Rendered{}, intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
	}
	return r, nil
}

// write renders a message to a partner from the partner's view, and one to staff from theirs.
func (l *letter) write(m intake.Message, program, tag string) (Rendered, error) {
	if toStaff(m.Kind) {
		if m.Brief == nil {
			return Rendered{}, errNoBrief
		}
		v := newStaffView(m, program, tag)
		return l.render(m.Kind, &v, &v.Subject, "")
	}
	v := newView(m, program, tag)
	return l.render(m.Kind, &v, &v.Subject, v.Receipt)
}

// errNoBrief is of a message to staff that says nothing.
var errNoBrief = errors.New("a message to staff has no brief")

func toStaff(k intake.MessageKind) bool { return slices.Contains(intake.StaffKinds(), k) }

// render executes the templates on a view. The receipt comes last, as it is.
func (l *letter) render(kind intake.MessageKind, view any, title *string, receipt string) (Rendered, error) {
	var subject, text, page bytes.Buffer
	if err := l.text.ExecuteTemplate(&subject, "subject."+string(kind), view); err != nil {
		return Rendered{}, err
	}
	if err := l.text.ExecuteTemplate(&text, l.name, view); err != nil {
		return Rendered{}, err
	}
	r := Rendered{Subject: line(subject.String(), maxShort), Text: layout(text.String())}
	if receipt != "" {
		var above bytes.Buffer
		if err := l.text.ExecuteTemplate(&above, "receipt.title", view); err != nil {
			return Rendered{}, err
		}
		r.Text += "\n" + layout(above.String()) + "\n" + receipt + "\n"
	}
	if l.page == nil {
		return r, nil
	}
	*title = r.Subject
	if err := l.page.ExecuteTemplate(&page, "page", view); err != nil {
		return Rendered{}, err
	}
	r.HTML = page.String()
	return r, nil
}
