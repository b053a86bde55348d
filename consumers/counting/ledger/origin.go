package ledger

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/events"
)

// Origin is the place in Kafka where a record was read.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
	// Log tells the logs of a topic apart: 0 is the first one, and each decision to accept the topic as made again
	// begins the next one, whose offsets begin at 0 again.
	Log int
}

// MostOffset and MostLog bound what the column place holds.
const (
	MostOffset = 1<<48 - 1
	MostLog    = 1<<15 - 1
)

// Place is the origin as one number, ordered by log, topic and offset: retorno.facts.place.
func (o Origin) Place() uint64 {
	p := uint64(o.Log)<<49 | uint64(o.Offset)
	if o.Topic == events.TopicCentre {
		p |= 1 << 48
	}
	return p
}

// LogOf is the log of a place.
func LogOf(place uint64) int { return int(place >> 49) }

// OriginAt is the origin that a place stands for, without its partition.
func OriginAt(place uint64) Origin {
	o := Origin{Topic: events.TopicCheckpoint, Offset: int64(place & MostOffset), Log: LogOf(place)}
	if place&(1<<48) != 0 {
		o.Topic = events.TopicCentre
	}
	return o
}

// FactSum is what a row of retorno.facts adds to the checksum of the flush that left it: the xxHash64 of the person, the
// record id, the version and the place.
func FactSum(person, record reconcile.ID, version, place uint64) uint64 {
	var b [48]byte
	copy(b[:], person[:])
	copy(b[16:], record[:])
	binary.LittleEndian.PutUint64(b[32:], version)
	binary.LittleEndian.PutUint64(b[40:], place)
	return xxhash.Sum64(b[:])
}
