package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

var reader = extract.New(identity.Default(), extract.Options{})

// file is all that was read of a list.
type file struct {
	*Sheet
	rows []Row
	err  error
}

// read reads a list to its end, or to what stops it.
func read(t testing.TB, name string, content []byte) file {
	t.Helper()
	s, err := Open(bytes.NewReader(content), int64(len(content)), name, Options{Extractor: reader, TempDir: t.TempDir()})
	if err != nil {
		return file{err: err}
	}
	f := file{Sheet: s}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for {
		row, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			f.err = err
			break
		}
		f.rows = append(f.rows, row)
	}
	if c := s.Counts(); c.Rows != len(f.rows) || c.Rows != c.Read+c.Faulted {
		t.Errorf("%d rows handed out, counted %+v", len(f.rows), c)
	}
	return f
}

// list reads a list that must be readable.
func list(t testing.TB, content string) file {
	t.Helper()
	f := read(t, "list.csv", []byte(content))
	if f.err != nil {
		t.Fatal(f.err)
	}
	return f
}

// companies are the names of the companies that were read, "!code" for a fault.
func (f file) companies() []string {
	var out []string
	for _, r := range f.rows {
		if r.Fault != nil {
			out = append(out, "!"+r.Fault.Code)
		} else {
			out = append(out, r.Lead[intake.FieldCompanyName])
		}
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// code returns the code of an error, and checks that it says something.
func code(t *testing.T, err error) string {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	if e.Message == "" || !slices.Contains(Codes(), e.Code) {
		t.Errorf("%q: %q", e.Code, e.Message)
	}
	return e.Code
}

func TestFilesOfRealProgramsAreReadAlike(t *testing.T) {
	encodings := map[string]string{
		"excel-de-csv.csv": "windows-1252", "excel-de-csv-utf8.csv": "UTF-8", "excel-us-csv-utf8.csv": "UTF-8",
		"excel-de-unicode.txt": "UTF-16LE", "excel-mac.csv": "macintosh", "excel-sep.csv": "UTF-8",
		"google-de.csv": "UTF-8", "google-us.csv": "UTF-8", "numbers-de.csv": "UTF-8",
		"libreoffice-de-utf8.csv": "UTF-8", "libreoffice-de-windows1252.csv": "windows-1252", "libreoffice-de-utf16.csv": "UTF-16LE",
		"libreoffice-en-utf8.csv": "UTF-8", "libreoffice-en-windows1252.csv": "windows-1252", "libreoffice-en-utf16.csv": "UTF-16LE",
		"libreoffice-de.xlsx": "", "libreoffice-en.xlsx": "",
	}
	for name, encoding := range encodings {
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			f := read(t, name, content)
			if f.err != nil {
				t.Fatal(f.err)
			}
			currency, closing := "USD", "Close date"
			if f.columns[0].Name == "Firma" {
				currency, closing = "EUR", "Abschluss"
			}
			if f.Encoding() != encoding || len(f.rows) != 3 || f.Counts().Faulted > 0 {
				t.Fatalf("%s, %+v", f.Encoding(), f.Counts())
			}
			first := intake.Lead{
				intake.FieldCompanyName: "Müller & Söhne GmbH", intake.FieldCompanyDomain: "mueller-soehne.example", intake.FieldCountry: "DE",
				intake.FieldContactName: "Jörg Weiß", intake.FieldContactEmail: "joerg.weiss@mueller-soehne.example", intake.FieldContactPhone: "+49301234567",
				intake.FieldProblem: "Jede Woche geht ein Tag\nfür Berichte von Hand verloren.", intake.FieldConsent: "yes",
				intake.FieldTargetRevenue: "120000 " + currency,
			}
			if name == "excel-mac.csv" {
				first[intake.FieldProblem] = strings.ReplaceAll(first[intake.FieldProblem], "\n", " ")
			}
			if !maps.Equal(f.rows[0].Lead, first) {
				t.Errorf("the first row is %v", f.rows[0].Lead)
			}
			var revenue, contact []string
			for _, r := range f.rows {
				revenue = append(revenue, r.Lead[intake.FieldTargetRevenue])
				contact = append(contact, strings.NewReplacer("ş", "s", "?", "s").Replace(r.Lead[intake.FieldContactName]))
				if len(r.Problems) > 0 || !strings.Contains(r.Extra[closing], "2027") {
					t.Errorf("row %d: %v %v", r.Number, r.Problems, r.Extra)
				}
			}
			same(t, "revenue", revenue, []string{"120000 " + currency, "1234.50 " + currency, "75000.25 " + currency})
			same(t, "contact", contact, []string{"Jörg Weiß", "Ayse Öztürk", "Zoë Çelik"})
			same(t, "companies", f.companies(), []string{"Müller & Söhne GmbH", "Bäckerei Öztürk; Filialen", "Çelik, Partner & Co"})
		})
	}
}

