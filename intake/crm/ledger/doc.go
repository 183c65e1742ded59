// Package ledger is the system of record that comes with Leadgate, for those who have no
// CRM yet or do not want one more system to keep: it holds every registration that was
// pushed to it, with a history, in the store that the cases live in too.
//
// It owns six record spaces and nothing else; their keys are:
//
//	ledger         <case>              the Entry
//	ledger_note    <case>/<event>      a Note, once for each event
//	ledger_push    <case>/<sequence>   a Step, one for each push that changed something
//	ledger_feed    <sequence>          the case that step is of, in the order of pushing
//	ledger_domain  <domain>/<case>     which cases are about a company
//	ledger_order   <counting down>     the case, newest first, for lists
//
// People cannot edit it: what changes here was pushed. There is no network and nothing to
// set up. Its errors are those of the store, and are retried.
//
// Personal data stands in Entry alone, so that the push of an erased case erases it here.
package ledger
