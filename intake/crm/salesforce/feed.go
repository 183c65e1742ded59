package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

const (
	pageRows = 200
	maxPages = 5
	// overlap is how late Salesforce may commit what it stamped before.
	overlap = 5 * time.Minute
	// maxSeen bounds what a cursor remembers of the overlap; what it forgets is told again.
	maxSeen = 2000
)

// cursor is how far the feed was read.
type cursor struct {
	Version int `json:"v"`
	// Since is when the feed began; what is older is not told.
	Since time.Time `json:"since"`
	// Ended is up to when meetings that are over were told.
	Ended         time.Time `json:"ended"`
	Registrations stream    `json:"registrations"`
	Deals         stream    `json:"deals"`
	Meetings      stream    `json:"meetings"`
}

// stream is a position among the rows of an object, by SystemModstamp and Id. Without an ID it is at
// the beginning of the overlap, in which Seen tells what was read.
type stream struct {
	From time.Time `json:"from"`
	ID   string    `json:"id,omitempty"`
	Seen []string  `json:"seen,omitempty"`
}

func (st stream) where() string {
	if st.ID == "" {
		return bind("SystemModstamp >= ?", st.From)
	}
	return bind("(SystemModstamp > ? OR (SystemModstamp = ? AND Id > ?))", st.From, st.From, st.ID)
}

const inOrder = " ORDER BY SystemModstamp ASC, Id ASC LIMIT 200"

// reading is a stream that is being read.
type reading struct {
	stream
	began stream
	fresh []record // not seen before
	read  []string
	done  bool
}

func newReading(st stream) *reading { return &reading{stream: st, began: st} }

// take takes a page in; now is the server's clock.
func (r *reading) take(page []record, since, now time.Time) {
	for _, row := range page {
		mark := rowMark(row)
		r.read = append(r.read, mark)
		if !row.time("SystemModstamp").Before(since) && !slices.Contains(r.began.Seen, mark) {
			r.fresh = append(r.fresh, row)
		}
	}
	if len(page) == pageRows {
		last := page[len(page)-1]
		r.From, r.ID = last.time("SystemModstamp"), last.text("Id")
		return
	}
	r.done = true
	r.From = now.Add(-overlap)
	if r.began.ID == "" && r.began.From.After(r.From) { // one that began in the middle goes back over what is new
		r.From = r.began.From
	}
	r.ID = ""
}

// end is the position from which to go on.
func (r *reading) end() stream {
	st := r.stream
	st.Seen = r.read
	if r.began.ID != "" || !r.done { // what was read before is in the overlap as well
		st.Seen = append(slices.Clone(r.began.Seen), r.read...)
	}
	if n := len(st.Seen); n > maxSeen {
		st.Seen = st.Seen[n-maxSeen:]
	}
	return st
}

// rowMark stands for a row as it is: its stamp has whole seconds, in which it may change twice.
func rowMark(r record) string {
	b, _ := json.Marshal(r) // it came as JSON
	return hash(string(b))
}

// calm is how long to leave between two readings when the org's calls run out.
func (s *Salesforce) calm() time.Duration {
	switch used := s.usage.Load(); {
	case used > 950:
		return 30 * time.Minute
	case used > 800:
		return 5 * time.Minute
	}
	return 0
}

// Changes reads what happened since cursor: one call, two if there was a meeting. When four fifths
// of the org's calls are used it reads every five minutes, and then every half hour.
func (s *Salesforce) Changes(ctx context.Context, at string) ([]intake.Change, string, error) {
	s.mu.Lock()
	wait := s.calm() - s.c.Now().Sub(s.polled)
	s.mu.Unlock()
	if wait > 0 && at != "" {
		return nil, at, nil
	}
	changes, next, err := s.changes(ctx, at)
	if err != nil {
		return nil, at, s.fail("read changes", err)
	}
	s.mu.Lock()
	s.polled = s.c.Now()
	s.mu.Unlock()
	return changes, next, nil
}

