package intake

import (
	"fmt"
	"slices"
	"strings"
)

// Status is the state of a registration.
type Status string

// The states of a registration.
const (
	// StatusQuarantined: the partner is unknown or the sender unproven. Blocks nobody.
	StatusQuarantined Status = "quarantined"
	// StatusSubmitted: stored, the checks are running (seconds).
	StatusSubmitted Status = "submitted"
	// StatusNeedsInfo: the partner was asked for something; the decision clock is paused.
	StatusNeedsInfo Status = "needs_info"
	// StatusInReview: a person decides.
	StatusInReview Status = "in_review"
	// StatusProvisional: approved; held until the next step is due.
	StatusProvisional Status = "approved_provisional"
	// StatusProtected: approved; the next step was seen, the full window runs.
	StatusProtected Status = "approved_protected"
	// StatusLocked: approved; a first meeting was held, expiry is suspended.
	StatusLocked Status = "locked"
	// StatusDeclined: decided against.
	StatusDeclined Status = "declined"
	// StatusWaitlisted: blocked only by another active protection.
	StatusWaitlisted Status = "waitlisted"
	// StatusExpired: the window or the time for the next step ended.
	StatusExpired Status = "expired"
	// StatusWon and StatusLost: the deal closed in the CRM.
	StatusWon  Status = "won"
	StatusLost Status = "lost"
	// StatusAppeal: the partner contests a decision.
	StatusAppeal Status = "appeal"
	// StatusWithdrawn, StatusMerged and StatusErased are final.
	StatusWithdrawn Status = "withdrawn"
	StatusMerged    Status = "merged"
	StatusErased    Status = "erased"
)

// Statuses is the full set.
func Statuses() []Status {
	return []Status{
		StatusQuarantined, StatusSubmitted, StatusNeedsInfo, StatusInReview,
		StatusProvisional, StatusProtected, StatusLocked,
		StatusDeclined, StatusWaitlisted, StatusExpired, StatusWon, StatusLost,
		StatusAppeal, StatusWithdrawn, StatusMerged, StatusErased,
	}
}

// Holds reports whether a case in this state protects its account for its partner. At any
// instant at most one case of an account does.
func (s Status) Holds() bool {
	return s == StatusProvisional || s == StatusProtected || s == StatusLocked
}

// ends reports whether a hold in this state has an end.
func (s Status) ends() bool { return s == StatusProvisional || s == StatusProtected }

// Undecided reports whether a case in this state may still come to hold its account.
func (s Status) Undecided() bool {
	switch s {
	case StatusSubmitted, StatusNeedsInfo, StatusInReview, StatusAppeal:
		return true
	}
	return false
}

// Claims reports whether a case in this state stands in the way of others.
func (s Status) Claims() bool { return s.Holds() || s.Undecided() }

// Live reports whether the case can still change by itself or by staff: it is found by its
// account key, and its partner's further submissions about the account join it.
func (s Status) Live() bool {
	return s.Claims() || s == StatusWaitlisted || s == StatusQuarantined
}

// Trigger names what causes a transition.
type Trigger string

// The triggers.
const (
	TriggerSubmit     Trigger = "submit"      // a channel accepted a proven submission
	TriggerQuarantine Trigger = "quarantine"  // a channel accepted an unproven one
	TriggerConfirm    Trigger = "confirm"     // sender proven, or partner assigned by staff
	TriggerRules      Trigger = "rules"       // the policy's verdict
	TriggerReply      Trigger = "reply"       // the partner sent what was asked for
	TriggerStaff      Trigger = "staff"       // a person of the vendor
	TriggerTimer      Trigger = "timer"       // a deadline passed
	TriggerProgress   Trigger = "progress"    // a next step or a meeting was proven
	TriggerCRM        Trigger = "crm"         // the record changed in the CRM
	TriggerAppeal     Trigger = "appeal"      // the partner contests
	TriggerWithdraw   Trigger = "withdraw"    // the partner, or staff for the partner, gives up
	TriggerRelease    Trigger = "release"     // the holder's protection ended
	TriggerErase      Trigger = "erase"       // a privacy request
	TriggerOffboard   Trigger = "offboarding" // the partner leaves the programme
	TriggerElevate    Trigger = "elevate"     // the lead becomes a deal
)

