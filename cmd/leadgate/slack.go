package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"leadgate/channels/slackbot"
)

// verifyPatience is how long all that is asked may take.
const verifyPatience = 2 * time.Minute

func verifySlackCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "slack --config FILE",
		Short: "Look at the tokens, the scopes and the address of the app in Slack, and say what to mend",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(file)
			if err != nil {
				return err
			}
			if !cfg.Slack.Enabled {
				return errors.New("slack.enabled is false: there is nothing to look at")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), verifyPatience)
			defer cancel()
			wrong := 0
			for _, c := range slackbot.Verify(ctx, cfg.Slack, cfg.Pages.URL, nil) {
				if c.OK() {
					fmt.Fprintln(cmd.OutOrStdout(), "ok     ", c.What)
					continue
				}
				wrong++
				fmt.Fprintf(cmd.OutOrStdout(), "to mend %s: %s\n", c.What, c.Mend)
			}
			if wrong > 0 {
				return fmt.Errorf("slack: %d to mend", wrong)
			}
			return nil
		},
	}
	requireConfig(cmd, &file)
	return cmd
}
