package intake

import (
	"slices"
	"strings"
)

// Role is what a member of staff is to the programme.
type Role string

// The roles.
const (
	// RoleAdmin sets the gateway up, RoleRevOps sees to its records and its disputes.
	RoleAdmin  Role = "admin"
	RoleRevOps Role = "revops"
	// RolePartnerManager looks after partners and decides their cases.
	RolePartnerManager Role = "partner_manager"
	// RoleReviewer decides what a partner contests.
	RoleReviewer Role = "reviewer"
	// RoleViewer reads.
	RoleViewer Role = "viewer"
)

// Roles is the full set.
func Roles() []Role {
	return []Role{RoleAdmin, RoleRevOps, RolePartnerManager, RoleReviewer, RoleViewer}
}

// Staff is a person of the vendor.
type Staff struct {
	// Name is how the record of a case calls the person; unique among staff.
	Name  string `yaml:"name" json:"name"`
	Email string `yaml:"email" json:"email"`
	Roles []Role `yaml:"roles" json:"roles"`
	// Partners are the ids of the partners whose manager the person is; empty for all.
	Partners []string `yaml:"partners" json:"partners,omitempty"`
}

// decisions are what is done about a case in the ordinary run of things. What takes away what
// was granted, ActRevoke, is not among them.
var decisions = []StaffAct{
	ActApprove, ActDecline, ActAsk, ActWaitlist, ActExtend, ActRefuse, ActSeen, ActProgress,
	ActRelease, ActAckAppeal,
}

// permitted is the one table of who may do what. Those of a reviewer count for cases under
// appeal alone, those of a partner manager for his partners.
var permitted = map[Role][]StaffAct{
	RoleAdmin:          StaffActs(),
	RoleRevOps:         StaffActs(),
	RolePartnerManager: decisions,
	RoleReviewer:       decisions,
	RoleViewer:         nil,
}

// May reports whether a role permits an act on some case at all.
func (role Role) May(act StaffAct) bool { return slices.Contains(permitted[role], act) }

// May reports whether one of the person's roles permits an act on a case as it is now.
func (s Staff) May(act StaffAct, r *Registration) bool {
	return slices.ContainsFunc(s.Roles, func(role Role) bool {
		switch role {
		case RoleReviewer:
			return r.Status == StatusAppeal && role.May(act)
		case RolePartnerManager:
			own := len(s.Partners) == 0 || slices.Contains(s.Partners, r.Partner)
			return own && role.May(act)
		}
		return role.May(act)
	})
}

// may is May for what takes no act of its own, too: everybody but who only reads.
func (s Staff) may(act StaffAct, r *Registration) bool {
	if act != "" {
		return s.May(act, r)
	}
	return slices.ContainsFunc(s.Roles, func(role Role) bool { return role != RoleViewer })
}

// mayAnother reports whether somebody else than the named person may do something; without a list
// of staff anybody may.
func (g *Gateway) mayAnother(act StaffAct, than string, r *Registration) bool {
	return len(g.people) == 0 || slices.ContainsFunc(g.people, func(s Staff) bool { return s.Name != than && s.May(act, r) })
}

// Called reports whether a name or an address is this person's.
func (s Staff) Called(by string) bool {
	return by != "" && (by == s.Name || strings.EqualFold(by, s.Email))
}
