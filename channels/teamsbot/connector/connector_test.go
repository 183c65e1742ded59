package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"leadgate/channels/teamsbot/connector"
	"leadgate/channels/teamsbot/teamstest"
	"leadgate/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a connector among what it speaks with, at a time that stands still.
type world struct {
	*connector.Connector
	idp     *teamstest.IdP
	service *teamstest.Service

	mu  sync.Mutex
	at  time.Time
	who []string // tenants that are let in
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) admit(_ context.Context, tenant string) (bool, error) {
	return slices.Contains(w.who, tenant), nil
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{idp: teamstest.NewIdP(t), service: teamstest.NewService(t), at: time.Now(), who: []string{teamstest.Tenant}}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	var err error
	w.Connector, err = connector.New(connector.Options{
		AppID: teamstest.AppID, Secret: teamstest.Secret, Tenant: teamstest.Tenant, Admit: w.admit,
		Metadata: w.idp.Metadata(), Login: w.idp.Login(), Loopback: true, Client: &http.Client{Transport: transport}, Now: w.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return w
}

// status reads a request and returns the status that it would be answered with.
func (w *world) status(t *testing.T, req *http.Request) int {
	t.Helper()
	a, err := w.Read(httptest.NewRecorder(), req)
	if err == nil {
		if a == nil || a.Conversation.ID == "" {
			t.Errorf("let in without a conversation: %+v", a)
		}
		return http.StatusOK
	}
	var refused *connector.Refusal
	if !errors.As(err, &refused) {
		t.Fatalf("not a refusal: %v", err)
	}
	return refused.Status
}

func (w *world) message(text string) teamstest.Activity {
	return teamstest.Message(w.service.URL+"/", "ana", text)
}

func (w *world) claims() jwt.MapClaims { return teamstest.Claims(w.service.URL+"/", w.now()) }

func TestOnlyWhatTheServiceSignedForThisBotIsLetIn(t *testing.T) {
	unix := func(now time.Time, d time.Duration) int64 { return now.Add(d).Unix() }
	put := func(name string, v any) func(*world, jwt.MapClaims) {
		return func(_ *world, c jwt.MapClaims) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	later := func(name string, d time.Duration) func(*world, jwt.MapClaims) {
		return func(w *world, c jwt.MapClaims) { c[name] = unix(w.now(), d) }
	}
	bearer := func(w *world, c jwt.MapClaims) string { return "Bearer " + w.idp.Key().Sign(c) }
	tests := []struct {
		name   string
		claims func(*world, jwt.MapClaims)
		header func(*world, jwt.MapClaims) string
		body   func(*world) []byte
		want   int
	}{
		{name: "a good token", want: 200},
		{name: "the scheme in small letters", header: func(w *world, c jwt.MapClaims) string { return "bearer " + w.idp.Key().Sign(c) }, want: 200},
		{name: "no header", header: func(*world, jwt.MapClaims) string { return "" }, want: 403},
		{name: "a token without a scheme", header: func(w *world, c jwt.MapClaims) string { return w.idp.Key().Sign(c) }, want: 403},
		{name: "another scheme", header: func(*world, jwt.MapClaims) string { return "Basic YTpi" }, want: 403},
		{name: "a word that is no token", header: func(*world, jwt.MapClaims) string { return "Bearer x" }, want: 403},
		{name: "for another bot", claims: put("aud", "00000000-0000-4000-8000-00000000bad0"), want: 403},
		{name: "for several, us among them", claims: put("aud", []string{"other", teamstest.AppID}), want: 200},
		{name: "for nobody", claims: put("aud", nil), want: 403},
		{name: "of another issuer", claims: put("iss", "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"), want: 403},
		{name: "without an end", claims: put("exp", nil), want: 403},
		{name: "over for 4 minutes", claims: later("exp", -4*time.Minute), want: 200},
		{name: "over for 6 minutes", claims: later("exp", -6*time.Minute), want: 403},
		{name: "good in 6 minutes", claims: later("nbf", 6*time.Minute), want: 403},
		{name: "of another service", claims: put("serviceurl", "https://smba.trafficmanager.net/emea/"), want: 403},
		{name: "without a service", claims: put("serviceurl", nil), want: 403},
		{name: "of a service that is a number", claims: put("serviceurl", 7), want: 403},
		{name: "of the service without its last slash", claims: func(w *world, c jwt.MapClaims) { c["serviceurl"] = w.service.URL }, want: 200},
		{name: "signed by a key that is not published", header: func(w *world, c jwt.MapClaims) string {
			return "Bearer " + teamstest.NewKey(t, 1, "unpublished").Sign(c)
		}, want: 403},
		{name: "signed by another key under the name of a published one", header: func(w *world, c jwt.MapClaims) string {
			return "Bearer " + teamstest.NewKey(t, 1, w.idp.Key().ID).Sign(c)
		}, want: 403},
		{name: "signed by a key for other channels", header: func(w *world, c jwt.MapClaims) string {
			k := teamstest.NewKey(t, 1, "facebook", "facebook", "webchat")
			w.idp.Rotate(w.idp.Key(), k)
			return "Bearer " + k.Sign(c)
		}, want: 403},
		{name: "signed by nothing", header: func(w *world, c jwt.MapClaims) string {
			return "Bearer " + w.idp.Key().SignBy(jwt.SigningMethodNone, c)
		}, want: 403},
		{name: "signed with the public key as a secret", header: func(w *world, c jwt.MapClaims) string {
			return "Bearer " + w.idp.Key().SignBy(jwt.SigningMethodHS256, c)
		}, want: 403},
		{name: "signed by RS512", header: func(w *world, c jwt.MapClaims) string {
			return "Bearer " + w.idp.Key().SignBy(jwt.SigningMethodRS512, c)
		}, want: 403},
		{name: "cut off", header: func(w *world, c jwt.MapClaims) string { return strings.TrimRight(bearer(w, c), "=")[:200] + ".x.y" }, want: 403},
		{name: "another channel in the activity", body: func(w *world) []byte { return w.message("hi").With("channelId", "facebook").JSON() }, want: 403},
		{name: "a body that is no JSON", body: func(*world) []byte { return []byte("register Acme") }, want: 400},
		{name: "a body that is a list", body: func(*world) []byte { return []byte("[]") }, want: 400},
		{name: "a body of more than 256 KiB", body: func(w *world) []byte { return w.message(strings.Repeat("x", 256<<10)).JSON() }, want: 413},
		{name: "no conversation", body: func(w *world) []byte {
			return w.message("hi").With("conversation", nil).With("channelData", teamstest.Activity{"tenant": teamstest.Activity{"id": teamstest.Tenant}}).JSON()
		}, want: 400},
		{name: "a tenant that is not let in", body: func(w *world) []byte { return w.message("hi").In("bbbbbbbb-0000-4000-8000-000000000002").JSON() }, want: 403},
		{name: "no tenant", body: func(w *world) []byte { return w.message("hi").In("").JSON() }, want: 403},
		{name: "a value that is no object", body: func(w *world) []byte { return w.message("hi").With("value", "text").JSON() }, want: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			c := w.claims()
			if tt.claims != nil {
				tt.claims(w, c)
			}
			if tt.header == nil {
				tt.header = bearer
			}
			body := w.message("hi").JSON()
			if tt.body != nil {
				body = tt.body(w)
			}
			if got := w.status(t, teamstest.Request(t, "http://bot.example", body, tt.header(w, c))); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestWhatIsNoTokenCausesNoRequestAtAll(t *testing.T) {
	w := open(t)
	for _, header := range []string{"", "x", "Bearer x", "Bearer a.b.c", "Basic x"} {
		w.status(t, teamstest.Request(t, "http://bot.example", w.message("hi").JSON(), header))
	}
	if n := w.idp.Fetched("metadata"); n != 0 {
		t.Errorf("%d requests for the metadata, want none", n)
	}
}

func TestABotWithoutAnAppIDDoesNotStart(t *testing.T) {
	good := connector.Options{AppID: "x", Secret: "y", Tenant: "z", Admit: func(context.Context, string) (bool, error) { return true, nil }}
	if _, err := connector.New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*connector.Options){
		"no app id": func(o *connector.Options) { o.AppID = "" }, "a blank app id": func(o *connector.Options) { o.AppID = "  " },
		"no secret": func(o *connector.Options) { o.Secret = "" }, "no tenant": func(o *connector.Options) { o.Tenant = "" },
		"nobody to say who is let in": func(o *connector.Options) { o.Admit = nil },
	} {
		o := good
		spoil(&o)
		if _, err := connector.New(o); err == nil {
			t.Errorf("%s: a connector was made", name)
		}
	}
}

func TestANewKeyIsGoodAMinuteAfterItsFirstTokenAtTheLatest(t *testing.T) {
	w := open(t)
	send := func(k *teamstest.Key) int {
		return w.status(t, teamstest.Request(t, "http://bot.example", w.message("hi").JSON(), "Bearer "+k.Sign(w.claims())))
	}
	first, second := w.idp.Key(), teamstest.NewKey(t, 1, "two", "msteams")
	if got := send(first); got != 200 {
		t.Fatalf("the first key: %d", got)
	}
	w.idp.Rotate(second)
	if got := send(second); got != 403 {
		t.Errorf("the new key at once: %d, want 403", got)
	}
	for i := range 50 {
		send(teamstest.NewKey(t, 1, fmt.Sprint("made-up-", i)))
	}
	if n := w.idp.Fetched("keys"); n != 1 {
		t.Errorf("the keys were fetched %d times, want once", n)
	}
	w.pass(61 * time.Second)
	if got := send(second); got != 200 {
		t.Errorf("the new key after a minute: %d, want 200", got)
	}
	if got := send(first); got != 403 {
		t.Errorf("the key that was withdrawn: %d, want 403", got)
	}
}

func TestKnownKeysAreGoodForDaysWhileTheirHostIsDown(t *testing.T) {
	w := open(t)
	send := func() int { return w.status(t, w.idp.Request(t, "http://bot.example", w.message("hi"), w.now())) }
	if got := send(); got != 200 {
		t.Fatalf("at first: %d", got)
	}
	w.idp.Down(true)
	w.pass(25 * time.Hour)
	for range 3 {
		if got := send(); got != 200 {
			t.Errorf("a day later, with the host down: %d, want 200", got)
		}
	}
	w.pass(4 * 24 * time.Hour)
	if got := send(); got != 503 {
		t.Errorf("after five days: %d, want 503", got)
	}
	if age, err := w.Keys(); err == nil || age < 5*24*time.Hour {
		t.Errorf("the health says that the keys are %v old, %v", age, err)
	}
	w.idp.Down(false)
	w.pass(11 * time.Second)
	if got := send(); got != 200 {
		t.Errorf("with the host back: %d, want 200", got)
	}
}

func TestNothingIsDecidedWithoutKeys(t *testing.T) {
	w := open(t)
	w.idp.Down(true)
	if got := w.status(t, w.idp.Request(t, "http://bot.example", w.message("hi"), w.now())); got != 503 {
		t.Errorf("%d, want 503", got)
	}
}

func TestFiftyActivitiesAtOnceFetchKeysAndTokenOnce(t *testing.T) {
	w := open(t)
	var wg sync.WaitGroup
	for i := range 50 {
		req := w.idp.Request(t, "http://bot.example", w.message(fmt.Sprint("hi ", i)), w.now())
		wg.Go(func() {
			a, err := w.Read(httptest.NewRecorder(), req)
			if err != nil {
				t.Errorf("read: %v", err)
				return
			}
			if _, err := w.Send(context.Background(), a.Reference(), connector.Outgoing{Text: a.Said(), ReplyTo: a.ID}); err != nil {
				t.Errorf("send: %v", err)
			}
		})
	}
	wg.Wait()
	for what, want := range map[string]int{"metadata": 1, "keys": 1, "token": 1} {
		if n := w.idp.Fetched(what); n != want {
			t.Errorf("%s was fetched %d times, want %d", what, n, want)
		}
	}
	if n := len(w.service.Sent()); n != 50 {
		t.Errorf("%d answers arrived, want 50", n)
	}
}

// reference is a place to write to.
func (w *world) reference() connector.Reference {
	return connector.Reference{ServiceURL: w.service.URL + "/", Tenant: teamstest.Tenant, Conversation: "19:a/b@thread.tacv2;messageid=1", Kind: "channel", Bot: "28:" + teamstest.AppID, User: "29:ana"}
}

func TestTheTokenOfTheBotGoesToMicrosoftAlone(t *testing.T) {
	w := open(t)
	for _, url := range []string{
		"https://x.trafficmanager.net/", "http://smba.trafficmanager.net/emea/", "http://169.254.169.254/latest", "https://smba.trafficmanager.net.evil.example/",
		"https://evil.example/?x=.botframework.com", "https://botframework.com/", "https://evilbotframework.com", "https://smba.trafficmanager.net:8443/", "https://smba.trafficmanager.net@evil.example/",
		"https://evil.example#.teams.microsoft.com", "", "//smba.trafficmanager.net/", "file:///etc/passwd", "https://localhost.evil.example",
	} {
		signed := w.idp.Request(t, "http://bot.example", w.message("hi").With("serviceUrl", url), w.now())
		if got := w.status(t, signed); got == 200 {
			t.Errorf("%q: let in", url)
		}
		ref := w.reference()
		ref.ServiceURL = url
		if w.MayStore(ref) {
			t.Errorf("%q: may be stored", url)
		}
		if _, err := w.Send(t.Context(), ref, connector.Outgoing{Text: "hi"}); !errors.Is(err, connector.ErrHost) {
			t.Errorf("%q: sent with %v", url, err)
		}
	}
	for _, url := range []string{
		"https://smba.trafficmanager.net/emea/aaaaaaaa-0000-4000-8000-000000000001/", "https://SMBA.trafficmanager.net", "https://europe.api.botframework.com/",
		"https://smba.infra.gcc.teams.microsoft.com/gcc", "https://smba.infra.gov.teams.microsoft.us/gov",
	} {
		ref := w.reference()
		ref.ServiceURL = url
		if !w.MayStore(ref) {
			t.Errorf("%q: may not be stored", url)
		}
	}
	if n := w.idp.Fetched("token"); n != 0 {
		t.Errorf("%d tokens were asked for, want none", n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	w := open(t)
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a stranger was shown %q", r.Header.Get("Authorization"))
	}))
	defer stranger.Close()
	w.service.Fail(http.StatusTemporaryRedirect, "", "Location", stranger.URL)
	if _, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "hi"}); err == nil {
		t.Error("no error")
	}
}

func TestWithoutATokenNothingIsSentAndNoSecretIsTold(t *testing.T) {
	for name, spoil := range map[string]func(*testing.T, *world, context.CancelFunc){
		"refused":     func(_ *testing.T, w *world, _ context.CancelFunc) { w.idp.RefuseTokens(http.StatusUnauthorized) },
		"down":        func(_ *testing.T, w *world, _ context.CancelFunc) { w.idp.RefuseTokens(http.StatusBadGateway) },
		"unreachable": func(_ *testing.T, w *world, _ context.CancelFunc) { w.idp.Close() },
		"silent": func(t *testing.T, w *world, cancel context.CancelFunc) {
			t.Cleanup(w.idp.HoldTokens())
			cancel()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			spoil(t, w, cancel)
			_, err := w.Send(ctx, w.reference(), connector.Outgoing{Text: "hi"})
			if err == nil || intake.IsPermanent(err) || strings.Contains(err.Error(), teamstest.Secret) {
				t.Errorf("the error is %v; want one that is tried again and holds no secret", err)
			}
			if n := len(w.service.Sent()); n != 0 {
				t.Errorf("%d were sent", n)
			}
		})
	}
}

func TestWhatFollowsFromAnAnswerOfTheService(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header []string
		check  func(t *testing.T, err error)
	}{
		{"a precondition failed", 412, nil, comesBack(4*time.Second, 6*time.Second)},
		{"too many, with a time", 429, []string{"Retry-After", "20"}, comesBack(20*time.Second, 30*time.Second)},
		{"too many, with a date", 429, []string{"Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"}, comesBack(4*time.Second, 6*time.Second)},
		{"a fault of the service", 500, nil, comesBack(4*time.Second, 6*time.Second)},
		{"a bad gateway", 502, nil, comesBack(4*time.Second, 6*time.Second)},
		{"a gateway that took too long", 504, nil, comesBack(4*time.Second, 6*time.Second)},
		{"a bot that was removed", 403, nil, gone},
		{"a conversation that is not there", 404, nil, gone},
		{"a card that is too large", 413, nil, func(t *testing.T, err error) {
			if !intake.IsPermanent(err) || errors.Is(err, connector.ErrGone) {
				t.Errorf("%v, want one for good", err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			w.service.Fail(tt.status, "SomeCode", tt.header...)
			_, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "hi"})
			tt.check(t, err)
			if _, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "hi"}); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
	t.Run("a token that is refused is replaced", func(t *testing.T) {
		w := open(t)
		w.service.Fail(401, "")
		if _, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "hi"}); err == nil {
			t.Error("no error")
		}
		if _, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "hi"}); err != nil || w.service.Sent()[0].Token != "bot-token-2" {
			t.Errorf("again: %v, %v", err, w.service.Sent())
		}
	})
}

