package intake

import (
	"context"
	"time"
)

// PartnersOfSlack returns the ids of the partner to whom a shared channel belongs and of the one
// whose workspace it is; each is "" if there is none, the second also if several partners share a
// workspace. Slack.Team is the workspace of a person, not the one in which our app is.
func (g *Gateway) PartnersOfSlack(ctx context.Context, s Slack) (channel, team string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		channel, team = "", ""
		if s.Channel != "" {
			if channel, err = listedUnder(tx, spacePartnerRoom, s.Channel); err != nil {
				return err
			}
		}
		if s.Team == "" {
			return nil
		}
		entries, err := tx.ScanRecords(spacePartnerSlack, s.Team+"/", "", partnerPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if id := string(e.Value); team == "" || team == id {
				team = id
				continue
			}
			team = ""
			break
		}
		return nil
	})
	return channel, team, err
}

// PartnerOfTeams returns the id of the partner of a tenant, or "".
func (g *Gateway) PartnerOfTeams(ctx context.Context, t Teams) (id string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		id, err = partnerByTeams(tx, t)
		return err
	})
	return id, err
}

// PartnerOfAddress returns the id of the partner for whom an address speaks, be it one who has left,
// or "". Whether somebody has the address is not looked at here.
func (g *Gateway) PartnerOfAddress(ctx context.Context, address string) (id string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		id, err = partnerOf(tx, address)
		return err
	})
	return id, err
}

// Barred reports whether a partner takes no part in the programme now: those who speak for it are
// told nothing that they ask for.
func (p Partner) Barred(now time.Time) bool { return p.barred(now) }
