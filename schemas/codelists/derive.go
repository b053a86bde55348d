package codelists

import (
	"strconv"
	"strings"
)

// ageGroups holds the age group of each age from 0 to 120, worked out once from the list's bounds.
var ageGroups = buildAgeGroups(byName[AgeGroup])

// MaxAge is the highest age in completed years that a record may state.
const MaxAge = 120

func buildAgeGroups(l *List) [MaxAge + 1]string {
	var groups [MaxAge + 1]string
	for i := range groups {
		groups[i] = l.Unknown
	}
	for _, c := range l.codes[1:] {
		lo, err := strconv.Atoi(c.Attrs["min"])
		if err != nil {
			panic("code lists: age group " + c.Code + " lacks its lower bound")
		}
		hi := MaxAge
		if s := c.Attrs["max"]; s != "" {
			if hi, err = strconv.Atoi(s); err != nil {
				panic("code lists: age group " + c.Code + " has a bound that is no number")
			}
		}
		for age := lo; age <= hi; age++ {
			groups[age] = c.Code
		}
	}
	return groups
}

// AgeGroupOf returns the age group of an age in completed years. A negative age means not stated; it and an age
// over MaxAge give the unknown code.
func AgeGroupOf(age int) string {
	if age < 0 || age > MaxAge {
		return byName[AgeGroup].Unknown
	}
	return ageGroups[age]
}

// routes maps country and mode (both by index) to the route.
var routes = buildRoutes()

func buildRoutes() [][]string {
	countries, modes, list := byName[Country], byName[Mode], byName[Route]
	out := make([][]string, len(countries.codes))
	for i, c := range countries.codes {
		out[i] = make([]string, len(modes.codes))
		for j, m := range modes.codes {
			route := c.Code + "-" + m.Attrs["route_suffix"]
			if !list.Has(route) {
				panic("code lists: route " + route + " is missing; run go generate")
			}
			out[i][j] = list.At(list.index[route])
		}
	}
	return out
}

// RouteOf returns the route of a country of return and a mode, such as "US-AIR". What is empty or not in its list
// counts as unknown: RouteOf("", "") is "XX-UNK". Every result stands in the list Route.
func RouteOf(country, mode string) string {
	c, _ := byName[Country].Index(country)
	m, _ := byName[Mode].Index(mode)
	return routes[c][m]
}

// SplitRoute is the inverse of RouteOf. A route that is not in the list gives the two unknown codes and false.
func SplitRoute(route string) (country, mode string, ok bool) {
	l := byName[Route]
	i, ok := l.index[route]
	if !ok {
		return byName[Country].Unknown, byName[Mode].Unknown, false
	}
	return l.codes[i].Attrs["country"], l.codes[i].Attrs["mode"], true
}

// PlausibleRoute reports whether people are returned that way: by air from anywhere, by land only from the countries
// reached by land without crossing the United States, by sea only from neighbours by water. An implausible route is a
// reason to ask again, not an error: registers do contain them. Unknown parts are plausible.
func PlausibleRoute(country, mode string) bool {
	return byName[Route].Attr(RouteOf(country, mode), "plausible") == "1"
}

// DepartmentOf returns the department (ISO 3166-2) in which a municipality (INE, four digits) lies, and "" for the
// unknown municipality, an empty one or one that is not in the list.
func DepartmentOf(municipality string) string {
	return byName[Municipality].Attr(municipality, "department")
}

// DepartmentOfINE returns the department of an INE number from "01" to "18". INE counts Ch after C, so 06 is Choluteca
// and 02 Colón; lists in modern alphabetical order number 02 to 06 otherwise.
func DepartmentOfINE(number string) (string, bool) {
	for _, c := range byName[Department].codes {
		if c.Attrs["ine"] == number && number != "" {
			return c.Code, true
		}
	}
	return byName[Department].Unknown, false
}

// CountryGroup returns the group under which bulletins print a country of return: US, MX, CAM (GT BZ SV NI CR PA),
// EUR, SAM or OTH; HOME for Honduras itself. An unknown country or one not in the list has no group: "".
// Countries that bulletins have named keep the group found there; the others follow UN M49.
func CountryGroup(iso2 string) string {
	return byName[Country].Attr(iso2, "group")
}

// ValidFor reports whether a border point may stand in the given direction ("entry" or "exit"): a blind crossing is only
// ever an exit. A code that is not in the list is valid for neither.
func ValidFor(borderPoint, direction string) bool {
	return strings.Contains(";"+byName[BorderPoint].Attr(borderPoint, "directions")+";", ";"+direction+";")
}
