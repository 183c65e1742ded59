package intake_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// slowCRM takes a while for each push.
type slowCRM struct {
	*fakeCRM
	mu    sync.Mutex
	begun []int // events in the order of their pushes' notes, of one case
	of    string
}

func (c *slowCRM) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	time.Sleep(time.Second)
	return c.fakeCRM.Push(ctx, r)
}

func (c *slowCRM) Note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	c.mu.Lock()
	if n.Event.Case == c.of {
		c.begun = append(c.begun, n.Event.N)
	}
	c.mu.Unlock()
	return c.fakeCRM.Note(ctx, ref, n)
}

func (w *world) pushed(number string) bool {
	w.Helper()
	_, ok := w.story(number).Registration.CRM["fake"]
	return ok
}

func TestNoOtherCaseWaitsForItsCRMBehindTheCasesOfAList(t *testing.T) {
	inSlowWorld(t, func(w *world, _ *slowCRM) {
		im := w.drop(file("alpha", "a.csv"), firms(0, 400))
		w.pass(5 * time.Second)
		number := w.accept(w.submission("bea@beta.example", acme())).Case
		w.pass(5 * time.Second)
		if rows := w.outcomes(im.ID); w.pushed(rows[399].Case) {
			t.Fatal("the list is through already: the test proves nothing")
		}
		if !w.pushed(number) {
			t.Error("the case is not in the CRM yet")
		}
		w.pass(5 * time.Minute)
		for _, o := range w.outcomes(im.ID) {
			if !w.pushed(o.Case) {
				t.Errorf("row %d is in no CRM", o.Row)
			}
		}
	})
}

func TestThePushesOfOneCaseKeepTheirOrderThoughOneCameWithAList(t *testing.T) {
	inSlowWorld(t, func(w *world, crm *slowCRM) {
		im := w.drop(file("alpha", "a.csv"), firms(0, 200))
		w.pass(time.Second)
		number := w.outcomes(im.ID)[199].Case
		crm.mu.Lock()
		crm.of = number
		crm.mu.Unlock()
		if w.pushed(number) {
			t.Fatal("it is pushed already: the test proves nothing")
		}
		if _, err := w.gateway.Amend(t.Context(), number, intake.Lead{intake.FieldContactRole: "CFO"}, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Minute)
		crm.mu.Lock()
		defer crm.mu.Unlock()
		if len(crm.begun) != 2 || !slices.IsSorted(crm.begun) {
			t.Errorf("pushed in the order of the events %v", crm.begun)
		}
	})
}

func inSlowWorld(t *testing.T, fn func(*world, *slowCRM)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var crm *slowCRM
		w := newWorldWith(t, memstore.New(), func(o *intake.Options) {
			crm = &slowCRM{fakeCRM: o.CRMs[0].(*fakeCRM)}
			o.CRMs = []intake.CRM{crm}
		})
		w.live(func(w *world) { fn(w, crm) })
	})
}
