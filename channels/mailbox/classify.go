package mailbox

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// class says who wrote a mail.
type class string

// The classes, in the order in which they are looked for.
const (
	classOwn       class = "own"
	classComplaint class = "complaint" // a feedback report
	classReceipt   class = "receipt"   // a disposition notification: it was read
	classBounce    class = "bounce"
	classVacation  class = "vacation" // an answering machine, for a person who is away
	classAmbiguous class = "ambiguous"
	classAutomatic class = "automatic" // a program, by its own header
	classList      class = "list"
	classNoReply   class = "no_reply" // a sender whom nobody can answer
	classQuiet     class = "quiet"    // a person whose mail server asks for no automatic answer
	// classAcknowledgement is a ticket system that nothing but its words betray. It is found
	// only after the text was read.
	classAcknowledgement class = "acknowledgement"
	classPerson          class = "person"
)

// classes is the full set.
func classes() []class {
	return []class{
		classOwn, classComplaint, classReceipt, classBounce, classVacation, classAmbiguous,
		classAutomatic, classList, classNoReply, classQuiet, classAcknowledgement, classPerson,
	}
}

// treatment is what is done with a mail.
type treatment string

const (
	toAnswer treatment = "answer"
	toMute   treatment = "mute" // it is taken in and never answered by itself
	// toMuteLeads takes it in, unanswered, if a lead is in it, and sets it aside if not: partners'
	// programs register leads too, and some mail servers mark the mail of people so.
	toMuteLeads treatment = "mute if leads"
	toSetAside  treatment = "set aside"
)

func (c class) treatment() treatment {
	switch c {
	case classPerson:
		return toAnswer
	case classQuiet, classAcknowledgement:
		return toMute
	case classAutomatic, classList, classNoReply:
		return toMuteLeads
	}
	return toSetAside
}

// verdict is why a mail is set aside: the reason, and what was found, in words for staff.
// The zero value sets nothing aside.
type verdict struct {
	reason intake.AsideReason
	detail string
}

func (v verdict) human() bool { return v.reason == "" }

// finding is what the classifier found. The verdict of a person's mail is zero.
type finding struct {
	class class
	verdict
}

const noAnswer = "; no answer was sent"

// mute says why a mail is taken in and not answered, in words for staff.
func (f finding) mute() string {
	switch f.class {
	case classAutomatic:
		return "automatic mail: " + f.detail + noAnswer
	case classList:
		return "mail of a list: " + f.detail + noAnswer
	case classNoReply:
		return "nobody reads mail to the sender: " + f.detail + noAnswer
	case classAcknowledgement:
		return "looks automatic: " + f.detail + noAnswer
	case classQuiet:
		return "asks for no automatic answer: " + f.detail + noAnswer
	}
	return ""
}

// classify tells the mail of people from that of machines, which is never answered, so that
// two robots never talk to each other (RFC 3834, section 2). The order matters: what a mail
// is for staff is the first thing that fits.
func (m *Mailbox) classify(p *mailparse.Parsed, d delivery) finding {
	checks := []func(*mailparse.Parsed) finding{
		m.ownMail,
		reportSigns,
		m.bounceSigns,
		vacation,
		func(p *mailparse.Parsed) finding { return m.bouncePath(p, d) },
		ambiguousFrom,
	}
	if !m.treatedAsHuman(p) {
		checks = append(checks, automatic, listMail, noReply, quiet)
	}
	for _, check := range checks {
		if f := check(p); f.class != "" {
			return f
		}
	}
	return finding{class: classPerson}
}

// ownMail finds what this mailbox sent itself.
func (m *Mailbox) ownMail(p *mailparse.Parsed) finding {
	own := func(detail string) finding {
		return finding{classOwn, verdict{intake.AsideOwn, detail}}
	}
	if id, _ := m.tokens.message(p.MessageID); id != "" {
		return own("its Message-ID is one of our answers")
	}
	for _, a := range p.From {
		if m.own.has(a.Address) {
			return own("From is an address of this mailbox")
		}
	}
	if strings.EqualFold(strings.TrimSpace(p.Header.Get(instanceField)), m.tokens.instance()) {
		return own(instanceField + " is ours")
	}
	return finding{}
}

