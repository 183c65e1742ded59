package crmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

// remote is a small CRM. PUT makes or completes by a key: /companies/{domain}, /contacts/{email},
// /records/{case}, which keeps the newest revision, and /notes/{case}/{n}; POST makes one more each
// time. GET /records/{case}, /deals?domain= and /changes?after= read.
type remote struct {
	mu        sync.Mutex
	companies []*company
	contacts  []string
	deals     []*deal
	log       []entry
	notes     map[string]map[string]bool
	creates   int
	writes    int
	requires  string // a field that nobody fills
}

type company struct{ ID, Domain, Name string }

// deal is a record. Those that people made have no case.
type deal struct {
	Stored
	ID      string
	Company string
	Values  map[PeopleField]string
}

// entry is one of the log of changes, and what the deal was like after it.
type entry struct {
	N      int
	At     time.Time
	Deal   deal
	Domain string
}

func newRemote() *remote { return &remote{notes: make(map[string]map[string]bool)} }

func (m *remote) handler() http.Handler {
	mux := http.NewServeMux()
	write := func(pattern string, f func(r *http.Request) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.writes++
			if m.requires != "" {
				w.WriteHeader(http.StatusUnprocessableEntity)
				_, _ = fmt.Fprintf(w, `{"message":%q,"field":%q}`, BodyCanary, m.requires)
				return
			}
			_ = json.NewEncoder(w).Encode(f(r))
		})
	}
	read := func(pattern string, f func(r *http.Request) any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			m.mu.Lock()
			defer m.mu.Unlock()
			_ = json.NewEncoder(w).Encode(f(r))
		})
	}
	write("PUT /companies/{domain}", func(r *http.Request) any { return m.company(r, m.byDomain(r.PathValue("domain"))) })
	write("POST /companies/{domain}", func(r *http.Request) any { return m.company(r, nil) })
	write("PUT /contacts/{email}", func(r *http.Request) any { return m.contact(r.PathValue("email"), false) })
	write("POST /contacts/{email}", func(r *http.Request) any { return m.contact(r.PathValue("email"), true) })
	write("PUT /records/{case}", func(r *http.Request) any { return m.record(r, m.byCase(r.PathValue("case"))) })
	write("POST /records/{case}", func(r *http.Request) any { return m.record(r, nil) })
	write("PUT /notes/{case}/{n}", func(r *http.Request) any { return m.note(r.PathValue("case"), r.PathValue("n")) })
	write("POST /notes/{case}", func(r *http.Request) any { return m.note(r.PathValue("case"), "") })
	read("GET /records/{case}", func(r *http.Request) any { return m.byCase(r.PathValue("case")) })
	read("GET /deals", func(r *http.Request) any { return m.ofDomain(r.URL.Query().Get("domain"), r.URL.Query().Has("like")) })
	read("GET /changes", func(r *http.Request) any { return m.since(r.URL.Query().Get("after")) })
	return mux
}

func (m *remote) byDomain(domain string) *company {
	for _, c := range m.companies {
		if c.Domain == domain {
			return c
		}
	}
	return nil
}

func (m *remote) byCase(number string) *deal {
	for _, d := range m.deals {
		if d.Case == number && number != "" {
			return d
		}
	}
	return nil
}

func (m *remote) ofDomain(domain string, like bool) (all []deal) {
	for _, d := range m.deals {
		for _, c := range m.companies {
			if d.Company == c.ID && (c.Domain == domain || like && strings.Contains(domain, c.Domain)) {
				all = append(all, *d)
			}
		}
	}
	return all
}

