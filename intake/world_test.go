package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
)

// world is a gateway with two partners, a CRM and a channel that remember what they were
// given. It runs in a bubble of virtual time.
type world struct {
	*testing.T
	store   intake.Store
	source  []byte // of the policy
	gateway *intake.Gateway
	crm     *fakeCRM
	channel *fakeChannel
	desk    *fakeChannel // of staff
	witness memoryWitness
	log     lockedBuffer // what a person must know of
	sent    int
}

// lockedBuffer is for several to write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type option func(*rules.Spec)

func assist(s *rules.Spec) { s.Mode = intake.ModeAssist }

// budgeted worlds bound their answers as gateways do by default.
func budgeted(s *rules.Spec) { s.Version = "default budget" }

func full(s *rules.Spec) { s.Required = rules.RequiredFull }

// inWorld runs a test in a world of its own; fn returns before the gateway is stopped.
func inWorld(t *testing.T, fn func(w *world), options ...option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { runWorld(t, memstore.New(memstore.RunTwice()), fn, options...) })
}

func runWorld(t *testing.T, store intake.Store, fn func(w *world), options ...option) {
	t.Helper()
	newWorld(t, store, options...).live(fn)
}

// live runs a test while the gateway works, then looks at what it has left behind.
func (w *world) live(fn func(w *world)) {
	t := w.T
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.gateway.Run(ctx) }()
	fn(w)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.verifyChains()
	w.judgeAgain()
	w.wantProven()
}

// judgeAgain makes each verdict again as another process would: from the policy's source and
// the input as they are stored.
func (w *world) judgeAgain() []intake.Judgement {
	w.Helper()
	var all []intake.Judgement
	for q := (intake.JudgementQuery{Limit: 100}); ; {
		page, next, err := w.gateway.Judgements(context.Background(), q)
		if err != nil {
			w.Fatal(err)
		}
		if all = append(all, page...); next == "" {
			break
		}
		q.After = next
	}
	for _, j := range all {
		source, err := w.gateway.PolicySource(context.Background(), j.Policy)
		if err != nil {
			w.Fatal(err)
		}
		p, err := rules.Read(source, identity.Default())
		if err != nil {
			w.Fatal(err)
		}
		if again := p.Judge(j.At, j.Input); p.Hash() != j.Policy || !reflect.DeepEqual(again, j.Verdict) {
			w.Errorf("%s: judged %+v, again %+v", j.Case, j.Verdict, again)
		}
	}
	return all
}

func newWorld(t *testing.T, store intake.Store, options ...option) *world {
	t.Helper()
	return newWorldWith(t, store, func(*intake.Options) {}, options...)
}

