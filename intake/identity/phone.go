package identity

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"
)

// maxPhone bounds what Phone reads, in bytes: a number of 15 digits, an extension and a few
// words about both, perhaps twice.
const maxPhone = 200

// minPhoneDigits is how many digits a number has at least; less after one is an extension.
const minPhoneDigits = 6

// Phone reads one telephone number that its writer says is one, and returns it in the form of
// E.164, "+493012345678". region is the ISO 3166-1 alpha-2 code of the country whose habits
// apply to a number without country code; empty if it is not known.
//
// Words for the kind of line, an extension and "(0)" are tolerated, and left out of the
// result. Of several numbers that are clearly apart the first counts. What may be something
// else is refused: a date, an amount, a number for taxes, a fax, letters in place of digits, a
// national number without its trunk prefix.
//
// A number that no plan lists as assigned is taken if it has the length of its country's:
// plans change sooner than the lists of them, and what a person wrote down is better dialled
// in vain than lost.
func Phone(raw, region string) (e164 string, ok bool) {
	return readPhone(raw, region, possible)
}

// AssignedPhone reads a number of which nothing but its digits says that it is one. Without
// country code it is taken only if it is in a range that its country has assigned.
func AssignedPhone(raw, region string) (e164 string, ok bool) {
	return readPhone(raw, region, assigned)
}

// dialable reports whether a number can be dialled, as far as one wants to know it.
type dialable func(n *phonenumbers.PhoneNumber, region string) bool

func readPhone(raw, region string, national dialable) (string, bool) {
	if len(raw) > maxPhone || !utf8.ValidString(raw) {
		return "", false
	}
	s, ok := firstNumber(plainPhone(raw))
	if !ok {
		return "", false
	}
	s, region = withoutTrunkZero(s), strings.ToUpper(region)
	if strings.HasPrefix(strings.TrimLeft(s, "("), "+") {
		return dial("+"+onlyDigits(s), region, possible) // what stands between them says nothing, and costs time
	}
	if e164, ok := dial(s, region, assigned); ok {
		return e164, true
	}
	if m := internationalPrefix.FindString(s); m != "" {
		return dial("+"+onlyDigits(s[len(m)-1:]), "", possible)
	}
	return dial(s, region, national)
}

// maxE164 is the length of "+" and 15 digits (ITU-T E.164, section 6.2.1).
const maxE164 = 16

// dial returns the form of E.164 of a number if it can be dialled, also in that form.
func dial(s, region string, can dialable) (string, bool) {
	n, err := phonenumbers.ParseAndKeepRawInput(s, region)
	if err != nil || !can(n, region) {
		return "", false
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	if len(e164) > maxE164 {
		return "", false // the length of some countries' numbers is not bounded by their plans
	}
	if e164 == s && n.GetCountryCodeSource() == phonenumbers.PhoneNumber_FROM_NUMBER_WITH_PLUS_SIGN {
		return e164, true // it was read in that form
	}
	again, err := phonenumbers.ParseAndKeepRawInput(e164, "")
	if err != nil || !can(again, "") || phonenumbers.Format(again, phonenumbers.E164) != e164 {
		return "", false
	}
	return e164, true
}

// assigned reports whether a number is in a range that is in use, with its trunk prefix.
func assigned(n *phonenumbers.PhoneNumber, _ string) bool {
	return phonenumbers.IsValidNumber(n) && phonenumbers.IsNationalPrefixPresentIfRequired(n)
}

// minPossible is how many digits a number that is in no known range has behind its country
// code at least; less are rather a short code or a part of something.
const minPossible = 7

// possible reports whether a number is assigned or has the length of one, with its trunk prefix.
func possible(n *phonenumbers.PhoneNumber, region string) bool {
	if assigned(n, region) {
		return true
	}
	if !phonenumbers.IsPossibleNumber(n) || len(phonenumbers.GetNationalSignificantNumber(n)) < minPossible {
		return false
	}
	// only in Italy does what is dialled behind the country code begin with a zero
	if n.GetItalianLeadingZero() && n.GetCountryCode() != 39 {
		return false
	}
	if n.GetCountryCodeSource() != phonenumbers.PhoneNumber_FROM_DEFAULT_COUNTRY {
		return true
	}
	trunk := phonenumbers.GetNddPrefixForRegion(region, true)
	return trunk != "0" || strings.HasPrefix(strings.TrimLeft(n.GetRawInput(), "(["), trunk)
}

// plainPhone brings digits and punctuation of any script into ASCII and drops what can't be
// seen.
func plainPhone(s string) string {
	s = norm.NFKC.String(s)
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf && r != 0x7f && r >= ' ':
			return r
		case r == '\n' || r == '\r':
			return ';'
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.Pd, r), r == '\u2212':
			return '-'
		}
		return r
	}, s))
}

