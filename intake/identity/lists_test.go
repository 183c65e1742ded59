package identity

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/net/publicsuffix"
)

func TestExtendAddsToEachList(t *testing.T) {
	l := Default()
	for name, lines := range map[string]string{
		listFreeMail:    "# ours\n\n  Freebie.Example \nmünchen-post.de\n",
		listSharedHosts: "\uFEFFshops.example\r\n",
		listSuffixes:    ".corp\nint.lan\n",
		listLegalForms:  "Genossenschaft, Gen. m.b.H. = weak AT\n社団法人 = strong leading JP\n",
	} {
		if err := l.Extend(name, strings.NewReader(lines)); err != nil {
			t.Fatal(err)
		}
	}
	for in, want := range map[string]Domain{
		"freebie.example":      {Host: "freebie.example", Key: "freebie.example", Unicode: "freebie.example", FreeMail: true},
		"a@münchen-post.de":    {Host: "xn--mnchen-post-thb.de", Key: "xn--mnchen-post-thb.de", Unicode: "münchen-post.de", FreeMail: true},
		"x.acme.shops.example": {Host: "x.acme.shops.example", Key: "acme.shops.example", Unicode: "x.acme.shops.example"},
		"www.acme.corp":        {Host: "acme.corp", Key: "acme.corp", Unicode: "acme.corp"},
		"mail.acme.int.lan":    {Host: "mail.acme.int.lan", Key: "acme.int.lan", Unicode: "mail.acme.int.lan"},
	} {
		if d, err := l.Domain(in); err != nil || d != want {
			t.Errorf("Domain(%q) = %+v, %v; want %+v", in, d, err, want)
		}
	}
	if n := l.Name("Acme Gen.m.b.H."); n.Key != "acme" || n.Form != "genossenschaft" || n.Country != "AT" || !n.Weak {
		t.Errorf("%+v", n)
	}
	if n := l.Name("社団法人アクメ"); n.Key != "アクメ" || n.Country != "JP" {
		t.Errorf("%+v", n)
	}
	if d, err := lists.Domain("acme.corp"); err == nil {
		t.Errorf("another copy of the lists changed too: %+v", d)
	}
	if n := lists.Name("社団法人アクメ"); n.Form != "" {
		t.Errorf("another copy of the lists changed too: %+v", n)
	}
}

func TestExtendRefusesBadLinesAndLeavesTheListsAlone(t *testing.T) {
	for _, c := range []struct{ name, list, lines, want string }{
		{"a sentence is no domain", listFreeMail, "a.example\nnot a domain\n", "extend list free-mail: line 2"},
		{"a bare ending is no free-mail domain", listFreeMail, "com", "line 1"},
		{"a bare ending is no shared host", listSharedHosts, "# x\ncom", "line 2"},
		{"a URL is no shared host", listSharedHosts, "https://a.example", "line 1"},
		{"a network address is no suffix", listSuffixes, "10.0.0.1", "line 1"},
		{"an underscore is no suffix", listSuffixes, "ok\nlan_1", "line 2"},
		{"a form needs a meaning", listLegalForms, "xyz", `no "="`},
		{"a form needs a strength", listLegalForms, "xyz = sturdy", "strong or weak"},
		{"a form's meaning is not empty", listLegalForms, "xyz =", "strong or weak"},
		{"a form's country has two capitals", listLegalForms, "abc = weak\nxyz = strong Germany", "line 2"},
		{"a form's country is not lower case", listLegalForms, "xyz = strong de", "country code"},
		{"a form has letters", listLegalForms, "xyz, & = strong", "no letters"},
		{"an unknown list is named", "colours", "red", `"colours"`},
		{"an endless line is refused", listFreeMail, "a.example\n" + strings.Repeat("a", 1<<17), "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Default()
			err := l.Extend(c.list, strings.NewReader(c.lines))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
			if !maps.Equal(l.freeMail, lists.freeMail) || !maps.Equal(l.ends, lists.ends) || !maps.Equal(l.forms, lists.forms) || len(l.ideographs) != len(lists.ideographs) {
				t.Error("the lists changed")
			}
		})
	}
	broken := errors.New("disk on fire")
	if err := Default().Extend(listFreeMail, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("reader's error is lost: %v", err)
	}
}

func TestTheZeroListsWork(t *testing.T) {
	var l Lists
	if d, err := l.Domain("www.acme.co.uk"); err != nil || d.Key != "acme.co.uk" {
		t.Errorf("%+v, %v", d, err)
	}
	if n := l.Name("Acme (UK) Inc."); n.Key != "acme uk inc" {
		t.Errorf("%+v", n)
	}
	if err := l.Extend(listLegalForms, strings.NewReader("inc = strong US")); err != nil || l.Name("Acme Inc.").Key != "acme" {
		t.Errorf("%v, %+v", err, l.Name("Acme Inc."))
	}
}

func TestFreeMailEntriesAreDomainsThatExist(t *testing.T) {
	seen := map[string]bool{}
	err := eachLine(embedded(listFreeMail), func(line string) error {
		if seen[line] {
			t.Errorf("%s stands twice", line)
		}
		seen[line] = true
		if suffix, icann := publicsuffix.PublicSuffix(line); !icann || suffix == line {
			t.Errorf("%s is not below a public suffix", line)
		}
		if d, err := lists.Domain("jane@" + line); err != nil || !d.FreeMail || d.Host != line {
			t.Errorf("%s: %+v, %v", line, d, err)
		}
		return nil
	})
	if err != nil || len(seen) < 300 {
		t.Errorf("%d entries, %v", len(seen), err)
	}
}

func TestEveryLegalFormIsTakenOff(t *testing.T) {
	seen := map[string]bool{}
	countries := map[string]bool{}
	err := eachLine(embedded(listLegalForms), func(line string) error {
		names, traits, _ := strings.Cut(line, "=")
		for _, w := range strings.Fields(traits) {
			countries[strings.TrimSuffix(w, "!")] = true
		}
		leading := strings.Contains(traits, " leading")
		for spelling := range strings.SplitSeq(names, ",") {
			key := lists.Name(spelling).Key
			folded, _ := tokens(fold(spelling, plain))
			if seen[folded] {
				t.Errorf("%q stands twice", folded)
			}
			seen[folded] = true
			if key == "" {
				t.Errorf("%q alone leaves nothing", spelling)
			}
			behind := lists.Name("Zyxel" + " " + spelling)
			if behind.Key != "zyxel" || behind.Form == "" || behind.Weak != strings.Contains(traits, "weak") {
				t.Errorf("%q behind: %+v", spelling, behind)
			}
			if front := lists.Name(spelling + " Zyxel"); leading != (front.Key == "zyxel") {
				t.Errorf("%q in front: %+v", spelling, front)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for c := range strings.FieldsSeq("US GB DE AT CH FR ES IT NL BE PT PL CZ SK HU RO SE NO DK FI EE LV LT IE AU NZ IN SG MY ZA BR MX JP CN KR RU TR IL AE") {
		if !countries[c] {
			t.Errorf("no legal form of %s", c)
		}
	}
}
