package extract

import (
	"slices"
	"strings"
	"testing"

	"leadgate/intake"
)

// languages are those in which every field has labels.
var languages = strings.Fields("en de fr es it nl pt pl sv da no fi cs tr hu ro el ja zh ko")

func TestEveryFieldHasLabelsInEveryLanguage(t *testing.T) {
	have := make(map[string]int)
	for _, row := range rows("data/labels.tsv", 3) {
		have[row[0]+" "+row[1]]++
		if !slices.Contains(languages, row[1]) {
			t.Errorf("%s: unknown language %q", row[0], row[1])
		}
	}
	for _, f := range intake.Fields() {
		for _, lang := range languages {
			if n := have[string(f)+" "+lang]; n != 1 {
				t.Errorf("%s in %s: %d rows", f, lang, n)
			}
		}
	}
}

func TestNoLabelNamesTwoFields(t *testing.T) {
	owner, strong := make(map[string]string), make(map[string]bool)
	for _, row := range rows("data/labels.tsv", 3) {
		in := make(map[string]bool)
		for l := range strings.SplitSeq(row[2], "|") {
			name, weak := strings.CutSuffix(l, "?")
			k := fold(name)
			switch {
			case k == "" || strings.TrimSpace(name) != name:
				t.Errorf("%s in %s: %q", row[0], row[1], l)
			case in[k]:
				t.Errorf("%s in %s: %q stands there twice", row[0], row[1], l)
			case owner[k] != "" && owner[k] != row[0]:
				t.Errorf("%q is of %s and of %s", l, owner[k], row[0])
			case weak && strong[k]:
				t.Errorf("%q is weak in %s and not elsewhere", l, row[1])
			case builtin().otherLabel(k):
				t.Errorf("%q of %s is a label of something else too", l, row[0])
			}
			in[k], owner[k] = true, row[0]
			strong[k] = strong[k] || !weak
		}
	}
	for k, weak := range builtin().weak {
		if weak && strong[k] {
			t.Errorf("%q is weak and not", k)
		}
	}
}

// TestKindsOfWordsAreKnown: rows of a file are unique, of known kinds, and each spelling has
// one value within its kind.
func TestKindsOfWordsAreKnown(t *testing.T) {
	kinds := map[string][]string{
		"empty": {""}, "yes": {intake.ConsentYes}, "no": {intake.ConsentNo}, "stage": intake.Stages(),
		"reserve": {""}, "closing": {""}, "kind": intake.Kinds(), "given": {""}, "family": {""}, "other": {""}, "name": {""}, "total": {""},
		"partner": {""}, "prospect": {""}, "qualifier": {""}, "tail": {""}, "currency": {""},
	}
	value := make(map[string]string)
	for _, row := range rows("data/words.tsv", 3) {
		if !slices.Contains(kinds[row[0]], row[1]) {
			t.Errorf("%s has no value %q", row[0], row[1])
		}
		for w := range strings.SplitSeq(row[2], "|") {
			k := row[0] + " " + fold(w)
			if fold(w) == "" {
				t.Errorf("%s: %q folds to nothing", row[0], w)
			}
			if old, ok := value[k]; ok && old != row[1] {
				t.Errorf("%s: %q is %s and %s", row[0], w, old, row[1])
			}
			value[k] = row[1]
		}
	}
	for w := range builtin().words["yes"] {
		if builtin().words["no"][w] != "" {
			t.Errorf("%q is yes and no", w)
		}
		if builtin().is("reserve", w) {
			t.Errorf("%q is yes and a reserve", w)
		}
	}
	for k := range builtin().words["given"] {
		if f, ok := builtin().labels[k]; ok || builtin().words["family"][k] != "" {
			t.Errorf("%q is half a name and %s", k, f)
		}
	}
}

func TestQuoteWordsAreSound(t *testing.T) {
	langs := make(map[string]map[string]bool)
	for _, row := range rows("data/quotes.tsv", 3) {
		if langs[row[0]] == nil {
			langs[row[0]] = make(map[string]bool)
		}
		if langs[row[0]][row[1]] {
			t.Errorf("%s in %s has two rows", row[0], row[1])
		}
		langs[row[0]][row[1]] = true
		seen := make(map[string]bool)
		for w := range strings.SplitSeq(row[2], "|") {
			if fold(w) == "" || seen[strings.ToLower(w)] {
				t.Errorf("%s in %s: %q", row[0], row[1], w)
			}
			if _, _, ok := strings.Cut(w, " … "); ok != (row[0] == "attribution") {
				t.Errorf("%s in %s: %q has no place for the sender and the date, or one too many", row[0], row[1], w)
			}
			seen[strings.ToLower(w)] = true
		}
	}
	for _, kind := range []string{"attribution", "separator", "device"} {
		if n := len(langs[kind]); n < 20 {
			t.Errorf("%s in %d languages", kind, n)
		}
	}
}

