package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

// decision is a command of staff about one case.
type decision struct {
	verb, short string
	// speaks says that a message can go to the partner: it is the question of ask, and a word to
	// go with the decision otherwise.
	speaks bool
	// why is what the rationale is for; "" if there is none.
	why string
	// more adds flags of its own, each of which puts something into the decision.
	more func(*cobra.Command, *admin.Decision)
	// args are what comes after the case, and parse reads it.
	args  string
	parse func([]string, *admin.Decision) error
}

func caseDecisions() []decision {
	const record = "why, for the record; partners never see it"
	return []decision{
		{verb: "approve", short: "Approve a case: its account is held for the partner", speaks: true, why: "why, for the record, if the policy advises against it"},
		{verb: "decline", short: "Decline a case", speaks: true, why: record, more: reasonFlag(intake.ReasonNotEligible)},
		{verb: "ask", short: "Ask the partner something; the case waits for the answer", speaks: true},
		{verb: "waitlist", short: "Put a case on the waiting list of its account", speaks: true},
		{verb: "extend", short: "Move the end of a hold, within the bounds of the policy", speaks: true, more: func(cmd *cobra.Command, d *admin.Decision) {
			cmd.Flags().IntVar(&d.Days, "days", 0, "by how many calendar days")
		}},
		{verb: "refuse-extension", short: "Answer a request for more time with no", speaks: true},
		{verb: "progress", short: "Note a next step of the partner: the hold gets its whole window, or no end after a first meeting", more: stepFlags},
		{verb: "release", short: "Free an account whose partner does nothing", speaks: true, why: record},
		{verb: "revoke", short: "Take a hold back for a cause; another person has to do the same", speaks: true, why: record, more: reasonFlag(intake.ReasonRevoked)},
		{verb: "withdraw", short: "End a case for its partner, who asked for it in another way"},
		{verb: "close", short: "Note that the deal was won or lost, or is open again", args: "won|lost|open", parse: func(args []string, d *admin.Decision) error {
			if !slices.Contains([]string{intake.DealWon, intake.DealLost, intake.DealOpen}, args[0]) {
				return fmt.Errorf("%q is none of won, lost, open", args[0])
			}
			d.Deal = args[0]
			return nil
		}},
		{verb: "elevate", short: "Make a deal of a lead that is held; it keeps the lead's claim time", args: "[FIELD=VALUE…]", parse: parseFields},
		{verb: "attribute", short: "Say who gets which part of the credit", args: "PARTNER=sourced:70 PARTNER=influenced:30 …", parse: parseParts},
		{verb: "acknowledge-appeal", short: "Say that you look into an appeal; who decided the case can't"},
		{verb: "reopen", short: "Put a case under appeal before staff again, as if it had not been decided", speaks: true},
		{verb: "recheck", short: "Judge a case that waits again, by what is known now"},
		{verb: "assign", short: "Name the partner of a quarantined case and start its checks; says where the answers go", more: partnerFlag},
		{verb: "reassign", short: "Give a case to another partner, who goes on with it where it stands", more: partnerFlag},
		{verb: "erase", short: "Remove all that a case says of people; it can't be undone", why: "who asked for it, for the record"},
	}
}

func reasonFlag(usual intake.Reason) func(*cobra.Command, *admin.Decision) {
	return func(cmd *cobra.Command, d *admin.Decision) {
		var all []string
		for _, r := range intake.DeclineReasons() {
			all = append(all, string(r))
		}
		cmd.Long = cmd.Short + ".\n\nThe reasons are:\n  " + strings.Join(all, "\n  ")
		cmd.Flags().StringVar((*string)(&d.Reason), "reason", string(usual), "one of those above")
	}
}

func partnerFlag(cmd *cobra.Command, d *admin.Decision) {
	cmd.Flags().StringVar(&d.Partner, "partner", "", "id of the partner")
}

