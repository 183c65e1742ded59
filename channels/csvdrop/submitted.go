package csvdrop

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"leadgate/intake"
)

// Submitted is a file that somebody hands in for a partner.
type Submitted struct {
	Partner intake.Partner
	Name    string // of the file
	Sender  intake.Sender
	// Channel and Address are where the partner is told; without an address it is the first of
	// the partner's contacts who can be reached, and without a channel nobody is.
	Channel, Address string
}

// File returns the import of a file, for Offer or Try. An address that is not the partner's is an
// *intake.ErrInput.
func (s Submitted) File() (intake.ImportFile, error) {
	f := intake.ImportFile{Partner: s.Partner.ID, Name: s.Name, Sender: s.Sender}
	address := s.Address
	for _, c := range s.Partner.Contacts {
		if address == "" && c.Status == "" {
			address = c.Email
		}
	}
	_, host, _ := strings.Cut(strings.ToLower(address), "@")
	switch {
	case s.Address != "" && s.Channel == "":
		return f, &intake.ErrInput{Problem: "nobody can be told: there is no mailbox to write from"}
	case s.Address != "" && !slices.Contains(s.Partner.Domains, host) && !slices.ContainsFunc(s.Partner.Contacts, func(c intake.Contact) bool { return strings.EqualFold(c.Email, address) }):
		return f, &intake.ErrInput{Problem: fmt.Sprintf("%s is nobody of %s, by the directory of partners", address, s.Partner.ID)}
	case s.Channel != "" && address != "":
		f.Reply = intake.Route{Channel: s.Channel, Address: address}
	}
	return f, nil
}

// Take keeps a file and has its rows taken in, in the background; see Offer and Start. before is
// the state in which the import was, intake.ImportPreviewed unless the same file came before.
// unchanged is asked between the two, and its error ends it there; it may be nil.
func (d *Drop) Take(ctx context.Context, r *io.SectionReader, f intake.ImportFile, unchanged func() error) (im intake.Import, before intake.ImportState, err error) {
	if f.Total, err = d.Count(ctx, r, f.Name, f.Raw.Media); err != nil {
		return intake.Import{}, "", err
	}
	f.AtOnce = true
	if im, err = d.Offer(ctx, r, f); err != nil {
		return intake.Import{}, "", err
	}
	if unchanged != nil {
		if err := unchanged(); err != nil {
			return im, im.State, err
		}
	}
	before = im.State
	im, err = d.Start(ctx, im.ID)
	return im, before, err
}
