package main

import (
	"encoding/json"
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

func casesCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "cases", Short: "List, read and decide cases"}
	p.flags(cmd)
	cmd.AddCommand(casesList(&p), casesShow(&p), casesSet(&p), casesRead(&p), casesRetry(&p), casesUnlink(&p))
	for _, d := range caseDecisions() {
		cmd.AddCommand(d.command(&p))
	}
	return cmd
}

func casesList(p *place) *cobra.Command {
	var q intake.CaseQuery
	var asJSON, requests bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List cases, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("status") && !slices.Contains(intake.Statuses(), q.Status) {
				return fmt.Errorf("--status %q: want one of %v", q.Status, intake.Statuses())
			}
			if q.Limit < 0 {
				return fmt.Errorf("--limit %d: must not be negative", q.Limit)
			}
			limit := q.Limit
			if requests {
				q.Limit = 0 // of those that are left, not of those that are read
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				cases, err := c.Cases(cmd.Context(), q)
				if err != nil {
					return err
				}
				if requests {
					cases = asking(cases, limit)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), cases)
				}
				return printCases(cmd.OutOrStdout(), cases)
			})
		},
	}
	cmd.Flags().StringVar((*string)(&q.Status), "status", "", "only cases in this state")
	cmd.Flags().StringVar(&q.Partner, "partner", "", "only cases of the partner with this id")
	cmd.Flags().IntVar(&q.Limit, "limit", 0, "at most so many; 0 for all")
	cmd.Flags().BoolVar(&requests, "requests", false, "only cases whose partner asked for more time, or appealed, and nobody has acted on it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

// asking returns the cases with a request that is open, limit of them at most if that is not 0.
func asking(cases []admin.CaseSummary, limit int) []admin.CaseSummary {
	cases = slices.DeleteFunc(cases, func(c admin.CaseSummary) bool { return len(c.Requests) == 0 })
	if limit > 0 && len(cases) > limit {
		cases = cases[:limit]
	}
	return cases
}

// asks says what a partner asks for: ", asks to extend and appeal".
func asks(requests []intake.Verb) string {
	var words []string
	for _, v := range requests {
		words = append(words, string(v))
	}
	return strings.Join(words, " and ")
}

func printCases(w io.Writer, cases []admin.CaseSummary) error {
	if len(cases) == 0 {
		_, err := fmt.Fprintln(w, "no cases")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CASE\tSTATUS\tCOMPANY\tDOMAIN\tPARTNER\tCLAIM")
	for _, c := range cases {
		status := string(c.Status)
		if c.Reason != "" {
			status += " (" + string(c.Reason) + ")"
		}
		if len(c.Requests) > 0 {
			status += ", asks to " + asks(c.Requests)
		}
		if c.Unread > 0 {
			status += fmt.Sprintf(", %d unread", c.Unread)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", c.CaseNumber, status,
			orDash(c.CompanyName), orDash(c.CompanyDomain), orDash(c.Partner), c.ClaimTime.Local().Format("2006-01-02 15:04:05"))
	}
	return t.Flush()
}

func casesShow(p *place) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show CASE",
		Short: "Tell the whole story of a case",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				d, err := c.Case(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), d)
				}
				return printDossier(cmd.OutOrStdout(), d)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object")
	return cmd
}

// casesRead marks a case as seen to: what was asked for was settled in another way.
func casesRead(p *place) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use:   "read CASE",
		Short: "Note that what is unread of a case, and what was asked for, is seen to; nobody is told",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				s, err := c.Decide(cmd.Context(), "read", args[0], d)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "nothing is unread of %s\n", s.CaseNumber)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who has read it, for the record")
	return cmd
}

func casesRetry(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "retry CASE",
		Short: "Take up answers and pushes that were given up, after what was wrong is mended",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				n, err := c.Retry(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s taken up again\n", counted(n, "task"))
				return err
			})
		},
	}
}

