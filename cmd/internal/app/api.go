package app

import (
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/api"
	"leadgate/channels/mailbox"
)

// mountAPI adds what partners' programs call to the router of the pages. What it takes in is
// answered by mail.
func (a *App) mountAPI(e *echo.Echo) error {
	if !a.cfg.API.Enabled {
		return nil
	}
	partners, err := api.New(a.cfg.API, api.Deps{
		Source: a.gateway, ReplyChannel: mailbox.Channel, URL: a.cfg.Pages.URL, Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	partners.Guard(e)
	partners.Mount(e.Group(""), a.gateway)
	return nil
}
