package mailbox

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/xuri/excelize/v2"

	"leadgate/channels/channeltest/mailserver"
	"leadgate/channels/csvdrop"
	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/templates"
)

// withLists has an office take in lists; it returns what is to be called at the end.
func (o *office) withLists() {
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		o.t.Fatal(err)
	}
	drop := csvdrop.New(csvdrop.Deps{Gateway: o.gateway, Extractor: o.m.deps.Extractor, Words: words, TempDir: o.t.TempDir()})
	o.m.deps.Lists = struct {
		*csvdrop.Drop
		*intake.Gateway
	}{drop, o.gateway}
	o.t.Cleanup(drop.Close)
}

// listOf is a list of n companies, in the columns of a mailbox's policy. Every bad-th row says too
// little of the problem, unless it is 0.
func listOf(n, bad int) [][]string {
	rows := [][]string{{"Company", "Website", "Country", "Contact", "Role", "E-mail", "Problem", "Stage", "Consent"}}
	for i := range n {
		problem := "They lose a day a week to manual reports."
		if bad > 0 && i%bad == bad-1 {
			problem = "all slow"
		}
		rows = append(rows, []string{
			"Firm " + letters(i), fmt.Sprintf("www.c%d.example", i), "Germany", "Jane Doe", "CTO", fmt.Sprintf("jane@c%d.example", i),
			problem, "evaluation", "yes",
		})
	}
	return rows
}

// letters is a name that is not like another.
func letters(i int) string {
	const parts = "bcdfghjklmnpqrstvwxz"
	var b strings.Builder
	for n := i*7919 + 104729; n > 0; n /= len(parts) {
		b.WriteByte(parts[n%len(parts)])
		b.WriteByte("aeiou"[n%5])
	}
	return b.String()
}

func csvOf(rows [][]string) []byte {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	return []byte(b.String())
}

func xlsxOf(t *testing.T, rows [][]string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err == nil {
			err = f.SetSheetRow("Sheet1", at, &row)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attachedFile is a file that a mail brings.
type attachedFile struct {
	name    string
	content []byte
}

// mailWith is a mail of the office's partner with files.
func mailWith(n int, header, text string, files ...attachedFile) string {
	var b strings.Builder
	b.WriteString("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: text/plain; charset=utf-8\n\n" + text + "\n")
	for _, f := range files {
		fmt.Fprintf(&b, "--bb\nContent-Type: application/octet-stream; name=%q\nContent-Disposition: attachment; filename=%q\nContent-Transfer-Encoding: base64\n\n", f.name, f.name)
		for chunk := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(f.content)), 76) {
			b.Write(append(chunk, '\n'))
		}
	}
	b.WriteString("--bb--\n")
	return fmt.Sprintf("From: Ana Alpha <ana@alpha.example>\nTo: %s\nMessage-ID: <%d@alpha.example>\n%sSubject: Our leads\n%s", testAddress, n, header, b.String())
}

// enclosed returns the one file of an answer.
func enclosed(t *testing.T, o outgoing) attachedFile {
	t.Helper()
	p := parsed(t, string(o.data))
	if len(p.Attachments) != 1 {
		t.Fatalf("%d attachments:\n%s", len(p.Attachments), p.Text)
	}
	return attachedFile{p.Attachments[0].Name, p.Attachments[0].Content}
}

// count counts cases.
func (o *office) count() int {
	o.t.Helper()
	return len(o.cases())
}

