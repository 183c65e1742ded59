package intake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// sales is a CRM in which people work. It counts all that is asked of it.
type sales struct {
	mu      sync.Mutex
	fails   error // what every call ends with; nil for none
	refuses func(intake.Record) error
	blind   bool // the feed fails
	known   []intake.Match
	rate    int // pushes a second; 0 for any number
	calls   []time.Time
	pushed  []intake.Record
	records map[string]int // case → revision
	feed    []intake.Change
	differ  func(intake.Record) []intake.Difference
	reread  []intake.Change
	before  func(intake.Record) error // is called before each push; nil for nothing
}

func (s *sales) Name() string { return "sales" }

// called counts a call. The lock is held until done.
func (s *sales) called() error {
	s.mu.Lock()
	s.calls = append(s.calls, time.Now())
	return s.fails
}

func (s *sales) Lookup(context.Context, intake.Lead) ([]intake.Match, error) {
	err := s.called()
	defer s.mu.Unlock()
	return s.known, err
}

func (s *sales) Push(_ context.Context, r intake.Record) (intake.Ref, error) {
	if s.before != nil {
		if err := s.before(r); err != nil {
			return intake.Ref{}, err
		}
	}
	err := s.called()
	defer s.mu.Unlock()
	if err == nil && s.refuses != nil {
		err = s.refuses(r)
	}
	if err != nil {
		return intake.Ref{}, err
	}
	if s.rate > 0 && len(s.pushed) >= s.rate && time.Since(s.at(len(s.pushed)-s.rate)) < time.Second {
		return intake.Ref{}, intake.RetryAfter(time.Second, errors.New("too many calls"))
	}
	r.Registration.Updated = time.Now()
	s.pushed = append(s.pushed, r)
	s.records[r.Registration.Number] = r.Registration.Revision
	return intake.Ref{ID: "rec-" + r.Registration.Number}, nil
}

// at is when the n-th push was.
func (s *sales) at(n int) time.Time { return s.pushed[n].Registration.Updated }

func (s *sales) Note(context.Context, intake.Ref, intake.Note) error { return nil }

func (s *sales) Changes(_ context.Context, cursor string) ([]intake.Change, string, error) {
	err := s.called()
	defer s.mu.Unlock()
	if err == nil && s.blind {
		err = errDown
	}
	if err != nil {
		return nil, cursor, err
	}
	n := len(s.feed)
	if cursor == "" {
		return nil, strconv.Itoa(n), nil
	}
	from, err := strconv.Atoi(cursor)
	return s.feed[from:], strconv.Itoa(n), err
}

func (s *sales) Compare(_ context.Context, all []intake.Record) (found []intake.Difference, err error) {
	err = s.called()
	defer s.mu.Unlock()
	for _, r := range all {
		if s.differ != nil {
			found = append(found, s.differ(r)...)
		}
	}
	return found, err
}

func (s *sales) Verify(context.Context) ([]intake.Lack, error) {
	err := s.called()
	defer s.mu.Unlock()
	return nil, err
}

func (s *sales) Hints(_ string, r *http.Request, body []byte) ([]string, error) {
	if r.Header.Get("Key") != "good" {
		return nil, errors.New("not signed")
	}
	return []string{string(body)}, nil
}

func (s *sales) Reread(context.Context, []string) ([]intake.Change, error) {
	err := s.called()
	defer s.mu.Unlock()
	return s.reread, err
}

// tell has people do something.
func (s *sales) tell(c ...intake.Change) { s.set(func() { s.feed = append(s.feed, c...) }) }

func (s *sales) set(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

// since counts the calls since a time.
func (s *sales) since(t time.Time) (n int) {
	s.set(func() {
		for _, c := range s.calls {
			if !c.Before(t) {
				n++
			}
		}
	})
	return n
}

// inSales runs a world whose CRM is one in which people work.
func inSales(t *testing.T, fn func(w *world, s *sales), options ...option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &sales{records: make(map[string]int)}
		w := newWorldWith(t, memstore.New(), func(o *intake.Options) {
			o.CRMs, o.DownAfter = []intake.CRM{s}, 15*time.Minute
		}, options...)
		w.live(func(w *world) { fn(w, s) })
	})
}

