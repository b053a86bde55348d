package shapes

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
	"golang.org/x/net/html"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/sdmx/structure"
)

// documents are the readers of what people read, by suffix. PDF is made of the same pages, and is not read.
func (x *Index) documents() map[string]func([]byte) ([]cell, error) {
	return map[string]func([]byte) ([]cell, error){".html": x.readHTML, ".xlsx": x.readXLSX, ".ods": x.readODS}
}

// marks stand behind or within a count, and withheld in its place.
var (
	marks    = regexp.MustCompile(`\[[pr]\]|⟨\d+⟩|[,\s]`)
	withheld = regexp.MustCompile(`^\[[cxz]\]$`)
)

// count reads a printed count. It reports whether the text is one or stands in the place of one, and whether a count is given.
func count(text string) (n int64, given, ok bool) {
	text = marks.ReplaceAllString(text, "")
	if withheld.MatchString(text) {
		return 0, false, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil, err == nil
}

// printed adds a count that stands under a key, such as T2:S.returns.registered.MX: a dataflow, and codes in the order of the dimensions.
func (x *Index) printed(cells []cell, key, period, text string) ([]cell, error) {
	n, given, ok := count(text)
	_, series, has := strings.Cut(key, ":")
	codes := strings.Split(series, ".")
	if !ok || !has || len(codes) > len(x.order) {
		return nil, fmt.Errorf("%w: %q stands under the key %q", errForm, text, key)
	}
	if !given {
		return cells, nil
	}
	dimensions := map[string]string{structure.Time: period}
	for i, code := range codes {
		dimensions[x.order[i]] = code
	}
	return append(cells, x.cellOf(dimensions, n)), nil
}

// readHTML reads the counts of a page that carry their keys.
func (x *Index) readHTML(body []byte) (cells []cell, err error) {
	z := html.NewTokenizer(bytes.NewReader(body))
	key, period, text := "", "", ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			if errors.Is(z.Err(), io.EOF) {
				return cells, nil
			}
			return nil, z.Err()
		case html.TextToken:
			if key != "" {
				text += string(z.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			if key != "" {
				if cells, err = x.printed(cells, key, period, html.UnescapeString(text)); err != nil {
					return nil, err
				}
			}
			key, period, text = "", "", ""
			for _, a := range z.Token().Attr {
				switch a.Key {
				case "data-key":
					key = a.Val
				case "data-period":
					period = a.Val
				}
			}
		}
	}
}

// sheet is one of a workbook. seen is the number of columns that are, 0 where all are.
type sheet struct {
	name string
	rows [][]string
	seen int
}

// readXLSX reads an Excel workbook.
func (x *Index) readXLSX(body []byte) (cells []cell, err error) {
	f, err := excelize.OpenReader(bytes.NewReader(body), excelize.Options{UnzipSizeLimit: bundle.MaxFile, UnzipXMLSizeLimit: bundle.MaxFile})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var all []sheet
	for _, name := range f.GetSheetList() {
		s := sheet{name: name}
		if s.rows, err = f.GetRows(name, excelize.Options{RawCellValue: true}); err != nil {
			return nil, err
		}
		columns := 0
		for _, row := range s.rows {
			columns = max(columns, len(row))
		}
		for column := 1; column <= columns && s.seen == 0; column++ {
			letters, err := excelize.ColumnNumberToName(column)
			if err != nil {
				return nil, err
			}
			if visible, err := f.GetColVisible(name, letters); err != nil {
				return nil, err
			} else if !visible {
				s.seen = column - 1
			}
		}
		all = append(all, s)
	}
	return x.ofSheets(all)
}

// readODS reads an OpenDocument spreadsheet.
func (x *Index) readODS(body []byte) ([]cell, error) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, err
	}
	f, err := z.Open("content.xml")
	if err != nil {
		return nil, err
	}
	type column struct {
		Visibility string `xml:"visibility,attr"`
	}
	var content struct {
		Tables []struct {
			Name    string   `xml:"name,attr"`
			Columns []column `xml:"table-column"`
			Rows    []struct {
				Cells []struct {
					Value string   `xml:"value,attr"`
					Text  []string `xml:"p"`
				} `xml:"table-cell"`
			} `xml:"table-row"`
		} `xml:"body>spreadsheet>table"`
	}
	err = xml.NewDecoder(io.LimitReader(f, bundle.MaxFile)).Decode(&content)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	var all []sheet
	for _, t := range content.Tables {
		s := sheet{name: t.Name, seen: max(0, slices.IndexFunc(t.Columns, func(c column) bool { return c.Visibility == "collapse" }))}
		for _, r := range t.Rows {
			var row []string
			for _, c := range r.Cells {
				if c.Value == "" {
					c.Value = strings.Join(c.Text, "")
				}
				row = append(row, c.Value)
			}
			s.rows = append(s.rows, row)
		}
		all = append(all, s)
	}
	return x.ofSheets(all)
}

// ofSheets reads the counts of a workbook, whose period stands on its cover. Hidden columns have the keys of the columns of numbers, in their order.
func (x *Index) ofSheets(sheets []sheet) (cells []cell, err error) {
	if len(sheets) == 0 || len(sheets[0].rows) < 3 || len(sheets[0].rows[2]) < 2 {
		return nil, errForm
	}
	period := sheets[0].rows[2][1]
	for _, s := range sheets {
		keyed := slices.DeleteFunc(slices.Clone(s.rows), func(row []string) bool { return s.seen == 0 || len(row) <= s.seen })
		if len(keyed) == 0 {
			continue
		}
		numbers := -1
		for column := s.seen - 1; column >= 0; column-- {
			if !slices.ContainsFunc(keyed, func(row []string) bool { _, _, ok := count(row[column]); return !ok }) {
				numbers = column
			}
		}
		if numbers < 0 {
			return nil, fmt.Errorf("%w: sheet %s has keys and no numbers", errForm, s.name)
		}
		for _, row := range keyed {
			for i, key := range row[s.seen:] {
				if key == "" {
					continue
				}
				if numbers+i >= s.seen {
					return nil, fmt.Errorf("%w: sheet %s has more keys than numbers", errForm, s.name)
				}
				if cells, err = x.printed(cells, key, period, row[numbers+i]); err != nil {
					return nil, fmt.Errorf("sheet %s: %w", s.name, err)
				}
			}
		}
	}
	return cells, nil
}
