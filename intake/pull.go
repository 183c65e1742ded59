package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// DefaultPullEvery is how often the changes in CRMs are read if Options do not say.
	DefaultPullEvery = 30 * time.Second
	// spacePosition holds how far a feed was read: "crm:" and a name → the cursor.
	spacePosition = "position"
	spaceUntaken  = "untaken" // hash of a change that could not be taken in → when it was told

	// silentPause is after how long a CRM that has no feed is asked whether it has one now.
	silentPause = day
	// pullPage is how many changes are taken in together, and from how many on there may be more.
	pullPage = 50

	pullPrefix = "pull:"
	hintPrefix = "hint:"
)

// errPullAgain is no failure: the feed is to be read again after a while.
var errPullAgain = errors.New("the changes are read again and again")

// Why a call of a CRM is not taken in.
var (
	// ErrNoHints: there is no CRM of the name, or it does not call us.
	ErrNoHints = errors.New("no CRM that calls has this name")
	// ErrUnproven: it is not proven that the CRM itself calls.
	ErrUnproven = errors.New("the call is not proven")
)

func positionOf(crm string) string { return "crm:" + crm }

// awaitPulls sees to it that the feed of each CRM is read: by one task, which is never done.
func (c *change) awaitPulls() error {
	for _, crm := range c.g.crms {
		key := pullPrefix + crm.Name()
		if err := c.Enqueue(Task{Key: key, Lane: PullLane(crm.Name()), Case: key, Due: c.at}); err != nil {
			return err
		}
		if _, compares := crm.(Comparer); !compares {
			continue
		}
		key = driftPrefix + crm.Name()
		if err := c.Enqueue(Task{Key: key, Lane: PullLane(crm.Name()), Case: key, Due: c.g.night(c.at)}); err != nil {
			return err
		}
	}
	return nil
}

// runPull reads what people did in a CRM: all that is new, or what a call of the CRM told of.
func (g *Gateway) runPull(crm CRM) handler {
	return func(ctx context.Context, t Task) (act effect, err error) {
		defer func() {
			if p := recover(); p != nil { // what is never done must not be given up
				err = fmt.Errorf("task %s: panic: %v", t.Key, p)
			}
		}()
		switch {
		case strings.HasPrefix(t.Key, hintPrefix):
			return g.reread(ctx, crm, t)
		case strings.HasPrefix(t.Key, driftPrefix):
			return nil, g.compareNightly(ctx, crm)
		}
		return nil, g.pull(ctx, crm)
	}
}

// pull reads a feed once. It returns an error that has it read again, and never one that no retry
// heals: the feed of a CRM has no end.
func (g *Gateway) pull(ctx context.Context, crm CRM) (again error) {
	name := crm.Name()
	gate := &g.gates[name].feed
	var cursor string
	err := g.store.View(ctx, func(tx Tx) error {
		b, err := tx.Record(spacePosition, positionOf(name))
		cursor = string(b)
		return ignoreNotFound(err)
	})
	if err != nil {
		return err
	}
	changes, next, err := crm.Changes(ctx, cursor)
	gate.note(ctx, PullLane(name), err)
	if answered(err) {
		gate.fed("its changes can't be read: " + cut(err.Error(), 300))
		return RetryAfter(refusalPause, fmt.Errorf("changes of %s: %s", name, err))
	}
	if err != nil {
		return fmt.Errorf("changes of %s: %w", name, err)
	}
	gate.fed("")
	err = g.takeIn(ctx, name, changes, func(c *change) error {
		if next == cursor {
			return nil
		}
		return c.PutRecord(spacePosition, positionOf(name), []byte(next))
	})
	switch {
	case err != nil:
		return err
	case cursor == "" && next == "" && len(changes) == 0:
		return RetryAfter(silentPause, errPullAgain)
	case len(changes) >= pullPage && next != cursor:
		return RetryAfter(0, errPullAgain)
	}
	return RetryAfter(g.pullEvery, errPullAgain)
}

// takeIn takes in changes in their order, and keeps with the last of them how far that was. What
// can't be taken in is told to staff and left out; any other error ends it.
func (g *Gateway) takeIn(ctx context.Context, crm string, changes []Change, keep func(*change) error) error {
	for len(changes) > pullPage {
		if err := g.takeInPage(ctx, crm, changes[:pullPage], func(*change) error { return nil }); err != nil {
			return err
		}
		changes = changes[pullPage:]
	}
	return g.takeInPage(ctx, crm, changes, keep)
}

