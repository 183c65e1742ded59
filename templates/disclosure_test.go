package templates

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"leadgate/intake"
)

// TestReasonsOfAClassReadAlike: from what a partner reads, nobody can tell a blocked
// account from a customer.
func TestReasonsOfAClassReadAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []class{classGeneric, classNeutral} {
		var reasons []intake.Reason
		for _, r := range append(intake.Reasons(), "", "a reason of the future") {
			if classOf(r) == c {
				reasons = append(reasons, r)
			}
		}
		for _, tag := range languages() {
			for _, kind := range intake.MessageKinds() {
				for _, status := range intake.Statuses() {
					if (!tells(kind) || tag != fallback) && status != usual[kind] {
						continue
					}
					alike(t, tag, kind, status, reasons)
				}
			}
		}
	}
}

func alike(t *testing.T, tag string, kind intake.MessageKind, status intake.Status, reasons []intake.Reason) {
	t.Helper()
	first := render(t, in(tag, sample(kind, status, reasons[0])))
	for _, reason := range reasons[1:] {
		if got := render(t, in(tag, sample(kind, status, reason))); got != first {
			t.Errorf("%s, %s, %s: %s reads\n%s\n%s reads\n%s", tag, kind, status, reasons[0], first.Text, reason, got.Text)
		}
	}
}

// TestACustomerReadsAsABlockedAccount, by name, for these two must never come apart.
func TestACustomerReadsAsABlockedAccount(t *testing.T) {
	for _, tag := range languages() {
		for _, kind := range intake.MessageKinds() {
			alike(t, tag, kind, intake.StatusDeclined, []intake.Reason{intake.ReasonBlocked, intake.ReasonExistingCustomer})
		}
	}
}

// TestTheWaitingListNamesNoReason: all reasons read alike there.
func TestTheWaitingListNamesNoReason(t *testing.T) {
	first := render(t, sample(intake.MessageWaitlisted, intake.StatusWaitlisted, ""))
	for _, reason := range intake.Reasons() {
		if got := render(t, sample(intake.MessageWaitlisted, intake.StatusWaitlisted, reason)); got != first {
			t.Errorf("%s reads otherwise", reason)
		}
	}
}

func TestOwnReasonsAreTold(t *testing.T) {
	for _, tag := range languages() {
		declined := func(r intake.Reason) Rendered {
			return render(t, in(tag, sample(intake.MessageDeclined, intake.StatusDeclined, r)))
		}
		generic, neutral := declined(intake.ReasonBlocked), declined(intake.ReasonProtectedByOther)
		if generic == neutral {
			t.Error("neutral and generic read alike")
		}
		seen := make(map[string]intake.Reason)
		for _, reason := range intake.Reasons() {
			switch reason { // nothing is declined for these
			case intake.ReasonQuestion, intake.ReasonAppeal, intake.ReasonWithdrawn:
				continue
			}
			if classOf(reason) != classOwn {
				continue
			}
			r := declined(reason)
			if r == generic || r == neutral {
				t.Errorf("%s: %s has no words of its own", tag, reason)
			}
			if other, ok := seen[r.Text]; ok {
				t.Errorf("%s: %s and %s read alike", tag, reason, other)
			}
			seen[r.Text] = reason
		}
	}
}

var (
	canary = regexp.MustCompile(`canary-[a-z]+(-[0-9])?`)
	// numbers are the years and the numbers of marked, and those of its brief.
	numbers = regexp.MustCompile(`20[34][0-9]|7171|7272|\b73\b|4444`)
)

