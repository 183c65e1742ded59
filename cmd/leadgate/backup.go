package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
)

func backupCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a checked copy of the store, of a running gateway too",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				res, err := c.Backup(cmd.Context(), path)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes, checked\n", res.Path, res.Bytes)
				return err
			})
		},
	}
	p.flags(cmd)
	return cmd
}
