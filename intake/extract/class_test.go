package extract

import (
	"testing"

	"leadgate/intake"
)

func TestMailsAboutOtherBusinessAreNoLeads(t *testing.T) {
	for subject, text := range map[string]string{
		"Sponsor the Channel Days":    "Our sponsors met 45 new prospects last year. Would you like to see the brochure? Early bird prices end on Friday.",
		"Let's fill your calendar":    "We help companies like yours get 20 sales calls per month. Their VP Sales, Monica Reed, called it a game changer.",
		"My application":              "I currently work at Fernhill Systems. My references: Oliver Prince, Sales Director at Fernhill Systems, oliver.prince@fernhill.example.",
		"Our new office":              "From 1 March you will find us in Bergen. Ola Nordmann is our new office manager.",
		"Portal access":               "Please create a portal account for our new colleague Fiona Walsh (fiona@priceit-group.example). She starts on Monday as sales manager.",
		"Case study":                  "We would like to publish a case study about Orion Foods. Could you approve the draft? Their marketing manager is Tim West.",
		"Initiativbewerbung":          "Zurzeit arbeite ich bei der Hansen Logistik GmbH in Kiel und bewerbe mich bei Ihnen.",
		"Mehr Kunden durch Google":    "Wir bringen Sie auf Seite 1. Unser Kunde, die Schreinerei Holzmann, hat die Anfragen verdoppelt.",
		"Doublez vos ventes":          "Notre client Techline a signé 12 contrats en trois mois. Auriez-vous un quart d'heure jeudi ?",
		"Comisión pendiente":          "Todavía no nos ha llegado la liquidación de Bodegas Alcor. ¿Cuándo la vais a pagar?",
		"Autocandidatura":             "Lavoro da cinque anni presso Delta Sistemi Srl a Bologna. In allegato il mio curriculum.",
		"Inlogprobleem":               "Onze klant Bakkerij Jansen kan sinds vanochtend niet meer inloggen. Kunnen jullie meekijken?",
		"Procura de emprego":          "Trabalho há quatro anos na Norte Digital Lda. Envio o meu currículo em anexo.",
		"Problem z logowaniem":        "Nasz klient Hurtownia Zefir nie może się zalogować od rana. Możecie sprawdzić?",
		"Spontanansökan":              "Jag arbetar som säljare på Nordkraft AB i Umeå. Mitt cv är bifogat.",
		"Slides fra webinaret?":       "Er der mulighed for at få jeres slides tilsendt?",
		"Summit Dental?":              "What is the status of our registration for Summit Dental?",
		"Lunch next week?":            "The new Italian place, Trattoria Sole, is supposed to be good.",
		"Webinaarin tallenne":         "Haluaisimme näyttää tallenteen tiimille.",
		"Eğitim hakkında":             "İki arkadaşımız sertifika eğitimine katılmak istiyor. Bir sonraki eğitim ne zaman?",
		"Sertifikační školení":        "Kdy se koná další školení? Dva naši technici chtějí certifikát.",
		"Számla":                      "A 2026/55 számú számlán rossz az adószám.",
		"Factură restantă":            "Factura 119 nu a fost încă plătită. Ne puteți spune data plății?",
		"Guest post on your blog":     "I would like to contribute a guest post with a link to one of my clients, Paperlane.",
		"Out sick":                    "I am ill this week. Please write to my colleague Nina Frost (nina.frost@hale-group.example).",
		"My CV":                       "My CV is online at patmiller.example/cv, I am looking for a role as partner manager.",
		"Feedback on the app":         "Three of our customers complain that the export takes too long.",
		"White paper: 7 trends":       "In our new white paper we show seven trends that every vendor needs to know.",
		"Invitation : petit-déjeuner": "Le Club vous convie à son petit-déjeuner. Claire Petit, directrice de Novalis SAS, parlera de la cybersécurité.",
		"Vraag over de factuur":       "Op factuur 2210 staat een verkeerd bedrag. Het moet 740 euro zijn.",
	} {
		if res := readFromPat(subject, text); len(res.Leads) > 0 || res.Class != ClassNotALead && res.Class != ClassUnclear {
			t.Errorf("%s: %s %v", subject, res.Class, res.Leads)
		}
	}
}

