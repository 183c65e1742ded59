// Package payload reads registrations out of JSON that other programs send: it finds values by
// JSON Pointer, makes a lead of them, and says whose registration it is. It is what channels
// that are told by programs have in common; each has its own transport and proof.
//
// What stands in a payload about the partner is a claim, for visitors of a form can change
// hidden fields and addresses at will. Only a reference that we have signed, or a source that
// belongs to one partner, says who speaks; see Claim.
package payload
