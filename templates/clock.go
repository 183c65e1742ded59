package templates

import (
	"fmt"
	"strings"
	"time"
)

// moment writes an instant in full: weekday, date, time of day, and the zone by its
// abbreviation and distance from UTC, as "Tuesday 24 November 2026, 16:30 CET (UTC+1)". The
// zero time is "". A zone that is unknown to this machine is shown as UTC.
func (l *locale) moment(t time.Time, zone string) string {
	if t.IsZero() {
		return ""
	}
	at, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		at = time.UTC
	}
	t = t.In(at)
	return strings.NewReplacer(
		"{weekday}", l.weekdays[t.Weekday()],
		"{day}", fmt.Sprint(t.Day()),
		"{month}", l.months[t.Month()-1],
		"{year}", fmt.Sprint(t.Year()),
		"{clock}", t.Format("15:04"),
		"{zone}", zoneName(t),
	).Replace(l.form)
}

// zoneName writes "CET (UTC+1)", "UTC", or "UTC-3" where the zone has no abbreviation.
func zoneName(t time.Time) string {
	name, seconds := t.Zone()
	if name == "UTC" {
		return name
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	offset := fmt.Sprintf("UTC%s%d", sign, seconds/3600)
	if minutes := seconds % 3600 / 60; minutes != 0 {
		offset += fmt.Sprintf(":%02d", minutes)
	}
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return offset
	}
	return name + " (" + offset + ")"
}
