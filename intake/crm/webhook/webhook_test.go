package webhook

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
)

// TestThePublishedVector signs the example of the Standard Webhooks libraries.
func TestThePublishedVector(t *testing.T) {
	w := connect(t, "https://crm.example.com/hook", func(c *Config) {
		c.Now = func() time.Time { return time.Unix(1614265330, 999) }
	})
	req, err := w.request(t.Context(), "msg_p5jXN8AQM9LWM0D4loKWxJek", []byte(`{"test": 2432232314}`))
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"webhook-id":        "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"Content-Type":      "application/json",
	} {
		if got := req.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}

func TestTheTypeSaysWhetherTheRecordIsNew(t *testing.T) {
	for _, c := range []struct {
		name     string
		revision int
		known    bool
		want     string
	}{
		{"first revision", 1, false, typeCreated},
		{"later revision that never arrived before", 3, false, typeCreated},
		{"later revision of a known record", 3, true, typeUpdated},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, v, s := system(t)
			r := crmtest.Sample(1, c.revision)
			if c.known {
				r.Registration.CRM = map[string]intake.Ref{"hook": {ID: "7", URL: "https://crm.example.com/7", Revision: 1}}
			}
			ref, err := w.Push(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(v.types, []string{c.want}) {
				t.Errorf("types %v, want %s", v.types, c.want)
			}
			if c.known && (ref.ID != "7" || ref.URL != "https://crm.example.com/7" || ref.Revision != 3) {
				t.Errorf("a silent receiver changed the reference to %+v", ref)
			}
			if id := s.Requests()[0].Header.Get("webhook-id"); id != r.Registration.Number+"#"+string(rune('0'+c.revision)) {
				t.Errorf("webhook-id %q", id)
			}
		})
	}
}

func TestRetriesKeepTheIDAndAreDatedAnew(t *testing.T) {
	v := newReceiver(t)
	s := crmtest.NewServer(t, v)
	at := time.Now()
	w := connect(t, s.URL, func(c *Config) { c.Now = func() time.Time { return at } })
	s.Script(crmtest.Answer500)
	if _, err := w.Push(t.Context(), crmtest.Sample(1, 1)); err == nil {
		t.Fatal("no error")
	}
	at = at.Add(3 * time.Second)
	if _, err := w.Push(t.Context(), crmtest.Sample(1, 1)); err != nil {
		t.Fatal(err)
	}
	a, b := s.Requests()[0], s.Requests()[1]
	if a.Header.Get("webhook-id") != b.Header.Get("webhook-id") || string(a.Body) != string(b.Body) {
		t.Error("the retry is another message")
	}
	if a.Header.Get("webhook-timestamp") == b.Header.Get("webhook-timestamp") {
		t.Error("the retry bears the date of the first attempt")
	}
}

func TestNotesAreNumbered(t *testing.T) {
	w, v, s := system(t)
	e := intake.Event{Case: "LG-1", N: 4, At: time.Now(), Kind: intake.EventMoved, Actor: "policy", Note: "n"}
	if err := w.Note(t.Context(), intake.Ref{ID: "7"}, intake.Note{Event: e}); err != nil {
		t.Fatal(err)
	}
	if id := s.Requests()[0].Header.Get("webhook-id"); id != "LG-1#event-4" {
		t.Errorf("webhook-id %q", id)
	}
	if v.notes["LG-1"] != 1 || !strings.Contains(string(s.Requests()[0].Body), `"external_id":"7"`) {
		t.Errorf("received %s", s.Requests()[0].Body)
	}
}

