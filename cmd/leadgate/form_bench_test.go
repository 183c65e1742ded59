package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/webform"
	"leadgate/channels/webform/captcha"
	"leadgate/cmd/internal/app"
	"leadgate/cmd/internal/demo"
	"leadgate/intake"
)

// wrkRun is what wrk counted.
type wrkRun struct{ Taken, Shed, Other, Last, Micros, P50, P99, Errors int64 }

func (r wrkRun) perSecond() float64 { return float64(r.Taken) / (float64(r.Micros) / 1e6) }

// BenchmarkForm prints how many forms a gateway takes in durably from 64 connections, of
// visitors whom a partner's link proves, with all that follows of it (checks, decision, answer)
// going on at the same time. Beside it, in turns: a bare echo handler with the same client, and
// bare group commits into bbolt. Then ten times the connections come, and it says how many are
// told to come back. In the end every case that anybody was told of has to be there.
func BenchmarkForm(b *testing.B) {
	if _, err := exec.LookPath("wrk"); err != nil {
		b.Skip("wrk is not installed (apt-get install wrk)")
	}
	dir := b.TempDir()
	told := b.TempDir()
	at, link, stop := serveForm(b, dir)
	bareEcho := serveEcho(b)
	bare := newBareStore(b, 4096)
	body := formBody(b, at+link)
	b.ResetTimer()
	var ours, handler, store []float64
	var last wrkRun
	for round := 0; b.Loop(); round++ {
		last = wrk(b, at, link, body, told, fmt.Sprintf("n%d", round), 64)
		ours = append(ours, last.perSecond())
		handler = append(handler, wrk(b, bareEcho, "/", "", told, "", 64).perSecond())
		rate, _ := drive(64, time.Second, bare.put)
		store = append(store, rate)
		if last.Other > 0 || last.Errors > 0 {
			b.Fatalf("%+v", last)
		}
	}
	flood := wrk(b, at, link, body, told, "flood", 640)
	if flood.Shed == 0 || flood.Other > 0 {
		b.Errorf("ten times the connections: %+v", flood)
	}
	stop()
	lost, all := lostCases(b, dir, told)
	if lost > 0 {
		b.Errorf("%d of %d acknowledged registrations are lost", lost, all)
	}
	b.ReportMetric(median(ours), "forms/s")
	b.ReportMetric(median(ours)/median(handler), "of-bare-echo")
	b.ReportMetric(median(ours)/median(store), "of-bare-commit")
	b.ReportMetric(float64(last.P50)/1000, "p50-ms")
	b.ReportMetric(float64(last.P99)/1000, "p99-ms")
	b.ReportMetric(flood.perSecond()/median(ours), "flood-of-usual")
	b.ReportMetric(float64(flood.Shed), "flood-shed")
	b.ReportMetric(float64(flood.P99)/1000, "flood-p99-ms")
	b.ReportMetric(float64(all), "acknowledged")
	b.ReportMetric(float64(lost), "lost")
	b.ReportMetric(0, "ns/op")
}

// serveForm runs a gateway of the demo's make-up with a form on a free port.
func serveForm(b *testing.B, dir string) (at, link string, stop func()) {
	b.Helper()
	port := freePort(b)
	cfg := demo.Config(dir, demo.Listeners{SMTP: "127.0.0.1:0"})
	cfg.Pages.Listen = "127.0.0.1:" + port
	cfg.Pages.URL = "http://127.0.0.1:" + port
	cfg.Pages.TrustedProxies = []string{"127.0.0.0/8"}
	cfg.Form = webform.Config{Enabled: true, Captcha: captcha.Config{Provider: captcha.KindOff}, Limits: webform.Limits{Minute: 1e6, PartnerHour: 1e9, Hour: 1e9}}
	a, err := app.Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	if err := demo.Seed(context.Background(), a.Gateway()); err != nil {
		b.Fatal(err)
	}
	full, _, err := a.Gateway().FormLink(context.Background(), "brightpath", intake.PurposeForm)
	if err != nil {
		b.Fatal(err)
	}
	u, err := url.Parse(full)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	<-a.Ready()
	return "http://127.0.0.1:" + port, u.RequestURI(), func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// serveEcho is the yardstick for the way through HTTP: the same router with nothing behind it.
func serveEcho(b *testing.B) string {
	b.Helper()
	e := echo.New()
	e.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: e}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close(); <-done })
	return "http://" + l.Addr().String()
}

var openedInput = regexp.MustCompile(`name="opened" value="([^"]+)"`)

// formBody is a filled-in form without the company, opened as long ago as people take.
func formBody(b *testing.B, page string) string {
	b.Helper()
	res, err := http.Get(page)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		b.Fatal(err)
	}
	opened := openedInput.FindStringSubmatch(text.String())
	if opened == nil {
		b.Fatalf("%d: no form in\n%s", res.StatusCode, text.String())
	}
	time.Sleep(3500 * time.Millisecond) // whoever is faster has to confirm
	return url.Values{
		"opened": {opened[1]}, "contact_name": {"Jane Doe"}, "contact_email": {"jane@acme.example"}, "contact_role": {"CTO"},
		"problem": {strings.Repeat("They lose a day a week to manual reporting. ", 6)}, "stage": {"new_intro"},
		"submitter_name": {"Ana Silva"}, "submitter_email": {"ana@brightpath.example"}, "consent": {"yes"},
	}.Encode()
}

// wrk drives a page for three seconds.
func wrk(b *testing.B, at, path, body, dir, run string, connections int) wrkRun {
	b.Helper()
	cmd := exec.Command("wrk", "-t2", fmt.Sprintf("-c%d", connections), "-d3s", "--timeout", "20s", "-s", "testdata/form.lua", at)
	cmd.Env = append(os.Environ(), "FORM_BODY="+body, "FORM_PATH="+path, "FORM_DIR="+dir, "FORM_RUN="+run)
	if body == "" {
		cmd.Env = append(os.Environ(), "FORM_PATH="+path)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	var r wrkRun
	i := bytes.LastIndexByte(out, '{')
	if i < 0 || json.Unmarshal(out[i:], &r) != nil {
		b.Fatalf("wrk says\n%s", out)
	}
	return r
}

// lostCases reads the cases that visitors were told of, and looks each up in the store.
func lostCases(b *testing.B, dir, told string) (lost, all int) {
	b.Helper()
	a, err := app.Open(demo.Config(dir, demo.Listeners{SMTP: "127.0.0.1:0"}), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	files, err := filepath.Glob(filepath.Join(told, "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		for lines := bufio.NewScanner(f); lines.Scan(); all++ {
			if _, err := a.Gateway().Dossier(context.Background(), caseOf(b, lines.Text())); err != nil {
				b.Log(err)
				lost++
			}
		}
		_ = f.Close()
	}
	return lost, all
}

// caseOf reads the number out of the token in the address of the page after the form.
func caseOf(b *testing.B, location string) string {
	b.Helper()
	u, err := url.Parse(location)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(u.Path, intake.PathDone))
	var grant intake.Grant
	if err != nil || len(raw) < 16 || json.Unmarshal(raw[16:], &grant) != nil || grant.Case == "" {
		b.Fatalf("%q leads nowhere", location)
	}
	return grant.Case
}