var (
	// numberScheme and numberWord are what stands before a number.
	numberScheme = regexp.MustCompile(`(?i)^(?:tel|callto|sip|phone):(?://)?`)
	numberWord   = regexp.MustCompile(`^\p{L}[\p{L}\p{M}'.:| -]{0,24}?([+(0-9])`)
	// numberShape is a number with its extension, as a whole.
	numberShape = regexp.MustCompile(`^[+(]?[0-9(][0-9 ()/.\[\]-]*$`)
	extension   = regexp.MustCompile(`(?i)[\s,;(-]*(?:;ext=|\b(?:ext(?:ension|n)?|ex|durchwahl|dw|nebenstelle|poste|int(?:erno)?|anexo|toestel|wew|anknytning|lokal|linka|app(?:arat)?|dahili|ramal|内線)|x|#)\s*[.:]?\s*[0-9]{1,7}\)?\s*$`)
	// faxWord may stand before a second number.
	faxWord = regexp.MustCompile(`(?i)\b(?:tele)?fax\b|\bf\b`)
	// remark is a note behind a number, "(mobile)" or "mobile"; kindOfLine are its words.
	remark = regexp.MustCompile(`\s*(?:\((\D*)\)|([\p{L}][\p{L}\p{M}. ]*))\s*$`)
	// internationalPrefix is what is dialled in most countries before a country code.
	internationalPrefix = regexp.MustCompile(`^\(?00\)?[ .-]?[1-9]`)
	// several are the marks between two numbers: only these keep them clearly apart.
	several = regexp.MustCompile(`(?i)\s*(?:[;|\n,]|\s/\s|/\s*\+|\s[+]|\s(?:or|and|oder|und|ou|et|o|y|e|of|en|eller|och|og|lub|i|tai|nebo|veya|sau)\s)\s*`)
)

// kindOfLine are words around a number that say nothing against it. A fax is none.
var kindOfLine = wordSet(`
	tel telefon telephone telefone telefono teléfono téléphone tél phone puhelin puh telefonnummer tlf
	telefoon tf fon ph mobile mobil cell cellphone cellular cellulare celular móvil movil mobiel handy
	portable gsm komórka komorkowy kom matkapuhelin telemóvel kännykkä cep mob m t p d c o w h
	direct direkt directo diretto office büro buero zentrale switchboard work business main landline
	festnetz desk geschäftlich dienstlich private privat home number nr no call durchwahl whatsapp
	fixe fijo fisso stacjonarny standard standort line linie 電話 携帯 携帯電話 τηλ τηλέφωνο κινητό 전화 휴대폰 电话 手机
`)

func wordSet(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[norm.NFKC.String(w)] = true
	}
	return m
}

// known reports whether all words of s are among kindOfLine.
func known(s string) bool {
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if !kindOfLine[strings.ToLower(w)] {
			return false
		}
	}
	return true
}

