// Package teamsbot is the channel in Microsoft Teams: a bot, and a message extension, of which
// both open the same form. Partners reach it in a personal chat, in a group, and in a channel by
// naming it; nobody needs an account with us.
//
//	register                                        the form
//	register Acme acme.com Jane Doe jane@acme.com   the form with what is known
//	status LG-2026-000123-K, list, help             and what can be written in a mail: EXTEND …
//
// The form is an Adaptive Card. It is checked here once more, stays with all that was typed while
// something is wrong, and gives way to the case once that is stored. The card then shows how the
// case stands, for good; what happens is said below it.
//
// # Whose registration it is
//
// The Entra tenant of who writes says it, if it is in the directory (teams_tenant of a partner),
// and Teams itself vouches for it: not the tenant of the conversation, in which people of others
// may be, and not a guest account. Tenants that are neither ours, nor a partner's, nor listed are
// refused. Who is let in and is nobody's types his address into the form, which counts once the
// link that is mailed there has confirmed it. If tenant and address are of two partners, staff
// decide.
//
// # Who reads what
//
// In a channel and in a group others read along. What was declined, asked, or only concerns the
// person is sent to the personal chat with him, else by mail; the card in the channel then says no
// more than that he was told. Lists are shown in personal chats alone.
//
// # Set-up: Microsoft
//
//  1. Entra admin center > App registrations > New registration: single tenant. Note the
//     Application (client) ID and the Directory (tenant) ID. Under Certificates & secrets make a
//     client secret. To let partners' tenants install the app, set the supported account types to
//     "any organizational directory".
//  2. Azure portal > Create a resource > Azure Bot: type of app Single Tenant, with these ids. Under
//     Configuration set the messaging endpoint to https://YOUR-PAGES/teams/messages. Under Channels
//     add Microsoft Teams.
//  3. Here: teams.app_id, teams.tenant, teams.secret_file. Try it: leadgate verify teams.
//  4. leadgate teams-app --out app.zip writes the app package. Upload it in the Teams admin center
//     (Teams apps > Manage apps), and give it to partners, whose administrators do the same.
//  5. Put the tenant of each partner into the directory: teams_tenant.
//
// No permission of Microsoft Graph is needed. The bot asks the Bot Connector service alone, and
// there for the members of conversations that it is in.
//
// # What happens on failure
//
// A form is taken in before the card says so; until then it stands there with all that was typed.
// If the service does not take an answer, it is tried again by the queue of messages, after the time
// that the service names. If the bot was removed, answers go by mail. If the keys of Microsoft can't
// be fetched, those that are known are used for five days.
//
// A message is not sent twice on purpose; if the answer to a call is lost, it may be.
package teamsbot
