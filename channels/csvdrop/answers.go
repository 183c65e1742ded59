package csvdrop

import (
	"context"
	"errors"
	"io"
	"strings"

	"leadgate/channels/csvdrop/result"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

// answersPage is how many outcomes are read at once.
const answersPage = 500

// NotTaken is the result of a row of an import that ended before it.
const NotTaken = "not_taken_in"

// Result writes what became of each row of an import, in the columns behind the sender's own, as
// a file of the format that came, or of another one: "csv" or "xlsx", "" for that which came. Rows
// that were not reached yet, and those behind the end of one that was cancelled, are NotTaken.
// ErrErased.
func (d *Drop) Result(ctx context.Context, im intake.Import, format string, w io.Writer) error {
	_, err := d.result(ctx, im, format, w)
	return err
}

// result is Result; it returns what the file looks like.
func (d *Drop) result(ctx context.Context, im intake.Import, format string, w io.Writer) (o result.Options, err error) {
	k, err := d.open(ctx, im)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	o = result.For(k.Sheet)
	if format != "" {
		o.Format = sheet.Format(format)
	}
	partner, err := d.Gateway.Partner(ctx, im.Partner)
	if err != nil {
		return o, err
	}
	return o, d.writeResult(ctx, im, k, partner, o, w)
}

func (d *Drop) writeResult(ctx context.Context, im intake.Import, k *kept, partner intake.Partner, o result.Options, w io.Writer) error {
	out, err := result.New(w, o)
	if err != nil {
		return err
	}
	outcomes := outcomes{ctx: ctx, drop: d, id: im.ID}
	for {
		row, err := k.Next()
		var unreadable *sheet.Error
		if err == io.EOF || errors.As(err, &unreadable) {
			return out.Close()
		}
		if err != nil {
			return err
		}
		a, err := outcomes.of(partner, row)
		if err != nil {
			return err
		}
		if err := out.Write(row.Cells, a); err != nil {
			return err
		}
	}
}

// outcomes reads what became of rows, in their order.
type outcomes struct {
	ctx   context.Context
	drop  *Drop
	id    string
	page  []intake.RowOutcome
	after int
	end   bool
}

// of returns the answer to a row.
func (o *outcomes) of(partner intake.Partner, row sheet.Row) (sheet.Answer, error) {
	for {
		for len(o.page) > 0 && o.page[0].Row < row.Number {
			o.page = o.page[1:]
		}
		if len(o.page) > 0 && o.page[0].Row == row.Number {
			return o.drop.answer(o.ctx, partner, o.page[0])
		}
		if len(o.page) > 0 || o.end {
			return sheet.Answer{Result: NotTaken, Case: row.Answer.Case}, nil
		}
		var err error
		if o.page, err = o.drop.Gateway.RowOutcomes(o.ctx, o.id, o.after, answersPage); err != nil {
			return sheet.Answer{}, err
		}
		if o.end = len(o.page) == 0; !o.end {
			o.after = o.page[len(o.page)-1].Row
		}
	}
}

// answer is what a sender is told about a row: what became of it, and how its case stands now.
func (d *Drop) answer(ctx context.Context, partner intake.Partner, o intake.RowOutcome) (sheet.Answer, error) {
	a := sheet.Answer{Case: o.Case, Result: string(o.Result), Code: string(o.Reason)}
	if o.Case != "" {
		m, err := d.Gateway.StatusMessage(ctx, partner.ID, o.Case)
		if err == nil {
			a.Status, err = d.Words.Standing(m)
		}
		if err != nil && !errors.Is(err, intake.ErrNotFound) {
			return a, err
		}
	}
	var codes, mends []string
	for _, p := range o.Problems {
		codes = append(codes, p.Code)
		mends = append(mends, d.Words.Fault(partner.Locale, p))
	}
	if len(codes) > 0 {
		a.Code = strings.Join(codes, " ")
	}
	a.Mend = strings.Join(mends, " ")
	return a, nil
}
