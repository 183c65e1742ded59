package webform

// consents are the words that a visitor agrees to, by language, as the page has them.
var consents = map[string]string{
	"en": "I confirm that the prospect agrees to be contacted about this.",
	"de": "Ich bestätige, dass die Firma damit einverstanden ist, dazu kontaktiert zu werden.",
}
