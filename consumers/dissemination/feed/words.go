package feed

import "strings"

// Sentences that travel with the numbers, so that they are read as what they are.
var (
	roundingRule = text{
		"Cada conteo y cada total se redondea por separado al múltiplo de 5 más cercano; el cero queda en cero y una fila que se redondea a cero no aparece. Por eso las partes pueden no sumar el total. Los porcentajes se calculan con los conteos redondeados.",
		"Each count and each total is rounded by itself to the nearest multiple of 5; zero stays zero and a row that rounds to zero is not listed. Parts may therefore not add up to the total. Percentages are worked out from the rounded counts.",
	}
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
			"Retornos registrados por cada cien conciliados (conocidos por registro, por cruce o por ambos). No se da por debajo de 100.",
			"Returns registered out of each hundred reconciled (known from a registration, a crossing or both). Not given below 100.",
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
			"Último día (Honduras) en que llegaron datos al conteo; nulo si no ha llegado ninguno.",
			"Last day (Honduras) on which data came into the count; null if none has.",
		},
	}
)

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
