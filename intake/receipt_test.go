package intake

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

// pen signs receipts.
type pen struct{ key ed25519.PrivateKey }

func newPen(seed byte) pen {
	return pen{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))}
}

func (p pen) KeyID() string              { return KeyID(p.key.Public().(ed25519.PublicKey)) }
func (p pen) Sign(message []byte) []byte { return ed25519.Sign(p.key, message) }

func (p pen) ring() Keyring {
	r := make(Keyring)
	r.Add(p.key.Public().(ed25519.PublicKey))
	return r
}

func claimed() Registration {
	return Registration{
		Number: "LG-2026-373125-G", Partner: "brightpath", Status: StatusProvisional,
		Claim:    time.Date(2026, 11, 23, 10, 0, 0, 1000, time.UTC),
		Accepted: time.Date(2026, 11, 23, 10, 0, 1, 0, time.UTC),
		Decided:  time.Date(2026, 11, 23, 10, 0, 2, 0, time.UTC),
		Lead:     Lead{FieldCompanyDomain: "acme.example"}, Policy: strings.Repeat("ab", 32),
		Events: 3, Head: strings.Repeat("cd", 32),
	}
}

// valid reads a receipt out of a text and verifies it.
func valid(text string, keys Keyring) error {
	r, err := ReadReceipt(text)
	if err != nil {
		return err
	}
	return r.Verify(keys)
}

func TestAReceiptSaysWhatTheCaseSaid(t *testing.T) {
	p := newPen(1)
	text := NewReceipt(claimed(), p).Text()
	r, err := ReadReceipt(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(p.ring()); err != nil {
		t.Error(err)
	}
	want := claimed()
	if r.Case != want.Number || r.Partner != want.Partner || !r.Claim.Equal(want.Claim) || !r.Decided.Equal(want.Decided) ||
		r.Status != want.Status || r.Policy != want.Policy || r.Head != want.Head {
		t.Errorf("read %+v", r)
	}
	if strings.Contains(text, "acme") || !r.About("acme.example") || r.About("acme.test") {
		t.Error("the domain is shown, or not to be checked")
	}
	if other := ProspectHash("LG-2026-000000-X", "acme.example"); other == r.Prospect {
		t.Error("two receipts about one domain can be told to be so")
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) > receiptWidth || strings.TrimRight(line, " \t") != line {
			t.Errorf("a mail program may break %q", line)
		}
	}
}

func TestAReceiptSurvivesMail(t *testing.T) {
	p := newPen(1)
	text := NewReceipt(claimed(), p).Text()
	var printable strings.Builder
	qp := quotedprintable.NewWriter(&printable)
	if _, err := qp.Write([]byte("Grüße\n" + text)); err != nil {
		t.Fatal(err)
	}
	if err := qp.Close(); err != nil {
		t.Fatal(err)
	}
	for name, mail := range map[string]string{
		"CRLF":             strings.ReplaceAll(text, "\n", "\r\n"),
		"quoted":           "> " + strings.ReplaceAll(text, "\n", "\n> "),
		"quoted thrice":    ">>> " + strings.ReplaceAll(text, "\n", "\n>>> "),
		"indented":         "    " + strings.ReplaceAll(text, "\n", "\n    "),
		"blanks at ends":   strings.ReplaceAll(text, "\n", "  \n"),
		"empty lines":      strings.ReplaceAll(text, "\n", "\n\n"),
		"among other text": "Dear Ana,\n\nCase: as below\n\n" + text + "\nKey: none\n-- \nMia\n",
		"narrow lines":     narrow(text),
		"quoted-printable": printable.String(),
		"no last newline":  strings.TrimSpace(text),
	} {
		if err := valid(mail, p.ring()); err != nil {
			t.Errorf("%s: %v\n%s", name, err, mail)
		}
	}
}

