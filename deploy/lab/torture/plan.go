package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds of fault, with their numbers in the list of faults.
const (
	Kill      Kind = "kill"      // F1, F8: SIGKILL of a consumer, and a new one in its place
	Zombie    Kind = "zombie"    // F9, F10: SIGSTOP for up to twice the session timeout, then SIGCONT
	Torn      Kind = "torn"      // F2, F5: a consumer kills itself between two tables of a flush
	Halted    Kind = "halted"    // F9: a consumer stops itself between two tables of a flush, and goes on later
	Engine    Kind = "engine"    // F17: kill -9 of the ClickHouse engine, and a restart on its folder
	Broker    Kind = "broker"    // F7: the broker ends and starts again on its folder
	Cut       Kind = "cut"       // F3: connections to ClickHouse end after some bytes
	Lost      Kind = "lost"      // F4: ClickHouse's answers are dropped, then the connections end
	Slow      Kind = "slow"      // F17: everything to and from ClickHouse takes longer
	HalfOpen  Kind = "halfopen"  // F17: ClickHouse takes connections and says nothing
	Refuse    Kind = "refuse"    // F17: ClickHouse refuses connections
	Exception Kind = "exception" // F18: ClickHouse answers TABLE_IS_READ_ONLY, TOO_MANY_PARTS, MEMORY_LIMIT_EXCEEDED, QUOTA_EXCEEDED
	KafkaCut  Kind = "kafkacut"  // F6, F11: connections to Kafka end after some bytes
	KafkaLost Kind = "kafkalost" // F6, F11: Kafka's answers are dropped, then the connections end
	KafkaSlow Kind = "kafkaslow" // everything to and from Kafka takes longer
	KafkaHalf Kind = "kafkahalf" // Kafka takes connections and says nothing
	Flip      Kind = "flip"      // F27: a bit of a fetched batch changes on the way
	Bits      Kind = "bits"      // F27: a bit of any answer of Kafka's changes on the way, where no checksum is, too
	Produce   Kind = "produce"   // F11: produce requests fail, also after they were applied
	Commit    Kind = "commit"    // F6: commits fail, also after they were applied
	Fetch     Kind = "fetch"     // fetches fail
	Outage    Kind = "outage"    // fetches of one topic fail, all of them, for long
	Letters   Kind = "letters"   // F16: the dead-letter topic refuses
	Storm     Kind = "storm"     // F8: a member joins and leaves several times
	Scale     Kind = "scale"     // a consumer is added or leaves in order
	Restore   Kind = "restore"   // F31: ClickHouse is restored to an older backup
	Alone     Kind = "alone"     // F31: one table of the flush is restored to an older state alone, or loses a part
	Hot       Kind = "hot"       // F12, F13: one person gets a thousand facts and more at once, and their corrections later
	Hostile   Kind = "hostile"   // F15, F23: a sender lies about times, clocks and numbers, and sends what cannot be read
	Clocks    Kind = "clocks"    // F23: sources' clocks step by days, and send what they have sent once more
)

// Kinds are all kinds of fault, in a fixed order.
func Kinds() []Kind {
	return []Kind{Kill, Zombie, Torn, Halted, Engine, Broker, Cut, Lost, Slow, HalfOpen, Refuse, Exception, KafkaCut, KafkaLost,
		KafkaSlow, KafkaHalf, Flip, Bits, Produce, Commit, Fetch, Outage, Letters, Storm, Scale, Restore, Alone, Hot, Hostile, Clocks}
}

// weight is how often a kind is drawn, compared with the others. What stops everything for long comes seldom.
func (k Kind) weight() int {
	switch k {
	case Kill, Zombie, Torn, Halted:
		return 6
	case Engine, Broker, Restore, Alone, HalfOpen, KafkaHalf, Storm, Outage, Hot, Hostile:
		return 2
	default:
		return 3
	}
}

// Session timeout of the group: how long a stopped consumer keeps its partitions.
const sessionTimeout = 1500 * time.Millisecond

// step is one fault: everything about it is drawn before the run.
type step struct {
	at    time.Duration // after the begin of the load
	kind  Kind
	on    int           // which consumer, counted among those that run
	lasts time.Duration // of what passes
	n     int64         // bytes, inserts or requests
	pick  uint64        // whatever else is to be chosen
}

// String says what happens, to whom and for how long.
func (s step) String() string {
	switch s.kind {
	case Kill:
		return fmt.Sprintf("%-9s consumer %d", s.kind, s.on)
	case Zombie:
		return fmt.Sprintf("%-9s consumer %d for %s", s.kind, s.on, s.lasts)
	case Torn:
		return fmt.Sprintf("%-9s consumer %d after insert %d into %s", s.kind, s.on, s.n, s.table())
	case Halted:
		return fmt.Sprintf("%-9s consumer %d after insert %d into %s, for %s", s.kind, s.on, s.n, s.table(), s.lasts)
	case Cut, KafkaCut:
		return fmt.Sprintf("%-9s after %d bytes", s.kind, s.n)
	case Exception:
		return fmt.Sprintf("%-9s %d for %s", s.kind, s.code(), s.lasts)
	case Produce, Commit, Fetch, Flip, Bits:
		return fmt.Sprintf("%-9s %d times", s.kind, s.n)
	case Storm:
		return fmt.Sprintf("%-9s %d members come and go", s.kind, s.n)
	case Restore:
		return fmt.Sprintf("%-9s ClickHouse in %s to what it is now", s.kind, s.lasts)
	case Alone:
		return fmt.Sprintf("%-9s %s in %s to what it is now, or without one of its parts", s.kind, s.table(), s.lasts)
	case Clocks:
		return fmt.Sprintf("%-9s of the sources step for %s", s.kind, s.lasts)
	case Hot:
		return fmt.Sprintf("%-9s %d stays of one person, corrected %s later", s.kind, s.n, s.lasts)
	case Scale, Engine, Broker, Hostile:
		return string(s.kind)
	default:
		return fmt.Sprintf("%-9s for %s", s.kind, s.lasts)
	}
}

