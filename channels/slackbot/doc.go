// Package slackbot is the channel Slack: partners register by a slash command, by a button, or by
// a mention of the app, and read in Slack how it goes on. It works in the vendor's own workspace,
// in channels shared with partners by Slack Connect, and in partners' workspaces that have
// installed the app.
//
// # Set-up
//
//  1. Create an app from examples/slack/manifest.yaml at https://api.slack.com/apps; put the
//     address of your pages in the place of partners.northwind.example.
//  2. Install it in your workspace. Put "Bot User OAuth Token" into slack.bot_token and "Signing
//     Secret" into slack.signing_secret. For Socket Mode make an app-level token with
//     connections:write, put it into slack.app_token, and set slack.mode to socket.
//  3. Invite the app to each channel that you share with a partner, and put the ids of the
//     partner's workspace and of the channel into the list of partners (slack_team,
//     slack_channel). The id of a channel is at the end of its details.
//  4. Run "leadgate verify slack". Mention the app with the word "button" in a shared channel,
//     and pin what it posts: people of other workspaces can't use your slash command there, but
//     they can use the button.
//
// Scopes: commands, chat:write, app_mentions:read, users:read, users:read.email, channels:read,
// groups:read, im:write, im:history. With channels:history and groups:history, and the events
// message.channels and message.groups, replies in the thread of a card are read without a mention.
// Token rotation stays off: tokens are kept as they were given.
//
// # For whom somebody speaks
//
// The channel counts first, as staff have set it, then the workspace of the person, then the
// e-mail address in his profile, but only in the vendor's own workspace and if Slack has
// confirmed it: what the profile of another workspace says is up to its administrator. If two of
// them name different partners, a person decides: nothing is approved by itself. If none names
// one, the form asks for the work e-mail address, and a link goes there to confirm.
//
// # What is told where
//
// A case has one card, changed in place, and each change is told once more in its thread. A card
// in a channel that others read says nothing of a refusal, and nothing of what was asked: that
// goes to the person by direct message, or else is shown to him alone. A card that can't be posted
// in the channel goes to a direct message, and then once to the address for answers that came
// with the registration. Where the app was removed, answers go by mail.
//
// # Failures
//
// What Slack sends is answered only once it is stored; a form whose answers can't be stored stays
// open and says so. Slack asks for an answer within three seconds: a form that opens too late is
// told of with the address of the public form. If Slack refuses the token or can't be reached,
// the channel is down, which staff are told of, and answers wait; a request to go slower holds up
// one channel alone.
package slackbot
