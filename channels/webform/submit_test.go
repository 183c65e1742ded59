package webform

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/webform/captcha"
	"leadgate/intake"
)

const path = intake.PathForm

func TestARegistrationIsAnsweredWithItsNumberAndCountsOnceItIsConfirmed(t *testing.T) {
	onBench(t, func(b *bench) {
		done := b.taken(b.post(path, b.filled(path)))
		r := b.wantCases(1)
		for _, want := range []string{r.Number, "Acme GmbH", "Pending", "confirm"} {
			if !strings.Contains(done.body, want) {
				b.Errorf("the page does not say %q", want)
			}
		}
		if r.Status != intake.StatusQuarantined || r.Channel != Channel || r.Strength != intake.StrengthUnverified || r.Lead[intake.FieldCompanyDomain] != "acme.example" {
			b.Errorf("case %+v", r)
		}
		time.Sleep(time.Second)
		if got := b.mails.to("ana@alpha.example"); !slices.Equal(got, []intake.MessageKind{intake.MessageConfirm}) {
			b.Fatalf("mailed %v", got)
		}
		link := b.lastLink()
		if page := b.get(link); !strings.Contains(page.body, "Acme GmbH") || !strings.Contains(page.body, r.Number) {
			b.Errorf("the page to confirm shows\n%s", page.body)
		}
		if r := b.wantCases(1); r.Status != intake.StatusQuarantined {
			b.Errorf("a look at the page has made it %s", r.Status)
		}
		own := []string{"Sec-Fetch-Site", "same-origin"}
		if said := b.post(link, confirmation(r.Number), own...); said.StatusCode != http.StatusSeeOther {
			b.Fatalf("confirmed: %d", said.StatusCode)
		}
		time.Sleep(time.Minute)
		if r := b.wantCases(1); r.Status != intake.StatusProvisional || r.Partner != "alpha" {
			b.Errorf("after the confirmation: %s of %q", r.Status, r.Partner)
		}
		again := b.post(link, confirmation(r.Number), own...)
		if again.StatusCode != http.StatusSeeOther {
			b.Errorf("the second time: %d", again.StatusCode)
		}
		if page := b.get(link); !strings.Contains(page.body, "answered already") {
			b.Errorf("the second time it says\n%s", page.body)
		}
		if r := b.wantCases(1); r.Status != intake.StatusProvisional {
			b.Errorf("the second confirmation has made it %s", r.Status)
		}
	})
}

func TestThePageIsTheSameWhoeversTheAddressIs(t *testing.T) {
	onBench(t, func(b *bench) {
		v := b.filled(path)
		b.taken(b.post(path, v))
		number := b.wantCases(1).Number
		page := func(address string) string {
			time.Sleep(time.Minute)
			v := with(b.filled(path), "submitter_email", address, "company_name", "Other", "company_domain", "other.example")
			done := b.taken(b.post(path, v))
			r := b.cases()[0]
			body := strings.ReplaceAll(done.body, r.Number, "NUMBER")
			at, rest, _ := strings.Cut(body, "<time")
			_, after, _ := strings.Cut(rest, "</time>")
			return at + after
		}
		listed := page("bo@beta.example")
		for _, address := range []string{
			"bob@evilalpha.example", "bob@alpha.example.evil.com", "x@stranger.example", "x@gmail.com",
		} {
			if got := page(address); got != listed {
				b.Errorf("%s: the page is\n%s\nthat of a partner is\n%s", address, got, listed)
			}
			if r := b.cases()[0]; r.Status != intake.StatusQuarantined || r.Partner != "" {
				b.Errorf("%s: %s of %q", address, r.Status, r.Partner)
			}
			if got := b.mails.to(address); len(got) > 0 {
				b.Errorf("%s was written to: %v", address, got)
			}
		}
		_ = number
	})
}

func TestWhoSpeaksForAPartnerIsAskedToConfirm(t *testing.T) {
	for address, asked := range map[string]bool{
		"bob@EU.Alpha.Example":                      true,
		"BOB@alpha.example":                         true,
		"bob@evilalpha.example":                     false,
		"bob@alpha.example.evil.com":                false,
		"bob@sub.beta.example":                      false, // beta has not said so of its sub-domains
		`"bob@alpha.example"@elsewhere.example`:     false,
		"bob@alpha.example@elsewhere.example":       false,
		"bob%alpha.example@elsewhere.example":       false,
		"bob@xn--alph-4nf.example":                  false,
		"bob@alpha.example ":                        true, // a blank that was copied along
		"Bob <bob@alpha.example>":                   false,
		"bob@alpha.example\r\nBcc: x@evil.test":     false,
		"bob@alpha.example,x@evil.example":          false,
		"mallory@mail.provider.example":             false,
		"bob@[127.0.0.1]":                           false,
		strings.Repeat("a", 250) + "@alpha.example": false,
	} {
		t.Run(address, func(t *testing.T) {
			onBench(t, func(b *bench) {
				b.post(path, with(b.filled(path), "submitter_email", address))
				time.Sleep(time.Minute)
				total := 0
				b.mails.mu.Lock()
				for _, m := range b.mails.all {
					if !strings.HasSuffix(strings.ToLower(m.To.Address), "alpha.example") || strings.Contains(m.To.Address, "evil") {
						b.Errorf("mail to %q", m.To.Address)
					}
					total++
				}
				b.mails.mu.Unlock()
				if (total == 1) != asked || total > 1 {
					b.Errorf("%d mails", total)
				}
			})
		})
	}
}

