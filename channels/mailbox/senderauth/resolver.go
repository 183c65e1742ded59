package senderauth

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Limits of what is asked of the DNS for one mail. Who wrote the mail chooses the questions
// and gives the answers.
const (
	maxLookupTime = 10 * time.Second // for all of them
	maxLookups    = 60               // SPF may ask for ten names of ten mail servers each
	maxTXT        = 4 << 10          // bytes of one record: a key of more takes long to calculate with
)

// Resolver asks the DNS. *net.Resolver is one. Each method returns when ctx is done. A name
// that does not exist is a *net.DNSError with IsNotFound; every other error counts as
// temporary. It is safe for concurrent use.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// system is the resolver of this machine. Its names end in a dot, so that the search list of
// the machine is left alone: "partner.example" is never "partner.example.corp.internal".
type system struct{ r *net.Resolver }

var _ Resolver = system{}

func rooted(name string) string { return strings.TrimSuffix(name, ".") + "." }

func (s system) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return s.r.LookupTXT(ctx, rooted(name))
}

func (s system) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return s.r.LookupMX(ctx, rooted(name))
}

func (s system) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return s.r.LookupIPAddr(ctx, rooted(host))
}

func (s system) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return s.r.LookupAddr(ctx, addr)
}

// lookups are the questions for one mail. They keep to the limits, and every error of theirs
// is a *net.DNSError, which is what the libraries tell temporary ones by.
type lookups struct {
	r    Resolver
	done atomic.Int32
}

var _ Resolver = (*lookups)(nil)

func (l *lookups) LookupTXT(ctx context.Context, name string) ([]string, error) {
	all, err := ask(ctx, l, name, l.r.LookupTXT)
	var out []string
	for _, txt := range all {
		if len(txt) <= maxTXT {
			out = append(out, txt)
		}
	}
	return out, err
}

func (l *lookups) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return ask(ctx, l, name, l.r.LookupMX)
}

func (l *lookups) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(ctx, l, host, l.r.LookupIPAddr)
}

func (l *lookups) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return ask(ctx, l, addr, l.r.LookupAddr)
}

// exhausted reports whether more was asked than may be.
func (l *lookups) exhausted() bool { return l.done.Load() > maxLookups }

func ask[T any](ctx context.Context, l *lookups, name string, lookup func(context.Context, string) ([]T, error)) ([]T, error) {
	if l.done.Add(1) > maxLookups {
		return nil, &net.DNSError{Err: "too many questions for one mail", Name: name}
	}
	if ctx.Err() != nil {
		return nil, &net.DNSError{Err: "no time left", Name: name, IsTimeout: true, IsTemporary: true}
	}
	out, err := lookup(ctx, name)
	if err == nil {
		return out, nil
	}
	if dns := new(net.DNSError); errors.As(err, &dns) && dns.IsNotFound {
		return nil, &net.DNSError{Err: dns.Err, Name: name, IsNotFound: true}
	}
	return nil, &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}
