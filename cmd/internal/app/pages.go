package app

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/csvdrop"
	"leadgate/channels/desk"
	"leadgate/channels/pages"
	"leadgate/channels/statuspage"
	"leadgate/channels/webform"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// buildLinks makes what signs the links to the pages; there is none without pages.
func (a *App) buildLinks(ctx context.Context) error {
	if !a.cfg.Pages.On() {
		return nil
	}
	key, err := intake.Secret(ctx, a.store, "links")
	if err != nil {
		return err
	}
	a.links, err = intake.NewLinks(a.cfg.Pages.URL, key)
	return err
}

// Links makes the links to the pages; nil without pages.
func (a *App) Links() *intake.Links { return a.links }

// listenPages binds the listener of the configuration. Probes have a listener of their own:
// this one is for the public.
func (a *App) listenPages() error {
	if a.cfg.Pages.Listen == "" || a.pages != nil {
		return nil
	}
	l, err := net.Listen("tcp", a.cfg.Pages.Listen)
	if err != nil {
		return fmt.Errorf("pages listener: %w", err)
	}
	a.pagesOn, a.pages = l, newEcho(a.log)
	return a.mountPages(a.pages)
}

// mountPages adds the pages behind links to a router.
func (a *App) mountPages(e *echo.Echo) error {
	if a.links == nil {
		return nil
	}
	extractor, err := clientAddress(a.cfg.Pages.TrustedProxies)
	if err != nil {
		return err
	}
	e.IPExtractor = extractor
	site, err := pages.New(pages.Options{
		Program: a.cfg.Program, URL: a.cfg.Pages.URL, Brand: a.cfg.Pages.Brand, Zone: a.policy.Zone(), Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	staff, err := desk.New(site, a.gateway, a.cfg.StaffLocale)
	if err != nil {
		return err
	}
	partners, err := statuspage.New(site, a.gateway)
	if err != nil {
		return err
	}
	mounters := []channels.Mounter{staff, partners}
	if a.cfg.Form.Enabled {
		form, err := a.buildForm(site)
		if err != nil {
			return err
		}
		if err := form.MountAssets(e); err != nil {
			return err
		}
		mounters = append(mounters, form)
	}
	lists, err := csvdrop.NewPages(a.cfg.Lists.Page, csvdrop.PageDeps{
		Site: site, Gateway: a.gateway, Drop: a.drop, Answers: mailChannel(a.cfg), Mail: mailAddress(a.cfg),
		Form: a.cfg.Form.Enabled, Now: time.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	if err := lists.MountAssets(e); err != nil {
		return err
	}
	mounters = append(mounters, lists)
	if err := a.mountAPI(e); err != nil {
		return err
	}
	g := site.Mount(e)
	for _, m := range mounters {
		m.Mount(g, a.gateway)
	}
	a.mountHooks(e)
	crmCalls{a.gateway.Hint, a.cfg.Pages.URL, a.log}.mount(e)
	return nil
}

// buildForm makes the public form.
func (a *App) buildForm(site *pages.Site) (*webform.Form, error) {
	ctx := context.Background()
	key, err := intake.Secret(ctx, a.store, "form")
	if err != nil {
		return nil, err
	}
	captchaKey, err := intake.Secret(ctx, a.store, "captcha")
	if err != nil {
		return nil, err
	}
	gate, err := captcha.New(a.cfg.Form.Captcha, captcha.Options{
		Reach: a.cfg.Pages.Reach(), Key: captchaKey, Now: time.Now, Log: a.log, Observe: a.metrics.captcha,
		ChallengeURL: site.Base() + webform.PathChallenge, AssetsURL: site.Base() + webform.PathCaptcha,
	})
	if err != nil {
		return nil, err
	}
	reader := extract.New(a.ids, extract.Options{})
	return webform.New(a.cfg.Form, webform.Deps{
		Site: site, Gateway: a.gateway, Gate: gate, Identity: a.ids, Read: reader.Value, Key: key,
		Answers: mailChannel(a.cfg), Contact: a.cfg.Policy.Contact.Email, Lists: true, Now: time.Now, Log: a.log, Refused: a.metrics.formRefused,
	})
}

// clientAddress finds where a request comes from: the connection, unless that is one of a
// proxy whose word is taken.
func clientAddress(proxies []string) (echo.IPExtractor, error) {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect(), nil
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			return nil, fmt.Errorf("trusted proxies: %w", err)
		}
		trust = append(trust, echo.TrustIPRange(n))
	}
	return echo.ExtractIPFromXFFHeader(trust...), nil
}
