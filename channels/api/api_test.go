package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

func TestARegistrationIsTakenInAndSaysNothingOfWhatACheckFinds(t *testing.T) {
	numbers := regexp.MustCompile(`LG-\d{4}-\d+-.|status/[\w-]+|"due":"[^"]*"`)
	said := make(map[string]string)
	for _, company := range []string{"free", "held", "blocked"} {
		p := openPortal(t, func(_ *Config, s *rules.Spec) {
			if company == "blocked" {
				s.BlockedDomains = []string{"acme.example"}
			}
		})
		p.run()
		p.api.sink = judged{p}
		if company == "held" {
			first := p.do("POST", "/registrations", strings.ReplaceAll(acme(), "ana@alpha", "tom@beta"), "Authorization", "Bearer "+p.beta)
			p.settle(p.want("the rival", first, 201, "").taken().Case)
		}
		r := p.want(company, p.post(acme(change{"reference": "OPP-1"})), 201, "")
		got := r.taken()
		if got.Status != "submitted" || got.Registration.Stage != "pending" || got.Registration.Reference != "OPP-1" || got.Registration.Company != "Acme GmbH" ||
			!strings.HasPrefix(got.StatusLink, "https://partners.vendor.example/status/") || r.Header.Get("Location") != "https://partners.vendor.example/api/v1/registrations/"+got.Case {
			t.Errorf("%s: %s, %v", company, r.body, r.Header)
		}
		said[company] = numbers.ReplaceAllString(string(r.body), "…")
		p.settle(got.Case)
		dossier, err := p.gateway.Dossier(t.Context(), got.Case)
		if err != nil {
			t.Fatal(err)
		}
		s := dossier.Submissions[0]
		if s.Channel != "api" || s.Partner != "alpha" || s.Sender.Strength != intake.StrengthVerified || s.Sender.Name != "Ana Silva" ||
			s.Reply.Channel != "email" || s.Reply.Address != "ana@alpha.example" || !strings.HasPrefix(s.Sender.How, "API key ") {
			t.Errorf("%s: stored as %+v", company, s)
		}
		var raw strings.Builder
		if err := p.gateway.Raw(t.Context(), s.Raw, &raw); err != nil || raw.String() != acme(change{"reference": "OPP-1"}) {
			t.Errorf("%v: kept as %s", err, &raw)
		}
		if dossier.Registration.Partner != "alpha" || dossier.Registration.Status == intake.StatusSubmitted || dossier.Chain != "" {
			t.Errorf("%s: the case is %+v, %s", company, dossier.Registration, dossier.Chain)
		}
		for _, leak := range []string{p.key, "Reporting", "jane@acme"} {
			if strings.Contains(p.log.String(), leak) {
				t.Errorf("the log says %q", leak)
			}
		}
	}
	if said["free"] != said["held"] || said["free"] != said["blocked"] {
		t.Errorf("the answers tell companies apart:\n%v", said)
	}
}

// judged is a sink that returns only once the case was judged: the answer must not show it.
type judged struct{ *portal }

func (j judged) Keep(ctx context.Context, r io.Reader) (intake.Raw, error) {
	return j.gateway.Keep(ctx, r)
}

func (j judged) SetAside(ctx context.Context, a intake.Aside) (intake.Receipt, error) {
	return j.gateway.SetAside(ctx, a)
}

func (j judged) Accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	r, err := j.gateway.Accept(ctx, s)
	if err == nil {
		j.settle(r.Case)
	}
	return r, err
}

