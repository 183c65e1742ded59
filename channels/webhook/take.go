package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"leadgate/channels/payload"
	"leadgate/intake"
)

// taking is one request on its way into the sink.
type taking struct {
	*source
	sink intake.Sink
	raw  intake.Raw
	now  time.Time
}

// element stores one payload.
func (t taking) element(ctx context.Context, doc any) (result, error) {
	if _, ok := doc.(map[string]any); !ok {
		return t.aside(ctx, t.event(doc).key, intake.AsideUnreadable, "an entry of the list is no object", "")
	}
	if !t.wanted(doc) {
		return result{Ignored: true}, nil
	}
	e := t.event(doc)
	claim, err := t.cfg.Claim(ctx, t.deps.Desk, doc, t.name(), t.deps.Mail)
	if errors.Is(err, intake.ErrReferenceInvalid) || errors.Is(err, intake.ErrReferenceProgram) {
		res, asideErr := t.aside(ctx, e.key, intake.AsideAmbiguousFrom, err.Error(), "")
		res.refused, res.Error = true, err.Error()
		return res, asideErr
	}
	if err != nil {
		return result{}, fmt.Errorf("whose it is: %w", err)
	}
	if m, ok := t.meeting(doc); ok {
		return t.booking(ctx, doc, e, claim, m)
	}
	s := t.registration(doc, e, claim)
	if !payload.Says(s.Lead) {
		return t.aside(ctx, e.key, intake.AsideNoLead, "none of the fields that are mapped is in it", s.Sender.Address)
	}
	return t.accept(ctx, s)
}

// wanted reports whether a payload passes the filter.
func (t taking) wanted(doc any) bool {
	for at, values := range t.cfg.Filter {
		if !slices.Contains(values, payload.Pointers{at}.First(doc)) {
			return false
		}
	}
	return true
}

// event is what a payload is known by.
type event struct {
	key     string
	content string // without a name of its own
}

// event names a payload: by its id or, if it has none, by all that it says. The second is the
// same for as long as intake remembers contents, so that the key only has to tell apart what
// comes after that.
func (t taking) event(doc any) event {
	if ids := t.cfg.ID.Texts(doc); len(ids) > 0 && len(ids) >= len(t.cfg.ID) {
		return event{key: t.name() + ":" + digest(append([]string{"id"}, ids...)...)}
	}
	text, err := json.Marshal(doc) // with its keys in order
	if err != nil {
		panic(err) // it was JSON
	}
	content := digest("content", t.cfg.Name, string(text))
	const span = 30 * 24 * time.Hour
	return event{key: fmt.Sprintf("%s:%s:%d", t.name(), content, t.now.UnixNano()/int64(span)), content: content}
}

// digest names a list of texts.
func digest(parts ...string) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err) // texts
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (t taking) name() string { return Channel + ":" + t.cfg.Name }

// registration is what a payload registers.
func (t taking) registration(doc any, e event, claim payload.Claim) intake.Submission {
	s := intake.Submission{
		Key: e.key, Content: e.content, Channel: Channel, ReceivedAt: t.now, Raw: t.raw,
		Text: strings.Join(t.cfg.Text.Texts(doc), "\n"),
	}
	s.Lead, s.Evidence = t.cfg.Lead(doc)
	claim.Put(&s)
	return s
}

func (t taking) accept(ctx context.Context, s intake.Submission) (result, error) {
	r, err := t.sink.Accept(ctx, s)
	if err != nil {
		return result{}, err
	}
	return resultOf(r), nil
}

func resultOf(r intake.Receipt) result {
	return result{Case: r.Case, Status: r.Status, Known: r.Known, Aside: r.Aside}
}

// aside leaves a payload to staff.
func (t taking) aside(ctx context.Context, id string, why intake.AsideReason, detail, from string) (result, error) {
	r, err := t.sink.SetAside(ctx, intake.Aside{
		Key: t.name() + ":aside:" + id, Channel: Channel, Reason: why, Detail: t.cfg.Name + ": " + detail,
		From: cmp.Or(from, t.name()), ReceivedAt: t.now, Raw: t.raw,
	})
	if err != nil {
		return result{}, err
	}
	return resultOf(r), nil
}

// Reread implements intake.Rereader: what was set aside is read as if the one whom staff name
// had sent it.
func (h *Hooks) Reread(_ context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	name, _, _ := strings.Cut(strings.TrimPrefix(a.Key, Channel+":"), ":")
	s := h.find(name)
	if s == nil {
		return nil, fmt.Errorf("there is no source %q any more", name)
	}
	body, err := io.ReadAll(io.LimitReader(raw, limitMaxBody))
	if err != nil {
		return nil, err
	}
	docs, err := s.elements(body)
	if err != nil {
		return nil, &intake.ErrInput{Problem: "it can't be read: " + err.Error()}
	}
	t := taking{source: s, raw: a.Raw, now: a.ReceivedAt}
	var all []intake.Submission
	for i, doc := range docs {
		lead, words := s.cfg.Lead(doc)
		if !t.wanted(doc) || !payload.Says(lead) {
			continue
		}
		all = append(all, intake.Submission{
			Key: fmt.Sprintf("%s:accepted:%d", a.Key, i), Channel: Channel, ReceivedAt: a.ReceivedAt, Raw: a.Raw,
			Sender: intake.Sender{Address: cmp.Or(s.cfg.SubmitterEmail.First(doc), t.name()), Strength: intake.StrengthOperator, How: "staff vouch for it"},
			Lead:   lead, Evidence: words,
		})
	}
	return all, nil
}
