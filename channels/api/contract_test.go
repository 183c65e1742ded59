package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

func TestTheDocumentIsOneAndItsExamplesAreTaken(t *testing.T) {
	p := openPortal(t)
	h := contractOf(t, p.api.document)
	if ok, errs := h.validator.ValidateDocument(); !ok {
		t.Fatal(errs)
	}
	if h.model.Version != "3.1.0" || len(h.model.Servers) != 1 || h.model.Servers[0].URL != "https://partners.vendor.example/api/v1" {
		t.Errorf("version %s, servers %+v", h.model.Version, h.model.Servers)
	}
	for path, item := range h.model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			if op.RequestBody == nil || op.OperationId == "import" { // which takes files
				continue
			}
			examples := op.RequestBody.Content.GetOrZero("application/json").Examples
			if examples.Len() == 0 {
				t.Errorf("%s %s has no example", method, path)
			}
			for name, e := range examples.FromOldest() {
				var v map[string]any
				if err := e.Value.Decode(&v); err != nil {
					t.Fatal(err)
				}
				v["submitter"].(map[string]any)["email"] = "ana@alpha.example"
				if v["case_number"] != nil || strings.Contains(path, "{case}") {
					number := p.post(acme(company(name))).taken().Case
					path = strings.Replace(path, "{case}", number, 1)
					if v["case_number"] != nil {
						v["case_number"] = number
					}
				}
				for f := range v {
					delete(v, map[bool]string{true: f}[v[f] == nil])
				}
				b := acme(change{"company_name": nil, "company_domain": nil, "country": nil, "contact_name": nil, "contact_email": nil, "contact_role": nil, "problem": nil, "stage": nil, "consent": nil}, v)
				if r := p.do(strings.ToUpper(method), path, b); r.StatusCode >= 300 {
					t.Errorf("the example %s of %s: %s\n%s", name, path, r.Status, r.body)
				}
			}
		}
	}
}

// inDocument writes a path as the document does.
var inDocument = strings.NewReplacer(":case", "{case}", ":import", "{import}")

