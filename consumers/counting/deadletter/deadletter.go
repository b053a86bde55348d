// Package deadletter sets messages aside that could not be understood, and
// reads them back.
//
// It promises that Write returns nil only when every letter has been
// acknowledged by all in-sync replicas of the dead-letter topic, and tries
// until its context ends: while the topic cannot be written, the caller waits
// and nothing is dropped. A letter holds the message's bytes as they came, its
// key, where it came from and why it was set aside. Letters may be written
// twice when an acknowledgement is lost or a consumer repeats itself; List
// hands out each origin once.
//
// It never logs a message's bytes, and never decides what becomes of a letter:
// Redrive sends it to its topic again when an operator asks for it. Nothing that
// a message says of itself is believed: where it was read first, History finds
// out from the letters.
//
// An error of Write is a stop error (stream.IsStop) when trying again does not
// help, which leaves the shard standing; any other means that the context ended.
package deadletter

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"retorno/consumers/counting/stream"
)

// Topic is where letters are kept. It has one partition.
const Topic = "retorno.deadletter.v1"

// Origin is where a message came from.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
}

// String writes the origin as topic/partition/offset.
func (o Origin) String() string {
	return o.Topic + "/" + strconv.Itoa(o.Partition) + "/" + strconv.FormatInt(o.Offset, 10)
}

// ParseOrigin reads what String wrote.
func ParseOrigin(s string) (Origin, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[0] == "" {
		return Origin{}, fmt.Errorf("origin %q: want topic/partition/offset, such as retorno.centre.v1/3/1200", s)
	}
	partition, err := strconv.Atoi(parts[1])
	if err != nil || partition < 0 {
		return Origin{}, fmt.Errorf("origin %q: %q is no partition number", s, parts[1])
	}
	offset, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || offset < 0 {
		return Origin{}, fmt.Errorf("origin %q: %q is no offset", s, parts[2])
	}
	return Origin{parts[0], partition, offset}, nil
}

// Header is a name and a value that came beside the message.
type Header = stream.Header

// Letter is one message that was set aside.
type Letter struct {
	Origin Origin
	// Key and Value are the message's bytes as they came; nil when absent.
	Key, Value []byte
	// Headers came beside it.
	Headers []Header
	// Code is the stable reason code, Field the field that it concerns or
	// empty, and Detail says in words what is wrong. Detail must not quote
	// the message.
	Code, Field, Detail string
	// Time is the message's own time.
	Time time.Time
	// At is when it was set aside. Write fills it when it is zero.
	At time.Time
	// First is where the message was read first, when it has been sent again before; the zero Origin: at Origin. Only
	// History fills it.
	First Origin
}

func (l *Letter) root() Origin {
	if l.First != (Origin{}) {
		return l.First
	}
	return l.Origin
}

// Content tells the bytes of a message from others; it is never 0.
func Content(key, value []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(key)))
	for _, part := range [][]byte{length[:], key, value} {
		_, _ = h.Write(part) // it never fails
	}
	return max(1, h.Sum64())
}
