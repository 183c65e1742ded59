package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Fault is one thing wrong with a configuration file.
type Fault struct {
	// Line is where, counted from 1; 0 if the thing is missing from the file.
	Line int
	// Path is the key concerned, as in mailboxes[0].smtp.port.
	Path    string
	Problem string
}

func (f Fault) Error() string {
	where := f.Path
	if f.Line > 0 {
		where = strings.TrimSuffix(fmt.Sprintf("line %d: %s", f.Line, f.Path), ": ")
	}
	if where == "" {
		return f.Problem
	}
	return where + ": " + f.Problem
}

// Faults are all that is wrong, by line.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

func (fs Faults) sorted() Faults {
	slices.SortStableFunc(fs, func(a, b Fault) int { return a.Line - b.Line })
	return fs
}

// secrets are the keys of which KEY_file names a file that holds the value.
var secrets = []string{"password", "secret", "client_secret", "refresh_token", "previous_secret", "token", "signing_secret", "app_token", "bot_token", "private_key"}

// unread stands for a secret whose file is at fault. It is good as a password and as the
// secret of a webhook; as there is a fault, nobody gets to use it.
const unread = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// decode reads YAML into v, a pointer to a struct with yaml tags that holds the defaults.
// Unknown keys, double keys and values of the wrong kind are faults. Relative paths of
// secret files count from dir. The returned document finds the lines of keys.
func decode(src []byte, dir string, v any) (document, Faults) {
	d, faults := parse(src)
	if len(faults) > 0 {
		return d, faults
	}
	resolveSecrets(d.top, dir, "", &faults)
	return d, d.fill(v, faults)
}

// parse reads a file that has one document.
func parse(src []byte) (document, Faults) {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var root yaml.Node
	if err := dec.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return document{}, Faults{{Problem: "the file is empty"}}
		}
		return document{}, Faults{{Problem: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return document{}, Faults{{Problem: "the file has more than one document"}}
	}
	return document{root.Content[0]}, nil
}

// fill reads the document into v, and returns what is wrong with it beside the faults known.
func (d document) fill(v any, faults Faults) Faults {
	checkKeys(d.top, reflect.TypeOf(v).Elem(), "", &faults)
	if err := d.top.Decode(v); err != nil {
		var types *yaml.TypeError
		if !errors.As(err, &types) {
			return append(faults, Fault{Problem: err.Error()}).sorted()
		}
		for _, e := range types.Errors {
			f := typeFault(e)
			if !slices.ContainsFunc(faults, func(known Fault) bool { return known.Line == f.Line }) {
				faults = append(faults, f) // inside an alias, where checkKeys does not look
			}
		}
	}
	return faults.sorted()
}

// typeFault takes the line out of the decoder's words "line 7: cannot unmarshal …".
func typeFault(words string) Fault {
	rest, found := strings.CutPrefix(words, "line ")
	if number, problem, ok := strings.Cut(rest, ": "); found && ok {
		if line, err := strconv.Atoi(number); err == nil {
			return Fault{Line: line, Problem: problem}
		}
	}
	return Fault{Problem: words}
}

// document is a parsed file.
type document struct{ top *yaml.Node }

// has reports whether the file has a key at its top.
func (d document) has(key string) bool {
	if d.top == nil || d.top.Kind != yaml.MappingNode {
		return false
	}
	found, _ := pairOf(d.top, key)
	return found != nil
}

// line returns where path stands, or the nearest key above it that is in the file.
func (d document) line(path string) int {
	_, line := d.find(path)
	return line
}

// find returns the value at path, nil if there is none, and the line of line.
func (d document) find(path string) (n *yaml.Node, line int) {
	n = d.top
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if n == nil {
			return nil, line
		}
		switch n.Kind {
		case yaml.MappingNode:
			key, value := pairOf(n, step)
			if key == nil {
				return nil, line
			}
			line, n = key.Line, value
		case yaml.SequenceNode:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(n.Content) {
				return nil, line
			}
			n = n.Content[i]
			line = n.Line
		default:
			return nil, line
		}
	}
	return n, line
}

