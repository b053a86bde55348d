package imports

import (
	"fmt"
	"slices"
	"strings"
)

// ReplacesError says that a file repeats an earlier import, and not all of it: the caller has to say what it is.
type ReplacesError struct {
	Import Import
	Same   int // rows that both have
	Like   int // rows of the import that the file has with other cells
	Absent int // rows of the import, within the file's days, that the file does not have as they were
	New    int // rows that the import does not have
	// Revised are the rows that Options.Replace would correct, Voided those that it would void, OtherDays those of them that do not
	// lie within the file's days.
	Revised, Voided, OtherDays int
	First, Last                string // the file's days
	// But is what the file has otherwise in every row, in Spanish and English; empty: rows differ in other ways.
	But [2]string
}

func (e *ReplacesError) Error() string {
	if e.Import.State == StateVoid {
		return fmt.Sprintf("import %s, which holds %d of these rows, was taken back", e.Import.Source, e.Same)
	}
	like := "have other cells"
	if e.But[1] != "" {
		like = "are there but for " + e.But[1]
	}
	text := fmt.Sprintf("%d rows were imported before, as %s; %d of its rows are not in this file as they were (%d %s), and %d are new; in its place the file would correct %d rows and void %d",
		e.Same, e.Import.Source, e.Absent, e.Like, like, e.New, e.Revised, e.Voided)
	if e.OtherDays > 0 {
		text += fmt.Sprintf(", %d of these of other days than the file's, %s to %s", e.OtherDays, e.First, e.Last)
	}
	return text
}

// Spanish is the message in Spanish.
func (e *ReplacesError) Spanish() string {
	if e.Import.State == StateVoid {
		return fmt.Sprintf("la importación %s, que contiene %d de estas filas, fue anulada", e.Import.Source, e.Same)
	}
	like := "tienen otras celdas"
	if e.But[0] != "" {
		like = "están, salvo " + e.But[0]
	}
	text := fmt.Sprintf("%d filas ya se importaron, como %s; %d de sus filas no están en este archivo como estaban (%d %s) y %d son nuevas; en su lugar, el archivo corregiría %d filas y anularía %d",
		e.Same, e.Import.Source, e.Absent, e.Like, like, e.New, e.Revised, e.Voided)
	if e.OtherDays > 0 {
		text += fmt.Sprintf(", %d de estas de otros días que los del archivo, %s a %s", e.OtherDays, e.First, e.Last)
	}
	return text
}

// AlikeError says that some rows without a person key equal rows of an import that holds a list of other people, as far as can be
// seen: the caller has to say whether they are the same people.
type AlikeError struct {
	Source string // the import that holds the rows
	Alike  int    // rows of the file that equal one of it, and that no person key tells from it
	Rows   int    // rows of the file on the days that both have
}

func (e *AlikeError) Error() string {
	return fmt.Sprintf("%d rows without a document say the same as rows of %s, while most of the %d rows of those days do not: they may be other people, and would not be counted",
		e.Alike, e.Source, e.Rows)
}

// Spanish is the message in Spanish.
func (e *AlikeError) Spanish() string {
	return fmt.Sprintf("%d filas sin documento dicen lo mismo que filas de %s, pero no la mayoría de las %d filas de esos días: pueden ser otras personas, y no se contarían",
		e.Alike, e.Source, e.Rows)
}

// TakenError says that a file of rejected rows brings rows in whose place others count by now: the export was mended and imported
// since then, and says something else there.
type TakenError struct {
	Source string
	Rows   int
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("in the place of %d of these rows %s holds other ones, which count: they were mended in the export, too, and otherwise", e.Rows, e.Source)
}

// Spanish is the message in Spanish.
func (e *TakenError) Spanish() string {
	return fmt.Sprintf("en el lugar de %d de estas filas %s tiene otras, que cuentan: se corrigieron también en la exportación, y de otra manera", e.Rows, e.Source)
}

// UnknownError says that there is no import of a name.
type UnknownError struct {
	Source string
	There  []string // the imports that exist
}

func unknown(source, kind string, heads map[string]Import) *UnknownError {
	e := &UnknownError{Source: source}
	for name, head := range heads {
		if kind == "" || head.Kind == kind {
			e.There = append(e.There, name)
		}
	}
	slices.Sort(e.There)
	return e
}

func (e *UnknownError) Error() string {
	there := "there is none"
	if len(e.There) > 0 {
		there = "there are " + strings.Join(e.There, ", ")
	}
	return fmt.Sprintf("no import is called %s: %s", e.Source, there)
}

// Spanish is the message in Spanish.
func (e *UnknownError) Spanish() string {
	there := "no hay ninguna"
	if len(e.There) > 0 {
		there = "hay " + strings.Join(e.There, ", ")
	}
	return fmt.Sprintf("ninguna importación se llama %s: %s", e.Source, there)
}

// OvertakenError says that another import of the source began meanwhile.
type OvertakenError struct{ Source string }

func (e *OvertakenError) Error() string {
	return fmt.Sprintf("another import of %s began meanwhile and goes on; what this one sent is part of it", e.Source)
}
