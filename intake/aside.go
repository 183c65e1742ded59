package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	spaceNotice     = "notice"     // notice and address → when it was sent last
	spaceSuppressed = "suppressed" // address → Suppression
	spaceSentTo     = "sent_to"    // id of a message → address

	// noticePause is how long an address is not told the same thing again.
	noticePause    = 7 * day
	suppressedPage = 1000
)

// SetAside implements Sink.
func (g *Gateway) SetAside(ctx context.Context, a Aside) (Receipt, error) {
	if a.Key == "" || a.Channel == "" {
		return Receipt{}, errors.New("what is set aside needs a key and a channel")
	}
	a.ID = newID()
	a.Subject, a.From = cleanText(a.Subject, FieldCompanyName), cleanText(a.From, FieldCompanyName)
	boundAddresses(&a.Sender, &a.Reply)
	var receipt Receipt
	err := g.update(ctx, func(c *change) error {
		known, found, err := c.seenAside(a)
		if err != nil || found {
			receipt = known
			return err
		}
		receipt, err = c.setAside(a)
		if err != nil {
			return err
		}
		if a.Delivery != nil {
			if err := c.reported(*a.Delivery, a); err != nil {
				return err
			}
		}
		return errors.Join(c.remember(a.Key, receipt, false), c.remember(asideContent(a), receipt, false))
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("set aside from channel %s: %w", a.Channel, err)
	}
	g.observe.Accepted(a.Channel, "set_aside", 0)
	g.log.Info("set aside", "channel", a.Channel, "reason", a.Reason, "aside", receipt.Aside, "detail", a.Detail)
	return receipt, nil
}

// seenAside looks for what was set aside before, under its key or by its bytes: a mail server
// may number all its messages anew.
func (c *change) seenAside(a Aside) (Receipt, bool, error) {
	known, found, err := c.seen(a.Key, time.Time{}, false)
	if err != nil || found {
		return known, found, err
	}
	return c.seen(asideContent(a), c.at.Add(-repeatWindow), false)
}

// asideContent is the source key of what was set aside by its bytes, that of its key if they
// were not kept.
func asideContent(a Aside) string {
	if a.Raw.SHA256 == "" {
		return a.Key
	}
	return "aside:" + a.Channel + ":" + string(a.Reason) + ":" + a.Raw.SHA256
}

// setAside stores a and tells its sender what Notice says, if the sender is a proven partner.
func (c *change) setAside(a Aside) (Receipt, error) {
	if err := putJSON(c, spaceAside, a.ID, a); err != nil {
		return Receipt{}, err
	}
	return Receipt{Aside: a.ID}, c.tellNotice(a)
}

// tellNotice answers mail that is no registration, but an address the same thing once a week
// at most, so that two machines do not go on for ever.
func (c *change) tellNotice(a Aside) error {
	if a.Notice == NoticeNone || !a.Sender.Strength.Proven() && a.Notice != NoticeUnprovenList || a.Reply.Address == "" {
		return nil
	}
	id, err := partnerOf(c, a.Sender.Address)
	if err != nil || id == "" {
		return err
	}
	key := string(a.Notice) + "/" + strings.ToLower(a.Reply.Address)
	var last time.Time
	err = getJSON(c, spaceNotice, key, &last)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && c.at.Sub(last) < noticePause {
		return nil
	}
	p, err := partner(c, id)
	if err != nil {
		return err
	}
	m := Message{
		ID: "N-" + a.ID + ".1", Kind: MessageNotice, To: a.Reply, Notice: a.Notice,
		Facts: c.programFacts(p), At: c.at,
	}
	if err := c.send(m, "notice:"+a.ID); err != nil {
		return err
	}
	return putJSON(c, spaceNotice, key, c.at)
}

func (a *acceptance) aside(c *change, reason AsideReason, detail string) error {
	return a.asideAs(c, Aside{Reason: reason, Detail: detail})
}

// asideWithNotice sets aside what a partner wrote and nothing could be read from, and tells
// the partner how to register.
func (a *acceptance) asideWithNotice(c *change) error {
	as := Aside{Reason: AsideNoLead, Detail: "no registration was found in it"}
	if a.s.Mute == "" {
		as.Notice, as.Sender, as.Reply = NoticeNoLead, a.s.Sender, a.s.Reply
	}
	return a.asideAs(c, as)
}

func (a *acceptance) asideAs(c *change, as Aside) error {
	as.ID, as.Key, as.Channel, as.From = a.id, a.s.Key, a.s.Channel, a.s.Sender.Address
	as.Subject, as.ReceivedAt, as.Raw = a.s.Subject, a.s.ReceivedAt, a.s.Raw
	if a.s.Note != "" {
		as.Detail += "; " + a.s.Note
	}
	receipt, err := c.setAside(as)
	a.receipt, a.outcome = receipt, "set_aside"
	return err
}

// Suppression says why nothing is sent to an address.
type Suppression struct {
	Address string    `json:"address"`
	Aside   string    `json:"aside"` // the complaint
	At      time.Time `json:"at"`
}

// reported notes in the case what a mail server says about a message of ours. A complaint
// stops all mail to the address until staff allow it again.
func (c *change) reported(d Delivery, a Aside) error {
	if d.Message == "" {
		return nil
	}
	number, _, _ := strings.Cut(d.Message, ".")
	r, err := c.Case(number)
	if errors.Is(err, ErrNotFound) {
		return c.reportedOnNoCase(d, a)
	}
	if err != nil {
		return err
	}
	if d.Complaint || d.Failed {
		r.Unread++
	}
	if d.Complaint {
		if err := c.suppressReader(d.Message, a.ID); err != nil {
			return err
		}
	}
	then, err := c.bounce(&r, d, a.Channel)
	if err != nil {
		return err
	}
	if err := c.record(&r, d.event(r.Channel)); err != nil {
		return err
	}
	return then()
}

// event is what the history of a case says of a report.
func (d Delivery) event(channel string) Event {
	what := "delayed"
	switch {
	case d.Complaint:
		what = "complaint"
	case d.Failed:
		what = "failed"
	case d.Away:
		what = "answered by a machine: its reader is away"
	}
	note := cut(strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Message, what, d.Status)), 150)
	return Event{Kind: EventReported, Actor: "channel:" + channel, Note: note}
}

