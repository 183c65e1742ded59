// Package pagestest opens pages in a real Chromium for tests: in a window of some width, light
// or dark, with scripts or without. It then tells what a visitor, and a visitor who can't see,
// would stumble over: what axe-core finds, what the Content-Security-Policy kept from loading,
// what the console complains of, cookies, and what sticks out of the window.
//
// There is one Chromium for all tests of a package; TestMain has to end it, by M. Each page has
// a profile of its own in it, so that none sees what another left behind. Nothing of Chromium
// or of axe-core is in the repository: the one has to be installed, the other is fetched by npm
// into the user's cache.
package pagestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// M is a testing.M that ends the browser after the tests. A TestMain runs it:
//
//	func TestMain(m *testing.M) { os.Exit(pagestest.M{M: m}.Run()) }
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(pagestest.M{M: m}) }
type M struct{ *testing.M }

// Run runs the tests.
func (m M) Run() int {
	chromium.endedByMain = true
	defer chromium.end()
	return m.M.Run()
}

// chromium is the one browser. It is started by the first test that opens a page.
var chromium browser

type browser struct {
	endedByMain bool

	mu    sync.Mutex
	ctx   context.Context // the way of chromedp: a browser is a context
	close []func()
	err   error
}

// Programs that are a Chromium.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// start returns the running browser.
func (b *browser) start() (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx != nil || b.err != nil {
		return b.ctx, b.err
	}
	program := ""
	for _, p := range slices.Backward(programs) {
		if found, err := exec.LookPath(p); err == nil {
			program = found
		}
	}
	if program == "" {
		b.err = fmt.Errorf("chromium is not installed (apt-get install chromium)")
		return nil, b.err
	}
	dir, err := os.MkdirTemp("", "leadgate-chromium-")
	if err != nil {
		b.err = err
		return nil, err
	}
	// Without a sandbox, as it can't make one as root or in a container: it loads only pages
	// that the tests serve.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.Env("TMPDIR="+dir))
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	b.close = []func(){func() { _ = chromedp.Cancel(ctx) }, stop, stopAllocator, func() { _ = os.RemoveAll(dir) }}
	if err := chromedp.Do(ctx); err != nil {
		b.err = fmt.Errorf("start %s: %w", program, err)
		return nil, b.err
	}
	b.ctx = ctx
	return b.ctx, nil
}

func (b *browser) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fn := range b.close {
		fn()
	}
	b.ctx, b.close = nil, nil
}

// Require skips a test that needs a browser: with -short, and where Chromium or axe-core can't
// be had, unless LEADGATE_REQUIRE_SERVERS=1 says that they must be.
func Require(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("the browser is left out with -short")
	}
	if !chromium.endedByMain {
		t.Fatal("TestMain has to run pagestest.M, which ends the browser")
	}
	if _, err := chromium.start(); err != nil {
		missing(t, err)
	}
	if _, err := axe(); err != nil {
		missing(t, err)
	}
}

