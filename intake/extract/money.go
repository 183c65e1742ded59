package extract

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxDigits is how many digits an amount has at most, before the decimal point.
const maxDigits = 13

// maxMoney bounds what is read as an amount with the words around it, in bytes.
const maxMoney = 300

// amount is a number with the word behind it, which may be its multiplier; what stands around
// them must name one currency.
var amount = regexp.MustCompile(`([0-9][0-9.,'’ ]*)[ -]?(\p{L}[\p{L}\p{M}]*)?`)

// glued is a multiplier that is written as one word with its currency: "120 TEUR", "1,2 M€".
var glued = regexp.MustCompile(`([0-9]\s*)([kKtTmM])(EUR|Eur|eur|USD|usd|CHF|chf|GBP|gbp|SEK|NOK|DKK|€|\$|£)`)

// soles is the sign of Peru's currency, which is no sign within a word: "PRES/ 9.800 €".
var soles = regexp.MustCompile(`(^|[\s(])S/\.?\s*`)

// multipliers by lower-case spelling. "mil" is a thousand in Spanish and Portuguese and a
// million elsewhere: see money.
var multipliers = map[string]int64{
	"k": 1e3, "tsd": 1e3, "tausend": 1e3, "thousand": 1e3, "mille": 1e3, "mila": 1e3, "mil": 1e3, "duizend": 1e3,
	"tys": 1e3, "tis": 1e3, "tisíc": 1e3, "tusen": 1e3, "tusind": 1e3, "tuhatta": 1e3, "bin": 1e3, "ezer": 1e3, "mii": 1e3, "χιλ": 1e3, "χιλιάδες": 1e3,
	"m": 1e6, "mm": 1e6, "mi": 1e6, "mio": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6, "millions": 1e6, "millionen": 1e6, "millioner": 1e6,
	"millones": 1e6, "millón": 1e6, "milioni": 1e6, "milione": 1e6, "milliones": 1e6, "milhões": 1e6, "milhão": 1e6, "miljoen": 1e6, "miljoner": 1e6,
	"miljon": 1e6, "milj": 1e6, "miljoonaa": 1e6, "milion": 1e6, "miliony": 1e6, "milionów": 1e6, "milionů": 1e6, "millió": 1e6, "milyon": 1e6,
	"milioane": 1e6, "εκατ": 1e6, "εκατομμύρια": 1e6,
	"bn": 1e9, "mrd": 1e9, "lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "crores": 1e7,
	"千": 1e3, "천": 1e3, "万": 1e4, "萬": 1e4, "만": 1e4, "億": 1e8, "亿": 1e8, "억": 1e8,
}

// multiplier returns the multiplier that begins a word, and its length: the whole word, but
// for ideographs, which the currency follows at once.
func multiplier(word string) (mult string, n int) {
	if low := strings.ToLower(word); multipliers[low] != 0 {
		return low, len(word)
	}
	if _, size := utf8.DecodeRuneInString(word); size == 3 && multipliers[word[:size]] != 0 {
		return word[:size], size
	}
	return "", 0
}

// symbols of one currency only, longest first; "kr" and "Rs" are several countries'.
var symbols = []struct{ sign, code string }{
	{"$ CAN", "CAD"},
	{"$ CA", "CAD"},
	{"$CAN", "CAD"},
	{"$CA", "CAD"},
	{"$ US", "USD"},
	{"$US", "USD"},
	{"US$", "USD"},
	{"USD$", "USD"},
	{"AU$", "AUD"},
	{"A$", "AUD"},
	{"CA$", "CAD"},
	{"C$", "CAD"},
	{"NZ$", "NZD"},
	{"HK$", "HKD"},
	{"NT$", "TWD"},
	{"MX$", "MXN"},
	{"S$", "SGD"},
	{"R$", "BRL"},
	{"CN¥", "CNY"},
	{"JP¥", "JPY"},
	{"RMB", "CNY"},
	{"人民币", "CNY"},
	{"人民幣", "CNY"},
	{"元", "CNY"},
	{"円", "JPY"},
	{"원", "KRW"},
	{"¥", "JPY"},
	{"€", "EUR"},
	{"$", "USD"},
	{"£", "GBP"},
	{"zł", "PLN"},
	{"Kč", "CZK"},
	{"₹", "INR"},
	{"₩", "KRW"},
	{"₺", "TRY"},
	{"₴", "UAH"},
	{"₽", "RUB"},
	{"₪", "ILS"},
	{"฿", "THB"},
	{"₫", "VND"},
	{"SFr.", "CHF"},
	{"sFr.", "CHF"},
	{"Fr.", "CHF"},
}

