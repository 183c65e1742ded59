package extract

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// htmlText renders HTML as lines of text. A table row is one line; a row of two cells has a
// tab between them, which makes it a labelled line. Quoted parts have "> " before each
// line, as in plain text. Text that a reader does not see is left out. It is built on the
// tokenizer, which takes nesting of any depth, and keeps only the open elements that matter.
func htmlText(s string) string {
	c := converter{}
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			c.endRow()
			c.breakLine()
			return c.out.String()
		case html.TextToken:
			c.text(string(z.Text()))
		case html.StartTagToken:
			name, attrs := tag(z)
			c.start(name, attrs)
		case html.SelfClosingTagToken:
			name, attrs := tag(z)
			if c.start(name, attrs); !void[name] {
				c.end(name)
			}
		case html.EndTagToken:
			name, _ := tag(z)
			c.end(name)
		}
	}
}

// maxMarks bounds the open elements that are tracked.
const maxMarks = 200

// tags by what they do
var (
	void   = set("area base br col embed hr img input link meta param source track wbr")
	unseen = set("style script head title noscript template select textarea object svg")
	block  = set("p div li ul ol h1 h2 h3 h4 h5 h6 table tbody thead tfoot pre hr blockquote section article header footer dl dt dd center address form")
)

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func tag(z *html.Tokenizer) (string, map[string]string) {
	raw, more := z.TagName()
	name, attrs := string(raw), map[string]string(nil)
	for n := 0; more && n < 100; n++ {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch string(k) {
		case "style", "class", "id", "hidden", "type", "bgcolor":
			if attrs == nil {
				attrs = make(map[string]string)
			}
			attrs[string(k)] = strings.ToLower(string(v))
		}
	}
	return name, attrs
}

// mark is an open element that changes how its content is read.
type mark struct {
	tag    string
	nested int // open elements of the same name within it
	hidden bool
	quote  bool
	ground bool // has a background of its own
}

type converter struct {
	out   strings.Builder
	line  strings.Builder // the line, or the cell of a row, that is being filled
	cells []string
	inRow bool
	marks []mark
	// quoted says that all that follows is quoted, by a separator of the mail program.
	quoted bool
}

func (c *converter) start(name string, attrs map[string]string) {
	switch {
	case name == "br":
		c.breakLine()
	case name == "tr":
		c.endRow()
		c.breakLine()
		c.inRow = true
	case name == "td" || name == "th":
		c.endCell()
	case block[name]:
		c.breakLine()
	}
	if void[name] {
		return
	}
	for i := len(c.marks) - 1; i >= 0; i-- {
		if c.marks[i].tag == name {
			c.marks[i].nested++
			break
		}
	}
	if attrs["id"] == "divrplyfwdmsg" || attrs["id"] == "appendonsend" {
		c.breakLine()
		c.quoted = true
	}
	m := mark{tag: name, hidden: unseen[name] || c.hides(attrs), quote: quotes(name, attrs), ground: hasGround(attrs)}
	if (m.hidden || m.quote || m.ground) && len(c.marks) < maxMarks {
		c.marks = append(c.marks, m)
	}
}

func (c *converter) end(name string) {
	switch {
	case name == "tr" || name == "table":
		c.endRow()
	case name == "td" || name == "th":
		c.endCell()
	case block[name]:
		c.breakLine()
	}
	for i := len(c.marks) - 1; i >= 0; i-- {
		if c.marks[i].tag != name {
			continue
		}
		if c.marks[i].nested > 0 {
			c.marks[i].nested--
			return
		}
		c.marks = slices.Delete(c.marks, i, len(c.marks))
		return
	}
}

// text adds visible text, its white space folded as a browser does.
func (c *converter) text(s string) {
	for i := range c.marks {
		if c.marks[i].hidden {
			return
		}
	}
	fields := strings.Fields(s)
	if len(fields) == 0 {
		if s != "" {
			c.space()
		}
		return
	}
	if strings.ContainsAny(s[:1], " \t\r\n") {
		c.space()
	}
	c.line.WriteString(strings.Join(fields, " "))
	if strings.ContainsAny(s[len(s)-1:], " \t\r\n") {
		c.space()
	}
}

func (c *converter) space() {
	if s := c.line.String(); s != "" && !strings.HasSuffix(s, " ") {
		c.line.WriteByte(' ')
	}
}

// breakLine ends a line; within a table row it is a blank.
func (c *converter) breakLine() {
	if c.inRow {
		c.space()
		return
	}
	s := strings.TrimSpace(c.line.String())
	c.line.Reset()
	if s != "" {
		c.emit(s)
	}
}

func (c *converter) endCell() {
	if !c.inRow {
		c.breakLine()
		return
	}
	if s := strings.TrimSpace(c.line.String()); s != "" {
		c.cells = append(c.cells, s)
	}
	c.line.Reset()
}

// endRow writes the row. More than two cells are no label and value: they are joined by a
// character that separates no label.
func (c *converter) endRow() {
	if !c.inRow {
		return
	}
	c.endCell()
	c.inRow = false
	switch len(c.cells) {
	case 0:
	case 1, 2:
		c.emit(strings.Join(c.cells, "\t"))
	default:
		c.emit(strings.Join(c.cells, " · "))
	}
	c.cells = nil
}

func (c *converter) emit(line string) {
	if depth := c.quoteDepth(); depth > 0 {
		c.out.WriteString(strings.Repeat(">", depth) + " ")
	}
	c.out.WriteString(line)
	c.out.WriteByte('\n')
}

// quoteDepth counts how often the current line was quoted. Mail programs wrap one quotation
// in several elements, of which only blockquote nests with each further answer.
func (c *converter) quoteDepth() int {
	depth, any := 0, c.quoted
	for i := range c.marks {
		any = any || c.marks[i].quote
		if c.marks[i].tag == "blockquote" {
			depth++
		}
	}
	if any {
		return max(1, depth)
	}
	return 0
}

// quotes reports whether an element holds what somebody wrote before.
func quotes(name string, attrs map[string]string) bool {
	if name == "blockquote" {
		return true
	}
	for _, class := range strings.Fields(attrs["class"]) {
		switch class {
		case "gmail_quote", "gmail_quote_container", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote":
			return true
		}
	}
	return false
}

// hides reports whether an element is one that a reader does not see.
func (c *converter) hides(attrs map[string]string) bool {
	if _, ok := attrs["hidden"]; ok {
		return true
	}
	style := compact(attrs["style"])
	for _, h := range []string{"display:none", "visibility:hidden", "mso-hide:all"} {
		if strings.Contains(style, h) {
			return true
		}
	}
	for _, decl := range strings.Split(style, ";") {
		switch decl {
		case "font-size:0", "font-size:0px", "font-size:0pt", "opacity:0", "max-height:0", "max-height:0px":
			return true
		case "color:#fff", "color:#ffffff", "color:white", "color:rgb(255,255,255)":
			return !c.grounded() && !hasGround(attrs)
		}
	}
	return false
}

func (c *converter) grounded() bool {
	return slices.ContainsFunc(c.marks, func(m mark) bool { return m.ground })
}

func hasGround(attrs map[string]string) bool {
	return attrs["bgcolor"] != "" || strings.Contains(attrs["style"], "background")
}

func compact(style string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '!' {
			return -1
		}
		return r
	}, strings.TrimSuffix(style, "!important"))
}
