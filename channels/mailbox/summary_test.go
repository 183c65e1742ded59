package mailbox

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"leadgate/intake"
)

// twoProspects is a mail with two registrations whose stage or consent is open.
const twoProspects = "Company: Umbra Foods Ltd\nWebsite: umbra-foods.example\nContact: Tom Reed, COO\nEmail: tom.reed@umbra-foods.example\n" +
	"Problem: Food waste reports are made by hand\nStage: first call held\n\n" +
	"Company: Vandelay Imports\nWebsite: vandelay.example\nContact: Art Core, Director\nEmail: art@vandelay.example\n" +
	"Problem: Customs papers take a week\nStage: evaluation\n"

// fillLines are the lines of a summary that are to be filled in.
var fillLines = regexp.MustCompile(`(?m)^(\S+-\d{4}-\d+-\S) Consent: *\r?$`)

// TestASummaryIsAnsweredInItsLines: above the quotation, each line with its case number, as
// the summary says.
func TestASummaryIsAnsweredInItsLines(t *testing.T) {
	for name, write := range map[string]func(number string) string{
		"the number in front of the line": func(number string) string { return number + " Consent: yes\n" },
		"the number above the lines":      func(number string) string { return number + "\nConsent: yes\nStage: evaluation\n\n" },
		"in a list, with a colon":         func(number string) string { return "* " + strings.ToLower(number) + ": Consent: yes\n" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, testAddress, "alpha.example")
				o.deliver(fromAlpha(1, "Subject: Two leads\n", twoProspects))
				mail, summary := o.answer()
				open := fillLines.FindAllStringSubmatch(summary.Text, -1)
				if len(open) != 2 || !strings.Contains(summary.Text, "each with its case") || !strings.Contains(summary.Text, `you wrote "Company: Umbra Foods Ltd"`) {
					t.Fatalf("the summary does not say how to answer:\n%s", summary.Text)
				}
				o.deliver(replyTo(t, 2, mail, "Hello,\n\n"+write(open[0][1])+write(open[1][1])+"\nBest regards\nAna", asItIs))
				_, answer := o.answer()
				if got := o.standing(); got != "approved_provisional umbra-foods.example, approved_provisional vandelay.example" {
					t.Errorf("cases: %s\n%s", got, answer.Text)
				}
				if !strings.HasPrefix(answer.Text, "2 registrations of yours") {
					t.Errorf("answer:\n%s", answer.Text)
				}
			})
		})
	}
}

// TestTheLinesOfASummaryAreFilledInInItsQuotation, below nothing or a word.
func TestTheLinesOfASummaryAreFilledInInItsQuotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: Two leads\n", twoProspects))
		mail, _ := o.answer()
		o.deliver(replyTo(t, 2, mail, "Here you are.", func(line string) string {
			if fillLines.MatchString(line + "\n") {
				return strings.TrimSpace(line) + " yes"
			}
			return line
		}))
		_, answer := o.answer()
		if got := o.standing(); got != "approved_provisional umbra-foods.example, approved_provisional vandelay.example" {
			t.Errorf("cases: %s\n%s", got, answer.Text)
		}
	})
}

// TestAMailWithCaseNumbersLosesNothingElse: neither a table that comes with it nor the words
// above the first number.
func TestAMailWithCaseNumbersLosesNothingElse(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	s := takeMail(t, m, jane+"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"+
		"--b\nContent-Type: text/plain\n\nHello, two more in the table.\n\nLG-2026-000123-K Stage: evaluation\nLG-2026-000124-P STATUS\n"+
		"--b\nContent-Type: text/csv; name=leads.csv\nContent-Disposition: attachment; filename=leads.csv\n\n"+tableHead+
		"Acme GmbH;acme.example;Jane Doe;jane@acme.example;Reporting takes a day;yes\nBeta AG;beta-ag.example;Joe Roe;joe@beta-ag.example;Backups do not finish;yes\n--b--\n")
	var got []string
	for _, a := range s.Accepted {
		got = append(got, strings.TrimSpace(a.About+" "+a.Lead[intake.FieldCompanyName]))
	}
	if g := strings.Join(got, ", "); g != "LG-2026-000123-K, LG-2026-000124-P, Acme GmbH, Beta AG" {
		t.Fatalf("taken in: %s", g)
	}
	if !strings.HasPrefix(s.Accepted[0].Text, "Hello, two more") || s.Accepted[0].Batch.Size != 3 || len(s.Accepted[1].Commands) != 1 || s.Accepted[1].Batch.ID != "" {
		t.Errorf("%+v", s.Accepted)
	}
}

