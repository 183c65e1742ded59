package chat

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
	"leadgate/intake/command"
)

// Wish is what somebody wants who typed a line.
type Wish string

// The wishes.
const (
	WishRegister Wish = "register" // the form, with Line.Lead in it
	WishList     Wish = "list"     // the partner's own cases
	WishCommand  Wish = "command"  // Line.Command
)

// Wishes is the full set.
func Wishes() []Wish { return []Wish{WishRegister, WishList, WishCommand} }

// Line is a line as it was understood.
type Line struct {
	Wish Wish
	// Command is what is asked for in a word, as in mail.
	Command intake.Command
	// Lead is what a registration begins with. It carries no consent: nobody gives that in a line.
	Lead intake.Lead
}

// The words before a registration, and for the list, in the languages that there are.
var (
	registerWords = []string{"register", "registrieren", "anmelden"}
	listWords     = []string{"list", "liste"}
)

// maxLine bounds what is read of a line, in runes.
const maxLine = 4000

// Read reads a line: a command ("status LG-2026-000123-K", "help"), "list", or a registration such
// as "Acme acme.com Jane Doe jane@acme.com", with the word "register" before it or not. In the
// last, what stands in quotation marks is one word; the domain is the last one before the e-mail
// address, the company stands before it and the contact behind it. What can't be read so comes
// back whole as intake.FieldProblem, for the person to sort it out in the form.
func Read(text string) Line {
	text = clip(strings.TrimSpace(Unwrap(text)), maxLine)
	if first, _, _ := strings.Cut(text, "\n"); is(strings.TrimSpace(first), listWords) {
		return Line{Wish: WishList}
	}
	if found := command.Parse(text); len(found) > 0 && plain(found[0]) {
		return Line{Wish: WishCommand, Command: found[0]}
	}
	first, rest, _ := strings.Cut(text, " ")
	if is(strings.TrimRight(first, ":,"), registerWords) {
		text = strings.TrimSpace(rest)
	}
	return Line{Wish: WishRegister, Lead: readLead(text)}
}

// plain reports whether c is no name that only begins like a command: "STATUS AG status.example".
func plain(c intake.Command) bool {
	switch c.Verb {
	case intake.VerbStatus, intake.VerbHelp, intake.VerbRules:
		return c.Words == ""
	}
	return true
}

func is(word string, words []string) bool {
	for _, w := range words {
		if strings.EqualFold(word, w) {
			return true
		}
	}
	return false
}

// domainLike is a host, or an address of the web.
var domainLike = regexp.MustCompile(`^(?:https?://)?(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}[\p{L}\p{N}-]+(?:[/:?#]\S*)?$`)

func readLead(text string) intake.Lead {
	lead := make(intake.Lead)
	all := words(text)
	mail, domain := len(all), -1
	for i, w := range all {
		if at := strings.IndexByte(w.text, '@'); at > 0 && at < len(w.text)-1 && !strings.ContainsFunc(w.text, unicode.IsSpace) {
			mail = i
			break
		}
	}
	for i, w := range all[:mail] {
		if domainLike.MatchString(w.text) && !w.quoted {
			domain = i
		}
	}
	found := func(f intake.Field, of []word) {
		if v := join(of); v != "" {
			lead[f] = v
		}
	}
	if mail < len(all) {
		lead[intake.FieldContactEmail] = strings.Trim(all[mail].text, "<>()[],;")
	}
	switch {
	case domain >= 0:
		found(intake.FieldCompanyName, all[:domain])
		lead[intake.FieldCompanyDomain] = all[domain].text
		found(intake.FieldContactName, all[domain+1:mail])
	case len(all) > 0 && all[0].quoted && mail > 0:
		found(intake.FieldCompanyName, all[:1])
		found(intake.FieldContactName, all[1:mail])
	case text != "" && (mail == len(all) || mail > 0):
		found(intake.FieldProblem, []word{{text: text}}) // whose name is whose can't be told
		return lead
	}
	if mail < len(all) {
		found(intake.FieldProblem, all[mail+1:])
	}
	return lead
}

// word is one of a line; one in quotation marks may have spaces.
type word struct {
	text   string
	quoted bool
}

func join(all []word) string {
	var b []string
	for _, w := range all {
		b = append(b, w.text)
	}
	return strings.Trim(strings.Join(b, " "), " ,;")
}

// quotes are marks that open a quotation, and those that may close it. One within a word is part
// of it: O'Neill.
var quotes = map[rune]string{'"': `"“”`, '“': `”"“`, '„': `“”"`, '«': "»", '»': "«", '‘': "’'", '\'': "'’", '‚': "‘’'"}

func words(text string) (all []word) {
	rest := []rune(text)
	for len(rest) > 0 {
		if unicode.IsSpace(rest[0]) || rest[0] == ',' && (len(rest) == 1 || unicode.IsSpace(rest[1])) {
			rest = rest[1:]
			continue
		}
		if closing, ok := quotes[rest[0]]; ok {
			if n := closes(rest[1:], closing); n > 0 {
				if inner := strings.Join(strings.Fields(string(rest[1:1+n])), " "); inner != "" {
					all = append(all, word{text: inner, quoted: true})
				}
				rest = rest[n+2:]
				continue
			}
		}
		n := 0
		for n < len(rest) && !unicode.IsSpace(rest[n]) {
			n++
		}
		if w := strings.TrimRight(string(rest[:n]), ",;"); w != "" {
			all = append(all, word{text: w})
		}
		rest = rest[n:]
	}
	return all
}

// closes is where a quotation ends: at a mark with a space, a comma or nothing behind it; 0 if
// it does not.
func closes(r []rune, marks string) int {
	for i, c := range r {
		if strings.ContainsRune(marks, c) && (i+1 == len(r) || unicode.IsSpace(r[i+1]) || strings.ContainsRune(",;", r[i+1])) {
			return i
		}
	}
	return 0
}

// Links as Slack sends them: <mailto:a@b.c|a@b.c>, <http://b.c|b.c>, <https://b.c>, and what names
// a person or a channel: <@U024BE7LH|jane>, <#C024BE7LR|general>, <!here>.
// https://docs.slack.dev/messaging/formatting-message-text
var wrapped = regexp.MustCompile(`<([^<>|\s]+)(?:\|([^<>]*))?>`)

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// Unwrap takes the marks off links and the escapes off characters. A link is what it shows, unless
// that is not the address that it leads to; people and channels are left out.
func Unwrap(text string) string {
	text = wrapped.ReplaceAllStringFunc(text, func(s string) string {
		m := wrapped.FindStringSubmatch(s)
		target, shown := m[1], m[2]
		switch target[0] {
		case '@', '#', '!':
			return ""
		}
		address, isMail := strings.CutPrefix(target, "mailto:")
		if shown != "" && (isMail && strings.EqualFold(shown, address) || !isMail && strings.EqualFold(bare(shown), bare(target))) {
			return shown
		}
		return address
	})
	return entities.Replace(text)
}

// bare is an address of the web without its scheme and its last slash.
func bare(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	return strings.TrimSuffix(rest, "/")
}

// clip returns the first n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
