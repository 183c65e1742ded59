package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

func crmCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "crm", Short: "See to the connections to CRMs"}
	p.flags(cmd)
	cmd.AddCommand(crmStatus(&p), crmVerify(&p), crmSetup(&p), crmDiff(&p), crmDrift(&p), crmReplay(&p))
	return cmd
}

func crmStatus(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Tell which CRMs work, what waits for them, and when they were read last", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.CRMs(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				return printCRMs(cmd.OutOrStdout(), all, c.IsLocal())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

func printCRMs(w io.Writer, all []intake.CRMStatus, stopped bool) error {
	if stopped {
		fmt.Fprintln(w, "The gateway does not run: whether a CRM works is not known.")
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no CRMs")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CRM\tSTATE\tWAITING\tGIVEN UP\tLAST READ\tVERIFIED")
	for _, s := range all {
		verified := "–"
		if s.Verifies {
			verified = "never"
			if !s.Verified.IsZero() {
				verified = moment(s.Verified)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\n", s.Name, stateOf(s, stopped), s.Queue, s.Parked, orDash(moment(s.Polled)), verified)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range all {
		if s.Problem == "" {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s\n", s.Name, s.Problem)
		if s.Down {
			fmt.Fprintf(w, "  Down since %s; the next call is made at %s. Nothing is lost meanwhile.\n", moment(s.Since), moment(s.Next))
		}
	}
	return nil
}

func stateOf(s intake.CRMStatus, stopped bool) string {
	switch {
	case stopped:
		return "–"
	case s.Down && s.Refused:
		return "refuses us"
	case s.Down:
		return "down"
	case s.Problem != "":
		return "can't be read"
	}
	return "works"
}

func crmVerify(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "verify [NAME]", Short: "Tell all that a CRM, or each of them, misses, and what mends it; nothing is written", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.VerifyCRM(cmd.Context(), first(args))
				if err != nil {
					return err
				}
				if asJSON {
					err = printJSON(cmd.OutOrStdout(), all)
				} else {
					printVerified(cmd.OutOrStdout(), all)
				}
				for _, v := range all {
					if err == nil && (len(v.Lacks) > 0 || v.Problem != "") {
						err = exitStatus(1)
					}
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

func printVerified(w io.Writer, all []intake.CRMVerified) {
	for _, v := range all {
		switch {
		case !v.Offered:
			fmt.Fprintf(w, "%s: there is nothing to verify\n", v.Name)
		case len(v.Lacks) == 0 && v.Problem == "":
			fmt.Fprintf(w, "%s: nothing is missing\n", v.Name)
		}
		if v.Problem != "" {
			fmt.Fprintf(w, "%s: could not be looked at: %s\n", v.Name, v.Problem)
		}
		setup := false
		for _, l := range v.Lacks {
			fmt.Fprintf(w, "%s: missing: %s\n    %s\n", v.Name, l.What, l.Mend)
			setup = setup || l.Setup
		}
		if setup {
			fmt.Fprintf(w, "%s: leadgate crm setup %s makes what can be made from here\n", v.Name, v.Name)
		}
	}
}

func crmSetup(p *place) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "setup NAME", Short: "Make what a CRM misses, as far as that can be done from here", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				made, err := c.PrepareCRM(cmd.Context(), args[0], dry)
				if err != nil {
					return err
				}
				for _, m := range made {
					if dry {
						m = "would make " + m
					}
					fmt.Fprintln(cmd.OutOrStdout(), m)
				}
				if len(made) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "there is nothing to make")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "make nothing, say what would be made")
	return cmd
}

func crmDiff(p *place) *cobra.Command {
	var crm string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff CASE", Short: "Tell what a push of a case would change there, what stays, and why", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.CompareCase(cmd.Context(), args[0], crm)
				if err != nil {
					return err
				}
				return printDrift(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	crmFlags(cmd, &crm, &asJSON)
	return cmd
}

func crmFlags(cmd *cobra.Command, crm *string, asJSON *bool) {
	cmd.Flags().StringVar(crm, "crm", "", "only in the CRM of this name")
	if asJSON != nil {
		cmd.Flags().BoolVar(asJSON, "json", false, "print an array of objects")
	}
}

func crmDrift(p *place) *cobra.Command {
	var crm string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "drift", Short: "Tell where the records of live cases differ from what is known here", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.Drift(cmd.Context(), crm)
				if err != nil {
					return err
				}
				return printDrift(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	crmFlags(cmd, &crm, &asJSON)
	return cmd
}

// printDrift ends with status 1 if a CRM could not be compared.
func printDrift(w io.Writer, all []intake.CRMDrift, asJSON bool) (err error) {
	if slices.ContainsFunc(all, func(d intake.CRMDrift) bool { return d.Problem != "" }) {
		err = exitStatus(1)
	}
	if asJSON {
		return cmp.Or(printJSON(w, all), err)
	}
	for _, d := range all {
		switch {
		case !d.Offered:
			fmt.Fprintf(w, "%s: can't be compared\n", d.Name)
		case d.Problem != "":
			fmt.Fprintf(w, "%s: could not be compared: %s\n", d.Name, d.Problem)
		case d.Absent:
			fmt.Fprintf(w, "%s: the case has no record there\n", d.Name)
		case len(d.Differences) == 0:
			fmt.Fprintf(w, "%s: nothing differs\n", d.Name)
		}
		for _, diff := range d.Differences {
			if d.Absent && diff.ID == "" { // is said
				continue
			}
			line := diff.String()
			if diff.Stays == "" && diff.ID != "" {
				line += "; a push mends it"
			}
			fmt.Fprintf(w, "%s: %s\n", d.Name, line)
		}
	}
	return err
}

func crmReplay(p *place) *cobra.Command {
	var crm string
	var all bool
	cmd := &cobra.Command{
		Use:   "replay [CASE…|--all]",
		Short: "Write again what was given up, after what was wrong is mended, and make records again that were deleted there",
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return errors.New("which cases? Name them, or give --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				done, err := c.Replay(cmd.Context(), crm, args)
				if err != nil {
					return err
				}
				for _, d := range done {
					what := counted(d.Tasks, "write") + " taken up again"
					if d.Anew {
						what = "the record is made again"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s in %s: %s\n", d.Case, d.CRM, what)
				}
				if len(done) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "nothing was given up")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all cases of which something was given up")
	crmFlags(cmd, &crm, nil)
	return cmd
}

// first is the first argument, "" if there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
