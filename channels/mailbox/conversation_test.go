package mailbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// fromAlpha is a mail of the office's partner.
func fromAlpha(n int, header, text string) string {
	return fmt.Sprintf("From: Ana Alpha <ana@alpha.example>\nTo: %s\nMessage-ID: <%d@alpha.example>\n%s\n%s", testAddress, n, header, text)
}

// replyTo is the partner's answer to a mail of ours: what she writes above, and what she
// makes of the lines that she quotes.
func replyTo(t *testing.T, n int, o outgoing, above string, quoted func(line string) string) string {
	t.Helper()
	p := parsed(t, string(o.data))
	var b strings.Builder
	for line := range strings.Lines(p.Text) {
		b.WriteString("> " + quoted(strings.TrimRight(line, "\n")) + "\n")
	}
	return fromAlpha(n, "In-Reply-To: <"+p.MessageID+">\nSubject: Re: our call\n", above+"\n\nOn Mon, Nov 23, 2026 at 9:12 AM Vendor <"+testAddress+"> wrote:\n"+b.String())
}

func asItIs(line string) string { return line }

// standing tells what has become of an office's cases, sorted: "status company's domain".
func (o *office) standing() string {
	o.t.Helper()
	cases, err := o.gateway.Cases(o.t.Context(), intake.CaseQuery{Limit: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	var all []string
	for _, r := range cases {
		all = append(all, fmt.Sprintf("%s %s", r.Status, or(r.Lead[intake.FieldCompanyDomain], "?")))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// answer returns the one answer that was sent since the last call.
func (o *office) answer() (outgoing, mailparse.Parsed) {
	o.t.Helper()
	sent := o.unread()
	if len(sent) != 1 {
		o.t.Fatalf("%d answers, want 1", len(sent))
	}
	return sent[0], parsed(o.t, string(sent[0].data))
}

const (
	aTable = "Subject: Leads of November\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\n\nHello,\n\nsee the table.\n--b\nContent-Type: text/csv; name=leads.csv\nContent-Disposition: attachment; filename=leads.csv\n"
	tableHead = "Company;Website;Contact;E-mail;Use case;Consent\n"
)

func htmlRow(cell string, values ...string) string {
	return "<tr><" + cell + ">" + strings.Join(values, "</"+cell+"><"+cell+">") + "</" + cell + "></tr>\n"
}

// TestOneMailGivesItsCasesAndOneAnswer has a partner's mail go through the whole gateway.
func TestOneMailGivesItsCasesAndOneAnswer(t *testing.T) {
	const held = "approved_provisional "
	withoutConsent := strings.Replace(wholeLead, "Consent: yes\n", "", 1)
	for name, tt := range map[string]struct {
		header, text string
		cases        string
		says         []string // the answer, one of its lines each
		hides        []string
	}{
		"a table of three rows, one of them about nobody": {
			header: aTable, text: tableHead + "Acme GmbH;acme.example;Jane Doe;jane@acme.example;Reporting takes a day;yes\n" +
				";;;;Nobody knows;yes\nBeta AG;beta-ag.example;Joe Roe;joe@beta-ag.example;Backups do not finish;yes\n--b--\n",
			cases: held + "acme.example, " + held + "beta-ag.example",
			says:  []string{"2 registrations of yours", "  Acme GmbH", "  Beta AG", "* Row 3: Company name is missing."},
		},
		"a table with a header row in HTML": {
			header: "Subject: Leads\nContent-Type: text/html\n",
			text: "<table>" + htmlRow("th", "Company", "Website", "Contact", "E-mail", "Use case", "Consent") +
				htmlRow("td", "Acme GmbH", "acme.example", "Jane Doe", "jane@acme.example", "Reporting takes a day", "yes") +
				htmlRow("td", "Beta AG", "beta-ag.example", "Joe Roe", "joe@beta-ag.example", "Backups do not finish", "yes") + "</table>",
			cases: held + "acme.example, " + held + "beta-ag.example",
			says:  []string{"2 registrations of yours", "  Acme GmbH", "  Beta AG"},
		},
		"a formula is text": {
			header: aTable, text: tableHead + "Acme GmbH;acme.example;Jane Doe;jane@acme.example;=HYPERLINK(\"http://evil.example\");yes\n--b--\n",
			cases: held + "acme.example",
			says:  []string{`Problem: =HYPERLINK("http://evil.example")`},
		},
		"two names under one label": {
			header: "Subject: New lead\n", text: wholeLead + "Company: Beta AG\n",
			cases: "needs_info acme.example",
			says:  []string{"- You gave it more than once, differently.", "Company name: "},
		},
		"a contact at a mail provider, and no domain": {
			header: "Subject: New lead\n",
			text:   strings.NewReplacer("Company domain: acme.example\n", "", "jane@acme.example", "jane.doe@gmail.com").Replace(wholeLead),
			cases:  "needs_info ?",
			says:   []string{"Company domain: "},
			hides:  []string{"domain: gmail.com"},
		},
		"the partner's own signature": {
			header: "Subject: New lead\n",
			text: strings.Replace(wholeLead, "Company domain: acme.example\n", "", 1) +
				"\nBest regards\nAna Alpha\nAlpha Ltd\nPhone: +44 20 7946 0000\nWebsite: www.alpha.example\nE-mail: ana@alpha.example\n",
			cases: held + "acme.example",
			hides: []string{"7946", "alpha.example"},
		},
		"consent":           {"Subject: New lead\n", wholeLead, held + "acme.example", nil, []string{"Has the contact agreed"}},
		"consent is absent": {"Subject: New lead\n", withoutConsent, "needs_info acme.example", []string{"Has the contact agreed"}, nil},
		"consent is denied": {"Subject: New lead\n", withoutConsent + "Consent: no\n", "needs_info acme.example", []string{"Has the contact agreed"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, testAddress, "alpha.example")
				o.deliver(fromAlpha(1, tt.header, tt.text))
				_, answer := o.answer()
				if got := o.standing(); got != tt.cases {
					t.Errorf("cases: %s, want %s", got, tt.cases)
				}
				for _, words := range tt.says {
					if !strings.Contains(answer.Text, words) {
						t.Errorf("the answer does not say %q:\n%s", words, answer.Text)
					}
				}
				for _, words := range tt.hides {
					if strings.Contains(answer.Text, words) {
						t.Errorf("the answer says %q:\n%s", words, answer.Text)
					}
				}
			})
		})
	}
}

const prose = "Hi,\n\nwe met Jane Doe (jane@acme.example), CTO of Acme GmbH, who is looking for a new portal.\n\nBest regards\nAna\n"

// TestProseIsAskedAboutAndAnAnswerInTheQuotationCompletesIt: the partner writes below our
// questions, and then a word of thanks.
func TestProseIsAskedAboutAndAnAnswerInTheQuotationCompletesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: A lead\n", prose))
		question, asked := o.answer()
		if got := o.standing(); got != "needs_info acme.example" {
			t.Errorf("cases: %s", got)
		}
		if !strings.Contains(asked.Text, "Consent: ") || strings.Contains(asked.Text, "Contact e-mail: \n") {
			t.Errorf("asked is\n%s", asked.Text)
		}
		o.deliver(replyTo(t, 2, question, "See below.", func(line string) string {
			if strings.HasPrefix(line, "Consent:") {
				return line + " yes, she agreed"
			}
			return line
		}))
		approval, _ := o.answer()
		if got := o.standing(); got != "approved_provisional acme.example" {
			t.Errorf("cases after the answer: %s", got)
		}
		o.deliver(replyTo(t, 3, approval, "thanks!", asItIs))
		if sent := o.unread(); len(sent) != 0 || o.standing() != "approved_provisional acme.example" {
			t.Errorf("%d answers to a word of thanks, cases: %s", len(sent), o.standing())
		}
	})
}

