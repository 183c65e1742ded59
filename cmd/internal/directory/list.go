// Package directory reads and writes the lists that staff keep in files: the partners, and the
// accounts that the vendor knows. It says what is wrong with the form of a file; whether the
// values make sense is for the gateway to say.
package directory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// Format is how a list is written.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	YAML Format = "yaml"
)

// FormatOf tells the format of a file by its name.
func FormatOf(file string) (Format, error) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv":
		return CSV, nil
	case ".yaml", ".yml":
		return YAML, nil
	}
	return "", fmt.Errorf("%s: the name must end in .csv or .yaml", file)
}

// List is a kind of list of entries T.
type List[T any] interface {
	// Noun is what an entry is called.
	Noun() string
	// Read reads a list. What a row does not mention stays as it is in the entry that find
	// returns for it; with no find it is empty. The error is Faults of form, or what kept the
	// file from being read at all.
	Read(format Format, r io.Reader, find func(id string) (T, bool)) (File[T], error)
	// Write writes a list so that Read makes the same of it.
	Write(w io.Writer, format Format, entries []T) error
	// Values are the fields of an entry that are not empty, as CSV has them.
	Values(e T) []Value
	// Compare returns what becomes of each entry when a list is imported, in the order of the
	// list; with whole, those follow that are not in it.
	Compare(before, after []T, whole bool) []Change
}

// list is a List whose entries are written as rows R: a struct whose fields, plain or cells,
// have their name in the tag yaml, which is that of a key in YAML and of a column in CSV.
type list[T, R any] struct {
	noun string
	// id is what an entry is found by, rowID the same of a row, as it was written.
	id    func(T) string
	rowID func(*R) string
	row   func(T) R
	// apply puts a row into what was there before.
	apply func(R, T, *faults) T
	// keys are the keys of T that a row calls otherwise, in turn.
	keys *strings.Replacer
	// document returns an empty file in YAML, and the list that it holds.
	document func() (file any, rows *[]R)
}

// Noun implements List.
func (l *list[T, R]) Noun() string { return l.noun }

// File is a list that was read.
type File[T any] struct {
	Entries []T
	// Faults are wrong values; the entries are without them.
	Faults []Fault

	ids    []string
	lineOf func(entry int, field string) int
	keys   *strings.Replacer
}

// Place tells what the gateway says of the entries by the lines of the file.
func (f File[T]) Place(found []intake.EntryFault) []Fault {
	var placed []Fault
	for _, e := range found {
		placed = append(placed, f.fault(e.Entry, f.keys.Replace(e.Field), e.Problem))
	}
	return placed
}

func (f File[T]) fault(entry int, field, problem string) Fault {
	if entry >= len(f.ids) { // added to those of the file
		return Fault{Field: field, Problem: problem}
	}
	return Fault{Line: f.lineOf(entry, field), ID: f.ids[entry], Field: field, Problem: problem}
}

// Read implements List.
func (l *list[T, R]) Read(format Format, r io.Reader, find func(id string) (T, bool)) (File[T], error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return File[T]{}, err
	}
	if line := notUTF8(src); line > 0 {
		return File[T]{}, fmt.Errorf("line %d is not UTF-8; save the file as UTF-8 %s", line, strings.ToUpper(string(format)))
	}
	read := l.readCSV
	if format == YAML {
		read = l.readYAML
	}
	rows, err := read(bytes.TrimPrefix(src, []byte("\uFEFF")))
	if err != nil {
		return File[T]{}, err
	}
	f := File[T]{lineOf: rows.lineOf, keys: l.keys, Faults: rows.faults}
	first := make(map[string]int)
	for i := range rows.list {
		id := l.rowID(&rows.list[i])
		f.ids = append(f.ids, id)
		f.Entries = append(f.Entries, l.merged(&f, i, &rows.list[i], rows.given(i), find))
		same := strings.ToLower(strings.TrimSpace(id)) // as the gateway compares them
		if at, twice := first[same]; twice && same != "" {
			f.Faults = append(f.Faults, Fault{Line: f.lineOf(i, ""), ID: id, Problem: fmt.Sprintf("line %d has the same %s", f.lineOf(at, ""), columnsOf[R]()[0])})
		} else {
			first[same] = i
		}
	}
	return f, nil
}

// merged is the entry of a row of which only some fields are given.
func (l *list[T, R]) merged(f *File[T], i int, r *R, given []string, find func(string) (T, bool)) T {
	var before T
	if find != nil {
		before, _ = find(l.rowID(r))
	}
	whole := l.row(before)
	for _, name := range given {
		if v := fieldOf(&whole, name); v.IsValid() {
			v.Set(fieldOf(r, name))
		}
	}
	var wrong faults
	after := l.apply(whole, before, &wrong)
	for _, w := range wrong {
		f.Faults = append(f.Faults, f.fault(i, w.Field, w.Problem))
	}
	return after
}

