package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
	"leadgate/intake/cputime"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
)

// knownVariable is the environment variable with how many registrations the larger store holds,
// defaultKnown if it is not set.
const (
	knownVariable = "LEADGATE_BENCH_KNOWN"
	defaultKnown  = 1_000_000
)

// BenchmarkImportFile prints how fast a CSV file becomes durable cases, from its bytes to the
// last commit, in a process of its own: beside encoding/csv, which reads the same file there, for
// files of several lengths and stores with few and many registrations. A file is new to the
// store that it is imported into.
//
//	rows/s        rows that became cases
//	of-csv        the same over the rows a second of encoding/csv
//	us/row        what a row costs
//	cpu-us/row    what it costs of the processor, which other load changes less
//	x-1k          us/row over that of the shortest file with the same store
//	x-known       us/row over that of the same file with the smallest store
//	RSS-MB        peak of the resident set above that before the import (VmHWM)
//	anon-MB       the same without pages of the store's file, which the system takes back
//	others-ms     longest that somebody else waited who had one submission accepted meanwhile
func BenchmarkImportFile(b *testing.B) {
	known := defaultKnown
	if v := os.Getenv(knownVariable); v != "" {
		var err error
		if known, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	least := map[int]float64{} // us/row by rows, with the smallest store
	for _, k := range []int{10_000, known} {
		b.Run(fmt.Sprintf("known=%d", k), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "store.db")
			began := time.Now()
			seedKnown(b, path, k)
			b.Logf("%d registrations took %v to write", k, time.Since(began).Round(time.Second))
			shortest, files := 0.0, 0
			for _, n := range []int{1000, 10_000, 50_000} {
				b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
					var all []importFigures
					for b.Loop() {
						files++
						all = append(all, importApart(b, path, k, n, files))
					}
					of := func(v func(importFigures) float64) float64 {
						var values []float64
						for _, f := range all {
							values = append(values, v(f))
						}
						return median(values)
					}
					cost := of(func(f importFigures) float64 { return f.Import.Seconds() * 1e6 / float64(n) })
					if shortest == 0 {
						shortest = cost
					}
					if least[n] == 0 {
						least[n] = cost
					}
					b.ReportMetric(1e6/cost, "rows/s")
					b.ReportMetric(of(func(f importFigures) float64 { return f.CSV.Seconds() / f.Import.Seconds() }), "of-csv")
					b.ReportMetric(cost, "us/row")
					b.ReportMetric(of(func(f importFigures) float64 { return f.CPU.Seconds() * 1e6 / float64(n) }), "cpu-us/row")
					b.ReportMetric(cost/shortest, "x-1k")
					b.ReportMetric(cost/least[n], "x-known")
					b.ReportMetric(of(func(f importFigures) float64 { return float64(f.Peak) / 1024 }), "RSS-MB")
					b.ReportMetric(of(func(f importFigures) float64 { return float64(f.Anonymous) / 1024 }), "anon-MB")
					b.ReportMetric(of(func(f importFigures) float64 { return float64(f.Longest.Microseconds()) / 1000 }), "others-ms")
					b.ReportMetric(0, "ns/op")
				})
			}
		})
	}
}

// importFigures are those of one import; sizes are in KiB.
type importFigures struct {
	Import, CSV     time.Duration
	CPU             time.Duration // for the import, also of other goroutines
	Peak, Anonymous int
	Longest         time.Duration
}

// importVariable is the environment variable by which a test binary is told to import the file
// with the store beside it, and to print importFigures.
const importVariable = "LEADGATE_BENCH_IMPORT"

// importApart has a process of its own import file number i, of n rows. A small store is copied
// before, so that it stays as small; a large one grows by the rows.
func importApart(b *testing.B, path string, known, n, i int) importFigures {
	b.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(path), "run")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := filepath.Join(dir, "store.db")
	if known > 100_000 {
		if err := os.Rename(path, store); err != nil {
			b.Fatal(err)
		}
		defer func() {
			if err := os.Rename(store, path); err != nil {
				b.Fatal(err)
			}
		}()
	} else {
		content, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(store, content, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "list.csv"), importList(i, n), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), importVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	var f importFigures
	if err := json.Unmarshal(out, &f); err != nil {
		b.Fatalf("%v in %q", err, out)
	}
	return f
}

