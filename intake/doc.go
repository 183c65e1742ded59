// Package intake is the product: it takes registrations that partners send through any
// channel, gives each a case number, decides it by the published policy, forwards it to
// the systems of record and keeps the partner posted.
//
// It owns the domain types, the contracts that adapters fulfil (Store, Channel repliers,
// CRM, Policy) and every state change. It names no channel, no CRM and no store, reads no
// configuration and imports nothing but the standard library and its own identity package.
//
// A submission's walk, where each ● is one transaction:
//
//	Accept   ● known source → first receipt; else case, event, check task
//	         (only now the channel acknowledges its source)
//	check      ask the CRMs, without a transaction
//	decide   ● judge the case among its rivals, move it, enqueue push and notify
//	push       upsert into the CRM ● keep the reference
//	notify     answer through the channel the partner used ● keep the thread
package intake
