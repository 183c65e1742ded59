package captcha

import (
	"html"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Widget is what a page needs to get a token from its visitor.
type Widget struct {
	// Provider is the kind. Field is the form's field with the token; "" if there is no captcha.
	Provider Kind
	Field    string
	Scripts  []Script
	Styles   []string // URLs
	Element  Element
	// Policy is what the page's Content-Security-Policy has to allow beyond what it does.
	Policy Policy
	// ThirdParty says that the scripts come from elsewhere, where the visitor's address is seen:
	// the page loads them when the form is touched first, and says whose they are.
	ThirdParty bool
	// Execute is the function that makes a token, if the element does not: the page's script
	// calls it with the site key and {action} when the form is sent, as a token lives two
	// minutes, and puts the token into the element. "" for all others.
	Execute string
	// Privacy is the key of the words about data protection, "" if nothing leaves the house.
	Privacy string
}

// Script is one script of a page.
type Script struct {
	URL string
	// Module says that it is an ES module.
	Module bool
	// Integrity is the digest of its one version, "" if it changes.
	Integrity string
}

// Element is where the widget appears, or a hidden field for a token that a script makes.
type Element struct {
	Tag   string
	Attrs map[string]string
}

// HTML is the element as it goes into a form.
func (e Element) HTML() template.HTML {
	if e.Tag == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("<" + e.Tag)
	for _, name := range slices.Sorted(maps.Keys(e.Attrs)) {
		b.WriteString(" " + name + `="` + html.EscapeString(e.Attrs[name]) + `"`)
	}
	b.WriteString(">")
	if e.Tag != "input" {
		b.WriteString("</" + e.Tag + ">")
	}
	return template.HTML(b.String()) // names are ours, values are escaped
}

// Policy has the sources to allow by directive of a Content-Security-Policy: "script-src" and
// so on.
type Policy map[string][]string

// self allows what the gateway serves.
const self = "'self'"

// everywhere allows sources in the same directives.
func everywhere(sources []string, directives ...string) Policy {
	p := make(Policy, len(directives))
	for _, d := range directives {
		p[d] = slices.Clone(sources)
	}
	return p
}

// origin is the scheme and the host of an address that was validated.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
