package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const spaceVerified = "verified" // CRM → when nothing was missing there

// ErrNotOffered: the CRM can't do what is asked for.
var ErrNotOffered = errors.New("nothing can be made there from here; leadgate crm verify says what is missing")

// CRMStatus is how the connection to a CRM is.
type CRMStatus struct {
	Name string `json:"name"`
	// Down says that nothing is written there, or nothing read, but one call now and then to see
	// whether it works again; Problem says why, Since since when, and Next when that is made.
	Down    bool      `json:"down"`
	Refused bool      `json:"refused,omitempty"`
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Next    time.Time `json:"next_call,omitzero"`
	// Queue is how many writes wait, Parked how many were given up and wait for staff.
	Queue  int `json:"queue"`
	Parked int `json:"parked"`
	// Polled is when its changes were read last by this process, NextPoll when they will be next.
	Polled   time.Time `json:"last_poll,omitzero"`
	NextPoll time.Time `json:"next_poll,omitzero"`
	// Verifies says that the connector can tell whether it is set up, Verified when nothing was
	// missing.
	Verifies bool      `json:"verifies"`
	Verified time.Time `json:"verified,omitzero"`
}

// down are the CRMs that do not work at the moment.
func (g *Gateway) down() (all []Condition) {
	for _, crm := range g.crms {
		if c := g.gates[crm.Name()].Condition(); c.Down {
			all = append(all, c)
		}
	}
	return all
}

// anyShut reports whether a CRM is not asked at the moment.
func (g *Gateway) anyShut() bool {
	return slices.ContainsFunc(g.crms, func(c CRM) bool { return g.gates[c.Name()].write.isShut() })
}

// status is what the gates know. Where both ways are shut, what is told is of writing.
func (g *gates) status() CRMStatus {
	w, f := g.write.status(), g.feed.status()
	s := CRMStatus{Name: g.crm, Down: w.Down || f.Down, Problem: cmp.Or(w.Problem, f.Problem), Polled: f.Polled}
	if !w.Down {
		w = f
	}
	s.Refused, s.Since, s.Next = w.Refused, w.Since, w.Next
	return s
}

// status is what a gate knows.
func (g *gate) status() CRMStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := CRMStatus{Down: !g.shut.IsZero(), Refused: g.refused, Problem: cmp.Or(g.problem, g.unread), Since: g.shut, Polled: g.polled}
	if s.Down {
		s.Next = g.next
	} else {
		s.Problem = g.unread
	}
	return s
}

// CRMs tells how the connections to the CRMs are.
func (g *Gateway) CRMs(ctx context.Context) (all []CRMStatus, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		all = []CRMStatus{}
		depth, err := tx.Depth()
		if err != nil {
			return err
		}
		for _, crm := range g.crms {
			name := crm.Name()
			s := g.gates[name].status()
			for _, lane := range []Lane{PushLane(name), PushListsLane(name)} {
				s.Queue += depth[lane].Open
				s.Parked += depth[lane].Parked
			}
			_, s.Verifies = crm.(Verifier)
			if err := ignoreNotFound(getJSON(tx, spaceVerified, name, &s.Verified)); err != nil {
				return err
			}
			open, err := tx.Open(pullPrefix + name)
			if err != nil {
				return err
			}
			for _, t := range open {
				s.NextPoll = t.Due
			}
			all = append(all, s)
		}
		return nil
	})
	return all, err
}

// crmsNamed are the CRM of a name, or all if it is "".
func (g *Gateway) crmsNamed(name string) ([]CRM, error) {
	if name == "" {
		return g.crms, nil
	}
	var names []string
	for _, crm := range g.crms {
		if crm.Name() == name {
			return []CRM{crm}, nil
		}
		names = append(names, crm.Name())
	}
	return nil, &ErrInput{fmt.Sprintf("no CRM is named %q; there are: %s", name, strings.Join(names, ", "))}
}

