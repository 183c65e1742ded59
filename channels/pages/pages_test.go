package pages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/intake"
)

func TestALanguageIsAskedForOrPreferred(t *testing.T) {
	for _, tt := range []struct{ query, header, want string }{
		{"", "", "en"},
		{"", "de", "de"},
		{"", "de-CH, en;q=0.8", "de"},
		{"", "fr, de;q=0.5", "de"},
		{"", "fr", "en"},
		{"", "%%%", "en"},
		{"?lang=de", "en", "de"},
		{"?lang=en", "de", "en"},
		{"?lang=xx", "de", "de"},
		{"?lang=../../etc", "", "en"},
	} {
		r := httptest.NewRequest("GET", "/rules"+tt.query, nil)
		r.Header.Set("Accept-Language", tt.header)
		if got := Language(r); got != tt.want {
			t.Errorf("%q, %q: %s, want %s", tt.query, tt.header, got, tt.want)
		}
	}
	for _, lang := range Languages() {
		if OtherLanguage(lang) == lang || OtherLanguage(OtherLanguage(lang)) != lang {
			t.Errorf("the other language of %s is %s", lang, OtherLanguage(lang))
		}
	}
}

func TestTimesAreWrittenInFull(t *testing.T) {
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 22, 59, 59, 0, time.UTC)
	for lang, want := range map[string]string{"en": "Tuesday 24 November 2026, 23:59 CET", "de": "Dienstag, 24.\u00a0November 2026, 23:59\u00a0Uhr\u00a0MEZ"} {
		want = `<time datetime="2026-11-24T23:59:59+01:00">` + want + "</time>"
		if got := moment(lang, at, brussels); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := moment(lang, &at, brussels); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := moment("en", time.Time{}, brussels) + moment("en", (*time.Time)(nil), brussels); got != "––" {
		t.Errorf("no time is %s", got)
	}
	for s, want := range map[intake.Span]string{
		{Value: 1, Unit: intake.BusinessDays}: "1 business day, 1 Arbeitstag", {Value: 14, Unit: intake.Days}: "14 days, 14 Tage",
		{Value: 72, Unit: intake.Hours}: "72 hours, 72 Stunden", {}: "–, –",
	} {
		if got := span("en", s) + ", " + span("de", s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, unit := range intake.Units() {
		if span("de", intake.Span{Value: 2, Unit: unit}) == "–" {
			t.Errorf("no words for %s", unit)
		}
	}
}

func TestWhatIsNotSeenIsNotShown(t *testing.T) {
	if got := Text("Ac\u202Eme\u200B \x00Gm\u00a0bH\u3164\r\n\xffx"); got != "Acme Gm bH \n\uFFFDx" {
		t.Errorf("%q", got)
	}
}

func site(t *testing.T, now func() time.Time, address string) (*Site, *echo.Echo, *echo.Group) {
	t.Helper()
	s, err := New(Options{Program: "Ünited <Vendors>", URL: address, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	return s, e, s.Mount(e)
}

func TestEveryNoticeAndEveryFieldHasWords(t *testing.T) {
	s, _, _ := site(t, nil, "http://localhost")
	for _, lang := range Languages() {
		tmpl := s.notices[lang]
		titles := make(map[string]bool)
		for _, n := range Notices() {
			var title, text strings.Builder
			if err := tmpl.ExecuteTemplate(&title, "notice.title", string(n)); err != nil {
				t.Fatal(err)
			}
			if err := tmpl.ExecuteTemplate(&text, "notice.text", string(n)); err != nil {
				t.Fatal(err)
			}
			if titles[title.String()] || text.Len() < 20 {
				t.Errorf("%s, %s: %q %q", lang, n, &title, &text)
			}
			titles[title.String()] = true
		}
		for _, f := range intake.Fields() {
			var label strings.Builder
			if err := tmpl.ExecuteTemplate(&label, "field", f); err != nil || label.Len() == 0 {
				t.Errorf("%s: no word for %s: %v", lang, f, err)
			}
		}
	}
}

func TestHSTSIsForPagesOverTLS(t *testing.T) {
	for address, want := range map[string]string{"https://a.example/x": "max-age=31536000", "http://localhost:8080": ""} {
		_, e, _ := site(t, nil, address)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/nothing", nil))
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q", address, got)
		}
		body := w.Body.String()
		if w.Code != 404 || !strings.Contains(body, "Ünited &lt;Vendors&gt;") || !strings.Contains(body, ">Ü</span>") {
			t.Errorf("%d %s", w.Code, body)
		}
	}
	if _, err := New(Options{URL: "nowhere"}); err == nil {
		t.Error("pages that are nowhere are made")
	}
}

// Every browser asks for an icon by itself; without one it would complain to whoever looks.
func TestThereIsNoIconAndNobodyIsToldOfAFault(t *testing.T) {
	_, e, _ := site(t, nil, "http://localhost")
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(method, "/favicon.ico", nil))
		if w.Code != http.StatusNoContent || w.Body.Len() > 0 || w.Header().Get("Cache-Control") == "" {
			t.Errorf("%s: %d %v %s", method, w.Code, w.Header(), w.Body)
		}
	}
}

func TestWhatAPageFailsWithIsNotShown(t *testing.T) {
	_, e, g := site(t, nil, "http://localhost")
	g.GET("/fail", func(echo.Context) error { return fmt.Errorf("the password is wrong") })
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/fail", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "password") || !strings.Contains(w.Body.String(), "Something went wrong") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestABucketIsEmptiedAndFillsAgain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := NewLimiter(func() time.Time { return now }, limitBurst, limitEvery)
	for i := range limitBurst {
		if wait := l.Take("192.0.2.1"); wait != 0 {
			t.Fatalf("the %dth waits %v", i+1, wait)
		}
	}
	if wait := l.Take("192.0.2.1"); wait != limitEvery {
		t.Errorf("one too many waits %v", wait)
	}
	if wait := l.Take("::ffff:192.0.2.1"); wait == 0 {
		t.Error("an address in another spelling has a bucket of its own")
	}
	if wait := l.Take("192.0.2.2"); wait != 0 {
		t.Errorf("the neighbour waits %v", wait)
	}
	now = now.Add(2 * limitEvery)
	for i := range 3 {
		if waits := l.Take("192.0.2.1") > 0; waits != (i == 2) {
			t.Errorf("after two intervals, the %dth waits: %v", i+1, waits)
		}
	}
	now = now.Add(time.Hour)
	for range limitBurst {
		if l.Take("192.0.2.1") != 0 {
			t.Fatal("a rest does not fill the bucket")
		}
	}
	if l.Take("192.0.2.1") == 0 {
		t.Error("a long rest fills the bucket over its rim")
	}
	for i := range 2 * limitBurst { // nobody's addresses are one visitor
		if l.Take(fmt.Sprintf("x%d", i)) != 0 {
			return
		}
	}
	t.Error("what is no address is not limited")
}

func TestHoweverManyVisitorsComeTheyAreFewInMemory(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := NewLimiter(func() time.Time { return now }, limitBurst, limitEvery)
	for range limitBurst {
		l.Take("192.0.2.1")
	}
	for i := range limitVisitors {
		l.Take(fmt.Sprintf("2001:db8:%x:%x::1", i>>8, i&0xff))
	}
	if l.Take("192.0.2.1") == 0 {
		t.Error("as many as are remembered make one forgotten")
	}
	for i := range 5 * limitVisitors {
		l.Take(fmt.Sprintf("2001:db9:%x:%x::1", i>>8, i&0xff))
	}
	if n := len(l.recent) + len(l.older); n > 2*limitVisitors {
		t.Errorf("%d are remembered", n)
	}
}

func TestLargeNumbersAreReadInGroups(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -100: "-100", 50000: "50,000"} {
		if got := Number("en", n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if got := Number("de", 50000); got != "50.000" {
		t.Error(got)
	}
}
