package statuspage

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/intake"
)

// source is what a gateway would say.
type source struct {
	view      intake.SafeView
	err       error
	published intake.Published
}

func (s *source) StatusByLink(context.Context, string) (intake.SafeView, error) { return s.view, s.err }

func (s *source) Published() intake.Published { return s.published }

func mounted(t *testing.T, s *source) (*Pages, *echo.Echo) {
	t.Helper()
	// The clock runs so fast that nobody asks too often.
	now := time.Now()
	site, err := pages.New(pages.Options{Program: "Vendor", URL: "https://partners.vendor.example", Now: func() time.Time { now = now.Add(time.Minute); return now }})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(site, s)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	p.Mount(site.Mount(e), nil)
	return p, e
}

func get(e *echo.Echo, path string) (int, string) {
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestEveryStageProtectionAndStepHasWordsOfItsOwn(t *testing.T) {
	p, _ := mounted(t, &source{})
	for _, lang := range pages.Languages() {
		words := func(name string, keys ...string) {
			seen := make(map[string]string)
			for _, key := range keys {
				var b strings.Builder
				if err := p.status[lang].ExecuteTemplate(&b, name, key); err != nil {
					t.Fatal(err)
				}
				if b.Len() == 0 || seen[b.String()] != "" {
					t.Errorf("%s: %s %s is %q, as is %q", lang, name, key, &b, seen[b.String()])
				}
				seen[b.String()] = key
			}
		}
		var stages, steps, protections []string
		for _, s := range intake.PublicStages() {
			stages = append(stages, string(s))
		}
		for _, s := range intake.NextSteps() {
			steps = append(steps, string(s))
		}
		for _, s := range intake.ProtectionStates() {
			protections = append(protections, string(s))
		}
		words("stage", stages...)
		words("meaning", stages...)
		words("next", steps...)
		words("protection", protections...)
	}
}

func TestTheStatusIsShownWithNothingOfOthersInIt(t *testing.T) {
	until := time.Date(2026, 12, 7, 22, 59, 59, 0, time.UTC)
	s := &source{view: intake.SafeView{
		Case: "LG-2026-384207-D", Company: "Acme <img src=x onerror=alert(1)> \u202Egmbh", Stage: "approved", Owner: `Mia "X" Lund`,
		Protection: intake.ProtectionProvisional, Until: &until, Next: intake.NextShow, Due: &until,
	}}
	_, e := mounted(t, s)
	status, body := get(e, "/status/abc")
	if status != 200 || strings.Contains(body, "<img") || strings.Contains(body, "\u202E") {
		t.Errorf("%d\n%s", status, body)
	}
	if n := strings.Count(body, "Monday 7 December 2026, 22:59 UTC"); n != 2 {
		t.Errorf("the end is told %d times:\n%s", n, body)
	}
	s.view.Until, s.view.Due = nil, nil
	if _, body = get(e, "/status/abc"); strings.Contains(body, "<time") || strings.Contains(body, "Protection ends") {
		t.Errorf("no end is shown as one:\n%s", body)
	}
}

func TestThePageShowsWhatSalesSay(t *testing.T) {
	s := &source{view: intake.SafeView{
		Case: "LG-2026-384207-D", Stage: "approved", Next: intake.NextMeeting,
		Deal: &intake.DealFacts{Owner: "Ann <b>", Stage: "Negotiation", Close: "2027-01-29", NextStep: "Security review"},
	}}
	_, e := mounted(t, s)
	_, body := get(e, "/status/abc")
	for _, want := range []string{"Stage in sales", "Negotiation", "Ann &lt;b&gt;", "2027-01-29", "Security review"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	s.view.Deal = nil
	if _, body := get(e, "/status/abc"); strings.Contains(body, "Stage in sales") {
		t.Error("the page has a place for what is not known")
	}
}

func TestALinkThatIsNotGoodAndAFaultOfOursAreToldApart(t *testing.T) {
	s := &source{}
	_, e := mounted(t, s)
	for err, want := range map[error]int{
		intake.ErrLinkInvalid: 404, intake.ErrLinkExpired: 404, intake.ErrLinkRevoked: 404,
		fmt.Errorf("case x: %w", intake.ErrLinkRevoked): 404, errors.New("disk"): 500,
	} {
		s.err = err
		if status, body := get(e, "/status/abc"); status != want || strings.Contains(body, "disk") {
			t.Errorf("%v: %d\n%s", err, status, body)
		}
	}
}

func span(n int, u intake.Unit) intake.Span { return intake.Span{Value: n, Unit: u} }

func TestRulesAreToldInWordsAndTiersByHowTheyDiffer(t *testing.T) {
	terms := intake.Terms{
		Decision: span(2, intake.BusinessDays), Answer: span(10, intake.BusinessDays), NextStep: span(14, intake.Days), Window: span(90, intake.Days),
		Extension: intake.ExtensionTerms{Times: 2, Days: 30}, Appeal: intake.AppealTerms{Within: span(7, intake.Days)},
	}
	gold, iron := terms, terms
	gold.Decision, gold.Extension.Times = span(1, intake.BusinessDays), 4
	iron.Extension = intake.ExtensionTerms{}
	s := &source{published: intake.Published{
		Version: "2026-11", Hash: strings.Repeat("ab", 32), Terms: terms, Required: []intake.Field{intake.FieldConsent, intake.FieldCompanyName},
		Certified: []string{"Backup <Suite>", "Vault"}, Territories: true, Split: intake.FieldProductInterest,
		Tiers: map[string]intake.Terms{"gold": gold, "iron": iron, "silver": terms},
	}}
	_, e := mounted(t, s)
	_, body := get(e, "/rules")
	for _, want := range []string{
		"Version 2026-11", "<li>Company name</li><li>Consent</li>", "Backup &lt;Suite&gt;, Vault", "territories",
		"each for a part of it of their own. What parts an account is: Product interest.",
		"Partners of the tier gold", "1 business day<", "<dd>4</dd>", "Partners of the tier iron", "<dt>Extensions, at most</dt><dd>none</dd>", "Partners of the tier silver</h2>\n<p>The same as for everybody.", "7 days", "2 at most, by up to 30 days each", "A person decides.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q:\n%s", want, body)
		}
	}
	told := body[strings.Index(body, "tier gold"):]
	for _, same := range []string{"90 days", "14 days", "Days of an extension", "30"} {
		if strings.Contains(told, same) {
			t.Errorf("a tier is told what is as for everybody: %q", same)
		}
	}
	for _, none := range []string{"cooling", "After a refusal", "First right", "Without any news"} {
		if strings.Contains(body, none) {
			t.Errorf("what there is not is told of: %q", none)
		}
	}
}

