package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/directory"
	"leadgate/intake"
)

// listed is a kind of list that staff keep in files, and how a gateway takes it.
type listed[T any] struct {
	directory.List[T]
	// help says how the file is written; wholeFlag and wholeHelp are the flag that makes it
	// the whole list.
	help, wholeFlag, wholeHelp string
	all                        func(context.Context, *admin.Client) ([]T, error)
	// finder returns how entries are found among the stored ones by what a file calls them.
	finder func(*place, []T) (func(id string) (T, bool), error)
	// missing adds to the entries of a whole list what becomes of the others. If it is nil
	// these are removed, and what the file does not say of an entry is emptied.
	missing func(entries, stored []T) []T
	// ends says what a whole list does to those that it does not have; ended counts them, and
	// those that there were.
	ends  string
	ended func(stored, clean []T) (gone, of int)
	check func(context.Context, *admin.Client, []T, bool) ([]T, []intake.EntryFault, error)
	put   func(context.Context, *admin.Client, []T, bool) error
}

// imported is what an import does, or would do.
type imported struct {
	File      string             `json:"file"`
	DryRun    bool               `json:"dry_run,omitempty"`
	Faults    directory.Faults   `json:"faults,omitempty"`
	Changes   []directory.Change `json:"changes,omitempty"`
	Added     int                `json:"added"`
	Changed   int                `json:"changed"`
	Unchanged int                `json:"unchanged"`
	Removed   int                `json:"removed"`
	// NeedsYes says why it takes --yes; empty if it does not.
	NeedsYes string `json:"needs_yes,omitempty"`
}

func (l listed[T]) importCommand(p *place) *cobra.Command {
	var dry, whole, yes, asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv|FILE.yaml",
		Short: "Add or change " + l.Noun() + "s; a file with faults changes nothing",
		Long:  "Add or change " + l.Noun() + "s; a file with faults changes nothing.\n\n" + l.help,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				done := imported{File: args[0], DryRun: dry}
				err := l.run(cmd.Context(), p, c, &done, whole, yes)
				if asJSON && (err == nil || len(done.Faults) > 0) {
					if err := printJSON(cmd.OutOrStdout(), done); err != nil {
						return err
					}
				}
				if len(done.Faults) > 0 {
					return fmt.Errorf("%s: nothing was imported:\n%w", args[0], done.Faults)
				}
				if err != nil || asJSON {
					return err
				}
				return l.print(cmd.OutOrStdout(), done)
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&whole, l.wholeFlag, false, l.wholeHelp)
	cmd.Flags().BoolVar(&yes, "yes", false, "with --"+l.wholeFlag+": do it even if that ends most of what there is")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object")
	return cmd
}

// run imports a file, or finds out what that would do. Faults of the file are no error.
func (l listed[T]) run(ctx context.Context, p *place, c *admin.Client, done *imported, whole, yes bool) error {
	stored, err := l.all(ctx, c)
	if err != nil {
		return err
	}
	file, err := l.open(p, done, stored, whole)
	if err != nil || len(done.Faults) > 0 {
		return err
	}
	entries := file.Entries
	if whole && len(entries) == 0 {
		return fmt.Errorf("%s: nothing was imported: it names no %s, and with --%s that would %s all of them", done.File, l.Noun(), l.wholeFlag, l.ends)
	}
	if whole && l.missing != nil {
		entries = l.missing(entries, stored)
	}
	clean, found, err := l.check(ctx, c, entries, whole)
	if err != nil {
		return err
	}
	if done.Faults = append(file.Faults, file.Place(found)...); len(done.Faults) > 0 {
		done.Faults.Sorted()
		return nil
	}
	done.Changes = l.Compare(stored, clean, whole && l.missing == nil)
	for _, ch := range done.Changes {
		*map[string]*int{
			directory.Added: &done.Added, directory.Changed: &done.Changed,
			directory.Unchanged: &done.Unchanged, directory.Removed: &done.Removed,
		}[ch.Kind]++
	}
	if whole {
		done.NeedsYes = l.drastic(stored, clean)
	}
	if done.NeedsYes != "" && !done.DryRun && !yes {
		return fmt.Errorf("%s: nothing was imported: %s; --dry-run shows which, and it takes --yes to do it", done.File, done.NeedsYes)
	}
	if done.DryRun || done.Added+done.Changed+done.Removed == 0 {
		return nil
	}
	return l.put(ctx, c, clean, whole)
}

// manyEnded is how many entries a whole list may end without being asked.
const manyEnded = 3

// drastic says what a whole list does that may well be a mistake, such as that of a file which is
// not whole; "" of another.
func (l listed[T]) drastic(stored, clean []T) string {
	gone, of := l.ended(stored, clean)
	if gone <= manyEnded || gone*2 <= of {
		return ""
	}
	return fmt.Sprintf("--%s would %s %d of %s", l.wholeFlag, l.ends, gone, counted(of, l.Noun()))
}

