package command_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"leadgate/intake"
	"leadgate/intake/command"
)

func TestParse(t *testing.T) {
	const n = "LG-2026-000123-K"
	for name, tt := range map[string]struct {
		text string
		want []intake.Command
	}{
		"a word alone":                         {"STATUS", []intake.Command{{Verb: intake.VerbStatus}}},
		"in small letters with a number":       {"status " + strings.ToLower(n), []intake.Command{{Verb: intake.VerbStatus, Case: n}}},
		"with a number in brackets":            {"Status: [" + n + "]", []intake.Command{{Verb: intake.VerbStatus, Case: n}}},
		"below a greeting":                     {"Hi Mia,\n\nwithdraw " + n + "\n\nBest, Jane", []intake.Command{{Verb: intake.VerbWithdraw, Case: n}}},
		"a reason after capitals":              {"EXTEND meeting moved to May", []intake.Command{{Verb: intake.VerbExtend, Words: "meeting moved to May"}}},
		"a number and a reason":                {"APPEAL " + n + " - we met them in March", []intake.Command{{Verb: intake.VerbAppeal, Case: n, Words: "we met them in March"}}},
		"two commands":                         {"STATUS\nWITHDRAW " + n, []intake.Command{{Verb: intake.VerbStatus}, {Verb: intake.VerbWithdraw, Case: n}}},
		"in German":                            {"Verlängern", []intake.Command{{Verb: intake.VerbExtend}}},
		"in German without umlauts":            {"VERLAENGERN Termin erst im Mai", []intake.Command{{Verb: intake.VerbExtend, Words: "Termin erst im Mai"}}},
		"withdrawing in German":                {"ZURÜCKZIEHEN " + n, []intake.Command{{Verb: intake.VerbWithdraw, Case: n}}},
		"the rules":                            {"rules", []intake.Command{{Verb: intake.VerbRules}}},
		"the rules in German":                  {"Hallo Mia,\nRegeln", []intake.Command{{Verb: intake.VerbRules}}},
		"agreeing to a version":                {"AGREE 2026-11", []intake.Command{{Verb: intake.VerbAgree, Words: "2026-11"}}},
		"agreeing in small letters":            {"agree v3", []intake.Command{{Verb: intake.VerbAgree, Words: "v3"}}},
		"switching the digest off":             {"DIGEST OFF", []intake.Command{{Verb: intake.VerbDigest, Words: "off"}}},
		"switching it on in small letters":     {"Hi,\ndigest on.", []intake.Command{{Verb: intake.VerbDigest, Words: "on"}}},
		"switching it off in German":           {"Überblick aus", []intake.Command{{Verb: intake.VerbDigest, Words: "off"}}},
		"switching it on in German":            {"ÜBERBLICK EIN", []intake.Command{{Verb: intake.VerbDigest, Words: "on"}}},
		"a sentence about a digest":            {"Digest of the week, as we said.", nil},
		"agreeing in German":                   {"Zustimmen 2026-11", []intake.Command{{Verb: intake.VerbAgree, Words: "2026-11"}}},
		"agreeing in a sentence is none":       {"agree with what you say", nil},
		"rules in a sentence are none":         {"Rules of our tender are attached", nil},
		"with a full stop":                     {"Help.", []intake.Command{{Verb: intake.VerbHelp}}},
		"a sentence is none":                   {"Status of the project is good", nil},
		"a sentence that begins with help":     {"Help us to win Acme", nil},
		"a label is none":                      {"Status: evaluation", nil},
		"a command below other text is none":   {"We will call them.\nWITHDRAW", nil},
		"withdrawing in a sentence is no word": {"withdraw our offer from March please", nil},
		"nothing":                              {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := command.Parse(tt.text); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestATitleThatIsACommand(t *testing.T) {
	const n = "LG-2026-000123-K"
	for title, want := range map[string][]intake.Command{
		"STATUS " + n:                {{Verb: intake.VerbStatus, Case: n}},
		"[" + n + "] STATUS":         {{Verb: intake.VerbStatus, Case: n}},
		"AGREE 2026-11":              {{Verb: intake.VerbAgree, Words: "2026-11"}},
		"Rules of our tender":        nil,
		"Status":                     {{Verb: intake.VerbStatus}},
		"EXTEND " + n + " until May": {{Verb: intake.VerbExtend, Case: n, Words: "until May"}},
		"DIGEST OFF":                 {{Verb: intake.VerbDigest, Words: "off"}},
		"DIGEST of our week":         nil,
		"STATUS of our pipeline":     nil,
		"Help us with Acme":          nil,
		"New lead: Acme [" + n + "]": nil,
		n:                            nil,
		"":                           nil,
	} {
		if got := command.Subject(title); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", title, got, want)
		}
	}
}

func TestTextIsSplitByTheCaseNumbersThatBeginItsLines(t *testing.T) {
	const n, o = "LG-2026-000123-K", "LG-2026-000124-P"
	for name, tt := range map[string]struct {
		text string
		want []command.Section
	}{
		"in front of a line":         {n + " Stage: evaluation\n" + o + ": Consent: yes", []command.Section{{n, "Stage: evaluation"}, {o, "Consent: yes"}}},
		"alone, with lines below":    {"Hi Mia,\n\n[" + n + "]\nStage: evaluation\n\nConsent: yes\n* " + o + "\nRole: CFO", []command.Section{{n, "Stage: evaluation\n\nConsent: yes"}, {o, "Role: CFO"}}},
		"the same number twice":      {n + " Stage: evaluation\n" + strings.ToLower(n) + " Consent: yes", []command.Section{{n, "Stage: evaluation\nConsent: yes"}}},
		"a number within a sentence": {"We mean " + n + ".", nil},
		"no number":                  {"Stage: evaluation", nil},
		"a longer number is another": {n + "X Stage: evaluation", nil},
	} {
		if got := command.Sections(tt.text); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestFilledLinesAreThoseWithAValue(t *testing.T) {
	const n, o = "LG-2026-000123-K", "LG-2026-000124-P"
	text := "Thanks!\n> * " + n + "  Acme GmbH\n>   Still needed: Stage\n> " + n + " Stage: evaluation\n> " + o + " Stage: \n" +
		"> > " + o + " Consent: yes\n" + o + " Role: CFO\n"
	want := []command.Section{{Case: n, Text: "Stage: evaluation"}, {Case: o, Text: "Role: CFO"}}
	if got := command.Filled(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"STATUS LG-2026-000123-K", "Hi,\nEXTEND x", "appeal", "WITHDRAW -- \x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range command.Parse(text) {
			if c.Case != strings.ToUpper(c.Case) || strings.ContainsAny(c.Words, "\r\n") || utf8.RuneCountInString(c.Words) > 500 {
				t.Errorf("%+v", c)
			}
			again := command.Parse(strings.ToUpper(string(c.Verb)) + " " + c.Case + " " + c.Words)
			if len(again) != 1 || again[0].Verb != c.Verb {
				t.Errorf("%+v read again is %+v", c, again)
			}
		}
	})
}

func TestAgrees(t *testing.T) {
	for text, want := range map[string]bool{
		"yes": true, "YES": true, "Yes!\n\nAna": true, "Hi Mia,\n\nyes.\n": true, "Ja,\n\nGrüße": true, "YES that was me": true, "Sí": true,
		"no": false, "": false, "\n\n": false, "Yes, but I did not send that": false, "Who are you? yes": false,
		"I can't say yes": false, "Yesterday": false, "Hi Mia,": false, "No.\nyes": false,
	} {
		if got := command.Agrees(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
