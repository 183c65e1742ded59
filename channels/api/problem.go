package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"leadgate/intake"
)

// Problem is an answer to what went wrong, as in RFC 9457: programs go by Status and Code, and
// people read Detail.
type Problem struct {
	Status int
	Code   string
	Detail string
	// Faults are all that is wrong with a body, each with its place.
	Faults []Fault

	after time.Duration // when to try again
	cause error         // for the log
}

// Fault is one thing wrong with a body.
type Fault struct {
	// Pointer is where (RFC 6901), "" for the whole.
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

func (p *Problem) Error() string { return p.Code }
func (p *Problem) Unwrap() error { return p.cause }

func (p *Problem) encode(request string) ([]byte, error) {
	return json.Marshal(struct {
		Type    string  `json:"type"`
		Title   string  `json:"title"`
		Status  int     `json:"status"`
		Code    string  `json:"code"`
		Detail  string  `json:"detail"`
		Errors  []Fault `json:"errors,omitempty"`
		Request string  `json:"request_id"`
	}{"about:blank", http.StatusText(p.Status), p.Status, p.Code, p.Detail, p.Faults, request})
}

// The codes of faults that are not intake's.
const (
	faultSyntax    = "invalid_json"
	faultUnknown   = "unknown_field"
	faultTwice     = "given_twice"
	faultType      = "wrong_type"
	faultSubmitter = "not_of_the_partner"
)

func errTooLarge() *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "A body has 64 KiB at most."}
}

func invalid(faults []Fault) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_fields", Detail: "Nothing was stored. Mend all of errors and send it again.", Faults: faults}
}

// missing are the words for codes that come without any.
var missing = map[string]string{
	intake.ProblemMissing: "is missing",
	intake.ProblemConsent: `the prospect has to agree to be contacted: "yes", once that is so`,
}

// faultsOf tells what is wrong with a lead by the places of its fields in the body.
func faultsOf(problems []intake.Problem) []Fault {
	var faults []Fault
	for _, p := range problems {
		f := Fault{Code: p.Code, Detail: p.Message}
		if p.Field != "" {
			f.Pointer = "/" + string(p.Field)
		}
		if f.Detail == "" {
			f.Detail = missing[p.Code]
		}
		if f.Detail == "" {
			f.Detail = "can't be used"
		}
		faults = append(faults, f)
	}
	return faults
}

// inOrder sorts faults as the fields of a registration are shown.
func inOrder(faults []Fault) []Fault {
	place := func(f Fault) int {
		for i, field := range intake.Fields() {
			if f.Pointer == "/"+string(field) {
				return i + 1
			}
		}
		return 0
	}
	slices.SortStableFunc(faults, func(a, b Fault) int { return place(a) - place(b) })
	return faults
}
