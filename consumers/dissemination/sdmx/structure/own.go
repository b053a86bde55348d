package structure

import "retorno/schemas/calendar"

// own are the concepts that no column of the dictionary has.
var own = func() map[string]Concept {
	all := map[string]Concept{}
	for _, c := range []Concept{
		{Frequency, Text{"Frecuencia", "Frequency"}, Text{"Cada cuánto hay una observación: mes, trimestre o semestre", "How often there is an observation: month, quarter or half-year"}},
		{Measure, Text{"Medida", "Measure"}, Text{"Qué se cuenta", "What is counted"}},
		{"SOURCE", Text{"Fuente", "Source"}, Text{"De qué se conoce el retorno: de un registro en un centro, de un cruce en un puesto, o de ambos", "What the return is known from: a registration at a centre, a crossing at a post, or both"}},
		{Time, Text{"Período", "Time period"}, Text{"Mes, trimestre o semestre de Honduras (UTC-6): 2016-06, 2016-Q2, 2016-S1", "Month, quarter or half-year of Honduras (UTC-6): 2016-06, 2016-Q2, 2016-S1"}},
		{Value, Text{"Valor observado", "Observation value"}, Text{"El conteo; no se da cuando se retiene", "The count; it is not given where it is withheld"}},
		{Status, Text{"Estado de la observación", "Observation status"}, Text{"Si el conteo es exacto, provisional o retenido", "Whether the count is exact, provisional or withheld"}},
		{Confidence, Text{"Confidencialidad", "Confidentiality status"}, Text{"Si el conteo se puede dar", "Whether the count can be given"}},
		{Vintage, Text{"Edición", "Vintage"}, Text{"La edición publicada de la que es el conteo: semestre y número. No cambia nunca; cítela", "The published vintage that the count is of: half-year and number. It never changes; cite it"}},
		{Coverage, Text{"Cobertura", "Coverage"}, Text{"Retornos registrados por cada cien conciliados, en todo el semestre de la edición; en porcentaje", "Returns registered out of each hundred reconciled, in the whole half-year of the vintage; in percent"}},
		{Base, Text{"Base de redondeo", "Rounding base"}, Text{"El conteo se redondea al múltiplo más cercano de la base; 1: es exacto", "The count is rounded to the nearest multiple of the base; 1: it is exact"}},
	} {
		all[c.ID] = c
	}
	return all
}()

// Code lists of SDMX (https://registry.sdmx.org: CL_FREQ 2.1, CL_OBS_STATUS 2.2, CL_CONF_STATUS 1.3), with the codes that can occur here.
var (
	frequencies = newList("CL_FREQ", own[Frequency].Name, []Code{
		{ID: "M", Name: Text{"Mensual", "Monthly"}}, {ID: "Q", Name: Text{"Trimestral", "Quarterly"}}, {ID: "S", Name: Text{"Semestral", "Half-yearly"}}})
	statuses = newList("CL_OBS_STATUS", own[Status].Name, []Code{
		{ID: "A", Name: Text{"Valor normal: exacto", "Normal value: exact"}}, {ID: "P", Name: Text{"Valor provisional y redondeado", "Provisional and rounded value"}},
		{ID: "M", Name: Text{"Valor ausente: no puede existir", "Missing value: it cannot exist"}}, {ID: "Q", Name: Text{"Valor ausente: retenido", "Missing value: suppressed"}}})
	confidences = newList("CL_CONF_STATUS", own[Confidence].Name, []Code{
		{ID: "F", Name: Text{"Libre", "Free"}}, {ID: "C", Name: Text{"Confidencial", "Confidential"}}})
)

// FrequencyOf is the code of a period in CL_FREQ.
func FrequencyOf(p calendar.Period) string {
	switch p.Kind {
	case calendar.KindMonth:
		return "M"
	case calendar.KindQuarter:
		return "Q"
	}
	return "S"
}
