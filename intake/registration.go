package intake

import (
	"slices"
	"time"
)

// Registration is the current state of one case. It changes only together with an Event,
// in one transaction. Times are UTC, to the microsecond.
type Registration struct {
	// Number is the case number. It identifies and never authorises.
	Number string `json:"number"`
	// Seq is the commit order of cases: of two equal claim times the lower Seq was first.
	Seq uint64 `json:"seq"`
	// Revision is 1 when new and grows by one with each stored change.
	Revision int       `json:"revision"`
	Status   Status    `json:"status"`
	Reason   Reason    `json:"reason,omitempty"`
	Partner  string    `json:"partner,omitempty"` // Partner.ID; empty only in quarantine
	Contact  string    `json:"contact,omitempty"` // address of the person who submitted
	Strength Strength  `json:"strength"`
	Channel  string    `json:"channel"`
	Claim    time.Time `json:"claim_time"`
	Accepted time.Time `json:"accepted_at"`
	Updated  time.Time `json:"updated_at"`
	// Since is when the case came into its present status.
	Since time.Time `json:"since"`
	Lead  Lead      `json:"lead"`
	// Evidence holds, per field, the words that the value was read from.
	Evidence map[Field]string `json:"evidence,omitempty"`
	// Unclear holds what the partner gave for fields that no value could be read from.
	Unclear map[Field]string `json:"unclear,omitempty"`
	// Identity holds the account keys that Lead stands for; see AccountKeys.
	Identity []string `json:"identity,omitempty"`
	// Submissions counts what was sent in for this case.
	Submissions int   `json:"submissions"`
	Reply       Route `json:"reply"`
	// Reference is what the partner's own programs call the case.
	Reference string `json:"reference,omitempty"`
	// Mute says why nothing is answered by itself, for staff; empty if it is.
	Mute string `json:"mute,omitempty"`
	// ConfirmBy is until when the sender can confirm a quarantined case by an answer; zero if
	// he was not asked. Confirmed says that he did.
	ConfirmBy time.Time `json:"confirm_by,omitzero"`
	Confirmed bool      `json:"confirmed,omitempty"`
	// Appeal is the partner's contest of a decision; a case can be appealed once.
	Appeal Appeal `json:"appeal,omitzero"`
	// Parent is the lead of which this case is the deal, Child the deal that came of this lead.
	Parent string `json:"parent,omitempty"`
	// Place decides between equal claim times in the place of Seq, if it is not 0: a deal has that
	// of its lead, and who names another account comes last.
	Place uint64 `json:"place,omitempty"`
	Child string `json:"child,omitempty"`
	// Scope is the part of the account that is claimed, where the policy lets partners share
	// one; empty for the whole.
	Scope string `json:"scope,omitempty"`
	// Conflict is the Conflict.ID of the open dispute that the case is part of.
	Conflict string `json:"conflict,omitempty"`
	// Intro is when the partner's introduction to the prospect was proven, Meeting when the
	// first meeting is or was; Met says that it was held.
	Intro      time.Time `json:"intro_at,omitzero"`
	Meeting    time.Time `json:"meeting_at,omitzero"`
	MeetingUID string    `json:"meeting_uid,omitempty"`
	Met        bool      `json:"met,omitempty"`
	// Activity is when somebody last did something about the case: the partner, staff, sales.
	Activity time.Time `json:"last_activity_at,omitzero"`
	// Extending is since when an extension that the partner asked for waits for staff.
	Extending time.Time `json:"extending_since,omitzero"`
	// Cooling is until when the partner can't register the account again, Turn until when an
	// account that became free is kept for the case.
	Cooling time.Time `json:"cooling_until,omitzero"`
	Turn    time.Time `json:"turn_until,omitzero"`
	// Closed is when the deal was won or lost.
	Closed time.Time `json:"closed_at,omitzero"`
	// DecidedBy are the actors of the last decision: who reviews an appeal is somebody else.
	DecidedBy []string `json:"decided_by,omitempty"`
	// Unlocked is what a lead was before a deal of it was registered, to go back to if the deal is
	// refused.
	Unlocked Unlocked `json:"unlocked,omitzero"`
	// Revoking is a revocation that waits for a second person.
	Revoking Revoking `json:"revoking,omitzero"`
	// Rang are the clocks that have struck since the case came into its status, Alarm is when
	// the next one does.
	Rang  []string `json:"rang,omitempty"`
	Alarm Alarm    `json:"alarm,omitzero"`
	// Links counts how often the links to the status page were revoked.
	Links int `json:"links_revoked,omitempty"`
	// Attribution is who gets which part of the credit, in percent.
	Attribution []Attribution `json:"attribution,omitempty"`
	// Unread counts what the partner wrote that nothing was read from and no person has seen
	// to yet.
	Unread int `json:"unread,omitempty"`
	// Requests are what the partner asked for and staff have not acted on yet: an extension,
	// an appeal.
	Requests []Verb `json:"requests,omitempty"`
	// Problems lists what the partner was asked for; Question is a person's own words.
	Problems []Problem `json:"problems,omitempty"`
	Question string    `json:"question,omitempty"`
	// Asks counts how often the partner was asked. Answered says that an answer of the partner's
	// put the case into the checks in which it is.
	Asks     int  `json:"asks,omitempty"`
	Answered bool `json:"answered,omitempty"`
	// DecisionDue is until when a decision is promised, Promised since when that counts.
	DecisionDue time.Time  `json:"decision_due,omitzero"`
	Promised    time.Time  `json:"decision_promised_at,omitzero"`
	AnswerDue   time.Time  `json:"answer_due,omitzero"`
	Decided     time.Time  `json:"decided_at,omitzero"`
	Protection  Protection `json:"protection,omitzero"`
	// Findings is the trace of the last judgement, Advice what it recommended to staff.
	Findings []Finding `json:"findings,omitempty"`
	Advice   Outcome   `json:"advice,omitempty"`
	Policy   string    `json:"policy,omitempty"` // Policy.Hash of the last judgement
	// PartnerNote is what a person wrote to the partner with the decision.
	PartnerNote string `json:"partner_note,omitempty"`
	// MergedInto is the case that this one became part of; Rationale is for staff only.
	MergedInto string `json:"merged_into,omitempty"`
	Rationale  string `json:"rationale,omitempty"`
	// Deal is what sales say of it in a CRM.
	Deal Deal `json:"deal,omitzero"`
	// CRM holds the reference in each system of record, by CRM.Name.
	CRM map[string]Ref `json:"crm,omitempty"`
	// Events is the number of events, Head the hash of the last: the end of the chain.
	Events int    `json:"events"`
	Head   string `json:"head,omitempty"`
}

