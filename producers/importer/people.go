package importer

import (
	"errors"
	"strconv"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// personEvidence is what the rows of one person key say about the person.
type personEvidence struct {
	sex             string
	first, last     calendar.Day // the earliest and the latest of the days until which the person was born, by the ages stated
	aged, strangers bool
}

// birthsApart is how many days the births of one person may lie apart by the ages of two rows: an age leaves a year open,
// and is often told wrong by one or two.
const birthsApart = 3 * 36525 / 100

// look takes a row in; sex "" and age nil are not stated.
func (e *personEvidence) look(sex string, age *uint32, on calendar.Day) {
	if sex != "" {
		e.strangers = e.strangers || e.sex != "" && e.sex != sex
		e.sex = sex
	}
	if age == nil {
		return
	}
	born := on - calendar.Day(*age*36525/100)
	if !e.aged {
		e.aged, e.first, e.last = true, born, born
	}
	e.first, e.last = min(e.first, born), max(e.last, born)
	e.strangers = e.strangers || e.last-e.first > birthsApart
}

// shortKey is 64 bits of a person key: enough to tell the keys of one file apart. Two that share them would merely link
// no row.
func shortKey(key string) uint64 {
	n, _ := strconv.ParseUint(key[:16], 16, 64) // a person key is 32 hexadecimal digits
	return n
}

// notePerson takes a row with a person key into the evidence.
func (p *pass) notePerson(r *events.Record, c *conversion) {
	if r.GetPersonKey() == "" {
		return
	}
	key := shortKey(r.GetPersonKey())
	if p.people[key] == nil {
		p.people[key] = &personEvidence{}
	}
	p.people[key].look(c.shown(r))
}

// unlink takes the person keys of documents under which rows show several people (rows that differ in sex, or by more years of
// age than lie between them) out of the records. Their ids, which are made of what they say, become others.
func (p *pass) unlink() error {
	for key, e := range p.people {
		if !e.strangers {
			delete(p.people, key)
		}
	}
	if len(p.people) == 0 {
		return nil
	}
	before, sum := p.file.spool, &p.file.Summary
	if err := before.flush(); err != nil {
		return err
	}
	after, err := newSpool()
	if err != nil {
		return err
	}
	p.file.spool, p.name, sum.Alike = after, nil, 0
	clear(p.alike)
	err = before.each(func(line int, print uint64, r *events.Record) error {
		if r == nil {
			return after.add(line, 0, nil)
		}
		if key := r.GetPersonKey(); key != "" && p.people[shortKey(key)] != nil {
			r.PersonKey = ""
			sum.WithoutPerson++
			sum.warn(Warning{Code: "document_shared", Line: line})
		}
		if p.identify(r, Place{r.GetSourceId(), r.GetSourceSeq()}) {
			sum.Alike++
		}
		return after.add(line, print, r)
	})
	return errors.Join(err, before.close())
}

// shown returns the sex and age that a row states, and the day on which it does. A record of help has neither, but its row may.
func (c *conversion) shown(r *events.Record) (sex string, age *uint32, on calendar.Day) {
	on = calendar.DayOf(r.GetEventTimeMs())
	switch b := r.GetBody().(type) {
	case *events.Record_Crossing:
		return b.Crossing.GetSex(), b.Crossing.Age, on
	case *events.Record_Registration:
		return b.Registration.GetSex(), b.Registration.Age, on
	}
	row := conversion{cfg: c.cfg, dialect: c.dialect, row: c.row}
	return row.sex(), row.age(on), on
}
