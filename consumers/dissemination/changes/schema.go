package changes

import "github.com/google/jsonschema-go/jsonschema"

// Schema is what Path answers, as JSON Schema 2020-12, with an example. It follows from the types that are written.
func Schema() (*jsonschema.Schema, error) {
	s, err := jsonschema.For[document](nil)
	if err != nil {
		return nil, err
	}
	s.Examples = []any{document{Next: "2016-S1/1-2", Links: map[string]string{"next": Path + "?since=2016-S1/1-2"}, Changes: []told{{ID: "2016-S1/1-2", change: &change{
		Vintage: "2016-S1/2", Period: "2016-S1", Number: 2, Status: "revision", Published: "2016-10-03T09:00:00-06:00", Revises: "2016-S1/1", Reason: "registrations that came late", Scope: "cells",
		Address: "/vintages/2016-S1/2/", Tables: []table{{ID: "T2", Address: "/vintages/2016-S1/2/tables/T2.csv", Changed: jsonschema.Ptr(1)}}, Reasons: []string{"late"},
		Cells: []cell{{Measure: "returns", Key: map[string]string{"time_period": "2016-S1", "source": "registered", "exit_point": "L-COR"}, Tables: []string{"T2"}, Before: 16_824, After: 17_064, Reasons: map[string]int64{"late": 240}}},
	}}}}}
	return s, nil
}
