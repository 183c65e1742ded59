package intake

import (
	"fmt"
	"slices"
	"time"
)

// decisionActs are what staff can do about a case that waits for a decision.
var decisionActs = []StaffAct{ActApprove, ActDecline, ActAsk, ActWaitlist}

// brief tells the people of the vendor who look after the partner something about r: the
// partner's manager, else the programme's contact. What they can do about it comes as links.
func (c *change) brief(r *Registration, kind MessageKind, b Brief, acts ...StaffAct) error {
	if c.g.staffChannel == "" {
		return nil
	}
	p, err := partner(c, r.Partner)
	if err := ignoreNotFound(err); err != nil {
		return err
	}
	seen := *r
	b.Partner, b.PartnerID, b.Registration = p.Name, p.ID, &seen
	told := c.staffFor(p, kind, b)
	if by, err := c.briefByFile(r, kind, told); by || err != nil {
		return err
	}
	for _, to := range told {
		own := b
		own.Links = c.staffLinks(r, to.Email, acts)
		if err := c.tellStaff(to, kind, own, fmt.Sprintf("S-%s.%d", r.Number, r.Events), c.programFacts(p)); err != nil {
			return err
		}
	}
	return nil
}

// lastWords are what the partner wrote last, if that was an answer.
func (c *change) lastWords(r *Registration) (string, error) {
	if r.Submissions < 2 {
		return "", nil
	}
	var s Submission
	err := getJSON(c, spaceSubmission, submissionKey(r, r.Submissions), &s)
	return s.Text, ignoreNotFound(err)
}

// staffFor are the people to tell. What nobody did in time goes to the programme's contact too.
func (c *change) staffFor(p Partner, kind MessageKind, b Brief) []Contact {
	main, lead := p.Manager, c.g.policy.Contact()
	if others := c.othersFor(kind, b); len(others) > 0 {
		return others
	}
	if kind == StaffNextStep && p.Executive.Email != "" {
		main = p.Executive
	}
	if main.Email == "" {
		main = lead
	}
	if kind == StaffDecision && b.Percent >= 80 && lead.Email != "" && lead.Email != main.Email {
		return []Contact{main, lead}
	}
	return []Contact{main}
}

// othersFor are the people of the list of staff for what the partner's manager can't decide: an
// appeal goes to reviewers who did not decide, the second half of a decision to whoever may make
// it and did not make the first.
func (c *change) othersFor(kind MessageKind, b Brief) []Contact {
	var others []Contact
	for _, s := range c.g.people {
		appeal := b.Registration != nil && b.Registration.Status == StatusAppeal
		fits := kind == StaffConfirmBy && s.May(ActRevoke, b.Registration) && s.Name != b.Proposed ||
			kind == StaffRequest && appeal && slices.Contains(s.Roles, RoleReviewer) && !slices.Contains(b.Registration.Appeal.Deciders, "staff:"+s.Name)
		if fits && s.Email != "" {
			others = append(others, Contact{Name: s.Name, Email: s.Email})
		}
	}
	return others
}

func (c *change) staffLinks(r *Registration, by string, acts []StaffAct) []BriefLink {
	if c.g.links == nil {
		return nil
	}
	var links []BriefLink
	for _, act := range acts {
		links = append(links, BriefLink{Act: act, URL: c.g.links.Desk(DeskGrant(r, act, by, c.at))})
	}
	return links
}

// tellStaff enqueues a message to a person of the vendor. It waits for no answer to a partner,
// and takes no room from them.
func (c *change) tellStaff(to Contact, kind MessageKind, b Brief, id string, about Facts) error {
	if to.Email == "" || c.g.staffChannel == "" {
		return nil
	}
	m := Message{
		ID: fmt.Sprintf("%s.%s.%s", id, kind, shortID(to.Email)), Kind: kind, To: Route{Channel: c.g.staffChannel, Address: to.Email},
		Facts: Facts{Program: about.Program, Zone: about.Zone, Received: c.at, Contact: about.Contact, Locale: c.g.staffLocale}, Brief: &b, Unprompted: true, At: c.at,
	}
	return c.enqueueMessage(m, "notify:"+m.ID, staffQueue(to.Email))
}

// staffQueue is the queue of the messages to a member of staff.
func staffQueue(email string) string { return "staff:" + email }

// announced are the links and the receipt that a message about r brings.
func (c *change) announced(r *Registration, f *Facts) {
	if c.g.links == nil || r.Status == StatusQuarantined {
		return
	}
	f.StatusLink = c.g.links.Status(StatusGrant(r, c.at))
	f.RulesLink = c.g.links.Rules()
}

// appealBy is until when the decision on r can be contested; zero if it can't.
func (c *change) appealBy(r *Registration) (time.Time, error) {
	if !r.Appeal.Opened.IsZero() || CheckTransition(r.Status, StatusAppeal, TriggerAppeal) != nil {
		return time.Time{}, nil
	}
	terms, err := c.terms(r.Partner)
	if err != nil || terms.Appeal.Within == (Span{}) {
		return time.Time{}, err
	}
	return c.g.policy.End(r.Since, terms.Appeal.Within), nil
}