func TestAnEmptyFormIsToldAllOfItsFaultsAndSpendsNoCaptcha(t *testing.T) {
	onBench(t, func(b *bench) {
		v := b.filled(path)
		empty := url.Values{"opened": v["opened"], "altcha": v["altcha"]}
		a := b.post(path, empty)
		b.refusedWith(a, http.StatusUnprocessableEntity, empty)
		for _, name := range []string{"company_name", "company_domain", "contact_email", "problem", "submitter_email", "consent"} {
			if !strings.Contains(a.body, `<a href="#`+name+`">`) || !strings.Contains(a.body, `id="`+name+`"`) || !strings.Contains(a.body, `id="`+name+`-wrong"`) {
				b.Errorf("%s is not told of", name)
			}
		}
		if strings.Contains(a.body, `href="#contact_name"`) {
			b.Error("an optional field is asked for")
		}
		// The same token is still good.
		b.taken(b.post(path, v))
		b.wantCases(1)
	})
}

func TestWhatWasTypedIsReadOrToldOf(t *testing.T) {
	for name, tt := range map[string]struct {
		field, typed string
		want         string // stored; "" if it is refused
		says         string
	}{
		"the address of a website":     {"company_domain", "https://www.Acme.co.uk/x?y", "acme.co.uk", ""},
		"a domain with an umlaut":      {"company_domain", "münchen.de", "xn--mnchen-3ya.de", ""},
		"the same in ASCII":            {"company_domain", "xn--mnchen-3ya.de", "xn--mnchen-3ya.de", ""},
		"a public suffix":              {"company_domain", "co.uk", "", "not a domain of the company's own"},
		"this machine":                 {"company_domain", "localhost", "", "not a domain"},
		"an address of the network":    {"company_domain", "192.168.0.1", "", "not a domain"},
		"a name without a dot":         {"company_domain", "acme", "", "not a domain"},
		"a mail provider":              {"company_domain", "gmail.com", "", "mail provider"},
		"a contact at a mail provider": {"contact_email", "jane@gmail.com", "jane@gmail.com", ""},
		"no address":                   {"contact_email", "jane at acme", "", "not an e-mail address"},
		"an amount as people write it": {"target_revenue", "120k €", "120000 EUR", ""},
		"an amount without a currency": {"target_revenue", "lots", "", "amount with a currency"},
		"a telephone number":           {"contact_phone", "+49 (0)30 901820", "+4930901820", ""},
		"a problem that is too short":  {"problem", "slow", "", "too short"},
		"a stage that there is not":    {"stage", "won", "", "can't be used"},
		"a country":                    {"country", "BE", "BE", ""},
		"a name without letters":       {"company_name", "!!!", "", "no letter or digit"},
		"controls and turned text":     {"company_name", "Acme\u202e\x00 GmbH", "Acme GmbH", ""},
		"several entries":              {"product_interest", "Backup, Vault", "Backup; Vault", ""},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				v := with(b.filled(path), tt.field, tt.typed)
				a := b.post(path, v)
				if tt.want == "" {
					if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(faultsOf(a.body), tt.says) {
						b.Errorf("%d, told %q", a.StatusCode, faultsOf(a.body))
					}
					b.wantCases(0)
					return
				}
				b.taken(a)
				if got := b.wantCases(1).Lead[intake.Field(tt.field)]; got != tt.want {
					b.Errorf("stored %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestWithoutScriptsARegistrationIsTakenInToBeConfirmed(t *testing.T) {
	onBench(t, func(b *bench) {
		if page := b.get(path); !strings.Contains(page.body, "<noscript>") {
			b.Error("nothing is said to who has no scripts")
		}
		b.taken(b.post(path, with(b.filled(path), "altcha", "")))
		if r := b.wantCases(1); r.Status != intake.StatusQuarantined {
			b.Errorf("it is %s", r.Status)
		}
		// The link of a partner does not stand for the captcha: it may have been found.
		own := b.partnersPath("alpha")
		v := with(b.filled(own), "altcha", "", "company_domain", "two.example")
		b.taken(b.post(own, v))
		if r := b.wantCases(2); r.Status != intake.StatusQuarantined || r.Strength.Proven() {
			b.Errorf("by the partner's link it is %s", fmtCase(r))
		}
	})
}

func TestAPartnersLinkProvesWhoRegisters(t *testing.T) {
	onBench(t, func(b *bench) {
		own := b.partnersPath("alpha")
		if page := b.get(own); !strings.Contains(page.body, "<bdi>Alpha</bdi>") {
			b.Error("the form does not say for whom it is")
		}
		foreign := with(b.filled(own), "submitter_email", "bo@beta.example")
		a := b.post(own, foreign)
		b.refusedWith(a, http.StatusUnprocessableEntity, foreign)
		if !strings.Contains(faultsOf(a.body), "use your address there") {
			b.Errorf("told %q", faultsOf(a.body))
		}
		done := b.taken(b.post(own, b.filled(own)))
		time.Sleep(time.Minute)
		r := b.wantCases(1)
		if r.Status != intake.StatusProvisional || r.Partner != "alpha" || r.Strength != intake.StrengthVerified {
			b.Errorf("case %s of %q", fmtCase(r), r.Partner)
		}
		if !strings.Contains(done.body, intake.PathStatus) {
			b.Error("the page has no link to the status")
		}
		if got := b.mails.to("ana@alpha.example"); slices.Contains(got, intake.MessageConfirm) || len(got) == 0 {
			b.Errorf("mailed %v", got)
		}
		if err := b.gateway.RevokeFormLinks(b.Context(), "alpha"); err != nil {
			b.Fatal(err)
		}
		if a := b.get(own); a.StatusCode != http.StatusNotFound {
			b.Errorf("a revoked link: %d", a.StatusCode)
		}
		if a := b.post(own, b.filled(path)); a.StatusCode != http.StatusNotFound {
			b.Errorf("a form that was sent by it: %d", a.StatusCode)
		}
		b.wantCases(1)
	})
}

func TestACaptchaIsGoodOnceForOneSubmission(t *testing.T) {
	onBench(t, func(b *bench) {
		first := b.filled(path)
		b.taken(b.post(path, first))
		other := with(b.filled(path), "altcha", first.Get("altcha"), "company_domain", "other.example")
		a := b.post(path, other)
		b.refusedWith(a, http.StatusUnprocessableEntity, other)
		b.wantCases(1)
		b.taken(b.post(path, with(other, "altcha", b.solved())))
		b.wantCases(2)
	})
}

func TestABadCaptchaIsRefusedWithWhatWasTyped(t *testing.T) {
	for name, spoil := range map[string]func(b *bench, v url.Values){
		"that expired":   func(_ *bench, _ url.Values) { time.Sleep(11 * time.Minute) },
		"that is no one": func(_ *bench, v url.Values) { v.Set("altcha", "x") },
		"of other keys": func(b *bench, v url.Values) {
			gate := must(captcha.New(captcha.Config{MaxNumber: 1000}, captcha.Options{Key: []byte(strings.Repeat("y", 32)), ChallengeURL: "/c", AssetsURL: "/a"}))(b.T)
			mine := b.form.Gate
			b.form.Gate = gate
			v.Set("altcha", b.solved())
			b.form.Gate = mine
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, func(b *bench) {
				v := b.filled(path)
				spoil(b, v)
				a := b.post(path, v)
				b.refusedWith(a, http.StatusUnprocessableEntity, v)
				b.wantCases(0)
				v.Set("opened", openedField.FindStringSubmatch(a.body)[1])
				v.Set("altcha", b.solved())
				time.Sleep(5 * time.Second)
				b.taken(b.post(path, v))
				b.wantCases(1)
			})
		})
	}
}

// A provider of captchas that does what it is told.
func providerSays(t *testing.T, handler http.HandlerFunc, onOutage captcha.OnOutage) set {
	return func(c *Config, d *Deps) {
		srv := httptest.NewServer(handler)
		c.Captcha = captcha.Config{
			Provider: captcha.KindHCaptcha, SiteKey: "10000000-aaaa-bbbb-cccc-000000000001", Secret: "0xsecret0000000000000000000000000000001",
			Hostnames: []string{"partners.vendor.example"}, URL: srv.URL, OnOutage: onOutage, Timeout: 300 * time.Millisecond,
		}
		gate := must(captcha.New(c.Captcha, captcha.Options{}))(t)
		d.Gate = gate
		t.Cleanup(func() { _ = gate.Close(); srv.CloseClientConnections(); srv.Close() })
	}
}

func TestWhileTheProviderCannotBeAskedThePolicyDecides(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server notices who leaves once it has read
		<-r.Context().Done()
	}
	failing := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>sorry</html>")) }
	ours := func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"success": false, "error-codes": []string{"invalid-input-secret"}})
	}
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		policy  captcha.OnOutage
		taken   bool
	}{
		"it hangs, confirm":         {silent, captcha.OutageConfirm, true},
		"it fails, confirm":         {failing, captcha.OutageConfirm, true},
		"it sends a page, confirm":  {page, captcha.OutageConfirm, true},
		"our key is wrong, confirm": {ours, captcha.OutageConfirm, true},
		"it fails, closed":          {failing, captcha.OutageClosed, false},
		"our key is wrong, closed":  {ours, captcha.OutageClosed, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, providerSays(t, tt.handler, tt.policy))
			b.form.minimum = 0
			v := url.Values{
				"opened": {b.form.sign(b.form.open())}, "h-captcha-response": {"token"}, "company_name": {"Acme"}, "company_domain": {"acme.example"},
				"contact_email": {"jane@acme.example"}, "problem": {"They lose a day a week."}, "submitter_email": {"ana@alpha.example"}, "consent": {"yes"},
			}
			a := b.post(path, v)
			if tt.taken {
				b.taken(a)
				if r := b.wantCases(1); r.Strength.Proven() {
					b.Errorf("case %s", fmtCase(r))
				}
				return
			}
			b.refusedWith(a, http.StatusServiceUnavailable, v)
			if a.Header.Get("Retry-After") == "" {
				b.Error("nothing says when to come back")
			}
			b.wantCases(0)
		})
	}
}

