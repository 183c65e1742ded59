package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/channels/mailbox"
	"leadgate/channels/pages/pagestest"
	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pagestest.M{M: m}) }

func testConfig(dir string) config.Config {
	c := config.Default()
	c.Program, c.Data, c.Admin.Listen = "Vendor", dir, "127.0.0.1:0"
	c.Policy.Contact = rules.Contact{Name: "Mia", Email: "mia@vendor.example"}
	c.Mailboxes = []mailbox.Config{{
		Name: "partners", Address: "partners@vendor.example", Outbox: filepath.Join(dir, "outbox"),
		Direct: &mailbox.Direct{Listen: "127.0.0.1:0"},
	}}
	return c
}

func open(t *testing.T, c config.Config) *App {
	t.Helper()
	a, err := Open(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// run runs a until the returned function is called, which returns what Run did.
func run(t *testing.T, a *App) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	select {
	case <-a.Ready():
	case err := <-done:
		cancel()
		t.Fatalf("Run: %v", err)
	}
	return func() error { cancel(); return <-done }
}

func TestAGatewayStopsInOrderAndLeavesNothingBehind(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	c := testConfig(t.TempDir())
	a := open(t, c)
	_, page, err := a.ListenPages("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, a)
	for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/metrics": 404, "/nothing": 404} {
		resp, err := http.Get("http://" + page + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s answers %s, want %d", path, resp.Status, want)
		}
	}
	idle, err := net.Dial("tcp", a.MailAddress()) // a client that says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if err := a.store.Update(t.Context(), func(intake.Tx) error { return nil }); !errors.Is(err, intake.ErrClosed) {
		t.Errorf("the store is still open: %v", err)
	}
	if _, err := admin.Dial(filepath.Join(c.Data, SocketFile)); !errors.Is(err, admin.ErrNotRunning) {
		t.Errorf("the admin socket: %v", err)
	}
	again := open(t, c) // the lock is free
	if err := run(t, again)(); err != nil {
		t.Error(err)
	}
}

func TestAnAddressInUseIsToldBeforeAnythingRuns(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, set := range map[string]func(*config.Config){
		"admin": func(c *config.Config) { c.Admin.Listen = taken.Addr().String() },
		"mail":  func(c *config.Config) { c.Mailboxes[0].Direct.Listen = taken.Addr().String() },
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig(t.TempDir())
			set(&c)
			a := open(t, c)
			if err := a.Run(t.Context()); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), taken.Addr().String()) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestADirectoryTooDeepForASocketIsSaidSo(t *testing.T) {
	c := testConfig(filepath.Join(t.TempDir(), strings.Repeat("deep", 30)))
	err := open(t, c).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("Run: %v", err)
	}
}

func TestABackupWantsAnAbsolutePath(t *testing.T) {
	a := open(t, testConfig(t.TempDir()))
	client := admin.Local(a.AdminHandler())
	if _, err := client.Backup(t.Context(), "relative.db"); err == nil || !strings.Contains(err.Error(), "absolute") {
		t.Errorf("error %v", err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if res, err := client.Backup(t.Context(), path); err != nil || res.Bytes == 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestPartnersAreImportedAllOrNone(t *testing.T) {
	a := open(t, testConfig(t.TempDir()))
	client := admin.Local(a.AdminHandler())
	_, err := client.PutPartners(t.Context(), []intake.Partner{
		{ID: "good", Name: "Good", Domains: []string{"good.example"}},
		{ID: "Bad One", Name: "", Domains: []string{"gmail.com"}, Status: "asleep", Motion: "sideways"},
	})
	for _, want := range []string{"partner 2 (Bad One): id: ", "name: is missing", "mail provider", `status: "asleep"`, `motion: "sideways"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if all, err := client.Partners(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d partners, %v", len(all), err)
	}
	stored, err := client.PutPartners(t.Context(), []intake.Partner{{ID: "good", Name: "Good", Domains: []string{"GOOD.example", "good.example."}}})
	if err != nil || len(stored) != 1 || len(stored[0].Domains) != 1 {
		t.Fatalf("%+v, %v", stored, err)
	}
	if _, err := client.PutPartners(t.Context(), []intake.Partner{{ID: "other", Name: "Other", Domains: []string{"good.example"}}}); err == nil || !strings.Contains(err.Error(), "belongs to partner good") {
		t.Errorf("a domain was given to two: %v", err)
	}
	if _, err := client.PutPartners(t.Context(), []intake.Partner{{ID: "good", Name: "Good", Domains: []string{"new.example"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutPartners(t.Context(), []intake.Partner{{ID: "other", Name: "Other", Domains: []string{"good.example"}}}); err != nil {
		t.Errorf("a domain that was given up stays taken: %v", err)
	}
}

// TestMailOfAKilledProcessIsRemovedAtTheStart: and nothing that is not ours, here or elsewhere.
func TestMailOfAKilledProcessIsRemovedAtTheStart(t *testing.T) {
	c := testConfig(t.TempDir())
	spool := filepath.Join(c.Data, spoolDir)
	if err := os.Mkdir(spool, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, gone := range map[string]bool{
		filepath.Join(spool, "leadgate-mail-1"):  true,
		filepath.Join(spool, "notes"):            false,
		filepath.Join(c.Data, "leadgate-mail-1"): false,
	} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, err := os.Stat(path); os.IsNotExist(err) != gone {
				t.Errorf("%s: %v", path, err)
			}
		}()
	}
	open(t, c)
}
