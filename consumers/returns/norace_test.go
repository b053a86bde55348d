//go:build !race

package returns

const someHistories = 10_000
