package csvdrop_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"leadgate/channels/csvdrop"
	"leadgate/intake"
)

// share is a world whose folder has a directory of each partner.
type share struct {
	*world
	root   string
	folder *csvdrop.Folder
	now    time.Time
}

func newShare(t *testing.T) *share {
	s := &share{world: begin(t), root: t.TempDir(), now: time.Now()}
	for _, id := range []string{"alpha", "beta"} {
		if err := os.Mkdir(filepath.Join(s.root, id), 0o770); err != nil {
			t.Fatal(err)
		}
	}
	s.watch()
	return s
}

func (s *share) watch() {
	s.folder = csvdrop.NewFolder(csvdrop.FolderConfig{Path: s.root, Settle: time.Minute}, csvdrop.FolderDeps{Drop: s.drop, Now: func() time.Time { return s.now }})
}

// run has the gateway work until the test ends.
func (s *share) run() {
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.gateway.Run(ctx) }()
	s.Cleanup(func() { cancel(); <-ended })
}

// lay lays a file into the folder that has not changed for an hour.
func (s *share) lay(path, text string) {
	s.Helper()
	at := filepath.Join(s.root, path)
	if err := os.WriteFile(at, []byte(text), 0o660); err != nil {
		s.Fatal(err)
	}
	if err := os.Chtimes(at, s.now, s.now.Add(-time.Hour)); err != nil {
		s.Fatal(err)
	}
}

// files are all in the folder, by path.
func (s *share) files() []string {
	s.Helper()
	var all []string
	err := filepath.WalkDir(s.root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			path, err = filepath.Rel(s.root, path)
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// until looks at the folder until it holds these files and no others.
func (s *share) until(want ...string) {
	s.Helper()
	slices.Sort(want)
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		s.folder.Look(s.Context())
		got := s.files()
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			trouble, _ := s.folder.Health()
			s.Fatalf("the folder holds %q, want %q; trouble: %v", got, want, trouble)
		}
	}
}

func (s *share) read(path string) string {
	s.Helper()
	b, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		s.Fatal(err)
	}
	return string(b)
}

// cases is how many there are.
func (s *share) cases() int {
	s.Helper()
	all, err := s.gateway.Cases(s.Context(), intake.CaseQuery{Limit: 10_000})
	if err != nil {
		s.Fatal(err)
	}
	return len(all)
}

