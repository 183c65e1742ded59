package csvdrop

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"leadgate/channels/csvdrop/result"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

// answersPage is how many outcomes are read at once.
const answersPage = 500

// NotTaken is the result of a row of an import that ended before it.
const NotTaken = "not_taken_in"

// resultWords are what the results of rows are called in languages that have words of their own for
// them; the programs' are the English ones.
var resultWords = map[string]map[string]string{"de": {
	string(intake.RowAccepted): "registriert", string(intake.RowMerged): "zusammengeführt", string(intake.RowAmended): "ergänzt",
	string(intake.RowUnchanged): "unverändert", string(intake.RowNeedsInfo): "Rückfrage", string(intake.RowRejected): "nicht registriert",
	NotTaken: "nicht gelesen",
}}

func resultWord(locale, result string) string {
	if word := resultWords[sheet.Language(locale)][result]; word != "" {
		return word
	}
	return result
}

// Result writes what became of each row of an import, in the columns behind the sender's own, as
// a file of the format that came, or of another one: "csv" or "xlsx", "" for that which came. Rows
// that were not reached yet, and those behind the end of one that was cancelled, are NotTaken. It is
// in the language of the partner.
// ErrErased.
func (d *Drop) Result(ctx context.Context, im intake.Import, format string, w io.Writer) error {
	_, err := d.result(ctx, im, format, "", w)
	return err
}

// result is Result in the language of a locale, "" for the partner's; it returns what the file looks
// like.
func (d *Drop) result(ctx context.Context, im intake.Import, format, locale string, w io.Writer) (o result.Options, err error) {
	k, err := d.open(ctx, im)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	o = result.For(k.Sheet)
	if format != "" {
		o.Format = sheet.Format(format)
	}
	if locale == "" {
		partner, err := d.Gateway.Partner(ctx, im.Partner)
		if err != nil {
			return o, err
		}
		locale = partner.Locale
	}
	o.Locale = locale
	return o, d.writeResult(ctx, im, k, o, w)
}

func (d *Drop) writeResult(ctx context.Context, im intake.Import, k *kept, look result.Options, w io.Writer) error {
	out, err := result.New(w, look)
	if err != nil {
		return err
	}
	err = d.each(ctx, im, k, func(row sheet.Row, o *intake.RowOutcome) error {
		a := sheet.Answer{Result: NotTaken, Case: row.Answer.Case}
		if o != nil {
			if a, err = d.answer(ctx, im.Partner, look.Locale, row, *o); err != nil {
				return err
			}
			if a.Case == "" { // of one that was rejected: once it is corrected it goes on with that case
				a.Case = row.Answer.Case
			}
		}
		a.Result = resultWord(look.Locale, a.Result)
		return out.Write(row.Cells, a)
	})
	if err != nil {
		return err
	}
	return out.Close()
}

// each calls fn with every row of an import, and with what became of it; nil if it was not taken in.
func (d *Drop) each(ctx context.Context, im intake.Import, k *kept, fn func(sheet.Row, *intake.RowOutcome) error) error {
	outcomes := outcomes{drop: d, id: im.ID}
	for {
		row, err := k.Next()
		var unreadable *sheet.Error
		if err == io.EOF || errors.As(err, &unreadable) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		o, err := outcomes.of(ctx, row.Number)
		if err != nil {
			return err
		}
		if err := fn(row, o); err != nil {
			return err
		}
	}
}

// outcomes reads what became of rows, in their order.
type outcomes struct {
	drop  *Drop
	id    string
	page  []intake.RowOutcome
	after int
	end   bool
}

// of returns what became of a row; nil if it was not taken in.
func (o *outcomes) of(ctx context.Context, number int) (*intake.RowOutcome, error) {
	for {
		for len(o.page) > 0 && o.page[0].Row < number {
			o.page = o.page[1:]
		}
		if len(o.page) > 0 && o.page[0].Row == number {
			return &o.page[0], nil
		}
		if len(o.page) > 0 || o.end {
			return nil, nil
		}
		var err error
		if o.page, err = o.drop.Gateway.RowOutcomes(ctx, o.id, o.after, answersPage); err != nil {
			return nil, err
		}
		if o.end = len(o.page) == 0; !o.end {
			o.after = o.page[len(o.page)-1].Row
		}
	}
}

