package boltstore

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
)

// signingKey is the key of the gateway; an intruder has another one.
type signingKey struct{ private ed25519.PrivateKey }

func keyOf(seed byte) signingKey {
	return signingKey{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))}
}

func (k signingKey) public() ed25519.PublicKey  { return k.private.Public().(ed25519.PublicKey) }
func (k signingKey) KeyID() string              { return intake.KeyID(k.public()) }
func (k signingKey) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

// lines is a witness.
type lines []intake.WitnessLine

func (w *lines) Last() (l intake.WitnessLine, err error) {
	if n := len(*w); n > 0 {
		l = (*w)[n-1]
	}
	return l, nil
}

func (w *lines) Append(more []intake.WitnessLine) error {
	*w = append(*w, more...)
	return nil
}

// proven is a store that a gateway filled with cases, and what proves it.
type proven struct {
	*Store
	keys    intake.Keyring
	witness lines
}

const provenCases = 50

func newProven(t *testing.T) *proven {
	t.Helper()
	p := &proven{Store: open(t), keys: intake.Keyring{}}
	p.keys.Add(keyOf(1).public())
	p.fill(t, p.gateway(t))
	return p
}

// gateway returns one that works on the store.
func (p *proven) gateway(t *testing.T) *intake.Gateway {
	t.Helper()
	spec := rules.Default()
	spec.Mode, spec.Required, spec.Timezone = intake.ModeAuto, rules.RequiredShort, "Europe/Brussels"
	spec.OwnDomains = []string{"vendor.example"}
	spec.Contact = rules.Contact{Name: "Mia", Email: "mia@vendor.example"}
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := intake.New(intake.Options{Store: p.Store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor", Signer: keyOf(1), Witness: &p.witness})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// fill has the gateway take cases of all kinds, with a checkpoint now and then.
func (p *proven) fill(t *testing.T, g *intake.Gateway) {
	t.Helper()
	if err := g.PutPartners(t.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}},
		{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	for i := range provenCases {
		domain := fmt.Sprintf("prospect-%d.example", i*2/3) // a third of them meet a rival
		from := []string{"ana@alpha.example", "bo@beta.example", "x@stranger.example"}[i%3]
		lead := intake.Lead{
			intake.FieldCompanyName: "Company " + domain, intake.FieldCompanyDomain: domain, intake.FieldContactEmail: "jane@" + domain,
			intake.FieldContactName: "Jane", intake.FieldStage: intake.StageNewIntro, intake.FieldConsent: intake.ConsentYes,
			intake.FieldProblem: "Reporting takes a day a week.",
		}
		if i%5 == 0 {
			delete(lead, intake.FieldProblem)
		}
		raw, err := g.Keep(ctx, strings.NewReader("the mail about "+domain))
		if err != nil {
			t.Fatal(err)
		}
		s := intake.Submission{
			Key: fmt.Sprint("mail:", i), Channel: "email", Sender: intake.Sender{Address: from, Strength: intake.StrengthDomain},
			ReceivedAt: time.Now(), Lead: lead, Raw: raw, Text: "Please register <this>",
		}
		receipt, err := g.Accept(ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		if i%4 == 0 && receipt.Case != "" {
			s.Key, s.Case, s.Lead = s.Key+"+", receipt.Case, intake.Lead{intake.FieldContactRole: "CTO"}
			if _, err := g.Accept(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		if i%10 == 9 {
			if _, err := g.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.settle(t)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// settle waits until nothing is left to check.
func (p *proven) settle(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for open := 1; open > 0; time.Sleep(10 * time.Millisecond) {
		if err := p.View(t.Context(), func(tx intake.Tx) error {
			depth, err := tx.Depth()
			open = depth[intake.LaneCheck].Open
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the cases are not decided")
		}
	}
}

// seen is a store as one sees it from within a bbolt transaction that is never committed.
type seen struct {
	intake.Store
	tx *txn
}

func (s seen) View(_ context.Context, fn func(intake.Tx) error) error { return fn(s.tx) }

// tampered returns the faults of the store as change leaves it. The change is undone.
func (p *proven) tampered(t *testing.T, change func(*txn)) []intake.AuditFault {
	t.Helper()
	btx, err := p.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = btx.Rollback() }()
	tx := &txn{buckets: &buckets{btx: btx}, now: time.Now, writable: true}
	change(tx)
	return p.audit(t, tx)
}

// audit checks what a transaction sees as the command does: what the store tells, and its
// indexes.
func (p *proven) audit(t *testing.T, tx *txn) []intake.AuditFault {
	t.Helper()
	report, err := intake.Audit{Store: seen{tx: tx}, Keys: p.keys, Witness: p.witness}.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &checker{ctx: t.Context(), txn: tx}
	for _, check := range []func() error{c.cases, c.tasks, c.finished, c.events, c.nothingMore} {
		if err := check(); err != nil {
			return append(report.Faults, intake.AuditFault{Problem: err.Error()})
		}
	}
	return report.Faults
}

// entry is one record as it lies in the file.
type entry struct{ k, v []byte }

// scope is a kind of records that the audit answers for.
type scope struct {
	name  string
	table table
	// prefix is that of the keys.
	prefix []byte
	// says decodes a record; nil if each of its bytes counts.
	says func([]byte) (any, error)
	// after returns the key of a further record behind the one of a key.
	after func(tx *txn, k []byte) []byte
}

func decoder[T any](b []byte) (any, error) {
	var v T
	err := json.Unmarshal(b, &v)
	return v, err
}

func scopes() []scope {
	inSpace := func(name, space string, says func([]byte) (any, error), after func(*txn, []byte) []byte) scope {
		return scope{name, tableRec, appendString(nil, space), says, after}
	}
	numbered := func(_ *txn, k []byte) []byte {
		b := bytes.Clone(k)
		copy(b[len(b)-6:], "999999")
		return b
	}
	return []scope{
		{"cases", tableCase, nil, decoder[intake.Registration], func(_ *txn, _ []byte) []byte { return uintKey(provenCases + 1000) }},
		{"events", tableEvent, nil, decoder[intake.Event], func(tx *txn, k []byte) []byte {
			place := k[:placeSize]
			return binary.BigEndian.AppendUint32(bytes.Clone(place), uint32(tx.lastEvent(place)+1))
		}},
		inSpace("submissions", "submission", nil, numbered),
		inSpace("judgements", "judgement", nil, numbered),
		inSpace("checkpoints", "checkpoint", decoder[intake.Checkpoint], func(_ *txn, k []byte) []byte {
			b := bytes.Clone(k)
			b[len(b)-3]-- // a later one
			return b
		}),
	}
}

func (s scope) all(tx *txn) (entries []entry) {
	c := tx.cursor(s.table)
	for k, v := c.seek(s.prefix); bytes.HasPrefix(k, s.prefix) && k != nil; k, v = c.next() {
		entries = append(entries, entry{bytes.Clone(k), bytes.Clone(v)})
	}
	return entries
}

// same reports whether two values tell the same, as a space more in JSON does.
func (s scope) same(a, b []byte) bool {
	if s.says == nil {
		return bytes.Equal(a, b)
	}
	va, errA := s.says(a)
	vb, errB := s.says(b)
	return errA == nil && errB == nil && reflect.DeepEqual(va, vb)
}

// manner is a way to change a record; it returns false if what it did changes nothing.
type manner struct {
	name  string
	apply func(r *rand.Rand, tx *txn, s scope, all []entry) bool
}

// edits returns a manner that puts another value in the place of one.
func edits(name string, edit func(*rand.Rand, []byte) []byte) manner {
	return manner{name, func(r *rand.Rand, tx *txn, s scope, all []entry) bool {
		e := all[r.IntN(len(all))]
		b := edit(r, bytes.Clone(e.v))
		if s.same(e.v, b) {
			return false
		}
		tx.put(s.table, e.k, b)
		return true
	}}
}

func manners() []manner {
	return []manner{
		edits("flipped bit", func(r *rand.Rand, b []byte) []byte {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			return b
		}),
		edits("edited field", editField),
		edits("cut off value", func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] }),
		{"deleted", func(r *rand.Rand, tx *txn, s scope, all []entry) bool {
			tx.delete(s.table, all[r.IntN(len(all))].k)
			return true
		}},
		{"swapped", func(r *rand.Rand, tx *txn, s scope, all []entry) bool {
			a, b := all[r.IntN(len(all))], all[r.IntN(len(all))]
			tx.put(s.table, a.k, b.v)
			tx.put(s.table, b.k, a.v)
			return !bytes.Equal(a.v, b.v)
		}},
		{"duplicated", func(r *rand.Rand, tx *txn, s scope, all []entry) bool {
			a, b := all[r.IntN(len(all))], all[r.IntN(len(all))]
			k := s.after(tx, b.k)
			tx.put(s.table, k, a.v)
			return true
		}},
		{"tail cut off", func(r *rand.Rand, tx *txn, s scope, all []entry) bool {
			tail := all[len(all)-1-r.IntN(min(5, len(all)-1)):]
			if s.name == "checkpoints" { // the newest come first
				tail = all[:len(tail)]
			}
			for _, e := range tail {
				tx.delete(s.table, e.k)
			}
			return true
		}},
	}
}

// editField changes one field somewhere in a JSON object, or removes it.
func editField(r *rand.Rand, b []byte) []byte {
	var fields map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		panic(err)
	}
	editOne(r, fields)
	out, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return out
}

func editOne(r *rand.Rand, fields map[string]any) {
	names := slices.Sorted(maps.Keys(fields))
	name := names[r.IntN(len(names))]
	switch v := fields[name].(type) {
	case map[string]any:
		if len(v) > 0 {
			editOne(r, v)
			return
		}
	case json.Number:
		fields[name] = json.Number(v.String() + "1")
		return
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			fields[name] = at.Add(-time.Hour)
			return
		}
		fields[name] = v + "x"
		return
	case bool:
		fields[name] = !v
		return
	}
	delete(fields, name)
}

func TestEverySingleChangeOfAStoreIsFound(t *testing.T) {
	p := newProven(t)
	if faults := p.tampered(t, func(*txn) {}); len(faults) > 0 {
		t.Fatalf("before anything was changed: %v", faults)
	}
	changes := 1050
	if testing.Short() {
		changes = 210
	}
	r := rand.New(rand.NewPCG(1, 2))
	all := scopes()
	ways := manners()
	found := make(map[string]int)
	for i := range changes {
		s, m := all[i%len(all)], ways[i/len(all)%len(ways)]
		for changed := false; !changed; {
			faults := p.tampered(t, func(tx *txn) { changed = m.apply(r, tx, s, s.all(tx)) })
			if changed && len(faults) == 0 {
				t.Errorf("change %d: %s of %s was not found", i, m.name, s.name)
			}
			if changed && len(faults) > 0 {
				found[m.name+"/"+s.name]++
			}
		}
	}
	report(t, all, ways, found)
}

// A damaged file is told of; it does not end the command that looks for damage. What is
// changed here may be anything in any bucket, keys included.
func TestTheCheckOutlivesAnyDamage(t *testing.T) {
	p := newProven(t)
	btx := must(p.db.Begin(true))(t)
	defer func() { _ = btx.Rollback() }()
	tx := &txn{buckets: &buckets{btx: btx}, now: time.Now, writable: true}
	eventOfNone := func(t *testing.T) {
		// The first event of all tells of a case that there is not.
		all := scope{table: tableEvent}.all(tx)
		tx.put(tableEvent, all[0].k, []byte(`{"n":1,"case":"LG-0000-NONE"}`))
		defer tx.put(tableEvent, all[0].k, all[0].v)
		if err := (&checker{ctx: t.Context(), txn: tx}).events(); !errors.Is(err, ErrDamaged) {
			t.Errorf("an event of no case: %v", err)
		}
	}
	eventOfNone(t)

	r := rand.New(rand.NewPCG(3, 4))
	mangle := func(b []byte) []byte {
		b = bytes.Clone(b)
		if len(b) == 0 || r.IntN(3) == 0 {
			return append(b, byte(r.IntN(256)))
		}
		if r.IntN(2) == 0 {
			return b[:r.IntN(len(b))]
		}
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	}
	for i := range 1500 {
		s := scope{table: table(r.IntN(int(tableCount)))}
		all := s.all(tx)
		if len(all) == 0 {
			continue
		}
		e := all[r.IntN(len(all))]
		k, v := e.k, mangle(e.v)
		if r.IntN(2) == 0 {
			k, v = mangle(e.k), e.v
		}
		if len(k) == 0 || tx.read(s.table, k) != nil && !bytes.Equal(k, e.k) {
			continue
		}
		tx.delete(s.table, e.k)
		tx.put(s.table, k, v)
		c := &checker{ctx: t.Context(), txn: tx}
		for _, check := range []func() error{c.cases, c.tasks, c.finished, c.events, c.nothingMore} {
			_ = check() // whatever it says, it returns
		}
		if i%5 == 0 {
			_, _ = intake.Audit{Store: seen{tx: tx}, Keys: p.keys, Witness: p.witness}.Verify(t.Context())
		}
		tx.delete(s.table, k)
		tx.put(s.table, e.k, e.v)
	}
	if tx.broken != nil {
		t.Fatal(tx.broken)
	}
}

func report(t *testing.T, all []scope, ways []manner, found map[string]int) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%-15s", "found")
	for _, s := range all {
		fmt.Fprintf(&b, "%12s", s.name)
	}
	sum := 0
	for _, m := range ways {
		fmt.Fprintf(&b, "\n%-15s", m.name)
		for _, s := range all {
			fmt.Fprintf(&b, "%12d", found[m.name+"/"+s.name])
			sum += found[m.name+"/"+s.name]
		}
	}
	t.Logf("%d changes were found\n%s", sum, &b)
}

// redate is what an intruder does who knows the format: it moves the claim of a case back and
// makes all hashes anew.
func redate(t *testing.T, tx *txn, r intake.Registration) {
	t.Helper()
	events, err := tx.Events(r.Number)
	if err != nil {
		t.Fatal(err)
	}
	r.Claim = r.Claim.Add(-time.Hour)
	bare := r
	bare.Head = ""
	b, err := json.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	prev := ""
	place, _ := tx.place(r.Number, false)
	for _, e := range events {
		if e.N == 1 {
			e.At = e.At.Add(-time.Hour)
		}
		if e.N == r.Events {
			e.Bind = hex.EncodeToString(sum[:])
		}
		e.Seal(prev)
		prev = e.Hash
		value, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		tx.put(tableEvent, binary.BigEndian.AppendUint32(bytes.Clone(place), uint32(e.N)), value)
	}
	r.Head = prev
	value, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	tx.put(tableCase, uintKey(r.Seq), value)
	tx.put(tableCaseHead, uintKey(r.Seq), headOf(&r).encode())
	if err := intake.VerifyChain(r, must(tx.Events(r.Number))(t)); err != nil {
		t.Fatalf("the intruder has made a mistake: %v", err)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func oneCase(t *testing.T, tx *txn) intake.Registration {
	t.Helper()
	cases := must(tx.ListCases(intake.CaseQuery{Status: intake.StatusQuarantined, Limit: 1}))(t)
	return cases[0]
}

// wantFault checks that one of the faults tells of something.
func wantFault(t *testing.T, faults []intake.AuditFault, want string) {
	t.Helper()
	for _, f := range faults {
		if strings.Contains(f.String(), want) {
			return
		}
	}
	t.Errorf("no fault says %q: %v", want, faults)
}

func TestARedatedCaseIsFoundThoughAllItsHashesWereMadeAnew(t *testing.T) {
	p := newProven(t)
	var number string
	faults := p.tampered(t, func(tx *txn) {
		r := oneCase(t, tx)
		number = r.Number
		redate(t, tx, r)
	})
	wantFault(t, faults, "case "+number+", event ")
	wantFault(t, faults, "it is not the event that checkpoint ")
	for _, f := range faults {
		if f.Case != number && f.Case != "" {
			t.Errorf("another case is blamed: %s", f)
		}
	}
}

func TestDeletedCheckpointsAreFoundByTheWitness(t *testing.T) {
	p := newProven(t)
	faults := p.tampered(t, func(tx *txn) {
		redate(t, tx, oneCase(t, tx))
		for _, e := range scopes()[4].all(tx) {
			tx.delete(tableRec, e.k)
		}
		for r := range cases(t, tx) { // and has all cases wait for the next one
			mark := must(json.Marshal(intake.Head{Case: r.Number, N: r.Events, Hash: r.Head}))(t)
			if err := tx.PutRecord("checkpoint_await", fmt.Sprintf("%016x", r.Seq), mark); err != nil {
				t.Fatal(err)
			}
		}
	})
	if len(faults) != 1 {
		t.Errorf("faults: %v", faults)
	}
	wantFault(t, faults, fmt.Sprintf("the store ends at checkpoint 0, the witness knows %d", len(p.witness)))
}

func cases(t *testing.T, tx *txn) func(func(intake.Registration) bool) {
	t.Helper()
	return func(yield func(intake.Registration) bool) {
		for _, r := range must(tx.ListCases(intake.CaseQuery{Limit: 10_000}))(t) {
			if !yield(r) {
				return
			}
		}
	}
}

func TestCheckpointsThatAnIntruderSignedAreFound(t *testing.T) {
	p := newProven(t)
	thief := keyOf(2)
	faults := p.tampered(t, func(tx *txn) {
		e := scopes()[4].all(tx)[0] // the newest
		var c intake.Checkpoint
		if err := json.Unmarshal(e.v, &c); err != nil {
			t.Fatal(err)
		}
		c.Heads, c.Key, c.Hash, c.Signature = c.Heads[:1], thief.KeyID(), "", nil
		b := must(json.Marshal(c))(t)
		sum := sha256.Sum256(b)
		c.Hash = hex.EncodeToString(sum[:])
		c.Signature = thief.Sign(fmt.Appendf(nil, "leadgate checkpoint\n%d\n%s\n", c.N, c.Hash))
		tx.put(tableRec, e.k, must(json.Marshal(c))(t))
	})
	wantFault(t, faults, "signed by an unknown key: "+thief.KeyID())
	wantFault(t, faults, "it is not the one that the witness knows")
}

func TestAPayloadThatWasEditedOrTakenAwayIsFound(t *testing.T) {
	p := newProven(t)
	raw := scope{table: tableRec, prefix: appendString(nil, "raw")}
	wantFault(t, p.tampered(t, func(tx *txn) {
		e := raw.all(tx)[0]
		tx.put(tableRec, e.k, append(e.v, '!'))
	}), "of a submission was changed")
	wantFault(t, p.tampered(t, func(tx *txn) { tx.delete(tableRec, raw.all(tx)[0].k) }), "of a submission is gone")
}

func TestWhatWaitsForACheckpointAndIsMadeToWaitNoLongerIsFound(t *testing.T) {
	p := newProven(t)
	s := intake.Submission{
		Key: "late", Channel: "email", Sender: intake.Sender{Address: "x@stranger.example"}, ReceivedAt: time.Now(),
		Lead: intake.Lead{intake.FieldCompanyName: "Late", intake.FieldCompanyDomain: "late.example"},
	}
	receipt, err := p.gateway(t).Accept(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if faults := p.tampered(t, func(*txn) {}); len(faults) > 0 {
		t.Fatalf("before: %v", faults)
	}
	marks := scope{table: tableRec, prefix: appendString(nil, "checkpoint_await")}
	late := "case " + receipt.Case
	wantFault(t, p.tampered(t, func(tx *txn) { tx.delete(tableRec, marks.all(tx)[0].k) }), late+", event 1: no checkpoint tells of this event, and none is going to")
	wantFault(t, p.tampered(t, func(tx *txn) {
		e := marks.all(tx)[0]
		tx.put(tableRec, e.k, bytes.Replace(e.v, []byte(`"n":1`), []byte(`"n":0`), 1))
	}), "what waits for a checkpoint is not the end of the history")
	wantFault(t, p.tampered(t, func(tx *txn) { // the whole case, but for its mark
		seq := tx.read(tableCaseNo, []byte(receipt.Case))
		tx.delete(tableCase, seq)
		tx.delete(tableCaseHead, seq)
		tx.delete(tableCaseNo, []byte(receipt.Case))
	}), late+": is gone")
}

// An audit sees each case in one moment, whatever is written meanwhile.
func TestAnAuditBesideAGatewayAtWorkFindsNothing(t *testing.T) {
	p := &proven{Store: open(t), keys: intake.Keyring{}}
	p.keys.Add(keyOf(1).public())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	audits := 0
	go func() {
		defer close(ended)
		for ; ctx.Err() == nil; audits++ {
			report, err := intake.Audit{Store: p.Store, Keys: p.keys}.Verify(ctx)
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			for _, f := range report.Faults {
				t.Error(f)
			}
		}
	}()
	p.fill(t, p.gateway(t))
	cancel()
	<-ended
	if audits < 5 {
		t.Errorf("%d audits are too few", audits)
	}
}

func TestTheWitnessOfACutStoreIsToldNothing(t *testing.T) {
	p := newProven(t)
	if err := p.db.Update(func(btx *bolt.Tx) error {
		tx := &txn{buckets: &buckets{btx: btx}, writable: true}
		tx.delete(tableRec, scopes()[4].all(tx)[0].k) // the newest checkpoint
		return tx.broken
	}); err != nil {
		t.Fatal(err)
	}
	before := len(p.witness)
	if _, err := p.gateway(t).Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "restored from an older backup") {
		t.Errorf("got %v", err)
	}
	if len(p.witness) != before {
		t.Errorf("the witness has %d lines of %d", len(p.witness), before)
	}
}
