package hubspot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot/hubspottest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns a connector to a url at which an account is.
func connect(r crmtest.Reporter, url string, change ...func(*Config)) *Connector {
	config := Config{
		Name: "hubspot", URL: url, Token: hubspottest.Token, Timeout: 30 * time.Second, AllowPrivate: true,
		Calls: maxRate, Searches: maxRate,
		// With a stage no pipelines are read: a GET that a broken connection loses is repeated by
		// net/http itself, and the suite would not see it fail.
		Mapping: Mapping{Pipeline: hubspottest.Pipeline, Stage: "appointmentscheduled"},
	}
	for _, f := range change {
		f(&config)
	}
	c, err := New(config)
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.Cleanup(func() { _ = c.Close() })
	return c
}

// prepared is an account with the properties that are ours.
func prepared(r crmtest.Reporter) *hubspottest.Account {
	a := hubspottest.New()
	s := crmtest.NewServer(r, a)
	if _, err := connect(r, s.URL).Prepare(context.Background(), false); err != nil {
		r.Fatalf("%v", err)
	}
	return a
}

// system is an account with a connector to it.
func system(r crmtest.Reporter, change ...func(*Config)) (crmtest.System, *hubspottest.Account) {
	a := prepared(r)
	s := crmtest.NewServer(r, a)
	before := a.Writes()
	return crmtest.System{
		CRM: connect(r, s.URL, change...), Server: s, Again: func() intake.CRM { return connect(r, s.URL, change...) },
		Secrets: []string{hubspottest.Token}, Records: func() ([]crmtest.Stored, error) { return records(a), nil },
		Notes: func(number string) (int, error) { return timeline(a, number), nil }, People: people{a},
		Writes: func() int { return a.Writes() - before },
		Refuse: func() string {
			a.Require(deals, "industry")
			return "industry"
		},
	}, a
}

// records are the deals of cases, as people find them.
func records(a *hubspottest.Account) (all []crmtest.Stored) {
	for _, d := range a.All(deals) {
		v := d.Properties
		if v[caseProperty] == "" {
			continue
		}
		s := crmtest.Stored{Case: v[caseProperty], Status: intake.Status(v[prefix+"status"]), Lead: intake.Lead{}}
		s.Revision, _ = strconv.Atoi(v[revProperty])
		for _, f := range intake.Fields() {
			if x := v[prefix+string(f)]; x != "" {
				s.Lead[f] = x
			}
		}
		all = append(all, s)
	}
	return all
}

// timeline is how many notes and e-mails a case has.
func timeline(a *hubspottest.Account, number string) (n int) {
	for _, o := range append(a.All(notes), a.All(emails)...) {
		if strings.HasPrefix(o.Properties["hs_note_body"]+o.Properties["hs_email_html"], "["+number+" #") {
			n++
		}
	}
	return n
}

// people are those who work in an account.
type people struct{ a *hubspottest.Account }

var _ crmtest.People = people{}

func (p people) Company(name, domain string) (string, error) {
	return p.a.Add(companies, map[string]string{"name": name, "domain": domain})
}

func (p people) Deal(company, name string) (string, error) {
	return p.a.Add(deals, map[string]string{"dealname": name, "pipeline": hubspottest.Pipeline, "dealstage": "qualifiedtobuy"}, companies+"/"+company)
}

func (p people) deal(number string) (hubspottest.Object, error) {
	for _, d := range p.a.All(deals) {
		if d.Properties[caseProperty] == number {
			return d, nil
		}
	}
	return hubspottest.Object{}, fmt.Errorf("there is no deal of case %s", number)
}

