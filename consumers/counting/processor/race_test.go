//go:build race

package processor

// The race detector makes everything ten times as slow, and looks for something else.
const (
	someHistories = 300
	manyFacts     = 50_000
)