// TestAPersonTakesOverWhenRepliesGetNoFurther: what does not help is asked about once more,
// and then not again.
func TestAPersonTakesOverWhenRepliesGetNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: A lead\n", prose))
		for n := range 2 {
			question, asked := o.answer()
			if got := o.standing(); got != "needs_info acme.example" || !strings.Contains(asked.Text, "fill in the lines") {
				t.Errorf("cases after %d replies: %s", n, got)
			}
			o.deliver(replyTo(t, 2+n, question, "Consent: no, not this week", asItIs))
		}
		if got := o.standing(); got != "in_review acme.example" {
			t.Errorf("cases in the end: %s", got)
		}
		if _, last := o.answer(); strings.Contains(last.Text, "fill in the lines") {
			t.Errorf("the last answer asks again:\n%s", last.Text)
		}
	})
}

// TestAnInvitationIsEvidenceForItsCase: it makes no case, draws no answer and shows in the
// history. One to a stranger's company is set aside.
func TestAnInvitationIsEvidenceForItsCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.deliver(fromAlpha(1, "Subject: New lead\n", wholeLead))
		o.answer()
		for n, attendee := range []string{"jane@acme.example", "joe@stranger.example"} {
			o.deliver(fromAlpha(2+n, "Subject: Invitation: First meeting\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n",
				"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1@alpha.example\nDTSTART:20261201T090000Z\nSUMMARY:First meeting\n"+
					"ORGANIZER:mailto:ana@alpha.example\nATTENDEE:mailto:ana@alpha.example\nATTENDEE:mailto:"+attendee+"\nEND:VEVENT\nEND:VCALENDAR\n"))
		}
		cases, err := o.gateway.Cases(t.Context(), intake.CaseQuery{Limit: 100})
		if err != nil || len(cases) != 1 {
			t.Fatalf("%d cases, err %v", len(cases), err)
		}
		d, err := o.gateway.Dossier(t.Context(), cases[0].Number)
		if err != nil {
			t.Fatal(err)
		}
		var noted []string
		for _, e := range d.Events {
			if e.Kind == intake.EventMeeting {
				noted = append(noted, e.Note)
			}
		}
		if asides, err := o.gateway.Asides(t.Context(), intake.AsideQuery{Limit: 10}); err != nil || len(asides) != 1 {
			t.Errorf("set aside: %+v, err %v", asides, err)
		}
		if sent := o.unread(); len(sent) != 1 || cases[0].Status != intake.StatusProtected || !slices.Equal(noted, []string{"request 2026-12-01T09:00:00Z"}) {
			t.Errorf("%d answers, noted %q", len(sent), noted)
		}
	})
}