func TestATrappedRobotIsLedAwayAndCounted(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.post(path, with(b.filled(path), "website_url", "https://spam.example"))
		if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), pathThanks) {
			b.Fatalf("%d to %s", a.StatusCode, a.Header.Get("Location"))
		}
		// A person whose browser filled the field in is told that nothing was registered.
		if page := b.get(a.Header.Get("Location")); !strings.Contains(page.body, "not registered") || !strings.Contains(page.body, "mia@vendor.example") {
			b.Errorf("the page says\n%s", page.body)
		}
		b.wantCases(0)
		if b.refused["trap"] != 1 {
			b.Errorf("counted %v", b.refused)
		}
	})
}

func TestTheSameFormTwiceIsOneCase(t *testing.T) {
	onBench(t, func(b *bench) {
		v := b.filled(path)
		first, second := b.taken(b.post(path, v)), b.taken(b.post(path, v))
		r := b.wantCases(1)
		for _, page := range []answer{first, second} {
			if !strings.Contains(page.body, r.Number) {
				b.Errorf("the page does not name %s", r.Number)
			}
		}
		// As fast as somebody clicks twice: none of the two is refused for its captcha.
		v = with(b.filled(path), "company_domain", "two.example")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if a := b.post(path, v); a.StatusCode != http.StatusSeeOther {
					b.Errorf("%d: %s", a.StatusCode, faultsOf(a.body))
				}
			})
		}
		wg.Wait()
		b.wantCases(2)
	})
}

