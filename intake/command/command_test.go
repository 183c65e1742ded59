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
