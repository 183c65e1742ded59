package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"leadgate/intake"
)

// What is read without a fault is what any other reader of JSON finds there, and no more.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		acme(), byAna, `{}`, `[]`, `{"a":[[[[[[]]]]]]}`, `{"company_name":"a","company_name":"b"}`, `{"submitter":{"submitter":{"email":"x"}}}`,
		`{"services_needed":["a","b",1],"/a~b":null}`, "{\"company_name\":\"\\ud800\"}", `{"product_interest":{"a":[]},"problem":1e999}`, `{"a":{"b":{"c":{"d":{"e":1}}}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		b, err := decode(src, registrationFields())
		if err != nil {
			if p, ok := err.(*Problem); !ok || p.Status != 400 || !utf8.ValidString(p.Detail) {
				t.Fatalf("%#v", err)
			}
			return
		}
		lead := b.lead()
		if len(b.faults) > maxFaults {
			t.Fatalf("%d faults", len(b.faults))
		}
		for _, fault := range b.faults {
			if fault.Pointer != "" && !strings.HasPrefix(fault.Pointer, "/") || fault.Code == "" || fault.Detail == "" {
				t.Fatalf("%+v", fault)
			}
		}
		var other map[string]any
		reader := json.NewDecoder(bytes.NewReader(src))
		reader.UseNumber()
		if err := reader.Decode(&other); err != nil {
			t.Fatalf("another reader finds no JSON: %v\n%s", err, src)
		}
		if len(b.faults) > 0 {
			return
		}
		known := registrationFields()
		for key, v := range other {
			if _, ok := known["/"+key]; !ok {
				t.Fatalf("%q was taken for a field", key)
			}
			if s, ok := v.(string); ok && b.texts["/"+key] != s {
				t.Fatalf("%s: %q, others read %q", key, b.texts["/"+key], s)
			}
		}
		for f, v := range lead {
			if list, ok := other[string(f)].([]any); ok && len(strings.Split(v, intake.ListSeparator)) != len(list) {
				t.Fatalf("%s: %q of %v", f, v, list)
			}
		}
	})
}
