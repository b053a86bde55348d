package feed

import (
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// Schema is what PathJSON answers, as JSON Schema 2020-12. It follows from the types that are written.
func Schema() (*jsonschema.Schema, error) {
	row := &jsonschema.Schema{Type: "object", Required: []string{"obs_status", "returns"}, Properties: map[string]*jsonschema.Schema{
		"obs_status": {Type: "string", Enum: []any{normal.ID, provisional.ID, withheld.ID}, Description: "CL_OBS_STATUS"},
		"returns":    {Types: []string{"integer", "null"}, Description: "null: it is withheld, and not zero"},
		"vintage":    {Type: "string", Description: "Of a count that is of an earlier vintage"},
	}}
	for _, d := range Dimensions() {
		row.Properties[d.ID] = &jsonschema.Schema{Type: "string", Description: d.ES + " / " + d.EN}
		if d.Kind == "" {
			row.Properties[d.ID+"_label"] = &jsonschema.Schema{Type: "string"}
		}
	}
	return jsonschema.For[document](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{reflect.TypeFor[documentRow](): row}})
}
