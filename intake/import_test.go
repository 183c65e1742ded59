package intake_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/store/boltstore"
	"leadgate/store/memstore"
)

// file is a file of a partner as an import is opened for it; its name stands for its bytes.
func file(partner, name string) intake.ImportFile {
	sum := sha256.Sum256([]byte(name))
	address := "ana@" + partner + ".example"
	return intake.ImportFile{
		Partner: partner, Name: name, Channel: "csv", Sender: intake.Sender{Address: address, Strength: intake.StrengthVerified},
		Reply: intake.Route{Channel: "email", Address: address}, Raw: intake.Raw{SHA256: hex.EncodeToString(sum[:]), Size: 1},
		ReceivedAt: time.Now(),
	}
}

// firms are rows about different companies, numbered from 2 as a spreadsheet does below the
// header.
func firms(from, to int) []intake.ImportRow {
	var rows []intake.ImportRow
	for i := from; i < to; i++ {
		rows = append(rows, intake.ImportRow{Number: i - from + 2, Lead: firm(i)})
	}
	return rows
}

func firm(i int) intake.Lead {
	name := hex.EncodeToString([]byte(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))[:5]))
	return named("Firm "+name, fmt.Sprintf("c%d.example", i))
}

func each(rows []intake.ImportRow) iter.Seq2[intake.ImportRow, error] {
	return func(yield func(intake.ImportRow, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// drop hands a file in and takes it in to its end.
func (w *world) drop(f intake.ImportFile, rows []intake.ImportRow) intake.Import {
	w.Helper()
	im, err := w.gateway.OpenImport(w.Context(), f)
	if err != nil {
		w.Fatal(err)
	}
	im, err = w.gateway.RunImport(w.Context(), im.ID, each(rows))
	if err != nil {
		w.Fatal(err)
	}
	return im
}

func (w *world) outcomes(id string) []intake.RowOutcome {
	w.Helper()
	var all []intake.RowOutcome
	for after := 0; ; after = all[len(all)-1].Row {
		page, err := w.gateway.RowOutcomes(w.Context(), id, after, 173)
		if err != nil {
			w.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

func (w *world) wantCounts(im intake.Import, want intake.ImportCounts) {
	w.Helper()
	if im.Counts != want {
		w.Fatalf("counts %+v, want %+v", im.Counts, want)
	}
	if got := tally(w.outcomes(im.ID)); got != want {
		w.Fatalf("outcomes come to %+v, want %+v", got, want)
	}
}

// tally counts outcomes as a reader of the result would.
func tally(all []intake.RowOutcome) (n intake.ImportCounts) {
	for _, o := range all {
		n.Rows++
		switch o.Result {
		case intake.RowAccepted:
			n.Accepted++
		case intake.RowMerged, intake.RowAmended:
			n.Merged++
		case intake.RowUnchanged:
			n.Merged++
			n.Unchanged++
		case intake.RowNeedsInfo:
			n.NeedsInfo++
		case intake.RowRejected:
			n.Rejected++
		}
	}
	return n
}

// spoil makes rows ones that can't be registered, and returns what their problems are to be.
func spoil(rows []intake.ImportRow, places ...int) map[int]string {
	codes := map[int]string{}
	for n, i := range places {
		l := rows[i].Lead.Clone()
		switch n % 3 {
		case 0:
			delete(l, intake.FieldCompanyDomain)
			codes[rows[i].Number] = intake.ProblemMissing
		case 1:
			l[intake.FieldContactEmail] = "jane at home"
			codes[rows[i].Number] = intake.ProblemInvalid
		case 2:
			l[intake.FieldCompanyDomain] = "gmail.com"
			codes[rows[i].Number] = intake.ProblemFreeMail
		}
		rows[i].Lead = l
	}
	return codes
}

func TestAnImportTakesTheGoodRowsInAndTheCorrectedFileTheOthers(t *testing.T) {
	total, bad := 1000, 30
	switch {
	case testing.Short():
		total = 130
	case raceDetector: // several chunks all the same
		total = 450
	}
	inWorld(t, func(w *world) {
		rows := firms(0, total)
		var places []int
		for i := range bad {
			places = append(places, i*total/bad)
		}
		codes := spoil(rows, places...)
		im := w.drop(file("alpha", "leads.csv"), rows)
		w.wantCounts(im, intake.ImportCounts{Rows: total, Accepted: total - bad, Rejected: bad})
		for _, o := range w.outcomes(im.ID) {
			code := codes[o.Row]
			if code == "" && (o.Case == "" || len(o.Problems) > 0) {
				t.Errorf("row %d came to %+v", o.Row, o)
			}
			if code != "" && (o.Case != "" || len(o.Problems) != 1 || o.Problems[0].Code != code || o.Problems[0].Message == "" || o.Problems[0].Mend == "" || o.Problems[0].Field == "") {
				t.Errorf("row %d came to %+v, want %s", o.Row, o, code)
			}
		}
		w.pass(time.Minute)
		m := w.wantMessages(intake.MessageImported)[0]
		if m.Import.Counts != im.Counts || m.To.Address != "ana@alpha.example" {
			t.Errorf("told %+v", m.Import)
		}
		good := firms(0, total)
		again := w.drop(file("alpha", "corrected.csv"), good)
		w.wantCounts(again, intake.ImportCounts{Rows: total, Accepted: bad, Merged: total - bad, Unchanged: total - bad})
		w.pass(time.Minute)
		w.wantMessages(intake.MessageImported, intake.MessageImported)
		if n := len(w.cases()); n != total {
			t.Errorf("%d cases of %d companies", n, total)
		}
		for i, o := range w.outcomes(again.ID) {
			if r := w.story(o.Case).Registration; r.Lead[intake.FieldCompanyDomain] != good[i].Lead[intake.FieldCompanyDomain] {
				t.Errorf("row %d has case %s, which is about %s", o.Row, o.Case, r.Lead[intake.FieldCompanyDomain])
			}
		}
		w.pass(2 * time.Hour)
		w.wantMessages(intake.MessageImported, intake.MessageImported)
	}, budgeted)
}

func TestAFileThatComesAgainIsTheSameImport(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.drop(file("alpha", "a.csv"), firms(0, 5))
		w.pass(time.Hour)
		again := w.drop(file("alpha", "a.csv"), firms(0, 5))
		if again.ID != first.ID || again.Counts != first.Counts || len(w.cases()) != 5 {
			t.Errorf("again %+v, %d cases", again, len(w.cases()))
		}
		if other := w.drop(file("beta", "a.csv"), firms(5, 10)); other.ID == first.ID {
			t.Error("the same bytes of another partner are the same import")
		}
		w.pass(time.Hour)
		w.wantMessages(intake.MessageImported, intake.MessageImported)
	})
}

// TestWhatARowComesTo is the table of what rows come to, each after those before.
func TestWhatARowComesTo(t *testing.T) {
	inWorld(t, func(w *world) {
		own := w.submit("ana@alpha.example", named("Own", "own.example"))
		foreign := w.submit("eve@beta.example", named("Theirs", "theirs.example"))
		one := named("One", "one.example")
		with := func(l intake.Lead, f intake.Field, v string) intake.Lead {
			l = l.Clone()
			l[f] = v
			return l
		}
		rows := []struct {
			name    string
			row     intake.ImportRow
			result  intake.RowResult
			code    string
			of      string // number of the case, "row N" for that of a row
			because intake.Reason
		}{
			{name: "a new company is a case", row: intake.ImportRow{Lead: one}, result: intake.RowAccepted},
			{name: "the same words again are the same case", row: intake.ImportRow{Lead: one}, result: intake.RowMerged, of: "row 1", because: intake.ReasonDuplicateInFile},
			{name: "so are other words about the same company", row: intake.ImportRow{Lead: with(one, intake.FieldContactName, "Jim")}, result: intake.RowMerged, of: "row 1", because: intake.ReasonDuplicateInFile},
			{name: "what the partner registered by mail is his case of then", row: intake.ImportRow{Lead: with(named("Own", "own.example"), intake.FieldContactPhone, "+4930123456")}, result: intake.RowMerged, of: own.Case, because: intake.ReasonDuplicateOwn},
			{name: "a row with the number of an own case corrects it", row: intake.ImportRow{Case: own.Case, Lead: with(named("Own", "own.example"), intake.FieldContactRole, "CFO")}, result: intake.RowAmended, of: own.Case},
			{name: "it need say no more than that", row: intake.ImportRow{Case: own.Case, Lead: intake.Lead{intake.FieldContactName: "Jack"}}, result: intake.RowAmended, of: own.Case},
			{name: "another's number is nobody's", row: intake.ImportRow{Case: foreign.Case, Lead: named("Two", "two.example")}, result: intake.RowRejected, code: intake.ProblemUnknownCase},
			{name: "so is one that there is not", row: intake.ImportRow{Case: "LG-2026-000000-0", Lead: named("Two", "two.example")}, result: intake.RowRejected, code: intake.ProblemUnknownCase},
			{name: "or what is no number", row: intake.ImportRow{Case: "see above", Lead: named("Two", "two.example")}, result: intake.RowRejected, code: intake.ProblemUnknownCase},
			{name: "another company under an own number is a slip", row: intake.ImportRow{Case: own.Case, Lead: named("Zebra Works", "zebra.example")}, result: intake.RowRejected, code: intake.ProblemConflict},
			{name: "nobody is named", row: intake.ImportRow{Lead: intake.Lead{intake.FieldProblem: "It is all too slow."}}, result: intake.RowRejected, code: intake.ProblemMissing},
			{name: "nothing is said at all", row: intake.ImportRow{}, result: intake.RowRejected, code: intake.ProblemMissing},
			{name: "what the reader could not make anything of", row: intake.ImportRow{Lead: named("Three", "three.example"), Problems: []intake.Problem{{Field: intake.FieldStage, Code: intake.ProblemInvalid, Given: "soon"}}}, result: intake.RowRejected, code: intake.ProblemInvalid},
			{name: "the prospect is the partner", row: intake.ImportRow{Lead: named("Alpha", "alpha.example")}, result: intake.RowRejected, code: intake.ProblemOwnDomain},
			{name: "consent can be asked for", row: intake.ImportRow{Lead: without(named("Four", "four.example"), intake.FieldConsent)}, result: intake.RowNeedsInfo, code: intake.ProblemConsent},
			{name: "an account of another partner is a case like any other", row: intake.ImportRow{Lead: named("Theirs", "theirs.example")}, result: intake.RowAccepted},
			{name: "so is one that is blocked", row: intake.ImportRow{Lead: named("Blocked", "blocked.example")}, result: intake.RowAccepted},
		}
		var list []intake.ImportRow
		for i := range rows {
			rows[i].row.Number = i + 1
			list = append(list, rows[i].row)
		}
		im := w.drop(file("alpha", "mixed.csv"), list)
		got := w.outcomes(im.ID)
		for i, want := range rows {
			o := got[i]
			var code string
			if len(o.Problems) > 0 {
				code = o.Problems[0].Code
			}
			if o.Row != i+1 || o.Result != want.result || code != want.code || o.Reason != want.because || (o.Case == "") != (want.result == intake.RowRejected) {
				t.Errorf("%s: %+v", want.name, o)
			}
			if want.of == "row 1" {
				want.of = got[0].Case
			}
			if want.of != "" && o.Case != want.of {
				t.Errorf("%s: case %s, want %s", want.name, o.Case, want.of)
			}
		}
		if r := w.story(own.Case).Registration; r.Lead[intake.FieldContactRole] != "CFO" || r.Lead[intake.FieldContactName] != "Jack" {
			t.Errorf("not corrected: %v", r.Lead)
		}
		if foreign, unknown := got[6].Problems[0], got[7].Problems[0]; strings.ReplaceAll(foreign.Message, foreign.Given, "") != strings.ReplaceAll(unknown.Message, unknown.Given, "") || foreign.Mend != unknown.Mend {
			t.Errorf("%+v tells another's case from none, %+v", foreign, unknown)
		}
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved, intake.MessageApproved, intake.MessageImported)
	})
}

func TestTheResultFileDroppedAgainWithItsCaseNumbersDoesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 20)
		rows[3].Extra = []intake.Extra{{Column: "Region", Value: "North"}}
		im := w.drop(file("alpha", "a.csv"), rows)
		w.pass(time.Minute)
		before := revisions(w)
		for i, o := range w.outcomes(im.ID) {
			rows[i].Case = o.Case
		}
		f := file("alpha", "a-result.csv")
		f.Sender.Address = "bob@alpha.example" // of the same partner
		again := w.drop(f, rows)
		w.wantCounts(again, intake.ImportCounts{Rows: 20, Merged: 20, Unchanged: 20})
		w.pass(time.Minute)
		if !maps.Equal(before, revisions(w)) {
			t.Error("a case changed")
		}
		w.wantMessages(intake.MessageImported, intake.MessageImported)
	})
}

