package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/channels/payload"
	"leadgate/intake"
)

// The methods of a meeting. A cancellation that is half of a new date is none: the other half
// says when the meeting is now, and the two come in any order.
const (
	methodBooked   = "REQUEST"
	methodCanceled = "CANCEL"
	methodMoved    = "MOVED"
)

// meeting returns the booking that a payload tells of.
func (t taking) meeting(doc any) (intake.Meeting, bool) {
	c := t.cfg.Meeting
	m := intake.Meeting{
		UID: c.UID.First(doc), Title: c.Title.First(doc), Attendees: c.Attendees.Texts(doc),
	}
	switch what := c.Event.First(doc); {
	case what == "":
		return m, false
	case slices.Contains(c.Booked, what):
		m.Method = methodBooked
	case slices.Contains(c.Canceled, what) && c.Moved.First(doc) == "true":
		m.Method = methodMoved
	case slices.Contains(c.Canceled, what):
		m.Method = methodCanceled
	default:
		return m, false
	}
	if start, err := time.Parse(time.RFC3339, c.Start.First(doc)); err == nil {
		m.Start = start.UTC()
	}
	return m, true
}

// booking stores a booking: as evidence on the case that it is
// about or, if there is none and it says enough, as a registration.
func (t taking) booking(ctx context.Context, doc any, e event, claim payload.Claim, m intake.Meeting) (result, error) {
	r, err := t.about(ctx, claim, m)
	var unclear *unclearError
	switch {
	case errors.As(err, &unclear):
		return t.aside(ctx, e.key, intake.AsideNoLead, unclear.Error(), t.name())
	case err == nil:
		return t.accept(ctx, t.evidence(e.key, r, m))
	case !errors.Is(err, intake.ErrNotFound):
		return result{}, fmt.Errorf("case of a booking: %w", err)
	}
	s := t.registration(doc, e, claim)
	if m.Method != methodBooked || !payload.Names(s.Lead) || claim.Case != "" {
		return t.aside(ctx, e.key, intake.AsideNoLead, "a booking ("+strings.ToLower(m.Method)+") that no open case of the partner is about", t.name())
	}
	first, err := t.accept(ctx, s)
	if err != nil || first.Case == "" || !s.Sender.Strength.Proven() {
		return first, err
	}
	if r, err = t.deps.Desk.CaseOf(ctx, first.Case); err != nil {
		return result{}, fmt.Errorf("case of a booking: %w", err)
	}
	if _, err := t.accept(ctx, t.evidence(e.key+":meeting", r, m)); err != nil {
		return result{}, err
	}
	return first, nil
}

// unclearError says in words for staff why a booking moves no case.
type unclearError struct{ words string }

func (e *unclearError) Error() string { return e.words }

// about returns the case that a booking is about: that of a signed reference, or the one about
// its attendee. What a stranger may have typed chooses no case, and a person whom several
// partners have registered moves none.
func (t taking) about(ctx context.Context, claim payload.Claim, m intake.Meeting) (intake.Registration, error) {
	if claim.Case != "" {
		r, err := t.deps.Desk.CaseOf(ctx, claim.Case)
		if err == nil && (!r.Status.Live() || r.Status == intake.StatusQuarantined) {
			return r, &unclearError{fmt.Sprintf("a booking (%s) for case %s, which is %s", strings.ToLower(m.Method), r.Number, r.Status)}
		}
		return r, err
	}
	var found []intake.Registration
	for _, address := range m.Attendees {
		cases, err := t.deps.Desk.CasesOfContact(ctx, address)
		if err != nil {
			return intake.Registration{}, err
		}
		found = append(found, cases...)
	}
	proven := claim.Sender.Strength.Proven()
	if proven {
		found = slices.DeleteFunc(found, func(r intake.Registration) bool { return r.Partner != claim.Partner })
	}
	if len(found) == 0 {
		return intake.Registration{}, intake.ErrNotFound
	}
	var numbers []string
	for _, r := range found {
		numbers = append(numbers, r.Number)
	}
	other := func(r intake.Registration) bool { return r.Partner != found[0].Partner }
	switch {
	case slices.ContainsFunc(found, other):
		return intake.Registration{}, &unclearError{"a booking by somebody whom several partners have registered: " + strings.Join(numbers, ", ")}
	case !proven && claim.Partner != "" && claim.Partner != found[0].Partner:
		return intake.Registration{}, &unclearError{fmt.Sprintf("a booking that says it came through %s, by the contact of another partner's %s", claim.Partner, numbers[0])}
	}
	i := max(0, slices.IndexFunc(found, func(r intake.Registration) bool { return r.Status.Holds() }))
	return found[i], nil
}

// evidence is a booking as what it is for a case. It answers nobody anew and leaves what the
// case says as it is.
func (t taking) evidence(key string, r intake.Registration, m intake.Meeting) intake.Submission {
	address := t.name()
	if len(m.Attendees) > 0 {
		address = m.Attendees[0]
	}
	return intake.Submission{
		Key: key, Channel: Channel, ReceivedAt: t.now, Raw: t.raw, NotALead: true,
		Sender:  intake.Sender{Address: address, Strength: intake.StrengthVerified, How: "a booking, told by " + t.name()},
		Partner: r.Partner, Case: r.Number, Meetings: []intake.Meeting{m},
		Mute: r.Mute, Unclear: r.Unclear,
	}
}
