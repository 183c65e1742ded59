package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
)

func inboxCommand() *cobra.Command {
	var p place
	var asJSON bool
	cmd := &cobra.Command{Use: "inbox", Short: "Read what was set aside"}
	p.flags(cmd)
	list := &cobra.Command{
		Use:   "list",
		Short: "List what reached a channel and is no registration",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				asides, err := c.Inbox(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), asides)
				}
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tREASON\tRECEIVED\tFROM\tSUBJECT")
				for _, a := range asides {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", a.ID, a.Reason, moment(a.ReceivedAt), orDash(a.From), orDash(a.Subject))
				}
				return t.Flush()
			})
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	cmd.AddCommand(list)
	return cmd
}
