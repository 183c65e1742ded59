package intake

import (
	"errors"
	"strings"
	"time"
)

const (
	spaceAsked = "asked_to_confirm" // address → when
)

// An address is asked because somebody typed it into a form as long as so few of these questions
// wait for its answer, and so often a day at most.
const (
	typedUnanswered = 5
	typedDay        = 50
)

// askToConfirm asks the address that an unproven registration claims to come from whether it
// does. It goes to addresses of known partners alone, and says nothing of what was sent: whoever
// forged the mail must not write to others through us. Only a case that was asked about can be
// confirmed. Of mail it is asked once a week at most, and where the policy wants that; of what
// was typed into a form at once, a few times a day, for all that waits.
func (a *acceptance) askToConfirm(c *change, r *Registration, speaker string) error {
	to := a.s.Reply
	if speaker == "" || a.s.Mute != "" || to.Address == "" || !strings.EqualFold(to.Address, a.s.Sender.Address) {
		return nil
	}
	if !a.s.Typed && !c.g.policy.ConfirmsUnproven() {
		return nil
	}
	ask, err := a.mayAsk(c, strings.ToLower(to.Address))
	if err != nil || !ask && !a.s.Typed {
		return err
	}
	p, err := partner(c, speaker)
	if err != nil {
		return err
	}
	by := c.due(c.at, c.g.policy.Terms(p).Confirm)
	if by.IsZero() {
		return nil
	}
	if a.s.Typed && ask {
		unanswered, err := c.waiting(r.Contact)
		if err != nil {
			return err
		}
		ask = len(unanswered) < typedUnanswered
	}
	if c.g.links != nil {
		waits, err := c.awaitConfirm(r)
		if err != nil || !waits && !ask {
			return err
		}
	}
	r.ConfirmBy = by
	if !ask {
		return nil // the page that the last question leads to has this one too
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
func (a *acceptance) mayAsk(c *change, address string) (bool, error) {
	if a.s.Typed {
		var over *LimitError
		err := Limit{Name: "confirm:" + address, Max: typedDay, Per: day}.count(c, c.at)
		if errors.As(err, &over) {
			return false, nil
		}
		return err == nil, err
	}
	var last time.Time
	err := getJSON(c, spaceAsked, address, &last)
	if err != nil && !errors.Is(err, ErrNotFound) || err == nil && c.at.Sub(last) < noticePause {
		return false, ignoreNotFound(err)
	}
	return true, putJSON(c, spaceAsked, address, c.at)
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
	if r.Status != StatusQuarantined || r.ConfirmBy.IsZero() || c.at.After(r.ConfirmBy) || !strings.EqualFold(r.Contact, a.s.Sender.Address) {
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
