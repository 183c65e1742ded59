package extract

import (
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"

	"leadgate/intake"
)

// Limits of what is read of a card or a calendar.
const (
	maxProperties = 10_000
	maxProperty   = 16 << 10 // bytes of a value; pictures have more
	maxParameters = 30
)

// readCard reads the first business card of a vCard file, in versions 2.1, 3.0 and 4.0. ok is
// false if it names nobody. The caller has to know whether the card is the partner's own.
func readCard(e *Extractor, a Attachment) (lead intake.Lead, ok bool) {
	card := firstCard(properties(decodeText(a)))
	if card == nil {
		return nil, false
	}
	raw := make(intake.Lead)
	add := func(f intake.Field, v string) {
		if v = short(normalise(v)); v != "" && raw[f] == "" && !e.empty(v) {
			if v = e.values(f, v)[f]; v != "" {
				raw[f] = v
			}
		}
	}
	if !card.ofCompany() {
		add(intake.FieldContactName, card.text("FN"))
		add(intake.FieldContactName, card.name())
	}
	add(intake.FieldCompanyName, card.part("ORG", 0))
	if card.ofCompany() {
		add(intake.FieldCompanyName, card.text("FN"))
	}
	add(intake.FieldContactRole, card.text("TITLE"))
	add(intake.FieldContactRole, card.text("ROLE"))
	add(intake.FieldCountry, card.part("ADR", 6))
	for _, p := range card.preferred("EMAIL", nil) {
		add(intake.FieldContactEmail, p.text())
	}
	for _, p := range card.preferred("URL", []string{"HOME"}) {
		if !networkPage(p.text()) {
			add(intake.FieldCompanyDomain, p.text())
		}
	}
	for _, p := range card.preferred("TEL", []string{"FAX", "PAGER", "MODEM", "BBS"}) {
		l := Lead{Fields: intake.Lead{
			intake.FieldContactPhone: short(normalise(p.text())),
			intake.FieldCountry:      raw[intake.FieldCountry], intake.FieldCompanyDomain: raw[intake.FieldCompanyDomain],
		}}
		if e.settlePhone(&l); l.Fields[intake.FieldContactPhone] != "" {
			raw[intake.FieldContactPhone] = l.Fields[intake.FieldContactPhone]
			break
		}
	}
	lead, _ = intake.Clean(e.ids, raw)
	return lead, lead[intake.FieldContactName] != "" || lead[intake.FieldContactEmail] != "" || lead[intake.FieldCompanyName] != ""
}

// networks are the hosts on which everybody has a page: no company's domain.
var networks = set("linkedin.com xing.com twitter.com x.com facebook.com instagram.com youtube.com tiktok.com github.com calendly.com t.me wa.me lnkd.in skype.com")

