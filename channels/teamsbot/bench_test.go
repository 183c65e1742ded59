package teamsbot_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/channels/teamsbot"
	"leadgate/channels/teamsbot/teamstest"
	"leadgate/rules"
)

// BenchmarkRegister prints how long it takes from the line to the card of the case, without what a
// person takes for the form: until the form is posted, and from when its button is pressed until
// the case is stored on a disk and judged, and its card stands where the form was. The service of
// Teams is in this process; what it takes is within the figures.
func BenchmarkRegister(b *testing.B) {
	w := open(b, func(c *teamsbot.Config, _ *rules.Spec) { c.Hour = 1e6 })
	var forms, all []time.Duration
	n := 0
	for b.Loop() {
		ana := w.says("ana", tenantAlpha, fmt.Sprintf("register Acme firm%d.example", n))
		began := time.Now()
		c, id := w.form(ana)
		form := time.Since(began)
		answers := typed("Firm "+channeltest.Word(n), fmt.Sprintf("firm%d.example", n))
		sent := time.Now()
		if done := w.answered(presses(ana, c, id, answers)); len(done.inputs) > 0 {
			b.Fatal(done.text)
		}
		w.service.Wait(b, func(s teamstest.Sent) bool { return s.Method == http.MethodPut && s.ID == id })
		forms, all = append(forms, form), append(all, form+time.Since(sent))
		n++
	}
	channeltest.Latencies(b, forms, all)
}
