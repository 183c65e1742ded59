package salesforce

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// described is what Salesforce says of an object to the user whom it asks.
type described struct {
	Createable bool `json:"createable"`
	Updateable bool `json:"updateable"`
	Queryable  bool `json:"queryable"`
	Fields     []struct {
		Name       string `json:"name"`
		Type       string `json:"type"`
		Createable bool   `json:"createable"`
		Updateable bool   `json:"updateable"`
		External   bool   `json:"externalId"`
		Unique     bool   `json:"unique"`
		Nillable   bool   `json:"nillable"`
		Defaulted  bool   `json:"defaultedOnCreate"`
		Values     []struct {
			Value  string `json:"value"`
			Active bool   `json:"active"`
		} `json:"picklistValues"`
	} `json:"fields"`
}

// need is what the connector does with an object.
type need struct {
	object string
	writes []string
	reads  []string
	key    string // the external id
	only   bool   // it is read and not written
}

// needs are what the connector does in the org, by the same tables that it writes and reads by.
func (s *Salesforce) needs() []need {
	m := s.c.Mapping
	with := func(fields []string, extra map[string]string, object string) []string {
		fields = append(fields, slices.Collect(maps.Values(extra))...)
		fields = append(fields, slices.Collect(maps.Keys(m.Defaults[object]))...)
		slices.Sort(fields)
		return slices.Compact(fields)
	}
	registration := append(slices.Collect(maps.Keys(own(intake.Record{}))), "Wrote__c", "Account__c", "Contact__c", "Opportunity__c")
	deal := []string{"Name", "StageName", "CloseDate", "AccountId"}
	if s.c.Currency != "" {
		deal = append(deal, "Amount")
	}
	if s.c.Currency == currencyMulti {
		deal = append(deal, "CurrencyIsoCode")
	}
	all := []need{
		{object: objRegistration, key: keyRegistration, writes: with(registration, m.Registration, objRegistration)},
		{object: objEvent, key: keyEvent, writes: []string{
			"Registration__c", "At__c", "Kind__c", "Direction__c", "Actor__c", "From_Status__c",
			"To_Status__c", "Reason__c", "Body__c", "Sender__c", "Subject__c",
		}},
		{object: objAccount, key: keyAccount, writes: with([]string{"Name", "Website"}, m.Account, objAccount), reads: []string{"Type"}},
		{object: objContact, key: keyContact, writes: with([]string{"FirstName", "LastName", "Email", "Title", "Phone", "AccountId"}, m.Contact, objContact)},
		{object: objOpportunity, key: keyOpportunity, writes: with(deal, m.Opportunity, objOpportunity), reads: []string{"Amount", "NextStep"}},
		{object: "Event", only: true, reads: []string{"WhatId", "StartDateTime", "EndDateTime"}},
	}
	if s.c.Opportunity != OpportunityNever {
		all = append(all, need{object: "OpportunityContactRole", writes: []string{"OpportunityId", "ContactId", "IsPrimary"}})
	}
	if s.c.Tasks {
		all = append(all, need{object: "Task", writes: []string{"WhatId", "Status", "ActivityDate", "Subject", "Description"}})
	}
	return all
}

const (
	mendDeploy = "deploy examples/salesforce and assign the permission set Leadgate to the user of the gateway"
	mendRight  = "assign the permission set Leadgate, or one like it, to the user of the gateway"
)

// Verify logs in, and asks what the user of the gateway sees of each object.
func (s *Salesforce) Verify(ctx context.Context) ([]intake.Lack, error) {
	_, err := s.do(ctx, remote.Call{Method: http.MethodGet, Path: s.path("limits")})
	switch {
	case intake.IsUnauthorized(err):
		return []intake.Lack{{What: "credentials: " + err.Error(), Mend: "see the section Salesforce of the README"}}, nil
	case isNotFound(err):
		return []intake.Lack{{What: "API version " + s.c.APIVersion, Mend: "set api_version to one that the org has: Setup, Apex Classes or /services/data tell"}}, nil
	case err != nil:
		return nil, s.fail("verify", err)
	}
	var lacks []intake.Lack
	if s.c.Currency == "" {
		lacks = append(lacks, intake.Lack{What: "the currency of amounts", Mend: "set currency to the org's, as in EUR, or to multi; amounts are left alone until then"})
	}
	for _, n := range s.needs() {
		var d described
		_, err := s.do(ctx, remote.Call{Method: http.MethodGet, Path: s.path("sobjects/" + n.object + "/describe"), Out: &d})
		switch {
		case isNotFound(err):
			lacks = append(lacks, intake.Lack{What: "object " + n.object, Mend: mendDeploy})
		case err != nil:
			return nil, s.fail("verify "+n.object, err)
		default:
			lacks = append(lacks, s.lacking(n, d)...)
		}
	}
	return lacks, nil
}

func isNotFound(err error) bool {
	_, code := refused(err, "NOT_FOUND", "INVALID_TYPE")
	return code || err != nil && strings.Contains(err.Error(), "answered 404")
}

// lacking holds an object against what is needed of it.
func (s *Salesforce) lacking(n need, d described) (lacks []intake.Lack) {
	lack := func(mend, format string, a ...any) {
		lacks = append(lacks, intake.Lack{What: fmt.Sprintf(format, a...), Mend: mend})
	}
	if !d.Queryable || !n.only && (!d.Createable || !d.Updateable) {
		lack(mendRight, "the right to read, create and edit %s", n.object)
	}
	given := map[string]bool{n.key: true}
	for _, f := range n.writes {
		given[f] = true
	}
	seen := make(map[string]bool)
	for _, f := range d.Fields {
		seen[f.Name] = true
		switch {
		case f.Name == n.key && (!f.External || !f.Unique):
			lack("make it an external id and unique, as in examples/salesforce", "field %s.%s is no unique external id", n.object, f.Name)
		case given[f.Name] && !f.Createable:
			lack(mendRight, "the right to write field %s.%s", n.object, f.Name)
		case !given[f.Name] && !n.only && f.Createable && !f.Nillable && !f.Defaulted && f.Type != "boolean":
			lack(fmt.Sprintf("give it a value in mapping.defaults.%s", n.object), "a value for field %s.%s, which the org requires", n.object, f.Name)
		case n.object == objOpportunity && f.Name == "StageName":
			names := append(slices.Collect(maps.Keys(s.c.Mapping.Stages)), s.c.Stage)
			slices.Sort(names)
			for _, name := range slices.Compact(names) {
				there := false
				for _, v := range f.Values {
					there = there || v.Active && v.Value == name
				}
				if !there {
					lack("name a stage that the org has, in stage or mapping.stages, or add it", "stage %q of Opportunity", name)
				}
			}
		}
	}
	for _, f := range append(append([]string{n.key}, n.writes...), n.reads...) {
		if f != "" && !seen[f] {
			seen[f] = true
			mend := mendDeploy
			if !strings.HasSuffix(f, "__c") {
				mend = mendRight
			}
			lack(mend, "field %s.%s, or the right to see it", n.object, f)
		}
	}
	return lacks
}
