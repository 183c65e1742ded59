package intake

import "time"

// PartnerStatus says whether a partner takes part in the programme.
type PartnerStatus string

// The states of a partner.
const (
	PartnerActive      PartnerStatus = "active"
	PartnerSuspended   PartnerStatus = "suspended"
	PartnerOffboarding PartnerStatus = "offboarding"
	PartnerOffboarded  PartnerStatus = "offboarded"
)

// PartnerStatuses is the full set.
func PartnerStatuses() []PartnerStatus {
	return []PartnerStatus{PartnerActive, PartnerSuspended, PartnerOffboarding, PartnerOffboarded}
}

// Motions is the full set of partner motions.
func Motions() []string {
	return []string{
		"referral", "reseller", "marketplace", "si", "msp", "isv",
		"distributor", "integration", "affiliate", "services",
	}
}

// Partner is an entry of the directory. A domain, a contact address, a code, or a Slack or Teams
// binding belongs to one partner only.
type Partner struct {
	// ID is stable and never shown to other partners: lower-case letters, digits, hyphens.
	ID string `json:"id"`
	// Code is what stands for the partner in links and forms: 4 to 12 capital letters and digits.
	Code   string        `json:"code,omitempty"`
	Name   string        `json:"name"`
	Legal  string        `json:"legal_name,omitempty"`
	Status PartnerStatus `json:"status"`
	// StatusFrom is from when the status counts; zero for always.
	StatusFrom time.Time `json:"status_from,omitzero"`
	Motion     string    `json:"motion"` // one of Motions
	Tier       string    `json:"tier,omitempty"`
	Program    string    `json:"program,omitempty"`
	Domains    []string  `json:"domains"` // ASCII hosts; a sender's host must equal one
	// Subdomains are those of Domains whose sub-domains speak for the partner too.
	Subdomains []string  `json:"subdomains,omitempty"`
	Contacts   []Contact `json:"contacts,omitempty"`
	// Manager is the vendor's person whom the partner can ask, Executive the one of sales who
	// takes the partner's deals on.
	Manager   Contact  `json:"manager,omitzero"`
	Executive Contact  `json:"executive,omitzero"`
	Country   string   `json:"country,omitempty"` // ISO 3166-1
	Locale    string   `json:"locale,omitempty"`  // BCP 47
	Slack     *Slack   `json:"slack,omitempty"`
	Teams     *Teams   `json:"teams,omitempty"`
	Channels  []string `json:"channels,omitempty"` // preferred order, by Channel name
	// Territories are where the partner may register: ISO 3166-1 or -2 codes, "-" before one
	// that is left out; empty for everywhere.
	Territories []string `json:"territories,omitempty"`
	// Named are the accounts that are the partner's by agreement.
	Named          []NamedAccount  `json:"named_accounts,omitempty"`
	Certifications []Certification `json:"certifications,omitempty"`
	// Quota is how many holds the partner can have at a time; 0 for any number.
	Quota int `json:"quota,omitempty"`
	// Acknowledged is the version of the rules that the partner has agreed to.
	Acknowledged Acknowledged `json:"rules_acknowledged,omitzero"`
	Agreement    string       `json:"agreement_until,omitempty"` // a day, 2027-06-30
}

// Contact is a person.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
	Role  string `json:"role,omitempty"`
	// Status is "" for somebody who is there, ContactBounced or ContactLeft.
	Status string `json:"status,omitempty"`
}

// reachable returns the first contact who is there.
func (p Partner) reachable() (Contact, bool) {
	for _, c := range p.Contacts {
		if c.Status == "" && c.Email != "" {
			return c, true
		}
	}
	return Contact{}, false
}

// The states of a contact who can't be reached.
const (
	ContactBounced = "bounced"
	ContactLeft    = "left"
)

// Slack and Teams bind a shared channel to a partner.
type (
	Slack struct {
		Team    string `json:"team"`
		Channel string `json:"channel"`
	}
	Teams struct {
		Tenant string `json:"tenant"`
	}
)

// NamedAccount is a company that is a partner's by agreement; From and To are days (2026-01-31)
// in the programme's zone, empty for no bound, the last one included.
type NamedAccount struct {
	Domain string `json:"domain"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// Certification is a right to sell a product; Until is its last day (2026-09-30) in the
// programme's zone, empty for no end.
type Certification struct {
	Product string `json:"product"`
	Level   string `json:"level,omitempty"`
	Until   string `json:"until,omitempty"`
}

// Acknowledged is an agreement to a version of the rules.
type Acknowledged struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"` // address
}
