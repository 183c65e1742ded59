// Package tryton is the connector to Tryton, version 6.0 with the module sale_opportunity, over
// JSON-RPC (https://docs.tryton.org/6.0/server/).
//
// # What is where
//
//   - A case is a sale opportunity. Its reference is the case number.
//   - The company is a party. One that has a website or an e-mail address of the domain is adopted
//     and keeps its name and all else; one that is made gets the domain as its code, which is
//     unique in Tryton.
//   - The contact is an e-mail address of that party, with the name beside it, and a phone number.
//   - What is the case's own (status, revision, partner, protection, what the partner wrote) stands
//     in one note of the opportunity, its sheet, and each event in a note of its own. Nothing of it
//     is in the comment: Tryton copies that to the sale and prints it.
//   - The amount is written for deals, if it is in the currency of the company.
//
// Description, party, contact and amount are filled where they are empty. They follow the case for
// as long as there is what we wrote last, and are left alone from when somebody changed or emptied
// them. Owner, state and end date belong to people.
//
// # Set-up
//
// A user of its own, with the groups "Sale Opportunity" and "Sales", a company and, if new
// opportunities are to have an owner, an employee. Tryton has no scopes and no webhooks: the change
// feed is read by the time of the last change, two minutes back each time, for what was committed
// late.
//
// # What goes wrong
//
// What Tryton says of a value that it does not take is permanent, and told in its own words, in
// English. A change that somebody made at the same moment is retried. A session that ran out is
// opened again once; a user who is not let in pauses all work.
//
// # Two writers
//
// The reference is not unique in Tryton. Cases are worked on one at a time here. Where two
// processes push one case at the same moment, both may make an opportunity: after it made one, each
// looks again, and who sees more than one takes away all but the oldest, if nobody worked on them;
// so does every later push. Of two that commit one after the other the later sees both, so one is
// left. Where people worked on a second one, the push is refused and says which they are: take the
// reference from one of them. A copy that somebody made of an opportunity is none of ours and is
// left alone. A note of an event can come twice in that moment, and stays.
package tryton
