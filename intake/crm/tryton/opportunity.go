package tryton

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// opportunity is one as it is read. What is empty there is empty or 0.
type opportunity struct {
	ID          int     `json:"id"`
	Reference   string  `json:"reference"`
	State       string  `json:"state"`
	Party       int     `json:"party"`
	Contact     int     `json:"contact"`
	Description string  `json:"description"`
	Amount      decimal `json:"amount"`
	End         moment  `json:"end_date"`
	Created     moment  `json:"create_date"`
	Written     moment  `json:"write_date"`
	Creator     int     `json:"create_uid"`
	Writer      int     `json:"write_uid"`
	Stamp       string  `json:"_timestamp"`
	Customer    struct {
		Name string `json:"name"`
	} `json:"party."`
	Owner struct {
		Person struct {
			Name  string `json:"name"`
			Email string `json:"email"`
		} `json:"party."`
	} `json:"employee."`
	Seller struct {
		Currency struct {
			Code string `json:"code"`
		} `json:"currency."`
	} `json:"company."`
	// extra are the fields that the mapping names.
	extra map[string]string
}

var opportunityFields = []string{
	"reference", "state", "party", "contact", "description", "amount", "end_date", "create_date", "write_date",
	"create_uid", "write_uid", "_timestamp", "party.name", "employee.party.name", "employee.party.email",
	"company.currency.code",
}

func (o *opportunity) UnmarshalJSON(b []byte) error {
	type plain opportunity
	if err := json.Unmarshal(b, (*plain)(o)); err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	o.extra = make(map[string]string)
	for f, v := range all {
		if text, ok := v.(string); ok {
			o.extra[f] = text
		}
	}
	return nil
}

// at is when the opportunity was changed last.
func (o *opportunity) at() time.Time {
	if o.Written.IsZero() {
		return o.Created.Time
	}
	return o.Written.Time
}

// by reports whether nobody but a user ever wrote to the opportunity.
func (o *opportunity) by(user int) bool {
	return o.Creator == user && (o.Writer == 0 || o.Writer == user)
}

// opportunities reads those that a clause selects.
func (c *Connector) opportunities(ctx context.Context, where clause, offset, limit int, order string) (all []*opportunity, err error) {
	fields := append(slices.Clone(opportunityFields), slices.Sorted(maps.Values(c.config.Mapping.Fields))...)
	err = c.call(ctx, &all, "sale.opportunity.search_read", where, offset, limit,
		clause{strings.Fields(order), clause{"id", "ASC"}}, fields)
	return all, err
}

const maxCopies = 50

// resolve returns the opportunity of a case, nil if there is none. Of several that were made from
// here it takes away all but the oldest.
func (c *Connector) resolve(ctx context.Context, number string) (*opportunity, error) {
	keep, extra, err := c.find(ctx, number)
	if err != nil || len(extra) == 0 {
		return keep, err
	}
	for _, o := range extra {
		err = errors.Join(err, c.call(ctx, nil, "sale.opportunity.delete", []int{o.ID}))
	}
	if err == nil {
		return keep, nil
	}
	keep, extra, again := c.find(ctx, number) // another process may have taken them away
	if again != nil || len(extra) == 0 {
		return keep, again
	}
	return nil, fmt.Errorf("take away opportunity %d, which is the second of the case: %w", extra[0].ID, err)
}

// find returns the opportunity of a case, and further ones that were made from here.
func (c *Connector) find(ctx context.Context, number string) (keep *opportunity, extra []*opportunity, err error) {
	all, err := c.opportunities(ctx, clause{clause{"reference", "=", number}}, 0, maxCopies, "id ASC")
	if err != nil {
		return nil, nil, err
	}
	s, err := c.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	return choose(all, s.user)
}

// choose returns which of the opportunities with the number of a case, by age, is that of the case,
// and which are to be taken away. One that somebody else made is that of the case if it is the
// only one.
func choose(all []*opportunity, user int) (keep *opportunity, extra []*opportunity, err error) {
	var ours []*opportunity
	for _, o := range all {
		if o.Creator == user {
			ours = append(ours, o)
		}
	}
	if len(ours) == 0 {
		ours = all
	}
	if len(ours) == 0 {
		return nil, nil, nil
	}
	for _, o := range ours[1:] {
		if !o.by(user) || o.State != "lead" {
			return nil, nil, intake.Conflicting(fmt.Errorf("the opportunities %d and %d both have the number of the case as their reference, and people worked on them: take it from one", ours[0].ID, o.ID))
		}
	}
	return ours[0], ours[1:], nil
}

// field is one of the opportunity that is filled where it is empty and belongs to people from when
// they changed it.
type field struct {
	name       string
	have, want string
	ours       any
}

// fate says what becomes of a field: written, or left, and why.
func (f field) fate(wrote string) (write bool, stays string) {
	switch {
	case f.want == "" || f.have == f.want:
		return false, ""
	case f.have == "" && wrote == "", wrote != "" && wrote == brief(f.have):
		return true, ""
	case f.have == "":
		return false, "emptied there by hand"
	case wrote == "" || wrote == foreign:
		return false, "was there before"
	}
	return false, "changed there by hand"
}

// foreign stands in Ref.Wrote for what was there and is not of us.
const foreign = "-"

// remember returns what Ref.Wrote holds of the field after it was written or left.
func (f field) remember(wrote string, written bool) string {
	switch {
	case f.want != "" && (written || f.have == f.want):
		return brief(f.want)
	case wrote == "" && f.have != "":
		return foreign
	}
	return wrote
}

// fields are those of an opportunity that people may change, as they are and as the case has them.
func (c *Connector) fields(o *opportunity, r intake.Record, currency string) []field {
	have, want := canonical(string(o.Amount)), canonical(amount(r.Registration.Lead, currency))
	return []field{
		{name: "description", have: o.Description, want: description(r), ours: description(r)},
		{name: "amount", have: have, want: want, ours: decimal(want)},
	}
}

// description is the name of the deal.
func description(r intake.Record) string {
	name := partyName(r.Registration.Lead)
	if r.Partner.Name == "" {
		return name
	}
	return name + " – " + oneLine(r.Partner.Name)
}

const maxName = 200

// oneLine is text for a field of one line: Tryton takes no tabs and line breaks there.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == ' ' || r == '\u2028' || r == '\u2029' }), " ")
	if r := []rune(s); len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return s
}

// amount is what a deal brings, "" for leads and for what is in another currency.
func amount(l intake.Lead, currency string) string {
	n, code, ok := strings.Cut(l[intake.FieldTargetRevenue], " ")
	if !ok || code != currency || l[intake.FieldKind] != intake.KindDeal {
		return ""
	}
	return n
}

// canonical is a number without what two of the same worth differ by; "" for what is none.
func canonical(s string) string {
	r, ok := new(big.Rat).SetString(s)
	if !ok || s == "" {
		return ""
	}
	s = r.FloatString(4)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

func (c *Connector) link(id int) string {
	return c.config.WebURL + web + c.config.Database + "/model/sale.opportunity/" + strconv.Itoa(id)
}

var errNoCompany = intake.Unauthorized(errors.New("the user has no company in Tryton: set one in its preferences"))
