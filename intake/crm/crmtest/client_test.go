package crmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

const token = "token-that-is-secret"

// client is a connector for remote. The zero flaws are an honest one.
type client struct {
	base   string
	http   *http.Client
	flaws  map[flaw]bool
	mu     sync.Mutex
	pushed map[string]bool
	rounds int
}

// flaw is a way to write a connector wrongly.
type flaw string

const (
	creates        flaw = "creates records instead of upserting them"
	createsNotes   flaw = "creates notes instead of upserting them"
	overwrites     flaw = "overwrites a newer revision"
	dropsErrors    flaw = "takes every answer for a success"
	neverPermanent flaw = "retries what no retry heals"
	allPermanent   flaw = "parks what a retry heals"
	ignoresDelay   flaw = "does not read Retry-After"
	leaksSecret    flaw = "puts its token into errors"
	leaksBody      flaw = "puts the answer's body into errors"
	ignoresContext flaw = "does not stop when cancelled"
	waitsForever   flaw = "has no time-out"
	followsRedir   flaw = "follows redirects"
	manglesStrings flaw = "drops line breaks"
	tellsStaff     flaw = "sends the whole registration"
	remembersEarly flaw = "remembers a push before it is done"
	retriesInside  flaw = "repeats at once by itself"
	forgetsUpdates flaw = "never updates a record"
	losesRevision  flaw = "does not send the revision"
	racy           flaw = "loses pushes that run at the same time"
	listensWrong   flaw = "tells of cases that are not there"

	remembersMade  flaw = "remembers what it made in its own memory"
	newCompanies   flaw = "makes a company for each case"
	newContacts    flaw = "makes a contact for each push"
	renames        flaw = "renames companies"
	overwritesHand flaw = "writes over what people changed"
	refills        flaw = "fills again what people emptied"
	neverFills     flaw = "fills nothing later on"
	deaf           flaw = "tells nothing of what people did"
	backwards      flaw = "tells the newest first"
	wrongCase      flaw = "tells it of another case"
	allOwn         flaw = "takes every change for its own"
	tooLate        flaw = "skips the first change"
	echoes         flaw = "tells something new after each push"
	chatty         flaw = "writes more with each push"
	hidesDeals     flaw = "tells of no deals but its own"
	noAccount      flaw = "does not say whose deal it is"
	blind          flaw = "finds nothing"
	farSighted     flaw = "finds what is of other companies"
	noCustomers    flaw = "takes won deals for open ones"
	complains      flaw = "misses what is there"
	seesNothing    flaw = "finds no difference"
	seesGhosts     flaw = "finds differences where there are none"
	keepsMum       flaw = "does not say which field was refused"
	takes401       flaw = "takes a refusal for a failure like any other"
)

func allFlaws() []flaw {
	return []flaw{
		creates, createsNotes, overwrites, dropsErrors, neverPermanent, allPermanent, ignoresDelay,
		leaksSecret, leaksBody, ignoresContext, waitsForever, followsRedir, manglesStrings, tellsStaff,
		remembersEarly, retriesInside, forgetsUpdates, losesRevision, racy, listensWrong,
		remembersMade, newCompanies, newContacts, renames, overwritesHand, refills, neverFills, deaf,
		backwards, wrongCase, allOwn, tooLate, echoes, chatty, hidesDeals, noAccount, blind, farSighted,
		noCustomers, complains, seesNothing, seesGhosts, keepsMum, takes401,
	}
}

var (
	_ intake.CRM      = (*client)(nil)
	_ intake.Verifier = (*client)(nil)
	_ intake.Comparer = (*client)(nil)
)

func (c *client) Name() string { return "client" }

func (c *client) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	g := r.Registration
	ref := intake.Ref{ID: "rec-" + g.Number, Revision: g.Revision, Wrote: g.CRM[c.Name()].Wrote}
	if c.skip(g) {
		return ref, nil
	}
	s := Stored{Case: g.Number, Revision: g.Revision, Status: g.Status, Lead: g.Lead.Clone()}
	if c.flaws[manglesStrings] {
		s.Lead[intake.FieldCompanyName] = strings.Join(strings.Fields(s.Lead[intake.FieldCompanyName]), " ")
	}
	if c.flaws[losesRevision] {
		s.Revision = 0
	}
	var there *deal
	if err := c.do(ctx, http.MethodGet, "/records/"+g.Number, nil, &there); err != nil {
		return ref, err
	}
	of, err := c.company(ctx, g.Lead, there)
	if err != nil {
		return ref, err
	}
	if err := c.make(ctx, c.flaws[newContacts], "/contacts/"+g.Lead[intake.FieldContactEmail], nil, nil); err != nil {
		return ref, err
	}
	d := deal{Stored: s, Company: of.ID, Values: make(map[PeopleField]string)}
	ref.Wrote = c.fill(d.Values, there, g.Lead, ref.Wrote)
	var body any = d
	if c.flaws[tellsStaff] {
		body = struct {
			deal
			All intake.Registration
		}{d, g}
	}
	path := "/records/" + g.Number
	if c.flaws[overwrites] {
		path += "?overwrite"
	}
	for range c.pushesOf(g.Number) - 1 {
		if err := c.make(ctx, false, path, body, nil); err != nil {
			return ref, err
		}
	}
	return ref, c.make(ctx, c.flaws[creates], path, body, nil)
}

