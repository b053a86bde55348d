package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/verify/wire"
	"retorno/schemas/kafka"
)

// stored is a row of retorno.facts, as far as it is compared.
type stored struct {
	key
	version, content, copy uint64
	place                  kafka.TopicPartition
	log                    int
	offset                 int64
}

const storedColumns = "person, record_id, version, topic, kafka_partition, toInt64(" + logSQL + "), toInt64(kafka_offset), "

// selectStored reads the facts for which where is true, each in the latest revision of these.
func selectStored(ctx context.Context, conn driver.Conn, where string, fn func(*stored) error) error {
	err := query(ctx, conn, "SELECT "+storedColumns+contentSQL+", "+copySQL+" FROM "+latestOf(where), func(scan func(...any) error) error {
		var s stored
		var partition uint16
		var log int64
		if err := scan(&s.person, &s.id, &s.version, &s.place.Topic, &partition, &log, &s.offset, &s.content, &s.copy); err != nil {
			return err
		}
		s.place.Partition, s.log = int(partition), int(log)
		return fn(&s)
	})
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	return nil
}

// lookUp reads facts of one Kafka partition by their keys.
func lookUp(ctx context.Context, conn driver.Conn, partition int, keys []key, fn func(*stored) error) error {
	for len(keys) > 0 {
		n := min(len(keys), atOnce)
		names := make([]string, n)
		for i, k := range keys[:n] {
			names[i] = "('" + k.person.String() + "','" + k.id.String() + "')"
		}
		keys = keys[n:]
		if err := selectStored(ctx, conn, fmt.Sprintf("kafka_partition = %d AND (person, record_id) IN (", partition)+strings.Join(names, ",")+")", fn); err != nil {
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
	case l == nil && s.covers(row):
		return verdict{what: fmt.Sprintf("stored as of %s, offset %d, which the log does not say", row.place, row.offset), surplus: 1}
	case l == nil:
		return verdict{}
	case row.version < l.version, row.version > l.version && s.covers(row):
		return verdict{what: fmt.Sprintf("version %d is stored, the log says %d", row.version, l.version)}
	case row.version > l.version:
		return verdict{}
	case row.place == s.placeOf(l) && row.offset == l.offset && s.covers(row):
		if row.content != l.content || row.copy != l.copy {
			return verdict{what: "differs", columns: true}
		}
	case s.covers(row) || row.place.Partition != s.partition || row.content != l.content:
		return verdict{what: "differs", columns: true}
	}
	return verdict{}
}

func (s *said) placeOf(l *latest) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: topics[l.topic], Partition: s.partition}
}

// note adds a verdict to what was found, with the fact's name.
func (p *pass) note(ctx context.Context, found *finding, s *said, name key, l *latest, row *stored) error {
	v := s.judge(l, row)
	if v.what == "" {
		return nil
	}
	text := fmt.Sprintf("record %s, person %s: %s", name.id, name.person, v.what)
	if l != nil {
		text += fmt.Sprintf("; sent as %s, offset %d", s.placeOf(l), l.offset)
	}
	if v.columns && len(found.different) < MostShown {
		columns, err := p.differing(ctx, s, name, l)
		if err != nil {
			return err
		}
		text += ": " + columns
	}
	found.add(text, v.surplus)
	return nil
}

var errFound = errors.New("found")

// differing names the columns in which a stored fact is not what the log says.
func (p *pass) differing(ctx context.Context, s *said, name key, l *latest) (string, error) {
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
		expressions[i] = "toString(" + c.sql + ")"
	}
	var values []string
	err = p.conn.QueryRow(ctx, "SELECT ["+strings.Join(expressions, ", ")+"] FROM retorno.facts FINAL WHERE person = '"+name.person.String()+
		"' AND record_id = '"+name.id.String()+"' ORDER BY version DESC LIMIT 1").Scan(&values)
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name.id, err)
	}
	var differ []string
	for i, c := range all {
		if want := string(c.sent(nil, record)); values[i] != want {
			differ = append(differ, fmt.Sprintf("%s: stored %q, sent %q", c.name, values[i], want))
		}
	}
	return strings.Join(differ, ", "), nil
}
