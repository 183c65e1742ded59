package mailparse

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// charsets are names in use that no registry has, or for which a registry has less than
// what is written under the name.
var charsets = map[string]encoding.Encoding{
	"cp932": japanese.ShiftJIS, "ms932": japanese.ShiftJIS, "windows-31j": japanese.ShiftJIS, "x-mac-japanese": japanese.ShiftJIS,
	"iso-2022-jp-1": japanese.ISO2022JP, "iso-2022-jp-2": japanese.ISO2022JP, "iso-2022-jp-3": japanese.ISO2022JP, "iso-2022-jp-ms": japanese.ISO2022JP, "cp50220": japanese.ISO2022JP, "cp50221": japanese.ISO2022JP,
	"gb2312": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GB18030, "x-gbk": simplifiedchinese.GB18030, "cp936": simplifiedchinese.GB18030, "euc-cn": simplifiedchinese.GB18030, "gb-2312": simplifiedchinese.GB18030, "x-mac-chinesesimp": simplifiedchinese.GB18030,
	"hz-gb-2312": simplifiedchinese.HZGB2312, "cp950": traditionalchinese.Big5, "x-mac-chinesetrad": traditionalchinese.Big5,
	"ks-c-5601-1987": korean.EUCKR, "ks-c-5601-1989": korean.EUCKR, "ms949": korean.EUCKR, "cp949": korean.EUCKR, "uhc": korean.EUCKR, "x-mac-korean": korean.EUCKR,
	"ansi": charmap.Windows1252, "default": charmap.Windows1252, "8859-1": charmap.Windows1252, "iso-8859-1-windows-3.1-latin-1": charmap.Windows1252, "latin-1": charmap.Windows1252, "cp-1252": charmap.Windows1252, "win-1252": charmap.Windows1252,
	"cp-1251": charmap.Windows1251, "win-1251": charmap.Windows1251, "cp-1250": charmap.Windows1250, "win-1250": charmap.Windows1250,
	"macroman": charmap.Macintosh, "mac-roman": charmap.Macintosh, "maccyrillic": charmap.MacintoshCyrillic,
	"utf-16":   unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"unicode":  unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"ucs-2":    unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
}

// charsetName returns a label as the tables have it: without quotes, language tag (RFC 2231,
// section 5) or whatever stands behind the name.
func charsetName(label string) string {
	name := strings.ToLower(strings.Trim(label, " \t\"'=;,"))
	if i := strings.IndexAny(name, "*;, \t\"'"); i >= 0 {
		name = name[:i]
	}
	return strings.ReplaceAll(name, "_", "-")
}

// lookup returns the encoding of a name, nil if nobody knows it.
func lookup(name string) encoding.Encoding {
	if enc, ok := charsets[name]; ok {
		return enc
	}
	if len(name) > 64 {
		return nil
	}
	for _, try := range []string{name, strings.ReplaceAll(name, "-", "_")} {
		if enc, err := htmlindex.Get(try); err == nil && enc != encoding.Replacement && enc != charmap.XUserDefined {
			return enc
		}
		if enc, err := ianaindex.MIME.Encoding(try); err == nil && enc != nil {
			return enc
		}
	}
	if strings.HasPrefix(name, "x-mac-") {
		return charmap.Macintosh // the letters of those that nobody has are mostly the same
	}
	return nil
}

// decodeText converts b, labelled with a character set, to UTF-8. If the label is missing,
// unknown or wrong it guesses, UTF-8 first and else Windows-1252, and says so.
func decodeText(b []byte, label string) (text string, guessed bool) {
	switch name := charsetName(label); name {
	case "", "us-ascii", "ascii", "ansi-x3.4-1968", "utf-8", "utf8", "utf-8mb4", "utf8mb4", "unicode-1-1-utf-8", "x-utf-8", "x-utf-8j":
		return decodeUnlabelled(b)
	case "utf-7", "utf7", "unicode-1-1-utf-7", "x-utf-7", "unicode-2-0-utf-7":
		return toUTF8(decodeUTF7(b)), false
	default:
		if isASCII(b) && bytes.IndexByte(b, 0x1b) < 0 && !strings.HasPrefix(name, "hz-") && !isUTF16(name) {
			return string(b), false
		}
		enc := lookup(name)
		if enc == nil || isUTF16(name) && isPlain(b) {
			return withoutBOM(toUTF8(string(b))), true
		}
		if _, single := enc.(*charmap.Charmap); single && utf8.Valid(b) {
			// Nobody writes a text of one-byte letters that is UTF-8 by chance.
			return withoutBOM(string(b)), true
		}
		out, err := enc.NewDecoder().Bytes(b)
		if err != nil {
			return toUTF8(string(b)), true
		}
		return withoutBOM(strings.ToValidUTF8(string(out), "\uFFFD")), false
	}
}

