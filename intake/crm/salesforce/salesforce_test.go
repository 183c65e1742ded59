package salesforce

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/salesforce/salesforcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "../../../examples/salesforce"

// world is an org with the connector to it.
type world struct {
	*Salesforce
	org    *salesforcetest.Fake
	server *crmtest.Server
	config Config
	ahead  time.Duration // of the clock of the machine, on both sides
}

func (w *world) now() time.Time { return time.Now().Add(w.ahead) }

func newWorld(r crmtest.Reporter, change ...func(*Config)) *world {
	w := &world{}
	org, err := salesforcetest.New(os.DirFS(source), w.now)
	if err != nil {
		r.Fatalf("the package of examples/salesforce: %v", err)
	}
	w.org, w.server = org, crmtest.NewServer(r, org)
	w.config = Config{
		Name: "salesforce", LoginURL: w.server.URL, ClientID: org.ClientID, ClientSecret: org.Secret,
		AllowPrivate: true, Timeout: time.Minute, Currency: "EUR", Now: w.now,
	}
	for _, f := range change {
		f(&w.config)
	}
	w.Salesforce = w.again(r)
	return w
}

// again is another connector to the same org.
func (w *world) again(r crmtest.Reporter) *Salesforce {
	s, err := New(w.config)
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) system(r crmtest.Reporter) crmtest.System {
	return crmtest.System{
		CRM: w.Salesforce, Server: w.server, Secrets: []string{"client-secret-canary", "token-canary"},
		Records: w.records, Notes: w.notes, Writes: w.org.Writes, People: people{w.org},
		Again:  func() intake.CRM { return w.again(r) },
		Refuse: func() string { w.org.Require(objOpportunity, "NextStep"); return "NextStep" },
	}
}

func str(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (w *world) records() ([]crmtest.Stored, error) {
	names := map[intake.Field]string{
		intake.FieldCompanyName: "Company_Name__c", intake.FieldCompanyDomain: "Company_Domain__c", intake.FieldCountry: "Country__c",
		intake.FieldContactName: "Contact_Name__c", intake.FieldContactEmail: "Contact_Email__c", intake.FieldContactRole: "Contact_Role__c",
		intake.FieldContactPhone: "Contact_Phone__c", intake.FieldProblem: "Problem__c", intake.FieldSolutionFit: "Solution_Fit__c",
		intake.FieldServicesNeeded: "Services__c", intake.FieldStage: "Stage_Guess__c", intake.FieldProductInterest: "Products__c",
		intake.FieldCompetingVendors: "Competitors__c", intake.FieldTargetRevenue: "Target_Revenue__c", intake.FieldConsent: "Consent__c", intake.FieldKind: "Kind__c",
	}
	var all []crmtest.Stored
	for _, r := range w.org.All(objRegistration) {
		s := crmtest.Stored{Case: str(r[keyRegistration]), Status: intake.Status(str(r["Status__c"])), Lead: intake.Lead{}}
		s.Revision, _ = strconv.Atoi(str(r["Rev__c"]))
		for f, name := range names {
			s.Lead[f] = str(r[name])
		}
		all = append(all, s)
	}
	return all, nil
}

func (w *world) notes(number string) (n int, err error) {
	for _, e := range w.org.All(objEvent) {
		if strings.HasPrefix(str(e[keyEvent]), number+"#") {
			n++
		}
	}
	return n, nil
}

// people work in the org.
type people struct{ org *salesforcetest.Fake }

func (p people) Company(name, domain string) (string, error) {
	return p.org.Create(objAccount, map[string]any{"Name": name, "Website": "https://www." + domain + "/"})
}

func (p people) Deal(company, name string) (string, error) {
	return p.org.Create(objOpportunity, map[string]any{"Name": name, "AccountId": company, "StageName": "Prospecting", "CloseDate": "2027-01-31"})
}

func (p people) Set(number string, f crmtest.PeopleField, value string) error {
	object, field, id, _, err := p.find(number, f)
	if err != nil {
		return err
	}
	var v any = value
	switch {
	case value == "" && (f == crmtest.PeopleDealName || f == crmtest.PeopleCompanyName || f == crmtest.PeopleCloseDate || f == crmtest.PeopleStage):
		return crmtest.ErrNoField // an org requires them
	case f == crmtest.PeopleAmount && value != "":
		v, _ = strconv.ParseFloat(value, 64)
	case f == crmtest.PeopleOwner:
		v = p.org.User(value)
	case f == crmtest.PeopleOutcome:
		v = map[string]string{intake.DealOpen: "Qualification", intake.DealWon: "Closed Won", intake.DealLost: "Closed Lost"}[value]
	}
	return p.org.Update(object, id, map[string]any{field: v})
}

func (p people) Get(number string, f crmtest.PeopleField) (string, error) {
	_, field, _, r, err := p.find(number, f)
	if err != nil {
		return "", err
	}
	v := str(r[field])
	if n, ok := r[field].(float64); ok {
		v = strconv.FormatFloat(n, 'f', -1, 64)
	}
	if f == crmtest.PeopleOwner {
		for _, u := range p.org.All("User") {
			if u["Id"] == v {
				v = str(u["Name"])
			}
		}
	}
	return v, nil
}

func (p people) find(number string, f crmtest.PeopleField) (object, field, id string, r map[string]any, err error) {
	object, field = objOpportunity, map[crmtest.PeopleField]string{
		crmtest.PeopleDealName: "Name", crmtest.PeopleOwner: "OwnerId", crmtest.PeopleStage: "StageName", crmtest.PeopleOutcome: "StageName",
		crmtest.PeopleAmount: "Amount", crmtest.PeopleCloseDate: "CloseDate", crmtest.PeopleNextStep: "NextStep",
	}[f]
	link := "Opportunity__c"
	if f == crmtest.PeopleCompanyName {
		object, field, link = objAccount, "Name", "Account__c"
	}
	for _, reg := range p.org.All(objRegistration) {
		if reg[keyRegistration] == number {
			id = str(reg[link])
		}
	}
	for _, x := range p.org.All(object) {
		if x["Id"] == id {
			return object, field, id, x, nil
		}
	}
	return object, field, id, nil, fmt.Errorf("case %s has no %s", number, object)
}

func (p people) Count() (companies, contacts, deals int, err error) {
	return len(p.org.All(objAccount)), len(p.org.All(objContact)), len(p.org.All(objOpportunity)), nil
}

func TestConformance(t *testing.T) {
	crmtest.Run(t, crmtest.Harness{
		Stages: []string{"Prospecting", "Qualification", "Negotiation/Review"},
		New:    func(r crmtest.Reporter) crmtest.System { return newWorld(r).system(r) },
		Impatient: func(r crmtest.Reporter) crmtest.System {
			return newWorld(r, func(c *Config) { c.Timeout = 50 * time.Millisecond }).system(r)
		},
	})
}
