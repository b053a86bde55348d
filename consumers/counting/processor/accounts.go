package processor

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/ledger"
)

// books keep the accounts of the partitions that this process has, so that at every scrape, for each topic and
// partition: read = accepted + duplicate + superseded + rejected + in flight. They are one collector, read under one
// lock, because counters that are read one after the other would not balance. Each assignment of a partition begins
// at zero: what was read before it and not accounted is read again.
type books struct {
	mu     sync.Mutex
	shards map[int]map[string]*book // by partition and topic
}

// book is one topic and partition: how many records were read, which of them are in the ledger, and how many are not
// yet. Each is counted where it happens, so that the identity can fail.
type book struct {
	read     uint64
	redriven uint64 // of those read
	ledger   ledger.Accounts
	inFlight uint64
	durable  int64     // the offset after the last one in the ledger; -1: not known yet
	oldest   time.Time // when the oldest record in flight came to the broker; zero: none is
}

func newBooks() *books { return &books{shards: map[int]map[string]*book{}} }

func (b *books) open(partition int, topics []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shards[partition] = map[string]*book{}
	for _, t := range topics {
		b.shards[partition][t] = &book{durable: -1}
	}
}

func (b *books) close(partition int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.shards, partition)
}

// read notes that n records were read and not yet accounted for, and when the first of them came to the broker.
func (b *books) read(partition int, topic string, n int, first time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if book := b.shards[partition][topic]; book != nil {
		book.read += uint64(n)
		book.inFlight += uint64(n)
		if book.oldest.IsZero() && n > 0 {
			book.oldest = first
		}
	}
}

// redrive notes that a record which was read is a dead letter sent again.
func (b *books) redrive(partition int, topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if book := b.shards[partition][topic]; book != nil {
		book.redriven++
	}
}

// landed notes that the ledger accounts for what lies before next; oldest is that of what is in flight still.
func (b *books) landed(partition int, topic string, next int64, oldest time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if book := b.shards[partition][topic]; book != nil {
		book.durable, book.oldest = next, oldest
	}
}

// settle moves records from in flight to the accounts they ended in.
func (b *books) settle(partition int, topic string, a ledger.Accounts) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if book := b.shards[partition][topic]; book != nil {
		book.ledger = book.ledger.Plus(a)
		book.inFlight -= a.Read()
	}
}

var (
	accountLabels  = []string{"topic", "partition"}
	readDesc       = prometheus.NewDesc("retorno_records_read_total", "Records read from Kafka, each in exactly one account or in flight.", accountLabels, nil)
	acceptedDesc   = prometheus.NewDesc("retorno_records_accepted_total", "Records that became the latest revision of a fact.", accountLabels, nil)
	duplicateDesc  = prometheus.NewDesc("retorno_records_duplicate_total", "Records that were known already, with the same content.", accountLabels, nil)
	supersededDesc = prometheus.NewDesc("retorno_records_superseded_total", "Records whose fact had a higher revision already.", accountLabels, nil)
	rejectedDesc   = prometheus.NewDesc("retorno_records_rejected_total", "Records that could not be understood and went to the dead letters.", accountLabels, nil)
	redrivenDesc   = prometheus.NewDesc("retorno_records_redriven_total", "Of the records read, those that say they are dead letters sent again; retorno.record_accounts counts those that are.", accountLabels, nil)
	controlDesc    = prometheus.NewDesc("retorno_offsets_control_total", "Offsets without a record: transaction markers and records of aborted transactions.", accountLabels, nil)
	lostDesc       = prometheus.NewDesc("retorno_offsets_lost_total", "Offsets that a recorded decision gave up.", accountLabels, nil)
	durableDesc    = prometheus.NewDesc("retorno_durable_offset", "The offset after the last one that the ledger accounts for; -1 until the partition has been taken over.", accountLabels, nil)
	oldestDesc     = prometheus.NewDesc("retorno_oldest_uncounted_timestamp_seconds", "When the oldest record in flight came to the broker; 0: none is in flight.", accountLabels, nil)
	inFlightDesc   = prometheus.NewDesc("retorno_records_in_flight", "Records read and not yet in the ledger.", accountLabels, nil)
)

// Describe implements prometheus.Collector.
func (b *books) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readDesc, acceptedDesc, duplicateDesc, supersededDesc, rejectedDesc, redrivenDesc, controlDesc, lostDesc, inFlightDesc, durableDesc, oldestDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (b *books) Collect(ch chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for partition, topics := range b.shards {
		for topic, book := range topics {
			send := func(d *prometheus.Desc, kind prometheus.ValueType, v uint64) {
				ch <- prometheus.MustNewConstMetric(d, kind, float64(v), topic, strconv.Itoa(partition))
			}
			a := book.ledger
			send(readDesc, prometheus.CounterValue, book.read)
			send(acceptedDesc, prometheus.CounterValue, a.Accepted)
			send(duplicateDesc, prometheus.CounterValue, a.Duplicate)
			send(supersededDesc, prometheus.CounterValue, a.Superseded)
			send(rejectedDesc, prometheus.CounterValue, a.Rejected)
			send(redrivenDesc, prometheus.CounterValue, book.redriven)
			send(controlDesc, prometheus.CounterValue, a.Control)
			send(lostDesc, prometheus.CounterValue, a.Lost)
			send(inFlightDesc, prometheus.GaugeValue, book.inFlight)
			ch <- prometheus.MustNewConstMetric(durableDesc, prometheus.GaugeValue, float64(book.durable), topic, strconv.Itoa(partition))
			ch <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, seconds(book.oldest), topic, strconv.Itoa(partition))
		}
	}
}
