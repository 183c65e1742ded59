package mailbox

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"leadgate/channels/mailbox/mailparse"
)

var otherKey = []byte("another key of length 16")

func testTokens() tokens { return tokens{key: testKey, domain: "vendor.example"} }

// testIDs are of every form that messages and cases have.
var testIDs = []string{
	"LG-2026-000123-K", "LG-2026-000123-K.2", "LG-2026-1234567-0.12", "P7ABCDEF-2099-999999-Z.999999999",
	"LG-2026-000123-K.2.1763888218000000", "S-0123456789abcdef0123.1", "N-0123456789abcdef0123.12",
	"S-abc.1", "0A-2026-000123-K.2", "LG-1999-000123-K.2", "LG-2026-000123-K.02", "x", "digest für Grün",
}

func TestMessageIDProvesOnlyWhatWeSent(t *testing.T) {
	tok := testTokens()
	id := tok.messageID("LG-2026-000123-K.2")
	old := tokens{key: otherKey, domain: "vendor.example"}.messageID("LG-2026-000123-K.2")
	for name, tt := range map[string]struct {
		id, want string
		forged   bool
	}{
		"ours":                            {id, "LG-2026-000123-K.2", false},
		"in brackets":                     {"<" + id + ">", "LG-2026-000123-K.2", false},
		"in lower case":                   {strings.ToLower(id), "LG-2026-000123-K.2", false},
		"at another domain":               {strings.Replace(id, "@vendor.example", "@relay.example", 1), "LG-2026-000123-K.2", false},
		"of several cases":                {tok.messageID("S-0123456789abcdef0123.1"), "S-0123456789abcdef0123.1", false},
		"of another case":                 {strings.Replace(id, "000123", "000124", 1), "", true},
		"of another message":              {strings.Replace(id, "-K.2.", "-K.3.", 1), "", true},
		"without the MAC":                 {"lg.LG-2026-000123-K.2@vendor.example", "", true},
		"with an empty MAC":               {"lg.LG-2026-000123-K.2.@vendor.example", "", true},
		"a stranger's":                    {"abc@partner.example", "", false},
		"of a Leadgate elsewhere":         {strings.Replace(old, "@vendor.example", "@other.example", 1), "", false},
		"nothing":                         {"", "", false},
		"lg. alone":                       {"lg.@x", "", false},
		"signed with another key":         {old, "", true},
		"with what proves something else": {"lg." + strings.TrimPrefix(tok.tag(forReplies, "LG-2026-000123-K.2"), "r.") + "@vendor.example", "", true},
	} {
		got, forged := tok.message(tt.id)
		if got != tt.want || forged != tt.forged {
			t.Errorf("%s: %q, forged %v", name, got, forged)
		}
	}
}

func TestTagIsGoodForOnePurposeInAnyCase(t *testing.T) {
	tok := testTokens()
	for _, id := range testIDs {
		for _, p := range []purpose{forBounces, forReplies} {
			tag := tok.tag(p, id)
			for _, written := range []string{tag, strings.ToUpper(tag)} {
				if gotP, got := tok.openTag(written); gotP != p || got != id {
					t.Errorf("%s: %q gives %q for %q", id, written, got, gotP)
				}
			}
			swapped := map[byte]string{'b': "r", 'r': "b"}[tag[0]] + tag[1:]
			if _, got := tok.openTag(swapped); got != "" {
				t.Errorf("%s: a token of one purpose is good for the other", id)
			}
			for cut := 2; cut < len(tag); cut++ {
				if gotP, got := tok.openTag(tag[:cut]); gotP != p || got != "" {
					t.Errorf("%s: cut to %d letters it gives %q for %q", id, cut, got, gotP)
				}
			}
		}
	}
	if p, id := tok.openTag(tok.tag(forComplaints, testIDs[0])); p != "" || id != "" {
		t.Errorf("a token for complaints is good for an address: %q for %q", id, p)
	}
	for _, tag := range []string{"", "x", "lead", "newsletter", "b", "r", "berlin.office"} {
		if p, _ := tok.openTag(tag); p != "" {
			t.Errorf("%q, as people write it, is taken for a token for %q", tag, p)
		}
	}
}

