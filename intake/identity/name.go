package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Name is a company name made comparable.
type Name struct {
	// Key is the name in lower case without accents, punctuation and legal form, its
	// words separated by one space. It is empty only if the input has no letter and no
	// digit. Name(Key).Key is Key.
	Key string
	// Alt is another key that the same company may go by: ä, ö, ü, å, ø written as two
	// letters (mueller for Müller), a country in brackets left out. Empty if there is none.
	Alt string
	// Form is the legal form in lower case under its usual name (inc for incorporated), ""
	// if there is none.
	Form string
	// Country is the ISO 3166-1 code that the form points at: its only country or the
	// one that nearly all its holders are in; otherwise "".
	Country string
	// Weak says that a word was taken off that may be part of the name after all (group,
	// company, SA), so that an equal key says little.
	Weak bool
	// Skeleton is Skeleton(Key).
	Skeleton string
}

// Name makes a company name comparable. It reads the first 2048 bytes, never fails and
// never takes a name down to nothing: "Company" and "SA" stay as they are. An article in
// front ("The") goes, but no other plain word does.
func (l *Lists) Name(raw string) Name {
	raw = clip(raw)
	folded := fold(raw, plain)
	whole := l.words(folded)
	if whole == "" {
		whole = bareLetters(raw)
	}
	key, form, weak := l.withoutForms(whole)
	return Name{
		Key:      key,
		Alt:      l.alternative(raw, folded, key),
		Form:     form.name,
		Country:  form.country,
		Weak:     weak,
		Skeleton: Skeleton(key),
	}
}

// alternative returns the other key of a name, "" if it has none.
func (l *Lists) alternative(raw, folded, key string) string {
	other := folded
	if !isASCII(raw) {
		other = fold(raw, digraphs)
	}
	other = l.withoutCountry(other)
	if other == folded {
		return ""
	}
	whole := l.words(other)
	if whole == "" {
		return ""
	}
	alt, _, _ := l.withoutForms(whole)
	if alt == key {
		return ""
	}
	return alt
}

// withoutCountry drops countries in brackets from a folded name.
func (l *Lists) withoutCountry(folded string) string {
	from := 0
	for {
		open := strings.IndexAny(folded[from:], "([")
		if open < 0 {
			return folded
		}
		open += from
		length := strings.IndexAny(folded[open:], ")]")
		if length < 0 {
			return folded
		}
		from = open + 1
		if word, _ := tokens(folded[open : open+length]); l.countries[word] != "" {
			folded = folded[:open] + " " + folded[open+length+1:]
		}
	}
}

// words folds a name into its words, the legal forms of scripts without spaces set apart.
func (l *Lists) words(folded string) string {
	if !isASCII(folded) && l.splitter != nil {
		folded = l.splitter.Replace(folded)
	}
	key, real := tokens(folded)
	if !real {
		return ""
	}
	return key
}

// withoutForms takes the article and legal forms off the front, and legal forms off the
// end, longest first and again and again, but never all of it. It returns the outermost
// form and whether any of them was weak.
func (l *Lists) withoutForms(key string) (core string, first form, weak bool) {
	core = key
	for {
		rest, f := l.withoutLeading(core)
		if rest == core {
			rest, f = l.withoutTrailing(core)
		}
		if rest == core {
			return core, first, weak
		}
		if first.name == "" {
			first = f
		}
		weak = weak || f.weak
		core = rest
	}
}

func (l *Lists) withoutLeading(key string) (string, form) {
	if rest, ok := strings.CutPrefix(key, "the "); ok && rest != "and" {
		return rest, form{}
	}
	var found form
	rest := key
	end := 0
	for range l.formWords {
		i := strings.IndexByte(key[end:], ' ')
		if i < 0 {
			break
		}
		end += i
		if f, ok := l.forms[key[:end]]; ok && f.leading && key[end+1:] != "and" {
			found, rest = f, key[end+1:]
		}
		end++
	}
	return rest, found
}

// withoutTrailing also drops an "and" that a form leaves dangling.
func (l *Lists) withoutTrailing(key string) (string, form) {
	var found form
	rest := key
	end := len(key)
	for range l.formWords {
		i := strings.LastIndexByte(key[:end], ' ')
		if i < 0 {
			break
		}
		end = i
		if f, ok := l.forms[key[end+1:]]; ok && key[:end] != "and" {
			found, rest = f, key[:end]
		}
	}
	if cut, ok := strings.CutSuffix(rest, " and"); ok {
		rest = cut
	}
	return rest, found
}

// umlauts says what becomes of ä, ö, ü, å and ø.
type umlauts int

