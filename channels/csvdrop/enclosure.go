package csvdrop

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"leadgate/channels/csvdrop/result"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/channels/pages"
	"leadgate/intake"
)

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
		o, err := d.result(ctx, im, "", "", &b)
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

// resultMarks are how the names of result files end, in front of the extension, by language.
var resultMarks = map[string]string{"en": "result", "de": "Ergebnis"}

// ResultName is what the result of a file is called, and its media type.
func ResultName(name string, o result.Options) (file, media string) {
	base := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, pages.Text(name))
	switch ext := path.Ext(base); strings.ToLower(ext) {
	case ".csv", ".tsv", ".txt", ".xlsx":
		base = strings.TrimSuffix(base, ext)
	}
	for _, mark := range resultMarks {
		base = strings.TrimSuffix(base, "-"+mark)
	}
	mark := resultMarks[sheet.Language(o.Locale)]
	if base != "" {
		mark = base + "-" + mark
	}
	switch {
	case o.Format == sheet.FormatXLSX:
		return mark + ".xlsx", MediaXLSX
	case o.Delimiter == '\t':
		return mark + ".tsv", "text/tab-separated-values; charset=utf-8"
	}
	return mark + ".csv", MediaCSV
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
