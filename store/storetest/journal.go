package storetest

import (
	"fmt"

	"leadgate/intake"
)

var journalChecks = []check{
	{"events come back as they were appended, by number", func(p *probe) {
		var want []intake.Event
		for n := 1; n <= 300; n++ { // more than fit one byte
			want = append(want, newEvent("LG-1", n))
		}
		p.update(func(tx intake.Tx) {
			for _, e := range want {
				p.noError("append", tx.AppendEvent(e))
			}
		})
		p.equal("events", p.events("LG-1"), want)
	}},
	{"an event is taken only if it follows the last one", func(p *probe) {
		for _, step := range []struct {
			n    int
			want error
		}{{2, intake.ErrStale}, {0, intake.ErrStale}, {-1, intake.ErrStale}, {1, nil}, {1, intake.ErrStale}, {3, intake.ErrStale}, {2, nil}} {
			err := p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.AppendEvent(newEvent("LG-1", step.n)) })
			if step.want == nil {
				p.noError(fmt.Sprintf("event %d", step.n), err)
			} else {
				p.wantError(fmt.Sprintf("event %d", step.n), err, step.want)
			}
		}
		p.equal("number of events", len(p.events("LG-1")), 2)
	}},
	{"each case has its own events", func(p *probe) {
		numbers := []string{"LG-1", "LG-10", "LG-", "LG-1\x01", "lg-1"}
		p.update(func(tx intake.Tx) {
			for i, number := range numbers {
				for n := 1; n <= i+1; n++ {
					p.noError("append", tx.AppendEvent(newEvent(number, n)))
				}
			}
		})
		for i, number := range numbers {
			p.equal("number of events", len(p.events(number)), i+1)
		}
		p.equal("events of an unknown case", len(p.events("LG-2")), 0)
	}},
	{"an event that was appended or got shares nothing with the store", func(p *probe) {
		mine := newEvent("LG-1", 1)
		p.update(func(tx intake.Tx) { p.noError("append", tx.AppendEvent(mine)) })
		mine.Fields[0], mine.Findings[0].Rule = "spoilt", "spoilt"
		got := p.events("LG-1")
		p.equal("events", got, []intake.Event{newEvent("LG-1", 1)})
		got[0].Fields[0], got[0].Findings[0].Problems[0].Code = "spoilt", "spoilt"
		p.equal("events", p.events("LG-1"), []intake.Event{newEvent("LG-1", 1)})
	}},
	{"the chain of hashes holds after storing", func(p *probe) {
		r := newCase(1)
		p.update(func(tx intake.Tx) {
			r = newCase(1)
			for n := 1; n <= 3; n++ {
				e := newEvent(r.Number, n)
				e.Seal(r.Head)
				r.Events, r.Head = n, e.Hash
				p.noError("append", tx.AppendEvent(e))
			}
			p.noError("put", tx.PutCase(r))
		})
		p.noError("verify", intake.VerifyChain(p.caseOf(r.Number), p.events(r.Number)))
	}},
}

func (p *probe) events(number string) (es []intake.Event) {
	p.view(func(tx intake.Tx) {
		var err error
		es, err = tx.Events(number)
		p.noError("events", err)
	})
	return es
}
