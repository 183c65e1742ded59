package mailbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
	"leadgate/templates"
)

// office is a whole Leadgate with one mailbox, in a bubble of virtual time. What it sends is
// kept instead.
type office struct {
	t       *testing.T
	m       *Mailbox
	gateway *intake.Gateway
	out     *capture
	read    int // mails of out that the other side has seen
	got     int
}

// openOffice starts a Leadgate at address, with one partner at the given domain.
func openOffice(t *testing.T, address, partnerDomain string, human ...string) *office {
	t.Helper()
	spec := rules.Default()
	spec.Mode, spec.Required = intake.ModeAuto, rules.RequiredShort
	spec.Decision = intake.Span{Value: 30, Unit: intake.Days} // what is told in between answers nobody
	spec.AnswerReminders = nil
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", testKey)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, out: &capture{}}
	o.gateway, err = intake.New(intake.Options{Store: memstore.New(), Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	tokens := true
	o.m, err = New(Config{
		ReplyToken: &tokens,
		Name:       "partners", Address: address, Outbox: t.TempDir(), Direct: &Direct{Listen: "127.0.0.1:0"},
		SenderProof: senderauth.Config{Mode: senderauth.ModeNone}, TreatAsHuman: human,
	}, Deps{
		Key: append([]byte(address), testKey...), Extractor: extract.New(ids, extract.Options{OwnDomain: policy.Owns}),
		Renderer: RendererFunc(func(m intake.Message) (Rendered, error) {
			words, err := texts.Render(m)
			return Rendered(words), err
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.m.transport = o.out
	o.gateway.Register(Channel, Repliers{o.m})
	err = o.gateway.PutPartners(t.Context(), []intake.Partner{{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{partnerDomain}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.gateway.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return o
}

// deliver gives a mail to the office and waits until it has come to rest.
func (o *office) deliver(mail string) {
	o.t.Helper()
	o.got++
	d := delivery{key: fmt.Sprintf("test:%d", o.got), receivedAt: time.Now(), content: strings.NewReader(mail)}
	if _, err := o.m.take(o.t.Context(), o.gateway, d); err != nil {
		o.t.Fatal(err)
	}
	synctest.Wait()
	time.Sleep(time.Minute)
	synctest.Wait()
}

// unread returns the mails that were sent since the last call.
func (o *office) unread() []outgoing {
	fresh := o.out.sent[o.read:]
	o.read = len(o.out.sent)
	return fresh
}

// wholeLead is the text of a complete registration.
const wholeLead = "Company: Acme GmbH\nCompany domain: acme.example\nContact name: Jane Doe\nContact e-mail: jane@acme.example\n" +
	"Contact role: CTO\nStage: new introduction\nProblem: Reporting takes a day a week.\nConsent: yes\n"

// ticketRobots answer every mail of ours as ticket systems without any header do.
var ticketRobots = map[string]func(n int, subject, id, replyTo, text string) string{
	"that keeps subject and thread": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nIn-Reply-To: <%s>\nSubject: Re: %s [Ticket #%d]\n\nWe received your request as ticket %d.\n", replyTo, id, subject, n, n)
	},
	"that keeps only the subject": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nSubject: Ticket received - %s\n\nYour ticket number is %d.\n", testAddress, subject, n)
	},
	"that keeps nothing": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nSubject: Ticket %d received\n\nThank you for contacting us. Your ticket number is %d.\n", testAddress, n, n)
	},
	"that keeps nothing and asks something new each time": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nSubject: Ticket %d\n\nHello,\n\nplease tell us how we may help you with request %d?\n", testAddress, n, n)
	},
	"that sends our text back": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nSubject: Ticket %d: %s\n\nYour ticket number is %d. You wrote:\n\n%s\n", replyTo, n, subject, n, text)
	},
	"that sends our text back as new": func(n int, subject, id, replyTo, text string) string {
		return fmt.Sprintf("To: %s\nSubject: Ticket %d\n\nTicket %d\n\n%s\n", testAddress, n, n, text)
	},
}

// beginnings are mails of people that a conversation with a robot may begin with.
var beginnings = map[string]string{
	"a registration":            "Subject: New lead\n\n" + wholeLead,
	"half a registration":       "Subject: New lead\n\nCompany: Acme GmbH\nContact e-mail: jane@acme.example\n",
	"nothing to be read at all": "Subject: Hello\n\nPlease call me.\n",
}

// TestATicketRobotGetsOneAnswerMore lets robots of partners answer everything that we send.
// What begins it is a person's registration, complete or with questions left, or nothing that
// could be read as one.
func TestATicketRobotGetsOneAnswerMore(t *testing.T) {
	converse(t, 2)
}

// TestARobotThatIsTreatedAsHumanDoesNotLoop: where the operator has lifted what the mailbox
// knows about machines, the rules about answers still end it.
func TestARobotThatIsTreatedAsHumanDoesNotLoop(t *testing.T) {
	converse(t, 10, "alpha.example")
}

// converse has each robot answer 100 times, an hour apart, and wants at most so many answers.
func converse(t *testing.T, limit int, human ...string) {
	const rounds = 100
	for robot, write := range ticketRobots {
		for begin, first := range beginnings {
			t.Run("a robot "+robot+" after "+begin, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := openOffice(t, testAddress, "alpha.example", human...)
					const from = "From: Alpha <leads@alpha.example>\n"
					o.deliver(from + "To: " + testAddress + "\nMessage-ID: <first@alpha.example>\n" + first)
					n := 0
					for range rounds {
						time.Sleep(time.Hour) // for what was held back
						synctest.Wait()
						for _, mail := range o.unread() {
							n++
							p := parsed(t, string(mail.data))
							o.deliver(from + fmt.Sprintf("Message-ID: <ticket-%d@alpha.example>\n", n) + write(1000+n, p.Subject, p.MessageID, p.ReplyTo[0].Address, p.Text))
						}
					}
					if len(o.out.sent) > limit || len(o.out.sent) == 0 {
						t.Errorf("%d answers, want 1 to %d", len(o.out.sent), limit)
						for i, mail := range o.out.sent[:min(4, len(o.out.sent))] {
							p := parsed(t, string(mail.data))
							t.Logf("%d: %s: %.300s", i, p.Subject, p.Text)
						}
					}
				})
			})
		}
	}
}

// TestTwoLeadgatesEndAfterTwoMails makes two installations partners of each other.
func TestTwoLeadgatesEndAfterTwoMails(t *testing.T) {
	for begin, first := range beginnings {
		t.Run(begin, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := openOffice(t, "partners@a.example", "b.example")
				b := openOffice(t, "deals@b.example", "a.example")
				a.deliver("From: deals@b.example\nTo: partners@a.example\nMessage-ID: <first@b.example>\n" + first)
				for range 20 {
					for _, mail := range a.unread() {
						b.deliver("Return-Path: <" + mail.from + ">\n" + string(mail.data))
					}
					for _, mail := range b.unread() {
						a.deliver("Return-Path: <" + mail.from + ">\n" + string(mail.data))
					}
				}
				if n := len(a.out.sent) + len(b.out.sent); n == 0 || n > 2 {
					t.Errorf("%d mails", n)
				}
			})
		})
	}
}
