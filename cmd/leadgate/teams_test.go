package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheAppForTeamsIsMadeFromTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	file, out := filepath.Join(dir, "leadgate.yaml"), filepath.Join(dir, "app.zip")
	config := func(teams, brand string) {
		t.Helper()
		text := `{program: Vendor, data: state, policy: {contact: {name: Mia, email: mia@vendor.example}}, mailboxes: [
  {name: partners, address: partners@vendor.example, outbox: out, direct: {listen: "127.0.0.1:0"}, sender_proof: {mode: none}}],
  pages: {listen: "127.0.0.1:0", url: "https://partners.vendor.example"` + brand + `}` + teams + `}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config("", "")
	for _, command := range [][]string{{"teams-app", "--config", file, "--out", out}, {"verify", "teams", "--config", file}} {
		if _, stderr, err := leadgate(t, command...); err == nil || !strings.Contains(stderr, "teams.enabled is false") {
			t.Errorf("%v without a bot: %v %s", command, err, stderr)
		}
	}
	config(`, teams: {enabled: true, app_id: 6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d, secret: x}`, "")
	if _, stderr, err := leadgate(t, "teams-app", "--config", file, "--out", out); err != nil || !strings.Contains(stderr, "no notice of privacy") {
		t.Fatalf("%v %s", err, stderr)
	}
	config(`, teams: {enabled: true, app_id: 6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d, secret: x}`, `, brand: {links: [{text: Privacy, url: "https://vendor.example/privacy"}]}`)
	if _, stderr, err := leadgate(t, "teams-app", "--config", file, "--out", out); err != nil || stderr != "" {
		t.Fatalf("%v %s", err, stderr)
	}
	z, err := zip.OpenReader(out)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 3 || z.File[0].Name != "manifest.json" {
		t.Errorf("%v", z.File)
	}
}
