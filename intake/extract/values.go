package extract

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Value reads what somebody gave for a field, as people write it; "" if it is no value of the
// field.
func (e *Extractor) Value(f intake.Field, given string) string { return e.values(f, given)[f] }

// values checks what stands after a label and returns the fields that it gives: none if it
// is not what the label says, several if a contact has name, address and role in one line.
func (e *Extractor) values(f intake.Field, v string) map[intake.Field]string {
	if f != intake.FieldContactName && f != intake.FieldCompanyName {
		return one(f, e.single(f, v))
	}
	if picked, ok := ticked(v); ok {
		if v = picked; v == "" {
			return nil
		}
	}
	if f == intake.FieldContactName {
		return e.contact(v)
	}
	return e.company(v)
}

// single reads a value of a field that gives no other, "" if it is none.
func (e *Extractor) single(f intake.Field, v string) string {
	if picked, ok := ticked(v); ok {
		if v = picked; v == "" {
			return ""
		}
	}
	switch f {
	case intake.FieldContactEmail:
		return e.email(v)
	case intake.FieldCompanyDomain:
		return e.domain(v)
	case intake.FieldContactPhone:
		return phone(v)
	case intake.FieldCountry:
		return e.country(v)
	case intake.FieldStage:
		return e.stage(v)
	case intake.FieldConsent:
		return e.consent(v)
	case intake.FieldKind:
		return e.dict.words["kind"][fold(v)]
	case intake.FieldTargetRevenue:
		return e.dict.money(v)
	}
	switch {
	case isText(f):
		return cutRunes(strings.TrimSpace(strings.ReplaceAll(v, "\t", " ")), maxLong)
	case isList(f):
		return list(splitAnd(v))
	}
	return short(strings.Trim(v, " \"“”„»«"))
}

func one(f intake.Field, v string) map[intake.Field]string {
	if v == "" {
		return nil
	}
	return map[intake.Field]string{f: v}
}

// short folds white space and bounds the length of a value of one line.
func short(v string) string { return cutRunes(strings.Join(strings.Fields(v), " "), maxShort) }

var (
	addresses = regexp.MustCompile(`[^\s<>()\[\]",;:|（）「」【】、。：；\x60]+@[^\s<>()\[\]",;:|（）「」【】、。：；\x60]+`)
	bracketed = regexp.MustCompile(`\s*[<(\[]\s*(?:https?://|mailto:|tel:|www\.)[^<>()\[\]\s]*\s*[>)\]]`)
)

// addressesIn returns up to n of what looks like an address in v. Most texts hold no "@", and
// are not searched for one with what stands around it.
func addressesIn(v string, n int) []string {
	if strings.IndexByte(v, '@') < 0 {
		return nil
	}
	return addresses.FindAllString(v, n)
}

// withoutLinks drops the links that programs add in brackets.
func withoutLinks(v string) string {
	if !strings.ContainsAny(v, "<([") {
		return v
	}
	return bracketed.ReplaceAllString(v, "")
}

// email returns the one address in v, with its domain in ASCII form.
func (e *Extractor) email(v string) string {
	found := ""
	for _, a := range addressesIn(v, 10) {
		addr, ok := address(a)
		if !ok || found != "" && !strings.EqualFold(found, addr) {
			return ""
		}
		found = addr
	}
	return found
}

func address(a string) (string, bool) {
	if i := strings.LastIndexFunc(a, ideograph); i >= 0 && i < strings.LastIndexByte(a, '@') {
		_, n := utf8.DecodeRuneInString(a[i:])
		a = a[i+n:] // a script without blanks joins it to the word before
	}
	if i := strings.LastIndexByte(a, '='); i >= 0 && i < strings.LastIndexByte(a, '@') {
		a = a[i+1:] // "to=jane@acme.com"
	}
	addr, err := identity.Email(strings.Trim(a, ".'*"))
	return addr.String(), err == nil && utf8.RuneCountInString(addr.String()) <= maxShort
}

