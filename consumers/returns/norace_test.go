//go:build !race

package returns

const (
	someHistories = 10_000
	manyFacts     = 1_000_000
)