// Protection is the hold on an account.
type Protection struct {
	Start time.Time `json:"start"`
	// End is the last instant that is protected: the end of a day in the programme's zone.
	End time.Time `json:"end"`
	// Extended counts how often the end was moved.
	Extended int `json:"extended,omitempty"`
}

// Alarm is the task that wakes a case when its next clock strikes.
type Alarm struct {
	At  time.Time `json:"at"`
	Key string    `json:"key"`
}

// Appeal is a partner's contest of a decision.
type Appeal struct {
	Opened time.Time `json:"opened_at,omitzero"`
	// From is the state that was contested, Deciders who had decided it.
	From     Status   `json:"from,omitempty"`
	Deciders []string `json:"deciders,omitempty"`
	// Acknowledge and Plan are until when a person has to have seen it and to have decided.
	Acknowledge  time.Time `json:"acknowledge_due,omitzero"`
	Plan         time.Time `json:"plan_due,omitzero"`
	Acknowledged time.Time `json:"acknowledged_at,omitzero"`
	Reviewer     string    `json:"reviewer,omitempty"`
	Decided      time.Time `json:"decided_at,omitzero"`
}

// Unlocked is a hold with an end.
type Unlocked struct {
	Status Status    `json:"status,omitempty"`
	End    time.Time `json:"end,omitzero"`
}

// Revoking is the first half of a decision that takes two persons.
type Revoking struct {
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Reason Reason    `json:"reason,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// Attribution is a partner's part in a deal.
type Attribution struct {
	Partner string `json:"partner"`
	// Role is RoleSourced, of which there is one at most, or RoleInfluenced.
	Role    string `json:"role"`
	Percent int    `json:"percent"`
}

// The roles of an Attribution.
const (
	RoleSourced    = "sourced"
	RoleInfluenced = "influenced"
)

// Before reports whether r's claim is older than o's: by claim time, then by commit order.
func (r *Registration) Before(o *Registration) bool {
	if !r.Claim.Equal(o.Claim) {
		return r.Claim.Before(o.Claim)
	}
	return r.place() < o.place()
}

// place is what decides between equal claim times.
func (r *Registration) place() uint64 {
	if r.Place != 0 {
		return r.Place
	}
	return r.Seq
}

// IndexKeys returns the keys under which a store must find the case: the account keys
// while the case is live, none afterwards, and none in quarantine, for strangers could fill
// the index of an account with cases that count for nothing. The list is sorted.
func (r *Registration) IndexKeys() []string {
	if !r.Status.Live() || r.Status == StatusQuarantined {
		return nil
	}
	keys := slices.Clone(r.Identity)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Ref is a record in a system of record.
type Ref struct {
	ID  string `json:"id"`
	URL string `json:"url,omitempty"`
	// Gone says that people deleted the record, or made it one with another: nothing is written
	// there until Replay.
	Gone bool `json:"gone,omitempty"`
	// Revision is the Registration.Revision that was last pushed.
	Revision int `json:"revision,omitempty"`
	// Parts are the ids of what belongs to the record, by what it is there: "company", "contact".
	Parts map[string]string `json:"parts,omitempty"`
	// Wrote remembers what we wrote last into fields that people may change, by field, as short
	// hashes: who finds something else there, empty included, finds the hand of a person.
	Wrote map[string]string `json:"wrote,omitempty"`
}