func (s *Salesforce) changes(ctx context.Context, at string) ([]intake.Change, string, error) {
	if at == "" {
		return s.begin(ctx)
	}
	var c cursor
	if err := json.Unmarshal([]byte(at), &c); err != nil || c.Version != 1 {
		return nil, at, intake.Permanent(fmt.Errorf("%.40q is not a cursor of Salesforce", at))
	}
	regs, deals, meetings := newReading(c.Registrations), newReading(c.Deals), newReading(c.Meetings)
	var over []record
	until := c.Ended
	for page := range maxPages {
		out, queries := make(map[string]*[]record), []step(nil)
		ask := func(ref string, r *reading, soql string) *[]record {
			rows := new([]record)
			if !r.done {
				out[ref] = rows
				queries = append(queries, s.queryAll(ref, soql+r.where()+inOrder))
			}
			return rows
		}
		a := ask("reg", regs, "SELECT "+s.registrationColumns()+" FROM Partner_Registration__c WHERE ")
		b := ask("opp", deals, "SELECT "+s.dealRow()+" FROM Opportunity WHERE ")
		m := ask("event", meetings, "SELECT Id, WhatId, IsDeleted, SystemModstamp, StartDateTime, EndDateTime FROM Event WHERE "+onOurs+" AND ")
		if page == 0 {
			until = s.c.Now().UTC().Truncate(time.Second)
			out["over"] = &over
			queries = append(queries, s.query("over", bind("SELECT Id, WhatId, EndDateTime FROM Event WHERE "+onOurs+" AND EndDateTime > ? AND EndDateTime <= ? ORDER BY EndDateTime ASC LIMIT 2000", c.Ended, until)))
		}
		if len(out) == 0 {
			break
		}
		now, err := s.read(ctx, out, queries...)
		if err != nil {
			return nil, at, err
		}
		if now.IsZero() {
			now = s.c.Now().UTC()
		}
		for _, x := range []struct {
			r    *reading
			rows []record
		}{{regs, *a}, {deals, *b}, {meetings, *m}} {
			if !x.r.done {
				x.r.take(x.rows, c.Since, now)
			}
		}
	}
	all, err := s.met(ctx, append(over, meetings.fresh...), until)
	if err != nil {
		return nil, at, err
	}
	told, err := s.tell(ctx, regs.fresh, deals.fresh)
	if err != nil {
		return nil, at, err
	}
	all = append(all, told...)
	slices.SortStableFunc(all, func(a, b intake.Change) int { return a.At.Compare(b.At) })
	c.Registrations, c.Deals, c.Meetings, c.Ended = regs.end(), deals.end(), meetings.end(), until
	next, err := json.Marshal(c)
	return all, string(next), err
}

// begin returns the cursor of now, by the server's clock.
func (s *Salesforce) begin(ctx context.Context) ([]intake.Change, string, error) {
	var rows []record
	now, err := s.read(ctx, map[string]*[]record{"reg": &rows}, s.query("reg", "SELECT Id FROM Partner_Registration__c LIMIT 1"))
	if err != nil {
		return nil, "", err
	}
	if now.IsZero() {
		now = s.c.Now().UTC().Truncate(time.Second)
	}
	st := stream{From: now}
	b, err := json.Marshal(cursor{Version: 1, Since: now, Ended: now, Registrations: st, Deals: st, Meetings: st})
	return nil, string(b), err
}

// dealColumns are what is read of an opportunity to tell what became of it.
func (s *Salesforce) dealColumns(prefix string) string {
	names := []string{
		"Id", "Leadgate_Case__c", "Name", "StageName", "IsClosed", "IsWon", "Amount", "CloseDate", "NextStep", "OwnerId", "Owner.Name", "Owner.Email",
		"SystemModstamp", "LastModifiedById", "LastModifiedDate", "LastActivityDate", "AccountId", "Account.Name", "Account.Website", "Account.Leadgate_Domain__c",
	}
	if s.c.Currency == currencyMulti {
		names = append(names, "CurrencyIsoCode")
	}
	all := ""
	for i, n := range names {
		if i > 0 {
			all += ", "
		}
		all += prefix + n
	}
	return all
}

// fields tell an opportunity by the names of a Change.
func (s *Salesforce) fields(deal record) map[string]string {
	f := map[string]string{
		intake.ChangeStatus: s.outcome(deal), intake.ChangeOwner: deal.text("Owner.Name"), intake.ChangeContact: deal.text("Owner.Email"),
		intake.ChangeStage: deal.text("StageName"), intake.ChangeClose: deal.text("CloseDate"), intake.ChangeNextStep: deal.text("NextStep"),
	}
	code := s.c.Currency
	if code == currencyMulti {
		code = deal.text("CurrencyIsoCode")
	}
	if code != "" {
		f[intake.ChangeAmount] = ""
		if v := deal.text("Amount"); v != "" {
			f[intake.ChangeAmount] = v + " " + code
		}
	}
	if at := deal.time("LastActivityDate"); !at.IsZero() {
		f[intake.ChangeActivity] = at.Format(time.RFC3339)
	}
	return f
}

