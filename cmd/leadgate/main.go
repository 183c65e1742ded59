// Leadgate is a no-login intake gateway for partner lead and deal registration.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // zones are known on machines without a database of them

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run())
}

// run returns the exit status: 0, 1 after an error that was printed, or what a command says of
// itself. The first signal
// stops in order; a second one ends the process at once.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		if status, said := err.(exitStatus); said { // with another error beside it that one is told
			return int(status)
		}
		fmt.Fprintln(os.Stderr, "leadgate:", err)
		return 1
	}
	return 0
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "leadgate",
		Short:         "No-login intake gateway for partner lead and deal registration",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		demoCommand(), serveCommand(), checkCommand(), importCommand(), importsCommand(), casesCommand(), conflictsCommand(), inboxCommand(), policyCommand(),
		partnersCommand(), accountsCommand(), crmCommand(), ledgerCommand(), mailCommand(), backupCommand(), receiptCommand(), auditCommand(), verifyCommand(), teamsAppCommand(), versionCommand(),
	)
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() {
			group(cmd)
		}
	}
	return root
}

// group makes a command that only holds others refuse words that are none of them; cobra
// shows its help for these and calls it a success.
func group(cmd *cobra.Command) {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		var names []string
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				names = append(names, sub.Name())
			}
		}
		return fmt.Errorf("unknown command %q for %q; known: %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}
