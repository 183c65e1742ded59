package desk

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/intake"
)

// office says what it is told to, and remembers what was decided.
type office struct {
	view intake.View
	err  error // of looking
	not  error // of deciding
	did  []intake.Deed
}

func (o *office) Linked(context.Context, string) (intake.View, error) { return o.view, o.err }

func (o *office) ActLinked(_ context.Context, _ string, d intake.Deed) (intake.Registration, error) {
	o.did = append(o.did, d)
	return intake.Registration{}, o.not
}

func inReview(act intake.StaffAct) intake.View {
	return intake.View{
		Grant: intake.Grant{Act: act, By: "mia@vendor.example", Expires: 1_800_000_000}, Bearer: "mia", May: true,
		Dossier: intake.Dossier{
			Registration: intake.Registration{
				Number: "LG-2026-384207-D", Revision: 7, Status: intake.StatusInReview, Contact: "ana@alpha.example", Strength: intake.StrengthDomain,
				Lead:     intake.Lead{intake.FieldCompanyName: "Acme"},
				Findings: []intake.Finding{{Rule: "held", Outcome: intake.OutcomeDecline, Reason: intake.ReasonBlocked, Evidence: "on <the> list"}},
			},
			Partner: intake.Partner{Name: "Alpha"},
		},
	}
}

func mounted(t *testing.T, o *office) (*Desk, *echo.Echo) {
	t.Helper()
	return speaking(t, o, "")
}

// speaking are the pages for staff who are written to in a language.
func speaking(t *testing.T, o *office, locale string) (*Desk, *echo.Echo) {
	t.Helper()
	now := time.Now()
	site, err := pages.New(pages.Options{Program: "Vendor", URL: "https://partners.vendor.example", Now: func() time.Time { now = now.Add(time.Minute); return now }})
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(site, o, locale)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	d.Mount(site.Mount(e), nil)
	return d, e
}

func send(e *echo.Echo, method string, f url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/desk/token", strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestEveryFormAsksForWhatItsActTakes(t *testing.T) {
	for _, act := range intake.StaffActs() {
		t.Run(string(act), func(t *testing.T) {
			o := &office{view: inReview(act)}
			_, e := mounted(t, o)
			body := send(e, "GET", nil).Body.String()
			for name, want := range map[string]bool{
				"days": act == intake.ActExtend, "reason": act == intake.ActDecline || act == intake.ActRevoke,
				"rationale": act != intake.ActAsk && act != intake.ActExtend && act != intake.ActSeen && act != intake.ActAckAppeal,
				"message":   act != intake.ActSeen && act != intake.ActAckAppeal, "shown": true,
			} {
				if got := strings.Contains(body, `name="`+name+`"`); got != want {
					t.Errorf("asks for %s: %v", name, got)
				}
			}
			w := send(e, "POST", url.Values{
				"days": {" 5 "}, "reason": {string(intake.ReasonBlocked)}, "rationale": {"on the list"}, "message": {"Hello there"}, "shown": {"7"},
				"by": {"somebody else"}, "case": {"LG-2026-000000-0"}, "status": {"won"},
			})
			if w.Code != 303 || w.Header().Get("Location") != "/desk/token" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			want := intake.Deed{Days: 5, Shown: 7, Verdict: intake.Verdict{Reason: intake.ReasonBlocked, Rationale: "on the list", Message: "Hello there"}}
			if len(o.did) != 1 || o.did[0] != want {
				t.Errorf("decided %+v", o.did)
			}
		})
	}
}

func TestLookingDecidesNothing(t *testing.T) {
	o := &office{view: inReview(intake.ActApprove)}
	_, e := mounted(t, o)
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"} {
		send(e, method, url.Values{"shown": {"7"}})
	}
	if len(o.did) > 0 {
		t.Errorf("decided %+v", o.did)
	}
}

