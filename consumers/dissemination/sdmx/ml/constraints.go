package ml

import (
	"strconv"

	"retorno/consumers/dissemination/sdmx/structure"
)

// constraints are what questions for availability come to.
func (w *structures) constraints() {
	if len(w.Available) == 0 {
		return
	}
	w.open(w.either("str:Constraints", "str:DataConstraints"))
	for _, a := range w.Available {
		id, prefix := "CR_"+a.Flow.ID, "com:"
		if w.v3 {
			prefix = "str:"
			w.open("str:DataConstraint", "id", id, "agencyID", structure.Agency, "version", structure.Semantic, "role", "Actual")
		} else {
			w.open("str:ContentConstraint", "id", id, "urn", urnOf(constraint, structure.Agency, id), "agencyID", structure.Agency, "version", structure.Version, "type", "Actual")
		}
		w.metrics(a)
		w.named("com:Name", a.Flow.Name)
		w.open("str:ConstraintAttachment")
		w.refer("str:Dataflow", "datastructure", "Dataflow", a.Flow.ID)
		w.close()
		w.region(a, prefix)
		w.close()
	}
	w.close()
}

// metrics are the numbers of observations and series, in the annotations that pysdmx reads.
func (w *writer) metrics(a structure.Available) {
	w.open("com:Annotations")
	for _, n := range []struct {
		id string
		n  int
	}{{"obs_count", a.Observations}, {"series_count", a.Series}} {
		w.open("com:Annotation", "id", n.id)
		w.text("com:AnnotationTitle", strconv.Itoa(n.n))
		w.text("com:AnnotationType", "sdmx_metrics")
		w.close()
	}
	w.close()
}

// region is what of the dimensions is available; its elements have the prefix of the version.
func (w *writer) region(a structure.Available, prefix string) {
	w.open("str:CubeRegion", "include", "true")
	for _, id := range a.Dimensions {
		w.open(prefix+"KeyValue", "id", id)
		if id == structure.Time {
			w.open(prefix + "TimeRange")
			w.text(prefix+"StartPeriod", a.From+"T00:00:00", "isInclusive", "true")
			w.text(prefix+"EndPeriod", a.To+"T23:59:59", "isInclusive", "true")
			w.close()
		}
		for _, value := range a.Values[id] {
			w.text(prefix+"Value", value)
		}
		w.close()
	}
	w.close()
}
