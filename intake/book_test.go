package intake_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/store/memstore"
)

var companies = []string{"k.example", "l.example", "m.example", "n.example", "o.example", "p.example"}

func someAccount(rt *rapid.T) intake.Account {
	maybe := rapid.SampledFrom(append([]string{"", "", ""}, companies...))
	a := intake.Account{
		Domain: rapid.SampledFrom(companies).Draw(rt, "domain"), Parent: maybe.Draw(rt, "parent"),
		Name: rapid.SampledFrom([]string{"", "Acme GmbH", "Müller Maschinenbau AG", "Muller Maschinenbao"}).Draw(rt, "name"),
	}
	if alias := maybe.Draw(rt, "alias"); alias != "" {
		a.Aliases = []string{alias}
	}
	return a
}

// checkBook looks for what no list of accounts may hold.
func checkBook(t rapid.TB, w *world) {
	all, err := w.gateway.Accounts(context.Background(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	stands := make(map[string]string)
	byDomain := make(map[string]intake.Account)
	for _, a := range all {
		byDomain[a.Domain] = a
		for _, d := range append([]string{a.Domain}, a.Aliases...) {
			if other, twice := stands[d]; twice {
				t.Errorf("%s stands for %s and %s", d, other, a.Domain)
			}
			stands[d] = a.Domain
		}
	}
	for _, a := range all {
		if _, there := byDomain[a.Parent]; a.Parent != "" && !there {
			t.Errorf("the parent %s of %s is no account", a.Parent, a.Domain)
		}
		up := a
		for range len(all) {
			up = byDomain[up.Parent]
		}
		if up.Domain != "" {
			t.Errorf("%s stands above itself", a.Domain)
		}
	}
	err = w.store.View(context.Background(), func(tx intake.Tx) error {
		for d, owner := range stands {
			domain, err := intake.Canonical(tx, d)
			if err != nil || domain != owner {
				t.Errorf("%s is %s (%v), want %s", d, domain, err, owner)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) book(accounts ...intake.Account) {
	w.Helper()
	if err := w.gateway.PutAccounts(w.Context(), intake.AccountList{Accounts: accounts}); err != nil {
		w.Fatal(err)
	}
}

func TestAccountsAreCheckedAmongEachOtherAndBesideTheStored(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		w.book(
			intake.Account{Domain: "https://www.Kept.example/about", Aliases: []string{"kept-too.example"}, Incumbent: "Alpha", Country: "uk"},
			intake.Account{Domain: "below.example", Parent: "kept.example"},
		)
		if a, err := w.gateway.Account(t.Context(), "kept-too.example"); err != nil || a.Domain != "kept.example" || a.Incumbent != "alpha" || a.Country != "GB" {
			t.Errorf("stored %+v, %v", a, err)
		}
		type list = []intake.Account
		for _, tt := range []struct {
			name string
			list list
			want string // of the faults, as entry field; "" for none
		}{
			{"an alias of a stored account", list{{Domain: "a.example", Aliases: []string{"kept-too.example"}}}, "0 aliases"},
			{"a stored account as alias", list{{Domain: "a.example", Aliases: []string{"kept.example"}}}, "0 aliases"},
			{"an account that is an alias of a stored one", list{{Domain: "kept-too.example"}}, "0 domain"},
			{"an alias that is given up in the list", list{{Domain: "a.example", Aliases: []string{"kept-too.example"}}, {Domain: "kept.example"}}, ""},
			{"one alias of two", list{{Domain: "a.example", Aliases: []string{"x.example"}}, {Domain: "b.example", Aliases: []string{"x.example"}}}, "1 aliases"},
			{"an account and an alias", list{{Domain: "a.example", Aliases: []string{"b.example"}}, {Domain: "b.example"}}, "0 aliases"},
			{"an account as its own alias", list{{Domain: "a.example", Aliases: []string{"www.a.example"}}}, "0 aliases[0]"},
			{"an account twice", list{{Domain: "a.example"}, {Domain: "b.example"}, {Domain: "A.example"}}, "2 domain"},
			{"a mail provider", list{{Domain: "gmail.com"}}, "0 domain"},
			{"a mail provider as alias", list{{Domain: "a.example", Aliases: []string{"gmail.com"}}}, "0 aliases[0]"},
			{"no domain", list{{Domain: "ACME Inc"}}, "0 domain"},
			{"a country that is none", list{{Domain: "a.example", Country: "XX"}}, "0 country"},
			{"a parent that is unknown", list{{Domain: "a.example", Parent: "b.example"}}, "0 parent"},
			{"a parent in the list", list{{Domain: "a.example", Parent: "b.example"}, {Domain: "b.example"}}, ""},
			{"a parent by its alias", list{{Domain: "a.example", Parent: "kept-too.example"}}, ""},
			{"its own parent", list{{Domain: "a.example", Parent: "a.example"}}, "0 parent 0 parent"},
			{"its own parent by an alias", list{{Domain: "a.example", Aliases: []string{"b.example"}, Parent: "b.example"}}, "0 parent"},
			{"a circle", list{{Domain: "a.example", Parent: "b.example"}, {Domain: "b.example", Parent: "c.example"}, {Domain: "c.example", Parent: "a.example"}}, "0 parent 1 parent 2 parent"},
			{"a circle over stored accounts", list{{Domain: "kept.example", Parent: "below.example"}}, "0 parent"},
			{"a partner who is none", list{{Domain: "a.example", Incumbent: "nobody"}}, "0 incumbent"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_, faults, err := w.gateway.CheckAccounts(t.Context(), intake.AccountList{Accounts: tt.list})
				var got []string
				for _, f := range faults {
					got = append(got, fmt.Sprintf("%d %s", f.Entry, f.Field))
				}
				if err != nil || strings.Join(got, " ") != tt.want {
					t.Errorf("faults %+v, %v, want %q", faults, err, tt.want)
				}
			})
		}
		circle := intake.AccountList{Accounts: list{{Domain: "kept.example", Parent: "below.example"}}}
		if err := w.gateway.PutAccounts(t.Context(), circle); err == nil || !strings.Contains(err.Error(), "kept.example would stand above itself") {
			t.Errorf("a circle is told as %v", err)
		}
		whole := intake.AccountList{Whole: true, Accounts: list{{Domain: "a.example", Aliases: []string{"kept.example", "kept-too.example"}}}}
		if err := w.gateway.PutAccounts(t.Context(), whole); err != nil {
			t.Fatalf("a whole list is checked beside those that it removes: %v", err)
		}
		if all, err := w.gateway.Accounts(t.Context(), "", 10); err != nil || len(all) != 1 {
			t.Errorf("%+v, %v", all, err)
		}
		checkIndexes(t, w)
	})
}

func TestAFaultKeepsAListFromBeingStored(t *testing.T) {
	w := lists(t, memstore.New())
	var input *intake.ErrInput
	err := w.gateway.PutAccounts(t.Context(), intake.AccountList{Accounts: []intake.Account{{Domain: "a.example"}, {Domain: "b.example", Parent: "x.example"}}})
	if all, _ := w.gateway.Accounts(t.Context(), "", 10); !errors.As(err, &input) || len(all) != 0 {
		t.Errorf("%v, stored %+v", err, all)
	}
}

func TestAnAccountIsRemovedUnlessOthersNeedIt(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		w.book(intake.Account{Domain: "top.example", Name: "Top Systems", Aliases: []string{"top-too.example"}}, intake.Account{Domain: "below.example", Parent: "top.example"})
		var input *intake.ErrInput
		for _, d := range []string{"top.example", "top-too.example", "no domain"} {
			if err := w.gateway.RemoveAccount(t.Context(), d); !errors.As(err, &input) {
				t.Errorf("%s: %v", d, err)
			}
		}
		for _, d := range []string{"below.example", "top.example"} {
			if err := w.gateway.RemoveAccount(t.Context(), d); err != nil {
				t.Errorf("%s: %v", d, err)
			}
			if err := w.gateway.RemoveAccount(t.Context(), d); !errors.Is(err, intake.ErrNotFound) {
				t.Errorf("%s once more: %v", d, err)
			}
		}
		checkIndexes(t, w)
	})
}

// failing is a store whose transactions fail from one on.
type failing struct {
	intake.Store
	left int
}

func (f *failing) Update(ctx context.Context, fn func(intake.Tx) error) error {
	if f.left == 0 {
		return errDown
	}
	f.left--
	return f.Store.Update(ctx, fn)
}

func TestALongListIsStoredWhereItWasBrokenOff(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		f := &failing{store, -1}
		w := lists(t, f)
		n := 2*intake.AccountPage + 10
		first, second := intake.AccountList{Whole: true}, intake.AccountList{Whole: true}
		for i := range n {
			a := intake.Account{Domain: fmt.Sprintf("c%d.example", i), Name: fmt.Sprintf("Company %d", i), Aliases: []string{fmt.Sprintf("x%d.example", i)}}
			first.Accounts = append(first.Accounts, a)
			// The other way round, every alias is another's, every account below the next.
			a.Domain, a.Aliases = fmt.Sprintf("c%d.example", n-i), []string{fmt.Sprintf("x%d.example", i)}
			if i > 0 && i%10 != 0 {
				a.Parent = fmt.Sprintf("c%d.example", n-i+1)
			}
			second.Accounts = append(second.Accounts, a)
		}
		if err := w.gateway.PutAccounts(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		for _, steps := range []int{0, 1, 4, 5, 7, -1} {
			f.left = steps
			if err := w.gateway.PutAccounts(t.Context(), second); steps >= 0 && !errors.Is(err, errDown) || steps < 0 && err != nil {
				t.Fatalf("broken off after %d transactions: %v", steps, err)
			}
			f.left = -1
			checkIndexes(t, w)
		}
		all, err := w.gateway.Accounts(t.Context(), "", n+10)
		slices.SortFunc(second.Accounts, func(a, b intake.Account) int { return strings.Compare(a.Domain, b.Domain) })
		if err != nil || !reflect.DeepEqual(all, second.Accounts) {
			t.Errorf("%d accounts, %v", len(all), err)
		}
		before, _, _ := w.gateway.Indexes(w.store)
		if err := w.gateway.PutAccounts(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if after, _, _ := w.gateway.Indexes(w.store); !maps.Equal(before, after) {
			t.Error("the same list again changed something")
		}
	})
}

func (w *world) known(l intake.Lead, at time.Time, zone *time.Location) (k intake.Known) {
	w.Helper()
	w.view(func(tx intake.Tx) (err error) {
		k, err = w.gateway.Known(tx, l, at, zone)
		return err
	})
	return k
}

func domainsOf(accounts []intake.Account) string {
	var all []string
	for _, a := range accounts {
		all = append(all, strings.TrimSuffix(a.Domain, ".example"))
	}
	return strings.Join(all, " ")
}

func TestTheListsTellTheAccountItsGroupAndWhoHasItNamed(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		w.book(
			intake.Account{Domain: "top.example"}, intake.Account{Domain: "mid.example", Parent: "top.example"},
			intake.Account{Domain: "acme.example", Aliases: []string{"acme-too.example"}, Parent: "mid.example", Customer: true},
			intake.Account{Domain: "sister.example", Parent: "mid.example"}, intake.Account{Domain: "child.example", Parent: "acme.example"},
			intake.Account{Domain: "grandchild.example", Parent: "child.example"}, intake.Account{Domain: "mid-too.example"},
		)
		err := w.gateway.PutPartners(t.Context(), []intake.Partner{
			{ID: "x", Name: "X", Domains: []string{"x.example"}, Named: []intake.NamedAccount{{Domain: "acme-too.example", To: "2026-01-31"}}},
			{ID: "y", Name: "Y", Domains: []string{"y.example"}, Named: []intake.NamedAccount{{Domain: "acme.example", From: "2026-02-01"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		tokyo := time.FixedZone("Tokyo", 9*3600)
		at := time.Date(2026, 1, 31, 18, 0, 0, 0, time.UTC)
		for _, domain := range []string{"acme.example", "acme-too.example"} {
			lead := intake.Lead{intake.FieldCompanyDomain: domain}
			k := w.known(lead, at, time.UTC)
			if k.Account.Domain != "acme.example" || !k.Account.Customer || domainsOf(k.Group) != "mid top sister child" || strings.Join(k.Named, " ") != "x" {
				t.Errorf("of %s: %+v", domain, k)
			}
			if k := w.known(lead, at, tokyo); strings.Join(k.Named, " ") != "y" {
				t.Errorf("the day is not the zone's: named by %v", k.Named)
			}
			w.view(func(tx intake.Tx) error {
				all, err := intake.AccountDomains(tx, domain)
				if strings.Join(all, " ") != "acme.example acme-too.example" {
					t.Errorf("domains %v", all)
				}
				return err
			})
		}
		if k := w.known(intake.Lead{intake.FieldCompanyDomain: "none.example"}, at, time.UTC); !reflect.DeepEqual(k, intake.Known{}) {
			t.Errorf("of a stranger: %+v", k)
		}
		for i := range 80 {
			w.book(intake.Account{Domain: fmt.Sprintf("many-%02d.example", i), Parent: "mid.example"})
		}
		if k := w.known(intake.Lead{intake.FieldCompanyDomain: "acme.example"}, at, time.UTC); len(k.Group) > 50 {
			t.Errorf("a group of %d", len(k.Group))
		}
	})
}

func TestAccountsOfTheSameOrNearlyTheSameNameAreTold(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		w.book(
			intake.Account{Domain: "acme-1.example", Name: "Acme Robotics GmbH", Country: "DE"},
			intake.Account{Domain: "acme-2.example", Name: "ACME Robotics, Inc."},
			intake.Account{Domain: "muller.example", Name: "Müller Maschinenbau AG"},
			intake.Account{Domain: "short.example", Name: "Abcd Ltd"},
		)
		for i := range 30 {
			w.book(intake.Account{Domain: fmt.Sprintf("common-%02d.example", i), Name: "Common Solutions Ltd"})
		}
		for _, tt := range []struct{ name, company, domain, want string }{
			{"the most alike first", "Acme Robotics GmbH", "new.example", "acme-1.example acme-2.example"},
			{"not the account itself", "Acme Robotics GmbH", "acme-1.example", "acme-2.example"},
			{"one letter other in the first half", "Axme Robotics", "", "acme-1.example acme-2.example"},
			{"one letter other in the second half", "Acme Robotiks", "", "acme-1.example acme-2.example"},
			{"one letter less at the front", "cme Robotics", "", "acme-1.example acme-2.example"},
			{"one letter less at the end", "Acme Robotic", "", "acme-1.example acme-2.example"},
			{"one letter more in the middle", "Acme Rxobotics", "", "acme-1.example acme-2.example"},
			{"one letter more at the end", "Acme Roboticsx", "", "acme-1.example acme-2.example"},
			{"two letters other", "Axme Robotixs", "", ""},
			{"another spelling", "Mueller Maschinenbau", "", "muller.example"},
			{"letters that look alike", "Асme Robotics", "", "acme-1.example acme-2.example"},
			{"one letter other in a short name", "Abce", "", ""},
			{"a name that too many have", "Common Solutions", "", ""},
			{"nearly a name that too many have", "Common Solutionz", "", ""},
			{"no name", "", "", ""},
		} {
			lead := intake.Lead{intake.FieldCompanyName: tt.company, intake.FieldCompanyDomain: tt.domain, intake.FieldCountry: "DE"}
			var got []string
			for _, a := range w.known(lead, time.Now(), time.UTC).Alike {
				got = append(got, a.Account.Domain)
				if a.Evidence == "" {
					t.Errorf("%s: nothing says why %s", tt.name, a.Account.Domain)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s: %q is like %v, want %s", tt.name, tt.company, got, tt.want)
			}
		}
	})
}
