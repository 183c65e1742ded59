package ledger

import (
	"maps"
	"reflect"
	"time"

	"leadgate/intake"
)

// Entry is a registration as the ledger shows it. Times are UTC.
type Entry struct {
	Case     string        `json:"case"`
	Revision int           `json:"revision"` // of the registration, as last pushed
	Status   intake.Status `json:"status"`
	Reason   intake.Reason `json:"reason,omitempty"`
	// Partner is the id of the partner of record.
	Partner     string    `json:"partner,omitempty"`
	PartnerName string    `json:"partner_name,omitempty"`
	Motion      string    `json:"partner_motion,omitempty"`
	Contact     string    `json:"contact,omitempty"` // address of the person who submitted
	Channel     string    `json:"channel,omitempty"`
	Claim       time.Time `json:"claim_time,omitzero"`
	Accepted    time.Time `json:"accepted_at,omitzero"`
	DecisionDue time.Time `json:"decision_due,omitzero"`
	Decided     time.Time `json:"decided_at,omitzero"`
	Start       time.Time `json:"protection_start,omitzero"`
	End         time.Time `json:"protection_end,omitzero"`
	MergedInto  string    `json:"merged_into,omitempty"`
	// Updated is when the registration last changed, Pushed when the ledger was told.
	Updated time.Time   `json:"updated_at,omitzero"`
	Pushed  time.Time   `json:"pushed_at"`
	Lead    intake.Lead `json:"lead,omitempty"`
}

// newEntry takes from a registration what the ledger keeps. What staff wrote for
// themselves and what rules found about others stays behind.
func newEntry(r intake.Record, now time.Time) Entry {
	g := r.Registration
	return Entry{
		Case: g.Number, Revision: g.Revision, Status: g.Status, Reason: g.Reason,
		Partner: g.Partner, PartnerName: r.Partner.Name, Motion: r.Partner.Motion,
		Contact: g.Contact, Channel: g.Channel,
		Claim: stamp(g.Claim), Accepted: stamp(g.Accepted),
		DecisionDue: stamp(g.DecisionDue), Decided: stamp(g.Decided),
		Start: stamp(g.Protection.Start), End: stamp(g.Protection.End),
		MergedInto: g.MergedInto, Updated: stamp(g.Updated), Pushed: stamp(now),
		Lead: filled(g.Lead),
	}
}

// stamp brings t to the form in which the store returns it, so that entries compare.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0).Truncate(time.Microsecond)
}

// filled returns the fields that have a value, or nil.
func filled(l intake.Lead) intake.Lead {
	c := l.Clone()
	maps.DeleteFunc(c, func(_ intake.Field, v string) bool { return v == "" })
	if len(c) == 0 {
		return nil
	}
	return c
}

// changed names what differs between a stored entry and a new one, in a fixed order. When
// and how often it was pushed is no difference.
func changed(old, e Entry) []string {
	var names []string
	a, b := old.values(), e.values()
	for i, v := range b {
		if !reflect.DeepEqual(a[i].value, v.value) {
			names = append(names, v.name)
		}
	}
	for _, f := range intake.Fields() {
		if old.Lead[f] != e.Lead[f] {
			names = append(names, string(f))
		}
	}
	return names
}

type named struct {
	name  string
	value any
}

// values lists what is compared and exported, lead fields apart.
func (e Entry) values() []named {
	return []named{
		{"case", e.Case},
		{"status", string(e.Status)},
		{"reason", string(e.Reason)},
		{"partner", e.Partner},
		{"partner_name", e.PartnerName},
		{"partner_motion", e.Motion},
		{"contact", e.Contact},
		{"channel", e.Channel},
		{"claim_time", e.Claim},
		{"accepted_at", e.Accepted},
		{"decision_due", e.DecisionDue},
		{"decided_at", e.Decided},
		{"protection_start", e.Start},
		{"protection_end", e.End},
		{"merged_into", e.MergedInto},
	}
}
