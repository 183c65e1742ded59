package extract

import (
	"bytes"
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