func missing(t testing.TB, why error) {
	t.Helper()
	if os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Scheme is the colour scheme that a visitor prefers.
type Scheme string

// The schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// Schemes is the full set.
func Schemes() []Scheme { return []Scheme{Light, Dark} }

// Scripts says whether a browser runs those of a page.
type Scripts string

// The two ways.
const (
	ScriptsOn  Scripts = "on"
	ScriptsOff Scripts = "off"
)

// Look is how a page is looked at; the zero value is a wide light window with scripts.
type Look struct {
	Width, Height int // of the window, in CSS pixels; 1280 and 800 if 0
	Scheme        Scheme
	Scripts       Scripts
	Language      string            // of Accept-Language
	Header        map[string]string // of every request
}

// Page is an open page. Its methods fail the test that opened it if the browser does.
type Page struct {
	// Status is the one of HTTP that the document came with.
	Status int

	t    testing.TB
	ctx  context.Context // the way of chromedp: a tab is a context
	look Look

	mu         sync.Mutex
	csp, wrong []string
}

// maxOpen is how long a page may take for everything that is done with it.
const maxOpen = time.Minute

// Open opens a page, in a profile of its own, until the end of the test.
func Open(t testing.TB, url string, look Look) *Page {
	t.Helper()
	Require(t)
	parent, err := chromium.start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	p := &Page{t: t, look: look.filled()}
	if err := chromedp.Listen(ctx, p.listen); err != nil {
		t.Fatal(err)
	}
	ctx, stopTimer := context.WithTimeout(ctx, maxOpen)
	t.Cleanup(stopTimer)
	p.ctx = ctx
	p.Do(p.look.dress)
	p.Go(url)
	return p
}

func (l Look) filled() Look {
	if l.Width == 0 {
		l.Width = 1280
	}
	if l.Height == 0 {
		l.Height = 800
	}
	if l.Scheme == "" {
		l.Scheme = Light
	}
	if l.Scripts == "" {
		l.Scripts = ScriptsOn
	}
	return l
}

// dress makes a tab look so.
func (l Look) dress(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
	headers := network.Headers{}
	for k, v := range l.Header {
		headers[k] = v
	}
	if l.Language != "" {
		headers["Accept-Language"] = l.Language
	}
	media := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(l.Scheme)}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	return chromedp.Void{}, errors.Join(
		call(ctx, tab, audits.Enable, cdp.Empty{}),
		call(ctx, tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: int64(l.Width), Height: int64(l.Height), DeviceScaleFactor: 1}),
		call(ctx, tab, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}), // as on a telephone: they take nothing of the width
		call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: media}),
		call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.Scripts == ScriptsOff}),
		call(ctx, tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}),
	)
}

// call has a tab carry out a command that returns nothing.
func call[P any](ctx context.Context, tab *chromedp.Target, command cdp.Command[P, cdp.Empty], params P) error {
	if _, err := cdp.Call(ctx, tab, command, params); err != nil {
		return fmt.Errorf("%s: %w", command.Method, err)
	}
	return nil
}

// Go leads the page to an address, as if it were typed.
func (p *Page) Go(url string) {
	p.t.Helper()
	resp, err := chromedp.Run(p.ctx, chromedp.NavigateResponse(url))
	if err != nil {
		p.t.Fatalf("open %s: %v", url, err)
	}
	p.Status = int(resp.Status)
}

// Follow does what leads to another page, such as a click, and waits for that page.
func (p *Page) Follow(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	resp, err := chromedp.RunResponse(p.ctx, steps...)
	if err != nil {
		p.t.Fatalf("follow: %v", err)
	}
	p.Status = int(resp.Status)
}

// Do carries out what chromedp can do, such as chromedp.Click.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// Eval evaluates an expression of JavaScript in the page; a promise is waited for. It works
// where scripts are off too: those are the scripts of the page.
func Eval[T any](p *Page, script string) T {
	p.t.Helper()
	p.scripts(ScriptsOn) // without them a promise is never kept
	result, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	p.scripts(p.look.Scripts)
	return result
}

func (p *Page) scripts(s Scripts) {
	p.t.Helper()
	if p.look.Scripts == ScriptsOn {
		return
	}
	params := emulation.SetScriptExecutionDisabledParams{Value: s == ScriptsOff}
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, params); err != nil {
		p.t.Fatal(err)
	}
}

// Text is what a visitor reads.
func (p *Page) Text() string {
	p.t.Helper()
	return Eval[string](p, `document.body?.innerText ?? ""`) // a page that is just being loaded has none
}

