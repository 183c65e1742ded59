package intake

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Lane groups tasks that wait for the same kind of thing, so that a dead CRM never delays
// an answer. Within a lane the tasks of one case run one after the other, oldest first.
type Lane string

// The lanes.
const (
	LaneCheck  Lane = "check"  // judging cases
	LaneNotify Lane = "notify" // answering partners
	LaneDigest Lane = "digest" // partners' weekly digests, which nothing has to wait behind
	LanePush   Lane = "push"   // writing to CRMs; one lane for each, see PushLane
	LanePull   Lane = "pull"   // reading what people do in CRMs; one lane for each, see PullLane
	LaneTimer  Lane = "timer"  // deadlines
)

// PushLane is the lane of one CRM, so that one that is down does not hold up another.
func PushLane(crm string) Lane { return LanePush + ":" + Lane(crm) }

// lanePushLists begins the lanes of the cases of files of rows.
const lanePushLists Lane = "push_lists"

// PushListsLane is the lane of one CRM for the cases that a file of rows awaits: thousands at once,
// which no other case waits behind. See olderPush.
func PushListsLane(crm string) Lane { return lanePushLists + ":" + Lane(crm) }

// crmOf returns the CRM of a lane of pushes.
func crmOf(l Lane) (crm string, isPush bool) {
	begin, crm, _ := strings.Cut(string(l), ":")
	return crm, Lane(begin) == LanePush || Lane(begin) == lanePushLists
}

// isPushTo reports whether a lane is one of the pushes to a CRM.
func isPushTo(crm string, l Lane) bool { return l == PushLane(crm) || l == PushListsLane(crm) }

// PullLane is the lane of one CRM in which its changes are read.
func PullLane(crm string) Lane { return LanePull + ":" + Lane(crm) }

// Task is a piece of work that must happen, at or after Due. The fields below Payload are
// the store's.
type Task struct {
	// Key names the work. A Key ever seen is a no-op, so that work is enqueued once.
	Key     string          `json:"key"`
	Lane    Lane            `json:"lane"`
	Case    string          `json:"case"`
	Due     time.Time       `json:"due"`
	Payload json.RawMessage `json:"payload,omitempty"`

	Seq      uint64 `json:"seq"`      // order of enqueueing, given by Enqueue
	Attempts int    `json:"attempts"` // counted when claimed, so that a crash counts too
	// Fence grows with every claim. Finish, Postpone and Park refuse an older one.
	Fence  uint64    `json:"fence,omitempty"`
	Leased time.Time `json:"leased_until,omitzero"`
	Parked bool      `json:"parked,omitempty"`
	Cause  string    `json:"cause,omitempty"` // of the last failure, for staff; no secrets
}

// taskKey names work on r as it stands now: for each revision once. It rises with the cases,
// as case numbers do not, so that neighbours in time are neighbours in the store.
func taskKey(kind string, r *Registration) string {
	return fmt.Sprintf("%s:%010d:%d", kind, r.Seq, r.Revision)
}

// Tasks is the one durable queue: outbox, retry list and timer wheel at once.
type Tasks interface {
	// Enqueue adds a task. A Key that was ever enqueued, finished ones included, is a no-op.
	Enqueue(Task) error
	// Claim leases up to limit tasks of the lane that are due, are not parked, have no live
	// lease (one whose end is after now), and whose case has no older task in the lane that
	// is neither finished nor parked. It returns them by (Due, Seq), with Fence and Attempts
	// raised by one and Leased set to now+lease.
	Claim(lane Lane, now time.Time, lease time.Duration, limit int) ([]Task, error)
	// Finish, Postpone and Park end a claim; ErrStale if t.Fence is not the current one,
	// or the task is finished. Postpone makes it due at until, and Park takes it out of
	// the queue until Revive.
	Finish(t Task) error
	Postpone(t Task, until time.Time, cause string) error
	Park(t Task, cause string) error
	// Revive makes a parked task due at now again, with Attempts at 0; ErrNotFound if there
	// is no such parked task.
	Revive(key string, now time.Time) error
	// EndLeases makes every leased task claimable at once, as after the end of its lease. It
	// is for a process that knows that it is the only one and has just begun.
	EndLeases() error
	// Cancel finishes an unclaimed or claimed task by key; unknown or finished is no error.
	Cancel(key string) error
	// Open returns the unfinished tasks of a case, by Seq.
	Open(caseNumber string) ([]Task, error)
	// NextDue returns when the lane's earliest unparked task is claimable at the earliest
	// (its Due, or the end of its lease if later), and false if there is none. It does not
	// look at the order within cases.
	NextDue(lane Lane) (time.Time, bool, error)
	// Depth counts unfinished tasks per lane.
	Depth() (map[Lane]Depth, error)
	// PruneTasks forgets up to limit keys of tasks finished before the given time, and
	// returns how many it forgot.
	PruneTasks(before time.Time, limit int) (int, error)
}

// Depth is how much work a lane has.
type Depth struct {
	Open   int
	Parked int
	// Oldest is the earliest Due of the open tasks.
	Oldest time.Time
}
