package directory

import (
	"strings"
	"testing"

	"leadgate/intake"
)

func TestReadCSVReadsEveryColumn(t *testing.T) {
	got, err := ReadCSV(strings.NewReader("\uFEFFname,id,domains,contacts,motion,status,tier,manager_name,manager_email,country,locale\n" +
		"Kestrel IT,kestrel-it,\"kestrel-it.example; kestrel.example\",\"Tom Reed <tom@kestrel-it.example>; pat@other.example\",reseller,suspended,gold,Mia,mia@northwind.example,gb,en\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("%d partners, want 1", len(got))
	}
	p := got[0]
	if p.ID != "kestrel-it" || p.Name != "Kestrel IT" || p.Motion != "reseller" || p.Status != intake.PartnerSuspended ||
		p.Tier != "gold" || p.Country != "gb" || p.Locale != "en" {
		t.Errorf("read %+v", p)
	}
	if len(p.Domains) != 2 || p.Domains[1] != "kestrel.example" {
		t.Errorf("domains %v", p.Domains)
	}
	if len(p.Contacts) != 2 || p.Contacts[0] != (intake.Contact{Name: "Tom Reed", Email: "tom@kestrel-it.example"}) ||
		p.Contacts[1].Email != "pat@other.example" {
		t.Errorf("contacts %v", p.Contacts)
	}
	if p.Manager != (intake.Contact{Name: "Mia", Email: "mia@northwind.example"}) {
		t.Errorf("manager %v", p.Manager)
	}
}

func TestReadCSVNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{"an empty file", "", "the file is empty"},
		{"blank lines alone", "\uFEFF\r\n \n", "the file is empty"},
		{"an unknown column", "id,nmae\na,b\n", `unknown column "nmae"; known: id, code, name`},
		{"a contact that is no address", "id,name,contacts\na,A,x@a.example\nb,B,nobody\n", `line 3 (b): contacts: "nobody"`},
		{"lines are the file's, over cells of many lines", "id,name,contacts\n\na,\"A\nA\",x@a.example\nb,B,nobody\n", `line 5 (b): contacts: "nobody"`},
		{"an id twice", "id,name\na,A\nb,B\nA ,C\n", "line 4 (A): line 2 has the same id"},
		{"a column twice", "id,name,id\na,A,b\n", `column "id" is there twice`},
		{"Latin-1", "id,name\na,A\nb,Caf\xe9\n", "line 3 is not UTF-8; save the file as UTF-8 CSV"},
		{"UTF-16 with a mark", "\xff\xfei\x00d\x00", "save the file as UTF-8 CSV"},
		{"UTF-16 without a mark", "i\x00d\x00", "save the file as UTF-8 CSV"},
		{"a quote that nothing ends", "id,name\na,\"A\nb,B\n", "line 2: "},
		{"semicolons and an unknown column", "id;nmae\na;b\n", `unknown column "nmae"`},
		{"every short row is told", "id,name\na\nb,B\nc\n", "line 4 (c): wrong number of fields: 1, the header has 2"},
		{"a row with too few cells", "id,name,domains\na,A\n", "wrong number of fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadCSV(strings.NewReader(c.csv))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestReadCSVTakesWhatSpreadsheetsWrite(t *testing.T) {
	for name, sep := range map[string]string{"commas": ",", "semicolons": ";", "tabs": "\t"} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll("id|name|domains\r\na|\"A, B; C\"|\"a.example; b.example\"\r\n", "|", sep)
			got, err := ReadCSV(strings.NewReader(text))
			if err != nil || len(got) != 1 || got[0].Name != "A, B; C" || len(got[0].Domains) != 2 {
				t.Errorf("read %+v, %v", got, err)
			}
		})
	}
}
