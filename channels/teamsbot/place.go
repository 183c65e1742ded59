package teamsbot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
)

// Memory keeps small texts under names, beyond the life of the process.
type Memory interface {
	// Recall returns what was kept last, "" if nothing was.
	Recall(ctx context.Context, name string) (string, error)
	Keep(ctx context.Context, name, value string) error
}

// place is a conversation that the bot was in.
type place struct {
	Ref connector.Reference `json:"ref"`
	// Dead says that nothing can be sent there until somebody writes there again.
	Dead     bool `json:"dead,omitempty"`
	Welcomed bool `json:"welcomed,omitempty"`
	// Asked is the case of which something is asked there, "" for none.
	Asked string `json:"asked,omitempty"`
}

const personal = "personal"

// alone reports whether nobody reads along.
func alone(r connector.Reference) bool { return r.Kind == personal }

// hashed makes a name of a fixed length of what others have chosen.
func hashed(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// room is a conversation without the thread in it: what the bot is added to and removed from.
func room(conversation string) string {
	base, _, _ := strings.Cut(conversation, ";messageid=")
	return base
}

func placeName(r connector.Reference) string {
	return "teams/place/" + hashed(r.Tenant, room(r.Conversation))
}
func personName(tenant, object string) string { return "teams/person/" + hashed(tenant, object) }
func mailName(address string) string          { return "teams/mail/" + hashed(strings.ToLower(address)) }

func threadName(r connector.Reference) string {
	return "teams/thread/" + hashed(r.Tenant, r.Conversation)
}
func cardName(number string) string { return "teams/card/" + number }
func toldName(number string) string { return "teams/told/" + number }

// recall reads what was kept as JSON; the second result is false if nothing was.
func recall[T any](ctx context.Context, m Memory, name string) (v T, found bool, err error) {
	text, err := m.Recall(ctx, name)
	if err != nil || text == "" {
		return v, false, err
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, false, fmt.Errorf("what is kept as %s: %w", name, err)
	}
	return v, true, nil
}

// keep writes only what is not there yet.
func keep(ctx context.Context, m Memory, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	was, err := m.Recall(ctx, name)
	if err != nil || was == string(b) {
		return err
	}
	return m.Keep(ctx, name, string(b))
}

// seen keeps where an activity came from: the address of the service may change with each, and
// whoever writes is there.
func (b *Bot) seen(ctx context.Context, a *connector.Activity) error {
	ref := a.Reference()
	if !b.connector.MayStore(ref) {
		return nil
	}
	ref.Conversation = room(ref.Conversation)
	err := b.change(ctx, ref, func(p *place) {
		if p.Ref.User != "" && !alone(ref) {
			ref.User = p.Ref.User // of many; it means nothing
		}
		p.Ref, p.Dead = ref, false
	})
	if err != nil {
		return err
	}
	if alone(ref) && a.From.AadObjectID != "" {
		return keep(ctx, b.Memory, personName(a.Tenant, a.From.AadObjectID), ref)
	}
	return nil
}

// change changes what is kept of a place. One changes at a time: Teams tells of one thing in
// several activities at once.
func (b *Bot) change(ctx context.Context, ref connector.Reference, fn func(p *place)) error {
	b.places.Lock()
	defer b.places.Unlock()
	p, _, err := recall[place](ctx, b.Memory, placeName(ref))
	if err != nil {
		return err
	}
	fn(&p)
	return keep(ctx, b.Memory, placeName(ref), p)
}

// bury notes that nothing can be sent to a place.
func (b *Bot) bury(ctx context.Context, ref connector.Reference) error {
	return b.change(ctx, ref, func(p *place) { p.Dead, p.Welcomed = true, false })
}

// current is a stored reference with what is known of its place now: false if nothing can be
// sent there.
func (b *Bot) current(ctx context.Context, ref connector.Reference) (connector.Reference, bool, error) {
	p, found, err := recall[place](ctx, b.Memory, placeName(ref))
	if err != nil {
		return ref, false, err
	}
	if found {
		ref.ServiceURL, ref.Bot = p.Ref.ServiceURL, p.Ref.Bot
	}
	return ref, !p.Dead && b.connector.MayStore(ref), nil
}

// personalOf is the personal chat with somebody.
func (b *Bot) personalOf(ctx context.Context, tenant, object string) (connector.Reference, bool, error) {
	if object == "" {
		return connector.Reference{}, false, nil
	}
	ref, found, err := recall[connector.Reference](ctx, b.Memory, personName(tenant, object))
	if err != nil || !found {
		return ref, false, err
	}
	return b.current(ctx, ref)
}

// mailbox is whose an address is.
type mailbox struct {
	Tenant string `json:"tenant"`
	Object string `json:"object"`
}

// byAddress is the personal chat of the person with an address, if the tenant that says that it is
// his is the one of the partner for whom the address speaks: any administrator can give his
// people any address.
func (b *Bot) byAddress(ctx context.Context, address string) (connector.Reference, bool, error) {
	m, found, err := recall[mailbox](ctx, b.Memory, mailName(address))
	if err != nil || !found {
		return connector.Reference{}, false, err
	}
	owner, err := b.Gateway.PartnerOfAddress(ctx, address)
	if err != nil || owner == "" {
		return connector.Reference{}, false, err
	}
	of, err := b.Gateway.PartnerOfTeams(ctx, intake.Teams{Tenant: m.Tenant})
	if err != nil || of != owner {
		return connector.Reference{}, false, err
	}
	return b.personalOf(ctx, m.Tenant, m.Object)
}
