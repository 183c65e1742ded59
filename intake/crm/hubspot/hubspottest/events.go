package hubspottest

import (
	"encoding/json"
	"time"
)

// Event is one of those that webhooks tell of.
type Event struct {
	ID         int    `json:"eventId"`
	Portal     int    `json:"portalId"`
	App        int    `json:"appId"`
	Occurred   int64  `json:"occurredAt"`
	Type       string `json:"subscriptionType"`
	Attempt    int    `json:"attemptNumber"`
	Object     int    `json:"objectId"`
	Source     string `json:"changeSource"`
	Property   string `json:"propertyName,omitempty"`
	Value      string `json:"propertyValue,omitempty"`
	Primary    int    `json:"primaryObjectId,omitempty"`
	New        int    `json:"newObjectId,omitempty"`
	Merged     []int  `json:"mergedObjectIds,omitempty"`
	Subscribed int    `json:"subscriptionId"`
}

func (a *Account) tell(e Event) {
	e.ID, e.Portal, e.App, e.Source, e.Subscribed = len(a.events)+1, Portal, 54321, "CRM_UI", 12345
	e.Occurred = time.Now().UnixMilli()
	a.events = append(a.events, e)
}

// Events returns the body of a webhook with all that happened since it was last called, the latest
// first and the first one twice: nothing promises an order, or each once.
func (a *Account) Events() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Event
	for i := len(a.events) - 1; i >= 0; i-- {
		all = append(all, a.events[i])
	}
	if len(all) > 0 {
		all = append(all, all[0])
	}
	a.events = nil
	b, err := json.Marshal(all)
	if err != nil { // plain data
		panic(err)
	}
	return b
}
