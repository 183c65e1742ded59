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
		p.Tier != "gold" || p.Country != "GB" || p.Locale != "en" {
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
		{"an empty file", "", "header line"},
		{"an unknown column", "id,nmae\na,b\n", `unknown column "nmae"; known: id, name`},
		{"a contact that is no address", "id,name,contacts\na,A,x@a.example\nb,B,nobody\n", `row 2 (b): contacts: "nobody"`},
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
