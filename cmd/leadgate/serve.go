package main

import (
	"os"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/config"
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run the gateway until it is told to stop",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load(file)
			if err != nil {
				return err
			}
			a, err := openApp(cfg, cfg.Log.Logger(os.Stderr))
			if err != nil {
				return err
			}
			return a.Run(cmd.Context())
		},
	}
	requireConfig(cmd, &file)
	return cmd
}

func requireConfig(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "configuration file (YAML)")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // the flag was defined on the line above
	}
}

// load reads a configuration; its faults are told with the file's name.
func load(file string) (config.Config, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return config.Config{}, &configError{file: file, err: err}
	}
	return cfg, nil
}
