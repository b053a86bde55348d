package importer

import (
	"fmt"
	"strings"
)

// FileError says why a file as a whole was not imported. Nothing of it was sent, except after too_many_rows.
type FileError struct {
	Code   string
	ES, EN string // what is wrong and what to do
}

func (e *FileError) Error() string { return e.EN }

var fileErrors = map[string][2]string{
	"empty":                     {"el archivo no tiene filas", "the file has no rows"},
	"no_header":                 {"ninguna de las primeras filas nombra columnas conocidas (la más larga tiene %d celdas); indique los nombres con --column=NOMBRE=CAMPO, o el separador con --delimiter", "none of the first rows names known columns (the longest has %d cells); map the names with --column=NAME=FIELD, or state the delimiter with --delimiter"},
	"charset_unclear":           {"con ningún juego de caracteres conocido las palabras salen en español; indíquelo con --charset (windows-1252, cp850, cp437, macintosh, utf-8), o guarde el archivo como CSV UTF-8", "under no known character set do its words become Spanish; name it with --charset (windows-1252, cp850, cp437, macintosh, utf-8), or save the file as CSV UTF-8"},
	"other_form":                {"el archivo es %[1]s, que no se lee; guárdelo como CSV UTF-8 o como libro de Excel (.xlsx)", "the file is %[2]s, which is not read; save it as CSV UTF-8 or as an Excel workbook (.xlsx)"},
	"damaged":                   {"el archivo %s está dañado o incompleto; vuelva a exportarlo", "the %s file is damaged or incomplete; export it again"},
	"too_large_unpacked":        {"el archivo contiene más de %d bytes una vez descomprimido; divida la exportación por períodos, o guárdela como CSV", "unpacked, the file holds more than %d bytes; split the export by period, or save it as CSV"},
	"several_sheets":            {"varias hojas tienen las columnas: %s; diga cuál con --sheet, una por vez", "several sheets have the columns: %s; say which with --sheet, one at a time"},
	"hidden_sheets":             {"solo hojas ocultas tienen las columnas: %s; si son los datos, diga cuál con --sheet", "only hidden sheets have the columns: %s; if they are the data, say which with --sheet"},
	"no_such_sheet":             {"no hay hoja %q (hay: %s)", "there is no sheet %q (there are: %s)"},
	"merged_cells":              {"la hoja %q tiene celdas combinadas sobre varias filas (%s); sepárelas y repita el valor en cada fila", "sheet %q has merged cells over several rows (%s); unmerge them and repeat the value in each row"},
	"two_columns":               {"las columnas %q y %q significan lo mismo (%s); renombre una o descártela con --column='%s=-'", "columns %q and %q both mean %s; rename one or drop it with --column='%s=-'"},
	"column_twice":              {"la columna %q está %d veces; diga cuál con --column='%s#1=CAMPO' o --column='%s#2=CAMPO'", "column %q is there %d times; say which with --column='%s#1=FIELD' or --column='%s#2=FIELD'"},
	"missing_columns":           {"faltan columnas: %s (hay: %s); nómbrelas con --column=NOMBRE=CAMPO, o dé un valor para todas las filas con --assume=CAMPO=TEXTO", "missing columns: %s (there are: %s); map them with --column=NAME=FIELD, or give one value for all rows with --assume=FIELD=TEXT"},
	"no_secret":                 {"la columna %q tiene documentos y falta el secreto de identidad; indíquelo con --identity-key-file, o importe sin documentos (--without-documents)", "column %q holds documents and there is no identity secret; name it with --identity-key-file, or import without documents (--without-documents)"},
	"month_first":               {"la columna %q tiene fechas con el mes primero (línea %d); indíquelo con --date-order=mdy, o con dmy si no es así", "column %q holds a date with the month first (line %d); say so with --date-order=mdy, or dmy if it is not so"},
	"year_first":                {"la columna %q tiene fechas con el año primero (línea %d); indíquelo con --date-order=ymd, o con dmy si no es así", "column %q holds a date with the year first (line %d); say so with --date-order=ymd, or dmy if it is not so"},
	"year_then_day":             {"la columna %q tiene el año primero y el día antes del mes (línea %d); expórtela como aaaa-mm-dd, o indique --date-order=ymd para rechazar solo esas filas", "column %q has the year first and the day before the month (line %d); export it as yyyy-mm-dd, or say --date-order=ymd to reject only those rows"},
	"mixed_date_orders":         {"la columna %q tiene fechas en órdenes distintos de día, mes y año (líneas %d y %d); corrija el archivo, o indique el orden con --date-order (dmy, mdy o ymd) para rechazar las que no lo siguen", "column %q holds dates in different orders of day, month and year (lines %d and %d); mend the file, or state the order with --date-order (dmy, mdy or ymd) to reject those that do not follow it"},
	"dates_half_converted":      {"una hoja de cálculo parece haber cambiado día y mes en parte de la columna %q (línea %d): las fechas que convirtió son todas o casi todas del 1 al 12 y las que dejó como texto, posteriores; exporte de nuevo como texto, o indique el orden con --date-order si todas están bien", "a spreadsheet seems to have swapped day and month in part of column %q (line %d): the dates it converted are all or nearly all of the 1st to the 12th, those it left as text of later days; export again as text, or state the order with --date-order if all of them are right"},
	"date_order_against_header": {"el nombre de la columna %q dice un orden de fechas que la línea %d contradice; indique el orden con --date-order (dmy, mdy o ymd)", "the name of column %q says an order of dates that line %d contradicts; state the order with --date-order (dmy, mdy or ymd)"},
	"date_order_unproved":       {"nada prueba si en la columna %q va primero el día o el mes (línea %d); indíquelo con --date-order=dmy o --date-order=mdy, o escríbalo en el nombre de la columna: (dd/mm/aaaa)", "nothing proves whether the day or the month comes first in column %q (line %d); state it with --date-order=dmy or --date-order=mdy, or write it in the column's name: (dd/mm/yyyy)"},
	"two_digit_years":           {"nada prueba cuál cifra es el año en la columna %q (línea %d); indíquelo con --date-order (dmy, mdy o ymd), o escríbalo en el nombre de la columna: (dd/mm/aa)", "nothing proves which figure is the year in column %q (line %d); state it with --date-order (dmy, mdy or ymd), or write it in the column's name: (dd/mm/yy)"},
	"old_day_numbers":           {"la columna %q tiene días en números de hoja de cálculo años más antiguos que las demás fechas (línea %d): quizá se cuentan desde 1904; indíquelo con --day-numbers=1900 o --day-numbers=1904", "column %q holds day numbers of a spreadsheet years older than all other dates (line %d): they may count from 1904; state it with --day-numbers=1900 or --day-numbers=1904"},
	"midnights_elsewhere":       {"la columna %q tiene horas con huso que parecen la medianoche de otro huso, es decir días sin hora (línea %d); indique si son días u horas verdaderas con --instants=days o --instants=moments, o exporte la columna solo con la fecha", "column %q holds times with an offset that look like midnights of another zone, that is days without a time (line %d); state whether they are days or true times with --instants=days or --instants=moments, or export the column as dates alone"},
	"no_such_column":            {"no hay campo ni columna %q para la opción %s (hay: %q)", "there is no field or column %q for the setting %s (there are: %q)"},
	"too_many_rows":             {"más de %d filas distintas; divida la exportación por períodos", "more than %d distinct rows; split the export by period"},
	"too_large_for_a_pipe":      {"más de %d bytes que no se pueden releer; dé un archivo en vez de una tubería", "more than %d bytes that cannot be read twice; give a file instead of a pipe"},
}

