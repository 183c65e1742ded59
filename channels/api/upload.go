package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"unicode/utf8"
)

// fileTypes are the media types that a file may come as, besides a form.
var fileTypes = map[string]string{
	"text/csv": "list.csv", "text/tab-separated-values": "list.tsv", mediaXLSX: "list.xlsx", "application/octet-stream": "list",
}

const formPart = "file" // the part of a form that is the file

// received is a file that came, in a temporary file.
type received struct {
	*os.File
	size             int64
	sum, name, media string
}

// receive reads the file of a request to its end.
func (a *API) receive(r *request) (*received, error) {
	req := r.Request()
	media, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	_, known := fileTypes[media]
	form := media == "multipart/form-data"
	if err != nil || !known && !form || req.Header.Get("Content-Encoding") != "" {
		return nil, &Problem{
			Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Detail: "Send the file as text/csv, text/tab-separated-values or " + mediaXLSX + ", not compressed, or as the part " + formPart + " of multipart/form-data.",
		}
	}
	name := r.QueryParam("name")
	if utf8.RuneCountInString(name) > maxFileName {
		return nil, parameter("name: want the name of the file, of 200 characters at most.")
	}
	in := io.Reader(http.MaxBytesReader(nil, req.Body, MaxUpload))
	if form {
		part, err := filePart(multipart.NewReader(in, params["boundary"]))
		if err != nil {
			return nil, err
		}
		defer part.Close()
		in = part
		if media, params, err = mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil {
			media, params = "application/octet-stream", nil
		}
		if name == "" {
			name = part.FileName()
		}
	}
	if name == "" {
		if name = fileTypes[media]; name == "" {
			name = "list"
		}
	}
	return a.spool(in, name, withCharset(media, params))
}

// filePart returns the part of a form that is the file.
func filePart(form *multipart.Reader) (*multipart.Part, error) {
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF:
			return nil, &Problem{Status: http.StatusBadRequest, Code: "no_file", Detail: "The form has no part " + formPart + "."}
		case err != nil:
			return nil, cutOff(err)
		case part.FormName() == formPart:
			return part, nil
		}
		if _, err := io.Copy(io.Discard, part); err != nil {
			return nil, cutOff(err)
		}
	}
}

// spool writes a file into a temporary one.
func (a *API) spool(in io.Reader, name, media string) (_ *received, err error) {
	f, err := a.tempFile()
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // nobody wants it
		}
	}()
	h := sha256.New()
	size, err := io.Copy(io.MultiWriter(&diskWriter{f}, h), io.LimitReader(in, maxFile+1))
	var disk *diskError
	switch {
	case errors.As(err, &disk):
		return nil, unavailable(err)
	case err != nil:
		return nil, cutOff(err)
	case size > maxFile:
		return nil, fileTooLarge()
	}
	return &received{f, size, hex.EncodeToString(h.Sum(nil)), name, media}, nil
}

// diskWriter tells an error of the disk from one of the sender.
type diskWriter struct{ f *os.File }

func (w *diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}

type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

// cutOff is a body that did not arrive as it should have.
func cutOff(err error) *Problem {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fileTooLarge()
	}
	return &Problem{Status: http.StatusBadRequest, Code: "body_cut_off", Detail: "The body did not arrive whole."}
}

func fileTooLarge() *Problem {
	return &Problem{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Detail: "A file has 10 MiB at most; nothing of it was read. Send it in parts."}
}
