package pages

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// Brand is how the pages look like the vendor's own. The zero Brand is a plain one.
type Brand struct {
	// Logo is a file: SVG, PNG, JPEG or WebP. Logos are shown on white and on dark.
	Logo string `yaml:"logo"`
	// Color is that of buttons and links, #1d5bb8; ColorDark is the one on dark pages, a lighter
	// Color if empty. Both have to be told apart from the page by everybody.
	Color     string `yaml:"color"`
	ColorDark string `yaml:"color_dark"`
	// Links stand at the foot of each page: an imprint, a privacy notice.
	Links []Link `yaml:"links"`
}

// Link is a text and where it leads.
type Link struct {
	Text string `yaml:"text"`
	URL  string `yaml:"url"`
}

// look is a Brand as it is served.
type look struct {
	css                []byte
	logo               []byte
	logoPath, logoType string
	links              []Link
}

// The cards that a colour stands on, light and dark, and how much it has to differ: WCAG 2.2,
// 1.4.3.
var (
	lightCard = rgb{0xff, 0xff, 0xff}
	darkCard  = rgb{0x17, 0x1e, 0x28}
)

const (
	minContrast = 4.5
	maxLogo     = 256 << 10
)

// Validate returns what is wrong with a brand, each error with its key.
func (b Brand) Validate() []error {
	var faults []error
	for _, c := range []struct {
		key, value string
		card       rgb
		on         string
	}{{"color", b.Color, lightCard, "white"}, {"color_dark", b.ColorDark, darkCard, "the dark pages"}} {
		if c.value == "" {
			continue
		}
		color, err := parseColor(c.value)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", c.key, err))
			continue
		}
		if r := contrast(color, c.card); r < minContrast {
			faults = append(faults, fmt.Errorf("%s: %s on %s has a contrast of %.1f : 1; people need %.1f : 1 to read it (WCAG 2.2)", c.key, c.value, c.on, r, minContrast))
		}
	}
	for i, l := range b.Links {
		u, err := url.Parse(l.URL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto" || l.Text == "" {
			faults = append(faults, fmt.Errorf("links[%d]: want a text and a url like https://vendor.example/privacy", i))
		}
	}
	if _, _, err := b.readLogo(); err != nil {
		faults = append(faults, fmt.Errorf("logo: %w", err))
	}
	return faults
}

func (b Brand) look() (look, error) {
	if err := errors.Join(b.Validate()...); err != nil {
		return look{}, err
	}
	l := look{css: b.css(), links: b.Links}
	var err error
	if l.logo, l.logoType, err = b.readLogo(); len(l.logo) > 0 {
		l.logoPath = "/assets/logo"
	}
	return l, err
}

func (b Brand) readLogo() (logo []byte, media string, err error) {
	if b.Logo == "" {
		return nil, "", nil
	}
	logo, err = os.ReadFile(b.Logo)
	if err != nil {
		return nil, "", err
	}
	if len(logo) > maxLogo {
		return nil, "", fmt.Errorf("%s has %d KiB; a page should not wait for more than %d", b.Logo, len(logo)>>10, maxLogo>>10)
	}
	if head := logo[:min(len(logo), 1024)]; bytes.Contains(head, []byte("<svg")) {
		return logo, "image/svg+xml", nil
	}
	switch media = http.DetectContentType(logo); media {
	case "image/png", "image/jpeg", "image/webp":
		return logo, media, nil
	}
	return nil, "", fmt.Errorf("%s is no SVG, PNG, JPEG or WebP", b.Logo)
}

// css sets the colours that the stylesheet leaves to a brand.
func (b Brand) css() []byte {
	if b.Color == "" && b.ColorDark == "" {
		return []byte("/* the plain colours */\n")
	}
	var out strings.Builder
	if light, err := parseColor(b.Color); err == nil {
		fmt.Fprintf(&out, ":root { %s }\n", accents(light, lightCard))
	}
	dark, err := parseColor(b.ColorDark)
	if err != nil {
		dark, _ = parseColor(b.Color)
		for i := 0; contrast(dark, darkCard) < minContrast && i < 100; i++ {
			dark = dark.mix(rgb{255, 255, 255}, .05)
		}
	}
	fmt.Fprintf(&out, "@media (prefers-color-scheme: dark) { :root { %s } }\n", accents(dark, darkCard))
	return []byte(out.String())
}

func accents(c, card rgb) string {
	on := rgb{255, 255, 255}
	if black := (rgb{0x0c, 0x16, 0x25}); contrast(black, c) > contrast(on, c) {
		on = black
	}
	return fmt.Sprintf("--accent: %s; --on-accent: %s; --accent-soft: %s;", c, on, card.mix(c, .1))
}

type rgb struct{ r, g, b uint8 }

func parseColor(s string) (rgb, error) {
	hex, ok := strings.CutPrefix(s, "#")
	n, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil || len(hex) != 6 {
		return rgb{}, fmt.Errorf("%q is not a colour like #1d5bb8", s)
	}
	return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

func (c rgb) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// mix moves a colour a part of the way to another one.
func (c rgb) mix(to rgb, part float64) rgb {
	m := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*part)) }
	return rgb{m(c.r, to.r), m(c.g, to.g), m(c.b, to.b)}
}

// contrast is the ratio of WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

func (c rgb) luminance() float64 {
	part := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= .04045 {
			return s / 12.92
		}
		return math.Pow((s+.055)/1.055, 2.4)
	}
	return .2126*part(c.r) + .7152*part(c.g) + .0722*part(c.b)
}
