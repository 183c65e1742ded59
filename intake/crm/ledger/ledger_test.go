package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 24, 16, 30, 0, 987654321, time.UTC)

func open(t testing.TB) (*Ledger, context.Context) {
	t.Helper()
	store := memstore.New(memstore.RunTwice())
	t.Cleanup(func() { _ = store.Close() })
	return New(store, func() time.Time { return now }), t.Context()
}

func push(t testing.TB, l *Ledger, r intake.Record) intake.Ref {
	t.Helper()
	ref, err := l.Push(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, crmtest.Harness{New: func(r crmtest.Reporter) crmtest.System {
		store := memstore.New(memstore.RunTwice())
		r.Cleanup(func() { _ = store.Close() })
		l := New(store, func() time.Time { return now })
		return crmtest.System{
			CRM: l,
			Records: func() ([]crmtest.Stored, error) {
				page, _, err := l.List(context.Background(), "", pageSize)
				var have []crmtest.Stored
				for _, e := range page {
					have = append(have, crmtest.Stored{Case: e.Case, Revision: e.Revision, Status: e.Status, Lead: e.Lead})
				}
				return have, err
			},
			Notes: func(caseNumber string) (int, error) {
				_, notes, err := l.History(context.Background(), caseNumber, pageSize)
				return len(notes), err
			},
		}
	}})
}

func TestAPushKeepsWhatWasPushed(t *testing.T) {
	l, ctx := open(t)
	r := crmtest.Sample(1, 1)
	r.Registration.Protection = intake.Protection{Start: now, End: now.Add(90 * 24 * time.Hour)}
	ref := push(t, l, r)
	if !reflect.DeepEqual(ref, intake.Ref{ID: r.Registration.Number, Revision: 1}) {
		t.Errorf("reference %+v", ref)
	}
	e, err := l.Get(ctx, r.Registration.Number)
	if err != nil {
		t.Fatal(err)
	}
	if e.Partner != "northwind" || e.PartnerName != "Northwind Partners" || e.Motion != "reseller" || e.Contact != r.Registration.Contact {
		t.Errorf("partner %+v", e)
	}
	if !e.Claim.Equal(r.Registration.Claim) || !e.End.Equal(stamp(r.Registration.Protection.End)) || !e.Pushed.Equal(stamp(now)) {
		t.Errorf("times %+v", e)
	}
}