// marked is a message whose every string is a canary, and whose times are of years of
// their own. Its brief is one canary all over.
func marked(kind intake.MessageKind, status intake.Status) intake.Message {
	year := func(y int) time.Time { return time.Date(y, 5, 5, 5, 5, 0, 0, time.UTC) }
	m := intake.Message{
		ID: "canary-id", Kind: kind, At: year(2031), Notice: "canary-notice",
		To: intake.Route{Channel: "canary-channel", Address: "canary-address", Thread: []byte(`"canary-thread"`)},
		Facts: intake.Facts{
			Case: "canary-case", Program: "canary-program", Company: "canary-company", Status: status, Reason: "canary-reason",
			Fields: []intake.FieldFact{
				{Field: intake.FieldProblem, Value: "canary-value", Words: "canary-words"},
				{Field: "canary-field", Value: "canary-stray", Words: "canary-strays"},
			},
			Missing: []intake.Problem{
				{Field: intake.FieldCountry, Code: intake.ProblemMissing, Message: "canary-known"},
				{Field: intake.FieldStage, Code: intake.ProblemInvalid, Message: "canary-known", Given: "canary-given"},
				{Field: intake.FieldCompanyDomain, Code: "canary-code", Message: "canary-message"},
				{Field: "canary-ask", Code: "canary-codes", Message: "canary-remark"},
			},
			Question: "canary-question", Note: "canary-note", Zone: "canary-zone", Locale: "canary-locale",
			Due: year(2032), Until: year(2033), Received: year(2034), Meeting: year(2035), AppealBy: year(2036),
			Contact: intake.Contact{Name: "canary-name", Email: "canary-mail", Role: "canary-role", Status: "canary-contact"},
			Deal:    intake.DealFacts{Owner: "canary-seller", Stage: "canary-sales", Close: "2039-05-05", NextStep: "canary-step"},
			Was:     "canary-was", Extensions: 7171, Days: 7272, Related: "canary-related", Percent: 73,
			StatusLink: "https://canary-link.example/s", RulesLink: "https://canary-page.example/r", Receipt: "canary-receipt", Weekly: true,
			ConfirmLink: "https://canary-confirm.example/c", Typed: true,
			Rules: &intake.Published{
				Version: "canary-version", Hash: "canary-hash", Certified: []string{"canary-product"},
				Required: []intake.Field{"canary-required"}, Tiers: map[string]intake.Terms{"canary-tier": {RunOut: true}},
			},
		},
		Brief: markedBrief(),
	}
	if kind == intake.MessageRequested {
		m.Request = intake.VerbExtend
	}
	m.Changed = []intake.Field{intake.FieldProblem}
	if kind == intake.MessageSummary {
		m.Cases = []intake.Facts{m.Facts}
		m.Faults = []intake.RowFault{{Row: 3, Problem: intake.Problem{Field: "canary-ask", Code: "canary-codes", Message: "canary-remark"}}}
	}
	if kind == intake.MessageDigest {
		m.Week = markedWeek()
	}
	if kind == intake.MessageImported {
		m.Import = &intake.ImportFacts{
			Name: "canary-file", State: "canary-state", Link: "https://canary-result.example/r", Left: 7171,
			Counts: intake.ImportCounts{Rows: 7272, Accepted: 2040, Merged: 2041, Unchanged: 2042, NeedsInfo: 2043, Rejected: 2045},
		}
	}
	return m
}

// markedWeek is a week whose every string is a canary, and whose times are of years of their own.
func markedWeek() *intake.Week {
	year := func(y int) *time.Time {
		t := time.Date(y, 5, 5, 5, 5, 0, 0, time.UTC)
		return &t
	}
	c := intake.WeekCase{
		SafeView: intake.SafeView{
			Case: "canary-case", Company: "canary-company", Stage: "canary-stage", Owner: "canary-owner",
			Protection: "canary-protection", Until: year(2037), Next: "canary-next", Due: year(2038),
			Deal: &intake.DealFacts{Owner: "canary-seller", Stage: "canary-sales", Close: "2039-05-05", NextStep: "canary-step"},
		},
		Asked: []intake.Field{intake.FieldCountry, "canary-field"}, Link: "https://canary-link.example/s",
	}
	met := c
	met.Next = intake.NextMeeting
	return &intake.Week{Yours: []intake.WeekCase{c, met}, Ending: []intake.WeekCase{c}, Open: []intake.WeekCase{c}, More: 7171, Decided: []intake.WeekCase{c}}
}

