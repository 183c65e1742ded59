package extract

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is a word, an address or a link of a text.
type word struct {
	text       string
	key        string // folded; empty for an address or a link
	start, end int    // in the text
	capital    bool
	// soft says that nothing but a blank stands between this word and the next.
	soft bool
	// open and shut are the marks that stand right before and behind it.
	open, shut string
	address    string // an e-mail address
	link       string // a host or URL
}

// sentence is a run of words up to a full stop, or a line of its own.
type sentence struct {
	words  []word
	keys   []string // of the words
	folded string   // " a b c "
	offset []int    // of each key in folded
	region region
	block  int // paragraphs count from 0
	// start and end are of the whole, marks included.
	start, end int
}

// foldedFrom returns the folded words from i on, with a blank before and behind.
func (s *sentence) foldedFrom(i int) string { return s.folded[s.offset[i]:] }

const (
	maxProse     = 64 << 10 // bytes that are read as prose
	maxSentences = 600
	maxWords     = 120 // of a sentence
)

var linkLike = regexp.MustCompile(`(?i)^(?:https?://\S+|www\.\S+|[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}-]+)*\.[a-z]{2,24}(?:/\S*)?)$`)

// isLink reports whether a word is a link or a domain. What has neither is not looked at.
func isLink(s string) bool { return strings.ContainsAny(s, ".:") && linkLike.MatchString(s) }

// sentences cuts lines into sentences. Lines of a paragraph belong together, unless a line
// ends with a full stop or the next is an entry of a list.
func sentences(lines []line) []sentence {
	var out []sentence
	var cur []word
	total, block := 0, 0
	reg := fresh
	flush := func() {
		if len(cur) > 0 && len(out) < maxSentences {
			out = append(out, newSentence(cur, reg, block))
		}
		cur = nil
	}
	for i := range lines {
		l := &lines[i]
		if l.blank() || l.gap {
			flush()
			block++
		}
		if l.blank() {
			continue
		}
		if total += len(l.body); total > maxProse {
			break
		}
		lead := len(bullet.FindString(l.body))
		if lead > 0 && strings.TrimSpace(l.body[:lead]) != "" || l.label != nil {
			flush()
		}
		reg = l.region
		for _, w := range wordsOf(l.body[lead:], l.start+lead) {
			if n := len(cur); n > 0 && cur[n-1].shut == "" && w.open == "" {
				cur[n-1].soft = true // the line was broken here
			}
			cur = append(cur, w)
			if len(cur) >= maxWords {
				flush()
			}
		}
		if salutes(l.body) {
			cur = nil
			continue
		}
		cur = cut(cur, &out, reg, block)
		if n := utf8.RuneCountInString(strings.TrimSpace(l.body)); n < 45 && !goesOn(lines, i) {
			flush()
		}
	}
	flush()
	return out
}

// goesOn reports whether the line below i goes on with its sentence.
func goesOn(lines []line, i int) bool {
	if i+1 >= len(lines) || lines[i+1].gap {
		return false
	}
	next := strings.TrimSpace(lines[i+1].body)
	if first, _, _ := strings.Cut(next, " "); strings.ContainsAny(first, "@/") || linkLike.MatchString(first) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(next)
	return unicode.IsLower(r)
}

// salutes reports whether a line only greets somebody: "Hi Pia,".
func salutes(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) > 60 || !strings.HasSuffix(s, ",") && !strings.HasSuffix(s, "!") && !strings.HasSuffix(s, "，") {
		return false
	}
	w := wordsOf(s, 0)
	if len(w) == 0 || len(w) > 8 {
		return false
	}
	first := newSentence(w, fresh, 0)
	return proseWords().of("greeting").at(&first, 0) > 0 || len(w) <= 2 && strings.HasSuffix(s, ",")
}

// cut moves the whole sentences at the front of ws to out and returns the rest.
func cut(ws []word, out *[]sentence, reg region, block int) []word {
	from := 0
	for i := range ws {
		if i+1 < len(ws) && ends(&ws[i], &ws[i+1]) || i+1 == len(ws) && strings.ContainsAny(ws[i].shut, ".!?:;") && !abbreviation(&ws[i]) {
			if len(*out) < maxSentences {
				*out = append(*out, newSentence(ws[from:i+1], reg, block))
			}
			from = i + 1
		}
	}
	return ws[from:]
}

