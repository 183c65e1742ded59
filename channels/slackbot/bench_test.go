package slackbot

import (
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/intake"
	"leadgate/rules"
	"leadgate/store/boltstore"
)

// BenchmarkRegister prints how long it takes from the command to the card in the channel, without
// what a person takes for the form: until the form is opened, and from when it is sent until its
// case is stored on a disk and judged, and its card posted. Slack is in this process; what it takes
// is within the figures. The second that Slack wants between two messages to a channel is not.
func BenchmarkRegister(b *testing.B) {
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(b.TempDir(), "db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	w := openWorld(b, func(c *Config, _ *rules.Spec, o *intake.Options) {
		c.Limits, o.Store = Limits{UserHour: 1e6, TeamHour: 1e6}, store
	})
	w.bot.pace.every = 0
	var forms, all []time.Duration
	n := 0
	for b.Loop() {
		began := time.Now()
		if status, body := w.command(fmt.Sprintf("Acme firm%d.example", n), func(v url.Values) { v.Set("channel_id", "C0ALPHA") }); status != 200 || body != "" {
			b.Fatalf("%d %s", status, body)
		}
		w.slack.wait(b, "views.open", n+1)
		form := time.Since(began)
		v := w.byAna(func(v *view) {
			v.values["company_domain"], v.values["contact_email"] = fmt.Sprintf("firm%d.example", n), fmt.Sprintf("jane@firm%d.example", n)
			v.values["company_name"] = "Firm " + channeltest.Word(n)
		})
		sent := time.Now()
		w.took(v)
		n++
		w.slack.wait(b, "chat.postMessage", n)
		forms, all = append(forms, form), append(all, form+time.Since(sent))
	}
	channeltest.Latencies(b, forms, all)
}