func TestBusinessOfAProspectIsALead(t *testing.T) {
	for subject, text := range map[string]string{
		"Billing trouble":    "Ron Tucker (ron@oceantile.example) is CFO of Ocean Tile. Their billing is done by hand and payments come late.",
		"After our webinar":  "Jill Monroe, head of IT at Weststar Cargo, attended our webinar and asked for pricing. jill.monroe@weststar.example.",
		"Quote wanted":       "Could you send me prices for Palmer & Sons? Ron Palmer, office manager, ron@palmersons.example, wants to stop printing contracts.",
		"Nach der Messe":     "Auf der Messe sprach ich mit Eva Kruse von Kruse Logistik (eva@kruse-logistik.example). Sie leitet die Buchhaltung, Rechnungen werden von Hand erfasst.",
		"Salon de Lyon":      "Au salon j'ai rencontré Luc Morel, gérant de Vins Morel (luc@vinsmorel.example). Ses factures se perdent.",
		"Meeting a prospect": "My colleague Tom met Kim Ode, the founder of Talentfish (kim@talentfish.example). They drown in CVs.",
	} {
		if res := readFromPat(subject, text); res.Class != ClassLead || len(res.Leads) != 1 {
			t.Errorf("%s: %s %v", subject, res.Class, res.Leads)
		}
	}
}

func TestCompaniesAreTakenWhereSomethingConfirmsThem(t *testing.T) {
	for text, want := range map[string]string{
		"Please register Massive Dynamic as our lead.":                                                                         "Massive Dynamic",
		"hi please register massive dynamic as our lead, jane doe jane@massivedynamic.example head of it, they lose files":     "massive dynamic",
		"Ciao, la Cantina Morelli di Asti cerca un archivio. Il referente è Ada Morelli, ada@cantinamorelli.example.":          "Cantina Morelli",
		"Unser Kunde Klinik am See möchte Akten digital führen. Kontakt ist Dr. Uta Behr, behr@klinik-am-see.example.":         "Klinik am See",
		"Hello, Studio 21 in Brighton wants to digitise contracts. Contact: Joe Ash, joe@studio21.example, founder.":           "Studio 21",
		"The City of Leeds is looking for an archive. Contact: Joe Ash, joe.ash@leeds.example, IT manager.":                    "City of Leeds",
		"Hei, Kiviranta Oy Tampereelta tarvitsee arkiston. Yhteyshenkilö on Aino Kivi, aino@kiviranta.example.":                "Kiviranta Oy",
		"Bitte registrieren: Autohaus Wendt GmbH & Co. KG, Kassel. Kontakt Jürgen Wendt, j.wendt@autohaus-wendt.example.":      "Autohaus Wendt GmbH & Co. KG",
		"Amy Lee used to work at Hooli Inc. and is COO now. They need an archive. amy.lee@ff-group.example":                    "",
		"Amy Lee is COO at a food company in Leeds. They need an archive. amy.lee@gmail.com":                                   "",
		"We work with Siemens and Bosch as well. Our customer from Stuttgart needs an archive. Max Lang, max.lang@gmx.de.":     "",
		"My colleague at Acme Distribution GmbH told me about them. Amy Lee, COO, amy@fenwickfoods.example, needs an archive.": "",
	} {
		got := ""
		if res := readFromPat("Lead", text); len(res.Leads) > 0 {
			got = res.Leads[0].Fields[intake.FieldCompanyName]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// readFromPat reads a mail of a partner.
func readFromPat(subject, text string) Result {
	return newTestExtractor().Extract(Input{
		Subject: subject, Text: "Hello,\n\n" + text + "\n",
		SenderName: "Pat Miller", SenderAddress: "pat@brightpartner.example", SenderDomain: "brightpartner.example",
	})
}
