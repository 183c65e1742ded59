package senderauth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

var fetchedDKIM = Config{Mode: ModeResults, AuthservID: "mx.vendor.example", VerifyDKIM: true}

func TestSignaturesThatWeVerify(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0") // to sign with a key that nobody should
	small, err := rsa.GenerateKey(rand.Reader, 512)
	if err != nil {
		t.Fatal(err)
	}
	z := domains(t)
	z.txt["small._domainkey.partner.example"] = []string{keyRecord(t, small.Public())}
	z.txt["two._domainkey.partner.example"] = append(z.txt["a._domainkey.partner.example"], z.txt["a._domainkey.partner.example"]...)

	good := signed(t, plainMail, "partner.example")
	body := len(plainMail) - strings.Index(plainMail, "\r\n\r\n") - 4
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the mail", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	with := func(f func(*dkim.SignOptions)) string { return signed(t, plainMail, "partner.example", f) }
	strangers := signed(t, plainMail, "mailer.example")
	manyStrangers := good
	for range 7 {
		manyStrangers = strangers[:len(strangers)-len(plainMail)] + manyStrangers
	}
	for name, tt := range map[string]struct {
		mail string
		ok   bool
		how  string
	}{
		"a good signature":                        {good, true, "dkim=pass for partner.example, verified here"},
		"a good signature after our Received":     {"Received: from a by b; now\r\n" + good, true, "dkim=pass"},
		"line ends of UNIX":                       {strings.ReplaceAll(good, "\r\n", "\n"), true, "dkim=pass"},
		"Ed25519":                                 {with(func(o *dkim.SignOptions) { o.Signer, o.Selector = edKey, "ed" }), true, "dkim=pass"},
		"simple canonicalization":                 {with(func(o *dkim.SignOptions) { o.HeaderCanonicalization, o.BodyCanonicalization = "simple", "simple" }), true, "dkim=pass"},
		"signed by hand":                          {handSigned(t, plainMail, "a", goodKey(), crypto.SHA256, "", body, "From", "Subject"), true, "dkim=pass"},
		"a subdomain signs":                       {signed(t, plainMail, "mail.partner.example"), true, "dkim=pass for mail.partner.example"},
		"the second signature is aligned":         {signed(t, good, "mailer.example"), true, "dkim=pass for partner.example"},
		"the eighth signature is aligned":         {manyStrangers, true, "dkim=pass for partner.example"},
		"a broken and a good one":                 {strings.Replace(good, "bh=", "bh=AAAA", 1)[:len(good)+4-len(plainMail)] + good, true, "dkim=pass for partner.example"},
		"the text was changed":                    {replace("Acme", "Evil"), false, "no good (body hash did not verify)"},
		"text was added":                          {good + "more\r\n", false, "body hash"},
		"From was changed":                        {replace("jane@", "john@"), false, "signature did not verify"},
		"the subject was changed":                 {replace("New lead", "Other lead"), false, "signature did not verify"},
		"a stranger signs":                        {strangers, false, "no aligned DKIM signature"},
		"a stranger signs with our user":          {strings.Replace(strangers, "d=mailer.example", "i=@partner.example; d=mailer.example", 1), false, "no aligned"},
		"the mail is of another partner":          {replace("jane@partner.example", "jane@other.example"), false, "no aligned"},
		"expired":                                 {with(func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) }), false, "expired"},
		"not yet expired":                         {with(func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(time.Hour) }), true, "dkim=pass"},
		"it covers a part of the text":            {handSigned(t, plainMail, "a", goodKey(), crypto.SHA256, "l=5; ", 5, "From"), false, "body length"},
		"SHA-1":                                   {handSigned(t, plainMail, "a", goodKey(), crypto.SHA1, "", body, "From"), false, "too weak"},
		"a key of 512 bits":                       {handSigned(t, plainMail, "small", small, crypto.SHA256, "", body, "From"), false, "too short"},
		"it does not cover From":                  {handSigned(t, plainMail, "a", goodKey(), crypto.SHA256, "", body, "Subject"), false, "From field not signed"},
		"a revoked key":                           {with(func(o *dkim.SignOptions) { o.Selector = "revoked" }), false, "revoked"},
		"no key":                                  {with(func(o *dkim.SignOptions) { o.Selector = "lost" }), false, "no key"},
		"two keys":                                {with(func(o *dkim.SignOptions) { o.Selector = "two" }), false, "multiple"},
		"a second From on top":                    {"From: john@partner.example\r\n" + good, false, "more than once"},
		"a second From of the same address":       {"From: jane@partner.example\r\n" + good, false, "more than once"},
		"a second From that is no address":        {"From: nobody\r\n" + good, false, "more than once"},
		"two addresses in From":                   {signed(t, strings.Replace(plainMail, "Jane Doe <", "<john@other.example>, <", 1), "partner.example"), false, "more than one From"},
		"a second subject on top":                 {"Subject: Other\r\n" + good, false, `"subject" more than once`},
		"a Message-ID was added":                  {"Message-ID: <2@x>\r\n" + good, false, `"message-id" more than once`},
		"text was hidden in the header":           {replace("\r\n\r\n", "\r\nCompany Evil\r\n\r\n"), false, "damaged"},
		"a line of mbox on top":                   {"From jane Mon\r\n" + good, false, "damaged"},
		"a blank line on top":                     {"\r\n" + good, false, "damaged"},
		"a stray CR that some take for a newline": {replace("\r\n\r\n", "\r\nX-A: b\r\r\n\r\n"), false, "damaged"},
		"the header alone":                        {good[:strings.Index(good, "\r\n\r\n")+4], false, "body hash"},
		"half the header":                         {good[:strings.Index(good, "\r\nMessage-ID")], false, "not kept whole"},
		"a field without end":                     {replace("\r\n\r\n", "\r\nX-A: "+strings.Repeat("a", maxHeader)+"\r\n\r\n"), false, "damaged"},
		"fields without end":                      {replace("\r\n\r\n", "\r\n"+strings.Repeat("X-A: a\r\n", maxFields)+"\r\n"), false, "damaged"},
		"no signature":                            {plainMail, false, "no aligned DKIM signature"},
		"a signature without anything":            {"DKIM-Signature: \r\n" + plainMail, false, "no aligned"},
		"a signature without end":                 {replace("DKIM-Signature:", "DKIM-Signature: z="+strings.Repeat("a", maxSignature)+";"), false, "no aligned"},
		"a text of blank lines":                   {good + strings.Repeat("\r\n", maxBlank), false, "could not be read"},
		"From has no domain":                      {replace("jane@partner.example", "jane"), false, ""},
		"From has a strange domain":               {replace("jane@partner.example", "jane@localhost"), false, "no domain that could be checked"},
		"no From":                                 {replace("From: Jane Doe <jane@partner.example>\r\n", ""), false, "no From"},
	} {
		t.Run(name, func(t *testing.T) {
			v := check(t, fetchedDKIM, z, tt.mail, Envelope{})
			expect(t, v, tt.ok, tt.how)
			if v.Temporary {
				t.Error("temporary")
			}
		})
	}
}

