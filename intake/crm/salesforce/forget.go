package salesforce

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// maxSteps is how many requests a composite call takes.
const maxSteps = 25

// taskSubject begins that of the tasks that we make.
const taskSubject = "Partner: "

// forget takes what a partner wrote out of the timeline of a case, and out of the tasks that we made
// of it. That something came, and when, stays.
func (s *Salesforce) forget(ctx context.Context, number, deal string) error {
	for range 10 {
		var events, tasks []record
		out := map[string]*[]record{"event": &events}
		queries := []step{s.query("event", bind("SELECT Id FROM Partner_Registration_Event__c WHERE Registration__r.Case_Number__c = ? AND Sender__c != null LIMIT 200", number))}
		if isID(deal) {
			out["task"] = &tasks
			queries = append(queries, s.query("task", bind("SELECT Id, CreatedById FROM Task WHERE WhatId IN ? AND Subject LIKE '?%' LIMIT 200", ids{deal}, like(taskSubject))))
		}
		if _, err := s.read(ctx, out, queries...); err != nil {
			return err
		}
		var steps []step
		clear := func(object string, rows []record, body map[string]any) {
			for _, row := range rows {
				id := row.text("Id")
				if by := row.text("CreatedById"); isID(id) && (by == "" || sameID(by, s.session.Load().user)) {
					steps = append(steps, step{Method: http.MethodPatch, URL: s.path("sobjects/" + object + "/" + id), Ref: "x" + id, object: object, Body: body})
				}
			}
		}
		clear(objEvent, events, map[string]any{"Sender__c": nil, "Subject__c": nil, "Body__c": nil})
		clear("Task", tasks, map[string]any{"Subject": "Partner", "Description": nil})
		if len(steps) == 0 {
			return nil
		}
		for part := range slices.Chunk(steps, maxSteps) {
			if _, _, err := s.composite(ctx, part); err != nil {
				return err
			}
		}
	}
	return errors.New("there is more of it than can be taken away at once")
}