// ends reports whether a sentence ends behind w, before next.
func ends(w, next *word) bool {
	if !strings.ContainsAny(w.shut, ".!?") || abbreviation(w) {
		return false
	}
	r, _ := utf8.DecodeRuneInString(next.text)
	return next.capital || !unicode.IsLower(r)
}

// initials are several of them in one word.
var initials = regexp.MustCompile(`^\p{Lu}(?:\.\p{Lu})+$`)

// abbreviation reports whether the full stop behind w belongs to it.
func abbreviation(w *word) bool {
	if !strings.HasPrefix(w.shut, ".") || w.shut != "." {
		return false
	}
	p := proseWords()
	if p.title[w.key] || p.degree[w.key] {
		return true
	}
	if utf8.RuneCountInString(w.key) == 1 && w.capital {
		return true // an initial
	}
	if initials.MatchString(w.text) && !strings.HasPrefix(w.key, "u ") && !strings.HasPrefix(w.key, "e ") {
		return true // "J.P. Hartley", not "in the U.S."
	}
	switch w.key {
	case "inc", "ltd", "pvt", "pty", "pte", "corp", "co", "st", "no", "nr", "ca", "approx", "z", "b", "zb", "bzw", "ca.", "tel", "ext", "vs", "eg", "ie", "etc", "mio", "tsd", "sp", "zoo", "bspw", "inkl", "ggf", "evtl", "usw", "jr", "sr", "soc", "coop", "bros", "gebr", "fa", "sig", "sac":
		return w.key != "etc" && w.key != "usw"
	}
	return w.key != "" && w.key[0] >= '0' && w.key[0] <= '9' && len(w.key) <= 2
}

func newSentence(ws []word, reg region, block int) sentence {
	s := sentence{words: ws, region: reg, block: block, start: ws[0].start, end: ws[len(ws)-1].end}
	s.end += len(strings.TrimRight(ws[len(ws)-1].shut, "\"”“«»)* "))
	s.keys = make([]string, len(ws))
	s.offset = make([]int, len(ws))
	var b strings.Builder
	for i := range ws {
		s.offset[i] = b.Len()
		s.keys[i], _, _ = strings.Cut(ws[i].key, " ")
		b.WriteByte(' ')
		b.WriteString(ws[i].key)
	}
	b.WriteByte(' ')
	s.folded = b.String()
	return s
}

const (
	openers = "([{<\"'“„”«»‚‘*_¿¡|"
	closers = ")]}>\"'”“«»’‘*_.,;:!?…|"
	edges   = "([{<\"'“„”«»‚‘*_¿¡|)]}>’.,;:!?…"
)

// wordsOf cuts a line into words. off is where it begins in the text.
func wordsOf(body string, off int) []word {
	var out []word
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRuneInString(body[i:])
		if unicode.IsSpace(r) {
			i += n
			continue
		}
		j := i
		for j < len(body) {
			r, n := utf8.DecodeRuneInString(body[j:])
			if unicode.IsSpace(r) {
				break
			}
			j += n
		}
		out = appendWords(out, body[i:j], off+i)
		i = j
	}
	for i := range out {
		out[i].soft = i+1 < len(out) && out[i].shut == "" && out[i+1].open == ""
	}
	return out
}

