package form

import "retorno/schemas/events"

// arrived is the arrival of the person: that of the crossing which the form names, else the one that is open.
func (r *reader) arrived() *Arrival {
	c := r.around.Crossing
	if c == nil {
		return r.around.Arrival
	}
	out := &Arrival{ID: c.Arrival, AtMs: c.ArrivedMs, Country: c.Country, Mode: c.Mode, ReturnType: c.ReturnType, BorderPoint: c.Post}
	if a := r.around.Arrival; a != nil && a.ID == c.Arrival {
		out.Programme = a.Programme
	}
	return out
}

// ofCrossing reads which crossing a registration is of. A revision stays that of the crossing of the revision before.
func (r *reader) ofCrossing() {
	id := r.text("crossing_id")
	if id == "" {
		r.around.Crossing = nil
		return
	}
	r.out.Identity.Crossing = id
	if r.around.Before != nil {
		return
	}
	c := r.around.Crossing
	if c == nil {
		r.fault("crossing_id", "unknown_crossing", "")
		return
	}
	r.out.Identity.Arrival = c.Arrival
	if r.around.Taken {
		r.doubt("crossing_id", "registered_already", "")
	}
}

// known fills in what the crossing states and the form does not.
func (r *reader) known(x *events.Registration) {
	c := r.around.Crossing
	if c == nil || r.around.Before != nil {
		return
	}
	if x.Sex == "" && r.text("sex") == "" {
		x.Sex = c.Sex
	}
	if x.Age == nil && r.text("age") == "" && r.text("birth_date") == "" {
		x.Age = c.Age
	}
	if x.Nationality == "" && r.text("nationality") == "" {
		x.Nationality = c.Nationality
	}
}

// keyOf is the key of a registration: that of the crossing, whatever document is shown now. Another document is asked about.
func (r *reader) keyOf(own string) string {
	c := r.around.Crossing
	if c == nil || c.Key == "" || r.around.Before != nil {
		return own
	}
	if own != "" && own != c.Key {
		r.doubt("document_number", "other_document", "")
	}
	return c.Key
}
