package sdmx_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkAnswers measures whole answers, from the address to the last byte.
func BenchmarkAnswers(b *testing.B) {
	h := handler()
	for _, address := range []string{
		"2.1/data/T8", "2.1/data/T8?format=structurespecificdata", "2.1/data/T8?format=csv", "3.0/data/dataflow/CENISS/T8/1.0.0", "3.0/data/dataflow/CENISS/T8/1.0.0?format=csv",
		"3.0/data/dataflow/CENISS/T8/1.0.0?format=csv&asOf=2016-09-01", "3.0/data/dataflow/CENISS/T8/1.0.0?format=csv&includeHistory=true", "3.0/availability/dataflow/CENISS/T8/1.0.0",
		"2.1/dataflow/CENISS/T1/latest?references=all", "2.1/structure/all/all/all?references=all", "3.0/structure/*?references=parentsandsiblings",
	} {
		b.Run(address, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sdmx/"+address, nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
				b.SetBytes(int64(w.Body.Len()))
			}
		})
	}
}
