package formats

import (
	"bytes"
	"encoding/csv"
	"strconv"

	"retorno/schemas/calendar"
)

// writeHXL writes CSV with a row of hashtags below the header (HXL 1.1, Tagging conventions). A period is given by its name and by its
// first and last day. A withheld count is empty, and #status has the reason: tools demand numbers under a hashtag of persons.
func writeHXL(s Slice) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out) // writes into memory, which does not fail
	header, tags := s.headerHXL()
	_ = w.Write(header)
	_ = w.Write(tags)
	for _, r := range s.rows() {
		var line []string
		for i, name := range s.Table.Columns {
			if labelled(name) {
				line = append(line, r.codes[i], r.labels[i])
				continue
			}
			p, err := calendar.ParsePeriod(r.codes[i])
			if err != nil {
				return nil, err
			}
			line = append(line, p.Label, p.First.String(), p.Last.String())
		}
		value := ""
		if r.value != nil {
			value = strconv.FormatInt(*r.value, 10)
		}
		_ = w.Write(append(line, value, r.status, statuses[r.status].in(s.Lang), r.vintage))
	}
	w.Flush()
	return out.Bytes(), nil
}

func (s Slice) headerHXL() (header, tags []string) {
	for _, name := range s.Table.Columns {
		if labelled(name) {
			header = append(header, name, name+labelSuffix)
			tags = append(tags, columns[name].tag+"+code", columns[name].tag+"+name+i_"+s.Lang)
			continue
		}
		header = append(header, name, "first_day", "last_day")
		tags = append(tags, "#meta+period", "#date+start", "#date+end")
	}
	return append(header, s.Table.Measure, "obs_status", "obs_status"+labelSuffix, "vintage"),
		append(tags, measures[s.Table.Measure].tag, "#status+code", "#status+name+i_"+s.Lang, "#meta+vintage")
}
