package openapi

import (
	"encoding/json"

	"github.com/google/jsonschema-go/jsonschema"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/vintages"
)

// schemas are what answers in JSON hold, made from the types that the packages write. It panics where a type has no schema, as a programmer's error.
func schemas() object {
	of := func(s *jsonschema.Schema, err error) any {
		if err != nil {
			panic("openapi: " + err.Error())
		}
		return open(s)
	}
	tables, err := formats.NewSchemas()
	return object{
		"Returns": of(feed.Schema()), "Vintages": of(vintages.Schema()), "Changes": of(changes.Schema()),
		"Manifest": of(jsonschema.For[bundle.Manifest](nil)), "Certificate": of(jsonschema.For[bundle.Certificate](nil)),
		"Table": of(tables.Table, err), "Dataset": of(tables.Dataset, err), "Collection": of(tables.Collection, err),
		"Catalogue": object{"type": "object", "required": []string{"@context", "@graph"}, "description": "DCAT 3 as JSON-LD 1.1",
			"properties": object{"@context": object{"type": "object"}, "@graph": object{"type": "array", "items": object{"type": "object", "required": []string{"@type"}}}}},
		"Description": object{"type": "object", "required": []string{"openapi", "info", "paths"}, "description": "OpenAPI 3.1",
			"properties": object{"openapi": object{"type": "string"}, "info": object{"type": "object"}, "paths": object{"type": "object"}}},
	}
}

// open lets later programs add members.
func open(s *jsonschema.Schema) any {
	text, err := json.Marshal(s)
	var plain any
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		panic("openapi: " + err.Error()) // a schema is JSON
	}
	loosen(plain)
	return plain
}

// loosen changes a schema and those in it.
func loosen(part any) {
	switch p := part.(type) {
	case map[string]any:
		if p["additionalProperties"] == false {
			delete(p, "additionalProperties")
		}
		for name, inner := range p {
			if name != "examples" {
				loosen(inner)
			}
		}
	case []any:
		for _, inner := range p {
			loosen(inner)
		}
	}
}
