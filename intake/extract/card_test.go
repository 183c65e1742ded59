package extract

import (
	"maps"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"leadgate/intake"
	"leadgate/intake/cputime"
)

func showLead(l intake.Lead) string { return showLeads([]Lead{{Fields: l}}, nil) }

func TestCard(t *testing.T) {
	latin, _ := charmap.ISO8859_1.NewEncoder().String("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:José Müller\r\nEND:VCARD\r\n")
	for _, c := range []struct{ name, in, want string }{
		{
			"version 3 as Outlook writes it", "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Jane;;Dr.;\r\nFN:Jane Doe\r\nORG:Acme GmbH;IT\r\nTITLE:Head of IT\r\nTEL;TYPE=WORK,VOICE:030 1234567\r\nTEL;TYPE=FAX:030 9999999\r\nADR;TYPE=WORK:;;Street 1;Berlin;;10115;Germany\r\nURL;TYPE=WORK:https://www.acme.com/de\r\nEMAIL;TYPE=PREF,INTERNET:jane@acme.com\r\nEND:VCARD\r\n",
			"company_name=Acme GmbH | company_domain=acme.com | country=DE | contact_name=Jane Doe | contact_email=jane@acme.com | contact_role=Head of IT | contact_phone=+49301234567",
		},
		{
			"version 2.1 with bare types and quoted-printable", "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg\r\nORG;CHARSET=Windows-1252;ENCODING=QUOTED-PRINTABLE:Caf=E9 =\r\nNord\r\nTEL;WORK;VOICE:+49 30 1234567\r\nTEL;CELL:+49 171 1234567\r\nEMAIL;INTERNET:j@cafe-nord.de\r\nTITLE;QUOTED-PRINTABLE:Gesch=E4ftsf=FChrer\r\nEND:VCARD",
			"company_name=Café Nord | contact_name=Jörg Müller | contact_email=j@cafe-nord.de | contact_role=Geschäftsführer | contact_phone=+49301234567",
		},
		{
			"version 4 with groups and quoted parameters", "BEGIN:VCARD\nVERSION:4.0\nFN:Jane Doe\nitem1.EMAIL;TYPE=\"work,pref\":jane@acme.com\nitem2.EMAIL;TYPE=home:jane@gmail.com\nTEL;VALUE=uri;TYPE=\"voice,work\":tel:+49-30-1234567;ext=5\nORG;SORT-AS=\"A;B:C\":Acme\\, Inc.;Sales\nEND:VCARD",
			"company_name=Acme, Inc. | contact_name=Jane Doe | contact_email=jane@acme.com | contact_phone=+49301234567",
		},
		{"the address at work counts more than that at home", "BEGIN:VCARD\nFN:Jane\nEMAIL;TYPE=HOME:jane@gmail.com\nEMAIL;TYPE=WORK:jane@acme.com\nEND:VCARD", "contact_name=Jane | contact_email=jane@acme.com"},
		{"a page of a network is no company's", "BEGIN:VCARD\nFN:Jane\nURL:https://www.linkedin.com/in/jane\nURL:acme.com\nEND:VCARD", "company_domain=acme.com | contact_name=Jane"},
		{"a card of a company", "BEGIN:VCARD\nVERSION:4.0\nKIND:org\nFN:Acme GmbH\nEMAIL:info@acme.com\nEND:VCARD", "company_name=Acme GmbH | contact_email=info@acme.com"},
		{"folded lines", "BEGIN:VCARD\nFN:Jane\n  Doe\nORG:Acme\n\t GmbH\nEND:VCARD", "company_name=Acme GmbH | contact_name=Jane Doe"},
		{"a picture does no harm", "BEGIN:VCARD\nFN:Jane\nPHOTO;ENCODING=b;TYPE=JPEG:" + strings.Repeat("AAAA\n ", 100_000) + "\nEMAIL:jane@acme.com\nEND:VCARD", "contact_name=Jane | contact_email=jane@acme.com"},
		{"another card within", "BEGIN:VCARD\nFN:Jane\nAGENT:\nBEGIN:VCARD\nFN:Secretary\nEMAIL:sec@acme.com\nEND:VCARD\nEMAIL:jane@acme.com\nEND:VCARD", "contact_name=Jane | contact_email=jane@acme.com"},
		{"the first of several", "BEGIN:VCARD\nFN:Jane\nEND:VCARD\nBEGIN:VCARD\nFN:Bob\nEND:VCARD", "contact_name=Jane"},
		{"Latin 1 without a word about it", latin, "contact_name=José Müller"},
		{"a number of no country is left out", "BEGIN:VCARD\nFN:Jane\nTEL:030 1234567\nEND:VCARD", "contact_name=Jane"},
		{"a number by the ending of the domain", "BEGIN:VCARD\nFN:Jane\nURL:acme.de\nTEL:030 1234567\nEND:VCARD", "company_domain=acme.de | contact_name=Jane | contact_phone=+49301234567"},
		{"a card that is cut off", "BEGIN:VCARD\nFN:Jane\nEMAIL:jane@ac", "contact_name=Jane"},
		{"a name in several lines", "BEGIN:VCARD\nFN:Jane\\nBcc: x@y.z\nEND:VCARD", "contact_name=Jane Bcc:"},

		{"a card of nobody", "BEGIN:VCARD\nTEL:+49 30 1234567\nEND:VCARD", ""},
		{"an empty card", "BEGIN:VCARD\nEND:VCARD", ""},
		{"something else", "Company: Acme", ""},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lead, ok := readCard(newTestExtractor(), Attachment{Content: []byte(c.in)})
			got := showLead(lead)
			if !ok {
				got = ""
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// hugeProperties are texts that cost time to those who read them carelessly.
var hugeProperties = map[string]string{
	"folded":     "BEGIN:VCARD\nFN:x" + strings.Repeat("\n x", 1<<20),
	"parameters": "BEGIN:VCARD\nFN" + strings.Repeat(";A=B", 1<<20) + ":x",
	"quotes":     "BEGIN:VCARD\n" + strings.Repeat("FN;\"", 1<<20),
	"printable":  "BEGIN:VCARD\n" + strings.Repeat("FN;ENCODING=QUOTED-PRINTABLE:=\n", 1<<17),
	"cards":      strings.Repeat("BEGIN:VCARD\n", 1<<18),
	"events":     "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nUID:1\nEND:VEVENT\n", 1<<17),
	"nested":     "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\n", 1<<18),
	"zones":      "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VTIMEZONE\nTZID:a\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE\n", 1<<16),
	"attendees":  "BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + numbered("ATTENDEE:mailto:a%d@b.com\n", 1<<17),
}

func TestCardOrCalendarOfAnySizeIsReadInASecond(t *testing.T) {
	for name, in := range hugeProperties {
		start := cputime.Used()
		a := Attachment{Content: []byte(in)}
		readCard(newTestExtractor(), a)
		readCalendar(a)
		if took := cputime.Used() - start; took > slowdown*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func FuzzCard(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg\r\nORG;X:A;B\r\nTEL;WORK;VOICE:+49 30 1234567\r\nEND:VCARD"))
	f.Add([]byte("BEGIN:VCARD\nVERSION:4.0\nFN:Jane Doe\nitem1.EMAIL;TYPE=\"work,pref\":jane@acme.com\nTEL;VALUE=uri:tel:+49-30-1234567;ext=5\nADR:;;;;;;Germany\nURL:acme.com\nTITLE:x\nEND:VCARD"))
	e := newTestExtractor()
	f.Fuzz(func(t *testing.T, content []byte) {
		lead, ok := readCard(e, Attachment{Content: content})
		if !ok {
			return
		}
		if cleaned, problems := intake.Clean(lists, lead); !maps.Equal(cleaned, lead) || len(problems) > 0 {
			t.Fatalf("%v is not clean: %v, %v", lead, cleaned, problems)
		}
	})
}
