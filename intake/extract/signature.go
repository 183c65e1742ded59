package extract

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// readSignature reads what the author of a forwarded mail says of himself below it: his
// role, company, telephone and country.
func (e *Extractor) readSignature(out candidates, m *mail, lines []line, p person) {
	at := -1
	for i := range lines {
		if lines[i].region == innerSignature || lines[i].region == signature {
			at = i
			break
		}
	}
	if at < 0 {
		return
	}
	add := func(f intake.Field, v string, l *line, score float64) {
		sp, words := m.doc.words(l.start, l.end)
		out.add(f, candidate{value: v, words: words, at: sp, score: score, method: bySignature})
	}
	key, _ := e.companyOf(p.address, m.in.SenderDomain)
	var rest []*line // lines of which nothing is known
	var pieces []string
	company, role, named := false, false, -1
	for n, i := 0, at; i < len(lines) && n < 12; i++ {
		l := &lines[i]
		if l.blank() {
			continue
		}
		n++
		if len(l.body) > maxSignatureLine {
			continue
		}
		if l.label != nil && l.label.value != "" {
			e.signatureLabel(l, add)
			continue
		}
		for _, piece := range e.signatureParts(l.body, key, func(country string) { add(intake.FieldCountry, country, l, scoreLikely) }) {
			k := fold(piece)
			switch {
			case k == "" || e.dict.closes(piece) || utf8.RuneCountInString(piece) > 80:
			case nameLine(piece, p.name):
				named = len(pieces)
				if before, ok := strings.CutSuffix(piece, p.name); ok && isRole(fold(before)) {
					add(intake.FieldContactRole, strings.TrimSpace(before), l, scoreClear)
					role = true
				}
				if more := fold(piece); strings.HasPrefix(more, bareName(p.name)+" ") && isName(piece) && !strings.ContainsAny(piece, ",.") && !upper(piece[strings.LastIndexByte(piece, ' ')+1:]) {
					add(intake.FieldContactName, piece, l, scoreForward+.01) // with the second surname
				}
				if _, more, ok := strings.Cut(piece, ","); ok && roleLine(more) {
					add(intake.FieldContactRole, strings.TrimSpace(more), l, scoreClear)
					role = true
				}
			case p.name == "" && p.address != "" && looksLikeName(piece, p.address):
				add(intake.FieldContactName, piece, l, scoreForward)
				named = len(pieces)
			case strings.Contains(piece, "@"), strings.Contains(piece, ":") && phonePiece(piece) == "":
			case phonePiece(piece) != "":
				add(intake.FieldContactPhone, phonePiece(piece), l, scoreClear)
			case linkLike.MatchString(piece):
				if d := e.domain(unwrapURL(piece)); d != "" && !e.foreign(d, m) {
					add(intake.FieldCompanyDomain, d, l, scoreClear)
					if key == "" {
						key = d
					}
				}
			case e.dict.countries[k] != "" && len(k) > 3:
				add(intake.FieldCountry, e.dict.countries[k], l, scoreLikely)
			case companyLine(piece, key) > 0 && !(strings.Contains(piece, ",") && roleLine(strings.Split(piece, ",")[0])):
				add(intake.FieldCompanyName, companyName(piece), l, companyLine(piece, key))
				company = true
			case roleLine(piece):
				v, of := splitRole(piece, key)
				add(intake.FieldContactRole, v, l, scoreClear)
				role = true
				if of != "" {
					add(intake.FieldCompanyName, of, l, scoreLikely)
					company = true
				}
			default:
				if c := countryIn(e, piece); c != "" {
					add(intake.FieldCountry, c, l, scoreLikely)
				}
				if digits(piece) == 0 && len(strings.Fields(piece)) <= 6 && capital(piece) && !strings.ContainsAny(piece, ".!?") {
					rest, pieces = append(rest, l), append(pieces, piece)
				}
			}
		}
	}
	if named < 0 {
		return
	}
	rest, pieces = rest[named:], pieces[named:]
	if !role && len(pieces) > 0 && (company || len(pieces) > 1) {
		if v, of, ok := strings.Cut(pieces[0], ", "); ok && !company {
			add(intake.FieldContactRole, v, rest[0], scoreLikely)
			add(intake.FieldCompanyName, of, rest[0], scoreLikely)
			return
		}
		add(intake.FieldContactRole, pieces[0], rest[0], scoreLikely)
		rest, pieces = rest[1:], pieces[1:]
	}
	if !company && len(pieces) > 0 {
		add(intake.FieldCompanyName, companyName(pieces[0]), rest[0], scoreLikely)
	}
}

// countryIn returns the country at the end of an address: "14 rue X, Genève, Suisse".
func countryIn(e *Extractor, s string) string {
	i := strings.LastIndexAny(s, ",-/(")
	if i < 0 {
		return ""
	}
	k := fold(strings.Trim(s[i+1:], " )"))
	if len(k) < 4 {
		return ""
	}
	return e.dict.countries[k]
}

const maxSignatureLine = 300 // bytes

// signatureLabel reads a labelled line of a signature: telephone and web address.
func (e *Extractor) signatureLabel(l *line, add func(intake.Field, string, *line, float64)) {
	switch f := l.label.field; f {
	case intake.FieldContactPhone, intake.FieldCompanyDomain, intake.FieldContactRole, intake.FieldCountry, intake.FieldCompanyName:
		for field, v := range e.values(f, l.label.value) {
			add(field, v, l, scoreClear)
		}
	}
}

