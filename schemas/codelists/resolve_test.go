package codelists

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	for _, c := range []struct{ list, text, want string }{
		{BorderPoint, "L-COR", "L-COR"},
		{BorderPoint, "l cor", "L-COR"},
		{BorderPoint, "CORINTO", "L-COR"},
		{BorderPoint, " Aduana de Corinto ", "L-COR"},
		{BorderPoint, "L-COR Corinto", "L-COR"},
		{BorderPoint, "La Mesa", "A-SAP"},
		{BorderPoint, "SAP", "A-SAP"},
		{BorderPoint, "mhlm", "A-SAP"},
		{BorderPoint, "HNSAP", "A-SAP"},
		{BorderPoint, "Aeropuerto Internacional Ramon Villeda Morales", "A-SAP"},
		{BorderPoint, "El Espino", "L-FRA"},
		{BorderPoint, "LA FRATERNIDAD", "L-FRA"},
		{BorderPoint, "Pasamonos", "L-CON"},
		{BorderPoint, "la concordia (pasamonos)", "L-CON"},
		{BorderPoint, "Punto Ciego", "X-BLD"},
		{BorderPoint, "aguacaliente", "L-AGC"},
		{BorderPoint, "Toncontin", "A-TGU"},
		{BorderPoint, "No declarado", "X-UNK"},
		{BorderPoint, "", "X-UNK"},
		{BorderPoint, " - ", "X-UNK"},
		{BorderPoint, "HNPCR", "S-PCR"},
		{Centre, "La Lima", "CAMR-SPS"},
		{Centre, "camr la lima", "CAMR-SPS"},
		{Centre, "Belen", "CANFM-BEL"},
		{Centre, "El Edén", "CANFM-BEL"},
		{Centre, "OMOA", "CAMR-OMO"},
		{Country, "EE.UU.", "US"},
		{Country, "Estados Unidos de América (los)", "US"},
		{Country, "méxico", "MX"},
		{Country, "GTM", "GT"},
		{Country, "340", "HN"},
		{Country, "HONDUREÑA", "HN"},
		{Country, "Hondureno", "HN"},
		{Country, "Belice", "BZ"},
		{Country, "Estados Federados de Micronesia", "FM"},
		{Country, "Estonia", "EE"},
		{Country, "S/D", "XX"},
		{Country, "N/A", "XX"},
		{Country, "SD", "SD"},
		{Country, "NO", "NO"},
		{Department, "Cortes", "HN-CR"},
		{Department, "05 - Cortés", "HN-CR"},
		{Department, "HN-CH", "HN-CH"},
		{Department, "CH", "HN-CH"},
		{Department, "06", "HN-CH"},
		{Department, "2", "HN-CL"},
		{Department, "HN06", "HN-CH"},
		{Department, "Fco. Morazan", "HN-FM"},
		{Department, "ISLAS DE LA BAHIA", "HN-IB"},
		{Mode, "Aéreo", "air"},
		{Mode, "aérea", "air"},
		{Mode, "TERRESTRE", "land"},
		{Mode, "maritimo", "sea"},
		{Sex, "H", "M"},
		{Sex, "M", "M"},
		{Sex, "mujer", "F"},
		{Sex, "FEMENINO", "F"},
		{Sex, "Varón", "M"},
		{ReturnType, "Deportado(a)", "deported"},
		{ReturnType, "Retorno Asistido", "assisted"},
		{Accompaniment, "No acompañada", "unaccompanied"},
		{AgeGroup, "0-5", "0-5"},
		{Reason, "Económicas", "economic"},
		{CrossingCategory, "En tránsito", "transit"},
		{DocumentCheck, "documento falso", "confirmed_false"},
		{Occupation, "none", "none"},
		{Education, "ninguno", "0"},
	} {
		if got, ok := Resolve(c.list, c.text); got != c.want || !ok {
			t.Errorf("%s %q: %q, %v, want %s", c.list, c.text, got, ok, c.want)
		}
	}
	for _, c := range []struct{ list, text string }{
		{"no_such_list", "US"}, {BorderPoint, "La Ceiba"}, {BorderPoint, "Roatán"}, {BorderPoint, "Omoa"}, {BorderPoint, "Puerto Corinto"},
		{BorderPoint, "Nueva York"}, {Centre, "CAMI Danlí"}, {Centre, "Toncontín"}, {Centre, "CAMI Toncontín"}, {Centre, "Choluteca"},
		{Country, "Congo"}, {Country, "no"}, {Country, "Atlantis"}, {Department, "06 - Cortés"}, {Department, "19"}, {Mode, "burro"},
		{Municipality, "San Pedro Sula"}, {Municipality, "San José"}, {Sex, "1"},
	} {
		if got, ok := Resolve(c.list, c.text); ok || got != "" {
			t.Errorf("%s %q resolved to %q; it must not", c.list, c.text, got)
		}
	}
}

