package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/channels/webform/captcha"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// openLists is an office with the form beside the page for lists.
func openLists(t *testing.T, change ...func(*config.Config)) *office {
	t.Helper()
	o := openOffice(t, append([]func(*config.Config){func(c *config.Config) {
		c.Form.Enabled, c.Form.Captcha = true, captcha.Config{MaxNumber: 2000}
	}}, change...)...)
	other := intake.Partner{ID: "kestrel", Name: "Kestrel IT", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"kestrel.example"}}
	if err := o.app.Gateway().PutPartners(t.Context(), []intake.Partner{other}); err != nil {
		t.Fatal(err)
	}
	return o
}

// lists is the page on which a partner hands lists in.
func (o *office) lists(partner string) string {
	o.Helper()
	link, _, err := o.app.Gateway().FormLink(o.Context(), partner, intake.PurposeForm)
	if err != nil {
		o.Fatal(err)
	}
	return o.path(intake.UploadLink(link))
}

const listHead = "Company,Website,Country,Contact,Role,E-mail,Problem,Stage,Consent\n"

// leads is a list of rows about different companies. Every bad-th row says too little of the problem.
func leads(rows, bad int) string {
	var b strings.Builder
	b.WriteString(listHead)
	for i := range rows {
		problem := "They lose a day a week to manual reports."
		if bad > 0 && i%bad == bad-1 {
			problem = "all slow"
		}
		fmt.Fprintf(&b, "Firm %s,www.c%d.example,Germany,Jane Doe,CTO,jane@c%d.example,%s,evaluation,yes\n", unlike(i), i, i, problem)
	}
	return b.String()
}

// unlike is a name that is not like another.
func unlike(i int) string {
	const parts = "bcdfghjklmnpqrstvwxz"
	var b strings.Builder
	for n := i*7919 + 104729; n > 0; n /= len(parts) {
		b.WriteByte(parts[n%len(parts)])
		b.WriteByte("aeiou"[n%5])
	}
	return b.String()
}

// handIn is a form with a list, as a browser sends it.
func handIn(name, content, email, sender string) (body *bytes.Buffer, media string) {
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	h := textproto.MIMEHeader{"Content-Type": {"text/csv"}}
	h.Set("Content-Disposition", mime.FormatMediaType("form-data", map[string]string{"name": "list", "filename": name}))
	part, err := w.CreatePart(h)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = w.WriteField("submitter_email", email)
	}
	if err == nil {
		err = w.WriteField("submitter_name", sender)
	}
	if err != nil || w.Close() != nil {
		panic(err) // memory
	}
	return body, w.FormDataContentType()
}

// handsIn sends a list without a browser.
func (o *office) handsIn(path, name, content, email string, header ...string) (*http.Response, string) {
	o.Helper()
	body, media := handIn(name, content, email, "Ana <b>Silva</b>")
	return o.send(path, body, media, header...)
}

func (o *office) send(path string, body io.Reader, media string, header ...string) (*http.Response, string) {
	o.Helper()
	req, err := http.NewRequestWithContext(o.Context(), "POST", o.at+path, body)
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("X-Forwarded-For", caller())
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

// offered is the page of a list that was handed in.
func (o *office) offered(partner, name, content string) string {
	o.Helper()
	resp, body := o.handsIn(o.lists(partner), name, content, "ana@"+partner+".example")
	o.want("handing in "+name, resp, body, http.StatusSeeOther)
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		o.Fatal(err)
	}
	base, err := url.Parse(o.cfg.Pages.URL)
	if err != nil {
		o.Fatal(err)
	}
	return strings.TrimPrefix(u.RequestURI(), base.Path)
}

// look asks for a page as a visitor of its own.
func (o *office) look(path string) (*http.Response, string) {
	o.Helper()
	return o.do("GET", path, nil, "X-Forwarded-For", caller())
}

// plainPath is a path without its query.
func plainPath(path string) string { return strings.SplitN(path, "?", 2)[0] }

// importAt is the list of a page.
func (o *office) importAt(page string) intake.Import {
	o.Helper()
	im, err := o.app.Gateway().ImportByLink(o.Context(), strings.TrimPrefix(plainPath(page), intake.PathImport+"/"))
	if err != nil {
		o.Fatal(err)
	}
	return im
}

