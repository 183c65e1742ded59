package hubspot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

const (
	// overlap is how late a change may come to be found by a search.
	overlap = 10 * time.Minute
	// maxSeen bounds what a cursor remembers of the overlap; what it forgets is told again.
	maxSeen  = 5000
	pageRows = 200
	maxPages = 25     // in one reading, which has a minute
	maxFresh = 1000   // records in one reading, and what is left of a page
	maxFound = 10_000 // of what one search has found can be had
)

// cursor is how far the feed was read.
type cursor struct {
	Version int `json:"v"`
	// Since is when the feed began; what is older is not told.
	Since    time.Time `json:"since"`
	Deals    stream    `json:"deals"`
	Meetings stream    `json:"meetings"`
}

// stream is a position among the records of a kind, by when they changed last. Seen are those that
// were read and changed since From: id and time.
type stream struct {
	From time.Time `json:"from"`
	Seen []string  `json:"seen,omitempty"`
}

func markOf(o *object) string {
	return o.ID + ":" + strconv.FormatInt(moment(o.Properties[modified]).UnixMilli(), 10)
}

// Changes reads what happened since a cursor: two searches by the time of the last change, and what
// belongs to deals without a case and to meetings, if there are any. A search is late, so that ten
// minutes are read again each time, and what was in them is not told twice.
func (c *Connector) Changes(ctx context.Context, at string) ([]intake.Change, string, error) {
	changes, next, err := c.read(ctx, at)
	if err != nil {
		return nil, at, c.fail("read", "changes", err)
	}
	return changes, next, nil
}

func (c *Connector) read(ctx context.Context, at string) (changes []intake.Change, next string, err error) {
	if at == "" {
		f, err := c.search(ctx, deals, [][]filter{{{caseProperty, "HAS_PROPERTY", ""}}}, []string{modified}, "-"+modified, "0", 1)
		if err != nil {
			return nil, "", err
		}
		return nil, cursor{Version: 1, Since: f.now, Deals: stream{From: f.now}, Meetings: stream{From: f.now}}.String(), nil
	}
	var p cursor
	if err := json.Unmarshal([]byte(at), &p); err != nil || p.Version != 1 {
		return nil, at, intake.Permanent(fmt.Errorf("%.40q is not a cursor of HubSpot", at))
	}
	changed, err := c.advance(ctx, deals, dealProperties, p.Since, &p.Deals)
	if err != nil {
		return nil, at, err
	}
	met, err := c.advance(ctx, meetings, []string{modified}, p.Since, &p.Meetings)
	if err != nil {
		return nil, at, err
	}
	if changes, err = c.tell(ctx, changed); err != nil {
		return nil, at, err
	}
	more, err := c.tellMeetings(ctx, met)
	if err != nil {
		return nil, at, err
	}
	changes = append(changes, more...)
	inOrder(changes)
	return changes, p.String(), nil
}

func (p cursor) String() string {
	b, err := json.Marshal(p)
	if err != nil { // plain data
		return ""
	}
	return string(b)
}

func inOrder(changes []intake.Change) {
	slices.SortStableFunc(changes, func(a, b intake.Change) int { return a.At.Compare(b.At) })
}

// advance reads the records of a kind that changed and were not read yet, some thousand at most, and
// moves the position on.
func (c *Connector) advance(ctx context.Context, kind string, properties []string, since time.Time, st *stream) (fresh []*object, err error) {
	var now, last time.Time
	seen := make(map[string]time.Time)
	for _, m := range st.Seen {
		_, ms, _ := strings.Cut(m, ":")
		seen[m] = moment(ms)
	}
	at, after, more := st.From, "0", true
	for range maxPages {
		// A time in milliseconds is what HubSpot compares these properties with.
		f, err := c.search(ctx, kind, [][]filter{{{modified, "GTE", strconv.FormatInt(at.UnixMilli(), 10)}}}, properties, modified, after, pageRows)
		if err != nil {
			return nil, err
		}
		if now.IsZero() {
			now = f.now
		}
		for _, o := range f.Results {
			mark := markOf(o)
			last = moment(o.Properties[modified])
			if _, known := seen[mark]; !known && !last.Before(since) {
				fresh = append(fresh, o)
			}
			seen[mark] = last
		}
		next := f.Paging.Next.After
		if more = next != "" && len(f.Results) > 0; !more || len(fresh) >= maxFresh {
			break
		}
		switch {
		case last.After(at): // what changes while we read moves to the end, so that no place in the list is sure
			at, after = last, "0"
		case integer(next)+pageRows > maxFound: // too many changed in one moment
			at, after = at.Add(time.Millisecond), "0"
		default:
			after = next
		}
	}
	next := now.Add(-overlap)
	if more && last.Before(next) { // what comes after that is read next
		next = last
	}
	if next.After(st.From) {
		st.From = next
	}
	maps.DeleteFunc(seen, func(_ string, at time.Time) bool { return at.Before(st.From) })
	st.Seen = slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		return cmp.Or(seen[b].Compare(seen[a]), strings.Compare(a, b))
	})
	if len(st.Seen) > maxSeen {
		st.Seen = st.Seen[:maxSeen]
	}
	return fresh, nil
}