// ideograph reports whether r is of a script that is written without blanks.
func ideograph(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// domain returns the one registrable domain in v, which may be a URL or a text with one.
func (e *Extractor) domain(v string) string {
	found := ""
	for _, tok := range strings.FieldsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>()[],;|", r) }) {
		tok = strings.Trim(unwrapLink(tok), ".\"'")
		if !strings.ContainsAny(tok, ".。") || strings.Contains(tok, "@") {
			continue
		}
		d, err := e.ids.Domain(tok)
		switch {
		case err != nil:
			continue
		case d.FreeMail, found != "" && found != d.Key:
			return ""
		}
		found = d.Key
	}
	return found
}

// unwrapLink returns the address that a mail filter's rewritten link leads to.
func unwrapLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || !strings.Contains("."+u.Hostname(), ".safelinks.") {
		return unwrapURL(s)
	}
	if target := u.Query().Get("url"); target != "" {
		return target
	}
	return s
}

// company splits "Acme GmbH (www.acme.de)" and "Acme, website acme.de" into name and domain.
func (e *Extractor) company(v string) map[intake.Field]string {
	out := one(intake.FieldCompanyName, companyName(v))
	for _, w := range wordsOf(clip(v, 400), 0) {
		if w.link == "" || w.start < 3 {
			continue
		}
		head := strings.TrimRight(v[:w.start], " ,;:(<[-–—|/")
		if i := strings.LastIndexByte(head, ' '); i > 0 && e.dict.labels[fold(head[i:])] == intake.FieldCompanyDomain {
			head = strings.TrimRight(head[:i], " ,;:(<[-–—|/")
		}
		key := e.domain(w.link)
		if name := companyName(head); key != "" && name != "" {
			return map[intake.Field]string{intake.FieldCompanyName: name, intake.FieldCompanyDomain: key}
		}
	}
	return out
}

// companyName drops links that mail programs add behind a name.
func companyName(v string) string {
	v = short(strings.Trim(withoutLinks(v), " *,;"))
	for _, q := range [][2]string{{`"`, `"`}, {"“", "”"}, {"„", "“"}, {"„", "”"}, {"«", "»"}} {
		if strings.HasPrefix(v, q[0]) && strings.HasSuffix(v, q[1]) {
			v = strings.TrimSuffix(strings.TrimPrefix(v, q[0]), q[1])
		}
	}
	if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
		return ""
	}
	if !strings.ContainsFunc(v, isAlnum) || strings.Contains(v, "@") {
		return ""
	}
	return v
}

func isAlnum(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// phone accepts a number as it is typed: 6 to 15 digits and what people put between.
func phone(v string) string {
	v = short(withoutLinks(v))
	digits := 0
	for _, r := range v {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case strings.ContainsRune(" +-–/().", r):
		default:
			if !strings.ContainsRune("xtEextApp", r) { // "ext. 12", "App. 12"
				return ""
			}
		}
	}
	if digits < 6 || digits > 15 {
		return ""
	}
	return v
}

// country returns the ISO code of a country; of a list "town, country" the last counts.
func (e *Extractor) country(v string) string {
	if c := e.dict.countries[fold(v)]; c != "" {
		return c
	}
	if i := strings.LastIndexAny(v, ",/"); i >= 0 {
		if v[i] == '/' && e.dict.countries[fold(v[:i])] != "" {
			return "" // two countries
		}
		return e.dict.countries[fold(v[i+1:])]
	}
	return ""
}

// stage reads how far it is: a fixed word, or a sentence about it.
func (e *Extractor) stage(v string) string {
	if stage := e.dict.words["stage"][fold(v)]; stage != "" {
		return stage
	}
	s := newSentenceOf(&line{body: clip(v, 300)})
	if s == nil {
		return ""
	}
	p, out := &prose{}, make(candidates)
	p.readStage(&mail{doc: &document{text: v + " "}}, s, out)
	best, _ := out.best(intake.FieldStage)
	return best.value
}

