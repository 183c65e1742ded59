package extract

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/intake/cputime"
)

func TestMoneyAsPeopleWriteIt(t *testing.T) {
	for in, want := range map[string]string{
		"EUR 120k": "120000 EUR", "€ 1,2 Mio": "1200000 EUR", "€ 1,2 Mio.": "1200000 EUR", "1.2M USD": "1200000 USD", "120.000 €": "120000 EUR",
		"US$ 250,000 ARR": "250000 USD", "CHF 80'000": "80000 CHF", "CHF 80’000.-": "80000 CHF", "500 000 zł": "500000 PLN", "500 tys. zł": "500000 PLN", "1,5 mln PLN": "1500000 PLN",
		"120 TEUR": "120000 EUR", "120TEUR": "120000 EUR", "120 T€": "120000 EUR", "120 kEUR": "120000 EUR", "120k€": "120000 EUR", "1,2 M€": "1200000 EUR", "1.2MUSD": "1200000 USD",
		"ca. 120 000 EUR": "120000 EUR", "~ €120k": "120000 EUR", "approx. 120,000 USD per year": "120000 USD", "120.000 Euro pro Jahr": "120000 EUR", "50.000 euros par an": "50000 EUR",
		"120\u00a0000\u00a0€": "120000 EUR", "120\u202f000 €": "120000 EUR", "1.234.567,89 €": "1234567.89 EUR", "$1,234,567.89": "1234567.89 USD", "1 234 567,50 EUR": "1234567.50 EUR",
		"2 Millionen Euro": "2000000 EUR", "100 mil euros": "100000 EUR", "2 millones de euros": "2000000 EUR", "R$ 1,5 milhões": "1500000 BRL", "R$ 100 mil": "100000 BRL", "150 mila euro": "150000 EUR",
		"2 miljoner SEK": "2000000 SEK", "500 000 SEK": "500000 SEK", "500.000 kr DKK": "500000 DKK", "1 mio. DKK": "1000000 DKK", "50 000 Kč": "50000 CZK", "2 mil. Kč": "", "10 millió Ft": "10000000 HUF",
		"50.000 TL": "50000 TRY", "₺50.000": "50000 TRY", "100.000 lei": "100000 RON", "1.000.000円": "1000000 JPY", "120万円": "1200000 JPY", "１２０万円": "1200000 JPY", "2億円": "200000000 JPY", "50万元": "500000 CNY", "¥500,000 CNY": "500000 CNY",
		"RMB 500,000": "500000 CNY", "5000만원": "50000000 KRW", "₩5,000,000": "5000000 KRW", "₹12,50,000": "1250000 INR", "INR 5 lakh": "500000 INR", "2 crore INR": "20000000 INR", "A$ 5k": "5000 AUD", "AUD $5,000": "5000 AUD", "MXN $50,000": "50000 MXN",
		"CAD 5,000": "5000 CAD", "£99.50": "99.50 GBP", "gbp 10k": "10000 GBP", "5 mm USD": "5000000 USD", "EUR 120.000,-": "120000 EUR", "Budget is 120k EUR": "120000 EUR",

		"50-80k EUR": "", "€50k - €80k": "", "50 to 80k EUR": "", "zwischen 50 und 80 TEUR": "", "1 2 EUR": "", "B2B 5 EUR": "", "120k": "", "a lot of EUR": "", "120 EUR / USD": "", "500 000 kr": "", "500 kr.": "", "Rs. 5000": "",
		"20% of 1 EUR": "", "20 % EUR": "", "-5 EUR": "", "EUR -5": "", "0,001 EUR": "", "10k EUR per month": "", "10 EUR/user": "", "500 € pro Monat": "", "$1.2 mil": "", "1.250k EUR": "", "12.34.56 EUR": "", "1,23,4 EUR": "",
		"tbd": "", "": "", "€": "", "120 crowns": "", "2026": "", "Q3 120k EUR": "", "Q3-120k EUR": "", "EUR120k": "120000 EUR", "100 200 EUR": "100200 EUR", "EURO 2024": "2024 EUR",
	} {
		if got := builtin().money(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	start := cputime.Used()
	builtin().money(strings.Repeat("1", 2<<20))
	builtin().money(strings.Repeat("1 k", 100))
	if took := cputime.Used() - start; took > slowdown*100*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func FuzzMoney(f *testing.F) {
	for _, s := range []string{"EUR 1.234,56", "120万円", "5 lakh INR", "1,2 Mio. €", "-$5"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[0-9]{1,13}(\.[0-9]{2})? [A-Z]{3}$`)
	f.Fuzz(func(t *testing.T, s string) {
		got := builtin().money(s)
		if got != "" && !form.MatchString(got) {
			t.Fatalf("%q", got)
		}
		if got != "" && builtin().money(got) != got {
			t.Fatalf("%q, then %q", got, builtin().money(got))
		}
	})
}
