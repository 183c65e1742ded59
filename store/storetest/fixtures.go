package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"leadgate/intake"
)

// noon is the time at which the checks begin.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 123456000, time.UTC)

// after returns noon plus some minutes.
func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// acct is an account key, "domain:" and the name.
func acct(name string) string { return "domain:" + name }

// newCase returns a live case with the account keys, at revision 1. Its claim is seq minutes
// after noon.
func newCase(seq uint64, keys ...string) intake.Registration {
	return intake.Registration{
		Number: fmt.Sprintf("LG-%06d", seq), Seq: seq, Revision: 1,
		Status: intake.StatusSubmitted, Partner: "acme", Channel: "mailbox",
		Strength: intake.StrengthDomain,
		Claim:    after(int(seq)), Accepted: after(int(seq)), Updated: after(int(seq)),
		Lead:     intake.Lead{intake.FieldCompanyName: "Example GmbH", intake.FieldCountry: "DE"},
		Identity: keys,
		Reply:    intake.Route{Channel: "mailbox", Address: "p@acme.example", Thread: json.RawMessage(`{"id":"1"}`)},
	}
}

// fullCase returns a case with every field set.
func fullCase() intake.Registration {
	r := newCase(7, acct("a.example"), acct("b.example"))
	r.Reason = intake.ReasonContested
	r.Contact = "Jürgen <j@acme.example>"
	r.Evidence = map[intake.Field]string{intake.FieldCountry: "from Köln & \"<x>\" 漢字 🙂"}
	r.Submissions = 2
	r.Problems = []intake.Problem{{Field: intake.FieldConsent, Code: intake.ProblemConsent, Message: "?"}}
	r.Question = "which?"
	r.Asks = 1
	r.DecisionDue, r.AnswerDue, r.Decided = after(100), after(200), after(300)
	r.Protection = intake.Protection{Start: after(400), End: after(500)}
	r.Findings = []intake.Finding{{Rule: "dup", Outcome: intake.OutcomeReview, Evidence: "e", Case: "LG-1"}}
	r.Advice = intake.OutcomeReview
	r.Policy, r.MergedInto, r.Rationale = "p1", "LG-2", "because"
	r.CRM = map[string]intake.Ref{"ledger": {ID: "1", URL: "https://crm.example/1", Revision: 1}}
	r.Events, r.Head = 3, "abc"
	return r
}

func newEvent(caseNumber string, n int) intake.Event {
	e := intake.Event{
		Case: caseNumber, N: n, At: after(n), Kind: intake.EventMoved, Actor: "policy",
		From: intake.StatusSubmitted, To: intake.StatusInReview, Trigger: intake.TriggerRules,
		Fields:   []intake.Field{intake.FieldCountry},
		Findings: []intake.Finding{{Rule: "r", Outcome: intake.OutcomeReview, Problems: []intake.Problem{{Code: "c"}}}},
	}
	e.Seal("before")
	return e
}

// newTask returns a task that is due so many minutes after noon.
func newTask(key string, lane intake.Lane, caseNumber string, due int) intake.Task {
	return intake.Task{Key: key, Lane: lane, Case: caseNumber, Due: after(due), Payload: json.RawMessage(`{"rev":1}`)}
}

// keys returns the keys of tasks.
func keys(tasks []intake.Task) []string {
	ks := make([]string, len(tasks))
	for i, t := range tasks {
		ks[i] = t.Key
	}
	return ks
}

// seqs returns the seqs of cases.
func seqs(cases []intake.Registration) []uint64 {
	ns := make([]uint64, len(cases))
	for i, r := range cases {
		ns[i] = r.Seq
	}
	return ns
}

// entryKeys returns the keys of records.
func entryKeys(entries []intake.Entry) []string {
	ks := make([]string, len(entries))
	for i, e := range entries {
		ks[i] = e.Key
	}
	return ks
}