// treatedAsHuman reports whether the operator has said that the sender is a person, or a
// program that is to be answered like one.
func (m *Mailbox) treatedAsHuman(p *mailparse.Parsed) bool {
	if len(p.From) != 1 {
		return false
	}
	address, domain := strings.ToLower(p.From[0].Address), p.From[0].Domain()
	for _, who := range m.cfg.TreatAsHuman {
		who = strings.ToLower(who)
		if who == address || who == domain || !strings.Contains(who, "@") && strings.HasSuffix(domain, "."+who) {
			return true
		}
	}
	return false
}

// vacation finds the answering machines of people who are away. What they quote is no
// registration.
func vacation(p *mailparse.Parsed) finding {
	machine := func(detail string) finding {
		return finding{classVacation, verdict{intake.AsideRobot, detail}}
	}
	if token := autoSubmitted(p); token == "auto-replied" {
		return machine("Auto-Submitted: auto-replied")
	}
	if v := precedence(p); v == "auto_reply" || v == "auto-reply" {
		return machine("Precedence: " + v)
	}
	for _, f := range []struct{ name, value string }{
		{"Delivered-To", "autoresponder"}, {"X-Autogenerated", "reply"}, {"X-POST-MessageClass", "autoresponder"},
	} {
		for _, v := range p.Header.All(f.name) {
			if strings.Contains(strings.ToLower(v), f.value) && !strings.Contains(v, "@") {
				return machine(f.name + ": " + f.value)
			}
		}
	}
	if machineSubject.MatchString(p.Subject) {
		return machine("the subject is that of an automatic reply")
	}
	return finding{}
}

// machineSubject is how answering machines without any header begin.
var machineSubject = regexp.MustCompile(`(?i)^\s*\[?\s*(?:` + strings.Join([]string{
	`auto(?:matic)?[- ]?(?:reply|response|answer)`, `out[- ]of[- ](?:the[- ])?office(?:[- ]auto[- ]?reply|[- ]reply|[- ]message)?`,
	`vacation[- ](?:reply|response|message)`, `ooo`,
	`abwesenheitsnotiz`, `abwesenheitsmeldung`, `automatische (?:antwort|rückantwort)`, `abwesend`,
	`réponse automatique`, `message d'absence`, `absence du bureau`, `respuesta automática`, `fuera de la oficina`,
	`risposta automatica`, `fuori sede`, `automatisch antwoord`, `afwezigheidsbericht`, `resposta automática`, `fora do escritório`,
	`automatyczna odpowiedź`, `autosvar`, `automaattinen vastaus`, `automatická odpověď`, `automatikus válasz`,
	`otomatik yanıt`, `автоматический ответ`, `автоответ`, `自動応答`, `自動返信`, `自动答复`, `自动回复`, `自動回覆`, `자동 회신`,
}, "|") + `)\s*\]?\s*[:：\]]`)

// automatic finds programs by the fields that they declare themselves with.
func automatic(p *mailparse.Parsed) finding {
	program := func(detail string) finding {
		return finding{classAutomatic, verdict{intake.AsideRobot, detail}}
	}
	if token := autoSubmitted(p); token != "" {
		return program("Auto-Submitted: " + token)
	}
	for _, name := range []string{
		"X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply", "X-Mail-Autoreply", "X-AutoReply-From",
		"X-Autogenerated", "X-FC-MachineGenerated", "X-Cron-Env", "X-Loop",
	} {
		if v := strings.ToLower(strings.TrimSpace(p.Header.Get(name))); p.Header.Has(name) && v != "no" && v != "false" {
			return program(name)
		}
	}
	switch v := precedence(p); v {
	case "bulk", "list", "junk":
		return program("Precedence: " + v)
	}
	return finding{}
}

// autoSubmitted returns the keyword of Auto-Submitted (RFC 3834, section 5), "" for "no".
func autoSubmitted(p *mailparse.Parsed) string {
	for _, v := range p.Header.All("Auto-Submitted") {
		token, _, _ := strings.Cut(senderauth.DropComments(v), ";")
		if token = strings.ToLower(mailparse.CleanLine(token)); token != "" && token != "no" {
			return mailparse.Clipped(token)
		}
	}
	return ""
}

