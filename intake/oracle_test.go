package intake_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"leadgate/intake"
	"leadgate/rules"
	"leadgate/store/memstore"
	"leadgate/templates"
)

// taken are the ways in which a prospect is not free, by a word for each. A probe's number says
// which way it is.
var taken = []string{"protected", "claimed", "blocked", "blocked by the list", "customer", "deal", "named", "related", "alike", "contacted"}

// prober is a partner who registers prospects to learn from the answers which are free. He
// reads them in words, as a mail would bring them, and in a dump of all that templates are given.
type prober struct {
	*world
	links *intake.Links
	words *templates.Set
	dump  *templates.Set
	now   time.Time

	mu   sync.Mutex
	told map[string][]letter // by case
	wait map[string]chan time.Time
}

// letter is what the partner reads, what kind of message it is, and the name that it has in the
// header of a mail.
type letter struct{ kind, id, subject, text, page, dump string }

// probe is one registration of the prober's. Its number has always as many digits.
type probe struct {
	number int
	way    string // "" for a free prospect
	fate   intake.Receipt

	accepted, answered time.Duration
}

func (p probe) company() string { return fmt.Sprintf("Prospect %05d", p.number) }
func (p probe) domain() string  { return fmt.Sprintf("prospect-%05d.example", p.number) }

// spelled replaces what differs for good: the number of the case and that of the prospect.
func (p probe) spelled(s string) string {
	return strings.NewReplacer(p.fate.Case, "CASE", fmt.Sprintf("%05d", p.number), "00000").Replace(s)
}

func (p probe) lead() intake.Lead {
	return named(p.company(), p.domain())
}

// Reply is the channel's: the partner reads.
func (p *prober) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	at := time.Now()
	words, err := p.words.Render(m)
	if err != nil {
		return nil, err
	}
	dump, err := p.dump.Render(m)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told[m.Facts.Case] = append(p.told[m.Facts.Case], letter{string(m.Kind), m.ID, words.Subject, words.Text, words.HTML, dump.Text})
	if c := p.wait[m.To.Address]; c != nil {
		c <- at
	}
	return m.To.Thread, nil
}

// expect returns where the next answer to an address is told.
func (p *prober) expect(address string) <-chan time.Time {
	c := make(chan time.Time, 100)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait[address] = c
	return c
}

func (p *prober) letters(number string) []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.told[number])
}

// dumps are overrides that print all that they are given, whatever it is.
func dumps() fs.FS {
	files := fstest.MapFS{}
	for _, k := range intake.MessageKinds() {
		files["en/"+string(k)+".txt.tmpl"] = &fstest.MapFile{Data: []byte(`{{printf "%#v" .}}{{range .Asks}}
{{.Line}}
{{end}}{{with .Week}}{{printf "%#v" .}}{{end}}`)}
	}
	return files
}

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// newProber makes a gateway whose time stands still, so that no answer differs by its time.
func newProber(t *testing.T, store intake.Store, options ...option) *prober {
	t.Helper()
	p := &prober{
		now: start, told: make(map[string][]letter), wait: make(map[string]chan time.Time),
	}
	var err error
	if p.words, err = templates.New(templates.Options{Program: "Vendor"}); err != nil {
		t.Fatal(err)
	}
	if p.dump, err = templates.New(templates.Options{Program: "Vendor", Overrides: dumps()}); err != nil {
		t.Fatal(err)
	}
	if p.links, err = intake.NewLinks("https://partners.vendor.example", []byte(linkKey)); err != nil {
		t.Fatal(err)
	}
	p.world = newWorldWith(t, store, func(o *intake.Options) {
		o.Links, o.Now = p.links, func() time.Time { return p.now }
	}, append([]option{assist}, options...)...)
	p.gateway.Register("email", p)
	return p
}

