package ml

import (
	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

// Generic writes an answer in the generic form.
func Generic(a *query.Answer) []byte {
	w := &writer{}
	w.begin()
	w.open("mes:GenericData", "xmlns:mes", nsMessage, "xmlns:com", nsCommon, "xmlns:gen", nsGeneric)
	w.open("mes:Header")
	w.dataHeader(a, "")
	w.close()
	for _, s := range a.Sets {
		w.open("mes:DataSet", setAttributes(s, "")...)
		if a.AtObservation == query.AllDimensions {
			for _, o := range s.Observations {
				w.genericFlat(a, o)
			}
		} else {
			for _, g := range a.Groups(s.Observations) {
				w.genericSeries(a, g)
			}
		}
		w.close()
	}
	w.close()
	return w.Bytes()
}

// dataHeader has the structure of the data sets; the namespace is that of structure-specific ones.
func (w *writer) dataHeader(a *query.Answer, namespace string) {
	w.header(idOf(a.Flow.ID, a.AtObservation), a.Published)
	w.open("mes:Structure", "structureID", structure.DataStructure, "namespace", namespace, "dimensionAtObservation", a.AtObservation)
	w.open("com:StructureUsage")
	w.empty("Ref", "agencyID", structure.Agency, "id", a.Flow.ID, "version", structure.Version, "class", "Dataflow", "package", "datastructure")
	w.close()
	w.close()
}

// setAttributes are those of a data set; in the structure-specific form they have a prefix.
func setAttributes(s query.Set, prefix string) []string {
	all := []string{prefix + "structureRef", structure.DataStructure, prefix + "action", s.Action}
	if !s.From.IsZero() {
		all = append(all, prefix+"validFromDate", moment(s.From))
	}
	if !s.To.IsZero() {
		all = append(all, prefix+"validToDate", moment(s.To))
	}
	return all
}

func (w *writer) genericSeries(a *query.Answer, g query.Group) {
	first := g.Observations[0]
	w.open("gen:Series")
	w.open("gen:SeriesKey")
	w.genericKey(a, first, a.AtObservation)
	w.close()
	if !a.SeriesOnly {
		for _, o := range g.Observations {
			w.open("gen:Obs")
			w.empty("gen:ObsDimension", "value", query.Value(a.Structures, o, a.AtObservation))
			w.genericRest(a, o)
			w.close()
		}
	}
	w.close()
}

func (w *writer) genericFlat(a *query.Answer, o *cells.Observation) {
	w.open("gen:Obs")
	w.open("gen:ObsKey")
	w.genericKey(a, o, "")
	w.close()
	w.genericRest(a, o)
	w.close()
}

// genericKey writes the dimensions but one.
func (w *writer) genericKey(a *query.Answer, o *cells.Observation, without string) {
	for i, d := range a.Structures.Dimensions {
		if d.ID != without {
			w.empty("gen:Value", "id", d.ID, "value", o.Key[i])
		}
	}
	if without != structure.Time {
		w.empty("gen:Value", "id", structure.Time, "value", o.Period.Label)
	}
}

func (w *writer) genericRest(a *query.Answer, o *cells.Observation) {
	if a.Measures && !o.Withheld {
		w.empty("gen:ObsValue", "value", o.Value(structure.Value))
	}
	if len(a.Attributes) == 0 {
		return
	}
	w.open("gen:Attributes")
	for _, c := range a.Attributes {
		if value := o.Value(c.ID); value != "" {
			w.empty("gen:Value", "id", c.ID, "value", value)
		}
	}
	w.close()
}

// Specific writes an answer in the form that is specific to the structure.
func Specific(a *query.Answer) []byte {
	w := &writer{}
	w.specific(a, schemas, nsOfStructure+a.AtObservation, func(namespace string) { w.dataHeader(a, namespace) })
	return w.Bytes()
}

// Data30 writes an answer as SDMX-ML 3.0.
func Data30(a *query.Answer) []byte {
	w := &writer{}
	w.specific(a, schemas30, structure.URN("datastructure.DataStructure", structure.DataStructure)+":ObsLevelDim:"+a.AtObservation, func(namespace string) {
		w.header(idOf(a.Flow.ID, a.AtObservation), a.Published)
		w.open("mes:Structure", "structureID", structure.DataStructure, "namespace", namespace, "dimensionAtObservation", a.AtObservation)
		w.text("com:StructureUsage", structure.URN("datastructure.Dataflow", a.Flow.ID))
		w.close()
	})
	return w.Bytes()
}

// specific writes the form of a version of the schemas, with the header that this has.
func (w *writer) specific(a *query.Answer, schemas, namespace string, header func(namespace string)) {
	w.begin()
	w.open("mes:StructureSpecificData", "xmlns:mes", schemas+"message", "xmlns:com", schemas+"common", "xmlns:ss", schemas+"data/structurespecific", "xmlns:ns1", namespace, "xmlns:xsi", nsInstance)
	w.open("mes:Header")
	header(namespace)
	w.close()
	for _, s := range a.Sets {
		w.open("mes:DataSet", append(setAttributes(s, "ss:"), "xsi:type", "ns1:DataSetType", "ss:dataScope", "DataStructure")...)
		if a.AtObservation == query.AllDimensions {
			for _, o := range s.Observations {
				w.empty("Obs", append(keyOf(a, o, ""), rest(a, o)...)...)
			}
		} else {
			for _, g := range a.Groups(s.Observations) {
				w.specificSeries(a, g)
			}
		}
		w.close()
	}
	w.close()
}

func (w *writer) specificSeries(a *query.Answer, g query.Group) {
	w.open("Series", keyOf(a, g.Observations[0], a.AtObservation)...)
	if !a.SeriesOnly {
		for _, o := range g.Observations {
			w.empty("Obs", append([]string{a.AtObservation, query.Value(a.Structures, o, a.AtObservation)}, rest(a, o)...)...)
		}
	}
	w.close()
}

func keyOf(a *query.Answer, o *cells.Observation, without string) (all []string) {
	for i, d := range a.Structures.Dimensions {
		if d.ID != without {
			all = append(all, d.ID, o.Key[i])
		}
	}
	if without != structure.Time {
		all = append(all, structure.Time, o.Period.Label)
	}
	return all
}

func rest(a *query.Answer, o *cells.Observation) (all []string) {
	if a.Measures {
		all = append(all, structure.Value, o.Value(structure.Value))
	}
	for _, c := range a.Attributes {
		all = append(all, c.ID, o.Value(c.ID))
	}
	return all
}
