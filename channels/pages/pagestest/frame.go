package pagestest

import (
	"context"
	"strings"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// Frame is the page that a frame of this one shows, of another site, once its address begins so.
// It is looked at as a page is, but has no picture and no status of its own at first.
func (p *Page) Frame(prefix string) *Page {
	p.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := chromedp.Targets(p.ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, info := range all {
			if info.Type == "iframe" && strings.HasPrefix(info.URL, prefix) {
				ctx, stop := chromedp.NewContext(p.ctx, chromedp.WithTargetID(info.TargetID))
				p.t.Cleanup(stop)
				f := &Page{t: p.t, ctx: ctx, look: p.look}
				if err := chromedp.Listen(ctx, f.listen); err != nil {
					p.t.Fatal(err)
				}
				f.Do(func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
					return chromedp.Void{}, call(ctx, tab, audits.Enable, cdp.Empty{})
				}, chromedp.WaitReady(chromedp.CSS("body")))
				return f
			}
		}
		select {
		case <-tick.C:
		case <-p.ctx.Done():
			p.t.Fatalf("no frame shows %s", prefix)
		}
	}
}
