package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"log/slog"
	"net/http"

	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets/site.css
var styleSheet []byte

// stylePath names the style sheet by its content.
var stylePath = func() string {
	sum := sha256.Sum256(styleSheet)
	return "/assets/site-" + hex.EncodeToString(sum[:6]) + ".css"
}()

// pages are the templates, once in each language: {{t "es" "en"}} is already decided in them.
var pages = map[string]*template.Template{"es": parse("es"), "en": parse("en")}

func parse(lang string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"t": func(es, en string) string { return both{es, en}.in(lang) },
	}).ParseFS(templateFiles, "templates/*.html"))
}

// Frame is what every page has around it.
type Frame struct {
	Lang      string // of this page
	Other     string // the other language
	Title     string
	Style     string // address of the style sheet
	Home      string // address of the start page in this language
	Tables    string // address of the list of tables in this language
	Partners  string // address of the page for partner agencies in this language
	Defined   string // where the definitions stand in this language
	Releases  string // address of the release calendar in this language
	Feed      string // address of the feed's description in this language
	Elsewhere string // this page in the other language
}

// frame makes the frame of the page at path, about a period or none.
func frame(lang, path, period string) Frame {
	other := both{"en", "es"}.in(lang)
	f := Frame{Lang: lang, Other: other, Style: stylePath, Home: "/?lang=" + lang, Tables: explorePath + "?lang=" + lang,
		Defined: "/?lang=" + lang + "#h-def", Partners: partnersPath + "?lang=" + lang, Releases: calendarPath + "?lang=" + lang, Feed: feed.DocumentationPath + "?lang=" + lang, Elsewhere: path + "?lang=" + other}
	if period != "" {
		f.Elsewhere += "&period=" + period
	}
	return f
}

// language is the one the address names, else the one the browser prefers.
func language(r *http.Request) string {
	switch lang := r.URL.Query().Get("lang"); lang {
	case "es", "en":
		return lang
	}
	return response.Language(r)
}

// show writes a page whole, or none of it.
func (s *server) show(w http.ResponseWriter, r *http.Request, status int, name string, data any) {
	lang := language(r)
	var b bytes.Buffer
	if err := pages[lang].ExecuteTemplate(&b, name, data); err != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "a template failed", slog.String("template", name), slog.Any("error", err))
		http.Error(w, "Error interno / Internal error", http.StatusInternalServerError)
		return
	}
	cache := "no-cache" // may be kept, must be asked about: the ETag makes that cheap
	if status != http.StatusOK {
		cache = "no-store"
	}
	response.Send(w, r, response.Representation{Status: status, Type: "text/html; charset=utf-8", Language: lang, Cache: cache,
		Vary: []string{"Accept-Language"}, Body: b.Bytes()})
}

type failView struct {
	Frame
	Status int
	Detail string
}

// fail writes a page that says what is wrong.
func (s *server) fail(w http.ResponseWriter, r *http.Request, status int, m message) {
	lang := language(r)
	v := failView{Frame: frame(lang, "/", ""), Status: status, Detail: m.detail.in(lang)}
	v.Title = m.title.in(lang)
	s.show(w, r, status, "fail", v)
}

// feedView describes the feed from the feed's own lists, so that it cannot say anything else than what is so.
type feedView struct {
	Frame
	PathCSV, PathJSON string
	Vintages          string // where they are listed
	Dimensions        []feedTerm
	Series            []feedTerm
	MaxDimensions     int
}

type feedTerm struct {
	ID, Text string
}

func (s *server) documentation(lang string) feedView {
	v := feedView{Frame: frame(lang, feed.DocumentationPath, ""), PathCSV: feed.PathCSV, PathJSON: feed.PathJSON,
		Vintages: vintages.Path, MaxDimensions: feed.MaxDimensions}
	v.Title = both{"Datos para otros sistemas", "Data for other systems"}.in(lang)
	for _, d := range feed.Dimensions() {
		v.Dimensions = append(v.Dimensions, feedTerm{d.ID, both{d.ES, d.EN}.in(lang)})
	}
	for _, one := range feed.AllSeries() {
		v.Series = append(v.Series, feedTerm{one.ID, both{one.ES, one.EN}.in(lang)})
	}
	return v
}
