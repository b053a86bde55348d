// Package vintages gives the public forms of vintages to everyone: which there are, and their files.
//
//	GET /vintages                        all of them, newest first, as JSON
//	GET /vintages/2016-S1/1/             a vintage's manifest; its other files stand below
//	GET /vintages/2016-S1/1/tables/T1.csv
//	GET /vintages/2016-S1/1/bundle.zip   all its files as one
//
// The feed and the page open vintages by the same Shelf, and take what they say from nothing else.
//
// It promises that every byte is a function of the vintages, the address and the build: nothing that arrives, is counted or
// restarts changes a byte or a header. It reads ceniss.publications and ceniss.released_files and nothing else. A vintage without
// a public form is not shown. No answer waits for ClickHouse but the first one of a vintage and the first list, so that its load tells nothing;
// when it is away, slow or not set up, those are 503 with Retry-After.
package vintages

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/bundle"
)

// Conn is what is needed of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Vintage is one that has a public form.
type Vintage struct {
	ID        uuid.UUID
	Period    string
	Number    uint64
	Status    string
	Published time.Time
	Paths     []string // of its files, sorted
}

// Name is what the vintage is called: 2016-S1/1.
func (v Vintage) Name() string { return v.Period + "/" + strconv.FormatUint(v.Number, 10) }

