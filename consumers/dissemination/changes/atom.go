package changes

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"

	"retorno/consumers/dissemination/response"
)

// feedID names the feed for ever (RFC 4287 §4.2.6).
const feedID = "urn:uuid:6f0e4b0e-3a52-4c1b-9d0c-2f6a7f6f8a16"

// atomFeed is an Atom feed (RFC 4287). Each entry is a vintage, under the id of its publication.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Published  string         `xml:"published"`
	Updated    string         `xml:"updated"`
	Links      []atomLink     `xml:"link"`
	Categories []atomCategory `xml:"category"`
	Summary    string         `xml:"summary"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

// atomCategory is the status of the vintage, or the code of a reason.
type atomCategory struct {
	Term   string `xml:"term,attr"`
	Scheme string `xml:"scheme,attr"`
}

// Schemes of categories.
const (
	statusScheme = feedID + "#status"
	reasonScheme = feedID + "#reason"
)

// atom answers PathAtom.
func (s *Server) atom(r *http.Request) (response.Representation, error) {
	if _, err := parameters(r.URL.RawQuery); err != nil {
		return response.Representation{}, err
	}
	all, err := s.visible(r.Context())
	if err != nil {
		return response.Representation{}, err
	}
	slices.Reverse(all)
	f := atomFeed{ID: feedID, Title: "Retorno: ediciones publicadas / published vintages", Updated: time.Unix(0, 0).UTC().Format(time.RFC3339), Author: "CENISS, Honduras",
		Links: []atomLink{{"self", "application/atom+xml", PathAtom}, {"alternate", "application/json", Path}}}
	var newest time.Time
	for _, v := range all {
		c, err := s.change(r.Context(), v)
		if err != nil {
			return response.Representation{}, err
		}
		f.Entries = append(f.Entries, c.entry())
		if v.Published.After(newest) {
			newest, f.Updated = v.Published, c.Published
		}
	}
	body, err := xml.MarshalIndent(f, "", " ")
	return response.Representation{Type: "application/atom+xml; charset=utf-8", Cache: "public, no-cache", Body: append([]byte(xml.Header), append(body, '\n')...)}, err
}

// statuses are what vintages are called, in both languages.
var statuses = map[string]string{"provisional": "provisional / provisional", "final": "definitiva / final", "revision": "revisión / revision"}

func (c *change) entry() atomEntry {
	var tables []string
	for _, t := range c.Tables {
		if t.Changed == nil || *t.Changed > 0 {
			tables = append(tables, t.ID)
		}
	}
	list := strings.Join(tables, ", ")
	e := atomEntry{ID: c.urn, Title: c.Vintage + ": " + statuses[c.Status], Published: c.Published, Updated: c.Published,
		Links:      []atomLink{{"alternate", "text/html", "/revisions/" + c.Period}, {"related", "application/json", c.Address}},
		Categories: []atomCategory{{c.Status, statusScheme}}, Summary: "Tablas con conteos nuevos: " + list + ". / Tables with new counts: " + list + "."}
	for _, reason := range c.Reasons {
		e.Categories = append(e.Categories, atomCategory{reason, reasonScheme})
	}
	if c.Reason != "" {
		e.Summary += " " + c.Reason
	}
	return e
}
