package templates

import (
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
	for _, reasons := range [][]intake.Reason{
		{
			intake.ReasonBlocked, intake.ReasonExistingCustomer, intake.ReasonNotEligible, intake.ReasonHomograph,
			intake.ReasonCRMUnverified, "", "a reason of the future",
		},
		{intake.ReasonProtectedByOther, intake.ReasonContested, intake.ReasonExistingDeal, intake.ReasonSimilarAccount},
	} {
		for _, kind := range intake.MessageKinds() {
			for _, status := range intake.Statuses() {
				if !tells(kind) && status != usual[kind] {
					continue
				}
				first := render(t, sample(kind, status, reasons[0]))
				for _, reason := range reasons[1:] {
					if got := render(t, sample(kind, status, reason)); got != first {
						t.Errorf("%s, %s: %s reads\n%s\n%s reads\n%s", kind, status, reasons[0], first.Text, reason, got.Text)
					}
				}
			}
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
	generic := render(t, sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonBlocked))
	neutral := render(t, sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonProtectedByOther))
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
		r := render(t, sample(intake.MessageDeclined, intake.StatusDeclined, reason))
		if r == generic || r == neutral {
			t.Errorf("%s has no words of its own", reason)
		}
		if other, ok := seen[r.Text]; ok {
			t.Errorf("%s and %s read alike", reason, other)
		}
		seen[r.Text] = reason
	}
}

var canary = regexp.MustCompile(`canary-[a-z]+(-[0-9])?`)

// marked is a message whose every string is a canary, and whose times are of years of
// their own.
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
			Due: year(2032), Until: year(2033), Received: year(2034),
			Contact: intake.Contact{Name: "canary-name", Email: "canary-mail", Role: "canary-role"},
		},
	}
	if kind == intake.MessageRequested {
		m.Request = intake.VerbExtend
	}
	m.Changed = []intake.Field{intake.FieldProblem}
	if kind == intake.MessageSummary {
		m.Cases = []intake.Facts{m.Facts}
		m.Faults = []intake.RowFault{{Row: 3, Problem: intake.Problem{Field: "canary-ask", Code: "canary-codes", Message: "canary-remark"}}}
	}
	return m
}

// TestOnlyWhatAKindMaySayIsSaid is the table of disclosure.
func TestOnlyWhatAKindMaySayIsSaid(t *testing.T) {
	always := []string{"canary-case", "canary-company", "canary-mail", "canary-name", "canary-program"}
	allowed := map[intake.MessageKind][]string{
		intake.MessageReceived:   {"canary-value", "canary-words", "2032"},
		intake.MessageNeedsInfo:  {"canary-value", "canary-words", "canary-given", "canary-question", "canary-message", "canary-remark", "2032"},
		intake.MessageStatus:     {"2032", "2033", "2034"},
		intake.MessageChanged:    {"canary-value", "canary-words", "2032", "2033"},
		intake.MessageRequested:  {"2032", "2033"},
		intake.MessageApproved:   {"canary-value", "canary-words", "canary-note", "2032", "2033"},
		intake.MessageDeclined:   {"canary-note", "2032"},
		intake.MessageWaitlisted: {"2032"},
		intake.MessageKnown:      {"2032", "2033", "2034"},
		intake.MessageExtended:   {"canary-note", "2032", "2033"},
		intake.MessageExpired:    {"2032", "2033"},
		intake.MessageClosed:     {},
		intake.MessageWithdrawn:  {},
		intake.MessageSummary:    {"canary-value", "canary-words", "canary-given", "canary-message", "2032", "2033", "canary-remark"},
		intake.MessageNotice:     {},
		intake.MessageHelp:       {},
		intake.MessageConfirm:    {},
	}
	years := regexp.MustCompile(`20[0-9]{2}`)
	for _, kind := range intake.MessageKinds() {
		for _, status := range append(intake.Statuses(), "canary-status") {
			r := render(t, marked(kind, status))
			may := slices.Concat(always, allowed[kind])
			if status == intake.StatusQuarantined || kind == intake.MessageConfirm {
				may = []string{"canary-case", "canary-mail", "canary-name", "canary-program"}
				if kind == intake.MessageSummary {
					may = append(may, "canary-remark") // of rows that are no case
				}
			}
			for part, text := range map[string]string{"subject": r.Subject, "text": r.Text, "page": r.HTML} {
				for _, found := range slices.Concat(canary.FindAllString(text, -1), years.FindAllString(text, -1)) {
					if !slices.Contains(may, found) {
						t.Errorf("%s, %s: the %s says %s", kind, status, part, found)
					}
				}
			}
		}
	}
}