// transitions is the one table of legal moves. The empty status is "not there yet".
var transitions = map[Status]map[Status][]Trigger{
	"": {
		StatusSubmitted:   {TriggerSubmit, TriggerElevate},
		StatusQuarantined: {TriggerQuarantine},
	},
	StatusQuarantined: {
		StatusSubmitted: {TriggerConfirm},
		StatusWithdrawn: {TriggerTimer, TriggerWithdraw, TriggerStaff},
		StatusErased:    {TriggerErase},
	},
	StatusSubmitted: {
		StatusMerged:      {TriggerRules},
		StatusNeedsInfo:   {TriggerRules},
		StatusInReview:    {TriggerRules},
		StatusProvisional: {TriggerRules},
		StatusProtected:   {TriggerRules},
		StatusLocked:      {TriggerRules},
		StatusDeclined:    {TriggerRules},
		StatusWaitlisted:  {TriggerRules},
		StatusWithdrawn:   {TriggerWithdraw, TriggerOffboard},
		StatusErased:      {TriggerErase},
	},
	StatusNeedsInfo: {
		StatusSubmitted: {TriggerReply, TriggerStaff},
		StatusInReview:  {TriggerReply},
		StatusDeclined:  {TriggerStaff},
		StatusWithdrawn: {TriggerTimer, TriggerWithdraw, TriggerOffboard},
		StatusErased:    {TriggerErase},
	},
	StatusInReview: {
		StatusProvisional: {TriggerStaff, TriggerRules, TriggerTimer},
		StatusProtected:   {TriggerStaff, TriggerRules, TriggerTimer},
		StatusLocked:      {TriggerStaff, TriggerRules, TriggerTimer},
		StatusDeclined:    {TriggerStaff, TriggerRules},
		StatusWaitlisted:  {TriggerStaff, TriggerRules},
		StatusNeedsInfo:   {TriggerStaff, TriggerRules},
		StatusMerged:      {TriggerRules},
		StatusWithdrawn:   {TriggerWithdraw, TriggerOffboard},
		StatusErased:      {TriggerErase},
	},
	StatusProvisional: {
		StatusProtected: {TriggerProgress},
		StatusLocked:    {TriggerProgress, TriggerElevate},
		StatusExpired:   {TriggerTimer, TriggerStaff, TriggerOffboard},
		StatusWon:       {TriggerCRM, TriggerStaff},
		StatusLost:      {TriggerCRM, TriggerStaff},
		StatusInReview:  {TriggerRules},
		StatusDeclined:  {TriggerStaff},
		StatusWithdrawn: {TriggerWithdraw},
		StatusErased:    {TriggerErase},
	},
	StatusProtected: {
		StatusLocked:    {TriggerProgress, TriggerTimer, TriggerElevate},
		StatusExpired:   {TriggerTimer, TriggerStaff, TriggerOffboard},
		StatusWon:       {TriggerCRM, TriggerStaff},
		StatusLost:      {TriggerCRM, TriggerStaff},
		StatusInReview:  {TriggerRules},
		StatusDeclined:  {TriggerStaff},
		StatusWithdrawn: {TriggerWithdraw},
		StatusErased:    {TriggerErase},
	},
	StatusLocked: {
		StatusWon:    {TriggerCRM, TriggerStaff},
		StatusLost:   {TriggerCRM, TriggerStaff},
		StatusMerged: {TriggerElevate},
		// The deal of a lead was refused: the lead is held as it was before.
		StatusProvisional: {TriggerElevate},
		StatusProtected:   {TriggerElevate},
		StatusExpired:     {TriggerStaff, TriggerOffboard},
		StatusInReview:    {TriggerRules},
		StatusDeclined:    {TriggerStaff},
		StatusWithdrawn:   {TriggerWithdraw},
		StatusErased:      {TriggerErase},
	},
	StatusWaitlisted: {
		StatusSubmitted:   {TriggerRelease, TriggerStaff, TriggerProgress, TriggerReply},
		StatusProvisional: {TriggerStaff},
		StatusProtected:   {TriggerStaff},
		StatusDeclined:    {TriggerStaff},
		StatusAppeal:      {TriggerAppeal},
		StatusWithdrawn:   {TriggerWithdraw, TriggerOffboard},
		StatusErased:      {TriggerErase},
	},
	StatusDeclined: {StatusAppeal: {TriggerAppeal}, StatusErased: {TriggerErase}},
	StatusExpired: {
		StatusAppeal: {TriggerAppeal},
		// More time was asked for before the end.
		StatusProvisional: {TriggerStaff},
		StatusProtected:   {TriggerStaff},
		StatusErased:      {TriggerErase},
	},
	StatusWon:  {StatusLocked: {TriggerCRM, TriggerStaff}, StatusErased: {TriggerErase}},
	StatusLost: {StatusLocked: {TriggerCRM, TriggerStaff}, StatusErased: {TriggerErase}},
	StatusAppeal: {
		StatusInReview:    {TriggerStaff},
		StatusProvisional: {TriggerStaff},
		StatusProtected:   {TriggerStaff},
		StatusLocked:      {TriggerStaff},
		StatusDeclined:    {TriggerStaff},
		StatusWaitlisted:  {TriggerStaff},
		StatusWithdrawn:   {TriggerWithdraw, TriggerOffboard},
		StatusErased:      {TriggerErase},
	},
	StatusWithdrawn: {StatusErased: {TriggerErase}},
	StatusMerged:    {StatusErased: {TriggerErase}},
	StatusErased:    {},
}

// CheckTransition returns nil if the table has the move, else an *IllegalTransition.
func CheckTransition(from, to Status, by Trigger) error {
	if slices.Contains(transitions[from][to], by) {
		return nil
	}
	var legal []Status
	for _, s := range Statuses() {
		if slices.Contains(transitions[from][s], by) {
			legal = append(legal, s)
		}
	}
	return &IllegalTransition{From: from, To: to, By: by, Legal: legal}
}

// IllegalTransition says that the table has no such move. Nothing was changed.
type IllegalTransition struct {
	From, To Status
	By       Trigger
	// Legal lists where the same trigger may lead from here.
	Legal []Status
}

func (e *IllegalTransition) Error() string {
	msg := fmt.Sprintf("a case that is %s cannot become %s by %s", e.From, e.To, e.By)
	if len(e.Legal) == 0 {
		return msg
	}
	names := make([]string, len(e.Legal))
	for i, s := range e.Legal {
		names[i] = string(s)
	}
	return msg + "; possible: " + strings.Join(names, ", ")
}
