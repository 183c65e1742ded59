package remote

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/intake"
)

// called is a server that counts calls, and a client of it with rates.
func called(t *testing.T, rates map[string]Rate) (*Client, *atomic.Int32) {
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	c := NewClient(Options{Base: server.URL, AllowPrivate: true, Rates: rates})
	t.Cleanup(func() {
		_ = c.Close()
		server.Close()
	})
	return c, &n
}

func TestCallsAreMadeAtTheRateOfTheirBucket(t *testing.T) {
	c, n := called(t, map[string]Rate{"slow": {PerSecond: 50, Burst: 2}, "other": {PerSecond: 1, Burst: 5}})
	began := time.Now()
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if _, err := c.Do(t.Context(), Call{Method: http.MethodGet, Bucket: "slow"}); err != nil {
				t.Error(err)
			}
		})
	}
	for range 5 { // those of another bucket, and of none, do not count
		for _, bucket := range []string{"other", ""} {
			if _, err := c.Do(t.Context(), Call{Method: http.MethodGet, Bucket: bucket}); err != nil {
				t.Error(err)
			}
		}
	}
	all.Wait()
	if took := time.Since(began); took < 200*time.Millisecond || n.Load() != 22 {
		t.Errorf("%d calls took %v", n.Load(), took)
	}
}

func TestACallThatWouldWaitForLongIsPutOff(t *testing.T) {
	c, n := called(t, map[string]Rate{"slow": {PerSecond: 0.01, Burst: 1}})
	for i := range 4 {
		_, err := c.Do(t.Context(), Call{Method: http.MethodGet, Bucket: "slow"})
		d, later := intake.RetryDelay(err)
		if i == 0 && err != nil || i > 0 && (!later || d < 90*time.Second || d > 100*time.Second) {
			t.Errorf("call %d: put off by %v, %v", i+1, d, err)
		}
	}
	if n.Load() != 1 {
		t.Errorf("%d calls were made", n.Load())
	}
}

func TestAWaitingCallThatIsCancelledTakesNoTurn(t *testing.T) {
	c, n := called(t, map[string]Rate{"slow": {PerSecond: 10, Burst: 1}})
	if _, err := c.Do(t.Context(), Call{Method: http.MethodGet, Bucket: "slow"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, Call{Method: http.MethodGet, Bucket: "slow"}); err == nil {
		t.Error("no error")
	}
	if n.Load() != 1 {
		t.Errorf("%d calls were made", n.Load())
	}
}

func TestACallWithoutTheTimeToWaitIsPutOffAtOnce(t *testing.T) {
	c, n := called(t, map[string]Rate{"slow": {PerSecond: 0.2, Burst: 1}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	began := time.Now()
	for i := range 3 {
		_, err := c.Do(ctx, Call{Method: http.MethodGet, Bucket: "slow"})
		if d, later := intake.RetryDelay(err); i > 0 && (!later || d > 5*time.Second) {
			t.Errorf("call %d: put off by %v, %v", i+1, d, err)
		}
	}
	if time.Since(began) > 2*time.Second || n.Load() != 1 {
		t.Errorf("%d calls took %v", n.Load(), time.Since(began))
	}
}
