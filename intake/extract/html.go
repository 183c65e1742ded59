package extract

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// htmlText renders HTML as lines of text. A table row is one line: two cells have a tab
// between them, which makes it a labelled line, and so have more than two. A row that only
// lays out the page, because its cells hold tables or several lines, is not one line but
// those of its cells. Quoted parts have "> " before each line, as in plain text; what was
// forwarded has not. Text that a reader does not see is left out. It is built on the
// tokenizer, which takes nesting of any depth, and keeps only the open elements that matter.
func htmlText(s string) string {
	c := converter{}
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return c.finish()
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

// Limits of what is tracked.
const (
	maxMarks     = 200 // open elements that change how their content is read
	maxGrids     = 50  // tables within tables
	maxCells     = 64  // of a row
	maxCellLines = 20  // of a cell that is a value
	maxLink      = 500 // bytes
)

// tags by what they do
var (
	void   = set("area base br col embed hr img input link meta param source track wbr")
	unseen = set("style script head title noscript template select textarea object svg s strike del xml iframe audio video canvas")
	block  = set("p div li ul ol h1 h2 h3 h4 h5 h6 table tbody thead tfoot caption pre hr blockquote section article aside main nav header footer dl dt dd center address form fieldset figure")
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
		switch key := string(k); key {
		case "style", "class", "id", "hidden", "bgcolor", "background", "color", "size", "colspan":
			if attrs == nil {
				attrs = make(map[string]string)
			}
			attrs[key] = strings.ToLower(string(v))
		case "href":
			if attrs == nil {
				attrs = make(map[string]string)
			}
			attrs[key] = string(v)
		}
	}
	return name, attrs
}

// mark is an open element that changes how its content is read.
type mark struct {
	tag    string
	nested int // open elements of the same name within it
	look   look
	quote  *quote
}

// quote is a part that somebody wrote before.
type quote struct {
	parent *quote
	block  bool // a blockquote: the only element that nests with each further answer
	header bool // opened by the divider of Outlook, which answers and forwards share
	first  int  // index of its first line, -1 before there is one
	free   bool // forwarded: it is to be read
}

// textLine is a line of the result, or of a cell.
type textLine struct {
	text string
	in   *quote
}

// grid is an open table, or a list of definitions, which is read as one.
type grid struct {
	inRow, inCell bool
	layout        bool // the row only lays out the page: its lines are not held back
	cells         [][]textLine
	full          int // cells of the row with which columns were first filled, 0 before
	list          bool
}

// link is an open <a>.
type link struct {
	href string
	text strings.Builder
}

type converter struct {
	lines []textLine
	line  []byte // the line that is being filled
	grids []*grid
	over  int // tables beyond maxGrids
	marks []mark
	tail  *quote // what follows the divider of a mail program, to the end
	link  *link
	pre   int
}

func (c *converter) start(name string, attrs map[string]string) {
	switch {
	case name == "br":
		c.breakLine()
	case name == "table" || name == "dl":
		c.openGrid(name == "dl")
	case name == "tr" || name == "dt":
		c.openRow(name == "dt")
		if name == "dt" {
			c.openCell("", true)
		}
	case name == "td" || name == "th" || name == "dd":
		c.openCell(attrs["colspan"], name == "dd")
	case name == "a":
		c.closeLink()
		c.link = &link{href: attrs["href"]}
	case block[name]:
		c.breakLine()
	}
	if void[name] {
		return
	}
	if name == "pre" {
		c.pre++
	}
	c.open(name, attrs)
}

// open notes an element if it changes how its content is read.
func (c *converter) open(name string, attrs map[string]string) {
	for i := len(c.marks) - 1; i >= 0; i-- {
		if c.marks[i].tag == name {
			c.marks[i].nested++
			break
		}
	}
	if divides(attrs) && c.tail == nil {
		c.breakLine()
		c.tail = &quote{header: true, first: -1}
	}
	m := mark{tag: name, look: lookOf(name, attrs)}
	if quotes(name, attrs) {
		m.quote = &quote{parent: c.quote(), block: name == "blockquote", first: -1}
	}
	if (m.quote != nil || m.look != look{}) && len(c.marks) < maxMarks {
		c.marks = append(c.marks, m)
	}
}

