// Package rules is the published policy: what a registration must say, who gets in whose
// way, and how long a hold lasts.
//
// Everything here is a pure function of a case and the time passed in, because judging runs
// inside the transaction that acts on the verdict. All rules are always evaluated and all
// findings kept; the most severe decides. A name alone never declines anybody: only a
// certain match, which is one by domain, acts by itself.
package rules
