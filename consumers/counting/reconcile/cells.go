package reconcile

import (
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// ReturnCell is a cell of the cube of returns: a day and every dimension of retorno.return_counts.
type ReturnCell struct {
	Day calendar.Day
	// Codes are the dimensions that records state, by place in the dictionary; the route follows from country and mode.
	Codes    DimensionCodes
	AgeGroup Code
}

// ReturnCount is how many returns fall in a cell, or by how many that changed.
type ReturnCount = dictionary.ReturnCounts[int64]

// HelpCell is a cell of the counts of helps given.
type HelpCell struct {
	Day                         calendar.Day
	Centre, Kind, Sex, AgeGroup Code
}

// CrossingCell is a cell of the counts of crossings.
type CrossingCell struct {
	Day                                   calendar.Day
	BorderPoint, Direction, DocumentCheck Code
}

// Cells are counts by cell. Adding persons is commutative and associative, and taking a person away undoes adding.
type Cells struct {
	Returns   map[ReturnCell]ReturnCount
	Helps     map[HelpCell]int64
	Crossings map[CrossingCell]int64
}

// NewCells are no counts at all.
func NewCells() *Cells {
	return &Cells{Returns: map[ReturnCell]ReturnCount{}, Helps: map[HelpCell]int64{}, Crossings: map[CrossingCell]int64{}}
}

// CellOf is the cell that a return falls in.
func CellOf(r *Return) ReturnCell {
	return ReturnCell{Day: r.Day, Codes: DimensionCodes(r.Codes[:]), AgeGroup: r.AgeGroup()}
}

// Add counts a person times times: 1 to add, -1 to take away. Returns of other nationals are not counted.
func (c *Cells) Add(p *Person, times int64) {
	for i := range p.Returns {
		c.AddReturn(&p.Returns[i], times)
	}
	for i := range p.Helps {
		c.AddHelp(&p.Helps[i], times)
	}
	for _, cell := range p.Crossings {
		c.Crossings[cell] += times
	}
}

// AddReturn counts a return times times, unless it is of another national.
func (c *Cells) AddReturn(r *Return, times int64) {
	if !r.National() {
		return
	}
	cell := CellOf(r)
	n := c.Returns[cell]
	n.Reconciled += times
	if r.Registered {
		n.Registered += times
	}
	if r.Checkpoint {
		n.Checkpoint += times
	}
	c.Returns[cell] = n
}

// AddHelp counts a help times times.
func (c *Cells) AddHelp(h *Help, times int64) {
	c.Helps[HelpCell{Day: h.Day, Centre: h.Centre, Kind: h.Kind, Sex: h.Sex, AgeGroup: h.AgeGroup}] += times
}
