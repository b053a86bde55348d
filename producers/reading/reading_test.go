package reading

import (
	"testing"

	"retorno/schemas/calendar"
)

func TestAgeOfABirth(t *testing.T) {
	on := calendar.Date(2016, 6, 30)
	for _, c := range []struct {
		birth  calendar.Day
		stated int
		years  int
		code   string
	}{
		{calendar.Date(1981, 9, 17), -1, 34, ""}, {calendar.Date(1981, 9, 17), 35, 34, ""},
		{calendar.Date(1981, 9, 17), 36, 34, "age_contradicts_birth"}, {calendar.Date(2016, 7, 1), -1, -1, "born_after_event"},
		{calendar.Date(1890, 1, 1), -1, 126, "bad_age"},
	} {
		years, code := AgeOf(c.birth, on, uint32(max(c.stated, 0)), c.stated >= 0)
		if years != c.years || code != c.code {
			t.Errorf("%s with %d: %d %q, want %d %q", c.birth, c.stated, years, code, c.years, c.code)
		}
	}
}
