package desk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"leadgate/channels/pages"
	"leadgate/intake"
)

func TestWhateverStaffAreShownHasWordsInEveryLanguage(t *testing.T) {
	d, _ := mounted(t, &office{})
	for _, lang := range pages.Languages() {
		say := func(name string, key any, not string) {
			t.Helper()
			var b strings.Builder
			if err := d.confirm[lang].ExecuteTemplate(&b, name, key); err != nil || strings.TrimSpace(b.String()) == "" || b.String() == not {
				t.Errorf("%s: %s %v: %q, %v", lang, name, key, &b, err)
			}
		}
		for _, s := range intake.Statuses() {
			say("status", s, "")
		}
		for _, s := range intake.Strengths() {
			say("strength", s, string(s))
		}
		for _, o := range intake.Outcomes() {
			say("outcome", o, string(o))
		}
		for _, r := range intake.Reasons() {
			say("why", r, string(r))
		}
		for _, v := range intake.Verbs() {
			say("request", v, "")
		}
		for _, act := range intake.StaffActs() {
			say("act", act, string(act))
			say("effect", act, string(act))
			say("button", act, string(act))
			for _, r := range reasons(act) {
				say("reason", r, string(r))
			}
		}
		for _, k := range intake.EventKinds() {
			say("event", entry{Event: intake.Event{Kind: k, To: intake.StatusWon}}, string(k))
		}
		for _, by := range []string{"staff", "partner", "crm", "channel", "policy", "timer", "gateway"} {
			say("actor", entry{By: by, Name: "x"}, "x")
		}
	}
}

var (
	define = regexp.MustCompile(`(?m)^\{\{define "([^"]+)"\}\}`)
	code   = regexp.MustCompile(`"[a-z_]+"`)
	action = regexp.MustCompile(`(?s)\{\{.*?\}\}|<[^>]*>`)
)

// phrases are the templates of a language by name.
func phrases(t *testing.T, lang string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("html", "desk."+lang+".html"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	starts := append(define.FindAllStringSubmatchIndex(string(b), -1), []int{len(b)})
	for i, at := range starts[:len(starts)-1] {
		all[string(b[at[2]:at[3]])] = string(b[at[1]:starts[i+1][0]])
	}
	return all
}

func TestEveryPhraseIsThereInBothLanguages(t *testing.T) {
	en, de := phrases(t, "en"), phrases(t, "de")
	if a, b := slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(de)); len(a) < 50 || !slices.Equal(a, b) {
		t.Errorf("phrases in English:\n%q\nin German:\n%q", a, b)
	}
	for name, words := range en {
		cases := code.FindAllString(words, -1)
		german := code.FindAllString(de[name], -1)
		for _, c := range cases {
			if !slices.Contains(german, c) {
				t.Errorf("%s has no German words for %s", name, c)
			}
		}
	}
	for _, list := range [][]saying{problems, notes, evidence} {
		for _, s := range list {
			if s.de == "" || s.en == s.says {
				t.Errorf("%q: %+v", s.says, s)
			}
			for _, h := range hole.FindAllString(s.in("en")+s.de, -1) {
				if n, _ := strconv.Atoi(h[1:2]); n < 1 || n > len(verb.FindAllString(s.says, -1)) {
					t.Errorf("%q: there is no %s in it", s.says, h)
				}
			}
		}
	}
}

// pieces are the words of phrases between what is filled in. A word alone counts if it is long:
// a short one may be part of a German word or of somebody's name.
func pieces(words string) []string {
	var all []string
	for _, p := range action.Split(words, -1) {
		p = strings.Trim(strings.TrimSpace(p), ":;,.()“”„ ")
		if len(p) >= 5 {
			all = append(all, p)
		}
	}
	return all
}

