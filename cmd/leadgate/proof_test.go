package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
)

// keyFile signs with the key in a file.
type keyFile struct{ private ed25519.PrivateKey }

func readKeyFile(t *testing.T, dir string) keyFile {
	t.Helper()
	path := filepath.Join(dir, app.SigningKeyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key: %v, %v", info, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return keyFile{parsed.(ed25519.PrivateKey)}
}

func (k keyFile) KeyID() string              { return intake.KeyID(k.private.Public().(ed25519.PublicKey)) }
func (k keyFile) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

// provenDemo is a demo with one case about acme.example.
func provenDemo(t *testing.T) (*process, admin.CaseSummary) {
	t.Helper()
	p := startDemo(t, binaryPath(t), t.TempDir())
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "acme.example")); err != nil {
		t.Fatal(err)
	}
	return p, settled(t, p.client(t), 5*time.Second)[0]
}

// says runs the binary and checks what it prints; a want that begins with "!" has it fail.
func saysThat(t *testing.T, want string, args ...string) string {
	t.Helper()
	out, stderr, err := leadgate(t, args...)
	want, fails := strings.CutPrefix(want, "!")
	if (err != nil) != fails || !strings.Contains(out+stderr, want) {
		t.Errorf("leadgate %s: %v\n%s%s\nwant %q", strings.Join(args, " "), err, out, stderr, want)
	}
	return out
}

func TestAReceiptIsCheckedOfflineAndAgainstItsCase(t *testing.T) {
	p, c := provenDemo(t)
	stopped := false
	defer func() {
		if !stopped {
			p.stop(t)
		}
	}()
	d, err := p.client(t).Case(context.Background(), c.CaseNumber)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(saysThat(t, "ed25519:", "receipt", "key", "--dir", p.dir))
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := intake.NewReceipt(d.Registration, readKeyFile(t, p.dir)).Text()
	file := write("receipt.txt", "Dear Ana,\r\n\r\n> "+strings.ReplaceAll(text, "\n", "\r\n> "))
	saysThat(t, "\nvalid\n", "receipt", "verify", file, "--dir", p.dir)
	saysThat(t, "\nvalid\n", "receipt", "verify", file, "--key", key)
	saysThat(t, "\nvalid\n", "receipt", "verify", file, "--key", filepath.Join(p.dir, app.PublicKeysFile), "--domain", "https://www.ACME.example/")
	saysThat(t, "!but not about globex.example", "receipt", "verify", file, "--key", key, "--domain", "globex.example")
	saysThat(t, "!which key? give --key", "receipt", "verify", file)
	saysThat(t, "!neither a key nor a file", "receipt", "verify", file, "--key", "nosuch")
	saysThat(t, "!invalid: the signature does not fit", "receipt", "verify", write("r", strings.Replace(text, "brightpath", "brightpatH", 1)), "--key", key)
	saysThat(t, "!there is no receipt in it", "receipt", "verify", write("r", "Dear Ana,"), "--key", key)

	redated := d.Registration
	redated.Claim = redated.Claim.Add(-time.Hour)
	early := write("early", intake.NewReceipt(redated, readKeyFile(t, p.dir)).Text())
	saysThat(t, "!the claim time of the case is "+d.Registration.Claim.Format("2006-01-02T15:04"), "receipt", "verify", early, "--dir", p.dir)
	redated.Number = "LG-2026-000000-0"
	saysThat(t, "!is not a case number", "receipt", "verify", write("none", intake.NewReceipt(redated, readKeyFile(t, p.dir)).Text()), "--dir", p.dir)

	// A new key: what the old one signed stays valid.
	p.stop(t)
	stopped = true
	if err := os.Remove(filepath.Join(p.dir, app.SigningKeyFile)); err != nil {
		t.Fatal(err)
	}
	again := startDemo(t, binaryPath(t), p.dir)
	defer again.stop(t)
	saysThat(t, "\nvalid\n", "receipt", "verify", file, "--dir", p.dir)
	if fresh := strings.TrimSpace(saysThat(t, "ed25519:", "receipt", "key", "--dir", p.dir)); fresh == key {
		t.Error("the key is the old one")
	} else {
		saysThat(t, "!signed by an unknown key", "receipt", "verify", file, "--key", fresh)
	}
	saysThat(t, "nothing was edited", "audit", "verify", "--dir", p.dir)
}

