package templates

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"leadgate/intake"
)

// corpus is what people type who want more than a registration.
var corpus = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><script>alert(1)</script>`, `<!--`, `]]>`,
	`<a href="https://evil.example">Salesforce</a>`, `javascript:alert(1)`, `' onmouseover='alert(1)`, `&lt;b&gt;`, `&#60;b&#62;`,
	`<style>*{display:none}</style>`, `<base href="//evil.example">`, `<iframe src=//evil.example>`, `<svg/onload=alert(1)>`,
	`<http://evil.example|Salesforce>`, `<!channel>`, `<@U123>`, `*bold* _it_ ~st~`, "`code`", `[click](https://evil.example)`, `@here`,
	"Acme\r\nBcc: victim@evil.example", "Acme\nSubject: other", "Acme\r\n\r\nbody", "Acme\u2028line\u2029par", "Acme\u0085next",
	"Acme\x00\x07\x1b[31mred", "Acme\tTab", "\v\f",
	"abc\u202edcba", "\u2066iso\u2069", "\u200bzero\u200c\u200d\ufeffwidth", "soft\u00adhyphen", "\u061cmark", "tag\U000E0041", "\u3164filler", "\ue000private",
	"Current state: Approved", "- Approved", "> quoted", "--\nsignature", "Company domain: evil.example",
	"{{.Case}}", "{{template \"head\" .}}", "%s%n%d", "${7*7}", "=1+1", "=?utf-8?q?x?=", "株式会社アクメ", "שלום", "مرحبا", "👩‍👩‍👧", "e\u0301",
	"\xff\xfe invalid", strings.Repeat("x", 10_000), strings.Repeat("long words ", 900), strings.Repeat("\u0301", 500), " ", "",
}

// with puts v wherever others than us decide on the words.
func with(m intake.Message, v string) intake.Message {
	f := &m.Facts
	f.Company, f.Question, f.Note = v, v, v
	f.Contact.Name = v
	f.Fields = nil
	for _, field := range []intake.Field{intake.FieldCompanyName, intake.FieldContactEmail, intake.FieldStage, intake.FieldProblem} {
		f.Fields = append(f.Fields, intake.FieldFact{Field: field, Value: v, Words: v + "!"})
	}
	f.Missing = append(f.Missing, intake.Problem{Code: "odd", Message: v})
	f.Related, f.StatusLink, f.RulesLink, f.ConfirmLink, f.Receipt = v, v, v, v, ""
	if f.Rules != nil {
		terms := f.Rules.Terms
		f.Rules = &intake.Published{Version: v, Certified: []string{v}, Tiers: map[string]intake.Terms{v: {}}, Terms: terms}
	}
	if m.Brief != nil {
		setStrings(reflect.ValueOf(m.Brief), v)
		m.Brief.Partner = "Partner GmbH" // a name that the operator gave
		if r := m.Brief.Registration; r != nil {
			r.Evidence[intake.FieldCompanyDomain] = v + "!"
		}
	}
	return m
}

func TestHostileStringsDoNoHarm(t *testing.T) {
	t.Parallel()
	for _, tag := range languages() {
		for _, kind := range allKinds() {
			plain := in(tag, with(sample(kind, usual[kind], ""), "harmless"))
			tags := elements(t, render(t, plain).HTML)
			for i, v := range corpus {
				if tag != fallback && i%8 != 0 {
					continue // the files are the same, and all strings are too many for each language
				}
				m := in(tag, with(sample(kind, usual[kind], ""), v))
				r := render(t, m)
				checkHarmless(t, r)
				checkPlain(t, m)
				if line(v, maxLong) != "" && !strings.Contains(v, "\n") && elements(t, r.HTML) != tags {
					t.Errorf("%s: %.40q changed the elements of the page", kind, v)
				}
			}
		}
	}
}

func TestAnyStringsDoNoHarm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(allKinds()).Draw(rt, "kind")
		tag := rapid.SampledFrom(languages()).Draw(rt, "locale")
		v := rapid.String().Draw(rt, "v") + rapid.SampledFrom(corpus).Draw(rt, "more")
		m := in(tag, with(sample(kind, usual[kind], ""), v))
		r, err := set().Render(m)
		if err != nil {
			rt.Fatal(err)
		}
		checkHarmless(rt, r)
		checkPlain(rt, m)
	})
}

// checkPlain looks for what would break out of the place that a channel gives it.
func checkPlain(t failer, m intake.Message) {
	t.Helper()
	p, err := set().Plain(m)
	if err != nil {
		t.Errorf("%v", err)
	}
	all := append([]string{p.Title}, p.Lines...)
	for _, f := range p.Fields {
		all = append(all, f.Label, f.Value)
	}
	for _, b := range p.Buttons {
		all = append(all, b.Words)
		if link(b.URL) == "" {
			t.Errorf("%s: a button leads to %q", m.Kind, b.URL)
		}
	}
	for _, s := range all {
		if s == "" || s != line(s, len(s)+1) {
			t.Errorf("%s: %q is not one clean line", m.Kind, s)
		}
	}
}

