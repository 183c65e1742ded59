package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	spaceGathered = "gathered" // staffKey → gathered
	spaceWeekly   = "weekly"   // "told" → when the week was told last

	// maxGathered bounds the cases that a mail names of those that came in within an hour,
	// maxDigested those that a line of a week names. All are counted.
	maxGathered = 50
	maxDigested = 20

	weeklyHour = 8 // on Mondays
	surveyPage = 200
	// soonEnding is how long before its end a hold is told of, undeliveredFor how long what
	// did not arrive is.
	soonEnding     = 14 * day
	undeliveredFor = 28 * day
)

// gathered are the cases that one person will be told of together.
type gathered struct {
	To    string       `json:"to"`
	Lines []DigestLine `json:"lines,omitempty"`
	N     int          `json:"n"` // counts mails
	Due   bool         `json:"due"`
}

// staffLine is where a case counts in a mail about many, by what a mail of its own would be.
var staffLine = map[MessageKind]string{StaffQueued: DigestPending, StaffNextStep: DigestApproved}

// addLine counts a case once in a line, and names it if it is one of the first.
func addLine(lines []DigestLine, name, number string) []DigestLine {
	i := slices.IndexFunc(lines, func(l DigestLine) bool { return l.Name == name })
	if i < 0 {
		i, lines = len(lines), append(lines, DigestLine{Name: name})
	}
	l := &lines[i]
	if slices.Contains(l.Cases, number) {
		return lines
	}
	if l.Count++; len(l.Cases) < maxGathered {
		l.Cases = append(l.Cases, number)
	}
	return lines
}

// gatherStaff keeps a case that is too much to be told by itself for one mail in an hour.
func (c *change) gatherStaff(m Message) error {
	key := staffKey(m.To.Address)
	var d gathered
	if err := ignoreNotFound(getJSON(c, spaceGathered, key, &d)); err != nil {
		return err
	}
	for _, number := range m.briefed() {
		d.Lines = addLine(d.Lines, staffLine[m.Kind], number)
	}
	d.To = m.To.Address
	if !d.Due {
		d.Due = true
		d.N++
		c.over = append(c.over, d.To)
		t := Task{Key: fmt.Sprintf("gathered:%s:%d", d.To, d.N), Lane: LaneTimer, Case: "gathered:" + key, Due: c.at.Add(time.Hour), Payload: quoted(key)}
		if err := c.Enqueue(t); err != nil {
			return err
		}
	}
	return putJSON(c, spaceGathered, key, d)
}

// runGathered tells a person of the cases that were gathered.
func (g *Gateway) runGathered(_ context.Context, t Task) (effect, error) {
	var key string
	if err := json.Unmarshal(t.Payload, &key); err != nil {
		return nil, Permanent(fmt.Errorf("cases of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		var d gathered
		if err := getJSON(c, spaceGathered, key, &d); err != nil || !d.Due {
			return ignoreNotFound(err)
		}
		b := Brief{Gathered: true, Digest: d.Lines}
		id := fmt.Sprintf("D-%s.%d", shortID(key), d.N)
		if err := c.tellStaff(Contact{Email: d.To}, StaffDigest, b, id, c.programFacts(Partner{})); err != nil {
			return err
		}
		return putJSON(c, spaceGathered, key, gathered{To: d.To, N: d.N})
	}, nil
}

// monday is the first Monday morning after t, in the programme's zone.
func (g *Gateway) monday(t time.Time) time.Time {
	at := g.oclock(weeklyHour, t)
	return at.AddDate(0, 0, (int(time.Monday)-int(at.Weekday())+7)%7)
}

// awaitWeek sees to it that the next week is told.
func (c *change) awaitWeek(after time.Time) error {
	if c.g.staffChannel == "" {
		return nil
	}
	return c.await("weekly", LaneTimer, c.g.monday(after))
}

// runWeekly tells staff how the registrations stand, and has that done again in a week. What
// was missed while nobody was at work is told once: of several tasks that are late, and of two
// beside each other, the first one that comes tells, for all of that week.
func (g *Gateway) runWeekly(ctx context.Context, t Task) (effect, error) {
	date, err := g.dayOf(t)
	if err != nil {
		return nil, err
	}
	s, err := g.surveyAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at all cases: %w", err)
	}
	return func(c *change) error {
		if err := c.awaitWeek(c.since(t)); err != nil {
			return err
		}
		var told time.Time
		err := getJSON(c, spaceWeekly, "told", &told)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		if err == nil && g.monday(told).After(c.at) {
			return nil
		}
		if err := c.tellWeek(s, date); err != nil {
			return err
		}
		return putJSON(c, spaceWeekly, "told", c.at)
	}, nil
}

func (c *change) tellWeek(s *survey, date string) error {
	for _, address := range slices.Sorted(maps.Keys(s.lines)) {
		var b Brief
		for _, name := range DigestNames() {
			l := DigestLine{Name: name}
			if found := s.lines[address][name]; found != nil {
				l = *found
				l.Cases = slices.Clone(l.Cases)
				slices.Reverse(l.Cases)
			}
			b.Digest = append(b.Digest, l)
		}
		if err := c.tellStaff(Contact{Email: address}, StaffDigest, b, "W-"+date, c.programFacts(Partner{})); err != nil {
			return err
		}
	}
	return nil
}

// survey is how the registrations stand, for each person who is told.
type survey struct {
	g     *Gateway
	at    time.Time
	lines map[string]map[string]*DigestLine // address → name → line; the newest case first
	known map[string]surveyed
}

// surveyed is what a survey has to know of a partner.
type surveyed struct {
	readers []string
	terms   Terms
}

// surveyAll looks at all live cases, a page at a time: nothing else waits for it. A case that
// moves meanwhile may be seen in both of its states, or in none.
func (g *Gateway) surveyAll(ctx context.Context) (*survey, error) {
	s := &survey{g: g, at: g.stamp(), lines: make(map[string]map[string]*DigestLine), known: make(map[string]surveyed)}
	for _, status := range Statuses() {
		if !status.Live() || status == StatusQuarantined {
			continue
		}
		if err := s.each(ctx, status); err != nil {
			return nil, err
		}
	}
	return s, s.eachUndelivered(ctx)
}

func (s *survey) each(ctx context.Context, status Status) error {
	for q := (CaseQuery{Status: status, Limit: surveyPage}); ; {
		var page []Registration
		err := s.g.store.View(ctx, func(tx Tx) (err error) {
			if page, err = tx.ListCases(q); err != nil {
				return err
			}
			return s.meet(tx, page)
		})
		if err != nil {
			return err
		}
		for i := range page {
			for _, name := range s.linesOf(&page[i]) {
				s.count(&page[i], name)
			}
		}
		if len(page) < surveyPage {
			return nil
		}
		q.Before = page[len(page)-1].Seq
	}
}

// meet looks the partners of cases up.
func (s *survey) meet(tx Tx, cases []Registration) error {
	for _, r := range cases {
		if _, met := s.known[r.Partner]; met {
			continue
		}
		p, err := partner(tx, r.Partner)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		var readers []string
		for _, c := range []Contact{p.Manager, s.g.policy.Contact()} {
			address := strings.ToLower(c.Email)
			if address != "" && !slices.Contains(readers, address) {
				readers = append(readers, address)
			}
		}
		s.known[r.Partner] = surveyed{readers: readers, terms: s.g.policy.Terms(p)}
	}
	return nil
}

// linesOf are the lines of a digest in which r counts.
func (s *survey) linesOf(r *Registration) []string {
	var names []string
	in := func(name string, is bool) {
		if is {
			names = append(names, name)
		}
	}
	pending := r.Status == StatusInReview
	in(DigestPending, pending)
	in(DigestLate, s.late(r))
	in(DigestExpiring, r.Status.ends() && r.Protection.End.Before(s.at.Add(soonEnding)))
	in(DigestConflicts, r.Conflict != "")
	in(DigestIdle, r.Status.Holds() && s.idle(r))
	in(DigestDuplicates, pending && slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Reason == ReasonSimilarAccount }))
	in(DigestWaiting, r.Status == StatusNeedsInfo)
	return names
}

