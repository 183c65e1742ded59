package intake

import (
	"encoding/json"
	"testing"
	"time"
)

// history is a case with a chain of events.
func history(n int) (Registration, []Event) {
	r := Registration{Number: "LG-2026-000001-X"}
	var events []Event
	for i := range n {
		e := Event{
			Case: r.Number, N: i + 1, At: time.Unix(int64(i), 1000).UTC(), Kind: EventMoved, Actor: "policy",
			From: StatusSubmitted, To: StatusInReview, Fields: []Field{FieldConsent},
			Findings: []Finding{{Rule: "consent", Outcome: OutcomeAsk, Evidence: "ünïcode <&>"}},
		}
		e.Seal(r.Head)
		r.Events, r.Head = e.N, e.Hash
		events = append(events, e)
	}
	return r, events
}

func TestAWholeHistoryVerifiesAlsoAfterStorage(t *testing.T) {
	r, events := history(20)
	b, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	var stored []Event
	if err := json.Unmarshal(b, &stored); err != nil {
		t.Fatal(err)
	}
	if err := VerifyChain(r, stored); err != nil {
		t.Error(err)
	}
	if err := VerifyChain(Registration{Number: "LG-2026-000002-Y"}, nil); err != nil {
		t.Errorf("no history: %v", err)
	}
}

func TestEveryTamperingIsFound(t *testing.T) {
	for name, tamper := range map[string]func(*Registration, []Event, int) []Event{
		"the time moved": func(_ *Registration, e []Event, i int) []Event { e[i].At = e[i].At.Add(time.Microsecond); return e },
		"the actor":      func(_ *Registration, e []Event, i int) []Event { e[i].Actor = "staff:mia"; return e },
		"the status":     func(_ *Registration, e []Event, i int) []Event { e[i].To = StatusDeclined; return e },
		"a finding":      func(_ *Registration, e []Event, i int) []Event { e[i].Findings = nil; return e },
		"the hash":       func(_ *Registration, e []Event, i int) []Event { e[i].Hash = e[i].Hash[1:] + "0"; return e },
		"a field and the hash": func(_ *Registration, e []Event, i int) []Event {
			e[i].Note = "changed"
			e[i].Seal(e[i].Prev)
			return e
		},
		"one left out":  func(_ *Registration, e []Event, i int) []Event { return append(e[:i:i], e[i+1:]...) },
		"one put twice": func(_ *Registration, e []Event, i int) []Event { return append(e[:i+1:i+1], e[i:]...) },
		"two swapped": func(_ *Registration, e []Event, i int) []Event {
			j := (i + 1) % len(e)
			e[i], e[j] = e[j], e[i]
			return e
		},
		"the end cut off":      func(_ *Registration, e []Event, i int) []Event { return e[:i] },
		"another case's event": func(_ *Registration, e []Event, i int) []Event { e[i].Case = "LG-2026-000002-Y"; return e },
		"the head":             func(r *Registration, e []Event, _ int) []Event { r.Head = "00"; return e },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 20 {
				r, events := history(20)
				if err := VerifyChain(r, tamper(&r, events, i)); err == nil {
					t.Errorf("not found in event %d", i+1)
				}
			}
		})
	}
}
