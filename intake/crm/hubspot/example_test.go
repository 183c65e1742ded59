package hubspot

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheAppThatIsShippedAsksForWhatIsNeeded holds the project in examples to the connector.
func TestTheAppThatIsShippedAsksForWhatIsNeeded(t *testing.T) {
	const root = "../../../examples/hubspot-app"
	read := func(file string, v any) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(root, file))
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var app struct {
		Config struct {
			Distribution string
			Auth         struct {
				Type           string
				RequiredScopes []string
			}
		}
	}
	read("src/app/app-hsmeta.json", &app)
	if app.Config.Auth.Type != "static" || app.Config.Distribution != "private" {
		t.Errorf("%+v", app)
	}
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds() {
		for _, scope := range []string{"crm.objects." + kind + ".read", "crm.objects." + kind + ".write", "crm.schemas." + kind + ".read"} {
			if !slices.Contains(app.Config.Auth.RequiredScopes, scope) {
				t.Errorf("scope %s is not asked for", scope)
			}
		}
		if len(schema()[kind]) > 0 && !slices.Contains(app.Config.Auth.RequiredScopes, "crm.schemas."+kind+".write") {
			t.Errorf("the properties of %s can't be made", kind)
		}
	}
	for _, scope := range app.Config.Auth.RequiredScopes {
		if short, write := strings.CutSuffix(scope, ".write"); !strings.Contains(string(readme), scope) && (!write || !strings.Contains(string(readme), short+".read`, `.write")) {
			t.Errorf("the README does not say scope %s", scope)
		}
	}
	var hooks struct {
		Config struct {
			Settings      struct{ TargetURL string }
			Subscriptions struct {
				CRMObjects []struct {
					SubscriptionType, ObjectType, PropertyName string
					Active                                     bool
				}
			}
		}
	}
	read("src/app/webhooks/webhooks-hsmeta.json", &hooks)
	if !strings.HasSuffix(hooks.Config.Settings.TargetURL, "/hooks/crm/hubspot") {
		t.Error(hooks.Config.Settings.TargetURL)
	}
	want := []string{"dealstage", "hubspot_owner_id", "amount", "closedate", "hs_next_step", "object.creation", "object.deletion", "object.merge", "object.restore"}
	for _, s := range hooks.Config.Subscriptions.CRMObjects {
		what := s.PropertyName
		if s.SubscriptionType != "object.propertyChange" {
			what = s.SubscriptionType
		} else if !slices.Contains(dealProperties, what) {
			t.Errorf("property %s is not read", what)
		}
		if s.ObjectType != "deal" || !s.Active {
			t.Errorf("%+v", s)
		}
		want = slices.DeleteFunc(want, func(w string) bool { return w == what })
	}
	if len(want) > 0 {
		t.Errorf("nothing tells of %v", want)
	}
}
