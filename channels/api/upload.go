package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// fileTypes are the media types that a file may come as, besides a form.
var fileTypes = map[string]string{
	"text/csv": "list.csv", "text/tab-separated-values": "list.tsv", mediaXLSX: "list.xlsx", "application/octet-stream": "list",
}

const (
	formPart = "file"  // the part of a form that is the file
	maxSaid  = 2 << 10 // bytes of a field of a form
)

// uploadFields are what can be said of a file, in the query or as fields of its form.
var uploadFields = []string{"name", "dry_run", "submitter"}

// received is a file that came, in a temporary file.
type received struct {
	*os.File
	size             int64
	sum, name, media string
	// said is what was said of it: uploadFields, those that were given.
	said map[string]string
	// fields are those of the form, so that one call is told from another.
	fields string
}

// receive reads the file of a request to its end, and what is said of it.
func (a *API) receive(r *request) (_ *received, err error) {
	said := make(map[string]string)
	for name, values := range r.QueryParams() {
		for _, v := range values {
			if err := say(said, name, v); err != nil {
				return nil, err
			}
		}
	}
	if _, err := flag(said, "dry_run"); err != nil { // before 10 MiB are read
		return nil, err
	}
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
	in := io.Reader(http.MaxBytesReader(nil, req.Body, MaxUpload))
	var file *received
	if form {
		file, err = a.readForm(multipart.NewReader(in, params["boundary"]), said)
	} else {
		file, err = a.spool(in, fileTypes[media], withCharset(media, params))
	}
	if err != nil {
		return nil, err
	}
	if file.said = said; said["name"] != "" {
		file.name = said["name"]
	}
	if file.name == "" {
		file.name = "list"
	}
	if utf8.RuneCountInString(said["name"]) > maxFileName {
		return nil, errors.Join(parameter("name: want the name of the file, of 200 characters at most."), file.Close())
	}
	return file, nil
}

// say keeps what was said of a file under a name. What nobody knows is refused: a dry run that is
// misspelt would be none.
func say(said map[string]string, name, value string) error {
	if !slices.Contains(uploadFields, name) {
		return parameter(fmt.Sprintf("%.60q: no such field; of a file can be said: %s.", name, strings.Join(uploadFields, ", ")))
	}
	if was, twice := said[name]; twice && was != value {
		return parameter(name + ": it is given twice, differently.")
	}
	said[name] = value
	return nil
}

// readForm reads a form: its file, and the fields around it.
func (a *API) readForm(form *multipart.Reader, said map[string]string) (file *received, err error) {
	defer func() {
		if err != nil && file != nil {
			_ = file.Close() // nobody wants it
			file = nil
		}
	}()
	fields := url.Values{}
	for {
		part, err := form.NextPart()
		switch {
		case err == io.EOF && file == nil:
			return nil, &Problem{Status: http.StatusBadRequest, Code: "no_file", Detail: "The form has no part " + formPart + "."}
		case err == io.EOF:
			file.fields = fields.Encode()
			return file, nil
		case err != nil:
			return file, cutOff(err)
		}
		name := part.FormName()
		switch {
		case name == formPart && file != nil:
			return file, parameter(formPart + ": the form has several; send each file by itself.")
		case name == formPart:
			file, err = a.spoolPart(part)
		default:
			var value string
			if value, err = fieldOf(part); err == nil {
				fields.Add(name, value)
				err = say(said, name, value)
			}
		}
		if err != nil {
			return file, err
		}
	}
}

// fieldOf reads a field of a form, no further than one that can be used.
func fieldOf(part *multipart.Part) (string, error) {
	b, err := io.ReadAll(io.LimitReader(part, maxSaid+1))
	switch {
	case err != nil:
		return "", cutOff(err)
	case len(b) > maxSaid:
		return "", parameter(fmt.Sprintf("%.60q: the field is too long.", part.FormName()))
	}
	return string(b), nil
}

func (a *API) spoolPart(part *multipart.Part) (*received, error) {
	media, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if err != nil {
		media, params = "application/octet-stream", nil
	}
	name := part.FileName()
	if name == "" {
		name = fileTypes[media]
	}
	return a.spool(part, name, withCharset(media, params))
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
	return &received{File: f, size: size, sum: hex.EncodeToString(h.Sum(nil)), name: name, media: media}, nil
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
