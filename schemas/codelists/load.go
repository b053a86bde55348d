package codelists

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

//go:embed data/*.csv
var files embed.FS

// fixedColumns open every list; the columns after them are attributes.
var fixedColumns = []string{"code", "label_es", "label_en", "valid_from", "valid_to"}

func mustLoad() map[string]*List {
	lists := make(map[string]*List, len(names))
	for _, name := range names {
		l, err := load(name)
		if err != nil {
			panic(fmt.Sprintf("code lists: %v", err))
		}
		lists[name] = l
	}
	if err := loadSynonyms(lists); err != nil {
		panic(fmt.Sprintf("code lists: %v", err))
	}
	return lists
}

func inOrder(lists map[string]*List) []*List {
	out := make([]*List, 0, len(names))
	for _, name := range names {
		out = append(out, lists[name])
	}
	return out
}

func load(name string) (*List, error) {
	text, err := files.ReadFile("data/" + name + ".csv")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", name, err)
	}
	l, err := parse(name, text)
	if err != nil {
		return nil, fmt.Errorf("data/%s.csv: %w", name, err)
	}
	return l, nil
}

// parse reads one list. Errors name the line.
func parse(name string, text []byte) (*List, error) {
	r := csv.NewReader(bytes.NewReader(text))
	header, err := r.Read()
	if err != nil {
		return nil, err
	}
	if len(header) < len(fixedColumns) || strings.Join(header[:len(fixedColumns)], ",") != strings.Join(fixedColumns, ",") {
		return nil, fmt.Errorf("line 1: columns must begin with %s", strings.Join(fixedColumns, ","))
	}
	l := &List{Name: name, index: map[string]uint16{}, keys: map[string]string{}}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if err := l.add(header, row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if len(l.codes) < 2 {
		return nil, errors.New("a list needs its unknown code and one more")
	}
	l.Unknown = l.codes[0].Code
	return l, nil
}

func (l *List) add(header, row []string) error {
	c := Code{Code: row[0], LabelES: row[1], LabelEN: row[2], ValidFrom: row[3], ValidTo: row[4]}
	if c.Code == "" || c.LabelES == "" || c.LabelEN == "" {
		return errors.New("code and both labels must be there")
	}
	for _, day := range []string{c.ValidFrom, c.ValidTo} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return fmt.Errorf("code %s: validity %q is no ISO date", c.Code, day)
		}
	}
	for i, name := range header[len(fixedColumns):] {
		if v := row[len(fixedColumns)+i]; v != "" {
			if c.Attrs == nil {
				c.Attrs = make(map[string]string, len(header)-len(fixedColumns))
			}
			c.Attrs[name] = v
		}
	}
	if _, twice := l.index[c.Code]; twice {
		return fmt.Errorf("code %s stands there twice", c.Code)
	}
	if len(l.codes) > math.MaxUint16 {
		return errors.New("more codes than an index can number")
	}
	l.index[c.Code] = uint16(len(l.codes))
	l.codes = append(l.codes, c)
	return nil
}
