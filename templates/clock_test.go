package templates

import (
	"testing"
	"time"

	"leadgate/intake"
)

func TestMomentsAreWrittenInFull(t *testing.T) {
	winter := time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)
	summer := time.Date(2026, 7, 1, 22, 5, 59, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		zone string
		want string
	}{
		{winter, "Europe/Berlin", "Tuesday 24 November 2026, 16:30 CET (UTC+1)"},
		{summer, "Europe/Berlin", "Thursday 2 July 2026, 00:05 CEST (UTC+2)"},
		{winter, "America/New_York", "Tuesday 24 November 2026, 10:30 EST (UTC-5)"},
		{winter, "Asia/Kolkata", "Tuesday 24 November 2026, 21:00 IST (UTC+5:30)"},
		{winter, "America/Sao_Paulo", "Tuesday 24 November 2026, 12:30 UTC-3"},
		{winter, "Asia/Kathmandu", "Tuesday 24 November 2026, 21:15 UTC+5:45"},
		{winter, "Europe/London", "Tuesday 24 November 2026, 15:30 GMT (UTC+0)"},
		{winter, "UTC", "Tuesday 24 November 2026, 15:30 UTC"},
		{winter, "", "Tuesday 24 November 2026, 15:30 UTC"},
		{winter, "Local", "Tuesday 24 November 2026, 15:30 UTC"},
		{winter, "Nowhere/Land", "Tuesday 24 November 2026, 15:30 UTC"},
		{winter, "../../etc/passwd", "Tuesday 24 November 2026, 15:30 UTC"},
		{winter.In(time.FixedZone("X", 3600)), "UTC", "Tuesday 24 November 2026, 15:30 UTC"},
		{time.Time{}, "UTC", ""},
	} {
		if got := english.moment(c.at, location(c.zone)); got != c.want {
			t.Errorf("%s: %q, want %q", c.zone, got, c.want)
		}
	}
}

func TestGermanMomentsAreWrittenAsGermansDo(t *testing.T) {
	for at, want := range map[time.Time]string{
		time.Date(2026, 3, 1, 8, 5, 0, 0, time.UTC):  "Sonntag, 1. März 2026, 09:05 Uhr MEZ (UTC+1)",
		time.Date(2026, 7, 1, 22, 5, 0, 0, time.UTC): "Donnerstag, 2. Juli 2026, 00:05 Uhr MESZ (UTC+2)",
	} {
		if got := german.moment(at, location("Europe/Berlin")); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := german.moment(time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC), location("America/New_York")); got != "Dienstag, 24. November 2026, 10:30 Uhr EST (UTC-5)" {
		t.Errorf("%q", got)
	}
}

// TestDaysAreCountedByTheCalendar of the zone, not by hours.
func TestDaysAreCountedByTheCalendar(t *testing.T) {
	at := time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC) // 23:30 in Berlin
	for _, c := range []struct {
		due    time.Time
		zone   string
		en, de string
	}{
		{at.Add(20 * time.Minute), "Europe/Berlin", "today", "heute"},
		{at.Add(40 * time.Minute), "Europe/Berlin", "tomorrow", "morgen"},
		{at.Add(40 * time.Minute), "UTC", "today", "heute"},
		{at.Add(48 * time.Hour), "Europe/Berlin", "in 2 days", "in 2 Tagen"},
		{time.Date(2027, 3, 28, 21, 59, 0, 0, time.UTC), "Europe/Berlin", "in 125 days", "in 125 Tagen"}, // over the change of the clocks
		{at, "Europe/Berlin", "", ""},
		{at.Add(-time.Hour), "Europe/Berlin", "", ""},
		{time.Time{}, "Europe/Berlin", "", ""},
	} {
		m := intake.Message{Kind: intake.MessageStepReminder, At: at, Facts: intake.Facts{Due: c.due}}
		if en, de := english.left(m, location(c.zone)), german.left(m, location(c.zone)); en != c.en || de != c.de {
			t.Errorf("%v in %s: %q and %q, want %q and %q", c.due, c.zone, en, de, c.en, c.de)
		}
	}
}