// TestFormsInSixLanguagesGiveTheSameLead: the labels are of the language, what is typed is not.
func TestFormsInSixLanguagesGiveTheSameLead(t *testing.T) {
	want := intake.Lead{
		intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.com", intake.FieldCountry: "DE",
		intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@acme.com", intake.FieldContactRole: "CTO",
		intake.FieldProblem: "Portal 2.0", intake.FieldTargetRevenue: "120000 EUR", intake.FieldConsent: intake.ConsentYes,
	}
	for language, form := range map[string]string{
		"English":  "Company: %s\nCompany domain: %s\nCountry: Germany\nContact: %s\nE-mail: %s\nRole: CTO\nProblem: Portal 2.0\nBudget: 120.000 EUR\nConsent: yes\n",
		"German":   "Firma: %s\nWebseite: %s\nLand: Deutschland\nAnsprechpartner: %s\nE-Mail: %s\nFunktion: CTO\nAnwendungsfall: Portal 2.0\nBudget: 120.000 EUR\nEinwilligung: ja\n",
		"French":   "Société : %s\nSite web : %s\nPays : Allemagne\nContact : %s\nCourriel : %s\nFonction : CTO\nBesoin : Portal 2.0\nBudget : 120 000 EUR\nConsentement : oui\n",
		"Spanish":  "Empresa: %s\nSitio web: %s\nPaís: Alemania\nContacto: %s\nCorreo electrónico: %s\nCargo: CTO\nNecesidad: Portal 2.0\nPresupuesto: 120.000 EUR\nConsentimiento: sí\n",
		"Dutch":    "Bedrijf: %s\nWebsite: %s\nLand: Duitsland\nContactpersoon: %s\nE-mailadres: %s\nFunctie: CTO\nProbleem: Portal 2.0\nBudget: 120.000 EUR\nToestemming: ja\n",
		"Polish":   "Firma: %s\nStrona internetowa: %s\nKraj: Niemcy\nOsoba kontaktowa: %s\nE-mail: %s\nStanowisko: CTO\nProblem: Portal 2.0\nBudżet: 120 000 EUR\nZgoda: tak\n",
		"Japanese": "会社名：%s\nウェブサイト：%s\n国：ドイツ\n担当者：%s\nメールアドレス：%s\n役職：CTO\n課題：Portal 2.0\n予算：120,000 EUR\n同意：はい\n",
	} {
		m := believing(t)
		s := takeMail(t, m, jane+"Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"+fmt.Sprintf(form, "Acme GmbH", "https://www.acme.com", "Jane Doe", "jane@acme.com"))
		if len(s.Accepted) != 1 || !maps.Equal(s.Accepted[0].Lead, want) {
			t.Errorf("%s: %v, want %v", language, s.Accepted[0].Lead, want)
		}
	}
}
