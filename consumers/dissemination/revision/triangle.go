package revision

import "time"

// Triangle is what each vintage of a period said of each month: down a column one sees how a number was revised.
type Triangle struct {
	Period   string    `json:"period"`
	Months   []string  `json:"months"`
	Vintages []Vintage `json:"vintages"` // in their order
	Steps    []Step    `json:"revisions"`
}

// Vintage is one row: the returns registered at a centre, by month of arrival.
type Vintage struct {
	Number    uint64    `json:"vintage"`
	Status    string    `json:"status"`
	AsOf      time.Time `json:"as_of"`
	Published time.Time `json:"published_at"`
	Reason    string    `json:"reason,omitempty"`
	Counts    []*int64  `json:"counts"` // by month; null where it is not published
	Total     *int64    `json:"total"`  // likewise
}

// Step is what changed from one vintage to the next.
type Step struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Change is that of the total; null where one of both is not published.
	Change *int64 `json:"change"`
	// Mean is the mean revision of the months that both have, in returns, and MeanAbsolute that of its sizes; null where there is none.
	Mean         *float64 `json:"mean_revision"`
	MeanAbsolute *float64 `json:"mean_absolute_revision"`
	// Cells are those that changed, with their reasons.
	Cells []Cell `json:"cells"`
}

// Cell is one that changed. The reasons add up to Change.
type Cell struct {
	Measure    string `json:"measure"`
	Cell       string `json:"cell"` // columns that are not summed over, with their code: exit_point=L-COR|time_period=2016-S1
	Before     int64  `json:"before"`
	After      int64  `json:"after"`
	Change     int64  `json:"change"`
	Late       int64  `json:"late"`
	Correction int64  `json:"correction"`
	Void       int64  `json:"void"`
	Method     int64  `json:"method"`
	CodeList   int64  `json:"code_list"`
	Other      int64  `json:"other"`
}

// NewTriangle puts vintages beside each other. Cells are those that changed, by the number of the later vintage.
func NewTriangle(period string, months []string, vintages []Vintage, cells map[uint64][]Cell) Triangle {
	t := Triangle{Period: period, Months: months, Vintages: vintages, Steps: []Step{}}
	for i := 1; i < len(vintages); i++ {
		t.Steps = append(t.Steps, step(vintages[i-1], vintages[i], cells[vintages[i].Number]))
	}
	return t
}

func step(a, b Vintage, cells []Cell) Step {
	s := Step{From: a.Number, To: b.Number, Cells: append([]Cell{}, cells...)}
	if a.Total != nil && b.Total != nil {
		change := *b.Total - *a.Total
		s.Change = &change
	}
	var n, sum, absolute int64
	for m := range b.Counts {
		if m < len(a.Counts) && a.Counts[m] != nil && b.Counts[m] != nil {
			change := *b.Counts[m] - *a.Counts[m]
			n, sum, absolute = n+1, sum+change, absolute+max(change, -change)
		}
	}
	if n > 0 {
		mean, meanAbsolute := float64(sum)/float64(n), float64(absolute)/float64(n)
		s.Mean, s.MeanAbsolute = &mean, &meanAbsolute
	}
	return s
}
