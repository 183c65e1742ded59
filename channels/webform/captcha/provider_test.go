package captcha

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatAProviderSaysOfAToken(t *testing.T) {
	siteverifies := []Kind{KindRecaptchaV2, KindRecaptchaV3, KindTurnstile, KindHCaptcha}
	actions := []Kind{KindRecaptchaV3, KindRecaptchaEnterprise, KindTurnstile}
	scores := []Kind{KindRecaptchaV3, KindRecaptchaEnterprise}
	twoMinutes := []Kind{KindRecaptchaV2, KindRecaptchaV3, KindRecaptchaEnterprise, KindHCaptcha}
	timed := append(slices.Clone(twoMinutes), KindTurnstile)
	for name, tt := range map[string]struct {
		kinds  []Kind
		change func(*says)
		action Action
		want   Outcome
	}{
		"a token that is good passes":                             {remoteKinds(), func(s *says) {}, ActionPass, OutcomePassed},
		"a host is the same in capitals and with a dot":           {remoteKinds(), func(s *says) { s.host = "Partners.Vendor.Example." }, ActionPass, OutcomePassed},
		"a token of another site is refused":                      {remoteKinds(), func(s *says) { s.host = "evil.example" }, ActionRefuse, OutcomeRefused},
		"a token of a site that ends like ours is refused":        {remoteKinds(), func(s *says) { s.host = "evil" + ourHost }, ActionRefuse, OutcomeRefused},
		"a token of a site below ours is refused":                 {remoteKinds(), func(s *says) { s.host = "x." + ourHost }, ActionRefuse, OutcomeRefused},
		"a token of nowhere is refused":                           {timed, func(s *says) { s.host = "" }, ActionRefuse, OutcomeRefused},
		"a browser that does not say where is to confirm":         {[]Kind{KindFriendly}, func(s *says) { s.host = "" }, ActionConfirm, OutcomeLow},
		"a token for another action is refused":                   {actions, func(s *says) { s.action = "login" }, ActionRefuse, OutcomeRefused},
		"a token for an action in capitals is refused":            {actions, func(s *says) { s.action = "Register" }, ActionRefuse, OutcomeRefused},
		"a low score is to confirm":                               {scores, func(s *says) { s.score = 0.3 }, ActionConfirm, OutcomeLow},
		"a score of nothing is to confirm":                        {scores, func(s *says) { s.score = 0 }, ActionConfirm, OutcomeLow},
		"a score at the limit passes":                             {scores, func(s *says) { s.score = 0.5 }, ActionPass, OutcomePassed},
		"a token of three minutes is refused":                     {twoMinutes, func(s *says) { s.made = noon.Add(-3 * time.Minute) }, ActionRefuse, OutcomeRefused},
		"a token of three minutes is good with Turnstile":         {[]Kind{KindTurnstile}, func(s *says) { s.made = noon.Add(-3 * time.Minute) }, ActionPass, OutcomePassed},
		"a token of six minutes is refused":                       {timed, func(s *says) { s.made = noon.Add(-6 * time.Minute) }, ActionRefuse, OutcomeRefused},
		"half a minute between the clocks is nothing":             {twoMinutes, func(s *says) { s.made = noon.Add(-150 * time.Second) }, ActionPass, OutcomePassed},
		"half a minute the other way is nothing":                  {timed, func(s *says) { s.made = noon.Add(30 * time.Second) }, ActionPass, OutcomePassed},
		"a token of the future is refused":                        {timed, func(s *says) { s.made = noon.Add(time.Minute) }, ActionRefuse, OutcomeRefused},
		"a reason that is not known is the token's":               {remoteKinds(), func(s *says) { s.code = "something-new" }, ActionRefuse, OutcomeRefused},
		"a browser that did not reach Google is to confirm":       {[]Kind{KindRecaptchaV3}, func(s *says) { s.code = "browser-error" }, ActionConfirm, OutcomeLow},
		"a browser that did not reach Enterprise is to confirm":   {[]Kind{KindRecaptchaEnterprise}, func(s *says) { s.code = "BROWSER_ERROR" }, ActionConfirm, OutcomeLow},
		"a wrong secret is ours":                                  {siteverifies, func(s *says) { s.code = "invalid-input-secret" }, ActionConfirm, OutcomeMisconfigured},
		"a wrong secret is ours, whatever the token is":           {siteverifies, func(s *says) { s.code = "invalid-input-response,invalid-input-secret" }, ActionConfirm, OutcomeMisconfigured},
		"a missing secret is ours":                                {siteverifies, func(s *says) { s.code = "missing-input-secret" }, ActionConfirm, OutcomeMisconfigured},
		"a bad request is ours":                                   {siteverifies, func(s *says) { s.code = "bad-request" }, ActionConfirm, OutcomeMisconfigured},
		"keys of two pairs are ours":                              {[]Kind{KindHCaptcha}, func(s *says) { s.code = "sitekey-secret-mismatch" }, ActionConfirm, OutcomeMisconfigured},
		"an API key that is wrong is ours":                        {[]Kind{KindFriendly}, func(s *says) { s.code = "auth_invalid" }, ActionConfirm, OutcomeMisconfigured},
		"an API key that is missing is ours":                      {[]Kind{KindFriendly}, func(s *says) { s.code = "auth_required" }, ActionConfirm, OutcomeMisconfigured},
		"a site key that is wrong is ours":                        {[]Kind{KindFriendly}, func(s *says) { s.code = "sitekey_invalid" }, ActionConfirm, OutcomeMisconfigured},
		"an expired response is the token's":                      {[]Kind{KindFriendly}, func(s *says) { s.code = "response_timeout" }, ActionRefuse, OutcomeRefused},
		"an error of the provider's own is an outage":             {siteverifies, func(s *says) { s.code = "internal-error" }, ActionConfirm, OutcomeOutage},
		"keys of v2 do not pass for v3":                           {[]Kind{KindRecaptchaV3}, func(s *says) { s.noScore = true }, ActionConfirm, OutcomeMisconfigured},
		"keys of v3 do not pass for v2, where no score is looked": {[]Kind{KindRecaptchaV2}, func(s *says) { s.raw, s.status = v3Answer, 200 }, ActionConfirm, OutcomeMisconfigured},
		"over the quota, Google passes everybody; we do not":      {[]Kind{KindRecaptchaV3}, func(s *says) { s.raw, s.status = overQuota, 200 }, ActionConfirm, OutcomeOutage},
		"500 is an outage":                                        {remoteKinds(), func(s *says) { s.status = 500 }, ActionConfirm, OutcomeOutage},
		"503 with a success inside is an outage":                  {remoteKinds(), func(s *says) { s.raw, s.status = `{"success":true}`, 503 }, ActionConfirm, OutcomeOutage},
		"404 with a success inside does not pass":                 {[]Kind{KindRecaptchaV2, KindTurnstile, KindHCaptcha, KindFriendly}, func(s *says) { s.raw, s.status = wholeAnswer, 404 }, ActionConfirm, OutcomeOutage},
		"a redirect with a success inside is an outage":           {remoteKinds(), func(s *says) { s.raw, s.status = wholeAnswer, 302 }, ActionConfirm, OutcomeOutage},
		"an answer and a lot of nothing is an outage":             {[]Kind{KindRecaptchaV2, KindHCaptcha, KindFriendly}, func(s *says) { s.raw, s.status = wholeAnswer+strings.Repeat(" ", 2*maxAnswer), 200 }, ActionConfirm, OutcomeOutage},
		"the same without it passes":                              {[]Kind{KindRecaptchaV2, KindTurnstile, KindHCaptcha, KindFriendly}, func(s *says) { s.raw, s.status = wholeAnswer, 200 }, ActionPass, OutcomePassed},
		"too many requests are an outage":                         {remoteKinds(), func(s *says) { s.raw, s.status = `{"error":{"code":429}}`, 429 }, ActionConfirm, OutcomeOutage},
		"a page in the place of an answer is an outage":           {remoteKinds(), func(s *says) { s.raw, s.status = "<html><title>Sign in to the Wi-Fi</title>", 200 }, ActionConfirm, OutcomeOutage},
		"an answer that says nothing is an outage":                {remoteKinds(), func(s *says) { s.raw, s.status = "{}", 200 }, ActionConfirm, OutcomeOutage},
		"an answer of null is an outage":                          {remoteKinds(), func(s *says) { s.raw, s.status = "null", 200 }, ActionConfirm, OutcomeOutage},
		"an empty answer is an outage":                            {remoteKinds(), func(s *says) { s.status = 200 }, ActionConfirm, OutcomeOutage},
		"success in words is an outage":                           {siteverifies, func(s *says) { s.raw, s.status = `{"success":"true"}`, 200 }, ActionConfirm, OutcomeOutage},
		"success without a time is an outage":                     {siteverifies, func(s *says) { s.raw, s.status = `{"success":true,"hostname":"`+ourHost+`"}`, 200 }, ActionConfirm, OutcomeOutage},
		"an answer that does not end is an outage":                {remoteKinds(), func(s *says) { s.raw, s.status = `{"success":true,"x":"`+strings.Repeat("x", maxAnswer)+`"}`, 200 }, ActionConfirm, OutcomeOutage},
		"a page that forbids is ours":                             {remoteKinds(), func(s *says) { s.raw, s.status = "<html>Forbidden", 403 }, ActionConfirm, OutcomeMisconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range tt.kinds {
				p := newPeer(t, k)
				s := goodToken()
				tt.change(&s)
				p.knows("token", s)
				g := gateTo(t, p, nil)
				if d := g.Decide(t.Context(), check("token")); d.Action != tt.action || d.Outcome != tt.want || d.Spend != "" {
					t.Errorf("%s: %s, want %s/%s", k, describe(d), tt.action, tt.want)
				}
				if p.times() != 1 {
					t.Errorf("%s: asked %d times", k, p.times())
				}
			}
		})
	}
}