// appendWords adds the words of a piece of text without white space.
func appendWords(out []word, piece string, off int) []word {
	var a []int
	if strings.IndexByte(piece, '@') >= 0 {
		a = addresses.FindStringIndex(piece)
	}
	if a != nil && a[1] > a[0] {
		if a[0] > 0 {
			out = appendPlain(out, piece[:a[0]], off)
		}
		w := newWord(piece[a[0]:a[1]], off+a[0])
		w.open = suffixOf(piece[:a[0]])
		if addr, ok := address(strings.TrimPrefix(w.text, "mailto:")); ok {
			w.address, w.key = addr, ""
		}
		out = append(out, w)
		if a[1] < len(piece) {
			rest := piece[a[1]:]
			out[len(out)-1].shut += strings.TrimRightFunc(rest, isAlnum)[:0] + prefixOf(rest)
			if more := rest[len(prefixOf(rest)):]; more != "" && !strings.Contains(more, "@") {
				out = appendPlain(out, more, off+a[1]+len(prefixOf(rest)))
			}
		}
		return out
	}
	if core := strings.Trim(piece, edges); !isLink(core) {
		for _, sep := range []string{"/", "–", "—", "(", ",", "|"} {
			if i := strings.Index(core, sep); i > 0 && i+len(sep) < len(core) && (sep != "/" || len(core)-i > 4 && i > 3) {
				at := strings.Index(piece, core)
				out = appendPlain(out, piece[:at+i+len(sep)], off)
				return appendWords(out, piece[at+i+len(sep):], off+at+i+len(sep))
			}
		}
	}
	return appendPlain(out, piece, off)
}

// prefixOf and suffixOf return the marks at the beginning or end of s.
func prefixOf(s string) string { return s[:len(s)-len(strings.TrimLeft(s, closers))] }
func suffixOf(s string) string { return s[len(strings.TrimRight(s, openers)):] }

// appendPlain adds a piece without an address as one word; marks alone go to the word before.
func appendPlain(out []word, piece string, off int) []word {
	core := strings.TrimLeft(piece, openers)
	open := piece[:len(piece)-len(core)]
	core = strings.TrimRight(core, closers+"/–—(")
	shut := piece[len(open)+len(core):]
	if !strings.ContainsFunc(core, isAlnum) && core != "&" && core != "+" {
		if len(out) > 0 {
			out[len(out)-1].shut += piece
		}
		return out
	}
	w := newWord(core, off+len(open))
	w.open, w.shut = open, w.shut+shut
	if isLink(core) && !strings.HasSuffix(core, ".") {
		w.link = core
	}
	return append(out, w)
}

// elided is an article that French and Italians join to the word.
var elided = regexp.MustCompile(`^(?i:l|d|dell|all|nell|sull|dall|un|qu|s|n|c|j|m)['’](?:\p{Ll})`)

// elidedIn returns the article in front of a word, with the first letter of the word.
func elidedIn(s string) string {
	if strings.IndexByte(s, '\'') < 0 && !strings.Contains(s, "’") {
		return ""
	}
	return elided.FindString(s)
}

// ending returns where a name ends to which a case or a genitive is joined: "Acme's",
// "İhracat'ın". It is 0 if there is none.
func ending(s string) int {
	i, n := strings.LastIndexByte(s, '\''), 1
	if j := strings.LastIndex(s, "’"); j > i {
		i, n = j, len("’")
	}
	if first, _ := utf8.DecodeRuneInString(s); i < 2 || !unicode.IsUpper(first) && !strings.HasSuffix(s[i:], "s") {
		return 0
	}
	rest := s[i+n:]
	if rest == "" || utf8.RuneCountInString(rest) > 4 || strings.ContainsFunc(rest, func(r rune) bool { return !unicode.IsLower(r) }) || utf8.RuneCountInString(s[:i]) < 3 && rest != "s" {
		return 0
	}
	return i
}

func newWord(s string, at int) word {
	w := word{text: s, key: fold(s), start: at, end: at + len(s)}
	if i := ending(s); i > 0 {
		w.text, w.end = s[:i], at+i
		w.key, w.shut = fold(s[:i]), "'"
	}
	if m := elidedIn(s); m != "" && w.shut == "" {
		_, last := utf8.DecodeLastRuneInString(m)
		m = m[:len(m)-last]
		w.text, w.start = s[len(m):], at+len(m)
		w.key = fold(w.text)
	}
	for i, r := range s {
		if unicode.IsUpper(r) && (i == 0 || i <= 2) || i == 0 && unicode.IsDigit(r) && strings.ContainsFunc(s, unicode.IsUpper) {
			w.capital = true
		}
	}
	return w
}
