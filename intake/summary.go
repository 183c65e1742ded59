package intake

import (
	"errors"
	"slices"
)

// spaceTold keeps which cases a message about several told of: Message.ID → case numbers.
const spaceTold = "told"

// noteTold remembers the cases that a message tells of, so that an answer to it finds them.
func (c *change) noteTold(m Message) error {
	if len(m.Cases) == 0 {
		return nil
	}
	return putJSON(c, spaceTold, m.ID, m.numbers())
}

// told returns the cases of a partner that a message of ours told of, as they are now.
func (c *change) told(id, partner string) ([]Registration, error) {
	var numbers []string
	err := getJSON(c, spaceTold, id, &numbers)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Registration
	for _, number := range numbers {
		r, err := c.Case(number)
		if err != nil {
			return nil, err
		}
		if r.Partner == partner {
			all = append(all, r)
		}
	}
	return all, nil
}

// named returns the numbers of the cases that a submission may continue, the surest first:
// those that it names, else the one of our summary that it can only mean.
func (a *acceptance) named(c *change, speaker string, proven bool) ([]string, error) {
	numbers := []string{a.s.Case, a.s.CaseHint}
	if a.s.Case != "" || a.s.CaseHint != "" || a.s.About != "" || a.s.Answers == "" || !proven {
		return numbers, nil
	}
	cases, err := c.told(a.s.Answers, speaker)
	if err != nil {
		return nil, err
	}
	if r := a.meant(cases); r != nil {
		numbers = append(numbers, r.Number)
	}
	return numbers, nil
}

// meant returns the one of several cases that an answer to all of them is about: the one whose
// company it names, and if it names none, the only one that waits for an answer.
func (a *acceptance) meant(cases []Registration) *Registration {
	if a.s.Lead[FieldCompanyName] != "" || a.s.Lead[FieldCompanyDomain] != "" {
		return only(cases, func(r *Registration) bool {
			return slices.ContainsFunc(a.keys, func(key string) bool { return slices.Contains(r.Identity, key) })
		})
	}
	if len(a.s.Commands) > 0 && len(cases) > 1 {
		return nil // one word must not end the wrong case
	}
	return only(cases, func(r *Registration) bool { return r.Status == StatusNeedsInfo })
}

// only returns the one case that is so, nil if none or several are.
func only(cases []Registration, is func(*Registration) bool) (found *Registration) {
	for i := range cases {
		if !is(&cases[i]) {
			continue
		}
		if found != nil {
			return nil
		}
		found = &cases[i]
	}
	return found
}

// aboutNothing sees to lines below a case number that is none of the partner's, be it
// another's or nobody's: the one answer to the mail says so.
func (a *acceptance) aboutNothing(c *change, speaker string) error {
	if err := a.aside(c, AsideNoLead, "is about a case number that is none of the partner's"); err != nil {
		return err
	}
	if a.s.Batch.ID == "" {
		return a.tell(c, speaker, Message{Kind: MessageHelp})
	}
	b, err := c.batch(a.s.Batch.ID)
	if err != nil {
		return err
	}
	b.Faults = append(b.Faults, RowFault{Case: a.s.About, Problem: Problem{Code: ProblemUnknownCase}})
	return putJSON(c, spaceBatch, b.ID, b)
}

// answerSummaryAgain answers an answer to a summary that could be about several of its cases:
// with their state, and how to say which. If none of them waits for anything, staff read it.
func (a *acceptance) answerSummaryAgain(c *change, speaker string) error {
	cases, err := c.told(a.s.Answers, speaker)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return a.asideWithNotice(c)
	}
	if err := a.aside(c, AsideNoLead, "answers our message about several cases, and does not say which it is about"); err != nil {
		return err
	}
	if !slices.ContainsFunc(cases, func(r Registration) bool { return r.Status == StatusNeedsInfo }) {
		return nil
	}
	var numbers []string
	for i := range cases {
		numbers = append(numbers, cases[i].Number)
	}
	facts, err := c.factsOf(numbers, speaker)
	if err != nil {
		return err
	}
	return a.tell(c, speaker, Message{Kind: MessageSummary, Cases: facts})
}
