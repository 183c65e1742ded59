package intake

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	spaceCheckpoint = "checkpoint"       // see checkpointKey
	spacePending    = "checkpoint_await" // Registration.Seq → Head of a case since the last checkpoint
	// maxHeads is how many cases one checkpoint tells of, so that none holds the store up.
	maxHeads        = 1000
	checkpointPause = time.Minute
	// lastCheckpointTime bounds the checkpoint of a gateway that stops; see stopGrace.
	lastCheckpointTime = time.Second
	// wakeCheckpoint is on what the checkpoints wait; no task has this lane.
	wakeCheckpoint Lane = "checkpoint"
)

// Head is the end of a case's history at some time.
type Head struct {
	Case string `json:"case"`
	N    int    `json:"n"`
	Hash string `json:"hash"`
}

// Checkpoint is a signed statement of how far the histories of cases had come. Checkpoints
// form a chain over all cases. Who edits an event can compute the hashes of its case anew,
// but can sign no checkpoint anew.
type Checkpoint struct {
	N  int       `json:"n"` // 1, 2, 3 … without gaps
	At time.Time `json:"at"`
	// Prev is the Hash of checkpoint N-1, "" for the first.
	Prev string `json:"prev,omitempty"`
	// Heads are those of all cases that changed since the checkpoint before.
	Heads []Head `json:"heads"`
	// Key is the Signer.KeyID, Hash that of all of the above and Key, Signature that of both N
	// and Hash.
	Key       string `json:"key"`
	Hash      string `json:"hash,omitempty"`
	Signature []byte `json:"signature,omitempty"`
}

func (p Checkpoint) digest() string {
	p.Hash, p.Signature = "", nil
	p.At = p.At.UTC()
	b, err := json.Marshal(p)
	if err != nil { // all fields are plain data
		panic(fmt.Sprintf("checkpoint %d does not encode: %v", p.N, err))
	}
	return hashOf(b)
}

// Line returns what a Witness keeps of the checkpoint.
func (p Checkpoint) Line() WitnessLine {
	return WitnessLine{N: p.N, Hash: p.Hash, Key: p.Key, Signature: p.Signature}
}

// WitnessLine is a checkpoint without what it tells of.
type WitnessLine struct {
	N         int
	Hash      string
	Key       string
	Signature []byte
}

func (l WitnessLine) message() []byte {
	return fmt.Appendf(nil, "leadgate checkpoint\n%d\n%s\n", l.N, l.Hash)
}

// verify checks the signature.
func (l WitnessLine) verify(keys Keyring) error {
	return keys.verify(l.Key, l.message(), l.Signature)
}

// String returns the line as text without a line break.
func (l WitnessLine) String() string {
	return fmt.Sprintf("%d %s %s %s", l.N, l.Hash, l.Key, base64.RawStdEncoding.EncodeToString(l.Signature))
}

// ParseWitnessLine reads what String wrote.
func ParseWitnessLine(text string) (l WitnessLine, err error) {
	words := strings.Split(text, " ")
	if len(words) != 4 {
		return l, fmt.Errorf("a line of %d words where 4 stand: number, hash, key, signature", len(words))
	}
	if l.N, err = strconv.Atoi(words[0]); err != nil {
		return l, fmt.Errorf("number of a checkpoint: %w", err)
	}
	l.Hash, l.Key = words[1], words[2]
	if l.Signature, err = base64.RawStdEncoding.Strict().DecodeString(words[3]); err != nil {
		return l, fmt.Errorf("signature of checkpoint %d: %w", l.N, err)
	}
	return l, nil
}

// Witness keeps the lines of checkpoints outside the store, so that it shows when the end of
// the store is cut off. The gateway calls it after commits, from one goroutine at a time.
type Witness interface {
	// Last returns the last line, a zero one if there is none.
	Last() (WitnessLine, error)
	// Append adds lines and returns once they are durable.
	Append(lines []WitnessLine) error
}

// checkpointKey falls as n rises: the first of the space is the newest.
func checkpointKey(n int) string { return fmt.Sprintf("%016x", math.MaxInt64-int64(n)) }

// newest returns the number of the last checkpoint of the store, 0 if there is none.
func newest(tx Records) (int, error) {
	found, err := tx.ScanRecords(spaceCheckpoint, "", "", 1)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	at, err := strconv.ParseInt(found[0].Key, 16, 64)
	if err != nil || checkpointKey(int(math.MaxInt64-at)) != found[0].Key {
		return 0, fmt.Errorf("%q is no key of a checkpoint", found[0].Key)
	}
	return int(math.MaxInt64 - at), nil
}

func checkpointOf(tx Records, n int) (p Checkpoint, err error) {
	err = getJSON(tx, spaceCheckpoint, checkpointKey(n), &p)
	return p, err
}

func pendingKey(r *Registration) string { return fmt.Sprintf("%016x", r.Seq) }

// awaitCheckpoint has the next checkpoint tell of r.
func (c *change) awaitCheckpoint(r *Registration) error {
	if c.g.signer == nil {
		return nil
	}
	c.wakeAfter(wakeCheckpoint)
	return putJSON(c, spacePending, pendingKey(r), Head{Case: r.Number, N: r.Events, Hash: r.Head})
}