func (s *Salesforce) outcome(deal record) string {
	if v := s.c.Mapping.Stages[deal.text("StageName")]; v != "" {
		return v
	}
	switch {
	case deal.text("IsWon") == "true":
		return intake.DealWon
	case deal.text("IsClosed") == "true":
		return intake.DealLost
	}
	return intake.DealOpen
}

// registrationColumns and dealRow are what is read of rows of which tell tells.
func (s *Salesforce) registrationColumns() string {
	return "Id, IsDeleted, SystemModstamp, LastModifiedById, Case_Number__c, Wrote__c, " + s.dealColumns("Opportunity__r.")
}

func (s *Salesforce) dealRow() string {
	return s.dealColumns("") + ", IsDeleted, (SELECT Case_Number__c, Wrote__c FROM Partner_Registrations__r LIMIT 20)"
}

// tell makes changes of registrations and of opportunities. What is deleted, and an opportunity
// that bears the number of a case whose registration is not tied to it, is held against the
// registration that there is, in one call more: people may have made the record again, or tied it to
// a deal of theirs and ended ours.
func (s *Salesforce) tell(ctx context.Context, regs, deals []record) (all []intake.Change, err error) {
	var ask []string
	doubt := func(number string) {
		if number != "" && !slices.Contains(ask, number) {
			ask = append(ask, number)
		}
	}
	for _, row := range regs {
		if row.text("IsDeleted") == "true" {
			doubt(row.text("Case_Number__c"))
		}
	}
	for _, row := range deals {
		if number := row.text(keyOpportunity); tiedTo(row, number) == nil {
			doubt(number)
		}
	}
	now := make(map[string]record) // the registrations that there are, by case number
	for part := range slices.Chunk(ask, 100) {
		var rows []record
		_, err := s.read(ctx, map[string]*[]record{"reg": &rows}, s.query("reg", bind("SELECT Case_Number__c, Opportunity__c FROM Partner_Registration__c WHERE Case_Number__c IN ?", part)))
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			now[row.text("Case_Number__c")] = row
		}
	}
	for _, row := range regs {
		all = append(all, s.ofRegistration(row, now)...)
	}
	for _, row := range deals {
		all = append(all, s.ofDeal(row, now)...)
	}
	return all, nil
}

// tiedTo returns the registration of a case that is tied to an opportunity, nil if it is not.
func tiedTo(deal record, number string) record {
	for _, reg := range deal.children("Partner_Registrations__r") {
		if strings.EqualFold(reg.text("Case_Number__c"), number) {
			return reg
		}
	}
	return nil
}

// ofRegistration tells of a registration that was deleted, or of the deal that it is tied to.
func (s *Salesforce) ofRegistration(row record, now map[string]record) []intake.Change {
	c := intake.Change{Case: row.text("Case_Number__c"), At: row.time("SystemModstamp")}
	deal := row.ref("Opportunity__r")
	switch {
	case c.Case == "":
		return nil
	case row.text("IsDeleted") == "true":
		if now[c.Case] != nil { // it was made again
			return nil
		}
		c.Gone = true
	case deal == nil:
		return nil
	default:
		// We may have written last while somebody has tied it to another deal just before.
		c.Fields, c.Own = s.fields(deal), s.byUs(row) && s.asWritten(deal, row)
	}
	return []intake.Change{c}
}

func (s *Salesforce) byUs(row record) bool {
	have := s.session.Load()
	return have != nil && have.user != "" && sameID(row.text("LastModifiedById"), have.user)
}

// ofDeal tells of an opportunity: of the cases whose registrations are tied to it, or of somebody of
// direct sales.
func (s *Salesforce) ofDeal(row record, now map[string]record) (all []intake.Change) {
	c := intake.Change{At: row.time("SystemModstamp"), Account: company(row.ref("Account"))}
	gone, number, tied := row.text("IsDeleted") == "true", row.text(keyOpportunity), row.children("Partner_Registrations__r")
	if number == "" && len(tied) == 0 {
		if gone || s.outcome(row) == intake.DealLost || len(c.Account) == 0 {
			return nil
		}
		m := s.match(row)
		c.Deal = &m
		return []intake.Change{c}
	}
	if reg := tiedTo(row, number); reg == nil && number != "" {
		at := now[number].text("Opportunity__c")
		if at == "" || sameID(at, row.text("Id")) { // else people have tied the case to another deal
			tied = append(tied, record{"Case_Number__c": number})
		}
	}
	for _, reg := range tied {
		of := c
		if of.Case = reg.text("Case_Number__c"); gone {
			of.Gone = strings.EqualFold(of.Case, number)
		} else {
			of.Fields, of.Own = s.fields(row), s.byUs(row) && s.asWritten(row, reg)
		}
		if of.Gone || !gone {
			all = append(all, of)
		}
	}
	return all
}

