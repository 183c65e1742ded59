package intake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	spaceSource     = "source"     // delivery key or content → receipt
	spaceSubmission = "submission" // see submissionKey
	spaceMessageID  = "message_id" // sender and Message-ID → source key of the content
	spaceAside      = "aside"      // id → Aside

	// repeatWindow is how long the same content from the same sender is the same submission.
	repeatWindow = 30 * 24 * time.Hour
)

// source remembers what became of a delivery.
type source struct {
	Receipt Receipt   `json:"receipt"`
	First   time.Time `json:"first"`
	// Proven says that the sender was. What was taken in without proof, or set aside, must
	// not swallow the same thing when it comes with proof.
	Proven bool `json:"proven,omitempty"`
	// Batch is the import that a content came with, empty if it came otherwise.
	Batch string `json:"batch,omitempty"`
	// Last and Again tell of repeats, zero until there is one.
	Last  time.Time `json:"last,omitzero"`
	Again int       `json:"again,omitempty"`
}

// Accept implements Sink.
func (g *Gateway) Accept(ctx context.Context, s Submission) (Receipt, error) {
	began := g.now()
	a, err := g.prepare(s)
	if err != nil {
		g.observe.Accepted(s.Channel, "error", g.now().Sub(began))
		return Receipt{}, err
	}
	err = g.update(ctx, func(c *change) error { return a.run(c) })
	if err != nil {
		g.observe.Accepted(s.Channel, "error", g.now().Sub(began))
		return Receipt{}, fmt.Errorf("accept submission from channel %s: %w", s.Channel, err)
	}
	g.observe.Accepted(s.Channel, a.outcome, g.now().Sub(began))
	g.log.Info("submission accepted", "case", a.receipt.Case, "channel", s.Channel, "outcome", a.outcome, "aside", a.receipt.Aside)
	return a.receipt, nil
}

// newID returns 80 random bits: names of things that are not cases.
func newID() string {
	var b [10]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // documented never to happen
	}
	return hex.EncodeToString(b[:])
}

// acceptance is one submission on its way into the store. What does not depend on the
// store is done before; run may run again.
type acceptance struct {
	s        Submission
	problems []Problem // of values that were given and can't be used
	content  string    // source key of the content, or empty
	id       string    // for setting aside
	keys     []string  // of the account, as far as this submission tells
	record   []byte    // s as it is stored
	split    Field     // the field by which the policy lets partners share an account

	receipt Receipt
	outcome string
}

func (g *Gateway) prepare(s Submission) (*acceptance, error) {
	if s.Key == "" || s.Channel == "" || s.ReceivedAt.IsZero() {
		return nil, errors.New("a submission needs a key, a channel and a time")
	}
	if len(s.Payload) > MaxPayload {
		return nil, fmt.Errorf("a payload of %d bytes is more than %d: it has to be kept first", len(s.Payload), MaxPayload)
	}
	a := &acceptance{s: s, id: newID()}
	if s.Payload != nil {
		sum := sha256.Sum256(s.Payload)
		a.s.Raw.SHA256, a.s.Raw.Size = hex.EncodeToString(sum[:]), int64(len(s.Payload))
	}
	a.s.ReceivedAt = s.ReceivedAt.UTC().Truncate(time.Microsecond)
	a.s.Lead, a.problems = Clean(g.ids, s.Lead)
	a.problems = append(a.problems, cleanProblems(s.Problems)...)
	a.s.Evidence, a.s.Unclear = cleanEvidence(s.Evidence), cleanUnclear(s.Unclear)
	a.s.Text = cleanText(s.Text, FieldProblem)
	a.s.Subject = cleanText(s.Subject, FieldCompanyName)
	a.s.Sender.Name = cleanText(s.Sender.Name, FieldContactName)
	a.s.Reference = cleanText(s.Reference, FieldCompanyName)
	boundAddresses(&a.s.Sender, &a.s.Reply)
	if s.Content != "" {
		a.content = contentKey(s.Sender.Address, s.Content)
	}
	a.s.Mute = cleanText(s.Mute, FieldCompanyName)
	a.s.Note = cleanText(s.Note, FieldCompanyName)
	if a.s.Sender.Strength == "" {
		a.s.Sender.Strength = StrengthUnverified
	}
	for _, number := range []*string{&a.s.Case, &a.s.CaseHint} {
		if n, ok := g.numbers.Parse(*number); ok {
			*number = n
		} else {
			*number = ""
		}
	}
	a.split = g.policy.Published().Split
	if !a.s.Inline {
		a.keys = AccountKeys(g.ids, a.s.Lead)
	}
	var err error
	if a.record, err = json.Marshal(a.s); err != nil {
		return nil, fmt.Errorf("submission does not encode: %w", err)
	}
	return a, nil
}

