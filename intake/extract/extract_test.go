package extract

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/cputime"
	"leadgate/intake/identity"
)

var update = flag.Bool("update", false, "write the expectations of testdata anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lists is shared: making it takes longer than reading a mail.
var lists = identity.Default()

func newTestExtractor() *Extractor {
	return New(lists, Options{OwnDomain: func(k string) bool { return k == "vendor.com" }})
}

// expectation is what a case file states as want.json.
type expectation struct {
	Lead     intake.Lead             `json:"lead"`
	Evidence map[intake.Field]string `json:"evidence"`
	New      string                  `json:"new"`
	Inline   bool                    `json:"inline,omitempty"`
}

func expect(res Result) expectation {
	x := expectation{New: res.New, Inline: res.Inline, Lead: intake.Lead{}, Evidence: map[intake.Field]string{}}
	for _, l := range res.Leads[:min(1, len(res.Leads))] {
		x.Lead = l.Fields
		for f, v := range l.Evidence {
			x.Evidence[f] = v.Words
		}
	}
	return x
}

// first is the first lead of a text.
func first(e *Extractor, in Input) intake.Lead { return expect(e.Extract(in)).Lead }

// TestCases reads each file of testdata/cases: a mail's text, HTML, subject and sender
// domain, and what is to be understood of it.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d case files, err %v", len(files), err)
	}
	e := newTestExtractor()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want := parseCase(t, a)
			res := e.Extract(in)
			got, err := json.MarshalIndent(expect(res), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if *update {
				want.Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
			checkInvariants(t, e, in)
		})
	}
}

func parseCase(t *testing.T, a *txtar.Archive) (Input, *txtar.File) {
	t.Helper()
	var in Input
	var want *txtar.File
	for i := range a.Files {
		s := string(a.Files[i].Data)
		switch a.Files[i].Name {
		case "text":
			in.Text = s
		case "html":
			in.HTML = s
		case "subject":
			in.Subject = strings.TrimSpace(s)
		case "sender":
			in.SenderDomain = strings.TrimSpace(s)
		case "want.json":
			want = &a.Files[i]
		default:
			t.Fatalf("unknown section %q", a.Files[i].Name)
		}
	}
	if want == nil {
		t.Fatal("no want.json")
	}
	return in, want
}

// checkInvariants checks what holds for every input.
func checkInvariants(t *testing.T, e *Extractor, in Input) {
	t.Helper()
	res, again := e.Extract(in), e.Extract(in)
	if fmt.Sprint(res) != fmt.Sprint(again) {
		t.Errorf("two runs differ:\n%v\n%v", res, again)
	}
	if !clean(res.New, "\n\t") {
		t.Errorf("new text holds control characters: %q", res.New)
	}
	if len(res.Leads) > MaxLeads {
		t.Errorf("%d leads", len(res.Leads))
	}
	for _, l := range res.Leads {
		checkLead(t, res.Text, l)
	}
}

// checkLead checks the values of a lead, and that the words of each stand where its evidence
// says.
func checkLead(t *testing.T, text string, l Lead) {
	t.Helper()
	for f, v := range l.Fields {
		if v == "" || !clean(v, "\n") || !slices.Contains(intake.Fields(), f) {
			t.Errorf("%s = %q", f, v)
		}
		ev := l.Evidence[f]
		switch {
		case ev.Words == "":
			t.Errorf("no evidence of %s", f)
		case ev.Start == 0 && ev.End == 0:
		case ev.Start < 0 || ev.End > len(text) || ev.Start >= ev.End:
			t.Errorf("%s: evidence at %d to %d of %d", f, ev.Start, ev.End, len(text))
		case !strings.Contains(text[ev.Start:ev.End], clip(ev.Words, 40)):
			t.Errorf("%s: evidence %q is not at %q", f, ev.Words, text[ev.Start:ev.End])
		}
		if ev.Score < keep || ev.Score > 1 {
			t.Errorf("%s: score %v", f, ev.Score)
		}
	}
	if len(l.Evidence) != len(l.Fields) {
		t.Errorf("%d values, %d pieces of evidence", len(l.Fields), len(l.Evidence))
	}
	cleaned, problems := intake.Clean(lists, l.Fields)
	for f, v := range l.Fields {
		if cleaned[f] != v && !isText(f) {
			t.Errorf("%s = %q is not of the form of a lead: cleaned %q, %v", f, v, cleaned[f], problems)
		}
	}
}