func (s *share) imports() []intake.Import {
	s.Helper()
	all, _, err := s.gateway.Imports(s.Context(), intake.ImportQuery{Limit: 100})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

func TestAFileInThePartnersFolderIsTakenInAndItsResultLiesBesideIt(t *testing.T) {
	s := newShare(t)
	s.run()
	s.lay("alpha/leads.csv", list(20, 5))
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv")
	if n := s.cases(); n != 16 {
		t.Errorf("%d cases of 16 good rows", n)
	}
	result := s.read("alpha/done/leads.csv.result.csv")
	if n := strings.Count(result, ",accepted,"); n != 16 {
		t.Errorf("%d rows are accepted:\n%s", n, result)
	}
	im := s.imports()[0]
	if im.Partner != "alpha" || im.Sender.Strength != intake.StrengthVerified || im.Total != 20 || im.Name != "leads.csv" {
		t.Errorf("taken in as %+v", im)
	}
	info, err := os.Stat(filepath.Join(s.root, "alpha/done/leads.csv.result.csv"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Stat(filepath.Join(s.root, "alpha"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != dir.Mode().Perm()&0o666 {
		t.Errorf("who can read the folder (%v) can't read the result (%v)", dir.Mode(), info.Mode())
	}

	s.lay("alpha/leads.csv", list(20, 5)) // the same again, of the same partner and of another
	s.lay("beta/leads.csv", list(20, 5))
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv", "alpha/done/leads-2.csv", "alpha/done/leads-2.csv.result.csv",
		"beta/done/leads.csv", "beta/done/leads.csv.result.csv")
	if n := s.cases(); n != 32 {
		t.Errorf("%d cases of 16 good rows of two partners each", n)
	}
	for _, row := range strings.Split(s.read("beta/done/leads.csv.result.csv"), "\n") {
		for _, other := range strings.Split(result, "\n")[1:] {
			if number := caseIn(other); number != "" && strings.Contains(row, number) {
				t.Errorf("beta reads a number of alpha: %s", row)
			}
		}
	}

	// The corrected result is one more list; only what was corrected does something.
	s.lay("alpha/leads.csv.result.csv", strings.ReplaceAll(result, "all slow", "They lose a day a week to manual reports."))
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv", "alpha/done/leads-2.csv", "alpha/done/leads-2.csv.result.csv",
		"alpha/done/leads.csv.result-2.csv", "alpha/done/leads.csv.result-2.csv.result.csv",
		"beta/done/leads.csv", "beta/done/leads.csv.result.csv")
	if n := s.cases(); n != 36 {
		t.Errorf("%d cases once the list was corrected", n)
	}
	if im := s.imports()[0]; im.Counts.Unchanged != 16 || im.Counts.Accepted != 4 {
		t.Errorf("the corrected list came to %+v", im.Counts)
	}
	if c := s.folder.Condition(); c.Down || c.Problem != "" {
		t.Errorf("trouble: %+v", c)
	}
}

func TestAFileThatIsLaidIntoTheFolderAgainIsSaidToHaveComeBefore(t *testing.T) {
	s := newShare(t)
	s.run()
	s.lay("alpha/leads.csv", list(2, 0))
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv")
	s.now = s.now.Add(48 * time.Hour)
	s.lay("alpha/leads.csv", list(2, 0))
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv",
		"alpha/done/leads-2.csv", "alpha/done/leads-2.csv.result.csv", "alpha/done/leads-2.csv.note.txt")
	if words := s.read("alpha/done/leads-2.csv.note.txt"); !strings.Contains(words, "came before, on "+s.imports()[0].ReceivedAt.Format(time.DateOnly)) {
		t.Errorf("the note says %q", words)
	}
}

func caseIn(line string) string {
	for cell := range strings.SplitSeq(line, ",") {
		if strings.HasPrefix(cell, "LG-") {
			return cell
		}
	}
	return ""
}

func TestAFileThatIsStillWrittenIsLeft(t *testing.T) {
	s := newShare(t)
	var left []string
	for _, name := range []string{".leads.csv", "leads.csv.part", "leads.TMP", "leads.csv.filepart"} {
		s.lay("alpha/"+name, list(1, 0))
		left = append(left, "alpha/"+name)
	}
	s.until(left...)
	at := filepath.Join(s.root, "alpha/new.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(at, []byte(text), 0o660); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(at, s.now, s.now.Add(time.Hour)); err != nil { // by a clock that is fast
			t.Fatal(err)
		}
	}
	write(list(1, 0))
	s.until(append(left, "alpha/new.csv")...)
	s.now = s.now.Add(59 * time.Second)
	s.until(append(left, "alpha/new.csv")...)
	write(list(2, 0))
	s.until(append(left, "alpha/new.csv")...)
	s.now = s.now.Add(59 * time.Second)
	s.until(append(left, "alpha/new.csv")...)
	if n := len(s.imports()); n != 0 {
		t.Errorf("%d imports of files that are not whole", n)
	}
	s.now = s.now.Add(time.Second)
	s.until(append(left, "alpha/taken/new.csv")...)
	// Who renames a whole file in waits for nothing.
	s.lay("alpha/leads.csv.part", list(3, 0))
	if err := os.Rename(filepath.Join(s.root, "alpha/leads.csv.part"), filepath.Join(s.root, "alpha/leads.csv")); err != nil {
		t.Fatal(err)
	}
	left = slices.DeleteFunc(left, func(name string) bool { return name == "alpha/leads.csv.part" })
	s.until(append(left, "alpha/taken/new.csv", "alpha/taken/leads.csv")...)
}

func TestWhatIsAppendedToATakenFileIsNotLost(t *testing.T) {
	s := newShare(t)
	s.lay("alpha/leads.csv", list(3, 0))
	s.until("alpha/taken/leads.csv")
	s.lay("alpha/taken/leads.csv", list(5, 0)) // as by a writer who has it open still
	s.run()
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv")
	if n := s.cases(); n != 5 {
		t.Errorf("%d cases of 5 rows", n)
	}
}

func TestWhatCantBeReadIsToldInThePartnersLanguage(t *testing.T) {
	s := newShare(t)
	p, err := s.gateway.Partner(t.Context(), "beta")
	if err != nil {
		t.Fatal(err)
	}
	p.Locale = "de"
	if err := s.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	s.lay("alpha/scan.pdf", "%PDF-1.4\n")
	s.lay("beta/scan.pdf", "%PDF-1.4\n")
	s.lay("beta/empty.csv", "")
	s.lay("beta/twice.csv", "Company,Website,Firma\nAcme,acme.example,Acme\n")
	s.until("alpha/failed/scan.pdf", "alpha/failed/scan.pdf.error.txt", "beta/failed/scan.pdf", "beta/failed/scan.pdf.error.txt",
		"beta/failed/empty.csv", "beta/failed/empty.csv.error.txt", "beta/failed/twice.csv", "beta/failed/twice.csv.error.txt")
	if words := s.read("alpha/failed/scan.pdf.error.txt"); !strings.Contains(words, "PDF") || !strings.Contains(words, "Save as") {
		t.Errorf("alpha reads %q", words)
	}
	if words := s.read("beta/failed/empty.csv.error.txt"); !strings.Contains(words, "leer") {
		t.Errorf("beta reads %q", words)
	}
	if words := s.read("beta/failed/twice.csv.error.txt"); !strings.Contains(words, "Spalten") || !strings.HasSuffix(words, " (C1)\n") {
		t.Errorf("beta reads %q", words)
	}
	if len(s.imports()) != 0 {
		t.Error("an import of what can't be read")
	}
	if c := s.folder.Condition(); c.Down {
		t.Errorf("a partner's bad file is no trouble of ours: %+v", c)
	}
}

func TestAFolderThatIsNoPartnersIsLeftAndTold(t *testing.T) {
	s := newShare(t)
	gamma := filepath.Join(s.root, "gamma")
	if err := os.Mkdir(gamma, 0o770); err != nil {
		t.Fatal(err)
	}
	s.folder.Look(t.Context())
	if c := s.folder.Condition(); c.Down {
		t.Errorf("an empty folder waits for nobody: %+v", c)
	}
	s.lay("gamma/leads.csv", list(1, 0))
	s.lay("loose.csv", list(1, 0))
	s.lay("beta/leads.csv", list(2, 0))
	s.until("gamma/leads.csv", "loose.csv", "beta/taken/leads.csv")
	c := s.folder.Condition()
	if !c.Down || !strings.Contains(c.Problem, "gamma: no partner") || !strings.Contains(c.Problem, "loose.csv: ") {
		t.Errorf("condition %+v", c)
	}
	if err := os.Remove(filepath.Join(s.root, "loose.csv")); err != nil {
		t.Fatal(err)
	}
	if err := s.gateway.PutPartners(t.Context(), []intake.Partner{{ID: "gamma-it", Code: "GAMMA", Name: "Gamma", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"gamma.example"}}}); err != nil {
		t.Fatal(err)
	}
	s.until("gamma/taken/leads.csv", "beta/taken/leads.csv") // by its code
	if c := s.folder.Condition(); c.Down || c.Problem != "" {
		t.Errorf("condition %+v", c)
	}
	s.root = filepath.Join(s.root, "not", "there")
	s.watch()
	s.folder.Look(t.Context())
	if c := s.folder.Condition(); !c.Down || !strings.Contains(c.Problem, "no such file") {
		t.Errorf("without a folder: %+v", c)
	}
}

