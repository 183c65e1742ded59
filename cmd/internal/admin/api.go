// Package admin is how the command line talks to a gateway: JSON over HTTP on a unix socket
// in the data directory that only its owner may open. Without a running gateway the same
// handler serves the command itself, over the store opened for the purpose.
package admin

import (
	"fmt"
	"time"

	"leadgate/intake"
)

// CaseSummary is a case in a list.
type CaseSummary struct {
	CaseNumber    string        `json:"case_number"`
	Status        intake.Status `json:"status"`
	Reason        intake.Reason `json:"reason,omitempty"`
	CompanyName   string        `json:"company_name"`
	CompanyDomain string        `json:"company_domain"`
	Partner       string        `json:"partner"`
	Submitter     string        `json:"submitter"`
	Channel       string        `json:"channel"`
	// Pending says what a further person has to do.
	Pending     string     `json:"pending,omitempty"`
	ClaimTime   time.Time  `json:"claim_time"`
	DecisionDue *time.Time `json:"decision_due,omitempty"`
	ProtectedTo *time.Time `json:"protected_until,omitempty"`
	// Unread counts messages of the partner that nobody has seen to.
	Unread int `json:"unread,omitempty"`
	// Requests are what the partner asked for and staff have not acted on yet.
	Requests []intake.Verb `json:"requests,omitempty"`
	// Advice is what the policy recommends to who decides.
	Advice intake.Outcome `json:"advice,omitempty"`
	// Answers says where the answers go, after a decision about whose the case is.
	Answers string `json:"answers,omitempty"`
}

// answers says where the answers about r go.
func answers(r intake.Registration) string {
	if r.Reply.Address == "" {
		return "nobody is answered: it came from where no answer can go"
	}
	to := fmt.Sprintf("answers go to %s (%s)", r.Reply.Address, r.Reply.Channel)
	if r.Mute != "" {
		to += ", but only of what people decide: " + r.Mute
	}
	return to
}

func summary(r intake.Registration) CaseSummary {
	s := CaseSummary{
		CaseNumber: r.Number, Status: r.Status, Reason: r.Reason,
		CompanyName: r.Lead[intake.FieldCompanyName], CompanyDomain: r.Lead[intake.FieldCompanyDomain],
		Partner: r.Partner, Submitter: r.Contact, Unread: r.Unread, Requests: r.Requests, Channel: r.Channel, ClaimTime: r.Claim,
	}
	if r.Status == intake.StatusInReview || r.Status == intake.StatusSubmitted {
		s.DecisionDue, s.Advice = &r.DecisionDue, r.Advice
	}
	if r.Status.Holds() && r.Status != intake.StatusLocked {
		s.ProtectedTo = &r.Protection.End
	}
	if by := r.Revoking.By; by != "" {
		s.Pending = by + " wants to revoke it; another person has to do the same"
	}
	return s
}

// Page is a part of the list of cases; Next continues it if not 0.
type Page struct {
	Cases []CaseSummary `json:"cases"`
	Next  uint64        `json:"next,omitempty"`
}

// JudgementPage is a part of the list of judgements; Next continues it if not "".
type JudgementPage struct {
	Judgements []intake.Judgement `json:"judgements"`
	Next       string             `json:"next,omitempty"`
}

// Decision is what a person decides.
type Decision struct {
	By        string        `json:"by"`
	Reason    intake.Reason `json:"reason,omitempty"`
	Rationale string        `json:"rationale,omitempty"`
	Message   string        `json:"message,omitempty"`
	Partner   string        `json:"partner,omitempty"` // for assign and reassign
	Fields    intake.Lead   `json:"fields,omitempty"`  // for amend and elevate
	Days      int           `json:"days,omitempty"`    // for extend
	// Step is for progress, Deal (won, lost, open) for close, Parts for attribute.
	Step  *Step                `json:"step,omitempty"`
	Deal  string               `json:"deal,omitempty"`
	Parts []intake.Attribution `json:"parts,omitempty"`
	// Winner is the case that gets the account when a conflict is resolved, Evidence what is
	// added to one.
	Winner   string           `json:"winner,omitempty"`
	Evidence *intake.Evidence `json:"evidence,omitempty"`
}

// Step is a next step that staff know of.
type Step struct {
	Kind intake.EvidenceKind `json:"kind"`
	At   time.Time           `json:"at"`
	Held bool                `json:"held,omitempty"`
	// Source says how it is known.
	Source string `json:"source,omitempty"`
}

// verdict is what every decision has.
func (d Decision) verdict() intake.Verdict {
	return intake.Verdict{By: d.By, Reason: d.Reason, Rationale: d.Rationale, Message: d.Message}
}

// BackupRequest names the file to write; BackupResult tells how large it is.
type (
	BackupRequest struct {
		Path string `json:"path"`
	}
	BackupResult struct {
		Path  string `json:"path"`
		Bytes int64  `json:"bytes"`
	}
)

// RetryResult tells how many tasks were taken up again.
type RetryResult struct {
	Tasks int `json:"tasks"`
}

// failure is the body of an answer that is an error.
type failure struct {
	Error string `json:"error"`
}
