// Package rules is the published policy: what a registration must say, who gets in whose
// way, and how long a hold lasts.
//
// Everything here is a pure function of a case and the time passed in, because judging runs
// inside the transaction that acts on the verdict. All rules are always evaluated and all
// findings kept; the most severe decides. The gates come first: they look at what the partner is
// and wrote, and while they ask for something nothing is told of others. A name alone never
// declines anybody: only a certain match, which is one by domain, acts by itself, and a list or a
// condition of the operator's own.
//
// The package refuses to look anything up. What the lists, the CRMs and the other cases say is
// in the case that it is given.
package rules
