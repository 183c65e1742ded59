package hubspottest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// version is the part of a path that says which API is called, after the older ones were put into its
// form.
const version = "2026-09"

var older = strings.NewReplacer(
	"/crm/v3/objects/", "/crm/objects/"+version+"/", "/crm/v4/objects/", "/crm/objects/"+version+"/", "/crm/v4/associations/", "/crm/associations/"+version+"/",
	"/crm/v3/properties/", "/crm/properties/"+version+"/", "/crm/v3/pipelines/", "/crm/pipelines/"+version+"/",
	"/crm/v3/owners", "/crm/owners/"+version, "/account-info/v3/", "/account-info/"+version+"/", "/oauth/v1/", "/oauth/"+version+"/",
)

func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.URL.Path, r.URL.RawPath = older.Replace(r.URL.Path), older.Replace(r.URL.RawPath)
	r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
	a.mu.Lock()
	before := a.before
	a.mu.Unlock()
	if before != nil {
		before(r)
	}
	a.mu.Lock()
	w.Header().Set("Date", time.Now().Add(a.ahead).UTC().Format(http.TimeFormat))
	a.mu.Unlock()
	if answer, ok := a.met(r); ok {
		if answer.After {
			a.mux.ServeHTTP(httptest.NewRecorder(), r)
		}
		w.Header().Set("Content-Type", "application/json")
		for k, v := range answer.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(answer.Status)
		_, _ = io.WriteString(w, answer.Body)
		return
	}
	a.mux.ServeHTTP(w, r)
}

func (a *Account) met(r *http.Request) (Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.answers, func(x Answer) bool { return strings.Contains(r.Method+" "+r.URL.Path, x.On) })
	if i < 0 {
		return Answer{}, false
	}
	x := a.answers[i]
	a.answers = slices.Delete(a.answers, i, i+1)
	return x, true
}

type call struct {
	r    *http.Request
	body []byte
	kind string
}

// in reads the body of a call; what it does not know it refuses.
func (c *call) in(v any) *fault {
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return &fault{status: 400, category: "VALIDATION_ERROR", message: "Invalid input JSON: " + err.Error()}
	}
	return nil
}

func notFound(format string, args ...any) *fault {
	return &fault{status: 404, category: "OBJECT_NOT_FOUND", message: fmt.Sprintf(format, args...)}
}

