package fit

import (
	"fmt"
	"slices"
	"strings"
)

// wording puts a smallest contradictory set into a sentence.
type wording struct {
	*explainer
	set selection
	// large are the rows that a smaller number would mend, small those that a larger would, fixed those that no other
	// number would: a change of the one is no help without another.
	large, small, fixed []int
	// by is the smallest change of any row.
	by int64
}

// text explains the set, and says by how much it goes wrong.
func (w *wording) text() (text, by string) {
	if len(w.fixed) == 0 {
		if text, by, ok := w.sums(); ok {
			return text, by
		}
	}
	if text, by, ok := w.single(); ok {
		return text, by
	}
	return w.general()
}

// sums explains a set of counts of which some add up to more than others allow.
func (w *wording) sums() (text, by string, ok bool) {
	left, counts := w.countOf(w.large)
	right, counts2 := w.countOf(w.small)
	switch {
	case w.set.population && len(w.large) > 0:
		right += w.least
	case w.set.population:
		left += w.least
	}
	onlyReach := len(w.small) == 0 && !w.set.population
	if !counts || !counts2 || len(w.large) == 0 && !w.set.population || left-right != w.by {
		return "", "", false
	}
	reach := w.reachText()
	switch {
	case len(w.set.reach) > 0 || w.allMonths():
		why := reach
		if why == "" {
			why = "every return of the period arrives in one of these months"
		}
		return fmt.Sprintf("%s, but %s: %s too few (%s)", w.limit(w.large), w.is(w.small), grouped(w.by), why), grouped(w.by) + " too few", true
	case onlyReach:
		return fmt.Sprintf("%s, where nothing can be%s: %s too many", w.is(w.large), w.outside(), grouped(w.by)), grouped(w.by) + " too many", true
	}
	return fmt.Sprintf("%s, but %s: %s too many", w.is(w.large), w.limit(w.small), grouped(w.by)), grouped(w.by) + " too many", true
}

// limit says what rows print, with the population where it takes part.
func (w *wording) limit(rows []int) string {
	limit := w.is(rows)
	if w.set.population {
		text := fmt.Sprintf("the largest block, %s, which is the population, has %s", w.blocks[w.largest].Name, grouped(w.least))
		limit = strings.TrimPrefix(limit+" and "+text, " and ")
	}
	return limit
}

// allMonths reports whether the small side is the months of the period.
func (w *wording) allMonths() bool {
	for _, i := range w.small {
		if w.cells[i].home != month {
			return false
		}
	}
	return len(w.small) > 0
}

// outside says that months lie outside the period.
func (w *wording) outside() string {
	for _, i := range w.large {
		if w.cells[i].home != month {
			return ""
		}
	}
	return fmt.Sprintf(": the period is %s to %s", w.table.First, w.table.Last)
}

// single explains a percentage that no whole number of returns gives.
func (w *wording) single() (text, by string, ok bool) {
	share := -1
	for i := range w.set.cells {
		if w.cells[i].Measure.Share() {
			if share >= 0 {
				return "", "", false
			}
			share = i
		}
	}
	if share < 0 || len(w.set.cells) > 2 {
		return "", "", false
	}
	c := &w.cells[share]
	whole := int64(100)
	for range c.Decimals {
		whole *= 10
	}
	holds := func(lo, hi int64) bool { return w.holds(w.set.with(share, demand{lo, hi})) }
	var near []string
	if d := w.firstHolding(c.Units, 0, func(d int64) bool { return holds(c.Units-d, c.Units) }); d > 0 {
		near = append(near, percent(c.Units-d, c.Decimals))
	}
	if d := w.firstHolding(whole-c.Units, 0, func(d int64) bool { return holds(c.Units, c.Units+d) }); d > 0 {
		near = append(near, percent(c.Units+d, c.Decimals))
	}
	if len(near) == 0 {
		return "", "", false
	}
	rest := ""
	for i := range w.set.cells {
		if i != share {
			rest = " while " + w.is([]int{i})
		}
	}
	if w.set.population {
		rest += fmt.Sprintf(" of the %s returns of %s", grouped(w.least), w.blocks[w.largest].Name)
	}
	by = "possible are " + strings.Join(near, " and ")
	if c.Units > whole {
		return fmt.Sprintf("%s (line %d) cannot be %s %%: a part is at most 100 %% of its population", w.name(share), c.Line, c.Printed),
			"at most " + near[0], true
	}
	return fmt.Sprintf("%s (line %d) cannot be %s %%%s: no whole number of returns gives it; %s %%",
		w.name(share), c.Line, c.Printed, rest, by), by, true
}

