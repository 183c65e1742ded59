package slackbot

import (
	"unicode/utf8"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"
)

// How much Slack shows or takes, in characters or entries. More than that is refused as a whole,
// so that all that we send is cut to it.
// https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/views
const (
	maxTitle       = 24 // of a modal, and its buttons
	maxHeader      = 150
	maxSection     = 3000
	maxFact        = 2000
	maxFacts       = 10
	maxButton      = 75
	maxButtonValue = 2000
	maxURL         = 3000
	maxActions     = 25
	maxOption      = 75
	maxOptionValue = 150
	maxLabel       = 2000
	maxHint        = 2000
	maxPlaceholder = 150
	maxInput       = 3000
	maxMetadata    = 3000
	maxID          = 255
	maxBlocks      = 50 // of a message
	maxViewBlocks  = 100
	maxText        = 4000 // of a message without blocks; more than 40000 is cut off
	maxError       = 2000
)

// clip cuts a text to n characters, and shows that it did.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// cut cuts a text to n characters without a sign: it is a value.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// plain is a text object in which nothing is markup: no mention, no link, no emoji. An empty one
// is refused by Slack.
func plain(s string, n int) *slack.TextBlockObject {
	if s == "" {
		s = "–"
	}
	emoji := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: clip(s, n), Emoji: &emoji}
}

// escaped is a text for places where Slack reads markup: the text of a message beside its blocks.
func escaped(s string) string { return slackutilsx.EscapeMessage(clip(s, maxText)) }
