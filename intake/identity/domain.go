package identity

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Domain is one company's place in the domain name system.
type Domain struct {
	// Host is the whole host in ASCII and lower case, without a leading "www.".
	Host string
	// Key is the account identity: the registrable domain (public suffix and one label),
	// or the customer's label with a shared host. Two inputs with one Key are one account.
	Key string
	// Unicode is Host as people read it. Look-alike letters show as they pretend to be;
	// ask Suspect before trusting it.
	Unicode string
	// FreeMail says that the domain is open to anyone and so identifies no company.
	FreeMail bool
}

// Domain reads the domain out of a URL, an e-mail address, a host name or a few words
// around one of them. Case, scheme, user, port, path, a leading "www.", dots at the ends
// and the form of an internationalised name (RFC 5891, UTS 46 non-transitional) do not
// change the result. Of several domains the first that can name a company counts.
//
// The error is an *Error. CodeInvalidDomain: nothing in the input is a host name.
// CodeNotCompanyDomain: a host that no single company has, such as an IP address, a
// public suffix, a bare shared host or a name under an ending that does not exist. A
// free-mail domain is no error; it is returned with FreeMail set.
func (l *Lists) Domain(raw string) (Domain, error) {
	if len(raw) > maxInput || !utf8.ValidString(raw) {
		return Domain{}, newError(CodeInvalidDomain, raw)
	}
	code := ""
	for rest := raw; ; {
		var word string
		word, rest = nextWord(rest)
		if word == "" {
			break
		}
		host := hostOf(word)
		if !hostLike(host) {
			continue
		}
		d, fault := l.resolve(host)
		if fault == "" {
			return d, nil
		}
		if code == "" {
			code = fault
		}
	}
	if code == "" {
		code = CodeInvalidDomain
	}
	return Domain{}, newError(code, raw)
}

// resolve finds the identity of one host. It returns an error code, "" if all is well.
func (l *Lists) resolve(host string) (Domain, string) {
	if isIP(host) {
		return Domain{}, CodeNotCompanyDomain
	}
	host, ok := toASCII(host)
	if !ok {
		return Domain{}, CodeInvalidDomain
	}
	if isIP(host) { // full-width digits become an address only now
		return Domain{}, CodeNotCompanyDomain
	}
	host = withoutWWW(host)
	suffix, known := l.suffix(host)
	if !known || len(suffix) == len(host) {
		return Domain{}, CodeNotCompanyDomain
	}
	front := host[:len(host)-len(suffix)-1]
	key := host[strings.LastIndexByte(front, '.')+1:]
	if strings.HasPrefix(key, "www.") && withoutWWW(key) != key { // www of a shared host is no customer
		return Domain{}, CodeNotCompanyDomain
	}
	return Domain{
		Host:     host,
		Key:      key,
		Unicode:  readable(host),
		FreeMail: l.isFreeMail(host, key),
	}, ""
}

// suffix returns the part of host under which customers or the public register: the
// longest of our own entries and the public suffix list, its private section included.
// known is false for an ending that nobody lists.
func (l *Lists) suffix(host string) (suffix string, known bool) {
	suffix, icann := publicsuffix.PublicSuffix(host)
	known = icann || strings.Contains(suffix, ".")
	for rest := host; ; {
		if _, ok := l.ends[rest]; ok {
			if !known || len(rest) > len(suffix) {
				return rest, true
			}
			break
		}
		var more bool
		if _, rest, more = strings.Cut(rest, "."); !more {
			break
		}
	}
	return suffix, known
}

// withoutWWW drops leading "www" labels, but keeps one where it is what a company
// registered (www.com).
func withoutWWW(host string) string {
	rest := host
	for strings.HasPrefix(rest, "www.") {
		rest = rest[len("www."):]
	}
	if len(rest) == len(host) {
		return host
	}
	if suffix, icann := publicsuffix.PublicSuffix(rest); icann && suffix == rest || !strings.Contains(rest, ".") {
		return host[len(host)-len(rest)-len("www."):]
	}
	return rest
}

