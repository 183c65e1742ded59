package templates

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// staffView is all that a template of a message to staff can see. It is apart from view, so
// that nothing in it can come into a template of a message to a partner.
type staffView struct {
	Lang    string
	Subject string // set for the page alone
	Program string
	Case    string
	Company string
	// Title is what a subject names: the company, or else the case or the partner.
	Title    string
	Partner  string
	Status   string // the code
	Word     string
	Received string
	Due      string
	Until    string
	// Why is what happened in words, Percent how much of the time for a decision is gone.
	Why     []string
	Percent int
	// Advice is what the rules recommend; Open says that they leave it to a person.
	Advice   string
	Open     bool
	Findings []findingView
	Fields   []fieldView
	// Requests are what the partner asks for.
	Requests []string
	// Said is what the partner wrote, Question what he was asked.
	Said     []string
	Question []string
	// Turn is until when an account that became free is kept for the case.
	Turn string
	// Proposed is who made the first half of a decision of two persons.
	Proposed string
	// RevokedBy is who wants to take an approval back, RevokedFor why.
	RevokedBy  string
	RevokedFor string
	Conflict   *conflictView
	// Links are what can be done, Records what systems of record have.
	Links   []linkView
	Records []linkView
	// Digest are the numbers of the week, or with Gathered those of what came in at once.
	Digest   []digestView
	Gathered bool
	// List is the file of rows with which those came, ListID its id.
	List   *importView
	ListID string
	// What alerts are about.
	Outage   *outageView
	Renewals []renewalView
	Probe    *probeView
}

// outageView is something that does not work, or with Until works again; CRM is the name of a CRM, ""
// for a channel.
type outageView struct {
	Name, CRM, Since, Until string
	Again                   bool
}

// renewalView is a contract that ends soon; Account is a domain, Ends a day, Command confirms it.
type renewalView struct{ Account, Name, Ends, Partner, Command string }

// probeView is how many companies a partner registered, and how many of them are taken.
type probeView struct {
	Domains, Taken, Percent, Days int
	Cases                         string
}

// findingView is what one rule found.
type findingView struct{ Outcome, Reason, Evidence, Case string }

// conflictView is a dispute. Cases are in the order of the rules.
type conflictView struct {
	ID, Account, Type, Acknowledge, Plan, Owner string

	Cases, Deals []string
	Evidence     []evidenceView
	Commands     []commandView
}

// commandView is what can be done next on the command line. Verb is show, acknowledge or resolve.
type commandView struct{ Verb, Line string }

// evidenceView is one entry of the timeline of a dispute.
type evidenceView struct{ At, Case, Kind, Words string }

// linkView is something to open.
type linkView struct{ Words, URL string }

// digestView is one number of a digest, and the cases that it counts.
type digestView struct {
	Label string
	Count int
	Cases string
}

// newStaffView takes from a message what staff are told. The message has a Brief.
func newStaffView(m intake.Message, program, tag string) staffView {
	b, l, at := m.Brief, localeFor(tag), location(m.Facts.Zone)
	v := staffView{
		Lang: tag, Program: line(m.Facts.Program, maxShort), Case: line(m.Facts.Case, maxShort),
		Partner: line(b.Partner, maxShort), Due: l.moment(b.Due, at), Why: lines(b.Why), Percent: percent(b.Percent),
		Proposed: line(b.Proposed, maxShort),
		Conflict: l.conflict(b.Conflict, at), Gathered: b.Gathered,
	}
	if v.Program == "" {
		v.Program = line(program, maxShort)
	}
	if v.Partner == "" {
		v.Partner = line(b.PartnerID, maxShort)
	}
	if b.Registration != nil {
		v.registration(b.Registration, l, at)
	}
	if said := strings.TrimSpace(b.Said); said != strings.TrimSpace(b.Why) {
		v.Said = lines(said)
	}
	if m.Kind == intake.StaffConfirmBy && len(v.Why) == 0 {
		v.Why = lines(v.RevokedFor)
	}
	for _, a := range b.Links {
		if u := link(a.URL); u != "" && l.acts[a.Act] != "" {
			v.Links = append(v.Links, linkView{l.acts[a.Act], u})
		}
	}
	for _, d := range b.Digest {
		label := l.digest[d.Name]
		if label == "" {
			label = line(d.Name, maxShort)
		}
		if label == "" {
			continue
		}
		v.Digest = append(v.Digest, digestView{label, d.Count, line(strings.Join(d.Cases, ", "), maxSaid)})
	}
	if f := b.Import; f != nil {
		v.List, v.ListID = newImport(f, tag, at), line(f.ID, maxShort)
	}
	v.alerts(b, l, at)
	for _, title := range []string{v.Partner, v.Case, v.Company} {
		if title != "" {
			v.Title = short(title, maxTitle)
		}
	}
	return v
}

