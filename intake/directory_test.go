package intake_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/store/boltstore"
	"leadgate/store/memstore"
)

// lists is a gateway whose directory and account lists are tested; nothing runs.
func lists(t *testing.T, store intake.Store) *world {
	t.Helper()
	return newWorld(t, store)
}

// inBoth runs a test over each store.
func inBoth(t *testing.T, fn func(t *testing.T, store intake.Store)) {
	t.Run("in memory", func(t *testing.T) { fn(t, memstore.New(memstore.RunTwice())) })
	t.Run("in a file", func(t *testing.T) {
		store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		fn(t, store)
	})
}

func (w *world) view(fn func(tx intake.Tx) error) {
	w.Helper()
	if err := w.store.View(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

func told(words []error) string {
	all := make([]string, len(words))
	for i, err := range words {
		all[i] = err.Error()
	}
	return strings.Join(all, "\n")
}

func TestPartnersAreCleanedOrAllTheirFaultsNamed(t *testing.T) {
	g := lists(t, memstore.New()).gateway
	good := func() intake.Partner {
		return intake.Partner{
			ID: "acme", Code: "ACME1", Name: "Acme", Legal: "Acme GmbH", Status: intake.PartnerActive, Motion: "msp",
			StatusFrom: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Domains: []string{"acme.example", "mail.acme.example"}, Subdomains: []string{"acme.example"},
			Contacts:  []intake.Contact{{Name: "Ana", Email: "ana@acme.example", Role: "CTO", Status: intake.ContactLeft}},
			Manager:   intake.Contact{Name: "Mia", Email: "mia@vendor.example"},
			Executive: intake.Contact{Name: "Max", Email: "max@vendor.example"},
			Country:   "DE", Locale: "pt-BR", Slack: &intake.Slack{Team: "T024BE7LD", Channel: "C024BE91L"},
			Teams:    &intake.Teams{Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"},
			Channels: []string{"slack", "email"}, Territories: []string{"-DE-BY", "AT", "DE"},
			Named:          []intake.NamedAccount{{Domain: "big.example", From: "2026-01-01", To: "2026-12-31"}},
			Certifications: []intake.Certification{{Product: "Platform", Level: "expert", Until: "2026-09-30"}},
			Quota:          5, Agreement: "2027-06-30",
			Acknowledged: intake.Acknowledged{Version: "2026-01", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "ana@acme.example"},
		}
	}
	if p, faults := g.CleanPartner(good()); len(faults) > 0 || !reflect.DeepEqual(p, good()) {
		t.Errorf("a clean partner was changed: %s\n%+v", told(faults), p)
	}
	for _, tt := range []struct {
		name   string
		change func(*intake.Partner)
		want   string // in the faults; "" if there is none
	}{
		{"codes are written in capitals", func(p *intake.Partner) { p.Code = " acme1 " }, ""},
		{"a code is not short", func(p *intake.Partner) { p.Code = "ABC" }, "code: "},
		{"a code has no sign in it", func(p *intake.Partner) { p.Code = "AB-CD" }, "code: "},
		{"a mail provider is nobody's domain", func(p *intake.Partner) { p.Domains = append(p.Domains, "gmail.com") }, "domains[2]: "},
		{"a host that many share is nobody's domain", func(p *intake.Partner) { p.Domains = append(p.Domains, "onmicrosoft.com") }, "domains[2]: "},
		{"a sub-domain of nothing", func(p *intake.Partner) { p.Subdomains = []string{"other.example"} }, "subdomains[0]: "},
		{"a contact twice", func(p *intake.Partner) {
			p.Contacts = append(p.Contacts, intake.Contact{Email: "ANA@acme.example"})
		}, "contacts[1].email: "},
		{"a contact without address", func(p *intake.Partner) { p.Contacts = []intake.Contact{{Name: "Ana"}} }, "contacts[0].email: is missing"},
		{"a contact in a state that is none", func(p *intake.Partner) { p.Contacts[0].Status = "away" }, "contacts[0].status: "},
		{"an executive who can't be written to", func(p *intake.Partner) { p.Executive.Email = "max" }, "executive.email: "},
		{"a country that is none", func(p *intake.Partner) { p.Country = "XX" }, "country: "},
		{"a language that is none", func(p *intake.Partner) { p.Locale = "klingonese speech" }, "locale: "},
		{"a channel of Slack by its name", func(p *intake.Partner) { p.Slack.Channel = "#leads" }, "slack.channel: "},
		{"nothing of Slack", func(p *intake.Partner) { *p.Slack = intake.Slack{} }, "slack.team: "},
		{"a tenant by its name", func(p *intake.Partner) { p.Teams.Tenant = "acme" }, "teams.tenant: "},
		{"a channel twice", func(p *intake.Partner) { p.Channels = []string{"email", "Email"} }, "channels[1]: "},
		{"a part of a country that is none", func(p *intake.Partner) { p.Territories = []string{"DE", "-DE-ZZ"} }, "territories[1]: "},
		{"an account at a mail provider", func(p *intake.Partner) { p.Named[0].Domain = "gmail.com" }, "named_accounts[0].domain: "},
		{"a day that is none", func(p *intake.Partner) { p.Named[0].From = "2026-02-30" }, "named_accounts[0].from: "},
		{"an end before the beginning", func(p *intake.Partner) { p.Named[0].To = "2025-12-31" }, "named_accounts[0].to: "},
		{"a span of one day", func(p *intake.Partner) { p.Named[0].To = "2026-01-01" }, ""},
		{"a certification for nothing", func(p *intake.Partner) { p.Certifications[0].Product = " " }, "certifications[0].product: "},
		{"a certification until some day", func(p *intake.Partner) { p.Certifications[0].Until = "soon" }, "certifications[0].until: "},
		{"less than no holds", func(p *intake.Partner) { p.Quota = -1 }, "quota: "},
		{"an agreement until some day", func(p *intake.Partner) { p.Agreement = "30.6.2027" }, "agreement_until: "},
		{"an agreement to nothing", func(p *intake.Partner) { p.Acknowledged.Version = "" }, "rules_acknowledged.version: "},
		{"nobody who can speak", func(p *intake.Partner) { p.Domains, p.Subdomains, p.Contacts = nil, nil, nil }, "domains: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := good()
			tt.change(&p)
			_, faults := g.CleanPartner(p)
			if got := told(faults); tt.want == "" && got != "" || !strings.Contains(got, tt.want) || len(faults) > 1 {
				t.Errorf("faults %q, want %q", got, tt.want)
			}
		})
	}
	bad := good()
	bad.Code, bad.Country, bad.Quota, bad.Locale = "A", "XX", -1, "?"
	if _, faults := g.CleanPartner(bad); len(faults) != 4 {
		t.Errorf("not all faults at once: %s", told(faults))
	}
}

func TestWhatBelongsToOnePartnerIsRefusedToAnother(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		mine := intake.Partner{
			ID: "mine", Name: "Mine", Code: "MINE", Domains: []string{"mine.example"}, Contacts: []intake.Contact{{Email: "me@other.example"}},
			Slack: &intake.Slack{Team: "T01", Channel: "C01"}, Teams: &intake.Teams{Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"},
			Named: []intake.NamedAccount{{Domain: "big.example"}},
		}
		theirs := mine
		theirs.ID = "theirs"
		want := []string{"domains", "contacts[0].email", "code", "slack.channel", "teams.tenant"}
		for _, list := range [][]intake.Partner{{mine, theirs}, {theirs}} {
			clean, faults, err := w.gateway.CheckPartners(t.Context(), list)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				if f.Entry != len(list)-1 || !strings.Contains(f.Problem, "belongs to partner mine already") {
					t.Errorf("fault %+v", f)
				}
				got = append(got, f.Field)
			}
			if !slices.Equal(got, want) {
				t.Errorf("faults in %v, want %v", got, want)
			}
			if err := w.gateway.PutPartners(t.Context(), clean); err == nil || !strings.Contains(err.Error(), "belongs to partner mine") {
				t.Errorf("put: %v", err)
			}
			if err := w.gateway.PutPartners(t.Context(), []intake.Partner{mine}); err != nil {
				t.Fatal(err)
			}
		}
		mine.Domains, theirs.Contacts, theirs.Code, theirs.Slack, theirs.Teams = []string{"new.example"}, nil, "", nil, nil
		if err := w.gateway.PutPartners(t.Context(), []intake.Partner{theirs, mine}); err != nil {
			t.Errorf("what is given up in the same list is still taken: %v", err)
		}
		w.view(func(tx intake.Tx) error {
			id, err := intake.PartnerOf(tx, "x@mine.example")
			if id != "theirs" {
				t.Errorf("mine.example belongs to %q", id)
			}
			return err
		})
	})
}

