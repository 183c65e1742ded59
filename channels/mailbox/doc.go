// Package mailbox is the e-mail channel. A mailbox takes registrations in by IMAP, or by
// direct delivery over SMTP or LMTP, or both, and answers by SMTP or into a directory.
//
// # Set-up on the remote side
//
// IMAP: one account for the address that partners write to, with permission to create
// folders. Every message that was taken in is filed in the processed folder, or in the
// aside folder if it is no registration; what lies in the inbox is still to be done. If the
// server can move neither with MOVE (RFC 6851) nor with UIDPLUS (RFC 4315), messages stay
// where they are and are marked with a keyword.
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
// # What happens on failure
//
// A message that was read but not stored stays where it is and is read again. A connection
// that fails or falls silent is closed and made anew, after 1 s, 2 s … 5 min. A message
// that can't be fetched three times is set aside and the others go on. Robots, bounces,
// lists and our own mail are set aside and never answered. An answer that can't be
// delivered is retried by the queue with the same Message-ID; a refusal parks it for staff.
//
// The package refuses to decide anything: it reads a lead and says who sent it.
package mailbox
