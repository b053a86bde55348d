package clients_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/catalog"
	"retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/enginetest"
)

// published serves a provisional vintage, a final one and a revision.
func published(t *testing.T) string {
	t.Helper()
	conn := enginetest.Fresh(t, engine).Conn()
	for i, status := range []string{"provisional", "final", "revision"} {
		v := vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC)}
		if err := vintagestest.Publish(t.Context(), conn, v); err != nil {
			t.Fatal(err)
		}
	}
	shelf := vintages.NewShelf(conn, time.Minute, time.Minute)
	mux := http.NewServeMux()
	files := vintages.New(vintages.Config{Shelf: shelf})
	mux.Handle(vintages.Path, files)
	mux.Handle(vintages.Path+"/", files)
	tables := formats.New(formats.Config{Shelf: shelf, Files: files})
	mux.Handle(formats.PatternTables, tables)
	mux.Handle(formats.PatternTable, tables)
	mux.Handle(catalog.Path, catalog.New(catalog.Config{Shelf: shelf, Services: []catalog.Service{{Address: vintages.Path, Description: vintages.Path, ES: "Ediciones", EN: "Vintages"}}}))
	mux.Handle(bulletin.Path, bulletin.New(bulletin.Config{Shelf: shelf}))
	done := make(chan struct{})
	news := changes.New(changes.Config{Shelf: shelf, Done: done})
	mux.Handle(changes.Path, news.Answers())
	mux.Handle(changes.PathAtom, news.Answers())
	mux.Handle(changes.PathStream, news.Stream())
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		close(done)
		server.Close()
	})
	return server.URL
}

// TestReadersOfFormats: pyjstat, libhxl, csvw and pyarrow read every table of every vintage.
func TestReadersOfFormats(t *testing.T) {
	call(t, ".", python(t), "-I", "formats.py", published(t))
}

// TestReadersOfTheCatalogue: pySHACL finds the catalogue valid, and what it names is there.
func TestReadersOfTheCatalogue(t *testing.T) {
	call(t, ".", python(t), "-I", "catalog.py", published(t))
}

// TestReadersOfChanges: feedparser and an SSE client are told every vintage.
func TestReadersOfChanges(t *testing.T) {
	call(t, ".", python(t), "-I", "changes.py", published(t))
}

// TestReadersOfWorkbooks: calamine reads the bulletin's workbooks, and finds the same in both forms.
func TestReadersOfWorkbooks(t *testing.T) {
	call(t, ".", python(t), "-I", "workbooks.py", published(t))
}