// rows is a file taken apart.
type rows[R any] struct {
	list   []R
	faults []Fault
	given  func(row int) []string // the fields that the file has
	lineOf func(row int, field string) int
}

func (l *list[T, R]) readYAML(src []byte) (rows[R], error) {
	file, written := l.document()
	doc, wrong := config.Decode(src, file)
	if len(wrong) > 0 {
		all := make(Faults, len(wrong))
		for i, w := range wrong {
			all[i] = Fault{Line: w.Line, Field: w.Path, Problem: w.Problem}
		}
		return rows[R]{}, all
	}
	path := func(i int) string { return fmt.Sprintf("%ss[%d]", l.noun, i) }
	return rows[R]{
		list:  *written,
		given: func(i int) []string { return doc.Keys(path(i)) },
		lineOf: func(i int, field string) int {
			return doc.Line(strings.TrimSuffix(path(i)+"."+field, "."))
		},
	}, nil
}

// Write implements List.
func (l *list[T, R]) Write(w io.Writer, format Format, entries []T) error {
	file, written := l.document()
	for _, e := range entries {
		*written = append(*written, l.row(e))
	}
	switch format {
	case CSV:
		return writeCSV(w, *written)
	case YAML:
		enc := yaml.NewEncoder(w)
		enc.SetIndent(2)
		return errors.Join(enc.Encode(file), enc.Close())
	}
	return fmt.Errorf("format %q: want csv or yaml", format)
}

// Values implements List.
func (l *list[T, R]) Values(e T) []Value {
	var none T
	return l.differences(none, e)
}

// Value is a field, and what is in it now; Old is what was there before.
type Value struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

func (l *list[T, R]) differences(before, after T) []Value {
	was, is := l.row(before), l.row(after)
	var all []Value
	for _, name := range columnsOf[R]() {
		v := Value{Field: name, Old: textOf(fieldOf(&was, name)), New: textOf(fieldOf(&is, name))}
		if v.Old != v.New {
			all = append(all, v)
		}
	}
	return all
}

// Change is what an import does to an entry.
type Change struct {
	ID string `json:"id"`
	// Kind is one of Added, Changed, Unchanged and Removed.
	Kind   string  `json:"change"`
	Fields []Value `json:"fields,omitempty"`
}

// The kinds of changes.
const (
	Added     = "added"
	Changed   = "changed"
	Unchanged = "unchanged"
	Removed   = "removed"
)

// Compare implements List.
func (l *list[T, R]) Compare(before, after []T, whole bool) []Change {
	was := make(map[string]T, len(before))
	for _, e := range before {
		was[l.id(e)] = e
	}
	all := []Change{}
	for _, e := range after {
		c := Change{ID: l.id(e), Kind: Added}
		old, there := was[c.ID]
		delete(was, c.ID)
		switch c.Fields = l.differences(old, e); {
		case there && len(c.Fields) == 0:
			c.Kind = Unchanged
		case there:
			c.Kind = Changed
		}
		all = append(all, c)
	}
	for _, e := range before {
		if _, missing := was[l.id(e)]; missing && whole {
			all = append(all, Change{ID: l.id(e), Kind: Removed})
		}
	}
	return all
}

// Fault is one thing wrong with a file.
type Fault struct {
	Line int `json:"line,omitempty"` // counted from 1
	// ID is what the entry is called in the file.
	ID      string `json:"id,omitempty"`
	Field   string `json:"field,omitempty"`
	Problem string `json:"problem"`
}

func (f Fault) Error() string {
	words := f.Problem
	if f.Field != "" {
		words = f.Field + ": " + words
	}
	switch {
	case f.Line > 0 && f.ID != "":
		return fmt.Sprintf("line %d (%s): %s", f.Line, f.ID, words)
	case f.Line > 0:
		return fmt.Sprintf("line %d: %s", f.Line, words)
	}
	return words
}

// Faults are all that is wrong with a file.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Sorted are faults by line.
func (fs Faults) Sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int { return a.Line - b.Line })
	return fs
}

// faults collects what is wrong with the values of one row.
type faults []Fault

func (f *faults) add(field, format string, a ...any) {
	*f = append(*f, Fault{Field: field, Problem: fmt.Sprintf(format, a...)})
}

// names keeps what columnsOf found: long lists ask for each value of each row.
var names sync.Map

// columnsOf are the names of the fields of R, in order.
func columnsOf[R any]() []string {
	if known, ok := names.Load(reflect.TypeFor[R]()); ok {
		return known.([]string)
	}
	var columns []string
	for f := range reflect.TypeFor[R]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		columns = append(columns, name)
	}
	names.Store(reflect.TypeFor[R](), columns)
	return columns
}

// fieldOf is the field of a row by its name; not valid if there is none.
func fieldOf[R any](r *R, name string) reflect.Value {
	i := slices.Index(columnsOf[R](), name)
	if i < 0 {
		return reflect.Value{}
	}
	return reflect.ValueOf(r).Elem().Field(i)
}