func comesBack(from, to time.Duration) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		t.Helper()
		if d, ok := intake.RetryDelay(err); !ok || d < from || d > to {
			t.Errorf("%v after %v, %v; want after %v to %v", err, d, ok, from, to)
		}
	}
}

func gone(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, connector.ErrGone) {
		t.Errorf("%v, want %v", err, connector.ErrGone)
	}
}

func TestAMessageIsSentAndThenReplacedUnderItsID(t *testing.T) {
	w := open(t)
	card := json.RawMessage(`{"type":"AdaptiveCard","version":"1.5","body":[],"msteams":{},"empty":{"at":"0001-01-01T00:00:00Z"}}`)
	id, err := w.Send(t.Context(), w.reference(), connector.Outgoing{Text: "in words", Card: card, ReplyTo: "1:before"})
	if err != nil || id == "" {
		t.Fatalf("sent as %q, %v", id, err)
	}
	if err := w.Update(t.Context(), w.reference(), id, connector.Outgoing{Text: "new words"}); err != nil {
		t.Fatal(err)
	}
	sent := w.service.Sent()
	if len(sent) != 2 || sent[1].Method != http.MethodPut || sent[1].ID != id || sent[1].Conversation != w.reference().Conversation {
		t.Fatalf("%+v", sent)
	}
	if sent[0].Token != "bot-token-1" {
		t.Errorf("with the token %q", sent[0].Token)
	}
	if got := string(sent[0].Card()); got != string(card) {
		t.Errorf("the card is %s, want it as it was", got)
	}
	var first, second map[string]any
	if err := errors.Join(json.Unmarshal(sent[0].Body, &first), json.Unmarshal(sent[1].Body, &second)); err != nil {
		t.Fatal(err)
	}
	if first["replyToId"] != "1:before" || first["summary"] != "in words" || second["text"] != "new words" {
		t.Errorf("%v, %v", first, second)
	}
	for _, members := range []map[string]any{first, second} {
		for _, empty := range []string{"timestamp", "localTimestamp", "expiration", "relatesTo", "semanticAction", "suggestedActions"} {
			if v, there := members[empty]; there {
				t.Errorf("%s is sent as %v", empty, v)
			}
		}
		conversation, _ := members["conversation"].(map[string]any)
		recipient, _ := members["recipient"].(map[string]any)
		from, _ := members["from"].(map[string]any)
		if conversation["id"] != w.reference().Conversation || from["id"] != w.reference().Bot || recipient["id"] != "29:ana" {
			t.Errorf("from %v to %v in %v", from, recipient, conversation)
		}
		delete(members, "attachments")
		for name := range maps.Keys(members) {
			if b, _ := json.Marshal(members[name]); strings.Contains(string(b), "0001-01-01") || string(b) == "{}" {
				t.Errorf("%s is sent as %s", name, b)
			}
		}
	}
}

