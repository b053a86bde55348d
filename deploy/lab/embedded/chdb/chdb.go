// Package chdb binds the ClickHouse engine that is built as a shared library (libchdb) without cgo.
//
// It promises: one Library for each process (the engine is a process-wide singleton with one data path), any
// number of Conns, each of which runs one statement at a time and may be used by one goroutine at a time;
// errors of the engine come back as *Error with ClickHouse's own code and name.
// It never installs signal handlers (the Go runtime owns them) and never interprets SQL.
// A fault inside the engine's native code ends the process: load it in a process of its own.
package chdb

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ebitengine/purego"
)

// ErrClosed says that a Conn was used after Close.
var ErrClosed = errors.New("chdb: connection is closed")

// Library is a loaded libchdb.
type Library struct {
	path   string
	booted atomic.Bool // a first connection has been asked for

	connect       func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn     func(conn unsafe.Pointer)
	query         func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	queryParams   func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	stream        func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
	streamParams  func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	fetch         func(conn, result unsafe.Pointer) unsafe.Pointer
	cancel        func(conn, result unsafe.Pointer)
	destroy       func(result unsafe.Pointer)
	resultBuffer  func(result unsafe.Pointer) unsafe.Pointer
	resultLength  func(result unsafe.Pointer) uintptr
	resultError   func(result unsafe.Pointer) unsafe.Pointer
	rowsRead      func(result unsafe.Pointer) uint64
	storageRows   func(result unsafe.Pointer) uint64
	storageBytes  func(result unsafe.Pointer) uint64
	rowsWritten   func(result unsafe.Pointer) uint64
	bytesWritten  func(result unsafe.Pointer) uint64
	signalEnabled func(enabled int32)
}

// Load opens the library at path and turns its signal handlers off. The error names the path and, for a library
// that lacks a function, the function.
func Load(path string) (*Library, error) {
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("load engine library %s: %w", path, err)
	}
	l := &Library{path: path}
	for _, f := range []struct {
		name string
		into any
	}{
		{"chdb_connect", &l.connect},
		{"chdb_close_conn", &l.closeConn},
		{"chdb_query_n", &l.query},
		{"chdb_query_with_params_n", &l.queryParams},
		{"chdb_stream_query_n", &l.stream},
		{"chdb_stream_query_with_params_n", &l.streamParams},
		{"chdb_stream_fetch_result", &l.fetch},
		{"chdb_stream_cancel_query", &l.cancel},
		{"chdb_destroy_query_result", &l.destroy},
		{"chdb_result_buffer", &l.resultBuffer},
		{"chdb_result_length", &l.resultLength},
		{"chdb_result_error", &l.resultError},
		{"chdb_result_rows_read", &l.rowsRead},
		{"chdb_result_storage_rows_read", &l.storageRows},
		{"chdb_result_storage_bytes_read", &l.storageBytes},
		{"chdb_result_rows_written", &l.rowsWritten},
		{"chdb_result_bytes_written", &l.bytesWritten},
		{"chdb_set_signal_handlers_enabled", &l.signalEnabled},
	} {
		symbol, err := purego.Dlsym(handle, f.name)
		if err != nil {
			return nil, fmt.Errorf("engine library %s has no function %s (too old?): %w", path, f.name, err)
		}
		purego.RegisterFunc(f.into, symbol)
	}
	l.signalEnabled(0)
	return l, nil
}

// Path is where the library was loaded from.
func (l *Library) Path() string { return l.path }

// Connect opens a connection; args are the engine's command line ("--path=DIR", "--mark_cache_size=…"). The first
// connection boots the engine with the server options among them; closing the last one shuts the engine down.
func (l *Library) Connect(args ...string) (*Conn, error) {
	argv := make([]*byte, 0, len(args)+2)
	for _, a := range append([]string{"clickhouse"}, args...) {
		argv = append(argv, unsafe.SliceData(append([]byte(a), 0)))
	}
	argv = append(argv, nil)
	var handle unsafe.Pointer
	connect := func() { handle = l.connect(int32(len(argv)-1), unsafe.Pointer(unsafe.SliceData(argv))) }
	if l.booted.CompareAndSwap(false, true) {
		if err := keepSignals(connect); err != nil {
			return nil, fmt.Errorf("keep the signal handlers: %w", err)
		}
	} else {
		connect()
	}
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errors.New("the engine refused the connection; its own words are in its log")
	}
	return &Conn{lib: l, handle: handle}, nil
}

// Conn is one session of the engine: its own current database, settings and temporary tables.
type Conn struct {
	lib    *Library
	mu     sync.Mutex // one statement at a time; also guards handle
	handle unsafe.Pointer
}

// Close ends the session; a second Close does nothing. It waits for a statement that is running.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return
	}
	c.lib.closeConn(c.handle)
	c.handle = nil
}

// session is what the engine's functions take as connection: Connect's answer is a pointer to it.
func (c *Conn) session() unsafe.Pointer { return *(*unsafe.Pointer)(c.handle) }

// Param is a query parameter: the value, in ClickHouse's text form, of a {name:Type} placeholder.
type Param struct{ Name, Value string }

// Query runs one statement to its end and returns everything it gave, in format.
func (c *Conn) Query(sql, format string, params ...Param) (Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return Result{}, ErrClosed
	}
	raw := c.call(c.lib.query, c.lib.queryParams, sql, format, params)
	return c.lib.result(raw)
}

type plainCall = func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr) unsafe.Pointer
type paramsCall = func(conn, sql unsafe.Pointer, sqlLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer

func (c *Conn) call(plain plainCall, with paramsCall, sql, format string, params []Param) unsafe.Pointer {
	// The bytes are copied to the heap with a terminator: the engine's parser looks one byte past the end.
	q, f := append([]byte(sql), 0), append([]byte(format), 0)
	defer runtime.KeepAlive(q)
	defer runtime.KeepAlive(f)
	qp, fp := unsafe.Pointer(unsafe.SliceData(q)), unsafe.Pointer(unsafe.SliceData(f))
	if len(params) == 0 {
		return plain(c.session(), qp, uintptr(len(sql)), fp, uintptr(len(format)))
	}
	names, values := make([]*byte, len(params)), make([]*byte, len(params))
	nameLens, valueLens := make([]uintptr, len(params)), make([]uintptr, len(params))
	for i, p := range params {
		names[i], nameLens[i] = unsafe.SliceData(append([]byte(p.Name), 0)), uintptr(len(p.Name))
		values[i], valueLens[i] = unsafe.SliceData(append([]byte(p.Value), 0)), uintptr(len(p.Value))
	}
	defer runtime.KeepAlive(names)
	defer runtime.KeepAlive(values)
	return with(c.session(), qp, uintptr(len(sql)), fp, uintptr(len(format)),
		unsafe.Pointer(unsafe.SliceData(names)), unsafe.Pointer(unsafe.SliceData(nameLens)),
		unsafe.Pointer(unsafe.SliceData(values)), unsafe.Pointer(unsafe.SliceData(valueLens)), uintptr(len(params)))
}
