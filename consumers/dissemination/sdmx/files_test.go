package sdmx_test

import (
	"net/http"
	"strings"
	"testing"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/sdmx"
)

// TestFilesOfAVintage: what a bundle keeps of a dataflow is, byte by byte, what the services answer of the half-year at the time of the vintage,
// and has every cell of its table.
func TestFilesOfAVintage(t *testing.T) {
	s, h := shelf(), handler()
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, v := range all {
		o, err := s.Open(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		files, err := sdmx.Files(t.Context(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		kept := map[string]string{}
		for _, f := range files {
			kept[f.Path] = string(f.Body)
		}
		question := "?" + sdmx.OfVintage(v).Encode() + "&format="
		for _, table := range o.Tables {
			for path, address := range map[string]string{".csv": sdmx.Root30 + "data/dataflow/CENISS/" + table.ID + "/1.0.0" + question + "csv", ".xml": sdmx.Root21 + "data/" + table.ID + question + "structurespecificdata"} {
				path = bundle.ObservationsPath + table.ID + path
				resp, body := get(t, h, address)
				if compared++; resp.StatusCode != http.StatusOK || body != kept[path] {
					t.Errorf("%s %s: %d, %d bytes where %d are kept\n%s", v.Name(), address, resp.StatusCode, len(body), len(kept[path]), body[:min(len(body), 300)])
				}
				lines := strings.Count(body, "<Obs ")
				if strings.HasSuffix(path, ".csv") {
					lines = strings.Count(body, "\n") - 1
				}
				if lines != len(table.Cells) {
					t.Errorf("%s %s has %d observations of %d cells", v.Name(), path, lines, len(table.Cells))
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d files were compared", compared)
	}
}

// TestReferencePartial: code lists that come with a dataflow have the codes that stand in it, and those above them; lists that are asked for themselves
// are whole.
func TestReferencePartial(t *testing.T) {
	h := handler()
	_, whole := get(t, h, "/sdmx/2.1/dataflow/CENISS/T2/latest?references=descendants")
	for address, format := range map[string]string{"/sdmx/2.1/dataflow/CENISS/T2/latest?references=descendants&detail=referencepartial": `<str:Codelist id="CL_`,
		"/sdmx/3.0/structure/dataflow/CENISS/T2/+?references=descendants&detail=referencepartial": `"id":"CL_`} {
		resp, body := get(t, h, address)
		if resp.StatusCode != http.StatusOK || len(body) > len(whole)/3 || strings.Count(body, format) < 10 || strings.Contains(body, "Tegucigalpa") || strings.Contains(body, "Mujeres") ||
			!strings.Contains(body, "L-COR") || !strings.Contains(body, "isPartial") {
			t.Errorf("%s: %d, %d bytes of %d\n%s", address, resp.StatusCode, len(body), len(whole), body[:min(len(body), 3000)])
		}
	}
	_, list := get(t, h, "/sdmx/2.1/codelist/CENISS/CL_SEX?detail=referencepartial")
	if !strings.Contains(list, "Mujeres") {
		t.Error("a list that is asked for is not whole")
	}
}
