package intake

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// noteMeetings records invitations as what they may be: evidence of a next step, for staff.
func (a *acceptance) noteMeetings(c *change, r *Registration) error {
	for _, m := range a.s.Meetings {
		note := strings.ToLower(m.Method)
		if !m.Start.IsZero() {
			note += " " + m.Start.UTC().Format(time.RFC3339)
		}
		err := c.record(r, Event{Kind: EventMeeting, Actor: "partner:" + r.Partner, Submission: r.Submissions, Note: cut(note, 100)})
		if err != nil {
			return err
		}
		if err := a.invitation(c, r, m); err != nil {
			return err
		}
	}
	return nil
}

// invitation takes an invitation to a meeting with somebody of the company for the next step
// that it is, where the policy wants that, and a cancellation of it back.
func (a *acceptance) invitation(c *change, r *Registration, m Meeting) error {
	terms, err := c.terms(r.Partner)
	if err != nil || !terms.Invitation || !a.s.Sender.Strength.Proven() || r.Met {
		return err
	}
	e := Event{Actor: "partner:" + r.Partner, Submission: r.Submissions}
	if m.Method == "CANCEL" && m.UID != "" && m.UID == r.MeetingUID {
		r.Meeting, r.MeetingUID = time.Time{}, ""
		e.Kind, e.Note = EventProgress, "the meeting was called off"
		return c.record(r, e)
	}
	invited := slices.ContainsFunc(m.Attendees, func(address string) bool {
		return strings.EqualFold(domainOf(address), r.Lead[FieldCompanyDomain]) || strings.EqualFold(address, r.Lead[FieldContactEmail])
	})
	if m.Method != "REQUEST" || !invited || !m.Start.After(c.at) || !r.Status.Claims() {
		return nil
	}
	return c.progress(r, Step{Kind: EvidenceMeeting, At: m.Start, UID: m.UID, Source: "invitation"}, e)
}

// replaces returns the fields that the submission may change: what was asked for, and in a
// reply everything but the domain, which stands for the account: it can be corrected only
// while the partner has the question, before anything is decided.
func (a *acceptance) replaces(r *Registration, threaded bool) []Field {
	if !threaded || !a.s.Sender.Strength.Proven() {
		return problemFields(r.Problems)
	}
	return slices.DeleteFunc(Fields(), func(f Field) bool {
		weak := slices.Contains(a.s.Weak, f) && !slices.Contains(problemFields(r.Problems), f)
		if r.Status.Holds() && f == a.split && r.Lead[f] != "" {
			return true // what is held of the account stays what it is
		}
		return weak || f == FieldCompanyDomain && r.Lead[f] != "" && r.Status != StatusNeedsInfo
	})
}

