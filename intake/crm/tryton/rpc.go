package tryton

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// session is what a login gave.
type session struct {
	user   int
	header string
	at     time.Time
	// preferences go with every call: Tryton's rules ask them which company is meant.
	preferences map[string]any
}

// freshSession is how long after a login a refusal is taken to be of the session before.
const freshSession = 2 * time.Second

// preference returns the id that a preference holds, 0 if there is none.
func (s *session) preference(name string) int {
	n, _ := s.preferences[name].(float64)
	return int(n)
}

// open returns the session, after a login if there is none.
func (c *Connector) open(ctx context.Context) (*session, error) {
	if s := c.current.Load(); s != nil && s.preferences != nil {
		return s, nil
	}
	unlock, err := c.locks.lock(ctx, "session")
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := c.current.Load()
	if s == nil {
		if s, err = c.login(ctx); err != nil {
			return nil, err
		}
	}
	if s.preferences != nil {
		return s, nil
	}
	full := *s
	if err := c.raw(ctx, c.client, &full.preferences, "model.res.user.get_preferences", true, map[string]any{}); err != nil {
		return nil, err
	}
	if now := c.current.Load(); now != nil {
		full.user, full.header, full.at = now.user, now.header, now.at
	}
	full.preferences["language"] = "en" // for what staff read, and for the names of states
	c.current.Store(&full)
	return &full, nil
}

// login opens a session and keeps it.
func (c *Connector) login(ctx context.Context) (*session, error) {
	var answer []any
	err := c.raw(ctx, c.door, &answer, "common.db.login", c.config.User, map[string]any{"password": c.config.Password}, "en")
	if failed := new(failedError); errors.As(err, &failed) {
		return nil, intake.Unauthorized(errors.New("log in: the server can't open the database; check url and database"))
	}
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	if len(answer) != 2 {
		return nil, intake.Unauthorized(errors.New("log in: the server did not open a session"))
	}
	user, _ := answer[0].(float64)
	key, _ := answer[1].(string)
	text := fmt.Sprintf("%s:%d:%s", c.config.User, int(user), key)
	s := &session{user: int(user), header: "Session " + base64.StdEncoding.EncodeToString([]byte(text)), at: c.config.Now()}
	c.current.Store(s)
	return s, nil
}

func (c *Connector) authorize(_ context.Context, r *http.Request) error {
	if s := c.current.Load(); s != nil {
		r.Header.Set("Authorization", s.header)
	}
	return nil
}

// renew opens another session, unless another call just did.
func (c *Connector) renew(ctx context.Context) error {
	unlock, err := c.locks.lock(ctx, "renew")
	if err != nil {
		return err
	}
	defer unlock()
	before := c.current.Load()
	if before != nil && before.preferences != nil && c.config.Now().Sub(before.at) < freshSession {
		return nil
	}
	s, err := c.login(ctx)
	if err != nil {
		return err
	}
	if before != nil {
		full := *s
		full.preferences = before.preferences
		c.current.Store(&full)
	}
	return nil
}

// call calls a method of a model with the context that all calls have; out takes the result.
func (c *Connector) call(ctx context.Context, out any, method string, params ...any) error {
	return c.callAt(ctx, nil, out, method, params...)
}

// callAt is call for a write that holds only if the records were not changed since they were read:
// stamps are their _timestamp, by "model,id".
func (c *Connector) callAt(ctx context.Context, stamps map[string]string, out any, method string, params ...any) error {
	s, err := c.open(ctx)
	if err != nil {
		return err
	}
	with := s.preferences
	if stamps != nil {
		with = maps.Clone(with)
		with["_timestamp"] = stamps
	}
	return c.raw(ctx, c.client, out, "model."+method, append(params, with)...)
}

