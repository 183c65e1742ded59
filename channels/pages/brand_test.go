package pages

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func TestABrandThatPeopleCantReadOrThatIsNoneIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tt := range map[string]struct {
		brand Brand
		want  string // "" if it is good
	}{
		"none":                        {Brand{}, ""},
		"a colour":                    {Brand{Color: "#1d5bb8"}, ""},
		"yellow on white":             {Brand{Color: "#ffd400"}, "color: #ffd400 on white has a contrast of 1.4 : 1"},
		"the limit":                   {Brand{Color: "#767676"}, ""},
		"just below it":               {Brand{Color: "#777777"}, "contrast of 4.5 : 1"},
		"dark on dark":                {Brand{ColorDark: "#1d5bb8"}, "color_dark: "},
		"a name":                      {Brand{Color: "blue"}, "is not a colour like #1d5bb8"},
		"three digits":                {Brand{Color: "#12b"}, "is not a colour"},
		"a link":                      {Brand{Links: []Link{{"Privacy", "https://vendor.example/privacy"}}}, ""},
		"a link that runs something":  {Brand{Links: []Link{{"Privacy", "javascript:alert(1)"}}}, "links[0]"},
		"a link without words":        {Brand{Links: []Link{{"", "https://vendor.example"}}}, "links[0]"},
		"a logo":                      {Brand{Logo: file("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")}, ""},
		"a logo that is not there":    {Brand{Logo: filepath.Join(dir, "none.svg")}, "logo: "},
		"a logo that is a text":       {Brand{Logo: file("logo.txt", "hello")}, "is no SVG, PNG, JPEG or WebP"},
		"a logo to wait for too long": {Brand{Logo: file("big.svg", "<svg>"+strings.Repeat(" ", 300<<10)+"</svg>")}, "should not wait"},
	} {
		t.Run(name, func(t *testing.T) {
			faults := tt.brand.Validate()
			switch {
			case tt.want == "" && len(faults) > 0:
				t.Errorf("%v", faults)
			case tt.want != "" && (len(faults) != 1 || !strings.Contains(faults[0].Error(), tt.want)):
				t.Errorf("%v, want %q", faults, tt.want)
			}
		})
	}
}

// Whatever colour a vendor has, the words on its buttons and the links in the dark can be read.
func TestWordsOnAColourCanBeRead(t *testing.T) {
	for _, color := range []string{"#1d5bb8", "#000000", "#767676", "#b00020", "#00695c", "#4a148c", "#8a6d00"} {
		css := string(Brand{Color: color}.css())
		parts := strings.Split(css, "@media")
		if len(parts) != 2 {
			t.Fatalf("%s: %s", color, css)
		}
		for i, card := range []rgb{lightCard, darkCard} {
			accent, on := cssColor(t, parts[i], "--accent: "), cssColor(t, parts[i], "--on-accent: ")
			if r := contrast(accent, on); r < minContrast {
				t.Errorf("%s: words on a button have %.1f : 1\n%s", color, r, parts[i])
			}
			if r := contrast(accent, card); r < minContrast {
				t.Errorf("%s: links have %.1f : 1\n%s", color, r, parts[i])
			}
		}
	}
}

func cssColor(t *testing.T, css, key string) rgb {
	t.Helper()
	_, rest, _ := strings.Cut(css, key)
	c, err := parseColor(rest[:7])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPagesBearTheLogoAndTheLinks(t *testing.T) {
	logo := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(logo, []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), 0o600); err != nil {
		t.Fatal(err)
	}
	site, err := New(Options{Program: "Vendor", URL: "https://partners.vendor.example", Brand: Brand{Logo: logo, Color: "#00695c", Links: []Link{{"Imprint", "https://vendor.example/imprint"}}}})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	site.Mount(e)
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		return rec
	}
	page := get("/nothing").Body.String()
	for _, want := range []string{`<img src="/assets/logo" alt="Vendor">`, `<a href="https://vendor.example/imprint">Imprint</a>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s\n%s", want, page)
		}
	}
	if css := get("/assets/brand.css").Body.String(); !strings.Contains(css, "--accent: #00695c") {
		t.Errorf("the colours are %s", css)
	}
	// A logo that is opened by itself runs nothing.
	got := get("/assets/logo")
	if got.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(got.Header().Get("Content-Security-Policy"), "default-src 'none'") || !strings.Contains(got.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the logo comes with %v", got.Header())
	}
}
