package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
)

// Calendar says on which days the vendor works. Spans in business days count these alone.
type Calendar struct {
	// Workdays are names of days of the week, Monday to Friday if empty.
	Workdays []string `yaml:"workdays" json:"workdays"`
	// Holidays are the places whose public holidays are kept: "DE", or "DE-BY" for a part of a
	// country. With several of them, a holiday in any is no business day.
	Holidays []string `yaml:"holidays" json:"holidays"`
	// Closed are further days without work: "2026-12-24", or "12-24" for every year.
	Closed []string `yaml:"closed" json:"closed"`
}

var weekdays = map[string]time.Weekday{
	"monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday, "thursday": time.Thursday,
	"friday": time.Friday, "saturday": time.Saturday, "sunday": time.Sunday,
}

func (c Calendar) validate() []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf("calendar."+format, a...)) }
	for i, day := range c.Workdays {
		if _, ok := weekdays[strings.ToLower(day)]; !ok {
			fault("workdays[%d]: %q is no day of the week", i, day)
		}
	}
	for i, place := range c.Holidays {
		if _, ok := holidays[strings.ToUpper(place)]; !ok {
			fault("holidays[%d]: no holidays are known of %q; known are %s; give others under closed", i, place, strings.Join(slices.Sorted(maps.Keys(holidays)), ", "))
		}
	}
	for i, day := range c.Closed {
		if _, _, _, err := closedDay(day); err != nil {
			fault("closed[%d]: %w", i, err)
		}
	}
	if len(faults) == 0 && !c.opens() {
		fault("closed: no business day is left in a whole year")
	}
	return faults
}

// opens reports whether there is a business day in every year of the coming decades.
func (c Calendar) opens() bool {
	w := c.week()
	for year := 2020; year < 2060; year++ {
		if !slices.ContainsFunc(daysOf(year), w.IsWorkday) {
			return false
		}
	}
	return true
}

func daysOf(year int) []time.Time {
	var days []time.Time
	for d := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
		days = append(days, d)
	}
	return days
}

// closedDay reads a day; year is 0 for every year.
func closedDay(s string) (year int, month time.Month, day int, err error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.Year(), t.Month(), t.Day(), nil
	}
	t, err := time.Parse("2006-01-02", "2024-"+s) // a leap year: 29 February is a day
	if err != nil {
		return 0, 0, 0, fmt.Errorf("%q is no day like 2026-12-24, or 12-24 for every year", s)
	}
	return 0, t.Month(), t.Day(), nil
}

// dayOfYear is the day of a holiday in a year, none for 29 February in most of them.
func dayOfYear(h *cal.Holiday, year int) time.Time {
	if d := cal.CalcDayOfMonth(h, year); d.Month() == h.Month {
		return d
	}
	return time.Time{}
}

// week returns the calendar as the library has it; c is valid.
func (c Calendar) week() *cal.BusinessCalendar {
	w := cal.NewBusinessCalendar()
	if len(c.Workdays) > 0 {
		for _, day := range weekdays {
			w.SetWorkday(day, false)
		}
		for _, name := range c.Workdays {
			w.SetWorkday(weekdays[strings.ToLower(name)], true)
		}
	}
	for _, place := range c.Holidays {
		w.AddHoliday(holidays[strings.ToUpper(place)]...)
	}
	for _, s := range c.Closed {
		if year, month, day, err := closedDay(s); err == nil {
			w.AddHoliday(&cal.Holiday{Name: s, Month: month, Day: day, StartYear: year, EndYear: year, Func: dayOfYear})
		}
	}
	return w
}
