package intake

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Sink takes submissions from channels.
//
// Accept returns nil only once the submission is durable: a channel acknowledges its
// source after nil and never before. It may be called from many goroutines at once, and
// again with the same submission after any error: a known Key or Content returns the first
// Receipt, with Known set, and that answer too stands behind a write commit.
//
// SetAside keeps, for staff, what is no registration (a robot's mail, an unreadable
// message), under the same promise. Nothing that reached a channel is ever dropped.
//
// Keep stores a payload of any size durably and returns a reference to it, without holding
// more than a small part in memory. It is called before Accept or SetAside; a payload that
// no submission refers to is harmless.
type Sink interface {
	Accept(context.Context, Submission) (Receipt, error)
	SetAside(context.Context, Aside) (Receipt, error)
	Keep(context.Context, io.Reader) (Raw, error)
}

// Submission is what a channel read from one thing that a person sent. It is stored as it
// is and never changed.
type Submission struct {
	// Key identifies the delivery at its source and is the same in every redelivery:
	// for IMAP account, folder, UIDVALIDITY and UID.
	Key string `json:"key"`
	// Content is a fingerprint of what the sender wrote, free of transport traces, or
	// empty. The same content from the same sender within 30 days is the same submission,
	// unless it is Deliberate and came after its case had come to an end.
	Content string `json:"content,omitempty"`
	// MessageID is what the sender's program calls the message, if the channel has such names;
	// no two should have the same one.
	MessageID string `json:"message_id,omitempty"`
	// Deliberate says that a repeat of Content can only be a person sending again, not a
	// redelivery by a machine, so that the person is answered again, or begins anew what is over.
	Deliberate bool `json:"deliberate,omitempty"`
	// Told says that the channel itself tells the sender at once what a repeat came to: no
	// message does.
	Told    bool   `json:"told,omitempty"`
	Channel string `json:"channel"`
	Sender  Sender `json:"sender"`
	// Reply is where the answer goes.
	Reply Route `json:"reply"`
	// ReceivedAt is the claim time: a clock that we or our server own, never the sender's.
	ReceivedAt time.Time `json:"received_at"`
	Lead       Lead      `json:"lead,omitempty"`
	// Inline says that Lead was found inside what the person quoted of our question. It can
	// only answer that question.
	Inline bool `json:"inline,omitempty"`
	// Evidence holds, per field, the words that the value was read from; Reader is the version
	// of what read them.
	Evidence map[Field]string `json:"evidence,omitempty"`
	Reader   string           `json:"reader,omitempty"`
	// Unclear holds what was given for fields that no value could be read from.
	Unclear map[Field]string `json:"unclear,omitempty"`
	// Weak lists the fields that were read out of running text. They fill what is empty and
	// answer what was asked for; nothing that is known gives way to them.
	Weak []Field `json:"weak,omitempty"`
	// Problems are what the channel could not make one value of, though it was given.
	Problems []Problem `json:"problems,omitempty"`
	// Batch ties together what came together and is answered by one message; zero for what
	// came alone.
	Batch Batch `json:"batch,omitzero"`
	// Agrees says that the text is a plain yes.
	Agrees bool `json:"agrees,omitempty"`
	// Commands are what the sender asks for in a word, like STATUS.
	Commands []Command `json:"commands,omitempty"`
	// Meetings are invitations that came along: evidence of a next step.
	Meetings []Meeting `json:"meetings,omitempty"`
	// Mute says why nothing may be answered by itself, in words for staff; empty if it may.
	// What people decide is still sent.
	Mute string `json:"mute,omitempty"`
	// Note is what staff should know of how it was read, in words; empty if nothing.
	Note string `json:"note,omitempty"`
	// Partner is who speaks, where staff or a signed link say so; empty to go by the sender's
	// address. It counts only with StrengthVerified and above.
	Partner string `json:"partner,omitempty"`
	// Typed says that the sender's address was typed into a form. It proves nothing; whoever
	// reads what is sent there is asked at once to confirm.
	Typed bool `json:"typed,omitempty"`
	// NotALead says that the channel is sure that nobody meant to register anything.
	NotALead bool `json:"not_a_lead,omitempty"`
	// Case is the number of the case that this continues, proven by a token that only our
	// own answer carried. CaseHint is one that anybody could have typed: it counts only
	// if the sender is of the same partner.
	Case     string `json:"case,omitempty"`
	CaseHint string `json:"case_hint,omitempty"`
	// About is CaseHint as it was written, where the sender wrote it before these very lines:
	// they are about that case or about none.
	About string `json:"about,omitempty"`
	// Answers is the Message.ID of our message about several cases, or none, that this proves
	// to answer.
	Answers string `json:"answers,omitempty"`
	// Reference is what the sender's own programs call it.
	Reference string `json:"reference,omitempty"`
	// Text is what the person wrote this time, without quotations, for staff to read.
	Text string `json:"text,omitempty"`
	// Subject is a short title where the channel has one.
	Subject string `json:"subject,omitempty"`
	Raw     Raw    `json:"raw,omitzero"`
	// Payload is what came, where it is small enough to be kept in the same write, in the place
	// of a call of Keep: MaxPayload bytes. Raw then needs its Media alone.
	Payload []byte `json:"-"`
	// Admission is asked in the same write, unless the submission was accepted before. Accept
	// then returns ErrSpent or a *LimitError.
	Admission Admission `json:"-"`
}

