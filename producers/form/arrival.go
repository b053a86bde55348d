package form

import (
	"strconv"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// Arrival is a bus, a flight or a group on foot: entered once, its people follow one after another. It is no event and never leaves the
// office; its people's records state its country, mode, type and programme.
type Arrival struct {
	ID          string `json:"record_id"`
	Revision    uint32 `json:"revision"`
	Means       string `json:"means"` // bus, flight, foot or boat
	Country     string `json:"country,omitempty"`
	Mode        string `json:"mode,omitempty"`
	ReturnType  string `json:"return_type,omitempty"`
	Programme   string `json:"programme,omitempty"`
	BorderPoint string `json:"border_point,omitempty"`
	Plate       string `json:"plate,omitempty"`    // of the bus, or the number of the flight
	Expected    int    `json:"expected,omitempty"` // people; 0 is not stated
	AtMs        int64  `json:"at_ms"`              // milliseconds since 1970-01-01 UTC
	Closed      bool   `json:"closed,omitempty"`
	SentTo      string `json:"sent_to,omitempty"` // centre to which its people were sent on
}

// Means are the ways in which people arrive; each has its mode.
var Means = []Choice{
	{Code: "bus", ES: "Bus", EN: "Bus", Keys: []string{"bus", "bus", "bus", "autobus", "land"}},
	{Code: "flight", ES: "Vuelo", EN: "Flight", Keys: []string{"vuelo", "flight", "avion", "air"}},
	{Code: "foot", ES: "A pie", EN: "On foot", Keys: []string{"apie", "onfoot", "foot", "pie"}},
	{Code: "boat", ES: "Barco", EN: "Boat", Keys: []string{"barco", "boat", "sea"}},
}

var modeOf = map[string]string{"bus": "land", "flight": "air", "foot": "land", "boat": "sea"}

const mostExpected = 2000

func (r *reader) arrival() {
	a := &Arrival{ID: r.text("record_id"), Revision: 1, Plate: r.text("plate"), Closed: r.affirmative("closed"), AtMs: r.when().UnixMilli()}
	if n, err := strconv.ParseUint(r.text("revision"), 10, 32); err == nil && n > 0 {
		a.Revision = uint32(n)
	}
	if before := r.around.Arrival; before != nil && r.text("happened") == "" {
		a.AtMs = before.AtMs
	}
	r.on = calendar.DayOf(a.AtMs)
	if text := r.text("means"); text != "" {
		found, _ := Match(Means, text)
		if len(found) == 0 {
			r.fault("means", "unknown_code", text)
		} else {
			a.Means = found[0].Code
		}
	}
	a.Mode = r.code("mode", codelists.Mode)
	if a.Mode == "" {
		a.Mode = modeOf[a.Means]
	}
	r.around.Use.Mode = a.Mode
	a.Country, a.ReturnType, a.Programme = r.code("country", codelists.Country), r.code("return_type", codelists.ReturnType), r.code("programme", codelists.Programme)
	a.BorderPoint, a.SentTo = r.elsewhere("border_point", codelists.BorderPoint), r.code("sent_to", codelists.Centre)
	if text := r.text("expected"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostExpected {
			r.fault("expected", "out_of_range", text)
		}
		a.Expected = n
	}
	if a.Country == "" && len(r.out.Faults) == 0 {
		r.fault("country", "required", "")
	}
	r.rare("country", a.Country)
	if !codelists.PlausibleRoute(a.Country, a.Mode) {
		r.doubt("country", "implausible_route", "")
	}
	r.out.Arrival = a
}
