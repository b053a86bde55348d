package portal

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"retorno/schemas/calendar"
)

func half(t *testing.T, label string, registered uint64) halfYear {
	t.Helper()
	p, err := calendar.ParsePeriod(label)
	if err != nil {
		t.Fatal(err)
	}
	return halfYear{period: p, counts: counts{Registered: registered, Reconciled: registered + 10}}
}

func TestPick(t *testing.T) {
	today := calendar.Date(2026, time.November, 23)
	for _, c := range []struct {
		name string
		all  []halfYear
		want string
	}{
		{"nothing", nil, ""},
		{"live arrivals do not hide the half-year that is over", []halfYear{half(t, "2026-S2", 90_000), half(t, "2016-S1", 27_086)}, "2016-S1"},
		{"strays are passed over", []halfYear{half(t, "2016-S2", 12), half(t, "2016-S1", 27_086), half(t, "2015-S2", 3)}, "2016-S1"},
		{"the latest of several", []halfYear{half(t, "2016-S2", 9_000), half(t, "2016-S1", 27_086)}, "2016-S2"},
		{"a small one alone", []halfYear{half(t, "2021-S1", 4)}, "2021-S1"},
		{"only the running one", []halfYear{half(t, "2026-S2", 5)}, "2026-S2"},
		{"none registered", []halfYear{half(t, "2026-S2", 5), half(t, "2016-S1", 0)}, "2026-S2"},
	} {
		got, ok := pick(c.all, today)
		if got.Label != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", c.name, got.Label, ok, c.want)
		}
	}
}

func TestNumbersAndWords(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 5: "5", 999: "999", 1000: "1,000", 27086: "27,086", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %s", n, got)
		}
	}
	if es, en := percent(630, "es"), percent(630, "en"); es != "63.0\u00a0%" || en != "63.0%" {
		t.Errorf("percent: %q %q", es, en)
	}
	day := calendar.Date(2016, time.June, 30)
	if es, en := date(day, "es"), date(day, "en"); es != "30 de junio de 2016" || en != "30 June 2016" {
		t.Errorf("date: %q %q", es, en)
	}
	// 05:30 UTC on 1 July is still 30 June in Honduras.
	if got := moment(time.Date(2016, 7, 1, 5, 30, 0, 0, time.UTC), "es"); got != "30 de junio de 2016, 23:30" {
		t.Errorf("moment: %q", got)
	}
	for d, want := range map[time.Duration]string{0: "en hora", 400 * time.Millisecond: "en hora", -30 * time.Second: "−30\u00a0s", 90 * time.Minute: "+90\u00a0min", 5 * time.Hour: "+5.0\u00a0h", -2000 * 24 * time.Hour: "−2,000\u00a0días"} {
		if got := offset(d, "es"); got != want {
			t.Errorf("offset(%s) = %q, want %q", d, got, want)
		}
	}
	for name, want := range map[string]string{
		"Corinto": "Corinto", "Aeropuerto Internacional Ramón Villeda Morales (La Mesa), San Pedro Sula": "Aeropuerto Ramón Villeda Morales",
		"Un nombre larguísimo que no cabe encima de ninguna barra": "Un nombre larguísimo que no cab…",
	} {
		if got := brief(name); got != want {
			t.Errorf("brief(%q) = %q, want %q", name, got, want)
		}
	}
}

// A code that came in from outside is text, whatever it looks like.
func TestCodesAreEscaped(t *testing.T) {
	s := &server{now: func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }}
	h := half(t, "2016-S1", 100)
	evil := `<script>alert("x")</script>`
	of := map[string]counts{evil: {Registered: 100, Reconciled: 110}}
	snap := &snapshot{halfYears: []halfYear{h}, period: h.period, total: counts{Registered: 100, Checkpoint: 100, Reconciled: 110}, routes: of, exits: of, months: map[string]counts{"2016-01": {Registered: 100}},
		complete: &completeness{sites: []site{{es: evil, en: evil, computers: 1, lastSeen: s.now()}}, computers: 1,
			posts: map[string]part{evil: {counts: counts{Registered: 100, Checkpoint: 100, Reconciled: 110}}}, centres: map[string]part{evil: {counts: counts{Registered: 100, Checkpoint: 100, Reconciled: 110}}}}}
	var b bytes.Buffer
	if err := pages["es"].ExecuteTemplate(&b, "home", s.view(snap, "es")); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") || !strings.Contains(b.String(), "&lt;script&gt;") {
		t.Error("a code became a tag")
	}
}

func TestPartsBeyondTheTableAreSummedUp(t *testing.T) {
	parts := map[string]counts{"XX-UNK": {Registered: 7}, "US-AIR": {Registered: 1}}
	for i := range 20 {
		parts["R"+strconv.Itoa(10+i)] = counts{Registered: uint64(100 + i)}
	}
	got := lines(parts, 2205, "route", 12, both{"Otras", "Other"}, "en")
	if len(got) != 14 || got[0].Code != "R29" || got[12].Name != "Other" || got[12].Count != "830" || got[13].Code != "XX-UNK" || got[13].Count != "5" {
		t.Errorf("%+v", got)
	}
}

func TestThePictureKeepsWhatIsNotStated(t *testing.T) {
	var from []line
	for i := range 9 {
		from = append(from, line{Code: strconv.Itoa(i), Name: "a, b"})
	}
	from = append(from, line{Code: "X-UNK", Name: "?", Unknown: true})
	got, height := bars(from, 8, clip)
	if len(got) != 8 || got[7].Name != "?" || got[0].Name != "a, b" || height != 8*barStep {
		t.Errorf("%+v, height %d", got, height)
	}
	from[9].Code = "" // a rest of the table is not the rest of the picture
	if got, _ := bars(from, 8, brief); got[7].Name != "a" {
		t.Errorf("%+v", got)
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
	for _, letters := range []string{"ink", "soft", "deep", "blue", "warn", "good", "bad"} {
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