// Who goes back in the browser gets the form with what was typed, hidden fields too.
func TestWhatIsChangedAndSentAgainIsNotLost(t *testing.T) {
	onBench(t, func(b *bench) {
		own := b.partnersPath("alpha")
		v := b.filled(own)
		b.taken(b.post(own, v))
		number := b.wantCases(1).Number
		done := b.taken(b.post(own, with(v, "altcha", b.solved(), "contact_role", "CTO")))
		if r := b.wantCases(1); r.Lead["contact_role"] != "CTO" || !strings.Contains(done.body, number) {
			b.Errorf("the change was lost: %+v", r.Lead)
		}
		v = b.filled(path)
		b.taken(b.post(path, v))
		b.taken(b.post(path, with(v, "altcha", b.solved(), "contact_role", "CFO")))
		found := false
		for _, r := range b.cases() {
			found = found || r.Lead["contact_role"] == "CFO"
		}
		if !found {
			b.Error("the change of who is not proven was lost")
		}
	})
}

func TestAFormOfAnotherSiteIsRefusedUnlessItIsTrusted(t *testing.T) {
	trust := func(c *Config, _ *Deps) { c.PostOrigins = []string{"https://portal.alpha.example"} }
	onBench(t, func(b *bench) {
		v := b.filled(path)
		for origin, status := range map[string]int{"https://evil.example": http.StatusForbidden, "https://portal.alpha.example": http.StatusSeeOther} {
			if a := b.post(path, v, "Sec-Fetch-Site", "cross-site", "Origin", origin); a.StatusCode != status {
				b.Errorf("from %s: %d, want %d", origin, a.StatusCode, status)
			}
		}
		b.wantCases(1)
		// A form of the partner's own has no time of ours: it counts once it is confirmed.
		plain := with(b.filled(path), "opened", "", "altcha", "", "company_domain", "plain.example")
		b.taken(b.post(path, plain, "Sec-Fetch-Site", "cross-site", "Origin", "https://portal.alpha.example"))
		if r := b.wantCases(2); r.Status != intake.StatusQuarantined {
			b.Errorf("it is %s", r.Status)
		}
	}, trust)
}

