package identity

import "testing"

func TestTerritoriesAreCodesThatExist(t *testing.T) {
	for in, want := range map[string]string{
		"de": "DE", "DE-BY": "DE-BY", "gb-sct": "GB-SCT", "uk": "GB", "uk-SCT": "GB-SCT", "US-CA": "US-CA", "FR-75": "FR-75", "FR-IDF": "FR-IDF",
		"": "", "D": "", "DEU": "", "DE-": "", "DE-XX": "", "XX": "", "EU": "", "ZZ": "", "276": "", "-DE": "", "SU": "",
	} {
		got, ok := Territory(in)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Territory(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

func TestLocalesAreTags(t *testing.T) {
	for in, want := range map[string]string{"en": "en", "pt-br": "pt-BR", "EN_gb": "en-GB", "zh-hant-tw": "zh-Hant-TW", "": "", "english please": "", "und": ""} {
		got, ok := Locale(in)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Locale(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}
