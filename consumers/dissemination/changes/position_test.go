package changes

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"retorno/consumers/dissemination/vintages"
)

// TestAPositionIsASetOfVintages: whatever it has, in whatever order it came, it is written in one way and read back.
func TestAPositionIsASetOfVintages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := map[string]vintages.Vintage{}
		p := position{}
		for range rapid.IntRange(0, 30).Draw(t, "vintages") {
			v := vintages.Vintage{Period: rapid.SampledFrom([]string{"2015-S2", "2016-S1", "2016", "2016-03"}).Draw(t, "period"), Number: rapid.Uint64Range(1, 12).Draw(t, "number")}
			all[v.Name()], p = v, p.with(v)
		}
		read, err := parsePosition(p.String())
		if err != nil || read.String() != p.String() {
			t.Fatalf("%s is read as %s: %v", p, read, err)
		}
		for _, period := range []string{"2015-S2", "2016-S1", "2016", "2016-03", "2017-S1"} {
			for n := range uint64(14) {
				v := vintages.Vintage{Period: period, Number: n}
				if _, in := all[v.Name()]; read.has(v) != in {
					t.Fatalf("%s has %s: %v", p, v.Name(), !in)
				}
			}
		}
	})
}

func FuzzPosition(f *testing.F) {
	for _, text := range []string{"", "2016-S1/1-3,2016-S2/1", "2016-S1/3-1", "2016-S1/0", "/", "2016-S1/1-18446744073709551615", "2016-S1/9223372036854775807,2016-S1/9223372036854775807", ",,", "2016-S1/+1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePosition(text)
		if err != nil {
			return
		}
		again, err := parsePosition(p.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Errorf("%q is %v, and then %v: %v", text, p, again, err)
		}
	})
}