// TestNoOtherLetterWillDo puts every other letter in every place of a tag: one token has one
// form, down to the bits that base32 does not need.
func TestNoOtherLetterWillDo(t *testing.T) {
	tok := testTokens()
	for _, id := range testIDs {
		tag := tok.tag(forReplies, id)
		for i := 2; i < len(tag); i++ {
			for _, c := range "abcdefghijklmnopqrstuvwxyz234567=.-+" {
				if other := tag[:i] + string(c) + tag[i+1:]; other != tag {
					if _, got := tok.openTag(other); got != "" {
						t.Errorf("%s: %q for %q gives %q", id, other, tag, got)
					}
				}
			}
		}
	}
}

func TestAddressesWithATagFitALocalPart(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, id := range testIDs[:7] {
		a, ok := m.tagged(forBounces, id)
		local, _, _ := strings.Cut(a, "@")
		if !ok || len(local) > maxLocal || !m.own.has(a) {
			t.Errorf("%s: %d bytes in %q", id, len(local), a)
		}
	}
	long, _ := newTestMailbox(t, Config{Address: strings.Repeat("p", 50) + "@vendor.example"})
	if got := long.returnPath("LG-2026-000123-K.2"); got != long.cfg.Address {
		t.Errorf("without room for a token bounces go to %q", got)
	}
	if got := long.replyTo("LG-2026-000123-K.2", ""); got != "" {
		t.Errorf("without room for a token answers go to %q", got)
	}
}

func TestWhatIsPackedComesBackTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.SampledFrom(testIDs),
			rapid.StringMatching(`[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z](\.[0-9]{1,9}(\.[0-9]{1,18})?)?`),
			rapid.StringMatching(`[A-Z]-([0-9a-f]{2}){1,32}\.[0-9]{1,9}`)).Draw(rt, "id")
		if got := unpack(pack(id)); got != id {
			rt.Fatalf("%q comes back as %q", id, got)
		}
		unpack(rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes"))
	})
}

// FuzzToken checks that a tag comes back in any case and that no other byte may change.
func FuzzToken(f *testing.F) {
	for _, id := range testIDs {
		f.Add(id, uint(3), byte(1))
	}
	tok := testTokens()
	f.Fuzz(func(t *testing.T, id string, at uint, flip byte) {
		if id == "" || len(id) > 1000 {
			return
		}
		tag := tok.tag(forReplies, id)
		if _, got := tok.openTag(strings.ToUpper(tag)); got != id {
			t.Fatalf("%q comes back as %q", id, got)
		}
		b := []byte(tag)
		b[at%uint(len(b))] ^= flip
		if bytes.EqualFold(b, []byte(tag)) {
			return
		}
		if _, got := tok.openTag(string(b)); got != "" {
			t.Fatalf("%q with a flipped byte, %q, gives %q", tag, b, got)
		}
		mid := tok.messageID(strings.Map(printable, id))
		b = []byte(mid)
		i := at % uint(max(1, strings.IndexByte(mid, '@')))
		b[i] ^= flip
		if got, _ := tok.message(string(b)); got != "" && !bytes.EqualFold(b, []byte(mid)) {
			t.Fatalf("%q with a flipped byte, %q, gives %q", mid, b, got)
		}
	})
}

func printable(r rune) rune {
	if r <= ' ' || r >= 0x7f || strings.ContainsRune("@<>", r) {
		return 'x'
	}
	return r
}

