package teamsbot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
)

// person is who wrote, as far as Teams and the directory can tell.
type person struct {
	chat.Speaker
	partner intake.Partner
	// barred says that the partner takes no part in the programme now.
	barred bool
	// address is an e-mail address of the speaker's partner, or what stands for the person where
	// none is known; it holds no "@" then.
	address string
	// suggested is what Teams calls the person's address. It proves nothing.
	suggested string
	name      string
	tenant    string
	object    string
	locale    string
}

// guest is in the name of an account that a tenant has given to somebody of another one:
// https://learn.microsoft.com/entra/external-id/user-properties
const guest = "#EXT#"

// lookUp bounds the time for asking who somebody is: the person waits for an answer.
const lookUp = 5 * time.Second

var errWho = errors.New("who it is could not be looked up")

// who tells for whom somebody speaks: his tenant says so, if it is a partner's. That of the
// conversation does not, where people of others can be in it. A guest speaks for nobody.
func (b *Bot) who(ctx context.Context, a *connector.Activity) (person, error) {
	p := person{name: a.From.Name, tenant: a.SenderTenant, object: a.From.AadObjectID, locale: a.Locale}
	p.address = "teams:" + a.SenderTenant + "/" + p.object
	if p.object == "" {
		p.address = "teams:" + a.SenderTenant + "/" + hashed(a.From.ID)
	}
	m, known, err := b.member(ctx, a)
	if err != nil {
		return p, err
	}
	home := ""
	switch {
	case known && m.Tenant != "":
		home = strings.ToLower(m.Tenant)
	case known || alone(a.Reference()):
		home = a.SenderTenant
	}
	if known && strings.Contains(strings.ToUpper(m.UPN), guest) {
		home = ""
	}
	p.suggested = m.Email
	if home != "" {
		p.tenant = home
	}
	return p, b.speaks(ctx, &p, home)
}

// speaks weighs what is known of a person.
func (b *Bot) speaks(ctx context.Context, p *person, home string) error {
	partner, of := "", ""
	var err error
	if home != "" {
		if partner, err = b.Gateway.PartnerOfTeams(ctx, intake.Teams{Tenant: home}); err != nil {
			return err
		}
	}
	if p.suggested != "" {
		if of, err = b.Gateway.PartnerOfAddress(ctx, p.suggested); err != nil {
			return err
		}
	}
	claims := []chat.Claim{{By: chat.ByTeam, Partner: partner, Of: "Teams tenant " + home}}
	if partner != "" { // alone it proves nothing
		claims = append(claims, chat.Claim{By: chat.ByEmail, Partner: of, Of: "the address " + p.suggested})
	}
	p.Speaker = chat.Speaks(claims...)
	if !p.Known() {
		return nil
	}
	if of == p.Partner {
		p.address = strings.ToLower(p.suggested)
		if p.object != "" {
			if err := keep(ctx, b.Memory, mailName(p.address), mailbox{p.tenant, p.object}); err != nil {
				return err
			}
		}
	}
	if p.partner, err = b.Gateway.Partner(ctx, p.Partner); err != nil {
		return err
	}
	p.barred = p.partner.Barred(b.Now())
	return nil
}

// member asks Teams who somebody is, where the bot is and else in the personal chat with him. The
// second result is false if Teams does not tell us. The error is errWho if it may do so later.
func (b *Bot) member(ctx context.Context, a *connector.Activity) (connector.Member, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	m, err := b.connector.Member(ctx, a.Reference(), a.From.ID)
	if errors.Is(err, connector.ErrGone) {
		ref, found, memoryErr := b.personalOf(ctx, a.SenderTenant, a.From.AadObjectID)
		if memoryErr != nil || !found {
			return connector.Member{}, false, memoryErr
		}
		m, err = b.connector.Member(ctx, ref, ref.User)
	}
	switch {
	case err == nil && m.Object != "" && a.From.AadObjectID != "" && !strings.EqualFold(m.Object, a.From.AadObjectID):
		return connector.Member{}, false, nil // somebody else
	case err == nil:
		return m, true, nil
	case errors.Is(err, connector.ErrGone):
		return connector.Member{}, false, nil
	}
	return connector.Member{}, false, fmt.Errorf("%w: %w", errWho, err)
}