// Tables are the ids of its tables.
func (v Vintage) Tables() (ids []string) {
	for _, path := range v.Paths {
		if id, ok := bundle.TableOf(path); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// ErrNotFound says that there is no such vintage or file.
var ErrNotFound = errors.New("there is no such vintage or file")

// Shelf reads vintages. It puts few questions at once, and keeps what it has read.
type Shelf struct {
	conn    Conn
	timeout time.Duration
	keep    time.Duration
	slots   chan struct{}
	turn    chan struct{} // held while a list or a vintage is read that others may wait for

	mu      sync.Mutex
	all     []Vintage // as it was read at asked
	version string    // of all
	asked   time.Time
	watched bool    // Watch reads the list
	kept    []*kept // latest used last
}

// NewShelf makes one. timeout bounds one question, and the wait for others; for as long as keep, the list that was read is given
// again. Under Watch it is given until there is a newer one.
func NewShelf(conn Conn, timeout, keep time.Duration) *Shelf {
	return &Shelf{conn: conn, timeout: timeout, keep: keep, slots: make(chan struct{}, 4), turn: make(chan struct{}, 1)}
}

// ask puts a question and hands over its rows.
func (s *Shelf) ask(ctx context.Context, row func(driver.Rows) error, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return fmt.Errorf("wait for one of %d places to ask ClickHouse: %w", cap(s.slots), context.Cause(ctx))
	}
	// ClickHouse ends the query by itself a little later, should the connection not carry the cancellation.
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": int(s.timeout.Seconds()) + 1}))
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// List returns the vintages that have a public form, newest first; of a period, what is final before what is provisional. The slice is shared: it must not be changed.
func (s *Shelf) List(ctx context.Context) ([]Vintage, error) {
	if all, ok := s.recent(); ok {
		return all, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.takeTurn(ctx); err != nil {
		return nil, fmt.Errorf("read the vintages: %w", err)
	}
	defer func() { <-s.turn }()
	if all, ok := s.recent(); ok {
		return all, nil
	}
	return s.read(ctx)
}

// Watch reads the list as often as keep says, until ctx ends, so that no one who asks for it waits for ClickHouse. When it cannot be
// read, the one before stays.
func (s *Shelf) Watch(ctx context.Context) {
	s.mu.Lock()
	s.watched = true
	s.mu.Unlock()
	tick := time.NewTicker(s.keep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.takeTurn(ctx) != nil {
			return
		}
		_, _ = s.read(ctx) // requests for what was not read before tell, and so does /readyz
		<-s.turn
	}
}

// read reads the list and keeps it.
func (s *Shelf) read(ctx context.Context) ([]Vintage, error) {
	asked := time.Now()
	var all []Vintage
	err := s.ask(ctx, func(rows driver.Rows) error {
		var v Vintage
		err := rows.Scan(&v.ID, &v.Period, &v.Number, &v.Status, &v.Published, &v.Paths)
		all = append(all, v)
		return err
	}, `SELECT id, period, vintage, status, published_at, paths
		FROM ceniss.publications AS p
		INNER JOIN (SELECT publication, arraySort(groupArray(path)) AS paths FROM ceniss.released_files GROUP BY publication) AS f ON f.publication = p.id
		ORDER BY published_at DESC, period DESC, vintage DESC`)
	if err != nil {
		return nil, fmt.Errorf("read the vintages: %w", err)
	}
	arrange(all)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.asked, s.version = all, asked, versionOf(all)
	return all, nil
}

// versionOf is the same for the same vintages.
func versionOf(all []Vintage) string {
	sum := sha256.New()
	for _, v := range all {
		_, _ = fmt.Fprintf(sum, "%s %s %d %s %d %q\n", v.ID, v.Period, v.Number, v.Status, v.Published.UnixNano(), v.Paths) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// Version names all that is published: while it is the same, so is every answer.
func (s *Shelf) Version(ctx context.Context) (string, error) {
	if _, err := s.List(ctx); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, nil
}

// arrange puts the vintages of each period into their order, whatever the clocks said that they were published by: larger
// numbers first, and provisional ones after all others. Periods stand where they stood.
func arrange(all []Vintage) {
	places, of := map[string][]int{}, map[string][]Vintage{}
	for i, v := range all {
		places[v.Period], of[v.Period] = append(places[v.Period], i), append(of[v.Period], v)
	}
	for period, some := range of {
		slices.SortStableFunc(some, func(a, b Vintage) int {
			if a.provisional() != b.provisional() {
				return cmp.Compare(a.provisional(), b.provisional())
			}
			return cmp.Compare(b.Number, a.Number)
		})
		for i, place := range places[period] {
			all[place] = some[i]
		}
	}
}

// provisional is 1 of a provisional vintage, and 0 of a final one or a revision.
func (v Vintage) provisional() int {
	if v.Status == "provisional" {
		return 1
	}
	return 0
}

// recent returns the list if it was read a short while ago.
func (s *Shelf) recent() ([]Vintage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all, !s.asked.IsZero() && (s.watched || time.Since(s.asked) < s.keep)
}

// takeTurn waits until no other reads.
func (s *Shelf) takeTurn(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another reader: %w", context.Cause(ctx))
	}
}

// Named returns the vintage of a period and a number as addresses have it, or ErrNotFound.
func (s *Shelf) Named(ctx context.Context, period, number string) (Vintage, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != number {
		return Vintage{}, ErrNotFound
	}
	return s.vintage(ctx, period, n)
}

func (s *Shelf) vintage(ctx context.Context, period string, number uint64) (Vintage, error) {
	all, err := s.List(ctx)
	if err != nil {
		return Vintage{}, err
	}
	i := slices.IndexFunc(all, func(v Vintage) bool { return v.Period == period && v.Number == number })
	if i < 0 {
		return Vintage{}, ErrNotFound
	}
	return all[i], nil
}

// File returns the bytes of one file, or ErrNotFound.
func (s *Shelf) File(ctx context.Context, period string, number uint64, path string) ([]byte, error) {
	v, err := s.vintage(ctx, period, number)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(v.Paths, path) {
		return nil, ErrNotFound
	}
	k, err := s.take(ctx, v)
	if err != nil {
		return nil, err
	}
	return k.files[path], nil
}

// LatticesBefore are the texts of the lattices of the vintages that were published before a moment, the earliest first.
func (s *Shelf) LatticesBefore(ctx context.Context, moment time.Time) (texts [][]byte, err error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	earlier := slices.DeleteFunc(slices.Clone(all), func(v Vintage) bool { return !v.Published.Before(moment) })
	slices.SortStableFunc(earlier, func(a, b Vintage) int { return a.Published.Compare(b.Published) })
	for _, v := range earlier {
		text, err := s.File(ctx, v.Period, v.Number, bundle.LatticePath)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Folder is one vintage as a source of a bundle.
type Folder struct {
	Shelf  *Shelf
	Period string
	Number uint64
}

// Read returns one file.
func (f Folder) Read(ctx context.Context, path string) ([]byte, error) {
	return f.Shelf.File(ctx, f.Period, f.Number, path)
}

// List returns nothing: that no other file lies there is not for the reader to find out.
func (f Folder) List() ([]string, error) { return nil, nil }

// typeOf is the media type of a file.
func typeOf(path string) string {
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "csv":
		return "text/csv; charset=utf-8; header=present"
	case "json":
		return "application/json"
	case "yaml":
		return "application/yaml"
	case "pem":
		return "application/x-pem-file"
	case "html":
		return "text/html; charset=utf-8"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case "zip":
		return "application/zip"
	case "pdf":
		return "application/pdf"
	case "parquet":
		return "application/vnd.apache.parquet"
	case "xml":
		return "application/xml"
	case "md":
		return "text/markdown; charset=utf-8"
	case "ods":
		return "application/vnd.oasis.opendocument.spreadsheet"
	}
	return "application/octet-stream"
}
