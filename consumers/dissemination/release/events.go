package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/schemas/calendar"
)

// measure is one thing that is counted, and where its events are.
type measure struct {
	id      string
	columns []string // of the lattice
	query   string   // person, month, codes and record of the events from one day to another
}

// measures are everything that is released. People are counted once: by all helps that they had, or by those of a kind. A
// crossing is without a person, so each counts as a person of its own.
//
// Crossings are read as facts: the table of their counts has no records. Only the facts are read of which some revision lies in the period.
var measures = []measure{
	{"returns", []string{"source", "route", "exit_point", "sex", "age", "accompanied", "residence", "entry_point", "centre", "return_type"},
		`SELECT toString(person), month, [multiIf(registered AND checkpoint, 'both', registered, 'registered_only', 'post_only'), route, exit_point, sex, age_group,
			accompanied, municipality, entry_point, centre, return_type, department], toString(return_id) FROM ceniss.returns WHERE day BETWEEN toDate(?) AND toDate(?)`},
	{"helps", []string{"kind", "centre"},
		"SELECT toString(person), formatDateTime(day, '%Y-%m'), [toString(kind), toString(centre)], toString(record_id) FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?)"},
	{"people", []string{"sex", "age"},
		`SELECT toString(person), formatDateTime(min(day), '%Y-%m'), [argMax(toString(sex), (day, record_id)), argMax(toString(age_group), (day, record_id))], ''
			FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY person`},
	{"people_by_kind", []string{"kind"},
		"SELECT toString(person), formatDateTime(min(day), '%Y-%m'), [toString(kind)], '' FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY person, kind"},
	{"crossings", []string{"result", "post"},
		`SELECT toString(record_id), formatDateTime(at, '%Y-%m'), [if(of.1 = '', 'unknown', of.1), if(of.2 = '', 'X-UNK', of.2)], toString(record_id)
		FROM (SELECT person, record_id, argMax((toString(document_check), toString(border_point)), version) AS of, argMax(event_time, version) AS at,
				argMax(void_reason = '' AND future = 0, version) AS holds
			FROM retorno.facts
			WHERE kind = 'crossing' AND (person, record_id) IN (SELECT person, record_id FROM retorno.facts WHERE kind = 'crossing' AND toDate(event_time) BETWEEN toDate(?) AND toDate(?))
			GROUP BY kafka_partition, person, record_id)
		WHERE holds AND toDate(at) BETWEEN toDate(?) AND toDate(?)`},
}

// facts are the events of the period as they stand.
func (p Public) facts(ctx context.Context, conn Conn, period calendar.Period) (all []lattice.Data, err error) {
	for _, m := range measures {
		d := lattice.Data{Measure: m.id, Columns: m.columns}
		args := []any{}
		for range strings.Count(m.query, "?") / 2 {
			args = append(args, period.First.String(), period.Last.String())
		}
		rows, err := conn.Query(ctx, m.query, args...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.id, err)
		}
		err = p.read(rows, &d)
		if err = errors.Join(err, rows.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", m.id, err)
		}
		all = append(all, d)
	}
	return all, nil
}

func (p Public) read(rows driver.Rows, d *lattice.Data) error {
	residence := slices.Index(d.Columns, "residence")
	for rows.Next() {
		var r lattice.Row
		if err := rows.Scan(&r.Person, &r.Month, &r.Codes, &r.Record); err != nil {
			return err
		}
		if residence >= 0 {
			last := len(r.Codes) - 1 // the department
			r.Codes[residence] = p.Lattice.CodeWithin("residence", r.Codes[residence], r.Codes[last])
			r.Codes = r.Codes[:last]
		}
		d.Rows = append(d.Rows, r)
	}
	return rows.Err()
}

// rowsOf is which rows the facts of the period are.
func rowsOf(ctx context.Context, conn Conn, period calendar.Period) (sum uint64, err error) {
	first, last := period.First.String(), period.Last.String()
	err = conn.QueryRow(ctx, `SELECT groupBitXor(sum) FROM
		(
			SELECT groupBitXor(cityHash64(return_id, version)) AS sum FROM retorno.returns FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
			UNION ALL SELECT groupBitXor(cityHash64(record_id, version)) FROM retorno.assistance FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
			UNION ALL SELECT groupBitXor(cityHash64(day, border_point, direction, document_check, version)) FROM retorno.crossing_counts FINAL WHERE day BETWEEN toDate(?) AND toDate(?)
		)`, first, last, first, last, first, last).Scan(&sum)
	return sum, err
}

// keep writes the events that the publication counts, for the vintage after it to compare.
func (p *Publication) keep(ctx context.Context, conn Conn, facts []lattice.Data) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO retorno.published_events (publication, measure, month, person, record, codes)")
	if err != nil {
		return err
	}
	for _, d := range facts {
		for _, r := range d.Rows {
			record := r.Record
			if record == "" {
				record = uuid.Nil.String()
			}
			if err := batch.Append(p.ID, d.Measure, r.Month, r.Person, record, r.Codes); err != nil {
				return errors.Join(err, batch.Abort())
			}
		}
	}
	return batch.Send()
}

// kept are the events that a publication counted; none of one that an earlier release of the program made.
func kept(ctx context.Context, conn Conn, publication uuid.UUID) ([]lattice.Data, error) {
	var all []lattice.Data
	for _, m := range measures {
		all = append(all, lattice.Data{Measure: m.id, Columns: m.columns})
	}
	none := uuid.Nil.String()
	return all, each(ctx, conn, "SELECT toString(measure), toString(month), toString(person), toString(record), codes FROM retorno.published_events WHERE publication = toUUID(?)", func(rows driver.Rows) error {
		var measure string
		var r lattice.Row
		if err := rows.Scan(&measure, &r.Month, &r.Person, &r.Record, &r.Codes); err != nil {
			return err
		}
		if r.Record == none {
			r.Record = ""
		}
		i := slices.IndexFunc(all, func(d lattice.Data) bool { return d.Measure == measure })
		if i < 0 {
			return fmt.Errorf("measure %q is not one of this program", measure)
		}
		all[i].Rows = append(all[i].Rows, r)
		return nil
	}, publication.String())
}
