package identity

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"pgregory.net/rapid"
)

// lists is read only; tests that extend take Default().
var lists = Default()

// reporter is what *testing.T and *rapid.T share.
type reporter interface {
	Helper()
	Fatalf(format string, args ...any)
}

// code returns the code of an *Error, "" for nil.
func code(t reporter, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is not an *Error: %v", err, err)
	}
	return e.Code
}

func TestDomainKey(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"case, www and a trailing dot do not matter", "WWW.Acme.COM.", "acme.com"},
		{"a sub-domain belongs to the registrable domain", "mail.eu.acme.com", "acme.com"},
		{"a suffix of two labels keeps the third", "shop.acme.co.uk", "acme.co.uk"},
		{"an Australian company is its third label", "acme.com.au", "acme.com.au"},
		{"a private registry counts as a suffix", "test.acme.eu.com", "acme.eu.com"},
		{"capitals, www, a trailing dot and a suffix of two labels", "WWW.ACME.CO.UK.", "acme.co.uk"},
		{"an umlaut in a URL", "https://münchen.example/x", "xn--mnchen-3ya.example"},
		{"a GitHub page is its own identity", "foo.github.io", "foo.github.io"},
		{"a Shopify shop is its own identity", "acme.myshopify.com", "acme.myshopify.com"},
		{"a Heroku app is its own identity", "acme.herokuapp.com", "acme.herokuapp.com"},
		{"a blog is its own identity", "foo.blogspot.com", "foo.blogspot.com"},
		{"SharePoint customers stay apart", "acme.sharepoint.com", "acme.sharepoint.com"},
		{"Microsoft tenants stay apart", "acme.onmicrosoft.com", "acme.onmicrosoft.com"},
		{"Zendesk customers stay apart", "acme.zendesk.com", "acme.zendesk.com"},
		{"HubSpot pages stay apart", "acme.hubspotpagebuilder.com", "acme.hubspotpagebuilder.com"},
		{"the label next to the shared host decides", "foo.bar.sharepoint.com", "bar.sharepoint.com"},
		{"a shared host within a shared host decides", "acme.lightning.force.com", "acme.lightning.force.com"},
		{"a tenant's mail host stays apart", "acme.mail.onmicrosoft.com", "acme.mail.onmicrosoft.com"},
		{"an umlaut domain is kept in ASCII", "münchen-bau.de", "xn--mnchen-bau-9db.de"},
		{"a capital umlaut is the same", "MÜNCHEN-BAU.de", "xn--mnchen-bau-9db.de"},
		{"a decomposed umlaut is the same", "mu\u0308nchen-bau.de", "xn--mnchen-bau-9db.de"},
		{"the ASCII form is the same", "XN--MNCHEN-BAU-9DB.DE", "xn--mnchen-bau-9db.de"},
		{"sharp s is not ss", "straße.de", "xn--strae-oqa.de"},
		{"a short sharp s name is not ss either", "faß.de", "xn--fa-hia.de"},
		{"ss stays ss", "strasse.de", "strasse.de"},
		{"an ideographic dot is a dot", "acme。com", "acme.com"},
		{"full width is folded", "ｗｗｗ．ａｃｍｅ．ｃｏｍ", "acme.com"},
		{"a Cyrillic letter makes another domain", "аcme.com", "xn--cme-5cd.com"},
		{"a URL gives its host", "https://www.acme.com:8443/a/b?c=d.com#e.com", "acme.com"},
		{"a URL with a user gives its host", "https://user:pw@acme.com/x", "acme.com"},
		{"a URL without a scheme gives its host", "//acme.com/x", "acme.com"},
		{"one slash is as good as two", "https:/acme.com", "acme.com"},
		{"backslashes count as slashes, as in browsers", `https:\\acme.com\@evil.com`, "acme.com"},
		{"an e-mail address gives its host", "jane@mail.acme.com", "acme.com"},
		{"an address in brackets gives its host", "Jane Doe <jane@acme.com>", "acme.com"},
		{"a mailto link gives its host", "mailto:jane@acme.com?subject=evil.com", "acme.com"},
		{"a quoted local part does not disturb", `"jane doe"@acme.com`, "acme.com"},
		{"an apostrophe in the local part does not disturb", "o'brien@acme.com", "acme.com"},
		{"a remark in brackets is passed over", "acme.com (main site)", "acme.com"},
		{"words in front are passed over", "Acme Inc. acme.com", "acme.com"},
		{"an abbreviation is passed over", "e.g. acme.com", "acme.com"},
		{"a label in front is passed over", "Website:acme.com", "acme.com"},
		{"a label in front of a URL is passed over", "url:https://acme.com/", "acme.com"},
		{"the first of two domains counts", "acme.com, acme.de", "acme.com"},
		{"a sentence's punctuation goes", "Look at acme.com!", "acme.com"},
		{"a Markdown link gives its text", "[acme.com](https://other.com)", "acme.com"},
		{"a wildcard gives its domain", "*.acme.com", "acme.com"},
		{"a path is no second domain", "acme.com/a,b.org", "acme.com"},
		{"www can be a company", "www.com", "www.com"},
		{"www can be a company and be repeated", "www.www.co.uk", "www.co.uk"},
		{"www can be repeated", "www.www.acme.com", "acme.com"},
		{"a documentation domain works", "shop.acme.example", "acme.example"},
		{"a test domain works", "acme.test", "acme.test"},
		{"an internationalised ending works", "пример.рф", "xn--e1afmkfd.xn--p1ai"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := lists.Domain(c.in)
			if err != nil || d.Key != c.want {
				t.Errorf("Domain(%q) = %q, %v; want %q", c.in, d.Key, err, c.want)
			}
			if d.FreeMail {
				t.Errorf("Domain(%q) is taken for free mail", c.in)
			}
		})
	}
}

