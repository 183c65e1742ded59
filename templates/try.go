package templates

import (
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// try renders every template that is not built in with sample facts: every status and every
// reason for every kind, and facts that are as good as empty. The built-in ones are tried by
// the tests, not at every start.
func (s *Set) try(tags []string) error {
	for _, tag := range tags {
		for _, kind := range allKinds() {
			l := s.locales[tag][kind]
			if !l.foreign {
				continue
			}
			if err := s.tryKind(tag, kind, l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Set) tryKind(tag string, kind intake.MessageKind, l *letter) error {
	for _, m := range samples(kind) {
		m.Facts.Locale = tag
		r, err := l.write(m, s.program, tag)
		if err != nil {
			return fmt.Errorf("templates: %s %s: with status %s: %w", l.from, l.name, m.Facts.Status, err)
		}
		if err := l.complete(m, r); err != nil {
			return fmt.Errorf("templates: %s %s:1: with status %s: %w", l.from, l.name, m.Facts.Status, err)
		}
	}
	return nil
}

// complete checks that a message says what every message must.
func (l *letter) complete(m intake.Message, r Rendered) error {
	if r.Subject == "" {
		return errors.New("the subject is empty")
	}
	wanted := []string{m.Facts.Contact.Email}
	if about(m.Kind) {
		wanted = append(wanted, m.Facts.Case)
	}
	if b := m.Brief; b != nil && toStaff(m.Kind) {
		wanted = nil
		if b.Registration != nil && m.Kind != intake.StaffDigest {
			wanted = append(wanted, b.Registration.Number)
		}
		for _, a := range b.Links {
			wanted = append(wanted, a.URL)
		}
	}
	for _, f := range m.Cases {
		wanted = append(wanted, f.Case)
	}
	if m.Week != nil {
		for _, c := range slices.Concat(m.Week.Yours, m.Week.Ending, m.Week.Open, m.Week.Decided) {
			wanted = append(wanted, c.Case)
		}
	}
	if says[m.Kind]&saysAsks != 0 && m.Facts.Status != intake.StatusQuarantined {
		for _, p := range m.Facts.Missing {
			wanted = append(wanted, "\n"+Label(m.Facts.Locale, p.Field)+": \n")
		}
	}
	for _, w := range wanted {
		if !strings.Contains(r.Text, w) {
			return fmt.Errorf("the text does not contain %q", w)
		}
		if w = strings.Trim(w, "\n: "); r.HTML != "" && !strings.Contains(html.UnescapeString(r.HTML), w) {
			return fmt.Errorf("the page does not contain %q", w)
		}
	}
	return nil
}

// samples returns messages of a kind that between them take every way through a template.
func samples(kind intake.MessageKind) []intake.Message {
	var list []intake.Message
	for _, status := range intake.Statuses() {
		list = append(list, sample(kind, status, ""), bare(kind, status))
	}
	if kind == intake.MessageNotice {
		for _, notice := range intake.Notices() {
			m := sample(kind, "", "")
			m.Notice = notice
			list = append(list, m)
		}
	}
	if kind == intake.MessageImported {
		refused, again, unchanged := sample(kind, "", ""), sample(kind, "", ""), sample(kind, "", "")
		refused.Import = &intake.ImportFacts{Name: "leads.ods", State: intake.ImportFailed, Place: "row 2", Cause: &intake.RowProblem{Problem: intake.Problem{
			Code: "unsupported_format", Message: "this is an OpenDocument file",
		}}}
		again.Import.Again, again.Import.Attached = true, true
		unchanged.Import.Counts = intake.ImportCounts{Rows: 8, Merged: 8, Unchanged: 8}
		standing := sample(kind, "", "")
		standing.Import.Standing = &intake.ImportStanding{Waiting: 300, Due: standing.At, Lapsed: 1, Late: 7, Ending: 2, Until: standing.At, Expired: 1}
		list = append(list, refused, again, unchanged, standing)
	}
	if kind == intake.MessageRequested {
		for _, status := range intake.Statuses() {
			m := sample(kind, status, "")
			m.Request = intake.VerbAppeal
			list = append(list, m)
		}
	}
	if kind == intake.MessageLocked || kind == intake.MessageApproved || kind == intake.MessageStatus {
		m := sample(kind, intake.StatusLocked, "")
		m.Facts.Meeting = m.At.Add(-2 * time.Hour)
		list = append(list, m)
	}
	for about, verb := range map[intake.MessageKind]intake.Verb{intake.MessageRules: intake.VerbAgree, intake.MessageHelp: intake.VerbStatus} {
		if kind == about {
			m := sample(kind, "", "")
			m.Facts.Case, m.Request = "", verb
			list = append(list, m)
		}
	}
	if says[kind]&saysReason != 0 {
		for _, reason := range intake.Reasons() {
			for _, status := range []intake.Status{intake.StatusDeclined, intake.StatusExpired, intake.StatusWithdrawn} {
				list = append(list, sample(kind, status, reason))
			}
		}
	}
	alone := bare(kind, intake.StatusWithdrawn)
	alone.Facts.Case = ""
	if kind == intake.MessageOffboarding { // it may be about no case
		list = append(list, alone)
	}
	return list
}

// sample is a message with everything in it.
func sample(kind intake.MessageKind, status intake.Status, reason intake.Reason) intake.Message {
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	m := intake.Message{ID: "LG-2026-000123-K.4", Kind: kind, At: at, Facts: intake.Facts{
		Case: "LG-2026-000123-K", Program: "Vendor", Company: "Acme GmbH", Status: status, Reason: reason,
		Fields: []intake.FieldFact{
			{Field: intake.FieldCompanyName, Value: "Acme GmbH"},
			{Field: intake.FieldCompanyDomain, Value: "acme.example", Words: "www.ACME.example"},
		},
		Missing: []intake.Problem{
			{Field: intake.FieldContactEmail, Code: intake.ProblemMissing},
			{Field: intake.FieldCompanyDomain, Code: intake.ProblemFreeMail},
		},
		Question: "Which office is it?", Note: "See you at the summit.",
		Due: at.Add(31 * time.Hour), Zone: "Europe/Berlin", Until: at.Add(90 * 24 * time.Hour), Received: at,
		Contact: intake.Contact{Name: "Pia Manager", Email: "pia@vendor.example"},
		Meeting: at.Add(9 * 24 * time.Hour), AppealBy: at.Add(14 * 24 * time.Hour), Extensions: 2, Days: 30,
		StatusLink: "https://partners.vendor.example/status/AbCdEf0123456789",
		RulesLink:  "https://partners.vendor.example/rules",
		Receipt:    "leadgate-receipt-v1\ncase LG-2026-000123-K\nsha256 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03\nsignature AbCdEfGhIjKl",
	}}
	switch kind {
	case intake.MessageConfirm:
		m.Facts.ConfirmLink, m.Facts.Typed = "https://partners.vendor.example/confirm/AbCdEf0123456789", true
	case intake.MessageKnown:
		if status == intake.StatusMerged {
			m.Facts.Related = "LG-2026-000124-P"
		}
	case intake.MessageElevated: // the case is the deal, related is the lead
		m.Facts.Related = "LG-2026-000101-C"
	case intake.MessageWon:
		m.Facts.Percent = 15
	case intake.MessageReopened:
		m.Facts.Was = intake.StatusWon
	case intake.MessageDeal:
		m.Facts.Deal = intake.DealFacts{Owner: "Ann Seller", Stage: "Negotiation", Close: "2027-01-29", NextStep: "Security review with their IT"}
	case intake.MessageAppealDecided:
		m.Facts.Was = intake.StatusDeclined
	case intake.MessageRules:
		m.Facts.Rules = sampleRules()
	case intake.MessageRequested:
		m.Request = intake.VerbExtend
	case intake.MessageChanged:
		m.Changed = []intake.Field{intake.FieldCompanyDomain}
	case intake.MessageSummary:
		other := m.Facts
		other.Case, other.Company, other.Status = "LG-2026-000124-P", "Contoso Ltd", intake.StatusNeedsInfo
		m.Cases = []intake.Facts{m.Facts, other}
		m.Faults = []intake.RowFault{{Row: 4, Problem: intake.Problem{Field: intake.FieldCompanyName, Code: intake.ProblemMissing}}}
	case intake.MessageImported:
		m.Import = &intake.ImportFacts{
			Name: "leads.csv", State: intake.ImportDone, Link: "https://partners.vendor.example/import/AbCdEf0123456789",
			Counts:  intake.ImportCounts{Rows: 1000, Accepted: 955, Merged: 10, Unchanged: 8, NeedsInfo: 5, Rejected: 30},
			Decided: &intake.ImportDecided{Approved: 940, Until: m.At, Last: m.At, Waitlisted: 15, InReview: 8, Declined: 2},
		}
	case intake.MessageNotice:
		m.Notice = intake.NoticeNoLead
	case intake.MessageDigest:
		m.Week = sampleWeek(at)
	}
	if toStaff(kind) {
		m.Brief = sampleBrief(kind, status, reason, at)
	}
	return m
}

// sampleWeek is a week with something in each of its lists.
func sampleWeek(at time.Time) *intake.Week {
	in := func(days int) *time.Time {
		t := at.Add(time.Duration(days) * 24 * time.Hour)
		return &t
	}
	view := func(number, company string, s intake.Status, p intake.ProtectionState, until *time.Time, next intake.NextStep, due *time.Time) intake.WeekCase {
		return intake.WeekCase{
			SafeView: intake.SafeView{
				Case: number, Company: company, Stage: s.Stage(), Owner: "Pia Manager", Protection: p, Until: until, Next: next, Due: due,
			},
			Link: "https://partners.vendor.example/status/" + number,
		}
	}
	asked := view("LG-2026-000124-P", "Contoso Ltd", intake.StatusNeedsInfo, intake.ProtectionNone, nil, intake.NextAnswer, in(2))
	asked.Asked = []intake.Field{intake.FieldContactEmail, intake.FieldCompanyDomain}
	approved := view("LG-2026-000125-R", "Fabrikam", intake.StatusProvisional, intake.ProtectionProvisional, in(12), intake.NextShow, in(12))
	sold := approved
	sold.Deal = &intake.DealFacts{Owner: "Ann Seller", Stage: "Negotiation", Close: "2027-01-29", NextStep: "Security review with their IT"}
	return &intake.Week{
		Yours:  []intake.WeekCase{asked, sold},
		Ending: []intake.WeekCase{view("LG-2026-000123-K", "Acme GmbH", intake.StatusProtected, intake.ProtectionFull, in(8), intake.NextMeeting, in(8))},
		Open: []intake.WeekCase{
			view("LG-2026-000126-T", "Initech", intake.StatusInReview, intake.ProtectionNone, nil, intake.NextDecision, in(1)),
			view("LG-2026-000127-V", "Umbra AG", intake.StatusLocked, intake.ProtectionLocked, nil, intake.NextDeal, nil),
			view("LG-2026-000128-X", "Vandelay", intake.StatusWaitlisted, intake.ProtectionNone, nil, intake.NextTurn, nil),
			view("LG-2026-000129-Z", "Wayne", intake.StatusAppeal, intake.ProtectionNone, nil, intake.NextPlan, in(3)),
		},
		More: 3,
		Decided: []intake.WeekCase{
			approved,
			view("LG-2026-000130-B", "Stark", intake.StatusDeclined, intake.ProtectionNone, nil, intake.NextAppeal, in(10)),
			view("LG-2026-000131-D", "Hooli", intake.StatusWon, intake.ProtectionNone, nil, intake.NextNothing, nil),
		},
	}
}

// sampleRules are rules of which every sentence is one to say.
func sampleRules() *intake.Published {
	days := func(n int) intake.Span { return intake.Span{Value: n, Unit: intake.Days} }
	work := func(n int) intake.Span { return intake.Span{Value: n, Unit: intake.BusinessDays} }
	hours := func(n int) intake.Span { return intake.Span{Value: n, Unit: intake.Hours} }
	terms := intake.Terms{
		Decision: work(2), DecisionReminders: []int{50, 80, 100}, Answer: work(10), AnswerReminders: []intake.Span{work(3), work(7)},
		NextStep: days(14), NextStepReminders: []intake.Span{days(7), days(12)}, Window: days(90), WindowReminders: []intake.Span{days(7), days(1)},
		Invitation: true, Idle: days(30), IdleAnswer: work(10),
		Extension:  intake.ExtensionTerms{Times: 2, Days: 30, Active: days(30), Grace: work(3)},
		Appeal:     intake.AppealTerms{Within: work(10), Acknowledge: hours(24), Plan: work(5)},
		Conflict:   intake.ConflictTerms{Acknowledge: hours(24), Plan: work(5)},
		CoolingOff: days(30), Confirm: hours(72), Unknown: days(14), FirstRight: work(3), Reopen: days(30), RunOut: true,
	}
	gold := terms
	gold.Window, gold.AtOnce, gold.ProvisionalWhenLate = days(120), true, true
	gold.Extension = intake.ExtensionTerms{Times: 1, Days: 1, Auto: true}
	silver := terms
	silver.Extension, silver.Invitation, silver.RunOut = intake.ExtensionTerms{}, false, false
	return &intake.Published{
		Version: "2026-11", Hash: "sha256:0123", Terms: terms, Tiers: map[string]intake.Terms{"gold": gold, "silver": silver},
		Required:    []intake.Field{intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail, intake.FieldConsent},
		Territories: true, Certified: []string{"Backup Suite"}, Split: intake.FieldProductInterest,
	}
}

// sampleBrief is a brief as a message of the kind has it.
func sampleBrief(kind intake.MessageKind, status intake.Status, reason intake.Reason, at time.Time) *intake.Brief {
	if reason == "" {
		reason = intake.ReasonSimilarAccount
	}
	b := &intake.Brief{
		Partner: "Partner GmbH", PartnerID: "partner", Due: at.Add(31 * time.Hour),
		Registration: &intake.Registration{
			Number: "LG-2026-000123-K", Status: status, Partner: "partner", Claim: at, Advice: intake.OutcomeReview,
			Lead: intake.Lead{
				intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example", intake.FieldStage: intake.StageEvaluation,
			},
			Evidence: map[intake.Field]string{intake.FieldCompanyDomain: "www.ACME.example"},
			Findings: []intake.Finding{
				{Rule: "similar-account", Outcome: intake.OutcomeReview, Reason: reason, Evidence: "Acme Inc. of example.com has nearly the same name", Case: "LG-2026-000101-C"},
				{Rule: "territory", Outcome: intake.OutcomeApprove},
			},
			Protection: intake.Protection{End: at.Add(90 * 24 * time.Hour)},
			CRM:        map[string]intake.Ref{"hubspot": {ID: "77", URL: "https://crm.vendor.example/deals/77"}},
		},
		Links: links(kind),
	}
	switch kind {
	case intake.StaffQueued:
		b.Said, b.Registration.Question = "They run both of our products.", "Which of our products do they run?"
	case intake.StaffDecision:
		b.Percent = 80
	case intake.StaffIdle:
		b.Why = "Nothing since 12 October; the partner was asked on 9 November."
	case intake.StaffConflict:
		b.Conflict = &intake.Conflict{
			ID: "C-7", Type: intake.ConflictMultiChannel, Account: "acme.example", Cases: []string{"LG-2026-000101-C", "LG-2026-000123-K"},
			Deals: []intake.Ref{{ID: "77", URL: "https://crm.vendor.example/deals/77"}, {ID: "78"}},
			At:    at, Acknowledge: at.Add(24 * time.Hour), Plan: at.Add(5 * 24 * time.Hour), Owner: "pia@vendor.example",
			Evidence: []intake.Evidence{
				{At: at.Add(-48 * time.Hour), Case: "LG-2026-000101-C", Kind: intake.EvidenceClaim},
				{At: at.Add(-24 * time.Hour), Kind: intake.EvidenceDeal, Words: "deal 77 of Ann Seller"},
			},
		}
	case intake.StaffRequest:
		b.Registration.Requests = []intake.Verb{intake.VerbExtend, intake.VerbAppeal}
		b.Why = "The meeting had to be moved to January."
	case intake.StaffTrouble:
		b.Why = "The answer LG-2026-000123-K.4 was refused by the mail server of the partner."
	case intake.StaffCRM:
		b.Why = "hubspot: The record 77 of this case was deleted there, or made one with another.\nTo have it made again: leadgate crm replay LG-2026-000123-K --crm hubspot"
	case intake.StaffConfirmBy:
		b.Proposed, b.Why = "pia@vendor.example", "The contact never agreed."
		b.Registration.Revoking = intake.Revoking{By: "pia@vendor.example", At: at, Reason: intake.ReasonRevoked, Why: "The contact never agreed."}
	case intake.StaffDigest:
		b.Registration, b.Partner, b.PartnerID, b.Due = nil, "", "", time.Time{}
		b.Digest = []intake.DigestLine{
			{Name: "pending", Count: 2, Cases: []string{"LG-2026-000123-K", "LG-2026-000124-P"}},
			{Name: "late"},
			{Name: "expiring", Count: 1, Cases: []string{"LG-2026-000101-C"}},
			{Name: "conflicts"},
			{Name: "idle"},
			{Name: "duplicates"},
			{Name: "undelivered"},
			{Name: "waiting"},
		}
	case intake.StaffOutage:
		b.Registration, b.Partner, b.PartnerID, b.Due = nil, "", "", time.Time{}
		b.Outage = &intake.Outage{Name: "mailbox partners", Problem: "imap.vendor.example: the server does not let us in", Since: at.Add(-20 * time.Minute)}
	case intake.StaffRenewals:
		b.Registration, b.Partner, b.PartnerID, b.Due = nil, "", "", time.Time{}
		b.Renewals = []intake.Renewal{
			{Account: "acme.example", Name: "Acme GmbH", Ends: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Partner: "Partner GmbH"},
			{Account: "contoso.example", Ends: at.Add(90 * 24 * time.Hour), Partner: "partner-two"},
		}
	case intake.StaffProbe:
		b.Registration, b.Due = nil, time.Time{}
		b.Probe = &intake.Probe{Domains: 24, Taken: 17, Days: 7, Cases: []string{"LG-2026-000124-P", "LG-2026-000123-K"}}
	}
	return b
}

// links are what staff can do in a message of the kind.
func links(kind intake.MessageKind) []intake.BriefLink {
	var acts []intake.StaffAct
	switch kind {
	case intake.StaffQueued, intake.StaffDecision:
		acts = []intake.StaffAct{intake.ActApprove, intake.ActDecline, intake.ActAsk, intake.ActWaitlist}
	case intake.StaffNextStep:
		acts = []intake.StaffAct{intake.ActProgress}
	case intake.StaffIdle:
		acts = []intake.StaffAct{intake.ActExtend, intake.ActRelease}
	case intake.StaffConflict, intake.StaffTrouble:
		acts = []intake.StaffAct{intake.ActSeen}
	case intake.StaffRequest:
		acts = []intake.StaffAct{intake.ActExtend, intake.ActRefuse, intake.ActAckAppeal}
	case intake.StaffConfirmBy:
		acts = []intake.StaffAct{intake.ActRevoke}
	}
	var out []intake.BriefLink
	for _, a := range acts {
		out = append(out, intake.BriefLink{Act: a, URL: "https://partners.vendor.example/desk/" + string(a) + "-0123456789"})
	}
	return out
}

// bare is a message with as little in it as there can be.
func bare(kind intake.MessageKind, status intake.Status) intake.Message {
	m := intake.Message{ID: "LG-2026-000123-K.4", Kind: kind, Facts: intake.Facts{
		Case: "LG-2026-000123-K", Status: status, Contact: intake.Contact{Email: "pia@vendor.example"},
	}}
	if toStaff(kind) {
		m.Brief = &intake.Brief{}
	}
	return m
}
