package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"leadgate/intake"
)

func TestStaffMakeAndRevokeTheKeysOfARunningGateway(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	at := strings.TrimSuffix(p.page, "/demo") + "/api/v1/registrations"
	ask := func(key string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", at, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	out, stderr, err := leadgate(t, "partners", "keys", "create", "Brightpath", "--name", "Alpha portal", "--expires", "2999-12-31", "--by", "mia", "--dir", p.dir)
	key := strings.TrimSpace(out)
	if err != nil || !strings.HasPrefix(key, "lgk_") || !strings.Contains(stderr, "of brightpath, good until 2999-12-31 23:00:00 UTC; it is shown this once") {
		t.Fatalf("%v\n%s%s", err, out, stderr)
	}
	if status := ask(key); status != 200 {
		t.Errorf("a new key: %d", status)
	}
	says(t, "partners", "keys", "create", "kestrel-it", "--name", "Script", "--by", "mia", "--dir", p.dir)
	list := says(t, "partners", "keys", "list", "brightpath", "--dir", p.dir)
	if !strings.Contains(list, "Alpha portal") || !strings.Contains(list, "by mia") || strings.Contains(list, "Script") || strings.Contains(list, key) {
		t.Errorf("listed as\n%s", list)
	}
	var all []intake.APIKey
	if err := json.Unmarshal([]byte(says(t, "partners", "keys", "list", "--json", "--dir", p.dir)), &all); err != nil || len(all) != 2 {
		t.Fatalf("%v %+v", err, all)
	}
	id := strings.Split(key, "_")[1]
	if out := says(t, "partners", "keys", "revoke", id, "--by", "jo", "--dir", p.dir); out != id+" (Alpha portal, of brightpath) opens nothing any more\n" {
		t.Error(out)
	}
	if status := ask(key); status != 401 {
		t.Errorf("a revoked key: %d", status)
	}
	if list := says(t, "partners", "keys", "list", "--dir", p.dir); !strings.Contains(list, " by jo") {
		t.Errorf("listed as\n%s", list)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"create", "nobody", "--name", "x"}, "no partner is nobody"},
		{[]string{"create", "brightpath"}, "a key needs a name"},
		{[]string{"create", "brightpath", "--name", "x", "--expires", "2020-01-01"}, "2020-01-01 is over"},
		{[]string{"revoke", "nokey"}, "no key is nokey"},
		{[]string{"rotate"}, `unknown command "rotate"`},
	} {
		_, stderr, err := leadgate(t, append([]string{"partners", "keys", "--dir", p.dir}, tt.args...)...)
		if err == nil || !strings.Contains(stderr, tt.want) {
			t.Errorf("%v: %v\n%s", tt.args, err, stderr)
		}
	}
}
