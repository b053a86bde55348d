//go:build !race

package processor

const (
	someHistories = 10_000
	manyFacts     = 1_000_000
)
