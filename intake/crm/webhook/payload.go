package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// The types of requests.
const (
	typeCreated = "registration.created"
	typeUpdated = "registration.updated"
	typeNote    = "registration.note_added"
)

// maxBody is below the 20 kB that receivers of Standard Webhooks are told to expect.
const maxBody = 19_500

type body struct {
	Type string `json:"type"`
	// Timestamp is when the thing happened; the attempt is dated in the header.
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// registration is what receivers are told of a case: published names only, one by one, so
// that a new field of the case is sent by decision and not by accident.
type registration struct {
	Case        string                  `json:"case"`
	Revision    int                     `json:"revision"`
	Status      intake.Status           `json:"status"`
	Reason      intake.Reason           `json:"reason,omitempty"`
	Partner     partner                 `json:"partner,omitzero"`
	SubmittedBy string                  `json:"submitted_by,omitempty"`
	Channel     string                  `json:"channel,omitempty"`
	Claim       time.Time               `json:"claim_time,omitzero"`
	Accepted    time.Time               `json:"accepted_at,omitzero"`
	Updated     time.Time               `json:"updated_at,omitzero"`
	DecisionDue time.Time               `json:"decision_due,omitzero"`
	Decided     time.Time               `json:"decided_at,omitzero"`
	Start       time.Time               `json:"protection_start,omitzero"`
	End         time.Time               `json:"protection_end,omitzero"`
	MergedInto  string                  `json:"merged_into,omitempty"`
	ExternalID  string                  `json:"external_id,omitempty"`
	Lead        map[intake.Field]string `json:"lead"`
	// Truncated names the lead fields that were cut to keep the body small.
	Truncated []intake.Field `json:"truncated,omitempty"`
}

type partner struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Motion string `json:"motion,omitempty"`
	Tier   string `json:"tier,omitempty"`
}

type note struct {
	Case       string           `json:"case"`
	N          int              `json:"n"`
	At         time.Time        `json:"at"`
	Kind       intake.EventKind `json:"kind"`
	Actor      string           `json:"actor,omitempty"`
	From       intake.Status    `json:"from,omitempty"`
	To         intake.Status    `json:"to,omitempty"`
	Reason     intake.Reason    `json:"reason,omitempty"`
	Fields     []intake.Field   `json:"fields,omitempty"`
	Note       string           `json:"note,omitempty"`
	ExternalID string           `json:"external_id,omitempty"`
}

// newRegistration takes from r what receivers are told. known is what they said before.
func newRegistration(r intake.Record, known intake.Ref) registration {
	g := r.Registration
	d := registration{
		Case: g.Number, Revision: g.Revision, Status: g.Status, Reason: g.Reason,
		SubmittedBy: g.Contact, Channel: g.Channel,
		Claim: g.Claim, Accepted: g.Accepted, Updated: g.Updated,
		DecisionDue: g.DecisionDue, Decided: g.Decided,
		Start: g.Protection.Start, End: g.Protection.End, MergedInto: g.MergedInto,
		ExternalID: externalID(known, g.Number), Lead: make(map[intake.Field]string),
	}
	if g.Partner != "" {
		d.Partner = partner{ID: g.Partner, Name: r.Partner.Name, Motion: r.Partner.Motion, Tier: r.Partner.Tier}
	}
	for f, v := range g.Lead {
		if v != "" {
			d.Lead[f] = v
		}
	}
	return d
}

// externalID is the receiver's own id, which stands in for the case number until it names
// one.
func externalID(known intake.Ref, caseNumber string) string {
	if known.ID == caseNumber {
		return ""
	}
	return known.ID
}

// encodeRegistration returns the body of a push. Where it would grow too large, the longest
// lead fields are cut, and data.truncated names them; the whole text stands in the case.
func encodeRegistration(kind string, d registration) ([]byte, error) {
	for {
		b, err := encode(body{Type: kind, Timestamp: d.Updated.UTC(), Data: d})
		if err != nil || len(b) <= maxBody {
			return b, err
		}
		if !cutLongest(&d, len(b)-maxBody) {
			return nil, intake.Permanent(fmt.Errorf("case %s: the request would have %d bytes, more than receivers take", d.Case, len(b)))
		}
	}
}

// cutLongest shortens the longest lead field by about excess bytes of JSON, and reports
// whether there was anything left to cut.
func cutLongest(d *registration, excess int) bool {
	longest := intake.Field("")
	for _, f := range intake.Fields() {
		if len(d.Lead[f]) > len(d.Lead[longest]) {
			longest = f
		}
	}
	v := d.Lead[longest]
	if v == "" {
		return false
	}
	// A character takes up to six bytes in JSON: cut in steps, not more than needed.
	d.Lead[longest] = strings.ToValidUTF8(v[:max(0, len(v)-max(excess/6, 64))], "")
	if !slices.Contains(d.Truncated, longest) {
		d.Truncated = append(d.Truncated, longest)
	}
	return true
}

func encodeNote(known intake.Ref, e intake.Event) ([]byte, error) {
	const maxNote = 4000
	d := note{
		Case: e.Case, N: e.N, At: e.At, Kind: e.Kind, Actor: e.Actor, From: e.From, To: e.To,
		Reason: e.Reason, Fields: e.Fields, Note: e.Note, ExternalID: externalID(known, e.Case),
	}
	if len(d.Note) > maxNote {
		d.Note = strings.ToValidUTF8(d.Note[:maxNote], "") + "…"
	}
	return encode(body{Type: typeNote, Timestamp: e.At.UTC(), Data: d})
}

func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, intake.Permanent(fmt.Errorf("encode: %w", err))
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