func TestDomainIsRefused(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a plain word is no domain", "acme", CodeInvalidDomain},
		{"a company's name is no domain", "Acme", CodeInvalidDomain},
		{"the own machine is no domain", "localhost", CodeInvalidDomain},
		{"the own machine with a port is no domain", "http://localhost:8080/", CodeInvalidDomain},
		{"an address of the network is no company", "192.168.1.10", CodeNotCompanyDomain},
		{"an address with a port is no company", "http://192.168.1.10:80/", CodeNotCompanyDomain},
		{"a full-width address is no company", "１９２.168.1.10", CodeNotCompanyDomain},
		{"an IPv6 address is no company", "2001:db8::1", CodeNotCompanyDomain},
		{"an IPv6 URL is no company", "http://[2001:db8::1]:80/", CodeNotCompanyDomain},
		{"a public suffix is no company", "co.uk", CodeNotCompanyDomain},
		{"an empty label is no domain", "acme..com", CodeInvalidDomain},
		{"an ending that does not exist is no company", "acme.corp", CodeNotCompanyDomain},
		{"a leading hyphen is no domain", "-acme.com", CodeInvalidDomain},
		{"an underscore is no domain", "acme_1.com", CodeInvalidDomain},
		{"a bare shared host is no company", "sharepoint.com", CodeNotCompanyDomain},
		{"a bare shared host with www is no company", "www.zendesk.com", CodeNotCompanyDomain},
		{"the www of a shared host is no customer", "0.www.zendesk.com", CodeNotCompanyDomain},
		{"a bare private suffix is no company", "github.io", CodeNotCompanyDomain},
		{"nothing is no domain", "", CodeInvalidDomain},
		{"space is no domain", " \t\n", CodeInvalidDomain},
		{"dots are no domain", "...", CodeInvalidDomain},
		{"a control character is no domain", "ac\x00me.com", CodeInvalidDomain},
		{"a broken punycode label is no domain", "xn--a.com", CodeInvalidDomain},
		{"a label of 64 is no domain", strings.Repeat("a", 64) + ".com", CodeInvalidDomain},
		{"a host of 254 is no domain", strings.Repeat("a.", 125) + "com1", CodeInvalidDomain},
		{"bytes that are no text are no domain", "acme\xff.com", CodeInvalidDomain},
		{"an endless input is no domain", strings.Repeat(" ", maxInput) + "acme.com", CodeInvalidDomain},
		{"a path of a refused host is no second chance", "https://acme.corp/x,acme.com", CodeNotCompanyDomain},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := lists.Domain(c.in)
			if got := code(t, err); got != c.want || d != (Domain{}) {
				t.Errorf("Domain(%q) = %+v, %q; want %q", c.in, d, got, c.want)
			}
		})
	}
}