// table is where a consumer tears its flush.
func (s step) table() string { return flushTables[s.pick%uint64(len(flushTables))] }

// flushTables are the tables of a flush in the order of their inserts.
var flushTables = []string{"retorno.claims", "retorno.facts", "retorno.returns", "retorno.assistance", "retorno.return_counts", "retorno.assistance_counts",
	"retorno.crossing_counts", "retorno.sendings", "retorno.ledger"}

// code is the error that ClickHouse answers: READONLY, TOO_MANY_PARTS, MEMORY_LIMIT_EXCEEDED, QUOTA_EXCEEDED, TABLE_IS_READ_ONLY.
func (s step) code() int32 { return passing[s.pick%uint64(len(passing))] }

var passing = []int32{242, 252, 241, 201, 202}

// after is how long fewer faults are made after those of the load.
func after(load time.Duration) time.Duration { return max(3*time.Second, load/3) }

// draw makes a plan; those of two streams have nothing in common. The first steps make sure that everything is killed once, as far as the kinds allow it and the
// time suffices; the others are drawn by weight.
func draw(cfg Config, stream uint64) []step {
	rnd := rand.New(rand.NewPCG(cfg.Seed, stream))
	var must []Kind
	if cfg.For >= 20*time.Second {
		for range cfg.Consumers {
			must = append(must, Kill)
		}
		must = append(must, cfg.Faults...)
		must = slices.DeleteFunc(must, func(k Kind) bool { return !slices.Contains(cfg.Faults, k) })
		rnd.Shuffle(len(must), func(i, j int) { must[i], must[j] = must[j], must[i] })
	}
	sum := 0
	for _, k := range cfg.Faults {
		sum += k.weight()
	}
	var plan []step
	killed := 0
	for at := 500 * time.Millisecond; ; {
		at += time.Duration(rnd.Float64() * 2 * float64(cfg.Every)).Round(time.Millisecond)
		if at >= cfg.For {
			return withClocks(plan, cfg, rnd)
		}
		var k Kind
		if len(must) > 0 {
			k, must = must[0], must[1:]
		} else {
			k = byWeight(cfg.Faults, rnd.IntN(sum))
		}
		s := stepOf(k, at, cfg, rnd)
		if k == Kill { // each in its turn, so that all are killed
			s.on = killed % cfg.Consumers
			killed++
		}
		plan = append(plan, s)
	}
}

// withClocks lets the clocks step once in the first half of a run in which they were not drawn: it takes no other
// fault's place and hides none.
func withClocks(plan []step, cfg Config, rnd *rand.Rand) []step {
	if !slices.Contains(cfg.Faults, Clocks) || slices.ContainsFunc(plan, func(s step) bool { return s.kind == Clocks }) {
		return plan
	}
	at := time.Duration(rnd.Float64() * float64(cfg.For) / 2).Round(time.Millisecond)
	plan = append(plan, stepOf(Clocks, at, cfg, rnd))
	slices.SortStableFunc(plan, func(a, b step) int { return int(a.at - b.at) })
	return plan
}

func byWeight(kinds []Kind, x int) Kind {
	for _, k := range kinds {
		if x -= k.weight(); x < 0 {
			return k
		}
	}
	return kinds[len(kinds)-1]
}

// stepOf draws what a fault of this kind is like.
func stepOf(k Kind, at time.Duration, cfg Config, rnd *rand.Rand) step {
	between := func(lo, hi time.Duration) time.Duration {
		return (lo + time.Duration(rnd.Int64N(int64(hi-lo)))).Round(time.Millisecond)
	}
	s := step{at: at, kind: k, on: rnd.IntN(cfg.Consumers), pick: rnd.Uint64(), n: 1 + rnd.Int64N(4), lasts: between(200*time.Millisecond, 1500*time.Millisecond)}
	switch k {
	case Zombie, Halted:
		s.lasts = between(sessionTimeout/2, 2*sessionTimeout)
		s.n = 1 + rnd.Int64N(6)
	case Torn:
		s.n = 1 + rnd.Int64N(6)
	case Cut, KafkaCut:
		s.n = rnd.Int64N(1 << (4 + rnd.IntN(14)))
	case Restore, Alone, Outage:
		s.lasts = between(time.Second, 6*time.Second)
	case Storm:
		s.n = 2 + rnd.Int64N(4)
	case Hot:
		s.n = 300 + rnd.Int64N(500)
	case Bits:
		s.n = 5 + rnd.Int64N(36)
	}
	return s
}