// occupy makes the probes' prospects taken.
func (p *prober) occupy(probes []probe) {
	p.Helper()
	var list intake.AccountList
	beta := intake.Partner{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}}
	deals := make(map[string]bool)
	for _, b := range probes {
		domain, other := b.domain(), fmt.Sprintf("other-%05d.example", b.number)
		switch b.way {
		case "protected":
			p.approved(p.rival(b, domain))
		case "claimed":
			p.rival(b, domain)
		case "customer":
			list.Accounts = append(list.Accounts, intake.Account{Domain: domain, Name: b.company(), Customer: true, Renewal: p.now.Add(days(20))})
		case "blocked by the list":
			list.Accounts = append(list.Accounts, intake.Account{Domain: domain, Name: b.company(), Blocked: "a competitor"})
		case "contacted":
			list.Accounts = append(list.Accounts, intake.Account{Domain: domain, Name: b.company(), Contacted: p.now.Add(-days(3))})
		case "deal":
			deals[domain] = true
		case "named":
			beta.Named = append(beta.Named, intake.NamedAccount{Domain: domain})
		case "related":
			list.Accounts = append(list.Accounts, intake.Account{Domain: other, Name: "Group " + other}, intake.Account{Domain: domain, Name: b.company(), Parent: other})
			p.approved(p.rival(probe{number: b.number}, other))
		case "alike":
			list.Accounts = append(list.Accounts, intake.Account{Domain: other, Name: b.company() + " GmbH", Customer: true})
		}
	}
	p.crm.set(func() {
		p.crm.lookup = func(l intake.Lead) ([]intake.Match, error) {
			if !deals[l[intake.FieldCompanyDomain]] {
				return nil, nil
			}
			return []intake.Match{{CRM: "fake", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "7"}, Activity: p.now.Add(-days(2))}}, nil
		}
	})
	if err := errors.Join(p.gateway.PutAccounts(p.Context(), list), p.gateway.PutPartners(p.Context(), []intake.Partner{beta})); err != nil {
		p.Fatal(err)
	}
}

// rival has another partner register a prospect, an hour before.
func (p *prober) rival(b probe, domain string) string {
	p.Helper()
	s := p.submission("eve@beta.example", named(b.company(), domain))
	s.ReceivedAt = p.now.Add(-time.Hour)
	told := p.expect("eve@beta.example")
	r := p.accept(s)
	<-told
	return r.Case
}

func (p *prober) approved(number string) {
	p.Helper()
	told := p.expect("eve@beta.example")
	if _, err := p.gateway.Approve(p.Context(), number, because("mia", "It is right so.")); err != nil {
		p.Fatal(err)
	}
	<-told
}

func blocking(probes []probe) option {
	return func(s *rules.Spec) {
		s.RecentContact = intake.Span{Value: 30, Unit: intake.Days}
		for _, b := range probes {
			if b.way == "blocked" {
				s.BlockedDomains = append(s.BlockedDomains, b.domain())
			}
		}
	}
}

const proberAddress = "ana@alpha.example"

// mail is a submission of the prober's at the moment at which time stands.
func (p *prober) mail(l intake.Lead, change ...func(*intake.Submission)) intake.Submission {
	s := p.submission(proberAddress, l)
	s.ReceivedAt = p.now
	for _, c := range change {
		c(&s)
	}
	return s
}

// ask sends a mail and waits for the answer.
func (p *prober) ask(s intake.Submission) (r intake.Receipt, accepted, answered time.Duration) {
	p.Helper()
	told := p.expect(s.Reply.Address)
	began := time.Now()
	r = p.accept(s)
	accepted = time.Since(began)
	select {
	case at := <-told:
		return r, accepted, at.Sub(began)
	case <-time.After(30 * time.Second):
		p.Fatalf("%s was not answered", r.Case)
	}
	return r, 0, 0
}

// reveal is all that the prober learns of his registration, but for what differs for good.
func (p *prober) reveal(b probe) string {
	p.Helper()
	var all []string
	for _, l := range p.letters(b.fate.Case) {
		text, receipt := p.withoutReceipt(b, l.text)
		page, _ := p.withoutReceipt(b, l.page)
		dump := receiptBlock.ReplaceAllString(l.dump, "RECEIPT")
		all = append(all, "kind "+l.kind, "id "+l.id, "subject "+l.subject, "text "+text, "page "+page, "receipt "+receipt, "dump "+dump)
	}
	r := p.story(b.fate.Case).Registration
	view, err := p.gateway.StatusByLink(p.Context(), tokenOf(p.links.Status(intake.StatusGrant(&r, p.now))))
	if err != nil {
		p.Fatal(err)
	}
	page, err := json.Marshal(view)
	if err != nil {
		p.Fatal(err)
	}
	all = append(all, "receipt of the gateway "+fmt.Sprintf("%+v", b.fate), "status page "+string(page))
	return linkToken.ReplaceAllString(b.spelled(strings.Join(all, "\n")), "/status/TOKEN")
}