func TestAVisitorWhoSendsTooOftenIsToldToWait(t *testing.T) {
	limit := func(c *Config, _ *Deps) { c.Limits.Minute = 10 }
	onBench(t, func(b *bench) {
		v := b.filled(path)
		send := func(visitor, forwarded string) int {
			b.visitor = visitor
			a := b.post(path, v, "X-Forwarded-For", forwarded)
			if a.StatusCode == http.StatusTooManyRequests && a.Header.Get("Retry-After") == "" {
				b.Error("nothing says when to come back")
			}
			return a.StatusCode
		}
		limited := 0
		for i := range 20 {
			if send("198.51.100.7:99", "203.0.113."+string(rune('0'+i%10))) == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited != 10 {
			b.Errorf("%d of 20 were told to wait", limited)
		}
		for range 10 {
			send("[2001:db8:1:2::1]:99", "")
		}
		if got := send("[2001:db8:1:2:ffff::9]:99", ""); got != http.StatusTooManyRequests {
			b.Errorf("another address of the same network: %d", got)
		}
		if got := send("[2001:db8:1:3::1]:99", ""); got == http.StatusTooManyRequests {
			b.Error("another network has to wait too")
		}
	}, limit)
}

func TestAllProcessesTogetherTakeInSoMuchAnHour(t *testing.T) {
	limit := func(c *Config, _ *Deps) { c.Limits = Limits{Minute: 1000, PartnerHour: 3, Hour: 5} }
	onBench(t, func(b *bench) {
		send := func(address, domain string) answer {
			return b.post(path, with(b.filled(path), "submitter_email", address, "company_domain", domain))
		}
		for _, d := range []string{"a.example", "b.example", "c.example"} {
			b.taken(send("ana@alpha.example", d))
		}
		v := with(b.filled(path), "company_domain", "d.example")
		a := b.post(path, v)
		b.refusedWith(a, http.StatusTooManyRequests, v)
		if a.Header.Get("Retry-After") == "" {
			b.Error("nothing says when to come back")
		}
		b.taken(send("bo@beta.example", "e.example"))
		b.taken(send("bo@beta.example", "f.example"))
		if a := send("x@third.example", "g.example"); a.StatusCode != http.StatusTooManyRequests {
			b.Errorf("the sixth of all: %d", a.StatusCode)
		}
		b.wantCases(5)
		time.Sleep(2 * time.Hour)
		b.taken(send("ana@alpha.example", "h.example"))
	}, limit)
}

func TestALargeBodyIsRefused(t *testing.T) {
	onBench(t, func(b *bench) {
		v := with(b.filled(path), "problem", strings.Repeat("x", 65<<10))
		if a := b.post(path, v); a.StatusCode != http.StatusRequestEntityTooLarge {
			b.Errorf("%d", a.StatusCode)
		}
		b.wantCases(0)
	})
}

func TestHostileTextIsShownAsItIsAndNeverTakenForMarkup(t *testing.T) {
	hostile := `<script>alert(1)</script>"'{{.}}{{template "x"}}` + "\u202egnp.exe"
	onBench(t, func(b *bench) {
		own := b.partnersPath("alpha")
		v := with(b.filled(own), "company_name", hostile, "contact_name", hostile, "problem", hostile, "submitter_name", hostile)
		done := b.taken(b.post(own, v))
		again := b.post(own, with(v, "consent", ""))
		b.taken(b.post(path, with(v, "opened", b.opened(path), "altcha", b.solved(), "company_domain", "two.example")))
		time.Sleep(time.Minute)
		confirm := b.get(b.lastLink())
		for name, page := range map[string]string{"done": done.body, "form": again.body, "confirm": confirm.body} {
			if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;") {
				b.Errorf("the page %s does not show it escaped", name)
			}
			if name != "form" && strings.Contains(page, "\u202e") {
				b.Errorf("the page %s turns the direction of text", name)
			}
		}
	})
}

func TestAFormThatWasOpenForHoursIsSentOnceMore(t *testing.T) {
	onBench(t, func(b *bench) {
		v := b.filled(path)
		time.Sleep(5 * time.Hour)
		a := b.post(path, v)
		b.refusedWith(a, http.StatusUnprocessableEntity, v)
		if !strings.Contains(faultsOf(a.body), "more than four hours") {
			b.Errorf("told %q", faultsOf(a.body))
		}
		v.Set("opened", openedField.FindStringSubmatch(a.body)[1])
		v.Set("altcha", b.solved())
		time.Sleep(5 * time.Second)
		b.taken(b.post(path, v))
	})
}

