package tryton

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"leadgate/intake"
)

const (
	// overlap is how far back the feed reads each time: a change bears the time at which its
	// transaction began, and is seen when it ends.
	overlap = 2 * time.Minute
	page    = 200
)

// cursor is how far the feed was read: to the newest change that was seen, and of those shortly
// before it which, so that they are not told again.
type cursor struct {
	At   time.Time        `json:"at,omitzero"`
	Seen map[string]int64 `json:"seen,omitempty"` // microseconds of At, by opportunity
}

// Changes returns which opportunities were changed since, as they are now. Deleted ones are not
// told; a push and Compare miss them.
func (c *Connector) Changes(ctx context.Context, from string) ([]intake.Change, string, error) {
	changes, next, err := c.changes(ctx, from)
	if err != nil {
		return nil, from, c.fail("read", "changes", err)
	}
	return changes, next, nil
}

func (c *Connector) changes(ctx context.Context, from string) ([]intake.Change, string, error) {
	var at cursor
	if from == "" {
		newest, err := c.newest(ctx)
		if err != nil {
			return nil, "", err
		}
		at.At = newest
	} else if err := json.Unmarshal([]byte(from), &at); err != nil {
		return nil, "", intake.Permanent(errors.New("the cursor is not one of ours"))
	}
	rows, err := c.since(ctx, at.At)
	if err != nil {
		return nil, "", err
	}
	next := cursor{At: at.At, Seen: make(map[string]int64)}
	for _, o := range rows {
		if o.at().After(next.At) {
			next.At = o.at()
		}
	}
	var fresh []*opportunity
	for _, o := range rows {
		key, stamp := strconv.Itoa(o.ID), o.at().UnixMicro()
		if at.Seen[key] != stamp {
			fresh = append(fresh, o)
		}
		if !o.at().Before(next.At.Add(-overlap)) {
			next.Seen[key] = stamp
		}
	}
	text, err := json.Marshal(next)
	if err != nil || from == "" {
		return nil, string(text), err
	}
	changes, err := c.tell(ctx, fresh)
	return changes, string(text), err
}

// newest is when an opportunity was changed last; a time long ago if there is none.
func (c *Connector) newest(ctx context.Context) (at time.Time, err error) {
	at = time.Unix(0, 0).UTC()
	for _, order := range []string{"write_date DESC", "create_date DESC"} {
		where := clause{}
		if order == "write_date DESC" {
			where = clause{clause{"write_date", "!=", nil}}
		}
		rows, err := c.opportunities(ctx, where, 0, 1, order)
		if err != nil {
			return at, err
		}
		for _, o := range rows {
			if o.at().After(at) {
				at = o.at()
			}
		}
	}
	return at, nil
}