// stageLabels are the open stages, and outcomes the ones in which a deal is what it is.
var (
	stageLabels = []string{"Qualified to buy", "Contract sent", "Appointment scheduled"}
	stageIDs    = map[string]string{"Qualified to buy": "qualifiedtobuy", "Contract sent": "contractsent", "Appointment scheduled": "appointmentscheduled"}
	outcomeIDs  = map[string]string{intake.DealOpen: "contractsent", intake.DealWon: "closedwon", intake.DealLost: "closedlost"}
	plainFields = map[crmtest.PeopleField]string{
		crmtest.PeopleDealName: "dealname", crmtest.PeopleAmount: "amount", crmtest.PeopleNextStep: "hs_next_step",
	}
)

func berlin() *time.Location {
	zone, err := time.LoadLocation(hubspottest.Zone)
	if err != nil {
		panic(err)
	}
	return zone
}

func (p people) Set(number string, f crmtest.PeopleField, value string) error {
	d, err := p.deal(number)
	if err != nil {
		return err
	}
	set := func(name, v string) error { return p.a.Set(deals, d.ID, map[string]string{name: v}) }
	switch f {
	case crmtest.PeopleCompanyName:
		return p.a.Set(companies, p.a.Linked(deals, d.ID, companies)[0], map[string]string{"name": value})
	case crmtest.PeopleOwner:
		return set("hubspot_owner_id", p.a.Person(value))
	case crmtest.PeopleStage:
		return set("dealstage", stageIDs[value])
	case crmtest.PeopleOutcome:
		return set("dealstage", outcomeIDs[value])
	case crmtest.PeopleCloseDate:
		if at, err := time.ParseInLocation(time.DateOnly, value, berlin()); err == nil {
			value = stamp(at)
		}
		return set("closedate", value)
	}
	if plainFields[f] == "" {
		return crmtest.ErrNoField
	}
	return set(plainFields[f], value)
}

func (p people) Get(number string, f crmtest.PeopleField) (string, error) {
	d, err := p.deal(number)
	if err != nil {
		return "", err
	}
	v := d.Properties
	switch f {
	case crmtest.PeopleCompanyName:
		id := p.a.Linked(deals, d.ID, companies)[0]
		for _, c := range p.a.All(companies) {
			if c.ID == id {
				return c.Properties["name"], nil
			}
		}
		return "", nil
	case crmtest.PeopleOwner:
		o := p.a.Owner(v["hubspot_owner_id"])
		return strings.TrimSpace(o.First + " " + o.Last), nil
	case crmtest.PeopleStage:
		for label, id := range stageIDs {
			if id == v["dealstage"] {
				return label, nil
			}
		}
		return "", nil
	case crmtest.PeopleCloseDate:
		if v["closedate"] == "" {
			return "", nil
		}
		return moment(v["closedate"]).In(berlin()).Format(time.DateOnly), nil
	}
	if plainFields[f] == "" {
		return "", crmtest.ErrNoField
	}
	return v[plainFields[f]], nil
}

func (p people) Count() (c, n, d int, err error) {
	return len(p.a.All(companies)), len(p.a.All(contacts)), len(p.a.All(deals)), nil
}

func TestTheConnectorKeepsItsPromises(t *testing.T) {
	crmtest.Run(t, crmtest.Harness{
		New: func(r crmtest.Reporter) crmtest.System {
			s, _ := system(r)
			return s
		},
		Impatient: func(r crmtest.Reporter) crmtest.System {
			s, _ := system(r, func(c *Config) { c.Timeout = 50 * time.Millisecond })
			return s
		},
		Stages: stageLabels,
	})
}

// TestTheConnectorKeepsItsPromisesWhileSearchesAreLate has nothing found that was made after the start.
func TestTheConnectorKeepsItsPromisesWhileSearchesAreLate(t *testing.T) {
	crmtest.Run(t, crmtest.Harness{
		New: func(r crmtest.Reporter) crmtest.System {
			s, a := system(r)
			a.Freeze()
			s.People = nil
			return s
		},
		Impatient: func(r crmtest.Reporter) crmtest.System {
			s, _ := system(r, func(c *Config) { c.Timeout = 50 * time.Millisecond })
			return s
		},
	})
}
