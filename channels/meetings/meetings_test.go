package meetings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"leadgate/channels/channeltest"
	"leadgate/channels/payload"
	"leadgate/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// directory knows the partner alpha, and "signed:alpha" and "signed:alpha:msp" as references.
type directory struct{}

func (directory) Named(_ context.Context, value, program string) (intake.Named, error) {
	ref, signed := strings.CutPrefix(value, "signed:")
	id, forProgram, _ := strings.Cut(ref, ":")
	if forProgram != "" && forProgram != program {
		return intake.Named{}, intake.ErrReferenceProgram
	}
	if id != "alpha" {
		return intake.Named{}, nil
	}
	return intake.Named{Partner: id, Signed: signed}, nil
}

func (directory) AnswerTo(_ context.Context, partner, address string, s intake.Strength) (string, error) {
	if partner != "" && s.Proven() {
		return "desk@" + partner + ".example", nil
	}
	return "", nil
}

// memory is a Memory that survives its form.
type memory struct {
	mu   sync.Mutex
	kept map[string]string
}

func (m *memory) Recall(_ context.Context, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[name], nil
}

func (m *memory) Keep(_ context.Context, name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[name] = value
	return nil
}

// lockedBuffer is for a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// desk is a form that is read from a HubSpot, in virtual time.
type desk struct {
	*testing.T
	hubspot *hubspot
	sink    *channeltest.Sink
	memory  *memory
	cfg     Config
	form    *Form
	log     *lockedBuffer
	stop    func()
}

func inDesk(t *testing.T, fn func(d *desk), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, hubspot: newHubspot(), sink: channeltest.NewSink(), memory: &memory{kept: make(map[string]string)}, log: &lockedBuffer{}}
		d.cfg = Config{Name: "discovery", Form: testForm, Token: testToken}
		for _, fn := range change {
			fn(&d.cfg)
		}
		srv := &http.Server{Handler: d.hubspot}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(d.hubspot) }()
		d.start()
		fn(d)
		d.stop()
		close(d.hubspot.release)
		close(d.hubspot.conns)
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-served
		if strings.Contains(d.log.String(), testToken) {
			t.Error("the log has the token")
		}
	})
}

// start begins to read, as a new process would.
func (d *desk) start() {
	d.Helper()
	transport := &http.Transport{DialContext: d.hubspot.dial}
	cfg := d.cfg
	cfg.URL = "http://127.0.0.1:9999"
	var err error
	d.form, err = New(cfg, Deps{Directory: directory{}, Memory: d.memory, Mail: "email", Transport: transport, Log: slog.New(slog.NewTextHandler(d.log, nil))})
	if err != nil {
		d.Fatal(err)
	}
	ctx, cancel := context.WithCancel(d.Context())
	done := make(chan error, 1)
	go func() { done <- d.form.Run(ctx, d.sink) }()
	synctest.Wait()
	d.stop = sync.OnceFunc(func() {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			d.Error(err)
		}
		if took := time.Since(began); took > 2*time.Second {
			d.Errorf("it took %v to stop", took)
		}
		transport.CloseIdleConnections()
	})
}

func (d *desk) pass(t time.Duration) {
	time.Sleep(t) // of virtual time
	synctest.Wait()
}

func (d *desk) want(accepted, asides int) channeltest.State {
	d.Helper()
	s := d.sink.State()
	if len(s.Accepted) != accepted || len(s.Asides) != asides {
		d.Errorf("%d accepted and %d aside, want %d and %d", len(s.Accepted), len(s.Asides), accepted, asides)
	}
	return s
}

func now() int64 { return time.Now().UnixMilli() }

func TestASubmissionOfTheFormIsTakenInOnce(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.pass(10 * time.Minute)
		at := now()
		d.hubspot.submit(at, "c1", "email", "jane@acme.example", "firstname", "Jane", "lastname", "Doe", "company", "Acme GmbH",
			"leadgate_partner_id", "signed:alpha:msp", "leadgate_program", "msp", "leadgate_consent", "true")
		d.pass(time.Hour)
		sub := d.want(1, 0).Accepted[0]
		if sub.Lead[intake.FieldCompanyName] != "Acme GmbH" || sub.Lead[intake.FieldContactName] != "Jane Doe" || sub.Lead[intake.FieldConsent] != intake.ConsentYes {
			d.Errorf("read %v", sub.Lead)
		}
		if sub.Partner != "alpha" || sub.Sender.Strength != intake.StrengthVerified || sub.Reply.Address != "desk@alpha.example" || sub.Reply.Channel != "email" || sub.Channel != Channel {
			d.Errorf("submission %+v", sub)
		}
		if !sub.ReceivedAt.Equal(time.UnixMilli(at)) {
			d.Errorf("claimed at %v, sent in at %v", sub.ReceivedAt, time.UnixMilli(at))
		}
		if d.form.Health().State != StateOK {
			d.Errorf("health %+v", d.form.Health())
		}
		d.stop()
		d.pass(time.Hour)
		d.hubspot.submit(now(), "c2", "company", "Contoso", "email", "c@contoso.example")
		d.pass(time.Hour)
		d.start() // a new process goes on where the old one was
		d.want(2, 0)
	})
}

