package teamstest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"
)

// Activity is an activity as JSON.
type Activity map[string]any

// Message is a message of a person in a personal chat with the bot. User is "ana", for one.
func Message(serviceURL, user, text string) Activity {
	return Activity{
		"type": "message", "id": "m-" + user + "-" + text, "timestamp": "2026-11-23T09:30:00.123Z", "localTimestamp": "2026-11-23T10:30:00.123+01:00",
		"channelId": "msteams", "serviceUrl": serviceURL, "text": text, "textFormat": "plain", "locale": "en-GB",
		"from":      Activity{"id": "29:" + user, "name": user, "aadObjectId": "object-" + user},
		"recipient": Activity{"id": "28:" + AppID, "name": "Leadgate"},
		"conversation": Activity{
			"id": "a:personal-" + user, "conversationType": "personal", "tenantId": Tenant,
		},
		"channelData": Activity{"tenant": Activity{"id": Tenant}},
	}
}

// InChannel makes a message one in a channel, in which the bot is named before the text.
func (a Activity) InChannel() Activity {
	a = maps.Clone(a)
	a["conversation"] = Activity{
		"id": "19:general@thread.tacv2;messageid=1700000000000", "conversationType": "channel", "isGroup": true, "tenantId": Tenant,
	}
	text, _ := a["text"].(string)
	a["text"] = "<at>Leadgate</at> " + text + "\n"
	a["entities"] = []any{
		Activity{"type": "clientInfo", "locale": "en-GB"},
		Activity{"type": "mention", "text": "<at>Leadgate</at>", "mentioned": Activity{"id": "28:" + AppID, "name": "Leadgate"}},
	}
	return a
}

// With is a with one member changed; nil removes it.
func (a Activity) With(name string, v any) Activity {
	a = maps.Clone(a)
	if a[name] = v; v == nil {
		delete(a, name)
	}
	return a
}

// In is a in another tenant.
func (a Activity) In(tenant string) Activity {
	conversation := maps.Clone(a["conversation"].(Activity))
	conversation["tenantId"] = tenant
	return a.With("conversation", conversation).With("channelData", Activity{"tenant": Activity{"id": tenant}})
}

// Invoke is what a button or a dialog sends.
func (a Activity) Invoke(name string, value any) Activity {
	return a.With("type", "invoke").With("name", name).With("value", value).With("text", nil)
}

// JSON is the activity on the wire.
func (a Activity) JSON() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // a test that asks for what can't be
	}
	return b
}

// Request is a request that brings the activity, signed by the provider.
func (p *IdP) Request(t testing.TB, url string, a Activity, now time.Time) *http.Request {
	t.Helper()
	serviceURL, _ := a["serviceUrl"].(string)
	return Request(t, url, a.JSON(), "Bearer "+p.Key().Sign(Claims(serviceURL, now)))
}

// Request is a request with a body, and a header Authorization if that is not "".
func Request(t testing.TB, url string, body []byte, authorization string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return req
}
