package crmtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

// checks is the whole suite.
func checks() []check { return append(pushChecks(), peopleChecks()...) }

// pushChecks are those of what every connector does.
func pushChecks() []check {
	return []check{
		{"a push leaves one record that says what was pushed", pushOnce},
		{"a repeated push leaves one record", pushTwice},
		{"a newer revision changes the record", pushNewer},
		{"an older revision changes nothing", pushStale},
		{"a push that failed on the way and is repeated leaves one record", pushThroughFaults},
		{"a note that is repeated is one note", noteTwice},
		{"a note that failed on the way and is repeated is one note", noteThroughFaults},
		{"an answer that no retry heals is permanent, a refusal of ourselves is told as one, and neither tells a secret", permanentFaults},
		{"an answer that asks to wait is obeyed", delays},
		{"a redirect is not followed", redirects},
		{"a cancelled call returns at once", cancels},
		{"a call that gets no answer gives up by itself", timesOut},
		{"hostile strings arrive as they are", hostileStrings},
		{"what is for staff only stays here", staffOnly},
		{"pushes of different cases at once do not disturb each other", pushConcurrently},
		{"a look-up and the change feed answer, and tell no news of our own pushes", lookAndListen},
		{"a refusal of ourselves that lasts is told as one by every call", refusedForGood},
	}
}

func pushOnce(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	if s.CRM.Name() == "" {
		r.Errorf("the connector has no name")
	}
	ref := push(r, s, rec)
	checkRef(r, ref, 1)
	expect(r, h, s, rec)
}

func checkRef(r Reporter, ref intake.Ref, revision int) {
	r.Helper()
	if ref.ID == "" {
		r.Errorf("the reference has no id")
	}
	if ref.Revision != revision {
		r.Errorf("the reference names revision %d, pushed was %d", ref.Revision, revision)
	}
	if u, err := url.Parse(ref.URL); ref.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http") {
		r.Errorf("the reference has the url %q, must be http, https or empty", ref.URL)
	}
}

func pushTwice(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	first, second := push(r, s, rec), push(r, s, rec)
	if first.ID != second.ID {
		r.Errorf("the second push of the same case returned record %q, the first %q", second.ID, first.ID)
	}
	expect(r, h, s, rec)
}

func pushNewer(r Reporter, h Harness) {
	s := h.New(r)
	first := push(r, s, Sample(1, 1))
	newer := next(s, first)
	second := push(r, s, newer)
	checkRef(r, second, 2)
	if first.ID != second.ID {
		r.Errorf("revision 2 went to record %q, revision 1 to %q", second.ID, first.ID)
	}
	expect(r, h, s, newer)
}

// next returns revision 2 of the first case: another status, one field more filled in.
func next(s System, ref intake.Ref) intake.Record {
	rec := Sample(1, 2)
	rec.Registration.Status = intake.StatusProvisional
	rec.Registration.Lead[intake.FieldProblem] = "Backups and restores take longer than the night."
	rec.Registration.CRM = map[string]intake.Ref{s.CRM.Name(): ref}
	return rec
}

func pushStale(r Reporter, h Harness) {
	s := h.New(r)
	old := Sample(1, 1)
	newer := next(s, push(r, s, old))
	push(r, s, newer)
	if _, err := s.CRM.Push(context.Background(), old); err != nil {
		r.Errorf("push of an older revision: %v; it should pass and change nothing", err)
	}
	expect(r, h, s, newer)
}

// pushThroughFaults lets each request of a push meet each fault in turn.
func pushThroughFaults(r Reporter, h Harness) {
	rec := Sample(1, 1)
	eachFault(r, h, func(ctx context.Context, s System) error {
		_, err := s.CRM.Push(ctx, rec)
		return err
	}, func(System) {}, func(s System) { expect(r, h, s, rec) })
}

func noteTwice(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	ref := push(r, s, rec)
	number := rec.Registration.Number
	for _, n := range []int{1, 1, 2, 1, 2} {
		if err := s.CRM.Note(context.Background(), ref, note(number, n)); err != nil {
			r.Errorf("note of event %d: %v", n, err)
		}
	}
	expectNotes(r, s, number, 2)
	expect(r, h, s, rec)
}

func noteThroughFaults(r Reporter, h Harness) {
	rec := Sample(1, 1)
	number := rec.Registration.Number
	var ref intake.Ref
	eachFault(r, h, func(ctx context.Context, s System) error {
		return s.CRM.Note(ctx, ref, note(number, 1))
	}, func(s System) { ref = push(r, s, rec) }, func(s System) { expectNotes(r, s, number, 1) })
}

