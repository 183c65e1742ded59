package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadgate/channels/csvdrop"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/cmd/internal/admin"
	"leadgate/intake"
)

// exitStatus is how the process ends when all was said already.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// someNotTaken: a file was seen to, and not all of its rows were taken in.
const someNotTaken exitStatus = 2

// importing is how a file is handed in.
type importing struct {
	admin.NewImport
	dry, asJSON    bool
	result, format string
}

func importCommand() *cobra.Command {
	var p place
	var i importing
	cmd := &cobra.Command{
		Use:   "import FILE --partner PARTNER",
		Short: "Register the rows of a list (CSV or XLSX) for a partner",
		Long: "Register the rows of a list for a partner, each as a case of its own; - reads the list from\n" +
			"the standard input. The list is kept before anything else is done: Ctrl-C, and even a crash,\n" +
			"only end this command, and what is not taken in then is taken in later. The same file again\n" +
			"does nothing new, and of a corrected one only the rows that changed do.\n\n" +
			"With --dry-run nothing is kept, and it is told what would come of the rows. The result file\n" +
			"(--result) has the columns of the list and what became of each row behind them; it can be\n" +
			"corrected and imported again.\n\n" +
			"The exit status is 0 if every row was taken in, also those whose case still lacks an answer;\n" +
			"2 if some were rejected or not reached, which the output tells; 1 if it could not be done.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := i.check(); err != nil {
				return err
			}
			file, err := readList(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if args[0] != "-" {
				i.Name = filepath.Base(args[0])
			}
			return p.with(cmd.Context(), func(c *admin.Client) error {
				if i.dry {
					return i.try(cmd, c, file)
				}
				return i.run(cmd, c, file)
			})
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&i.Partner, "partner", "", "whose list it is: id, code or domain")
	cmd.Flags().BoolVar(&i.dry, "dry-run", false, "tell what would come of the rows, and take none in")
	cmd.Flags().BoolVar(&i.asJSON, "json", false, "print an object, with what became of each row as results")
	cmd.Flags().StringVar(&i.result, "result", "", "write the result to this file")
	cmd.Flags().StringVar(&i.format, "format", "", "of the result, csv or xlsx; by its name, or as the list, if left out")
	cmd.Flags().StringVar(&i.Reply, "reply-to", "", "who of the partner is told by mail; the first of its contacts if left out")
	cmd.Flags().StringVar(&i.By, "by", whoami(), "who imports, for the record")
	if err := cmd.MarkFlagRequired("partner"); err != nil {
		panic(err) // the flag was defined above
	}
	cmd.MarkFlagsMutuallyExclusive("dry-run", "result")
	return cmd
}

func (i *importing) check() error {
	if i.format != "" && i.result == "" {
		return errors.New("--format is of the file that --result names; the format of the list is seen by itself")
	}
	var err error
	i.format, err = resultFormat(i.format, i.result)
	return err
}

// resultFormat returns in which format a result is asked for; "" for that of the list.
func resultFormat(format, file string) (string, error) {
	if format == "" {
		format = strings.TrimPrefix(strings.ToLower(filepath.Ext(file)), ".")
		if !slices.Contains(sheet.Formats(), sheet.Format(format)) {
			format = ""
		}
		return format, nil
	}
	if !slices.Contains(sheet.Formats(), sheet.Format(format)) {
		return "", fmt.Errorf("--format %q: want one of %v", format, sheet.Formats())
	}
	return format, nil
}

// readList reads a list, not further than is needed to see that it is too large.
func readList(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, sheet.MaxBytes+1))
}

// run imports a file and tells what came of it.
func (i importing) run(cmd *cobra.Command, c *admin.Client, file []byte) error {
	s, err := c.StartImport(cmd.Context(), i.NewImport, file)
	if err != nil {
		return err
	}
	if s.Before != intake.ImportPreviewed && !i.asJSON {
		fmt.Fprintf(cmd.ErrOrStderr(), "this file came from %s before, as import %s: it was %s\n", s.Partner, s.ID, s.Before)
	}
	return followed(cmd, c, s.Import, report{asJSON: i.asJSON, result: i.result, format: i.format})
}

// report says how it is told what came of an import.
type report struct {
	asJSON         bool
	result, format string
}