func TestWhatWasSaidIsWithoutTheNameOfTheBot(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"before", "<at>Leadgate</at> register Acme", "register Acme"},
		{"behind", "register Acme <at>Leadgate</at>", "register Acme"},
		{"twice, with a hard space", "<at>Leadgate</at>&nbsp;register <at>Leadgate</at>", "register"},
		{"another person", "<at>Leadgate</at> register Acme for <at>Bo</at>", "register Acme for Bo"},
		{"markup", "<p><at>Leadgate</at> register <b>Acme &amp; Söhne</b></p><br>next", "register Acme & Söhne\n\nnext"},
		{"an address in angle brackets", "register Acme Jane <jane@acme.example>", "register Acme Jane <jane@acme.example>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			m := w.message("").InChannel().With("text", tt.text)
			a, err := w.Read(httptest.NewRecorder(), w.idp.Request(t, "http://bot.example", m, w.now()))
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Said(); got != tt.want || !a.Mentioned() {
				t.Errorf("%q, mentioned %v; want %q", got, a.Mentioned(), tt.want)
			}
		})
	}
}

func TestAMemberIsAskedFor(t *testing.T) {
	w := open(t)
	w.service.Person("29:ana", map[string]string{"email": "ana@brightpath.example", "tenantId": teamstest.Tenant})
	m, err := w.Member(t.Context(), w.reference(), "29:ana")
	if err != nil || m.Email != "ana@brightpath.example" || m.Tenant != teamstest.Tenant {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := w.Member(t.Context(), w.reference(), "29:bo"); !errors.Is(err, connector.ErrGone) {
		t.Errorf("who is not there: %v", err)
	}
}
