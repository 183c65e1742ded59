package mailbox

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/rogpeppe/go-internal/txtar"

	"leadgate/channels/mailbox/mailparse"
)

// BenchmarkMails goes in turn through the labelled mails in three ways: go-message walks the
// parts and reads their bodies, which is the least that any reader does; ours reads them; and
// ours reads them and the leads in them. An operation is one mail read with its leads.
func BenchmarkMails(b *testing.B) {
	var mails [][]byte
	for _, file := range labelledFiles(b, "testdata/labelled") {
		a, err := txtar.ParseFile(file)
		if err != nil {
			b.Fatal(err)
		}
		mails = append(mails, a.Files[0].Data)
	}
	x := testExtractor()
	var bare, read, extracted time.Duration
	rounds := 0
	timed := func(fn func(io.Reader) error) time.Duration {
		start := time.Now()
		for _, m := range mails {
			if err := fn(bytes.NewReader(m)); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	for b.Loop() {
		bare += timed(walkMessage)
		read += timed(func(r io.Reader) error { _, err := mailparse.Parse(r); return err })
		extracted += timed(func(r io.Reader) error {
			p, err := mailparse.Parse(r)
			x.Extract(extractInput(&p))
			return err
		})
		rounds++
	}
	n := float64(rounds * len(mails))
	b.ReportMetric(float64(extracted.Nanoseconds())/n, "ns/op")
	b.ReportMetric(n/bare.Seconds(), "go-message-mails/s")
	b.ReportMetric(n/read.Seconds(), "read-mails/s")
	b.ReportMetric(n/extracted.Seconds(), "extracted-mails/s")
}

// walkMessage reads all bodies of a mail with go-message. What it can't read, and it refuses
// some of these, counts as read.
func walkMessage(r io.Reader) error {
	e, err := message.Read(r)
	if e == nil {
		return ignored(err)
	}
	return walkEntity(e)
}

func walkEntity(e *message.Entity) error {
	parts := e.MultipartReader()
	if parts == nil {
		_, err := io.Copy(io.Discard, e.Body)
		return ignored(err)
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) || p == nil {
			return nil
		}
		if err := walkEntity(p); err != nil {
			return err
		}
	}
}

// ignored is for errors of go-message that say that a mail is not as it should be.
func ignored(error) error { return nil }
