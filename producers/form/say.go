package form

import "strings"

// texts are faults and doubts in Spanish and English: what is the matter and what to do. Codes are stable; those of schemas/events and
// of producers/identity appear too.
var texts = map[string][2]string{
	"unknown_field":               {"este formulario no tiene ese campo; corrija el nombre", "this form has no such field; mend its name"},
	"empty_form":                  {"no se escribió nada; el formulario vacío no se guarda", "nothing was typed; an empty form is not saved"},
	"required":                    {"falta el dato; escríbalo", "not stated; type it"},
	"unknown_code":                {"no está en la lista; escriba otra palabra o elija de la lista", "not in the list; type another word or choose from the list"},
	"several_codes":               {"puede ser varias cosas; escriba más letras o elija una", "may be several things; type more letters or choose one"},
	"ambiguous_sex":               {"M puede ser mujer o masculino; escriba h o f", "M may be man or woman; type h or f"},
	"bad_age":                     {"no es una edad de 0 a 120 años; corríjala", "not an age of 0 to 120 years; mend it"},
	"bad_date":                    {"no es una fecha; escríbala día, mes, año", "not a date; type it day, month, year"},
	"born_after_event":            {"la fecha de nacimiento es posterior; corríjala", "the birth date is later than the event; mend it"},
	"in_the_future":               {"ese momento aún no llega; corríjalo, o corrija el reloj", "that time is yet to come; mend it, or the clock"},
	"document_country":            {"el país del documento no está en la lista; elíjalo", "the document's country is not in the list; choose it"},
	"document_type":               {"no es un tipo de documento; escriba dni, pasaporte, salvoconducto u otro", "not a type of document; type dni, passport, travel document or other"},
	"document_length":             {"el número no tiene el largo de ese documento (un DNI tiene 13 dígitos); corríjalo o indique el tipo", "the number has not the length of that document (a DNI has 13 digits); mend it or state its type"},
	"document_dummy":              {"es un número de relleno; corríjalo, o déjelo vacío si no porta documento", "a filler, no number; mend it, or leave it empty when no document is carried"},
	"document_slip":               {"no es una boleta o tiene un carácter equivocado; cópiela de nuevo", "no slip, or one character is wrong; copy it once more"},
	"no_secret":                   {"no hay clave de identidad para ese día; avise al administrador", "no identity key holds for that day; tell the administrator"},
	"only_of_a_return":            {"solo se declara de una persona retornada; bórrelo", "stated only of a returned person; remove it"},
	"no_person_registered":        {"nadie de esa llegada está registrado aquí; registre primero", "no one of that arrival is registered here; register first"},
	"nothing_to_void":             {"no hay registro que anular", "there is no record to void"},
	"another_person":              {"el documento es de otra persona; anule este registro y haga uno nuevo", "the document is another person's; void this record and make a new one"},
	"revision_gap":                {"hay otra versión antes de esta; abra el registro otra vez", "another revision comes before this one; open the record once more"},
	"unknown_arrival":             {"esa llegada no está en esta oficina", "that arrival is not in this office"},
	"unknown_crossing":            {"ese cruce no está entre lo recibido; busque a la persona otra vez o borre el campo", "that crossing did not come here, or is too old; look the person up once more, or clear the field"},
	"invalid_id":                  {"identificador inválido; abra un formulario nuevo", "an invalid id; open a new form"},
	"invalid_key":                 {"clave de persona inválida", "an invalid person key"},
	"out_of_range":                {"fuera de lo posible; corríjalo", "out of what is possible; mend it"},
	"not_allowed":                 {"ese código no vale en este campo; elija otro", "that code has no meaning in this field; choose another"},
	"contradiction":               {"contradice otro campo; corrija uno de los dos", "contradicts another field; mend one of the two"},
	"repeated":                    {"respuesta repetida; bórrela", "an answer given twice; remove it"},
	"rare_country":                {"de ese país casi no hay retornos; ¿es correcto?", "people are hardly ever returned from that country; is it right?"},
	"implausible_route":           {"de ese país no se suele volver por esa vía; ¿es correcto?", "people do not usually come back that way from that country; is it right?"},
	"exit_after_return":           {"esta persona fue registrada como retornada aquí; ¿sale otra vez?", "this person was recorded here as returned; is it leaving once more?"},
	"age_against_birth":           {"la edad no concuerda con la fecha de nacimiento; vale la fecha, ¿es correcta?", "the age does not fit the birth date; the date counts, is it right?"},
	"dni_municipality":            {"los primeros cuatro dígitos del DNI no son un municipio; ¿es correcto?", "the first four digits of the DNI are no municipality; is it right?"},
	"dni_year":                    {"el DNI es de un año anterior al nacimiento; ¿es correcto?", "the DNI is of a year before the birth; is it right?"},
	"same_document_today":         {"ese documento ya se escribió hoy; ¿es otro cruce?", "that document was typed today already; is it another crossing?"},
	"other_document":              {"el documento no es el del cruce; ¿es la misma persona?", "the document is not that of the crossing; is it the same person?"},
	"registered_already":          {"esa persona en camino ya fue registrada; ¿se registra otra vez?", "that person on the way was registered already; once more?"},
	"document_is_confirmed_false": {"ese documento ya se confirmó como falso; ¿se guarda así?", "that document was confirmed false before; save it so?"},
	"document_is_suspected_false": {"de ese documento ya se sospechó que es falso; ¿se guarda así?", "that document was suspected false before; save it so?"},
	"document_is_reported_stolen": {"ese documento está reportado como robado; ¿se guarda así?", "that document is reported stolen; save it so?"},
	"form_number":                 {"no es un número de formulario; debe terminar en dígitos", "not the number of a form; it ends with digits"},
	"form_used":                   {"ese formulario ya está digitado en otro registro; corrija el número, o anule aquel registro", "another record has that form; mend the number, or void that record"},
	"form_void":                   {"ese formulario está anulado; corrija el número", "that form is void; mend the number"},
	"form_not_received":           {"ese número no está entre los formularios recibidos; ¿es correcto?", "that number is not among the forms received; is it right?"},
	"clock":                       {"el reloj de esta computadora no es seguro; ¿son correctas la fecha y la hora?", "the clock of this computer is in doubt; are day and time right?"},
}

// say returns a finding in Spanish and English, with what was found.
func say(code, found string) (es, en string) {
	text, ok := texts[code]
	if !ok {
		text = [2]string{code, code}
	}
	const most = 60
	if runes := []rune(strings.TrimSpace(found)); len(runes) > most {
		found = string(runes[:most]) + "…"
	}
	if found = strings.TrimSpace(found); found != "" {
		found = " (" + found + ")"
	}
	return text[0] + found, text[1] + found
}
