package app

import (
	"fmt"
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
		c.CRM.Every = time.Second
		c.CRM.Tryton = []tryton.Config{{
			Name: "tryton", URL: erp.URL, Database: trytond.Database, User: trytond.User, Password: trytond.Password, AllowPrivate: true,
		}}
	})
	number := o.approved()
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
	o.stays("tryton", number, intake.StatusProvisional)
	if err := erp.Win(there[0].ID); err != nil {
		t.Fatal(err)
	}
	o.until("the case is won", func() bool { return o.is(number).Status == intake.StatusWon })
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