// late reports whether a decision on r is overdue. A new promise does not mend a broken one.
func (s *survey) late(r *Registration) bool {
	switch r.Status {
	case StatusInReview:
		return wasLate(r.Rang) || !r.DecisionDue.IsZero() && s.at.After(r.DecisionDue)
	case StatusAppeal:
		return !r.Appeal.Plan.IsZero() && s.at.After(r.Appeal.Plan)
	}
	return false
}

func (s *survey) idle(r *Registration) bool {
	idle := s.known[r.Partner].terms.Idle
	since := r.Activity
	if r.Since.After(since) {
		since = r.Since
	}
	return idle != (Span{}) && s.at.After((&change{g: s.g}).later(since, idle))
}

// count adds r to a line of everybody who reads of it.
func (s *survey) count(r *Registration, name string) {
	for _, address := range s.known[r.Partner].readers {
		if s.lines[address] == nil {
			s.lines[address] = make(map[string]*DigestLine)
		}
		l := s.lines[address][name]
		if l == nil {
			l = &DigestLine{Name: name}
			s.lines[address][name] = l
		}
		l.Count++
		if l.Cases = append(l.Cases, r.Number); len(l.Cases) > maxDigested {
			l.Cases = l.Cases[1:] // the oldest wait for longest
		}
	}
}

// eachUndelivered counts the cases about which something did not arrive lately, and nothing has
// arrived since.
func (s *survey) eachUndelivered(ctx context.Context) error {
	last := ""
	for after, more := "", true; more; {
		var page []Entry
		var cases []Registration
		err := s.g.store.View(ctx, func(tx Tx) (err error) {
			if page, err = tx.ScanRecords(spaceUndelivered, "", after, surveyPage); err != nil {
				return err
			}
			if cases, err = s.undelivered(tx, page); err != nil {
				return err
			}
			return s.meet(tx, cases)
		})
		if err != nil {
			return err
		}
		for i := range cases {
			if cases[i].Number != last {
				s.count(&cases[i], DigestUndelivered)
			}
			last = cases[i].Number
		}
		if more = len(page) == surveyPage; more {
			after = page[len(page)-1].Key
		}
	}
	return nil
}

// undelivered returns the cases of entries, those of one case beside each other.
func (s *survey) undelivered(tx Tx, entries []Entry) ([]Registration, error) {
	var cases []Registration
	for _, e := range entries {
		var at time.Time
		if err := decode(e, &at); err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(e.Key, "/")
		if s.at.Sub(at) > undeliveredFor {
			continue
		}
		r, err := tx.Case(number)
		if errors.Is(err, ErrNotFound) || err == nil && (r.Status == StatusErased || r.Status == StatusQuarantined) {
			continue
		}
		if err != nil {
			return nil, err
		}
		cases = append(cases, r)
	}
	return cases, nil
}
