package dictionary

// ReturnCounts are the measures of the counts of returns, by series: how many are registered at a centre, how many were
// seen at a checkpoint, and how many there are in all. N is uint64 for counts as ClickHouse holds them, and int64 where
// a count can also be a change.
type ReturnCounts[N int64 | uint64] struct {
	Registered N `json:"registered"`
	Checkpoint N `json:"checkpoint"`
	Reconciled N `json:"reconciled"`
}

// Plus is the sum of two counts, series by series.
func (c ReturnCounts[N]) Plus(more ReturnCounts[N]) ReturnCounts[N] {
	return ReturnCounts[N]{c.Registered + more.Registered, c.Checkpoint + more.Checkpoint, c.Reconciled + more.Reconciled}
}
