package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// spaceDirect holds the deals of direct sales that staff were told of: CRM and id → when.
	spaceDirect = "direct_deal"

	// maxDealValue bounds what is kept of a value, in runes.
	maxDealValue = 200
	// maxJudged is more than a case was judged.
	maxJudged = 100
	// echoPause is for how long after something was written about a case the first thing that a CRM
	// tells of it is the echo.
	echoPause = 2 * time.Minute
)

// Deal is what sales say of a case in a CRM: the first one that tells of it. Its partner is told
// all but the amount and the owner's address, see DealFacts.
type Deal struct {
	// CRM is the name of the CRM that tells.
	CRM        string `json:"crm,omitempty"`
	Owner      string `json:"owner,omitempty"`
	OwnerEmail string `json:"owner_email,omitempty"`
	Stage      string `json:"stage,omitempty"`
	Amount     string `json:"amount,omitempty"` // "120000 EUR"
	Close      string `json:"close_date,omitempty"`
	NextStep   string `json:"next_step,omitempty"`
}

// dealFields are the fields of a Change that make a Deal.
var dealFields = []struct {
	name string
	of   func(*Deal) *string
}{
	{ChangeOwner, func(d *Deal) *string { return &d.Owner }},
	{ChangeContact, func(d *Deal) *string { return &d.OwnerEmail }},
	{ChangeStage, func(d *Deal) *string { return &d.Stage }},
	{ChangeAmount, func(d *Deal) *string { return &d.Amount }},
	{ChangeClose, func(d *Deal) *string { return &d.Close }},
	{ChangeNextStep, func(d *Deal) *string { return &d.NextStep }},
}

// DealFacts is what a partner may know of a Deal. Adding a field here is a decision about
// disclosure.
type DealFacts struct {
	Owner string `json:"owner,omitempty"`
	Stage string `json:"stage,omitempty"`
	// Close is a day, YYYY-MM-DD.
	Close    string `json:"close_date,omitempty"`
	NextStep string `json:"next_step,omitempty"`
}

// facts is what the partner of a case may know of its deal: nothing before he holds the account.
func (r *Registration) dealFacts() DealFacts {
	if !r.Status.Holds() && r.Status != StatusWon && r.Status != StatusLost {
		return DealFacts{}
	}
	f := DealFacts{Owner: r.Deal.Owner, Stage: r.Deal.Stage, Close: r.Deal.Close, NextStep: r.Deal.NextStep}
	if strings.Contains(f.Owner, "@") { // who has no name is told by the address, which is for staff
		f.Owner = ""
	}
	if !r.Status.Holds() {
		f.Close, f.NextStep = "", ""
	}
	return f
}

// checkDeal returns what of a change can't be read.
func (ch Change) checkDeal() error {
	v := ch.Fields[ChangeClose]
	if _, err := time.Parse(time.DateOnly, v); v != "" && err != nil {
		return Permanent(fmt.Errorf("%s of case %s: %q is not a day like 2026-12-31", ChangeClose, ch.Case, v))
	}
	return nil
}

// deal takes in what sales say of the deal, and reports whether the partner is to be told of it: he
// is of an owner and of a stage that are new, and not of what our own push has left there.
func (c *change) deal(r *Registration, crm string, ch Change, e Event) (news bool, err error) {
	if r.Deal.CRM != "" && r.Deal.CRM != crm && c.g.gates[r.Deal.CRM] != nil {
		return false, nil // two that differ would tell by turns
	}
	before := r.Deal
	var changed []string
	for _, f := range dealFields {
		v, known := ch.Fields[f.name]
		if v = line(v, maxDealValue); known && v != *f.of(&r.Deal) {
			*f.of(&r.Deal) = v
			changed = append(changed, f.name)
		}
	}
	if len(changed) == 0 {
		return false, nil
	}
	r.Deal.CRM = crm
	// A push that waited long may have made the record, and not yet noted it here.
	_, noted := r.CRM[crm]
	echo := ch.Own || before == (Deal{}) && (!noted || c.at.Sub(r.Updated) < echoPause)
	e.Kind, e.Trigger, e.Note = EventDeal, "", strings.Join(changed, ", ")
	if echo {
		e.Kind = EventActivity
	}
	was := Registration{Status: r.Status, Deal: before}
	is := Registration{Status: r.Status, Deal: r.Deal}
	a, b := was.dealFacts(), is.dealFacts()
	news = !echo && r.Status.Holds() && (b.Owner != "" && b.Owner != a.Owner || b.Stage != "" && b.Stage != a.Stage)
	return news, c.record(r, e)
}