// tell makes changes of deals: what people may have changed of those of cases, and those of others
// that are open, with their company. Cases whose deals were made one with another are gone.
func (c *Connector) tell(ctx context.Context, all []*object) (changes []intake.Change, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	a, err := c.details(ctx)
	if err != nil {
		return nil, err
	}
	lines, err := c.pipelines(ctx)
	if err != nil {
		return nil, err
	}
	var others []*object
	var merged []string
	into := make(map[string]*object)
	for _, d := range all {
		for _, id := range strings.FieldsFunc(d.Properties["hs_merged_object_ids"], func(r rune) bool { return r == ';' || r == ',' }) {
			if id = strings.TrimSpace(id); id != d.ID {
				merged = append(merged, id)
				into[id] = d
			}
		}
		if d.Properties[caseProperty] == "" {
			if c.outcome(lines, d) == intake.DealOpen {
				others = append(others, d)
			}
			continue
		}
		ch, err := c.change(ctx, a, lines, d)
		if err != nil {
			return nil, err
		}
		changes = append(changes, ch)
	}
	gone, err := c.gone(ctx, merged)
	if err != nil {
		return nil, err
	}
	for id, number := range gone {
		if w := into[id]; w.Properties[caseProperty] != number {
			changes = append(changes, intake.Change{Case: number, At: moment(w.Properties[modified]), Gone: true})
		}
	}
	more, err := c.tellOthers(ctx, a, others)
	if err != nil {
		return nil, err
	}
	changes = append(changes, more...)
	inOrder(changes)
	return changes, nil
}

// change is what there is to tell of the deal of a case.
func (c *Connector) change(ctx context.Context, a account, lines pipelines, d *object) (intake.Change, error) {
	v := d.Properties
	ch := intake.Change{Case: v[caseProperty], At: moment(v[modified]), Fields: map[string]string{
		intake.ChangeStatus: c.outcome(lines, d), intake.ChangeNextStep: v["hs_next_step"], intake.ChangeAmount: "", intake.ChangeClose: "",
		intake.ChangeStage: v["dealstage"], intake.ChangeOwner: "", intake.ChangeContact: "",
	}}
	if to := c.config.Mapping.Ends[v[prefix+"status"]]; to != "" && to == v["dealstage"] {
		delete(ch.Fields, intake.ChangeStatus) // we have moved it there
	}
	if ch.At.IsZero() {
		ch.At = d.UpdatedAt.UTC()
	}
	if s, ok := lines.stage(v["pipeline"], v["dealstage"]); ok {
		ch.Fields[intake.ChangeStage] = s.Label
	} else if v["dealstage"] != "" {
		c.lines.forget() // somebody has made a stage since
	}
	if v["amount"] != "" {
		ch.Fields[intake.ChangeAmount] = strings.TrimSpace(v["amount"] + " " + cmp.Or(v["deal_currency_code"], a.Currency))
	}
	if at := moment(v["closedate"]); !at.IsZero() {
		ch.Fields[intake.ChangeClose] = date(at, c.zone())
	}
	if at := moment(v["notes_last_contacted"]); !at.IsZero() {
		ch.Fields[intake.ChangeActivity] = at.Format(time.RFC3339)
	}
	if id := v["hubspot_owner_id"]; id != "" {
		o, err := c.owner(ctx, id)
		if err != nil {
			return ch, err
		}
		ch.Fields[intake.ChangeOwner], ch.Fields[intake.ChangeContact] = o.name(), o.Email
	}
	return ch, nil
}

// tellOthers makes changes of deals of direct sales.
func (c *Connector) tellOthers(ctx context.Context, a account, all []*object) (changes []intake.Change, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	var ids, of []string
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	links, err := c.links(ctx, deals, ids, companies)
	if err != nil {
		return nil, err
	}
	for _, some := range links {
		of = append(of, some...)
	}
	found, err := c.readAll(ctx, companies, of, "", []string{"name", "domain"})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*object)
	for _, o := range found {
		byID[o.ID] = o
	}
	for _, d := range all {
		for _, id := range links[d.ID] {
			o := byID[id]
			if o == nil {
				continue
			}
			m := c.match(a, intake.MatchOpenDeal, d)
			changes = append(changes, intake.Change{At: moment(d.Properties[modified]), Deal: &m, Account: intake.Lead{
				intake.FieldCompanyName: o.Properties["name"], intake.FieldCompanyDomain: o.Properties["domain"],
			}})
		}
	}
	return changes, nil
}

// gone returns the cases of deals that are not there any more, by the ids that these had.
func (c *Connector) gone(ctx context.Context, ids []string) (map[string]string, error) {
	cases := make(map[string]string)
	if len(ids) == 0 {
		return cases, nil
	}
	all, err := c.readAll(ctx, deals, ids, "", []string{caseProperty}, true)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if number := d.Properties[caseProperty]; number != "" {
			cases[d.ID] = number
		}
	}
	return cases, nil
}
