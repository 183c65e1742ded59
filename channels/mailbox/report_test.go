package mailbox

import (
	"strings"
	"testing"

	"leadgate/intake"
)

// dsn is a bounce as Postfix writes it, about the message with this Message-ID.
func dsn(to, messageID, action, status, diagnostic string) string {
	return "Return-Path: <>\nFrom: MAILER-DAEMON@mx.partner.example\nTo: " + to + `
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

This is the mail system at host mx.partner.example.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.partner.example

Final-Recipient: rfc822; jane@partner.example
Action: ` + action + "\nStatus: " + status + "\nDiagnostic-Code: smtp; " + diagnostic + `

--b
Content-Type: text/rfc822-headers

From: partners@vendor.example
Subject: Re: New lead
Message-ID: <` + messageID + `>

--b--
`
}

const answerID = "LG-2026-000123-K.2"

func TestReportsTellWhatBecameOfAnAnswer(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	ours, foreign := m.tokens.messageID(answerID), "abc@partner.example"
	forged := strings.Replace(ours, "-K.2.", "-K.3.", 1)
	verp := m.returnPath(answerID)
	const plain = "partners@vendor.example"
	qmail := "Return-Path: <>\nFrom: MAILER-DAEMON@qmail.example\nTo: %to%\nSubject: failure notice\n\nHi. This is the qmail-send program.\n\n<jane@partner.example>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\n\n--- Below this line is a copy of the message.\n\nFrom: partners@vendor.example\nMessage-ID: <%id%>\n"
	arf := "From: fbl@isp.example\nTo: %to%\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x\nVersion: 1\nOriginal-Rcpt-To: jane@partner.example\n\n--b\nContent-Type: message/rfc822\n\nFrom: partners@vendor.example\nMessage-ID: <%id%>\n\nx\n--b--\n"
	fill := func(mail, to, id string) string {
		return strings.NewReplacer("%to%", to, "%id%", id).Replace(mail)
	}
	of := func(field string) string { // a complaint about a mail with this field
		return strings.Replace(fill(arf, plain, ours), "Message-ID", field+"\nMessage-ID", 1)
	}
	complaint := func(message string) intake.Delivery {
		return intake.Delivery{Message: message, Recipient: "jane@partner.example", Complaint: true, Detail: "complaint: abuse"}
	}
	for name, tt := range map[string]struct {
		mail string
		want intake.Delivery
	}{
		"failed for good": {
			dsn(plain, ours, "failed", "5.1.1", "550 5.1.1 no such user"),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Failed: true, Status: "5.1.1", Detail: "failed smtp; 550 5.1.1 no such user"},
		},
		"failed after days of trying": {
			dsn(plain, ours, "failed", "4.4.1", "connection timed out"),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Failed: true, Status: "4.4.1", Detail: "failed smtp; connection timed out"},
		},
		"delayed": {
			dsn(plain, ours, "delayed", "4.4.1", "connection timed out"),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Status: "4.4.1", Detail: "delayed smtp; connection timed out"},
		},
		"delivered": {
			dsn(plain, ours, "delivered", "2.0.0", "250 ok"),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Status: "2.0.0", Detail: "delivered smtp; 250 ok"},
		},
		"of a message with another id, to its return path": {
			dsn(verp, foreign, "failed", "5.1.1", "550 5.1.1 no such user"),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Failed: true, Status: "5.1.1", Detail: "failed smtp; 550 5.1.1 no such user"},
		},
		"of a message that nobody proves to know": {
			dsn(plain, forged, "failed", "5.1.1", "550 5.1.1 no such user"),
			intake.Delivery{Recipient: "jane@partner.example", Failed: true, Status: "5.1.1", Detail: "failed smtp; 550 5.1.1 no such user"},
		},
		"to a return path with one letter flipped": {
			dsn(strings.Replace(verp, "+b.a", "+b.c", 1), foreign, "failed", "5.1.1", "550 5.1.1 no such user"),
			intake.Delivery{Recipient: "jane@partner.example", Failed: true, Status: "5.1.1", Detail: "failed smtp; 550 5.1.1 no such user"},
		},
		"in words, with the message below": {
			fill(qmail, plain, ours),
			intake.Delivery{Message: answerID, Failed: true, Status: "5.1.1", Detail: "Remote host said: 550 5.1.1 no such user"},
		},
		"in words, of a message of somebody else": {
			fill(qmail, plain, foreign),
			intake.Delivery{Failed: true, Status: "5.1.1", Detail: "Remote host said: 550 5.1.1 no such user"},
		},
		"in words, with our id as a reference": {
			"Return-Path: <>\nFrom: postmaster@partner.example\nReferences: <" + ours + ">\nSubject: Delivery delayed\n\nwill keep trying\n",
			intake.Delivery{Message: answerID},
		},
		"a complaint with our field": {
			of(complaintField + ": " + m.tokens.tag(forComplaints, answerID)),
			complaint(answerID),
		},
		"a complaint with our return path": {
			of("Return-Path: <" + verp + ">"),
			complaint(answerID),
		},
		"a complaint that tells our return path": {
			strings.Replace(fill(arf, plain, foreign), "Feedback-Type", "Original-Mail-From: <"+strings.ToUpper(verp)+">\nFeedback-Type", 1),
			complaint(answerID),
		},
		"a complaint to our return path": {
			fill(arf, verp, foreign),
			complaint(answerID),
		},
		"a complaint of a provider in its own form": {
			"From: staff@isp.example\nSubject: complaint about message from 192.0.2.1\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee below.\n--b\nContent-Type: message/rfc822\n\nFrom: partners@vendor.example\n" +
				complaintField + ": " + m.tokens.tag(forComplaints, answerID) + "\n\nx\n--b--\n",
			intake.Delivery{Message: answerID, Complaint: true, Detail: "complaint"},
		},
		"a complaint of somebody who saw an answer to ours": {
			"In-Reply-To: <" + ours + ">\n" + fill(arf, plain, ours),
			complaint(""),
		},
		"a complaint with the address for answers": {
			of("Return-Path: <" + m.replyTo(answerID, "") + ">\n" + complaintField + ": " + m.tokens.tag(forReplies, answerID)),
			complaint(""),
		},
		"a complaint with the address of somebody else": {
			of("Return-Path: <" + strings.Replace(verp, "vendor", "other", 1) + ">"),
			complaint(""),
		},
		"praise": {
			strings.Replace(fill(arf, plain, ours), "abuse", "not-spam", 1),
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Detail: "feedback: not-spam"},
		},
		"a vacation reply to the return path is no failure": {
			"Return-Path: <>\nFrom: jane@partner.example\nTo: " + verp + "\nSubject: I am away\n\nBack on Monday.\n",
			intake.Delivery{Message: answerID},
		},
		"a receipt that failed is no failure of the mail": {
			"From: jane@partner.example\nTo: " + verp + "\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; jane@partner.example\nDisposition: automatic-action/MDN-sent-automatically; failed\n\n--b--\n",
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Detail: "failed"},
		},
		"a receipt is no failure": {
			"From: jane@partner.example\nTo: " + verp + "\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; jane@partner.example\nDisposition: automatic-action/MDN-sent-automatically; deleted\n\n--b--\n",
			intake.Delivery{Message: answerID, Recipient: "jane@partner.example", Detail: "deleted"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := takeMail(t, m, tt.mail)
			if len(s.Asides) != 1 || s.Asides[0].Delivery == nil {
				t.Fatalf("%+v", s)
			}
			if got := *s.Asides[0].Delivery; got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if a := s.Asides[0]; a.Notice != "" || a.Reply.Address != "" {
				t.Errorf("a report is answered: %+v", a)
			}
		})
	}
}

