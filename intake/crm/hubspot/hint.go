package hubspot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/signature"
)

// event is one of those that a webhook tells of: up to a hundred in a call, in no order, perhaps
// again. It is a hint alone.
// https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
type event struct {
	Kind      string `json:"subscriptionType"` // "object.propertyChange", "deal.deletion"
	TypeID    string `json:"objectTypeId"`
	Object    id     `json:"objectId"`
	Primary   id     `json:"primaryObjectId"`
	New       id     `json:"newObjectId"`
	MergedIDs []id   `json:"mergedObjectIds"`
}

var errNoSecret = errors.New("there is no secret to prove a call by: set secret to the client secret of the app")

// maxHints bounds what is read again for one call.
const maxHints = 500

// Hints checks the signature (version 3) of a call and returns the deals and meetings that it tells
// of, "deal/123" each.
func (c *Connector) Hints(url string, r *http.Request, body []byte) ([]string, error) {
	secrets := slices.DeleteFunc([]string{c.config.Secret, c.config.PreviousSecret}, func(s string) bool { return s == "" })
	if len(secrets) == 0 {
		return nil, c.fail("prove", "a call", errNoSecret)
	}
	v := signature.Of(signature.SchemeHubSpot)
	err := v.Verify(signature.Request{Method: r.Method, URL: url, Header: r.Header, Body: body}, secrets, v.Tolerance, c.config.Now())
	if err != nil {
		return nil, c.fail("prove", "a call", err)
	}
	var events []event
	if json.Unmarshal(body, &events) != nil {
		return nil, nil // it is HubSpot's, and of no matter
	}
	var hints []string
	for _, e := range events {
		kind := e.kind()
		for _, id := range append([]id{e.Object, e.Primary, e.New}, e.MergedIDs...) {
			hint := kind + "/" + string(id)
			if kind == "" || !numeric(string(id)) || slices.Contains(hints, hint) || len(hints) >= maxHints {
				continue
			}
			hints = append(hints, hint)
		}
	}
	return hints, nil
}

func numeric(s string) bool { return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == "" }

// kind is what an event is about: "deal", "meeting", "" for what is of no matter.
func (e event) kind() string {
	of, _, _ := strings.Cut(e.Kind, ".")
	switch {
	case of == "deal" || e.TypeID == dealType:
		return "deal"
	case of == "meeting" || e.TypeID == meetingType:
		return "meeting"
	}
	return ""
}

// Reread returns the deals and meetings of hints as they are now. Those that are not there any more
// are looked for among what was deleted.
func (c *Connector) Reread(ctx context.Context, hints []string) ([]intake.Change, error) {
	changes, err := c.reread(ctx, hints)
	if err != nil {
		return nil, c.fail("read again", "what a call told of", err)
	}
	return changes, nil
}

func (c *Connector) reread(ctx context.Context, hints []string) (changes []intake.Change, err error) {
	of := make(map[string][]string)
	for _, h := range hints {
		kind, id, _ := strings.Cut(h, "/")
		of[kind] = append(of[kind], id)
	}
	all, err := c.readAll(ctx, deals, slices.Clone(of["deal"]), "", dealProperties)
	if err != nil {
		return nil, err
	}
	if changes, err = c.tell(ctx, all); err != nil {
		return nil, err
	}
	there := make(map[string]bool)
	for _, d := range all {
		there[d.ID] = true
	}
	gone, err := c.gone(ctx, slices.DeleteFunc(of["deal"], func(id string) bool { return there[id] }))
	if err != nil {
		return nil, err
	}
	for _, number := range gone {
		told := func(ch intake.Change) bool { return ch.Case == number }
		if !slices.ContainsFunc(changes, told) {
			changes = append(changes, intake.Change{Case: number, At: c.config.Now().UTC().Truncate(time.Microsecond), Gone: true})
		}
	}
	met, err := c.readAll(ctx, meetings, of["meeting"], "", []string{modified})
	if err != nil {
		return nil, err
	}
	more, err := c.tellMeetings(ctx, met)
	if err != nil {
		return nil, err
	}
	changes = append(changes, more...)
	inOrder(changes)
	return changes, nil
}
