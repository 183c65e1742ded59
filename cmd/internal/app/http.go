package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"leadgate/channels/api"
	"leadgate/channels/mailbox"
	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

// newEcho returns a router that survives panics, bounds bodies (but those of lists, whose page does
// so itself), numbers requests and logs what fails, without query strings.
func newEcho(log *slog.Logger) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var known *echo.HTTPError
		if !errors.As(err, &known) {
			log.Error("request failed", "path", c.Path(), "request", c.Response().Header().Get(echo.HeaderXRequestID), "err", err)
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	e.Use(middleware.RequestID(), middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: "1M", Skipper: func(c echo.Context) bool {
			return c.Path() == intake.PathImport || c.Path() == api.Base+api.PathImports
		}, // they have their own
	}))
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			log.Error("panic in a request", "path", c.Path(), "err", err, "stack", string(stack))
			return err
		},
	}))
	return e
}

// health answers probes: alive while the process serves, ready while the store takes writes
// and the gateway is not stopping. A CRM or a mail server that is down makes it neither.
func (a *App) health(e *echo.Echo) {
	e.GET("/livez", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if err := a.checkReady(c.Request().Context()); err != nil {
			a.log.Warn("not ready", "err", err)
			return c.String(http.StatusServiceUnavailable, "not ready: "+err.Error()+"\n")
		}
		return c.String(http.StatusOK, "ready\n")
	})
}

func (a *App) checkReady(ctx context.Context) error {
	select {
	case <-a.ready:
	default:
		return errors.New("starting")
	}
	if a.metrics.stopping.Load() {
		return errors.New("stopping")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return a.store.Update(ctx, func(tx intake.Tx) error {
		return tx.PutRecord("health", "probe", []byte(time.Now().UTC().Format(time.RFC3339Nano)))
	})
}

// channelHealth is one mailbox in the answer of /healthz/channels.
type channelHealth struct {
	Mailbox     string        `json:"mailbox"`
	State       mailbox.State `json:"state"`
	Problem     string        `json:"problem,omitempty"`
	LastSuccess *time.Time    `json:"last_success,omitempty"`
	Canary      *canary       `json:"canary,omitempty"`
}

// canary is the last mail that a mailbox sent to itself.
type canary struct {
	Seen    time.Time `json:"seen,omitzero"`
	Seconds float64   `json:"seconds"`
	Overdue bool      `json:"overdue"`
}

// channelsHealth tells whether each way in works: 200 if all do, 503 if one is down or is not
// let in. That nobody writes is not the same as that nothing arrives.
func (a *App) channelsHealth(e *echo.Echo) {
	e.GET("/healthz/channels", func(c echo.Context) error {
		status, all := http.StatusOK, []any{}
		for _, m := range a.boxes {
			h := m.Health()
			if h.State == mailbox.StateDown || h.State == mailbox.StateAuthFailed {
				status = http.StatusServiceUnavailable
			}
			ch := channelHealth{Mailbox: m.Mailbox(), State: h.State, Problem: h.Problem}
			if !h.LastSuccess.IsZero() {
				ch.LastSuccess = &h.LastSuccess
			}
			if !h.CanarySeen.IsZero() || h.CanaryOverdue {
				ch.Canary = &canary{Seen: h.CanarySeen, Seconds: h.CanaryLatency.Seconds(), Overdue: h.CanaryOverdue}
			}
			all = append(all, ch)
		}
		sources, down := a.sourcesHealth()
		if down {
			status = http.StatusServiceUnavailable
		}
		for _, s := range sources {
			all = append(all, s)
		}
		return c.JSONPretty(status, all, "  ")
	})
}

func (a *App) exposeMetrics(e *echo.Echo) {
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})))
}

// AdminHandler serves the admin API of this gateway.
func (a *App) AdminHandler() http.Handler {
	return admin.Handler(admin.Backend{
		Gateway: a.gateway, Ledger: a.ledger, Drop: a.drop, Mail: mailChannel(a.cfg), Accept: a.accept, Backup: a.backup, Audit: a.audit,
	})
}