// CRMVerified is what a CRM misses.
type CRMVerified struct {
	Name  string `json:"name"`
	Lacks []Lack `json:"lacks"`
	// Problem says that it could not be looked at; Offered is false if the connector can't look.
	Problem string `json:"problem,omitempty"`
	Offered bool   `json:"offered"`
}

// VerifyCRM looks at whether a CRM is set up, or all of them if the name is "". Where nothing is
// missing any more, what waits for the CRM is tried within a minute.
func (g *Gateway) VerifyCRM(ctx context.Context, name string) ([]CRMVerified, error) {
	crms, err := g.crmsNamed(name)
	if err != nil {
		return nil, err
	}
	all := []CRMVerified{}
	for _, crm := range crms {
		v := CRMVerified{Name: crm.Name(), Lacks: []Lack{}}
		if looks, ok := crm.(Verifier); ok {
			v.Offered = true
			lacks, err := looks.Verify(ctx)
			v.Lacks = append(v.Lacks, lacks...)
			if err != nil {
				v.Problem = err.Error()
			}
			if err := g.keepVerified(ctx, v); err != nil {
				return nil, err
			}
			if v.Problem == "" && len(v.Lacks) == 0 {
				g.gates[v.Name].mended()
			}
		}
		all = append(all, v)
	}
	return all, nil
}

func (g *Gateway) keepVerified(ctx context.Context, v CRMVerified) error {
	if v.Problem != "" {
		return nil
	}
	return g.update(ctx, func(c *change) error {
		if len(v.Lacks) > 0 {
			return c.DeleteRecord(spaceVerified, v.Name)
		}
		return putJSON(c, spaceVerified, v.Name, c.at)
	})
}

// PrepareCRM makes what a CRM misses, and returns what it made; dry makes nothing and returns what
// would be made. ErrNotOffered.
func (g *Gateway) PrepareCRM(ctx context.Context, name string, dry bool) ([]string, error) {
	crms, err := g.crmsNamed(name)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, &ErrInput{"which CRM?"}
	}
	p, ok := crms[0].(Preparer)
	if !ok {
		return nil, fmt.Errorf("CRM %s: %w", name, ErrNotOffered)
	}
	made, err := p.Prepare(ctx, dry)
	return append([]string{}, made...), err
}

// CRMDrift is where a CRM differs from the cases.
type CRMDrift struct {
	Name string `json:"name"`
	// Offered is false if the connector can't compare.
	Offered     bool         `json:"offered"`
	Differences []Difference `json:"differences"`
	// Problem says that it could not be compared.
	Problem string `json:"problem,omitempty"`
	// Absent says that the case has no record there.
	Absent bool `json:"absent,omitempty"`
}