func TestFreeMailIsValidButMarked(t *testing.T) {
	for _, in := range []string{
		"gmail.com", "googlemail.com", "jane@gmail.com", "Jane <jane@GMX.de>", "mail.yahoo.co.uk",
		"x@privaterelay.appleid.com", "vip.qq.com", "mailinator.com",
	} {
		d, err := lists.Domain(in)
		if err != nil || !d.FreeMail || d.Key == "" {
			t.Errorf("Domain(%q) = %+v, %v; want free mail", in, d, err)
		}
	}
	if d, err := lists.Domain("appleid.com"); err != nil || d.FreeMail {
		t.Errorf("the parent of a free-mail host is marked too: %+v, %v", d, err)
	}
}

func TestDomainShowsPeopleTheLetters(t *testing.T) {
	d, err := lists.Domain("https://www.shop.XN--MNCHEN-BAU-9DB.de/")
	want := Domain{Host: "shop.xn--mnchen-bau-9db.de", Key: "xn--mnchen-bau-9db.de", Unicode: "shop.münchen-bau.de"}
	if err != nil || d != want {
		t.Errorf("got %+v, %v; want %+v", d, err, want)
	}
}

func TestErrorIsSafeToShow(t *testing.T) {
	for _, in := range []string{"a\r\nBcc: x", "a\u202eb", strings.Repeat("ä", 1000), "\xff"} {
		for _, c := range []string{CodeInvalidDomain, CodeNotCompanyDomain, CodeInvalidEmail} {
			msg := newError(c, in).Error()
			if strings.ContainsFunc(msg, unprintable) || len(msg) > 4*maxShown {
				t.Errorf("%q", msg)
			}
		}
	}
	e := newError(CodeNotCompanyDomain, "co.uk")
	if want := `"co.uk" does not belong to one company; give the company's own domain, such as example.com`; e.Error() != want {
		t.Errorf("got %s", e)
	}
}

func TestSharedHostsAreThoseThatThePublicSuffixListMisses(t *testing.T) {
	n := 0
	err := eachLine(embedded(listSharedHosts), func(host string) error {
		n++
		probe := "acme." + host
		if got, err := publicsuffix.EffectiveTLDPlusOne(probe); err != nil || got == probe {
			t.Errorf("%s: the public suffix list knows it (%s, %v)", host, got, err)
		}
		if d, err := lists.Domain("x." + probe); err != nil || d.Key != probe || d.FreeMail {
			t.Errorf("%s: %+v, %v", host, d, err)
		}
		if _, err := lists.Domain(host); code(t, err) != CodeNotCompanyDomain {
			t.Errorf("bare %s: %v", host, err)
		}
		return nil
	})
	if err != nil || n < 60 {
		t.Errorf("%d hosts, %v", n, err)
	}
}

// host draws plausible hosts: plain, with capitals, internationalised, of many endings.
func host() *rapid.Generator[string] {
	label := rapid.OneOf(
		rapid.StringMatching(`[a-z0-9]([a-z0-9]{0,8}[a-z0-9])?`),
		rapid.SampledFrom([]string{"acme", "www", "mail", "münchen", "straße", "öl", "пример", "株式会社", "xn--mnchen-3ya"}),
	)
	ending := rapid.SampledFrom([]string{
		"com", "de", "co.uk", "com.au", "github.io", "sharepoint.com", "force.com", "lightning.force.com",
		"example", "corp", "рф", "gmail.com", "kobe.jp", "city.kobe.jp", "ck", "www.ck",
	})
	return rapid.Custom(func(t *rapid.T) string {
		labels := rapid.SliceOfN(label, 0, 4).Draw(t, "labels")
		return strings.Join(append(labels, ending.Draw(t, "ending")), ".")
	})
}

