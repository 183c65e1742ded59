// Package channels names what every channel is to the program: something that answers
// partners and either fetches what they send or is called with it. Channels share these
// types and nothing else; each has its own transport, proof of sender and reader.
//
// Two promises bind all of them. A channel acknowledges its source only after intake.Sink
// returned nil, so that what was acknowledged is durable. And it answers nobody by itself:
// answers come from intake, through Reply, to one recipient each.
//
// The suite in channeltest checks both over the real wire.
package channels

import (
	"context"

	"github.com/labstack/echo/v4"

	"leadgate/intake"
)

// Channel answers partners. It also implements Runner if it fetches or listens by itself,
// or Mounter if it is called over HTTP.
type Channel interface {
	// Name is the value of intake.Submission.Channel and of intake.Route.Channel.
	Name() string
	intake.Replier
}

// Runner takes in what people send. Run blocks until ctx is done and returns within two
// seconds of that, even if its peer is silent; an error before is one that a restart of the
// program would not heal.
type Runner interface {
	Run(ctx context.Context, sink intake.Sink) error
}

// Mounter is called over HTTP: Mount adds its routes to g, once, before the server starts.
type Mounter interface {
	Mount(g *echo.Group, sink intake.Sink)
}
