package senderauth

import "strings"

// results is one Authentication-Results field.
type results struct {
	id      string
	methods []method
	// damaged says that a quotation or a comment has no end. What stands behind its
	// beginning is unknown, so that nothing good is believed of such a field.
	damaged bool
	// ours says that the border wrote it; see border.block.
	ours bool
}

// method is one result: "dkim=pass header.d=example.com".
type method struct {
	name, result string
	// props have lower-case names. A value is empty that was given twice in different words,
	// or that a comment touches: "d=partner.example(x).evil.example" is no domain.
	props map[string]string
}

// signer returns the domain that signed, for a result of dkim.
func (m method) signer() string {
	if d := m.props["header.d"]; d != "" {
		return strings.ToLower(d)
	}
	return strings.ToLower(domainOf(m.props["header.i"]))
}

// parseResults reads a field tolerantly: what it does not understand it passes over.
func parseResults(v string) results {
	statements, whole := scan(v)
	r := results{damaged: !whole}
	if head := statements[0]; len(head) > 0 && !hasEquals(head) {
		r.id, r.damaged = head[0].text, r.damaged || head[0].touched
		statements = statements[1:]
	}
	for _, s := range statements {
		if m, ok := parseMethod(s); ok {
			r.methods = append(r.methods, m)
		}
	}
	return r
}

func hasEquals(words []word) bool {
	for _, w := range words {
		if strings.Contains(w.text, "=") {
			return true
		}
	}
	return false
}

func parseMethod(words []word) (method, bool) {
	if len(words) == 0 {
		return method{}, false
	}
	name, result, ok := strings.Cut(strings.ToLower(words[0].text), "=")
	name, _, _ = strings.Cut(name, "/") // version
	if !ok || name == "" {
		return method{}, false
	}
	m := method{name: name, result: result, props: make(map[string]string)}
	for _, w := range words[1:] {
		k, v, ok := strings.Cut(w.text, "=")
		if !ok {
			continue
		}
		if w.touched {
			v = ""
		}
		k = strings.ToLower(k)
		if old, again := m.props[k]; again && old != v {
			v = ""
		}
		m.props[k] = v
	}
	return m, true
}

// word is what white space parts, without its quotation marks and comments.
type word struct {
	text string
	// touched says that a comment stood within it or right beside it.
	touched bool
}

// scanner splits a field into statements and words.
type scanner struct {
	s          string
	i          int
	word       []byte
	begun      bool // a word is open; it can still be empty, as ""
	touched    bool // by a comment
	statement  []word
	statements [][]word
	whole      bool
}

// scan splits at semicolons, and each statement at white space, both outside of quotes and
// comments. There is at least one statement. whole is false if a quotation or a comment does
// not end.
func scan(s string) (statements [][]word, whole bool) {
	sc := scanner{s: s, whole: true}
	for ; sc.i < len(s); sc.i++ {
		switch c := s[sc.i]; c {
		case ' ', '\t', '\r', '\n':
			sc.endWord()
		case ';':
			sc.endStatement()
		case '"':
			sc.quotation()
		case '(':
			sc.comment()
			sc.touched = true
		default:
			sc.word, sc.begun = append(sc.word, c), true
		}
	}
	sc.endStatement()
	return sc.statements, sc.whole
}

func (sc *scanner) endWord() {
	if sc.begun {
		sc.statement = append(sc.statement, word{string(sc.word), sc.touched})
	}
	sc.word, sc.begun, sc.touched = nil, false, false
}

func (sc *scanner) endStatement() {
	sc.endWord()
	sc.statements = append(sc.statements, joinEquals(sc.statement))
	sc.statement = nil
}

// quotation adds what stands between quotation marks to the word.
func (sc *scanner) quotation() {
	sc.begun = true
	for sc.i++; sc.i < len(sc.s); sc.i++ {
		switch c := sc.s[sc.i]; {
		case c == '"':
			return
		case c == '\\' && sc.i+1 < len(sc.s):
			sc.i++
			sc.word = append(sc.word, sc.s[sc.i])
		default:
			sc.word = append(sc.word, c)
		}
	}
	sc.whole = false
}

// comment passes over a comment and those within it.
func (sc *scanner) comment() {
	depth := 0
	for ; sc.i < len(sc.s); sc.i++ {
		switch sc.s[sc.i] {
		case '\\':
			sc.i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return
			}
		}
	}
	sc.whole = false
}

// joinEquals puts together what blanks around an equals sign have parted.
func joinEquals(words []word) []word {
	var out []word
	for _, w := range words {
		if n := len(out) - 1; n >= 0 && joins(out[n].text, w.text) {
			out[n] = word{out[n].text + w.text, out[n].touched || w.touched}
			continue
		}
		out = append(out, w)
	}
	return out
}

func joins(left, right string) bool {
	eq := strings.IndexByte(left, '=')
	return eq < 0 && strings.HasPrefix(right, "=") || eq > 0 && eq == len(left)-1 && !strings.Contains(right, "=")
}