// held is a case of Alpha that holds acme.example, and that the CRM has had for a while.
func (w *world) held() string {
	w.Helper()
	number := w.submit("ana@alpha.example", acme()).Case
	w.pass(5 * time.Minute)
	w.wantStatus(number, intake.StatusProvisional)
	return number
}

func dealOf(number string, fields map[string]string) intake.Change {
	return intake.Change{Case: number, Fields: fields}
}

func TestAfterThreeDaysOfOutageTheCRMHasAllThatCameMeanwhile(t *testing.T) {
	t.Run("by mail", func(t *testing.T) {
		outageOf72Hours(t, func(w *world, cases int) {
			for i := range cases {
				domain := fmt.Sprintf("prospect%d.example", i)
				w.accept(w.submission("ana@alpha.example", named("Prospect "+strconv.Itoa(i), domain)))
			}
		})
	})
	t.Run("with a list, of which some are amended", func(t *testing.T) {
		outageOf72Hours(t, func(w *world, cases int) {
			im := w.drop(file("alpha", "a.csv"), firms(0, cases))
			w.pass(10 * time.Minute)
			for i, o := range w.outcomes(im.ID) {
				if i%50 == 0 { // its push waits behind that of the list
					must(w, "amend")(w.gateway.Amend(t.Context(), o.Case, intake.Lead{intake.FieldContactRole: "CFO"}, intake.Verdict{By: "mia"}))
				}
			}
		})
	})
}

// outageOf72Hours has cases come while the CRM is down.
func outageOf72Hours(t *testing.T, come func(w *world, cases int)) {
	t.Helper()
	cases := 500
	if testing.Short() || raceDetector {
		cases = 50
	}
	inSales(t, func(w *world, s *sales) {
		w.pass(time.Minute)
		s.set(func() { s.fails, s.rate = errDown, 10 })
		began := time.Now()
		come(w, cases)
		w.pass(time.Until(began.Add(72 * time.Hour)))
		if all, err := w.gateway.CRMs(t.Context()); err != nil || !all[0].Down || all[0].Queue < cases || all[0].Parked != 0 {
			t.Errorf("%+v %v", all, err)
		}
		for hour := time.Duration(0); hour < 72; hour++ {
			from := began.Add(hour * time.Hour)
			if n := s.since(from) - s.since(from.Add(time.Hour)); n > 130 {
				t.Errorf("%d calls in hour %d of the outage", n, hour)
			}
		}
		if n := s.since(began); n < 72*50 {
			t.Errorf("%d calls in three days: it would be found late that it works again", n)
		}
		s.set(func() { s.fails = nil })
		w.pass(30 * time.Minute)
		if len(s.records) != cases {
			t.Errorf("the CRM has %d records of %d", len(s.records), cases)
		}
		last := make(map[string]int)
		for i, r := range s.pushed {
			number, revision := r.Registration.Number, r.Registration.Revision
			if revision < last[number] {
				t.Errorf("%s: revision %d was pushed after %d", number, revision, last[number])
			}
			last[number] = revision
			if i >= 10 && s.at(i).Sub(s.at(i-10)) < time.Second {
				t.Fatalf("more than 10 pushes within a second")
			}
		}
		if all, err := w.gateway.CRMs(t.Context()); err != nil || all[0].Down || all[0].Queue != 0 || all[0].Parked != 0 {
			t.Errorf("%+v %v", all, err)
		}
		for _, r := range w.cases() {
			if r.Status != intake.StatusProvisional || last[r.Number] < r.Revision-4 {
				t.Errorf("%s is %s", r.Number, r.Status)
			}
		}
		w.pass(time.Hour)
		told := w.toStaff("mia@vendor.example", intake.StaffOutage)
		if len(told) != 4 { // down, twice still down, and up
			t.Errorf("staff were told %d times", len(told))
		}
		if o := told[0].Brief.Outage; o.Name != "CRM sales" || o.Problem != "down" {
			t.Errorf("told %+v", o)
		}
	})
}

