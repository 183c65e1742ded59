// Package chat holds what the channels of chat programs share: how a line that somebody typed is
// read, which questions the form of a registration asks and what is wrong with the answers, what
// the card of a case says, and for whom a person speaks. It knows no chat program: adapters put
// its forms and cards into the shape of theirs.
//
// Nothing here is escaped for any markup. What people typed is in all of it.
package chat
