package kafka

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// MaxFetchAnswer bounds an answer to a fetch. Fetches ask for far less; only one batch beyond what is asked for
	// makes an answer larger, and topics bound those.
	MaxFetchAnswer = 64 << 20
	// maxAnswer bounds every other answer: they name brokers, partitions and members.
	maxAnswer = 2 << 20
	// headerBytes are those before an answer's fields: its size and the number of the request.
	headerBytes = 8
	// growth is the step by which memory follows what really comes of an answer whose size is not yet trusted.
	growth = 1 << 20
)

// readFrame reads one answer with its size in front into buf, which it may replace. limit is for each kind of request,
// by the correlation id that the answer names.
func readFrame(r io.Reader, buf []byte, addr string, limit func(id int32) (int64, error)) ([]byte, error) {
	var head [headerBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, notKafka(addr, head[:4], err)
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:])))
	if size < 4 {
		return nil, notKafka(addr, head[:4], fmt.Errorf("%w: it says that it has %d bytes", ErrCorrupt, size))
	}
	most, err := limit(int32(binary.BigEndian.Uint32(head[4:])))
	if err == nil && size > most {
		err = &SizeError{Bytes: size, Limit: most}
	}
	if err != nil {
		return nil, notKafka(addr, head[:4], err)
	}
	return fill(r, append(buf[:0], head[:]...), int(size)-4)
}

// fill reads n bytes behind what the frame holds, growing it with what really comes.
func fill(r io.Reader, frame []byte, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, growth)
		at := len(frame)
		if cap(frame)-at < step {
			grown := make([]byte, at, max(min(2*cap(frame), at+n), at+step))
			copy(grown, frame)
			frame = grown
		}
		frame = frame[:at+step]
		if _, err := io.ReadFull(r, frame[at:]); err != nil {
			return nil, err
		}
		n -= step
	}
	return frame, nil
}

// notKafka recognises listeners that speak otherwise by the first bytes of what they say.
func notKafka(addr string, first []byte, err error) error {
	switch {
	case first[0] == 0x15 && first[1] == 3: // a TLS alert
		return &MismatchError{Addr: addr, Problem: "the listener speaks TLS, and encryption is not set", Err: err}
	case string(first) == "HTTP":
		return &MismatchError{Addr: addr, Problem: "a web server answers, and no Kafka", Err: err}
	}
	return err
}

// answer returns an empty answer to a request of that kind.
func answer(key, version int16) (kmsg.Response, error) {
	res := kmsg.ResponseForKey(key)
	if res == nil || version > res.MaxVersion() {
		return nil, fmt.Errorf("answers of kind %d, version %d are not known", key, version)
	}
	res.SetVersion(version)
	return res, nil
}

// body returns what follows an answer's header. No broker puts anything into the part of the header that is free.
func body(frame []byte, res kmsg.Response) ([]byte, error) {
	b := frame[headerBytes:]
	if !res.IsFlexible() || res.Key() == int16(kmsg.ApiVersions) {
		return b, nil
	}
	if len(b) == 0 || b[0] != 0 {
		return nil, fmt.Errorf("%w: its header does not hold together", ErrCorrupt)
	}
	return b[1:], nil
}
