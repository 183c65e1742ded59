package storetest

import (
	"bytes"
	"fmt"
	"slices"

	"leadgate/intake"
)

// awkwardKeys sort differently by language and by byte. All are text that any store can
// hold: UTF-8 without the zero byte.
var awkwardKeys = []string{
	"", "\x01", "A", "A/1", "B", "Z", "a", "a\x01", "a\x01b", "a!", "a/", "a/1", "a/10", "a/2", "a0", "aa", "ab", "b", "z",
	"Ä", "ß", "é", "ﬁ", "漢", "🙂",
}

var recordChecks = []check{
	{"a record comes back until it is deleted", func(p *probe) {
		get := func() (v []byte, err error) {
			p.view(func(tx intake.Tx) { v, err = tx.Record("s", "k") })
			return v, err
		}
		_, err := get()
		p.wantError("before", err, intake.ErrNotFound)
		for _, want := range [][]byte{[]byte("one"), {0, 255, 10}, {}, bytes.Repeat([]byte("long "), 20000)} {
			p.update(func(tx intake.Tx) { p.noError("put", tx.PutRecord("s", "k", want)) })
			got, err := get()
			p.noError("record", err)
			if !bytes.Equal(got, want) {
				p.errorf("got %d bytes, want %d", len(got), len(want))
			}
		}
		p.update(func(tx intake.Tx) {
			p.noError("put nothing", tx.PutRecord("s", "k", nil))
			v, err := tx.Record("s", "k")
			p.noError("a record of nothing", err)
			p.equal("its length", len(v), 0)
			p.noError("delete", tx.DeleteRecord("s", "k"))
			_, err = tx.Record("s", "k")
			p.wantError("deleted", err, intake.ErrNotFound)
			p.noError("delete again", tx.DeleteRecord("s", "k"))
		})
		_, err = get()
		p.wantError("after", err, intake.ErrNotFound)
	}},
	{"a record that was put or got shares nothing with the store", func(p *probe) {
		p.update(func(tx intake.Tx) {
			mine := []byte("value")
			p.noError("put", tx.PutRecord("s", "k", mine))
			mine[0] = 'X'
			got, err := tx.Record("s", "k")
			p.noError("record", err)
			p.equal("record", string(got), "value")
			got[0] = 'X'
		})
		p.view(func(tx intake.Tx) {
			es, err := tx.ScanRecords("s", "", "", 1)
			p.noError("scan", err)
			for _, e := range es {
				p.equal("record", string(e.Value), "value")
				e.Value[0] = 'X'
			}
			got, err := tx.Record("s", "k")
			p.noError("record", err)
			p.equal("record", string(got), "value")
		})
	}},
	{"spaces are private", func(p *probe) {
		spaces := []string{"", "s", "s/", "s\x01", "S", "sk"}
		p.update(func(tx intake.Tx) {
			for _, s := range spaces {
				p.noError("put", tx.PutRecord(s, "k", []byte(s)))
				p.noError("put", tx.PutRecord(s, "", []byte(s)))
			}
		})
		p.view(func(tx intake.Tx) {
			for _, s := range spaces {
				es, err := tx.ScanRecords(s, "", "", 99)
				p.noError("scan", err)
				p.equal(fmt.Sprintf("keys of space %q", s), entryKeys(es), []string{"", "k"})
				for _, e := range es {
					p.equal("value", string(e.Value), s)
				}
			}
		})
	}},
	{"a scan goes by key in byte order", func(p *probe) {
		want := slices.Sorted(slices.Values(awkwardKeys))
		p.update(func(tx intake.Tx) {
			for i := range awkwardKeys {
				p.noError("put", tx.PutRecord("s", awkwardKeys[(i*7)%len(awkwardKeys)], []byte("v")))
			}
		})
		p.equal("all", p.scan("", "", 99), want)
		p.equal("the first five", p.scan("", "", 5), want[:5])
		p.equal("none", p.scan("", "", 0), []string{})
		for i, k := range want {
			if k != "" { // an empty after is none
				p.equal(fmt.Sprintf("after %q", k), p.scan("", k, 99), append([]string{}, want[i+1:]...))
			}
		}
	}},
	{"a scan keeps to its prefix", func(p *probe) {
		p.update(func(tx intake.Tx) {
			for _, k := range append(awkwardKeys, "\U0010ffff", "\U0010ffff\U0010ffff", "a\U0010ffff") {
				p.noError("put", tx.PutRecord("s", k, nil))
				p.noError("put", tx.PutRecord("t", k, nil))
			}
		})
		for _, c := range []struct {
			prefix, after string
			want          []string
		}{
			{"a/", "", []string{"a/", "a/1", "a/10", "a/2"}},
			{"a/", "a/1", []string{"a/10", "a/2"}},
			{"a/", "a/11", []string{"a/2"}},
			{"a/", "a/2", []string{}},
			{"a/", "A", []string{"a/", "a/1", "a/10", "a/2"}},
			{"a/", "b", []string{}},
			{"a", "aa", []string{"ab", "a\U0010ffff"}},
			{"\U0010ffff", "", []string{"\U0010ffff", "\U0010ffff\U0010ffff"}},
			{"nothing", "", []string{}},
		} {
			p.equal(fmt.Sprintf("prefix %q after %q", c.prefix, c.after), p.scan(c.prefix, c.after, 99), c.want)
		}
	}},
}

func (p *probe) scan(prefix, after string, limit int) (ks []string) {
	p.view(func(tx intake.Tx) {
		es, err := tx.ScanRecords("s", prefix, after, limit)
		p.noError("scan", err)
		ks = entryKeys(es)
	})
	return ks
}
