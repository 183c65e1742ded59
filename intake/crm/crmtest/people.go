package crmtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"leadgate/intake"
)

// peopleChecks are those of connectors to systems in which people work. They pass where nobody does.
func peopleChecks() []check {
	among := func(run func(Reporter, Harness, System)) func(Reporter, Harness) {
		return func(r Reporter, h Harness) {
			if s := h.New(r); s.People != nil {
				run(r, h, s)
			}
		}
	}
	return []check{
		{"a push that is repeated by another process after any answer was lost leaves one company, one contact, one deal", among(pushAgainAfterCrashes)},
		{"a push by each of two processes leaves one company, one contact, one deal", among(pushByTwo)},
		{"two cases of one company leave one company", among(pushTwoCases)},
		{"a company that is there is adopted and keeps its name", among(adoptCompany)},
		{"what is empty is filled", among(fillEmpty)},
		{"what people changed stays", among(keepChanged)},
		{"what people emptied stays empty", among(keepEmptied)},
		{"the feed tells what people changed, of the right case", among(feedTells)},
		{"the feed read again from the same cursor ends with what is", among(feedAgain)},
		{"a push is no news, nor the next that follows from what the feed tells", among(noLoop)},
		{"a deal that people made is told with its company, and found", among(dealOfPeople)},
		{"a look-up finds the deal of a case, and a customer once it is won", among(lookUpOwn)},
		{"nothing lacks where all is set up", among(verify)},
		{"a comparison is empty after a push and names what somebody changed", among(compareRecords)},
		{"the words of a refusal name the field that the remote side named", among(refusalNames)},
	}
}

// counts is how many companies, contacts and deals there are.
type counts [3]int

func count(r Reporter, s System) counts {
	r.Helper()
	companies, contacts, deals, err := s.People.Count()
	if err != nil {
		r.Fatalf("count: %v", err)
	}
	return counts{companies, contacts, deals}
}

// expectMore reports if there are not as many more than before as wanted.
func expectMore(r Reporter, s System, before, want counts, what string) {
	r.Helper()
	have := count(r, s)
	for i := range have {
		have[i] -= before[i]
	}
	if have != want {
		r.Errorf("%s: there are %d companies, %d contacts, %d deals more; want %d, %d, %d", what,
			have[0], have[1], have[2], want[0], want[1], want[2])
	}
}

// again is the system as a process sees it that has just started.
func again(s System) System {
	if s.Again != nil {
		s.CRM = s.Again()
	}
	return s
}

// pushAgainAfterCrashes loses the answer to each request of a push, one at a time and then one after
// the other, and has a process without a memory repeat it.
func pushAgainAfterCrashes(r Reporter, h Harness, _ System) {
	rec := Sample(1, 1)
	steps := countRequests(r, h, func(ctx context.Context, s System) error {
		_, err := s.CRM.Push(ctx, rec)
		return err
	}, func(System) {})
	for step := range steps {
		s := h.New(r)
		before := count(r, s)
		loseAnswer(s, rec, step)
		push(r, again(s), rec)
		expectMore(r, s, before, counts{1, 1, 1}, fmt.Sprintf("the answer to request %d was lost", step+1))
	}
	s := h.New(r)
	before := count(r, s)
	for step := range steps {
		loseAnswer(s, rec, step)
		s = again(s)
	}
	push(r, s, rec)
	expectMore(r, s, before, counts{1, 1, 1}, "the answers to all requests were lost in turn")
	expect(r, h, s, rec)
}

// loseAnswer pushes, and has the answer to one of the requests never arrive. The error is of no
// matter: the process is taken to be gone.
func loseAnswer(s System, rec intake.Record, step int) {
	if s.Server == nil {
		return
	}
	s.Server.Script(append(make([]Fault, step), CommitThenReset)...)
	_, _ = s.CRM.Push(context.Background(), rec)
	s.Server.Script()
}

func pushByTwo(r Reporter, h Harness, s System) {
	rec, before := Sample(1, 1), count(r, s)
	first, second := push(r, s, rec), push(r, again(s), rec)
	if first.ID != second.ID {
		r.Errorf("the second process pushed to record %q, the first to %q", second.ID, first.ID)
	}
	expectMore(r, s, before, counts{1, 1, 1}, "pushed twice")
	expect(r, h, s, rec)
}

func pushTwoCases(r Reporter, _ Harness, s System) {
	one, two, before := Sample(1, 1), Sample(2, 1), count(r, s)
	for _, f := range []intake.Field{intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail} {
		two.Registration.Lead[f] = one.Registration.Lead[f]
	}
	push(r, s, one)
	push(r, again(s), two)
	expectMore(r, s, before, counts{1, 1, 2}, "two cases of one contact")
}