func (a *Account) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern, scope string, f func(*call) (int, any, *fault)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+strings.ReplaceAll(path, "{v}", version), func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			c := &call{r: r, body: body, kind: r.PathValue("kind")}
			status, out, refused := 0, any(nil), a.admit(r, strings.ReplaceAll(scope, "KIND", c.kind))
			if refused == nil && c.kind != "" && a.schema[c.kind] == nil {
				refused = &fault{status: 400, category: "VALIDATION_ERROR", message: "Unable to infer object type from: " + c.kind}
			}
			if refused == nil {
				status, out, refused = f(c)
			}
			if refused != nil {
				status, out = refused.status, refused.body()
			}
			if status < 300 && (r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/batch/read") && !strings.HasSuffix(r.URL.Path, "/search") && !strings.HasSuffix(r.URL.Path, "/token")) {
				a.writes++
			}
			if out == nil {
				w.WriteHeader(status)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(out)
		})
	}
	handle("POST /oauth/{v}/token", "", a.token)
	handle("GET /account-info/{v}/details", "oauth", func(*call) (int, any, *fault) {
		return 200, map[string]any{
			"portalId": Portal, "accountType": "STANDARD", "timeZone": Zone, "companyCurrency": Currency, "additionalCurrencies": []string{},
			"utcOffset": "+01:00", "utcOffsetMilliseconds": 3600000, "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1",
		}, nil
	})
	const objects = "/crm/objects/{v}/{kind}"
	handle("POST "+objects, "crm.objects.KIND.write", a.createOne)
	handle("GET "+objects+"/{id}", "crm.objects.KIND.read", a.getOne)
	handle("PATCH "+objects+"/{id}", "crm.objects.KIND.write", a.updateOne)
	handle("DELETE "+objects+"/{id}", "crm.objects.KIND.write", func(c *call) (int, any, *fault) {
		a.archive(c.kind, c.r.PathValue("id"))
		return 204, nil, nil
	})
	handle("POST "+objects+"/search", "crm.objects.KIND.read", a.search)
	handle("POST "+objects+"/merge", "crm.objects.KIND.write", a.mergeTwo)
	handle("POST "+objects+"/batch/read", "crm.objects.KIND.read", a.batchRead)
	handle("POST "+objects+"/batch/upsert", "crm.objects.KIND.write", a.batchUpsert)
	handle("PUT "+objects+"/{id}/associations/default/{to}/{other}", "crm.objects.KIND.write", a.associate)
	handle("POST /crm/associations/{v}/{kind}/{to}/batch/read", "crm.objects.KIND.read", a.associations)
	const properties = "/crm/properties/{v}/{kind}"
	handle("GET "+properties, "crm.schemas.KIND.read", func(c *call) (int, any, *fault) {
		all := []any{}
		for _, name := range slices.Sorted(maps.Keys(a.schema[c.kind])) {
			all = append(all, a.schema[c.kind][name].json())
		}
		return 200, map[string]any{"results": all}, nil
	})
	handle("GET "+properties+"/{name}", "crm.schemas.KIND.read", func(c *call) (int, any, *fault) {
		if p := a.schema[c.kind][c.r.PathValue("name")]; p != nil {
			return 200, p.json(), nil
		}
		return 0, nil, notFound("property %s does not exist", c.r.PathValue("name"))
	})
	handle("PATCH "+properties+"/{name}", "crm.schemas.KIND.write", a.updateProperty)
	handle("POST "+properties+"/batch/create", "crm.schemas.KIND.write", a.createProperties)
	handle("GET "+properties+"/groups/{group}", "crm.schemas.KIND.read", func(c *call) (int, any, *fault) {
		g := c.r.PathValue("group")
		if !a.groups[c.kind+"/"+g] {
			return 0, nil, notFound("group %s does not exist", g)
		}
		return 200, map[string]any{"name": g, "label": g, "displayOrder": -1, "archived": false}, nil
	})
	handle("POST "+properties+"/groups", "crm.schemas.KIND.write", func(c *call) (int, any, *fault) {
		var in struct {
			Name         string `json:"name"`
			Label        string `json:"label"`
			DisplayOrder int    `json:"displayOrder"`
		}
		if refused := c.in(&in); refused != nil {
			return 0, nil, refused
		}
		if a.groups[c.kind+"/"+in.Name] {
			return 0, nil, &fault{status: 409, category: "CONFLICT", message: "the group exists"}
		}
		a.groups[c.kind+"/"+in.Name] = true
		return 201, map[string]any{"name": in.Name, "label": in.Label, "displayOrder": in.DisplayOrder, "archived": false}, nil
	})
	handle("GET /crm/pipelines/{v}/{kind}", "crm.schemas.KIND.read", a.pipelines)
	handle("GET /crm/owners/{v}", "crm.objects.owners.read", func(c *call) (int, any, *fault) {
		all := []any{}
		for _, o := range a.owners {
			if o.Archived == (c.r.FormValue("archived") == "true") {
				all = append(all, a.ownerJSON(o))
			}
		}
		return 200, map[string]any{"results": all}, nil
	})
	handle("GET /crm/owners/{v}/{id}", "crm.objects.owners.read", func(c *call) (int, any, *fault) {
		if o := a.owner(c.r.PathValue("id")); o.ID != "" && o.Archived == (c.r.FormValue("archived") == "true") {
			return 200, a.ownerJSON(o), nil
		}
		return 0, nil, notFound("owner not found")
	})
	return mux
}

// admit checks the token.
func (a *Account) admit(r *http.Request, scope string) *fault {
	if scope == "" {
		return nil
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	denied, known := a.tokens[token]
	if !bearer || !known {
		return &fault{status: 401, category: "INVALID_AUTHENTICATION", message: "Authentication credentials not found."}
	}
	if slices.Contains(denied, scope) || slices.Contains(denied, "*") {
		return &fault{
			status: 403, category: "MISSING_SCOPES", message: "This app hasn't been granted all required scopes to make this call.",
			details: []map[string]any{{"message": "One or more of the following scopes are required.", "context": map[string]any{"requiredGranularScopes": []string{scope}}}},
		}
	}
	return nil
}

func (a *Account) token(c *call) (int, any, *fault) {
	c.r.Body = io.NopCloser(bytes.NewReader(c.body))
	if c.r.FormValue("grant_type") != "refresh_token" || a.refresh == "" || c.r.FormValue("refresh_token") != a.refresh {
		return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: "missing or invalid refresh token", sub: "BAD_REFRESH_TOKEN"}
	}
	a.issued++
	if a.rotate {
		a.refresh = fmt.Sprintf("refresh-token-%d", a.issued)
	}
	token := fmt.Sprintf("access-token-%d", a.issued)
	a.tokens[token] = nil
	return 200, map[string]any{"access_token": token, "expires_in": 1800, "refresh_token": a.refresh, "token_type": "bearer"}, nil
}

