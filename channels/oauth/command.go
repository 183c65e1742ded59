package oauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

const (
	commandTimeout = 30 * time.Second
	maxOutput      = 64 << 10
)

// fromCommand runs a command and returns the token that it prints. Nothing of what it says
// gets into an error: nobody knows what it says when it fails.
func fromCommand(ctx context.Context, argv Command, now time.Time) (token, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	out := &bounded{limit: maxOutput}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = out
	cmd.WaitDelay = time.Second // a child of it may keep the pipe open
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return token{}, fmt.Errorf("the token command did not end in time: %w", ctx.Err())
	case errors.As(err, &exit):
		return token{}, &Refused{By: "token command", Status: exit.ProcessState.String(), Detail: "run it by hand as the user of the gateway"}
	case err != nil:
		return token{}, fmt.Errorf("run the token command: %w", err)
	}
	first, _, _ := strings.Cut(strings.TrimLeft(out.b.String(), "\r\n"), "\n")
	access := strings.TrimSpace(first)
	if !printable(access) {
		return token{}, &Refused{By: "token command", Status: "no token", Detail: "the first line of its output must be a token and nothing else"}
	}
	return live(access, now, time.Time{}), nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	b     bytes.Buffer
	limit int
}

func (w *bounded) Write(p []byte) (int, error) {
	w.b.Write(p[:min(len(p), max(0, w.limit-w.b.Len()))])
	return len(p), nil
}
