package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func TestValidateNamesEveryFault(t *testing.T) {
	span := intake.Span{Value: -1, Unit: "weeks"}
	for key, change := range map[string]func(*Spec){
		"mode":                       func(s *Spec) { s.Mode = "auto-pilot" },
		"modes.contested":            func(s *Spec) { s.Modes = map[intake.Reason]intake.Mode{intake.ReasonContested: "off"} },
		"modes.approved":             func(s *Spec) { s.Modes = map[intake.Reason]intake.Mode{"approved": intake.ModeAuto} },
		"timezone":                   func(s *Spec) { s.Timezone = "Local" },
		"contact":                    func(s *Spec) { s.Contact.Name = "" },
		"required":                   func(s *Spec) { s.Required = "some" },
		"deal_fields[1]":             func(s *Spec) { s.DealFields = []intake.Field{intake.FieldStage, "worth"} },
		"calendar.workdays[0]":       func(s *Spec) { s.Calendar.Workdays = []string{"caturday"} },
		"decision":                   func(s *Spec) { s.Decision = hours(0) },
		"decision_reminders":         func(s *Spec) { s.DecisionReminders = []int{100} },
		"answer":                     func(s *Spec) { s.Answer = intake.Span{} },
		"answer_reminders[1]":        func(s *Spec) { s.AnswerReminders = []intake.Span{days(1), business(10)} },
		"next_step":                  func(s *Spec) { s.NextStep = days(366) },
		"next_step_reminders[0]":     func(s *Spec) { s.NextStepReminders = []intake.Span{days(0)} },
		"window":                     func(s *Spec) { s.Window = hours(365*24 + 1) },
		"window_reminders[0]":        func(s *Spec) { s.WindowReminders = []intake.Span{days(90)} },
		"idle":                       func(s *Spec) { s.Idle = span },
		"idle_answer":                func(s *Spec) { s.IdleAnswer = span },
		"extension.times":            func(s *Spec) { s.Extension.Times = -1 },
		"extension.days":             func(s *Spec) { s.Extension.Days = 0 },
		"extension.active":           func(s *Spec) { s.Extension.Active = span },
		"extension.grace":            func(s *Spec) { s.Extension.Grace = span },
		"appeal.within":              func(s *Spec) { s.Appeal.Within = span },
		"appeal.acknowledge":         func(s *Spec) { s.Appeal.Acknowledge = span },
		"appeal.plan":                func(s *Spec) { s.Appeal.Plan = span },
		"conflict.acknowledge":       func(s *Spec) { s.Conflict.Acknowledge = span },
		"conflict.plan":              func(s *Spec) { s.Conflict.Plan = span },
		"cooling_off":                func(s *Spec) { s.CoolingOff = span },
		"confirm":                    func(s *Spec) { s.Confirm = span },
		"unknown":                    func(s *Spec) { s.Unknown = span },
		"first_right":                func(s *Spec) { s.FirstRight = span },
		"reopen":                     func(s *Spec) { s.Reopen = span },
		"tiers.gold.window":          func(s *Spec) { s.Tiers = map[string]Tier{"gold": {Window: days(400)}} },
		"tiers.gold.extension.times": func(s *Spec) { s.Tiers = map[string]Tier{"gold": {Extension: TierExtension{Times: new(101)}}} },
		"tiers":                      func(s *Spec) { s.Tiers = map[string]Tier{"": {}} },
		"own_domains[1]":             func(s *Spec) { s.OwnDomains = []string{"vendor.example", "no domain"} },
		"blocked_domains[0]":         func(s *Spec) { s.BlockedDomains = []string{"localhost"} },
		"blocked_countries[0]":       func(s *Spec) { s.BlockedCountries = []string{"Korea"} },
		"territory":                  func(s *Spec) { s.Territory = "merge" },
		"certified_products[0]":      func(s *Spec) { s.CertifiedProducts = []string{"Vault; Backup"} },
		"ask_product":                func(s *Spec) { s.AskProduct = true },
		"split":                      func(s *Spec) { s.Split = intake.FieldProblem },
		"scopes":                     func(s *Spec) { s.Scopes = []string{"Backup"} },
		"scopes[0]":                  func(s *Spec) { s.Split, s.Scopes = intake.FieldProductInterest, []string{" "} },
		"group_scope":                func(s *Spec) { s.GroupScope = "all" },
		"direct_deal":                func(s *Spec) { s.DirectDeal = "" },
		"deal_activity":              func(s *Spec) { s.DealActivity = span },
		"recent_contact":             func(s *Spec) { s.RecentContact = span },
		"renewal":                    func(s *Spec) { s.Renewal = span },
		"probe.domains":              func(s *Spec) { s.Probe.Domains = 1 },
		"probe.taken":                func(s *Spec) { s.Probe.Taken = 0 },
		"probe.within":               func(s *Spec) { s.Probe.Within = business(5) },
		"examples[0].expect":         func(s *Spec) { s.Examples = []Example{{}} },
	} {
		faults := spec(change).Validate(identity.Default())
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), key+": ") {
			t.Errorf("%s: %v", key, faults)
		}
	}
}

