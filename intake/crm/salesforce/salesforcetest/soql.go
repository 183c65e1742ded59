package salesforcetest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is one that was read: as much of SOQL as the gateway sends.
type query struct {
	columns []string
	subs    []query
	from    string
	where   cond
	order   []sortKey
	limit   int
}

type sortKey struct {
	path string
	desc bool
}

// cond is a condition on a row.
type cond func(f *Fake, o *object, row row) (bool, error)

type parser struct {
	tokens []string
	quoted []bool
	i      int
}

// parse reads a query. The error is in words of Salesforce's kind.
func parse(src string) (q query, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	p := &parser{}
	p.scan(src)
	q = p.query()
	if p.i != len(p.tokens) {
		panic("unexpected token: '" + p.tokens[p.i] + "'")
	}
	return q, nil
}

func (p *parser) scan(s string) {
	add := func(t string, quoted bool) { p.tokens, p.quoted = append(p.tokens, t), append(p.quoted, quoted) }
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ':
			i++
		case c == '\'':
			v, n := unquote(s[i+1:])
			add(v, true)
			i += n + 1
		case strings.HasPrefix(s[i:], ">=") || strings.HasPrefix(s[i:], "<=") || strings.HasPrefix(s[i:], "!="):
			add(s[i:i+2], false)
			i += 2
		case strings.IndexByte("(),=<>", c) >= 0:
			add(string(c), false)
			i++
		default:
			n := strings.IndexAny(s[i:], " (),=<>'!")
			if n == 0 {
				panic("unexpected character '" + string(c) + "'")
			}
			if n < 0 {
				n = len(s) - i
			}
			add(s[i:i+n], false)
			i += n
		}
	}
}

