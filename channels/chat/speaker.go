package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"leadgate/intake"
)

// Directory tells which partner a place or an address is of; a Gateway.
type Directory interface {
	PartnersOfSlack(ctx context.Context, s intake.Slack) (channel, team string, err error)
	PartnerOfTeams(ctx context.Context, t intake.Teams) (string, error)
	PartnerOfAddress(ctx context.Context, address string) (string, error)
}

var _ Directory = (*intake.Gateway)(nil)

// By is how somebody is known to speak for a partner.
type By string

// The ways, the surest first.
const (
	ByChannel By = "channel" // the place belongs to one partner, as staff have set
	ByTeam    By = "team"    // his workspace or tenant is the partner's
	ByLink    By = "link"    // he has shown that an address of the partner is his
	ByEmail   By = "email"   // the vendor's own workspace vouches for his address
)

// Ways is the full set, in the order in which they count.
func Ways() []By { return []By{ByChannel, ByTeam, ByLink, ByEmail} }

// Claim is one thing that tells for whom somebody speaks. Partner is "" if it tells nothing.
type Claim struct {
	By      By
	Partner string
	// Of is what it rests on, for staff: "channel C024BE91L".
	Of string
}

// Speaker is for whom somebody speaks.
type Speaker struct {
	// Partner is "" if nothing tells, or if Disputed.
	Partner  string
	Strength intake.Strength
	By       By
	// How is the evidence, in words for staff.
	How string
	// Disputed says that two claims name different partners, so that a person has to decide.
	Disputed bool
}

// Known reports whether it is certain for whom somebody speaks.
func (s Speaker) Known() bool { return s.Partner != "" }

// Speaks weighs claims: the first of Ways that names a partner counts, unless another names
// someone else.
func Speaks(claims ...Claim) Speaker {
	var first Claim
	var others []string
	for _, by := range Ways() {
		for _, c := range claims {
			switch {
			case c.By != by || c.Partner == "":
			case first.Partner == "":
				first = c
			case c.Partner != first.Partner:
				others = append(others, fmt.Sprintf("%s is of %s", c.Of, c.Partner))
			}
		}
	}
	switch {
	case first.Partner == "":
		return Speaker{Strength: intake.StrengthUnverified, How: "nothing tells for whom the person speaks"}
	case len(others) > 0:
		return Speaker{
			Strength: intake.StrengthUnverified, Disputed: true,
			How: fmt.Sprintf("%s is of %s, but %s", first.Of, first.Partner, strings.Join(others, ", and ")),
		}
	}
	s := Speaker{Partner: first.Partner, By: first.By, Strength: intake.StrengthVerified, How: first.Of}
	if first.By == ByEmail {
		s.Strength = intake.StrengthDomain
	}
	return s
}

// Partners tells of a partner by id; a Gateway.
type Partners interface {
	Partner(ctx context.Context, id string) (intake.Partner, error)
}

// MailFor is where somebody is written to whom the chat program can't reach: the address of his
// route, or if that is none the first contact of the partner for whom he spoke who can be written
// to; "" if there is nobody.
func MailFor(ctx context.Context, all Partners, address, partner string) (string, error) {
	if strings.Contains(address, "@") {
		return address, nil
	}
	if partner == "" {
		return "", nil
	}
	p, err := all.Partner(ctx, partner)
	if err != nil && !errors.Is(err, intake.ErrNotFound) {
		return "", err
	}
	if i := slices.IndexFunc(p.Contacts, func(c intake.Contact) bool { return c.Status == "" && c.Email != "" }); i >= 0 {
		return p.Contacts[i].Email, nil
	}
	return "", nil
}