// markedBrief is a brief with everything in it that one can have, and in all of it the same
// canary.
func markedBrief() *intake.Brief {
	b := sampleBrief(intake.StaffConflict, intake.StatusProtected, intake.ReasonBlocked, time.Date(2044, 5, 5, 5, 5, 0, 0, time.UTC))
	b.Digest = sampleBrief(intake.StaffDigest, "", "", time.Time{}).Digest
	b.Registration.Revoking = intake.Revoking{By: "x", Why: "x"}
	b.Registration.Requests = intake.Verbs()
	b.Registration.PartnerNote, b.Registration.Rationale, b.Registration.Contact = "x", "x", "x"
	b.Outage = sampleBrief(intake.StaffOutage, "", "", time.Date(2044, 5, 5, 5, 5, 0, 0, time.UTC)).Outage
	b.Renewals = []intake.Renewal{{Account: "x", Name: "x", Ends: time.Date(2044, 5, 5, 5, 5, 0, 0, time.UTC), Partner: "x"}}
	b.Probe = &intake.Probe{Domains: 4444, Taken: 4444, Days: 4444, Cases: []string{"x"}}
	b.Percent = 4444
	setStrings(reflect.ValueOf(b), "canary-brief")
	return b
}

// setStrings puts s in the place of every string that is free text, and of no key or code.
func setStrings(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			setStrings(v.Elem(), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				setStrings(v.Field(i), s)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			setStrings(v.Index(i), s)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(v.MapIndex(k))
			setStrings(e, s)
			v.SetMapIndex(k, e)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(s)
		}
	}
}

// TestEveryFactIsMarked makes whoever adds a fact decide who may read it.
func TestEveryFactIsMarked(t *testing.T) {
	v := reflect.ValueOf(marked(intake.MessageSummary, intake.StatusProtected).Facts)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not filled in", v.Type().Field(i).Name)
		}
	}
}

