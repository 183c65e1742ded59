package extract

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	textunicode "golang.org/x/text/encoding/unicode"

	"leadgate/intake"
	"leadgate/intake/cputime"
)

// showLeads writes leads and faults as lines: what a test states.
func showLeads(leads []Lead, faults []intake.RowFault) string {
	var b strings.Builder
	for _, l := range leads {
		var parts []string
		for _, f := range intake.Fields() {
			if v := l.Fields[f]; v != "" {
				parts = append(parts, fmt.Sprintf("%s=%s", f, strings.ReplaceAll(v, "\n", "/")))
			}
		}
		for _, p := range l.Problems {
			parts = append(parts, fmt.Sprintf("%s:%s", p.Field, p.Code))
		}
		fmt.Fprintln(&b, strings.Join(parts, " | "))
	}
	for _, f := range faults {
		fmt.Fprintln(&b, strings.TrimSpace(fmt.Sprintf("row %d %s %s", f.Row, f.Problem.Code, f.Problem.Field)))
	}
	return strings.TrimSpace(b.String())
}

func TestTable(t *testing.T) {
	const jane = "company_name=Acme GmbH | company_domain=acme.com | contact_name=Jane Doe | contact_email=jane@acme.com"
	for _, c := range []struct{ name, in, want string }{
		{"commas", "Company,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com\n", jane},
		{"semicolons", "Firma;Webseite;Ansprechpartner;E-Mail\nAcme GmbH;www.acme.com;Jane Doe;jane@acme.com\n", jane},
		{"tabs", "Company\tWebsite\tContact\tE-mail\nAcme GmbH\twww.acme.com\tJane Doe\tjane@acme.com", jane},
		{"bars", "Company | Website | Contact | E-mail\nAcme GmbH | www.acme.com | Jane Doe | jane@acme.com", jane},
		{"a table of Markdown", "| Company | Website | Contact | E-mail |\n|---|---|---|---|\n| Acme GmbH | www.acme.com | Jane Doe | jane@acme.com |\n", jane},
		{"Excel is told the separator", "sep=;\r\nCompany;Website;Contact;E-mail\r\nAcme GmbH;www.acme.com;Jane Doe;jane@acme.com\r\n", jane},
		{"lines ended as on an old Mac", "Company,Website,Contact,E-mail\rAcme GmbH,www.acme.com,Jane Doe,jane@acme.com\r", jane},
		{"a byte order mark", "\xef\xbb\xbfCompany,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com\n", jane},
		{"columns in another order, and unknown ones", "E-mail,Favourite colour,Contact,Company,Next step,Website\njane@acme.com,red,Jane Doe,Acme GmbH,call,www.acme.com", jane},
		{"two halves of a name", "Company,Website,Last name,First name,E-mail\nAcme GmbH,www.acme.com,Doe,Jane,jane@acme.com", jane},
		{"two halves of a name in German", "Firma;Webseite;Vorname;Nachname;E-Mail\nAcme GmbH;www.acme.com;Jane;Doe;jane@acme.com", jane},
		{"two halves of a name in Turkish", "Şirket adı;Web sitesi;Adı;Soyadı;E-posta\nAcme GmbH;www.acme.com;Jane;Doe;jane@acme.com", jane},
		{"a name beside a company is a person's", "Company,Website,Name,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com", jane},
		{"a name without a company may be either's", "Name,Website,E-mail\nAcme,www.acme.com,jane@acme.com", "company_domain=acme.com | contact_email=jane@acme.com"},
		{"a lead beside a person is a company", "Lead,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com", jane},
		{"a title and empty lines above", "Leads of Partner Ltd,,,\n\n,,,\nCompany,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com", jane},
		{"the header stands there twice", "Company,Website,Contact,E-mail\nCompany,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com", jane},
		{"a sum below", "Company,Budget\nAcme,€ 1000\nTotal,€ 1000", "company_name=Acme | target_revenue=1000 EUR"},
		{"cells in several lines", "Company,Use case\n\"Acme\",\"Replace the\nold tool, soon\"\nBeta,\n", "company_name=Acme | problem=Replace the/old tool, soon\ncompany_name=Beta"},
		{"quotation marks within", "Company,Contact\n\"Acme \"\"North\"\" Ltd\",Jane \"JD\" Doe\n", "company_name=Acme \"North\" Ltd | contact_name=Jane \"JD\" Doe"},
		{"a contact with all that belongs to it", "Company;Contact\nAcme;Jane Doe <jane@acme.com>, CTO", "company_name=Acme | contact_name=Jane Doe | contact_email=jane@acme.com | contact_role=CTO"},
		{
			"all fields", "Company,Domain,Country,Contact,Email,Role,Phone,Use case,Stage,Products,Competitors,Budget,Consent,Type\nAcme,acme.de,Germany,Jane Doe,jane@acme.de,CTO,030 1234567,Replace the old tool,POC,\"A, B\",Initech,120k EUR,yes,Deal",
			"company_name=Acme | company_domain=acme.de | country=DE | contact_name=Jane Doe | contact_email=jane@acme.de | contact_role=CTO | contact_phone=+49301234567 | problem=Replace the old tool | stage=evaluation | product_interest=A; B | competing_vendors=Initech | target_revenue=120000 EUR | consent=yes | kind=deal",
		},
		{"a telephone number before its country", "Phone,Company,Country\n030 1234567,Acme,DE", "company_name=Acme | country=DE | contact_phone=+49301234567"},
		{"what is not what its column says is told", "Company,Country,Budget,Consent,Phone,Website\nAcme,DACH,a lot,perhaps,123,gmail.com", "company_name=Acme | company_domain:free_mail_only | country:invalid_value | target_revenue:invalid_value | consent:invalid_value | contact_phone:invalid_value"},
		{"two domains in one cell", "Company,Website\nAcme,acme.com / acme.de", "company_name=Acme | company_domain:invalid_value"},
		{"empty words", "Company,Country,Budget,Competitors\nAcme,n/a,tbd,-", "company_name=Acme"},
		{"the same column twice, alike", "Company,Account,Country\nAcme,ACME,DE", "company_name=Acme | country=DE"},
		{"the same column twice, differently", "Company,Account,E-mail\nAcme,Beta,jane@acme.com", "contact_email=jane@acme.com | company_name:conflicting_values"},
		{"a row about nobody", "Company,E-mail,Country\nAcme,jane@acme.com,DE\n\n,,FR\nBeta,,IT", "company_name=Acme | country=DE | contact_email=jane@acme.com\ncompany_name=Beta | country=IT\nrow 4 missing_field company_name"},
		{"a row of the address alone", "Company,E-mail\n,jane@acme.com", "contact_email=jane@acme.com"},
		{"formulas are text", "Company,Contact,Use case\n\"=HYPERLINK(\"\"http://x.example\"\",\"\"Acme\"\")\",@Jane,-2+3+cmd|' /C calc'!A0\n", "company_name==HYPERLINK(\"http://x.example\",\"Acme\") | problem=-2+3+cmd|' /C calc'!A0 | contact_name:invalid_value"},
		{"a quotation mark that is never closed costs its row alone", "Company,Country,E-mail\n\"Acme,DE,jane@acme.com\nBeta,IT,b@beta.it\nGamma,FR,g@gamma.fr", "company_name=Beta | country=IT | contact_email=b@beta.it\ncompany_name=Gamma | country=FR | contact_email=g@gamma.fr\nrow 2 too_long"},
		{"a cell without end", "Company,Use case\nAcme," + strings.Repeat("x", 9<<10) + "\nBeta,short and to the point", "company_name=Beta | problem=short and to the point\nrow 2 too_long"},
		{"rows of other lengths", "Company,Country,E-mail\nAcme\nBeta,IT,b@beta.it,more,and more", "company_name=Acme\ncompany_name=Beta | country=IT | contact_email=b@beta.it"},

		{"a price list", "Item,Price\nScrew,12 EUR\n", ""},
		{"a list of dates", "Date,Country\n2026-11-23,DE\n", ""},
		{"one known column", "Company,Colour\nAcme,red\n", ""},
		{"columns about nobody", "Country,Budget,Phone\nDE,12 EUR,123\n", ""},
		{"no header", "Acme,acme.com,Jane Doe\n", ""},
		{"prose", "Dear all, we met the company Acme, and they want a quote.\nRegards", ""},
		{"nothing", "", ""},
		{"bytes", "\x00\x01\x02\xff", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := showLeads(readTable(newTestExtractor(), Attachment{Name: "x.csv", Content: []byte(c.in)})); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestTableInEveryEncoding(t *testing.T) {
	const in = "Company;Contact;Country\r\nMüller & Söhne;José Peña;Österreich\r\n"
	const want = "company_name=Müller & Söhne | country=AT | contact_name=José Peña"
	win, _ := charmap.Windows1252.NewEncoder().String(in)
	le, _ := textunicode.UTF16(textunicode.LittleEndian, textunicode.UseBOM).NewEncoder().String(in)
	be, _ := textunicode.UTF16(textunicode.BigEndian, textunicode.UseBOM).NewEncoder().String(in)
	plain, _ := textunicode.UTF16(textunicode.LittleEndian, textunicode.IgnoreBOM).NewEncoder().String(in)
	bare, _ := textunicode.UTF16(textunicode.BigEndian, textunicode.IgnoreBOM).NewEncoder().String(in)
	for name, a := range map[string]Attachment{
		"UTF-8":                                  {Content: []byte(in)},
		"UTF-8 with a mark":                      {Content: []byte("\ufeff" + in)},
		"UTF-8 with a wrong label":               {Charset: "us-ascii", Content: []byte(in)},
		"Windows-1252":                           {Content: []byte(win)},
		"Windows-1252 with a label":              {Charset: "windows-1252", Content: []byte(win)},
		"Windows-1252 with a wrong label":        {Charset: "utf-8", Content: []byte(win)},
		"Windows-1252 with a label of nothing":   {Charset: "x-unknown", Content: []byte(win)},
		"UTF-16, low byte first":                 {Content: []byte(le)},
		"UTF-16, high byte first":                {Content: []byte(be)},
		"UTF-16 without a mark":                  {Content: []byte(plain)},
		"UTF-16 without a mark, high byte first": {Content: []byte(bare)},
	} {
		if got := showLeads(readTable(newTestExtractor(), a)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	sjis, _ := japanese.ShiftJIS.NewEncoder().String("会社名,担当者,国\n株式会社アクメ,山田太郎,日本\n")
	if got := showLeads(readTable(newTestExtractor(), Attachment{Charset: "Shift_JIS", Content: []byte(sjis)})); got != "company_name=株式会社アクメ | country=JP | contact_name=山田太郎" {
		t.Errorf("Shift JIS: %q", got)
	}
}

// TestTableInEveryLanguage writes a header of the first label of each field.
func TestTableInEveryLanguage(t *testing.T) {
	first := make(map[string]map[intake.Field]string)
	for _, row := range rows("data/labels.tsv", 3) {
		if first[row[1]] == nil {
			first[row[1]] = make(map[intake.Field]string)
		}
		label, _, _ := strings.Cut(row[2], "|")
		first[row[1]][intake.Field(row[0])] = label
	}
	values := map[intake.Field]string{
		intake.FieldCompanyName: "Acme", intake.FieldCompanyDomain: "acme.com", intake.FieldCountry: "DE", intake.FieldContactName: "Jane Doe",
		intake.FieldContactEmail: "jane@acme.com", intake.FieldContactRole: "CTO", intake.FieldContactPhone: "+4930123456",
		intake.FieldProblem: "Replace the old tool", intake.FieldSolutionFit: "our connector", intake.FieldServicesNeeded: "training", intake.FieldStage: "evaluation",
		intake.FieldProductInterest: "Core", intake.FieldCompetingVendors: "Initech", intake.FieldTargetRevenue: "120000 EUR", intake.FieldConsent: "yes", intake.FieldKind: "deal",
	}
	for lang, labels := range first {
		var head, row []string
		for _, f := range intake.Fields() {
			head, row = append(head, labels[f]), append(row, values[f])
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		_ = w.WriteAll([][]string{head, row})
		leads, faults := readTable(newTestExtractor(), Attachment{Content: []byte(b.String())})
		if len(leads) != 1 || len(faults) != 0 || !maps.Equal(leads[0].Fields, values) {
			t.Errorf("%s: %s", lang, showLeads(leads, faults))
		}
	}
}

func TestLongTableIsReadInPart(t *testing.T) {
	e := newTestExtractor()
	leads, faults := readTable(e, Attachment{Content: []byte("Company,Country\n" + numbered("Acme %d,DE\n", 5000))})
	if len(leads) != MaxLeads || len(faults) != 1 || faults[0].Row != MaxLeads+2 || !strings.Contains(faults[0].Problem.Message, "4950 rows") {
		t.Errorf("%d leads, faults %+v", len(leads), faults)
	}
	leads, faults = readTable(e, Attachment{Content: []byte("Company,Country\n" + numbered(",DE %d\n", 5000))})
	if len(leads) != 0 || len(faults) != maxFaults+1 {
		t.Errorf("%d leads, %d faults", len(leads), len(faults))
	}
}

func TestTableOfAnySizeIsReadInASecond(t *testing.T) {
	head := "Company,Country,E-mail\n"
	for name, in := range map[string]string{
		"rows":            head + strings.Repeat("Acme,DE,a@b.com\n", 300_000),
		"bad rows":        head + strings.Repeat(",DE,\n", 800_000),
		"open quotes":     head + strings.Repeat("\"Acme,DE\n", 500_000),
		"quotes":          strings.Repeat("\"", 5<<20),
		"separators":      head + strings.Repeat(",", 5<<20),
		"separators only": strings.Repeat(",;|\t", 1<<20),
		"blank lines":     strings.Repeat("\n", 5<<20),
		"one line":        strings.Repeat("Company,", 600_000),
		"one cell":        head + strings.Repeat("x", 5<<20),
	} {
		start := cputime.Used()
		readTable(newTestExtractor(), Attachment{Content: []byte(in)})
		if took := cputime.Used() - start; took > slowdown*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func TestRowsOfATextKeepTheirPlaces(t *testing.T) {
	grid := [][]string{{"Prospects"}, {"Company", "E-mail"}, {"Acme", "jane@acme.com"}, {"", ""}, {"x", ""}, {"", "?!x"}}
	at := func(row, col int) (int, int) { return 100*row + 10*col, 100*row + 10*col + 5 }
	leads, faults := newTestExtractor().leadsOfRows(grid, at, "table", .9)
	if got := showLeads(leads, faults); got != "company_name=Acme | contact_email=jane@acme.com\ncompany_name=x\nrow 6 missing_field company_name" {
		t.Error(got)
	}
	if got := leads[0].Evidence[intake.FieldContactEmail]; got != (Evidence{Words: "jane@acme.com", Start: 210, End: 215, Score: .9, Method: "table"}) {
		t.Errorf("%+v", got)
	}
}

func FuzzTable(f *testing.F) {
	for _, s := range []string{
		"Company,Website,Contact,E-mail\nAcme GmbH,www.acme.com,Jane Doe,jane@acme.com\n", "Firma;Land;Telefon\n\"Acme\nGmbH\";DE;030 1234567\n;;\n;FR;",
		"sep=;\nName;Company;Budget\n\"x;y\nz;w", "Company\tEmail\tEmail\nA\tb@c.de\td@e.fr", "\xff\xfeC\x00o\x00", "| Company | Country |\n|---|---|\n| A | B |",
	} {
		f.Add([]byte(s), "")
	}
	e := newTestExtractor()
	f.Fuzz(func(t *testing.T, content []byte, charset string) {
		leads, faults := readTable(e, Attachment{Charset: charset, Content: content})
		if n := strings.Count(decodeText(Attachment{Charset: charset, Content: content}), "\n") + 1; len(leads)+len(faults) > n {
			t.Fatalf("%d leads and %d faults of %d rows", len(leads), len(faults), n)
		}
		for _, l := range leads {
			cleaned, problems := intake.Clean(lists, l.Fields)
			if !maps.Equal(cleaned, l.Fields) || len(problems) > 0 || len(l.Fields) == 0 {
				t.Fatalf("%v is not clean: %v, %v", l.Fields, cleaned, problems)
			}
			if !slices.Equal(slices.Sorted(maps.Keys(l.Fields)), slices.Sorted(maps.Keys(l.Evidence))) {
				t.Fatalf("%v has evidence %v", l.Fields, l.Evidence)
			}
			for _, p := range l.Problems {
				if l.Fields[p.Field] != "" || p.Code == "" || p.Message == "" {
					t.Fatalf("%+v of %v", p, l.Fields)
				}
			}
		}
		last := 0
		for _, x := range faults {
			if x.Row <= last || x.Problem.Message == "" {
				t.Fatalf("faults %+v", faults)
			}
			last = x.Row
		}
	})
}
