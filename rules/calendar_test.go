package rules

import (
	"strings"
	"testing"
	"time"

	"leadgate/intake/identity"
)

func TestBusinessDaysLeaveOutWhatTheCalendarCloses(t *testing.T) {
	for name, tt := range map[string]struct {
		calendar   Calendar
		from, want string
	}{
		"nothing is closed":                         {Calendar{}, "2026-12-24 10:00", "2026-12-28 10:00"},
		"Christmas in Belgium":                      {Calendar{Holidays: []string{"BE"}}, "2026-12-24 10:00", "2026-12-29 10:00"},
		"and in Bavaria, where St Stephen's is too": {Calendar{Holidays: []string{"be", "de-by"}}, "2026-12-24 10:00", "2026-12-29 10:00"},
		"Epiphany in Bavaria":                       {Calendar{Holidays: []string{"DE-BY"}}, "2026-01-05 10:00", "2026-01-08 10:00"},
		"and not in Berlin":                         {Calendar{Holidays: []string{"DE-BE"}}, "2026-01-05 10:00", "2026-01-07 10:00"},
		"days of one's own":                         {Calendar{Closed: []string{"12-24", "2026-12-28"}}, "2026-12-23 10:00", "2026-12-29 10:00"},
		"a day of another year":                     {Calendar{Closed: []string{"2025-12-28"}}, "2026-12-24 10:00", "2026-12-28 10:00"},
		"what comes on a holiday":                   {Calendar{Holidays: []string{"BE"}}, "2026-12-25 10:00", "2026-12-30 00:00"},
		"a week from Sunday to Thursday":            {Calendar{Workdays: []string{"Sunday", "monday", "tuesday", "wednesday", "thursday"}}, "2026-12-24 10:00", "2026-12-28 10:00"},
		"29 February in another year":               {Calendar{Closed: []string{"02-29"}}, "2026-02-27 10:00", "2026-03-03 10:00"},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy(t, func(s *Spec) {
				s.Calendar, s.Timezone = tt.calendar, "Europe/Brussels"
				s.Decision = business(2)
			})
			from, err := time.ParseInLocation("2006-01-02 15:04", tt.from, p.Zone())
			if err != nil {
				t.Fatal(err)
			}
			if got := p.End(from, business(2)).In(p.Zone()).Format("2006-01-02 15:04"); got != tt.want {
				t.Errorf("due %s, want %s", got, tt.want)
			}
		})
	}
}

func TestFaultsOfTheCalendarNameTheirKey(t *testing.T) {
	year := make([]string, 0, 366)
	for d := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == 2024; d = d.AddDate(0, 0, 1) {
		year = append(year, d.Format("01-02"))
	}
	for name, tt := range map[string]struct {
		calendar Calendar
		want     string
	}{
		"no such day":        {Calendar{Workdays: []string{"funday"}}, `calendar.workdays[0]: "funday" is no day of the week`},
		"no such place":      {Calendar{Holidays: []string{"BE", "XX"}}, `calendar.holidays[1]: no holidays are known of "XX"; known are AR, `},
		"no such date":       {Calendar{Closed: []string{"24.12."}}, `calendar.closed[0]: "24.12." is no day like 2026-12-24`},
		"never open":         {Calendar{Closed: year}, "calendar.closed: no business day is left"},
		"closed on workdays": {Calendar{Workdays: []string{"monday"}, Closed: []string{"2026-12-24"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := Default()
			s.Calendar = tt.calendar
			s.Contact = Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
			var got []string
			for _, err := range s.Validate(identity.Default()) {
				got = append(got, err.Error())
			}
			if all := strings.Join(got, "\n"); tt.want == "" && all != "" || !strings.HasPrefix(all, tt.want) {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}