// bounce diverts a message about r that a mail server could not deliver. To whom it went we
// know ourselves. A server that gave up on a problem of its own says nothing of the address.
func (c *change) bounce(r *Registration, d Delivery, channel string) (then func() error, err error) {
	nothing := func() error { return nil }
	if !d.Failed || d.Complaint {
		return nothing, nil
	}
	to, err := c.Record(spaceSentTo, d.Message)
	if err != nil {
		return nothing, ignoreNotFound(err)
	}
	if err := putJSON(c, spaceUndelivered, r.Number+"/partner", c.at); err != nil {
		return nil, err
	}
	return c.divert(r, lost{id: d.Message, from: channel, to: string(to), gone: !strings.HasPrefix(d.Status, "4.")})
}

// reportedOnNoCase heeds a report about a message that was to no partner about a single case: a
// complaint, or that staff were not reached.
func (c *change) reportedOnNoCase(d Delivery, a Aside) error {
	if d.Complaint {
		return c.suppressReader(d.Message, a.ID)
	}
	id, toStaff := strings.CutPrefix(d.Message, "S-")
	if !toStaff || !d.Failed {
		return nil
	}
	number, _, _ := strings.Cut(id, ".")
	return c.inCase(number, func(r *Registration) error {
		if err := putJSON(c, spaceUndelivered, number+"/staff", c.at); err != nil {
			return err
		}
		return c.record(r, d.event(a.Channel))
	})
}

// suppressReader stops mail to whom a message went. We know that ourselves: the report could
// name anybody.
func (c *change) suppressReader(message, aside string) error {
	to, err := c.Record(spaceSentTo, message)
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.suppress(string(to), aside)
}

func (c *change) suppress(address, aside string) error {
	address = strings.ToLower(address)
	return putJSON(c, spaceSuppressed, address, Suppression{Address: address, Aside: aside, At: c.at})
}

// suppressed reports whether mail to an address was called unwanted.
func suppressed(tx Records, address string) (bool, error) {
	_, err := tx.Record(spaceSuppressed, strings.ToLower(address))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Suppressions lists the addresses to which nothing is sent.
func (g *Gateway) Suppressions(ctx context.Context) (all []Suppression, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		all = nil
		for after, more := "", true; more; {
			entries, err := tx.ScanRecords(spaceSuppressed, "", after, suppressedPage)
			if err != nil {
				return err
			}
			for _, e := range entries {
				var s Suppression
				if err := decode(e, &s); err != nil {
					return err
				}
				all = append(all, s)
				after = e.Key
			}
			more = len(entries) == suppressedPage
		}
		return nil
	})
	return all, err
}

// Allow has mail sent to an address again; ErrNotFound if it was not suppressed.
func (g *Gateway) Allow(ctx context.Context, address string) error {
	address = strings.ToLower(strings.TrimSpace(address))
	return g.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Record(spaceSuppressed, address); err != nil {
			return err
		}
		return tx.DeleteRecord(spaceSuppressed, address)
	})
}