func encodeUTF16(s string, big bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

func TestAnEncodingIsKnownByItsBytes(t *testing.T) {
	const lines = "Firma;Webseite\r\nMüller Söhne;mueller.example\r\nBäcker Weiß;baecker.example\r\n"
	ansi, _ := charmap.Windows1252.NewEncoder().String(lines)
	long := lines + strings.Repeat("Firma;firma.example\r\n", 8000)
	for name, content := range map[string][]byte{
		"UTF-8 without a mark":            []byte(lines),
		"UTF-8 with a mark":               []byte("\ufeff" + lines),
		"UTF-16 LE with a mark":           append([]byte("\xff\xfe"), encodeUTF16(lines, false)...),
		"UTF-16 BE with a mark":           append([]byte("\xfe\xff"), encodeUTF16(lines, true)...),
		"UTF-16 LE without a mark":        encodeUTF16(lines, false),
		"UTF-16 BE without a mark":        encodeUTF16(lines, true),
		"Windows-1252":                    []byte(ansi),
		"Windows-1252 with CR alone":      []byte(strings.ReplaceAll(ansi, "\r\n", "\r")),
		"UTF-8 across the reader's parts": []byte(long[:64<<10-1-len("Bäcker Weiß;b.example\r\n")] + "\r\nBäcker Weiß;b.example\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, "list.csv", content)
			if f.err != nil {
				t.Fatal(f.err)
			}
			if got := f.companies(); got[0] != "Müller Söhne" || !slices.Contains(got, "Bäcker Weiß") {
				t.Errorf("%q", got[:2])
			}
		})
	}
	t.Run("a letter may lie across the reader's parts", func(t *testing.T) {
		c, err := count(strings.NewReader(strings.Repeat("x", 64<<10-1) + "ä"))
		if err != nil || c.long != 1 || c.wrong != 0 {
			t.Errorf("%+v, %v", c, err)
		}
	})
	t.Run("one destroyed letter does not spoil the others", func(t *testing.T) {
		f := list(t, "Firma;Webseite\nMüller;mueller.example\nWei\xdf;weiss.example\n")
		if f.Encoding() != "UTF-8" && f.Encoding() != "windows-1252" {
			t.Error(f.Encoding())
		}
		f = list(t, "Firma;Webseite\nMüller;mueller.example\nÖztürk;oe.example\nWei\xdf;weiss.example\n")
		same(t, "companies", f.companies(), []string{"Müller", "Öztürk", "Wei\uFFFD"})
	})
}

