package feed

import (
	"fmt"
	"strings"
)

// Sentences that travel with the numbers, so that they are read as what they are.
var (
	source = text{
		"Retorno: registros de los centros de recepción y cruces en los puestos fronterizos de Honduras, conciliados",
		"Retorno: registrations at reception centres and crossings at border posts of Honduras, reconciled",
	}
	definitions = map[string]text{
		"return": {
			"Una llegada a Honduras de una persona hondureña (o de nacionalidad no declarada) deportada, asistida o voluntaria. Se cuentan llegadas, no personas: quien vuelve dos veces cuenta dos veces.",
			"One arrival in Honduras of a Honduran national (or of unstated nationality), deported, assisted or voluntary. Arrivals are counted, not people: a person who returns twice counts twice.",
		},
		"scope": {
			"No son refugiados que regresan. No se cuentan personas extranjeras, en tránsito, fallecidas ni salidas impedidas.",
			"They are not returning refugees. Foreign nationals, people in transit, the deceased and departures prevented are not counted.",
		},
		"coverage_percent": {
			"Retornos registrados por cada cien conciliados (conocidos por registro, por cruce o por ambos), en todo el semestre de la edición. No se da por debajo de 100.",
			"Returns registered out of each hundred reconciled (known from a registration, a crossing or both), in the whole half-year of the vintage. Not given below 100.",
		},
		"late_percent": {
			"De los retornos conciliados del semestre de la edición, los que se anotaron más de 72 horas después de la llegada.",
			"Of the reconciled returns of the vintage's half-year, those first written down more than 72 hours after the arrival.",
		},
		"obs_status": {
			"A: exacto. P: provisional y redondeado. Q: no se da, porque es de muy pocas personas o porque permitiría calcular otro conteo de muy pocas personas.",
			"A: exact. P: provisional and rounded. Q: withheld, because it is of very few persons or would let another such count be computed.",
		},
		"vintage": {
			"La edición publicada de la que son los conteos: semestre y número. No cambia nunca; cítela.",
			"The published vintage that the counts are of: half-year and number. It never changes; cite it.",
		},
		"period": {
			"Fechas locales de Honduras (UTC-6). El día es el de la llegada.",
			"Local dates of Honduras (UTC-6). The day is that of arrival.",
		},
		"exit_point": {
			"Por dónde la persona dice que salió de Honduras al emigrar; no es por dónde volvió a entrar (entry_point).",
			"Where the person says they left Honduras when migrating; not where they came back in (entry_point).",
		},
		"as_of": {
			"Cuándo se contó la edición.",
			"When the vintage was counted.",
		},
	}
)

func roundingRule(base int64) text {
	return text{
		fmt.Sprintf("Cada conteo y cada total se redondea por separado al múltiplo de %d más cercano. Por eso las partes pueden no sumar el total.", base),
		fmt.Sprintf("Each count and each total is rounded by itself to the nearest multiple of %d. Parts may therefore not add up to the total.", base),
	}
}

func title(q Query) text {
	t := text{"Retornos de migrantes a Honduras, " + q.Period.Label, "Returns of migrants to Honduras, " + q.Period.Label}
	if len(q.By) == 0 {
		return t
	}
	var es, en []string
	for _, d := range q.By {
		name, _, _ := strings.Cut(d.ES, ":")
		es = append(es, strings.ToLower(name))
		name, _, _ = strings.Cut(d.EN, ":")
		en = append(en, strings.ToLower(name))
	}
	return text{t.ES + ", por " + strings.Join(es, ", "), t.EN + ", by " + strings.Join(en, ", ")}
}
