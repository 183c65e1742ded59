package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/channels/mailbox"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
)

func mailCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "mail", Short: "Look at mails without taking them in"}
	var file string
	var asJSON bool
	explain := &cobra.Command{
		Use:   "explain FILE.eml",
		Short: `Tell what would be read out of a mail, and from which words ("-" reads standard input)`,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := openMail(cmd, args[0])
			if err != nil {
				return err
			}
			defer r.Close()
			box, reader, err := mailReader(file)
			if err != nil {
				return err
			}
			x, err := mailbox.Explain(r, box, reader)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), x)
			}
			return printExplanation(cmd.OutOrStdout(), x)
		},
	}
	explain.Flags().BoolVar(&asJSON, "json", false, "print one object")
	explain.Flags().StringVar(&file, "config", "", "configuration file (YAML), for the addresses and domains that are our own")
	cmd.AddCommand(explain)
	return cmd
}

func openMail(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	return os.Open(name)
}

// mailReader returns the reader of leads as the gateway of a configuration has it; without a
// configuration no domain is our own.
func mailReader(file string) (mailbox.Config, *extract.Extractor, error) {
	if file == "" {
		return mailbox.Config{}, extract.New(identity.Default(), extract.Options{}), nil
	}
	cfg, err := load(file)
	if err != nil {
		return mailbox.Config{}, nil, err
	}
	ids, err := cfg.Identity.Lists()
	if err != nil {
		return mailbox.Config{}, nil, err
	}
	policy, err := rules.New(cfg.Policy, ids)
	if err != nil {
		return mailbox.Config{}, nil, fmt.Errorf("policy: %w", err)
	}
	box := mailbox.Config{}
	for _, m := range cfg.Mailboxes {
		box.OwnAddresses = append(append(box.OwnAddresses, m.Address), m.OwnAddresses...)
		box.TreatAsHuman = append(box.TreatAsHuman, m.TreatAsHuman...)
	}
	return box, extract.New(ids, extract.Options{OwnDomain: policy.Owns, OwnNames: policy.OwnNames()}), nil
}

// printExplanation writes the class, the leads with the words of each value, and the new
// text.
func printExplanation(w io.Writer, x mailbox.Explanation) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "class: %s\n", x.Class)
	if x.SetAside != "" {
		fmt.Fprintf(t, "set aside: %s\n", x.SetAside)
	}
	if x.Unanswered != "" {
		fmt.Fprintf(t, "taken in: %s\n", x.Unanswered)
	}
	for i, l := range x.Leads {
		fmt.Fprintf(t, "\nLEAD %d\tVALUE\tSCORE\tMETHOD\tWORDS\n", i+1)
		for _, f := range intake.Fields() {
			e, ok := l.Evidence[f]
			if !ok {
				continue
			}
			fmt.Fprintf(t, "%s\t%s\t%.2f\t%s\t%q\n", f, oneLine(l.Fields()[f], 60), e.Score, e.Method, oneLine(e.Words, 80))
		}
	}
	for _, p := range x.Problems {
		fmt.Fprintf(t, "\nunclear: %s: %s\n", p.Field, p.Message)
	}
	for _, f := range x.Faults {
		fmt.Fprintf(t, "\nrow %d: %s\n", f.Row, f.Problem.Message)
	}
	for _, m := range x.Meetings {
		fmt.Fprintf(t, "\nmeeting: %s %s %s\n", m.Method, moment(m.Start), m.Title)
	}
	if x.Text != "" {
		fmt.Fprintf(t, "\nnew text:\n")
		for line := range strings.Lines(x.Text) {
			fmt.Fprintf(t, "  %s\n", strings.TrimRight(line, "\n"))
		}
	}
	fmt.Fprintf(t, "\ndictionary: %s\n", x.Dictionary)
	return t.Flush()
}

// oneLine shows the first n runes of s without line breaks.
func oneLine(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= n {
		return string(r)
	}
	return string(slices.Concat(r[:n-1], []rune{'…'}))
}
