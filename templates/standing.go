package templates

import (
	"cmp"
	"fmt"
	"strings"

	"leadgate/intake"
)

// Standing says in one line how the case of a message stands, until when, and why, in the words
// that the partner reads elsewhere. m is an intake.MessageStatus. It is for lists of cases.
func (s *Set) Standing(m intake.Message) (string, error) {
	l, tag, err := s.letter(m)
	if err != nil {
		return "", intake.Permanent(fmt.Errorf("message %s: %w", m.ID, err))
	}
	v := newView(m, s.program, tag)
	w := plainWriter{letter: l}
	state := w.phrase("summary.state", caseView{Word: v.Word, Due: v.Due, DueIs: v.DueIs, Until: v.Until})
	why := w.phrase(v.Status+".reason", v)
	if w.err != nil {
		return "", intake.Permanent(fmt.Errorf("message %s: %w", m.ID, w.err))
	}
	if why == "" {
		return state, nil
	}
	return strings.TrimSuffix(state, ".") + ". " + why, nil
}

// leftOut is for what stands before the fault of a value that was left out.
const leftOut = "left_out"

// Fault says what is wrong with a file of rows, or with one of them, and what mends it, in the
// language of a locale; in English as the program has it where there are no words for the code.
func Fault(tag string, p intake.RowProblem) string {
	l := localeFor(tag)
	if words := l.faulty[leftOut]; p.LeftOut && words != "" { // in English p.Mend says it
		p.LeftOut = false
		return strings.ReplaceAll(words, "{field}", cmp.Or(l.labels[p.Field], l.given)) + " " + Fault(tag, p)
	}
	if words := l.faultyWords(p.Problem); words != "" {
		label := l.labels[p.Field]
		if label == "" {
			label = l.given
		}
		return strings.ReplaceAll(strings.ReplaceAll(words, "{field}", label), "{given}", l.quoted(p.Given))
	}
	words := line(p.Message, maxLong)
	if mend := line(p.Mend, maxLong); mend != "" {
		words = strings.TrimSuffix(words, ".") + "; " + mend
	}
	return strings.TrimPrefix(words, "; ")
}

// faultyWords are those for a problem: of its field or of what was given, if they have any of their
// own, or else of its code. "" if there are none.
func (l *locale) faultyWords(p intake.Problem) string {
	for _, key := range []string{p.Code + ":" + string(p.Field), p.Code + ":" + p.Given} {
		if words := l.faulty[key]; words != "" {
			return words
		}
	}
	return l.faulty[p.Code]
}

// Fault implements what lists of rows need of a Set.
func (s *Set) Fault(tag string, p intake.RowProblem) string { return Fault(tag, p) }
