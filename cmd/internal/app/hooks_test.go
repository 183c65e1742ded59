package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/channels/meetings"
	"leadgate/channels/payload"
	"leadgate/channels/webhook"
	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/signature"
)

// hookSecrets are those of the sources.
var hookSecrets = map[string]string{
	"brightpath": "a-secret-of-a-test-0123", "calendly": "a-secret-of-calendly-0123", "site": "a-secret-of-the-site-0123",
}

func hooked(c *config.Config) {
	c.Webhooks = []webhook.Config{
		{Name: "brightpath", Scheme: signature.SchemeLeadgate, Secret: hookSecrets["brightpath"], ID: payload.Pointers{"/id"}, Mapping: payload.Mapping{
			Partner: "brightpath",
			Fields: map[intake.Field]payload.Pointers{
				intake.FieldCompanyName: {"/company"}, intake.FieldCompanyDomain: {"/website"}, intake.FieldContactEmail: {"/contact/email"},
				intake.FieldContactName: {"/contact/name"}, intake.FieldProblem: {"/problem"}, intake.FieldConsent: {"/agreed"},
			},
			SubmitterEmail: payload.Pointers{"/rep"},
		}},
		{Name: "calendly", Scheme: signature.SchemeCalendly, Secret: hookSecrets["calendly"]},
		{Name: "site", Scheme: signature.SchemeBearer, Secret: hookSecrets["site"], Mapping: payload.Mapping{
			PartnerPointer: payload.Pointers{"/partner"}, Program: "msp",
			Fields: map[intake.Field]payload.Pointers{intake.FieldCompanyName: {"/company"}},
		}},
	}
}

// hook calls a source as it would itself; header is that of a scheme with t= and v1=.
func (o *office) hook(source, header, body string) (int, string) {
	o.Helper()
	stamp := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(hookSecrets[source]))
	fmt.Fprintf(mac, "%s.%s", stamp, body)
	value := "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
	if header == "Authorization" {
		value = "Bearer " + hookSecrets[source]
	}
	return o.hookAs(source, header, value, body)
}

func (o *office) hookAs(source, header, value, body string) (int, string) {
	o.Helper()
	req, err := http.NewRequestWithContext(o.Context(), http.MethodPost, o.at+webhook.Path+source, strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// await looks at a case until it is as wanted.
func (o *office) await(number, what string, as func(intake.Registration) bool) intake.Registration {
	o.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if r := o.is(number); as(r) {
			return r
		}
	}
	o.Fatalf("it never was %s: %+v", what, o.is(number))
	return intake.Registration{}
}

func TestAPartnersProgramRegistersAndABookingGivesTheWholeWindow(t *testing.T) {
	o := openOffice(t, hooked)
	const body = `{"id":"order-1","company":"Acme GmbH","website":"https://acme.example","contact":{"name":"Jane Doe","email":"jane@acme.example"},
 "problem":"They lose a day a week to manual reporting.","agreed":true,"rep":"ana@brightpath.example"}`
	status, text := o.hook("brightpath", "Leadgate-Signature", body)
	var told struct {
		Results []struct {
			Case  string
			Known bool
		}
	}
	if err := json.Unmarshal([]byte(text), &told); err != nil || status != 200 || len(told.Results) != 1 || told.Results[0].Case == "" {
		t.Fatalf("%d %s", status, text)
	}
	number := told.Results[0].Case
	if status, again := o.hook("brightpath", "Leadgate-Signature", body); status != 200 || !strings.Contains(again, `"known":true`) || !strings.Contains(again, number) {
		t.Errorf("a duplicate: %d %s", status, again)
	}
	r := o.await(number, "judged", func(r intake.Registration) bool { return r.Status != intake.StatusSubmitted })
	if r.Partner != "brightpath" || r.Strength != intake.StrengthVerified || r.Reply.Channel != "email" || r.Reply.Address != "ana@brightpath.example" || r.Lead[intake.FieldCompanyDomain] != "acme.example" {
		t.Errorf("case %+v", r)
	}
	o.await(number, "answered", func(intake.Registration) bool { return len(notesOf(o.story(number), intake.EventNotified)) > 0 })

	start := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Second)
	booking := fmt.Sprintf(`{"event":"invitee.created","payload":{"uri":"https://api.calendly.com/x/I1","email":"jane@acme.example","name":"Jane Doe",
 "tracking":{"utm_content":%q},"scheduled_event":{"start_time":%q}}}`, o.app.Gateway().CaseReference(number), start.Format(time.RFC3339))
	if status, text := o.hook("calendly", "Calendly-Webhook-Signature", booking); status != 200 || !strings.Contains(text, number) {
		t.Errorf("a booking: %d %s", status, text)
	}
	o.await(number, "given a meeting", func(r intake.Registration) bool { return r.Meeting.Equal(start) })
}

