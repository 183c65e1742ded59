package app

import (
	"context"
	"html"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/channels/statuspage"
	"leadgate/intake"
	"leadgate/templates"
)

// told is what a gateway would tell of a case.
type told struct {
	stage     intake.PublicStage
	published intake.Published
}

func (s *told) StatusByLink(context.Context, string) (intake.SafeView, error) {
	return intake.SafeView{Case: "LG-2026-384207-D", Company: "Acme", Stage: s.stage, Protection: intake.ProtectionNone, Next: intake.NextNothing}, nil
}

func (s *told) Published() intake.Published { return s.published }

func TestPagesAndMailsCallAStateAndAFieldTheSame(t *testing.T) {
	site, err := pages.New(pages.Options{Program: "Vendor", URL: "https://partners.vendor.example"})
	if err != nil {
		t.Fatal(err)
	}
	s := &told{published: intake.Published{Required: intake.Fields()}}
	p, err := statuspage.New(site, s)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	p.Mount(site.Mount(e), nil)
	page := func(path, address string) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.RemoteAddr = address + ":1"
		e.ServeHTTP(w, r)
		return html.UnescapeString(w.Body.String())
	}
	of := map[intake.PublicStage]intake.Status{
		"received": intake.StatusQuarantined, "pending": intake.StatusSubmitted, "waiting_for_you": intake.StatusNeedsInfo,
		"in_review": intake.StatusInReview, "approved": intake.StatusProtected, "declined": intake.StatusDeclined,
		"waitlisted": intake.StatusWaitlisted, "expired": intake.StatusExpired, "won": intake.StatusWon, "closed": intake.StatusLost,
		"appeal": intake.StatusAppeal, "withdrawn": intake.StatusWithdrawn, "merged": intake.StatusMerged,
	}
	for i, lang := range pages.Languages() {
		for _, s.stage = range intake.PublicStages() {
			word := templates.StatusWord(lang, of[s.stage])
			if body := page("/status/x?lang="+lang, "192.0.2."+string(rune('1'+i))); !strings.Contains(body, `">`+word+"</span>") {
				t.Errorf("%s: the page of a case that is %s does not say %q:\n%s", lang, s.stage, word, body)
			}
		}
		rules := page("/rules?lang="+lang, "192.0.2.9")
		for _, f := range intake.Fields() {
			if word := templates.Label(lang, f); !strings.Contains(rules, "<li>"+word+"</li>") {
				t.Errorf("%s: the rules do not name %q", lang, word)
			}
		}
	}
}