func revisions(w *world) map[string]int {
	all := map[string]int{}
	for _, r := range w.cases() {
		all[r.Number] = r.Events - len(notified(w, r.Number))
	}
	return all
}

func notified(w *world, number string) (list []intake.Event) {
	for _, e := range w.story(number).Events {
		if e.Kind == intake.EventNotified {
			list = append(list, e)
		}
	}
	return list
}

func TestFilesThatOverlapMakeEachCompanyOneCase(t *testing.T) {
	inWorld(t, func(w *world) {
		w.drop(file("alpha", "a.csv"), firms(0, 30))
		second := w.drop(file("alpha", "b.csv"), firms(20, 50))
		w.wantCounts(second, intake.ImportCounts{Rows: 30, Accepted: 20, Merged: 10, Unchanged: 10})
		if n := len(w.cases()); n != 50 {
			t.Errorf("%d cases", n)
		}
	})
}

func TestARowThatMakesADealOfALeadIsToldOfWithTheFile(t *testing.T) {
	inWorld(t, func(w *world) {
		lead := w.submit("ana@alpha.example", named("Own", "own.example"))
		w.wantStatus(lead.Case, intake.StatusProvisional)
		deal := named("Own", "own.example")
		deal[intake.FieldKind] = intake.KindDeal
		im := w.drop(file("alpha", "deals.csv"), []intake.ImportRow{{Number: 2, Lead: deal}})
		w.wantCounts(im, intake.ImportCounts{Rows: 1, Accepted: 1})
		if o := w.outcomes(im.ID)[0]; o.Case == lead.Case || w.story(o.Case).Registration.Parent != lead.Case {
			t.Errorf("%+v", o)
		}
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved, intake.MessageImported)
	})
}

