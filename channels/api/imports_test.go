package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// aList is a file of n companies. Every bad-th row says too little of the problem, unless it is 0.
func aList(n, bad int) string {
	var b strings.Builder
	b.WriteString("Company,Website,Country,Contact,Role,E-mail,Problem,Stage,Consent\n")
	const names = "bcdfghjklmnpqrstvwxz"
	for i := range n {
		problem := "They lose a day a week to manual reports."
		if bad > 0 && i%bad == bad-1 {
			problem = "all slow"
		}
		name := strings.Repeat(string(names[i%len(names)])+"o", 3) + strings.Repeat(string(names[i/len(names)])+"a", 3)
		fmt.Fprintf(&b, "Firm %s,www.c%d.example,Germany,Jane Doe,CTO,jane@c%d.example,%s,evaluation,yes\n", name, i, i, problem)
	}
	return b.String()
}

// upload sends a file with alpha's key.
func (p *portal) upload(content string, header ...string) reply {
	p.Helper()
	return p.do("POST", "/imports?name=leads.csv&submitter=ana%40alpha.example", content, append([]string{"Content-Type", "text/csv"}, header...)...)
}

func (r reply) imported() (im imported) {
	_ = json.Unmarshal(r.body, &im)
	return im
}

// finished waits until an import is over.
func (p *portal) finished(r reply) imported {
	p.Helper()
	for id := r.imported().ID; p.Context().Err() == nil; time.Sleep(5 * time.Millisecond) {
		if im := p.want("look", p.do("GET", "/imports/"+id, ""), 200, "").imported(); im.State != intake.ImportRunning {
			return im
		}
	}
	return imported{}
}

// first is the newest import.
func (p *portal) first() string {
	p.Helper()
	all, _, err := p.gateway.Imports(p.Context(), intake.ImportQuery{Limit: 1})
	if err != nil || len(all) != 1 {
		p.Fatal(all, err)
	}
	return all[0].ID
}

// eraseFiles has what files told of be erased.
func (p *portal) eraseFiles() {
	p.Helper()
	p.run()
	p.finished(reply{body: []byte(`{"id":"` + p.first() + `"}`)})
	for _, r := range p.cases() {
		if _, err := p.gateway.Erase(p.Context(), r.Number, intake.Verdict{By: "mia", Rationale: "asked for"}); err != nil {
			p.Fatal(err)
		}
	}
}

// asking calls a func before a file is offered.
type asking struct {
	Files
	before func()
}

func (a asking) Offer(ctx context.Context, r *io.SectionReader, f intake.ImportFile) (intake.Import, error) {
	a.before()
	return a.Files.Offer(ctx, r, f)
}

