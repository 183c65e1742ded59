package app

import (
	"fmt"
	"net/smtp"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/crm/crmtest/trytond"
	"leadgate/intake/crm/tryton"
)

// TestAMailBecomesAnOpportunityAndThePartnerLearnsThatItWasWon goes all the way round: mail to a
// real Tryton, what people do there, mail to the partner.
func TestAMailBecomesAnOpportunityAndThePartnerLearnsThatItWasWon(t *testing.T) {
	erp := trytond.Start(t)
	o := openOffice(t, func(c *config.Config) {
		c.Mailboxes[0].SenderProof.Mode = senderauth.ModeNone
		c.CRM.Tryton = []tryton.Config{{
			Name: "tryton", URL: erp.URL, Database: trytond.Database, User: trytond.User, Password: trytond.Password, AllowPrivate: true,
		}}
	})
	client, err := tryton.New(o.cfg.CRM.Tryton[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	changes := o.follow(client)
	mail := strings.ReplaceAll(`From: Ana Silva <ana@brightpath.example>
To: partners@vendor.example
Subject: New lead: Fabrikam
Message-ID: <fabrikam@brightpath.example>

Company: Fabrikam AG
Website: https://www.fabrikam.example
Contact: Jane Doe, CTO
Email: jane@fabrikam.example
Problem: They lose a day a week to manual reporting.
Stage: new intro
Consent: yes
`, "\n", "\r\n")
	if err := smtp.SendMail(o.app.MailAddress(), nil, "ana@brightpath.example", []string{"partners@vendor.example"}, []byte(mail)); err != nil {
		t.Fatal(err)
	}
	var number string
	o.until("the mail is a case in review", func() bool {
		for _, r := range o.cases() {
			if r.Lead[intake.FieldCompanyDomain] == "fabrikam.example" && r.Status == intake.StatusInReview {
				number = r.Number
			}
		}
		return number != ""
	})
	if _, err := o.app.Gateway().Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	type opportunity struct {
		ID          int
		State       string
		Description string
		Party       struct{ Name, Code string } `json:"party."`
	}
	var there []opportunity
	o.until("Tryton has it, approved", func() bool {
		there = nil
		err := erp.Call(&there, "sale.opportunity.search_read", []any{[]any{"reference", "=", number}}, 0, 10, nil,
			[]string{"state", "description", "party.name", "party.code"})
		if err != nil {
			t.Fatal(err)
		}
		var n int
		state := []any{[]any{"message", "like", fmt.Sprintf("[%s state]%%status: approved_provisional%%", number)}}
		if err := erp.Call(&n, "ir.note.search_count", state); err != nil {
			t.Fatal(err)
		}
		return len(there) == 1 && n == 1
	})
	if got := there[0]; got.State != "lead" || got.Party.Name != "Fabrikam AG" || got.Party.Code != "fabrikam.example" || got.Description != "Fabrikam AG – Brightpath BV" {
		t.Errorf("the opportunity is %+v", got)
	}
	changes(func() bool { return true }) // what our own pushes left in the feed
	if r := o.is(number); r.Status != intake.StatusProvisional {
		t.Errorf("the echo of our own pushes made it %s", r.Status)
	}
	if err := erp.Win(there[0].ID); err != nil {
		t.Fatal(err)
	}
	changes(func() bool { return o.is(number).Status == intake.StatusWon })
	o.wantMail("ana@brightpath.example", number, "won")
	ref := o.is(number).CRM["tryton"]
	if want := regexp.MustCompile(`^http://127\.0\.0\.1:\d+/#leadgate/model/sale\.opportunity/\d+$`); !want.MatchString(ref.URL) || ref.Parts["company"] == "" || ref.Parts["contact"] == "" {
		t.Errorf("the reference is %+v", ref)
	}
	if d := o.story(number); d.Chain != "" {
		t.Errorf("the history does not hold: %s", d.Chain)
	}
	if strings.Contains(o.log.String(), trytond.Password) {
		t.Error("the log has the password")
	}
}

// follow reads the feed of a CRM from now on, and has the gateway take in what it tells until done.
func (o *office) follow(crm intake.CRM) (until func(done func() bool)) {
	o.Helper()
	_, cursor, err := crm.Changes(o.Context(), "")
	if err != nil {
		o.Fatal(err)
	}
	return func(done func() bool) {
		o.Helper()
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			var all []intake.Change
			if all, cursor, err = crm.Changes(o.Context(), cursor); err != nil {
				o.Fatal(err)
			}
			for _, c := range all {
				if err := o.app.Gateway().Apply(o.Context(), crm.Name(), c); err != nil {
					o.Fatal(err)
				}
			}
			if done() {
				return
			}
		}
		o.Fatal("what the feed tells is not what was awaited")
	}
}