// isFreeMail looks for host and its parents down to key.
func (l *Lists) isFreeMail(host, key string) bool {
	for len(host) >= len(key) {
		if _, ok := l.freeMail[host]; ok {
			return true
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return false
}

// nextWord splits off the first word that may hold a host. Brackets, quotes and list
// marks end a word, except within a path, where they may belong to it: what follows them
// there must not be taken for another domain.
func nextWord(s string) (word, rest string) {
	s = strings.TrimLeftFunc(s, ends)
	inPath := false
	for i, r := range s {
		switch {
		case r == '/' || r == '\\' || r == '?' || r == '#':
			inPath = inPath || i > 0 && strings.IndexByte(`:/\`, s[i-1]) < 0
		case inPath && r != '<' && r != '>' && r != '"' && !unicode.IsSpace(r):
		case ends(r):
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// ends reports whether r separates words in a text.
func ends(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || strings.IndexByte("\t\n\v\f\r<>\"'(){},;|", byte(r)) >= 0
	}
	return unicode.IsSpace(r) || strings.ContainsRune("«»„“”‚‘’、，；（）《》「」", r)
}

// hostOf takes the host out of a URL, an address or a host with a port (RFC 3986, read
// as leniently as browsers do: a backslash counts as a slash).
func hostOf(word string) string {
	if i := strings.IndexAny(word, `/\`); i == 0 || i > 0 && word[i-1] == ':' {
		word = strings.TrimLeft(word[i:], `/\`)
	}
	if i := strings.IndexAny(word, `/\?#`); i >= 0 {
		word = word[:i]
	}
	word = word[strings.LastIndexByte(word, '@')+1:]
	if strings.HasPrefix(word, "[") {
		word, _, _ = strings.Cut(word[1:], "]")
	}
	if !isIP(word) {
		word = beforePort(word)
	}
	if word == "" || alnum(word[0]) && alnum(word[len(word)-1]) {
		return word
	}
	return strings.Trim(word, dots+"*`!…]")
}

func alnum(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// beforePort drops a port, and a label in front ("website:acme.com").
func beforePort(s string) string {
	if strings.IndexByte(s, ':') < 0 {
		return s
	}
	if dot := strings.IndexAny(s, dots); dot >= 0 {
		s = s[strings.LastIndexByte(s[:dot], ':')+1:]
	}
	s, _, _ = strings.Cut(s, ":")
	return s
}

// dots are the characters that UTS 46 takes for the dot between labels.
const dots = ".。．｡"

// hostLike tells a host from a plain word: it has a dot (UTS 46 knows four), or is an IP
// address.
func hostLike(s string) bool {
	return strings.IndexByte(s, '.') >= 0 || strings.ContainsAny(s, dots) || isIP(s)
}

func isIP(s string) bool {
	if s == "" || s[0] > '9' && strings.IndexByte(s, ':') < 0 {
		return false
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}

// toASCII brings a host into the form that the domain name system uses: RFC 5891 lookup
// with UTS 46 mapping, non-transitional (ß stays apart from ss), within the lengths of
// RFC 1035.
func toASCII(host string) (string, bool) {
	if !isASCII(host) || hasACE(host) {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", false
		}
	}
	host = strings.ToLower(host)
	return host, validHost(host)
}

// validHost checks a lower-case ASCII host as idna.Lookup would, at a fraction of the
// cost, and its lengths, which idna.Lookup leaves open.
func validHost(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	start := 0
	for i := 0; i <= len(host); i++ {
		if i == len(host) || host[i] == '.' {
			if !validLabel(host[start:i]) {
				return false
			}
			start = i + 1
			continue
		}
		if c := host[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func validLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return len(s) < 4 || s[2:4] != "--" || s[:2] == "xn"
}

// hasACE reports whether any label is in the ASCII form of an internationalised one.
func hasACE(host string) bool {
	for i := 0; i+4 <= len(host); i++ {
		if host[i+2] == '-' && host[i+3] == '-' && host[i]|0x20 == 'x' && host[i+1]|0x20 == 'n' {
			return true
		}
	}
	return false
}

// readable turns the ASCII form of internationalised labels back into letters.
func readable(host string) string {
	if !hasACE(host) {
		return host
	}
	u, err := idna.Display.ToUnicode(host)
	if err != nil {
		return host
	}
	return u
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