// json is a record as calls have it, with the properties that were asked for.
func (o *Object) json(kind string, properties []string) map[string]any {
	p := map[string]any{}
	for _, name := range append(slices.Clone(properties), "createdate", "hs_lastmodifieddate", "hs_object_id") {
		if name == "" {
			continue
		}
		if v, ok := o.Properties[name]; ok {
			p[name] = v
		} else {
			p[name] = nil
		}
	}
	if kind == "contacts" {
		delete(p, "hs_lastmodifieddate")
		p["lastmodifieddate"] = o.Properties["hs_lastmodifieddate"]
	}
	out := map[string]any{"id": o.ID, "properties": p, "createdAt": stamp(o.Created), "updatedAt": stamp(o.Updated), "archived": o.Archived}
	if o.Archived {
		out["archivedAt"] = stamp(o.Updated)
	}
	return out
}

// find returns a record by its id or by a unique property. One that was merged is the one that it is
// part of.
func (a *Account) find(kind, id, property string, archived bool) (*Object, *fault) {
	if property == "" || property == "hs_object_id" {
		o := a.objects[kind][id]
		for o != nil && o.Merged != "" && !archived {
			o = a.objects[kind][o.Merged]
		}
		if o == nil || o.Archived != archived {
			return nil, nil
		}
		return o, nil
	}
	if p := a.schema[kind][property]; p == nil || !p.Unique {
		return nil, &fault{status: 400, category: "VALIDATION_ERROR", message: fmt.Sprintf("Unable to find by non-unique property %s", property)}
	}
	for _, o := range a.objects[kind] {
		if o.Archived == archived && strings.EqualFold(o.Properties[property], id) {
			return o, nil
		}
	}
	return nil, nil
}

type association struct {
	To    struct{ ID string }
	Types []struct {
		AssociationCategory string
		AssociationTypeID   int `json:"associationTypeId"`
	}
}

// typeIDs are the associations that HubSpot defines.
var typeIDs = map[int]string{
	341: "deals companies", 5: "deals companies", 3: "deals contacts", 279: "contacts companies", 1: "contacts companies",
	190: "notes companies", 202: "notes contacts", 214: "notes deals", 186: "emails companies", 198: "emails contacts", 210: "emails deals",
}

func (a *Account) createOne(c *call) (int, any, *fault) {
	var in struct {
		Properties   map[string]string
		Associations []association
	}
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	for _, s := range in.Associations {
		for _, t := range s.Types {
			from, to, _ := strings.Cut(typeIDs[t.AssociationTypeID], " ")
			if o := a.objects[to][s.To.ID]; from != c.kind || o == nil || o.Archived {
				return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: fmt.Sprintf("association %d of %s to %s is not valid", t.AssociationTypeID, c.kind, s.To.ID)}
			}
		}
	}
	o, refused := a.create(c.kind, in.Properties)
	if refused != nil {
		return 0, nil, refused
	}
	for _, s := range in.Associations {
		for _, t := range s.Types {
			_, to, _ := strings.Cut(typeIDs[t.AssociationTypeID], " ")
			a.link(c.kind, o.ID, to, s.To.ID)
		}
	}
	return 201, o.json(c.kind, slices.Collect(maps.Keys(in.Properties))), nil
}

func (a *Account) getOne(c *call) (int, any, *fault) {
	q := c.r.URL.Query()
	o, refused := a.find(c.kind, c.r.PathValue("id"), q.Get("idProperty"), q.Get("archived") == "true")
	if refused == nil && o == nil {
		refused = notFound("Object not found. objectId are usually numeric.")
	}
	if refused != nil {
		return 0, nil, refused
	}
	out := o.json(c.kind, strings.Split(strings.Join(q["properties"], ","), ","))
	of := make(map[string]any)
	for _, to := range strings.Split(strings.Join(q["associations"], ","), ",") {
		var all []any
		for i, id := range a.linked(c.kind, o.ID, to) {
			name := singular(c.kind) + "_to_" + singular(to)
			if i == 0 {
				all = append(all, map[string]any{"id": id, "type": name})
			}
			all = append(all, map[string]any{"id": id, "type": name + "_unlabeled"})
		}
		if len(all) > 0 {
			of[to] = map[string]any{"results": all}
		}
	}
	if len(of) > 0 {
		out["associations"] = of
	}
	return 200, out, nil
}

