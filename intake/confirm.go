package intake

import (
	"errors"
	"strings"
	"time"
)

const (
	// confirmTime is how long a quarantined case can be confirmed by an answer.
	confirmTime = 72 * time.Hour
	spaceAsked  = "asked_to_confirm" // address → when
)

// askToConfirm asks the address that an unproven registration claims to come from whether it
// does. It goes to addresses of known partners alone, once a week at most, and says nothing
// of what was sent: whoever forged the mail must not write to others through us.
func (a *acceptance) askToConfirm(c *change, r *Registration, speaker string) error {
	to := a.s.Reply
	if !c.g.policy.ConfirmsUnproven() || speaker == "" || a.s.Mute != "" || !strings.EqualFold(to.Address, a.s.Sender.Address) {
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

// byToken returns the partner for whom an unproven sender speaks after all: the answer came
// from the address to which our question went, and bears the token of that question, which
// nobody else has seen. A quarantined case is confirmed by it.
func (a *acceptance) byToken(c *change) (speaker string, err error) {
	if a.s.Case == "" || a.s.Sender.Strength.Proven() {
		return "", nil
	}
	r, err := c.Case(a.s.Case)
	if err != nil {
		return "", ignoreNotFound(err)
	}
	if r.ConfirmBy.IsZero() || !strings.EqualFold(r.Contact, a.s.Sender.Address) {
		return "", nil
	}
	if r.Status != StatusQuarantined {
		return r.Partner, nil
	}
	if c.at.After(r.ConfirmBy) {
		return "", nil
	}
	if speaker, err = partnerOf(c, r.Contact); err != nil || speaker == "" {
		return "", err
	}
	r.Partner, r.Strength = speaker, StrengthVerified
	if err := c.move(&r, StatusSubmitted, Event{Trigger: TriggerConfirm, Actor: "partner:" + speaker}); err != nil {
		return "", err
	}
	return speaker, c.check(&r)
}