// eachFault runs call with each of its requests meeting each fault, each time against a new
// system that before has prepared; then it repeats the call and looks at what is there.
func eachFault(r Reporter, h Harness, call func(context.Context, System) error, before, after func(System)) {
	r.Helper()
	steps := countRequests(r, h, call, before)
	for _, f := range h.faults() {
		for step := range steps {
			s := h.New(r)
			before(s)
			s.Server.Script(append(make([]Fault, step), f)...)
			err := disturbed(r, h, s, f, call)
			judge(r, s, f, err, fmt.Sprintf("request %d meets %q", step+1, f))
			s.Server.Script()
			if f.delayed() && s.Again != nil { // as if the time to wait were over
				s.CRM = s.Again()
			}
			if err := call(context.Background(), s); err != nil {
				r.Errorf("request %d met %q: the repeat fails: %v", step+1, f, err)
			}
			after(s)
		}
	}
}

// disturbed runs call with the fault to come. One that gets no answer is given up as soon as
// the request is there, so that no check waits for a time-out.
func disturbed(r Reporter, h Harness, s System, f Fault, call func(context.Context, System) error) error {
	r.Helper()
	if f != CommitThenHang {
		return call(context.Background(), s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- call(ctx, s) }()
	select {
	case <-s.Server.Arrived():
	case err := <-done:
		return err
	case <-time.After(h.wait()):
		r.Fatalf("the request did not arrive")
	}
	cancel()
	select {
	case err := <-done:
		return err
	case <-time.After(h.wait()):
		r.Fatalf("a call that was cancelled did not return within %v", h.wait())
		return nil
	}
}

// countRequests returns how many requests an undisturbed call makes.
func countRequests(r Reporter, h Harness, call func(context.Context, System) error, before func(System)) int {
	r.Helper()
	s := h.New(r)
	if s.Server == nil {
		return 0
	}
	before(s)
	n := len(s.Server.Requests())
	if err := call(context.Background(), s); err != nil {
		r.Fatalf("without a fault: %v", err)
	}
	return len(s.Server.Requests()) - n
}

// judge looks at the error that a fault led to.
func judge(r Reporter, s System, f Fault, err error, what string) {
	r.Helper()
	checkWords(r, s, err, what)
	if f.ambiguous() {
		return
	}
	switch {
	case err == nil && f == Answer401: // new credentials were let in
	case err == nil:
		r.Errorf("%s: no error", what)
	case f.ours() && !intake.IsUnauthorized(err) && (f == Answer401 || !intake.IsPermanent(err)):
		r.Errorf("%s: the error does not say that we are refused: %v", what, err)
	case f.ours():
	case f.permanent() && !intake.IsPermanent(err):
		r.Errorf("%s: the error is not marked permanent: %v", what, err)
	case !f.permanent() && intake.IsPermanent(err):
		r.Errorf("%s: the error is marked permanent, but a retry may heal it: %v", what, err)
	}
}

// checkWords looks for what an error must not repeat.
func checkWords(r Reporter, s System, err error, what string) {
	r.Helper()
	if err == nil {
		return
	}
	for _, secret := range append(slices.Clone(s.Secrets), BodyCanary) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			r.Errorf("%s: the error holds a secret or the answer's body: %v", what, err)
		}
	}
}

func permanentFaults(r Reporter, h Harness) {
	for _, f := range h.faults() {
		s := h.New(r)
		if s.Server == nil || !f.permanent() && !f.ours() {
			continue
		}
		s.Server.Script(f)
		_, err := s.CRM.Push(context.Background(), Sample(1, 1))
		judge(r, s, f, err, fmt.Sprintf("push meets %q", f))
		if n := len(s.Server.Requests()); n > 1 && !f.ours() { // who is refused may ask for new credentials
			r.Errorf("push meets %q: %d requests; it should leave repeating to the queue", f, n)
		}
	}
}

func delays(r Reporter, h Harness) {
	for _, f := range h.faults() {
		s := h.New(r)
		if s.Server == nil || !f.delayed() {
			continue
		}
		s.Server.Script(f)
		_, err := s.CRM.Push(context.Background(), Sample(1, 1))
		if d, ok := intake.RetryDelay(err); !ok || d != Later {
			r.Errorf("%q asks to wait %v; the error says %v, %t", f, Later, d, ok)
		}
	}
}