func TestARefusalPausesAtOnceAndIsTriedEveryFiveMinutes(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() { s.fails = intake.Unauthorized(errors.New("the key is not valid")) })
		w.pass(time.Minute)
		all, err := w.gateway.CRMs(t.Context())
		if err != nil || !all[0].Down || !all[0].Refused || all[0].Problem != "the key is not valid" {
			t.Fatalf("%+v %v", all, err)
		}
		from := time.Now()
		must(w, "revoke")(w.gateway.Revoke(t.Context(), number, intake.Verdict{By: "mia", Rationale: "The customer objected."}))
		must(w, "revoke")(w.gateway.Revoke(t.Context(), number, intake.Verdict{By: "jo", Rationale: "The customer objected."}))
		w.pass(time.Hour)
		if n := s.since(from); n < 20 || n > 26 { // of the writes and of the feed
			t.Errorf("%d calls in an hour of refusal", n)
		}
		s.set(func() { s.fails = nil })
		w.pass(6 * time.Minute)
		if got := s.pushed[len(s.pushed)-1].Registration.Status; got != intake.StatusDeclined {
			t.Errorf("the CRM has %s", got)
		}
		all, err = w.gateway.CRMs(t.Context())
		if err != nil || all[0].Down || all[0].Queue != 0 || all[0].Polled.IsZero() {
			t.Errorf("%+v %v", all, err)
		}
	})
}

func TestWhatIsMendedIsTriedOnceItIsVerified(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		s.set(func() { s.fails = intake.Unauthorized(errors.New("a right is missing")) })
		number := w.submit("ana@alpha.example", acme()).Case
		w.pass(11 * time.Minute)
		s.set(func() { s.fails = nil })
		if all, err := w.gateway.VerifyCRM(t.Context(), ""); err != nil || all[0].Problem != "" {
			t.Fatalf("%+v %v", all, err)
		}
		w.pass(time.Minute)
		all, err := w.gateway.CRMs(t.Context())
		if err != nil || all[0].Down || all[0].Queue != 0 || len(s.pushed) == 0 {
			t.Errorf("a minute later %s is %+v %v", number, all, err)
		}
	})
}

func TestACRMThatTakesNothingStillTellsAndOneThatTellsNothingStillTakes(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() { s.refuses = func(intake.Record) error { return errDown } })
		for i := range 20 {
			w.accept(w.submission("ana@alpha.example", named("Prospect", fmt.Sprintf("prospect%d.example", i))))
		}
		w.pass(time.Hour)
		from := time.Now()
		s.tell(dealOf(number, map[string]string{intake.ChangeStatus: intake.DealWon}))
		w.pass(time.Minute)
		w.wantStatus(number, intake.StatusWon)
		w.pass(59 * time.Minute)
		if n := s.since(from); n > 60+130 { // the feed is read every half minute
			t.Errorf("%d calls in an hour in which it takes nothing", n)
		}
		s.set(func() { s.refuses, s.blind = nil, true })
		w.pass(time.Hour)
		number = w.submit("ben@beta.example", named("B", "b.example")).Case
		w.pass(30 * time.Second)
		if s.records[number] == 0 {
			t.Error("the case is not in the CRM, which only tells nothing")
		}
		if all, err := w.gateway.CRMs(t.Context()); err != nil || !all[0].Down {
			t.Errorf("%+v %v", all, err)
		}
	})
}

func TestACRMThatDoesNotAnswerIsNamedInTheComparison(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() { s.fails = errors.New("down") })
		for name, compare := range map[string]func() ([]intake.CRMDrift, error){
			"of a case": func() ([]intake.CRMDrift, error) { return w.gateway.CompareCase(t.Context(), number, "") },
			"of all":    func() ([]intake.CRMDrift, error) { return w.gateway.Drift(t.Context(), "") },
		} {
			if all, err := compare(); err != nil || len(all) != 1 || all[0].Problem != "down" {
				t.Errorf("%s: %+v, %v", name, all, err)
			}
		}
	})
}

