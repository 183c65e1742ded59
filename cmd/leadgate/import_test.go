package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop"
	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
)

// list is a list of prospects, of the companies first to first+rows-1; every bad-th has an address
// that is none. Some cells look like formulas.
func list(first, rows, bad int) string {
	var b strings.Builder
	b.WriteString("Company,Website,Country,Contact,Role,E-mail,Phone,Problem,Stage,Consent,Our note\n")
	for i := range rows {
		n := first + i
		mail := fmt.Sprintf("jane@c%d.example", n)
		if bad > 0 && i%bad == bad-1 {
			mail = "jane at home"
		}
		note := []string{"", "=1+1", "+SUM(A1)", "-2", "@home", "\"=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\"", "'quoted", "1,5"}[i%8]
		if strings.Contains(note, ",") && !strings.HasPrefix(note, `"`) {
			note = `"` + note + `"`
		}
		fmt.Fprintf(&b, "Firm %s,www.c%d.example,Germany,Jane Doe,CTO,%s,+49 30 %d,They lose a day a week to manual reports.,evaluation,yes,%s\n",
			word(n), n, mail, 1000000+n, note)
	}
	return b.String()
}

// word is one that is not like another.
func word(i int) string {
	const parts = "bcdfghjklmnpqrstvwxz"
	var b strings.Builder
	for n := i*7919 + 104729; n > 0; n /= len(parts) {
		b.WriteByte(parts[n%len(parts)])
		b.WriteByte("aeiou"[n%5])
	}
	return b.String()
}

// told is what `leadgate import --json` prints.
type told struct {
	toldImport
	Results []csvdrop.Answered `json:"results"`
}

