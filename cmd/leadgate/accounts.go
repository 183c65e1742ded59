package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/directory"
	"leadgate/intake"
)

func accountsCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "accounts", Short: "Keep the lists of companies: customers, blocked ones, groups, other domains"}
	p.flags(cmd)
	l := accounts()
	cmd.AddCommand(l.importCommand(&p), l.exportCommand(&p), accountsList(&p), l.showCommand(&p, "DOMAIN",
		func(ctx context.Context, c *admin.Client, domain string) (intake.Account, error) {
			return c.Account(ctx, domain)
		}), accountsConfirm(&p), accountsRemove(&p))
	return cmd
}

func accounts() listed[intake.Account] {
	return listed[intake.Account]{
		List: directory.Accounts, help: directory.AccountsHelp,
		wholeFlag: "replace", wholeHelp: "the file is all there is: remove other accounts, and what it does not say of its own",
		all:    func(ctx context.Context, c *admin.Client) ([]intake.Account, error) { return c.Accounts(ctx) },
		finder: accountsByDomain, ends: "remove", ended: accountsEnded,
		check: func(ctx context.Context, c *admin.Client, all []intake.Account, whole bool) ([]intake.Account, []intake.EntryFault, error) {
			return c.CheckAccounts(ctx, intake.AccountList{Accounts: all, Whole: whole})
		},
		put: func(ctx context.Context, c *admin.Client, all []intake.Account, whole bool) error {
			return c.PutAccounts(ctx, intake.AccountList{Accounts: all, Whole: whole})
		},
	}
}

func accountsByDomain(p *place, stored []intake.Account) (func(string) (intake.Account, bool), error) {
	ids, err := p.lists()
	if err != nil {
		return nil, err
	}
	return byID(stored, func(a intake.Account) string { return a.Domain }, func(written string) string {
		d, err := ids.Domain(written)
		if err != nil {
			return "" // the gateway will say so
		}
		return d.Key
	}), nil
}

// accountsEnded counts the accounts that a list does not have, and those that there were.
func accountsEnded(stored, clean []intake.Account) (gone, of int) {
	stays := make(map[string]bool)
	for _, a := range clean {
		stays[a.Domain] = true
	}
	for _, a := range stored {
		if !stays[a.Domain] {
			gone++
		}
	}
	return gone, len(stored)
}

func accountsList(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.Accounts(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "DOMAIN\tNAME\tALIASES\tPARENT\tINCUMBENT\tSTANDING")
				for _, a := range all {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Domain, a.Name, strings.Join(a.Aliases, " "), a.Parent, a.Incumbent, standing(a))
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

// standing says in a word or two what keeps an account from being registered.
func standing(a intake.Account) string {
	var words []string
	if a.Blocked != "" {
		words = append(words, "blocked: "+a.Blocked)
	}
	if a.Customer {
		words = append(words, "customer")
	}
	return strings.Join(words, ", ")
}

func accountsConfirm(p *place) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "confirm-renewal DOMAIN",
		Short: "Note that the contract of a customer goes on, as the partner who serves it has said",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				a, err := c.ConfirmRenewal(cmd.Context(), args[0], by)
				if err != nil {
					return accounts().unknown(args[0], err)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: the renewal of %s is confirmed\n", a.Domain, a.Renewal.UTC().Format(time.DateOnly))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", whoami(), "who notes it, for the record")
	return cmd
}

func accountsRemove(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "remove DOMAIN",
		Short: "Take an account from the lists",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				if err := c.RemoveAccount(cmd.Context(), args[0]); err != nil {
					return accounts().unknown(args[0], err)
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s removed\n", args[0])
				return err
			})
		},
	}
}