func TestNothingOutsideThePartnersFolderIsReadOrWritten(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.csv")
	if err := os.WriteFile(secret, []byte(list(2, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newShare(t)
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(s.root, at)); err != nil {
			t.Fatal(err)
		}
	}
	link(secret, "alpha/secret.csv")
	link("../beta/list.csv", "alpha/theirs.csv")
	s.lay("beta/.list.csv", list(2, 0))
	link("../beta/.list.csv", "alpha/hidden.csv")
	if err := syscall.Mkfifo(filepath.Join(s.root, "alpha/pipe.csv"), 0o660); err != nil {
		t.Fatal(err)
	}
	link("alpha", "gamma")
	link(outside, "delta")
	s.folder.Look(t.Context())
	if n := len(s.imports()); n != 0 {
		t.Errorf("%d imports of what is no file", n)
	}
	c := s.folder.Condition()
	for _, name := range []string{"alpha/secret.csv", "alpha/theirs.csv", "alpha/hidden.csv", "alpha/pipe.csv", "delta"} {
		if found, _ := s.folder.Health(); !slices.ContainsFunc(found, func(t csvdrop.Trouble) bool { return t.Path == name }) {
			t.Errorf("%s is not told of: %s", name, c.Problem)
		}
	}

	// Where the results go is not changed either.
	if err := os.Remove(filepath.Join(s.root, "beta/.list.csv")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"done", "failed"} {
		if err := os.Remove(filepath.Join(s.root, "beta", dir)); err != nil {
			t.Fatal(err)
		}
		link(outside, "beta/"+dir)
	}
	s.lay("beta/scan.pdf", "%PDF-1.4\n")
	s.folder.Look(t.Context())
	entries, err := os.ReadDir(outside)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("written outside: %v", entries)
	}
	if _, err := os.Stat(filepath.Join(s.root, "beta/scan.pdf")); err != nil {
		t.Error("a file moved although nowhere could be written:", err)
	}
}

