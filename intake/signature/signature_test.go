package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "a-secret-of-a-test-0123"

// mac is what the schemes with t= and v1= sign, made without the code under test.
func mac(secret, t string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "%s.%s", t, body)
	return hex.EncodeToString(m.Sum(nil))
}

func headers(pairs ...string) http.Header {
	h := make(http.Header)
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// vector is a request that is good, under its scheme.
type vector struct {
	scheme Scheme
	secret string
	at     time.Time // when it was signed
	r      Request
}

// vectors are one for each scheme, and those that HubSpot has published in its libraries.
func vectors(t *testing.T) map[string]vector {
	t.Helper()
	at := time.Unix(1795404000, 0)
	body := []byte(`{"company":"Müller GmbH – ☂"}`)
	stamp := fmt.Sprint(at.Unix())
	wh, err := standardwebhooks.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	standard, err := wh.Sign("msg_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	hubspot := func(ms int64, url, body, sig, secret string) vector {
		return vector{SchemeHubSpot, secret, time.UnixMilli(ms), Request{
			Method: "POST", URL: url, Body: []byte(body),
			Header: headers("X-HubSpot-Signature-v3", sig, "X-HubSpot-Request-Timestamp", fmt.Sprint(ms)),
		}}
	}
	const published, uri, example = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "https://www.example.com/webhook_uri", `{'example_field':'example_value'}`
	return map[string]vector{
		"leadgate-v1": {SchemeLeadgate, secret, at, Request{
			Method: "POST", Body: body, Header: headers("Leadgate-Signature", "t="+stamp+",v1="+mac(secret, stamp, body)),
		}},
		"leadgate-v1 with several signatures": {SchemeLeadgate, secret, at, Request{
			Method: "POST", Body: body, Header: headers("Leadgate-Signature", "t="+stamp+",v1=00ff,v0=zz, v1="+mac(secret, stamp, body)),
		}},
		"calendly-v1": {SchemeCalendly, secret, at, Request{
			Method: "POST", Body: body, Header: headers("Calendly-Webhook-Signature", "t="+stamp+",v1="+mac(secret, stamp, body)),
		}},
		"standardwebhooks, signed by their own library": {SchemeStandard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", at, Request{
			Method: "POST", Body: body, Header: headers("webhook-id", "msg_1", "webhook-timestamp", stamp, "webhook-signature", "v1a,AAAA "+standard),
		}},
		"hubspot-v3, as in HubSpot's Python library": hubspot(1693657560000, uri, example, "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=", published),
		"hubspot-v3, as in HubSpot's Ruby library":   hubspot(1700000300000, uri, example, "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw=", published),
		"hubspot-v3, made by HubSpot's Node library": hubspot(1795404000000, "https://gateway.example/hooks/hubspot", `[{"name":"Müller GmbH – ☂"}]`, "x4LcNthH+GtXvFfrfdehcJKyfbr3jZgOLRyUreMWv0E=", "leadgate-test-secret"),
		"hubspot-v3, with a query":                   hubspot(1795404000000, "https://gateway.example/hooks/hubspot?tenant=a", `[]`, "RlPYDNOTEhuKBxse8EBPKjCmQG+LFGTd+SiDrqpV0jg=", "leadgate-test-secret"),
	}
}

func TestASignatureIsGoodForItsBodyItsTimeAndItsSecretAlone(t *testing.T) {
	for name, v := range vectors(t) {
		s := verifiers[v.scheme]
		check := func(r Request, now time.Time, secrets ...string) error { return s.Verify(r, secrets, s.Tolerance, now) }
		for _, c := range []struct {
			name string
			err  error
			want error
		}{
			{"as it was signed", check(v.r, v.at, v.secret), nil},
			{"the new one of two secrets", check(v.r, v.at, v.secret, other(v.scheme)), nil},
			{"the old one of two secrets", check(v.r, v.at, other(v.scheme), v.secret), nil},
			{"another secret", check(v.r, v.at, other(v.scheme)), ErrSignature},
			{"an altered body", check(altered(v.r, func(r *Request) { r.Body = append(bytes.Clone(r.Body), ' ') }), v.at, v.secret), ErrSignature},
			{"at the end of the tolerance", check(v.r, v.at.Add(s.Tolerance), v.secret), nil},
			{"a second too old", check(v.r, v.at.Add(s.Tolerance+time.Second), v.secret), ErrOld},
			{"from a clock that is a little ahead", check(v.r, v.at.Add(-future), v.secret), nil},
			{"from the future", check(v.r, v.at.Add(-future-time.Second), v.secret), ErrOld},
			{"without headers", check(altered(v.r, func(r *Request) { r.Header = http.Header{} }), v.at, v.secret), ErrUnsigned},
			{"with its headers twice", check(altered(v.r, func(r *Request) {
				for k := range r.Header {
					r.Header[k] = append(r.Header[k], r.Header[k]...)
				}
			}), v.at, v.secret), ErrUnsigned},
		} {
			if c.err != c.want {
				t.Errorf("%s, %s: %v, want %v", name, c.name, c.err, c.want)
			}
		}
	}
}

