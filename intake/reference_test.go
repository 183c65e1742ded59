package intake_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

func testLinks(t *testing.T, fill byte) *intake.Links {
	t.Helper()
	l, err := intake.NewLinks("https://partners.vendor.example", bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAReferenceIsReadAsItWasSignedAndNothingElseIs(t *testing.T) {
	l := testLinks(t, 1)
	for _, c := range []struct {
		name, value string
		want        intake.Reference
	}{
		{"a partner", l.Reference("alpha", ""), intake.Reference{Partner: "alpha"}},
		{"a partner in a programme", l.Reference("alpha-2", "msp"), intake.Reference{Partner: "alpha-2", Program: "msp"}},
		{"a case", l.CaseReference("LG-2026-384207-D"), intake.Reference{Case: "LG-2026-384207-D"}},
		{"a partner who is called as a case is", l.Reference("lg-2026-384207-d", ""), intake.Reference{Partner: "lg-2026-384207-d"}},
		{"in capitals, with a space behind", strings.ToUpper(l.Reference("alpha", "msp")) + " ", intake.Reference{Partner: "alpha", Program: "msp"}},
	} {
		if got, err := l.ReadReference(c.value); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if strings.ContainsFunc(strings.TrimSpace(c.value), func(r rune) bool { return r > 'z' || !strings.ContainsRune("-.", r) && r < '0' }) {
			t.Errorf("%s: %q can't stand in an address", c.name, c.value)
		}
	}
	ref, program := l.Reference("alpha", ""), l.Reference("alpha", "msp")
	mac := ref[strings.LastIndexByte(ref, '.'):]
	for name, value := range map[string]string{
		"another partner":               "beta" + mac,
		"a programme put in":            "alpha.msp" + mac,
		"its programme taken out":       "alpha" + program[strings.LastIndexByte(program, '.'):],
		"another programme":             "alpha.other" + program[strings.LastIndexByte(program, '.'):],
		"a case's for a partner":        "lg-2026-384207-d" + mac,
		"a letter less":                 ref[:len(ref)-1],
		"another last letter":           ref[:len(ref)-1] + map[bool]string{true: "b", false: "a"}[strings.HasSuffix(ref, "a")],
		"of another key":                testLinks(t, 2).Reference("alpha", ""),
		"a link's token":                strings.TrimPrefix(l.Status(intake.Grant{Case: "alpha", Expires: 1 << 40}), "https://partners.vendor.example/status/"),
		"an id":                         "alpha",
		"nothing":                       "",
		"a partner's where a case was ": "alpha.case" + mac,
	} {
		if got, err := l.ReadReference(value); !errors.Is(err, intake.ErrReferenceInvalid) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := l.Read(ref, time.Now()); !errors.Is(err, intake.ErrLinkInvalid) {
		t.Errorf("a reference is a link: %v", err)
	}
}

func TestWhomAValueNames(t *testing.T) {
	links := testLinks(t, 1)
	w := newWorldWith(t, memstore.New(), func(o *intake.Options) { o.Links = links })
	err := w.gateway.PutPartners(t.Context(), []intake.Partner{
		{ID: "coded", Name: "Coded", Code: "CODE42", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"coded.example"}, Contacts: []intake.Contact{{Email: "gone@coded.example", Status: intake.ContactLeft}, {Email: "desk@coded.example"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, value, program string
		want                 intake.Named
		err                  error
	}{
		{"an id is a claim", "coded", "", intake.Named{Partner: "coded"}, nil},
		{"so is a code", "code42", "", intake.Named{Partner: "coded"}, nil},
		{"and a domain", "Coded.Example", "", intake.Named{Partner: "coded"}, nil},
		{"a stranger is nobody", "gamma.example", "", intake.Named{}, nil},
		{"a case number is nobody", "LG-2026-384207-D", "", intake.Named{}, nil},
		{"a reference is proof", links.Reference("coded", ""), "", intake.Named{Partner: "coded", Signed: true}, nil},
		{"it counts in every programme", links.Reference("coded", ""), "msp", intake.Named{Partner: "coded", Signed: true}, nil},
		{"one for a programme counts in it", links.Reference("coded", "msp"), "MSP", intake.Named{Partner: "coded", Signed: true}, nil},
		{"and not in another", links.Reference("coded", "msp"), "referral", intake.Named{}, intake.ErrReferenceProgram},
		{"nor where the programme was left out", links.Reference("coded", "msp"), "", intake.Named{}, intake.ErrReferenceProgram},
		{"one of another gateway does not", testLinks(t, 2).Reference("coded", ""), "", intake.Named{}, intake.ErrReferenceInvalid},
		{"one of a partner who is not there does not", links.Reference("nobody", ""), "", intake.Named{}, intake.ErrReferenceInvalid},
		{"one of a case that is not there does not", links.CaseReference("LG-2026-384207-D"), "", intake.Named{}, intake.ErrReferenceInvalid},
	} {
		if got, err := w.gateway.Named(t.Context(), c.value, c.program); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for _, c := range []struct {
		address  string
		strength intake.Strength
		want     string
	}{
		{"ana@coded.example", intake.StrengthUnverified, "ana@coded.example"},
		{"eve@evil.example", intake.StrengthUnverified, ""},
		{"eve@evil.example", intake.StrengthVerified, "desk@coded.example"},
		{"ana@alpha.example", intake.StrengthVerified, "desk@coded.example"},
		{"", intake.StrengthVerified, "desk@coded.example"},
		{" Ana@Coded.example ", intake.StrengthUnverified, "Ana@coded.example"},
		{"ana\r\nBcc: x\r\nX: @coded.example", intake.StrengthVerified, "desk@coded.example"},
		{"ana bob@coded.example", intake.StrengthUnverified, ""},
		{"<x>@coded.example", intake.StrengthUnverified, ""},
		{"a,b@coded.example", intake.StrengthUnverified, ""},
		{"@coded.example", intake.StrengthUnverified, ""},
	} {
		if got, err := w.gateway.AnswerTo(t.Context(), "coded", c.address, c.strength); got != c.want || err != nil {
			t.Errorf("what %s sends (%s) is answered to %q, %v", c.address, c.strength, got, err)
		}
	}
	without := newWorld(t, memstore.New())
	if _, err := without.gateway.Named(t.Context(), links.Reference("alpha", ""), ""); !errors.Is(err, intake.ErrReferenceInvalid) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := without.gateway.PartnerReference(t.Context(), "alpha", ""); err == nil || !strings.Contains(err.Error(), "there are no pages") {
		t.Errorf("without pages: %v", err)
	}
	if ref, err := w.gateway.PartnerReference(t.Context(), "coded", "msp"); err != nil || ref != links.Reference("coded", "msp") {
		t.Errorf("%q, %v", ref, err)
	}
	if _, err := w.gateway.PartnerReference(t.Context(), "coded", "M S P"); err == nil {
		t.Error("a programme that can't stand in a reference is signed")
	}
}

// bookingOf is what a calendar tells about a case, as channels hand it in.
func bookingOf(key string, r intake.Registration, m intake.Meeting) intake.Submission {
	return intake.Submission{
		Key: key, Channel: "webhook", ReceivedAt: time.Now(), NotALead: true, Case: r.Number, Partner: r.Partner,
		Sender: intake.Sender{Address: "jane@acme.example", Strength: intake.StrengthVerified}, Meetings: []intake.Meeting{m},
	}
}

func TestABookingThatIsMovedKeepsTheHoldAndSetsTheMeetingOnce(t *testing.T) {
	for _, order := range []string{"the new one first", "the old one first"} {
		t.Run(order, func(t *testing.T) {
			inWorld(t, func(w *world) {
				receipt := w.submit("ana@alpha.example", acme())
				jane := []string{"jane@acme.example"}
				first, second := time.Now().Add(days(3)).UTC().Truncate(time.Second), time.Now().Add(days(5)).UTC().Truncate(time.Second)
				tell := func(key string, m intake.Meeting) {
					found, err := w.gateway.CasesOfContact(w.Context(), "Jane@Acme.example")
					if err != nil || len(found) != 1 || found[0].Number != receipt.Case {
						w.Fatalf("found %d cases, %v", len(found), err)
					}
					if got := w.accept(bookingOf(key, found[0], m)); got.Case != receipt.Case {
						w.Fatalf("receipt %+v", got)
					}
					w.pass(time.Second)
				}
				tell("1", intake.Meeting{UID: "I1", Method: "REQUEST", Start: first, Attendees: jane})
				if r := w.wantStatus(receipt.Case, intake.StatusProtected); !r.Meeting.Equal(first) {
					w.Fatalf("the meeting is %v", r.Meeting)
				}
				both := []func(){
					func() { tell("2", intake.Meeting{UID: "I2", Method: "REQUEST", Start: second, Attendees: jane}) },
					func() { tell("3", intake.Meeting{UID: "I1", Method: "MOVED", Start: first, Attendees: jane}) },
				}
				if order == "the old one first" {
					slices.Reverse(both)
				}
				for _, fn := range both {
					fn()
					w.wantStatus(receipt.Case, intake.StatusProtected)
				}
				tell("2", intake.Meeting{UID: "I2", Method: "REQUEST", Start: second, Attendees: jane}) // again
				d := w.story(receipt.Case)
				if !d.Registration.Meeting.Equal(second) || len(notes(d, intake.EventProgress)) != 2 || len(notes(d, intake.EventMeeting)) != 3 {
					w.Errorf("the meeting is %v after %q and %q", d.Registration.Meeting, notes(d, intake.EventProgress), notes(d, intake.EventMeeting))
				}
				tell("4", intake.Meeting{UID: "I2", Method: "CANCEL", Start: second, Attendees: jane})
				if r := w.wantStatus(receipt.Case, intake.StatusProtected); !r.Meeting.IsZero() {
					w.Errorf("a meeting that was called off is still %v", r.Meeting)
				}
				if sent := w.wantMessages(intake.MessageApproved, intake.MessageProtected); sent[0].To.Address != "ana@alpha.example" {
					w.Errorf("told %s", sent[0].To.Address)
				}
			})
		})
	}
}

func TestTheContactOfSeveralPartnersCasesHasThemAll(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", acme())
		second := w.submit("bo@beta.example", acme())
		unproven := w.submission("eve@alpha.example", acme())
		unproven.Sender.Strength = intake.StrengthUnverified
		w.accept(unproven)
		elsewhere := acme()
		elsewhere[intake.FieldCompanyDomain], elsewhere[intake.FieldCompanyName] = "other.example", "Other"
		third := w.submit("ana@alpha.example", elsewhere) // whose contact is at another domain
		found, err := w.gateway.CasesOfContact(w.Context(), "jane@acme.example")
		if err != nil {
			w.Fatal(err)
		}
		var got []string
		for _, r := range found {
			got = append(got, r.Number)
		}
		if want := []string{first.Case, second.Case, third.Case}; !slices.Equal(got, want) {
			w.Errorf("found %q, want %q", got, want)
		}
		if found, err := w.gateway.CasesOfContact(w.Context(), "john@acme.example"); err != nil || len(found) != 0 {
			w.Errorf("a colleague has %d cases, %v", len(found), err)
		}
	})
}