func TestAnUnknownCaseIsNotFound(t *testing.T) {
	l, ctx := open(t)
	if _, err := l.Get(ctx, "LG-0"); !errors.Is(err, intake.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	err := l.Note(ctx, intake.Ref{ID: "LG-0"}, intake.Note{Event: intake.Event{Case: "LG-0", N: 1}})
	if !errors.Is(err, intake.ErrNotFound) || intake.IsPermanent(err) {
		t.Errorf("note: %v, want not found, and worth a retry", err)
	}
	if steps, notes, err := l.History(ctx, "LG-0", 9); len(steps)+len(notes) != 0 || err != nil {
		t.Errorf("history: %v %v %v", steps, notes, err)
	}
}

func TestCallsThatMakeNoSenseArePermanent(t *testing.T) {
	l, ctx := open(t)
	push(t, l, crmtest.Sample(1, 1))
	_, err := l.Push(ctx, intake.Record{})
	if !intake.IsPermanent(err) {
		t.Errorf("push without a number: %v", err)
	}
	err = l.Note(ctx, intake.Ref{ID: "LG-1"}, intake.Note{Event: intake.Event{Case: "LG-2", N: 1}})
	if !intake.IsPermanent(err) {
		t.Errorf("note of another case: %v", err)
	}
	for _, cursor := range []string{"x", "12", headKey, strings.Repeat("z", 20)} {
		if _, same, err := l.Changes(ctx, cursor); !intake.IsPermanent(err) || same != cursor {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func TestOnlyAPushThatChangesSomethingIsHistory(t *testing.T) {
	l, ctx := open(t)
	r := crmtest.Sample(1, 1)
	number := r.Registration.Number
	push(t, l, r)
	push(t, l, r) // repeated
	r.Registration.Revision = 2
	push(t, l, r) // a revision in which nothing changed that the ledger keeps
	r.Registration.Revision = 3
	r.Registration.Status = intake.StatusProvisional
	delete(r.Registration.Lead, intake.FieldContactPhone)
	push(t, l, r)
	r.Partner.Name = "Northwind Ltd" // the same revision, another name
	push(t, l, r)

	steps, _, err := l.History(ctx, number, pageSize)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 3 {
		t.Fatalf("%d steps, want 3: %+v", len(steps), steps)
	}
	if want := []string{"status", "contact_phone"}; !slices.Equal(steps[1].Changed, want) {
		t.Errorf("second step changed %v, want %v", steps[1].Changed, want)
	}
	if want := []string{"partner_name"}; !slices.Equal(steps[2].Changed, want) {
		t.Errorf("third step changed %v, want %v", steps[2].Changed, want)
	}
	if e, _ := l.Get(ctx, number); e.Revision != 3 || e.PartnerName != "Northwind Ltd" {
		t.Errorf("entry %+v", e)
	}
}

func TestAStalePushNamesTheNewerRevision(t *testing.T) {
	l, _ := open(t)
	push(t, l, crmtest.Sample(1, 5))
	if ref := push(t, l, crmtest.Sample(1, 4)); ref.Revision != 5 {
		t.Errorf("reference %+v, want revision 5", ref)
	}
}

func TestErasureLeavesNoPersonalData(t *testing.T) {
	store := memstore.New(memstore.RunTwice())
	defer func() { _ = store.Close() }()
	l := New(store, func() time.Time { return now })
	r := crmtest.Sample(1, 1)
	push(t, l, r)
	domain := r.Registration.Lead[intake.FieldCompanyDomain]
	gone := intake.Record{Registration: intake.Registration{Number: r.Registration.Number, Revision: 2, Status: intake.StatusErased}}
	push(t, l, gone)

	for _, space := range []string{spaceEntry, spaceNote, spacePush, spaceFeed, spaceDomain, spaceOrder} {
		err := store.View(t.Context(), func(tx intake.Tx) error {
			entries, err := tx.ScanRecords(space, "", "", pageSize)
			for _, e := range entries {
				for _, word := range []string{domain, "Jo Doe", "northwind", "Acme"} {
					if strings.Contains(e.Key+string(e.Value), word) {
						t.Errorf("%s %s still holds %q", space, e.Key, word)
					}
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLookupByCompanyDomain(t *testing.T) {
	kinds := map[intake.Status]intake.MatchKind{
		intake.StatusSubmitted: intake.MatchOpenDeal, intake.StatusNeedsInfo: intake.MatchOpenDeal,
		intake.StatusInReview: intake.MatchOpenDeal, intake.StatusAppeal: intake.MatchOpenDeal,
		intake.StatusProvisional: intake.MatchOpenDeal, intake.StatusProtected: intake.MatchOpenDeal,
		intake.StatusLocked: intake.MatchOpenDeal, intake.StatusWaitlisted: intake.MatchOpenDeal,
		intake.StatusWon: intake.MatchCustomer,
	}
	for _, status := range intake.Statuses() {
		t.Run(string(status), func(t *testing.T) {
			l, ctx := open(t)
			r := crmtest.Sample(1, 1)
			r.Registration.Status = status
			push(t, l, r)
			found, err := l.Lookup(ctx, intake.Lead{intake.FieldCompanyDomain: "acme1.example"})
			if err != nil {
				t.Fatal(err)
			}
			want, listed := kinds[status]
			if !listed {
				if len(found) != 0 {
					t.Errorf("found %+v, want nothing", found)
				}
				return
			}
			if len(found) != 1 || found[0].Kind != want || found[0].Case != r.Registration.Number ||
				found[0].Partner != "northwind" || found[0].CRM != "ledger" || !found[0].Activity.Equal(r.Registration.Updated) {
				t.Errorf("found %+v, want one %s", found, want)
			}
		})
	}
}

func TestLookupFollowsTheDomain(t *testing.T) {
	l, ctx := open(t)
	push(t, l, crmtest.Sample(1, 1))
	r := crmtest.Sample(1, 2)
	r.Registration.Lead[intake.FieldCompanyDomain] = "other.example"
	push(t, l, r)
	for domain, want := range map[string]int{"acme1.example": 0, "other.example": 1, "other": 0, "": 0, "her.example": 0} {
		found, err := l.Lookup(ctx, intake.Lead{intake.FieldCompanyDomain: domain})
		if err != nil || len(found) != want {
			t.Errorf("%q: %v, %v; want %d", domain, found, err, want)
		}
	}
}

func TestTheFeedIsReadInPages(t *testing.T) {
	l, ctx := open(t)
	push(t, l, crmtest.Sample(1, 1))
	changes, cursor, err := l.Changes(ctx, "")
	if err != nil || len(changes) != 0 || cursor == "" {
		t.Fatalf("from now on: %v %q %v", changes, cursor, err)
	}
	const more = pageSize + 5
	for i := range more {
		push(t, l, crmtest.Sample(i+2, 1))
	}
	var seen []string
	for {
		changes, next, err := l.Changes(ctx, cursor)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			if next != cursor {
				t.Errorf("at the end the cursor moved from %s to %s", cursor, next)
			}
			break
		}
		for _, c := range changes {
			if !c.Own || c.Fields["status"] != string(intake.StatusInReview) || !c.At.Equal(stamp(now)) {
				t.Fatalf("change %+v", c)
			}
			seen = append(seen, c.Case)
		}
		cursor = next
	}
	if len(seen) != more || seen[0] != crmtest.Sample(2, 1).Registration.Number {
		t.Errorf("%d changes, the first of %s", len(seen), seen[0])
	}
}

func TestTheListIsNewestFirstAndPaged(t *testing.T) {
	l, ctx := open(t)
	for i := range 7 {
		push(t, l, crmtest.Sample(7-i, 1)) // numbers are no order
	}
	var cases []string
	pages := 0
	for after := ""; ; pages++ {
		page, next, err := l.List(ctx, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			cases = append(cases, e.Case)
		}
		if next == "" {
			break
		}
		after = next
	}
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("LG-2026-%06d-X", i+1))
	}
	if !slices.Equal(cases, want) || pages != 2 {
		t.Errorf("%d full pages: %v", pages, cases)
	}
}

func TestErrorsOfTheStoreAreKept(t *testing.T) {
	store := memstore.New(memstore.RunTwice())
	l := New(store, func() time.Time { return now })
	_ = store.Close()
	ctx := t.Context()
	_, pushed := l.Push(ctx, crmtest.Sample(1, 1))
	_, _, changes := l.Changes(ctx, "")
	_, lookup := l.Lookup(ctx, intake.Lead{intake.FieldCompanyDomain: "a.example"})
	_, _, list := l.List(ctx, "", 1)
	_, _, history := l.History(ctx, "LG-1", 1)
	for what, err := range map[string]error{
		"push": pushed, "changes": changes, "look-up": lookup, "list": list, "history": history,
		"note": l.Note(ctx, intake.Ref{ID: "A"}, intake.Note{Event: intake.Event{Case: "A", N: 1}}), "export": l.Export(ctx, &strings.Builder{}, FormatCSV),
		"export json": l.Export(ctx, &strings.Builder{}, FormatJSON),
	} {
		if !errors.Is(err, intake.ErrClosed) || intake.IsPermanent(err) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}
