package meetings

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"leadgate/channels/payload"
	"leadgate/intake"
)

// store takes one submission of the form in, unless it is older than a time, and returns when it
// was sent in.
func (f *Form) store(ctx context.Context, sink intake.Sink, raw json.RawMessage, notBefore time.Time) (time.Time, error) {
	doc, err := payload.Parse(raw)
	if err != nil {
		return time.Time{}, f.aside(ctx, sink, raw, intake.AsideUnreadable, err.Error(), f.deps.Now())
	}
	at, ok := submitted(doc)
	if !ok {
		return time.Time{}, f.aside(ctx, sink, raw, intake.AsideUnreadable, "it does not say when it was sent in", f.deps.Now())
	}
	if !at.After(notBefore) {
		return at, nil
	}
	claimed := at // HubSpot's clock, which is the vendor's own; but not ahead of ours
	if now := f.deps.Now(); claimed.After(now) {
		claimed = now
	}
	claim, err := f.cfg.Claim(ctx, f.deps.Directory, doc, Channel+":"+f.cfg.Name, f.deps.Mail)
	if errors.Is(err, intake.ErrReferenceInvalid) || errors.Is(err, intake.ErrReferenceProgram) {
		return at, f.aside(ctx, sink, raw, intake.AsideAmbiguousFrom, err.Error(), claimed)
	}
	if err != nil {
		return at, fmt.Errorf("whose it is: %w", err)
	}
	s := intake.Submission{Key: f.key(doc, at), Channel: Channel, ReceivedAt: claimed, Text: strings.Join(f.cfg.Text.Texts(doc), "\n")}
	s.Lead, s.Evidence = f.cfg.Lead(doc)
	claim.Put(&s)
	if !payload.Says(s.Lead) {
		return at, f.aside(ctx, sink, raw, intake.AsideNoLead, "none of the fields that are mapped is in it", claimed)
	}
	if s.Raw, err = kept(ctx, sink, raw); err != nil {
		return at, err
	}
	_, err = sink.Accept(ctx, s)
	return at, err
}

// submitted is when HubSpot got it, in milliseconds since 1970.
func submitted(doc any) (time.Time, bool) {
	ms, err := strconv.ParseInt(payload.Pointers{"/submittedAt"}.First(doc), 10, 64)
	if err != nil || ms <= 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// key names a submission of the form: by its conversion, or by when and by whom it was sent in.
func (f *Form) key(doc any, at time.Time) string {
	id := payload.Pointers{"/conversionId"}.First(doc)
	if id == "" {
		id = strconv.FormatInt(at.UnixMilli(), 10) + " " + strings.ToLower(f.cfg.Fields[intake.FieldContactEmail].First(doc))
	}
	return Channel + ":" + f.cfg.Form + ":" + digest(id)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func kept(ctx context.Context, sink intake.Sink, raw []byte) (intake.Raw, error) {
	r, err := sink.Keep(ctx, bytes.NewReader(raw))
	r.Media = "application/json"
	return r, err
}

// aside leaves a submission to staff.
func (f *Form) aside(ctx context.Context, sink intake.Sink, raw []byte, why intake.AsideReason, detail string, at time.Time) error {
	r, err := kept(ctx, sink, raw)
	if err != nil {
		return err
	}
	_, err = sink.SetAside(ctx, intake.Aside{
		Key: Channel + ":" + f.cfg.Form + ":aside:" + digest(string(raw)), Channel: Channel, Reason: why,
		Detail: f.cfg.Name + ": " + detail, From: Channel + ":" + f.cfg.Name, ReceivedAt: at, Raw: r,
	})
	return err
}

// Forms are all forms together: one channel for what staff take in after all.
type Forms []*Form

var _ intake.Rereader = Forms(nil)

// Reply implements intake.Replier.
func (fs Forms) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	return nil, intake.Permanent(fmt.Errorf("message %s: nobody can be answered through a form", m.ID))
}

// Reread implements intake.Rereader: what was set aside is read as if the one whom staff name
// had sent it.
func (fs Forms) Reread(_ context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	for _, f := range fs {
		if !strings.HasPrefix(a.Key, Channel+":"+f.cfg.Form+":") {
			continue
		}
		b, err := io.ReadAll(io.LimitReader(raw, maxPage))
		if err != nil {
			return nil, err
		}
		doc, err := payload.Parse(b)
		if err != nil {
			return nil, &intake.ErrInput{Problem: "it can't be read: " + err.Error()}
		}
		s := intake.Submission{
			Key: a.Key + ":accepted", Channel: Channel, ReceivedAt: a.ReceivedAt, Raw: a.Raw,
			Sender: intake.Sender{Address: Channel + ":" + f.cfg.Name, Strength: intake.StrengthOperator, How: "staff vouch for it"},
		}
		s.Lead, s.Evidence = f.cfg.Lead(doc)
		return []intake.Submission{s}, nil
	}
	return nil, errors.New("the form is not read any more")
}
