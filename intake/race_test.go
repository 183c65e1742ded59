package intake_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/store/boltstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The race of the two partners once more, on real files and in real time.
func TestTwoPartnersRaceOnBoltAndEachProspectHasOneWinner(t *testing.T) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "race.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	runWorld(t, store, func(w *world) {
		raceForProspects(t, w, 200, 8)
		deadline := time.After(2 * time.Minute)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for undecided(w) > 0 {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("%d cases are not decided", undecided(w))
			}
		}
		checkRace(w, 200)
	})
}

func undecided(w *world) int {
	w.Helper()
	n := 0
	err := w.store.View(context.Background(), func(tx intake.Tx) error {
		depth, err := tx.Depth()
		n = depth[intake.LaneCheck].Open
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}
