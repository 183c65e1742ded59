package intake_test

import (
	"fmt"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

// small limits, so that a test need not register twenty companies.
func small(s *rules.Spec) {
	s.Probe = intake.ProbeLimits{Domains: 5, Taken: 60, Within: intake.Span{Value: 7, Unit: intake.Days}}
}

// registers has a partner register companies: so many that a customer list has, then so many
// that nobody knows.
func (w *world) registers(from, what string, customers, free int) (numbers []string) {
	w.Helper()
	for i := range customers + free {
		domain := fmt.Sprintf("%s%d.example", what, i)
		if i < customers {
			w.accounts(intake.Account{Domain: domain, Customer: true})
		}
		numbers = append(numbers, w.submit(from, named("Company "+domain, domain)).Case)
	}
	w.pass(time.Minute)
	return numbers
}

func TestAPartnerWhoSeemsToSearchIsToldToStaffOnceAWindow(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		do   func(w *world)
		want int // alerts to the programme's contact
	}{
		{"many companies that are taken", func(w *world) { w.registers("ana@alpha.example", "a", 4, 1) }, 1},
		{"many companies of which few are", func(w *world) { w.registers("ana@alpha.example", "a", 2, 10) }, 0},
		{"few companies that are all taken", func(w *world) { w.registers("ana@alpha.example", "a", 4, 0) }, 0},
		{"the same ones again and again", func(w *world) {
			for range 3 {
				w.registers("ana@alpha.example", "a", 3, 0)
			}
		}, 0},
		{"two partners who do not know of each other", func(w *world) {
			w.registers("ana@alpha.example", "a", 3, 0)
			w.registers("bob@beta.example", "b", 3, 0)
		}, 0},
		{"two contacts of one partner", func(w *world) {
			w.registers("ana@alpha.example", "a", 3, 0)
			w.registers("tom@alpha.example", "b", 3, 0)
		}, 1},
		{"a few every week", func(w *world) {
			for _, week := range []string{"a", "b", "c", "d"} {
				w.registers("ana@alpha.example", week, 3, 0)
				w.pass(7 * day)
			}
		}, 0},
		{"some today and some on the last day of the window", func(w *world) {
			w.registers("ana@alpha.example", "a", 3, 0)
			w.pass(6 * day)
			w.registers("ana@alpha.example", "b", 3, 0)
		}, 1},
		{"more and more of it within the window", func(w *world) {
			for _, week := range []string{"a", "b", "c"} {
				w.registers("ana@alpha.example", week, 5, 0)
				w.pass(2 * day)
			}
		}, 1},
		{"and on in the next window", func(w *world) {
			w.registers("ana@alpha.example", "a", 5, 0)
			w.pass(7 * day)
			w.registers("ana@alpha.example", "b", 5, 0)
		}, 2},
		{"what another partner holds", func(w *world) {
			for i := range 5 {
				domain := fmt.Sprintf("held%d.example", i)
				w.submit("bob@beta.example", named("Held", domain))
				w.submit("ana@alpha.example", named("Held", domain))
			}
			w.pass(time.Minute)
		}, 1},
		{"what persons take back", func(w *world) {
			for _, n := range w.registers("ana@alpha.example", "free", 0, 6) {
				w.revoke(n)
			}
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				tt.do(w)
				if got := w.toStaff("mia@vendor.example", intake.StaffProbe); len(got) != tt.want {
					t.Errorf("%d alerts, want %d", len(got), tt.want)
				}
				if got := w.toStaff("jo@vendor.example", intake.StaffProbe); len(got) != tt.want {
					t.Errorf("%d alerts to the partner's manager, want %d", len(got), tt.want)
				}
			}, small)
		})
	}
}

func TestAnAlertOfASearchNamesThePartnerTheNumbersAndTheNewestCases(t *testing.T) {
	inWorld(t, func(w *world) {
		w.registers("ana@alpha.example", "free", 0, 5)
		taken := w.registers("ana@alpha.example", "taken", 12, 0)
		got := w.toStaff("mia@vendor.example", intake.StaffProbe)
		if len(got) != 1 {
			t.Fatalf("%d alerts", len(got))
		}
		b := got[0].Brief
		if p := b.Probe; b.Partner != "Alpha" || p.Domains != 13 || p.Taken != 8 || p.Days != 7 || len(p.Cases) != 8 || p.Cases[0] != taken[7] || p.Cases[7] != taken[0] {
			t.Errorf("told %+v of %s", p, b.Partner)
		}
		if b.Registration != nil || len(b.Links) != 0 {
			t.Error("the alert asks to decide something")
		}
	}, small)
}

// TestASearchChangesNothingForThePartner: neither what is decided nor what is said.
func TestASearchChangesNothingForThePartner(t *testing.T) {
	story := func(options ...option) (told string) {
		inWorld(t, func(w *world) {
			w.registers("ana@alpha.example", "a", 7, 3)
			for _, m := range w.channel.messages() {
				told += fmt.Sprintf("%s %s %s %s\n", m.Kind, m.Facts.Company, m.Facts.Status, m.At)
			}
			for _, r := range w.cases() {
				told += fmt.Sprintf("%s %s %d\n", r.Lead[intake.FieldCompanyDomain], r.Status, r.Revision)
			}
		}, options...)
		return told
	}
	watched, unwatched := story(small), story(func(s *rules.Spec) { s.Probe.Domains = 0 })
	if watched != unwatched {
		t.Errorf("with the alert\n%s\nwithout\n%s", watched, unwatched)
	}
}
