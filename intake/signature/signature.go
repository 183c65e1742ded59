// Package signature proves that a request was made by who says so, by the schemes in which programs
// sign the calls that they make: those of HubSpot, Calendly and Standard Webhooks, one of our own,
// and a bare secret. It refuses what is too old, and what could be read in two ways.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Scheme says how a source proves that a request is its own.
type Scheme string

// The schemes.
const (
	// SchemeLeadgate: Leadgate-Signature: t=<unix seconds>,v1=<hex>, over "<t>.<body>".
	SchemeLeadgate Scheme = "leadgate-v1"
	// SchemeHubSpot: X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp, over method, public
	// URL, body and timestamp.
	SchemeHubSpot Scheme = "hubspot-v3"
	// SchemeCalendly: Calendly-Webhook-Signature, of the form of Leadgate-Signature.
	SchemeCalendly Scheme = "calendly-v1"
	// SchemeStandard: webhook-id, webhook-timestamp and webhook-signature, as on
	// standardwebhooks.com.
	SchemeStandard Scheme = "standardwebhooks"
	// SchemeBearer: the secret itself, in Authorization: Bearer or in a header of its own. It
	// proves nothing about the body, and not when the request was made.
	SchemeBearer Scheme = "bearer"
)

// Schemes is the full set.
func Schemes() []Scheme {
	return []Scheme{SchemeLeadgate, SchemeHubSpot, SchemeCalendly, SchemeStandard, SchemeBearer}
}

// Request is what is signed.
type Request struct {
	Method, URL string // as the world calls it
	Header      http.Header
	Body        []byte
}

// Verifier checks requests of one scheme.
type Verifier struct {
	// stamp returns the time as it was signed; nil if none is.
	stamp func(http.Header) string
	unit  time.Duration
	// given returns the signatures, decoded; one of them has to be good.
	given func(http.Header) [][]byte
	// signed returns the pieces over which the MAC goes. Without it given holds the secret.
	signed func(r Request, stamp string) [][]byte
	// key makes the key of a secret; the secret's bytes if nil.
	key func(secret string) ([]byte, error)
	// Tolerance is how old a signature may be, if nobody says otherwise.
	Tolerance time.Duration
	// Relays says that the source passes on what visitors have typed, and stops for good if it
	// is refused too often.
	Relays bool
}

// Of returns the verifier of a scheme. That of SchemeBearer has a header to choose; see Bearer.
func Of(s Scheme) Verifier { return verifiers[s] }

var verifiers = map[Scheme]Verifier{
	SchemeLeadgate: stamped("Leadgate-Signature", 5*time.Minute, false),
	SchemeCalendly: stamped("Calendly-Webhook-Signature", 3*time.Minute, true),
	SchemeHubSpot: {
		stamp: func(h http.Header) string { return only(h, "X-HubSpot-Request-Timestamp") },
		unit:  time.Millisecond,
		given: func(h http.Header) [][]byte { return decoded(base64.StdEncoding, only(h, "X-HubSpot-Signature-v3")) },
		signed: func(r Request, stamp string) [][]byte {
			return [][]byte{[]byte(r.Method), []byte(plainURL.Replace(r.URL)), r.Body, []byte(stamp)}
		},
		Tolerance: 5 * time.Minute, Relays: true,
	},
	SchemeStandard: {
		stamp: func(h http.Header) string { return only(h, "Webhook-Timestamp") },
		unit:  time.Second,
		given: func(h http.Header) [][]byte {
			var all [][]byte
			for _, s := range strings.Fields(only(h, "Webhook-Signature")) {
				if sig, ok := strings.CutPrefix(s, "v1,"); ok && len(all) < maxSignatures {
					all = append(all, decoded(base64.StdEncoding, sig)...)
				}
			}
			return all
		},
		signed: func(r Request, stamp string) [][]byte {
			return [][]byte{[]byte(only(r.Header, "Webhook-Id") + "." + stamp + "."), r.Body}
		},
		key:       StandardKey,
		Tolerance: 5 * time.Minute,
	},
	SchemeBearer: {},
}

// maxSignatures is how many signatures of a request are looked at.
const maxSignatures = 8

// future is how far ahead of ours a clock may be.
const future = time.Minute