// Every code and every label finds its own code, except where a name fits several.
func TestCodesAndLabelsResolve(t *testing.T) {
	several := map[string]bool{"S-LCE": true, "S-RTB": true, "S-OMO": true}
	for _, l := range Lists() {
		for _, c := range l.Codes() {
			if got, ok := Resolve(l.Name, c.Code); got != c.Code || !ok {
				t.Errorf("%s: code %s resolves to %q, %v", l.Name, c.Code, got, ok)
			}
			for _, label := range []string{c.LabelES, c.LabelEN, strings.ToUpper(c.LabelES), " " + strings.ToLower(c.LabelEN) + " "} {
				got, ok := Resolve(l.Name, label)
				if l.Name == Municipality && c.Code != l.Unknown {
					if in, ok := ResolveMunicipality(c.Attrs["department"], label); in != c.Code || !ok {
						t.Errorf("municipality %s %q in %s: %q, %v", c.Code, label, c.Attrs["department"], in, ok)
					}
					continue
				}
				if !several[c.Code] && (got != c.Code || !ok) {
					t.Errorf("%s: label %q of %s resolves to %q, %v", l.Name, label, c.Code, got, ok)
				}
			}
		}
	}
}

func TestResolvePoint(t *testing.T) {
	for _, c := range [][3]string{{"La Ceiba", "air", "A-LCE"}, {"la ceiba", "sea", "S-LCE"}, {"Roatán", "air", "A-RTB"}, {"HNRTB", "sea", "S-RTB"},
		{"Omoa", "land", "L-COR"}, {"Omoa", "sea", "S-OMO"}, {"Corinto", "land", "L-COR"}, {"Corinto", "", "L-COR"}, {"Roatán", "", ""}, {"Roatán", "land", ""},
		{"Omoa", "air", ""}} {
		if got, ok := ResolvePoint(c[0], c[1]); got != c[2] || ok != (c[2] != "") {
			t.Errorf("%s by %q: %q, %v, want %q", c[0], c[1], got, ok, c[2])
		}
	}
}

func TestResolveMunicipality(t *testing.T) {
	for _, c := range []struct {
		department, text, want string
	}{
		{"", "0501", "0501"}, {"", "501", "0501"}, {"HN-CR", "HN0501", "0501"}, {"HN-CR", "san pedro sula", "0501"},
		{"", "0501 - San Pedro Sula", "0501"}, {"HN-CR", "0501 San Pedro Sula", "0501"},
		{"HN-CP", "San José", "0417"}, {"HN-CH", "SAN JOSE", "0614"}, {"HN-LP", "San Jose", "1212"},
		{"HN-OC", "Belén Gualcho", "1402"}, {"HN-LE", "Belén", "1302"}, {"HN-CR", "", "XX"}, {"", "No declarado", "XX"}, {"XX", "0801", "0801"},
	} {
		if got, ok := ResolveMunicipality(c.department, c.text); got != c.want || !ok {
			t.Errorf("%q in %q: %q, %v, want %s", c.text, c.department, got, ok, c.want)
		}
	}
	for _, c := range [][2]string{{"", "San Pedro Sula"}, {"", "San José"}, {"XX", "San José"}, {"HN-CR", "San José"}, {"HN-OC", "Belén"}, {"HN-AT", "0512 - San Pedro Sula"}, {"", "0512 - San Pedro Sula"}, {"", "9999"}} {
		if got, ok := ResolveMunicipality(c[0], c[1]); ok && got != "" {
			t.Errorf("%q in %q resolved to %q; it must not", c[1], c[0], got)
		}
	}
	// A number outside the stated department is a contradiction, not an answer.
	if _, ok := ResolveMunicipality("HN-FM", "0501"); ok {
		t.Error("0501 lies in Cortés, not in Francisco Morazán")
	}
}