// may is the table of disclosure: what can be seen of marked in a message of a kind, beyond
// the case, the company, the programme and the contact.
var may = map[intake.MessageKind][]string{
	intake.MessageReceived:       {"canary-value", "canary-words", "canary-receipt", "2032"},
	intake.MessageNeedsInfo:      {"canary-value", "canary-words", "canary-given", "canary-question", "canary-message", "canary-remark", "2032"},
	intake.MessageCompleted:      {"canary-value", "canary-words", "canary-receipt", "2032"},
	intake.MessageStatus:         {"2032", "2033", "2034", "2035", "2036", "7171", "7272", "73", "canary-related", "canary-seller", "canary-sales", "2039", "canary-step"},
	intake.MessageChanged:        {"canary-value", "canary-words", "2032", "2033"},
	intake.MessageRequested:      {"2032", "2033", "2036"},
	intake.MessageApproved:       {"canary-value", "canary-words", "canary-note", "canary-receipt", "2032", "2033", "2035", "7171", "7272"},
	intake.MessageDeclined:       {"canary-note", "2036"},
	intake.MessageWaitlisted:     {"2036", "canary-receipt"},
	intake.MessageKnown:          {"2032", "2033", "2034", "canary-related", "canary-receipt"},
	intake.MessageExtended:       {"canary-note", "2032", "2033", "7171", "7272"},
	intake.MessageExpired:        {"2033", "2036"},
	intake.MessageClosed:         {},
	intake.MessageWithdrawn:      {},
	intake.MessageSummary:        {"canary-value", "canary-words", "canary-given", "canary-message", "2032", "2033", "canary-remark"},
	intake.MessageImported:       {"canary-file", "canary-state", "canary-result", "2040", "2041", "2042", "2043", "2045", "7171", "7272"},
	intake.MessageNotice:         {"canary-notice"},
	intake.MessageHelp:           {"canary-notice"},
	intake.MessageConfirm:        {"2032"},
	intake.MessageAnswerReminder: {"canary-given", "canary-question", "canary-message", "canary-remark", "2032"},
	intake.MessageLate:           {"2032", "2033"},
	intake.MessageStepReminder:   {"2032", "2033", "7171", "7272"},
	intake.MessageProtected:      {"2033", "2035", "7171", "7272"},
	intake.MessageLocked:         {"2035"},
	intake.MessageWindowReminder: {"2033", "2035", "7171", "7272"},
	intake.MessageNotExtended:    {"canary-note", "2032", "2033"},
	intake.MessageIdle:           {"2032", "2033"},
	intake.MessageWon:            {"73"},
	intake.MessageLost:           {},
	intake.MessageReopened:       {"canary-was"},
	intake.MessageDeal:           {"canary-seller", "canary-sales", "2039", "canary-step"},
	intake.MessageAppealDecided:  {"canary-note", "canary-was", "2032", "2033"},
	intake.MessageConflict:       {"2032", "2033"},
	intake.MessageRevoked:        {"canary-note", "2036"},
	intake.MessageElevated:       {"canary-related", "2032", "2033", "canary-receipt"},
	intake.MessageTurn:           {"2032", "canary-receipt"},
	intake.MessageOffboarding:    {"2033"},
	intake.MessageGiven:          {"canary-value", "canary-words", "canary-receipt", "2032", "2033", "2035"},
	intake.MessagePassedOn:       {},
	intake.MessageRules:          {"canary-version", "canary-product", "canary-tier"},
	intake.MessageDigest:         {"canary-case", "canary-company", "canary-link", "canary-next", "2037", "2038", "7171", "canary-seller", "canary-sales", "2039", "canary-step"},
	intake.MessageDigestOff:      {},
	intake.MessageDigestOn:       {},
}

// allowed is all of marked that may be in a message.
func allowed(kind intake.MessageKind, status intake.Status) []string {
	if kind == intake.MessageConfirm {
		return append(may[kind], "canary-case", "canary-mail", "canary-name", "canary-program", "canary-confirm")
	}
	if status == intake.StatusQuarantined && about(kind) {
		return []string{"canary-case", "canary-mail", "canary-name", "canary-program"}
	}
	always := []string{"canary-mail", "canary-name", "canary-program", "canary-page"}
	if kind == intake.MessageSummary && status == intake.StatusQuarantined {
		return append(always, "canary-case", "canary-remark") // of rows that are no case
	}
	if about(kind) || kind == intake.MessageSummary {
		always = append(always, "canary-case", "canary-company", "canary-link")
	}
	return slices.Concat(always, may[kind])
}

// TestOnlyWhatAKindMaySayIsSaid is the table of disclosure.
func TestOnlyWhatAKindMaySayIsSaid(t *testing.T) {
	t.Parallel()
	for _, tag := range languages() {
		for _, kind := range intake.MessageKinds() {
			for _, status := range append(intake.Statuses(), "canary-status") {
				m := in(tag, marked(kind, status))
				r := render(t, m)
				p, err := set().Plain(m)
				if err != nil {
					t.Fatal(err)
				}
				for part, text := range map[string]string{"subject": r.Subject, "text": r.Text, "page": r.HTML, "plain": fmt.Sprintf("%+v", p)} {
					for _, found := range slices.Concat(canary.FindAllString(text, -1), numbers.FindAllString(text, -1)) {
						if !slices.Contains(allowed(kind, status), found) {
							t.Errorf("%s, %s, %s: the %s says %s", tag, kind, status, part, found)
						}
					}
				}
			}
		}
	}
}