// TestTheBodyHoldsPublishedNamesOnly is the list of what leaves the house.
func TestTheBodyHoldsPublishedNamesOnly(t *testing.T) {
	r := crmtest.Sample(1, 2)
	r.Registration.Protection = intake.Protection{Start: time.Now(), End: time.Now()}
	r.Registration.Decided, r.Registration.Reason, r.Registration.MergedInto = time.Now(), intake.ReasonContested, "LG-2"
	r.Registration.Question, r.Registration.Advice, r.Registration.Policy = "q", intake.OutcomeDecline, "hash"
	r.Partner.Tier = "gold"
	b, err := encodeRegistration(typeUpdated, newRegistration(r, intake.Ref{ID: "7"}))
	if err != nil {
		t.Fatal(err)
	}
	var message struct{ Data map[string]json.RawMessage }
	if err := json.Unmarshal(b, &message); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range message.Data {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		"accepted_at", "case", "channel", "claim_time", "decided_at", "decision_due", "external_id", "lead",
		"merged_into", "partner", "protection_end", "protection_start", "reason", "revision", "status",
		"submitted_by", "updated_at",
	}
	if !slices.Equal(names, want) {
		t.Errorf("names\n%v, want\n%v", names, want)
	}
	if got := string(message.Data["partner"]); got != `{"id":"northwind","name":"Northwind Partners","motion":"reseller","tier":"gold"}` {
		t.Errorf("partner %s", got)
	}
}

func TestTheBodyStaysSmall(t *testing.T) {
	for name, text := range map[string]string{
		"long":    strings.Repeat("x", 40_000),
		"wide":    strings.Repeat("😀", 10_000),
		"escaped": strings.Repeat("\"\n\u2028\x01", 9_000),
	} {
		t.Run(name, func(t *testing.T) {
			r := crmtest.Sample(1, 1)
			for _, f := range []intake.Field{intake.FieldProblem, intake.FieldSolutionFit, intake.FieldCompanyName} {
				r.Registration.Lead[f] = text
			}
			b, err := encodeRegistration(typeCreated, newRegistration(r, intake.Ref{}))
			if err != nil || len(b) >= 20_000 {
				t.Fatalf("%d bytes, %v", len(b), err)
			}
			if len(b) < 15_000 {
				t.Errorf("%d bytes: more was cut than needed", len(b))
			}
			var message struct{ Data registration }
			if err := json.Unmarshal(b, &message); err != nil {
				t.Fatal(err)
			}
			if len(message.Data.Truncated) != 3 || !strings.HasPrefix(text, message.Data.Lead[intake.FieldProblem]) {
				t.Errorf("truncated %v", message.Data.Truncated)
			}
			if len(r.Registration.Lead[intake.FieldProblem]) != len(text) {
				t.Error("the case itself was cut")
			}
		})
	}
	r := crmtest.Sample(1, 1)
	r.Partner.Name = strings.Repeat("x", 30_000)
	if _, err := encodeRegistration(typeCreated, newRegistration(r, intake.Ref{})); !intake.IsPermanent(err) {
		t.Errorf("a body that can't be cut: %v", err)
	}
	b, err := encodeNote(intake.Ref{}, intake.Event{Case: "LG-1", Note: strings.Repeat("é", 30_000)})
	if err != nil || len(b) >= 20_000 {
		t.Errorf("note of %d bytes, %v", len(b), err)
	}
}

