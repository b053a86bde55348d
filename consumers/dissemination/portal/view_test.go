package portal

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

func TestNumbersAndWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 5: "5", 999: "999", 1000: "1,000", 27086: "27,086", 1234567: "1,234,567"} {
		if got := wording.Number(n); got != want {
			t.Errorf("wording.Number(%d) = %s", n, got)
		}
	}
	if es, en := wording.Percent(wording.Share(17064, 27086), "es"), wording.Percent(63, "en"); es != "63.0\u00a0%" || en != "63.0%" {
		t.Errorf("percent: %q %q", es, en)
	}
	day := calendar.Date(2016, time.June, 30)
	if es, en := wording.Date(day, "es"), wording.Date(day, "en"); es != "30 de junio de 2016" || en != "30 June 2016" {
		t.Errorf("date: %q %q", es, en)
	}
	// 05:30 UTC on 1 July is still 30 June in Honduras.
	if got := wording.Moment(time.Date(2016, 7, 1, 5, 30, 0, 0, time.UTC), "es"); got != "30 de junio de 2016, 23:30" {
		t.Errorf("moment: %q", got)
	}
}

// A name that came in from outside is text, whatever it looks like.
func TestNamesAreEscaped(t *testing.T) {
	evil := []line{{Name: `<script>alert("x")</script>`, Count: "1"}}
	v := homeView{Frame: frame("es", "/", ""), RouteLines: evil, ExitLines: evil, MonthLines: evil, TopExit: &evil[0]}
	v.RouteBars, v.RouteHeight = bars(evil)
	v.MonthBars = monthColumns(evil)
	var b bytes.Buffer
	if err := pages["es"].ExecuteTemplate(&b, "home", v); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || strings.Count(b.String(), "&lt;script&gt;") < 6 {
		t.Error("a name became a tag")
	}
}

// What is withheld has no bar and no height, and no place in the picture tells how large it is.
func TestThePicturesLeaveOutWhatIsWithheld(t *testing.T) {
	from := []line{{Name: "a, b", Count: "6", Percent: "60.0%", size: 6, share: 60}, {Name: "c", Withheld: true}, {Name: "?", Count: "4", Percent: "40.0%", Unknown: true, size: 4, share: 40}}
	got, height := bars(from)
	if len(got) != 2 || got[0].Name != "a, b" || got[1].Name != "?" || got[1].Y-got[0].Y != barStep || height != 2*barStep {
		t.Errorf("%+v, height %d", got, height)
	}
	columns := monthColumns(from)
	if len(columns) != 3 || columns[0].Height != columnsFoot-columnsTop || columns[1].Height != 0 || columns[1].Value != "–" {
		t.Errorf("%+v", columns)
	}
}

var colour = regexp.MustCompile(`--(\w+): #([0-9a-f]{6})`)

// Colours of letters have the contrast that WCAG 2.2 AA asks for, 4.5 to 1, on both grounds (§1.4.3, relative luminance).
func TestContrast(t *testing.T) {
	light := map[string]float64{}
	for _, m := range colour.FindAllStringSubmatch(string(styleSheet), -1) {
		rgb, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			c := float64(rgb>>(16-8*i)&255) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			light[m[1]] += weight * c
		}
	}
	for _, letters := range []string{"ink", "soft", "deep", "blue", "warn"} {
		for _, ground := range []string{"ground", "tint"} {
			if _, ok := light[letters]; !ok {
				t.Fatalf("the style sheet has no colour %s", letters)
			}
			if ratio := (light[ground] + 0.05) / (light[letters] + 0.05); ratio < 4.5 {
				t.Errorf("%s on %s: contrast %.1f to 1", letters, ground, ratio)
			}
		}
	}
	for _, mark := range []string{"blue", "rest"} { // graphics: 3 to 1 (§1.4.11)
		if ratio := (light["ground"] + 0.05) / (light[mark] + 0.05); ratio < 3 {
			t.Errorf("bars of colour %s: contrast %.1f to 1", mark, ratio)
		}
	}
}
