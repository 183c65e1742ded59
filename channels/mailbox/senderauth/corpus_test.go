package senderauth

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"leadgate/channels/mailbox/mailparse"
)

// providers are the names by which the providers of the corpus sign, by the domain of the
// receiving account.
var providers = map[string]Config{
	"aol.com":           {AuthservIDs: []string{"*.mail.ne1.yahoo.com", "*.mail.bf1.yahoo.com", "*.omega.yahoo.com"}},
	"buzon.uy":          {AuthservID: "mail.buzon.uy"},
	"delta.blinzeln.de": {AuthservID: "secure-mailgate.com"},
	"disroot.org":       {AuthservID: "disroot.org"},
	"e.email":           {AuthservIDs: []string{"*.ecloud.global"}},
	"fastmail.com":      {AuthservIDs: []string{"*.messagingengine.com"}},
	"gmail.com":         {AuthservID: "mx.google.com"},
	"gmx.de":            {AuthservID: "gmx.net"},
	"hotmail.com":       {Microsoft: true},
	"icloud.com":        {AuthservIDs: []string{"bimi.icloud.com", "dmarc.icloud.com", "dkim-verifier.icloud.com", "spf.icloud.com"}},
	"ik.me":             {AuthservID: "mx.infomaniak.com"},
	"mail.de":           {AuthservIDs: []string{"*.mail.de"}},
	"mail.ru":           {AuthservID: "mxs.mail.ru"},
	"mailo.com":         {AuthservID: "mailo.com"},
	"nauta.cu":          {AuthservID: "nauta.cu"},
	"outlook.com":       {Microsoft: true},
	"posteo.de":         {AuthservID: "posteo.de"},
	"riseup.net":        {AuthservIDs: []string{"*.riseup.net"}},
	"testrun.org":       {AuthservID: "testrun.org"},
	"yahoo.com":         {AuthservIDs: []string{"*.mail.ne1.yahoo.com", "*.mail.bf1.yahoo.com", "*.omega.yahoo.com"}},
	"yandex.ru":         {AuthservIDs: []string{"*.qloud-c.yandex.net"}},
	"zohomail.eu":       {AuthservID: "mx.zohomail.eu"},
}

// TestRealResults reads what 22 providers really write. The corpus is the test data of
// Delta Chat; what is called forged claims to be somebody else.
func TestRealResults(t *testing.T) {
	corpora := cmp.Or(os.Getenv("LEADGATE_CORPORA"), "../../../../shared/corpora")
	root := path.Join(corpora, "deltachat-authres/test-data/message/dkimchecks-2022-09-28")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no corpus at %s; set LEADGATE_CORPORA to the folder that holds deltachat-authres", root)
	}
	type count struct{ genuine, proven, forged, damaged int }
	all, by := count{}, make(map[string]count)
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		provider := domainOf(path.Dir(file))
		cfg, ok := providers[provider]
		if !ok {
			t.Errorf("%s: unknown provider", file)
		}
		cfg.Mode = ModeResults
		for _, err := range cfg.Validate(false) {
			t.Errorf("%s: %v", provider, err)
		}
		b, err := os.ReadFile(path.Join(root, file))
		if err != nil {
			return err
		}
		p, err := mailparse.Parse(strings.NewReader(string(b)))
		if err != nil || len(p.From) != 1 {
			t.Errorf("%s: %v, %d addresses in From", file, err, len(p.From))
			return nil
		}
		n := by[provider]
		for _, f := range p.Header.All("Authentication-Results") {
			if parseResults(f).damaged {
				n.damaged++
				t.Errorf("%s: a damaged field: %s", file, f)
			}
		}
		v := check(t, cfg, &zone{}, string(b), Envelope{})
		switch {
		case strings.HasPrefix(path.Base(file), "forged"):
			n.forged++
			if v.Strength.Proven() {
				t.Errorf("%s: %s (%s)", file, v.Strength, v.How)
			}
		case v.Strength.Proven():
			n.genuine++
			n.proven++
		default:
			n.genuine++
			if testing.Verbose() {
				t.Logf("not proven: %-60s %s", file, v.How)
			}
		}
		by[provider] = n
		// Nobody's mail is proven to an operator who names a border that it did not pass.
		if v := check(t, Config{Mode: ModeResults, AuthservID: "mx.vendor.example"}, &zone{}, string(b), Envelope{}); v.Strength.Proven() {
			t.Errorf("%s: proven by a border that it did not pass", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for provider, n := range by {
		t.Logf("%-20s %d of %d genuine proven, %d forged", provider, n.proven, n.genuine, n.forged)
		all.genuine, all.proven, all.forged = all.genuine+n.genuine, all.proven+n.proven, all.forged+n.forged
	}
	t.Logf("%d mails: %d of %d genuine proven, %d forged, none of them proven", all.genuine+all.forged, all.proven, all.genuine, all.forged)
	if all.forged == 0 || all.proven*10 < all.genuine*6 {
		t.Error("the corpus is not what it was, or we have become blind")
	}
}