func TestAllFaultsAreToldAtOnceAndMakeNoPolicy(t *testing.T) {
	bad := spec(func(s *Spec) { s.Mode, s.Timezone, s.Required, s.Window = "", "", "", days(0) })
	if faults := bad.Validate(identity.Default()); len(faults) != 4 {
		t.Errorf("faults %v", faults)
	}
	if _, err := New(bad, identity.Default()); err == nil {
		t.Error("a policy was made of it")
	}
}

// every changes each setting once, by the name of its field.
func every() map[string]func(*Spec) {
	yes := true
	return map[string]func(*Spec){
		"Version": func(s *Spec) { s.Version = "2" }, "Mode": func(s *Spec) { s.Mode = intake.ModeAuto },
		"Modes":    func(s *Spec) { s.Modes = map[intake.Reason]intake.Mode{Cleanly: intake.ModeAuto} },
		"Timezone": func(s *Spec) { s.Timezone = "UTC" }, "Contact": func(s *Spec) { s.Contact.Name = "Jo" },
		"Calendar": func(s *Spec) { s.Calendar.Closed = []string{"12-24"} }, "Required": func(s *Spec) { s.Required = RequiredShort }, "DealFields": func(s *Spec) { s.DealFields = []intake.Field{intake.FieldStage} },
		"Terms": func(s *Spec) {
			s.Invitation, s.DecisionReminders, s.Extension.Times = false, nil, 0
		},
		"Tiers": func(s *Spec) {
			s.Tiers = map[string]Tier{"gold": {AtOnce: &yes, Window: days(120), WindowReminders: []intake.Span{}, Extension: TierExtension{Times: new(0)}}}
		},
		"ConfirmUnproven": func(s *Spec) { s.ConfirmUnproven = true }, "OwnDomains": func(s *Spec) { s.OwnDomains = nil },
		"BlockedDomains": func(s *Spec) { s.BlockedDomains = nil }, "BlockedCountries": func(s *Spec) { s.BlockedCountries = []string{"KP"} },
		"Territories": func(s *Spec) { s.Territories = true }, "Territory": func(s *Spec) { s.Territory = intake.OutcomeDecline },
		"CertifiedProducts": func(s *Spec) { s.CertifiedProducts = []string{"Vault"} },
		"AskProduct":        func(s *Spec) { s.CertifiedProducts, s.AskProduct = []string{"Vault"}, true },
		"Split":             func(s *Spec) { s.Split = intake.FieldProductInterest },
		"Scopes":            func(s *Spec) { s.Split, s.Scopes = intake.FieldProductInterest, []string{"Vault"} },
		"GroupScope":        func(s *Spec) { s.GroupScope = GroupWhole }, "DirectDeal": func(s *Spec) { s.DirectDeal = intake.OutcomeDecline },
		"DealActivity": func(s *Spec) { s.DealActivity = intake.Span{} }, "RecentContact": func(s *Spec) { s.RecentContact = days(180) },
		"Renewal": func(s *Spec) { s.Renewal = intake.Span{} }, "Probe": func(s *Spec) { s.Probe.Domains = 0 },
		"Conditions": func(s *Spec) {
			s.Conditions = []Condition{{Name: "big", When: "amount > 1", Outcome: intake.OutcomeReview}}
		},
	}
}

