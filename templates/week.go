package templates

import (
	"strings"
	"time"

	"leadgate/intake"
)

// weekView is what a digest tells. Count is how many registrations are open, More how many of
// them are not listed.
type weekView struct {
	Yours, Ending, Open, Decided []weekCaseView

	Count, More int
}

// weekCaseView is one case of a digest. Next is the code of what comes next, to choose a sentence
// by; Missing are the labels of what the partner is asked for.
type weekCaseView struct {
	Case, Company, Word, Next, Due, Until, Missing, Link string
	// Deal is what sales say of it; nil for nothing.
	Deal *dealView
}

// maxFill bounds the lines to fill in of a digest.
const maxFill = 20

// week shows what a digest tells; nil if it tells nothing.
func (l *locale) week(m intake.Message, tag string, at *time.Location) *weekView {
	if m.Week == nil {
		return nil
	}
	show := func(all []intake.WeekCase) []weekCaseView {
		var out []weekCaseView
		for _, c := range proven(all) {
			out = append(out, l.weekCase(c, m.Facts.Locale, tag, at))
		}
		return out
	}
	w := weekView{Yours: show(m.Week.Yours), Ending: show(m.Week.Ending), Open: show(m.Week.Open), Decided: show(m.Week.Decided), More: max(0, m.Week.More)}
	w.Count = len(w.Yours) + len(w.Ending) + len(w.Open) + w.More
	return &w
}

// proven leaves out what was sent in a name that is not proven.
func proven(all []intake.WeekCase) []intake.WeekCase {
	var out []intake.WeekCase
	for _, c := range all {
		if c.Stage != intake.StatusQuarantined.Stage() {
			out = append(out, c)
		}
	}
	return out
}

func (l *locale) weekCase(c intake.WeekCase, locale, tag string, at *time.Location) weekCaseView {
	instant := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return l.moment(*t, at)
	}
	var labels []string
	for _, f := range c.Asked {
		if label := l.labels[f]; label != "" {
			labels = append(labels, label)
		}
	}
	var deal *dealView
	if c.Deal != nil {
		deal = l.deal(*c.Deal)
	}
	return weekCaseView{
		Deal: deal,
		Case: line(c.Case, maxShort), Company: line(c.Company, maxShort), Word: l.stage(c.Stage), Next: string(c.Next),
		Due: instant(c.Due), Until: instant(c.Until), Missing: strings.Join(labels, ", "), Link: inLanguage(c.Link, locale, tag),
	}
}

// stage is the public word for a stage, which is that of the states that it stands for.
func (l *locale) stage(stage intake.PublicStage) string {
	for _, s := range intake.Statuses() {
		if s.Stage() == stage && stage != "" {
			return l.statuses[s]
		}
	}
	return l.statuses[intake.StatusSubmitted]
}

// fillWeek lists the lines to answer a digest with.
func (l *locale) fillWeek(w *intake.Week) []string {
	var out []string
	if w == nil {
		return nil
	}
	for _, c := range proven(w.Yours) {
		for _, f := range c.Asked {
			if label := l.labels[f]; label != "" && len(out) < maxFill {
				out = append(out, line(c.Case, maxShort)+" "+label+": ")
			}
		}
	}
	return out
}

func (w *plainWriter) week(v *weekView) {
	for _, list := range []struct {
		name  string
		cases []weekCaseView
	}{{"yours", v.Yours}, {"ending", v.Ending}, {"open", v.Open}, {"decided", v.Decided}} {
		if len(list.cases) > 0 {
			w.say(w.phrase("digest."+list.name, v))
		}
		for _, c := range list.cases {
			phrase := "digest.state"
			if list.name == "decided" {
				phrase = "digest.result"
			}
			value := c.Company + " " + w.phrase(phrase, c)
			if c.Deal != nil {
				value += " " + w.phrase("digest.deal", c)
			}
			if c.Missing != "" {
				value += " " + w.phrase("summary.missing", c)
			}
			w.field(c.Case, line(value, maxLong))
		}
	}
	if v.More > 0 {
		w.say(w.phrase("digest.more", v))
	}
}