// A record for which the CRM fails, as one does over a fault of its own, is tried again and again.
func TestACaseForWhichTheCRMFailsKeepsTheWayShutForNoOther(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		bad := w.held()
		s.set(func() {
			s.refuses = func(r intake.Record) error {
				if r.Registration.Number == bad {
					return errDown
				}
				return nil
			}
		})
		w.revoke(bad)
		w.pass(3 * time.Hour)
		s.set(func() { s.fails = errDown })
		im := w.drop(file("alpha", "a.csv"), firms(0, 50))
		w.pass(time.Hour)
		s.set(func() { s.fails = nil })
		w.pass(10 * time.Minute)
		for _, o := range w.outcomes(im.ID) {
			if s.records[o.Case] == 0 {
				t.Fatalf("row %d is not in the CRM", o.Row)
			}
		}
	})
}

func TestWhatACRMThatIsBusyPutsOffIsNoAttempt(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		s.set(func() { s.fails = intake.RetryAfter(time.Minute, errors.New("too many calls")) })
		number := w.submit("ana@alpha.example", acme()).Case
		w.pass(24 * time.Hour)
		s.set(func() { s.fails = errDown })
		w.pass(70 * time.Second)
		if got := w.toStaff("", intake.StaffTrouble); len(got) != 0 {
			t.Errorf("given up: %s", got[0].Brief.Why)
		}
		s.set(func() { s.fails = nil })
		w.pass(15 * time.Minute)
		if s.records[number] == 0 {
			t.Error("the case is not in the CRM")
		}
	})
}

func TestWhatIsWrongWithOneCaseDoesNotPauseTheOthersAndIsReplayed(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		s.set(func() { s.fails = intake.Conflicting(errors.New("two companies have the domain")) })
		var numbers []string
		for i := range 7 {
			numbers = append(numbers, w.submit("ana@alpha.example", named("A", fmt.Sprintf("a%d.example", i))).Case)
		}
		w.pass(time.Minute)
		all, err := w.gateway.CRMs(t.Context())
		if err != nil || all[0].Down && all[0].Refused || all[0].Parked == 0 {
			t.Fatalf("%+v %v", all, err)
		}
		if got := w.toStaff("", intake.StaffTrouble); len(got) != len(numbers) || !strings.Contains(got[0].Brief.Why, "two companies have the domain") {
			t.Errorf("staff were told %d times", len(got))
		}
		s.set(func() { s.fails = nil })
		done, err := w.gateway.Replay(t.Context(), "", nil)
		if err != nil || len(done) != len(numbers) {
			t.Errorf("replayed %+v, %v", done, err)
		}
		w.pass(10 * time.Minute)
		if len(s.records) != len(numbers) {
			t.Errorf("the CRM has %d records", len(s.records))
		}
		if again, err := w.gateway.Replay(t.Context(), "sales", nil); err != nil || len(again) != 0 {
			t.Errorf("replayed again %+v, %v", again, err)
		}
		if _, err := w.gateway.Replay(t.Context(), "nobody", nil); err == nil {
			t.Error("a CRM that is not there is replayed")
		}
	})
}

func TestADecisionIsThereWithinSecondsAndAChangeHereWithinAMinute(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		before := len(s.pushed)
		w.revoke(number)
		w.pass(4 * time.Second)
		if got := s.pushed[len(s.pushed)-1].Registration; len(s.pushed) == before || got.Status != intake.StatusDeclined {
			t.Errorf("the CRM has %s", got.Status)
		}
		number = w.submit("ben@beta.example", named("B", "b.example")).Case
		w.pass(5 * time.Minute)
		from := time.Now()
		s.tell(dealOf(number, map[string]string{intake.ChangeStatus: intake.DealWon}))
		w.pass(time.Minute)
		w.wantStatus(number, intake.StatusWon)
		if n := s.since(from); n > 4 { // two looks, and one push of what was won
			t.Errorf("%d calls", n)
		}
	})
}