func TestTheAnswerIsKeptWhereItCanBeUsed(t *testing.T) {
	for name, c := range map[string]struct{ answer, id, url string }{
		"empty":                 {"", "LG-2026-000001-X", ""},
		"both":                  {`{"external_id":"42","url":"https://crm.example.com/42"}`, "42", "https://crm.example.com/42"},
		"id alone":              {`{"external_id":"42"}`, "42", ""},
		"plain http":            {`{"url":"http://crm.example.com/42"}`, "LG-2026-000001-X", "http://crm.example.com/42"},
		"script url":            {`{"external_id":"42","url":"javascript:alert(1)"}`, "42", ""},
		"url without host":      {`{"url":"https:///x"}`, "LG-2026-000001-X", ""},
		"url with password":     {`{"url":"https://a:b@crm.example.com/"}`, "LG-2026-000001-X", ""},
		"url with line break":   {`{"url":"https://crm.example.com/\n"}`, "LG-2026-000001-X", ""},
		"long id":               {`{"external_id":"` + strings.Repeat("9", 201) + `"}`, "LG-2026-000001-X", ""},
		"long url":              {`{"url":"https://crm.example.com/` + strings.Repeat("9", 2000) + `"}`, "LG-2026-000001-X", ""},
		"id with control":       {`{"external_id":"4\u00002"}`, "LG-2026-000001-X", ""},
		"id with bidi override": {`{"external_id":"4\u202e2"}`, "LG-2026-000001-X", ""},
		"id is a number":        {`{"external_id":42}`, "LG-2026-000001-X", ""},
		"no JSON":               {"<html>ok</html>", "LG-2026-000001-X", ""},
		"too much":              {`{"external_id":"42","x":"` + strings.Repeat("x", 70_000) + `"}`, "LG-2026-000001-X", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, v, _ := system(t)
			v.answer = c.answer
			ref, err := w.Push(t.Context(), crmtest.Sample(1, 1))
			if err != nil {
				t.Fatal(err)
			}
			if want := (intake.Ref{ID: c.id, URL: c.url, Revision: 1}); !reflect.DeepEqual(ref, want) {
				t.Errorf("reference %+v, want %+v", ref, want)
			}
		})
	}
}

func TestEveryStatusHasAnOutcome(t *testing.T) {
	parked := []int{400, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 418, 422, 451}
	again := []int{300, 301, 302, 303, 304, 307, 308, 408, 409, 423, 425, 429, 500, 501, 502, 503, 504, 599}
	for code := 200; code <= 299; code++ {
		if err := statusError(&http.Response{StatusCode: code}, time.Now()); err != nil {
			t.Errorf("%d: %v", code, err)
		}
	}
	for _, code := range parked {
		err := statusError(&http.Response{StatusCode: code, Header: http.Header{"Retry-After": {"5"}}}, time.Now())
		if !intake.IsPermanent(err) {
			t.Errorf("%d: %v, want permanent", code, err)
		}
	}
	if err := statusError(&http.Response{StatusCode: 401}, time.Now()); !intake.IsUnauthorized(err) {
		t.Errorf("401: %v, want a refusal of ourselves", err)
	}
	for _, code := range again {
		err := statusError(&http.Response{StatusCode: code}, time.Now())
		if err == nil || intake.IsPermanent(err) {
			t.Errorf("%d: %v, want a retry", code, err)
		}
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "86400": 24 * time.Hour, "86401": 24 * time.Hour,
		"99999999999999999999999": 24 * time.Hour, "Tue, 24 Nov 2026 12:01:00 GMT": time.Minute,
		"Tue, 24 Nov 2026 11:00:00 GMT": 0, "Fri, 24 Nov 2028 12:00:00 GMT": 24 * time.Hour,
	} {
		err := statusError(&http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {value}}}, now)
		if d, ok := intake.RetryDelay(err); !ok || d != want {
			t.Errorf("%q: %v, %t; want %v", value, d, ok, want)
		}
	}
	for _, value := range []string{"", "-1", "soon", "1.5", "7s"} {
		err := statusError(&http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {value}}}, now)
		if d, ok := intake.RetryDelay(err); ok {
			t.Errorf("%q: read as %v", value, d)
		}
	}
}

func TestTheScheduleIsTheRecommendedOne(t *testing.T) {
	w := connect(t, "https://crm.example.com/")
	want := []string{"5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h", "24h", "24h"}
	spread := false
	for i, text := range append([]string{"5s"}, want...) {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			got := w.RetryDelay(i)
			if got < d*8/10 || got > d*12/10 {
				t.Errorf("after attempt %d: %v, want %v ± 20 %%", i, got, d)
			}
			spread = spread || got != d
		}
	}
	if !spread {
		t.Error("there is no jitter")
	}
}

func TestATimeOutIsRetried(t *testing.T) {
	w, _, s := system(t)
	w.timeout = 50 * time.Millisecond
	s.Script(crmtest.CommitThenHang)
	_, err := w.Push(t.Context(), crmtest.Sample(1, 1))
	if err == nil || intake.IsPermanent(err) || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("%v", err)
	}
}
