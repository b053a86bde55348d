package httpserver_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Each format goes out and comes in again, and a result in it is one whole document.
func TestFormatsBothWays(t *testing.T) {
	sql(t, "CREATE OR REPLACE TABLE formats (n UInt64, s String, d Date, v Nullable(Float64), l LowCardinality(String), a Array(Int32)) ENGINE = MergeTree ORDER BY n")
	sql(t, "INSERT INTO formats SELECT number, concat('text \"', toString(number), '\" ñ\\n\\n;'), toDate('2016-01-01') + number % 100, if(number % 3 = 0, NULL, number / 2), "+
		"concat('L-', toString(number % 7)), [number, 2] FROM numbers(20000)")
	const check = "SELECT count(), sum(cityHash64(n, s, d, ifNull(v, -1), l::String, a)) FROM "
	want := sql(t, check+"formats")
	for _, format := range []string{
		"TabSeparated", "TabSeparatedWithNames", "TabSeparatedWithNamesAndTypes", "TSKV", "CSV", "CSVWithNames", "CSVWithNamesAndTypes", "CustomSeparated", "Values",
		"JSON", "JSONCompact", "JSONColumns", "JSONEachRow", "JSONCompactEachRow", "JSONCompactEachRowWithNamesAndTypes", "JSONObjectEachRow", "BSONEachRow",
		"Native", "RowBinary", "RowBinaryWithNames", "RowBinaryWithNamesAndTypes", "Parquet", "Arrow", "ArrowStream", "ORC", "Avro", "MsgPack",
	} {
		t.Run(format, func(t *testing.T) {
			out := ask(t, http.MethodPost, "SELECT * FROM formats FORMAT "+format, "max_block_size=4000") // several blocks
			if out.status != 200 || out.err != nil || out.header.Get("X-ClickHouse-Format") != format {
				t.Fatalf("out: %d %v %v", out.status, out.header, out.err)
			}
			sql(t, "CREATE OR REPLACE TABLE formats_back AS formats")
			in := ask(t, http.MethodPost, out.body, "query=INSERT INTO formats_back FORMAT "+format)
			if in.status != 200 {
				t.Fatalf("in: %d %s", in.status, in.body)
			}
			if got := sql(t, check+"formats_back"); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			sql(t, "TRUNCATE TABLE formats_back")
			if format == "Values" {
				return // its statement and data look alike
			}
			sql(t, "INSERT INTO formats_back FORMAT "+format+"\n"+out.body) // both in the body
			if got := sql(t, check+"formats_back"); got != want {
				t.Errorf("all in the body: got %s, want %s", got, want)
			}
		})
	}
	for _, format := range []string{"Pretty", "PrettyCompact", "PrettySpace", "Vertical", "XML", "Markdown", "SQLInsert", "JSONStrings", "Null", "Prometheus"} {
		statement := "SELECT n, s FROM formats LIMIT 10 FORMAT " + format
		if format == "Prometheus" {
			statement = "SELECT 'm' AS name, 1 AS value FORMAT Prometheus"
		}
		if a := ask(t, http.MethodPost, statement); a.status != 200 || a.body == "" && format != "Null" {
			t.Errorf("%s: %d %q", format, a.status, a.body)
		}
	}
}

func TestInsertsOverHTTP(t *testing.T) {
	sql(t, "CREATE OR REPLACE TABLE ins (a Int32, b String DEFAULT 'none') ENGINE = MergeTree ORDER BY a")
	sql(t, "INSERT INTO ins VALUES (1, 'one'), (2, upper('two'));")
	sql(t, "(3, 'three')", "query=INSERT INTO ins VALUES")
	sql(t, "(4)", "query=INSERT INTO ins (a) VALUES ")
	sql(t, "5\tfive\n", "query=INSERT INTO ins FORMAT TSV")
	sql(t, `{"a": 6, "unknown": 1}`, "query=INSERT INTO ins FORMAT JSONEachRow", "input_format_skip_unknown_fields=1")
	sql(t, "INSERT INTO ins SELECT 7, 'seven'")
	sql(t, "", "query=INSERT INTO ins FORMAT CSV")
	if got := sql(t, "SELECT a, b FROM ins ORDER BY a FORMAT CSV"); got != "1,\"one\"\n2,\"TWO\"\n3,\"three\"\n4,\"none\"\n5,\"five\"\n6,\"none\"\n7,\"seven\"\n" {
		t.Errorf("got %q", got)
	}
	a := ask(t, http.MethodPost, strings.Repeat("8,eight\n", 1000)+"broken,line,here\n", "query=INSERT INTO ins FORMAT CSV")
	if a.status != 400 || !strings.HasPrefix(a.body, "Code: 27.") || strings.Contains(a.body, "/fd/") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := sql(t, "SELECT count() FROM ins"); got != "7\n" {
		t.Errorf("%s rows after an insert that failed", got)
	}
	a = ask(t, http.MethodPost, "INSERT INTO ins SELECT number, 'x' FROM numbers(10)")
	if !strings.Contains(a.header.Get("X-ClickHouse-Summary"), `"written_rows":"10"`) {
		t.Errorf("summary %s", a.header.Get("X-ClickHouse-Summary"))
	}
}

