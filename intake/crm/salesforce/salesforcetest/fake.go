// Package salesforcetest is an org of Salesforce in memory, for tests: the parts of its REST API that
// the gateway uses, with external ids, transactions that are all or nothing, duplicate rules, limits,
// sessions that end, and rights. What is of the gateway's own is deployed into it from the source
// that is shipped, so a field or a right that is missing there is missing here.
package salesforcetest

import (
	"fmt"
	"io/fs"
	"maps"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// Version is the one of the API that the org offers.
const Version = "68.0"

// Organization is the id of the org, Integration that of the gateway's user in it.
const (
	Organization = "00D000000000001EAA"
	Integration  = "005000000000001AAA"
)

type row map[string]any

// Fake is an org. Its methods may be called while requests run.
type Fake struct {
	// ClientID and Secret are what the External Client App wants; Username and Key, if set, are
	// for JWT bearer.
	ClientID, Secret string
	Username         string
	Key              any // *rsa.PublicKey
	Audience         string
	// Instance is where the org says that it is; where the request came to if not set.
	Instance string

	mu      sync.Mutex
	objects map[string]*object
	rows    map[string]map[string]row
	order   map[string][]string
	serial  int
	now     func() time.Time
	user    string // who acts

	tokens map[string]bool
	minted int
	writes int
	used   int
	soql   []string

	stages     map[string][2]bool // StageName: closed, won
	required   map[string]bool    // object.field, on creation
	duplicates map[string]func(fields map[string]any) []string
	locked     int
	batch      int                         // rows of an answer; 0 for all
	rest       map[string][]map[string]any // of answers that come in parts, by their path
	exhausted  bool
}

// New returns an org into which source was deployed.
func New(source fs.FS, now func() time.Time) (*Fake, error) {
	objects, err := deploy(source)
	if err != nil {
		return nil, err
	}
	f := &Fake{
		ClientID: "consumer-key", Secret: "client-secret-canary", Audience: "https://login.salesforce.com",
		objects: objects, rows: make(map[string]map[string]row), order: make(map[string][]string), now: now,
		tokens: make(map[string]bool), required: make(map[string]bool), duplicates: make(map[string]func(map[string]any) []string),
		stages: map[string][2]bool{
			"Prospecting": {}, "Qualification": {}, "Negotiation/Review": {}, "Closed Won": {true, true}, "Closed Lost": {true, false},
		},
		used: 18, serial: 100, // below are the ids that are constants
	}
	for name := range objects {
		f.rows[name] = make(map[string]row)
	}
	f.rows["User"][Integration] = row{"Id": Integration, "Name": "Leadgate Integration", "Email": "leadgate@vendor.example", "IsDeleted": false}
	f.order["User"] = []string{Integration}
	return f, nil
}

// fault is an answer that is none of 2xx.
type fault struct {
	status int
	body   any
}

func (e *fault) Error() string { return fmt.Sprint(e.status, " ", e.body) }

func refuse(status int, code, format string, a ...any) *fault {
	return refuseFields(status, code, []string{}, format, a...)
}

func refuseFields(status int, code string, fields []string, format string, a ...any) *fault {
	return &fault{status, []any{map[string]any{"message": fmt.Sprintf(format, a...), "errorCode": code, "fields": fields}}}
}

// newID returns an id of 18 characters: the last three tell the case of the others.
func (f *Fake) newID(prefix string) string {
	f.serial++
	return complete(fmt.Sprintf("%s0000%08d", prefix, f.serial))
}

func complete(id string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	for i := range 3 {
		n := 0
		for k := range 5 {
			if c := id[i*5+k]; c >= 'A' && c <= 'Z' {
				n |= 1 << k
			}
		}
		id += string(letters[n])
	}
	return id
}

func isRecordID(s string) bool { return len(s) == 18 && complete(s[:15]) == s }

func (f *Fake) ids(object string) []string { return f.order[object] }

func (f *Fake) objectOf(id string) *object {
	for _, o := range f.objects {
		if f.rows[o.Name][id] != nil {
			return o
		}
	}
	return nil
}

// stamp is the org's clock, which counts whole seconds.
func (f *Fake) stamp() time.Time { return f.now().UTC().Truncate(time.Second) }

// insert makes a record, for whoever f.user is.
func (f *Fake) insert(o *object, fields map[string]any) (string, *fault) {
	clean, err := f.check(o, "", fields)
	if err != nil {
		return "", err
	}
	var missing []string
	for _, name := range o.order {
		fd := o.fields[name]
		if (fd.Required || f.required[o.Name+"."+name]) && clean[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return "", refuseFields(400, "REQUIRED_FIELD_MISSING", missing, "Required fields are missing: %v", missing)
	}
	if find := f.duplicates[o.Name]; find != nil && f.user == Integration {
		if ids := find(clean); len(ids) > 0 {
			return "", f.duplicate(ids)
		}
	}
	id := f.newID(o.Prefix)
	r := row{"Id": id, "IsDeleted": false, "CreatedDate": f.stamp(), "CreatedById": f.user}
	if o.fields["OwnerId"] != nil {
		r["OwnerId"] = f.user
	}
	f.rows[o.Name][id] = r
	f.order[o.Name] = append(f.order[o.Name], id)
	f.apply(o, r, clean)
	return id, nil
}

func (f *Fake) duplicate(ids []string) *fault {
	var records []any
	for _, id := range ids {
		records = append(records, map[string]any{"additionalInformation": []any{}, "fieldDiffs": []any{}, "matchConfidence": 100.0, "record": map[string]any{
			"attributes": map[string]any{"type": f.objectOf(id).Name}, "Id": id,
		}})
	}
	return &fault{400, []any{map[string]any{
		"errorCode": "DUPLICATES_DETECTED", "message": "Use one of these records?",
		"duplicateResult": map[string]any{
			"allowSave": false, "duplicateRule": "Standard_Rule", "errorMessage": "Use one of these records?",
			"matchResults": []any{map[string]any{"errors": []any{}, "matchRecords": records, "rule": "Standard_Match", "size": len(records), "success": true}},
		},
	}}}
}

func (f *Fake) update(o *object, id string, fields map[string]any) *fault {
	r := f.rows[o.Name][id]
	switch {
	case r == nil:
		return refuse(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: %s", id)
	case r["IsDeleted"] == true:
		return refuse(404, "ENTITY_IS_DELETED", "entity is deleted")
	}
	clean, err := f.check(o, id, fields)
	if err != nil {
		return err
	}
	for name, v := range clean {
		if o.fields[name].Required && v == nil {
			return refuseFields(400, "REQUIRED_FIELD_MISSING", []string{name}, "Required fields are missing: [%s]", name)
		}
	}
	was, _ := r["Rev__c"].(float64)
	if is, ok := clean["Rev__c"].(float64); ok && o.olderRefused != "" && is < was {
		return refuseFields(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", []string{"Rev__c"}, "%s", o.olderRefused)
	}
	f.apply(o, r, clean)
	return nil
}

func (f *Fake) apply(o *object, r row, clean map[string]any) {
	maps.Copy(r, clean)
	r["LastModifiedDate"], r["SystemModstamp"], r["LastModifiedById"] = f.stamp(), f.stamp(), f.user
	if o.Name == "Opportunity" {
		st := f.stages[r["StageName"].(string)]
		r["IsClosed"], r["IsWon"] = st[0], st[1]
	}
}

// check reads the fields of a record that is to be written.
func (f *Fake) check(o *object, id string, fields map[string]any) (map[string]any, *fault) {
	clean := make(map[string]any)
	for name, v := range fields {
		if name == "attributes" {
			continue
		}
		fd := o.fields[name]
		if fd == nil && strings.HasSuffix(name, "__r") {
			to, err := f.byRelation(o, name, v)
			if err != nil {
				return nil, err
			}
			clean[relation(o, name).Name] = to
			continue
		}
		if fd == nil || !fd.Visible && f.user == Integration {
			return nil, refuse(400, "INVALID_FIELD", "No such column '%s' on sobject of type %s", name, o.Name)
		}
		if fd.ReadOnly {
			return nil, refuseFields(400, "INVALID_FIELD_FOR_INSERT_UPDATE", []string{name}, "Unable to create/update fields: %s. Please check the security settings of this field and verify that it is read/write for your profile or permission set.", name)
		}
		value, err := f.read(o, fd, v)
		if err != nil {
			return nil, err
		}
		if fd.Unique && value != nil {
			if other := f.byKey(o, fd, value.(string)); len(other) > 0 && other[0] != id {
				return nil, refuse(400, "DUPLICATE_VALUE", "duplicate value found: %s duplicates value on record with id: %s", name, other[0])
			}
		}
		clean[name] = value
	}
	return clean, nil
}

// byRelation finds the record that {"Case_Number__c": "…"} stands for.
func (f *Fake) byRelation(o *object, rel string, v any) (string, *fault) {
	fd := relation(o, rel)
	m, _ := v.(map[string]any)
	to := f.objects[fd.To]
	if to == nil || len(m) != 1 {
		return "", refuse(400, "INVALID_FIELD", "No such column '%s' on sobject of type %s", rel, o.Name)
	}
	for key, value := range m {
		kf := to.fields[key]
		if kf == nil || !kf.External {
			break
		}
		found := f.byKey(to, kf, fmt.Sprint(value))
		if len(found) == 1 {
			return found[0], nil
		}
		return "", refuse(400, "INVALID_FIELD", "Foreign key external ID: %v not found for field %s in entity %s", value, key, to.Name)
	}
	return "", refuse(400, "INVALID_FIELD", "%s is no external id", rel)
}

// byKey finds what has a value in a field, without regard to case, the deleted left out.
func (f *Fake) byKey(o *object, fd *field, value string) (found []string) {
	for _, id := range f.order[o.Name] {
		r := f.rows[o.Name][id]
		if have, _ := r[fd.Name].(string); r["IsDeleted"] != true && have != "" && strings.EqualFold(have, value) {
			found = append(found, id)
		}
	}
	return found
}

func (f *Fake) read(o *object, fd *field, v any) (any, *fault) {
	wrong := func() *fault {
		return refuse(400, "JSON_PARSER_ERROR", "Cannot deserialize instance of %s from value %v or request may be missing a required field", fd.Type, v)
	}
	if v == nil || v == "" {
		return nil, nil
	}
	s, isText := v.(string)
	switch fd.Type {
	case "double":
		n, ok := v.(float64)
		if !ok {
			return nil, wrong()
		}
		return n, nil
	case "boolean":
		b, ok := v.(bool)
		if !ok {
			return nil, wrong()
		}
		return b, nil
	case "date":
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil, wrong()
		}
		return s, nil
	case "datetime":
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, wrong()
		}
		return at.UTC().Truncate(time.Second), nil
	case "reference":
		at := f.objectOf(s)
		if !isText || at == nil || fd.To != "" && at.Name != fd.To {
			return nil, refuseFields(400, "INVALID_CROSS_REFERENCE_KEY", []string{fd.Name}, "%s: id value of incorrect type: %s", fd.Name, s)
		}
		if f.rows[at.Name][s]["IsDeleted"] == true {
			return nil, refuse(400, "ENTITY_IS_DELETED", "entity is deleted")
		}
		return s, nil
	case "email":
		if _, err := mail.ParseAddress(s); err != nil {
			return nil, refuseFields(400, "INVALID_EMAIL_ADDRESS", []string{fd.Name}, "%s: invalid email address: %s", fd.Name, s)
		}
	}
	if !isText {
		return nil, wrong()
	}
	if _, known := f.stages[s]; fd.Name == "StageName" && !known {
		return nil, refuseFields(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{fd.Name}, "%s: bad value for restricted picklist field: %s", fd.Name, s)
	}
	if n := len(utf16.Encode([]rune(s))); fd.Length > 0 && n > fd.Length {
		return nil, refuseFields(400, "STRING_TOO_LONG", []string{fd.Name}, "%s: data value too large: (max length=%d)", fd.Name, fd.Length)
	}
	if fd.Type != "textarea" && strings.ContainsAny(s, "\r\n") {
		s = strings.Join(strings.Fields(s), " ") // one line
	}
	return s, nil
}

// upsert writes by an external id.
func (f *Fake) upsert(o *object, key, value string, fields map[string]any, updateOnly bool) (int, any, *fault) {
	fd := o.fields[key]
	if fd == nil || !fd.External || !fd.Visible {
		return 0, nil, refuse(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: %s", key)
	}
	if _, both := fields[key]; both {
		return 0, nil, refuseFields(400, "INVALID_FIELD", []string{key}, "The %s field should not be specified in the sobject data.", key)
	}
	found := f.byKey(o, fd, value)
	switch {
	case len(found) > 1:
		var urls []string
		for _, id := range found {
			urls = append(urls, "/services/data/v"+Version+"/sobjects/"+o.Name+"/"+id)
		}
		return 0, nil, &fault{300, urls}
	case len(found) == 1:
		if err := f.update(o, found[0], fields); err != nil {
			return 0, nil, err
		}
		return 200, saved(found[0], false), nil
	case updateOnly:
		return 0, nil, refuse(404, "NOT_FOUND", "The requested resource does not exist")
	}
	with := maps.Clone(fields)
	if with == nil {
		with = make(map[string]any)
	}
	with[key] = value
	id, err := f.insert(o, with)
	if err != nil {
		return 0, nil, err
	}
	return 201, saved(id, true), nil
}

func saved(id string, created bool) map[string]any {
	return map[string]any{"id": id, "success": true, "errors": []any{}, "created": created}
}

func (f *Fake) remove(o *object, id string) *fault {
	r := f.rows[o.Name][id]
	if r == nil || r["IsDeleted"] == true {
		return refuse(404, "ENTITY_IS_DELETED", "entity is deleted")
	}
	r["IsDeleted"], r["SystemModstamp"], r["LastModifiedById"] = true, f.stamp(), f.user
	for _, c := range o.children { // look-ups are cleared, as their field says
		for _, x := range f.rows[c.object] {
			if x[c.field] == id {
				x[c.field] = nil
			}
		}
	}
	return nil
}

// snapshot and restore make a call all or nothing.
func (f *Fake) snapshot() func() {
	rows, order := make(map[string]map[string]row), make(map[string][]string)
	for o, all := range f.rows {
		rows[o] = make(map[string]row, len(all))
		for id, r := range all {
			rows[o][id] = maps.Clone(r)
		}
		order[o] = slices.Clone(f.order[o])
	}
	return func() { f.rows, f.order = rows, order }
}

// as runs fn as a user of the org.
func (f *Fake) as(user string, fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.user
	f.user = user
	defer func() { f.user = was }()
	fn()
}

// User returns the id of the user who is called so, and makes one if there is none.
func (f *Fake) User(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, r := range f.rows["User"] {
		if r["Name"] == name {
			return id
		}
	}
	id := f.newID("005")
	mailbox := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@vendor.example"
	f.rows["User"][id] = row{"Id": id, "Name": name, "Email": mailbox, "IsDeleted": false}
	f.order["User"] = append(f.order["User"], id)
	return id
}

// Create, Update and Delete are what a person who works in the org does.
func (f *Fake) Create(object string, fields map[string]any) (id string, err error) {
	user := f.User("Sam Sales")
	f.as(user, func() {
		var refused *fault
		if id, refused = f.insert(f.objects[object], fields); refused != nil {
			err = refused
		}
	})
	return id, err
}

func (f *Fake) Update(object, id string, fields map[string]any) (err error) {
	user := f.User("Sam Sales")
	f.as(user, func() {
		if refused := f.update(f.objects[object], id, fields); refused != nil {
			err = refused
		}
	})
	return err
}

func (f *Fake) Delete(object, id string) (err error) {
	user := f.User("Sam Sales")
	f.as(user, func() {
		if refused := f.remove(f.objects[object], id); refused != nil {
			err = refused
		}
	})
	return err
}

// All returns the records of an object that are there, as the org answers them.
func (f *Fake) All(object string) []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []map[string]any
	for _, id := range f.order[object] {
		if r := f.rows[object][id]; r["IsDeleted"] != true {
			out := make(map[string]any)
			for k, v := range r {
				out[k] = shown(v)
			}
			all = append(all, out)
		}
	}
	return all
}

// Expire ends all sessions. Minted is how many there were.
func (f *Fake) Expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.tokens)
}