// everything is a case to which all happened that can, in the state s.
func everything(act intake.StaffAct, s intake.Status) intake.View {
	v := inReview(act)
	r := &v.Dossier.Registration
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r.Status, r.Since, r.Claim, r.Question, r.Requests, r.Conflict = s, at, at, "?", intake.Verbs(), "K-2026-000001-X"
	r.Protection = intake.Protection{Start: at, End: at, Extended: 2}
	r.Revoking = intake.Revoking{By: "jo", Reason: intake.ReasonNamedAccount, Why: "…", At: at}
	r.Findings = nil
	for i, reason := range intake.Reasons() {
		outcome := intake.Outcomes()[i%len(intake.Outcomes())]
		r.Findings = append(r.Findings, intake.Finding{Rule: "x", Outcome: outcome, Reason: reason, Evidence: filled(evidence[i%len(evidence)].says)})
	}
	for field, value := range map[intake.Field]string{intake.FieldStage: intake.StageDiscoveryScheduled, intake.FieldConsent: intake.ConsentYes, intake.FieldKind: intake.KindLead} {
		r.Lead[field] = value
	}
	r.Evidence = map[intake.Field]string{intake.FieldConsent: "Ja."}
	for _, k := range intake.EventKinds() {
		v.Since = append(v.Since, intake.Event{Kind: k, At: at, Actor: "policy", From: intake.StatusInReview, To: s, Reason: intake.ReasonAppeal})
	}
	for i, note := range notes {
		actors := []string{"staff:mia", "partner:alpha", "crm:crm", "channel:email", "timer", "gateway"}
		v.Since = append(v.Since, intake.Event{Kind: intake.EventSeen, At: at, Actor: actors[i%len(actors)], Note: filled(note.says)})
	}
	for _, rang := range []string{"end", "late", "decision", "meeting", "idle", "silent", "acknowledge", "plan", "answer_reminder", "step_reminder", "window_reminder"} {
		v.Since = append(v.Since, intake.Event{Kind: intake.EventRang, At: at, Actor: "timer", Note: rang + ":2026-11-24T12:00:00Z"})
	}
	v.Since = append(v.Since, intake.Event{Kind: intake.EventProposed, Actor: "staff:jo", Note: string(intake.ActRevoke)}, intake.Event{Kind: intake.EventRequested, Actor: "partner:alpha", Note: "extend"})
	v.Against, v.Dossier.Events = r.Findings, v.Since
	v.Dossier.Chain = "17"
	v.Dossier.Submissions = []intake.Submission{{Channel: "email", ReceivedAt: at, Sender: intake.Sender{Address: "ana@alpha.example"}, Text: "…"}}
	return v
}

// filled is a format with something in it that is no word.
func filled(format string) string { return verb.ReplaceAllString(format, "17") }

// Nobody who reads German stumbles over English: whatever a page shows, none of the English
// phrases is on it.
func TestNoPageInGermanHoldsAnEnglishPhrase(t *testing.T) {
	english := make(map[string]bool)
	for _, words := range phrases(t, "en") {
		for _, p := range pieces(words) {
			english[p] = true
		}
	}
	for _, list := range [][]saying{problems, notes, evidence} {
		for _, s := range list {
			for _, words := range []string{verb.ReplaceAllString(s.says, "{{}}"), hole.ReplaceAllString(s.in("en"), "{{}}")} {
				for _, p := range pieces(words) {
					english[p], english[sentence(p)] = true, true
				}
			}
		}
	}
	for _, same := range []string{"Partner", "partner"} { // in both languages
		delete(english, same)
	}
	if len(english) < 150 {
		t.Fatalf("only %d phrases are looked for", len(english))
	}
	check := func(what, body string) {
		t.Helper()
		text := html.UnescapeString(strings.NewReplacer("English</a>", "").Replace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")))
		if !strings.Contains(body, `<html lang="de">`) {
			t.Errorf("%s is not in German:\n%s", what, body)
		}
		for p := range english {
			if i := strings.Index(text, p); i >= 0 && !inWord(text, i, len(p)) {
				t.Errorf("%s says %q: …%s…", what, p, text[max(0, i-40):min(len(text), i+len(p)+40)])
			}
		}
	}
	o := &office{}
	_, e := speaking(t, o, "de-AT")
	look := func(act intake.StaffAct, s intake.Status) {
		o.view, o.err, o.not = everything(act, s), nil, nil
		check(string(act)+" "+string(s), send(e, "GET", nil).Body.String())
		o.err = intake.ErrLinkStale
		check("closed "+string(act)+" "+string(s), send(e, "GET", nil).Body.String())
	}
	for _, s := range intake.Statuses() {
		look(intake.ActApprove, s)
	}
	for _, act := range intake.StaffActs() {
		look(act, intake.StatusProtected)
		o.view, o.err = everything(act, intake.StatusInReview), nil
		o.view.May = false
		check("viewer "+string(act), send(e, "GET", nil).Body.String())
	}
	o.view = inReview(intake.ActDecline)
	form := url.Values{"days": {"5"}, "reason": {string(intake.ReasonBlocked)}, "rationale": {"x"}}
	for _, p := range problems {
		o.not = &intake.ErrInput{Problem: filled(p.says)}
		check(p.says, send(e, "POST", form).Body.String())
	}
	for _, not := range []error{
		intake.ErrCaseChanged, intake.ErrNotAllowed, intake.ErrNotYet, intake.ErrLinkRevoked,
		&intake.HeldError{Case: "LG-1", Holder: "LG-2"}, intake.CheckTransition(intake.StatusWon, intake.StatusDeclined, intake.TriggerStaff),
	} {
		o.not = not
		check(not.Error(), send(e, "POST", form).Body.String())
	}
}

// inWord reports whether a piece of a text is the middle of a word.
func inWord(text string, at, length int) bool {
	letter := func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b >= 0x80 }
	return at > 0 && letter(text[at-1]) || at+length < len(text) && letter(text[at+length])
}

// byCommand are the acts that no link is for; what they refuse is told on the command line.
var byCommand = []string{
	"Amend", "Assign", "Dismiss", "Retry", "Dossier", "Recheck", "Reopen", "Attribute", "Progress",
	"AcknowledgeConflict", "PlanConflict", "AddEvidence", "ResolveConflict", "second", "inConflict",
}

