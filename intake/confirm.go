package intake

import (
	"errors"
	"strings"
	"time"
)

const (
	spaceAsked    = "asked_to_confirm" // address → when
	spaceQuestion = "typed_questions"  // address → questions of the last day
)

// An address is asked because somebody typed it into a form until so many questions of a day wait
// for its answer; so often a day at most; and so often all addresses of a domain together.
const (
	typedUnanswered = 5
	typedDay        = 20
	typedDomainDay  = 100
)

// askToConfirm asks the address that an unproven registration claims to come from whether it
// does. It goes to addresses of known partners alone, and says nothing of what was sent: whoever
// forged the mail must not write to others through us. Of mail it is asked once a week at most,
// and where the policy wants that, and only what was asked about can be confirmed. Of what was
// typed into a form it is asked at once, until a few questions wait for an answer; the page that
// they lead to has the others too.
func (a *acceptance) askToConfirm(c *change, r *Registration, speaker string) error {
	to := a.s.Reply
	if speaker == "" || a.s.Mute != "" || to.Address == "" || !strings.EqualFold(to.Address, a.s.Sender.Address) {
		return nil
	}
	if !a.s.Typed && !c.g.policy.ConfirmsUnproven() {
		return nil
	}
	p, err := partner(c, speaker)
	if err != nil || !p.takesPart(c.at) {
		return err
	}
	by := c.due(c.at, c.g.policy.Terms(p).Confirm)
	if by.IsZero() {
		return nil
	}
	ask, err := a.mayAsk(c, r)
	if err != nil || !ask && !a.s.Typed {
		return err
	}
	if r.ConfirmBy = by; c.g.links != nil {
		if err := c.PutRecord(spaceWaiting, waitingKey(r), []byte(r.Number)); err != nil {
			return err
		}
	}
	if !ask {
		return nil
	}
	f := c.programFacts(p)
	f.Case, f.Status, f.Due, f.Typed = r.Number, r.Status, r.ConfirmBy, a.s.Typed
	if c.g.links != nil {
		f.ConfirmLink = c.g.links.Confirm(Grant{Case: r.Number, Expires: r.ConfirmBy.Unix()})
	}
	m := Message{ID: r.Number + ".confirm", Kind: MessageConfirm, To: to, Facts: f, Unprompted: a.s.Typed, At: c.at}
	return c.enqueueMessage(m, "notify:"+m.ID, r.Number)
}

// mayAsk counts a question to an address, unless it was asked enough.
func (a *acceptance) mayAsk(c *change, r *Registration) (bool, error) {
	address := strings.ToLower(a.s.Reply.Address)
	if a.s.Typed {
		return c.mayAskTyped(r, mailboxOf(address))
	}
	var last time.Time
	err := getJSON(c, spaceAsked, address, &last)
	if err != nil && !errors.Is(err, ErrNotFound) || err == nil && c.at.Sub(last) < noticePause {
		return false, ignoreNotFound(err)
	}
	return true, putJSON(c, spaceAsked, address, c.at)
}

// question is one that was mailed because of a form.
type question struct {
	Case string    `json:"case"`
	At   time.Time `json:"at"`
}

func (c *change) mayAskTyped(r *Registration, mailbox string) (bool, error) {
	var asked []question
	if err := getJSON(c, spaceQuestion, mailbox, &asked); ignoreNotFound(err) != nil {
		return false, err
	}
	recent := []question{{r.Number, c.at}}
	for _, q := range asked {
		if c.at.Sub(q.At) >= day {
			continue
		}
		of, err := c.Case(q.Case)
		if err != nil {
			return false, err
		}
		if c.confirmable(&of) {
			recent = append(recent, q)
		}
	}
	if len(recent) > typedUnanswered {
		return false, nil
	}
	for _, l := range []Limit{
		{Name: "confirm:" + mailbox, Max: typedDay, Per: day},
		{Name: "confirm:@" + domainOf(mailbox), Max: typedDomainDay, Per: day},
	} {
		var over *LimitError
		if err := l.count(c, c.at); errors.As(err, &over) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, putJSON(c, spaceQuestion, mailbox, recent)
}

// mailboxOf is an address without what many servers deliver to the same mailbox: "+anything".
func mailboxOf(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

func ignoreNotFound(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// confirm takes a yes in the thread of our question for what it is: the quarantined case is
// its sender's. It came from the address that was asked, and bears the token that went there
// alone. It proves nothing about any other case: everybody who gets a copy of the thread
// later knows the token too.
func (a *acceptance) confirm(c *change) (bool, error) {
	if a.s.Case == "" || !a.s.Agrees || a.s.Mute != "" {
		return false, nil
	}
	r, err := c.Case(a.s.Case)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	if !c.confirmable(&r) || !strings.EqualFold(r.Contact, a.s.Sender.Address) {
		return false, nil
	}
	speaker, err := partnerOf(c, r.Contact)
	if err != nil || speaker == "" {
		return false, err
	}
	r.Submissions++
	if err := a.store(c, &r); err != nil {
		return false, err
	}
	if err := c.ownUp(&r, speaker, r.Submissions); err != nil {
		return false, err
	}
	a.receipt, a.outcome = Receipt{Case: r.Number, Status: r.Status, Known: true}, "confirmed"
	return true, nil
}

// ownUp takes a quarantined case for its sender's, as the sender has proven.
func (c *change) ownUp(r *Registration, speaker string, submission int) error {
	r.Partner, r.Strength, r.Confirmed = speaker, StrengthVerified, true
	if err := c.move(r, StatusSubmitted, Event{Trigger: TriggerConfirm, Actor: "partner:" + speaker, Submission: submission}); err != nil {
		return err
	}
	return c.check(r)
}
