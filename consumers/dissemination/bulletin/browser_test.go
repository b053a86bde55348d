package bulletin_test

import (
	"testing"

	"retorno/deploy/lab/browser"
)

// axe-core finds nothing on the bulletin, on a telephone, a tablet and a desk, and no page is wider than its window: a final
// one in Spanish, and a revision in English.
func TestAxeFindsNothing(t *testing.T) {
	found, err := browser.Findings(t.Context(), handler(), []string{"/bulletin/2016-S1?lang=es", "/bulletin/2015-S1?lang=en"}, 360, 820, 1280)
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range found {
		t.Error(finding)
	}
}
