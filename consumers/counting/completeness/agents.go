package completeness

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Agent is what the agent of a computer last told of itself, or several agents as one.
type Agent struct {
	// Heartbeat is when; zero: it never told. Of several the earliest.
	Heartbeat time.Time
	Unsent    uint64
	// OldestUnsent is when the first record was saved that no broker has acknowledged; zero: there is none. Of several the earliest.
	OldestUnsent time.Time
	DiskFree     uint64 // bytes; of several the least
	FormsMissing uint64
	DocumentsMet uint64 // records since its start with a document that was known to be false or stolen
	// DiskLow, Damaged, ForeignSecret, ForeignLists and Stopped are 1 or 0; of several how many.
	DiskLow, Damaged, ForeignSecret, ForeignLists, Stopped int
}

// plus sums two up. One that never told adds nothing.
func (a Agent) plus(b Agent) Agent {
	switch {
	case b.Heartbeat.IsZero():
		return a
	case a.Heartbeat.IsZero():
		return b
	}
	earlier := func(x, y time.Time) time.Time {
		if x.IsZero() || !y.IsZero() && y.Before(x) {
			return y
		}
		return x
	}
	return Agent{Heartbeat: earlier(a.Heartbeat, b.Heartbeat), OldestUnsent: earlier(a.OldestUnsent, b.OldestUnsent), Unsent: a.Unsent + b.Unsent,
		DiskFree: min(a.DiskFree, b.DiskFree), FormsMissing: a.FormsMissing + b.FormsMissing, DocumentsMet: a.DocumentsMet + b.DocumentsMet, DiskLow: a.DiskLow + b.DiskLow, Damaged: a.Damaged + b.Damaged,
		ForeignSecret: a.ForeignSecret + b.ForeignSecret, ForeignLists: a.ForeignLists + b.ForeignLists, Stopped: a.Stopped + b.Stopped}
}

// agentGauges are the metrics of agents: what each is called, what it means, and its value.
var agentGauges = []struct {
	name, help string
	of         func(Agent) float64
}{
	{"heartbeat_timestamp_seconds", "When the agent of a computer last told of itself, broker time; seconds since 1970. Of several: the earliest.", func(a Agent) float64 { return seconds(a.Heartbeat) }},
	{"unsent_records", "Records of an agent that no broker had acknowledged at its heartbeat.", func(a Agent) float64 { return float64(a.Unsent) }},
	{"oldest_unsent_timestamp_seconds", "When the first record of an agent was saved that no broker has acknowledged; seconds since 1970; 0: there is none. Of several: the earliest.", func(a Agent) float64 {
		if a.OldestUnsent.IsZero() {
			return 0
		}
		return seconds(a.OldestUnsent)
	}},
	{"disk_free_bytes", "Free space of the disk of an agent. Of several: the least.", func(a Agent) float64 { return float64(a.DiskFree) }},
	{"disk_low", "1: the disk of an agent has less than 50 MB, or less than a tenth, free. Of several: how many.", func(a Agent) float64 { return float64(a.DiskLow) }},
	{"damaged", "1: the folder of an agent has places that do not hold what was written. Of several: how many.", func(a Agent) float64 { return float64(a.Damaged) }},
	{"foreign_secret", "1: the identity secret of an agent is not that of most. Of several: how many.", func(a Agent) float64 { return float64(a.ForeignSecret) }},
	{"foreign_lists", "1: the code lists of an agent are not those of most. Of several: how many.", func(a Agent) float64 { return float64(a.ForeignLists) }},
	{"forms_missing", "Numbered paper forms of an agent that are neither captured nor void.", func(a Agent) float64 { return float64(a.FormsMissing) }},
	{"documents_met", "Records of an agent, since it was started, whose document another post had found false or was reported stolen.", func(a Agent) float64 { return float64(a.DocumentsMet) }},
	{"stopped", "1: an agent says that it does not send, for a reason that time alone does not mend. Of several: how many.", func(a Agent) float64 { return float64(a.Stopped) }},
}

// agentDescs are the metrics of agents, in the order of agentGauges.
func agentDescs() []*prometheus.Desc {
	all := make([]*prometheus.Desc, len(agentGauges))
	for i, g := range agentGauges {
		all[i] = prometheus.NewDesc("retorno_agent_"+g.name, g.help+" Computers beyond the limit are summed up as \""+others+"\".", []string{"source"}, nil)
	}
	return all
}