func isUTF16(name string) bool {
	return strings.Contains(name, "utf-16") || strings.Contains(name, "ucs-2") || strings.Contains(name, "unicode")
}

// decodeUnlabelled converts text that says UTF-8, ASCII or nothing.
func decodeUnlabelled(b []byte) (text string, guessed bool) {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		if out, err := charsets["utf-16"].NewDecoder().Bytes(b); err == nil {
			return strings.ToValidUTF8(string(out), "\uFFFD"), true
		}
	case bytes.Contains(b, []byte("\x1b$")) && isASCII(b):
		if out, err := japanese.ISO2022JP.NewDecoder().Bytes(b); err == nil {
			return strings.ToValidUTF8(string(out), "\uFFFD"), true
		}
	case utf8.Valid(b):
		return withoutBOM(string(b)), false
	}
	return withoutBOM(toUTF8(string(b))), true
}

func isASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isPlain reports whether b is UTF-8 without control characters, which UTF-16 hardly is.
func isPlain(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }) < 0
}

func withoutBOM(s string) string { return strings.TrimPrefix(s, "\uFEFF") }

// toUTF8 returns s if it is UTF-8, and else reads it as Windows-1252, the usual source of
// bytes without a label. UTF-8 with a few broken bytes, as cut or mixed texts have it, stays
// UTF-8, and only those bytes are read so.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	if n := len(s); n > utf8.UTFMax {
		for cut := 1; cut < utf8.UTFMax; cut++ {
			if utf8.RuneStart(s[n-cut]) && !utf8.FullRuneInString(s[n-cut:]) && utf8.ValidString(s[:n-cut]) {
				return s[:n-cut]
			}
		}
	}
	good, bad := 0, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case size > 1:
			good++
		case r == utf8.RuneError:
			bad++
		}
		i += size
	}
	mixed := good > 2*bad
	var out strings.Builder
	out.Grow(len(s) + 2*(good+bad))
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			out.WriteByte(s[i])
			i++
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[i:]); mixed && size > 1 {
			out.WriteString(s[i : i+size])
			i += size
			continue
		}
		out.WriteRune(charmap.Windows1252.DecodeByte(s[i]))
		i++
	}
	return out.String()
}

var base64UTF7 = base64.StdEncoding.WithPadding(base64.NoPadding)

// decodeUTF7 decodes UTF-7 (RFC 2152). What is no code stays as it is.
func decodeUTF7(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '+' {
			out = append(out, b[i])
			i++
			continue
		}
		end := i + 1
		for end < len(b) && base64Value[b[end]] >= 0 {
			end++
		}
		shifted := b[i+1 : end]
		next := end
		if next < len(b) && b[next] == '-' {
			next++
		}
		if len(shifted) == 0 { // "+-" is a plus
			out = append(out, '+')
			i = max(next, i+1)
			continue
		}
		raw := make([]byte, base64UTF7.DecodedLen(len(shifted)))
		// An error is that of stray bits at the end, which a cut text has.
		n, _ := base64UTF7.Decode(raw, shifted)
		if n < 2 {
			out = append(out, b[i:next]...)
			i = next
			continue
		}
		units := make([]uint16, 0, n/2)
		for j := 0; j+1 < n; j += 2 {
			units = append(units, uint16(raw[j])<<8|uint16(raw[j+1]))
		}
		for _, r := range utf16.Decode(units) {
			out = utf8.AppendRune(out, r)
		}
		i = next
	}
	return string(out)
}

var metaCharset = regexp.MustCompile(`(?i)<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}["']?([a-z0-9_:.-]{2,40})`)

const maxMeta = 8 << 10 // bytes of an HTML text that are searched for its character set

// htmlCharset returns the character set that an HTML text names itself, for want of a label.
func htmlCharset(b []byte) string {
	m := metaCharset.FindSubmatch(b[:min(len(b), maxMeta)])
	if m == nil || !isASCII(b) && utf8.Valid(b) {
		return ""
	}
	if name := charsetName(string(m[1])); !isUTF16(name) {
		return name
	}
	return ""
}
