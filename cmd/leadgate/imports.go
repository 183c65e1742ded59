package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

func importsCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "imports", Short: "List, cancel and resume imports of lists, and get their results"}
	p.flags(cmd)
	cmd.AddCommand(importsList(&p), importsShow(&p), importsCancel(&p), importsResume(&p), importsResult(&p))
	return cmd
}

func importsList(p *place) *cobra.Command {
	var q intake.ImportQuery
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List imports of lists, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.State != "" && !slices.Contains(intake.ImportStates(), q.State) {
				return fmt.Errorf("--state %q: want one of %v", q.State, intake.ImportStates())
			}
			if q.Limit < 0 {
				return fmt.Errorf("--limit %d: must not be negative", q.Limit)
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := c.Imports(cmd.Context(), q)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				return printImports(cmd.OutOrStdout(), all)
			})
		},
	}
	cmd.Flags().StringVar(&q.Partner, "partner", "", "only those of this partner: id, code or domain")
	cmd.Flags().StringVar((*string)(&q.State), "state", "", "only those in this state")
	cmd.Flags().IntVar(&q.Limit, "limit", 0, "at most so many; 0 for all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

// fileName is how the list of an import is called, as far as that is still known.
func fileName(im intake.Import) string {
	if !im.Erased.IsZero() {
		return "(erased)"
	}
	return listName(im.Name)
}

func printImports(w io.Writer, all []intake.Import) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "no imports")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "IMPORT\tSTATE\tPARTNER\tFILE\tROWS\tACCEPTED\tMERGED\tQUESTION\tREJECTED\tRECEIVED")
	for _, im := range all {
		n := im.Counts
		rows := fmt.Sprint(n.Rows)
		if left := im.Left(); left > 0 {
			rows += fmt.Sprintf(" of %d", im.Total)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", im.ID, im.State, im.Partner, fileName(im), rows,
			n.Accepted, n.Merged, n.NeedsInfo, n.Rejected, moment(im.ReceivedAt))
	}
	return t.Flush()
}

func importsShow(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Tell how far an import is, and the first faults; with --json what became of each row",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				im, err := c.Import(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return report{asJSON: asJSON}.print(cmd, c, im)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object")
	return cmd
}

func importsCancel(p *place) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Take no more rows of an import in; what was taken in stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				im, err := c.TurnImport(cmd.Context(), "cancel", args[0], by)
				if err != nil {
					return err
				}
				if im.State != intake.ImportCancelled {
					return fmt.Errorf("import %s is %s already", im.ID, im.State)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "import %s is cancelled by %s behind %s\n", im.ID, im.By, counted(im.Counts.Rows, "row"))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", whoami(), "who cancels it, for the record")
	return cmd
}

func importsResume(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "resume ID",
		Short: "Go on with an import that was cancelled, failed or stopped, and wait for its end",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				im, err := c.TurnImport(cmd.Context(), "resume", args[0], whoami())
				if err != nil {
					return err
				}
				return followed(cmd, c, im, report{asJSON: asJSON})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object, with what became of each row as results")
	return cmd
}

func importsResult(p *place) *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "result ID [-o FILE]",
		Short: "Write the list with what became of each row; it can be corrected and imported again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := resultFormat(format, file)
			if err != nil {
				return err
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				im, err := c.Import(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				get := func(w io.Writer) error { return c.ImportResult(cmd.Context(), im.ID, format, w) }
				if file != "" && file != "-" {
					return writeWhole(file, get)
				}
				workbook := format == "xlsx" || format == "" && strings.HasSuffix(strings.ToLower(im.Name), ".xlsx")
				if w := cmd.OutOrStdout(); !workbook || !isTerminal(w) {
					return get(w)
				}
				return fmt.Errorf("%s is a workbook, which no terminal shows; give -o FILE, or --format csv", im.Name)
			})
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "write it to this file; to the standard output if left out")
	cmd.Flags().StringVar(&format, "format", "", "csv or xlsx; by the name of the file, or as the list, if left out")
	return cmd
}
