package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/demo"
	"leadgate/intake"
)

func demoCommand() *cobra.Command {
	var dir, httpAddr, smtpAddr string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole gateway on this machine, with ten partners, to try it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), dir, httpAddr, smtpAddr)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "leadgate-demo", "directory for everything that the demo keeps")
	cmd.Flags().StringVar(&httpAddr, "http", "127.0.0.1:8080", "where the demo's page is")
	cmd.Flags().StringVar(&smtpAddr, "smtp", "127.0.0.1:2525", "where the demo takes mail")
	return cmd
}

func runDemo(ctx context.Context, out io.Writer, dir, httpAddr, smtpAddr string) (err error) {
	for _, f := range []struct{ name, address, like string }{{"--http", httpAddr, "127.0.0.1:8080"}, {"--smtp", smtpAddr, "127.0.0.1:2525"}} {
		if _, _, err := net.SplitHostPort(f.address); err != nil {
			return fmt.Errorf("%s %q: want host:port, such as %s", f.name, f.address, f.like)
		}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cfg := demo.Config(abs, demo.Listeners{HTTP: httpAddr, SMTP: smtpAddr})
	a, err := openApp(cfg, cfg.Log.Logger(os.Stderr))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := demo.Seed(ctx, a.Gateway()); err != nil {
		return err
	}
	tries, err := demo.WriteTries(dir)
	if err != nil {
		return err
	}
	pages, at, err := a.ListenPages(httpAddr)
	if err != nil {
		return elsewhere(err)
	}
	demo.Mount(pages, demo.Source{Gateway: a.Gateway(), Ledger: a.Ledger(), Outbox: filepath.Join(abs, demo.OutboxDir)})
	stop := context.AfterFunc(ctx, func() { fmt.Fprintln(out, "stopping") })
	defer stop()
	go func() {
		select {
		case <-a.Ready():
			lists, err := listsLink(ctx, a.Gateway(), cfg.Pages.URL, at)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			greet(out, dir, at, a.MailAddress(), lists, tries)
		case <-ctx.Done():
		}
	}()
	return elsewhere(a.Run(ctx))
}

// elsewhere adds to the error of an address that cannot be listened on how to choose another.
func elsewhere(err error) error {
	var listening *net.OpError
	if errors.As(err, &listening) && listening.Op == "listen" && strings.HasPrefix(listening.Net, "tcp") {
		return fmt.Errorf("%w; choose other addresses with --http (the page) and --smtp (mail)", err)
	}
	return err
}

// self is how the program was started, for commands to copy.
func self() string {
	if strings.Contains(os.Args[0], "go-build") { // of go run, and gone when it ends
		return "go run ./cmd/leadgate"
	}
	return os.Args[0]
}

// listsLink is where the partner of the demo's list uploads it.
func listsLink(ctx context.Context, g *intake.Gateway, base, at string) (string, error) {
	link, _, err := g.FormLink(ctx, demo.ListPartner, intake.PurposeForm)
	return "http://" + at + strings.TrimPrefix(intake.UploadLink(link), base), err
}

// greet says what runs and prints commands to try, ready to be copied.
func greet(out io.Writer, dir, httpAddr, smtpAddr, lists string, tries []demo.Try) {
	var b strings.Builder
	fmt.Fprintf(&b, `%[1]s takes registrations at %[2]s.

  mail      smtp://%[3]s  (senders on this machine are believed; a real set-up asks for proof)
  form      http://%[4]s/register
  lists     %[6]s
            (a partner's own link; %[7]s is a list to upload)
  page      http://%[4]s/demo
  answers   %[5]s/*.eml

Try these, in another terminal:
`, demo.Vendor, demo.Address, smtpAddr, httpAddr, filepath.Join(dir, demo.OutboxDir), lists, filepath.Join(dir, demo.TryDir, demo.List))
	for _, t := range tries {
		fmt.Fprintf(&b, "\n  # %s\n  curl -sS smtp://%s --mail-from %s --mail-rcpt %s -T %s\n", t.Says, smtpAddr, t.From, demo.Address, t.File)
	}
	fmt.Fprintf(&b, `
Then:

  %[2]s cases list --dir %[1]s
  %[2]s cases show CASE --dir %[1]s
  %[2]s ledger export --dir %[1]s

Ctrl-C stops; everything stays in %[1]s.
`, dir, self())
	fmt.Fprint(out, b.String())
}