func TestTheHashChangesWithEverySetting(t *testing.T) {
	changes := every()
	for field := range reflect.TypeFor[Spec]().Fields() {
		if _, found := changes[field.Name]; !found && field.Name != "Examples" {
			t.Errorf("nothing is tested about %s", field.Name)
		}
	}
	seen := map[string]string{policy(t).Hash(): "nothing"}
	if again := policy(t).Hash(); seen[again] == "" {
		t.Error("the same policy has another hash")
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		h := policy(t, changes[name]).Hash()
		if other := seen[h]; other != "" {
			t.Errorf("changing %s gives the hash of %s", name, other)
		}
		seen[h] = name
	}
}

func TestAPolicyIsMadeAgainFromItsSource(t *testing.T) {
	for name, change := range every() {
		p := policy(t, change)
		var indented any
		if err := json.Unmarshal(p.Source(), &indented); err != nil {
			t.Fatal(err)
		}
		again, err := Read(p.Source(), identity.Default())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Hash() != p.Hash() || !reflect.DeepEqual(again.Published(), p.Published()) || !slices.Equal(again.OwnNames(), p.OwnNames()) {
			t.Errorf("%s makes another policy: %s", name, again.Source())
		}
		for tier := range p.spec.Tiers {
			if of := (intake.Partner{Tier: tier}); !reflect.DeepEqual(again.Terms(of), p.Terms(of)) {
				t.Errorf("%s: terms %+v", name, again.Terms(of))
			}
		}
		for d := range 2 {
			c := complete()
			c.Registration.Lead[intake.FieldTargetRevenue] = fmt.Sprintf("%d EUR", d*100)
			if a, b := p.Judge(noon, c), again.Judge(noon, c); !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %+v, again %+v", name, a, b)
			}
		}
	}
	if _, err := Read([]byte("{"), identity.Default()); err == nil {
		t.Error("half a source is a policy")
	}
	if _, err := Read([]byte(`{"timezone":"UTC","conditions":[{"name":"x","when":"1 +"}]}`), identity.Default()); err == nil {
		t.Error("an expression that is none is a policy")
	}
}

func TestHowASourceIsIndentedDoesNotMatter(t *testing.T) {
	p := policy(t)
	var v json.RawMessage = p.Source()
	wide, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Read(wide, identity.Default()); err != nil || again.Hash() != p.Hash() {
		t.Errorf("another policy: %v", err)
	}
}

// Whoever sets up a gateway finds every setting in the example, in use or commented out.
func TestTheExampleShowsEverySetting(t *testing.T) {
	b, err := os.ReadFile("../examples/leadgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[Spec](), reflect.TypeFor[intake.Terms]()} {
		for f := range typ.Fields() {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key != "" && !strings.Contains(string(b), "\n  "+key+":") && !strings.Contains(string(b), "\n  # "+key+": ") {
				t.Errorf("%s is not in the example", key)
			}
		}
	}
}

func TestATierHasTheKeysOfTheTerms(t *testing.T) {
	same(t, reflect.TypeFor[intake.Terms](), reflect.TypeFor[Tier]())
}

