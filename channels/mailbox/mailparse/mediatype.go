package mailparse

import (
	"strconv"
	"strings"
)

// mediaType reads a Content-Type; text is the default (RFC 2045, section 5.2). A type that
// can't be read is taken for what it seems to mean.
func mediaType(v string) (string, params) {
	token, p := parseParams(v)
	token = strings.ToLower(strings.Trim(token, `"' `))
	kind, sub, ok := strings.Cut(token, "/")
	if ok && isToken(kind) && isToken(sub) {
		return token, p
	}
	switch v = strings.ToLower(v); {
	case strings.Contains(v, "multipart") && p.get("boundary") != "":
		return "multipart/mixed", p
	case strings.Contains(v, "html"):
		return "text/html", p
	case !ok || strings.HasPrefix(token, "text"):
		return "text/plain", p
	}
	return "application/octet-stream", p
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// param is a parameter of a field, its name in lower case, its value as written but for
// the quotes.
type param struct{ name, value string }

type params []param

const maxParams = 100 // of one field

// get returns the first value of a name.
func (p params) get(name string) string {
	for i := range p {
		if p[i].name == name {
			return p[i].value
		}
	}
	return ""
}

// parseParams splits a field into what comes first and its parameters (RFC 2045, section
// 5.1). It reads what mail programs write: double or missing semicolons, values with blanks
// or specials that nobody quoted, quotes that nobody closed, comments.
func parseParams(v string) (first string, out params) {
	v = strings.TrimLeft(v, " \t;")
	i := strings.IndexAny(v, "; \t(")
	if i < 0 {
		return v, nil
	}
	first, v = v[:i], v[i:]
	for len(out) < maxParams {
		v = skipComment(strings.TrimLeft(v, "; \t"))
		eq := strings.IndexAny(v, "=;")
		if eq < 0 {
			return first, out
		}
		if v[eq] == ';' {
			v = v[eq:]
			continue
		}
		name := strings.ToLower(strings.TrimSpace(v[:eq]))
		name = name[strings.LastIndexAny(name, " \t)")+1:]
		var value string
		value, v = paramValue(strings.TrimLeft(v[eq+1:], " \t"))
		if name != "" {
			out = append(out, param{name, value})
		}
	}
	return first, out
}

func skipComment(v string) string {
	if strings.HasPrefix(v, "(") {
		_, v, _ = strings.Cut(v, ")")
	}
	return v
}

// paramValue reads one value and returns it and what follows.
func paramValue(v string) (value, rest string) {
	if !strings.HasPrefix(v, `"`) {
		value, rest, _ = strings.Cut(v, ";")
		// Without a semicolon the next parameter or a comment ends it.
		if sp := strings.IndexAny(value, " \t"); sp > 0 {
			next := strings.TrimLeft(value[sp:], " \t")
			if eq := strings.IndexByte(next, '='); eq > 0 && isToken(next[:eq]) || strings.HasPrefix(next, "(") {
				return value[:sp], v[sp:]
			}
		}
		return strings.TrimRight(value, " \t"), rest
	}
	v = v[1:]
	end := strings.IndexAny(v, `"\`)
	if end >= 0 && v[end] == '"' {
		return v[:end], v[end+1:]
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '"':
			return b.String(), v[i+1:]
		case v[i] == '\\' && i+1 < len(v) && (v[i+1] == '"' || v[i+1] == '\\'):
			i++
		}
		b.WriteByte(v[i])
	}
	value, rest, _ = strings.Cut(v, ";") // never closed
	return strings.TrimRight(value, " \t"), rest
}

// text returns a value in UTF-8: whole, in pieces or with a character set (RFC 2231), or
// with encoded words, which RFC 2047 forbids there and many write.
func (p params) text(name string) string {
	if v := p.get(name + "*"); v != "" {
		return extendedValue(v)
	}
	if v := p.get(name); v != "" {
		return CleanLine(DecodeWords(v))
	}
	var b strings.Builder
	extended := false
	for i := range maxParams {
		key := name + "*" + strconv.Itoa(i)
		v := p.get(key + "*")
		if v != "" {
			extended = extended || i == 0
			if i > 0 && !extended {
				v = unescapePercent(v)
			}
		} else if v = p.get(key); v == "" {
			break
		}
		b.WriteString(v)
	}
	if extended {
		return extendedValue(b.String())
	}
	return CleanLine(DecodeWords(b.String()))
}

// extendedValue decodes charset'language'text%20 (RFC 2231, section 4).
func extendedValue(v string) string {
	label, rest, ok := strings.Cut(v, "'")
	if !ok {
		return CleanLine(unescapePercent(v))
	}
	if _, text, ok := strings.Cut(rest, "'"); ok {
		rest = text
	}
	text, _ := decodeText([]byte(unescapePercent(rest)), label)
	return CleanLine(text)
}

// unescapePercent decodes %xx; what is no code stays as it is.
func unescapePercent(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := unhex(s[i+1]), unhex(s[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// boundary returns the boundary of a multipart; blanks at its end belong to no boundary.
func (p params) boundary() string {
	b := p.get("boundary")
	if b == "" {
		b = p.text("boundary")
	}
	return strings.TrimRight(b, " \t")
}

// fileName returns the name of an attachment, without any path.
func fileName(disposition, contentType params) string {
	name := disposition.text("filename")
	if name == "" {
		name = contentType.text("name")
	}
	return name[strings.LastIndexAny(name, `/\`)+1:]
}