// stamped is the scheme "t=<unix seconds>,v1=<hex>,v1=…" over "<t>.<body>".
func stamped(header string, tolerance time.Duration, relays bool) Verifier {
	return Verifier{
		stamp: func(h http.Header) string {
			t := values(only(h, header), "t")
			if len(t) != 1 {
				return ""
			}
			return t[0]
		},
		unit: time.Second,
		given: func(h http.Header) [][]byte {
			var all [][]byte
			for _, s := range values(only(h, header), "v1") {
				if sig, err := hex.DecodeString(s); err == nil && len(all) < maxSignatures {
					all = append(all, sig)
				}
			}
			return all
		},
		signed: func(r Request, stamp string) [][]byte { return [][]byte{[]byte(stamp + "."), r.Body} },

		Tolerance: tolerance, Relays: relays,
	}
}

// Why a request is refused; for the log alone.
var (
	ErrUnsigned  = errors.New("it bears no signature of the scheme")
	ErrTimestamp = errors.New("its timestamp is missing, or is no number")
	ErrOld       = errors.New("it is older than the tolerance, or from the future")
	ErrSignature = errors.New("no signature is good for any of the secrets")
)

// Verify checks a request against the secrets of a source at a time.
func (s Verifier) Verify(r Request, secrets []string, tolerance time.Duration, now time.Time) error {
	given := s.given(r.Header)
	if len(given) == 0 {
		return ErrUnsigned
	}
	stamp := ""
	if s.stamp != nil {
		stamp = s.stamp(r.Header)
		at, ok := moment(stamp, s.unit)
		if !ok {
			return ErrTimestamp
		}
		if age := now.Sub(at); age > tolerance || age < -future {
			return ErrOld
		}
	}
	good := false
	for _, secret := range secrets {
		want, err := s.Sum(r, secret, stamp)
		if err != nil {
			return err
		}
		for _, sig := range given {
			good = hmac.Equal(sig, want) || good
		}
	}
	if !good {
		return ErrSignature
	}
	return nil
}

// Sum is the signature that a secret makes, or for a scheme without one the hash of the secret.
func (s Verifier) Sum(r Request, secret, stamp string) ([]byte, error) {
	if s.signed == nil {
		return hashed(secret), nil
	}
	key := []byte(secret)
	if s.key != nil {
		var err error
		if key, err = s.key(secret); err != nil {
			return nil, err
		}
	}
	mac := hmac.New(sha256.New, key)
	for _, piece := range s.signed(r, stamp) {
		mac.Write(piece)
	}
	return mac.Sum(nil), nil
}

// hashed has secrets of any length compared in the same time.
func hashed(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Bearer is the verifier of a secret in a header.
func Bearer(header string) Verifier {
	if header == "" {
		header = authorization
	}
	return Verifier{given: func(h http.Header) [][]byte {
		value := only(h, header)
		if header == authorization {
			kind, token, _ := strings.Cut(value, " ")
			if !strings.EqualFold(kind, "Bearer") {
				return nil
			}
			value = strings.TrimSpace(token)
		}
		if value == "" {
			return nil
		}
		return [][]byte{hashed(value)}
	}}
}

// authorization is the header that has a kind before the secret.
const authorization = "Authorization"

// only is the value of a header that is there once; "" for one that is there twice.
func only(h http.Header, name string) string {
	if v := h.Values(name); len(v) == 1 {
		return v[0]
	}
	return ""
}

// values are those of a name in a list "a=1,b=2,b=3".
func values(list, name string) []string {
	var all []string
	for pair := range strings.SplitSeq(list, ",") {
		if key, v, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && key == name {
			all = append(all, v)
		}
	}
	return all
}

func decoded(e *base64.Encoding, s string) [][]byte {
	b, err := e.Strict().DecodeString(s)
	if err != nil || len(b) == 0 {
		return nil
	}
	return [][]byte{b}
}

// moment reads a time in whole units since 1970.
func moment(s string, unit time.Duration) (time.Time, bool) {
	if s == "" || len(s) > 15 || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	if unit == time.Millisecond {
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}

// plainURL undoes the escapes that HubSpot undoes before it signs a URL, and no others.
var plainURL = strings.NewReplacer(
	"%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'",
	"%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";",
	"%3a", ":", "%2f", "/", "%3f", "?", "%2a", "*", "%2c", ",", "%3b", ";",
)

// StandardKey returns the key bytes of a secret "whsec_<base64>".
func StandardKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return nil, errors.New(`must begin with "whsec_"`)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New(`what follows "whsec_" is not base64 of 24 to 64 bytes`)
	}
	return key, nil
}