func TestTheStoreIsAuditedWhileTheGatewayRunsAndWhileNoneDoes(t *testing.T) {
	p, _ := provenDemo(t)
	saysThat(t, "checkpoint 1, 1 changed case since", "audit", "checkpoint", "--dir", p.dir)
	saysThat(t, "1 case, ", "audit", "verify", "--dir", p.dir)
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "globex.example")); err != nil {
		t.Fatal(err)
	}
	settled(t, p.client(t), 5*time.Second)
	saysThat(t, "not yet under a checkpoint", "audit", "verify", "--dir", p.dir)
	p.stop(t)
	out := saysThat(t, "2 cases, ", "audit", "verify", "--dir", p.dir)
	if strings.Contains(out, "not yet") {
		t.Errorf("the stop left something without a checkpoint:\n%s", out)
	}
	tamperWithCase(t, filepath.Join(p.dir, app.StoreFile), `"contact":"ana@`, `"contact":"eve@`)
	saysThat(t, "!the case is not as its last event left it: it was edited", "audit", "verify", "--dir", p.dir)
	var report intake.AuditReport
	if err := json.Unmarshal([]byte(saysThat(t, "!1 fault found", "audit", "verify", "--json", "--dir", p.dir)), &report); err != nil || len(report.Faults) == 0 || report.Faults[0].Case == "" {
		t.Errorf("%v: %+v", err, report)
	}
	saysThat(t, "!is no store of leadgate", "audit", "verify", "--dir", t.TempDir())
}

// tamperWithCase changes the text of the first case of a store that nobody has open.
func tamperWithCase(t *testing.T, path, from, to string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("bulk"))
		k, v := b.Cursor().First()
		changed := strings.Replace(string(v), from, to, 1)
		if changed == string(v) {
			t.Fatalf("%s holds no %s", v, from)
		}
		return b.Put(append([]byte{}, k...), []byte(changed))
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestARestoredBackupIsTakenForWhatItIs(t *testing.T) {
	p, _ := provenDemo(t)
	saysThat(t, "checkpoint 1", "audit", "checkpoint", "--dir", p.dir)
	backup := filepath.Join(t.TempDir(), "backup.db")
	saysThat(t, "checked", "backup", backup, "--dir", p.dir)
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "globex.example")); err != nil {
		t.Fatal(err)
	}
	settled(t, p.client(t), 5*time.Second)
	p.stop(t)
	saysThat(t, "note: the copy ends at checkpoint 1, the witness knows 2", "audit", "verify", "--store", backup, "--dir", p.dir)

	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, app.StoreFile), b, 0o600); err != nil {
		t.Fatal(err)
	}
	saysThat(t, "!the store ends at checkpoint 1, the witness knows 2: it was restored from an older backup, or its end was cut off", "audit", "verify", "--dir", p.dir)

	again := startDemo(t, binaryPath(t), p.dir)
	again.stop(t)
	if !strings.Contains(again.stderr.String(), "the store is not the one that the witness saw") {
		t.Errorf("the gateway says nothing of it:\n%s", again.stderr)
	}
	if err := os.Rename(filepath.Join(p.dir, app.WitnessFile), filepath.Join(p.dir, app.WitnessFile+".old")); err != nil {
		t.Fatal(err)
	}
	once := startDemo(t, binaryPath(t), p.dir)
	defer once.stop(t)
	eventually(t, 5*time.Second, "a new witness", func() bool {
		out, _, err := leadgate(t, "audit", "verify", "--dir", p.dir)
		return err == nil && strings.Contains(out, "1 of them in the witness")
	})
}
