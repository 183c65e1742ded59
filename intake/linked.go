package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// LinkLife is how long a link works after it was made.
const LinkLife = 30 * 24 * time.Hour

// StatusGrant is what a link to a case's page grants to its partner.
func StatusGrant(r *Registration, now time.Time) Grant {
	return Grant{Case: r.Number, Links: r.Links, Expires: now.Add(LinkLife).Unix()}
}

// DeskGrant is what a link grants to a member of staff, by name or address as in Staff: one
// act on the case as it is in r. It is made after all that is recorded of r beside it.
func DeskGrant(r *Registration, act StaffAct, by string, now time.Time) Grant {
	return Grant{Case: r.Number, Act: act, By: by, Revision: r.Revision, Expires: now.Add(LinkLife).Unix()}
}

// Why an act through a good link is not done.
var (
	ErrNotAllowed  = errors.New("your role does not permit it")
	ErrNotYet      = errors.New("it is not possible by a link yet")
	ErrCaseChanged = errors.New("the case has changed since the page was opened")
)

// View is what a link shows to staff.
type View struct {
	Grant Grant
	// Bearer is whose link it is, by the name under which what he does is recorded. The grant
	// may name him by his address.
	Bearer  string
	Dossier Dossier
	// Since are the events since the link was sent that matter to who decides, oldest first.
	Since []Event
	// May says that the bearer's role permits the act.
	May bool
	// Down are the CRMs that do not work at the moment.
	Down []Condition
	// Against are the findings that stand against an approval, which then takes a rationale.
	Against []Finding
}

// Deed is what a member of staff decides through a link.
type Deed struct {
	// Verdict is the decision; its By is that of the link, whatever it says.
	Verdict
	// Days is by how many calendar days ActExtend moves the end.
	Days int
	// Shown is the Registration.Revision that the page showed; 0 for that of the link.
	Shown int
}

// Linked reads a link of staff: ErrLinkInvalid (also for a case that is not there, or was
// erased), ErrLinkExpired, ErrLinkRevoked if its bearer is no longer of the staff. With
// ErrLinkStale the view is filled: it tells what was done in the meantime. It changes nothing.
func (g *Gateway) Linked(ctx context.Context, token string) (View, error) {
	grant, err := g.readLink(token, "")
	if err != nil {
		return View{}, err
	}
	if grant.Act == "" {
		return View{}, ErrLinkInvalid
	}
	bearer, known := g.bearer(grant.By)
	if !known {
		return View{}, ErrLinkRevoked
	}
	d, err := g.Dossier(ctx, grant.Case)
	var noNumber *ErrInput
	if errors.Is(err, ErrNotFound) || errors.As(err, &noNumber) || err == nil && d.Registration.Status == StatusErased {
		return View{}, ErrLinkInvalid
	}
	if err != nil {
		return View{}, err
	}
	v := View{Grant: grant, Bearer: bearer.Name, Dossier: d, May: bearer.May(grant.Act, &d.Registration)}
	v.Down = g.down()
	v.Against = against(&d.Registration)
	for _, e := range d.Events {
		if e.N <= grant.Revision || !matters(e) {
			continue
		}
		v.Since = append(v.Since, e)
		if overtakes(e) {
			err = ErrLinkStale
		}
	}
	return v, err
}

// ActLinked does what a link grants, once: a link whose act was done is stale. Its errors are
// those of Linked and of the act, and ErrNotAllowed, ErrNotYet, ErrCaseChanged.
func (g *Gateway) ActLinked(ctx context.Context, token string, d Deed) (Registration, error) {
	// Two requests with one link must not both find it fresh. Whoever decides in another way
	// meets the act's own checks, as ever.
	g.linking.Lock()
	defer g.linking.Unlock()
	v, err := g.Linked(ctx, token)
	if err != nil {
		return Registration{}, err
	}
	act := linkedActs[v.Grant.Act]
	switch {
	case !v.May:
		return Registration{}, ErrNotAllowed
	case act == nil:
		return Registration{}, ErrNotYet
	}
	for _, e := range v.Since {
		if e.N > d.Shown {
			return Registration{}, ErrCaseChanged
		}
	}
	d.By = v.Bearer
	return act(ctx, g, v.Grant.Case, d)
}

// plainDeed is a deed that takes no more than a verdict.
func plainDeed(act func(*Gateway, context.Context, string, Verdict) (Registration, error)) func(context.Context, *Gateway, string, Deed) (Registration, error) {
	return func(ctx context.Context, g *Gateway, number string, d Deed) (Registration, error) {
		return act(g, ctx, number, d.Verdict)
	}
}

