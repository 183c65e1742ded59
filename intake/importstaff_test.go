package intake_test

import (
	"slices"
	"testing"
	"time"

	"leadgate/intake"
)

func TestStaffAreToldOfTheCasesOfAListInOneMail(t *testing.T) {
	for name, c := range map[string]struct {
		mode option
		line string
	}{
		"that are approved":  {budgeted, intake.DigestApproved},
		"that are to decide": {assist, intake.DigestPending},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				im := w.drop(file("alpha", "a.csv"), firms(0, 60))
				w.pass(time.Hour)
				told := w.desk.messages()
				if len(told) != 1 || told[0].Kind != intake.StaffDigest || told[0].To.Address != "jo@vendor.example" {
					t.Fatalf("%d messages to staff, the first %+v", len(told), told[0])
				}
				b := told[0].Brief
				if b.Import == nil || b.Import.ID != im.ID || b.Import.Name != "a.csv" || b.Import.Counts.Rows != 60 || b.Partner != "Alpha" || b.Import.Link != "" {
					t.Errorf("of the list: %+v of %q", b.Import, b.Partner)
				}
				if len(b.Digest) != 1 || b.Digest[0].Name != c.line || b.Digest[0].Count != 60 || len(b.Digest[0].Cases) != 50 {
					t.Errorf("of the cases: %+v", b.Digest)
				}
				w.drop(file("alpha", "the same rows.csv"), firms(0, 60))
				w.pass(time.Hour)
				if again := w.desk.messages(); len(again) != 1 {
					t.Errorf("a list that changes nothing is told of: %+v", again[1].Brief)
				}
			}, c.mode, budgeted)
		})
	}
}

func TestApprovalsBeyondWhatIsToldOneByOneAreToldTogether(t *testing.T) {
	inWorld(t, func(w *world) {
		numbers := w.flood("ana@alpha.example", 40)
		w.pass(2 * time.Hour)
		one, rest := w.toStaff("jo@vendor.example", intake.StaffNextStep), w.toStaff("jo@vendor.example", intake.StaffDigest)
		if len(one) != 10 || len(rest) != 1 {
			t.Fatalf("%d mails about one case, %d about many", len(one), len(rest))
		}
		l := rest[0].Brief.Digest
		if len(l) != 1 || l[0].Name != intake.DigestApproved || l[0].Count != 30 {
			t.Fatalf("the rest is told as %+v", l)
		}
		for _, m := range one {
			if n := m.Brief.Registration.Number; slices.Contains(l[0].Cases, n) || !slices.Contains(numbers, n) {
				t.Errorf("%s is told twice, or is none of the cases", n)
			}
		}
	}, budgeted)
}
