package kafka

import "encoding/binary"

// Requests follows the requests that a client writes to a connection, without holding on to their bodies. The zero
// value stands before the first one.
type Requests struct {
	header [12]byte // of the request that passes: size, kind, version, correlation id
	have   int      // bytes of it that have passed
	remain int      // bytes of its body that are still to come
}

// Pass takes the next bytes of the stream, and calls each with every request whose header they complete.
func (r *Requests) Pass(p []byte, each func(key, version int16, id int32)) {
	for len(p) > 0 {
		if r.remain > 0 {
			n := min(r.remain, len(p))
			r.remain -= n
			p = p[n:]
			continue
		}
		n := copy(r.header[r.have:], p)
		r.have += n
		p = p[n:]
		if r.have < len(r.header) {
			return
		}
		r.have = 0
		r.remain = max(0, int(binary.BigEndian.Uint32(r.header[:]))-8)
		each(int16(binary.BigEndian.Uint16(r.header[4:])), int16(binary.BigEndian.Uint16(r.header[6:])), int32(binary.BigEndian.Uint32(r.header[8:])))
	}
}