// TestAnOverrideCannotSayMore prints the whole of what a template can see.
func TestAnOverrideCannotSayMore(t *testing.T) {
	t.Parallel()
	overrides := files()
	for _, kind := range intake.MessageKinds() {
		overrides["en/"+string(kind)+".txt.tmpl"] = &fstest.MapFile{
			Data: []byte("{{.Case}} {{.Contact}}\n{{range .Asks}}{{.Line}}\n{{end}}{{printf \"%+v\" .}}{{with .Rules}}{{printf \"%+v\" .}}{{end}}{{with .Week}}{{printf \"%+v\" .}}{{end}}{{with .Import}}{{printf \"%+v\" .}}{{end}}"),
		}
	}
	nosy, err := New(Options{Overrides: overrides})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range intake.MessageKinds() {
		for _, status := range intake.Statuses() {
			r, err := nosy.Render(marked(kind, status))
			if err != nil {
				t.Fatal(err)
			}
			text := regexp.MustCompile(`0x[0-9a-f]+`).ReplaceAllString(r.Text, "") // where something lies in memory
			for _, found := range slices.Concat(canary.FindAllString(text, -1), numbers.FindAllString(text, -1)) {
				if !slices.Contains(allowed(kind, status), found) {
					t.Errorf("%s, %s: a template can see %s", kind, status, found)
				}
			}
		}
	}
	blocked, err := nosy.Render(sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonBlocked))
	if err != nil || strings.Contains(blocked.Text, string(intake.ReasonBlocked)) {
		t.Errorf("%v: a template can see that the account is blocked\n%s", err, blocked.Text)
	}
}

