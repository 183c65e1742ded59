package ledger

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"leadgate/intake/crm/crmtest"
)

func TestExportCSVReadsBack(t *testing.T) {
	l, ctx := open(t)
	const n = pageSize + 3
	for i := range n {
		push(t, l, crmtest.Sample(i+1, 1))
	}
	var b strings.Builder
	if err := l.Export(ctx, &b, FormatCSV); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != n+1 {
		t.Fatalf("%d rows, want %d", len(rows), n+1)
	}
	got := make(map[string]string)
	for i, name := range rows[0] {
		got[name] = rows[n][i] // the last row is the first case
	}
	for name, want := range map[string]string{
		"case": "LG-2026-000001-X", "status": "in_review", "partner": "northwind", "revision": "1",
		"company_name": "Acme 1 GmbH", "claim_time": "2026-11-23T09:30:00Z", "protection_end": "",
		"contact_phone": "'+49 30 1234567",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestExportJSONReadsBack(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		l, ctx := open(t)
		for i := range n {
			push(t, l, crmtest.Sample(i+1, 1))
		}
		var b strings.Builder
		if err := l.Export(ctx, &b, FormatJSON); err != nil {
			t.Fatal(err)
		}
		var entries []Entry
		if err := json.Unmarshal([]byte(b.String()), &entries); err != nil {
			t.Fatalf("%v in %s", err, b.String())
		}
		if len(entries) != n {
			t.Errorf("%d entries, want %d", len(entries), n)
		}
	}
}

func TestExportRefusesAnUnknownFormat(t *testing.T) {
	l, ctx := open(t)
	if err := l.Export(ctx, &strings.Builder{}, "xlsx"); err == nil {
		t.Error("no error")
	}
}

func TestExportReportsAWriterThatFails(t *testing.T) {
	l, ctx := open(t)
	push(t, l, crmtest.Sample(1, 1))
	for _, f := range Formats() {
		if err := l.Export(ctx, brokenWriter{}, f); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

var errDisk = errors.New("disk full")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errDisk }

func TestFormulasAreMadeInert(t *testing.T) {
	for _, cell := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\x00=1", "\r", "\n", "\ta", "＝1", "＋1", "－1", "＠1",
		"  =1", "\u200b=1", "\ufeff=1", "\u00a0=1", "=", "\t", "−1", "\u202e=1",
	} {
		if got := inert(cell); got != "'"+cell {
			t.Errorf("%q became %q", cell, got)
		}
	}
	for cell, want := range map[string]string{"a;=1": "a;'=1", "\t=1": "'\t'=1", "\r=1": "'\r'=1", "\n=1": "'\n'=1", "a\n- b": "a\n'- b", "a; \u200b+b": "a; \u200b'+b", "a;;@b": "a;;'@b"} {
		if got := inert(cell); got != want {
			t.Errorf("%q became %q, want %q", cell, got, want)
		}
	}
	for _, cell := range []string{"", "Acme", "a=b", "1-2", "'=1", "日本", "#1", " Acme"} {
		if got := inert(cell); got != cell {
			t.Errorf("%q became %q", cell, got)
		}
	}
}

// TestNoCellIsAFormula writes any text and looks at what a spreadsheet finds, whichever
// separator it splits at.
func TestNoCellIsAFormula(t *testing.T) {
	const operators = "=+-@＝＠"
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("=+-@\t\r\n\"',; ＝＠aé\u200b")))
		var b strings.Builder
		w := bufio.NewWriter(&b)
		if err := errors.Join(writeRow(w, []string{"case", text.Draw(rt, "a"), text.Draw(rt, "b")}), w.Flush()); err != nil {
			rt.Fatal(err)
		}
		for _, comma := range []rune{',', ';', '\t'} {
			reader := csv.NewReader(strings.NewReader(b.String()))
			reader.Comma, reader.FieldsPerRecord, reader.LazyQuotes = comma, -1, comma != ','
			rows, err := reader.ReadAll()
			if err != nil {
				rt.Fatalf("separator %q: %v", comma, err)
			}
			for _, cell := range slices.Concat(rows...) {
				bare := strings.TrimLeft(cell, " \t\r\n\u200b")
				if bare != "" && strings.ContainsRune(operators, []rune(bare)[0]) {
					rt.Fatalf("separator %q: the cell %q is a formula", comma, cell)
				}
			}
		}
	})
}
