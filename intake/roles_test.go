package intake_test

import (
	"slices"
	"testing"

	"leadgate/intake"
)

func TestRolesPermitWhatTheTableSays(t *testing.T) {
	ordinary := []intake.StaffAct{
		intake.ActApprove, intake.ActDecline, intake.ActAsk, intake.ActWaitlist, intake.ActExtend, intake.ActRefuse,
		intake.ActSeen, intake.ActRelease, intake.ActProgress, intake.ActAckAppeal,
	}
	review := intake.Registration{Status: intake.StatusInReview, Partner: "alpha"}
	appeal := intake.Registration{Status: intake.StatusAppeal, Partner: "alpha"}
	for _, tt := range []struct {
		name string
		who  intake.Staff
		on   intake.Registration
		want []intake.StaffAct
	}{
		{"an admin does everything", intake.Staff{Roles: []intake.Role{intake.RoleAdmin}}, review, intake.StaffActs()},
		{"revenue operations do everything", intake.Staff{Roles: []intake.Role{intake.RoleRevOps}}, review, intake.StaffActs()},
		{"a partner manager does all but revoke", intake.Staff{Roles: []intake.Role{intake.RolePartnerManager}}, review, ordinary},
		{"a partner manager does so for his partners", intake.Staff{Roles: []intake.Role{intake.RolePartnerManager}, Partners: []string{"beta", "alpha"}}, review, ordinary},
		{"a partner manager does nothing for those of others", intake.Staff{Roles: []intake.Role{intake.RolePartnerManager}, Partners: []string{"beta"}}, review, nil},
		{"a reviewer does nothing in an ordinary case", intake.Staff{Roles: []intake.Role{intake.RoleReviewer}}, review, nil},
		{"a reviewer decides an appeal", intake.Staff{Roles: []intake.Role{intake.RoleReviewer}, Partners: []string{"beta"}}, appeal, ordinary},
		{"a viewer reads", intake.Staff{Roles: []intake.Role{intake.RoleViewer}}, appeal, nil},
		{"who has two roles may do what either permits", intake.Staff{Roles: []intake.Role{intake.RoleViewer, intake.RoleAdmin}}, review, intake.StaffActs()},
		{"who has no role may do nothing", intake.Staff{}, review, nil},
		{"a role that nobody knows permits nothing", intake.Staff{Roles: []intake.Role{"emperor"}}, review, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, act := range append(intake.StaffActs(), "burn") {
				if got, want := tt.who.May(act, &tt.on), slices.Contains(tt.want, act); got != want {
					t.Errorf("%s: %v, want %v", act, got, want)
				}
			}
		})
	}
}

func TestStaffAreCalledByNameOrAddress(t *testing.T) {
	mia := intake.Staff{Name: "mia", Email: "mia@vendor.example"}
	for by, want := range map[string]bool{"mia": true, "Mia@Vendor.example": true, "Mia": false, "jo": false, "": false} {
		if mia.Called(by) != want {
			t.Errorf("%q: %v", by, !want)
		}
	}
	if (intake.Staff{Name: "jo"}).Called("") {
		t.Error("who has no address answers to no name")
	}
}
