package salesforce

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// usedUp is how long to wait when the calls of the day are used up: they come back bit by bit over
// 24 hours, and no answer says when.
const usedUp = 15 * time.Minute

// problem is one entry of an answer that is a fault: [{"message", "errorCode", "fields"}].
type problem struct {
	Code      string    `json:"errorCode"`
	Message   string    `json:"message"`
	Fields    []string  `json:"fields"`
	Duplicate duplicate `json:"duplicateResult"`
}

// duplicate is what a duplicate rule found.
type duplicate struct {
	Rule    string `json:"duplicateRule"`
	Matches []struct {
		Records []struct {
			Record struct {
				ID         string `json:"Id"`
				Attributes struct {
					Type string `json:"type"`
				} `json:"attributes"`
			} `json:"record"`
		} `json:"matchRecords"`
	} `json:"matchResults"`
}

var codeForm = regexp.MustCompile(`^[A-Z][A-Z_]{2,79}$`)

// problems reads the body of a fault; nil if it is not of the form.
func problems(body []byte) []problem {
	var all []problem
	if json.Unmarshal(body, &all) != nil {
		return nil
	}
	for _, p := range all {
		if !codeForm.MatchString(p.Code) {
			return nil
		}
	}
	return all
}

// refusal is a fault as Salesforce told it; its class is that of err.
type refusal struct {
	problem
	err  error
	step string // the reference of the step that it was, in a composite call
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// refused reports whether err is a refusal with one of the codes, and returns it.
func refused(err error, codes ...string) (*refusal, bool) {
	var r *refusal
	if !errors.As(err, &r) {
		return nil, false
	}
	for _, c := range codes {
		if r.Code == c {
			return r, true
		}
	}
	return nil, false
}

// fault sorts an answer that is not 2xx.
func fault(a remote.Answer) error {
	if a.Status == http.StatusMultipleChoices {
		return several("")
	}
	if all := problems(a.Body); len(all) > 0 {
		return all[0].sort("")
	}
	return statusError(a.Status)
}

func several(what string) error {
	if what != "" {
		what = " as " + what
	}
	return intake.Conflicting(fmt.Errorf("Salesforce has more than one record%s with the same external id; keep one of them, and make the field unique as in examples/salesforce", what))
}

// sort gives a problem its class, and words. object is what was to be written, "" if that is not known.
func (p problem) sort(object string) error {
	words := p.Code
	if m := remote.Words(p.Message); m != "" {
		words += ": " + m
	}
	if object != "" {
		words = object + ": " + words
	}
	if len(p.Fields) > 0 {
		words += " (" + remote.Words(strings.Join(p.Fields, ", ")) + ")"
	}
	return &refusal{problem: p, err: p.class(errors.New("Salesforce says " + words + p.advice()))}
}

func (p problem) class(err error) error {
	switch p.Code {
	case "REQUEST_LIMIT_EXCEEDED":
		return intake.RetryAfter(usedUp, err)
	case "UNABLE_TO_LOCK_ROW", "QUERY_TIMEOUT", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "PROCESSING_HALTED":
		return err
	case "INVALID_SESSION_ID", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "INACTIVE_OWNER_OR_USER", "INSUFFICIENT_ACCESS":
		return intake.Unauthorized(err)
	case "DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID":
		return intake.Conflicting(err)
	}
	return intake.Permanent(err)
}

func (p problem) advice() string {
	switch p.Code {
	case "REQUEST_LIMIT_EXCEEDED":
		return "; the org's calls of 24 hours are used up"
	case "INVALID_SESSION_ID":
		return "; the session ended and a new one is refused, too: check the External Client App and its user"
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED":
		return "; the edition or the user has no API; the permission set Leadgate gives it"
	case "INSUFFICIENT_ACCESS":
		return "; assign the permission set Leadgate to the user of the gateway"
	case "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY":
		return "; the user of the gateway may not change this record, or a flow or trigger of the org failed on it"
	case "INVALID_FIELD", "INVALID_TYPE", "INVALID_FIELD_FOR_INSERT_UPDATE", "NOT_FOUND":
		return "; deploy examples/salesforce and assign its permission set: `leadgate crm verify` names what is missing"
	case "REQUIRED_FIELD_MISSING":
		return "; give it a value in mapping.defaults"
	case "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST":
		return "; use a value that the org has, in stage and mapping, or add it to the field"
	case "FIELD_CUSTOM_VALIDATION_EXCEPTION":
		return "; a rule of the org asks for it: give a value in mapping.defaults, or except the user of the gateway"
	case "ENTITY_IS_DELETED":
		return "; somebody deleted the record"
	}
	return ""
}

// statusError is the error of an answer whose body says nothing.
func statusError(status int) error {
	err := fmt.Errorf("Salesforce answered %d", status)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return intake.Unauthorized(fmt.Errorf("%w; check the External Client App, its user and the user's permission set", err))
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusLocked:
		return err
	}
	if status >= 400 && status < 500 {
		return intake.Permanent(err)
	}
	if status >= 300 && status < 400 {
		return fmt.Errorf("%w; redirects are not followed: check login_url", err)
	}
	return err
}
