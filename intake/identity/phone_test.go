package identity

import (
	"strings"
	"testing"
)

func TestPhone(t *testing.T) {
	for _, c := range []struct {
		name, in, region, want string
	}{
		{"international with blanks", "+49 30 1234567", "", "+49301234567"},
		{"six digits behind the area code", "+49 30 123456", "", "+4930123456"},
		{"the country's own form", "030 1234567", "DE", "+49301234567"},
		{"a slash behind the area code", "089/123456-78", "DE", "+498912345678"},
		{"the trunk zero in brackets", "+49 (0)30 / 123-456", "", "+4930123456"},
		{"the trunk zero in brackets, apart", "+44 (0) 20 7946 0958", "", "+442079460958"},
		{"the trunk zero in square brackets", "+43 [0] 1 5346 0000", "", "+43153460000"},
		{"an Italian number keeps its zero", "+39 (0)6 698 12345", "", "+390669812345"},
		{"an Italian number in Italy", "06 698 12345", "IT", "+390669812345"},
		{"two zeros in place of a plus", "0049 30 1234567", "", "+49301234567"},
		{"two zeros written in America", "0049 30 1234567", "US", "+49301234567"},
		{"the country code without a plus", "49 30 1234567", "DE", "+49301234567"},
		{"an American number", "(212) 555-2368", "US", "+12125552368"},
		{"an American number with dots", "212.555.2368", "us", "+12125552368"},
		{"an American number with its one", "1-212-555-2368", "US", "+12125552368"},
		{"a Spanish number in threes", "912 345 678", "ES", "+34912345678"},
		{"a Spanish number with dots", "912.345.678", "ES", "+34912345678"},
		{"a French number in twos", "01 42 68 53 00", "FR", "+33142685300"},
		{"a French number with dots", "01.42.68.53.00", "FR", "+33142685300"},
		{"a Swiss number", "044 668 18 00", "CH", "+41446681800"},
		{"a Danish number", "32 12 34 56", "DK", "+4532123456"},
		{"a Japanese number", "03-1234-5678", "JP", "+81312345678"},
		{"full-width digits", "０３－１２３４－５６７８", "JP", "+81312345678"},
		{"a no-break blank and a hyphen of its own", "+49\u00a030\u20111234567", "", "+49301234567"},
		{"invisible marks of direction", "\u202a+49 30 1234567\u202c", "", "+49301234567"},
		{"an extension", "030-1234567 ext. 12", "DE", "+49301234567"},
		{"an extension behind an x", "+1 212 555 2368 x123", "", "+12125552368"},
		{"an extension behind a comma", "+1 212 555 2368, ext 123", "", "+12125552368"},
		{"a German extension", "+49 30 1234567 Durchwahl 12", "", "+49301234567"},
		{"a German extension, short", "+49 30 1234567 (DW 12)", "", "+49301234567"},
		{"a French extension", "+33 1 42 68 53 00 poste 12", "", "+33142685300"},
		{"a link", "tel:+49301234567", "", "+49301234567"},
		{"a link with an extension", "tel:+49301234567;ext=12", "", "+49301234567"},
		{"a word before", "Tel.: +49 30 1234567", "", "+49301234567"},
		{"words before", "Mobile phone: +49 171 1234567", "", "+491711234567"},
		{"a letter before", "M +49 171 1234567", "", "+491711234567"},
		{"a word behind", "+49 171 1234567 (mobile)", "", "+491711234567"},
		{"a word behind without brackets", "+49 171 1234567 mobil", "", "+491711234567"},
		{"two numbers by a slash", "+49 30 1234567 / +49 171 1234567", "", "+49301234567"},
		{"two numbers by a slash without blanks", "+49 30 1234567/+49 171 1234567", "", "+49301234567"},
		{"two numbers by a comma", "030 1234567, 0171 1234567", "DE", "+49301234567"},
		{"two numbers by a word", "+49 30 1234567 oder +49 171 1234567", "", "+49301234567"},
		{"two numbers by a plus", "+49 30 1234567 +49 171 1234567", "", "+49301234567"},
		{"two numbers with their kinds", "+49 30 1234567 (office); +49 171 1234567 (mobile)", "", "+49301234567"},
		{"two numbers on two lines", "+49 30 1234567\n+49 171 1234567", "", "+49301234567"},
		{"a telephone and a fax", "T: +49 30 1234567 / F: +49 30 1234568", "", "+49301234567"},
		{"a telephone and a telefax", "+49 30 1234567, Telefax +49 30 1234568", "", "+49301234567"},

		{"a range of Britain that is kept for plays", "+44 1632 960114", "", "+441632960114"},
		{"the same in Britain", "01632 960114", "GB", "+441632960114"},
		{"the same with two zeros", "0044 1632 960114", "", "+441632960114"},
		{"a number of a range that is not listed", "+49 30 0000000", "", "+49300000000"},
		{"an American number without its area", "+1 555 0100", "", "+15550100"},
		{"a number of Singapore that is not listed", "2555 0182", "SG", "+6525550182"},

		{"a fax and a telephone", "Fax +49 30 1234568, Tel. +49 30 1234567", "", ""},
		{"two ends of one number", "+49 30 1234567 / 68", "", ""},
		{"a number that is cut by a comma", "+49 30, 1234567", "", ""},
		{"a national number of nowhere", "030 1234567", "", ""},
		{"a national number without its zero", "30 1234567", "DE", ""},
		{"a national number elsewhere", "030 1234567", "US", ""},
		{"too short", "12345", "DE", ""},
		{"too long", "+49 30 12345678901234", "", ""},
		{"a country code that is none", "+999 30 1234567", "", ""},
		{"an area code that is none", "+1 055 555 2368", "", ""},
		{"a date", "23.11.2026", "DE", ""},
		{"a date of computers", "2026-11-23", "DE", ""},
		{"an American date", "11/23/2026", "US", ""},
		{"a date with blanks", "23 11 2026", "DK", ""},
		{"a date and a time", "2026-11-23 14:00", "DE", ""},
		{"an amount", "120.000", "DE", ""},
		{"a larger amount", "1.234.567", "IS", ""},
		{"an amount with cents", "1.234.567,00", "DE", ""},
		{"an amount with its currency", "€ 120000", "DE", ""},
		{"an amount with its currency behind", "0301234567 EUR", "DE", ""},
		{"a tax number", "DE123456789", "DE", ""},
		{"a tax number of Austria", "ATU12345678", "AT", ""},
		{"a tax number of digits", "123456789", "DE", ""},
		{"a German tax number", "123/456/78901", "DE", ""},
		{"a fax", "Fax: +49 30 1234567", "", ""},
		{"a fax behind", "+49 30 1234567 (Fax)", "", ""},
		{"letters for digits", "1-800-FLOWERS", "US", ""},
		{"an address", "jane@acme.com", "DE", ""},
		{"words", "on request", "DE", ""},
		{"nothing", "", "DE", ""},
		{"an emergency call", "112", "DE", ""},
		{"an internet address", "192.168.100.100", "DE", ""},
		{"a card", "4111 1111 1111 1111", "US", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := Phone(c.in, c.region)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("Phone(%q, %q) = %q, %v; want %q", c.in, c.region, got, ok, c.want)
			}
		})
	}
	if _, ok := Phone(strings.Repeat("1", 1<<20), "DE"); ok {
		t.Error("a million digits are a number")
	}
}