// TestAnOverrideCannotSayMore prints the whole of what a template can see.
func TestAnOverrideCannotSayMore(t *testing.T) {
	overrides := files()
	for _, kind := range intake.MessageKinds() {
		overrides["en/"+string(kind)+".txt.tmpl"] = &fstest.MapFile{
			Data: []byte("{{.Case}} {{.Contact}}\n{{range .Asks}}{{.Line}}\n{{end}}{{printf \"%+v\" .}}"),
		}
	}
	nosy, err := New(Options{Overrides: overrides})
	if err != nil {
		t.Fatal(err)
	}
	never := []string{"canary-reason", "canary-role", "canary-zone", "canary-locale", "canary-field", "canary-stray", "canary-id", "canary-thread", "canary-address"}
	for kind, withheld := range map[intake.MessageKind][]string{
		intake.MessageReceived:   {"canary-question", "canary-message", "canary-note"},
		intake.MessageNeedsInfo:  {"canary-note"},
		intake.MessageExtended:   {"canary-value", "canary-question", "canary-message"},
		intake.MessageStatus:     {"canary-value", "canary-question", "canary-message", "canary-note", "canary-given"},
		intake.MessageChanged:    {"canary-question", "canary-message", "canary-note", "canary-given"},
		intake.MessageRequested:  {"canary-value", "canary-question", "canary-message", "canary-note", "canary-given"},
		intake.MessageApproved:   {"canary-question", "canary-message"},
		intake.MessageDeclined:   {"canary-value", "canary-words", "canary-question", "canary-message", "Country", "2033", "2034"},
		intake.MessageWaitlisted: {"canary-value", "canary-words", "canary-question", "canary-message", "canary-note", "Country", "2033", "2034"},
		intake.MessageKnown:      {"canary-value", "canary-question", "canary-message", "canary-note"},
		intake.MessageExpired:    {"canary-value", "canary-question", "canary-message", "canary-note"},
		intake.MessageClosed:     {"canary-value", "canary-question", "canary-message", "canary-note", "2032", "2033", "2034"},
		intake.MessageWithdrawn:  {"canary-value", "canary-question", "canary-message", "canary-note", "2032", "2033", "2034"},
		intake.MessageSummary:    {"canary-question", "canary-message", "canary-note", "2034"},
		intake.MessageNotice:     {"canary-value", "canary-question", "canary-message", "canary-note", "canary-case", "canary-company", "2032", "2033", "2034"},
		intake.MessageConfirm:    {"canary-value", "canary-question", "canary-message", "canary-note", "canary-company", "2032", "2033", "2034"},
		intake.MessageHelp:       {"canary-value", "canary-question", "canary-message", "canary-note", "canary-case", "canary-company", "2032", "2033", "2034"},
	} {
		r, err := nosy.Render(marked(kind, usual[kind]))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range append(withheld, never...) {
			if strings.Contains(r.Text, word) {
				t.Errorf("%s: a template can see %s", kind, word)
			}
		}
	}
	blocked, err := nosy.Render(sample(intake.MessageDeclined, intake.StatusDeclined, intake.ReasonBlocked))
	if err != nil || strings.Contains(blocked.Text, string(intake.ReasonBlocked)) {
		t.Errorf("%v: a template can see that the account is blocked\n%s", err, blocked.Text)
	}
}

// TestWhatAKindShallSayIsSaid keeps the table above from passing by silence.
func TestWhatAKindShallSayIsSaid(t *testing.T) {
	for kind, wanted := range map[intake.MessageKind][]string{
		intake.MessageReceived:   {"canary-value", `you wrote "canary-words"`, "2032", "UTC"},
		intake.MessageNeedsInfo:  {"canary-value", "canary-question", "canary-message", "canary-remark", "canary-given", "2032", "Country: ", "Company domain: "},
		intake.MessageExtended:   {"canary-note", "2033", "Extended", "first meeting"},
		intake.MessageStatus:     {"2033", "2034", "held for you"},
		intake.MessageChanged:    {"canary-value", `you wrote "canary-words"`, "We changed:"},
		intake.MessageRequested:  {"canary-name decides", "2033", "more time"},
		intake.MessageApproved:   {"canary-value", "canary-note", "2032", "2033", "first meeting"},
		intake.MessageDeclined:   {"canary-note", "not eligible"},
		intake.MessageWaitlisted: {"on the list"},
		intake.MessageKnown:      {"2033", "2034"},
		intake.MessageExpired:    {"2033"},
		intake.MessageClosed:     {"did not arrive in time", "send the registration again"},
		intake.MessageWithdrawn:  {"Withdrawn. "},
		intake.MessageSummary:    {"canary-case", "canary-company", "canary-value", "Row 3: ", "canary-remark", "lines like this one", "canary-case Contact role: "},
		intake.MessageNotice:     {"nothing was registered", "Company name: "},
		intake.MessageConfirm:    {"canary-case", "does not", "nobody"},
		intake.MessageHelp:       {"STATUS", "WITHDRAW", "EXTEND", "APPEAL", "Company name: "},
	} {
		r := render(t, marked(kind, usual[kind]))
		if about(kind) && kind != intake.MessageConfirm {
			wanted = append(wanted, "canary-case", "canary-company")
		}
		for _, w := range append(wanted, "canary-mail", "canary-name") {
			page := strings.ReplaceAll(strings.ReplaceAll(r.HTML, "&#34;", `"`), "&#43;", "+")
			if !strings.Contains(r.Text, w) || !strings.Contains(page, w) {
				t.Errorf("%s does not say %q", kind, w)
			}
		}
	}
}

// TestEveryReasonHasAClass makes whoever adds a reason decide what partners read of it.
func TestEveryReasonHasAClass(t *testing.T) {
	generic := []intake.Reason{
		intake.ReasonBlocked, intake.ReasonExistingCustomer, intake.ReasonHomograph,
		intake.ReasonCRMUnverified, intake.ReasonNotEligible, intake.ReasonAutomatic,
	}
	for _, r := range intake.Reasons() {
		_, listed := classes[r]
		if listed == slices.Contains(generic, r) {
			t.Errorf("%s is neither listed nor meant to be generic, or both", r)
		}
	}
}
