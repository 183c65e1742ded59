package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// typed is what a visitor of a form sent, who typed an address.
func (w *world) typed(from string, l intake.Lead) intake.Submission {
	s := w.forged(from, l)
	s.Typed = true
	return s
}

// linkedTo is the token of the page that the last question leads to.
func (w *world) linkedTo(address string) string {
	w.Helper()
	all := w.channel.messages()
	for _, m := range slices.Backward(all) {
		if m.Kind == intake.MessageConfirm && m.To.Address == address {
			return tokenOf(m.Facts.ConfirmLink)
		}
	}
	w.Fatalf("%s was not asked; told %d messages", address, len(all))
	return ""
}

// inLinkedWorld is a world whose gateway has pages.
func inLinkedWorld(t *testing.T, fn func(w *world), options ...option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		links, err := intake.NewLinks("https://partners.vendor.example", []byte(linkKey))
		if err != nil {
			t.Fatal(err)
		}
		newWorldWith(t, memstore.New(memstore.RunTwice()), func(o *intake.Options) { o.Links = links }, options...).live(fn)
	})
}

func (w *world) pageOf(token string) intake.Confirmation {
	w.Helper()
	v, err := w.gateway.ConfirmationByLink(w.Context(), token)
	if err != nil {
		w.Fatal(err)
	}
	return v
}

func (w *world) say(token string, mine bool, numbers ...string) intake.Confirmation {
	w.Helper()
	v, err := w.gateway.ConfirmByLink(w.Context(), token, numbers, mine)
	if err != nil {
		w.Fatal(err)
	}
	return v
}

func TestWhatWasTypedCountsOnceTheMailedLinkConfirmsIt(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		s := w.typed("ana@alpha.example", acme())
		r := w.accept(s)
		w.pass(time.Hour)
		w.wantStatus(r.Case, intake.StatusQuarantined)
		token := w.linkedTo("ana@alpha.example")

		v := w.pageOf(token) // as scanners of mail do: nothing happens
		if v.Done || len(v.Waiting) != 1 || v.Waiting[0].Case != r.Case || v.Waiting[0].Company == "" || v.Address != "ana@alpha.example" {
			w.Errorf("the page shows %+v", v)
		}
		w.wantStatus(r.Case, intake.StatusQuarantined)

		if v = w.say(token, true, r.Case); !v.Done || len(v.Waiting) != 0 {
			w.Errorf("afterwards it shows %+v", v)
		}
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusProvisional)
		if got.Partner != "alpha" || got.Strength != intake.StrengthVerified || !got.Claim.Equal(s.ReceivedAt.UTC().Truncate(time.Microsecond)) {
			w.Errorf("case %+v", got)
		}
		if v = w.say(token, true, r.Case); !v.Done { // the link again
			w.Errorf("the second time it shows %+v", v)
		}
		if v = w.say(token, false, r.Case); !v.Done {
			w.Errorf("the third time it shows %+v", v)
		}
		w.wantStatus(r.Case, intake.StatusProvisional)
	})
}

func TestOnePageConfirmsAllThatWaitsForAnAddress(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		var numbers []string
		for i := range 8 {
			r := w.accept(w.typed("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("c%d.example", i))))
			numbers = append(numbers, r.Case)
			w.pass(time.Minute)
		}
		other := w.accept(w.typed("bob@alpha.example", named("Other", "other.example")))
		w.pass(time.Minute)
		asked := 0
		for _, m := range w.channel.messages() {
			if m.Kind == intake.MessageConfirm && m.To.Address == "ana@alpha.example" {
				asked++
			}
		}
		if asked != 5 {
			w.Errorf("ana was asked %d times a day", asked)
		}
		token := w.linkedTo("ana@alpha.example")
		if v := w.pageOf(token); len(v.Waiting) != 8 {
			w.Fatalf("%d wait", len(v.Waiting))
		}
		v := w.say(token, true, append(slices.Clone(numbers[:6]), other.Case, "LG-2026-000000-0")...)
		if len(v.Waiting) != 2 {
			w.Errorf("%+v wait afterwards", v.Waiting)
		}
		w.say(token, false, numbers[6])
		w.pass(time.Second)
		for i, n := range numbers {
			want := intake.StatusProvisional
			switch i {
			case 6:
				want = intake.StatusWithdrawn
			case 7:
				want = intake.StatusQuarantined
			}
			w.wantStatus(n, want)
		}
		w.wantStatus(other.Case, intake.StatusQuarantined) // is not ana's to confirm
	})
}