func TestSpellingNeverChangesTheDomainKey(t *testing.T) {
	wraps := []string{
		"%", " % ", "%.", "%。", "http://%", "https://%/path", "HTTPS://user:pw@%:8080/a?b#c", "//%", "www.%",
		"https://www.%./", "jane@%", "<jane@%>", "mailto:jane@%", "% (main site)", "see %, please", "%:443",
	}
	rapid.Check(t, func(t *rapid.T) {
		h := host().Draw(t, "host")
		want, err := lists.Domain(h)
		if err != nil {
			t.Skip("no domain")
		}
		variants := []string{want.Host, want.Unicode, strings.ToUpper(want.Host), strings.ToUpper(h), strings.ReplaceAll(h, ".", "。")}
		if strings.Contains(h, "ß") { // its capital is SS, which is another domain
			variants = variants[:3]
		}
		for _, v := range variants {
			for _, w := range wraps {
				in := strings.Replace(w, "%", v, 1)
				got, err := lists.Domain(in)
				if err != nil || got.Key != want.Key || got.Host != want.Host || got.FreeMail != want.FreeMail {
					t.Fatalf("Domain(%q) = %+v, %v; Domain(%q) = %+v", in, got, err, h, want)
				}
			}
		}
	})
}

func TestFastCheckAgreesWithIDNA(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := rapid.StringMatching(`[a-zA-Z0-9_.!-]{1,24}`).Draw(t, "host")
		if hasACE(h) {
			t.Skip("not plain")
		}
		slow, err := idna.Lookup.ToASCII(h)
		slowOK := err == nil && !strings.Contains("."+slow+".", "..")
		fast, fastOK := toASCII(h)
		if fastOK != slowOK || fastOK && fast != slow {
			t.Fatalf("%q: fast %q %v, idna %q %v", h, fast, fastOK, slow, err)
		}
	})
}

func checkDomain(t reporter, raw string) {
	t.Helper()
	d, err := lists.Domain(raw)
	if err != nil {
		if c := code(t, err); c != CodeInvalidDomain && c != CodeNotCompanyDomain || d != (Domain{}) {
			t.Fatalf("Domain(%q) = %+v, %v", raw, d, err)
		}
		if strings.ContainsFunc(err.Error(), unprintable) {
			t.Fatalf("message not printable: %q", err)
		}
		return
	}
	if d.Host != d.Key && !strings.HasSuffix(d.Host, "."+d.Key) || !strings.Contains(d.Key, ".") {
		t.Fatalf("Domain(%q): key %q is not the end of host %q", raw, d.Key, d.Host)
	}
	if !isASCII(d.Host) || !validHost(d.Host) || strings.ToLower(d.Host) != d.Host {
		t.Fatalf("Domain(%q): host %q is not canonical", raw, d.Host)
	}
	again, err := lists.Domain(d.Host)
	if err != nil || again != d {
		t.Fatalf("Domain(%q) = %+v, but of its host %+v, %v", raw, d, again, err)
	}
	if k, err := lists.Domain(d.Key); err != nil || k.Key != d.Key {
		t.Fatalf("Domain(%q): key %q has key %q, %v", raw, d.Key, k.Key, err)
	}
	if u, err := lists.Domain(d.Unicode); err != nil || u != d {
		t.Fatalf("Domain(%q): %q leads to %+v, %v", raw, d.Unicode, u, err)
	}
	lists.Suspect(d.Host)
}

func TestNormalisingADomainTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkDomain(t, host().Draw(t, "host")) })
}

func FuzzDomain(f *testing.F) {
	for _, s := range []string{
		"WWW.Acme.COM.", "münchen-bau.de", "acme。com", "https://u:p@[::1]:80/x", "Jane <j@acme.co.uk>",
		"xn--cme-5cd.com", "acme..com", "foo.bar.sharepoint.com", "faß.de", "www.com", "שלום.com", "a\u200db.com",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkDomain(t, raw) })
}

func BenchmarkDomain(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"host", "acme.com"},
		{"deep host", "mail.eu.acme.co.uk"},
		{"URL", "https://www.Acme.com/about?x=1"},
		{"address", "jane.doe@mail.acme.com"},
		{"shared host", "acme.sharepoint.com"},
		{"umlaut", "münchen-bau.de"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := lists.Domain(c.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
