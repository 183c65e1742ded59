package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// ImportRow is one row of a file, as it was read.
type ImportRow struct {
	// Number rises from row to row; it is the one that a spreadsheet shows.
	Number int
	Lead   Lead
	// Extra is what stands in columns that are no field. Staff read it.
	Extra []Extra
	// Case is the number of the case that the row corrects, as it was typed; "" for a new one.
	Case string
	// Problems are what could not be made of values though they were given. One without a field is
	// of the whole row.
	Problems []Problem
}

// Extra is the value of a column that is no field.
type Extra struct{ Column, Value string }

// RowResult says what became of a row.
type RowResult string

// The results of rows.
const (
	RowAccepted  RowResult = "accepted"   // a case of its own
	RowMerged    RowResult = "merged"     // part of a case that the partner had
	RowAmended   RowResult = "amended"    // part of the case that the row names
	RowUnchanged RowResult = "unchanged"  // in the same words as before: nothing was done
	RowNeedsInfo RowResult = "needs_info" // a case of its own, with something to answer
	RowRejected  RowResult = "rejected"   // no case
)

// RowResults is the full set.
func RowResults() []RowResult {
	return []RowResult{RowAccepted, RowMerged, RowAmended, RowUnchanged, RowNeedsInfo, RowRejected}
}

// outcome is how an Observer is told of it.
func (r RowResult) outcome() string {
	switch r {
	case RowAccepted, RowNeedsInfo:
		return "new"
	case RowMerged, RowAmended:
		return "joined"
	case RowUnchanged:
		return "known"
	}
	return "rejected"
}

// RowOutcome is what became of a row when it was taken in. What became of its case since is told
// by the case.
type RowOutcome struct {
	Row    int       `json:"row"`
	Result RowResult `json:"result"`
	Case   string    `json:"case,omitempty"`
	// Reason is ReasonDuplicateInFile or ReasonDuplicateOwn where the row was merged.
	Reason Reason `json:"reason,omitempty"`
	// Problems are why the row was rejected, or what it lacks.
	Problems []RowProblem `json:"problems,omitempty"`
}

// RowProblem is a problem of a row, in English words for who has no others: what is wrong, and
// what mends it.
type RowProblem struct {
	Problem
	Mend string `json:"mend,omitempty"`
}

// explain puts words where a code stands alone. They are not stored.
func (o *RowOutcome) explain() {
	for i := range o.Problems {
		p := &o.Problems[i]
		if p.Message == "" {
			p.Message = p.words()
		}
		p.Mend = p.mend()
	}
}

func (p *RowProblem) words() string {
	switch p.Code {
	case ProblemMissing:
		return fmt.Sprintf("%s is missing", p.Field)
	case ProblemConsent:
		return "it does not say that the contact agreed to be contacted"
	case ProblemUnknownCase:
		return fmt.Sprintf("%q is no case of yours", p.Given)
	}
	return fmt.Sprintf("%s can't be used", p.Field)
}

func (p *RowProblem) mend() string {
	switch p.Code {
	case ProblemMissing:
		return "fill it in and send the file again"
	case ProblemConsent:
		return "ask the contact, write yes, and send the file again"
	case ProblemUnknownCase:
		return "copy the number from the result of an earlier file, or leave the cell empty to register it anew"
	case ProblemConflict:
		return "leave the cell with the case number empty to register another company"
	case ProblemFreeMail:
		return "put the company's own domain in company_domain; answer the question if it has none"
	case ProblemOwnDomain:
		return "put the prospect's own there"
	case ProblemTooLong:
		return "shorten it and send the file again"
	}
	return "correct it and send the file again"
}

// rowAcceptance is one row on its way into the store.
type rowAcceptance struct {
	*acceptance
	row ImportRow
	// by is the partner as he was when asks was run: its results are those below.
	by                *Partner
	faults, questions []Problem
}

