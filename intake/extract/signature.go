package extract

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// maxSignatureLines is how many lines of a signature are read.
const maxSignatureLines = 12

// readSignature reads what the author of a forwarded mail says of himself below it: his
// role, company, telephone and country.
func (e *Extractor) readSignature(out candidates, m *mail, lines []line, p person) {
	at := slices.IndexFunc(lines, func(l line) bool { return l.region == innerSignature || l.region == signature })
	if at < 0 {
		return
	}
	r := &signatureReader{e: e, m: m, of: p, out: out, named: -1}
	r.domain, _ = e.companyOf(p.address, m.in.SenderDomain)
	for n, i := 0, at; i < len(lines) && n < maxSignatureLines; i++ {
		if !lines[i].blank() {
			n++
			r.line(&lines[i])
		}
	}
	r.rest()
}

// signatureReader is what is known of a signature while it is read.
type signatureReader struct {
	e      *Extractor
	m      *mail
	of     person
	out    candidates
	domain string // of the author's company, empty while it is not known
	// unknown are the pieces of which nothing is known, named how many of them stand before the
	// author's name, -1 while it was not seen.
	unknown       []signaturePiece
	named         int
	company, role bool // were seen
}

// signaturePiece is a part of a line of a signature.
type signaturePiece struct {
	text string
	of   *line
}

func (r *signatureReader) add(f intake.Field, v string, l *line, score float64) {
	switch f {
	case intake.FieldContactRole:
		r.role = true
	case intake.FieldCompanyName:
		r.company = true
	}
	at, words := r.m.doc.words(l.start, l.end)
	r.out.add(f, candidate{value: v, words: words, at: at, score: score, method: bySignature})
}

// line reads a line: a label with its value, or pieces side by side.
func (r *signatureReader) line(l *line) {
	if len(l.body) > maxSignatureLine {
		return
	}
	if l.label != nil && l.label.value != "" {
		company, role := r.company, r.role
		r.e.signatureLabel(l, r.add)
		r.company, r.role = company, role
		return
	}
	country := func(c string) { r.add(intake.FieldCountry, c, l, scoreLikely) }
	for _, piece := range r.e.signatureParts(l.body, r.domain, country) {
		r.piece(piece, l)
	}
}

// piece reads what stands between two marks.
func (r *signatureReader) piece(s string, l *line) {
	k := fold(s)
	switch {
	case k == "" || r.e.dict.closes(s) || utf8.RuneCountInString(s) > 80:
	case nameLine(s, r.of.name):
		r.named = len(r.unknown)
		r.nameLine(s, l)
	case r.of.name == "" && r.of.address != "" && looksLikeName(s, r.of.address):
		r.add(intake.FieldContactName, s, l, scoreForward)
		r.named = len(r.unknown)
	case strings.Contains(s, "@"), strings.Contains(s, ":") && phonePiece(s) == "":
	case phonePiece(s) != "":
		r.add(intake.FieldContactPhone, phonePiece(s), l, scoreClear)
	case linkLike.MatchString(s):
		if d := r.e.domain(unwrapURL(s)); d != "" && !r.e.foreign(d, r.m) {
			r.add(intake.FieldCompanyDomain, d, l, scoreClear)
			if r.domain == "" {
				r.domain = d
			}
		}
	case r.e.dict.countries[k] != "" && len(k) > 3:
		r.add(intake.FieldCountry, r.e.dict.countries[k], l, scoreLikely)
	case companyLine(s, r.domain) > 0 && !(strings.Contains(s, ",") && roleLine(strings.Split(s, ",")[0])):
		r.add(intake.FieldCompanyName, companyName(s), l, companyLine(s, r.domain))
	case roleLine(s):
		v, of := splitRole(s, r.domain)
		r.add(intake.FieldContactRole, v, l, scoreClear)
		if of != "" {
			r.add(intake.FieldCompanyName, of, l, scoreLikely)
		}
	default:
		if c := countryIn(r.e, s); c != "" {
			r.add(intake.FieldCountry, c, l, scoreLikely)
		}
		if digits(s) == 0 && len(strings.Fields(s)) <= 6 && capital(s) && !strings.ContainsAny(s, ".!?") {
			r.unknown = append(r.unknown, signaturePiece{s, l})
		}
	}
}

// nameLine reads what stands on the line of the author's name besides: a role before it or
// behind a comma, or his second surname.
func (r *signatureReader) nameLine(s string, l *line) {
	if before, ok := strings.CutSuffix(s, r.of.name); ok && isRole(fold(before)) {
		r.add(intake.FieldContactRole, strings.TrimSpace(before), l, scoreClear)
	}
	if strings.HasPrefix(fold(s), bareName(r.of.name)+" ") && isName(s) && !strings.ContainsAny(s, ",.") && !upper(s[strings.LastIndexByte(s, ' ')+1:]) {
		r.add(intake.FieldContactName, s, l, scoreForward+.01)
	}
	if _, more, ok := strings.Cut(s, ","); ok && roleLine(more) {
		r.add(intake.FieldContactRole, strings.TrimSpace(more), l, scoreClear)
	}
}

// rest reads the lines below the name of which nothing is known: a role that no dictionary has
// comes first, and the company behind it.
func (r *signatureReader) rest() {
	if r.named < 0 {
		return
	}
	below := r.unknown[r.named:]
	if !r.role && len(below) > 0 && (r.company || len(below) > 1) {
		first := below[0]
		if v, of, ok := strings.Cut(first.text, ", "); ok && !r.company {
			r.add(intake.FieldContactRole, v, first.of, scoreLikely)
			r.add(intake.FieldCompanyName, of, first.of, scoreLikely)
			return
		}
		r.add(intake.FieldContactRole, first.text, first.of, scoreLikely)
		below = below[1:]
	}
	if !r.company && len(below) > 0 {
		r.add(intake.FieldCompanyName, companyName(below[0].text), below[0].of, scoreLikely)
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
	if digits(s) == 0 {
		return ""
	}
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