// spelt are the currencies by lower-case words.
var spelt = map[string]string{
	"euro": "EUR", "euros": "EUR", "ευρώ": "EUR", "eurot": "EUR", "euroa": "EUR", "eura": "EUR", "eur": "EUR", "ユーロ": "EUR", "유로": "EUR", "欧元": "EUR",
	"usd": "USD", "dollar": "USD", "dollars": "USD", "dólares": "USD", "gbp": "GBP", "pounds": "GBP", "chf": "CHF", "franken": "CHF", "sfr": "CHF",
	"pln": "PLN", "złotych": "PLN", "zloty": "PLN", "zl": "PLN", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "czk": "CZK", "huf": "HUF", "ft": "HUF", "forint": "HUF",
	"ron": "RON", "lei": "RON", "leva": "BGN", "tl": "TRY", "jpy": "JPY", "yen": "JPY", "cny": "CNY", "yuan": "CNY", "krw": "KRW", "won": "KRW",
	"cad": "CAD", "aud": "AUD", "nzd": "NZD", "brl": "BRL", "reais": "BRL", "inr": "INR",
}

// notTheWhole are words by which an amount is one for a month, a day or a user: what the deal
// is worth can't be told from it.
var notTheWhole = set(`month months monthly mo mtl monat monate monatlich mois mensuel mensuelle mes meses mensual mese mesi mensile maand maandelijks
	mês mensal miesiąc miesięcznie mies månad måned månedlig månedligt kuukausi kuukaudessa měsíc měsíčně ay aylık hó hónap havi lună lunar μήνα mrr
	user users seat seats license licence licenses nutzer user/month lizenz arbeitsplatz utilisateur utilisateurs usuario usuarios utente utenti gebruiker gebruikers
	day tag tagessatz jour día giorno dag hour hours stunde heure hora ora uur 月額 月 人 每月 月`)

// money returns "120000 EUR" for an amount with its currency, in the ways in which people
// write it; nothing for a range, two amounts, a part of the whole, or one without currency.
func (d *dictionary) money(v string) string {
	if len(v) > maxMoney || strings.ContainsAny(v, "%％") {
		return ""
	}
	v = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, norm.NFKC.String(v))
	if strings.Contains(v, "S/") {
		v = soles.ReplaceAllString(v, "${1}PEN ")
	}
	v = glued.ReplaceAllStringFunc(v, unglue)
	found := amount.FindAllStringSubmatchIndex(v, 3)
	if len(found) != 1 {
		return ""
	}
	m, mult, end := found[0], "", found[0][3]
	if m[4] >= 0 {
		var n int
		if mult, n = multiplier(v[m[4]:m[5]]); n > 0 {
			end = m[4] + n
		}
	}
	before, behind := v[:m[0]], v[end:]
	if belowZero(before) || partly(before) || partly(behind) {
		return ""
	}
	code := d.currency(before + " " + behind)
	if word := lastWord(before); word != "" && d.currency(word) == "" {
		return "" // "Q3 120k", "B2B"
	}
	n, ok := number(v[m[2]:m[3]], mult != "")
	if !ok || code == "" || mult == "mil" && !milIsThousand(code) {
		return ""
	}
	if mult != "" {
		n.Mul(n, new(big.Rat).SetInt64(multipliers[mult]))
	}
	s := n.FloatString(2)
	if n.Sign() <= 0 || s == "0.00" || len(s) > maxDigits+len(".00") {
		return ""
	}
	return strings.TrimSuffix(s, ".00") + " " + code
}

// lastWord returns the letters that stand right before a number.
func lastWord(before string) string {
	return before[len(strings.TrimRightFunc(before, unicode.IsLetter)):]
}

