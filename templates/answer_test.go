package templates

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"leadgate/intake"
	"leadgate/intake/command"
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
	for _, tag := range languages() {
		l := locales[tag]
		m := in(tag, sample(intake.MessageNeedsInfo, intake.StatusNeedsInfo, intake.ReasonMissingField))
		m.Facts.Missing, m.Facts.Question, m.Facts.Fields = nil, "", nil
		for _, f := range intake.Fields() {
			m.Facts.Missing = append(m.Facts.Missing, intake.Problem{Field: f, Code: intake.ProblemMissing})
		}
		r := render(t, m)
		text, page := r.Text, r.HTML
		for f, v := range l.examples {
			text = strings.Replace(text, "\n"+l.labels[f]+": \n", "\n"+l.labels[f]+": "+v+"\n", 1)
			page = strings.Replace(page, "<div>"+l.labels[f]+": </div>", "<div>"+l.labels[f]+": "+v+"</div>", 1)
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
					t.Errorf("%s, %s: the answer to %s is not understood; read was %v", tag, name, f, lead)
				}
			}
			for f, want := range map[intake.Field]string{
				intake.FieldCompanyDomain: "acme.example", intake.FieldContactEmail: l.examples[intake.FieldContactEmail], intake.FieldContactName: l.examples[intake.FieldContactName],
				intake.FieldContactRole: l.examples[intake.FieldContactRole], intake.FieldCountry: "DE", intake.FieldStage: intake.StageDiscoveryScheduled,
				intake.FieldConsent: intake.ConsentYes, intake.FieldKind: intake.KindDeal, intake.FieldTargetRevenue: "120000 EUR",
			} {
				if lead[f] != want {
					t.Errorf("%s, %s: %s is read as %q, want %q", tag, name, f, lead[f], want)
				}
			}
		}
	}
}

// TestTheChoicesThatWeNameAreUnderstood, as a partner types them after our question.
func TestTheChoicesThatWeNameAreUnderstood(t *testing.T) {
	reader := extract.New(identity.Default(), extract.Options{})
	for _, tag := range languages() {
		l := locales[tag]
		for f, values := range map[intake.Field][]string{
			intake.FieldStage: intake.Stages(), intake.FieldKind: intake.Kinds(), intake.FieldConsent: {intake.ConsentYes, intake.ConsentNo},
		} {
			for _, v := range values {
				text := l.labels[intake.FieldCompanyName] + ": Acme GmbH\n" + l.labels[f] + ": " + l.values[v] + "\n"
				if got := firstLead(reader.Extract(extract.Input{Text: text}))[f]; got != v {
					t.Errorf("%s: %q is read as %q", tag, text, got)
				}
			}
		}
	}
}

// TestTheWordsThatWeTellPartnersToReplyAreCommands, in each language.
func TestTheWordsThatWeTellPartnersToReplyAreCommands(t *testing.T) {
	capitals := regexp.MustCompile(`\p{Lu}{4,}`)
	for _, tag := range languages() {
		said := make(map[intake.Verb]bool)
		for name, text := range phrasesOf(t, tag) {
			for _, word := range capitals.FindAllString(action.ReplaceAllString(text, ""), -1) {
				cmd := command.Parse(word + " 2026-11")
				if word == "HTML" {
					continue
				}
				if len(cmd) != 1 {
					t.Errorf("%s: %s tells to reply %s, which is no command", tag, name, word)
					continue
				}
				said[cmd[0].Verb] = true
			}
		}
		for _, verb := range intake.Verbs() {
			if !said[verb] && verb != intake.VerbHelp {
				t.Errorf("%s: no message tells of %s", tag, verb)
			}
		}
		rules := strings.Split(render(t, in(tag, sample(intake.MessageRules, "", ""))).Text, "\n")
		if !slices.ContainsFunc(rules, func(l string) bool {
			c := command.Parse(l)
			return len(c) == 1 && c[0].Verb == intake.VerbAgree && c[0].Words == "2026-11"
		}) {
			t.Errorf("%s: the line to agree with is not on a line of its own", tag)
		}
	}
	for tag, yes := range map[string]string{"en": "YES", "de": "JA"} {
		text := render(t, in(tag, sample(intake.MessageConfirm, intake.StatusQuarantined, ""))).Text
		if !strings.Contains(text, yes) || !command.Agrees(yes) {
			t.Errorf("%s: %s is not what confirms", tag, yes)
		}
	}
}

// TestWhatWeWriteIsNoAnswer: our own words that come back in a reply, quoted or not, must
// not be read as the partner's.
func TestWhatWeWriteIsNoAnswer(t *testing.T) {
	reader := extract.New(identity.Default(), extract.Options{})
	for _, tag := range languages() {
		for name, m := range goldens() {
			if toStaff(m.Kind) {
				continue // no partner answers that
			}
			m = in(tag, m)
			r := render(t, m)
			known := map[intake.Field]string{}
			if v := newView(m, "", tag); len(v.Fields) > 0 || len(v.Cases) > 0 {
				known = map[intake.Field]string{intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example"}
			}
			for _, body := range []string{"Thanks!\n\n" + r.Text, "Thanks!\n\nOn Monday the vendor wrote:\n" + quoted(r.Text)} {
				for f, v := range firstLead(reader.Extract(extract.Input{Subject: "Re: " + r.Subject, Text: body})) {
					if known[f] != v {
						t.Errorf("%s, %s: %s is read as %q from our own words", tag, name, f, v)
					}
				}
			}
		}
	}
}

// TestWhatWeUnderstoodIsNoAnswerWhenItComesBackAlone: a reply without a word of its own, from a
// mail program that drops the indent, fills in nothing.
func TestWhatWeUnderstoodIsNoAnswerWhenItComesBackAlone(t *testing.T) {
	reader := extract.New(identity.Default(), extract.Options{})
	for _, tag := range languages() {
		r := render(t, in(tag, sample(intake.MessageApproved, intake.StatusProvisional, "")))
		body := quoted(strings.ReplaceAll(r.Text, "\n  ", "\n"))
		if lead := firstLead(reader.Extract(extract.Input{Subject: "Re: " + r.Subject + " [LG-2026-000123-K]", Text: body})); !lead.Empty() {
			t.Errorf("%s: read %v", tag, lead)
		}
	}
}
