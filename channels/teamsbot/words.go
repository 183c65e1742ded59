package teamsbot

import (
	"leadgate/templates"
)

// phrases are what package chat has no words for, by language; who is a phrase of its own there.
var phrases = map[string]map[string]string{
	"en": {
		"again":    "We could not look up who you are just now. Nothing was stored; please send it again.",
		"personal": "Others read along here. Please ask me in a personal chat.",
		"quiet":    "We have your registration. Others read along here; how it goes on is told to you alone.",
		"problems": "Please look at this again:",
		"open":     "Open the page of the registration",
	},
	"de": {
		"again":    "Wir konnten gerade nicht nachsehen, wer Sie sind. Nichts wurde gespeichert; bitte senden Sie es noch einmal.",
		"personal": "Hier lesen andere mit. Bitte fragen Sie mich in einem persönlichen Chat.",
		"quiet":    "Wir haben Ihre Registrierung. Hier lesen andere mit; wie es weitergeht, erfahren Sie allein.",
		"problems": "Bitte sehen Sie sich das noch einmal an:",
		"open":     "Seite der Registrierung öffnen",
	},
}

func say(locale, phrase string) string { return phrases[templates.Language(locale)][phrase] }
