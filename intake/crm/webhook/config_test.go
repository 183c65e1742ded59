package webhook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

func TestConfigIsReadFromYAML(t *testing.T) {
	var c Config
	err := yaml.Unmarshal([]byte("name: crm\nurl: https://crm.example.com/\nsecret: "+secret+"\ntimeout: 20s\nallow_private: true\n"), &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "crm" || c.Timeout != 20*time.Second || !c.AllowPrivate || c.Secret != secret {
		t.Errorf("read %#v", c)
	}
	w, err := New(c)
	if err != nil || w.timeout != 20*time.Second || w.Name() != "crm" {
		t.Errorf("%+v %v", w, err)
	}
}

func TestTheTimeOutHasADefault(t *testing.T) {
	w := connect(t, "https://crm.example.com/", func(c *Config) { c.Timeout = 0 })
	if w.timeout != 15*time.Second {
		t.Errorf("time-out %v", w.timeout)
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := New(Config{Name: "My CRM", URL: "http://x", Secret: "whsec_!", Timeout: time.Hour})
	if err == nil {
		t.Fatal("no error")
	}
	for _, key := range []string{"name:", "url:", "secret:", "timeout:"} {
		if !strings.Contains(err.Error(), key) {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

func TestSecrets(t *testing.T) {
	encoded := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for s, want := range map[string]bool{
		encoded(24): true, encoded(64): true, encoded(23): false, encoded(65): false, "": false, "whsec_": false,
		strings.TrimPrefix(secret, "whsec_"): false, "whsec_%%%hush-hush-hush%%%": false, " " + secret: false,
	} {
		_, err := decodeSecret(s)
		if (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
		if err != nil && len(s) > 10 && strings.Contains(err.Error(), s[8:]) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestPrintingAConfigShowsNoSecret(t *testing.T) {
	c := Config{Name: "crm", URL: "https://crm.example.com/path-that-is-secret", Secret: secret}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "c", c)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "c", c)
	_, _ = fmt.Fprintf(&b, "%v %+v %#v %s", c, c, c, c)
	for _, s := range []string{secret[6:], "path-that-is-secret"} {
		if strings.Contains(b.String(), s) {
			t.Errorf("%s", b.String())
		}
	}
}