func TestAssignedPhone(t *testing.T) {
	for _, c := range []struct {
		name, in, region, want string
	}{
		{"a number in use", "030 1234567", "DE", "+49301234567"},
		{"a number with its country code", "+44 1632 960114", "", "+441632960114"},
		{"a range of Britain that is kept for plays", "01632 960114", "GB", ""},
		{"digits of the length of a number", "2555 0182", "SG", ""},
		{"an order number", "0123456789", "GB", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := AssignedPhone(c.in, c.region); got != c.want {
				t.Errorf("AssignedPhone(%q, %q) = %q; want %q", c.in, c.region, got, c.want)
			}
		})
	}
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"+49 (0)30 / 123-456", "tel:+1-212-555-2368;ext=3", "06 698 12345", "01 42 68 53 00, 0171", "23.11.2026", "+54 9 11 2345 6789", "+52 1 55 1234 5678"} {
		for _, r := range []string{"", "DE", "US", "IT", "AR"} {
			f.Add(s, r)
		}
	}
	f.Add("016982316982345", "ID")
	f.Add("00800000 00000", "") // of a number of zeros the library gives back what was typed
	f.Fuzz(func(t *testing.T, raw, region string) {
		got, ok := Phone(raw, region)
		if ok != (got != "") {
			t.Fatalf("%q, %v", got, ok)
		}
		if !ok {
			return
		}
		if got[0] != '+' || len(got) > 16 || digits(got) != len(got)-1 {
			t.Fatalf("Phone(%q, %q) = %q is not of E.164", raw, region, got)
		}
		for _, r := range []string{"", region, "US", "IT", "AR"} {
			if again, ok := Phone(got, r); !ok || again != got {
				t.Fatalf("Phone(%q, %q) = %q; then in %q %q", raw, region, got, r, again)
			}
		}
	})
}

func BenchmarkPhone(b *testing.B) {
	for b.Loop() {
		Phone("+49 (0)30 / 1234567 Durchwahl 12", "DE")
	}
}
