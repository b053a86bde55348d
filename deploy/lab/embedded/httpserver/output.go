package httpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"retorno/deploy/lab/embedded/chdb"
)

// holdBack is how much of a result waits for the statement's end, in bytes, so that an error that comes soon still
// gets its own status. Source: the default of a server's buffer_size is 1 MiB.
const holdBack = 1 << 20

// output is the answer to one request.
type output struct {
	w       http.ResponseWriter
	server  *Server
	started time.Time
	stats   chdb.Stats
	bytes   uint64

	hold     int // how much to hold back; < 0 = everything
	held     bytes.Buffer
	sent     bool           // the status line has gone out
	encoder  io.WriteCloser // nil = as it is
	encoding string
	frames   bool // ClickHouse's own compressed frames
}

// begin sets what is known before the statement runs.
func (o *output) begin(id string, r *http.Request, values url.Values) {
	o.started = time.Now()
	h := o.w.Header()
	set(h, "X-ClickHouse-Query-Id", id)
	set(h, "X-ClickHouse-Timezone", o.server.engine.Timezone())
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	if on(values.Get("enable_http_compression")) {
		o.encoding = chooseEncoding(r.Header.Get("Accept-Encoding"))
	}
	o.frames = on(values.Get("compress"))
	o.hold = holdBack
	if n, err := strconv.Atoi(values.Get("buffer_size")); err == nil && n >= 0 {
		o.hold = n
	}
	if on(values.Get("wait_end_of_query")) {
		o.hold = -1
	}
}

// setFormat tells the client the format of what follows.
func (o *output) setFormat(format string) {
	h := o.w.Header()
	set(h, "X-ClickHouse-Format", format)
	if t := o.server.contentTypes[strings.ToLower(format)]; t != "" {
		h.Set("Content-Type", t)
	}
}

// Write takes a piece of the result.
func (o *output) Write(b []byte) (int, error) {
	o.bytes += uint64(len(b))
	if !o.sent {
		o.held.Write(b)
		if o.hold < 0 || o.held.Len() <= o.hold {
			return len(b), nil
		}
		if err := o.commit(false); err != nil {
			return 0, err
		}
		return len(b), o.pushHeld()
	}
	if err := o.push(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// commit sends the headers of a result that is good so far; whole says that nothing more will come.
func (o *output) commit(whole bool) error {
	o.sent = true
	o.summary()
	h := o.w.Header()
	if o.encoding != "" {
		h.Set("Content-Encoding", o.encoding)
	}
	var err error
	if o.encoder, err = newEncoder(o.w, o.encoding, o.frames); err != nil {
		return err
	}
	if whole && o.encoder == nil {
		h.Set("Content-Length", strconv.Itoa(o.held.Len()))
	}
	o.w.WriteHeader(http.StatusOK)
	return nil
}

func (o *output) pushHeld() error {
	defer o.held.Reset()
	return o.push(o.held.Bytes())
}

func (o *output) push(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	var w io.Writer = o.w
	if o.encoder != nil {
		w = o.encoder
	}
	_, err := w.Write(b)
	return err
}

// finish ends the answer. An error back means that the client has not got all, and must see it.
func (o *output) finish(cause error) error {
	if cause != nil {
		return o.fail(chdb.AsError(cause))
	}
	if !o.sent {
		if err := o.commit(true); err != nil {
			return err
		}
	}
	if err := o.pushHeld(); err != nil {
		return err
	}
	return o.release()
}

// release ends the encoder, once.
func (o *output) release() error {
	if o.encoder == nil {
		return nil
	}
	e := o.encoder
	o.encoder = nil
	return e.Close()
}

// fail tells an error: by status and body when nothing has gone out, else at the end of what has.
func (o *output) fail(e *chdb.Error) error {
	text := fmt.Sprintf("%s (version %s)\n", e.Error(), o.server.engine.Version())
	if o.sent {
		// The transfer breaks off in any case, so what fails here fails with it.
		_ = o.push([]byte(text))
		_ = o.release()
		_ = http.NewResponseController(o.w).Flush()
		return e
	}
	o.held.Reset()
	o.sent = true
	o.summary()
	h := o.w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	set(h, "X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	delete(h, "X-ClickHouse-Format")
	if o.encoding != "" {
		h.Set("Content-Encoding", o.encoding)
	}
	var err error
	if o.encoder, err = newEncoder(o.w, o.encoding, o.frames); err != nil {
		return err
	}
	o.w.WriteHeader(statusOf(e))
	if err := o.push([]byte(text)); err != nil {
		return err
	}
	return o.release()
}

// summary sets the header that says what the statement did so far.
func (o *output) summary() {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	text, err := json.Marshal(struct {
		ReadRows     string `json:"read_rows"`
		ReadBytes    string `json:"read_bytes"`
		WrittenRows  string `json:"written_rows"`
		WrittenBytes string `json:"written_bytes"`
		TotalRows    string `json:"total_rows_to_read"`
		ResultRows   string `json:"result_rows"`
		ResultBytes  string `json:"result_bytes"`
		Elapsed      string `json:"elapsed_ns"`
	}{
		number(o.stats.ReadRows), number(o.stats.ReadBytes), number(o.stats.WrittenRows), number(o.stats.WroteBytes),
		"0", number(max(o.stats.Rows, o.stats.WrittenRows)), number(o.bytes), number(uint64(time.Since(o.started))),
	})
	if err == nil { // strings always marshal
		set(o.w.Header(), "X-ClickHouse-Summary", string(text))
	}
}

// set writes a header in ClickHouse's own spelling, which scripts look for, and not in Go's (X-Clickhouse-Format).
func set(h http.Header, name, value string) { h[name] = []string{value} }
