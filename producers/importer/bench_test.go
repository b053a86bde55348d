package importer

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"retorno/schemas/events"
)

// BenchmarkImport reads an export of 20,000 registrations, documents included; rows/s is what counts.
func BenchmarkImport(b *testing.B) {
	const rows = 20_000
	var text strings.Builder
	text.WriteString("Centro;Fecha de registro;Hora;Nombres;Identidad;Fecha de nacimiento;Sexo;Nacionalidad;Departamento;Municipio;Punto de entrada;Punto de salida;País de retorno;Vía;Tipo de retorno;Motivos\n")
	for i := range rows {
		fmt.Fprintf(&text, "CAMR Omoa;%02d/%02d/2016;%02d:%02d;Ana;0501%04d%05d;%02d/02/1985;Mujer;Hondureña;Cortés;San Pedro Sula;Corinto;Agua Caliente;México;Terrestre;Deportado;Económicas, violencia\n",
			1+i%28, 1+i/28%12, i%24, i%60, 1950+i%60, i+1, 1+i%28)
	}
	cfg := Config{Kind: KindCentre, System: "siamir", Secret: testSecret(b)}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		sum, err := Import(context.Background(), cfg, "bench.csv", strings.NewReader(text.String()), func(*events.Envelope) error { return nil }, io.Discard)
		if err != nil || sum.Accepted != rows {
			b.Fatal(err, sum)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
