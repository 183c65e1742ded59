package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxHeader     = 64 << 10
	maxRetryAfter = 24 * time.Hour
)

// NewHTTPClient returns the client with which connectors call: it connects to public addresses
// alone, unless allowPrivate is set, takes no proxy from the environment and follows no redirect.
func NewHTTPClient(allowPrivate bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // one from the environment would get around the guard
			DialContext:            NewDialer(allowPrivate).DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true, // so that a bound holds for what is read
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NetworkError says why there was no answer. The outcome is in doubt, so it is retried,
// unless the address is one that we do not connect to. What the peer sent is not repeated.
func NetworkError(ctx context.Context, err error) error {
	if refused := guardError(err); refused != nil {
		return refused
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &name):
		return fmt.Errorf("the name of the host %s cannot be resolved", name.Name)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the host is not valid: %w", certificate.Err)
	case errors.As(err, &network) && network.Addr != nil:
		return fmt.Errorf("no answer from %s: %w", network.Addr, network.Err)
	case errors.As(err, &network):
		return fmt.Errorf("no answer: %s: %w", network.Op, network.Err)
	default:
		return errors.New("the connection broke before there was an answer")
	}
}

// RetryAfter reads the header Retry-After, in seconds or as a date, and bounds it to a day.
func RetryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n > int64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}
