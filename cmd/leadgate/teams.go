package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"leadgate/channels/teamsbot"
	"leadgate/cmd/internal/config"
	app "leadgate/examples/teams"
)

func verifyTeamsCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "teams --config FILE",
		Short: "Look at the keys of Microsoft's service, the bot's credentials and its address, and say what to mend",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadTeams(file)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), verifyPatience)
			defer cancel()
			wrong := 0
			for _, c := range teamsbot.Verify(ctx, cfg.Teams, cfg.Pages.URL) {
				if c.Err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), "ok     ", c.What)
					continue
				}
				wrong++
				fmt.Fprintf(cmd.OutOrStdout(), "to mend %s: %v\n", c.What, c.Err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "The Azure Bot has to have this messaging endpoint; that can't be seen from here.")
			if wrong > 0 {
				return fmt.Errorf("teams: %d to mend", wrong)
			}
			return nil
		},
	}
	requireConfig(cmd, &file)
	return cmd
}

func loadTeams(file string) (config.Config, error) {
	cfg, err := load(file)
	if err == nil && !cfg.Teams.Enabled {
		err = errors.New("teams.enabled is false: there is no bot")
	}
	return cfg, err
}

func teamsAppCommand() *cobra.Command {
	var file, out string
	cmd := &cobra.Command{
		Use:   "teams-app --config FILE --out FILE.zip",
		Short: "Write the app package for Microsoft Teams, to be uploaded in its admin center",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadTeams(file)
			if err != nil {
				return err
			}
			v := app.Values{AppID: cfg.Teams.AppID, Program: cfg.Program, URL: cfg.Pages.URL}
			for _, l := range cfg.Pages.Brand.Links {
				if t := strings.ToLower(l.Text); strings.Contains(t, "privacy") || strings.Contains(t, "datenschutz") {
					v.Privacy = l.URL
				}
			}
			var b bytes.Buffer
			if err := app.Write(&b, v); err != nil {
				return err
			}
			if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: the app of bot %s\n", out, v.AppID)
			if v.Privacy == "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "The app has no notice of privacy, for which Microsoft asks: add a link called Privacy to pages.brand.links, and write it anew.")
			}
			return nil
		},
	}
	requireConfig(cmd, &file)
	cmd.Flags().StringVar(&out, "out", "teams-app.zip", "the package to write")
	return cmd
}
