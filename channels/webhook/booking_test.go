package webhook

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"leadgate/channels/payload"
	"leadgate/intake"
	"leadgate/intake/signature"
)

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// calendlySource maps nothing beside the questions of the booking page.
func calendlySource() Config {
	return Config{Name: "discovery", Scheme: signature.SchemeCalendly, Secret: secret, Mapping: payload.Mapping{
		Fields: map[intake.Field]payload.Pointers{
			intake.FieldCompanyName: {"/payload/questions_and_answers/[question=Company]/answer"},
		},
	}}
}

// booking is a message of Calendly.
func booking(event, invitee, email, ref, company, start string, rescheduled bool) string {
	return fmt.Sprintf(`{"event":%q,"created_at":"2026-11-23T10:00:00.000000Z","payload":{
 "uri":"https://api.calendly.com/scheduled_events/E/invitees/%s","email":%q,"name":"Jane Doe","rescheduled":%v,
 "questions_and_answers":[{"question":"Anything else?","answer":"","position":0},{"question":"Company","answer":%q,"position":1}],
 "tracking":{"utm_campaign":null,"utm_content":%q,"salesforce_uuid":null},
 "scheduled_event":{"uri":"https://api.calendly.com/scheduled_events/E","name":"Discovery","start_time":%q}}}`, event, invitee, email, rescheduled, company, ref, start)
}

func caseOf(number, partner, email string, s intake.Status) intake.Registration {
	return intake.Registration{Number: number, Partner: partner, Status: s, Strength: intake.StrengthDomain, Lead: intake.Lead{intake.FieldContactEmail: email}}
}

func TestABookingIsEvidenceForTheCaseThatItIsAbout(t *testing.T) {
	const jane, noon = "jane@acme.example", "2026-12-01T12:00:00Z"
	one := []intake.Registration{caseOf("LG-1", "alpha", jane, intake.StatusProvisional)}
	two := append(one, caseOf("LG-2", "beta", jane, intake.StatusWaitlisted))
	for _, c := range []struct {
		name          string
		cases         []intake.Registration
		ref, company  string
		email         string
		want, partner string // case of the evidence, or "aside", or "registration"
		detail        string
	}{
		{"the contact of one partner's case", one, "", "", jane, "LG-1", "alpha", ""},
		{"the contact, though the page asks for a company", one, "", "Acme", jane, "LG-1", "alpha", ""},
		{"a signed case, whoever books", one, "signed:case:LG-1", "", "friend@gmail.com", "LG-1", "alpha", ""},
		{"a signed partner, of whose cases one is meant", two, "signed:beta", "", jane, "LG-2", "beta", ""},
		{"a person of two partners moves none", two, "", "", jane, "aside", "", "several partners"},
		{"an unsigned partner chooses none of two", two, "beta", "", jane, "aside", "", "several partners"},
		{"an unsigned partner beside another one's case moves none", one, "beta", "", jane, "aside", "", "another partner's"},
		{"a signed case that is over is left to staff", []intake.Registration{caseOf("LG-1", "alpha", jane, intake.StatusDeclined)}, "signed:case:LG-1", "", jane, "aside", "", "which is declined"},
		{"nobody's contact without a company", nil, "signed:alpha", "", jane, "aside", "", "no open case"},
		{"a signed partner and a company register", nil, "signed:alpha", "Acme GmbH", jane, "registration", "alpha", ""},
		{"an unsigned partner and a company are a claim", nil, "alpha", "Acme GmbH", jane, "registration", "", ""},
		{"a signed case registers nothing else", one, "signed:case:LG-9", "Acme GmbH", jane, "error", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, calendlySource())
			w.desk.cases = c.cases
			a := w.post(booking("invitee.created", "I1", c.email, c.ref, c.company, noon, false))
			s := w.sink.State()
			switch c.want {
			case "error":
				w.want(a, 503, 0, 0) // the fake knows no such case; the gateway calls it no reference
			case "aside":
				w.want(a, 200, 0, 1)
				if !strings.Contains(s.Asides[0].Detail, c.detail) {
					t.Errorf("set aside: %s", s.Asides[0].Detail)
				}
			case "registration":
				sub := s.Accepted[0]
				if sub.Partner != c.partner || sub.Lead[intake.FieldCompanyName] != "Acme GmbH" || len(sub.Meetings) != 0 {
					t.Errorf("registered %+v", sub)
				}
				if proven := c.partner != ""; sub.Sender.Strength.Proven() != proven || proven != (len(s.Accepted) == 2) {
					t.Errorf("%s, %d submissions", sub.Sender.Strength, len(s.Accepted))
				}
				if len(s.Accepted) == 2 && (s.Accepted[1].Case != a.Results[0].Case || len(s.Accepted[1].Meetings) != 1) {
					t.Errorf("evidence %+v", s.Accepted[1])
				}
			default:
				sub := w.want(a, 200, 1, 0).Accepted[0]
				if sub.Case != c.want || sub.Partner != c.partner || len(sub.Meetings) != 1 || !sub.Lead.Empty() || sub.Reply.Address != "" {
					t.Fatalf("stored %+v", sub)
				}
				m := sub.Meetings[0]
				if m.Method != "REQUEST" || m.Start.Format("15:04") != "12:00" || m.Attendees[0] != c.email || !strings.HasSuffix(m.UID, "/I1") {
					t.Errorf("meeting %+v", m)
				}
			}
		})
	}
}

func TestOfANewDateOnlyTheBookingCounts(t *testing.T) {
	w := open(t, calendlySource())
	w.desk.cases = []intake.Registration{caseOf("LG-1", "alpha", "jane@acme.example", intake.StatusProtected)}
	created := booking("invitee.created", "I2", "jane@acme.example", "", "", "2026-12-02T12:00:00Z", false)
	canceled := booking("invitee.canceled", "I1", "jane@acme.example", "", "", "2026-12-01T12:00:00Z", true)
	called := booking("invitee.canceled", "I2", "jane@acme.example", "", "", "2026-12-02T12:00:00Z", false)
	var methods []string
	for _, body := range []string{created, canceled, canceled, created, called} {
		w.post(body)
	}
	for _, s := range w.sink.State().Accepted {
		methods = append(methods, s.Meetings[0].Method)
	}
	if got := strings.Join(methods, " "); got != "REQUEST MOVED CANCEL" {
		t.Errorf("stored %s", got)
	}
}

// FuzzAPayload: whatever is signed by a source that is nobody's, its partner is never proven by
// it and every answer is one of the few.
func FuzzAPayload(f *testing.F) {
	for _, s := range []string{
		lead, `[{"leadgate_partner_id":"alpha","company":"A"}]`, `{"company":{"a":[1]},"contact":7,"leadgate_partner_id":["beta"]}`, `[[],1,null]`, "{", `{"a":1}{}`,
		booking("invitee.created", "I", "jane@acme.example", "alpha", "Acme", "2026-12-01T12:00:00Z", false),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, cfg := range []Config{claiming(), calendlySource()} {
			if strings.Contains(string(body), "signed:") {
				return
			}
			w := open(t, cfg)
			a := w.post(string(body))
			if a.status != 200 && a.status != 400 && a.status != 401 && a.status != 413 {
				t.Errorf("answered %d", a.status)
			}
			for _, s := range w.sink.State().Accepted {
				if s.Sender.Strength != intake.StrengthUnverified || s.Partner != "" {
					t.Errorf("%s of %q without a signed reference", s.Sender.Strength, s.Partner)
				}
			}
		}
	})
}