// raw makes one call of a client.
func (c *Connector) raw(ctx context.Context, client *remote.Client, out any, method string, params ...any) error {
	var answer struct {
		ID     *int            `json:"id"` // 1, as was asked; no answer of another has it
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if params == nil {
		params = []any{}
	}
	_, err := client.Do(ctx, remote.Call{
		Method: http.MethodPost, Path: "/" + c.config.Database + "/", Out: &answer,
		In: map[string]any{"id": 1, "method": method, "params": params},
	})
	switch {
	case err != nil:
		return err
	case answer.ID == nil:
		return errors.New("the answer is not one of Tryton")
	case len(answer.Error) > 0:
		return refusal(method, answer.Error)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		return fmt.Errorf("the answer to %s is not what was expected", method)
	}
	return nil
}

// refusal sorts an error of Tryton: ["UserError", ["message", "description", …]], or what a failure
// of its own is called in Python.
func refusal(method string, raw json.RawMessage) error {
	var parts []json.RawMessage
	var kind, message string
	var words []json.RawMessage
	if json.Unmarshal(raw, &parts) == nil && len(parts) > 0 {
		_ = json.Unmarshal(parts[0], &kind)
	}
	if len(parts) > 1 && json.Unmarshal(parts[1], &words) == nil {
		for _, w := range words {
			var text string
			if json.Unmarshal(w, &text) == nil && text != "" && len(message) < maxMessage {
				message = strings.TrimSpace(message + " " + text)
			}
		}
	}
	switch {
	case kind == "UserError" && strings.HasPrefix(message, noRight):
		return intake.Unauthorized(&refusedError{remote.Words(message) + " Give the user the groups that it needs."})
	case kind == "UserError":
		return intake.Permanent(&refusedError{remote.Words(message)})
	case kind == "UserWarning":
		return intake.Permanent(&refusedError{"a person would be warned: " + remote.Words(message)})
	case kind == "ConcurrencyException":
		return errors.New("somebody changed the record at the same moment")
	}
	return &failedError{method: method, kind: remote.Words(kind)}
}

const (
	maxMessage = 1000
	// noRight begins what Tryton says of a whole model that the user may not use. The language is
	// that of our calls.
	noRight = "You are not allowed to access "
)

// refusedError is that Tryton does not take a value.
type refusedError struct{ words string }

func (e *refusedError) Error() string { return "Tryton refuses: " + e.words }

// failedError is that Tryton failed, by its own fault or by ours.
type failedError struct{ method, kind string }

func (e *failedError) Error() string { return fmt.Sprintf("Tryton failed in %s: %s", e.method, e.kind) }

// fault sorts an answer that is not 2xx. Its body is a page for people and tells nothing more.
func fault(a remote.Answer) error {
	err := fmt.Errorf("the server answered %d", a.Status)
	switch {
	case a.Status == http.StatusUnauthorized:
		return intake.Unauthorized(fmt.Errorf("%w: it does not let us in; check user and password", err))
	case a.Status == http.StatusForbidden:
		return intake.Unauthorized(fmt.Errorf("%w: it has no such method; is the module sale_opportunity activated?", err))
	case a.Status == http.StatusNotFound:
		return intake.Unauthorized(fmt.Errorf("%w: there is no such database; check url and database", err))
	case a.Status == http.StatusRequestTimeout || a.Status == http.StatusConflict || a.Status == http.StatusLocked || a.Status == http.StatusTooManyRequests:
		return err
	case a.Status >= 300 && a.Status < 400:
		return fmt.Errorf("%w: redirects are not followed; set the url that it leads to", err)
	case a.Status < 500:
		return intake.Permanent(err)
	}
	return err
}

// clause and values are those of JSON-RPC: domains and what is written.
type (
	clause []any
	values map[string]any
)

// decimal is a number as Tryton writes it.
type decimal string

func (d decimal) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"__class__": "Decimal", "decimal": string(d)})
}

func (d *decimal) UnmarshalJSON(b []byte) error {
	var v *struct{ Decimal string }
	if err := json.Unmarshal(b, &v); err != nil || v == nil {
		return err
	}
	*d = decimal(v.Decimal)
	return nil
}

// moment is a date, or a time in UTC.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	var v *struct{ Year, Month, Day, Hour, Minute, Second, Microsecond int }
	if err := json.Unmarshal(b, &v); err != nil || v == nil {
		return err
	}
	m.Time = time.Date(v.Year, time.Month(v.Month), v.Day, v.Hour, v.Minute, v.Second, v.Microsecond*1000, time.UTC)
	return nil
}

func date(t time.Time) values {
	return values{"__class__": "date", "year": t.Year(), "month": int(t.Month()), "day": t.Day()}
}

func datetime(t time.Time) values {
	t = t.UTC()
	v := date(t)
	v["__class__"] = "datetime"
	v["hour"], v["minute"], v["second"], v["microsecond"] = t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1000
	return v
}
