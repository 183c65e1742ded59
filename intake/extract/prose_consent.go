package extract

import (
	"strings"

	"leadgate/intake"
)

// readConsent reads a sentence that says that the prospect agreed, or did not. What is only
// asked for, hoped, under a condition or said of somebody else is neither: a consent that was
// not given is the worst that can be read.
func (p *prose) readConsent(m *mail, s *sentence, out candidates) {
	yes, no := proseWords().kind("consent", "yes"), proseWords().kind("consent", "no")
	switch {
	case no.in(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentNo, .9, out)
	case s.region == forwarded && invites(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case asks(s):
	case given(s, yes):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case consents(s), expects(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, scoreLikely+.05, out)
	}
}

// given reports whether a sentence has a phrase that is a consent by itself.
func given(s *sentence, of *phrases) bool {
	at, n, ok := of.find(s, 0)
	return ok && !denied(s, of) && !doubtful(s, of, at, n)
}

// doubtful reports whether what a phrase of n words at word i says is under a condition, still
// to come, or of somebody else than the prospect.
func doubtful(s *sentence, of *phrases, i, n int) bool {
	return unsure(s, of) || reserved(s, of) || proseWords().of("pending").in(s) || ofSelf(s, i, n) || ofOthers(s, i, n)
}

// invites reports whether the prospect, whose own words these are, wants to be called by the
// vendor or lets the partner pass on how.
func invites(s *sentence) bool {
	d := proseWords()
	callme, may := d.of("callme"), d.of("may")
	if callme.in(s) && d.of("vendor").in(s) && !unsure(s, callme) && !denied(s, callme) {
		return true
	}
	at, n, ok := may.find(s, 0)
	by, _, mine := d.of("mydata").find(s, 0)
	return ok && mine && by >= at+n && !unsure(s, may) && !denied(s, may) && !asks(s)
}

// agrees reports whether a sentence is about a consent: it has a word of agreeing and one of
// being reached, and none that puts it in doubt. Whose consent it is to what is no matter here.
func agrees(s *sentence) bool {
	agree, reach := proseWords().of("agree"), proseWords().of("reach")
	at, n, ok := agree.find(s, 0)
	if !ok || !reach.in(s) || asks(s) || unsure(s, agree) || negated(s, agree) || reserved(s, agree) {
		return false
	}
	if by, _, _ := reach.find(s, 0); by >= at && by < at+n {
		if _, _, again := reach.find(s, at+n); !again {
			return false // one phrase that is both
		}
	}
	return proseWords().of("self").at(s, 0) == 0 || at >= 5
}

// consents reports whether a sentence has a word of agreeing and near it one of being reached,
// of a third person and without a doubt.
func consents(s *sentence) bool {
	d := proseWords()
	agree := d.of("agree")
	at, n, ok := agree.find(s, 0)
	if !ok || negated(s, agree) || doubtful(s, agree, at, n) {
		return false
	}
	if d.of("self").at(s, 0) > 0 && at < 5 && !leaves(s, at) {
		return false // the sender agrees
	}
	if d.of("gladly").at(s, at) > 0 && !ofThird(s, at) && !says(s, at) {
		return false // "call her gladly", "gerne melden wir"
	}
	return reaches(s, at+n, at+n+reachBehind) || reaches(s, at-reachBefore, at)
}

// spokenTo reports whether a sentence has a word for its reader, or one of passing something on.
func spokenTo(s *sentence) bool {
	return proseWords().of("addressee").in(s) || proseWords().of("share").in(s)
}

// How many words may stand between agreeing and being reached.
const (
	reachBefore = 9
	reachBehind = 8
)

// reaches reports whether the words from one to another speak of reaching the prospect.
func reaches(s *sentence, from, to int) bool {
	d := proseWords()
	for i := max(0, from); i < min(to, len(s.keys)); i++ {
		n := d.of("reach").at(s, i)
		switch {
		case n == 0, d.of("noreach").at(s, i) > 0: // "contact details below"
		case i > 1 && d.of("i").at(s, i-1) > 0 && (s.keys[i-1] != "i" || s.keys[i-2] == "that"): // "that I contact you"; a Danish "I" is you
		case d.of("data").at(s, i) == 0 || spokenTo(s):
			return true
		}
	}
	return false
}

// calls reports whether one of the words from one to another is a verb of reaching somebody.
func calls(s *sentence, from, to int) bool {
	d := proseWords()
	for i := max(0, from); i < min(to, len(s.keys)); i++ {
		if d.of("reach").at(s, i) > 0 && d.of("data").at(s, i) == 0 && d.of("share").at(s, i) == 0 && d.of("noreach").at(s, i) == 0 {
			return true
		}
	}
	return false
}

// expects reports whether the prospect, of whom a sentence speaks, knows that you will call or
// wants you to.
func expects(s *sentence) bool {
	d := proseWords()
	for _, kind := range []string{"wishes", "knows"} {
		of, call := d.of(kind), d.of("youcall")
		at, n, ok := of.find(s, 0)
		if !ok || negated(s, of) || doubtful(s, of, at, n) {
			continue
		}
		if by, _, ok := call.find(s, at+n); ok && by <= at+n+reachBehind || kind == "wishes" && fits(s, "becalled", at+n) {
			return true
		}
	}
	return false
}

// fits reports whether a phrase of a kind stands soon behind word i.
func fits(s *sentence, kind string, i int) bool {
	at, _, ok := proseWords().of(kind).find(s, i)
	return ok && at <= i+reachBehind/2
}

// ofSelf reports whether the subject of what stands at word i is the writer: "I am happy",
// "wir sind einverstanden"; or that it is he who is reached: "gern können Sie mich anrufen".
// What he has from the prospect is no word of his own: "I have her permission", "I cleared it
// with her".
func ofSelf(s *sentence, i, n int) bool {
	d := proseWords()
	if s.region == forwarded {
		return false
	}
	for j := range s.keys {
		if d.of("me").at(s, j) > 0 && reachesMe(s, j) && !says(s, j) {
			return true
		}
	}
	for j := i; j < i+n; j++ {
		if d.of("they").at(s, j) > 0 {
			return false
		}
	}
	for j := i; j >= 0 && j > i-6; j-- {
		if j < i && (!s.words[j].soft || isAnd(s.keys[j]) && s.keys[j] != "i" || d.of("they").at(s, j) > 0) {
			return false
		}
		if d.of("i").at(s, j) > 0 {
			return !(d.of("leave").at(s, i) > 0 || d.of("got").at(s, j+1) > 0 && leaves(s, i))
		}
	}
	return false
}

// reachesMe reports whether a "me" at word i is who is called: "call me", "talk to us", "mich
// anrufen", but not "they called us".
func reachesMe(s *sentence, i int) bool {
	verb := i - 1
	if verb > 0 && toWhom[s.keys[verb]] {
		verb--
	}
	return calls(s, verb, verb+1) && proseWords().of("they").at(s, verb-1) == 0 || calls(s, i+1, i+3)
}

// toWhom are words between a verb and a "me".
var toWhom = set("to with mit bei con avec met com z med")

// leaves reports whether one of the four words from word i on is a permission.
func leaves(s *sentence, i int) bool {
	for j := i; j < i+4; j++ {
		if proseWords().of("leave").at(s, j) > 0 {
			return true
		}
	}
	return false
}

// says reports whether words of saying stand before word i: what follows is another's speech.
func says(s *sentence, i int) bool {
	at, _, ok := proseWords().of("said").find(s, 0)
	return ok && at < i
}

// ofOthers reports whether the n words at word i are said of somebody else than the prospect:
// words before them, back to the last mark, name his customers or the writer's colleagues, or
// words soon behind them do.
func ofOthers(s *sentence, i, n int) bool {
	d := proseWords()
	for j := i + n; j < min(i+n+reachBehind, len(s.keys)); j++ {
		if d.of("others").at(s, j) > 0 {
			return true
		}
	}
	for j := i - 1; j >= 0 && (j+1 == i || s.words[j].soft); j-- {
		if d.of("others").at(s, j) > 0 {
			return true
		}
		if d.of("my").at(s, j) > 0 && (isRole(s.keys[j+1]) && !lonely[s.keys[j+1]] || d.of("colleague").at(s, j+1) > 0) {
			return true
		}
	}
	return false
}

// ofThird reports whether one of the words before word i is a "she" or a name.
func ofThird(s *sentence, i int) bool {
	for j := i - 1; j >= 0 && j > i-7; j-- {
		if proseWords().of("they").at(s, j) > 0 || j > 0 && nameWord(&s.words[j]) {
			return true
		}
	}
	return false
}

// reserved reports whether a sentence takes back behind a phrase what the phrase says: "you
// may call her once I have asked".
func reserved(s *sentence, of *phrases) bool {
	at, n, _ := of.find(s, 0)
	_, _, ok := proseWords().of("reserve").find(s, at+n)
	return ok
}

// negated reports whether a sentence has a "not" outside of a phrase of agreeing like "no
// objection".
func negated(s *sentence, agree *phrases) bool {
	for i := 0; i < len(s.keys); i++ {
		if n := agree.at(s, i); n > 1 {
			i += n - 1
			continue
		}
		if denials[s.keys[i]] || strings.HasSuffix(s.words[i].text, "n't") || strings.HasSuffix(s.words[i].text, "n’t") {
			return true
		}
	}
	return false
}