// listen notes what the browser complains of.
func (p *Page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			p.csp = append(p.csp, fmt.Sprintf("%s: %s (%s)", d.ViolatedDirective, d.BlockedURL, d.ContentSecurityPolicyViolationType))
		}
	case *log.EventEntryAdded:
		// An answer such as 404 is no complaint about the page that came with it.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			p.wrong = append(p.wrong, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventResponseReceived:
		unasked := strings.HasSuffix(e.Response.URL, "/favicon.ico") // the browser looks for it by itself
		if e.Type != network.ResourceTypeDocument && e.Response.Status >= 400 && !unasked {
			p.wrong = append(p.wrong, fmt.Sprintf("%d: %s", e.Response.Status, e.Response.URL))
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			p.wrong = append(p.wrong, fmt.Sprintf("%s did not load: %s %s", e.Type, e.ErrorText, e.BlockedReason))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			p.wrong = append(p.wrong, "console: "+said(e.Args))
		}
	case *runtime.EventExceptionThrown:
		p.wrong = append(p.wrong, "uncaught: "+e.ExceptionDetails.Text+" "+said([]*runtime.RemoteObject{e.ExceptionDetails.Exception}))
	}
}

func said(args []*runtime.RemoteObject) string {
	words := ""
	for _, a := range args {
		if a == nil {
			continue
		}
		words += string(a.Value) + a.Description + " "
	}
	return words
}

// CSP returns what the Content-Security-Policy of the page forbade so far.
func (p *Page) CSP() []string {
	p.t.Helper()
	return p.heard(&p.csp)
}

// Errors returns what the console complained of so far, and what did not load.
func (p *Page) Errors() []string {
	p.t.Helper()
	return p.heard(&p.wrong)
}

// heard is a list of what was listened to, after a word with the page: what it said before has
// arrived then.
func (p *Page) heard(list *[]string) []string {
	p.t.Helper()
	Eval[chromedp.Void](p, "1")
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(*list)
}

// Kept returns the names of what the page left in the browser: cookies, and what scripts can
// store.
func (p *Page) Kept() []string {
	p.t.Helper()
	cookies, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	kept := Eval[[]string](p, `Object.keys(localStorage).concat(Object.keys(sessionStorage)).map(k => "stored " + k)`)
	for _, c := range cookies.Cookies {
		kept = append(kept, "cookie "+c.Name)
	}
	return kept
}

// sticksOut finds what is wider than the window, if anything is: for each element that ends
// right of it, its selector and by how much.
const sticksOut = `(() => {
	const room = document.documentElement.clientWidth;
	if (document.scrollingElement.scrollWidth <= room) return [];
	const out = ["the page: " + (document.scrollingElement.scrollWidth - room) + "px"];
	for (const e of document.body.querySelectorAll("*")) {
		const over = e.getBoundingClientRect().right - room;
		if (over > 0.5) out.push(e.tagName.toLowerCase() + (e.className ? "." + e.className : "") + ": " + Math.round(over) + "px");
	}
	return out;
})()`

// Overflow returns what makes the page scroll sideways; nothing if it does not.
func (p *Page) Overflow() []string {
	p.t.Helper()
	return Eval[[]string](p, sticksOut)
}

// Shot takes a picture of the whole page, NAME-WIDTH-SCHEME.png, and returns its path. It is
// in the directory LEADGATE_SHOTS, or in one that goes with the test.
func (p *Page) Shot(name string) string {
	p.t.Helper()
	dir := os.Getenv("LEADGATE_SHOTS")
	if dir == "" {
		dir = p.t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, p.look.Width, p.look.Scheme))
	if err := os.WriteFile(path, png, 0o644); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// Clean fails the test for all that is wrong with the page at once: what axe-core finds, what
// its policy forbade, what the console complains of, what it keeps and what sticks out.
func (p *Page) Clean() {
	p.t.Helper()
	for what, found := range map[string][]string{
		"forbidden by its Content-Security-Policy": p.CSP(), "complained of by the console": p.Errors(),
		"kept in the browser": p.Kept(), "wider than the window": p.Overflow(),
	} {
		for _, f := range found {
			p.t.Errorf("%s: %s", what, f)
		}
	}
	for _, v := range p.Axe() {
		p.t.Errorf("axe: %s", v)
	}
}
