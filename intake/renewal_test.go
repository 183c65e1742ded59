package intake_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

// renewals are the accounts of which an address was told, mail by mail.
func (w *world) renewals(address string) (told [][]string) {
	for _, m := range w.toStaff(address, intake.StaffRenewals) {
		var names []string
		for _, r := range m.Brief.Renewals {
			names = append(names, r.Account+" "+r.Partner)
		}
		told = append(told, names)
	}
	return told
}

func TestAContractThatEndsSoonAndIsNotConfirmedIsToldOnce(t *testing.T) {
	const day = 24 * time.Hour
	in := func(days int) time.Time { return time.Now().Add(time.Duration(days) * day).UTC().Truncate(day) }
	customer := func(days int) intake.Account {
		return intake.Account{Domain: "globex.example", Name: "Globex", Customer: true, Incumbent: "alpha", Renewal: in(days)}
	}
	const told = "[[globex.example Alpha]]"
	for _, tt := range []struct {
		name string
		do   func(w *world)
		want string // that the partner's manager reads
	}{
		{"it ends in a month", func(w *world) {
			w.accounts(customer(30))
			w.pass(40 * day)
		}, told},
		{"it ends in more than 90 days", func(w *world) {
			w.accounts(customer(93))
			w.pass(day)
		}, "[]"},
		{"it comes within 90 days later on", func(w *world) {
			w.accounts(customer(93))
			w.pass(4 * day)
		}, told},
		{"it has ended", func(w *world) {
			w.accounts(customer(-1))
			w.pass(2 * day)
		}, "[]"},
		{"the list says that it is confirmed", func(w *world) {
			a := customer(30)
			a.Confirmed = a.Renewal
			w.accounts(a)
			w.pass(2 * day)
		}, "[]"},
		{"the one before was confirmed", func(w *world) {
			a := customer(30)
			a.Confirmed = a.Renewal.AddDate(-1, 0, 0)
			w.accounts(a)
			w.pass(2 * day)
		}, told},
		{"a person confirms it in time", func(w *world) {
			w.accounts(customer(93))
			if a, err := w.gateway.ConfirmRenewal(w.Context(), "www.globex.example", "mia"); err != nil || a.ConfirmedBy != "mia" || !a.Confirmed.Equal(a.Renewal) {
				t.Errorf("%+v, %v", a, err)
			}
			w.pass(60 * day)
		}, "[]"},
		{"the contract is renewed and ends again", func(w *world) {
			w.accounts(customer(30))
			w.pass(2 * day)
			w.accounts(customer(95))
			w.pass(10 * day)
		}, "[[globex.example Alpha] [globex.example Alpha]]"},
		{"the same list is imported every night", func(w *world) {
			a := customer(60)
			for i := range 20 {
				a.Note = fmt.Sprint("night ", i)
				w.accounts(a)
				w.pass(day)
			}
		}, told},
		{"nobody serves the customer", func(w *world) {
			a := customer(30)
			a.Incumbent = ""
			w.accounts(a)
			w.pass(2 * day)
		}, "[]"},
		{"nobody serves the customer, but a partner has won a deal with it, under another name", func(w *world) {
			n := w.submit("ana@alpha.example", named("Globex Group", "globex-group.example")).Case
			w.wantStatus(n, intake.StatusProvisional)
			if _, err := w.gateway.Close(w.Context(), n, "won", intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			a := customer(30)
			a.Incumbent, a.Aliases = "", []string{"globex-group.example"}
			w.accounts(a)
			w.pass(2 * day)
		}, told},
		{"the deal was opened again", func(w *world) {
			n := w.submit("ana@alpha.example", named("Globex", "globex.example")).Case
			if _, err := w.gateway.Close(w.Context(), n, "won", intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.gateway.Close(w.Context(), n, "open", intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			a := customer(30)
			a.Incumbent = ""
			w.accounts(a)
			w.pass(2 * day)
		}, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				tt.do(w)
				if got := fmt.Sprint(w.renewals("jo@vendor.example")); got != tt.want {
					t.Errorf("told %s, want %s", got, tt.want)
				}
			}, func(s *rules.Spec) { s.Idle = intake.Span{} })
		})
	}
}

func TestContractsThatEndSoonAreToldTogetherTheEarliestFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		var list []intake.Account
		for i := range 250 {
			list = append(list, intake.Account{
				Domain: fmt.Sprintf("customer%03d.example", i), Incumbent: []string{"alpha", "beta"}[i%2],
				Renewal: time.Now().AddDate(0, 0, 80-i/5).UTC().Truncate(24 * time.Hour),
			})
		}
		w.accounts(list...)
		w.pass(3 * 24 * time.Hour)
		seen := make(map[string]bool)
		for to, partner := range map[string]string{"jo@vendor.example": "Alpha", "mia@vendor.example": "Beta"} { // beta has no manager
			mails := w.toStaff(to, intake.StaffRenewals)
			if len(mails) != 2 || len(mails[0].Brief.Renewals) != 100 || len(mails[1].Brief.Renewals) != 25 {
				t.Fatalf("%s got %d mails", to, len(mails))
			}
			var last time.Time
			for _, m := range mails {
				if at := m.At.In(time.FixedZone("CET", 3600)); at.Format("15:04") != "08:00" {
					t.Errorf("told at %s", at)
				}
				for _, r := range m.Brief.Renewals {
					if seen[r.Account] || r.Partner != partner || r.Ends.Before(last) {
						t.Errorf("%s reads %+v", to, r)
					}
					seen[r.Account], last = true, r.Ends
				}
			}
		}
		if len(seen) != 250 {
			t.Errorf("%d of 250 were told", len(seen))
		}
	})
}

func TestContractsAreToldOnceByTwoGatewaysAndManyStarts(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accounts(intake.Account{Domain: "globex.example", Incumbent: "alpha", Renewal: time.Now().AddDate(0, 0, 30).UTC().Truncate(24 * time.Hour)})
		first, second := p.start(), p.start()
		for range 5 {
			p.pass(10 * time.Hour)
			first()
			p.pass(10 * time.Hour)
			first = p.start()
		}
		if got := p.renewals("jo@vendor.example"); len(got) != 1 {
			t.Errorf("told %v", got)
		}
		if tasks := p.waiting("renewals"); len(tasks) != 1 {
			t.Errorf("%d tasks wait for the next morning", len(tasks))
		}
		first()
		second()
	})
}

func TestWhatCannotBeConfirmedSaysWhy(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts(intake.Account{Domain: "initech.example"})
		for domain, by := range map[string]string{"initech.example": "mia", "nobody-knows.example": "mia", "no domain": "mia", "": ""} {
			if _, err := w.gateway.ConfirmRenewal(context.Background(), domain, by); err == nil {
				t.Errorf("%q by %q is confirmed", domain, by)
			}
		}
	})
}