var (
	linkToken    = regexp.MustCompile(`/status/[\w-]+`)
	receiptBlock = regexp.MustCompile(`(?s)-----BEGIN\s+LEADGATE\s+RECEIPT-----.*?-----END\s+LEADGATE\s+RECEIPT-----`)
)

// withoutReceipt takes the receipt out of a text, and returns it with hashes and the signature
// replaced by their length, which all that is random in it have the same.
func (p *prober) withoutReceipt(b probe, text string) (rest, receipt string) {
	p.Helper()
	block := html.UnescapeString(receiptBlock.FindString(text))
	if block == "" {
		return text, ""
	}
	r, err := intake.ReadReceipt(block)
	if err != nil {
		p.Fatalf("%v in %s", err, block)
	}
	if err := r.Verify(ring(testKey)); err != nil || !r.About(b.domain()) || r.Case != b.fate.Case {
		p.Errorf("the receipt is not about %s: %v", b.domain(), err)
	}
	lines := fmt.Sprint(strings.Count(block, "\n"))
	r.Prospect, r.Head, r.Signature = fmt.Sprint(len(r.Prospect)), fmt.Sprint(len(r.Head)), nil
	return receiptBlock.ReplaceAllString(text, "RECEIPT"), fmt.Sprintf("%s lines, %+v", lines, r)
}

// probes draws n free and n taken prospects in an order that says nothing. No two of their
// numbers differ in one digit alone, for then their names would be alike.
func probes(n int) []probe {
	random := rand.New(rand.NewPCG(3, 4))
	var all []probe
	for i, n4 := range random.Perm(10_000)[:2*n] {
		b := probe{number: 10*n4 + (n4/1000+n4/100+n4/10+n4)%10}
		if i >= n {
			b.way = taken[i%len(taken)]
		}
		all = append(all, b)
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// sameForAll checks that the prober learns the same of every prospect.
func (p *prober) sameForAll(probes []probe) {
	p.Helper()
	first, seen := "", make(map[string]bool)
	for _, b := range probes {
		got := p.reveal(b)
		if first == "" {
			first = got
		}
		if got == first || seen[b.way] {
			continue
		}
		seen[b.way] = true
		p.Errorf("a prospect that is %s is told from one that is %s:\n%s", cmp.Or(b.way, "free"), cmp.Or(probes[0].way, "free"), whereTheyPart(first, got))
	}
}

// whereTheyPart shows two texts around where they part.
func whereTheyPart(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(s string) string { return s[max(0, min(i, len(s))-150):min(len(s), i+100)] }
	return fmt.Sprintf("--- %s\n+++ %s", around(a), around(b))
}

func TestTheAnswersToAPartnerDontTellWhichProspectsAreTakenUntilSomebodyDecides(t *testing.T) {
	for name, tt := range map[string]struct {
		open func(*testing.T) intake.Store
		slow bool
	}{
		"in memory": {func(*testing.T) intake.Store { return memstore.New() }, true}, // looks through all that it has
		"in a file": {openInMemory, false},
	} {
		t.Run(name, func(t *testing.T) {
			size := 1000
			if testing.Short() || raceDetector && tt.slow {
				size = 100
			}
			all := probes(size)
			p := newProber(t, tt.open(t), blocking(all))
			p.runs(func() {
				p.occupy(all)
				for i := range all {
					all[i].fate, all[i].accepted, all[i].answered = p.ask(p.mail(all[i].lead()))
				}
				p.sameForAll(all)
				p.wantVaried(all)
				p.sameTimes(all)
			})
		})
	}
}

// wantVaried checks that the taken prospects are taken in the policy's eyes.
func (p *prober) wantVaried(probes []probe) {
	p.Helper()
	advice := make(map[string]map[string]bool)
	for _, b := range probes {
		r := p.wantStatus(b.fate.Case, intake.StatusInReview)
		way := cmp.Or(b.way, "free")
		if advice[way] == nil {
			advice[way] = make(map[string]bool)
		}
		advice[way][strings.TrimSuffix(string(r.Advice)+" "+string(r.Reason), " ")] = true
	}
	for way, is := range advice {
		if words := slices.Sorted(maps.Keys(is)); len(words) != 1 || (words[0] == "approve") != (way == "free") {
			p.Errorf("%s: advice %q", way, words)
		}
	}
	p.Logf("the advice to staff: %v", advice)
}

func (p *prober) runs(fn func()) {
	p.Helper()
	ctx, cancel := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- p.gateway.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			p.Error(err)
		}
	}()
	fn()
}