const (
	plain    umlauts = iota // a, o, u, a, o
	digraphs                // ae, oe, ue, aa, oe
)

var (
	// twoLetters spells umlauts out before accents go.
	twoLetters = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe")
	// oneLetter holds letters that no normal form takes apart.
	oneLetter = strings.NewReplacer("ø", "o", "æ", "ae", "œ", "oe", "ł", "l", "đ", "d", "ð", "d", "þ", "th", "ħ", "h", "ı", "i", "ß", "ss")
)

// fold brings a name to compatibility form, one case and no accents (UAX 15, Unicode
// full case folding). Punctuation stays.
func fold(s string, u umlauts) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	s = strings.Map(unseen, strings.ToValidUTF8(s, " "))
	s = norm.NFKC.String(s)
	s = norm.NFKC.String(cases.Fold().String(s))
	s = norm.NFKC.String(cases.Fold().String(s))
	if u == digraphs {
		s = twoLetters.Replace(s)
	}
	s = norm.NFD.String(s)
	s = strings.Map(accentless, s)
	return norm.NFKC.String(oneLetter.Replace(norm.NFC.String(s)))
}

// unseen drops what is not part of a name: marks of registration, accents typed for
// apostrophes (NFKC would make spaces of them), invisible characters.
func unseen(r rune) rune {
	if r < utf8.RuneSelf {
		return r
	}
	switch r {
	case '™', '®', '©', '℠', '´':
		return -1
	}
	if unicode.In(r, unicode.Cf, unicode.Variation_Selector) {
		return -1
	}
	return r
}

// accentless drops combining accents of Latin, Greek and Cyrillic; marks of other
// scripts are letters in their own right.
func accentless(r rune) rune {
	if r >= 0x300 && r <= 0x36F || r >= 0x1AB0 && r <= 0x1AFF || r >= 0x1DC0 && r <= 0x1DFF || r >= 0x20D0 && r <= 0x20FF {
		return -1
	}
	return r
}

// bareLetters is the key of a name whose only letters count as punctuation otherwise.
func bareLetters(raw string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return r
		}
		return -1
	}, raw)
}

func clip(s string) string {
	if len(s) <= maxInput {
		return s
	}
	cut := maxInput
	for cut > maxInput-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// token is a word of a name within a buffer.
type token struct {
	start, end int
	initial    bool // one letter
	tight      bool // only a dot, hyphen or slash between it and the word before
}

// tokens splits a folded name into words with one space between them. Apostrophes
// vanish, "&" and "+" become "and", and initials grow together: g.m.b.h., a-b-c and
// g m b h are one word each. real is false if there is no letter and no digit.
func tokens(folded string) (key string, real bool) {
	var (
		buf   [128]byte
		space [16]token
	)
	text, list := buf[:0], space[:0]
	in, tight := false, false
	for _, r := range folded {
		switch {
		case unicode.IsMark(r) && !in: // a mark needs a letter before it
		case isWord(r):
			if !in {
				list = append(list, token{start: len(text), end: len(text), tight: tight})
				in = true
			}
			t := &list[len(list)-1]
			t.initial = t.start == t.end && unicode.IsLower(r)
			text = utf8.AppendRune(text, r)
			t.end = len(text)
			real = true
		case isApostrophe(r):
		case r == '&' || r == '+':
			list = append(list, token{start: len(text), end: len(text) + len("and")})
			text = append(text, "and"...)
			in, tight = false, false
		default:
			joins := r == '.' || r == '-' || r == '/' || r >= '\u2010' && r <= '\u2015'
			tight = joins && (in || tight)
			in = false
		}
	}
	list = join(list, true)
	list = join(list, false)
	return spell(text, list), real
}

// join makes one word of each run of two or more initials; tight runs first, so that the
// B of "Plan B S.A." stays out of the SA.
func join(list []token, onlyTight bool) []token {
	out := list[:0]
	for i := 0; i < len(list); {
		j := i + 1
		for list[i].initial && j < len(list) && list[j].initial && (list[j].tight || !onlyTight) {
			j++
		}
		t := list[i]
		if j > i+1 {
			t.end, t.initial = list[j-1].end, false
		}
		out = append(out, t)
		i = j
	}
	return out
}

func spell(text []byte, list []token) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	b.Grow(len(text) + len(list) - 1)
	for i, t := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write(text[t.start:t.end])
	}
	return b.String()
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) && !isApostrophe(r)
}

func isApostrophe(r rune) bool {
	switch r {
	case '\'', '`', '’', '‘', 'ʼ', 'ʻ', 'ʹ', '′':
		return true
	}
	return false
}
