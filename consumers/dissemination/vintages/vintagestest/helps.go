package vintagestest

import "retorno/consumers/dissemination/disclosure/lattice"

// helps are the helps given to every eighth registered return of a made half-year, of which every fifth has another; who was helped, once
// and once for each kind; and the document checks of every fourth who was seen at a post.
func helps(returns lattice.Data) []lattice.Data {
	const source, sex, age, entry, centre = 0, 3, 4, 7, 8 // in the codes of a return
	given := lattice.Data{Measure: "helps", Columns: []string{"kind", "centre"}}
	people := lattice.Data{Measure: "people", Columns: []string{"sex", "age"}}
	byKind := lattice.Data{Measure: "people_by_kind", Columns: []string{"kind"}}
	checks := lattice.Data{Measure: "crossings", Columns: []string{"result", "post"}}
	kinds := []string{"food", "food", "hygiene_kit", "clothing", "medical", "transport", "phone_call", "clothing"}
	results := []string{"genuine", "genuine", "not_checked", "genuine", "none_carried", "genuine", "suspected_false"}
	add := func(d *lattice.Data, r lattice.Row, codes ...string) {
		d.Rows = append(d.Rows, lattice.Row{Person: r.Person, Month: r.Month, Codes: codes})
	}
	for i, r := range returns.Rows {
		if r.Codes[source] != "registered_only" && i%4 == 0 {
			add(&checks, r, results[i/4%len(results)], r.Codes[entry])
		}
		if r.Codes[source] == "post_only" || i%8 != 0 {
			continue
		}
		kind := kinds[i/8%len(kinds)]
		if i < 8*rare {
			kind = "cash"
		}
		add(&people, r, r.Codes[sex], r.Codes[age])
		add(&given, r, kind, r.Codes[centre])
		add(&byKind, r, kind)
		if i/8%5 == 0 {
			add(&given, r, "information", r.Codes[centre])
			add(&byKind, r, "information")
		}
	}
	return []lattice.Data{given, people, byKind, checks}
}
