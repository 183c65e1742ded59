package payload

import (
	"cmp"
	"context"
	"fmt"

	"leadgate/intake"
)

// Directory knows partners and cases: a Gateway.
type Directory interface {
	// Named returns whom a value names; intake.ErrReferenceInvalid, intake.ErrReferenceProgram.
	Named(ctx context.Context, value, program string) (intake.Named, error)
	// AnswerTo returns where a partner is written to, or "".
	AnswerTo(ctx context.Context, partner, address string, proven intake.Strength) (string, error)
}

// Claim says whose registration a payload is.
type Claim struct {
	// Partner is who it says it is, "" if it names nobody we know. It is proven if
	// Sender.Strength is.
	Partner string
	// Case is the one that a signed reference names.
	Case   string
	Sender intake.Sender
	// Reply is empty if nobody can be answered.
	Reply intake.Route
	// Note tells staff of a claim that proves nothing.
	Note string
}

// Claim returns whose registration a payload is, of a source with a name; mail is the channel
// through which answers go, or "". The error is intake.ErrReferenceInvalid or
// intake.ErrReferenceProgram for a reference that does not count, else one of the directory.
func (m Mapping) Claim(ctx context.Context, d Directory, doc any, source, mail string) (Claim, error) {
	c := Claim{Partner: m.Partner, Sender: intake.Sender{
		Address: cmp.Or(m.SubmitterEmail.First(doc), source), Name: m.SubmitterName.First(doc),
		Strength: intake.StrengthUnverified, How: "sent by " + source,
	}}
	if m.Partner != "" {
		c.Sender.Strength, c.Sender.How = intake.StrengthVerified, "sent by "+source+", which is the partner's"
	} else if value := m.PartnerPointer.First(doc); value != "" {
		n, err := d.Named(ctx, value, cmp.Or(m.Program, m.ProgramPointer.First(doc)))
		if err != nil {
			return Claim{}, err
		}
		c.Partner, c.Case = n.Partner, n.Case
		switch {
		case n.Signed && n.Partner != "":
			c.Sender.Strength, c.Sender.How = intake.StrengthVerified, "a reference signed by us, sent by "+source
		case n.Partner != "":
			c.Note = fmt.Sprintf("the form says that it is of partner %s, which anybody can write there", n.Partner)
		default:
			c.Note = "the form names a partner that is none of ours"
		}
	}
	if mail == "" {
		return c, nil
	}
	to, err := d.AnswerTo(ctx, c.Partner, m.SubmitterEmail.First(doc), c.Sender.Strength)
	if to != "" {
		c.Reply = intake.Route{Channel: mail, Address: to}
	}
	return c, err
}

// Put sets what the claim says in a submission that registers something. Who knows a case may
// be anybody whom the partner has sent on; that is no proof for another registration.
func (c Claim) Put(s *intake.Submission) {
	s.Sender, s.Reply, s.Note = c.Sender, c.Reply, c.Note
	switch {
	case c.Case != "":
		s.Sender.Strength, s.Reply = intake.StrengthUnverified, intake.Route{}
		s.Note = "the form refers to case " + c.Case + ", which proves nothing for another one"
	case c.Sender.Strength.Proven():
		s.Partner = c.Partner
	}
}
