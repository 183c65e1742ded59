package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/channels/payload"
	"leadgate/intake"
	"leadgate/intake/identity"
)

const paged = good + "pages: {listen: \"127.0.0.1:0\", url: \"https://partners.northwind.example\"}\n"

// The examples are loaded as a user would, and each reads the payload beside it.
func TestTheExamplesOfWebhooksReadTheirPayloads(t *testing.T) {
	const dir = "../../../examples/webhooks"
	sources, err := os.ReadFile(filepath.Join(dir, "sources.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(write(t, "leadgate.yaml", paged+string(sources), "hooks-secret", "0123456789abcdef", "calendly-key", "123456789abcdef0", "hubspot-secret", "23456789abcdef01", "hubspot-token", "x"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Webhooks) != 3 || len(c.Meetings) != 1 {
		t.Fatalf("%d webhooks, %d forms", len(c.Webhooks), len(c.Meetings))
	}
	for _, w := range c.Webhooks {
		b, err := os.ReadFile(filepath.Join(dir, w.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := payload.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		given, _ := w.Lead(doc)
		lead, problems := intake.Clean(identity.Default(), given)
		want := intake.Lead{
			intake.FieldCompanyName: "Blue Harbour GmbH", intake.FieldCompanyDomain: "blueharbour.example",
			intake.FieldProblem: "They lose a day a week to manual reporting.",
		}
		for f, v := range want {
			if lead[f] != v {
				t.Errorf("%s: %s is %q, want %q", w.Name, f, lead[f], v)
			}
		}
		if len(problems) > 0 {
			t.Errorf("%s: %+v", w.Name, problems)
		}
	}
}

func TestFaultsOfSourcesAreToldWithTheirLines(t *testing.T) {
	const hook = "webhooks:\n  - {name: a, scheme: leadgate-v1, secret: 0123456789abcdef, partner: alpha, fields: {company_name: /company}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"no listener":            {good + hook, "webhooks: nobody can call them without pages"},
		"a name twice":           {paged + hook + strings.Replace(strings.Split(hook, "\n")[1], "secret: 0", "secret: 9", 1) + "\n", `line 15: webhooks[1].name: "a" is the name of another one`},
		"one secret":             {paged + hook + strings.Replace(strings.Split(hook, "\n")[1], "name: a", "name: b", 1) + "\n", `line 15: webhooks[1].secret: "a" and "b" have one secret`},
		"an unknown field":       {paged + strings.Replace(hook, "company_name:", "company:", 1), "line 14: webhooks[0].fields.company: there is no such field"},
		"an unknown scheme":      {paged + strings.Replace(hook, "leadgate-v1", "md5", 1), `line 14: webhooks[0].scheme: "md5": want one of`},
		"nobody's":               {paged + strings.Replace(hook, "partner: alpha, ", "", 1), "line 14: webhooks[0].partner: is missing"},
		"a stage that is none":   {paged + strings.Replace(hook, "}}", "}, values: {stage: {Just met: new_intro, Later: discovery}}}", 1), `line 14: webhooks[0].values.stage: "Later" becomes "discovery"; want one of [new_intro discovery_scheduled evaluation]`},
		"a kind that is none":    {paged + strings.Replace(hook, "}}", "}, values: {kind: {Deal: opportunity}}}", 1), `webhooks[0].values.kind: "Deal" becomes "opportunity"; want one of [lead deal]`},
		"a consent that is none": {paged + strings.Replace(hook, "}}", "}, constants: {consent: agreed}}", 1), `webhooks[0].constants.consent: "agreed"; want one of [yes no]`},
		"a form twice": {
			good + "meetings:\n  - {name: a, form: 4b2f6c0e-5d1a, token: x}\n  - {name: b, form: 4b2f6c0e-5d1a, token: x}\n",
			"line 14: meetings[1].form: it is read already",
		},
	} {
		_, err := Load(write(t, "leadgate.yaml", c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := Load(write(t, "leadgate.yaml", paged+hook)); err != nil {
		t.Error(err)
	}
}