// settle waits until a case is judged.
func (p *portal) settle(number string) {
	p.Helper()
	for p.Context().Err() == nil {
		r, err := p.gateway.OwnCase(p.Context(), "alpha", number)
		if err != nil {
			r, err = p.gateway.OwnCase(p.Context(), "beta", number)
		}
		if err != nil {
			p.Fatal(err)
		}
		if r.Status != intake.StatusSubmitted {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAllThatIsWrongWithABodyIsToldAtOnceAndNothingIsStored(t *testing.T) {
	p := openPortal(t, func(_ *Config, s *rules.Spec) {
		s.Territories, s.DealFields = true, []intake.Field{intake.FieldTargetRevenue}
		s.OwnDomains = []string{"vendor.example"}
	})
	long := strings.Repeat("x", 201)
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"nothing at all":                     {``, 400, "invalid_json"},
		"no JSON":                            {`{"a":`, 400, "invalid_json"},
		"JSON with a tail":                   {acme() + `{}`, 400, "invalid_json"},
		"a list":                             {`[]`, 400, "invalid_json"},
		"a text in a foreign encoding":       {"{\"company_name\":\"\xe9\"}", 400, "invalid_json"},
		"a body as deep as the sea":          {`{"a":` + strings.Repeat(`[`, 1000) + strings.Repeat(`]`, 1000) + `}`, 400, "invalid_json"},
		"objects as deep as the sea":         {strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat(`}`, 1000), 400, "invalid_json"},
		"an empty object":                    {`{}`, 422, "/submitter/email missing_field, /company_name missing_field, /company_domain missing_field, /country country_needed, /contact_name missing_field, /contact_email missing_field, /contact_role missing_field, /problem missing_field, /stage missing_field, /consent consent_required"},
		"fields that there are not":          {acme(change{"colour": 1, "a/b~c": map[string]any{"submitter": 1}}), 422, "/a~1b~0c unknown_field, /colour unknown_field"},
		"a field within that there is not":   {acme(change{"submitter": map[string]any{"email": "ana@alpha.example", "phone": "1"}}), 422, "/submitter/phone unknown_field"},
		"a field that is given twice":        {strings.Replace(acme(), `{`, `{"stage":"evaluation",`, 1), 422, "/stage given_twice"},
		"values of other kinds":              {acme(change{"company_name": 7, "product_interest": "Backup", "consent": true, "submitter": "ana"}), 422, "/submitter wrong_type, /company_name wrong_type, /product_interest wrong_type, /consent wrong_type"},
		"a null":                             {acme(change{"country": nil, "contact_phone": nil, "stage": json.RawMessage("null")}), 422, "/country country_needed, /stage wrong_type"},
		"lists of what are no texts":         {acme(change{"services_needed": []any{"a", 1, map[string]any{}, []any{}}, "product_interest": []string{"a;b", " "}}), 422, "/product_interest/0 invalid_value, /product_interest/1 invalid_value, /services_needed wrong_type"},
		"values that can't be used":          {acme(change{"country": "Germany", "contact_email": "jane", "contact_phone": "call me", "stage": "soon", "consent": "maybe", "target_revenue": "much", "kind": "order", "problem": "no"}), 422, "/country invalid_value, /contact_email invalid_value, /contact_phone invalid_value, /problem too_short, /stage invalid_value, /target_revenue invalid_value, /consent invalid_value, /kind invalid_value"},
		"values that are too long":           {acme(change{"company_name": long, "reference": long, "problem": strings.Repeat("long ", 900)}), 422, "/reference too_long, /company_name too_long, /problem too_long"},
		"a mail provider for a company":      {acme(change{"company_domain": "gmail.com"}), 422, "/company_domain free_mail_only"},
		"the partner for a prospect":         {acme(change{"company_domain": "alpha.example"}), 422, "/company_domain not_the_prospect"},
		"no consent":                         {acme(change{"consent": "no"}), 422, "/consent consent_required"},
		"a deal without what deals need":     {acme(change{"kind": "deal"}), 422, "/target_revenue missing_field"},
		"a submitter of nobody":              {acme(change{"submitter": map[string]any{"email": "x@nobody.example"}}), 422, "/submitter/email not_of_the_partner"},
		"a submitter of another partner":     {acme(change{"submitter": map[string]any{"email": "tom@beta.example"}}), 422, "/submitter/email not_of_the_partner"},
		"a submitter who is no address":      {acme(change{"submitter": map[string]any{"email": "Ana"}}), 422, "/submitter/email invalid_value"},
		"a case number that is empty":        {acme(change{"case_number": ""}), 422, "/case_number invalid_value"},
		"a case that there is not":           {acme(change{"case_number": "LG-2026-000000-0"}), 404, "no_such_case"},
		"more faults than anybody would ask": {`{` + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("k", 300)+`":1,`, 150), ",") + `}`, 422, ""},
	} {
		r := p.post(tt.body, "Content-Type", "application/json")
		got := r.problem().Code
		if r.StatusCode == 422 && r.problem().Code == "invalid_fields" {
			got = r.at()
		}
		if r.StatusCode != tt.status || tt.want != "" && got != tt.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", name, r.Status, got, tt.want)
		}
		if len(r.problem().Errors) > maxFaults+20 || len(r.body) > 32<<10 {
			t.Errorf("%s: %d faults in %d bytes", name, len(r.problem().Errors), len(r.body))
		}
	}
	if n := len(p.cases()); n > 0 {
		t.Errorf("%d cases were stored", n)
	}
	contact := p.post(acme(change{"submitter": map[string]any{"email": "Kim@elsewhere.example"}, "company_domain": "www.acme.example", "services_needed": []string{"Migration", "Training"}}))
	p.want("a contact who is elsewhere", contact, 201, "")
	if got := p.cases()[0].Lead; got[intake.FieldServicesNeeded] != "Migration; Training" || got[intake.FieldCompanyDomain] != "acme.example" {
		t.Errorf("stored %v", got)
	}
	p.want("a company without a domain of its own", p.post(acme(change{"company_name": "Bakery Ott", "company_domain": nil, "contact_email": "ott@gmail.com"})), 201, "")
}