func same(t *testing.T, terms, tier reflect.Type) {
	t.Helper()
	if terms.NumField() != tier.NumField() {
		t.Errorf("%s has %d fields, %s has %d", terms, terms.NumField(), tier, tier.NumField())
	}
	for f := range terms.Fields() {
		own, found := tier.FieldByName(f.Name)
		if !found || own.Tag.Get("yaml") != f.Tag.Get("yaml") {
			t.Errorf("%s is not in a tier", f.Name)
			continue
		}
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[intake.Span]() {
			same(t, f.Type, own.Type)
		}
	}
}

func TestATierPutsItsOwnTermsInPlace(t *testing.T) {
	p := policy(t, func(s *Spec) {
		s.Extension.Auto = true
		s.Tiers = map[string]Tier{"gold": {
			Window: days(120), Invitation: new(false), Idle: intake.Span{Unit: intake.Days}, AnswerReminders: []intake.Span{},
			Extension: TierExtension{Times: new(0)}, Appeal: intake.AppealTerms{Within: business(20)},
		}}
	})
	base, gold := p.Terms(intake.Partner{}), p.Terms(intake.Partner{Tier: "gold"})
	want := base
	want.Window, want.Invitation, want.Idle, want.AnswerReminders = days(120), false, intake.Span{}, []intake.Span{}
	want.Extension.Times, want.Appeal.Within = 0, business(20)
	if !reflect.DeepEqual(gold, want) {
		t.Errorf("terms %+v, want %+v", gold, want)
	}
	if other := p.Terms(intake.Partner{Tier: "silver"}); !reflect.DeepEqual(other, base) {
		t.Errorf("a tier without terms of its own has %+v", other)
	}
}

func TestAClockOfZeroDaysIsOff(t *testing.T) {
	p := policy(t, func(s *Spec) { s.CoolingOff = intake.Span{Unit: intake.Days} })
	if got := p.Terms(intake.Partner{}).CoolingOff; got != (intake.Span{}) {
		t.Errorf("cooling off for %#v", got)
	}
}

func TestWhatIsPublishedSaysWhatIsNeededAndNamesNoAccount(t *testing.T) {
	p := policy(t, func(s *Spec) {
		s.Required, s.Territories, s.CertifiedProducts, s.AskProduct = RequiredShort, true, []string{"Vault"}, true
		s.Split, s.BlockedCountries, s.Version = intake.FieldServicesNeeded, []string{"KP"}, "2026-2"
		s.Tiers = map[string]Tier{"gold": {Window: days(120)}}
	})
	got := p.Published()
	want := []intake.Field{
		intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldProblem,
		intake.FieldCountry, intake.FieldServicesNeeded, intake.FieldProductInterest, intake.FieldConsent,
	}
	if !slices.Equal(got.Required, want) || !got.Territories || got.Split != intake.FieldServicesNeeded || !slices.Equal(got.Certified, []string{"Vault"}) {
		t.Errorf("published %+v", got)
	}
	if got.Tiers["gold"].Window != days(120) || got.Tiers["gold"].Answer != business(10) || got.Hash != p.Hash() || got.Version != "2026-2" {
		t.Errorf("published %+v", got)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"blocked.example", "KP", "vendor.example"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("%s is in %s", secret, b)
		}
	}
}

func TestScopesOfOneMeaningAreOneText(t *testing.T) {
	p := policy(t, func(s *Spec) { s.Split = intake.FieldProductInterest })
	for value, want := range map[string]string{
		"": "", "Backup": "backup", "Vault; Backup": "backup; vault", "backup; VAULT;  ; vault": "backup; vault", "Cloud   Backup": "cloud backup",
	} {
		if got := p.Scope(intake.Lead{intake.FieldProductInterest: value}); got != want {
			t.Errorf("%q claims %q, want %q", value, got, want)
		}
	}
	if got := policy(t).Scope(intake.Lead{intake.FieldProductInterest: "Backup"}); got != "" {
		t.Errorf("without a split, %q is claimed", got)
	}
}

