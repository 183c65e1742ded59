package boltstore

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// owner is what stands in the file beside the store while a process has it open. It locks
// nothing: it only says who holds the lock.
type owner struct {
	PID   int       `json:"pid"`
	Since time.Time `json:"since"`
}

func ownerPath(path string) string { return path + ".owner" }

// writeOwner names this process. Only who holds the lock may call it.
func (s *Store) writeOwner() error {
	b, err := json.Marshal(owner{os.Getpid(), time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return os.WriteFile(s.owner, b, 0o600)
}

func (s *Store) releaseOwner() { _ = os.Remove(s.owner) }

// heldBy says in words who has the store at path open.
func heldBy(path string) string {
	b, err := os.ReadFile(ownerPath(path))
	var o owner
	if err != nil || json.Unmarshal(b, &o) != nil || o.PID == 0 {
		return fmt.Sprintf("another process has %s open", path)
	}
	return fmt.Sprintf("another leadgate (pid %d, since %s) has %s open", o.PID, o.Since.Format(time.RFC3339), path)
}
