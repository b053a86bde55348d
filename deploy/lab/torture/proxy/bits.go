package proxy

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
)

// requests are those of one connection to Kafka that wait for their answers.
type requests struct {
	stream kafka.Requests
	kinds  map[int32]kmsg.Key // by correlation id
}

func (r *requests) see(p []byte) {
	if r.kinds == nil {
		r.kinds = map[int32]kmsg.Key{}
	}
	r.stream.Pass(p, func(key, _ int16, id int32) { r.kinds[id] = kmsg.Key(key) })
}

// kind is what a frame answers.
func (r *requests) kind(frame []byte) kmsg.Key {
	number := int32(binary.BigEndian.Uint32(frame[4:]))
	defer delete(r.kinds, number)
	return r.kinds[number]
}

// Spoil changes a bit somewhere in each of n of the next answers, about one in four, whatever they answer: their sizes and
// numbers, names and numbers of partitions, offsets, error codes, assignments, or the batches of a fetch.
//
// No checksum of Kafka's covers most of them, so a client cannot see each: that is what TLS is for. What it cannot see
// may cost time, an assignment, a message sent twice, or a stop by name that is over when its cause is, and never a number.
func (p *Proxy) Spoil(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoils += n
}

// mayBeSpoilt changes a bit of an answer if it is this one's turn. The caller holds the lock.
func (p *Proxy) mayBeSpoilt(l *link, frame []byte) {
	if !p.frames {
		return
	}
	kind := l.asked.kind(frame)
	if p.spoils == 0 || p.seed.IntN(4) != 0 {
		return
	}
	spoilBit(frame, p.seed)
	p.spoils--
	p.spoilt[kind]++
}

// spoilBit changes one bit of an answer; every other time near its begin, where those to fetches have their head.
func spoilBit(frame []byte, rnd *rand.Rand) {
	const head = 160
	n := len(frame)
	if rnd.IntN(2) == 0 {
		n = min(n, head)
	}
	frame[rnd.IntN(n)] ^= 1 << rnd.IntN(8)
}

// SpoiltSoFar is how many answers were spoilt, by what they answered.
func (p *Proxy) SpoiltSoFar() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	named := map[string]int{}
	for kind, n := range p.spoilt {
		named[kind.Name()] = n
	}
	return named
}
