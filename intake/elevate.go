package intake

// elevates reports whether a submission of the partner makes a deal of the lead that he holds.
func elevates(r *Registration, lead Lead) bool {
	return r.Status.Holds() && lead[FieldKind] == KindDeal && r.Lead[FieldKind] != KindDeal && r.Child == ""
}

// elevate opens a case for the deal that came of the lead r. The deal has the lead's claim time,
// and while it is judged the lead keeps the account.
func (a *acceptance) elevate(c *change, r *Registration, lead Lead) error {
	child, err := c.elevate(r, lead, a, "partner:"+r.Partner)
	if err != nil {
		return err
	}
	a.receipt, a.outcome = Receipt{Case: child.Number, Status: child.Status}, "new"
	return nil
}

// elevate does it for whoever asked; a is what the partner sent, nil if staff did it.
func (c *change) elevate(r *Registration, lead Lead, a *acceptance, actor string) (*Registration, error) {
	number, seq, err := c.newNumber()
	if err != nil {
		return nil, err
	}
	terms, err := c.terms(r.Partner)
	if err != nil {
		return nil, err
	}
	child := Registration{
		Number: number, Seq: seq, Partner: r.Partner, Contact: r.Contact, Strength: r.Strength, Channel: r.Channel,
		Status: StatusSubmitted, Claim: r.Claim, Accepted: c.at, Since: c.at, Activity: c.at,
		Lead: r.Lead.Clone(), Evidence: map[Field]string{}, Reply: r.Reply, Parent: r.Number, Place: r.place(), Scope: r.Scope,
		Intro: r.Intro, Meeting: r.Meeting, MeetingUID: r.MeetingUID, Met: r.Met, Attribution: r.Attribution,
		DecisionDue: c.g.policy.End(c.at, terms.Decision), Promised: c.at,
	}
	e := Event{
		Kind: EventAccepted, Actor: actor, To: StatusSubmitted, Trigger: TriggerElevate, Reason: ReasonElevated, Note: "of case " + r.Number,
	}
	var words map[Field]string
	if a != nil {
		s := a.s
		words = s.Evidence
		child.Submissions, e.Submission = 1, 1
		child.Channel, child.Contact, child.Strength = s.Channel, s.Sender.Address, s.Sender.Strength
		child.Reference = s.Reference
	}
	if a != nil && a.s.Reply.Address != "" {
		child.Reply, child.Mute = a.s.Reply, a.s.Mute
	}
	account := child.Lead[FieldCompanyDomain]
	child.Lead[FieldKind] = KindDeal
	c.absorb(&child, lead, words, Fields()...)
	if child.Lead[FieldCompanyDomain] != account {
		child.Lead[FieldCompanyDomain] = account // a deal is with the company that is held
		child.Identity = AccountKeys(c.g.ids, child.Lead)
	}
	if a != nil {
		if err := a.store(c, &child); err != nil {
			return nil, err
		}
	}
	e.Fields = fieldsOf(child.Lead)
	if err := c.record(&child, e); err != nil {
		return nil, err
	}
	r.Child = number
	if err := c.record(r, Event{Kind: EventElevated, Actor: actor, Note: number}); err != nil {
		return nil, err
	}
	if r.Status != StatusLocked {
		r.Unlocked = Unlocked{Status: r.Status, End: r.Protection.End}
		if err := c.move(r, StatusLocked, Event{Trigger: TriggerElevate, Actor: actor, Reason: ReasonElevated}); err != nil {
			return nil, err
		}
	}
	if err := c.push(r); err != nil {
		return nil, err
	}
	return &child, c.check(&child)
}

// succeed puts a deal that is approved in the place of its lead, whose hold it goes on with,
// and returns the state in which it holds the account.
func (c *change) succeed(r *Registration) (Status, error) {
	lead, err := c.leadOf(r)
	if err != nil || !lead.Status.Holds() {
		return "", err // the lead has ended meanwhile; the deal stands alone
	}
	r.Protection, r.Met = lead.Protection, r.Met || lead.Met
	lead.MergedInto = r.Number
	if lead.Conflict != "" {
		if err := c.inherit(&lead, r); err != nil {
			return "", err
		}
	}
	c.passing = true
	defer func() { c.passing = false }()
	err = c.move(&lead, StatusMerged, Event{Trigger: TriggerElevate, Actor: "policy", Reason: ReasonElevated, Note: "into case " + r.Number})
	if err != nil {
		return "", err
	}
	if r.Met {
		return StatusLocked, c.push(&lead)
	}
	return StatusProtected, c.push(&lead)
}

// orphan takes the deal that was refused off its lead, so that another can come of it.
func (c *change) orphan(r *Registration) error {
	lead, err := c.Case(r.Parent)
	if err != nil || lead.Child != r.Number {
		return err
	}
	lead.Child = ""
	if err := c.record(&lead, Event{Kind: EventElevated, Actor: "policy", Note: r.Number + " ended"}); err != nil {
		return err
	}
	was := lead.Unlocked
	if lead.Status != StatusLocked || lead.Met || was.Status == "" {
		return nil
	}
	lead.Unlocked, lead.Protection.End = Unlocked{}, was.End
	if err := c.move(&lead, was.Status, Event{Trigger: TriggerElevate, Actor: "policy", Reason: ReasonElevated}); err != nil {
		return err
	}
	return c.push(&lead)
}