func TestACancelledListComesBackWithWhatWasNotTakenIn(t *testing.T) {
	s := newShare(t)
	s.lay("alpha/leads.csv", list(30, 0))
	s.folder.OnStep(func(step string) {
		if step == "kept" { // before anything is taken in
			im := s.imports()[0]
			if _, err := s.gateway.StartImport(t.Context(), im.ID); err != nil {
				t.Error(err)
			}
			if _, _, err := s.gateway.AcceptRows(t.Context(), im.ID, []intake.ImportRow{{Number: 2, Lead: intake.Lead{intake.FieldCompanyName: "Firm One", intake.FieldCompanyDomain: "c0.example"}}}); err != nil {
				t.Error(err)
			}
			if _, err := s.drop.Cancel(t.Context(), im.ID, "mia"); err != nil {
				t.Error(err)
			}
			panic(errKilled)
		}
	})
	func() {
		defer killed(t)
		s.folder.Look(t.Context())
	}()
	if err := os.Rename(filepath.Join(s.root, "alpha/leads.csv"), filepath.Join(s.root, "alpha/taken/leads.csv")); err != nil {
		t.Fatal(err)
	}
	s.watch()
	s.run()
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv")
	if n := strings.Count(s.read("alpha/done/leads.csv.result.csv"), csvdrop.NotTaken); n != 29 {
		t.Errorf("%d rows were not taken in, want 29", n)
	}
	if im := s.imports()[0]; im.State != intake.ImportCancelled {
		t.Errorf("it is %s", im.State)
	}
}

var errKilled = errors.New("killed")

// killed takes the place of a process that is no more.
func killed(t *testing.T) {
	t.Helper()
	if p := recover(); p != nil && p != errKilled {
		panic(p)
	}
}

// Each time a process is killed one step later than the time before; what it left goes on with
// the next one, which knows nothing of it.
func TestAProcessThatIsKilledBetweenAnyTwoStepsLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("many lives of seconds; make test runs it")
	}
	const lives = 12 // the last is not killed
	var killedAfter [lives + 1]string
	t.Run("lives", func(t *testing.T) {
		for life := 1; life <= lives; life++ {
			t.Run(fmt.Sprint(life), func(t *testing.T) {
				t.Parallel()
				killedAfter[life] = killFolder(t, life)
			})
		}
	})
	for _, step := range []string{"kept", "started", "written", "written beside", "moved", "shown", ""} {
		if !slices.Contains(killedAfter[1:], step) {
			t.Errorf("never killed after %q", step)
		}
	}
	t.Logf("killed after %q", killedAfter[1:])
}

// killFolder ends a process at a step, and returns which it was.
func killFolder(t *testing.T, step int) (at string) {
	s := newShare(t)
	s.run()
	s.lay("alpha/leads.csv", list(10, 5))
	s.lay("alpha/scan.pdf", "%PDF-1.4\n")
	want := []string{"alpha/done/leads.csv", "alpha/done/leads.csv.result.csv", "alpha/failed/scan.pdf", "alpha/failed/scan.pdf.error.txt"}
	s.folder.OnStep(func(name string) {
		if step--; step == 0 {
			at = name
			panic(errKilled)
		}
	})
	func() {
		defer killed(t)
		s.until(want...)
	}()
	s.watch()
	s.until(want...)
	all := s.imports()
	if n := s.cases(); n != 8 || len(all) != 1 || all[0].Counts.Rows != 10 || all[0].Counts.Accepted != 8 {
		t.Errorf("killed after %q: %d cases, imports %+v", at, n, all)
	}
	if n := strings.Count(s.read("alpha/done/leads.csv.result.csv"), ",LG-"); n != 8 {
		t.Errorf("killed after %q: %d numbers in the result", at, n)
	}
	return at
}

func TestTheFilesOfAPartnerWhoHasLeftWait(t *testing.T) {
	s := newShare(t)
	s.run()
	s.lay("alpha/leads.csv", list(2, 0))
	p, err := s.gateway.Partner(t.Context(), "alpha")
	if err != nil {
		t.Fatal(err)
	}
	p.Status = intake.PartnerOffboarded
	if err := s.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	s.folder.Look(t.Context())
	if trouble, _ := s.folder.Health(); len(trouble) != 1 || len(s.imports()) != 0 {
		t.Errorf("trouble %v, %d imports", trouble, len(s.imports()))
	}
	p.Status = intake.PartnerActive
	if err := s.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	s.until("alpha/done/leads.csv", "alpha/done/leads.csv.result.csv")
}
