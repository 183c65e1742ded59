// Package mailbox is the e-mail channel. A mailbox takes registrations in by IMAP, or by
// direct delivery over SMTP or LMTP, or both, and answers by SMTP or into a directory.
//
// # Set-up on the remote side
//
// IMAP: one account for the address that partners write to, with permission to create
// folders. Every message that was taken in is filed in the processed folder, or in the
// aside folder if it is no registration; what lies in the inbox is still to be done. If the
// server can move neither with MOVE (RFC 6851) nor with UIDPLUS (RFC 4315), messages stay
// where they are and are marked with a keyword. We log in with a password, or with tokens
// (XOAUTH2, OAUTHBEARER) where the provider takes no passwords. Never without protection to
// another machine: a wrong certificate, or STARTTLS that was taken away, ends the attempt
// before anything secret is sent.
//
// A junk folder can be read as well; what lies there is taken in, never answered, and left
// where it is, marked. Answers can be copied to a sent folder.
//
// Direct delivery: the mail server hands messages over with its LMTP or SMTP transport. It
// is told "accepted" only after the message is stored, and keeps it in its queue otherwise.
//
// # Proof of the sender
//
// The From of a mail is a claim. What proves it is set in sender_proof: the result of the
// border mail server's own check (authentication-results), the network that a message was
// delivered from (trusted-networks), or nothing (none), which believes From as written.
//
// # What is answered
//
// Mail of people. Bounces, complaints, receipts, answering machines, our own mail and mail of
// which nobody can say who wrote it are set aside. Programs, lists and senders whom nobody can
// answer are taken in without an answer if a registration stands in their mail in a form, and
// set aside if not, unless treat_as_human names them. Nothing in between is lost: staff see
// what was set aside and can have it read again as a person's.
//
// Answers carry tokens that prove to have seen them: in the Message-ID, in the Reply-To
// (reply_token) and in the envelope sender that bounces come to (return_path). The last two
// are addresses with a plus, which the mail server has to deliver to this mailbox. A
// complaint is believed only with what no answer to ours copies: the return path, or the
// field X-Leadgate-Complaint of the mail that comes back with it.
//
// # What happens on failure
//
// A message that was read but not stored stays where it is and is read again. A connection
// that fails or falls silent is closed and made anew, after 1 s, 2 s … 5 min. A message
// that can't be fetched three times, or not stored five times while others are, is set aside
// and the others go on. An answer that can't be delivered is retried by the queue with the
// same Message-ID; a refusal parks it for staff, and so does a bounce that comes later, which
// is told to the case.
//
// A server that does not let us in is left alone for a minute or more. Health tells that
// apart from a connection that is down. A canary, a mail that the mailbox sends to itself now
// and then, shows whether the whole loop works.
//
// The package refuses to decide anything: it reads a lead and says who sent it.
package mailbox
