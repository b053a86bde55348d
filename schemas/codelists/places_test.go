package codelists

import "testing"

func TestMunicipalitiesByTheirEverydayNames(t *testing.T) {
	for _, c := range []struct{ department, text, want string }{
		{"HN-FM", "Tegucigalpa", "0801"},
		{"HN-FM", "TEGUCIGALPA, M.D.C.", "0801"},
		{"HN-FM", "Comayaguela M.D.C.", "0801"},
		{"HN-FM", "D.C.", "0801"},
		{"HN-FM", "Distrito Central", "0801"},
		{"HN-CR", "S.P.S.", "0501"},
		{"HN-CR", "Sn Pedro Sula", "0501"},
		{"HN-CR", "S. Pedro Sula", "0501"},
		{"HN-CR", "SAN PEDRO SULA CORTES", "0501"},
		{"HN-CR", "Pto. Cortés", "0506"},
		{"HN-CR", "Sn. Fco. de Yojoa", "0508"},
		{"HN-CR", "Sta Cruz de Yojoa", "0510"},
		{"HN-CR", "Lima", "0512"},
		{"HN-CP", "Sta. Rosa de Copán", "0401"},
		{"HN-CP", "Santa Rosa", "0401"},
		{"HN-CL", "Santa Rosa", "0207"},
		{"HN-CP", "San Pedro", "0420"},
		{"HN-GD", "Pto. Lempira", "0901"},
		{"HN-OC", "Nueva Ocotepeque", "1401"},
		{"HN-AT", "Ceiba", "0101"},
		{"HN-YO", "Progreso", "1804"},
		{"HN-IN", "Esperanza", "1001"},
		{"HN-SB", "S. Barbara", "1601"},
		{"HN-OL", "Sn. Fco. de la Paz", "1519"},
		{"HN-EP", "Paraíso", "0704"},
		{"HN-CM", "Trinidad", "0308"},
		// Not in that department, in none, or two of the name.
		{"HN-AT", "San Pedro Sula", ""},
		{"HN-CR", "Tegucigalpa", ""},
		{"HN-CM", "San José", ""},
		{"HN-CR", "Otro", ""},
		{"HN-CR", "San", ""},
		{"HN-CR", "S.", ""},
		{"", "Tegucigalpa", ""},
		{"", "S.P.S.", ""},
	} {
		if got, ok := ResolveMunicipality(c.department, c.text); got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q is %q, %v; want %q", c.text, c.department, got, ok, c.want)
		}
	}
}

func TestShortenedNamesOfOtherPlaces(t *testing.T) {
	for _, c := range []struct{ list, text, want string }{
		{Department, "Fco. Morazán", "HN-FM"},
		{Department, "Fsco Morazan", "HN-FM"},
		{Department, "F.M.", "HN-FM"},
		{Department, "Sta. Bárbara", "HN-SB"},
		{Department, "S. Bárbara", "HN-SB"},
		{Department, "I. de la Bahía", "HN-IB"},
		{BorderPoint, "S.P.S.", "A-SAP"},
		{BorderPoint, "Pto. Cortés", "S-PCR"},
		{BorderPoint, "Sn. Lorenzo", "S-SLO"},
		{BorderPoint, "Pto. La Ceiba", "S-LCE"},
		{Centre, "CAMR Sn Pedro Sula", "CAMR-SPS"},
		{Department, "S.", ""},
		{Department, "Pto. Cortés", ""},
		{BorderPoint, "Pto.", ""},
	} {
		if got, ok := Resolve(c.list, c.text); got != c.want || ok != (c.want != "") {
			t.Errorf("%s %q is %q, %v; want %q", c.list, c.text, got, ok, c.want)
		}
	}
}
