package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
	"leadgate/intake/identity"
)

func receiptCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{Use: "receipt", Short: "Check the signed receipts that partners get"}
	p.flags(cmd)
	cmd.AddCommand(receiptKey(&p), receiptVerify(&p))
	return cmd
}

func receiptKey(p *place) *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the public key, to be published; with it anybody can check a receipt",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.find()
			if err != nil {
				return err
			}
			key, err := app.PublicKey(cfg.Data)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no key in %s yet; the first start of the gateway makes one", cfg.Data)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key)
			return err
		},
	}
}

// maxReceipt is more than any mail with a receipt in it takes.
const maxReceipt = 32 << 20

func receiptVerify(p *place) *cobra.Command {
	var key, domain string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check the receipt in a text or a mail (- for standard input), with --key offline, else also against the case",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			receipt, err := readReceipt(cmd.InOrStdin(), args[0])
			if err != nil {
				return fmt.Errorf("invalid: %w", err)
			}
			keys, err := p.keys(key)
			if err != nil {
				return err
			}
			if err := receipt.Verify(keys); err != nil {
				return fmt.Errorf("invalid: %w", err)
			}
			if err := printReceipt(cmd.OutOrStdout(), receipt); err != nil {
				return err
			}
			if err := checkDomain(receipt, domain); err != nil {
				return err
			}
			if key == "" {
				if err := p.compare(cmd.Context(), receipt); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "valid")
			return err
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key, or a file of public keys")
	cmd.Flags().StringVar(&domain, "domain", "", "domain of the prospect that the receipt should be about")
	return cmd
}

func readReceipt(stdin io.Reader, file string) (intake.ClaimReceipt, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return intake.ClaimReceipt{}, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxReceipt))
	if err != nil {
		return intake.ClaimReceipt{}, err
	}
	return intake.ReadReceipt(string(b))
}

// keys returns the key that was given, those of a file, or those of the gateway.
func (p *place) keys(given string) (intake.Keyring, error) {
	if given == "" {
		cfg, err := p.find()
		if err != nil {
			return nil, errors.New("which key? give --key KEY, or the gateway with --config FILE or --dir DIRECTORY")
		}
		return app.ReadPublicKeys(cfg.Data)
	}
	if key, err := intake.ParseKey(given); err == nil {
		ring := make(intake.Keyring)
		ring.Add(key)
		return ring, nil
	}
	f, err := os.Open(filepath.Clean(given))
	if err != nil {
		return nil, fmt.Errorf("--key is neither a key nor a file of keys: %w", err)
	}
	defer f.Close()
	ring, err := intake.ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", given, err)
	}
	return ring, nil
}

func printReceipt(w io.Writer, r intake.ClaimReceipt) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "Case\t%s\n", r.Case)
	fmt.Fprintf(t, "Partner\t%s\n", orDash(r.Partner))
	fmt.Fprintf(t, "Claim\t%s\n", moment(r.Claim))
	fmt.Fprintf(t, "Accepted\t%s\n", moment(r.Accepted))
	fmt.Fprintf(t, "Decided\t%s\n", orDash(moment(r.Decided)))
	fmt.Fprintf(t, "Status\t%s, as it was then\n", r.Status)
	fmt.Fprintf(t, "Policy\t%s\n", orDash(r.Policy))
	fmt.Fprintf(t, "Signed by\t%s\n", r.Key)
	return t.Flush()
}

// checkDomain compares the receipt with the domain that its holder knows.
func checkDomain(r intake.ClaimReceipt, domain string) error {
	if domain == "" {
		return nil
	}
	lead, problems := intake.Clean(identity.Default(), intake.Lead{intake.FieldCompanyDomain: domain})
	if len(problems) > 0 {
		return fmt.Errorf("--domain %q: %s", domain, problems[0].Message)
	}
	if !r.About(lead[intake.FieldCompanyDomain]) {
		return fmt.Errorf("the receipt is valid, but not about %s", lead[intake.FieldCompanyDomain])
	}
	return nil
}

// compare checks the receipt against the case as the gateway has it.
func (p *place) compare(ctx context.Context, r intake.ClaimReceipt) error {
	return p.with(ctx, func(c *admin.Client) error {
		d, err := c.Case(ctx, r.Case)
		if errors.Is(err, intake.ErrNotFound) {
			return fmt.Errorf("the receipt is valid, but the gateway has no case %s", r.Case)
		}
		if err != nil {
			return err
		}
		if differ := r.Compare(d.Registration, d.Events); len(differ) > 0 {
			return fmt.Errorf("the receipt is valid, but the case is not as it says: %s", strings.Join(differ, "; "))
		}
		return nil
	})
}