func TestAPartnerIsToldOfOwnerAndStageAndNeverOfMore(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		pushes, told := len(s.pushed), len(w.channel.messages())
		s.tell(dealOf(number, map[string]string{
			intake.ChangeStage: "Qualified", intake.ChangeOwner: "Ann Seller", intake.ChangeContact: "ann@secret.example", intake.ChangeAmount: "120000 EUR",
			intake.ChangeClose: "2027-01-29", intake.ChangeNextStep: "Security\nreview",
		}))
		w.pass(time.Minute)
		r := w.story(number).Registration
		want := intake.Deal{CRM: "sales", Stage: "Qualified", Owner: "Ann Seller", OwnerEmail: "ann@secret.example", Amount: "120000 EUR", Close: "2027-01-29", NextStep: "Security review"}
		if r.Deal != want {
			t.Errorf("the deal is %+v", r.Deal)
		}
		m := w.lastTo("ana@alpha.example")
		if len(w.channel.messages()) != told+1 || m.Kind != intake.MessageDeal {
			t.Fatalf("the partner was told %d times, at last %s", len(w.channel.messages())-told, m.Kind)
		}
		if facts := (intake.DealFacts{Owner: "Ann Seller", Stage: "Qualified", Close: "2027-01-29", NextStep: "Security review"}); m.Facts.Deal != facts {
			t.Errorf("told %+v", m.Facts.Deal)
		}
		w.accept(func() intake.Submission {
			q := w.submission("ana@alpha.example", nil)
			q.Commands = []intake.Command{{Verb: intake.VerbStatus, Case: number}}
			return q
		}())
		w.pass(time.Second)
		if m := w.lastTo("ana@alpha.example"); m.Kind != intake.MessageStatus || m.Facts.Deal.Stage != "Qualified" {
			t.Errorf("STATUS says %s, %+v", m.Kind, m.Facts.Deal)
		}
		for _, m := range w.channel.messages() {
			if b := mustJSON(t, m); strings.Contains(b, "secret.example") || strings.Contains(b, "120000") {
				t.Errorf("the partner reads %s", b)
			}
		}
		told = len(w.channel.messages())
		revision := w.story(number).Registration.Revision
		for range 5 { // an echo, the same again, what is for staff alone
			s.tell(
				dealOf(number, map[string]string{intake.ChangeStage: "Qualified", intake.ChangeOwner: " Ann  Seller"}),
				intake.Change{Case: number, Own: true, Fields: map[string]string{intake.ChangeStage: "Qualified", intake.ChangeStatus: intake.DealWon}},
			)
			w.pass(2 * time.Minute)
		}
		if got := w.story(number).Registration.Revision; got != revision || len(s.pushed) != pushes {
			t.Errorf("an echo made revision %d of %d, and %d pushes", got, revision, len(s.pushed)-pushes)
		}
		s.tell(dealOf(number, map[string]string{intake.ChangeAmount: "1 EUR"}))
		w.pass(2 * time.Minute)
		if got := len(w.channel.messages()); got != told || len(s.pushed) != pushes {
			t.Errorf("the partner was told %d more, %d pushes", got-told, len(s.pushed)-pushes)
		}
		if got := w.story(number).Registration.Deal.Amount; got != "1 EUR" {
			t.Errorf("the amount is %s", got)
		}
		must(w, "erase")(w.gateway.Erase(t.Context(), number, intake.Verdict{By: "mia", Rationale: "The contact asked for it."}))
		s.tell(dealOf(number, map[string]string{intake.ChangeOwner: "Ben Seller"}))
		w.pass(2 * time.Minute)
		if got := w.story(number).Registration.Deal; got != (intake.Deal{}) {
			t.Errorf("an erased case still says %+v", got)
		}
	})
}

func TestTheEchoOfTheFirstPushIsNoNews(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.submit("ana@alpha.example", acme()).Case
		s.tell(dealOf(number, map[string]string{intake.ChangeStage: "Lead"}))
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved)
		s.tell(dealOf(number, map[string]string{intake.ChangeStage: "Negotiation"}))
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved, intake.MessageDeal)
		s.tell(dealOf(number, map[string]string{intake.ChangeStage: "Closed", intake.ChangeStatus: intake.DealWon}))
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved, intake.MessageDeal, intake.MessageWon)
	})
}

