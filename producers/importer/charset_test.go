package importer

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func encoded(t *testing.T, page *charmap.Charmap, text string) string {
	t.Helper()
	out, err := page.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOldCodePagesAreFoundByTheirWords(t *testing.T) {
	const head = "Centro;Fecha de registro;País de retorno;Vía;Observación\n"
	lower := head + "CAMR Omoa;15/06/2015;México;Aéreo;niña, según año y cigüeña\n"
	upper := "CENTRO;FECHA DE REGISTRO;PAÍS DE RETORNO;VÍA;OBSERVACIÓN\nCAMR OMOA;15/06/2015;MÉXICO;AÉREO;NIÑA, ÚLTIMO AÑO, Ángel Óscar\n"
	onlyHead := head + "CAMR Omoa;15/06/2015;Guatemala;Terrestre;\n"
	foreign := head + "CAMR Omoa;15/06/2015;México;Aéreo;François Ånström, João\n"
	for name, text := range map[string]string{"lower case": lower, "upper case": upper, "accents in the header only": onlyHead} {
		want := mustImport(t, Config{Kind: KindCentre}, text)
		for charset, page := range map[string]*charmap.Charmap{charset850: charmap.CodePage850, charsetMac: charmap.Macintosh, charset1252: charmap.Windows1252} {
			got := mustImport(t, Config{Kind: KindCentre}, strings.ReplaceAll(encoded(t, page, text), "\n", "\r"))
			if got.sum.Charset != charset || lines(t, got.records) != lines(t, want.records) || len(got.sum.Warnings) != len(want.sum.Warnings) {
				t.Errorf("%s in %s: taken for %s, %v", name, charset, got.sum.Charset, got.sum.Warnings)
			}
		}
	}
	if got := mustImport(t, Config{Kind: KindCentre}, encoded(t, charmap.CodePage437, strings.ReplaceAll(lower, "Í", "I"))); got.records[0].GetRegistration().GetCountry() != "MX" {
		t.Errorf("the older page of DOS: %v", got.records[0])
	}
	if got := mustImport(t, Config{Kind: KindCentre}, encoded(t, charmap.Windows1252, foreign)); got.sum.Charset != charset1252 {
		t.Errorf("foreign names: taken for %s", got.sum.Charset)
	}
	if got := mustImport(t, Config{Kind: KindCentre}, encoded(t, charmap.Windows1252, "Centro;Fecha;Apellido;N°\nOmoa;15/06/2015;O’Connor;5\n")); got.sum.Charset != charset1252 {
		t.Errorf("an apostrophe: taken for %s", got.sum.Charset)
	}
}

func TestACharacterSetThatNothingShowsIsAskedFor(t *testing.T) {
	text := encoded(t, charmap.CodePage852, "Centro;Fecha;Nazwa\nOmoa;15/06/2015;łąka źródło\nOmoa;15/06/2015;ścieżka\n")
	var file *FileError
	if _, err := importText(t, Config{Kind: KindCentre}, text); !errors.As(err, &file) || file.Code != "charset_unclear" || !strings.Contains(file.ES, "--charset") {
		t.Fatalf("an unknown character set: %v", err)
	}
	got := mustImport(t, Config{Kind: KindCentre, Charset: "cp850"}, text)
	if got.sum.Charset != charset850 || got.sum.Accepted != 2 {
		t.Errorf("stated: %+v", got.sum)
	}
	for name, page := range map[string]*charmap.Charmap{"CP437": charmap.CodePage437, "macintosh": charmap.Macintosh, "windows-1252": charmap.Windows1252} {
		got := mustImport(t, Config{Kind: KindCentre, Charset: name}, encoded(t, page, "Centro;Fecha;Vía;Motivo\nOmoa;15/06/2015;Aéreo;económico\n"))
		if x := got.records[0].GetRegistration(); x.GetMode() != "air" || x.GetReasons()[0] != "economic" {
			t.Errorf("%s: %v", name, x)
		}
	}
	if got := mustImport(t, Config{Kind: KindCentre, Charset: "utf-8"}, string(bomUTF8)+"Centro;Fecha;Vía\nOmoa;15/06/2015;Aéreo\n"); got.records[0].GetRegistration().GetMode() != "air" {
		t.Errorf("UTF-8 with a mark: %v", got.records)
	}
	if err := (Config{Kind: KindCentre, Charset: "ebcdic"}).Validate(); err == nil || !strings.Contains(err.Error(), "cp850") {
		t.Errorf("a character set that is not known: %v", err)
	}
}