// newWorldWith is newWorld with other options of the gateway.
func newWorldWith(t *testing.T, store intake.Store, other func(*intake.Options), options ...option) *world {
	t.Helper()
	spec, budget := rules.Default(), intake.Budget{AddressHour: 1e6, AddressDay: 1e6, DomainHour: 1e6, CaseDay: 1e6, Hour: 1e6, StaffHour: 1e6}
	spec.Mode, spec.Required, spec.Timezone = intake.ModeAuto, rules.RequiredShort, "Europe/Brussels"
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	spec.OwnDomains, spec.BlockedDomains = []string{"vendor.example"}, []string{"blocked.example"}
	for _, o := range options {
		o(&spec)
	}
	if spec.Version == "default budget" {
		budget = intake.DefaultBudget()
	}
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	if err := intake.KeepPolicy(t.Context(), store, policy.Hash(), policy.Source()); err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, store: store, source: policy.Source(), crm: newFakeCRM(), channel: &fakeChannel{}, desk: &fakeChannel{}}
	with := intake.Options{
		Store: w.store, Policy: policy, Identity: ids, Numbers: numbers,
		CRMs: []intake.CRM{w.crm}, Program: "Vendor", Budget: budget, StaffChannel: "desk", Signer: testKey, Witness: &w.witness,
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	other(&with)
	w.gateway, err = intake.New(with)
	if err != nil {
		t.Fatal(err)
	}
	w.gateway.Register("email", w.channel)
	w.gateway.Register("desk", w.desk)
	err = w.gateway.PutPartners(t.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}, Manager: intake.Contact{Name: "Jo", Email: "jo@vendor.example"}},
		{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}},
		{ID: "gone", Name: "Gone", Status: intake.PartnerOffboarded, Motion: "reseller", Domains: []string{"gone.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// acme is a complete lead about acme.example.
func acme() intake.Lead {
	return intake.Lead{
		intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example",
		intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@acme.example",
		intake.FieldContactRole: "CTO", intake.FieldStage: intake.StageNewIntro,
		intake.FieldProblem: "Reporting takes a day a week.", intake.FieldConsent: intake.ConsentYes,
	}
}

func without(l intake.Lead, fields ...intake.Field) intake.Lead {
	l = l.Clone()
	for _, f := range fields {
		delete(l, f)
	}
	return l
}

// submission is a proven mail that was received a moment ago.
func (w *world) submission(from string, l intake.Lead) intake.Submission {
	w.sent++
	return intake.Submission{
		Key: fmt.Sprintf("mail:%d", w.sent), Channel: "email",
		Sender:     intake.Sender{Address: from, Strength: intake.StrengthDomain},
		Reply:      intake.Route{Channel: "email", Address: from, Thread: json.RawMessage(fmt.Sprintf(`"mail-%d"`, w.sent))},
		ReceivedAt: time.Now(), Lead: l,
	}
}

func (w *world) accept(s intake.Submission) intake.Receipt {
	w.Helper()
	r, err := w.gateway.Accept(w.Context(), s)
	if err != nil {
		w.Fatalf("accept: %v", err)
	}
	return r
}

// submit accepts a submission and lets the gateway come to rest.
func (w *world) submit(from string, l intake.Lead) intake.Receipt {
	w.Helper()
	r := w.accept(w.submission(from, l))
	synctest.Wait()
	return r
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) story(number string) intake.Dossier {
	w.Helper()
	d, err := w.gateway.Dossier(w.Context(), number)
	if err != nil {
		w.Fatalf("case %q: %v", number, err)
	}
	return d
}

// revoke takes a hold back, which two persons do.
func (w *world) revoke(number string) {
	w.Helper()
	for _, by := range []string{"mia", "jo"} {
		if _, err := w.gateway.Revoke(w.Context(), number, intake.Verdict{By: by, Rationale: "The customer objected."}); err != nil {
			w.Fatal(err)
		}
	}
	w.pass(time.Second)
}

func (w *world) wantStatus(number string, want intake.Status) intake.Registration {
	w.Helper()
	r := w.story(number).Registration
	if r.Status != want {
		w.Fatalf("case %s is %s (%s), want %s", number, r.Status, r.Reason, want)
	}
	return r
}

func (w *world) cases() []intake.Registration {
	w.Helper()
	cases, err := w.gateway.Cases(w.Context(), intake.CaseQuery{Limit: 10_000})
	if err != nil {
		w.Fatal(err)
	}
	return cases
}

func (w *world) verifyChains() {
	w.Helper()
	for _, r := range w.cases() {
		if d := w.story(r.Number); d.Chain != "" {
			w.Error(d.Chain)
		}
	}
}

// wantMessages checks the kinds of all messages to partners so far, in order.
func (w *world) wantMessages(kinds ...intake.MessageKind) []intake.Message {
	w.Helper()
	got := w.channel.messages()
	var names []string
	for _, m := range got {
		names = append(names, string(m.Kind))
	}
	var want []string
	for _, k := range kinds {
		want = append(want, string(k))
	}
	if strings.Join(names, " ") != strings.Join(want, " ") {
		w.Fatalf("messages %v, want %v", names, want)
	}
	return got
}

// fakeChannel delivers messages into a list, each ID once, as a mail server would by
// Message-ID. Fail is asked before each delivery.
type fakeChannel struct {
	mu   sync.Mutex
	list []intake.Message
	fail func(intake.Message) error
}

func (c *fakeChannel) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		if err := c.fail(m); err != nil {
			return nil, err
		}
	}
	for _, old := range c.list {
		if old.ID == m.ID {
			return old.To.Thread, nil
		}
	}
	c.list = append(c.list, m)
	return m.To.Thread, nil
}

func (c *fakeChannel) messages() []intake.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]intake.Message(nil), c.list...)
}

// fakeCRM keeps records by case number. Its funcs, where set, go first.
type fakeCRM struct {
	mu      sync.Mutex
	records map[string]intake.Registration
	notes   map[string]int
	pushes  int
	lookup  func(intake.Lead) ([]intake.Match, error)
	push    func(intake.Record) error
	changes func()
}

func newFakeCRM() *fakeCRM {
	return &fakeCRM{records: make(map[string]intake.Registration), notes: make(map[string]int)}
}

func (c *fakeCRM) set(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

func (c *fakeCRM) Name() string { return "fake" }

func (c *fakeCRM) Lookup(_ context.Context, l intake.Lead) ([]intake.Match, error) {
	c.mu.Lock()
	lookup := c.lookup
	c.mu.Unlock()
	if lookup != nil {
		return lookup(l)
	}
	return nil, nil
}

func (c *fakeCRM) Push(_ context.Context, r intake.Record) (intake.Ref, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pushes++
	if c.push != nil {
		if err := c.push(r); err != nil {
			return intake.Ref{}, err
		}
	}
	c.records[r.Registration.Number] = r.Registration
	return intake.Ref{ID: "rec-" + r.Registration.Number}, nil
}

func (c *fakeCRM) Note(_ context.Context, _ intake.Ref, n intake.Note) error {
	e := n.Event
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes[fmt.Sprintf("%s/%d", e.Case, e.N)]++
	return nil
}

func (c *fakeCRM) Changes(context.Context, string) ([]intake.Change, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes != nil {
		c.changes()
	}
	return nil, "", nil
}

var errDown = errors.New("down")

// notSeekable hides what else a reader can do.
type notSeekable struct{ io.Reader }