// Answered is what became of a row, as programs read it.
type Answered struct {
	Row int `json:"row"`
	// Result is an intake.RowResult, or NotTaken.
	Result string `json:"result"`
	Case   string `json:"case,omitempty"`
	// Status is how the case stands now.
	Status intake.Status `json:"status,omitempty"`
	// Code is why: the codes of the problems, or an intake.Reason.
	Code     string    `json:"code,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	// Due is until when the question of the case is to be answered.
	Due time.Time `json:"due,omitzero"`
}

// Problem is a problem of a row: where it is, and what mends it.
type Problem struct {
	sheet.Problem
	Mend string `json:"mend,omitempty"`
	// LeftOut says that the row was taken in without the value.
	LeftOut bool `json:"left_out,omitempty"`
}

// Answers calls fn with what became of each row of an import, in their order, until that returns an
// error. Where the file was erased it does not say in which column a problem is, nor which rows
// were not taken in.
func (d *Drop) Answers(ctx context.Context, im intake.Import, fn func(Answered) error) (err error) {
	k, err := d.open(ctx, im)
	if errors.Is(err, ErrErased) {
		return d.remembered(ctx, im, fn)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	return d.each(ctx, im, k, func(row sheet.Row, o *intake.RowOutcome) error {
		if o == nil {
			return fn(Answered{Row: row.Number, Result: NotTaken, Case: row.Answer.Case})
		}
		a, err := d.answered(ctx, im, row, *o)
		if err != nil {
			return err
		}
		return fn(a)
	})
}

// remembered is Answers of an import without its file.
func (d *Drop) remembered(ctx context.Context, im intake.Import, fn func(Answered) error) error {
	for after := 0; ; {
		page, err := d.Gateway.RowOutcomes(ctx, im.ID, after, answersPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			a, err := d.answered(ctx, im, sheet.Row{Number: o.Row}, o)
			if err != nil {
				return err
			}
			if err := fn(a); err != nil {
				return err
			}
			after = o.Row
		}
	}
}

func (d *Drop) answered(ctx context.Context, im intake.Import, row sheet.Row, o intake.RowOutcome) (Answered, error) {
	a := Answered{Row: o.Row, Result: string(o.Result), Case: o.Case, Code: code(o)}
	if o.Case != "" {
		m, err := d.Gateway.StatusMessage(ctx, im.Partner, o.Case)
		if err != nil && !errors.Is(err, intake.ErrNotFound) {
			return a, err
		}
		if a.Status = m.Facts.Status; a.Status == intake.StatusNeedsInfo {
			a.Due = m.Facts.Due
		}
	}
	for _, p := range o.Problems {
		a.Problems = append(a.Problems, Problem{placed(row, p.Problem), p.Mend, p.LeftOut})
	}
	return a, nil
}

// code says in a word or more why a row came to what it did.
func code(o intake.RowOutcome) string {
	var codes []string
	for _, p := range o.Problems {
		codes = append(codes, p.Code)
	}
	if len(codes) == 0 {
		return string(o.Reason)
	}
	return strings.Join(codes, " ")
}

// answer is what a sender is told about a row: what became of it, and how its case stands now.
func (d *Drop) answer(ctx context.Context, partner, locale string, row sheet.Row, o intake.RowOutcome) (sheet.Answer, error) {
	a := sheet.Answer{Case: o.Case, Result: string(o.Result), Code: code(o)}
	if o.Case != "" {
		m, err := d.Gateway.StatusMessage(ctx, partner, o.Case)
		if err == nil {
			m.Facts.Locale = locale
			a.Status, err = d.Words.Standing(m)
		}
		if err != nil && !errors.Is(err, intake.ErrNotFound) {
			return a, err
		}
	}
	var mends []string
	for _, p := range o.Problems {
		mends = append(mends, d.Words.Fault(locale, p))
	}
	for _, p := range row.Remarks {
		mends = append(mends, d.Words.Fault(locale, intake.RowProblem{Problem: p.Problem}))
	}
	a.Mend = strings.Join(mends, " ")
	return a, nil
}
