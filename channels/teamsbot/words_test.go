package teamsbot

import (
	"testing"

	"leadgate/templates"
)

func TestEveryPhraseIsThereInEveryLanguage(t *testing.T) {
	if templates.Language("de-AT") != "de" || templates.Language("fr") != "en" {
		t.Fatal("the languages are others")
	}
	for lang, all := range phrases {
		for name := range phrases["en"] {
			if all[name] == "" {
				t.Errorf("%s has no %q", lang, name)
			}
		}
		if len(all) != len(phrases["en"]) {
			t.Errorf("%s has %d phrases, en has %d", lang, len(all), len(phrases["en"]))
		}
	}
}
