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

// ChangeOf is what made events come and go for a reason.
func ChangeOf(reason string, added, removed []Event) Change {
	c := Change{Reason: reason, Added: TablesOf(added), Removed: TablesOf(removed), Persons: map[string]int64{}}
	of := map[int][2][]Event{}
	for i, part := range [][]Event{added, removed} {
		for _, e := range part {
			both := of[e.Person]
			both[i] = append(both[i], e)
			of[e.Person] = both
		}
	}
	for _, both := range of {
		gained, lost := TablesOf(both[0]), TablesOf(both[1])
		seen := map[string]bool{}
		for i, t := range gained.Tables {
			for j, n := range t.Counts {
				key := published.Key(t.Measure, t.Columns, n.Codes)
				if !seen[key] && n.Value != lost.Tables[i].Counts[j].Value {
					c.Persons[key]++
				}
				seen[key] = true
			}
		}
	}
	return c
}
