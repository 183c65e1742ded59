package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
)

func auditCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "audit", Short: "Prove that nothing was edited in the store"}
	p.flags(cmd)
	cmd.AddCommand(auditVerify(&p), auditCheckpoint(&p))
	return cmd
}

func auditVerify(p *place) *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check all cases, events and checkpoints against their hashes, signatures and the witness file",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := p.audit(cmd.Context(), file)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				err = printAudit(cmd.OutOrStdout(), report)
			}
			if n := len(report.Faults); err == nil && n > 0 {
				err = fmt.Errorf("%s found", counted(n, "fault"))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "store", "", "check this copy of the store, such as a backup, with the keys and the witness of the gateway")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return cmd
}

// audit checks a copy, or the store of the gateway: by the running one, or if none runs here.
// No policy is needed for it.
func (p *place) audit(ctx context.Context, file string) (report intake.AuditReport, err error) {
	cfg, err := p.find()
	if err != nil {
		return report, err
	}
	if file != "" {
		if file, err = filepath.Abs(file); err != nil {
			return report, err
		}
		return app.AuditFile(ctx, file, cfg.Data)
	}
	client, err := admin.Dial(filepath.Join(cfg.Data, app.SocketFile))
	switch {
	case err == nil:
		return client.Audit(ctx)
	case !errors.Is(err, admin.ErrNotRunning):
		return report, fmt.Errorf("gateway in %s: %w", cfg.Data, err)
	}
	return app.AuditFile(ctx, filepath.Join(cfg.Data, app.StoreFile), cfg.Data)
}

func printAudit(w io.Writer, r intake.AuditReport) error {
	for _, f := range r.Faults {
		fmt.Fprintln(w, "FAULT", f)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	fmt.Fprintf(w, "%s, %s, %s, %d of them in the witness\n",
		counted(r.Cases, "case"), counted(r.Events, "event"), counted(r.Checkpoints, "checkpoint"), r.Witnessed)
	if r.Unchecked > 0 {
		fmt.Fprintf(w, "%s not yet under a checkpoint\n", counted(r.Unchecked, "event"))
	}
	if len(r.Faults) > 0 {
		return nil
	}
	_, err := fmt.Fprintln(w, "nothing was edited, added or taken away")
	return err
}

func auditCheckpoint(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "checkpoint",
		Short: "Sign how far all cases have come, now and not within the minute",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				res, err := c.Checkpoint(cmd.Context())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "checkpoint %d, %s since the one before\n", res.Checkpoint, counted(res.Cases, "changed case"))
				return err
			})
		},
	}
}
