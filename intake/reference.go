package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Reference is what a signed value in somebody else's form stands for: a partner, in one
// programme or in all, or a case. Forms carry it in hidden fields and in the addresses of
// booking pages, where everybody can read and change it; only the signature is proof.
type Reference struct {
	Partner string // Partner.ID
	Program string // empty for every one
	Case    string // number; then the others are empty
}

// Why a reference is not good.
var (
	ErrReferenceInvalid = errors.New("the reference is not one of ours, or was changed")
	ErrReferenceProgram = errors.New("the reference was signed for another programme")
)

var (
	programForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	// signedForm ends in 128 bits of a MAC. No domain does: the longest top-level domain is shorter.
	signedForm = regexp.MustCompile(`^([a-z0-9][a-z0-9-]*)(?:\.([a-z0-9-]+))?\.([a-z2-7]{26})$`)

	referenceText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// IsProgram reports whether a reference can be signed for a programme of that name: lower-case
// letters, digits and hyphens.
func IsProgram(name string) bool { return programForm.MatchString(name) }

// Reference signs for a partner, in one programme or, if that is empty, in all:
// "brightpath.<signature>" or "brightpath.msp.<signature>".
func (l *Links) Reference(partner, program string) string {
	text := partner
	if program != "" {
		text += "." + program
	}
	return text + "." + l.referenceSum("partner", partner, program)
}

// CaseReference signs for a case: "lg-2026-373125-g.<signature>".
func (l *Links) CaseReference(number string) string {
	number = strings.ToLower(number)
	return number + "." + l.referenceSum("case", number)
}

// ReadReference returns what a value stands for; ErrReferenceInvalid. Third parties may have
// changed its case, which means nothing.
func (l *Links) ReadReference(value string) (Reference, error) {
	m := signedForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(value)))
	if m == nil || l == nil {
		return Reference{}, ErrReferenceInvalid
	}
	given := []byte(m[3])
	switch {
	case hmac.Equal(given, []byte(l.referenceSum("partner", m[1], m[2]))):
		return Reference{Partner: m[1], Program: m[2]}, nil
	case m[2] == "" && hmac.Equal(given, []byte(l.referenceSum("case", m[1]))):
		return Reference{Case: strings.ToUpper(m[1])}, nil
	}
	return Reference{}, ErrReferenceInvalid
}

// referenceSum has a domain of its own: what is signed for a form is no link to a page.
func (l *Links) referenceSum(purpose string, parts ...string) string {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte("reference\x00" + purpose))
	for _, p := range parts {
		mac.Write([]byte("\x00" + p))
	}
	return referenceText.EncodeToString(mac.Sum(nil)[:linkMAC])
}

// PartnerReference signs for a partner of the directory; *ErrInput.
func (g *Gateway) PartnerReference(ctx context.Context, partnerID, program string) (string, error) {
	if g.links == nil {
		return "", &ErrInput{"references are signed with the key of the links to the pages, and there are no pages; set pages in the configuration"}
	}
	if program != "" && !IsProgram(program) {
		return "", &ErrInput{fmt.Sprintf("programme %q: use lower-case letters, digits and hyphens", program)}
	}
	p, err := g.Partner(ctx, partnerID)
	if errors.Is(err, ErrNotFound) {
		return "", &ErrInput{fmt.Sprintf("no partner has the id %q", partnerID)}
	}
	if err != nil {
		return "", err
	}
	return g.links.Reference(p.ID, program), nil
}

// CaseReference signs for a case, for the address of a booking page; "" without pages.
func (g *Gateway) CaseReference(number string) string {
	if g.links == nil {
		return ""
	}
	return g.links.CaseReference(number)
}

// Named is whom a value in somebody else's form names.
type Named struct {
	Partner string // Partner.ID; empty if it names nobody we know
	// Case is set for the signed reference to one; Partner is its partner then.
	Case string
	// Signed says that we have signed the value. Without that it is what anybody could type.
	Signed bool
}