// prepareRows does what does not depend on the store, and asks the policy, as the partner is.
func (g *Gateway) prepareRows(ctx context.Context, im Import, rows []ImportRow) ([]*rowAcceptance, error) {
	if len(rows) > MaxImportRows {
		return nil, fmt.Errorf("%d rows are more than %d at once", len(rows), MaxImportRows)
	}
	var by Partner
	err := g.store.View(ctx, func(tx Tx) (err error) {
		by, err = partner(tx, im.Partner)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("partner %q: %w", im.Partner, err)
	}
	taken, at := make([]*rowAcceptance, 0, len(rows)), g.stamp()
	for i, row := range rows {
		if row.Number < 1 || i > 0 && row.Number <= rows[i-1].Number {
			return nil, fmt.Errorf("row %d does not follow the one before", row.Number)
		}
		s := Submission{ // without Raw: the file is of other cases, too
			Key: fmt.Sprintf("%s:%d", im.batch(), row.Number), Channel: im.Channel, Sender: im.Sender, Reply: im.Reply,
			ReceivedAt: im.Claim, Lead: row.Lead, Problems: row.Problems, Partner: im.Partner, CaseHint: row.Case,
			Batch: Batch{ID: im.batch()}, Subject: im.Name,
		}
		for _, x := range row.Extra {
			value := strings.Join(strings.Fields(cleanText(x.Value, FieldProblem)), " ")
			s.Text += cleanText(x.Column, FieldCompanyName) + ": " + value + "\n"
		}
		said := strings.TrimSpace(s.Text) // before it is cut to what staff read
		a, err := g.prepare(s)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row.Number, err)
		}
		// Who of the partner's people sends the file, and which number we gave a row, says nothing
		// of whether it changed.
		a.content = contentKey("partner:"+im.Partner, a.values(said))
		a.problems = append(wholeRow(row.Problems), a.problems...)
		r := &rowAcceptance{acceptance: a, row: row}
		if len(a.problems) == 0 {
			r.by = &by
			r.faults, r.questions = a.asks(g, at, by)
		}
		taken = append(taken, r)
	}
	return taken, nil
}

// wholeRow returns the problems that are of no field.
func wholeRow(problems []Problem) (out []Problem) {
	for _, p := range problems {
		if p.Field == "" && p.Code != "" {
			out = append(out, Problem{Code: p.Code, Given: cleanGiven(p.Given), Message: strings.TrimSpace(cut(cleanText(p.Message, FieldCompanyName), maxWordsRunes))})
		}
	}
	return out
}

