package templates

import (
	"slices"
	"strings"
	"testing"

	"leadgate/intake"
)

func plainOf(t *testing.T, m intake.Message) Plain {
	t.Helper()
	p, err := set().Plain(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPlainSaysWhatTheMailSays: the same title, and every line of it stands in the text.
func TestPlainSaysWhatTheMailSays(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, tag := range languages() {
		for name, m := range goldens() {
			m = in(tag, m)
			r, p := render(t, m), plainOf(t, m)
			if p.Title != r.Subject || len(p.Lines) == 0 {
				t.Errorf("%s, %s: title %q, %d lines", tag, name, p.Title, len(p.Lines))
			}
			for _, l := range p.Lines {
				if !strings.Contains(squeeze(r.Text), l) {
					t.Errorf("%s, %s: %q is not in the mail", tag, name, l)
				}
			}
			for _, b := range p.Buttons {
				if !strings.Contains(r.Text, b.URL) {
					t.Errorf("%s, %s: the mail does not link to %s", tag, name, b.URL)
				}
			}
			for _, a := range p.Asks {
				if !strings.Contains(r.Text, a.Label) {
					t.Errorf("%s, %s: the mail does not ask for %s", tag, name, a.Label)
				}
			}
		}
	}
}

func TestPlainHasTheFactsOfTheCase(t *testing.T) {
	p := plainOf(t, sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, ""))
	for _, want := range []PlainField{
		{"Case number", "LG-2026-000123-K"},
		{"Company as you typed it", "Acme GmbH"},
		{"Current state", "Waiting for you"},
		{"Your answer is due by", "Tuesday 24 November 2026, 17:30 CET (UTC+1)"},
		{"Your contact", "Pia Manager, pia@vendor.example"},
	} {
		if !slices.Contains(p.Fields, want) {
			t.Errorf("%v is not in %v", want, p.Fields)
		}
	}
	if len(p.Asks) != 2 || p.Asks[0].Label != "Contact e-mail" || p.Asks[0].Example == "" {
		t.Errorf("asks %v", p.Asks)
	}
	if !slices.Contains(p.Buttons, PlainButton{"The page of this case", "https://partners.vendor.example/status/AbCdEf0123456789"}) {
		t.Errorf("buttons %v", p.Buttons)
	}
}

func TestPlainOfAQuarantinedCaseSaysNothingOfIt(t *testing.T) {
	p := plainOf(t, sample(intake.MessageReceived, intake.StatusQuarantined, ""))
	for _, f := range p.Fields {
		if strings.Contains(f.Value, "cme") {
			t.Errorf("%v", f)
		}
	}
	if len(p.Buttons) != 0 {
		t.Errorf("%v", p.Buttons)
	}
}

func TestAnUnknownKindHasNoPlainFacts(t *testing.T) {
	if _, err := set().Plain(sample("poem", "", "")); !intake.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}