func TestWhatAFormSaysOfThePartner(t *testing.T) {
	for _, c := range []struct {
		name, ref, program string
		accepted, asides   int
		strength           intake.Strength
	}{
		{"an unsigned partner is a claim", "alpha", "", 1, 0, intake.StrengthUnverified},
		{"a signed one is proof", "signed:alpha", "msp", 1, 0, intake.StrengthVerified},
		{"one signed for this programme is proof", "signed:alpha:msp", "msp", 1, 0, intake.StrengthVerified},
		{"one signed for another programme is for staff", "signed:alpha:referral", "msp", 0, 1, ""},
		{"one for a programme that the form leaves out is for staff", "signed:alpha:referral", "", 0, 1, ""},
		{"none is nobody", "", "msp", 1, 0, intake.StrengthUnverified},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDesk(t, func(d *desk) {
				d.hubspot.submit(now(), "c1", "company", "Acme", "email", "jane@acme.example", "leadgate_partner_id", c.ref, "leadgate_program", c.program)
				d.pass(2 * time.Minute)
				s := d.want(c.accepted, c.asides)
				if c.accepted == 1 && (s.Accepted[0].Sender.Strength != c.strength || (s.Accepted[0].Partner != "") != c.strength.Proven()) {
					d.Errorf("%+v of %q", s.Accepted[0].Sender, s.Accepted[0].Partner)
				}
				if c.asides == 1 && !bytes.Contains(d.sink.Raw(s.Asides[0].Raw), []byte("Acme")) {
					d.Error("it was not kept")
				}
			})
		})
	}
}

func TestWithoutAConversionTwoSubmissionsAreToldApartByTimeAndAddress(t *testing.T) {
	inDesk(t, func(d *desk) {
		at := now()
		for range 2 {
			d.hubspot.submit(at, "", "company", "Acme", "email", "jane@acme.example")
		}
		d.hubspot.submit(at, "", "company", "Acme", "email", "john@acme.example")
		d.hubspot.submit(at+1, "", "company", "Acme", "email", "jane@acme.example")
		d.pass(2 * time.Minute)
		d.want(3, 0)
	})
}

func TestWhatWasThereBeforeTheFirstStartIsLeftUnlessADayIsSet(t *testing.T) {
	for since, want := range map[string]int{"": 0, "1999-12-31": 1, "1999-12-01": 2} { // the bubble begins in 2000
		synctestOnce(t, since, want)
	}
}

func synctestOnce(t *testing.T, since string, want int) {
	t.Helper()
	inDesk(t, func(d *desk) {
		d.stop()
		d.memory.kept = make(map[string]string)
		d.hubspot.submit(now()-20*24*3600_000, "old", "company", "Old", "email", "o@old.example")
		d.hubspot.submit(now()-3600_000, "late", "company", "Late", "email", "l@late.example")
		d.start()
		d.pass(5 * time.Minute)
		if s := d.sink.State(); len(s.Accepted) != want {
			d.Errorf("since %q: %d were taken in, want %d", since, len(s.Accepted), want)
		}
	}, func(c *Config) { c.Since = since })
}

func TestALongWayIsWalkedInRoundsAndNothingIsLeftOut(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.stop()
		const many = 20*pageSize*2 + 70
		for i := range many {
			d.hubspot.submit(now()+int64(i), fmt.Sprint("c", i), "company", fmt.Sprint("Company ", i), "email", fmt.Sprintf("p%d@c%d.example", i, i))
		}
		before := d.hubspot.requests()
		d.start()
		if n := d.hubspot.requests() - before; n != maxPages {
			d.Errorf("%d pages were read without a rest", n)
		}
		d.stop()
		d.start() // a new process in between
		d.hubspot.submit(now()+many, "new", "company", "New", "email", "n@new.example")
		d.pass(5 * time.Minute)
		d.want(many+1, 0)
		d.pass(2*overlap + defaultEvery)
		before = d.hubspot.requests()
		d.pass(defaultEvery)
		if n := d.hubspot.requests() - before; n != 1 {
			d.Errorf("%d pages are read where nothing is new", n)
		}
	})
}

func TestAPageThatIsKnownNoMoreBeginsTheWalkAnew(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.stop()
		for i := range 21 * pageSize {
			d.hubspot.submit(now(), fmt.Sprint("c", i), "company", "Acme", "email", fmt.Sprintf("p%d@acme.example", i))
		}
		d.start()
		d.hubspot.mu.Lock()
		d.hubspot.newest = d.hubspot.newest[:10]
		d.hubspot.mu.Unlock()
		d.pass(10 * time.Minute)
		if d.form.Health().State != StateOK {
			d.Errorf("health %+v", d.form.Health())
		}
	})
}