func TestWhoIsFasterThanAPersonHasToConfirm(t *testing.T) {
	onBench(t, func(b *bench) {
		own := b.partnersPath("alpha")
		v := b.filled(own)
		v.Set("opened", b.form.sign(b.form.open()))
		b.taken(b.post(own, v))
		if r := b.wantCases(1); r.Strength.Proven() {
			b.Errorf("case %s, %s", fmtCase(r), r.Strength)
		}
		for name, forged := range map[string]string{"altered": v.Get("opened")[:20] + "AAAA" + v.Get("opened")[24:], "none": "", "junk": "%%%"} {
			b.taken(b.post(own, with(v, "opened", forged, "altcha", b.solved(), "company_domain", name+".example")))
			if r := b.cases()[0]; r.Strength.Proven() {
				b.Errorf("%s: case %s, %s", name, fmtCase(r), r.Strength)
			}
		}
	})
}

func TestTheFormStandsInFramesOfTheSitesItKnows(t *testing.T) {
	known := func(c *Config, _ *Deps) { c.EmbedOrigins = []string{"https://portal.known.example"} }
	ancestors := func(a answer) string {
		_, rest, _ := strings.Cut(a.Header.Get("Content-Security-Policy"), "frame-ancestors ")
		list, _, _ := strings.Cut(rest, ";")
		return list
	}
	onBench(t, func(b *bench) {
		if got := ancestors(b.get(path)); got != "https://portal.known.example" {
			b.Errorf("the form: %s", got)
		}
		own := b.linkPath("alpha", intake.PurposeEmbed) + "&embed=1&origin=https://www.alpha.example"
		page := b.get(own)
		if got := ancestors(page); got != "https://portal.known.example https://alpha.example https://*.alpha.example" {
			b.Errorf("alpha's: %s", got)
		}
		if !strings.Contains(page.body, `data-parent="https://www.alpha.example"`) {
			b.Error("the page around is not told the height")
		}
		for _, origin := range []string{"https://evil.example", "https://evilalpha.example", "null", `https://x.alpha.example" onload="x`, "https://www.alpha.example.evil.com"} {
			if page := b.get(b.linkPath("alpha", intake.PurposeEmbed) + "&embed=1&origin=" + url.QueryEscape(origin)); strings.Contains(page.body, "data-parent") {
				b.Errorf("%s is told the height", origin)
			}
		}
		a := b.post(own, b.filled(b.linkPath("alpha", intake.PurposeEmbed)))
		if done := b.taken(a); !strings.Contains(ancestors(done), "https://*.alpha.example") || len(done.Cookies()) > 0 {
			b.Errorf("the page after it: %s", ancestors(done))
		}
		if wrong := b.post(own, url.Values{}); !strings.Contains(ancestors(wrong), "https://*.alpha.example") {
			b.Errorf("with faults: %s", ancestors(wrong))
		}
		// A link that proves who registers belongs into no page.
		if got := ancestors(b.get(b.partnersPath("alpha") + "&embed=1")); got != "https://portal.known.example" {
			b.Errorf("by the link that proves: %s", got)
		}
	}, known)
	onBench(t, func(b *bench) {
		if got := ancestors(b.get(path)); got != "'none'" {
			b.Errorf("without sites: %s", got)
		}
		js := b.get(pathEmbed)
		if js.StatusCode != http.StatusOK || js.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			b.Errorf("the loader: %d %v", js.StatusCode, js.Header)
		}
	})
}

func TestLinksToWhatCameInEnd(t *testing.T) {
	onBench(t, func(b *bench) {
		a := b.post(path, b.filled(path))
		b.taken(a)
		at := a.Header.Get("Location")
		token := strings.TrimPrefix(must(url.Parse(at))(b.T).Path, intake.PathDone)
		time.Sleep(time.Second)
		confirm := strings.TrimPrefix(must(url.Parse(b.lastLink()))(b.T).Path, intake.PathConfirm)
		altered := []byte(token)
		altered[10] ^= 1
		for name, tt := range map[string]struct {
			path   string
			status int
		}{
			"an altered token":       {intake.PathDone + string(altered), http.StatusNotFound},
			"a token to confirm":     {intake.PathDone + confirm, http.StatusNotFound},
			"a done token, confirm":  {intake.PathConfirm + token, http.StatusNotFound},
			"nothing":                {intake.PathDone, http.StatusNotFound},
			"the right one":          {at, http.StatusOK},
			"the right one, confirm": {intake.PathConfirm + confirm, http.StatusOK},
		} {
			if got := b.get(tt.path); got.StatusCode != tt.status {
				b.Errorf("%s: %d, want %d", name, got.StatusCode, tt.status)
			}
		}
		time.Sleep(91 * 24 * time.Hour)
		if got := b.get(at); got.StatusCode != http.StatusGone {
			b.Errorf("after 90 days: %d", got.StatusCode)
		}
		if got := b.get(intake.PathConfirm + confirm); got.StatusCode != http.StatusGone {
			b.Errorf("to confirm, late: %d", got.StatusCode)
		}
	})
}

