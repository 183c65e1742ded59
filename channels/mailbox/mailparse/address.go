package mailparse

import (
	"iter"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Address is a mailbox of a message.
type Address struct {
	Name, Address string
}

// Domain returns what stands behind the @, lower case.
func (a Address) Domain() string {
	return strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
}

// AddrSpec finds what looks like an address in any text.
var AddrSpec = regexp.MustCompile(`[^\s<>()\[\]",;:@\\]+@[^\s<>()\[\]",;:@\\]+`)

// wordMark hides the beginning of encoded words from net/mail, which decodes them one by one
// and gives up on those that it does not know.
const wordMark = "=\uE000"

// ParseAddresses reads a field of addresses (RFC 5322, section 3.4), and if it is not
// written as it should be, whatever in it looks like an address. It reads at most
// maxAddressField bytes and maxAddresses addresses.
func ParseAddresses(v string) []Address {
	v = clip(v, maxAddressField)
	if strings.TrimSpace(v) == "" {
		return nil
	}
	if a, ok := simpleAddress(v); ok {
		return []Address{a}
	}
	v = strings.Map(noControl, toUTF8(v))
	var out []Address
	list, err := mail.ParseAddressList(strings.ReplaceAll(v, "=?", wordMark))
	if err != nil {
		return looseAddresses(v)
	}
	for _, a := range list {
		b := Address{
			Name:    displayName(strings.ReplaceAll(a.Name, wordMark, "=?")),
			Address: CleanLine(strings.ReplaceAll(a.Address, wordMark, "=?")),
		}
		if n := len(b.Address); n > 2 && b.Address[0] == '\'' && b.Address[n-1] == '\'' {
			b.Address = b.Address[1 : n-1] // Outlook's quotes
		}
		if len(out) < maxAddresses && isAddress(b.Address) {
			out = append(out, b)
		}
	}
	return out
}

// displayName decodes a name, also one that was encoded within quotes.
func displayName(s string) string { return CleanLine(DecodeWords(s)) }

// simpleAddress reads the usual field: one plain address, or one in brackets behind a name
// of letters. It spares the grammar the work, and reads nothing differently.
func simpleAddress(v string) (Address, bool) {
	v = strings.Trim(v, " \t")
	name, address, named := strings.Cut(v, "<")
	if !named {
		name, address = "", v
	} else if n := len(address) - 1; n > 0 && address[n] == '>' {
		address = address[:n]
	} else {
		return Address{}, false
	}
	name = strings.Trim(name, " \t")
	for i := range len(name) {
		if c := name[i]; c != ' ' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return Address{}, false
		}
	}
	return Address{CleanLine(name), address}, isPlainAddress(address)
}

// maxAddress is how long an address may be: 64 bytes before the @ and 255 behind it (RFC 5321,
// section 4.5.3.1). Some programs write more before it and less behind.
const maxAddress = 64 + 1 + 255

// isPlainAddress reports whether s is an address of letters and digits mostly.
func isPlainAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && len(s) <= maxAddress && local != "" && domain != "" && isDotted(local) && isDotted(domain) &&
		!strings.ContainsFunc(local, isSpecial) && !strings.ContainsFunc(domain, isSpecial)
}

// isAddress reports whether s can be written into a field and read again.
func isAddress(s string) bool {
	switch {
	case len(s) > maxAddress, strings.Trim(s, "'") != s: // quotation marks of the sloppy, taken off when read
		return false
	case isPlainAddress(s):
		return true
	}
	again, err := mail.ParseAddress((&mail.Address{Address: s}).String())
	return err == nil && again.Address == s && CleanLine(s) == s
}