// followed waits until an import is over, and tells what came of it.
func followed(cmd *cobra.Command, c *admin.Client, im intake.Import, r report) error {
	im, err := follow(cmd.Context(), c, im, newProgress(cmd.ErrOrStderr(), "rows"))
	if err != nil {
		return err
	}
	if r.result != "" {
		if err := writeWhole(r.result, func(w io.Writer) error { return c.ImportResult(cmd.Context(), im.ID, r.format, w) }); err != nil {
			return fmt.Errorf("the import is %s, but its result was not written: %w", im.State, err)
		}
	}
	if err := r.print(cmd, c, im); err != nil {
		return err
	}
	return taken(im)
}

// taken is nil if all rows of an import were taken in.
func taken(im intake.Import) error {
	if im.State != intake.ImportDone || im.Counts.Rejected > 0 {
		return someNotTaken
	}
	return nil
}

// polled is how often it is asked how far an import is.
const polled = 100 * time.Millisecond

// judged is how long it is waited for cases to be judged, so that the result can tell of them.
const judged = 30 * time.Second

// waits reports whether there is more to wait for: rows that are taken in, or cases that are judged.
func waits(c *admin.Client, im intake.Import) bool {
	return im.State == intake.ImportRunning || !c.IsLocal() && im.Summarised.IsZero() && time.Since(im.Ended) < judged
}

// follow waits until an import is over. The import does not end with ctx.
func follow(ctx context.Context, c *admin.Client, im intake.Import, p *progress) (intake.Import, error) {
	defer p.end()
	tick := time.NewTicker(polled)
	defer tick.Stop()
	for waits(c, im) {
		p.show(im.Counts.Rows, im.Total)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		now, err := c.Import(ctx, im.ID)
		switch {
		case ctx.Err() != nil && c.IsLocal():
			return im, fmt.Errorf("stopped with %d of %s taken in; the gateway goes on with import %s once it runs again, and so does `leadgate imports resume %s`", im.Counts.Rows, counted(im.Total, "row"), im.ID, im.ID)
		case ctx.Err() != nil:
			return im, fmt.Errorf("left alone with %d of %s taken in; the gateway goes on with it, and `leadgate imports show %s` tells how far it is", im.Counts.Rows, counted(im.Total, "row"), im.ID)
		case err != nil:
			return im, fmt.Errorf("%w; import %s goes on when the gateway runs again", err, im.ID)
		}
		im = now
	}
	return im, nil
}

// writeWhole writes a file that is there as a whole or not at all.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".leadgate-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// toldImport is an import as programs read it.
type toldImport struct {
	ID      string             `json:"id,omitempty"`
	File    string             `json:"file,omitempty"`
	Partner string             `json:"partner"`
	DryRun  bool               `json:"dry_run,omitempty"`
	State   intake.ImportState `json:"state,omitempty"`
	intake.ImportCounts
	// Left is how many rows were not taken in.
	Left int `json:"left,omitempty"`
	// Cause is why the file could not be read to its end.
	Cause *intake.Problem `json:"cause,omitempty"`
	Link  string          `json:"link,omitempty"`
	// Decided is how its cases stood when all were judged.
	Decided *intake.ImportDecided `json:"decided,omitempty"`
	// Verdicts, Faults and Columns are of a dry run.
	Verdicts []admin.Expected `json:"verdicts,omitempty"`
	Faults   []csvdrop.Fault  `json:"faults,omitempty"`
	Columns  []toldColumn     `json:"columns,omitempty"`
	Remarks  []sheet.Problem  `json:"remarks,omitempty"`
}

// toldColumn says what a column of a list is read as.
type toldColumn struct {
	Name  string       `json:"name"`
	Field intake.Field `json:"field,omitempty"`
}

