package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/verify/wire"
)

// stored is a row of retorno.facts, as far as it is compared.
type stored struct {
	key
	version, content, copy uint64
	place                  place
	offset                 int64
}

const storedColumns = "person, record_id, version, topic, kafka_partition, toInt64(kafka_offset), "

// selectStored reads facts as they hold, those for which where is true.
func selectStored(ctx context.Context, conn driver.Conn, where string, fn func(*stored) error) error {
	rows, err := conn.Query(ctx, "SELECT "+storedColumns+contentSQL+", "+copySQL+" FROM retorno.latest_facts WHERE "+where)
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s stored
		var partition uint16
		if err := rows.Scan(&s.person, &s.id, &s.version, &s.place.topic, &partition, &s.offset, &s.content, &s.copy); err != nil {
			return fmt.Errorf("read facts: %w", err)
		}
		s.place.partition = int(partition)
		if err := fn(&s); err != nil {
			return err
		}
	}
	return rows.Err()
}

// atOnce is how many keys one query names.
const atOnce = 2000

// lookUp reads facts by their keys.
func lookUp(ctx context.Context, conn driver.Conn, keys []key, fn func(*stored) error) error {
	for len(keys) > 0 {
		n := min(len(keys), atOnce)
		names := make([]string, n)
		for i, k := range keys[:n] {
			names[i] = "('" + k.person.String() + "','" + k.id.String() + "')"
		}
		keys = keys[n:]
		if err := selectStored(ctx, conn, "(person, record_id) IN ("+strings.Join(names, ",")+")", fn); err != nil {
			return err
		}
	}
	return nil
}

// verdict says what is wrong with a fact; empty: nothing. surplus is 1 for what only ClickHouse holds, -1 for what only
// the log holds, 0 when the two differ.
type verdict struct {
	what    string
	surplus int64
	columns bool // which columns differ is to be said
}

// judge compares a stored fact with what the log says of it in the spans. Either may be missing, not both. A fact whose
// stored version was sent outside of the spans may be newer than what they say.
func (s *said) judge(l *latest, row *stored) verdict {
	switch {
	case row == nil:
		return verdict{what: "not stored", surplus: -1}
	case l == nil && s.covers(row.place, row.offset):
		return verdict{what: fmt.Sprintf("stored as of %s, offset %d, which the log does not say", row.place, row.offset), surplus: 1}
	case l == nil:
		return verdict{}
	case row.version < l.version, row.version > l.version && s.covers(row.place, row.offset):
		return verdict{what: fmt.Sprintf("version %d is stored, the log says %d", row.version, l.version)}
	case row.version > l.version:
		return verdict{}
	case row.place == s.placeOf(l) && row.offset == l.offset:
		if row.content != l.content || row.copy != l.copy {
			return verdict{what: "differs", columns: true}
		}
	case s.covers(row.place, row.offset) || row.place.partition != s.partition || row.content != l.content:
		return verdict{what: "differs", columns: true}
	}
	return verdict{}
}

func (s *said) placeOf(l *latest) place { return place{topics[l.topic], s.partition} }

// note adds a verdict to what was found, with the fact's name.
func (p *factsPass) note(ctx context.Context, s *said, name key, l *latest, row *stored) error {
	v := s.judge(l, row)
	if v.what == "" {
		return nil
	}
	text := fmt.Sprintf("record %s, person %s: %s", name.id, name.person, v.what)
	if l != nil {
		text += fmt.Sprintf("; sent as %s, offset %d", s.placeOf(l), l.offset)
	}
	if v.columns && len(p.found.different) < MostShown {
		columns, err := p.differing(ctx, s, name, l)
		if err != nil {
			return err
		}
		text += ": " + columns
	}
	p.found.add(text, v.surplus)
	return nil
}

var errFound = errors.New("found")

// differing names the columns in which a stored fact is not what the log says.
func (p *factsPass) differing(ctx context.Context, s *said, name key, l *latest) (string, error) {
	var record *sent
	err := p.kafka.read(ctx, s.placeOf(l), l.offset, l.offset+1, func(m *wire.Message) (err error) {
		if record, err = open(m, s.placeOf(l), p.kafka.Partitions); err == nil {
			err = errFound
		}
		return err
	})
	if !errors.Is(err, errFound) {
		return "", err
	}
	all := append(append([]column{}, contentColumns...), copyColumns...)
	expressions := make([]string, len(all))
	for i, c := range all {
		expressions[i] = c.sql
	}
	var values []string
	err = p.conn.QueryRow(ctx, "SELECT ["+strings.Join(expressions, ", ")+"] FROM retorno.latest_facts WHERE person = '"+name.person.String()+
		"' AND record_id = '"+name.id.String()+"'").Scan(&values)
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name.id, err)
	}
	var differ []string
	for i, c := range all {
		if want := c.sent(record); values[i] != want {
			differ = append(differ, fmt.Sprintf("%s: stored %q, sent %q", c.name, values[i], want))
		}
	}
	return strings.Join(differ, ", "), nil
}

// personsOf are the persons of facts, each once, in text.
func personsOf(into map[uuid.UUID]struct{}, facts map[key]latest) {
	for name := range facts {
		into[name.person] = struct{}{}
	}
}