// asWritten reports whether an opportunity holds nothing but what we wrote: who wrote last may be us
// while somebody else has changed something just before.
func (s *Salesforce) asWritten(row, reg record) bool {
	var wrote map[string]string
	if json.Unmarshal([]byte(reg.text("Wrote__c")), &wrote) != nil {
		return false
	}
	for _, f := range []string{"Name", "StageName", "Amount", "CloseDate", "NextStep", "OwnerId"} {
		is, was := row.text(f), wrote[objOpportunity+"."+f]
		ours := was == hash(is) || was == "" && is == "" || f == "OwnerId" && was == "" && sameID(is, s.session.Load().user)
		if !ours {
			return false
		}
	}
	return true
}

// company is an account as a lead names it.
func company(account record) intake.Lead {
	lead := intake.Lead{}
	if v := account.text("Name"); v != "" {
		lead[intake.FieldCompanyName] = v
	}
	if v := websiteHost(account.text("Website")); v != "" {
		lead[intake.FieldCompanyDomain] = v
	} else if v := account.text(keyAccount); v != "" {
		lead[intake.FieldCompanyDomain] = v
	}
	return lead
}

func (s *Salesforce) match(deal record) intake.Match {
	m := intake.Match{
		CRM: s.c.Name, Kind: intake.MatchOpenDeal, Ref: s.dealRef(deal.text("Id"), objOpportunity),
		Case: deal.text(keyOpportunity), Activity: deal.time("LastActivityDate"),
	}
	if m.Activity.IsZero() {
		m.Activity = deal.time("LastModifiedDate")
	}
	if s.outcome(deal) == intake.DealWon {
		m.Kind = intake.MatchCustomer
	}
	return m
}

func (s *Salesforce) dealRef(id, object string) intake.Ref {
	ref := intake.Ref{ID: id}
	if have := s.session.Load(); have != nil {
		ref.URL = have.instance + "/lightning/r/" + object + "/" + id + "/view"
	}
	return ref
}

// onOurs are the events of what can be a case's.
const onOurs = "What.Type IN ('Opportunity', 'Partner_Registration__c')"

// met tells the first meeting of each case that events are about, as the org has them now.
func (s *Salesforce) met(ctx context.Context, rows []record, now time.Time) ([]intake.Change, error) {
	at, what := make(map[string]time.Time), ids(nil)
	for _, row := range rows {
		id := row.text("WhatId")
		if !isID(id) {
			continue
		}
		if _, there := at[id]; !there {
			what = append(what, id)
		}
		when := row.time("SystemModstamp")
		if when.IsZero() {
			when = row.time("EndDateTime")
		}
		if when.After(at[id]) {
			at[id] = when
		}
	}
	if len(what) == 0 {
		return nil, nil
	}
	var all []intake.Change
	for part := range slices.Chunk(what, 100) {
		var regs, events []record
		_, err := s.read(ctx, map[string]*[]record{"reg": &regs, "event": &events},
			s.query("reg", bind("SELECT Id, Case_Number__c, Opportunity__c, Submitted_At__c FROM Partner_Registration__c WHERE Id IN ? OR Opportunity__c IN ? LIMIT 1000", part, part)),
			s.query("event", bind("SELECT WhatId, StartDateTime, EndDateTime FROM Event WHERE WhatId IN ? ORDER BY StartDateTime ASC LIMIT 2000", part)))
		if err != nil {
			return nil, err
		}
		for _, reg := range regs {
			all = append(all, meeting(reg, events, at, now))
		}
	}
	return all, nil
}

// meeting tells the first event of a registration, or of its deal, since it came.
func meeting(reg record, events []record, at map[string]time.Time, now time.Time) intake.Change {
	id, deal := reg.text("Id"), reg.text("Opportunity__c")
	c := intake.Change{Case: reg.text("Case_Number__c"), At: at[id], Fields: map[string]string{intake.ChangeMeeting: ""}}
	if at[deal].After(c.At) {
		c.At = at[deal]
	}
	for _, e := range events {
		what, start, end := e.text("WhatId"), e.time("StartDateTime"), e.time("EndDateTime")
		if !sameID(what, id) && !sameID(what, deal) || start.IsZero() || end.Before(reg.time("Submitted_At__c")) {
			continue
		}
		c.Fields[intake.ChangeMeeting] = start.Format(time.RFC3339)
		if !end.After(now) {
			c.Fields[intake.ChangeHeld] = "true"
		}
		break
	}
	return c
}
