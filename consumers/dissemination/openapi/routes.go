package openapi

import (
	"strings"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/catalog"
	"retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// tags group the addresses.
var tags = []struct{ name, what string }{
	{"feed", "Consultas de retornos / Questions for returns"},
	{"vintages", "Ediciones, sus archivos y sus tablas / Vintages, their files and their tables"},
	{"changes", "Qué cambió / What changed"},
	{"about", "Qué hay / What there is"},
	{"pages", "Páginas para personas / Pages for people"},
}

// route is an address that is described.
type route struct {
	path, id, tag string
	es, en        string // what it gives
	parameters    []object
	types         []string // media types of its answer
	page          bool     // its errors are pages, not problems
	redirect      bool     // it leads to another address
}

// operation is the description of a route (OpenAPI 3.1 §4.8.10).
func (r route) operation() object {
	content := object{}
	for _, t := range r.types {
		schema := object{"type": "string"}
		switch {
		case strings.Contains(t, "json"):
			schema = r.schema()
		case strings.Contains(t, "yaml"):
			schema = object{}
		}
		content[t] = object{"schema": schema}
		if example, ok := examples[r.id]; ok {
			content[t] = object{"schema": schema, "example": example}
		}
	}
	bad, later := ref("responses/Problem"), ref("responses/Later")
	if r.page {
		bad, later = ref("responses/Page"), ref("responses/Page")
	}
	responses := object{"304": ref("responses/NotModified"), "404": bad, "405": bad, "503": later}
	if r.redirect {
		responses["303"] = object{"description": "It is explained at Location"}
	} else {
		responses["200"] = object{"description": r.en, "content": content, "headers": object{"ETag": ref("headers/ETag")}}
	}
	if len(r.parameters) > 0 {
		responses["400"] = bad
	}
	if !r.page {
		responses["401"], responses["429"] = ref("responses/Problem"), ref("responses/Later")
	}
	return object{"operationId": r.id, "tags": []string{r.tag}, "summary": r.en, "description": r.es + " / " + r.en, "parameters": append([]object{}, r.parameters...), "responses": responses}
}

// written are the schemas of answers in JSON, by operation.
var written = map[string][]string{"returnsJSON": {"Returns"}, "vintages": {"Vintages"}, "vintage": {"Manifest"}, "file": {"Manifest", "Certificate"}, "tables": {"Collection"},
	"table": {"Table", "Dataset"}, "changes": {"Changes"}, "catalogue": {"Catalogue"}, "openapi": {"Description"}}

// examples are answers that are texts, by operation.
var examples = map[string]string{
	"returnsCSV":    "period,exit_point,exit_point_label,series,obs_status,returns,vintage\r\n2016-S1,L-COR,Corinto,registered,A,17064,2016-S1/1\r\n2016-S1,L-AMA,El Amatillo,registered,Q,,2016-S1/1\r\n",
	"changesStream": "retry: 3000\n\nid: 2016-S1/1\nevent: vintage\ndata: {\"id\":\"2016-S1/1\",\"vintage\":\"2016-S1/1\",\"status\":\"final\"}\n\n",
}

// schema is that of an answer in JSON.
func (r route) schema() object {
	var all []object
	for _, name := range written[r.id] {
		all = append(all, ref("schemas/"+name))
	}
	if len(all) == 1 {
		return all[0]
	}
	return object{"anyOf": all}
}

// query is a parameter of the query string, one value of some.
func query(name, what string, schema object) object {
	return object{"name": name, "in": "query", "description": what, "schema": schema}
}

func required(parameter object) object {
	parameter["required"] = true
	return parameter
}

func inPath(name, what string, schema object) object {
	return object{"name": name, "in": "path", "required": true, "description": what, "schema": schema}
}

func oneOf(values ...string) object { return object{"type": "string", "enum": values} }

// Forms of values.
var (
	halfYear = object{"type": "string", "pattern": `^(19[7-9][0-9]|20[0-9][0-9])-S[12]$`, "examples": []string{"2016-S1"}}
	period   = object{"type": "string", "pattern": `^(19[7-9][0-9]|20[0-9][0-9])-(S[12]|Q[1-4]|0[1-9]|1[0-2])$`, "examples": []string{"2016-S1"}}
	number   = object{"type": "integer", "minimum": 1, "maximum": 4294967295, "examples": []int{1}}
	lang     = query("lang", "Idioma / Language", oneOf("es", "en"))
	// Pages take an empty value for none.
	pageLang   = query("lang", "Idioma / Language", oneOf("es", "en", ""))
	pagePeriod = query("period", "Semestre / Half-year", object{"type": "string", "pattern": `^((19[7-9][0-9]|20[0-9][0-9])-S[12])?$`, "examples": []string{"2016-S1"}})
	// A position may name many vintages; one is enough to describe it.
	position = object{"anyOf": []object{{"type": "string", "format": "date-time"}, {"type": "string", "pattern": `^((19[7-9][0-9]|20[0-9][0-9])-S[12]/[1-9][0-9]{0,8})?$`}}}
)

// returns are the parameters of the feed, as feed.ParseQuery reads them.
func returns(more ...object) []object {
	var by, series []string
	for _, d := range feed.Dimensions() {
		by = append(by, d.ID)
	}
	for _, s := range feed.AllSeries() {
		series = append(series, s.ID)
	}
	columns := query("by", "Columnas / Columns", object{"type": "array", "items": oneOf(by...), "maxItems": feed.MaxDimensions, "minItems": 1, "uniqueItems": true})
	columns["style"], columns["explode"] = "form", false
	return append([]object{
		required(query("period", "Semestre, trimestre o mes / Half-year, quarter or month", period)), columns,
		query("series", "Fuentes del conteo / Sources of the count", oneOf(series...)), lang,
		query("vintage", "Número de la edición / Number of the vintage", number),
	}, more...)
}

// routes are all of them.
func routes() []route {
	id := []object{inPath("period", "Semestre / Half-year", halfYear), inPath("vintage", "Número de la edición / Number of the vintage", number)}
	in := func(more ...object) []object { return append(append([]object{}, id...), more...) }
	bom := query("bom", "Marca de orden de bytes, para Excel / Byte order mark, for Excel", oneOf("0", "1"))
	csv, page := "text/csv", "text/html"
	types := map[string]bool{}
	var forms []string
	for _, f := range formats.All() {
		if kind, _, _ := strings.Cut(f.Type, ";"); !types[kind] {
			types[kind] = true
			forms = append(forms, kind)
		}
	}
	folder := vintages.Path + "/{period}/{vintage}/"
	files := []string{bundle.ManifestPath, bundle.CodesPath, bundle.LatticePath, bundle.DifferencesPath, bundle.CertificatePath, bundle.SignaturePath, bundle.KeyPath, bundle.MethodPath, bundle.ArchivePath}
	fileTypes := []string{"application/json", csv, "application/yaml", "application/octet-stream", "application/x-pem-file", "text/markdown", "application/zip"}
	books := []string{page, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet", "application/pdf"}
	since := query("since", "Posición, día o momento / Position, day or moment", position)
	return append([]route{
		{feed.PathCSV, "returnsCSV", "feed", "Retornos, CSV", "Returns, as CSV", returns(bom), []string{csv}, false, false},
		{feed.PathJSON, "returnsJSON", "feed", "Retornos, JSON", "Returns, as JSON", returns(), []string{"application/json"}, false, false},
		{vintages.Path, "vintages", "vintages", "Todas las ediciones", "All vintages", nil, []string{"application/json"}, false, false},
		{folder, "vintage", "vintages", "El manifiesto de una edición", "The manifest of a vintage", in(), []string{"application/json"}, false, false},
		{folder + "{file}", "file", "vintages", "Un archivo de una edición; el manifiesto los nombra todos", "A file of a vintage; the manifest names all of them", in(inPath("file", "Archivo / File", oneOf(files...))), fileTypes, false, false},
		{folder + "tables", "tables", "vintages", "Las tablas de una edición, JSON-stat", "The tables of a vintage, JSON-stat", in(query("format", "Formato / Format", oneOf("jsonstat")), lang), []string{"application/json"}, false, false},
		{folder + "tables/{table}", "table", "vintages", "Una tabla en un formato", "A table in a format",
			in(inPath("table", "Tabla; con .csv, su archivo / Table; with .csv, its file", object{"type": "string", "pattern": `^T[0-9]{1,2}[a-z]?$`, "examples": []string{"T2"}}),
				query("format", "Formato / Format", oneOf(formats.IDs()...)), lang), append(forms, "application/octet-stream"), false, false},
		{bulletin.Path + "{period}", "bulletin", "pages", "El boletín de un semestre", "The bulletin of a half-year",
			[]object{inPath("period", "Semestre / Half-year", halfYear), lang, query("format", "Formato / Format", oneOf("html", "xlsx", "ods", "pdf")), query("vintage", "Número de la edición / Number of the vintage", number)},
			books, false, false},
		{changes.Path, "changes", "changes", "Lo publicado desde una posición", "What was published since a position", []object{since}, []string{"application/json"}, false, false},
		{changes.PathAtom, "changesAtom", "changes", "Lo publicado, Atom", "What was published, Atom", nil, []string{"application/atom+xml"}, false, false},
		{changes.PathStream, "changesStream", "changes", "Lo publicado, a medida que llega", "What is published, as it comes", []object{since}, []string{"text/event-stream"}, false, false},
		{catalog.Path, "catalogue", "about", "Catálogo DCAT 3", "Catalogue, DCAT 3", nil, []string{"application/ld+json"}, false, false},
		{Path, "openapi", "about", "Esta descripción", "This description", nil, []string{Type}, false, false},
	}, pages(page)...)
}

// pages are the addresses for people.
func pages(page string) []route {
	var kinds []string
	for _, k := range response.Kinds() {
		kinds = append(kinds, k.ID)
	}
	html := []string{page}
	return []route{
		{"/", "home", "pages", "El semestre", "The half-year", []object{pagePeriod, pageLang}, html, true, false},
		{feed.DocumentationPath, "data", "pages", "Datos para otros sistemas", "Data for other systems", []object{pageLang}, html, true, false},
		{"/explore", "explore", "pages", "Las tablas publicadas", "The published tables", []object{pagePeriod, pageLang}, html, true, false},
		{"/explore/{table}", "exploreTable", "pages", "Una tabla publicada", "A published table", []object{inPath("table", "Tabla / Table", object{"type": "string", "pattern": `^T[0-9]{1,2}[a-z]?$`, "examples": []string{"T2"}}), pagePeriod, pageLang}, html, true, false},
		{"/method", "method", "pages", "El texto del método", "The text of the method", []object{pageLang}, html, true, false},
		{"/partners", "partners", "pages", "Cómo se descargan los datos", "How to pull the data", []object{pageLang}, html, true, false},
		{"/calendar", "calendar", "pages", "Cuándo se publica", "When it is published", []object{pageLang}, html, true, false},
		{"/revisions/{period}", "revisions", "pages", "Las ediciones de un semestre, una junto a otra", "The vintages of a half-year, beside each other", []object{inPath("period", "Semestre / Half-year", halfYear), pageLang}, html, true, false},
		{response.ProblemsPath, "problems", "pages", "Qué dice un error", "What an error says", []object{pageLang}, html, true, false},
		{response.ProblemsPath + "{kind}", "problem", "pages", "Lo que significa un error", "What an error means", []object{inPath("kind", "Tipo / Kind", oneOf(kinds...))}, html, true, true},
	}
}