// sameTimes checks that it takes as long to take in and to answer what is free as what is taken.
// Whoever waits for a mail can't see a difference of a few milliseconds.
func (p *prober) sameTimes(probes []probe) {
	p.Helper()
	enough := 10 * time.Millisecond
	if raceDetector { // makes all of it several times as slow
		enough *= 3
	}
	for what, took := range map[string]func(probe) time.Duration{
		"to take it in": func(b probe) time.Duration { return b.accepted },
		"to answer it":  func(b probe) time.Duration { return b.answered },
	} {
		times := make(map[string][]time.Duration)
		for _, b := range probes {
			times[b.way] = append(times[b.way], took(b))
			if b.way != "" {
				times["taken"] = append(times["taken"], took(b))
			}
		}
		free := times[""]
		delete(times, "")
		for way, list := range times {
			noise := unrest(free, len(list))
			if d := quantile(list, 0.5) - quantile(free, 0.5); d.Abs() > max(enough, 2*noise) {
				p.Errorf("%s, %s: the medians differ by %v; those of free ones alone differ by %v", way, what, d, noise)
			}
		}
		late := p.lateness(probes, took)
		if late.Abs() > enough {
			p.Errorf("%s: the P95 of taken prospects is %v later", what, late)
		}
		list := times["taken"]
		p.Logf("%s: median %v if taken and %v if free, P95 %v and %v, which is %v later; a taken one took longer in %.3f of all pairs", what,
			quantile(list, 0.5), quantile(free, 0.5), quantile(list, 0.95), quantile(free, 0.95), late, longer(list, free))
	}
}

// unrest is by how much the median of n free prospects, asked about one after the other, differs
// from that of all: what other programs on the machine do to it.
func unrest(free []time.Duration, n int) (most time.Duration) {
	all := quantile(free, 0.5)
	for some := range slices.Chunk(free, n) {
		if len(some) == n {
			most = max(most, (quantile(some, 0.5) - all).Abs())
		}
	}
	return most
}

// lateness is by how much the P95 of taken prospects is later than that of free ones: the median
// over parts of the run, since other programs on the machine slow down a part of it at a time.
func (p *prober) lateness(probes []probe, took func(probe) time.Duration) time.Duration {
	var all []time.Duration
	for part := range slices.Chunk(probes, 100) {
		var free, taken []time.Duration
		for _, b := range part {
			if b.way == "" {
				free = append(free, took(b))
			} else {
				taken = append(taken, took(b))
			}
		}
		all = append(all, quantile(taken, 0.95)-quantile(free, 0.95))
	}
	if len(all) < 10 {
		return 0 // too few to say
	}
	return quantile(all, 0.5)
}

func quantile(list []time.Duration, q float64) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[int(q*float64(len(list)-1))]
}

// longer is in which share of all pairs of one of each the first took longer.
func longer(a, b []time.Duration) float64 {
	b = slices.Sorted(slices.Values(b))
	n := 0.0
	for _, d := range a {
		less, _ := slices.BinarySearch(b, d)
		n += float64(less)
	}
	return n / float64(len(a)*len(b))
}

// rest waits until nothing is under way.
func (p *prober) rest() {
	p.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		depth, err := p.gateway.Depth(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		open := 0
		for lane, d := range depth {
			if lane != intake.LaneTimer && lane != intake.PullLane("fake") { // these always wait for something
				open += d.Open
			}
		}
		if open == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.Fatalf("not at rest: %v", depth)
		}
	}
}