func redirects(r Reporter, h Harness) {
	s := h.New(r)
	if s.Server == nil {
		return
	}
	s.Server.Script(Redirect)
	if _, err := s.CRM.Push(context.Background(), Sample(1, 1)); err == nil {
		r.Errorf("an answer that is a redirect is no error")
	}
	for _, q := range s.Server.Requests() {
		if strings.HasSuffix(q.Path, "/redirected") {
			r.Errorf("the redirect was followed to %s", q.Path)
		}
	}
}

func cancels(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.CRM.Push(ctx, rec); !errors.Is(err, context.Canceled) {
		r.Errorf("push with a cancelled context: %v, want context.Canceled", err)
	}
	if s.Server == nil {
		return
	}
	s.Server.Script(CommitThenHang)
	err := disturbed(r, h, s, CommitThenHang, func(ctx context.Context, s System) error {
		_, err := s.CRM.Push(ctx, rec)
		return err
	})
	if err == nil {
		r.Errorf("a push that was cancelled without an answer is no error")
	}
}

func timesOut(r Reporter, h Harness) {
	if h.New(r).Server == nil {
		return
	}
	if h.Impatient == nil {
		r.Fatalf("the harness has no Impatient system, so the time-out is not tested")
	}
	s := h.Impatient(r)
	s.Server.Script(CommitThenHang)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := s.CRM.Push(ctx, Sample(1, 1))
		done <- err
	}()
	select {
	case err := <-done:
		judge(r, s, CommitThenHang, err, "push gets no answer")
	case <-time.After(h.wait()):
		r.Errorf("a push that gets no answer still waits after %v", h.wait())
	}
}

func hostileStrings(r Reporter, h Harness) {
	for name, v := range hostile() {
		s, rec := h.New(r), Sample(1, 1)
		rec.Registration.Lead[intake.FieldCompanyName] = v
		if _, err := s.CRM.Push(context.Background(), rec); err != nil {
			r.Errorf("company name with %s: %v", name, err)
			continue
		}
		expect(r, h, s, rec)
	}
}

func hostile() map[string]string {
	return map[string]string{
		"quotes":             `O'Brien "The" ` + "`Best`" + ` \ Co`,
		"line breaks":        "Acme\r\nX-Injected: yes\n\nGmbH",
		"markup":             `<script>alert(1)</script> & <!channel> {{.}} ${7*7} %s %00`,
		"query syntax":       `') OR 1=1; DROP TABLE deals; --`,
		"separators":         "a,b;c\td|e",
		"other scripts":      "株式会社アクメ Ålesund Łódź אבג 🦊",
		"line separators":    "Acme\u2028\u2029GmbH",
		"ten kilobytes":      strings.Repeat("Öl & Gas 🛢 ", 10_000/len("Öl & Gas 🛢 ")),
		"a formula":          `=HYPERLINK("http://evil.example","x")`,
		"what looks like {}": `{"id":"1","properties":{}}`,
	}
}

func staffOnly(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	ref := push(r, s, rec)
	if err := s.CRM.Note(context.Background(), ref, note(rec.Registration.Number, 1)); err != nil {
		r.Errorf("note: %v", err)
	}
	if s.Server == nil {
		return
	}
	for _, q := range s.Server.Requests() {
		if strings.Contains(string(q.Body)+q.Path, StaffCanary) {
			r.Errorf("%s %s tells what is for staff only", q.Method, q.Path)
		}
	}
}

func pushConcurrently(r Reporter, h Harness) {
	const cases = 32
	s := h.New(r)
	errs := make([]error, cases)
	var group sync.WaitGroup
	for i := range cases {
		group.Go(func() { _, errs[i] = s.CRM.Push(context.Background(), Sample(i+1, 1)) })
	}
	group.Wait()
	var want []intake.Record
	for i, err := range errs {
		if err != nil {
			r.Errorf("push of case %d of %d at once: %v", i+1, cases, err)
		}
		want = append(want, Sample(i+1, 1))
	}
	expect(r, h, s, want...)
}