// TestAPartnersTemplateHasNoBriefToLookAt: an override that reaches for what staff are told is
// refused at start.
func TestAPartnersTemplateHasNoBriefToLookAt(t *testing.T) {
	for _, field := range []string{"Brief", "Partner", "Findings", "Links", "Conflict", "Digest"} {
		_, err := New(Options{Overrides: files("en/known.txt.tmpl", "{{.Case}} {{.Contact}} {{."+field+"}}")})
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestWhatAKindShallSayIsSaid keeps the table above from passing by silence.
func TestWhatAKindShallSayIsSaid(t *testing.T) {
	for kind, wanted := range map[intake.MessageKind][]string{
		intake.MessageReceived:   {"canary-value", `you wrote "canary-words"`, "2032", "UTC"},
		intake.MessageNeedsInfo:  {"canary-value", "canary-question", "canary-message", "canary-remark", "canary-given", "2032", "Country: ", "Company domain: "},
		intake.MessageCompleted:  {"canary-value", `you wrote "canary-words"`, "2032", "complete", "canary-receipt"},
		intake.MessageExtended:   {"canary-note", "2033", "Extended", "first meeting"},
		intake.MessageStatus:     {"2033", "2034", "2035", "held for you"},
		intake.MessageChanged:    {"canary-value", `you wrote "canary-words"`, "We changed:"},
		intake.MessageRequested:  {"canary-name decides", "2033", "more time"},
		intake.MessageApproved:   {"canary-value", "canary-note", "2032", "2033", "first meeting"},
		intake.MessageDeclined:   {"canary-note", "not eligible", "2036", "APPEAL"},
		intake.MessageWaitlisted: {"on the list"},
		intake.MessageKnown:      {"canary-related"},
		intake.MessageExpired:    {"2033", "2036"},
		intake.MessageClosed:     {"did not arrive in time", "send the registration again"},
		intake.MessageWithdrawn:  {"Withdrawn. "},
		intake.MessageSummary:    {"canary-case", "canary-company", "canary-value", "Row 3: ", "canary-remark", "lines like this one", "canary-case Contact role: "},
		intake.MessageImported:   {"canary-file: 7272 rows", "canary-result", "2040 registered", "2041 known already, 2042", "2043 registered", "2045 not", "7171 not processed", "send the file again"},
		intake.MessageNotice:     {"nothing was registered", "Company name: "},
		intake.MessageConfirm:    {"canary-case", "If it was you", "canary-confirm", "nobody", "confirm it until", "2032"},
		intake.MessageHelp:       {"STATUS", "WITHDRAW", "EXTEND", "APPEAL", "RULES", "AGREE", "DIGEST OFF", "Company name: "},
		intake.MessageDigest:     {"canary-case", "canary-company", "2037", "2038", "7171", "Country", "canary-case Country: ", "DIGEST OFF"},
		intake.MessageDigestOff:  {"no longer comes", "DIGEST ON"},
		intake.MessageDigestOn:   {"on Mondays", "DIGEST OFF"},

		intake.MessageAnswerReminder: {"canary-question", "canary-given", "2032", "Country: ", "in 366 days"},
		intake.MessageLate:           {"2032", "sorry", "lose nothing"},
		intake.MessageStepReminder:   {"2032", "in 366 days", "invitation", "introduces", "EXTEND", "7171", "7272"},
		intake.MessageProtected:      {"2033", "2035"},
		intake.MessageLocked:         {"without an end for now", "open and moving"},
		intake.MessageWindowReminder: {"2033", "in 731 days", "EXTEND", "7171", "7272"},
		intake.MessageNotExtended:    {"canary-note", "2033", "Not extended"},
		intake.MessageIdle:           {"2032", "still working", "WITHDRAW"},
		intake.MessageWon:            {"73 %", "Won"},
		intake.MessageLost:           {"Closed", "at any time"},
		intake.MessageReopened:       {"opened again"},
		intake.MessageDeal:           {"canary-seller", "canary-sales", "2039", "canary-step"},
		intake.MessageAppealDecided:  {"canary-note", "decision stands"},
		intake.MessageConflict:       {"other information", "2032"},
		intake.MessageRevoked:        {"canary-note", "taken back", "2036"},
		intake.MessageElevated:       {"canary-related", "2032", "canary-receipt"},
		intake.MessageTurn:           {"Kept for you until", "2032", "your turn"},
		intake.MessageOffboarding:    {"2033", "membership"},
		intake.MessageRules:          {"canary-version", "canary-product", "canary-tier", "AGREE canary-version", "canary-page"},
	} {
		r := render(t, marked(kind, usual[kind]))
		if about(kind) && kind != intake.MessageConfirm {
			wanted = append(wanted, "canary-case", "canary-company", "canary-link")
		}
		for _, w := range append(wanted, "canary-mail", "canary-name") {
			page := strings.ReplaceAll(strings.ReplaceAll(r.HTML, "&#34;", `"`), "&#43;", "+")
			text := strings.Join(strings.Fields(r.Text), " ")
			if !strings.Contains(text, strings.TrimSpace(w)) || !strings.Contains(page, w) {
				t.Errorf("%s does not say %q", kind, w)
			}
		}
	}
}

// TestEveryReasonHasAClass makes whoever adds a reason decide what partners read of it.
func TestEveryReasonHasAClass(t *testing.T) {
	for _, r := range intake.Reasons() {
		if classes[r] == "" {
			t.Errorf("%s is in no class", r)
		}
	}
	if len(classes) != len(intake.Reasons()) {
		t.Errorf("%d reasons have a class, there are %d", len(classes), len(intake.Reasons()))
	}
	if got := classOf("a reason of the future"); got != classGeneric {
		t.Errorf("a new reason is %s", got)
	}
}

// TestEveryKindIsInTheTableOfWhatIsSaid: a kind that is forgotten there would say nothing.
func TestEveryKindIsInTheTableOfWhatIsSaid(t *testing.T) {
	for _, kind := range intake.MessageKinds() {
		if _, ok := says[kind]; !ok && about(kind) && kind != intake.MessageConfirm {
			t.Errorf("%s is not in the table", kind)
		}
		if _, ok := may[kind]; !ok {
			t.Errorf("%s is not in the table of this test", kind)
		}
	}
}