// comesTo waits until the page of a list shows a state.
func (o *office) comesTo(page, state string) {
	o.Helper()
	o.until("the list is "+state, func() bool {
		_, body := o.look(plainPath(page) + "/progress.json")
		var now struct{ State string }
		return json.Unmarshal([]byte(body), &now) == nil && now.State == state
	})
}

func (o *office) says(page, do, shown string, header ...string) (*http.Response, string) {
	o.Helper()
	return o.do("POST", page, url.Values{"do": {do}, "shown": {shown}}, append([]string{"X-Forwarded-For", caller()}, header...)...)
}

func TestAListIsSeenThroughBeforeItIsRegisteredAndThenComesBack(t *testing.T) {
	o := openLists(t)
	list := leads(40, 10) + `"=cmd|' /C calc'!A0",evil.example,Germany,<script>alert(1)</script>,CTO,eve@evil.example,"They lose <b>a day</b> a week, or so.",evaluation,yes` + "\n"
	page := o.offered("brightpath", `"><img src=x>.csv`, list)
	before := len(o.cases())
	o.comesTo(page, "checked")
	resp, body := o.look(page)
	o.want("the preview", resp, body, 200, "Would be registered", ">41<", "Row 11, column G (<bdi>Problem</bdi>)", "&gt;&lt;img src=x&gt;.csv", `value="start"`)
	if strings.Contains(body, "<img") || strings.Contains(body, "<script>alert") {
		t.Errorf("what is typed is no markup:\n%s", body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Set-Cookie": ""} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if n := len(o.cases()); n != before {
		t.Fatalf("the preview made %d cases", n-before)
	}
	if resp, body := o.look(plainPath(page) + "/result.csv"); resp.StatusCode != 404 {
		t.Errorf("a result before there is one: %s\n%s", resp.Status, body)
	}
	resp, body = o.says(page, "start", "previewed")
	o.want("register", resp, body, 303)
	if got := resp.Header.Get("Location"); got != "/desk"+plainPath(page)+"?lang=en" {
		t.Errorf("it leads to %s", got)
	}
	o.comesTo(page, "done")
	im := o.importAt(page)
	if im.Counts.Rows != 41 || im.Counts.Rejected != 5 || im.Sender.Strength != intake.StrengthVerified || im.Sender.Address != "ana@brightpath.example" || im.Reply.Address != im.Sender.Address {
		t.Errorf("%+v", im)
	}
	resp, body = o.look(page)
	o.want("the result", resp, body, 200, "41 of 41 rows", "Download the result", "/result.xlsx?lang=en", "ana@brightpath.example", "the way this one came", "<strong>Row 11</strong>", "all slow")
	for format, media := range map[string]string{"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"} {
		resp, body := o.look(plainPath(page) + "/result." + format)
		o.want(format, resp, "", 200)
		_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment;") || params["filename"] != "---img src=x--result."+format {
			t.Errorf("%q %v", resp.Header.Get("Content-Disposition"), err)
		}
		if got := resp.Header.Get("Content-Type"); got != media || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s: %v, %d bytes", format, resp.Header, len(body))
		}
		s, err := sheet.Open(strings.NewReader(body), int64(len(body)), "result", sheet.Options{Extractor: o.app.reader})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Count(); n != 41 || err != nil || !s.Answered() {
			t.Errorf("%s: %d rows, %v", format, n, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if format == "csv" && !strings.Contains(body, "'=cmd|") {
			t.Errorf("a formula stands in the result:\n%s", body)
		}
	}
	resp, body = o.look(plainPath(page) + "/result.csv?lang=de")
	o.want("the result on the German page", resp, body, 200, "Vorgangsnummer", "nicht registriert")
	if got := resp.Header.Get("Content-Disposition"); !strings.Contains(got, "-Ergebnis.csv") {
		t.Error(got)
	}
	if resp, _ := o.look(plainPath(page) + "/result.exe"); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
	// The result, corrected: only what failed acts.
	_, result := o.look(plainPath(page) + "/result.csv")
	again := o.offered("brightpath", "again.csv", strings.ReplaceAll(result, "all slow", "They lose a day a week to manual reports."))
	o.comesTo(again, "checked")
	if resp, body := o.says(again, "start", "previewed"); resp.StatusCode != 303 {
		t.Error(resp.Status, body)
	}
	o.comesTo(again, "done")
	if n := o.importAt(again).Counts; n.Accepted != 4 || n.Unchanged != 36 || n.Rejected != 1 {
		t.Errorf("%+v", n)
	}
}

func TestWhatCannotBeTakenIsSaidAndNothingIsKept(t *testing.T) {
	o := openLists(t)
	path := o.lists("brightpath")
	const us = "ana@brightpath.example"
	good := leads(2, 0)
	for name, tt := range map[string]struct {
		file, list, email string
		header            []string
		status            int
		says              []string
	}{
		"no file":                        {"", "", us, nil, 422, []string{"Your list</a>: choose a file", "<title>Error: "}},
		"an empty file":                  {"a.csv", "", us, nil, 422, []string{"the file is empty"}},
		"a picture":                      {"a.csv", "\x89PNG\r\n\x1a\n\x00\x00\x00\x00", us, nil, 422, []string{"this is a picture"}},
		"an old workbook, in German":     {"a.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", us, []string{"Accept-Language", "de"}, 422, []string{"Arbeitsmappe von Excel 97 bis 2003", "<title>Fehler: "}},
		"names nobody knows":             {"a.csv", "x,y\n1,2\n", us, nil, 422, []string{"no row among the first names columns"}},
		"two columns for one field":      {"a.csv", "Company,Website,Domain\nA,a.example,a.example\n", us, []string{"Accept-Language", "de"}, 422, []string{"Zeile 1, Spalte C (<bdi>Domain</bdi>):", "Die Spalten „Website (B) / Domain (C)“"}},
		"more than 10 MiB":               {"a.csv", good + strings.Repeat("x", 11<<20), us, nil, 413, []string{"more than 10 MiB", `value="ana@brightpath.example"`}},
		"no address":                     {"a.csv", good, "", nil, 422, []string{"Your work e-mail</a>: please fill this in", "choose the file once more"}},
		"no address that is one":         {"a.csv", good, "ana", nil, 422, []string{"this is not an e-mail address"}},
		"the address of nobody":          {"a.csv", good, "ana@elsewhere.example", nil, 422, []string{"this link belongs to another company"}},
		"the address of a competitor":    {"a.csv", good, "tom@kestrel.example", nil, 422, []string{"this link belongs to another company"}},
		"another site":                   {"a.csv", good, us, []string{"Sec-Fetch-Site", "cross-site"}, 403, []string{"Nothing was changed"}},
		"another site, an old browser":   {"a.csv", good, us, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, 403, []string{"Nothing was changed"}},
		"an address with a script in it": {"a.csv", good, `"><script>alert(1)</script>`, nil, 422, []string{"&#34;&gt;&lt;script&gt;"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			resp, body := o.handsIn(path, tt.file, tt.list, tt.email, tt.header...)
			o.want(name, resp, body, tt.status, tt.says...)
			if strings.Contains(body, "<script>alert") {
				t.Error("a script")
			}
		})
	}
	if resp, body := o.do("POST", path, url.Values{"submitter_email": {us}}); resp.StatusCode != 400 {
		t.Errorf("no multipart: %s\n%s", resp.Status, body)
	}
	if all, _, err := o.app.Gateway().Imports(t.Context(), intake.ImportQuery{Limit: 10}); len(all) > 0 || err != nil {
		t.Errorf("%+v %v", all, err)
	}
}

func TestALinkOpensWhatItIsForAndNothingElse(t *testing.T) {
	o := openLists(t)
	ours := o.lists("brightpath")
	page := o.offered("brightpath", "leads.csv", leads(3, 0))
	formToken, fileToken := strings.TrimPrefix(ours, intake.PathImport+"?p="), strings.TrimPrefix(plainPath(page), intake.PathImport+"/")
	embed, _, err := o.app.Gateway().FormLink(t.Context(), "brightpath", intake.PurposeEmbed)
	if err != nil {
		t.Fatal(err)
	}
	ago := time.Now().Add(-time.Minute).Unix()
	expiredForm := o.path(intake.UploadLink(o.app.Links().Form(intake.Grant{For: intake.PurposeForm, Partner: "brightpath", Expires: ago})))
	id := o.importAt(page).ID
	expiredFile := o.path(o.app.Links().Import(intake.Grant{Partner: "brightpath", Import: id, Expires: ago}))
	theirs := o.path(o.app.Links().Import(intake.Grant{Partner: "kestrel", Import: id, Expires: time.Now().Add(time.Hour).Unix()}))
	instead := []string{"What works instead", "/desk/register", "Ask your partner manager"}
	list := func(path string) (*http.Response, string) {
		return o.handsIn(path, "leads.csv", leads(4, 0), "ana@brightpath.example")
	}
	for name, tt := range map[string]struct {
		path   string
		status int
		says   string
	}{
		"no link":                           {intake.PathImport, 403, "company's own link"},
		"the link of the partner's pages":   {o.path(intake.UploadLink(embed)), 403, "everybody can read"},
		"a link that was cut off":           {ours[:len(ours)-3], 404, "This link does not work"},
		"a link that has expired":           {expiredForm, 410, "This link does not work"},
		"the link of a list":                {intake.PathImport + "?p=" + fileToken, 404, "This link does not work"},
		"the form's for the page of a list": {intake.PathImport + "/" + formToken, 404, "This link does not work"},
		"a page that has expired":           {expiredFile, 410, "This link does not work"},
		"a page for somebody else":          {theirs, 404, "This link does not work"},
		"a page that was cut off":           {plainPath(page)[:len(plainPath(page))-3], 404, "This link does not work"},
	} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			resp, body := o.look(tt.path)
			o.want("looking", resp, body, tt.status, append([]string{tt.says}, instead...)...)
			if strings.Contains(body, "leads.csv") {
				t.Error("it names the list")
			}
			if strings.HasPrefix(tt.path, intake.PathImport+"/") {
				for _, format := range []string{"/result.csv", "/result.xlsx", "/progress.json"} {
					if resp, body := o.look(tt.path + format); resp.StatusCode != tt.status && resp.StatusCode != 404 || strings.Contains(body, "Firm") {
						t.Errorf("%s: %s", format, resp.Status)
					}
				}
				resp, body = o.says(tt.path, "start", "previewed")
			} else {
				resp, body = list(tt.path)
			}
			o.want("sending", resp, body, tt.status)
		})
	}
	if got := o.importAt(page).State; got != intake.ImportPreviewed {
		t.Errorf("the list is %s", got)
	}
	if err := o.app.Gateway().RevokeFormLinks(t.Context(), "brightpath"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{ours, page} {
		resp, body := o.look(path)
		o.want("a link that was ended", resp, body, 404, "This link does not work")
	}
	resp, body := list(ours)
	o.want("sending by a link that was ended", resp, body, 404)
	// A new link leads to the same list again.
	if again := o.offered("brightpath", "leads.csv", leads(3, 0)); o.importAt(again).ID != id {
		t.Error("another list")
	}
}