func lookAndListen(r Reporter, h Harness) {
	s, rec := h.New(r), Sample(1, 1)
	ctx := context.Background()
	if m, err := s.CRM.Lookup(ctx, intake.Lead{}); err != nil || len(m) != 0 {
		r.Errorf("look-up of an empty lead: %v, %v; want nothing", m, err)
	}
	changes, cursor, err := s.CRM.Changes(ctx, "")
	if err != nil || len(changes) != 0 {
		r.Errorf("the feed from now on: %v, %v; want nothing yet", changes, err)
	}
	push(r, s, rec)
	changes, cursor, err = s.CRM.Changes(ctx, cursor)
	if err != nil {
		r.Errorf("the feed after a push: %v", err)
	}
	told := make(known)
	told.take(changes)
	for _, c := range changes {
		if c.Case != rec.Registration.Number || c.Gone || c.Fields[intake.ChangeStatus] == intake.DealWon || c.Fields[intake.ChangeStatus] == intake.DealLost {
			r.Errorf("the feed has %+v; want the echo of our own push", c)
		}
	}
	again, _, err := s.CRM.Changes(ctx, cursor)
	if news := told.take(again); err != nil || cursor != "" && len(news) > 0 {
		r.Errorf("the feed, read to its end: %v, %v; want nothing new", news, err)
	}
	if _, err := s.CRM.Lookup(ctx, rec.Registration.Lead); err != nil {
		r.Errorf("look-up: %v", err)
	}
}

// refusedForGood refuses everything, new credentials too.
func refusedForGood(r Reporter, h Harness) {
	rec, ctx := Sample(1, 1), context.Background()
	for name, call := range map[string]func(System, intake.Ref) error{
		"push":    func(s System, _ intake.Ref) error { _, err := s.CRM.Push(ctx, rec); return err },
		"note":    func(s System, ref intake.Ref) error { return s.CRM.Note(ctx, ref, note(rec.Registration.Number, 1)) },
		"look-up": func(s System, _ intake.Ref) error { _, err := s.CRM.Lookup(ctx, rec.Registration.Lead); return err },
		"feed":    func(s System, _ intake.Ref) error { _, _, err := s.CRM.Changes(ctx, ""); return err },
	} {
		s := h.New(r)
		if s.Server == nil {
			return
		}
		ref := push(r, s, rec)
		before := len(s.Server.Requests())
		s.Server.Script(slices.Repeat([]Fault{Answer401}, 20)...)
		err := call(s, ref)
		switch n := len(s.Server.Requests()) - before; {
		case n == 0: // it asks nothing
		case !intake.IsUnauthorized(err):
			r.Errorf("%s is refused with 401, as all is: %v", name, err)
		case n > 4:
			r.Errorf("%s is refused with 401, as all is, and asks %d times", name, n)
		}
		checkWords(r, s, err, name+" is refused")
	}
}

// push pushes rec and ends the check if that fails.
func push(r Reporter, s System, rec intake.Record) intake.Ref {
	r.Helper()
	ref, err := s.CRM.Push(context.Background(), rec)
	if err != nil {
		r.Fatalf("push: %v", err)
	}
	return ref
}

// expect reports every difference between the remote side and the records wanted.
func expect(r Reporter, h Harness, s System, want ...intake.Record) {
	r.Helper()
	have, err := s.Records()
	if err != nil {
		r.Fatalf("read the remote side: %v", err)
	}
	if len(have) != len(want) {
		r.Errorf("the remote side has %d records, want %d", len(have), len(want))
	}
	for _, w := range want {
		i := slices.IndexFunc(have, func(s Stored) bool { return s.Case == w.Registration.Number })
		if i < 0 {
			r.Errorf("the remote side has no record of case %s", w.Registration.Number)
			continue
		}
		compare(r, h, have[i], w.Registration)
	}
}

func compare(r Reporter, h Harness, have Stored, want intake.Registration) {
	r.Helper()
	if have.Status != want.Status {
		r.Errorf("case %s: status %q, want %q", want.Number, have.Status, want.Status)
	}
	if have.Revision != want.Revision {
		r.Errorf("case %s: revision %d, want %d", want.Number, have.Revision, want.Revision)
	}
	for _, f := range h.fields() {
		if have.Lead[f] != want.Lead[f] {
			r.Errorf("case %s: %s is %.80q, want %.80q", want.Number, f, have.Lead[f], want.Lead[f])
		}
	}
}

func expectNotes(r Reporter, s System, number string, want int) {
	r.Helper()
	n, err := s.Notes(number)
	if err != nil {
		r.Fatalf("read the notes: %v", err)
	}
	if n != want {
		r.Errorf("the remote side has %d notes, want %d", n, want)
	}
}