// Who confirms each of his registrations is asked about each.
func TestWhoAnswersIsAskedAgain(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		for i := range 12 {
			r := w.accept(w.typed("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("c%d.example", i))))
			w.pass(time.Minute)
			if v := w.say(w.linkedTo("ana@alpha.example"), true, r.Case); !v.Done {
				w.Fatalf("the link that was mailed last is not of registration %d: %+v", i, v)
			}
			w.pass(time.Minute)
			w.wantStatus(r.Case, intake.StatusProvisional)
		}
	}, budgeted)
}

func TestALinkIsGoodForItsPurposeAndItsTime(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		r := w.accept(w.typed("ana@alpha.example", acme()))
		w.pass(time.Second)
		confirm := w.linkedTo("ana@alpha.example")
		form, _, err := w.gateway.FormLink(w.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		_, form, _ = strings.Cut(form, "?p=")
		done := tokenOf(w.gateway.DoneLink(r.Case, ""))
		ctx := w.Context()
		pages := map[string]func(string) error{
			"confirm": func(s string) error { _, err := w.gateway.ConfirmationByLink(ctx, s); return err },
			"form":    func(s string) error { _, err := w.gateway.FormByLink(ctx, s); return err },
			"done":    func(s string) error { _, err := w.gateway.DoneByLink(ctx, s); return err },
			"status":  func(s string) error { _, err := w.gateway.StatusByLink(ctx, s); return err },
			"desk":    func(s string) error { _, err := w.gateway.Linked(ctx, s); return err },
		}
		tokens := map[string]string{"confirm": confirm, "form": form, "done": done}
		for name, token := range tokens {
			for page, open := range pages {
				err := open(token)
				if page == name && err != nil || page != name && !errors.Is(err, intake.ErrLinkInvalid) {
					w.Errorf("a link for %s opens the page %s: %v", name, page, err)
				}
				altered := []byte(token)
				altered[len(altered)-2] ^= 1
				if err := open(string(altered)); !errors.Is(err, intake.ErrLinkInvalid) {
					w.Errorf("altered, %s: %v", page, err)
				}
			}
		}
		for _, step := range []struct {
			after time.Duration
			dead  string
		}{{73 * time.Hour, "confirm"}, {88 * 24 * time.Hour, "done"}, {300 * 24 * time.Hour, "form"}} {
			w.pass(step.after)
			if err := pages[step.dead](tokens[step.dead]); !errors.Is(err, intake.ErrLinkExpired) {
				w.Errorf("%s, later: %v", step.dead, err)
			}
		}
	})
}

