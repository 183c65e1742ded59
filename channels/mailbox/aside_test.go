package mailbox

import (
	"errors"
	"strings"
	"testing"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// believing is a mailbox that believes From as written.
func believing(t *testing.T) *Mailbox {
	t.Helper()
	m, _ := newTestMailbox(t, Config{SenderProof: senderauth.Config{Mode: senderauth.ModeNone}})
	return m
}

func tooLarge(d *delivery) { d.aside = verdict{intake.AsideTooLarge, "99 bytes, the limit is 9"} }

const (
	encryptedMail = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n"
	winmail       = "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\neJ8+IgAA\n"
	beside        = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nCompany: Acme GmbH\n--b\n"
)

func TestPartnersAreToldWhatCouldNotBeRead(t *testing.T) {
	m := believing(t)
	for name, tt := range map[string]struct {
		mail   string
		reason intake.AsideReason
		want   intake.Notice
		change []func(*delivery)
	}{
		"too large":                 {jane + "\nx", intake.AsideTooLarge, intake.NoticeTooLarge, []func(*delivery){tooLarge}},
		"encrypted":                 {jane + encryptedMail, intake.AsideSealed, intake.NoticeSealed, nil},
		"only a winmail.dat":        {jane + winmail, intake.AsideSealed, intake.NoticeWinmail, nil},
		"too large and automatic":   {jane + "Precedence: bulk\n\nx", intake.AsideTooLarge, "", []func(*delivery){tooLarge}},
		"too large, from nobody":    {jane + "\nx", intake.AsideTooLarge, "", []func(*delivery){tooLarge, fromNobody}},
		"too large, in junk":        {jane + "\nx", intake.AsideTooLarge, "", []func(*delivery){tooLarge, inJunk}},
		"too large, asks for quiet": {jane + "X-Auto-Response-Suppress: All\n\nx", intake.AsideTooLarge, "", []func(*delivery){tooLarge}},
		"encrypted and automatic":   {jane + "Auto-Submitted: auto-generated\n" + encryptedMail, intake.AsideRobot, "", nil},
		"encrypted, to no-reply":    {"From: no-reply@partner.example\n" + encryptedMail, intake.AsideRobot, "", nil},
		"encrypted, asks for quiet": {jane + "X-Auto-Response-Suppress: OOF\n" + encryptedMail, intake.AsideSealed, "", nil},
		"encrypted, in junk":        {jane + encryptedMail, intake.AsideSealed, "", []func(*delivery){inJunk}},
		"encrypted, of two people":  {"From: a@b.example, c@d.example\n" + encryptedMail, intake.AsideAmbiguousFrom, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := takeMail(t, m, "Subject: New lead\nMessage-ID: <1@partner.example>\n"+tt.mail, tt.change...)
			if len(s.Asides) != 1 {
				t.Fatalf("%+v", s)
			}
			a := s.Asides[0]
			if a.Reason != tt.reason || a.Notice != tt.want {
				t.Errorf("set aside as %q with notice %q", a.Reason, a.Notice)
			}
			told := a.Reply.Address == "jane@partner.example" && len(a.Reply.Thread) > 0 && a.Sender.Address == "jane@partner.example" && a.Sender.Strength == intake.StrengthDomain && a.Sender.How != ""
			silent := a.Reply.Address == "" && a.Reply.Channel == "" && a.Sender == intake.Sender{}
			if tt.want != "" && !told || tt.want == "" && !silent {
				t.Errorf("reply to %+v, sender %+v", a.Reply, a.Sender)
			}
		})
	}
}

func TestALeadBesideASealedPartIsTakenIn(t *testing.T) {
	m := believing(t)
	for _, part := range []string{encryptedMail, winmail} {
		s := takeMail(t, m, jane+beside+part+"--b--\n")
		if len(s.Accepted) != 1 || s.Accepted[0].Lead[intake.FieldCompanyName] != "Acme GmbH" || s.Accepted[0].Mute != "" {
			t.Errorf("%+v", s)
		}
	}
}

