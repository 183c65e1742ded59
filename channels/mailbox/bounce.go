package mailbox

import (
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// reportSigns finds reports about mail that say what they are (RFC 3464, RFC 5965, RFC 8098).
func reportSigns(p *mailparse.Parsed) finding {
	bounced := verdict{intake.AsideBounce, "a report: " + mailparse.Clipped(p.Report)}
	switch {
	case p.Report == "" || passedOn(p):
		return finding{}
	case p.Report == "feedback-report":
		return finding{classComplaint, verdict{intake.AsideComplaint, bounced.detail}}
	case p.Report == "disposition-notification":
		return finding{classReceipt, bounced}
	}
	return finding{classBounce, bounced}
}

// passedOn reports whether a person sends on a report that somebody else got: the mail is no
// report itself, it is called a forward, and a person wrote it.
func passedOn(p *mailparse.Parsed) bool {
	media := strings.ToLower(p.Header.Get("Content-Type"))
	return !strings.Contains(media, "multipart/report") && replyPrefix.MatchString(p.Subject) &&
		!fromDaemon(p) && !machineLocal.MatchString(fromLocal(p)) && !emptyReturnPath(p)
}

// bounceSigns finds what mail servers send back in forms of their own. One sign is enough
// where no person's mail has it; the subject alone is not, for people write about bounces.
func (m *Mailbox) bounceSigns(p *mailparse.Parsed) finding {
	bounced := func(detail string) finding {
		return finding{classBounce, verdict{intake.AsideBounce, detail}}
	}
	switch {
	case p.Header.Has("X-Failed-Recipients"):
		return bounced("X-Failed-Recipients")
	case fromDaemon(p):
		return bounced("From is " + mailparse.Clipped(or(fromLocal(p), p.Header.Get("From"))))
	}
	subject := strings.TrimSpace(p.Subject)
	switch {
	case complaintSubject.MatchString(subject) && returnsMail(p):
		return finding{classComplaint, verdict{intake.AsideComplaint, "the subject is that of a complaint, and a mail comes with it"}}
	case bounceSubject.MatchString(subject) && m.secondSign(p):
		return bounced("the subject is that of a bounce, and so is more of it")
	}
	return finding{}
}

// bouncePath finds what came to the address that only bounces come to, or from nobody.
func (m *Mailbox) bouncePath(p *mailparse.Parsed, d delivery) finding {
	bounced := verdict{reason: intake.AsideBounce}
	switch {
	case d.nullSender, emptyReturnPath(p):
		bounced.detail = "the envelope sender is empty"
		return finding{classBounce, bounced}
	}
	for _, t := range m.tagsOf(p, d.recipients) {
		if t.purpose == forBounces {
			bounced.detail = "it was sent to the return path of an answer"
			return finding{classBounce, bounced}
		}
	}
	return finding{}
}

// emptyReturnPath reports whether the mail server that delivered p wrote that its envelope
// sender was empty. Only the topmost field is its own.
func emptyReturnPath(p *mailparse.Parsed) bool {
	return strings.Join(strings.Fields(p.Header.Get("Return-Path")), "") == "<>"
}

var (
	daemonLocal = regexp.MustCompile(`^(?:mail(?:er)?[-_. ]?d(?:a|ae)?emon|(?:.*[-_.])?mailer-daemon(?:[-_.+].*)?|mdaemon|post[-_.]?master(?:[-_.+].*)?|mail[-_. ]?delivery(?:[-_. ](?:sub)?system)?|mail[-_. ]?(?:sub)?system|mmdf|dsn|bouncehandler)$`)
	daemonName  = regexp.MustCompile(`(?i)^(?:mail(?:er)?[-_. ]?daemon|mail delivery (?:sub)?system|postmaster)$`)
	// daemonField is a From without any address that can be used.
	daemonField = regexp.MustCompile(`(?i)^\W*(?:mailer[-_ ]?daemon|mail delivery (?:sub)?system|postmaster)\b`)
)

// fromDaemon reports whether a mail server wrote the mail, by the name that it goes by.
func fromDaemon(p *mailparse.Parsed) bool {
	if len(p.From) == 0 {
		return daemonField.MatchString(p.Header.Get("From"))
	}
	return daemonLocal.MatchString(fromLocal(p)) || daemonName.MatchString(p.From[0].Name)
}

// bounceSubject is how the subjects of bounces begin, in the languages of mail servers. That
// of a reply or a forward begins otherwise.
var bounceSubject = regexp.MustCompile(`(?i)^(?:\[[^\]]{1,40}\]\s*)?(?:[*!]+\s*)?(?:` + strings.Join([]string{
	`(?:e-?)?mail (?:could not be|not|was not) delivered`, `(?:e-?)?mail delivery (?:failed|failure|problem|error|status|system|subsystem|report|notification|delay|warning)`,
	`(?:your )?(?:e-?mail |message |mail )?(?:is )?undeliver(?:able|ed)\b`, `(?:mail |message )?delivery (?:has |was )?(?:fail|status|notification|error|problem|report|unsuccessful|incomplete|delay)`,
	`(?:could not|cannot|unable to|can't) (?:send|deliver)`, `failed (?:mail|delivery|to deliver)`, `failure (?:notice|delivery|notification)`, `dsn\b`,
	`(?:message|your message|mail) (?:could not|cannot|not|was not|wasn't|has not been|was undeliverable|delivery)`, `non-?deliver`, `not delivered\b`, `nondeliverable`,
	`returned (?:mail|e-?mail|message)`, `return(?:ed|ing)? to sender`, `mail (?:system )?error`, `mail returned`, `error sending`, `rejected (?:mail|message)`,
	`(?:user|recipient|host|address|mailbox) (?:unknown|not found|unavailable|full)`, `unknown (?:user|address)`, `(?:over quota|quota exceeded)`,
	`warning: (?:could not send|message|mail)`, `delayed (?:mail|delivery)`, `(?:message|mail) delayed`, `transient failure`, `permanent (?:fatal|failure)`,
	`message status\b`, `status of your message`, `notification d.[ée]tat`, `smtp (?:delivery|error)`, `nachricht konnte nicht`,
	`unzustellbar`, `nicht zustellbar`, `zustellung (?:fehlgeschlagen|nicht|verzögert)`, `zustellungs?(?:fehler|status|bericht)`, `fehler(?:hafte)? (?:bei der )?zustellung`, `ihre (?:nachricht|e-?mail) (?:konnte nicht|wurde nicht)`,
	`non remis`, `non[ -]?distribu`, `courrier non`, `échec (?:de|d.|lors)`, `message non`, `remise (?:impossible|différée|retardée)`, `notification (?:d.échec|de remise)`, `retour [àa] l.expéditeur`,
	`no se (?:puede|pudo|ha podido) entregar`, `no entregable`, `(?:correo|mensaje) (?:no|devuelto)`, `devuelto`, `no entregado`, `error (?:de|en la) entrega`, `entrega (?:fallida|retrasada)`,
	`non recapitabile`, `mancat[oa] (?:recapito|consegna)`, `impossibile (?:recapitare|consegnare)`, `messaggio non`, `notifica di mancat`, `ritardo (?:di|nella) consegna`,
	`não (?:entregue|foi possível|é possível)`, `(?:e-?mail|mensagem) (?:não|devolvid)`, `falha (?:na|de|no) en`, `devolvid`,
	`onbestelbaar`, `niet (?:bezorgd|afgeleverd|bestelbaar)`, `bezorging (?:mislukt|vertraagd)`, `bericht (?:niet|kan niet|kon niet)`,
	`niedostarcz`, `nie (?:dostarczono|można dostarczyć)`, `wiadomość nie`, `zwrot (?:wiadomości|poczty)`,
	`kan (?:inte|ikke) leverer`, `(?:ej|inte|ikke) lever`, `olevererat`, `går inte att leverera`, `ikke-leveret`,
	`ei voi(?:tu|da)? toimittaa`, `viestiä ei`, `toimittamat`, `nedoručiteln`, `nedoručen`, `nelze doručit`, `kézbesíthetetlen`, `nem kézbesíthető`,
	`teslim edileme`, `iletileme`, `не удае?ё?тся доставить`, `не доставлено`, `недоставлен`, `невозможно доставить`, `ошибка доставки`, `сообщение не`,
	`配信不能`, `配信されません`, `配信エラー`, `送信でき`, `送信エラー`, `エラーメール`, `メール(?:が)?(?:届|送信|配信)`, `未配達`, `配送(?:不能|エラー)`, `宛先不明`,
	`无法(?:送达|投递|传递)`, `未(?:送达|传递|送達|傳遞)`, `退信`, `系统退信`, `投递失败`, `邮件(?:发送|投递)失败`, `無法(?:傳遞|送達|遞送)`, `배달되지`, `반송`, `전송 실패`,
}, "|") + `)`)

// complaintSubject is how providers begin complaints that are no feedback reports.
var complaintSubject = regexp.MustCompile(`(?i)^(?:complaint about|abuse report|spam (?:report|complaint)|feedback loop|email feedback report)`)

// secondSign reports whether there is more than its subject that makes a mail a bounce.
func (m *Mailbox) secondSign(p *mailparse.Parsed) bool {
	switch {
	case len(p.From) == 0, machineLocal.MatchString(fromLocal(p)):
		return true
	case autoSubmitted(p) != "", precedence(p) == "junk", precedence(p) == "bulk":
		return true
	case daemonLocal.MatchString(localPart(mailparse.ParseAddresses(p.Header.Get("Return-Path")))):
		return true
	case returnsMail(p), opensLikeBounce(p.Text):
		return true
	}
	return m.returned(p) != ""
}

func localPart(list []mailparse.Address) string {
	if len(list) == 0 {
		return ""
	}
	local, _, _ := strings.Cut(strings.ToLower(list[0].Address), "@")
	return local
}

// returnsMail reports whether a whole mail, or its header, comes with this one.
func returnsMail(p *mailparse.Parsed) bool {
	for _, a := range p.Attachments {
		switch strings.ToLower(a.Media) {
		case "message/rfc822", "message/global", "message/rfc822-headers", "text/rfc822-headers", "text/rfc822", "message/global-headers":
			return true
		}
	}
	return len(p.Forwarded) > 0
}

// openingLines is how much of a text must sound like a mail server.
const openingLines = 6

// opensLikeBounce reports whether the first lines are those of a mail server. People who
// write about a bounce begin with words of their own, and quote it further down.
func opensLikeBounce(text string) bool {
	n := 0
	for line := range strings.Lines(head(text, maxWords)) {
		line = strings.Trim(line, " \t\r\n*-=#_")
		if line == "" {
			continue
		}
		if greetingLine.MatchString(line) {
			return false
		}
		if n++; n > openingLines {
			return false
		}
		if serverWords.MatchString(line) {
			return true
		}
	}
	return false
}

var (
	greetingLine = regexp.MustCompile(`(?i)^(?:hi|hello|hallo|dear|guten|bonjour|hola|ciao|hey)\b`)
	serverWords  = regexp.MustCompile(`(?i)(?:` + strings.Join([]string{
		`this is (?:the|an? automat\w+) (?:mail|message|e-?mail|delivery)`, `this (?:message|report) (?:was|is) (?:created|generated|relat\w+|automatically)`,
		`could not (?:be )?deliver`, `(?:can(?:no|')t|unable to) (?:be )?deliver`, `(?:was|were|is|been|be) (?:not|undeliver\w*|returned|rejected) `, `did not reach`, `delivery (?:to|has|failed|error|attempt|status)`,
		`(?:wasn't|was not|not been|not be|couldn't be|failed to be) (?:able to )?deliver`, `undeliver(?:able|ed)`, `permanent (?:fatal )?(?:error|failure)`, `fatal errors?`,
		`(?:host|user|recipient|mailbox|address)\b.{0,40}\b(?:unknown|not found|rejected|unavailable|does not exist|doesn't exist|full|over quota)`, `transcript of (?:the )?session`,
		`following (?:address|recipient|message|destination)`, `reporting-mta|final-recipient|diagnostic-code|remote-mta`,
		`konnte nicht zugestellt|nicht zugestellt werden`, `n.a pas (?:pu )?être (?:remis|distribué|délivré)|impossible de remettre`, `no se (?:pudo|ha podido) entregar|no pudo ser entregado`,
		`não (?:pôde|foi) (?:ser )?entregue`, `non è stato (?:possibile )?(?:recapit|consegn)`, `kon niet worden (?:bezorgd|afgeleverd)`, `не (?:было|может быть|удалось) доставл?`,
		`配信できません|配信できなかった|送信できません|届けることができ|配送できません`, `无法(?:送达|投递)|退回|退信`,
	}, "|") + `)`)
)
