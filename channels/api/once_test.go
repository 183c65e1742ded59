package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

const replayed = "Idempotent-Replayed"

func TestARequestThatIsSentAgainIsDoneOnceAndAnsweredTheSame(t *testing.T) {
	p := openPortal(t)
	first := p.want("the first", p.post(acme(), "Idempotency-Key", "one"), 201, "")
	for range 3 {
		again := p.want("again", p.post(acme(), "Idempotency-Key", "one"), 201, "")
		if string(again.body) != string(first.body) || again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get(replayed) != "true" {
			t.Errorf("%s\n%s\n%v", first.body, again.body, again.Header)
		}
	}
	if first.Header.Get(replayed) != "" {
		t.Error("the first says that it is none")
	}
	p.want("another body", p.post(acme(company("Globex")), "Idempotency-Key", "one"), 422, "idempotency_key_reused")
	p.want("the same in other bytes", p.post(" "+acme(), "Idempotency-Key", "one"), 422, "idempotency_key_reused")
	p.want("another path", p.do("POST", "/registrations/"+first.taken().Case+"/withdraw", byAna, "Idempotency-Key", "one"), 422, "idempotency_key_reused")
	p.want("the name of another key's", p.do("POST", "/registrations", strings.ReplaceAll(acme(company("Initech")), "ana@alpha", "tom@beta"), "Authorization", "Bearer "+p.beta, "Idempotency-Key", "one"), 201, "")
	if n := len(p.cases()); n != 2 {
		t.Errorf("%d cases", n)
	}
	for _, name := range []string{" ", "\tx\x01", strings.Repeat("x", 256), "ümlaut"} {
		req, err := http.NewRequest("POST", p.url+Base+"/registrations", strings.NewReader(acme()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + p.key}, "Content-Type": {"application/json"}, "Idempotency-Key": {name}}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			continue // our own side would not send it
		}
		resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Errorf("Idempotency-Key %q: %s", name, resp.Status)
		}
	}
}

func TestWhatWasRefusedIsNotKept(t *testing.T) {
	p := openPortal(t)
	p.want("half of it", p.post(acme(change{"consent": nil}), "Idempotency-Key", "one"), 422, "invalid_fields")
	p.want("no case", p.post(acme(change{"case_number": "LG-2026-000000-0"}), "Idempotency-Key", "one"), 404, "no_such_case")
	p.want("mended", p.post(acme(), "Idempotency-Key", "one"), 201, "")
}

func TestAnAnswerIsKnownForTwoDaysAndThenForgotten(t *testing.T) {
	p := openPortal(t)
	at := time.Now()
	p.now = func() time.Time { return at }
	first := p.want("the first", p.post(acme(), "Idempotency-Key", "one"), 201, "").taken()
	at = at.Add(47 * time.Hour)
	if again := p.want("within two days", p.post(acme(), "Idempotency-Key", "one"), 201, ""); again.Header.Get(replayed) != "true" {
		t.Error("it was forgotten")
	}
	at = at.Add(2 * time.Hour)
	p.run() // and keeps house
	late := p.want("later, the name is free", p.post(acme(company("Globex")), "Idempotency-Key", "one"), 201, "")
	if late.Header.Get(replayed) != "" || late.taken().Case == first.Case {
		t.Errorf("%s", late.body)
	}
}

