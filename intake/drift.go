package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	spaceDrift  = "drift" // CRM → drifting
	driftPrefix = "drift:"
	// nightHour is when the CRMs are compared, in the programme's zone.
	nightHour = 3
	// driftPage is how many cases are compared at once, maxDrift how many differences a message
	// lists, and maxTold how many are remembered as told.
	driftPage = 100
	maxDrift  = 50
	maxTold   = 20_000
)

// drifting is how far the comparison of a night is.
type drifting struct {
	Night  string       `json:"night"`            // the day on which it began
	Before uint64       `json:"before,omitempty"` // the Seq below which the rest of the cases is
	Done   bool         `json:"done,omitempty"`
	Found  []Difference `json:"found,omitempty"` // that are new
	Count  int          `json:"count,omitempty"` // all of them
	// Told are the hashes of the differences of the last night that was compared to its end, Seen
	// those of this one.
	Told []string `json:"told,omitempty"`
	Seen []string `json:"seen,omitempty"`
}

// night is the next moment after t at which the CRMs are compared.
func (g *Gateway) night(t time.Time) time.Time { return g.oclock(nightHour, t).UTC() }

// lasts reports whether a push leaves a difference as it is.
func (d Difference) lasts() bool { return d.Stays != "" || d.ID == "" }

func (d Difference) hash() string {
	return shortID(strings.Join([]string{d.Case, d.Object, d.ID, d.Field, d.There, d.Ours}, "\x00"))
}

// String says where a CRM differs, in a line.
func (d Difference) String() string {
	what := d.Case + " " + d.Object
	if d.ID == "" {
		return what + " is not there"
	}
	s := fmt.Sprintf("%s %s %s: %q there, %q here", what, d.ID, d.Field, cut(d.There, 80), cut(d.Ours, 80))
	if d.Stays != "" {
		s += "; it stays: " + d.Stays
	}
	return s
}

// compareNightly compares a page of all cases, and at the end of them tells the programme's contact
// what differs, a push would not mend, and was not told the night before.
func (g *Gateway) compareNightly(ctx context.Context, crm CRM) (again error) {
	now, name := g.stamp(), crm.Name()
	tonight := now.In(g.policy.Zone()).Format(time.DateOnly)
	var d drifting
	err := g.store.View(ctx, func(tx Tx) error {
		d = drifting{}
		return ignoreNotFound(getJSON(tx, spaceDrift, name, &d))
	})
	if err != nil {
		return err
	}
	next := RetryAfter(g.night(now).Sub(now), errPullAgain)
	switch {
	case d.Done && d.Night == tonight, g.staffChannel == "":
		return next
	case d.Done || d.Night == "":
		d = drifting{Night: tonight, Told: d.Seen}
	}
	found, before, err := g.comparePage(ctx, crm, d.Before)
	g.gates[name].note(ctx, PullLane(name), err)
	if answered(err) {
		g.log.Error("a CRM can't be compared", "crm", name, "err", err)
		return next
	}
	if err != nil {
		return fmt.Errorf("compare %s: %w", name, err)
	}
	for _, diff := range found {
		if !diff.lasts() {
			continue
		}
		d.Count++
		h := diff.hash()
		if len(d.Seen) < maxTold {
			d.Seen = append(d.Seen, h)
		}
		if !slices.Contains(d.Told, h) && len(d.Found) < maxDrift {
			d.Found = append(d.Found, diff)
		}
	}
	d.Before, d.Done = before, before == 0
	err = g.update(ctx, func(c *change) error {
		put := d
		if put.Done && len(put.Found) > 0 {
			if err := c.tellDrift(name, put); err != nil {
				return err
			}
			put.Found = nil
		}
		return putJSON(c, spaceDrift, name, put)
	})
	if err != nil || d.Done {
		return errors.Join(err, next)
	}
	return RetryAfter(0, errPullAgain)
}

func (c *change) tellDrift(crm string, d drifting) error {
	lines := []string{fmt.Sprintf("%s: The records of these cases differ from what is known here, and no push mends it. New since the last comparison: %d, in all: %d.", crm, len(d.Found), d.Count)}
	for _, diff := range d.Found {
		lines = append(lines, diff.String())
	}
	lines = append(lines, "All of them: leadgate crm drift --crm "+crm)
	return c.tellOfCRMs(strings.Join(lines, "\n"), "drift/"+crm+"/"+d.Night)
}

// comparePage compares cases below a Seq, or the newest of all if that is 0, and returns the Seq to
// go on with; 0 at the end.
func (g *Gateway) comparePage(ctx context.Context, crm CRM, before uint64) (found []Difference, next uint64, err error) {
	var all []Record
	err = g.store.View(ctx, func(tx Tx) error {
		all, next = nil, 0
		cases, err := tx.ListCases(CaseQuery{Before: before, Limit: driftPage})
		if err != nil {
			return err
		}
		for i := range cases {
			if !cases[i].compared(crm.Name()) {
				continue
			}
			rec, err := g.recordOf(tx, cases[i].Number)
			if err != nil {
				return err
			}
			all = append(all, rec)
		}
		if len(cases) == driftPage {
			next = cases[len(cases)-1].Seq
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return nil, next, err
	}
	found, err = crm.(Comparer).Compare(ctx, all)
	return found, next, err
}

// compared reports whether r is to be found in a CRM as it is here.
func (r *Registration) compared(crm string) bool {
	ref, there := r.CRM[crm]
	return there && !ref.Gone && r.Status.Live() && r.Status != StatusQuarantined
}
