package sdmx_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// set is a data set as a test reads it: observations by the text of their keys, each with the text of the rest.
type set struct {
	action string
	rows   map[string]string
}

// text is what a row says: components by name, in one order.
func text(values map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" && values[name] != "NaN" {
			parts = append(parts, name+"="+values[name])
		}
	}
	return strings.Join(parts, " ")
}

// rest are the components that are no dimensions.
var rest = []string{"OBS_VALUE", "OBS_STATUS", "CONF_STATUS", "VINTAGE", "COVERAGE", "BASE"}

// add adds a row of components by name.
func (s *set) add(t *testing.T, row map[string]string) {
	t.Helper()
	key, other := map[string]string{}, map[string]string{}
	for name, value := range row {
		if slices.Contains(rest, name) {
			other[name] = value
		} else {
			key[name] = value
		}
	}
	if s.rows == nil {
		s.rows = map[string]string{}
	}
	name := text(key)
	if _, ok := s.rows[name]; ok {
		t.Errorf("%s stands there twice", name)
	}
	s.rows[name] = text(other)
}

type xmlValue struct {
	ID    string `xml:"id,attr"`
	Value string `xml:"value,attr"`
}

type genericObservation struct {
	Key        []xmlValue `xml:"ObsKey>Value"`
	Dimension  xmlValue   `xml:"ObsDimension"`
	Value      xmlValue   `xml:"ObsValue"`
	Attributes []xmlValue `xml:"Attributes>Value"`
}

type dataXML struct {
	Structure struct {
		At string `xml:"dimensionAtObservation,attr"`
	} `xml:"Header>Structure"`
	Sets []struct {
		Action string `xml:"action,attr"`
		Series []struct {
			Key []xmlValue           `xml:"SeriesKey>Value"`
			Obs []genericObservation `xml:"Obs"`
		} `xml:"Series"`
		Obs []genericObservation `xml:"Obs"`
	} `xml:"DataSet"`
}

type specific struct {
	Attributes []xml.Attr `xml:",any,attr"`
}

// readGeneric reads the generic form.
func readGeneric(t *testing.T, body string) (sets []set) {
	t.Helper()
	var m dataXML
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Sets {
		out := set{action: s.Action}
		observation := func(key []xmlValue, o genericObservation) {
			row := map[string]string{}
			for _, v := range slices.Concat(key, o.Key, o.Attributes) {
				row[v.ID] = v.Value
			}
			if o.Dimension.Value != "" {
				row[m.Structure.At] = o.Dimension.Value
			}
			row["OBS_VALUE"] = o.Value.Value
			out.add(t, row)
		}
		for _, series := range s.Series {
			for _, o := range series.Obs {
				observation(series.Key, o)
			}
			if len(series.Obs) == 0 {
				observation(series.Key, genericObservation{})
			}
		}
		for _, o := range s.Obs {
			observation(nil, o)
		}
		sets = append(sets, out)
	}
	return sets
}

// readSpecific reads the structure-specific form.
func readSpecific(t *testing.T, body string) (sets []set) {
	t.Helper()
	var m struct {
		Sets []struct {
			Action string `xml:"action,attr"`
			Series []struct {
				specific
				Obs []specific `xml:"Obs"`
			} `xml:"Series"`
			Obs []specific `xml:"Obs"`
		} `xml:"DataSet"`
	}
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	for _, s := range m.Sets {
		out := set{action: s.Action}
		observation := func(all ...specific) {
			row := map[string]string{}
			for _, part := range all {
				for _, a := range part.Attributes {
					row[a.Name.Local] = a.Value
				}
			}
			out.add(t, row)
		}
		for _, series := range s.Series {
			for _, o := range series.Obs {
				observation(series.specific, o)
			}
			if len(series.Obs) == 0 {
				observation(series.specific)
			}
		}
		for _, o := range s.Obs {
			observation(o)
		}
		sets = append(sets, out)
	}
	return sets
}

// folded joins neighbouring sets of one action, as CSV has them: it does not tell where one ends. A later row stands for an earlier one.
func folded(sets []set) (out []set) {
	for _, s := range sets {
		if len(out) == 0 || out[len(out)-1].action != s.action {
			out = append(out, set{s.action, map[string]string{}})
		}
		maps.Copy(out[len(out)-1].rows, s.rows)
	}
	return out
}

// readCSV reads CSV of any version; 1.0 says nothing of actions.
func readCSV(t *testing.T, body string) (sets []set) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]string{"R": "Replace", "M": "Append", "D": "Delete", "": ""}
	for _, cells := range rows[1:] {
		row, action := map[string]string{}, ""
		for i, name := range rows[0] {
			switch name {
			case "ACTION":
				action = actions[cells[i]]
			case "STRUCTURE", "STRUCTURE_ID", "DATAFLOW":
			default:
				row[name] = cells[i]
			}
		}
		one := set{action: action}
		one.add(t, row)
		sets = append(sets, one)
	}
	return folded(sets)
}

type jsonComponent struct {
	ID     string `json:"id"`
	Values []struct {
		ID    string `json:"id"`
		Value string `json:"value"`
	} `json:"values"`
}

func (c jsonComponent) value(at int) string {
	return c.Values[at].ID + c.Values[at].Value // each has one of them
}

type dataJSON struct {
	Data struct {
		Structures []struct {
			Dimensions struct {
				Series, Observation []jsonComponent
			} `json:"dimensions"`
			Measures, Attributes struct {
				Observation []jsonComponent
			}
		} `json:"structures"`
		DataSets []struct {
			Action       string
			Observations map[string][]any
			Series       map[string]struct{ Observations map[string][]any }
		} `json:"dataSets"`
	} `json:"data"`
}

// readJSON reads SDMX-JSON 2.0.
func readJSON(t *testing.T, body string) (sets []set) {
	t.Helper()
	var m dataJSON
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	of := m.Data.Structures[0]
	key := func(row map[string]string, components []jsonComponent, places string) {
		for i, place := range strings.Split(places, ":") {
			at, err := strconv.Atoi(place)
			if err != nil {
				t.Fatal(err)
			}
			row[components[i].ID] = components[i].value(at)
		}
	}
	for _, s := range m.Data.DataSets {
		out := set{action: s.Action}
		observations := func(series string, all map[string][]any) {
			for places, cells := range all {
				row := map[string]string{}
				if series != "" {
					key(row, of.Dimensions.Series, series)
				}
				key(row, of.Dimensions.Observation, places)
				for range of.Measures.Observation {
					row["OBS_VALUE"], cells = fmt.Sprint(cells[0]), cells[1:]
				}
				for i, c := range of.Attributes.Observation {
					if at, ok := cells[i].(float64); ok {
						row[c.ID] = c.value(int(at))
					}
				}
				out.add(t, row)
			}
		}
		observations("", s.Observations)
		for places, one := range s.Series {
			if one.Observations == nil {
				row := map[string]string{}
				key(row, of.Dimensions.Series, places)
				out.add(t, row)
			}
			observations(places, one.Observations)
		}
		sets = append(sets, out)
	}
	return sets
}