// importList is list number i, of n companies that no other list has.
func importList(i, n int) []byte {
	var b bytes.Buffer
	b.WriteString("Company;Website;Country;Contact;Role;E-mail;Phone;Problem;Stage;Deal value;Consent\n")
	for row := range n {
		name := fmt.Sprintf("%s%d", nameOf(uint64(i)<<32|uint64(row)), i)
		fmt.Fprintf(&b, "%[1]s GmbH;www.%[1]s.example;Germany;Jane Doe;CTO;jane.doe@%[1]s.example;+49 30 %07[2]d;They lose a day a week to reports that are made by hand.;evaluation;%[3]d EUR;yes\n",
			name, 1_000_000+row, row+1000)
	}
	return b.Bytes()
}

// nameOf is a name in no order, as those of companies are.
func nameOf(n uint64) string {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return "f" + hex.EncodeToString(sum[:6])
}

// importFromEnv is what a process does that importApart started. It reports false in any other.
func importFromEnv() bool {
	dir := os.Getenv(importVariable)
	if dir == "" {
		return false
	}
	f, err := importMeasured(context.Background(), dir)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func importMeasured(ctx context.Context, dir string) (f importFigures, err error) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(dir, "store.db")})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	g, err := importGateway(store)
	if err != nil {
		return f, err
	}
	list, err := os.Open(filepath.Join(dir, "list.csv"))
	if err != nil {
		return f, err
	}
	defer list.Close()
	others := make(chan time.Duration)
	over, stop := context.WithCancel(ctx)
	defer stop()
	debug.FreeOSMemory() // what opening the store left behind is no part of idle
	idle, anonymous := memoryOf("VmRSS"), memoryOf("RssAnon")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // proc(5): a new VmHWM
		return f, err
	}
	go func() { others <- acceptAmong(over, g) }()
	peak := make(chan int)
	go func() { peak <- highest(over, "RssAnon") }()
	began, cpu := time.Now(), cputime.Used()
	im, err := importSheet(ctx, g, list)
	f.Import, f.CPU = time.Since(began), cputime.Used()-cpu
	stop()
	f.Longest, f.Anonymous, f.Peak = <-others, <-peak-anonymous, memoryOf("VmHWM")-idle
	if err != nil {
		return f, err
	}
	if im.State != intake.ImportDone || im.Counts.Accepted != im.Counts.Rows || im.Counts.Rows == 0 {
		first, err := g.RowOutcomes(ctx, im.ID, 0, 1)
		return f, errors.Join(fmt.Errorf("the import is %s, with %+v: %+v", im.State, im.Counts, first), err)
	}
	if f.CSV, err = readPlain(list, im.Counts.Rows); err != nil {
		return f, err
	}
	return f, nil
}

// importSheet takes a file in as a channel does.
func importSheet(ctx context.Context, g *intake.Gateway, list *os.File) (intake.Import, error) {
	info, err := list.Stat()
	if err != nil {
		return intake.Import{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, list); err != nil {
		return intake.Import{}, err
	}
	s, err := sheet.Open(list, info.Size(), "list.csv", sheet.Options{Extractor: extract.New(identity.Default(), extract.Options{})})
	if err != nil {
		return intake.Import{}, err
	}
	defer s.Close()
	im, err := g.OpenImport(ctx, intake.ImportFile{
		Partner: "alpha", Name: "list.csv", Channel: "csv", Sender: intake.Sender{Address: "ana@alpha.example", Strength: intake.StrengthVerified},
		Reply: intake.Route{Channel: "email", Address: "ana@alpha.example"}, Raw: intake.Raw{SHA256: hex.EncodeToString(h.Sum(nil)), Size: info.Size()},
		ReceivedAt: time.Now(),
	})
	if err != nil {
		return intake.Import{}, err
	}
	return g.RunImport(ctx, im.ID, rowsOf(s))
}

func rowsOf(s *sheet.Sheet) iter.Seq2[intake.ImportRow, error] {
	return func(yield func(intake.ImportRow, error) bool) {
		for {
			row, err := s.Next()
			if err == io.EOF {
				return
			}
			if err == nil && row.Fault != nil {
				err = errors.New(row.Fault.Message)
			}
			if !yield(intake.ImportRow{Number: row.Number, Lead: row.Lead}, err) || err != nil {
				return
			}
		}
	}
}

// acceptAmong has a submission accepted every few milliseconds, and returns how long one waited
// at most.
func acceptAmong(ctx context.Context, g *intake.Gateway) (longest time.Duration) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := uint64(0); ; n++ {
		select {
		case <-ctx.Done():
			return longest
		case <-tick.C:
		}
		at := time.Now()
		if _, err := g.Accept(context.Background(), benchSubmission(n<<8|1)); err != nil {
			panic(err)
		}
		longest = max(longest, time.Since(at))
	}
}

