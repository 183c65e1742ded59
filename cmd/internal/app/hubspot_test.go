package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/hubspot"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// TestAMailBecomesADealInHubSpotAndItsPartnerLearnsThatItWasWon goes all the way round: mail to an
// account, what people do there, a call of its webhook, mail to the partner.
func TestAMailBecomesADealInHubSpotAndItsPartnerLearnsThatItWasWon(t *testing.T) {
	const secret = "client-secret-of-the-app"
	account := hubspottest.New()
	server := crmtest.NewServer(t, account)
	c := hubspot.Config{Name: "hubspot", URL: server.URL, Token: hubspottest.Token, Secret: secret, AllowPrivate: true}
	h, err := hubspot.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if _, err := h.Prepare(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	o := openOffice(t, func(cfg *config.Config) {
		cfg.Mailboxes[0].SenderProof.Mode = senderauth.ModeNone
		cfg.CRM.HubSpot = []hubspot.Config{c}
		cfg.CRM.Every = time.Hour // what comes back comes by the call
	})
	number := o.approved()
	var deal hubspottest.Object
	o.until("HubSpot has it, approved, and says so on its timeline", func() bool {
		for _, d := range account.All("deals") {
			if d.Properties["leadgate_case"] == number && d.Properties["leadgate_status"] == string(intake.StatusProvisional) {
				deal = d
			}
		}
		said := slices.ContainsFunc(account.All("notes"), func(n hubspottest.Object) bool {
			return strings.Contains(n.Properties["hs_note_body"], "by staff:mia<br>in_review → approved_provisional")
		})
		return deal.ID != "" && said && o.is(number).CRM["hubspot"].ID == deal.ID
	})
	if got := deal.Properties["dealname"]; got != "Fabrikam AG – Brightpath BV" {
		t.Errorf("the deal is called %q", got)
	}
	account.Events()
	if err := account.Set("deals", deal.ID, map[string]string{"dealstage": "closedwon"}); err != nil {
		t.Fatal(err)
	}
	body := account.Events()
	if status := o.callHubSpot(body, "wrong"); status != http.StatusUnauthorized {
		t.Errorf("a call that is not proven is answered %d", status)
	}
	if status := o.callHubSpot(body, secret); status != http.StatusNoContent {
		t.Errorf("a call is answered %d", status)
	}
	o.until("the case is won", func() bool { return o.is(number).Status == intake.StatusWon })
	o.wantMail("ana@brightpath.example", number, "won")
	ref := o.is(number).CRM["hubspot"]
	if !strings.HasPrefix(ref.URL, "https://app-eu1.hubspot.com/contacts/6215/record/0-3/") || ref.Parts["company"] == "" || ref.Parts["contact"] == "" {
		t.Errorf("the reference is %+v", ref)
	}
	if d := o.story(number); d.Chain != "" {
		t.Errorf("the history does not hold: %s", d.Chain)
	}
	for _, s := range []string{hubspottest.Token, secret} {
		if strings.Contains(o.log.String(), s) {
			t.Error("the log has a secret")
		}
	}
}

// callHubSpot calls as HubSpot's webhooks do, at the public address.
func (o *office) callHubSpot(body []byte, secret string) int {
	o.Helper()
	const path = "/hooks/crm/hubspot"
	at := fmt.Sprint(time.Now().UnixMilli())
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "POST%s%s%s%s", o.cfg.Pages.URL, path, body, at)
	req, err := http.NewRequestWithContext(o.Context(), http.MethodPost, o.at+path, bytes.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("X-HubSpot-Request-Timestamp", at)
	req.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestADecisionIsInHubSpotWithinSecondsAndAChangeThereIsHereWithinAMinute has no webhooks: changes are
// read now and then. It counts what a registration costs.
func TestADecisionIsInHubSpotWithinSecondsAndAChangeThereIsHereWithinAMinute(t *testing.T) {
	account := hubspottest.New()
	server := crmtest.NewServer(t, account)
	c := hubspot.Config{Name: "hubspot", URL: server.URL, Token: hubspottest.Token, AllowPrivate: true}
	h, err := hubspot.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	if _, err := h.Prepare(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	const every = time.Second
	o := openOffice(t, func(cfg *config.Config) {
		cfg.CRM.HubSpot = []hubspot.Config{c}
		cfg.CRM.Every = every
	})
	deal := func(number string, status intake.Status) (id string, ok bool) {
		for _, d := range account.All("deals") {
			if d.Properties["leadgate_case"] == number {
				return d.ID, d.Properties["leadgate_status"] == string(status)
			}
		}
		return "", false
	}
	noted := func(number string) (n int) {
		for _, o := range account.All("notes") {
			if strings.HasPrefix(o.Properties["hs_note_body"], "["+number+" #") {
				n++
			}
		}
		return n
	}
	o.until("the first case is there", func() bool { _, ok := deal(o.name, intake.StatusInReview); return ok && noted(o.name) > 0 })
	from := len(server.Requests())
	calls := func() (all []string) {
		for _, r := range server.Requests()[from:] {
			path, _, _ := strings.Cut(r.Path, "?")
			feed := strings.Contains(string(r.Body), "hs_lastmodifieddate\",\"operator")
			if !feed {
				all = append(all, r.Method+" "+path)
			}
		}
		return all
	}
	number := o.register("2", "Fabrikam AG", "fabrikam.example")
	o.until("the case is there", func() bool { _, ok := deal(number, intake.StatusInReview); return ok && noted(number) == 1 })
	decided := time.Now()
	if _, err := o.app.Gateway().Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	var id string
	o.until("the decision is there", func() (ok bool) {
		id, ok = deal(number, intake.StatusProvisional)
		return ok
	})
	pushed := time.Since(decided)
	o.until("and on the timeline", func() bool { return noted(number) == 2 })
	made := calls()
	t.Logf("a decision is there after %v; a registration, from its checks to its approval, takes %d calls:\n%s", pushed, len(made), strings.Join(made, "\n"))
	if pushed > 5*time.Second {
		t.Errorf("a decision is there after %v", pushed)
	}
	if len(made) > 10 {
		t.Errorf("a registration takes %d calls", len(made))
	}
	changed := time.Now()
	if err := account.Set("deals", id, map[string]string{"dealstage": "closedwon"}); err != nil {
		t.Fatal(err)
	}
	o.until("the case is won", func() bool { return o.is(number).Status == intake.StatusWon })
	pulled := time.Since(changed)
	t.Logf("a change there is here after %v, and is looked for every %v", pulled, every)
	if usual := config.Default().CRM.Every; usual+max(pulled-every, 0) > time.Minute {
		t.Errorf("looked for every %v, a change is here after %v", usual, usual+pulled-every)
	}
}

func TestAGatewayThatHasStoppedKeepsNoConnectionToACRM(t *testing.T) {
	var mu sync.Mutex
	idle, ever := make(map[net.Conn]bool), false
	server := httptest.NewUnstartedServer(hubspottest.New())
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch s {
		case http.StateIdle:
			idle[c], ever = true, true
		case http.StateClosed:
			delete(idle, c)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := testConfig(t.TempDir())
	c.CRM.HubSpot = []hubspot.Config{{Name: "hubspot", URL: server.URL, Token: hubspottest.Token, AllowPrivate: true}}
	a := open(t, c)
	stop := run(t, a)
	wait := func(what string, cond func() bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			ok := cond()
			mu.Unlock()
			if ok {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	wait("the CRM is not called", func() bool { return ever })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	wait("connections are open", func() bool { return len(idle) == 0 })
}
