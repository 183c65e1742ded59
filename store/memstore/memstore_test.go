package memstore_test

import (
	"context"
	"testing"

	"leadgate/intake"
	"leadgate/store/memstore"
	"leadgate/store/storetest"
)

func TestTheStoreKeepsItsPromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		return storetest.Harness{Store: memstore.New()}
	})
}

func TestTheStoreKeepsItsPromisesWhenEveryTransactionRunsTwice(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		return storetest.Harness{Store: memstore.New(memstore.RunTwice())}
	})
}

func TestRunTwiceExposesWhatIsKeptOfAnEarlierRun(t *testing.T) {
	s := memstore.New(memstore.RunTwice())
	runs := 0
	if err := s.Update(context.Background(), func(tx intake.Tx) error {
		runs++
		return tx.PutRecord("space", "key", []byte{byte(runs)})
	}); err != nil {
		t.Fatal(err)
	}
	if runs != 2 {
		t.Errorf("fn ran %d times", runs)
	}
}