func TestTextIsCutAsSpreadsheetsCutIt(t *testing.T) {
	for _, test := range []struct {
		name, content string
		companies     []string
		numbers       []int
	}{
		{"commas", "Company,Website\nA,a.example\nB,b.example\n", []string{"A", "B"}, []int{2, 3}},
		{"tabs", "Company\tWebsite\nA\ta.example\n", []string{"A"}, []int{2}},
		{"bars", "Company|Website\nA, B|a.example\n", []string{"A, B"}, []int{2}},
		{"CR alone", "Company;Website\rA;a.example\r\rB;b.example", []string{"A", "B"}, []int{2, 4}},
		{"mixed line ends", "Company;Website\r\nA;a.example\nB;b.example\rC;c.example", []string{"A", "B", "C"}, []int{2, 3, 4}},
		{"a first line that tells the separator is no row", "sep=|\nCompany|Website\nA|a.example\n", []string{"A"}, []int{2}},
		{"such a line may be quoted, and filled up", "\"SEP=;\";;\r\nCompany;Website\r\nA;a.example\r\n", []string{"A"}, []int{2}},
		{"such a line may tell a comma for other values", "sep=,\nCompany,Note,Website\nA,x;y,a.example\n", []string{"A"}, []int{2}},
		{"empty lines count and say nothing", "\n\n;;\nCompany;Website\n\nA;a.example\n;\n  ; \nB;b.example\n", []string{"A", "B"}, []int{6, 9}},
		{"titles above the names are passed over", "Partner list Q3;;\n;;\nCompany;Website\nA;a.example", []string{"A"}, []int{4}},
		{"empty columns behind", "Company;Website;;;\nA;a.example;;;\nB;b.example\n", []string{"A", "B"}, []int{2, 3}},
		{"rows that end early", "Company;Website;E-mail\nA\nB;b.example\n", []string{"A", "B"}, []int{2, 3}},
		{"quoted separators, quotation marks and line breaks", "Company;Website\n\"A; \"\"the\"\" one\r\nand only\";a.example\nB;b.example", []string{"A; \"the\" one and only", "B"}, []int{2, 3}},
		{"quotation marks that should be doubled", "Company,Website\n\"The \"big\" one\",a.example\nB \"2\",b.example", []string{"The \"big\" one", "B \"2\""}, []int{2, 3}},
		{"text behind a closing quotation mark", "Company,Website,Contact\n\"Acme\" GmbH,a.example,\"Doe, Jane\"\nB,b.example,", []string{"Acme GmbH", "B"}, []int{2, 3}},
		{"blanks around quotation marks", "Company, Website\n \"A, B\" , a.example\n", []string{"A, B"}, []int{2}},
		{"names of columns again", "Company;Website\nA;a.example\nCompany;Website\nB;b.example\n", []string{"A", "B"}, []int{2, 4}},
		{"another language and order", "Strona www;Kraj;Nazwa firmy\na.example;Polska;Zażółć\n", []string{"Zażółć"}, []int{2}},
		{"capitals and accents do not matter", "SOCIETE;SITE WEB\nA;a.example\n", []string{"A"}, []int{2}},
		{"a sum is not registered", "Company;Revenue;Problem\nA;1000 EUR;Reports take a whole day\nTotal;1000 EUR;\n", []string{"A", "!" + CodeTotal}, []int{2, 3}},
		{"a company that is called so is", "Company;Website\nTotal;total.example\n", []string{"Total"}, []int{2}},
		{"more cells than columns", "Company,Website\nAcme, Inc,acme.example\nB,b.example\n", []string{"!" + CodeMoreCells, "B"}, []int{2, 3}},
		{"a row about nobody", "Company;Website;Note\n;;call them\nB;b.example;\n", []string{"!" + intake.ProblemMissing, "B"}, []int{2, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := list(t, test.content)
			var numbers []int
			for _, r := range f.rows {
				numbers = append(numbers, r.Number)
			}
			same(t, "companies", f.companies(), test.companies)
			if !slices.Equal(numbers, test.numbers) {
				t.Errorf("rows %v, want %v", numbers, test.numbers)
			}
		})
	}
}

func TestAQuotationMarkThatIsNeverClosedCostsItsRowAlone(t *testing.T) {
	for name, content := range map[string]string{
		"to the end of a short file": "Company;Website;Note\nA;a.example;\"oh\nB;b.example;\nC;c.example;x\n",
		"up to another quoted cell":  "Company;Website;Note\nA;a.example;\"oh\nB;b.example;\nC;c.example;\"x\"\n",
		"in a long file":             "Company;Website;Note\nA;a.example;\"oh\nB;b.example;\nC;c.example;x\n" + strings.Repeat(";;\n", 600_000),
	} {
		t.Run(name, func(t *testing.T) {
			f := list(t, content)
			same(t, "companies", f.companies(), []string{"!" + CodeQuotes, "B", "C"})
			if p := f.rows[0].Fault; p.Row != 2 || !strings.Contains(p.String(), "row 2: ") {
				t.Error(p)
			}
		})
	}
	t.Run("nor does it take the rows that end as a quoted cell does", func(t *testing.T) {
		f := list(t, "Company;Website;Note\nA;\"a.example\nB;b.example;x\nC;c.example;end\"\nD;d.example;\n")
		same(t, "companies", f.companies(), []string{"!" + CodeQuotes, "B", "C", "D"})
	})
	t.Run("and many of them cost the file", func(t *testing.T) {
		f := read(t, "list.csv", []byte("Company;Website\n"+strings.Repeat("A;\"a.example\n", 200)))
		if code(t, f.err) != CodeManyQuotes || len(f.rows) == 0 {
			t.Errorf("%d rows, %v", len(f.rows), f.err)
		}
	})
}