func (a *Account) updateOne(c *call) (int, any, *fault) {
	var in struct{ Properties map[string]string }
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	o, refused := a.find(c.kind, c.r.PathValue("id"), c.r.URL.Query().Get("idProperty"), false)
	if refused == nil && o == nil {
		refused = notFound("resource not found")
	}
	if refused == nil {
		refused = a.write(c.kind, o, in.Properties, false)
	}
	if refused != nil {
		return 0, nil, refused
	}
	return 200, o.json(c.kind, slices.Collect(maps.Keys(in.Properties))), nil
}

func (a *Account) mergeTwo(c *call) (int, any, *fault) {
	var in struct{ PrimaryObjectID, ObjectIDToMerge string }
	var err error
	refused := c.in(&in)
	if refused == nil {
		err = a.merge(c.kind, in.PrimaryObjectID, in.ObjectIDToMerge)
	}
	if err != nil {
		refused = notFound("%v", err)
	}
	if refused != nil {
		return 0, nil, refused
	}
	return 200, a.objects[c.kind][in.PrimaryObjectID].json(c.kind, nil), nil
}

// batch is the answer to a call about several records.
func (a *Account) batch(results []any, missing []string, sub string) (int, any, *fault) {
	t := stamp(a.now())
	out := map[string]any{"status": "COMPLETE", "results": results, "startedAt": t, "completedAt": t}
	if len(missing) == 0 {
		return 200, out, nil
	}
	e := map[string]any{
		"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
		"context": map[string]any{"ids": missing}, "links": map[string]string{}, "errors": []any{},
	}
	if sub != "" {
		e["subCategory"] = sub
	}
	out["numErrors"], out["errors"] = 1, []any{e}
	return 207, out, nil
}

type ids struct {
	Inputs []struct {
		ID    string
		After string
	}
	IDProperty            string `json:"idProperty"`
	Properties            []string
	PropertiesWithHistory []string
}

func (a *Account) batchRead(c *call) (int, any, *fault) {
	var in ids
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	if len(in.Inputs) == 0 || len(in.Inputs) > 100 {
		return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: "use 1 to 100 inputs"}
	}
	results, missing := []any{}, []string(nil)
	for _, i := range in.Inputs {
		o, refused := a.find(c.kind, i.ID, in.IDProperty, c.r.URL.Query().Get("archived") == "true")
		if refused != nil {
			return 0, nil, refused
		}
		if o == nil {
			missing = append(missing, i.ID)
			continue
		}
		results = append(results, o.json(c.kind, in.Properties))
	}
	return a.batch(results, missing, "")
}

func (a *Account) batchUpsert(c *call) (int, any, *fault) {
	var in struct {
		Inputs []struct {
			ID, IDProperty, ObjectWriteTraceID string
			Properties                         map[string]string
		}
	}
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	results := []any{}
	for _, i := range in.Inputs {
		o, refused := a.find(c.kind, i.ID, i.IDProperty, false)
		made := o == nil
		if made && refused == nil {
			if i.Properties == nil {
				i.Properties = make(map[string]string)
			}
			i.Properties[i.IDProperty] = i.ID
			o, refused = a.create(c.kind, i.Properties)
		} else if refused == nil {
			refused = a.write(c.kind, o, i.Properties, false)
		}
		if refused != nil {
			return 0, nil, refused
		}
		r := o.json(c.kind, slices.Collect(maps.Keys(i.Properties)))
		r["new"] = made
		results = append(results, r)
	}
	return a.batch(results, nil, "")
}

func (a *Account) associate(c *call) (int, any, *fault) {
	id, to, other := c.r.PathValue("id"), c.r.PathValue("to"), c.r.PathValue("other")
	x, y := a.objects[c.kind][id], a.objects[to][other]
	if x == nil || y == nil || x.Archived || y.Archived {
		return 0, nil, notFound("one of the objects does not exist")
	}
	a.link(c.kind, id, to, other)
	return a.batch([]any{map[string]any{
		"from": map[string]string{"id": id}, "to": map[string]string{"id": other},
		"associationSpec": map[string]any{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341},
	}}, nil, "")
}

