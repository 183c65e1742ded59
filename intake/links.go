package intake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Purpose is what a signed link is for. A link is good for one purpose alone.
type Purpose string

// The purposes. Links to the status page and those of staff have none.
const (
	PurposeForm    Purpose = "form"    // registers for a partner
	PurposeEmbed   Purpose = "embed"   // shows a partner's form in the partner's own pages
	PurposeDone    Purpose = "done"    // shows that a registration came in
	PurposeConfirm Purpose = "confirm" // says that a registration is one's own
	PurposeImport  Purpose = "import"  // takes a file of rows in, and shows what became of them
)

// Grant is what a signed link lets its bearer do. A link names no person's data but, for
// staff, the person to whom it was sent.
type Grant struct {
	For Purpose `json:"f,omitempty"`
	// Partner is whose form it is, or who was proven to have sent what is done.
	Partner string `json:"p,omitempty"`
	// Import is the id of a file of rows.
	Import string `json:"i,omitempty"`
	// New says of what is done that it was no repeat.
	New bool `json:"w,omitempty"`
	// Case is the number; empty for what is about no case.
	Case string `json:"c,omitempty"`
	// Act is what staff may do by the link; empty in a partner's link to the status.
	Act StaffAct `json:"a,omitempty"`
	// By is the member of staff, Revision the state of the case that he was shown.
	By       string `json:"b,omitempty"`
	Revision int    `json:"r,omitempty"`
	// Links is how often the case's links had been revoked when this one was made.
	Links   int   `json:"n,omitempty"`
	Expires int64 `json:"x"` // seconds since 1970
}

// Why a link is not good.
var (
	ErrLinkInvalid = errors.New("the link is not one of ours, or was cut off")
	ErrLinkExpired = errors.New("the link has expired")
	ErrLinkRevoked = errors.New("the link was revoked")
	ErrLinkStale   = errors.New("the case has changed since the link was sent")
)

// Links makes and reads signed links: a payload and 128 bits of HMAC-SHA-256 over it.
type Links struct {
	base string
	key  []byte
}

// NewLinks returns links below a base URL such as https://partners.vendor.example.
func NewLinks(base string, key []byte) (*Links, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not a URL like https://partners.vendor.example", base)
	}
	if len(key) < 32 {
		return nil, errors.New("the key of links has fewer than 32 bytes")
	}
	return &Links{base: strings.TrimSuffix(base, "/"), key: key}, nil
}

// The paths below the base at which links lead.
const (
	PathStatus  = "/status/"
	PathDesk    = "/desk/"
	PathRules   = "/rules"
	PathForm    = "/register"
	PathDone    = "/registered/"
	PathConfirm = "/confirm/"
	PathImport  = "/import" // a partner's page for files; behind a slash, that of one file
)

// Status is the link to the page of a case, Desk one by which staff do something.
func (l *Links) Status(g Grant) string { return l.base + PathStatus + l.token(g) }

// Desk is a link by which staff do something.
func (l *Links) Desk(g Grant) string { return l.base + PathDesk + l.token(g) }

// Rules is the link to the page of the programme's rules.
func (l *Links) Rules() string { return l.base + PathRules }

// Form is a partner's link to the form. With PurposeForm in g its bearer registers for the
// partner; with PurposeEmbed he only sees for whom the form is, as anybody can read it.
func (l *Links) Form(g Grant) string { return l.base + PathForm + "?p=" + l.token(g) }

// Done is the page that tells that a registration came in.
func (l *Links) Done(g Grant) string {
	g.For = PurposeDone
	return l.base + PathDone + l.token(g)
}

// Confirm is the page on which a person says that a registration is his.
func (l *Links) Confirm(g Grant) string {
	g.For = PurposeConfirm
	return l.base + PathConfirm + l.token(g)
}

// Import is the page of a file of rows: its bearer has it taken in, and reads what became of them.
func (l *Links) Import(g Grant) string {
	g.For = PurposeImport
	return l.base + PathImport + "/" + l.token(g)
}

const linkMAC = 16

func (l *Links) token(g Grant) string {
	body, err := json.Marshal(g)
	if err != nil {
		panic(err) // plain data
	}
	return base64.RawURLEncoding.EncodeToString(append(l.sum(body), body...))
}

func (l *Links) sum(body []byte) []byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte("link\x00"))
	mac.Write(body)
	return mac.Sum(nil)[:linkMAC]
}

// Read returns what a token grants; ErrLinkInvalid, ErrLinkExpired.
func (l *Links) Read(token string, now time.Time) (Grant, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= linkMAC || !hmac.Equal(raw[:linkMAC], l.sum(raw[linkMAC:])) {
		return Grant{}, ErrLinkInvalid
	}
	var g Grant
	if err := json.Unmarshal(raw[linkMAC:], &g); err != nil {
		return Grant{}, ErrLinkInvalid
	}
	if now.Unix() >= g.Expires {
		return Grant{}, ErrLinkExpired
	}
	return g, nil
}