func TestOnlyOurOwnPageConfirms(t *testing.T) {
	onBench(t, func(b *bench) {
		b.taken(b.post(path, b.filled(path)))
		time.Sleep(time.Second)
		link, r := b.lastLink(), b.wantCases(1)
		for name, headers := range map[string][]string{
			"a program":      nil,
			"another site":   {"Sec-Fetch-Site", "cross-site"},
			"another origin": {"Origin", "https://evil.example"},
		} {
			if a := b.post(link, confirmation(r.Number), headers...); a.StatusCode != http.StatusForbidden {
				b.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		if r := b.wantCases(1); r.Status != intake.StatusQuarantined {
			b.Errorf("it is %s", r.Status)
		}
		not := url.Values{"say": {"not"}, "case": {r.Number}}
		if a := b.post(link, not, "Sec-Fetch-Site", "same-origin"); a.StatusCode != http.StatusSeeOther {
			b.Errorf("discarded: %d", a.StatusCode)
		}
		if r := b.wantCases(1); r.Status != intake.StatusWithdrawn {
			b.Errorf("it is %s", r.Status)
		}
	})
}

func TestTheSchedulingPageGetsWhatItIsToldOf(t *testing.T) {
	meet := func(c *Config, _ *Deps) {
		c.Meeting = Meeting{URL: "https://meet.vendor.example/discovery?x=1", Prefill: map[string]string{"email": "email", "firstName": "first_name", "lastName": "last_name", "leadgate_case": "case", "utm_content": "reference"}}
	}
	onBench(t, func(b *bench) {
		a := b.post(path, b.filled(path))
		done := b.taken(a)
		number := b.wantCases(1).Number
		want := "https://meet.vendor.example/discovery?email=jane%40acme.example&amp;firstName=Jane&amp;lastName=Doe&amp;leadgate_case=" + number + "&amp;x=1"
		if !strings.Contains(done.body, want) {
			b.Errorf("the page does not lead to %s\n%s", want, done.body)
		}
		own := b.partnersPath("alpha")
		proven := b.taken(b.post(own, with(b.filled(own), "company_domain", "two.example")))
		if strings.Contains(done.body, "utm_content") || !strings.Contains(proven.body, "utm_content="+url.QueryEscape(b.gateway.CaseReference(b.cases()[0].Number))) {
			b.Error("the reference to the case is not with the proven alone")
		}
		time.Sleep(2 * time.Hour)
		if later := b.get(a.Header.Get("Location")); strings.Contains(later.body, "jane") || !strings.Contains(later.body, "meet.vendor.example") {
			b.Error("hours later the page still names the contact, or leads nowhere")
		}
	}, meet)
}

func TestTheVendorsOwnWordsStandInThePlaceOfOurs(t *testing.T) {
	own := func(c *Config, _ *Deps) {
		c.Texts = map[string]Texts{"en": {Title: "Tell us", Intro: "Welcome & hello.", Consent: "They said yes.", Done: "See you."}}
		c.Fields = []intake.Field{intake.FieldCompetingVendors, intake.FieldProductInterest}
		c.Products = []string{"Backup", "Vault"}
	}
	onBench(t, func(b *bench) {
		page := b.get(path)
		for _, want := range []string{"Tell us", "Welcome &amp; hello.", "They said yes.", `value="Vault"`} {
			if !strings.Contains(page.body, want) {
				b.Errorf("the form does not say %q", want)
			}
		}
		if strings.Contains(page.body, `id="contact_phone"`) || strings.Index(page.body, `"competing_vendors"`) > strings.Index(page.body, `"product_interest"`) {
			b.Error("the fields are not those of the vendor, or not in their order")
		}
		v := b.filled(path)
		v["product_interest"] = []string{"Backup", "Vault"}
		if done := b.taken(b.post(path, v)); !strings.Contains(done.body, "See you.") {
			b.Error("the page after it has no words of the vendor")
		}
		r := b.wantCases(1)
		if r.Lead[intake.FieldProductInterest] != "Backup; Vault" || r.Evidence[intake.FieldConsent] != "They said yes." {
			b.Errorf("%v, %v", r.Lead, r.Evidence)
		}
	}, own)
}

func TestTooManyAtATimeAreToldToComeBack(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{}, 10)
	hold := func(c *Config, d *Deps) {
		c.Limits.Busy = 2
		providerSays(t, func(w http.ResponseWriter, _ *http.Request) {
			entered <- struct{}{}
			<-release
			_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "hostname": "partners.vendor.example", "challenge_ts": time.Now().UTC().Format(time.RFC3339)})
		}, captcha.OutageClosed)(c, d)
		c.Captcha.Timeout = 4 * time.Second
		d.Gate = must(captcha.New(c.Captcha, captcha.Options{}))(t)
	}
	b := newBench(t, hold)
	v := url.Values{
		"opened": {b.form.sign(b.form.open())}, "h-captcha-response": {"token"}, "company_name": {"Acme"}, "contact_email": {"jane@acme.example"},
		"problem": {"They lose a day a week."}, "submitter_email": {"ana@alpha.example"}, "consent": {"yes"},
	}
	var wg sync.WaitGroup
	for _, d := range []string{"a.example", "b.example"} {
		wg.Go(func() {
			if a := b.post(path, with(v, "company_domain", d)); a.StatusCode != http.StatusSeeOther {
				b.Errorf("%s: %d %s", d, a.StatusCode, faultsOf(a.body))
			}
		})
	}
	<-entered
	<-entered
	a := b.post(path, with(v, "company_domain", "c.example"))
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "what you typed") {
		t.Errorf("the third: %d %v", a.StatusCode, a.Header)
	}
	close(release)
	wg.Wait()
	b.wantCases(2)
	_ = b.form.Gate.Close()
}

