package memstore

import (
	"errors"
	"time"

	"leadgate/intake"
)

var (
	errOver     = errors.New("the transaction is over")
	errReadOnly = errors.New("a view cannot write")
)

// txn is one transaction. It works on the state itself and remembers how to undo that.
type txn struct {
	*state
	now      func() time.Time
	writable bool
	over     bool
	undo     []func()
}

var _ intake.Tx = (*txn)(nil)

func (tx *txn) commit() {
	tx.over, tx.undo = true, nil
}

// rollback undoes everything, last first. After commit it does nothing.
func (tx *txn) rollback() {
	tx.over = true
	for i := len(tx.undo) - 1; i >= 0; i-- {
		tx.undo[i]()
	}
	tx.undo = nil
}

func (tx *txn) reading() error {
	if tx.over {
		return errOver
	}
	return nil
}

func (tx *txn) writing() error {
	if err := tx.reading(); err != nil {
		return err
	}
	if !tx.writable {
		return errReadOnly
	}
	return nil
}

// set stores v under k and remembers what was there.
func set[K comparable, V any](tx *txn, m map[K]V, k K, v V) {
	tx.undo = append(tx.undo, restore(m, k))
	m[k] = v
}

// remove deletes k and remembers what was there.
func remove[K comparable, V any](tx *txn, m map[K]V, k K) {
	tx.undo = append(tx.undo, restore(m, k))
	delete(m, k)
}

func restore[K comparable, V any](m map[K]V, k K) func() {
	old, ok := m[k]
	return func() {
		if ok {
			m[k] = old
		} else {
			delete(m, k)
		}
	}
}
