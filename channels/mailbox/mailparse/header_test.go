package mailparse

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
)

func TestAddressesAreFoundInFieldsThatBreakTheRules(t *testing.T) {
	for in, want := range map[string][]Address{
		``:                     nil,
		`no address at all`:    nil,
		`undisclosed:;`:        nil,
		`Jane <jane@x.example`: {{"Jane", "jane@x.example"}},
		`"Doe, Jane" <jane@x.example>; <joe@x.example>`:   {{"Doe, Jane", "jane@x.example"}, {"", "joe@x.example"}},
		`Doe, Jane <jane@x.example>, Joe <joe@x.example>`: {{"Doe, Jane", "jane@x.example"}, {"Joe", "joe@x.example"}},
		`'jane@x.example'`:                                   {{"", "jane@x.example"}},
		`<<jane@x.example>>`:                                 {{"", "jane@x.example"}},
		`mailto:jane@x.example.`:                             {{"", "jane@x.example"}},
		`jane@x.example joe@x.example`:                       {{"", "jane@x.example"}, {"", "joe@x.example"}},
		`"jane@x.example" via "List" <list@y.example>`:       {{`jane@x.example via List`, "list@y.example"}},
		`Team: Jane Doe [X] <jane@x.example>, b@x.example;`:  {{"Jane Doe [X]", "jane@x.example"}, {"", "b@x.example"}},
		`"Jane \"J\" Doe <jane@x.example>`:                   {{`Jane \"J\" Doe`, "jane@x.example"}},
		`=?utf-8?q?J=C3=B6rg,_Dr.?= <jorg@x.example>`:        {{"Jörg, Dr.", "jorg@x.example"}},
		`=?utf-8?b?SsO2?= =?utf-8?b?cmc=?= <jorg@x.example>`: {{"Jörg", "jorg@x.example"}},
		`=?iso-2022-jp?b?GyRCMnE8Ukw+GyhC?= <a@x.example>`:   {{"会社名", "a@x.example"}},
		`a@x.example (a (nested) comment), b@x.example`:      {{"a (nested) comment", "a@x.example"}, {"", "b@x.example"}},
		`jörg@münchen.example`:                               {{"", "jörg@münchen.example"}},
		`/O=ACME/OU=X/CN=JANE`:                               nil,
	} {
		got := ParseAddresses(in)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestDeliveredToNamesEveryAddressOnce(t *testing.T) {
	p, err := Parse(strings.NewReader(strings.Join([]string{
		"Delivered-To: partners+r.x@Vendor.example", "X-Original-To: <Partners@vendor.example>",
		"Envelope-To: a@vendor.example, b@vendor.example", "X-Envelope-To: a@VENDOR.example", "X-Delivered-To: nobody",
		"From: jane@acme.example", "To: Partners@vendor.example", "Cc: c@vendor.example", "Bcc: d@vendor.example", "", "x",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"partners+r.x@vendor.example", "Partners@vendor.example", "a@vendor.example", "b@vendor.example", "c@vendor.example",
	}
	if got := p.DeliveredTo(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyTheNewestReferencesAreKept(t *testing.T) {
	p, err := Parse(strings.NewReader("From: a@b.example\nReferences: " + strings.Repeat("<old@x>, ", 20_000) + "<new@x>\n\nx"))
	if err != nil || len(p.References) != MaxReferences || p.References[MaxReferences-1] != "new@x" || p.References[0] != "old@x" {
		t.Errorf("got %q, err %v", p.References, err)
	}
}

func TestParametersAreReadAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string][3]string{ // the type, the boundary, the name
		``:                               {"text/plain"},
		`text/html`:                      {"text/html"},
		`TEXT/HTML; Charset=utf-8`:       {"text/html"},
		`"text/html"`:                    {"text/html"},
		`text`:                           {"text/plain"},
		`html`:                           {"text/html"},
		`foo/`:                           {"application/octet-stream"},
		`multipart; boundary=b`:          {"multipart/mixed", "b"},
		`multipart/mixed;;; boundary=b`:  {"multipart/mixed", "b"},
		`multipart/mixed boundary = "b"`: {"multipart/mixed", "b"},
		`multipart/mixed; boundary="b c "; name=x`:      {"multipart/mixed", "b c", "x"},
		`multipart/mixed; boundary=b=c/(d)`:             {"multipart/mixed", "b=c/(d)"},
		`multipart/mixed; (why) boundary=b (not)`:       {"multipart/mixed", "b"},
		`application/x; name="a;b\"c.pdf"; boundary=b`:  {"application/x", "b", `a;b"c.pdf`},
		`application/x; name=a b.pdf`:                   {"application/x", "", "a b.pdf"},
		`application/x; name==?utf-8?q?=C3=A9.pdf?=`:    {"application/x", "", "é.pdf"},
		`application/x; name*=UTF-8''%C3%A9.pdf`:        {"application/x", "", "é.pdf"},
		`application/x; name*=%C3%A9.pdf`:               {"application/x", "", "é.pdf"},
		`application/x; name*1=b; name*0=a`:             {"application/x", "", "ab"},
		`application/x; name="../../etc/passwd"`:        {"application/x", "", "passwd"},
		`application/x; name="a`:                        {"application/x", "", "a"},
		`application/x; name`:                           {"application/x"},
		`application/x; name=`:                          {"application/x"},
		`application/x; =x; name=a`:                     {"application/x", "", "a"},
		`application/x; name="a` + "\r\n" + `Bcc: b@c"`: {"application/x", "", "a Bcc: b@c"},
	} {
		media, p := mediaType(in)
		if got := [3]string{media, p.boundary(), fileName(nil, p)}; got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{
		`Jane Doe <jane@x.example>, "Doe, Joe" <joe@x.example>`, `a@b, c@d; "x`, `g: a@b;`, `=?utf-8?q?a?= <a@b>`,
		`a(b)@c (d\)e)`, `<@a:b@c>`, `"a b"@c`, `"=?utf-8?b?/w==?=" <a@b>`, `''@''`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := simpleAddress(s); ok {
			strict, err := mail.ParseAddress(s)
			if err != nil || a != (Address{strict.Name, strict.Address}) {
				t.Errorf("%q gives %q, and by the grammar %v, err %v", s, a, strict, err)
			}
		}
		list := ParseAddresses(s)
		if len(list) > maxAddresses {
			t.Errorf("%d addresses", len(list))
		}
		for _, a := range list {
			if !isLine(a.Name) || !isLine(a.Address) || a.Address == "" {
				t.Errorf("not one line of text: %q", a)
			}
			written := (&mail.Address{Name: a.Name, Address: a.Address}).String()
			again := ParseAddresses(written)
			if len(again) != 1 || again[0].Address != a.Address {
				t.Fatalf("%q is written as %s and read as %q", a, written, again)
			}
			if again[0].Name != a.Name && !strings.Contains(a.Name, "=?") {
				t.Errorf("the name %q is read as %q from %s", a.Name, again[0].Name, written)
			}
		}
	})
}

func FuzzDecodeWords(f *testing.F) {
	for _, s := range []string{
		"=?utf-8?q?a=C3=A9?= =?UTF-8?Q?b?=", "=?iso-2022-jp?b?GyRCMnE8Ukw+GyhC?=", "=?utf-7?q?+AOk-?=", "a =?x?q?b", "=?a?b?c d?=",
		"=?utf-16?b?/v8A?=", "\xff=?", "=?utf-8?q?=0D=0A?=",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := CleanLine(DecodeWords(s))
		if !isLine(line) || line != CleanLine(line) {
			t.Fatalf("%q gives %q, which is not one clean line", s, line)
		}
		if strings.Contains(line, "=?") {
			return // looks like an encoded word, as some spam is encoded twice
		}
		if again := CleanLine(DecodeWords(mime.QEncoding.Encode("utf-8", line))); again != line {
			t.Errorf("%q gives %q, and that encoded and decoded %q", s, line, again)
		}
		if text, _ := decodeText([]byte(s), "utf-7"); CleanText(text) != CleanText(CleanText(text)) {
			t.Errorf("cleaning %q twice is not as once", text)
		}
	})
}

func TestWhatIsBeyondTheLimitOfAFieldIsNotRead(t *testing.T) {
	filler := " (" + strings.Repeat("x", maxAddressField) + ") "
	p, err := Parse(strings.NewReader(strings.Join([]string{
		"From: a@b.example," + filler + "c@d.example", "Subject: first" + filler + "last",
		"References: <first@x>" + filler + "<last@x>", "", "x",
	}, "\n")))
	if err != nil || len(p.From) != 1 || len(p.Subject) > maxSubject || !slices.Equal(p.References, []string{"last@x"}) {
		t.Errorf("From %q, a subject of %d bytes, references %q, err %v", p.From, len(p.Subject), p.References, err)
	}
	if v := p.Header.Get("Subject"); v != "first"+filler+"last" {
		t.Errorf("the field is not as it was written: %d bytes", len(v))
	}
}

func TestTextIsCleanedOfAllButItsLines(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\rc\n\r\nd":          "a\nb\nc\n\nd",
		"a\x00\x07b\tc\x1b[0m":      "ab\tc[0m",
		"é\u0085\u009b\x7f\xffx":    "é\uFFFDx",
		"a\fb\vc":                   "a\nb\nc",
		"\u202eabc \uFEFFd\u200b\n": "\u202eabc \uFEFFd\u200b\n",
	} {
		if got := CleanText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestAHeaderThatOthersMayReadDifferentlyIsDamaged: its end was guessed, or part of it is
// not read.
func TestAHeaderThatOthersMayReadDifferentlyIsDamaged(t *testing.T) {
	const parts = "Content-Type: multipart/mixed; boundary=b\n\n--b\nno field\n\nx\n--b--\n"
	for mail, want := range map[string]bool{
		"From: a@b.example\n\nx":                                                       false,
		"From: a@b.example\r\nX : folded\r\n\tonce\r\n\r\nx":                           false,
		"From: a@b.example\n" + parts:                                                  false,
		"From: a@b.example\n" + strings.Repeat("X", 997) + ": y\n\nx":                  false,
		"From: a@b.example\nX: " + strings.Repeat("y", 2*readSize) + "\n\nx":           false,
		"From: a@b.example\n" + strings.Repeat("X", 998) + ": y\n\nx":                  true,
		"From: a@b.example\nno field\nContent-Type: text/html\n\nx":                    true,
		"From: a@b.example\nHello,\n\nx":                                               true,
		"From: a@b.example\n\v\nx":                                                     true,
		"From: a@b.example\nX: a\rSubject: b\n\nx":                                     true,
		"From: a@b.example\nX: a\x00\n\nx":                                             true,
		"From: a@b.example\rTo: c@d.example\rSubject: e\r\rx":                          true,
		"From: a@b.example\n" + strings.Repeat("X: y\n", maxHeaderFields) + "\nx":      true,
		"From: a@b.example\nX: " + strings.Repeat("y", maxHeaderBytes) + "\nZ: y\n\nx": true,
	} {
		p, err := Parse(strings.NewReader(mail))
		if err != nil || p.Damaged != want || len(p.From) != 1 {
			t.Errorf("%.60q: damaged %v, From %v, err %v", mail, p.Damaged, p.From, err)
		}
	}
}
