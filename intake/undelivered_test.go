package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// contacts has Alpha list contacts by the part before the @; the first is Ana.
func (w *world) contacts(names ...string) {
	w.Helper()
	p, err := w.gateway.Partner(w.Context(), "alpha")
	if err != nil {
		w.Fatal(err)
	}
	p.Contacts = nil
	for _, name := range names {
		p.Contacts = append(p.Contacts, intake.Contact{Email: name + "@alpha.example"})
	}
	if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
		w.Fatal(err)
	}
}

// wantContacts checks the states of Alpha's contacts, in order.
func (w *world) wantContacts(states ...string) {
	w.Helper()
	p, err := w.gateway.Partner(w.Context(), "alpha")
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for _, c := range p.Contacts {
		got = append(got, c.Status)
	}
	if strings.Join(got, ",") != strings.Join(states, ",") {
		w.Errorf("the contacts are %q, want %q", got, states)
	}
}

// refuse has the channel fail for addresses by the part before the @.
func (w *world) refuse(err error, names ...string) {
	w.channel.fail = func(m intake.Message) error {
		for _, name := range names {
			if strings.HasPrefix(m.To.Address, name+"@") {
				return err
			}
		}
		return nil
	}
}

func (w *world) bounce(key, message string) {
	w.Helper()
	report(w, key, intake.Delivery{Message: message, Failed: true, Status: "5.1.1"})
	w.pass(time.Second)
}

// wantRecipients checks to whom all messages to partners went.
func (w *world) wantRecipients(names ...string) []intake.Message {
	w.Helper()
	all := w.channel.messages()
	var got []string
	for _, m := range all {
		got = append(got, strings.TrimSuffix(m.To.Address, "@alpha.example"))
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		w.Fatalf("messages went to %v, want %v", got, names)
	}
	return all
}

func TestABouncedAnswerReachesTheNextContactOfThePartner(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob", "cyr")
		r := w.submit("ana@alpha.example", acme())
		w.bounce("dsn 1", w.channel.messages()[0].ID)
		w.bounce("dsn 2", w.channel.messages()[0].ID) // reported again, by another server
		got := w.wantRecipients("ana", "bob")
		if m := got[1]; m.Kind != intake.MessageStatus || m.Facts.Case != r.Case || m.Facts.Status != intake.StatusProvisional || len(m.To.Thread) != 0 {
			t.Errorf("Bob is told %s of %s, %s, in thread %s", m.Kind, m.Facts.Case, m.Facts.Status, m.To.Thread)
		}
		w.wantContacts("bounced", "", "")
		if to := w.story(r.Case).Registration.Reply.Address; to != "bob@alpha.example" {
			t.Errorf("the case answers %s", to)
		}
		if got := w.toStaff("", intake.StaffTrouble); len(got) != 0 {
			t.Errorf("staff are troubled: %s", got[0].Brief.Why)
		}
		again := w.submit("ana@alpha.example", named("Other", "other.example")) // she can still write
		if r := w.wantStatus(again.Case, intake.StatusProvisional); r.Partner != "alpha" {
			t.Errorf("her next registration is %s's", r.Partner)
		}
	})
}

func TestBouncesGoRoundInNoCircleAndEndWithStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob", "cyr")
		r := w.submit("ana@alpha.example", acme())
		for i := 0; i < len(w.channel.messages()) && i < 10; i++ {
			w.bounce("dsn "+string(rune('a'+i)), w.channel.messages()[i].ID)
		}
		w.wantRecipients("ana", "bob", "cyr")
		w.wantContacts("bounced", "bounced", "bounced")
		trouble := w.toStaff("jo@vendor.example", intake.StaffTrouble)
		if len(trouble) != 1 || trouble[0].Brief.Registration.Number != r.Case || !strings.Contains(trouble[0].Brief.Why, "cyr@alpha.example") {
			t.Fatalf("staff are told of %d troubles", len(trouble))
		}
		w.contacts("ana", "bob", "cyr") // the list is imported again, with all of them in order
		w.bounce("dsn late", w.channel.messages()[2].ID)
		w.revoke(r.Case)
		w.bounce("dsn last", w.channel.messages()[3].ID)
		w.pass(time.Minute)
		for _, m := range w.channel.messages()[3:] {
			if m.Kind == intake.MessageStatus {
				t.Errorf("%s is written to again", m.To.Address)
			}
		}
	})
}

func TestARefusedAnswerReachesTheNextContactOfThePartner(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("zoe", "ana", "bob")
		w.refuse(intake.Permanent(errDown), "ana", "zoe")
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldProblem))
		got := w.wantRecipients("bob") // Zoe comes first and is refused too
		if m := got[0]; m.Kind != intake.MessageNeedsInfo || len(m.Facts.Missing) == 0 || len(m.Facts.Fields) != 0 {
			t.Errorf("Bob is told %s", m.Kind)
		}
		w.wantContacts("bounced", "bounced", "")
		if got := notes(w.story(r.Case), intake.EventUndelivered); len(got) != 2 {
			t.Errorf("the case says %q", got)
		}
	})
}

func TestAServerThatIsDownSaysNothingOfAContact(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		w.refuse(errDown, "ana")
		r := w.submit("ana@alpha.example", acme())
		report(w, "delay", intake.Delivery{Message: r.Case + ".2", Status: "4.4.1"})
		w.pass(4 * 24 * time.Hour)
		w.wantRecipients() // it is still being tried
		w.pass(2 * 24 * time.Hour)
		w.wantContacts("", "")
		if got := w.channel.messages(); len(got) == 0 || got[0].To.Address != "bob@alpha.example" || got[0].Kind != intake.MessageStatus {
			t.Errorf("after six days %d messages are out", len(got))
		}
	})
}

