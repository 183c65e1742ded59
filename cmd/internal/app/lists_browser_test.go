package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"leadgate/channels/pages"
	"leadgate/channels/pages/pagestest"
	"leadgate/intake"
)

// listShots are the pages of lists in every state, and how a visitor comes there.
func listShots(t *testing.T, o *office) []formShot {
	start := func(page string) string {
		o.says(page, "start", "previewed")
		return page
	}
	offered := func(name, list string) string { return o.offered("brightpath", name, list) }
	waited := func(page, state string) string { o.comesTo(page, state); return page }
	embed, _, err := o.app.Gateway().FormLink(t.Context(), "brightpath", intake.PurposeEmbed)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("VeryLongNameWithoutAnyBlank", 6) + "-Präzisionsmaschinenbau.csv"
	done := waited(start(offered("leads-done.csv", leads(60, 6))), "done")
	clean := waited(start(offered("leads-clean.csv", leads(61, 0))), "done")
	fromMail := plainPath(done)
	nothing := offered("leads-cancelled.csv", leads(63, 0))
	o.says(nothing, "cancel", "previewed")
	torn := leads(3, 0) + strings.Repeat("A,\"a.example\n", 200)
	failed := waited(start(offered("leads-torn.csv", torn)), "failed")
	erased := waited(start(offered("leads-erased.csv", strings.ReplaceAll(leads(2, 0), "example", "test"))), "done")
	rows, err := o.app.Gateway().RowOutcomes(t.Context(), o.importAt(erased).ID, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.app.Gateway().Erase(t.Context(), rows[0].Case, intake.Verdict{By: "mia", Rationale: "Jane Doe asked for it."}); err != nil {
		t.Fatal(err)
	}
	checked := waited(offered(long, leads(1234, 20)), "checked")
	broken := waited(offered("leads-broken.csv", torn+"\n"), "checked")
	// From here on nothing is worked on: what is under way stays so.
	o.app.drop.Close()
	checking := offered("leads-checking.csv", leads(1500, 0))
	running, stopped := offered("leads-running.csv", leads(1501, 0)), offered("leads-stopped.csv", leads(1502, 0))
	for _, page := range []string{running, stopped} {
		id := o.importAt(page).ID
		if _, err := o.app.Gateway().StartImport(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		var some []intake.ImportRow
		for n := range 300 {
			some = append(some, intake.ImportRow{Number: n + 2, Lead: intake.Lead{intake.FieldCompanyName: "Half " + unlike(n), intake.FieldCompanyDomain: fmt.Sprintf("half%d.example", n)}})
		}
		if _, _, err := o.app.Gateway().AcceptRows(t.Context(), id, some); err != nil {
			t.Fatal(err)
		}
	}
	o.says(stopped, "cancel", "running")
	return []formShot{
		{name: "lists", path: o.lists("brightpath"), status: 200, then: func(p *pagestest.Page) { unfold(p) }},
		{name: "lists-faults", path: o.lists("brightpath"), status: 422, then: func(p *pagestest.Page) {
			p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{fileAt(t, "bad.csv", "Company,Website,Domain\nA,a.example,a.example\n")}))
			put(p, answers{"submitter_email": "ana@brightpath.example", "submitter_name": "Ana Silva"})
			p.Follow(chromedp.Click(check))
		}},
		{name: "lists-no-link", path: intake.PathImport, status: 403},
		{name: "lists-embed", path: o.path(intake.UploadLink(embed)), status: 403},
		{name: "list-gone", path: intake.PathImport + "/x", status: 404},
		{name: "list-checking", path: checking, status: 200},
		{name: "list-checked", path: checked, status: 200, then: unfold},
		{name: "list-broken", path: broken, status: 200},
		{name: "list-running", path: running, status: 200},
		{name: "list-stopped", path: stopped, status: 200},
		{name: "list-cancelled", path: nothing, status: 200},
		{name: "list-done", path: done, status: 200},
		{name: "list-done-mail", path: fromMail, status: 200},
		{name: "list-clean", path: clean, status: 200},
		{name: "list-failed", path: failed, status: 200},
		{name: "list-erased", path: erased, status: 200},
		{name: "form-with-lists", path: strings.Replace(o.lists("brightpath"), intake.PathImport, intake.PathForm, 1), status: 200},
	}
}

// check is the button that hands a list in, register the one that registers it.
var (
	check    = chromedp.CSS("#upload button[type=submit]")
	register = chromedp.CSS("button[value=start]")
)