// firstNumber returns the first of the numbers in s, without the words around it.
func firstNumber(s string) (string, bool) {
	if nothingBut(s) {
		return shaped(s)
	}
	s = s[len(numberScheme.FindString(s)):]
	s = extension.ReplaceAllString(s, "")
	for _, at := range several.FindAllStringIndex(s, -1) {
		head, mark, tail := s[:at[0]], s[at[0]:at[1]], s[at[1]:]
		if strings.HasSuffix(mark, "+") {
			tail = "+" + tail
		}
		before, behind := digits(head), digits(tail)
		switch {
		case before == 0, before < minPhoneDigits && strings.ContainsAny(mark, "/"):
			continue // a word, or a number that goes on: "030 / 123456"
		case before < minPhoneDigits, behind > 0 && !another(head, tail):
			return "", false
		}
		s = extension.ReplaceAllString(head, "")
		break
	}
	return bareNumber(s)
}

// another reports whether tail is a number of its own, or several, and not the end of head.
func another(head, tail string) bool {
	tail = faxWord.ReplaceAllString(tail, "")
	if digits(tail) < minPhoneDigits || strings.ContainsAny(tail, "@€$£¥%") || !known(extension.ReplaceAllString(tail, "")) {
		return false
	}
	head, tail = strings.TrimLeftFunc(head, notDigit), strings.TrimLeftFunc(tail, notDigit)
	return strings.ContainsAny(tail[:1], "+0(") || len(head) > 1 && strings.HasPrefix(tail, head[:2])
}

func notDigit(r rune) bool { return (r < '0' || r > '9') && r != '+' && r != '(' }

// nothingBut reports whether there is nothing around a number to take off, as mostly.
func nothingBut(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == ' ', c == '.', c == '-', c == '(':
		case c == '+' && i == 0:
		case c == ')' && i < len(s)-1: // at the end it may close a remark
		default:
			return false
		}
	}
	return true
}

// bareNumber takes the words off around one number and checks its shape.
func bareNumber(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if m := numberWord.FindStringSubmatchIndex(s); m != nil {
		if !known(s[:m[2]]) {
			return "", false
		}
		s = s[m[2]:]
	}
	if m := remark.FindStringSubmatchIndex(s); m != nil {
		if !known(s[m[0]:]) {
			return "", false
		}
		s = s[:m[0]]
	}
	return shaped(s)
}

// shaped checks the shape of a number that has no words around it.
func shaped(s string) (string, bool) {
	s = strings.Trim(s, " .,;:-")
	if !numberShape.MatchString(s) || notPhone(s) {
		return "", false
	}
	if n := digits(s); n < minPhoneDigits || n > 20 {
		return "", false
	}
	return s, true
}

var (
	dates   = regexp.MustCompile(`^(?:(?:19|20)[0-9]{2}[ ./-](?:0?[1-9]|1[0-2])[ ./-](?:0?[1-9]|[12][0-9]|3[01])|(?:0?[1-9]|[12][0-9]|3[01])[ ./-](?:0?[1-9]|[12][0-9]|3[01])[ ./-](?:19|20)?[0-9]{2})(?:\s|$)`)
	grouped = regexp.MustCompile(`^[1-9][0-9]{0,2}(?:[.'’][0-9]{3})+$`)
)

// notPhone reports whether digits are rather a date or an amount. Three groups of three digits
// are a telephone number in Spain; what is shorter is money everywhere.
func notPhone(s string) bool {
	return dates.MatchString(s) || grouped.MatchString(s) && digits(s) < 9
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

func digits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

var trunkZero = regexp.MustCompile(`^((?:\+|00)[ ]?[0-9]{1,3}[ ./-]*)[(\[][ ]?0[ ]?[)\]]`)

// withoutTrunkZero drops the "(0)" that is dialled only within a country. In Italy the zero
// belongs to the number.
func withoutTrunkZero(s string) string {
	m := trunkZero.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	if code := strings.TrimLeft(strings.TrimRight(m[1], " ./-"), "+0 "); code == "39" {
		return m[1] + "0" + s[len(m[0]):]
	}
	return m[1] + s[len(m[0]):]
}
