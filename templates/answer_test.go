package templates

import (
	"strings"
	"testing"

	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

func quoted(text string) string {
	return "> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ")
}

func firstLead(r extract.Result) intake.Lead {
	if len(r.Leads) == 0 {
		return nil
	}
	return r.Leads[0].Fields
}

// TestAnAnswerThatFillsInTheLinesIsUnderstood puts the examples into the lines and has the
// reader of mails read the reply, as the common mail programs write it.
func TestAnAnswerThatFillsInTheLinesIsUnderstood(t *testing.T) {
	m := sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonMissingField)
	m.Facts.Missing, m.Facts.Question = nil, ""
	for _, f := range intake.Fields() {
		m.Facts.Missing = append(m.Facts.Missing, intake.Problem{Field: f, Code: intake.ProblemMissing})
	}
	r := render(t, m)
	text, page := r.Text, r.HTML
	for f, v := range english.examples {
		text = strings.Replace(text, "\n"+Label("en", f)+": \n", "\n"+Label("en", f)+": "+v+"\n", 1)
		page = strings.Replace(page, "<div>"+Label("en", f)+": </div>", "<div>"+Label("en", f)+": "+v+"</div>", 1)
	}
	reader := extract.New(identity.Default(), extract.Options{})
	subject := "Re: " + r.Subject
	for name, in := range map[string]extract.Input{
		"in the quotation":    {Subject: subject, Text: "On Monday the vendor wrote:\n" + quoted(text)},
		"without a quotation": {Subject: subject, Text: text},
		"on the page":         {Subject: subject, HTML: page},
	} {
		lead := firstLead(reader.Extract(in))
		for _, f := range intake.Fields() {
			if lead[f] == "" {
				t.Errorf("%s: the answer to %s is not understood; read was %v", name, f, lead)
			}
		}
		if lead[intake.FieldCompanyDomain] != "acme.example" || lead[intake.FieldContactEmail] != "jo.doe@acme.example" {
			t.Errorf("%s: read %v", name, lead)
		}
	}
}

// TestWhatWeWriteIsNoAnswer: our own words that come back in a reply, quoted or not, must
// not be read as the partner's.
func TestWhatWeWriteIsNoAnswer(t *testing.T) {
	reader := extract.New(identity.Default(), extract.Options{})
	for name, m := range goldens() {
		r := render(t, m)
		known := map[intake.Field]string{}
		if v := newView(m, "", "en"); len(v.Fields) > 0 || len(v.Cases) > 0 {
			known = map[intake.Field]string{intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example"}
		}
		for _, body := range []string{"Thanks!\n\n" + r.Text, "Thanks!\n\nOn Monday the vendor wrote:\n" + quoted(r.Text)} {
			for f, v := range firstLead(reader.Extract(extract.Input{Subject: "Re: " + r.Subject, Text: body})) {
				if known[f] != v {
					t.Errorf("%s: %s is read as %q from our own words", name, f, v)
				}
			}
		}
	}
}