// What an act can be refused for stands in the source of the acts. All of it has words here, so
// that a new refusal is not told in English only.
func TestEveryRefusalOfAnActHasWords(t *testing.T) {
	found := 0
	for _, name := range []string{"staff.go", "staffhold.go", "protection.go", "settle.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "intake", name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || slices.Contains(byCommand, fn.Name.Name) {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if typ, named := func() (*ast.Ident, bool) {
					if !ok {
						return nil, false
					}
					id, named := lit.Type.(*ast.Ident)
					return id, named
				}(); !named || typ.Name != "ErrInput" || len(lit.Elts) != 1 {
					return true
				}
				format := ""
				ast.Inspect(lit.Elts[0], func(n ast.Node) bool {
					if s, ok := n.(*ast.BasicLit); ok && format == "" && s.Kind == token.STRING {
						format, _ = strconv.Unquote(s.Value)
					}
					return true
				})
				if format == "" || strings.HasSuffix(format, "is not a case number") {
					return true // an error of another, or a number that no link holds
				}
				found++
				if !slices.ContainsFunc(problems, func(s saying) bool { return s.says == format }) {
					t.Errorf("%s in %s: no words for %q", fn.Name.Name, name, format)
				}
				return true
			})
		}
	}
	if found < 15 {
		t.Errorf("only %d refusals were found", found)
	}
}

func TestWhatTheGatewaySaysIsToldInTheLanguageOfThePage(t *testing.T) {
	d, _ := mounted(t, &office{})
	for _, tt := range []struct {
		list         []saying
		says, en, de string
	}{
		{problems, "the case is in_review and holds no account", "the case is “in review”, and no company is protected by it", "der Stand ist „liegt zur Entscheidung vor“; es ist kein Unternehmen dadurch geschützt"},
		{problems, "by how many days? the policy allows 1 to 30 (extension.days)", "by how many days? The rules allow 1 to 30", "um wie viele Tage? Die Regeln erlauben 1 bis 30"},
		{problems, "something that nobody thought of", "something that nobody thought of", "something that nobody thought of"},
		{notes, "to 2026-11-24T22:59:59Z, 30 days later", "to Tuesday 24 November 2026, 22:59 UTC, 30 days later", "bis Dienstag, 24. November 2026, 22:59 Uhr UTC, um 30 Tage"},
		{notes, "meeting 2026-11-24T09:00:00Z; told by mia", "meeting on Tuesday 24 November 2026, 09:00 UTC, told by mia", "Treffen am Dienstag, 24. November 2026, 09:00 Uhr UTC, gemeldet von mia"},
		{evidence, "case LG-1 of partner beta (in_review): same domain", "case LG-1 of partner beta (in review): same domain", "Vorgang LG-1 von Partner beta (liegt zur Entscheidung vor): same domain"},
	} {
		if got := d.say("en", tt.list, tt.says); got != tt.en {
			t.Errorf("%q, want %q", got, tt.en)
		}
		if got := d.say("de", tt.list, tt.says); got != tt.de {
			t.Errorf("%q, want %q", got, tt.de)
		}
	}
}

func TestTheLanguageIsAskedForOrThatOfStaffOrTheBrowsers(t *testing.T) {
	for _, tt := range []struct{ locale, query, browser, want string }{
		{"", "", "", "en"},
		{"", "", "de-CH,en;q=0.5", "de"},
		{"de", "", "en", "de"},
		{"de-AT", "", "en", "de"},
		{"en", "", "de", "en"},
		{"fr", "", "de", "de"},
		{"de", "?lang=en", "de", "en"},
	} {
		o := &office{view: inReview(intake.ActDecline)}
		_, e := speaking(t, o, tt.locale)
		ask := func(method, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "/desk/token"+tt.query, strings.NewReader(body))
			r.Header.Set("Accept-Language", tt.browser)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			return w
		}
		for name, page := range map[string]string{
			"the page": ask("GET", "").Body.String(), "a problem": ask("POST", "reason=").Body.String(),
		} {
			if !strings.Contains(page, `<html lang="`+tt.want+`">`) {
				t.Errorf("%+v: %s:\n%s", tt, name, page)
			}
			other := `href="?lang=` + pages.OtherLanguage(tt.want) + `"`
			if offered := strings.Contains(page, other); offered == (name == "a problem") {
				t.Errorf("%+v: %s offers the other language: %v", tt, name, offered)
			}
		}
		if to := ask("POST", "reason=blocked_account&rationale=long+enough").Header().Get("Location"); to != "/desk/token"+tt.query {
			t.Errorf("%+v: it leads to %q", tt, to)
		}
		o.err = intake.ErrLinkInvalid
		if page := ask("GET", "").Body.String(); !strings.Contains(page, `<html lang="`+tt.want+`">`) {
			t.Errorf("%+v: a link that is not good:\n%s", tt, page)
		}
	}
}
