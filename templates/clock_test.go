package templates

import (
	"testing"
	"time"
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
		if got := english.moment(c.at, c.zone); got != c.want {
			t.Errorf("%s: %q, want %q", c.zone, got, c.want)
		}
	}
}
