package catalog

import (
	"slices"
	"strings"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// vocabularies are the namespaces of terms (DCAT 3 §1.2).
var vocabularies = map[string]string{
	"adms": "http://www.w3.org/ns/adms#",
	"dcat": "http://www.w3.org/ns/dcat#",
	"dct":  "http://purl.org/dc/terms/",
	"foaf": "http://xmlns.com/foaf/0.1/",
	"rdfs": "http://www.w3.org/2000/01/rdf-schema#",
	"spdx": "http://spdx.org/rdf/terms#",
	"xsd":  "http://www.w3.org/2001/XMLSchema#",
}

// Resources that are named by others' lists of authority (DCAT-AP 3, controlled vocabularies).
const (
	honduras    = "http://publications.europa.eu/resource/authority/country/HND"
	halfYearly  = "http://publications.europa.eu/resource/authority/frequency/ANNUAL_2"
	spanish     = "http://publications.europa.eu/resource/authority/language/SPA"
	english     = "http://publications.europa.eu/resource/authority/language/ENG"
	mediaTypes  = "https://www.iana.org/assignments/media-types/"
	catalogueID = Path + "#catalog"
	publisherID = Path + "#publisher"
)

// standards are those that the forms of a table keep to.
var standards = map[string]string{
	"csv": "https://www.w3.org/TR/tabular-data-model/", "hxl": "https://hxlstandard.org/standard/1-1final/",
	"jsonstat": "https://json-stat.org/full/", "parquet": "https://parquet.apache.org/docs/file-format/",
}

// graph collects the resources of a catalogue.
type graph struct {
	tables, datasets, distributions []node
	series                          map[string]bool
	modified                        time.Time
	next                            string // day announced for the next publication
}

func seriesID(table string) string { return Path + "#series-" + table }

// add adds the tables of a vintage.
func (g *graph) add(o *vintages.Opened) error {
	if o.Published.After(g.modified) {
		g.modified, g.next = o.Published, o.Manifest.NextRelease
	}
	period, err := calendar.ParsePeriod(o.Period)
	if err != nil {
		return err
	}
	folder := vintages.Address(o.Period, o.Number)
	for _, t := range o.Tables {
		if !g.series[t.ID] {
			g.series[t.ID] = true
			g.tables = append(g.tables, node{"@id": seriesID(t.ID), "@type": "dcat:DatasetSeries", "dct:title": langs(t.Title.ES, t.Title.EN), "dct:identifier": t.ID,
				"dct:description": langs("La tabla "+t.ID+" de cada semestre, en su edición más reciente.", "Table "+t.ID+" of each half-year, in its newest vintage."),
				"dct:publisher":   iri(publisherID), "dct:accrualPeriodicity": iri(halfYearly), "dct:spatial": iri(honduras)})
		}
		id := folder + "tables/" + t.ID
		d := node{"@id": id, "@type": "dcat:Dataset", "dct:title": langs(t.Title.ES+", "+o.Period, t.Title.EN+", "+o.Period), "dct:identifier": o.Name() + "/" + t.ID,
			"dct:description": langs(described(o)), "dct:publisher": iri(publisherID), "dct:issued": moment(o.Published), "dct:spatial": iri(honduras),
			"dct:language": []node{iri(spanish), iri(english)}, "dcat:inSeries": iri(seriesID(t.ID)), "dcat:version": o.Name(), "dcat:landingPage": iri("/revisions/" + o.Period),
			"dct:temporal":   node{"@type": "dct:PeriodOfTime", "dcat:startDate": typed("date", period.First.String()), "dcat:endDate": typed("date", period.Last.String())},
			"dct:provenance": node{"@type": "dct:ProvenanceStatement", "rdfs:label": langs("Certificado de la auditoría de confidencialidad", "Certificate of the disclosure audit"), "rdfs:seeAlso": iri(folder + bundle.CertificatePath)}}
		if o.Manifest.Reason != "" {
			d["adms:versionNotes"] = o.Manifest.Reason
		}
		var distributions []node
		for _, f := range formats.All() {
			one := g.distribution(o, t.ID, f)
			distributions, g.distributions = append(distributions, iri(one["@id"].(string))), append(g.distributions, one)
		}
		d["dcat:distribution"] = distributions
		g.datasets = append(g.datasets, d)
	}
	return nil
}

// described says what the vintage of a dataset is.
func described(o *vintages.Opened) (es, en string) {
	status := map[string][2]string{"provisional": {"provisional", "provisional"}, "final": {"definitiva", "final"}, "revision": {"revisión", "revision"}}[o.Status]
	return "Edición " + o.Name() + " (" + status[0] + "). Se omiten los conteos de muy pocas personas.", "Vintage " + o.Name() + " (" + status[1] + "). Counts of very few persons are withheld."
}

// distribution is a table in a format. The CSV is the file of the vintage, whose hash and size are known.
func (g *graph) distribution(o *vintages.Opened, table string, f formats.Format) node {
	address := formats.Address(o.Vintage, table, f.ID)
	kind, _, _ := strings.Cut(f.Type, ";")
	d := node{"@id": address, "@type": "dcat:Distribution", "dct:title": langs(f.ES, f.EN), "dcat:accessURL": iri(address), "dcat:downloadURL": iri(address),
		"dcat:mediaType": iri(mediaTypes + kind)}
	if standard := standards[f.ID]; standard != "" {
		d["dct:conformsTo"] = node{"@id": standard, "@type": "dct:Standard"}
	}
	if f.ID != "csv" {
		return d
	}
	path := bundle.TablePath(table)
	file := vintages.Address(o.Period, o.Number) + path
	d["@id"], d["dcat:accessURL"], d["dcat:downloadURL"] = file, iri(file), iri(file)
	i := slices.IndexFunc(o.Manifest.Files, func(h bundle.Hash) bool { return h.Path == path })
	if h := o.Manifest.Files[i]; h.SHA256 != "" {
		d["dcat:byteSize"] = typed("nonNegativeInteger", number(h.Bytes))
		d["spdx:checksum"] = node{"@type": "spdx:Checksum", "spdx:algorithm": iri("http://spdx.org/rdf/terms#checksumAlgorithm_sha256"), "spdx:checksumValue": typed("hexBinary", h.SHA256)}
	}
	return d
}

// document is the whole catalogue.
func (g *graph) document(services []Service) ([]byte, error) {
	slices.SortStableFunc(g.tables, func(a, b node) int { return strings.Compare(a["@id"].(string), b["@id"].(string)) })
	catalogue := node{"@id": catalogueID, "@type": "dcat:Catalog", "dct:title": langs("Personas migrantes retornadas a Honduras", "Returned migrants of Honduras"),
		"dct:description": langs("Conteos publicados de retornos, por semestre y edición.", "Published counts of returns, by half-year and vintage."),
		"dct:publisher":   iri(publisherID), "dct:language": []node{iri(spanish), iri(english)}, "dct:spatial": iri(honduras), "foaf:homepage": iri("/"),
		"dcat:dataset": append(ids(g.datasets), ids(g.tables)...)}
	if !g.modified.IsZero() {
		catalogue["dct:modified"] = moment(g.modified)
	}
	if g.next != "" { // the vocabulary has no term for a date of the next release: what will become available then are the series
		for _, series := range g.tables {
			series["dct:available"] = typed("date", g.next)
		}
	}
	all := []node{catalogue, {"@id": publisherID, "@type": "foaf:Agent", "foaf:name": langs("CENISS, Honduras", "CENISS, Honduras")}}
	var listed []node
	for _, s := range services {
		one := node{"@id": Path + "#service-" + strings.Trim(strings.ReplaceAll(s.Address, "/", "-"), "-"), "@type": "dcat:DataService", "dct:title": langs(s.ES, s.EN),
			"dcat:endpointURL": iri(s.Address), "dcat:endpointDescription": iri(s.Description), "dct:publisher": iri(publisherID)}
		if len(g.datasets) > 0 {
			one["dcat:servesDataset"] = ids(g.datasets)
		}
		listed = append(listed, one)
	}
	catalogue["dcat:service"] = ids(listed)
	all = append(append(append(append(all, listed...), g.tables...), g.datasets...), g.distributions...)
	return encode(node{"@context": vocabularies, "@graph": all})
}

// ids are references to resources.
func ids(all []node) []node {
	out := []node{}
	for _, n := range all {
		out = append(out, iri(n["@id"].(string)))
	}
	return out
}