// line makes one line of a value, without what nobody sees, and bounds it.
func line(v string, limit int) string {
	return cut(strings.Join(strings.Fields(cleanText(v, FieldCompanyName)), " "), limit)
}

// gone notes that people deleted the record of r in a CRM, or made it one with another. Nothing is
// written there until staff say so.
func (c *change) gone(r *Registration, crm string, e Event) error {
	ref, there := r.CRM[crm]
	if !there || ref.Gone {
		return nil
	}
	ref.Gone = true
	r.CRM[crm] = ref
	if r.Status == StatusErased { // what was to be taken away there is away
		e.Kind, e.Trigger, e.Note = EventGone, "", ref.ID
		return c.record(r, e)
	}
	if err := putJSON(c, spaceGivenUp, r.Number+"/"+crm, c.at); err != nil {
		return err
	}
	e.Kind, e.Trigger, e.Note = EventGone, "", ref.ID
	if err := c.record(r, e); err != nil {
		return err
	}
	return c.brief(r, StaffCRM, Brief{Why: fmt.Sprintf(
		"%s: The record %s of this case was deleted there, or made one with another. Nothing more is written there.\nTo have it made again: leadgate crm replay %s --crm %s", crm, ref.ID, r.Number, crm)})
}

// direct tells staff of a deal that direct sales made on an account that partners claim, once for
// each deal. Nothing else happens by itself.
func (c *change) direct(account Lead, m Match) error {
	d, err := c.g.ids.Domain(account[FieldCompanyDomain])
	if err != nil {
		return nil //nolint:nilerr // what has no domain is of no account that anybody can claim
	}
	deal := m.Ref
	deal.ID = m.CRM + ":" + deal.ID
	if _, err := c.Record(spaceDirect, deal.ID); !errors.Is(err, ErrNotFound) {
		return err
	}
	claims, err := c.claimsTo(d.Key)
	if err != nil {
		return err
	}
	if m.Partner != "" { // the deal names whose it is
		claims = slices.DeleteFunc(claims, func(r *Registration) bool { return r.Partner == m.Partner })
	}
	if claims, err = c.without(claims, m); err != nil {
		return err
	}
	if len(claims) == 0 || m.Case != "" || m.Kind == MatchCustomer || m.Kind == MatchAccount {
		return nil
	}
	if err := putJSON(c, spaceDirect, deal.ID, c.at); err != nil {
		return err
	}
	k, err := c.enter(claims)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(k.Deals, func(r Ref) bool { return r.ID == deal.ID }) {
		return nil
	}
	k.Deals = append(k.Deals, Ref{ID: deal.ID, URL: deal.URL})
	k.add(Evidence{At: c.at, Kind: EvidenceDeal, Words: "direct sales have " + deal.ID})
	if k.At.Equal(c.at) {
		return c.opened(k, claims[0])
	}
	if err := c.putConflict(k); err != nil {
		return err
	}
	return c.tellConflict(*k, claims[0], "direct sales have a deal on the account, too: "+deal.ID)
}

// without returns the claims that were judged without knowing of a deal. Of the others it was there
// before, and they were decided all the same.
func (c *change) without(claims []*Registration, deal Match) (rest []*Registration, err error) {
	for _, r := range claims {
		all, err := c.ScanRecords(spaceJudgement, fmt.Sprintf("%016x/", r.Seq), "", maxJudged)
		if err != nil {
			return nil, err
		}
		knew := false
		for _, e := range all {
			var j Judgement
			if err := decode(e, &j); err != nil {
				return nil, err
			}
			knew = knew || slices.ContainsFunc(j.Input.Matches, func(m Match) bool { return m.CRM == deal.CRM && m.Ref.ID == deal.Ref.ID })
		}
		if !knew {
			rest = append(rest, r)
		}
	}
	return rest, nil
}
