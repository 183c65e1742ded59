// Package identity answers two questions: which company is meant, and are two of them
// the same?
//
// It owns the normal forms of domains, e-mail addresses and company names, the lists
// these rest on (free mail, shared hosts, legal forms, extra suffixes), the detection of
// look-alike spellings, and the grades that two names can reach.
//
// It refuses to look anything up: no DNS, no CRM, no registry. It holds no register of
// known companies, so it grades two names that it is handed and never searches. Names
// alone never make it certain; certainty comes from domains and addresses, and that
// comparison is the caller's.
//
// All functions are pure. A Lists may be read by many goroutines at once; Extend it
// before it is shared.
package identity

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// The codes of an Error. They are stored and logged, so their text does not change.
const (
	CodeInvalidDomain    = "invalid_domain"       // not a host name at all
	CodeNotCompanyDomain = "not_a_company_domain" // a host, but one that names no single company
	CodeInvalidEmail     = "invalid_email"        // not one plain e-mail address
)

// maxInput bounds what any function here reads, in bytes. The longest legal host has
// 253, the longest address 254; the rest is room for a URL or a remark around it.
const maxInput = 2048

// maxShown bounds how much of a refused input an Error keeps, in bytes.
const maxShown = 120

// Error says why an input names no company. It may be shown to the person who typed the
// input, and to no one else: it repeats the input.
type Error struct {
	Code  string // one of the Code constants
	Input string // what was typed, cut to a length that can be shown
}

func newError(code, input string) *Error {
	input = strings.ToValidUTF8(input, "\uFFFD")
	if len(input) > maxShown {
		cut := maxShown
		for !utf8.RuneStart(input[cut]) {
			cut--
		}
		input = input[:cut] + "…"
	}
	return &Error{Code: code, Input: input}
}

// Error quotes the input so that control and direction characters cannot act.
func (e *Error) Error() string {
	shown := strconv.Quote(e.Input)
	switch e.Code {
	case CodeNotCompanyDomain:
		return shown + " does not belong to one company; give the company's own domain, such as example.com"
	case CodeInvalidEmail:
		return shown + " is not an e-mail address; give one such as jane@example.com"
	default:
		return shown + " is not a domain name; give the company's web address, such as example.com"
	}
}