// print tells what came of an import.
func (r report) print(cmd *cobra.Command, c *admin.Client, im intake.Import) error {
	w := cmd.OutOrStdout()
	if r.asJSON {
		head := toldImport{
			ID: im.ID, File: im.Name, Partner: im.Partner, State: im.State, ImportCounts: im.Counts, Left: im.Left(), Cause: im.Cause, Link: im.Link, Decided: im.Decided,
		}
		return withResults(w, head, func(each func(any) error) error {
			return c.ImportRows(cmd.Context(), im.ID, func(a csvdrop.Answered) error { return each(a) })
		})
	}
	fmt.Fprintf(w, "%s of %s: %s (import %s)\n", fileName(im), im.Partner, im.State, im.ID)
	if !im.Anew.IsZero() {
		fmt.Fprintf(w, "it had come before, and was deleted on %s, because somebody of whom it told was erased: it counts as a new list, and that person's rows were registered anew\n", moment(im.Anew))
	}
	if !im.Erased.IsZero() {
		fmt.Fprintf(w, "deleted on %s with its result, because somebody of whom it told was erased; its other cases stay\n", moment(im.Erased))
	}
	fmt.Fprintln(w, tally(im.Counts))
	if words := cameTo(im.Decided); words != "" {
		fmt.Fprintf(w, "the cases: %s\n", words)
	}
	if n := im.Left(); n > 0 && im.State != intake.ImportRunning {
		fmt.Fprintf(w, "%s not taken in", counted(n, "row"))
		if im.State == intake.ImportCancelled {
			fmt.Fprintf(w, "; `leadgate imports resume %s` goes on with them", im.ID)
		}
		fmt.Fprintln(w)
	}
	if im.Cause != nil {
		why := im.Cause.Message
		if at := im.CausePlace(); at != "" {
			why = at + ": " + why
		}
		fmt.Fprintf(w, "it can't be read further: %s\n", why)
	}
	if im.Note != "" {
		fmt.Fprintf(w, "written beside it: %s\n", im.Note)
	}
	if err := printFaults(cmd, c, im); err != nil {
		return err
	}
	if c.IsLocal() && im.Counts.Accepted+im.Counts.NeedsInfo > 0 {
		fmt.Fprintln(w, "no gateway runs: cases are judged, and the partner is told, once it runs again")
	}
	if !c.IsLocal() && im.State != intake.ImportRunning && im.Summarised.IsZero() {
		fmt.Fprintln(w, "some cases are still judged; the result tells more once they are")
	}
	if c.IsLocal() && im.State == intake.ImportRunning {
		fmt.Fprintf(w, "nobody works on it: it goes on once the gateway runs again, or by `leadgate imports resume %s`\n", im.ID)
	}
	switch {
	case r.result != "":
		fmt.Fprintf(w, "result: %s\n", r.result)
	case im.Erased.IsZero():
		fmt.Fprintf(w, "result: leadgate imports result %s -o FILE\n", im.ID)
	}
	if im.Link != "" {
		fmt.Fprintf(w, "the partner's page: %s\n", im.Link)
	}
	return nil
}

// listName is what a list is called; one that came by the standard input has no name.
func listName(name string) string {
	if name == "" {
		return "a list without a name"
	}
	return name
}

// withResults writes head as a JSON object, with what rows come to as its results, one a line.
func withResults(w io.Writer, head toldImport, rows func(each func(any) error) error) error {
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s,\"results\":[", b[:len(b)-1]); err != nil {
		return err
	}
	comma := "\n"
	err = rows(func(row any) error {
		b, err := json.Marshal(row)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s%s", comma, b)
		comma = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w, "\n]}\n")
	return err
}

// tally puts counts into words.
func tally(n intake.ImportCounts) string {
	merged := fmt.Sprintf("%d merged", n.Merged)
	if n.Unchanged > 0 {
		merged += fmt.Sprintf(" (%d of them unchanged)", n.Unchanged)
	}
	all := fmt.Sprintf("%s: %d accepted, %s, %d with a question, %d rejected", counted(n.Rows, "row"), n.Accepted, merged, n.NeedsInfo, n.Rejected)
	if n.LeftOut > 0 {
		all += fmt.Sprintf("; %d taken in without a value that can't be used", n.LeftOut)
	}
	return all
}