func TestWhatIsNoSmallJSONIsRefusedBeforeItIsRead(t *testing.T) {
	p := openPortal(t)
	p.want("form", p.post(acme(), "Content-Type", "application/x-www-form-urlencoded"), 415, "unsupported_media_type")
	p.want("no type", p.post(acme(), "Content-Type", ""), 415, "unsupported_media_type")
	p.want("another alphabet", p.post(acme(), "Content-Type", "application/json; charset=latin1"), 415, "unsupported_media_type")
	p.want("compressed", p.post(acme(), "Content-Encoding", "gzip"), 415, "unsupported_media_type")
	p.want("too large for us", p.post(acme(change{"problem": strings.Repeat("x", 70<<10)})), 413, "too_large")
	p.want("too large for the listener", p.post(acme(change{"problem": strings.Repeat("x", 1100<<10)})), 413, "too_large")
	p.want("with an alphabet", p.post(acme(), "Content-Type", "application/json; charset=UTF-8"), 201, "")
}

func TestTheSameContentIsTheSameRegistrationAndMoreOfACompanyJoinsIt(t *testing.T) {
	p := openPortal(t)
	first := p.want("the first", p.post(acme()), 201, "").taken()
	again := p.want("the same", p.post(acme()), 200, "").taken()
	ordered := strings.Replace(acme(), `{`, `{ `, 1)
	p.want("the same in other bytes", p.post(ordered), 200, "")
	joined := p.want("more of it", p.post(acme(change{"reference": "OPP-2", "target_revenue": "120000 EUR", "submitter": map[string]any{"email": "bob@alpha.example"}})), 200, "").taken()
	if again.Case != first.Case || joined.Case != first.Case || joined.Registration.Reference != "OPP-2" {
		t.Errorf("%+v, %+v, %+v", first, again, joined)
	}
	added := p.want("an addition", p.post(`{"submitter":{"email":"ana@alpha.example"},"case_number":"`+strings.ToLower(first.Case)+`","stage":"evaluation","contact_role":"CEO"}`), 200, "").taken()
	all := p.cases()
	if len(all) != 1 || added.Case != first.Case || all[0].Lead[intake.FieldStage] != "evaluation" || all[0].Lead[intake.FieldTargetRevenue] != "120000 EUR" || all[0].Lead[intake.FieldContactRole] != "CEO" {
		t.Errorf("%d cases, %+v", len(all), all[0].Lead)
	}
	other := p.want("an addition about another company", p.post(acme(company("Globex"), change{"case_number": first.Case})), 422, "invalid_fields")
	if other.at() != "/company_name conflicting_values, /company_domain conflicting_values, /contact_email conflicting_values" {
		t.Error(other.at())
	}
	nothing := p.want("an addition of nothing", p.post(`{"submitter":{"email":"ana@alpha.example"},"case_number":"`+first.Case+`"}`), 422, "invalid_fields")
	if nothing.at() != " missing_field" {
		t.Error(nothing.at())
	}
}

