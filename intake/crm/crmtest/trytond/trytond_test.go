package trytond

import "testing"

func TestAServerStartsWithACompanyAndIsEmptiedAgain(t *testing.T) {
	s := Start(t)
	count := func() (n int) {
		t.Helper()
		if err := s.Call(&n, "party.party.search_count", []any{}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 2 {
		t.Errorf("%d parties, want the company and its employee", n)
	}
	if err := s.Call(nil, "party.party.create", []any{map[string]any{"name": "Acme"}}); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 3 {
		t.Errorf("%d parties, want one more", n)
	}
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d parties after a reset", n)
	}
}