func TestWhoAsksAgainLearnsNoMoreOfAProspect(t *testing.T) {
	all := probes(60)
	p := newProber(t, memstore.New(), blocking(all))
	p.runs(func() {
		p.occupy(all)
		for i := range all {
			b := &all[i]
			b.fate, _, _ = p.ask(p.mail(b.lead()))
			p.rest()
			of := func(s *intake.Submission) { s.CaseHint, s.Text = b.fate.Case, "about this one" }
			for _, s := range []intake.Submission{
				p.mail(nil, of, func(s *intake.Submission) {
					s.Commands = []intake.Command{{Verb: intake.VerbStatus, Case: b.fate.Case}}
				}),
				p.mail(b.lead()), // the same once more
				p.mail(intake.Lead{intake.FieldContactRole: "CEO"}, func(s *intake.Submission) { s.Case, s.Text = b.fate.Case, "He is the CEO." }),
			} {
				p.ask(s)
				p.rest()
			}
		}
		p.sameForAll(all)
		var kinds []string
		for _, l := range p.letters(all[0].fate.Case) {
			kinds = append(kinds, l.kind)
		}
		if want := "received status known changed"; strings.Join(kinds, " ") != want {
			t.Errorf("the answers are %q, want %s", kinds, want)
		}
	})
}

func TestHalfARegistrationIsAskedToBeCompletedWhetherTheProspectIsFreeOrNot(t *testing.T) {
	all := probes(60)
	p := newProber(t, memstore.New(), blocking(all))
	p.runs(func() {
		p.occupy(all)
		for i := range all {
			all[i].fate, _, _ = p.ask(p.mail(without(all[i].lead(), intake.FieldProblem)))
			p.rest()
		}
		p.sameForAll(all)
		if l := p.letters(all[0].fate.Case); len(l) != 1 || l[0].kind != string(intake.MessageNeedsInfo) {
			t.Errorf("the answers are %+v", l)
		}
	})
}

// What comes without proof is answered, if at all, by a question that names nothing of it, and
// none of it reaches the sender whatever it is about.
func TestWhoProvesNothingLearnsNothingOfAnyProspect(t *testing.T) {
	for name, tt := range map[string]struct {
		from    string
		answers int
		confirm bool
	}{
		"a forged mail":                        {proberAddress, 0, false},
		"a forged mail, asked about":           {proberAddress, 1, true},
		"a stranger who is whom he says he is": {"x@stranger.example", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			all := probes(60)
			p := newProber(t, memstore.New(), blocking(all), func(s *rules.Spec) { s.ConfirmUnproven = tt.confirm })
			p.runs(func() {
				p.occupy(all)
				p.rest()
				before := len(p.told)
				for i := range all {
					all[i].fate = p.accept(p.mail(all[i].lead(), func(s *intake.Submission) {
						s.Sender.Address, s.Reply.Address = tt.from, tt.from
						if tt.from == proberAddress {
							s.Sender.Strength = intake.StrengthUnverified
						}
					}))
					p.rest()
					p.wantStatus(all[i].fate.Case, intake.StatusQuarantined)
				}
				answered := 0
				for _, b := range all {
					for _, l := range p.letters(b.fate.Case) {
						answered++
						for _, words := range []string{l.subject, l.text, l.page, l.dump} {
							if low := strings.ToLower(words); strings.Contains(low, "prospect") || strings.Contains(low, fmt.Sprintf("%05d", b.number)) {
								t.Errorf("a %s tells what was sent: %s", l.kind, words)
							}
						}
					}
				}
				if answered != tt.answers || len(p.told) != before+tt.answers {
					t.Errorf("%d cases were answered, want %d", answered, tt.answers)
				}
			})
		})
	}
}

func TestAPartnerDoesntLearnThatAnotherWantsHisProspectToo(t *testing.T) {
	all := probes(30)
	p := newProber(t, memstore.New())
	p.runs(func() {
		for i := range all {
			b := &all[i]
			b.fate, _, _ = p.ask(p.mail(b.lead()))
			p.rest()
			if b.way != "" {
				s := p.submission("eve@beta.example", b.lead())
				s.ReceivedAt = p.now
				p.ask(s)
				p.rest()
				if r := p.story(b.fate.Case).Registration; r.Conflict == "" {
					t.Fatalf("%s is not contested", r.Number)
				}
			}
			p.ask(p.mail(b.lead()))
			p.rest()
		}
		p.sameForAll(all)
	})
}