func fileAt(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// withoutLang leaves the language of a page to the browser.
func withoutLang(path string) string {
	for _, lang := range pages.Languages() {
		path = strings.ReplaceAll(strings.ReplaceAll(path, "lang="+lang+"&", ""), "?lang="+lang, "")
	}
	return path
}

func TestEveryPageOfAListIsCleanInABrowser(t *testing.T) {
	o := openForm(t)
	for _, shot := range listShots(t, o) {
		t.Run(shot.name, func(t *testing.T) {
			for _, lang := range pages.Languages() {
				for _, width := range []int{320, 1280} {
					for _, scheme := range pagestest.Schemes() {
						if width > 320 && (lang == "de") != (scheme == pagestest.Dark) {
							continue // in a wide window one of each is enough
						}
						t.Run(fmt.Sprintf("%s %d %s", lang, width, scheme), func(t *testing.T) {
							p := o.browse(t, withoutLang(shot.path), pagestest.Look{Width: width, Scheme: scheme, Language: lang})
							if shot.then != nil {
								shot.then(p)
							}
							if got := pagestest.Eval[string](p, "document.documentElement.lang"); got != lang || p.Status != shot.status {
								t.Errorf("%d in %q", p.Status, got)
							}
							p.Clean()
							p.Shot(shot.name + "-" + lang)
						})
					}
				}
			}
		})
	}
}

// showing waits until the page of a list in the browser is in a state, as its scripts or a
// refresh make it.
func (o *office) showing(p *pagestest.Page, what string) {
	o.Helper()
	o.until("the page with "+what, func() bool {
		return pagestest.Eval[bool](p, fmt.Sprintf("document.readyState === 'complete' && !!document.querySelector(%q)", what))
	})
}

const (
	startButton = "button[value=start]"
	resultLink  = `a[href*="result.csv"]`
)

// fetched is what a link of the page leads to, as the browser gets it.
func fetched(p *pagestest.Page, selector string) string {
	return pagestest.Eval[string](p, fmt.Sprintf("fetch(document.querySelector(%q).href).then(r => r.text())", selector))
}

func TestAListIsRegisteredCorrectedAndHandedInAgain(t *testing.T) {
	o := openForm(t)
	click := func(t *testing.T, p *pagestest.Page, file string) {
		p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{file}),
			chromedp.Click(chromedp.ID("submitter_email")), chromedp.SendKeys(chromedp.ID("submitter_email"), "ana@brightpath.example"),
			chromedp.Click(chromedp.ID("submitter_name")), chromedp.SendKeys(chromedp.ID("submitter_name"), "Ana Silva"))
		p.Follow(chromedp.Click(check))
	}
	press := func(p *pagestest.Page) { p.Follow(chromedp.Click(register)) }
	rows := 0
	for name, tt := range map[string]struct {
		look  pagestest.Look
		hand  func(*testing.T, *pagestest.Page, string)
		press func(*pagestest.Page)
	}{
		"with a mouse":            {pagestest.Look{}, click, press},
		"on a narrow dark screen": {pagestest.Look{Width: 320, Scheme: pagestest.Dark, Language: "de"}, click, press},
		"without scripts":         {pagestest.Look{Scripts: pagestest.ScriptsOff}, click, press},
		"with the keyboard alone": {pagestest.Look{}, byKeys, func(p *pagestest.Page) { tabTo(p, "start"); p.Follow(chromedp.KeyEvent(kb.Enter)) }},
	} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			rows += 7
			all, bad := 300+rows, 10
			list := strings.ReplaceAll(leads(all, all/bad), "@c", "@"+strings.ReplaceAll(name, " ", "")+"c")
			list = strings.ReplaceAll(list, "www.c", "www."+strings.ReplaceAll(name, " ", "")+"c")
			p := o.browse(t, o.lists("brightpath"), tt.look)
			tt.hand(t, p, fileAt(t, "leads.csv", list))
			o.showing(p, startButton)
			p.Clean()
			text := p.Text()
			if !strings.Contains(text, fmt.Sprint(all)) || !strings.Contains(text, "(Problem)") || o.importsAt(p).State != intake.ImportPreviewed {
				t.Errorf("the preview says\n%s", text)
			}
			tt.press(p)
			o.showing(p, resultLink)
			p.Clean()
			n := o.importsAt(p).Counts
			if n.Rows != all || n.Rejected < bad || n.Accepted != all-n.Rejected {
				t.Errorf("%+v\n%s", n, p.Text())
			}
			if text := p.Text(); strings.Contains(text, "null") || !strings.Contains(text, fmt.Sprint(n.Rejected)) {
				t.Errorf("the outcome says\n%s", text)
			}
			result := fetched(p, resultLink)
			if !strings.HasPrefix(fetched(p, `a[href*="result.xlsx"]`), "PK") {
				t.Error("the workbook is none")
			}
			p = o.browse(t, o.lists("brightpath"), tt.look)
			tt.hand(t, p, fileAt(t, "result.csv", strings.ReplaceAll(result, "all slow", "They lose a day a week to manual reports.")))
			o.showing(p, startButton)
			tt.press(p)
			o.showing(p, resultLink)
			if again := o.importsAt(p).Counts; again.Rejected != 0 || again.Accepted != n.Rejected || again.Unchanged != n.Accepted {
				t.Errorf("first %+v, then %+v", n, again)
			}
			p.Clean()
			// Loaded anew, and gone back to, it is what it is.
			at := pagestest.Eval[string](p, "location.href")
			p.Follow(chromedp.Reload())
			p.Go(at)
			o.showing(p, resultLink)
		})
	}
}