// company makes or adopts the company of a lead.
func (c *client) company(ctx context.Context, l intake.Lead, there *deal) (of company, err error) {
	another := c.flaws[newCompanies] && there == nil
	body := map[string]any{"Name": l[intake.FieldCompanyName], "Rename": c.flaws[renames]}
	err = c.make(ctx, another, "/companies/"+l[intake.FieldCompanyDomain], body, &of)
	return of, err
}

// make puts, or posts what is to be another one.
func (c *client) make(ctx context.Context, another bool, path string, in, out any) error {
	method := http.MethodPut
	if another || c.flaws[remembersMade] && !c.known(path) {
		method = http.MethodPost
	}
	return c.do(ctx, method, path, in, out)
}

// known reports whether a path was asked about before.
func (c *client) known(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.pushed[path]
	c.pushed[path] = true
	return known
}

// pushesOf returns how often a push is sent.
func (c *client) pushesOf(string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rounds++
	if c.flaws[chatty] {
		return c.rounds
	}
	return 1
}

// fill sets what is empty in there and was not emptied by people, and returns what was written
// so far.
func (c *client) fill(values map[PeopleField]string, there *deal, l intake.Lead, wrote map[string]string) map[string]string {
	now := make(map[string]string)
	for f, v := range wrote {
		now[f] = v
	}
	for f, v := range map[PeopleField]string{PeopleDealName: l[intake.FieldCompanyName], PeopleAmount: l[intake.FieldTargetRevenue]} {
		_, before := wrote[string(f)]
		empty := there == nil || there.Values[f] == ""
		if c.flaws[overwritesHand] || empty && (!before || c.flaws[refills]) && (there == nil || !c.flaws[neverFills]) {
			values[f] = v
		}
		if v != "" {
			now[string(f)] = "written"
		}
	}
	return now
}

// skip is how the flaws that lose pushes lose them.
func (c *client) skip(g intake.Registration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := fmt.Sprint(g.Number, "#", g.Revision)
	known := c.pushed[key]
	c.pushed[key] = true
	switch {
	case c.flaws[remembersEarly]:
		return known
	case c.flaws[forgetsUpdates]:
		return g.Revision > 1
	case c.flaws[racy]:
		return len(c.pushed) == 7
	}
	return false
}

func (c *client) Note(ctx context.Context, _ intake.Ref, n intake.Note) error {
	e := n.Event
	if c.flaws[createsNotes] {
		return c.do(ctx, http.MethodPost, "/notes/"+e.Case, nil, nil)
	}
	return c.do(ctx, http.MethodPut, "/notes/"+e.Case+"/"+strconv.Itoa(e.N), nil, nil)
}

func (c *client) Lookup(ctx context.Context, l intake.Lead) (all []intake.Match, err error) {
	domain := l[intake.FieldCompanyDomain]
	if domain == "" || c.flaws[blind] {
		return nil, nil
	}
	path := "/deals?domain=" + url.QueryEscape(domain)
	if c.flaws[farSighted] {
		path += "&like"
	}
	var deals []deal
	if err := c.do(ctx, http.MethodGet, path, nil, &deals); err != nil {
		return nil, err
	}
	for _, d := range deals {
		if m := c.match(d); m.Kind != "" {
			all = append(all, m)
		}
	}
	return all, nil
}

func (c *client) match(d deal) intake.Match {
	m := intake.Match{CRM: c.Name(), Case: d.Case, Ref: intake.Ref{ID: d.ID}}
	switch outcome := d.Values[PeopleOutcome]; {
	case outcome == intake.DealOpen || outcome == intake.DealWon && c.flaws[noCustomers]:
		m.Kind = intake.MatchOpenDeal
	case outcome == intake.DealWon:
		m.Kind = intake.MatchCustomer
	}
	return m
}

