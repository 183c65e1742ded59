package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/mailbox"
	"leadgate/channels/slackbot"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// buildSlack makes the app in Slack. Where that can't answer, mail does; what staff are told by mail
// is told in their channel too.
func (a *App) buildSlack() error {
	if !a.cfg.Slack.Enabled {
		return nil
	}
	d := slackbot.Deps{
		Gateway: a.gateway, Identity: a.ids, Words: a.texts, Secrets: workspaces{a.store}, Memory: positions{a.store}, Links: a.links,
		Fill: func(text string) (intake.Lead, map[intake.Field]string) { return filledIn(a.reader, text) },
		Read: a.reader.Value,
		URL:  strings.TrimSuffix(a.cfg.Pages.URL, "/"), Zone: a.policy.Zone(), Now: time.Now, Log: a.log,
	}
	if a.cfg.Form.Enabled && a.links != nil {
		d.FormURL = d.URL + intake.PathForm
	}
	if len(a.boxes) > 0 {
		d.Mail, d.MailChannel = mailbox.Repliers(a.boxes), mailbox.Channel
	}
	var err error
	if a.slack, err = slackbot.New(a.cfg.Slack, d); err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	a.channels = append(a.channels, a.slack)
	a.gateway.Register(a.slack.Name(), a.slack)
	if d.Mail != nil {
		a.gateway.Register(mailbox.Channel, staffInSlack{Replier: d.Mail, slack: a.slack, log: a.log})
	}
	return nil
}

// mountSlack adds what Slack calls beside the pages: it shows a signature, and is not counted as a
// visitor.
func (a *App) mountSlack(e *echo.Echo) {
	if a.slack != nil {
		a.slack.Mount(e.Group(""), a.gateway)
	}
}

// filledIn reads the lines with labels of a text, as they are read in mail.
func filledIn(reader *extract.Extractor, text string) (intake.Lead, map[intake.Field]string) {
	read := reader.Extract(extract.Input{Text: text})
	if len(read.Leads) != 1 {
		return nil, nil
	}
	lead, words := make(intake.Lead), make(map[intake.Field]string)
	for f, e := range read.Leads[0].Evidence {
		if e.Method == "label" || e.Method == "next line" {
			lead[f], words[f] = read.Leads[0].Fields[f], e.Words
		}
	}
	return lead, words
}

// workspaces keeps the tokens of those that have installed the app where those of mailboxes are.
type workspaces struct{ store intake.Store }

var _ slackbot.Secrets = workspaces{}

func (w workspaces) Recall(ctx context.Context, name string) (string, error) {
	return intake.KeptSecret(ctx, w.store, name)
}

func (w workspaces) Keep(ctx context.Context, name, secret string) error {
	return intake.KeepSecret(ctx, w.store, name, secret)
}

// staffInSlack has what staff are mailed told in their channel in Slack too. The mail goes in any
// case: it has the links of its reader.
type staffInSlack struct {
	intake.Replier
	slack *slackbot.Bot
	log   *slog.Logger
}

// Reply implements intake.Replier.
func (s staffInSlack) Reply(ctx context.Context, m intake.Message) (json.RawMessage, error) {
	if m.Brief != nil {
		if err := s.slack.Tell(ctx, m); err != nil {
			if _, soon := intake.RetryDelay(err); soon {
				return nil, err
			}
			s.log.Warn("staff were not told in Slack", "message", m.ID, "err", err)
		}
	}
	return s.Replier.Reply(ctx, m)
}