// isDotted reports whether something stands on both sides of every dot.
func isDotted(s string) bool {
	return s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// isSpecial reports whether a character of an address needs a closer look.
func isSpecial(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-+", r)
}

// looseAddresses reads a field that breaks the rules: the commas and semicolons outside of
// quotes and brackets part the mailboxes, and in each what stands in angle brackets is the
// address, or else all that looks like one.
func looseAddresses(v string) []Address {
	var out []Address
	v = dropComments(v)
	name, start := 0, 0 // where the next name begins, which may have commas, and the next piece
	for end := range mailboxEnds(v) {
		piece := v[start:end]
		found := angleAddresses(piece)
		if len(found) == 0 {
			found = AddrSpec.FindAllStringIndex(piece, maxAddresses)
		}
		for _, loc := range found {
			a := Address{
				Name:    looseName(v[name : start+loc[0]]),
				Address: strings.Trim(CleanLine(piece[loc[0]:loc[1]]), "'."),
			}
			if isAddress(a.Address) {
				out = append(out, a)
			}
			if len(out) == maxAddresses {
				return out
			}
			name = start + loc[1]
		}
		if start = end; len(found) > 0 {
			name = end
		}
	}
	return out
}

// angleAddresses finds the addresses in angle brackets.
func angleAddresses(s string) [][]int {
	var out [][]int
	for from := 0; len(out) < maxAddresses; {
		open := strings.IndexByte(s[from:], '<')
		if open < 0 {
			break
		}
		open += from
		from = len(s)
		if end := strings.IndexByte(s[open:], '>'); end >= 0 {
			from = open + end
		}
		if loc := AddrSpec.FindStringIndex(s[open:from]); loc != nil {
			out = append(out, []int{open + loc[0], open + loc[1]})
		}
	}
	return out
}

// dropComments removes what stands in parentheses outside of quotes, if they are closed.
func dropComments(v string) string {
	last, lastQuote := strings.LastIndexByte(v, ')'), strings.LastIndexByte(v, '"')
	if last < 0 {
		return v
	}
	var out strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case c == '\\' && depth > 0:
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted && i < lastQuote
		case quoted:
		case c == '(' && i < last:
			depth++
			continue
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			out.WriteByte(c)
		}
	}
	if depth > 0 {
		return v
	}
	return out.String()
}

// looseName cleans what stands before an address.
func looseName(s string) string {
	const around = " \"'<>,;"
	s = strings.Trim(s, around)
	if group, rest, ok := strings.Cut(s, ":"); ok && !strings.ContainsAny(group, `@"`) {
		s = rest // the name of a group
	}
	return strings.Trim(displayName(strings.Trim(s, around)), around)
}

// mailboxEnds yields where mailboxes end: behind the commas and semicolons that part them. A
// quote or bracket that is never closed is an ordinary character.
func mailboxEnds(v string) iter.Seq[int] {
	return func(yield func(int) bool) {
		lastQuote, lastAngle := strings.LastIndexByte(v, '"'), strings.LastIndexByte(v, '>')
		quoted, angle := false, false
		for i := 0; i < len(v); i++ {
			switch c := v[i]; {
			case c == '\\':
				i++
			case c == '"':
				quoted = !quoted && i < lastQuote
			case quoted:
			case c == '<':
				angle = i < lastAngle
			case c == '>':
				angle = false
			case (c == ',' || c == ';') && !angle:
				if !yield(i + 1) {
					return
				}
			}
		}
		yield(len(v))
	}
}

func noControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// clip cuts s to n bytes at a boundary of characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// DeliveredTo returns the addresses that the mail was for, as its header tells them: those
// that the delivery wrote (Delivered-To, X-Original-To and the like), then To and Cc. Each
// comes once, its domain in lower case; at most maxAddresses in all. Anybody can write these
// fields, so they prove nothing.
func (p *Parsed) DeliveredTo() []string {
	var out []string
	add := func(list []Address) {
		for _, a := range list {
			at := strings.LastIndexByte(a.Address, '@')
			address := a.Address[:at+1] + strings.ToLower(a.Address[at+1:])
			if len(out) < maxAddresses && !slices.Contains(out, address) {
				out = append(out, address)
			}
		}
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To"} {
		for _, v := range p.Header.All(name) {
			add(ParseAddresses(v))
			if len(out) == maxAddresses {
				return out
			}
		}
	}
	add(p.To)
	return out
}
