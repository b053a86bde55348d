package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
)

// whereabouts is a person and the Kafka partition that counts them.
type whereabouts struct {
	person    ID
	partition int
}

// find names the persons to whom an id belongs, as the id of a return, also of one that no longer exists, or of a record.
func (e *Explainer) find(ctx context.Context, id ID) ([]whereabouts, error) {
	// Without FINAL: the row of a return that no longer exists is there as deleted.
	rows, err := e.cfg.Store.Conn().Query(ctx, `SELECT DISTINCT person, kafka_partition FROM
		(SELECT person, kafka_partition FROM retorno.returns WHERE return_id = toUUID(?)
		UNION ALL SELECT person, kafka_partition FROM retorno.facts WHERE record_id = toUUID(?)) ORDER BY person`, id.String(), id.String())
	if err != nil {
		return nil, fmt.Errorf("explain: find %s: %w", id, err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	var all []whereabouts
	for rows.Next() {
		var person uuid.UUID
		var partition uint16
		if err := rows.Scan(&person, &partition); err != nil {
			return nil, fmt.Errorf("explain: find %s: %w", id, err)
		}
		all = append(all, whereabouts{person, int(partition)})
	}
	return all, rows.Err()
}

// columnOf is the expression that writes a column of retorno.returns as reconcile.Return.Attributes does.
func columnOf(attribute string) string {
	switch attribute {
	case "age":
		return "ifNull(toString(age), 'unknown')"
	case "reasons":
		return "arrayStringConcat(arraySort(reasons), ',')"
	}
	return "toString(" + attribute + ")"
}

// idsAtOnce is how many ids one statement asks for: a statement has a longest text.
const idsAtOnce = 2000

// compare says in words where what is stored is not what a person's facts come to. A return is named after a fact of its
// own, so the ids of all facts find every return that the person can have.
func (e *Explainer) compare(ctx context.Context, person ID, facts []reconcile.Fact, returns []reconcile.Return) ([]string, error) {
	expected := make(map[ID]*reconcile.Return, len(returns))
	for i := range returns {
		expected[returns[i].ID] = &returns[i]
	}
	var all []string
	for some := range slices.Chunk(facts, idsAtOnce) {
		stored, err := e.storedReturns(ctx, person, some)
		if err != nil {
			return nil, err
		}
		for i := range some {
			id := some[i].RecordID
			all = append(all, differences(id, stored[id], expected[id])...)
		}
	}
	slices.Sort(all)
	return all, nil
}

// storedReturns reads a person's returns that are named after these facts.
func (e *Explainer) storedReturns(ctx context.Context, person ID, facts []reconcile.Fact) (map[ID][]reconcile.Attribute, error) {
	stored := map[ID][]reconcile.Attribute{}
	names := reconcile.AttributeNames()
	columns, keys := make([]string, len(names)), make([]string, len(facts))
	for i, name := range names {
		columns[i] = columnOf(name)
	}
	for i := range facts {
		keys[i] = "'" + facts[i].RecordID.String() + "'"
	}
	rows, err := e.cfg.Store.Conn().Query(ctx, fmt.Sprintf("SELECT return_id, [%s] FROM retorno.returns FINAL WHERE return_id IN (%s) AND person = toUUID(?)",
		strings.Join(columns, ", "), strings.Join(keys, ", ")), person.String())
	if err != nil {
		return nil, fmt.Errorf("explain: read the stored returns: %w", err)
	}
	defer func() { _ = rows.Close() }() // its error is rows.Err's
	for rows.Next() {
		var id uuid.UUID
		var values []string
		if err := rows.Scan(&id, &values); err != nil {
			return nil, fmt.Errorf("explain: read the stored returns: %w", err)
		}
		for i, v := range values {
			stored[id] = append(stored[id], reconcile.Attribute{Name: names[i], Value: v})
		}
	}
	return stored, rows.Err()
}

// differences says where a return is not stored as it follows from the log. Either may be nil: there is none.
func differences(id ID, stored []reconcile.Attribute, follows *reconcile.Return) []string {
	switch {
	case stored == nil && follows == nil:
		return nil
	case stored == nil:
		return []string{fmt.Sprintf("return %s follows from the log and is not stored", id)}
	case follows == nil:
		return []string{fmt.Sprintf("return %s is stored and does not follow from the log", id)}
	}
	var all []string
	for _, c := range changesOf(stored, follows.Attributes()) {
		all = append(all, fmt.Sprintf("return %s: %s is stored as %s, the log comes to %s", id, c.Name, c.Before, c.After))
	}
	return all
}
