package main

import (
	"github.com/spf13/cobra"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "verify", Short: "Try the credentials of a chat program, and what they permit"}
	cmd.AddCommand(verifyTeamsCommand())
	return cmd
}