// killed is a store that is gone after some commits: before the next one, or after it without
// saying so.
type killed struct {
	intake.Store
	mu    sync.Mutex
	left  int
	after bool
}

func (k *killed) Update(ctx context.Context, fn func(intake.Tx) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left < 0 || k.left == 0 && !k.after {
		k.left = -1
		return errDown
	}
	err := k.Store.Update(ctx, fn)
	if k.left--; k.left < 0 {
		return errDown
	}
	return err
}

// TestAnImportThatIsKilledAnywhereCountsEachRowOnce kills it around each commit there is, and has
// it go on from the file.
func TestAnImportThatIsKilledAnywhereCountsEachRowOnce(t *testing.T) {
	rows := append(firms(0, 420), firms(10, 12)...)
	for i := range rows {
		rows[i].Number = i + 2
	}
	spoil(rows, 3, 150)
	f := file("alpha", "a.csv")
	for point := 0; ; point++ {
		store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
		if err != nil {
			t.Fatal(err)
		}
		k := &killed{Store: store, left: 1 << 30, after: point%2 == 1}
		w := newWorld(t, k)
		k.left = point / 2
		whole := func() error {
			im, err := w.gateway.OpenImport(t.Context(), f)
			if err != nil {
				return err
			}
			_, err = w.gateway.RunImport(t.Context(), im.ID, each(rows))
			return err
		}
		died := whole()
		k.left = 1 << 30
		if err := whole(); err != nil {
			t.Fatal(err)
		}
		im, err := w.gateway.Import(t.Context(), intake.ImportID("alpha", f.Raw.SHA256))
		if err != nil || im.State != intake.ImportDone || im.Total != len(rows) {
			t.Fatalf("killed at %d: %+v, %v", point, im, err)
		}
		w.wantCounts(im, intake.ImportCounts{Rows: 422, Accepted: 418, Merged: 2, Rejected: 2})
		for i, o := range w.outcomes(im.ID) {
			if o.Row != i+2 {
				t.Fatalf("killed at %d: outcome %d is of row %d", point, i, o.Row)
			}
		}
		if n := len(w.cases()); n != 418 {
			t.Fatalf("killed at %d: %d cases", point, n)
		}
		store.Close()
		if died == nil {
			if point < 8 {
				t.Errorf("%d points are not all", point)
			}
			return
		}
	}
}