func (a *Account) associations(c *call) (int, any, *fault) {
	var in ids
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	to := c.r.PathValue("to")
	results, missing := []any{}, []string(nil)
	for _, i := range in.Inputs {
		all := []any{}
		tied := a.linked(c.kind, i.ID, to)
		start := min(number(i.After), len(tied))
		end := min(start+a.page, len(tied))
		for _, id := range tied[start:end] {
			all = append(all, map[string]any{"toObjectId": id, "associationTypes": []any{map[string]any{"category": "HUBSPOT_DEFINED", "typeId": 341}}})
		}
		if len(all) == 0 {
			missing = append(missing, i.ID)
			continue
		}
		of := map[string]any{"from": map[string]string{"id": i.ID}, "to": all}
		if end < len(tied) {
			of["paging"] = map[string]any{"next": map[string]string{"after": strconv.Itoa(end), "link": "?after=" + strconv.Itoa(end)}}
		}
		results = append(results, of)
	}
	return a.batch(results, missing, "crm.associations.NO_ASSOCIATIONS_FOUND")
}

func (p *Property) json() map[string]any {
	options := []any{}
	for i, o := range p.Options {
		options = append(options, map[string]any{"label": o, "value": o, "displayOrder": i, "hidden": false})
	}
	return map[string]any{
		"name": p.Name, "label": p.Label, "type": p.Type, "fieldType": p.FieldType, "groupName": p.Group, "description": "",
		"options": options, "hasUniqueValue": p.Unique, "archived": false, "hidden": false, "displayOrder": -1,
		"calculated": p.ReadOnly, "externalOptions": false, "formField": false, "hubspotDefined": p.Group != "leadgate",
	}
}

type newProperty struct {
	Name, Label, GroupName, Type, FieldType, Description string
	HasUniqueValue, FormField, Hidden                    bool
	DisplayOrder                                         int
	Options                                              []newOption
}

type newOption struct {
	Label, Value, Description string
	DisplayOrder              *int
	Hidden                    *bool
}

func optionsOf(all []newOption) (out []string, refused *fault) {
	for _, o := range all {
		if o.DisplayOrder == nil || o.Hidden == nil {
			return nil, &fault{status: 400, category: "VALIDATION_ERROR", message: "options: displayOrder and hidden are required"}
		}
		out = append(out, o.Value)
	}
	return out, nil
}

func (a *Account) createProperties(c *call) (int, any, *fault) {
	var in struct{ Inputs []newProperty }
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	results := []any{}
	for _, p := range in.Inputs {
		options, refused := optionsOf(p.Options)
		switch {
		case refused != nil:
			return 0, nil, refused
		case a.schema[c.kind][p.Name] != nil:
			return 0, nil, &fault{status: 409, category: "CONFLICT", message: "A property named '" + p.Name + "' already exists."}
		case !a.groups[c.kind+"/"+p.GroupName]:
			return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: "Property group " + p.GroupName + " does not exist"}
		case p.Type == "enumeration" && len(p.Options) == 0, p.Type != "enumeration" && len(p.Options) > 0:
			return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: "options are those of an enumeration"}
		}
		n := &Property{Name: p.Name, Label: p.Label, Type: p.Type, FieldType: p.FieldType, Group: p.GroupName, Options: options, Unique: p.HasUniqueValue}
		a.schema[c.kind][p.Name] = n
		results = append(results, n.json())
	}
	status, out, _ := a.batch(results, nil, "")
	if status == 200 {
		status = 201
	}
	return status, out, nil
}

func (a *Account) updateProperty(c *call) (int, any, *fault) {
	var in newProperty
	refused := c.in(&in)
	p := a.schema[c.kind][c.r.PathValue("name")]
	if refused == nil && p == nil {
		refused = notFound("property does not exist")
	}
	var options []string
	if refused == nil {
		options, refused = optionsOf(in.Options)
	}
	if refused != nil {
		return 0, nil, refused
	}
	p.Options = options
	return 200, p.json(), nil
}

// DropProperty takes a property away, and DropOptions the values of a choice but for the first.
func (a *Account) DropProperty(kind, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.schema[kind], name)
}

// DropOptions takes the values of a choice away, but for the first.
func (a *Account) DropOptions(kind, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.schema[kind][name].Options = a.schema[kind][name].Options[:1]
}

func (a *Account) pipelines(*call) (int, any, *fault) {
	t := "2024-01-01T00:00:00.000Z"
	var all []any
	for i, s := range a.stages {
		all = append(all, map[string]any{
			"id": s.ID, "label": s.Label, "displayOrder": i, "archived": false, "createdAt": t, "updatedAt": t, "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
			"metadata": map[string]string{"isClosed": strconv.FormatBool(s.Closed), "probability": s.Probability},
		})
	}
	slices.Reverse(all) // nothing promises an order
	return 200, map[string]any{"results": []any{map[string]any{
		"id": Pipeline, "label": "Sales Pipeline", "displayOrder": 0, "archived": false, "createdAt": t, "updatedAt": t, "stages": all,
	}}}, nil
}