// runImport runs `leadgate import` or `imports`, and returns what it printed and its exit status.
func runImport(t *testing.T, args ...string) (told, int) {
	t.Helper()
	out, stderr, err := leadgate(t, append(args, "--json")...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	var res told
	if err := json.Unmarshal([]byte(out), &res); err != nil {
		t.Fatalf("leadgate %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr)
	}
	return res, status
}

// check holds the results of rows to the counts.
func (r told) check(t *testing.T, want intake.ImportCounts) {
	t.Helper()
	if r.ImportCounts != want {
		t.Errorf("counts %+v, want %+v", r.ImportCounts, want)
	}
	var n intake.ImportCounts
	for i, a := range r.Results {
		if a.Row != i+2 {
			t.Fatalf("result %d is of row %d", i, a.Row)
		}
		n.Rows++
		switch intake.RowResult(a.Result) {
		case intake.RowAccepted:
			n.Accepted++
		case intake.RowUnchanged:
			n.Unchanged++
			n.Merged++
		case intake.RowMerged, intake.RowAmended:
			n.Merged++
		case intake.RowNeedsInfo:
			n.NeedsInfo++
		case intake.RowRejected:
			n.Rejected++
		}
		if rejected := a.Result == string(intake.RowRejected); rejected != (a.Case == "") || rejected && (a.Code == "" || len(a.Problems) == 0) {
			t.Errorf("row %d: %+v", a.Row, a)
		}
	}
	if n != want {
		t.Errorf("the rows come to %+v, want %+v", n, want)
	}
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// office is LibreOffice without a window.
type office struct{ profile string }

// startOffice skips a test where there is none; see mailserver.Require.
func startOffice(t *testing.T) *office {
	t.Helper()
	if testing.Short() {
		t.Skip("LibreOffice is left out with -short")
	}
	if _, err := exec.LookPath("soffice"); err != nil {
		const why = "soffice is not installed (apt-get install libreoffice-calc-nogui)"
		if os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return &office{t.TempDir()}
}

// utf8 is how LibreOffice reads and writes CSV: comma, quotes, UTF-8, from the first line, as it does
// if nobody changes what the window shows; formulas are formulas.
const utf8 = "Text - txt - csv (StarCalc):44,34,76,1"

// save opens a file and saves it in another format: csv, xlsx or fods. It returns the new one.
func (o *office) save(t *testing.T, file, format string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-env:UserInstallation=file://" + o.profile, "--headless"}
	if filepath.Ext(file) == ".csv" {
		args = append(args, "--infilter="+utf8)
	}
	to := format
	if format == "csv" {
		to = "csv:" + utf8
	}
	cmd := exec.CommandContext(t.Context(), "soffice", append(args, "--convert-to", to, "--outdir", dir, file)...)
	out, err := cmd.CombinedOutput()
	saved := filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))+"."+format)
	if _, gone := os.Stat(saved); err != nil || gone != nil {
		t.Fatalf("LibreOffice: %v %v\n%s", err, gone, out)
	}
	return saved
}

// formulas returns how many cells of a file are formulas, as LibreOffice reads it.
func (o *office) formulas(t *testing.T, file string) int {
	t.Helper()
	return strings.Count(readFile(t, o.save(t, file, "fods")), "table:formula=")
}

func TestOfAListTheGoodRowsBecomeCasesAndTheCorrectedResultTheOthers(t *testing.T) {
	o := startOffice(t)
	const rows, bad = 1000, 33
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for n, format := range []string{"csv", "xlsx"} {
		partner := []string{"brightpath", "kestrel-it"}[n]
		dir := t.TempDir()
		as := func(file string) string { // a CSV file in the format
			if format == "csv" {
				return file
			}
			return o.save(t, file, format)
		}
		first := writeFile(t, filepath.Join(dir, "leads.csv"), list(n*rows, rows, bad))
		if n := o.formulas(t, first); n == 0 {
			t.Fatal("the list holds no formulas: the test proves little")
		}
		if format == "xlsx" {
			// As people type it: text that is no formula.
			first = writeFile(t, first, strings.NewReplacer("=1+1", "1+1", "+SUM(A1)", "SUM(A1)", `"=HYPERLINK`, `"HYPERLINK`).Replace(readFile(t, first)))
		}
		file := as(first)
		dry, status := runImport(t, "import", file, "--partner", partner, "--dir", p.dir, "--dry-run")
		if status != 2 || dry.ImportCounts.Accepted != 970 || dry.ImportCounts.Rejected != 30 || len(dry.Results) != rows || !dry.DryRun ||
			len(dry.Faults) != 30 || dry.Faults[0].Row != 34 || dry.Faults[0].Name != "E-mail" || dry.Faults[0].Mend == "" {
			t.Errorf("%s: dry run: status %d, %+v", format, status, dry.toldImport)
		}
		result := filepath.Join(dir, "result."+format)
		res, status := runImport(t, "import", file, "--partner", partner+".example", "--dir", p.dir, "--result", result)
		if status != 2 {
			t.Errorf("%s: exit status %d, want 2", format, status)
		}
		res.check(t, intake.ImportCounts{Rows: rows, Accepted: 970, Rejected: 30})
		if n := o.formulas(t, result); n != 0 {
			t.Errorf("%s: %d cells of the result are formulas", format, n)
		}

		plain := result
		if format == "xlsx" {
			plain = o.save(t, result, "csv")
		}
		text := readFile(t, plain)
		if n := strings.Count(text, "jane at home"); n < 30 {
			t.Fatalf("%s: %d rows to correct:\n%.500s", format, n, text)
		}
		corrected := as(writeFile(t, filepath.Join(dir, "corrected.csv"), correct(t, text)))
		whole := filepath.Join(dir, "whole."+format)
		res, status = runImport(t, "import", corrected, "--partner", partner, "--dir", p.dir, "--result", whole)
		if status != 0 {
			t.Errorf("%s: exit status %d, want 0", format, status)
		}
		res.check(t, intake.ImportCounts{Rows: rows, Accepted: 30, Merged: 970, Unchanged: 970})

		// Opened and saved by a spreadsheet, in either format, it changes nothing.
		for _, to := range []string{"csv", "xlsx"} {
			saved := o.save(t, whole, to)
			res, status = runImport(t, "import", saved, "--partner", partner, "--dir", p.dir)
			if status != 0 {
				t.Errorf("%s saved as %s: exit status %d, want 0", format, to, status)
			}
			res.check(t, intake.ImportCounts{Rows: rows, Merged: rows, Unchanged: rows})
			if n := o.formulas(t, saved); n != 0 {
				t.Errorf("%s saved as %s: %d cells are formulas", format, to, n)
			}
		}
	}
	seen := make(map[string]string)
	for _, c := range settled(t, p.client(t), 2*time.Minute) {
		if other := seen[c.CompanyDomain]; other != "" {
			t.Errorf("%s has the cases %s and %s", c.CompanyDomain, other, c.CaseNumber)
		}
		seen[c.CompanyDomain] = c.CaseNumber
	}
	if len(seen) != 2*rows {
		t.Errorf("%d companies have a case, want %d", len(seen), 2*rows)
	}
}

// correct puts addresses into the rows of a result that have none.
func correct(t *testing.T, text string) string {
	t.Helper()
	text = strings.TrimPrefix(text, "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if row[5] == "jane at home" {
			row[5] = "jane@" + strings.TrimPrefix(row[1], "www.")
		}
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnImportIsSeenCancelledAndResumedOnTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "leads.csv"), list(0, 3, 3))
	p := startDemo(t, binaryPath(t), filepath.Join(dir, "demo"))
	fails := func(want string, args ...string) {
		t.Helper()
		out, stderr, err := leadgate(t, append(args, "--dir", p.dir)...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(stderr, want) {
			t.Errorf("leadgate %s: %v, %q, want %q", strings.Join(args, " "), err, out+stderr, want)
		}
	}
	fails(`no partner has the id, code or domain "nobody"`, "import", file, "--partner", "nobody")
	fails("eve@kestrel-it.example is nobody of brightpath", "import", file, "--partner", "brightpath", "--reply-to", "eve@kestrel-it.example")
	fails(`there is no import "none"`, "imports", "show", "none")
	fails(`there is no import "none"`, "imports", "result", "none")
	fails("want one of [csv xlsx]", "import", file, "--partner", "brightpath", "--result", "x", "--format", "pdf")
	fails("no such file", "import", filepath.Join(dir, "gone.csv"), "--partner", "brightpath")
	fails("this is a PDF", "import", writeFile(t, filepath.Join(dir, "leads.pdf"), "%PDF-1.4"), "--partner", "brightpath")
	fails("more than 10 MiB", "import", writeFile(t, filepath.Join(dir, "large.csv"), strings.Repeat("Company,Website\n", 1<<20)), "--partner", "brightpath")

	out, _, err := leadgate(t, "import", file, "--partner", "brightpath", "--dir", p.dir)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Errorf("exit %v", err)
	}
	for _, want := range []string{"leads.csv of brightpath: done", "3 rows: 2 accepted, 0 merged, 0 with a question, 1 rejected", "row 4, column F (E-mail): ", "result: leadgate imports result "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	im, _ := runImport(t, "import", file, "--partner", "brightpath", "--dir", p.dir)
	fails("is done already", "imports", "cancel", im.ID)
	shown, _ := runImport(t, "imports", "show", im.ID, "--dir", p.dir)
	shown.check(t, intake.ImportCounts{Rows: 3, Accepted: 2, Rejected: 1})
	if out, _, err := leadgate(t, "imports", "list", "--partner", "Brightpath", "--state", "done", "--dir", p.dir); err != nil || !strings.Contains(out, im.ID+"  done   brightpath  leads.csv  3     2") {
		t.Errorf("%v\n%s", err, out)
	}
	result := filepath.Join(dir, "result.xlsx")
	if _, stderr, err := leadgate(t, "imports", "result", im.ID, "-o", result, "--dir", p.dir); err != nil || !strings.HasPrefix(readFile(t, result), "PK") {
		t.Errorf("%v\n%s", err, stderr)
	}
	p.stop(t)

	// Without a running gateway it is the same.
	if out, stderr, err := leadgate(t, "imports", "result", im.ID, "--dir", p.dir); err != nil || strings.Count(out, "\n") != 4 {
		t.Errorf("%v\n%s%s", err, out, stderr)
	}
	res, status := runImport(t, "import", writeFile(t, filepath.Join(dir, "more.csv"), list(3, 250, 0)), "--partner", "kestrel-it", "--dir", p.dir)
	if res.check(t, intake.ImportCounts{Rows: 250, Accepted: 250}); status != 0 {
		t.Errorf("exit status %d", status)
	}
	cmd := exec.Command(binaryPath(t), "import", "-", "--partner", "alder-systems", "--dir", p.dir, "--dry-run")
	cmd.Stdin = strings.NewReader(list(0, 5, 0))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "dry run, nothing was taken in\n") || !strings.Contains(string(out), "5 rows: 5 accepted") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, _, err := leadgate(t, "imports", "list", "--partner", "alder-systems", "--dir", p.dir); err != nil || out != "no imports\n" {
		t.Errorf("a dry run left something: %v\n%s", err, out)
	}
}