// A push that had to wait makes its record long after anything was written about the case, and the
// feed may tell of it before the push is noted here.
func TestTheEchoOfAFirstPushThatHadToWaitIsNoNews(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		pushes := 0
		s.before = func(r intake.Record) error {
			if pushes++; pushes == 1 {
				return intake.RetryAfter(10*time.Minute, errors.New("busy"))
			}
			s.tell(dealOf(r.Registration.Number, map[string]string{intake.ChangeStage: "Lead", intake.ChangeOwner: "Ann Seller"}))
			time.Sleep(40 * time.Second)
			return nil
		}
		number := w.submit("ana@alpha.example", acme()).Case
		w.pass(12 * time.Minute)
		if pushes != 2 || w.story(number).Registration.Deal.Stage != "Lead" {
			t.Fatalf("%d pushes, and the deal is %+v", pushes, w.story(number).Registration.Deal)
		}
		w.wantMessages(intake.MessageApproved)
		s.tell(dealOf(number, map[string]string{intake.ChangeOwner: "Ben Seller"}))
		w.pass(time.Minute)
		w.wantMessages(intake.MessageApproved, intake.MessageDeal)
	})
}

func TestAChangeThatCannotBeTakenInIsToldOnceAndStopsNothing(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		bad := dealOf(number, map[string]string{intake.ChangeClose: "next summer"})
		s.tell(bad, dealOf(number, map[string]string{intake.ChangeStage: "Qualified"}))
		w.pass(time.Minute)
		s.tell(bad)
		w.pass(time.Minute)
		if got := w.story(number).Registration.Deal.Stage; got != "Qualified" {
			t.Errorf("the stage is %q", got)
		}
		if got := w.toStaff("", intake.StaffCRM); len(got) != 1 || !strings.Contains(got[0].Brief.Why, "next summer") {
			t.Errorf("staff were told %d times", len(got))
		}
	})
}

func TestADealOfDirectSalesIsToldOnceAndMovesNothing(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		deal := intake.Change{
			Deal:    &intake.Match{CRM: "sales", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "77", URL: "https://crm.example/77"}},
			Account: intake.Lead{intake.FieldCompanyDomain: "acme.example"},
		}
		for range 3 {
			s.tell(deal)
			w.pass(2 * time.Minute)
		}
		w.wantStatus(number, intake.StatusProvisional)
		if got := w.toStaff("", intake.StaffConflict); len(got) != 1 {
			t.Fatalf("staff were told %d times", len(got))
		}
		open, err := w.gateway.Conflicts(t.Context(), false)
		if err != nil || len(open) != 1 || open[0].Type != intake.ConflictVertical || open[0].Deals[0].ID != "sales:77" {
			t.Fatalf("%+v %v", open, err)
		}
		if _, err := w.gateway.ResolveConflict(t.Context(), open[0].ID, number, intake.Verdict{By: "mia", Rationale: "Sales give it to the partner."}); err != nil {
			t.Fatal(err)
		}
		s.tell(deal)
		w.pass(2 * time.Minute)
		if open, err := w.gateway.Conflicts(t.Context(), false); err != nil || len(open) != 0 {
			t.Errorf("the deal is told again after it was settled: %+v %v", open, err)
		}
		other := deal
		other.Account = intake.Lead{intake.FieldCompanyDomain: "free.example"}
		s.tell(other)
		w.pass(2 * time.Minute)
		if got := w.toStaff("", intake.StaffConflict); len(got) != 1 {
			t.Errorf("a deal on an account that nobody claims is told")
		}
	})
}

