package directory

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// whole are entries with all that a file can say of them.
func wholePartner() intake.Partner {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC)
	return intake.Partner{
		ID: "acme", Code: "ACME1", Name: `Acme, "the" partner; Ltd`, Legal: "Acme GmbH", Status: intake.PartnerSuspended, StatusFrom: at,
		Motion: "msp", Tier: "gold", Program: "emea", Domains: []string{"acme.example", "acme.example.net"}, Subdomains: []string{"acme.example"},
		Contacts: []intake.Contact{
			{Name: `Silva; "Ana" \ Söhne, Dr.`, Email: "ana@acme.example", Role: "CTO (acting), EMEA", Status: intake.ContactLeft},
			{Name: `3" pipes; fittings`, Email: "pipes@acme.example"},
			{Email: "tom@acme.example", Status: intake.ContactBounced},
			{Name: "Jörg O'Neil", Email: "o'neil@acme.example", Role: "sales"},
		},
		Manager: intake.Contact{Name: "Mia", Email: "mia@vendor.example"}, Executive: intake.Contact{Name: "Max", Email: "max@vendor.example"},
		Country: "DE", Locale: "pt-BR", Slack: &intake.Slack{Team: "T01", Channel: "C01"}, Teams: &intake.Teams{Tenant: "72f988bf"},
		Channels: []string{"slack", "email"}, Territories: []string{"-DE-BY", "DE"},
		Named:          []intake.NamedAccount{{Domain: "a.example"}, {Domain: "b.example", From: "2026-01-01"}, {Domain: "c.example", To: "2026-01-01"}},
		Certifications: []intake.Certification{{Product: "Data, fast", Level: "expert", Until: "2026-09-30"}, {Product: "P", Until: "2026-09-30"}, {Product: "Q"}},
		Quota:          7, Acknowledged: intake.Acknowledged{Version: "2026-01", At: at, By: "ana@acme.example"}, Agreement: "2027-06-30",
	}
}

func wholeAccount() intake.Account {
	return intake.Account{
		Domain: "acme.example", Name: "Acme", Country: "DE", Aliases: []string{"b.example", "c.example"}, Parent: "top.example",
		CRM: []string{"001", "002"}, Blocked: "on the board's wish, see note", Customer: true, Incumbent: "alpha",
		Renewal: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Confirmed: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), ConfirmedBy: "mia", Contacted: time.Date(2026, 1, 31, 9, 0, 0, 1000, time.UTC), Note: "two\nlines: #1, \"x\"",
	}
}

// roundTrip checks that nothing is lost between writing and reading, for a whole entry as for
// an empty one, and that the whole one has a value in every field that a file can have.
func roundTrip[T any](t *testing.T, l List[T], whole, empty T, columns int) {
	t.Helper()
	if got := len(l.Values(whole)); got != columns {
		t.Errorf("the test fills %d of %d fields", got, columns)
	}
	for _, format := range []Format{CSV, YAML} {
		for _, e := range []T{whole, empty} {
			var out bytes.Buffer
			if err := l.Write(&out, format, []T{e}); err != nil {
				t.Fatal(err)
			}
			f, err := l.Read(format, bytes.NewReader(out.Bytes()), nil)
			if err != nil || len(f.Faults) > 0 {
				t.Fatalf("%s: %v %v\n%s", format, err, f.Faults, out.String())
			}
			if len(f.Entries) != 1 || !reflect.DeepEqual(f.Entries[0], e) {
				t.Errorf("%s: wrote %+v, read %+v\n%s", format, e, f.Entries, out.String())
			}
			if c := l.Compare([]T{e}, f.Entries, true); len(c) != 1 || c[0].Kind != Unchanged {
				t.Errorf("%s: %+v", format, c)
			}
		}
	}
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	roundTrip(t, Partners, wholePartner(), intake.Partner{ID: "a", Name: "A"}, len(columnsOf[partnerRow]()))
	roundTrip(t, Accounts, wholeAccount(), intake.Account{Domain: "a.example"}, len(columnsOf[accountRow]()))
}

