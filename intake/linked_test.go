package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
)

const linkKey = "0123456789abcdef0123456789abcdef"

// withLinks is the world's gateway once more, with pages.
func (w *world) withLinks(staff ...intake.Staff) (*intake.Gateway, *intake.Links) {
	w.Helper()
	policy, err := rules.Read(w.source, identity.Default())
	if err != nil {
		w.Fatal(err)
	}
	return linkedGateway(w, w.store, policy, staff...)
}

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func linkedGateway(t fatal, store intake.Store, policy intake.Policy, staff ...intake.Staff) (*intake.Gateway, *intake.Links) {
	t.Helper()
	links, err := intake.NewLinks("https://partners.vendor.example", []byte(linkKey))
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := intake.New(intake.Options{
		Store: store, Policy: policy, Identity: identity.Default(), Numbers: numbers, Program: "Vendor", Links: links, Staff: staff, Signer: testKey,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g, links
}

func tokenOf(link string) string { return link[strings.LastIndexByte(link, '/')+1:] }

// deskToken is the token by which somebody can do something about a case as it is now.
func (w *world) deskToken(links *intake.Links, number string, act intake.StaffAct, by string) string {
	w.Helper()
	r := w.story(number).Registration
	return tokenOf(links.Desk(intake.DeskGrant(&r, act, by, time.Now())))
}

func (w *world) statusToken(links *intake.Links, number string) string {
	w.Helper()
	r := w.story(number).Registration
	return tokenOf(links.Status(intake.StatusGrant(&r, time.Now())))
}

func TestALinkOfStaffShowsTheCaseAndDecidesItOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		r := w.submit("ana@alpha.example", acme())
		token := w.deskToken(links, r.Case, intake.ActApprove, "mia")
		for range 3 { // a scanner may look as often as it likes
			v, err := g.Linked(w.Context(), token)
			if err != nil || !v.May || v.Dossier.Registration.Number != r.Case || len(v.Since) != 0 {
				t.Fatalf("%+v, %v", v, err)
			}
		}
		w.wantStatus(r.Case, intake.StatusInReview)
		var done, refused sync.Map
		var both sync.WaitGroup
		for i := range 2 {
			both.Go(func() {
				if _, err := g.ActLinked(w.Context(), token, intake.Deed{Verdict: intake.Verdict{By: "somebody else"}}); err == nil {
					done.Store(i, true)
				} else if errors.Is(err, intake.ErrLinkStale) {
					refused.Store(i, true)
				}
			})
		}
		both.Wait()
		if count(&done) != 1 || count(&refused) != 1 {
			t.Errorf("of two at once %d were done and %d found it stale", count(&done), count(&refused))
		}
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusProvisional)
		v, err := g.Linked(w.Context(), token)
		if !errors.Is(err, intake.ErrLinkStale) || len(v.Since) != 1 || v.Since[0].Actor != "staff:mia" {
			t.Errorf("afterwards it shows %+v, %v", v.Since, err)
		}
	}, assist)
}

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestOurOwnDeliveriesDoNotMakeALinkStale(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		w.channel.fail = func(intake.Message) error { return errDown }
		number := w.submit("ana@alpha.example", acme()).Case
		w.wantStatus(number, intake.StatusInReview)
		w.channel.mu.Lock()
		w.channel.fail = nil
		w.channel.mu.Unlock()
		token := w.deskToken(links, number, intake.ActApprove, "mia")
		before := w.story(number).Registration
		w.pass(time.Hour)
		after := w.story(number).Registration
		if after.Revision == before.Revision {
			t.Fatal("nothing was delivered in the meantime; this proves nothing")
		}
		if _, err := g.RevokeLinks(w.Context(), number, "jo"); err != nil {
			t.Fatal(err)
		}
		if v, err := g.Linked(w.Context(), token); err != nil || len(v.Since) != 0 {
			t.Errorf("%+v, %v", v.Since, err)
		}
	}, assist)
}