func TestTwoWhoTakeTheSameFileInAtOnceCountEachRowOnce(t *testing.T) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWorld(t, store)
	rows := firms(0, 300)
	im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gateway.StartImport(t.Context(), im.ID); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, size := range []int{7, 20} {
		wg.Go(func() {
			for chunk := range slices.Chunk(rows, size) {
				if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, chunk); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if im, err = w.gateway.FinishImport(t.Context(), im.ID); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(im, intake.ImportCounts{Rows: 300, Accepted: 300})
	if n := len(w.cases()); n != 300 {
		t.Errorf("%d cases", n)
	}
}

func TestTwoPartnersFilesNeverGiveAnAccountToBoth(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 60)
		backwards := slices.Clone(rows)
		slices.Reverse(backwards)
		for i := range backwards {
			backwards[i].Number = i + 2
		}
		var wg sync.WaitGroup
		for _, f := range []struct {
			partner string
			rows    []intake.ImportRow
		}{{"alpha", rows}, {"beta", backwards}} {
			wg.Go(func() {
				im, err := w.gateway.OpenImport(t.Context(), file(f.partner, f.partner+".csv"))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := w.gateway.StartImport(t.Context(), im.ID); err != nil {
					t.Error(err)
				}
				for chunk := range slices.Chunk(f.rows, 7) {
					if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, chunk); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Millisecond)
				}
				if _, err := w.gateway.FinishImport(t.Context(), im.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.pass(10 * time.Minute)
		holders := map[string]int{}
		for _, r := range w.cases() {
			if r.Status == intake.StatusSubmitted {
				t.Errorf("%s was never judged", r.Number)
			}
			if r.Status.Holds() {
				holders[r.Lead[intake.FieldCompanyDomain]]++
			}
		}
		for _, row := range rows {
			if n := holders[row.Lead[intake.FieldCompanyDomain]]; n != 1 {
				t.Errorf("%s has %d holders", row.Lead[intake.FieldCompanyDomain], n)
			}
		}
		w.wantMessages(intake.MessageImported, intake.MessageImported)
	})
}

func TestAPreviewSaysWhatWouldBeAndLeavesNoTrace(t *testing.T) {
	inWorld(t, func(w *world) {
		own := w.submit("ana@alpha.example", firm(7))
		w.submit("eve@beta.example", firm(8))
		w.pass(time.Minute)
		rows := firms(0, 40)
		spoil(rows, 0, 1, 2)
		rows[10].Lead = without(rows[10].Lead, intake.FieldConsent)
		rows[11].Lead = named("Blocked", "blocked.example")
		rows = append(rows, intake.ImportRow{Number: 100, Lead: firm(20)}, intake.ImportRow{Number: 101, Lead: named("Other words", "c21.example")})
		before := fmt.Sprintf("%+v", w.store)
		p, err := w.gateway.PreviewImport(t.Context(), file("alpha", "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		var told []intake.RowOutcome
		for chunk := range slices.Chunk(rows, 15) {
			part, err := p.Add(t.Context(), chunk)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, part...)
		}
		if fmt.Sprintf("%+v", w.store) != before {
			t.Error("the preview left something behind")
		}
		for i, o := range told {
			if i == 7 && o.Case != own.Case || i != 7 && o.Case != "" {
				t.Errorf("row %d names case %q", o.Row, o.Case)
			}
		}
		if told[8].Result != told[9].Result || told[11].Result != told[9].Result || told[8].Reason != "" || told[8].Problems != nil {
			t.Errorf("taken %+v and blocked %+v read otherwise than free %+v", told[8], told[11], told[9])
		}
		verdicts := p.Verdicts()
		if n := verdicts[intake.Verdicts{Outcome: intake.OutcomeDecline, Reason: intake.ReasonBlocked}]; n != 1 {
			t.Errorf("%v", verdicts)
		}
		if verdicts[intake.Verdicts{Outcome: intake.OutcomeApprove}] != 33 || len(verdicts) != 4 {
			t.Errorf("%v", verdicts)
		}
		im := w.drop(file("alpha", "a.csv"), rows)
		w.wantCounts(im, p.Counts())
	})
}

func TestTheSummaryWaitsForTheLastCaseAndNoLongerThanItsPatience(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration // the CRM, for one of the companies
		after time.Duration
		late  []intake.MessageKind
	}{
		"one that is slow":  {2 * time.Second, 6 * time.Second, nil},
		"one that is stuck": {20 * time.Minute, 16 * time.Minute, []intake.MessageKind{intake.MessageApproved}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				until := time.Now().Add(c.takes)
				w.crm.set(func() {
					w.crm.lookup = func(l intake.Lead) ([]intake.Match, error) {
						if l[intake.FieldCompanyDomain] == "c3.example" {
							time.Sleep(time.Until(until))
						}
						return nil, nil
					}
				})
				w.drop(file("alpha", "a.csv"), firms(0, 6))
				w.pass(time.Second)
				w.wantMessages()
				w.pass(c.after)
				w.wantMessages(intake.MessageImported)
				w.pass(time.Hour)
				w.wantMessages(append([]intake.MessageKind{intake.MessageImported}, c.late...)...)
			})
		})
	}
}

