package admin

import (
	"context"
	"errors"
	"net/http"

	"leadgate/intake"
)

// CRMRequest says which CRM something is about, all if it is "".
type CRMRequest struct {
	CRM string `json:"crm,omitempty"`
	// Dry has nothing made; Case is the one to compare; Cases are those to write again, all of which
	// something was given up with All.
	Dry   bool     `json:"dry,omitempty"`
	Case  string   `json:"case,omitempty"`
	Cases []string `json:"cases,omitempty"`
	All   bool     `json:"all,omitempty"`
}

// crm serves the connections to the CRMs.
func (b Backend) crm(handle func(string, func(*http.Request) (any, error))) {
	handle("GET /v1/crm", func(r *http.Request) (any, error) { return b.Gateway.CRMs(r.Context()) })
	for verb, act := range map[string]func(context.Context, CRMRequest) (any, error){
		"verify": func(ctx context.Context, q CRMRequest) (any, error) { return b.Gateway.VerifyCRM(ctx, q.CRM) },
		"setup": func(ctx context.Context, q CRMRequest) (any, error) {
			made, err := b.Gateway.PrepareCRM(ctx, q.CRM, q.Dry)
			return made, plainly(err)
		},
		"diff": func(ctx context.Context, q CRMRequest) (any, error) {
			found, err := b.Gateway.CompareCase(ctx, q.Case, q.CRM)
			return found, plainly(err)
		},
		"drift": func(ctx context.Context, q CRMRequest) (any, error) {
			found, err := b.Gateway.Drift(ctx, q.CRM)
			return found, plainly(err)
		},
		"replay": func(ctx context.Context, q CRMRequest) (any, error) {
			if !q.All && len(q.Cases) == 0 {
				return nil, &intake.ErrInput{Problem: "which cases?"}
			}
			return b.Gateway.Replay(ctx, q.CRM, q.Cases)
		},
	} {
		handle("POST /v1/crm/"+verb, func(r *http.Request) (any, error) {
			var q CRMRequest
			if err := read(r, &q); err != nil {
				return nil, err
			}
			return act(r.Context(), q)
		})
	}
}

// plainly has what a CRM answers told as it is: whoever asks is there to mend it.
func plainly(err error) error {
	var input *intake.ErrInput
	if err == nil || errors.As(err, &input) || errors.Is(err, intake.ErrNotFound) {
		return err
	}
	return &intake.ErrInput{Problem: err.Error()}
}

// CRMs tells how the connections to the CRMs are.
func (c *Client) CRMs(ctx context.Context) (all []intake.CRMStatus, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/crm", nil, &all)
	return all, err
}

// VerifyCRM tells what CRMs miss.
func (c *Client) VerifyCRM(ctx context.Context, name string) (all []intake.CRMVerified, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/crm/verify", CRMRequest{CRM: name}, &all)
	return all, err
}

// PrepareCRM makes what a CRM misses; dry makes nothing.
func (c *Client) PrepareCRM(ctx context.Context, name string, dry bool) (made []string, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/crm/setup", CRMRequest{CRM: name, Dry: dry}, &made)
	return made, err
}

// CompareCase tells what a push of a case would change.
func (c *Client) CompareCase(ctx context.Context, number, crm string) (all []intake.CRMDrift, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/crm/diff", CRMRequest{CRM: crm, Case: number}, &all)
	return all, err
}

// Drift tells where CRMs differ from the cases.
func (c *Client) Drift(ctx context.Context, crm string) (all []intake.CRMDrift, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/crm/drift", CRMRequest{CRM: crm}, &all)
	return all, err
}

// Replay has cases written again; all of which something was given up if there are none.
func (c *Client) Replay(ctx context.Context, crm string, cases []string) (all []intake.Replayed, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/crm/replay", CRMRequest{CRM: crm, Cases: cases, All: len(cases) == 0}, &all)
	return all, err
}
