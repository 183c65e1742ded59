package intake

import (
	"errors"
	"strings"
	"time"
)

const (
	spaceAsked = "asked_to_confirm" // address → when
)

// askToConfirm asks the address that an unproven registration claims to come from whether it
// does. It goes to addresses of known partners alone, once a week at most, and says nothing
// of what was sent: whoever forged the mail must not write to others through us. Only a case
// that was asked about can be confirmed.
func (a *acceptance) askToConfirm(c *change, r *Registration, speaker string) error {
	to := a.s.Reply
	if !c.g.policy.ConfirmsUnproven() || speaker == "" || a.s.Mute != "" || to.Address == "" || !strings.EqualFold(to.Address, a.s.Sender.Address) {
		return nil
	}
	key := strings.ToLower(to.Address)
	var last time.Time
	err := getJSON(c, spaceAsked, key, &last)
	if err != nil && !errors.Is(err, ErrNotFound) || err == nil && c.at.Sub(last) < noticePause {
		return ignoreNotFound(err)
	}
	p, err := partner(c, speaker)
	if err != nil {
		return err
	}
	if r.ConfirmBy = c.due(c.at, c.g.policy.Terms(p).Confirm); r.ConfirmBy.IsZero() {
		return nil
	}
	f := c.programFacts(p)
	f.Case, f.Status, f.Due = r.Number, r.Status, r.ConfirmBy
	m := Message{ID: r.Number + ".confirm", Kind: MessageConfirm, To: to, Facts: f, At: c.at}
	if err := c.enqueueMessage(m, "notify:"+m.ID, r.Number); err != nil {
		return err
	}
	return putJSON(c, spaceAsked, key, c.at)
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
	r.Partner, r.Strength, r.Confirmed = speaker, StrengthVerified, true
	r.Submissions++
	if err := a.store(c, &r); err != nil {
		return false, err
	}
	if err := c.move(&r, StatusSubmitted, Event{Trigger: TriggerConfirm, Actor: "partner:" + speaker, Submission: r.Submissions}); err != nil {
		return false, err
	}
	a.receipt, a.outcome = Receipt{Case: r.Number, Status: r.Status, Known: true}, "confirmed"
	return true, c.check(&r)
}
