package mailbox

import (
	"strings"
	"testing"

	"leadgate/channels/channeltest"
	"leadgate/intake"
	"leadgate/intake/extract"
)

func TestReplyToIsHonouredWithinTheOrganisation(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	const ignored = "; Reply-To of somebody else was ignored"
	for replyTo, tt := range map[string]struct {
		want    string
		ignored bool
	}{
		"":                                       {"jane@partner.example.com", false},
		"Reply-To: leads@example.com":            {"leads@example.com", false},
		"Reply-To: jane@partner.example.com":     {"jane@partner.example.com", false},
		"Reply-To: x@evil.example.org":           {"jane@partner.example.com", true},
		"Reply-To: a@example.com, b@example.com": {"jane@partner.example.com", true},
		"Reply-To: a@example.com, b@evil.org":    {"jane@partner.example.com", true},
	} {
		s := takeMail(t, m, "From: jane@partner.example.com\n"+replyTo+"\n\nCompany: Acme GmbH")
		if len(s.Accepted) != 1 {
			t.Fatalf("%+v", s)
		}
		if got := s.Accepted[0]; got.Reply.Address != tt.want || strings.HasSuffix(got.Sender.How, ignored) != tt.ignored {
			t.Errorf("%s: reply to %s, how %q", replyTo, got.Reply.Address, got.Sender.How)
		}
	}
	s := takeMail(t, m, "From: mia@vendor.example\nReply-To: partners+x@vendor.example\n\nCompany: Acme GmbH")
	if got := s.Accepted[0].Reply.Address; got != "mia@vendor.example" {
		t.Errorf("the answer goes to ourselves: %s", got)
	}
}

// TestReplyToIsIgnoredWhereAnybodyCanHaveAnAddress: a mail provider is no organisation, nor is
// a host that many share.
func TestReplyToIsIgnoredWhereAnybodyCanHaveAnAddress(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, tt := range []struct{ from, replyTo, want string }{
		{"jane@gmail.com", "eve@gmail.com", "jane@gmail.com"},
		{"jane@gmail.com", "Jane@GMail.com", "Jane@gmail.com"},
		{"jane@yahoo.co.uk", "eve@yahoo.co.uk", "jane@yahoo.co.uk"},
		{"jane@acme.github.io", "eve@evil.github.io", "jane@acme.github.io"},
		{"jane@github.io", "eve@github.io", "jane@github.io"},
		{"jane@localhost", "eve@localhost", "jane@localhost"},
		{"jane@acme.github.io", "leads@acme.github.io", "leads@acme.github.io"},
	} {
		s := takeMail(t, m, "From: "+tt.from+"\nReply-To: "+tt.replyTo+"\n\nCompany: Acme GmbH\n")
		if got := s.Accepted[0].Reply.Address; !strings.EqualFold(got, tt.want) {
			t.Errorf("the answer to %s goes to %s", tt.from, got)
		}
	}
}