func TestWhatHappensToACaseAfterTheSummaryIsToldByItself(t *testing.T) {
	inWorld(t, func(w *world) {
		im := w.drop(file("alpha", "a.csv"), firms(0, 3))
		w.pass(time.Minute)
		w.wantMessages(intake.MessageImported)
		number := w.outcomes(im.ID)[0].Case
		if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.wantMessages(intake.MessageImported, intake.MessageApproved)
	}, assist)
}

func TestAnImportThatIsCancelledKeepsWhatItHasAndCanGoOn(t *testing.T) {
	inWorld(t, func(w *world) {
		f := file("alpha", "a.csv")
		f.Total = 30
		rows := firms(0, 30)
		im, err := w.gateway.OpenImport(t.Context(), f)
		if err != nil || im.State != intake.ImportPreviewed {
			t.Fatal(im, err)
		}
		if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, rows[:10]); !errors.Is(err, intake.ErrImportOver) {
			t.Errorf("rows were taken before anybody said so: %v", err)
		}
		if _, err := w.gateway.StartImport(t.Context(), im.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, rows[:10]); err != nil {
			t.Fatal(err)
		}
		if running, _, err := w.gateway.Imports(t.Context(), intake.ImportQuery{State: intake.ImportRunning, Limit: 5}); err != nil || len(running) != 1 || running[0].Last != 11 {
			t.Errorf("running: %+v, %v", running, err)
		}
		if _, err := w.gateway.CancelImport(t.Context(), im.ID, "ana"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, rows[10:20]); !errors.Is(err, intake.ErrImportOver) {
			t.Errorf("rows were taken afterwards: %v", err)
		}
		if _, err := w.gateway.FinishImport(t.Context(), im.ID); !errors.Is(err, intake.ErrImportOver) {
			t.Errorf("it came to an end afterwards: %v", err)
		}
		w.pass(time.Minute)
		m := w.wantMessages(intake.MessageImported)[0]
		if m.Import.Left != 20 || m.Import.State != intake.ImportCancelled || len(w.cases()) != 10 {
			t.Errorf("told %+v, %d cases", m.Import, len(w.cases()))
		}
		done := w.drop(f, rows)
		w.wantCounts(done, intake.ImportCounts{Rows: 30, Accepted: 30})
		w.pass(time.Minute)
		w.wantMessages(intake.MessageImported, intake.MessageImported)
	})
}

