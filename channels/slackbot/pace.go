package slackbot

import (
	"sync"
	"time"
)

// Slack takes about one message a second in a channel.
// https://docs.slack.dev/apis/web-api/rate-limits
const everyMessage = time.Second

// pacer has messages to one channel wait for each other, and those to others not.
type pacer struct {
	now   func() time.Time
	every time.Duration

	mu    *sync.Mutex
	next  map[string]time.Time            // by channel, when the next message may go
	slots map[string]map[string]time.Time // by channel and message, when it may
}

func newPacer(now func() time.Time, every time.Duration) pacer {
	return pacer{now: now, every: every, mu: new(sync.Mutex), next: make(map[string]time.Time), slots: make(map[string]map[string]time.Time)}
}

// wait returns how long a message to a channel has to wait. It keeps its place until it goes.
func (p pacer) wait(channel, message string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.forget(now)
	at, waited := p.slots[channel][message]
	if !waited {
		at = now
		if next := p.next[channel]; next.After(at) {
			at = next
		}
		p.next[channel] = at.Add(p.every)
	}
	if !at.After(now) {
		delete(p.slots[channel], message)
		return 0
	}
	if p.slots[channel] == nil {
		p.slots[channel] = make(map[string]time.Time)
	}
	p.slots[channel][message] = at
	return at.Sub(now)
}

// block has nothing go to a channel for a while: Slack wants it so.
func (p pacer) block(channel string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.now().Add(d)
	for message, at := range p.slots[channel] { // in their order, behind it
		p.slots[channel][message] = at.Add(d)
	}
	if next := p.next[channel]; next.After(p.now()) {
		until = next.Add(d)
	}
	p.next[channel] = until
}

// maxPaced is how many channels are remembered before those that are free are forgotten.
const maxPaced = 1000

func (p pacer) forget(now time.Time) {
	if len(p.next) < maxPaced {
		return
	}
	for channel, next := range p.next {
		if next.Before(now) {
			delete(p.next, channel)
			delete(p.slots, channel)
		}
	}
}
