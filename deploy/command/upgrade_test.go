package command

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/deploy/lab/embedded/embeddedtest"
)

// released are data folders of released programs, made once with each: `retorno demo --exit --seed=1 --mess=hard` of a
// table of 40 registered returns of 2016-S1, and one `retorno publish 2016-S1`.
var released = []string{"testdata/v0.1.0.tar.gz"}

// TestDataOfAReleaseAreGoneOnWith opens the data of a released program with this one: after retorno migrate every number is
// what it was and agrees with the second count, new records are counted, and the vintage stays as it was published.
func TestDataOfAReleaseAreGoneOnWith(t *testing.T) {
	for _, archive := range released {
		t.Run(filepath.Base(archive), func(t *testing.T) { goOnWith(t, archive) })
	}
}

func goOnWith(t *testing.T, archive string) {
	at := startEmbedded(t, "--data", unpacked(t, archive))
	kafka := []string{"--kafka-brokers", at.Kafka, "--clickhouse-addr", at.ClickHouseNative}
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{at.ClickHouseNative}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ask := func(query string) string {
		t.Helper()
		var answer string
		if err := conn.QueryRow(t.Context(), "SELECT toString(("+query+"))").Scan(&answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return answer
	}
	const (
		counted = "SELECT sum(registered) FROM ceniss.return_counts WHERE half_year = '2016-S1'"
		vintage = "SELECT tuple(count(), sum(registered), sum(cityHash64(*))) FROM ceniss.published_counts"
		read    = "SELECT sum(read) FROM retorno.accounts"
		come    = "SELECT sum(checkpoint) FROM ceniss.return_counts WHERE day = '2016-04-06' AND entry_point = 'L-COR'" // of the new records' day
	)
	before := ask(vintage)
	if r := try(t, "", nil, "migrate", "--clickhouse-addr", at.ClickHouseNative); r.status != exitDone {
		t.Fatalf("migrate: %+v", r)
	}
	if n := ask(counted); n != "40" {
		t.Errorf("%s returns are counted, 40 were", n)
	}
	verified := func() {
		t.Helper()
		var report struct{ Different uint64 }
		r := try(t, "", nil, append([]string{"verify", "--once", "--json"}, kafka...)...)
		if err := json.Unmarshal([]byte(r.out), &report); r.status != exitDone || report.Different > 0 {
			t.Errorf("verify: %+v, %v", r, err)
		}
	}
	verified()
	records, seen := ask(read), ask(come)

	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan result, 1)
	go func() {
		ended <- tryUntil(ctx, "", nil, append([]string{"consume", "--ops-listen=127.0.0.1:0"}, kafka...)...)
	}()
	var lines []string
	for n := range 20 {
		lines = append(lines, event(5000+n))
	}
	if r := try(t, strings.Join(lines, "\n"), nil, "send", "-", "--kafka-brokers", at.Kafka); r.status != exitDone {
		t.Errorf("send: %+v", r)
	}
	want := ask(fmt.Sprintf("SELECT %s + %d", records, len(lines)))
	embeddedtest.Await(t, "account of the new records", func() (bool, string) {
		n := ask(read)
		return n == want, n + " of " + want
	})
	leave()
	if r := <-ended; r.status != exitDone {
		t.Errorf("consume: %+v", r)
	}
	verified()
	if n, want := ask(come), ask(fmt.Sprintf("SELECT %s + %d", seen, len(lines))); n != want {
		t.Errorf("%s returns were seen, want %s: %s before, and the new ones", n, want, seen)
	}
	if after := ask(vintage); after != before {
		t.Errorf("the vintage was %s and is %s", before, after)
	}
}

// unpacked is the folder of an archive's data, in a folder of the test.
func unpacked(t *testing.T, archive string) string {
	t.Helper()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	for r := tar.NewReader(unzipped); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(to, "data")
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(to, filepath.Clean("/"+header.Name))
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, 0o700)
		case tar.TypeSymlink:
			err = os.Symlink(header.Linkname, name)
		default:
			var text []byte
			if text, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(name, text, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