// join adds a further submission to a case. What is empty is filled, what was asked for or
// is corrected in a reply is replaced; the claim time stays. An answered question puts the case back into the checks.
func (a *acceptance) join(c *change, r *Registration, lead Lead, threaded bool) error {
	domain, scope := r.Lead[FieldCompanyDomain], r.Scope
	changed := c.absorb(r, lead, a.s.Evidence, a.replaces(r, threaded)...)
	if differ(domain, r.Lead[FieldCompanyDomain]) && a.s.ReceivedAt.After(r.Claim) {
		if err := c.claimAnew(r, a.s.ReceivedAt); err != nil {
			return err
		}
	}
	elsewhereNow := scope != r.Scope
	elsewhere := threaded && differ(lead[FieldCompanyDomain], r.Lead[FieldCompanyDomain])
	r.Unclear = a.s.Unclear
	r.Submissions++
	sure := slices.DeleteFunc(slices.Clone(changed), func(f Field) bool { return slices.Contains(a.s.Weak, f) })
	further := a.goesFurther(r, sure)
	unread := a.s.Text != "" && len(sure) == 0 || elsewhere || further
	tell := unread && threaded && a.s.Sender.Strength.Proven() && r.Status.ends() && (further || r.Unread == 0)
	if unread {
		r.Unread++
	}
	met := r.Meeting
	if a.s.Reply.Address != "" {
		r.Reply = a.s.Reply
	}
	r.Mute = a.s.Mute
	r.Reference = cmp.Or(a.s.Reference, r.Reference)
	if err := c.awaitBatch(r.Number, a.s.Batch.ID); err != nil {
		return err
	}
	if err := a.store(c, r); err != nil {
		return err
	}
	if err := a.noteMeetings(c, r); err != nil {
		return err
	}
	e := Event{Kind: EventJoined, Actor: "partner:" + r.Partner, Submission: r.Submissions, Fields: changed}
	if err := c.record(r, e); err != nil {
		return err
	}
	a.receipt, a.outcome = Receipt{Case: r.Number, Status: r.Status, Known: true}, "joined"
	if tell && r.Meeting.Equal(met) { // an invitation that counted is seen to
		if err := c.brief(r, StaffRequest, Brief{Said: a.s.Text}, ActProgress, ActSeen); err != nil {
			return err
		}
	}

	answered := len(changed) > 0 || len(a.problems) > 0 || (r.Question != "" && a.s.Text != "")
	revoked := slices.Contains(changed, FieldConsent) && r.Lead[FieldConsent] == ConsentNo
	switch {
	case r.Status == StatusNeedsInfo && answered:
		r.Problems = a.problems
		err := c.resume(r, Event{Actor: "partner:" + r.Partner, Submission: r.Submissions})
		a.receipt.Status = r.Status
		return err
	case r.Status == StatusNeedsInfo && threaded && a.s.Text != "":
		return c.review(r, Event{Trigger: TriggerReply, Actor: "partner:" + r.Partner, Reason: ReasonUnclearReply, Submission: r.Submissions})
	case r.Status.Holds() && revoked:
		return c.review(r, Event{Trigger: TriggerRules, Actor: "partner:" + r.Partner, Reason: ReasonConsentRequired, Submission: r.Submissions})
	case len(changed) == 0 && !elsewhere && (threaded || len(a.s.Meetings) > 0 && lead.Empty()):
		return nil // a word of thanks needs no answer
	case r.Status == StatusSubmitted:
		return nil // the check that is under way will answer
	}
	if elsewhereNow {
		if err := c.judgeAnew(r, Event{Trigger: TriggerReply, Actor: e.Actor}); err != nil {
			return err
		}
	}
	if len(changed) > 0 {
		if err := c.push(r); err != nil {
			return err
		}
	}
	return c.notifyJoined(r, changed, a.s.Reply)
}

// goesFurther reports whether the partner of a hold says that a meeting is planned or was held: that
// may be the next step, which a person notes.
func (a *acceptance) goesFurther(r *Registration, changed []Field) bool {
	stage := r.Lead[FieldStage]
	return r.Status.ends() && a.s.Sender.Strength.Proven() && slices.Contains(changed, FieldStage) &&
		(stage == StageDiscoveryScheduled || stage == StageEvaluation)
}

// absorb adds to r what it does not know yet, and replaces the given fields. It returns what
// changed; r is not stored.
func (c *change) absorb(r *Registration, add Lead, words map[Field]string, replace ...Field) []Field {
	changed := r.Lead.Fill(add, replace...)
	for _, f := range changed {
		if r.Evidence == nil {
			r.Evidence = make(map[Field]string)
		}
		r.Evidence[f] = words[f]
	}
	r.Identity = AccountKeys(c.g.ids, r.Lead)
	if !r.Status.Holds() {
		r.Scope = c.g.policy.Scope(r.Lead)
	}
	return changed
}

// resume puts a case whose question the partner answered back into the checks.
func (c *change) resume(r *Registration, e Event) error {
	r.Question, r.Answered = "", true
	c.unpause(r)
	e.Trigger = TriggerReply
	if err := c.move(r, StatusSubmitted, e); err != nil {
		return err
	}
	return c.check(r)
}

// unpause moves the promise of a decision by as long as it waited for the partner.
func (c *change) unpause(r *Registration) {
	if r.Status != StatusNeedsInfo || r.DecisionDue.IsZero() {
		return
	}
	waited := c.at.Sub(r.Since)
	due := r.DecisionDue
	if due.Before(r.Since) {
		due = r.Since // it was late before; what is late is to be decided at once
	}
	r.Promised = r.Promised.Add(waited)
	r.DecisionDue = c.g.policy.End(due.Add(waited), Span{Unit: BusinessDays})
}

// claimAnew dates the claim of r: nobody was first with an account that he did not name.
func (c *change) claimAnew(r *Registration, at time.Time) (err error) {
	r.Claim = at
	r.Place, err = c.Next("case")
	return err
}

// judgeAnew puts a case that waits back into the checks, because what it claims has changed.
func (c *change) judgeAnew(r *Registration, e Event) error {
	switch r.Status {
	case StatusWaitlisted:
		if err := c.move(r, StatusSubmitted, e); err != nil {
			return err
		}
		return c.check(r)
	case StatusInReview:
		return c.recheck(r, c.at)
	}
	return nil
}
