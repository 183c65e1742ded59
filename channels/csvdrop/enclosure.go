package csvdrop

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"leadgate/channels/csvdrop/result"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

// resultMark is how the names of result files end, in front of the extension.
const resultMark = "-result"

// Enclosure returns the result that goes with the message about an import: a file of the format
// that came, the same in every attempt to send it. The zero value says that there is none: the
// file was erased or never read, or its result has more than most bytes (0 for no limit).
func (d *Drop) Enclosure(ctx context.Context, m intake.Message, most int) (intake.Enclosure, error) {
	if m.Import == nil || m.Import.ID == "" {
		return intake.Enclosure{}, nil
	}
	e, err := d.Gateway.ImportAnswer(ctx, m.Import.ID, m.ID, func() (e intake.Enclosure, err error) {
		im, err := d.Gateway.Import(ctx, m.Import.ID)
		if err != nil {
			return e, err
		}
		b := bounded{most: most}
		o, err := d.result(ctx, im, "", &b)
		e.Name, e.Media = ResultName(im.Name, o)
		e.Content = b.buf.Bytes()
		return e, err
	})
	var unreadable *sheet.Error
	if errors.Is(err, errTooMuch) || errors.Is(err, ErrErased) || errors.Is(err, intake.ErrNotFound) || errors.As(err, &unreadable) {
		return intake.Enclosure{}, nil
	}
	return e, err
}

// ResultName is what the result of a file is called, and its media type.
func ResultName(name string, o result.Options) (file, media string) {
	extension := path.Ext(name)
	base := strings.TrimSuffix(strings.TrimSuffix(name, extension), resultMark)
	if base == "" {
		base = "list"
	}
	switch {
	case o.Format == sheet.FormatXLSX:
		return base + resultMark + ".xlsx", MediaXLSX
	case o.Delimiter == '\t':
		return base + resultMark + ".tsv", "text/tab-separated-values; charset=utf-8"
	}
	return base + resultMark + ".csv", MediaCSV
}

// The media types of result files.
const (
	MediaCSV  = "text/csv; charset=utf-8"
	MediaXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

var errTooMuch = errors.New("more than fits")

// bounded holds what is written to it, up to a limit; 0 for none.
type bounded struct {
	buf  bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.most > 0 && b.buf.Len()+len(p) > b.most {
		return 0, errTooMuch
	}
	return b.buf.Write(p)
}
