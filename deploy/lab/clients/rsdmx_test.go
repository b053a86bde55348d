package clients_test

import "testing"

// TestRSDMX: rsdmx, as Debian has it, finds every dataflow and reads the observations that were published.
func TestRSDMX(t *testing.T) {
	base, file := partnersFile(t)
	call(t, ".", need(t, "Rscript"), "--vanilla", "rsdmx_reads.R", base, file)
}