// TestAStageThatCannotBeUsedIsNamedWithTheChoices: in the answer to one lead and to several.
func TestAStageThatCannotBeUsedIsNamedWithTheChoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := newTestMailbox(t, Config{})
		s := takeMail(t, m, jane+"\n"+twoProspects)
		if len(s.Accepted) != 2 || s.Accepted[0].Unclear[intake.FieldStage] != "first call held" || len(s.Accepted[1].Unclear) != 0 {
			t.Errorf("%+v", s.Accepted)
		}
		one, _, _ := strings.Cut(twoProspects, "\n\n")
		s = takeMail(t, m, jane+"\n"+one)
		if len(s.Accepted) != 1 || s.Accepted[0].Unclear[intake.FieldStage] != "first call held" {
			t.Errorf("%+v", s.Accepted)
		}
	})
}

// TestACommandInTheSubjectOfAMailThatSaysNothingElse is one, and with other words is none.
func TestACommandInTheSubjectOfAMailThatSaysNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: New lead\n", wholeLead))
		_, first := o.answer()
		number := subjectHint(first.Subject)
		for i, mail := range []struct{ subject, text, want string }{
			{"STATUS " + number, "", "This is where your registration"},
			{"Status " + number, "\nBest regards\nAna Alpha\nAlpha Ltd\n", "This is where your registration"},
			{"Re: [" + number + "] STATUS", "", "This is where your registration"},
			{"EXTEND " + number + " they are on holiday", "-- \nAna Alpha", "You asked for more time."},
			{"Re: WITHDRAW [" + number + "]", "", "Withdrawn."},
		} {
			o.deliver(fromAlpha(10+i, "Subject: "+mail.subject+"\n", mail.text))
			if _, answer := o.answer(); !strings.Contains(answer.Text, mail.want) {
				t.Errorf("%q is answered by\n%s", mail.subject, answer.Text)
			}
		}
		o.deliver(fromAlpha(20, "Subject: STATUS "+number+"\n", "We meet them on Monday."))
		if sent := o.unread(); len(sent) != 0 {
			t.Errorf("a sentence is answered as a command:\n%s", sent[0].data)
		}
	})
}

// TestMoreTimeIsAskedOfStaffByName is the whole way of a request: the partner reads who
// decides and what holds, and staff find it open until they have seen to it.
func TestMoreTimeIsAskedOfStaffByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: New lead\n", wholeLead))
		mail, first := o.answer()
		o.deliver(replyTo(t, 2, mail, "EXTEND the customer is on holiday until January", asItIs))
		_, answer := o.answer()
		text := strings.Join(strings.Fields(answer.Text), " ")
		for _, words := range []string{"You asked for more time. Mia Lund decides on it", "Until you hear from us nothing changes: the account is held for you until"} {
			if !strings.Contains(text, words) {
				t.Errorf("the answer does not say %q:\n%s", words, text)
			}
		}
		d, err := o.gateway.Dossier(t.Context(), subjectHint(first.Subject))
		if err != nil || d.Registration.Unread != 1 || len(d.Registration.Requests) != 1 {
			t.Errorf("%v: %d unread, requests %v", err, d.Registration.Unread, d.Registration.Requests)
		}
	})
}

func TestACorrectionIsAnsweredWithTheNewValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: New lead\n", wholeLead))
		mail, _ := o.answer()
		o.deliver(replyTo(t, 2, mail, "Contact role: CIO", asItIs))
		_, answer := o.answer()
		if !strings.Contains(answer.Text, "We changed:\n\n  Contact role: CIO\n") || strings.Contains(answer.Text, "Problem:") {
			t.Errorf("answer:\n%s", answer.Text)
		}
	})
}

func TestAProblemOfAWordIsAskedForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: New lead\n", strings.Replace(wholeLead, "Reporting takes a day a week.", "backup", 1)))
		_, answer := o.answer()
		text := strings.Join(strings.Fields(answer.Text), " ")
		if !strings.Contains(text, `we need more than "backup"; one sentence is enough.`) || !strings.Contains(text, `Company name: Acme GmbH you wrote "Company: Acme GmbH"`) {
			t.Errorf("answer:\n%s", answer.Text)
		}
	})
}
