package formats

import (
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schemas are what is answered, as JSON Schema 2020-12: a table as JSON and as JSON-stat, and the tables of a vintage. They follow from the types that
// are written.
type Schemas struct{ Table, Dataset, Collection *jsonschema.Schema }

// NewSchemas makes them.
func NewSchemas() (s Schemas, err error) {
	row := &jsonschema.Schema{Type: "object", Required: []string{timeColumn, "obs_value", "obs_status", "vintage"}, Properties: map[string]*jsonschema.Schema{
		"obs_value":  {Types: []string{"integer", "null"}, Description: "null: it is withheld, and not zero"},
		"obs_status": {Type: "string", Enum: []any{"A", "P", "Q"}, Description: "CL_OBS_STATUS"},
		"vintage":    {Type: "string", Description: "That the count is of"},
	}}
	for name, c := range columns {
		row.Properties[name] = &jsonschema.Schema{Type: "string", Description: c.ES + " / " + c.EN}
		if labelled(name) {
			row.Properties[name+labelSuffix] = &jsonschema.Schema{Type: "string"}
		}
	}
	if s.Table, err = jsonschema.For[document](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[documentRow](): row}}); err != nil {
		return s, err
	}
	if s.Dataset, err = jsonschema.For[dataset](nil); err != nil {
		return s, err
	}
	if s.Collection, err = jsonschema.For[collection](nil); err != nil {
		return s, err
	}
	s.Dataset.Properties["class"].Const, s.Collection.Properties["class"].Const = jsonschema.Ptr[any]("dataset"), jsonschema.Ptr[any]("collection")
	return s, nil
}
