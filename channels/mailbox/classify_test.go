package mailbox

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"leadgate/channels/channeltest"
	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
	"leadgate/intake/cputime"
)

// takeMail gives a mail to the mailbox and returns what came of it.
func takeMail(t testing.TB, m *Mailbox, mail string, change ...func(*delivery)) channeltest.State {
	t.Helper()
	sink := channeltest.NewSink()
	d := delivery{key: "test:1", receivedAt: testNow, content: strings.NewReader(mail)}
	for _, f := range change {
		f(&d)
	}
	if _, err := m.take(t.Context(), sink, d); err != nil {
		t.Fatal(err)
	}
	s := sink.State()
	if len(s.Accepted)+len(s.Asides) == 0 {
		t.Fatal("nothing came of the mail")
	}
	return s
}

func inJunk(d *delivery) { d.junk = true }

func fromNobody(d *delivery) { d.nullSender = true }

func parsed(t testing.TB, mail string) mailparse.Parsed {
	t.Helper()
	p, err := mailparse.Parse(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const jane = "From: Jane Partner <jane@partner.example>\n"

func TestClassifyTakesTheFirstReason(t *testing.T) {
	m, _ := newTestMailbox(t, Config{OwnAddresses: []string{"leads@vendor.example"}})
	ours := m.tokens.messageID("LG-2026-000001-K.3")
	returned := "partners+" + m.tokens.tag(forBounces, "LG-2026-000001-K.3") + "@vendor.example"
	for name, tt := range map[string]struct {
		header string
		want   class
	}{
		"a person": {jane, classPerson},

		"an answer of ours":                      {jane + "Message-ID: <" + ours + ">", classOwn},
		"an alias of ours":                       {"From: Leads@vendor.example", classOwn},
		"an address of ours with a tag":          {"From: partners+x@vendor.example", classOwn},
		"ours and automatic":                     {"From: leads+x@vendor.example\nAuto-Submitted: auto-replied", classOwn},
		"the mark of this installation":          {jane + "X-Leadgate-Instance: " + m.tokens.instance(), classOwn},
		"the mark of another installation":       {jane + "X-Leadgate-Instance: 00000000", classPerson},
		"a person at a vendor's other address":   {"From: mia@vendor.example", classPerson},
		"a person who answers us keeps our ids":  {jane + "In-Reply-To: <" + ours + ">", classPerson},
		"a Message-ID that only looks like ours": {jane + "Message-ID: <lg.LG-2026-000001-K.3.aaaaaaaaaaaaaaaa@x>", classPerson},
		"an empty Return-Path":                   {"Return-Path: <>\n" + jane, classBounce},
		"an empty Return-Path with blanks":       {"Return-Path: < >\n" + jane, classBounce},
		"an empty Return-Path further down":      {"Return-Path: <jane@partner.example>\n" + jane + "Return-Path: <>", classPerson},
		"postmaster":                             {"From: Postmaster@partner.example", classBounce},
		"a daemon without an address":            {"From: Mail Delivery Subsystem <MAILER-DAEMON>", classBounce},
		"a daemon with an empty address":         {"From: MAILER-DAEMON <>", classBounce},
		"failed recipients":                      {jane + "X-Failed-Recipients: a@b", classBounce},
		"a bounce that is automatic":             {"From: mailer-daemon@x.example\nAuto-Submitted: auto-replied", classBounce},
		"mail to a return path of ours":          {jane + "To: " + returned, classBounce},
		"mail to a return path that is made up":  {jane + "To: partners+b.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@vendor.example", classBounce},
		"mail to a tag of somebody's own":        {jane + "To: partners+berlin@vendor.example", classPerson},
		"a read receipt":                         {jane + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b", classReceipt},
		"a complaint":                            {"From: fbl@isp.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b", classComplaint},
		"a bounce whose sender is not empty":     {"From: it@partner.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b", classBounce},
		"a subject of a bounce, from a machine":  {"From: noreply@partner.example\nSubject: Undeliverable: Your registration", classBounce},
		"a subject of a bounce, and automatic":   {jane + "Auto-Submitted: auto-generated\nSubject: Unzustellbar: Ihre Anmeldung", classBounce},
		"a subject of a bounce alone":            {jane + "Subject: failure notice", classPerson},
		"a forwarded bounce":                     {jane + "Auto-Submitted: no\nSubject: Fwd: Undelivered Mail Returned to Sender", classPerson},
		"a vacation reply":                       {jane + "Auto-Submitted: auto-replied", classVacation},
		"a vacation reply in capitals":           {jane + "auto-submitted: AUTO-REPLIED; owner-email=\"x\"", classVacation},
		"a vacation reply of old":                {jane + "Precedence: auto_reply", classVacation},
		"a vacation reply with an empty sender":  {"Return-Path: <>\n" + jane + "Auto-Submitted: auto-replied", classVacation},
		"a vacation reply to our return path":    {jane + "Auto-Submitted: auto-replied\nTo: " + returned, classVacation},
		"an automatic subject":                   {jane + "Subject: Automatic reply: lead", classVacation},
		"an automatic subject in German":         {jane + "Subject: Automatische Antwort: Anmeldung", classVacation},
		"an automatic subject in French":         {jane + "Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A_lead?=", classVacation},
		"an automatic subject in Japanese":       {jane + "Subject: =?utf-8?b?6Ieq5YuV5b+c562UOiBsZWFk?=", classVacation},
		"an answer to an automatic subject":      {jane + "Subject: Re: Automatic reply: lead", classPerson},
		"auto-generated":                         {jane + "Auto-Submitted: (c) auto-generated; x", classAutomatic},
		"auto-generated in capitals":             {jane + "auto-submitted: AUTO-GENERATED; owner-email=\"x\"", classAutomatic},
		"auto-notified":                          {jane + "Auto-Submitted: auto-notified", classAutomatic},
		"not automatic":                          {jane + "Auto-Submitted: no", classPerson},
		"not automatic, with a comment":          {jane + "Auto-Submitted: no (by hand)", classPerson},
		"not automatic, with a parameter":        {jane + "Auto-Submitted: no; comment", classPerson},
		"an autoresponder":                       {jane + "X-Autoreply: yes", classAutomatic},
		"no autoresponder":                       {jane + "X-Autoreply: no", classPerson},
		"a loop":                                 {jane + "X-Loop: tickets@partner.example", classAutomatic},
		"junk":                                   {jane + "Precedence: junk", classAutomatic},
		"bulk":                                   {jane + "Precedence: Bulk", classAutomatic},
		"first class":                            {jane + "Precedence: first-class", classPerson},
		"a list by its precedence":               {jane + "Precedence: list", classAutomatic},
		"a list":                                 {jane + "List-Id: <partners.lists.example>", classList},
		"mass mail":                              {jane + "List-Unsubscribe: <mailto:x>", classList},
		"a mailing list of old":                  {jane + "Mailing-List: contact x@y", classList},
		"suppress all":                           {jane + "X-Auto-Response-Suppress: All", classQuiet},
		"suppress absence notes":                 {jane + "X-Auto-Response-Suppress: DR, OOF", classQuiet},
		"suppress receipts":                      {jane + "X-Auto-Response-Suppress: DR, RN, NRN", classPerson},
		"automatic, and suppresses":              {jane + "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All", classAutomatic},
		"do not reply":                           {"From: DoNotReply@partner.example", classNoReply},
		"no-reply with more":                     {"From: crm-no-reply+17@partner.example", classNoReply},
		"a bounce address of a list":             {"From: news-bounces@partner.example", classNoReply},
		"the owner of a list":                    {"From: owner-news@partner.example", classNoReply},
		"a person with a similar name":           {"From: norbert.bouncer@partner.example", classPerson},
		"a person who is called Reply":           {"From: rene.reply@partner.example", classPerson},
		"a subject that starts alike":            {jane + "Subject: Automatic replying machine vendor", classPerson},
		"no From":                                {"Subject: x", classAmbiguous},
		"an empty From":                          {"From: <>\nSubject: x", classAmbiguous},
		"the name repeats the address":           {"From: \"jane@partner.example\" <jane@partner.example>", classPerson},
		"the name shows another address":         {"From: \"boss@vendor.example\" <jane@partner.example>", classAmbiguous},
		"two addresses":                          {"From: jane@partner.example, joe@partner.example", classAmbiguous},
		"the same address in two fields":         {"From: jane@partner.example\nFrom: jane@partner.example", classAmbiguous},
		"automatic, and two addresses":           {"From: a@b.example, c@d.example\nAuto-Submitted: auto-generated", classAmbiguous},
		"a list that hides who wrote":            {"From: jane@partner.example\nFrom: list@lists.example\nList-Id: <x>", classAmbiguous},
	} {
		t.Run(name, func(t *testing.T) {
			p := parsed(t, tt.header+"\n\nCompany: Acme")
			f := m.classify(&p, delivery{})
			if f.class != tt.want {
				t.Errorf("got %q (%s), want %q", f.class, f.detail, tt.want)
			}
			if f.human() != (f.class == classPerson || f.class == classQuiet) || !f.human() && f.detail == "" {
				t.Errorf("class %s with verdict %+v", f.class, f.verdict)
			}
			checkLine(t, f.detail)
		})
	}
	t.Run("an empty envelope sender", func(t *testing.T) {
		p := parsed(t, jane+"\nx")
		if f := m.classify(&p, delivery{nullSender: true}); f.class != classBounce {
			t.Errorf("got %q", f.class)
		}
	})
	t.Run("an envelope recipient that is a return path", func(t *testing.T) {
		p := parsed(t, jane+"\nx")
		if f := m.classify(&p, delivery{recipients: []string{returned}}); f.class != classBounce {
			t.Errorf("got %q", f.class)
		}
	})
}

func checkLine(t *testing.T, s string) {
	t.Helper()
	if strings.ContainsAny(s, "\r\n\x00") || !utf8.ValidString(s) {
		t.Errorf("not one line: %q", s)
	}
}

func TestEveryClassHasATreatment(t *testing.T) {
	want := map[treatment]string{
		toAnswer:    "person",
		toMute:      "quiet acknowledgement",
		toMuteLeads: "automatic list no_reply",
		toSetAside:  "own complaint receipt bounce vacation ambiguous",
	}
	got := make(map[treatment][]string)
	for _, c := range classes() {
		got[c.treatment()] = append(got[c.treatment()], string(c))
		if mute := (finding{class: c}).mute(); (mute != "") != (c.treatment() == toMute || c.treatment() == toMuteLeads) {
			t.Errorf("%s is muted by %q", c, mute)
		}
	}
	for tr, names := range want {
		if g := strings.Join(got[tr], " "); g != names {
			t.Errorf("%s: %s, want %s", tr, g, names)
		}
	}
	if class("").treatment() != toSetAside {
		t.Error("a mail of no class is not set aside")
	}
}

// TestAutomaticMailWithALeadIsTakenInAndNotAnswered: programs of partners register leads, and
// some servers mark the mail of people as automatic.
func TestAutomaticMailWithALeadIsTakenInAndNotAnswered(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	const lead, none = "\n\nCompany: Acme GmbH\nContact: Jane Doe\nCountry: Germany\n", "\n\nWe will be back.\n"
	for name, tt := range map[string]struct {
		header string
		mute   string // with a lead; empty if it is set aside
		route  bool
		aside  intake.AsideReason // without a lead; empty if it is taken in
	}{
		"a program":       {jane + "Auto-Submitted: auto-generated", "automatic mail: Auto-Submitted: auto-generated; no answer was sent", true, intake.AsideRobot},
		"a list":          {jane + "List-Id: <x>", "mail of a list: List-Id; no answer was sent", true, intake.AsideRobot},
		"a no-reply":      {"From: no-reply@partner.example", "nobody reads mail to the sender: From is no-reply; no answer was sent", false, intake.AsideRobot},
		"both":            {"From: no-reply@partner.example\nPrecedence: bulk", "automatic mail: Precedence: bulk; no answer was sent", false, intake.AsideRobot},
		"a quiet person":  {jane + "X-Auto-Response-Suppress: OOF", "asks for no automatic answer: X-Auto-Response-Suppress: oof; no answer was sent", true, ""},
		"a vacation":      {jane + "Auto-Submitted: auto-replied", "", false, intake.AsideRobot},
		"a bounce":        {"Return-Path: <>\n" + jane, "", false, intake.AsideBounce},
		"ourselves":       {"From: partners@vendor.example", "", false, intake.AsideOwn},
		"nobody for sure": {"From: a@b.example, c@d.example", "", false, intake.AsideAmbiguousFrom},
	} {
		t.Run(name, func(t *testing.T) {
			with, without := takeMail(t, m, tt.header+lead), takeMail(t, m, tt.header+none)
			if (tt.mute == "") != (len(with.Asides) == 1) {
				t.Fatalf("with a lead: %+v", with)
			}
			if tt.mute != "" {
				s := with.Accepted[0]
				if s.Mute != tt.mute || s.Lead[intake.FieldCompanyName] != "Acme GmbH" || (s.Reply.Address != "") != tt.route || (s.Reply.Channel != "") != tt.route {
					t.Errorf("mute %q, reply to %+v, lead %v", s.Mute, s.Reply, s.Lead)
				}
			}
			if (tt.aside == "") != (len(without.Accepted) == 1) {
				t.Fatalf("without a lead: %+v", without)
			}
			if tt.aside != "" && without.Asides[0].Reason != tt.aside {
				t.Errorf("without a lead: set aside as %q", without.Asides[0].Reason)
			}
			if tt.aside == "" && without.Accepted[0].Mute != tt.mute {
				t.Errorf("without a lead: mute %q", without.Accepted[0].Mute)
			}
		})
	}
}

func TestMailInTheJunkFolderIsNeverAnswered(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for header, want := range map[string]string{
		jane:                                     "found in the junk folder; no answer was sent",
		jane + "X-Auto-Response-Suppress: All\n": "asks for no automatic answer: X-Auto-Response-Suppress: all; found in the junk folder; no answer was sent",
	} {
		s := takeMail(t, m, header+"\nCompany: Acme GmbH\n", inJunk)
		if len(s.Accepted) != 1 || s.Accepted[0].Mute != want {
			t.Errorf("%+v", s)
		}
	}
}

func TestOperatorsSayWhoIsTreatedAsHuman(t *testing.T) {
	m, _ := newTestMailbox(t, Config{TreatAsHuman: []string{"Leads@partner.example", "crm.example", "no-reply@other.example"}})
	for header, want := range map[string]class{
		"From: leads@partner.example\nAuto-Submitted: auto-generated":  classPerson,
		"From: leads@partner.example\nList-Id: <x>":                    classPerson,
		"From: LEADS@partner.example\nX-Auto-Response-Suppress: All":   classPerson,
		"From: no-reply@crm.example\nPrecedence: bulk":                 classPerson,
		"From: no-reply@eu.crm.example":                                classPerson,
		"From: no-reply@other.example":                                 classPerson,
		"From: noreply@other.example":                                  classNoReply,
		"From: no-reply@notcrm.example":                                classNoReply,
		"From: leads@partner.example\nAuto-Submitted: auto-replied":    classVacation,
		"From: leads@partner.example\nReturn-Path: <>":                 classBounce,
		"From: leads@partner.example, x@crm.example\nPrecedence: bulk": classAmbiguous,
		"From: jane@partner.example\nPrecedence: bulk":                 classAutomatic,
	} {
		p := parsed(t, header+"\n\nx")
		if f := m.classify(&p, delivery{}); f.class != want {
			t.Errorf("%q: %s (%s), want %s", header, f.class, f.detail, want)
		}
	}
	s := takeMail(t, m, "From: no-reply@crm.example\n\nCompany: Acme GmbH\n")
	if len(s.Accepted) != 1 || s.Accepted[0].Mute != "" || s.Accepted[0].Reply.Address != "no-reply@crm.example" {
		t.Errorf("%+v", s)
	}
}

func TestProgramsGiveNoCommands(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	const body = "\nSTATUS LG-2026-000001-K\n\nCompany: Acme GmbH\nContact: Jane Doe\nCountry: Germany\n"
	if s := takeMail(t, m, jane+body); len(s.Accepted) != 1 || len(s.Accepted[0].Commands) != 1 {
		t.Errorf("a person: %+v", s)
	}
	if s := takeMail(t, m, jane+"Precedence: bulk\n"+body); len(s.Accepted) != 1 || len(s.Accepted[0].Commands) != 0 {
		t.Errorf("a program: %+v", s)
	}
}

// TestTheUnsubscribeOfAMailProgramSwitchesTheDigestOff: it writes to the address of the field, with
// the subject and, if it heeds that, the text that stand there.
func TestTheUnsubscribeOfAMailProgramSwitchesTheDigestOff(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for name, mail := range map[string]string{
		"with subject and text": "Subject: DIGEST OFF\n\nDIGEST OFF\n",
		"with a subject alone":  "Subject: DIGEST OFF\n\n",
		"with a signature":      "Subject: DIGEST OFF\n\nDIGEST OFF\n-- \nJane Doe\nPartner GmbH\n",
	} {
		want := []intake.Command{{Verb: intake.VerbDigest, Words: intake.DigestOff}}
		s := takeMail(t, m, jane+mail)
		if len(s.Accepted) != 1 || !reflect.DeepEqual(s.Accepted[0].Commands, want) || s.Accepted[0].Sender.Address != "jane@partner.example" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestMailOfAnySizeIsClassifiedInASecond: who writes long headers and texts does not keep
// others waiting.
func TestMailOfAnySizeIsClassifiedInASecond(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for name, mail := range map[string]string{
		"prefixes":     jane + "Subject: " + strings.Repeat("Re: ", 200_000) + "Undeliverable: x\n\nx",
		"case marks":   jane + "Subject: " + strings.Repeat("[LG-2026-000001-K] ", 40_000) + "\n\nx",
		"blanks":       jane + "Subject: a" + strings.Repeat(" \t", 300_000) + "b\n\nx",
		"ids":          jane + "References: " + strings.Repeat("<lg.LG-2026-000001-K.1.aaaaaaaaaaaaaaaa@vendor.example> ", 15_000) + "\n\nx",
		"ids in text":  "Return-Path: <>\n" + jane + "\n" + strings.Repeat("lg.LG-2026-000001-K.1.aaaaaaaaaaaaaaa@vendor.example\n", 40_000),
		"half an id":   "Return-Path: <>\n" + jane + "\n" + strings.Repeat("lg.", 600_000),
		"a long line":  "From: noreply@x.example\nSubject: Undeliverable: x\n\n" + strings.Repeat("ticket 1 delivered to ", 90_000),
		"many tags":    jane + "To: " + strings.Repeat("partners+b.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@vendor.example, ", 10_000) + "\n\nx",
		"many names":   "From: \"" + strings.Repeat("a@b ", 200_000) + "\" <jane@partner.example>\n\nx",
		"many fields":  strings.Repeat("Auto-Submitted: no\n", 900) + jane + "\nx",
		"Precedence":   jane + "Precedence: " + strings.Repeat("bulk ", 200_000) + "\n\nx",
		"status codes": "Return-Path: <>\n" + jane + "\n" + strings.Repeat("5.1 550 4.4.", 150_000),
	} {
		t.Run(name, func(t *testing.T) {
			p := parsed(t, mail)
			start := cputime.Used()
			f := m.classify(&p, delivery{})
			m.answers(&p, nil)
			m.report(&p, f, nil)
			passesBounceOn(&p)
			acknowledgement(&p, p.Text)
			if took := cputime.Used() - start; took > slowdown*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// FuzzClassify checks that the same mail is always of the same class, and that none is a
// person's of which nobody can say who wrote it.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{
		jane + "\nx", "From: a@b.example\nFrom: a@b.example\n\nx", "From: a@b.example, c@d.example\n\n", "\n\n", "From:\n\n",
		"From: \"x@y\" <a@b.example>\nAuto-Submitted: no\n\n", "From: a@b.example\nSubject: Undeliverable: x\n\n550 5.1.1 x",
		"Return-Path: <>\nFrom: a@b.example\n\n", "From: a\nContent-Type: multipart/report\n\n--\n",
	} {
		f.Add([]byte(s), false)
	}
	m, err := New(Config{Name: "fuzz", Address: testAddress, Outbox: f.TempDir(), Direct: &Direct{Listen: "127.0.0.1:0"}},
		Deps{Key: testKey, Extractor: testExtractor(), Renderer: testRenderer})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, mail []byte, nullSender bool) {
		p := parsed(t, string(mail))
		d := delivery{nullSender: nullSender}
		first, second := m.classify(&p, d), m.classify(&p, d)
		if first != second {
			t.Fatalf("first %+v, then %+v", first, second)
		}
		if first.class.treatment() != toSetAside && (p.FromFields != 1 || len(p.From) != 1 || !isAddress(p.From[0].Address)) {
			t.Fatalf("%d From fields with %v are of class %s", p.FromFields, p.From, first.class)
		}
		if first.class.treatment() == toAnswer && nullSender {
			t.Fatal("mail from nobody is answered")
		}
		checkLine(t, first.detail)
		if d := m.report(&p, first, nil); d != nil && d.Message != "" {
			t.Fatalf("a report that proves message %q", d.Message)
		}
	})
}

// TestAnAddressIsNoLongerThanAddressesAre: what is longer would be a key of the store.
func TestAnAddressIsNoLongerThanAddressesAre(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, from := range []string{strings.Repeat("a", 40<<10) + "@partner.example", "jane@" + strings.Repeat("a.", 20<<10) + "example", strings.Repeat("a", 300) + "@longer.partner.example"} {
		s := takeMail(t, m, "From: "+from+"\nSubject: x\n\nCompany: Acme\n")
		if len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideAmbiguousFrom || s.Asides[0].From != "" {
			t.Errorf("…%s: %+v", from[len(from)-20:], s)
		}
	}
	if s := takeMail(t, m, "From: "+strings.Repeat("a", 90)+"@partner.example\nSubject: x\n\nCompany: Acme\n"); len(s.Accepted) != 1 {
		t.Errorf("a long address that servers take: %+v", s.Asides)
	}
}

func TestANameInFromShowsNoOtherAddress(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for name, ok := range map[string]bool{
		"Eve": true, "EVE@evil.example": true, "eve @ evil.example": true, "eve\uff20evil.example": true,
		"Eve @ Acme": true, "Eve @ Acme, Inc. and Sons": true,
		strings.Repeat("eve@evil.example ", 50):                       true,
		"ana@alpha.example":                                           false,
		"ana\uff20alpha.example":                                      false,
		"ana\ufe6balpha\uff0eexample":                                 false,
		"ana @alpha.example":                                          false,
		"ana@ alpha.example":                                          false,
		"ana \u00a0@\u3000alpha.example":                              false,
		"ana\u200b@\u200balpha.example":                               false,
		strings.Repeat("eve@evil.example ", 50) + "ana@alpha.example": false,
	} {
		s := takeMail(t, m, "From: \""+name+"\" <eve@evil.example>\nSubject: x\n\nCompany: Acme\n")
		if (len(s.Accepted) > 0) != ok || !ok && s.Asides[0].Reason != intake.AsideAmbiguousFrom {
			t.Errorf("%q: %+v", name, s)
		}
	}
}