// Checkpointed says what a call of Checkpoint did.
type Checkpointed struct {
	// Checkpoint is the number of the last checkpoint of the store.
	Checkpoint int `json:"checkpoint"`
	// Cases is how many cases the new checkpoints tell of; 0 if there was nothing to tell and
	// none was made.
	Cases int `json:"cases"`
}

// Checkpoint signs how far the cases have come that changed since the last checkpoint, and
// tells the witness. It writes nothing if none did. Several gateways on one store may call it
// at once.
func (g *Gateway) Checkpoint(ctx context.Context) (res Checkpointed, err error) {
	if g.signer == nil {
		return res, errors.New("the gateway has no key to sign checkpoints with")
	}
	for more := true; more; { // what comes in meanwhile has its turn the next time
		if err := g.store.View(ctx, func(tx Tx) (err error) {
			pending, err := tx.ScanRecords(spacePending, "", "", 1)
			if more = len(pending) > 0; err == nil {
				res.Checkpoint, err = newest(tx)
			}
			return err
		}); err != nil {
			return res, err
		}
		if !more {
			break
		}
		var p Checkpoint
		if err := g.store.Update(ctx, func(tx Tx) (err error) {
			p, err = g.checkpoint(tx)
			return err
		}); err != nil {
			return res, err
		}
		if more = len(p.Heads) == maxHeads; len(p.Heads) > 0 {
			res.Checkpoint, res.Cases = p.N, res.Cases+len(p.Heads)
			g.log.Info("checkpoint", "n", p.N, "cases", len(p.Heads), "hash", p.Hash)
		}
	}
	return res, g.tellWitness(ctx)
}

// checkpoint stores the next checkpoint, of the cases that waited longest, and forgets that
// they wait. That the number is taken in the same transaction keeps the chain whole.
func (g *Gateway) checkpoint(tx Tx) (p Checkpoint, err error) {
	pending, err := tx.ScanRecords(spacePending, "", "", maxHeads)
	if err != nil || len(pending) == 0 {
		return p, err
	}
	for _, e := range pending {
		var h Head
		if err := decode(e, &h); err != nil {
			return p, err
		}
		p.Heads = append(p.Heads, h)
		if err := tx.DeleteRecord(spacePending, e.Key); err != nil {
			return p, err
		}
	}
	last, err := newest(tx)
	if err != nil {
		return p, err
	}
	if last > 0 {
		before, err := checkpointOf(tx, last)
		if err != nil {
			return p, err
		}
		p.Prev = before.Hash
	}
	p.N, p.At, p.Key = last+1, g.stamp(), g.signer.KeyID()
	p.Hash = p.digest()
	p.Signature = g.signer.Sign(p.Line().message())
	return p, putJSON(tx, spaceCheckpoint, checkpointKey(p.N), p)
}

// errBehind says that the witness saw what the store does not hold.
var errBehind = errors.New("the store is not the one that the witness saw: it was restored from an older backup, or its end was cut off; " +
	"see leadgate audit verify. If it was restored on purpose, move the witness file away: the next start begins a new one")

// tellWitness gives the witness the lines that it does not have yet.
func (g *Gateway) tellWitness(ctx context.Context) error {
	if g.witness == nil {
		return nil
	}
	g.witnessing.Lock()
	defer g.witnessing.Unlock()
	last, err := g.witness.Last()
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	for {
		var lines []WitnessLine
		err := g.store.View(ctx, func(tx Tx) (err error) {
			lines, err = linesAfter(tx, last)
			return err
		})
		if err != nil || len(lines) == 0 {
			return err
		}
		if err := g.witness.Append(lines); err != nil {
			return fmt.Errorf("witness: %w", err)
		}
		last = lines[len(lines)-1]
	}
}

// linesAfter returns a number of lines that follow the last one of a witness.
func linesAfter(tx Records, last WitnessLine) ([]WitnessLine, error) {
	const page = 100
	if last.N > 0 {
		p, err := checkpointOf(tx, last.N)
		if errors.Is(err, ErrNotFound) || err == nil && p.Hash != last.Hash {
			return nil, errBehind
		}
		if err != nil {
			return nil, err
		}
	}
	var lines []WitnessLine
	for n := last.N + 1; len(lines) < page; n++ {
		p, err := checkpointOf(tx, n)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, p.Line())
	}
	return lines, nil
}

// keepCheckpoints makes a checkpoint every minute in which something changed. The first one
// comes at once: what a killed gateway left without one waits no longer.
func (g *Gateway) keepCheckpoints(ctx context.Context) {
	if g.signer == nil {
		return
	}
	for {
		if g.tryCheckpoint(ctx) {
			select {
			case <-g.wakeup(wakeCheckpoint):
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(checkpointPause):
		case <-ctx.Done():
			return
		}
	}
}

// lastCheckpoint leaves nothing without a checkpoint when the gateway stops.
func (g *Gateway) lastCheckpoint(ctx context.Context) {
	if g.signer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckpointTime)
	defer cancel()
	g.tryCheckpoint(ctx)
}

func (g *Gateway) tryCheckpoint(ctx context.Context) (done bool) {
	_, err := g.Checkpoint(ctx)
	if err != nil && ctx.Err() == nil {
		g.log.Error("make a checkpoint", "err", err)
	}
	return err == nil
}
