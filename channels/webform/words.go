package webform

import (
	"maps"

	"leadgate/channels/webform/captcha"
)

// consents are the words that a visitor agrees to, by language, as the page has them.
var consents = map[string]string{
	"en": "I confirm that the prospect agrees to be contacted about this.",
	"de": "Ich bestätige, dass die Firma damit einverstanden ist, dazu kontaktiert zu werden.",
}

// widgetWords are the words of the widget of ALTCHA, as it takes them, by language; its own are
// English.
var widgetWords = map[string]string{
	"de": `{"label":"Ich bin kein Roboter","verifying":"Wird geprüft …","verified":"Geprüft",` +
		`"error":"Die Prüfung ist gescheitert. Versuchen Sie es noch einmal.","expired":"Die Prüfung ist abgelaufen. Versuchen Sie es noch einmal.",` +
		`"waitAlert":"Die Prüfung läuft noch.","verificationRequired":"Bitte bestätigen Sie das."}`,
}

// worded has a widget speak a language, where it can't find that out by itself.
func worded(w captcha.Widget, lang string) captcha.Widget {
	if words := widgetWords[lang]; words != "" && w.Provider == captcha.KindAltcha {
		w.Element.Attrs = maps.Clone(w.Element.Attrs)
		w.Element.Attrs["strings"] = words
	}
	return w
}