func TestTheDocumentAndTheRoutesAreTheSame(t *testing.T) {
	p := openPortal(t)
	var documented, served []string
	for path, item := range contractOf(t, p.api.document).model.Paths.PathItems.FromOldest() {
		for method := range item.GetOperations().FromOldest() {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range p.api.routes() {
		served = append(served, r.method+" "+inDocument.Replace(r.path))
	}
	slices.Sort(documented)
	slices.Sort(served)
	if !slices.Equal(documented, served) {
		t.Errorf("documented\n%v\nserved\n%v", documented, served)
	}
	// Nothing else answers, and what does not answers with a problem.
	for _, r := range p.router().Routes() {
		_, below := strings.CutPrefix(r.Path, Base)
		if !below {
			t.Errorf("%s %s is not below %s", r.Method, r.Path, Base)
		}
	}
	for _, method := range everyMethod {
		if method == http.MethodConnect {
			continue
		}
		for _, r := range p.api.routes() {
			path := strings.NewReplacer(":case", "LG-2026-000000-0", ":import", "0").Replace(r.path)
			if contains(served, method+" "+inDocument.Replace(r.path)) {
				continue
			}
			got := p.do(method, path, "")
			if got.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(got.Header.Get("Allow"), r.method) {
				t.Errorf("%s %s: %s, Allow %q", method, path, got.Status, got.Header.Get("Allow"))
			}
		}
	}
	for _, path := range []string{"", "/", "/registrations/", "/registrations/a/b", "/nothing"} {
		p.want(path, p.do(http.MethodGet, path, ""), http.StatusNotFound, "no_such_path")
	}
}

// tries has, for each documented operation, how to get each of its answers.
func tries() map[string]map[int]func(p *portal, call func(body string, header ...string) reply) reply {
	type send = func(body string, header ...string) reply
	type way = func(p *portal, call send) reply
	wrong := func(header ...string) way {
		return func(_ *portal, call send) reply { return call("", header...) }
	}
	keyed := func(more map[int]way) map[int]way {
		all := map[int]way{
			401: wrong("Authorization", "Bearer lgk_nothing"),
			403: func(p *portal, call send) reply {
				p.suspend("alpha")
				return call("")
			},
			429: func(p *portal, call send) reply {
				still := time.Now()
				p.now = func() time.Time { return still }
				for range busyBurst {
					call("")
				}
				return call("")
			},
			500: func(p *portal, call send) reply {
				p.store.panics.Store(true)
				defer p.store.panics.Store(false)
				return call("")
			},
			503: func(p *portal, call send) reply {
				p.store.down.Store(true)
				defer p.store.down.Store(false)
				return call("")
			},
		}
		maps.Copy(all, more)
		return all
	}
	posted := func(more map[int]way) map[int]way {
		all := keyed(map[int]way{
			400: wrong("Idempotency-Key", strings.Repeat("x", 256)),
			409: func(p *portal, call send) reply {
				number := p.post(acme()).taken().Case
				p.want("withdraw", p.do("POST", "/registrations/"+number+"/withdraw", byAna), 200, "")
				return p.post(acme(change{"case_number": number}))
			},
			413: func(_ *portal, call send) reply { return call(`{"a":"` + strings.Repeat("x", maxBody) + `"}`) },
			415: wrong("Content-Type", "text/plain"),
			422: func(_ *portal, call send) reply { return call(`{"colour":1}`) },
		})
		maps.Copy(all, more)
		return all
	}
	return map[string]map[int]way{
		"register": posted(map[int]way{
			201: func(_ *portal, call send) reply { return call(acme()) },
			200: func(_ *portal, call send) reply { call(acme()); return call(acme()) },
			404: func(_ *portal, call send) reply { return call(acme(change{"case_number": "LG-2026-000000-0"})) },
		}),
		"withdraw": posted(map[int]way{
			200: func(_ *portal, call send) reply { return call(byAna) },
			404: func(p *portal, _ send) reply {
				return p.do("POST", "/registrations/LG-2026-000000-0/withdraw", byAna)
			},
			409: func(p *portal, call send) reply {
				r := p.cases()[0]
				p.store.merge(p, r.Number)
				return call(byAna)
			},
		}),
		"list": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			400: func(p *portal, _ send) reply { return p.do("GET", "/registrations?limit=many", "") },
		}),
		"show": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			404: func(p *portal, _ send) reply { return p.do("GET", "/registrations/LG-2026-000000-0", "") },
		}),
		"rules":    keyed(map[int]way{200: func(_ *portal, call send) reply { return call("") }}),
		"document": {200: func(_ *portal, call send) reply { return call("") }},
		"import": keyed(map[int]way{
			202: func(p *portal, _ send) reply { return p.upload(aList(2, 0)) },
			200: func(p *portal, _ send) reply {
				p.run()
				p.finished(p.upload(aList(2, 0)))
				return p.upload(aList(2, 0))
			},
			400: func(p *portal, _ send) reply { return p.do("POST", "/imports?dry_run=maybe", aList(1, 0)) },
			401: func(p *portal, _ send) reply { return p.upload(aList(1, 0), "Authorization", "") },
			409: func(p *portal, _ send) reply {
				var inner reply
				p.api.files = asking{p.api.files, func() { inner = p.upload(aList(2, 0), "Idempotency-Key", "1") }}
				p.upload(aList(2, 0), "Idempotency-Key", "1")
				return inner
			},
			413: func(p *portal, _ send) reply { return p.upload(strings.Repeat("x", maxFile+1)) },
			415: func(p *portal, _ send) reply { return p.upload(aList(1, 0), "Content-Type", "text/html") },
			422: func(p *portal, _ send) reply { return p.upload("nothing, that we, know\n1,2,3\n") },
			500: func(p *portal, _ send) reply {
				p.store.panics.Store(true)
				defer p.store.panics.Store(false)
				return p.upload(aList(1, 0))
			},
			503: func(p *portal, _ send) reply {
				p.store.down.Store(true)
				defer p.store.down.Store(false)
				return p.upload(aList(1, 0))
			},
		}),
		"imports": keyed(map[int]way{
			200: func(p *portal, call send) reply { p.upload(aList(2, 0)); return call("") },
			400: func(p *portal, _ send) reply { return p.do("GET", "/imports?cursor=../..", "") },
		}),
		"showImport": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			404: func(p *portal, _ send) reply { return p.do("GET", "/imports/0", "") },
		}),
		"cancelImport": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			404: func(p *portal, _ send) reply { return p.do("POST", "/imports/0/cancel", "") },
		}),
		"result": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			400: func(p *portal, _ send) reply { return p.do("GET", "/imports/"+p.first()+"/result?format=pdf", "") },
			404: func(p *portal, _ send) reply { return p.do("GET", "/imports/0/result", "") },
			410: func(p *portal, call send) reply { p.eraseFiles(); return call("") },
		}),
		"rows": keyed(map[int]way{
			200: func(_ *portal, call send) reply { return call("") },
			400: func(p *portal, _ send) reply { return p.do("GET", "/imports/"+p.first()+"/rows?cursor=x", "") },
			404: func(p *portal, _ send) reply { return p.do("GET", "/imports/0/rows", "") },
		}),
	}
}

