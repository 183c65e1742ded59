package extract

import (
	"slices"
	"testing"

	"leadgate/intake"
)

func TestFinalSigmaIsASigma(t *testing.T) {
	if fold("ΠΕΛΑΤΗΣ") != fold("Πελάτης") {
		t.Errorf("%q is not %q", fold("ΠΕΛΑΤΗΣ"), fold("Πελάτης"))
	}
}

func TestBoxesThatAreTickedAreTheValue(t *testing.T) {
	for v, want := range map[string]string{
		"[x] yes  [ ] no":                         "yes",
		"[ ] New intro   [x] Discovery scheduled": "Discovery scheduled",
		"☐ ja ☑ nein":                             "nein",
		"[X] Desk [ ] Flow [x] Sign":              "Desk; Sign",
		"[ ] yes [ ] no":                          "",
	} {
		if got, ok := ticked(v); !ok || got != want {
			t.Errorf("%q: %q, %v; want %q", v, got, ok, want)
		}
	}
	for _, v := range []string{"Acme [x] Ltd", "[x]", "yes", "(required) yes"} {
		if got, ok := ticked(v); ok {
			t.Errorf("%q is read as a row of boxes: %q", v, got)
		}
	}
}

func TestTheBlockOfThePartnerIsNotTheProspect(t *testing.T) {
	for _, head := range []string{"PARTNER", "Vos coordonnées", "1) Wiederverkäufer", "== Dane partnera =="} {
		lines := split(head+"\nName: Jo Bell\nE-mail: jo@reseller.com\n\nCustomer\nName: Ann Roe\nE-mail: ann@acme.com\n", Input{}, builtin()).lines
		out := newTestExtractor().withoutPartner(lines)
		for i, l := range out {
			if partner := i < 3; l.partner != partner {
				t.Errorf("%s: %q: partner is %v", head, l.body, l.partner)
			}
		}
	}
}

func TestHeadersOfManyClientsAreKnown(t *testing.T) {
	for label, want := range map[string]string{
		"От кого": "from", "Від": "from", "보낸사람": "from", "发件人": "from", "寄件者": "from", "Van": "from", "Od": "from",
		"Feladó": "from", "Lähettäjä": "from", "Kimden": "from", "De la": "from", "Από": "from", "ΑΠΟ": "from", "Odosielateľ": "from",
		"Кому": "to", "받는사람": "to", "收件人": "to", "Προς": "to", "Címzett": "to", "Vastaanottaja": "to", "Kime": "to", "Komu": "to",
		"Θέμα": "subject", "제목": "subject", "主题": "subject", "主旨": "subject", "Tárgy": "subject", "Aihe": "subject", "Konu": "subject", "Předmět": "subject",
		"Odesláno": "other", "보낸 날짜": "other", "傳送日期": "other", "Στάλθηκε": "other", "Küldve": "other", "Lähetetty": "other", "Gönderildi": "other", "Skickat": "other",
	} {
		if got, _ := headerLine(label + ": x"); got != want {
			t.Errorf("%s: %q, want %q", label, got, want)
		}
	}
	for _, words := range []string{
		"Пересланное сообщение", "Переслане повідомлення", "Προωθημένο μήνυμα", "轉寄的郵件", "转发的邮件", "전달된 메시지",
		"Přeposlaná zpráva", "Preposlaná správa", "Továbbított üzenet", "Edelleenlähetetty viesti", "Yönlendirilmiş ileti", "Mesaj redirecționat",
	} {
		if separatorKind("---------- "+words+" ----------") != opensForward {
			t.Errorf("%s opens no forward", words)
		}
	}
}

func TestRowsWithoutAHeaderAreLeads(t *testing.T) {
	res := newTestExtractor().Extract(Input{Text: "Two leads:\n\nAcme Ltd | Ann Roe | ann.roe@acme.com | slow reports at the end of each month\nBeta GmbH | Bo Lind | bo@beta.de | no overview of the stock in the depots\n"})
	var names []string
	for _, l := range res.Leads {
		names = append(names, l.Fields[intake.FieldCompanyName]+"/"+l.Fields[intake.FieldContactName])
	}
	if want := []string{"Acme Ltd/Ann Roe", "Beta GmbH/Bo Lind"}; !slices.Equal(names, want) {
		t.Errorf("read %v, want %v", names, want)
	}
}
