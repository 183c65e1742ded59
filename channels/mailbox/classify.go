package mailbox

import (
	"fmt"
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// verdict says that a mail is no person's: why, and what was found, in words for staff. The
// zero value is a person's mail.
type verdict struct {
	reason intake.AsideReason
	detail string
}

func (v verdict) human() bool { return v.reason == "" }

// classify tells the mail of people from that of machines, which is never answered, so that
// two robots never talk to each other (RFC 3834, section 2). The order matters: what a mail
// is for staff is the first thing that fits. nullSender says that the envelope sender was
// <>, where the transport told it.
func (m *Mailbox) classify(p *mailparse.Parsed, nullSender bool) verdict {
	for _, check := range []func(*mailparse.Parsed) verdict{
		m.ownMail,
		func(p *mailparse.Parsed) verdict { return bounce(p, nullSender) },
		automatic,
		listMail,
		ambiguousFrom,
	} {
		if v := check(p); !v.human() {
			return v
		}
	}
	return verdict{}
}

// ownMail finds what this mailbox sent itself.
func (m *Mailbox) ownMail(p *mailparse.Parsed) verdict {
	if _, ok := m.tokens.parse(p.MessageID); ok {
		return verdict{intake.AsideOwn, "its Message-ID is one of our answers"}
	}
	for _, a := range p.From {
		if m.own.has(a.Address) {
			return verdict{intake.AsideOwn, "From is an address of this mailbox"}
		}
	}
	return verdict{}
}

// bounce finds reports about mail (RFC 3464, RFC 5965, RFC 8098) and what else comes back.
func bounce(p *mailparse.Parsed, nullSender bool) verdict {
	switch local := fromLocal(p); {
	case p.Report != "":
		return verdict{intake.AsideBounce, "a report: " + p.Report}
	case nullSender, strings.TrimSpace(p.Header.Get("Return-Path")) == "<>":
		return verdict{intake.AsideBounce, "the envelope sender is empty"}
	case p.Header.Has("X-Failed-Recipients"):
		return verdict{intake.AsideBounce, "X-Failed-Recipients"}
	case local == "mailer-daemon", local == "postmaster", local == "mailerdaemon", local == "mail-daemon":
		return verdict{intake.AsideBounce, "From is " + local}
	}
	return verdict{}
}

// automatic finds answering machines and other programs.
func automatic(p *mailparse.Parsed) verdict {
	for _, v := range p.Header.All("Auto-Submitted") { // RFC 3834, section 5
		token, _, _ := strings.Cut(senderauth.DropComments(v), ";")
		if token = strings.ToLower(strings.TrimSpace(token)); token != "" && token != "no" {
			return verdict{intake.AsideRobot, "Auto-Submitted: " + mailparse.CleanLine(clipped(token))}
		}
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply", "X-Loop"} {
		if v := strings.ToLower(p.Header.Get(name)); p.Header.Has(name) && v != "no" && v != "false" {
			return verdict{intake.AsideRobot, name}
		}
	}
	suppress := strings.ToLower(p.Header.Get("X-Auto-Response-Suppress"))
	for _, token := range strings.FieldsFunc(suppress, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		if token == "all" || token == "autoreply" || token == "oof" {
			return verdict{intake.AsideRobot, "X-Auto-Response-Suppress: " + token}
		}
	}
	switch precedence := strings.ToLower(mailparse.CleanLine(p.Header.Get("Precedence"))); precedence {
	case "bulk", "list", "junk", "auto_reply":
		return verdict{intake.AsideRobot, "Precedence: " + precedence}
	}
	if local := fromLocal(p); machineLocal.MatchString(local) {
		return verdict{intake.AsideRobot, "From is " + clipped(local)}
	}
	if machineSubject.MatchString(p.Subject) {
		return verdict{intake.AsideRobot, "the subject is that of an automatic reply"}
	}
	return verdict{}
}

// machineSubject is how answering machines without any header begin.
var machineSubject = regexp.MustCompile(`(?i)^\s*(?:auto(?:matic)?[- ]?reply|autoreply|out of (?:the )?office|abwesenheitsnotiz|automatische antwort|réponse automatique|respuesta automática|risposta automatica|automatisch antwoord|resposta automática|automatyczna odpowiedź|autosvar|自動応答)\b?\s*:`)

// machineLocal are local parts that nobody reads.
var machineLocal = regexp.MustCompile(`^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|noreply[-_.+].*|no[-_.]reply[-_.+].*|bounces?(?:[-_.+].*)?|owner-.*|.*-(?:request|bounces?|owner)|notifications?|mailer|autoreply|auto[-_]?(?:reply|responder))$`)

// listMail finds mailing lists and mass mail (RFC 2369, RFC 2919).
func listMail(p *mailparse.Parsed) verdict {
	for _, name := range []string{"List-Id", "List-Unsubscribe", "List-Post", "List-Help", "List-Subscribe", "List-Owner", "List-Archive", "Mailing-List", "Feedback-ID"} {
		if p.Header.Has(name) {
			return verdict{intake.AsideRobot, name}
		}
	}
	return verdict{}
}

// ambiguousFrom finds mail of which nobody can say who wrote it.
func ambiguousFrom(p *mailparse.Parsed) verdict {
	switch {
	case p.FromFields > 1:
		return verdict{intake.AsideAmbiguousFrom, fmt.Sprintf("%d From fields", p.FromFields)}
	case len(p.From) > 1:
		return verdict{intake.AsideAmbiguousFrom, fmt.Sprintf("%d addresses in From", len(p.From))}
	case len(p.From) == 0:
		return verdict{intake.AsideAmbiguousFrom, "no address in From"}
	case !isAddress(p.From[0].Address):
		return verdict{intake.AsideAmbiguousFrom, "From is no address"}
	}
	for _, shown := range mailparse.AddrSpec.FindAllString(p.From[0].Name, 5) {
		if !strings.EqualFold(shown, p.From[0].Address) {
			return verdict{intake.AsideAmbiguousFrom, "the name in From shows another address"}
		}
	}
	return verdict{}
}

// fromLocal returns the local part of the first From address, lower case.
func fromLocal(p *mailparse.Parsed) string {
	if len(p.From) == 0 {
		return ""
	}
	a := strings.ToLower(p.From[0].Address)
	return a[:max(0, strings.LastIndexByte(a, '@'))]
}

// clipped bounds what others wrote before it is shown.
func clipped(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