func TestAFormLinkIsItsPartnersUntilItIsRevoked(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		ctx := w.Context()
		link, _, err := w.gateway.FormLink(ctx, "alpha")
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(link, "?p=")
		if p, err := w.gateway.FormByLink(ctx, token); err != nil || p.ID != "alpha" {
			w.Errorf("%+v, %v", p, err)
		}
		for address, want := range map[string]bool{
			"ana@alpha.example": true, "ANA@Alpha.example": true, "bo@beta.example": false, "x@stranger.example": false, "ana@alpha.example.evil.com": false,
		} {
			if got, err := w.gateway.SpeaksFor(ctx, "alpha", address); got != want || err != nil {
				w.Errorf("%s speaks for alpha: %v, %v", address, got, err)
			}
		}
		if err := w.gateway.RevokeFormLinks(ctx, "alpha"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.gateway.FormByLink(ctx, token); !errors.Is(err, intake.ErrLinkRevoked) {
			w.Errorf("revoked: %v", err)
		}
		again, _, err := w.gateway.FormLink(ctx, "alpha")
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ = strings.Cut(again, "?p=")
		if _, err := w.gateway.FormByLink(ctx, token); err != nil {
			w.Errorf("a new one: %v", err)
		}
		if _, _, err := w.gateway.FormLink(ctx, "nobody"); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("of nobody: %v", err)
		}
	})
}

// Whoever typed somebody's address must not learn by the page of his own submission what becomes
// of it, nor whether the address is a partner's.
func TestTheDonePageOfTheUnprovenTellsNothing(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		seen := func(from string) intake.Done {
			r := w.accept(w.typed(from, acme()))
			token := tokenOf(w.gateway.DoneLink(r.Case, ""))
			w.pass(2 * time.Hour)
			d, err := w.gateway.DoneByLink(context.Background(), token)
			if err != nil {
				t.Fatal(err)
			}
			if from == "ana@alpha.example" {
				w.say(w.linkedTo(from), true, r.Case)
				w.pass(time.Hour)
				w.wantStatus(r.Case, intake.StatusProvisional)
				after, err := w.gateway.DoneByLink(context.Background(), token)
				if err != nil || after != d {
					w.Errorf("after the confirmation it shows %+v, before %+v (%v)", after, d, err)
				}
			}
			d.Case, d.Received = "", time.Time{}
			return d
		}
		if partner, stranger := seen("ana@alpha.example"), seen("x@stranger.example"); partner != stranger {
			w.Errorf("a partner's shows %+v, a stranger's %+v", partner, stranger)
		}
		proven := w.submit("ana@alpha.example", named("Two", "two.example"))
		d, err := w.gateway.DoneByLink(w.Context(), tokenOf(w.gateway.DoneLink(proven.Case, "alpha")))
		if err != nil || d.Status == "" || d.Contact.Email == "" {
			w.Errorf("the proven are shown %+v, %v", d, err)
		}
		w.pass(2 * time.Hour)
		if d, _ := w.gateway.DoneByLink(w.Context(), tokenOf(w.gateway.DoneLink(proven.Case, "beta"))); d.Status != "" {
			w.Errorf("another partner is shown %+v", d)
		}
	})
}

func TestWhatWasNotConfirmedInTimeCanBeSentAgainInTheSameWords(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		asked := func() (n int) {
			for _, m := range w.channel.messages() {
				if m.Kind == intake.MessageConfirm && m.To.Address == "ana@alpha.example" {
					n++
				}
			}
			return n
		}
		s := w.typed("ana@alpha.example", acme())
		s.Content, s.Deliberate = "the same words", true
		first := w.accept(s)
		w.pass(80 * time.Hour)
		before := asked()
		s.Key, s.ReceivedAt = "form:again", time.Now()
		again := w.accept(s)
		w.pass(time.Minute)
		if again.Case == first.Case || again.Known || asked() != before+1 {
			w.Errorf("after %s ended, answered %+v; asked %d times, then %d", first.Case, again, before, asked())
		}
	})
}

func TestWhatWasDiscardedCanBeSentAgainInTheSameWords(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		s := w.typed("ana@alpha.example", acme())
		s.Content, s.Deliberate = "the same words", true
		first := w.accept(s)
		w.pass(time.Minute)
		w.say(w.linkedTo("ana@alpha.example"), false, first.Case)
		s.Key, s.ReceivedAt = "form:again", time.Now()
		again := w.accept(s)
		w.pass(time.Minute)
		w.wantStatus(again.Case, intake.StatusQuarantined)
	})
}
