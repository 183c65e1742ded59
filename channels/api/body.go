package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

const (
	maxBody  = 64 << 10
	maxDepth = 4
	// maxFaults bounds what one answer says, maxShown how much of a name that nobody knows.
	maxFaults = 100
	maxShown  = 80
	// maxReference and maxReason bound what a partner's program says of its own.
	maxReference = 100
	maxReason    = 500
	maxEntries   = 20
)

// read returns the body of a request, as it came.
func read(r *http.Request) ([]byte, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || media != "application/json" || charset != "" && charset != "utf-8" || r.Header.Get("Content-Encoding") != "" {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "Send Content-Type: application/json, in UTF-8 and not compressed."}
	}
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errTooLarge()
	case err != nil:
		return nil, &Problem{Status: http.StatusBadRequest, Code: "body_cut_off", Detail: "The body did not arrive whole."}
	}
	return b, nil
}

// body is a body that is read: the values by their pointers, and what is wrong so far.
type body struct {
	texts  map[string]string
	lists  map[string][]string
	faults []Fault
}

// kind is what a field of a body is.
type kind int

const (
	text kind = iota
	list
	object
)

func (k kind) String() string {
	return [...]string{"a text", "a list of texts", "an object"}[k]
}

// fields are those of a body by pointer.
type fields map[string]kind

// submitterFields are in every body.
var submitterFields = fields{"/submitter": object, "/submitter/name": text, "/submitter/email": text}

func registrationFields() fields {
	all := fields{"/case_number": text, "/reference": text}
	for p, k := range submitterFields {
		all[p] = k
	}
	for _, f := range intake.Fields() {
		all["/"+string(f)] = text
		if slices.Contains(listFields, f) {
			all["/"+string(f)] = list
		}
	}
	return all
}

func withdrawalFields() fields {
	all := fields{"/reason": text}
	for p, k := range submitterFields {
		all[p] = k
	}
	return all
}

var listFields = []intake.Field{intake.FieldServicesNeeded, intake.FieldProductInterest, intake.FieldCompetingVendors}

// decode reads one JSON object of known fields. Anything else, a field that is given twice and
// a value of another kind are faults, all of them told. The error is a *Problem for what is no
// JSON.
func decode(src []byte, known fields) (*body, error) {
	if !utf8.Valid(src) {
		return nil, syntax("The body is not UTF-8.")
	}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	b := &body{texts: make(map[string]string), lists: make(map[string][]string)}
	first, err := dec.Token()
	if err != nil {
		return nil, syntax("The body is not JSON: " + reason(err))
	}
	if first != json.Delim('{') {
		return nil, syntax("The body is not a JSON object.")
	}
	if err := b.object(dec, "", known, 1); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, syntax("Something follows after the JSON object.")
	}
	return b, nil
}

func syntax(detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: faultSyntax, Detail: detail}
}

func reason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early."
	}
	return strings.TrimPrefix(err.Error(), "json: ") + "."
}

func (b *body) fault(pointer, code, format string, args ...any) {
	if len(b.faults) < maxFaults {
		b.faults = append(b.faults, Fault{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
}

// object reads the members of an object whose brace is read.
func (b *body) object(dec *json.Decoder, at string, known fields, depth int) error {
	if depth > maxDepth {
		return syntax(fmt.Sprintf("The body is nested more than %d deep.", maxDepth))
	}
	seen := make(map[string]bool)
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return syntax("The body is not JSON: " + reason(err))
		}
		key, _ := name.(string)
		pointer := at + "/" + escape(key)
		want, ok := known[pointer]
		switch {
		case seen[key]:
			b.fault(short(pointer), faultTwice, "is given more than once")
		case !ok:
			b.fault(short(pointer), faultUnknown, "no such field")
		}
		if err := b.value(dec, pointer, known, want, ok && !seen[key], depth); err != nil {
			return err
		}
		seen[key] = true
	}
	return b.end(dec)
}

func (b *body) end(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return syntax("The body is not JSON: " + reason(err))
	}
	return nil
}

// value reads a value, and keeps it if it is wanted and of the kind.
func (b *body) value(dec *json.Decoder, at string, known fields, want kind, wanted bool, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return syntax("The body is not JSON: " + reason(err))
	}
	got := kind(-1)
	switch v := token.(type) {
	case string:
		got = text
		if wanted && want == text {
			b.texts[at] = v
		}
	case json.Delim:
		if v == '{' {
			got = object
			inside := known
			if !wanted || want != object {
				inside = nil
			}
			err = b.skipOrRead(dec, at, inside, depth)
			break
		}
		got = list
		entries, all, lerr := b.array(dec, depth)
		err = lerr
		if wanted && want == list && err == nil {
			b.lists[at] = entries
			if !all {
				got = kind(-1)
			}
		}
	}
	if err == nil && wanted && got != want {
		delete(b.lists, at)
		b.fault(at, faultType, "want %v", want)
	}
	return err
}

// skipOrRead reads the members of an object, of which only what is known counts.
func (b *body) skipOrRead(dec *json.Decoder, at string, known fields, depth int) error {
	if known != nil {
		return b.object(dec, at, known, depth+1)
	}
	ignored := &body{faults: make([]Fault, maxFaults)} // full: nothing more is noted
	return ignored.object(dec, at, nil, depth+1)
}

// array reads the entries of a list whose bracket is read, and reports whether all are texts.
func (b *body) array(dec *json.Decoder, depth int) (entries []string, texts bool, err error) {
	if depth >= maxDepth {
		return nil, false, syntax(fmt.Sprintf("The body is nested more than %d deep.", maxDepth))
	}
	texts = true
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, false, syntax("The body is not JSON: " + reason(err))
		}
		switch v := token.(type) {
		case string:
			entries = append(entries, v)
			continue
		case json.Delim:
			if v == '{' {
				err = b.skipOrRead(dec, "", nil, depth+1)
			} else {
				_, _, err = b.array(dec, depth+1)
			}
		}
		if texts = false; err != nil {
			return nil, false, err
		}
	}
	return entries, texts, b.end(dec)
}

// escape writes a name as a step of a pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// short bounds a pointer to what nobody knows.
func short(pointer string) string {
	r := []rune(pointer)
	if len(r) <= maxShown {
		return pointer
	}
	return string(r[:maxShown]) + "…"
}

// lead is the record in a body.
func (b *body) lead() intake.Lead {
	l := make(intake.Lead)
	for _, f := range intake.Fields() {
		at := "/" + string(f)
		if v := b.texts[at]; v != "" {
			l[f] = v
		}
		for i, v := range b.lists[at] {
			v = strings.TrimSpace(v)
			switch {
			case v == "" || strings.ContainsAny(v, ";\r\n"):
				b.fault(fmt.Sprintf("%s/%d", at, i), intake.ProblemInvalid, "want a text on one line without a semicolon")
			case i == maxEntries:
				b.fault(at, intake.ProblemTooLong, "has more than %d entries", maxEntries)
			case i < maxEntries && l[f] != "":
				l[f] += intake.ListSeparator + v
			case i < maxEntries:
				l[f] = v
			}
		}
	}
	return l
}

// bounded returns a text of at most n characters.
func (b *body) bounded(at string, n int) string {
	v := strings.TrimSpace(b.texts[at])
	if utf8.RuneCountInString(v) > n {
		b.fault(at, intake.ProblemTooLong, "has more than %d characters", n)
	}
	return v
}