// importsAt is the list of the page in the browser.
func (o *office) importsAt(p *pagestest.Page) intake.Import {
	o.Helper()
	return o.importAt(pagestest.Eval[string](p, "location.pathname"))
}

// byKeys hands a list in without a mouse. The file is put there for the dialog of the system.
func byKeys(t *testing.T, p *pagestest.Page, file string) {
	tabTo(p, "list")
	p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{file}))
	tabTo(p, "submitter_email")
	p.Do(chromedp.KeyEvent("ana@brightpath.example"))
	tabTo(p, "submitter_name")
	p.Do(chromedp.KeyEvent("Ana Silva"), chromedp.KeyEvent(kb.Tab))
	if focus := pagestest.Eval[string](p, `document.activeElement.tagName + " " + getComputedStyle(document.activeElement).outlineStyle`); focus != "BUTTON solid" {
		t.Errorf("the focus is on %s", focus)
	}
	p.Follow(chromedp.KeyEvent(kb.Enter))
}

// tabTo goes on with Tab until the focus is on an element, by id or value.
func tabTo(p *pagestest.Page, name string) {
	for range 60 {
		if pagestest.Eval[bool](p, fmt.Sprintf("document.activeElement.id === %[1]q || document.activeElement.value === %[1]q", name)) {
			return
		}
		p.Do(chromedp.KeyEvent(kb.Tab))
	}
}

