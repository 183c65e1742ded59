// Package teams is the app package for Microsoft Teams: the manifest as a template, and icons.
// `leadgate teams-app` fills it in from the configuration of a gateway; who wants other words or
// other icons changes the manifest here, or what is in the ZIP.
//
// The manifest follows version 1.25 of
// https://learn.microsoft.com/microsoft-365/extensibility/schema/
package teams

import (
	"archive/zip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

//go:embed manifest.json
var manifest string

// Values are what the manifest is filled in with.
type Values struct {
	// AppID is that of the bot, a GUID. The app in Teams has the same.
	AppID string
	// Program is the vendor's name, URL where the pages are, Privacy the notice of privacy.
	Program, URL, Privacy string
}

// maxDeveloper is the most characters of developer.name, maxFull that of name.full.
const (
	maxDeveloper = 32
	maxFull      = 100
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Manifest returns the manifest of an app.
func Manifest(v Values) ([]byte, error) {
	u, err := url.Parse(v.URL)
	switch {
	case !guid.MatchString(v.AppID):
		return nil, fmt.Errorf("%q is no app id: want a GUID, as the app registration shows it", v.AppID)
	case err != nil || u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q: Teams takes only pages at https://", v.URL)
	}
	if v.Privacy == "" {
		v.Privacy = v.URL
	}
	if p, err := url.Parse(v.Privacy); err != nil || p.Scheme != "https" {
		return nil, fmt.Errorf("%q: Teams takes only a notice of privacy at https://", v.Privacy)
	}
	if strings.TrimSpace(v.Program) == "" {
		return nil, errors.New("the name of the vendor is missing")
	}
	filled := strings.NewReplacer(
		"{{APP_ID}}", v.AppID, "{{URL}}", quoted(strings.TrimSuffix(v.URL, "/"), 0), "{{HOST}}", quoted(u.Hostname(), 0),
		"{{PRIVACY}}", quoted(v.Privacy, 0), "with {{PROGRAM}}", "with "+quoted(v.Program, maxFull-len("Register leads and deals with ")),
		"{{PROGRAM}}", quoted(v.Program, maxDeveloper),
	).Replace(manifest)
	if !json.Valid([]byte(filled)) {
		return nil, errors.New("the manifest is no JSON once it is filled in")
	}
	return []byte(filled), nil
}

// quoted is a text within a string of JSON, cut to a number of characters unless that is 0.
func quoted(s string, most int) string {
	if most > 0 && utf8.RuneCountInString(s) > most {
		s = strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(b[1 : len(b)-1])
}

// Write writes the package: a ZIP with the manifest and both icons at its root. The same values
// give the same bytes.
func Write(w io.Writer, v Values) error {
	m, err := Manifest(v)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	f, err := z.Create("manifest.json")
	if err != nil {
		return err
	}
	if _, err := f.Write(m); err != nil {
		return err
	}
	for _, icon := range []struct {
		name string
		img  image.Image
	}{{"color.png", Color()}, {"outline.png", Outline()}} {
		f, err := z.Create(icon.name)
		if err != nil {
			return err
		}
		if err := png.Encode(f, icon.img); err != nil {
			return err
		}
	}
	return z.Close()
}

// Color is the icon on a ground of the accent colour, 192 by 192, Outline the white one on nothing,
// 32 by 32. The picture is a gate with an arrow into it.
func Color() image.Image {
	return draw(192, color.NRGBA{0x1d, 0x5b, 0xb8, 0xff})
}

// Outline is described with Color.
func Outline() image.Image { return draw(32, color.NRGBA{}) }

// draw draws the picture on a grid of 32 by 32, with edges smoothed over 4 by 4 points.
func draw(size int, ground color.NRGBA) image.Image {
	const fine = 4
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			hits := 0
			for i := range fine * fine {
				scale := 32 / float64(size)
				px := (float64(x) + (float64(i%fine)+0.5)/fine) * scale
				py := (float64(y) + (float64(i/fine)+0.5)/fine) * scale
				if inked(px, py) {
					hits++
				}
			}
			img.SetNRGBA(x, y, blend(ground, float64(hits)/(fine*fine)))
		}
	}
	return img
}

// inked reports whether a point of the grid is part of the picture.
func inked(x, y float64) bool {
	in := func(x0, y0, x1, y1 float64) bool { return x >= x0 && x < x1 && y >= y0 && y < y1 }
	post := in(18, 6, 26, 8.4) || in(23.6, 6, 26, 26) || in(18, 23.6, 26, 26)
	shaft := in(6, 14.8, 17, 17.2)
	d := x - 13.4
	head := d >= 0 && d <= 6 && y >= 16-(6-d) && y <= 16+(6-d) && (y <= 16-(6-d)+3.4 || y >= 16+(6-d)-3.4)
	return post || shaft || head
}

// blend lays white over a ground; over nothing it is white that one sees through.
func blend(ground color.NRGBA, share float64) color.NRGBA {
	if ground.A == 0 {
		return color.NRGBA{0xff, 0xff, 0xff, uint8(share * 255)}
	}
	mix := func(c uint8) uint8 { return uint8(float64(c) + (255-float64(c))*share) }
	return color.NRGBA{mix(ground.R), mix(ground.G), mix(ground.B), 0xff}
}
