package app

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"leadgate/channels/webhook"
	"leadgate/intake"
)

// maxCRMCall is the most that is read of a call of a CRM, in bytes.
const maxCRMCall = 1 << 20

// mountCRMs adds where CRMs call us. They are answered once what they tell of is kept.
func (a *App) mountCRMs(e *echo.Echo) {
	e.POST(webhook.Path+"crm/:name", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		req := c.Request()
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, maxCRMCall))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return c.NoContent(http.StatusRequestEntityTooLarge)
		case err != nil:
			return c.NoContent(http.StatusBadRequest)
		}
		answer, err := a.gateway.Hint(req.Context(), c.Param("name"), a.public(req), req, body)
		switch {
		case errors.Is(err, intake.ErrNoHints):
			return c.NoContent(http.StatusNotFound)
		case errors.Is(err, intake.ErrUnproven):
			return c.NoContent(http.StatusUnauthorized)
		case err != nil:
			a.log.Error("a call of a CRM was not kept; it has to call again", "crm", c.Param("name"), "err", err)
			c.Response().Header().Set("Retry-After", "30")
			return c.NoContent(http.StatusServiceUnavailable)
		case len(answer.Body) > 0:
			return c.Blob(http.StatusOK, answer.MediaType, answer.Body)
		}
		return c.NoContent(http.StatusNoContent)
	})
}

// public is the URL at which a request was made, as the world has it.
func (a *App) public(r *http.Request) string {
	return strings.TrimSuffix(a.cfg.Pages.URL, "/") + r.URL.RequestURI()
}