func TestABarMovesWhileAListIsRegisteredUntilItIsStopped(t *testing.T) {
	o := openForm(t)
	page := o.offered("brightpath", "leads.csv", leads(1000, 0))
	o.comesTo(page, "checked")
	o.app.drop.Close() // this test does the work
	id := o.importAt(page).ID
	if _, err := o.app.Gateway().StartImport(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	p := o.browse(t, page, pagestest.Look{})
	bar := func() string {
		return pagestest.Eval[string](p, `(() => { const b = document.querySelector("progress"); return b.value + "/" + b.max + " " + document.querySelector(".so-far").textContent; })()`)
	}
	if got := bar(); got != "0/1000 0 of 1,000 rows" {
		t.Errorf("it begins with %s", got)
	}
	for at := 0; at < 400; at += 200 {
		var some []intake.ImportRow
		for n := at; n < at+200; n++ {
			some = append(some, intake.ImportRow{Number: n + 2, Lead: intake.Lead{intake.FieldCompanyName: "Half " + unlike(n), intake.FieldCompanyDomain: fmt.Sprintf("half%d.example", n)}})
		}
		if _, _, err := o.app.Gateway().AcceptRows(t.Context(), id, some); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%[1]d/1000 %[1]d of 1,000 rows", at+200)
		o.until(want, func() bool { return bar() == want })
	}
	if said := pagestest.Eval[string](p, `document.querySelector("[aria-live=polite]").textContent`); said != "400 of 1,000 rows" {
		t.Errorf("a screen reader hears %q", said)
	}
	p.Clean()
	p.Follow(chromedp.Click(chromedp.CSS("button[value=cancel]")))
	if text := p.Text(); p.Status != 200 || !strings.Contains(text, "400 of 1,000 rows") || !strings.Contains(text, "Cancelled") || o.importsAt(p).State != intake.ImportCancelled {
		t.Errorf("%d\n%s", p.Status, text)
	}
	result := fetched(p, resultLink)
	if got := strings.Count(result, "not_taken_in"); got != 600 {
		t.Errorf("%d rows were not taken in", got)
	}
}

func TestAPageWithoutScriptsShowsTheOutcomeByItself(t *testing.T) {
	o := openForm(t)
	page := o.offered("brightpath", "leads.csv", leads(3, 0))
	id := o.importAt(page).ID
	o.comesTo(page, "checked")
	o.app.drop.Close()
	if _, err := o.app.Gateway().StartImport(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	p := o.browse(t, page, pagestest.Look{Scripts: pagestest.ScriptsOff})
	if text := p.Text(); !strings.Contains(text, "0 of 3 rows") || !strings.Contains(text, "loads itself anew") {
		t.Errorf("it says\n%s", text)
	}
	if _, err := o.app.Gateway().CancelImport(t.Context(), id, "mia"); err != nil {
		t.Fatal(err)
	}
	o.until("the page as it is now", func() bool { return strings.Contains(p.Text(), "Cancelled") })
}

func TestWhoHandsInAListTwiceHasOneList(t *testing.T) {
	o := openForm(t)
	for _, scripts := range []pagestest.Scripts{pagestest.ScriptsOn, pagestest.ScriptsOff} {
		t.Run("scripts "+string(scripts), func(t *testing.T) {
			o := o.in(t)
			p := o.browse(t, o.lists("brightpath"), pagestest.Look{Scripts: scripts})
			p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{fileAt(t, "leads.csv", leads(20+len(scripts), 0))}))
			put(p, answers{"submitter_email": "ana@brightpath.example"})
			p.Follow(chromedp.DoubleClick(check))
			o.showing(p, startButton)
			p.Follow(chromedp.DoubleClick(register))
			o.showing(p, resultLink)
			im := o.importsAt(p)
			if im.State != intake.ImportDone || im.Counts.Rows != 20+len(scripts) {
				t.Errorf("%+v", im)
			}
			// Back to the preview, which the history may show as it was: its button does nothing.
			resp, body := o.says(intake.PathImport+"/"+strings.TrimPrefix(pagestest.Eval[string](p, "location.pathname"), intake.PathImport+"/"), "start", "previewed")
			o.want("the old page", resp, body, 303)
			pagestest.Eval[chromedp.Void](p, "setTimeout(() => history.back()), 1")
			o.until("the page before", func() bool { return pagestest.Eval[bool](p, "document.readyState === 'complete'") })
			if after := o.importAt(intake.PathImport + "/" + strings.TrimPrefix(o.path(im.Link), intake.PathImport+"/")); after.Counts != im.Counts {
				t.Errorf("%+v", after)
			}
		})
	}
	all, _, err := o.app.Gateway().Imports(t.Context(), intake.ImportQuery{Limit: 10})
	if err != nil || len(all) != 2 {
		t.Errorf("%d lists, %v", len(all), err)
	}
}

func TestABrowserSaysThatAFileIsTooLargeBeforeItSendsIt(t *testing.T) {
	o := openForm(t)
	file := fileAt(t, "large.csv", leads(1, 0)+strings.Repeat("x", 11<<20))
	p := o.browse(t, o.lists("brightpath"), pagestest.Look{Language: "de"})
	p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{file}), chromedp.Click(check))
	o.until("the words for it", func() bool { return strings.Contains(p.Text(), "Diese Datei ist größer als 10 MiB") })
	p.Clean()
	p = o.browse(t, o.lists("brightpath"), pagestest.Look{Scripts: pagestest.ScriptsOff})
	p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{file}))
	put(p, answers{"submitter_email": "ana@brightpath.example"})
	p.Follow(chromedp.Click(check))
	if text := p.Text(); p.Status != 413 || !strings.Contains(text, "more than 10 MiB") {
		t.Errorf("%d\n%s", p.Status, text)
	}
}

func TestOneSummaryIsSentForAListAndNoMailForARow(t *testing.T) {
	o := openForm(t)
	p := o.browse(t, o.lists("brightpath"), pagestest.Look{})
	p.Do(chromedp.SetUploadFiles(chromedp.ID("list"), []string{fileAt(t, "leads.csv", leads(12, 4))}))
	put(p, answers{"submitter_email": "ana@brightpath.example"})
	p.Follow(chromedp.Click(check))
	o.showing(p, startButton)
	p.Follow(chromedp.Click(register))
	o.showing(p, resultLink)
	link := o.mailed("ana@brightpath.example", intake.PathImport+"/", "leads.csv")
	p.Go(o.at + link)
	if text := p.Text(); p.Status != 200 || !strings.Contains(text, "12 of 12 rows") {
		t.Errorf("%d\n%s", p.Status, text)
	}
	mails, err := filepath.Glob(filepath.Join(o.cfg.Mailboxes[0].Outbox, "*.eml"))
	told := 0
	for _, m := range mails {
		if to, _ := o.readMail(m); strings.Contains(to, "brightpath.example") {
			told++
		}
	}
	if err != nil || told != 1 {
		t.Errorf("%d mails to the partner, %v", told, err)
	}
}
