package importer

import (
	"strings"
	"testing"
)

// Whatever bytes come: nothing panics, each row is in exactly one account, accepted records are valid, ids are
// distinct, and a second import gives the same bytes. (importText and mustImport check the first three.)
func FuzzImport(f *testing.F) {
	secret := testSecret(f)
	for _, name := range []string{"inm_ingresos.csv", "siamir_registros.csv", "ayudas.csv"} {
		f.Add(read(f, name), name == "inm_ingresos.csv")
	}
	for _, text := range []string{
		"", "\n", "\"", "\xff\xfe", "\xfe\xff\x00f", "fecha,puesto,movimiento\n", "fecha;puesto;movimiento\n30/06/2016;Corinto;E\n30/06/2016;Corinto;E\n",
		"fecha,puesto,movimiento\n\"30/06/2016,Corinto,E\n", "fecha,puesto,movimiento\n30/06/2016,Corinto,E\x00\n", "fecha|puesto|movimiento\r30-jun-16|SAP|S\r",
		"retorno_source,retorno_row,fecha,puesto,movimiento\nimport-x,7,30/06/2016,Corinto,E\n", "sep=;\nfecha;centro;edad\n42551,5;Omoa;8 meses\n",
		"fecha,puesto,movimiento,dni,fecha nac\n15/06/2006 00:30,Corinto,E,503199100123,01/01/90\n",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, checkpoint bool) {
		cfg := Config{Kind: KindCentre, Secret: secret}
		if checkpoint {
			cfg.Kind = KindCheckpoint
		}
		first, err := importText(t, cfg, text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b\n") {
				t.Fatalf("a message carries what the file holds to the terminal: %q", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, r := range first.records {
			if seen[r.RecordId] {
				t.Fatalf("two records with id %s", r.RecordId)
			}
			seen[r.RecordId] = true
		}
		second, err := importText(t, cfg, text)
		if err != nil || lines(t, first.records) != lines(t, second.records) || first.raw != second.raw {
			t.Fatalf("a second import differs: %v", err)
		}
	})
}

func FuzzRows(f *testing.F) {
	f.Add("a,\"b\nc\",d\r\n\"x\ny")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, r := range allRows(t, text, ',') {
			if r.line <= last {
				t.Fatalf("line %d after line %d", r.line, last)
			}
			last = r.line
		}
	})
}
