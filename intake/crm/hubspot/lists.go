package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"leadgate/intake"
)

// pipeline is one of deals.
type pipeline struct {
	ID     string  `json:"id"`
	Label  string  `json:"label"`
	Order  float64 `json:"displayOrder"`
	Stages []stage `json:"stages"`
}

type stage struct {
	ID       string            `json:"id"`
	Label    string            `json:"label"`
	Order    float64           `json:"displayOrder"`
	Metadata map[string]string `json:"metadata"`
}

// outcome is what a stage means: it says whether it is closed, and how probable a deal in it is.
// https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
func (s stage) outcome() string {
	p, err := strconv.ParseFloat(s.Metadata["probability"], 64)
	switch {
	case s.Metadata["isClosed"] != "true" || err != nil:
		return intake.DealOpen
	case p >= 1:
		return intake.DealWon
	case p <= 0:
		return intake.DealLost
	}
	return intake.DealOpen
}

// pipelines are those of deals, in their order.
type pipelines []pipeline

func (ps pipelines) stage(pipeline, id string) (stage, bool) {
	for _, p := range ps {
		i := slices.IndexFunc(p.Stages, func(s stage) bool { return s.ID == id })
		if i >= 0 && (pipeline == "" || p.ID == pipeline) {
			return p.Stages[i], true
		}
	}
	return stage{}, false
}

func (c *Connector) pipelines(ctx context.Context) (pipelines, error) {
	return c.lines.get(ctx, func(ctx context.Context) (pipelines, error) {
		var out struct {
			Results pipelines `json:"results"`
		}
		_, err := c.call(ctx, http.MethodGet, c.path("pipelines", "/deals"), nil, &out)
		if err == nil && len(out.Results) == 0 {
			err = errAnswer
		}
		for _, p := range out.Results {
			slices.SortStableFunc(p.Stages, func(a, b stage) int { return int(a.Order - b.Order) })
		}
		slices.SortStableFunc(out.Results, func(a, b pipeline) int { return int(a.Order - b.Order) })
		return out.Results, err
	})
}

// start is where new deals are.
func (c *Connector) start(ctx context.Context) (line, first string, err error) {
	var all pipelines
	if c.config.Mapping.Stage == "" {
		if all, err = c.pipelines(ctx); err != nil {
			return "", "", err
		}
	}
	line, first = c.first(all)
	return line, first, nil
}

// first is where new deals are, as far as the pipelines are known.
func (c *Connector) first(all pipelines) (line, first string) {
	m := c.config.Mapping
	if m.Stage != "" {
		return m.Pipeline, m.Stage
	}
	for _, p := range all {
		if (m.Pipeline == "" || p.ID == m.Pipeline) && len(p.Stages) > 0 {
			return p.ID, p.Stages[0].ID
		}
	}
	return m.Pipeline, "" // HubSpot says what is wrong with it
}

// outcome says whether a deal is open, won or lost: as the mapping says of its stage, as its pipeline
// does, or as HubSpot has it.
func (c *Connector) outcome(all pipelines, d *object) string {
	id := d.Properties["dealstage"]
	if v := c.config.Mapping.Stages[id]; v != "" {
		return v
	}
	switch {
	case d.Properties["hs_is_closed_won"] == "true":
		return intake.DealWon
	case d.Properties["hs_is_closed"] == "true":
		return intake.DealLost
	case d.Properties["hs_is_closed"] == "false":
		return intake.DealOpen
	}
	if s, ok := all.stage(d.Properties["pipeline"], id); ok {
		return s.outcome()
	}
	return intake.DealOpen
}

// owner is a user, or one who was.
type owner struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	First    string `json:"firstName"`
	Last     string `json:"lastName"`
	Archived bool   `json:"archived"`
}

func (o owner) name() string { return strings.TrimSpace(o.First + " " + o.Last) }

type owners map[string]owner

// maxOwnerPages bounds how many pages of owners are read.
const maxOwnerPages = 20

func (c *Connector) owners(ctx context.Context) (owners, error) {
	return c.people.get(ctx, func(ctx context.Context) (owners, error) {
		all := make(owners)
		after := ""
		for range maxOwnerPages {
			q := url.Values{"limit": {"500"}, "archived": {"false"}}
			if after != "" {
				q.Set("after", after)
			}
			var out struct {
				Results *[]owner `json:"results"`
				paging
			}
			_, err := c.call(ctx, http.MethodGet, c.path("owners", "?"+q.Encode()), nil, &out)
			if err == nil && out.Results == nil {
				err = errAnswer
			}
			if err != nil {
				return nil, err
			}
			for _, o := range *out.Results {
				all[o.ID] = o
			}
			if after = out.Paging.Next.After; after == "" {
				break
			}
		}
		return all, nil
	})
}

// owner returns who has an id. One who is not in the list came since it was read, or left.
func (c *Connector) owner(ctx context.Context, id string) (owner, error) {
	all, err := c.owners(ctx)
	if err != nil || id == "" {
		return owner{}, err
	}
	c.people.mu.Lock()
	o, ok := all[id]
	c.people.mu.Unlock()
	if ok {
		return o, nil
	}
	for _, archived := range []string{"false", "true"} {
		_, err = c.call(ctx, http.MethodGet, c.path("owners", "/"+url.PathEscape(id)+"?archived="+archived), nil, &o)
		if err == nil || !missing(err) {
			break
		}
	}
	if missing(err) {
		o, err = owner{ID: id}, nil
	}
	if err == nil {
		c.people.mu.Lock()
		all[id] = o
		c.people.mu.Unlock()
	}
	return o, err
}

// ownerFor is the id of who gets the deal of a new case: the executive of the partner, if he is a user
// there, else whom the mapping names; "" for nobody.
func (c *Connector) ownerFor(ctx context.Context, r intake.Record) (string, error) {
	for _, email := range []string{r.Partner.Executive.Email, c.config.Mapping.Owner} {
		if email == "" {
			continue
		}
		id, err := c.ownerBy(ctx, email)
		if err != nil || id != "" {
			return id, err
		}
	}
	return "", nil
}

func (c *Connector) ownerBy(ctx context.Context, email string) (string, error) {
	all, err := c.owners(ctx)
	if err != nil {
		return "", err
	}
	c.people.mu.Lock()
	defer c.people.mu.Unlock()
	for id, o := range all {
		if !o.Archived && strings.EqualFold(o.Email, email) {
			return id, nil
		}
	}
	return "", nil
}
