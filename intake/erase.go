package intake

import (
	"bytes"
	"context"
	"fmt"
)

// Erase removes what a case says of people, and with it what it says at all: the lead, the
// words it was read from, the addresses, the submissions and the inputs of its judgements. The
// events stay, which hold codes and no personal data, so that the history can still be proven.
// Systems of record are pushed the empty case.
func (g *Gateway) Erase(ctx context.Context, number string, v Verdict) (Registration, error) {
	if v.Rationale == "" {
		return Registration{}, &ErrInput{"an erasure needs a rationale, such as who asked for it; it can't be undone"}
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		e.Trigger = TriggerErase
		for n := 1; n <= r.Submissions; n++ {
			if err := c.forget(submissionKey(r, n)); err != nil {
				return err
			}
		}
		if err := c.forgetJudgements(r); err != nil {
			return err
		}
		if err := c.forgetMessages(r); err != nil {
			return err
		}
		if domain := r.Lead[FieldCompanyDomain]; domain != "" {
			if err := c.forgetPast(r.Partner+"/"+domain, r.Number); err != nil {
				return err
			}
		}
		if err := c.remembersWinner(r, StatusErased); err != nil {
			return err
		}
		if err := c.unawait(r); err != nil {
			return err
		}
		whole := *r
		r.Lead, r.Evidence, r.Unclear, r.Identity = Lead{}, nil, nil, nil
		r.Contact, r.Reply, r.Reference, r.Problems, r.Question = "", Route{}, "", nil, ""
		r.Findings, r.PartnerNote, r.Rationale, r.Revoking, r.Scope = nil, "", "", Revoking{}, ""
		r.Deal = Deal{}
		r.Submissions = 0
		c.passing = true
		err := c.move(r, StatusErased, e)
		c.passing = false
		if err != nil {
			return err
		}
		if err := c.push(r); err != nil {
			return err
		}
		if !whole.Status.Claims() {
			return nil
		}
		return c.release(&whole)
	})
}

// forgetMessages takes back what is still to be sent about r, and forgets to whom anything was.
func (c *change) forgetMessages(r *Registration) error {
	queues := []string{r.Number}
	p, err := partner(c, r.Partner)
	if err := ignoreNotFound(err); err != nil {
		return err
	}
	for _, s := range c.g.people {
		queues = append(queues, staffQueue(s.Email))
	}
	for _, to := range []Contact{p.Manager, p.Executive, c.g.policy.Contact()} {
		queues = append(queues, staffQueue(to.Email))
	}
	for _, queue := range queues {
		open, err := c.Open(queue)
		if err != nil {
			return err
		}
		for _, t := range open {
			if queue != r.Number && !bytes.Contains(t.Payload, []byte(r.Number)) {
				continue
			}
			if err := c.Cancel(t.Key); err != nil {
				return err
			}
		}
	}
	sent, err := c.ScanRecords(spaceSentTo, r.Number+".", "", maxForgotten)
	if err != nil {
		return err
	}
	for _, e := range sent {
		if err := c.DeleteRecord(spaceSentTo, e.Key); err != nil {
			return err
		}
	}
	return nil
}

// maxForgotten is more than any case has messages.
const maxForgotten = 10_000

func (c *change) forgetPast(key, number string) error {
	var p Past
	if err := getJSON(c, spacePast, key, &p); err != nil || p.Number != number {
		return ignoreNotFound(err)
	}
	return c.DeleteRecord(spacePast, key)
}

// forget removes a submission and its payload, which may tell of others too.
func (c *change) forget(key string) error {
	var s Submission
	if err := getJSON(c, spaceSubmission, key, &s); err != nil {
		return ignoreNotFound(err)
	}
	if id, ok := importOf(s.Batch.ID); ok {
		if err := c.forgetFile(id); err != nil {
			return err
		}
	}
	for part := 0; int64(part)*rawPart < s.Raw.Size; part++ {
		if err := c.DeleteRecord(spaceRaw, rawKey(s.Raw.SHA256, part)); err != nil {
			return err
		}
	}
	return c.DeleteRecord(spaceSubmission, key)
}

func (c *change) forgetJudgements(r *Registration) error {
	entries, err := c.ScanRecords(spaceJudgement, fmt.Sprintf("%016x/", r.Seq), "", maxRivals)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := c.DeleteRecord(spaceJudgement, e.Key); err != nil {
			return err
		}
	}
	return nil
}
