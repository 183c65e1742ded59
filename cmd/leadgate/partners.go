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

func partnersCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "partners", Short: "Keep the directory of partners"}
	p.flags(cmd)
	l := partners()
	cmd.AddCommand(partnersKeys(&p), l.importCommand(&p), l.exportCommand(&p), partnersList(&p), l.showCommand(&p, "ID",
		func(ctx context.Context, c *admin.Client, id string) (intake.Partner, error) {
			return c.Partner(ctx, id)
		}), partnersLink(&p), partnersReference(&p))
	return cmd
}

func partners() listed[intake.Partner] {
	return listed[intake.Partner]{
		List: directory.Partners, help: directory.PartnersHelp,
		wholeFlag: "remove-missing", wholeHelp: "offboard the partners that are not in the file",
		all: func(ctx context.Context, c *admin.Client) ([]intake.Partner, error) { return c.Partners(ctx) },
		finder: func(_ *place, stored []intake.Partner) (func(string) (intake.Partner, bool), error) {
			return byID(stored, func(p intake.Partner) string { return p.ID }, partnerID), nil
		},
		missing: offboarded, ends: "offboard", ended: partnersEnded,
		check: func(ctx context.Context, c *admin.Client, all []intake.Partner, _ bool) ([]intake.Partner, []intake.EntryFault, error) {
			return c.CheckPartners(ctx, all)
		},
		put: func(ctx context.Context, c *admin.Client, all []intake.Partner, _ bool) error {
			_, err := c.PutPartners(ctx, all)
			return err
		},
	}
}

// partnerID reads an id as the gateway does.
func partnerID(written string) string { return strings.ToLower(strings.TrimSpace(written)) }

// offboarded adds the stored partners that a list does not have, as offboarded ones. Nobody
// is deleted, for cases name them.
func offboarded(listed, stored []intake.Partner) []intake.Partner {
	there := make(map[string]bool)
	for _, p := range listed {
		there[partnerID(p.ID)] = true
	}
	for _, p := range stored {
		if there[p.ID] {
			continue
		}
		if p.Status != intake.PartnerOffboarded {
			p.Status, p.StatusFrom = intake.PartnerOffboarded, time.Time{}
		}
		listed = append(listed, p)
	}
	return listed
}

// partnersEnded counts the partners whom a list offboards, and those who were not before.
func partnersEnded(stored, clean []intake.Partner) (gone, of int) {
	after := make(map[string]intake.PartnerStatus)
	for _, p := range clean {
		after[p.ID] = p.Status
	}
	for _, p := range stored {
		if p.Status == intake.PartnerOffboarded {
			continue
		}
		of++
		if after[p.ID] == intake.PartnerOffboarded {
			gone++
		}
	}
	return gone, of
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

// partnersLink prints a partner's own link to the form, or ends all of them.
func partnersLink(p *place) *cobra.Command {
	var revoke, embed, lists, asJSON bool
	cmd := &cobra.Command{
		Use:   "link ID",
		Short: "Print a partner's own link to the form, which proves who registers",
		Long: "Print a link to the form by which whoever has it registers for the partner, without a\n" +
			"confirmation by mail. It works for a year. Send it to the partner alone, and don't put it\n" +
			"into a page; if it got into other hands, end all links of the partner with --revoke and\n" +
			"send a new one. With --lists the link leads to the page where a list of prospects is\n" +
			"uploaded; the form leads there, too. With --embed the link is for the partner's own pages: the form can stand\n" +
			"there in a frame, names the partner, and proves nothing.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				id := partnerID(args[0])
				if revoke {
					if err := c.RevokeFormLinks(cmd.Context(), id); err != nil {
						return err
					}
					_, err := fmt.Fprintf(cmd.OutOrStdout(), "the links of %s to the form work no more\n", id)
					return err
				}
				purpose := intake.PurposeForm
				if embed {
					purpose = intake.PurposeEmbed
				}
				l, err := c.FormLink(cmd.Context(), id, purpose)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), l)
				}
				if lists {
					l.URL = l.Lists
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "works until %s\n", l.Expires.Format(time.DateOnly))
				_, err = fmt.Fprintln(cmd.OutOrStdout(), l.URL)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&revoke, "revoke", false, "end all links of the partner, those of --embed too")
	cmd.Flags().BoolVar(&embed, "embed", false, "print one for the partner's own pages, which proves nothing")
	cmd.Flags().BoolVar(&lists, "lists", false, "print the one to the page where lists of prospects are uploaded")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object, with both")
	cmd.MarkFlagsMutuallyExclusive("revoke", "embed", "lists")
	return cmd
}

func partnersReference(p *place) *cobra.Command {
	var program string
	cmd := &cobra.Command{
		Use:   "reference ID",
		Short: "Print a signed reference to a partner, for hidden fields of forms and booking pages",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				ref, err := c.PartnerReference(cmd.Context(), partnerID(args[0]), program)
				if err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), ref)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&program, "program", "", "the programme for whose forms it is; for all if left out")
	return cmd
}