func (o *office) imports() []intake.Import {
	o.t.Helper()
	all, _, err := o.gateway.Imports(o.t.Context(), intake.ImportQuery{Limit: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

func (o *office) asides() []intake.Aside {
	o.t.Helper()
	all, err := o.gateway.Asides(o.t.Context(), intake.AsideQuery{Limit: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

func TestAListIsTakenInAndItsResultComesBackCorrected(t *testing.T) {
	for _, format := range []string{"csv", "xlsx"} {
		t.Run(format, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, testAddress, "alpha.example")
				o.withLists()
				rows := listOf(60, 20)
				content := csvOf(rows)
				if format == "xlsx" {
					content = xlsxOf(t, rows)
				}
				mail := mailWith(1, "", "Hello,\n\nhere is our list.\n\nBest regards\nAna", attachedFile{"leads." + format, content})
				o.deliver(mail)
				sent, answer := o.answer()
				for _, words := range []string{"leads." + format + ": 60 rows", "* 57 registered", "* 3 not registered", "is attached", "and send it back in reply"} {
					if !strings.Contains(answer.Text, words) {
						t.Errorf("the summary does not say %q:\n%s", words, answer.Text)
					}
				}
				if sent.to != "ana@alpha.example" || !slices.Contains(answer.References, "1@alpha.example") || answer.Subject != "Re: Our leads" {
					t.Errorf("the summary went to %s, in %v as %q", sent.to, answer.References, answer.Subject)
				}
				if o.count() != 57 || len(o.asides()) != 0 {
					t.Errorf("%d cases, %d aside", o.count(), len(o.asides()))
				}
				file := enclosed(t, sent)
				if file.name != "leads-result."+format {
					t.Errorf("the file is called %q", file.name)
				}
				var corrected []byte
				if format == "csv" {
					if n := bytes.Count(file.content, []byte(",all slow,")); n != 3 {
						t.Fatalf("%d bad rows in the result", n)
					}
					corrected = bytes.ReplaceAll(file.content, []byte(",all slow,"), []byte(",They lose a day a week to manual reports.,"))
				} else {
					f, err := excelize.OpenReader(bytes.NewReader(file.content))
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					for _, row := range []int{21, 41, 61} {
						if err := f.SetCellValue("Result", fmt.Sprintf("G%d", row), "They lose a day a week to manual reports."); err != nil {
							t.Fatal(err)
						}
					}
					b, err := f.WriteToBuffer()
					if err != nil {
						t.Fatal(err)
					}
					corrected = b.Bytes()
				}
				o.deliver(mailWith(2, "In-Reply-To: <"+answer.MessageID+">\n", "Corrected.", attachedFile{file.name, corrected}))
				again, answer := o.answer()
				for _, words := range []string{"60 rows", "* 3 registered", "* 57 known already and unchanged"} {
					if !strings.Contains(answer.Text, words) {
						t.Errorf("the second summary does not say %q:\n%s", words, answer.Text)
					}
				}
				if strings.Contains(answer.Text, "Correct") || o.count() != 60 || len(o.imports()) != 2 {
					t.Errorf("%d cases of %d lists:\n%s", o.count(), len(o.imports()), answer.Text)
				}
				o.deliver(mailWith(3, "", "", enclosed(t, again))) // as it came
				if _, answer = o.answer(); !strings.Contains(answer.Text, "Nothing has changed: all 60 rows") || o.count() != 60 {
					t.Errorf("%d cases:\n%s", o.count(), answer.Text)
				}
			})
		})
	}
}

func TestWhatAMailWithAListComesTo(t *testing.T) {
	long := attachedFile{"leads.csv", csvOf(listOf(51, 0))}
	book := func(t *testing.T) attachedFile { return attachedFile{"leads.xlsx", xlsxOf(t, listOf(2, 0))} }
	for name, tt := range map[string]struct {
		text    string
		files   []attachedFile
		book    bool // a workbook of two rows comes as well
		locale  string
		cases   int
		imports int
		asides  int
		says    []string // one answer each holds it
	}{
		"a table of a few rows is a conversation":              {"Hello", []attachedFile{{"leads.csv", csvOf(listOf(3, 0))}}, false, "", 3, 0, 0, []string{"3 registrations of yours"}},
		"a long table is a list":                               {"Hello", []attachedFile{long}, false, "", 51, 1, 0, []string{"51 rows"}},
		"two tables are a list together":                       {"", []attachedFile{{"a.csv", csvOf(listOf(30, 0))}, {"b.csv", csvOf(append(listOf(0, 0), listOf(60, 0)[31:]...))}}, false, "", 60, 2, 0, []string{"a.csv: 30 rows", "b.csv: 30 rows"}},
		"a short workbook is a list":                           {"", nil, true, "", 2, 1, 0, []string{"leads.xlsx: 2 rows"}},
		"the same file twice in a mail is one":                 {"", []attachedFile{long, {"copy.csv", long.content}}, false, "", 51, 1, 0, []string{"51 rows"}},
		"a registration beside a list":                         {wholeLead, nil, true, "", 3, 1, 0, []string{"leads.xlsx: 2 rows", "acme.example"}},
		"a company in the covering letter is no registration":  {"Hi, these are our leads from the Acme webinar.", nil, true, "", 2, 1, 0, []string{"2 rows"}},
		"a command beside a list":                              {"HELP", nil, true, "", 2, 1, 0, []string{"2 rows", "This address registers leads"}},
		"a question beside a list is for staff":                {"Could you call me about the second row?", nil, true, "", 2, 1, 1, []string{"2 rows"}},
		"another format is told what to do":                    {"", []attachedFile{{"leads.pages.numbers", []byte("nothing that we know \x00\x01\x02\x03\x04")}}, false, "", 0, 0, 0, []string{"We could not read your file leads.pages.numbers"}},
		"a table without rows":                                 {"", []attachedFile{{"leads.csv", []byte("Company,Website,Country\n")}}, false, "", 0, 0, 0, []string{"no rows below"}},
		"a workbook without rows":                              {"", []attachedFile{{"leads.xlsx", xlsxOf(t, listOf(0, 0))}}, false, "de", 0, 0, 0, []string{"stehen keine Zeilen"}},
		"a list without names of columns, to a German":         {"", []attachedFile{{"leads.csv", []byte(strings.Repeat("a,b,c\n", 60))}}, false, "de", 0, 0, 0, []string{"Keine der ersten Zeilen nennt Spalten"}},
		"a workbook that is no list beside a registration":     {wholeLead, []attachedFile{{"quote.xlsx", []byte("PK\x03\x04 nothing")}}, false, "", 1, 0, 0, []string{"acme.example"}},
		"a file that is too large":                             {"", []attachedFile{{"leads.csv", bytes.Repeat([]byte("x"), mailparse.MaxTable+1)}}, false, "", 0, 0, 0, []string{"more than 10 MiB"}},
		"a workbook that can't be read does not stop the list": {"", []attachedFile{long, {"notes.xlsx", []byte("PK\x03\x04 nothing")}}, false, "", 51, 1, 0, []string{"51 rows", "We could not read your file notes.xlsx"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, testAddress, "alpha.example")
				o.withLists()
				if tt.locale != "" {
					p, err := o.gateway.Partner(t.Context(), "alpha")
					if err != nil {
						t.Fatal(err)
					}
					p.Locale = tt.locale
					if err := o.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
						t.Fatal(err)
					}
				}
				files := tt.files
				if tt.book {
					files = append(slices.Clone(files), book(t))
				}
				o.deliver(mailWith(1, "", tt.text, files...))
				sent := o.unread()
				var all strings.Builder
				for _, s := range sent {
					all.WriteString(parsed(t, string(s.data)).Text)
				}
				for _, words := range tt.says {
					if !strings.Contains(all.String(), words) {
						t.Errorf("no answer says %q:\n%s", words, &all)
					}
				}
				if len(sent) != len(tt.says) || o.count() != tt.cases || len(o.imports()) != tt.imports || len(o.asides()) != tt.asides {
					t.Errorf("%d answers, %d cases, %d imports, %d aside\n%s", len(sent), o.count(), len(o.imports()), len(o.asides()), &all)
				}
			})
		})
	}
}

