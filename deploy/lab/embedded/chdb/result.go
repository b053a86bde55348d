package chdb

import "unsafe"

// Result is what a statement, or one step of a Stream, gave.
type Result struct {
	Data []byte // in the format asked for; a copy owned by the caller
	Stats
}

// Stats counts what a statement, or one step of a Stream, did. Sources: the engine's own counters.
type Stats struct {
	Rows                    uint64 // rows in Data
	ReadRows, ReadBytes     uint64 // taken from tables, in rows and bytes
	WrittenRows, WroteBytes uint64 // given to tables, views behind them included
}

// Add sums two counts.
func (s *Stats) Add(o Stats) {
	s.Rows += o.Rows
	s.ReadRows += o.ReadRows
	s.ReadBytes += o.ReadBytes
	s.WrittenRows += o.WrittenRows
	s.WroteBytes += o.WroteBytes
}

// result copies a native result into Go memory and frees it.
func (l *Library) result(raw unsafe.Pointer) (Result, error) {
	if raw == nil {
		return Result{}, &Error{Code: CodeUnknown, Name: "UNKNOWN_EXCEPTION", Message: "the engine gave no result"}
	}
	defer l.destroy(raw)
	if text := l.resultError(raw); text != nil {
		return Result{}, parseError(goString(text)) // the counters of a failed result are not initialised
	}
	r := Result{Stats: Stats{
		Rows: l.rowsRead(raw), ReadRows: l.storageRows(raw), ReadBytes: l.storageBytes(raw),
		WrittenRows: l.rowsWritten(raw), WroteBytes: l.bytesWritten(raw),
	}}
	if n := l.resultLength(raw); n > 0 {
		r.Data = append([]byte(nil), unsafe.Slice((*byte)(l.resultBuffer(raw)), n)...)
	}
	return r, nil
}

func goString(p unsafe.Pointer) string {
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

// Stream is a SELECT whose result is taken step by step. Close it in every case; until then its Conn runs nothing else.
type Stream struct {
	conn *Conn
	raw  unsafe.Pointer
	over bool
}

// Stream starts a SELECT. For any other statement the engine answers IsNotStreamable.
func (c *Conn) Stream(sql, format string, params ...Param) (*Stream, error) {
	c.mu.Lock()
	if c.handle == nil {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	raw := c.call(c.lib.stream, c.lib.streamParams, sql, format, params)
	if text := c.lib.resultError(raw); text != nil {
		err := parseError(goString(text))
		c.lib.destroy(raw)
		c.mu.Unlock()
		return nil, err
	}
	return &Stream{conn: c, raw: raw}, nil // c.mu stays locked until Close
}

// Next returns the following piece of the result, in format Native one block; a Result without Data is the end.
func (s *Stream) Next() (Result, error) {
	if s.over {
		return Result{}, nil
	}
	r, err := s.conn.lib.result(s.conn.lib.fetch(s.conn.session(), s.raw))
	s.over = err != nil || len(r.Data) == 0
	return r, err
}

// Close cancels what is left of the query and frees the connection for the next statement.
func (s *Stream) Close() {
	if s.raw == nil {
		return
	}
	if !s.over {
		s.conn.lib.cancel(s.conn.session(), s.raw)
	}
	s.conn.lib.destroy(s.raw)
	s.raw = nil
	s.conn.mu.Unlock()
}
