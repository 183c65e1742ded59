package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

func conflictsCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "conflicts", Short: "See to disputes about one account"}
	p.flags(cmd)
	cmd.AddCommand(
		conflictsList(&p), conflictsShow(&p),
		conflictsSettle(&p, "acknowledge", "Say that you look into it; the partners are told that their claims are being checked", nil),
		conflictsSettle(&p, "plan", "Say how it is to be solved, for the record", rationaleFlag),
		conflictsSettle(&p, "evidence", "Add something to the timeline", evidenceFlags),
		conflictsSettle(&p, "resolve", "End it: the winner gets the account or keeps it, the others are declined", func(cmd *cobra.Command, d *admin.Decision) {
			rationaleFlag(cmd, d)
			cmd.Flags().StringVar(&d.Winner, "winner", "", "the case that gets the account; left out, nothing is decided but that there is no conflict")
		}),
	)
	return cmd
}

func rationaleFlag(cmd *cobra.Command, d *admin.Decision) {
	cmd.Flags().StringVar(&d.Rationale, "rationale", "", "why, for the record; partners never see it")
}

func evidenceFlags(cmd *cobra.Command, d *admin.Decision) {
	d.Evidence = new(intake.Evidence)
	cmd.Flags().StringVar((*string)(&d.Evidence.Kind), "kind", string(intake.EvidenceWords), "claim, intro, meeting, deal, customer_letter or words")
	cmd.Flags().StringVar(&d.Evidence.Case, "case", "", "for which case it speaks")
	cmd.Flags().StringVar(&d.Evidence.Words, "words", "", "what it says")
	cmd.Flags().Var(&timeFlag{&d.Evidence.At}, "at", "of when it is, like 2026-12-01T10:00:00+01:00; now if left out")
}

func conflictsList(p *place) *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List conflicts that are open", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				found, err := c.Conflicts(cmd.Context(), all)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), found)
				}
				return printConflicts(cmd.OutOrStdout(), found)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that were resolved too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

func printConflicts(w io.Writer, found []intake.Conflict) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "no conflicts")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CONFLICT\tTYPE\tACCOUNT\tCASES\tNEXT")
	for _, k := range found {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Type, k.Account, strings.Join(k.Cases, " "), nextOf(k))
	}
	return t.Flush()
}

// nextOf says what a conflict waits for.
func nextOf(k intake.Conflict) string {
	switch {
	case !k.Resolved.IsZero():
		return fmt.Sprintf("resolved by %s", k.By)
	case k.Proposed.By != "":
		return fmt.Sprintf("%s proposes %s; another person has to confirm", k.Proposed.By, k.Proposed.Winner)
	case k.Acknowledged.IsZero():
		return "acknowledge by " + moment(k.Acknowledge)
	case k.Planned.IsZero():
		return "plan by " + moment(k.Plan)
	}
	return "resolve"
}

func conflictsShow(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show CONFLICT", Short: "Tell what speaks for whom", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				k, err := c.Conflict(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), k)
				}
				return printConflict(cmd.OutOrStdout(), k, sides(cmd.Context(), c, k))
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return cmd
}

// sides are the cases of a conflict, in its order. One that can't be read is told by its number.
func sides(ctx context.Context, c *admin.Client, k intake.Conflict) []intake.Dossier {
	var all []intake.Dossier
	for _, number := range k.Cases {
		d, err := c.Case(ctx, number)
		if err != nil {
			d = intake.Dossier{Registration: intake.Registration{Number: number}}
		}
		all = append(all, d)
	}
	return all
}

// orderReason is by what the first comes first, as the rules said when they last looked.
func orderReason(sides []intake.Dossier) string {
	var said string
	var at time.Time
	for _, d := range sides {
		r := d.Registration
		for _, f := range r.Findings {
			_, order, found := strings.Cut(f.Evidence, "in the order of the hierarchy: ")
			if _, why, also := strings.Cut(order, "; "); found && also && !r.Updated.Before(at) {
				said, at = why, r.Updated
			}
		}
	}
	return said
}

func printConflict(w io.Writer, k intake.Conflict, sides []intake.Dossier) error {
	if err := printConflicts(w, []intake.Conflict{k}); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nBy the published order")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for i, d := range sides {
		r := d.Registration
		partner := orDash(d.Partner.Name)
		if r.Partner != "" {
			partner += " (" + r.Partner + ")"
		}
		fmt.Fprintf(t, "  %d. %s\t%s\t%s\t%s\n", i+1, r.Number, partner, orDash(cmp.Or(r.Lead[intake.FieldCompanyName], r.Lead[intake.FieldCompanyDomain])), orDash(string(r.Status)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if why := orderReason(sides); why != "" {
		fmt.Fprintln(w, "  because", why)
	}
	if k.Solution != "" {
		fmt.Fprintln(w, "\nPlan:", k.Solution)
	}
	if k.Rationale != "" {
		fmt.Fprintln(w, "\nRationale:", k.Rationale)
	}
	if k.Proposed.By != "" {
		fmt.Fprintf(w, "\nProposed by %s: %s goes on. %s\n", k.Proposed.By, orDash(k.Proposed.Winner), k.Proposed.Why)
	}
	fmt.Fprintln(w, "\nTimeline")
	for _, e := range k.Evidence {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", moment(e.At), orDash(e.Case), e.Kind, e.Words)
	}
	return t.Flush()
}

func conflictsSettle(p *place, verb, short string, more func(*cobra.Command, *admin.Decision)) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use: verb + " CONFLICT", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if d.Evidence != nil && d.Evidence.At.IsZero() {
				d.Evidence.At = time.Now()
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				k, err := c.Settle(cmd.Context(), verb, args[0], d)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", k.ID, nextOf(k))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who does it, for the record")
	if more != nil {
		more(cmd, &d)
	}
	return cmd
}
