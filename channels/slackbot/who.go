package slackbot

import (
	"context"
	"fmt"
	"strings"
	"time"

	"leadgate/channels/chat"
	"leadgate/intake"
)

// person is who typed, pressed or sent something, and where.
type person struct {
	// Enterprise and Team are of the workspace with the app, Home is the person's own.
	Enterprise, Team string
	User, Home       string
	Channel          string
	// Reply is where answers can be posted for half an hour, "" for nowhere.
	Reply string
}

// lookup is how long the profile of a person may take, while Slack waits.
const lookup = time.Second

// known is what is known of a person.
type known struct {
	chat.Speaker
	// Address is his e-mail address if it speaks for the partner, Name what he is called.
	Address, Name string
	Locale        string
	// Shared says that the channel belongs to the partner, Internal that the person is of the
	// vendor.
	Shared, Internal bool
	// Barred says that the partner takes no part in the programme now.
	Barred bool
}

// at tells for whom a person speaks by what is stored. Nothing is asked of Slack.
func (b *Bot) at(ctx context.Context, p person, i Installation) (known, []chat.Claim, error) {
	home, err := b.home(ctx)
	if err != nil {
		return known{}, nil, err
	}
	internal := home.Team != "" && p.Home == home.Team
	s := intake.Slack{Channel: p.Channel}
	if !internal { // the vendor's own people speak for nobody by where they are
		s.Team = p.Home
	}
	channel, team, err := b.gateway.PartnersOfSlack(ctx, s)
	if err != nil {
		return known{}, nil, err
	}
	claims := []chat.Claim{
		{By: chat.ByChannel, Partner: channel, Of: "the Slack channel " + p.Channel},
		{By: chat.ByTeam, Partner: team, Of: "the Slack workspace " + p.Home},
	}
	k := known{Speaker: chat.Speaks(claims...), Locale: b.cfg.Locale, Shared: channel != "", Internal: internal}
	if k.Partner != "" {
		if err := b.about(ctx, &k); err != nil {
			return k, nil, err
		}
	}
	return k, claims, nil
}

// who is at, with what the person's profile tells. Where Slack does not answer in time, or does not
// tell, it is as if the profile were empty.
func (b *Bot) who(ctx context.Context, p person, i Installation) (known, error) {
	k, claims, err := b.at(ctx, p, i)
	if err != nil || k.Disputed {
		return k, err
	}
	asking, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	u, err := b.fast(i).GetUserInfoContext(asking, p.User)
	if err != nil || u == nil {
		return k, nil
	}
	k.Name = first(u.Profile.RealName, u.RealName, u.Profile.DisplayName)
	email := strings.TrimSpace(u.Profile.Email)
	owner := ""
	if email != "" {
		if owner, err = b.gateway.PartnerOfAddress(ctx, email); err != nil {
			return k, err
		}
	}
	if owner != "" && k.Partner == owner {
		k.Address = email
	}
	// The administrator of another workspace can write any address into a profile there.
	if !k.Internal || !u.IsEmailConfirmed || u.IsStranger || u.TeamID != i.Team || owner == "" {
		return k, nil
	}
	claims = append(claims, chat.Claim{By: chat.ByEmail, Partner: owner, Of: "the confirmed address " + email})
	k.Speaker = chat.Speaks(claims...)
	if k.Partner == owner {
		k.Address = email
		return k, b.about(ctx, &k)
	}
	return k, nil
}

// asked has somebody answer what he was asked about a case where nothing else tells for whom he
// speaks: a direct message is no channel of his partner.
func (b *Bot) asked(ctx context.Context, p person, k known, number string) (known, error) {
	if k.Known() || k.Disputed || number == "" {
		return k, nil
	}
	at, err := recall[place](ctx, b.memory, placeName(number))
	if err != nil || len(at.Asked) == 0 || at.Partner == "" || at.User != p.User || at.Home != p.Home {
		return k, err
	}
	k.Speaker = chat.Speaker{Partner: at.Partner, Strength: intake.StrengthVerified, By: chat.ByChannel, How: "the one whom we have asked about " + number}
	return k, b.about(ctx, &k)
}

// about fills in what the directory says of the partner.
func (b *Bot) about(ctx context.Context, k *known) error {
	p, err := b.gateway.Partner(ctx, k.Partner)
	if err != nil {
		return err
	}
	if p.Locale != "" {
		k.Locale = p.Locale
	}
	k.Barred = p.Barred(b.now())
	return nil
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// name is what a person is called where he has no address: "slack:T024BE7LD/U024BE7LH".
func (p person) name() string { return addressPrefix + first(p.Home, p.Team) + "/" + p.User }

const addressPrefix = "slack:"

// sender is a person as he is stored with what he sends.
func (p person) sender(k known) intake.Sender {
	s := intake.Sender{Address: first(k.Address, p.name()), Name: k.Name, Strength: k.Strength, How: k.How}
	s.How += fmt.Sprintf("; user %s of workspace %s", p.User, first(p.Home, p.Team))
	if k.Internal {
		s.How += ", which is ours"
	}
	return s
}

// route is where a person is answered.
func (b *Bot) route(p person, k known) intake.Route {
	t := thread{Enterprise: p.Enterprise, Team: p.Team, User: p.User, Home: p.Home, Partner: k.Partner}
	if k.Shared && k.Known() && b.cfg.Cards == CardsChannel {
		t.Channel = p.Channel
	}
	if b.mayPost(p.Reply) {
		t.Reply, t.ReplyEnds = p.Reply, b.now().Add(replyLife)
	}
	return intake.Route{Channel: Channel, Address: first(k.Address, p.name()), Thread: t.encode()}
}
