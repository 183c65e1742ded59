package intake_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

func TestACallIsBegunByOneAtATimeAndItsAnswerKept(t *testing.T) {
	inWorld(t, func(w *world) {
		ctx, call := w.Context(), intake.Call{Name: "key/one", Print: "a"}
		if _, err := w.gateway.Recall(ctx, call); !errors.Is(err, intake.ErrNotFound) {
			w.Error(err)
		}
		begun, err := w.gateway.BeginCall(ctx, call)
		if err != nil || begun.Delivery == "" || begun.Answer != nil || begun.Before {
			w.Fatal(begun, err)
		}
		if _, err := w.gateway.BeginCall(ctx, call); !errors.Is(err, intake.ErrCallUnderWay) {
			w.Error(err)
		}
		other := intake.Call{Name: call.Name, Print: "b"}
		if _, err := w.gateway.BeginCall(ctx, other); !errors.Is(err, intake.ErrCallDiffers) {
			w.Error(err)
		}
		w.gateway.LeaveCall(call) // it could not be told whether it was done
		again, err := w.gateway.BeginCall(ctx, call)
		if err != nil || again.Delivery != begun.Delivery || !again.Before {
			w.Errorf("%v: %+v, then %+v", err, begun, again)
		}
		if err := w.gateway.EndCall(ctx, call, []byte("done")); err != nil {
			w.Fatal(err)
		}
		for range 2 {
			if got, err := w.gateway.BeginCall(ctx, call); err != nil || string(got.Answer) != "done" {
				w.Error(got, err)
			}
		}
		if _, err := w.gateway.BeginCall(ctx, other); !errors.Is(err, intake.ErrCallDiffers) {
			w.Error(err)
		}
		undone := intake.Call{Name: "key/two", Print: "a"}
		first, err := w.gateway.BeginCall(ctx, undone)
		if err != nil {
			w.Fatal(err)
		}
		if err := w.gateway.EndCall(ctx, undone, nil); err != nil {
			w.Fatal(err)
		}
		undone.Print = "b"
		if second, err := w.gateway.BeginCall(ctx, undone); err != nil || second.Delivery == first.Delivery {
			w.Errorf("a name that was given back: %v, %+v", err, second)
		}
	})
}

func TestACallOfAProcessThatIsGoneIsBegunAnew(t *testing.T) {
	store := memstore.New()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	process := func(alone bool) *intake.Gateway {
		return newWorldWith(t, store, func(o *intake.Options) {
			o.Alone, o.Now = alone, func() time.Time { return at }
		}).gateway
	}
	call := intake.Call{Name: "key/one", Print: "a"}
	begun, err := process(false).BeginCall(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := process(false).BeginCall(t.Context(), call); !errors.Is(err, intake.ErrCallUnderWay) {
		t.Errorf("beside another process: %v", err)
	}
	if got, err := process(true).BeginCall(t.Context(), call); err != nil || got.Delivery != begun.Delivery {
		t.Errorf("alone: %v, %+v", err, got)
	}
	at = at.Add(3 * time.Minute)
	if got, err := process(false).BeginCall(t.Context(), call); err != nil || got.Delivery != begun.Delivery {
		t.Errorf("when it has had its time: %v, %+v", err, got)
	}
}

func TestCallsAreForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		call := func(i int) intake.Call { return intake.Call{Name: fmt.Sprintf("key/%d", i), Print: "a"} }
		done := func(i int) {
			if _, err := w.gateway.BeginCall(w.Context(), call(i)); err != nil {
				w.Fatal(err)
			}
			if err := w.gateway.EndCall(w.Context(), call(i), []byte("x")); err != nil {
				w.Fatal(err)
			}
		}
		for i := range 600 {
			done(i)
		}
		w.pass(47 * time.Hour)
		if got, err := w.gateway.Recall(w.Context(), call(1)); err != nil || string(got.Answer) != "x" {
			w.Errorf("within two days: %v, %+v", err, got)
		}
		w.pass(61 * time.Minute)
		done(1) // under the name of one that is over
		w.pass(2 * time.Hour)
		err := w.store.View(w.Context(), func(tx intake.Tx) error {
			for _, space := range []string{"call", "call_end"} {
				left, err := tx.ScanRecords(space, "", "", 1000)
				if err != nil {
					return err
				}
				if len(left) != 1 {
					w.Errorf("%s still holds %d", space, len(left))
				}
			}
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
	})
}
