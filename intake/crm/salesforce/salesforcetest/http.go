package salesforcetest

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const maxQueries = 5 // in one composite call

// ServeHTTP answers as the org does.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Date", f.now().UTC().Format(http.TimeFormat))
	if r.URL.Path == "/services/oauth2/token" {
		f.token(w, r)
		return
	}
	if !f.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] {
		answer(w, 401, []any{map[string]any{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}})
		return
	}
	if f.used++; f.exhausted {
		answer(w, 403, []any{map[string]any{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}})
		return
	}
	w.Header().Set("Sforce-Limit-Info", limits(f.used))
	var body map[string]any
	if r.ContentLength != 0 {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			answer(w, 400, []any{map[string]any{"message": "Unexpected character", "errorCode": "JSON_PARSER_ERROR"}})
			return
		}
	}
	f.user = Integration
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), "/services/data/v"+Version+"/")
	if !ok {
		answer(w, 404, []any{map[string]any{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}})
		return
	}
	if r.Method != http.MethodGet && rest != "composite" {
		f.writes++
	}
	undo := f.snapshot()
	status, out, err := f.call(r.Method, rest, r.URL.RawQuery, body)
	if err != nil {
		undo()
		answer(w, err.status, err.body)
		return
	}
	answer(w, status, out)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (f *Fake) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	refuse := func(code, words string) {
		answer(w, 400, map[string]string{"error": code, "error_description": words})
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
		if r.PostForm.Get("client_id") != f.ClientID || r.PostForm.Get("client_secret") != f.Secret {
			refuse("invalid_client", "invalid client credentials")
			return
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(r.PostForm.Get("assertion"), claims, func(*jwt.Token) (any, error) { return f.Key.(*rsa.PublicKey), nil },
			jwt.WithValidMethods([]string{"RS256"}), jwt.WithAudience(f.Audience), jwt.WithIssuer(f.ClientID), jwt.WithSubject(f.Username),
			jwt.WithExpirationRequired(), jwt.WithTimeFunc(f.now))
		until, _ := claims.GetExpirationTime()
		if err != nil || until.Sub(f.now()) > 5*time.Minute {
			refuse("invalid_grant", "invalid assertion")
			return
		}
	default:
		refuse("unsupported_grant_type", "grant type not supported")
		return
	}
	f.minted++
	token := fmt.Sprintf("00Dtoken-canary-%d", f.minted)
	f.tokens[token] = true
	instance := f.Instance
	if instance == "" {
		instance = "http://" + r.Host
	}
	answer(w, 200, map[string]string{
		"access_token": token, "instance_url": instance, "token_type": "Bearer", "scope": "api",
		"id": "https://login.salesforce.com/id/" + Organization + "/" + Integration,
	})
}

// call answers one request, of those in a composite call too.
func (f *Fake) call(method, rest, raw string, body map[string]any) (int, any, *fault) {
	params, err := url.ParseQuery(raw)
	if err != nil {
		return 0, nil, refuse(400, "MALFORMED_QUERY", "bad escape")
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		if parts[i], err = url.PathUnescape(p); err != nil {
			return 0, nil, refuse(404, "NOT_FOUND", "The requested resource does not exist")
		}
	}
	switch {
	case method == http.MethodGet && (rest == "query" || rest == "queryAll"):
		return f.query(params.Get("q"), rest == "queryAll")
	case method == http.MethodGet && f.rest[rest] != nil:
		return 200, f.part(f.rest[rest]), nil
	case method == http.MethodGet && rest == "limits":
		return 200, map[string]any{"DailyApiRequests": map[string]int{"Max": 15000, "Remaining": 15000 - f.used}}, nil
	case method == http.MethodPost && rest == "composite":
		return f.composite(body)
	case parts[0] == "sobjects" && len(parts) >= 2:
		return f.record(method, parts[1:], params, body)
	}
	return 0, nil, refuse(404, "NOT_FOUND", "The requested resource does not exist")
}

func (f *Fake) query(soql string, all bool) (int, any, *fault) {
	f.soql = append(f.soql, soql)
	q, err := parse(soql)
	if err != nil {
		return 0, nil, refuse(400, "MALFORMED_QUERY", "%v", err)
	}
	rows, err := f.run(q, all)
	if err != nil {
		code := "INVALID_FIELD"
		if f.objects[q.from] == nil {
			code = "INVALID_TYPE"
		}
		return 0, nil, refuse(400, code, "%v", err)
	}
	return 200, f.part(rows), nil
}

// part is the beginning of an answer, with the path of its rest.
func (f *Fake) part(rows []map[string]any) map[string]any {
	if f.batch == 0 || len(rows) <= f.batch {
		return map[string]any{"totalSize": len(rows), "done": true, "records": rows}
	}
	f.serial++
	rest := fmt.Sprintf("query/01g%d-%d", f.serial, f.batch)
	f.rest[rest] = rows[f.batch:]
	return map[string]any{"totalSize": len(rows), "done": false, "records": rows[:f.batch], "nextRecordsUrl": "/services/data/v" + Version + "/" + rest}
}

