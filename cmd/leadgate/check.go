package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/config"
	"leadgate/templates"
)

func checkCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Tell everything that is wrong with a configuration",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(file)
			if err != nil {
				return err
			}
			if _, err := templates.New(cfg.TemplateOptions()); err != nil {
				return &configError{file: file, err: fmt.Errorf("templates: %w", err)}
			}
			for _, w := range cfg.Warnings() {
				fmt.Fprintln(cmd.OutOrStdout(), "warning:", w)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: no faults found\n", file)
			return nil
		},
	}
	requireConfig(cmd, &file)
	return cmd
}

// configError lists the faults of a file, each on a line of its own.
type configError struct {
	file string
	err  error
}

func (e *configError) Error() string {
	var faults config.Faults
	if !errors.As(e.err, &faults) {
		var named *fs.PathError
		if errors.As(e.err, &named) && named.Path == e.file {
			return fmt.Sprintf("%s: %v", e.file, named.Err) // named once
		}
		return fmt.Sprintf("%s: %v", e.file, e.err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %d fault(s):", e.file, len(faults))
	for _, f := range faults {
		fmt.Fprintf(&b, "\n  %v", f)
	}
	return b.String()
}

func (e *configError) Unwrap() error { return e.err }
