package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	spaceDigestOff = "digest_off" // address → since when it wants no digest

	// weekOpen and weekDecided bound the cases that a digest names; how many more are open is
	// counted.
	weekOpen    = 50
	weekDecided = 30
	// weekBatch is for how many people digests are planned in one transaction.
	weekBatch = 100
	// weekPause is how long a digest waits for room, weekLate how old it can be when it goes out:
	// what it says is from when it was made.
	weekPause = 15 * time.Minute
	weekLate  = day
	// weekBack is how long ago a decision can be that was not told since nobody was at work.
	weekBack = 35 * day
)

// Week is what a partner's digest tells of one person's cases. Each open case is in one of the
// first three lists; what was decided can be open as well.
type Week struct {
	// Yours wait for the partner, the most urgent first.
	Yours []WeekCase `json:"yours,omitempty"`
	// Ending are protected, and not for long.
	Ending []WeekCase `json:"ending,omitempty"`
	Open   []WeekCase `json:"open,omitempty"`
	// More is how many are open that are not listed.
	More    int        `json:"more,omitempty"`
	Decided []WeekCase `json:"decided,omitempty"`
}

// WeekCase is a case in a digest: what its page shows, and what is asked for.
type WeekCase struct {
	SafeView

	Asked []Field `json:"asked,omitempty"`
	// Link is the page of the case; "" without pages.
	Link string `json:"link,omitempty"`
}

