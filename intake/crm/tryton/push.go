package tryton

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"

	"leadgate/intake"
)

// Push makes or completes the company, the contact and the opportunity of a case, and writes its
// sheet.
func (c *Connector) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	number := r.Registration.Number
	ref, err := c.push(ctx, r)
	if err != nil {
		return intake.Ref{}, c.fail("push", "case "+number, err)
	}
	return ref, nil
}

func (c *Connector) push(ctx context.Context, r intake.Record) (ref intake.Ref, err error) {
	g := r.Registration
	unlock, err := c.locks.lock(ctx, g.Number)
	if err != nil {
		return ref, err
	}
	defer unlock()
	o, err := c.resolve(ctx, g.Number)
	if err != nil {
		return ref, err
	}
	var have *sheet
	if o != nil {
		if have, err = c.sheet(ctx, o.ID, g.Number); err != nil {
			return ref, err
		}
	}
	known := g.CRM[c.Name()]
	ref = intake.Ref{Revision: g.Revision, Parts: maps.Clone(known.Parts), Wrote: maps.Clone(known.Wrote)}
	if ref.Parts == nil {
		ref.Parts = make(map[string]string)
	}
	if ref.Wrote == nil {
		ref.Wrote = make(map[string]string)
	}
	if have != nil && have.revision() > g.Revision {
		known.ID, known.URL, known.Revision = strconv.Itoa(o.ID), c.link(o.ID), have.revision()
		return known, nil
	}
	if o == nil && known.ID != "" {
		return ref, intake.Gone(fmt.Errorf("opportunity %s is not there any more, or has lost its reference", known.ID))
	}
	if o == nil {
		if o, err = c.create(ctx, r); err != nil {
			return ref, err
		}
	}
	if err := c.complete(ctx, o, r, &ref); err != nil {
		return ref, err
	}
	if g.Status == intake.StatusErased {
		if err := c.forget(ctx, o.ID, g.Number); err != nil {
			return ref, err
		}
	}
	ref.ID, ref.URL = strconv.Itoa(o.ID), c.link(o.ID)
	return ref, c.writeSheet(ctx, o.ID, r, have)
}

// create makes the opportunity of a case, and returns the one that is left if another process made
// one too.
func (c *Connector) create(ctx context.Context, r intake.Record) (*opportunity, error) {
	g := r.Registration
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	company := s.preference("company")
	if company == 0 {
		return nil, errNoCompany
	}
	currency, err := c.currency(ctx, company)
	if err != nil {
		return nil, err
	}
	of, err := c.account(ctx, g.Lead, g.Number)
	if err != nil {
		return nil, err
	}
	owner, err := c.owner(ctx)
	if err != nil {
		return nil, err
	}
	v := values{}
	maps.Copy(v, c.config.Mapping.Defaults)
	v["reference"], v["company"], v["party"], v["description"] = g.Number, company, of.party, description(r)
	if of.contact != 0 {
		v["contact"] = of.contact
	}
	if owner != 0 {
		v["employee"] = owner
	}
	if n := amount(g.Lead, currency); n != "" {
		v["amount"] = decimal(n)
	}
	if !g.Claim.IsZero() {
		v["start_date"] = date(g.Claim.UTC())
	}
	for ours, theirs := range c.config.Mapping.Fields {
		v[theirs] = oneLine(sheetOf(r).value(ours))
	}
	if err := c.call(ctx, nil, "sale.opportunity.create", []values{v}); err != nil {
		return nil, err
	}
	o, err := c.resolve(ctx, g.Number)
	if err == nil && o == nil {
		err = errGone
	}
	return o, err
}

// complete fills what is empty in an opportunity, writes what is ours, and notes in ref what people
// have found there since.
func (c *Connector) complete(ctx context.Context, o *opportunity, r intake.Record, ref *intake.Ref) error {
	v := values{}
	for _, f := range c.fields(o, r, o.Seller.Currency.Code) {
		write, _ := f.fate(ref.Wrote[f.name])
		if write {
			v[f.name] = f.ours
		}
		if w := f.remember(ref.Wrote[f.name], write); w != "" {
			ref.Wrote[f.name] = w
		}
	}
	for ours, theirs := range c.config.Mapping.Fields {
		if text := oneLine(sheetOf(r).value(ours)); o.extra[theirs] != text {
			v[theirs] = text
		}
	}
	if err := c.completeAccount(ctx, o, r, ref, v); err != nil {
		return err
	}
	if len(v) == 0 {
		return nil
	}
	return c.callAt(ctx, map[string]string{resource(o.ID): o.Stamp}, nil, "sale.opportunity.write", []int{o.ID}, v)
}

// completeAccount fills the company and the contact where there is none and never was.
func (c *Connector) completeAccount(ctx context.Context, o *opportunity, r intake.Record, ref *intake.Ref, v values) error {
	party, contact := o.Party, o.Contact
	if party == 0 && ref.Wrote["party"] == "" || party != 0 && contact == 0 && ref.Wrote["contact"] == "" {
		of, err := c.account(ctx, r.Registration.Lead, r.Registration.Number)
		if err != nil {
			return err
		}
		if party == 0 {
			party, v["party"] = of.party, of.party
		}
		if contact == 0 && of.contact != 0 && party == of.party {
			contact, v["contact"] = of.contact, of.contact
		}
	}
	for name, id := range map[string]int{"party": party, "contact": contact} {
		if id != 0 {
			ref.Wrote[name] = brief(strconv.Itoa(id))
			ref.Parts[parts[name]] = strconv.Itoa(id)
		}
	}
	return nil
}

// parts are the names of Ref.Parts.
var parts = map[string]string{"party": "company", "contact": "contact"}

// brief is a short hash of a value.
func brief(s string) string {
	if s == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
