package mailbox

import (
	"strings"
	"testing"
	"unicode/utf8"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

func TestClassifyTakesTheFirstReason(t *testing.T) {
	m, _ := newTestMailbox(t, Config{OwnAddresses: []string{"leads@vendor.example"}})
	ours := m.tokens.messageID("LG-2026-000001-K.3")
	for name, tt := range map[string]struct {
		header string
		want   intake.AsideReason
	}{
		"a person":                       {"From: jane@partner.example", ""},
		"an answer of ours":              {"From: jane@partner.example\nMessage-ID: <" + ours + ">", intake.AsideOwn},
		"an alias of ours":               {"From: Leads@vendor.example", intake.AsideOwn},
		"ours and automatic":             {"From: leads+x@vendor.example\nAuto-Submitted: auto-replied", intake.AsideOwn},
		"an empty Return-Path":           {"Return-Path: <>\nFrom: jane@partner.example", intake.AsideBounce},
		"postmaster":                     {"From: Postmaster@partner.example", intake.AsideBounce},
		"failed recipients":              {"From: jane@partner.example\nX-Failed-Recipients: a@b", intake.AsideBounce},
		"a bounce that is automatic":     {"From: mailer-daemon@x.example\nAuto-Submitted: auto-replied", intake.AsideBounce},
		"auto-generated":                 {"From: jane@partner.example\nAuto-Submitted: (c) auto-generated; x", intake.AsideRobot},
		"an autoresponder":               {"From: jane@partner.example\nX-Autoreply: yes", intake.AsideRobot},
		"junk":                           {"From: jane@partner.example\nPrecedence: junk", intake.AsideRobot},
		"a list":                         {"From: jane@partner.example\nList-Unsubscribe: <mailto:x>", intake.AsideRobot},
		"suppress all":                   {"From: jane@partner.example\nX-Auto-Response-Suppress: All", intake.AsideRobot},
		"do not reply":                   {"From: DoNotReply@partner.example", intake.AsideRobot},
		"a bounce address of a list":     {"From: news-bounces@partner.example", intake.AsideRobot},
		"an automatic subject":           {"From: jane@partner.example\nSubject: Automatic reply: lead", intake.AsideRobot},
		"a person with a similar name":   {"From: norbert.bouncer@partner.example", ""},
		"a subject that starts alike":    {"From: jane@partner.example\nSubject: Automatic replying machine vendor", ""},
		"no From":                        {"Subject: x", intake.AsideAmbiguousFrom},
		"an empty From":                  {"From: <>\nSubject: x", intake.AsideAmbiguousFrom},
		"the name repeats the address":   {"From: \"jane@partner.example\" <jane@partner.example>", ""},
		"the same address in two fields": {"From: jane@partner.example\nFrom: jane@partner.example", intake.AsideAmbiguousFrom},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := mailparse.Parse(strings.NewReader(tt.header + "\n\nCompany: Acme"))
			if err != nil {
				t.Fatal(err)
			}
			if v := m.classify(&p, false); v.reason != tt.want {
				t.Errorf("got %q (%s), want %q", v.reason, v.detail, tt.want)
			}
		})
	}
	t.Run("an empty envelope sender", func(t *testing.T) {
		p, _ := mailparse.Parse(strings.NewReader("From: jane@partner.example\n\nx"))
		if v := m.classify(&p, true); v.reason != intake.AsideBounce {
			t.Errorf("got %q", v.reason)
		}
	})
}
func checkLine(t *testing.T, s string) {
	t.Helper()
	if strings.ContainsAny(s, "\r\n\x00") || !utf8.ValidString(s) {
		t.Errorf("not one line: %q", s)
	}
}
