package mailbox

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// Explanation is what the reader understands of a mail, for people who want to see why.
type Explanation struct {
	// Class is lead, multi, reply, not_a_lead, auto or bounce.
	Class string `json:"class"`
	// SetAside says why the mail is set aside, and Unanswered why it is taken in and not answered
	// by itself, in words for staff; empty if it is not so.
	SetAside   string `json:"set_aside,omitempty"`
	Unanswered string `json:"unanswered,omitempty"`
	// Text is what the person wrote this time.
	Text       string            `json:"text"`
	Leads      []ExplainedLead   `json:"leads"`
	Meetings   []intake.Meeting  `json:"meetings,omitempty"`
	Problems   []intake.Problem  `json:"problems,omitempty"`
	Faults     []intake.RowFault `json:"faults,omitempty"`
	Dictionary string            `json:"dictionary"`
}

// ExplainedLead is a lead as programs like to have it; what the mail does not say is absent.
type ExplainedLead struct {
	CompanyName      string   `json:"company_name,omitempty"`
	CompanyDomain    string   `json:"company_domain,omitempty"`
	ContactName      string   `json:"contact_name,omitempty"`
	ContactEmail     string   `json:"contact_email,omitempty"`
	ContactRole      string   `json:"contact_role,omitempty"`
	ContactPhone     string   `json:"contact_phone,omitempty"`
	Problem          string   `json:"problem,omitempty"`
	SolutionFit      string   `json:"solution_fit,omitempty"`
	Stage            string   `json:"stage,omitempty"`
	Consent          bool     `json:"consent,omitempty"`
	Country          string   `json:"country,omitempty"`
	TargetRevenue    *Money   `json:"target_revenue,omitempty"`
	Kind             string   `json:"kind,omitempty"`
	ProductInterest  []string `json:"product_interest,omitempty"`
	CompetingVendors []string `json:"competing_vendors,omitempty"`
	ServicesNeeded   []string `json:"services_needed,omitempty"`

	Evidence map[intake.Field]extract.Evidence `json:"evidence"`

	fields intake.Lead
}

// Fields returns the lead as the gateway gets it.
func (l *ExplainedLead) Fields() intake.Lead { return l.fields }

// Money is an amount, exact to the last digit that was written, and the code of its currency
// (ISO 4217).
type Money struct {
	Amount   json.Number `json:"amount"`
	Currency string      `json:"currency"`
}

// The classes that a reader of leads does not know: who wrote the mail tells them.
const (
	explainAuto   = "auto"
	explainBounce = "bounce"
)

// Explain reads a mail as the mailbox of cfg would, and says what it understood and from
// which words. It stores and answers nothing. Of cfg only the addresses count. Without the key
// of the mailbox nobody can tell whether the mail answers one of ours.
func Explain(r io.Reader, cfg Config, x *extract.Extractor) (Explanation, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return Explanation{}, fmt.Errorf("read message: %w", err)
	}
	d := delivery{content: bytes.NewReader(raw)}
	m := reader(cfg, x)
	u, err := m.understand(d)
	if err != nil {
		return Explanation{}, fmt.Errorf("read message: %w", err)
	}
	out := Explanation{Text: u.read.New, Dictionary: extract.Version(), Leads: []ExplainedLead{}}
	if v := u.verdict(d); !v.human() {
		out.Class, out.SetAside = asideClass(u.found.class), v.detail
		return out, nil
	}
	out.Class, out.Unanswered, out.Meetings, out.Faults = readClass(&u.read), u.mute(d), u.read.Meetings, u.read.Faults
	for _, l := range u.read.Leads {
		out.Leads = append(out.Leads, explained(l))
		out.Problems = append(out.Problems, l.Problems...)
	}
	return out, nil
}

// reader returns a mailbox that can understand mails and nothing else.
func reader(cfg Config, x *extract.Extractor) *Mailbox {
	own := cfg.OwnAddresses
	if cfg.Address != "" {
		own = append([]string{cfg.Address}, own...)
	}
	key := make([]byte, minKey) // nobody's
	rand.Read(key)              // never fails
	return &Mailbox{
		cfg: cfg, own: newOwnAddresses(own), tokens: tokens{key: key},
		deps: Deps{Extractor: x, Log: slog.New(slog.DiscardHandler)},
	}
}

// readClass is the class of a mail that is taken in.
func readClass(read *extract.Result) string {
	switch {
	case read.Class != extract.ClassUnclear:
		return string(read.Class)
	case len(read.Leads) == 0:
		return string(extract.ClassNotALead)
	}
	return string(extract.ClassLead)
}

// asideClass is the class of a mail that is set aside.
func asideClass(c class) string {
	switch c {
	case classBounce, classReceipt, classComplaint:
		return explainBounce
	case classOwn, classVacation, classAutomatic, classList, classNoReply:
		return explainAuto
	}
	return string(extract.ClassNotALead)
}

func explained(l extract.Lead) ExplainedLead {
	f := l.Fields
	x := ExplainedLead{
		CompanyName: f[intake.FieldCompanyName], CompanyDomain: f[intake.FieldCompanyDomain],
		ContactName: f[intake.FieldContactName], ContactEmail: f[intake.FieldContactEmail],
		ContactRole: f[intake.FieldContactRole], ContactPhone: f[intake.FieldContactPhone],
		Problem: f[intake.FieldProblem], SolutionFit: f[intake.FieldSolutionFit], Stage: f[intake.FieldStage],
		Consent: f[intake.FieldConsent] == intake.ConsentYes,
		Country: f[intake.FieldCountry], Kind: f[intake.FieldKind],
		ProductInterest: f.List(intake.FieldProductInterest), CompetingVendors: f.List(intake.FieldCompetingVendors),
		ServicesNeeded: f.List(intake.FieldServicesNeeded),
		Evidence:       l.Evidence, fields: f,
	}
	if amount, currency, ok := strings.Cut(f[intake.FieldTargetRevenue], " "); ok {
		x.TargetRevenue = &Money{json.Number(amount), currency}
	}
	return x
}

// extractInput is what the reader of leads gets of a mail.
func extractInput(p *mailparse.Parsed) extract.Input {
	in := extract.Input{Subject: p.Subject, Text: p.Text, HTML: p.HTML}
	if len(p.From) > 0 {
		in.SenderName, in.SenderAddress = p.From[0].Name, p.From[0].Address
		in.SenderDomain = senderauth.Organisation(p.From[0].Domain())
	}
	addAttachments(&in, p)
	for i := range p.Forwarded {
		f := &p.Forwarded[i]
		inner := extract.Forwarded{Subject: f.Subject, Text: f.Text, HTML: f.HTML}
		if len(f.From) > 0 {
			inner.FromName, inner.FromAddress = f.From[0].Name, f.From[0].Address
		}
		in.Forwarded = append(in.Forwarded, inner)
		addAttachments(&in, f)
	}
	return in
}

func addAttachments(in *extract.Input, p *mailparse.Parsed) {
	for _, a := range p.Attachments {
		if len(a.Content) == 0 {
			continue
		}
		file := extract.Attachment{Name: a.Name, Charset: a.Charset, Content: a.Content}
		switch a.Kind() {
		case mailparse.KindCSV:
			in.Tables = append(in.Tables, file)
		case mailparse.KindCard:
			in.Cards = append(in.Cards, file)
		case mailparse.KindCalendar:
			in.Calendars = append(in.Calendars, file)
		}
	}
}