// A body that breaks off inserts nothing.
func TestBrokenBodyInsertsNothing(t *testing.T) {
	sql(t, "CREATE OR REPLACE TABLE broken (a Int32) ENGINE = MergeTree ORDER BY a")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+engine.HTTP()+"/?query=INSERT+INTO+broken+FORMAT+CSV",
		io.MultiReader(strings.NewReader(strings.Repeat("1\n", 100_000)), failing{}))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Do(r); err == nil {
		t.Errorf("no error: %s", resp.Status)
	}
	if got := sql(t, "SELECT count() FROM broken"); got != "0\n" {
		t.Errorf("%s rows", got)
	}
	var frames bytes.Buffer
	compressed(t, &frames, []byte(strings.Repeat("2\n", 1000)))
	for encoding, body := range map[string]string{"gzip": "no gzip", "zstd": "no zstd", "nope": "x"} {
		if a := ask(t, http.MethodPost, body, "query=INSERT INTO broken FORMAT CSV", "Content-Encoding: "+encoding); a.status < 400 {
			t.Errorf("%s: %d %s", encoding, a.status, a.body)
		}
	}
	if a := ask(t, http.MethodPost, frames.String()[:frames.Len()-3], "query=INSERT INTO broken FORMAT CSV", "decompress=1"); a.status != 400 {
		t.Errorf("cut frame: %d %s", a.status, a.body)
	}
	if got := sql(t, "SELECT count() FROM broken"); got != "0\n" {
		t.Errorf("%s rows", got)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func compressed(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	c := compress.NewWriter(compress.LevelZero, compress.ZSTD)
	if err := c.Compress(b); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(c.Data); err != nil {
		t.Fatal(err)
	}
}

// Every encoding, of answers and of bodies.
func TestEncodings(t *testing.T) {
	const statement = "SELECT number, toString(number) FROM numbers(200000)"
	want := sql(t, statement)
	sql(t, "CREATE OR REPLACE TABLE encoded (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
	for encoding, one := range map[string]struct {
		read  func(io.Reader) (io.Reader, error)
		write func(io.Writer) io.WriteCloser
	}{
		"gzip":    {func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
		"deflate": {func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
		"br":      {func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }},
		"zstd": {func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) }, func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				t.Fatal(err)
			}
			return z
		}},
		"lz4":    {func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }, func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) }},
		"snappy": {func(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil }, func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) }},
	} {
		out := ask(t, http.MethodPost, statement, "enable_http_compression=1", "Accept-Encoding: "+encoding)
		if out.header.Get("Content-Encoding") != encoding || len(out.body) >= len(want) {
			t.Errorf("%s: %v, %d bytes", encoding, out.header, len(out.body))
			continue
		}
		r, err := one.read(strings.NewReader(out.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes %v", encoding, len(got), err)
		}
		if plain := ask(t, http.MethodPost, "SELECT 1", "Accept-Encoding: "+encoding); plain.body != "1\n" {
			t.Errorf("%s without enable_http_compression: %q", encoding, plain.body)
		}
		var in bytes.Buffer
		w := one.write(&in)
		if _, err := io.WriteString(w, want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sql(t, "TRUNCATE TABLE encoded")
		sql(t, in.String(), "query=INSERT INTO encoded FORMAT TSV", "Content-Encoding: "+encoding)
		if got := sql(t, "SELECT count(), sum(n) FROM encoded WHERE s = toString(n)"); got != "200000\t19999900000\n" {
			t.Errorf("%s in: %s", encoding, got)
		}
	}
}

// ClickHouse's own frames, of answers and of bodies.
func TestNativeFrames(t *testing.T) {
	const statement = "SELECT number FROM numbers(500000)"
	want := sql(t, statement)
	a := ask(t, http.MethodPost, statement, "compress=1")
	r := compress.NewReader(strings.NewReader(a.body))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("%v", err)
	}
	sql(t, "CREATE OR REPLACE TABLE frames (n UInt64) ENGINE = MergeTree ORDER BY n")
	var in bytes.Buffer
	for _, part := range []string{want[:1000], want[1000:2_000_000], want[2_000_000:]} {
		compressed(t, &in, []byte(part))
	}
	sql(t, in.String(), "query=INSERT INTO frames FORMAT TSV", "decompress=1")
	if got := sql(t, "SELECT count(), sum(n) FROM frames"); got != "500000\t124999750000\n" {
		t.Errorf("got %s", got)
	}
	var whole bytes.Buffer
	compressed(t, &whole, []byte("SELECT 'in a frame'"))
	if got := sql(t, whole.String(), "decompress=1"); got != "in a frame\n" {
		t.Errorf("got %q", got)
	}
}