func TestACaseOfAnotherPartnerIsAsNone(t *testing.T) {
	p := openPortal(t)
	number := p.post(acme()).taken().Case
	theirs := []string{"Authorization", "Bearer " + p.beta}
	byTom := strings.ReplaceAll(byAna, "ana@alpha", "tom@beta")
	requestID := regexp.MustCompile(`"request_id":"\w+"`)
	for name, ask := range map[string]func(number string) reply{
		"looked at": func(n string) reply { return p.do("GET", "/registrations/"+n, "", theirs...) },
		"withdrawn": func(n string) reply { return p.do("POST", "/registrations/"+n+"/withdraw", byTom, theirs...) },
		"added to": func(n string) reply {
			return p.post(`{"submitter":{"email":"tom@beta.example"},"case_number":"`+n+`","stage":"evaluation"}`, theirs...)
		},
	} {
		foreign := p.want(name, ask(number), 404, "no_such_case")
		for _, none := range []string{"LG-2026-000001-J", "nonsense", "%2e"} {
			r := ask(none)
			if r.StatusCode != 404 || requestID.ReplaceAllString(string(r.body), "") != requestID.ReplaceAllString(string(foreign.body), "") {
				t.Errorf("%s, %s: %s\n%s\n%s", name, none, r.Status, r.body, foreign.body)
			}
			for h := range foreign.Header {
				if h != "X-Request-Id" && h != "Date" && r.Header.Get(h) != foreign.Header.Get(h) {
					t.Errorf("%s, %s: %s is %q and %q", name, none, h, r.Header.Get(h), foreign.Header.Get(h))
				}
			}
		}
	}
	list := p.do("GET", "/registrations", "", theirs...)
	cursor := p.do("GET", "/registrations?cursor="+number, "", theirs...)
	unknown := p.do("GET", "/registrations?cursor=LG-2026-000001-J", "", theirs...)
	if string(list.body) != `{"registrations":[],"next_cursor":null}` || cursor.StatusCode != 400 || requestID.ReplaceAllString(string(cursor.body), "") != requestID.ReplaceAllString(string(unknown.body), "") {
		t.Errorf("the list is %s; %s\n%s", list.body, cursor.body, unknown.body)
	}
	if r := p.cases()[0]; r.Status != intake.StatusSubmitted || r.Submissions != 1 {
		t.Errorf("the case is %+v", r)
	}
}

