package intake

// Terms are the lengths of time and the numbers that the rules promise to a partner. They may
// differ by tier. A zero Span, or an empty list, means that there is no such clock.
type Terms struct {
	// Decision is until when the vendor promises to decide, DecisionReminders after which
	// parts of it (in percent) staff are reminded.
	Decision          Span  `yaml:"decision" json:"decision"`
	DecisionReminders []int `yaml:"decision_reminders" json:"decision_reminders,omitempty"`
	// Answer is how long a partner has to answer a question; reminders come so long after it.
	Answer          Span   `yaml:"answer" json:"answer"`
	AnswerReminders []Span `yaml:"answer_reminders" json:"answer_reminders,omitempty"`
	// NextStep is how long an approval holds before a next step; reminders come so long after
	// the approval.
	NextStep          Span   `yaml:"next_step" json:"next_step"`
	NextStepReminders []Span `yaml:"next_step_reminders" json:"next_step_reminders,omitempty"`
	// Window is how long an approval with a next step holds, from the approval; reminders come
	// so long before its end.
	Window          Span   `yaml:"window" json:"window"`
	WindowReminders []Span `yaml:"window_reminders" json:"window_reminders,omitempty"`
	// AtOnce grants the whole Window with the approval, without waiting for a next step.
	AtOnce bool `yaml:"at_once" json:"at_once,omitempty"`
	// Invitation says that an invitation to a meeting with the prospect, sent to us by the
	// partner, counts as a next step by itself.
	Invitation bool `yaml:"invitation" json:"invitation,omitempty"`
	// Idle is after how long without any activity the partner is asked whether he is still at
	// it, IdleAnswer how long he has to say so before staff are told.
	Idle       Span           `yaml:"idle" json:"idle"`
	IdleAnswer Span           `yaml:"idle_answer" json:"idle_answer"`
	Extension  ExtensionTerms `yaml:"extension" json:"extension"`
	Appeal     AppealTerms    `yaml:"appeal" json:"appeal"`
	Conflict   ConflictTerms  `yaml:"conflict" json:"conflict"`
	// CoolingOff is how long a partner can't register again what was declined to him for a
	// reason that nothing he can do would change.
	CoolingOff Span `yaml:"cooling_off" json:"cooling_off"`
	// Confirm is how long an unproven registration of a known address waits and keeps its
	// place, Unknown how long one of a stranger waits for staff.
	Confirm Span `yaml:"confirm" json:"confirm"`
	Unknown Span `yaml:"unknown" json:"unknown"`
	// FirstRight is how long an account that became free is kept for the first in line.
	FirstRight Span `yaml:"first_right" json:"first_right"`
	// Reopen is within which a closed deal that is opened again in the CRM takes its case back.
	Reopen Span `yaml:"reopen" json:"reopen"`
	// RunOut says that the holds of a partner who leaves run to their end.
	RunOut bool `yaml:"run_out" json:"run_out,omitempty"`
	// ProvisionalWhenLate approves for the time being what was not decided in time; else it is
	// only escalated.
	ProvisionalWhenLate bool `yaml:"provisional_when_late" json:"provisional_when_late,omitempty"`
}

// ExtensionTerms bound how a hold can be prolonged.
type ExtensionTerms struct {
	// Times is how often, Days by how many calendar days each time.
	Times int `yaml:"times" json:"times"`
	Days  int `yaml:"days" json:"days"`
	// Active is within which there must have been activity for it; Auto grants an extension
	// that is within all bounds without a person.
	Active Span `yaml:"active" json:"active"`
	Auto   bool `yaml:"auto" json:"auto,omitempty"`
	// Grace is how long a hold goes on over its end while a request that came in time waits.
	Grace Span `yaml:"grace" json:"grace"`
}

// AppealTerms are the promises about an appeal: until when it can be made after the decision,
// when it is acknowledged by a person, and when there is a plan.
type AppealTerms struct {
	Within      Span `yaml:"within" json:"within"`
	Acknowledge Span `yaml:"acknowledge" json:"acknowledge"`
	Plan        Span `yaml:"plan" json:"plan"`
}

// ConflictTerms are until when a conflict is acknowledged, and until when there is a plan.
type ConflictTerms struct {
	Acknowledge Span `yaml:"acknowledge" json:"acknowledge"`
	Plan        Span `yaml:"plan" json:"plan"`
}
