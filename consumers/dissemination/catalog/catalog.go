// Package catalog describes what is published as a DCAT 3 catalogue in JSON-LD, for portals that collect catalogues:
//
//	GET /catalog.jsonld
//
// A table is a dcat:DatasetSeries; of each period, its newest vintage is a dcat:Dataset in that series, with a dcat:Distribution for
// each form. The services of the server are dcat:DataService. It promises that every byte is a function of the published vintages and
// the build, and that addresses are relative, so that they hold under whatever name the server is reached. It says no licence and no
// contact: these are not the program's to choose. When the vintages cannot be read, the answer is 503 with Retry-After.
package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// Path is where the catalogue stands.
const Path = "/catalog.jsonld"

// Service is an interface of the server that is listed.
type Service struct {
	Address     string // dcat:endpointURL
	Description string // dcat:endpointDescription, an address
	ES, EN      string // its title
}

// Config is what the handler is made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Services   []Service
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

type server struct {
	shelf    *vintages.Shelf
	services []Service
	log      *slog.Logger

	mu   sync.Mutex
	of   []uuid.UUID // the vintages that body is of
	body []byte
	date time.Time // when the last of them was published
}

// New makes the handler of Path.
func New(c Config) http.Handler {
	s := &server{shelf: c.Shelf, services: c.Services, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return response.NewRecorder(c.Registerer, c.Log).Handle(Path, http.HandlerFunc(s.answer))
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	if !response.Readable(w, r) {
		return
	}
	body, modified, err := s.catalogue(r.Context())
	if err != nil {
		response.RefuseError(w, r, s.log, "the catalogue could not be made", err)
		return
	}
	response.Send(w, r, response.Representation{Type: "application/ld+json", Cache: "public, no-cache", Modified: modified, Body: body})
}

// catalogue is that of the newest vintages. It is made when one of them is another than the time before.
func (s *server) catalogue(ctx context.Context) ([]byte, time.Time, error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	var newest []vintages.Vintage
	var ids []uuid.UUID
	seen := map[string]bool{}
	for _, v := range all {
		if !seen[v.Period] {
			seen[v.Period] = true
			newest, ids = append(newest, v), append(ids, v.ID)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.body != nil && slices.Equal(ids, s.of) {
		return s.body, s.date, nil
	}
	g := graph{series: map[string]bool{}}
	for _, v := range newest {
		o, err := s.shelf.Open(ctx, v)
		if err != nil {
			return nil, time.Time{}, err
		}
		if err := g.add(o); err != nil {
			return nil, time.Time{}, err
		}
	}
	body, err := g.document(s.services)
	if err != nil {
		return nil, time.Time{}, err
	}
	s.body, s.of, s.date = body, ids, g.modified
	return s.body, s.date, nil
}

// node is one resource. JSON writes its members in the order of their names.
type node map[string]any

// langs is a text in both languages.
func langs(es, en string) []node {
	return []node{{"@language": "es", "@value": es}, {"@language": "en", "@value": en}}
}

// typed is a literal of XML Schema.
func typed(kind, value string) node { return node{"@type": "xsd:" + kind, "@value": value} }

func iri(address string) node { return node{"@id": address} }

func moment(t time.Time) node { return typed("dateTime", t.In(calendar.Zone()).Format(time.RFC3339)) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

func encode(what any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(what)
	return out.Bytes(), err
}
