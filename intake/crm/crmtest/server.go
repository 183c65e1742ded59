package crmtest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Server stands between a connector and the fake of its remote side, on the loopback
// interface, and lets requests fail. Its methods may be called while requests run.
type Server struct {
	URL string

	inner   http.Handler
	arrived chan struct{}
	release chan struct{}

	mu       sync.Mutex
	script   []Fault // "" lets a request pass
	requests []Request
}

// Request is one that arrived.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
}

// NewServer starts a server that passes requests to inner. It stops with the test.
func NewServer(r Reporter, inner http.Handler) *Server {
	s := &Server{inner: inner, arrived: make(chan struct{}, 1), release: make(chan struct{})}
	ts := httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = ts.URL
	r.Cleanup(func() {
		close(s.release)
		ts.CloseClientConnections()
		ts.Close()
	})
	return s
}

// Script sets what the next requests meet, in order; "" lets one pass. Requests beyond the
// script pass.
func (s *Server) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append([]Fault(nil), faults...)
}

// Requests returns what arrived so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Arrived receives a value when a request that gets no answer has been taken in.
func (s *Server) Arrived() <-chan struct{} { return s.arrived }

// next records a request and takes its fault from the script.
func (s *Server) next(r *http.Request, body []byte) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body})
	if len(s.script) == 0 {
		return ""
	}
	f := s.script[0]
	s.script = s.script[1:]
	return f
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	f := s.next(r, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if f == "" {
		s.inner.ServeHTTP(w, r)
		return
	}
	if f.commits() {
		s.inner.ServeHTTP(httptest.NewRecorder(), r)
	}
	switch f {
	case CommitThenHang:
		s.hang(r)
	case CommitThenReset, Reset:
		reset(w)
	default:
		f.answer(w, s.URL)
	}
}

// hang gives no answer until the client leaves or the test ends.
func (s *Server) hang(r *http.Request) {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	select {
	case <-r.Context().Done():
	case <-s.release:
	}
	panic(http.ErrAbortHandler)
}

// reset breaks the connection so that the client sees a TCP reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
