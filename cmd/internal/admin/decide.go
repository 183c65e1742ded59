package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"leadgate/intake"
)

// decision is one thing that staff can do about a case.
type decision func(context.Context, *intake.Gateway, string, Decision) (intake.Registration, error)

// plain is a decision that takes no more than a verdict.
func plain(act func(*intake.Gateway, context.Context, string, intake.Verdict) (intake.Registration, error)) decision {
	return func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return act(g, ctx, number, d.verdict())
	}
}

// decisions are what staff can do about a case, by the word in the path.
var decisions = map[string]decision{
	"approve":  plain((*intake.Gateway).Approve),
	"decline":  plain((*intake.Gateway).Decline),
	"ask":      plain((*intake.Gateway).Ask),
	"waitlist": plain((*intake.Gateway).Waitlist),
	"amend": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Amend(ctx, number, d.Fields, d.verdict())
	},
	"assign": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Assign(ctx, number, d.Partner, d.verdict())
	},
	"reassign": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Reassign(ctx, number, d.Partner, d.verdict())
	},
	"extend": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Extend(ctx, number, d.Days, d.verdict())
	},
	"refuse-extension": plain((*intake.Gateway).RefuseExtension),
	"progress": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		if d.Step == nil {
			return intake.Registration{}, &intake.ErrInput{Problem: "which step?"}
		}
		return g.Progress(ctx, number, intake.Step{Kind: d.Step.Kind, At: d.Step.At, Held: d.Step.Held, Source: d.Step.Source}, d.verdict())
	},
	"release":  plain((*intake.Gateway).Release),
	"revoke":   plain((*intake.Gateway).Revoke),
	"withdraw": plain((*intake.Gateway).Withdraw),
	"close": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Close(ctx, number, d.Deal, d.verdict())
	},
	"elevate": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Elevate(ctx, number, d.Fields, d.verdict())
	},
	"attribute": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.Attribute(ctx, number, d.Parts, d.verdict())
	},
	"reopen":             plain((*intake.Gateway).Reopen),
	"recheck":            plain((*intake.Gateway).Recheck),
	"acknowledge-appeal": plain((*intake.Gateway).AcknowledgeAppeal),
	"erase":              plain((*intake.Gateway).Erase),
	"read":               plain((*intake.Gateway).Seen),
	"unlink": func(ctx context.Context, g *intake.Gateway, number string, d Decision) (intake.Registration, error) {
		return g.RevokeLinks(ctx, number, d.By)
	},
	"dismiss": plain((*intake.Gateway).Dismiss),
}

func (b Backend) decide(r *http.Request) (any, error) {
	var d Decision
	if err := read(r, &d); err != nil {
		return nil, err
	}
	verb, number := r.PathValue("verb"), r.PathValue("number")
	if verb == "retry" {
		n, err := b.Gateway.Retry(r.Context(), number)
		return RetryResult{Tasks: n}, err
	}
	act := decisions[verb]
	if act == nil {
		var known []string
		for name := range decisions {
			known = append(known, name)
		}
		slices.Sort(known)
		return nil, &intake.ErrInput{Problem: fmt.Sprintf("nothing is known of %q; known: %s", verb, strings.Join(known, ", "))}
	}
	reg, err := act(r.Context(), b.Gateway, number, d)
	if err != nil {
		return nil, err
	}
	s := summary(reg)
	if verb == "assign" || verb == "reassign" {
		s.Answers = answers(reg)
	}
	return s, nil
}

// settle works on a conflict.
func (b Backend) settle(r *http.Request) (any, error) {
	var d Decision
	if err := read(r, &d); err != nil {
		return nil, err
	}
	ctx, id := r.Context(), r.PathValue("id")
	switch verb := r.PathValue("verb"); verb {
	case "acknowledge":
		return b.Gateway.AcknowledgeConflict(ctx, id, d.verdict())
	case "plan":
		return b.Gateway.PlanConflict(ctx, id, d.verdict())
	case "evidence":
		if d.Evidence == nil {
			return nil, &intake.ErrInput{Problem: "which evidence?"}
		}
		return b.Gateway.AddEvidence(ctx, id, *d.Evidence, d.verdict())
	case "resolve":
		return b.Gateway.ResolveConflict(ctx, id, d.Winner, d.verdict())
	default:
		return nil, &intake.ErrInput{Problem: fmt.Sprintf("nothing is known of %q", verb)}
	}
}
