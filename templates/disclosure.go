package templates

import "leadgate/intake"

// part is something that a message can say beyond the number and the state of a case and the
// company as it was typed.
type part uint

const (
	saysFields part = 1 << iota // what was understood
	saysAsks                    // lines to fill in
	saysQuestion
	saysNote
	saysDue
	saysUntil
	saysReceived
	saysMeeting
	saysAppealBy
	saysExtensions
	saysRelated
	saysPercent
	saysReceipt
	saysReason
	saysRequest
	saysWas
	saysDeal
)

// says is the table of what a partner may read, by kind. What is not in it is withheld before
// a template runs. Kinds that are about no case are not here: they say what newView gives them.
var says = map[intake.MessageKind]part{
	intake.MessageReceived:       saysFields | saysDue | saysReceipt,
	intake.MessageNeedsInfo:      saysFields | saysAsks | saysQuestion | saysDue,
	intake.MessageCompleted:      saysFields | saysDue | saysReceipt,
	intake.MessageApproved:       saysFields | saysNote | saysDue | saysUntil | saysMeeting | saysExtensions | saysReceipt,
	intake.MessageDeclined:       saysNote | saysReason | saysAppealBy,
	intake.MessageWaitlisted:     saysAppealBy | saysReceipt,
	intake.MessageKnown:          saysDue | saysUntil | saysReceived | saysRelated | saysReceipt,
	intake.MessageStatus:         saysDue | saysUntil | saysReceived | saysMeeting | saysExtensions | saysRelated | saysPercent | saysReason | saysAppealBy | saysDeal,
	intake.MessageChanged:        saysFields | saysDue | saysUntil,
	intake.MessageRequested:      saysRequest | saysDue | saysUntil | saysAppealBy,
	intake.MessageExtended:       saysNote | saysDue | saysUntil | saysExtensions,
	intake.MessageExpired:        saysReason | saysUntil | saysAppealBy,
	intake.MessageClosed:         saysReason,
	intake.MessageWithdrawn:      saysReason,
	intake.MessageConfirm:        saysDue,
	intake.MessageAnswerReminder: saysAsks | saysQuestion | saysDue,
	intake.MessageLate:           saysDue | saysUntil,
	intake.MessageStepReminder:   saysDue | saysUntil | saysExtensions,
	intake.MessageProtected:      saysUntil | saysMeeting | saysExtensions,
	intake.MessageLocked:         saysMeeting,
	intake.MessageWindowReminder: saysUntil | saysMeeting | saysExtensions,
	intake.MessageNotExtended:    saysNote | saysDue | saysUntil,
	intake.MessageIdle:           saysDue | saysUntil,
	intake.MessageWon:            saysPercent,
	intake.MessageLost:           0,
	intake.MessageReopened:       saysWas,
	intake.MessageDeal:           saysDeal,
	intake.MessageAppealDecided:  saysNote | saysReason | saysWas | saysDue | saysUntil,
	intake.MessageConflict:       saysDue | saysUntil,
	intake.MessageRevoked:        saysNote | saysReason | saysAppealBy,
	intake.MessageElevated:       saysRelated | saysDue | saysUntil | saysReceipt,
	intake.MessageTurn:           saysDue | saysReceipt,
	intake.MessageOffboarding:    saysUntil,
	intake.MessagePassedOn:       0,
	intake.MessageGiven:          saysFields | saysDue | saysUntil | saysMeeting | saysReceipt,
}

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

// classes lists all reasons. One that is missing discloses nothing.
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
	intake.ReasonDuplicateInFile:  classOwn,
	intake.ReasonFreeMailOnly:     classOwn,
	intake.ReasonCountryNeeded:    classOwn,
	intake.ReasonScopeNeeded:      classOwn,
	intake.ReasonProductNeeded:    classOwn,
	intake.ReasonCertification:    classOwn,
	intake.ReasonQuota:            classOwn,
	intake.ReasonCoolingOff:       classOwn,
	intake.ReasonWindowEnded:      classOwn,
	intake.ReasonNoTouch:          classOwn,
	intake.ReasonRevoked:          classOwn, // that it was; why, a person says in the note
	intake.ReasonNotConfirmed:     classOwn,
	intake.ReasonElevated:         classOwn,
	intake.ReasonOffboarded:       classOwn,

	intake.ReasonProtectedByOther: classNeutral,
	intake.ReasonContested:        classNeutral,
	intake.ReasonExistingDeal:     classNeutral,
	intake.ReasonSimilarAccount:   classNeutral,
	intake.ReasonNamedAccount:     classNeutral,
	intake.ReasonRelatedAccount:   classNeutral,
	intake.ReasonRecentContact:    classNeutral,
	intake.ReasonStaleDeal:        classNeutral,
	intake.ReasonIncumbent:        classNeutral,
	intake.ReasonResolved:         classNeutral,
	intake.ReasonHolderLeft:       classNeutral,

	intake.ReasonBlocked:          classGeneric,
	intake.ReasonExistingCustomer: classGeneric,
	intake.ReasonHomograph:        classGeneric,
	intake.ReasonCRMUnverified:    classGeneric,
	intake.ReasonNotEligible:      classGeneric,
	intake.ReasonAutomatic:        classGeneric,
	intake.ReasonCondition:        classGeneric,
}

func classOf(r intake.Reason) class {
	if c, ok := classes[r]; ok {
		return c
	}
	return classGeneric
}
