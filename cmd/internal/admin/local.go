package admin

import (
	"io"
	"net/http"
	"sync"
)

// local is a transport without a network. An answer is read while it is written.
type local struct{ handler http.Handler }

func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	in, out := io.Pipe()
	w := &pipe{header: make(http.Header), status: http.StatusOK, out: out, begun: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer r.Body.Close()
		defer func() {
			switch p := recover(); p {
			case nil:
				out.Close()
			case http.ErrAbortHandler:
				out.CloseWithError(io.ErrUnexpectedEOF)
			default:
				panic(p)
			}
			w.begin()
		}()
		l.handler.ServeHTTP(w, r)
	}()
	<-w.begun
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: answered{in, ended}, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// answered is the body of an answer. Once it is closed the handler works no more.
type answered struct {
	*io.PipeReader
	ended <-chan struct{}
}

func (a answered) Close() error {
	err := a.PipeReader.Close()
	<-a.ended
	return err
}

// pipe is where the handler writes to.
type pipe struct {
	header http.Header
	status int
	out    *io.PipeWriter
	begun  chan struct{}
	once   sync.Once
}

func (w *pipe) begin() { w.once.Do(func() { close(w.begun) }) }

func (w *pipe) Header() http.Header { return w.header }

func (w *pipe) WriteHeader(status int) {
	w.status = status
	w.begin()
}

func (w *pipe) Write(p []byte) (int, error) {
	w.begin()
	return w.out.Write(p)
}

// Flush implements http.Flusher; nothing is held back.
func (w *pipe) Flush() {}
