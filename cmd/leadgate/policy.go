package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Test the rules, and see what they decided and why"}
	cmd.AddCommand(policyTest(), policyExplain(), policyBacktest())
	return cmd
}

// readPolicy reads a policy whose faults are told with the file's name.
func readPolicy(file string, ids *identity.Lists) (rules.Spec, error) {
	spec, err := config.LoadPolicy(file, ids)
	if err != nil {
		return spec, &configError{file: file, err: err}
	}
	return spec, nil
}

func policyTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE",
		Short: "Judge the examples of a policy file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := identity.Default()
			spec, err := readPolicy(args[0], ids)
			if err != nil {
				return err
			}
			p, err := rules.New(spec, ids)
			if err != nil {
				return err
			}
			results := p.Test()
			for _, r := range results {
				fmt.Fprintln(cmd.OutOrStdout(), "ok  ", r)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d examples, all as expected; policy %s\n", p.Version(), len(results), short(p.Hash()))
			return nil
		},
	}
}

// replayed is a judgement beside what the same policy says of it now.
type replayed struct {
	intake.Judgement
	Version string          `json:"policy_version"`
	Again   intake.Decision `json:"again"`
	Same    bool            `json:"same"`
}

func policyExplain() *cobra.Command {
	var p place
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain CASE",
		Short: "Show every verdict on a case, and make it again from what it was made of",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				ids, err := p.lists()
				if err != nil {
					return err
				}
				if _, err := c.Case(cmd.Context(), args[0]); err != nil { // without a case it would be all of them
					return err
				}
				found, err := c.Judgements(cmd.Context(), intake.JudgementQuery{Case: args[0]})
				if err != nil {
					return err
				}
				all := []replayed{}
				for _, j := range found {
					again, err := replay(cmd.Context(), c, j, ids)
					if err != nil {
						return err
					}
					all = append(all, again)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), all)
				}
				return printReplayed(cmd.OutOrStdout(), args[0], all)
			})
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects, with the whole input")
	return cmd
}

func replay(ctx context.Context, c *admin.Client, j intake.Judgement, ids *identity.Lists) (replayed, error) {
	source, err := c.PolicySource(ctx, j.Policy)
	if err != nil {
		return replayed{}, fmt.Errorf("policy %s: %w", short(j.Policy), err)
	}
	p, err := rules.Read(source, ids)
	if err != nil {
		return replayed{}, err
	}
	again := p.Judge(j.At, j.Input)
	return replayed{Judgement: j, Version: p.Version(), Again: again, Same: same(again, j.Verdict)}, nil
}

// same compares verdicts with all their findings; none and an empty list are the same.
func same(a, b intake.Decision) bool {
	norm := func(d intake.Decision) intake.Decision {
		if len(d.Findings) == 0 {
			d.Findings = nil
		}
		if len(d.Problems) == 0 {
			d.Problems = nil
		}
		return d
	}
	return reflect.DeepEqual(norm(a), norm(b))
}

func printReplayed(w io.Writer, number string, all []replayed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "%s was not judged yet\n", number)
		return err
	}
	for _, r := range all {
		fmt.Fprintf(w, "%s  %s  by policy %q (%s)\n", r.At.Format(time.RFC3339), verdictOf(r.Verdict), r.Version, short(r.Policy))
		tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		for _, f := range r.Verdict.Findings {
			fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", f.Rule, f.Outcome, f.Reason, f.Evidence)
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		words := "made again from what was known then: the same"
		if !r.Same {
			words = "made again from what was known then it is another: " + verdictOf(r.Again)
		}
		if _, err := fmt.Fprintln(w, "  "+words); err != nil {
			return err
		}
	}
	return nil
}

func verdictOf(d intake.Decision) string {
	return strings.TrimSuffix(fmt.Sprintf("%s (%s)", d.Outcome, d.Reason), " ()")
}

// changed is a past verdict that would be another one.
type changed struct {
	Case string          `json:"case"`
	At   time.Time       `json:"at"`
	Then intake.Decision `json:"then"`
	Now  intake.Decision `json:"now"`
	// Company is the prospect's name.
	Company string `json:"company"`
}

func policyBacktest() *cobra.Command {
	var p place
	var asJSON, ignore bool
	var last string
	cmd := &cobra.Command{
		Use:   "backtest FILE",
		Short: "List the past cases whose verdict another policy would change",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			span, err := days(last)
			if err != nil {
				return err
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				ids, err := p.lists()
				if err != nil {
					return err
				}
				spec, err := readPolicy(args[0], ids)
				if ignore {
					spec, err = withoutExamples(spec, err)
				}
				if err != nil {
					return err
				}
				candidate, err := rules.New(spec, ids)
				if err != nil {
					return err
				}
				past, err := c.Judgements(cmd.Context(), intake.JudgementQuery{Since: time.Now().Add(-span)})
				if err != nil {
					return err
				}
				list := backtest(candidate, past)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), list)
				}
				return printChanged(cmd.OutOrStdout(), list, len(past))
			})
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&last, "last", "90d", "how far to look back")
	cmd.Flags().BoolVar(&ignore, "ignore-examples", false, "try the policy although examples in its file fail")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an array of objects")
	return cmd
}

// withoutExamples is a policy that was read without its examples, if nothing but these is wrong
// with it.
func withoutExamples(spec rules.Spec, err error) (rules.Spec, error) {
	spec.Examples = nil
	var faults config.Faults
	if !errors.As(err, &faults) {
		return spec, err
	}
	other := func(f config.Fault) bool { return !strings.HasPrefix(f.Path, "examples") }
	if slices.ContainsFunc(faults, other) {
		return spec, err
	}
	return spec, nil
}

// backtest judges what was judged once more. Each is judged by what was known then: that an
// earlier one would have come out otherwise does not reach the later ones.
func backtest(p *rules.Policy, past []intake.Judgement) []changed {
	list := []changed{}
	for _, j := range past {
		now := p.Judge(j.At, j.Input)
		if now.Outcome != j.Verdict.Outcome || now.Reason != j.Verdict.Reason {
			list = append(list, changed{
				Case: j.Case, At: j.At, Then: j.Verdict, Now: now, Company: j.Input.Registration.Lead[intake.FieldCompanyName],
			})
		}
	}
	return list
}

func printChanged(w io.Writer, list []changed, of int) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(tw, "CASE\tJUDGED\tCOMPANY\tTHEN\tNOW")
	}
	for _, c := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", c.Case, c.At.Format(time.DateOnly), c.Company, verdictOf(c.Then), verdictOf(c.Now))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d verdicts would be others\n", len(list), of)
	return err
}

// days reads a span like 90d or 36h.
func days(s string) (time.Duration, error) {
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour}
	var n int
	if len(s) > 1 {
		if u, ok := unit[s[len(s)-1]]; ok {
			if _, err := fmt.Sscanf(s[:len(s)-1]+"\n", "%d\n", &n); err == nil && n > 0 && n <= 36500 {
				return time.Duration(n) * u, nil
			}
		}
	}
	return 0, fmt.Errorf("--last %q: want a span like 90d or 36h", s)
}

func short(hash string) string { return hash[:min(12, len(hash))] }