// The INE order is not the modern alphabetical one: 06 is Choluteca, and 02 Colón.
func TestDepartmentNumbers(t *testing.T) {
	want := strings.Fields("HN-AT HN-CL HN-CM HN-CP HN-CR HN-CH HN-EP HN-FM HN-GD HN-IN HN-IB HN-LP HN-LE HN-OC HN-OL HN-SB HN-VA HN-YO")
	for i, code := range want {
		number := string([]byte{byte('0' + (i+1)/10), byte('0' + (i+1)%10)})
		if got, ok := DepartmentOfINE(number); got != code || !ok {
			t.Errorf("INE %s: %s, want %s", number, got, code)
		}
	}
	for _, number := range []string{"", "00", "19", "5", "05 "} {
		if got, ok := DepartmentOfINE(number); ok || got != "XX" {
			t.Errorf("INE %q: %s, %v", number, got, ok)
		}
	}
}

// Every synonym is a text of its own that leads where it says.
func TestSynonyms(t *testing.T) {
	text, err := files.ReadFile("data/synonyms.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		list, mode, byMode := strings.Cut(row[0], "@")
		var got string
		var ok bool
		switch {
		case list == anyList:
			continue
		case list == Municipality:
			got, ok = ResolveMunicipality(mode, row[1])
		case byMode:
			got, ok = ResolvePoint(row[1], mode)
		default:
			got, ok = Resolve(list, row[1])
		}
		if row[2] == ambiguous {
			if l, _ := Get(list); ok && !l.Has(row[1]) {
				t.Errorf("%s %q fits several codes but resolves to %s", row[0], row[1], got)
			}
			continue
		}
		if l, _ := Get(list); !byMode && l.Has(row[1]) && row[1] != row[2] {
			t.Errorf("%s: synonym %q for %s is itself a code", row[0], row[1], row[2])
		}
		if got != row[2] || !ok {
			t.Errorf("%s %q: %q, want %s", row[0], row[1], got, row[2])
		}
	}
}

func TestParseNamesTheLine(t *testing.T) {
	const head = "code,label_es,label_en,valid_from,valid_to,kind\n"
	for text, want := range map[string]string{
		"":                                    "EOF",
		"code,label\n":                        "line 1",
		head + "a,A,A,,,\na,B,B,,,\n":         "line 3: code a stands there twice",
		head + "a,A,A,,,\nb,,B,,,\n":          "line 3",
		head + "a,A,A,,,\nb,B,B,01/02/16,,\n": "line 3: code b: validity \"01/02/16\" is no ISO date",
		head + "a,A,A,,\n":                    "wrong number of fields",
		head + "a,A,A,,,\n":                   "one more",
	} {
		if _, err := parse("test", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestSpellings(t *testing.T) {
	for list, want := range map[string]map[string][]string{
		Country: {"US": {"eeuu", "estadosunidos", "usa"}}, Municipality: {"0801": {"0801", "tegucigalpa"}}, Sex: {"F": {"mujer", "femenino"}},
	} {
		l, _ := Get(list)
		for code, texts := range want {
			got := l.Spellings(code)
			for _, text := range texts {
				if !slices.Contains(got, text) {
					t.Errorf("%s %s: %q is not among %q", list, code, text, got)
				}
			}
		}
	}
}
