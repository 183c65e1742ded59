// Package app puts a gateway together from its configuration and runs it: which part
// exists, which goroutine runs it, and in which order all of it stops.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"leadgate/channels"
	"leadgate/channels/csvdrop"
	"leadgate/channels/mailbox"
	"leadgate/channels/meetings"
	"leadgate/channels/slackbot"
	"leadgate/channels/teamsbot"
	"leadgate/channels/webhook"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
	"leadgate/intake/crm/hubspot"
	"leadgate/intake/crm/ledger"
	"leadgate/intake/crm/salesforce"
	"leadgate/intake/crm/tryton"
	crmhook "leadgate/intake/crm/webhook"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
	"leadgate/templates"
)

// The names of the store, of the admin socket, and of where mail lies while it is read, in
// the data directory.
const (
	StoreFile  = "leadgate.db"
	SocketFile = "admin.sock"
	spoolDir   = "spool"
)

// App is a gateway with everything around it. Open it, Run it once, Close it.
type App struct {
	cfg      config.Config
	log      *slog.Logger
	store    *boltstore.Store
	policy   *rules.Policy
	ids      *identity.Lists
	gateway  *intake.Gateway
	texts    *templates.Set
	reader   *extract.Extractor
	drop     *csvdrop.Drop
	folder   *csvdrop.Folder // nil without one
	ledger   *ledger.Ledger
	crms     []intake.CRM
	channels []channels.Channel
	metrics  *metrics
	registry *prometheus.Registry

	links   *intake.Links
	pages   *echo.Echo   // the listener for people; nil without one
	pagesOn net.Listener // bound by ListenPages
	boxes   []*mailbox.Mailbox
	hooks   *webhook.Hooks
	slack   *slackbot.Bot // nil without one
	forms   meetings.Forms
	teams   *teamsbot.Bot // nil without one
	ready   chan struct{}
	closing sync.Once
}

// Open opens the store and builds all parts. Nothing runs yet.
func Open(cfg config.Config, log *slog.Logger) (_ *App, err error) {
	spool := filepath.Join(cfg.Data, spoolDir)
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	a := &App{cfg: cfg, log: log, ready: make(chan struct{})}
	a.store, err = boltstore.Open(boltstore.Options{Path: filepath.Join(cfg.Data, StoreFile), Log: log})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.store.Close())
		}
	}()
	// The store is locked, so that no other process has mail in the spool.
	if n, err := mailbox.CleanSpool(spool); err != nil || n > 0 {
		log.Warn("mail that a killed process has left in the spool was removed", "files", n, "err", err)
	}
	if a.ids, err = cfg.Identity.Lists(); err != nil {
		return nil, err
	}
	a.registry = prometheus.NewRegistry()
	a.metrics = newMetrics(a.registry)
	if err := a.buildGateway(); err != nil {
		return nil, err
	}
	a.metrics.watch(a.registry, a.gateway, a.store)
	if a.texts, err = templates.New(a.cfg.TemplateOptions()); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	a.reader = extract.New(a.ids, extract.Options{OwnDomain: a.policy.Owns, OwnNames: a.policy.OwnNames(), PartnerDomain: a.gateway.IsPartner})
	a.drop = csvdrop.New(csvdrop.Deps{
		Gateway: a.gateway, Extractor: a.reader, Words: a.texts, TempDir: spool, Now: time.Now, Log: log,
	})
	if f := cfg.Lists.Folder; f.Path != "" {
		a.folder = csvdrop.NewFolder(f, csvdrop.FolderDeps{Drop: a.drop, Mail: mailChannel(cfg), Now: time.Now, Log: log})
		a.watch(a.folder)
	}
	if err := a.buildMailboxes(); err != nil {
		return nil, err
	}
	if err := a.buildSlack(); err != nil {
		return nil, err
	}
	if err := a.buildHooks(); err != nil {
		return nil, err
	}
	if err := a.buildTeams(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) buildGateway() error {
	ctx := context.Background()
	key, err := intake.Secret(ctx, a.store, "case-numbers")
	if err != nil {
		return err
	}
	numbers, err := intake.NewNumbering(a.cfg.CasePrefix, key)
	if err != nil {
		return err
	}
	a.policy, err = rules.New(a.cfg.Policy, a.ids)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if err := intake.KeepPolicy(ctx, a.store, a.policy.Hash(), a.policy.Source()); err != nil {
		return err
	}
	if err := a.buildLinks(ctx); err != nil {
		return err
	}
	a.ledger = ledger.New(a.store, time.Now)
	var crms []intake.CRM
	if a.cfg.CRM.Ledger {
		crms = append(crms, a.ledger)
	}
	for _, c := range a.cfg.CRM.Webhooks {
		w, err := crmhook.New(c)
		if err != nil {
			return fmt.Errorf("crm webhook %s: %w", c.Name, err)
		}
		crms = append(crms, w)
	}
	for _, c := range a.cfg.CRM.Tryton {
		t, err := tryton.New(c)
		if err != nil {
			return err
		}
		crms = append(crms, t)
	}
	for _, c := range a.cfg.CRM.Salesforce {
		s, err := salesforce.New(c)
		if err != nil {
			return err
		}
		crms = append(crms, s)
	}
	for _, c := range a.cfg.CRM.HubSpot {
		c.Zone = a.policy.Zone()
		h, err := hubspot.New(c)
		if err != nil {
			return err
		}
		crms = append(crms, h)
	}
	sign, err := openSigner(a.cfg.Data)
	if err != nil {
		return err
	}
	a.gateway, err = intake.New(intake.Options{
		Store: a.store, Policy: a.policy, Identity: a.ids, Numbers: numbers, CRMs: crms,
		Program: a.cfg.Program, Budget: a.cfg.Budget, Log: a.log, Observe: a.metrics, Alone: true,
		Signer: sign, Witness: witness{filepath.Join(a.cfg.Data, WitnessFile)},
		DownAfter: a.cfg.Alerts.DownAfter, Links: a.links, Staff: a.cfg.Staff, StaffChannel: mailChannel(a.cfg), StaffLocale: a.cfg.StaffLocale,
		Weekly: a.cfg.PartnerDigest, PullEvery: a.cfg.CRM.Every,
	})
	if err != nil {
		return err
	}
	a.crms = crms
	for _, c := range crms {
		a.watch(c)
	}
	return nil
}

