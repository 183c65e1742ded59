package tryton

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Connector writes to one database of Tryton, and reads from it. It is safe for concurrent use and
// remembers nothing but its session and what seldom changes.
type Connector struct {
	config Config
	client *remote.Client
	door   *remote.Client // for logging in: it has no session and gets none

	current atomic.Pointer[session]
	locks   locks
	cache   cache
}

var (
	_ intake.CRM      = (*Connector)(nil)
	_ intake.Verifier = (*Connector)(nil)
	_ intake.Comparer = (*Connector)(nil)
)

// New returns the connector that c describes, or all faults of c. It connects to nothing.
func New(c Config) (*Connector, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("tryton %q: %w", c.Name, err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if c.WebURL == "" {
		c.WebURL = c.URL
	}
	t := &Connector{config: c}
	o := remote.Options{Base: c.URL, AllowPrivate: c.AllowPrivate, Timeout: c.Timeout, Fault: fault, Now: c.Now}
	t.door = remote.NewClient(o)
	o.Authorize, o.Renew = t.authorize, t.renew
	t.client = remote.NewClient(o)
	return t, nil
}

// Close drops idle connections. It never fails.
func (c *Connector) Close() error { return errors.Join(c.client.Close(), c.door.Close()) }

// Name is part of stored keys.
func (c *Connector) Name() string { return c.config.Name }

func (c *Connector) fail(operation, subject string, err error) error {
	return fmt.Errorf("%s: %s %s: %w", c.config.Name, operation, subject, err)
}

// Note adds a note to the case's opportunity. It begins with the number of the case and of the
// event, by which it is found again.
func (c *Connector) Note(ctx context.Context, _ intake.Ref, n intake.Note) error {
	number := n.Event.Case
	if err := c.note(ctx, number, n); err != nil {
		return c.fail("note", "case "+number, err)
	}
	return nil
}

func (c *Connector) note(ctx context.Context, number string, n intake.Note) error {
	unlock, err := c.locks.lock(ctx, number)
	if err != nil {
		return err
	}
	defer unlock()
	o, err := c.resolve(ctx, number)
	if err != nil {
		return err
	}
	if o == nil {
		return errors.New("its opportunity is not there yet, or was deleted")
	}
	mark := fmt.Sprintf("[%s #%d]", number, n.Event.N)
	have, err := c.notes(ctx, o.ID, mark)
	if err != nil || len(have) > 0 {
		return err
	}
	return c.call(ctx, nil, "ir.note.create", []values{{"resource": resource(o.ID), "message": mark + " " + noteText(n)}})
}

// noteText tells of an event in words for staff.
func noteText(n intake.Note) string {
	e := n.Event
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s", e.Kind, e.At.UTC().Format("2006-01-02 15:04 UTC"))
	if e.Actor != "" {
		fmt.Fprintf(&b, ", by %s", e.Actor)
	}
	if e.From != e.To {
		fmt.Fprintf(&b, "\n%s → %s", e.From, e.To)
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, "\nreason: %s", e.Reason)
	}
	if e.Note != "" {
		fmt.Fprintf(&b, "\n%s", e.Note)
	}
	if n.Text != "" {
		fmt.Fprintf(&b, "\nFrom: %s\nSubject: %s\n\n%s", n.From, n.Subject, n.Text)
	}
	return b.String()
}

// remark is a note of an opportunity.
type remark struct {
	ID       int    `json:"id"`
	Message  string `json:"message"`
	Resource string `json:"resource"`
	Stamp    string `json:"_timestamp"`
}

// notes returns the notes of an opportunity that begin with a mark, the oldest first.
func (c *Connector) notes(ctx context.Context, id int, mark string) (all []remark, err error) {
	err = c.call(ctx, &all, "ir.note.search_read",
		clause{clause{"resource", "=", resource(id)}, clause{"message", "like", mark + "%"}},
		0, 10, clause{clause{"id", "ASC"}}, []string{"message", "resource", "_timestamp"})
	return all, err
}

func resource(id int) string { return fmt.Sprintf("sale.opportunity,%d", id) }