// pairOf returns a key of a mapping and its value, nil if it is not there.
func pairOf(n *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// resolveSecrets puts the contents of the files that KEY_file names in the place of KEY.
func resolveSecrets(n *yaml.Node, dir, path string, faults *Faults) {
	if n.Kind == yaml.SequenceNode {
		for i, c := range n.Content {
			resolveSecrets(c, dir, fmt.Sprintf("%s[%d]", path, i), faults)
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		base, isFile := strings.CutSuffix(key.Value, "_file")
		if !isFile || !slices.Contains(secrets, base) {
			resolveSecrets(value, dir, join(path, key.Value), faults)
			continue
		}
		fault := func(format string, a ...any) {
			*faults = append(*faults, Fault{Line: key.Line, Path: join(path, key.Value), Problem: fmt.Sprintf(format, a...)})
		}
		if slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Value == base && c.Kind == yaml.ScalarNode && c != value }) {
			fault("is given beside %s; keep one of them", base)
			n.Content = slices.Delete(n.Content, i, i+2)
			i -= 2
			continue
		}
		file := value.Value
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			fault("%v", err)
		}
		text := strings.TrimRight(string(b), "\r\n")
		if err == nil && text == "" {
			fault("%s is empty", file)
		}
		if text == "" {
			text = unread // told already: the value is not missing besides
		}
		key.Value, value.Value, value.Tag, value.Style = base, text, "!!str", yaml.DoubleQuotedStyle
	}
}

// checkKeys finds keys that the struct type t does not have, keys given twice, of which it
// leaves the first, and values of the wrong kind.
func checkKeys(n *yaml.Node, t reflect.Type, path string, faults *Faults) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice {
		rest := n.Content[:0:0]
		for i, c := range n.Content {
			before := len(*faults)
			checkKeys(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i), faults)
			if len(*faults) == before || !readsText(t.Elem()) {
				rest = append(rest, c)
			}
		}
		n.Content = rest
		return
	}
	if n.Kind == yaml.MappingNode && t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct {
		for i := 0; i+1 < len(n.Content); i += 2 {
			checkKeys(n.Content[i+1], t.Elem(), join(path, n.Content[i].Value), faults)
		}
		return
	}
	if n.Kind != yaml.MappingNode || t.Kind() != reflect.Struct {
		v := reflect.New(t).Interface()
		if err := n.Decode(v); err != nil {
			if readsText(t) && n.Kind == yaml.ScalarNode {
				*faults = append(*faults, Fault{n.Line, path, err.Error()})
				return
			}
			*faults = append(*faults, Fault{n.Line, path, "want " + kindWanted(t) + ", not " + kindGiven(n)})
		}
		return
	}
	fields := yamlFields(t)
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := join(path, key.Value)
		if first, twice := seen[key.Value]; twice {
			*faults = append(*faults, Fault{key.Line, at, fmt.Sprintf("is given on line %d already", first)})
			n.Content = slices.Delete(n.Content, i, i+2)
			i -= 2
			continue
		}
		seen[key.Value] = key.Line
		field, known := fields[key.Value]
		if !known {
			*faults = append(*faults, Fault{key.Line, at, "unknown key" + suggestion(key.Value, fields)})
			continue
		}
		before := len(*faults)
		checkKeys(n.Content[i+1], field, at, faults)
		if len(*faults) > before && readsText(field) {
			n.Content = slices.Delete(n.Content, i, i+2)
			i -= 2
		}
	}
}

// readsText reports whether values of type t are read from a text by themselves. The decoder
// stops at the first of these that fails, so it must not see it.
func readsText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textReader) }

var textReader = reflect.TypeFor[encoding.TextUnmarshaler]()

// kindWanted says in words what a value of type t looks like.
func kindWanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		if t == reflect.TypeFor[time.Duration]() {
			return "a time like 30s or 5m"
		}
		return "a whole number"
	case reflect.Int:
		return "a whole number"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	}
	return "a value of type " + t.String()
}

func kindGiven(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "what *" + n.Value + " stands for"
	}
	return strconv.Quote(n.Value)
}

func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type)
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			for k, v := range yamlFields(f.Type) {
				fields[k] = v
			}
		case name != "" && name != "-":
			fields[name] = f.Type
		}
	}
	return fields
}

// suggestion names the known key that was probably meant, or all of them.
func suggestion(key string, fields map[string]reflect.Type) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if near(key, name) {
			return fmt.Sprintf("; did you mean %s?", name)
		}
	}
	return "; known here: " + strings.Join(names, ", ")
}

// near reports whether two keys differ by at most two insertions, deletions or changes.
func near(a, b string) bool {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)] <= min(2, len(a)/2)
}