func stepFlags(cmd *cobra.Command, d *admin.Decision) {
	d.Step = &admin.Step{Kind: intake.EvidenceMeeting}
	cmd.Flags().StringVar((*string)(&d.Step.Kind), "step", string(intake.EvidenceMeeting), "intro or meeting")
	cmd.Flags().Var(&timeFlag{&d.Step.At}, "at", "when it was or will be, like 2026-12-01T10:00:00+01:00; now if left out")
	cmd.Flags().BoolVar(&d.Step.Held, "held", false, "the meeting took place")
	cmd.Flags().StringVar(&d.Step.Source, "source", "", "how it is known, for the record")
}

// timeFlag reads a moment as in RFC 3339.
type timeFlag struct{ t *time.Time }

func (f *timeFlag) String() string { return "" }
func (f *timeFlag) Type() string   { return "time" }
func (f *timeFlag) Set(s string) error {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("%q is not a time like 2026-12-01T10:00:00+01:00", s)
	}
	*f.t = t
	return nil
}

// parseFields reads FIELD=VALUE.
func parseFields(args []string, d *admin.Decision) error {
	d.Fields = make(intake.Lead)
	for _, arg := range args {
		field, value, found := strings.Cut(arg, "=")
		if !found || !slices.Contains(intake.Fields(), intake.Field(field)) {
			return fmt.Errorf("%q is not FIELD=VALUE with one of the fields %v", arg, intake.Fields())
		}
		d.Fields[intake.Field(field)] = value
	}
	return nil
}

// parseParts reads PARTNER=ROLE:PERCENT.
func parseParts(args []string, d *admin.Decision) error {
	for _, arg := range args {
		partner, part, _ := strings.Cut(arg, "=")
		role, percent, found := strings.Cut(part, ":")
		n, err := strconv.Atoi(percent)
		if !found || err != nil {
			return fmt.Errorf("%q is not like alpha=sourced:70", arg)
		}
		d.Parts = append(d.Parts, intake.Attribution{Partner: partner, Role: role, Percent: n})
	}
	return nil
}

func (k decision) command(p *place) *cobra.Command {
	var d admin.Decision
	var asJSON bool
	cmd := &cobra.Command{
		Use:   strings.TrimSpace(k.verb + " CASE " + k.args),
		Short: k.short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if k.parse != nil {
				if err := k.parse(args[1:], &d); err != nil {
					return err
				}
			}
			if d.Step != nil && d.Step.At.IsZero() {
				d.Step.At = time.Now()
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				s, err := c.Decide(cmd.Context(), k.verb, args[0], d)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), s)
				}
				return printDecided(cmd.OutOrStdout(), s)
			})
		},
	}
	switch {
	case strings.HasPrefix(k.args, "["):
		cmd.Args = cobra.MinimumNArgs(1)
	case k.args != "":
		cmd.Args = cobra.MinimumNArgs(2)
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who decides, for the record")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the case as an object")
	if k.speaks {
		cmd.Flags().StringVar(&d.Message, "message", "", "what to say to the partner")
	}
	if k.why != "" {
		cmd.Flags().StringVar(&d.Rationale, "rationale", "", k.why)
	}
	if k.more != nil {
		k.more(cmd, &d)
	}
	return cmd
}

func printDecided(w io.Writer, s admin.CaseSummary) error {
	until := ""
	switch {
	case s.Status == intake.StatusLocked:
		until = ", without an end for now"
	case s.ProtectedTo != nil:
		until = " until " + s.ProtectedTo.Format(time.RFC3339)
	}
	if s.Pending != "" {
		until += "; " + s.Pending
	}
	if s.Answers != "" {
		until += "; " + s.Answers
	}
	_, err := fmt.Fprintf(w, "%s is now %s%s\n", s.CaseNumber, s.Status, until)
	return err
}

// casesSet changes fields of a case: cases set CASE company_domain=acme.example consent=yes.
func casesSet(p *place) *cobra.Command {
	var d admin.Decision
	cmd := &cobra.Command{
		Use:   "set CASE FIELD=VALUE…",
		Short: "Put what you know in the place of what the partner wrote; a case that waited for it goes on",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := parseFields(args[1:], &d); err != nil {
				return err
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				s, err := c.Decide(cmd.Context(), "amend", args[0], d)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is now %s\n", s.CaseNumber, s.Status)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&d.By, "by", whoami(), "who changes it, for the record")
	return cmd
}
