package bundle

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
)

// Reasons are the columns of revision.csv that have the amounts of reasons; those that are not named are in the last.
var Reasons = []string{"late", "correction", "void", "method", "code_list"}

const otherReason = "other"

// differencesHeader names the cell as other tables do: the measure, and each column that is not summed over with its code.
func differencesHeader() []string {
	return append(append([]string{"measure", "cell", "before", "after"}, Reasons...), otherReason)
}

func encodeDifferences(all []published.Difference) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(differencesHeader())
	for _, d := range slices.SortedFunc(slices.Values(all), func(a, b published.Difference) int { return cmp.Compare(a.Key, b.Key) }) {
		measure, cell, _ := strings.Cut(d.Key, "|")
		line := []string{measure, cell, strconv.FormatInt(d.Before, 10), strconv.FormatInt(d.After, 10)}
		for _, r := range Reasons {
			line = append(line, strconv.FormatInt(d.By[r], 10))
		}
		_ = w.Write(append(line, strconv.FormatInt(d.Other, 10)))
	}
	w.Flush()
	return out.Bytes()
}

// parseDifferences reads what encodeDifferences wrote. Reasons whose amount is 0 are not in By. The error names the line.
func parseDifferences(body []byte) (all []published.Difference, err error) {
	err = lines(body, differencesHeader(), func(f []string) error {
		d := published.Difference{Key: f[0] + "|" + f[1], By: map[string]int64{}}
		numbers := make([]int64, len(f)-2)
		var sum int64
		for i, text := range f[2:] {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number", text)
			}
			numbers[i] = n
			if i >= 2 {
				sum += n
			}
			if i >= 2 && i < 2+len(Reasons) && n != 0 {
				d.By[Reasons[i-2]] = n
			}
		}
		d.Before, d.After, d.Other = numbers[0], numbers[1], numbers[len(numbers)-1]
		if sum != d.After-d.Before {
			return fmt.Errorf("the reasons come to %d, and the count changed by %d", sum, d.After-d.Before)
		}
		all = append(all, d)
		return nil
	})
	return all, err
}

// agree checks that what revision.csv says a count has become is what the tables show.
func (b *Bundle) agree() error {
	if len(b.Differences) == 0 {
		return nil
	}
	shown := map[string]published.Cell{}
	for _, t := range b.Tables {
		for _, c := range t.Cells {
			shown[published.Key(t.Measure, t.Columns, c.Codes)] = c
		}
	}
	for _, d := range b.Differences {
		if c, ok := shown[d.Key]; !ok || c.Withheld || c.Kept || c.Value != d.After {
			return fmt.Errorf("%s is said to be %d now, and no table shows that", d.Key, d.After)
		}
	}
	return nil
}

// describeDifferences is the metadata of revision.csv.
func describeDifferences() ([]byte, error) {
	m := metadata{Context: [2]any{"http://www.w3.org/ns/csvw", map[string]string{"@language": "en"}}, URL: DifferencesPath,
		Title: titles{{"Conteos que esta revisión cambia, y por qué", "es"}, {"Counts that this revision changes, and why", "en"}}}
	m.TableSchema.PrimaryKey = []string{"measure", "cell"}
	for i, name := range differencesHeader() {
		c := columnDef{Name: name, Titles: name, Datatype: "integer", Required: name != "cell"}
		if i < 2 {
			c.Datatype = "string"
		}
		m.TableSchema.Columns = append(m.TableSchema.Columns, c)
	}
	return indented(m)
}