func (c *converter) end(name string) {
	switch {
	case name == "table" || name == "dl":
		c.closeGrid()
	case name == "tr":
		c.endRow()
	case name == "td" || name == "th" || name == "dt" || name == "dd":
		c.endCell()
	case name == "a":
		c.closeLink()
	case block[name]:
		c.breakLine()
	}
	if name == "pre" && c.pre > 0 {
		c.pre--
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

// quote returns the innermost open part that somebody wrote before.
func (c *converter) quote() *quote {
	for i := len(c.marks) - 1; i >= 0; i-- {
		if c.marks[i].quote != nil {
			return c.marks[i].quote
		}
	}
	return c.tail
}

// text adds visible text, its white space folded as a browser does.
func (c *converter) text(s string) {
	if !c.visible() {
		return
	}
	if c.pre > 0 {
		for {
			line, rest, more := strings.Cut(s, "\n")
			c.words(line)
			if s = rest; !more {
				return
			}
			c.breakLine()
		}
	}
	c.words(s)
}

func (c *converter) words(s string) {
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
	words := strings.Join(fields, " ")
	c.line = append(c.line, words...)
	if c.link != nil && c.link.text.Len() < maxLink {
		c.link.text.WriteString(words)
	}
	if strings.ContainsAny(s[len(s)-1:], " \t\r\n") {
		c.space()
	}
}

func (c *converter) space() {
	if n := len(c.line); n > 0 && c.line[n-1] != ' ' {
		c.line = append(c.line, ' ')
	}
}

// closeLink writes behind the text of a link where it leads, unless the text is an address
// itself: that is what the sender meant to show.
func (c *converter) closeLink() {
	l := c.link
	c.link = nil
	if l == nil || l.href == "" || !c.visible() {
		return
	}
	text, target := l.text.String(), linkTarget(l.href)
	if text == "" || target == "" || strings.ContainsAny(text, "@<>") || strings.Contains(strings.Trim(text, ". "), ".") && !strings.Contains(text, " ") ||
		strings.HasPrefix(target, "+") && strings.ContainsAny(text, "0123456789") {
		return
	}
	c.line = append(bytes.TrimRight(c.line, " "), " <"+target+">"...)
}

// linkTarget returns what is shown of where a link leads: an address, a number or a URL that
// is not too long; "" for what leads nowhere.
func linkTarget(href string) string {
	href = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' || r == '"' {
			return -1
		}
		return r
	}, clip(href, 4*maxLink))
	scheme, rest, _ := strings.Cut(href, ":")
	switch strings.ToLower(scheme) {
	case "mailto":
		rest, _, _ = strings.Cut(rest, "?")
		if s, err := url.PathUnescape(rest); err == nil && !strings.ContainsAny(s, " <>\r\n\t\"") {
			return s
		}
		return ""
	case "tel":
		return rest
	case "http", "https":
	default:
		return ""
	}
	href = unwrapURL(href)
	if len(href) > maxLink {
		href, _, _ = strings.Cut(href, "?")
	}
	if len(href) > maxLink {
		return ""
	}
	return href
}

func (c *converter) grid() *grid {
	if len(c.grids) == 0 || c.over > 0 {
		return nil
	}
	return c.grids[len(c.grids)-1]
}

// breakLine ends a line; within the cell of a row it waits for the row.
func (c *converter) breakLine() {
	s := strings.TrimSpace(string(c.line))
	c.line = c.line[:0]
	if s == "" {
		return
	}
	l := textLine{s, c.quote()}
	g := c.grid()
	if g == nil || !g.inCell || g.layout {
		c.emit(l)
		return
	}
	last := len(g.cells) - 1
	g.cells[last] = append(g.cells[last], l)
}

