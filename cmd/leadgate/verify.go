package main

import (
	"github.com/spf13/cobra"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "verify", Short: "Ask the other side whether a chat program is set up as it should be"}
	cmd.AddCommand(verifySlackCommand(), verifyTeamsCommand())
	return cmd
}