// general names the rows and what each would have to be.
func (w *wording) general() (text, by string) {
	var rows []int
	for i := range w.cells {
		if _, ok := w.set.cells[i]; ok {
			rows = append(rows, i)
		}
	}
	var changes []string
	for _, r := range []struct {
		rows []int
		word string
	}{{w.large, "at most"}, {w.small, "at least"}} {
		if len(r.rows) == 0 {
			continue
		}
		i := r.rows[0]
		c := &w.cells[i]
		value := c.Units + w.change(w.set, i, 0)
		text := grouped(value)
		if c.Measure.Share() {
			text = percent(value, c.Decimals)
		}
		changes = append(changes, fmt.Sprintf("%s (line %d) would have to be %s %s", w.name(i), c.Line, r.word, text))
	}
	text = w.is(rows) + " cannot hold together"
	if w.set.population {
		text += fmt.Sprintf(" in the %s returns of %s", grouped(w.least), w.blocks[w.largest].Name)
	}
	if reach := w.reachText(); reach != "" {
		text += " (" + reach + ")"
	}
	by = strings.Join(changes, ", or ")
	if by == "" {
		by = "more than one of them is wrong"
	}
	return text + ": " + by, by
}

// reachText names the blocks that must reach their population.
func (w *wording) reachText() string {
	var names []string
	for i := range w.blocks {
		if w.set.reach[i] {
			names = append(names, w.blocks[i].Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, " and ") + " names OTHER and must reach its population"
}

// is says what rows print, block by block: "MX_sex_age men + women (lines 54-55) add up to 36,137".
func (w *wording) is(rows []int) string {
	var parts []string
	for _, group := range w.byBlock(rows) {
		first := &w.cells[group[0]]
		var categories []string
		var lines []int
		for _, i := range group {
			c := &w.cells[i]
			lines = append(lines, c.Line)
			category := c.Category
			if c.Measure.Share() {
				category += " " + c.Printed + " %"
			}
			categories = append(categories, category)
		}
		text := fmt.Sprintf("%s %s (%s)", first.Block, abridged(categories), lineRange(lines))
		if sum, counts := w.countOf(group); counts {
			verb := "add up to"
			if len(group) == 1 {
				verb = "is"
			}
			text += " " + verb + " " + grouped(sum)
		} else if sum, ok := w.sharesOf(group); ok {
			text += ", together " + sum + " %"
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, " and ")
	if sum, counts := w.countOf(rows); counts && len(parts) > 1 {
		text += ", together " + grouped(sum)
	}
	return text
}

// sharesOf adds up shares of one whole that do not overlap.
func (w *wording) sharesOf(group []int) (string, bool) {
	first := &w.cells[group[0]]
	var sum int64
	for _, i := range group {
		c := &w.cells[i]
		if !c.Measure.Share() || w.blocks[c.block].Multi || c.Decimals != first.Decimals {
			return "", false
		}
		for _, j := range group {
			if i != j && !disjoint(&c.where, &w.cells[j].where) {
				return "", false
			}
		}
		sum += c.Units
	}
	return percent(sum, first.Decimals), len(group) > 1
}

// abridged writes categories, many of them as the first ones, their number and the last.
func abridged(categories []string) string {
	const most = 12
	if n := len(categories); n > most {
		return fmt.Sprintf("%s + … + %s, %d rows", strings.Join(categories[:3], " + "), categories[n-1], n)
	}
	return strings.Join(categories, " + ")
}

// byBlock groups rows by their blocks.
func (w *wording) byBlock(rows []int) [][]int {
	var out [][]int
	for _, i := range rows {
		k := slices.IndexFunc(out, func(g []int) bool { return w.cells[g[0]].block == w.cells[i].block })
		if k < 0 {
			k = len(out)
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return out
}

func (w *wording) name(i int) string { return w.cells[i].Block + " " + w.cells[i].Category }

// lineRange writes line numbers: "line 5", "lines 54-57", "lines 3, 5, 8".
func lineRange(lines []int) string {
	if len(lines) == 1 {
		return fmt.Sprintf("line %d", lines[0])
	}
	if lines[len(lines)-1]-lines[0] == len(lines)-1 && slices.IsSorted(lines) {
		return fmt.Sprintf("lines %d-%d", lines[0], lines[len(lines)-1])
	}
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprint(l))
	}
	return "lines " + strings.Join(out, ", ")
}

// percent writes units of a printed percentage.
func percent(units int64, decimals int) string {
	s := fmt.Sprintf("%0*d", decimals+1, units)
	if decimals == 0 {
		return s
	}
	return s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}
