package intake_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestAPartnerSeesItsOwnCasesAndTheirReference(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", acme())
		s.Reference = "OPP-\x001 "
		r, err := w.gateway.Accept(w.Context(), s)
		if err != nil {
			w.Fatal(err)
		}
		w.pass(time.Minute)
		own, err := w.gateway.OwnCase(w.Context(), "alpha", strings.ToLower(r.Case))
		if err != nil || own.Reference != "OPP-1" || own.Stage != "approved" || own.Status != intake.StatusProvisional {
			w.Errorf("%v, %+v", err, own)
		}
		received, err := w.gateway.ReceivedCase(w.Context(), "alpha", r.Case)
		if err != nil || received.Stage != "pending" || received.Protection != intake.ProtectionNone || received.Until != nil || received.Next != intake.NextDecision || received.Due == nil {
			w.Errorf("%v, %+v", err, received)
		}
		for _, number := range []string{r.Case, "LG-2026-000001-J", "x", ""} {
			if _, err := w.gateway.OwnCase(w.Context(), "beta", number); !errors.Is(err, intake.ErrNotFound) {
				w.Errorf("%q: %v", number, err)
			}
		}
		if _, err := w.gateway.Erase(w.Context(), r.Case, intake.Verdict{By: "mia", Rationale: "asked for by Jane"}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.gateway.OwnCase(w.Context(), "alpha", r.Case); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("an erased one: %v", err)
		}
		if d, err := w.gateway.Dossier(w.Context(), r.Case); err != nil || d.Registration.Reference != "" {
			w.Errorf("%v, the reference is still %q", err, d.Registration.Reference)
		}
		list, next, err := w.gateway.OwnCases(w.Context(), "alpha", "", 1)
		if err != nil || len(list) != 0 || next != r.Case {
			w.Errorf("%v, %+v, %s", err, list, next)
		}
		if list, next, err = w.gateway.OwnCases(w.Context(), "alpha", next, 1); err != nil || len(list) != 0 || next != "" {
			w.Errorf("%v, %+v, %s", err, list, next)
		}
	})
}
