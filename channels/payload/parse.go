package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The bounds of a document.
const (
	maxDepth  = 32
	maxValues = 20_000
)

// Parse reads one JSON document, numbers as json.Number. Its errors say what is wrong without
// quoting from it.
func Parse(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8")
	}
	if err := bounded(b); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	return doc, nil
}

// bounded checks that b is one document that is neither deep nor has very many values.
func bounded(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	depth, values := 0, 0
	for done := false; ; {
		t, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && done:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("it is not JSON: it ends too early")
		case err != nil:
			return fmt.Errorf("it is not JSON at byte %d", dec.InputOffset())
		case done:
			return errors.New("it holds more than one JSON document")
		}
		if d, ok := t.(json.Delim); ok {
			switch d {
			case '{', '[':
				depth++
			default:
				depth--
			}
		}
		if values++; depth > maxDepth || values > maxValues {
			return fmt.Errorf("it is nested deeper than %d, or has more than %d values", maxDepth, maxValues)
		}
		done = depth == 0
	}
}