func (c *converter) openGrid(list bool) {
	c.breakLine()
	if len(c.grids) == maxGrids {
		c.over++
		return
	}
	if g := c.grid(); g != nil && g.inRow {
		c.spill(g)
		g.layout = true
	}
	c.grids = append(c.grids, &grid{list: list})
}

func (c *converter) closeGrid() {
	if c.over > 0 {
		c.breakLine()
		c.over--
		return
	}
	c.endRow()
	if n := len(c.grids); n > 0 {
		c.grids = c.grids[:n-1]
	}
}

// openRow begins a row. One outside a table, which some programs write, makes a table. A row of
// one kind does not end those of the other: a list of definitions may stand in a cell.
func (c *converter) openRow(list bool) {
	if g := c.grid(); g == nil || g.list != list {
		if c.over > 0 {
			c.breakLine()
			return
		}
		c.openGrid(list)
	}
	c.endRow()
	if g := c.grid(); g != nil {
		g.inRow, g.layout = true, false
	}
}

func (c *converter) openCell(span string, list bool) {
	if g := c.grid(); g == nil || !g.inRow || g.list != list {
		c.openRow(list)
	}
	c.endCell()
	g := c.grid()
	if g == nil || len(g.cells) >= maxCells {
		return
	}
	g.cells = append(g.cells, nil)
	g.inCell = true
	for n, _ := strconv.Atoi(span); n > 1 && n <= maxCells && len(g.cells) < maxCells; n-- {
		g.cells = slices.Insert(g.cells, len(g.cells)-1, nil)
	}
}

func (c *converter) endCell() {
	c.breakLine()
	if g := c.grid(); g != nil {
		g.inCell = false
	}
}

// endRow writes the row that is open.
func (c *converter) endRow() {
	c.endCell()
	g := c.grid()
	if g == nil || !g.inRow {
		return
	}
	c.writeRow(g)
	g.inRow, g.layout, g.cells = false, false, nil
}

// spill writes the cells of a row that is none, line by line.
func (c *converter) spill(g *grid) {
	for _, cell := range g.cells {
		for _, l := range cell {
			c.emit(l)
		}
	}
	for i := range g.cells {
		g.cells[i] = nil
	}
}

func (c *converter) writeRow(g *grid) {
	var filled [][]textLine
	for _, cell := range g.cells {
		if len(cell) > 0 {
			filled = append(filled, cell)
		}
	}
	switch n := len(filled); {
	case n == 0 || g.layout:
		c.spill(g)
	case n > 2 || g.full > 2 && len(g.cells) == g.full:
		c.writeColumns(g, filled)
	case n == 2:
		c.writePair(g, filled[0], filled[1])
	default:
		c.spill(g)
	}
}

// writePair writes a label and its value, if the two cells look like that.
func (c *converter) writePair(g *grid, first, second []textLine) {
	label := first[0].text
	switch {
	case len(first) == 1 && len(label) <= maxLabelBytes && len(second) <= maxCellLines && !holdsLabels(label, second):
		c.emit(textLine{label + "\t" + joinCell(second), first[0].in})
	case len(first) > 1 && len(first) == len(second) && areLabels(first):
		for i := range first {
			c.emit(textLine{first[i].text + "\t" + second[i].text, first[i].in})
		}
	case len(first) <= 3 && len(second) <= maxCellLines && explained(first):
		c.emit(textLine{label + "\t" + joinCell(second), first[0].in})
	default:
		c.spill(g)
	}
}

// writeColumns writes a row of columns. Once a row has filled them all, empty cells keep their
// place, so that what stands below a name stays below it.
func (c *converter) writeColumns(g *grid, filled [][]textLine) {
	cells := filled
	if c.writePairs(filled) {
		return
	}
	if g.full == 0 {
		g.full = len(g.cells)
	}
	if g.full == len(g.cells) {
		cells = g.cells
	}
	var texts []string
	for _, cell := range cells {
		if len(cell) > maxCellLines {
			c.spill(g)
			return
		}
		texts = append(texts, joinCell(cell))
	}
	c.emit(textLine{strings.TrimRight(strings.Join(texts, "\t"), "\t"), filled[0][0].in})
}

