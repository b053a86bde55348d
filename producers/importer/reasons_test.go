package importer

import (
	"strings"
	"testing"

	"retorno/schemas/events"
)

// What stands beside an answer may take it back; then the row is refused. Other specifications are left out.
func TestWhatTakesAnAnswerBackIsNotDropped(t *testing.T) {
	const unknown, doubt = "unknown_code", "doubtful_code"
	var c cellCase
	for _, r := range [][2]string{
		{"violencia (no), económico (sí)", unknown},
		{"violencia: no", unknown},
		{"Violencia (NO)", unknown},
		{"violencia (descartado)", unknown},
		{"violencia (sin denuncia)", unknown},
		{"salud: ninguno", unknown},
		{"estudios (0)", unknown},
		{"estudios (2)", unknown},
		{"estudios: n", unknown},
		{"salud (por confirmar)", unknown},
		{"salud (tal vez)", unknown},
		{"salud (✗)", doubt},
		{"salud (?)", doubt},
		{"salud?", doubt},
		{"salud*, económico", doubt},
		{"✗ violencia; económico", doubt},
		{"económico (amenaza?)", unknown},
		{"económico (desempleo, descartado)", unknown},
		{"Económico (sí), violencia (no)", unknown},
		{"violencia: S/I", unknown},
		{"no violencia", unknown},
		{"violencia no", unknown},
		{"violencia - no", unknown},
		{"violencia/no", unknown},
		{"Otro: no", unknown},
		{"Otro (ninguno)", unknown},
		{"violencia (sí)", "violence"},
		{"violencia: sí; salud: x", "violence+health"},
		{"violencia (1)", "violence"},
		{"violencia (✓)", "violence"},
		{"violencia ()", "violence"},
		{"Económicas (desempleo)", "economic"},
		{"Económicas (desempleo, deudas)", "economic"},
		{"Otro: no quiso decir", "other"},
		{"Otro: busca a su esposo, sin dinero", "other"},
		{"violencia (maras), salud (diabetes)", "violence+health"},
	} {
		c.cells, c.want = append(c.cells, `"`+r[0]+`"`), append(c.want, r[1])
	}
	value := func(r *events.Record) string { return strings.Join(r.GetRegistration().GetReasons(), "+") }
	for _, c.column = range []string{"Motivos", "Causas de migración"} {
		c.check(t, Config{Kind: KindCentre}, value)
	}
}
