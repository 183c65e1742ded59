package slackbot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is how far a request's time may be from ours, in both directions.
const tolerance = 5 * time.Minute

// Why a request is refused; for the log alone.
var (
	errUnsigned  = errors.New("it bears no signature of Slack")
	errTime      = errors.New("its time is missing, or more than five minutes away from ours")
	errSignature = errors.New("its signature is not good")
)

// proof is what makes a request Slack's, and tells it from all others.
type proof struct {
	signature string
	at        time.Time // as it was signed
}

// verify checks that a request is Slack's: X-Slack-Signature is "v0=" and the HMAC-SHA-256 of
// "v0:<X-Slack-Request-Timestamp>:<body>" in hex.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func verify(secret string, h http.Header, body []byte, now time.Time) (proof, error) {
	given := h.Values("X-Slack-Signature")
	stamps := h.Values("X-Slack-Request-Timestamp")
	if secret == "" || len(given) != 1 || len(stamps) != 1 {
		return proof{}, errUnsigned
	}
	digits, versioned := strings.CutPrefix(given[0], "v0=")
	signature, err := hex.DecodeString(digits)
	if !versioned || err != nil || len(signature) != sha256.Size {
		return proof{}, errUnsigned
	}
	seconds, err := strconv.ParseInt(stamps[0], 10, 64)
	if err != nil {
		return proof{}, errTime
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return proof{}, errTime
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamps[0] + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), signature) {
		return proof{}, errSignature
	}
	return proof{signature: hex.EncodeToString(signature), at: time.Unix(seconds, 0)}, nil
}