func precedence(p *mailparse.Parsed) string {
	return mailparse.Clipped(strings.ToLower(p.Header.Get("Precedence")))
}

// listMail finds mailing lists and mass mail (RFC 2369, RFC 2919).
func listMail(p *mailparse.Parsed) finding {
	for _, name := range []string{
		"List-Id", "List-Unsubscribe", "List-Post", "List-Help", "List-Subscribe", "List-Owner", "List-Archive",
		"Mailing-List", "X-Mailing-List", "X-ML-Name", "X-MLServer", "Feedback-ID",
	} {
		if p.Header.Has(name) {
			return finding{classList, verdict{intake.AsideRobot, name}}
		}
	}
	return finding{}
}

// noReply finds senders that nobody reads.
func noReply(p *mailparse.Parsed) finding {
	if local := fromLocal(p); machineLocal.MatchString(local) {
		return finding{classNoReply, verdict{intake.AsideRobot, "From is " + mailparse.Clipped(local)}}
	}
	return finding{}
}

// machineLocal are local parts that nobody reads.
var machineLocal = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`(?:.*[-_.+])?(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|nao[-_.]?responda|no[-_.]?responder|ne[-_.]?pas[-_.]?repondre|keine[-_.]?antwort)(?:[-_.+].*)?`,
	`bounces?(?:[-_.+].*)?`, `owner-.*`, `.*-(?:request|bounces?|owner)`,
	`notifications?`, `mailer`, `auto[-_.]?(?:reply|responder|notify|mailer)`,
}, "|") + `)$`)

// quiet finds the mail of people whose server asks that no machine answers it. All, OOF and
// AutoReply do so (MS-OXCMAIL); they say nothing about who wrote the mail.
func quiet(p *mailparse.Parsed) finding {
	suppress := strings.ToLower(p.Header.Get("X-Auto-Response-Suppress"))
	for _, token := range strings.FieldsFunc(suppress, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		if token == "all" || token == "autoreply" || token == "oof" {
			return finding{class: classQuiet, verdict: verdict{detail: "X-Auto-Response-Suppress: " + token}}
		}
	}
	return finding{}
}

// ambiguousFrom finds mail of which nobody can say who wrote it.
func ambiguousFrom(p *mailparse.Parsed) finding {
	ambiguous := func(format string, args ...any) finding {
		return finding{classAmbiguous, verdict{intake.AsideAmbiguousFrom, fmt.Sprintf(format, args...)}}
	}
	switch {
	case p.FromFields > 1:
		return ambiguous("%d From fields", p.FromFields)
	case len(p.From) > 1:
		return ambiguous("%d addresses in From", len(p.From))
	case len(p.From) == 0:
		return ambiguous("no address in From")
	case !isAddress(p.From[0].Address):
		return ambiguous("From is no address")
	}
	if showsAnother(p.From[0].Name, p.From[0].Address) {
		return ambiguous("the name in From shows another address")
	}
	return finding{}
}

// showsAnother reports whether people may read a name as another address than that which it
// stands before: also in wide letters, and with blanks around its @ if a domain follows.
func showsAnother(name, address string) bool {
	name, address = norm.NFKC.String(name), norm.NFKC.String(address)
	all := append(mailparse.AddrSpec.FindAllString(name, -1), spacedAddress.FindAllString(name, -1)...)
	return slices.ContainsFunc(all, func(shown string) bool {
		shown = strings.Join(strings.Fields(shown), "")
		return !strings.EqualFold(shown, address)
	})
}

// spacedAddress is an address as no program takes it for one. People are called "Jane @ Acme".
var spacedAddress = regexp.MustCompile(`[^\s<>()\[\]",;:@\\]+(?:\s+@\s*|@\s+)[^\s<>()\[\]",;:@\\.]+\.[^\s<>()\[\]",;:@\\]+`)

// fromLocal returns the local part of the first From address, lower case.
func fromLocal(p *mailparse.Parsed) string {
	if len(p.From) == 0 {
		return ""
	}
	a := strings.ToLower(p.From[0].Address)
	return a[:max(0, strings.LastIndexByte(a, '@'))]
}
