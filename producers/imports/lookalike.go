package imports

import "retorno/schemas/calendar"

// lookalikes asks whether rows without a person key that equal rows of another import are the same people: where both hold other
// rows in the main on the days that they share, they may be a list of other people. A longer export of the same list repeats
// all of a day, or next to all.
func (m *matching) lookalikes(target *history, before map[string]*history) error {
	for _, source := range sorted(before) {
		h := before[source]
		if h == target {
			continue
		}
		here, there, same := map[calendar.Day]int{}, map[calendar.Day]int{}, map[calendar.Day]int{}
		unlinked := 0
		for i, t := range m.rows {
			here[t.day]++
			if s := m.found[i]; s != nil && !s.void && s.of == h {
				same[t.day]++
				if !t.linked {
					unlinked++
				}
			}
		}
		for _, s := range h.records {
			if !s.void {
				there[s.day]++
			}
		}
		e := &AlikeError{Source: source, Alike: unlinked}
		equal, others := 0, 0
		for day, n := range here {
			if there[day] > 0 {
				equal, e.Rows, others = equal+same[day], e.Rows+n, others+there[day]
			}
		}
		if unlinked > 0 && 2*equal < min(e.Rows, others) {
			return e
		}
	}
	return nil
}
