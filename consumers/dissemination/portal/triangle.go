package portal

import (
	"math"
	"strconv"

	"retorno/consumers/dissemination/wording"
)

// Sizes of the revision triangle: of its rows in pixels, of its names in percent of its width.
const (
	triangleRowHeight = 42
	triangleHead      = 34
	triangleNames     = 22.0
	triangleGap       = 3.0 // between vintages, in percent
)

// triangle is the picture of a half-year's vintages beside each other (OECD, revisions analysis): the counts of the first, then by how much each one
// changes them.
type triangle struct {
	Width  string
	Height int
	Heads  []triangleText
	Rows   []triangleRow
}

type triangleText struct {
	X    float64
	Y    int
	Text string
}

type triangleRow struct {
	Name  string
	Y     int
	Rule  int
	Cells []triangleCell
}

// triangleCell is a text with a bar below it, which is empty where nothing can be drawn.
type triangleCell struct {
	Words     string // for those who do not see the picture
	Text      string
	X         float64
	Y         int
	Class     string // of the bar: track, bar or bar-down
	BarX, Bar float64
	BarY      int
	Axis      bool // the bar goes to one of both sides of a line in the middle
	AxisX     float64
	AxisFootY int
}

// triangleCount is what a vintage has of a month or of the total: the text of the table, and the count where it is its own.
type triangleCount struct {
	text  string
	count *int64
}

// newTriangle draws the rows of names, the total last, each with a count for each vintage, the oldest first.
func newTriangle(vintages, names []string, rows [][]triangleCount) triangle {
	t := triangle{Width: "100%", Height: triangleHead + len(rows)*triangleRowHeight}
	if n := len(vintages); n > 3 {
		t.Width = strconv.Itoa(100 + n*105)
	}
	slot := (100 - triangleNames) / float64(max(1, len(vintages)))
	for i, name := range vintages {
		t.Heads = append(t.Heads, triangleText{round2(triangleNames + slot*(float64(i)+0.5)), 16, name})
	}
	largest, change := scales(rows)
	for i, row := range rows {
		y := triangleHead + i*triangleRowHeight
		r := triangleRow{Name: names[i], Y: y + 15, Rule: y - 4}
		for j := range row {
			left, room := triangleNames+slot*float64(j), slot-triangleGap
			c := triangleCell{X: round2(left + slot/2), Y: y + 15, BarY: y + 22, AxisX: round2(left + slot/2), AxisFootY: y + 33}
			switch step := difference(row, j); {
			case j == 0 && row[j].count != nil && i == len(rows)-1: // beside the total no month could be seen
				c.Text = row[j].text
			case j == 0 && row[j].count != nil:
				c.Text, c.Class, c.BarX = row[j].text, "track", round2(left+triangleGap/2)
				c.Bar = round2(room * float64(*row[j].count) / float64(largest))
			case step != nil:
				c.Text, c.Class, c.Axis = signed(*step), "bar", true
				c.Bar = round2(room / 2 * math.Abs(float64(*step)) / float64(change))
				if c.BarX = c.AxisX; *step < 0 {
					c.Class, c.BarX = "bar-down", round2(c.AxisX-c.Bar)
				}
			default:
				c.Text = row[j].text
			}
			if c.Words = vintages[j] + " " + row[j].text; c.Axis {
				c.Words += " (" + c.Text + ")"
			}
			r.Cells = append(r.Cells, c)
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// difference is by how much a vintage changes the count of the one before; nil where one of both has none of its own.
func difference(row []triangleCount, j int) *int64 {
	if j == 0 || row[j].count == nil || row[j-1].count == nil {
		return nil
	}
	d := *row[j].count - *row[j-1].count
	return &d
}

// scales are the largest count of the rows before the last and the largest change of all, at least 1.
func scales(rows [][]triangleCount) (count, change int64) {
	count, change = 1, 1
	for i, row := range rows {
		for j := range row {
			if row[j].count != nil && i < len(rows)-1 {
				count = max(count, *row[j].count)
			}
			if d := difference(row, j); d != nil {
				change = max(change, *d, -*d)
			}
		}
	}
	return count, change
}

// counted is the text of a count that a vintage may not have.
func counted(n *int64) triangleCount {
	if n == nil {
		return triangleCount{text: "–"}
	}
	return triangleCount{wording.Number(*n), n}
}