func TestAfterAFailureItIsTriedAgainLaterAndLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		after  string
		faults []int
		took   time.Duration // until it is read
		state  State         // meanwhile
	}{
		{"errors of the server", "", []int{500, 502, 503}, 7 * time.Second, StateDegraded},
		{"a page that is none", "", []int{200, 302}, 3 * time.Second, StateDegraded},
		{"too many requests", "30", []int{429}, 30 * time.Second, StateDegraded},
		{"a wait that has no end", "99999999", []int{429}, maxAsked, StateDegraded},
		{"a token that is not good", "", []int{401}, lockedPause, StateAuthFailed},
		{"a scope that is missing", "", []int{403}, lockedPause, StateAuthFailed},
		{"a form that there is not", "", []int{404}, lockedPause, StateAuthFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			inDesk(t, func(d *desk) {
				d.hubspot.fail(c.after, c.faults...)
				d.hubspot.submit(now(), "c1", "company", "Acme", "email", "jane@acme.example")
				d.pass(defaultEvery) // the first of the faults
				if h := d.form.Health(); h.State != c.state || h.Problem == "" {
					d.Errorf("health %+v", h)
				}
				if said := strings.Contains(d.log.String(), "level=ERROR"); said != (c.state == StateAuthFailed) {
					d.Errorf("the log says %s", d.log)
				}
				d.pass(c.took - time.Millisecond)
				d.want(0, 0)
				d.pass(time.Millisecond)
				d.want(1, 0)
				if h := d.form.Health(); h.State != StateOK || h.Problem != "" {
					d.Errorf("health %+v", h)
				}
			})
		})
	}
}

func TestAFormThatIsNotReadForLongIsDown(t *testing.T) {
	inDesk(t, func(d *desk) {
		for range 50 {
			d.hubspot.fail("", 500)
		}
		d.pass(silence + 2*time.Minute)
		if h := d.form.Health(); h.State != StateDown {
			d.Errorf("health %+v", h)
		}
	})
}

func TestWhatIsNotStoredIsReadAgain(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.sink.FailNext(2)
		d.hubspot.submit(now(), "c1", "company", "Acme", "email", "jane@acme.example")
		d.pass(defaultEvery)
		d.want(0, 0)
		d.stop()
		d.pass(time.Hour)
		d.start()
		d.pass(time.Minute)
		if s := d.want(1, 0); s.Attempts < 3 {
			d.Errorf("%d attempts", s.Attempts)
		}
	})
}

func TestWhatCantBeReadIsSetAsideAndTheRestGoesOn(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.hubspot.submit(now(), "c1", "favourite_colour", "blue")
		delete(d.hubspot.submit(now(), "c2", "company", "Acme"), "submittedAt")
		d.hubspot.submit(now(), "c3", "company", "Acme", "email", "jane@acme.example")
		d.pass(10 * time.Minute)
		s := d.want(1, 2)
		for _, a := range s.Asides {
			if a.Key == "" || a.Raw.Size == 0 || a.ReceivedAt.IsZero() {
				d.Errorf("incomplete: %+v", a)
			}
		}
		subs, err := Forms{d.form}.Reread(d.Context(), s.Asides[0], bytes.NewReader(d.sink.Raw(s.Asides[0].Raw)))
		if err != nil || len(subs) != 1 || subs[0].Sender.Strength != intake.StrengthOperator {
			d.Errorf("read again: %+v, %v", subs, err)
		}
	})
}

func TestTheEndDoesNotWaitForASilentPeer(t *testing.T) {
	inDesk(t, func(d *desk) {
		d.hubspot.mu.Lock()
		d.hubspot.silent = true
		d.hubspot.mu.Unlock()
		d.pass(defaultEvery + time.Second) // a request is under way
		d.stop()                           // which measures it
	})
}

func TestAConfigurationTellsAllItsFaults(t *testing.T) {
	err := Config{
		Name: "A B", Form: "../x", URL: "http://api.hubapi.com", Every: time.Second, Since: "yesterday",
		Mapping: payload.Mapping{Program: "A B", Fields: map[intake.Field]payload.Pointers{"shoe": {"/shoe"}}},
	}.Validate()
	for _, want := range []string{"name: ", `form "../x"`, "token: is missing", "url: ", "every: ", `since "yesterday"`, "program: ", "fields.shoe: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	good := Config{Name: "a", Form: testForm, Token: testToken}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", good, good, good); strings.Contains(text, testToken) {
		t.Errorf("%s shows the token", text)
	}
	if _, err := (&Form{}).Reply(t.Context(), intake.Message{}); !intake.IsPermanent(err) || errors.Is(err, context.Canceled) {
		t.Errorf("Reply: %v", err)
	}
}