func TestTheListHasOwnCasesAloneAndComesInPages(t *testing.T) {
	p := openPortal(t)
	var want []string
	for _, name := range []string{"One", "Two", "Three", "Four", "Five"} {
		want = append([]string{p.want(name, p.post(acme(company(name), change{"reference": name})), 201, "").taken().Case}, want...)
		p.want("theirs", p.post(strings.ReplaceAll(acme(company(name+"X")), "ana@alpha", "tom@beta"), "Authorization", "Bearer "+p.beta), 201, "")
	}
	var got []string
	for cursor, pages := "", 0; ; pages++ {
		r := p.want("a page", p.do("GET", "/registrations?limit=2&cursor="+cursor, ""), 200, "")
		var page page
		if err := json.Unmarshal(r.body, &page); err != nil {
			t.Fatal(err)
		}
		for _, own := range page.Registrations {
			got = append(got, own.Case)
		}
		if page.Next == nil {
			break
		}
		if cursor = *page.Next; pages > 5 {
			t.Fatal("it never ends")
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("listed %v, want %v", got, want)
	}
	one := p.want("one", p.do("GET", "/registrations/"+strings.ToLower(want[0]), ""), 200, "")
	var own intake.OwnCase
	if err := json.Unmarshal(one.body, &own); err != nil || own.Case != want[0] || own.Reference != "Five" || own.Stage != "pending" {
		t.Errorf("%v: %s", err, one.body)
	}
}

func TestAWithdrawalIsTheCommandThatPartnersWrite(t *testing.T) {
	p := openPortal(t)
	number := p.post(acme()).taken().Case
	path := "/registrations/" + number + "/withdraw"
	for body, want := range map[string]string{
		`{}`: "/submitter/email missing_field",
		`{"submitter":{"email":"x@beta.example"},"reason":"` + strings.Repeat("x", 501) + `","stage":"evaluation"}`: "/stage unknown_field, /reason too_long, /submitter/email not_of_the_partner",
	} {
		if r := p.want(body, p.do("POST", path, body), 422, "invalid_fields"); r.at() != want {
			t.Errorf("%s, want %s", r.at(), want)
		}
	}
	for range 2 {
		r := p.want("withdrawn", p.do("POST", path, `{"submitter":{"email":"ana@alpha.example"},"reason":"They went elsewhere."}`), 200, "")
		if !strings.Contains(string(r.body), `"stage":"withdrawn"`) {
			t.Errorf("%s", r.body)
		}
	}
	d, err := p.gateway.Dossier(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	last := d.Submissions[len(d.Submissions)-1]
	if len(d.Submissions) != 2 || last.Commands[0].Verb != intake.VerbWithdraw || last.Commands[0].Words != "They went elsewhere." || d.Registration.Reason != intake.ReasonWithdrawn {
		t.Errorf("%+v\n%+v", d.Registration, d.Submissions)
	}
	p.want("to add to it", p.post(`{"submitter":{"email":"ana@alpha.example"},"case_number":"`+number+`","stage":"evaluation"}`), 409, "case_over")
}

func TestWhatWasWithdrawnIsRegisteredAnewByTheSameContentUnderAnotherName(t *testing.T) {
	p := openPortal(t)
	p.run()
	first := p.want("the first", p.post(acme(), "Idempotency-Key", "one"), 201, "").taken()
	p.settle(first.Case)
	p.want("withdrawn", p.do("POST", "/registrations/"+first.Case+"/withdraw", byAna, "Idempotency-Key", "two"), 200, "")
	p.want("the first once more", p.post(acme(), "Idempotency-Key", "one"), 201, "")
	p.want("the same without a name", p.post(acme()), 200, "")
	if n := len(p.cases()); n != 1 {
		t.Errorf("%d cases", n)
	}
	anew := p.want("anew", p.post(acme(), "Idempotency-Key", "three"), 201, "").taken()
	p.settle(anew.Case)
	all := p.cases()
	if len(all) != 2 || anew.Case == first.Case {
		t.Fatalf("%d cases, %+v", len(all), anew)
	}
	again := p.want("and again", p.post(acme(), "Idempotency-Key", "four"), 200, "").taken()
	if again.Case != anew.Case {
		t.Errorf("%+v, not %s", again, anew.Case)
	}
}

func TestOnlyAGoodKeyOfAnActivePartnerOpens(t *testing.T) {
	p := openPortal(t)
	brussels, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	_, spent, err := p.gateway.MintAPIKey(t.Context(), "alpha", "short", time.Now().In(brussels).Format(time.DateOnly), "mia")
	if err != nil {
		t.Fatal(err)
	}
	revoked, gone, err := p.gateway.MintAPIKey(t.Context(), "alpha", "gone", "", "mia")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.gateway.RevokeAPIKey(t.Context(), revoked.ID, "mia"); err != nil {
		t.Fatal(err)
	}
	p.want("on its last day", p.do("GET", "/rules", "", "Authorization", "Bearer "+spent), 200, "")
	flipped := p.key[:len(p.key)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(p.key, "0")]
	var bodies []string
	for name, header := range map[string]string{
		"none": "", "another scheme": "Basic " + p.key, "nothing behind it": "Bearer", "a key with a typing error": "Bearer " + flipped,
		"a revoked key": "Bearer " + gone, "half a key": "Bearer " + p.key[:30],
	} {
		r := p.want(name, p.do("GET", "/rules", "", "Authorization", header), 401, "unauthorized")
		bodies = append(bodies, regexp.MustCompile(`"request_id":"\w+"`).ReplaceAllString(string(r.body), ""))
	}
	for _, b := range bodies {
		if b != bodies[0] {
			t.Errorf("told apart:\n%s\n%s", b, bodies[0])
		}
	}
	later := time.Now().AddDate(0, 0, 2)
	p.now = func() time.Time { return later }
	p.want("an expired key", p.do("GET", "/rules", "", "Authorization", "Bearer "+spent), 401, "unauthorized")
	p.want("two keys", p.twoKeys(), 401, "unauthorized")
	p.suspend("alpha")
	p.want("of a suspended partner", p.post(acme()), 403, "partner_not_active")
	p.want("of another partner", p.do("GET", "/rules", "", "Authorization", "Bearer "+p.beta), 200, "")
	p.want("the document", p.do("GET", "/openapi.yaml", "", "Authorization", ""), 200, "")
}

// twoKeys sends two good keys at once.
func (p *portal) twoKeys() reply {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), "GET", p.url+Base+"/rules", nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header["Authorization"] = []string{"Bearer " + p.key, "Bearer " + p.beta}
	resp, err := p.client.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		p.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "\r\n\r\n")
	return reply{resp, []byte(body)}
}

