package crmtest

import (
	"fmt"
	"net/http"
	"time"
)

// Fault is something that goes wrong with one request.
type Fault string

// The faults. Those called "commit" do the work and then keep the answer from arriving.
const (
	CommitThen500   Fault = "commit then 500"
	CommitThenReset Fault = "commit then reset"
	CommitThenHang  Fault = "commit then no answer"
	Reset           Fault = "reset"
	Answer500       Fault = "500"
	Answer503Later  Fault = "503 with Retry-After"
	Answer429Later  Fault = "429 with Retry-After"
	Answer400       Fault = "400"
	Answer401       Fault = "401"
	Answer403       Fault = "403"
	Answer404       Fault = "404"
	Answer410       Fault = "410"
	Answer422       Fault = "422"
	Redirect        Fault = "redirect"
	// MultiStatus is 207 with an error for each item in the body: a success to those who
	// do not know it, a failure to those who asked for several things at once.
	MultiStatus Fault = "207"
)

// Faults is the full set.
func Faults() []Fault {
	return []Fault{
		CommitThen500, CommitThenReset, CommitThenHang, Reset, Answer500, Answer503Later,
		Answer429Later, Answer400, Answer401, Answer403, Answer404, Answer410, Answer422,
		Redirect, MultiStatus,
	}
}

// Later is what Answer429Later and Answer503Later ask to wait.
const Later = 7 * time.Second

// BodyCanary stands in the body of every answer that is a fault. No error may repeat it.
const BodyCanary = "canary-of-the-answer-body"

// statuses are the answers that are nothing but a status and a canary.
var statuses = map[Fault]int{
	Answer500: 500, Answer503Later: 503, Answer429Later: 429, Answer400: 400, Answer401: 401,
	Answer403: 403, Answer404: 404, Answer410: 410, Answer422: 422, CommitThen500: 500,
	MultiStatus: http.StatusMultiStatus, Redirect: http.StatusTemporaryRedirect,
}

func (f Fault) commits() bool {
	return f == CommitThen500 || f == CommitThenReset || f == CommitThenHang
}

func (f Fault) delayed() bool { return f == Answer429Later || f == Answer503Later }

// permanent reports whether no retry heals the fault, so that the error must say so.
func (f Fault) permanent() bool {
	switch f {
	case Answer400, Answer410, Answer422:
		return true
	}
	return false
}

// ours reports whether the fault refuses us, whatever was asked. To some a 403 refuses no more than
// what was asked.
func (f Fault) ours() bool { return f == Answer401 || f == Answer403 }

// ambiguous reports whether connectors may differ on what the fault means: a 404 is a
// missing record to one and a wrong address to another.
func (f Fault) ambiguous() bool { return f == MultiStatus || f == Answer404 || f == Redirect }

// answer writes the status of f, headers and a body with the canary.
func (f Fault) answer(w http.ResponseWriter, self string) {
	if f.delayed() {
		w.Header().Set("Retry-After", fmt.Sprint(int(Later/time.Second)))
	}
	if f == Redirect {
		w.Header().Set("Location", self+"/redirected")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(statuses[f])
	_, _ = fmt.Fprintf(w, `{"status":"error","message":%q,"errors":[{"message":%q}],"results":[]}`, BodyCanary, BodyCanary)
}