// CompareCase tells what a push of a case would change in a CRM, or in all if the name is "", and
// what stays there and why.
func (g *Gateway) CompareCase(ctx context.Context, number, name string) ([]CRMDrift, error) {
	canonical, ok := g.numbers.Parse(number)
	if !ok {
		return nil, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
	}
	crms, err := g.crmsNamed(name)
	if err != nil {
		return nil, err
	}
	var rec Record
	err = g.store.View(ctx, func(tx Tx) (err error) {
		rec, err = g.recordOf(tx, canonical)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("case %s: %w", canonical, err)
	}
	all := []CRMDrift{}
	for _, crm := range crms {
		d := CRMDrift{Name: crm.Name(), Differences: []Difference{}}
		if c, ok := crm.(Comparer); ok {
			d.Offered, d.Absent = true, rec.Registration.CRM[d.Name].ID == "" || rec.Registration.CRM[d.Name].Gone
			found, err := c.Compare(ctx, []Record{rec})
			if err != nil {
				d.Problem = err.Error()
			}
			d.Differences = append(d.Differences, found...)
		}
		all = append(all, d)
	}
	return all, nil
}

// Drift compares all live cases with a CRM, or with all if the name is "".
func (g *Gateway) Drift(ctx context.Context, name string) ([]CRMDrift, error) {
	crms, err := g.crmsNamed(name)
	if err != nil {
		return nil, err
	}
	all := []CRMDrift{}
	for _, crm := range crms {
		d := CRMDrift{Name: crm.Name(), Differences: []Difference{}}
		_, d.Offered = crm.(Comparer)
		for before, more := uint64(0), d.Offered; more; more = before != 0 {
			var found []Difference
			if found, before, err = g.comparePage(ctx, crm, before); err != nil {
				d.Problem = err.Error()
				break
			}
			d.Differences = append(d.Differences, found...)
		}
		all = append(all, d)
	}
	return all, nil
}

// Replayed is what was taken up of a case.
type Replayed struct {
	Case string `json:"case"`
	CRM  string `json:"crm"`
	// Tasks is how many writes that were given up are made again; Anew says that a record that was
	// deleted there is made again.
	Tasks int  `json:"tasks"`
	Anew  bool `json:"anew,omitempty"`
}

// Replay has what was given up of cases written to a CRM, or to all if crm is "", after what was
// wrong is mended, and makes records again that people deleted there. With no numbers it does so
// for all cases of which that is known; for cases that are named the CRM is asked besides, where it
// can be compared, for not every CRM tells of what was deleted.
func (g *Gateway) Replay(ctx context.Context, crm string, numbers []string) (all []Replayed, err error) {
	crms, err := g.crmsNamed(crm)
	if err != nil {
		return nil, err
	}
	for i, number := range numbers {
		canonical, ok := g.numbers.Parse(number)
		if !ok {
			return nil, &ErrInput{fmt.Sprintf("%q is not a case number", number)}
		}
		numbers[i] = canonical
	}
	named := len(numbers) > 0
	if !named {
		if numbers, err = g.givenUp(ctx); err != nil {
			return nil, err
		}
	}
	all = []Replayed{}
	for _, number := range numbers {
		for _, c := range crms {
			done, err := g.replay(ctx, number, c.Name(), named && g.lost(ctx, c, number))
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", number, err)
			}
			if done.Tasks > 0 || done.Anew {
				all = append(all, done)
			}
		}
	}
	return all, nil
}

// givenUp lists the cases of which something was not written to a CRM.
func (g *Gateway) givenUp(ctx context.Context) (numbers []string, err error) {
	for after, more := "", true; more; {
		var page []Entry
		err := g.store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.ScanRecords(spaceGivenUp, "", after, surveyPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			number, _, _ := strings.Cut(e.Key, "/")
			if n := len(numbers); n == 0 || numbers[n-1] != number {
				numbers = append(numbers, number)
			}
		}
		if more = len(page) == surveyPage; more {
			after = page[len(page)-1].Key
		}
	}
	return numbers, nil
}

// lost reports whether a CRM has no record of a case any more. One that does not answer says no.
func (g *Gateway) lost(ctx context.Context, crm CRM, number string) bool {
	c, ok := crm.(Comparer)
	if !ok {
		return false
	}
	var rec Record
	err := g.store.View(ctx, func(tx Tx) (err error) {
		rec, err = g.recordOf(tx, number)
		return err
	})
	if err != nil || !rec.Registration.compared(crm.Name()) {
		return false
	}
	found, err := c.Compare(ctx, []Record{rec})
	return err == nil && len(found) == 1 && found[0].ID == "" && found[0].Stays == ""
}

// replay takes up what was given up of a case; lost says that its record is not there any more.
func (g *Gateway) replay(ctx context.Context, number, crm string, lost bool) (done Replayed, err error) {
	err = g.update(ctx, func(c *change) error {
		done = Replayed{Case: number, CRM: crm}
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		if (r.CRM[crm].Gone || lost) && r.Status != StatusErased {
			done.Anew = true
			delete(r.CRM, crm)
			if err := c.record(&r, Event{Kind: EventGone, Actor: "staff", Note: "to be made again"}); err != nil {
				return err
			}
			if err := c.pushTo(&r, crm, PushLane(crm)); err != nil {
				return err
			}
		}
		done.Tasks, err = c.takeUp(number, func(l Lane) bool { return isPushTo(crm, l) })
		return err
	})
	return done, err
}