// What each mode does by itself, and what a mode for one reason changes.
func TestModesSayWhatHappensByItself(t *testing.T) {
	clean, incomplete := nothing, lead(intake.FieldProblem, "")
	duplicate := with(func(v *intake.Rival) { v.Partner = "alpha" })
	heldByOther, blocked := with(func(*intake.Rival) {}), lead(intake.FieldCompanyDomain, "blocked.example")
	doubtful := known(func(k *intake.Known) { k.Account.Customer = true })
	for _, c := range []struct {
		name  string
		mode  intake.Mode
		modes map[intake.Reason]intake.Mode
		acts  []given
		waits []given
	}{
		{"to observe is to do nothing", intake.ModeObserve, nil, nil, []given{clean, incomplete, duplicate, heldByOther, blocked, doubtful}},
		{"to assist is to merge and to ask", intake.ModeAssist, nil, []given{incomplete, duplicate}, []given{clean, heldByOther, blocked, doubtful}},
		{"to be automatic is to do all but what a person has to look at", intake.ModeAuto, nil, []given{clean, incomplete, duplicate, heldByOther, blocked}, []given{doubtful}},
		{"approvals alone can be automatic", intake.ModeAssist, map[intake.Reason]intake.Mode{Cleanly: intake.ModeAuto}, []given{clean, incomplete}, []given{heldByOther, blocked, doubtful}},
		{"one reason alone can be automatic", intake.ModeObserve, map[intake.Reason]intake.Mode{intake.ReasonProtectedByOther: intake.ModeAuto}, []given{heldByOther}, []given{clean, incomplete, blocked}},
		{"one reason alone can be for people", intake.ModeAuto, map[intake.Reason]intake.Mode{intake.ReasonBlocked: intake.ModeAssist}, []given{clean, heldByOther}, []given{blocked}},
		{"what is for a person stays so", intake.ModeAuto, map[intake.Reason]intake.Mode{intake.ReasonExistingCustomer: intake.ModeAuto}, nil, []given{doubtful}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := func(s *Spec) { s.Mode, s.Modes = c.mode, c.modes }
			for i, g := range c.acts {
				if d := judged(t, rule, g); !d.Acts {
					t.Errorf("%d: %s (%s) does not happen by itself", i, d.Outcome, d.Reason)
				}
			}
			for i, g := range c.waits {
				if d := judged(t, rule, g); d.Acts {
					t.Errorf("%d: %s (%s) happens by itself", i, d.Outcome, d.Reason)
				}
			}
		})
	}
}

// The end of a hold, and what is compared with the day of a claim, count in days of the zone.
func TestAHoldEndsWithItsLastDay(t *testing.T) {
	p := policy(t)
	for _, c := range []struct{ name, from, want string }{
		{"a hold of 76 days from 15 August ends at the end of 30 October", "2026-08-15T08:00:00Z", "2026-10-30T22:59:59.999999Z"},
		{"90 days over the end of summer time are not 90 times 24 hours", "2026-08-15T22:30:00Z", "2026-11-14T22:59:59.999999Z"},
	} {
		from, _ := time.Parse(time.RFC3339, c.from)
		span := days(76)
		if strings.HasPrefix(c.name, "90") {
			span = days(90)
		}
		if got := p.End(from, span).Format("2006-01-02T15:04:05.999999Z07:00"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	end, _ := time.Parse(time.RFC3339Nano, "2026-10-30T22:59:59.999999Z")
	for span, want := range map[intake.Span]string{
		days(7): "2026-10-23T21:59:59.999999Z", hours(24): "2026-10-29T22:59:59.999999Z", business(5): "2026-10-23T21:59:59.999999Z",
	} {
		if got := p.Before(end, span).Format("2006-01-02T15:04:05.999999Z07:00"); got != want {
			t.Errorf("%s before the end is %s, want %s", span, got, want)
		}
	}
}