// company completes c, or makes one if there is none.
func (m *remote) company(r *http.Request, c *company) any {
	var in struct {
		Name   string
		Rename bool
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if c == nil {
		c = &company{ID: fmt.Sprint("company-", len(m.companies)+1), Domain: r.PathValue("domain")}
		m.companies = append(m.companies, c)
	}
	if c.Name == "" || in.Rename {
		c.Name = in.Name
	}
	return c
}

func (m *remote) contact(email string, another bool) any {
	for _, c := range m.contacts {
		if c == email && !another {
			return email
		}
	}
	m.contacts = append(m.contacts, email)
	return email
}

// record writes d as it is sent, or makes one if there is none. An older revision changes nothing,
// unless that is asked for.
func (m *remote) record(r *http.Request, d *deal) any {
	var in deal
	_ = json.NewDecoder(r.Body).Decode(&in)
	if d == nil {
		d = &deal{ID: "rec-" + in.Case, Values: map[PeopleField]string{PeopleOutcome: intake.DealOpen, PeopleStage: "new"}}
		m.deals = append(m.deals, d)
	}
	if d.Revision > in.Revision && !r.URL.Query().Has("overwrite") {
		return d
	}
	d.Stored, d.Company = in.Stored, in.Company
	for f, v := range in.Values {
		d.Values[f] = v
	}
	m.changed(d)
	return d
}

// changed adds d to the log.
func (m *remote) changed(d *deal) {
	now := deal{Stored: d.Stored, ID: d.ID, Company: d.Company, Values: make(map[PeopleField]string)}
	for f, v := range d.Values {
		now.Values[f] = v
	}
	domain := ""
	for _, c := range m.companies {
		if c.ID == d.Company {
			domain = c.Domain
		}
	}
	n := len(m.log) + 1
	m.log = append(m.log, entry{N: n, At: epoch.Add(time.Duration(n) * time.Second), Deal: now, Domain: domain})
}

func (m *remote) since(after string) []entry {
	n := len(m.log)
	_, _ = fmt.Sscan(after, &n)
	return append([]entry{{N: len(m.log)}}, m.log[n:]...)
}

// note adds a note under a key, or one more if there is no key.
func (m *remote) note(caseNumber, key string) any {
	if m.notes[caseNumber] == nil {
		m.notes[caseNumber] = make(map[string]bool)
	}
	if key == "" {
		m.creates++
		key = fmt.Sprint("created ", m.creates)
	}
	m.notes[caseNumber][key] = true
	return nil
}

func (m *remote) all() (all []Stored, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.deals {
		if d.Case != "" {
			all = append(all, d.Stored)
		}
	}
	return all, nil
}

func (m *remote) count(caseNumber string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.notes[caseNumber]), nil
}

func (m *remote) written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

func (m *remote) refuse() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requires = "deal_source"
	return m.requires
}

// people work in the remote.
type people struct{ *remote }

var _ People = people{}

func (p people) Company(name, domain string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &company{ID: fmt.Sprint("company-", len(p.companies)+1), Domain: domain, Name: name}
	p.companies = append(p.companies, c)
	return c.ID, nil
}

func (p people) Deal(company, name string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &deal{ID: fmt.Sprint("deal-", len(p.deals)+1), Company: company, Values: map[PeopleField]string{
		PeopleDealName: name, PeopleOutcome: intake.DealOpen, PeopleStage: "new",
	}}
	p.deals = append(p.deals, d)
	p.changed(d)
	return d.ID, nil
}

func (p people) Set(number string, f PeopleField, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.byCase(number)
	if d == nil {
		return fmt.Errorf("there is no record of case %s", number)
	}
	if f == PeopleCompanyName {
		p.companyOf(d).Name = value
		return nil
	}
	d.Values[f] = value
	p.changed(d)
	return nil
}

func (p people) Get(number string, f PeopleField) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.byCase(number)
	if d == nil {
		return "", fmt.Errorf("there is no record of case %s", number)
	}
	if f == PeopleCompanyName {
		return p.companyOf(d).Name, nil
	}
	return d.Values[f], nil
}

func (p people) companyOf(d *deal) *company {
	for _, c := range p.companies {
		if c.ID == d.Company {
			return c
		}
	}
	return &company{}
}

func (p people) Count() (companies, contacts, deals int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.companies), len(p.contacts), len(p.deals), nil
}