func (a *Account) ownerJSON(o Owner) map[string]any {
	t := "2024-01-01T00:00:00.000Z"
	return map[string]any{
		"id": o.ID, "email": o.Email, "firstName": o.First, "lastName": o.Last, "type": "PERSON", "userId": number(o.ID) + 1, "userIdIncludingInactive": number(o.ID) + 1,
		"archived": o.Archived, "createdAt": t, "updatedAt": t,
	}
}

type filter struct {
	PropertyName, Operator, Value, HighValue string
	Values                                   []string
}

// search finds what is in the index.
// https://developers.hubspot.com/docs/api-reference/search/guide
func (a *Account) search(c *call) (int, any, *fault) {
	var in struct {
		FilterGroups []struct{ Filters []filter }
		Properties   []string
		Sorts        []string
		Limit        int
		After        string
		Query        string
	}
	if refused := c.in(&in); refused != nil {
		return 0, nil, refused
	}
	wrong := func(format string, args ...any) (int, any, *fault) {
		return 0, nil, &fault{status: 400, category: "VALIDATION_ERROR", message: fmt.Sprintf(format, args...)}
	}
	if len(c.body) > 3000 || in.Limit > 200 || len(in.FilterGroups) > 5 || len(in.Sorts) > 1 {
		return wrong("the request is too large")
	}
	from := a.index
	if from == nil {
		from = a.objects
	}
	var all []*Object
	for _, o := range from[c.kind] {
		match := len(in.FilterGroups) == 0
		for _, g := range in.FilterGroups {
			every := true
			for _, f := range g.Filters {
				if of, tied := strings.CutPrefix(f.PropertyName, "associations."); tied {
					all := a.linked(c.kind, o.ID, map[string]string{"company": "companies", "contact": "contacts"}[of])
					every = every && f.Operator == "EQ" && slices.Contains(all, f.Value)
					continue
				}
				if a.schema[c.kind][f.PropertyName] == nil {
					return wrong("There was a problem with the request: property %s does not exist", f.PropertyName)
				}
				ok, err := f.holds(o.Properties[f.PropertyName])
				if err != nil {
					return wrong("%v", err)
				}
				every = every && ok
			}
			match = match || every
		}
		if match && !o.Archived && !a.hidden[c.kind+"/"+o.ID] {
			all = append(all, o)
		}
	}
	by, descending := "hs_object_id", false
	if len(in.Sorts) > 0 {
		by, descending = strings.CutPrefix(in.Sorts[0], "-")
	}
	sort.SliceStable(all, func(i, j int) bool {
		x, y := all[i].Properties[by], all[j].Properties[by]
		if x == y {
			x, y = fmt.Sprintf("%20s", all[i].ID), fmt.Sprintf("%20s", all[j].ID)
		}
		return (x < y) != descending
	})
	total, start := len(all), number(in.After)
	if start+max(in.Limit, 10) > a.deep {
		return wrong("the results of a search end at %d", a.deep)
	}
	if in.Limit == 0 {
		in.Limit = 10
	}
	all = all[min(start, total):min(start+in.Limit, total)]
	results := []any{}
	for _, o := range all {
		results = append(results, o.json(c.kind, in.Properties))
	}
	out := map[string]any{"total": total, "results": results}
	if next := start + in.Limit; next < total {
		out["paging"] = map[string]any{"next": map[string]string{"after": strconv.Itoa(next)}}
	}
	return 200, out, nil
}

func (f filter) holds(v string) (bool, error) {
	switch f.Operator {
	case "EQ":
		return v != "" && strings.EqualFold(v, f.Value), nil
	case "NEQ":
		return !strings.EqualFold(v, f.Value), nil
	case "HAS_PROPERTY":
		return v != "", nil
	case "NOT_HAS_PROPERTY":
		return v == "", nil
	case "CONTAINS_TOKEN":
		return v != "" && strings.Contains(strings.ToLower(v), strings.ToLower(strings.Trim(f.Value, "*"))), nil
	case "GTE":
		have, want := moment(v), moment(f.Value)
		if want.IsZero() {
			return false, errors.New(f.Value + " is not a time")
		}
		return v != "" && !have.Before(want), nil
	}
	return false, fmt.Errorf("%s is not an operator", f.Operator)
}
