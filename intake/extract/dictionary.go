package extract

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"leadgate/intake"
)

//go:embed data
var data embed.FS

// dictionary is the data files, by folded spelling.
type dictionary struct {
	labels map[string]intake.Field
	// weak are labels that mean something else as often, "Lead" or "Project": they count only
	// where what stands beside them is about that field too.
	weak map[string]bool
	// own are the labels by which a field is called first of all, one in each language.
	own map[string]bool
	// place is how far behind a label stands among those of its field in its language: the further,
	// the less it tells.
	place      map[string]int
	fuzzy      map[edge][]string // labels of at least minFuzzy letters
	countries  map[string]string
	currencies map[string]bool
	// words maps a kind of data/words.tsv ("empty", "yes", "stage", "closing" …) and a spelling
	// to a value.
	words map[string]map[string]string
}

// edge is the length of a label in runes with its first or its last rune. One wrong letter
// leaves one of the two as it is, so that few labels need a closer look.
type edge struct {
	runes int
	r     rune
	last  bool
}

// version is a hash over the data files.
var version = sync.OnceValue(func() string {
	h := sha256.New()
	files, err := data.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		b, err := data.ReadFile("data/" + f.Name())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(h, "%s %d\n", f.Name(), len(b))
		h.Write(b)
	}
	return "2." + hex.EncodeToString(h.Sum(nil)[:6])
})

// minFuzzy is how long a label must be for one wrong letter to be forgiven.
const minFuzzy = 6

// builtin returns the embedded dictionary. It is built once.
var builtin = sync.OnceValue(func() *dictionary {
	d := &dictionary{
		labels: make(map[string]intake.Field), weak: make(map[string]bool), own: make(map[string]bool), place: make(map[string]int), fuzzy: make(map[edge][]string),
		countries: make(map[string]string), currencies: make(map[string]bool),
		words: make(map[string]map[string]string),
	}
	labels := rows("data/labels.tsv", 3)
	for _, weak := range []bool{false, true} {
		for _, row := range labels {
			for i, l := range strings.Split(row[2], "|") {
				if i == 0 {
					d.own[fold(l)] = true
				}
				if strings.HasSuffix(l, "?") == weak {
					d.addLabel(l, intake.Field(row[0]), weak, i)
				}
			}
		}
		for _, f := range intake.Fields() {
			d.addLabel(string(f), f, false, 0)
		}
	}
	for _, row := range rows("data/words.tsv", 3) {
		if d.words[row[0]] == nil {
			d.words[row[0]] = make(map[string]string)
		}
		for _, w := range strings.Split(row[2], "|") {
			d.words[row[0]][fold(w)] = row[1]
		}
	}
	for _, row := range rows("data/countries.tsv", 2) {
		for _, n := range strings.Split(row[1], "|") {
			d.countries[fold(n)] = row[0]
		}
	}
	for _, row := range rows("data/countries.tsv", 2) {
		if _, taken := d.countries[fold(row[0])]; !taken {
			d.countries[fold(row[0])] = row[0]
		}
	}
	for _, row := range rows("data/currencies.txt", 1) {
		for _, c := range strings.Fields(row[0]) {
			d.currencies[c] = true
		}
	}
	return d
})

// addLabel adds a label that no field has yet.
func (d *dictionary) addLabel(label string, f intake.Field, weak bool, place int) {
	k := fold(label)
	if known, found := d.labels[k]; found {
		if known == f {
			d.place[k] = min(d.place[k], place)
		}
		return
	}
	d.labels[k], d.weak[k], d.place[k] = f, weak, place
	if n := utf8.RuneCountInString(k); n >= minFuzzy && !weak {
		first, last := outer(k)
		d.fuzzy[edge{n, first, false}] = append(d.fuzzy[edge{n, first, false}], k)
		d.fuzzy[edge{n, last, true}] = append(d.fuzzy[edge{n, last, true}], k)
	}
}

// outer returns the first and the last rune of a text.
func outer(s string) (first, last rune) {
	first, _ = utf8.DecodeRuneInString(s)
	last, _ = utf8.DecodeLastRuneInString(s)
	return first, last
}

