package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/intake"
)

func TestASigningKeyIsMadeOnceAndOldPublicKeysAreKept(t *testing.T) {
	dir := t.TempDir()
	first, err := openSigner(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := openSigner(dir)
	if err != nil || again.KeyID() != first.KeyID() {
		t.Errorf("again: %v, another key", err)
	}
	path := filepath.Join(dir, SigningKeyFile)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	second, err := openSigner(dir)
	if err != nil || second.KeyID() == first.KeyID() {
		t.Errorf("after the key was moved away: %v, the same key", err)
	}
	keys, err := ReadPublicKeys(dir)
	if err != nil || len(keys) != 2 || keys[first.KeyID()] == nil || keys[second.KeyID()] == nil {
		t.Errorf("known are %v, %v", keys, err)
	}
	for _, name := range []string{SigningKeyFile, PublicKeysFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestASigningKeyThatIsNoneOrThatOthersCanReadIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"for all to read": {func(path string) error { return os.Chmod(path, 0o644) }, "can be read by others"},
		"no PEM":          {func(path string) error { return os.WriteFile(path, []byte("key"), 0o600) }, "holds no PRIVATE KEY"},
		"cut off":         {func(path string) error { return os.Truncate(path, 60) }, "holds no PRIVATE KEY"},
		"of another kind": {func(path string) error { return os.WriteFile(path, []byte(otherKey), 0o600) }, "another kind than Ed25519"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := openSigner(dir); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(filepath.Join(dir, SigningKeyFile)); err != nil {
				t.Fatal(err)
			}
			if _, err := openSigner(dir); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// otherKey is an EC key for P-256; it has never protected anything.
const otherKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRoLJjsu04VfgyDF2
yl4Owaw/kxGVV3b3/PWxKSviSlehRANCAAR95mwszxrccJzh++xcj8zHRQ90DG40
gutgbK4kAAc8xq6MVb0Rh3x7+MDWhGHxlW834WBIv5BB7J95B4PhtWAE
-----END PRIVATE KEY-----
`

func line(n int) intake.WitnessLine {
	return intake.WitnessLine{N: n, Hash: strings.Repeat("ab", 32), Key: "0123456789abcdef", Signature: []byte(strings.Repeat("s", 64))}
}

func TestAWitnessFileTellsItsLastWholeLine(t *testing.T) {
	w := witness{filepath.Join(t.TempDir(), WitnessFile)}
	if l, err := w.Last(); l.N != 0 || err != nil {
		t.Errorf("without a file: %+v, %v", l, err)
	}
	for n := 1; n <= 100; n += 2 { // more than the end that is read
		if err := w.Append([]intake.WitnessLine{line(n), line(n + 1)}); err != nil {
			t.Fatal(err)
		}
		if l, err := w.Last(); l.N != n+1 || l.Hash != line(n).Hash || err != nil {
			t.Fatalf("after %d: %+v, %v", n+1, l, err)
		}
	}
	info, err := os.Stat(w.path)
	if err != nil || info.Size() <= witnessTail {
		t.Fatalf("the file is too short for the test: %v, %v", info, err)
	}
	if err := os.Truncate(w.path, info.Size()-10); err != nil { // a crash while it was written
		t.Fatal(err)
	}
	if l, err := w.Last(); l.N != 99 || err != nil {
		t.Errorf("torn: %+v, %v", l, err)
	}
	if err := w.Append([]intake.WitnessLine{line(100), line(101)}); err != nil {
		t.Fatal(err)
	}
	all, err := ReadWitness(w.path)
	if err != nil || len(all) != 101 {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	for i, l := range all {
		if l.N != i+1 {
			t.Errorf("line %d is %d", i+1, l.N)
		}
	}
}

func TestAWitnessFileThatWasWrittenIntoIsNamedWithItsLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), WitnessFile)
	if err := os.WriteFile(path, []byte(line(1).String()+"\nrubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadWitness(path); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
	if _, err := (witness{path}).Last(); err == nil {
		t.Error("rubbish is a last line")
	}
}