func TestWhyADecisionWasNotCarriedOutIsSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		act    intake.StaffAct
		err    error
		status int
		says   string
	}{
		"a rationale that is missing": {intake.ActDecline, &intake.ErrInput{Problem: "a refusal needs a rationale"}, 422, `id="rationale-wrong">A refusal needs a rationale.<`},
		"a question too short":        {intake.ActAsk, &intake.ErrInput{Problem: "the question has fewer than 10 characters"}, 422, `id="message-wrong"`},
		"too many days":               {intake.ActExtend, &intake.ErrInput{Problem: "by how many days? at most 30"}, 422, `id="days-wrong"`},
		"a move that is not legal":    {intake.ActApprove, intake.CheckTransition(intake.StatusInReview, intake.StatusWon, intake.TriggerStaff), 409, "The case is “in review” now. From there it can&#39;t become “won”."},
		"an account that is held":     {intake.ActApprove, &intake.HeldError{Case: "LG-1", Holder: "LG-2"}, 409, "protected under case LG-2"},
		"a case that changed":         {intake.ActApprove, intake.ErrCaseChanged, 409, "has changed since you opened the page"},
		"a role too small":            {intake.ActApprove, intake.ErrNotAllowed, 403, "role does not permit"},
		"what is not possible yet":    {intake.ActRelease, intake.ErrNotYet, 501, "Use the command line"},
		"a link that was revoked":     {intake.ActApprove, intake.ErrLinkRevoked, 404, "does not work"},
		"a fault of ours":             {intake.ActApprove, errors.New("disk is full"), 500, "Something went wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &office{view: inReview(tt.act), not: tt.err}
			_, e := mounted(t, o)
			w := send(e, "POST", url.Values{"days": {"5"}, "reason": {string(intake.ReasonBlocked)}, "rationale": {"as I typed it"}, "message": {"as I wrote it"}})
			body := w.Body.String()
			if w.Code != tt.status || !strings.Contains(body, tt.says) || strings.Contains(body, "disk") {
				t.Errorf("%d, want %d and %q:\n%s", w.Code, tt.status, tt.says, body)
			}
			if tt.status != 404 && tt.status != 500 && (!strings.Contains(body, "as I wrote it") || !strings.Contains(body, "<title>Error: ")) {
				t.Errorf("what was typed is lost, or the title does not say what is up:\n%s", body)
			}
		})
	}
}

func TestAnApprovalAgainstAdviceShowsTheAdvice(t *testing.T) {
	o := &office{view: inReview(intake.ActApprove)}
	o.view.Against = o.view.Dossier.Registration.Findings
	_, e := mounted(t, o)
	body := send(e, "GET", nil).Body.String()
	for _, want := range []string{"The policy advises against approving", "the account is on the blocked list: on &lt;the&gt; list", `required minlength="10"`} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q:\n%s", want, body)
		}
	}
	o.view.Grant.Act = intake.ActDecline
	body = send(e, "GET", nil).Body.String()
	if strings.Contains(body, "advises against") || !strings.Contains(body, `value="blocked_account" selected`) {
		t.Errorf("a refusal as advised:\n%s", body)
	}
}

func TestAUsedLinkTellsWhoDidWhat(t *testing.T) {
	o := &office{view: inReview(intake.ActApprove), err: intake.ErrLinkStale}
	whose := map[string]string{"staff:mia": "mia, staff", "staff:jo": "jo, staff", "timer": "by the clock"}
	for actor, want := range map[string]string{"staff:mia": "Done: ", "staff:jo": "Decided meanwhile", "timer": "Changed meanwhile"} {
		o.view.Since = []intake.Event{{Kind: intake.EventMoved, Actor: actor, From: intake.StatusInReview, To: intake.StatusProvisional}}
		_, e := mounted(t, o)
		for method, status := range map[string]int{"GET": 200, "POST": 409} {
			w := send(e, method, url.Values{})
			body := w.Body.String()
			if w.Code != status || !strings.Contains(body, want) || !strings.Contains(body, whose[actor]) || strings.Contains(body, "<form") {
				t.Errorf("%s after %s: %d, want %q:\n%s", method, actor, w.Code, want, body)
			}
		}
	}
	if len(o.did) > 0 {
		t.Errorf("decided %+v", o.did)
	}
}

// Of the links of one message one is used; the others must not say that they were.
func TestALinkThatWasNotUsedDoesNotSayThatItWas(t *testing.T) {
	o := &office{view: inReview(intake.ActDecline), err: intake.ErrLinkStale}
	o.view.Since = []intake.Event{{Kind: intake.EventMoved, Actor: "staff:mia", From: intake.StatusInReview, To: intake.StatusProvisional}}
	_, e := mounted(t, o)
	if body := send(e, "GET", nil).Body.String(); !strings.Contains(body, "Decided meanwhile") || strings.Contains(body, "It was done once") {
		t.Errorf("%s", body)
	}
	for act, event := range map[intake.StaffAct]intake.Event{
		intake.ActApprove: {Kind: intake.EventMoved, To: intake.StatusLocked}, intake.ActDecline: {Kind: intake.EventMoved, To: intake.StatusDeclined},
		intake.ActAsk: {Kind: intake.EventMoved, To: intake.StatusNeedsInfo}, intake.ActWaitlist: {Kind: intake.EventMoved, To: intake.StatusWaitlisted},
		intake.ActExtend: {Kind: intake.EventExtended}, intake.ActRefuse: {Kind: intake.EventRefused}, intake.ActSeen: {Kind: intake.EventSeen},
		intake.ActRevoke: {Kind: intake.EventProposed}, intake.ActRelease: {Kind: intake.EventMoved, To: intake.StatusExpired},
		intake.ActProgress: {Kind: intake.EventProgress}, intake.ActAckAppeal: {Kind: intake.EventSeen},
	} {
		if !does(act, event) || does(act, intake.Event{Kind: intake.EventAmended}) {
			t.Errorf("%s: the event that it makes is not known by", act)
		}
	}
}