const (
	v3Answer = `{"success":true,"challenge_ts":"2026-11-23T11:59:50Z","hostname":"` + ourHost + `","score":0.1,"action":"register"}`
	// wholeAnswer has what four providers say of a good token.
	wholeAnswer = `{"success":true,"challenge_ts":"2026-11-23T11:59:50Z","hostname":"` + ourHost + `","action":"register","data":{"challenge":{"origin":"https://` + ourHost + `"}}}`
	overQuota   = `{"success":true,"challenge_ts":"2026-11-23T11:59:50Z","hostname":"` + ourHost + `","score":0.9,"action":"register","error-codes":["Over free quota."]}`
)

func TestATokenIsGoodOnceByTheProvidersOwnAccount(t *testing.T) {
	for _, k := range remoteKinds() {
		p := newPeer(t, k)
		p.knows("token", goodToken())
		g := gateTo(t, p, nil)
		for i, want := range []Action{ActionPass, ActionRefuse} {
			if d := g.Decide(t.Context(), check("token")); d.Action != want {
				t.Errorf("%s, time %d: %s, want %s", k, i+1, describe(d), want)
			}
		}
		if d := g.Decide(t.Context(), check("made-up")); d.Action != ActionRefuse {
			t.Errorf("%s: a token that was made up: %s", k, describe(d))
		}
	}
}

