package chat

import (
	"strconv"
	"strings"
	"time"

	"leadgate/templates"
)

// phrases are what templates has no words for, by language. {1}, {2} … stand for what is put in.
var phrases = map[string]map[string]string{
	"en": {
		"consent":         "I confirm that the prospect agrees to be contacted about this.",
		"consent.label":   "Consent",
		"email":           "Your work e-mail",
		"email.hint":      "We do not know yet for which partner you speak. We send you one link to confirm it.",
		"email.wrong":     "This is not an e-mail address.",
		"missing.text":    "Please fill this in.",
		"missing.long":    "Please say it in a sentence or two.",
		"missing.choice":  "Please choose one.",
		"missing.consent": "We can only take the registration if the prospect agrees to be contacted.",

		"form.title":    "Register a lead",
		"form.submit":   "Register",
		"form.close":    "Cancel",
		"answer.title":  "Add what is missing",
		"answer.submit": "Send",
		"behalf":        "You register this for {1}.",

		"register":     "Register a lead",
		"register.how": "Press the button to register a lead. You get a case number at once, and this conversation tells you how it goes on.",
		"answer":       "Add what is missing",
		"received":     "{1}: we have your registration of {2}.",
		"unproven":     "{1}: we have your registration of {2}. We sent a link to {3}; please confirm there that it is yours. Nothing is protected before that.",
		"disputed":     "{1}: we have your registration of {2}. A person of our team looks at it first.",
		"known":        "{1}: we had this registration already.",
		"noted":        "We have your words.",
		"nothing":      "You have no registrations yet.",
		"list":         "Your registrations, newest first:",
		"more":         "There are more; ask for one by its number.",
		"unknown_case": "None of your registrations has this number.",
		"who":          "We don't know for which partner you speak here. Register with the button; or ask your contact to connect this channel to your company.",
		"barred":       "Your company takes no part in the programme now. Ask your contact.",
		"late":         "The form could not be opened in time. Try again, or use this page: {1}",
		"late.plain":   "The form could not be opened in time. Please try again.",
		"busy":         "Too many registrations within the hour. Try again in {1} min.",
		"failed":       "This could not be stored. Nothing is lost that you see in the form: please send it again.",
		"expired":      "The form was open for too long. Please begin again.",
		"help":         "{1} opens the form, also with a beginning: {1} Acme acme.com Jane Doe jane@acme.com\n{1} status LG-2026-000123-K shows how a registration stands\n{1} list shows your registrations\nIn the thread of a registration, mention me with EXTEND, WITHDRAW or APPEAL and a reason, or write what we asked for.",
		"quiet":        "Answered",
		"passed":       "No longer yours",
		"quiet.how":    "Whoever registered it was told how it stands.",

		"page":            "Open the page of the registration",
		"over":            "This registration has come to its end.",
		"failed.command":  "This could not be stored. Please send it again.",
		"staff.submit":    "Decide",
		"staff.decided":   "Done: {1} ({2}).",
		"staff.role":      "Your account may not decide here. Whoever runs the gateway can add it to the staff of the configuration.",
		"staff.changed":   "The case has changed since this card was posted. Look at it again.",
		"staff.since":     "Since the card was posted:",
		"staff.rationale": "Why? This stays with our team.",
		"staff.message":   "Words to the partner",
		"staff.question":  "What do you want to know?",
		"staff.reason":    "Reason that the partner is told",
	},
	"de": {
		"consent":         "Ich bestätige, dass die Firma damit einverstanden ist, dazu kontaktiert zu werden.",
		"consent.label":   "Einwilligung",
		"email":           "Ihre geschäftliche E-Mail",
		"email.hint":      "Wir wissen noch nicht, für welchen Partner Sie sprechen. Wir senden Ihnen einen Link zur Bestätigung.",
		"email.wrong":     "Das ist keine E-Mail-Adresse.",
		"missing.text":    "Bitte ausfüllen.",
		"missing.long":    "Bitte in ein, zwei Sätzen.",
		"missing.choice":  "Bitte wählen.",
		"missing.consent": "Wir nehmen die Registrierung nur an, wenn die Firma mit der Kontaktaufnahme einverstanden ist.",

		"form.title":    "Lead registrieren",
		"form.submit":   "Registrieren",
		"form.close":    "Abbrechen",
		"answer.title":  "Angaben ergänzen",
		"answer.submit": "Senden",
		"behalf":        "Sie registrieren dies für {1}.",

		"register":     "Lead registrieren",
		"register.how": "Mit der Schaltfläche registrieren Sie einen Lead. Sie bekommen sofort eine Vorgangsnummer, und hier lesen Sie, wie es weitergeht.",
		"answer":       "Angaben ergänzen",
		"received":     "{1}: Wir haben Ihre Registrierung von {2}.",
		"unproven":     "{1}: Wir haben Ihre Registrierung von {2}. Wir haben einen Link an {3} gesendet; bitte bestätigen Sie dort, dass sie von Ihnen ist. Vorher ist nichts geschützt.",
		"disputed":     "{1}: Wir haben Ihre Registrierung von {2}. Zuerst sieht sie sich jemand aus unserem Team an.",
		"known":        "{1}: Diese Registrierung hatten wir schon.",
		"noted":        "Wir haben Ihre Worte.",
		"nothing":      "Sie haben noch keine Registrierungen.",
		"list":         "Ihre Registrierungen, die neuesten zuerst:",
		"more":         "Es gibt noch mehr; fragen Sie mit der Nummer danach.",
		"unknown_case": "Keine Ihrer Registrierungen hat diese Nummer.",
		"who":          "Wir wissen nicht, für welchen Partner Sie hier sprechen. Registrieren Sie mit der Schaltfläche; oder bitten Sie Ihren Kontakt, diesen Kanal mit Ihrer Firma zu verbinden.",
		"barred":       "Ihre Firma nimmt zurzeit nicht am Programm teil. Fragen Sie Ihren Kontakt.",
		"late":         "Das Formular konnte nicht rechtzeitig geöffnet werden. Versuchen Sie es noch einmal, oder nehmen Sie diese Seite: {1}",
		"late.plain":   "Das Formular konnte nicht rechtzeitig geöffnet werden. Bitte versuchen Sie es noch einmal.",
		"busy":         "Zu viele Registrierungen innerhalb einer Stunde. Versuchen Sie es in {1} Min. noch einmal.",
		"failed":       "Das konnte nicht gespeichert werden. Was im Formular steht, ist nicht verloren: Bitte senden Sie es noch einmal.",
		"expired":      "Das Formular war zu lange offen. Bitte beginnen Sie noch einmal.",
		"help":         "{1} öffnet das Formular, auch mit einem Anfang: {1} Acme acme.com Jane Doe jane@acme.com\n{1} status LG-2026-000123-K zeigt, wie eine Registrierung steht\n{1} liste zeigt Ihre Registrierungen\nIm Thread einer Registrierung erwähnen Sie mich mit VERLÄNGERN, ZURÜCKZIEHEN oder EINSPRUCH und einem Grund, oder schreiben Sie, wonach wir gefragt haben.",
		"quiet":        "Beantwortet",
		"passed":       "Nicht mehr Ihre",
		"quiet.how":    "Wer registriert hat, weiß, wie es steht.",

		"page":            "Die Seite der Registrierung öffnen",
		"over":            "Diese Registrierung ist abgeschlossen.",
		"failed.command":  "Das konnte nicht gespeichert werden. Bitte senden Sie es noch einmal.",
		"staff.submit":    "Entscheiden",
		"staff.decided":   "Erledigt: {1} ({2}).",
		"staff.role":      "Ihr Konto darf hier nicht entscheiden. Wer das Gateway betreibt, kann es in der Konfiguration zum Team hinzufügen.",
		"staff.changed":   "Der Vorgang hat sich geändert, seit diese Karte gesendet wurde. Sehen Sie ihn sich noch einmal an.",
		"staff.since":     "Seit die Karte gesendet wurde:",
		"staff.rationale": "Warum? Das bleibt in unserem Team.",
		"staff.message":   "Worte an den Partner",
		"staff.question":  "Was möchten Sie wissen?",
		"staff.reason":    "Grund, den der Partner erfährt",
	},
}

// Say returns a phrase in the language nearest to a locale, with with in the places of {1}, {2} ….
func Say(locale, phrase string, with ...string) string {
	s := say(templates.Language(locale), phrase)
	var pairs []string
	for i, w := range with {
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", w)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// Busy says that a limit is reached, and when there is room again.
func Busy(locale string, after time.Duration) string {
	return Say(locale, "busy", strconv.Itoa(max(1, int((after+time.Minute-1)/time.Minute))))
}

func say(lang, phrase string) string {
	if s := phrases[lang][phrase]; s != "" {
		return s
	}
	return phrases["en"][phrase]
}
