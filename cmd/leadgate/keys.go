package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

// partnersKeys keeps the keys under which programs of partners register.
func partnersKeys(p *place) *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make and revoke the API keys of partners' programs"}
	cmd.AddCommand(keysCreate(p), keysList(p), keysRevoke(p))
	group(cmd)
	return cmd
}

func keysCreate(p *place) *cobra.Command {
	var n admin.NewKey
	cmd := &cobra.Command{
		Use:   "create PARTNER --name NAME",
		Short: "Make a key and print it, this once: only its hash is kept",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				k, err := c.MintKey(cmd.Context(), partnerID(args[0]), n)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "key %s of %s, %s; it is shown this once:\n", k.ID, k.Partner, lastDay(k.APIKey))
				_, err = fmt.Fprintln(cmd.OutOrStdout(), k.Token)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "what the key is for, such as \"Alpha portal\"")
	cmd.Flags().StringVar(&n.Expires, "expires", "", "its last day, such as 2027-12-31; without one it has no end")
	cmd.Flags().StringVar(&n.By, "by", whoami(), "who makes it, for the record")
	return cmd
}

// lastDay says until when a key is good.
func lastDay(k intake.APIKey) string {
	if k.Expires.IsZero() {
		return "without end"
	}
	return "good until " + k.Expires.Format(time.DateTime) + " UTC"
}

func keysList(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [PARTNER]",
		Short: "List the keys, those that are no good any more included",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			partner := ""
			if len(args) > 0 {
				partner = partnerID(args[0])
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.Keys(cmd.Context(), partner)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "KEY\tPARTNER\tNAME\tSTATE\tLAST USED\tMADE")
				for _, k := range all {
					used := k.Used
					if used == "" {
						used = "never"
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s by %s\n", k.ID, k.Partner, k.Name, keyState(k, time.Now()), used,
						k.Created.Format(time.DateOnly), k.CreatedBy)
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

func keyState(k intake.APIKey, now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked " + k.Revoked.Format(time.DateOnly) + " by " + k.RevokedBy
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "expired"
	case !k.Expires.IsZero():
		return lastDay(k)
	}
	return "good"
}

func keysRevoke(p *place) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "revoke KEY",
		Short: "End a key at once, by its id",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				k, err := c.RevokeKey(cmd.Context(), args[0], by)
				if errors.Is(err, intake.ErrNotFound) {
					return fmt.Errorf("no key is %s; `leadgate partners keys list` shows them", args[0])
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s (%s, of %s) opens nothing any more\n", k.ID, k.Name, k.Partner)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", whoami(), "who revokes it, for the record")
	return cmd
}
