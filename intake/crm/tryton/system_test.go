package tryton

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/crmtest/trytond"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a real Tryton and the session that the connectors of a test share: opening one takes a
// quarter of a second, for the sake of passwords.
type world struct {
	*trytond.Server
	session *session
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Server: trytond.Start(t)}
	c := w.connect(t, w.URL)
	if _, err := c.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.session = c.current.Load()
	return w
}

// connect returns a connector to a url at which the server is.
func (w *world) connect(r crmtest.Reporter, url string, change ...func(*Config)) *Connector {
	config := Config{
		Name: "erp", URL: url, Database: trytond.Database, User: trytond.User, Password: trytond.Password,
		Timeout: 30 * time.Second, AllowPrivate: true,
	}
	for _, f := range change {
		f(&config)
	}
	c, err := New(config)
	if err != nil {
		r.Fatalf("%v", err)
	}
	r.Cleanup(func() { _ = c.Close() })
	if w.session != nil {
		c.current.Store(w.session)
	}
	return c
}

// proxy stands in front of the server.
func (w *world) proxy(r crmtest.Reporter) *crmtest.Server {
	to, err := url.Parse(w.URL)
	if err != nil {
		r.Fatalf("%v", err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	r.Cleanup(transport.CloseIdleConnections)
	p := httputil.NewSingleHostReverseProxy(to)
	p.Transport = transport
	return crmtest.NewServer(r, p)
}

// system is an empty Tryton with a connector to it.
func (w *world) system(r crmtest.Reporter, change ...func(*Config)) crmtest.System {
	if err := w.Reset(); err != nil {
		r.Fatalf("%v", err)
	}
	s := w.proxy(r)
	c := w.connect(r, s.URL, change...)
	return crmtest.System{
		CRM: c, Server: s, Again: func() intake.CRM { return w.connect(r, s.URL, change...) },
		Secrets: []string{trytond.Password, strings.TrimPrefix(w.session.header, "Session ")},
		Records: w.records, Notes: w.count, People: people{w},
		Writes: func() int { return written(s) },
		Refuse: func() string {
			c.config.Mapping.Defaults = map[string]any{"conversion_probability": 7}
			return "Conversion Probability"
		},
	}
}

// written counts the calls that write.
func written(s *crmtest.Server) (n int) {
	for _, m := range methods(s) {
		if strings.HasSuffix(m, ".create") || strings.HasSuffix(m, ".write") || strings.HasSuffix(m, ".delete") {
			n++
		}
	}
	return n
}

// methods are the methods that were called, in their order.
func methods(s *crmtest.Server) (all []string) {
	for _, r := range s.Requests() {
		var call struct{ Method string }
		_ = json.Unmarshal(r.Body, &call)
		all = append(all, call.Method)
	}
	return all
}

type row = map[string]json.RawMessage

func (w *world) read(model string, where []any, fields ...string) (all []row, err error) {
	err = w.Call(&all, model+".search_read", where, 0, 1000, nil, fields)
	return all, err
}

func number(raw json.RawMessage) (n int) {
	_ = json.Unmarshal(raw, &n)
	return n
}

func (w *world) records() (all []crmtest.Stored, err error) {
	rows, err := w.read("sale.opportunity", []any{[]any{"reference", "!=", nil}}, "reference")
	if err != nil {
		return nil, err
	}
	for _, o := range rows {
		s := crmtest.Stored{Case: trytond.Text(o["reference"]), Lead: intake.Lead{}}
		notes, err := w.read("ir.note", []any{[]any{"resource", "=", fmt.Sprintf("sale.opportunity,%d", number(o["id"]))}}, "message")
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			var text string
			_ = json.Unmarshal(n["message"], &text)
			if !strings.HasPrefix(text, "["+s.Case+" state]") {
				continue
			}
			sheet := sheet{lines: parseSheet(text)}
			s.Status, s.Revision = intake.Status(sheet.value("status")), sheet.revision()
			for _, f := range intake.Fields() {
				if v := sheet.value(string(f)); v != "" {
					s.Lead[f] = v
				}
			}
		}
		all = append(all, s)
	}
	return all, nil
}

func (w *world) count(caseNumber string) (n int, err error) {
	err = w.Call(&n, "ir.note.search_count", []any{[]any{"message", "like", "[" + caseNumber + " #%"}})
	return n, err
}

// people are the administrator at work.
type people struct{ *world }

var _ crmtest.People = people{}

type m = map[string]any

func (p people) Company(name, domain string) (string, error) {
	var ids []int
	err := p.Call(&ids, "party.party.create", []m{{
		"name": name, "addresses": []any{[]any{"create", []m{{}}}},
		"contact_mechanisms": []any{[]any{"create", []m{{"type": "website", "value": "https://www." + domain + "/about"}}}},
	}})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(ids[0]), nil
}

func (p people) Deal(company, name string) (string, error) {
	var party int
	_, _ = fmt.Sscan(company, &party)
	var ids []int
	err := p.Call(&ids, "sale.opportunity.create", []m{{"party": party, "company": 1, "description": name}})
	if err != nil {
		return "", err
	}
	return fmt.Sprint(ids[0]), nil
}

// opportunity is that of a case, as people read it.
func (p people) opportunity(caseNumber string) (id int, o row, err error) {
	rows, err := p.read("sale.opportunity", []any{[]any{"reference", "=", caseNumber}},
		"party", "description", "amount", "end_date", "state", "employee.party.name", "party.name")
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%d opportunities of case %s", len(rows), caseNumber)
	}
	if err != nil {
		return 0, nil, err
	}
	return number(rows[0]["id"]), rows[0], nil
}

