package extract

import (
	"math/big"
	"regexp"
	"strings"
)

// maxDigits is how many digits an amount has at most, before the decimal point.
const maxDigits = 13

// amount is a number with its multiplier; what stands around it must name one currency.
var amount = regexp.MustCompile(`([0-9][0-9.,'’ ]*)\s*((?i:k|tsd\.?|tausend|mille|m|mio\.?|mn|million(?:en|s|es)?|millones|mln|bn|mrd\.?)\b\.?)?`)

var multipliers = map[string]int64{
	"k": 1e3, "tsd": 1e3, "tausend": 1e3, "mille": 1e3,
	"m": 1e6, "mio": 1e6, "mn": 1e6, "million": 1e6, "millionen": 1e6, "millions": 1e6, "millones": 1e6, "mln": 1e6, "milliones": 1e6,
	"bn": 1e9, "mrd": 1e9,
}

// symbols of one currency only, longest first
var symbols = []struct{ sign, code string }{
	{"US$", "USD"},
	{"A$", "AUD"},
	{"C$", "CAD"},
	{"NZ$", "NZD"},
	{"HK$", "HKD"},
	{"S$", "SGD"},
	{"R$", "BRL"},
	{"€", "EUR"},
	{"$", "USD"},
	{"£", "GBP"},
	{"¥", "JPY"},
	{"円", "JPY"},
	{"zł", "PLN"},
	{"₹", "INR"},
	{"₩", "KRW"},
	{"Euro", "EUR"},
	{"euros", "EUR"},
	{"dollars", "USD"},
	{"SFr.", "CHF"},
	{"Fr.", "CHF"},
}

// money returns "120000 EUR" for an amount with its currency, in the ways in which people
// write it; nothing for a range, two amounts, or one without currency.
func (d *dictionary) money(v string) string {
	found := amount.FindAllStringSubmatchIndex(v, 3)
	if len(found) != 1 {
		return ""
	}
	m := found[0]
	code := d.currency(v[:m[0]] + " " + v[m[1]:])
	mult := ""
	if m[4] >= 0 {
		mult = strings.TrimSuffix(strings.ToLower(v[m[4]:m[5]]), ".")
	}
	n, ok := number(v[m[2]:m[3]], mult != "")
	if !ok || code == "" {
		return ""
	}
	if mult != "" {
		n.Mul(n, new(big.Rat).SetInt64(multipliers[mult]))
	}
	s := n.FloatString(2)
	if n.Sign() <= 0 || len(s) > maxDigits+len(".00") {
		return ""
	}
	return strings.TrimSuffix(s, ".00") + " " + code
}

// currency returns the one currency that s names, by code or by symbol.
func (d *dictionary) currency(s string) string {
	code := ""
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' && r < 0x80 }) {
		if up := strings.ToUpper(w); d.currencies[up] && (w == up || up == "EUR" || up == "USD") {
			if code != "" && code != up {
				return ""
			}
			code = up
		}
	}
	for _, sym := range symbols {
		if strings.Contains(s, sym.sign) {
			if code != "" && code != sym.code && !(sym.sign == "$" && strings.HasSuffix(code, "D")) {
				return ""
			}
			if code == "" {
				code = sym.code
			}
			s = strings.ReplaceAll(s, sym.sign, "")
		}
	}
	return code
}

// number reads a decimal with the separators of any country. A single separator before
// exactly three digits groups thousands, unless a multiplier follows ("1.250k" is left out
// as unclear; "1.2M" is not).
func number(s string, multiplied bool) (*big.Rat, bool) {
	s = strings.TrimRight(s, ".,'’ ")
	s = strings.NewReplacer("'", "", "’", "", " ", "").Replace(s)
	dot, comma := strings.LastIndexByte(s, '.'), strings.LastIndexByte(s, ',')
	point := max(dot, comma)
	if point >= 0 {
		mixed := dot >= 0 && comma >= 0
		repeated := strings.Count(s, s[point:point+1]) > 1
		three := len(s)-point-1 == 3
		switch {
		case mixed && repeated, !mixed && three && multiplied:
			return nil, false
		case !mixed && (repeated || three):
			point = -1
		}
	}
	whole, frac := s, ""
	if point >= 0 {
		whole, frac = s[:point], s[point+1:]
	}
	whole = strings.NewReplacer(".", "", ",", "").Replace(whole)
	if frac != "" {
		whole += "." + frac
	}
	return new(big.Rat).SetString(whole)
}
