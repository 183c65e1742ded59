package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

func inboxCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "inbox", Short: "See to what came in and is no registration by itself"}
	p.flags(cmd)
	cmd.AddCommand(inboxList(&p), inboxShow(&p), inboxAccept(&p), inboxDiscard(&p), inboxSuppressed(&p), inboxAllow(&p))
	return cmd
}

// waiting is an entry of the inbox: what was set aside, or a case in quarantine.
type waiting struct {
	ID       string    `json:"id"`
	Reason   string    `json:"reason"`
	Received time.Time `json:"received_at"`
	From     string    `json:"from"`
	Subject  string    `json:"subject,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	// Company is what a quarantined case is about.
	Company string         `json:"company,omitempty"`
	Closed  *intake.Closed `json:"closed,omitempty"`
}

func inboxList(p *place) *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what waits for a person: mail that was set aside, and registrations whose sender is not proven",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				asides, err := c.Inbox(cmd.Context(), all)
				if err != nil {
					return err
				}
				cases, err := c.Cases(cmd.Context(), intake.CaseQuery{Status: intake.StatusQuarantined})
				if err != nil {
					return err
				}
				list := entries(asides, cases)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), list)
				}
				return printInbox(cmd.OutOrStdout(), list)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	cmd.Flags().BoolVar(&all, "all", false, "also what was seen to")
	return cmd
}

// entries is all that waits, in the order in which it came.
func entries(asides []intake.Aside, cases []admin.CaseSummary) []waiting {
	list := []waiting{}
	for _, c := range cases {
		list = append(list, waiting{
			ID: c.CaseNumber, Reason: string(c.Reason), Received: c.ClaimTime, From: c.Submitter,
			Company: strings.TrimSpace(c.CompanyName + " " + c.CompanyDomain),
		})
	}
	for _, a := range asides {
		e := waiting{ID: a.ID, Reason: string(a.Reason), Received: a.ReceivedAt, From: a.From, Subject: a.Subject, Detail: a.Detail}
		if !a.Closed.At.IsZero() {
			e.Closed = &a.Closed
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b waiting) int { return a.Received.Compare(b.Received) })
	return list
}

func printInbox(w io.Writer, list []waiting) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "nothing waits")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tREASON\tRECEIVED\tFROM\tABOUT")
	for _, e := range list {
		reason, about := e.Reason, e.Subject
		if e.Closed != nil {
			reason += ", seen to by " + e.Closed.By
		}
		if about == "" {
			about = e.Company
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", e.ID, reason, moment(e.Received), orDash(e.From), orDash(about))
	}
	return t.Flush()
}

// isCase tells the number of a case from the id of what was set aside.
func isCase(id string) bool { return strings.Contains(id, "-") }

func inboxShow(p *place) *cobra.Command {
	var raw, asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show an entry of the inbox",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				if isCase(args[0]) {
					d, err := c.Case(cmd.Context(), args[0])
					if err != nil {
						return err
					}
					return printDossier(cmd.OutOrStdout(), d)
				}
				if raw {
					return noEntry(args[0], c.RawAside(cmd.Context(), args[0], cmd.OutOrStdout()))
				}
				a, err := c.Aside(cmd.Context(), args[0])
				if err != nil {
					return noEntry(args[0], err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), a)
				}
				return printAside(cmd.OutOrStdout(), a)
			})
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print the mail as it came")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return cmd
}

func printAside(w io.Writer, a intake.Aside) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", label, value)
		}
	}
	row("ID", a.ID)
	row("Set aside as", string(a.Reason))
	row("Because", a.Detail)
	row("From", a.From)
	row("Subject", a.Subject)
	row("Received", moment(a.ReceivedAt))
	row("Sender told", string(a.Notice))
	row("Size", fmt.Sprintf("%d bytes", a.Raw.Size))
	if d := a.Delivery; d != nil {
		row("Reports on", strings.TrimSpace(fmt.Sprintf("%s to %s %s %s", orDash(d.Message), orDash(d.Recipient), d.Status, d.Detail)))
	}
	if !a.Closed.At.IsZero() {
		row("Seen to", fmt.Sprintf("by %s, %s %s", a.Closed.By, moment(a.Closed.At), a.Closed.Case))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe mail itself: leadgate inbox show %s --raw\nHow it is read:  … --raw | leadgate mail explain -\n", a.ID)
	return err
}

func inboxAccept(p *place) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use:   "accept ID",
		Short: "Vouch for an entry: it is registered for the partner of its sender, or for --partner",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				if isCase(args[0]) {
					s, err := c.Decide(cmd.Context(), "assign", args[0], d)
					if err != nil {
						return noEntry(args[0], err)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s is now %s\n", s.CaseNumber, s.Status)
					return tellRoute(cmd.Context(), c, cmd.OutOrStdout(), s.CaseNumber)
				}
				receipts, err := c.SeeTo(cmd.Context(), "accept", args[0], d)
				if err != nil {
					return noEntry(args[0], err)
				}
				for _, r := range receipts {
					fmt.Fprintf(cmd.OutOrStdout(), "accepted as %s\n", r.Case)
					if err := tellRoute(cmd.Context(), c, cmd.OutOrStdout(), r.Case); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&d.Partner, "partner", "", "id of the partner, if the sender's address does not tell")
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who vouches for it, for the record")
	return cmd
}

// noEntry says what to do about an id that nothing has.
func noEntry(id string, err error) error {
	if errors.Is(err, intake.ErrNotFound) {
		return fmt.Errorf("there is no entry %s; see leadgate inbox list", id)
	}
	return err
}

// tellRoute says where the answers about a case go if that is not where its partner is: who
// vouches for it should know.
func tellRoute(ctx context.Context, c *admin.Client, w io.Writer, number string) error {
	d, err := c.Case(ctx, number)
	if err != nil {
		return err
	}
	to := d.Registration.Reply.Address
	switch {
	case to == "":
		_, err = fmt.Fprintf(w, "nobody is answered: there is no address to answer to\n")
	case !isOf(to, d.Partner):
		_, err = fmt.Fprintf(w, "answers go to %s, which is not at a domain of %s\n", to, orDash(d.Partner.Name))
	}
	return err
}

// isOf reports whether an address is at a domain of a partner, or that of a contact.
func isOf(address string, p intake.Partner) bool {
	_, host, _ := strings.Cut(strings.ToLower(address), "@")
	return slices.Contains(p.Domains, host) ||
		slices.ContainsFunc(p.Contacts, func(c intake.Contact) bool { return strings.EqualFold(c.Email, address) })
}

func inboxDiscard(p *place) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use:   "discard ID…",
		Short: "Mark entries as seen to; they are kept, and nobody is told",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				for _, id := range args {
					var err error
					if isCase(id) {
						_, err = c.Decide(cmd.Context(), "dismiss", id, d)
					} else {
						_, err = c.SeeTo(cmd.Context(), "discard", id, d)
					}
					if errors.Is(err, intake.ErrNotFound) {
						return noEntry(id, err)
					}
					if err != nil {
						return fmt.Errorf("%s: %w", id, err)
					}
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d discarded\n", len(args))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who discards them, for the record")
	return cmd
}

func inboxSuppressed(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "suppressed",
		Short: "List the addresses to which nothing is sent since they complained",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.Suppressions(cmd.Context())
				if err != nil {
					return err
				}
				for _, s := range all {
					fmt.Fprintf(cmd.OutOrStdout(), "%s  since %s, complaint %s\n", s.Address, moment(s.At), s.Aside)
				}
				return nil
			})
		},
	}
}

func inboxAllow(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "allow ADDRESS",
		Short: "Send to a suppressed address again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error { return c.Allow(cmd.Context(), args[0]) })
		},
	}
}
