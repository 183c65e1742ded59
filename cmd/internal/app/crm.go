package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"leadgate/channels/webhook"
	"leadgate/intake"
)

// maxCRMCall is the most that is read of a call of a CRM, in bytes.
const maxCRMCall = 1 << 20

// crmCalls takes in calls of CRMs. They are answered once what they tell of is kept.
type crmCalls struct {
	// hint is Gateway.Hint, base the URL under which the world finds us.
	hint func(ctx context.Context, crm, url string, r *http.Request, body []byte) (intake.CRMAnswer, error)
	base string
	log  *slog.Logger
}

// mount adds where CRMs call us, beside the sources.
func (h crmCalls) mount(e *echo.Echo) { e.POST(webhook.Path+"crm/:name", h.serve) }

func (h crmCalls) serve(c echo.Context) error {
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
	public := strings.TrimSuffix(h.base, "/") + req.URL.RequestURI()
	answer, err := h.hint(req.Context(), c.Param("name"), public, req, body)
	switch {
	case errors.Is(err, intake.ErrNoHints):
		return c.NoContent(http.StatusNotFound)
	case errors.Is(err, intake.ErrUnproven):
		return c.NoContent(http.StatusUnauthorized)
	case err != nil:
		h.log.Error("a call of a CRM was not kept; it has to call again", "crm", c.Param("name"), "err", err)
		c.Response().Header().Set("Retry-After", "30")
		return c.NoContent(http.StatusServiceUnavailable)
	case len(answer.Body) > 0:
		return c.Blob(http.StatusOK, answer.MediaType, answer.Body)
	}
	return c.NoContent(http.StatusNoContent)
}