func TestOneNameSentBySixtyFourAtOnceIsOneCase(t *testing.T) {
	for name, header := range map[string][]string{"with a name": {"Idempotency-Key", "one"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			p := openPortal(t)
			var wg sync.WaitGroup
			var mu sync.Mutex
			got, numbers := make(map[string]int), make(map[string]bool)
			for range 64 {
				wg.Go(func() {
					r := p.post(acme(), header...)
					for r.StatusCode == http.StatusConflict {
						mu.Lock()
						got["409 "+r.problem().Code]++
						mu.Unlock()
						time.Sleep(time.Millisecond)
						r = p.post(acme(), header...)
						if r.StatusCode == http.StatusTooManyRequests {
							break
						}
					}
					mu.Lock()
					defer mu.Unlock()
					got[fmt.Sprint(r.StatusCode, " ", r.Header.Get(replayed))]++
					if r.StatusCode < 300 {
						numbers[r.taken().Case] = true
					}
				})
			}
			wg.Wait()
			t.Logf("answers: %v", got)
			if got["201 "] != 1 || len(numbers) != 1 || len(p.cases()) != 1 {
				t.Errorf("%v, cases %v", got, numbers)
			}
			if header != nil && got["201 true"]+got["429 "] != 63 {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestARequestThatIsBeingAnsweredIsNotBegunAgain(t *testing.T) {
	p := openPortal(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	writes := 0
	hold := func() error {
		if writes++; writes == 2 { // the first names the call
			once.Do(func() { close(arrived) })
			<-release
		}
		return nil
	}
	p.do("GET", "/rules", "") // the use of the key is noted once a day
	p.store.before.Store(&hold)
	done := make(chan reply)
	go func() { done <- p.post(acme(), "Idempotency-Key", "one") }()
	<-arrived
	r := p.want("meanwhile", p.post(acme(), "Idempotency-Key", "one"), 409, "request_in_progress")
	if r.Header.Get("Retry-After") == "" {
		t.Error("no word of when")
	}
	p.want("another body meanwhile", p.post(acme(company("Globex")), "Idempotency-Key", "one"), 422, "idempotency_key_reused")
	close(release)
	p.want("the first", <-done, 201, "")
	if r := p.want("afterwards", p.post(acme(), "Idempotency-Key", "one"), 201, ""); r.Header.Get(replayed) != "true" {
		t.Error("it was done again")
	}
}

// errKilled ends the process, as far as a test can.
var errKilled = errors.New("killed")

func TestAGatewayThatIsKilledAtAnyWriteNeverMakesTwoCases(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(p *portal) (method, path, body string)
		check   func(p *portal, again reply)
	}{
		{"of a registration", func(*portal) (string, string, string) { return "POST", "/registrations", acme() }, func(p *portal, again reply) {
			if all := p.cases(); len(all) != 1 || again.taken().Case != all[0].Number || all[0].Submissions != 1 {
				p.Errorf("%d cases, answered %s", len(all), again.body)
			}
		}},
		{"of a withdrawal", func(p *portal) (string, string, string) {
			return "POST", "/registrations/" + p.post(acme()).taken().Case + "/withdraw", byAna
		}, func(p *portal, again reply) {
			if all := p.cases(); len(all) != 1 || all[0].Status != intake.StatusWithdrawn || all[0].Submissions != 2 {
				p.Errorf("%+v", all)
			}
		}},
	} {
		for at := 1; ; at++ {
			p := openPortal(t)
			p.do("GET", "/rules", "")
			method, path, body := tt.prepare(p)
			writes := 0
			kill := func() error {
				if writes++; writes >= at {
					return errKilled
				}
				return nil
			}
			p.store.before.Store(&kill)
			before := p.do(method, path, body, "Idempotency-Key", "one")
			if before.StatusCode < 300 && writes < at {
				if at < 5 {
					t.Errorf("%s: only %d writes", tt.name, at-1)
				}
				break
			}
			// Another process opens the same store.
			next := portalOver(t, p.store.Store)
			next.key = p.key
			again := next.do(method, path, body, "Idempotency-Key", "one")
			if again.StatusCode >= 300 {
				t.Errorf("%s, killed at write %d: %s\n%s", tt.name, at, again.Status, again.body)
			}
			tt.check(next, again)
			once := next.do(method, path, body, "Idempotency-Key", "one")
			if once.Header.Get(replayed) != "true" || string(once.body) != string(again.body) {
				t.Errorf("%s, killed at write %d: then %s\n%s", tt.name, at, once.Status, once.body)
			}
			if before.StatusCode < 300 && again.taken().Case != before.taken().Case {
				t.Errorf("%s, killed at write %d: answered %s, then %s", tt.name, at, before.body, again.body)
			}
		}
	}
}

func TestARequestThatWasDoneIsAnsweredOverTheLimitToo(t *testing.T) {
	one := func(c *Config, _ *rules.Spec) { c.KeyHour, c.Hour = 1, 10 }
	p := openPortal(t, one)
	p.do("GET", "/rules", "")
	writes := 0
	kill := func() error {
		if writes++; writes >= 4 { // the call, the limit, the case; not the answer
			return errKilled
		}
		return nil
	}
	p.store.before.Store(&kill)
	p.post(acme(), "Idempotency-Key", "one") // the answer never arrives
	if n := len(p.cases()); n != 1 {
		t.Fatalf("%d cases", n)
	}
	next := portalOver(t, p.store.Store, one)
	next.key = p.key
	next.want("another one", next.post(acme(company("Globex")), "Idempotency-Key", "two"), 429, "rate_limited")
	if got := next.want("the same", next.post(acme(), "Idempotency-Key", "one"), 200, "").taken(); got.Case != next.cases()[0].Number {
		t.Errorf("answered %+v", got)
	}
	next.want("another body under the same name", next.post(acme(company("Globex")), "Idempotency-Key", "one"), 422, "idempotency_key_reused")
}

// A request of which it is not known whether it was done keeps its name over the limit.
func TestARequestThatWasBegunBeforeIsNotForgottenOverTheLimit(t *testing.T) {
	one := func(c *Config, _ *rules.Spec) { c.KeyHour, c.Hour = 1, 10 }
	p := openPortal(t, one)
	p.do("GET", "/rules", "")
	writes := 0
	kill := func() error {
		if writes++; writes >= 2 { // the call
			return errKilled
		}
		return nil
	}
	p.store.before.Store(&kill)
	p.post(acme(), "Idempotency-Key", "one")
	next := portalOver(t, p.store.Store, one)
	next.key = p.key
	at := time.Now()
	next.now = func() time.Time { return at }
	next.want("another one", next.post(acme(company("Globex")), "Idempotency-Key", "two"), 201, "")
	next.want("over the limit", next.post(acme(), "Idempotency-Key", "one"), 429, "rate_limited")
	next.want("another body under the same name", next.post(acme(company("Initech")), "Idempotency-Key", "one"), 422, "idempotency_key_reused")
	at = at.Add(3 * time.Hour)
	next.want("the same once there is room", next.post(acme(), "Idempotency-Key", "one"), 201, "")
}

func TestWhatIsErasedIsNotToldByAnAnswerThatWasKept(t *testing.T) {
	p := openPortal(t)
	first := p.want("first", p.post(acme(), "Idempotency-Key", "one"), 201, "").taken()
	path := "/registrations/" + first.Case + "/withdraw"
	p.want("withdrawn", p.do("POST", path, byAna, "Idempotency-Key", "two"), 200, "")
	if _, err := p.gateway.Erase(t.Context(), first.Case, intake.Verdict{By: "mia", Rationale: "asked to"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.want("the registration again", p.post(acme(), "Idempotency-Key", "one"), 409, "case_over")
		p.want("the withdrawal again", p.do("POST", path, byAna, "Idempotency-Key", "two"), 409, "case_over")
	}
	if n := len(p.cases()); n != 1 {
		t.Errorf("%d cases", n)
	}
}
