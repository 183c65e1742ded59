// Package command reads what partners ask for in a word: STATUS, WITHDRAW, EXTEND, APPEAL,
// HELP, RULES, AGREE, DIGEST, each with a case number or a reason if they like. The grammar is the same in every
// channel. It only reads; what a command does is decided by the gateway.
package command

import (
	"regexp"
	"strings"

	"leadgate/intake"
)

// maxCommands bounds the commands of one text, maxWords the runes of a reason.
const (
	maxCommands = 10
	maxWords    = 500
)

// marks may stand around a word.
const marks = ".:!,/*"

// verbs are the words in their languages. Words that also begin sentences count only in
// capital letters.
var verbs = map[string]intake.Verb{
	"status":   intake.VerbStatus,
	"withdraw": intake.VerbWithdraw, "cancel": intake.VerbWithdraw, "zurückziehen": intake.VerbWithdraw, "zurueckziehen": intake.VerbWithdraw,
	"extend": intake.VerbExtend, "verlängern": intake.VerbExtend, "verlaengern": intake.VerbExtend,
	"appeal": intake.VerbAppeal, "einspruch": intake.VerbAppeal,
	"help": intake.VerbHelp, "hilfe": intake.VerbHelp,
	"rules": intake.VerbRules, "regeln": intake.VerbRules,
	"agree": intake.VerbAgree, "zustimmen": intake.VerbAgree,
	"digest": intake.VerbDigest, "überblick": intake.VerbDigest, "ueberblick": intake.VerbDigest,
}

// switches are the words that switch something off or on.
var switches = map[string]string{
	"off": intake.DigestOff, "aus": intake.DigestOff, "on": intake.DigestOn, "an": intake.DigestOn, "ein": intake.DigestOn,
}

// caseNumber is what a case number looks like; the gateway checks it.
var caseNumber = regexp.MustCompile(`(?i)^#?\[?([A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z])\]?$`)

// version is what stands for a version of the rules.
var version = regexp.MustCompile(`^[^\s]{0,40}[0-9][^\s]{0,40}$`)

// Parse returns the commands that a text consists of. A line is a command if its first word
// is a verb and
//
//   - nothing or only a case number follows: "status LG-2026-000123-K", or
//   - the verb is in capitals: "EXTEND meeting moved to May", or
//   - it agrees to a version, one word with a digit: "agree 2026-11", or
//   - it switches the digest: "digest off".
//
// So that no sentence is taken for one, commands stand before any other text: the first line
// that is neither blank, a greeting nor a command ends them.
func Parse(text string) []intake.Command {
	var out []intake.Command
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || greeting(line) {
			continue
		}
		c, ok := parseLine(line)
		if !ok || len(out) == maxCommands {
			break
		}
		out = append(out, c)
	}
	return out
}

// Subject returns the command that the title of a message without a text consists of: a verb
// with a case number before or behind it. What goes on in words is a title, unless it is the
// reason of an extension or an appeal, the version of the rules that is agreed to, or a switch.
func Subject(title string) []intake.Command {
	number, rest := leadingNumber(title)
	if strings.TrimSpace(rest) == "" {
		return nil
	}
	c, ok := parseLine(rest)
	if !ok || c.Words != "" && c.Verb != intake.VerbExtend && c.Verb != intake.VerbAppeal && c.Verb != intake.VerbAgree && !switched(c) {
		return nil
	}
	if c.Case == "" {
		c.Case = number
	}
	return []intake.Command{c}
}

// greeting reports whether a line is a short address like "Hi Mia,".
func greeting(line string) bool {
	return len(line) <= 60 && strings.HasSuffix(line, ",") && len(strings.Fields(line)) <= 5
}

func parseLine(line string) (intake.Command, bool) {
	words := strings.Fields(line)
	first := strings.Trim(words[0], marks)
	verb, ok := verbs[strings.ToLower(first)]
	if !ok {
		return intake.Command{}, false
	}
	c := intake.Command{Verb: verb}
	rest := words[1:]
	if len(rest) > 0 {
		if m := caseNumber.FindStringSubmatch(strings.Trim(rest[0], ".:,;()")); m != nil {
			c.Case, rest = strings.ToUpper(m[1]), rest[1:]
		}
	}
	c.Words = clip(strings.TrimLeft(strings.Join(rest, " "), "-–—: "), maxWords)
	if to := switches[strings.ToLower(strings.Trim(c.Words, marks))]; verb == intake.VerbDigest && to != "" {
		c.Words = to
	}
	capitals := len(first) > 1 && first == strings.ToUpper(first)
	return c, c.Words == "" || capitals || verb == intake.VerbAgree && version.MatchString(c.Words) || switched(c)
}

// switched reports whether c switches the digest, and says how.
func switched(c intake.Command) bool {
	return c.Verb == intake.VerbDigest && (c.Words == intake.DigestOff || c.Words == intake.DigestOn)
}

// yes are the words of agreeing in the languages that partners write.
var yes = map[string]bool{
	"yes": true, "ja": true, "oui": true, "si": true, "sí": true, "sì": true, "sim": true, "tak": true, "ano": true,
	"kyllä": true, "evet": true, "da": true, "igen": true, "confirm": true, "はい": true,
}

// Agrees reports whether a text is a plain yes: a word of agreeing alone on its first line
// that is no greeting, or in capitals before others.
func Agrees(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || greeting(line) && !yes[strings.ToLower(strings.Trim(line, marks))] {
			continue
		}
		words := strings.Fields(line)
		first := strings.Trim(words[0], marks)
		return yes[strings.ToLower(first)] && (len(words) == 1 || len(first) > 1 && first == strings.ToUpper(first))
	}
	return false
}

func clip(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}
