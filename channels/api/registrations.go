package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"leadgate/intake"
)

// taken is the answer to what was sent in: that it was taken, for which case, and how to look at
// it. A check has found nothing yet that could show here.
type taken struct {
	Status       string         `json:"status"`
	Case         string         `json:"case_number"`
	StatusLink   string         `json:"status_link"`
	Registration intake.OwnCase `json:"registration"`
}

const statusSubmitted = "submitted"

// page is a part of the list.
type page struct {
	Registrations []intake.OwnCase `json:"registrations"`
	Next          *string          `json:"next_cursor"`
}

// register takes in a registration, or an addition to a case.
func (a *API) register(r *request) (answer, error) {
	told := func(ctx context.Context, receipt intake.Receipt) (answer, error) {
		return a.receipt(ctx, r.key, receipt)
	}
	return a.once(r, deeds{told: told, prepare: func(src []byte) (deed, error) {
		b, err := decode(src, registrationFields())
		if err != nil {
			return nil, err
		}
		lead := b.lead()
		number, reference := strings.TrimSpace(b.texts["/case_number"]), b.bounded("/reference", maxReference)
		if _, given := b.texts["/case_number"]; given && number == "" {
			b.fault("/case_number", intake.ProblemInvalid, "is empty")
		}
		sender, err := a.submitter(r, b)
		if err != nil {
			return nil, err
		}
		lead, problems, err := a.source.Examine(r.ctx(), r.key.Partner, number, lead)
		switch {
		case errors.Is(err, intake.ErrNotFound):
			return nil, notThere()
		case errors.Is(err, intake.ErrCaseOver):
			return nil, over()
		case err != nil:
			return nil, unavailable(err)
		}
		for _, f := range faultsOf(problems) {
			if !b.wrong(f.Pointer) {
				b.faults = append(b.faults, f)
			}
		}
		if len(b.faults) > 0 {
			return nil, invalid(inOrder(b.faults))
		}
		s := a.submission(r, sender)
		s.Lead, s.CaseHint, s.Reference = lead, number, reference
		s.Content = content(r.key.Partner, lead, number, reference)
		// What a program does again by itself bears the name of the first time.
		s.Deliberate, s.Told = r.Request().Header.Get(headerKey) != "", true
		return func(ctx context.Context, delivery string) (answer, error) {
			receipt, err := a.accept(ctx, s, delivery, src)
			if err != nil {
				return answer{}, err
			}
			return told(ctx, receipt)
		}, nil
	}})
}

// withdraw gives a case up.
func (a *API) withdraw(r *request) (answer, error) {
	told := func(ctx context.Context, receipt intake.Receipt) (answer, error) {
		now, err := a.source.OwnCase(ctx, r.key.Partner, receipt.Case)
		if err != nil {
			return answer{}, unavailable(err)
		}
		return jsonAnswer(http.StatusOK, now)
	}
	return a.once(r, deeds{told: told, prepare: func(src []byte) (deed, error) {
		b, err := decode(src, withdrawalFields())
		if err != nil {
			return nil, err
		}
		own, err := a.own(r)
		if err != nil {
			return nil, err
		}
		words := b.bounded("/reason", maxReason)
		sender, err := a.submitter(r, b)
		if err != nil {
			return nil, err
		}
		if len(b.faults) > 0 {
			return nil, invalid(b.faults)
		}
		if own.Status == intake.StatusWithdrawn {
			return func(context.Context, string) (answer, error) { return jsonAnswer(http.StatusOK, own) }, nil
		}
		if intake.CheckTransition(own.Status, intake.StatusWithdrawn, intake.TriggerWithdraw) != nil {
			return nil, over()
		}
		s := a.submission(r, sender)
		s.Text = words
		s.Commands = []intake.Command{{Verb: intake.VerbWithdraw, Case: own.Case, Words: words}}
		return func(ctx context.Context, delivery string) (answer, error) {
			receipt, err := a.accept(ctx, s, delivery, src)
			if err != nil {
				return answer{}, err
			}
			return told(ctx, receipt)
		}, nil
	}})
}

// submission is what every submission of a request has.
func (a *API) submission(r *request, sender intake.Sender) intake.Submission {
	return intake.Submission{
		Channel: Channel, Sender: sender, Partner: r.key.Partner, ReceivedAt: a.now(),
		Reply: intake.Route{Channel: a.reply, Address: sender.Address},
	}
}

// accept stores a submission, with the body as it came.
func (a *API) accept(ctx context.Context, s intake.Submission, delivery string, src []byte) (intake.Receipt, error) {
	s.Key, s.Payload, s.Raw = deliveryKey(delivery), src, intake.Raw{Media: echo.MIMEApplicationJSON}
	receipt, err := a.sink.Accept(ctx, s)
	if err != nil {
		return receipt, unavailable(err)
	}
	return receipt, nil
}

