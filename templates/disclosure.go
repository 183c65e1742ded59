package templates

import "leadgate/intake"

// class says how much of a reason a partner may read.
type class string

const (
	// classOwn: about what the partner sent or is; told in full.
	classOwn class = "own"
	// classNeutral: another party stands in the way; told as "not at the moment".
	classNeutral class = "neutral"
	// classGeneric: told as "not eligible", one text for all.
	classGeneric class = "generic"
)

// classes lists the reasons that are not generic. A new reason discloses nothing until it
// is entered here.
var classes = map[intake.Reason]class{
	intake.ReasonMissingField:     classOwn,
	intake.ReasonConsentRequired:  classOwn,
	intake.ReasonQuestion:         classOwn,
	intake.ReasonUnknownPartner:   classOwn,
	intake.ReasonUnverified:       classOwn,
	intake.ReasonPartnerInactive:  classOwn,
	intake.ReasonDuplicateOwn:     classOwn,
	intake.ReasonContactDomain:    classOwn,
	intake.ReasonAskedEnough:      classOwn,
	intake.ReasonUnclearReply:     classOwn,
	intake.ReasonOutsideTerritory: classOwn,
	intake.ReasonNoNextStep:       classOwn,
	intake.ReasonNoInfoInTime:     classOwn,
	intake.ReasonAppeal:           classOwn,
	intake.ReasonWithdrawn:        classOwn,

	intake.ReasonProtectedByOther: classNeutral,
	intake.ReasonContested:        classNeutral,
	intake.ReasonExistingDeal:     classNeutral,
	intake.ReasonSimilarAccount:   classNeutral,
}

func classOf(r intake.Reason) class {
	if c, ok := classes[r]; ok {
		return c
	}
	return classGeneric
}
