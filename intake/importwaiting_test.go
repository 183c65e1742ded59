package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
)

// toldOfFiles are the messages about files, of which the rest tells nothing of a single case.
func toldOfFiles(w *world) (of []intake.ImportFacts) {
	w.Helper()
	for _, m := range w.channel.messages() {
		if m.Kind == intake.MessageImported {
			of = append(of, *m.Import)
		} else if m.Brief == nil {
			w.Errorf("a message of its own: %s about %s", m.Kind, m.Facts.Case)
		}
	}
	return of
}

func TestTheQuestionsOfAFileAreRemindedOfTogether(t *testing.T) {
	inWorld(t, func(w *world) {
		var rows []intake.ImportRow
		for i, row := range firms(0, 40) {
			if i%4 == 0 {
				row.Lead = without(row.Lead, intake.FieldConsent)
			}
			rows = append(rows, row)
		}
		im := w.drop(file("alpha", "a.csv"), rows)
		if im.Counts.NeedsInfo != 10 {
			t.Fatalf("%+v", im.Counts)
		}
		w.pass(16 * 24 * time.Hour)
		told := toldOfFiles(w)
		var got []intake.ImportStanding
		asked, lapsed, expired := 0, 0, 0
		for _, f := range told[1:] {
			got = append(got, *f.Standing)
			if f.Standing.Waiting == 10 && !f.Standing.Due.IsZero() {
				asked++
			}
			lapsed += f.Standing.Lapsed
			expired += f.Standing.Expired
		}
		if len(got) > 8 || asked < 2 || lapsed != 10 || expired != 30 {
			t.Errorf("told %d times: %+v", len(got), got)
		}
	})
}

func TestDecisionsOfAFileThatAreLateAreToldTogether(t *testing.T) {
	inWorld(t, func(w *world) {
		w.drop(file("alpha", "a.csv"), firms(0, 30))
		w.pass(5 * 24 * time.Hour)
		told := toldOfFiles(w)
		if len(told) != 2 || told[1].Standing == nil || told[1].Standing.Late != 30 {
			t.Errorf("told %+v", told)
		}
	}, assist)
}

func TestWhoSendsAFileAgainIsToldOnceForEachMail(t *testing.T) {
	inWorld(t, func(w *world) {
		f := file("alpha", "a.csv")
		f.Key = "mail 1"
		im, err := w.gateway.OpenImport(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		tell := func(key, address string) {
			t.Helper()
			if err := w.gateway.TellImport(t.Context(), im.ID, key, intake.Route{Channel: "email", Address: address}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // each comes again
			tell("mail 1", "ana@alpha.example")
			tell("mail 2", "ana@alpha.example")
			tell("mail 3", "bob@alpha.example")
		}
		if _, err := w.gateway.RunImport(t.Context(), im.ID, each(firms(0, 3))); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if told := toldOfFiles(w); len(told) != 2 || told[0].Again || told[1].Again {
			t.Errorf("told %+v", told)
		}
		for range 2 {
			tell("mail 1", "ana@alpha.example")
			tell("mail 2", "ana@alpha.example")
			tell("mail 4", "ana@alpha.example")
		}
		w.pass(time.Minute)
		if told := toldOfFiles(w); len(told) != 3 || !told[2].Again {
			t.Errorf("told %+v", told)
		}
		refused := intake.RefusedFile{Key: "mail 5", Partner: "alpha", Name: "b.ods", Reply: f.Reply, Why: &intake.FileError{Problem: intake.Problem{Code: "unsupported_format"}}}
		for range 2 {
			if err := w.gateway.RefuseFile(t.Context(), refused); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(time.Minute)
		if told := toldOfFiles(w); len(told) != 4 || told[3].Cause == nil || told[3].ID != "" {
			t.Errorf("told %+v", told)
		}
	})
}

func TestASenderOfAnotherDomainOpensNoImport(t *testing.T) {
	inWorld(t, func(w *world) {
		for address, ok := range map[string]bool{"ana@alpha.example": true, "eve@beta.example": false, "eve@nobody.example": false} {
			f := file("alpha", address)
			f.Sender = intake.Sender{Address: address, Strength: intake.StrengthDomain}
			if _, err := w.gateway.OpenImport(t.Context(), f); (err == nil) != ok {
				t.Errorf("%s: %v", address, err)
			}
			f.Sender.Strength = intake.StrengthUnverified
			if _, err := w.gateway.OpenImport(t.Context(), f); err == nil {
				t.Errorf("%s was believed", address)
			}
		}
	})
}

func TestWhatGoesWithAMessageIsMadeOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		made := 0
		give := func() (intake.Enclosure, error) {
			made++
			return intake.Enclosure{Name: "a.csv", Media: "text/csv", Content: []byte{byte(made)}}, nil
		}
		for range 3 {
			e, err := w.gateway.ImportAnswer(t.Context(), "1", "S-1.1", give)
			if err != nil || e.Content[0] != 1 {
				t.Errorf("%+v, %v", e, err)
			}
		}
		if e, err := w.gateway.ImportAnswer(t.Context(), "1", "S-1.2", give); err != nil || made != 2 || e.Content[0] != 2 {
			t.Errorf("%+v after %d, %v", e, made, err)
		}
	})
}
