// Package meetings is the channel of "book a discovery" at HubSpot: a form that leads to a
// booking page, read by us, for HubSpot has no webhook for submissions of forms, and its booking
// pages pass no hidden fields on.
//
// # Set-up on the remote side
//
//  1. Settings > Properties: make the contact properties leadgate_partner_id and
//     leadgate_program, single-line texts.
//  2. Marketing > Forms: make a form that asks for company, first and last name, e-mail, website
//     and message, and holds the two properties as hidden fields. After it is sent, have it lead
//     on to the booking page.
//  3. Settings > Integrations > Private apps: make an app with the scope "forms". Its token goes
//     into token, the form's id, the last part of its address in HubSpot, into form.
//  4. Give each partner the address of the form's page with
//     ?leadgate_partner_id=REFERENCE&leadgate_program=PROGRAM. `leadgate partners reference`
//     prints the reference. What is not signed is a claim, and the case waits for staff.
//
// # What is read
//
// GET /form-integrations/v1/submissions/forms/{id}, newest first, every minute: pages until one
// has nothing that is newer than what was read a quarter of an hour before the last known one, at
// most 20 without a rest. HubSpot keeps this interface until September 2027. A submission is
// known by its conversionId or, without one, by its time and its address. It claims as of the
// time at which HubSpot got it.
//
// # What happens on failure
//
// How far the form was read is kept in the store once all before it is stored. An error of the
// network or of HubSpot is tried again after 1 s, 2 s … 5 min, or later if HubSpot asks for that;
// a token that is not good, or a form that there is not, after a quarter of an hour, and Health
// says that a person must act. A submission that can't be read is set aside and the rest goes on.
// Answers go by mail, to the partner.
package meetings
