package mailbox

import (
	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake/extract"
)

// extractInput is what the reader of leads gets of a mail.
func extractInput(p *mailparse.Parsed) extract.Input {
	in := extract.Input{Subject: p.Subject, Text: p.Text, HTML: p.HTML}
	if len(p.From) > 0 {
		in.SenderName, in.SenderAddress = p.From[0].Name, p.From[0].Address
		in.SenderDomain = senderauth.Organisation(p.From[0].Domain())
	}
	return in
}