func TestSignaturesAreAFallback(t *testing.T) {
	z := domains(t)
	z.txt["_dmarc.strict.example"] = []string{"v=DMARC1; p=reject"}
	good := signed(t, plainMail, "partner.example")
	const by = "Authentication-Results: mx.vendor.example; "
	for name, tt := range map[string]struct {
		config Config
		mail   string
		peer   Envelope
		ok     bool
		how    string
	}{
		"the results prove it already":       {fetchedDKIM, by + "dmarc=pass header.from=partner.example\r\n" + plainMail, Envelope{}, true, "dmarc=pass by"},
		"the results prove nothing":          {fetchedDKIM, by + "dkim=none; dmarc=none\r\n" + good, Envelope{}, true, "verified here"},
		"no results":                         {fetchedDKIM, good, Envelope{}, true, "no Authentication-Results; dkim=pass"},
		"a stranger's results":               {fetchedDKIM, "Authentication-Results: x; dmarc=fail\r\n" + good, Envelope{}, true, "verified here"},
		"dmarc=fail is the end of it":        {fetchedDKIM, by + "dmarc=fail\r\n" + good, Envelope{}, false, "dmarc=fail"},
		"dmarc=pass of another domain too":   {fetchedDKIM, by + "dmarc=pass header.from=x.example\r\n" + good, Envelope{}, false, "another domain"},
		"verify_dkim is not set":             {Config{Mode: ModeResults, AuthservID: "mx.vendor.example"}, good, Envelope{}, false, "no Authentication-Results"},
		"delivered by a stranger":            {fetchedDKIM, good, Envelope{Direct: true, IP: sendersServer}, true, "not believed; dkim=pass"},
		"mode direct, delivered":             {Config{Mode: ModeDirect}, good, Envelope{Direct: true, IP: sendersServer}, true, "verified here"},
		"mode direct, by a local socket":     {Config{Mode: ModeDirect}, good, Envelope{Direct: true}, true, "verified here"},
		"mode direct believes no results":    {Config{Mode: ModeDirect, AuthservID: "mx.vendor.example"}, by + "dmarc=pass header.from=partner.example\r\n" + plainMail, Envelope{Direct: true, IP: sendersServer}, false, "no aligned DKIM signature"},
		"no other mode verifies a signature": {Config{Mode: ModeNetworks, TrustedNetworks: []string{"10.0.0.0/8"}}, good, Envelope{}, false, "not delivered by"},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, check(t, tt.config, z, tt.mail, tt.peer), tt.ok, tt.how)
		})
	}
}