// TestCtrlCLeavesAnImportToGoOn interrupts a command that works by itself, in the middle.
func TestCtrlCLeavesAnImportToGoOn(t *testing.T) {
	const rows = 20_000
	dir := t.TempDir()
	p := startDemo(t, binaryPath(t), filepath.Join(dir, "demo"))
	p.stop(t)
	file := writeFile(t, filepath.Join(dir, "leads.csv"), list(0, rows, 0))
	cmd := exec.Command(binaryPath(t), "import", file, "--partner", "brightpath", "--dir", p.dir)
	stderr := new(output)
	cmd.Stderr, cmd.Stdout = stderr, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(p.dir, "leadgate.db")
	size := func() int64 {
		info, err := os.Stat(store)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	began := size()
	eventually(t, time.Minute, "rows are taken in", func() bool { return size() > began+4<<20 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(stderr.String(), "goes on with import") {
		t.Fatalf("%v: %s", err, stderr)
	}
	all, _, err := leadgate(t, "imports", "list", "--json", "--dir", p.dir)
	if err != nil {
		t.Fatal(err)
	}
	var imports []intake.Import
	if err := json.Unmarshal([]byte(all), &imports); err != nil || len(imports) != 1 || imports[0].State != intake.ImportRunning || imports[0].Counts.Rows == 0 || imports[0].Counts.Rows == rows {
		t.Fatalf("%v %+v", err, imports)
	}
	p = startDemo(t, binaryPath(t), p.dir)
	defer p.stop(t)
	c := p.client(t)
	eventually(t, time.Minute, "the gateway has gone on", func() bool { return isOver(t, c, imports[0].ID) })
	if im, err := c.Import(t.Context(), imports[0].ID); err != nil || im.Counts.Accepted != rows {
		t.Errorf("%+v %v", im.Counts, err)
	}
}

func isOver(t *testing.T, c *admin.Client, id string) bool {
	t.Helper()
	im, err := c.Import(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return im.State != intake.ImportRunning
}

func TestTheProgressOfAnImportIsABarOnATerminalAndLinesElsewhere(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	show := func(terminal bool) string {
		var b bytes.Buffer
		p := &progress{w: &b, terminal: terminal, noun: "rows", now: func() time.Time { return at }}
		for i := range 5 {
			at = at.Add(2 * time.Second)
			p.show(100+100*i, 1000)
		}
		p.end()
		return b.String()
	}
	bar := show(true)
	if !strings.Contains(bar, "\r[###---------------------------]  10%  100 of 1000 rows\x1b[K") ||
		!strings.Contains(bar, "\r[###############---------------]  50%  500 of 1000 rows, 50 a second, 10s left\x1b[K") || !strings.HasSuffix(bar, "\r\x1b[K") {
		t.Errorf("%q", bar)
	}
	if lines := show(false); lines != "400 of 1000 rows, 50 a second, 12s left\n" {
		t.Errorf("%q", lines)
	}
}

// TestAnImportGoesOnInAGatewayThatIsKilledAgainAndAgain kills the gateway in the middle of one.
func TestAnImportGoesOnInAGatewayThatIsKilledAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the gateway 50 times; make test runs it")
	}
	const kills, rows, bad = 50, 16000, 100
	bin, dir := binaryPath(t), t.TempDir()
	file := writeFile(t, filepath.Join(t.TempDir(), "leads.csv"), list(0, rows, bad))
	p := startDemo(t, bin, dir)
	started, err := p.client(t).StartImport(t.Context(), admin.NewImport{Partner: "brightpath", Name: "leads.csv", By: "mia"}, []byte(readFile(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	id, moved, last := started.ID, 0, 0
	for n := range kills {
		if n > 0 {
			p = startDemo(t, bin, dir)
		}
		c := p.client(t)
		im, err := c.Import(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 { // at once, or once some more rows are in
			eventually(t, time.Minute, "rows are taken in", func() bool {
				if im, err = c.Import(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				return im.Counts.Rows > last || im.State != intake.ImportRunning
			})
		}
		if im.State != intake.ImportRunning {
			t.Fatalf("the import is %s before kill %d: the test proves little; give it more rows", im.State, n+1)
		}
		if im.Counts.Rows < last {
			t.Errorf("%d rows were taken in, now it is %d", last, im.Counts.Rows)
		}
		if im.Counts.Rows > last {
			moved++
		}
		last = im.Counts.Rows
		time.AfterFunc(time.Duration(rand.IntN(40))*time.Millisecond, func() { p.cmd.Process.Kill() })
		<-p.drained
		p.cmd.Wait()
	}
	t.Logf("killed %d times behind up to %d of %d rows; it had gone on in %d of these lives", kills, last, rows, moved)
	p = startDemo(t, bin, dir)
	defer p.stop(t)
	c := p.client(t)
	eventually(t, 2*time.Minute, "the import is over", func() bool { return isOver(t, c, id) })
	res, _ := runImport(t, "imports", "show", id, "--dir", dir)
	res.check(t, intake.ImportCounts{Rows: rows, Accepted: rows - rows/bad, Rejected: rows / bad})
	if len(res.Results) != rows {
		t.Errorf("%d results", len(res.Results))
	}
	numbers := make(map[string]int)
	for _, a := range res.Results {
		if a.Case != "" {
			if other := numbers[a.Case]; other != 0 {
				t.Errorf("rows %d and %d have case %s", other, a.Row, a.Case)
			}
			numbers[a.Case] = a.Row
		}
	}
	cases, err := c.Cases(t.Context(), intake.CaseQuery{})
	if err != nil {
		t.Fatal(err)
	}
	domains := make(map[string]bool)
	for _, s := range cases {
		row := numbers[s.CaseNumber]
		if row == 0 || s.CompanyDomain != fmt.Sprintf("c%d.example", row-2) || domains[s.CompanyDomain] {
			t.Errorf("case %s about %s is of row %d", s.CaseNumber, s.CompanyDomain, row)
		}
		domains[s.CompanyDomain] = true
	}
	if len(cases) != rows-rows/bad {
		t.Errorf("%d cases of %d good rows", len(cases), rows-rows/bad)
	}
	var result bytes.Buffer
	if err := c.ImportResult(t.Context(), id, "csv", &result); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(result.String(), "\ufeff"))).ReadAll()
	if err != nil || len(lines) != rows+1 {
		t.Fatalf("the result has %d lines: %v", len(lines), err)
	}
	for i, line := range lines[1:] {
		if number := line[11]; number != res.Results[i].Case || line[1] != fmt.Sprintf("www.c%d.example", i) {
			t.Errorf("line %d of the result is %q, want case %q", i+2, line, res.Results[i].Case)
		}
	}
	report, err := c.Audit(t.Context())
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("audit: %v %v", err, report.Faults)
	}
}

// TestWhatTheReadmeShowsOfListsIsTrue runs its commands. What it leaves out (…) may be anything.
func TestWhatTheReadmeShowsOfListsIsTrue(t *testing.T) {
	_, section, found := strings.Cut(readFile(t, "../../README.md"), "\n## Lists\n")
	_, block, shown := strings.Cut(section, "```console\n")
	block, _, ended := strings.Cut(block, "```")
	if !found || !shown || !ended {
		t.Fatal("the README has no transcript of lists")
	}
	dir := t.TempDir()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"bin/leadgate": binaryPath(t), "examples": examples} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p := startDemo(t, binaryPath(t), filepath.Join(dir, "leadgate-demo"))
	defer p.stop(t)
	commands := strings.Split(block, "$ ")[1:]
	for _, c := range commands {
		command, want, _ := strings.Cut(c, "\n")
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir = dir
		out, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(string(out), "http://127.0.0.1:0/", "http://127.0.0.1:8080/") // the demo's port is any
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", `\S+`)
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
			t.Errorf("$ %s\n%s\nthe README shows\n%s", command, got, want)
		}
	}
	if len(commands) != 4 {
		t.Errorf("%d commands", len(commands))
	}
}

// TestAWatchedFolderGoesOnInAGatewayThatIsKilled lays lists into the folder of a gateway that is
// killed again and again.
func TestAWatchedFolderGoesOnInAGatewayThatIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the gateway many times; make test runs it")
	}
	const kills, lists, rows = 12, 4, 300
	dir := t.TempDir()
	config := writeFile(t, filepath.Join(dir, "leadgate.yaml"), `
program: Vendor
data: state
admin: {listen: "127.0.0.1:0"}
policy: {mode: auto, required: short, timezone: Europe/Brussels, contact: {name: Mia Lund, email: mia@vendor.example}}
mailboxes:
  - {name: partners, address: partners@vendor.example, outbox: outbox, direct: {listen: "127.0.0.1:0"}, sender_proof: {mode: trusted-networks, trusted_networks: [127.0.0.0/8]}}
lists: {folder: {path: sftp, every: 1s, settle: 1s}}
`)
	partners := writeFile(t, filepath.Join(dir, "partners.csv"), "id,code,name,domains,contacts\nbrightpath,BRIGHT1,Brightpath,brightpath.example,Ana Silva <ana@brightpath.example>\n")
	if out, stderr, err := leadgate(t, "partners", "import", partners, "--config", config); err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr)
	}
	own := filepath.Join(dir, "sftp", "bright1")
	if err := os.MkdirAll(own, 0o770); err != nil {
		t.Fatal(err)
	}
	for i := range lists {
		writeFile(t, filepath.Join(own, fmt.Sprintf("list-%d.csv.part", i)), list(i*rows, rows, 0))
		at := filepath.Join(own, fmt.Sprintf("list-%d.csv", i))
		if err := os.Rename(at+".part", at); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "state", app.SocketFile)
	serve := func() (*exec.Cmd, *output) {
		t.Helper()
		log := new(output)
		cmd := exec.Command(binaryPath(t), "serve", "--config", config)
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 20*time.Second, "the gateway runs", func() bool { _, err := admin.Dial(socket); return err == nil })
		return cmd, log
	}
	for range kills {
		cmd, _ := serve()
		time.AfterFunc(time.Duration(rand.IntN(1800))*time.Millisecond, func() { cmd.Process.Kill() })
		cmd.Wait()
	}
	cmd, log := serve()
	results := func() []string {
		found, err := filepath.Glob(filepath.Join(own, "done", "list-*.csv.result.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	defer func() {
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log)
		}
	}()
	eventually(t, time.Minute, "all results are there", func() bool { return len(results()) == lists })
	c, err := admin.Dial(socket)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	cases, err := c.Cases(t.Context(), intake.CaseQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range cases {
		if seen[s.CompanyDomain] || s.Partner != "brightpath" {
			t.Errorf("%s has two cases, or is not brightpath's: %+v", s.CompanyDomain, s)
		}
		seen[s.CompanyDomain] = true
	}
	if len(cases) != lists*rows {
		t.Errorf("%d cases of %d rows", len(cases), lists*rows)
	}
	for _, file := range results() {
		text := readFile(t, file)
		if n := strings.Count(text, ",LG-"); n != rows || strings.Count(text, ",accepted,\"Approved") != rows {
			t.Errorf("%s tells of %d cases:\n%.400s", file, n, text)
		}
		if readFile(t, strings.TrimSuffix(file, ".result.csv")) == "" {
			t.Errorf("%s: its list is not beside it", file)
		}
	}
	for _, d := range []string{"done", "taken", "failed"} {
		entries, err := os.ReadDir(filepath.Join(own, d))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int{"done": 2 * lists}[d]; len(entries) != want {
			t.Errorf("%s holds %v", d, entries)
		}
	}
	mails, err := filepath.Glob(filepath.Join(dir, "outbox", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	summaries := 0
	for _, m := range mails {
		if strings.Contains(readFile(t, m), "To: <ana@brightpath.example>") {
			summaries++
		}
	}
	if summaries != lists {
		t.Errorf("%d mails to the partner about %d lists", summaries, lists)
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestAListThatWasErasedIsListedAsSuch(t *testing.T) {
	var b strings.Builder
	if err := printImports(&b, []intake.Import{{ID: "1", Erased: time.Now()}, {ID: "2"}}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(b.String(), "\n"); !strings.Contains(lines[1], "(erased)") || strings.Contains(lines[2], "(erased)") {
		t.Error(b.String())
	}
}
