package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	barWidth = 30
	// lineEvery is how often progress is told where there is no terminal for a bar.
	lineEvery = 5 * time.Second
)

// progress shows how far something is: as a bar on a terminal, else as a line now and then.
type progress struct {
	w        io.Writer
	terminal bool
	noun     string
	now      func() time.Time

	began, told time.Time
	first       int // done when it began
	shown       bool
}

func newProgress(w io.Writer, noun string) *progress {
	return &progress{w: w, terminal: isTerminal(w), noun: noun, now: time.Now}
}

// isTerminal reports whether what is written to w is seen at once, by somebody.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show tells that so many of total are done; total is 0 if nobody knows.
func (p *progress) show(done, total int) {
	now := p.now()
	if p.began.IsZero() {
		p.began, p.told, p.first = now, now, done
	}
	if p.terminal {
		p.shown = true
		fmt.Fprintf(p.w, "\r%s\x1b[K", p.line(now, done, total, true))
		return
	}
	if now.Sub(p.told) >= lineEvery {
		p.told = now
		fmt.Fprintln(p.w, p.line(now, done, total, false))
	}
}

// end takes the bar away.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) line(now time.Time, done, total int, bar bool) string {
	var b strings.Builder
	if total == 0 {
		fmt.Fprintf(&b, "%d %s", done, p.noun)
	} else {
		if bar {
			full := barWidth * min(done, total) / total
			fmt.Fprintf(&b, "[%s%s] %3d%%  ", strings.Repeat("#", full), strings.Repeat("-", barWidth-full), 100*min(done, total)/total)
		}
		fmt.Fprintf(&b, "%d of %d %s", done, total, p.noun)
	}
	took := now.Sub(p.began)
	if made := done - p.first; made > 0 && took >= time.Second {
		rate := float64(made) / took.Seconds()
		fmt.Fprintf(&b, ", %.0f a second", rate)
		if left := total - done; left > 0 {
			fmt.Fprintf(&b, ", %s left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
		}
	}
	return b.String()
}
