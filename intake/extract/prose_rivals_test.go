package extract

import (
	"testing"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func TestRivalsAreReadInManyWordings(t *testing.T) {
	e := New(identity.Default(), Options{OwnNames: []string{"Northwind"}})
	for s, want := range map[string]string{
		"They are currently on Docuware.":                                    "Docuware",
		"They use Zendesk today.":                                            "Zendesk",
		"They are replacing ServiceNow.":                                     "ServiceNow",
		"Freshdesk and Zendesk are also in the running.":                     "Freshdesk; Zendesk",
		"They compare us with Docuware, Zendesk and Filewise.":               "Docuware; Zendesk; Filewise",
		"They are evaluating Northwind Desk and Zendesk.":                    "Zendesk",
		"Aktuell nutzen sie Docuware.":                                       "Docuware",
		"Im Rennen ist außerdem noch Docuware.":                              "Docuware",
		"Ils utilisent aujourd'hui Zeendoc.":                                 "Zeendoc",
		"Zeendoc est aussi sur les rangs.":                                   "Zeendoc",
		"También están mirando Docuware y Zendesk.":                          "Docuware; Zendesk",
		"Stanno valutando anche Arxivar.":                                    "Arxivar",
		"Ze kijken ook naar Exact en AFAS.":                                  "Exact; AFAS",
		"Porównują nas z Comarch.":                                           "Comarch",
		"De jämför med Visma.":                                               "Visma",
		"They want to get rid of paper, spreadsheets and Excel.":             "",
		"They use Excel today.":                                              "",
		"They are comparing quotes.":                                         "",
		"They are evaluating Northwind Desk.":                                "",
		"Jane uses a tablet at Acme Pumps.":                                  "",
		"Sie vergleichen Angebote.":                                          "",
		"Sie nutzen bisher Papierlisten.":                                    "",
		"They currently have 40 users in Germany and want to be live by May": "",
	} {
		r := e.Extract(Input{Text: leadIntro + s + "\n", SenderName: "Pat Miller", SenderAddress: "pat@partner.example", SenderDomain: "partner.example"})
		if len(r.Leads) != 1 {
			t.Fatalf("%q: %d leads", s, len(r.Leads))
		}
		if got := r.Leads[0].Fields[intake.FieldCompetingVendors]; got != want {
			t.Errorf("%q: rivals %q, want %q", s, got, want)
		}
	}
}

func TestProductsAreReadByOurName(t *testing.T) {
	e := New(identity.Default(), Options{OwnNames: []string{"northwind"}})
	for s, want := range map[string]string{
		"They want Northwind Desk and Northwind Flow.": "Northwind Desk; Northwind Flow",
		"They talked to the Northwind Partner Team.":   "",
		"We are a Northwind Platinum partner.":         "",
		"They have heard of Northwind.":                "",
	} {
		r := e.Extract(Input{Text: leadIntro + s + "\n", SenderName: "Pat Miller", SenderAddress: "pat@partner.example", SenderDomain: "partner.example"})
		if got := r.Leads[0].Fields[intake.FieldProductInterest]; got != want {
			t.Errorf("%q: products %q, want %q", s, got, want)
		}
	}
}