// maxAddress is the longest address that mail can be sent to (RFC 5321, section 4.5.3.1).
const maxAddress = 64 + 1 + 255

// boundAddresses takes addresses that can't be any off what a channel gives. They are parts
// of keys in the store, which have an end.
func boundAddresses(s *Sender, r *Route) {
	if len(s.Address) > maxAddress {
		s.Address, s.Strength = strings.ToValidUTF8(s.Address[:maxAddress], ""), StrengthUnverified
	}
	if len(r.Address) > maxAddress {
		*r = Route{}
	}
}

// contentKey is the source key of a content from a sender: 128 bits are enough to tell apart
// what nobody but the sender himself could make collide.
func contentKey(sender, content string) string {
	sum := sha256.Sum256([]byte(sender + "\x00" + content))
	return "content:" + hex.EncodeToString(sum[:16])
}

// run decides what the submission is and stores it: a repeat, a continuation of a case, a
// second registration of what the partner has registered, something for staff, or a case.
func (a *acceptance) run(c *change) error {
	a.receipt, a.outcome = Receipt{}, ""
	speaker, err := a.speaker(c)
	if err != nil {
		return err
	}
	proven := speaker != "" && a.s.Sender.Strength.Proven()
	known, err := a.repeat(c, speaker, proven)
	if err != nil || known {
		return err
	}
	return a.fresh(c, speaker, proven)
}

// fresh stores a submission that was not seen before.
func (a *acceptance) fresh(c *change, speaker string, proven bool) error {
	if err := a.s.Admission.ask(c, c.at); err != nil {
		return err
	}
	if a.s.Payload != nil {
		if err := c.PutRecord(spaceRaw, rawKey(a.s.Raw.SHA256, 0), a.s.Payload); err != nil {
			return err
		}
	}
	if err := a.noteReuse(c); err != nil {
		return err
	}
	confirmed, err := a.confirm(c)
	if err == nil && !confirmed {
		err = a.take(c, speaker, proven)
	}
	if err != nil {
		return err
	}
	if err := a.reportBatch(c, proven); err != nil {
		return err
	}
	if err := c.remember(a.s.Key, a.receipt, proven); err != nil {
		return err
	}
	if a.content == "" {
		return nil
	}
	src := source{Receipt: a.receipt, First: c.at, Proven: proven}
	if _, ok := importOf(a.s.Batch.ID); ok {
		src.Batch = a.s.Batch.ID
	}
	return putJSON(c, spaceSource, a.content, src)
}

// noteReuse tells staff of a message that bears the name of another one: a faulty program, or
// somebody who wants two to be taken for one.
func (a *acceptance) noteReuse(c *change) error {
	if a.s.MessageID == "" || a.content == "" {
		return nil
	}
	key := contentKey(a.s.Sender.Address, "id "+a.s.MessageID)
	before, err := c.Record(spaceMessageID, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return c.PutRecord(spaceMessageID, key, []byte(a.content))
	case err != nil || string(before) == a.content || strings.Contains(a.s.Note, reused):
		return err
	}
	a.s.Note = strings.TrimPrefix(a.s.Note+"; "+reused, "; ")
	a.record, err = json.Marshal(a.s)
	return err
}

const reused = "its Message-ID is that of an earlier mail, which says something else"

// speaker returns the id of the partner who speaks, or "".
func (a *acceptance) speaker(c *change) (string, error) {
	if a.s.Partner == "" || a.s.Sender.Strength != StrengthVerified && a.s.Sender.Strength != StrengthOperator {
		return partnerOf(c, a.s.Sender.Address)
	}
	if _, err := partner(c, a.s.Partner); err != nil {
		return "", fmt.Errorf("partner %q: %w", a.s.Partner, err)
	}
	return a.s.Partner, nil
}