func TestAMailThatNoServerCouldDeliverInDaysMarksNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		w.submit("ana@alpha.example", acme())
		report(w, "dsn", intake.Delivery{Message: w.channel.messages()[0].ID, Failed: true, Status: "4.4.7"})
		w.pass(time.Second)
		w.wantRecipients("ana", "bob")
		w.wantContacts("", "")
	})
}

func TestWhatWeCannotWriteIsNoFaultOfTheContact(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		w.refuse(intake.OwnFault(errDown), "ana")
		w.submit("ana@alpha.example", acme())
		w.wantRecipients()
		w.wantContacts("", "")
		if got := w.toStaff("", intake.StaffTrouble); len(got) != 1 || !strings.Contains(got[0].Brief.Why, "could not be sent") {
			t.Errorf("staff are told of %d troubles", len(got))
		}
	})
}

func TestNobodyOutsideThePartnersDirectoryIsWrittenTo(t *testing.T) {
	inWorld(t, func(w *world) {
		p, err := w.gateway.Partner(w.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		p.Contacts = []intake.Contact{
			{Email: "left@alpha.example", Status: intake.ContactLeft},
			{Email: "dead@alpha.example", Status: intake.ContactBounced},
			{Email: "angry@alpha.example"},
		}
		if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
		w.submit("angry@alpha.example", named("Angry's", "angrys.example"))
		report(w, "arf", intake.Delivery{Message: w.channel.messages()[0].ID, Complaint: true})
		w.submit("ana@alpha.example", acme()) // of the domain, and in no list
		w.bounce("dsn", w.channel.messages()[1].ID)
		w.wantRecipients("angry", "ana")
		w.wantContacts("left", "bounced", "")
		if got := w.toStaff("", intake.StaffTrouble); len(got) != 1 {
			t.Errorf("staff are told of %d troubles", len(got))
		}
	})
}

func TestABounceOfAnAddressOfAnotherPartnerMovesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		s := w.submission("ana@alpha.example", acme())
		s.Reply.Address = "tom@beta.example"
		r := w.accept(s)
		w.pass(time.Second)
		w.bounce("dsn", w.channel.messages()[0].ID)
		w.wantRecipients("tom@beta.example")
		w.wantContacts("", "")
		if to := w.story(r.Case).Registration.Reply.Address; to != "tom@beta.example" {
			t.Errorf("the case answers %s", to)
		}
	})
}

func TestNothingOfAnUnprovenCaseIsToldToOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		w.accept(w.forged("ana@alpha.example", acme()))
		w.pass(time.Second)
		w.bounce("dsn", w.wantMessages(intake.MessageConfirm)[0].ID)
		w.wantRecipients("ana")
		w.wantContacts("", "")
	}, confirming)
}

func TestACaseThatWentToAnotherPartnerIsNotToldToTheFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		w.contacts("ana", "bob")
		r := w.submit("ana@alpha.example", acme())
		p, err := w.gateway.Partner(w.Context(), "beta")
		if err != nil {
			t.Fatal(err)
		}
		p.Contacts = []intake.Contact{{Email: "tom@beta.example"}, {Email: "tim@beta.example"}}
		if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.gateway.Reassign(w.Context(), r.Case, "beta", intake.Verdict{By: "mia", Rationale: "It is theirs by agreement."}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		before := w.channel.messages()
		for i, m := range before { // of what Ana was told, the news that it is Beta's now included
			if strings.HasPrefix(m.To.Address, "ana@") {
				w.bounce(fmt.Sprint("dsn ", i), m.ID)
			}
		}
		if got := w.channel.messages(); len(got) != len(before) {
			t.Errorf("%s is told %s of it", got[len(got)-1].To.Address, got[len(got)-1].Kind)
		}
		w.wantContacts("", "")
	})
}

func TestARefusedPushIsToldOnceUntilTheCRMTakesTheCaseAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		refuse := func(err error) { w.crm.set(func() { w.crm.push = func(intake.Record) error { return err } }) }
		refuse(intake.Permanent(errDown))
		r := w.submit("ana@alpha.example", acme())
		change := func(wantTrouble int) {
			t.Helper()
			at := time.Now().Add(time.Hour)
			if _, err := w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceMeeting, At: at, Source: "sales"}, intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			w.pass(2 * time.Hour)
			got := w.toStaff("jo@vendor.example", intake.StaffTrouble)
			if len(got) != wantTrouble || !strings.Contains(got[0].Brief.Why, "fake refused the case") {
				t.Fatalf("staff are told of %d troubles, want %d", len(got), wantTrouble)
			}
		}
		change(1)
		refuse(nil)
		if _, err := w.gateway.Amend(w.Context(), r.Case, intake.Lead{intake.FieldContactRole: "CFO"}, intake.Verdict{By: "mia", Rationale: "He moved up."}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		refuse(intake.Permanent(errDown))
		if _, err := w.gateway.Amend(w.Context(), r.Case, intake.Lead{intake.FieldContactRole: "CEO"}, intake.Verdict{By: "mia", Rationale: "He moved up."}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if got := w.toStaff("jo@vendor.example", intake.StaffTrouble); len(got) != 2 {
			t.Errorf("staff are told of %d troubles, want 2", len(got))
		}
	})
}