// consent returns yes or no if v is such a word, alone or before a punctuation mark; a yes
// also before other words. A yes with a reserve is none.
func (e *Extractor) consent(v string) string {
	if tick(intake.FieldConsent, v) {
		return "yes"
	}
	if c := e.yesNo(v); c != "" {
		return c
	}
	if s := newSentenceOf(&line{body: clip(v, 300)}); s != nil && len(s.words) > 2 {
		yes, no := proseWords().kind("consent", "yes"), proseWords().kind("consent", "no")
		switch {
		case no.in(s):
			return intake.ConsentNo
		case yes.in(s) && !unsure(s, yes) && !denied(s, yes), agrees(s):
			return intake.ConsentYes
		}
	}
	first, rest := "", ""
	if i := strings.IndexAny(v, ",.;!(–-:\n"); i > 0 {
		first, rest = e.yesNo(v[:i]), v[i:]
	}
	if word, more, ok := strings.Cut(v, " "); first == "" && ok && utf8.RuneCountInString(word) > 1 && e.yesNo(word) == "yes" {
		first, rest = "yes", more
	}
	for _, w := range strings.FieldsFunc(rest, func(r rune) bool { return !isAlnum(r) }) {
		if c := e.yesNo(w); c != "" && c != first || first == "yes" && e.dict.is("reserve", w) {
			return "" // "yes / no", "yes, no …", "yes, but not yet"
		}
	}
	return first
}

// tick reports whether v is the mark in a box of a form by which people consent.
func tick(f intake.Field, v string) bool {
	if f != intake.FieldConsent || len(v) > 20 {
		return false
	}
	switch strings.ToLower(strings.Trim(v, " []()\ufe0e\ufe0f")) {
	case "x", "✓", "✔", "☑", "✅":
		return true
	}
	return false
}

func (e *Extractor) yesNo(v string) string {
	k := fold(v)
	if c := e.dict.words["yes"][k]; c != "" {
		return c
	}
	return e.dict.words["no"][k]
}

// boxMarks are what a box begins with.
const boxMarks = "[(☐☑☒✅✔✓⬜□■"

var boxes = regexp.MustCompile(`(?:\[\s*([xX✓✔✗]?)\s*\]|\(\s*([xX✓✔✗])\s*\)|(\(\s+\)|[☐☑☒✅✔✓⬜□■]))\x{fe0f}?[ \t]*`)

// ticked reads a value that is a row of boxes with a text behind each, and returns the texts
// whose boxes are ticked. It reports false for any other value.
func ticked(v string) (string, bool) {
	v = strings.TrimSpace(clip(v, 1000))
	if first, _ := utf8.DecodeRuneInString(v); !strings.ContainsRune(boxMarks, first) {
		return "", false
	}
	at := boxes.FindAllStringSubmatchIndex(v, 30)
	if len(at) == 0 || at[0][0] != 0 {
		return "", false
	}
	var picked []string
	for i, box := range at {
		end := len(v)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		text := strings.Trim(v[box[1]:end], " \t\n,;/|")
		if text == "" {
			return "", false
		}
		if box[2] >= 0 && box[3] > box[2] || box[4] >= 0 || box[6] >= 0 && strings.Contains("☑☒✅✔✓■", v[box[6]:box[7]]) {
			picked = append(picked, text)
		}
	}
	return strings.Join(picked, "; "), true
}

// ands are the words between the last two entries of a list.
var ands = regexp.MustCompile(`\s(?:and|und|et|y|e|en|og|och|ja|a|i|oraz|ve|és|și|si|και|or|oder|ou|o|of|eller|tai|lub|nebo|veya|vagy|sau|ή|\+)\s`)

// splitAnd puts commas for the words between names in a list: "Acme and Contoso".
func splitAnd(v string) string {
	at := ands.FindAllStringIndex(v, 10)
	for i := len(at) - 1; i >= 0; i-- {
		before, after := v[:at[i][0]], v[at[i][1]:]
		if cut := strings.LastIndexAny(before, ",;"); cut >= 0 {
			before = before[cut+1:]
		}
		if capital(strings.TrimSpace(before)) && capital(after) && len(strings.Fields(before)) <= 3 {
			v = v[:at[i][0]] + ", " + after
		}
	}
	return v
}

// list joins the entries of a list by "; ", each once.
func list(v string) string {
	var out []string
	seen := make(map[string]bool)
	for _, entry := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(",;|\n•、", r) }) {
		entry = short(strings.Trim(entry, " \t-*"))
		if last := entry[strings.LastIndexByte(entry, ' ')+1:]; strings.HasSuffix(last, ".") && !proseWords().legal[fold(last)] {
			entry = strings.TrimRight(entry, ".")
		}
		if k := strings.ToLower(entry); entry != "" && !seen[k] && len(out) < maxList {
			seen[k] = true
			out = append(out, entry)
		}
	}
	return strings.Join(out, "; ")
}
