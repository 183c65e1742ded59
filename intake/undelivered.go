package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// spaceUndelivered holds what did not arrive, until something of the kind does: the number
	// of the case and "/partner", "/staff", or "/crm:" and a name → since when.
	spaceUndelivered = "undelivered"
	spaceDiverted    = "diverted" // Message.ID → when another contact was written to instead
	spaceTried       = "tried"    // case → addresses at which messages about it reached nobody
)

// lost is a message to a partner that reached nobody.
type lost struct {
	id   string
	from string // channel
	to   string // address
	// gone says that there is nobody at the address: that not the way there was at fault.
	gone bool
}

// divert sees to it that a message about r which was lost reaches another contact of the same
// partner: as the present state of the case, and from now on in his thread. It changes r and
// returns what to do once r is recorded. Each message is diverted once, and a case comes back
// to no address that failed it, so that bounces go round in no circle.
func (c *change) divert(r *Registration, l lost) (then func() error, err error) {
	nothing := func() error { return nil }
	if ours, err := c.isOurs(r, l); err != nil || !ours {
		return nothing, err
	}
	if _, err := c.Record(spaceDiverted, l.id); !errors.Is(err, ErrNotFound) {
		return nothing, err
	}
	if err := putJSON(c, spaceDiverted, l.id, c.at); err != nil {
		return nil, err
	}
	next, err := c.nextContact(r, l)
	if err != nil {
		return nil, err
	}
	if next == "" {
		return func() error {
			return c.brief(r, StaffTrouble, Brief{Why: fmt.Sprintf("%s did not reach %s, and the partner has no other contact who can be written to", l.id, l.to)})
		}, nil
	}
	to := Route{Channel: l.from, Address: next}
	if strings.EqualFold(r.Reply.Address, l.to) {
		r.Reply = to
	}
	return func() error { return c.notifyAs(r, Message{Kind: MessageStatus, To: to, Unprompted: true}) }, nil
}

// isOurs reports whether a lost message may be told to others: its case is proven to be its
// partner's, and so is the address that it went to.
func (c *change) isOurs(r *Registration, l lost) (bool, error) {
	if !r.Strength.Proven() || r.Status == StatusErased || r.Partner == "" || !strings.Contains(l.to, "@") {
		return false, nil
	}
	owner, err := partnerOf(c, l.to)
	return owner == r.Partner, err
}

// nextContact notes that an address failed, and returns that of the first contact in the
// directory who can be written to about r; "" if there is none.
func (c *change) nextContact(r *Registration, l lost) (string, error) {
	p, err := partner(c, r.Partner)
	if err != nil {
		return "", err
	}
	if l.gone {
		if err := c.bounced(&p, l.to); err != nil {
			return "", err
		}
	}
	var tried []string
	if err := ignoreNotFound(getJSON(c, spaceTried, r.Number, &tried)); err != nil {
		return "", err
	}
	if failed := strings.ToLower(l.to); !slices.Contains(tried, failed) {
		tried = append(tried, failed)
		if err := putJSON(c, spaceTried, r.Number, tried); err != nil {
			return "", err
		}
	}
	for _, contact := range p.Contacts {
		if contact.Status != "" || slices.Contains(tried, strings.ToLower(contact.Email)) {
			continue
		}
		if no, err := suppressed(c, contact.Email); err != nil || !no {
			return contact.Email, err
		}
	}
	return "", nil
}

// bounced marks a listed contact as one who can't be reached. Under which keys the partner is
// found stays as it is: whoever gets no mail can still send some.
func (c *change) bounced(p *Partner, address string) error {
	for i := range p.Contacts {
		if contact := &p.Contacts[i]; contact.Status == "" && strings.EqualFold(contact.Email, address) {
			contact.Status = ContactBounced
			return putJSON(c, spacePartner, p.ID, p)
		}
	}
	return nil
}

