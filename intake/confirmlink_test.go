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
		w.say(token, false, numbers[6])
		v := w.say(token, true, append(slices.Clone(numbers[:6]), other.Case, "LG-2026-000000-0")...)
		if !v.Done || len(v.Waiting) != 0 {
			w.Errorf("the link was answered, and shows %+v", v.Waiting)
		}
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
		form, _, err := w.gateway.FormLink(w.Context(), "alpha", intake.PurposeForm)
		if err != nil {
			t.Fatal(err)
		}
		_, form, _ = strings.Cut(form, "?p=")
		done := w.doneToken(r, "")
		ctx := w.Context()
		pages := map[string]func(string) error{
			"confirm": func(s string) error { _, err := w.gateway.ConfirmationByLink(ctx, s); return err },
			"form":    func(s string) error { _, _, err := w.gateway.FormByLink(ctx, s); return err },
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
		link, _, err := w.gateway.FormLink(ctx, "alpha", intake.PurposeForm)
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(link, "?p=")
		if p, proves, err := w.gateway.FormByLink(ctx, token); err != nil || p.ID != "alpha" || !proves {
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
		if _, _, err := w.gateway.FormByLink(ctx, token); !errors.Is(err, intake.ErrLinkRevoked) {
			w.Errorf("revoked: %v", err)
		}
		again, _, err := w.gateway.FormLink(ctx, "alpha", intake.PurposeForm)
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ = strings.Cut(again, "?p=")
		if _, _, err := w.gateway.FormByLink(ctx, token); err != nil {
			w.Errorf("a new one: %v", err)
		}
		if _, _, err := w.gateway.FormLink(ctx, "nobody", intake.PurposeForm); !errors.Is(err, intake.ErrNotFound) {
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
			token := w.doneToken(r, "")
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
		d, err := w.gateway.DoneByLink(w.Context(), w.doneToken(proven, "alpha"))
		if err != nil || d.Status == "" || d.Contact.Email == "" {
			w.Errorf("the proven are shown %+v, %v", d, err)
		}
		w.pass(2 * time.Hour)
		if d, _ := w.gateway.DoneByLink(w.Context(), w.doneToken(proven, "beta")); d.Status != "" {
			w.Errorf("another partner is shown %+v", d)
		}
	})
}

func (w *world) doneToken(r intake.Receipt, partner string) string {
	w.Helper()
	link, err := w.gateway.DoneLink(w.Context(), r, partner)
	if err != nil {
		w.Fatal(err)
	}
	return tokenOf(link)
}

func TestALinkForPagesProvesNothing(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		link, _, err := w.gateway.FormLink(w.Context(), "alpha", intake.PurposeEmbed)
		if err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(link, "?p=")
		if p, proves, err := w.gateway.FormByLink(w.Context(), token); err != nil || p.ID != "alpha" || proves {
			w.Errorf("%s, proves %v, %v", p.ID, proves, err)
		}
	})
}

func TestTheDonePageEndsWithTheLinksOfTheCase(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		token := w.doneToken(r, "alpha")
		status := func() string {
			d, err := w.gateway.DoneByLink(w.Context(), token)
			if err != nil {
				w.Fatal(err)
			}
			return d.Status
		}
		if status() == "" {
			w.Fatal("the proven have no link to the status")
		}
		w.pass(80 * 24 * time.Hour)
		late := tokenOf(status())
		w.pass(11 * 24 * time.Hour)
		if _, err := w.gateway.StatusByLink(w.Context(), late); !errors.Is(err, intake.ErrLinkExpired) {
			w.Errorf("the link to the status lives longer than the page that gave it: %v", err)
		}
		token = w.doneToken(r, "alpha")
		if _, err := w.gateway.RevokeLinks(w.Context(), r.Case, "mia"); err != nil {
			t.Fatal(err)
		}
		if s := status(); s != "" {
			w.Errorf("the links of the case were revoked, the page still gives %s", s)
		}
		again := r
		again.Known = true
		if d, err := w.gateway.DoneByLink(w.Context(), w.doneToken(again, "alpha")); err != nil || d.Contact.Email != "" {
			w.Errorf("a repeat is shown %+v, %v", d.Contact, err)
		}
	})
}