func clean(s, allowed string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune(allowed, r)
	})
}

func FuzzExtract(f *testing.F) {
	files, _ := filepath.Glob("testdata/cases/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var in Input
		for _, part := range a.Files {
			switch part.Name {
			case "text":
				in.Text = string(part.Data)
			case "html":
				in.HTML = string(part.Data)
			case "subject":
				in.Subject = string(part.Data)
			}
		}
		f.Add(in.Subject, in.Text, in.HTML)
	}
	f.Add("Fwd: x", "FYI\n\n---------- Forwarded message ---------\nFrom: Jane Doe <jane@acme.com>\nDate: x\nSubject: y\nTo: <bob@partner.com>\n\nWe need help.\n\nJane Doe\nCTO | Acme", "")
	f.Add("", "| Company | Contact | Email |\n|---|---|---|\n| Acme | Jane Doe | jane@acme.com |\n| Beta | Bob Roe | bob@beta.com |", "")
	f.Add("", "We met Jane Doe, CTO of Acme Corp (jane@acme.com). They need a new portal; budget is 120k EUR.", "")
	e := newTestExtractor()
	f.Fuzz(func(t *testing.T, subject, text, html string) {
		checkInvariants(t, e, Input{Subject: subject, Text: text, HTML: html, SenderDomain: "partner.com"})
	})
}

// TestTextOfAnySizeIsReadInASecond measures without -race as well; the bound is generous.
func TestTextOfAnySizeIsReadInASecond(t *testing.T) {
	e := newTestExtractor()
	inputs := map[string]Input{
		"10,000 label lines":      {Text: strings.Repeat("Company domain: acme.com\n", 10_000)},
		"10,000 different values": {Text: numbered("Company: Acme %d\nE-mail: x%d@acme.com\n", 5_000)},
		"unknown labels":          {Text: numbered("Kompanyy nameee %d: Acme - x - y: z %d\n", 10_000)},
		"labels without a value":  {Text: strings.Repeat("Use case:\n", 10_000)},
		"2 MB of one line":        {Text: strings.Repeat("x", 3<<20)},
		"2 MB of blank lines":     {Text: strings.Repeat("\n", 3<<20)},
		"2 MB of quote marks":     {Text: strings.Repeat(">", 3<<20)},
		"quote headers":           {Text: strings.Repeat("From: a\nSent: b\nTo: c\nSubject: d\n\n", 20_000)},
		"attributions":            {Text: strings.Repeat("On Monday 1\n", 100_000)},
		"farewells":               {Text: strings.Repeat("x\nBest regards\n", 10_000) + "Company: Acme"},
		"nested bold":             {HTML: strings.Repeat("<b>", 100_000) + "Company: Acme"},
		"nested hidden":           {HTML: strings.Repeat("<div hidden>", 50_000) + "Company: Acme"},
		"nested quotes":           {HTML: strings.Repeat("<blockquote>x", 20_000) + "Company: Acme"},
		"table rows":              {HTML: strings.Repeat("<tr><td>Company</td><td>Acme</td></tr>", 40_000)},
		"one huge tag":            {HTML: "<a " + strings.Repeat("x=1 ", 400_000) + ">"},
		"many dashes":             {Text: strings.Repeat("-", 100_000) + "\n" + strings.Repeat("--x", 100_000)},
		"at signs":                {Text: "E-mail: " + strings.Repeat("a@", 500_000)},
		"capitalised words":       {Text: strings.Repeat("Jane Doe Acme ", 100_000), Subject: strings.Repeat("Acme ", 10_000)},
		"names and addresses":     {Text: numbered("We met Jane Doe%d (jane.doe%d@acme%d.com), CTO of Acme%d Corp, who needs a portal.\n", 5_000)},
		"one letter domains":      {Text: "x@" + strings.Repeat("a", 60) + ".com " + strings.Repeat("A"+strings.Repeat("a", 30)+" ", 2_000)},
		"table rows in text":      {Text: "| Company | Contact | Email |\n" + numbered("| Acme %d | Jane Doe | j@a%d.com |\n", 10_000)},
		"blocks":                  {Text: numbered("Company: Acme %d\nE-mail: x@a%d.com\n\n", 5_000)},
		"entries":                 {Text: numbered("- Acme %d, Jane Doe, x@a%d.com\n", 5_000)},
		"paragraphs":              {Text: numbered("Acme %d has Jane Doe, x@a%d.com\n\n", 5_000)},
		"headings":                {Text: numbered("Lead %d\nCompany: A%d\n", 9_000)},
		"pairs in a line":         {Text: strings.Repeat("company=Acme; email=x@acme.com; role=CTO\n", 10_000)},
		"headers in a line":       {Text: strings.Repeat("-- Forwarded message -- From: a>To: b>Subject: c>Date: d\n", 10_000)},
		"forwards":                {Subject: "Fwd: x", Text: strings.Repeat("From: J D <j@acme.com>\nDate: b\nTo: c\nSubject: d\n\nx\n\n", 10_000)},
		"signature":               {Subject: "Fwd: x", Text: "From: J D <j@acme.com>\nDate: b\nTo: c\n\nx\n\nRegards\nJ D\n" + strings.Repeat("Acme Corp | CTO, x - ", 20_000)},
		"need":                    {Text: strings.Repeat("They need a new portal because every order is lost. ", 20_000)},
		"money":                   {Text: strings.Repeat("1.000,00 k EUR ", 50_000)},
		"telephones":              {Text: strings.Repeat("+49 30 1234567 ", 50_000)},
		"long contact":            {Text: "Contact: " + strings.Repeat("a, ", 300_000)},
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			start := cputime.Used()
			e.Extract(in)
			if took := cputime.Used() - start; took > slowdown*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, strings.ReplaceAll(format, "%d", "%[1]d"), i)
	}
	return b.String()
}

