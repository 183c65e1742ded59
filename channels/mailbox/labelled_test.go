package mailbox

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

var (
	misses       = flag.Bool("misses", false, "list every value of the labelled mails that is read wrongly or not at all")
	labelledDirs = flag.String("labelled", "testdata/labelled", "folder of labelled mails")
)

// label is what a labelled mail is known to say.
type label struct {
	Class string           `json:"class"`
	Leads []map[string]any `json:"leads"`
}

// required are the fields without which a lead can't be accepted.
var required = []string{"company_name", "company_domain", "contact_name", "contact_email", "contact_role", "problem", "stage", "consent"}

// further are the other fields that are labelled.
var further = []string{"contact_phone", "country", "target_revenue", "product_interest", "competing_vendors", "kind"}

// tally counts one field: values read and right, read and wrong, labelled and not read.
type tally struct{ right, wrong, missed int }

func (t *tally) add(o tally) { t.right += o.right; t.wrong += o.wrong; t.missed += o.missed }

func (t tally) precision() float64 {
	if t.right+t.wrong == 0 {
		return 1
	}
	return float64(t.right) / float64(t.right+t.wrong)
}

func (t tally) recall() float64 {
	if t.right+t.missed == 0 {
		return 1
	}
	return float64(t.right) / float64(t.right+t.missed)
}

// TestLabelledMails reads mails of which people have written down what they say, and
// compares. The figures are of mails that the rules were written with; see the test's
// -labelled flag for others.
func TestLabelledMails(t *testing.T) {
	files := labelledFiles(t, *labelledDirs)
	if len(files) == 0 {
		t.Skip("no labelled mails in " + *labelledDirs)
	}
	fields, classes := map[string]*tally{}, map[string]*tally{}
	for _, f := range append(slices.Clone(required), further...) {
		fields[f] = &tally{}
	}
	rightClass := 0
	for _, file := range files {
		want, got := readLabelled(t, file)
		name := filepath.Base(file)
		count(classes, want.Class, got.Class)
		if want.Class == got.Class {
			rightClass++
		} else if *misses {
			t.Logf("%s: class %s, want %s", name, got.Class, want.Class)
		}
		compareLeads(t, name, want.Leads, got.Leads, fields)
	}
	var all tally
	for _, f := range required {
		all.add(*fields[f])
	}
	for _, f := range append(slices.Clone(required), further...) {
		t.Logf("%-18s precision %.3f recall %.3f (%d right, %d wrong, %d missed)", f, fields[f].precision(), fields[f].recall(), fields[f].right, fields[f].wrong, fields[f].missed)
	}
	for _, c := range slices.Sorted(mapKeys(classes)) {
		t.Logf("class %-12s precision %.3f recall %.3f", c, classes[c].precision(), classes[c].recall())
	}
	t.Logf("%d mails, class right in %.3f; required fields: precision %.4f, recall %.4f", len(files), float64(rightClass)/float64(len(files)), all.precision(), all.recall())
	if *labelledDirs != "testdata/labelled" {
		return
	}
	if p, r, c := all.precision(), all.recall(), float64(rightClass)/float64(len(files)); p < floorPrecision || r < floorRecall || c < floorClass {
		t.Errorf("precision %.4f, recall %.4f, class %.4f; want %.3f, %.3f, %.3f at least", p, r, c, floorPrecision, floorRecall, floorClass)
	}
}

// The floors are a little below what is reached.
const (
	floorPrecision = .99
	floorRecall    = .955
	floorClass     = .99
)

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func labelledFiles(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".txtar") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return files
}

func readLabelled(t *testing.T, file string) (want, got label) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var mail []byte
	for _, f := range a.Files {
		switch f.Name {
		case "mail.eml":
			mail = f.Data
		case "want.json":
			if err := json.Unmarshal(f.Data, &want); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	x, err := Explain(bytes.NewReader(mail), Config{Address: testAddress}, testExtractor())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	return want, got
}

func count(classes map[string]*tally, want, got string) {
	for _, c := range []string{want, got} {
		if classes[c] == nil {
			classes[c] = &tally{}
		}
	}
	if want == got {
		classes[want].right++
		return
	}
	classes[want].missed++
	classes[got].wrong++
}

// compareLeads pairs the leads that agree most and counts their fields.
func compareLeads(t *testing.T, name string, want, got []map[string]any, fields map[string]*tally) {
	t.Helper()
	rest := slices.Clone(got)
	for _, w := range want {
		best, score := -1, -1
		for i, g := range rest {
			n := 0
			for f := range fields {
				if w[f] != nil && g[f] != nil && agree(f, w[f], g[f]) {
					n++
				}
			}
			if n > score {
				best, score = i, n
			}
		}
		var g map[string]any
		if best >= 0 {
			g = rest[best]
			rest = slices.Delete(rest, best, best+1)
		}
		compareLead(t, name, w, g, fields)
	}
	for _, g := range rest {
		compareLead(t, name, nil, g, fields)
	}
}

func compareLead(t *testing.T, name string, want, got map[string]any, fields map[string]*tally) {
	t.Helper()
	for _, f := range append(slices.Clone(required), further...) {
		w, g := want[f], got[f]
		switch {
		case w == nil && g == nil:
			continue
		case w != nil && g != nil && agree(f, w, g):
			fields[f].right++
			continue
		case g == nil:
			fields[f].missed++
		case w == nil:
			fields[f].wrong++
		default:
			fields[f].wrong++
			fields[f].missed++
		}
		if *misses {
			t.Logf("%s: %s\n   got  %v\n   want %v", name, f, show(g), show(w))
		}
	}
}

func show(v any) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprint(v)
}

// agree compares two values: without case, accents and white space; texts by their words;
// lists as sets.
func agree(f string, want, got any) bool {
	switch w := want.(type) {
	case bool:
		return want == got
	case []any:
		g, _ := got.([]any)
		return slices.Equal(set(w), set(g))
	case map[string]any:
		return sameMoney(w, got)
	case string:
		if f == "problem" {
			return wordsInCommon(w, fmt.Sprint(got)) >= .5
		}
		return folded(w) == folded(fmt.Sprint(got))
	}
	return false
}

// sameMoney compares amounts by their value: the labels have them in quotation marks.
func sameMoney(want map[string]any, got any) bool {
	g, ok := got.(map[string]any)
	if !ok {
		return false
	}
	w, err := strconv.ParseFloat(fmt.Sprint(want["amount"]), 64)
	return err == nil && w == g["amount"] && want["currency"] == g["currency"]
}

func set(list []any) []string {
	var out []string
	for _, v := range list {
		out = append(out, folded(fmt.Sprint(v)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func folded(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(cases.Fold().String(norm.NFKC.String(s))))
	return strings.Join(strings.Fields(s), " ")
}

// wordsInCommon is the F1 of two texts as bags of words.
func wordsInCommon(a, b string) float64 {
	split := func(s string) []string {
		return strings.FieldsFunc(folded(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	x, y := split(a), split(b)
	if strings.ContainsFunc(a, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }) {
		x, y = strings.Split(folded(a), ""), strings.Split(folded(b), "") // of no spaces
	}
	bag := map[string]int{}
	for _, w := range x {
		bag[w]++
	}
	common := 0
	for _, w := range y {
		if bag[w] > 0 {
			bag[w]--
			common++
		}
	}
	if common == 0 {
		return 0
	}
	return 2 * float64(common) / float64(len(x)+len(y))
}
