package extract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadgate/intake/cputime"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestHTML reads each file of testdata/html: HTML, and the lines that it is to become.
func TestHTML(t *testing.T) {
	files, err := filepath.Glob("testdata/html/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, err %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil || len(a.Files) != 2 || a.Files[0].Name != "html" || a.Files[1].Name != "want" {
				t.Fatalf("%v, want the sections html and want", err)
			}
			got := htmlText(string(a.Files[0].Data))
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestRewrittenLinksAreUnwrapped(t *testing.T) {
	for in, want := range map[string]string{
		"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Facme.com%2Fx&data=05%7C02&reserved=0":              "https://acme.com/x",
		"https://NAM02.safelinks.protection.outlook.com/ap/x?url=https%3A%2F%2Facme.com&amp;data=x":                           "https://acme.com",
		"https://urldefense.proofpoint.com/v2/url?u=https-3A__www.acme.com_path-5Fa&d=DwMF&c=x":                               "https://www.acme.com/path_a",
		"https://urldefense.com/v3/__https://acme.com/path__;!!abc!xyz$":                                                      "https://acme.com/path",
		"https://urldefense.com/v3/__https://acme.com/p*a*b__;Iz8!!abc!xyz$":                                                  "https://acme.com/p#a?b",
		"https://urldefense.com/v3/__https://acme.com/p**Aa__;Iyc!!abc$":                                                      "https://acme.com",
		"https://www.google.com/url?q=https://acme.com/&sa=D&source=editors":                                                  "https://acme.com/",
		"https://www.google.de/url?sa=t&url=https%3A%2F%2Facme.de%2F":                                                         "https://acme.de/",
		"https://l.facebook.com/l.php?u=https%3A%2F%2Facme.com":                                                               "https://acme.com",
		"https://linkprotect.cudasvc.com/url?a=https%3a%2f%2facme.com&c=E,1":                                                  "https://acme.com",
		"https://protect-eu.mimecast.com/s/AbC?domain=acme.com":                                                               "https://acme.com",
		"https://secure-web.cisco.com/1abc/https%3A%2F%2Facme.com":                                                            "https://acme.com",
		"https://protect.checkpoint.com/v2/___https://acme.com/x___.YzJl":                                                     "https://acme.com/x",
		"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%3A%2F%2Facme.com": "https://acme.com",

		"https://acme.com/?url=https://evil.example":                                        "https://acme.com/?url=https://evil.example",
		"https://evil.example/safelinks.protection.outlook.com/?url=https://acme.com":       "https://evil.example/safelinks.protection.outlook.com/?url=https://acme.com",
		"https://notsafelinks.protection.outlook.com.evil.example/?url=https%3A%2F%2Fx.com": "https://notsafelinks.protection.outlook.com.evil.example/?url=https%3A%2F%2Fx.com",
		"https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)":         "https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)",
		"https://eur01.safelinks.protection.outlook.com/":                                   "https://eur01.safelinks.protection.outlook.com/",
		"https://urldefense.com/v3/broken":                                                  "https://urldefense.com/v3/broken",
		"acme.com":                                                                          "acme.com", "": "", "not a link": "not a link", "%zz": "%zz",
	} {
		if got := unwrapURL(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestHTMLOfAnySizeIsReadInASecond(t *testing.T) {
	for name, in := range map[string]string{
		"nested bold":       strings.Repeat("<b>", 100_000) + "x",
		"nested tables":     strings.Repeat("<table><tr><td>", 100_000) + "x",
		"nested lists":      strings.Repeat("<dl><dt>", 100_000) + "x",
		"nested quotations": strings.Repeat("<blockquote>x", 100_000),
		"nested styles":     strings.Repeat("<span style='color:#fff;background:#000;font-size:0'>", 40_000) + "x",
		"nested links":      strings.Repeat("<a href=https://acme.com>x", 60_000),
		"cells":             "<table><tr>" + strings.Repeat("<td>x", 300_000),
		"wide cells":        "<table><tr>" + strings.Repeat("<td colspan=64>x", 100_000),
		"lines of a cell":   "<table><tr><td>a<td>" + strings.Repeat("x<br>", 300_000),
		"rows":              "<table>" + strings.Repeat("<tr><td>a<td>b", 100_000),
		"rows of quotes":    strings.Repeat("<blockquote>", 150) + strings.Repeat("<p>x", 300_000),
		"closing tags":      strings.Repeat("</table></td></a></blockquote>", 60_000),
		"one style":         "<p style='" + strings.Repeat("color:#fff;", 150_000) + "'>x",
		"one word":          "<pre>" + strings.Repeat("x\n", 900_000),
		"text and links":    strings.Repeat("x <a href=https://acme.com>y</a> ", 50_000),
		"entities":          strings.Repeat("&amp;&nbsp;", 180_000),
	} {
		start := cputime.Used()
		htmlText(in[:min(len(in), maxText)])
		if took := cputime.Used() - start; took > slowdown*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func FuzzHTML(f *testing.F) {
	files, _ := filepath.Glob("testdata/html/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(a.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := htmlText(in)
		for line := range strings.Lines(got) {
			body := strings.TrimLeft(strings.TrimSuffix(line, "\n"), "> ")
			if !strings.HasSuffix(line, "\n") || strings.TrimSpace(line) == "" || strings.ContainsAny(body, "\n\r") {
				t.Fatalf("line %q of %q", line, got)
			}
		}
		hidden := "<p style='display: none'>unseen text</p>"
		if after := htmlText(hidden + in); after != got {
			t.Fatalf("%q with hidden text above, %q without", after, got)
		}
		if target := unwrapURL(in); target != in && !isWebURL(target) {
			t.Fatalf("%q became %q", in, target)
		}
	})
}
