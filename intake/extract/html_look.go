package extract

import (
	"strconv"
	"strings"
)

// look is what the style of an element says about whether its text can be seen. What an element
// leaves open is as it is around it.
type look struct {
	hidden        bool
	color, ground shade
	size          size
}

type size int8

const (
	sizeOpen size = iota
	sizeNone      // text too small to be read
	sizeSome
)

// visible reports whether a reader sees text that stands here: it is not hidden, not of no
// size, and not of the colour of its ground.
func (c *converter) visible() bool {
	color, ground, size := shade{}, shade{known: true, r: 255, g: 255, b: 255}, sizeOpen
	for i := range c.marks {
		l := &c.marks[i].look
		if l.hidden {
			return false
		}
		if l.color.set() {
			color = l.color
		}
		if l.ground.set() {
			ground = l.ground
		}
		if l.size != sizeOpen {
			size = l.size
		}
	}
	return size != sizeNone && !color.like(ground) && !color.clear
}

// shade is a colour. One that is given and not known, such as a picture's, is like none.
type shade struct {
	known, other, clear bool
	r, g, b             uint8
}

func (s shade) set() bool { return s.known || s.other || s.clear }

// like reports whether people can't tell two colours apart.
func (s shade) like(t shade) bool {
	return s.known && t.known && near(s.r, t.r) && near(s.g, t.g) && near(s.b, t.b)
}

func near(a, b uint8) bool { return max(a, b)-min(a, b) <= 8 }

// shadeOf reads a colour as a style or an attribute states it.
func shadeOf(s string) shade {
	s = strings.TrimSpace(s)
	switch s {
	case "":
		return shade{}
	case "white":
		return shade{known: true, r: 255, g: 255, b: 255}
	case "black", "windowtext":
		return shade{known: true}
	case "inherit", "initial", "unset", "none", "auto":
		return shade{}
	case "transparent":
		return shade{clear: true}
	}
	hex := strings.TrimPrefix(s, "#")
	if len(hex) == 3 || len(hex) == 4 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	if n, err := strconv.ParseUint(clip(hex, 6), 16, 32); err == nil && len(hex) >= 6 {
		return shade{known: true, r: uint8(n >> 16), g: uint8(n >> 8), b: uint8(n)}
	}
	if args, ok := strings.CutPrefix(s, "rgb"); ok {
		return shadeOfParts(strings.FieldsFunc(strings.TrimPrefix(args, "a"), func(r rune) bool { return strings.ContainsRune("(),/ ", r) }))
	}
	return shade{other: true}
}

func shadeOfParts(parts []string) shade {
	if len(parts) < 3 {
		return shade{other: true}
	}
	if len(parts) > 3 && zero(parts[3], 0) {
		return shade{clear: true}
	}
	var v [3]uint8
	for i := range v {
		n, err := strconv.ParseUint(parts[i], 10, 8)
		if err != nil {
			return shade{other: true}
		}
		v[i] = uint8(n)
	}
	return shade{known: true, r: v[0], g: v[1], b: v[2]}
}

// lookOf reads the style of an element.
func lookOf(name string, attrs map[string]string) look {
	l := look{hidden: unseen[name]}
	if attrs == nil {
		return l
	}
	if _, ok := attrs["hidden"]; ok {
		l.hidden = true
	}
	l.ground = shadeOf(attrs["bgcolor"])
	if attrs["background"] != "" {
		l.ground = shade{other: true}
	}
	if name == "font" || name == "basefont" {
		l.color = shadeOf(attrs["color"])
	}
	style := attrs["style"]
	if style == "" {
		return l
	}
	clipped := strings.Contains(style, "overflow") && strings.Contains(strings.ReplaceAll(style, " ", ""), "overflow:hidden")
	n := 0
	for decl := range strings.SplitSeq(style, ";") {
		if n++; n > 100 {
			break
		}
		k, v, _ := strings.Cut(decl, ":")
		v = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "important"))
		l.declare(strings.TrimSpace(k), strings.TrimSpace(strings.TrimSuffix(v, "!")), clipped)
	}
	if l.ground.clear {
		l.ground = shade{}
	}
	return l
}

// declare applies one declaration of a style. clipped says that what does not fit is cut off.
func (l *look) declare(k, v string, clipped bool) {
	switch k {
	case "display":
		l.hidden = l.hidden || v == "none"
	case "visibility", "content-visibility":
		l.hidden = l.hidden || v == "hidden" || v == "collapse"
	case "mso-hide":
		l.hidden = l.hidden || v == "all"
	case "opacity":
		l.hidden = l.hidden || zero(v, 0.05)
	case "max-height", "max-width":
		l.hidden = l.hidden || zero(v, 0)
	case "height", "width":
		l.hidden = l.hidden || clipped && zero(v, 1)
	case "text-indent", "left", "top", "margin-left", "margin-top", "right":
		l.hidden = l.hidden || strings.HasPrefix(v, "-999") || strings.HasPrefix(v, "-1000")
	case "clip":
		l.hidden = l.hidden || strings.HasPrefix(strings.ReplaceAll(v, " ", ""), "rect(0")
	case "transform":
		l.hidden = l.hidden || strings.ReplaceAll(v, " ", "") == "scale(0)"
	case "text-decoration", "text-decoration-line":
		l.hidden = l.hidden || strings.Contains(v, "line-through")
	case "font-size":
		l.size = sizeSome
		if zero(v, 1) {
			l.size = sizeNone
		}
	case "font":
		if strings.HasPrefix(v, "0") && (strings.HasPrefix(v, "0/") || strings.HasPrefix(v, "0px") || strings.HasPrefix(v, "0 ")) {
			l.size = sizeNone
		}
	case "color":
		if s := shadeOf(v); s.set() {
			l.color = s
		}
	case "background", "background-color":
		if strings.Contains(v, "url(") || strings.Contains(v, "gradient") {
			l.ground = shade{other: true}
		} else if s := shadeOf(firstColor(v)); s.set() {
			l.ground = s
		}
	case "background-image":
		if v != "none" {
			l.ground = shade{other: true}
		}
	}
}

// firstColor returns the part of a background that names its colour.
func firstColor(v string) string {
	if strings.HasPrefix(v, "rgb") {
		return v
	}
	for f := range strings.FieldsSeq(v) {
		switch f {
		case "no-repeat", "repeat", "scroll", "fixed", "center", "top", "left", "right", "bottom", "none", "0", "0%":
		default:
			return f
		}
	}
	return ""
}

// zero reports whether a length or a share is at most limit, in whatever unit but those that
// are a multiple of the text's size.
func zero(v string, limit float64) bool {
	digits := strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyz%")
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil {
		return false
	}
	switch v[len(digits):] {
	case "", "px", "pt":
		return n >= 0 && n <= limit
	}
	return n == 0
}
