package trytond

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// rpc is a client of the server that no connector shares.
type rpc struct {
	url         string
	http        *http.Client
	auth        string
	user        int
	preferences json.RawMessage
}

func newRPC(url string) *rpc {
	return &rpc{url: url, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// answers reports whether there is a server.
func (r *rpc) answers() error {
	var version string
	return r.post(r.url+"/", &version, "common.server.version")
}

// login opens a session.
func (r *rpc) login(user, password string) error {
	var answer []any
	err := r.post(r.url+"/"+Database+"/", &answer, "common.db.login", user, map[string]string{"password": password})
	if err != nil {
		return err
	}
	if len(answer) != 2 {
		return errors.New("the server opened no session")
	}
	id, _ := answer[0].(float64)
	r.user = int(id)
	r.auth = "Session " + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d:%v", user, r.user, answer[1]))
	return r.prefer()
}

// prefer reads the preferences, which go with each call.
func (r *rpc) prefer() error {
	r.preferences = json.RawMessage("{}")
	return r.model(&r.preferences, "res.user.get_preferences", true)
}

func (r *rpc) model(out any, method string, params ...any) error {
	return r.post(r.url+"/"+Database+"/", out, "model."+method, append(params, r.preferences)...)
}

func (r *rpc) post(url string, out any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	b, err := json.Marshal(map[string]any{"id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.auth != "" {
		req.Header.Set("Authorization", r.auth)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Error) > 0 {
		return fmt.Errorf("%s: %d %s %.500s", method, resp.StatusCode, answer.Error, body)
	}
	if out == nil || len(answer.Result) == 0 {
		return nil
	}
	return json.Unmarshal(answer.Result, out)
}