func TestTooManyRequestsWithoutAGoodKeyAreRefusedAndAGoodOneIsNot(t *testing.T) {
	p := openPortal(t)
	still := time.Now()
	p.now = func() time.Time { return still }
	knock := func(from, key string) reply {
		return p.do("GET", "/rules", "", "X-Forwarded-For", from, "Authorization", "Bearer "+key)
	}
	for range failBurst {
		p.want("a guess", knock("10.0.0.1", "lgk_guess"), 401, "unauthorized")
	}
	r := p.want("one too many", knock("10.0.0.1", "lgk_guess"), 429, "rate_limited")
	if r.Header.Get("Retry-After") != "6" {
		t.Errorf("come back after %q", r.Header.Get("Retry-After"))
	}
	p.want("the neighbour", knock("10.0.0.2", "lgk_guess"), 401, "unauthorized")
	p.want("a good key from the same place", knock("10.0.0.1", p.key), 200, "")
	still = still.Add(failEvery)
	p.want("later", knock("10.0.0.1", "lgk_guess"), 401, "unauthorized")
}

func TestAKeyAndAllKeysMayRegisterSoOftenWithinAnHour(t *testing.T) {
	p := openPortal(t, func(c *Config, _ *rules.Spec) { c.KeyHour, c.Hour = 3, 5 })
	theirs := func(name string) reply {
		return p.post(strings.ReplaceAll(acme(company(name)), "ana@alpha", "tom@beta"), "Authorization", "Bearer "+p.beta, "Idempotency-Key", name)
	}
	for _, name := range []string{"A", "B", "C"} {
		p.want(name, p.post(acme(company(name))), 201, "")
	}
	p.want("what is refused anyway counts for nothing", p.post(`{}`), 422, "invalid_fields")
	r := p.want("one too many of a key", p.post(acme(company("D")), "Idempotency-Key", "d"), 429, "rate_limited")
	if r.Header.Get("Retry-After") == "" {
		t.Error("no word of when")
	}
	p.want("theirs", theirs("E"), 201, "")
	p.want("theirs", theirs("F"), 201, "")
	p.want("one too many of all", theirs("G"), 429, "rate_limited")
	p.want("an answer that is known costs nothing", theirs("F"), 201, "")
	p.want("to look", p.do("GET", "/registrations", ""), 200, "")
	later := time.Now().Add(3 * time.Hour)
	p.now = func() time.Time { return later }
	p.want("later, under the same name", p.post(acme(company("D")), "Idempotency-Key", "d"), 201, "")
}