func networkPage(link string) bool {
	_, rest, ok := strings.Cut(strings.ToLower(link), "://")
	if !ok {
		rest = strings.ToLower(link)
	}
	host, _, _ := strings.Cut(rest, "/")
	host = strings.TrimPrefix(host, "www.")
	for host != "" {
		if networks[host] {
			return true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return false
}

// card is the properties of one business card.
type card []property

// firstCard returns the first card that holds anything; what is nested in it is left out.
func firstCard(all []property) card {
	var c card
	depth := 0
	for _, p := range all {
		switch {
		case p.name == "BEGIN" && strings.EqualFold(strings.TrimSpace(p.value), "VCARD"):
			depth++
		case p.name == "END" && depth > 0:
			if depth--; depth == 0 && len(c) > 0 {
				return c
			}
		case depth == 1:
			c = append(c, p)
		}
	}
	return c
}

// ofCompany reports whether the card is a company's and not a person's.
func (c card) ofCompany() bool {
	return strings.EqualFold(c.text("KIND"), "org") || strings.EqualFold(c.text("X-ABSHOWAS"), "COMPANY")
}

func (c card) text(name string) string {
	for _, p := range c {
		if p.name != name {
			continue
		}
		if s := p.text(); strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// part returns a component of the first property that has it.
func (c card) part(name string, i int) string {
	for _, p := range c {
		if p.name != name {
			continue
		}
		if parts := p.parts(); i < len(parts) && strings.TrimSpace(parts[i]) != "" {
			return parts[i]
		}
	}
	return ""
}

// name joins the parts of a name in the order in which they are spoken.
func (c card) name() string {
	var parts []string
	for _, i := range []int{1, 2, 0} { // given, additional, family
		parts = append(parts, c.part("N", i))
	}
	return strings.Join(parts, " ")
}

// preferred returns the properties of a name, those at work and those marked as preferred
// first, without those of the types of not.
func (c card) preferred(name string, not []string) []property {
	var out []property
	for _, p := range c {
		if p.name == name && !slices.ContainsFunc(not, p.is) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b property) int { return b.rank() - a.rank() })
	return out
}

// property is one line of a vCard or of an iCalendar, which share their syntax (RFC 6350
// section 3.3, RFC 5545 section 3.1).
type property struct {
	name   string
	params map[string][]string
	value  string // as it stands, but unfolded and decoded
}

// is reports whether a property is of a type.
func (p property) is(kind string) bool {
	return slices.ContainsFunc(p.params["TYPE"], func(s string) bool { return strings.EqualFold(s, kind) })
}

func (p property) rank() int {
	n := 0
	if p.is("WORK") {
		n += 2
	}
	if p.is("HOME") {
		n -= 2
	}
	if p.is("PREF") || len(p.params["PREF"]) > 0 {
		n++
	}
	return n
}

func (p property) param(name string) string {
	if v := p.params[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// text returns the value without its backslashes.
func (p property) text() string { return unescape(p.value) }

// parts returns the components of a value, which semicolons separate.
func (p property) parts() []string {
	var out []string
	start := 0
	for i := 0; i < len(p.value); i++ {
		switch p.value[i] {
		case '\\':
			i++
		case ';':
			out = append(out, unescape(p.value[start:i]))
			start = i + 1
		}
	}
	return append(out, unescape(p.value[start:]))
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\:`, ":")

func unescape(s string) string { return unescaper.Replace(s) }

// properties cuts a text into properties. What is none is left out: files of this kind come
// from many hands.
func properties(text string) []property {
	var out []property
	for text != "" && len(out) < maxProperties {
		var line string
		line, text = unfold(text)
		p, ok := parseProperty(line)
		if !ok {
			continue
		}
		if slices.ContainsFunc(p.params["ENCODING"], func(s string) bool { return strings.EqualFold(s, "QUOTED-PRINTABLE") }) {
			p.value, text = softBreaks(p.value, text)
			p.value = p.printable()
		}
		p.value = clip(p.value, maxProperty)
		out = append(out, p)
	}
	return out
}

// softBreaks adds to a quoted-printable value the lines that go on with it: those behind a line
// that ends in "=".
func softBreaks(value, text string) (whole, rest string) {
	var b strings.Builder
	b.WriteString(value)
	for strings.HasSuffix(value, "=") && text != "" && b.Len() < maxProperty {
		value, text, _ = strings.Cut(text, "\n")
		b.WriteByte('\n')
		b.WriteString(value)
	}
	return b.String(), text
}

// unfold returns the first line with those that go on with it: they begin with a blank.
func unfold(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	if rest == "" || rest[0] != ' ' && rest[0] != '\t' {
		return line, rest
	}
	var b strings.Builder
	b.WriteString(line)
	for rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
		line, rest, _ = strings.Cut(rest[1:], "\n")
		if b.Len() < 2*maxProperty {
			b.WriteString(line)
		}
	}
	return b.String(), rest
}

// parseProperty reads "group.NAME;PARAM=value:value". In version 2.1 a parameter may be its
// value alone.
func parseProperty(line string) (property, bool) {
	end := strings.IndexAny(line, ":;")
	if end <= 0 {
		return property{}, false
	}
	name := strings.ToUpper(strings.TrimSpace(line[:end]))
	p := property{name: name[strings.LastIndexByte(name, '.')+1:], params: make(map[string][]string)}
	for line[end] == ';' {
		line = line[end+1:]
		if end = outsideQuotes(line); end < 0 {
			return property{}, false
		}
		if len(p.params) < maxParameters {
			p.addParam(line[:end])
		}
	}
	p.value = line[end+1:]
	return p, true
}

// outsideQuotes returns the place of the first colon or semicolon that is not quoted.
func outsideQuotes(s string) int {
	quoted := false
	for i := range len(s) {
		switch s[i] {
		case '"':
			quoted = !quoted
		case ':', ';':
			if !quoted {
				return i
			}
		}
	}
	return -1
}

func (p *property) addParam(s string) {
	name, value, ok := strings.Cut(s, "=")
	name = strings.ToUpper(strings.TrimSpace(name))
	switch {
	case ok:
	case name == "QUOTED-PRINTABLE" || name == "BASE64" || name == "8BIT":
		name, value = "ENCODING", name
	default:
		name, value = "TYPE", name
	}
	if strings.HasPrefix(value, `"`) && name != "TYPE" {
		p.params[name] = append(p.params[name], strings.Trim(value, `"`))
		return
	}
	for v := range strings.SplitSeq(strings.Trim(value, `"`), ",") {
		p.params[name] = append(p.params[name], strings.TrimSpace(v))
	}
}

// printable decodes a quoted-printable value in its character set.
func (p property) printable() string {
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(clip(p.value, maxProperty))))
	if err != nil && len(b) == 0 {
		return p.value
	}
	return decodeText(Attachment{Charset: p.param("CHARSET"), Content: b})
}