// Asides lists what was set aside and nobody has seen to, or all of it, by id, after the given
// one.
func (g *Gateway) Asides(ctx context.Context, q AsideQuery) ([]Aside, error) {
	var asides []Aside
	err := g.store.View(ctx, func(tx Tx) error {
		asides = nil
		after := q.After
		for len(asides) < q.Limit {
			entries, err := tx.ScanRecords(spaceAside, "", after, q.Limit)
			if err != nil {
				return err
			}
			for _, e := range entries {
				var a Aside
				if err := decode(e, &a); err != nil {
					return err
				}
				if after = a.ID; (q.All || a.Closed.At.IsZero()) && len(asides) < q.Limit {
					asides = append(asides, a)
				}
			}
			if len(entries) < q.Limit {
				return nil
			}
		}
		return nil
	})
	return asides, err
}

// AsideQuery selects what was set aside.
type AsideQuery struct {
	After string
	Limit int
	// All includes what staff have seen to.
	All bool
}

// Aside returns what was set aside; ErrNotFound.
func (g *Gateway) Aside(ctx context.Context, id string) (a Aside, err error) {
	err = g.store.View(ctx, func(tx Tx) error { return getJSON(tx, spaceAside, id, &a) })
	return a, err
}

// A Rereader reads what its channel set aside once more, as a registration that staff vouch
// for. The submissions have the same keys in every call.
type Rereader interface {
	Reread(ctx context.Context, a Aside, raw io.ReadSeeker) ([]Submission, error)
}

// AcceptAside takes what was set aside in as a registration after all, for the partner with
// the given id, or of the sender's address if it is empty. raw is its payload. It returns the
// receipts of all that was read; *ErrInput, ErrNotFound.
func (g *Gateway) AcceptAside(ctx context.Context, id, partnerID, by string, raw io.ReadSeeker) ([]Receipt, error) {
	if by == "" {
		return nil, &ErrInput{"who accepts it?"}
	}
	a, err := g.Aside(ctx, id)
	if err != nil {
		return nil, err
	}
	if !a.Closed.At.IsZero() {
		return nil, &ErrInput{fmt.Sprintf("%s saw to it on %s", a.Closed.By, a.Closed.At.Format(time.DateOnly))}
	}
	reader, ok := g.repliers[a.Channel].(Rereader)
	if !ok {
		return nil, &ErrInput{fmt.Sprintf("channel %q can't read it again", a.Channel)}
	}
	all, err := reader.Reread(ctx, a, raw)
	if err != nil {
		return nil, fmt.Errorf("read %s again: %w", id, err)
	}
	var receipts []Receipt
	for _, s := range all {
		s.Partner, s.NotALead = partnerID, false
		if s.Lead.Empty() {
			return nil, &ErrInput{"no registration can be read from it; register it by hand"}
		}
		speaker, err := g.speakerOf(ctx, s)
		if err != nil || speaker == "" {
			return nil, errors.Join(err, &ErrInput{fmt.Sprintf("whose registration is it? %s is no partner's address; name the partner", s.Sender.Address)})
		}
		if err := g.leaveForeignThread(ctx, &s, speaker); err != nil {
			return nil, err
		}
		r, err := g.Accept(ctx, s)
		if err != nil {
			return nil, err
		}
		if r.Case == "" {
			return nil, &ErrInput{"it was set aside again, as " + r.Aside}
		}
		receipts = append(receipts, r)
	}
	if len(receipts) == 0 {
		return nil, &ErrInput{"no registration can be read from it; register it by hand"}
	}
	return receipts, g.closeAside(ctx, id, Closed{By: by, Case: receipts[0].Case})
}

// leaveForeignThread makes a submission one of its own if it answers in the thread of a case
// that is not its partner's.
func (g *Gateway) leaveForeignThread(ctx context.Context, s *Submission, speaker string) error {
	return g.store.View(ctx, func(tx Tx) error {
		for _, number := range []*string{&s.Case, &s.CaseHint} {
			n, _ := g.numbers.Parse(*number)
			r, err := tx.Case(n)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if r.Partner != speaker {
				*number = ""
			}
		}
		return nil
	})
}

func (g *Gateway) speakerOf(ctx context.Context, s Submission) (speaker string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		speaker, err = (&acceptance{s: s}).speaker(&change{Tx: tx, g: g})
		if errors.Is(err, ErrNotFound) {
			return &ErrInput{fmt.Sprintf("no partner has the id %q", s.Partner)}
		}
		return err
	})
	return speaker, err
}

// DiscardAside marks what was set aside as seen to. It stays in the store; ErrNotFound.
func (g *Gateway) DiscardAside(ctx context.Context, id, by string) error {
	if by == "" {
		return &ErrInput{"who discards it?"}
	}
	return g.closeAside(ctx, id, Closed{By: by})
}

func (g *Gateway) closeAside(ctx context.Context, id string, how Closed) error {
	return g.update(ctx, func(c *change) error {
		var a Aside
		if err := getJSON(c, spaceAside, id, &a); err != nil {
			return err
		}
		how.At = c.at
		a.Closed = how
		return putJSON(c, spaceAside, id, a)
	})
}
