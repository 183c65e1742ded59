package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func (w *world) admit(a intake.Admission) error {
	return w.gateway.Admit(w.Context(), a)
}

func TestALimitLetsInAsManyAsItSaysInAnyStretchOfItsTime(t *testing.T) {
	inWorld(t, func(w *world) {
		limit := intake.Limit{Name: "form", Max: 10, Per: time.Hour}
		var let []time.Time
		for range 6 * 60 { // one a minute, for six hours
			err := w.admit(intake.Admission{Limits: []intake.Limit{limit}})
			var over *intake.LimitError
			switch {
			case err == nil:
				let = append(let, time.Now())
			case !errors.As(err, &over) || over.After <= 0 || over.After > 2*time.Hour:
				w.Fatalf("%v", err)
			}
			w.pass(time.Minute)
		}
		for i := range let {
			n := 0
			for _, at := range let[i:] {
				if at.Sub(let[i]) < time.Hour {
					n++
				}
			}
			if n > 2*limit.Max { // the steps are weighed, not counted one by one
				w.Errorf("%d within the hour from %v", n, let[i])
			}
		}
		if len(let) < 40 || len(let) > 70 {
			w.Errorf("%d were let in within six hours, at 10 an hour", len(let))
		}
	})
}

func TestWhoComesBackWhenToldToIsLetIn(t *testing.T) {
	for _, limit := range []intake.Limit{
		{Name: "one", Max: 1, Per: time.Minute},
		{Name: "some", Max: 7, Per: time.Hour},
	} {
		inWorld(t, func(w *world) {
			w.pass(13 * time.Minute)
			a := intake.Admission{Limits: []intake.Limit{limit}}
			for range 50 {
				err := w.admit(a)
				var over *intake.LimitError
				if errors.As(err, &over) {
					w.pass(over.After)
					err = w.admit(a)
				}
				if err != nil {
					w.Fatalf("%s: %v", limit.Name, err)
				}
			}
		})
	}
}

func TestWhatWorksOnceWorksOnceForOne(t *testing.T) {
	inWorld(t, func(w *world) {
		token := func(by string) intake.Admission {
			return intake.Admission{Once: "captcha:abc", By: by, Until: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
		}
		for i, tt := range []struct {
			by   string
			want error
		}{{"form:1", nil}, {"form:1", nil}, {"form:2", intake.ErrSpent}, {"form:1", nil}} {
			if err := w.admit(token(tt.by)); !errors.Is(err, tt.want) {
				w.Errorf("%d, %s: %v, want %v", i, tt.by, err, tt.want)
			}
		}
		gone := token("form:9")
		gone.Until = time.Now().Add(-time.Second)
		if err := w.admit(gone); !errors.Is(err, intake.ErrSpent) {
			w.Errorf("what is over was let in: %v", err)
		}
	})
}

func TestARefusedRequestSpendsAndCountsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		a := func(i int, limits ...intake.Limit) intake.Admission {
			return intake.Admission{Limits: limits, Once: fmt.Sprint("token:", i), By: "x", Until: time.Now().Add(time.Hour)}
		}
		wide, none := intake.Limit{Name: "wide", Max: 1, Per: time.Hour}, intake.Limit{Name: "none", Max: 0, Per: time.Hour}
		if err := w.admit(a(1, wide, none)); err == nil {
			w.Fatal("let in")
		}
		other := a(1, wide)
		other.By = "y"
		if err := w.admit(other); err != nil {
			w.Errorf("a refused request has spent or counted: %v", err)
		}
	})
}

func TestWhatCountedIsForgotten(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 700 {
			a := intake.Admission{
				Limits: []intake.Limit{{Name: fmt.Sprint("n", i), Max: 1, Per: time.Minute}},
				Once:   fmt.Sprint("t", i), By: "x", Until: time.Now().Add(10 * time.Minute),
			}
			if err := w.admit(a); err != nil {
				w.Fatal(err)
			}
		}
		w.pass(3 * time.Hour)
		err := w.store.View(w.Context(), func(tx intake.Tx) error {
			for _, space := range []string{"counted", "spent"} {
				left, err := tx.ScanRecords(space, "", "", 10)
				if err != nil || len(left) > 0 {
					w.Errorf("%s still holds %v (%v)", space, left, err)
				}
			}
			return nil
		})
		if err != nil {
			w.Fatal(err)
		}
	})
}

func TestWhatIsNotAdmittedLeavesNothingBehind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.pass(time.Hour)
		s := func(n int, by string) intake.Submission {
			s := w.submission("ana@alpha.example", named(fmt.Sprint("Company ", n), fmt.Sprintf("c%d.example", n)))
			s.Payload, s.Raw = []byte(fmt.Sprint("what came: ", n)), intake.Raw{Media: "application/json"}
			s.Admission = intake.Admission{
				Limits: []intake.Limit{{Name: "all", Max: 2, Per: time.Hour}}, Once: "token:" + by, By: s.Key, Until: time.Now().Add(time.Hour),
			}
			return s
		}
		first := s(1, "a")
		r := w.accept(first)
		again, err := w.gateway.Accept(w.Context(), first) // an answer was lost
		if err != nil || again.Case != r.Case {
			w.Errorf("the same once more: %+v, %v", again, err)
		}
		if _, err := w.gateway.Accept(w.Context(), s(2, "a")); !errors.Is(err, intake.ErrSpent) {
			w.Errorf("a token that was used: %v", err)
		}
		w.accept(s(3, "c"))
		var over *intake.LimitError
		if _, err := w.gateway.Accept(w.Context(), s(4, "d")); !errors.As(err, &over) || over.After <= 0 {
			w.Errorf("beyond the limit: %v", err)
		}
		cases, err := w.gateway.Cases(w.Context(), intake.CaseQuery{Limit: 10})
		if err != nil || len(cases) != 2 {
			w.Errorf("%d cases, %v", len(cases), err)
		}
		var kept strings.Builder
		d, err := w.gateway.Dossier(w.Context(), r.Case)
		if err != nil {
			w.Fatal(err)
		}
		if err := w.gateway.Raw(w.Context(), d.Submissions[0].Raw, &kept); err != nil || kept.String() != "what came: 1" || d.Submissions[0].Raw.Media != "application/json" {
			w.Errorf("kept %q, %v", kept.String(), err)
		}
		large := s(5, "e")
		large.Payload = make([]byte, intake.MaxPayload+1)
		if _, err := w.gateway.Accept(w.Context(), large); err == nil {
			w.Error("a payload that is too large was taken")
		}
	})
}