type failer interface {
	Errorf(string, ...any)
	Helper()
}

func checkHarmless(t failer, r Rendered) {
	t.Helper()
	if strings.ContainsAny(r.Subject, "\r\n") {
		t.Errorf("the subject has several lines: %q", r.Subject)
	}
	for part, text := range map[string]string{"subject": r.Subject, "text": r.Text, "page": r.HTML} {
		for _, c := range text {
			if c != '\n' && (unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c) || unicode.Is(unicode.Co, c) || c == '\u2028' || c == '\u2029') {
				t.Errorf("the %s holds the character %U", part, c)
				return
			}
		}
	}
	// Wrapping may put any word of a sentence first in its line, but makes no paragraph.
	for paragraph := range strings.SplitSeq(r.Text, "\n\n") {
		for _, start := range []string{"Bcc:", "Subject:", "Current state: Approved"} {
			if strings.HasPrefix(paragraph, start) {
				t.Errorf("a paragraph begins with %q", start)
			}
		}
	}
	if len(r.Text) > 60_000 || len(r.HTML) > 120_000 {
		t.Errorf("the text has %d bytes, the page %d", len(r.Text), len(r.HTML))
	}
}

// elements lists the tags of a page with their attributes.
func elements(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for z.Next() != html.ErrorToken {
		if token := z.Token(); token.Type != html.TextToken {
			b.WriteString(token.String())
		}
	}
	return b.String()
}

func TestTextOfPartnersStandsInThePageAsText(t *testing.T) {
	m := sample(intake.MessageReceived, intake.StatusInReview, "")
	m.Facts.Company = `<b>Acme</b> & "Sons"`
	page := render(t, m).HTML
	if !strings.Contains(page, "&lt;b&gt;Acme&lt;/b&gt; &amp; &#34;Sons&#34;") {
		t.Errorf("%s", page)
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"  Acme \r\n GmbH ": "Acme GmbH", "a\u202eb\u200bc": "abc", "\x00": "", "\u3164": "", "ä ö": "ä ö", "\xff": "\uFFFD",
		"12345678901": "123456789…", "1234567890": "1234567890", "12345678 01": "12345678…",
	} {
		if got := line(in, 10); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		if once := line(s, 20); line(once, 20) != once {
			rt.Errorf("cleaning %q twice differs from once", s)
		}
	})
}

func TestLayoutKeepsTheWords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("ab \n-é"))).Draw(rt, "s")
		if got, want := strings.Fields(layout(s)), strings.Fields(s); strings.Join(got, " ") != strings.Join(want, " ") {
			rt.Errorf("%q became %q", want, got)
		}
	})
	long := strings.Repeat("word ", 40)
	for l := range strings.SplitSeq(layout("- "+long), "\n") {
		if l != "" && !strings.HasPrefix(l, "- ") && !strings.HasPrefix(l, "  word") || len(l) > width {
			t.Errorf("%q", l)
		}
	}
	if got := layout("\n\nCompany domain: \n\n\n\nx  \n"); got != "Company domain: \n\nx\n" {
		t.Errorf("%q", got)
	}
}

func TestOnlyAddressesOfTheWebAreLinks(t *testing.T) {
	for s, want := range map[string]bool{
		"https://partners.vendor.example/status/AbC_-9": true, "http://localhost:8080/x": true,
		"javascript:alert(1)": false, "https://": false, "//evil.example": false, "https://user@evil.example/": false, "": false,
		"https://a.example/ b": false, "https://a.example/\n": false, `https://a.example/"onmouseover=`: false, "https://а.example/": false,
		"https://a.example/<b>": false, "https://a.example/" + strings.Repeat("x", maxLink): false,
	} {
		if got := link(s) == s && s != ""; got != want {
			t.Errorf("%.60q: %v, want %v", s, got, want)
		}
	}
}

// TestAReceiptStaysAsItIs: somebody checks its signature.
func TestAReceiptStaysAsItIs(t *testing.T) {
	m := sample(intake.MessageApproved, intake.StatusProvisional, "")
	long := strings.Repeat("word ", 40) + "\n\n\n  two  blanks & <b>\nCompany domain: "
	m.Facts.Receipt = "begin\n" + long + "\nend\n"
	r := render(t, m)
	if !strings.HasSuffix(r.Text, "\n\nbegin\n"+long+"\nend\n") {
		t.Errorf("%s", r.Text)
	}
	if !strings.Contains(html.UnescapeString(r.HTML), ">begin\n"+long+"\nend</pre>") {
		t.Errorf("%s", r.HTML)
	}
	for _, bad := range []string{"a\u202eb", "a\x00b", "a\rb", "\xff", strings.Repeat("x", maxReceipt+1)} {
		if verbatim(bad) != "" {
			t.Errorf("%.20q is shown", bad)
		}
	}
}