func TestAFileThatCannotBeReadToItsEndIsToldOf(t *testing.T) {
	inWorld(t, func(w *world) {
		im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		broken := func(yield func(intake.ImportRow, error) bool) {
			for _, r := range firms(0, 12) {
				if !yield(r, nil) {
					return
				}
			}
			yield(intake.ImportRow{}, errDown)
		}
		if _, err := w.gateway.RunImport(t.Context(), im.ID, broken); !errors.Is(err, errDown) {
			t.Fatal(err)
		}
		im, err = w.gateway.FailImport(t.Context(), im.ID, intake.Problem{Code: intake.ProblemInvalid, Message: "the quotation in line 502 has no end"}, 502)
		if err != nil || im.State != intake.ImportFailed || im.Counts.Accepted != 12 {
			t.Errorf("%+v, %v", im, err)
		}
		w.pass(time.Minute)
		if m := w.wantMessages(intake.MessageImported)[0]; m.Import.State != intake.ImportFailed || m.Import.Place != "row 502" {
			t.Errorf("told %+v", m.Import)
		}
	})
}

// TestCountsAddUp for whatever stands in rows and however they are cut into chunks, and in the
// preview as in the import.
func TestCountsAddUp(t *testing.T) {
	outer := t
	value := rapid.OneOf(rapid.SampledFrom([]string{"", "x", "gmail.com", "jane@", "LG-2026-000001-X"}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		var rows []intake.ImportRow
		for i := range rapid.IntRange(1, 25).Draw(t, "rows") {
			row := intake.ImportRow{Number: i*2 + 1, Lead: firm(rapid.IntRange(0, 8).Draw(t, "company"))}
			for range rapid.IntRange(0, 3).Draw(t, "odd values") {
				row.Lead[rapid.SampledFrom(intake.Fields()).Draw(t, "field")] = value.Draw(t, "value")
			}
			if rapid.IntRange(0, 4).Draw(t, "names a case") == 0 {
				row.Case = value.Draw(t, "case")
			}
			if rapid.IntRange(0, 4).Draw(t, "has more") == 0 {
				row.Extra = []intake.Extra{{Column: value.Draw(t, "column"), Value: value.Draw(t, "extra")}}
			}
			rows = append(rows, row)
		}
		g := newWorld(outer, memstore.New(memstore.RunTwice())).gateway
		f := file("alpha", "a.csv")
		p, err := g.PreviewImport(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		im, err := g.OpenImport(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.StartImport(t.Context(), im.ID); err != nil {
			t.Fatal(err)
		}
		size := rapid.IntRange(1, 9).Draw(t, "chunk")
		for chunk := range slices.Chunk(rows, size) {
			if _, err := p.Add(t.Context(), chunk); err != nil {
				t.Fatal(err)
			}
		}
		for chunk := range slices.Chunk(rows, size) {
			if im, _, err = g.AcceptRows(t.Context(), im.ID, chunk); err != nil {
				t.Fatal(err)
			}
		}
		n := im.Counts
		if n.Rows != len(rows) || n.Accepted+n.Merged+n.NeedsInfo+n.Rejected != n.Rows || n.Unchanged > n.Merged {
			t.Fatalf("%d rows: %+v", len(rows), n)
		}
		all, err := g.RowOutcomes(t.Context(), im.ID, 0, len(rows)+1)
		if err != nil || tally(all) != n {
			t.Fatalf("%v: outcomes %+v, counts %+v", err, tally(all), n)
		}
		cases, err := g.Cases(t.Context(), intake.CaseQuery{Limit: 100})
		if err != nil || len(cases) != n.Accepted+n.NeedsInfo {
			t.Fatalf("%d cases, %+v", len(cases), n)
		}
	})
}

func TestAFileThatIsLookedAtFirstKeepsNoPlaceUntilItIsTakenIn(t *testing.T) {
	for name, c := range map[string]struct {
		atOnce bool
		claim  time.Duration // from when the file came
	}{
		"it counts from when somebody has it taken in":      {false, 48 * time.Hour},
		"one that was sent to be taken in counts from then": {true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				came, f := time.Now(), file("alpha", "a.csv")
				f.ReceivedAt, f.AtOnce = came, c.atOnce
				if _, err := w.gateway.OpenImport(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				w.pass(48 * time.Hour)
				im := w.drop(f, firms(0, 3))
				got, err := w.gateway.CaseOf(t.Context(), w.outcomes(im.ID)[0].Case)
				if err != nil || got.Claim.Sub(came).Round(time.Second) != c.claim {
					t.Errorf("claimed %v after it came, %v", got.Claim.Sub(came), err)
				}
			})
		})
	}
}

func TestAFileThatWasCancelledHasGivenUpItsPlace(t *testing.T) {
	start := func(w *world, id string) (intake.Import, error) { return w.gateway.StartImport(w.Context(), id) }
	cancel := func(w *world, id string) (intake.Import, error) {
		return w.gateway.CancelImport(w.Context(), id, "ana")
	}
	for name, turns := range map[string][]func(*world, string) (intake.Import, error){
		"while it ran": {start, cancel}, "before anybody had it taken in": {cancel},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				came, f := time.Now(), file("alpha", "a.csv")
				f.ReceivedAt, f.AtOnce = came, true
				im, err := w.gateway.OpenImport(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, turn := range turns {
					if _, err := turn(w, im.ID); err != nil {
						t.Fatal(err)
					}
				}
				w.pass(24 * time.Hour)
				w.drop(f, firms(0, 3))
				got, err := w.gateway.CaseOf(t.Context(), w.outcomes(im.ID)[0].Case)
				if err != nil || got.Claim.Sub(came).Round(time.Second) != 24*time.Hour {
					t.Errorf("claimed %v after it came, %v", got.Claim.Sub(came), err)
				}
			})
		})
	}
}
