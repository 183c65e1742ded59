package payload

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Pointer finds a value in a document, as in RFC 6901: /payload/items/0/name. In the place of an
// index [name=company] stands for the first object of a list whose member name is "company", for
// lists of questions and answers have no fixed order.
type Pointer struct {
	text  string
	steps []string
}

// ParsePointer reads a pointer. The empty one stands for the whole document.
func ParsePointer(text string) (Pointer, error) {
	if text == "" {
		return Pointer{}, nil
	}
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return Pointer{}, fmt.Errorf("%q does not begin with /, as JSON Pointers do: /payload/email", text)
	}
	p := Pointer{text: text}
	for step := range strings.SplitSeq(rest, "/") {
		for i, r := range step {
			if r == '~' && (i+1 >= len(step) || step[i+1] != '0' && step[i+1] != '1') {
				return Pointer{}, fmt.Errorf("%q has a ~ that is neither ~0 nor ~1 (which stands for /)", text)
			}
		}
		p.steps = append(p.steps, strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~"))
	}
	return p, nil
}

// String returns the pointer as it was written.
func (p Pointer) String() string { return p.text }

// Find returns the value in a document as Parse returns it; false if there is none.
func (p Pointer) Find(doc any) (any, bool) {
	for _, step := range p.steps {
		var ok bool
		switch v := doc.(type) {
		case map[string]any:
			doc, ok = v[step]
		case []any:
			doc, ok = entry(v, step)
		}
		if !ok {
			return nil, false
		}
	}
	return doc, true
}

func entry(list []any, step string) (any, bool) {
	if key, want, ok := strings.Cut(strings.TrimPrefix(step, "["), "="); ok && strings.HasPrefix(step, "[") && strings.HasSuffix(want, "]") {
		for _, e := range list {
			if o, ok := e.(map[string]any); ok && Text(o[key]) == want[:len(want)-1] {
				return e, true
			}
		}
		return nil, false
	}
	i, err := strconv.Atoi(step)
	if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != step {
		return nil, false
	}
	return list[i], true
}

// Text returns a value as a text: of a text, a number or a truth; empty for all else.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// Pointers are one pointer or several.
type Pointers []string

// UnmarshalYAML takes a text as one, and a list.
func (p *Pointers) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*p = nil
		if one != "" {
			*p = Pointers{one}
		}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*p = list
	return nil
}

// Check returns what is wrong with the first that is no pointer.
func (p Pointers) Check() error {
	_, err := p.parse()
	return err
}

func (p Pointers) parse() ([]Pointer, error) {
	var all []Pointer
	for _, text := range p {
		one, err := ParsePointer(text)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Texts returns the texts that the pointers lead to, those of a list each; empty ones are left
// out. A pointer that is none leads nowhere.
func (p Pointers) Texts(doc any) []string {
	all, _ := p.parse()
	var out []string
	add := func(v any) {
		if s := Text(v); s != "" {
			out = append(out, s)
		}
	}
	for _, one := range all {
		v, _ := one.Find(doc)
		if list, ok := v.([]any); ok {
			for _, e := range list {
				add(e)
			}
			continue
		}
		add(v)
	}
	return out
}

// First is the first of Texts, or "".
func (p Pointers) First(doc any) string {
	if all := p.Texts(doc); len(all) > 0 {
		return all[0]
	}
	return ""
}