// writePairs writes a row of several labels, each with its value behind it.
func (c *converter) writePairs(filled [][]textLine) bool {
	if len(filled)%2 != 0 {
		return false
	}
	for i := 0; i < len(filled); i += 2 {
		if len(filled[i]) != 1 || !areLabels(filled[i]) || areLabels(filled[i+1]) {
			return false
		}
	}
	for i := 0; i < len(filled); i += 2 {
		c.emit(textLine{filled[i][0].text + "\t" + joinCell(filled[i+1]), filled[i][0].in})
	}
	return true
}

// holdsLabels reports whether a second cell is a list of labelled lines beside something else,
// such as a picture's caption.
func holdsLabels(label string, lines []textLine) bool {
	if len(lines) < 2 {
		return false
	}
	if _, ok := builtin().label(fold(unmark(label)), true); ok {
		return false
	}
	n := 0
	for _, l := range lines {
		if x, ok := builtin().labelled(l.text); ok && x.value != "" {
			n++
		}
	}
	return n >= 2
}

// explained reports whether a cell is a label with an explanation below it.
func explained(lines []textLine) bool {
	field, ok := builtin().label(fold(unmark(lines[0].text)), true)
	return ok && !slices.ContainsFunc(lines[1:], func(l textLine) bool {
		f, ok := builtin().label(fold(unmark(l.text)), true)
		return ok && f != field
	})
}

// areLabels reports whether each line is a label and nothing else.
func areLabels(lines []textLine) bool {
	return !slices.ContainsFunc(lines, func(l textLine) bool {
		_, ok := builtin().label(fold(unmark(l.text)), true)
		return !ok
	})
}

// joinCell makes one line of those of a cell. Where a sentence goes on there is a blank between
// them, else a semicolon.
func joinCell(lines []textLine) string {
	var b strings.Builder
	for _, l := range lines {
		if s := b.String(); s != "" {
			next, _ := utf8.DecodeRuneInString(l.text)
			word, _, _ := strings.Cut(l.text, " ")
			switch {
			case strings.ContainsRune(".,;:!?-(/&+", rune(s[len(s)-1])), unicode.IsLower(next) && !strings.ContainsAny(word, "@:/"):
				b.WriteByte(' ')
			default:
				b.WriteString("; ")
			}
		}
		b.WriteString(strings.ReplaceAll(l.text, "\t", " "))
	}
	return b.String()
}

// emit adds a line to the result.
func (c *converter) emit(l textLine) {
	for q := l.in; q != nil && q.first < 0; q = q.parent {
		q.first = len(c.lines)
	}
	c.lines = append(c.lines, l)
}

