package app

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"leadgate/channels/mailbox"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
	"leadgate/store/boltstore"
)

// metrics counts what the gateway does. Labels are from closed sets: no partner, no domain.
type metrics struct {
	submissions *prometheus.CounterVec
	accept      *prometheus.HistogramVec
	moves       *prometheus.CounterVec
	held        prometheus.Counter
	attempts    *prometheus.CounterVec
	attemptTime *prometheus.HistogramVec
	captchas    *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	stopping    atomic.Bool
}

var _ intake.Observer = (*metrics)(nil)

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		submissions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadgate_submissions_total", Help: "Submissions by channel and what became of them.",
		}, []string{"channel", "outcome"}),
		accept: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "leadgate_accept_seconds", Help: "Time from a parsed submission to its durable acceptance.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}, []string{"channel"}),
		moves: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadgate_case_transitions_total", Help: "Transitions of cases by new status.",
		}, []string{"to"}),
		held: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "leadgate_answers_held_total", Help: "Answers that the sending budget held back, to be told in a summary.",
		}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadgate_task_attempts_total", Help: "Attempts at tasks by lane and result.",
		}, []string{"lane", "result"}),
		attemptTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "leadgate_task_seconds", Help: "Duration of attempts by lane.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"lane"}),
	}
	m.captchas = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "leadgate_captcha_checks_total", Help: "Checks of the form's captcha by provider and outcome.",
	}, []string{"provider", "outcome"})
	m.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "leadgate_form_refused_total", Help: "Forms that were not taken in, by why.",
	}, []string{"why"})
	r.MustRegister(m.submissions, m.accept, m.moves, m.held, m.attempts, m.attemptTime, m.captchas, m.refusals,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Accepted implements intake.Observer.
func (m *metrics) Accepted(channel, outcome string, took time.Duration) {
	m.submissions.WithLabelValues(channel, outcome).Inc()
	m.accept.WithLabelValues(channel).Observe(took.Seconds())
}

// Moved implements intake.Observer.
func (m *metrics) Moved(_, to intake.Status) { m.moves.WithLabelValues(string(to)).Inc() }

// Held implements intake.Observer.
func (m *metrics) Held() { m.held.Inc() }

// Attempted implements intake.Observer.
func (m *metrics) Attempted(lane intake.Lane, result string, took time.Duration) {
	m.attempts.WithLabelValues(string(lane), result).Inc()
	m.attemptTime.WithLabelValues(string(lane)).Observe(took.Seconds())
}

// captcha counts a check of the form's captcha.
func (m *metrics) captcha(provider string, o captcha.Outcome, _ time.Duration) {
	m.captchas.WithLabelValues(provider, string(o)).Inc()
}

// formRefused counts a form that was not taken in.
func (m *metrics) formRefused(why string) { m.refusals.WithLabelValues(why).Inc() }

// watch adds what is read at the time of a scrape: the queue and the store.
func (m *metrics) watch(r prometheus.Registerer, g *intake.Gateway, s *boltstore.Store) {
	r.MustRegister(&queueCollector{gateway: g, store: s})
}

// mailboxCollector reads the health of mailboxes when scraped.
type mailboxCollector struct{ boxes []*mailbox.Mailbox }

var (
	mailboxLabels = []string{"mailbox"}
	lastSuccess   = prometheus.NewDesc("leadgate_imap_last_success_timestamp_seconds", "When the mailbox was last fetched to its end; 0 if never.", mailboxLabels, nil)
	mailboxState  = prometheus.NewDesc("leadgate_mailbox_state", "1 for the state that the mailbox is in: ok, degraded, auth_failed, down.", []string{"mailbox", "state"}, nil)
	canaryLatency = prometheus.NewDesc("leadgate_mailbox_canary_seconds", "How long the last mail to itself was under way.", mailboxLabels, nil)
	canaryOverdue = prometheus.NewDesc("leadgate_mailbox_canary_overdue", "1 if a mail to itself does not come back.", mailboxLabels, nil)
	forgedTokens  = prometheus.NewDesc("leadgate_mailbox_forged_tokens_total", "Mails with a token that looks like one of ours and is not.", mailboxLabels, nil)
)

// Describe implements prometheus.Collector.
func (c mailboxCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lastSuccess, mailboxState, canaryLatency, canaryOverdue, forgedTokens} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c mailboxCollector) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c.boxes {
		h, name := m.Health(), m.Mailbox()
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{name}, labels...)...)
		}
		if m.Fetches() {
			last := 0.0
			if !h.LastSuccess.IsZero() {
				last = float64(h.LastSuccess.UnixMilli()) / 1000
			}
			gauge(lastSuccess, last)
		}
		for _, state := range mailbox.States() {
			gauge(mailboxState, truth(h.State == state), string(state))
		}
		if !h.CanarySeen.IsZero() || h.CanaryOverdue {
			gauge(canaryLatency, h.CanaryLatency.Seconds())
			gauge(canaryOverdue, truth(h.CanaryOverdue))
		}
		ch <- prometheus.MustNewConstMetric(forgedTokens, prometheus.CounterValue, float64(m.ForgedTokens()), name)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// queueCollector reads depths and sizes when scraped.
type queueCollector struct {
	gateway *intake.Gateway
	store   *boltstore.Store
}

var (
	openTasks   = prometheus.NewDesc("leadgate_tasks_open", "Unfinished tasks by lane.", []string{"lane"}, nil)
	parkedTasks = prometheus.NewDesc("leadgate_tasks_parked", "Tasks given up and left to staff, by lane.", []string{"lane"}, nil)
	oldestTask  = prometheus.NewDesc("leadgate_task_oldest_seconds", "By how much the earliest task of a lane is overdue.", []string{"lane"}, nil)
	fileBytes   = prometheus.NewDesc("leadgate_store_file_bytes", "Size of the store's file.", nil, nil)
	freeRatio   = prometheus.NewDesc("leadgate_store_free_page_ratio", "Share of the store's file that is free for reuse.", nil, nil)
	longestRead = prometheus.NewDesc("leadgate_store_read_max_seconds", "The longest read transaction so far.", nil, nil)
	commits     = prometheus.NewDesc("leadgate_store_commits_total", "Durable commits.", nil, nil)
)

// Describe implements prometheus.Collector.
func (q *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{openTasks, parkedTasks, oldestTask, fileBytes, freeRatio, longestRead, commits} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (q *queueCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if depth, err := q.gateway.Depth(ctx); err == nil {
		now := time.Now()
		for lane, d := range depth {
			gauge(openTasks, float64(d.Open), string(lane))
			gauge(parkedTasks, float64(d.Parked), string(lane))
			if !d.Oldest.IsZero() {
				gauge(oldestTask, max(0, now.Sub(d.Oldest).Seconds()), string(lane))
			}
		}
	}
	s := q.store.Stats()
	gauge(fileBytes, float64(s.Size))
	gauge(freeRatio, s.FreeRatio)
	gauge(longestRead, s.LongestView.Seconds())
	ch <- prometheus.MustNewConstMetric(commits, prometheus.CounterValue, float64(s.Commits))
}

// backup writes a copy of the running store to path, checked and complete or not at all.
func (a *App) backup(ctx context.Context, path string) (int64, error) {
	if !filepath.IsAbs(path) {
		return 0, &intake.ErrInput{Problem: "the path of a backup must be absolute"}
	}
	if info, err := os.Lstat(path); err == nil && info.Size() > 0 && !boltstore.IsStore(path) {
		return 0, &intake.ErrInput{Problem: path + " exists and is no backup; choose another name"}
	}
	if err := a.store.Backup(ctx, path); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
