package bulletin

// texts are the sentences that stand in more than one form of the bulletin, in Spanish and English.
var texts = map[string][2]string{
	"title":      {"Boletín de migrantes retornados", "Bulletin of returned migrants"},
	"kind":       {"Boletín semestral · Honduras", "Half-year bulletin · Honduras"},
	"heading":    {"Migrantes retornados", "Returned migrants"},
	"rounded":    {"Cifras provisionales, redondeadas cada una al múltiplo más cercano de", "Provisional figures, each rounded to the nearest multiple of"},
	"change":     {"frente al mismo semestre del año anterior", "against the same half-year a year before"},
	"coverage":   {"registrados, de los retornos conocidos", "registered, of the known returns"},
	"late":       {"anotados más de 72 horas después de la llegada", "written down more than 72 hours after the arrival"},
	"zero":       {"Un cero es un 0. El número pequeño entre paréntesis angulares nombra la edición anterior de la que es un conteo.", "A zero is a 0. A small number in angle brackets names the earlier vintage that a count is of."},
	"months":     {"Retornos registrados por mes", "Registered returns by month"},
	"lines":      {"Línea continua con puntos llenos: este semestre. Línea discontinua con puntos huecos: los mismos meses del año anterior, donde están publicados. El eje empieza en 0.", "Solid line with full dots: this half-year. Dashed line with hollow dots: the same months a year before, where they are published. The axis begins at 0."},
	"exits":      {"¿Por dónde salieron de Honduras?", "Where did they leave Honduras?"},
	"bars":       {"Una barra entera sería el total registrado. El punto es el que la persona declara en la entrevista.", "A full bar would be the registered total. The point is the one the person states in the interview."},
	"ages":       {"Retornos registrados por sexo y edad: hombres a la izquierda, mujeres a la derecha", "Registered returns by sex and age: men on the left, women on the right"},
	"map":        {"¿De qué departamento son?", "Which department are they from?"},
	"tiles":      {"Mapa esquemático: un cuadrado del mismo tamaño por departamento, colocado según sus vecinos; no muestra límites ni superficies. Dibujo propio de Retorno. Los departamentos que se publican juntos llevan el mismo número. Letras: ISO 3166-2:HN. Tono: porcentaje de los retornos registrados.", "Schematic map: one square of equal size for each department, placed by its neighbours; it shows no borders and no areas. Drawn by Retorno. Departments that are published together show the same number. Letters: ISO 3166-2:HN. Shade: percentage of the registered returns."},
	"residence":  {"Retornos registrados por departamento de origen", "Registered returns by department of origin"},
	"uneven":     {"Los porcentajes son de los conteos publicados y no suman 100.", "Percentages are of published counts and do not add up to 100."},
	"shares":     {"Los porcentajes suman 100.0 por el método del mayor residuo.", "Percentages add up to 100.0 by the method of the largest remainder."},
	"kept":       {"Los conteos de ediciones distintas no se suman.", "Counts of different vintages do not add up."},
	"return":     {"Un retorno es una llegada a Honduras de una persona hondureña, o de nacionalidad no declarada, deportada, asistida o voluntaria. Se cuentan llegadas, no personas: quien vuelve dos veces cuenta dos veces.", "A return is one arrival in Honduras of a Honduran national, or of unstated nationality, deported, assisted or voluntary. Arrivals are counted, not people: a person who returns twice counts twice."},
	"sources":    {"Las computadoras de los puestos fronterizos y de los centros de recepción anotan cruces, registros y ayudas; los registros de una misma llegada se concilian en un solo retorno. Método, versión", "Computers at border posts and reception centres record crossings, registrations and help given; records of one arrival are reconciled into one return. Method, version"},
	"disclosure": {"Los conteos de muy pocas personas no se publican, ni otros de los que se podrían calcular. Una auditoría exacta y un ataque de prueba lo comprueban antes de cada publicación.", "Counts of very few persons are not published, nor others from which they could be computed. An exact audit and a trial attack check this before each publication."},
	"lasting":    {"Una edición publicada no cambia nunca; lo que llega tarde o se corrige aparece en una edición posterior.", "A published vintage never changes; what arrives late or is corrected appears in a later one."},
}

// Text is a sentence that forms share, by its name.
func (b *Bulletin) Text(name string) string { return b.in(texts[name][0], texts[name][1]) }