func TestPeopleReportNothing(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, mail := range []string{
		jane + "Subject: failure notice\n\nWe got 550 5.1.1 for your last mail.\n",
		jane + "In-Reply-To: <" + m.tokens.messageID(answerID) + ">\n\nI am away until Monday.\n",
	} {
		s := takeMail(t, m, mail)
		for _, a := range s.Asides {
			if a.Delivery != nil {
				t.Errorf("%q: %+v", mail, a.Delivery)
			}
		}
	}
}

func TestVacationNamesTheCaseThatItAnswers(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, header := range []string{"In-Reply-To: <" + m.tokens.messageID(answerID) + ">", "To: " + m.returnPath(answerID), "To: " + m.replyTo(answerID, "LG-2026-000123-K")} {
		s := takeMail(t, m, jane+header+"\nAuto-Submitted: auto-replied\n\n> Company: Acme\n\nCompany: Acme\n")
		if len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideRobot || !strings.HasSuffix(s.Asides[0].Detail, "; it answers LG-2026-000123-K") {
			t.Errorf("%s: %+v", header, s)
		} else if d := s.Asides[0].Delivery; d == nil || !d.Away || d.Failed || d.Complaint || d.Message == "" || !strings.HasPrefix(answerID, d.Message) {
			t.Errorf("%s: reports %+v", header, d)
		}
	}
}

// TestPeopleWhoWriteAboutBouncesAreHeard: a subject that is that of a bounce needs a second
// sign, and what a person passes on is a person's mail.
func TestPeopleWhoWriteAboutBouncesAreHeard(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	const bounced = "This is the mail system at host mx.partner.example.\n\n<x@acme.example>: host mx said: 550 5.1.1 User unknown\n"
	for name, mail := range map[string]string{
		"a subject alone":                "Subject: failure notice\n\nCompany: Acme GmbH\n",
		"with words of one's own first":  "Subject: Undeliverable: our mail\n\nHi Mia,\n\nyour address bounces. New lead:\nCompany: Acme GmbH\n\n" + bounced,
		"a forward with the text inside": "Subject: Fwd: Undelivered Mail Returned to Sender\n\nCompany: Acme GmbH\n\n-------- Forwarded message --------\n" + bounced,
		"a forward as an attachment":     "Subject: WG: Unzustellbar: Angebot\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nCompany: Acme GmbH\n--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; x@acme.example\nAction: failed\n\n--b--\n",
		"a reply to a bounce":            "Subject: Re: Returned mail: see transcript\n\nCompany: Acme GmbH\n\n> " + bounced,
	} {
		s := takeMail(t, m, jane+mail)
		if len(s.Accepted) != 1 || s.Accepted[0].Mute != "" || s.Accepted[0].Reply.Address != "jane@partner.example" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for name, mail := range map[string]string{
		"in English":  jane + "Subject: Undeliverable: Re: New lead\n\nYour message did not reach the following recipients:\njane@partner.example\n",
		"in German":   jane + "Subject: Unzustellbar: Re: Anmeldung\n\nDie Nachricht konnte nicht zugestellt werden: jane@partner.example\n",
		"in French":   jane + "Subject: =?utf-8?q?=C3=89chec_de_la_remise_=3A_lead?=\n\nVotre message n'a pas pu être remis à jane@partner.example\n",
		"in Japanese": jane + "Subject: =?utf-8?b?6YWN5L+h5LiN6IO9OiBsZWFk?=\n\n次の宛先に配信できませんでした\n",
		"with what was sent": jane + "Subject: Mail delivery failed: returning message to sender\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee below.\n--b\n" +
			"Content-Type: message/rfc822\n\nFrom: partners@vendor.example\n\nCompany: Acme\n--b--\n",
	} {
		s := takeMail(t, m, mail)
		if len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideBounce {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
