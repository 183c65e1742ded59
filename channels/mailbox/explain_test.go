package mailbox

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"leadgate/intake"
)

func explain(t *testing.T, cfg Config, mail string) Explanation {
	t.Helper()
	x, err := Explain(strings.NewReader(strings.ReplaceAll(mail, "\n", "\r\n")), cfg, testExtractor())
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExplainShowsValuesAndWords(t *testing.T) {
	x := explain(t, Config{}, "From: Bob <bob@partner.example>\nSubject: New lead\n\nCompany: Acme GmbH\nContact: Jane Doe <jane@acme.com>, CTO\nBudget: 120k EUR\nCompeting vendors: Initech, Hooli\nConsent: yes\n")
	if x.Class != "lead" || len(x.Leads) != 1 {
		t.Fatalf("class %q, %d leads", x.Class, len(x.Leads))
	}
	l := x.Leads[0]
	if l.CompanyName != "Acme GmbH" || l.ContactEmail != "jane@acme.com" || l.ContactRole != "CTO" || !l.Consent ||
		!reflect.DeepEqual(l.TargetRevenue, &Money{"120000", "EUR"}) || !reflect.DeepEqual(l.CompetingVendors, []string{"Initech", "Hooli"}) {
		t.Errorf("read %+v", l)
	}
	if e := l.Evidence[intake.FieldCompanyName]; e.Words != "Company: Acme GmbH" || x.Text[e.Start:e.End] != e.Words {
		t.Errorf("evidence %+v", e)
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "company_domain\":\"\"") || strings.Contains(s, "contact_phone") || !strings.Contains(s, `"target_revenue":{"amount":120000,"currency":"EUR"}`) {
		t.Errorf("printed %s", s)
	}
}

// TestExplainTellsMachinesFromPeople: what a program wrote is a lead only if it is laid out
// as one.
func TestExplainTellsMachinesFromPeople(t *testing.T) {
	for name, tt := range map[string]struct{ mail, want string }{
		"a bounce":              {"From: MAILER-DAEMON@x.example\nSubject: failed\n\nCompany: Acme\n", "bounce"},
		"an absence":            {"From: bob@partner.example\nAuto-Submitted: auto-replied\n\nCompany: Acme\nE-mail: j@acme.com\nContact: J D\n", "auto"},
		"a newsletter":          {"From: bob@partner.example\nList-Id: <x>\n\nWe met Jane Doe (jane@acme.com).\n", "auto"},
		"the lead of a program": {"From: crm@partner.example\nAuto-Submitted: auto-generated\n\nCompany: Acme\nE-mail: jane@acme.com\nContact: Jane Doe\n", "lead"},
		"our own":               {"From: partners@vendor.example\n\nCompany: Acme\n", "auto"},
		"a thank you":           {"From: bob@partner.example\nSubject: Re: x [LG-2026-000123-K]\n\nThanks!\n", "reply"},
		"nothing at all":        {"From: bob@partner.example\n\n", "not_a_lead"},
	} {
		if x := explain(t, Config{Address: testAddress}, tt.mail); x.Class != tt.want || (tt.want != "lead") != (len(x.Leads) == 0) {
			t.Errorf("%s: class %q with %d leads, want %q", name, x.Class, len(x.Leads), tt.want)
		}
	}
}

// TestExplainSaysWhatTheMailboxDoes: as many leads, why it is set aside, and why it is not
// answered.
func TestExplainSaysWhatTheMailboxDoes(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for name, mail := range map[string]string{
		"a person":            jane + "\nCompany: Acme\n",
		"a program's lead":    "From: crm@partner.example\nAuto-Submitted: auto-generated\n\nCompany: Acme\n",
		"two From":            "From: a@partner.example\nFrom: b@partner.example\n\nCompany: Acme\n",
		"a ticket system":     "From: help@partner.example\nSubject: [#4711] New lead\n\nYour ticket 4711 has been created.\nWe met Jane Doe (jane@acme.com), CTO of Acme GmbH.\n",
		"an encrypted mail":   jane + "Content-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n",
		"a bounce passed on":  jane + "Subject: Fwd: Undelivered Mail Returned to Sender\n\nWe met Jane Doe (jane@acme.com), CTO of Acme GmbH.\n",
		"nothing of a mail":   "X: y\n\n\x00",
		"a quiet mail server": jane + "X-Auto-Response-Suppress: All\n\nCompany: Acme\n",
	} {
		s := takeMail(t, m, mail)
		taken, aside, mute := 0, "", ""
		for _, a := range s.Accepted {
			if mute = a.Mute; !a.Lead.Empty() {
				taken++
			}
		}
		for _, a := range s.Asides {
			aside = a.Detail
		}
		x := explain(t, Config{Address: testAddress}, mail)
		if len(x.Leads) != taken || x.SetAside != aside || x.Unanswered != mute {
			t.Errorf("%s: explain shows %d leads (class %s), set aside %q, unanswered %q; the mailbox takes in %d, %q, %q", name, len(x.Leads), x.Class, x.SetAside, x.Unanswered, taken, aside, mute)
		}
	}
}
