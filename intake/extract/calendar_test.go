package extract

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"leadgate/intake"
)

// showMeetings writes meetings as lines: what a test states.
func showMeetings(all []intake.Meeting) string {
	var b strings.Builder
	for _, m := range all {
		start := "-"
		if !m.Start.IsZero() {
			start = m.Start.Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s %s %s %q %s -> %s\n", m.Method, m.UID, start, m.Title, m.Organizer, strings.Join(m.Attendees, ","))
	}
	return strings.TrimSpace(b.String())
}

func event(props string) string {
	return "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n" + props + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// customZone is one that Outlook made up: its clocks are those of Berlin.
const customZone = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n"

func TestCalendar(t *testing.T) {
	at := func(start string) string { return "REQUEST 1 " + start + ` ""  ->` }
	for _, c := range []struct{ name, in, want string }{
		{
			"an invitation of Google", "BEGIN:VCALENDAR\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART:20261124T090000Z\r\nDTEND:20261124T093000Z\r\nORGANIZER;CN=Bob:mailto:bob@partner.com\r\nUID:abc@google.com\r\nATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TR\r\n UE;CN=\"Doe, Jane\";X-NUM-GUESTS=0:mailto:jane@acme.com\r\nATTENDEE;CN=Bob:MAILTO:bob@partner.com\r\nSUMMARY:Acme\\, first call\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nSUMMARY:no\r\nDTSTART:20000101\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR",
			`REQUEST abc@google.com 2026-11-24T09:00:00Z "Acme, first call" bob@partner.com -> jane@acme.com,bob@partner.com`,
		},
		{"a zone by its name", event("DTSTART;TZID=Europe/Berlin:20261124T100000"), at("2026-11-24T09:00:00Z")},
		{"a zone in summer", event("DTSTART;TZID=\"America/New_York\":20260724T100000"), at("2026-07-24T14:00:00Z")},
		{"a zone of Windows", event("DTSTART;TZID=W. Europe Standard Time:20261124T100000"), at("2026-11-24T09:00:00Z")},
		{"a zone of Windows far away", event("DTSTART;TZID=\"Tokyo Standard Time\":20261124T100000"), at("2026-11-24T01:00:00Z")},
		{"a zone of Thunderbird", event("DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20261124T100000"), at("2026-11-24T09:00:00Z")},
		{"a zone of three parts", event("DTSTART;TZID=/x/America/Argentina/Buenos_Aires:20261124T100000"), at("2026-11-24T13:00:00Z")},
		{"a zone that the file defines, in winter", strings.Replace(event("DTSTART;TZID=Customized Time Zone:20261124T100000"), "BEGIN:VEVENT", customZone+"BEGIN:VEVENT", 1), at("2026-11-24T09:00:00Z")},
		{"a zone that the file defines, in summer", strings.Replace(event("DTSTART;TZID=Customized Time Zone:20260724T100000"), "BEGIN:VEVENT", customZone+"BEGIN:VEVENT", 1), at("2026-07-24T08:00:00Z")},
		{"a zone that the file defines, in January", strings.Replace(event("DTSTART;TZID=Customized Time Zone:20260124T100000"), "BEGIN:VEVENT", customZone+"BEGIN:VEVENT", 1), at("2026-01-24T09:00:00Z")},
		{"a zone that nobody knows", event("DTSTART;TZID=Middle Earth:20261124T100000"), at("-")},
		{"the zone of the machine is none", event("DTSTART;TZID=Local:20261124T100000"), at("-")},
		{"a path is no zone", event("DTSTART;TZID=../../etc/passwd:20261124T100000"), at("-")},
		{"a time without a zone", event("DTSTART:20261124T100000"), at("2026-11-24T10:00:00Z")},
		{"a time in the zone of the calendar", strings.Replace(event("DTSTART:20261124T100000"), "BEGIN:VEVENT", "X-WR-TIMEZONE:Europe/Berlin\nBEGIN:VEVENT", 1), at("2026-11-24T09:00:00Z")},
		{"a whole day", event("DTSTART;VALUE=DATE:20261124"), at("2026-11-24T00:00:00Z")},
		{"no time", event("SUMMARY:x"), `REQUEST 1 - "x"  ->`},
		{"a time that is none", event("DTSTART:20261399T990000Z"), at("-")},
		{"a series", event("DTSTART:20261124T090000Z\r\nRRULE:FREQ=WEEKLY"), at("2026-11-24T09:00:00Z")},
		{"an answer", "BEGIN:VCALENDAR\nMETHOD:reply\nBEGIN:VEVENT\nUID:1\nATTENDEE;PARTSTAT=ACCEPTED:mailto:jane@acme.com\nEND:VEVENT\nEND:VCALENDAR", `REPLY 1 - ""  -> jane@acme.com`},
		{"no method", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR", `PUBLISH 1 - ""  ->`},
		{"rooms and doubles are no guests", event("ATTENDEE;CUTYPE=ROOM:mailto:room@acme.com\nATTENDEE:mailto:jane@acme.com\nATTENDEE:MAILTO:Jane@acme.com\nATTENDEE:urn:uuid:1\nATTENDEE;EMAIL=x@acme.com:/principals/1"), `REQUEST 1 - ""  -> jane@acme.com,x@acme.com`},
		{"an address with a line end", event("ATTENDEE:mailto:jane@acme.com\\nBcc:x@y.com\nORGANIZER:mailto:a b@c.de"), at("-")},
		{"a title in German of Outlook", event("SUMMARY;LANGUAGE=de:Erstgespräch Müller"), `REQUEST 1 - "Erstgespräch Müller"  ->`},
		{"broken lines between", "BEGIN:VCALENDAR\n???\nMETHOD:REQUEST\n:x\nBEGIN:VEVENT\nUID\nUID:1\n;;;\nDTSTART:20261124T090000Z\nEND:VEVENT\nEND:VCALENDAR", at("2026-11-24T09:00:00Z")},
		{"a file that is cut off", "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20261124T090000Z", at("2026-11-24T09:00:00Z")},

		{"a task", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nEND:VTODO\nEND:VCALENDAR", ""},
		{"an event of nothing", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR", ""},
		{"something else", "DTSTART:20261124", ""},
		{"nothing", "", ""},
		{"bytes", "\x00\xff\xfe", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := showMeetings(readCalendar(Attachment{Content: []byte(c.in)})); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	many := readCalendar(Attachment{Content: []byte("BEGIN:VCALENDAR\n" + numbered("BEGIN:VEVENT\nUID:%d\nEND:VEVENT\n", 100) + "END:VCALENDAR")})
	if len(many) != maxEvents || many[9].UID != "9" {
		t.Errorf("%d events, %v", len(many), many)
	}
}

func TestZonesOfWindowsExist(t *testing.T) {
	for name, iana := range windowsZones() {
		if _, err := time.LoadLocation(iana); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestZonesOfFilesAgree compares a zone that a file defines with the same one by its name,
// hour by hour over two years, but for the two hours at which clocks are changed.
func TestZonesOfFilesAgree(t *testing.T) {
	c := newCalendar(properties("BEGIN:VCALENDAR\n" + customZone + "END:VCALENDAR"))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for utc := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); utc.Year() < 2028; utc = utc.Add(time.Hour) {
		_, want := utc.In(berlin).Zone()
		local := utc.Add(time.Duration(want) * time.Second)
		if got, ok := offsetAt(c.zones["Customized Time Zone"], local); !ok || got != time.Duration(want)*time.Second {
			wrong++
		}
	}
	if wrong > 4 {
		t.Errorf("%d hours differ", wrong)
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add([]byte(event("DTSTART;TZID=Europe/Berlin:20261124T100000\nSUMMARY:x\\n\\, y\nORGANIZER:mailto:a@b.com\nATTENDEE;CN=\"x;y\":mailto:c@d.com")))
	f.Add([]byte(strings.Replace(event("DTSTART;TZID=Customized Time Zone:20261124T100000"), "BEGIN:VEVENT", customZone+"BEGIN:VEVENT", 1)))
	f.Add([]byte(event("DTSTART;VALUE=DATE:20261124")))
	f.Fuzz(func(t *testing.T, content []byte) {
		all := readCalendar(Attachment{Content: content})
		if len(all) > maxEvents {
			t.Fatalf("%d events", len(all))
		}
		for _, m := range all {
			if !clean(m.UID+m.Title+m.Method+m.Organizer, "") || m.Method == "" || !utf8.ValidString(m.Title) {
				t.Fatalf("%q", m)
			}
			if _, err := m.Start.MarshalJSON(); err != nil || !m.Start.IsZero() && m.Start.Location() != time.UTC {
				t.Fatalf("%v, %v", m.Start, err)
			}
			for _, a := range m.Attendees {
				if addr, ok := address(a); !ok || addr != a {
					t.Fatalf("attendee %q", a)
				}
			}
		}
	})
}
