package csvdrop_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/channels/csvdrop"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
	"leadgate/templates"
)

// world is a gateway with a Drop and two partners, alpha and beta.
type world struct {
	*testing.T
	gateway *intake.Gateway
	drop    *csvdrop.Drop
	path    string
	store   *boltstore.Store
}

func open(t *testing.T, path string) *world {
	t.Helper()
	w := &world{T: t, path: path}
	var err error
	if w.store, err = boltstore.Open(boltstore.Options{Path: path}); err != nil {
		t.Fatal(err)
	}
	ids := identity.Default()
	c := rules.Default()
	c.Contact.Name, c.Contact.Email = "Pia Manager", "pia@vendor.example"
	policy, err := rules.New(c, ids)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	links, err := intake.NewLinks("https://partners.vendor.example", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	w.gateway, err = intake.New(intake.Options{
		Store: w.store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor", Links: links, Alone: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	w.drop = csvdrop.New(csvdrop.Deps{
		Gateway: w.gateway, Extractor: extract.New(ids, extract.Options{}), Words: words, TempDir: t.TempDir(),
	})
	t.Cleanup(w.close)
	return w
}

func begin(t *testing.T) *world {
	w := open(t, t.TempDir()+"/leadgate.db")
	var partners []intake.Partner
	for _, id := range []string{"alpha", "beta"} {
		partners = append(partners, intake.Partner{
			ID: id, Name: strings.ToUpper(id), Status: intake.PartnerActive, Motion: "referral", Domains: []string{id + ".example"},
		})
	}
	clean, faults, err := w.gateway.CheckPartners(t.Context(), partners)
	if err != nil || len(faults) > 0 {
		t.Fatal(faults, err)
	}
	if err := w.gateway.PutPartners(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) close() {
	w.drop.Close()
	if err := w.store.Close(); err != nil {
		w.Error(err)
	}
}

// list is a file of rows about different companies. Every bad-th row lacks the consent.
func list(rows, bad int) string {
	var b strings.Builder
	b.WriteString("Company,Website,Country,Contact,Role,E-mail,Problem,Stage,Consent\n")
	for i := range rows {
		consent := "yes"
		if bad > 0 && i%bad == bad-1 {
			consent = "they said what?"
		}
		fmt.Fprintf(&b, "Firm %s,www.c%d.example,Germany,Jane Doe,CTO,jane@c%d.example,They lose a day a week to manual reports.,evaluation,%s\n", name(i), i, i, consent)
	}
	return b.String()
}

// name is one that is not like another.
func name(i int) string {
	const parts = "bcdfghjklmnpqrstvwxz"
	var b strings.Builder
	for n := i*7919 + 104729; n > 0; n /= len(parts) {
		b.WriteByte(parts[n%len(parts)])
		b.WriteByte("aeiou"[n%5])
	}
	return b.String()
}

func (w *world) offer(partner, name, content string) intake.Import {
	w.Helper()
	address := "ana@" + partner + ".example"
	im, err := w.drop.Offer(w.Context(), io.NewSectionReader(strings.NewReader(content), 0, int64(len(content))), intake.ImportFile{
		Partner: partner, Name: name, Sender: intake.Sender{Address: address, Strength: intake.StrengthVerified},
	})
	if err != nil {
		w.Fatal(err)
	}
	return im
}

// taken waits until an import is over.
func (w *world) taken(id string) intake.Import {
	w.Helper()
	if _, err := w.drop.Start(w.Context(), id); err != nil {
		w.Fatal(err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		im, err := w.gateway.Import(w.Context(), id)
		if err != nil {
			w.Fatal(err)
		}
		if im.State != intake.ImportRunning {
			return im
		}
		select {
		case <-tick.C:
		case <-w.Context().Done():
			w.Fatal(w.Context().Err())
		}
	}
}

func (w *world) result(im intake.Import, format string) []byte {
	w.Helper()
	var b bytes.Buffer
	if err := w.drop.Result(w.Context(), im, format, &b); err != nil {
		w.Fatal(err)
	}
	return b.Bytes()
}

func TestTheCorrectedResultOfAListRegistersWhatWasWrongAndNothingTwice(t *testing.T) {
	const rows, bad = 1000, 30
	for _, format := range []string{"csv", "xlsx"} {
		t.Run(format, func(t *testing.T) {
			w := begin(t)
			first := w.taken(w.offer("alpha", "leads.csv", list(rows, rows/bad)).ID)
			n := first.Counts
			if n.Rows != rows || n.Accepted+n.NeedsInfo+n.Rejected != rows || n.Rejected != rows/(rows/bad) {
				t.Fatalf("%+v", n)
			}
			corrected := correct(t, w.result(first, format))
			again := w.taken(w.offer("alpha", "leads."+format, corrected).ID)
			if again.Counts.Accepted != n.Rejected || again.Counts.Rejected != 0 || again.Counts.Unchanged != n.Accepted {
				t.Errorf("first %+v, then %+v", n, again.Counts)
			}
			cases := 0
			for before := uint64(0); ; {
				page, err := w.gateway.Cases(t.Context(), intake.CaseQuery{Limit: 500, Before: before})
				if err != nil {
					t.Fatal(err)
				}
				cases += len(page)
				if len(page) < 500 {
					break
				}
				before = page[len(page)-1].Seq
			}
			if cases != rows {
				t.Errorf("%d cases of %d rows", cases, rows)
			}
		})
	}
}

// correct mends a result file as its reader would, in a program of his: here by reading it, and
// writing the cells anew.
func correct(t *testing.T, file []byte) string {
	t.Helper()
	s, err := sheet.Open(bytes.NewReader(file), int64(len(file)), "result", sheet.Options{Extractor: extract.New(identity.Default(), extract.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Answered() {
		t.Fatal("the result is not known as one")
	}
	var b strings.Builder
	for _, c := range s.Columns() {
		b.WriteString(c.Name + ";")
	}
	b.WriteString(strings.Join(sheet.AnswerColumns(), ";") + "\n")
	for {
		row, err := s.Next()
		if err != nil {
			return b.String()
		}
		for _, cell := range row.Cells {
			b.WriteString(strings.ReplaceAll(cell, "they said what?", "yes") + ";")
		}
		b.WriteString(row.Answer.Case + ";" + row.Answer.Result + ";;;\n")
	}
}

func TestTheSameFileIsTheSameImportWhoeverKnowsIt(t *testing.T) {
	w := begin(t)
	first := w.taken(w.offer("alpha", "leads.csv", list(3, 0)).ID)
	if again := w.offer("alpha", "copy.csv", list(3, 0)); again.ID != first.ID || again.State != intake.ImportDone {
		t.Errorf("%+v", again)
	}
	if other := w.offer("beta", "leads.csv", list(3, 0)); other.ID == first.ID || other.State != intake.ImportPreviewed {
		t.Errorf("%+v", other)
	}
}

func TestAPreviewSaysWhatComesAndLeavesNothing(t *testing.T) {
	w := begin(t)
	im := w.offer("alpha", "leads.csv", list(250, 50))
	p, err := w.drop.Preview(t.Context(), im, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Done || p.Counts.Rows != 250 || p.Counts.Rejected != 5 || len(p.Faults) == 0 {
		t.Errorf("%+v", p)
	}
	if f := p.Faults[0]; f.Row != 51 || f.Place() == "" || f.Mend == "" {
		t.Errorf("%+v", f)
	}
	if cases, err := w.gateway.Cases(t.Context(), intake.CaseQuery{Limit: 1}); len(cases) > 0 || err != nil {
		t.Error(cases, err)
	}
	if im = w.taken(im.ID); im.Counts != p.Counts {
		t.Errorf("the preview said %+v, it came to %+v", p.Counts, im.Counts)
	}
}

func TestAnImportGoesOnAfterTheGatewayWasStopped(t *testing.T) {
	w := begin(t)
	im := w.offer("alpha", "leads.csv", list(700, 0))
	if _, err := w.drop.Start(t.Context(), im.ID); err != nil {
		t.Fatal(err)
	}
	w.close()
	w = open(t, w.path)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.drop.Run(ctx, nil) }()
	if im = w.taken(im.ID); im.Counts.Rows != 700 || im.Counts.Accepted != 700 {
		t.Errorf("%+v", im)
	}
	stop()
	<-done
}

func TestAFileThatBreaksOffFailsWithTheWordsForIt(t *testing.T) {
	w := begin(t)
	torn := list(3, 0) + strings.Repeat("A;\"a.example\n", 200)
	im := w.taken(w.offer("alpha", "leads.csv", strings.ReplaceAll(torn, ";", ",")).ID)
	if im.State != intake.ImportFailed || im.Cause == nil || im.Cause.Message == "" || im.Counts.Accepted != 3 {
		t.Errorf("%+v", im)
	}
}

func TestWhatWasErasedIsInNoFileAnyMore(t *testing.T) {
	w := begin(t)
	im := w.taken(w.offer("alpha", "leads.csv", list(4, 2)).ID)
	rows, err := w.gateway.RowOutcomes(t.Context(), im.ID, 0, 10)
	if err != nil || rows[0].Case == "" {
		t.Fatal(rows, err)
	}
	if _, err := w.gateway.Erase(t.Context(), rows[0].Case, intake.Verdict{By: "mia", Rationale: "Jane Doe asked for it"}); err != nil {
		t.Fatal(err)
	}
	if im, err = w.gateway.Import(t.Context(), im.ID); err != nil || im.Erased.IsZero() {
		t.Fatal(im, err)
	}
	if err := w.drop.Result(t.Context(), im, "", new(bytes.Buffer)); err == nil {
		t.Error("there is a result")
	}
	if err := w.gateway.Raw(t.Context(), im.Raw, new(bytes.Buffer)); err == nil {
		t.Error("there is the file")
	}
	if rows, err = w.gateway.RowOutcomes(t.Context(), im.ID, 0, 10); err != nil || slices.ContainsFunc(rows, func(o intake.RowOutcome) bool {
		return slices.ContainsFunc(o.Problems, func(p intake.RowProblem) bool { return p.Given != "" })
	}) {
		t.Error(rows, err)
	}
	if again := w.taken(w.offer("alpha", "leads.csv", list(4, 2)).ID); again.Counts.Rows != 4 || !again.Erased.IsZero() {
		t.Errorf("the file came anew: %+v", again)
	}
}

func TestAFileThatTwoPartnersHandedInIsKeptForTheOtherWhenItIsErasedForOne(t *testing.T) {
	w := begin(t)
	ours, theirs := w.taken(w.offer("alpha", "leads.csv", list(4, 2)).ID), w.offer("beta", "leads.csv", list(4, 2))
	if ours.Raw.SHA256 != theirs.Raw.SHA256 {
		t.Fatal("not the same bytes")
	}
	erase := func(id string) {
		t.Helper()
		rows, err := w.gateway.RowOutcomes(t.Context(), id, 0, 10)
		if err != nil || rows[0].Case == "" {
			t.Fatal(rows, err)
		}
		if _, err := w.gateway.Erase(t.Context(), rows[0].Case, intake.Verdict{By: "mia", Rationale: "Jane Doe asked for it"}); err != nil {
			t.Fatal(err)
		}
	}
	erase(ours.ID)
	if im := w.taken(theirs.ID); im.State != intake.ImportDone || im.Counts.Rows != 4 {
		t.Fatalf("%+v", im)
	}
	if err := w.drop.Result(t.Context(), theirs, "", new(bytes.Buffer)); err != nil {
		t.Error(err)
	}
	erase(theirs.ID)
	if err := w.gateway.Raw(t.Context(), theirs.Raw, new(bytes.Buffer)); err == nil {
		t.Error("the file is kept for nobody")
	}
}

func TestTheLinkOfAFileIsForThatFileUntilItIsRevoked(t *testing.T) {
	w := begin(t)
	im := w.offer("alpha", "leads.csv", list(3, 0))
	token := im.Link[strings.LastIndexByte(im.Link, '/')+1:]
	if got, err := w.gateway.ImportByLink(t.Context(), token); err != nil || got.ID != im.ID {
		t.Error(got, err)
	}
	form, _, err := w.gateway.FormLink(t.Context(), "alpha", intake.PurposeForm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gateway.ImportByLink(t.Context(), form[strings.IndexByte(form, '=')+1:]); err != intake.ErrLinkInvalid {
		t.Error(err)
	}
	if err := w.gateway.RevokeFormLinks(t.Context(), "alpha"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.gateway.ImportByLink(t.Context(), token); err != intake.ErrLinkRevoked {
		t.Error(err)
	}
	// Whoever hands it in again, by a link of today, gets one that works.
	again := w.offer("alpha", "leads.csv", list(3, 0))
	for range 2 {
		if got, err := w.gateway.ImportByLink(t.Context(), again.Link[strings.LastIndexByte(again.Link, '/')+1:]); err != nil || got.ID != im.ID {
			t.Error(got, err)
		}
		if once := w.offer("alpha", "leads.csv", list(3, 0)); once.Link != again.Link {
			t.Error("a link that works was replaced")
		}
	}
}

func TestHowManyRowsThereAreIsKnownAtOnce(t *testing.T) {
	w := begin(t)
	first := w.offer("alpha", "leads.csv", list(250, 50))
	if first.Total != 250 || first.State != intake.ImportPreviewed {
		t.Errorf("%+v", first)
	}
	done := w.taken(first.ID)
	for _, format := range []string{"csv", "xlsx"} {
		if again := w.offer("beta", "result."+format, string(w.result(done, format))); again.Total != 250 {
			t.Errorf("%s: %d rows", format, again.Total)
		}
	}
}

func TestEveryCodeOfAFileHasWordsInEveryLanguage(t *testing.T) {
	codes := append(sheet.Codes(), csvdrop.CodeErased, intake.ProblemMissing, intake.ProblemConsent, intake.ProblemUnknownCase, intake.ProblemConflict,
		intake.ProblemFreeMail, intake.ProblemOwnDomain, intake.ProblemTooLong, intake.ProblemTooShort, intake.ProblemInvalid, intake.ProblemInvalidDomain, intake.ProblemNotCompanyDomain)
	for _, code := range codes {
		p := intake.RowProblem{Problem: intake.Problem{Code: code, Message: "in English", Field: intake.FieldCompanyName, Given: "x"}, Mend: "mend it"}
		if got := templates.Fault("de", p); strings.Contains(got, "English") || strings.ContainsAny(got, "{}") {
			t.Errorf("%s: %q", code, got)
		}
		if got := templates.Fault("en", p); got != "in English; mend it" {
			t.Errorf("%s: %q", code, got)
		}
	}
}

// held holds the preview of a list at its first rows, until it is let go.
type held struct {
	csvdrop.Gateway
	began, free chan struct{}
}

func (h held) PreviewImport(ctx context.Context, f intake.ImportFile) (*intake.ImportPreview, error) {
	h.began <- struct{}{}
	<-h.free
	return h.Gateway.PreviewImport(ctx, f)
}

func TestAPreviewThatNobodyWantsAnyMoreStopsAndCanBeMadeAnew(t *testing.T) {
	w := begin(t)
	h := held{w.gateway, make(chan struct{}, 10), make(chan struct{})}
	d := csvdrop.New(csvdrop.Deps{Gateway: h, Extractor: w.drop.Extractor, Words: w.drop.Words, TempDir: t.TempDir()})
	defer d.Close()
	im := w.offer("alpha", "leads.csv", list(2000, 0))
	if p, err := d.Checked(im); p.Done || err != nil {
		t.Fatal(p, err)
	}
	<-h.began
	d.Forget(im.ID)
	if _, err := d.Checked(im); err != nil { // before the first has stopped
		t.Fatal(err)
	}
	close(h.free)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		p, err := d.Checked(im)
		if err != nil {
			t.Fatal(err)
		}
		if p.Done {
			if p.Counts.Rows != 2000 {
				t.Errorf("%+v", p.Counts)
			}
			break
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it was never made anew")
		}
	}
	if n := len(h.began); n != 1 {
		t.Errorf("%d previews more were made, want one", n)
	}
}