// open reads the file of an import. Faults of its form are put there.
func (l listed[T]) open(p *place, done *imported, stored []T, whole bool) (file directory.File[T], err error) {
	format, err := directory.FormatOf(done.File)
	if err != nil {
		return file, err
	}
	src, err := os.ReadFile(done.File)
	if err != nil {
		return file, err
	}
	var find func(string) (T, bool)
	if !whole || l.missing != nil {
		if find, err = l.finder(p, stored); err != nil {
			return file, err
		}
	}
	file, err = l.Read(format, bytes.NewReader(src), find)
	var faults directory.Faults
	if errors.As(err, &faults) {
		done.Faults = faults
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("%s: nothing was imported: %w", done.File, err)
	}
	return file, nil
}

// printed bounds the names in the line about what stays as it is.
const printed = 20

func (l listed[T]) print(w io.Writer, done imported) error {
	if done.Added+done.Changed+done.Removed == 0 {
		_, err := fmt.Fprintf(w, "nothing changes: %s as in the file\n", counted(done.Unchanged, l.Noun()))
		return err
	}
	if done.DryRun {
		if err := l.printChanges(w, done.Changes); err != nil {
			return err
		}
	}
	words := fmt.Sprintf("%s imported", counted(len(done.Changes)-done.Removed, l.Noun()))
	if done.DryRun {
		words = "dry run, nothing was changed"
	}
	var counts []string
	for _, n := range []struct {
		n    int
		what string
	}{{done.Added, directory.Added}, {done.Changed, directory.Changed}, {done.Removed, directory.Removed}, {done.Unchanged, directory.Unchanged}} {
		if n.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	if _, err := fmt.Fprintf(w, "%s: %s\n", words, strings.Join(counts, ", ")); err != nil || !done.DryRun || done.NeedsYes == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "%s; it takes --yes to do it\n", done.NeedsYes)
	return err
}

func (l listed[T]) printChanges(w io.Writer, changes []directory.Change) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	var same []string
	for _, c := range changes {
		if c.Kind == directory.Unchanged {
			same = append(same, c.ID)
			continue
		}
		fmt.Fprintf(tw, "%s: %s\n", c.ID, c.Kind)
		for _, v := range c.Fields {
			if c.Kind == directory.Added {
				fmt.Fprintf(tw, "  %s\t%s\n", v.Field, v.New)
			} else {
				fmt.Fprintf(tw, "  %s\t%s → %s\n", v.Field, orNothing(v.Old), orNothing(v.New))
			}
		}
	}
	if len(same) > 0 {
		more := ""
		if len(same) > printed {
			more = fmt.Sprintf(" and %d more", len(same)-printed)
		}
		fmt.Fprintf(tw, "unchanged: %s%s\n", strings.Join(same[:min(len(same), printed)], ", "), more)
	}
	return tw.Flush()
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

// counted is a number with its noun, in the plural unless it is one.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (l listed[T]) exportCommand(p *place) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print all " + l.Noun() + "s as import takes them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				all, err := l.all(cmd.Context(), c)
				if err != nil {
					return err
				}
				return l.Write(cmd.OutOrStdout(), directory.Format(format), all)
			})
		},
	}
	cmd.Flags().StringVar(&format, "format", string(directory.CSV), "csv or yaml")
	return cmd
}

// showCommand prints one entry.
func (l listed[T]) showCommand(p *place, name string, get func(context.Context, *admin.Client, string) (T, error)) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show " + name,
		Short: "Show all that is known of " + map[string]string{"partner": "a partner", "account": "an account"}[l.Noun()],
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd.Context(), func(c *admin.Client) error {
				e, err := get(cmd.Context(), c, args[0])
				if err != nil {
					return l.unknown(args[0], err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), e)
				}
				tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				for _, v := range l.Values(e) {
					fmt.Fprintf(tw, "%s\t%s\n", v.Field, v.New)
				}
				return tw.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object")
	return cmd
}

// unknown is err, in plain words if it is that there is no such entry.
func (l listed[T]) unknown(id string, err error) error {
	if errors.Is(err, intake.ErrNotFound) {
		return fmt.Errorf("no %s is %s", l.Noun(), id)
	}
	return fmt.Errorf("%s: %w", id, err)
}

// byID finds entries among stored ones by what a file calls them.
func byID[T any](stored []T, id func(T) string, read func(string) string) func(string) (T, bool) {
	index := make(map[string]T, len(stored))
	for _, e := range stored {
		index[id(e)] = e
	}
	return func(written string) (T, bool) {
		e, found := index[read(written)]
		return e, found
	}
}
