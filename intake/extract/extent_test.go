package extract

import (
	"testing"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// TestCompanyInFull holds names of companies of which the domain is made in part only, or that
// stand where it is hard to see where they end.
func TestCompanyInFull(t *testing.T) {
	e := New(identity.Default(), Options{})
	for text, want := range map[string]string{
		"hi, lead: willow creek dental practice, office manager is tess grady (tess.grady@willowcreek.example).":          "willow creek dental practice",
		"hola oportunidad: fusteria vila i fills, el gerente es joan vila, joan@fusteriavila.example":                     "fusteria vila i fills",
		"met kestrel outdoor media at the fair, owner is kim lau kim@kestreloutdoor.example":                              "kestrel outdoor media",
		"Dag, ik heb een lead: basisschool De Regenboog (deregenboog.example). Piet Mol, p.mol@deregenboog.example":       "basisschool De Regenboog",
		"Bonjour, j'ai un lead : le Lycée technique des Tilleuls. La proviseure, Anne Morel, a.morel@lt-tilleuls.example": "Lycée technique des Tilleuls",
		"Neuer Lead: Möbelhaus Trendel GmbH. die reklamationen gehen verloren. Uwe Ott, u.ott@moebel-trendel.example":     "Möbelhaus Trendel GmbH",
		"1) Tunstead Quarries Ltd. Permits expire. Contact: Barry Whitlock, b.whitlock@tunsteadquarries.example":          "Tunstead Quarries Ltd",
		"New lead: Kestrel Air (UK) Ltd. Contact Ben Moss, Base Manager, ben.moss@kestrelair.example":                     "Kestrel Air (UK) Ltd",
		"New lead: Ocean Freight Services Pvt. Ltd., Mumbai. Contact Raj Mehta, raj@oceanfreight.example":                 "Ocean Freight Services Pvt. Ltd.",
		"Neuer Lead: Technische Werke Arnstadt GmbH (TWA). Kontakt ist Udo Lenz, u.lenz@twa.example":                      "Technische Werke Arnstadt GmbH",
		"New lead: A. J. Whitmore Ltd. Ops Director Neil Frame, nframe@ajwhitmore.example":                                "A. J. Whitmore Ltd",
		"New lead: Tanner's Bakery. Owner Joe Tanner, joe@tannersbakery.example, allergens on paper":                      "Tanner's Bakery",
		"New lead: Three Oaks Nursery. The manager, Mia Cole (mia@oaksnursery.example), writes passports by hand":         "Three Oaks Nursery",
		"New lead: Acorn Printing Ltd (Leeds). Joan Shaw, joan.shaw@acornprinting.example, wants no paper":                "Acorn Printing Ltd",
		"New lead: Centre for Marine Research. Lab manager Joe Kerr, j.kerr@cmr.example. Samples on paper":                "Centre for Marine Research",
		"hej, nytt lead: lindbergs bygg ab i falun, vd är karin lindberg, karin@lindbergsbygg.example":                    "lindbergs bygg ab",
	} {
		res := e.Extract(Input{Text: text + "\n", SenderAddress: "sam@rilke-it.example", SenderDomain: "rilke-it.example"})
		if len(res.Leads) != 1 {
			t.Errorf("%s: %d leads", text, len(res.Leads))
			continue
		}
		if got := res.Leads[0].Fields[intake.FieldCompanyName]; got != want {
			t.Errorf("%s:\n got %q\nwant %q", text, got, want)
		}
	}
}