// TestTheSameMessageIDWithOtherWordsIsAnotherMail: nobody can keep a mail out by sending
// another with its id first.
func TestTheSameMessageIDWithOtherWordsIsAnotherMail(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	sink := channeltest.NewSink()
	const head = jane + "Message-ID: <1@partner.example>\nDate: Mon, 23 Nov 2026 08:00:00 +0000\n\n"
	for _, mail := range []string{
		head + "Company: Acme GmbH\n",
		"Received: from elsewhere\n" + head + "Company: Acme GmbH\n", // the same by another way
		head + "Company: Beta GmbH\n",
		strings.Replace(head, "<1@partner.example>", "1@partner.example", 1) + "Company: Gamma GmbH\n",
		strings.Replace(head, "Message-ID: <1@partner.example>\n", "", 1) + "Company: Delta GmbH\n",
	} {
		if _, err := m.take(t.Context(), sink, delivery{receivedAt: testNow, content: strings.NewReader(mail)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, s := range sink.State().Accepted {
		got = append(got, s.Lead[intake.FieldCompanyName])
	}
	if g := strings.Join(got, ", "); g != "Acme GmbH, Beta GmbH, Gamma GmbH, Delta GmbH" {
		t.Errorf("taken in: %s", g)
	}
}

func TestForgedTokensAreCountedAndTheMailIsNew(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	good := m.replyTo(answerID, "LG-2026-000123-K")
	bad := strings.Replace(good, "+r.a", "+r.c", 1)
	for i, to := range []string{good, bad, bad} {
		s := takeMail(t, m, jane+"To: "+to+"\n\nCompany: Acme GmbH\n")
		if want := map[bool]string{true: "LG-2026-000123-K"}[to == good]; len(s.Accepted) != 1 || s.Accepted[0].Case != want {
			t.Errorf("%s: %+v", to, s)
		}
		if n := m.ForgedTokens(); n != uint64(i) {
			t.Errorf("%d forged tokens after %d of them", n, i)
		}
	}
}

// TestLeadsOfOneMailShareABatch: each has a key and a content of its own, and what is there
// once goes with the first.
func TestLeadsOfOneMailShareABatch(t *testing.T) {
	s := intake.Submission{Key: "k", Content: "c", Commands: []intake.Command{{Verb: intake.VerbHelp}}, Meetings: []intake.Meeting{{UID: "u"}}}
	lead := func(name string) extract.Lead {
		return extract.Lead{Fields: intake.Lead{intake.FieldCompanyName: name}, Evidence: map[intake.Field]extract.Evidence{intake.FieldCompanyName: {Words: name}}}
	}
	fault := []intake.RowFault{{Row: 3}}
	all := perLead(s, &extract.Result{Leads: []extract.Lead{lead("A"), lead("B")}, Faults: fault})
	if len(all) != 2 || all[0].Key != "k" || all[1].Key != "k#2" || all[0].Content != "c" || all[1].Content != "c#2" {
		t.Fatalf("%+v", all)
	}
	for i, sub := range all {
		if sub.Batch.ID != "k" || sub.Batch.Size != 2 || len(sub.Batch.Faults) != 1 || sub.Evidence[intake.FieldCompanyName] != sub.Lead[intake.FieldCompanyName] {
			t.Errorf("%d: %+v", i, sub)
		}
	}
	if len(all[0].Commands) != 1 || len(all[0].Meetings) != 1 || len(all[1].Commands)+len(all[1].Meetings) != 0 {
		t.Errorf("commands and meetings: %+v", all)
	}
	if one := perLead(s, &extract.Result{Leads: []extract.Lead{lead("A")}}); len(one) != 1 || one[0].Batch.ID != "" {
		t.Errorf("one lead: %+v", one)
	}
	if none := perLead(s, &extract.Result{}); len(none) != 1 || none[0].Batch.ID != "" || none[0].Lead != nil {
		t.Errorf("no lead: %+v", none)
	}
	if bad := perLead(s, &extract.Result{Faults: fault}); len(bad) != 1 || bad[0].Batch.Size != 1 || len(bad[0].Batch.Faults) != 1 {
		t.Errorf("only faults: %+v", bad)
	}
	if accepted := perLead(intake.Submission{Key: "k"}, &extract.Result{Leads: []extract.Lead{lead("A"), lead("B")}}); accepted[1].Content != "" {
		t.Errorf("content out of nothing: %q", accepted[1].Content)
	}
}

// TestStaffAreToldWhatAReadingMayHaveMissed: the note goes with the registration, and with
// what is set aside because no registration was found in it.
func TestStaffAreToldWhatAReadingMayHaveMissed(t *testing.T) {
	m := believing(t)
	for name, tt := range map[string]struct{ mail, want string }{
		"nothing":                     {"\nCompany: Acme GmbH\n", ""},
		"a letter of an unnamed set":  {"\nCompany: Caf\xe9 GmbH\n", "the character set was guessed"},
		"a wrong name of a set":       {"Content-Type: text/plain; charset=utf-8\n\nCompany: Caf\xe9 GmbH\n", "the character set was guessed"},
		"more text than is read":      {"\nCompany: Acme GmbH\n" + strings.Repeat("All that they told me about it.\n", 40_000), "read in part, beyond the limit of text"},
		"a winmail.dat beside a text": {beside + winmail + "--b--\n", "a winmail.dat was not read"},
		"an encrypted part":           {beside + encryptedMail + "--b--\n", "an encrypted part was not read"},
	} {
		s := takeMail(t, m, jane+"Subject: New lead\n"+tt.mail)
		if len(s.Accepted) != 1 || s.Accepted[0].Note != tt.want || s.Accepted[0].Lead[intake.FieldCompanyName] == "" {
			t.Errorf("%s: %+v, want the note %q", name, s, tt.want)
		}
	}
}
