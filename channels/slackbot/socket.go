package slackbot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// The pauses before a connection that Slack refused is tried again.
const (
	firstPause = time.Second
	lastPause  = 5 * time.Minute
)

// listen keeps a connection to Slack open until ctx is done. What comes over it goes the way of
// what is posted to us; nothing there is signed, as we have called.
func (b *Bot) listen(ctx context.Context) error {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		began := b.now()
		err := b.connection(ctx)
		if ctx.Err() != nil {
			break
		}
		b.note(errors.Join(errors.New("socket mode"), err))
		b.log.Warn("the connection to Slack ended", "channel", Channel, "err", err)
		if b.now().Sub(began) > lastPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// connection handles what comes over one connection, and those that follow it without a fault.
func (b *Bot) connection(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	api := b.client(Installation{Token: b.cfg.BotToken}, b.patient, slack.OptionAppLevelToken(b.cfg.AppToken))
	client := socketmode.New(api, socketmode.OptionReadLimit(maxBody))
	failed := make(chan error, 1)
	go func() { failed <- client.RunContext(ctx) }()
	var working sync.WaitGroup
	defer working.Wait()
	for {
		select {
		case err := <-failed:
			return err
		case e := <-client.Events:
			switch e.Type {
			case socketmode.EventTypeConnected:
				b.note(nil)
				b.log.Info("connected to Slack", "channel", Channel)
			case socketmode.EventTypeConnectionError:
				if at, is := e.Data.(*slack.ConnectionErrorEvent); is {
					b.note(at.ErrorObj)
				}
			case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
				if e.Request == nil {
					continue
				}
				working.Go(func() { b.envelope(ctx, client, e.Type, *e.Request) })
			}
		}
	}
}

// envelope handles what came in one. It is acknowledged with the answer; what was not stored is
// not, and comes again.
func (b *Bot) envelope(ctx context.Context, client *socketmode.Client, kind socketmode.EventType, r socketmode.Request) {
	handling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var a answer
	switch kind {
	case socketmode.EventTypeSlashCommand:
		var c slack.SlashCommand
		if err := json.Unmarshal(r.Payload, &c); err != nil {
			b.log.Warn("a command can't be read", "channel", Channel, "err", err)
			return
		}
		a = b.command(handling, c)
	case socketmode.EventTypeInteractive:
		a = b.interaction(handling, r.Payload)
	default:
		a = b.event(handling, r.Payload)
	}
	if a.status != http.StatusOK {
		return
	}
	if err := client.AckCtx(ctx, r.EnvelopeID, a.body); err != nil && ctx.Err() == nil {
		b.log.Warn("an envelope was not acknowledged", "channel", Channel, "err", err)
	}
}
