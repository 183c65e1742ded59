package extract

import (
	"testing"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// read returns the lead of a mail of one text.
func readText(t *testing.T, text string) intake.Lead {
	t.Helper()
	e := New(identity.Default(), Options{})
	r := e.Extract(Input{Subject: "New lead", Text: text, SenderName: "Pat Miller", SenderAddress: "pat@partner.example", SenderDomain: "partner.example"})
	if len(r.Leads) != 1 {
		t.Fatalf("%q: %d leads", text, len(r.Leads))
	}
	return r.Leads[0].Fields
}

const leadIntro = "We would like to register Acme Pumps Ltd as a new lead. The contact is Jane Doe, Head of IT, jane.doe@acmepumps.com.\n\n"

func TestConsentIsReadInManyWordings(t *testing.T) {
	for _, s := range []string{
		"She is happy for you to contact her.",
		"She knows you will call and is fine with it.",
		"She expects your call.",
		"She asked me to pass on her details to you.",
		"She gave the OK for a call from your side.",
		"She has agreed to be contacted.",
		"She said it is ok to reach out.",
		"She is open to a call from you.",
		"Sie weiß Bescheid und ist einverstanden, dass Sie anrufen.",
		"Sie freut sich auf Ihren Anruf.",
		"Für sie ist es in Ordnung, wenn Sie sich melden.",
		"Elle est d'accord pour être contactée.",
		"Elle attend votre appel.",
		"Elle veut bien que vous l'appeliez.",
		"Le parece bien que la llaméis.",
		"Está encantada de que la llamen.",
		"Ha detto che va bene se la chiamate.",
		"Mi ha autorizzato a darvi il suo numero.",
		"Ze vindt het goed dat jullie bellen.",
		"Ela concordou que vocês liguem.",
		"Zgodziła się na kontakt z Państwa strony.",
		"Hon har sagt ja till att ni ringer.",
		"Hun har sagt ja til, at I ringer.",
		"Hun sa det var greit at dere ringer.",
		"Hän on antanut luvan ottaa yhteyttä.",
		"Souhlasila, že ji můžete kontaktovat.",
		"Sizin aramanızı kabul etti.",
	} {
		if got := readText(t, leadIntro+s+"\n"); got[intake.FieldConsent] != intake.ConsentYes {
			t.Errorf("%q: no consent", s)
		}
	}
}

func TestNoConsentIsReadWhereNoneWasGiven(t *testing.T) {
	for _, s := range []string{
		"I have not asked her yet, please wait with the call.",
		"She hasn't been asked yet whether you may contact her.",
		"Please do not call her before I have spoken to her.",
		"I will ask her if she agrees to be contacted.",
		"If she agrees, you can call her next week.",
		"Once she has given her OK you may contact her.",
		"She is happy for you to call once I have briefed her.",
		"Is she fine with being contacted?",
		"We are happy to contact her for you.",
		"I am glad to call her myself.",
		"She may agree to a call, we have to check.",
		"She did not want to be contacted.",
		"She would rather not be called.",
		"Bitte vorher nicht anrufen, sie weiß noch nichts davon.",
		"Ob sie einverstanden ist, dass Sie anrufen, kläre ich noch.",
		"Sobald sie zugestimmt hat, können Sie anrufen.",
		"Gerne melden wir uns noch wegen der Kontaktdaten.",
		"Elle n'est pas encore d'accord pour être contactée.",
		"Je vais lui demander si elle est d'accord pour être contactée.",
		"Si elle accepte, vous pourrez la contacter.",
		"Todavía no ha aceptado que la llamen.",
		"Le preguntaré si acepta que la llamen.",
		"Non ha ancora dato il consenso a essere contattata.",
		"Le chiederò se è d'accordo a essere contattata.",
		"Ik vraag haar nog of ze het goed vindt dat jullie bellen.",
		"Ela ainda não concordou que vocês liguem.",
		"Jeszcze się nie zgodziła na kontakt.",
		"Jag ska fråga om hon är okej med att ni ringer.",
		"Hun har ikke sagt ja til at I ringer endnu.",
		"En ole vielä kysynyt, sopiiko yhteydenotto.",
		"Ještě nesouhlasila, nevolejte jí.",
	} {
		if got := readText(t, leadIntro+s+"\n"); got[intake.FieldConsent] == intake.ConsentYes {
			t.Errorf("%q: consent", s)
		}
	}
}

func TestStageIsReadInManyWordings(t *testing.T) {
	for s, want := range map[string]string{
		"We have a demo with them on 12 December.":                    intake.StageDiscoveryScheduled,
		"Discovery call is on the calendar for the 19th.":             intake.StageDiscoveryScheduled,
		"Am 12. Dezember ist das Erstgespräch.":                       intake.StageDiscoveryScheduled,
		"Démonstration prévue le 12 décembre à 14 h.":                 intake.StageDiscoveryScheduled,
		"La demostración es el 12 de diciembre.":                      intake.StageDiscoveryScheduled,
		"La demo è giovedì 17 dicembre.":                              intake.StageDiscoveryScheduled,
		"De demo is op donderdag 17 december.":                        intake.StageDiscoveryScheduled,
		"A reunião fica para 12/12.":                                  intake.StageDiscoveryScheduled,
		"Prezentacja odbędzie się 12 grudnia.":                        intake.StageDiscoveryScheduled,
		"Mötet blir torsdag den 17 december.":                         intake.StageDiscoveryScheduled,
		"They are running a trial with us.":                           intake.StageEvaluation,
		"They put us on the shortlist.":                               intake.StageEvaluation,
		"Sie testen gerade Ihr Produkt.":                              intake.StageEvaluation,
		"Ils sont en pleine évaluation.":                              intake.StageEvaluation,
		"È in corso una valutazione comparativa.":                     intake.StageEvaluation,
		"I only just introduced your name, nobody has spoken to them": intake.StageNewIntro,
		"Det är en helt ny introduktion.":                             intake.StageNewIntro,
	} {
		if got := readText(t, leadIntro+s+"\n")[intake.FieldStage]; got != want {
			t.Errorf("%q: stage %q, want %q", s, got, want)
		}
	}
}

func TestNoStageIsReadOfWhatIsOverOrOnlyWished(t *testing.T) {
	for _, s := range []string{
		"We met them on 12 November.",
		"The call on 12 November went well.",
		"I spoke to her at a workshop on 3 October.",
		"They would like a demo in December.",
		"Could you offer them a demo on 12 December?",
		"If they like it, we can book a demo for 12 December.",
		"They are not evaluating anything yet.",
		"Their contract ends on 31 December.",
		"Am 3. Oktober hatten wir ein Gespräch mit ihr.",
		"Elle souhaite une démonstration.",
	} {
		if got := readText(t, leadIntro+s+"\n")[intake.FieldStage]; got != "" && got != intake.StageNewIntro {
			t.Errorf("%q: stage %q", s, got)
		}
	}
}