func (g *Gateway) takeInPage(ctx context.Context, crm string, changes []Change, keep func(*change) error) error {
	err := g.update(ctx, func(c *change) error {
		for _, ch := range changes {
			if err := c.take(crm, ch); err != nil {
				return err
			}
		}
		return keep(c)
	})
	if !untakeable(err) {
		return err
	}
	for _, ch := range changes { // one of them can't be taken in
		err := g.update(ctx, func(c *change) error { return c.take(crm, ch) })
		if untakeable(err) {
			g.log.Error("a change can't be taken in", "crm", crm, "case", ch.Case, "err", err)
			why := err
			err = g.update(ctx, func(c *change) error { return c.untaken(crm, ch, why) })
		}
		if err != nil {
			return err
		}
	}
	return g.update(ctx, keep)
}

// untakeable reports whether an error is about a change, and not about the store.
func untakeable(err error) bool {
	var illegal *IllegalTransition
	var held *HeldError
	var input *ErrInput
	return IsPermanent(err) || errors.As(err, &illegal) || errors.As(err, &held) || errors.As(err, &input)
}

// untaken tells staff of a change that could not be taken in, once.
func (c *change) untaken(crm string, ch Change, why error) error {
	ch.At = time.Time{}
	body, err := json.Marshal(ch)
	if err != nil {
		return err
	}
	key := crm + "/" + hashOf(body)
	if _, err := c.Record(spaceUntaken, key); !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := putJSON(c, spaceUntaken, key, c.at); err != nil {
		return err
	}
	return c.tellOfCRM(ch.Case, crm, "A change that was made there could not be taken in: "+cut(why.Error(), 200)+".", key)
}

// tellOfCRM tells staff that there is something to see to in a CRM, about a case or about none; id
// tells it apart from others.
func (c *change) tellOfCRM(number, crm, why, id string) error {
	why = crm + ": " + why
	number, _ = c.g.numbers.Parse(number)
	r, err := c.Case(number)
	switch {
	case errors.Is(err, ErrNotFound):
		return c.tellOfCRMs(why, id)
	case err != nil:
		return err
	}
	return c.brief(&r, StaffCRM, Brief{Why: why})
}

// tellOfCRMs is tellOfCRM about no case.
func (c *change) tellOfCRMs(why, id string) error {
	return c.tellStaff(c.g.policy.Contact(), StaffCRM, Brief{Why: why}, "M-"+shortID(id), c.programFacts(Partner{}))
}

// CRMAnswer is what a CRM that called is told.
type CRMAnswer struct {
	MediaType string
	Body      []byte
}

// Hint takes in a call of a CRM: ErrNoHints, ErrUnproven. It returns once what the call tells of is
// kept; it is read afterwards. A call that is repeated does nothing. url is the public one.
func (g *Gateway) Hint(ctx context.Context, crm, url string, r *http.Request, body []byte) (CRMAnswer, error) {
	i := slices.IndexFunc(g.crms, func(c CRM) bool { return c.Name() == crm })
	if i < 0 {
		return CRMAnswer{}, ErrNoHints
	}
	h, ok := g.crms[i].(Hinted)
	if !ok {
		return CRMAnswer{}, ErrNoHints
	}
	hints, err := h.Hints(url, r, body)
	if err != nil {
		g.log.Warn("a call of a CRM is refused", "crm", crm, "err", err)
		return CRMAnswer{}, ErrUnproven
	}
	var answer CRMAnswer
	if a, ok := h.(HintAnswering); ok {
		answer.MediaType, answer.Body = a.HintAnswer()
	}
	if len(hints) == 0 {
		return answer, nil
	}
	payload, err := json.Marshal(hints)
	if err != nil {
		return CRMAnswer{}, err
	}
	sum := sha256.Sum256(body)
	err = g.update(ctx, func(c *change) error {
		return c.Enqueue(Task{
			Key: hintPrefix + crm + ":" + hex.EncodeToString(sum[:]), Lane: PullLane(crm), Case: hintPrefix + crm, Due: c.at, Payload: payload,
		})
	})
	return answer, err
}

// reread reads what a call of a CRM told of, as it is now. What can't be read so comes with the
// feed, or not at all.
func (g *Gateway) reread(ctx context.Context, crm CRM, t Task) (effect, error) {
	done := func(*change) error { return nil }
	var hints []string
	h, ok := crm.(Hinted)
	if err := json.Unmarshal(t.Payload, &hints); err != nil || !ok {
		return done, nil
	}
	changes, err := h.Reread(ctx, hints)
	g.gates[crm.Name()].feed.note(ctx, t.Lane, err)
	if answered(err) {
		g.log.Error("what a CRM called about can't be read", "crm", crm.Name(), "err", err)
		return done, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reread in %s: %w", crm.Name(), err)
	}
	return done, g.takeIn(ctx, crm.Name(), changes, done)
}
