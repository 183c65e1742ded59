package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/cmd/internal/config"
	"leadgate/cmd/internal/demo"
	"leadgate/intake/identity"
)

// place says where the gateway is that a command is about.
type place struct{ config, dir string }

func (p *place) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&p.config, "config", "", "configuration file of the gateway")
	cmd.PersistentFlags().StringVar(&p.dir, "dir", "", "data directory of the gateway, such as the demo's")
	cmd.MarkFlagsMutuallyExclusive("config", "dir")
}

// with calls fn with a client of the gateway: the running one or, if none runs, one over
// the store opened for as long as fn takes.
func (p *place) with(ctx context.Context, fn func(*admin.Client) error) (err error) {
	cfg, err := p.find()
	if err != nil {
		return err
	}
	client, err := admin.Dial(filepath.Join(cfg.Data, app.SocketFile))
	if err == nil {
		return fn(client)
	}
	if !errors.Is(err, admin.ErrNotRunning) {
		return fmt.Errorf("gateway in %s: %w", cfg.Data, err)
	}
	if p.config == "" && !demo.Is(cfg.Data) {
		return fmt.Errorf("no gateway runs in %s; start it, or give its --config, for decisions are made by its policy", cfg.Data)
	}
	a, err := openApp(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() {
		if closed := a.Close(); closed != nil {
			err = errors.Join(err, closed)
		}
	}()
	return fn(admin.Local(a.AdminHandler()))
}

// openApp opens a gateway. That another has the store open is said without the error beneath,
// which is only that the wait for it timed out.
func openApp(cfg config.Config, log *slog.Logger) (*app.App, error) {
	a, err := app.Open(cfg, log)
	if err == nil {
		return a, nil
	}
	if words, waited := strings.CutSuffix(err.Error(), ": timeout"); waited {
		err = errors.New(words)
	}
	return nil, err
}

func (p *place) find() (config.Config, error) {
	switch {
	case p.config != "":
		return load(p.config)
	case p.dir != "":
		dir, err := filepath.Abs(p.dir)
		if err != nil {
			return config.Config{}, err
		}
		return demo.Config(dir, demo.Listeners{SMTP: "127.0.0.1:0"}), nil
	}
	return config.Config{}, errors.New("which gateway? give --config FILE or --dir DIRECTORY")
}

// lists are the identity lists of the gateway.
func (p *place) lists() (*identity.Lists, error) {
	cfg, err := p.find()
	if err != nil {
		return nil, err
	}
	return cfg.Identity.Lists()
}

// whoami names the person at the keyboard, for the record of who decided.
func whoami() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid-%d", os.Getuid())
}