// cameTo puts into words what was decided of the cases of a list; "" for nothing.
func cameTo(d *intake.ImportDecided) string {
	if d == nil {
		return ""
	}
	var parts []string
	add := func(n int, words string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	until := ""
	if !d.Until.IsZero() {
		until = " until " + d.Until.Local().Format(time.DateOnly)
		if !d.Until.Equal(d.Last) {
			until += " at least"
		}
	}
	add(d.Approved, "approved"+until)
	add(d.Waitlisted, "on the waiting list")
	add(d.InReview, "in review")
	add(d.Declined, "declined")
	return strings.Join(parts, ", ")
}

// shownFaults is how many rows with problems are shown.
const shownFaults = 10

var errEnough = errors.New("enough")

// printFaults tells of the first rows with problems.
func printFaults(cmd *cobra.Command, c *admin.Client, im intake.Import) error {
	faulty, shown := im.Counts.Rejected+im.Counts.NeedsInfo+im.Counts.LeftOut, 0
	if faulty == 0 {
		return nil
	}
	w := cmd.OutOrStdout()
	err := c.ImportRows(cmd.Context(), im.ID, func(a csvdrop.Answered) error {
		if len(a.Problems) == 0 {
			return nil
		}
		if shown == shownFaults {
			return errEnough
		}
		shown++
		for _, p := range a.Problems {
			printFault(w, p.Problem, p.Mend)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		fmt.Fprintf(w, "  … %d more\n", max(1, faulty-shown))
		return nil
	}
	return err
}

func printFault(w io.Writer, p sheet.Problem, mend string) {
	if field := strings.ReplaceAll(string(p.Field), "_", " "); p.Column == 0 && field != "" {
		if p.Message = strings.Replace(p.Message, string(p.Field), field, 1); !strings.Contains(p.Message, field) {
			p.Message = field + ": " + p.Message
		}
	}
	words := p.String()
	if mend != "" {
		words += "; " + mend
	}
	fmt.Fprintln(w, " ", words)
}

// try tells what would come of a file.
func (i importing) try(cmd *cobra.Command, c *admin.Client, file []byte) error {
	var rows []intake.RowOutcome
	p := newProgress(cmd.ErrOrStderr(), "rows")
	t, err := c.TryImport(cmd.Context(), i.NewImport, file, func(t admin.TriedImport) {
		if i.asJSON {
			rows = append(rows, t.Latest...)
		}
		p.show(t.Counts.Rows, t.Total)
	})
	p.end()
	if err != nil {
		return err
	}
	if err := i.printTried(cmd.OutOrStdout(), t, rows); err != nil {
		return err
	}
	if t.Counts.Rejected > 0 || t.Failed != nil {
		return someNotTaken
	}
	return nil
}

func (i importing) printTried(w io.Writer, t admin.TriedImport, rows []intake.RowOutcome) error {
	if i.asJSON {
		head := toldImport{
			DryRun: true, File: i.Name, Partner: t.Partner, ImportCounts: t.Counts, Verdicts: t.Verdicts, Faults: t.Faults, Remarks: t.Remarks,
		}
		for _, c := range t.Columns {
			head.Columns = append(head.Columns, toldColumn(c))
		}
		if t.Failed != nil {
			head.Cause = &t.Failed.Problem
		}
		return withResults(w, head, func(each func(any) error) error {
			for _, o := range rows {
				if err := each(o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	fmt.Fprintf(w, "%s of %s: dry run, nothing was taken in\n", listName(i.Name), t.Partner)
	var unread []string
	for _, c := range t.Columns {
		if c.Field == "" {
			unread = append(unread, orDash(c.Name))
		}
	}
	if len(unread) > 0 {
		fmt.Fprintf(w, "columns of no field, which staff can read: %s\n", strings.Join(unread, ", "))
	}
	for _, r := range t.Remarks {
		fmt.Fprintln(w, r.Message)
	}
	fmt.Fprintln(w, tally(t.Counts))
	if len(t.Verdicts) > 0 {
		fmt.Fprintln(w, "the policy, before any CRM is asked:")
	}
	for _, v := range t.Verdicts {
		fmt.Fprintf(w, "  %d %s\n", v.Rows, would(v.Verdicts))
	}
	if len(t.Faults) > 0 {
		fmt.Fprintln(w, "first faults:")
	}
	for _, f := range t.Faults[:min(len(t.Faults), shownFaults)] {
		printFault(w, f.Problem, f.Mend)
	}
	if t.Failed != nil {
		fmt.Fprintf(w, "it can't be read further: %s\n", t.Failed)
	}
	return nil
}

// would says what would become of cases.
func would(v intake.Verdicts) string {
	words := map[intake.Outcome]string{
		intake.OutcomeApprove: "would be approved", intake.OutcomeReview: "would go to a person", intake.OutcomeAsk: "would be asked about",
		intake.OutcomeWaitlist: "would wait for another partner's hold to end", intake.OutcomeDecline: "would be declined", intake.OutcomeMerge: "would be merged",
	}[v.Outcome]
	if words == "" {
		words = string(v.Outcome)
	}
	if v.Reason != "" {
		words += " (" + string(v.Reason) + ")"
	}
	return words
}