func other(s Scheme) string {
	if s == SchemeStandard {
		return "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	}
	return "another-secret-of-16"
}

func altered(r Request, change func(*Request)) Request {
	r.Header = r.Header.Clone()
	change(&r)
	return r
}

func TestATimestampThatCouldBeReadInTwoWaysIsRefused(t *testing.T) {
	at, body := time.Unix(1795404000, 0), []byte("{}")
	for _, stamp := range []string{"", "-1795404000", "+1795404000", "1795404000.5", " 1795404000", "0x6b03", "17954040001795404000"} {
		h := headers("Leadgate-Signature", "t="+stamp+",v1="+mac(secret, stamp, body))
		if err := verifiers[SchemeLeadgate].Verify(Request{Body: body, Header: h}, []string{secret}, time.Hour, at); err != ErrTimestamp {
			t.Errorf("%q: %v", stamp, err)
		}
	}
	two := "t=1795404000,t=1,v1=" + mac(secret, "1795404000", body)
	if err := verifiers[SchemeLeadgate].Verify(Request{Body: body, Header: headers("Leadgate-Signature", two)}, []string{secret}, time.Hour, at); err != ErrTimestamp {
		t.Errorf("two times: %v", err)
	}
}

func TestTheSignatureOfHubSpotCoversMethodAndAddress(t *testing.T) {
	v := vectors(t)["hubspot-v3, with a query"]
	s := verifiers[SchemeHubSpot]
	for name, r := range map[string]Request{
		"another method": altered(v.r, func(r *Request) { r.Method = "PUT" }),
		"another query":  altered(v.r, func(r *Request) { r.URL = "https://gateway.example/hooks/hubspot?tenant=b" }),
		"another host":   altered(v.r, func(r *Request) { r.URL = "https://evil.example/hooks/hubspot?tenant=a" }),
	} {
		if err := s.Verify(r, []string{v.secret}, s.Tolerance, v.at); err != ErrSignature {
			t.Errorf("%s: %v", name, err)
		}
	}
	escaped := altered(v.r, func(r *Request) { r.URL = "https%3A%2F%2Fgateway.example/hooks/hubspot%3Ftenant=a" })
	if err := s.Verify(escaped, []string{v.secret}, s.Tolerance, v.at); err != nil {
		t.Errorf("escapes that HubSpot undoes: %v", err)
	}
}

func TestABearerSecretIsTheWholeValueOfItsHeader(t *testing.T) {
	for _, c := range []struct {
		name, header, in, value string
		want                    error
	}{
		{"as a bearer token", "", "Authorization", "Bearer " + secret, nil},
		{"the kind in lower case", "", "Authorization", "bearer " + secret, nil},
		{"another kind", "", "Authorization", "Basic " + secret, ErrUnsigned},
		{"without a kind", "", "Authorization", secret, ErrUnsigned},
		{"a part of it", "", "Authorization", "Bearer " + secret[:10], ErrSignature},
		{"more than it", "", "Authorization", "Bearer " + secret + "0", ErrSignature},
		{"nothing", "", "Authorization", "Bearer ", ErrUnsigned},
		{"in a header of its own", "X-Api-Key", "X-Api-Key", secret, nil},
		{"in another header", "X-Api-Key", "Authorization", "Bearer " + secret, ErrUnsigned},
	} {
		if err := Bearer(c.header).Verify(Request{Header: headers(c.in, c.value)}, []string{secret}, 0, time.Now()); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestEverySchemeHasARow: and what it needs to be of use.
func TestEverySchemeHasARow(t *testing.T) {
	for _, name := range Schemes() {
		s, ok := verifiers[name]
		if !ok || name != SchemeBearer && (s.given == nil || s.signed == nil || s.stamp == nil || s.Tolerance == 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if len(verifiers) != len(Schemes()) {
		t.Errorf("%d rows for %d schemes", len(verifiers), len(Schemes()))
	}
}