// finish closes what is open and puts the marks of quotations before the lines.
func (c *converter) finish() string {
	c.closeLink()
	c.over = 0
	for len(c.grids) > 0 {
		c.closeGrid()
	}
	c.breakLine()
	c.tell()
	var b strings.Builder
	for _, l := range c.lines {
		if depth := l.in.depth(); depth > 0 {
			b.WriteString(strings.Repeat(">", depth) + " ")
		}
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// tell finds out which parts were forwarded: their first line, or the one above, says so; or
// they begin with the header of a mail, which tells its reader what it is.
func (c *converter) tell() {
	for i := range c.lines {
		for q := c.lines[i].in; q != nil && q.first == i; q = q.parent {
			q.free = separatorKind(c.lines[i].text) == opensForward ||
				i > 0 && separatorKind(c.lines[i-1].text) == opensForward ||
				q.header && c.headerBelow(i)
		}
	}
}

// headerBelow reports whether the header of a mail begins at line i: its sender and two more.
func (c *converter) headerBelow(i int) bool {
	from, others := false, 0
	for _, l := range c.lines[i:min(len(c.lines), i+8)] {
		switch kind, _ := headerLine(strings.Replace(l.text, "\t", " ", 1)); kind {
		case "":
		case "from":
			from = true
		default:
			others++
		}
	}
	return from && others >= 2
}

// depth counts how often a line was quoted. Mail programs wrap one quotation in several
// elements, of which only blockquote nests with each further answer.
func (q *quote) depth() int {
	depth, marked := 0, false
	for ; q != nil; q = q.parent {
		if q.free {
			continue
		}
		marked = true
		if q.block {
			depth++
		}
	}
	if marked {
		return max(1, depth)
	}
	return 0
}

// quotes reports whether an element holds what somebody wrote before.
func quotes(name string, attrs map[string]string) bool {
	if name == "blockquote" {
		return true
	}
	for class := range strings.FieldsSeq(attrs["class"]) {
		switch class {
		case "gmail_quote", "gmail_quote_container", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "tutanota_quote", "zmail_extra":
			return true
		}
	}
	return strings.HasPrefix(attrs["id"], "yahoo_quoted")
}

// divides reports whether an element is where a mail program puts the earlier mail below.
func divides(attrs map[string]string) bool {
	switch attrs["id"] {
	case "divrplyfwdmsg", "appendonsend", "x_divrplyfwdmsg", "mail-editor-reference-message-container", "isreplycontent":
		return true
	}
	return slices.Contains(strings.Fields(attrs["class"]), "outlookmessageheader")
}

// look is what the style of an element says about whether its text can be seen. What an element
// leaves open is as it is around it.
type look struct {
	hidden        bool
	color, ground shade
	size          size
}

type size int8

const (
	sizeOpen size = iota
	sizeNone      // text too small to be read
	sizeSome
)

// visible reports whether a reader sees text that stands here: it is not hidden, not of no
// size, and not of the colour of its ground.
func (c *converter) visible() bool {
	color, ground, size := shade{}, shade{known: true, r: 255, g: 255, b: 255}, sizeOpen
	for i := range c.marks {
		l := &c.marks[i].look
		if l.hidden {
			return false
		}
		if l.color.set() {
			color = l.color
		}
		if l.ground.set() {
			ground = l.ground
		}
		if l.size != sizeOpen {
			size = l.size
		}
	}
	return size != sizeNone && !color.like(ground) && !color.clear
}

// shade is a colour. One that is given and not known, such as a picture's, is like none.
type shade struct {
	known, other, clear bool
	r, g, b             uint8
}

func (s shade) set() bool { return s.known || s.other || s.clear }

// like reports whether people can't tell two colours apart.
func (s shade) like(t shade) bool {
	return s.known && t.known && near(s.r, t.r) && near(s.g, t.g) && near(s.b, t.b)
}

func near(a, b uint8) bool { return max(a, b)-min(a, b) <= 8 }

// shadeOf reads a colour as a style or an attribute states it.
func shadeOf(s string) shade {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return shade{}
	case "white":
		return shade{known: true, r: 255, g: 255, b: 255}
	case "black", "windowtext":
		return shade{known: true}
	case "inherit", "initial", "unset", "none", "auto":
		return shade{}
	case "transparent":
		return shade{clear: true}
	}
	hex := strings.TrimPrefix(s, "#")
	if len(hex) == 3 || len(hex) == 4 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	if n, err := strconv.ParseUint(clip(hex, 6), 16, 32); err == nil && len(hex) >= 6 {
		return shade{known: true, r: uint8(n >> 16), g: uint8(n >> 8), b: uint8(n)}
	}
	if args, ok := strings.CutPrefix(s, "rgb"); ok {
		return shadeOfParts(strings.FieldsFunc(strings.TrimPrefix(args, "a"), func(r rune) bool { return strings.ContainsRune("(),/ ", r) }))
	}
	return shade{other: true}
}

func shadeOfParts(parts []string) shade {
	if len(parts) < 3 {
		return shade{other: true}
	}
	if len(parts) > 3 && zero(parts[3], 0) {
		return shade{clear: true}
	}
	var v [3]uint8
	for i := range v {
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil {
			return shade{other: true}
		}
		v[i] = uint8(n)
	}
	return shade{known: true, r: v[0], g: v[1], b: v[2]}
}

// lookOf reads the style of an element.
func lookOf(name string, attrs map[string]string) look {
	l := look{hidden: unseen[name]}
	if attrs == nil {
		return l
	}
	if _, ok := attrs["hidden"]; ok {
		l.hidden = true
	}
	l.ground = shadeOf(attrs["bgcolor"])
	if attrs["background"] != "" {
		l.ground = shade{other: true}
	}
	if name == "font" || name == "basefont" {
		l.color = shadeOf(attrs["color"])
	}
	style := attrs["style"]
	if style == "" {
		return l
	}
	clipped := strings.Contains(style, "overflow") && strings.Contains(strings.ReplaceAll(style, " ", ""), "overflow:hidden")
	n := 0
	for decl := range strings.SplitSeq(style, ";") {
		if n++; n > 100 {
			break
		}
		k, v, _ := strings.Cut(decl, ":")
		v = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "important"))
		l.declare(strings.TrimSpace(k), strings.TrimSpace(strings.TrimSuffix(v, "!")), clipped)
	}
	if l.ground.clear {
		l.ground = shade{}
	}
	return l
}

