package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
)

// casesUnlink ends the links to a case's page that its partner has; the next message has a
// new one.
func casesUnlink(p *place) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use:   "unlink CASE",
		Short: "Revoke the links to a case's status page that were sent so far; nobody is told",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				s, err := c.Decide(cmd.Context(), "unlink", args[0], d)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "the links to %s that were sent so far lead nowhere\n", s.CaseNumber)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who revokes them, for the record")
	return cmd
}
