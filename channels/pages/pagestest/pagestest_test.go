package pagestest

import (
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(M{M: m}) }

const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A page</title><link rel="stylesheet" href="/style.css"></head><body>`

const good = head + `<main><h1>A page</h1><p id="said">Nothing is wrong.</p><form method="post" action="/sent"><button>Send</button></form></main></body></html>`

// poor has one of each fault.
const poor = head + `<main><h1>A page</h1><p class="pale">Hard to read</p><p class="wide">Wide</p><img src="/none.png">
<input name="nameless"><p style="color: red">Styled</p><script>document.title = "scripted"</script><script src="/allowed.js"></script></main></body></html>`

func serve(t *testing.T) string {
	t.Helper()
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'"
	pages := map[string]string{
		"/good": good, "/poor": poor,
		"/style.css":  `body { margin: 0; background: #fff; color: #111; } .pale { color: #ccc; } .wide { width: 400px; } @media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } }`,
		"/allowed.js": `localStorage.setItem("visitor", "1"); console.error("complaint", 1); throw new Error("thrown");`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		switch body, ok := pages[r.URL.Path]; {
		case r.URL.Path == "/asked":
			fmt.Fprintf(w, head+"<main><h1>Asked</h1><p>%s, %s</p></main>", r.Header.Get("Accept-Language"), r.Header.Get("X-Forwarded-For"))
		case r.URL.Path == "/sent":
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprintf(w, head+"<main><h1>Sent by %s</h1></main>", r.Method)
		case !ok:
			http.NotFound(w, r)
		default:
			if r.URL.Path == "/poor" {
				http.SetCookie(w, &http.Cookie{Name: "track", Value: "1", HttpOnly: true})
			}
			if strings.HasSuffix(r.URL.Path, ".css") {
				w.Header().Set("Content-Type", "text/css")
			}
			fmt.Fprint(w, body)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAGoodPageIsCleanHoweverItIsLookedAt(t *testing.T) {
	at := serve(t)
	for _, scheme := range Schemes() {
		for _, scripts := range []Scripts{ScriptsOn, ScriptsOff} {
			p := Open(t, at+"/good", Look{Width: 320, Scheme: scheme, Scripts: scripts})
			p.Clean()
			if p.Status != 200 || !strings.Contains(p.Text(), "Nothing is wrong.") {
				t.Errorf("%d %s", p.Status, p.Text())
			}
			if dark := Eval[bool](p, `matchMedia("(prefers-color-scheme: dark)").matches`); dark != (scheme == Dark) {
				t.Errorf("%s is dark: %v", scheme, dark)
			}
		}
	}
}

func TestEveryFaultOfAPageIsFound(t *testing.T) {
	p := Open(t, serve(t)+"/poor", Look{Width: 320})
	found := func(what string, list []string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(strings.Join(list, "\n"), want) {
				t.Errorf("%s: no %q in %q", what, want, list)
			}
		}
	}
	found("policy", p.CSP(), "style-src-attr", "script-src-elem")
	found("console", p.Errors(), `"complaint"`, "thrown", "404", "/none.png")
	found("kept", p.Kept(), "cookie track", "stored visitor")
	found("overflow", p.Overflow(), "p.wide: 80px")
	var rules []string
	for _, v := range p.Axe() {
		rules = append(rules, v.String())
	}
	found("axe", rules, "color-contrast (serious)", "image-alt (critical)", "label (critical)", "Hard to read")

	// One page knows nothing of what another left behind.
	other := Open(t, strings.TrimSuffix(Eval[string](p, "location.href"), "/poor")+"/good", Look{})
	other.Clean()
}

func TestWithoutScriptsNoneRuns(t *testing.T) {
	p := Open(t, serve(t)+"/poor", Look{Scripts: ScriptsOff})
	if kept := p.Kept(); len(kept) != 1 || kept[0] != "cookie track" {
		t.Errorf("kept %q", kept)
	}
	if wrong := strings.Join(p.Errors(), "\n"); strings.Contains(wrong, "thrown") {
		t.Error(wrong)
	}
	if len(p.Axe()) == 0 {
		t.Error("axe-core finds nothing without the scripts of the page")
	}
	if csp := strings.Join(p.CSP(), "\n"); !strings.Contains(csp, "style-src-attr") {
		t.Errorf("the policy forbade %q", csp)
	}
}

func TestAPageIsAskedForAsSaidAndFollowed(t *testing.T) {
	at := serve(t)
	p := Open(t, at+"/asked", Look{Language: "de", Header: map[string]string{"X-Forwarded-For": "192.0.2.7"}})
	if !strings.Contains(p.Text(), "de, 192.0.2.7") {
		t.Error(p.Text())
	}
	p.Go(at + "/good")
	p.Follow(chromedp.Click(chromedp.CSS("button")))
	if p.Status != http.StatusTeapot || !strings.Contains(p.Text(), "Sent by POST") {
		t.Errorf("%d %s", p.Status, p.Text())
	}
	p.Clean() // an answer that is no 200 is no fault of the page
}

func TestAPictureIsOfTheWholePageAndWhereItIsAskedFor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shots")
	t.Setenv("LEADGATE_SHOTS", dir)
	path := Open(t, serve(t)+"/good", Look{Width: 320, Scheme: Dark}).Shot("good")
	if path != filepath.Join(dir, "good-320-dark.png") {
		t.Error(path)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := img.At(5, 300).RGBA(); img.Bounds().Dx() != 320 || r>>8 != 0x11 {
		t.Errorf("%v, red %x", img.Bounds(), r>>8)
	}
}