func adoptCompany(r Reporter, h Harness, s System) {
	rec := Sample(1, 1)
	if _, err := s.People.Company("Acme by hand", rec.Registration.Lead[intake.FieldCompanyDomain]); err != nil {
		r.Fatalf("a company by hand: %v", err)
	}
	before := count(r, s)
	rec = following(s, push(r, s, rec), 2)
	push(r, again(s), rec)
	expectMore(r, s, before, counts{0, 1, 1}, "the company was there")
	expectField(r, s, rec, PeopleCompanyName, "Acme by hand")
}

// following is a later revision of the first case: the partner says something else about
// everything.
func following(s System, ref intake.Ref, revision int) intake.Record {
	rec := Sample(1, revision)
	rec.Registration.Lead[intake.FieldCompanyName] = fmt.Sprintf("Acme as of %d GmbH", revision)
	rec.Registration.Lead[intake.FieldTargetRevenue] = fmt.Sprintf("%d EUR", 120000+revision)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	rec.Registration.CRM = map[string]intake.Ref{s.CRM.Name(): ref}
	return rec
}

func fillEmpty(r Reporter, _ Harness, s System) {
	rec := Sample(1, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	delete(rec.Registration.Lead, intake.FieldTargetRevenue)
	ref := push(r, s, rec)
	if _, err := s.People.Get(rec.Registration.Number, PeopleAmount); errors.Is(err, ErrNoField) {
		return
	}
	expectField(r, s, rec, PeopleAmount, "")
	push(r, s, following(s, ref, 2))
	expectField(r, s, rec, PeopleAmount, "120002")
}

// changedByHand is what the checks have people write into a record.
func changedByHand(h Harness) map[PeopleField]string {
	m := map[PeopleField]string{
		PeopleCompanyName: "Acme Holding", PeopleDealName: "Named by hand", PeopleOwner: "Kim Sales",
		PeopleAmount: "99000", PeopleCloseDate: "2027-03-31", PeopleNextStep: "Send the offer",
	}
	if len(h.Stages) > 1 {
		m[PeopleStage] = h.Stages[1]
	}
	return m
}

func keepChanged(r Reporter, h Harness, s System) {
	rec := Sample(1, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	ref := push(r, s, rec)
	values := changedByHand(h)
	for f, v := range values {
		if !set(r, s, rec, f, v) {
			delete(values, f)
		}
	}
	if len(values) == 0 {
		r.Errorf("people can change nothing, so nothing is tested")
	}
	ref = push(r, s, following(s, ref, 2))
	push(r, again(s), following(s, ref, 3))
	push(r, again(s), following(s, intake.Ref{}, 4)) // what is remembered of the record was lost
	for f, v := range values {
		expectField(r, s, rec, f, v)
	}
}

func keepEmptied(r Reporter, _ Harness, s System) {
	rec := Sample(1, 1)
	rec.Registration.Lead[intake.FieldKind] = intake.KindDeal
	ref := push(r, s, rec)
	var emptied []PeopleField
	for _, f := range []PeopleField{PeopleAmount, PeopleCloseDate, PeopleNextStep, PeopleDealName} {
		if set(r, s, rec, f, "") {
			emptied = append(emptied, f)
		}
	}
	ref = push(r, s, following(s, ref, 2))
	push(r, again(s), following(s, ref, 3))
	for _, f := range emptied {
		expectField(r, s, rec, f, "")
	}
}

// set has people change a field, and reports whether there is one.
func set(r Reporter, s System, rec intake.Record, f PeopleField, value string) bool {
	r.Helper()
	err := s.People.Set(rec.Registration.Number, f, value)
	if err != nil && !errors.Is(err, ErrNoField) {
		r.Fatalf("people set %s to %q: %v", f, value, err)
	}
	return err == nil
}

func expectField(r Reporter, s System, rec intake.Record, f PeopleField, want string) {
	r.Helper()
	have, err := s.People.Get(rec.Registration.Number, f)
	if err != nil {
		r.Fatalf("read the %s: %v", f, err)
	}
	if !same(f, have, want) {
		r.Errorf("the %s is %q, want %q", f, have, want)
	}
}

// same compares values of a field, amounts as numbers and without their currency.
func same(f PeopleField, a, b string) bool {
	if f != PeopleAmount {
		return a == b
	}
	x, bad := strconv.ParseFloat(firstWord(a), 64)
	y, worse := strconv.ParseFloat(firstWord(b), 64)
	return bad == nil && worse == nil && x == y || firstWord(a) == firstWord(b)
}

func firstWord(s string) string {
	first, _, _ := strings.Cut(s, " ")
	return first
}

// step is one of what people do to a record, and how the feed calls it.
type step struct {
	field PeopleField
	value string
	told  string
}

func steps(h Harness) []step {
	all := []step{
		{PeopleOwner, "Kim Sales", intake.ChangeOwner},
		{PeopleAmount, "250000", intake.ChangeAmount},
		{PeopleCloseDate, "2027-03-31", intake.ChangeClose},
		{PeopleNextStep, "Send the offer", intake.ChangeNextStep},
		{PeopleOwner, "Lou Sales", intake.ChangeOwner},
	}
	for _, stage := range slices.Backward(h.Stages) {
		all = append(all, step{PeopleStage, stage, intake.ChangeStage})
	}
	return append(all,
		step{PeopleOutcome, intake.DealLost, intake.ChangeStatus},
		step{PeopleOutcome, intake.DealOpen, intake.ChangeStatus},
		step{PeopleOutcome, intake.DealWon, intake.ChangeStatus},
	)
}

func feedTells(r Reporter, h Harness, s System) {
	rec, other, cursor, told := Sample(1, 1), Sample(2, 1), start(r, s), make(known)
	push(r, s, rec)
	push(r, s, other)
	changes, cursor := drain(r, s, cursor)
	told.take(changes)
	for _, step := range steps(h) {
		if !set(r, s, rec, step.field, step.value) {
			continue
		}
		changes, cursor = drain(r, s, cursor)
		news := told.take(changes)
		if have := told[rec.Registration.Number][step.told]; !same(step.field, have, step.value) {
			r.Errorf("people set the %s to %q; the feed says %q", step.field, step.value, have)
		}
		for _, c := range changes {
			if c.Own && len(changes) == 1 {
				r.Errorf("people set the %s; the feed says it was us", step.field)
			}
		}
		for _, n := range news {
			if !strings.Contains(n, rec.Registration.Number) {
				r.Errorf("people set the %s of case %s; the feed says that %s", step.field, rec.Registration.Number, n)
			}
		}
	}
}

func feedAgain(r Reporter, _ Harness, s System) {
	rec, cursor := Sample(1, 1), start(r, s)
	push(r, s, rec)
	_, cursor = drain(r, s, cursor)
	for _, name := range []string{"Kim Sales", "Lou Sales", "Mo Sales"} {
		if !set(r, s, rec, PeopleOwner, name) {
			return
		}
		for range 2 {
			told := make(known)
			changes, _ := drain(r, System{CRM: again(s).CRM}, cursor)
			told.take(changes)
			if have := told[rec.Registration.Number][intake.ChangeOwner]; have != name {
				r.Errorf("the owner is %q; the feed from before ends with %q", name, have)
			}
		}
	}
}

// noLoop pushes a further revision after each reading of the feed, as one does who takes for new
// what it tells.
func noLoop(r Reporter, h Harness, s System) {
	rec, cursor, told := Sample(1, 1), start(r, s), make(known)
	ref := push(r, s, rec)
	var wrote []int
	for round := range 7 {
		byHand := round == 3 && set(r, s, rec, PeopleOwner, "Kim Sales")
		var changes []intake.Change
		changes, cursor = drain(r, s, cursor)
		if news := told.take(changes); round > 0 && !byHand && len(news) > 0 {
			r.Errorf("after push %d of our own the feed has news: %v", round+1, news)
		}
		before := writes(s)
		rec.Registration.Revision++
		rec.Registration.CRM = map[string]intake.Ref{s.CRM.Name(): ref}
		ref = push(r, s, rec)
		wrote = append(wrote, writes(s)-before)
	}
	if last := wrote[len(wrote)-1]; last > wrote[0] || last > wrote[1] {
		r.Errorf("the number of writes grows: %v", wrote)
	}
	expect(r, h, s, rec)
}

func writes(s System) int {
	if s.Writes == nil {
		return 0
	}
	return s.Writes()
}

func dealOfPeople(r Reporter, _ Harness, s System) {
	cursor := start(r, s)
	company, err := s.People.Company("Umbrella AG", "umbrella.example")
	if err != nil {
		r.Fatalf("a company by hand: %v", err)
	}
	if _, err := s.People.Deal(company, "Umbrella direct"); err != nil {
		r.Fatalf("a deal by hand: %v", err)
	}
	changes, _ := drain(r, s, cursor)
	if !slices.ContainsFunc(changes, func(c intake.Change) bool {
		return c.Deal != nil && c.Case == "" && c.Deal.Kind == intake.MatchOpenDeal && c.Deal.Ref.ID != "" &&
			c.Account[intake.FieldCompanyDomain] == "umbrella.example"
	}) {
		r.Errorf("people made a deal with umbrella.example; the feed says %+v", changes)
	}
	if found := find(r, s, "umbrella.example", intake.MatchOpenDeal); len(found) != 1 || found[0].Case != "" {
		r.Errorf("people made one deal; the look-up finds %+v", found)
	}
	for _, domain := range []string{"notumbrella.example", "umbrella.example.com", "brella.example", "umbrella%.example"} {
		if found := find(r, s, domain, intake.MatchKinds()...); len(found) > 0 {
			r.Errorf("the look-up of %s finds %+v, which is of umbrella.example", domain, found)
		}
	}
}

// find looks a domain up, and returns what there is of the kinds.
func find(r Reporter, s System, domain string, kinds ...intake.MatchKind) []intake.Match {
	r.Helper()
	all, err := s.CRM.Lookup(context.Background(), intake.Lead{intake.FieldCompanyDomain: domain})
	if err != nil {
		r.Errorf("look up %s: %v", domain, err)
	}
	return slices.DeleteFunc(all, func(m intake.Match) bool { return !slices.Contains(kinds, m.Kind) })
}

func lookUpOwn(r Reporter, _ Harness, s System) {
	rec := Sample(1, 1)
	number, domain := rec.Registration.Number, rec.Registration.Lead[intake.FieldCompanyDomain]
	push(r, s, rec)
	if found := find(r, s, domain, intake.MatchOpenDeal); len(found) != 1 || found[0].Case != number || found[0].CRM != s.CRM.Name() {
		r.Errorf("the look-up finds the open deals %+v, want that of case %s", found, number)
	}
	if !set(r, s, rec, PeopleOutcome, intake.DealWon) {
		return
	}
	if found := find(r, s, domain, intake.MatchOpenDeal); len(found) > 0 {
		r.Errorf("the deal is won; the look-up finds it open: %+v", found)
	}
	if found := find(r, s, domain, intake.MatchCustomer); len(found) != 1 {
		r.Errorf("the deal is won; the look-up finds the customers %+v", found)
	}
}

func verify(r Reporter, _ Harness, s System) {
	v, ok := s.CRM.(intake.Verifier)
	if !ok {
		return
	}
	if lacks, err := v.Verify(context.Background()); err != nil || len(lacks) > 0 {
		r.Errorf("all is set up; what lacks is said to be %+v, %v", lacks, err)
	}
}

func compareRecords(r Reporter, _ Harness, s System) {
	c, ok := s.CRM.(intake.Comparer)
	if !ok {
		return
	}
	rec := Sample(1, 1)
	rec.Registration.CRM = map[string]intake.Ref{s.CRM.Name(): push(r, s, rec)}
	if all, err := c.Compare(context.Background(), []intake.Record{rec}); err != nil || len(all) > 0 {
		r.Errorf("the record was just pushed; the comparison says %+v, %v", all, err)
	}
	later := rec
	later.Registration.Revision += 3 // that it was pushed is noted, and that the partner was answered
	if all, err := c.Compare(context.Background(), []intake.Record{later}); err != nil || len(all) > 0 {
		r.Errorf("nothing but the revision is newer; the comparison says %+v, %v", all, err)
	}
	if !set(r, s, rec, PeopleDealName, "Named by hand") {
		return
	}
	all, err := c.Compare(context.Background(), []intake.Record{Sample(2, 1), rec})
	if err != nil {
		r.Errorf("compare: %v", err)
	}
	if !slices.ContainsFunc(all, func(d intake.Difference) bool {
		return d.Case == rec.Registration.Number && d.Field != "" && d.There == "Named by hand" && d.Stays != ""
	}) {
		r.Errorf("somebody named the deal; the comparison says %+v", all)
	}
}

func refusalNames(r Reporter, _ Harness, s System) {
	if s.Refuse == nil {
		return
	}
	field := s.Refuse()
	_, err := s.CRM.Push(context.Background(), Sample(1, 1))
	if !intake.IsPermanent(err) || !strings.Contains(err.Error(), field) {
		r.Errorf("the remote side refuses because of %q; the error is %v", field, err)
	}
	checkWords(r, s, err, "a refusal")
}
