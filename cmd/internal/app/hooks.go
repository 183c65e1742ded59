package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/csvdrop"
	"leadgate/channels/meetings"
	"leadgate/channels/teamsbot"
	"leadgate/channels/webhook"
	"leadgate/intake"
)

// buildHooks makes the channels of other programs: those that call us, and the forms that we
// read. Their answers go by mail.
func (a *App) buildHooks() error {
	var err error
	a.hooks, err = webhook.New(a.cfg.Webhooks, webhook.Deps{
		Desk: a.gateway, URL: a.cfg.Pages.URL, Mail: mailChannel(a.cfg), Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	if len(a.cfg.Webhooks) > 0 {
		a.channels = append(a.channels, a.hooks)
	}
	a.gateway.Register(a.hooks.Name(), a.hooks)
	for _, c := range a.cfg.Meetings {
		f, err := meetings.New(c, meetings.Deps{
			Directory: a.gateway, Memory: positions{a.store}, Mail: mailChannel(a.cfg), Now: time.Now, Log: a.log,
		})
		if err != nil {
			return fmt.Errorf("form %s: %w", c.Name, err)
		}
		a.forms = append(a.forms, f)
		a.channels = append(a.channels, f)
	}
	a.gateway.Register(meetings.Channel, a.forms)
	return nil
}

// mountHooks adds the sources beside the pages: who calls them shows a signature, and is not
// counted as a visitor.
func (a *App) mountHooks(e *echo.Echo) { a.hooks.Mount(e.Group(""), a.gateway) }

// positions keeps in the store how far forms were read.
type positions struct{ store intake.Store }

var _ meetings.Memory = positions{}

const spacePosition = "position"

func (p positions) Recall(ctx context.Context, name string) (value string, err error) {
	err = p.store.View(ctx, func(tx intake.Tx) error {
		b, err := tx.Record(spacePosition, name)
		if errors.Is(err, intake.ErrNotFound) {
			return nil
		}
		value = string(b)
		return err
	})
	return value, err
}

func (p positions) Keep(ctx context.Context, name, value string) error {
	return p.store.Update(ctx, func(tx intake.Tx) error {
		was, err := tx.Record(spacePosition, name)
		if err == nil && string(was) == value {
			return nil
		}
		return tx.PutRecord(spacePosition, name, []byte(value))
	})
}

// sourceHealth is a program that tells us of registrations in the answer of /healthz/channels.
type sourceHealth struct {
	Channel     string         `json:"channel"`
	Name        string         `json:"name"`
	State       meetings.State `json:"state"`
	Problem     string         `json:"problem,omitempty"`
	LastSuccess *time.Time     `json:"last_success,omitempty"`
	Refused     int            `json:"refused,omitempty"`
}

// sourcesHealth tells how the forms, the sources and the folder of lists are, and whether one is down. A source that
// calls us is not down because it is silent, nor because somebody calls in its name.
func (a *App) sourcesHealth() (all []sourceHealth, down bool) {
	since := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	for _, f := range a.forms {
		h := f.Health()
		down = down || h.State == meetings.StateDown || h.State == meetings.StateAuthFailed
		all = append(all, sourceHealth{Channel: meetings.Channel, Name: h.Form, State: h.State, Problem: h.Problem, LastSuccess: since(h.LastSuccess)})
	}
	for _, h := range a.hooks.Health() {
		state := meetings.StateOK
		if h.Problem != "" {
			state = meetings.StateDegraded
		}
		all = append(all, sourceHealth{Channel: webhook.Channel, Name: h.Source, State: state, Problem: h.Problem, LastSuccess: since(h.LastSuccess), Refused: h.Refused})
	}
	if a.folder != nil {
		found, looked := a.folder.Health()
		state := meetings.StateOK
		switch {
		case len(found) > 0 && found[0].Path == "": // all of it
			state, down = meetings.StateDown, true
		case len(found) > 0:
			state = meetings.StateDegraded
		}
		all = append(all, sourceHealth{Channel: csvdrop.Channel, Name: "folder", State: state, Problem: csvdrop.Troubles(found), LastSuccess: since(looked)})
	}
	if a.teams != nil {
		h := a.teams.Health()
		state := meetings.StateOK
		switch {
		case h.Down:
			state, down = meetings.StateDown, true
		case h.Problem != "":
			state = meetings.StateDegraded
		}
		all = append(all, sourceHealth{Channel: teamsbot.Channel, Name: "bot", State: state, Problem: h.Problem, Refused: int(h.Refused)})
	}
	if a.slack != nil {
		h := sourceHealth{Channel: a.slack.Name(), Name: a.slack.Name(), State: meetings.StateOK}
		if c := a.slack.Condition(); c.Down {
			h.State, h.Problem, down = meetings.StateDown, c.Problem, true
		}
		all = append(all, h)
	}
	return all, down
}
