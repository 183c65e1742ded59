package salesforce

import (
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

const byHand = "changed there by hand"

// Compare reads registrations with what belongs to them, fifty in a call.
func (s *Salesforce) Compare(ctx context.Context, all []intake.Record) ([]intake.Difference, error) {
	columns := slices.Sorted(maps.Keys(s.registration(intake.Record{})))
	var out []intake.Difference
	for part := range slices.Chunk(all, 50) {
		numbers := make([]string, len(part))
		for i, r := range part {
			numbers[i] = r.Registration.Number
		}
		var rows []record
		_, err := s.read(ctx, map[string]*[]record{"reg": &rows}, s.query("reg", bind("SELECT Id, Wrote__c, Case_Number__c, "+strings.Join(columns, ", ")+", "+
			s.columns(objAccount, "Account__r.")+", "+s.columns(objContact, "Contact__r.")+", "+s.columns(objOpportunity, "Opportunity__r.")+
			" FROM Partner_Registration__c WHERE Case_Number__c IN ?", numbers)))
		if err != nil {
			return nil, s.fail("compare", err)
		}
		for _, r := range part {
			i := slices.IndexFunc(rows, func(row record) bool { return strings.EqualFold(row.text(keyRegistration), r.Registration.Number) })
			if i < 0 {
				out = append(out, intake.Difference{Case: r.Registration.Number, Object: objRegistration, Ours: r.Registration.Number})
				continue
			}
			out = append(out, s.compare(r, rows[i])...)
		}
	}
	return out, nil
}

func (s *Salesforce) compare(r intake.Record, row record) (out []intake.Difference) {
	g := r.Registration
	want := s.registration(r)
	delete(want, "Rev__c") // what is noted of a case makes a revision that no push follows
	for _, f := range slices.Sorted(maps.Keys(want)) {
		if is, ours := row.text(f), plain(want[f]); !alike(is, ours) {
			out = append(out, intake.Difference{Case: g.Number, Object: objRegistration, ID: row.text("Id"), Field: f, There: is, Ours: ours})
		}
	}
	wrote := g.CRM[s.c.Name].Wrote
	if wrote == nil {
		_ = json.Unmarshal([]byte(row.text("Wrote__c")), &wrote)
	}
	o := s.offers(r)
	for _, x := range []struct {
		of   *offer
		have record
	}{{o.account, row.ref("Account__r")}, {o.contact, row.ref("Contact__r")}, {o.deal, row.ref("Opportunity__r")}} {
		if x.of == nil {
			continue
		}
		if x.have == nil {
			d := intake.Difference{Case: g.Number, Object: x.of.object, Ours: x.of.key}
			if x.of == o.deal && g.CRM[s.c.Name].Parts[partOpportunity] != "" {
				d.Stays = "deleted there"
			}
			out = append(out, d)
			continue
		}
		for _, f := range x.of.names() {
			is, ours, was := x.have.text(f), x.of.fields[f], wrote[x.of.object+"."+f]
			d := intake.Difference{Case: g.Number, Object: x.of.object, ID: x.have.text("Id"), Field: f, There: is, Ours: ours}
			switch {
			case is == ours || was == leftOver || was == "" && is != "":
			case was != "" && hash(is) != was:
				d.Stays = byHand
				out = append(out, d)
			case was == "" || x.of.update:
				out = append(out, d)
			}
		}
	}
	return out
}

func plain(v any) string {
	if v == nil {
		return ""
	}
	if n, ok := v.(int); ok {
		return strconv.Itoa(n)
	}
	return fmt.Sprint(v)
}

// alike compares values as Salesforce keeps them: times to the second, texts without blanks at the
// ends and with line feeds alone.
func alike(there, ours string) bool {
	clean := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	if clean(there) == clean(ours) {
		return true
	}
	a, b := record{"at": there}.time("at"), record{"at": ours}.time("at")
	return !a.IsZero() && !b.IsZero() && a.Truncate(time.Second).Equal(b.Truncate(time.Second))
}