// receipt answers what was taken in: with the case as it came in, or as it stands if it was there
// before.
func (a *API) receipt(ctx context.Context, key intake.APIKey, r intake.Receipt) (answer, error) {
	look, status := a.source.ReceivedCase, http.StatusCreated
	if r.Known {
		look, status = a.source.OwnCase, http.StatusOK
	}
	own, err := look(ctx, key.Partner, r.Case)
	if errors.Is(err, intake.ErrNotFound) { // the same was sent before, and was removed since
		return answer{}, over()
	}
	if err != nil {
		return answer{}, unavailable(err)
	}
	ans, err := jsonAnswer(status, taken{Status: statusSubmitted, Case: own.Case, StatusLink: own.StatusLink, Registration: own})
	ans.Location = a.url + "/registrations/" + own.Case
	return ans, err
}

// submitter reads the person who answers for what is sent in. Who is not of the key's partner is
// a fault of the body.
func (a *API) submitter(r *request, b *body) (intake.Sender, error) {
	s := intake.Sender{
		Address: strings.TrimSpace(b.texts["/submitter/email"]), Name: b.bounded("/submitter/name", intake.MaxRunes(intake.FieldContactName)),
		Strength: intake.StrengthVerified, How: fmt.Sprintf("API key %s (%s)", r.key.ID, r.key.Name),
	}
	if s.Address == "" {
		if !b.wrong("/submitter") && !b.wrong("/submitter/email") {
			b.fault("/submitter/email", intake.ProblemMissing, "is missing: the address of who is written to about it")
		}
		return s, nil
	}
	clean, err := a.source.Submitter(r.ctx(), r.key.Partner, s.Address)
	var noAddress *intake.ErrInput
	switch {
	case errors.As(err, &noAddress):
		b.fault("/submitter/email", intake.ProblemInvalid, "%s", noAddress.Problem)
	case errors.Is(err, intake.ErrNotFound):
		b.fault("/submitter/email", faultSubmitter, "is no contact of the partner, and on none of its domains")
	case err != nil:
		return s, unavailable(err)
	}
	s.Address = clean
	return s, nil
}

// wrong reports whether there is a fault at a place.
func (b *body) wrong(pointer string) bool {
	for _, f := range b.faults {
		if f.Pointer == pointer && pointer != "" {
			return true
		}
	}
	return false
}

// content is a fingerprint of what is registered.
func content(partner string, lead intake.Lead, number, reference string) string {
	parts := [][]byte{[]byte(Channel), []byte(partner), []byte(strings.ToUpper(number)), []byte(reference)}
	for _, f := range intake.Fields() {
		parts = append(parts, []byte(lead[f]))
	}
	return digest(parts...)
}

// own returns the case of the path.
func (a *API) own(r *request) (intake.OwnCase, error) {
	own, err := a.source.OwnCase(r.ctx(), r.key.Partner, r.Param("case"))
	if errors.Is(err, intake.ErrNotFound) {
		return own, notThere()
	}
	if err != nil {
		return own, unavailable(err)
	}
	return own, nil
}

// notThere is the one answer to a case that is not the partner's, whatever else it is.
func notThere() *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "no_such_case", Detail: "None of your registrations has this case number."}
}

func over() *Problem {
	return &Problem{Status: http.StatusConflict, Code: "case_over", Detail: "This registration has come to its end."}
}

func (a *API) show(r *request) (answer, error) {
	own, err := a.own(r)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, own)
}

const (
	pageLimit = 50
	maxPage   = 200
)

// pageSize is how many a page of a list has.
func pageSize(r *request) (int, error) {
	s := r.QueryParam("limit")
	if s == "" {
		return pageLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxPage {
		return 0, parameter(fmt.Sprintf("limit: want a number from 1 to %d.", maxPage))
	}
	return n, nil
}

func (a *API) list(r *request) (answer, error) {
	limit, err := pageSize(r)
	if err != nil {
		return answer{}, err
	}
	all, next, err := a.source.OwnCases(r.ctx(), r.key.Partner, r.QueryParam("cursor"), limit)
	switch {
	case errors.Is(err, intake.ErrNotFound):
		return answer{}, parameter("cursor: want the next_cursor of an earlier answer.")
	case err != nil:
		return answer{}, unavailable(err)
	}
	p := page{Registrations: append([]intake.OwnCase{}, all...)}
	if next != "" {
		p.Next = &next
	}
	return jsonAnswer(http.StatusOK, p)
}

func (a *API) rules(*request) (answer, error) {
	return jsonAnswer(http.StatusOK, a.source.Published())
}