// since reads what was changed from a time on, and a little before it, in the order of the changes.
func (c *Connector) since(ctx context.Context, at time.Time) (all []*opportunity, err error) {
	from := datetime(at.Add(-overlap))
	where := clause{
		"OR",
		clause{"write_date", ">=", from},
		clause{clause{"write_date", "=", nil}, clause{"create_date", ">=", from}},
	}
	for last := 0; ; { // to the end: of many that bear one time, the last would never be seen
		// By id and not by how many there were: somebody may delete one meanwhile.
		rows, err := c.opportunities(ctx, clause{where, clause{"id", ">", last}}, 0, page, "id ASC")
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < page {
			break
		}
		last = rows[len(rows)-1].ID
	}
	slices.SortStableFunc(all, func(a, b *opportunity) int {
		return cmp.Or(a.at().Compare(b.at()), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// caseForm is what case numbers look like.
var caseForm = regexp.MustCompile(`^[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z]$`)

// tell makes changes of opportunities: of cases, and of deals that people made.
func (c *Connector) tell(ctx context.Context, rows []*opportunity) (all []intake.Change, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	states, err := c.states(ctx)
	if err != nil {
		return nil, err
	}
	main, err := c.mainOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	domains, err := c.domainsOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	for _, o := range rows {
		ch := intake.Change{At: o.at(), Account: intake.Lead{}}
		if d := domains[o.Party]; d != "" {
			ch.Account[intake.FieldCompanyDomain] = d
		}
		if o.Customer.Name != "" {
			ch.Account[intake.FieldCompanyName] = o.Customer.Name
		}
		switch id, ours := main[o.Reference]; {
		case ours && id != o.ID: // a copy that somebody made of the record of a case
			continue
		case ours:
			ch.Case, ch.Fields = o.Reference, c.told(o, states)
		default:
			if m, ok := c.match(o); ok {
				ch.Deal = &m
				all = append(all, ch)
			}
			continue
		}
		all = append(all, ch)
	}
	return all, nil
}

// mainOf returns which opportunity is that of the case, by the case numbers among references. Where
// there are several that nobody can choose from, it is none.
func (c *Connector) mainOf(ctx context.Context, rows []*opportunity) (map[string]int, error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	main := make(map[string]int)
	var ask []string
	for _, o := range rows {
		if !caseForm.MatchString(o.Reference) {
			continue
		}
		if main[o.Reference] = o.ID; o.Creator != s.user && !slices.Contains(ask, o.Reference) {
			ask = append(ask, o.Reference)
		}
	}
	for chunk := range slices.Chunk(ask, page) {
		all, err := c.opportunities(ctx, clause{clause{"reference", "in", chunk}}, 0, page*maxCopies, "id ASC")
		if err != nil {
			return nil, err
		}
		for _, number := range chunk {
			of := slices.DeleteFunc(slices.Clone(all), func(o *opportunity) bool { return o.Reference != number })
			keep, _, err := choose(of, s.user)
			if err != nil || keep == nil {
				main[number] = 0
				continue
			}
			main[number] = keep.ID
		}
	}
	return main, nil
}

// told are the fields of a change.
func (c *Connector) told(o *opportunity, states map[string]string) map[string]string {
	f := map[string]string{
		intake.ChangeStatus:  c.outcome(o.State),
		intake.ChangeOwner:   o.Owner.Person.Name,
		intake.ChangeContact: o.Owner.Person.Email,
		intake.ChangeStage:   cmp.Or(states[o.State], o.State),
		intake.ChangeAmount:  "",
		intake.ChangeClose:   "",
	}
	if n := canonical(string(o.Amount)); n != "" {
		f[intake.ChangeAmount] = n + " " + o.Seller.Currency.Code
	}
	if !o.End.IsZero() {
		f[intake.ChangeClose] = o.End.Format(time.DateOnly)
	}
	return f
}

// outcome is what a state means; a state of a module that the mapping does not name is open.
func (c *Connector) outcome(state string) string {
	return cmp.Or(c.config.Mapping.Stages[state], outcomes[state], intake.DealOpen)
}

// states returns what people call the states of opportunities.
func (c *Connector) states(ctx context.Context) (map[string]string, error) {
	c.cache.mu.Lock()
	states := c.cache.states
	c.cache.mu.Unlock()
	if states != nil {
		return states, nil
	}
	var about map[string]struct{ Selection [][]string }
	if err := c.call(ctx, &about, "sale.opportunity.fields_get", []string{"state"}); err != nil {
		return nil, err
	}
	states = make(map[string]string)
	for _, pair := range about["state"].Selection {
		if len(pair) == 2 {
			states[pair[0]] = pair[1]
		}
	}
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	c.cache.states = states
	return states, nil
}

// domainsOf returns the domains of the parties of opportunities, by party.
func (c *Connector) domainsOf(ctx context.Context, rows []*opportunity) (map[int]string, error) {
	var parties []int
	for _, o := range rows {
		if o.Party != 0 && !slices.Contains(parties, o.Party) {
			parties = append(parties, o.Party)
		}
	}
	domains := make(map[int]string)
	for chunk := range slices.Chunk(parties, page) {
		var all []mechanism
		err := c.call(ctx, &all, "party.contact_mechanism.search_read",
			clause{clause{"party", "in", chunk}, clause{"type", "in", []string{"website", "email"}}}, 0, maxMechanisms*10,
			clause{clause{"id", "ASC"}}, []string{"party", "type", "value", "name"})
		if err != nil {
			return nil, err
		}
		for _, kind := range []string{"website", "email"} {
			for _, m := range all {
				if m.Type == kind && domains[m.Party] == "" {
					domains[m.Party] = m.domain()
				}
			}
		}
	}
	return domains, nil
}

// match is what an opportunity is to a look-up: an open deal, or a customer's.
func (c *Connector) match(o *opportunity) (m intake.Match, ok bool) {
	m = intake.Match{
		CRM: c.Name(), Activity: o.at(),
		Ref: intake.Ref{ID: strconv.Itoa(o.ID), URL: c.link(o.ID)},
	}
	if caseForm.MatchString(o.Reference) {
		m.Case = o.Reference
	}
	switch c.outcome(o.State) {
	case intake.DealOpen:
		m.Kind = intake.MatchOpenDeal
	case intake.DealWon:
		m.Kind = intake.MatchCustomer
	}
	return m, m.Kind != ""
}

// Lookup finds the company by its domain, or by its name if the lead has none, and what there is of
// it: opportunities that are open or won, sales, and the party itself.
func (c *Connector) Lookup(ctx context.Context, l intake.Lead) ([]intake.Match, error) {
	all, err := c.lookup(ctx, l)
	if err != nil {
		return nil, c.fail("look up", "company", err)
	}
	return all, nil
}

const maxFound = 100

func (c *Connector) lookup(ctx context.Context, l intake.Lead) (found []intake.Match, err error) {
	parties, err := c.parties(ctx, l)
	if err != nil || len(parties) == 0 {
		return nil, err
	}
	rows, err := c.opportunities(ctx, clause{clause{"party", "in", parties}}, 0, maxFound, "create_date DESC")
	if err != nil {
		return nil, err
	}
	customer := false
	for _, o := range rows {
		if m, ok := c.match(o); ok {
			found = append(found, m)
			customer = customer || m.Kind == intake.MatchCustomer
		}
	}
	if !customer {
		var sales []struct {
			ID    int `json:"id"`
			Party int `json:"party"`
		}
		err := c.call(ctx, &sales, "sale.sale.search_read",
			clause{clause{"party", "in", parties}, clause{"state", "in", []string{"confirmed", "processing", "done"}}}, 0, 1,
			clause{clause{"id", "DESC"}}, []string{"party"})
		if err != nil {
			return nil, err
		}
		for _, s := range sales {
			found = append(found, c.ofParty(intake.MatchCustomer, s.Party))
		}
	}
	for _, p := range parties {
		found = append(found, c.ofParty(intake.MatchAccount, p))
	}
	return found, nil
}

func (c *Connector) ofParty(kind intake.MatchKind, party int) intake.Match {
	return intake.Match{CRM: c.Name(), Kind: kind, Ref: intake.Ref{
		ID:  fmt.Sprintf("party.party,%d", party),
		URL: c.config.WebURL + web + c.config.Database + "/model/party.party/" + strconv.Itoa(party),
	}}
}

// parties returns the ids of those that are the company of a lead.
func (c *Connector) parties(ctx context.Context, l intake.Lead) (ids []int, err error) {
	domain, name := l[intake.FieldCompanyDomain], oneLine(l[intake.FieldCompanyName])
	if domain == "" {
		if name != "" {
			err = c.call(ctx, &ids, "party.party.search", clause{clause{"name", "ilike", escape(name)}}, 0, 10, clause{clause{"id", "ASC"}})
		}
		return ids, err
	}
	all, err := c.mechanisms(ctx, domain, "")
	for _, m := range all {
		if !slices.Contains(ids, m.Party) {
			ids = append(ids, m.Party)
		}
	}
	return ids, err
}