// take decides what a submission is that was not seen before.
func (a *acceptance) take(c *change, speaker string, proven bool) error {
	r, threaded, err := a.continued(c, speaker, proven)
	if err == nil && a.s.About != "" && !threaded && proven {
		return a.aboutNothing(c, speaker)
	}
	lead := a.leadFor(r, threaded)
	obeys := err == nil && len(a.s.Commands) > 0 && proven
	if obeys {
		if err := a.obey(c, r, speaker); err != nil || a.sure(lead).Empty() {
			return err // what was read in the reason of a command registers nothing
		}
		r, threaded, err = a.continued(c, speaker, proven)
	}
	joins := r != nil && (!threaded || !a.otherCompany(c, r, lead))
	switch {
	case errors.Is(err, errStranger):
		return a.aside(c, AsideForeignThread, "answers in the thread of a case of another partner")
	case err != nil:
		return err
	case joins && elevates(r, lead):
		return a.elevate(c, r, lead)
	case joins:
		return a.join(c, r, lead, threaded)
	case lead.names():
		return a.open(c, lead, speaker, proven)
	case obeys:
		return nil
	case len(a.s.Batch.Faults) > 0:
		return a.aside(c, AsideNoLead, "a table without any registration")
	case a.s.NotALead:
		return a.aside(c, AsideNotALead, "nothing is registered in it")
	case !proven:
		return a.aside(c, AsideNoLead, "no registration was found in it, and the sender is no proven partner")
	}
	if a.s.Answers != "" {
		return a.answerSummaryAgain(c, speaker)
	}
	return a.asideWithNotice(c)
}

// repeat answers a delivery or a content that was accepted before.
func (a *acceptance) repeat(c *change, speaker string, proven bool) (bool, error) {
	receipt, found, err := c.seen(a.s.Key, time.Time{}, proven)
	if err != nil {
		return false, err
	}
	if !found && a.content != "" {
		if receipt, found, err = a.sameContent(c, speaker, proven); err == nil && found {
			err = c.remember(a.s.Key, receipt, proven)
		}
	}
	if err != nil || !found {
		return false, err
	}
	a.receipt, a.outcome = receipt, "known"
	return true, nil
}

// sameContent returns what became of a content that was accepted before. A person who sends it
// again after the case came to its end begins anew.
func (a *acceptance) sameContent(c *change, speaker string, proven bool) (Receipt, bool, error) {
	receipt, found, err := c.seen(a.content, c.at.Add(-repeatWindow), proven)
	if err != nil || !found || !a.s.Deliberate || receipt.Case == "" {
		return receipt, found, err
	}
	over, err := a.afterTheEnd(c, receipt.Case)
	if err != nil || over {
		return Receipt{}, false, err
	}
	if proven && !a.s.Told {
		err = a.answerAgain(c, receipt.Case, speaker)
	}
	return receipt, true, err
}

// afterTheEnd reports whether the submission came after the end of a case that can be registered
// anew.
func (a *acceptance) afterTheEnd(c *change, number string) (bool, error) {
	r, err := c.Case(number)
	if err == nil && r.Status == StatusMerged {
		r, err = c.Case(r.MergedInto)
	}
	if err != nil {
		return false, err
	}
	at := a.s.ReceivedAt
	switch r.Status {
	case StatusWithdrawn, StatusExpired, StatusLost, StatusErased:
		return !at.Before(r.Since), nil
	case StatusDeclined:
		return !r.Cooling.IsZero() && at.After(r.Cooling), nil
	case StatusQuarantined:
		return !r.ConfirmBy.IsZero() && at.After(r.ConfirmBy), nil
	}
	return false, nil
}

// answerAgain tells a person who sent the same once more what became of it.
func (a *acceptance) answerAgain(c *change, number, speaker string) error {
	r, err := c.Case(number)
	if err != nil || r.Status == StatusQuarantined || r.Status == StatusErased || r.Partner != speaker {
		return err
	}
	return c.notify(&r, MessageKnown, a.s.Reply, false)
}

