package app

import (
	"strings"
	"testing"

	"leadgate/intake"
)

func TestThePageOfAListThatWasErasedSaysSoWhereverItsLinksLead(t *testing.T) {
	o := openLists(t)
	page := o.offered("brightpath", "a.csv", leads(3, 0))
	o.comesTo(page, "checked")
	o.says(page, "start", "previewed")
	o.comesTo(page, "done")
	rows, err := o.app.gateway.RowOutcomes(t.Context(), o.importAt(page).ID, 0, 10)
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	if _, err := o.app.gateway.Erase(t.Context(), rows[1].Case, intake.Verdict{By: "mia", Rationale: "the contact asked for it"}); err != nil {
		t.Fatal(err)
	}
	resp, body := o.look(plainPath(page) + "/result.csv")
	o.want("its result", resp, body, 303)
	if at := resp.Header.Get("Location"); !strings.Contains(at, plainPath(page)) {
		t.Errorf("it leads to %s", at)
	}
	resp, body = o.look(page)
	o.want("its page", resp, body, 200, "This file was deleted")
	again := o.offered("brightpath", "a.csv", leads(3, 0))
	o.comesTo(again, "checked")
	resp, body = o.look(again)
	o.want("the same list again", resp, body, 200, "You had sent this list before")
	o.says(again, "start", "previewed")
	o.comesTo(again, "done")
	if n := o.importAt(again).Counts; n.Accepted != 1 || n.Unchanged != 2 {
		t.Errorf("%+v", n)
	}
}

func TestThePageOfAListTellsWhatWasDecided(t *testing.T) {
	o := openLists(t)
	page := o.offered("brightpath", "a.csv", leads(3, 0))
	o.comesTo(page, "checked")
	o.says(page, "start", "previewed")
	o.comesTo(page, "done")
	o.until("its cases are judged", func() bool { return o.importAt(page).Decided != nil })
	d := o.importAt(page).Decided
	word := "Approved"
	if d.Approved == 0 {
		word = "In review"
	}
	resp, body := o.look(page)
	o.want("the page", resp, body, 200, "How the cases stood", word, ">3")
}