func (p people) Get(caseNumber string, f crmtest.PeopleField) (string, error) {
	_, o, err := p.opportunity(caseNumber)
	if err != nil {
		return "", err
	}
	var of struct {
		Name  string
		Party struct{ Name string } `json:"party."`
	}
	switch f {
	case crmtest.PeopleDealName:
		return trytond.Text(o["description"]), nil
	case crmtest.PeopleAmount:
		return trytond.Text(o["amount"]), nil
	case crmtest.PeopleCloseDate:
		return trytond.Text(o["end_date"]), nil
	case crmtest.PeopleStage:
		state := trytond.Text(o["state"])
		return strings.ToUpper(state[:1]) + state[1:], nil
	case crmtest.PeopleCompanyName:
		_ = json.Unmarshal(o["party."], &of)
		return of.Name, nil
	case crmtest.PeopleOwner:
		_ = json.Unmarshal(o["employee."], &of)
		return of.Party.Name, nil
	}
	return "", crmtest.ErrNoField
}

func (p people) Set(caseNumber string, f crmtest.PeopleField, value string) error {
	id, o, err := p.opportunity(caseNumber)
	if err != nil {
		return err
	}
	write := func(field string, v any) error {
		return p.Call(nil, "sale.opportunity.write", []int{id}, m{field: v})
	}
	switch f {
	case crmtest.PeopleCompanyName:
		return p.Call(nil, "party.party.write", []int{number(o["party"])}, m{"name": value})
	case crmtest.PeopleDealName:
		return write("description", value)
	case crmtest.PeopleAmount:
		return write("amount", trytond.Decimal(value))
	case crmtest.PeopleCloseDate:
		return write("end_date", trytond.Date(value))
	case crmtest.PeopleOwner:
		employee, err := p.employee(value)
		if err != nil {
			return err
		}
		return write("employee", employee)
	case crmtest.PeopleStage:
		return p.Call(nil, "sale.opportunity."+strings.ToLower(value), []int{id})
	case crmtest.PeopleOutcome:
		return p.end(id, value)
	}
	return crmtest.ErrNoField
}

// employee is one of a name.
func (p people) employee(name string) (int, error) {
	rows, err := p.read("company.employee", []any{[]any{"party.name", "=", name}})
	if err != nil || len(rows) > 0 {
		return number(append(rows, row{})[0]["id"]), err
	}
	var party, employee []int
	if err := p.Call(&party, "party.party.create", []m{{"name": name}}); err != nil {
		return 0, err
	}
	if err := p.Call(&employee, "company.employee.create", []m{{"party": party[0], "company": 1}}); err != nil {
		return 0, err
	}
	return employee[0], nil
}

// end loses an opportunity, opens it again, or wins it.
func (p people) end(id int, outcome string) error {
	switch outcome {
	case intake.DealLost:
		return p.Call(nil, "sale.opportunity.lost", []int{id})
	case intake.DealOpen:
		return p.Call(nil, "sale.opportunity.lead", []int{id})
	}
	return p.Win(id)
}

func (p people) Count() (companies, contacts, deals int, err error) {
	for into, call := range map[*int][]any{
		&companies: {"party.party.search_count", []any{}},
		&contacts:  {"party.contact_mechanism.search_count", []any{[]any{"type", "=", "email"}}},
		&deals:     {"sale.opportunity.search_count", []any{}},
	} {
		if err := p.Call(into, call[0].(string), call[1]); err != nil {
			return 0, 0, 0, err
		}
	}
	return companies, contacts, deals, nil
}