// Everybody can read the link that stands in a partner's page.
func TestTheLinkInAPageProvesAndTellsNothing(t *testing.T) {
	onBench(t, func(b *bench) {
		public := b.linkPath("alpha", intake.PurposeEmbed)
		if page := b.get(public); !strings.Contains(page.body, "<bdi>Alpha</bdi>") {
			b.Error("the form does not say for whom it is")
		}
		for _, address := range []string{"ana@alpha.example", "bo@beta.example", "x@stranger.example"} {
			done := b.taken(b.post(public, with(b.filled(public), "submitter_email", address)))
			if r := b.cases()[0]; r.Status != intake.StatusQuarantined || strings.Contains(done.body, intake.PathStatus) {
				b.Errorf("%s: %s", address, fmtCase(r))
			}
		}
	})
}

// Whoever types the addresses of others must not use up what is theirs.
func TestForgeriesDontLockOutWhoIsProven(t *testing.T) {
	limit := func(c *Config, _ *Deps) { c.Limits = Limits{Minute: 1000, PartnerHour: 3, Hour: 5} }
	onBench(t, func(b *bench) {
		for i := range 8 {
			address := []string{"eve@alpha.example", "x@stranger.example"}[i%2]
			b.post(path, with(b.filled(path), "submitter_email", address, "company_domain", "junk"+string(rune('a'+i))+".example"))
		}
		own := b.partnersPath("alpha")
		b.taken(b.post(own, b.filled(own)))
	}, limit)
}

// A form of another site has no time of ours. The same words a year later are another form.
func TestAFormWithoutItsTimeIsNotSwallowedForEver(t *testing.T) {
	onBench(t, func(b *bench) {
		send := func() {
			b.taken(b.post(path, with(b.filled(path), "opened", "", "altcha", "", "submitter_email", "x@stranger.example")))
		}
		send()
		send() // a second click
		b.wantCases(1)
		time.Sleep(365 * 24 * time.Hour)
		send()
		b.wantCases(2)
	})
}

func TestWhatIsTooLongIsToldAndNotCut(t *testing.T) {
	onBench(t, func(b *bench) {
		for field, typed := range map[string]string{
			"company_name": strings.Repeat("x", 301), "problem": strings.Repeat("<", 11_000), "submitter_name": strings.Repeat("y", 201), "contact_email": strings.Repeat("z", 300) + "@acme.example",
		} {
			a := b.post(path, with(b.filled(path), field, typed))
			if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(faultsOf(a.body), "too long") {
				b.Errorf("%s: %d, told %q", field, a.StatusCode, faultsOf(a.body))
			}
		}
		b.wantCases(0)
		b.taken(b.post(path, with(b.filled(path), "problem", strings.Repeat("<", 4000))))
	})
}

func TestSlowSendersHoldNobodyUp(t *testing.T) {
	few := func(c *Config, _ *Deps) { c.Limits.Busy = 1 }
	b := newBench(t, few)
	r, w := io.Pipe()
	slow := httptest.NewRequest(http.MethodPost, "https://partners.vendor.example"+path, r)
	slow.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	done := make(chan struct{})
	go func() { defer close(done); b.echo.ServeHTTP(httptest.NewRecorder(), slow) }()
	_, _ = w.Write([]byte("company_name=")) // it is being read now
	if a := b.post(path, url.Values{}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("beside a slow sender: %d", a.StatusCode)
	}
	_ = w.Close()
	<-done
}