func TestStrangersSignaturesAskNothingOfTheirDNS(t *testing.T) {
	z := domains(t)
	check(t, fetchedDKIM, z, signed(t, plainMail, "mailer.example"), Envelope{})
	if n := z.asked.Load(); n != 1 { // the policy of From
		t.Errorf("asked %d times", n)
	}
}

func TestThePositionOfRawIsOfNoAccount(t *testing.T) {
	mail := signed(t, plainMail, "partner.example")
	raw := strings.NewReader(mail)
	if _, err := raw.Seek(100, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	expect(t, checkRaw(t, fetchedDKIM, domains(t), mail, raw, Envelope{}), true, "dkim=pass")
	expect(t, checkRaw(t, fetchedDKIM, domains(t), mail, nil, Envelope{}), false, "not kept whole")
	expect(t, checkRaw(t, fetchedDKIM, domains(t), mail, strings.NewReader(""), Envelope{}), false, "not kept whole")
	expect(t, checkRaw(t, fetchedDKIM, domains(t), mail, panics{}, Envelope{}), false, "gave up")
}

type panics struct{ io.ReadSeeker }

// large is a mail of 35 MB that is nowhere in memory: a header, and a line again and again.
type large struct {
	header, line string
	at, size     int64
	peak         uint64
	reads        int
}

func (l *large) Seek(offset int64, _ int) (int64, error) { l.at = offset; return offset, nil }

func (l *large) Read(p []byte) (int, error) {
	if l.reads++; l.reads%500 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		l.peak = max(l.peak, m.HeapAlloc)
	}
	if l.at >= l.size {
		return 0, io.EOF
	}
	n := 0
	if l.at < int64(len(l.header)) {
		n = copy(p, l.header[l.at:])
	} else {
		for n < len(p) && l.at+int64(n) < l.size {
			i := (l.at + int64(n) - int64(len(l.header))) % int64(len(l.line))
			n += copy(p[n:], l.line[i:])
		}
		n = int(min(int64(n), l.size-l.at))
	}
	l.at += int64(n)
	return n, nil
}

func TestALargeMailIsVerifiedInBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 35 MB many times")
	}
	const size = 35 << 20
	header := plainMail[:strings.Index(plainMail, "\r\n\r\n")+4]
	lines := map[string]string{
		"text":              strings.Repeat("VGhpcyBpcyBhIGxvbmcgYXR0YWNobWVudA", 2) + "\r\n",
		"blank lines":       "\r\n",
		"blanks":            " \t \r\n",
		"some text, blanks": strings.Repeat(" ", 60_000) + "\r\nx\r\n",
	}
	for name, line := range lines {
		for _, form := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
			t.Run(name+", "+string(form), func(t *testing.T) {
				// The signature is over something else, so that all of the mail is read.
				mail := signed(t, header+"x\r\n", "partner.example", func(o *dkim.SignOptions) { o.BodyCanonicalization = form })
				l := &large{header: strings.TrimSuffix(mail, "x\r\n"), line: line, size: size}
				runtime.GC()
				var before runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				v := checkRaw(t, fetchedDKIM, domains(t), mail, l, Envelope{})
				expect(t, v, false, "DKIM")
				grown := int64(l.peak) - int64(before.HeapAlloc)
				t.Logf("%.1f s, heap grew by %.1f MB: %s", time.Since(start).Seconds(), float64(grown)/(1<<20), v.How)
				if grown > 16<<20 {
					t.Errorf("heap grew by %d MB", grown>>20)
				}
			})
		}
	}
}
