package mailparse

import (
	"testing"
	"unicode/utf8"
)

func TestUTF7IsReadToItsEnd(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"Hi Mom -+Jjo--!":        "Hi Mom -☺-!",
		"A+ImIDkQ.":              "A≢Α.",
		"+ZeVnLIqe-":             "日本語",
		"1 +- 1 = 2":             "1 + 1 = 2",
		"+2D3eAA-":               "😀",
		"+AOk":                   "é",
		"+AOk caf+AOk":           "é café",
		"a+":                     "a+",
		"a+ b":                   "a+ b",
		"+A-":                    "+A-",
		"+2D0-":                  "\uFFFD",
		"caf\xe9":                "café",
		"+AGEAYgBj-+AGEAYgBjAGQ": "abcabcd",
	} {
		if got, _ := decodeText([]byte(in), "UTF-7"); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLabelsOfCharacterSetsAreReadAsPeopleWriteThem(t *testing.T) {
	for label, in := range map[string]string{
		"CP932": "\x89\xef\x8e\xd0", "Shift_JIS": "\x89\xef\x8e\xd0", "x-sjis": "\x89\xef\x8e\xd0", "'windows-31j'": "\x89\xef\x8e\xd0",
		"EUC-JP": "\xb2\xf1\xbc\xd2", "euc_jp": "\xb2\xf1\xbc\xd2", "ISO-2022-JP": "\x1b$B2q<R\x1b(B", "iso-2022-jp;": "\x1b$B2q<R\x1b(B",
		"GB2312": "\xbb\xe1\xc9\xe7", "gb18030": "\xbb\xe1\xc9\xe7", "\"GBK\"": "\xbb\xe1\xc9\xe7", "hz-gb-2312": "~{;aIg~}", "big5": "\xb7\x7c\xaa\xc0",
		"utf-8": "会社", "UTF8*ja": "会社", "utf_8": "会社", "utf-16be": "\x4f\x1a\x79\x3e", "utf-16": "\xff\xfe\x1a\x4f\x3e\x79", "utf-7": "+Txp5Pg-",
	} {
		want := "会社"
		if label == "big5" {
			want = "會社"
		}
		got, guessed := decodeText([]byte(in), label)
		if got != want || guessed {
			t.Errorf("%s: got %q, guessed %v, want %q", label, got, guessed, want)
		}
	}
	for label, in := range map[string]string{
		"": "caf\xe9", "us-ascii": "caf\xe9", "utf-8": "caf\xe9", "x-unknown": "caf\xe9", "8bit": "caf\xe9", "x-mac-unheard-of": "caf\x8e",
		"iso-8859-1": "café", "unknown-8bit": "café", "ISO-2022-KR": "café",
	} {
		got, guessed := decodeText([]byte(in), label)
		if got != "café" || guessed == (label == "x-mac-unheard-of") {
			t.Errorf("%q: got %q, guessed %v", label, got, guessed)
		}
	}
}

func TestAMessageOfHTMLNamesItsCharacterSet(t *testing.T) {
	for in, want := range map[string]string{
		`<meta charset="windows-1251">` + "\xca":                                        "windows-1251",
		`<META http-equiv=Content-Type content='text/html; charset = KOI8-R'>` + "\xca": "koi8-r",
		`<meta charset=utf-16>` + "\xe9":                                                "",
		`<meta charset=iso-8859-1>é`:                                                    "",
		`<p>charset=iso-8859-1` + "\xe9":                                                "",
		`<meta charset=iso-2022-jp>` + "\x1b$B2q<R":                                     "iso-2022-jp",
	} {
		if got := htmlCharset([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzDecodeText(f *testing.F) {
	for _, label := range []string{"", "utf-7", "utf-16", "iso-2022-jp", "gb2312", "hz-gb-2312", "x-mac-ce", "ibm850", "big5"} {
		f.Add([]byte("caf\xe9 +AOk- \x1b$B2q<R ~{;aIg~}"), label)
	}
	f.Fuzz(func(t *testing.T, b []byte, label string) {
		text, _ := decodeText(b, label)
		if !utf8.ValidString(text) {
			t.Errorf("%q is no UTF-8", text)
		}
		if clean := CleanText(text); clean != CleanText(clean) {
			t.Errorf("cleaning %q twice is not as once", text)
		}
		if flowed := unflow(text, label == ""); !utf8.ValidString(flowed) {
			t.Errorf("%q is no UTF-8", flowed)
		}
	})
}