// mailChannel is the channel through which people are written to by e-mail address: staff, and
// visitors of the form. It is mail, if there is a mailbox to send it.
func mailChannel(cfg config.Config) string {
	if len(cfg.Mailboxes) == 0 {
		return ""
	}
	return mailbox.Channel
}

// mailAddress is where partners write to; "" without a mailbox.
func mailAddress(cfg config.Config) string {
	if len(cfg.Mailboxes) == 0 {
		return ""
	}
	return cfg.Mailboxes[0].Address
}

func (a *App) buildMailboxes() error {
	key, err := intake.Secret(context.Background(), a.store, "mail-threads")
	if err != nil {
		return err
	}
	for _, c := range a.cfg.Mailboxes {
		m, err := mailbox.New(c, mailbox.Deps{
			Key:       key,
			Extractor: a.reader,
			Identity:  a.ids,
			Renderer:  renderer{a.texts},
			Lists:     lists{a.drop, a.gateway},
			Tokens:    refreshTokens{a.store},
			Now:       time.Now,
			Log:       a.log,
			SpoolDir:  filepath.Join(a.cfg.Data, spoolDir),
		})
		if err != nil {
			return fmt.Errorf("mailbox %s: %w", c.Name, err)
		}
		a.boxes = append(a.boxes, m)
		a.channels = append(a.channels, m)
	}
	a.registry.MustRegister(mailboxCollector{a.boxes})
	if len(a.boxes) > 0 { // together they are one channel: each answers what it took in
		a.gateway.Register(a.boxes[0].Name(), mailbox.Repliers(a.boxes))
	}
	return nil
}

// Gateway returns the pipeline, for commands that work on the store without Run.
func (a *App) Gateway() *intake.Gateway { return a.gateway }

// Ledger returns the embedded system of record.
func (a *App) Ledger() *ledger.Ledger { return a.ledger }

// Ready is closed once every listener is bound and everything runs.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Close closes the store. Run does it too; a second call does no harm.
func (a *App) Close() (err error) {
	a.closing.Do(func() {
		a.drop.Close()
		for _, crm := range a.crms {
			if c, ok := crm.(io.Closer); ok {
				err = errors.Join(err, c.Close())
			}
		}
		err = errors.Join(err, a.store.Close())
	})
	return err
}

// MailAddress returns where the first mailbox takes direct mail, once Ready is closed, or
// "" if it takes none.
func (a *App) MailAddress() string {
	for _, m := range a.boxes {
		if addrs := m.Addrs(); len(addrs) > 0 {
			return addrs[0]
		}
	}
	return ""
}

// The longest that each step of stopping may take; together less than 25 s.
const (
	stopIntake = 3 * time.Second
	drainHTTP  = 3 * time.Second
	stopHTTP   = drainHTTP + time.Second
	stopWork   = 16 * time.Second
)

