package intake

import (
	"context"
	"encoding/json"
	"time"
)

// MessageKind says what a partner is told.
type MessageKind string

// The kinds of messages to partners.
const (
	MessageReceived   MessageKind = "received"   // in review, with what was understood
	MessageNeedsInfo  MessageKind = "needs_info" // what is missing or was asked
	MessageCompleted  MessageKind = "completed"  // in review, after the partner's own answer
	MessageApproved   MessageKind = "approved"
	MessageDeclined   MessageKind = "declined"
	MessageWaitlisted MessageKind = "waitlisted"
	MessageKnown      MessageKind = "known"     // we have it already: the case and its state
	MessageStatus     MessageKind = "status"    // the state, for who asked for it
	MessageChanged    MessageKind = "changed"   // a correction was applied: the new values
	MessageRequested  MessageKind = "requested" // what staff were asked for, and what holds meanwhile
	MessageExtended   MessageKind = "extended"  // the hold ends later than it was told
	MessageExpired    MessageKind = "expired"
	MessageClosed     MessageKind = "closed" // what was asked for did not come in time
	MessageWithdrawn  MessageKind = "withdrawn"
	MessageSummary    MessageKind = "summary"  // several cases in one message
	MessageImported   MessageKind = "imported" // what became of a file of rows
	MessageNotice     MessageKind = "notice"   // about mail that is no registration
	MessageHelp       MessageKind = "help"     // what can be written to us
	MessageConfirm    MessageKind = "confirm"  // whether a mail really came from there

	MessageAnswerReminder MessageKind = "answer_reminder" // the question is still open
	MessageLate           MessageKind = "late"            // we did not decide in time; nothing is lost by it
	MessageStepReminder   MessageKind = "step_reminder"   // the hold ends unless a next step is shown
	MessageProtected      MessageKind = "protected"       // the next step was seen, the window runs
	MessageLocked         MessageKind = "locked"          // the first meeting was held, no end for now
	MessageWindowReminder MessageKind = "window_reminder" // the window ends soon
	MessageNotExtended    MessageKind = "not_extended"    // no longer window, and why
	MessageIdle           MessageKind = "idle"            // nothing was heard; is it still on?
	MessageWon            MessageKind = "won"
	MessageLost           MessageKind = "lost"
	MessageReopened       MessageKind = "reopened"
	MessageDeal           MessageKind = "deal"           // sales have somebody else on it, or are at another stage
	MessageAppealDecided  MessageKind = "appeal_decided" // what came of the appeal
	MessageConflict       MessageKind = "conflict"       // it is being checked with another source
	MessageRevoked        MessageKind = "revoked"
	MessageElevated       MessageKind = "elevated" // the lead is a deal now
	MessageTurn           MessageKind = "turn"     // the account is free, you are next
	MessageOffboarding    MessageKind = "offboarding"
	MessageRules          MessageKind = "rules"     // the rules of the programme
	MessageGiven          MessageKind = "given"     // a case of another partner is theirs now
	MessagePassedOn       MessageKind = "passed_on" // a case is another partner's now

	MessageDigest    MessageKind = "digest"     // a person's own cases, once a week
	MessageDigestOff MessageKind = "digest_off" // it comes no more
	MessageDigestOn  MessageKind = "digest_on"  // it comes again
)

// The kinds of messages to staff. They have a Brief.
const (
	StaffQueued    MessageKind = "staff_queued"    // a case to decide
	StaffNextStep  MessageKind = "staff_next_step" // an approved case for sales to take on
	StaffDecision  MessageKind = "staff_decision"  // a decision is due, or late
	StaffIdle      MessageKind = "staff_idle"      // nothing has happened for long
	StaffConflict  MessageKind = "staff_conflict"  // a dispute, or a deadline of one
	StaffRequest   MessageKind = "staff_request"   // a partner asks for an extension, or appeals
	StaffTrouble   MessageKind = "staff_trouble"   // an answer or a push was given up
	StaffCRM       MessageKind = "staff_crm"       // something is to be seen to in a CRM
	StaffConfirmBy MessageKind = "staff_second"    // a decision waits for a second person
	StaffDigest    MessageKind = "staff_digest"    // the week
	StaffOutage    MessageKind = "staff_outage"    // a way in does not work, or works again
	StaffRenewals  MessageKind = "staff_renewals"  // contracts that end soon and nobody has confirmed
	StaffProbe     MessageKind = "staff_probe"     // a partner seems to search for what others have
)

// StaffKinds is the full set of the kinds of messages to staff.
func StaffKinds() []MessageKind {
	return []MessageKind{
		StaffQueued, StaffNextStep, StaffDecision, StaffIdle, StaffConflict,
		StaffRequest, StaffTrouble, StaffCRM, StaffConfirmBy, StaffDigest,
		StaffOutage, StaffRenewals, StaffProbe,
	}
}

