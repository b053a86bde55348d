package shapes

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx/structure"
)

// cellOf is the count of an observation, which is named by its dimensions.
func (x *Index) cellOf(dimensions map[string]string, value int64) cell {
	columns, codes := []string{"time_period"}, []string{dimensions[structure.Time]}
	for name, code := range dimensions {
		if column, ok := x.columns[name]; ok && code != structure.Total {
			columns, codes = append(columns, column), append(codes, strings.ReplaceAll(code, "@", "+"))
		}
	}
	return cell{[]string{published.Key(dimensions[structure.Measure], columns, codes)}, value}
}

// readCSV reads SDMX-CSV 1.0, 2.0 and 2.1.
func (x *Index) readCSV(body []byte) (cells []cell, err error) {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(errForm, err)
	}
	value := slices.Index(rows[0], structure.Value)
	if value < 0 || !slices.Contains(rows[0], structure.Measure) || !slices.Contains(rows[0], structure.Time) {
		return nil, fmt.Errorf("%w: its columns are %q", errForm, rows[0])
	}
	for _, row := range rows[1:] {
		if row[value] == "" || row[value] == missing {
			continue
		}
		n, err := strconv.ParseInt(row[value], 10, 64)
		if err != nil {
			return nil, err
		}
		dimensions := map[string]string{}
		for i, name := range rows[0] {
			dimensions[name] = row[i]
		}
		cells = append(cells, x.cellOf(dimensions, n))
	}
	return cells, nil
}

// missing stands for a value that is withheld.
const missing = "NaN"

// message is a message of SDMX-ML on its way: the series and the observation that are open.
type message struct {
	series, observation map[string]string
	values              map[string]string // where the values of a generic key go
}

// readML reads SDMX-ML: the generic and the structure-specific form of 2.1, and 3.0.
func (x *Index) readML(body []byte) (cells []cell, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	m := message{series: map[string]string{}, observation: map[string]string{}}
	root := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && strings.HasSuffix(root, "Data") {
			return cells, nil
		}
		if err != nil {
			return nil, errors.Join(errForm, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if root == "" {
				root = e.Name.Local
			}
			m.open(e)
		case xml.EndElement:
			if e.Name.Local != "Obs" {
				continue
			}
			text := m.observation[structure.Value]
			if text == "" || text == missing {
				continue
			}
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, err
			}
			for name, code := range m.series {
				m.observation[name] = code
			}
			cells = append(cells, x.cellOf(m.observation, n))
		}
	}
}

// open takes what an element begins.
func (m *message) open(e xml.StartElement) {
	own := map[string]string{}
	for _, a := range e.Attr {
		if a.Name.Space == "" {
			own[a.Name.Local] = a.Value
		}
	}
	switch e.Name.Local {
	case "Series":
		m.series = own
	case "Obs":
		m.observation = own
	case "SeriesKey":
		m.values = m.series
	case "ObsKey":
		m.values = m.observation
	case "Attributes":
		m.values = map[string]string{} // of no key
	case "Value":
		if m.values != nil {
			m.values[own["id"]] = own["value"]
		}
	case "ObsDimension":
		m.observation[structure.Time] = own["value"]
	case "ObsValue":
		m.observation[structure.Value] = own["value"]
	}
}

// dimension is one of SDMX-JSON with the values that a message has of it.
type dimension struct {
	ID     string
	Values []struct{ ID, Value string }
}

// readJSON reads SDMX-JSON 2.0.
func (x *Index) readJSON(body []byte) (cells []cell, err error) {
	type observations map[string][]any
	var d struct {
		Data struct {
			Structures []struct {
				Dimensions struct{ Series, Observation []dimension }
			}
			DataSets []struct {
				Series map[string]struct{ Observations observations }
			}
		}
	}
	if err := json.Unmarshal(body, &d); err != nil || len(d.Data.Structures) != 1 {
		return nil, errors.Join(errForm, err)
	}
	of := d.Data.Structures[0].Dimensions
	for _, set := range d.Data.DataSets {
		for place, series := range set.Series {
			for within, row := range series.Observations {
				if len(row) == 0 {
					continue
				}
				dimensions := map[string]string{}
				if err := errors.Join(placed(dimensions, of.Series, place), placed(dimensions, of.Observation, within)); err != nil {
					return nil, err
				}
				if value, given := row[0].(float64); given {
					cells = append(cells, x.cellOf(dimensions, int64(value)))
				}
			}
		}
	}
	return cells, nil
}

// placed names the codes that a key means, such as 0:3:1: places among the values of each dimension.
func placed(into map[string]string, dimensions []dimension, key string) error {
	for i, text := range strings.Split(key, ":") {
		at, err := strconv.Atoi(text)
		if err != nil || i >= len(dimensions) || at < 0 || at >= len(dimensions[i].Values) {
			return fmt.Errorf("%w: its key %q leads nowhere", errForm, key)
		}
		value := dimensions[i].Values[at]
		into[dimensions[i].ID] = value.ID
		if value.ID == "" {
			into[dimensions[i].ID] = value.Value // of the time
		}
	}
	return nil
}
