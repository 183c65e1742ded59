package app

import (
	"fmt"
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
		cfg.CRM.Every = time.Second
	})
	number := o.approved()
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
	o.stays("salesforce", number, intake.StatusProvisional)
	if err := org.Update("Opportunity", fmt.Sprint(deal["Id"]), map[string]any{"StageName": "Closed Won"}); err != nil {
		t.Fatal(err)
	}
	o.until("the case is won", func() bool { return o.is(number).Status == intake.StatusWon })
	o.wantMail("ana@brightpath.example", number, "won")
	if ref := o.is(number).CRM["salesforce"]; len(ref.Parts) != 3 || !strings.HasSuffix(ref.URL, "/lightning/r/Partner_Registration__c/"+ref.ID+"/view") {
		t.Errorf("the reference is %+v", ref)
	}
	if strings.Contains(o.log.String(), org.Secret) {
		t.Error("the log has the secret")
	}
}
