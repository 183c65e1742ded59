package identity

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// The names of the lists that an operator can add to.
const (
	listFreeMail    = "free-mail"
	listSharedHosts = "shared-hosts"
	listLegalForms  = "legal-forms"
	listSuffixes    = "suffixes"
)

//go:embed data/*.txt
var data embed.FS

// Lists are the data that the judgements rest on. The zero value knows nothing but the
// public suffix list; use Default. Reading is safe for many goroutines, Extend is not.
type Lists struct {
	freeMail   map[string]struct{} // ASCII domains
	ends       map[string]struct{} // own suffixes and shared hosts: an identity is one label more
	forms      map[string]form     // by folded spelling, words separated by one space
	ideographs []string            // spellings in scripts without spaces, longest first
	splitter   *strings.Replacer   // puts spaces around the ideographs
	formWords  int                 // words in the longest form
	countries  map[string]string   // folded country name to ISO code
}

// form is one legal form, such as GmbH.
type form struct {
	name    string // the first spelling of its line, folded
	weak    bool   // the word also stands in plain names
	leading bool   // may be taken off the front
	country string // ISO code if the form points at one country, else ""
}

// defaults reads the embedded files once; they are part of the program, so a fault in
// them is a fault in the program.
var defaults = sync.OnceValue(func() *Lists {
	l := new(Lists)
	for _, name := range []string{listSuffixes, listFreeMail, listSharedHosts, listLegalForms} {
		if err := l.Extend(name, embedded(name)); err != nil {
			panic(err)
		}
	}
	l.readCountries(embedded("countries"))
	return l
})

func embedded(name string) io.Reader {
	f, err := data.Open("data/" + name + ".txt")
	if err != nil {
		panic(err)
	}
	return f
}

// Default returns the lists that come with the program. Each call returns a copy of its
// own, so that extending one leaves the others as they were.
func Default() *Lists { return defaults().clone() }

func (l *Lists) clone() *Lists {
	c := *l
	c.freeMail = cloneMap(l.freeMail)
	c.ends = cloneMap(l.ends)
	c.forms = cloneMap(l.forms)
	c.ideographs = slices.Clone(l.ideographs)
	return &c
}

// cloneMap never returns nil.
func cloneMap[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}

// Extend adds an operator's entries to the list called name: "free-mail",
// "shared-hosts", "suffixes" (one domain a line) or "legal-forms" (the format is
// described in data/legal-forms.txt). Empty lines and lines that start with # are passed
// over. An error names the list and the line, and leaves the receiver as it was.
func (l *Lists) Extend(name string, r io.Reader) error {
	c := l.clone()
	var add func(line string) error
	switch name {
	case listFreeMail:
		add = func(line string) error { return addHost(c.freeMail, line, 2) }
	case listSharedHosts:
		add = func(line string) error { return addHost(c.ends, line, 2) }
	case listSuffixes:
		add = func(line string) error { return addHost(c.ends, line, 1) }
	case listLegalForms:
		add = c.addForm
	default:
		return fmt.Errorf("extend lists: no list is called %q", name)
	}
	if err := eachLine(r, add); err != nil {
		return fmt.Errorf("extend list %s: %w", name, err)
	}
	c.index()
	*l = *c
	return nil
}

// eachLine calls f with each line that holds an entry; an error gets the line's number.
func eachLine(r io.Reader, f func(line string) error) error {
	s := bufio.NewScanner(r)
	n := 0
	for s.Scan() {
		n++
		line := strings.TrimSpace(strings.TrimPrefix(s.Text(), "\uFEFF"))
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// addHost adds a domain of at least minLabels labels.
func addHost(set map[string]struct{}, line string, minLabels int) error {
	host, ok := toASCII(strings.TrimPrefix(line, "."))
	if !ok || isIP(host) || strings.Count(host, ".")+1 < minLabels {
		return fmt.Errorf("%q is not a domain", line)
	}
	set[host] = struct{}{}
	return nil
}

// addForm reads "name, other spelling = strong|weak [leading] [COUNTRY[!] ...]". A later
// line replaces an earlier spelling.
func (l *Lists) addForm(line string) error {
	names, traits, ok := strings.Cut(line, "=")
	if !ok {
		return errors.New(`no "=" between the spellings and what they mean`)
	}
	f, err := readTraits(strings.Fields(traits))
	if err != nil {
		return err
	}
	for spelling := range strings.SplitSeq(names, ",") {
		folded := fold(spelling, plain)
		key, real := tokens(folded)
		if !real {
			return fmt.Errorf("the spelling %q has no letters", strings.TrimSpace(spelling))
		}
		if f.name == "" {
			f.name = key
		}
		l.forms[key] = f
		if literal := strings.TrimSpace(folded); strings.ContainsFunc(literal, unspaced) {
			l.ideographs = append(l.ideographs, literal)
		}
	}
	return nil
}

func readTraits(words []string) (form, error) {
	var f form
	if len(words) == 0 || words[0] != "strong" && words[0] != "weak" {
		return f, errors.New(`the first word after "=" must be strong or weak`)
	}
	f.weak = words[0] == "weak"
	words = words[1:]
	if len(words) > 0 && words[0] == "leading" {
		f.leading = true
		words = words[1:]
	}
	for _, w := range words {
		code, home := strings.CutSuffix(w, "!")
		if len(code) != 2 || code != strings.ToUpper(code) || !isASCII(code) {
			return f, fmt.Errorf("%q is not a country code of two capitals", w)
		}
		if home || len(words) == 1 {
			f.country = code
		}
	}
	return f, nil
}

// unspaced reports whether r is of a script whose words are written without spaces.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// index rebuilds what is derived from the forms.
func (l *Lists) index() {
	l.formWords = 1
	for key := range l.forms {
		l.formWords = max(l.formWords, strings.Count(key, " ")+1)
	}
	slices.SortFunc(l.ideographs, func(a, b string) int {
		if d := len(b) - len(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	l.ideographs = slices.Compact(l.ideographs)
	pairs := make([]string, 0, 2*len(l.ideographs))
	for _, s := range l.ideographs {
		pairs = append(pairs, s, " "+s+" ")
	}
	l.splitter = strings.NewReplacer(pairs...)
}

// readCountries reads "CODE name, name, ..." lines of the embedded file.
func (l *Lists) readCountries(r io.Reader) {
	l.countries = map[string]string{}
	err := eachLine(r, func(line string) error {
		code, names, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(names, ",") {
			for _, u := range []umlauts{plain, digraphs} {
				key, _ := tokens(fold(name, u))
				l.countries[key] = code
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
}