func TestWhatThePartnerAddsHasToBeSeenBeforeADecision(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		r := w.submit("ana@alpha.example", acme())
		token := w.deskToken(links, r.Case, intake.ActExtend, "mia")
		if _, err := w.gateway.Approve(w.Context(), r.Case, intake.Verdict{By: "jo"}); err != nil {
			t.Fatal(err)
		}
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Days: 5}); !errors.Is(err, intake.ErrLinkStale) {
			t.Errorf("a case that moved: %v", err)
		}
		w.pass(time.Second)
		token = w.deskToken(links, r.Case, intake.ActExtend, "mia")
		more := w.submission("ana@alpha.example", intake.Lead{intake.FieldContactPhone: "+49 30 1234567"})
		more.Case = r.Case
		w.accept(more)
		w.pass(time.Second)
		v, err := g.Linked(w.Context(), token)
		if err != nil || len(v.Since) == 0 {
			t.Fatalf("%+v, %v", v.Since, err)
		}
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Days: 5}); !errors.Is(err, intake.ErrCaseChanged) {
			t.Errorf("what was not shown: %v", err)
		}
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Days: 500, Shown: v.Dossier.Registration.Revision}); err == nil {
			t.Error("an act that its own checks refuse is done")
		}
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Days: 5, Shown: v.Dossier.Registration.Revision}); err != nil {
			t.Errorf("what was shown: %v", err)
		}
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Days: 5, Shown: 1000}); !errors.Is(err, intake.ErrLinkStale) {
			t.Errorf("the same again: %v", err)
		}
		if held := w.story(r.Case).Registration.Protection; held.Extended != 1 {
			t.Errorf("extended %d times", held.Extended)
		}
	}, assist)
}

func TestACaseThatMovedByItselfMakesALinkStale(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		r := w.submit("ana@alpha.example", acme())
		w.wantStatus(r.Case, intake.StatusProvisional)
		token := w.deskToken(links, r.Case, intake.ActDecline, "mia")
		w.pass(20 * 24 * time.Hour)
		w.wantStatus(r.Case, intake.StatusExpired)
		if _, err := g.Linked(w.Context(), token); !errors.Is(err, intake.ErrLinkStale) {
			t.Error(err)
		}
	})
}

func TestAnActTakesARoleThatPermitsIt(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks(
			intake.Staff{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}},
			intake.Staff{Name: "vic", Roles: []intake.Role{intake.RoleViewer}},
			intake.Staff{Name: "sam", Roles: []intake.Role{intake.RolePartnerManager}, Partners: []string{"beta"}},
		)
		r := w.submit("ana@alpha.example", acme())
		for by, want := range map[string]error{"vic": intake.ErrNotAllowed, "sam": intake.ErrNotAllowed, "left": intake.ErrLinkRevoked, "MIA@vendor.example": nil} {
			token := w.deskToken(links, r.Case, intake.ActAsk, by)
			v, err := g.Linked(w.Context(), token)
			if seen := err == nil; seen != (by != "left") || v.May != (want == nil) {
				t.Errorf("%s: may %v, %v", by, v.May, err)
			}
			if want == nil {
				continue
			}
			if _, err := g.ActLinked(w.Context(), token, intake.Deed{Verdict: intake.Verdict{Message: "Who is the sponsor?"}}); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", by, err, want)
			}
		}
		w.wantStatus(r.Case, intake.StatusInReview)
		token := w.deskToken(links, r.Case, intake.ActAsk, "MIA@vendor.example")
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Verdict: intake.Verdict{Message: "Who is the sponsor?"}}); err != nil {
			t.Error(err)
		}
		w.wantStatus(r.Case, intake.StatusNeedsInfo)
	}, assist)
}

func TestEveryActIsDoneOrSaysThatItIsNotPossibleYet(t *testing.T) {
	for _, act := range intake.StaffActs() {
		t.Run(string(act), func(t *testing.T) {
			inWorld(t, func(w *world) {
				g, links := w.withLinks()
				r := w.submit("ana@alpha.example", acme())
				deed := intake.Deed{Days: 5, Verdict: intake.Verdict{Rationale: "It was agreed on the phone.", Message: "Who is the sponsor?"}}
				_, err := g.ActLinked(w.Context(), w.deskToken(links, r.Case, act, "mia"), deed)
				var input *intake.ErrInput
				var illegal *intake.IllegalTransition
				if err != nil && !errors.Is(err, intake.ErrNotYet) && !errors.As(err, &input) && !errors.As(err, &illegal) {
					t.Error(err)
				}
			}, assist)
		})
	}
}

func TestALinkThatIsNotGoodShowsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		r := w.submit("ana@alpha.example", acme())
		status, desk := w.statusToken(links, r.Case), w.deskToken(links, r.Case, intake.ActApprove, "mia")
		if v, err := g.StatusByLink(w.Context(), status); err != nil || v.Case != r.Case {
			t.Fatalf("%+v, %v", v, err)
		}
		other, err := intake.NewLinks("https://partners.vendor.example", []byte(strings.Repeat("x", 32)))
		if err != nil {
			t.Fatal(err)
		}
		reg := w.story(r.Case).Registration
		gone := acme()
		gone[intake.FieldCompanyDomain] = "gone.example"
		erased := w.story(w.submit("ana@alpha.example", gone).Case).Registration
		must(w, "erase")(w.gateway.Erase(w.Context(), erased.Number, because("mia", "asked for by its contact")))
		unknown := reg
		unknown.Number = "LG-2026-111111-1"
		now := time.Now()
		for name, tt := range map[string]struct {
			token string
			want  error
		}{
			"empty":              {"", intake.ErrLinkInvalid},
			"one letter changed": {flip(status), intake.ErrLinkInvalid},
			"of another key":     {tokenOf(other.Status(intake.StatusGrant(&reg, now))), intake.ErrLinkInvalid},
			"of staff":           {desk, intake.ErrLinkInvalid},
			"about no case":      {tokenOf(links.Status(intake.Grant{Expires: now.Add(time.Hour).Unix()})), intake.ErrLinkInvalid},
			"of an erased case":  {tokenOf(links.Status(intake.StatusGrant(&erased, now))), intake.ErrLinkInvalid},
			"of no case of ours": {tokenOf(links.Status(intake.StatusGrant(&unknown, now))), intake.ErrLinkInvalid},
			"expired":            {tokenOf(links.Status(intake.StatusGrant(&reg, now.Add(-intake.LinkLife)))), intake.ErrLinkExpired},
		} {
			if v, err := g.StatusByLink(w.Context(), tt.token); !errors.Is(err, tt.want) || v != (intake.SafeView{}) {
				t.Errorf("a partner's link %s: %+v, %v", name, v, err)
			}
		}
		for name, token := range map[string]string{
			"a partner's": status, "of an erased case": tokenOf(links.Desk(intake.DeskGrant(&erased, intake.ActApprove, "mia", now))),
			"of no case of ours": tokenOf(links.Desk(intake.DeskGrant(&unknown, intake.ActApprove, "mia", now))),
			"changed":            flip(desk),
		} {
			if v, err := g.Linked(w.Context(), token); !errors.Is(err, intake.ErrLinkInvalid) || v.Dossier.Registration.Number != "" {
				t.Errorf("a link of staff, %s: %v", name, err)
			}
			if _, err := g.ActLinked(w.Context(), token, intake.Deed{}); !errors.Is(err, intake.ErrLinkInvalid) {
				t.Errorf("acting by a link of staff, %s: %v", name, err)
			}
		}
		if _, err := w.gateway.StatusByLink(w.Context(), status); !errors.Is(err, intake.ErrLinkInvalid) {
			t.Errorf("a gateway without pages: %v", err)
		}
	}, assist)
}

