package app

import (
	"fmt"
	"net/smtp"
	"os"
	"strings"
	"testing"
	"time"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/salesforce"
	"leadgate/intake/crm/salesforce/salesforcetest"
)

// TestAMailBecomesARegistrationInSalesforceAndItsPartnerLearnsWhatSalesDid goes all the way round by
// the org of the tests: mail, what people do to the opportunity, mail.
func TestAMailBecomesARegistrationInSalesforceAndItsPartnerLearnsWhatSalesDid(t *testing.T) {
	org, err := salesforcetest.New(os.DirFS("../../../examples/salesforce"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := crmtest.NewServer(t, org)
	c := salesforce.Config{
		Name: "salesforce", LoginURL: server.URL, ClientID: org.ClientID, ClientSecret: org.Secret, AllowPrivate: true, Currency: "EUR",
	}
	o := openOffice(t, func(cfg *config.Config) {
		cfg.Mailboxes[0].SenderProof.Mode = senderauth.ModeNone
		cfg.CRM.Salesforce = []salesforce.Config{c}
	})
	client, err := salesforce.New(c)
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
	find := func(object, field string, value any) (found map[string]any) {
		for _, r := range org.All(object) {
			if r[field] == value {
				found = r
			}
		}
		return found
	}
	o.until("Salesforce has it, approved", func() bool {
		return find("Partner_Registration__c", "Case_Number__c", number)["Status__c"] == "approved_provisional"
	})
	deal := find("Opportunity", "Leadgate_Case__c", number)
	account := find("Account", "Leadgate_Domain__c", "fabrikam.example")
	if deal["Name"] != "Fabrikam AG – Brightpath BV" || account["Name"] != "Fabrikam AG" || deal["AccountId"] != account["Id"] || find("Contact", "Email", "jane@fabrikam.example") == nil {
		t.Errorf("there are %v, %v", deal, account)
	}
	changes(func() bool { return true }) // what our own pushes left in the feed
	if r := o.is(number); r.Status != intake.StatusProvisional {
		t.Errorf("the echo of our own pushes made it %s", r.Status)
	}
	if err := org.Update("Opportunity", fmt.Sprint(deal["Id"]), map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	changes(func() bool { return o.is(number).Status == intake.StatusWon })
	o.wantMail("ana@brightpath.example", number, "won")
	if ref := o.is(number).CRM["salesforce"]; len(ref.Parts) != 3 || !strings.HasSuffix(ref.URL, "/lightning/r/Partner_Registration__c/"+ref.ID+"/view") {
		t.Errorf("the reference is %+v", ref)
	}
	if strings.Contains(o.log.String(), org.Secret) {
		t.Error("the log has the secret")
	}
}