// Named returns whom a value names: by a reference of ours, else by a partner's id, code or
// domain. A reference counts where a form is for its programme. The error is
// ErrReferenceInvalid, ErrReferenceProgram or one of the store; a value that names nobody is none.
func (g *Gateway) Named(ctx context.Context, value, program string) (n Named, err error) {
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "" || len(value) > maxAddress {
		return Named{}, nil
	}
	if !signedForm.MatchString(value) {
		err = g.store.View(ctx, func(tx Tx) error {
			n.Partner, err = partnerCalled(tx, value)
			return err
		})
		return n, err
	}
	ref, err := g.links.ReadReference(value)
	switch {
	case err != nil:
		return Named{}, err
	case ref.Program != "" && ref.Program != strings.ToLower(program):
		return Named{}, ErrReferenceProgram
	}
	n = Named{Partner: ref.Partner, Case: ref.Case, Signed: true}
	err = g.store.View(ctx, func(tx Tx) error {
		if ref.Case != "" {
			r, err := tx.Case(ref.Case)
			n.Partner = r.Partner
			return err
		}
		_, err := partner(tx, ref.Partner)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return Named{}, ErrReferenceInvalid // of another store
	}
	return n, err
}

// partnerCalled returns the id of the partner that a word names, or "".
func partnerCalled(tx Records, word string) (string, error) {
	p, err := partner(tx, word)
	if err == nil || !errors.Is(err, ErrNotFound) {
		return p.ID, err
	}
	id, err := partnerByCode(tx, word)
	if err != nil || id != "" {
		return id, err
	}
	return domainOwner(tx, word)
}

// AnswerTo returns where a partner is written to about what a form brought in: at the address
// that was given there, if it is one and the partner's, else, if the partner is proven to have
// sent it, at that of its first contact; "" for nowhere.
func (g *Gateway) AnswerTo(ctx context.Context, partnerID, address string, proven Strength) (to string, err error) {
	if partnerID == "" {
		return "", nil
	}
	address, err = cleanAddress(address)
	if err != nil || len(address) > maxAddress {
		address = ""
	}
	err = g.store.View(ctx, func(tx Tx) error {
		to = ""
		id := ""
		if address != "" {
			if id, err = partnerOf(tx, address); err != nil {
				return err
			}
		}
		if id == partnerID {
			to = address
			return nil
		}
		p, err := partner(tx, partnerID)
		if c, ok := p.reachable(); ok && proven.Proven() {
			to = c.Email
		}
		return ignoreNotFound(err)
	})
	return to, err
}

// CasesOfContact returns the open cases whose prospect is a person, by e-mail address, in the
// order of their claims. What is in quarantine is no such case, for stores do not index it.
func (g *Gateway) CasesOfContact(ctx context.Context, address string) (all []Registration, err error) {
	address = strings.ToLower(strings.TrimSpace(address))
	_, domain, found := strings.Cut(address, "@")
	if !found || domain == "" || len(address) > maxAddress {
		return nil, nil
	}
	err = g.store.View(ctx, func(tx Tx) error {
		all = nil
		for _, key := range []string{keyContact + address, keyDomain + domain} {
			cases, err := tx.CasesByKey(key, maxRivals)
			if err != nil {
				return err
			}
			for _, r := range cases {
				known := slices.ContainsFunc(all, func(o Registration) bool { return o.Number == r.Number })
				if !known && strings.EqualFold(r.Lead[FieldContactEmail], address) {
					all = append(all, r)
				}
			}
		}
		slices.SortFunc(all, func(a, b Registration) int {
			if a.Before(&b) {
				return -1
			}
			return 1
		})
		return nil
	})
	return all, err
}

// CaseOf returns a case by number for a channel that has to know its partner; ErrNotFound.
func (g *Gateway) CaseOf(ctx context.Context, number string) (r Registration, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		r, err = tx.Case(number)
		return err
	})
	return r, err
}
