package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// call sends JSON to the API and returns the answer.
func (o *office) call(key, method, path, body string, header ...string) (*http.Response, string) {
	o.Helper()
	req, err := http.NewRequestWithContext(o.Context(), method, o.at+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	return resp, string(b)
}

const fabrikam = `{
	"submitter": {"name": "Ana Silva", "email": "ana@brightpath.example"}, "reference": "OPP-1841",
	"company_name": "Fabrikam", "company_domain": "fabrikam.example", "contact_name": "Jane Doe", "contact_email": "jane@fabrikam.example",
	"contact_role": "CTO", "problem": "They lose a day a week to manual reporting.", "stage": "new_intro", "consent": "yes"
}`

func TestAProgramOfAPartnerRegistersAndItsSubmitterIsAnsweredByMail(t *testing.T) {
	o := openOffice(t, func(c *config.Config) { c.API.Enabled = true })
	_, key, err := o.app.Gateway().MintAPIKey(t.Context(), "brightpath", "portal", "", "mia")
	if err != nil {
		t.Fatal(err)
	}
	resp, body := o.call(key, "POST", "/registrations", fabrikam, "Idempotency-Key", "1841")
	o.want("registered", resp, body, 201, `"status":"submitted"`, `"stage":"pending"`, `"reference":"OPP-1841"`)
	var taken struct {
		Case string `json:"case_number"`
		Link string `json:"status_link"`
	}
	if err := json.Unmarshal([]byte(body), &taken); err != nil {
		t.Fatal(err)
	}
	again, same := o.call(key, "POST", "/registrations", fabrikam, "Idempotency-Key", "1841")
	if same != body || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("sent again:\n%s\n%s", body, same)
	}
	deadline := time.Now().Add(20 * time.Second)
	for o.is(taken.Case).Status != intake.StatusInReview && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := o.app.Gateway().Approve(t.Context(), taken.Case, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	resp, body = o.call(key, "GET", "/registrations/"+taken.Case, "")
	o.want("approved", resp, body, 200, `"stage":"approved"`, `"protection_status":"provisional"`)
	page, shown := o.do("GET", o.path(taken.Link), nil)
	o.want("the page of the link", page, shown, 200, taken.Case, "Fabrikam")
	o.wantMail("ana@brightpath.example", taken.Case, "Fabrikam")

	resp, body = o.call(key, "GET", "/registrations", "")
	o.want("the list has what came by mail too", resp, body, 200, o.name, taken.Case)
	resp, body = o.call(key, "POST", "/registrations/"+taken.Case+"/withdraw", `{"submitter":{"email":"ana@brightpath.example"}}`)
	o.want("withdrawn", resp, body, 200, `"stage":"withdrawn"`)
	resp, body = o.call(key, "GET", "/rules", "")
	o.want("the rules", resp, body, 200, `"required":`)
	resp, body = o.call("", "GET", "/openapi.yaml", "")
	o.want("the document", resp, body, 200, "openapi: 3.1.0", "url: https://partners.vendor.example/desk/api/v1")
	resp, body = o.call("lgk_x", "GET", "/rules", "")
	o.want("a bad key", resp, body, 401, `"code":"unauthorized"`)
	if resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Error(resp.Header)
	}
	resp, body = o.call(key, "GET", "/nothing", "")
	o.want("a path that there is not", resp, body, 404, `"code":"no_such_path"`)
	resp, body = o.call(key, "POST", "/registrations", strings.Repeat(" ", 2<<20))
	o.want("more than the listener takes", resp, body, 413, `"code":"too_large"`)
	resp, body = o.do("GET", "/nothing", nil)
	o.want("the pages are as ever", resp, body, 404, "<html")
	for _, leak := range []string{key, "Reporting", "manual reporting"} {
		if strings.Contains(o.log.String(), leak) {
			t.Errorf("the log says %q", leak)
		}
	}
	if d := o.story(taken.Case); d.Chain != "" || d.Registration.Channel != "api" || d.Registration.Reply.Channel != "email" {
		t.Errorf("%s %+v", d.Chain, d.Registration)
	}
}

// wantMail waits for a mail to an address that says all words.
func (o *office) wantMail(to string, words ...string) {
	o.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		files, err := filepath.Glob(filepath.Join(o.cfg.Mailboxes[0].Outbox, "*.eml"))
		if err != nil {
			o.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				o.Fatal(err)
			}
			all := bytes.Contains(b, []byte("To: <"+to+">"))
			for _, w := range words {
				all = all && bytes.Contains(b, []byte(w))
			}
			if all {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	o.Errorf("no mail to %s says %q", to, words)
}

func TestWithoutTheSettingThereIsNoAPI(t *testing.T) {
	o := openOffice(t)
	resp, body := o.call("", "GET", "/openapi.yaml", "")
	o.want("the document", resp, body, 404, "<html")
}

func TestAFileOfMoreThanAMegabyteComesInByTheAPI(t *testing.T) {
	o := openOffice(t, func(c *config.Config) { c.API.Enabled = true })
	_, key, err := o.app.Gateway().MintAPIKey(t.Context(), "brightpath", "portal", "", "mia")
	if err != nil {
		t.Fatal(err)
	}
	file := "Company,Website,Contact,Role,E-mail,Problem,Stage,Consent\n" +
		"Fabrikam,fabrikam.example,Jane Doe,CTO,jane@fabrikam.example,They lose a day a week to manual reporting.,new intro,yes\n" +
		strings.Repeat(",,,,,,,\n", 1<<18)
	resp, body := o.call(key, "POST", "/imports?submitter=ana%40brightpath.example", file, "Content-Type", "text/csv")
	o.want("taken", resp, body, 202, `"state":"running"`)
	var im struct{ ID string }
	if err := json.Unmarshal([]byte(body), &im); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && !strings.Contains(body, `"state":"done"`); time.Sleep(5 * time.Millisecond) {
		_, body = o.call(key, "GET", "/imports/"+im.ID, "")
	}
	if !strings.Contains(body, `"accepted":1`) {
		t.Errorf("it came to %s", body)
	}
	o.wantMail("ana@brightpath.example", "1 registered", "attached")
	resp, body = o.call(key, "POST", "/imports", strings.Repeat("x", 11<<20), "Content-Type", "text/csv")
	o.want("too large", resp, body, 413, "10 MiB")
	resp, body = o.call(key, "POST", "/registrations", strings.Repeat("x", 2<<20))
	o.want("a body of 2 MiB", resp, body, 413, "64 KiB")
}
