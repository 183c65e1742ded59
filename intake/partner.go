package intake

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

// Partner is an entry of the directory. A domain or a contact address belongs to one
// partner only.
type Partner struct {
	// ID is stable and never shown to other partners: lower-case letters, digits, hyphens.
	ID       string        `json:"id"`
	Name     string        `json:"name"`
	Status   PartnerStatus `json:"status"`
	Motion   string        `json:"motion"` // one of Motions
	Tier     string        `json:"tier,omitempty"`
	Domains  []string      `json:"domains"` // ASCII hosts; a sender's host must equal one
	Contacts []Contact     `json:"contacts,omitempty"`
	// Manager is the vendor's person whom the partner can ask.
	Manager Contact `json:"manager,omitzero"`
	Country string  `json:"country,omitempty"` // ISO 3166-1
	Locale  string  `json:"locale,omitempty"`  // BCP 47
}

// Contact is a person.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
	Role  string `json:"role,omitempty"`
}
