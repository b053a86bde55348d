package ops

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// limitFiles hold the limit of the control group of this process: version 2, version 1.
var limitFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// memoryLimit shows how much memory this process may take.
func memoryLimit() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "retorno_memory_limit_bytes",
		Help: "Memory that this process may take at most, by its control group or GOMEMLIMIT; 0: there is no limit."},
		func() float64 { return limitOf(limitFiles, debug.SetMemoryLimit(-1)) })
}

// limitOf is the lowest of the limits; what is above a petabyte is none.
func limitOf(files []string, own int64) float64 {
	const none = 1 << 50
	limit := float64(own)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // another version of control groups, or none
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil { // "max" is no limit
			limit = math.Min(limit, n)
		}
	}
	if limit >= none {
		return 0
	}
	return limit
}
