package app

import (
	"fmt"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"leadgate/channels/mailbox"
	"leadgate/channels/teamsbot"
)

// buildTeams makes the bot in Teams, if there is one.
func (a *App) buildTeams() error {
	if !a.cfg.Teams.Enabled {
		return nil
	}
	d := teamsbot.Deps{
		Gateway: a.gateway, Memory: positions{a.store}, Words: a.texts, Identity: a.ids, Extractor: a.reader,
		MailChannel: mailChannel(a.cfg), Now: time.Now, Log: a.log,
	}
	if len(a.boxes) > 0 {
		d.Mail = mailbox.Repliers(a.boxes)
	}
	var err error
	if a.teams, err = teamsbot.New(a.cfg.Teams, d); err != nil {
		return fmt.Errorf("teams: %w", err)
	}
	a.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "leadgate_teams_keys_age_seconds", Help: "How old the keys are by which calls of the bot in Teams are checked; 0 before the first call.",
		}, func() float64 { return a.teams.Health().KeysAge.Seconds() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "leadgate_teams_refused_total", Help: "Calls of the bot in Teams that were not let in.",
		}, func() float64 { return float64(a.teams.Health().Refused) }),
	)
	a.channels = append(a.channels, a.teams)
	a.gateway.Register(a.teams.Name(), a.teams)
	return nil
}

// mountTeams adds the messaging endpoint beside the pages: who calls it shows a token, and is not
// counted as a visitor.
func (a *App) mountTeams(e *echo.Echo) {
	if a.teams != nil {
		a.teams.Mount(e.Group(""), a.gateway)
	}
}