// linkedActs is what can be done through a link. An act that is missing is not possible yet.
var linkedActs = map[StaffAct]func(ctx context.Context, g *Gateway, number string, d Deed) (Registration, error){
	ActApprove: plainDeed((*Gateway).Approve),
	ActDecline: plainDeed((*Gateway).Decline),
	ActAsk:     plainDeed((*Gateway).Ask),
	ActExtend: func(ctx context.Context, g *Gateway, number string, d Deed) (Registration, error) {
		return g.Extend(ctx, number, d.Days, d.Verdict)
	},
	ActWaitlist: plainDeed((*Gateway).Waitlist),
	ActRefuse:   plainDeed((*Gateway).RefuseExtension),
	ActRevoke:   plainDeed((*Gateway).Revoke),
	ActRelease:  plainDeed((*Gateway).Release),
	ActProgress: func(ctx context.Context, g *Gateway, number string, d Deed) (Registration, error) {
		return g.Progress(ctx, number, Step{Kind: EvidenceMeeting, At: g.stamp(), Held: true, Source: "told by " + d.By}, d.Verdict)
	},
	ActAckAppeal: plainDeed((*Gateway).AcknowledgeAppeal),
	ActSeen:      plainDeed((*Gateway).Seen),
}

// matters reports whether who decides should know of an event before he does: all but our own
// deliveries. Each revision of a case has its event, of the same number.
func matters(e Event) bool {
	switch e.Kind {
	case EventPushed, EventNotified, EventUndelivered, EventReported, EventUnlinked, EventHeld:
		return false
	}
	return true
}

// overtakes reports whether an event ends the links that staff were sent before it: the case
// moved, its hold was prolonged, or a person has dealt with it. What the partner adds does not:
// the page shows it.
func overtakes(e Event) bool {
	return e.Kind == EventMoved || e.Kind == EventExtended || strings.HasPrefix(e.Actor, "staff:")
}

// against returns the findings that an approval goes against.
func against(r *Registration) []Finding {
	var found []Finding
	for _, f := range r.Findings {
		if f.Outcome == OutcomeDecline || f.Outcome == OutcomeWaitlist || f.Reason == ReasonContested {
			found = append(found, f)
		}
	}
	return found
}

// readLink reads a link of a purpose. One of another purpose is none.
func (g *Gateway) readLink(token string, purpose Purpose) (Grant, error) {
	if g.links == nil {
		return Grant{}, ErrLinkInvalid
	}
	grant, err := g.links.Read(token, g.now())
	if err != nil || grant.For == purpose {
		return grant, err
	}
	return Grant{}, ErrLinkInvalid
}

// bearer returns the member of staff to whom a link was sent. Without a list of staff it is
// whoever the link names, and he may do everything.
func (g *Gateway) bearer(by string) (Staff, bool) {
	if len(g.people) == 0 {
		return Staff{Name: by, Roles: []Role{RoleAdmin}}, by != ""
	}
	for _, s := range g.people {
		if s.Called(by) {
			return s, true
		}
	}
	return Staff{}, false
}

// person returns the member of staff who acts, by name or address; *ErrInput if there is a list
// of staff and he is not on it. Without one everybody is who he says he is.
func (g *Gateway) person(by string) (Staff, error) {
	if by = strings.TrimSpace(by); by == "" {
		return Staff{}, &ErrInput{"who decides?"}
	}
	who, known := g.bearer(by)
	if !known {
		var names []string
		for _, s := range g.people {
			names = append(names, s.Name)
		}
		return Staff{}, &ErrInput{fmt.Sprintf("%q is not on the list of staff: %s", by, strings.Join(names, ", "))}
	}
	return who, nil
}

// RevokeLinks ends the links to a case's page that its partner was sent so far.
func (g *Gateway) RevokeLinks(ctx context.Context, number, by string) (Registration, error) {
	if by == "" {
		return Registration{}, &ErrInput{"who revokes them?"}
	}
	canonical, ok := g.numbers.Parse(number)
	if !ok {
		return Registration{}, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
	}
	var r Registration
	err := g.update(ctx, func(c *change) (err error) {
		if r, err = c.Case(canonical); err != nil {
			return err
		}
		if r.Status == StatusErased {
			return &ErrInput{"the case is erased; its links lead nowhere"}
		}
		r.Links++
		return c.record(&r, Event{Kind: EventUnlinked, Actor: "staff:" + by})
	})
	if err != nil {
		return Registration{}, fmt.Errorf("case %s: %w", canonical, err)
	}
	return r, nil
}

// Published is what everybody may read of the rules.
func (g *Gateway) Published() Published { return g.policy.Published() }