func (v *staffView) alerts(b *intake.Brief, l *locale, at *time.Location) {
	if o := b.Outage; o != nil {
		crm, _ := strings.CutPrefix(o.Name, intake.CRMCondition)
		if crm == o.Name {
			crm = ""
		}
		v.Outage = &outageView{Name: line(o.Name, maxShort), CRM: line(crm, maxShort), Since: l.moment(o.Since, at), Until: l.moment(o.Until, at), Again: o.Again}
		v.Why = append(v.Why, lines(o.Problem)...)
	}
	for _, r := range b.Renewals {
		account := line(r.Account, maxShort)
		if account == "" {
			continue
		}
		v.Renewals = append(v.Renewals, renewalView{
			Account: account, Name: cmp.Or(line(r.Name, maxShort), account), Ends: l.day(r.Ends, at), Partner: line(r.Partner, maxShort),
			Command: "leadgate accounts confirm-renewal " + account,
		})
	}
	if p := b.Probe; p != nil && p.Domains > 0 {
		v.Probe = &probeView{p.Domains, p.Taken, percent(100 * p.Taken / p.Domains), p.Days, line(strings.Join(p.Cases, ", "), maxSaid)}
	}
}

func (v *staffView) registration(r *intake.Registration, l *locale, at *time.Location) {
	v.Case, v.Status = line(r.Number, maxShort), string(r.Status)
	if v.Word = l.statuses[r.Status]; v.Word == "" {
		v.Word = line(string(r.Status), maxShort)
	}
	if v.Company = line(r.Lead[intake.FieldCompanyName], maxShort); v.Company == "" {
		v.Company = line(r.Lead[intake.FieldCompanyDomain], maxShort)
	}
	v.Received = l.moment(r.Claim, at)
	if r.Status.Holds() {
		v.Until = l.moment(r.Protection.End, at)
	}
	if v.Open = r.Advice == intake.OutcomeReview; !v.Open {
		v.Advice = l.outcomes[r.Advice]
	}
	v.Turn, v.Question = l.moment(r.Turn, at), lines(r.Question)
	for _, f := range r.Findings {
		if f.Reason == "" && f.Evidence == "" {
			continue // a rule that has nothing to say
		}
		v.Findings = append(v.Findings, findingView{
			Outcome: l.outcomes[f.Outcome], Reason: l.reason(f.Reason), Evidence: line(f.Evidence, maxLong), Case: line(f.Case, maxShort),
		})
	}
	var facts []intake.FieldFact
	for _, f := range intake.Fields() {
		facts = append(facts, intake.FieldFact{Field: f, Value: r.Lead[f], Words: r.Evidence[f]})
	}
	v.Fields = l.fields(facts)
	for _, verb := range r.Requests {
		if words := l.requests[verb]; words != "" {
			v.Requests = append(v.Requests, words)
		}
	}
	v.RevokedBy, v.RevokedFor = line(r.Revoking.By, maxShort), line(r.Revoking.Why, maxLong)
	for _, name := range slices.Sorted(maps.Keys(r.CRM)) {
		if u := link(r.CRM[name].URL); u != "" {
			v.Records = append(v.Records, linkView{line(name, maxShort), u})
		}
	}
}

func (l *locale) reason(r intake.Reason) string {
	if w := l.reasons[r]; w != "" {
		return w
	}
	return line(string(r), maxShort)
}

func (l *locale) kindOf(k intake.EvidenceKind) string {
	if w := l.evidence[k]; w != "" {
		return w
	}
	return line(string(k), maxShort)
}

func (l *locale) conflict(c *intake.Conflict, at *time.Location) *conflictView {
	if c == nil {
		return nil
	}
	v := &conflictView{
		ID: line(c.ID, maxShort), Account: line(c.Account, maxShort), Type: l.conflicts[c.Type],
		Acknowledge: l.moment(c.Acknowledge, at), Plan: l.moment(c.Plan, at), Owner: line(c.Owner, maxShort),
	}
	if v.Type == "" {
		v.Type = line(string(c.Type), maxShort)
	}
	if id := v.ID; id != "" {
		v.Commands = append(v.Commands, commandView{"show", "leadgate conflicts show " + id})
		if c.Acknowledged.IsZero() {
			v.Commands = append(v.Commands, commandView{"acknowledge", "leadgate conflicts acknowledge " + id})
		}
		v.Commands = append(v.Commands, commandView{"resolve", "leadgate conflicts resolve " + id + ` --winner LG-… --rationale "…"`})
	}
	for _, n := range c.Cases {
		if n = line(n, maxShort); n != "" {
			v.Cases = append(v.Cases, n)
		}
	}
	for _, d := range c.Deals {
		deal := line(d.ID, maxShort)
		if u := link(d.URL); u != "" {
			deal += " " + u
		}
		if deal = strings.TrimSpace(deal); deal != "" {
			v.Deals = append(v.Deals, deal)
		}
	}
	for _, e := range c.Evidence {
		v.Evidence = append(v.Evidence, evidenceView{
			At: l.moment(e.At, at), Case: line(e.Case, maxShort), Kind: l.kindOf(e.Kind), Words: line(e.Words, maxLong),
		})
	}
	return v
}