func printDossier(w io.Writer, d intake.Dossier) error {
	r := d.Registration
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	row := func(label, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", label, value)
		}
	}
	row("Case", r.Number)
	row("Status", string(r.Status))
	row("Reason", string(r.Reason))
	row("Partner", fmt.Sprintf("%s (%s)", orDash(d.Partner.Name), orDash(r.Partner)))
	row("Submitted by", fmt.Sprintf("%s, %s", r.Contact, r.Strength))
	row("Claim", moment(r.Claim))
	if r.Unread > 0 {
		row("Unread", counted(r.Unread, "message")+" of the partner, below")
	}
	if len(r.Requests) > 0 {
		row("Open request", fmt.Sprintf("the partner asks to %s", asks(r.Requests)))
	}
	row("Decision due", moment(r.DecisionDue))
	if r.Status == intake.StatusLocked {
		row("Protected", "without an end for now")
	} else {
		row("Protected until", moment(r.Protection.End))
	}
	row("Merged into", r.MergedInto)
	row("Policy", r.Policy)
	for name, ref := range r.CRM {
		where := ref.ID + " " + ref.URL
		if ref.Gone {
			where = ref.ID + " was deleted there; leadgate crm replay " + r.Number + " makes it again"
		}
		row("CRM "+name, where)
	}
	if d := r.Deal; d != (intake.Deal{}) {
		row("Sales stage", d.Stage)
		row("Sales owner", strings.TrimSpace(d.Owner+" "+angled(d.OwnerEmail)))
		row("Amount", d.Amount)
		row("Expected close", d.Close)
		row("Next step", d.NextStep)
	}
	row("Rationale", r.Rationale)
	row("Question", r.Question)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nWhat was understood")
	for _, f := range intake.Fields() {
		if v := r.Lead[f]; v != "" {
			row("  "+string(f), strings.ReplaceAll(v, "\n", " / "))
		}
	}
	for _, problem := range r.Problems {
		row("  "+string(problem.Field), "– "+problem.Code+" "+problem.Message)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nSubmissions")
	for i, s := range d.Submissions {
		row(fmt.Sprintf("  %d", i+1), fmt.Sprintf("%s  %s by %s (%s)", moment(s.ReceivedAt), s.Channel, s.Sender.Address, s.Sender.How))
		row("", s.Subject)
		if s.Note != "" {
			row("", "  ("+s.Note+")")
		}
		for line := range strings.Lines(s.Text) {
			row("", "  | "+strings.TrimSpace(line))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nHistory")
	for _, e := range d.Events {
		row(fmt.Sprintf("  %d", e.N), fmt.Sprintf("%s  %s", moment(e.At), describe(e)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if d.Chain != "" {
		fmt.Fprintln(w, "  THE HISTORY IS DAMAGED:", d.Chain)
	} else {
		fmt.Fprintln(w, "  The chain of hashes is whole.")
	}
	if len(d.Tasks) > 0 {
		fmt.Fprintln(w, "\nStill to do")
	}
	for _, task := range d.Tasks {
		state := "due " + moment(task.Due)
		if task.Parked {
			state = "given up"
		}
		row("  "+task.Key, fmt.Sprintf("%s, attempt %d %s", state, task.Attempts, task.Cause))
	}
	return t.Flush()
}

// angled is an address as it stands behind a name.
func angled(address string) string {
	if address == "" {
		return ""
	}
	return "<" + address + ">"
}

func describe(e intake.Event) string {
	s := string(e.Kind)
	if e.To != "" {
		s += fmt.Sprintf(" %s → %s", orDash(string(e.From)), e.To)
	}
	s += " by " + e.Actor
	if e.Reason != "" {
		s += ", " + string(e.Reason)
	}
	if note := strings.TrimRight(e.Note, "; "); note != "" {
		s += ": " + note
	}
	for _, f := range e.Findings {
		s += fmt.Sprintf("\n\t  %s: %s %s %s", f.Rule, f.Outcome, f.Reason, f.Evidence)
	}
	return s
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
