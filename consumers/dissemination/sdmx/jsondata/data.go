package jsondata

import (
	"strconv"
	"strings"

	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

const dataSchema = "https://json.sdmx.org/2.0.0/sdmx-json-data-schema.json"

// zone is that of Honduras, in which periods begin and end: a date-time of JSON Schema has one (RFC 3339).
const zone = "-06:00"

// Data writes an answer, with names in a language first.
func Data(a *query.Answer, lang string) []byte {
	m := &message{Answer: a, lang: lang, places: map[string]map[string]int{}, values: map[string][]any{}}
	var sets []any
	places := []int{}
	for i, s := range a.Sets {
		sets, places = append(sets, m.set(s)), append(places, i)
	}
	one := object{"dataSets": places, "links": []any{object{"rel": "dataflow", "urn": flowURN(a.Flow.ID)}, object{"rel": "datastructure", "urn": structureURN}}}.named(a.Flow.Name, lang)
	m.describe(one)
	return write(meta(dataSchema, structure.Agency+"-"+a.Flow.ID, lang, a.Published), object{"structures": []any{one}, "dataSets": sets})
}

// message gathers the values that stand in a message: observations have their places alone.
type message struct {
	*query.Answer
	lang   string
	places map[string]map[string]int // by component and value
	values map[string][]any
}

// place is the place of a value among those of its component.
func (m *message) place(c structure.Component, value string, o *cells.Observation) int {
	if m.places[c.ID] == nil {
		m.places[c.ID] = map[string]int{}
	}
	at, ok := m.places[c.ID][value]
	if ok {
		return at
	}
	at = len(m.values[c.ID])
	m.places[c.ID][value] = at
	switch {
	case c.List != nil:
		m.values[c.ID] = append(m.values[c.ID], object{"id": value}.named(structure.Text{ES: c.Label(value, "es"), EN: c.Label(value, "en")}, m.lang))
	case c.ID == structure.Time:
		m.values[c.ID] = append(m.values[c.ID], object{"value": value, "start": o.Period.First.String() + "T00:00:00" + zone, "end": o.Period.Last.String() + "T23:59:59" + zone})
	default:
		m.values[c.ID] = append(m.values[c.ID], object{"value": value})
	}
	return at
}

// dimensions are those of groups and those of observations in them.
func (m *message) dimensions() (group, observation []structure.Component) {
	for _, d := range append(append([]structure.Component{}, m.Structures.Dimensions...), m.Structures.Period) {
		if m.AtObservation == query.AllDimensions || d.ID == m.AtObservation {
			observation = append(observation, d)
		} else {
			group = append(group, d)
		}
	}
	return group, observation
}

// key is that of a group or of an observation in it: places with colons between them.
func (m *message) key(dimensions []structure.Component, o *cells.Observation) string {
	parts := make([]string, len(dimensions))
	for i, d := range dimensions {
		parts[i] = strconv.Itoa(m.place(d, query.Value(m.Structures, o, d.ID), o))
	}
	return strings.Join(parts, ":")
}

func (m *message) set(s query.Set) object {
	out := object{"structure": 0, "action": s.Action, "links": []any{object{"rel": "dataflow", "urn": flowURN(m.Flow.ID)}}}
	if !s.From.IsZero() {
		out["validFrom"] = moment(s.From)
	}
	if !s.To.IsZero() {
		out["validTo"] = moment(s.To)
	}
	group, observation := m.dimensions()
	if m.AtObservation == query.AllDimensions {
		out["observations"] = m.observations(observation, s.Observations)
		return out
	}
	series := ordered{}
	for _, g := range m.Groups(s.Observations) {
		one := object{}
		if !m.SeriesOnly {
			one["observations"] = m.observations(observation, g.Observations)
		}
		series = append(series, member{m.key(group, g.Observations[0]), one})
	}
	out["series"] = series
	return out
}

func (m *message) observations(dimensions []structure.Component, all []*cells.Observation) ordered {
	out := ordered{}
	for _, o := range all {
		row := []any{}
		switch {
		case m.Measures && o.Withheld:
			row = append(row, "NaN")
		case m.Measures:
			row = append(row, o.Count)
		}
		for _, c := range m.Attributes {
			if value := o.Value(c.ID); value != "" {
				row = append(row, m.place(c, value, o))
			} else {
				row = append(row, nil)
			}
		}
		out = append(out, member{m.key(dimensions, o), row})
	}
	return out
}

// describe adds the components, after all values were met.
func (m *message) describe(o object) {
	component := func(c structure.Component) object {
		one := object{"id": c.ID}.named(c.Name, m.lang).described(c.Description, m.lang)
		if all := m.values[c.ID]; all != nil {
			one["values"] = all
		}
		return one
	}
	group, observation := m.dimensions()
	dimensions := func(of []structure.Component) []any {
		all := []any{}
		for _, c := range of {
			one := component(c)
			if one["keyPosition"] = m.Structures.Position(c.ID); c.ID == structure.Time {
				one["keyPosition"] = len(m.Structures.Dimensions)
			}
			all = append(all, one)
		}
		return all
	}
	described := object{}
	if len(group) > 0 {
		described["series"] = dimensions(group)
	}
	if !m.SeriesOnly || len(group) == 0 {
		described["observation"] = dimensions(observation)
	}
	o["dimensions"] = described
	if m.Measures {
		measure := component(m.Structures.Primary)
		measure["format"] = object{"dataType": "Long"}
		o["measures"] = object{"observation": []any{measure}}
	}
	attributes := []any{}
	for _, c := range m.Attributes {
		one := component(c)
		one["isMandatory"] = c.Required
		one["relationship"] = object{"observation": object{}}
		attributes = append(attributes, one)
	}
	if len(attributes) > 0 {
		o["attributes"] = object{"observation": attributes}
	}
}
