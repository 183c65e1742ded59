package crmtest

import (
	"fmt"
	"time"

	"leadgate/intake"
)

var epoch = time.Date(2026, 11, 23, 9, 30, 0, 123456000, time.UTC)

// Sample returns a complete record of the n-th case at a revision.
func Sample(n, revision int) intake.Record {
	number := fmt.Sprintf("LG-2026-%06d-X", n)
	return intake.Record{
		Registration: intake.Registration{
			Number: number, Seq: uint64(n), Revision: revision,
			Status: intake.StatusInReview, Partner: "northwind", Contact: "bo@northwind.example",
			Strength: intake.StrengthDomain, Channel: "mail",
			Claim: epoch, Accepted: epoch.Add(time.Second), Updated: epoch.Add(time.Duration(revision) * time.Minute),
			DecisionDue: epoch.Add(48 * time.Hour), Lead: sampleLead(n), Events: revision,
			Rationale: StaffCanary,
			Findings: []intake.Finding{{
				Rule: "existing deal", Outcome: intake.OutcomeReview, Reason: intake.ReasonExistingDeal, Evidence: StaffCanary,
			}},
			Evidence: map[intake.Field]string{intake.FieldCompanyName: StaffCanary},
		},
		Partner: intake.Partner{
			ID: "northwind", Name: "Northwind Partners", Status: intake.PartnerActive, Motion: "reseller",
			Domains: []string{"northwind.example"},
		},
	}
}

// StaffCanary stands where only staff may read. A connector sends it nowhere.
const StaffCanary = "canary-for-staff-only"

func sampleLead(n int) intake.Lead {
	return intake.Lead{
		intake.FieldCompanyName:      fmt.Sprintf("Acme %d GmbH", n),
		intake.FieldCompanyDomain:    fmt.Sprintf("acme%d.example", n),
		intake.FieldCountry:          "DE",
		intake.FieldContactName:      "Jo Doe",
		intake.FieldContactEmail:     fmt.Sprintf("jo@acme%d.example", n),
		intake.FieldContactRole:      "Head of IT",
		intake.FieldContactPhone:     "+49 30 1234567",
		intake.FieldProblem:          "Backups take longer than the night.",
		intake.FieldSolutionFit:      "Incremental backups.",
		intake.FieldServicesNeeded:   "migration; training",
		intake.FieldStage:            intake.StageNewIntro,
		intake.FieldProductInterest:  "Vault",
		intake.FieldCompetingVendors: "Contoso",
		intake.FieldTargetRevenue:    "120000 EUR",
		intake.FieldConsent:          "yes",
	}
}

// note returns the n-th entry of a case.
func note(caseNumber string, n int) intake.Note {
	return intake.Note{Event: intake.Event{
		Case: caseNumber, N: n, At: epoch.Add(time.Duration(n) * time.Minute),
		Kind: intake.EventMoved, Actor: "policy", From: intake.StatusSubmitted, To: intake.StatusInReview,
		Findings: []intake.Finding{{Rule: "existing deal", Evidence: StaffCanary}},
	}}
}
