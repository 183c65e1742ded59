package admin

import (
	"context"
	"net/http"

	"leadgate/intake"
)

// handleAudit serves what proves the store.
func (b Backend) handleAudit(handle func(string, func(*http.Request) (any, error))) {
	handle("POST /v1/audit/verify", func(r *http.Request) (any, error) { return b.Audit(r.Context()) })
	handle("POST /v1/audit/checkpoint", func(r *http.Request) (any, error) { return b.Gateway.Checkpoint(r.Context()) })
}

// Audit has the gateway check its store; what is wrong with it is no error.
func (c *Client) Audit(ctx context.Context) (report intake.AuditReport, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/audit/verify", nil, &report)
	return report, err
}

// Checkpoint has the gateway make a checkpoint now.
func (c *Client) Checkpoint(ctx context.Context) (res intake.Checkpointed, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/audit/checkpoint", nil, &res)
	return res, err
}
