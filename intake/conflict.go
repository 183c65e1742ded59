package intake

import "time"

// Conflict is a dispute about one account: several claims, or a claim and a deal of direct sales.
// It is changed together with the cases that it is about.
type Conflict struct {
	// ID is "C-" and a number.
	ID   string       `json:"id"`
	Type ConflictType `json:"type"`
	// Account is the domain in dispute.
	Account string `json:"account"`
	// Cases are the claims, in the order in which the published hierarchy puts them; Deals are
	// the records of direct sales.
	Cases []string  `json:"cases"`
	Deals []Ref     `json:"deals,omitempty"`
	At    time.Time `json:"at"`
	// Acknowledge and Plan are until when a person has to have seen it, and to have a plan;
	// Acknowledged and Planned are when that was.
	Acknowledge  time.Time `json:"acknowledge_due"`
	Plan         time.Time `json:"plan_due"`
	Acknowledged time.Time `json:"acknowledged_at,omitzero"`
	Planned      time.Time `json:"planned_at,omitzero"`
	Owner        string    `json:"owner,omitempty"` // who acknowledged
	// Solution is the plan, in words for staff.
	Solution string `json:"solution,omitempty"`
	// Evidence is what speaks for whom, oldest first.
	Evidence []Evidence `json:"evidence,omitempty"`
	// Proposed is a resolution that waits for a second person.
	Proposed Proposal `json:"proposed,omitzero"`
	// Resolved is when and by whom it was ended, Winner the case that has the account then ("" if
	// none has), Rationale why.
	Resolved  time.Time `json:"resolved_at,omitzero"`
	By        string    `json:"by,omitempty"`
	Winner    string    `json:"winner,omitempty"`
	Rationale string    `json:"rationale,omitempty"`

	told bool // staff were told of it in this transaction
}

// Proposal is the first half of a resolution that takes two persons.
type Proposal struct {
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Winner string    `json:"winner,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// Evidence is one entry of a timeline.
type Evidence struct {
	At   time.Time    `json:"at"`
	Case string       `json:"case,omitempty"`
	Kind EvidenceKind `json:"kind"`
	// Words are for staff.
	Words string `json:"words,omitempty"`
}

// EvidenceKind says what a piece of evidence is.
type EvidenceKind string

// The kinds of evidence.
const (
	EvidenceClaim   EvidenceKind = "claim"
	EvidenceIntro   EvidenceKind = "intro"
	EvidenceMeeting EvidenceKind = "meeting"
	EvidenceDeal    EvidenceKind = "deal"
	EvidenceLetter  EvidenceKind = "customer_letter" // the customer says whom they want
	EvidenceWords   EvidenceKind = "words"           // what a partner wrote
)

// EvidenceKinds is the full set.
func EvidenceKinds() []EvidenceKind {
	return []EvidenceKind{EvidenceClaim, EvidenceIntro, EvidenceMeeting, EvidenceDeal, EvidenceLetter, EvidenceWords}
}

// ConflictType says between whom a conflict is.
type ConflictType string

// The types of conflict.
const (
	ConflictHorizontal   ConflictType = "horizontal"    // between partners
	ConflictVertical     ConflictType = "vertical"      // with direct sales
	ConflictMultiChannel ConflictType = "multi_channel" // both
)
