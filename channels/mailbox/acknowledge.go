package mailbox

import (
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake/extract"
)

// acknowledgement finds ticket systems that declare themselves by no header, by what they
// say first. People may use such words too, so that their mail is taken in all the same; it
// is only not answered. written is the text without quotations.
func acknowledgement(p *mailparse.Parsed, written string) finding {
	n := 0
	for line := range strings.Lines(head(written, maxWords)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if n++; n > acknowledgingLines {
			break
		}
		if acknowledging.MatchString(line) || receiving.MatchString(line) && ticketMark.MatchString(caseMark.ReplaceAllString(p.Subject, " ")+" "+line) {
			return finding{class: classAcknowledgement, verdict: verdict{detail: "the text is that of a ticket system"}}
		}
	}
	return finding{}
}

// acknowledgingLines is how many lines of a text are looked at: a machine says at once what
// it is.
const acknowledgingLines = 10

var (
	acknowledging = regexp.MustCompile(`(?i)(?:` + strings.Join([]string{
		`\b(?:your|a|the) (?:new )?(?:support )?(?:ticket|case|request|enquiry|inquiry|incident)(?: number| id| no\.?)? (?:is|has been|was) (?:(?:successfully )?(?:created|opened|logged|registered|assigned|received)\b|#?[a-z-]{0,10}\d{3,})`,
		`this is an? (?:automat(?:ed|ic)|auto-?generated|system[- ]generated)(?:ally generated)? (?:reply|response|message|acknowledge?ment|e-?mail|mail|confirmation|notification)`,
		`(?:please )?do not (?:reply|respond) to this (?:e-?mail|message|mail)`, `(?:type|write|enter) your reply above this line`,
		`received your (?:request|message|e-?mail|enquiry|inquiry|mail)\b.{0,40}\b(?:as|under|with) (?:the )?(?:ticket|case|reference|request|number)`,
		`dies ist eine automatisch(?:e| erzeugte| generierte)`, `(?:ihre|deine) (?:ticket|vorgangs|fall)-?(?:nummer|id)\b`, `bitte antworten sie nicht auf diese`,
		`(?:ceci est|il s'agit d.) ?un(?:e)? (?:message|réponse|e-?mail|courriel) automatique`, `votre numéro de (?:ticket|dossier|demande)`, `ne pas répondre à ce (?:message|mail|courriel)`,
		`este es un (?:mensaje|correo) (?:automático|generado automáticamente)`, `número de (?:ticket|caso|solicitud) es`, `no responda a este (?:mensaje|correo)`,
		`questo è un messaggio automatico`, `il (?:suo|tuo) (?:ticket|numero di ticket)\b`, `dit is een automatisch(?:e)? (?:bericht|antwoord|e-?mail)`, `uw ticketnummer`,
		`esta é uma (?:mensagem|resposta) automática`, `to jest automatyczna (?:wiadomość|odpowiedź)`, `numer (?:zgłoszenia|sprawy)`, `自動(?:送信|配信|返信|応答)`, `(?:受付|お問い合わせ)番号`,
	}, "|") + `)`)
	// receiving alone is what people say as well; with a number it is a machine's.
	receiving = regexp.MustCompile(`(?i)(?:` + strings.Join([]string{
		`(?:received|got) your (?:request|message|e-?mail|enquiry|inquiry|mail)`, `thank you for (?:contacting|your (?:request|e-?mail|message|enquiry|inquiry))`, `your (?:request|message|e-?mail|enquiry|inquiry) (?:has been|was) received`,
		`(?:ihre|deine) (?:anfrage|nachricht|e-?mail) (?:ist|wurde|haben wir).{0,30}(?:eingegangen|erhalten|registriert)`, `votre (?:demande|message|e-?mail) a (?:bien )?été (?:reçu|enregistré)`,
		`(?:su|tu) (?:solicitud|mensaje|correo|consulta) (?:ha sido|fue) (?:recibid|registrad)`, `abbiamo ricevuto (?:la|il) (?:sua|suo|tua|tuo)`, `(?:uw|je) (?:aanvraag|bericht|verzoek) (?:is|hebben).{0,20}ontvangen`,
	}, "|") + `)`)
	ticketMark = regexp.MustCompile(`(?i)\b(?:ticket|case|request|incident|reference|ref|vorgang|anfrage|fall|demande|dossier|solicitud|caso|zgłoszenie)(?: (?:id|no|nr|number|nummer))?\.?\s?[:#]{0,2}\s?[a-z]{0,4}-?\d{3,}|\[#?[a-z-]{0,12}#?\d{3,}\]`)
)

// ourLetter is the line of our letters that names the case, as no person writes it.
var ourLetter = regexp.MustCompile(`(?im)^\s*[\p{L} ]{2,40}: [A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z]\s*$`)

// acknowledged reads the mail of a ticket system: what it says in sentences is no
// registration.
func acknowledged(u *understood) {
	f := acknowledgement(&u.mail, u.read.New)
	if f.class == "" && len(u.mail.InReplyTo)+len(u.mail.References) == 0 && ourLetter.MatchString(u.mail.Text) {
		f = finding{class: classAcknowledgement, verdict: verdict{detail: "a letter of ours comes back unquoted, in no thread"}}
	}
	if f.class == "" {
		return
	}
	u.found = f
	if !registered(u.read.Leads, false) {
		u.read.Leads = nil
		u.read.Class = extract.ClassUnclear
	}
}