func TestWhatThePartnerWroteAndAsksForStandsAboveTheForm(t *testing.T) {
	o := &office{view: inReview(intake.ActExtend)}
	r := &o.view.Dossier.Registration
	r.Requests, r.Lead[intake.FieldStage] = []intake.Verb{intake.VerbExtend}, intake.StageNewIntro
	o.view.Dossier.Submissions = []intake.Submission{{Text: "the first words"}, {Text: "The meeting <moved>."}}
	_, e := mounted(t, o)
	above, _, _ := strings.Cut(send(e, "GET", nil).Body.String(), "<form")
	for _, want := range []string{"The partner asks for more time", "The meeting &lt;moved&gt;.", "new introduction", "the account is on the blocked list"} {
		if !strings.Contains(above, want) {
			t.Errorf("does not say %q:\n%s", want, above)
		}
	}
	for _, raw := range []string{"new_intro", "blocked_account", "the first words"} {
		if strings.Contains(above, raw) {
			t.Errorf("says %q:\n%s", raw, above)
		}
	}
}

func TestASecondPersonReadsWhoProposedAndWhy(t *testing.T) {
	o := &office{view: inReview(intake.ActRevoke)}
	r := &o.view.Dossier.Registration
	r.Status = intake.StatusProtected
	r.Revoking = intake.Revoking{By: "jo", Reason: intake.ReasonNamedAccount, Why: "It was promised to another."}
	_, e := mounted(t, o)
	body := send(e, "GET", nil).Body.String()
	for _, want := range []string{"jo wants to take the approval back", "It was promised to another.", "a named account of another partner"} {
		if !strings.Contains(body, want) {
			t.Errorf("does not say %q:\n%s", want, body)
		}
	}
}

// Of a company whose country nobody knows it is not said that it is elsewhere.
func TestATerritoryThatIsNotKnownIsNotSaidToBeOutside(t *testing.T) {
	o := &office{view: inReview(intake.ActApprove)}
	o.view.Dossier.Registration.Findings = []intake.Finding{{
		Rule: "territory", Outcome: intake.OutcomeReview, Reason: intake.ReasonOutsideTerritory,
		Evidence: "the country is not known; the partner's territories are DE, AT",
	}}
	for lang, tt := range map[string]struct{ not, want, known string }{
		"en": {"utside the partner", "territory: not the partner's, or not known", "the country is not known; the partner&#39;s territories are DE, AT"},
		"de": {"ußerhalb des Gebiets", "das Gebiet: nicht das des Partners oder nicht bekannt", "das Land ist nicht bekannt; die Gebiete des Partners sind DE, AT"},
	} {
		_, e := speaking(t, o, lang)
		body := send(e, "GET", nil).Body.String()
		if strings.Contains(body, tt.not) || !strings.Contains(body, tt.want) || !strings.Contains(body, tt.known) {
			t.Errorf("%s:\n%s", lang, body)
		}
	}
}

func TestStaffSeeWhatSalesSayAndThatACRMIsDown(t *testing.T) {
	v := inReview(intake.ActApprove)
	v.Dossier.Registration.Deal = intake.Deal{
		CRM: "hubspot", Owner: "Ann Seller", OwnerEmail: "ann@vendor.example", Stage: "Negotiation", Amount: "120000 EUR", Close: "2027-01-29", NextStep: "Security review",
	}
	v.Dossier.Events = []intake.Event{{N: 1, Kind: intake.EventDeal, Actor: "crm:hubspot", Note: "owner, amount"}}
	v.Down = []intake.Condition{{Name: "CRM hubspot", Down: true, Problem: "the <key> is not valid"}}
	for lang, words := range map[string][]string{
		"en": {"CRM hubspot does not work at the moment", "Sales changed the deal: Sales owner, Amount"},
		"de": {"CRM hubspot funktioniert zurzeit nicht", "Der Vertrieb hat den Deal geändert: Im Vertrieb bei, Betrag"},
	} {
		_, e := speaking(t, &office{view: v}, lang)
		body := send(e, "GET", nil).Body.String()
		for _, want := range append(words, "Ann Seller", "ann@vendor.example", "Negotiation", "120000 EUR", "2027-01-29", "Security review", "the &lt;key&gt; is not valid") {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
		_, e = speaking(t, &office{view: v, err: intake.ErrLinkStale}, lang)
		if body := send(e, "GET", nil).Body.String(); !strings.Contains(body, words[0]) {
			t.Errorf("%s: the page of a link that is used does not say %q", lang, words[0])
		}
	}
}
