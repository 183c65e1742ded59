package app

import (
	"path/filepath"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/api"
	"leadgate/channels/csvdrop"
	"leadgate/channels/mailbox"
	"leadgate/intake"
)

// mountAPI adds what partners' programs call to the router of the pages. What it takes in is
// answered by mail.
func (a *App) mountAPI(e *echo.Echo) error {
	if !a.cfg.API.Enabled {
		return nil
	}
	partners, err := api.New(a.cfg.API, api.Deps{
		Source: a.gateway, Files: files{a.drop}, TempDir: filepath.Join(a.cfg.Data, spoolDir), ReplyChannel: mailbox.Channel, URL: a.cfg.Pages.URL, Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	partners.Guard(e)
	partners.Mount(e.Group(""), a.gateway)
	return nil
}

// files takes in the files that come by the API.
type files struct{ *csvdrop.Drop }

// Preview implements api.Files.
func (f files) Preview(im intake.Import) (api.Preview, error) {
	p, err := f.Checked(im)
	out := api.Preview{Done: p.Done, Counts: p.Counts}
	for _, fault := range p.Faults {
		out.Problems = append(out.Problems, api.RowProblem{
			Row: fault.Row, Field: string(fault.Field), Code: fault.Code, Detail: fault.Message, Mend: fault.Mend, LeftOut: fault.LeftOut,
		})
	}
	if p.Failed != nil {
		out.Problems = append(out.Problems, api.RowProblem{Row: p.Failed.Row, Code: p.Failed.Code, Detail: p.Failed.Problem.Message})
	}
	return out, err
}