// TestStaffCanAcceptWhatWasSetAside reads set-aside mails once more, as a person's.
func TestStaffCanAcceptWhatWasSetAside(t *testing.T) {
	m := believing(t)
	const lead = "\n\nCompany: Acme GmbH\nCountry: Germany\n"
	token := m.tokens.messageID(answerID)
	for name, tt := range map[string]struct {
		header, route string
	}{
		"an automatic mail":       {jane + "Auto-Submitted: auto-generated", "jane@partner.example"},
		"a vacation reply":        {jane + "Auto-Submitted: auto-replied", "jane@partner.example"},
		"a list":                  {jane + "List-Id: <x>\nReply-To: leads@partner.example", "leads@partner.example"},
		"a sender nobody reads":   {"From: no-reply@partner.example", ""},
		"automatic from no-reply": {"From: no-reply@partner.example\nPrecedence: bulk", ""},
		"a mail server":           {"From: postmaster@partner.example", ""},
		"a mail from nobody":      {"Return-Path: <>\n" + jane, ""},
		"ourselves":               {"From: partners@vendor.example", ""},
		"two people":              {"From: jane@partner.example, joe@partner.example", ""},
		"a person":                {jane + "X-Auto-Response-Suppress: All", "jane@partner.example"},
	} {
		t.Run(name, func(t *testing.T) {
			a := intake.Aside{ID: "0123", Key: "imap:x", ReceivedAt: testNow, Raw: intake.Raw{SHA256: "ab", Size: 7}}
			raw := strings.NewReader(strings.TrimSuffix(tt.header, "\n") + "\nSubject: Re: x [LG-2026-000009-K]\nIn-Reply-To: <" + token + ">" + lead)
			all, err := m.Reread(t.Context(), a, raw)
			if err != nil || len(all) != 1 {
				t.Fatalf("%d submissions, err %v", len(all), err)
			}
			s := all[0]
			if s.Key != "accepted:0123" || s.Content != "" || s.Mute != "" || s.NotALead || !s.ReceivedAt.Equal(testNow) || s.Raw != a.Raw {
				t.Errorf("%+v", s)
			}
			if s.Sender.Strength != intake.StrengthOperator || s.Sender.How != "accepted by staff" || s.Sender.Address == "" {
				t.Errorf("sender %+v", s.Sender)
			}
			if s.Reply.Address != tt.route || s.Lead[intake.FieldCompanyName] != "Acme GmbH" {
				t.Errorf("reply to %+v, lead %v", s.Reply, s.Lead)
			}
			if s.Case != "LG-2026-000123-K" || s.CaseHint != "LG-2026-000009-K" {
				t.Errorf("case %q, hint %q", s.Case, s.CaseHint)
			}
			again, err := m.Reread(t.Context(), a, raw) // wherever the first call left it
			if err != nil || len(again) != 1 || again[0].Key != s.Key || again[0].Lead[intake.FieldCompanyName] != "Acme GmbH" {
				t.Errorf("again: %+v, err %v", again, err)
			}
		})
	}
}

// TestStaffAreBelievedAboutWhatSoundsLikeAMachine: what they accept is read as a person's.
func TestStaffAreBelievedAboutWhatSoundsLikeAMachine(t *testing.T) {
	m := believing(t)
	for _, mail := range []string{
		"Subject: New lead\n\nPlease do not reply to this e-mail. We would like to register Acme GmbH, jane@acme.example.\n",
		"Subject: Fwd: Undeliverable: New lead\n\nWe would like to register Acme GmbH, jane@acme.example.\n",
	} {
		all, err := m.Reread(t.Context(), intake.Aside{ID: "1"}, strings.NewReader(jane+mail))
		if err != nil || len(all) != 1 || all[0].Lead.Empty() || all[0].Mute != "" || all[0].NotALead {
			t.Errorf("%q: %+v, err %v", mail, all, err)
		}
	}
}

func TestWhatNamesNobodyCanNotBeAccepted(t *testing.T) {
	m := believing(t)
	raw := strings.NewReader("Subject: x\n\nCompany: Acme GmbH\n")
	if _, err := m.Reread(t.Context(), intake.Aside{ID: "1"}, raw); !errors.Is(err, ErrNoSender) {
		t.Errorf("err %v", err)
	}
	all, err := m.Reread(t.Context(), intake.Aside{ID: "1", From: "jane@partner.example"}, raw)
	if err != nil || len(all) != 1 || all[0].Sender.Address != "jane@partner.example" || all[0].Reply.Address != "" {
		t.Errorf("%+v, err %v", all, err)
	}
}

func TestTheMailboxThatWasWrittenToReadsAgain(t *testing.T) {
	a, _ := newTestMailbox(t, Config{Name: "partners"})
	b, _ := newTestMailbox(t, Config{Name: "leads", Address: "leads@vendor.example"})
	for to, want := range map[string]string{"leads+x@vendor.example": "leads", "partners@vendor.example": "partners", "somebody@vendor.example": "partners"} {
		all, err := Repliers{a, b}.Reread(t.Context(), intake.Aside{ID: "1"}, strings.NewReader(jane+"To: "+to+"\n\nCompany: Acme GmbH\n"))
		if err != nil || len(all) != 1 || !strings.Contains(string(all[0].Reply.Thread), `"mailbox":"`+want+`"`) {
			t.Errorf("%s: %+v, err %v", to, all, err)
		}
	}
}
