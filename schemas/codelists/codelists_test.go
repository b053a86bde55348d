package codelists

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "append new codes to testdata/released.txt")

// Released codes keep their list, their place and so their index: testdata/released.txt holds them in order.
func TestReleasedCodesKeepTheirPlace(t *testing.T) {
	text, err := os.ReadFile("testdata/released.txt")
	if err != nil && !*update {
		t.Fatal(err)
	}
	released := map[string][]string{}
	scan := bufio.NewScanner(strings.NewReader(string(text)))
	for scan.Scan() {
		list, code, _ := strings.Cut(scan.Text(), " ")
		released[list] = append(released[list], code)
	}
	var out strings.Builder
	for _, l := range Lists() {
		was := released[l.Name]
		delete(released, l.Name)
		for i, code := range was {
			if got, ok := l.Index(code); !ok || int(got) != i {
				t.Errorf("list %s: released code %s had index %d, now %d (there: %v)", l.Name, code, i, got, ok)
			}
		}
		if l.Len() > len(was) && !*update {
			t.Errorf("list %s has %d new codes; once they are final, run: go test -run Released -update", l.Name, l.Len()-len(was))
		}
		for _, c := range l.Codes() {
			fmt.Fprintln(&out, l.Name, c.Code)
		}
	}
	for list := range released {
		t.Errorf("list %s was released and is gone", list)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile("testdata/released.txt", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryListHasItsUnknownCodeFirst(t *testing.T) {
	want := map[string]string{BorderPoint: "X-UNK", Centre: "X-UNK", Country: "XX", Department: "XX", Municipality: "XX", Sex: "U", Route: "XX-UNK"}
	for _, l := range Lists() {
		unknown := want[l.Name]
		if unknown == "" {
			unknown = "unknown"
		}
		if l.Unknown != unknown || l.At(0) != unknown {
			t.Errorf("list %s: unknown code %q, first %q, want %q", l.Name, l.Unknown, l.At(0), unknown)
		}
		for _, text := range []string{"", unknown} {
			if i, ok := l.Index(text); i != 0 || !ok {
				t.Errorf("list %s: Index(%q) = %d, %v", l.Name, text, i, ok)
			}
		}
		if i, ok := l.Index("nowhere"); i != 0 || ok {
			t.Errorf("list %s: Index of a strange code = %d, %v", l.Name, i, ok)
		}
		if l.Has("") || l.At(60000) != unknown || l.OrUnknown("nowhere") != unknown {
			t.Errorf("list %s: empty, far and strange codes must be unknown", l.Name)
		}
		for i, c := range l.Codes() {
			if got, ok := l.IndexBytes([]byte(c.Code)); !ok || int(got) != i || l.At(got) != c.Code {
				t.Errorf("list %s: code %s: index %d, %v", l.Name, c.Code, got, ok)
			}
		}
	}
	if len(Lists()) != 22 {
		t.Errorf("%d lists", len(Lists()))
	}
}

func TestLookupsAllocateNothing(t *testing.T) {
	l, _ := Get(BorderPoint)
	code := []byte("A-SAP")
	n := testing.AllocsPerRun(100, func() {
		i, _ := l.IndexBytes(code)
		if !l.HasBytes(code) || !l.Has(l.At(i)) || RouteOf("US", "air") != "US-AIR" || AgeGroupOf(17) != "13-17" {
			t.Fatal("wrong answer")
		}
		if DepartmentOf("0501") != "HN-CR" || CountryGroup("BZ") != "CAM" || !l.ValidAt("L-COR", "2016-06-30") {
			t.Fatal("wrong answer")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBundledFacts(t *testing.T) {
	count := func(list string) int { l, _ := Get(list); return l.Len() - 1 }
	if n := count(Municipality); n != 298 {
		t.Errorf("%d municipalities", n)
	}
	if n := count(Department); n != 18 {
		t.Errorf("%d departments", n)
	}
	if n := count(Country); n != 249 {
		t.Errorf("%d countries of ISO 3166-1", n)
	}
	departments, _ := Get(Department)
	municipalities, _ := Get(Municipality)
	in := map[string]int{}
	for _, c := range municipalities.Codes()[1:] {
		in[c.Attrs["department"]]++
		if ine := departments.Attr(c.Attrs["department"], "ine"); ine != c.Code[:2] {
			t.Errorf("municipality %s lies in department %s with INE number %s", c.Code, c.Attrs["department"], ine)
		}
	}
	for _, c := range departments.Codes()[1:] {
		if fmt.Sprint(in[c.Code]) != c.Attrs["municipalities"] {
			t.Errorf("department %s has %d municipalities, should have %s", c.Code, in[c.Code], c.Attrs["municipalities"])
		}
	}
	centres, _ := Get(Centre)
	points, _ := Get(BorderPoint)
	for _, c := range append(centres.Codes(), points.Codes()...) {
		if d := c.Attrs["department"]; d != "" && !departments.Has(d) {
			t.Errorf("%s lies in %s", c.Code, d)
		}
		if m := c.Attrs["municipality"]; m != "" && DepartmentOf(m) != c.Attrs["department"] {
			t.Errorf("%s lies in %s but in %s", c.Code, m, c.Attrs["department"])
		}
		if strings.HasPrefix(c.Code, "A-") != (c.Attrs["kind"] == "air") || strings.HasPrefix(c.Code, "S-") != (c.Attrs["kind"] == "sea") {
			t.Errorf("%s is of kind %s", c.Code, c.Attrs["kind"])
		}
	}
}

func TestValidity(t *testing.T) {
	for _, c := range []struct {
		list, code, day string
		want            bool
	}{
		{BorderPoint, "L-TRO", "2023-12-31", false},
		{BorderPoint, "L-TRO", "2024-01-01", true},
		{BorderPoint, "L-COR", "2016-06-30", true},
		{Centre, "MOD-COR", "2015-12-31", true},
		{Centre, "MOD-COR", "2016-01-01", false},
		{Centre, "CAMR-OMO", "2014-12-31", false},
		{Centre, "CANFM-BEL", "2015-05-01", true},
		{Centre, "CAMR-TGU", "2000-02-29", false},
		{Centre, "nowhere", "2016-01-01", false},
	} {
		l, _ := Get(c.list)
		if got := l.ValidAt(c.code, c.day); got != c.want {
			t.Errorf("%s %s on %s: %v", c.list, c.code, c.day, got)
		}
	}
	if ValidFor("X-BLD", "entry") || !ValidFor("X-BLD", "exit") || !ValidFor("L-COR", "entry") || !ValidFor("X-UNK", "entry") || ValidFor("nowhere", "exit") {
		t.Error("a blind crossing is an exit only; the unknown code fits both")
	}
}

func TestAgeGroups(t *testing.T) {
	for age, want := range map[int]string{-1: "unknown", 0: "0-5", 5: "0-5", 6: "6", 7: "7-10", 10: "7-10", 11: "11", 12: "12", 13: "13-17",
		17: "13-17", 18: "18-20", 20: "18-20", 21: "21-30", 30: "21-30", 31: "31-40", 41: "41-50", 50: "41-50", 51: "51+", 120: "51+", 121: "unknown"} {
		if got := AgeGroupOf(age); got != want {
			t.Errorf("age %d: %s, want %s", age, got, want)
		}
	}
	for age := 0; age <= MaxAge; age++ {
		if AgeGroupOf(age) == "unknown" {
			t.Errorf("age %d has no group", age)
		}
	}
}

func TestRoutes(t *testing.T) {
	countries, _ := Get(Country)
	modes, _ := Get(Mode)
	list, _ := Get(Route)
	for _, c := range countries.Codes() {
		for _, m := range modes.Codes() {
			route := RouteOf(c.Code, m.Code)
			country, mode, ok := SplitRoute(route)
			if !list.Has(route) || !ok || country != c.Code || mode != m.Code {
				t.Fatalf("%s by %s is %s, which splits into %s %s %v", c.Code, m.Code, route, country, mode, ok)
			}
		}
	}
	for _, c := range [][3]string{{"US", "air", "US-AIR"}, {"MX", "", "MX-UNK"}, {"", "air", "XX-AIR"}, {"", "", "XX-UNK"}, {"ZZ", "rocket", "XX-UNK"}, {"BZ", "sea", "BZ-SEA"}} {
		if got := RouteOf(c[0], c[1]); got != c[2] {
			t.Errorf("RouteOf(%q, %q) = %s", c[0], c[1], got)
		}
	}
	if PlausibleRoute("US", "land") || PlausibleRoute("EE", "land") || !PlausibleRoute("MX", "land") || !PlausibleRoute("BZ", "sea") || !PlausibleRoute("", "sea") {
		t.Error("plausible routes")
	}
}

func TestCountryGroups(t *testing.T) {
	for code, want := range map[string]string{"US": "US", "MX": "MX", "GT": "CAM", "PA": "CAM", "ES": "EUR", "RO": "EUR", "CO": "SAM", "UY": "SAM",
		"CU": "OTH", "HT": "OTH", "JP": "OTH", "HN": "HOME", "XX": "", "": "", "ZZ": ""} {
		if got := CountryGroup(code); got != want {
			t.Errorf("group of %q: %q, want %q", code, got, want)
		}
	}
}