func TestOnlyThePageAsItIsShownActs(t *testing.T) {
	o := openLists(t)
	page := o.offered("brightpath", "leads.csv", leads(3, 0))
	for name, header := range map[string][]string{
		"from another site":   {"Sec-Fetch-Site", "cross-site"},
		"from who knows what": {"Sec-Fetch-Site", ""},
		"from an old browser": {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
	} {
		resp, body := o.says(page, "start", "previewed", header...)
		o.want(name, resp, body, 403, "Nothing was changed")
	}
	for _, method := range []string{"GET", "HEAD"} {
		if resp, body := o.do(method, page+"&do=start&shown=previewed", nil); resp.StatusCode != 200 {
			t.Error(resp.Status, body)
		}
	}
	if got := o.importAt(page).State; got != intake.ImportPreviewed {
		t.Fatalf("it is %s", got)
	}
	o.says(page, "cancel", "previewed")
	if im := o.importAt(page); im.State != intake.ImportCancelled || im.By != "partner:brightpath" {
		t.Errorf("%+v", im)
	}
	o.says(page, "start", "previewed") // a page that was left open
	if got := o.importAt(page).State; got != intake.ImportCancelled {
		t.Errorf("an old page made it %s", got)
	}
	resp, body := o.look(page)
	o.want("cancelled", resp, body, 200, "Nothing of it was registered", `value="start"`)
	o.says(page, "start", "cancelled")
	o.comesTo(page, "done")
	for range 2 {
		o.says(page, "start", "done")
	}
	if n := o.importAt(page).Counts; n.Rows != 3 || n.Accepted != 3 {
		t.Errorf("%+v", n)
	}
}

func TestAPartnerHandsInSoManyListsAnHour(t *testing.T) {
	o := openLists(t, func(c *config.Config) { c.Lists.Page.PartnerHour = 2 })
	path := o.lists("brightpath")
	for n := range 3 {
		resp, body := o.handsIn(path, "leads.csv", leads(n+1, 0), "ana@brightpath.example")
		want := 303
		if n == 2 {
			want = 429
		}
		o.want(fmt.Sprint(n), resp, body, want)
		if n == 2 && (resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "very many lists")) {
			t.Errorf("%v\n%s", resp.Header, body)
		}
	}
	resp, body := o.handsIn(o.lists("kestrel"), "leads.csv", leads(1, 0), "tom@kestrel.example")
	o.want("another partner", resp, body, 303)
	from := caller()
	var last *http.Response
	for range 11 {
		last, _ = o.handsIn(path, "", "", "ana@brightpath.example", "X-Forwarded-For", from)
	}
	if last.StatusCode != 429 {
		t.Errorf("the eleventh of a visitor: %s", last.Status)
	}
}

