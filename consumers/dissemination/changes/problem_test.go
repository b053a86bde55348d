package changes_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"retorno/consumers/dissemination/changes"
	"retorno/deploy/lab/enginetest"
)

// TestWhatIsWrongIsNamed: in both languages, at each address.
func TestWhatIsWrongIsNamed(t *testing.T) {
	w := serve(t, enginetest.Fresh(t, engine).Conn(), changes.Config{})
	for _, path := range []string{"/changes?since=yesterday", "/changes?since=2016-S1/2-1", "/changes?since=2016-S1/0", "/changes?desde=1", "/changes?since=1&since=2", "/changes?%zz", "/changes.atom?since=",
		"/changes/stream?since=2016-S1", "/changes?since=" + strings.Repeat("2016-S1/1,", 1000), "/changes?since=" + strings.Repeat("a", 30_000)} {
		res, err := http.Get(w.address + path)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			ES string `json:"detail_es"`
			EN string `json:"detail_en"`
		}
		err = json.NewDecoder(res.Body).Decode(&p)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusBadRequest || res.Header.Get("Content-Type") != "application/problem+json" || p.ES == "" || p.EN == "" || len(p.EN) > 400 {
			t.Errorf("%.60s: %d %+v %v", path, res.StatusCode, p, err)
		}
	}
}
