package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/directory"
)

func partnersCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "partners", Short: "Keep the directory of partners"}
	p.flags(cmd)
	cmd.AddCommand(partnersImport(&p), partnersList(&p))
	return cmd
}

func partnersImport(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Add or replace partners, all or none",
		Long:  "Add or replace partners, all or none.\n\n" + directory.Help,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			partners, lines, err := directory.ReadLines(f)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				stored, err := c.PutPartners(cmd.Context(), partners)
				if err != nil {
					return fmt.Errorf("%s: nothing was imported:\n%s", args[0], byLine(err.Error(), lines))
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s imported\n", counted(len(stored), "partner"))
				return err
			})
		},
	}
}

// counted is a number with its noun, in the plural unless it is one.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ordinal is the place of a partner in a request, at the beginning of what the gateway says of it.
var ordinal = regexp.MustCompile(`(?m)^partner (\d+) \(`)

// byLine tells faults by the lines of the file, where the gateway counts partners.
func byLine(words string, lines []int) string {
	return ordinal.ReplaceAllStringFunc(words, func(s string) string {
		n, err := strconv.Atoi(ordinal.FindStringSubmatch(s)[1])
		if err != nil || n < 1 || n > len(lines) {
			return s
		}
		return fmt.Sprintf("line %d (", lines[n-1])
	})
}

func partnersList(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the partners",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				partners, err := c.Partners(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), partners)
				}
				t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				fmt.Fprintln(t, "ID\tNAME\tSTATUS\tMOTION\tDOMAINS\tCONTACTS")
				for _, p := range partners {
					var contacts []string
					for _, c := range p.Contacts {
						contacts = append(contacts, c.Email)
					}
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, p.Status, p.Motion,
						strings.Join(p.Domains, " "), strings.Join(contacts, " "))
				}
				return t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}
