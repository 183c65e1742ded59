package mailbox

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestOnlyMailIsCleanedOutOfTheSpool(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"leadgate-mail-1", "leadgate-mail-23", "aside-1", "leadgate.db", "leadgate-mailing-list"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inner := filepath.Join(dir, "leadgate-mail-folder")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inner, "leadgate-mail-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left, err := newSpool(dir) // as a process that is killed leaves it
	if err != nil {
		t.Fatal(err)
	}
	left.file.Close()
	if n, err := CleanSpool(dir); n != 3 || err != nil {
		t.Errorf("%d removed, err %v", n, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := filepath.Glob(filepath.Join(inner, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range append(files, inside...) {
		names = append(names, filepath.Base(f))
	}
	if want := []string{"aside-1", "leadgate-mail-folder", "leadgate-mailing-list", "leadgate.db", "leadgate-mail-1"}; !slices.Equal(names, want) {
		t.Errorf("left are %q, want %q", names, want)
	}
	if _, err := CleanSpool(filepath.Join(dir, "missing")); err == nil {
		t.Error("a directory that is missing is cleaned")
	}
}