func notesOf(d intake.Dossier, kind intake.EventKind) (all []string) {
	for _, e := range d.Events {
		if e.Kind == kind {
			all = append(all, e.Note)
		}
	}
	return all
}

func TestOnlyASignedReferenceSpeaksForAPartner(t *testing.T) {
	o := openOffice(t, hooked)
	client := admin.Local(o.app.AdminHandler())
	ref := func(program string) string {
		r, err := client.PartnerReference(t.Context(), "brightpath", program)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for i, c := range []struct {
		name, partner string
		status        int
		want          intake.Status // of the case; empty for none
	}{
		{"an id alone waits for staff", "brightpath", 200, intake.StatusQuarantined},
		{"a domain alone waits for staff", "brightpath.example", 200, intake.StatusQuarantined},
		{"a reference is taken in", ref(""), 200, intake.StatusSubmitted},
		{"a reference for the programme is taken in", ref("msp"), 200, intake.StatusSubmitted},
		{"a reference for another programme is refused", ref("referral"), 401, ""},
		{"a changed reference is refused", "kestrel-it" + strings.TrimPrefix(ref(""), "brightpath"), 401, ""},
	} {
		status, text := o.hook("site", "Authorization", fmt.Sprintf(`{"company":"Firm %d","partner":%q}`, i, c.partner))
		if status != c.status || c.want != "" && !strings.Contains(text, `"status":"`+string(c.want)+`"`) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	asides, err := o.app.Gateway().Asides(t.Context(), intake.AsideQuery{Limit: 10})
	if err != nil || len(asides) != 2 {
		t.Fatalf("%d set aside, %v", len(asides), err)
	}
	receipts, err := o.app.accept(t.Context(), asides[0].ID, "brightpath", "mia")
	if err != nil || len(receipts) != 1 || o.is(receipts[0].Case).Partner != "brightpath" {
		t.Errorf("taken in after all: %+v, %v", receipts, err)
	}
}

func TestASourceThatIsNoneLooksLikeAnyOtherPageThatIsNone(t *testing.T) {
	o := openOffice(t, hooked)
	status, body := o.hookAs("nobody", "X", "y", "{}")
	other, page := o.hookAs("../anything", "X", "y", "{}")
	if status != http.StatusNotFound || other != status || body != page || !strings.Contains(body, "<html") {
		t.Errorf("answered %d, another page %d; the same: %v", status, other, body == page)
	}
	if status, text := o.hookAs("site", "Authorization", "Bearer nothing", "{}"); status != 401 || strings.Contains(text, "case") {
		t.Errorf("%d %s", status, text)
	}
	for range 60 { // programs are not counted as visitors are
		if status, text := o.hookAs("site", "Authorization", "Bearer "+hookSecrets["site"], `[]`); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
	}
}

func TestAFormIsReadAndItsHealthIsTold(t *testing.T) {
	var locked atomic.Bool
	hubspot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if locked.Load() || r.Header.Get("Authorization") != "Bearer token-of-a-test" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"results":[{"submittedAt":%d,"conversionId":"c1","values":[{"name":"company","value":"Acme GmbH"},{"name":"email","value":"jane@acme.example"},{"name":"leadgate_partner_id","value":"brightpath"}]}]}`, time.Now().UnixMilli())
	}))
	defer hubspot.Close()
	form := meetings.Config{Name: "discovery", Form: "4b2f6c0e-5d1a-4a3e-9c1f-0a7d5be0c1d2", Token: "token-of-a-test", URL: hubspot.URL}
	read := func(state string, token string, then func(o *office)) {
		t.Helper()
		form.Token = token
		o := openOffice(t, func(c *config.Config) { c.Meetings = []meetings.Config{form}; c.Admin.Listen = "127.0.0.1:0" })
		probes := newEcho(o.app.log)
		o.app.channelsHealth(probes)
		srv := httptest.NewServer(probes)
		defer srv.Close()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			resp, err := http.Get(srv.URL + "/healthz/channels")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(b), "\"name\": \"discovery\",\n    \"state\": \""+state+"\"") {
				if (resp.StatusCode == 200) != (state == "ok") {
					t.Errorf("%s answers %s", b, resp.Status)
				}
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("never %s: %s", state, b)
			}
		}
		then(o)
	}
	read("ok", "token-of-a-test", func(o *office) {
		cases, err := o.app.Gateway().Cases(t.Context(), intake.CaseQuery{Limit: 10, Status: intake.StatusQuarantined})
		if err != nil || len(cases) != 1 || cases[0].Channel != meetings.Channel || cases[0].Partner != "" {
			t.Errorf("%+v, %v", cases, err)
		}
	})
	read("auth_failed", "another", func(*office) {})
}
