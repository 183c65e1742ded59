package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestWhatIsSaidOfCRMs(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	all := []intake.CRMStatus{
		{Name: "hubspot", Down: true, Refused: true, Problem: "the key is not valid", Since: at, Next: at, Queue: 7, Parked: 2, Verifies: true},
		{Name: "erp", Polled: at},
		{Name: "odd", Problem: "its changes can't be read"},
	}
	var b bytes.Buffer
	if err := printCRMs(&b, all, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"refuses us", "7", "never", "the key is not valid", "Nothing is lost meanwhile", "works", "can't be read"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not said:\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := printCRMs(&b, all[1:2], true); err != nil || !strings.Contains(b.String(), "does not run") || strings.Contains(b.String(), "erp  works") {
		t.Errorf("%v of a gateway that does not run:\n%s", err, b.String())
	}
}

func TestWhatAVerificationAndAComparisonSay(t *testing.T) {
	var b bytes.Buffer
	printVerified(&b, []intake.CRMVerified{
		{Name: "ledger"},
		{Name: "hubspot", Offered: true, Lacks: []intake.Lack{{What: "scope crm.objects.deals.write", Mend: "add it to the app"}, {What: "deal property leadgate_case", Mend: "make it", Setup: true}}},
		{Name: "erp", Offered: true, Problem: "no answer in time"},
	})
	err := printDrift(&b, []intake.CRMDrift{
		{Name: "ledger"},
		{Name: "same", Offered: true},
		{Name: "none", Offered: true, Absent: true},
		{Name: "hubspot", Offered: true, Differences: []intake.Difference{
			{Case: "LG-1", Object: "deal", ID: "7", Field: "stage", There: "Won", Ours: "Lead", Stays: "changed there by hand"},
			{Case: "LG-1", Object: "deal", ID: "7", Field: "status", There: "a", Ours: "b"},
			{Case: "LG-2", Object: "company"},
		}},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"ledger: there is nothing to verify", "missing: scope crm.objects.deals.write\n    add it to the app", "leadgate crm setup hubspot", "erp: could not be looked at: no answer in time",
		"ledger: can't be compared", "same: nothing differs", "none: the case has no record there",
		`hubspot: LG-1 deal 7 stage: "Won" there, "Lead" here; it stays: changed there by hand`, "status: \"a\" there, \"b\" here; a push mends it", "LG-2 company is not there\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not said:\n%s", want, b.String())
		}
	}
}
