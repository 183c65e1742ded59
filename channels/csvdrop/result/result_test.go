package result

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

var reader = extract.New(identity.Default(), extract.Options{})

func columns(names ...string) []sheet.Column {
	var out []sheet.Column
	for _, n := range names {
		out = append(out, sheet.Column{Name: n})
	}
	return out
}

type answered struct {
	cells  []string
	answer sheet.Answer
}

// write returns a result file.
func write(t interface{ Fatal(...any) }, o Options, rows ...answered) []byte {
	var b bytes.Buffer
	w, err := New(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := w.Write(r.cells, r.answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads it again, as if it were dropped.
func read(t interface{ Fatal(...any) }, content []byte) (*sheet.Sheet, []sheet.Row) {
	s, err := sheet.Open(bytes.NewReader(content), int64(len(content)), "result", sheet.Options{Extractor: reader})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows []sheet.Row
	for {
		row, err := s.Next()
		if err == io.EOF {
			return s, rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func TestTheResultHasTheColumnsAsTheyCameAndTheAnswers(t *testing.T) {
	got := string(write(t, Options{Format: sheet.FormatDelimited, Delimiter: ';', Columns: columns("Firma", "Telefon", "Notiz")},
		answered{[]string{"Müller; Söhne", "+49 30 1234567", "\"neu\""}, sheet.Answer{Case: "LG-2026-373125-G", Result: "registered"}},
		answered{[]string{"A"}, sheet.Answer{Result: "refused", Code: "missing_field", Mend: "=give the stage"}},
	))
	want := "\ufeffFirma;Telefon;Notiz;Case;Result;Status;Code;What to do\n" +
		"\"Müller; Söhne\";'+49 30 1234567;\"\"\"neu\"\"\";LG-2026-373125-G;registered;;;\n" +
		"A;;;;refused;;missing_field;'=give the stage\n"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestARowWithTooManyCellsKeepsTheAnswerInItsColumn(t *testing.T) {
	_, rows := read(t, write(t, Options{Format: sheet.FormatDelimited, Columns: columns("Company", "Website")},
		answered{[]string{"A", "a.example", "x", "y"}, sheet.Answer{Case: "1", Result: "2"}}))
	if rows[0].Answer.Case != "1" || len(rows[0].Cells) != 2 {
		t.Errorf("%+v", rows[0])
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	if _, err := New(io.Discard, Options{Format: "ods"}); err == nil {
		t.Error("no error")
	}
}

// full takes some bytes and no more.
type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAWriterThatFailsIsNoted(t *testing.T) {
	for _, format := range []sheet.Format{sheet.FormatDelimited, sheet.FormatXLSX} {
		for left, rows := range map[int]int{0: 1, 3: 1, 1000: 1000} {
			w, err := New(&full{left}, Options{Format: format, Columns: columns("Company", "Website")})
			for range rows {
				if err == nil {
					err = w.Write([]string{"A", "a.example"}, sheet.Answer{Case: "LG-2026-373125-G"})
				}
			}
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, errFull) {
				t.Errorf("%s, %d bytes: %v", format, left, err)
			}
		}
	}
}

// TestWhatIsWrittenIsReadAgain: a file that was read, answered, and read again has the same
// cells, and the answers, however often.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	nasty := rapid.OneOf(
		rapid.StringOf(rapid.SampledFrom([]rune("'=+-@\t\r\n\x00＝＋－＠ab;,|\" ä'"))),
		rapid.SampledFrom([]string{"=cmd|' /C calc'!A0", "'=1", "''=1", "_x0041_", "_x005F_x0041_", "+49 30", "sep=;", " x ", "\ufeff", "=HYPERLINK(\"x\")", "-", "é"}),
		rapid.String(),
	)
	for _, format := range []sheet.Format{sheet.FormatDelimited, sheet.FormatXLSX} {
		t.Run(string(format), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				sep := rapid.SampledFrom([]rune(";,\t|")).Draw(t, "separator")
				names := append([]string{"Company", "E-mail"}, rapid.SliceOfN(nasty, 0, 3).Draw(t, "names")...)
				names = append(names, "Close date")
				for i, n := range names[2:] {
					// Names that are empty or known would make it another list.
					names[i+2] = n + fmt.Sprint(" ~", i)
				}
				var rows []answered
				for range rapid.IntRange(1, 4).Draw(t, "rows") {
					cells := []string{"Firma " + rapid.StringMatching("[a-z]{1,9}").Draw(t, "company"), "a@firma.example"}
					for range names[2:] {
						cells = append(cells, nasty.Draw(t, "cell"))
					}
					rows = append(rows, answered{cells, sheet.Answer{Case: "LG-2026-373125-G", Result: nasty.Draw(t, "result"), Mend: nasty.Draw(t, "mend")}})
				}
				if format == sheet.FormatXLSX {
					for i := range names {
						names[i] = xml(names[i])
					}
					for i := range rows {
						for j := range rows[i].cells {
							rows[i].cells[j] = xml(rows[i].cells[j])
						}
						rows[i].answer.Result, rows[i].answer.Mend = xml(rows[i].answer.Result), xml(rows[i].answer.Mend)
					}
				}
				o := Options{Format: format, Delimiter: sep, Columns: columns(names...)}
				for range 2 {
					content := write(t, o, rows...)
					s, got := read(t, content)
					if len(got) != len(rows) || format == sheet.FormatDelimited && s.Delimiter() != sep || !s.Answered() {
						t.Fatalf("%d rows of %d, separated by %q, %v\n%q", len(got), len(rows), s.Delimiter(), s.Columns(), content)
					}
					for i, c := range s.Columns() {
						if c.Name != names[i] {
							t.Fatalf("column %q became %q", names[i], c.Name)
						}
					}
					for i := range got {
						if !slices.Equal(got[i].Cells, rows[i].cells) || got[i].Answer != rows[i].answer {
							t.Fatalf("%q %+v\nbecame\n%q %+v", rows[i].cells, rows[i].answer, got[i].Cells, got[i].Answer)
						}
					}
					o = For(s)
				}
			})
		})
	}
}

// xml drops what XML can't hold.
func xml(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, s)
}

func TestNoCellBeginsAsAFormula(t *testing.T) {
	cells := []string{"=1+1", "+1+1", "-1+1", "@SUM(1;2)", "\t=1+1", "\r=1+1", "\n=1+1", "\x00=1", "＝1+1", "＋1", "－1", "＠x", "=cmd|' /C calc'!A0", "=HYPERLINK(\"https://evil.example\";\"x\")"}
	names := []string{"Company"}
	for i := range cells {
		names = append(names, fmt.Sprintf("=Note %d", i))
	}
	row := answered{append([]string{"A"}, cells...), sheet.Answer{Case: "=1", Result: "+1", Code: "-1", Mend: "@x"}}
	for _, format := range []sheet.Format{sheet.FormatDelimited, sheet.FormatXLSX} {
		t.Run(string(format), func(t *testing.T) {
			content := write(t, Options{Format: format, Delimiter: ',', Columns: columns(names...)}, row)
			shown := libreoffice(t, content, string(format))
			if n := strings.Count(shown, "table:formula="); n > 0 {
				t.Errorf("%d cells became formulas: %s", n, regexp.MustCompile(`table:formula="[^"]*"`).FindAllString(shown, 3))
			}
			for _, want := range []string{"&apos;=1+1", "&apos;@SUM(1;2)", "&apos;+1+1", "&apos;＝1+1", "&apos;=cmd|"} {
				if !strings.Contains(shown, want) {
					t.Errorf("%q is not shown as text", want)
				}
			}
		})
	}
	t.Run("which it would without us", func(t *testing.T) {
		if shown := libreoffice(t, []byte("a,b\n=1+1,x\n"), "csv"); !strings.Contains(shown, "table:formula=") {
			t.Error("LibreOffice works out no formula of a CSV file, so the test above shows nothing")
		}
	})
}

// libreoffice opens a file as a person would and returns what it shows as XML.
func libreoffice(t *testing.T, content []byte, ext string) string {
	t.Helper()
	program, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("LibreOffice is not installed (apt-get install --no-install-recommends libreoffice-calc)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "result."+ext)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--headless", "-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--convert-to", "fods", "--outdir", dir}
	if ext == "csv" {
		args = append(args, "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,false,false,false,0,true,false,true")
	}
	out, err := exec.CommandContext(t.Context(), program, append(args, file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	shown, err := os.ReadFile(filepath.Join(dir, "result.fods"))
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(shown)
}

func TestALongResultIsWrittenInLittleMemory(t *testing.T) {
	w, err := New(io.Discard, Options{Format: sheet.FormatDelimited, Columns: columns("Company", "Website", "Problem")})
	if err != nil {
		t.Fatal(err)
	}
	cells := []string{"A", "a.example", strings.Repeat("x", 1000)}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range sheet.MaxRows {
		if err := w.Write(cells, sheet.Answer{Case: "LG-2026-373125-G"}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d bytes are held after %d rows", grown, sheet.MaxRows)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
