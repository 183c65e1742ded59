package storetest

import (
	"fmt"
	"strings"

	"leadgate/intake"
)

// The names that dump asks for: a store cannot list all of them by itself.
var (
	dumpLanes  = []intake.Lane{lane, other, intake.PushLane("x")}
	dumpSpaces = []string{"space", "s", "t", "n"}
	dumpKeys   = []string{acct("a.example"), acct("b.example"), acct("c.example"), acct("other.example")}
	dumpCases  = []string{"LG-0", "LG-1", "LG-2", "LG-3", "LG-4", "LG-000001", "LG-000002", "LG-000003", "LG-000007"}
)

// dump returns in words all that the probe's store shows of itself.
func (p *probe) dump() (state string) {
	p.view(func(tx intake.Tx) {
		var err error
		state, err = dump(tx)
		p.noError("dump", err)
	})
	return state
}

func dump(tx intake.Tx) (string, error) {
	var b strings.Builder
	var failed error
	show := func(what any, v any, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("%v: %w", what, err)
		}
		fmt.Fprintf(&b, "%v: %+v\n", what, v)
	}
	rs, err := tx.ListCases(intake.CaseQuery{Limit: 1000})
	show("cases", rs, err)
	for _, k := range dumpKeys {
		rs, err := tx.CasesByKey(k, 1000)
		show(k, seqs(rs), err)
	}
	for _, c := range dumpCases {
		es, err := tx.Events(c)
		show("events of "+c, es, err)
		ts, err := tx.Open(c)
		for i := range ts {
			ts[i].Seq = 0 // the order counts; there may be gaps
		}
		show("tasks of "+c, ts, err)
	}
	for _, s := range dumpSpaces {
		es, err := tx.ScanRecords(s, "", "", 1000)
		show("records of "+s, es, err)
	}
	for _, l := range dumpLanes {
		at, ok, err := tx.NextDue(l)
		show("next of "+string(l), []any{at, ok}, err)
	}
	d, err := tx.Depth()
	show("depth", d, err)
	return b.String(), failed
}
