package identity

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// lookalikes are the letters that pass for Latin ones.
type lookalikes struct {
	latin map[rune]string   // folded look-alike to folded Latin
	small map[rune]struct{} // those that pass in lower case too
}

var confusables = sync.OnceValue(func() lookalikes {
	t := lookalikes{latin: map[rune]string{}, small: map[rune]struct{}{}}
	err := eachLine(embedded("confusables"), func(line string) error {
		from, to, _ := strings.Cut(line, " ")
		r, _ := utf8.DecodeRuneInString(from)
		folded := unicode.ToLower(r)
		t.latin[folded] = strings.ToLower(to)
		if folded == r {
			t.small[r] = struct{}{}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return t
})

// Skeleton brings together what looks alike: case, compatibility forms (full width),
// and Cyrillic, Greek and Armenian letters that pass for Latin ones. Two texts with one
// skeleton may be taken for each other. After UTS 39 section 4, but smaller: digits are
// not folded into letters, and accents count. Skeleton(Skeleton(s)) is Skeleton(s).
func Skeleton(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	for range 4 { // folding can uncover what another step maps; the second round is the rule
		next := skeletonOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func skeletonOnce(s string) string {
	s = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))
	latin := confusables().latin
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if to, ok := latin[r]; ok && r >= utf8.RuneSelf {
			b.WriteString(to)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFKC.String(b.String())
}

// Homograph reports whether a and b look alike without being the same: their skeletons
// are equal, their letters are not. Case and compatibility forms are no difference.
// Hosts may be in Unicode or ASCII form; straße.de and strasse.de are homographs.
func Homograph(a, b string) bool {
	a, b = readable(a), readable(b)
	return plainForm(a) != plainForm(b) && Skeleton(a) == Skeleton(b)
}

// plainForm takes away case and compatibility forms and nothing else.
func plainForm(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFKC.String(strings.ToLower(norm.NFKC.String(s)))
}

// Suspect reports whether a host has a label made to be misread: one that mixes scripts
// beyond what languages do (UTS 39 section 5.2, highly restrictive), one in another
// script whose every letter passes for a Latin one, or one that equals a listed domain
// but for look-alikes. A label in the script of its ending (.рф) may look as it likes.
// The host may be in Unicode or ASCII form; one that cannot be decoded is suspect.
func (l *Lists) Suspect(host string) bool {
	if isASCII(host) && !hasACE(host) {
		return false
	}
	shown, err := idna.Lookup.ToUnicode(host)
	if err != nil || hasACE(shown) {
		return true
	}
	labels := strings.Split(shown, ".")
	ending := scriptsOf(labels[len(labels)-1])
	for _, label := range labels {
		s := scriptsOf(label)
		if s.mixed() || s != 0 && s != ending && passesForLatin(label) {
			return true
		}
	}
	return l.imitates(shown)
}

// imitates reports whether a non-ASCII host looks like an entry of the lists.
func (l *Lists) imitates(shown string) bool {
	if isASCII(shown) {
		return false
	}
	for rest := Skeleton(shown); strings.Contains(rest, "."); _, rest, _ = strings.Cut(rest, ".") {
		_, mail := l.freeMail[rest]
		_, end := l.ends[rest]
		if (mail || end) && !strings.HasSuffix(shown, rest) {
			return true
		}
	}
	return false
}

// passesForLatin reports whether every letter of a label without Latin letters passes
// for a Latin one in lower case, the case in which hosts are shown.
func passesForLatin(label string) bool {
	small := confusables().small
	foreign := false
	for _, r := range label {
		if r < utf8.RuneSelf && !unicode.IsLetter(r) {
			continue
		}
		if _, ok := small[r]; !ok || unicode.Is(unicode.Latin, r) {
			return false
		}
		foreign = true
	}
	return foreign
}

// scripts is a set of the scripts that a label uses; other scripts share one bit each by
// their order in the table.
type scripts uint32

const (
	latin scripts = 1 << iota
	han
	hiragana
	katakana
	bopomofo
	hangul
	cyrillic
	greek
	armenian
	hebrew
	arabic
	thai
	devanagari
	georgian
	otherScript
)

var scriptTables = []struct {
	bit   scripts
	table *unicode.RangeTable
}{
	{latin, unicode.Latin},
	{han, unicode.Han},
	{hiragana, unicode.Hiragana},
	{katakana, unicode.Katakana},
	{bopomofo, unicode.Bopomofo},
	{hangul, unicode.Hangul},
	{cyrillic, unicode.Cyrillic},
	{greek, unicode.Greek},
	{armenian, unicode.Armenian},
	{hebrew, unicode.Hebrew},
	{arabic, unicode.Arabic},
	{thai, unicode.Thai},
	{devanagari, unicode.Devanagari},
	{georgian, unicode.Georgian},
}

func scriptsOf(label string) scripts {
	var set scripts
	for _, r := range label {
		set |= scriptOf(r)
	}
	return set
}

func scriptOf(r rune) scripts {
	if unicode.In(r, unicode.Common, unicode.Inherited) {
		return 0
	}
	for _, s := range scriptTables {
		if unicode.Is(s.table, r) {
			return s.bit
		}
	}
	return otherScript
}

// mixed allows one script, or Latin with the scripts of Japanese, Chinese or Korean.
func (s scripts) mixed() bool {
	if s&(s-1) == 0 {
		return false
	}
	for _, allowed := range []scripts{latin | han | hiragana | katakana, latin | han | bopomofo, latin | han | hangul} {
		if s&^allowed == 0 {
			return false
		}
	}
	return true
}
