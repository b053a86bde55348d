package vintages

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/response"
	"retorno/schemas/calendar"
)

// Path is where the list stands; vintages stand below it.
const Path = "/vintages"

// Config is what the handler is made of. Shelf is required.
type Config struct {
	Shelf      *Shelf
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

type server struct {
	shelf *Shelf
	log   *slog.Logger
}

// New makes the handler of Path and of what stands below it.
func New(c Config) http.Handler {
	s := &server{shelf: c.Shelf, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	mux.Handle(Path, rec.Handle(Path, s.get(s.list)))
	mux.Handle(Path+"/{period}/{number}/{path...}", rec.Handle(Path+"/", s.get(s.file)))
	mux.Handle(Path+"/", rec.Handle(Path+"/", s.get(func(*http.Request) (response.Representation, error) { return response.Representation{}, ErrNotFound })))
	return mux
}

// get answers GET and HEAD with a representation, and an error with a problem.
func (s *server) get(make func(*http.Request) (response.Representation, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		rep, err := make(r)
		if errors.Is(err, ErrNotFound) {
			err = response.NotFound.Of("No existe tal edición o archivo; "+Path+" las nombra.", "There is no such vintage or file; "+Path+" names them.")
		}
		if err != nil {
			response.RefuseError(w, r, s.log, "the vintages could not be read", err)
			return
		}
		if strings.HasPrefix(rep.Type, "text/html") { // the bulletin, whose style stands in it
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
		}
		response.Send(w, r, rep)
	})
}

// listed is the answer of Path.
type listed struct {
	Vintages []listedVintage `json:"vintages"`
}

type listedVintage struct {
	ID          string        `json:"id"`
	Period      string        `json:"period"`
	Vintage     uint64        `json:"vintage"`
	Status      string        `json:"status"`
	Published   string        `json:"published"`
	Bundle      string        `json:"bundle"`
	Archive     string        `json:"archive"` // all files of the bundle as one
	Tables      []listedTable `json:"tables"`
	Certificate string        `json:"certificate"`
}

type listedTable struct {
	ID       string `json:"id"`
	CSV      string `json:"csv"`
	Metadata string `json:"metadata"`
}

// Schema is what Path answers, as JSON Schema 2020-12, with an example. It follows from the types that are written.
func Schema() (*jsonschema.Schema, error) {
	s, err := jsonschema.For[listed](nil)
	if err != nil {
		return nil, err
	}
	folder := Address("2016-S1", 1)
	s.Examples = []any{listed{[]listedVintage{{ID: "01a2228d-cfab-7a7c-a24d-d3b306894564", Period: "2016-S1", Vintage: 1, Status: "final", Published: "2016-10-03T09:00:00-06:00", Bundle: folder,
		Archive: folder + bundle.ArchivePath, Tables: []listedTable{{"T2", folder + bundle.TablePath("T2"), folder + bundle.MetadataPath("T2")}}, Certificate: folder + bundle.CertificatePath}}}}
	return s, nil
}

// list answers Path.
func (s *server) list(r *http.Request) (response.Representation, error) {
	all, err := s.shelf.List(r.Context())
	if err != nil {
		return response.Representation{}, err
	}
	out := listed{Vintages: []listedVintage{}}
	for _, v := range all {
		folder := Address(v.Period, v.Number)
		one := listedVintage{ID: v.ID.String(), Period: v.Period, Vintage: v.Number, Status: v.Status, Published: v.Published.In(calendar.Zone()).Format(time.RFC3339), Bundle: folder, Archive: folder + bundle.ArchivePath,
			Tables: []listedTable{}, Certificate: folder + bundle.CertificatePath}
		for _, id := range v.Tables() {
			one.Tables = append(one.Tables, listedTable{id, folder + bundle.TablePath(id), folder + bundle.MetadataPath(id)})
		}
		out.Vintages = append(out.Vintages, one)
	}
	body, err := json.MarshalIndent(out, "", "  ")
	return response.Representation{Type: "application/json", Cache: "public, no-cache", Body: append(body, '\n')}, err
}

// Address is where the files of a vintage stand; it ends in a slash.
func Address(period string, number uint64) string {
	return Path + "/" + period + "/" + strconv.FormatUint(number, 10) + "/"
}

// file is the answer below Path. What it gives never changes.
func (s *server) file(r *http.Request) (response.Representation, error) {
	path := r.PathValue("path")
	if path == "" {
		path = bundle.ManifestPath
	}
	if strings.ContainsRune(path, 0) || len(path) > 200 {
		return response.Representation{}, ErrNotFound
	}
	v, err := s.shelf.Named(r.Context(), r.PathValue("period"), r.PathValue("number"))
	if err != nil {
		return response.Representation{}, err
	}
	body, err := s.bytes(r.Context(), v, path)
	rep := response.Representation{Type: typeOf(path), Cache: "public, max-age=31536000, immutable", Body: body}
	if id, ok := bundle.TableOf(path); ok {
		rep.Link = MetadataLink(v, id)
	}
	return rep, err
}

// bytes are those of a file of a vintage, or of all its files as an archive.
func (s *server) bytes(ctx context.Context, v Vintage, path string) ([]byte, error) {
	if path != bundle.ArchivePath {
		return s.shelf.File(ctx, v.Period, v.Number, path)
	}
	k, err := s.shelf.take(ctx, v)
	if err != nil {
		return nil, err
	}
	return bundle.Archive(k.files, v.Published)
}

// MetadataLink is the Link header by which programs find what the columns of a table's CSV are (Model for Tabular Data §5.2).
func MetadataLink(v Vintage, table string) string {
	return "<" + Address(v.Period, v.Number) + bundle.MetadataPath(table) + `>; rel="describedby"; type="application/csvm+json"`
}
