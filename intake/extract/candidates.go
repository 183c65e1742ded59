package extract

import (
	"slices"
	"strings"

	"leadgate/intake"
)

// The methods by which a value is found, as Evidence names them.
const (
	byLabel     = "label"     // "Company: Acme"
	byTable     = "table"     // a row of two cells, or a cell below a header
	byNextLine  = "next line" // the line below a label
	byProse     = "prose"     // a sentence
	bySubject   = "subject"
	byForward   = "forwarded" // the header of a forwarded mail
	bySignature = "signature" // of the person whose mail was forwarded
	byCard      = "card"      // an attached vCard
	byAddress   = "address"   // derived from the contact's address
	byAnswer    = "answer"    // filled into our question
)

// How sure a way of finding is, 0 to 1, for what was written this time.
const (
	scoreLabel    = .95
	scoreTable    = .95
	scoreHeader   = .9
	scoreNextLine = .85
	scoreAnswer   = .95
	scoreCard     = .8
	scoreForward  = .8
	scoreCertain  = .85 // prose whose parts confirm each other
	scoreClear    = .75 // prose that says it in so many words
	scoreLikely   = .65
	scoreSubject  = .6
	scoreHint     = .4 // not enough alone

	// keep is how sure a value must be to be used.
	keep = .6
	// tooClose is the distance within which two different values are a conflict.
	tooClose = .15
)

// The factors by which what stands elsewhere counts less.
var factors = map[region]float64{fresh: 1, forwarded: .9, quoted: .5, signature: .3, disclaimer: 0}

// span is a piece of Result.Text; zero for what stands elsewhere.
type span struct{ start, end int }

// candidate is one value that was found for a field.
type candidate struct {
	value  string
	words  string // the evidence
	at     span
	score  float64
	method string
	bare   bool // digits of which no word says that they are a telephone number
}

// candidates are the different values found, by field.
type candidates map[intake.Field][]candidate

const maxReadings = 8 // different values of a field that are kept

// add notes a value. The same value from a second place makes it surer, but not a
// repetition of the same method.
func (c candidates) add(f intake.Field, v candidate) {
	if v.value == "" || v.score <= 0 {
		return
	}
	for i := range c[f] {
		old := &c[f][i]
		if !same(f, old.value, v.value) {
			continue
		}
		score := max(old.score, v.score)
		if old.method != v.method {
			score = 1 - (1-old.score)*(1-v.score)
		}
		if better(f, v, *old) {
			*old = v
		}
		old.score = min(score, .99)
		return
	}
	if len(c[f]) < maxReadings {
		c[f] = append(c[f], v)
	}
}

// better reports which of two spellings of the same value is kept: what a label says, then
// the name that has its legal form, then the surer one.
func better(f intake.Field, v, old candidate) bool {
	if a, b := labelRank(v.method), labelRank(old.method); a != b {
		return a > b
	}
	if f == intake.FieldCompanyName && bareName(v.value) == bareName(old.value) && len(v.value) != len(old.value) {
		return len(v.value) > len(old.value)
	}
	return v.score > old.score || v.score == old.score && fuller(f, v.value, old.value)
}

func labelRank(method string) int {
	switch method {
	case byLabel, byTable, byNextLine, byAnswer:
		return 1
	}
	return 0
}

// addAll notes the candidates of another place.
func (c candidates) addAll(more candidates) {
	for _, f := range intake.Fields() {
		for _, v := range more[f] {
			c.add(f, v)
		}
	}
}

// best returns the surest value of a field that may be used.
func (c candidates) best(f intake.Field) (candidate, bool) {
	var top candidate
	for _, v := range c[f] {
		if v.score > top.score {
			top = v
		}
	}
	return top, top.score >= keep
}

// same reports whether two values of a field mean the same: letters, case and legal forms
// are no difference, nor is a surname that one of them leaves out.
func same(f intake.Field, a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	switch f {
	case intake.FieldCompanyName, intake.FieldContactName:
		x, y := " "+bareName(a)+" ", " "+bareName(b)+" "
		return len(x) > 3 && strings.Contains(y, x) || len(y) > 3 && strings.Contains(x, y) ||
			f == intake.FieldCompanyName && (endsCompound(x, y) || endsCompound(y, x) || leavesOut(x, y) || leavesOut(y, x))
	case intake.FieldContactRole:
		x, y := fold(a), fold(b)
		return strings.Contains(x, y) || strings.Contains(y, x)
	case intake.FieldContactPhone:
		return digitsOf(a) == digitsOf(b)
	}
	return false
}

// endsCompound reports whether one of the words of b is made of the whole of a: "Zweckverband"
// for short, "Wasserzweckverband Muldental" in full.
func endsCompound(a, b string) bool { return len(a) > 8 && strings.Contains(b, a[1:]) }

// leavesOut reports whether a is b without some of the words between its ends: "Lycée des
// Tilleuls" and "Lycée technique des Tilleuls".
func leavesOut(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) < 2 || len(x) >= len(y) || x[0] != y[0] || x[len(x)-1] != y[len(y)-1] {
		return false
	}
	for _, w := range x {
		i := slices.Index(y, w)
		if i < 0 {
			return false
		}
		y = y[i+1:]
	}
	return true
}

// fuller reports whether of two spellings of the same name the first says more.
func fuller(f intake.Field, a, b string) bool {
	switch f {
	case intake.FieldCompanyName, intake.FieldContactName:
		return len(a) > len(b)
	}
	return false
}

// bareName folds a name of a company or a person without legal form and titles.
func bareName(s string) string {
	var kept []string
	for _, w := range strings.Fields(fold(s)) {
		if d := proseWords(); !d.legal[w] && !d.title[w] && !d.degree[w] {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
