package crmtest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"leadgate/intake"
)

// Reporter is what a check reports to. Every *testing.T is one.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
	// Fatalf reports and ends the check.
	Fatalf(format string, args ...any)
	Cleanup(func())
}

var _ Reporter = (*testing.T)(nil)

// Harness makes the systems that the checks run against.
type Harness struct {
	// New returns a connector with an empty remote side of its own. It is called once or
	// more for each check.
	New func(Reporter) System
	// Impatient returns a system whose connector waits for an answer for 50 ms or so, that of
	// New one that waits long, so that a slow machine fails no other check. It is needed
	// where there is a Server.
	Impatient func(Reporter) System
	// Without lists the faults that the remote side cannot have.
	Without []Fault
	// Only limits the lead fields that are compared, for a remote side that keeps fewer;
	// empty means all.
	Only []intake.Field
	// Stages are two or more open stages, as People set them and as the feed tells them; fewer
	// if the remote side has none to choose from.
	Stages []string

	patience time.Duration // for what must happen at once; 10 s if not set
}

// System is a connector and a view of its remote side.
type System struct {
	CRM intake.CRM
	// Server is in front of the remote side; nil if there is no network.
	Server *Server
	// Secrets are strings that no error may hold.
	Secrets []string
	// Records returns what the remote side holds of cases, in any order, as read there and not
	// by way of the connector.
	Records func() ([]Stored, error)
	// Again returns another connector to the same remote side, with nothing in its memory, as
	// after a crash; nil if a connector has none to lose.
	Again func() intake.CRM
	// People is what people do on the remote side; nil if nobody works there.
	People People
	// Notes returns how many notes the remote side holds for a case.
	Notes func(caseNumber string) (int, error)
	// Writes returns how many requests that write the remote side has taken; nil if it does not
	// count them.
	Writes func() int
	// Refuse has the remote side refuse to make records from now on, as one does that requires a
	// field that nobody fills, and returns how it calls that field; nil if it cannot.
	Refuse func() (field string)
}

// People is what somebody who works in the CRM does and sees there, past the connector.
type People interface {
	// Company makes a company by hand, and Deal an open deal of such a company. They return ids.
	Company(name, domain string) (id string, err error)
	Deal(company, name string) (id string, err error)
	// Set changes a field of the record of a case, and Get reads one; "" is empty. A remote side
	// that has no such field, or can't have it empty, returns ErrNoField.
	Set(caseNumber string, f PeopleField, value string) error
	Get(caseNumber string, f PeopleField) (string, error)
	// Count returns how many companies, contacts and deals there are, by hand or not.
	Count() (companies, contacts, deals int, err error)
}

// ErrNoField is what People return for a field that there is not.
var ErrNoField = errors.New("the remote side has no such field")

// PeopleField is a field that people see.
type PeopleField string

// The fields. Outcome takes intake.DealOpen, DealWon and DealLost, and gives ErrNoField for a step
// that the remote side does not have. CloseDate is YYYY-MM-DD, Amount a number of the remote
// side's own currency or "", Stage one of Harness.Stages, Owner a name: there is, or comes to be,
// somebody who is called so.
const (
	PeopleCompanyName PeopleField = "company name"
	PeopleDealName    PeopleField = "deal name"
	PeopleOwner       PeopleField = "owner"
	PeopleStage       PeopleField = "stage"
	PeopleOutcome     PeopleField = "outcome"
	PeopleAmount      PeopleField = "amount"
	PeopleCloseDate   PeopleField = "close date"
	PeopleNextStep    PeopleField = "next step"
)

// Stored is a record of the remote side.
type Stored struct {
	Case     string
	Revision int
	Status   intake.Status
	Lead     intake.Lead
}

// Run runs every check as a subtest.
func Run(t *testing.T, h Harness) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) { c.run(t, h) })
	}
}

// check is one promise of a connector.
type check struct {
	name string
	run  func(Reporter, Harness)
}

func (h Harness) wait() time.Duration {
	if h.patience > 0 {
		return h.patience
	}
	return 10 * time.Second
}

func (h Harness) faults() []Fault {
	return slices.DeleteFunc(Faults(), func(f Fault) bool { return slices.Contains(h.Without, f) })
}

func (h Harness) fields() []intake.Field {
	if len(h.Only) > 0 {
		return h.Only
	}
	return intake.Fields()
}