// asked counts the questions to addresses.
func (w *world) asked(addresses ...string) (n int) {
	for _, m := range w.channel.messages() {
		if m.Kind == intake.MessageConfirm && (len(addresses) == 0 || slices.Contains(addresses, m.To.Address)) {
			n++
		}
	}
	return n
}

// forge types registrations under somebody's address.
func (w *world) forge(n int, address string) (numbers []string) {
	for range n {
		w.sent++
		numbers = append(numbers, w.accept(w.typed(address, named(fmt.Sprint("Junk ", w.sent), fmt.Sprintf("j%d.example", w.sent)))).Case)
		w.pass(time.Second)
	}
	return numbers
}

// Whoever types somebody's address again and again does not keep that person from confirming: he
// is asked anew each day, and each page shows what waits.
func TestForgeriesDontSilenceAnAddress(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		w.forge(5, "ana@alpha.example")
		w.pass(70 * time.Hour)
		w.forge(55, "ana@alpha.example")
		w.pass(4 * time.Hour) // the first have expired, with the links that were mailed for them
		own := w.accept(w.typed("ana@alpha.example", acme()))
		w.pass(time.Minute)
		token := w.linkedTo("ana@alpha.example")
		if v := w.pageOf(token); !slices.ContainsFunc(v.Waiting, func(c intake.Confirmable) bool { return c.Case == own.Case }) {
			w.Fatalf("her registration is not among the %d on the page", len(v.Waiting))
		}
		w.say(token, true, own.Case)
		w.pass(time.Minute)
		w.wantStatus(own.Case, intake.StatusProvisional)
		if n := w.asked("ana@alpha.example"); n != 10 {
			w.Errorf("she was asked %d times", n)
		}
	})
}

func TestWhatIsNotAskedCountsAsNoQuestion(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		junk := w.forge(100, "ana@alpha.example")
		w.pass(time.Minute)
		token := w.linkedTo("ana@alpha.example")
		w.say(token, false, junk...)
		w.pass(25 * time.Hour)
		before := w.asked()
		w.forge(1, "ana@alpha.example")
		w.pass(time.Minute)
		if w.asked() != before+1 {
			w.Error("she was not asked, a day later")
		}
	})
}

func TestNobodysMailboxIsFloodedThroughAForm(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		for i := range 60 {
			w.forge(1, fmt.Sprintf("ana+%d@alpha.example", i))
		}
		if n := w.asked(); n != 5 {
			w.Errorf("one mailbox got %d questions", n)
		}
		for i := range 300 {
			w.forge(1, fmt.Sprintf("somebody%d@alpha.example", i))
		}
		if n := w.asked(); n > 100 {
			w.Errorf("one domain got %d questions", n)
		}
	})
}

func TestAnAnsweredLinkConfirmsNothingMore(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		first := w.forge(1, "ana@alpha.example")[0]
		token := w.linkedTo("ana@alpha.example")
		w.say(token, false, first)
		later := w.forge(1, "ana@alpha.example")[0]
		if v := w.pageOf(token); len(v.Waiting) != 0 || !v.Done {
			w.Errorf("it shows %+v", v)
		}
		w.say(token, true, later)
		w.pass(time.Minute)
		w.wantStatus(later, intake.StatusQuarantined)
	})
}

func TestWhoHasLeftIsAskedNothing(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		w.forge(3, "x@gone.example")
		w.pass(time.Minute)
		if n := w.asked(); n != 0 {
			w.Errorf("asked %d times", n)
		}
	})
}

// What waited to be confirmed is found by its address no longer once it does not wait.
func TestNoAddressStaysInTheListOfWhatWaits(t *testing.T) {
	inLinkedWorld(t, func(w *world) {
		numbers := w.forge(4, "ana@alpha.example")
		w.say(w.linkedTo("ana@alpha.example"), true, numbers[0])
		if _, err := w.gateway.Erase(w.Context(), numbers[1], intake.Verdict{By: "mia", Rationale: "asked for by the person"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.gateway.Assign(w.Context(), numbers[2], "alpha", intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.pass(80 * time.Hour) // the last one expires
		err := w.store.View(w.Context(), func(tx intake.Tx) error {
			left, err := tx.ScanRecords("waiting_confirm", "", "", 10)
			if len(left) > 0 {
				w.Errorf("left: %v", left)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
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
