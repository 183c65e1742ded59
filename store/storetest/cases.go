package storetest

import (
	"errors"
	"time"

	"leadgate/intake"
)

var caseChecks = []check{
	{"a case comes back as it was put", func(p *probe) {
		want := fullCase()
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(fullCase())) })
		p.equal("case", p.caseOf(want.Number), want)
	}},
	{"times come back in UTC and cut to the microsecond", func(p *probe) {
		zone := time.FixedZone("east", 2*60*60)
		odd := time.Date(2026, 7, 1, 14, 0, 0, 1234567, zone)
		want := time.Date(2026, 7, 1, 12, 0, 0, 1234000, time.UTC)
		p.update(func(tx intake.Tx) {
			r := newCase(1)
			r.Claim, r.Accepted, r.Updated, r.DecisionDue, r.AnswerDue, r.Decided = odd, odd, odd, odd, odd, odd
			r.Protection = intake.Protection{Start: odd, End: odd}
			p.noError("put", tx.PutCase(r))
			e := newEvent(r.Number, 1)
			e.At = odd
			p.noError("append", tx.AppendEvent(e))
			t := newTask("t", intake.LaneCheck, r.Number, 0)
			t.Due = odd
			p.noError("enqueue", tx.Enqueue(t))
		})
		r := p.caseOf("LG-000001")
		got := []time.Time{r.Claim, r.Accepted, r.Updated, r.DecisionDue, r.AnswerDue, r.Decided, r.Protection.Start, r.Protection.End}
		p.update(func(tx intake.Tx) {
			es, err := tx.Events(r.Number)
			p.noError("events", err)
			ts, err := tx.Open(r.Number)
			p.noError("open", err)
			next, _, err := tx.NextDue(intake.LaneCheck)
			p.noError("next due", err)
			claimed, err := tx.Claim(intake.LaneCheck, odd, time.Minute, 1)
			p.noError("claim", err)
			if len(es) != 1 || len(ts) != 1 || len(claimed) != 1 {
				p.fatalf("%d events, %d tasks, %d claimed", len(es), len(ts), len(claimed))
			}
			got = append(got, es[0].At, ts[0].Due, next, claimed[0].Due, claimed[0].Leased.Add(-time.Minute))
		})
		for i, g := range got {
			if g != want { //nolint:staticcheck // the zone too
				p.errorf("time %d: got %v, want %v", i, g, want)
			}
		}
	}},
	{"a zero time stays zero", func(p *probe) {
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(newCase(1))) })
		r := p.caseOf("LG-000001")
		if !r.Decided.IsZero() || !r.Protection.End.IsZero() {
			p.errorf("got %v and %v", r.Decided, r.Protection.End)
		}
	}},
	{"a case that was put or got shares nothing with the store", func(p *probe) {
		mine := fullCase()
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(mine)) })
		spoil(&mine)
		p.equal("case after the caller changed what it put", p.caseOf(mine.Number), fullCase())
		got := p.caseOf(mine.Number)
		spoil(&got)
		p.equal("case after the caller changed what it got", p.caseOf(mine.Number), fullCase())
		p.view(func(tx intake.Tx) {
			for _, list := range []func() ([]intake.Registration, error){
				func() ([]intake.Registration, error) { return tx.CasesByKey(acct("a.example"), 1) },
				func() ([]intake.Registration, error) { return tx.ListCases(intake.CaseQuery{Limit: 1}) },
			} {
				rs, err := list()
				p.noError("list", err)
				for i := range rs {
					spoil(&rs[i])
				}
			}
		})
		p.equal("case after the caller changed what it listed", p.caseOf(mine.Number), fullCase())
	}},
	{"an unknown case is not found", func(p *probe) {
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(newCase(1))) })
		p.view(func(tx intake.Tx) {
			for _, number := range []string{"", "LG", "LG-000002", "lg-000001", "LG-000001 "} {
				_, err := tx.Case(number)
				p.wantError("case "+number, err, intake.ErrNotFound)
			}
		})
	}},
	{"only the next revision of a case is taken", func(p *probe) {
		put := func(revision int) error {
			r := newCase(1)
			r.Revision = revision
			return p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.PutCase(r) })
		}
		for _, step := range []struct {
			revision int
			want     error
		}{{0, intake.ErrStale}, {2, intake.ErrStale}, {-1, intake.ErrStale}, {1, nil}, {1, intake.ErrStale}, {3, intake.ErrStale}, {2, nil}, {2, intake.ErrStale}, {1, intake.ErrStale}} {
			if err := put(step.revision); !errors.Is(err, step.want) {
				p.errorf("revision %d: got %v, want %v", step.revision, err, step.want)
			}
		}
		p.equal("revision", p.caseOf("LG-000001").Revision, 2)
	}},
	{"two changes of a case in one transaction are two revisions", func(p *probe) {
		p.update(func(tx intake.Tx) {
			r := newCase(1, acct("a.example"))
			p.noError("put", tx.PutCase(r))
			r.Revision, r.Identity = 2, []string{acct("b.example")}
			p.noError("put", tx.PutCase(r))
			p.wantError("put again", tx.PutCase(r), intake.ErrStale)
		})
		p.equal("by a", p.byKey(acct("a.example"), 9), []uint64{})
		p.equal("by b", p.byKey(acct("b.example"), 9), []uint64{1})
	}},
	{"a case that cannot be found again, or whose seq is another's, is not taken", func(p *probe) {
		p.update(func(tx intake.Tx) {
			p.noError("put", tx.PutCase(newCase(1)))
			p.noError("put", tx.PutCase(newCase(2)))
		})
		moved := newCase(1)
		moved.Revision, moved.Seq = 2, 3
		taken := newCase(3)
		taken.Seq = 2
		nameless, without := newCase(4), newCase(5)
		nameless.Number, without.Seq = "", 0
		garbled, lost := newCase(6), newCase(7, "domain:\xff")
		garbled.Number = "LG-\xff"
		for what, r := range map[string]intake.Registration{
			"changed seq": moved, "seq of another": taken, "no number": nameless, "no seq": without,
			"a number that is no text": garbled, "a key that is no text": lost,
		} {
			if err := p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.PutCase(r) }); err == nil {
				p.errorf("%s: taken", what)
			}
		}
		p.equal("list", p.list(intake.CaseQuery{Limit: 9}), []uint64{2, 1})
	}},
	{"a case is found by each of its keys while it is live", func(p *probe) {
		r := newCase(1, acct("b.example"), acct("a.example"), acct("b.example"))
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(r)) })
		p.equal("by a", p.byKey(acct("a.example"), 9), []uint64{1})
		p.equal("by b", p.byKey(acct("b.example"), 9), []uint64{1})
		for _, key := range []string{"", "domain:", acct("a.exampl"), acct("a.example "), acct("A.example"), acct("a.example\x01")} {
			p.equal("by "+key, p.byKey(key, 9), []uint64{})
		}
		r.Revision, r.Status = 2, intake.StatusDeclined
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(r)) })
		p.equal("by a when declined", p.byKey(acct("a.example"), 9), []uint64{})
		r.Revision, r.Status = 3, intake.StatusAppeal
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutCase(r)) })
		p.equal("by a when appealed", p.byKey(acct("a.example"), 9), []uint64{1})
	}},
	{"a case moves in the index when its keys or its claim change", func(p *probe) {
		p.update(func(tx intake.Tx) {
			p.noError("put", tx.PutCase(newCase(1, acct("a.example"), acct("b.example"))))
			p.noError("put", tx.PutCase(newCase(2, acct("b.example"))))
			r := newCase(1, acct("b.example"), acct("c.example"))
			r.Revision, r.Claim = 2, after(90)
			p.noError("put", tx.PutCase(r))
		})
		p.equal("by a", p.byKey(acct("a.example"), 9), []uint64{})
		p.equal("by b", p.byKey(acct("b.example"), 9), []uint64{2, 1})
		p.equal("by c", p.byKey(acct("c.example"), 9), []uint64{1})
	}},
	{"cases of a key come by claim and then by seq", func(p *probe) {
		claims := map[uint64]time.Time{1: after(5), 2: after(1), 3: after(1), 4: after(0), 5: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), 6: after(1).Add(time.Microsecond), 258: after(1)}
		p.update(func(tx intake.Tx) {
			for _, seq := range []uint64{258, 3, 1, 2, 5, 4, 6} {
				r := newCase(seq, acct("a.example"))
				r.Claim = claims[seq]
				p.noError("put", tx.PutCase(r))
			}
			p.noError("put", tx.PutCase(newCase(9, acct("a.example.org"))))
		})
		p.equal("all", p.byKey(acct("a.example"), 99), []uint64{5, 4, 2, 3, 258, 6, 1})
		p.equal("the first three", p.byKey(acct("a.example"), 3), []uint64{5, 4, 2})
		p.equal("none", p.byKey(acct("a.example"), 0), []uint64{})
	}},
	{"lists come by descending seq, a page at a time", func(p *probe) {
		p.update(func(tx intake.Tx) {
			for _, seq := range []uint64{3, 1, 300, 2, 9, 40} {
				r := newCase(seq)
				if seq%2 == 0 {
					r.Status = intake.StatusDeclined
				}
				if seq%3 == 0 {
					r.Partner = "globex"
				}
				p.noError("put", tx.PutCase(r))
			}
		})
		for _, c := range []struct {
			q    intake.CaseQuery
			want []uint64
		}{
			{intake.CaseQuery{Limit: 9}, []uint64{300, 40, 9, 3, 2, 1}},
			{intake.CaseQuery{Limit: 2}, []uint64{300, 40}},
			{intake.CaseQuery{Limit: 2, Before: 40}, []uint64{9, 3}},
			{intake.CaseQuery{Limit: 2, Before: 41}, []uint64{40, 9}},
			{intake.CaseQuery{Limit: 2, Before: 1 << 40}, []uint64{300, 40}},
			{intake.CaseQuery{Limit: 2, Before: 1}, []uint64{}},
			{intake.CaseQuery{Limit: 0}, []uint64{}},
			{intake.CaseQuery{Limit: 9, Status: intake.StatusDeclined}, []uint64{300, 40, 2}},
			{intake.CaseQuery{Limit: 9, Partner: "globex"}, []uint64{300, 9, 3}},
			{intake.CaseQuery{Limit: 1, Partner: "globex", Before: 300}, []uint64{9}},
			{intake.CaseQuery{Limit: 9, Partner: "globex", Status: intake.StatusDeclined}, []uint64{300}},
			{intake.CaseQuery{Limit: 9, Partner: "glob"}, []uint64{}},
		} {
			p.equal("list", p.list(c.q), c.want)
		}
		p.update(func(tx intake.Tx) {
			r := newCase(300)
			r.Revision, r.Status, r.Partner = 2, intake.StatusSubmitted, "acme"
			p.noError("put", tx.PutCase(r))
		})
		p.equal("list after a change", p.list(intake.CaseQuery{Limit: 9, Partner: "globex"}), []uint64{9, 3})
	}},
	{"each series counts from one", func(p *probe) {
		next := func(series string, want uint64) {
			p.update(func(tx intake.Tx) {
				n, err := tx.Next(series)
				p.noError("next", err)
				p.equal("next of "+series, n, want)
			})
		}
		next("case", 1)
		next("case", 2)
		next("aside", 1)
		next("case", 3)
		next("", 1)
		p.update(func(tx intake.Tx) {
			a, err := tx.Next("case")
			p.noError("next", err)
			b, err := tx.Next("case")
			p.noError("next", err)
			p.equal("two in one transaction", []uint64{a, b}, []uint64{4, 5})
		})
	}},
	{"a number that was rolled back is given again", func(p *probe) {
		p.wantError("update", p.Store.Update(p.ctx, func(tx intake.Tx) error {
			_, err := tx.Next("case")
			p.noError("next", err)
			return errMine
		}), errMine)
		p.update(func(tx intake.Tx) {
			n, err := tx.Next("case")
			p.noError("next", err)
			p.equal("next", n, uint64(1))
		})
	}},
}

// spoil changes everything in r that a careless store would share.
func spoil(r *intake.Registration) {
	r.Lead[intake.FieldCompanyName] = "spoilt"
	for f := range r.Evidence {
		r.Evidence[f] = "spoilt"
	}
	r.Identity[0] = "spoilt"
	r.Problems[0].Code = "spoilt"
	r.Findings[0].Rule = "spoilt"
	r.CRM["spoilt"] = intake.Ref{}
	r.Reply.Thread[0] = 'x'
}

func (p *probe) caseOf(number string) (r intake.Registration) {
	p.view(func(tx intake.Tx) {
		var err error
		r, err = tx.Case(number)
		p.noError("case "+number, err)
	})
	return r
}

func (p *probe) byKey(key string, limit int) (found []uint64) {
	p.view(func(tx intake.Tx) {
		rs, err := tx.CasesByKey(key, limit)
		p.noError("cases by key", err)
		found = seqs(rs)
	})
	return found
}

func (p *probe) list(q intake.CaseQuery) (found []uint64) {
	p.view(func(tx intake.Tx) {
		rs, err := tx.ListCases(q)
		p.noError("list cases", err)
		found = seqs(rs)
	})
	return found
}