// values is a fingerprint of what a row says.
func (a *acceptance) values(text string) string {
	b, err := json.Marshal([]any{a.s.Lead, text})
	if err != nil { // of strings
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// run takes the row in as the partner's submission, unless a person would have to be asked what
// it says: that is told by the result of the file.
func (r *rowAcceptance) run(c *change, im *Import, p Partner) (RowOutcome, error) {
	a := r.acceptance
	a.receipt, a.outcome = Receipt{}, ""
	if own, err := r.ownNumber(c, p.ID); err != nil || !own {
		return r.rejected(Problem{Code: ProblemUnknownCase, Given: cleanGiven(r.row.Case)}), err
	}
	if len(a.problems) > 0 { // also where what is left of the row is known
		return r.rejected(a.problems...), nil
	}
	var before source
	if err := ignoreNotFound(getJSON(c, spaceSource, a.content, &before)); err != nil {
		return RowOutcome{}, err
	}
	back, err := r.changedBack(c, im, before)
	if err != nil {
		return RowOutcome{}, err
	}
	known := false
	if !back {
		if known, err = a.repeat(c, p.ID, true); err != nil {
			return RowOutcome{}, err
		}
	}
	if known {
		o := RowOutcome{Row: r.row.Number, Result: RowUnchanged, Case: a.receipt.Case}
		if before.Batch == im.batch() {
			o.Result, o.Reason = RowMerged, ReasonDuplicateInFile
		}
		return o, nil
	}
	o, err := r.take(c, p)
	if err == nil && o.Result == RowAmended {
		err = c.noteAmendment(o.Case, im)
	}
	return o, err
}

// amendment is a file with a row that changed the case that it names.
type amendment struct {
	Batch string `json:"batch"`
	// At is when that file began to be taken in, Before the same of the file that did so before it.
	At     time.Time `json:"at"`
	Before time.Time `json:"before,omitzero"`
}

func (c *change) noteAmendment(number string, im *Import) error {
	var last amendment
	if err := ignoreNotFound(getJSON(c, spaceImportLast, number, &last)); err != nil {
		return err
	}
	if last.Batch != im.batch() {
		last = amendment{Batch: im.batch(), At: im.Began, Before: last.At}
	}
	return putJSON(c, spaceImportLast, number, last)
}

// changedBack reports whether the row says of its case what it said before a later file changed
// that: words that were seen before, but which are no repetition.
func (r *rowAcceptance) changedBack(c *change, im *Import, before source) (bool, error) {
	if r.s.CaseHint == "" || before.Receipt.Case == "" {
		return false, nil
	}
	var last amendment
	if err := ignoreNotFound(getJSON(c, spaceImportLast, r.s.CaseHint, &last)); err != nil {
		return false, err
	}
	seen, changed := before.First, last.At
	if before.Last.After(seen) {
		seen = before.Last
	}
	if last.Batch == im.batch() {
		changed = last.Before
	}
	if !seen.Before(changed) {
		return false, nil
	}
	known, err := c.Case(r.s.CaseHint)
	if err != nil {
		return false, err
	}
	for f, v := range r.s.Lead {
		if v != known.Lead[f] {
			return true, nil
		}
	}
	return false, nil
}

// take judges a row that was not seen before, and takes it in.
func (r *rowAcceptance) take(c *change, p Partner) (RowOutcome, error) {
	a := r.acceptance
	into, threaded, err := a.continued(c, p.ID, true)
	if err != nil {
		return RowOutcome{}, err
	}
	another := into != nil && threaded && a.otherCompany(c, into, a.s.Lead)
	var questions []Problem
	switch {
	case another && into.Status.Live():
		return r.rejected(Problem{
			Field: FieldCompanyName, Code: ProblemConflict, Given: cleanGiven(a.s.Lead[FieldCompanyName]),
			Message: fmt.Sprintf("case %s is about another company", into.Number),
		}), nil
	case into == nil || another:
		if !a.s.Lead.names() {
			return r.rejected(Problem{Field: FieldCompanyName, Code: ProblemMissing}), nil
		}
		faults := r.faults
		if questions = r.questions; r.by == nil || !reflect.DeepEqual(*r.by, p) { // he was changed meanwhile
			faults, questions = a.asks(c.g, c.at, p)
		}
		if len(faults) > 0 {
			return r.rejected(faults...), nil
		}
	}
	if err := a.fresh(c, p.ID, true); err != nil {
		return RowOutcome{}, err
	}
	o := RowOutcome{Row: r.row.Number, Case: a.receipt.Case, Problems: rowProblems(questions)}
	switch {
	case a.outcome == "new" && len(questions) > 0:
		o.Result = RowNeedsInfo
	case a.outcome == "new":
		o.Result = RowAccepted
		if into != nil && !another { // the deal of a lead, which is opened like no other case
			err = c.awaitBatch(o.Case, a.s.Batch.ID)
		}
	case a.outcome == "joined" && threaded:
		o.Result = RowAmended
	case a.outcome == "joined":
		o.Result = RowMerged
		o.Reason, err = a.duplicate(c, into)
	default:
		err = fmt.Errorf("a row came to %q", a.outcome)
	}
	return o, err
}

// ownNumber reports whether the row may go on with the case that it names, if it names one. It
// does not tell a case of another's from one that there is not.
func (r *rowAcceptance) ownNumber(c *change, partnerID string) (bool, error) {
	if r.row.Case == "" {
		return true, nil
	}
	known, err := c.Case(r.s.CaseHint) // "" if it is no number at all
	if err != nil {
		return false, ignoreNotFound(err)
	}
	return known.Partner == partnerID && known.Strength.Proven() && known.Status != StatusErased, nil
}

// asks are what the policy would ask for if the row were alone in the world: faults that the
// result of the file tells of, and questions with which a case can be opened.
func (a *acceptance) asks(g *Gateway, at time.Time, p Partner) (faults, questions []Problem) {
	d := g.policy.Judge(at, Case{Partner: p, Registration: Registration{
		Partner: p.ID, Status: StatusSubmitted, Strength: a.s.Sender.Strength, Channel: a.s.Channel, Claim: a.s.ReceivedAt,
		Accepted: at, Since: at, Lead: a.s.Lead.Clone(), Identity: a.keys, Scope: g.policy.Scope(a.s.Lead),
	}})
	for _, f := range d.Findings {
		if f.Outcome != OutcomeAsk {
			continue
		}
		for _, problem := range f.Problems {
			to := &questions
			if problem.Code == ProblemMissing || problem.Code == ProblemOwnDomain {
				to = &faults
			}
			if !slices.Contains(*to, problem) {
				*to = append(*to, problem)
			}
		}
	}
	return faults, questions
}

// duplicate says whether the case that a row was merged into came with the same file.
func (a *acceptance) duplicate(c *change, into *Registration) (Reason, error) {
	var first struct {
		Batch Batch `json:"batch"`
	}
	err := getJSON(c, spaceSubmission, submissionKey(into, 1), &first)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if first.Batch.ID == a.s.Batch.ID {
		return ReasonDuplicateInFile, nil
	}
	return ReasonDuplicateOwn, nil
}

func (r *rowAcceptance) rejected(problems ...Problem) RowOutcome {
	return RowOutcome{Row: r.row.Number, Result: RowRejected, Problems: rowProblems(problems)}
}

func rowProblems(problems []Problem) []RowProblem {
	var out []RowProblem
	for _, p := range problems {
		out = append(out, RowProblem{Problem: p})
	}
	return out
}