// TestConsentAsPeopleWriteIt reads whole lines.
func TestConsentAsPeopleWriteIt(t *testing.T) {
	e := newTestExtractor()
	for in, want := range map[string]string{
		"Consent: yes please contact them": "yes", "Consent: yes, she agreed": "yes", "Consent of the contact: yes": "yes",
		"Consent given: ✓": "yes", "Consent given: ✔\uFE0F": "yes", "Consent given: x": "yes", "Consent given: [X]": "yes", "Consent given: ja, liegt vor": "yes",
		"Consent: no, not yet asked": "no", "Consent: I will ask him next week": "", "Consent given: [ ]": "", "Consent given: ☐": "",
		"Consent: yes / no": "", "Company: x": "",
	} {
		if got := first(e, Input{Text: in})[intake.FieldConsent]; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestDomainsOfPartnersAndOursAreNotDerived(t *testing.T) {
	e := New(lists, Options{
		OwnDomain:     func(k string) bool { return k == "vendor.com" },
		PartnerDomain: func(k string) bool { return k == "other-partner.com" },
	})
	for addr, want := range map[string]string{
		"a@acme.com": "acme.com", "a@vendor.com": "", "a@sub.vendor.com": "", "a@other-partner.com": "", "a@me.com": "", "a@sender.com": "",
	} {
		got := first(e, Input{Text: "E-mail: " + addr, SenderDomain: "sender.com"})[intake.FieldCompanyDomain]
		if got != want {
			t.Errorf("%s: derived %q, want %q", addr, got, want)
		}
	}
}

func TestWhatIsBeyondTheLastLeadThatIsReadIsAFault(t *testing.T) {
	var b strings.Builder
	b.WriteString("Company | Website | Contact | Email\n")
	for i := range MaxLeads + 3 {
		fmt.Fprintf(&b, "Acme %d Ltd | acme%d.example | Jo Doe | jo.doe@acme%d.example\n", i, i, i)
	}
	for text, want := range map[string]int{b.String(): 1, strings.Join(strings.SplitAfter(b.String(), "\n")[:MaxLeads+1], ""): 0} {
		res := newTestExtractor().Extract(Input{Text: text, SenderAddress: "ana@alpha.example", SenderDomain: "alpha.example"})
		if len(res.Leads) != MaxLeads || len(res.Faults) != want {
			t.Errorf("%d leads, faults %+v", len(res.Leads), res.Faults)
		}
	}
}
