package shapes

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
)

// reader reads a form of a table.
type reader func(body []byte, t *bundle.Table) ([]cell, error)

// byFormat and bySuffix have them as servers and as bundles call them.
var (
	byFormat = map[string]reader{"csv": readCSV, "hxl": readHXL, "json": readJSON, "jsonstat": readJSONStat, "parquet": readParquet}
	bySuffix = map[string]reader{"hxl.csv": readHXL, "json": readJSON, "jsonstat.json": readJSONStat, "parquet": readParquet}
)

var errForm = errors.New("it is not such a table")

// ofTable is the count of a table under codes.
func ofTable(t *bundle.Table) func(codes []string, value int64) cell {
	return func(codes []string, value int64) cell {
		return cell{[]string{published.Key(t.Measure, t.Columns, codes)}, value}
	}
}

// lines reads CSV that has some columns of codes and one of the count. skip lines stand below the header.
func lines(body []byte, columns []string, count string, skip int, of func([]string, int64) cell) (cells []cell, err error) {
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 1+skip {
		return nil, errors.Join(errForm, err)
	}
	at, value := make([]int, len(columns)), slices.Index(rows[0], count)
	for i, column := range columns {
		at[i] = slices.Index(rows[0], column)
	}
	if value < 0 || slices.Contains(at, -1) {
		return nil, fmt.Errorf("%w: its columns are %q", errForm, rows[0])
	}
	for _, row := range rows[1+skip:] {
		if row[value] == "" {
			continue
		}
		n, err := strconv.ParseInt(row[value], 10, 64)
		if err != nil {
			return nil, err
		}
		codes := make([]string, len(at))
		for i, place := range at {
			codes[i] = row[place]
		}
		cells = append(cells, of(codes, n))
	}
	return cells, nil
}

func readCSV(body []byte, t *bundle.Table) ([]cell, error) {
	return lines(body, t.Columns, "obs_value", 0, ofTable(t))
}

// readHXL reads CSV with a row of hashtags.
func readHXL(body []byte, t *bundle.Table) ([]cell, error) {
	return lines(body, t.Columns, t.Measure, 1, ofTable(t))
}

// readJSON reads one object for each cell.
func readJSON(body []byte, t *bundle.Table) (cells []cell, err error) {
	var d struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	for _, row := range d.Rows {
		value, given := row["obs_value"].(float64)
		codes := make([]string, len(t.Columns))
		for i, column := range t.Columns {
			var ok bool
			if codes[i], ok = row[column].(string); !ok {
				return nil, fmt.Errorf("%w: a row has no %s", errForm, column)
			}
		}
		if given {
			cells = append(cells, ofTable(t)(codes, int64(value)))
		}
	}
	return cells, nil
}

// readJSONStat reads a dataset of JSON-stat 2.0.
func readJSONStat(body []byte, t *bundle.Table) (cells []cell, err error) {
	var d struct {
		ID        []string
		Value     []*int64
		Dimension map[string]struct {
			Category struct{ Index []string }
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	places := 1
	for _, id := range d.ID {
		places *= len(d.Dimension[id].Category.Index)
	}
	if places != len(d.Value) {
		return nil, fmt.Errorf("%w: %d values for %d places", errForm, len(d.Value), places)
	}
	for place, value := range d.Value {
		if value == nil {
			continue
		}
		codes := make([]string, len(d.ID))
		for i := len(d.ID) - 1; i >= 0; i-- {
			index := d.Dimension[d.ID[i]].Category.Index
			codes[i], place = index[place%len(index)], place/len(index)
		}
		cells = append(cells, cell{[]string{published.Key(t.Measure, d.ID, codes)}, *value})
	}
	return cells, nil
}

// readParquet reads one row for each cell.
func readParquet(body []byte, t *bundle.Table) (cells []cell, err error) {
	f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	names := f.Schema().Columns()
	at := func(name string) int {
		return slices.IndexFunc(names, func(path []string) bool { return len(path) == 1 && path[0] == name })
	}
	places, count := make([]int, len(t.Columns)), at("obs_value")
	for i, column := range t.Columns {
		places[i] = at(column)
	}
	if count < 0 || slices.Contains(places, -1) {
		return nil, fmt.Errorf("%w: its columns are %q", errForm, names)
	}
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, 64)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				if row[count].IsNull() {
					continue
				}
				codes := make([]string, len(places))
				for i, place := range places {
					codes[i] = row[place].String()
				}
				cells = append(cells, ofTable(t)(codes, row[count].Int64()))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, errors.Join(err, rows.Close())
			}
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return cells, nil
}