// readPlain is how long encoding/csv takes for the file, the median of some attempts.
func readPlain(list *os.File, rows int) (time.Duration, error) {
	var took []time.Duration
	for began := time.Now(); len(took) < 3 || time.Since(began) < 200*time.Millisecond; {
		if _, err := list.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		at := time.Now()
		r := csv.NewReader(bufio.NewReader(list))
		r.Comma, r.ReuseRecord = ';', true
		n := -1
		for ; ; n++ {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				return 0, err
			}
		}
		if n != rows {
			return 0, fmt.Errorf("encoding/csv reads %d rows, we %d", n, rows)
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// memoryOf reads a figure of this process in KiB (proc(5)).
func memoryOf(name string) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				panic(err)
			}
			return kb
		}
	}
	panic("no " + name)
}

// highest is the largest value of a figure until ctx ends.
func highest(ctx context.Context, name string) (most int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		most = max(most, memoryOf(name))
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
		}
	}
}

// importNumbers number the cases of known registrations and of imports.
func importNumbers() (intake.Numbering, error) {
	return intake.NewNumbering("LG", []byte("0123456789abcdef"))
}

// importGateway takes submissions in and judges none.
func importGateway(store intake.Store) (*intake.Gateway, error) {
	ids := identity.Default()
	spec := rules.Default()
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	policy, err := rules.New(spec, ids)
	if err != nil {
		return nil, err
	}
	numbers, err := importNumbers()
	if err != nil {
		return nil, err
	}
	g, err := intake.New(intake.Options{Store: store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor"})
	if err != nil {
		return nil, err
	}
	return g, g.PutPartners(context.Background(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}},
	})
}

// seedKnown writes a store with n registrations of another partner, each with the records that
// one leaves: its case, event, submission, and what its delivery and its content came to. In
// transactions of more, bbolt takes ever longer for a key: it splits no page before the commit.
func seedKnown(b *testing.B, path string, n int) {
	b.Helper()
	store, err := boltstore.Open(boltstore.Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	numbers, err := importNumbers()
	if err != nil {
		b.Fatal(err)
	}
	const each = 5000
	for from := 0; from < n; from += each {
		err := store.Update(b.Context(), func(tx intake.Tx) error {
			for i := from; i < min(n, from+each); i++ {
				if err := putKnown(tx, numbers, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

func putKnown(tx intake.Tx, numbers intake.Numbering, i int) error {
	at := time.Now().UTC().Add(-time.Duration(24+i%2000) * time.Hour).Truncate(time.Microsecond)
	s := benchSubmission(1)
	name := nameOf(uint64(i))
	s.Key, s.Partner, s.ReceivedAt = fmt.Sprintf("imap:partners:INBOX:1:%d", i), "beta", at
	s.Lead[intake.FieldCompanyName], s.Lead[intake.FieldCompanyDomain] = name+" GmbH", name+".example"
	seq, err := tx.Next("case")
	if err != nil {
		return err
	}
	year := time.Now().UTC().Year()
	place, err := tx.Next(fmt.Sprintf("number:%d", year))
	if err != nil {
		return err
	}
	number, err := numbers.Number(year, place)
	if err != nil {
		return err
	}
	r := intake.Registration{
		Number: number, Seq: seq, Revision: 1, Partner: s.Partner, Contact: s.Sender.Address, Strength: s.Sender.Strength,
		Channel: s.Channel, Status: intake.StatusProtected, Claim: at, Accepted: at, Since: at, Updated: at, Activity: at, Decided: at,
		Lead: s.Lead, Identity: []string{"domain:" + name + ".example", "name:" + name}, Submissions: 1, Reply: s.Reply, Events: 1,
		Protection: intake.Protection{Start: at, End: at.AddDate(0, 6, 0)},
	}
	e := intake.Event{Case: number, N: 1, At: at, Kind: intake.EventAccepted, Actor: "partner:beta", To: r.Status, Submission: 1}
	e.Seal("")
	r.Head = e.Hash
	kept, err := json.Marshal(s)
	if err != nil {
		return err
	}
	source, err := json.Marshal(map[string]any{"receipt": intake.Receipt{Case: number, Status: intake.StatusSubmitted}, "first": at, "proven": true})
	if err != nil {
		return err
	}
	return errors.Join(
		tx.PutCase(r), tx.AppendEvent(e), tx.PutRecord("submission", fmt.Sprintf("%016x/%06d", seq, 1), kept),
		tx.PutRecord("source", s.Key, source), tx.PutRecord("source", "content:"+e.Hash[:32], source),
	)
}
