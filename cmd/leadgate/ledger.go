package main

import (
	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
)

func ledgerCommand() *cobra.Command {
	var p place
	var format string
	cmd := &cobra.Command{Use: "ledger", Short: "Read the embedded system of record"}
	p.flags(cmd)
	export := &cobra.Command{
		Use:   "export",
		Short: "Write all records and their history",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				return c.Ledger(cmd.Context(), format, cmd.OutOrStdout())
			})
		},
	}
	export.Flags().StringVar(&format, "format", "csv", "csv or json")
	cmd.AddCommand(export)
	return cmd
}
