package app

import (
	"net/smtp"
	"strings"
	"time"

	"leadgate/intake"
)

// approved has a partner register Fabrikam AG by mail, and staff approve it; it returns the case number.
func (o *office) approved() string {
	o.Helper()
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
		o.Fatal(err)
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
	if _, err := o.app.Gateway().Approve(o.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		o.Fatal(err)
	}
	return number
}

// stays waits until the changes of a CRM were read twice from here on, so that what was there before
// has been taken in, and tells if that moved a case.
func (o *office) stays(crm, number string, want intake.Status) {
	o.Helper()
	for range 2 {
		began := time.Now()
		o.until("the changes of "+crm+" were read", func() bool {
			all, err := o.app.Gateway().CRMs(o.Context())
			if err != nil {
				o.Fatal(err)
			}
			for _, c := range all {
				if c.Name == crm {
					return c.Polled.After(began)
				}
			}
			return false
		})
	}
	if r := o.is(number); r.Status != want {
		o.Errorf("the echo of our own writes made it %s", r.Status)
	}
}
