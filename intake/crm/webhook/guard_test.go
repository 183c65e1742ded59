package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
	"leadgate/intake/crm/remote"
)

func TestURLs(t *testing.T) {
	for _, raw := range []string{
		"", "crm.example.com", "//crm.example.com/", "http://crm.example.com/", "ftp://crm.example.com/", "https:crm.example.com",
		"https://", "https:///path", "https://user:pw@crm.example.com/", "https://crm.example.com/#x", "https://%zz/",
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0/", "https://0x7f000001/", "https://0x7f.1/",
		"https://017700000001/", "https://10.0.0.1:8443/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/",
		"https://[::ffff:169.254.169.254]/", "https://[fe80::1%25eth0]/", "https://[fd00::1]/", "https://169.254.169.254/latest/",
		"https://localhost/", "https://LOCALHOST./", "https://crm.localhost/", "https://printer.local/",
		"https://metadata.google.internal/", "https://1.2.3.4.5/", "https://crm.example.com:99999999/", "https://192.168.0.1./",
		"javascript:alert(1)", "file:///etc/passwd", "https://\ncrm.example.com/",
	} {
		if err := (Config{Name: "hook", URL: raw, Secret: secret}).Validate(); err == nil {
			t.Errorf("%q is accepted", raw)
		}
	}
	for _, raw := range []string{
		"https://crm.example.com", "https://crm.example.com/hook?a=b", "https://crm.example.com:8443/", "https://8.8.8.8/",
		"https://[2606:2800:220:1::1]/", "https://xn--bcher-kva.example/", "https://a1.b2.example/",
	} {
		if err := (Config{Name: "hook", URL: raw, Secret: secret}).Validate(); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestAllowPrivateTakesHTTPAndLoopback(t *testing.T) {
	for raw, want := range map[string]bool{
		"http://127.0.0.1:8080/": true, "http://crm.internal/": true, "https://10.1.2.3/": true, "http://localhost/": true,
		"http://169.254.169.254/": false, "http://0/": false, "ftp://127.0.0.1/": false,
	} {
		err := Config{Name: "hook", URL: raw, Secret: secret, AllowPrivate: true}.Validate()
		if (err == nil) != want {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// target is a TLS server on the loopback interface that counts connections.
func target(t *testing.T) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var connections atomic.Int32
	ts := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ts.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.StartTLS()
	t.Cleanup(ts.Close)
	return ts, &connections
}

// TestANameThatTurnsPrivateIsNotConnectedTo asks a name server that first gives a public
// address and then the one of this host, which is how a check before connecting is evaded.
func TestANameThatTurnsPrivateIsNotConnectedTo(t *testing.T) {
	ts, connections := target(t)
	_, port, err := net.SplitHostPort(ts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1"} {
		w := connect(t, "https://crm.example.com:"+port+"/", func(c *Config) { c.AllowPrivate = false })
		dialer := remote.NewDialer(false)
		dialer.Resolver = nameServer(t, netip.MustParseAddr(answer).As4())
		transport := w.client.Transport.(*http.Transport)
		transport.DialContext = dialer.DialContext
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // the guard alone is tested
		_, err := w.Push(t.Context(), crmtest.Sample(1, 1))
		if !intake.IsPermanent(err) {
			t.Errorf("%s: %v, want a permanent error", answer, err)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// nameServer returns a resolver whose every name has the one address.
func nameServer(t *testing.T, ip [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if b, err := resolve(buf[:n], ip); err == nil {
				_, _ = conn.WriteTo(b, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func resolve(query []byte, ip [4]byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	q := m.Questions[0]
	m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions}
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
			Body:   &dnsmessage.AResource{A: ip},
		}}
	}
	return m.Pack()
}

func TestTheEnvironmentNamesNoProxy(t *testing.T) {
	ts, connections := target(t)
	t.Setenv("HTTPS_PROXY", ts.URL)
	t.Setenv("HTTP_PROXY", ts.URL)
	w, _, _ := system(t)
	if _, err := w.Push(t.Context(), crmtest.Sample(1, 1)); err != nil {
		t.Fatal(err)
	}
	if w.client.Transport.(*http.Transport).Proxy != nil || connections.Load() != 0 {
		t.Error("the proxy is used")
	}
}

func TestACertificateOfNobodyIsRefusedAndRetried(t *testing.T) {
	ts, _ := target(t)
	w := connect(t, ts.URL)
	_, err := w.Push(t.Context(), crmtest.Sample(1, 1))
	if err == nil || intake.IsPermanent(err) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
}