func TestWhoSpeaksForAPartner(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		err := w.gateway.PutPartners(t.Context(), []intake.Partner{
			{ID: "wide", Name: "Wide", Code: "WIDE", Domains: []string{"wide.example", "mail.wide.example"}, Subdomains: []string{"wide.example"}, Slack: &intake.Slack{Team: "T01", Channel: "C01"}},
			{ID: "inner", Name: "Inner", Domains: []string{"inner.wide.example"}, Teams: &intake.Teams{Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"}},
			{ID: "narrow", Name: "Narrow", Domains: []string{"narrow.example"}, Contacts: []intake.Contact{{Email: "Ana@wide.example"}, {Email: "tom@free.example", Status: intake.ContactLeft}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ name, address, want string }{
			{"the domain itself", "x@wide.example", "wide"},
			{"a sub-domain of one that is listed for that", "x@eu.wide.example", "wide"},
			{"a deep one", "x@a.b.c.wide.example", "wide"},
			{"one below another domain of the same partner", "x@a.mail.wide.example", "wide"},
			{"the domain of another in between", "x@inner.wide.example", "inner"},
			{"below the domain of another in between", "x@a.inner.wide.example", ""},
			{"a sub-domain of one that is not", "x@eu.narrow.example", ""},
			{"what only ends the same", "x@notwide.example", ""},
			{"a contact goes before the domain", "ANA@wide.example", "narrow"},
			{"a contact who has left", "tom@free.example", ""},
			{"no domain", "x", ""},
		} {
			w.view(func(tx intake.Tx) error {
				got, err := intake.PartnerOf(tx, tt.address)
				if got != tt.want {
					t.Errorf("%s: %s speaks for %q, want %q", tt.name, tt.address, got, tt.want)
				}
				return err
			})
		}
		if !w.gateway.IsPartner("EU.wide.example") || w.gateway.IsPartner("eu.narrow.example") {
			t.Error("sub-domains are not partners' as senders are")
		}
		w.view(func(tx intake.Tx) error {
			code, _ := intake.PartnerByCode(tx, "wide")
			slack, _ := intake.PartnerBySlack(tx, intake.Slack{Team: "T01", Channel: "C01"})
			other, _ := intake.PartnerBySlack(tx, intake.Slack{Team: "T02", Channel: "C01"})
			teams, _ := intake.PartnerByTeams(tx, intake.Teams{Tenant: "72F988BF-86f1-41af-91ab-2d7cd011db47"})
			if code != "wide" || slack != "wide" || other != "" || teams != "inner" {
				t.Errorf("code %q, slack %q and %q, teams %q", code, slack, other, teams)
			}
			return nil
		})
	})
}

func TestNamedAccountsCountOnTheirDays(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		err := w.gateway.PutPartners(t.Context(), []intake.Partner{
			{ID: "a", Name: "A", Domains: []string{"a.example"}, Named: []intake.NamedAccount{
				{Domain: "big.example", To: "2026-01-31"}, {Domain: "big.example", From: "2026-03-01"}, {Domain: "big.example.net"},
			}},
			{ID: "b", Name: "B", Domains: []string{"b.example"}, Named: []intake.NamedAccount{{Domain: "big.example", From: "2026-01-31", To: "2026-03-01"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for day, want := range map[string]string{
			"2020-01-01": "a", "2026-01-30": "a", "2026-01-31": "a b", "2026-02-01": "b", "2026-03-01": "a b", "2026-03-02": "a",
		} {
			w.view(func(tx intake.Tx) error {
				got, err := intake.PartnersNaming(tx, "big.example", day)
				if strings.Join(got, " ") != want {
					t.Errorf("%s: named by %v, want %s", day, got, want)
				}
				return err
			})
		}
	})
}

// checkIndexes compares what is stored with what would be made anew.
func checkIndexes(t rapid.TB, w *world) {
	stored, rebuilt, err := w.gateway.Indexes(w.store)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(stored, rebuilt) {
		for k, v := range stored {
			if rebuilt[k] != v {
				t.Errorf("%q is stored as %q, and made anew %q", k, v, rebuilt[k])
			}
		}
		for k, v := range rebuilt {
			if _, there := stored[k]; !there {
				t.Errorf("%q (%q) is missing", k, v)
			}
		}
	}
}

func somePartner(rt *rapid.T) intake.Partner {
	several := func(label string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 2, rapid.ID).Draw(rt, label)
	}
	p := intake.Partner{
		ID: rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(rt, "id"), Name: "P",
		Code:    rapid.SampledFrom([]string{"", "", "CODE1", "CODE2"}).Draw(rt, "code"),
		Domains: append(several("domains", "a.example", "b.example", "c.example", "m.a.example"), fmt.Sprintf("own-%d.example", rapid.IntRange(0, 9).Draw(rt, "own"))),
	}
	for _, e := range several("contacts", "x@free.example", "y@free.example", "z@a.example") {
		p.Contacts = append(p.Contacts, intake.Contact{Email: e, Status: rapid.SampledFrom([]string{"", "left", "bounced"}).Draw(rt, "status")})
	}
	for _, d := range several("named", "big.example", "small.example") {
		p.Named = append(p.Named, intake.NamedAccount{Domain: d, From: "2026-01-01"}, intake.NamedAccount{Domain: d, To: "2025-01-01"})
	}
	if channel := rapid.SampledFrom([]string{"", "C01", "C02"}).Draw(rt, "slack"); channel != "" {
		p.Slack = &intake.Slack{Team: "T01", Channel: channel}
	}
	return p
}

func TestIndexesAreAlwaysThoseOfTheEntries(t *testing.T) {
	inBoth(t, func(t *testing.T, store intake.Store) {
		w := lists(t, store)
		rapid.Check(t, func(rt *rapid.T) {
			rt.Repeat(map[string]func(*rapid.T){
				"": func(rt *rapid.T) { checkIndexes(rt, w); checkBook(rt, w) },
				"put partners": func(rt *rapid.T) {
					list := rapid.SliceOfNDistinct(rapid.Custom(somePartner), 1, 3, func(p intake.Partner) string { return p.ID }).Draw(rt, "partners")
					clean, faults, err := w.gateway.CheckPartners(t.Context(), list)
					if err != nil {
						rt.Fatal(err)
					}
					if err := w.gateway.PutPartners(t.Context(), clean); (err == nil) != (len(faults) == 0) {
						rt.Errorf("faults %v, put %v", faults, err)
					}
				},
				"put accounts": func(rt *rapid.T) {
					list := intake.AccountList{
						Accounts: rapid.SliceOfN(rapid.Custom(someAccount), 1, 4).Draw(rt, "accounts"),
						Whole:    rapid.IntRange(0, 4).Draw(rt, "whole") == 0,
					}
					_, faults, err := w.gateway.CheckAccounts(t.Context(), list)
					if err != nil {
						rt.Fatal(err)
					}
					if err := w.gateway.PutAccounts(t.Context(), list); (err == nil) != (len(faults) == 0) {
						rt.Errorf("faults %v, put %v", faults, err)
					}
				},
				"remove an account": func(rt *rapid.T) {
					_ = w.gateway.RemoveAccount(t.Context(), rapid.SampledFrom(companies).Draw(rt, "domain"))
				},
			})
		})
	})
}