// suspend takes a partner out of the programme.
func (p *portal) suspend(id string) {
	p.Helper()
	who, err := p.gateway.Partner(p.Context(), id)
	if err != nil {
		p.Fatal(err)
	}
	who.Status = intake.PartnerSuspended
	if err := p.gateway.PutPartners(p.Context(), []intake.Partner{who}); err != nil {
		p.Fatal(err)
	}
}

// merge has a case be part of another, from where nothing leads back.
func (s *faultyStore) merge(p *portal, number string) {
	p.Helper()
	err := s.Update(p.Context(), func(tx intake.Tx) error {
		r, err := tx.Case(number)
		if err != nil {
			return err
		}
		r.Status = intake.StatusMerged
		r.Revision++
		return tx.PutCase(r)
	})
	if err != nil {
		p.Fatal(err)
	}
}

func TestEveryDocumentedAnswerIsGivenAndNoOther(t *testing.T) {
	ways := tries()
	model := contractOf(t, served("https://partners.vendor.example"+Base)).model
	for path, item := range model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			var documented []int
			for code := range op.Responses.Codes.KeysFromOldest() {
				var n int
				if _, err := fmt.Sscan(code, &n); err != nil {
					t.Fatalf("%s: %v", code, err)
				}
				documented = append(documented, n)
			}
			known := slices.Sorted(maps.Keys(ways[op.OperationId]))
			slices.Sort(documented)
			if !slices.Equal(documented, known) {
				t.Errorf("%s documents %v, and there is a way to %v", op.OperationId, documented, known)
			}
			for _, status := range documented {
				try := ways[op.OperationId][status]
				if try == nil {
					continue
				}
				t.Run(fmt.Sprintf("%s %d", op.OperationId, status), func(t *testing.T) {
					p := openPortal(t, func(_ *Config, s *rules.Spec) {
						s.Tiers = map[string]rules.Tier{"gold": {Window: intake.Span{Value: 120, Unit: intake.Days}}}
					})
					at := path
					if strings.Contains(path, "{case}") {
						at = strings.Replace(path, "{case}", p.post(acme(company("Contoso"))).taken().Case, 1)
					}
					if strings.Contains(path, "{import}") {
						p.want("a file", p.upload(aList(3, 2)), 202, "")
						at = strings.Replace(path, "{import}", p.first(), 1)
					}
					r := try(p, func(body string, header ...string) reply {
						if body == "" && method == "post" {
							body = "{}"
						}
						return p.do(strings.ToUpper(method), at, body, header...)
					})
					if r.StatusCode != status {
						t.Errorf("got %s\n%s", r.Status, r.body)
					}
					if (status == 429 || status == 503) && r.Header.Get("Retry-After") == "" {
						t.Error("no word of when to come again")
					}
					if status == 401 && r.Header.Get("WWW-Authenticate") == "" {
						t.Error("no word of what is wanted")
					}
					if status >= 400 && (r.problem().Request == "" || r.problem().Request != r.Header.Get("X-Request-Id")) {
						t.Errorf("the request is %q", r.problem().Request)
					}
					if cache := r.Header.Get("Cache-Control"); (cache == "no-store") == (op.OperationId == "document") {
						t.Errorf("Cache-Control: %q", cache)
					}
				})
			}
		}
	}
}
