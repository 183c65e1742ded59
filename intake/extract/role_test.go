package extract

import (
	"testing"

	"leadgate/intake"
)

func TestRolesAreReadWhereverPeopleWriteThem(t *testing.T) {
	for _, tc := range []struct{ text, company, name, role string }{
		{
			"Joan Miller is the VP of Customer Experience at Northgate Hotels, jmiller@northgatehotels.com.",
			"Northgate Hotels", "Joan Miller", "VP of Customer Experience",
		},
		{
			"We met Peter Lang, Head of Supply Chain and Logistics EMEA at Brixton Foods: peter.lang@brixtonfoods.com.",
			"Brixton Foods", "Peter Lang", "Head of Supply Chain and Logistics EMEA",
		},
		{
			"Their HSE manager, Neil Rowe (neil@netherbyplastics.com), asked about Netherby Plastics.",
			"Netherby Plastics", "Neil Rowe", "HSE manager",
		},
		{
			"Greta Olsen runs the warehouse at Tidewell Logistics; her title is Warehouse Operations Manager. greta.olsen@tidewell.com",
			"Tidewell Logistics", "Greta Olsen", "Warehouse Operations Manager",
		},
		{
			"My contact at the Royal Oak Brewery is Dean Page, head brewer. dean.page@royaloakbrewery.com",
			"Royal Oak Brewery", "Dean Page", "head brewer",
		},
		{
			"Wir haben mit der IT-Leiterin der Firma Pohl Verpackung, Carola Jansen, gesprochen: c.jansen@pohl-verpackung.de.",
			"Pohl Verpackung", "Carola Jansen", "IT-Leiterin",
		},
		{
			"Hablamos con el director de operaciones de Logística Andina, Jorge Peña, jorge.pena@logisticaandina.com.",
			"Logística Andina", "Jorge Peña", "director de operaciones",
		},
		{
			"Il nostro riferimento in Villa Aurora Spa è la Dott.ssa Mirella Neri, dirigente affari generali, m.neri@villa-aurora.it.",
			"Villa Aurora Spa", "Mirella Neri", "dirigente affari generali",
		},
		{
			"Het hoofd ICT van het Sint-Jozefcollege heet Koen Maes: koen.maes@sint-jozefcollege.be",
			"Sint-Jozefcollege", "Koen Maes", "hoofd ICT",
		},
		{
			"Tapasin heidän laatupäällikkönsä Sanna Nikulan (sanna.nikula@marjajaloste.fi), yritys on Pohjolan Marjajaloste Oy.",
			"Pohjolan Marjajaloste Oy", "Sanna Nikula", "laatupäällikkö",
		},
		{
			"Vi har snakket med daglig leder Ola Berg i Fjordfisk AS, ola.berg@fjordfisk.no.",
			"Fjordfisk AS", "Ola Berg", "daglig leder",
		},
		{
			"Nový lead: Autoservis Dvořák. Majitel je Petr Dvořák, petr@autoservis-dvorak.cz.",
			"Autoservis Dvořák", "Petr Dvořák", "Majitel",
		},
		{
			"It's about Amberley Estates (amberleyestates.co.uk). Our engineer Ross Young will visit them.",
			"Amberley Estates", "", "",
		},
	} {
		res := newTestExtractor().Extract(Input{Text: "Hello,\n\n" + tc.text + "\n", SenderName: "Bob Partner", SenderAddress: "bob@partner.example", SenderDomain: "partner.example"})
		got := intake.Lead{}
		if len(res.Leads) > 0 {
			got = res.Leads[0].Fields
		}
		for f, want := range map[intake.Field]string{intake.FieldCompanyName: tc.company, intake.FieldContactName: tc.name, intake.FieldContactRole: tc.role} {
			if got[f] != want {
				t.Errorf("%s\n%s: got %q, want %q", tc.text, f, got[f], want)
			}
		}
	}
}

func TestNumbersAreReadAsTheirCountryWritesThem(t *testing.T) {
	for text, want := range map[string]string{
		"Contacto: Pilar Vega, pilar.vega@dentalsonrisas.es o 954 123 456.":                 "+34954123456",
		"Falar com João Batista, joao@padariapaoquente.com.br, (11) 98765-4321.":            "+5511987654321",
		"Kontakt: Jan Nowak, jan.nowak@hurtownia-blawat.pl, tel. 42 612 34 56.":             "+48426123456",
		"They bake 954 123 456 rolls a year. Speak to Pilar Vega, pilar@dentalsonrisas.es.": "",
	} {
		res := newTestExtractor().Extract(Input{Text: "Hello,\n\n" + text + "\n"})
		if len(res.Leads) != 1 || res.Leads[0].Fields[intake.FieldContactPhone] != want {
			t.Errorf("%s: got %+v, want %q", text, res.Leads, want)
		}
	}
}

func TestAGreetingIsNoCompany(t *testing.T) {
	for _, text := range []string{
		"Hello,\n\nContact: Jane Doe, jane@acme.com\nRole: CTO\n",
		"Typo on my side, sorry.\n\nContact: Jane Doe, jane@acme.com\nRole: CTO\n",
	} {
		res := newTestExtractor().Extract(Input{Text: text})
		if len(res.Leads) != 1 || res.Leads[0].Fields[intake.FieldCompanyName] != "" {
			t.Errorf("%q: got %+v", text, res.Leads)
		}
	}
}