func (f *Fake) record(method string, parts []string, params url.Values, body map[string]any) (int, any, *fault) {
	o := f.objects[parts[0]]
	if o == nil {
		return 0, nil, refuse(404, "NOT_FOUND", "The requested resource does not exist")
	}
	if method != http.MethodGet && f.locked > 0 {
		f.locked--
		return 0, nil, refuse(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
	}
	switch {
	case len(parts) == 1 && method == http.MethodPost:
		id, err := f.insert(o, body)
		if err != nil {
			return 0, nil, err
		}
		return 201, map[string]any{"id": id, "success": true, "errors": []any{}}, nil
	case len(parts) == 2 && parts[1] == "describe":
		return 200, f.describe(o), nil
	case len(parts) == 2 && method == http.MethodPatch:
		if err := f.update(o, parts[1], body); err != nil {
			return 0, nil, err
		}
		return 204, nil, nil
	case len(parts) == 2 && method == http.MethodDelete:
		if err := f.remove(o, parts[1]); err != nil {
			return 0, nil, err
		}
		return 204, nil, nil
	case len(parts) == 2 && method == http.MethodGet && f.rows[o.Name][parts[1]] != nil:
		return 200, f.whole(o, f.rows[o.Name][parts[1]]), nil
	case len(parts) == 3 && method == http.MethodPatch:
		return f.upsert(o, parts[1], parts[2], body, params.Get("updateOnly") == "true")
	case len(parts) == 3 && method == http.MethodGet && o.fields[parts[1]] != nil:
		if found := f.byKey(o, o.fields[parts[1]], parts[2]); len(found) == 1 {
			return 200, f.whole(o, f.rows[o.Name][found[0]]), nil
		}
	}
	return 0, nil, refuse(404, "NOT_FOUND", "The requested resource does not exist")
}

func (f *Fake) whole(o *object, r row) map[string]any {
	out := attributes(o, r)
	for _, name := range o.order {
		if o.fields[name].Visible {
			out[name] = shown(r[name])
		}
	}
	return out
}

func (f *Fake) describe(o *object) map[string]any {
	var fields []any
	for _, name := range o.order {
		fd := o.fields[name]
		if !fd.Visible {
			continue
		}
		values := []any{}
		if name == "StageName" {
			for s := range f.stages {
				values = append(values, map[string]any{"value": s, "label": s, "active": true})
			}
		}
		fields = append(fields, map[string]any{
			"name": name, "type": fd.Type, "length": fd.Length, "createable": !fd.ReadOnly, "updateable": !fd.ReadOnly, "externalId": fd.External,
			"unique": fd.Unique, "nillable": !fd.Required && !f.required[o.Name+"."+name], "defaultedOnCreate": name == "OwnerId", "picklistValues": values,
		})
	}
	return map[string]any{"name": o.Name, "createable": true, "updateable": true, "queryable": true, "fields": fields}
}

var reference = regexp.MustCompile(`@\{([A-Za-z0-9_]+)\.id\}`)

// composite answers up to 25 requests. If one fails and it is all or none, nothing was done.
func (f *Fake) composite(body map[string]any) (int, any, *fault) {
	steps, _ := body["compositeRequest"].([]any)
	if len(steps) == 0 || len(steps) > 25 {
		return 0, nil, refuse(400, "PROCESSING_HALTED", "The composite request has %d subrequests", len(steps))
	}
	undo, all := f.snapshot(), body["allOrNone"] == true
	ids, results, queries, wrote := make(map[string]string), make([]map[string]any, len(steps)), 0, false
	failed := -1
	for i, st := range steps {
		step, _ := st.(map[string]any)
		ref, _ := step["referenceId"].(string)
		method, _ := step["method"].(string)
		raw, _ := step["url"].(string)
		fill := func(s string) string {
			return reference.ReplaceAllStringFunc(s, func(m string) string { return ids[reference.FindStringSubmatch(m)[1]] })
		}
		in := make(map[string]any)
		given, _ := step["body"].(map[string]any)
		for k, v := range given {
			if s, ok := v.(string); ok {
				v = fill(s)
			}
			in[k] = v
		}
		path, query, _ := strings.Cut(fill(raw), "?")
		rest, ok := strings.CutPrefix(path, "/services/data/v"+Version+"/")
		if strings.HasPrefix(rest, "query") {
			queries++
		}
		wrote = wrote || method != http.MethodGet
		var status int
		var out any
		err := refuse(404, "NOT_FOUND", "The requested resource does not exist")
		if ok && queries <= maxQueries {
			status, out, err = f.call(method, rest, query, in)
		}
		if err != nil {
			status, out = err.status, err.body
			if failed < 0 {
				failed = i
			}
		}
		if m, ok := out.(map[string]any); ok {
			ids[ref], _ = m["id"].(string)
		}
		results[i] = map[string]any{"body": out, "httpHeaders": map[string]any{}, "httpStatusCode": status, "referenceId": ref}
		if failed >= 0 && all {
			break
		}
	}
	if wrote {
		f.writes++
	}
	if failed >= 0 && all {
		undo()
		for i, st := range steps {
			if i == failed {
				continue
			}
			ref := st.(map[string]any)["referenceId"]
			results[i] = map[string]any{"httpHeaders": map[string]any{}, "httpStatusCode": 400, "referenceId": ref, "body": []any{map[string]any{
				"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back since another operation in the same transaction failed.",
			}}}
		}
	}
	return 200, map[string]any{"compositeResponse": results}, nil
}