func TestAFileIsPreviewedTakenInCorrectedAndTakenInAgain(t *testing.T) {
	p := openPortal(t)
	p.run()
	content := aList(30, 10)
	at := "/imports?name=leads.csv&submitter=ana%40alpha.example"
	dry := p.want("previewed", p.do("POST", at+"&dry_run=true", content, "Content-Type", "text/csv"), 202, "").imported()
	for dry.Preview == nil || !dry.Preview.Done {
		dry = p.want("look", p.do("GET", "/imports/"+dry.ID, ""), 200, "").imported()
	}
	if n := dry.Preview.Counts; dry.State != intake.ImportPreviewed || n.Rows != 30 || n.Accepted != 27 || n.Rejected != 3 || len(p.cases()) != 0 {
		t.Fatalf("previewed as %+v, with %d cases", dry, len(p.cases()))
	}
	sent := p.want("sent", p.upload(content, "Idempotency-Key", "1"), 202, "")
	if location := sent.Header.Get("Location"); location != "https://partners.vendor.example/api/v1/imports/"+dry.ID {
		t.Errorf("it is at %s", location)
	}
	done := p.finished(sent)
	if n := done.Counts; done.State != intake.ImportDone || n.Rows != 30 || n.Accepted != 27 || n.Rejected != 3 || done.Total == nil || *done.Total != 30 || len(p.cases()) != 27 {
		t.Fatalf("taken in as %+v, with %d cases", done, len(p.cases()))
	}
	if len(done.Problems) != 3 || done.Problems[0].Row != 11 || done.Problems[0].Field != "problem" || done.Problems[0].Mend == "" {
		t.Errorf("problems %+v", done.Problems)
	}
	again := p.want("sent again", p.upload(content, "Idempotency-Key", "1"), 202, "")
	if again.Header.Get("Idempotent-Replayed") != "true" || !bytes.Equal(again.body, sent.body) {
		t.Errorf("sent again: %s", again.body)
	}
	p.want("other bytes under the same name", p.upload(aList(1, 0), "Idempotency-Key", "1"), 422, "idempotency_key_reused")
	p.want("the same without a name", p.upload(content), 200, "")

	var rows []rowOf
	for cursor := ""; ; {
		var page rowsOf
		r := p.want("rows", p.do("GET", "/imports/"+dry.ID+"/rows?limit=7&cursor="+cursor, ""), 200, "")
		if err := json.Unmarshal(r.body, &page); err != nil {
			t.Fatal(err)
		}
		if rows = append(rows, page.Rows...); page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	if len(rows) != 30 || rows[0].Row != 2 || rows[0].Case == nil || rows[9].Result != intake.RowRejected || len(rows[9].Problems) != 1 {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}

	result := p.want("result", p.do("GET", "/imports/"+dry.ID+"/result?format=csv", ""), 200, "")
	corrected := strings.ReplaceAll(string(result.body), ",all slow,", ",They lose a day a week to manual reports.,")
	if corrected == string(result.body) || !strings.Contains(result.Header.Get("Content-Disposition"), "result.csv") {
		t.Fatalf("the result is\n%s", result.body)
	}
	second := p.finished(p.want("corrected", p.upload(corrected), 202, ""))
	if n := second.Counts; n.Accepted != 3 || n.Unchanged != 27 || len(p.cases()) != 30 {
		t.Errorf("corrected: %+v, %d cases", second, len(p.cases()))
	}
	book := p.want("workbook", p.do("GET", "/imports/"+dry.ID+"/result?format=xlsx", ""), 200, "")
	if !bytes.HasPrefix(book.body, []byte("PK")) {
		t.Errorf("it begins with %q", book.body[:10])
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	w.WriteField("name", "result.xlsx")
	part, err := w.CreateFormFile("file", "result.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(book.body)
	w.Close()
	third := p.finished(p.want("a form", p.do("POST", "/imports", form.String(), "Content-Type", w.FormDataContentType()), 202, ""))
	if third.Name != "result.xlsx" || third.Counts.LeftOut != 3 || third.Counts.Merged != 30 || third.Counts.Unchanged != 27 {
		t.Errorf("the form: %+v", third)
	}
}

// formOf is a form with a file, and a field behind it, with the boundary b.
func formOf(name, value, file string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"leads.csv\"\r\nContent-Type: text/csv\r\n\r\n" + file +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n--b--\r\n"
}

func TestWhatAFormSaysOfItsFileCounts(t *testing.T) {
	p := openPortal(t)
	send := func(form string, header ...string) reply {
		return p.do("POST", "/imports", form, append([]string{"Content-Type", "multipart/form-data; boundary=b"}, header...)...)
	}
	dry := p.want("a dry run", send(formOf("dry_run", "true", aList(2, 0)), "Idempotency-Key", "1"), 202, "").imported()
	if dry.State != intake.ImportPreviewed || dry.Name != "leads.csv" {
		t.Errorf("a dry run: %+v", dry)
	}
	p.want("the same call, but for the field", send(formOf("dry_run", "false", aList(2, 0)), "Idempotency-Key", "1"), 422, "idempotency_key_reused")
	p.want("by Ben", send(formOf("submitter", "ben@alpha.example", aList(3, 0))), 202, "")
	im, err := p.gateway.Import(t.Context(), p.first())
	if err != nil || im.Sender.Address != "ben@alpha.example" || im.Reply.Address != "ben@alpha.example" {
		t.Errorf("%v: handed in by %+v, told %+v", err, im.Sender, im.Reply)
	}
}

func TestNobodySeesTheFilesOfOthers(t *testing.T) {
	p := openPortal(t)
	im := p.want("sent", p.upload(aList(5, 2)), 202, "").imported()
	as := []string{"Authorization", "Bearer " + p.beta}
	for _, path := range []string{"", "/result", "/rows"} {
		p.want(path, p.do("GET", "/imports/"+im.ID+path, "", as...), 404, "no_such_import")
	}
	p.want("cancel", p.do("POST", "/imports/"+im.ID+"/cancel", "", as...), 404, "no_such_import")
	theirs := p.want("list", p.do("GET", "/imports", "", as...), 200, "")
	if strings.Contains(string(theirs.body), im.ID) {
		t.Errorf("beta sees %s", theirs.body)
	}
	own := p.want("the same bytes", p.do("POST", "/imports", aList(5, 2), "Content-Type", "text/csv", "Authorization", "Bearer "+p.beta), 202, "").imported()
	if own.ID == im.ID {
		t.Error("beta's file is alpha's import")
	}
	if mine := p.want("list", p.do("GET", "/imports?limit=1", ""), 200, ""); strings.Contains(string(mine.body), own.ID) || !strings.Contains(string(mine.body), im.ID) {
		t.Errorf("alpha sees %s", mine.body)
	}
}

func TestAFileThatCannotBeTakenIsRefused(t *testing.T) {
	p := openPortal(t)
	for name, tt := range map[string]struct {
		path, content, media string
		status               int
		code                 string
	}{
		"an empty file":                        {"", " ", "text/csv", 422, "invalid_file"},
		"no names of columns":                  {"", "a,b\n1,2\n", "text/csv", 422, "invalid_file"},
		"no workbook":                          {"", "PK\x03\x04 nothing", mediaXLSX, 422, "invalid_file"},
		"JSON":                                 {"", "{}", "application/json", 415, "unsupported_media_type"},
		"a file that is too large":             {"", strings.Repeat("x", MaxUpload+1), "text/csv", 413, "too_large"},
		"a form without a file":                {"", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", 400, "no_file"},
		"a form that is cut off":               {"", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx", "multipart/form-data; boundary=b", 400, "body_cut_off"},
		"a form with an unknown field":         {"", formOf("dryrun", "true", aList(1, 0)), "multipart/form-data; boundary=b", 400, "invalid_parameter"},
		"a form and a query that differ":       {"?dry_run=false", formOf("dry_run", "true", aList(1, 0)), "multipart/form-data; boundary=b", 400, "invalid_parameter"},
		"a form with a submitter of another's": {"", formOf("submitter", "tom@beta.example", aList(1, 0)), "multipart/form-data; boundary=b", 400, "invalid_parameter"},
		"a form that is not sure":              {"", formOf("dry_run", "perhaps", aList(1, 0)), "multipart/form-data; boundary=b", 400, "invalid_parameter"},
		"an unknown parameter":                 {"?dry-run=true", aList(1, 0), "text/csv", 400, "invalid_parameter"},
		"a name that is too long":              {"?name=" + strings.Repeat("x", 201), aList(1, 0), "text/csv", 400, "invalid_parameter"},
		"a submitter of another's":             {"?submitter=tom%40beta.example", aList(1, 0), "text/csv", 400, "invalid_parameter"},
		"a submitter who is no address":        {"?submitter=ana", aList(1, 0), "text/csv", 400, "invalid_parameter"},
	} {
		r := p.want(name, p.do("POST", "/imports"+tt.path, tt.content, "Content-Type", tt.media), tt.status, tt.code)
		if tt.code == "invalid_file" && (len(r.problem().Errors) != 1 || r.problem().Errors[0].Detail == "") {
			t.Errorf("%s: %s", name, r.body)
		}
	}
	if all, _, err := p.gateway.Imports(t.Context(), intake.ImportQuery{Limit: 10}); err != nil || len(all) != 0 {
		t.Errorf("%d imports, %v", len(all), err)
	}
}