// narrow breaks all lines at 40 characters, as a small screen does when it copies.
func narrow(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for len(line) > 41 {
			b.WriteString(line[:40] + "\n")
			line = line[40:]
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestAnyChangedByteMakesAReceiptInvalid(t *testing.T) {
	p := newPen(1)
	text := []byte(NewReceipt(claimed(), p).Text())
	step := 1
	if testing.Short() {
		step = 15
	}
	for at, was := range text {
		for b := at % step; b < 256; b += step {
			blank := unicode.IsSpace(rune(was)) && strings.ContainsRune(" \t\r\n\v\f", rune(b))
			if byte(b) == was || blank { // words can stand on any lines
				continue
			}
			text[at] = byte(b)
			if valid(string(text), p.ring()) == nil {
				t.Fatalf("byte %d changed from %q to %q, and the receipt is still valid:\n%s", at, was, byte(b), text)
			}
		}
		text[at] = was
	}
}

func TestNoValueOfAReceiptCanPassForAnother(t *testing.T) {
	p := newPen(1)
	rapid.Check(t, func(t *rapid.T) {
		r := claimed()
		r.Partner = rapid.OneOf(rapid.String(), rapid.Just("x\nProspect: -\n"), rapid.Just("Claimed: -"), rapid.Just("a b > c"), rapid.Just("-")).Draw(t, "partner")
		r.Number = rapid.StringN(1, 90, 200).Draw(t, "number")
		written := NewReceipt(r, p)
		read, err := ReadReceipt(written.Text())
		if err != nil || read.Verify(p.ring()) != nil || read.Partner != r.Partner || read.Case != r.Number {
			t.Fatalf("%v: wrote %q %q, read %q %q", err, r.Partner, r.Number, read.Partner, read.Case)
		}
	})
}

func TestAReceiptIsWorthNothingUnderAnotherKey(t *testing.T) {
	text := NewReceipt(claimed(), newPen(1)).Text()
	if err := valid(text, newPen(2).ring()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another key: %v", err)
	}
	lying := Keyring{newPen(1).KeyID(): newPen(2).key.Public().(ed25519.PublicKey)}
	if err := valid(text, lying); err == nil {
		t.Error("a key under a name that is not its own: no error")
	}
	if err := valid("Dear Ana, thank you.", newPen(1).ring()); err == nil || !strings.Contains(err.Error(), "there is no receipt in it") {
		t.Errorf("no receipt: %v", err)
	}
	if err := valid(text+text, newPen(1).ring()); err == nil || !strings.Contains(err.Error(), "several") {
		t.Errorf("two receipts: %v", err)
	}
}

func TestAReceiptIsComparedWithItsCase(t *testing.T) {
	r, events := history(3)
	r.Claim, r.Partner = time.Unix(10, 0).UTC(), "alpha"
	receipt := NewReceipt(r, newPen(1))
	more := Event{Case: r.Number, N: 4, Kind: EventNotified}
	more.Seal(r.Head)
	later, history := r, append(events, more)
	later.Events, later.Head = 4, more.Hash
	if differ := receipt.Compare(later, history); len(differ) > 0 {
		t.Errorf("a case that went on: %v", differ)
	}
	for name, tt := range map[string]struct {
		change func(*Registration)
		events []Event
		want   string
	}{
		"redated":           {func(r *Registration) { r.Claim = time.Unix(9, 0) }, history, "the claim time of the case is 1970-01-01T00:00:09"},
		"of another":        {func(r *Registration) { r.Partner = "beta" }, history, `the partner of the case is "beta" now`},
		"cut":               {func(*Registration) {}, events[:2], "the event that the receipt was given after is not in the history"},
		"with another past": {func(*Registration) {}, otherPast(r.Number), "the event that the receipt was given after is not in the history"},
	} {
		c := later
		tt.change(&c)
		if differ := fmt.Sprint(receipt.Compare(c, tt.events)); !strings.Contains(differ, tt.want) {
			t.Errorf("%s: %s", name, differ)
		}
	}
}

func otherPast(number string) (events []Event) {
	prev := ""
	for n := 1; n <= 4; n++ {
		e := Event{Case: number, N: n, Actor: "staff:eve"}
		e.Seal(prev)
		prev = e.Hash
		events = append(events, e)
	}
	return events
}

func TestAGatewayWithoutAKeyGivesNoReceipt(t *testing.T) {
	r := claimed()
	if text := (&change{g: &Gateway{}}).receipt(&r); text != "" {
		t.Errorf("got %q", text)
	}
	if text := (&change{g: &Gateway{signer: newPen(1)}}).receipt(&r); valid(text, newPen(1).ring()) != nil {
		t.Errorf("got %q", text)
	}
}

func TestPublicKeysAreReadAsTheyWereWritten(t *testing.T) {
	a, b := newPen(1).key.Public().(ed25519.PublicKey), newPen(2).key.Public().(ed25519.PublicKey)
	file := "# ours\n\n" + FormatKey(a) + " since 2026-01-01\n" + FormatKey(b) + "\n"
	ring, err := ReadKeys(strings.NewReader(file))
	if err != nil || len(ring) != 2 || !ring[KeyID(a)].Equal(a) || !ring[KeyID(b)].Equal(b) {
		t.Errorf("read %v, %v", ring, err)
	}
	for _, word := range []string{"", "ed25519:", "ed25519:AAAA", strings.TrimPrefix(FormatKey(a), "ed25519:"), FormatKey(a) + "A"} {
		if _, err := ParseKey(word); err == nil {
			t.Errorf("%q is no key", word)
		}
	}
}

// The hash of a case of which only the number is known. If this changes, a field shows in the
// JSON of a case though it is zero, and all cases of older stores would look edited: give it
// omitempty or omitzero.
func TestANewFieldLeavesTheHashesOfOldCasesAsTheyWere(t *testing.T) {
	const want = "d43b8d91cffd3bcce9ed78dfb7c66dd088a7ff976db95400c81e3ec7b3fcf6f8"
	if got := bindCase(Registration{Number: "LG-2026-000001-X"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheHashOfACaseDependsOnTheInstantAndNotOnItsZone(t *testing.T) {
	r := claimed()
	r.Protection.End = time.Date(2026, 12, 7, 22, 59, 59, 999999999, time.UTC)
	before := bindCase(r)
	r.Protection.End = r.Protection.End.In(time.FixedZone("", 3600))
	if bindCase(r) != before {
		t.Error("the zone counts")
	}
	r.Protection.End = r.Protection.End.Add(-time.Microsecond)
	if bindCase(r) == before {
		t.Error("the time does not count")
	}
}