// declare applies one declaration of a style. clipped says that what does not fit is cut off.
func (l *look) declare(k, v string, clipped bool) {
	switch k {
	case "display":
		l.hidden = l.hidden || v == "none"
	case "visibility", "content-visibility":
		l.hidden = l.hidden || v == "hidden" || v == "collapse"
	case "mso-hide":
		l.hidden = l.hidden || v == "all"
	case "opacity":
		l.hidden = l.hidden || zero(v, 0.05)
	case "max-height", "max-width":
		l.hidden = l.hidden || zero(v, 0)
	case "height", "width":
		l.hidden = l.hidden || clipped && zero(v, 1)
	case "text-indent", "left", "top", "margin-left", "margin-top", "right":
		l.hidden = l.hidden || strings.HasPrefix(v, "-999") || strings.HasPrefix(v, "-1000")
	case "clip":
		l.hidden = l.hidden || strings.HasPrefix(strings.ReplaceAll(v, " ", ""), "rect(0")
	case "transform":
		l.hidden = l.hidden || strings.ReplaceAll(v, " ", "") == "scale(0)"
	case "text-decoration", "text-decoration-line":
		l.hidden = l.hidden || strings.Contains(v, "line-through")
	case "font-size":
		l.size = sizeSome
		if zero(v, 1) {
			l.size = sizeNone
		}
	case "font":
		if strings.HasPrefix(v, "0") && (strings.HasPrefix(v, "0/") || strings.HasPrefix(v, "0px") || strings.HasPrefix(v, "0 ")) {
			l.size = sizeNone
		}
	case "color":
		if s := shadeOf(v); s.set() {
			l.color = s
		}
	case "background", "background-color":
		if strings.Contains(v, "url(") || strings.Contains(v, "gradient") {
			l.ground = shade{other: true}
		} else if s := shadeOf(firstColor(v)); s.set() {
			l.ground = s
		}
	case "background-image":
		if v != "none" {
			l.ground = shade{other: true}
		}
	}
}

// firstColor returns the part of a background that names its colour.
func firstColor(v string) string {
	if strings.HasPrefix(v, "rgb") {
		return v
	}
	for f := range strings.FieldsSeq(v) {
		switch f {
		case "no-repeat", "repeat", "scroll", "fixed", "center", "top", "left", "right", "bottom", "none", "0", "0%":
		default:
			return f
		}
	}
	return ""
}