func TestThreadIsFoundByTheAddressThenInReplyToThenTheNewestReference(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	tok := m.tokens
	a, b := tok.messageID("LG-2026-000001-A.1"), tok.messageID("LG-2026-000002-B.1")
	plus := "partners+" + tok.tag(forReplies, "LG-2026-000003-C") + "@vendor.example"
	flipped := strings.Replace(plus, "+r.a", "+r.c", 1)
	many := strings.Repeat("<x@y> ", 50)
	for name, tt := range map[string]struct {
		header, want string
		forged       int
	}{
		"the address it was sent to":        {"To: " + plus + "\nIn-Reply-To: <" + a + ">", "LG-2026-000003-C", 0},
		"in capitals":                       {"To: <" + strings.ToUpper(plus) + ">", "LG-2026-000003-C", 0},
		"in Cc":                             {"To: x@y.example\nCc: Vendor <" + plus + ">", "LG-2026-000003-C", 0},
		"in Delivered-To":                   {"To: partners@vendor.example\nDelivered-To: " + plus, "LG-2026-000003-C", 0},
		"in X-Original-To":                  {"X-Original-To: " + plus, "LG-2026-000003-C", 0},
		"in Envelope-To":                    {"Envelope-To: " + plus, "LG-2026-000003-C", 0},
		"in X-Envelope-To":                  {"X-Envelope-To: " + plus, "LG-2026-000003-C", 0},
		"with one letter flipped":           {"To: " + flipped, "", 1},
		"cut short":                         {"To: " + strings.Replace(plus, "@", "@", 1)[:30] + "@vendor.example", "", 1},
		"flipped, but with In-Reply-To":     {"To: " + flipped + "\nIn-Reply-To: <" + a + ">", "LG-2026-000001-A", 1},
		"at another domain":                 {"To: " + strings.Replace(plus, "vendor.example", "evil.example", 1), "", 0},
		"In-Reply-To":                       {"In-Reply-To: <" + a + ">\nReferences: <" + b + ">", "LG-2026-000001-A", 0},
		"the newest reference":              {"References: <" + a + ">,<" + b + "> <other@x>", "LG-2026-000002-B", 0},
		"within the last 32":                {"References: " + many + "<" + a + "> <x@y>", "LG-2026-000001-A", 0},
		"beyond the last 32":                {"References: <" + a + "> " + many, "", 0},
		"400 ids with commas":               {"References: " + strings.Repeat("<x@y>,", 380) + "<" + a + ">," + strings.Repeat("<x@y>,", 20), "LG-2026-000001-A", 0},
		"a foreign In-Reply-To":             {"In-Reply-To: <x@y>\nReferences: <" + a + ">", "LG-2026-000001-A", 0},
		"a summary of several cases":        {"In-Reply-To: <" + tok.messageID("S-0123456789abcdef0123.1") + ">", "", 0},
		"a Message-ID is no thread":         {"Message-ID: <" + a + ">", "", 0},
		"a number in the subject is none":   {"Subject: Re: [LG-2026-000001-A]", "", 0},
		"without brackets, as some send it": {"In-Reply-To: " + a, "LG-2026-000001-A", 0},
		"one that is made up":               {"In-Reply-To: <lg.LG-2026-000001-A.1.aaaaaaaaaaaaaaaa@vendor.example>", "", 1},
	} {
		p, err := mailparse.Parse(strings.NewReader("From: a@b.example\n" + tt.header + "\n\nx"))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.answers(&p, nil); got.caseNumber() != tt.want || got.forged != tt.forged {
			t.Errorf("%s: %+v, want case %q and %d forged", name, got, tt.want, tt.forged)
		}
	}
	p, _ := mailparse.Parse(strings.NewReader("From: a@b.example\nTo: partners@vendor.example\n\nx"))
	if got := m.answers(&p, []string{plus}); got.caseNumber() != "LG-2026-000003-C" {
		t.Errorf("the envelope's recipient: %+v", got)
	}
}

func TestSubjectShowsACaseNumber(t *testing.T) {
	for subject, want := range map[string]string{
		"Re: x [lg-2026-000001-a] [LG-2026-000002-B] y": "LG-2026-000002-B",
		"AW: LG-2026-551682-R":                          "LG-2026-551682-R",
		"re:lg-2026-551682-r, thanks":                   "LG-2026-551682-R",
		"LG-2026-000001-A LG-2026-000002-B":             "LG-2026-000002-B",
		"P7-2026-1551682-0":                             "P7-2026-1551682-0",
		"ABCDEFGHI-2026-551682-R":                       "",
		"LG-2026-551682-RX":                             "",
		"our call on 2026-11-23":                        "",
	} {
		if got := subjectHint(subject); got != want {
			t.Errorf("hint of %q: %q, want %q", subject, got, want)
		}
	}
}