// giveUp parks a task and says so in the case, where staff see it.
func (c *change) giveUp(t Task, cause error) error {
	if err := c.Park(t, cause.Error()); err != nil {
		return err
	}
	if crm, isPush := strings.CutPrefix(string(t.Lane), string(LanePush)+":"); isPush {
		return c.unpushed(t, crm, cause)
	}
	var m Message
	if t.Lane == LaneNotify && json.Unmarshal(t.Payload, &m) == nil {
		return c.unsent(t, m, cause)
	}
	return c.inCase(t.Case, func(r *Registration) error { return c.undelivered(r, "", t.Key) })
}

// inCase does something to a case, if there is one of that number.
func (c *change) inCase(number string, do func(*Registration) error) error {
	r, err := c.Case(number)
	if err != nil {
		return ignoreNotFound(err)
	}
	return do(&r)
}

// undelivered records that something about r did not arrive, and what.
func (c *change) undelivered(r *Registration, what, note string) error {
	if what != "" {
		if err := putJSON(c, spaceUndelivered, r.Number+"/"+what, c.at); err != nil {
			return err
		}
	}
	return c.record(r, Event{Kind: EventUndelivered, Actor: "gateway", Note: note})
}

// unsent sees to a message that was given up. Only what was refused for good says something
// about the address: a server that was down for days does not.
func (c *change) unsent(t Task, m Message, cause error) error {
	if m.Brief != nil {
		return c.staffUnsent(m, "given up")
	}
	for _, number := range m.numbers() {
		err := c.inCase(number, func(r *Registration) error {
			if number != m.Facts.Case {
				return c.undelivered(r, "partner", t.Key)
			}
			return c.lostOne(r, t, m, cause)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lostOne sees to a message about one case that was given up. What we could not write or hand
// over to anybody is for staff: no other contact would get it either.
func (c *change) lostOne(r *Registration, t Task, m Message, cause error) error {
	then := func() error {
		return c.brief(r, StaffTrouble, Brief{Why: fmt.Sprintf("%s could not be sent: %s", m.ID, cut(cause.Error(), 200))})
	}
	if !isOwnFault(cause) {
		var err error
		if then, err = c.divert(r, lost{id: m.ID, from: m.To.Channel, to: m.To.Address, gone: IsPermanent(cause)}); err != nil {
			return err
		}
	}
	if err := c.undelivered(r, "partner", t.Key); err != nil {
		return err
	}
	return then()
}

// staffUnsent records that a message to staff did not go out in the cases that it is about.
// The partner has no part in it: nothing of his is unread.
func (c *change) staffUnsent(m Message, why string) error {
	for _, number := range m.briefed() {
		err := c.inCase(number, func(r *Registration) error { return c.undelivered(r, "staff", m.ID+" "+why) })
		if err != nil {
			return err
		}
	}
	return nil
}

// briefed returns the cases that a message brings to staff. A week is about none of them.
func (m *Message) briefed() []string {
	switch b := m.Brief; {
	case b == nil:
	case b.Registration != nil:
		return []string{b.Registration.Number}
	case b.Gathered && len(b.Digest) > 0:
		return b.Digest[0].Cases
	}
	return nil
}

// unpushed tells staff that a CRM takes a case no more, once until it does again.
func (c *change) unpushed(t Task, crm string, cause error) error {
	return c.inCase(t.Case, func(r *Registration) error {
		what := "crm:" + crm
		if err := putJSON(c, spaceGivenUp, r.Number+"/"+crm, c.at); err != nil {
			return err
		}
		_, known := c.Record(spaceUndelivered, r.Number+"/"+what)
		if err := ignoreNotFound(known); err != nil {
			return err
		}
		if err := c.undelivered(r, what, t.Key); err != nil || known == nil {
			return err
		}
		return c.brief(r, StaffTrouble, Brief{Why: fmt.Sprintf("%s refused the case for good: %s", crm, cut(cause.Error(), 200))})
	})
}