func fileError(code string, args ...any) *FileError {
	text := fileErrors[code]
	return &FileError{Code: code, ES: fmt.Sprintf(text[0], args...), EN: fmt.Sprintf(text[1], args...)}
}

// texts are the reasons for which rows are rejected, and the warnings, in Spanish and English. Codes are stable. Those
// of schemas/events appear too.
var texts = map[string][2]string{
	"required":                        {"falta el dato", "not stated"},
	"bad_date":                        {"no es una fecha", "not a date"},
	"bad_time":                        {"no es una hora", "not a time"},
	"ambiguous_time":                  {"0.30 puede ser las 0:30 o una fracción del día; escriba 0:30 o todos los decimales", "0.30 may be half past midnight or a fraction of a day; write 0:30, or all decimals"},
	"bad_age":                         {"no es una edad de 0 a 120 años cumplidos", "not an age of 0 to 120 completed years"},
	"age_contradicts_birth":           {"la edad y la fecha de nacimiento se contradicen", "age and date of birth contradict each other"},
	"born_after_event":                {"la fecha de nacimiento es posterior al hecho", "born after the event"},
	"unknown_code":                    {"no está en la lista de códigos ni entre sus sinónimos", "neither in the code list nor among its synonyms"},
	"doubtful_code":                   {"puede significar dos cosas; diga cuál con --value=CAMPO:TEXTO=CÓDIGO, o que no es un dato con --missing=CAMPO=TEXTO", "may mean two things; say which with --value=FIELD:TEXT=CODE, or that it states nothing with --missing=FIELD=TEXT"},
	"ambiguous_sex":                   {"M puede ser mujer o masculino; indique cuál con --sex-m=M o --sex-m=F", "M may be man or woman; say which with --sex-m=M or --sex-m=F"},
	"ambiguous_department":            {"número de departamento dudoso (INE o alfabético); indique cuál con --department-numbers=ine o =alphabetical", "department number in doubt (INE or alphabetical); say which with --department-numbers=ine or =alphabetical"},
	"municipality_without_department": {"el nombre de un municipio no basta sin su departamento", "the name of a municipality does not suffice without its department"},
	"several_in_one_row":              {"la fila dice valer por más de uno; repita la fila, o descarte la columna con --column=NOMBRE=-", "the row says that it stands for more than one; repeat the row, or drop the column with --column=NAME=-"},
	"unknown_municipality":            {"no es un municipio de ese departamento", "not a municipality of that department"},
	"out_of_scope":                    {"centro para extranjeros en tránsito; no son retornados", "a centre for foreigners in transit; they are not returned people"},
	"short_row":                       {"la fila tiene menos celdas que la cabecera", "fewer cells than the header"},
	"long_row":                        {"la fila tiene más celdas que la cabecera", "more cells than the header"},
	"row_too_long":                    {"la fila es demasiado larga", "the row is too long"},
	"broken_quotes":                   {"comillas sin cerrar o fuera de lugar", "quotes not closed or out of place"},
	"bad_encoding":                    {"caracteres que no son UTF-8", "characters that are not UTF-8"},
	"control_character":               {"caracteres de control (por ejemplo NUL)", "control characters (NUL for instance)"},
	"bad_row_number":                  {"retorno_source o retorno_row cambiados; déjelos como estaban", "retorno_source or retorno_row were changed; leave them as they were"},
	"repeated_row_number":             {"retorno_row repetido", "retorno_row comes twice"},
	"invalid_id":                      {"identificador inválido", "invalid id"},
	"invalid_key":                     {"clave de persona inválida", "invalid person key"},
	"out_of_range":                    {"fuera del rango posible", "out of the possible range"},
	"not_allowed":                     {"ese código no vale en esta columna", "that code has no meaning in this column"},
	"contradiction":                   {"contradice otra columna", "contradicts another column"},
	"repeated":                        {"respuesta repetida", "an answer given twice"},

	"column_ignored":            {"columna desconocida, no se leyó", "unknown column, not read"},
	"help_only":                 {"en un archivo de ayudas esta columna no se lee; exporte los registros aparte", "not read in a file of help; export registrations apart"},
	"note_skipped":              {"título, total o fuente, no es un dato", "a title, total or source, not data"},
	"free_text":                 {"texto libre sin código, queda como no declarado", "free text without a code, taken as not stated"},
	"place_not_stated":          {"lugar no declarado, queda como desconocido", "place not stated, taken as unknown"},
	"placeholder_date":          {"fecha que un programa escribe por defecto, queda como no declarada", "a date that a program writes by default, taken as not stated"},
	"piled_up":                  {"valor raro que se repite más de lo creíble; si es un código de no declarado, dígalo con --missing", "a rare value that comes more often than is credible; if it is a code for not stated, say so with --missing"},
	"piled_up_births":           {"una misma fecha de nacimiento se repite más de lo creíble; si es un valor por defecto, dígalo con --missing", "one birth date comes more often than is credible; if it is a default, say so with --missing"},
	"born_that_day":             {"nacimiento el mismo día del hecho; si es la fecha que el formulario pone por defecto, vacíe la celda", "born on the very day of the event; if it is the form's default date, empty the cell"},
	"missing_code":              {"código de no declarado, no es una edad", "a code for not stated, not an age"},
	"one_column_apart":          {"filas iguales salvo en esta columna; si es una persona en varias filas, reúnalas en una", "rows that are equal but for this column; if they are one person in several rows, make one row of them"},
	"hidden_rows":               {"filas ocultas o filtradas de la hoja, se leyeron como las demás", "rows hidden or filtered out in the sheet, read like the others"},
	"hidden_sheet":              {"hoja oculta con las mismas columnas y con filas, no se leyó; si son datos, impórtela aparte con --sheet", "a hidden sheet with the same columns and with rows, not read; if they are data, import it apart with --sheet"},
	"formula_without_value":     {"fórmulas de la hoja sin valor guardado, o con el 0 de un programa que no calcula: quedan como no declaradas; abra el libro en Excel y guárdelo", "formulas of the sheet without a stored value, or with the 0 of a program that does not calculate: taken as not stated; open the workbook in Excel and save it"},
	"row_filled_up":             {"la fila termina antes que la cabecera; las celdas que faltan al final se toman por vacías", "the row ends before the header does; the cells left out at its end are taken as empty"},
	"not_valid_then":            {"el centro no existía en esa fecha según la lista", "the centre did not exist on that day according to the list"},
	"implausible_route":         {"nadie suele retornar así de ese país; revise el país", "people are not returned that way from that country; check the country"},
	"document_unreadable":       {"número que no puede ser un documento; el registro cuenta pero no se enlaza", "a number that cannot be a document; the record counts but is not linked"},
	"document_next":             {"número que no puede ser un documento; se enlaza por el otro documento de la fila", "a number that cannot be a document; linked by the other document of the row"},
	"document_shared":           {"un mismo documento en filas de sexo o edad distintos: son varias personas, y ninguna de esas filas se enlaza", "one document in rows of different sex or age: they are several people, and none of these rows is linked"},
	"document_zero_restored":    {"DNI de 12 dígitos; se repuso el cero inicial", "DNI of 12 digits; its leading zero was restored"},
	"dni_municipality":          {"los primeros cuatro dígitos del DNI no son un municipio", "the first four digits of the DNI are no municipality"},
	"date_order_assumed":        {"nada prueba si va primero el día o el mes; se leyó primero el día, como se escribe en Honduras y como las fechas quedan más juntas; confírmelo con --date-order=dmy", "nothing proves whether the day or the month comes first; read day first, as people in Honduras write and as the dates lie closest together; confirm it with --date-order=dmy"},
	"date_order_borrowed":       {"sus fechas no prueban su orden; se leyó en el de la otra columna", "its dates do not prove their order; read in that of the other column"},
	"date_order_against_header": {"el orden de fechas indicado no es el del nombre de la columna; se siguió el indicado", "the stated date order is not that of the column's name; the stated one was followed"},
	"dates_half_converted":      {"una hoja de cálculo pudo cambiar día y mes en parte de las fechas; revise las de los días 1 a 12", "a spreadsheet may have swapped day and month in part of the dates; check those of the 1st to the 12th"},
	"seconds_since_1970":        {"número de segundos o milisegundos, contado desde 1970; Stata y SAS cuentan desde 1960: si es de ellos, es diez años antes; expórtelo como texto", "number of seconds or milliseconds, counted from 1970; Stata and SAS count from 1960: if it is theirs, it is ten years earlier; export it as text"},
	"in_the_future":             {"fecha que aún no llega; la fila no cuenta mientras no llegue", "date yet to come; the row does not count until then"},
	"day_numbers":               {"día en número de hoja de cálculo, contado desde 1900; si el libro cuenta desde 1904, son 1,462 días más tarde", "day number of a spreadsheet, counted from 1900; if the workbook counts from 1904, it is 1,462 days later"},
	"midnight_elsewhere":        {"medianoche en otro huso horario en todas las filas: se tomó el día escrito, sin hora", "midnight in another time zone in every row: taken as the day that is written, without a time"},
	"dni_year":                  {"DNI inscrito antes del nacimiento", "DNI registered before the birth"},
}

// say returns a reason in Spanish and English, with what was found.
func say(code, found string) (es, en string) {
	text, ok := texts[code]
	if !ok {
		text = [2]string{code, code}
	}
	if found = strings.TrimSpace(found); found != "" {
		found = ": " + found
	}
	return text[0] + found, text[1] + found
}
