package payload

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"leadgate/intake"
)

// TestPointersFindWhatTheStandardSays: the document and the pointers of RFC 6901, section 5.
func TestPointersFindWhatTheStandardSays(t *testing.T) {
	doc, err := Parse([]byte(`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`))
	if err != nil {
		t.Fatal(err)
	}
	n := func(s string) any { return json.Number(s) }
	for pointer, want := range map[string]any{
		"": doc, "/foo": []any{"bar", "baz"}, "/foo/0": "bar", "/": n("0"), "/a~1b": n("1"), "/c%d": n("2"),
		"/e^f": n("3"), "/g|h": n("4"), `/i\j`: n("5"), `/k"l`: n("6"), "/ ": n("7"), "/m~0n": n("8"),
	} {
		p, err := ParsePointer(pointer)
		if err != nil {
			t.Errorf("%q: %v", pointer, err)
			continue
		}
		if got, ok := p.Find(doc); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q leads to %v, want %v", pointer, got, want)
		}
	}
	for _, pointer := range []string{"/foo/2", "/foo/-", "/foo/-1", "/foo/01", "/foo/+1", "/foo/0/x", "/bar", "/foo/[name=x]"} {
		p, err := ParsePointer(pointer)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := p.Find(doc); ok {
			t.Errorf("%q leads to %v", pointer, got)
		}
	}
	for _, pointer := range []string{"foo", "/~", "/~2", "/a~"} {
		if _, err := ParsePointer(pointer); err == nil {
			t.Errorf("%q is taken for a pointer", pointer)
		}
	}
}

func TestAnEntryOfAListIsFoundByWhatItIsCalled(t *testing.T) {
	doc, err := Parse([]byte(`{"values":[7,{"name":"a/b","value":1},{"name":"company","value":" Acme "},{"name":"company","value":"second"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{
		"/values/[name=company]/value": "Acme", "/values/[name=a~1b]/value": "1", "/values/[name=other]/value": "", "/values/[value=second]/name": "company",
	} {
		if got := (Pointers{pointer}).First(doc); got != want {
			t.Errorf("%s leads to %q, want %q", pointer, got, want)
		}
	}
}

func TestADocumentOutOfBoundsIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a word": "hello", "two documents": "{}{}", "half": `{"a":`, "too deep": strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
		"too many values": "[" + strings.Repeat("1,", maxValues) + "1]", "not UTF-8": "\"\xff\"", "a comma too many": `{"a":1,}`, "NaN": "NaN",
	} {
		if doc, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s is read as %v", name, doc)
		} else if strings.Contains(err.Error(), "hello") {
			t.Errorf("%s: %v quotes it", name, err)
		}
	}
	for _, text := range []string{"{}", " [1, 2] \n", `"x"`, strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

func TestConsentIsWhatWasChosenAndNeverAssumed(t *testing.T) {
	m := Mapping{
		Fields: map[intake.Field]Pointers{intake.FieldConsent: {"/agreed"}},
		Values: map[intake.Field]map[string]string{intake.FieldConsent: {"Ja, gern": intake.ConsentYes}},
	}
	for text, want := range map[string]string{
		`{"agreed":true}`: "yes", `{"agreed":"Checked"}`: "yes", `{"agreed":1}`: "yes", `{"agreed":"Yes"}`: "yes", `{"agreed":"ja, gern"}`: "yes",
		`{"agreed":false}`: "no", `{"agreed":"0"}`: "no", `{"agreed":""}`: "", `{"agreed":null}`: "", `{}`: "", `{"agreed":{"yes":true}}`: "",
	} {
		doc, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if lead, _ := m.Lead(doc); lead[intake.FieldConsent] != want {
			t.Errorf("%s is %q, want %q", text, lead[intake.FieldConsent], want)
		}
	}
}
