package mailbox

import (
	"strings"
	"testing"

	"leadgate/intake"
)

func TestTicketSystemsAreKnownByWhatTheySay(t *testing.T) {
	m := believing(t)
	for subject, texts := range map[string][]string{
		"Re: New lead [LG-2026-000123-K]": {
			"We received your request as ticket 1001.", "Your ticket number is 1001.", "A ticket has been created: https://tickets.example/1001",
			"This is an automated response. We will be with you soon.", "Please do not reply to this e-mail.", "Hello,\n\nYour request has been received (ticket #10012).",
			"##- Please type your reply above this line -##\n\nHello", "Dies ist eine automatische Antwort.", "Ceci est une réponse automatique.",
			"Este es un mensaje automático.", "Questo è un messaggio automatico.", "Dit is een automatisch bericht.", "このメールは自動送信です。",
		},
		"[Ticket#2026112310000012] New lead": {"Thank you for contacting us.", "Ihre Anfrage ist bei uns eingegangen.", "Votre demande a bien été reçue."},
	} {
		for _, text := range texts {
			s := takeMail(t, m, jane+"Subject: "+subject+"\n\n"+text+"\n")
			if len(s.Accepted) != 1 || s.Accepted[0].Mute != "looks automatic: the text is that of a ticket system; no answer was sent" || !s.Accepted[0].Lead.Empty() {
				t.Errorf("%s: %q: %+v", subject, text, s)
			}
		}
	}
}

// TestPeopleWhoSoundLikeATicketSystemAreHeard: they are taken in, and what they register is
// read.
func TestPeopleWhoSoundLikeATicketSystemAreHeard(t *testing.T) {
	m := believing(t)
	for name, tt := range map[string]struct {
		mail  string
		muted bool
	}{
		"thanks":                    {"Subject: Re: New lead [LG-2026-000123-K]\n\nThank you for your e-mail, I got your message.\n", false},
		"a request of the prospect": {"Subject: New lead\n\nWe got your request for leads in Spain.\n\nCompany: Acme GmbH\n", false},
		"a ticket of the prospect":  {"Subject: New lead\n\nCompany: Acme GmbH\nProblem: 300 tickets a day.\n", false},
		"far below":                 {"Subject: New lead\n\nCompany: Acme GmbH\n" + strings.Repeat("A line.\n", 12) + "Please do not reply to this e-mail.\n", false},
		"in a quotation":            {"Subject: New lead\n\nCompany: Acme GmbH\n\n> Your ticket number is 1001.\n", false},
		"a program with a form":     {"Subject: New lead\n\nThis is an automated message.\n\nCompany: Acme GmbH\n", true},
	} {
		s := takeMail(t, m, jane+tt.mail)
		if len(s.Accepted) != 1 || (s.Accepted[0].Mute != "") != tt.muted {
			t.Errorf("%s: %+v", name, s)
			continue
		}
		if name != "thanks" && s.Accepted[0].Lead[intake.FieldCompanyName] != "Acme GmbH" {
			t.Errorf("%s: lead %v", name, s.Accepted[0].Lead)
		}
	}
	lifted, _ := newTestMailbox(t, Config{TreatAsHuman: []string{"partner.example"}})
	if s := takeMail(t, lifted, jane+"Subject: x\n\nThis is an automated message.\n\nCompany: Acme GmbH\n"); s.Accepted[0].Mute != "" {
		t.Errorf("an operator's word does not count: %+v", s)
	}
}
