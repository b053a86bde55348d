package suppress

import "retorno/consumers/dissemination/disclosure/published"

// Event is one row of made microdata.
type Event struct {
	Person int
	Codes  map[string]string
}

// TablesOf counts made events in the three tables that tests of this package use.
func TablesOf(events []Event) *Input {
	var all []event
	for _, e := range events {
		all = append(all, event{e.Person, e.Codes})
	}
	return tables(all)
}

// Find is find, for tests from outside.
func (t *Table) Find(codes []string, hierarchies map[string]published.Hierarchy) (Count, bool) {
	return t.find(codes, hierarchies)
}