// MessageKinds is the full set.
func MessageKinds() []MessageKind {
	return []MessageKind{
		MessageReceived, MessageNeedsInfo, MessageCompleted, MessageApproved, MessageDeclined,
		MessageWaitlisted, MessageKnown, MessageStatus, MessageChanged, MessageRequested, MessageExtended, MessageExpired, MessageClosed,
		MessageWithdrawn, MessageSummary, MessageImported, MessageNotice, MessageHelp, MessageConfirm,
		MessageAnswerReminder, MessageLate, MessageStepReminder, MessageProtected, MessageLocked,
		MessageWindowReminder, MessageNotExtended, MessageIdle, MessageWon, MessageLost,
		MessageReopened, MessageDeal, MessageAppealDecided, MessageConflict, MessageRevoked, MessageElevated,
		MessageTurn, MessageOffboarding, MessageRules, MessageGiven, MessagePassedOn,
		MessageDigest, MessageDigestOff, MessageDigestOn,
	}
}

// Message is an answer to a partner. It holds nothing that is not the partner's own.
type Message struct {
	// ID is the same in every attempt and unique for each message of a case: "<case>.<n>".
	ID   string      `json:"id"`
	Kind MessageKind `json:"kind"`
	To   Route       `json:"to"`
	// Facts are about the case; in a message about none or several, only about the programme.
	Facts Facts `json:"facts"`
	// Cases are what a summary tells of, Faults the rows that came to no case.
	Cases  []Facts    `json:"cases,omitempty"`
	Faults []RowFault `json:"faults,omitempty"`
	// Week is what a digest tells; nil in all else.
	Week *Week `json:"week,omitempty"`
	// Import is the file of rows that a message is about; nil in all else.
	Import *ImportFacts `json:"import,omitempty"`
	// Request is what was asked for, Changed the fields that have new values now.
	Request Verb    `json:"request,omitempty"`
	Changed []Field `json:"changed,omitempty"`
	// Brief is what a message to staff says; nil in one to a partner.
	Brief *Brief `json:"brief,omitempty"`
	// Notice says what was wrong with the mail that a notice is about.
	Notice Notice `json:"notice,omitempty"`
	// Due is put in the place of Facts.Due where the message is about a promise of its own.
	Due time.Time `json:"due,omitzero"`
	// Unprompted says that nothing the partner just sent is being answered: a timer or a
	// person caused the message.
	Unprompted bool `json:"unprompted,omitempty"`
	// At is when the message came to be; a mail is dated so.
	At time.Time `json:"at"`
}

// Facts is all that a message may say. Adding a field here is a decision about disclosure.
type Facts struct {
	Case    string `json:"case"`
	Program string `json:"program"` // the vendor's name
	// Company is the prospect as this partner typed it.
	Company string      `json:"company,omitempty"`
	Status  Status      `json:"status"`
	Reason  Reason      `json:"reason,omitempty"`
	Fields  []FieldFact `json:"fields,omitempty"`
	Missing []Problem   `json:"missing,omitempty"`
	// Question is in the vendor's own words.
	Question string `json:"question,omitempty"`
	// Note is a person's words to the partner on a decision.
	Note string `json:"note,omitempty"`
	// Due is when the vendor decides or the partner has to act, by Status.
	Due      time.Time `json:"due,omitzero"`
	Zone     string    `json:"zone"`           // IANA name, for showing times
	Until    time.Time `json:"until,omitzero"` // end of protection
	Received time.Time `json:"received"`
	Contact  Contact   `json:"contact"`
	Locale   string    `json:"locale,omitempty"`
	// Was is the state before, where the message is about a change of it.
	Was Status `json:"was,omitempty"`
	// Meeting is when the first meeting is or was.
	Meeting time.Time `json:"meeting,omitzero"`
	// Deal is what sales say of it.
	Deal DealFacts `json:"deal,omitzero"`
	// AppealBy is until when the decision can be contested; zero if it can't.
	AppealBy time.Time `json:"appeal_by,omitzero"`
	// Extensions is how often the hold can still be prolonged, Days by how many days at most.
	Extensions int `json:"extensions,omitempty"`
	Days       int `json:"days,omitempty"`
	// Related is the number of another case of the same partner: the one that this was merged
	// into, or the deal that came of this lead.
	Related string `json:"related,omitempty"`
	// Percent is the partner's share in a deal that was won; 0 if nothing was agreed.
	Percent int `json:"percent,omitempty"`
	// StatusLink is the page of the case, RulesLink that of the programme's rules; "" without
	// pages.
	StatusLink string `json:"status_link,omitempty"`
	RulesLink  string `json:"rules_link,omitempty"`
	// ConfirmLink is the page on which an unproven sender confirms; "" without pages. Typed says
	// that his address was typed into a form.
	ConfirmLink string `json:"confirm_link,omitempty"`
	Typed       bool   `json:"typed,omitempty"`
	// Receipt is the signed receipt, as text; "" where none is given.
	Receipt string `json:"receipt,omitempty"`
	// Weekly says that the programme tells its partners of their cases once a week.
	Weekly bool `json:"weekly,omitempty"`
	// Rules are the rules of the programme, in a message about them.
	Rules *Published `json:"rules,omitempty"`
}

