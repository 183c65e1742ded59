package intake

import (
	"strings"
	"testing"
)

func numbering(t testing.TB) Numbering {
	t.Helper()
	g, err := NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCaseNumbersOfAYearAreAllDifferentAndInNoOrder(t *testing.T) {
	g := numbering(t)
	const n = 30_000
	seen := make(map[string]bool, n)
	rising, prev := 0, ""
	for i := range uint64(n) {
		num, err := g.Number(2026, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if seen[num] {
			t.Fatalf("counter %d gives %s again", i+1, num)
		}
		seen[num] = true
		if num > prev {
			rising++
		}
		prev = num
	}
	if rising < n*45/100 || rising > n*55/100 {
		t.Errorf("%d of %d numbers are larger than the one before: the order shows", rising, n)
	}
}

func TestTheSmallestDomainIsPermutedWhole(t *testing.T) {
	g := numbering(t)
	for _, size := range []uint64{1, 2, 3, 10, 999, 4096} {
		seen := make([]bool, size)
		for n := range size {
			v := g.permute(2026, n, size)
			if v >= size || seen[v] {
				t.Fatalf("size %d: %d maps to %d, outside or taken", size, n, v)
			}
			seen[v] = true
		}
	}
}

func TestCaseNumberHasSixDigitsThenSeven(t *testing.T) {
	g := numbering(t)
	for _, c := range []struct {
		n      uint64
		digits int
	}{{1, 6}, {999_999, 6}, {1_000_000, 7}, {9_999_999, 7}} {
		num, err := g.Number(2026, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(strings.Split(num, "-")[2]); got != c.digits {
			t.Errorf("counter %d: %s has %d digits, want %d", c.n, num, got, c.digits)
		}
		if back, ok := g.Parse(strings.ToLower(" " + num + " ")); !ok || back != num {
			t.Errorf("%s typed in lower case parses as %q, %v", num, back, ok)
		}
	}
	for _, n := range []uint64{0, 10_000_000} {
		if num, err := g.Number(2026, n); err == nil {
			t.Errorf("counter %d gives %s, want an error", n, num)
		}
	}
}

func TestOneWrongDigitOrOneSwapIsAlwaysCaught(t *testing.T) {
	g := numbering(t)
	for n := uint64(1); n < 300; n++ {
		num, err := g.Number(2026, n*3000)
		if err != nil {
			t.Fatal(err)
		}
		for i := 3; i < len(num); i++ {
			if num[i] == '-' {
				continue
			}
			for _, c := range checkSymbols {
				typo := num[:i] + string(c) + num[i+1:]
				if typo == num {
					continue
				}
				if _, ok := g.Parse(typo); ok {
					t.Fatalf("%s passes for %s", typo, num)
				}
			}
			for j := i + 1; j < len(num); j++ {
				if num[j] == '-' || num[i] == num[j] {
					continue
				}
				b := []byte(num)
				b[i], b[j] = b[j], b[i]
				if _, ok := g.Parse(string(b)); ok {
					t.Fatalf("%s with two characters swapped, %s, passes", num, b)
				}
			}
		}
	}
}

func TestNumberingRefusesBadPrefixAndShortKey(t *testing.T) {
	for _, prefix := range []string{"", "A B", "TOOLONGPREFIX", "Ä"} {
		if _, err := NewNumbering(prefix, make([]byte, 32)); err == nil {
			t.Errorf("prefix %q is accepted", prefix)
		}
	}
	if _, err := NewNumbering("LG", make([]byte, 8)); err == nil {
		t.Error("a key of 8 bytes is accepted")
	}
}