// zero reports whether a length or a share is at most limit, in whatever unit but those that
// are a multiple of the text's size.
func zero(v string, limit float64) bool {
	digits := strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil {
		return false
	}
	switch v[len(digits):] {
	case "", "px", "pt":
		return n >= 0 && n <= limit
	}
	return n == 0
}

// maxUnwrap is how many rewritten links within one another are unwrapped.
const maxUnwrap = 3

// unwrapURL returns the address that a link leads to after it was rewritten by a mail filter
// or a search engine; other text is returned as it is.
func unwrapURL(s string) string {
	for range maxUnwrap {
		target := unwrapOnce(s)
		if target == "" || target == s {
			break
		}
		s = target
	}
	return s
}

// unwrapOnce returns the target of a rewritten link, "" if s is none.
func unwrapOnce(s string) string {
	if len(s) > 4*maxLink || !strings.Contains(s, "/") {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(s, "&amp;", "&"))
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	target := ""
	switch {
	case within(host, "safelinks.protection.outlook.com", "safelinks.protection.office365.us"):
		target = u.Query().Get("url")
	case within(host, "urldefense.proofpoint.com") && strings.HasPrefix(u.Path, "/v2/"):
		target, err = url.PathUnescape(strings.NewReplacer("-", "%", "_", "/").Replace(u.Query().Get("u")))
	case within(host, "urldefense.com", "urldefense.us", "urldefense.proofpoint.com"):
		target = urlDefense3(s)
	case within(host, "protect.checkpoint.com"):
		_, rest, _ := strings.Cut(s, "___")
		target, _, _ = strings.Cut(rest, "___")
	case strings.HasPrefix(strings.TrimPrefix(host, "www."), "google.") && u.Path == "/url":
		if target = u.Query().Get("q"); target == "" {
			target = u.Query().Get("url")
		}
	case within(host, "facebook.com", "instagram.com") && strings.HasPrefix(u.Path, "/l.php"), host == "l.instagram.com":
		target = u.Query().Get("u")
	case within(host, "linkprotect.cudasvc.com"):
		target = u.Query().Get("a")
	case within(host, "clicktime.symantec.com"):
		target = u.Query().Get("u")
	case within(host, "slack-redir.net", "linkedin.com") && (u.Path == "/link" || strings.HasPrefix(u.Path, "/redir/redirect") || u.Path == "/safety/go"):
		target = u.Query().Get("url")
	case within(host, "mimecastprotect.com", "mimecast.com") && u.Query().Get("domain") != "":
		target = "https://" + u.Query().Get("domain")
	case within(host, "secure-web.cisco.com"):
		target, err = url.PathUnescape(u.EscapedPath()[strings.LastIndexByte(u.EscapedPath(), '/')+1:])
	}
	if err != nil || !isWebURL(target) {
		return ""
	}
	return target
}

// within reports whether a host is one of domains, or in one.
func within(host string, domains ...string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

// isWebURL reports whether s is a plain link to a host.
func isWebURL(s string) bool {
	low := strings.ToLower(clip(s, 10))
	if !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "https://") || len(s) > 4*maxLink {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"", r) })
}

// urlDefense3 reads "…/v3/__URL__;BASE64!!…": the characters of BASE64 stand for the stars in
// the URL, one each; of a run of them only its length is written.
func urlDefense3(s string) string {
	_, rest, ok := strings.Cut(s, "/v3/__")
	if !ok {
		return ""
	}
	i := strings.LastIndex(rest, "__;")
	if i < 0 {
		return ""
	}
	target, code := rest[:i], rest[i+len("__;"):]
	code, _, _ = strings.Cut(code, "!")
	chars, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(code, "="))
	if err != nil || strings.Contains(target, "**") {
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(target, "https://"), "http://"), "/")
		return "https://" + host // runs of characters are in the path: the host says enough
	}
	var b strings.Builder
	for i := range len(target) {
		if target[i] == '*' && len(chars) > 0 {
			b.WriteByte(chars[0])
			chars = chars[1:]
			continue
		}
		b.WriteByte(target[i])
	}
	return b.String()
}
