package intake_test

import (
	"path/filepath"
	"strings"
	"testing"

	"leadgate/intake"
	"leadgate/store/boltstore"
)

func TestAMailOfAnAddressOfAnyLengthIsStoredWhereItMayBeAskedAbout(t *testing.T) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWorld(t, store, confirming)
	s := w.forged(strings.Repeat("a", 40<<10)+"@alpha.example", acme())
	if _, err := w.gateway.Accept(t.Context(), s); err != nil {
		t.Errorf("a mail with a long local part is never stored: %v", err)
	}
}

func TestAMailOfAnAddressOfAnyLengthIsStored(t *testing.T) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWorld(t, store)
	for _, from := range []string{strings.Repeat("a", 40<<10) + "@alpha.example", "x@" + strings.Repeat("a.", 20<<10) + "example"} {
		for _, lead := range []intake.Lead{acme(), nil} {
			for _, strength := range []intake.Strength{intake.StrengthUnverified, intake.StrengthDomain} {
				s := w.submission(from, lead)
				s.Sender.Strength = strength
				if _, err := w.gateway.Accept(t.Context(), s); err != nil {
					t.Errorf("…%s %s lead %v: %v", from[len(from)-14:], strength, lead != nil, err)
				}
			}
		}
	}
}