// Run runs everything until ctx is done or a part fails, then stops in order: channels take
// nothing more, requests under way are answered, work under way is finished, the store is
// closed. What was not finished goes on after the next start.
func (a *App) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, a.Close()) }()
	for _, c := range a.channels {
		a.watch(c)
	}
	servers, err := a.listen()
	if err != nil {
		return err
	}
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	a.warnUnverified(ctx)
	work := start(failed, a.gateway.Run)
	var serving []*running
	for _, s := range servers {
		serving = append(serving, start(failed, s.run))
	}
	var taking []*running
	for _, c := range a.channels {
		if r, ok := c.(channels.Runner); ok {
			taking = append(taking, start(failed, func(ctx context.Context) error { return r.Run(ctx, a.gateway) }))
		}
	}
	taking = append(taking, start(failed, func(ctx context.Context) error { return a.drop.Run(ctx, a.gateway) }))
	if a.folder != nil {
		taking = append(taking, start(failed, func(ctx context.Context) error { return a.folder.Run(ctx, a.gateway) }))
	}
	close(a.ready)
	a.log.Info("running", "program", a.cfg.Program, "channels", len(a.channels), "data", a.cfg.Data)

	<-ctx.Done()
	a.log.Info("stopping")
	a.metrics.stopping.Store(true)
	err = errors.Join(
		stop(stopIntake, "channels", taking...),
		stop(stopHTTP, "http", serving...),
		stop(stopWork, "work", work),
	)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// warnUnverified logs which CRMs nobody has ever found complete.
func (a *App) warnUnverified(ctx context.Context) {
	all, err := a.gateway.CRMs(ctx)
	for _, s := range all {
		if s.Verifies && s.Verified.IsZero() {
			a.log.Warn("whether the CRM is set up was never verified; run leadgate crm verify", "crm", s.Name)
		}
	}
	if err != nil {
		a.log.Error("look at the CRMs", "err", err)
	}
}

// watch has staff told if a part is down, if it is one that can say so.
func (a *App) watch(part any) {
	if w, ok := part.(intake.Watched); ok {
		a.gateway.Watch(w)
	}
}

// running is a goroutine that can be told to stop.
type running struct {
	cancel context.CancelFunc
	done   chan error
}

// start runs fn under a context of its own, so that parts stop in the order that Run wants.
// If fn fails, all are told.
func start(failed context.CancelCauseFunc, fn func(context.Context) error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := fn(ctx)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		r.done <- err
	}()
	return r
}

// stop tells parts to stop and waits for them, but no longer than the limit.
func stop(limit time.Duration, name string, parts ...*running) error {
	timeout := time.After(limit)
	for _, p := range parts {
		p.cancel()
	}
	for _, p := range parts {
		select {
		case <-p.done:
		case <-timeout:
			return fmt.Errorf("%s did not stop within %v", name, limit)
		}
	}
	return nil
}

// ListenPages binds the listener for people and returns its address and the router on which
// to put pages. It is called before Run.
func (a *App) ListenPages(address string) (*echo.Echo, string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", err
	}
	a.pagesOn, a.pages = l, newEcho(a.log)
	a.health(a.pages)
	return a.pages, l.Addr().String(), a.mountPages(a.pages)
}

// listen binds what is not bound yet: all addresses are known to be free before anything
// is taken in.
func (a *App) listen() ([]server, error) {
	var servers []server
	if err := a.listenPages(); err != nil {
		return nil, err
	}
	if a.pages != nil {
		servers = append(servers, server{a.pagesOn, a.pages, time.Minute})
	}
	admin := newEcho(a.log)
	a.health(admin)
	a.exposeMetrics(admin)
	a.channelsHealth(admin)
	l, err := net.Listen("tcp", a.cfg.Admin.Listen)
	if err != nil {
		return nil, fmt.Errorf("admin listener: %w", err)
	}
	servers = append(servers, server{l, admin, time.Minute})
	socket, err := listenSocket(filepath.Join(a.cfg.Data, SocketFile))
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	servers = append(servers, server{socket, a.AdminHandler(), 0})
	for _, m := range a.boxes {
		if err := m.Listen(); err != nil {
			return nil, err
		}
	}
	return servers, nil
}

// server serves a handler until its context is done, then drains.
type server struct {
	listener net.Listener
	handler  http.Handler
	patience time.Duration // how long an answer may take; 0 for as long as it takes
}

func (s server) run(ctx context.Context) error {
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      s.patience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	var group errgroup.Group
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), drainHTTP)
		defer cancel()
		return errors.Join(srv.Shutdown(drain), srv.Close())
	})
	group.Go(func() error {
		if err := srv.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return group.Wait()
}

// maxSocketPath is what unix(7) leaves for a path.
const maxSocketPath = 107

// listenSocket binds a unix socket that only its owner may open. One that a killed process
// left behind is replaced: the store's lock has shown that nobody else runs here.
func listenSocket(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("%s is longer than the %d bytes that a socket's path may have; choose a data directory with a shorter path", path, maxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// lists takes in the lists that come by mail.
type lists struct {
	*csvdrop.Drop
	*intake.Gateway
}

// renderer gives the mailbox its words.
type renderer struct{ texts *templates.Set }

func (r renderer) Render(m intake.Message) (mailbox.Rendered, error) {
	words, err := r.texts.Render(m)
	return mailbox.Rendered(words), err
}
