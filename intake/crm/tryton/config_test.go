package tryton

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

const good = `
name: erp
url: https://tryton.example.com/
database: northwind
web_url: https://erp.example.com
user: leadgate
password: word-that-is-secret
timeout: 10s
mapping:
  owner: Ina Sales
  fields: {status: leadgate_status, problem: leadgate_problem}
  stages: {signed: won}
  defaults: {conversion_probability: 0.3}
`

func TestConfigIsReadFromYAML(t *testing.T) {
	var c Config
	if err := yaml.Unmarshal([]byte(good), &c); err != nil {
		t.Fatal(err)
	}
	crm, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer crm.Close()
	if got, want := crm.link(7), "https://erp.example.com/#northwind/model/sale.opportunity/7"; got != want {
		t.Errorf("a link is %s, want %s", got, want)
	}
	if got := crm.outcome("signed") + crm.outcome("cancelled") + crm.outcome("new in a module"); got != "wonlostopen" {
		t.Errorf("states mean %s", got)
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := New(Config{
		Name: "My ERP", URL: "http://x/?a=b", Database: "../other", WebURL: "javascript:x", Timeout: time.Hour,
		Mapping: Mapping{
			Fields: map[string]string{"rationale": "x", "status": "comment", "reason": "no field"},
			Stages: map[string]string{"won": "closed"}, Defaults: map[string]any{"company": 2},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, words := range []string{
		"name:", "url:", "database:", "web_url:", "user:", "password:", "timeout:", "mapping: fields: rationale is none of",
		`mapping: fields: status: "comment"`, `mapping: fields: reason: "no field"`, "mapping: stages: won:", `mapping: defaults: "company"`,
	} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("nothing is said of %s in\n%v", words, err)
		}
	}
}

func TestPrintingAConfigShowsNoSecret(t *testing.T) {
	c := Config{Name: "erp", URL: "https://crm.example.com/path-that-is-secret", Database: "d", User: "u", Password: "word-that-is-secret"}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "c", c)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "c", c)
	_, _ = fmt.Fprintf(&b, "%v %+v %#v %s", c, c, c, c)
	if strings.Contains(b.String(), "that-is-secret") || !strings.Contains(b.String(), "crm.example.com") {
		t.Errorf("%s", b.String())
	}
}
