package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/infracloudio/msbotbuilder-go/connector/client"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"leadgate/intake"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 64 << 10
	// comeBack is after which time a call is tried again if the service names none. Half of it is
	// added at random, so that not all come back at once.
	comeBack = 4 * time.Second
	longest  = time.Hour
)

// ErrGone says that the bot is not in the conversation any more, or was never let into it:
// nothing can be sent there.
var ErrGone = errors.New("the bot is not in the conversation any more")

// Answer is what the service answered to a call that failed.
type Answer struct {
	Status int
	Code   string // BotNotInConversationRoster, MessageSizeTooBig …
}

func (a *Answer) Error() string {
	return fmt.Sprintf("the Bot Connector service answers %d %s", a.Status, a.Code)
}

// call is one call of the service. It is the library's client of one adapter: the library has
// no context, and throws the id of what was sent away.
type call struct {
	c   *Connector
	ctx context.Context // the library's interface has no place for it
	ref Reference
	// id is what the service calls the activity that was sent.
	id string
}

var _ client.Client = (*call)(nil)

// Post implements client.Client. The address that the library made is not used: it does not
// escape ids.
func (c *call) Post(_ url.URL, a schema.Activity) error {
	return c.send(http.MethodPost, []string{"activities"}, a)
}

// Put implements client.Client.
func (c *call) Put(_ url.URL, a schema.Activity) error {
	return c.send(http.MethodPut, []string{"activities", a.ID}, a)
}

// Delete implements client.Client.
func (c *call) Delete(_ url.URL, a schema.Activity) error {
	_, err := c.c.do(c.ctx, c.ref, http.MethodDelete, []string{"activities", a.ID}, nil)
	return err
}

func (c *call) send(method string, path []string, a schema.Activity) error {
	body, err := outgoing(a)
	if err != nil {
		return intake.Permanent(fmt.Errorf("write the activity: %w", err))
	}
	answer, err := c.c.do(c.ctx, c.ref, method, path, body)
	if err != nil {
		return err
	}
	var made struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer, &made) == nil {
		c.id = made.ID
	}
	return nil
}

// do calls the service below a conversation. The host is looked at again, whatever was stored.
func (c *Connector) do(ctx context.Context, ref Reference, method string, path []string, body []byte) ([]byte, error) {
	base, err := serviceURL(ref.ServiceURL, c.loopback)
	if err != nil {
		return nil, err
	}
	for _, id := range append(path, ref.Conversation) {
		if id == "" || id == "." || id == ".." || len(id) > maxID {
			return nil, intake.Permanent(fmt.Errorf("%.60q is no id to send to", id))
		}
	}
	target := base.String() + "/v3/conversations/" + url.PathEscape(ref.Conversation)
	for _, p := range path {
		target += "/" + url.PathEscape(p)
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	token, err := c.tokens.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("token of the bot: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, intake.Permanent(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call the Bot Connector service: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode/100 == 2 {
		if err != nil {
			return nil, fmt.Errorf("read the answer of the Bot Connector service: %w", err)
		}
		return answer, nil
	}
	if resp.StatusCode == http.StatusUnauthorized {
		c.tokens.Reject(token)
	}
	return nil, failed(resp, answer)
}

// failed says what follows from an answer:
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit and
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
func failed(resp *http.Response, body []byte) error {
	var said struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // an answer of something in between may be anything
	code := said.Error.Code
	if len(code) > 60 {
		code = code[:60]
	}
	err := &Answer{resp.StatusCode, fmt.Sprintf("%q", code)}
	switch s := resp.StatusCode; {
	case s == http.StatusPreconditionFailed, s == http.StatusTooManyRequests, s == http.StatusRequestTimeout, s >= 500:
		return intake.RetryAfter(pause(resp.Header.Get("Retry-After")), err)
	case s == http.StatusForbidden, s == http.StatusNotFound, s == http.StatusGone:
		return fmt.Errorf("%w: %w", ErrGone, err)
	case s == http.StatusUnauthorized:
		return err // with another token it may be good
	}
	return intake.Permanent(err)
}

// pause is how long to wait: what was asked for, in seconds (RFC 9110, section 10.2.3), and up
// to half as much more.
func pause(header string) time.Duration {
	d := comeBack
	if n, err := strconv.Atoi(header); err == nil && n >= 0 {
		d = min(time.Duration(n)*time.Second, longest)
	}
	return d + rand.N(max(d/2, time.Second))
}
