// Package hubspottest is an account of HubSpot in memory, for tests: records with properties that are
// checked, unique ones among them, associations, searches that are late, merged and deleted records,
// limits and faults, and webhooks. It speaks the dated API and the versions before, as far as the
// connector and HubSpot's own library need them. Its answers are held to the models of that library.
package hubspottest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What there is in a new account.
const (
	Token    = "pat-eu1-token-of-the-fake"
	Portal   = 6215
	Currency = "EUR"
	Zone     = "Europe/Berlin"
	Pipeline = "default"
)

// Account is an account of HubSpot. Its methods may be called while it serves.
type Account struct {
	mu       sync.Mutex
	mux      *http.ServeMux
	last     time.Time
	ahead    time.Duration
	next     int
	objects  map[string]map[string]*Object // by kind and id
	links    map[string][]string           // "deals/1/companies" → ids
	schema   map[string]map[string]*Property
	groups   map[string]bool
	owners   []Owner
	stages   []Stage
	required map[string]string // by kind: a property that new records must have
	index    map[string]map[string]*Object
	answers  []Answer
	writes   int
	events   []Event
	tokens   map[string][]string // scopes that are denied, by token
	refresh  string
	rotate   bool
	issued   int
	page     int // of what a record is associated with
	deep     int // how many results of a search there are to be had
	hidden   map[string]bool
	before   func(*http.Request)
}

// Object is a record.
type Object struct {
	ID         string
	Properties map[string]string
	Created    time.Time
	Updated    time.Time
	Archived   bool
	// Merged is the record that this one was made part of.
	Merged string
}

// Owner is a user.
type Owner struct {
	ID, Email, First, Last string
	Archived               bool
}

// Stage is one of the pipeline.
type Stage struct {
	ID, Label   string
	Probability string
	Closed      bool
}

// Answer is one that a call gets in the place of the account's.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	// On limits it to calls whose method and path contain it.
	On string
	// After has the call done before.
	After bool
}

// New returns an account with one pipeline and nobody in it. Its schema is HubSpot's own.
func New() *Account {
	a := &Account{
		next: 1000, page: 500, deep: 10_000, objects: make(map[string]map[string]*Object), links: make(map[string][]string), hidden: make(map[string]bool), groups: make(map[string]bool),
		required: make(map[string]string), tokens: map[string][]string{Token: nil}, schema: standard(),
		stages: []Stage{
			{"appointmentscheduled", "Appointment scheduled", "0.2", false},
			{"qualifiedtobuy", "Qualified to buy", "0.4", false},
			{"contractsent", "Contract sent", "0.9", false},
			{"closedwon", "Closed won", "1.0", true},
			{"closedlost", "Closed lost", "0.0", true},
		},
	}
	for kind := range a.schema {
		a.objects[kind] = make(map[string]*Object)
	}
	a.mux = a.routes()
	return a
}

// now is later each time that it is asked.
func (a *Account) now() time.Time {
	t := time.Now().Add(a.ahead).UTC().Truncate(time.Millisecond)
	if !t.After(a.last) {
		t = a.last.Add(time.Millisecond)
	}
	a.last = t
	return t
}

// Pass has time pass for the account.
func (a *Account) Pass(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ahead += d
}

// Define makes a property, or changes one.
func (a *Account) Define(kind string, p Property) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.schema[kind][p.Name] = &p
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Meet has the next calls that it is for meet an answer, in their order.
func (a *Account) Meet(answers ...Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = append(a.answers, answers...)
}

// Deny takes scopes from a token; scope "*" takes all.
func (a *Account) Deny(token string, scopes ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tokens[token] = scopes
}

// Revoke has a token taken no more, and Permit one that is new taken.
func (a *Account) Revoke(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tokens, token)
}

// Refresh permits a refresh token of OAuth.
func (a *Account) Refresh(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refresh = token
}

// Rotate has each refresh token taken once: the answer has the next one.
func (a *Account) Rotate() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rotate = true
}

// Page has calls for associations answer with n of each record at most.
func (a *Account) Page(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.page = n
}

// Deep limits the results of a search, of which HubSpot has 10,000.
func (a *Account) Deep(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deep = n
}

// Hide has no search find a record, until Show.
func (a *Account) Hide(kind, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hidden[kind+"/"+id] = true
}

// Show ends Hide.
func (a *Account) Show(kind, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.hidden, kind+"/"+id)
}

// Date sets when a record was changed last.
func (a *Account) Date(kind, id, at string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[kind][id].Properties["hs_lastmodifieddate"] = at
}

// Before is called with each call before it is answered.
func (a *Account) Before(f func(*http.Request)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.before = f
}

// Require has new records of a kind refused that lack a property, as the rules of an administrator do.
func (a *Account) Require(kind, property string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.required[kind] = property
}

// Freeze has searches find what there is now, and nothing that comes later; Thaw ends that.
func (a *Account) Freeze() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = make(map[string]map[string]*Object)
	for kind, all := range a.objects {
		a.index[kind] = make(map[string]*Object)
		for id, o := range all {
			c := *o
			c.Properties = maps.Clone(o.Properties)
			a.index[kind][id] = &c
		}
	}
}

