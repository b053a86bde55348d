//go:build race

package returns

// someHistories: the race detector makes each ten times as slow, and looks for something else.
const someHistories = 300