func TestLimitsFaultTheRowOrTheFile(t *testing.T) {
	row := func(n int) string { return fmt.Sprintf("Firma %d;f%d.example\n", n, n) }
	t.Run("a cell that is too long faults its row and is named", func(t *testing.T) {
		f := list(t, "Company;Website;Problem\nA;a.example;"+strings.Repeat("ä", MaxCell/2+1)+"\nB;b.example;"+strings.Repeat("ä", MaxCell/2)+"\n")
		same(t, "companies", f.companies(), []string{"!" + CodeCellTooLong, "B"})
		p := f.rows[0].Fault
		if p.Row != 2 || p.Column != 3 || p.Name != "Problem" || !strings.HasPrefix(p.String(), "row 2, column C (Problem): ") {
			t.Error(p)
		}
		if len(f.rows[0].Cells[2]) != MaxCell+2 {
			t.Error("the cell is not kept as it was")
		}
	})
	t.Run("a line without end is a fault and no memory", func(t *testing.T) {
		f := list(t, "Company;Website\n"+strings.Repeat("x", 3<<20)+"\nB;b.example\n")
		same(t, "companies", f.companies(), []string{"!" + CodeRowTooLong, "B"})
	})
	t.Run("64 columns are read, 65 are too many", func(t *testing.T) {
		names := "Company;Website" + strings.Repeat(";x", MaxColumns-2)
		f := list(t, names+"\nA;a.example\n")
		same(t, "companies", f.companies(), []string{"A"})
		if got := code(t, read(t, "list.csv", []byte(names+";y\nA;a.example\n")).err); got != CodeTooManyColumns {
			t.Error(got)
		}
	})
	t.Run("too many rows stop behind the last that is allowed", func(t *testing.T) {
		var b strings.Builder
		b.WriteString("Company;Website\n\n")
		for n := range MaxRows {
			b.WriteString(row(n))
		}
		if f := list(t, b.String()); len(f.rows) != MaxRows {
			t.Errorf("%d rows", len(f.rows))
		}
		f := read(t, "list.csv", []byte(b.String()+"\n"+row(0)))
		var e *Error
		if code(t, f.err) != CodeTooManyRows || len(f.rows) != MaxRows || !errors.As(f.err, &e) || e.Rows != MaxRows || e.Row != MaxRows+4 {
			t.Errorf("%d rows, %+v", len(f.rows), e)
		}
	})
	t.Run("a file that is too large is not looked at", func(t *testing.T) {
		_, err := Open(strings.NewReader(""), MaxBytes+1, "list.csv", Options{Extractor: reader})
		if got := code(t, err); got != CodeTooLarge {
			t.Error(got)
		}
	})
}