// label returns the field that a folded label names. With forgive, a label of six letters
// or more may have one letter wrong, missing or too many, if that leaves one field only.
func (d *dictionary) label(folded string, forgive bool) (intake.Field, bool) {
	if ourLabels[folded] {
		return "", false
	}
	if f, ok := d.labels[folded]; ok {
		return f, true
	}
	if f, ok := d.labels[bareLabel(folded)]; ok && forgive {
		return f, true
	}
	if f, ok := d.qualified(folded); ok && forgive {
		return f, true
	}
	n := utf8.RuneCountInString(folded)
	if !forgive || n < minFuzzy || d.otherLabel(folded) {
		return "", false
	}
	return d.misspelt(folded, n)
}

// misspelt returns the one field of the labels that are one letter away from a folded label of
// n runes.
func (d *dictionary) misspelt(folded string, n int) (found intake.Field, ok bool) {
	first, last := outer(folded)
	for m := n - 1; m <= n+1; m++ {
		for _, of := range []edge{{m, first, false}, {m, last, true}} {
			for _, l := range d.fuzzy[of] {
				if !nearly(folded, l) {
					continue
				}
				if f := d.labels[l]; found != "" && found != f {
					return "", false
				} else {
					found = f
				}
			}
		}
	}
	return found, found != ""
}

// qualified returns the field of a label that says besides whose value it is, "Customer
// contact e-mail" or "Alternatives they mentioned": the words of data/words.tsv in front of it
// and behind.
func (d *dictionary) qualified(folded string) (intake.Field, bool) {
	k := folded
	for range 3 {
		first, rest, ok := strings.Cut(k, " ")
		if _, qualifies := d.words["qualifier"][first]; !ok || !qualifies {
			break
		}
		if f, known := d.labels[rest]; known && !d.weak[rest] {
			return f, true
		}
		k = rest
	}
	for i := strings.IndexByte(folded, ' '); i > 0; {
		if _, ok := d.words["tail"][folded[i+1:]]; ok {
			f, known := d.labels[folded[:i]]
			return f, known && !d.weak[folded[:i]]
		}
		next := strings.IndexByte(folded[i+1:], ' ')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return "", false
}

// otherLabel reports whether a folded label is one that is known to name no field of ours,
// "Next step" or "Contract", however near to a field's its letters are.
func (d *dictionary) otherLabel(folded string) bool {
	_, ok := d.words["other"][folded]
	return ok
}

// bareLabel takes articles in front and "is" behind off a label: "the company is".
func bareLabel(k string) string {
	for _, p := range []string{"the ", "your ", "ihr ", "ihre ", "votre ", "vos ", "su ", "tu ", "vostro ", "uw ", "jullie ", "our ", "their ", "his ", "her ", "die ", "der ", "das ", "unser ", "unsere ", "le ", "la ", "notre ", "el ", "nuestro ", "il ", "lo ", "il loro ", "de ", "het ", "o ", "a "} {
		k = strings.TrimPrefix(k, p)
	}
	for _, s := range []string{" is", " are", " ist", " sind", " est", " es", " e", " och", " er", " ar", " to", " jest"} {
		k = strings.TrimSuffix(k, s)
	}
	return k
}

// is reports whether s is one of the words of a kind.
func (d *dictionary) is(kind, s string) bool {
	_, ok := d.words[kind][fold(s)]
	return ok
}

// nearly reports whether one replaced, dropped or added rune, or two that changed places,
// turn a into b.
func nearly(a, b string) bool {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			return a[n:] == b[m:] || a[n:] == b || a == b[m:] || swapped(a, b)
		}
		a, b = a[n:], b[m:]
	}
	return utf8.RuneCountInString(a)+utf8.RuneCountInString(b) <= 1
}

// swapped reports whether the first two runes of a and b have changed places.
func swapped(a, b string) bool {
	x, y := []rune(a), []rune(b)
	return len(x) > 1 && len(x) == len(y) && x[0] == y[1] && x[1] == y[0] && string(x[2:]) == string(y[2:])
}

// rows reads an embedded table of n tab-separated columns; "#" starts a comment line. The
// files are part of the program, so that a fault in one is a fault of the program.
func rows(name string, n int) [][]string {
	f, err := data.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	var out [][]string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if s.Text() == "" || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		cols := strings.Split(s.Text(), "\t")
		if len(cols) != n {
			panic(fmt.Sprintf("%s: %d columns in %q, want %d", name, len(cols), s.Text(), n))
		}
		out = append(out, cols)
	}
	if err := s.Err(); err != nil {
		panic(err)
	}
	return out
}
