package hubspot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// problem is what HubSpot says of a fault, of a call or of a part of it. All fields may be missing.
// https://developers.hubspot.com/docs/api-reference/error-handling
type problem struct {
	Category      string            `json:"category"`
	SubCategory   any               `json:"subCategory"`
	Message       string            `json:"message"`
	CorrelationID string            `json:"correlationId"`
	Policy        string            `json:"policyName"`
	Context       map[string]any    `json:"context"`
	Errors        []json.RawMessage `json:"errors"`
}

// detail is one thing that is wrong with a property: part of a problem, or in the text of its
// message, as a list.
type detail struct {
	Message string         `json:"message"`
	Code    string         `json:"code"`
	Error   string         `json:"error"`
	Name    string         `json:"name"`
	Context map[string]any `json:"context"`
}

// refusal is an answer that is not 2xx, or that part of one which failed.
type refusal struct {
	status int
	problem
	words string
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("HubSpot answered %d", r.status)
	if r.words != "" {
		s = "HubSpot refused: " + r.words
	}
	if id := remote.Words(r.CorrelationID); r.words != "" && id != "" {
		s += " (correlation " + id + ")"
	}
	return s
}

// refused returns the refusal in err; nil if there is none.
func refused(err error) *refusal {
	var r *refusal
	errors.As(err, &r)
	return r
}

// missing reports whether err says that a record is not there.
func missing(err error) bool {
	r := refused(err)
	return r != nil && r.status == http.StatusNotFound
}

// taken reports whether err may say that what was to be made is there already: the body for a
// property that must be unique is not documented, so that every 400 and 409 is looked into.
func taken(err error) bool {
	r := refused(err)
	return r != nil && (r.status == http.StatusConflict || r.status == http.StatusBadRequest)
}

var existing = regexp.MustCompile(`^Contact already exists\. Existing ID: ([0-9]{1,20})\b`)

// existingID is the id of the contact that a conflict names, "" if it names none. Other refusals may
// repeat what somebody has typed.
func existingID(err error) string {
	if r := refused(err); r != nil && r.status == http.StatusConflict {
		if m := existing.FindStringSubmatch(r.Message); m != nil {
			return m[1]
		}
	}
	return ""
}

// category is the form of what HubSpot's own faults have; what has another body is somebody else's,
// and is not repeated.
var category = regexp.MustCompile(`^[A-Z][A-Z_]{2,60}$`)

// read takes what HubSpot says of a fault.
func read(status int, body []byte) *refusal {
	r := &refusal{status: status}
	if json.Unmarshal(body, &r.problem) != nil || !category.MatchString(r.Category) || r.CorrelationID == "" {
		r.problem = problem{Policy: r.Policy}
		return r
	}
	r.words = r.problem.say()
	return r
}

// say is the problem in words for staff.
func (p problem) say() string {
	var all []string
	for _, raw := range p.Errors {
		var d detail
		if json.Unmarshal(raw, &d) == nil {
			all = append(all, d.say())
		}
	}
	if i := strings.Index(p.Message, "[{"); i >= 0 && len(all) == 0 {
		var list []detail
		if json.Unmarshal([]byte(p.Message[i:]), &list) == nil {
			for _, d := range list {
				all = append(all, d.say())
			}
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	if len(all) == 0 {
		all = []string{p.Message}
	}
	if scopes := p.scopes(); len(scopes) > 0 {
		all = append(all, "needed: scope "+strings.Join(scopes, ", "))
	}
	if len(all) == 1 && all[0] == "" {
		all[0] = p.Category
	}
	return remote.Words(strings.Join(all, "; "))
}

func (d detail) say() string {
	name := d.Name
	if names, ok := d.Context["propertyName"].([]any); ok && name == "" && len(names) > 0 {
		name = fmt.Sprint(names[0])
	}
	words := d.Message
	for _, s := range []string{d.Error, d.Code} {
		if words == "" {
			words = s
		}
	}
	if name != "" && !strings.Contains(words, name) {
		words = "property " + name + ": " + words
	}
	return words
}

// scopes are those that a problem says are missing.
func (p problem) scopes() (all []string) {
	lists := []map[string]any{p.Context}
	for _, raw := range p.Errors {
		var d detail
		if json.Unmarshal(raw, &d) == nil {
			lists = append(lists, d.Context)
		}
	}
	for _, c := range lists {
		for _, key := range []string{"requiredGranularScopes", "requiredScopes", "missingScopes", "scopes"} {
			list, _ := c[key].([]any)
			for _, s := range list {
				if scope := remote.Words(fmt.Sprint(s)); !slices.Contains(all, scope) {
					all = append(all, scope)
				}
			}
		}
	}
	return all
}

const (
	lockedPause = 2 * time.Second  // 423: somebody works on the same record
	windowPause = 10 * time.Second // the limit of ten seconds
	secondPause = time.Second      // the limit of a second, which search has
)

// fault sorts an answer into the classes of intake.
func (c *Connector) fault(a remote.Answer) error {
	r := read(a.Status, a.Body)
	switch a.Status {
	case http.StatusUnauthorized:
		return intake.Unauthorized(fmt.Errorf("HubSpot does not know the token; check token_file, or make a new key: %w", r))
	case http.StatusForbidden:
		return intake.Unauthorized(fmt.Errorf("HubSpot does not permit this: add the scopes that are missing and install the app again, or make a new key: %w", r))
	case http.StatusTooManyRequests:
		return c.limited(a, r)
	case http.StatusLocked:
		return c.later(a, lockedPause, r)
	case http.StatusConflict:
		return intake.Conflicting(r)
	case http.StatusBadRequest:
		if strings.Contains(string(a.Body), "CONFLICTING_UNIQUE_VALUE") {
			return intake.Conflicting(r)
		}
		return intake.Permanent(r)
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return r
	case 477: // the account is being moved
		return c.later(a, time.Minute, r)
	case 525, 526: // no TLS between HubSpot and its front
		return intake.Permanent(r)
	}
	if a.Status >= 300 && a.Status < 500 {
		return intake.Permanent(r)
	}
	return r
}

// later is err with the time that the answer says, or pause.
func (c *Connector) later(a remote.Answer, pause time.Duration, err error) error {
	if d, told := remote.RetryAfter(a.Header.Get("Retry-After"), c.config.Now()); told {
		pause = d
	}
	return intake.RetryAfter(pause, err)
}

// limited is a 429: which limit was reached says for how long there is to be calm. The daily one
// begins anew at midnight in the account's zone.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
func (c *Connector) limited(a remote.Answer, r *refusal) error {
	pause := windowPause
	switch policy := strings.ToUpper(r.Policy); {
	case strings.Contains(policy, "DAILY"):
		pause = c.untilMidnight()
	case strings.Contains(policy, "TEN_SECONDLY"):
	case strings.Contains(policy, "SECONDLY"):
		pause = secondPause
	}
	if d, told := remote.RetryAfter(a.Header.Get("Retry-After"), c.config.Now()); told {
		pause = d
	}
	c.client.Calm(pause)
	return intake.RetryAfter(pause, fmt.Errorf("HubSpot takes no more calls for now, limit %s: %w", remote.Words(r.Policy), r))
}

// untilMidnight is the rest of the account's day.
func (c *Connector) untilMidnight() time.Duration {
	now := c.config.Now().In(c.zone())
	next := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location())
	return min(max(next.Sub(now), time.Minute), 24*time.Hour)
}