func TestWhatIsNoListIsRefusedWithAMend(t *testing.T) {
	zipped := func(names ...string) string {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, n := range names {
			if _, err := z.Create(n); err != nil {
				t.Fatal(err)
			}
		}
		z.Close()
		return b.String()
	}
	stored := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, test := range []struct{ name, content, code, says string }{
		{"an old workbook", stored("libreoffice-de.xls"), CodeUnsupported, "password"},
		{"an OpenDocument file", stored("libreoffice-de.ods"), CodeUnsupported, "OpenDocument"},
		{"a document of Numbers", zipped("Index/Document.iwa"), CodeUnsupported, "Numbers"},
		{"a binary workbook", zipped("xl/workbook.bin"), CodeUnsupported, "binary"},
		{"any ZIP file", zipped("list.csv"), CodeUnsupported, "the list itself"},
		{"a torn workbook", stored("libreoffice-de.xlsx")[:3000], CodeDamaged, "save it anew"},
		{"a PDF", "%PDF-1.7\n%âãÏÓ", CodeUnsupported, "PDF"},
		{"a picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", CodeUnsupported, "picture"},
		{"a web page that is called a workbook", "<html><table><tr><td>Company", CodeUnsupported, "web page"},
		{"bytes", strings.Repeat("\x01\x02A\x03", 100), CodeUnsupported, "Save as"},
		{"nothing", "", CodeEmpty, "empty"},
		{"empty lines", "\r\n\r\n;;;\r\n", CodeEmpty, "empty"},
		{"no names of columns", "Acme;acme.example\nContoso;contoso.example\n", CodeNoHeader, "Company;Website;Country;Contact"},
		{"names of other things", "Id,Colour\n1,red\n", CodeNoHeader, "Company,Website,Country,Contact"},
		{"two columns for one field", "Company;Customer;Website\nA;B;a.example\n", CodeTwoColumns, `"Company" (A) and "Customer" (B)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := read(t, "list.xls", []byte(test.content))
			if got := code(t, f.err); got != test.code || !strings.Contains(f.err.Error(), test.says) {
				t.Errorf("%s: %v", got, f.err)
			}
		})
	}
}

func TestAmountsAreReadWithTheCurrencyWhereverItStands(t *testing.T) {
	for _, test := range []struct{ name, header, row, want string }{
		{"in the cell", "Company;Deal value", "A;120.000,00 €", "120000 EUR"},
		{"in the name of the column", "Company;Target revenue (EUR)", "A;120.000,00", "120000 EUR"},
		{"in the name without brackets", "Company;Deal value USD", "A;120,000.50", "120000.50 USD"},
		{"as words", "Firma;Auftragswert in €", "A;1,2 Mio", "1200000 EUR"},
		{"in thousands", "Firma;Auftragswert (T€)", "A;120", "120000 EUR"},
		{"in a column", "Company;Deal value;Currency", "A;120000;CHF", "120000 CHF"},
		{"in a column of another language", "Firma;Umsatz;Währung;Problem", "A;120000;Euro;", "120000 EUR"},
		{"in the cell, though the column says another", "Company;Deal value;Currency", "A;120000 USD;EUR", "120000 USD"},
		{"nowhere", "Company;Deal value", "A;120000", ""},
		{"in a column, though the name of the other says something else", "Company;Deal value (net);Currency", "A;120000;EUR", "120000 EUR"},
		{"twice, differently", "Company;Deal value (EUR);Currency", "A;120000;USD", ""},
		{"for a month", "Company;Deal value (EUR/month)", "A;120", ""},
		{"of a list of companies", "Company;Website;Revenue (EUR)", "A;a.example;120000", ""},
		{"of a list of deals", "Company;Revenue (EUR);Stage", "A;120000;evaluation", "120000 EUR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := list(t, test.header+"\n"+test.row+"\n")
			r := f.rows[0]
			if got := r.Lead[intake.FieldTargetRevenue]; got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			known := slices.ContainsFunc(f.Columns(), func(c Column) bool { return c.Field == intake.FieldTargetRevenue })
			if problem := len(r.Problems) > 0; problem != (known && test.want == "") {
				t.Errorf("problems %v", r.Problems)
			}
		})
	}
}

func TestCellsThatSpreadsheetsSpoiltAreNamed(t *testing.T) {
	f := list(t, "Company;Website;Phone;Consent;Note\nA;a.example;4,93012E+11;#NAME?;#REF!\n#BEZUG!;b.example;'+49 30 1234567;Err:510;\nC;;030 1234567;perhaps;x\n")
	var got []string
	for _, r := range f.rows {
		for _, p := range r.Problems {
			got = append(got, fmt.Sprintf("%s %s %q", p.Place(), p.Code, p.Given))
		}
	}
	same(t, "problems", got, []string{
		`row 2, column C (Phone) rounded_by_spreadsheet "4,93012E+11"`,
		`row 2, column D (Consent) formula_error "#NAME?"`,
		`row 3, column A (Company) formula_error "#BEZUG!"`,
		`row 3, column D (Consent) formula_error "Err:510"`,
		`row 4, column C (Phone) invalid_value "030 1234567"`,
		`row 4, column D (Consent) invalid_value "perhaps"`,
	})
	if got := f.rows[1].Lead[intake.FieldContactPhone]; got != "+49301234567" {
		t.Errorf("behind an apostrophe: %q", got)
	}
	if f.rows[1].Cells[2] != "'+49 30 1234567" || f.rows[0].Cells[2] != "4,93012E+11" {
		t.Error("the cells are not as they were")
	}
}

func TestColumnsThatWeDoNotKnowAreKept(t *testing.T) {
	f := list(t, "Company;First name;Last name;Colour;Colour;;E-mail\nA;Jane;Doe;one;two;three;jane@a.example\n")
	r := f.rows[0]
	if want := map[string]string{"Colour": "one", "Colour (2)": "two", "column F": "three"}; !maps.Equal(r.Extra, want) {
		t.Errorf("%v", r.Extra)
	}
	if r.Lead[intake.FieldContactName] != "Jane Doe" || r.Evidence[intake.FieldContactEmail] != "jane@a.example" {
		t.Errorf("%v %v", r.Lead, r.Evidence)
	}
	same(t, "cells", r.Cells, []string{"A", "Jane", "Doe", "one", "two", "three", "jane@a.example"})
}

func TestAResultFileIsKnownByItsColumns(t *testing.T) {
	f := list(t, "Company;Website;Code;Case;What to do;Phone\nA;a.example;missing_field;LG-2026-373125-G;Give the stage.;'+49 30 1234567\n;;x;LG-2026-384207-D;;\n")
	if !f.Answered() || len(f.Columns()) != 3 {
		t.Fatalf("%v %v", f.Answered(), f.Columns())
	}
	if got, want := f.rows[0].Answer, (Answer{Case: "LG-2026-373125-G", Code: "missing_field", Mend: "Give the stage."}); got != want {
		t.Errorf("%+v", got)
	}
	same(t, "cells", f.rows[0].Cells, []string{"A", "a.example", "+49 30 1234567"})
	if f.rows[1].Fault != nil || f.rows[1].Answer.Case != "LG-2026-384207-D" {
		t.Errorf("a row with its number alone: %+v", f.rows[1])
	}
	f = list(t, "Company;Website;Code\nA;a.example;4711\n")
	if f.Answered() || f.rows[0].Extra["Code"] != "4711" {
		t.Error("a code of the sender's own was taken for ours")
	}
}

func TestTheTemplateIsReadWithoutAProblem(t *testing.T) {
	for _, sep := range ";,\t|" {
		var b bytes.Buffer
		if err := WriteTemplate(&b, sep); err != nil {
			t.Fatal(err)
		}
		f := list(t, b.String())
		for _, c := range f.Columns() {
			if c.Field == "" {
				t.Errorf("the column %q is not known", c.Name)
			}
		}
		if f.Delimiter() != sep || len(f.rows) != 1 || len(f.rows[0].Problems) > 0 || f.rows[0].Lead[intake.FieldTargetRevenue] == "" {
			t.Errorf("%q: %+v", sep, f.rows)
		}
	}
}

// book makes a workbook.
func book(t testing.TB, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func set(t testing.TB, f *excelize.File, sheet, at string, cells ...any) {
	t.Helper()
	if err := f.SetSheetRow(sheet, at, &cells); err != nil {
		t.Fatal(err)
	}
}

func TestAWorkbookIsReadAsItIsShown(t *testing.T) {
	content := book(t, func(f *excelize.File) {
		for _, n := range []string{"Hidden", "Empty", "Hints", "List"} {
			if _, err := f.NewSheet(n); err != nil {
				t.Fatal(err)
			}
		}
		set(t, f, "Hidden", "A1", "Company", "Website")
		set(t, f, "Hidden", "A2", "Secret", "secret.example")
		if err := errors.Join(f.SetSheetVisible("Hidden", false), f.DeleteSheet("Sheet1")); err != nil {
			t.Fatal(err)
		}
		set(t, f, "Hints", "A1", "Fill in one row for each prospect")
		set(t, f, "List", "B3", "Company", "Phone", "Deal value (EUR)", "Problem", "Close date")
		set(t, f, "List", "B5", "A", 493012345678, 120000.5, "Reports take a whole day")
		set(t, f, "List", "B6", "B", "030", nil, "=1+2 is typed", "x")
		if err := errors.Join(f.SetCellFormula("List", "D6", "2*21"), f.SetCellFormula("List", "D5", "1+1")); err != nil {
			t.Fatal(err)
		}
		set(t, f, "List", "B9", "C")
		set(t, f, "List", "B12", strings.Repeat("x", MaxCell+1))
	})
	f := read(t, "list.xlsx", content)
	if f.err != nil {
		t.Fatal(f.err)
	}
	same(t, "companies", f.companies(), []string{"A", "B", "C", "!" + CodeCellTooLong})
	if f.Name() != "List" || f.rows[0].Number != 5 || f.rows[2].Number != 9 || f.rows[3].Fault.Column != 2 || f.rows[3].Fault.Name != "Company" {
		t.Errorf("%s: %+v", f.Name(), f.rows)
	}
	if got := f.rows[0].Cells[2]; got != "493012345678" {
		t.Errorf("a long number is shown as %q", got)
	}
	if got := f.rows[1].Lead[intake.FieldTargetRevenue]; got != "" {
		t.Errorf("a formula without a stored value was worked out: %q", got)
	}
	if got := f.rows[1].Lead[intake.FieldProblem]; got != "=1+2 is typed" {
		t.Errorf("%q", got)
	}
}

func TestBombsAreRefusedBeforeTheyAreUnpacked(t *testing.T) {
	bomb := func(name string, size int64) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, part := range []string{"xl/workbook.xml", name} {
			w, err := z.Create(part)
			if err != nil {
				t.Fatal(err)
			}
			if part == name {
				_, err = io.CopyN(w, zeroes{}, size)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, content := range map[string][]byte{
		"in a sheet":          bomb("xl/worksheets/sheet1.xml", maxUnpacked+1),
		"in the styles":       bomb("xl/styles.xml", maxAside+1),
		"in a part of no use": bomb("docProps/thumbnail.png", maxAside+1),
	} {
		t.Run(name, func(t *testing.T) {
			if got := code(t, read(t, "list.xlsx", content).err); got != CodeUnpackedLarge {
				t.Error(got)
			}
		})
	}
	t.Run("whose sizes are lies", func(t *testing.T) {
		content := bomb("xl/styles.xml", maxAside+1)
		size := []byte{1, 0, 0, 1} // 16 MiB and a byte, little endian
		if n := bytes.Count(content, size); n == 0 {
			t.Fatal("the size is not found")
		}
		if got := code(t, read(t, "list.xlsx", bytes.ReplaceAll(content, size, []byte{1, 0, 0, 0})).err); got != CodeDamaged {
			t.Error(got)
		}
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestNeutralisedCellsComeBackAsTheyWere(t *testing.T) {
	for _, cell := range []string{
		"=1+1", "+49 30", "-5", "@x", "\tx", "\rx", "\nx", "\x00x", "＝1", "＋1", "－1", "＠x", "'=1", "''=1", "'x", "'", "", "x", "x=1", " =1", "ä", "…", "\uFF0E",
	} {
		n := Neutralise(cell)
		if n != "" && strings.ContainsAny(string([]rune(n)[:1]), "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20") {
			t.Errorf("%q is left %q", cell, n)
		}
		if got := Restore(n); got != cell {
			t.Errorf("%q became %q and came back as %q", cell, n, got)
		}
	}
	for in, want := range map[string]string{"x=1": "x=1", "'x": "'x", "ä": "ä"} {
		if got := Neutralise(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestColumnsHaveTheLettersOfASpreadsheet(t *testing.T) {
	for n, want := range map[int]string{1: "A", 26: "Z", 27: "AA", 52: "AZ", 703: "AAA"} {
		if got := Letters(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

func TestALongListIsReadInLittleMemory(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("Company;Website;Note\n")
	for b.Len() < MaxBytes-4096 {
		b.WriteString("A;a.example;" + strings.Repeat("x", 2048) + "\n")
	}
	s, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()), "list.csv", Options{Extractor: reader})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	held := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := int64(0)
	for {
		_, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s.Counts().Rows == 100 {
			before = held()
		}
	}
	if grown := held() - before; s.Counts().Rows < 4000 || grown > 2<<20 {
		t.Errorf("%d bytes more are held after %d rows", grown, s.Counts().Rows)
	}
}

func TestARegionBesideTheCountryIsAColumnOfTheSenders(t *testing.T) {
	for name, content := range map[string]string{
		"in English":  "Company;Region;Country;Website\nA;EMEA;Austria;a.example\n",
		"in German":   "Firma;Land;Region;Website\nA;Österreich;EMEA;a.example\n",
		"the offices": "Firma;Land;Standort;Website\nA;Österreich;EMEA;a.example\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := list(t, content)
			if len(f.rows) != 1 || f.rows[0].Lead[intake.FieldCountry] != "AT" || len(f.rows[0].Extra) != 1 {
				t.Errorf("%+v, %v", f.rows, f.err)
			}
		})
	}
	f := list(t, "Company;Region;Website\nA;Austria;a.example\n")
	if f.rows[0].Lead[intake.FieldCountry] != "AT" {
		t.Errorf("a region alone: %v", f.rows[0].Lead)
	}
}
