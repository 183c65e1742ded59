package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
)

// Canary is a mail that a mailbox sends to itself, to see that the whole loop works: out
// by SMTP, through the mail servers, and in again.
type Canary struct {
	// Every is how often one is sent; none if 0.
	Every time.Duration `yaml:"every"`
}

const (
	canaryHeader = "X-Leadgate-Canary"
	// minOverdue is how long a canary may be under way at least: mail may take its time.
	minOverdue = 5 * time.Minute
	// maxWaiting is how many canaries that have not come are remembered.
	maxWaiting = 100
	// maxCanaryHeader is how much of a mail is searched for the header.
	maxCanaryHeader = 64 << 10
)

// canary sends canaries and waits for them. Its token is signed and says when it was sent:
// one that arrives is known even after a restart. A nil canary sends none and knows none.
type canary struct {
	every     time.Duration
	address   string
	mailbox   string
	domain    string
	key       []byte
	transport transport
	now       func() time.Time
	log       *slog.Logger

	mu sync.Mutex
	// waiting are when those were sent that have not come, oldest first. One that comes makes
	// earlier ones unimportant.
	waiting []time.Time
	sendErr error // why the last one could not be sent
	// newest is when the newest that came was sent, seen when it came.
	newest, seen time.Time
	latency      time.Duration
	junk         bool // it lay in the junk folder
}

// run sends canaries until ctx is done.
func (c *canary) run(ctx context.Context) error {
	if c.every == 0 {
		return nil
	}
	tick := time.NewTicker(c.every)
	defer tick.Stop()
	for {
		c.release(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// release sends one canary.
func (c *canary) release(ctx context.Context) {
	var before Health
	c.addTo(&before)
	at := c.now().Truncate(time.Millisecond) // as its token has it
	token := c.token(at)
	data, err := c.compose(token, at)
	if err == nil {
		err = c.transport.send(ctx, outgoing{id: "canary." + token, from: c.address, to: c.address, data: data})
	}
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	c.waiting = append(c.waiting, at)
	if len(c.waiting) > maxWaiting {
		c.waiting = slices.Delete(c.waiting, 1, 2) // not the oldest: it says since when
	}
	c.sendErr = err
	c.mu.Unlock()
	switch {
	case before.CanaryOverdue:
		c.log.Error("the mail loop is broken", "problem", before.Problem)
	case err != nil:
		c.log.Warn("canary not sent", "err", err)
	}
}

// token is "UNIXMILLI.MAC".
func (c *canary) token(at time.Time) string {
	when := strconv.FormatInt(at.UnixMilli(), 10)
	return when + "." + c.mac(when)
}

func (c *canary) mac(when string) string {
	h := hmac.New(sha256.New, c.key)
	h.Write([]byte("canary\x00" + c.mailbox + "\x00" + strings.ToLower(c.address) + "\x00" + when))
	return lowerBase32.EncodeToString(h.Sum(nil)[:20])
}

// sent returns when the canary with this token was sent; false if it is none of ours.
func (c *canary) sent(token string) (time.Time, bool) {
	when, mac, _ := strings.Cut(strings.TrimSpace(token), ".")
	at, err := strconv.ParseInt(when, 10, 64)
	if err != nil || !hmac.Equal([]byte(mac), []byte(c.mac(when))) {
		return time.Time{}, false
	}
	return time.UnixMilli(at), true
}

func (c *canary) compose(token string, at time.Time) ([]byte, error) {
	var h mail.Header
	self := []*mail.Address{{Address: c.address}}
	h.SetAddressList("From", self)
	h.SetAddressList("To", self)
	h.SetSubject("Leadgate canary")
	h.SetDate(at.UTC())
	h.SetMessageID("lgcanary." + token + "@" + c.domain)
	h.Set("Auto-Submitted", "auto-generated")
	h.Set("X-Auto-Response-Suppress", "All")
	h.Set(canaryHeader, token)
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	var b bytes.Buffer
	w, err := message.CreateWriter(&b, inOrder(h.Header))
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(w, "The gateway sends this mail to itself to see that mail goes out and comes in.\r\nIt may be deleted.\r\n")
	return b.Bytes(), errors.Join(err, w.Close())
}

// arrived reports whether a delivery is a canary of ours, and notes its arrival. It leaves
// the content at its beginning.
func (c *canary) arrived(d delivery) (bool, error) {
	if c == nil {
		return false, nil
	}
	head, err := io.ReadAll(io.LimitReader(d.content, maxCanaryHeader))
	if _, seekErr := d.content.Seek(0, io.SeekStart); err != nil || seekErr != nil {
		return false, errors.Join(err, seekErr)
	}
	if !bytes.Contains(head, []byte(canaryHeader+":")) {
		return false, nil
	}
	fields, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(head))).ReadMIMEHeader()
	if err != nil {
		return false, nil // whatever it is, we have not written it
	}
	at, ok := c.sent(fields.Get(canaryHeader))
	if !ok {
		return false, nil
	}
	c.note(at, d.junk)
	return true, nil
}

func (c *canary) note(sent time.Time, junk bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !sent.After(c.newest) {
		return // a repeat, or one that was overtaken
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(w time.Time) bool { return !w.After(sent) })
	now := c.now()
	c.newest, c.seen, c.latency, c.junk = sent, now, now.Sub(sent), junk
}

// addTo says how the loop is.
func (c *canary) addTo(h *Health) {
	if c == nil || c.every == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h.CanarySeen, h.CanaryLatency = c.seen, c.latency
	var under time.Duration
	if len(c.waiting) > 0 {
		under = c.now().Sub(c.waiting[0])
	}
	switch {
	case under > max(c.every, minOverdue):
		h.CanaryOverdue = true
		h.trouble("the mail loop is broken: " + c.missing(under))
	case c.junk:
		h.trouble("the mail loop works, but our own mail is taken for junk; answers to partners may be as well")
	}
}

func (c *canary) missing(under time.Duration) string {
	if c.sendErr != nil {
		return fmt.Sprintf("for %v no test mail could be sent to %s: %v", under.Round(time.Second), c.address, c.sendErr)
	}
	return fmt.Sprintf("a test mail that was sent to %s %v ago has not come back; look into the queue of the mail server and into its junk folder", c.address, under.Round(time.Second))
}