// MaxPayload is the most that Submission.Payload can have.
const MaxPayload = rawPart

// Batch ties together the submissions of one mail or file.
type Batch struct {
	// ID is the same for all of them and in every redelivery.
	ID string `json:"id,omitempty"`
	// Size is how many they are.
	Size int `json:"size,omitempty"`
	// Faults are the rows from which no submission came.
	Faults []RowFault `json:"faults,omitempty"`
}

// RowFault is a row of a table that can't be registered.
type RowFault struct {
	// Row counts from 1 as a spreadsheet shows it, the header row included.
	Row int `json:"row"`
	// Case is a case number in the place of a row, as it was typed.
	Case    string  `json:"case,omitempty"`
	Problem Problem `json:"problem"`
}

// Verb is what a command asks for.
type Verb string

// The verbs of partners.
const (
	VerbStatus   Verb = "status"
	VerbWithdraw Verb = "withdraw"
	VerbExtend   Verb = "extend"
	VerbAppeal   Verb = "appeal"
	VerbHelp     Verb = "help"
	// VerbRules asks for the rules of the programme, VerbAgree acknowledges a version of them.
	VerbRules Verb = "rules"
	VerbAgree Verb = "agree"
	// VerbDigest switches the weekly digest off or on for who wrote, as its words say.
	VerbDigest Verb = "digest"
)

// Verbs is the full set.
func Verbs() []Verb {
	return []Verb{VerbStatus, VerbWithdraw, VerbExtend, VerbAppeal, VerbHelp, VerbRules, VerbAgree, VerbDigest}
}

// The words with VerbDigest.
const (
	DigestOff = "off"
	DigestOn  = "on"
)

// Command is what a partner asks for in a word. Case is the number that was written, empty if
// the thread has to tell; Words are what was written after it: a reason.
type Command struct {
	Verb  Verb   `json:"verb"`
	Case  string `json:"case,omitempty"`
	Words string `json:"words,omitempty"`
}

// Meeting is an invitation to a meeting, or a change or an answer to one (RFC 5546).
type Meeting struct {
	UID    string `json:"uid,omitempty"`
	Method string `json:"method"` // REQUEST, REPLY, CANCEL …; upper case
	Title  string `json:"title,omitempty"`
	// Start is in UTC; zero if the invitation does not tell.
	Start     time.Time `json:"start,omitzero"`
	Organizer string    `json:"organizer,omitempty"` // address
	Attendees []string  `json:"attendees,omitempty"` // addresses
}

// Strength says how well it is proven that a submission comes from its sender. Only
// StrengthDomain and above make a claim that can block others.
type Strength string

// The strengths, weakest first.
const (
	StrengthUnverified Strength = "unverified"
	StrengthDomain     Strength = "domain_auth"
	StrengthVerified   Strength = "verified"
	StrengthOperator   Strength = "operator"
)

// Strengths is the full set, weakest first.
func Strengths() []Strength {
	return []Strength{StrengthUnverified, StrengthDomain, StrengthVerified, StrengthOperator}
}

// Proven reports whether a claim of this strength counts against others.
func (s Strength) Proven() bool {
	return s == StrengthDomain || s == StrengthVerified || s == StrengthOperator
}

// Sender is the person who submitted, as far as the channel can tell.
type Sender struct {
	// Address is the e-mail address, or what the channel has in place of one.
	Address  string   `json:"address"`
	Name     string   `json:"name,omitempty"`
	Strength Strength `json:"strength"`
	// How names the evidence for Strength, for staff: "dmarc=pass by mx.example".
	How string `json:"how,omitempty"`
}

// Route says how to reach a person: through which channel, at which address there, and in
// which thread. Thread belongs to the channel and is opaque here.
type Route struct {
	Channel string          `json:"channel"`
	Address string          `json:"address"`
	Thread  json.RawMessage `json:"thread,omitempty"`
}

// Raw refers to the payload as it came, stored under its SHA-256 (hex).
type Raw struct {
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Media  string `json:"media,omitempty"`
}

