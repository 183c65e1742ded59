package config

import "go.yaml.in/yaml/v3"

// Document is a file read by Decode.
type Document struct{ doc document }

// Decode reads a YAML file into v, a pointer to a struct with yaml tags. Unknown keys, double
// keys and values of the wrong kind are faults; what is right is read all the same.
func Decode(src []byte, v any) (Document, Faults) {
	d, faults := parse(src)
	if len(faults) > 0 {
		return Document{d}, faults
	}
	return Document{d}, d.fill(v, nil)
}

// Line returns where a path like partners[3].contacts[0].email stands, or the nearest key
// above it that is in the file.
func (d Document) Line(path string) int { return d.doc.line(path) }

// Keys returns the keys that the file has under a path.
func (d Document) Keys(path string) []string {
	n, _ := d.doc.find(path)
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var keys []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys = append(keys, n.Content[i].Value)
	}
	return keys
}