// seen looks a source up and, since an acknowledgement must stand behind a write of its
// own, notes the sighting. Sightings whose first was before notBefore don't count, nor do
// unproven ones for who comes with proof.
func (c *change) seen(key string, notBefore time.Time, proven bool) (Receipt, bool, error) {
	var src source
	err := getJSON(c, spaceSource, key, &src)
	if errors.Is(err, ErrNotFound) || (err == nil && (src.First.Before(notBefore) || proven && !src.Proven)) {
		return Receipt{}, false, nil
	}
	if err != nil {
		return Receipt{}, false, err
	}
	src.Again++
	src.Last = c.at
	src.Receipt.Known = true
	return src.Receipt, true, putJSON(c, spaceSource, key, src)
}

func (c *change) remember(key string, r Receipt, proven bool) error {
	return putJSON(c, spaceSource, key, source{Receipt: r, First: c.at, Proven: proven})
}

// open makes a new case.
func (a *acceptance) open(c *change, lead Lead, speaker string, proven bool) error {
	number, seq, err := c.newNumber()
	if err != nil {
		return err
	}
	terms, err := c.terms(speaker)
	if err != nil {
		return err
	}
	r := Registration{
		Number: number, Seq: seq, Contact: a.s.Sender.Address, Strength: a.s.Sender.Strength,
		Channel: a.s.Channel, Claim: a.s.ReceivedAt, Accepted: c.at, Since: c.at,
		Lead: lead.Clone(), Evidence: a.s.Evidence, Unclear: a.s.Unclear, Problems: a.problems,
		Identity: a.keys, Submissions: 1, Reply: a.s.Reply, Mute: a.s.Mute, Activity: c.at, Reference: a.s.Reference,
		DecisionDue: c.g.policy.End(a.s.ReceivedAt, terms.Decision), Promised: a.s.ReceivedAt, Scope: c.g.policy.Scope(lead),
	}
	e := Event{Kind: EventAccepted, Actor: "channel:" + a.s.Channel, Submission: 1, Fields: fieldsOf(r.Lead)}
	if proven {
		r.Partner, r.Status, e.Trigger = speaker, StatusSubmitted, TriggerSubmit
		e.Actor = "partner:" + speaker
	} else {
		r.Status, e.Trigger = StatusQuarantined, TriggerQuarantine
		r.Reason = ReasonUnverified
		if speaker == "" {
			r.Reason = ReasonUnknownPartner
		}
		if err := a.askToConfirm(c, &r, speaker); err != nil {
			return err
		}
	}
	e.To, e.Reason = r.Status, r.Reason
	if err := a.store(c, &r); err != nil {
		return err
	}
	if err := c.record(&r, e); err != nil {
		return err
	}
	if proven {
		if err := c.awaitBatch(r.Number, a.s.Batch.ID); err != nil {
			return err
		}
	}
	a.receipt, a.outcome = Receipt{Case: r.Number, Status: r.Status}, "new"
	if !proven {
		a.outcome = "quarantined"
		return nil
	}
	return c.check(&r)
}

// newNumber returns the number of a new case and its place in the order of all.
func (c *change) newNumber() (string, uint64, error) {
	seq, err := c.Next("case")
	if err != nil {
		return "", 0, err
	}
	year := c.at.In(c.g.policy.Zone()).Year()
	n, err := c.Next(fmt.Sprintf("number:%d", year))
	if err != nil {
		return "", 0, err
	}
	number, err := c.g.numbers.Number(year, n)
	return number, seq, err
}

// store keeps the submission as the newest of r.
func (a *acceptance) store(c *change, r *Registration) error {
	return c.PutRecord(spaceSubmission, submissionKey(r, r.Submissions), a.record)
}

// submissionKey rises with the cases: neighbours in time are neighbours in the store.
func submissionKey(r *Registration, n int) string { return fmt.Sprintf("%016x/%06d", r.Seq, n) }

// check enqueues the judging of r as it stands now.
func (c *change) check(r *Registration) error {
	return c.Enqueue(Task{Key: taskKey("check", r), Lane: LaneCheck, Case: r.Number, Due: c.at})
}

func fieldsOf(l Lead) []Field {
	var fields []Field
	for _, f := range Fields() {
		if l[f] != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

func problemFields(problems []Problem) []Field {
	var fields []Field
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	return fields
}