func TestWhatAFileDoesNotMentionStaysAsItIs(t *testing.T) {
	stored := wholePartner()
	stored.Manager.Role = "not in files"
	find := func(id string) (intake.Partner, bool) { return stored, id == "acme" }
	for name, file := range map[Format]string{
		CSV:  "id,tier,domains\nacme,,new.example\n",
		YAML: "partners:\n  - id: acme\n    tier:\n    domains: [new.example]\n",
	} {
		f, err := Partners.Read(name, strings.NewReader(file), find)
		want := stored
		want.Tier, want.Domains = "", []string{"new.example"}
		if err != nil || len(f.Faults) > 0 || !reflect.DeepEqual(f.Entries, []intake.Partner{want}) {
			t.Errorf("%s: %v %v\nread %+v\nwant %+v", name, err, f.Faults, f.Entries, want)
		}
		if got := Partners.Compare([]intake.Partner{stored}, f.Entries, false); len(got) != 1 || got[0].Kind != Changed || len(got[0].Fields) != 2 ||
			got[0].Fields[0] != (Value{"tier", "gold", ""}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestFaultsOfYAMLNameTheLine(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"an unknown key", "partners:\n  - id: a\n    nmae: A\n", "line 3: partners[0].nmae: unknown key; did you mean name?"},
		{"an unknown key deep inside", "partners:\n  - id: a\n    contacts:\n      - email: x@a.example\n        titel: CTO\n", "line 5: partners[0].contacts[0].titel: unknown key"},
		{"a key twice", "partners:\n  - id: a\n    id: b\n", "line 3: partners[0].id: is given on line 2 already"},
		{"a text for a list", "partners:\n  - id: a\n    domains: a.example\n", "line 3: partners[0].domains: want a list"},
		{"a word for a number", "partners:\n  - id: a\n    quota: many\n", "line 3: partners[0].quota: want a whole number"},
		{"an id twice", "partners:\n  - id: a\n  - id: A\n", "line 3 (A): line 2 has the same id"},
		{"a time that is none", "partners:\n  - id: a\n    name: status_from\n    status_from: soon\n", "line 4 (a): status_from: \"soon\": want a day"},
		{"an empty file", "", "the file is empty"},
		{"Latin-1", "partners:\n  - id: \xe9\n", "line 2 is not UTF-8"},
		{"no YAML", "partners: [\n", "line "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Partners.Read(YAML, strings.NewReader(tt.file), nil)
			if err == nil {
				err = Faults(f.Faults)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("said %q, want %q", err, tt.want)
			}
		})
	}
}

func TestFaultsOfValuesAreToldTogether(t *testing.T) {
	f, err := Partners.Read(CSV, strings.NewReader("id,quota,contacts,named_accounts,certifications,status_from\n"+
		"a,many,\"nobody; Ana <ana@x.example>\",a.example soon,a|b|c|d,soon\nb,,,,,\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := Faults(f.Faults).Error()
	for _, want := range []string{"quota: \"many\"", "contacts: \"nobody\"", "named_accounts: \"a.example soon\"", "certifications: \"a|b|c|d\"", "status_from: \"soon\""} {
		if !strings.Contains(got, "line 2 (a): "+want) {
			t.Errorf("said %s, not %s", got, want)
		}
	}
	if len(f.Faults) != 5 || len(f.Entries) != 2 || len(f.Entries[0].Contacts) != 1 {
		t.Errorf("%d faults, read %+v", len(f.Faults), f.Entries)
	}
	if _, err := Accounts.Read(CSV, strings.NewReader("domain,customer\na.example,maybe\n"), nil); err != nil {
		t.Errorf("a wrong value is no wrong form: %v", err)
	}
}

func TestWhatTheGatewayFindsIsToldByTheLine(t *testing.T) {
	file := "partners:\n  - id: a\n    manager_name: manager_email\n    manager_email: x\n  - id: b\n    contacts:\n      - name: B\n        email: y\n"
	f, err := Partners.Read(YAML, strings.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := Faults(f.Place([]intake.EntryFault{
		{Entry: 0, Field: "manager.email", Problem: "1"},
		{Entry: 1, Field: "contacts[0].email", Problem: "2"},
		{Entry: 1, Field: "rules_acknowledged.by", Problem: "3"},
		{Entry: 2, Field: "status", Problem: "4"},
	})).Error()
	want := "line 4 (a): manager_email: 1\nline 8 (b): contacts[0].email: 2\nline 5 (b): rules_agreed_by: 3\nstatus: 4"
	if got != want {
		t.Errorf("said\n%s\nwant\n%s", got, want)
	}
}

func TestAComparisonHasAllThatBecomesOfAList(t *testing.T) {
	a := func(domain, name string) intake.Account { return intake.Account{Domain: domain, Name: name} }
	before, after := []intake.Account{a("a", "A"), a("b", "B"), a("c", "C")}, []intake.Account{a("d", "D"), a("b", "X"), a("a", "A")}
	var got []string
	for _, c := range Accounts.Compare(before, after, true) {
		got = append(got, c.ID+" "+c.Kind)
	}
	if want := "d added,b changed,a unchanged,c removed"; strings.Join(got, ",") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if got := Accounts.Compare(before, after, false); len(got) != 3 {
		t.Errorf("what is not in a part of the list is removed: %+v", got)
	}
}

func TestTheExamplesAreReadable(t *testing.T) {
	for file, read := range map[string]func(Format, *os.File) (int, error){
		"partners.csv": entries(Partners), "partners.yaml": entries(Partners), "accounts.csv": entries(Accounts),
	} {
		f, err := os.Open("../../../examples/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		format, err := FormatOf(file)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := read(format, f); err != nil || n != 3 {
			t.Errorf("%s: %d entries, %v", file, n, err)
		}
	}
	if _, err := FormatOf("partners.xlsx"); err == nil {
		t.Error("a spreadsheet is taken")
	}
}

func entries[T any](l List[T]) func(Format, *os.File) (int, error) {
	return func(format Format, r *os.File) (int, error) {
		f, err := l.Read(format, r, nil)
		if len(f.Faults) > 0 {
			err = errors.Join(err, Faults(f.Faults))
		}
		return len(f.Entries), err
	}
}

func TestTheHelpNamesTheLanguagesThatThereAre(t *testing.T) {
	if !strings.Contains(PartnersHelp, "en or de") || strings.Contains(PartnersHelp, "only en") {
		t.Error(PartnersHelp)
	}
}