func (c *client) Changes(ctx context.Context, cursor string) ([]intake.Change, string, error) {
	if c.flaws[listensWrong] {
		return []intake.Change{{Case: "LG-2026-999999-X", At: epoch}}, cursor, nil
	}
	var log []entry
	if err := c.do(ctx, http.MethodGet, "/changes?after="+cursor, nil, &log); err != nil {
		return nil, cursor, err
	}
	if len(log) == 0 || c.flaws[deaf] {
		return nil, cursor, nil
	}
	next, log := strconv.Itoa(log[0].N), log[1:]
	if c.flaws[tooLate] && len(log) > 0 {
		log = log[1:]
	}
	var all []intake.Change
	for _, e := range log {
		if ch, ok := c.change(e); ok {
			all = append(all, ch)
		}
	}
	if c.flaws[backwards] {
		slices.Reverse(all)
	}
	return all, next, nil
}

// names are those of a Change for the fields that people see.
var names = map[PeopleField]string{
	PeopleOwner: intake.ChangeOwner, PeopleStage: intake.ChangeStage, PeopleOutcome: intake.ChangeStatus,
	PeopleAmount: intake.ChangeAmount, PeopleCloseDate: intake.ChangeClose, PeopleNextStep: intake.ChangeNextStep,
}

func (c *client) change(e entry) (intake.Change, bool) {
	ch := intake.Change{Case: e.Deal.Case, At: e.At, Fields: make(map[string]string), Own: c.flaws[allOwn]}
	if ch.Case == "" {
		m := c.match(e.Deal)
		ch.Deal = &m
		if !c.flaws[noAccount] {
			ch.Account = intake.Lead{intake.FieldCompanyDomain: e.Domain}
		}
		return ch, !c.flaws[hidesDeals]
	}
	for f, name := range names {
		ch.Fields[name] = e.Deal.Values[f]
	}
	if c.flaws[echoes] {
		ch.Fields[intake.ChangeStage] = fmt.Sprint("stage as of ", e.Deal.Revision)
	}
	if c.flaws[wrongCase] {
		ch.Case = Sample(2, 1).Registration.Number
	}
	return ch, true
}

func (c *client) Verify(ctx context.Context) ([]intake.Lack, error) {
	if c.flaws[complains] {
		return []intake.Lack{{What: "field case"}}, nil
	}
	return nil, c.do(ctx, http.MethodGet, "/deals", nil, nil)
}

func (c *client) Compare(ctx context.Context, all []intake.Record) (found []intake.Difference, err error) {
	for _, r := range all {
		g := r.Registration
		var there *deal
		if err := c.do(ctx, http.MethodGet, "/records/"+g.Number, nil, &there); err != nil {
			return nil, err
		}
		if there == nil || c.flaws[seesNothing] {
			continue
		}
		if name := there.Values[PeopleDealName]; name != g.Lead[intake.FieldCompanyName] || c.flaws[seesGhosts] {
			found = append(found, intake.Difference{
				Case: g.Number, Object: "deal", ID: there.ID, Field: "name", There: name, Ours: g.Lead[intake.FieldCompanyName],
				Stays: "changed there by hand",
			})
		}
	}
	return found, nil
}

func (c *client) do(ctx context.Context, method, path string, v, out any) error {
	err := c.once(ctx, method, path, v, out)
	if err != nil && c.flaws[retriesInside] {
		err = c.once(ctx, method, path, v, out)
	}
	if c.flaws[dropsErrors] {
		return nil
	}
	return err
}

func (c *client) once(ctx context.Context, method, path string, v, out any) error {
	if c.flaws[ignoresContext] {
		ctx = context.WithoutCancel(ctx)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := c.judge(resp, answer); err != nil || out == nil {
		return err
	}
	_ = json.Unmarshal(answer, out)
	return nil
}

func (c *client) judge(resp *http.Response, answer []byte) error {
	code := resp.StatusCode
	if code < 300 {
		return nil
	}
	err := fmt.Errorf("answered %d", code)
	if c.flaws[leaksSecret] {
		err = fmt.Errorf("answered %d to %s", code, token)
	}
	if c.flaws[leaksBody] {
		err = errors.New(string(answer))
	}
	var refused struct{ Field string }
	if json.Unmarshal(answer, &refused) == nil && refused.Field != "" && !c.flaws[keepsMum] {
		err = fmt.Errorf("%w: look at the field %s", err, refused.Field)
	}
	if n, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && !c.flaws[ignoresDelay] {
		return intake.RetryAfter(time.Duration(n)*time.Second, err)
	}
	if code == 401 && c.flaws[takes401] {
		return err
	}
	if (code == 401 || code == 403) && !c.flaws[neverPermanent] && !c.flaws[allPermanent] {
		return intake.Unauthorized(err)
	}
	if (code >= 400 && code < 500 && code != 429 && !c.flaws[neverPermanent]) || c.flaws[allPermanent] {
		return intake.Permanent(err)
	}
	return err
}