// unquote reads a literal to its end. In LIKE, \% and \_ keep their backslash.
func unquote(s string) (string, int) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'':
			return b.String(), i + 1
		case '\n', '\r':
			panic("line breaks not allowed in string literals")
		case '\\':
			i++
			if i == len(s) {
				panic("unexpected end")
			}
			if s[i] == 'u' && i+4 < len(s) {
				n, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
				if err != nil {
					panic("illegal character sequence")
				}
				b.WriteRune(rune(n))
				i += 4
				continue
			}
			const from, to = `nrtbf"'\`, "\n\r\t\b\f\"'\\"
			switch at := strings.IndexByte(from, s[i]); {
			case s[i] == '%' || s[i] == '_':
				b.WriteString(`\` + s[i:i+1])
			case at < 0:
				panic("illegal character sequence '\\" + s[i:i+1] + "' in string literal")
			default:
				b.WriteByte(to[at])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	panic("unterminated string literal")
}

func (p *parser) peek() string {
	if p.i < len(p.tokens) && !p.quoted[p.i] {
		return p.tokens[p.i]
	}
	return ""
}

func (p *parser) next() string {
	if p.i == len(p.tokens) {
		panic("unexpected end of query")
	}
	p.i++
	return p.tokens[p.i-1]
}

func (p *parser) is(word string) bool {
	if strings.EqualFold(p.peek(), word) {
		p.i++
		return true
	}
	return false
}

func (p *parser) want(word string) {
	if !p.is(word) {
		panic(fmt.Sprintf("expecting '%s', found '%s'", word, p.peek()))
	}
}

func (p *parser) query() (q query) {
	p.want("SELECT")
	for {
		if p.is("(") {
			q.subs = append(q.subs, p.query())
			p.want(")")
		} else {
			q.columns = append(q.columns, p.next())
		}
		if !p.is(",") {
			break
		}
	}
	p.want("FROM")
	q.from = p.next()
	if p.is("WHERE") {
		q.where = p.or()
	}
	if p.is("ORDER") {
		p.want("BY")
		for {
			k := sortKey{path: p.next()}
			if k.desc = p.is("DESC"); !k.desc {
				p.is("ASC")
			}
			q.order = append(q.order, k)
			if !p.is(",") {
				break
			}
		}
	}
	q.limit = 2000
	if p.is("LIMIT") {
		n, err := strconv.Atoi(p.next())
		if err != nil {
			panic("LIMIT")
		}
		q.limit = n
	}
	return q
}

// or and and are not mixed without parentheses: SOQL refuses that.
func (p *parser) or() cond {
	all := []cond{p.unit()}
	op := ""
	for p.peek() != "" && (strings.EqualFold(p.peek(), "OR") || strings.EqualFold(p.peek(), "AND")) {
		word := strings.ToUpper(p.next())
		if op != "" && op != word {
			panic("unexpected token: '" + word + "'")
		}
		op = word
		all = append(all, p.unit())
	}
	return func(f *Fake, o *object, r row) (bool, error) {
		for _, c := range all {
			ok, err := c(f, o, r)
			if err != nil {
				return false, err
			}
			if ok == (op == "OR") {
				return ok, nil
			}
		}
		return op != "OR", nil
	}
}

func (p *parser) unit() cond {
	if p.is("(") {
		c := p.or()
		p.want(")")
		return c
	}
	path, op := p.next(), strings.ToUpper(p.next())
	if op == "IN" {
		return p.in(path)
	}
	quoted := p.i < len(p.tokens) && p.quoted[p.i]
	v := p.next()
	if op == "LIKE" && !quoted {
		panic("LIKE wants a string")
	}
	return func(f *Fake, o *object, r row) (bool, error) {
		have, fd, err := f.value(o, r, path)
		if err != nil {
			return false, err
		}
		if err := literalFits(fd, v, quoted); err != nil {
			return false, err
		}
		return compare(op, have, v, quoted)
	}
}

func (p *parser) in(path string) cond {
	p.want("(")
	if strings.EqualFold(p.peek(), "SELECT") {
		sub := p.query()
		p.want(")")
		return func(f *Fake, o *object, r row) (bool, error) {
			have, _, err := f.value(o, r, path)
			if err != nil {
				return false, err
			}
			found, err := f.run(sub, false)
			if err != nil {
				return false, err
			}
			return have != nil && slices.ContainsFunc(found, func(x map[string]any) bool { return x[sub.columns[0]] == have }), nil
		}
	}
	var values []string
	for {
		if !p.quoted[p.i] {
			panic("IN wants strings")
		}
		values = append(values, p.next())
		if !p.is(",") {
			break
		}
	}
	p.want(")")
	return func(f *Fake, o *object, r row) (bool, error) {
		have, _, err := f.value(o, r, path)
		if err != nil {
			return false, err
		}
		s, _ := have.(string)
		return have != nil && slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, s) }), nil
	}
}

func literalFits(f *field, v string, quoted bool) error {
	if f == nil || strings.EqualFold(v, "null") && !quoted {
		return nil
	}
	bare := f.Type == "datetime" || f.Type == "date" || f.Type == "double" || f.Type == "boolean"
	if bare == quoted {
		return fmt.Errorf("value of filter criterion for field '%s' must be of type %s", f.Name, f.Type)
	}
	return nil
}

func compare(op string, have any, v string, quoted bool) (bool, error) {
	if !quoted && strings.EqualFold(v, "null") {
		return (have == nil) == (op == "="), nil
	}
	if have == nil {
		return op == "!=", nil
	}
	n := 0
	switch h := have.(type) {
	case time.Time:
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return false, fmt.Errorf("'%s' is no time", v)
		}
		n = h.Compare(at)
	case bool:
		n = cmp.Compare(strconv.FormatBool(h), strings.ToLower(v))
	case float64:
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return false, err
		}
		n = cmp.Compare(h, x)
	case string:
		if op == "LIKE" {
			return likes([]rune(strings.ToLower(h)), []rune(strings.ToLower(v))), nil
		}
		n = strings.Compare(strings.ToLower(h), strings.ToLower(v))
		if isRecordID(h) && isRecordID(v) {
			n = strings.Compare(h, v)
		}
	}
	switch op {
	case "=":
		return n == 0, nil
	case "!=":
		return n != 0, nil
	case ">":
		return n > 0, nil
	case ">=":
		return n >= 0, nil
	case "<=":
		return n <= 0, nil
	case "<":
		return n < 0, nil
	}
	return false, fmt.Errorf("unexpected token: '%s'", op)
}

// likes matches a pattern of % and _, which a backslash takes for themselves.
func likes(s, p []rune) bool {
	switch {
	case len(p) == 0:
		return len(s) == 0
	case p[0] == '%':
		return likes(s, p[1:]) || len(s) > 0 && likes(s[1:], p)
	case len(s) == 0:
		return false
	case p[0] == '\\' && len(p) > 1:
		return s[0] == p[1] && likes(s[1:], p[2:])
	case p[0] == '_' || p[0] == s[0]:
		return likes(s[1:], p[1:])
	}
	return false
}

// value is what a path leads to from a row.
func (f *Fake) value(o *object, r row, path string) (any, *field, error) {
	name, rest, deep := strings.Cut(path, ".")
	if !deep {
		fd := o.fields[name]
		if fd == nil || !fd.Visible {
			return nil, nil, fmt.Errorf("no such column '%s' on entity '%s'", name, o.Name)
		}
		return r[name], fd, nil
	}
	for _, fd := range o.fields {
		if fd.Rel != name || !fd.Visible {
			continue
		}
		id, _ := r[fd.Name].(string)
		if fd.To == "" && rest == "Type" {
			if at := f.objectOf(id); at != nil {
				return at.Name, nil, nil
			}
			return nil, nil, nil
		}
		to := f.objects[fd.To]
		if to == nil {
			break
		}
		return f.value(to, f.rows[to.Name][id], rest)
	}
	return nil, nil, fmt.Errorf("didn't understand relationship '%s' in field path", name)
}

// run answers a query. Deleted rows are there if all.
func (f *Fake) run(q query, all bool) ([]map[string]any, error) {
	o := f.objects[q.from]
	if o == nil {
		return nil, fmt.Errorf("sObject type '%s' is not supported", q.from)
	}
	var found []row
	for _, id := range f.ids(o.Name) {
		r := f.rows[o.Name][id]
		if r["IsDeleted"] == true && !all {
			continue
		}
		if q.where != nil {
			ok, err := q.where(f, o, r)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		found = append(found, r)
	}
	if q.where != nil { // a wrong condition is one without rows, too
		if _, err := q.where(f, o, row{}); err != nil {
			return nil, err
		}
	}
	for _, k := range q.order {
		if _, _, err := f.value(o, row{}, k.path); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b row) int {
		for _, k := range q.order {
			x, _, _ := f.value(o, a, k.path)
			y, _, _ := f.value(o, b, k.path)
			n := strings.Compare(sortText(x), sortText(y))
			if k.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	if len(found) > q.limit {
		found = found[:q.limit]
	}
	out := make([]map[string]any, 0, len(found))
	for _, r := range found {
		shown, err := f.show(q, o, r)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	if len(found) == 0 {
		if _, err := f.show(q, o, row{}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func sortText(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

// show is a row as JSON has it, with the records that it refers to.
func (f *Fake) show(q query, o *object, r row) (map[string]any, error) {
	out := attributes(o, r)
	for _, path := range q.columns {
		v, _, err := f.value(o, r, path)
		if err != nil {
			return nil, err
		}
		at, names := out, strings.Split(path, ".")
		src, of := r, o
		for _, rel := range names[:len(names)-1] {
			fd := relation(of, rel)
			id, _ := src[fd.Name].(string)
			src, of = f.rows[fd.To][id], f.objects[fd.To]
			if src == nil {
				at[rel] = nil
				at = nil
				break
			}
			if at[rel] == nil {
				at[rel] = attributes(of, src)
			}
			at = at[rel].(map[string]any)
		}
		if at != nil {
			at[names[len(names)-1]] = shown(v)
		}
	}
	for _, sub := range q.subs {
		c, ok := o.children[sub.from]
		if !ok {
			return nil, fmt.Errorf("didn't understand relationship '%s' in FROM part of query call", sub.from)
		}
		inner := sub
		inner.from = c.object
		inner.where = func(_ *Fake, _ *object, x row) (bool, error) { return x[c.field] != nil && x[c.field] == r["Id"], nil }
		rows, err := f.run(inner, false)
		if err != nil {
			return nil, err
		}
		out[sub.from] = nil
		if len(rows) > 0 {
			out[sub.from] = map[string]any{"totalSize": len(rows), "done": true, "records": rows}
		}
	}
	return out, nil
}

func relation(o *object, rel string) *field {
	for _, fd := range o.fields {
		if fd.Rel == rel {
			return fd
		}
	}
	return &field{}
}

func attributes(o *object, r row) map[string]any {
	return map[string]any{"attributes": map[string]any{"type": o.Name, "url": fmt.Sprintf("/services/data/v%s/sobjects/%s/%v", Version, o.Name, r["Id"])}}
}

func shown(v any) any {
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format("2006-01-02T15:04:05.000+0000")
	}
	return v
}
