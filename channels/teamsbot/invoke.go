package teamsbot

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
)

// The invokes that are answered.
const (
	invokeAction     = "adaptiveCard/action"
	invokeFetch      = "composeExtension/fetchTask"
	invokeSubmit     = "composeExtension/submitAction"
	invokeTaskFetch  = "task/fetch"
	invokeTaskSubmit = "task/submit"
)

// viaExtension reports whether the activity came by the message extension, which works where the
// bot is not.
func (t turn) viaExtension() bool { return strings.HasPrefix(t.Activity.Name, "composeExtension/") }

// inDialog reports whether the activity came from a dialog.
func (t turn) inDialog() bool { return t.viaExtension() || strings.HasPrefix(t.Activity.Name, "task/") }

// invoke answers within the response:
// https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/work-with-universal-actions-for-adaptive-cards
func (t turn) invoke(ctx context.Context) (status int, answer any, err error) {
	var value struct {
		Action struct {
			Verb string          `json:"verb"`
			Data json.RawMessage `json:"data"`
		} `json:"action"`
		Data json.RawMessage `json:"data"`
	}
	if t.Value != nil && json.Unmarshal(t.Value, &value) != nil {
		return http.StatusBadRequest, nil, nil
	}
	switch t.Activity.Name {
	case invokeAction:
		press, ok := readPress(value.Action.Data)
		if !ok || press.verb != verbRegister && press.verb != verbAnswer {
			return http.StatusOK, cardAnswer(http.StatusBadRequest, "application/vnd.microsoft.error", object{"code": "BadRequest", "message": "unknown verb"}), nil
		}
		card, _, err := t.submit(ctx, press, t.ReplyToID)
		return http.StatusOK, cardAnswer(http.StatusOK, connector.CardType, card), err
	case invokeFetch, invokeTaskFetch:
		p, err := t.who(ctx, t.Activity)
		if err != nil {
			return http.StatusOK, task("message", say(t.Locale, "again")), nil
		}
		d := t.newDraft(p, nil)
		d.dialog = true
		return http.StatusOK, t.dialog(d.title, d.card()), nil
	case invokeSubmit, invokeTaskSubmit:
		press, ok := readPress(value.Data)
		if !ok || press.verb != verbRegister {
			return http.StatusBadRequest, nil, nil
		}
		card, _, err := t.submit(ctx, press, "")
		return http.StatusOK, t.dialog(chat.Say(t.Locale, "form.title"), card), err
	}
	return http.StatusNotImplemented, nil, nil
}

func cardAnswer(status int, media string, value any) object {
	return object{"statusCode": status, "type": media, "value": value}
}

// task is the answer to a dialog.
func task(kind string, value any) object { return object{"task": object{"type": kind, "value": value}} }

func (t turn) dialog(title string, card json.RawMessage) object {
	return task("continue", object{
		"title": title, "height": "large", "width": "medium", "card": object{"contentType": connector.CardType, "content": card},
	})
}