// reader is a person who is to be told of his cases, as the payload of the task that does it.
type reader struct {
	Partner string `json:"partner"`
	Address string `json:"address"` // in lower case
	Channel string `json:"channel"`
	// Cases are those to tell of, More how many more are open. What was decided after Since, up
	// to Until, is told.
	Cases []string  `json:"cases"`
	More  int       `json:"more,omitempty"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// awaitPartners sees to it that partners are told of their next week.
func (c *change) awaitPartners(after time.Time) error {
	if !c.g.weekly {
		return nil
	}
	return c.await("partners", LaneDigest, c.g.monday(after))
}

// runWeek does one of the tasks of the lane of digests: it finds who is to be told, makes the
// digest of one person, or sends it.
func (g *Gateway) runWeek(ctx context.Context, t Task) (effect, error) {
	switch kind, _, _ := strings.Cut(t.Key, ":"); kind {
	case "partners":
		return g.runPartners(ctx, t)
	case "week":
		return g.runReader(ctx, t)
	}
	return g.runDigestMail(ctx, t)
}

// runPartners plans the digests of a week, and has that done again in the next. What was missed
// while nobody was at work is told once: the digests are named by the Monday before, so that it
// makes no difference how many tasks are late.
func (g *Gateway) runPartners(ctx context.Context, t Task) (effect, error) {
	now := g.stamp()
	if left := t.Due.Sub(now); left > 0 {
		return nil, RetryAfter(left, errTooEarly)
	}
	monday := g.monday(now).AddDate(0, 0, -7)
	since, told, err := g.toldSince(ctx, monday)
	if err != nil {
		return nil, err
	}
	if g.weekly && !told {
		readers, err := g.readers(ctx, since, now)
		if err != nil {
			return nil, fmt.Errorf("look at all cases: %w", err)
		}
		if err := g.planDigests(ctx, readers, monday); err != nil {
			return nil, fmt.Errorf("plan the digests of partners: %w", err)
		}
	}
	return func(c *change) error {
		if err := c.awaitPartners(later(c.at, t.Due)); err != nil || told {
			return err
		}
		return putJSON(c, spaceWeekly, "partners", now)
	}, nil
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// toldSince returns since when decisions were not told to partners, and whether the week that
// began on a Monday was.
func (g *Gateway) toldSince(ctx context.Context, monday time.Time) (since time.Time, told bool, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		since = time.Time{}
		return ignoreNotFound(getJSON(tx, spaceWeekly, "partners", &since))
	})
	told = !since.Before(monday)
	if since.IsZero() {
		since = monday.AddDate(0, 0, -7)
	}
	return later(since, monday.Add(-weekBack)), told, err
}

// planDigests makes a task of each reader. A task that was made before, by an attempt that failed
// or by another process, is not made again.
func (g *Gateway) planDigests(ctx context.Context, all []reader, monday time.Time) error {
	for batch := range slices.Chunk(all, weekBatch) {
		err := g.update(ctx, func(c *change) error {
			for _, r := range batch {
				body, err := json.Marshal(r)
				if err != nil {
					return err
				}
				key := fmt.Sprintf("week:%s:%s", monday.Format(time.DateOnly), shortID(r.Partner+"/"+r.Address))
				if err := c.Enqueue(Task{Key: key, Lane: LaneDigest, Case: "week:" + r.Address, Due: c.at, Payload: body}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partnersWeek finds who has something to read.
type partnersWeek struct {
	g            *Gateway
	since, until time.Time
	known        map[string]Partner
	found        map[string]*weekFound // by partner and address
}

// weekFound are the cases of a reader.
type weekFound struct {
	reader        reader
	open, decided []weekItem
	worth         bool
}

// weekItem is a case and what it is sorted by: cases that wait for the partner come first.
type weekItem struct {
	number string
	group  weekGroup
	at     time.Time
}

// weekGroup is a list of a Week, by urgency.
type weekGroup int

const (
	weekYours weekGroup = iota
	weekEnding
	weekElse
)

// readers looks at all cases, a page at a time, and returns who has something to read. What it
// finds is looked at again when the digest is made.
func (g *Gateway) readers(ctx context.Context, since, until time.Time) ([]reader, error) {
	w := &partnersWeek{g: g, since: since, until: until, known: make(map[string]Partner), found: make(map[string]*weekFound)}
	for q := (CaseQuery{Limit: surveyPage}); ; {
		var page []Registration
		err := g.store.View(ctx, func(tx Tx) (err error) {
			if page, err = tx.ListCases(q); err != nil {
				return err
			}
			return w.meet(tx, page)
		})
		if err != nil {
			return nil, err
		}
		for i := range page {
			w.note(&page[i])
		}
		if len(page) < surveyPage {
			return w.readers(), nil
		}
		q.Before = page[len(page)-1].Seq
	}
}

// meet looks the partners of cases up.
func (w *partnersWeek) meet(tx Tx, cases []Registration) error {
	for i := range cases {
		id := cases[i].Partner
		if _, met := w.known[id]; met || id == "" || !w.tells(&cases[i]) {
			continue
		}
		p, err := partner(tx, id)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		w.known[id] = p
	}
	return nil
}

// tells reports whether there may be something to say of r: it is open, or was decided lately.
func (w *partnersWeek) tells(r *Registration) bool {
	return r.openWeek() || r.decidedWithin(w.since, w.until)
}

func (w *partnersWeek) note(r *Registration) {
	p := w.known[r.Partner]
	address := readerOf(p, r)
	if address == "" || !w.tells(r) || !p.takesPart(w.until) {
		return
	}
	key := p.ID + "/" + address
	f := w.found[key]
	if f == nil { // the newest case comes first: its channel is where the person was seen last
		f = &weekFound{reader: reader{Partner: p.ID, Address: address, Channel: r.Reply.Channel, Since: w.since, Until: w.until}}
		w.found[key] = f
	}
	v := w.g.safeView(r, p)
	if r.openWeek() {
		item := weekItem{number: r.Number, group: v.weekGroup(w.until), at: time.Unix(1<<40, 0)}
		if v.Due != nil {
			item.at = *v.Due
		}
		f.open, f.worth = append(f.open, item), f.worth || v.Due != nil
	}
	if r.decidedWithin(w.since, w.until) {
		f.decided, f.worth = append(f.decided, weekItem{number: r.Number, at: r.Since}), true
	}
}

// readers returns those who have something to read, the most urgent of their cases first.
func (w *partnersWeek) readers() []reader {
	var all []reader
	for _, key := range slices.Sorted(maps.Keys(w.found)) {
		f := w.found[key]
		if !f.worth {
			continue
		}
		slices.SortStableFunc(f.open, func(a, b weekItem) int { return cmp.Or(cmp.Compare(a.group, b.group), a.at.Compare(b.at)) })
		slices.SortStableFunc(f.decided, func(a, b weekItem) int { return b.at.Compare(a.at) })
		r := f.reader
		r.More = max(0, len(f.open)-weekOpen)
		for _, item := range append(f.open[:min(len(f.open), weekOpen)], f.decided[:min(len(f.decided), weekDecided)]...) {
			if !slices.Contains(r.Cases, item.number) {
				r.Cases = append(r.Cases, item.number)
			}
		}
		all = append(all, r)
	}
	return all
}

// readerOf is who is told of r, "" for nobody: the person who registered it, who is also told of
// it when he asks for the STATUS of all that is his. If that person is gone it is the contact to
// whom the answers about r go instead.
func readerOf(p Partner, r *Registration) string {
	if r.Mute != "" || r.Reply.Channel == "" || r.Reply.Address == "" {
		return ""
	}
	address := strings.ToLower(r.Contact)
	if p.gone(address) {
		to, _ := p.reachable()
		address = strings.ToLower(to.Email)
	}
	if !strings.Contains(address, "@") {
		return ""
	}
	return address
}

// gone reports whether an address is that of a contact who can't be reached.
func (p Partner) gone(address string) bool {
	return slices.ContainsFunc(p.Contacts, func(c Contact) bool { return c.Status != "" && strings.EqualFold(c.Email, address) })
}

// takesPart reports whether the partner is active.
func (p Partner) takesPart(now time.Time) bool {
	return p.ID != "" && (p.Status == PartnerActive || p.StatusFrom.After(now))
}

// openWeek reports whether r is among the open cases of a digest.
func (r *Registration) openWeek() bool { return r.Status.Live() && r.Status != StatusQuarantined }

// decidedWithin reports whether r came to where it is after one time and until another, and not by
// its partner's own doing.
func (r *Registration) decidedWithin(since, until time.Time) bool {
	at := r.Since
	switch r.Status {
	case StatusProvisional, StatusProtected, StatusLocked, StatusDeclined, StatusWaitlisted:
		at = r.Decided
	case StatusExpired, StatusWon, StatusLost:
	case StatusWithdrawn:
		if r.Reason != ReasonNoInfoInTime {
			return false
		}
	default:
		return false
	}
	return at.After(since) && !at.After(until)
}

func (v SafeView) weekGroup(at time.Time) weekGroup {
	switch {
	case v.Next == NextAnswer || v.Next == NextShow:
		return weekYours
	case v.Until != nil && v.Until.Before(at.Add(soonEnding)):
		return weekEnding
	}
	return weekElse
}

// runReader makes the digest of one person, from the state that each case has now. It tells of
// nothing that has become another's meanwhile.
func (g *Gateway) runReader(_ context.Context, t Task) (effect, error) {
	var to reader
	if err := json.Unmarshal(t.Payload, &to); err != nil {
		return nil, Permanent(fmt.Errorf("reader of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		p, reads, err := c.reads(to)
		if err != nil || !reads {
			return err
		}
		w, numbers, err := c.weekOf(to, p)
		if err != nil || w == nil {
			return err
		}
		m := Message{
			ID: fmt.Sprintf("P-%s.1", shortID(t.Key)), Kind: MessageDigest, To: Route{Channel: to.Channel, Address: to.Address},
			Facts: c.programFacts(p), Week: w, Unprompted: true, At: c.at,
		}
		if err := putJSON(c, spaceTold, m.ID, numbers); err != nil {
			return err
		}
		return c.enqueueMessage(m, "notify:"+m.ID, "week:"+to.Address)
	}, nil
}

// reads reports whether a person is to get a digest: he speaks for a partner who takes part, and
// has not switched it off.
func (c *change) reads(to reader) (Partner, bool, error) {
	p, err := partner(c, to.Partner)
	if err != nil || !c.g.weekly || !p.takesPart(c.at) {
		return p, false, ignoreNotFound(err)
	}
	if owner, err := partnerOf(c, to.Address); err != nil || owner != p.ID {
		return p, false, err
	}
	off, err := digestOff(c, to.Address)
	return p, !off, err
}

// weekOf is what a person is told, and the numbers of what is open; nil if there is nothing to
// tell: no decision, and no next step by a day.
func (c *change) weekOf(to reader, p Partner) (_ *Week, open []string, err error) {
	w, worth := Week{More: to.More}, false
	for _, number := range to.Cases {
		r, err := c.Case(number)
		if errors.Is(err, ErrNotFound) || err == nil && (r.Partner != p.ID || readerOf(p, &r) != to.Address) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		v := WeekCase{SafeView: c.g.safeView(&r, p)}
		if c.g.links != nil {
			v.Link = c.g.links.Status(StatusGrant(&r, c.at))
		}
		if r.decidedWithin(to.Since, to.Until) && len(w.Decided) < weekDecided {
			w.Decided, worth = append(w.Decided, v), true
		}
		if !r.openWeek() {
			continue
		}
		if r.Status == StatusNeedsInfo {
			v.Asked = problemFields(r.asked())
		}
		list := map[weekGroup]*[]WeekCase{weekYours: &w.Yours, weekEnding: &w.Ending, weekElse: &w.Open}[v.weekGroup(c.at)]
		*list = append(*list, v)
		open, worth = append(open, number), worth || v.Due != nil
	}
	if !worth {
		return nil, nil, nil
	}
	return &w, open, nil
}

// runDigestMail sends a digest, unless it is not wanted any more or says what was true a day ago.
// Where it is refused for good, nothing is lost that needs a person: each of its cases is told of
// by itself.
func (g *Gateway) runDigestMail(ctx context.Context, t Task) (effect, error) {
	var m Message
	if err := json.Unmarshal(t.Payload, &m); err != nil {
		return nil, Permanent(fmt.Errorf("message of task %s: %w", t.Key, err))
	}
	drop := func(*change) error { return nil }
	var off bool
	err := g.store.View(ctx, func(tx Tx) (err error) {
		off, err = digestOff(tx, m.To.Address)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case off || !g.weekly:
		return drop, nil
	case g.stamp().Sub(m.At) > weekLate:
		g.log.Warn("a weekly digest could not be sent within a day, and is not sent any more", "message", m.ID, "err", t.Cause)
		return drop, nil
	}
	act, err := g.runNotify(ctx, t)
	if IsPermanent(err) && !isOwnFault(err) {
		g.log.Warn("a weekly digest was refused", "message", m.ID, "err", err)
		return drop, nil
	}
	return act, err
}

// digestOff reports whether the reader of an address wants no digest.
func digestOff(tx Records, address string) (bool, error) {
	_, err := tx.Record(spaceDigestOff, strings.ToLower(address))
	return err == nil, ignoreNotFound(err)
}

// digest switches the weekly digest off or on for the address that was written from. Who says
// neither, or asks for what the programme does not send, is told what can be written.
func (a *acceptance) digest(c *change, speaker, words string) error {
	address := strings.ToLower(a.s.Sender.Address)
	switch {
	case words == DigestOff:
		if err := putJSON(c, spaceDigestOff, address, c.at); err != nil {
			return err
		}
		return a.tell(c, speaker, Message{Kind: MessageDigestOff})
	case words == DigestOn && c.g.weekly:
		if err := c.DeleteRecord(spaceDigestOff, address); err != nil {
			return err
		}
		return a.tell(c, speaker, Message{Kind: MessageDigestOn})
	}
	return a.tell(c, speaker, Message{Kind: MessageHelp})
}
