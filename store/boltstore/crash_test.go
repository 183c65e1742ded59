package boltstore

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

const (
	childPath   = "LEADGATE_BOLTSTORE_CHILD" // what the child process opens
	childRound  = "LEADGATE_BOLTSTORE_ROUND"
	crashRounds = 100
	crashTime   = 8 * time.Second
)

// runChild makes this process the child of the crash test, if it was started as such.
func runChild() {
	path := os.Getenv(childPath)
	if path == "" {
		return
	}
	s, err := Open(Options{Path: path})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%s-%d-%d", os.Getenv(childRound), w, i)
				if err := s.Update(context.Background(), acceptance(id)); err != nil {
					fmt.Println("error:", err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(id + "\n")
			}
		}()
	}
	select {}
}

// acceptance returns a transaction as an accepted submission makes it: a case, its event,
// two tasks of which one is taken on at once, and a record that names it by id.
func acceptance(id string) func(intake.Tx) error {
	return func(tx intake.Tx) error {
		n, err := tx.Next("case")
		if err != nil {
			return err
		}
		r := intake.Registration{
			Number: fmt.Sprintf("LG-%06d", n), Seq: n, Revision: 1, Status: intake.StatusSubmitted,
			Claim: time.Now(), Identity: []string{"domain:" + id}, Question: strings.Repeat("q", rand.IntN(3000)),
		}
		if err := tx.PutCase(r); err != nil {
			return err
		}
		if err := tx.AppendEvent(intake.Event{Case: r.Number, N: 1, Kind: intake.EventAccepted}); err != nil {
			return err
		}
		for _, lane := range []intake.Lane{intake.LaneCheck, intake.LaneNotify} {
			if err := tx.Enqueue(intake.Task{Key: string(lane) + ":" + id, Lane: lane, Case: r.Number}); err != nil {
				return err
			}
		}
		ts, err := tx.Claim(intake.LaneNotify, time.Now(), time.Minute, 1)
		if err != nil {
			return err
		}
		for _, t := range ts {
			if err := tx.Finish(t); err != nil {
				return err
			}
		}
		return tx.PutRecord("accepted", id, []byte(r.Number))
	}
}

func TestNothingAnsweredIsLostWhenTheProcessIsKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(t.TempDir(), "store.db")
	rounds, total := crashRounds, 0
	if testing.Short() {
		rounds = 10
	}
	start := time.Now()
	for round := range rounds {
		if round >= 20 && time.Since(start) > crashTime {
			t.Logf("out of time after %d rounds", round)
			break
		}
		acked := crashOnce(t, random, path, round)
		total += len(acked)
		verifyAcked(t, path, acked)
		if t.Failed() {
			t.Fatalf("round %d, seed %d", round, seed)
		}
	}
	t.Logf("%d answers, none lost", total)
	if total == 0 {
		t.Error("no child ever answered")
	}
}

// crashOnce runs a child, kills it at a random moment and returns what it answered.
func crashOnce(t *testing.T, random *rand.Rand, path string, round int) (acked []string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childPath+"="+path, fmt.Sprintf("%s=%d", childRound, round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func(after time.Duration) *time.Timer {
		return time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	}
	var timers []*time.Timer
	if random.IntN(8) == 0 { // perhaps while it opens or creates the file
		timers = append(timers, kill(time.Duration(random.IntN(60))*time.Millisecond))
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "error:") {
			t.Errorf("child: %s", lines.Text())
		}
		if acked = append(acked, lines.Text()); len(acked) == 1 {
			timers = append(timers, kill(time.Duration(random.IntN(20_000))*time.Microsecond))
		}
	}
	for _, timer := range timers {
		timer.Stop()
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return acked
}

// verifyAcked opens what the child left and looks for all that it answered.
func verifyAcked(t *testing.T, path string, acked []string) {
	t.Helper()
	s, err := Open(Options{Path: path, InitialMmapSize: 1 << 24})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.db.Update(func(btx *bolt.Tx) error { // bbolt's own opinion
		for err := range btx.Check() {
			t.Error(err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := s.View(t.Context(), func(tx intake.Tx) error {
		for _, id := range acked {
			number, err := tx.Record("accepted", id)
			if err != nil {
				t.Errorf("answered, but lost: %v", err)
				continue
			}
			if _, err := tx.Case(string(number)); err != nil {
				t.Errorf("answered %s, but lost: %v", id, err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