// What a tier can differ in has words in each language, and so has each term of the rules.
func TestEveryDifferenceOfATierHasWords(t *testing.T) {
	p, _ := mounted(t, &source{})
	for _, lang := range pages.Languages() {
		for _, d := range compared(intake.Terms{}) {
			var b strings.Builder
			if err := p.rules[lang].ExecuteTemplate(&b, "tier", tier{"gold", []difference{d}}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "<dt></dt>") {
				t.Errorf("%s: no words for %s", lang, d.Key)
			}
		}
	}
}

// A date in a reply does not count by itself: an invitation does, or a person notes it.
func TestTheNextStepSaysWhatCountsAsOne(t *testing.T) {
	s := &source{view: intake.SafeView{Case: "LG-2026-384207-D", Stage: "approved", Next: intake.NextShow}}
	_, e := mounted(t, s)
	for lang, wanted := range map[string][]string{
		"en": {"send us the invitation, with our address in copy", "a person notes it"},
		"de": {"schicken Sie uns die Einladung, mit unserer Adresse in Kopie", "jemand aus unserem Team trägt es dann ein"},
	} {
		_, body := get(e, "/status/token?lang="+lang)
		for _, want := range wanted {
			if !strings.Contains(body, want) {
				t.Errorf("%s: does not say %q:\n%s", lang, want, body)
			}
		}
	}
}