func (f *Fake) Minted() int { return f.count(&f.minted) }

// Writes is how many calls have written.
func (f *Fake) Writes() int { return f.count(&f.writes) }

func (f *Fake) count(n *int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *n
}

// Queries returns every SOQL that was asked.
func (f *Fake) Queries() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.soql)
}

// Use says how many of the 15000 calls of the day are used.
func (f *Fake) Use(calls int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used, f.exhausted = calls, calls >= 15000
}

// Lock lets the next writes find a row locked.
func (f *Fake) Lock(times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locked = times
}

// Require makes a field one that new records need.
func (f *Fake) Require(object, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.required[object+"."+name] = true
}

// Loosen takes from an external id that it is unique, Hide takes a field from the gateway's user.
func (f *Fake) Loosen(object, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[object].fields[name].Unique = false
}

func (f *Fake) Hide(object, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[object].fields[name].Visible = false
}

// Batch has answers to queries come in parts.
func (f *Fake) Batch(rows int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batch, f.rest = rows, make(map[string][]map[string]any)
}

// Show lets the gateway's user see a field.
func (f *Fake) Show(object, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[object].fields[name].Visible = true
}

// Drop takes an object away.
func (f *Fake) Drop(object string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, object)
}

// DuplicateRule has a rule look at the records of an object that the gateway makes; it returns the
// ids of those that are there already.
func (f *Fake) DuplicateRule(object string, find func(fields map[string]any) []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.duplicates[object] = find
}

func limits(used int) string { return "api-usage=" + strconv.Itoa(used) + "/15000" }
