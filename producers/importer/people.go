package importer

import (
	"context"
	"errors"
	"io"
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

// mostApart is how many days the births of one person may lie apart by the ages of two rows: an age leaves a year open,
// and is often told wrong by one or two.
const mostApart = 3 * 36525 / 100

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
	e.strangers = e.strangers || e.last-e.first > mostApart
}

// shortKey is 64 bits of a person key: enough to tell the keys of one file apart. Two that share them would merely link
// no row.
func shortKey(key string) uint64 {
	n, _ := strconv.ParseUint(key[:16], 16, 64) // a person key is 32 hexadecimal digits
	return n
}

// findShared reads the rows once more, as they will be taken, for documents under which they show several people: rows that
// differ in sex, or by more years of age than lie between them. It keeps 64 bits of each person key, and no document.
func (d *dialect) findShared(ctx context.Context, cfg Config, file io.ReadSeeker) error {
	if cfg.WithoutDocuments || !d.header.documents(cfg) {
		return nil
	}
	rows, err := d.open(file)
	if err != nil {
		return err
	}
	people := map[uint64]*personEvidence{}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if d.sort(r) != rowData {
			continue
		}
		c := conversion{cfg: cfg, dialect: d, row: r}
		if record := c.convert(); record.GetPersonKey() != "" {
			key := shortKey(record.GetPersonKey())
			if people[key] == nil {
				people[key] = &personEvidence{}
			}
			people[key].look(c.shown(record))
		}
	}
	d.shared = map[uint64]bool{}
	for key, e := range people {
		if e.strangers {
			d.shared[key] = true
		}
	}
	return nil
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

// documents reports whether the rows may hold documents.
func (h *header) documents(cfg Config) bool {
	for _, field := range []string{"dni", "passport", "document_number"} {
		if _, ok := h.at[field]; ok || cfg.assumed(field) != "" {
			return true
		}
	}
	return false
}