// Receipt is what a channel may tell its source at once.
type Receipt struct {
	// Case is the case number, or empty if the submission was set aside.
	Case   string `json:"case,omitempty"`
	Status Status `json:"status,omitempty"`
	// Known says that this submission, or its content, had been accepted before.
	Known bool `json:"known,omitempty"`
	// Aside is the id under which staff find what was set aside.
	Aside string `json:"aside,omitempty"`
}

// AsideReason says why something was set aside.
type AsideReason string

// The reasons to set something aside.
const (
	AsideUnreadable     AsideReason = "unreadable"
	AsideRobot          AsideReason = "automatic"
	AsideBounce         AsideReason = "bounce"
	AsideOwn            AsideReason = "own_message"
	AsideTooLarge       AsideReason = "too_large"
	AsideNoLead         AsideReason = "no_lead_from_stranger"
	AsideForeignThread  AsideReason = "stranger_in_thread"
	AsideAmbiguousFrom  AsideReason = "ambiguous_sender"
	AsideRepeatedFailed AsideReason = "failed_repeatedly"
	AsideNotALead       AsideReason = "not_a_lead"
	AsideSealed         AsideReason = "sealed"
	AsideComplaint      AsideReason = "complaint"
	AsideCommand        AsideReason = "command"
)

// AsideReasons is the full set.
func AsideReasons() []AsideReason {
	return []AsideReason{
		AsideUnreadable, AsideRobot, AsideBounce, AsideOwn, AsideTooLarge,
		AsideNoLead, AsideForeignThread, AsideAmbiguousFrom, AsideRepeatedFailed,
		AsideNotALead, AsideSealed, AsideComplaint, AsideCommand,
	}
}

// Notice is what a proven partner may be told about mail that could not be taken as a
// registration.
type Notice string

// The notices. Each is sent to an address at most once a week.
const (
	NoticeNone     Notice = ""
	NoticeTooLarge Notice = "too_large"
	NoticeSealed   Notice = "sealed"  // encrypted
	NoticeWinmail  Notice = "winmail" // only a winmail.dat
	NoticeNoLead   Notice = "no_lead" // nothing that we could read as a registration
	// NoticeUnprovenList is of a list that is read only if its sender is proven. It goes to whoever
	// is written to at an address of a partner's, proven or not.
	NoticeUnprovenList Notice = "unproven_list"
)

// Notices is the full set.
func Notices() []Notice {
	return []Notice{NoticeTooLarge, NoticeSealed, NoticeWinmail, NoticeNoLead, NoticeUnprovenList}
}

// Delivery is what a report says about one of our messages.
type Delivery struct {
	// Message is the Message.ID, "" if the report does not prove to know one of ours.
	Message   string `json:"message,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	// Failed says that the message will not arrive; without it, it was delayed or the report
	// is only a receipt.
	Failed bool   `json:"failed,omitempty"`
	Status string `json:"status,omitempty"` // "5.1.1", RFC 3463
	Detail string `json:"detail,omitempty"`
	// Complaint says that the recipient called our mail unwanted.
	Complaint bool `json:"complaint,omitempty"`
	// Away says that a machine answered for its reader, who is on holiday or the like.
	Away bool `json:"away,omitempty"`
}

// Aside is something that reached a channel and is no registration. It is kept for staff
// with its raw payload. It is not answered, but for a Notice to a proven partner.
type Aside struct {
	// ID is given by Sink.SetAside.
	ID string `json:"id"`
	// Key identifies the delivery as in Submission; a known Key returns the first receipt.
	Key     string      `json:"key"`
	Channel string      `json:"channel"`
	Reason  AsideReason `json:"reason"`
	// Detail says what was found, in words for staff, without the message's text.
	Detail     string    `json:"detail,omitempty"`
	From       string    `json:"from,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	ReceivedAt time.Time `json:"received_at"`
	Raw        Raw       `json:"raw,omitzero"`
	// Sender and Reply are set where Notice is.
	Sender Sender `json:"sender,omitzero"`
	Reply  Route  `json:"reply,omitzero"`
	Notice Notice `json:"notice,omitempty"`
	// Delivery is what the message reports about one of ours; nil if it is no report.
	Delivery *Delivery `json:"delivery,omitempty"`
	// Closed is what staff did with it; zero while nobody has.
	Closed Closed `json:"closed,omitzero"`
}

// Closed says who saw to what was set aside. Case is the first case that came of it, empty if
// it was discarded.
type Closed struct {
	By   string    `json:"by,omitempty"`
	At   time.Time `json:"at,omitzero"`
	Case string    `json:"case,omitempty"`
}