func TestTheListToFillInIsUnderstood(t *testing.T) {
	o := openLists(t)
	for lang, delimiter := range map[string]rune{"en": ',', "de": ';'} {
		resp, body := o.look(intake.PathImport + "/template.csv?lang=" + lang)
		o.want(lang, resp, "", 200)
		if got := resp.Header.Get("Content-Disposition"); got != `attachment; filename="leads.csv"` {
			t.Error(got)
		}
		s, err := sheet.Open(strings.NewReader(body), int64(len(body)), "leads.csv", sheet.Options{Extractor: o.app.reader})
		if err != nil || s.Delimiter() != delimiter {
			t.Fatal(err)
		}
		if german := strings.Contains(body, "Firma;Website;Land"); german != (lang == "de") {
			t.Errorf("%s: %s", lang, body)
		}
		if row, err := s.Next(); err != nil || row.Fault == nil || row.Fault.Code != sheet.CodeExample || len(row.Problems) > 0 {
			t.Errorf("%+v %v", row, err)
		}
	}
}

// A body that comes slowly is waited for as long as something comes, and no longer.
func TestAListThatBreaksOffOnItsWayIsNone(t *testing.T) {
	o := openLists(t)
	body, media := handIn("leads.csv", leads(200, 0), "ana@brightpath.example", "")
	conn, err := net.Dial("tcp", strings.TrimPrefix(o.at, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", o.lists("brightpath"), media, body.Len())
	if _, err := conn.Write(body.Bytes()[:body.Len()/2]); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Log(err)
	}
	conn.Close()
	if all, _, err := o.app.Gateway().Imports(t.Context(), intake.ImportQuery{Limit: 10}); len(all) > 0 || err != nil {
		t.Errorf("%+v %v", all, err)
	}
}

func TestWhatWasErasedIsSaidToBeOnThePageOfItsList(t *testing.T) {
	o := openLists(t)
	page := o.offered("brightpath", "leads.csv", leads(3, 0))
	o.says(page, "start", "previewed")
	o.comesTo(page, "done")
	rows, err := o.app.Gateway().RowOutcomes(t.Context(), o.importAt(page).ID, 0, 1)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if _, err := o.app.Gateway().Erase(t.Context(), rows[0].Case, intake.Verdict{By: "jo", Rationale: "Jane Doe asked for it."}); err != nil {
		t.Fatal(err)
	}
	resp, body := o.look(page)
	o.want("the page", resp, body, 200, "This file was deleted")
	if strings.Contains(body, "result.csv") || strings.Contains(body, "leads.csv") {
		t.Errorf("what is no more is offered:\n%s", body)
	}
	if resp, body := o.look(plainPath(page) + "/result.csv"); resp.Header.Get("Location") != "/desk"+plainPath(page)+"?lang=en" || strings.Contains(body, "Firm") {
		t.Errorf("the result: %s, to %s", resp.Status, resp.Header.Get("Location"))
	}
}

func TestTheFormLeadsToThePageForListsWhoeverMayHandThemIn(t *testing.T) {
	o := openLists(t)
	for purpose, want := range map[intake.Purpose]bool{intake.PurposeForm: true, intake.PurposeEmbed: false} {
		link, _, err := o.app.Gateway().FormLink(t.Context(), "brightpath", purpose)
		if err != nil {
			t.Fatal(err)
		}
		_, body := o.look(o.path(link))
		if got := strings.Contains(body, `href="/desk`+intake.PathImport+`?`); got != want {
			t.Errorf("from a link for %s: %v\n%s", purpose, got, body)
		}
	}
	if _, body := o.look(intake.PathForm); strings.Contains(body, intake.PathImport+"?") {
		t.Error("without a link the form leads to lists")
	}
	_, body := o.look(o.lists("brightpath"))
	m := regexp.MustCompile(`<a href="/desk(/register\?[^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the way back is missing:\n%s", body)
	}
	resp, body := o.look(strings.ReplaceAll(m[1], "&amp;", "&"))
	o.want("the way back", resp, body, 200, "Brightpath BV")
}

func TestThePageForListsPromisesNoMoreThanIsDone(t *testing.T) {
	o := openLists(t)
	at := o.lists("brightpath")
	for lang, says := range map[string][]string{
		"en": {"A row without a required value, or with one that can't be used, is not registered", "one of its first rows has to name the columns"},
		"de": {"eine Pflichtangabe fehlt oder sich nicht verwenden lässt, wird nicht registriert", "eine der ersten Zeilen muss die Spalten nennen"},
	} {
		_, body := o.look(at + "&lang=" + lang)
		for _, words := range says {
			if !strings.Contains(body, words) {
				t.Errorf("%s: the page does not say %q", lang, words)
			}
		}
	}
	// It asks for the consent, and does not register a row without a problem.
	page := o.offered("brightpath", "leads.csv", strings.ReplaceAll(leads(1, 0), ",yes\n", ",\n")+
		"Acme,acme-tools.example,Germany,Jane Doe,CTO,jane@acme-tools.example,,evaluation,yes\n")
	o.comesTo(page, "checked")
	resp, body := o.look(page)
	o.want("the preview", resp, body, 200, "you are asked for more</dt><dd>1</dd>", "be registered</dt><dd>1</dd>")
}

func TestTheAddressOfAListDoesNotTellThePartnersOwnLink(t *testing.T) {
	o := openLists(t)
	link := o.lists("brightpath")
	token := strings.TrimPrefix(link, intake.PathImport+"?p=")
	resp, _ := o.handsIn(link+"&lang=de", "leads.csv", leads(2, 0), "ana@brightpath.example")
	page := strings.TrimPrefix(resp.Header.Get("Location"), "/desk")
	if resp.StatusCode != 303 || strings.Contains(page, token) || !strings.Contains(page, "lang=de") {
		t.Errorf("%s: it leads to %s", resp.Status, page)
	}
	if resp, _ := o.look(page + "&p=" + token); resp.StatusCode != 303 || resp.Header.Get("Location") != "/desk"+page {
		t.Errorf("an address of earlier: %s, to %s", resp.Status, resp.Header.Get("Location"))
	}
	resp, body := o.look(page)
	o.want("the page of the list", resp, body, 200)
	if strings.Contains(body, token) {
		t.Error("the page of the list tells the partner's own link")
	}
	resp, _ = o.do("POST", page+"&p="+token, url.Values{"do": {"cancel"}, "shown": {"previewed"}}, "X-Forwarded-For", caller())
	if got := resp.Header.Get("Location"); strings.Contains(got, token) {
		t.Errorf("what is pressed leads to %s", got)
	}
}

func TestAListThatCameBeforeIsSaidToHave(t *testing.T) {
	o := openLists(t)
	const words = "Dieselbe Datei kam schon einmal, am "
	first := o.offered("brightpath", "leads.csv", leads(2, 0))
	o.says(first, "start", "previewed")
	o.comesTo(first, "done")
	if _, body := o.look(plainPath(first) + "?lang=de"); strings.Contains(body, words) {
		t.Error("the first time")
	}
	again := o.offered("brightpath", "leads.csv", leads(2, 0))
	resp, body := o.look(strings.Replace(again, "lang=en", "lang=de", 1))
	o.want("the second time", resp, body, 200, words)
}