// TestLabelsThatPeopleChoose reads what stands before the colon.
func TestLabelsThatPeopleChoose(t *testing.T) {
	for want, labels := range map[intake.Field]string{
		intake.FieldCompanyName:      "End user|End client|End Customer|Account|Prospect|Firma|Kundenname|Entreprise|Razón social|Ragione sociale|Klant|Klient|Företag|Yritys|Zákazník|ŞİRKET ADI|Ügyfél|Companie|Επωνυμία|お客様名|公司名称|고객사",
		intake.FieldCompanyDomain:    "Their website|WWW|Home page|Webseite|Página web|Hjemmeside|Verkkosivut|Webové stránky|Web sitesi|Honlap|網站|홈페이지",
		intake.FieldContactName:      "Decision maker|Champion|Point of contact|Full Name|Ansprechpartner|Interlocuteur|Yhteyshenkilö|Kontaktní osoba|İlgili kişi|Kapcsolattartó|Persoană de contact|担当者|联系人|담당자",
		intake.FieldContactEmail:     "E-Mail (required)*|Email address|Courriel|Correo electrónico|Sähköposti|E-posta|メールアドレス|邮箱|이메일",
		intake.FieldContactRole:      "Job Title|Designation|Funktion|Poste|Cargo|Ruolo|Functie|Stanowisko|Befattning|Titteli|Pozice|Unvanı|Beosztás|役職|职位|직책",
		intake.FieldContactPhone:     "Tel.|Mobile No.|Handy|Portable|Móvil|Cellulare|Puhelinnumero|Telefonszám|电话|전화번호",
		intake.FieldCountry:          "Country/Region|HQ|Land|Pays|País|Maa|Země|Ülke|Ország|Țară|Χώρα|国名|国家|국가",
		intake.FieldProblem:          "Pain|Pain point|Challenge|Use-case|Business Need|Herausforderung|Besoin du client|Ihtiyaç|課題|痛点|과제",
		intake.FieldSolutionFit:      "Why us?|Fit|Proposed solution|Lösungsansatz|Pourquoi nous|解決策",
		intake.FieldServicesNeeded:   "Services required|Benötigte Leistungen|Prestations attendues|Usługi",
		intake.FieldStage:            "Deal stage|Verkaufsphase|Étape|Aşama|フェーズ|阶段",
		intake.FieldProductInterest:  "Product(s)|Produktinteresse|Produits d'intérêt|Ürünler|製品",
		intake.FieldCompetingVendors: "Incumbent|Current solution|Competition|Mitbewerber|Concurrence|Rakipler|競合",
		intake.FieldTargetRevenue:    "Opportunity size|Deal value|ACV|Auftragsvolumen|Montant|Presupuesto|Bütçe|予算",
		intake.FieldConsent:          "Consent given?|OK to contact?|May we contact them?|Einwilligung liegt vor|Consentement|Souhlas|Onay|同意",
		intake.FieldKind:             "Registration type|Lead or deal|Registrierungsart",
	} {
		for l := range strings.SplitSeq(labels, "|") {
			if got, ok := builtin().label(fold(l), true); !ok || got != want {
				t.Errorf("%q names %q, want %q", l, got, want)
			}
		}
	}
	for l := range strings.SplitSeq("Lead|Project|Projekt|Umsatz|Revenue|Interest|POC|Buyer", "|") {
		if got, ok := builtin().label(fold(l), true); !ok || !builtin().weak[fold(l)] {
			t.Errorf("%q names %q for sure", l, got)
		}
	}
	for l := range strings.SplitSeq("Next step|Next steps|Timeline|Contract|Partner|Fax|Industry|Employees|Source|Comment|Close date|Nächste Schritte|Branche|Adresse|Partner contact|Technical contact|Hobby", "|") {
		if got, ok := builtin().label(fold(l), true); ok {
			t.Errorf("%q names %s; it should name nothing", l, got)
		}
	}
}

func TestCountriesAsPeopleWriteThem(t *testing.T) {
	for want, names := range map[string]string{
		"NL": "Niederlande|NL|Holland|Países Bajos|Pays-Bas|The Netherlands|Paesi Bassi|Alankomaat|Nizozemsko|Hollanda|Hollandia|Țările de Jos|Ολλανδία|オランダ|荷兰|네덜란드|Nederland",
		"DE": "Deutschland|DE|Germany|Allemagne|Alemania|Alemanha|Saksa|Německo|Almanya|Németország|Γερμανία|德国|독일|ドイツ|Tyskland|Niemcy",
		"GB": "UK|GB|U.K.|United Kingdom|Great Britain|England|Scotland|Royaume Uni|Iso-Britannia|Velká Británie|İngiltere|Marea Britanie|英国|영국",
		"US": "USA|US|U.S.A.|United States of America|États-Unis|EE. UU.|EEUU|EUA|SUA|ABD|Yhdysvallat|Vereinigte Staaten|美国|미국|アメリカ",
		"CH": "Schweiz|CH|Suisse|Svizzera|Sveitsi|Švýcarsko|İsviçre|Svájc|Elveția|瑞士|스위스",
		"AT": "Österreich|AUSTRIA|Autriche|Itävalta|Rakousko|Avusturya|Ausztria|奥地利",
		"GR": "Ελλάδα|Greece|Kreikka|Řecko|Yunanistan|Görögország",
		"AE": "UAE|VAE|Dubai|United Arab Emirates|Émirats arabes unis",
		"KR": "Korea|South Korea|대한민국|한국|Südkorea", "JP": "日本|Japan|Japonya|일본", "CZ": "Czechia|Czech Republic|Česko|Tschechien|Çekya|Csehország|チェコ",
		"TR": "Türkiye|Turkey|TURKIYE|Törökország|Turecko|튀르키예", "IE": "Ireland|Éire|Irlanti|Írország", "IS": "Island|Iceland", "HU": "Magyarország|Ungarn|Macaristan",
	} {
		for n := range strings.SplitSeq(names, "|") {
			if got := builtin().countries[fold(n)]; got != want {
				t.Errorf("%q is %q, want %q", n, got, want)
			}
		}
	}
	for _, n := range []string{"EMEA", "DACH", "Europe", "Nordics", "LATAM", "worldwide", "Munich", "XX", ""} {
		if got := builtin().countries[fold(n)]; got != "" {
			t.Errorf("%q is %q", n, got)
		}
	}
}