// flip changes the last whole letter of a token.
func flip(token string) string {
	i := len(token) - 2
	c := byte('A')
	if token[i] == 'A' {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

func TestLinksThatWereSentCanBeRevoked(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		r := w.submit("ana@alpha.example", acme())
		old := w.statusToken(links, r.Case)
		if _, err := g.RevokeLinks(w.Context(), strings.ToLower(r.Case), "mia"); err != nil {
			t.Fatal(err)
		}
		if _, err := g.StatusByLink(w.Context(), old); !errors.Is(err, intake.ErrLinkRevoked) {
			t.Errorf("the old link: %v", err)
		}
		if _, err := g.StatusByLink(w.Context(), w.statusToken(links, r.Case)); err != nil {
			t.Errorf("a new one: %v", err)
		}
		events := w.story(r.Case).Events
		if last := events[len(events)-1]; last.Kind != intake.EventUnlinked || last.Actor != "staff:mia" {
			t.Errorf("the history ends with %+v", last)
		}
		var input *intake.ErrInput
		if _, err := g.RevokeLinks(w.Context(), "LG-1", "mia"); !errors.As(err, &input) {
			t.Errorf("no case number: %v", err)
		}
		if _, err := g.RevokeLinks(w.Context(), r.Case, ""); !errors.As(err, &input) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestTheStatusPageSaysWhatComesNext(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks()
		first := w.submit("ana@alpha.example", acme())
		second := w.submit("tom@beta.example", acme())
		asked := w.submit("tom@beta.example", intake.Lead{intake.FieldCompanyName: "Zeta"})
		for number, want := range map[string]string{
			first.Case:  "Acme GmbH approved Jo provisional until show_next_step due",
			second.Case: "Acme GmbH waitlisted Mia Lund none turn",
			asked.Case:  "Zeta waiting_for_you Mia Lund none answer due",
		} {
			v, err := g.StatusByLink(w.Context(), w.statusToken(links, number))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(v.Company, " ", v.Stage, " ", v.Owner, " ", v.Protection)
			if v.Until != nil {
				got += " until"
			}
			got += " " + string(v.Next)
			if v.Due != nil {
				got += " due"
			}
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		if _, err := w.gateway.Decline(w.Context(), second.Case, intake.Verdict{By: "mia", Rationale: "Never heard of them."}); err != nil {
			t.Fatal(err)
		}
		token := w.statusToken(links, second.Case)
		if v, err := g.StatusByLink(w.Context(), token); err != nil || v.Next != intake.NextAppeal || v.Due == nil {
			t.Errorf("%+v, %v", v, err)
		}
		w.pass(20 * 24 * time.Hour)
		if v, err := g.StatusByLink(w.Context(), token); err != nil || v.Next != intake.NextNothing || v.Due != nil {
			t.Errorf("after the time for it: %+v, %v", v, err)
		}
	})
}

// A case in which every text is a canary shows its facts and no bird.
func TestTheSafeViewHoldsItsFactsAndNothingElse(t *testing.T) {
	policy, err := rules.Read([]byte(`{"contact":{"name":"Mia Lund","email":"mia@vendor.example"}}`), identity.Default())
	if err != nil {
		spec := rules.Default()
		spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
		if policy, err = rules.New(spec, identity.Default()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"case_number", "company", "deal", "due", "next_step", "owner", "protection_end", "protection_status", "stage"}
	statuses := slices.DeleteFunc(intake.Statuses(), func(s intake.Status) bool { return s == intake.StatusErased })
	rapid.Check(t, func(t *rapid.T) {
		store := memstore.New()
		g, links := linkedGateway(t, store, policy)
		var r intake.Registration
		fill(t, reflect.ValueOf(&r).Elem(), "registration")
		r.Status = rapid.SampledFrom(statuses).Draw(t, "status")
		r.Number, r.Seq, r.Revision = "LG-2026-000000-0", 1, 1
		r.Lead[intake.FieldCompanyName] = rapid.SampledFrom([]string{"Acme GmbH", ""}).Draw(t, "name")
		r.Lead[intake.FieldCompanyDomain] = "acme.example"
		r.Deal.Owner, r.Deal.Stage, r.Deal.Close, r.Deal.NextStep = "Ann", "Negotiation", "2027-01-29", "Review"
		r.Reply.Thread = json.RawMessage(`"canary"`)
		partner := intake.Partner{ID: r.Partner, Name: "canary", Manager: intake.Contact{Name: "Jo", Email: "canary@vendor.example"}}
		if err := g.PutPartners(context.Background(), []intake.Partner{partner}); err != nil {
			t.Fatal(err)
		}
		if err := store.Update(context.Background(), func(tx intake.Tx) error { return tx.PutCase(r) }); err != nil {
			t.Fatal(err)
		}
		v, err := g.StatusByLink(context.Background(), tokenOf(links.Status(intake.StatusGrant(&r, time.Now()))))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "canary") {
			t.Errorf("it sings: %s", b)
		}
		var keys map[string]any
		if err := json.Unmarshal(b, &keys); err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
			t.Errorf("keys %v, want %v", got, want)
		}
		if !slices.Contains(intake.PublicStages(), v.Stage) || !slices.Contains(intake.NextSteps(), v.Next) || !slices.Contains(intake.ProtectionStates(), v.Protection) {
			t.Errorf("%s has words that nobody knows: %+v", r.Status, v)
		}
		if v.Owner != "Jo" || v.Company == "" || (v.Until != nil) != slices.Contains([]intake.Status{intake.StatusProvisional, intake.StatusProtected, intake.StatusExpired}, r.Status) {
			t.Errorf("%s shows %+v", r.Status, v)
		}
	})
}

// fill gives every field below v a value: texts are canaries.
func fill(t *rapid.T, v reflect.Value, path string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(rapid.Int64Range(1, 4e9).Draw(t, path), 0).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.String:
		v.SetString("canary of " + path)
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(0, 9).Draw(t, path))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, path))
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), path+"[0]")
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, path+" key")
		fill(t, value, path+" value")
		v.SetMapIndex(key, value)
	}
}
