package meetings

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"leadgate/channels"
	"leadgate/channels/payload"
	"leadgate/intake"
)

// Channel is the name of this channel.
const Channel = "meetings"

// Memory keeps how far a form was read, under a name, across restarts.
type Memory interface {
	// Recall returns what was kept last, "" if nothing was.
	Recall(ctx context.Context, name string) (string, error)
	Keep(ctx context.Context, name, value string) error
}

// Deps are what a form needs beside its configuration.
type Deps struct {
	Directory payload.Directory
	Memory    Memory
	// Mail is the channel through which answers go; empty for none.
	Mail string
	// Transport makes the requests; http.DefaultTransport if nil.
	Transport http.RoundTripper
	Now       func() time.Time // time.Now if nil
	Log       *slog.Logger     // discarded if nil
}

// Form is one form that is read again and again.
type Form struct {
	cfg    Config
	deps   Deps
	client *http.Client

	mu     sync.Mutex
	health Health
}

var (
	_ channels.Channel = (*Form)(nil)
	_ channels.Runner  = (*Form)(nil)
)

// New returns a form; nothing is read before Run.
func New(c Config, d Deps) (*Form, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Form{cfg: c.filled(), deps: d, client: newClient(d.Transport), health: Health{Form: c.Name, State: StateDegraded}}, nil
}

// Name implements channels.Channel.
func (f *Form) Name() string { return Channel }

// Reply implements intake.Replier: answers go by mail.
func (f *Form) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	return nil, intake.Permanent(fmt.Errorf("message %s: nobody can be answered through a form", m.ID))
}

// The pauses after a failure.
const (
	firstPause  = time.Second
	maxPause    = 5 * time.Minute
	maxAsked    = time.Hour        // the longest that HubSpot can have us wait
	lockedPause = 15 * time.Minute // after a token that is not good
)

// Run implements channels.Runner.
func (f *Form) Run(ctx context.Context, sink intake.Sink) error {
	pause := firstPause
	for {
		err := f.round(ctx, sink)
		if ctx.Err() != nil {
			return nil
		}
		wait := f.cfg.Every
		f.noted(err)
		if err != nil {
			wait, pause = pause, min(2*pause, maxPause)
			var answer *answerError
			if errors.As(err, &answer) {
				wait = max(wait, min(answer.after, maxAsked))
				if answer.final() {
					wait = lockedPause
				}
			}
			f.tell(err, wait)
		} else {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// tell logs a failure: one that a person has to see to as an error.
func (f *Form) tell(err error, wait time.Duration) {
	var answer *answerError
	if errors.As(err, &answer) && answer.final() {
		f.deps.Log.Error("a form can't be read", "channel", Channel, "form", f.cfg.Name, "err", err, "again", wait)
		return
	}
	f.deps.Log.Warn("a form was not read", "channel", Channel, "form", f.cfg.Name, "err", err, "again", wait)
}

const (
	// overlap is how far back each round looks: what was sent in at almost the same time may
	// show up late.
	overlap = 15 * time.Minute
	// maxPages is how many pages are read without a rest. The rest of them has to wait for the
	// next round.
	maxPages = 20
)

// position is how far a form was read.
type position struct {
	// Until is the time up to which all is stored.
	Until time.Time `json:"until"`
	// While a long way is walked in several rounds: when it began, the page to go on with, and
	// the newest submission so far.
	Began  time.Time `json:"began,omitzero"`
	Page   string    `json:"page,omitempty"`
	Newest time.Time `json:"newest,omitzero"`
}

// done ends a walk. All that was sent in before its beginning is stored; our clock and HubSpot's
// may differ by the overlap.
func (p position) done() position {
	for _, t := range []time.Time{p.Newest, p.Began.Add(-overlap)} {
		if t.After(p.Until) {
			p.Until = t
		}
	}
	return position{Until: p.Until}
}

// round reads pages, newest first, until one has nothing that is new, and stores what is on
// them. How far it came is kept only once that is stored.
func (f *Form) round(ctx context.Context, sink intake.Sink) error {
	p, err := f.recall(ctx)
	if err != nil {
		return err
	}
	now := f.deps.Now().UTC()
	if p.Page == "" {
		p.Began = now
	}
	for range maxPages {
		page, err := f.fetch(ctx, p.Page)
		var answer *answerError
		if p.Page != "" && errors.As(err, &answer) && answer.status == http.StatusBadRequest {
			return f.keep(ctx, position{Until: p.Until}) // it is known no more; begin again
		}
		if err != nil {
			return err
		}
		fresh := false
		for _, s := range page.Results {
			at, err := f.store(ctx, sink, s, p.Until.Add(-overlap))
			if err != nil {
				return fmt.Errorf("store a submission: %w", err)
			}
			fresh = fresh || at.After(p.Until.Add(-overlap))
			if at.After(now) {
				at = now
			}
			if at.After(p.Newest) {
				p.Newest = at
			}
		}
		p.Page = page.Paging.Next.After
		if !fresh || p.Page == "" {
			return f.keep(ctx, p.done())
		}
		if err := f.keep(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (f *Form) memory() string { return Channel + ":" + f.cfg.Form }

// recall returns how far the form was read; at the first start that is until now, or until the
// day of the configuration.
func (f *Form) recall(ctx context.Context) (p position, err error) {
	kept, err := f.deps.Memory.Recall(ctx, f.memory())
	if err != nil {
		return p, fmt.Errorf("recall how far it was read: %w", err)
	}
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &p); err != nil {
			return p, fmt.Errorf("how far it was read: %w", err)
		}
		return p, nil
	}
	p.Until = f.deps.Now().UTC()
	if since, err := time.Parse(time.DateOnly, f.cfg.Since); err == nil {
		p.Until = since.Add(overlap)
	}
	return p, f.keep(ctx, p)
}

func (f *Form) keep(ctx context.Context, p position) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := f.deps.Memory.Keep(ctx, f.memory(), string(b)); err != nil {
		return fmt.Errorf("keep how far it was read: %w", err)
	}
	return nil
}