// signaturePieces cuts a line at the marks between the parts of a signature.
func signaturePieces(s string) []string {
	for _, mark := range []string{" | ", " · ", " • ", " – ", " — ", " - ", " // ", "|", "·", "•", "\t"} {
		s = strings.ReplaceAll(s, mark, "\x00")
	}
	var out []string
	for p := range strings.SplitSeq(s, "\x00") {
		if p = short(strings.Trim(p, " *_,;-–—")); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// splitScore is how surely a domain must be made of the n words behind a role: one may be what
// the role is about.
func splitScore(n int) float64 {
	if n == 1 {
		return scoreCertain
	}
	return scoreClear
}

// signatureParts cuts a line into its pieces, and those that end with a number or a country at
// their commas: "Acme Ltd, Tema, Ghana" names the company first, and "Lyon, France" none.
func (e *Extractor) signatureParts(line, domain string, country func(string)) []string {
	var out []string
	for _, piece := range signaturePieces(line) {
		head, last := piece, ""
		if i := strings.LastIndex(piece, ","); i > 0 {
			head, last = piece[:i], strings.TrimSpace(piece[i+1:])
		}
		switch c := countryIn(e, piece); {
		case last != "" && phonePiece(last) != "":
			out = append(out, head, last)
		case c != "" && last != "":
			country(c)
			if first, _, _ := strings.Cut(head, ","); companyLine(first, domain) > 0 || roleLine(first) {
				out = append(out, first)
			}
		default:
			out = append(out, piece)
		}
	}
	return out
}

// numberAlone is a number without any prefix at the end of a piece: "Tlf. 97 55 50 12".
var numberAlone = regexp.MustCompile(`\(?[1-9][0-9]{0,4}\)?(?:[ .–-]?[0-9]{2,5}){1,4}$`)

// phonePiece returns the number in a piece like "Tel. +49 30 1234", "" if it is none.
func phonePiece(s string) string {
	v := phoneLike.FindString(s)
	if v == "" {
		if v = numberAlone.FindString(s); digits(v) < 8 || digits(v) > 11 {
			return ""
		}
	}
	rest := fold(strings.Replace(s, v, " ", 1))
	if len(rest) > 20 || strings.Contains(rest, "fax") {
		return ""
	}
	return v
}

// roleLine reports whether a piece of a signature names a role and little else.
func roleLine(s string) bool {
	w := wordsOf(s, 0)
	if len(w) == 0 || len(w) > 10 {
		return false
	}
	for i := range w {
		if w[i].link != "" || w[i].address != "" {
			return false
		}
	}
	legal := proseWords().legal[w[len(w)-1].key] && len(w) > 1
	for i := range w {
		if isRole(w[i].key) && (!legal || strings.Contains(s, ",")) {
			return true
		}
	}
	return false
}

// splitRole parts "CTO, Acme Corp", "CTO at Acme Corp" and, if the domain says so, "Owner Acme".
func splitRole(s, domain string) (role, company string) {
	w := wordsOf(s, 0)
	for i := range w {
		if i > 0 && w[i-1].soft && w[i].capital && domain != "" && companyLine(s[w[i].start:], domain) >= splitScore(len(w)-i) && !roleLine(s[w[i].start:]) {
			return s[:w[i-1].end], s[w[i].start:]
		}
		if strings.HasPrefix(w[i].shut, ",") && i+1 < len(w) {
			if rest := strings.TrimSpace(s[w[i+1].start:]); !roleLine(rest) && !tradeWord(&w[i+1]) {
				return s[:w[i].end], rest
			}
		}
		if i > 0 && i+1 < len(w) && (w[i].key == "at" || w[i].key == "bei" || w[i].key == "chez" || w[i].key == "presso" || w[i].key == "hos") {
			return s[:w[i-1].end], strings.TrimSpace(s[w[i+1].start:])
		}
	}
	return s, ""
}

var japaneseFirm = regexp.MustCompile(`^(?:株式会社|有限会社|合同会社).{1,20}$|^.{1,20}(?:株式会社|有限会社|合同会社)$`)

// companyLine says how surely a piece of a signature is the company's name: it has a legal
// form, or the domain is made of it.
func companyLine(s, domain string) float64 {
	w := wordsOf(s, 0)
	if len(w) == 0 || len(w) > 9 || !w[0].capital && !japaneseFirm.MatchString(s) || digits(s) > 3 {
		return 0
	}
	sent := newSentence(w, fresh, 0)
	if label, _, ok := strings.Cut(domain, "."); ok {
		if like := likeness(label, run{&sent, 0, len(w)}); like > 0 {
			return like
		}
	}
	if japaneseFirm.MatchString(s) {
		return scoreClear
	}
	if last := w[len(w)-1]; len(w) > 1 && proseWords().legal[last.key] {
		return scoreClear
	}
	return 0
}

// looksLikeName reports whether an address is made of the words of a line.
func looksLikeName(s, addr string) bool {
	w := wordsOf(s, 0)
	if len(w) < 2 || len(w) > 4 {
		return false
	}
	sent := newSentence(w, fresh, 0)
	ok, _ := likeAddress(addr, run{&sent, 0, len(w)})
	return ok
}
