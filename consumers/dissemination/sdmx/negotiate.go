package sdmx

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/csvdata"
	"retorno/consumers/dissemination/sdmx/jsondata"
	"retorno/consumers/dissemination/sdmx/ml"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

// format is one that an answer can be written in.
type format struct {
	media   string   // its media type, with the version
	aliases []string // other media types that mean it
	names   []string // of the parameter format
	actions bool     // it can tell what is to be deleted
	data    func(*query.Answer, options) []byte
	// structures writes artefacts; a format has data or structures.
	structures func(*structure.Selection, *request) []byte
}

// options are parameters of a media type, and the language.
type options struct {
	labels, keys, lang string
}

// Formats of each root, the default first.
var (
	data21 = []format{
		{ml.TypeGeneric, []string{"application/xml", "text/xml"}, []string{"genericdata"}, true, func(a *query.Answer, _ options) []byte { return ml.Generic(a) }, nil},
		{ml.TypeSpecific, nil, []string{"structurespecificdata"}, true, func(a *query.Answer, _ options) []byte { return ml.Specific(a) }, nil},
		{csvdata.Type10, []string{"text/csv"}, csvNames, false, func(a *query.Answer, o options) []byte {
			return csvdata.Write10(a, csvdata.Options{Labels: o.labels, Lang: o.lang})
		}, nil},
	}
	data30 = []format{
		{jsondata.TypeData, []string{"application/json"}, []string{"jsondata"}, true, func(a *query.Answer, o options) []byte { return jsondata.Data(a, o.lang) }, nil},
		{csvdata.Type20, []string{"text/csv"}, csvNames, true, csv20, nil},
		{csvdata.Type21, nil, nil, true, csv20, nil},
		{ml.TypeData30, []string{"application/xml", "text/xml"}, []string{"structurespecificdata", "xml"}, true, func(a *query.Answer, _ options) []byte { return ml.Data30(a) }, nil},
	}
	structures21 = []format{{ml.TypeStructure, []string{"application/xml", "text/xml"}, []string{"structure"}, true, nil,
		func(s *structure.Selection, r *request) []byte { return ml.Structures(s, r.state.Published) }}}
	structures30 = []format{
		{jsondata.TypeStructure, []string{"application/json"}, []string{"structure", "jsonstructure"}, true, nil, func(s *structure.Selection, r *request) []byte {
			return jsondata.Structures(s, r.lang, r.state.Published)
		}},
		{ml.TypeStructure30, []string{"application/xml", "text/xml"}, []string{"xml"}, true, nil, func(s *structure.Selection, r *request) []byte { return ml.Structures30(s, r.state.Published) }},
	}
	csvNames = []string{"csvdata", "csvfile", "csv"}
)

func csv20(a *query.Answer, o options) []byte {
	return csvdata.Write20(a, csvdata.Options{Labels: o.labels, Keys: o.keys, Lang: o.lang})
}

// choose finds the format that a request asks for: by the parameter format, or else by Accept (RFC 9110 §12.5.1).
func (r *request) choose(formats []format) (format, options, error) {
	o := options{lang: r.lang}
	if name := r.values.Get("format"); name != "" {
		for _, f := range formats {
			if slices.Contains(f.names, name) {
				return f, o, nil
			}
		}
		return format{}, o, notAcceptable(mediaOf(formats))
	}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return formats[0], o, nil
	}
	best, chosen := 0.0, format{}
	for _, element := range strings.Split(accept, ",") {
		media, parameters := mediaType(element)
		weight := 1.0
		if q, ok := parameters["q"]; ok {
			weight, _ = strconv.ParseFloat(q, 64) // what cannot be read is refused
		}
		i := slices.IndexFunc(formats, func(f format) bool { return f.is(media, parameters) })
		if i < 0 || weight <= best {
			continue
		}
		best, chosen = weight, formats[i]
		o.labels, o.keys = parameters["labels"], parameters["keys"]
	}
	if best == 0 {
		return format{}, o, notAcceptable(mediaOf(formats))
	}
	return chosen, o, nil
}

// is reports whether an element of Accept means the format, with parameters that it has.
func (f format) is(media string, parameters map[string]string) bool {
	base, version, _ := strings.Cut(f.media, ";version=")
	if media != base && !slices.Contains(f.aliases, media) && media != "*/*" && media != "application/*" {
		return false
	}
	if v, ok := parameters["version"]; ok && v != version {
		return false
	}
	of20 := f.media == csvdata.Type20 || f.media == csvdata.Type21
	labels, keys, times := parameters["labels"], parameters["keys"], parameters["timeformat"]
	return (labels == "" || labels == "id" || labels == "both" || labels == "name" && of20) &&
		(keys == "" || of20 && slices.Contains([]string{"none", "obs", "series", "both"}, keys)) && (times == "" || times == "original")
}

// mediaType takes an element of Accept apart.
func mediaType(element string) (media string, parameters map[string]string) {
	media, rest, _ := strings.Cut(element, ";")
	parameters = map[string]string{}
	for _, p := range strings.Split(rest, ";") {
		if name, value, ok := strings.Cut(p, "="); ok {
			parameters[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return strings.ToLower(strings.TrimSpace(media)), parameters
}

func mediaOf(formats []format) (all []string) {
	for _, f := range formats {
		all = append(all, f.media)
	}
	return all
}

// representation is a body in a format.
func (f format) representation(body []byte, lang string) response.Representation {
	rep := response.Representation{Status: http.StatusOK, Type: f.media, Body: body}
	if f.names != nil && (f.media == jsondata.TypeData || f.media == jsondata.TypeStructure) {
		rep.Language = lang
	}
	return rep
}
