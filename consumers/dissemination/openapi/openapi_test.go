package openapi

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"retorno/consumers/dissemination/bundle"
)

// TestSchemas: what the document refers to is there; each schema of an answer names members; its examples, and a manifest without lists, are as it says.
func TestSchemas(t *testing.T) {
	var d struct {
		Components map[string]map[string]json.RawMessage
	}
	text := Document()
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"#/components/(\w+)/([\w-]+)"`).FindAllSubmatch(text, -1) {
		if d.Components[string(m[1])][string(m[2])] == nil {
			t.Errorf("%s is not there", m[0])
		}
	}
	examples := 0
	for name, body := range d.Components["schemas"] {
		var s jsonschema.Schema
		if err := json.Unmarshal(body, &s); err != nil {
			t.Fatal(name, err)
		}
		if len(s.Properties) == 0 || s.AdditionalProperties != nil {
			t.Errorf("%s: %s", name, body)
		}
		if name == "Manifest" {
			s.Examples = append(s.Examples, bundle.Manifest{Period: "2016-S1", Vintage: 1})
		}
		resolved, err := s.Resolve(nil)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, example := range s.Examples {
			written, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			var plain any
			if err := json.Unmarshal(written, &plain); err != nil {
				t.Fatal(err)
			}
			if examples++; resolved.Validate(plain) != nil {
				t.Errorf("%s: %s: %v", name, fmt.Sprint(plain), resolved.Validate(plain))
			}
		}
	}
	if examples < 4 {
		t.Errorf("%d examples", examples)
	}
}