func TestADealThatWasThereBeforeTheClaimIsNoNewConflict(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		deal := intake.Match{CRM: "sales", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "77"}}
		s.set(func() { s.known = []intake.Match{deal} })
		number := w.submit("ana@alpha.example", acme()).Case
		w.pass(time.Minute)
		w.wantStatus(number, intake.StatusInReview) // staff see the deal
		must(w, "approve")(w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia", Rationale: "Sales hand it over."}))
		w.pass(time.Minute)
		account := intake.Lead{intake.FieldCompanyDomain: "acme.example"}
		s.tell(intake.Change{Deal: &deal, Account: account}) // somebody edits it
		w.pass(2 * time.Minute)
		if open, err := w.gateway.Conflicts(t.Context(), false); err != nil || len(open) != 0 {
			t.Errorf("the deal that was known is a conflict: %+v %v", open, err)
		}
		other := deal
		other.Ref.ID = "78"
		s.tell(intake.Change{Deal: &other, Account: account})
		w.pass(2 * time.Minute)
		if open, err := w.gateway.Conflicts(t.Context(), false); err != nil || len(open) != 1 {
			t.Errorf("a new deal is no conflict: %+v %v", open, err)
		}
	})
}

func TestARecordThatPeopleDeletedIsMadeAgainByReplayAlone(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() { delete(s.records, number) })
		gone := intake.Change{Case: number, Gone: true}
		s.tell(gone, gone)
		w.pass(2 * time.Minute)
		if got := w.toStaff("", intake.StaffCRM); len(got) != 1 || !strings.Contains(got[0].Brief.Why, "leadgate crm replay "+number) {
			t.Fatalf("staff were told %d times", len(got))
		}
		w.revoke(number)
		w.pass(time.Hour)
		if len(s.records) != 0 {
			t.Fatal("a record that was deleted is there again")
		}
		done, err := w.gateway.Replay(t.Context(), "", nil)
		if err != nil || len(done) != 1 || !done[0].Anew {
			t.Errorf("%+v %v", done, err)
		}
		w.pass(time.Minute)
		if r := s.pushed[len(s.pushed)-1].Registration; len(s.records) != 1 || r.Status != intake.StatusDeclined || r.CRM["sales"].ID != "" {
			t.Errorf("the CRM has %+v", r)
		}
	})
}

// Tryton, for one, tells of no deletion.
func TestARecordWhoseDeletionNobodyToldIsMadeAgainByAReplayOfItsCase(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.differ = func(r intake.Record) []intake.Difference {
			if _, there := s.records[r.Registration.Number]; there {
				return nil
			}
			return []intake.Difference{{Case: r.Registration.Number, Object: "deal", Ours: "1"}}
		}
		replayed := func(numbers ...string) int {
			done, err := w.gateway.Replay(t.Context(), "", numbers)
			if err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
			return len(done)
		}
		if n := replayed(number); n != 0 {
			t.Errorf("%d records that are there were made again", n)
		}
		s.set(func() { delete(s.records, number) })
		if n := replayed(); n != 0 || len(s.records) != 0 {
			t.Errorf("%d of no case that is named", n)
		}
		if n := replayed(number); n != 1 || len(s.records) != 1 {
			t.Errorf("%d were made again, and the CRM has %d records", n, len(s.records))
		}
	})
}

func TestARecordThatAPushFindsDeletedIsToldAndNotMadeAgain(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() {
			delete(s.records, number)
			s.refuses = func(r intake.Record) error {
				if r.Registration.CRM["sales"].ID != "" {
					return intake.Gone(errors.New("the deal is not there"))
				}
				return nil
			}
		})
		w.revoke(number)
		w.pass(time.Hour)
		if got := w.toStaff("", intake.StaffCRM); len(got) != 1 || !strings.Contains(got[0].Brief.Why, "leadgate crm replay "+number) {
			t.Fatalf("staff were told %d times", len(got))
		}
		if got := w.toStaff("", intake.StaffTrouble); len(got) != 0 {
			t.Errorf("staff were told of trouble, too: %s", got[0].Brief.Why)
		}
		all, err := w.gateway.CRMs(t.Context())
		if err != nil || all[0].Down || all[0].Queue != 0 || all[0].Parked != 0 || len(s.records) != 0 {
			t.Errorf("%+v %v", all, err)
		}
		if done, err := w.gateway.Replay(t.Context(), "", nil); err != nil || len(done) != 1 || !done[0].Anew {
			t.Errorf("%+v %v", done, err)
		}
		w.pass(time.Minute)
		if len(s.records) != 1 {
			t.Error("the record is not made again")
		}
	})
}