// Thaw ends Freeze.
func (a *Account) Thaw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = nil
}

// Writes is how many calls have written.
func (a *Account) Writes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.writes
}

// All returns the records of a kind that are not archived, the oldest first.
func (a *Account) All(kind string) []Object {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Object
	for _, id := range a.ids(kind) {
		if o := a.objects[kind][id]; !o.Archived {
			c := *o
			c.Properties = maps.Clone(o.Properties)
			out = append(out, c)
		}
	}
	return out
}

func (a *Account) ids(kind string) []string {
	return slices.SortedFunc(maps.Keys(a.objects[kind]), func(x, y string) int {
		i, _ := strconv.Atoi(x)
		j, _ := strconv.Atoi(y)
		return i - j
	})
}

// Linked returns the ids that a record is associated with.
func (a *Account) Linked(kind, id, to string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.linked(kind, id, to)
}

func (a *Account) linked(kind, id, to string) []string {
	return slices.DeleteFunc(slices.Clone(a.links[kind+"/"+id+"/"+to]), func(other string) bool {
		o := a.objects[to][other]
		return o == nil || o.Archived
	})
}

func (a *Account) link(kind, id, to, other string) {
	for _, l := range [][3]string{{kind, id, to + "/" + other}, {to, other, kind + "/" + id}} {
		of, there, _ := strings.Cut(l[2], "/")
		key := l[0] + "/" + l[1] + "/" + of
		if !slices.Contains(a.links[key], there) {
			a.links[key] = append(a.links[key], there)
		}
	}
}

// Unlink takes an association away.
func (a *Account) Unlink(kind, id, to, other string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unlink(kind, id, to, other)
	a.unlink(to, other, kind, id)
}

func (a *Account) unlink(kind, id, to, other string) {
	key := kind + "/" + id + "/" + to
	a.links[key] = slices.DeleteFunc(a.links[key], func(s string) bool { return s == other })
}

// Add has somebody make a record, tied to others: "companies/12".
func (a *Account) Add(kind string, properties map[string]string, to ...string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, refused := a.create(kind, properties)
	if refused != nil {
		return "", refused
	}
	for _, t := range to {
		of, id, _ := strings.Cut(t, "/")
		a.link(kind, o.ID, of, id)
	}
	return o.ID, nil
}

// Set has somebody change properties of a record.
func (a *Account) Set(kind, id string, properties map[string]string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.objects[kind][id]
	if o == nil || o.Archived {
		return fmt.Errorf("there is no %s %s", kind, id)
	}
	if refused := a.write(kind, o, properties, true); refused != nil {
		return refused
	}
	return nil
}

// Delete has somebody delete a record.
func (a *Account) Delete(kind, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.archive(kind, id)
}

func (a *Account) archive(kind, id string) {
	if o := a.objects[kind][id]; o != nil && !o.Archived {
		o.Archived, o.Updated = true, a.now()
		a.tell(Event{Type: singular(kind) + ".deletion", Object: number(id)})
	}
}

// Merge has somebody make a record part of another. What the other has stays.
func (a *Account) Merge(kind, into, from string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.merge(kind, into, from)
}

func (a *Account) merge(kind, into, from string) error {
	w, l := a.objects[kind][into], a.objects[kind][from]
	if w == nil || l == nil || w.Archived || l.Archived {
		return fmt.Errorf("there are no %s %s and %s", kind, into, from)
	}
	for name, v := range l.Properties {
		if p := a.schema[kind][name]; w.Properties[name] == "" && p != nil && !p.Unique && !p.ReadOnly {
			w.Properties[name] = v
		}
	}
	l.Archived, l.Merged = true, into
	w.Properties["hs_merged_object_ids"] = strings.Trim(w.Properties["hs_merged_object_ids"]+";"+from, ";")
	a.touch(kind, w)
	for _, to := range slices.Sorted(maps.Keys(a.schema)) {
		for _, other := range a.linked(kind, from, to) {
			a.link(kind, into, to, other)
		}
	}
	a.tell(Event{Type: singular(kind) + ".merge", Object: number(into), Primary: number(into), New: number(into), Merged: []int{number(from)}})
	return nil
}

// Person makes an owner of a name, or returns the one that there is.
func (a *Account) Person(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	first, last, _ := strings.Cut(name, " ")
	for _, o := range a.owners {
		if o.First == first && o.Last == last {
			return o.ID
		}
	}
	a.next++
	o := Owner{ID: strconv.Itoa(a.next), First: first, Last: last, Email: strings.ToLower(first+"."+last) + "@vendor.example"}
	a.owners = append(a.owners, o)
	return o.ID
}

// Owner returns an owner by his id.
func (a *Account) Owner(id string) Owner {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.owner(id)
}

func (a *Account) owner(id string) Owner {
	for _, o := range a.owners {
		if o.ID == id {
			return o
		}
	}
	return Owner{}
}

func number(id string) int {
	n, _ := strconv.Atoi(id)
	return n
}

func singular(kind string) string {
	if kind == "companies" {
		return "company"
	}
	return strings.TrimSuffix(kind, "s")
}
