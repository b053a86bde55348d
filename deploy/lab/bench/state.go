package bench

import (
	"context"
	"fmt"
	"runtime/debug"

	"retorno/consumers/counting/processor"
)

// state weighs the consumer's own state.
func (r *run) state(context.Context) error {
	defer debug.FreeOSMemory()
	r.report.Sizes["persons"] = r.cfg.Persons
	var one, two []float64
	for range min(r.cfg.Rounds, 2) { // it hardly varies
		one = append(one, float64(processor.StateBytes(r.cfg.Persons, false))/float64(r.cfg.Persons))
	}
	two = append(two, float64(processor.StateBytes(r.cfg.Persons/10, true))/float64(r.cfg.Persons/10))
	r.report.set("bytes_per_person", "bytes", fmt.Sprintf("growth of the heap, after collecting garbage, when the consumer's state takes in %d persons with one registration each, which is one return", r.cfg.Persons), one)
	r.report.set("bytes_per_person_seen_twice", "bytes", fmt.Sprintf("the same for %d persons with a crossing and a registration each, which is one return", r.cfg.Persons/10), two)
	return nil
}
