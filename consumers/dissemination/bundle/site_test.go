package bundle_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"retorno/consumers/dissemination/bundle"
)

// server answers without a network: each question with the next of its answers.
type server []*httptest.ResponseRecorder

func (s *server) RoundTrip(*http.Request) (*http.Response, error) {
	if len(*s) == 0 {
		return nil, errors.New("asked once more")
	}
	next := (*s)[0]
	*s = (*s)[1:]
	return next.Result(), nil
}

func answer(status int, later string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if later != "" {
		w.Header().Set("Retry-After", later)
	}
	w.WriteHeader(status)
	_, _ = w.WriteString("{}")
	return w
}

// TestAServerThatSaysToWait: it is waited for as long as it says, a minute at most, twice; what else it answers is told at once.
func TestAServerThatSaysToWait(t *testing.T) {
	for name, c := range map[string]struct {
		answers []*httptest.ResponseRecorder
		status  int
		took    time.Duration
	}{
		"once":      {[]*httptest.ResponseRecorder{answer(429, "7"), answer(200, "")}, 0, 7 * time.Second},
		"a date":    {[]*httptest.ResponseRecorder{answer(429, "Sat, 01 Jan 2000 00:00:30 GMT"), answer(200, "")}, 0, 30 * time.Second},
		"nothing":   {[]*httptest.ResponseRecorder{answer(429, "soon"), answer(200, "")}, 0, time.Second},
		"very long": {[]*httptest.ResponseRecorder{answer(429, "86400"), answer(429, "-1"), answer(429, "1")}, 429, 61 * time.Second},
		"away":      {[]*httptest.ResponseRecorder{answer(503, "5")}, 503, 0},
		"empty":     {[]*httptest.ResponseRecorder{answer(204, "")}, 204, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, all := time.Now(), server(c.answers)
				_, err := bundle.Site{Base: "http://made.example/", Client: &http.Client{Transport: &all}}.Ask(context.Background(), "vintages?x=1")
				var said *bundle.AnswerError
				if errors.As(err, &said); c.status == 0 && err != nil || c.status > 0 && (said == nil || said.Status != c.status) {
					t.Error(err)
				}
				if took := time.Since(begin); took != c.took || len(all) > 0 {
					t.Errorf("it took %s, and %d answers are left", took, len(all))
				}
			})
		})
	}
}
