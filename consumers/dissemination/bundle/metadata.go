package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
)

// metadata describes a table's file by the W3C's Metadata Vocabulary for Tabular Data (https://www.w3.org/TR/tabular-metadata/).
type metadata struct {
	Context     [2]any   `json:"@context"`
	URL         string   `json:"url"`
	Title       titles   `json:"dc:title"`
	Measure     string   `json:"dc:subject,omitempty"`
	TableSchema tableDef `json:"tableSchema"`
}

type tableDef struct {
	Columns    []columnDef `json:"columns"`
	PrimaryKey []string    `json:"primaryKey"`
}

type columnDef struct {
	Name     string `json:"name"`
	Titles   string `json:"titles"`
	Datatype any    `json:"datatype"`
	Required bool   `json:"required,omitempty"`
}

type titles []langString

type langString struct {
	Value    string `json:"@value"`
	Language string `json:"@language"`
}

func (t Table) describe() ([]byte, error) {
	m := metadata{Context: [2]any{"http://www.w3.org/ns/csvw", map[string]string{"@language": "en"}}, URL: t.ID + ".csv",
		Title: titles{{t.Title.ES, "es"}, {t.Title.EN, "en"}}, Measure: t.Measure}
	m.TableSchema.PrimaryKey = slices.Clone(t.Columns)
	for _, name := range t.header() {
		c := columnDef{Name: name, Titles: name, Datatype: "string", Required: name != valueColumn}
		switch name {
		case valueColumn:
			c.Datatype = "nonNegativeInteger"
		case statusColumn:
			c.Datatype = map[string]string{"base": "string", "format": "[APQ]"}
		case vintageColumn:
			c.Datatype = "positiveInteger"
		}
		m.TableSchema.Columns = append(m.TableSchema.Columns, c)
	}
	return indented(m)
}

// described reads what describe wrote.
func described(body []byte) (t Table, err error) {
	var m metadata
	if err := json.Unmarshal(body, &m); err != nil {
		return t, err
	}
	t.Measure = m.Measure
	for _, v := range m.Title {
		switch v.Language {
		case "es":
			t.Title.ES = v.Value
		case "en":
			t.Title.EN = v.Value
		}
	}
	t.Columns = m.TableSchema.PrimaryKey
	if len(t.Columns) == 0 {
		return t, errors.New("it has no primary key")
	}
	return t, nil
}

// indented is JSON as people read it, with a line end at the end.
func indented(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(what)
	return out.Bytes(), err
}