func TestWhatDiffersIsToldInTheMorningIfItIsNew(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		w.pass(24 * time.Hour)
		if got := w.toStaff("", intake.StaffCRM); len(got) != 0 {
			t.Fatalf("nothing differs, and staff were told %d times", len(got))
		}
		there := "Globex"
		s.set(func() {
			s.differ = func(r intake.Record) []intake.Difference {
				n := r.Registration.Number
				return []intake.Difference{
					{Case: n, Object: "deal", ID: "7", Field: "name", There: there, Ours: "Acme", Stays: "changed there by hand"},
					{Case: n, Object: "deal", ID: "7", Field: "status", There: "x", Ours: "y"},
				}
			}
		})
		w.pass(24 * time.Hour)
		w.pass(24 * time.Hour)
		got := w.toStaff("mia@vendor.example", intake.StaffCRM)
		if len(got) != 1 || !strings.Contains(got[0].Brief.Why, number) || !strings.Contains(got[0].Brief.Why, "Globex") || strings.Contains(got[0].Brief.Why, "status") {
			t.Fatalf("staff were told %d times: %+v", len(got), got)
		}
		if local := got[0].At.In(time.FixedZone("", 3600)); local.Hour() != 3 { // Brussels, in winter
			t.Errorf("told at %s", local)
		}
		s.set(func() { there = "Hooli" })
		w.pass(24 * time.Hour)
		if got := w.toStaff("", intake.StaffCRM); len(got) != 2 {
			t.Errorf("staff were told %d times", len(got))
		}
		drift, err := w.gateway.Drift(t.Context(), "")
		if err != nil || len(drift) != 1 || len(drift[0].Differences) != 2 {
			t.Errorf("%+v %v", drift, err)
		}
		diff, err := w.gateway.CompareCase(t.Context(), number, "sales")
		if err != nil || len(diff) != 1 || len(diff[0].Differences) != 2 || diff[0].Absent {
			t.Errorf("%+v %v", diff, err)
		}
	})
}

func TestACallOfACRMIsTakenInOnceAndOnlyIfItIsProven(t *testing.T) {
	inSales(t, func(w *world, s *sales) {
		number := w.held()
		s.set(func() { s.reread = []intake.Change{dealOf(number, map[string]string{intake.ChangeStage: "Qualified"})} })
		call := func(key, body string) error {
			r := httptest.NewRequest(http.MethodPost, "/hooks/crm/sales", nil)
			r.Header.Set("Key", key)
			_, err := w.gateway.Hint(t.Context(), "sales", "https://partners.example/hooks/crm/sales", r, []byte(body))
			return err
		}
		if err := call("bad", "1"); !errors.Is(err, intake.ErrUnproven) {
			t.Errorf("an unproven call: %v", err)
		}
		from := time.Now()
		for range 3 {
			if err := call("good", "1"); err != nil {
				t.Fatal(err)
			}
			w.pass(2 * time.Second)
		}
		if got := w.story(number).Registration.Deal.Stage; got != "Qualified" {
			t.Errorf("the stage is %q", got)
		}
		if n := s.since(from); n > 2 { // a look at the feed may come between
			t.Errorf("%d calls", n)
		}
		if _, err := w.gateway.Hint(t.Context(), "nobody", "", httptest.NewRequest(http.MethodPost, "/", nil), nil); !errors.Is(err, intake.ErrNoHints) {
			t.Errorf("a call of nobody: %v", err)
		}
	})
}

func TestACRMWithoutAFeedIsHardlyAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		var asked counted
		w.crm.set(func() { w.crm.changes = asked.add })
		w.pass(72 * time.Hour)
		if n := asked.count(); n > 4 {
			t.Errorf("it was asked %d times in three days", n)
		}
	})
}

type counted struct {
	mu sync.Mutex
	n  int
}

func (c *counted) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}