func TestASecretThatIsNoLongerGoodIsToldToStaffAndNotTheVisitor(t *testing.T) {
	for _, k := range remoteKinds() {
		p := newPeer(t, k)
		p.secret = "rotated"
		p.knows("token", goodToken())
		var log strings.Builder
		now := noon
		g := open(t, testConfig(k, p.URL), Options{Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 8 {
			if d := g.Decide(t.Context(), check("token")); d.Action != ActionConfirm || d.Outcome != OutcomeMisconfigured {
				t.Errorf("%s: %s", k, describe(d))
			}
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%s: %d alarms in one moment:\n%s", k, n, log.String())
		}
		now = now.Add(alarmEvery)
		g.Decide(t.Context(), check("token"))
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 {
			t.Errorf("%s: %d alarms after a minute", k, n)
		}
		p.mu.Lock()
		p.secret = ourSecret
		p.mu.Unlock()
		p.knows("next", goodToken())
		if d := g.Decide(t.Context(), check("next")); d.Action != ActionPass {
			t.Errorf("%s: after it was mended: %s", k, describe(d))
		}
	}
}

func TestWhatCanNotBeATokenIsNotSentOn(t *testing.T) {
	for _, k := range remoteKinds() {
		p := newPeer(t, k)
		g := gateTo(t, p, nil)
		limit := maxToken
		if k == KindTurnstile {
			limit = 2048
		}
		for _, token := range []string{strings.Repeat("x", limit+1), "with blank", "line\nbreak", "nul\x00", "ümlaut", "\xff"} {
			if d := g.Decide(t.Context(), check(token)); d.Action != ActionRefuse {
				t.Errorf("%s: %.20q: %s", k, token, describe(d))
			}
		}
		if p.times() != 0 {
			t.Errorf("%s: asked %d times", k, p.times())
		}
		longest := strings.Repeat("x", limit)
		p.knows(longest, goodToken())
		if d := g.Decide(t.Context(), check("  "+longest+"\r\n")); d.Action != ActionPass {
			t.Errorf("%s: the longest token: %s", k, describe(d))
		}
	}
}

func TestAnAddressThatIsNoneIsNotSentOn(t *testing.T) {
	for given, want := range map[string]string{
		"198.51.100.7": "198.51.100.7", "::ffff:198.51.100.7": "198.51.100.7", "2001:db8::1": "2001:db8::1",
		"fe80::1%eth0": "fe80::1", "": "", "unknown": "", "198.51.100.7, 10.0.0.1": "", "198.51.100.7:80": "",
	} {
		if got := visitor(given); got != want {
			t.Errorf("%q is sent as %q, want %q", given, got, want)
		}
	}
}

func TestSecretsAreNotTakenElsewhereByARedirect(t *testing.T) {
	for _, k := range remoteKinds() {
		elsewhere := newPeer(t, k)
		elsewhere.knows("token", goodToken())
		s := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
		t.Cleanup(s.Close)
		g := open(t, testConfig(k, s.URL), Options{})
		if d := g.Decide(t.Context(), check("token")); d.Outcome != OutcomeOutage || elsewhere.times() != 0 {
			t.Errorf("%s: %s, somebody else was asked %d times", k, describe(d), elsewhere.times())
		}
	}
}

func TestAProviderThatHangsIsAnOutageInTime(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"before the answer": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = r.Body.Read(make([]byte, 1<<16))
			<-r.Context().Done()
		},
		"within the answer": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"success":true,`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range remoteKinds() {
				s := httptest.NewServer(serve)
				c := testConfig(k, s.URL)
				c.Timeout = 100 * time.Millisecond
				g := open(t, c, Options{})
				if d := g.Decide(t.Context(), check("token")); d.Action != ActionConfirm || d.Outcome != OutcomeOutage || !strings.Contains(d.Why, "no answer within 100ms") {
					t.Errorf("%s: %s", k, describe(d))
				}
				_ = g.Close()
				s.CloseClientConnections()
				s.Close()
			}
		})
	}
}

// hang is a network on which nothing is ever heard.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNobodyWaitsLongerThanTheTimeOut(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"that is not set": 0, "that is the longest": maxTimeout} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for _, k := range remoteKinds() {
					c := testConfig(k, "")
					c.Timeout = timeout
					g := open(t, c, Options{Now: time.Now})
					client(g).Transport = hang{}
					began := time.Now()
					d := g.Decide(t.Context(), check("token"))
					if took := time.Since(began); d.Outcome != OutcomeOutage || took != max(timeout, 4*time.Second) || took > 4500*time.Millisecond {
						t.Errorf("%s: %s after %v", k, describe(d), took)
					}
				}
			})
		})
	}
}

func client(g *Gate) *http.Client {
	switch p := g.provider.(type) {
	case *siteverify:
		return p.client
	case *enterprise:
		return p.client
	case *friendly:
		return p.client
	}
	return nil
}

func TestAProviderThatIsNotThereIsAnOutage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := "http://" + l.Addr().String()
	l.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler()) // its certificate is signed by nobody
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(secure.Close)
	for name, address := range map[string]string{"no listener": nowhere, "a certificate of nobody": secure.URL} {
		for _, k := range remoteKinds() {
			g := open(t, testConfig(k, address), Options{})
			if d := g.Decide(t.Context(), check("token")); d.Outcome != OutcomeOutage {
				t.Errorf("%s, %s: %s", name, k, describe(d))
			}
		}
	}
}

// The peer says back all that it was told, in every place where words go.
func TestNoSecretTokenOrVisitorIsInErrorsAndLogs(t *testing.T) {
	const token = "t0ken-of-a-visitor"
	leaks := []string{ourSecret, token, ourVisitor, ourAgent}
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request, told string){
		"in codes": func(w http.ResponseWriter, _ *http.Request, told string) {
			fmt.Fprintf(w, `{"success":false,"error-codes":["bad-request",%q],"error":{"error_code":%q,"detail":%q},"tokenProperties":{"valid":false,"invalidReason":%q}}`, told, told, told, told)
		},
		"in codes alone": func(w http.ResponseWriter, _ *http.Request, told string) {
			fmt.Fprintf(w, `{"success":false,"error-codes":[%q],"error":{"error_code":%q},"tokenProperties":{"valid":false,"invalidReason":%q}}`, told, told, told)
		},
		"in hosts and times": func(w http.ResponseWriter, _ *http.Request, told string) {
			fmt.Fprintf(w, `{"success":true,"hostname":%q,"challenge_ts":%q,"action":%q,"data":{"challenge":{"origin":%q}},"tokenProperties":{"valid":true,"hostname":%q,"action":%q,"createTime":%q}}`, told, told, told, told, told, told, told)
		},
		"in times": func(w http.ResponseWriter, _ *http.Request, told string) {
			fmt.Fprintf(w, `{"success":true,"hostname":%q,"challenge_ts":%q,"action":"register","tokenProperties":{"valid":true,"hostname":%q,"action":"register","createTime":%q}}`, ourHost, told, ourHost, told)
		},
		"in a page": func(w http.ResponseWriter, _ *http.Request, told string) { fmt.Fprint(w, "<html>", told) },
		"in an error's page": func(w http.ResponseWriter, _ *http.Request, told string) {
			http.Error(w, told, http.StatusInternalServerError)
		},
		"in a refusal's page": func(w http.ResponseWriter, _ *http.Request, told string) { http.Error(w, told, http.StatusForbidden) },
		"in a redirect": func(w http.ResponseWriter, r *http.Request, told string) {
			http.Redirect(w, r, "http://127.0.0.1/?"+told, http.StatusFound)
		},
		"in a header that is none": func(w http.ResponseWriter, _ *http.Request, told string) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%s\r\n\r\n", strings.NewReplacer("\r", "", "\n", "").Replace(told))
				conn.Close()
			}
		},
		"by hanging up": func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range remoteKinds() {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var b strings.Builder
					_ = r.ParseForm()
					fmt.Fprint(&b, r.URL.String(), r.Form, r.Header.Get("X-API-Key"), " ", ourSecret, " ", token, " ", ourVisitor, " ", ourAgent)
					answer(w, r, b.String())
				}))
				t.Cleanup(s.Close)
				c := testConfig(k, s.URL)
				c.Timeout = 2 * time.Second
				var log strings.Builder
				g := open(t, c, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				for range breakAfter + 1 {
					d := g.Decide(t.Context(), check(token))
					fmt.Fprintln(&log, describe(d))
					v, err := g.provider.Verify(t.Context(), check(token))
					fmt.Fprintln(&log, v, err)
					if d.Outcome == OutcomePassed {
						t.Errorf("%s: passed", k)
					}
				}
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := g.provider.Verify(ended, check(token))
				fmt.Fprintln(&log, err, c)
				fmt.Fprintf(&log, "%v %+v %#v", c, c, c)
				for _, leak := range leaks {
					if strings.Contains(log.String(), leak) {
						t.Errorf("%s: %q is in\n%s", k, leak, log.String())
					}
				}
			}
		})
	}
}

func TestAnOutageIsNeverARefusal(t *testing.T) {
	for _, k := range remoteKinds() {
		p := newPeer(t, k)
		p.knows("token", says{status: 502})
		_, err := gateTo(t, p, nil).provider.Verify(t.Context(), check("token"))
		if err == nil || errors.Is(err, ErrMisconfigured) {
			t.Errorf("%s: %v", k, err)
		}
	}
}
