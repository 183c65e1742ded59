package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/intake"
)

// headerKey is the name under which a program sends a request again.
const (
	headerKey = "Idempotency-Key"
	maxKey    = 255
	// patience is how long the deed of a request goes on, also after its program has gone.
	patience = 20 * time.Second
)

// deed is what a request asks for, once it is known that nothing is wrong with it. It comes to
// the same if it is done again under the same delivery.
type deed func(ctx context.Context, delivery string) (answer, error)

// deeds are what a request that changes something comes to. prepare says what is to be done, or
// what is wrong: it changes nothing, and what it refuses is not remembered. told is the answer
// to what was taken in.
type deeds struct {
	prepare func(body []byte) (deed, error)
	told    func(context.Context, intake.Receipt) (answer, error)
}

// once answers a request that changes something.
func (a *API) once(r *request, d deeds) (answer, error) {
	b, err := read(r.Request())
	if err != nil {
		return answer{}, err
	}
	call, err := a.call(r, b)
	if err != nil {
		return answer{}, err
	}
	if call != nil {
		made, err := a.source.Recall(r.ctx(), *call)
		switch {
		case errors.Is(err, intake.ErrNotFound):
		case err != nil:
			return answer{}, a.refuse(err)
		case made.Answer != nil:
			return a.replay(r.ctx(), r.key, made.Answer)
		default:
			// It was begun before, and maybe done: then what is wrong now came later.
			receipt, err := a.source.Accepted(r.ctx(), deliveryKey(made.Delivery))
			if err == nil {
				return a.do(r, call, func(ctx context.Context, _ string) (answer, error) { return d.told(ctx, receipt) })
			}
			if !errors.Is(err, intake.ErrNotFound) {
				return answer{}, unavailable(err)
			}
		}
	}
	do, err := d.prepare(b)
	if err != nil {
		return answer{}, err
	}
	return a.do(r, call, func(ctx context.Context, delivery string) (answer, error) {
		err := a.source.Admit(ctx, a.admission(r.key))
		var over *intake.LimitError
		switch {
		case errors.As(err, &over):
			return answer{}, over
		case err != nil:
			return answer{}, unavailable(err)
		}
		return do(ctx, delivery)
	})
}

// admission bounds what a key sends in.
func (a *API) admission(key intake.APIKey) intake.Admission {
	return intake.Admission{Limits: []intake.Limit{
		{Name: "api:" + key.ID, Max: a.cfg.KeyHour, Per: time.Hour},
		{Name: "api", Max: a.cfg.Hour, Per: time.Hour},
	}}
}

// call is what a request is called by its program; nil if that doesn't say.
func (a *API) call(r *request, body []byte) (*intake.Call, error) {
	values := r.Request().Header.Values(headerKey)
	if len(values) == 0 {
		return nil, nil
	}
	name := values[0]
	printable := !strings.ContainsFunc(name, func(c rune) bool { return c < 0x20 || c > 0x7e })
	if len(values) > 1 || strings.TrimSpace(name) == "" || len(name) > maxKey || !printable {
		return nil, &Problem{Status: http.StatusBadRequest, Code: "invalid_idempotency_key", Detail: fmt.Sprintf("Idempotency-Key: want one, of 1 to %d printable ASCII characters.", maxKey)}
	}
	return &intake.Call{
		Name:  r.key.ID + "/" + digest([]byte(name)),
		Print: digest([]byte(r.Request().Method), []byte(r.Request().URL.EscapedPath()), body),
	}, nil
}

// do does a deed, once for a call.
func (a *API) do(r *request, call *intake.Call, do deed) (answer, error) {
	// A program that hangs up would leave open whether it was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx()), patience)
	defer cancel()
	made := intake.Made{Delivery: rand.Text()}
	if call != nil {
		var err error
		if made, err = a.source.BeginCall(ctx, *call); err != nil {
			return answer{}, a.refuse(err)
		}
		if made.Answer != nil {
			return a.replay(ctx, r.key, made.Answer)
		}
		defer a.source.LeaveCall(*call)
	}
	ans, err := do(ctx, made.Delivery)
	var over *intake.LimitError
	if errors.As(err, &over) {
		return answer{}, a.notAdmitted(ctx, call, made, over)
	}
	if err != nil || call == nil {
		return ans, err
	}
	kept, err := json.Marshal(ans)
	if err == nil {
		err = a.source.EndCall(ctx, *call, kept)
	}
	if err != nil { // it was done; who asks again finds that out by its delivery
		a.log.Error("keep the answer to a program", "request", requestID(r), "err", err)
	}
	return ans, nil
}

// notAdmitted frees the name of a call that was begun just now. One that was begun before may
// have been done.
func (a *API) notAdmitted(ctx context.Context, call *intake.Call, made intake.Made, over *intake.LimitError) error {
	if call != nil && !made.Before {
		if err := a.source.EndCall(ctx, *call, nil); err != nil {
			a.log.Warn("forget a request that was not let in", "err", err)
		}
	}
	return limited(over.After, "Too many registrations within the hour.")
}

// refuse tells why a call is not answered.
func (a *API) refuse(err error) error {
	switch {
	case errors.Is(err, intake.ErrCallDiffers):
		return &Problem{Status: http.StatusUnprocessableEntity, Code: "idempotency_key_reused", Detail: "Another request was sent with this Idempotency-Key. Each takes one of its own; only the very same bytes may be sent again."}
	case errors.Is(err, intake.ErrCallUnderWay):
		return &Problem{Status: http.StatusConflict, Code: "request_in_progress", Detail: "The request of this Idempotency-Key is being answered. Send it again after the time in Retry-After.", after: time.Second}
	}
	return unavailable(err)
}

// replay gives an answer that was kept, unless its case is not the partner's any more: what was
// erased is told by nothing.
func (a *API) replay(ctx context.Context, key intake.APIKey, kept []byte) (answer, error) {
	var ans answer
	var told struct {
		Case string `json:"case_number"` // as every answer that is kept has it, but about a file
	}
	err := json.Unmarshal(kept, &ans)
	if err == nil {
		err = json.Unmarshal(ans.Body, &told)
	}
	if err != nil {
		return answer{}, fmt.Errorf("an answer that was kept: %w", err)
	}
	if told.Case == "" {
		return a.replayImport(ctx, key, ans)
	}
	switch _, err := a.source.OwnCase(ctx, key.Partner, told.Case); {
	case errors.Is(err, intake.ErrNotFound):
		return answer{}, over()
	case err != nil:
		return answer{}, unavailable(err)
	}
	ans.replayed = true
	return ans, nil
}

func deliveryKey(delivery string) string { return Channel + ":" + delivery }

func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// jsonAnswer is an answer with a value.
func jsonAnswer(status int, v any) (answer, error) {
	b, err := json.Marshal(v)
	return answer{Status: status, Body: b, media: echo.MIMEApplicationJSON}, err
}