// unglue parts a multiplier from its currency. The T of "TEUR" is a thousand.
func unglue(s string) string {
	m := glued.FindStringSubmatch(s)
	mult := strings.ToLower(m[2])
	if mult == "t" {
		mult = "k"
	}
	return m[1] + mult + " " + m[3]
}

// milIsThousand reports whether "mil" is surely a thousand in amounts of a currency.
func milIsThousand(code string) bool {
	switch code {
	case "EUR", "BRL", "MXN", "COP", "CLP", "ARS", "PEN":
		return true
	}
	return false
}

// belowZero reports whether what stands before a number makes it less than nothing.
func belowZero(before string) bool {
	rest, minus := strings.CutSuffix(before, "-")
	if !minus {
		rest, minus = strings.CutSuffix(before, "\u2212")
	}
	return minus && (rest == "" || strings.HasSuffix(rest, " ") || strings.HasSuffix(rest, "€") || strings.HasSuffix(rest, "$"))
}

// partly reports whether words say that an amount is not the whole.
func partly(s string) bool {
	return slices.ContainsFunc(letterRuns(s), func(w string) bool { return notTheWhole[strings.ToLower(w)] })
}

func letterRuns(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
}

// currency returns the one currency that s names, by code, by word or by symbol.
func (d *dictionary) currency(s string) string {
	code, two := "", false
	name := func(c string) {
		two = two || code != "" && code != c
		code = c
	}
	for _, w := range letterRuns(s) {
		if d.currencies[w] {
			name(w)
		} else if c := spelt[strings.ToLower(w)]; c != "" {
			name(c)
		}
	}
	for _, sym := range symbols {
		if !strings.Contains(s, sym.sign) {
			continue
		}
		if code == "" || !shared(sym.sign, code) {
			name(sym.code)
		}
		s = strings.ReplaceAll(s, sym.sign, " ")
	}
	if two {
		return ""
	}
	return code
}

// shared reports whether a sign belongs to a currency among others, so that its code settles
// which one is meant.
func shared(sign, code string) bool {
	switch sign {
	case "$":
		return strings.HasSuffix(code, "D") || slices.Contains([]string{"MXN", "CLP", "COP", "ARS", "UYU"}, code)
	case "¥":
		return code == "CNY"
	case "£":
		return code == "EGP"
	}
	return false
}

// number reads a decimal with the separators of any country. A single separator before
// exactly three digits groups thousands, unless a multiplier follows ("1.250k" is left out
// as unclear; "1.2M" is not).
func number(s string, multiplied bool) (*big.Rat, bool) {
	s = strings.TrimRight(s, ".,'’ ")
	dot, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	point := max(dot, comma)
	if point >= 0 {
		mixed := dot >= 0 && comma >= 0 || strings.ContainsAny(s, " '’")
		repeated := strings.Count(s, s[point:point+1]) > 1
		three := len(s)-point-1 == 3
		switch {
		case dot >= 0 && comma >= 0 && repeated, !mixed && three && multiplied:
			return nil, false
		case !mixed && (repeated || three && strings.Trim(s[:point], "0") != ""):
			point = -1
		}
	}
	whole, frac := s, ""
	if point >= 0 {
		whole, frac = s[:point], s[point+1:]
	}
	groups := strings.FieldsFunc(whole, func(r rune) bool { return r < '0' || r > '9' })
	if !grouping(groups, strings.Contains(whole, ",")) || strings.ContainsAny(frac, " '’") {
		return nil, false
	}
	whole = strings.Join(groups, "")
	if frac != "" {
		whole += "." + frac
	}
	return new(big.Rat).SetString(whole)
}

// grouping reports whether digits are grouped as thousands are; with commas also as in India,
// "12,50,000".
func grouping(groups []string, comma bool) bool {
	if len(groups) == 0 {
		return false
	}
	for i, g := range groups[1:] {
		last := i == len(groups)-2
		if len(g) != 3 && (len(g) != 2 || last || !comma) {
			return false
		}
	}
	return len(groups) == 1 || len(groups[0]) <= 3
}
