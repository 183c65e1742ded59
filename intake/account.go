package intake

import "time"

// Account is what the vendor's own lists say of a company: who may not be registered, who is a
// customer, which domains are one company, and which companies belong together.
type Account struct {
	// Domain is the registrable domain that stands for the company.
	Domain string `json:"domain"`
	Name   string `json:"name,omitempty"`
	// Country is ISO 3166-1.
	Country string `json:"country,omitempty"`
	// Aliases are further domains of the same company, Parent the Domain of the company that
	// it belongs to.
	Aliases []string `json:"aliases,omitempty"`
	Parent  string   `json:"parent,omitempty"`
	// CRM holds the ids of its records there.
	CRM []string `json:"crm,omitempty"`
	// Blocked says why nobody can register it, in words for staff; empty if they can.
	Blocked string `json:"blocked,omitempty"`
	// Customer says that it buys already; Incumbent is the id of the partner who serves it,
	// Renewal when its contract ends.
	Customer  bool      `json:"customer,omitempty"`
	Incumbent string    `json:"incumbent,omitempty"`
	Renewal   time.Time `json:"renewal,omitzero"`
	// Confirmed is the Renewal that the partner has confirmed to go on, as ConfirmedBy noted; one
	// that is not that of the account says nothing.
	Confirmed   time.Time `json:"renewal_confirmed,omitzero"`
	ConfirmedBy string    `json:"confirmed_by,omitempty"`
	// Contacted is when direct sales last spoke to it.
	Contacted time.Time `json:"contacted,omitzero"`
	Note      string    `json:"note,omitempty"`
}

// Known is what the lists say about the company of a case.
type Known struct {
	// Account is its own entry, zero if there is none.
	Account Account `json:"account,omitzero"`
	// Group are the entries of its parents, children and siblings.
	Group []Account `json:"group,omitempty"`
	// Named are the partners for whom it is a named account now.
	Named []string `json:"named,omitempty"`
	// Alike are accounts of the lists whose name is the same or nearly the same, with another
	// domain.
	Alike []Alike `json:"alike,omitempty"`
}

// Alike is an account that may be the same company, and why.
type Alike struct {
	Account  Account `json:"account"`
	Evidence string  `json:"evidence"`
}