// TestARedeliveryDoesNothingTwice has the process killed wherever it can be between the list and
// the acknowledgement of its mail.
func TestARedeliveryDoesNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.withLists()
		list := attachedFile{"leads.csv", csvOf(listOf(60, 30))}
		whole := o.m.deps.Lists
		for i, stop := range []string{"Offer", "Start", "TellImport"} {
			o.m.deps.Lists = stopping{whole, stop}
			d := delivery{key: "test:1", receivedAt: time.Now(), content: strings.NewReader(mailWith(1, "", wholeLead, list))}
			if _, err := o.m.take(t.Context(), o.gateway, d); err == nil {
				t.Fatalf("%d: it was acknowledged", i)
			}
		}
		o.m.deps.Lists = whole
		o.deliver(mailWith(1, "", wholeLead, list))
		o.deliver(mailWith(1, "", wholeLead, list)) // under another key
		if sent := o.unread(); len(sent) != 2 || o.count() != 59 || len(o.imports()) != 1 {
			t.Errorf("%d answers, %d cases, %d imports", len(sent), o.count(), len(o.imports()))
		}
		o.deliver(mailWith(2, "", "", list))
		sent, answer := o.answer()
		if !strings.Contains(answer.Text, "You had sent us your file leads.csv before.") || !slices.Contains(answer.References, "2@alpha.example") || o.count() != 59 {
			t.Errorf("%d cases, in %v:\n%s", o.count(), answer.References, answer.Text)
		}
		enclosed(t, sent)
		o.deliver(mailWith(2, "", "", list))
		if sent := o.unread(); len(sent) != 0 {
			t.Errorf("%d answers to a redelivery", len(sent))
		}
	})
}

func TestAListOfWhoIsNotProvenIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.withLists()
		o.m.proof = strict(t)
		for n := range 3 {
			o.deliver(mailWith(n, "", "Hello", attachedFile{"leads.xlsx", xlsxOf(t, listOf(2+n, 0))}))
		}
		_, answer := o.answer() // once a week
		if !strings.Contains(answer.Text, "could not verify") || len(o.imports()) != 0 || o.count() != 0 || len(o.asides()) != 3 {
			t.Errorf("%d imports, %d cases, %d aside:\n%s", len(o.imports()), o.count(), len(o.asides()), answer.Text)
		}
		o.deliver(strings.ReplaceAll(mailWith(9, "", "Hello", attachedFile{"leads.xlsx", xlsxOf(t, listOf(9, 0))}), "ana@alpha", "eve@nobody"))
		if sent := o.unread(); len(sent) != 0 {
			t.Errorf("a stranger was answered: %s", sent[0].data)
		}
	})
}

// strict believes nobody.
func strict(t *testing.T) *senderauth.Checker {
	t.Helper()
	c, err := senderauth.New(senderauth.Config{Mode: senderauth.ModeNetworks, TrustedNetworks: []string{"192.0.2.1/32"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stopping does what is asked of it, and fails behind it, as if the process had been killed.
type stopping struct {
	Lists
	at string
}

var errKilled = errors.New("killed")

func (s stopping) after(what string, err error) error {
	if s.at == what && err == nil {
		return errKilled
	}
	return err
}

func (s stopping) Offer(ctx context.Context, r *io.SectionReader, f intake.ImportFile) (intake.Import, error) {
	im, err := s.Lists.Offer(ctx, r, f)
	return im, s.after("Offer", err)
}

func (s stopping) Start(ctx context.Context, id string) (intake.Import, error) {
	im, err := s.Lists.Start(ctx, id)
	return im, s.after("Start", err)
}

func (s stopping) TellImport(ctx context.Context, id, key string, to intake.Route) error {
	return s.after("TellImport", s.Lists.TellImport(ctx, id, key, to))
}

// killing has the server killed once a list is taken in, before its mail can be filed.
type killing struct {
	Lists
	kill func()
}

func (k killing) TellImport(ctx context.Context, id, key string, to intake.Route) error {
	defer k.kill()
	return k.Lists.TellImport(ctx, id, key, to)
}

// TestAListThroughARealServer has a list come through Dovecot, which is killed between the list
// and the filing of its mail; its result is corrected and sent back.
func TestAListThroughARealServer(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "lists@vendor.example"
	o := openOffice(t, testAddress, "alpha.example")
	o.withLists()
	answers := newSMTPSink(t)
	cfg := Config{Name: "partners", Address: testAddress, IMAP: dovecotAccount(d, user), SMTP: answers.config(), SenderProof: senderauth.Config{Mode: senderauth.ModeNone}}
	deps := o.m.deps
	kills := 0
	deps.Lists = killing{deps.Lists, sync.OnceFunc(func() { kills = d.SignalIMAP(t, syscall.SIGKILL) })}
	deps.SpoolDir = t.TempDir()
	box, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	quick(box)
	o.gateway.Register(Channel, Repliers{box})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx, o.gateway) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	crlf := func(mail string) []byte { return []byte(strings.ReplaceAll(mail, "\n", "\r\n")) }
	next := func(n int) outgoing {
		t.Helper()
		eventually(t, fmt.Sprintf("%d answers", n), 40*time.Second, func() bool { return len(answers.all()) >= n })
		eventually(t, "the mails are filed", 10*time.Second, func() bool {
			return d.Count(t, user, "INBOX", &imap.SearchCriteria{}) == 0
		})
		all := answers.all()
		if len(all) != n {
			t.Fatalf("%d answers, want %d", len(all), n)
		}
		return outgoing{to: all[n-1].To[0], data: all[n-1].Data}
	}
	deliverTo(t, d, user, crlf(mailWith(1, "Date: "+time.Now().Format(time.RFC1123Z)+"\n", "Here is our list.", attachedFile{"leads.csv", csvOf(listOf(60, 20))})))
	first := next(1)
	if answer := parsed(t, string(first.data)); kills == 0 || o.count() != 57 || !strings.Contains(answer.Text, "* 57 registered") {
		t.Fatalf("%d processes killed, %d cases:\n%s", kills, o.count(), answer.Text)
	}
	file := enclosed(t, first)
	file.content = bytes.ReplaceAll(file.content, []byte(",all slow,"), []byte(",They lose a day a week to manual reports.,"))
	deliverTo(t, d, user, crlf(mailWith(2, "In-Reply-To: <"+parsed(t, string(first.data)).MessageID+">\n", "Corrected.", file)))
	second := parsed(t, string(next(2).data))
	if o.count() != 60 || len(o.imports()) != 2 || len(o.asides()) != 0 || !strings.Contains(second.Text, "* 3 registered") || !strings.Contains(second.Text, "* 57 known already and unchanged") {
		t.Errorf("%d cases, %d imports, %d aside:\n%s", o.count(), len(o.imports()), len(o.asides()), second.Text)
	}
	if n := d.Count(t, user, "Processed", &imap.SearchCriteria{}); n != 2 {
		t.Errorf("%d mails are filed", n)
	}
}

// TestHostileWorkbooksDoNoHarm sends what is made to use up memory, to fetch things or to run.
func TestHostileWorkbooksDoNoHarm(t *testing.T) {
	packed := func(files map[string]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			w, err := z.Create(name)
			if err == nil {
				_, err = io.WriteString(w, files[name])
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
	// with is a good workbook of two companies with more files in it.
	with := func(more map[string]string) []byte {
		good := xlsxOf(t, listOf(2, 0))
		r, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
		if err != nil {
			t.Fatal(err)
		}
		files := maps.Clone(more)
		for _, f := range r.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			if _, known := files[f.Name]; !known {
				files[f.Name] = string(content)
			}
		}
		return packed(files)
	}
	many := [][]string{listOf(0, 0)[0]}
	for range 100_000 / 40 {
		many = append(many, slices.Repeat([]string{"x"}, 40))
	}
	for name, tt := range map[string]struct {
		file  attachedFile
		cases int
		says  string
	}{
		"a bomb":                    {attachedFile{"leads.xlsx", with(map[string]string{"xl/media/a.bin": strings.Repeat("\x00", 200<<20)})}, 0, "could not read your file"},
		"a bomb in a sheet":         {attachedFile{"leads.xlsx", with(map[string]string{"xl/worksheets/sheet1.xml": strings.Repeat(" ", 200<<20)})}, 0, "could not read your file"},
		"100,000 cells":             {attachedFile{"leads.xlsx", xlsxOf(t, many)}, 0, "2500 rows"},
		"links to other files":      {attachedFile{"leads.xlsx", with(map[string]string{"xl/externalLinks/externalLink1.xml": `<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`})}, 2, "* 2 registered"},
		"macros":                    {attachedFile{"leads.xlsm", with(map[string]string{"xl/vbaProject.bin": "Sub AutoOpen()"})}, 2, "* 2 registered"},
		"an entity that is a bomb":  {attachedFile{"leads.xlsx", with(map[string]string{"xl/workbook.xml": `<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><workbook>&d;</workbook>`})}, 0, "could not read your file"},
		"a name that breaks out":    {attachedFile{"../../etc/\u202ecron.xlsx", xlsxOf(t, listOf(2, 0))}, 2, "* 2 registered"},
		"formulas in what we write": {attachedFile{"leads.xlsx", xlsxOf(t, append(listOf(2, 0), []string{"=HYPERLINK(\"http://evil.example\")", "www.c9.example", "Germany", "Jane", "CTO", "jane@c9.example", "@SUM(1+1) is slow every day", "evaluation", "+no"}))}, 3, "* 1 registered, with something"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := openOffice(t, testAddress, "alpha.example")
				o.withLists()
				o.deliver(mailWith(1, "", "", tt.file))
				_, answer := o.answer()
				if !strings.Contains(answer.Text, tt.says) || o.count() != tt.cases {
					t.Errorf("%d cases:\n%s", o.count(), answer.Text)
				}
				for _, a := range answer.Attachments {
					if strings.ContainsAny(a.Name, "/\\\n\u202e") {
						t.Errorf("the result is called %q", a.Name)
					}
				}
			})
		})
	}
}

// TestASummaryIsTheSameInEachAttempt has the mail server take none of the first attempts, while
// the cases that the result tells of change.
func TestASummaryIsTheSameInEachAttempt(t *testing.T) {
	for _, name := range []string{"leads.xlsx", "leads.csv"} {
		synctest.Test(t, func(t *testing.T) {
			o := openOffice(t, testAddress, "alpha.example")
			o.withLists()
			var tried [][]byte
			o.out.refuse = func(sent outgoing) error {
				if !bytes.Contains(sent.data, []byte("multipart/mixed")) {
					return nil // of the cases that change
				}
				if tried = append(tried, sent.data); len(tried) == 3 {
					return nil
				}
				for _, r := range o.cases() {
					if r.Status.Holds() {
						if _, err := o.gateway.Withdraw(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
							t.Error(err)
						}
						break
					}
				}
				return errors.New("try again later")
			}
			content := xlsxOf(t, listOf(60, 0))
			if name == "leads.csv" {
				content = csvOf(listOf(60, 0))
			}
			o.deliver(mailWith(1, "", "", attachedFile{name, content}))
			time.Sleep(time.Hour)
			synctest.Wait()
			if len(tried) < 3 || !bytes.Equal(tried[0], tried[1]) || !bytes.Equal(tried[0], tried[2]) {
				t.Errorf("%s: %d attempts, not the same", name, len(tried))
			}
			enclosed(t, outgoing{data: tried[0]})
		})
	}
}

// cases are all that there are.
func (o *office) cases() []intake.Registration {
	o.t.Helper()
	all, err := o.gateway.Cases(o.t.Context(), intake.CaseQuery{Limit: 1000})
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

// idle starts lists on which nobody works.
type idle struct {
	Lists
	gateway *intake.Gateway
}

func (i idle) Start(ctx context.Context, id string) (intake.Import, error) {
	return i.gateway.StartImport(ctx, id)
}

func TestARedeliveryDoesNotGoOnWithAListThatWasCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, testAddress, "alpha.example")
		o.withLists()
		o.m.deps.Lists = idle{o.m.deps.Lists, o.gateway}
		list := attachedFile{"leads.csv", csvOf(listOf(60, 30))}
		is := func(want intake.ImportState) string {
			t.Helper()
			all := o.imports()
			if len(all) != 1 || all[0].State != want {
				t.Fatalf("%+v, want %s", all, want)
			}
			return all[0].ID
		}
		for n := 1; n <= 2; n++ { // the second sends it once more, and so it goes on
			o.deliver(mailWith(n, "", "", list))
			if _, err := o.gateway.CancelImport(t.Context(), is(intake.ImportRunning), "ana"); err != nil {
				t.Fatal(err)
			}
		}
		for n := 1; n <= 2; n++ {
			o.deliver(mailWith(n, "", "", list))
			is(intake.ImportCancelled)
		}
	})
}
