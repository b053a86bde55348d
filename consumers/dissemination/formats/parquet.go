package formats

import (
	"bytes"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// writeParquet writes one row for each cell, with the columns of JSON in their order. Codes and labels are dictionaries; a withheld
// count is null. What the table is, with its notes, is in the metadata of the file under the key "retorno", as JSON.
func writeParquet(s Slice) ([]byte, error) {
	var names []string
	nodes := parquet.Group{}
	add := func(name string, node parquet.Node) {
		names, nodes[name] = append(names, name), parquet.Compressed(node, &parquet.Zstd)
	}
	word := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	for _, name := range s.Table.Columns {
		add(name, word)
		if labelled(name) {
			add(name+labelSuffix, word)
		}
	}
	add("obs_value", parquet.Optional(parquet.Int(64)))
	add("obs_status", word)
	add("vintage", word)
	d := document{about: s.about(), Title: text(s.Table.Title), Unit: measures[s.Table.Measure].text, Source: source, Notes: s.notes()}
	said, err := indented(d)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := parquet.NewWriter(&out, parquet.NewSchema(s.Table.ID, inOrder{nodes, names}), parquet.CreatedBy("retorno", "", ""), parquet.KeyValueMetadata("retorno", string(said)))
	for _, r := range s.rows() {
		if _, err := w.WriteRows([]parquet.Row{s.parquetRow(r)}); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (s Slice) parquetRow(r row) (line parquet.Row) {
	add := func(v parquet.Value, defined int) { line = append(line, v.Level(0, defined, len(line))) }
	for i, name := range s.Table.Columns {
		add(parquet.ValueOf(r.codes[i]), 0)
		if labelled(name) {
			add(parquet.ValueOf(r.labels[i]), 0)
		}
	}
	if r.value == nil {
		add(parquet.NullValue(), 0)
	} else {
		add(parquet.ValueOf(*r.value), 1)
	}
	add(parquet.ValueOf(r.status), 0)
	add(parquet.ValueOf(r.vintage), 0)
	return line
}

// inOrder is a group whose columns stand as they were named; the library sorts those of a Group.
type inOrder struct {
	parquet.Group
	names []string
}

// Fields are the columns.
func (g inOrder) Fields() []parquet.Field {
	fields := g.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int { return slices.Index(g.names, a.Name()) - slices.Index(g.names, b.Name()) })
	return fields
}
