package mailbox

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
// which words. It stores and answers nothing. Of cfg only the addresses count.
func Explain(r io.Reader, cfg Config, x *extract.Extractor) (Explanation, error) {
	p, err := mailparse.Parse(r)
	if err != nil {
		return Explanation{}, fmt.Errorf("read message: %w", err)
	}
	read := x.Extract(extractInput(&p))
	out := Explanation{Class: string(read.Class), Text: read.New, Meetings: read.Meetings, Faults: read.Faults, Dictionary: extract.Version(), Leads: []ExplainedLead{}}
	for _, l := range read.Leads {
		out.Leads = append(out.Leads, explained(l))
		out.Problems = append(out.Problems, l.Problems...)
	}
	if read.Class == extract.ClassUnclear {
		out.Class = string(extract.ClassLead)
		if len(read.Leads) == 0 {
			out.Class = string(extract.ClassNotALead)
		}
	}
	if class := machineClass(cfg, &p, slices.ContainsFunc(read.Leads, formed)); class != "" {
		out.Class, out.Leads, out.Problems, out.Faults = class, []ExplainedLead{}, nil, nil
	}
	return out, nil
}

// formed reports whether a program may have written a lead: it has labels or a table, and
// names the company and how to reach somebody there. Newsletters and robots that confirm
// something do not.
func formed(l extract.Lead) bool {
	labels := 0
	for _, e := range l.Evidence {
		if e.Method == "label" || e.Method == "table" || e.Method == "next line" {
			labels++
		}
	}
	return labels > 2 && l.Fields[intake.FieldContactEmail] != "" && (l.Fields[intake.FieldCompanyName] != "" || l.Fields[intake.FieldCompanyDomain] != "")
}

// machineClass returns what a machine's mail is, "" for a person's and for a program's that
// registers leads.
func machineClass(cfg Config, p *mailparse.Parsed, leads bool) string {
	own := cfg.OwnAddresses
	if cfg.Address != "" {
		own = append([]string{cfg.Address}, own...)
	}
	m := &Mailbox{cfg: cfg, own: newOwnAddresses(own), tokens: tokens{key: make([]byte, minKey)}}
	switch found := m.classify(p, delivery{}); found.class {
	case classBounce, classReceipt, classComplaint:
		return explainBounce
	case classPerson, classQuiet, classAmbiguous:
		return ""
	case classAutomatic, classList, classNoReply:
		if leads {
			return ""
		}
	}
	return explainAuto
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