// Brief is what staff are told. It goes to staff alone and may name anybody.
type Brief struct {
	// Partner is the partner's name, PartnerID its id.
	Partner   string `json:"partner,omitempty"`
	PartnerID string `json:"partner_id,omitempty"`
	// Registration is the case; nil if it is about none.
	Registration *Registration `json:"registration,omitempty"`
	Conflict     *Conflict     `json:"conflict,omitempty"`
	// Said are the words of the partner that it is about: an answer, a reason; Proposed is who
	// has decided the first half of what two persons decide.
	Said     string `json:"said,omitempty"`
	Proposed string `json:"proposed,omitempty"`
	// Why says in words what happened; Percent is how much of the time for a decision is gone.
	Why     string    `json:"why,omitempty"`
	Percent int       `json:"percent,omitempty"`
	Due     time.Time `json:"due,omitzero"`
	// Links open a page on which the person confirms what he chose.
	Links []BriefLink `json:"links,omitempty"`
	// Digest are the numbers of the week, in their order. Gathered says that they are not: they
	// count what was too much to be told one by one, or with Import what came with that file.
	Digest   []DigestLine `json:"digest,omitempty"`
	Gathered bool         `json:"gathered,omitempty"`
	Import   *ImportFacts `json:"import,omitempty"`
	// Outage, Renewals and Probe are what alerts of their kinds are about.
	Outage   *Outage   `json:"outage,omitempty"`
	Renewals []Renewal `json:"renewals,omitempty"`
	Probe    *Probe    `json:"probe,omitempty"`
}

// BriefLink is one thing that staff can do.
type BriefLink struct {
	Act StaffAct `json:"act"`
	URL string   `json:"url"`
}

// DigestLine is one number of a digest, and the cases that it counts.
type DigestLine struct {
	// Name is a key for words, one of DigestNames or DigestApproved.
	Name  string   `json:"name"`
	Count int      `json:"count"`
	Cases []string `json:"cases,omitempty"`
}

// The names of the lines of a digest.
const (
	DigestPending     = "pending"     // in review
	DigestLate        = "late"        // a promise of a decision was not kept
	DigestExpiring    = "expiring"    // the hold ends soon
	DigestConflicts   = "conflicts"   // part of an open conflict
	DigestIdle        = "idle"        // nothing has happened for long
	DigestDuplicates  = "duplicates"  // in review, and may be about the account of another
	DigestUndelivered = "undelivered" // something about it did not arrive
	DigestWaiting     = "waiting"     // for an answer of the partner
	// DigestApproved is of no week: approved, and to be taken on.
	DigestApproved = "approved"
)

// DigestNames is the full set of a week, in its order.
func DigestNames() []string {
	return []string{
		DigestPending, DigestLate, DigestExpiring, DigestConflicts, DigestIdle, DigestDuplicates,
		DigestUndelivered, DigestWaiting,
	}
}

// StaffAct is what staff can do about a case through a link.
type StaffAct string

// The acts.
const (
	ActApprove   StaffAct = "approve"
	ActDecline   StaffAct = "decline"
	ActAsk       StaffAct = "ask"
	ActWaitlist  StaffAct = "waitlist"
	ActExtend    StaffAct = "extend"
	ActRefuse    StaffAct = "refuse_extension"
	ActSeen      StaffAct = "seen"
	ActRevoke    StaffAct = "revoke"
	ActRelease   StaffAct = "release"
	ActProgress  StaffAct = "progress"
	ActAckAppeal StaffAct = "acknowledge"
)

// StaffActs is the full set.
func StaffActs() []StaffAct {
	return []StaffAct{
		ActApprove, ActDecline, ActAsk, ActWaitlist, ActExtend, ActRefuse, ActSeen, ActRevoke,
		ActRelease, ActProgress, ActAckAppeal,
	}
}

// FieldFact is a field as it was understood, and the words that it was read from.
type FieldFact struct {
	Field Field  `json:"field"`
	Value string `json:"value"`
	Words string `json:"words,omitempty"`
}

// Replier delivers messages through one channel.
type Replier interface {
	// Reply delivers m and returns the thread to use from now on. It may be called again
	// with the same m after an error or a crash, and then produces the identical message.
	Reply(ctx context.Context, m Message) (json.RawMessage, error)
}
