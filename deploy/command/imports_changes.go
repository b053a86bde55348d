package command

import (
	"fmt"
	"strings"

	"retorno/deploy/command/screen"
	"retorno/producers/imports"
)

// changes says what a file changes, in English and Spanish, in the same words before and after it is sent.
func changes(c imports.Changes) string {
	n := func(n int) string { return screen.Count(int64(n)) }
	earlier, antes := "not imported before", "no se había importado"
	if c.Known {
		earlier, antes = "imported before", "ya se había importado"
	}
	var en, es strings.Builder
	fmt.Fprintf(&en, "%s, %s: %s new rows, %s counted already", c.Source, earlier, n(c.New), n(c.Unchanged+c.Elsewhere))
	fmt.Fprintf(&es, "%s, %s: %s filas nuevas, %s ya contaban", c.Source, antes, n(c.New), n(c.Unchanged+c.Elsewhere))
	for _, part := range []struct {
		count  int
		en, es string // %s is the count
	}{
		{c.Elsewhere, ", %s of them from other imports", ", %s de ellas en otras importaciones"},
		{c.Revised, "; %s rows corrected: %[1]s revisions", "; %s filas corregidas: %[1]s revisiones"},
		{c.Voided, "; %s rows gone: %[1]s voids", "; %s filas que ya no están: %[1]s anulaciones"},
		{c.OtherDays, ", %s of them of other days than the file's", ", %s de ellas de otros días que los del archivo"},
		{c.Restored, "; %s rows back after a void: %[1]s revisions", "; %s filas de vuelta tras una anulación: %[1]s revisiones"},
		{c.Absent, "; %s not in this file, stay counted", "; %s no están en este archivo y siguen contando"},
		{c.StillVoid, "; %s void, and stay so", "; %s anuladas, y así quedan"},
	} {
		if part.count > 0 {
			fmt.Fprintf(&en, part.en, n(part.count))
			fmt.Fprintf(&es, part.es, n(part.count))
		}
	}
	if c.Elsewhere > 0 {
		there := strings.Join(c.ElsewhereIn, ", ")
		fmt.Fprintf(&en, "; rows of one system that are equal are one record, those stand in %s (other people: name another --system)", there)
		fmt.Fprintf(&es, "; las filas iguales de un mismo sistema son un solo registro, esas están en %s (si son otras personas: otro --system)", there)
		if c.New+c.Revised+c.Restored+c.Unchanged == 0 && !c.Known {
			fmt.Fprintf(&en, "; no row is left for %s, which is not listed", c.Source)
			fmt.Fprintf(&es, "; no queda ninguna fila para %s, que no aparece en la lista", c.Source)
		}
	}
	if shared := strings.Join(c.SharedBy, ", "); c.Voided+c.Revised > 0 && shared != "" {
		fmt.Fprintf(&en, "; files of %s held rows of it: import them again", shared)
		fmt.Fprintf(&es, "; archivos de %s tenían filas de ella: impórtelos de nuevo", shared)
	}
	return en.String() + "\n" + es.String() + "\n"
}
